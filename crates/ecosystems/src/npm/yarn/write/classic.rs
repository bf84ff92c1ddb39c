//! Changes of a `yarn.lock` of version 1.
//!
//! The file is a map from patterns (`name@requirement`) to entries. A change gives patterns to other
//! entries: an entry that only some of its patterns can leave is split, and patterns that get the
//! same archive share one entry. yarn prunes patterns that nothing requires, so they leave the file
//! here, too.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use patchgate_model::{DependencyKind, Edge, Lockfile};

use super::blocks::{Block, Blocks, Fields, key_line, order};
use super::registry;
use crate::npm::lockfile::origin::asks_by_address;
use crate::npm::requirement;
use crate::npm::tree::{projects, split_spec};
use crate::npm::yarn::{classic, resolutions};
use crate::{Input, Release, SkippedEntries, TargetEdge, TargetGraph};

/// The file with the graph.
///
/// # Errors
/// The obstacle, as a fragment.
pub(super) fn write(
    input: &Input<'_>,
    lockfile: &Lockfile,
    target: &TargetGraph,
) -> Result<String, String> {
    let unreadable = |error: crate::ParseError| error.to_string();
    let text = input.text().map_err(unreadable)?;
    let mut skipped = SkippedEntries::default();
    let entries = classic::entries(text, &mut skipped).map_err(unreadable)?;
    if !skipped.into_entries().is_empty() || !lockfile.skipped.is_empty() {
        return Err("it has entries that cannot be read".to_owned());
    }
    if text.replace("\r\n", "").contains('\r') {
        return Err("it has line breaks of several kinds".to_owned());
    }

    let mut owners = Vec::with_capacity(lockfile.packages.len());
    for (block, entry) in entries.iter().enumerate() {
        for name in classic::names(entry).map_err(unreadable)? {
            owners.push((block, name.to_owned()));
        }
    }
    if owners.len() != lockfile.packages.len() {
        return Err("it is not the file that was read".to_owned());
    }

    let lines = entries.iter().map(|entry| {
        let patterns = entry.patterns.iter().map(|pattern| pattern.to_string());
        (entry.line, patterns.collect())
    });
    let blocks = Blocks::cut(text, lines);
    let plan = Plan::new(input, lockfile, target, &blocks, &owners)?;
    let written = plan.apply(blocks)?;

    Ok(match input.bytes.starts_with("\u{feff}".as_bytes()) {
        true => format!("\u{feff}{written}"),
        false => written,
    })
}

/// A new entry.
struct New<'a> {
    name: String,
    resolved: String,
    fields: Fields<'a>,
    integrity: String,
    patterns: BTreeSet<String>,
}

/// The patterns that each entry gets.
struct Plan<'a> {
    /// Patterns by block of the file before.
    kept: Vec<BTreeSet<String>>,
    new: Vec<New<'a>>,
}

impl<'a> Plan<'a> {
    fn new(
        input: &Input<'_>,
        lockfile: &Lockfile,
        target: &'a TargetGraph,
        blocks: &Blocks,
        owners: &[(usize, String)],
    ) -> Result<Self, String> {
        let rules = Rules::new(input);
        let before = uses_before(lockfile);
        let after = uses_after(input, lockfile, target, &rules)?;
        let mut plan = Self {
            kept: vec![BTreeSet::new(); blocks.blocks.len()],
            new: Vec::new(),
        };

        // Whether another copy of the same version has the patterns.
        let has_twin = |node: usize| {
            let release = released(lockfile, target, node);
            let mut used = after.values();
            used.any(|other| released(lockfile, target, *other) == release)
        };
        for (index, node) in target.nodes.iter().enumerate() {
            let was = node.was.and_then(|was| owners.get(was.0 as usize));
            if node.was.is_some() != was.is_some() {
                return Err(format!("`{}` is not a package of the file", node.name));
            }
            let old: Vec<&String> = was
                .and_then(|(block, _)| blocks.blocks.get(*block))
                .map_or(&[][..], |block| &block.patterns)
                .iter()
                .collect();
            let version = target.version(lockfile, index).unwrap_or_default();

            // Patterns that nothing is known to require stay where they can.
            let mut patterns: BTreeSet<String> = BTreeSet::new();
            for pattern in &old {
                let is_own = was.is_some_and(|(_, name)| name_of(pattern) == name);
                if !is_own || before.contains(*pattern) || after.contains_key(*pattern) {
                    continue;
                }
                if node.release.is_none() || admits(pattern, version) {
                    patterns.insert((*pattern).clone());
                } else if !rules.is_complete {
                    return Err(format!("it is not known what requires `{pattern}`"));
                }
            }
            for (pattern, _) in after.iter().filter(|(_, node)| **node == index) {
                let is_same = node.release.is_none() && old.contains(&pattern);
                if !is_same {
                    rules.check(pattern, &node.name, version)?;
                }
                patterns.insert(pattern.clone());
            }

            match (&node.release, was) {
                (None, Some((block, _))) => {
                    if let Some(kept) = plan.kept.get_mut(*block) {
                        kept.extend(patterns);
                    }
                }
                (Some(_), _) if patterns.is_empty() && has_twin(index) => {}
                (Some(release), _) => plan.add(lockfile, target, index, release, patterns)?,
                (None, None) => return Err(format!("`{}` has no release", node.name)),
            }
        }

        Ok(plan)
    }

    /// Adds the entries of a release: one for each name that it is required by.
    fn add(
        &mut self,
        lockfile: &Lockfile,
        target: &'a TargetGraph,
        node: usize,
        release: &'a Release,
        patterns: BTreeSet<String>,
    ) -> Result<(), String> {
        let Some(node) = target.nodes.get(node) else {
            return Ok(());
        };
        if patterns.is_empty() {
            return Err(format!(
                "nothing requires `{} {}`",
                node.name, release.version
            ));
        }
        if !registry::is_described(release) {
            return Err(format!(
                "`{} {}` is not described",
                node.name, release.version
            ));
        }

        // yarn 1 locks the dependencies in an archive like all others.
        let installed = release
            .requirements
            .iter()
            .filter(|requirement| requirement.kind != DependencyKind::Peer);
        for requirement in installed {
            let is_bound = node.edges.iter().any(|edge| {
                edge.name == requirement.name
                    && edge.requirement.as_deref() == Some(&requirement.requirement)
            });
            if !is_bound {
                return Err(format!(
                    "`{} {}` needs `{}`, which has no version",
                    node.name, release.version, requirement.name
                ));
            }
        }

        let archive = registry::archive(lockfile, &node.name, release)?;
        for pattern in patterns {
            let name = name_of(&pattern).to_owned();
            let same = |new: &&mut New<'_>| new.name == name && new.resolved == archive.resolved;
            if let Some(new) = self.new.iter_mut().find(same) {
                new.patterns.insert(pattern);
                continue;
            }
            self.new.push(New {
                name,
                resolved: archive.resolved.clone(),
                integrity: archive.integrity.clone(),
                fields: Fields {
                    version: &release.version,
                    dependencies: registry::section(release, false),
                    optional_dependencies: registry::section(release, true),
                },
                patterns: BTreeSet::from([pattern]),
            });
        }

        Ok(())
    }

    /// The text with the entries.
    fn apply(mut self, mut blocks: Blocks) -> Result<String, String> {
        let tail = blocks.tail();
        let line_end = blocks.line_end;

        // An archive that the file has already gets the patterns.
        self.new.retain(|new| {
            let resolved = format!("  resolved \"{}\"", new.resolved);
            let same = blocks.blocks.iter().position(|block| {
                block.text.lines().any(|line| line == resolved)
                    && block
                        .patterns
                        .iter()
                        .any(|pattern| name_of(pattern) == new.name)
            });
            let kept = same.and_then(|same| self.kept.get_mut(same));
            match kept.filter(|kept| !kept.is_empty()) {
                Some(kept) => {
                    kept.extend(new.patterns.iter().cloned());
                    false
                }
                None => true,
            }
        });

        let mut moved = Vec::new();
        let mut fresh: BTreeMap<String, Block> = BTreeMap::new();
        for new in &self.new {
            let patterns = sorted(&new.patterns);
            let key = key_line(&patterns);
            let fields = new.fields.print(&new.resolved, &new.integrity, line_end);
            let first = patterns.first().cloned().unwrap_or_default();
            let block = Block {
                patterns,
                text: format!("{key}{line_end}{fields}"),
                gap: String::new(),
            };
            fresh.insert(first, block);
        }

        let old = std::mem::take(&mut blocks.blocks);
        for (mut block, kept) in old.into_iter().zip(&self.kept) {
            let first = block.patterns.first().cloned().unwrap_or_default();
            if kept.is_empty() {
                // The entry that comes instead has its position.
                if let Some(new) = fresh.remove(&first) {
                    let gap = block.gap;
                    blocks.blocks.push(Block { gap, ..new });
                }
                continue;
            }
            if block.patterns.iter().collect::<BTreeSet<_>>() != kept.iter().collect() {
                block.patterns = sorted(kept);
                let (_, fields) = block.text.split_once('\n').unwrap_or_default();
                block.text = format!("{}{line_end}{fields}", key_line(&block.patterns));
            }
            match block.patterns.first() == Some(&first) {
                true => blocks.blocks.push(block),
                false => moved.push(block),
            }
        }
        for block in moved.into_iter().chain(fresh.into_values()) {
            blocks.insert(block);
        }

        Ok(blocks.print(&tail))
    }
}

/// What the manifests say about requirements.
struct Rules {
    /// Whether every manifest is known, so that a pattern without a use is one that yarn prunes.
    is_complete: bool,
    /// Versions of `resolutions` that hold for every dependent, by package.
    everywhere: HashMap<String, String>,
    /// Packages with `resolutions` that hold for some dependents.
    partly: BTreeSet<String>,
}

impl Rules {
    fn new(input: &Input<'_>) -> Self {
        let projects = projects(input);
        let mut rules = Self {
            is_complete: !projects.is_empty() && projects.iter().all(|project| project.readable),
            everywhere: HashMap::new(),
            partly: BTreeSet::new(),
        };
        let root = projects.first();
        for (pattern, version) in root
            .map(|root| root.manifest.resolutions())
            .unwrap_or_default()
        {
            let name = resolutions::target(&pattern);
            if pattern.strip_prefix("**/").unwrap_or(&pattern) == name {
                rules.everywhere.insert(name.to_owned(), version);
            } else {
                rules.partly.insert(name.to_owned());
            }
        }

        rules
    }

    /// Checks that yarn gives a version to a pattern. Of a locked version that its range does not
    /// admit, yarn says that the file is wrong, and resolves the pattern again.
    fn check(&self, pattern: &str, package: &str, version: &str) -> Result<(), String> {
        let name = name_of(pattern);
        if self.partly.contains(name) {
            return Err(format!(
                "`resolutions` change `{name}` for some dependents only"
            ));
        }
        if let Some(resolution) = self.everywhere.get(name) {
            return match admits(&format!("{name}@{resolution}"), version) {
                true => Ok(()),
                false => Err(format!(
                    "`resolutions` give `{name}` the version {resolution}"
                )),
            };
        }

        let (_, requirement) = split_spec(pattern).unwrap_or((pattern, ""));
        let (real, range) = requirement::target(name, requirement);
        if real != package || asks_by_address(requirement) {
            return Err(format!("`{pattern}` is not a requirement of `{package}`"));
        }
        match requirement::admits(range, version) {
            Ok(false) => Err(format!("`{pattern}` does not admit {version}")),
            Ok(true) => Ok(()),
            // A tag may be on any version.
            Err(_) if !range.contains([':', '/']) => Ok(()),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// The name in a pattern.
fn name_of(pattern: &str) -> &str {
    split_spec(pattern).map_or(pattern, |(name, _)| name)
}

fn admits(pattern: &str, version: &str) -> bool {
    let (name, requirement) = split_spec(pattern).unwrap_or((pattern, ""));
    let (_, range) = requirement::target(name, requirement);
    requirement::admits(range, version).unwrap_or(false)
}

fn sorted(patterns: &BTreeSet<String>) -> Vec<String> {
    let mut patterns: Vec<String> = patterns.iter().cloned().collect();
    patterns.sort_by(|a, b| order(a, b));
    patterns
}

/// Every pattern that a package or project has used so far.
fn uses_before(lockfile: &Lockfile) -> BTreeSet<String> {
    let pattern = |edge: &Edge| Some(format!("{}@{}", edge.name, edge.requirement.as_deref()?));
    let packages = lockfile.packages.iter().flat_map(|package| &package.edges);
    let roots = lockfile.roots.iter().flat_map(|root| &root.edges);
    packages.chain(roots).filter_map(pattern).collect()
}

/// The package and the version of a node.
fn released<'a>(
    lockfile: &'a Lockfile,
    target: &'a TargetGraph,
    node: usize,
) -> Option<(&'a str, &'a str)> {
    let name = &target.nodes.get(node)?.name;
    Some((name, target.version(lockfile, node)?))
}

/// The node of every pattern.
fn uses_after(
    input: &Input<'_>,
    lockfile: &Lockfile,
    target: &TargetGraph,
    rules: &Rules,
) -> Result<BTreeMap<String, usize>, String> {
    let projects = projects(input);
    let mut uses = BTreeMap::new();
    let mut add = |edge: &TargetEdge, requirement: Option<&str>| {
        let Some(requirement) = requirement else {
            return Ok(());
        };
        let pattern = format!("{}@{requirement}", edge.name);
        // Two copies of one version are one entry.
        let release = |node: usize| released(lockfile, target, node);
        match uses.get(&pattern) {
            Some(other) if release(*other) != release(edge.to) => {
                Err(format!("`{pattern}` has two versions"))
            }
            Some(_) => Ok(()),
            None => {
                uses.insert(pattern, edge.to);
                Ok(())
            }
        }
    };

    for node in &target.nodes {
        for edge in &node.edges {
            // yarn 1 installs neither of these for a package.
            if !matches!(
                edge.kind,
                DependencyKind::Peer | DependencyKind::Development
            ) {
                add(edge, edge.requirement.as_deref())?;
            }
        }
    }
    for (root, edges) in lockfile.roots.iter().zip(&target.roots) {
        // The manifest counts: it has its edits already.
        let manifest = projects
            .iter()
            .find(|project| Some(&project.path) == root.manifest.as_ref())
            .filter(|project| project.readable)
            .map(|project| project.manifest.requirements());
        for edge in edges {
            let stated = manifest.as_ref().and_then(|listed| {
                let same = |(_, name, _): &&(DependencyKind, &str, &str)| *name == edge.name;
                listed
                    .iter()
                    .find(same)
                    .map(|(_, _, requirement)| *requirement)
            });
            if edge.kind != DependencyKind::Peer {
                add(edge, stated.or(edge.requirement.as_deref()))?;
            }
        }
    }

    // yarn keeps the pattern of a resolution next to those that it replaces. Two nodes of one version
    // are one entry.
    for (name, resolution) in &rules.everywhere {
        let mut nodes = uses
            .iter()
            .filter(|(pattern, _)| name_of(pattern) == name)
            .map(|(_, node)| *node);
        let Some(first) = nodes.next() else {
            continue;
        };
        let version = target.version(lockfile, first);
        if nodes.any(|node| target.version(lockfile, node) != version) {
            return Err(format!("`resolutions` give `{name}` one version"));
        }
        uses.insert(format!("{name}@{resolution}"), first);
    }

    Ok(uses)
}
