//! Writer of `Cargo.lock`.
//!
//! The dependencies of a package are computed from the registry's metadata as Cargo's resolver does it,
//! for every package of the graph: a new release may ask other features of a package that stays. Every
//! package is written in Cargo's own layout, in the version of the format that the file has. A file in
//! another layout, which Cargo would rewrite, is refused.

mod activation;
mod prepare;
mod text;

use std::collections::{BTreeMap, BTreeSet};

use patchgate_model::{Lockfile, Origin, Package, PackageIndex};

pub use self::prepare::{with_format_of, with_versions, without_package};

use self::activation::{Facts, is_registry};
use self::text::{Entry, LockText, Node};
use super::manifest::{Project, Workspace};
use super::{lockfile, roots};
use crate::{
    Downloads, Input, LockfileWriter, Release, Siblings, TargetGraph, TargetNode, WriteError,
};

/// Writer of `Cargo.lock`.
#[derive(Debug)]
pub(super) struct CargoLockWriter;

impl LockfileWriter for CargoLockWriter {
    /// The lockfile does not say which features are on, so the metadata of every package is needed.
    fn needs_every_release(&self) -> bool {
        true
    }

    fn write(
        &self,
        input: &Input<'_>,
        lockfile: &Lockfile,
        target: &TargetGraph,
        _downloads: &Downloads,
    ) -> Result<Siblings, WriteError> {
        let refused = |reason: String| WriteError::new(input, reason);
        let bytes = if is_unchanged(lockfile, target) {
            input.bytes.to_vec()
        } else {
            let text = input.text().map_err(|error| refused(error.reason))?;
            Writer::new(text, lockfile, target)
                .and_then(|writer| writer.write(input))
                .map_err(refused)?
                .into_bytes()
        };

        Ok(Siblings::from([(input.path.to_owned(), bytes)]))
    }
}

/// The version of the format. `None` for one that is not known.
fn version(lockfile: &Lockfile) -> Option<u32> {
    match lockfile.format.as_str() {
        "cargo-lock-v1" => Some(1),
        "cargo-lock-v2" => Some(2),
        "cargo-lock-v3" => Some(3),
        "cargo-lock-v4" => Some(4),
        _ => None,
    }
}

/// The packages of a lockfile as they are.
fn nodes_of(text: &LockText, lockfile: &Lockfile) -> Vec<Node> {
    text.entries
        .iter()
        .zip(&lockfile.packages)
        .map(|(entry, package)| Node {
            entry: Entry {
                checksum: package.integrity.clone(),
                ..entry.clone()
            },
            dependencies: package
                .edges
                .iter()
                .map(|edge| edge.to.0 as usize)
                .collect(),
        })
        .collect()
}

fn is_unchanged(lockfile: &Lockfile, target: &TargetGraph) -> bool {
    let all = target.nodes.len() == lockfile.packages.len();
    let kept = |(index, node): (usize, &TargetNode)| {
        let Some(package) = lockfile.packages.get(index) else {
            return false;
        };
        let same_version = node
            .release
            .as_ref()
            .is_none_or(|release| release.version == package.version);
        let before: BTreeSet<usize> = package.edges.iter().map(|e| e.to.0 as usize).collect();
        let after: BTreeSet<usize> = node.edges.iter().map(|edge| edge.to).collect();
        node.was.map(|was| was.0 as usize) == Some(index) && same_version && before == after
    };

    all && target.nodes.iter().enumerate().all(kept)
}

struct Writer<'a> {
    text: LockText,
    version: u32,
    lockfile: &'a Lockfile,
    target: &'a TargetGraph,
}

impl<'a> Writer<'a> {
    fn new(text: &str, lockfile: &'a Lockfile, target: &'a TargetGraph) -> Result<Self, String> {
        let version = version(lockfile).ok_or("its version is not known")?;
        let odd = "it is not in the layout that Cargo writes";
        let read = LockText::read(text).ok_or(odd)?;
        if !lockfile.skipped.is_empty() || read.entries.len() != lockfile.packages.len() {
            return Err(odd.to_owned());
        }
        if !LockText::has_lines_of(text, &read.print(&nodes_of(&read, lockfile), version)) {
            return Err(odd.to_owned());
        }

        Ok(Self {
            text: read,
            version,
            lockfile,
            target,
        })
    }

    fn write(&self, input: &Input<'_>) -> Result<String, String> {
        let workspace = Workspace::read(input);
        let projects = roots::projects(self.lockfile, workspace.as_ref());
        let entries = self.entries()?;
        self.check_patches(&entries)?;

        let nodes = self.activation_nodes(&entries, &projects);
        let dependencies = activation::dependencies(&nodes)?;
        let printed = self.reachable(&projects, &entries, &dependencies);
        check_graph(&printed, &self.releases())?;

        Ok(self.text.print(&printed, self.version))
    }

    fn package(&self, node: &TargetNode) -> Option<&'a Package> {
        self.lockfile.package(node.was?)
    }

    /// The release of a node with another version than before.
    fn changed<'n>(&self, node: &'n TargetNode) -> Option<&'n Release> {
        let before = self.package(node).map(|package| &package.version);
        let release = node.release.as_ref()?;
        (before != Some(&release.version)).then_some(release)
    }

    /// The entry of each node.
    fn entries(&self) -> Result<Vec<Entry>, String> {
        let mut entries = Vec::with_capacity(self.target.nodes.len());
        for node in &self.target.nodes {
            let before = node.was.and_then(|was| {
                Some((self.text.entries.get(was.0 as usize)?, self.package(node)?))
            });
            let Some(release) = self.changed(node) else {
                let Some((entry, package)) = before else {
                    return Err(format!("`{}` has no version", node.name));
                };
                entries.push(Entry {
                    checksum: package.integrity.clone(),
                    ..entry.clone()
                });
                continue;
            };

            let described = format!("`{} {}`", node.name, release.version);
            let checksum = release
                .files
                .iter()
                .flat_map(|file| &file.hashes)
                .find(|(algorithm, _)| algorithm == "sha256")
                .ok_or_else(|| format!("{described} has no checksum in the registry"))?;
            if before.is_some_and(|(entry, _)| entry.replace.is_some()) {
                return Err(format!("`{}` is replaced by `[replace]`", node.name));
            }
            entries.push(Entry {
                name: before.map_or(&node.name, |(entry, _)| &entry.name).clone(),
                version: release.version.clone(),
                source: before.and_then(|(entry, _)| entry.source.clone()),
                checksum: Some(checksum.1.clone()),
                replace: None,
            });
        }

        self.find_sources(&mut entries)?;
        Ok(entries)
    }

    /// Gives new packages their sources: that of another version of the package, else the one from
    /// which their dependents come.
    fn find_sources(&self, entries: &mut [Entry]) -> Result<(), String> {
        let before: BTreeSet<(&str, &str)> = self
            .text
            .entries
            .iter()
            .filter_map(|entry| Some((entry.name.as_str(), entry.source.as_deref()?)))
            .filter(|(_, source)| is_registry(source))
            .collect();
        let is_new = |index: usize| self.target.nodes[index].was.is_none();
        for (index, entry) in entries.iter_mut().enumerate() {
            let mut known = before.iter().filter(|(other, _)| *other == entry.name);
            if is_new(index)
                && let (Some((_, source)), None) = (known.next(), known.next())
            {
                entry.source = Some((*source).to_owned());
            }
        }

        // A new package may be needed by new ones only.
        let mut found = true;
        while found {
            found = false;
            for child in 0..entries.len() {
                if is_new(child) && entries[child].source.is_none() {
                    let mut parents = 0..entries.len();
                    let source = parents.find_map(|parent| self.source_of(parent, child, entries));
                    found |= source.is_some();
                    entries[child].source = source;
                }
            }
        }

        let lacking = entries.iter().enumerate().find(|(index, entry)| {
            let source = entry.source.as_deref();
            self.changed(&self.target.nodes[*index]).is_some() && !source.is_some_and(is_registry)
        });
        match lacking {
            Some((_, entry)) => Err(format!("the registry of `{}` is not known", entry.name)),
            None => Ok(()),
        }
    }

    /// The source of a dependency of a registry's package. `None` if it is not one.
    fn source_of(&self, parent: usize, child: usize, entries: &[Entry]) -> Option<String> {
        let release = self.target.nodes.get(parent)?.release.as_ref()?;
        let name = &entries.get(child)?.name;
        let needed = release
            .requirements
            .iter()
            .find(|one| one.package_name() == name)?;
        match &needed.registry {
            None => entries.get(parent)?.source.clone(),
            Some(registry) => entries
                .iter()
                .filter_map(|entry| entry.source.clone())
                .find(|source| is_registry(source) && source.ends_with(registry.as_str())),
        }
    }

    /// A patch that the graph did not use so far may fit a package that changes.
    fn check_patches(&self, entries: &[Entry]) -> Result<(), String> {
        for (node, entry) in self.target.nodes.iter().zip(entries) {
            let is_patched = self.text.unused.iter().any(|one| one.name == entry.name);
            if is_patched && self.changed(node).is_some() {
                return Err(format!("`{}` has a `[patch]`", entry.name));
            }
        }
        Ok(())
    }

    fn activation_nodes<'n>(
        &'n self,
        entries: &'n [Entry],
        projects: &BTreeMap<usize, &'n Project>,
    ) -> Vec<activation::Node<'n>> {
        let touched = self.touched();
        self.target
            .nodes
            .iter()
            .zip(entries)
            .enumerate()
            .map(|(index, (node, entry))| {
                let project = node.was.and_then(|was| projects.get(&(was.0 as usize)));
                let is_registered = entry.source.as_deref().is_some_and(is_registry);
                activation::Node {
                    name: &entry.name,
                    version: &entry.version,
                    source: entry.source.as_deref(),
                    facts: match (project, &node.release) {
                        // Its dependencies are those of the package that replaces it.
                        _ if entry.replace.is_some() => Facts::Unknown,
                        (Some(project), _) => Facts::Project(project),
                        (None, Some(release)) if is_registered => Facts::Release(release),
                        (None, _) => Facts::Unknown,
                    },
                    edges: &node.edges,
                    is_changed: self.changed(node).is_some(),
                    is_touched: touched.contains(&index),
                }
            })
            .collect()
    }

    /// The packages that may be asked for other features than before: those that a changed package
    /// depends on or did before, and all below them.
    fn touched(&self) -> BTreeSet<usize> {
        let nodes = &self.target.nodes;
        let node_of: BTreeMap<PackageIndex, usize> = nodes
            .iter()
            .enumerate()
            .filter_map(|(index, node)| Some((node.was?, index)))
            .collect();
        let before = |copy: PackageIndex| {
            let package = self.lockfile.package(copy);
            let edges = package.into_iter().flat_map(|package| &package.edges);
            edges.filter_map(|edge| node_of.get(&edge.to).copied())
        };

        let mut queue = Vec::new();
        for (copy, _) in self.lockfile.indexed() {
            if !node_of.contains_key(&copy) {
                queue.extend(before(copy));
            }
        }
        for (index, node) in nodes.iter().enumerate() {
            let after: BTreeSet<usize> = node.edges.iter().map(|edge| edge.to).collect();
            let former: BTreeSet<usize> = node.was.into_iter().flat_map(before).collect();
            if self.changed(node).is_some() {
                queue.push(index);
                queue.extend(&former);
            }
            // A dependent of its own kind of change: it gets another package than before.
            queue.extend(after.symmetric_difference(&former));
        }

        let mut touched = BTreeSet::new();
        while let Some(index) = queue.pop() {
            if touched.insert(index) {
                let edges = nodes.get(index).into_iter().flat_map(|node| &node.edges);
                queue.extend(edges.map(|edge| edge.to));
            }
        }
        touched
    }

    /// The packages that the members need. Members that are not known count as such.
    fn reachable(
        &self,
        projects: &BTreeMap<usize, &Project>,
        entries: &[Entry],
        dependencies: &[BTreeSet<usize>],
    ) -> Vec<Node> {
        let is_root = |index: &usize| {
            let was = self.target.nodes[*index].was;
            let project = was.and_then(|was| projects.get(&(was.0 as usize)));
            let is_path = was
                .and_then(|was| self.lockfile.package(was))
                .is_some_and(|package| matches!(package.origin, Origin::Path(_)));
            is_path && project.is_none_or(|project| project.is_member)
        };
        let mut queue: Vec<usize> = (0..entries.len()).filter(is_root).collect();
        let mut reached = BTreeSet::new();
        while let Some(index) = queue.pop() {
            if reached.insert(index) {
                queue.extend(dependencies.get(index).into_iter().flatten());
            }
        }

        let numbers: BTreeMap<usize, usize> = reached
            .iter()
            .enumerate()
            .map(|(number, index)| (*index, number))
            .collect();
        reached
            .iter()
            .map(|index| Node {
                entry: entries[*index].clone(),
                dependencies: dependencies[*index]
                    .iter()
                    .filter_map(|to| numbers.get(to).copied())
                    .collect(),
            })
            .collect()
    }

    /// The known releases of the graph, by name and version.
    fn releases(&self) -> BTreeMap<(&str, &str), &Release> {
        let nodes = self.target.nodes.iter();
        nodes
            .filter_map(|node| {
                let release = node.release.as_ref()?;
                Some(((node.name.as_str(), release.version.as_str()), release))
            })
            .collect()
    }
}

/// Checks Cargo's rules for a whole graph: one package for each line of compatible versions, and one
/// for each native library.
fn check_graph(nodes: &[Node], releases: &BTreeMap<(&str, &str), &Release>) -> Result<(), String> {
    let mut lines: BTreeMap<(&str, Option<&str>, Vec<&str>), &str> = BTreeMap::new();
    let mut linked: BTreeMap<&str, &str> = BTreeMap::new();
    for Node { entry, .. } in nodes {
        let key = (
            entry.name.as_str(),
            entry.source.as_deref(),
            line(&entry.version),
        );
        if let Some(other) = lines.insert(key, &entry.version) {
            return Err(format!(
                "`{}` cannot be there in the compatible versions {other} and {}",
                entry.name, entry.version
            ));
        }

        let release = releases.get(&(entry.name.as_str(), entry.version.as_str()));
        let Some(links) = release.and_then(|release| release.links.as_deref()) else {
            continue;
        };
        if let Some(other) = linked.insert(links, &entry.name) {
            return Err(format!(
                "`{other}` and `{}` both link to the native library `{links}`",
                entry.name
            ));
        }
    }

    Ok(())
}

/// The first number of a version that is not zero, with the zeros before it. Cargo allows one version
/// for each.
fn line(version: &str) -> Vec<&str> {
    let mut line = Vec::new();
    for number in version.split(['.', '-', '+']).take(3) {
        line.push(number);
        if number != "0" {
            break;
        }
    }
    line
}

#[cfg(test)]
mod tests;
