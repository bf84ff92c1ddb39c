//! Direct changes of a `pubspec.lock`.
//!
//! The form is that of `LockFile.serialize` and `yamlToString` in
//! <https://github.com/dart-lang/pub>: keys are sorted, and a text is quoted unless it is a word. The
//! file has no graph, so a change is checked against the requirements of every package: those of
//! repositories by their releases, those of directories by their manifests. What packages of an SDK
//! and of git require is not known, so a file with such packages is not written. Dart was not at hand
//! to check the files; that `pub get` keeps a lockfile whose versions satisfy all requirements is in
//! its documentation (<https://dart.dev/tools/pub/cmd/pub-get>).

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use patchgate_model::{DependencyKind, Lockfile, Origin, Package};

use super::{Pub, manifest};
use crate::syntax::{Node, join, yaml};
use crate::{
    Downloads, Ecosystem as _, Input, LockfileWriter, Release, Siblings, TargetGraph, TargetNode,
    Upgradable as _, WriteError,
};

/// The writer of `pubspec.lock`.
#[derive(Debug)]
pub(super) struct PubWriter;

impl LockfileWriter for PubWriter {
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
        let bytes = match is_unchanged(lockfile, target) {
            true => input.bytes.to_vec(),
            false => write(input, lockfile, target)
                .map_err(|reason| WriteError::new(input, reason))?
                .into_bytes(),
        };
        Ok(Siblings::from([(input.path.to_owned(), bytes)]))
    }
}

/// Whether a graph has the same versions, whatever else is known of its releases.
fn is_unchanged(lockfile: &Lockfile, target: &TargetGraph) -> bool {
    let is_same = |node: &TargetNode| !is_moved(lockfile, node);
    target.nodes.len() == lockfile.packages.len() && target.nodes.iter().all(is_same)
}

/// Whether a node is new or gets another version.
fn is_moved(lockfile: &Lockfile, node: &TargetNode) -> bool {
    match node.was.and_then(|was| lockfile.package(was)) {
        Some(package) => node
            .release
            .as_ref()
            .is_some_and(|release| release.version != package.version),
        None => true,
    }
}

fn write(input: &Input<'_>, lockfile: &Lockfile, target: &TargetGraph) -> Result<String, String> {
    if !lockfile.skipped.is_empty() {
        return Err("it has entries that cannot be read".to_owned());
    }
    let text = input.text().map_err(|error| error.to_string())?;
    let mut document = Document::read(text)?;
    let graph = Graph::read(input, lockfile, target)?;
    let needed = graph.check(lockfile, target)?;
    document.blocks.retain(|block| needed.contains(&block.name));

    let repository = repository(lockfile);
    for node in target.nodes.iter().filter(|node| is_moved(lockfile, node)) {
        if !needed.contains(&node.name) {
            continue;
        }
        let release = node
            .release
            .as_ref()
            .ok_or_else(|| format!("`{}` has no release", node.name))?;
        match node.was {
            Some(_) => document.set(&node.name, release)?,
            None => document.add(&node.name, release, repository.as_deref())?,
        }
    }
    document.set_sdks(&graph.sdks)?;

    let written = document.print();
    Ok(match input.bytes.starts_with("\u{feff}".as_bytes()) {
        true => format!("\u{feff}{written}"),
        false => written,
    })
}

/// The one repository that all packages are from.
fn repository(lockfile: &Lockfile) -> Option<String> {
    let mut addresses = lockfile
        .packages
        .iter()
        .filter_map(|package| match &package.origin {
            Origin::Registry(address) => Some(address.as_deref()),
            _ => None,
        });
    let first = addresses.next()??;
    addresses
        .all(|other| other == Some(first))
        .then(|| first.to_owned())
}

/// What every package of a graph requires.
struct Graph {
    versions: BTreeMap<String, String>,
    /// Requirements by the package that has them.
    needs: BTreeMap<String, Vec<(String, String)>>,
    /// Lower bounds of the SDKs by their names, over the project and all packages.
    sdks: BTreeMap<String, String>,
    /// Packages whose requirements the project overrides.
    overridden: BTreeSet<String>,
}

impl Graph {
    fn read(input: &Input<'_>, lockfile: &Lockfile, target: &TargetGraph) -> Result<Self, String> {
        let mut graph = Self {
            versions: BTreeMap::new(),
            needs: BTreeMap::new(),
            sdks: BTreeMap::new(),
            overridden: BTreeSet::new(),
        };
        for root in &lockfile.roots {
            let path = root
                .manifest
                .as_deref()
                .ok_or("its `pubspec.yaml` is missing")?;
            let bytes = input.sibling(path).unwrap_or_default();
            let text = String::from_utf8_lossy(bytes);
            let document = yaml(&text).map_err(|error| format!("`{path}` {error}"))?;
            graph.add_environment(&document)?;
            let overrides = document.get("dependency_overrides").map(Node::entries);
            let names = overrides.unwrap_or_default().iter();
            graph
                .overridden
                .extend(names.map(|(name, _)| name.name.to_string()));
        }

        for node in &target.nodes {
            let package = node.was.and_then(|was| lockfile.package(was));
            let version = match (&node.release, package) {
                (Some(release), _) => &release.version,
                (None, Some(package)) => &package.version,
                (None, None) => return Err(format!("`{}` has no release", node.name)),
            };
            graph.versions.insert(node.name.clone(), version.clone());
            let unknown = || {
                format!(
                    "the requirements of `{} {version}` are not known",
                    node.name
                )
            };
            match (&node.release, package) {
                (Some(release), _) => graph.add_release(&node.name, release)?,
                (None, Some(package)) => {
                    graph.add_directory(input, package).ok_or_else(unknown)??
                }
                (None, None) => return Err(unknown()),
            }
        }
        Ok(graph)
    }

    fn add_release(&mut self, name: &str, release: &Release) -> Result<(), String> {
        let needs = release.requirements.iter();
        let needs = needs.map(|one| (one.name.clone(), one.requirement.clone()));
        self.needs.insert(name.to_owned(), needs.collect());
        let environment = release.document.as_ref();
        let environment = environment.and_then(|document| document.get("environment")?.as_object());
        for (sdk, stated) in environment.into_iter().flatten() {
            let stated = stated
                .as_str()
                .ok_or_else(|| format!("the SDK of `{name}` is not a requirement"))?;
            self.add_sdk(sdk, stated)?;
        }
        Ok(())
    }

    /// Adds a package of a directory in the repository. `None` if its manifest is not there.
    fn add_directory(
        &mut self,
        input: &Input<'_>,
        package: &Package,
    ) -> Option<Result<(), String>> {
        let Origin::Path(Some(directory)) = &package.origin else {
            return None;
        };
        let path = join(&input.beside(""), &format!("{directory}/pubspec.yaml"))?;
        let own = Input {
            path: &path,
            bytes: input.sibling(&path)?,
            siblings: input.siblings,
        };

        let document = yaml(own.text().ok()?).ok()?;
        let open = manifest::unresolved(&own).ok()?;
        let needs = open
            .into_iter()
            .filter(|one| one.kind == DependencyKind::Runtime);
        let needs = needs.map(|one| (one.name, one.requirement));

        self.needs.insert(package.name.clone(), needs.collect());

        Some(self.add_environment(&document))
    }

    fn add_environment(&mut self, document: &Node<'_>) -> Result<(), String> {
        let environment = document.get("environment").map(Node::entries);
        for (sdk, stated) in environment.unwrap_or_default() {
            self.add_sdk(&sdk.name, stated.text().unwrap_or_default())?;
        }
        Ok(())
    }

    /// Takes a requirement on an SDK into account. Only its lower bound may matter: an upper one that
    /// no SDK reaches yet stays as it is in the file.
    fn add_sdk(&mut self, sdk: &str, requirement: &str) -> Result<(), String> {
        let name = if sdk == "sdk" { "dart" } else { sdk };
        let wrong = || format!("the requirement `{requirement}` on the SDK is not understood");
        let set = Pub.admitted_versions(requirement).map_err(|_| wrong())?;
        let [interval] = set.intervals.as_slice() else {
            return Err(wrong());
        };

        let lower = match &interval.lower {
            Bound::Included(lower) => lower.to_string(),
            Bound::Unbounded => return Ok(()),
            Bound::Excluded(_) => return Err(wrong()),
        };

        let known = self
            .sdks
            .entry(name.to_owned())
            .or_insert_with(|| lower.clone());
        if Pub
            .compare_versions(&lower, known)
            .is_ok_and(std::cmp::Ordering::is_gt)
        {
            *known = lower;
        }

        Ok(())
    }

    /// Checks that all requirements hold. Returns the names of the packages that are needed.
    fn check(&self, lockfile: &Lockfile, target: &TargetGraph) -> Result<BTreeSet<String>, String> {
        let mut waiting: Vec<&str> = Vec::new();
        for edge in target.roots.iter().flatten() {
            let name = target.nodes.get(edge.to).map(|node| node.name.as_str());
            let name = name.ok_or("its graph is not whole")?;
            if let Some(requirement) = &edge.requirement {
                self.meets("the project", name, requirement)?;
            }
            waiting.push(name);
        }

        let mut needed = BTreeSet::new();
        while let Some(name) = waiting.pop() {
            if !needed.insert(name.to_owned()) {
                continue;
            }
            for (dependency, requirement) in self.needs.get(name).into_iter().flatten() {
                self.meets(name, dependency, requirement)?;
                waiting.push(dependency);
            }
        }
        let gone = |package: &&Package| {
            package.alias.is_some() || matches!(package.origin, Origin::Git { .. })
        };
        match lockfile.packages.iter().find(gone) {
            Some(package) => Err(format!("`{}` is not from a repository", package.name)),
            None => Ok(needed),
        }
    }

    fn meets(&self, dependent: &str, name: &str, requirement: &str) -> Result<(), String> {
        let version = self
            .versions
            .get(name)
            .ok_or_else(|| format!("`{name}`, which `{dependent}` needs, has no release"))?;
        let is_met = self.overridden.contains(name)
            || Pub
                .admits(requirement, version)
                .map_err(|error| error.to_string())?;
        match is_met {
            true => Ok(()),
            false => Err(format!(
                "`{dependent}` requires `{name}` as `{requirement}`, which {version} does not meet"
            )),
        }
    }
}

/// The lines of a lockfile.
struct Document<'t> {
    /// Up to and including `packages:`.
    head: Vec<&'t str>,
    blocks: Vec<Block>,
    /// From the line after the packages on.
    tail: Vec<String>,
    line_end: &'static str,
}

/// A package.
struct Block {
    name: String,
    lines: Vec<String>,
}

impl<'t> Document<'t> {
    fn read(text: &'t str) -> Result<Self, String> {
        let unusual = || "it is not written as pub writes it".to_owned();
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let start = lines.iter().position(|line| line.trim_end() == "packages:");
        let start = start.ok_or_else(unusual)? + 1;
        let (head, rest) = lines.split_at_checked(start).ok_or_else(unusual)?;
        let end = rest.iter().position(|line| !line.starts_with(' '));
        let (packages, tail) = rest
            .split_at_checked(end.unwrap_or(rest.len()))
            .ok_or_else(unusual)?;

        let mut blocks: Vec<Block> = Vec::new();
        for line in packages {
            let name = line
                .strip_prefix("  ")
                .filter(|rest| !rest.starts_with(' '))
                .and_then(|rest| rest.trim_end().strip_suffix(':'));
            match (name, blocks.last_mut()) {
                (Some(name), _) => blocks.push(Block {
                    name: name.trim_matches('"').to_owned(),
                    lines: vec![(*line).to_owned()],
                }),
                (None, Some(block)) => block.lines.push((*line).to_owned()),
                (None, None) => return Err(unusual()),
            }
        }
        if !blocks.is_sorted_by_key(|block| block.name.clone()) {
            return Err(unusual());
        }
        Ok(Self {
            head: head.to_vec(),
            blocks,
            tail: tail.iter().map(|line| (*line).to_owned()).collect(),
            line_end: if text.contains("\r\n") { "\r\n" } else { "\n" },
        })
    }

    fn print(&self) -> String {
        let mut text = self.head.concat();
        for block in &self.blocks {
            text.push_str(&block.lines.concat());
        }
        text.push_str(&self.tail.concat());
        text
    }

    /// Gives a package another version.
    fn set(&mut self, name: &str, release: &Release) -> Result<(), String> {
        let unusual = || format!("the entry of `{name}` is not written as pub writes it");
        let mut blocks = self.blocks.iter_mut();
        let block = blocks
            .find(|block| block.name == name)
            .ok_or_else(unusual)?;

        let mut is_set = false;
        for line in &mut block.lines {
            let value = match line.trim_start().split(": ").next() {
                Some("version") => {
                    is_set = true;
                    release.version.clone()
                }
                Some("sha256") => hash(name, release)?,
                _ => continue,
            };
            let (head, rest) = line.split_once(": ").ok_or_else(unusual)?;
            let end = rest.get(rest.trim_end().len()..).unwrap_or_default();
            *line = format!("{head}: {}{end}", scalar(&value));
        }

        match is_set {
            true => Ok(()),
            false => Err(unusual()),
        }
    }

    /// Adds a package that others require.
    fn add(
        &mut self,
        name: &str,
        release: &Release,
        repository: Option<&str>,
    ) -> Result<(), String> {
        let repository = repository
            .ok_or_else(|| format!("it is not clear which repository `{name}` is from"))?;
        let has_hashes = self.blocks.iter().flat_map(|block| &block.lines);
        let has_hashes = has_hashes
            .filter(|line| line.trim_start().starts_with("sha256: "))
            .count()
            > 0;

        let mut lines = vec![
            format!("  {}:", scalar(name)),
            "    dependency: transitive".to_owned(),
            "    description:".to_owned(),
            format!("      name: {}", scalar(name)),
        ];
        if has_hashes {
            lines.push(format!("      sha256: {}", scalar(&hash(name, release)?)));
        }
        lines.extend([
            format!("      url: {}", scalar(repository)),
            "    source: hosted".to_owned(),
            format!("    version: {}", scalar(&release.version)),
        ]);

        let lines = lines
            .into_iter()
            .map(|line| format!("{line}{}", self.line_end));
        let at = self.blocks.iter().position(|block| *block.name > *name);
        let block = Block {
            name: name.to_owned(),
            lines: lines.collect(),
        };
        self.blocks.insert(at.unwrap_or(self.blocks.len()), block);

        Ok(())
    }

    /// Raises the lower bounds of the SDKs to those of all packages.
    fn set_sdks(&mut self, sdks: &BTreeMap<String, String>) -> Result<(), String> {
        for (sdk, lower) in sdks {
            let start = format!("  {sdk}: \">=");
            let line = self.tail.iter_mut().find(|line| line.starts_with(&start));
            let line = line.ok_or_else(|| format!("its `sdks` do not name `{sdk}`"))?;

            let rest = line.strip_prefix(&start).unwrap_or_default();
            let end = rest.find([' ', '"']).unwrap_or(rest.len());
            let (known, rest) = rest.split_at_checked(end).unwrap_or((rest, ""));
            let order = Pub.compare_versions(lower, known);
            match order.map_err(|error| error.to_string())? {
                std::cmp::Ordering::Equal => {}
                std::cmp::Ordering::Greater => *line = format!("{start}{lower}{rest}"),
                std::cmp::Ordering::Less => {
                    return Err(format!(
                        "its packages need `{sdk}` from {lower} on, and it names {known}"
                    ));
                }
            }
        }

        Ok(())
    }
}

fn hash(name: &str, release: &Release) -> Result<String, String> {
    let hashes = release.files.iter().flat_map(|file| &file.hashes);
    let mut sha256 = hashes.filter(|(algorithm, _)| algorithm == "sha256");
    let hash = sha256.next().map(|(_, hash)| hash.clone());
    hash.ok_or_else(|| format!("`{name} {}` has no hash in its repository", release.version))
}

/// A text in pub's YAML: a word is plain, everything else is quoted.
fn scalar(text: &str) -> String {
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let is_plain = text.chars().all(is_word) && !text.starts_with(|c: char| c.is_ascii_digit());
    match is_plain && !text.is_empty() {
        true => text.to_owned(),
        false => format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
    }
}

#[cfg(test)]
mod tests;
