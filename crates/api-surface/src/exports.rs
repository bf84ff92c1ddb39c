//! The public names of a module.

use std::collections::{BTreeMap, BTreeSet};

use crate::Files;

/// The name of the module's own value: `export default`, `module.exports = …`.
pub(crate) const DEFAULT: &str = "default";

/// Most files that are followed from one module.
const MAX_FOLLOWED: usize = 400;

/// The public names of a module with their signatures.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Exports {
    /// Names with signatures; `None` for a signature that is not known.
    pub(crate) names: BTreeMap<String, Option<String>>,
    /// Whether there may be names that the text does not show.
    pub(crate) is_partial: bool,
}

impl Exports {
    /// Names of which none is known.
    pub(crate) fn unknown() -> Self {
        Self {
            is_partial: true,
            ..Self::default()
        }
    }

    pub(crate) fn add(&mut self, name: &str, signature: Option<String>) {
        let known = self.names.entry(name.to_owned()).or_default();
        // Of several declarations, overloads among them, all count.
        *known = match (known.take(), signature) {
            (Some(known), Some(more)) if known != more => Some(format!("{known} | {more}")),
            (known, more) => known.or(more),
        };
    }

    /// Adds all names of another module, but for its own value.
    pub(crate) fn add_all(&mut self, other: &Self) {
        for (name, signature) in other.names.iter().filter(|(name, _)| *name != DEFAULT) {
            self.add(name, signature.clone());
        }
        self.is_partial |= other.is_partial;
    }
}

/// Files that are followed from one module, each read once.
pub(crate) struct Follow<'f> {
    pub(crate) files: &'f Files,
    opened: BTreeSet<String>,
    read: BTreeMap<String, Exports>,
}

impl<'f> Follow<'f> {
    pub(crate) fn new(files: &'f Files) -> Self {
        Self {
            files,
            opened: BTreeSet::new(),
            read: BTreeMap::new(),
        }
    }

    /// The names of a file that was read.
    pub(crate) fn known(&self, path: &str) -> Option<Exports> {
        self.read.get(path).cloned()
    }

    /// Keeps the names of a file.
    pub(crate) fn keep(&mut self, path: &str, exports: &Exports) {
        self.read.insert(path.to_owned(), exports.clone());
    }

    /// The content of a file that was not opened yet. Files that lead to each other in a circle are
    /// opened once.
    pub(crate) fn open(&mut self, path: &str) -> Option<&'f [u8]> {
        if self.opened.len() >= MAX_FOLLOWED || !self.opened.insert(path.to_owned()) {
            return None;
        }
        self.files.get(path).map(Vec::as_slice)
    }
}

/// A path relative to the directory of a file: `./b` from `a/x` is `a/b`. `None` if it leads out.
pub(crate) fn relative(from: &str, to: &str) -> Option<String> {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in to.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }

    Some(parts.join("/"))
}
