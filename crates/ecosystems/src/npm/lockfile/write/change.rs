//! A change of a lockfile, from its bytes and the graph that it should have to its new bytes.

use std::collections::{BTreeMap, BTreeSet};

use jsonc_parser::ast;
use jsonc_parser::common::Ranged as _;
use patchgate_model::{Lockfile, PackageIndex};
use serde_json::{Map, Value};

use super::entry::{self, Entry, EntryStyle};
use super::flags::{Flags, flags};
use super::legacy::{self, Nested};
use super::place::Placer;
use super::print::{Document, Style};
use super::projects::{self, Overrides};
use super::tree::{Place, Tree, is_top, name_of, parent};
use super::verify;
use crate::npm::json::strict_ast;
use crate::{Downloads, Input, TargetGraph};

/// The bytes of a lockfile with a graph.
///
/// # Errors
/// The obstacle, as a fragment.
pub(super) fn write(
    input: &Input<'_>,
    lockfile: &Lockfile,
    target: &TargetGraph,
    downloads: &Downloads,
) -> Result<Vec<u8>, String> {
    let text = input.text().map_err(|error| error.to_string())?;
    if !lockfile.skipped.is_empty() {
        return Err("it has entries that cannot be read".to_owned());
    }
    let style = Style::of(text).ok_or("it is not laid out in lines of one kind")?;
    let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let syntax = strict_ast(text)?;
    let Value::Object(document) = &value else {
        return Err("it is not an object".to_owned());
    };

    let before = Before::new(input, lockfile, target, document, &syntax)?;
    let after = before.changed(input, lockfile, downloads)?;
    let mut changed = document.clone();
    if before.is_flat {
        let entries = after.tree.places.iter();
        let packages = entries.map(|(path, place)| (path.clone(), place.entry.clone().into()));
        changed.insert("packages".to_owned(), Value::Object(packages.collect()));
    }
    if before.is_nested {
        let is_changed = |path: &str| after.changed.contains(path);
        let nested = Nested::new(&after.tree, &before.nested, &is_changed, &after.overrides);
        let listed = nested.below("", 0)?.unwrap_or_default();
        changed.insert("dependencies".to_owned(), Value::Object(listed));
    }

    let range = syntax.range();
    let document = Document { text, style };
    let written = document.changed(&syntax, &value, &Value::Object(changed), 0);
    let mut bytes = Vec::with_capacity(written.len() + 8);
    if input.bytes.starts_with("\u{feff}".as_bytes()) {
        bytes.extend("\u{feff}".as_bytes());
    }
    bytes.extend(text.get(..range.start).unwrap_or_default().as_bytes());
    bytes.extend(written.as_bytes());
    bytes.extend(text.get(range.end..).unwrap_or_default().as_bytes());
    Ok(bytes)
}

/// A lockfile before its change.
struct Before<'a> {
    tree: Tree,
    target: &'a TargetGraph,
    /// Whether it has the flat object `packages` (versions 2 and 3).
    is_flat: bool,
    /// Whether it has the nested object `dependencies` (versions 1 and 2).
    is_nested: bool,
    /// The entries of the nested object by install path.
    nested: BTreeMap<String, Entry>,
    style: EntryStyle,
}

/// A lockfile after its change.
struct After {
    tree: Tree,
    /// Paths whose copy is another one than before, or has other requirements.
    changed: BTreeSet<String>,
    overrides: Overrides,
}

impl<'a> Before<'a> {
    fn new(
        input: &Input<'_>,
        lockfile: &Lockfile,
        target: &'a TargetGraph,
        document: &Map<String, Value>,
        syntax: &ast::Value<'_>,
    ) -> Result<Self, String> {
        let packages = document.get("packages").and_then(Value::as_object);
        let listed = document.get("dependencies").and_then(Value::as_object);
        let version = document.get("lockfileVersion").and_then(Value::as_u64);
        let (is_flat, is_nested) = match version {
            Some(1) => (false, true),
            Some(2) => (true, true),
            Some(3) => (true, false),
            _ => return Err("its version is not one that npm writes".to_owned()),
        };
        let mut tree = match packages.filter(|_| is_flat) {
            Some(packages) => flat_tree(packages, syntax)?,
            None => {
                let root = projects::manifest(input, "").ok_or("its manifest is missing")?;
                if root.contains_key("workspaces") {
                    return Err("version 1 does not say what workspaces need".to_owned());
                }
                let listed = listed.ok_or("its `dependencies` are missing")?;
                legacy::places(&legacy::flat(listed, &str::to_owned), root)
            }
        };
        let nested = match listed.filter(|_| is_nested) {
            Some(listed) => {
                let directory_of =
                    |path: &str| tree.follow(path).map_or(path, |(path, _)| path).to_owned();
                legacy::flat(listed, &directory_of)
            }
            None if is_nested => return Err("its `dependencies` are missing".to_owned()),
            None => BTreeMap::new(),
        };

        let nodes = nodes_by_path(lockfile, target);
        for (path, place) in &mut tree.places {
            place.node = nodes.get(path.as_str()).copied().flatten();
            let is_known = nodes.contains_key(path.as_str()) || place.link().is_some();
            if !is_known && !path.is_empty() {
                return Err("it is not the file that was read".to_owned());
            }
        }
        if nodes.keys().any(|path| !tree.places.contains_key(*path)) {
            return Err("it is not the file that was read".to_owned());
        }

        // With npm's `omit-lockfile-registry-resolved`, a few entries still have their address.
        let entries = tree.places.iter().filter(|(path, _)| !is_top(path));
        let has = |key: &str| {
            let of_registry = entries
                .clone()
                .filter(|(_, place)| place.link().is_none() && !place.is_bundled());
            of_registry
                .filter(|(_, place)| place.entry.contains_key(key))
                .count()
        };
        let style = EntryStyle {
            resolved: 2 * has("resolved") >= has("integrity"),
            license: is_flat && has("license") > 0,
        };
        Ok(Self {
            tree,
            target,
            is_flat,
            is_nested,
            nested,
            style,
        })
    }

    /// The lockfile with the graph.
    fn changed(
        &self,
        input: &Input<'_>,
        lockfile: &Lockfile,
        downloads: &Downloads,
    ) -> Result<After, String> {
        let entries = self.entries(lockfile, downloads)?;
        let (mut start, moved) = self.start(&entries)?;
        projects::repeat(input, &mut start)?;
        let edited: Vec<String> = self
            .tree
            .places
            .iter()
            .filter(|(path, place)| {
                let now = start.places.get(*path);
                is_top(path) && now.is_some_and(|now| now.entry != place.entry)
            })
            .map(|(path, _)| path.clone())
            .collect();

        let mut placer = Placer::new(start, lockfile, self.target, entries);
        placer.run(&moved)?;
        if let Some(path) = placer.unmet() {
            return Err(format!("the packages of `{path}` find no place"));
        }

        let mut tree = placer.tree;
        let mut changed: BTreeSet<String> = tree
            .places
            .iter()
            .filter(|(path, place)| {
                let old = self.tree.places.get(*path);
                old.is_none_or(|old| old.node != place.node) || self.has_release(place)
            })
            .map(|(path, _)| path.clone())
            .collect();
        changed.extend(edited);
        self.set_flags(&mut tree, &changed)?;

        let manifest = projects::manifest(input, "");
        let overrides = Overrides::read(manifest.as_ref());
        verify::check(&self.tree, &tree, &changed, &overrides)?;
        Ok(After {
            tree,
            changed,
            overrides,
        })
    }

    fn has_release(&self, place: &Place) -> bool {
        let node = place.node.and_then(|node| self.target.nodes.get(node));
        node.is_some_and(|node| node.release.is_some())
    }

    /// The entry of each package of the graph, without flags; empty for one that cannot be installed a
    /// second time.
    fn entries(&self, lockfile: &Lockfile, downloads: &Downloads) -> Result<Vec<Entry>, String> {
        let mut entries = Vec::with_capacity(self.target.nodes.len());
        for node in &self.target.nodes {
            if let Some(release) = &node.release {
                let style = self.style;
                entries.push(entry::entry(
                    lockfile, &node.name, release, style, downloads,
                )?);
                continue;
            }
            let package = node.was.and_then(|was| lockfile.package(was));
            let path = package.and_then(|package| package.install_path.as_deref());
            let place = path.and_then(|path| self.tree.places.get(path));
            let place = place.ok_or_else(|| format!("`{}` has no release", node.name))?;
            let is_single = place.link().is_some()
                || place.is_bundled()
                || place.entry.contains_key("hasShrinkwrap")
                || path.is_none_or(is_top);
            let mut entry = match is_single {
                true => Entry::new(),
                false => place.entry.clone(),
            };
            Flags::read(&Entry::new()).write(&mut entry);
            entries.push(entry);
        }

        Ok(entries)
    }

    /// The tree with the copies that stay where they are, and the paths of those that have another
    /// version.
    fn start(&self, entries: &[Entry]) -> Result<(Tree, Vec<String>), String> {
        let root = self.tree.places.get("");
        if root.is_some_and(|root| {
            let bundled = ["bundleDependencies", "bundledDependencies"];
            bundled.iter().any(|key| root.entry.contains_key(*key))
        }) {
            return Err("the project has packages in its own archive".to_owned());
        }

        let mut start = self.tree.clone();
        let mut moved = Vec::new();
        for (path, place) in &self.tree.places {
            let is_leaving = !path.is_empty() && place.link().is_none() && place.node.is_none();
            let release = place
                .node
                .and_then(|node| self.target.nodes.get(node)?.release.as_ref());
            if !is_leaving && release.is_none() {
                continue;
            }
            self.check_change(path, place)?;
            if is_leaving {
                start.places.remove(path);
                continue;
            }
            let Some((now, entry)) = start
                .places
                .get_mut(path)
                .zip(place.node.and_then(|node| entries.get(node)))
            else {
                continue;
            };
            now.entry.clone_from(entry);
            let name = place
                .node
                .and_then(|node| Some(&self.target.nodes.get(node)?.name));
            if let Some(name) = name.filter(|name| **name != name_of(path)) {
                now.entry.insert("name".to_owned(), name.as_str().into());
            }
            moved.push(path.clone());
        }

        // What was installed in a copy that leaves finds another place where it is still needed.
        let orphans: Vec<String> = start
            .places
            .keys()
            .filter(|path| parent(path).is_some_and(|above| !start.places.contains_key(above)))
            .cloned()
            .collect();
        for path in orphans {
            start.remove(&path);
        }

        Ok((start, moved))
    }

    /// Whether the copy at a path can get another version, or leave.
    fn check_change(&self, path: &str, place: &Place) -> Result<(), String> {
        if is_top(path) || place.link().is_some() {
            return Err(format!("`{path}` is not an installed package"));
        }
        let mut above = self.tree.ancestry(path);
        let is_shipped = |path: &str| {
            let place = self.tree.places.get(path);
            place.is_some_and(|place| place.entry.contains_key("hasShrinkwrap"))
        };
        if above.any(is_shipped) {
            return Err(format!("`{path}` has a lockfile in its archive"));
        }

        // A bundled copy leaves with the package whose archive has it.
        let stays = |path: &&str| {
            let place = self.tree.places.get(*path);
            place.is_some_and(|place| place.is_bundled() && place.node.is_some())
        };
        let bundler = self.tree.ancestry(path).skip(1).find(|above| {
            let place = self.tree.places.get(*above);
            place.is_some_and(|place| !place.is_bundled())
        });
        let bundler_stays = bundler.is_some_and(|above| {
            let place = self.tree.places.get(above);
            above.is_empty()
                || place.is_some_and(|place| place.node.is_some() && !self.has_release(place))
        });
        if place.is_bundled() && (place.node.is_some() || bundler_stays)
            || self.tree.below(path).iter().any(stays)
        {
            return Err(format!("`{path}` has packages in its archive"));
        }

        Ok(())
    }

    /// Sets the flags of a tree, and removes what nothing needs.
    fn set_flags(&self, tree: &mut Tree, changed: &BTreeSet<String>) -> Result<(), String> {
        let before = flags(&self.tree);
        let after: BTreeMap<String, Flags> = flags(tree)
            .into_iter()
            .map(|(path, flags)| (path.to_owned(), flags.shown()))
            .collect();
        for (path, now) in after {
            let old = self.tree.places.get(&path);
            let recorded = old.map(|old| Flags::read(&old.entry));
            let computed = before.get(path.as_str()).map(|flags| flags.shown());
            // What no known dependency reached before either stays, and cannot change.
            let was_unreached = computed.is_some_and(|flags| flags.extraneous);
            if now.extraneous && was_unreached && changed.contains(&path) {
                return Err(format!("it is not known what needs `{path}`"));
            }
            if now.extraneous && !was_unreached {
                tree.remove(&path);
                continue;
            }
            let Some(place) = tree.places.get_mut(&path) else {
                continue;
            };
            if path.is_empty() || place.link().is_some() {
                continue;
            }
            match recorded {
                // The file is from a version of npm with other rules.
                Some(recorded) if computed != Some(recorded) => {
                    if computed != Some(now) {
                        return Err(format!("the flags of `{path}` are not those that npm sets"));
                    }
                    recorded.write(&mut place.entry);
                }
                _ => now.write(&mut place.entry),
            }
        }

        Ok(())
    }
}

/// The tree of `packages`, with the index of each project.
fn flat_tree(packages: &Map<String, Value>, syntax: &ast::Value<'_>) -> Result<Tree, String> {
    let mut tree = Tree::default();
    let object = syntax
        .as_object()
        .and_then(|document| document.get("packages")?.value.as_object());
    let mut roots = 0..;
    for property in object.into_iter().flat_map(|object| &object.properties) {
        let path = property.name.as_str();
        let Some(Value::Object(entry)) = packages.get(path) else {
            return Err(format!("its entry `{path}` is not an object"));
        };
        let place = Place {
            node: None,
            root: if is_top(path) { roots.next() } else { None },
            entry: entry.clone(),
        };
        tree.places.insert(path.to_owned(), place);
    }
    match tree.places.contains_key("") {
        true => Ok(tree),
        false => Err("it has no entry for the project".to_owned()),
    }
}

/// The package of the target graph for every install path: `None` for one that leaves.
fn nodes_by_path<'l>(
    lockfile: &'l Lockfile,
    target: &TargetGraph,
) -> BTreeMap<&'l str, Option<usize>> {
    let kept: BTreeMap<PackageIndex, usize> = target
        .nodes
        .iter()
        .enumerate()
        .filter_map(|(index, node)| Some((node.was?, index)))
        .collect();
    lockfile
        .indexed()
        .filter_map(|(index, package)| {
            Some((package.install_path.as_deref()?, kept.get(&index).copied()))
        })
        .collect()
}
