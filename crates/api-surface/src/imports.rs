//! The names that a source file uses of other packages.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Language, javascript, python, rust};

/// The names that are used of each module, by the module as it is imported. The name of a module
/// that is used as a whole is `exports::DEFAULT`.
pub type Imports = BTreeMap<String, BTreeSet<String>>;

/// Most modules and names that are read of one file.
const MAX_NAMES: usize = 5_000;

/// The names that a source file uses. Modules of the repository itself may be among them.
#[must_use]
pub fn imports(language: Language, source: &[u8]) -> Imports {
    let Some(tree) = language.parse(source) else {
        return Imports::new();
    };
    let mut found = match language {
        Language::JavaScript | Language::TypeScript | Language::Tsx => {
            javascript::imports(tree.root_node(), source)
        }
        Language::Python => python::imports(tree.root_node(), source),
        Language::Rust => rust::imports(tree.root_node(), source),
    };
    let mut room = MAX_NAMES;
    found.retain(|_, names| {
        let fits = names.len() < room;
        room = room.saturating_sub(names.len() + 1);
        fits
    });

    found
}
