//! The copies of a target graph with their dependency paths, and the entries that they need.

use std::collections::{BTreeMap, BTreeSet};

use patchgate_model::{DependencyKind, Lockfile, Origin};

use super::document::{Block, Document};
use super::entry::{self, pair};
use crate::npm::pnpm::dep_path::{Generation, without_peers};
use crate::npm::pnpm::packages::{Copied, Entries};
use crate::npm::pnpm::scalar::block;
use crate::syntax::Node;
use crate::{TargetEdge, TargetGraph};

/// The two sections of a snapshot that list dependencies.
const SECTIONS: [&str; 2] = ["dependencies", "optionalDependencies"];

/// References by section and name.
type References = BTreeMap<(usize, String), String>;

/// The copies of the project's own document.
pub(super) struct Copies<'a> {
    lockfile: &'a Lockfile,
    target: &'a TargetGraph,
    entries: &'a Entries<'a>,
    /// Number of packages in the documents before.
    before: usize,
    /// The new path of each node.
    paths: Vec<String>,
}

impl<'a> Copies<'a> {
    /// Finds the path of every node.
    ///
    /// # Errors
    /// If a package would get other peers.
    pub(super) fn new(
        lockfile: &'a Lockfile,
        target: &'a TargetGraph,
        entries: &'a Entries<'a>,
        before: usize,
    ) -> Result<Self, String> {
        let mut new = Self {
            lockfile,
            target,
            entries,
            before,
            paths: Vec::with_capacity(target.nodes.len()),
        };
        let renamed = new.renamed();
        for node in 0..target.nodes.len() {
            let path = new.path(node, &renamed)?;
            new.paths.push(path);
        }
        new.keeps_peers()?;

        Ok(new)
    }

    /// `name@version` of each package of which a copy changes or leaves.
    fn renamed(&self) -> BTreeSet<String> {
        let mut after: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (number, node) in self.target.nodes.iter().enumerate() {
            let Some(package) = node.was.and_then(|was| self.lockfile.package(was)) else {
                continue;
            };
            let version = self.target.version(self.lockfile, number);
            after
                .entry(format!("{}@{}", package.name, package.version))
                .or_default()
                .insert(format!("{}@{}", node.name, version.unwrap_or_default()));
        }
        for package in &self.lockfile.packages {
            after
                .entry(format!("{}@{}", package.name, package.version))
                .or_default();
        }

        after
            .into_iter()
            .filter(|(old, new)| !(new.len() == 1 && new.contains(old)))
            .map(|(old, _)| old)
            .collect()
    }

    fn copy(&self, node: usize) -> Option<&Copied<'a>> {
        let was = self.target.nodes.get(node)?.was?.0 as usize;
        self.entries.copies.get(was.checked_sub(self.before)?)
    }

    fn path(&self, node: usize, renamed: &BTreeSet<String>) -> Result<String, String> {
        let Some(wanted) = self.target.nodes.get(node) else {
            return Ok(String::new());
        };
        let copy = self.copy(node);
        let old = copy.map(|copy| &*copy.path.name).unwrap_or_default();
        let plain = without_peers(old, Generation::Nine);
        let suffix = old.get(plain.len()..).unwrap_or_default();

        for spec in renamed {
            let is_peer = [format!("({spec})"), format!("({spec}(")]
                .iter()
                .any(|peer| suffix.contains(peer.as_str()));
            if is_peer {
                return Err(format!("`{old}` would get other peers"));
            }
        }
        if !renamed.is_empty() && suffix.split('(').skip(1).any(|peer| !peer.contains('@')) {
            return Err(format!("`{}` has peers that are not listed", wanted.name));
        }

        let Some(release) = &wanted.release else {
            return match (copy, wanted.was) {
                (Some(_), _) => Ok(old.to_owned()),
                // A package of an earlier document.
                (None, Some(_)) => Ok(String::new()),
                (None, None) => Err(format!("the release of `{}` is unknown", wanted.name)),
            };
        };
        let was = wanted.was.and_then(|was| self.lockfile.package(was));
        if was.is_some_and(|package| !matches!(package.origin, Origin::Registry(_))) {
            return Err(format!("`{}` is not from a registry", wanted.name));
        }
        if wanted.was.is_some() && copy.is_none() {
            return Err(format!("`{}` is a part of pnpm itself", wanted.name));
        }

        let peers: BTreeMap<String, bool> = entry::peers(release)
            .into_iter()
            .map(|(name, (_, optional))| (name, optional))
            .collect();
        if peers != copy.map(|copy| peers_of(copy.entry)).unwrap_or_default() {
            return Err(format!(
                "`{} {}` has other peers than before",
                wanted.name, release.version
            ));
        }
        Ok(format!("{}@{}{suffix}", wanted.name, release.version))
    }

    /// Checks that what each dependent gets from its dependencies needs the same peers as before.
    fn keeps_peers(&self) -> Result<(), String> {
        let old = |to: usize| {
            let copy = self.entries.copies.get(to.checked_sub(self.before)?)?;
            Some(needed_peers(copy))
        };
        let new = |to: usize| self.copy(to).map(needed_peers);
        let sorted = |peers: Vec<Vec<String>>| {
            let mut peers: Vec<_> = peers
                .into_iter()
                .filter(|peers| !peers.is_empty())
                .collect();
            peers.sort();
            peers
        };

        for node in &self.target.nodes {
            let was = node.was.and_then(|was| self.lockfile.package(was));
            let edges = was.map(|package| &*package.edges).unwrap_or_default();
            let before = edges.iter().filter_map(|edge| old(edge.to.0 as usize));
            let after = node.edges.iter().filter_map(|edge| new(edge.to));
            if sorted(before.collect()) != sorted(after.collect()) {
                return Err(format!(
                    "the dependencies of `{}` need other peers",
                    node.name
                ));
            }
        }

        Ok(())
    }

    /// The text by which a dependent refers to a node.
    fn reference(&self, edge: &TargetEdge) -> String {
        let path = self.paths.get(edge.to).map_or("", String::as_str);
        path.strip_prefix(&*edge.name)
            .and_then(|rest| rest.strip_prefix('@'))
            .unwrap_or(path)
            .to_owned()
    }

    /// Whether each node is needed by something that is not optional.
    fn required(&self) -> Vec<bool> {
        let mut required = vec![false; self.target.nodes.len()];
        let mut open: Vec<&TargetEdge> = self.target.roots.iter().flatten().collect();
        while let Some(edge) = open.pop() {
            if edge.kind == DependencyKind::Optional {
                continue;
            }
            if let Some(is_required) = required.get_mut(edge.to)
                && !*is_required
            {
                *is_required = true;
                let node = self.target.nodes.get(edge.to);
                open.extend(node.into_iter().flat_map(|node| &node.edges));
            }
        }
        required
    }

    /// Writes the entries of both sections.
    pub(super) fn write_packages(
        &self,
        own: &Node<'_>,
        document: &mut Document,
    ) -> Result<(), String> {
        let addresses = own
            .get("settings")
            .and_then(|settings| settings.get("lockfileIncludeTarballUrl"))
            .and_then(Node::bool)
            == Some(true);
        let required = self.required();
        let mut kept: BTreeSet<&str> = BTreeSet::new();
        let mut kept_packages: BTreeSet<&str> = BTreeSet::new();
        let mut snapshots: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut packages: BTreeMap<String, Vec<String>> = BTreeMap::new();

        for (number, node) in self.target.nodes.iter().enumerate() {
            let path = self.paths.get(number).map_or("", String::as_str);
            if path.is_empty() {
                continue;
            }
            let copy = self.copy(number);
            let is_optional = required.get(number) == Some(&false);
            let (old, new) = (copy.map(references), self.wanted(number)?);
            let was_optional = copy.is_some_and(|copy| {
                copy.snapshot.get("optional").and_then(Node::bool) == Some(true)
            });

            if node.release.is_none()
                && let Some(copy) = copy
            {
                kept_packages.insert(&copy.key.name);
                if old.as_ref() == Some(&new) && was_optional == is_optional {
                    kept.insert(&copy.path.name);
                    continue;
                }
            }
            let lines = snapshot(path, &new, copy, is_optional)?;
            if let Some(other) = snapshots.insert(path.to_owned(), lines.clone())
                && other != lines
            {
                return Err(format!("two copies of `{path}` differ"));
            }
            if let Some(release) = &node.release {
                let key = without_peers(path, Generation::Nine);
                let mut lines = entry::lines(&node.name, release, addresses)?;
                let name = block(key).ok_or_else(|| format!("`{key}` is an unusual name"))?;
                lines.insert(0, format!("  {name}:"));
                packages.insert(key.to_owned(), lines);
            }
        }

        packages.retain(|key, _| !kept_packages.contains(&**key));
        if let Some(path) = snapshots.keys().find(|path| kept.contains(&***path)) {
            return Err(format!("two copies of `{path}` differ"));
        }
        let blocks =
            |blocks: BTreeMap<String, Vec<String>>| -> Vec<Block> { blocks.into_iter().collect() };
        document.replace_blocks(
            own,
            "packages",
            |key| kept_packages.contains(key),
            blocks(packages),
        )?;
        document.replace_blocks(
            own,
            "snapshots",
            |key| kept.contains(key),
            blocks(snapshots),
        )
    }

    /// The references that a node should have, with those to linked directories.
    fn wanted(&self, number: usize) -> Result<References, String> {
        let Some(node) = self.target.nodes.get(number) else {
            return Ok(References::new());
        };
        let old = self.copy(number).map(references).unwrap_or_default();
        let mut new = References::new();
        for ((section, name), reference) in &old {
            if reference.starts_with("link:") {
                if node.release.is_some() {
                    return Err(format!("`{}` depends on a linked directory", node.name));
                }
                new.insert((*section, name.clone()), reference.clone());
            }
        }
        for edge in &node.edges {
            let section = match edge.kind {
                DependencyKind::Optional => 1,
                // A peer stays in the section that it is in.
                DependencyKind::Peer if old.contains_key(&(1, edge.name.clone())) => 1,
                _ => 0,
            };
            new.insert((section, edge.name.clone()), self.reference(edge));
        }

        Ok(new)
    }

    /// Writes the versions and requirements of the projects' own dependencies.
    pub(super) fn write_importers(
        &self,
        own: &Node<'_>,
        document: &mut Document,
    ) -> Result<(), String> {
        let importers = own.get("importers").map(Node::entries).unwrap_or_default();
        let mut listed: BTreeMap<(String, &str), &TargetEdge> = BTreeMap::new();
        for (root, edges) in self.lockfile.roots.iter().zip(&self.target.roots) {
            if root.edges.len() != edges.len() {
                return Err("a project would get another number of dependencies".to_owned());
            }
            for (old, edge) in root.edges.iter().zip(edges) {
                if old.name != *edge.name {
                    return Err(format!("a project would depend on `{}`", edge.name));
                }
                let Some(manifest) = &root.manifest else {
                    return Err("the manifest of a project is missing".to_owned());
                };
                listed.insert((manifest.clone(), &edge.name), edge);
            }
        }

        for (directory, importer) in importers {
            let manifest = super::manifest(&self.lockfile.path, &directory.name);
            for section in ["dependencies", "devDependencies", "optionalDependencies"] {
                for (name, value) in importer.get(section).map(Node::entries).unwrap_or_default() {
                    let Some(edge) = listed.get(&(manifest.clone(), &*name.name)) else {
                        // A linked directory is no edge, and has no version to write.
                        continue;
                    };
                    self.write_dependency(value, edge, document)?;
                }
            }
        }

        Ok(())
    }

    fn write_dependency(
        &self,
        value: &Node<'_>,
        edge: &TargetEdge,
        document: &mut Document,
    ) -> Result<(), String> {
        let (Some(specifier), Some(version)) = (value.entry("specifier"), value.entry("version"))
        else {
            return Err(format!(
                "the entry of `{}` has another form than pnpm's",
                edge.name
            ));
        };
        let unusual = || format!("`{}` has an unusual requirement", edge.name);
        let reference = self.reference(edge);
        let is_link = version.1.text().is_some_and(|old| old.starts_with("link:"));
        if version.1.text() != Some(&reference) && !is_link {
            if specifier
                .1
                .text()
                .is_some_and(|text| text.starts_with("catalog:"))
            {
                return Err(format!("`{}` is in a catalog", edge.name));
            }
            let text = block(&reference).ok_or_else(unusual)?;
            document.set_value(version.0.line, &text)?;
        }
        if let Some(requirement) = &edge.requirement
            && specifier.1.text() != Some(requirement)
        {
            let text = block(requirement).ok_or_else(unusual)?;
            document.set_value(specifier.0.line, &text)?;
        }

        Ok(())
    }
}

/// The references in a copy's snapshot.
fn references(copy: &Copied<'_>) -> References {
    let mut references = References::new();
    for (number, section) in SECTIONS.iter().enumerate() {
        let listed = copy.snapshot.get(section).map(Node::entries);
        for (name, reference) in listed.unwrap_or_default() {
            if let Some(reference) = reference.text() {
                references.insert((number, name.name.to_string()), reference.to_owned());
            }
        }
    }
    references
}

/// The peers of an entry, and whether each is optional.
fn peers_of(entry: &Node<'_>) -> BTreeMap<String, bool> {
    let meta = entry.get("peerDependenciesMeta");
    let is_optional = |name: &str| {
        meta.and_then(|meta| meta.get(name))
            .and_then(|meta| meta.get("optional"))
            .and_then(Node::bool)
            == Some(true)
    };
    let peers = entry.get("peerDependencies").map(Node::entries);
    peers
        .unwrap_or_default()
        .iter()
        .map(|(name, _)| (name.name.to_string(), is_optional(&name.name)))
        .collect()
}

/// The peers that a copy has, or leaves to its dependents.
fn needed_peers(copy: &Copied<'_>) -> Vec<String> {
    let transitive = copy.snapshot.get("transitivePeerDependencies");
    let mut peers: Vec<String> = transitive
        .map(Node::items)
        .unwrap_or_default()
        .iter()
        .filter_map(|peer| peer.text().map(str::to_owned))
        .collect();
    peers.extend(peers_of(copy.entry).into_keys());
    let plain = without_peers(&copy.path.name, Generation::Nine);
    let suffix = copy.path.name.get(plain.len()..).unwrap_or_default();
    if !suffix.is_empty() {
        peers.push(suffix.to_owned());
    }
    peers.sort();
    peers
}

/// The lines of a snapshot.
fn snapshot(
    path: &str,
    references: &References,
    copy: Option<&Copied<'_>>,
    is_optional: bool,
) -> Result<Vec<String>, String> {
    let unusual = || format!("`{path}` has an unusual name");
    let mut lines = Vec::new();
    let mut last = None;
    for ((section, name), reference) in references {
        if last != Some(*section) {
            let title = SECTIONS.get(*section).copied().unwrap_or_default();
            lines.push(format!("    {title}:"));
            last = Some(*section);
        }
        lines.push(pair(6, name, reference).ok_or_else(unusual)?);
    }
    let transitive = copy.and_then(|copy| copy.snapshot.get("transitivePeerDependencies"));
    for (number, peer) in transitive
        .map(Node::items)
        .unwrap_or_default()
        .iter()
        .enumerate()
    {
        if number == 0 {
            lines.push("    transitivePeerDependencies:".to_owned());
        }
        let peer = peer.text().and_then(block).ok_or_else(unusual)?;
        lines.push(format!("      - {peer}"));
    }
    if is_optional {
        lines.push("    optional: true".to_owned());
    }

    let key = block(path).ok_or_else(unusual)?;
    let empty = if lines.is_empty() { " {}" } else { "" };
    lines.insert(0, format!("  {key}:{empty}"));
    Ok(lines)
}
