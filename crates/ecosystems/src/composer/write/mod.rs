//! Direct changes of a `composer.lock`.
//!
//! An entry repeats fields of the repository's description of a package, so it is written from that.
//! Everything else in the file stays, but for the hash of `composer.json` when a requirement of the
//! project changes. Packages that only development needs are in a list of their own.

mod content_hash;
mod document;
mod entry;
mod links;

use std::collections::{BTreeMap, BTreeSet};

use patchgate_model::{DependencyKind, Lockfile, PackageIndex, Root};

use super::php_json;
use crate::lockfile_writer::write_lockfile;
use crate::syntax::{Node, json};
use crate::{Downloads, Input, LockfileWriter, Siblings, TargetGraph, WriteError};
use content_hash::content_hash;
use document::{Document, LEVEL, LISTS};
use entry::FromRepository;
use links::{Linked, Links};

/// The writer of `composer.lock`.
#[derive(Debug)]
pub(super) struct ComposerWriter;

impl LockfileWriter for ComposerWriter {
    /// What packages and the project replace or provide
    /// (<https://getcomposer.org/doc/04-schema.md#replace>).
    fn provided(&self, input: &Input<'_>) -> BTreeSet<String> {
        let manifest = input.sibling(&input.beside("composer.json"));
        let texts = [Some(input.bytes), manifest].into_iter().flatten();
        let mut names = BTreeSet::new();
        for text in texts.filter_map(|bytes| std::str::from_utf8(bytes).ok()) {
            let Ok(tree) = json(text.trim_start_matches('\u{feff}')) else {
                continue;
            };
            let lists = LISTS.iter().filter_map(|list| tree.get(list));
            for one in lists.flat_map(Node::items).chain([&tree]) {
                for key in ["replace", "provide"] {
                    let links = one.get(key).map(Node::entries).unwrap_or_default();
                    names.extend(links.iter().map(|(name, _)| name.name.to_ascii_lowercase()));
                }
            }
        }
        names
    }

    fn write(
        &self,
        input: &Input<'_>,
        lockfile: &Lockfile,
        target: &TargetGraph,
        _downloads: &Downloads,
    ) -> Result<Siblings, WriteError> {
        write_lockfile(input, lockfile, target, || write(input, lockfile, target))
    }
}

fn write(input: &Input<'_>, lockfile: &Lockfile, target: &TargetGraph) -> Result<String, String> {
    if !lockfile.skipped.is_empty() {
        return Err("it has entries that cannot be read".to_owned());
    }
    let [root] = lockfile.roots.as_slice() else {
        return Err("its `composer.json` is missing".to_owned());
    };
    let text = input.text().map_err(|error| error.to_string())?;
    let document = Document::parse(text)?;
    let tree = json(text).map_err(|error| error.to_string())?;
    let old = Entries::read(&document, &tree)?;

    let edges = target.roots.first().map_or(&[][..], Vec::as_slice);
    let hash = match is_raised(root, edges) {
        true => Some(new_hash(input, root)?),
        false => None,
    };
    let descriptions = descriptions(target)?;
    let new = old.changed(lockfile, target, &descriptions)?;
    let project = project(input, root)?;
    let lists = new.lists(&old, root, &document, project.as_ref())?;
    let written = document.print(lists, hash.as_deref());

    Ok(match input.bytes.starts_with("\u{feff}".as_bytes()) {
        true => format!("\u{feff}{written}"),
        false => written,
    })
}

/// What the project stands for and refuses itself.
fn project(input: &Input<'_>, root: &Root) -> Result<Option<Linked>, String> {
    let path = root.manifest.as_deref().unwrap_or_default();
    let Some(bytes) = input.sibling(path) else {
        return Ok(None);
    };
    let unreadable = |reason: String| format!("`{path}` {reason}");
    let text = std::str::from_utf8(bytes).map_err(|_| unreadable("is not UTF-8".to_owned()))?;
    let tree = json(text.trim_start_matches('\u{feff}'));
    let tree = tree.map_err(|error| unreadable(error.to_string()))?;
    Linked::of_project(&tree).map(Some).map_err(unreadable)
}

/// Whether a requirement of the project changes.
fn is_raised(root: &Root, edges: &[crate::TargetEdge]) -> bool {
    edges.iter().any(|edge| {
        let mut before = root.edges.iter();
        !before.any(|before| {
            before.name == edge.name && before.requirement.as_deref() == edge.requirement.as_deref()
        })
    })
}

fn new_hash(input: &Input<'_>, root: &Root) -> Result<String, String> {
    let path = root.manifest.as_deref().unwrap_or_default();
    let bytes = input.sibling(path);
    let manifest = bytes.and_then(|bytes| std::str::from_utf8(bytes).ok());
    let manifest = manifest.ok_or_else(|| format!("`{path}` is missing"))?;
    content_hash(manifest).map_err(|reason| format!("`{path}` has no hash: {reason}"))
}

/// The descriptions of the releases, as texts, by the index of their node.
fn descriptions(target: &TargetGraph) -> Result<BTreeMap<usize, &str>, String> {
    let mut texts = BTreeMap::new();
    for (index, node) in target.nodes.iter().enumerate() {
        if let Some(release) = &node.release {
            let text = release
                .document
                .as_ref()
                .and_then(serde_json::Value::as_str);
            let lacking = || format!("`{} {}` is not described", node.name, release.version);
            texts.insert(index, text.ok_or_else(lacking)?);
        }
    }
    Ok(texts)
}

/// An entry of a list.
#[derive(Debug)]
struct Entry {
    /// Index in [`LISTS`]; `None` if it is not known yet.
    list: Option<usize>,
    text: String,
    linked: Linked,
    /// The name as it is written, by which Composer sorts.
    name: String,
}

/// The entries of a lockfile, in the order of its lists.
#[derive(Debug)]
struct Entries<'a> {
    entries: Vec<Entry>,
    trees: Vec<Node<'a>>,
}

impl<'a> Entries<'a> {
    fn read(document: &Document<'_>, tree: &Node<'a>) -> Result<Self, String> {
        let mut entries = Vec::new();
        let mut trees = Vec::new();

        for (list, name) in LISTS.iter().enumerate() {
            let nodes = tree.get(name).map(Node::items).unwrap_or_default();
            let texts = document.entries(list);
            if texts.len() != nodes.len() {
                return Err("its lists of packages cannot be cut into entries".to_owned());
            }
            for (text, node) in texts.into_iter().zip(nodes) {
                entries.push(Entry {
                    list: Some(list),
                    text: text.to_owned(),
                    linked: Linked::of(node, false)?,
                    name: node
                        .need_text("name")
                        .map_err(|error| error.to_string())?
                        .to_owned(),
                });
                trees.push(node.clone());
            }
        }

        Ok(Self { entries, trees })
    }

    /// The entries of a graph.
    fn changed(
        &self,
        lockfile: &Lockfile,
        target: &TargetGraph,
        descriptions: &BTreeMap<usize, &str>,
    ) -> Result<Entries<'static>, String> {
        if self.entries.len() != lockfile.packages.len() {
            return Err("it is not the file that was read".to_owned());
        }
        let mut new = Vec::new();
        for (index, node) in target.nodes.iter().enumerate() {
            let was = node.was.map(|PackageIndex(was)| was as usize);
            let old = was.and_then(|was| Some((self.entries.get(was)?, self.trees.get(was)?)));
            let Some(text) = descriptions.get(&index) else {
                let (old, tree) = old.ok_or_else(|| format!("`{}` has no release", node.name))?;
                new.push(Entry {
                    list: old.list,
                    text: old.text.clone(),
                    linked: Linked::of(tree, false)?,
                    name: old.name.clone(),
                });
                continue;
            };

            let repository = match old {
                Some((_, tree)) => FromRepository::of(tree)?,
                None => self.repository(&node.name)?,
            };
            let described = json(text).map_err(|error| error.to_string())?;
            let of = |reason: String| format!("`{}` cannot be written: {reason}", node.name);
            let entry = entry::entry(&described, &repository).map_err(of)?;
            let linked = Linked::of(&entry, true)?;
            if linked.name != node.name.to_ascii_lowercase() {
                return Err(format!("`{}` is described under another name", node.name));
            }
            new.push(Entry {
                list: old.and_then(|(old, _)| old.list),
                text: php_json::pretty(&entry, LEVEL),
                name: entry
                    .get("name")
                    .and_then(Node::text)
                    .unwrap_or_default()
                    .to_owned(),
                linked,
            });
        }

        Ok(Entries {
            entries: new,
            trees: Vec::new(),
        })
    }

    /// What a new package takes over from those of its repository: all that the file has from a
    /// repository must agree.
    fn repository(&self, name: &str) -> Result<FromRepository<'a>, String> {
        let unclear = || format!("it is not clear which repository `{name}` is from");
        let mut found: Option<FromRepository<'a>> = None;
        let from_repository = |tree: &&Node<'a>| tree.get("notification-url").is_some();

        for tree in self.trees.iter().filter(from_repository) {
            let one = FromRepository::of(tree)?;
            let text = |node: &Option<Node<'_>>| node.as_ref().map(php_json::compact);
            match &found {
                Some(known)
                    if text(&known.notification_url) != text(&one.notification_url)
                        || text(&known.dist_mirrors) != text(&one.dist_mirrors) =>
                {
                    return Err(unclear());
                }
                Some(_) => {}
                None => found = Some(one),
            }
        }

        found.ok_or_else(unclear)
    }

    /// The names of the packages that the project needs at run time.
    fn at_run_time(&self, root: &Root) -> BTreeSet<String> {
        let linked: Vec<&Linked> = self.entries.iter().map(|entry| &entry.linked).collect();
        let runtime = root
            .edges
            .iter()
            .filter(|edge| edge.kind == DependencyKind::Runtime);
        Links::new(&linked).reached(runtime.map(|edge| edge.name.as_str()))
    }

    /// The texts of the lists.
    fn lists(
        mut self,
        old: &Entries<'_>,
        root: &Root,
        document: &Document<'_>,
        project: Option<&Linked>,
    ) -> Result<Vec<Vec<String>>, String> {
        let mut linked: Vec<&Linked> = self.entries.iter().map(|entry| &entry.linked).collect();
        linked.extend(project);
        Links::new(&linked).check()?;

        // A package changes its list only where the graph is the reason.
        let (before, after) = (old.at_run_time(root), self.at_run_time(root));
        for entry in &mut self.entries {
            let name = &entry.linked.name;
            let (was, is) = (before.contains(name), after.contains(name));
            if entry.list.is_none() || was != is {
                entry.list = Some(usize::from(!is));
            }
        }

        let mut lists = Vec::new();
        for (list, name) in LISTS.iter().enumerate() {
            let of_list = |entry: &&Entry| entry.list == Some(list);
            let is_sorted = {
                let names = old.entries.iter().filter(of_list).map(|entry| &entry.name);
                names.is_sorted()
            };
            let mut own: Vec<&Entry> = self.entries.iter().filter(of_list).collect();
            if !own.is_empty() && !document.has(list) {
                return Err(format!("it lacks the list `{name}`"));
            }
            match is_sorted {
                true => own.sort_by(|a, b| a.name.cmp(&b.name)),
                false
                    if own
                        .iter()
                        .any(|entry| entry.linked.is_new && !old.has(&entry.name)) =>
                {
                    return Err("its packages are not in Composer's order".to_owned());
                }
                false => {}
            }
            let line_end = document.line_end();
            lists.push(
                own.iter()
                    .map(|entry| match entry.linked.is_new {
                        true => entry.text.replace('\n', line_end),
                        false => entry.text.clone(),
                    })
                    .collect(),
            );
        }
        Ok(lists)
    }

    fn has(&self, name: &str) -> bool {
        self.entries.iter().any(|entry| entry.name == name)
    }
}

#[cfg(test)]
mod tests;
