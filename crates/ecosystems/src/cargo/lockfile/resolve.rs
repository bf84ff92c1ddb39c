//! From the name that a dependency is written with to the package that it means.

use super::raw::RawLock;
use crate::ParseError;
use crate::lookup::{Lookup, lookup};

/// Packages by each of the three spellings. Every look-up takes the same time however the file is
/// made, so a hostile one cannot make it slow.
pub(super) struct Resolver<'a> {
    by_name: Lookup<&'a str, ByName<'a>>,
    by_version: Lookup<(&'a str, &'a str), usize>,
    versions: Vec<ByVersion>,
    by_source: Lookup<(&'a str, &'a str, &'a str), u32>,
}

/// What is known of a name: one of its versions, with its place among all, and whether there are
/// more.
struct ByName<'a> {
    version: &'a str,
    place: usize,
    several: bool,
}

/// What is known of a name and version: how many packages of folders there are, how many at all,
/// and one of each.
#[derive(Default)]
struct ByVersion {
    path: Option<u32>,
    paths: u32,
    any: u32,
    count: u32,
}

/// Why a spelling means no package; completes "which …".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Problem {
    Missing,
    Ambiguous,
    Malformed,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Missing => "it does not lock",
            Self::Ambiguous => "may be more than one of its packages",
            Self::Malformed => "is not a package's name, version and source",
        })
    }
}

impl<'a> Resolver<'a> {
    /// Collects the packages; the same package twice is an error.
    pub(super) fn new(raw: &'a RawLock<'_>) -> Result<Self, ParseError> {
        let size = raw.packages.len();
        let mut resolver = Self {
            by_name: lookup(size),
            by_version: lookup(size),
            versions: Vec::with_capacity(size),
            by_source: lookup(size),
        };
        for (index, package) in (0u32..).zip(&raw.packages) {
            let (name, version) = (package.name.as_ref(), package.version.as_ref());
            let source = package.source.as_deref().unwrap_or_default();
            if resolver
                .by_source
                .insert((name, version, without_commit(source)), index)
                .is_some()
            {
                return Err(ParseError::new(format!("locks `{name} {version}` twice"))
                    .at_line(package.line)
                    .with_hint(super::REGENERATE));
            }
            let place = *resolver
                .by_version
                .entry((name, version))
                .or_insert_with(|| {
                    resolver.versions.push(ByVersion::default());
                    resolver.versions.len() - 1
                });
            resolver
                .by_name
                .entry(name)
                .and_modify(|known| known.several |= known.version != version)
                .or_insert(ByName {
                    version,
                    place,
                    several: false,
                });
            let known = &mut resolver.versions[place];
            known.any = index;
            known.count += 1;
            if source.is_empty() {
                known.path = Some(index);
                known.paths += 1;
            }
        }
        Ok(resolver)
    }

    /// The package that `name`, `name version` or `name version (source)` means, by Cargo's rules:
    /// without a source, a package of a folder comes first, and a spelling that leaves a choice
    /// means nothing.
    pub(super) fn find(&self, dependency: &str) -> Result<u32, Problem> {
        let mut parts = dependency.splitn(3, ' ');
        let name = parts.next().unwrap_or_default();
        let named = self.by_name.get(name).ok_or(Problem::Missing)?;
        let place = match (parts.next(), parts.next()) {
            (Some(version), Some(source)) => return self.find_from(name, version, source),
            (Some(version), None) => *self
                .by_version
                .get(&(name, version))
                .ok_or(Problem::Missing)?,
            (None, _) if named.several => return Err(Problem::Ambiguous),
            (None, _) => named.place,
        };
        let known = &self.versions[place];
        match (known.path, known.paths, known.count) {
            (Some(path), 1, _) => Ok(path),
            (None, _, 1) => Ok(known.any),
            _ => Err(Problem::Ambiguous),
        }
    }

    /// The package of a name, a version and a source in parentheses.
    fn find_from(&self, name: &str, version: &str, source: &str) -> Result<u32, Problem> {
        let source = source
            .strip_prefix('(')
            .and_then(|source| source.strip_suffix(')'))
            .ok_or(Problem::Malformed)?;
        self.by_source
            .get(&(name, version, without_commit(source)))
            .copied()
            .ok_or(Problem::Missing)
    }
}

/// A source without the commit that it is locked to, which some versions of the format write in
/// the entry but not in the dependency on it.
fn without_commit(source: &str) -> &str {
    match source.rsplit_once('#') {
        Some((address, _)) if source.starts_with("git+") => address,
        _ => source,
    }
}
