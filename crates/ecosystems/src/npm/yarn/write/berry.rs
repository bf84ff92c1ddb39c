//! Changes of a `yarn.lock` of yarn 4, whose archives are not compressed (`cacheKey: 10c0`).
//!
//! An entry repeats the manifest in the package's archive, and has the hash of yarn's own archive. Both
//! follow from the registry's archive ([`super::archive`]). The order and the quotes are those of
//! yarn's `packages/yarnpkg-parsers/sources/syml.ts`. Files of other versions have hashes of compressed
//! archives, which only yarn itself can make.

use std::collections::{BTreeMap, BTreeSet};

use patchgate_model::{DependencyKind, Lockfile};
use serde_json::Value;

use super::manifest::body;
use crate::line_ends::PlainText;
use crate::npm::requirement;
use crate::npm::tree::{beside, split_spec};
use crate::npm::yarn::berry::{self, Entry};
use crate::npm::yarn::resolutions::Resolutions;
use crate::syntax;
use crate::{Downloads, Input, Release, SkippedEntries, TargetEdge, TargetGraph, TargetNode};

/// The key of archives without compression.
pub(super) const CACHE_KEY: &str = "10c0";

/// Longest key of an entry. yarn writes a longer one in another form.
const MAX_KEY: usize = 1_024;

/// The address of a release's archive, for a lockfile that can be written.
pub(super) fn archive_of(release: &Release) -> Option<&str> {
    release
        .document
        .as_ref()?
        .get("dist")?
        .get("tarball")?
        .as_str()
}

/// The file with the graph.
///
/// # Errors
/// The obstacle, as a fragment.
pub(super) fn write(
    input: &Input<'_>,
    lockfile: &Lockfile,
    target: &TargetGraph,
    downloads: &Downloads,
) -> Result<Vec<u8>, String> {
    if input.bytes.starts_with("\u{feff}".as_bytes()) {
        return Err("it begins with a byte order mark".to_owned());
    }
    let plain = PlainText::of(input)?;

    let document = syntax::yaml(&plain.text).map_err(|error| error.reason)?;
    let metadata = document.get("__metadata");
    let key = metadata.and_then(|metadata| metadata.get("cacheKey")?.text());
    if key != Some(CACHE_KEY) {
        return Err(format!(
            "files with compressed archives (`cacheKey: {}`) are not changed, because only yarn can \
             make their checksums",
            key.unwrap_or("missing")
        ));
    }
    let mut skipped = SkippedEntries::default();
    let entries = berry::entries(&document, &mut skipped).map_err(|error| error.reason)?;
    if !skipped.into_entries().is_empty() || lockfile.gap().is_some() {
        return Err("it has entries that cannot be read".to_owned());
    }

    let blocks = Blocks::cut(&plain.text, &entries)?;
    let writing = Writing::new(input, lockfile, target, &entries)?;
    let written = writing.apply(blocks, downloads)?;
    Ok(plain.restore(&written))
}

/// The text of an entry.
struct Block {
    descriptors: BTreeSet<String>,
    /// The lines after the key.
    body: Vec<String>,
}

struct Blocks {
    header: String,
    blocks: Vec<Block>,
}

impl Blocks {
    /// Cuts a file at its entries.
    ///
    /// # Errors
    /// If it is not as yarn prints it.
    fn cut(text: &str, entries: &[Entry<'_>]) -> Result<Self, String> {
        let lines: Vec<&str> = text.lines().collect();
        let starts: Vec<usize> = entries
            .iter()
            .map(|entry| entry.line as usize - 1)
            .collect();
        let header = lines.get(..starts.first().copied().unwrap_or_default());
        let mut blocks = Vec::with_capacity(entries.len());
        for (number, entry) in entries.iter().enumerate() {
            let start = starts.get(number).copied().unwrap_or_default();
            let next = starts.get(number + 1).copied();
            // A blank line comes before the next entry.
            let end = next.map_or(lines.len(), |next| next.saturating_sub(1));
            let body = lines.get(start + 1..end).unwrap_or_default();
            blocks.push(Block {
                descriptors: entry
                    .descriptors
                    .iter()
                    .map(|text| (*text).to_owned())
                    .collect(),
                body: body.iter().map(|line| (*line).to_owned()).collect(),
            });
        }

        let cut = Self {
            header: header
                .unwrap_or_default()
                .iter()
                .map(|line| format!("{line}\n"))
                .collect(),
            blocks,
        };
        let keys = cut.blocks.iter().map(Block::key);
        match cut.print() == text && keys.is_sorted() {
            true => Ok(cut),
            false => Err("it is not as yarn prints it".to_owned()),
        }
    }

    fn print(&self) -> String {
        let mut text = self.header.clone();
        for (number, block) in self.blocks.iter().enumerate() {
            if number > 0 {
                text.push('\n');
            }
            text += &format!("{}:\n", quoted(&block.key()));
            for line in &block.body {
                text.push_str(line);
                text.push('\n');
            }
        }
        text
    }
}

impl Block {
    fn key(&self) -> String {
        let descriptors: Vec<&str> = self.descriptors.iter().map(String::as_str).collect();
        descriptors.join(", ")
    }
}

/// What each entry becomes.
struct Writing<'a> {
    lockfile: &'a Lockfile,
    target: &'a TargetGraph,
    /// The entry of each package of the lockfile.
    owners: Vec<usize>,
    resolutions: Vec<&'a str>,
    /// Requirements of the projects that change, by the entry of the project.
    raised: Vec<(usize, String, String)>,
    /// The descriptors of each resolution.
    wanted: BTreeMap<String, BTreeSet<String>>,
}

impl<'a> Writing<'a> {
    fn new(
        input: &Input<'_>,
        lockfile: &'a Lockfile,
        target: &'a TargetGraph,
        entries: &'a [Entry<'a>],
    ) -> Result<Self, String> {
        let mut owners = Vec::with_capacity(lockfile.packages.len());
        for (number, entry) in entries.iter().enumerate() {
            if entry.locator.workspace.as_deref() != Some(".") {
                owners.extend(entry.names.iter().map(|_| number));
            }
        }
        if owners.len() != lockfile.packages.len() {
            return Err("it is not the file that was read".to_owned());
        }
        let mut writing = Self {
            lockfile,
            target,
            owners,
            resolutions: entries.iter().map(|entry| entry.resolution).collect(),
            raised: Vec::new(),
            wanted: BTreeMap::new(),
        };
        writing.check(input, entries)?;
        let known: BTreeSet<&str> = entries
            .iter()
            .flat_map(|entry| entry.descriptors.iter().copied())
            .collect();
        let unchanged = TargetGraph::unchanged(lockfile);
        let before = writing.uses(&unchanged, entries, &known)?;
        let after = writing.uses(target, entries, &known)?;
        writing.assign(entries, &before, &after)?;
        writing.raise(entries, &known)?;

        Ok(writing)
    }

    /// Checks that nothing but requirements decides what the changed packages get.
    fn check(&self, input: &Input<'_>, entries: &[Entry<'_>]) -> Result<(), String> {
        let root = beside(input);
        let resolutions = Resolutions::of(root.as_ref())
            .ok_or_else(|| "the manifest of the project is missing".to_owned())?;
        for (number, node) in self.target.nodes.iter().enumerate() {
            if node.release.is_none() {
                continue;
            }
            let name = &node.name;
            if !resolutions.about(name).is_empty() {
                return Err(format!("`resolutions` change `{name}`"));
            }
            let patch = format!("{name}@patch:");
            let plain = format!("{name}@npm:");
            for entry in entries {
                if entry.resolution.starts_with(&patch) {
                    return Err(format!("`{name}` is patched"));
                }
                if entry.resolution.contains("__archiveUrl") {
                    return Err("its archives have unusual addresses".to_owned());
                }
            }
            let was = node.was.and_then(|was| self.owners.get(was.0 as usize));
            let old = was.and_then(|was| self.resolutions.get(*was));
            if old.is_some_and(|old| !old.starts_with(&plain)) {
                return Err(format!("`{name}` is not from a registry"));
            }
            let version = self
                .target
                .version(self.lockfile, number)
                .unwrap_or_default();
            let file = name.rsplit('/').next().unwrap_or(name);
            let address = node
                .release
                .as_ref()
                .and_then(archive_of)
                .unwrap_or_default();
            if !address.ends_with(&format!("/{name}/-/{file}-{version}.tgz")) {
                return Err(format!(
                    "the archive of `{name} {version}` has an unusual address"
                ));
            }
        }

        Ok(())
    }

    /// The node of every descriptor.
    fn uses(
        &self,
        graph: &TargetGraph,
        entries: &[Entry<'_>],
        known: &BTreeSet<&str>,
    ) -> Result<BTreeMap<String, usize>, String> {
        // The dependencies of a project among the packages are those of its root.
        let is_project = |node: &TargetNode| {
            let owner = node.was.and_then(|was| self.owners.get(was.0 as usize));
            owner
                .and_then(|owner| entries.get(*owner))
                .is_some_and(|entry| entry.locator.workspace.is_some())
        };
        let of_packages = graph.nodes.iter().filter(|node| !is_project(node));
        let edges = of_packages
            .flat_map(|node| &node.edges)
            .chain(graph.roots.iter().flatten());
        let mut uses = BTreeMap::new();
        for edge in edges.filter(|edge| edge.kind != DependencyKind::Peer) {
            let Some(descriptor) = descriptor(edge, known) else {
                continue;
            };
            let resolution = |node: usize| self.resolution(graph, node);
            if let Some(other) = uses.insert(descriptor.clone(), edge.to)
                && resolution(other) != resolution(edge.to)
            {
                return Err(format!("`{descriptor}` has two versions"));
            }
        }

        Ok(uses)
    }

    fn resolution(&self, graph: &TargetGraph, number: usize) -> String {
        let Some(node) = graph.nodes.get(number) else {
            return String::new();
        };
        match &node.release {
            Some(release) => format!("{}@npm:{}", node.name, release.version),
            None => {
                let owner = node.was.and_then(|was| self.owners.get(was.0 as usize));
                let resolution = owner.and_then(|owner| self.resolutions.get(*owner));
                (*resolution.unwrap_or(&"")).to_owned()
            }
        }
    }

    /// Gives every descriptor to a resolution.
    fn assign(
        &mut self,
        entries: &[Entry<'_>],
        before: &BTreeMap<String, usize>,
        after: &BTreeMap<String, usize>,
    ) -> Result<(), String> {
        let mut stays = vec![false; entries.len()];
        for node in &self.target.nodes {
            let owner = node.was.and_then(|was| self.owners.get(was.0 as usize));
            if let (Some(owner), None) = (owner, &node.release)
                && let Some(stays) = stays.get_mut(*owner)
            {
                *stays = true;
            }
        }
        for (number, entry) in entries.iter().enumerate() {
            let is_root = entry.locator.workspace.as_deref() == Some(".");
            for descriptor in &entry.descriptors {
                // A descriptor without a known use stays with its entry.
                if before.contains_key(*descriptor) || after.contains_key(*descriptor) {
                    continue;
                }
                if stays.get(number) == Some(&true) || is_root {
                    let wanted = self.wanted.entry(entry.resolution.to_owned());
                    wanted.or_default().insert((*descriptor).to_owned());
                } else if self.is_moved(number) {
                    return Err(format!("it is not known what requires `{descriptor}`"));
                }
            }
        }

        for (descriptor, node) in after {
            let resolution = self.resolution(self.target, *node);
            let is_kept = entries.iter().any(|entry| {
                entry.resolution == resolution && entry.descriptors.contains(&descriptor.as_str())
            });
            let version = self
                .target
                .version(self.lockfile, *node)
                .unwrap_or_default();
            if !is_kept && !admits(descriptor, version) {
                return Err(format!("`{descriptor}` does not admit {version}"));
            }
            let wanted = self.wanted.entry(resolution);
            wanted.or_default().insert(descriptor.clone());
        }

        Ok(())
    }

    /// Whether a package of an entry gets another version.
    fn is_moved(&self, entry: usize) -> bool {
        self.target.nodes.iter().any(|node| {
            let owner = node.was.and_then(|was| self.owners.get(was.0 as usize));
            owner == Some(&entry) && node.release.is_some()
        })
    }

    /// Finds the requirements of projects that change.
    fn raise(&mut self, entries: &[Entry<'_>], known: &BTreeSet<&str>) -> Result<(), String> {
        for (root, edges) in self.lockfile.roots.iter().zip(&self.target.roots) {
            for (old, edge) in root.edges.iter().zip(edges) {
                if old.name != *edge.name || edge.kind == DependencyKind::Peer {
                    continue;
                }
                if old.requirement.as_deref() == edge.requirement.as_deref() {
                    continue;
                }
                let new = descriptor(edge, known)
                    .and_then(|text| Some(split_spec(&text)?.1.to_owned()))
                    .ok_or_else(|| format!("the requirement on `{}` is unknown", edge.name))?;
                let base = self
                    .lockfile
                    .path
                    .rsplit_once('/')
                    .map_or("", |(above, _)| above);
                let project = entries.iter().position(|entry| {
                    let directory = entry.locator.workspace.as_deref();
                    let path = directory.and_then(|directory| {
                        crate::npm::lockfile::joined(base, directory, "package.json")
                    });
                    path.is_some() && path == root.manifest
                });
                let project = project.ok_or_else(|| {
                    format!("the project that requires `{}` is unknown", edge.name)
                })?;
                self.raised.push((project, edge.name.clone(), new));
            }
        }

        Ok(())
    }

    fn apply(mut self, mut blocks: Blocks, downloads: &Downloads) -> Result<String, String> {
        for (block, name, requirement) in &self.raised {
            let block = blocks.blocks.get_mut(*block);
            let line = block.and_then(|block| requirement_line(&mut block.body, name));
            let line = line.ok_or_else(|| format!("the requirement on `{name}` is missing"))?;
            *line = format!("    {}: {}", quoted(name), quoted(requirement));
        }

        let mut after: Vec<Block> = Vec::with_capacity(blocks.blocks.len());
        for (block, resolution) in blocks.blocks.drain(..).zip(&self.resolutions) {
            if let Some(descriptors) = self.wanted.remove(*resolution) {
                after.push(Block {
                    descriptors,
                    ..block
                });
            }
        }
        for (resolution, descriptors) in std::mem::take(&mut self.wanted) {
            let node = (0..self.target.nodes.len())
                .find(|node| self.resolution(self.target, *node) == resolution)
                .and_then(|node| self.target.nodes.get(node));
            let node = node.ok_or_else(|| format!("`{resolution}` has no release"))?;
            let release = node.release.as_ref();
            let release = release.ok_or_else(|| format!("`{resolution}` has no release"))?;
            let body = body(node, release, &resolution, downloads)?;
            after.push(Block { descriptors, body });
        }
        after.sort_by_cached_key(Block::key);
        if after.iter().any(|block| block.key().len() > MAX_KEY) {
            return Err("an entry has too many requirements".to_owned());
        }
        blocks.blocks = after;

        Ok(blocks.print())
    }
}

/// The descriptor of an edge, as the file has or would have it. yarn puts its protocol before a range.
fn descriptor(edge: &TargetEdge, known: &BTreeSet<&str>) -> Option<String> {
    let requirement = edge.requirement.as_deref()?;
    let plain = format!("{}@{requirement}", edge.name);
    if known.contains(plain.as_str()) || requirement.contains(':') {
        return Some(plain);
    }
    Some(format!("{}@npm:{requirement}", edge.name))
}

fn admits(descriptor: &str, version: &str) -> bool {
    let range = split_spec(descriptor).and_then(|(_, range)| range.strip_prefix("npm:"));
    let range = range.map(|range| split_spec(range).map_or(range, |(_, range)| range));
    range.is_some_and(|range| requirement::admits(range, version).unwrap_or(false))
}

/// The line with a dependency in an entry.
fn requirement_line<'b>(body: &'b mut [String], name: &str) -> Option<&'b mut String> {
    let start = format!("    {}: ", quoted(name));
    let section = body.iter().position(|line| line == "  dependencies:")?;
    let lines = body.iter_mut().skip(section + 1);
    lines
        .take_while(|line| line.starts_with("    "))
        .find(|line| line.starts_with(&start))
}

/// A text as yarn prints it: plain where its pattern allows that.
pub(super) fn quoted(text: &str) -> String {
    let is_special = |c: char| "-?:,][{}#&*!|>'\"%@` \t\r\n".contains(c);
    let ends = |c: char| ",][{}:# \t\r\n".contains(c);
    let mut characters = text.chars();
    let starts_plain = characters.next().is_some_and(|first| !is_special(first));
    let is_inner_plain =
        characters.all(|c| !ends(c) || c == ' ' || c == '\t') && !text.ends_with([' ', '\t']);
    match starts_plain && is_inner_plain {
        true => text.to_owned(),
        false => Value::from(text).to_string(),
    }
}
