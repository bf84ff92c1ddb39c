//! Git sources: the key of a repository, and queries for commits.

use std::collections::BTreeSet;

use patchgate_model::{CommitId, EcosystemName, Inventory, Origin};

/// Ecosystem of the records that name repositories instead of packages, in OSV's exports and in the
/// store.
pub(crate) const ECOSYSTEM: EcosystemName = EcosystemName::new("GIT");

/// A query for the records that affect a commit of a repository.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CommitQuery {
    /// The repository, as [`repository_key`] writes it; empty if it is unknown.
    pub repository: String,
    /// The full hash of the commit, in lower case.
    pub commit: String,
}

impl CommitQuery {
    /// The query for a git source with a commit; `None` for other sources.
    #[must_use]
    pub fn of(origin: &Origin) -> Option<Self> {
        match origin {
            Origin::Git {
                url,
                commit: Some(commit),
            } => Self::new(url, commit),
            _ => None,
        }
    }

    /// The query for a commit of the repository at an address; `None` unless the commit is a full
    /// hash.
    #[must_use]
    pub fn new(url: &str, commit: &str) -> Option<Self> {
        CommitId::parse(commit).map(|commit| Self {
            repository: repository_key(url),
            commit: commit.to_lower_case().into(),
        })
    }
}

/// The queries for the git sources of an inventory, sorted and without duplicates.
#[must_use]
pub fn commit_queries(inventory: &Inventory) -> Vec<CommitQuery> {
    let packages = inventory.lockfiles.iter().flat_map(|file| &file.packages);
    let unique: BTreeSet<CommitQuery> = packages
        .filter_map(|package| CommitQuery::of(&package.origin))
        .collect();
    unique.into_iter().collect()
}

/// The address of a repository in the form in which it is compared: host and path in lower case,
/// without scheme, user, query, `.git` and trailing slashes. Files write the same repository in many
/// forms (`git+https://…`, `ssh://git@…`, `git@host:path`), and forges ignore case.
///
/// ```
/// use patchgate_advisories::repository_key;
///
/// assert_eq!(repository_key("git@Host.invalid:a/b.git"), "host.invalid/a/b");
/// assert_eq!(repository_key("https://host.invalid/a/b/"), "host.invalid/a/b");
/// ```
#[must_use]
pub fn repository_key(url: &str) -> String {
    let bare = url.split(['?', '#']).next().unwrap_or_default();
    let (_, behind) = bare.split_once("://").unwrap_or(("", bare));
    let end = behind.find('/').unwrap_or(behind.len());
    let (host, path) = behind.split_at(end);
    let host = host.rsplit('@').next().unwrap_or_default();

    // `git@host:path` has its path behind a colon; a port is a number.
    let host = match host.split_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host.to_owned(),
        Some((host, path)) => format!("{host}/{path}"),
        None => host.to_owned(),
    };
    let path = path.trim_end_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    let whole = format!("{host}{path}");
    let whole = whole.strip_suffix(".git").unwrap_or(&whole);

    whole.trim_end_matches('/').to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::{CommitQuery, repository_key};

    #[test]
    fn one_repository_has_one_key() {
        for url in [
            "https://host.invalid/Owner/Name",
            "https://host.invalid/owner/name.git",
            "https://user:secret@host.invalid/owner/name/",
            "git+https://host.invalid/owner/name.git?branch=main#0123",
            "git+ssh://git@host.invalid/owner/name.git",
            "ssh://git@host.invalid:22/owner/name",
            "git@host.invalid:owner/name.git",
            "git://host.invalid/owner/name.git/",
        ] {
            assert_eq!(repository_key(url), "host.invalid/owner/name", "{url}");
        }

        assert_ne!(
            repository_key("https://host.invalid/owner/name"),
            repository_key("https://host.invalid/owner/name2")
        );
        for odd in ["", "://", "@", ":", "/", "https://"] {
            assert!(repository_key(odd).len() <= odd.len());
        }
    }

    #[test]
    fn a_commit_is_a_whole_hash() {
        let is_commit =
            |text: &str| CommitQuery::new("https://host.invalid/owner/name", text).is_some();
        assert!(is_commit(&"a1".repeat(20)));
        assert!(is_commit(&"A1".repeat(32)));
        for text in ["", "main", "v1.2.3", "a1b2c3d"] {
            assert!(!is_commit(text));
        }
        assert!(!is_commit(&"g1".repeat(20)));
    }
}
