//! Resolution of dependencies as a `Cargo.lock` writes them (`name`, `name version` or
//! `name version (source)`) to packages of the same file.

use std::collections::hash_map::Entry;

use super::raw::RawLock;
use crate::SkippedEntries;
use crate::fast_hash::{FastHashMap, fast_hash_map};

/// Packages by each of the three spellings. A lookup takes constant time for each of them, so a
/// hostile file cannot slow it down.
pub(super) struct Resolver<'a> {
    by_name: FastHashMap<&'a str, ByName>,
    by_version: FastHashMap<(&'a str, &'a str), usize>,
    versions: Vec<ByVersion>,
    by_source: FastHashMap<(&'a str, &'a str, &'a str), u32>,
}

/// The versions of one name.
struct ByName {
    /// Index of one version in [`Resolver::versions`].
    version: usize,
    /// Whether there are other versions.
    several: bool,
}

/// The packages of one name and version, which differ in their sources.
#[derive(Default)]
struct ByVersion {
    /// One of those with a path source.
    path: Option<u32>,
    /// Number of those with a path source.
    paths: u32,
    /// One of them, whatever its source.
    any: u32,
    /// Number of packages with this name and version.
    count: u32,
}

/// The reason why a dependency cannot be resolved; its text completes "which …".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Problem {
    Missing,
    Ambiguous,
    Malformed,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Missing => "is not in the file",
            Self::Ambiguous => "matches more than one package",
            Self::Malformed => "is not a name, version and source of a package",
        })
    }
}

impl<'a> Resolver<'a> {
    /// Builds the tables. `names` is the names of the packages, concatenated: comparing tens of
    /// thousands of keys is faster when they are close together in memory.
    ///
    /// Of a package that is listed twice, dependencies lead to the first entry. The lockfile keeps
    /// both.
    pub(super) fn new(raw: &'a RawLock<'_>, names: &'a str, skipped: &mut SkippedEntries) -> Self {
        let size = raw.packages.len();
        let mut resolver = Self {
            by_name: fast_hash_map(size),
            by_version: fast_hash_map(size),
            versions: Vec::with_capacity(size),
            by_source: fast_hash_map(size),
        };

        let mut names = names;
        for (index, package) in (0u32..).zip(&raw.packages) {
            // The name from `names` instead of the equal one in the package.
            let (name, rest) = names.split_at(package.name.len());
            names = rest;
            let version = package.version.as_ref();
            let source = package.source.as_deref().unwrap_or_default();
            match resolver
                .by_source
                .entry((name, version, without_commit(source)))
            {
                Entry::Vacant(entry) => {
                    entry.insert(index);
                }
                Entry::Occupied(_) => {
                    let line = u32::try_from(package.line).unwrap_or(u32::MAX);
                    skipped.detail(line, format!("locks `{name} {version}` twice"));
                    continue;
                }
            }

            let position = *resolver
                .by_version
                .entry((name, version))
                .or_insert_with(|| {
                    resolver.versions.push(ByVersion::default());
                    resolver.versions.len() - 1
                });
            resolver
                .by_name
                .entry(name)
                .and_modify(|by_name| by_name.several |= by_name.version != position)
                .or_insert(ByName {
                    version: position,
                    several: false,
                });

            let by_version = &mut resolver.versions[position];
            by_version.any = index;
            by_version.count += 1;
            if source.is_empty() {
                by_version.path = Some(index);
                by_version.paths += 1;
            }
        }

        resolver
    }

    /// Resolves `name`, `name version` or `name version (source)` to the name and the package, by
    /// Cargo's rules: without a source, a path dependency is preferred, and an ambiguous dependency
    /// is an error.
    pub(super) fn find<'d>(&self, dependency: &'d str) -> Result<(&'d str, u32), Problem> {
        let (name, rest) = at_space(dependency);
        let named = self.by_name.get(name).ok_or(Problem::Missing)?;
        let position = match rest.map(at_space) {
            Some((version, Some(source))) => {
                return Ok((name, self.find_from(name, version, source)?));
            }
            Some((version, None)) => *self
                .by_version
                .get(&(name, version))
                .ok_or(Problem::Missing)?,
            None if named.several => return Err(Problem::Ambiguous),
            None => named.version,
        };

        let by_version = &self.versions[position];
        match (by_version.path, by_version.paths, by_version.count) {
            (Some(path), 1, _) => Ok((name, path)),
            (None, _, 1) => Ok((name, by_version.any)),
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

/// Splits a text at its first space; the second part is `None` if there is no space.
fn at_space(text: &str) -> (&str, Option<&str>) {
    match memchr::memchr(b' ', text.as_bytes()) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    }
}

/// A Git source without its locked commit. Some versions of the format write the commit in the
/// entry but not in dependencies on it.
fn without_commit(source: &str) -> &str {
    let address = source
        .starts_with("git+")
        .then(|| source.rsplit_once('#'))
        .flatten();
    address.map_or(source, |(address, _)| address)
}
