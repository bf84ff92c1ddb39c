//! Lockfiles for a run of Cargo: with other versions before it, and in the old version of the format
//! after it.

use std::collections::BTreeMap;

use patchgate_model::Lockfile;

use super::activation::is_registry;
use super::text::{Entry, LockText, Node};
use super::{lockfile, nodes_of, version};
use crate::{Input, Siblings};

/// The oldest version of the format that has no checksums in `[metadata]`, where a package without
/// one is not allowed.
const WITHOUT_METADATA: u32 = 2;

/// The text of a lockfile in the version of the format that another one has. `None` if the versions
/// are the same, or if the text cannot be expressed in it: versions differ in how they write the
/// branches and tags of Git repositories, so those that `before` does not have are not known.
///
/// `before` and `after` are texts of lockfiles; a new Cargo writes the newest version, which an older
/// one cannot read.
pub fn with_format_of(before: &str, after: &str) -> Option<String> {
    let wanted = version_of(before)?;
    let graph = parsed(after)?;
    let text = LockText::read(after)?;
    if version(&graph) == Some(wanted) || text.entries.len() != graph.packages.len() {
        return None;
    }
    let own = version(&graph)?;
    let mut nodes = nodes_of(&text, &graph);
    if !LockText::has_lines_of(after, &text.print(&nodes, own)) {
        return None;
    }

    let old = LockText::read(before)?.entries;
    for node in &mut nodes {
        let source = node.entry.source.as_deref().unwrap_or_default();
        if !source.starts_with("git+") {
            continue;
        }
        let known = old.iter().find(|one| {
            let other = one.source.as_deref().unwrap_or_default();
            one.name == node.entry.name && is_same_commit(source, other)
        });
        match known {
            Some(known) => node.entry.source.clone_from(&known.source),
            None if source.contains(['%', '?']) => return None,
            None => {}
        }
    }

    Some(text.print(&nodes, wanted))
}

/// Whether two Git sources are the same commit of the same repository, whatever the branch or tag.
fn is_same_commit(a: &str, b: &str) -> bool {
    fn parts(source: &str) -> Option<(&str, &str)> {
        let (address, commit) = source.rsplit_once('#')?;
        Some((address.split('?').next().unwrap_or(address), commit))
    }
    parts(a).is_some() && parts(a) == parts(b)
}

fn parsed(text: &str) -> Option<Lockfile> {
    let siblings = Siblings::new();
    lockfile::parse(&Input {
        path: "Cargo.lock",
        bytes: text.as_bytes(),
        siblings: &siblings,
    })
    .ok()
    .filter(|lockfile| lockfile.skipped.is_empty())
}

fn version_of(text: &str) -> Option<u32> {
    version(&parsed(text)?)
}

/// A lockfile in which packages of registries have other versions, without their checksums. Each change
/// is a name, the version before and the version after; without a version before, the package is new.
/// Cargo keeps such versions as it keeps any that is locked, and completes the rest.
///
/// `None` if the text is not in the layout that Cargo writes.
pub fn with_versions(text: &str, changes: &[(&str, &str, &str)]) -> Option<String> {
    let graph = parsed(text)?;
    let read = LockText::read(text)?;
    let own = version(&graph)?;
    let mut nodes = nodes_of(&read, &graph);
    if nodes.len() != graph.packages.len()
        || !LockText::has_lines_of(text, &read.print(&nodes, own))
    {
        return None;
    }

    for (name, from, to) in changes {
        change(&mut nodes, name, from, to);
    }
    Some(read.print(&merged(nodes), own.max(WITHOUT_METADATA)))
}

fn change(nodes: &mut Vec<Node>, name: &str, from: &str, to: &str) {
    let of_registry = |entry: &Entry| entry.source.as_deref().is_some_and(is_registry);
    let changed = |entry: &mut Entry| {
        entry.version = to.to_owned();
        entry.checksum = None;
    };
    if !from.is_empty() {
        for node in nodes.iter_mut().filter(|node| of_registry(&node.entry)) {
            if node.entry.name == name && node.entry.version == from {
                changed(&mut node.entry);
            }
        }
        return;
    }

    // The source of a package that the file does not have is known when there is only one.
    let sources = |is_meant: &dyn Fn(&Entry) -> bool| {
        let entries = nodes.iter().map(|node| &node.entry);
        let mut sources: Vec<&String> = entries
            .filter(|entry| of_registry(entry) && is_meant(entry))
            .filter_map(|entry| entry.source.as_ref())
            .collect();
        sources.sort();
        sources.dedup();
        match sources.as_slice() {
            [only] => Some((*only).clone()),
            _ => None,
        }
    };
    let source = sources(&|entry| entry.name == name).or_else(|| sources(&|_| true));
    if source.is_some() {
        let mut entry = Entry {
            name: name.to_owned(),
            source,
            ..Entry::default()
        };
        changed(&mut entry);
        nodes.push(Node {
            entry,
            dependencies: std::collections::BTreeSet::new(),
        });
    }
}

/// The packages without those that are there twice, because a version was changed to one that the file
/// has as well.
fn merged(nodes: Vec<Node>) -> Vec<Node> {
    let mut first: BTreeMap<(String, String, Option<String>), usize> = BTreeMap::new();
    let mut kept: Vec<Node> = Vec::with_capacity(nodes.len());
    let mut number = Vec::with_capacity(nodes.len());
    for node in nodes {
        let Entry {
            name,
            version,
            source,
            ..
        } = node.entry.clone();
        let at = *first.entry((name, version, source)).or_insert(kept.len());
        number.push(at);
        match kept.get_mut(at) {
            None => kept.push(node),
            // Of the two, the one that was locked has a checksum.
            Some(other) if other.entry.checksum.is_none() && node.entry.checksum.is_some() => {
                *other = node;
            }
            Some(_) => {}
        }
    }

    for node in &mut kept {
        node.dependencies = node
            .dependencies
            .iter()
            .filter_map(|to| number.get(*to).copied())
            .collect();
    }
    kept
}

/// The text of a lockfile without the entry of a package, which Cargo then resolves again. `None` if
/// it has no such entry.
pub fn without_package(lockfile: &str, name: &str, version: &str) -> Option<String> {
    let entry = format!("[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n");
    let (before, rest) = lockfile.split_once(&entry)?;
    let after = match rest.split_once("\n[") {
        Some((_, after)) => format!("[{after}"),
        None => String::new(),
    };

    Some(format!("{before}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_entry_goes() {
        let lockfile = file(4, "far", "main");
        let without = without_package(&lockfile, "app", "0.1.0").unwrap();
        assert!(!without.contains("name = \"app\""));
        assert!(without.contains("\n\n[[package]]\nname = \"far\""));
        let without = without_package(&lockfile, "far", "0.1.0").unwrap();
        assert!(without.ends_with("\n]\n\n"));
        assert_eq!(without_package(&lockfile, "far", "0.2.0"), None);
    }

    /// A lockfile of a project that needs a package from a git repository.
    fn file(version: u8, name: &str, branch: &str) -> String {
        let commit = "0123456789abcdef0123456789abcdef01234567";
        format!(
            "# This file is automatically @generated by Cargo.\n\
             # It is not intended for manual editing.\nversion = {version}\n\n\
             [[package]]\nname = \"app\"\nversion = \"0.1.0\"\n\
             dependencies = [\n \"{name}\",\n]\n\n\
             [[package]]\nname = \"{name}\"\nversion = \"0.1.0\"\n\
             source = \"git+https://git.invalid/far?branch={branch}#{commit}\"\n"
        )
    }

    #[test]
    fn git_references_are_kept_as_the_old_version_writes_them() {
        let old = file(3, "far", "a/b");
        let new = file(4, "far", "a%2Fb");
        assert_eq!(with_format_of(&old, &new), Some(old.clone()));

        // One that is new may be written in another way.
        assert_eq!(with_format_of(&old, &file(4, "farther", "a%2Fb")), None);
    }
}
