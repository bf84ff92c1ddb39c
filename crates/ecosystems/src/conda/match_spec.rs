//! Parser of a conda requirement, called a match specification
//! (<https://docs.conda.io/projects/conda-build/en/stable/resources/package-spec.html#package-match-specifications>).

/// The parts of a requirement, as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MatchSpec<'a> {
    /// Name of the package.
    pub(super) name: &'a str,
    /// Accepted versions; empty for any.
    pub(super) versions: &'a str,
    /// The channel, written before `::`.
    pub(super) channel: Option<&'a str>,
    /// The build string, written after the version.
    build: Option<&'a str>,
}

/// Characters of comparisons, which no build string begins with.
const COMPARES: [char; 7] = ['=', '>', '<', '!', '~', ',', '|'];

/// Keys of conditions that only select among the builds of a version.
const OF_BUILDS: [&str; 7] = [
    "build",
    "build_number",
    "channel",
    "features",
    "subdir",
    "track_features",
    "license",
];

/// The versions that conditions in brackets state: `[version='>=1.2', build=*cpu*]`. `None` if they
/// are about builds only. Conditions that are not understood are returned whole, and are no
/// requirement.
fn condition(conditions: &str) -> Option<&str> {
    let inside = conditions.strip_prefix('[')?;
    let Some(inside) = inside.trim_end().strip_suffix(']') else {
        return Some(conditions);
    };

    let mut versions = None;
    let mut rest = inside.trim();
    while !rest.is_empty() {
        let Some((key, after)) = rest.split_once('=') else {
            return Some(conditions);
        };
        let after = after.trim_start();
        let quote = after.chars().next().filter(|c| matches!(c, '\'' | '"'));
        let split = match quote {
            Some(quote) => after.get(1..).and_then(|after| after.split_once(quote)),
            None => after.split_once(',').or(Some((after, ""))),
        };
        let Some((value, after)) = split else {
            return Some(conditions);
        };

        match key.trim() {
            "version" => versions = Some(value.trim()),
            key if OF_BUILDS.contains(&key) => {}
            _ => return Some(conditions),
        }
        rest = after.trim_start_matches([',', ' ']);
    }
    versions
}

impl<'a> MatchSpec<'a> {
    /// Parses `channel::name=version=build`, `name version build` and `name>=version`.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let text = text.split(" #").next().unwrap_or(text).trim();
        let (channel, rest) = match text.rsplit_once("::") {
            Some((channel, rest)) => (Some(channel), rest),
            None => (None, text),
        };

        let (rest, conditions) = match rest.find('[') {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        let end = rest
            .find(|character: char| {
                !character.is_ascii_alphanumeric() && !matches!(character, '-' | '_' | '.')
            })
            .unwrap_or(rest.len());
        let (name, rest) = rest.split_at(end);
        let is_name = name
            .starts_with(|character: char| character.is_ascii_alphanumeric() || character == '_');
        if !is_name {
            return None;
        }

        let rest = rest.trim();
        let single = rest.strip_prefix('=').filter(|rest| !rest.starts_with('='));
        let (versions, build) = match single {
            Some(version) => match version.trim().split_once(['=', ' ']) {
                // The version keeps its leading `=`.
                Some((version, build)) => (rest.get(..=version.len())?, Some(build)),
                None => (rest, None),
            },
            None => match rest.split_once(' ') {
                Some((versions, build))
                    if !versions.ends_with(COMPARES) && !build.trim().starts_with(COMPARES) =>
                {
                    (versions, Some(build))
                }
                _ => (rest, None),
            },
        };

        Some(Self {
            name,
            versions: condition(conditions).unwrap_or(versions),
            channel,
            build: build.map(str::trim).filter(|build| !build.is_empty()),
        })
    }

    /// The only accepted version, if the requirement states one: `==1.2.3`, `1.2.3`, and
    /// `=1.2.3=build` as written by `conda env export`.
    ///
    /// `=1.2` without a build is a prefix that admits `1.2.7`. By the same rule `=1.2.3` is a
    /// prefix too, but releases with a fourth number are rare and users mean the exact release.
    pub(super) fn exact_version(&self) -> Option<&'a str> {
        let version = match self.versions.strip_prefix("==") {
            Some(version) => version.trim(),
            None => match self.versions.strip_prefix('=') {
                Some(version) if self.build.is_some() || version.split('.').count() >= 3 => version,
                Some(_) => return None,
                None => self.versions,
            },
        };
        let is_plain = !version.is_empty()
            && version
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b".-_+!".contains(&byte))
            && version.starts_with(|character: char| character.is_ascii_alphanumeric());

        is_plain.then_some(version)
    }
}

#[cfg(test)]
mod tests {
    use super::MatchSpec;

    #[test]
    fn only_an_exact_pin_is_a_version() {
        for (text, name, version) in [
            ("numpy==1.26.4", "numpy", Some("1.26.4")),
            ("numpy=1.26.4", "numpy", Some("1.26.4")),
            ("numpy =1.26.4", "numpy", Some("1.26.4")),
            ("openssl=3.2=hd590300_1", "openssl", Some("3.2")),
            (
                "conda-forge::zlib=1.2.13=h166bdaf_4",
                "zlib",
                Some("1.2.13"),
            ),
            ("zlib 1.2.13 h166bdaf_4", "zlib", Some("1.2.13")),
            ("_libgcc_mutex=0.1=main", "_libgcc_mutex", Some("0.1")),
            ("python=3.11", "python", None),
            ("python 3.11.*", "python", None),
            ("python>=3.11", "python", None),
            ("python >=3.11,<4", "python", None),
            ("python=3.11.*", "python", None),
            ("python==3.11|==3.12", "python", None),
            ("pip", "pip", None),
            ("a[version='>=1']", "a", None),
            ("a[version='==1.2', build=*cpu*]", "a", Some("1.2")),
            ("a==1.2[build='x']", "a", Some("1.2")),
            ("a==1.2[url='x']", "a", None),
        ] {
            let spec = MatchSpec::parse(text).unwrap();
            assert_eq!((spec.name, spec.exact_version()), (name, version), "{text}");
        }

        for (text, versions) in [
            ("a[version='>=1,<2', channel=x]", ">=1,<2"),
            ("a[version=\">=1\"]", ">=1"),
            ("a >=1[build=x]", ">=1"),
            ("a[md5=00]", "[md5=00]"),
            ("a[version='1", "[version='1"),
            ("a >=1 ,<2", ">=1 ,<2"),
            ("a 1.2.* py36*", "1.2.*"),
            ("a ==1.2 h0_0", "==1.2"),
        ] {
            assert_eq!(MatchSpec::parse(text).unwrap().versions, versions, "{text}");
        }

        assert_eq!(MatchSpec::parse(">=1.0"), None);
        assert_eq!(MatchSpec::parse(""), None);
    }
}
