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

impl<'a> MatchSpec<'a> {
    /// Parses `channel::name=version=build`, `name version build` and `name>=version`.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let text = text.split(" #").next().unwrap_or(text).trim();
        let (channel, rest) = match text.rsplit_once("::") {
            Some((channel, rest)) => (Some(channel), rest),
            None => (None, text),
        };

        // Conditions in brackets say more than the version, so they replace it.
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
                Some((versions, build)) if !versions.ends_with(['=', '>', '<', ',', '|']) => {
                    (versions, Some(build))
                }
                _ => (rest, None),
            },
        };

        Some(Self {
            name,
            versions: if conditions.is_empty() {
                versions
            } else {
                conditions
            },
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
        ] {
            let spec = MatchSpec::parse(text).unwrap();
            assert_eq!((spec.name, spec.exact_version()), (name, version), "{text}");
        }

        assert_eq!(MatchSpec::parse(">=1.0"), None);
        assert_eq!(MatchSpec::parse(""), None);
    }
}
