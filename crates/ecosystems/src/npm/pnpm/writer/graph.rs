//! The copies of a target graph with their dependency paths, and the entries that they need.

use std::collections::{BTreeMap, BTreeSet};

use patchgate_model::{DependencyKind, Lockfile, Origin};

use super::document::{Block, Document};
use super::entry::{self, pair};
use super::old::Form;
use super::peers::{self, Copied, Project, Settings, Shape, Text};
use crate::npm::pnpm::dep_path::without_peers;
use crate::npm::pnpm::importers;
use crate::npm::pnpm::packages::{Copied as Entry, Entries};
use crate::npm::pnpm::scalar::block;
use crate::npm::pnpm::workspace;
use crate::syntax::Node;
use crate::{Release, TargetEdge, TargetGraph, TargetNode};

/// Longest list of peers in a path, where the settings name none (pnpm's `peersSuffixMaxLength`).
const LONGEST_PEERS: usize = 1_000;

/// The sections of a project.
pub(super) const IMPORTER_SECTIONS: [&str; 3] =
    ["dependencies", "devDependencies", "optionalDependencies"];

/// The two sections of a snapshot that list dependencies.
const SECTIONS: [&str; 2] = ["dependencies", "optionalDependencies"];

/// References by section and name.
type References = BTreeMap<(usize, String), String>;

/// What the entry of a copy says.
#[derive(PartialEq, Eq)]
pub(super) struct Content {
    references: References,
    transitive: Vec<String>,
}

/// The copies of the project's own document.
pub(super) struct Copies<'a> {
    pub(super) lockfile: &'a Lockfile,
    pub(super) target: &'a TargetGraph,
    pub(super) entries: &'a Entries<'a>,
    pub(super) form: Form,
    /// Number of packages in the documents before.
    before: usize,
    /// The new path of each node. Empty for one of an earlier document.
    pub(super) paths: Vec<String>,
    /// The peers that the entry of each node leaves to its dependents.
    transitive: Vec<Vec<String>>,
    /// The peers in the manifest of each node, and whether each is optional.
    declared: Vec<BTreeMap<String, bool>>,
}

impl<'a> Copies<'a> {
    /// Finds the path of every node.
    ///
    /// # Errors
    /// If pnpm alone decides which peers a package gets.
    pub(super) fn new(
        lockfile: &'a Lockfile,
        target: &'a TargetGraph,
        entries: &'a Entries<'a>,
        before: usize,
        own: &Node<'_>,
        form: Form,
    ) -> Result<Self, String> {
        let mut new = Self {
            lockfile,
            target,
            entries,
            form,
            before,
            paths: Vec::new(),
            transitive: Vec::new(),
            declared: Vec::new(),
        };
        let texts: Vec<Text> = (0..lockfile.packages.len())
            .map(|number| new.text(number))
            .collect();
        let old = Shape {
            nodes: (0..lockfile.packages.len())
                .map(|number| new.copied_before(number))
                .collect(),
            ..new.projects(own, &TargetGraph::unchanged(lockfile).roots)
        };
        let nodes: Result<Vec<Copied>, String> = (0..target.nodes.len())
            .map(|number| new.copied(number))
            .collect();
        let shape = Shape {
            nodes: nodes?,
            ..new.projects(own, &target.roots)
        };

        let setting = |name: &str| own.get("settings").and_then(|settings| settings.get(name));
        let longest = setting("peersSuffixMaxLength").and_then(Node::scalar);
        let settings = Settings {
            installs_peers: match setting("autoInstallPeers").and_then(Node::bool) {
                Some(installs_peers) => installs_peers,
                // Older versions do not record it.
                None => form != Form::Nine,
            },
            form,
            longest: longest
                .and_then(|longest| longest.parse().ok())
                .unwrap_or(LONGEST_PEERS),
        };
        let named = peers::name(&old, &shape, &texts, settings)?;
        new.paths = named.paths;
        new.transitive = named.transitive;
        new.declared = shape.nodes.into_iter().map(|node| node.declared).collect();

        Ok(new)
    }

    pub(super) fn copy(&self, node: usize) -> Option<&Entry<'a>> {
        let was = self.target.nodes.get(node)?.was?.0 as usize;
        self.copy_before(was)
    }

    fn copy_before(&self, number: usize) -> Option<&Entry<'a>> {
        self.entries.copies.get(number.checked_sub(self.before)?)
    }

    /// The text of a copy of the file before.
    fn text(&self, number: usize) -> Text {
        let Some(copy) = self.copy_before(number) else {
            return Text {
                path: String::new(),
                base: String::new(),
                transitive: Vec::new(),
            };
        };
        let listed = copy.snapshot.get("transitivePeerDependencies");
        Text {
            path: copy.path.name.to_string(),
            base: base(&copy.path.name, self.form).to_owned(),
            transitive: listed
                .map(Node::items)
                .unwrap_or_default()
                .iter()
                .filter_map(|peer| peer.text().map(str::to_owned))
                .collect(),
        }
    }

    fn copied_before(&self, number: usize) -> Copied {
        let (Some(copy), Some(package)) =
            (self.copy_before(number), self.lockfile.packages.get(number))
        else {
            return Copied::default();
        };
        let edges = package.edges.iter();
        Copied {
            was: Some(number),
            name: package.name.clone(),
            base: base(&copy.path.name, self.form).to_owned(),
            declared: peers_of(copy.entry),
            edges: edges
                .map(|edge| (edge.name.to_string(), edge.to.0 as usize))
                .collect(),
            links: links(references(copy)),
        }
    }

    fn copied(&self, number: usize) -> Result<Copied, String> {
        let Some(node) = self.target.nodes.get(number) else {
            return Ok(Copied::default());
        };
        let copy = self.copy(number);
        let was = node.was.map(|was| was.0 as usize);
        let edges = node.edges.iter();
        let edges = edges.map(|edge| (edge.name.clone(), edge.to)).collect();
        let Some(release) = &node.release else {
            return match (copy, was) {
                (Some(copy), _) => Ok(Copied {
                    was,
                    name: node.name.clone(),
                    base: base(&copy.path.name, self.form).to_owned(),
                    declared: peers_of(copy.entry),
                    edges,
                    links: links(references(copy)),
                }),
                // A package of an earlier document.
                (None, Some(_)) => Ok(Copied {
                    was,
                    ..Copied::default()
                }),
                (None, None) => Err(format!("the release of `{}` is unknown", node.name)),
            };
        };

        let package = node.was.and_then(|was| self.lockfile.package(was));
        if package.is_some_and(|package| !matches!(package.origin, Origin::Registry(_))) {
            return Err(format!("`{}` is not from a registry", node.name));
        }
        if was.is_some() && copy.is_none() {
            return Err(format!("`{}` is a part of pnpm itself", node.name));
        }
        let is_patched = |copy: &Entry<'_>| {
            copy.path.name.contains("(patch_hash=") || copy.entry.get("patched").is_some()
        };
        if copy.is_some_and(is_patched) {
            return Err(format!("`{}` is patched", node.name));
        }
        if let Some(missing) = unbound(node, release) {
            return Err(format!(
                "`{} {}` needs `{missing}`, which has no version",
                node.name, release.version
            ));
        }
        let generation = self.form.generation();
        let is_old = self.form != Form::Nine;
        if is_old && copy.is_some_and(|copy| !copy.path.name.starts_with('/')) {
            return Err(format!("`{}` is from another registry", node.name));
        }
        let declared = entry::peers(release).into_iter();
        Ok(Copied {
            was,
            name: node.name.clone(),
            base: generation.path(&node.name, &release.version),
            declared: declared
                .map(|(name, (_, is_optional))| (name, is_optional))
                .collect(),
            edges,
            links: BTreeSet::new(),
        })
    }

    /// The projects with these edges, by the projects of the lockfile.
    fn projects(&self, own: &Node<'_>, edges: &[Vec<TargetEdge>]) -> Shape {
        let importers = importers::listed(own);
        let mut projects = Vec::with_capacity(importers.len());
        for (directory, importer) in &importers {
            let manifest = super::manifest(&self.lockfile.path, directory);
            let roots = self.lockfile.roots.iter().zip(edges);
            let of_manifest = roots.filter(|(root, _)| root.manifest.as_ref() == Some(&manifest));
            let edges: BTreeMap<&str, usize> = of_manifest
                .flat_map(|(_, edges)| edges)
                .map(|edge| (edge.name.as_str(), edge.to))
                .collect();
            let mut project = Project::default();
            for section in IMPORTER_SECTIONS {
                for (name, value) in importer.get(section).map(Node::entries).unwrap_or_default() {
                    let version = value
                        .text()
                        .or_else(|| value.get("version").and_then(Node::text));
                    if version.is_some_and(|version| version.starts_with("link:")) {
                        project.links.insert(name.name.to_string());
                    } else if let Some(to) = edges.get(&*name.name) {
                        project.edges.insert(name.name.to_string(), *to);
                    }
                }
            }
            projects.push(project);
        }

        Shape {
            nodes: Vec::new(),
            root: importers
                .iter()
                .position(|(directory, _)| *directory == "."),
            projects,
        }
    }

    /// The text by which a dependent refers to a node.
    pub(super) fn reference(&self, edge: &TargetEdge) -> String {
        let path = self.paths.get(edge.to).map_or("", String::as_str);
        let generation = self.form.generation();
        generation.reference(path, &edge.name).to_owned()
    }

    /// The paths that something needs that is not optional.
    fn required(&self) -> BTreeSet<&str> {
        let mut seen = vec![false; self.target.nodes.len()];
        let mut required = BTreeSet::new();
        let mut open: Vec<&TargetEdge> = self.target.roots.iter().flatten().collect();
        open.retain(|edge| edge.kind != DependencyKind::Optional);
        while let Some(edge) = open.pop() {
            if let Some(is_seen) = seen.get_mut(edge.to)
                && !*is_seen
            {
                *is_seen = true;
                required.extend(self.paths.get(edge.to).map(String::as_str));
                let node = self.target.nodes.get(edge.to);
                let edges = node.into_iter().flat_map(|node| &node.edges);
                open.extend(edges.filter(|needed| {
                    needed.kind != DependencyKind::Optional
                        && !self.is_optional_peer(edge.to, &needed.name)
                }));
            }
        }
        required
    }

    /// Whether a node has an optional peer of this name, and pnpm lists it as an optional dependency.
    fn is_optional_peer(&self, number: usize, name: &str) -> bool {
        if self.form != Form::Nine {
            return false;
        }
        let declared = self.declared.get(number);
        declared.and_then(|declared| declared.get(name)) == Some(&true)
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
        let mut contents: BTreeMap<&str, Content> = BTreeMap::new();
        let mut snapshots: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut packages: BTreeMap<String, Vec<String>> = BTreeMap::new();

        for (number, node) in self.target.nodes.iter().enumerate() {
            let path = self.paths.get(number).map_or("", String::as_str);
            if path.is_empty() {
                continue;
            }
            // Two copies may become one.
            let content = self.content(number)?;
            if contents.get(path).is_some_and(|other| *other != content) {
                return Err(format!("two copies of `{path}` differ"));
            }

            let is_optional = !required.contains(path);
            if node.release.is_none()
                && let Some(copy) = self.copy(number)
            {
                kept_packages.insert(&copy.key.name);
                let was_optional = copy.snapshot.get("optional").and_then(Node::bool) == Some(true);
                let is_same = path == copy.path.name
                    && content_of(copy) == content
                    && was_optional == is_optional;
                if is_same {
                    kept.insert(&copy.path.name);
                }
            }
            snapshots.insert(path.to_owned(), snapshot(path, &content, is_optional)?);
            contents.insert(path, content);
            if let Some(release) = &node.release {
                let key = without_peers(path, self.form.generation());
                let mut lines = entry::lines(&node.name, release, addresses, false)?;
                let name = block(key).ok_or_else(|| format!("`{key}` is an unusual name"))?;
                lines.insert(0, format!("  {name}:"));
                packages.insert(key.to_owned(), lines);
            }
        }

        packages.retain(|key, _| !kept_packages.contains(&**key));
        snapshots.retain(|path, _| !kept.contains(&**path));
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

    pub(super) fn content(&self, number: usize) -> Result<Content, String> {
        Ok(Content {
            references: self.wanted(number)?,
            transitive: self.transitive.get(number).cloned().unwrap_or_default(),
        })
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
                _ => usize::from(self.is_optional_peer(number, &edge.name)),
            };
            new.insert((section, edge.name.clone()), self.reference(edge));
        }

        Ok(new)
    }

    /// Checks that no package has an overridden package as a peer: pnpm changes such entries.
    pub(super) fn have_no_peer(&self, overrides: &BTreeMap<String, String>) -> Result<(), String> {
        let declared = (0..self.target.nodes.len()).map(|number| self.copied(number));
        for copied in declared {
            let copied = copied?;
            let mut names = overrides.keys().map(|pattern| workspace::about(pattern));
            if let Some(name) = names.find(|name| copied.declared.contains_key(*name)) {
                return Err(format!("`{}` has `{name}` as a peer", copied.name));
            }
        }

        Ok(())
    }
}

/// What the entry of a copy says now.
pub(super) fn content_of(copy: &Entry<'_>) -> Content {
    let listed = copy.snapshot.get("transitivePeerDependencies");
    let listed = listed.map(Node::items).unwrap_or_default().iter();
    Content {
        references: references(copy),
        transitive: listed
            .filter_map(|peer| peer.text().map(str::to_owned))
            .collect(),
    }
}

/// The references in a copy's snapshot.
fn references(copy: &Entry<'_>) -> References {
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

/// A path without its peers, but with the hash of a patch.
fn base(path: &str, form: Form) -> &str {
    let plain = without_peers(path, form.generation()).len();
    let suffix = path.get(plain..).unwrap_or_default();
    let patch = match suffix.starts_with("(patch_hash=") {
        true => suffix.find(')').map_or(0, |end| end + 1),
        false => 0,
    };
    path.get(..plain + patch).unwrap_or(path)
}

/// The names of linked directories among references.
fn links(references: References) -> BTreeSet<String> {
    let links = references.into_iter();
    links
        .filter(|(_, reference)| reference.starts_with("link:"))
        .map(|((_, name), _)| name)
        .collect()
}

/// A dependency of a release to which the graph gives no version. pnpm locks optional ones as well.
fn unbound<'r>(node: &TargetNode, release: &'r Release) -> Option<&'r str> {
    let needed = release.requirements.iter().filter(|requirement| {
        matches!(
            requirement.kind,
            DependencyKind::Runtime | DependencyKind::Optional
        )
    });
    needed
        .map(|requirement| requirement.name.as_str())
        .find(|name| !node.edges.iter().any(|edge| edge.name == *name))
}

/// The lines of a snapshot.
fn snapshot(path: &str, content: &Content, is_optional: bool) -> Result<Vec<String>, String> {
    let mut lines = content_lines(path, content)?;
    if is_optional {
        lines.push("    optional: true".to_owned());
    }

    let key = block(path).ok_or_else(|| format!("`{path}` has an unusual name"))?;
    let empty = if lines.is_empty() { " {}" } else { "" };
    lines.insert(0, format!("  {key}:{empty}"));
    Ok(lines)
}

/// The lines of what a copy depends on.
pub(super) fn content_lines(path: &str, content: &Content) -> Result<Vec<String>, String> {
    let unusual = || format!("`{path}` has an unusual name");
    let mut lines = Vec::new();
    let mut last = None;
    for ((section, name), reference) in &content.references {
        if last != Some(*section) {
            let title = SECTIONS.get(*section).copied().unwrap_or_default();
            lines.push(format!("    {title}:"));
            last = Some(*section);
        }
        lines.push(pair(6, name, reference).ok_or_else(unusual)?);
    }
    if !content.transitive.is_empty() {
        lines.push("    transitivePeerDependencies:".to_owned());
    }
    for peer in &content.transitive {
        let peer = block(peer).ok_or_else(unusual)?;
        lines.push(format!("      - {peer}"));
    }
    Ok(lines)
}
