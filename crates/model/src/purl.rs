//! Package URLs, read and written (<https://github.com/package-url/purl-spec>).
//!
//! The rules here are the same for every type of package URL. Rules of one type (how a registry
//! compares names, which qualifier is the default) belong to its ecosystem, and matching of
//! package URLs as VEX patterns belongs to `patchgate-vex`.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// The characters that are percent-encoded: all but letters, digits, `.`, `-`, `_`, `~` and `:`
/// ("Character encoding" of the specification).
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'.')
    .remove(b'-')
    .remove(b'_')
    .remove(b'~')
    .remove(b':');

/// A package URL in its parts, all of them decoded.
///
/// Only the type and the keys of qualifiers are normalised, to lower case. The specification also
/// lower-cases the names of some types; that is not done here, because it changes names that
/// registries distinguish.
///
/// [`Display`](fmt::Display) writes the text. Reading it again gives the same parts, unless a
/// segment of the namespace or the subpath contains a `/` or is `.` or `..`, which the
/// specification forbids.
///
/// ```
/// use patchgate_model::Purl;
///
/// let purl = Purl::parse("pkg:npm/@babel/core@7.0.0").unwrap();
/// assert_eq!((purl.namespace.as_str(), purl.name.as_str()), ("@babel", "core"));
/// assert_eq!(purl.to_string(), "pkg:npm/%40babel/core@7.0.0");
///
/// let gem = Purl::new("gem", "nokogiri", "1.18.3").with_qualifier("platform", "x86_64-linux");
/// assert_eq!(gem.to_string(), "pkg:gem/nokogiri@1.18.3?platform=x86_64-linux");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purl {
    /// Type in lower case: `npm`, `deb`.
    pub kind: String,
    /// Namespace, its segments separated by `/`; empty for a package without one.
    pub namespace: String,
    /// Name, without the namespace.
    pub name: String,
    /// Version; empty for a package URL of all versions.
    pub version: String,
    /// Qualifiers with their keys in lower case: in the order of the text that was read, or sorted
    /// by their keys when added by [`Purl::with_qualifier`].
    pub qualifiers: Vec<(String, String)>,
    /// Path within the package; empty for the whole package.
    pub subpath: String,
}

impl Purl {
    /// A package URL without qualifiers and subpath. `name` may have a namespace before its last
    /// `/` (`@scope/name`, `github.com/a/b`); an empty `version` is left out.
    #[must_use]
    pub fn new(kind: &str, name: &str, version: &str) -> Self {
        let (namespace, name) = name.rsplit_once('/').unwrap_or(("", name));
        Self {
            kind: kind.to_ascii_lowercase(),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            version: version.to_owned(),
            qualifiers: Vec::new(),
            subpath: String::new(),
        }
    }

    /// Adds a qualifier, in the order of the keys, which is the specification's. A qualifier with
    /// an empty value is the same as none and is left out.
    #[must_use]
    pub fn with_qualifier(mut self, key: &str, value: &str) -> Self {
        if !value.is_empty() {
            let key = key.to_ascii_lowercase();
            let index = self.qualifiers.partition_point(|(known, _)| *known < key);
            self.qualifiers.insert(index, (key, value.to_owned()));
        }

        self
    }

    /// Reads a package URL as "How to parse a purl string" of the specification says. It also
    /// accepts a namespace with an `@` that is not encoded (`pkg:npm/@scope/name@1`), which many
    /// tools write, and escapes that are not complete, which stay as they are.
    ///
    /// `None` for a text that is not a package URL: one without the scheme, a type or a name.
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
            namespace: decode_segments(namespace),
            name,
            version: decode(version),
            qualifiers: qualifiers.split('&').filter_map(qualifier).collect(),
            subpath: decode_segments(subpath),
        })
    }

    /// Namespace and name, separated by `/`: the name of the package in most ecosystems.
    #[must_use]
    pub fn full_name(&self) -> String {
        match self.namespace.as_str() {
            "" => self.name.clone(),
            namespace => format!("{namespace}/{}", self.name),
        }
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

impl fmt::Display for Purl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pkg:{}", self.kind)?;
        for segment in segments(&self.namespace) {
            write!(f, "/{}", encode(segment))?;
        }
        if !self.name.is_empty() {
            write!(f, "/{}", encode(&self.name))?;
        }
        if !self.version.is_empty() {
            write!(f, "@{}", encode(&self.version))?;
        }

        for (index, (key, value)) in self.qualifiers.iter().enumerate() {
            let separator = if index == 0 { '?' } else { '&' };
            write!(f, "{separator}{key}={}", encode(value))?;
        }
        for (index, segment) in segments(&self.subpath).enumerate() {
            let separator = if index == 0 { '#' } else { '/' };
            write!(f, "{separator}{}", encode(segment))?;
        }

        Ok(())
    }
}

/// The text of [`Purl::new`], written without the type in between: an inventory of a large
/// repository has tens of thousands of package URLs, and nearly all of them have this form.
#[must_use]
pub fn package_url(kind: &str, name: &str, version: &str) -> String {
    let mut purl = format!("pkg:{kind}");
    for segment in segments(name) {
        purl.push('/');
        purl.extend(encode(segment));
    }

    if !version.is_empty() {
        purl.push('@');
        purl.extend(encode(version));
    }

    purl
}

/// The package URL of a package that has an address and no registry: a generic package whose name
/// is the last segment of `name`.
///
/// `qualifier` is one that the specification defines: `download_url` for a file, or `vcs_url` for a
/// repository, whose address then begins with its tool and ends with the revision, as SPDX writes
/// it (`git+https://host/path@commit`).
#[must_use]
pub fn generic_package_url(qualifier: &str, address: &str, name: &str, version: &str) -> String {
    let last = segments(name).next_back().unwrap_or("package");
    Purl::new("generic", last, version)
        .with_qualifier(qualifier, address)
        .to_string()
}

fn encode(text: &str) -> percent_encoding::PercentEncode<'_> {
    utf8_percent_encode(text, ENCODED)
}

fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn segments(path: &str) -> impl DoubleEndedIterator<Item = &str> {
    path.split('/').filter(|segment| !segment.is_empty())
}

fn decode_segments(path: &str) -> String {
    let segments: Vec<String> = segments(path)
        .filter(|segment| !matches!(*segment, "." | ".."))
        .map(decode)
        .collect();
    segments.join("/")
}

fn is_type(kind: &str) -> bool {
    kind.bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_alphabetic())
        && kind
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'+'))
}

/// The path and the version. An `@` that begins a segment which more segments follow is part of a
/// namespace (`@scope/name`), because a version contains no plain `/`.
fn split_version(rest: &str) -> (&str, &str) {
    match rest.rsplit_once('@') {
        Some((path, version)) if !version.contains('/') && !path.is_empty() => (path, version),
        Some((path, version)) if !path.is_empty() && !path.ends_with('/') => (path, version),
        _ => (rest, ""),
    }
}

fn qualifier(pair: &str) -> Option<(String, String)> {
    let (key, value) = pair.split_once('=')?;
    (!key.is_empty() && !value.is_empty()).then(|| (key.to_ascii_lowercase(), decode(value)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Purl, generic_package_url, package_url};

    #[test]
    fn follows_the_specification() {
        assert_eq!(
            package_url("npm", "@babel/core", "7.0.0"),
            "pkg:npm/%40babel/core@7.0.0"
        );
        assert_eq!(
            package_url("cargo", "time", "0.1.0+build"),
            "pkg:cargo/time@0.1.0%2Bbuild"
        );
        assert_eq!(
            generic_package_url(
                "vcs_url",
                "git+https://a.invalid/b@1",
                "https://a.invalid/b",
                "1"
            ),
            "pkg:generic/b@1?vcs_url=git%2Bhttps:%2F%2Fa.invalid%2Fb%401"
        );
    }

    #[test]
    fn qualifiers_are_written_in_the_order_of_their_keys() {
        let purl = Purl::new("conan", "zlib", "1.3")
            .with_qualifier("user", "a+b")
            .with_qualifier("Channel", "stable")
            .with_qualifier("prev", "");
        assert_eq!(
            purl.to_string(),
            "pkg:conan/zlib@1.3?channel=stable&user=a%2Bb"
        );
    }

    fn parts(text: &str) -> Option<String> {
        let purl = Purl::parse(text)?;
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
    fn refuses_texts_that_are_not_package_urls() {
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

    /// A path of segments that the specification allows.
    fn path() -> impl Strategy<Value = String> {
        let segment = "[^/]{1,6}".prop_filter("a dot segment", |segment| {
            !matches!(segment.as_str(), "." | "..")
        });
        prop::collection::vec(segment, 0..3).prop_map(|segments| segments.join("/"))
    }

    proptest! {
        #[test]
        fn a_written_package_url_is_read_back(
            kind in "[a-z][a-z0-9.+-]{0,8}",
            namespace in path(),
            name in "[^/]{1,8}",
            version in "\\PC{0,8}",
            qualifiers in prop::collection::vec(("[a-z][a-z0-9._-]{0,6}", ".{1,8}"), 0..3),
            subpath in path(),
        ) {
            let purl = Purl { kind, namespace, name, version, qualifiers, subpath };
            prop_assert_eq!(Purl::parse(&purl.to_string()), Some(purl));
        }

        #[test]
        fn both_writers_agree(kind in "[a-z]{1,4}", name in ".{0,12}", version in ".{0,4}") {
            prop_assert_eq!(
                package_url(&kind, &name, &version),
                Purl::new(&kind, &name, &version).to_string()
            );
        }

        #[test]
        fn any_text_is_read_or_refused(text in "(pkg:)?.{0,40}") {
            if let Some(purl) = Purl::parse(&text) {
                prop_assert!(!purl.name.is_empty());
            }
        }
    }
}
