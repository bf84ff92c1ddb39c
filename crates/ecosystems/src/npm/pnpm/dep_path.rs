//! pnpm's dependency paths: the keys of packages, and the lookup of the package that a dependency's
//! version refers to.

use patchgate_model::{FormatId, PackageIndex};

use crate::fast_hash::FastHashMap;
use crate::npm::tree::split_spec;

/// The generations of the format, which differ in the form of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Generation {
    /// pnpm 3 to 7: `/name/1.0.0_peer@2.0.0`
    Five,
    /// pnpm 8: `/name@1.0.0(peer@2.0.0)`
    Six,
    /// pnpm 9 and later: `name@1.0.0(peer@2.0.0)`
    Nine,
}

impl Generation {
    /// The generation of a `lockfileVersion` such as `5.4`, `6.0` or `5.4-inlineSpecifiers`; `None`
    /// for an unsupported one.
    pub(super) fn of(version: &str) -> Option<Self> {
        let major = version.split('.').next().unwrap_or(version);
        match major {
            "5" => Some(Self::Five),
            "6" => Some(Self::Six),
            "9" => Some(Self::Nine),
            _ => None,
        }
    }

    /// The path of a registry's package without peers.
    pub(super) fn path(self, name: &str, version: &str) -> String {
        match self {
            Self::Five => format!("/{name}/{version}"),
            Self::Six => format!("/{name}@{version}"),
            Self::Nine => format!("{name}@{version}"),
        }
    }

    /// The text by which a dependent refers to a path: the part after the name that it uses, else the
    /// whole path.
    pub(super) fn reference<'p>(self, path: &'p str, name: &str) -> &'p str {
        path.strip_prefix(&*self.path(name, "")).unwrap_or(path)
    }

    /// The name of the format.
    pub(super) fn format(self) -> FormatId {
        match self {
            Self::Five => FormatId::new("pnpm-lock-v5"),
            Self::Six => FormatId::new("pnpm-lock-v6"),
            Self::Nine => FormatId::new("pnpm-lock-v9"),
        }
    }
}

/// A path without its peers.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct DepPath<'p> {
    /// The name; `None` for a package whose path is an address only.
    pub(super) name: Option<&'p str>,
    /// The version or address after the name.
    pub(super) reference: &'p str,
}

/// Splits a path into its name and its reference.
pub(super) fn dep_path(path: &str, generation: Generation) -> DepPath<'_> {
    let path = without_peers(path, generation);
    let unnamed = DepPath {
        name: None,
        reference: path,
    };
    if generation == Generation::Nine {
        return named(split_spec(path)).unwrap_or(unnamed);
    }
    if path.starts_with("file:") {
        return unnamed;
    }
    // The part before the first slash is empty for the default registry, else the registry's host:
    // `host/name/1.0.0`.
    let Some((_, path)) = path.split_once('/') else {
        return unnamed;
    };

    let split = match generation {
        Generation::Five => {
            let scope = match path.starts_with('@') {
                true => path.find('/').map_or(0, |slash| slash + 1),
                false => 0,
            };
            path.get(scope..)
                .and_then(|rest| rest.find('/'))
                .and_then(|slash| {
                    Some((path.get(..scope + slash)?, path.get(scope + slash + 1..)?))
                })
        }
        _ => split_spec(path),
    };

    named(split).unwrap_or(unnamed)
}

fn named<'p>(split: Option<(&'p str, &'p str)>) -> Option<DepPath<'p>> {
    let (name, reference) = split?;
    Some(DepPath {
        name: Some(name),
        reference,
    })
}

/// A path without the peers and patches at its end.
pub(super) fn without_peers(path: &str, generation: Generation) -> &str {
    if generation == Generation::Five {
        // A name may have an underscore, but a version has none, so the first one after the start of
        // the version begins the peers. The last slash is before the version, because pnpm writes
        // slashes in the names of peers as `+`.
        let version = path.rfind('/').map_or(0, |slash| slash + 1);
        let end = path.get(version..).and_then(|last| last.find('_'));
        return end
            .and_then(|end| path.get(..version + end))
            .unwrap_or(path);
    }

    if !path.ends_with(')') {
        return path;
    }

    // The peers are balanced groups of parentheses at the end.
    let mut depth = 0_usize;
    for (index, byte) in path.bytes().enumerate().rev() {
        match byte {
            b')' => depth += 1,
            b'(' if depth > 0 => depth -= 1,
            _ if depth == 0 => return path.get(..=index).unwrap_or(path),
            _ => {}
        }
    }

    path
}

/// Whether a reference is a version, as opposed to an address.
pub(super) fn is_version(reference: &str) -> bool {
    reference.starts_with(|c: char| c.is_ascii_digit())
}

/// The packages of a document, by path.
pub(super) struct Paths<'p> {
    pub(super) generation: Generation,
    pub(super) by_path: FastHashMap<&'p str, PackageIndex>,
}

/// The target of a dependency.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Target {
    Package(PackageIndex),
    /// A linked directory: a workspace member, or one whose dependencies are not in the lockfile.
    Link,
    /// No package of the document.
    Nothing,
}

impl Paths<'_> {
    /// The target of a dependency. `reference` is a version with its peers, a whole path (for an
    /// alias), an address, or a link. `buffer` is reused for the path to look up.
    pub(super) fn target(&self, name: &str, reference: &str, buffer: &mut String) -> Target {
        if reference.starts_with("link:") {
            return Target::Link;
        }

        buffer.clear();
        if self.generation != Generation::Nine {
            buffer.push('/');
        }
        buffer.push_str(name);
        buffer.push(match self.generation {
            Generation::Five => '/',
            _ => '@',
        });
        buffer.push_str(reference);

        let package = self
            .by_path
            .get(buffer.as_str())
            .or_else(|| self.by_path.get(reference));
        package.map_or(Target::Nothing, |index| Target::Package(*index))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_paths_of_every_generation() {
        let read = |path, generation| {
            let path = dep_path(path, generation);
            format!("{} {}", path.name.unwrap_or("?"), path.reference)
        };
        for (path, expected) in [
            ("/a/1.0.0", "a 1.0.0"),
            ("/@s/a_b/1.0.0_@t+c@2.0.0+d@1", "@s/a_b 1.0.0"),
            ("/a_b/1.0.0-beta.1", "a_b 1.0.0-beta.1"),
            ("npm.invalid/a/1.0.0", "a 1.0.0"),
            ("npm.invalid/@s/a/1.0.0", "@s/a 1.0.0"),
            ("file:x.tgz", "? file:x.tgz"),
        ] {
            assert_eq!(read(path, Generation::Five), expected);
        }

        for (path, expected) in [
            ("/a@1.0.0", "a 1.0.0"),
            ("/@s/a@1.0.0(@t/c@2.0.0(d@1))(e@3)", "@s/a 1.0.0"),
            ("npm.invalid/a@1.0.0", "a 1.0.0"),
            ("file:x(y)z", "? file:x(y)z"),
        ] {
            assert_eq!(read(path, Generation::Six), expected);
        }

        for (path, expected) in [
            ("a@1.0.0", "a 1.0.0"),
            ("@s/a@1.0.0(patch_hash=0)(@t/c@2.0.0(d@1))", "@s/a 1.0.0"),
            (
                "a@https://files.invalid/a@1.tgz",
                "a https://files.invalid/a@1.tgz",
            ),
            ("a@file:../(x)", "a file:../"),
        ] {
            assert_eq!(read(path, Generation::Nine), expected);
        }
    }
}
