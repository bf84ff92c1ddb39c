//! A repository's name on its forge.

use std::fmt;
use std::str::FromStr;

/// Name of a repository on GitHub: `owner/name`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RepositoryName {
    owner: String,
    name: String,
}

/// A text that is not the name of a repository.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a repository of the form `owner/name`")]
pub struct RepositoryNameError(String);

impl RepositoryName {
    /// The account or organisation.
    #[must_use]
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// The repository's own name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl FromStr for RepositoryName {
    type Err = RepositoryNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || RepositoryNameError(text.to_owned());
        let (owner, name) = text.split_once('/').ok_or_else(error)?;

        // The characters that GitHub allows. None of them has a meaning in a path.
        let is_part = |part: &str| {
            !part.is_empty()
                && part.len() <= 100
                && part != "."
                && part != ".."
                && part
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
        };

        if is_part(owner) && is_part(name) {
            Ok(Self {
                owner: owner.to_owned(),
                name: name.to_owned(),
            })
        } else {
            Err(error())
        }
    }
}

impl fmt::Display for RepositoryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.owner, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::RepositoryName;

    #[test]
    fn takes_owner_and_name_and_nothing_that_could_lead_elsewhere() {
        let name: RepositoryName = "octo-org/hello.world".parse().unwrap();
        assert_eq!((name.owner(), name.name()), ("octo-org", "hello.world"));

        for bad in [
            "", "a", "a/", "/b", "a/b/c", "a/..", "a/b?c", "a b/c", "a/%2e",
        ] {
            let error = bad.parse::<RepositoryName>().unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("`{bad}` is not a repository of the form `owner/name`")
            );
        }
    }
}
