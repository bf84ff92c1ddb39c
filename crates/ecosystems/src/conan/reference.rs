//! References to recipes and packages
//! (<https://docs.conan.io/2/tutorial/versioning/revisions.html>):
//! `name/version@user/channel#recipe_revision:package_id#package_revision%timestamp`. Everything
//! after the version is optional.

use patchgate_model::{Package, Purl};

use crate::ParseError;

/// The parts of a reference that identify a package. Package ID, package revision and timestamp are
/// dropped.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Reference<'a> {
    /// Name of the recipe.
    pub(super) name: &'a str,
    /// Version, or a range in brackets.
    pub(super) version: &'a str,
    /// User and channel; empty if the reference has none.
    user: &'a str,
    channel: &'a str,
    /// Hash of the recipe; empty if the reference has none.
    revision: &'a str,
}

impl<'a> Reference<'a> {
    /// Parses a reference; `None` if the text is not one.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let (text, _) = text.split_once('%').unwrap_or((text, ""));
        let (recipe, revisions) = text.split_once('#').unwrap_or((text, ""));
        let (revision, _) = revisions.split_once(':').unwrap_or((revisions, ""));
        let (recipe, _) = recipe.split_once(':').unwrap_or((recipe, ""));
        let (name_version, owner) = recipe.split_once('@').unwrap_or((recipe, ""));
        let (user, channel) = owner.split_once('/').unwrap_or((owner, ""));
        let (name, version) = name_version.split_once('/')?;
        let is_range = version.starts_with('[') && version.ends_with(']');
        let known = is_word(name)
            && (is_range || is_word(version))
            && [user, channel, revision]
                .iter()
                .all(|part| part.is_empty() || is_word(part));
        let owned = |part: &'a str| if part == "_" { "" } else { part };

        known.then_some(Self {
            name,
            version,
            user: owned(user),
            channel: owned(channel),
            revision,
        })
    }

    /// Whether the version is a range.
    pub(super) fn is_range(&self) -> bool {
        self.version.starts_with('[')
    }

    /// The package that the reference identifies.
    pub(super) fn package(&self, line: u32) -> Package {
        // Conan 1 writes `0` if revisions are disabled.
        let has_hash = !matches!(self.revision, "" | "0");
        Package {
            line,
            integrity: has_hash.then(|| self.revision.to_owned()),
            purl: self.purl(),
            ..Package::new(super::NAME, self.name.to_owned(), self.version.to_owned())
        }
    }

    /// The package URL, if it contains more than name and version.
    fn purl(&self) -> Option<String> {
        if self.user.is_empty() {
            return None;
        }

        let purl = Purl::new("conan", self.name, self.version)
            .with_qualifier("channel", self.channel)
            .with_qualifier("user", self.user);
        Some(purl.to_string())
    }
}

/// Parses a reference in a lockfile.
pub(super) fn parse_reference(text: &str, line: u32) -> Result<Reference<'_>, ParseError> {
    Reference::parse(text).ok_or_else(|| {
        let short: String = text.chars().take(60).collect();
        ParseError::new(format!("has `{short}` where a reference is expected"))
            .at_line(line as usize)
    })
}

/// Whether a text consists of the characters of names, versions, users and channels
/// (<https://docs.conan.io/2/reference/conanfile/attributes.html#name>). Conan 1 also allows
/// capitals.
pub(super) fn is_word(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'+' | b'.' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_parts_but_the_version_may_be_missing() {
        let full = "zlib/1.2.11@owner/stable#aa11:bb22#cc33%1700000000.5";
        let read = Reference::parse(full).unwrap();

        assert_eq!(
            (
                read.name,
                read.version,
                read.user,
                read.channel,
                read.revision
            ),
            ("zlib", "1.2.11", "owner", "stable", "aa11")
        );
        for text in [
            "zlib/1.2.11",
            "zlib/1.2.11@",
            "zlib/1.2.11@_/_",
            "zlib/1.2.11:bb22",
        ] {
            let read = Reference::parse(text).unwrap();
            assert_eq!((read.user, read.revision), ("", ""), "{text}");
            assert_eq!(read.version, "1.2.11", "{text}");
        }

        assert!(Reference::parse("zlib/[>=1.2 <2]").unwrap().is_range());
    }

    #[test]
    fn what_is_no_reference_is_refused() {
        for text in [
            "",
            "zlib",
            "/1",
            "zlib/",
            "a b/1",
            "zlib/1/2",
            "zlib/1@a/b/c",
            "zlib/[1",
        ] {
            assert_eq!(Reference::parse(text), None, "{text}");
        }
    }

    #[test]
    fn user_and_channel_are_in_the_package_url() {
        let package = Reference::parse("zlib/1.2.11@owner/test+ing")
            .unwrap()
            .package(1);
        assert_eq!(
            package.purl.as_deref(),
            Some("pkg:conan/zlib@1.2.11?channel=test%2Bing&user=owner")
        );
    }
}
