//! A project's path on its forge.

use std::fmt;
use std::str::FromStr;

/// Most parts of a path: GitLab allows 20 levels of groups
/// (<https://docs.gitlab.com/user/group/subgroups/>).
const MAX_PARTS: usize = 20;

/// Path of a project: `owner/name` on GitHub and Gitea, `group/subgroup/name` on GitLab.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ProjectPath {
    path: String,
    /// Byte index of the last `/`.
    split: usize,
}

/// A text that is not the path of a project.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a repository of the form `owner/name` or `group/subgroup/name`")]
pub struct ProjectPathError(String);

impl ProjectPath {
    /// The account, organisation or group, with all groups above it.
    #[must_use]
    pub fn owner(&self) -> &str {
        self.path.get(..self.split).unwrap_or_default()
    }

    /// The project's own name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.path.get(self.split + 1..).unwrap_or_default()
    }

    /// The whole path.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.path
    }

    /// Whether the path is `owner/name`, without further groups.
    #[must_use]
    pub fn is_flat(&self) -> bool {
        !self.owner().contains('/')
    }
}

impl FromStr for ProjectPath {
    type Err = ProjectPathError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || ProjectPathError(text.to_owned());
        let split = text.rfind('/').ok_or_else(error)?;

        // The characters that all forges allow. None of them has a meaning in a path.
        let is_part = |part: &str| {
            !part.is_empty()
                && part.len() <= 255
                && part != "."
                && part != ".."
                && part
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
        };

        if text.split('/').count() <= MAX_PARTS && text.split('/').all(is_part) {
            Ok(Self {
                path: text.to_owned(),
                split,
            })
        } else {
            Err(error())
        }
    }
}

impl fmt::Display for ProjectPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::ProjectPath;

    #[test]
    fn takes_groups_of_any_depth_and_nothing_that_could_lead_elsewhere() {
        let path: ProjectPath = "octo-org/hello.world".parse().unwrap();
        assert_eq!((path.owner(), path.name()), ("octo-org", "hello.world"));
        assert!(path.is_flat());

        let path: ProjectPath = "a/b/c/d".parse().unwrap();
        assert_eq!((path.owner(), path.name()), ("a/b/c", "d"));
        assert!(!path.is_flat());
        assert!(
            "a/".repeat(19)
                .trim_end_matches('/')
                .parse::<ProjectPath>()
                .is_ok()
        );

        let deep = vec!["a"; 21].join("/");
        for bad in [
            "", "a", "a/", "/b", "a//c", "a/..", "a/b?c", "a b/c", "a/%2e", "a/b/../c", &deep,
        ] {
            let error = bad.parse::<ProjectPath>().unwrap_err();
            assert!(error.to_string().starts_with(&format!("`{bad}` is not")));
        }
    }
}
