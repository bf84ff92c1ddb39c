//! The format of yarn 1: entries, keyed by the requirements that resolve to them. The dependencies of
//! the projects themselves are only in their manifests.

use std::collections::HashSet;

use patchgate_model::{
    DependencyKind, Edge, FormatId, Lockfile, Loss, Origin, Package, PackageIndex, Root, Unresolved,
};

use super::resolutions::Resolutions;
use super::syntax::{self, Entry};
use crate::fast_hash::{FastHashMap, fast_hash_map};
use crate::npm::lockfile::origin;
use crate::npm::tree::{self, Count, Project, shortened, split_spec};
use crate::npm::{NAME, tree::projects};
use crate::{Input, ParseError, SkippedEntries};

/// Reads a lockfile of version 1.
pub(super) fn parse(input: &Input<'_>, text: &str) -> Result<Lockfile, ParseError> {
    let mut skipped = SkippedEntries::default();
    let entries = entries(text, &mut skipped)?;
    let projects = projects(input);
    let mut tree = Tree::new(&entries, &projects, skipped)?;
    let mut packages = Vec::with_capacity(entries.len());
    for entry in &entries {
        for name in names(entry)? {
            let mut package = package(entry, name, &requirements(entry, name))?;
            package.edges = tree.edges(entry)?;
            packages.push(package);
        }
    }

    let mut roots = projects
        .iter()
        .map(|project| tree.root(project))
        .collect::<Result<Vec<_>, _>>()?;
    for package in &packages {
        if let Origin::Path(Some(directory)) = &package.origin {
            roots.extend(tree::folder_root(input, "", directory, &package.edges));
        }
    }

    let (unresolved, skipped) = (tree.unresolved, tree.skipped.into_entries());
    let mut lockfile = tree::lockfile(input, FormatId::new("yarn-lock-v1"), packages, roots);
    if projects.is_empty() {
        lockfile.roots.push(inferred(&lockfile));
        tree::settle(&mut lockfile);
    }
    lockfile.unresolved = unresolved;
    lockfile.skipped = skipped;

    Ok(lockfile)
}

/// The entries of a file. Each one is a package for each of its [`names`], in this order.
pub(super) fn entries<'a>(
    text: &'a str,
    skipped: &mut SkippedEntries,
) -> Result<Vec<Entry<'a>>, ParseError> {
    checked(syntax::entries(text, skipped)?, skipped)
}

/// The entries with names and a version. Others are skipped.
///
/// # Errors
/// If the last entry is one of the others: the file ends in it.
fn checked<'a>(
    mut entries: Vec<Entry<'a>>,
    skipped: &mut SkippedEntries,
) -> Result<Vec<Entry<'a>>, ParseError> {
    let check = |entry: &Entry<'_>| {
        let names = names(entry)?;
        version(entry, names.first().copied().unwrap_or_default()).map(|_| ())
    };
    if let Some(last) = entries.last() {
        check(last)?;
    }
    entries.retain(|entry| {
        let line = u32::try_from(entry.line).unwrap_or(u32::MAX);
        skipped.recover(Loss::Package, line, check(entry)).is_some()
    });

    Ok(entries)
}

/// The names under which an entry is required. yarn writes one entry for a package and its alias, but
/// installs both.
pub(super) fn names<'e>(entry: &'e Entry<'_>) -> Result<Vec<&'e str>, ParseError> {
    tree::names(entry.patterns.iter().map(|pattern| &**pattern)).ok_or_else(|| {
        let first = entry.patterns.first().map_or("", |pattern| pattern);
        ParseError::new(format!(
            "has the entry `{}`, which is not a list of names with requirements",
            shortened(first)
        ))
        .at_line(entry.line)
    })
}

/// The requirements on an entry under one of its names.
fn requirements<'e>(entry: &'e Entry<'_>, name: &str) -> Vec<&'e str> {
    entry
        .patterns
        .iter()
        .filter_map(|pattern| split_spec(pattern))
        .filter(|(known, _)| *known == name)
        .map(|(_, requirement)| requirement)
        .collect()
}

fn version<'e>(entry: &'e Entry<'_>, name: &str) -> Result<&'e str, ParseError> {
    let version = entry
        .version
        .as_deref()
        .filter(|version| !version.is_empty());
    version.ok_or_else(|| {
        ParseError::new(format!("has no version for `{}`", shortened(name)))
            .at_line(entry.line)
            .with_hint(super::REGENERATE)
    })
}

/// The package of an entry under one of its names, without edges.
fn package(entry: &Entry<'_>, key: &str, requirements: &[&str]) -> Result<Package, ParseError> {
    let version = version(entry, key)?;

    // The real name of an alias `npm:real@^1`.
    let real = requirements.iter().find_map(|requirement| {
        let spec = requirement.strip_prefix("npm:")?;
        Some(split_spec(spec).map_or(spec, |(name, _)| name))
    });
    // `npm:^1.0.0` has a range but no name.
    let real = real.filter(|name| name.starts_with(|c: char| c == '@' || c.is_alphabetic()));
    let name = real.unwrap_or(key);

    let (resolved, hash) = match entry.resolved.as_deref() {
        None => (None, None),
        Some(address) => {
            let (address, hash) = without_hash(address);
            (Some(address), hash)
        }
    };

    Ok(Package {
        origin: from(resolved, name, requirements),
        line: u32::try_from(entry.line).unwrap_or(u32::MAX),
        integrity: entry.integrity.as_deref().or(hash).map(str::to_owned),
        alias: (name != key).then(|| key.to_owned()),
        ..Package::new(NAME, name.to_owned(), version.to_owned())
    })
}

/// The origin of a package. An archive at an unknown address is from a registry if it is required by
/// a range, because only a registry resolves ranges.
fn from(resolved: Option<&str>, name: &str, requirements: &[&str]) -> Origin {
    let Some(resolved) = resolved else {
        let path = requirements.iter().find_map(|requirement| {
            ["file:", "link:"]
                .iter()
                .find_map(|start| requirement.strip_prefix(start))
        });
        return match path {
            Some(path) => Origin::Path(Some(path.to_owned())),
            None => Origin::Registry(None),
        };
    };

    let by_address = requirements
        .iter()
        .any(|requirement| origin::asks_by_address(requirement));
    match origin::of_resolved(Some(resolved), name) {
        Origin::Url(address) if !by_address => Origin::Registry(Some(address)),
        Origin::Registry(Some(address)) if by_address && !address.contains("://") => {
            // An archive in the repository: `file:x.tgz`.
            Origin::Path(Some(address))
        }
        other => other,
    }
}

/// Splits the SHA-1 that yarn appends from the address of an archive. The hash of a Git address is
/// its commit and is kept.
fn without_hash(address: &str) -> (&str, Option<&str>) {
    match address.rsplit_once('#') {
        Some((before, hash))
            if hash.len() == 40
                && hash.bytes().all(|byte| byte.is_ascii_hexdigit())
                && !matches!(origin::of_address(address), Some(Origin::Git { .. })) =>
        {
            (before, Some(hash))
        }
        _ => (address, None),
    }
}

/// The packages by the keys under which dependencies refer to them.
struct Tree<'e> {
    by_pattern: FastHashMap<&'e str, PackageIndex>,
    /// Packages by the name under which they are required.
    by_name: FastHashMap<&'e str, Vec<PackageIndex>>,
    /// Names of the repository's own packages.
    own: HashSet<&'e str>,
    /// `None` if the root project's manifest is unknown.
    resolutions: Option<Resolutions>,
    unresolved: Vec<Unresolved>,
    skipped: SkippedEntries,
    /// The greatest pattern. yarn sorts entries, so a cut file lacks only greater ones.
    last: &'e str,
    count: Count,
    /// Buffer for the pattern to look up, reused to avoid allocations.
    candidate: String,
}

impl<'e> Tree<'e> {
    fn new(
        entries: &'e [Entry<'_>],
        projects: &'e [Project<'_>],
        skipped: SkippedEntries,
    ) -> Result<Self, ParseError> {
        let mut tree = Self {
            by_pattern: fast_hash_map(entries.len()),
            by_name: fast_hash_map(entries.len()),
            own: projects
                .iter()
                .filter_map(|project| project.manifest.name())
                .collect(),
            resolutions: Resolutions::of(projects.first()),
            unresolved: Vec::new(),
            skipped,
            last: entries
                .iter()
                .filter_map(|entry| entry.patterns.first().map(|pattern| &**pattern))
                .max()
                .unwrap_or_default(),
            count: Count::default(),
            candidate: String::new(),
        };
        for entry in entries {
            let mut indices: Vec<(&str, PackageIndex)> = Vec::new();
            for name in names(entry)? {
                let index = tree.count.package()?;
                indices.push((name, index));
                tree.by_name.entry(name).or_default().push(index);
            }

            for pattern in &entry.patterns {
                let name = split_spec(pattern).map_or(&**pattern, |(name, _)| name);
                if let Some((_, index)) = indices.iter().find(|(known, _)| *known == name) {
                    tree.by_pattern.insert(pattern, *index);
                }
            }
        }

        Ok(tree)
    }

    fn edges(&mut self, entry: &Entry<'_>) -> Result<Vec<Edge>, ParseError> {
        let optional: HashSet<&str> = entry
            .optional_dependencies
            .iter()
            .map(|(name, _)| &**name)
            .collect();
        let runtime = entry
            .dependencies
            .iter()
            .filter(|(name, _)| !optional.contains(&**name));

        let mut edges = Vec::with_capacity(entry.dependencies.len());
        for (kind, (name, requirement)) in
            runtime.map(|pair| (DependencyKind::Runtime, pair)).chain(
                entry
                    .optional_dependencies
                    .iter()
                    .map(|pair| (DependencyKind::Optional, pair)),
            )
        {
            self.count.edge()?;
            match self.find(name, requirement) {
                Some(to) => edges.push(tree::edge(to, name, Some(requirement), kind)),
                None if self.own.contains(&**name) => {}
                None => {
                    let line = u32::try_from(entry.line).unwrap_or(u32::MAX);
                    if self.is_strict(name) {
                        let error = dangling(entry, name, requirement);
                        if *format!("{name}@{requirement}") >= *self.last {
                            return Err(error);
                        }
                        self.skipped.edge(line, error.reason);
                    }
                    self.unresolved
                        .push(tree::unlocked(name, requirement, kind, line));
                }
            }
        }

        Ok(edges)
    }

    /// Whether a missing entry is the only explanation for an unresolved requirement. A resolution is
    /// another one.
    fn is_strict(&self, name: &str) -> bool {
        self.resolutions
            .as_ref()
            .is_some_and(|resolutions| resolutions.about(name).is_empty())
    }

    /// Resolves a requirement: to the package with exactly this pattern, else to that of a
    /// resolution, else, if a resolution may have replaced it, to the only package of that name.
    fn find(&mut self, name: &str, requirement: &str) -> Option<PackageIndex> {
        if let Some(index) = self.exact(name, requirement) {
            return Some(index);
        }
        if self.is_strict(name) {
            return None;
        }

        // Taken out during the lookup, which borrows `self` mutably.
        let resolutions = self.resolutions.take();
        let replacements = resolutions
            .as_ref()
            .map_or(&[][..], |resolutions| resolutions.about(name));
        let replaced = replacements
            .iter()
            .find_map(|requirement| self.exact(name, requirement));
        self.resolutions = resolutions;

        replaced.or_else(|| self.only(name))
    }

    fn exact(&mut self, name: &str, requirement: &str) -> Option<PackageIndex> {
        self.candidate.clear();
        self.candidate.push_str(name);
        self.candidate.push('@');
        self.candidate.push_str(requirement);
        self.by_pattern.get(self.candidate.as_str()).copied()
    }

    fn only(&self, name: &str) -> Option<PackageIndex> {
        match self.by_name.get(name)?.as_slice() {
            [only] => Some(*only),
            _ => None,
        }
    }

    /// The root of a project. A requirement without an entry in the lockfile is reported as
    /// unresolved.
    fn root(&mut self, project: &Project<'_>) -> Result<Root, ParseError> {
        let mut edges = Vec::new();
        for (kind, name, requirement) in project.manifest.requirements() {
            self.count.edge()?;
            let target = self.find(name, requirement).or_else(|| self.only(name));
            let inside = ["file:", "link:"]
                .iter()
                .any(|start| requirement.starts_with(start));

            match target {
                Some(to) => edges.push(tree::edge(to, name, Some(requirement), kind)),
                None if inside || self.own.contains(name) => {}
                None => self
                    .unresolved
                    .push(tree::unlocked(name, requirement, kind, 1)),
            }
        }

        Ok(Root {
            name: project.manifest.name().unwrap_or_default().to_owned(),
            manifest: Some(project.path.clone()),
            edges,
        })
    }
}

/// The root for a lockfile without a manifest. Packages that no other package requires are its
/// dependencies: only the project itself can be the reason for them.
fn inferred(lockfile: &Lockfile) -> Root {
    let required: HashSet<PackageIndex> = lockfile
        .packages
        .iter()
        .flat_map(|package| package.edges.iter().map(|edge| edge.to))
        .collect();
    let edges = lockfile
        .indexed()
        .filter(|(index, _)| !required.contains(index))
        .map(|(index, package)| {
            let name = package.alias.as_deref().unwrap_or(&package.name);
            tree::edge(index, name, None, DependencyKind::Runtime)
        })
        .collect();

    Root {
        edges,
        ..Root::default()
    }
}

fn dangling(entry: &Entry<'_>, name: &str, requirement: &str) -> ParseError {
    let from = entry.patterns.first().map_or("", |pattern| pattern);
    ParseError::new(format!(
        "`{}` depends on `{}`, which is not in the file",
        shortened(from),
        shortened(&format!("{name}@{requirement}")),
    ))
    .at_line(entry.line)
    .with_hint(super::REGENERATE)
}
