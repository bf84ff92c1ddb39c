//! The kinds of requirements in a requirements file: a project, an archive, a repository or a
//! directory.

use crate::pypi::address::{archive, archive_version, egg, repository};
use crate::pypi::requirement::Requirement;

/// The target of a requirement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::pypi) enum RequirementTarget<'a> {
    /// A project from an index.
    Index(Requirement<'a>),
    /// An archive with the version in its file name.
    Archive {
        name: &'a str,
        version: &'a str,
        url: &'a str,
    },
    /// A repository, or an archive without a version in its file name.
    Address { name: Option<&'a str>, url: &'a str },
    /// A directory, usually of the same repository.
    Directory {
        name: Option<&'a str>,
        path: &'a str,
    },
}

impl<'a> RequirementTarget<'a> {
    /// Parses a requirement; `None` for a text that pip would refuse.
    pub(in crate::pypi) fn parse(text: &'a str) -> Option<Self> {
        let text = text.trim();
        if let Some(requirement) = Requirement::parse(text)
            && (requirement.url.is_some() || archive(text).is_none())
        {
            return Some(match requirement.url {
                None => Self::Index(requirement),
                Some(url) => Self::at(url, Some(requirement.name)),
            });
        }

        // A path or an address, perhaps followed by a marker.
        let target = text.split(" ;").next().unwrap_or(text).trim();
        let is_address = target.contains("://") || target.starts_with("file:");
        let is_path = target.starts_with(['.', '/', '~', '$'])
            || target.contains(['/', '\\'])
            || archive(target).is_some();
        (!target.contains(char::is_whitespace) && (is_address || is_path))
            .then(|| Self::at(target, None))
    }

    /// Classifies an address or a path.
    fn at(target: &'a str, name: Option<&'a str>) -> Self {
        let name = name.or_else(|| egg(target));
        if repository(target).is_some() {
            return Self::Address { name, url: target };
        }

        let stated = match name {
            Some(name) => archive_version(target, name).map(|version| (name, version)),
            None => archive(target),
        };
        if let Some((name, version)) = stated {
            return Self::Archive {
                name,
                version,
                url: target,
            };
        }

        let is_remote = target.contains("://") && !target.starts_with("file:");
        let path = target.split('#').next().unwrap_or(target);
        let is_file = [".whl", ".zip", ".gz", ".bz2", ".xz", ".tgz"]
            .iter()
            .any(|end| path.ends_with(end));
        // pip replaces a variable with any text, such as a requirement.
        if is_remote || is_file || path.starts_with('$') {
            return Self::Address { name, url: target };
        }

        Self::Directory { name, path }
    }

    /// The name of the required project; `None` if the requirement does not contain it.
    pub(in crate::pypi) fn name(&self) -> Option<&'a str> {
        match self {
            Self::Index(requirement) => Some(requirement.name),
            Self::Archive { name, .. } => Some(name),
            Self::Address { name, .. } | Self::Directory { name, .. } => *name,
        }
    }

    /// The required versions, address or path.
    pub(in crate::pypi) fn requirement(&self) -> &'a str {
        match self {
            Self::Index(requirement) => requirement.specifier,
            Self::Archive { url, .. } | Self::Address { url, .. } => url,
            Self::Directory { path, .. } => path,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RequirementTarget;

    #[test]
    fn targets_are_classified() {
        let kind = |text| match RequirementTarget::parse(text) {
            Some(RequirementTarget::Index(_)) => "index",
            Some(RequirementTarget::Archive { .. }) => "archive",
            Some(RequirementTarget::Address { .. }) => "address",
            Some(RequirementTarget::Directory { .. }) => "directory",
            None => "nothing",
        };

        for (text, expected) in [
            ("flask", "index"),
            ("flask[async]==2.0; python_version < '3'", "index"),
            ("./lib", "directory"),
            (".", "directory"),
            ("a @ file:///src/a", "directory"),
            ("lib/core", "directory"),
            ("a-1.0-py3-none-any.whl", "archive"),
            ("./wheels/a-1.0.tar.gz", "archive"),
            ("https://h.invalid/a-1.0.zip#sha256=00", "archive"),
            ("b @ https://h.invalid/a-1.0.zip", "address"),
            ("https://h.invalid/main.zip", "address"),
            ("git+https://h.invalid/a.git@v1.0#egg=a", "address"),
            ("a @ git+ssh://git@h.invalid/a.git", "address"),
            ("This file lists what we need", "nothing"),
            ("==1.0", "nothing"),
        ] {
            assert_eq!(kind(text), expected, "{text}");
        }
    }
}
