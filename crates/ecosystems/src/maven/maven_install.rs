//! Reader of `maven_install.json`, the lockfile of Bazel's rules_jvm_external
//! (<https://github.com/bazel-contrib/rules_jvm_external#pinning-artifacts-and-integration-with-bazels-downloader>).
//!
//! Version 1 lists archives under `dependency_tree`. Version 2 has maps of artifacts, dependencies
//! and repositories. Archives of sources and documentation are not packages of their own.

use std::collections::{HashMap, HashSet};

use patchgate_model::{
    DependencyKind, Edge, FormatId, Lockfile, Loss, Origin, Package, PackageIndex, Root,
};

use super::{NAME, coordinates};
use crate::syntax::Node;
use crate::{Input, ParseError, SkippedEntries, duplicate_keys, limits, salvage};

/// Classifiers of archives that contain no code.
const NOT_CODE: &[&str] = &["sources", "javadoc"];

/// Reads a lockfile of either version.
pub(super) fn parse(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    let mut skipped = SkippedEntries::default();
    let root = duplicate_keys::json(input.text()?, &mut skipped)?;
    let lockfile = if let Some(tree) = root.get("dependency_tree") {
        version_1(tree, &mut skipped)?
    } else if root.get("artifacts").is_some() {
        version_2(&root, &mut skipped)?
    } else {
        return Err(ParseError::new(
            "has neither `dependency_tree` nor `artifacts`, so it is not a rules_jvm_external lockfile",
        ));
    };

    let lockfile = Lockfile {
        path: input.path.to_owned(),
        ecosystem: NAME,
        ..lockfile
    };
    salvage::finish(lockfile, skipped)
}

/// The parts of `group:artifact[:packaging[:classifier]]`, followed by a version in version 1.
struct Coordinates<'a> {
    group: &'a str,
    artifact: &'a str,
    classifier: Option<&'a str>,
    version: Option<&'a str>,
}

impl<'a> Coordinates<'a> {
    fn read(text: &'a str, has_version: bool) -> Option<Self> {
        let mut parts: Vec<&str> = text.split(':').collect();
        let version = if has_version { parts.pop() } else { None };

        match *parts.as_slice() {
            [group, artifact] | [group, artifact, _] => Some(Self {
                group,
                artifact,
                classifier: None,
                version,
            }),
            [group, artifact, _, classifier] => Some(Self {
                group,
                artifact,
                classifier: Some(classifier),
                version,
            }),
            _ => None,
        }
    }

    fn is_code(&self) -> bool {
        self.classifier
            .is_none_or(|classifier| !NOT_CODE.contains(&classifier))
    }
}

fn no_coordinates(text: &str, line: u32) -> ParseError {
    ParseError::new(format!(
        "names `{}`, which is not an artifact",
        text.chars().take(100).collect::<String>()
    ))
    .at_line(line as usize)
}

/// The remaining number of edges of a file.
struct EdgeBudget(usize);

impl EdgeBudget {
    fn take(&mut self) -> Result<(), ParseError> {
        self.0 = self.0.checked_sub(1).ok_or_else(|| {
            ParseError::new(format!("contains more than {} edges", limits::MAX_EDGES))
        })?;
        Ok(())
    }
}

fn edge(to: PackageIndex, name: &str) -> Edge {
    Edge {
        to,
        name: name.into(),
        requirement: None,
        kind: DependencyKind::Runtime,
    }
}

/// The package of an entry in version 1, with its key; `None` for an archive without code.
fn package_1<'n>(node: &'n Node<'_>) -> Result<Option<(&'n str, Package)>, ParseError> {
    let coord = node.need_text("coord")?;
    let parts = Coordinates::read(coord, true).ok_or_else(|| no_coordinates(coord, node.line))?;
    if !parts.is_code() {
        return Ok(None);
    }

    let version = parts.version.unwrap_or_default();
    let package = coordinates::package(parts.group, parts.artifact, version, node.line)?;
    Ok(Some((coord, package)))
}

fn version_1(tree: &Node<'_>, skipped: &mut SkippedEntries) -> Result<Lockfile, ParseError> {
    let Some(entries) = tree.get("dependencies").filter(|node| node.is_list()) else {
        return Err(ParseError::new("lacks the list `dependencies`").at_line(tree.line as usize));
    };

    let mut packages = Vec::new();
    let mut indices: HashMap<&str, PackageIndex> = HashMap::new();
    let mut nodes = Vec::new();
    for node in entries.items() {
        let package = skipped.recover(Loss::Package, node.line, package_1(node));
        let Some((coord, package)) = package.flatten() else {
            continue;
        };
        if let Ok(index) = u32::try_from(packages.len()) {
            indices.insert(coord, PackageIndex(index));
        }

        packages.push(Package {
            integrity: skipped
                .recover(Loss::Detail, node.line, node.optional_text("sha256"))
                .flatten()
                .map(|hash| format!("sha256:{hash}")),
            origin: Origin::Registry(
                skipped
                    .recover(Loss::Detail, node.line, node.optional_text("url"))
                    .flatten()
                    .map(str::to_owned),
            ),
            ..package
        });
        nodes.push(node);
        coordinates::within_limit(packages.len())?;
    }

    // The edges, from direct dependencies.
    let names: Vec<String> = packages
        .iter()
        .map(|package| package.name.clone())
        .collect();
    let mut budget = EdgeBudget(limits::MAX_EDGES);
    for (package, node) in packages.iter_mut().zip(nodes) {
        let direct = node.optional_list("directDependencies");
        let direct = skipped.recover(Loss::Edge, node.line, direct);
        for dependency in direct.unwrap_or_default() {
            let index = dependency.text().and_then(|coord| indices.get(coord));
            // Excluded artifacts are still listed as dependencies.
            let Some(index) = index else { continue };
            budget.take()?;
            if let Some(name) = names.get(index.0 as usize) {
                package.edges.push(edge(*index, name));
            }
        }
    }

    Ok(Lockfile {
        format: FormatId::new("bazel-maven-install-v1"),
        packages,
        ..Lockfile::default()
    })
}

fn version_2(root: &Node<'_>, skipped: &mut SkippedEntries) -> Result<Lockfile, ParseError> {
    let origins = skipped.recover(Loss::Detail, root.line, origins(root));
    let origins = origins.unwrap_or_default();
    let mut packages: Vec<Package> = Vec::new();
    let mut indices: HashMap<&str, PackageIndex> = HashMap::new();
    for (key, node) in root.optional_map("artifacts")? {
        let package = Coordinates::read(&key.name, false)
            .ok_or_else(|| no_coordinates(&key.name, key.line))
            .and_then(|parts| {
                let version = node.need_text("version")?;
                coordinates::package(parts.group, parts.artifact, version, key.line)
            });
        let Some(package) = skipped.recover(Loss::Package, key.line, package) else {
            continue;
        };

        let mut hashes = Vec::new();
        let stated = skipped.recover(Loss::Detail, key.line, node.optional_map("shasums"));
        for (classifier, hash) in stated.unwrap_or_default() {
            if let (Some(hash), false) = (hash.text(), NOT_CODE.contains(&&*classifier.name)) {
                hashes.push(format!("sha256:{hash}"));
            }
        }

        if let Ok(index) = u32::try_from(packages.len()) {
            indices.insert(&key.name, PackageIndex(index));
        }

        packages.push(Package {
            integrity: Some(hashes.join(" ")).filter(|hashes| !hashes.is_empty()),
            origin: Origin::Registry(origins.get(&*key.name).map(|url| (*url).to_owned())),
            ..package
        });
        coordinates::within_limit(packages.len())?;
    }

    let mut budget = EdgeBudget(limits::MAX_EDGES);

    // The edges. The archive of a classifier adds its dependencies to those of its artifact.
    let dependencies = skipped.recover(Loss::Edge, root.line, root.optional_map("dependencies"));
    for (from, to) in dependencies.unwrap_or_default() {
        let Some(from_index) = index_of(&from.name, &indices) else {
            continue;
        };

        let mut edges = Vec::new();
        let mut seen = HashSet::new();
        for name in to.items() {
            let Some(index) = name.text().and_then(|name| index_of(name, &indices)) else {
                continue;
            };
            budget.take()?;
            if let (Some(package), true) = (packages.get(index.0 as usize), seen.insert(index)) {
                edges.push(edge(index, &package.name));
            }
        }

        if let Some(package) = packages.get_mut(from_index.0 as usize) {
            edges.retain(|edge| edge.to != from_index);
            package.edges.extend(edges);
        }
    }

    let roots = roots(root, &packages);
    Ok(Lockfile {
        format: FormatId::new("bazel-maven-install-v2"),
        roots,
        packages,
        ..Lockfile::default()
    })
}

/// The index of an artifact by its key. The key of an archive with a classifier is longer than the
/// key of the artifact.
fn index_of(key: &str, indices: &HashMap<&str, PackageIndex>) -> Option<PackageIndex> {
    if let Some(index) = indices.get(key) {
        return Some(*index);
    }

    let parts = Coordinates::read(key, false)?;
    if !parts.is_code() {
        return None;
    }

    let shorter = key.rsplit_once(':')?.0;
    indices
        .get(shorter)
        .or_else(|| indices.get(shorter.rsplit_once(':')?.0))
        .copied()
}

/// The repository of each artifact: the first that provides it.
fn origins<'a>(root: &'a Node<'_>) -> Result<HashMap<&'a str, &'a str>, ParseError> {
    let mut origins = HashMap::new();
    for (url, artifacts) in root.optional_map("repositories")? {
        for key in artifacts.items().iter().filter_map(Node::text) {
            origins.entry(key).or_insert(&*url.name);
        }
    }
    Ok(origins)
}

/// The direct dependencies of the build. Newer releases record a hash for each of them.
fn roots(root: &Node<'_>, packages: &[Package]) -> Vec<Root> {
    let Some(direct) = root.get("__INPUT_ARTIFACTS_HASH") else {
        return Vec::new();
    };
    let direct: HashSet<&str> = direct
        .entries()
        .iter()
        .filter_map(|(key, _)| {
            let parts = Coordinates::read(&key.name, false)?;
            key.name.get(..parts.group.len() + 1 + parts.artifact.len())
        })
        .collect();
    let edges: Vec<Edge> = (0u32..)
        .zip(packages)
        .filter(|(_, package)| direct.contains(package.name.as_str()))
        .map(|(index, package)| edge(PackageIndex(index), &package.name))
        .collect();
    if edges.is_empty() {
        return Vec::new();
    }

    vec![Root {
        edges,
        ..Root::default()
    }]
}
