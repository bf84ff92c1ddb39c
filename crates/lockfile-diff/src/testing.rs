//! Lockfiles for the tests of this crate.

use patchgate_ecosystems::{Input, Siblings, Upgradable, fixable_format};
use patchgate_model::Lockfile;
use serde_json::{Value, json};

use crate::{EntryDifference, LockfileDiff, State, compare, entry_differences};

/// Two states of one file.
pub(crate) struct Change<'a> {
    pub(crate) path: &'a str,
    pub(crate) before: &'a str,
    pub(crate) after: &'a str,
    /// Manifests of the new state.
    pub(crate) manifests: Siblings,
}

impl<'a> Change<'a> {
    pub(crate) fn new(path: &'a str, before: &'a str, after: &'a str) -> Self {
        Self {
            path,
            before,
            after,
            manifests: Siblings::new(),
        }
    }

    fn read(&self, text: &str) -> (&'static dyn Upgradable, Lockfile) {
        let (ecosystem, format) = fixable_format(self.path).unwrap();
        let siblings = Siblings::new();
        let input = Input {
            path: self.path,
            bytes: text.as_bytes(),
            siblings: &siblings,
        };
        (ecosystem, (format.parse)(&input).unwrap())
    }

    /// The ecosystem, and both states.
    pub(crate) fn lockfiles(&self) -> (&'static dyn Upgradable, Lockfile, Lockfile) {
        let (ecosystem, before) = self.read(self.before);
        (ecosystem, before, self.read(self.after).1)
    }

    pub(crate) fn diff(&self) -> LockfileDiff {
        let (ecosystem, before) = self.read(self.before);
        compare(ecosystem, &before, &self.read(self.after).1)
    }

    pub(crate) fn entries(&self) -> Vec<EntryDifference> {
        let (before, after) = (self.read(self.before).1, self.read(self.after).1);
        let none = Siblings::new();
        entry_differences(
            State {
                bytes: self.before.as_bytes(),
                lockfile: &before,
                siblings: &none,
            },
            State {
                bytes: self.after.as_bytes(),
                lockfile: &after,
                siblings: &self.manifests,
            },
        )
    }

    /// The differences as text, certain ones with `!`.
    pub(crate) fn reported(&self) -> Vec<String> {
        let path = format!(" ({})", self.path);
        self.entries()
            .into_iter()
            .map(|difference| {
                let text = difference.text.strip_suffix(&path).unwrap().to_owned();
                if difference.certain {
                    format!("!{text}")
                } else {
                    text
                }
            })
            .collect()
    }
}

/// An npm lockfile of version 3 with these entries besides the root's.
pub(crate) fn npm(root: Value, entries: Value) -> String {
    let mut packages = json!({ "": root });
    packages
        .as_object_mut()
        .unwrap()
        .extend(entries.as_object().unwrap().clone());
    let lockfile = json!({
        "name": "app",
        "lockfileVersion": 3,
        "requires": true,
        "packages": packages,
    });
    serde_json::to_string_pretty(&lockfile).unwrap()
}

/// An entry of a package from the registry.
pub(crate) fn entry(name: &str, version: &str, more: Value) -> Value {
    let mut entry = json!({
        "version": version,
        "resolved": format!("https://registry.invalid/{name}/-/{name}-{version}.tgz"),
        "integrity": format!("sha512-{name}{version}"),
    });
    entry
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    entry
}
