//! Package URLs, taken apart (<https://github.com/package-url/purl-spec>).

/// The parts of a package URL, decoded. Nothing is normalised but the type: the specification's
/// lower-casing of some types' names changes names that registries tell apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageUrl {
    /// Type in lower case: `npm`, `deb`.
    pub kind: String,
    /// Namespace, its segments separated by `/`; empty where there is none.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// Version; empty where there is none.
    pub version: String,
    /// Qualifiers with their keys in lower case, in the text's order.
    pub qualifiers: Vec<(String, String)>,
    /// Path within the package; empty where there is none.
    pub subpath: String,
}

impl PackageUrl {
    /// Takes a package URL apart, as "How to parse a purl string" of the specification says, and
    /// also where an `@` of a namespace is not encoded, as many tools write it.
    ///
    /// `None` for a text that is not a package URL: without its scheme, a type or a name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (rest, subpath) = text.split_once('#').unwrap_or((text, ""));
        let (rest, qualifiers) = rest.split_once('?').unwrap_or((rest, ""));
        let (scheme, rest) = rest.split_once(':')?;
        if !scheme.eq_ignore_ascii_case("pkg") {
            return None;
        }

        let (kind, rest) = rest.trim_start_matches('/').split_once('/')?;
        if !is_type(kind) {
            return None;
        }

        let (path, version) = split_version(rest);
        let path = path.trim_matches('/');
        let (namespace, name) = path.rsplit_once('/').unwrap_or(("", path));
        let name = decode(name);
        if name.is_empty() {
            return None;
        }

        Some(Self {
            kind: kind.to_ascii_lowercase(),
            namespace: segments(namespace),
            name,
            version: decode(version),
            qualifiers: qualifiers.split('&').filter_map(qualifier).collect(),
            subpath: segments(subpath),
        })
    }

    /// The value of a qualifier.
    #[must_use]
    pub fn qualifier(&self, key: &str) -> Option<&str> {
        self.qualifiers
            .iter()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value.as_str())
    }
}

fn is_type(kind: &str) -> bool {
    kind.bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_alphabetic())
        && kind
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'+'))
}

/// The path and the version. An `@` that begins a segment with more segments after it is a
/// namespace's (`@scope/name`), and versions hold no plain `/`.
fn split_version(rest: &str) -> (&str, &str) {
    match rest.rsplit_once('@') {
        Some((path, version)) if !version.contains('/') && !path.is_empty() => (path, version),
        Some((path, version)) if !path.is_empty() && !path.ends_with('/') => (path, version),
        _ => (rest, ""),
    }
}

fn segments(path: &str) -> String {
    let segments: Vec<String> = path
        .split('/')
        .filter(|segment| !matches!(*segment, "" | "." | ".."))
        .map(decode)
        .collect();
    segments.join("/")
}

fn qualifier(pair: &str) -> Option<(String, String)> {
    let (key, value) = pair.split_once('=')?;
    (!key.is_empty() && !value.is_empty()).then(|| (key.to_ascii_lowercase(), decode(value)))
}

/// Decodes `%XX`; what is not one stays as it is.
#[must_use]
pub fn decode(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }

    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        match (first, hex_pair(after)) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }

    String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

fn hex_pair(bytes: &[u8]) -> Option<u8> {
    let [high, low, ..] = bytes else { return None };
    let high = char::from(*high).to_digit(16)?;
    let low = char::from(*low).to_digit(16)?;
    u8::try_from(high * 16 + low).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Option<String> {
        let purl = PackageUrl::parse(text)?;
        let qualifiers: Vec<String> = purl
            .qualifiers
            .iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();

        Some(format!(
            "{}|{}|{}|{}|{}|{}",
            purl.kind,
            purl.namespace,
            purl.name,
            purl.version,
            qualifiers.join("&"),
            purl.subpath
        ))
    }

    #[test]
    fn takes_apart_what_the_specification_shows() {
        for (text, expected) in [
            (
                "pkg:npm/%40angular/animation@12.3.1",
                "npm|@angular|animation|12.3.1||",
            ),
            (
                "pkg:npm/@angular/animation@12.3.1",
                "npm|@angular|animation|12.3.1||",
            ),
            ("pkg:npm/@angular/animation", "npm|@angular|animation|||"),
            ("pkg:NPM/Foo@1.0.0-rc%2B1", "npm||Foo|1.0.0-rc+1||"),
            (
                "pkg:golang/google.golang.org/genproto@v1#/googleapis/api/annotations/",
                "golang|google.golang.org|genproto|v1||googleapis/api/annotations",
            ),
            (
                "pkg:deb/debian/curl@7.50.3-1?arch=i386&distro=jessie&Upstream=c%401",
                "deb|debian|curl|7.50.3-1|arch=i386&distro=jessie&upstream=c@1|",
            ),
            (
                "pkg://maven/org.apache.xmlgraphics/batik-anim@1.9.1?packaging=sources",
                "maven|org.apache.xmlgraphics|batik-anim|1.9.1|packaging=sources|",
            ),
            (
                "pkg:docker/cassandra@sha256:244fd47e07d10?x=",
                "docker||cassandra|sha256:244fd47e07d10||",
            ),
            ("pkg:generic/a%zz@1", "generic||a%zz|1||"),
        ] {
            assert_eq!(parts(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_none() {
        for text in [
            "",
            "npm/a@1",
            "pkg:",
            "pkg:npm",
            "pkg:npm/",
            "pkg:/a@1",
            "pkg:n m/a",
            "http://a/b",
        ] {
            assert_eq!(parts(text), None, "{text}");
        }
    }
}
