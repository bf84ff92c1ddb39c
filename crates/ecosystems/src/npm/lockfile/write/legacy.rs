//! The nested object `dependencies`: all of version 1, and the second tree of version 2
//! (`#buildLegacyLockfile` in arborist's `lib/shrinkwrap.js`).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::entry::Entry;
use super::flags::Flags;
use super::projects::Overrides;
use super::tree::{Place, Tree, child, dependencies, is_top, name_of, parent};

/// Maximum nesting of copies. Real trees have less than 20 levels.
const MAX_DEPTH: usize = 100;

/// The entries of the nested object by install path, without those that they contain.
pub(super) fn flat(
    listed: &Map<String, Value>,
    directory_of: &dyn Fn(&str) -> String,
) -> BTreeMap<String, Entry> {
    let mut flat = BTreeMap::new();
    let mut stack = vec![(String::new(), listed)];
    while let Some((directory, listed)) = stack.pop() {
        for (name, value) in listed {
            let Value::Object(fields) = value else {
                continue;
            };
            let path = child(&directory, name);
            if let Some(Value::Object(inner)) = fields.get("dependencies") {
                stack.push((directory_of(&path), inner));
            }
            let own = fields.iter().filter(|(key, _)| *key != "dependencies");
            let own = own.map(|(key, value)| (key.clone(), value.clone()));
            flat.entry(path).or_insert_with(|| own.collect());
        }
    }
    flat
}

/// The entries of version 1 as those of the later versions, with the project's own from its manifest.
/// Which requirements are optional follows from the flags (`#fixDependencies` in arborist).
pub(super) fn places(flat: &BTreeMap<String, Entry>, root: Entry) -> Tree {
    let mut tree = Tree::default();
    for (path, fields) in flat {
        let mut entry = Entry::new();
        for key in [
            "version",
            "resolved",
            "integrity",
            "dev",
            "optional",
            "devOptional",
            "peer",
        ] {
            if let Some(value) = fields.get(key) {
                entry.insert(key.to_owned(), value.clone());
            }
        }
        if fields.get("bundled") == Some(&Value::Bool(true)) {
            entry.insert("inBundle".to_owned(), Value::Bool(true));
        }
        let version = fields.get("version").and_then(Value::as_str);
        let alias = version
            .and_then(|version| version.strip_prefix("npm:"))
            .and_then(|alias| alias.rsplit_once('@'));
        if let Some((name, version)) = alias {
            entry.insert("name".to_owned(), json!(name));
            entry.insert("version".to_owned(), json!(version));
        }
        let place = Place {
            node: None,
            root: None,
            entry,
        };
        tree.places.insert(path.clone(), place);
    }
    let root = Place {
        node: None,
        root: Some(0),
        entry: root,
    };
    tree.places.insert(String::new(), root);

    let is_optional = |path: &str| {
        let place = tree.places.get(path);
        place.is_some_and(|place| place.entry.get("optional") == Some(&Value::Bool(true)))
    };
    let mut sections = BTreeMap::new();
    for (path, fields) in flat {
        let Some(Value::Object(requires)) = fields.get("requires") else {
            continue;
        };
        let (mut runtime, mut optional) = (Entry::new(), Entry::new());
        for (name, requirement) in requires {
            let to = tree.resolve(path, name);
            let of = match to.is_some_and(is_optional) && !is_optional(path) {
                true => &mut optional,
                false => &mut runtime,
            };
            of.insert(name.clone(), requirement.clone());
        }
        sections.insert(path.clone(), (runtime, optional));
    }
    for (path, (runtime, optional)) in sections {
        if let Some(place) = tree.places.get_mut(&path) {
            place
                .entry
                .insert("dependencies".to_owned(), runtime.into());
            place
                .entry
                .insert("optionalDependencies".to_owned(), optional.into());
        }
    }

    tree
}

/// The nested object of a tree.
pub(super) struct Nested<'a> {
    pub(super) tree: &'a Tree,
    /// The entries before, by install path.
    pub(super) before: &'a BTreeMap<String, Entry>,
    /// Paths whose copy is another one than before, or has other requirements.
    pub(super) changed: &'a dyn Fn(&str) -> bool,
    pub(super) overrides: &'a Overrides,
    children: BTreeMap<&'a str, Vec<&'a str>>,
}

impl<'a> Nested<'a> {
    pub(super) fn new(
        tree: &'a Tree,
        before: &'a BTreeMap<String, Entry>,
        changed: &'a dyn Fn(&str) -> bool,
        overrides: &'a Overrides,
    ) -> Self {
        let mut children: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for path in tree.places.keys() {
            if let Some(directory) = parent(path) {
                children.entry(directory).or_default().push(path);
            }
        }
        Self {
            tree,
            before,
            changed,
            overrides,
            children,
        }
    }

    /// The copies in a directory's `node_modules`; `None` if there are none.
    ///
    /// # Errors
    /// If an entry cannot be written in this form.
    pub(super) fn below(&self, directory: &str, depth: usize) -> Result<Option<Entry>, String> {
        let Some(paths) = self.children.get(directory) else {
            return Ok(None);
        };
        if depth > MAX_DEPTH {
            return Err("its links make a loop".to_owned());
        }
        let mut listed = Entry::new();
        for path in paths {
            let mut fields = self.own(path)?;
            let inner = self.tree.follow(path).map_or(*path, |(path, _)| path);
            if let Some(below) = self.below(inner, depth + 1)? {
                fields.insert("dependencies".to_owned(), Value::Object(below));
            }
            listed.insert(name_of(path).to_owned(), Value::Object(fields));
        }

        Ok(Some(listed))
    }

    fn own(&self, path: &str) -> Result<Entry, String> {
        let Some(place) = self.tree.places.get(path) else {
            return Ok(Entry::new());
        };
        let target = self.tree.follow(path).map_or(path, |(target, _)| target);
        let old = self.before.get(path);
        if let (Some(old), Some(directory)) = (old, place.link()) {
            let mut fields = old.clone();
            if (self.changed)(directory)
                && let Some((_, place)) = self.tree.follow(path)
            {
                fields.insert("requires".to_owned(), self.requires(&place.entry, target)?);
            }
            return Ok(fields);
        }

        let mut fields = match old.filter(|_| !(self.changed)(path)) {
            Some(old) => self.kept(old)?,
            None => self.fresh(path, place)?,
        };
        Flags::read(&place.entry).write(&mut fields);
        Ok(fields)
    }

    /// An entry that stays. npm states what overrides make of its requirements.
    fn kept(&self, old: &Entry) -> Result<Entry, String> {
        let mut fields = old.clone();
        let requires = fields.get_mut("requires").and_then(Value::as_object_mut);
        for (name, requirement) in requires.into_iter().flatten() {
            if let Some(text) = requirement.as_str() {
                *requirement = json!(self.overrides.requirement(name, text)?);
            }
        }
        Ok(fields)
    }

    /// The entry of a package from a registry.
    fn fresh(&self, path: &str, place: &Place) -> Result<Entry, String> {
        let entry = &place.entry;
        let text = |key: &str| entry.get(key).and_then(Value::as_str);
        let is_from_registry = text("resolved").is_none_or(|address| {
            address.starts_with("https://") || address.starts_with("http://")
        });
        let version = text("version").filter(|_| is_from_registry && place.link().is_none());
        let version = version.ok_or(format!("`{path}` is not from a registry"))?;

        let mut fields = Entry::new();
        let version = match text("name") {
            Some(name) => format!("npm:{name}@{version}"),
            None => version.to_owned(),
        };
        fields.insert("version".to_owned(), json!(version));
        for key in ["resolved", "integrity"] {
            if let Some(value) = entry.get(key) {
                fields.insert(key.to_owned(), value.clone());
            }
        }
        if !dependencies(entry, false).is_empty() {
            fields.insert("requires".to_owned(), self.requires(entry, path)?);
        }
        Ok(fields)
    }

    /// The requirements other than those on peers.
    fn requires(&self, entry: &Entry, path: &str) -> Result<Value, String> {
        let mut requires = Entry::new();
        for (name, (requirement, kind)) in dependencies(entry, is_top(path)) {
            if !kind.is_peer() {
                let requirement = self.overrides.requirement(name, requirement)?;
                requires.insert(name.to_owned(), json!(requirement));
            }
        }
        Ok(Value::Object(requires))
    }
}
