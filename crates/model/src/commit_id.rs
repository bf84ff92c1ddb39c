//! Ids of git commits.

use std::fmt;

/// The full id of a git commit: 40 hexadecimal digits (SHA-1), or 64 in a repository whose object
/// format is SHA-256
/// (<https://git-scm.com/docs/hash-function-transition>).
///
/// An abbreviated id is not a `CommitId`, because it can come to name another commit. Neither is a
/// branch or a tag.
///
/// ```
/// use patchgate_model::CommitId;
///
/// let id = "0123456789abcdef0123456789abcdef01234567";
/// assert_eq!(CommitId::parse(id).unwrap().as_str(), id);
/// assert_eq!(CommitId::parse("0123456"), None);
/// assert_eq!(CommitId::parse("v1.0.0"), None);
/// ```
///
/// # Which form a reader accepts
///
/// | reader | accepts |
/// | --- | --- |
/// | OSV's queries, `pip`, opam | [`CommitId::parse`] |
/// | GitHub Actions, pre-commit, Julia | of these only [`CommitId::is_sha1`]: their hosts have no SHA-256 repositories |
/// | git's own output and protocol | of these only [`CommitId::is_lower_case`], as git writes an id |
///
/// npm's lockfiles are not read with this type: there, any 40 or more digits pin a commit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommitId(String);

impl CommitId {
    /// Digits of a SHA-1 id.
    const SHA1: usize = 40;
    /// Digits of a SHA-256 id.
    const SHA256: usize = 64;

    /// Reads an id of either length, with digits of either case; the case is kept. `None` for any
    /// other text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_id = matches!(text.len(), Self::SHA1 | Self::SHA256)
            && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_id.then(|| Self(text.to_owned()))
    }

    /// The id as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the id is of a repository whose object format is SHA-1.
    #[must_use]
    pub fn is_sha1(&self) -> bool {
        self.0.len() == Self::SHA1
    }

    /// Whether the id has no digit in upper case.
    #[must_use]
    pub fn is_lower_case(&self) -> bool {
        !self.0.bytes().any(|byte| byte.is_ascii_uppercase())
    }

    /// The id with all digits in lower case, as git writes it.
    #[must_use]
    pub fn to_lower_case(&self) -> Self {
        Self(self.0.to_ascii_lowercase())
    }
}

impl From<CommitId> for String {
    fn from(id: CommitId) -> Self {
        id.0
    }
}

impl fmt::Display for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::CommitId;

    #[test]
    fn a_full_id_of_either_object_format_is_read() {
        let sha1 = CommitId::parse(&"a1".repeat(20)).unwrap();
        let sha256 = CommitId::parse(&"A1".repeat(32)).unwrap();

        assert!(sha1.is_sha1() && sha1.is_lower_case());
        assert!(!sha256.is_sha1() && !sha256.is_lower_case());
        assert_eq!(sha256.to_lower_case().as_str(), "a1".repeat(32));
    }

    #[test]
    fn no_other_text_is_an_id() {
        for text in [
            String::new(),
            "main".to_owned(),
            "a1".repeat(19),
            "a1".repeat(21),
            "g1".repeat(20),
            format!(" {}", "a1".repeat(20)),
            "ä1".repeat(20),
        ] {
            assert_eq!(CommitId::parse(&text), None, "{text}");
        }
    }
}
