//! Building blocks of the lockfiles of yarn, pnpm, bun and Deno: counting against the limits, the
//! projects of a workspace, and the scopes that follow from the graph.

mod projects;
mod scopes;

use patchgate_model::{
    DependencyKind, Edge, FormatId, Lockfile, Package, PackageIndex, Root, Unresolved,
};

pub(super) use projects::{Project, beside, folder_root, project_at, projects};
pub(crate) use scopes::settle;

use super::NAME;
use crate::{Input, ParseError, limits};

/// Counts the packages and edges of a file against the limits.
#[derive(Debug, Default)]
pub(crate) struct Count {
    packages: usize,
    edges: usize,
}

impl Count {
    /// Counts one more package and returns its index.
    pub(crate) fn package(&mut self) -> Result<PackageIndex, ParseError> {
        let index = self.packages;
        self.packages += 1;

        match u32::try_from(index) {
            Ok(index) if self.packages <= limits::MAX_PACKAGES => Ok(PackageIndex(index)),
            _ => Err(ParseError::new(format!(
                "has more than {} packages",
                limits::MAX_PACKAGES
            ))),
        }
    }

    /// Counts one more edge.
    pub(crate) fn edge(&mut self) -> Result<(), ParseError> {
        self.edges(1)
    }

    /// Counts a number of further edges.
    pub(crate) fn edges(&mut self, more: usize) -> Result<(), ParseError> {
        self.edges += more;
        if self.edges > limits::MAX_EDGES {
            return Err(ParseError::new(format!(
                "has more than {} dependencies",
                limits::MAX_EDGES
            )));
        }
        Ok(())
    }
}

/// The lockfile, with the scopes that follow from its graph.
pub(crate) fn lockfile(
    input: &Input<'_>,
    format: FormatId,
    packages: Vec<Package>,
    roots: Vec<Root>,
) -> Lockfile {
    let mut lockfile = Lockfile {
        path: input.path.to_owned(),
        ecosystem: NAME,
        format,
        packages,
        roots,
        ..Lockfile::default()
    };
    settle(&mut lockfile);

    lockfile
}

/// An edge, with the name, requirement and kind that the dependent states.
pub(crate) fn edge(
    to: PackageIndex,
    name: &str,
    requirement: Option<&str>,
    kind: DependencyKind,
) -> Edge {
    Edge {
        to,
        name: name.into(),
        requirement: requirement.map(Into::into),
        kind,
    }
}

/// A dependency on a package that a file does not lock, as a requirement: it is judged like one that
/// no lockfile pins. The name is the real one of an alias `npm:real@^1`.
pub(crate) fn unlocked(
    name: &str,
    requirement: &str,
    kind: DependencyKind,
    line: u32,
) -> Unresolved {
    let inner = requirement.strip_prefix("npm:").unwrap_or(requirement);
    let (name, requirement) = match split_spec(inner).filter(|_| inner != requirement) {
        Some((real, rest)) => (real, rest),
        None => (name, inner),
    };
    Unresolved {
        ecosystem: NAME,
        name: shortened(name),
        requirement: shortened(requirement),
        kind,
        line,
    }
}

/// Splits `name@rest` at the first `@` that does not begin a scope; `None` without one, or without a
/// name.
pub(crate) fn split_spec(spec: &str) -> Option<(&str, &str)> {
    let scope = usize::from(spec.starts_with('@'));
    let at = spec.get(scope..)?.find('@')? + scope;
    let (name, rest) = (spec.get(..at)?, spec.get(at + 1..)?);
    (name.len() > scope).then_some((name, rest))
}

/// Maximum number of names of one entry: the package's own and its aliases. Each becomes a package
/// with all edges of the entry, so without a limit a small file could have a huge graph.
const MAX_NAMES: usize = 16;

/// The distinct names in patterns `name@requirement`. `None` if there are too many, or if one is not
/// such a pattern.
pub(crate) fn names<'t>(patterns: impl Iterator<Item = &'t str>) -> Option<Vec<&'t str>> {
    let mut names: Vec<&str> = Vec::new();
    for pattern in patterns {
        let (name, _) = split_spec(pattern)?;
        if !names.contains(&name) {
            names.push(name);
        }
        if names.len() > MAX_NAMES {
            return None;
        }
    }

    Some(names)
}

/// At most 120 characters of a text from the file, for a message.
pub(crate) fn shortened(text: &str) -> String {
    const LONGEST: usize = 120;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::split_spec;

    #[test]
    fn splits_after_the_scope() {
        assert_eq!(split_spec("a@1"), Some(("a", "1")));
        assert_eq!(split_spec("@s/a@npm:b@1"), Some(("@s/a", "npm:b@1")));
        assert_eq!(split_spec("a@"), Some(("a", "")));
        for nothing in ["", "a", "@s/a", "@", "@@1"] {
            assert_eq!(split_spec(nothing), None, "{nothing}");
        }
    }
}
