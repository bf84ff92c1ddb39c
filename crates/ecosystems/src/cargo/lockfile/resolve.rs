//! From the name that a dependency is written with to the package that it means.

use super::raw::RawLock;
use crate::ParseError;
use crate::fast_hash::{FastHashMap, fast_hash_map};

/// Packages by each of the three spellings. Every look-up takes the same time however the file is
/// made, so a hostile one cannot make it slow.
pub(super) struct Resolver<'a> {
    by_name: FastHashMap<&'a str, ByName>,
    by_version: FastHashMap<(&'a str, &'a str), usize>,
    versions: Vec<ByVersion>,
    by_source: FastHashMap<(&'a str, &'a str, &'a str), u32>,
}

/// What is known of a name: the place of one of its versions among all, and whether there are more.
struct ByName {
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
    /// Collects the packages; the same package twice is an error. `names` holds theirs one after the
    /// other: the tens of thousands of comparisons find them nearer to each other there than in the
    /// file.
    pub(super) fn new(raw: &'a RawLock<'_>, names: &'a str) -> Result<Self, ParseError> {
        let size = raw.packages.len();
        let mut resolver = Self {
            by_name: fast_hash_map(size),
            by_version: fast_hash_map(size),
            versions: Vec::with_capacity(size),
            by_source: fast_hash_map(size),
        };

        let mut names = names;
        for (index, package) in (0u32..).zip(&raw.packages) {
            let (name, rest) = names.split_at(package.name.len());
            names = rest;
            let version = package.version.as_ref();
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
                .and_modify(|known| known.several |= known.place != place)
                .or_insert(ByName {
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

    /// The name and the package that `name`, `name version` or `name version (source)` means, by
    /// Cargo's rules: without a source, a package of a folder comes first, and a spelling that leaves
    /// a choice means nothing.
    pub(super) fn find<'d>(&self, dependency: &'d str) -> Result<(&'d str, u32), Problem> {
        let (name, rest) = at_space(dependency);
        let named = self.by_name.get(name).ok_or(Problem::Missing)?;
        let place = match rest.map(at_space) {
            Some((version, Some(source))) => {
                return Ok((name, self.find_from(name, version, source)?));
            }
            Some((version, None)) => *self
                .by_version
                .get(&(name, version))
                .ok_or(Problem::Missing)?,
            None if named.several => return Err(Problem::Ambiguous),
            None => named.place,
        };
        let known = &self.versions[place];

        match (known.path, known.paths, known.count) {
            (Some(path), 1, _) => Ok((name, path)),
            (None, _, 1) => Ok((name, known.any)),
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

/// The text before the first space, and what follows it where there is one.
fn at_space(text: &str) -> (&str, Option<&str>) {
    match memchr::memchr(b' ', text.as_bytes()) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    }
}

/// A source without the commit that it is locked to, which some versions of the format write in
/// the entry but not in the dependency on it.
fn without_commit(source: &str) -> &str {
    let address = source
        .starts_with("git+")
        .then(|| source.rsplit_once('#'))
        .flatten();
    address.map_or(source, |(address, _)| address)
}
