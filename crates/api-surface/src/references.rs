//! The references of a source file to other packages, each with its line.

use std::collections::{BTreeMap, BTreeSet};

use tree_sitter::Node;

use crate::tree::{line, walk};
use crate::{Imports, Language, go, java, javascript, python, rust};

/// Most modules and names that are read of one file.
const MAX_NAMES: usize = 5_000;

/// What a source file says about other packages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct References {
    /// The modules that it refers to, as they are written. Modules of the repository itself may be
    /// among them.
    pub modules: BTreeMap<String, ModuleReference>,
    /// The methods that are called on values whose type the file does not show, with the line of the
    /// first call. Only Go and Rust have them.
    pub methods: BTreeMap<String, u32>,
    /// The names by which other sources of the same repository may refer to this one, or to a part of
    /// it: modules of Rust, packages of Java.
    pub declared: BTreeSet<String>,
    /// The places where a name is made at run time or at build time, so that the text does not have it.
    pub gaps: Vec<Gap>,
    /// The line of the first part that is not in the language's grammar. Names there may be missing.
    pub first_error: Option<u32>,
    names: usize,
}

/// The references to one module.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModuleReference {
    /// Line of the first reference, from 1.
    pub line: u32,
    /// The names of the module.
    pub names: BTreeMap<String, NameReference>,
}

/// The references to one name of a module.
///
/// The name of a method has its type before it: `Type.method` in Go, `Type::method` in Rust. The type
/// is [`OF_MODULE`] for a value that a function of the module returned.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NameReference {
    /// Line of the first reference, from 1.
    pub line: u32,
    /// Line of the first reference that is more than an import; `None` if there is none.
    pub used: Option<u32>,
}

/// The type of a value that a function of a module returned. Which type it is cannot be seen.
pub const OF_MODULE: &str = "?";

/// A place where the text does not have the name of what it imports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Gap {
    /// Line, from 1.
    pub line: u32,
    /// What is there: a fragment such as ``an `import()` of a value``.
    pub what: &'static str,
}

impl References {
    /// Adds a module.
    pub(crate) fn module(&mut self, module: &str, node: Node<'_>) {
        self.entry(module, node);
    }

    /// Adds a name that is imported.
    pub(crate) fn name(&mut self, module: &str, name: &str, node: Node<'_>) {
        self.add(module, name, node, false);
    }

    /// Adds a name that is used.
    pub(crate) fn used(&mut self, module: &str, name: &str, node: Node<'_>) {
        self.add(module, name, node, true);
    }

    /// Adds the call of a method on a value of an unknown type.
    pub(crate) fn method(&mut self, name: &str, node: Node<'_>) {
        if self.has_room(node) && !self.methods.contains_key(name) {
            self.names += 1;
            self.methods.insert(name.to_owned(), line(node));
        }
    }

    /// Adds a place where a name is made at run time.
    pub(crate) fn gap(&mut self, what: &'static str, node: Node<'_>) {
        // One of a kind says enough.
        if self.gaps.iter().all(|gap| gap.what != what) {
            self.gaps.push(Gap {
                line: line(node),
                what,
            });
        }
    }

    fn has_room(&mut self, node: Node<'_>) -> bool {
        let has_room = self.names < MAX_NAMES;
        if !has_room {
            self.gap("more than 5,000 names", node);
        }
        has_room
    }

    fn entry(&mut self, module: &str, node: Node<'_>) -> Option<&mut ModuleReference> {
        if !self.modules.contains_key(module) {
            if !self.has_room(node) {
                return None;
            }
            self.names += 1;
            let reference = ModuleReference {
                line: line(node),
                ..ModuleReference::default()
            };
            self.modules.insert(module.to_owned(), reference);
        }
        self.modules.get_mut(module)
    }

    fn add(&mut self, module: &str, name: &str, node: Node<'_>, is_use: bool) {
        let has_room = self.has_room(node);
        let Some(reference) = self.entry(module, node) else {
            return;
        };
        let line = line(node);
        match reference.names.get_mut(name) {
            Some(known) if is_use => known.used = known.used.or(Some(line)),
            Some(_) => {}
            None if has_room => {
                let used = is_use.then_some(line);
                let new = NameReference { line, used };
                reference.names.insert(name.to_owned(), new);
                self.names += 1;
            }
            None => {}
        }
    }
}

/// The references of a source file; `None` if it is larger than 1 MiB.
#[must_use]
pub fn references(language: Language, source: &[u8]) -> Option<References> {
    let tree = language.parse(source)?;
    let root = tree.root_node();
    let mut found = match language {
        Language::JavaScript | Language::TypeScript | Language::Tsx => {
            javascript::references(root, source)
        }
        Language::Python => python::references(root, source),
        Language::Rust => rust::references(root, source),
        Language::Go => go::references(root, source),
        Language::Java => java::references(root, source),
    };
    found.first_error = first_error(root);

    Some(found)
}

/// The names that a source file uses. Modules of the repository itself may be among them.
#[must_use]
pub fn imports(language: Language, source: &[u8]) -> Imports {
    let found = references(language, source).unwrap_or_default();
    let of_type = |name: &String| !name.contains(['.', ':']);
    found
        .modules
        .into_iter()
        .map(|(module, of)| (module, of.names.into_keys().filter(of_type).collect()))
        .collect()
}

fn first_error(root: Node<'_>) -> Option<u32> {
    if !root.has_error() {
        return None;
    }
    let mut first = None;
    walk(root, |node| {
        if first.is_none() && (node.is_error() || node.is_missing()) {
            first = Some(line(node));
        }
        first.is_none() && node.has_error()
    });
    first.or(Some(1))
}
