//! Addresses of repositories and archives: their parts, and removal of credentials.

pub(crate) use patchgate_model::without_credentials;
use patchgate_model::{CommitId, Origin};

use super::name::{is_name, normalize};
use super::version::is_standard;

/// The parts of an address of a repository: `git+https://host/path@revision#fragment`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Repository<'a> {
    /// The address without the prefix of the version control system, revision and fragment.
    pub(super) url: &'a str,
    /// The revision; `None` if the address has none.
    pub(super) revision: Option<&'a str>,
}

/// Splits the address of a repository; `None` for one without the prefix of a version control
/// system.
pub(super) fn repository(address: &str) -> Option<Repository<'_>> {
    let rest = ["git+", "hg+", "svn+", "bzr+"]
        .iter()
        .find_map(|prefix| address.strip_prefix(prefix))?;
    let rest = rest.split('#').next().unwrap_or(rest);

    // An `@` before the path separates the user from the host.
    let host = rest.find("://").map_or(0, |index| index + 3);
    let path = host + rest.get(host..)?.find('/').unwrap_or(0);
    let separator = rest.get(path..)?.rfind('@').map(|index| index + path);

    Some(match separator {
        Some(separator) => Repository {
            url: rest.get(..separator)?,
            revision: rest.get(separator + 1..),
        },
        None => Repository {
            url: rest,
            revision: None,
        },
    })
}

/// A Git origin. Only a revision that is a full hash is used as the commit.
pub(super) fn git(url: &str, revision: Option<&str>) -> Origin {
    Origin::Git {
        url: without_credentials(url).into_owned(),
        commit: revision.and_then(CommitId::parse).map(Into::into),
    }
}

/// The project name after `egg=` in the fragment of an address, without extras.
pub(super) fn egg(address: &str) -> Option<&str> {
    let (_, fragment) = address.split_once('#')?;
    let egg = fragment
        .split('&')
        .find_map(|part| part.strip_prefix("egg="))?;
    let name = egg.split('[').next().unwrap_or(egg);
    is_name(name).then_some(name)
}

/// Name and version in the file name of an archive
/// (<https://packaging.python.org/en/latest/specifications/binary-distribution-format/>). `None` if
/// it is not an archive, or its version is not a standard one.
pub(super) fn archive(address: &str) -> Option<(&str, &str)> {
    let path = address.split(['#', '?']).next().unwrap_or(address);
    let file = path.rsplit(['/', '\\']).next().unwrap_or(path);
    let (name, version) = if let Some(wheel) = file.strip_suffix(".whl") {
        let mut parts = wheel.split('-');
        (parts.next()?, parts.next()?)
    } else {
        let stem = [".tar.gz", ".zip", ".tar.bz2", ".tar.xz", ".tgz"]
            .iter()
            .find_map(|end| file.strip_suffix(end))?;
        stem.rsplit_once('-')?
    };

    (is_name(name) && is_standard(version)).then_some((name, version))
}

/// Whether a path is a directory of the repository, not an archive.
pub(super) fn is_folder(path: &str) -> bool {
    archive(path).is_none()
}

/// The version in the file name of an archive; `None` if the archive is of another project.
pub(super) fn archive_version<'a>(address: &'a str, name: &str) -> Option<&'a str> {
    archive(address)
        .filter(|(of, _)| normalize(of) == normalize(name))
        .map(|(_, version)| version)
}

/// Resolves a path that is relative to the directory of the file `base`. The result is relative to
/// the repository's root; `None` outside the repository.
pub(crate) fn path_from(base: &str, path: &str) -> Option<String> {
    if path.starts_with('/') || path.contains("://") {
        return None;
    }

    let mut parts: Vec<&str> = base.split('/').collect();
    parts.pop();
    for part in path.split(['/', '\\']) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }

    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repositories_are_split() {
        let parts = |address| repository(address).map(|parts| (parts.url, parts.revision));
        assert_eq!(
            parts("git+https://u@h.invalid/a/b.git@feature/x#egg=b"),
            Some(("https://u@h.invalid/a/b.git", Some("feature/x")))
        );
        assert_eq!(
            parts("git+ssh://git@h.invalid/a.git"),
            Some(("ssh://git@h.invalid/a.git", None))
        );
        assert_eq!(parts("https://h.invalid/a.git"), None);
        assert_eq!(
            egg("git+https://h.invalid/a#subdirectory=x&egg=b[c]"),
            Some("b")
        );
    }

    #[test]
    fn archives_state_versions() {
        for (address, expected) in [
            (
                "https://h.invalid/a_b-1.0-py3-none-any.whl#sha256=x",
                Some(("a_b", "1.0")),
            ),
            ("./a-b-1.0.post1.tar.gz", Some(("a-b", "1.0.post1"))),
            ("https://h.invalid/archive/main.zip", None),
            ("a-b.zip", None),
        ] {
            assert_eq!(archive(address), expected, "{address}");
        }

        assert_eq!(archive_version("x/A.b-1.0.zip", "a_b"), Some("1.0"));
        assert_eq!(archive_version("x/c-1.0.zip", "a_b"), None);
    }

    #[test]
    fn paths_stay_in_the_repository() {
        assert_eq!(path_from("a/b.txt", "../c.txt").as_deref(), Some("c.txt"));
        assert_eq!(path_from("a/b.txt", "./c.txt").as_deref(), Some("a/c.txt"));
        assert_eq!(path_from("b.txt", "../c.txt"), None);
        assert_eq!(path_from("b.txt", "/c.txt"), None);
    }
}
