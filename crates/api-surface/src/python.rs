//! Python: names that a source imports, and those that a module defines.

use std::collections::{BTreeMap, BTreeSet};

use tree_sitter::Node;

use crate::exports::{Exports, Follow};
use crate::tree::{Source, children, one_line, walk};
use crate::{Files, Language, References};

/// Deepest chain of modules that import from each other.
const MAX_DEPTH: usize = 16;

/// Functions that import a module by a name that may be made at run time, or that run a text.
const BY_NAME: [&str; 5] = [
    "__import__",
    "importlib.import_module",
    "import_module",
    "exec",
    "eval",
];

/// The names that a source uses: `from a import b`, and `a.b` after `import a`.
pub(crate) fn references(root: Node<'_>, source: &[u8]) -> References {
    let source = Source(source);
    let mut found = References::default();
    // The modules to which names of the source are bound.
    let mut modules: BTreeMap<&str, &str> = BTreeMap::new();
    walk(root, |node| match node.kind() {
        "import_statement" => {
            for child in children(node) {
                let (name, bound) = match child.kind() {
                    "aliased_import" => {
                        let Some(name) = source.field(child, "name") else {
                            continue;
                        };
                        (name, source.field(child, "alias").unwrap_or(name))
                    }
                    _ => (source.text(child), source.text(child)),
                };
                found.module(name, node);
                modules.insert(bound, name);
            }
            false
        }
        "import_from_statement" => {
            from_import(node, source, &mut found);
            false
        }
        "attribute" => {
            let object = source.field(node, "object").unwrap_or_default();
            let name = source.field(node, "attribute");
            if let (Some(module), Some(name)) = (modules.get(object), name) {
                found.used(module, name, node);
            }
            true
        }
        "call" => {
            by_name(node, source, &mut found);
            true
        }
        _ => true,
    });

    found
}

fn from_import(node: Node<'_>, source: Source<'_>, found: &mut References) {
    let Some(module) = source.field(node, "module_name") else {
        return;
    };
    // A relative import is of the repository itself.
    if module.starts_with('.') {
        return;
    }

    found.module(module, node);
    for (name, _) in imported_names(node, source) {
        found.name(module, name, node);
    }
}

/// `__import__("a")` is an import of `a`; with another value, the module is not known.
fn by_name(node: Node<'_>, source: Source<'_>, found: &mut References) {
    let function = source.field(node, "function").unwrap_or_default();
    if !BY_NAME.contains(&function) {
        return;
    }
    let arguments = node.child_by_field_name("arguments").map(children);
    let name = arguments.unwrap_or_default().first().copied();
    let is_text = |name: &Node<'_>| {
        let has_values = children(*name)
            .iter()
            .any(|part| part.kind() == "interpolation");
        name.kind() == "string" && !has_values
    };
    match (function, name.filter(is_text)) {
        ("exec" | "eval", _) => found.gap("a text that is run", node),
        (_, Some(name)) => {
            let module = source.string(name);
            if !module.starts_with('.') {
                found.module(module, node);
            }
        }
        (_, None) => found.gap("an import of a name made at run time", node),
    }
}

/// The names after `import`, with those that they get.
fn imported_names<'s>(node: Node<'_>, source: Source<'s>) -> Vec<(&'s str, &'s str)> {
    let mut cursor = node.walk();
    node.children_by_field_name("name", &mut cursor)
        .map(|child| {
            let name = match child.kind() {
                "aliased_import" => source.field(child, "name").unwrap_or_default(),
                _ => source.text(child),
            };
            (name, source.field(child, "alias").unwrap_or(name))
        })
        .collect()
}

/// The names of a module of a release; `None` if the release does not have the module.
pub(crate) fn exports(files: &Files, module: &str) -> Option<Exports> {
    file_of(files, module)?;
    Some(module_exports(&mut Follow::new(files), module, 0))
}

/// The modules at the top of a release.
pub(crate) fn modules(files: &Files) -> BTreeSet<String> {
    let is_name =
        |name: &str| !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
    files
        .keys()
        .filter_map(|path| {
            let path = path.strip_prefix("src/").unwrap_or(path);
            let name = match path.split_once('/') {
                Some((top, _)) if path.ends_with(".py") => top,
                Some(_) => return None,
                None => path.strip_suffix(".py")?,
            };
            is_name(name).then(|| name.to_owned())
        })
        .collect()
}

/// The file of a module, in a wheel or in the `src` directory of a source archive.
fn file_of(files: &Files, module: &str) -> Option<String> {
    let path = module.replace('.', "/");
    ["", "src/"].iter().find_map(|top| {
        [
            format!("{top}{path}/__init__.py"),
            format!("{top}{path}.py"),
        ]
        .into_iter()
        .find(|file| files.contains_key(file))
    })
}

fn module_exports(follow: &mut Follow<'_>, module: &str, depth: usize) -> Exports {
    let Some(file) = file_of(follow.files, module).filter(|_| depth < MAX_DEPTH) else {
        return Exports::unknown();
    };
    if let Some(known) = follow.known(&file) {
        return known;
    }
    let bytes = follow.open(&file);
    let tree = bytes.and_then(|bytes| Some((bytes, Language::Python.parse(bytes)?)));
    let Some((bytes, tree)) = tree else {
        return Exports::unknown();
    };

    let reader = Reader {
        source: Source(bytes),
        module: module.to_owned(),
        is_package: file.ends_with("__init__.py"),
        depth,
    };
    let mut exports = Exports::default();
    reader.block(tree.root_node(), follow, &mut exports);
    follow.keep(&file, &exports);

    exports
}

struct Reader<'s> {
    source: Source<'s>,
    module: String,
    is_package: bool,
    depth: usize,
}

impl Reader<'_> {
    /// Reads the statements of a block. Those below `if` and `try` count: one of the branches runs.
    fn block(&self, block: Node<'_>, follow: &mut Follow<'_>, exports: &mut Exports) {
        let mut blocks = vec![block];
        while let Some(block) = blocks.pop() {
            for statement in children(block) {
                match statement.kind() {
                    "if_statement" | "try_statement" | "with_statement" | "block"
                    | "else_clause" | "elif_clause" | "except_clause" | "finally_clause" => {
                        blocks.push(statement);
                    }
                    _ => self.statement(statement, follow, exports),
                }
            }
        }
    }

    fn statement(&self, node: Node<'_>, follow: &mut Follow<'_>, exports: &mut Exports) {
        match node.kind() {
            "decorated_definition" => {
                if let Some(definition) = node.child_by_field_name("definition") {
                    self.statement(definition, follow, exports);
                }
            }
            "function_definition" => {
                let name = self.source.field(node, "name").unwrap_or_default();
                // It answers for names that the text does not have (PEP 562).
                exports.is_partial |= name == "__getattr__";
                exports.add(name, parameters(self.source, node));
            }
            "class_definition" => {
                let name = self.source.field(node, "name").unwrap_or_default();
                exports.add(name, Some(class(self.source, node)));
            }
            "expression_statement" => {
                for child in children(node) {
                    if child.kind() == "assignment"
                        && let Some(left) = child.child_by_field_name("left")
                        && left.kind() == "identifier"
                    {
                        exports.add(self.source.text(left), Some("a value".to_owned()));
                    }
                }
            }
            "import_statement" => {
                for child in children(node) {
                    let name = match child.kind() {
                        "aliased_import" => self.source.field(child, "alias"),
                        _ => self.source.text(child).split('.').next(),
                    };
                    exports.add(name.unwrap_or_default(), None);
                }
            }
            "import_from_statement" => self.import_names(node, follow, exports),
            _ => {}
        }
    }

    fn import_names(&self, node: Node<'_>, follow: &mut Follow<'_>, exports: &mut Exports) {
        let written = self.source.field(node, "module_name").unwrap_or_default();
        let module = self.absolute(written);
        let other = module
            .as_ref()
            .filter(|module| file_of(follow.files, module).is_some())
            .map(|module| module_exports(follow, module, self.depth + 1));

        if children(node)
            .iter()
            .any(|child| child.kind() == "wildcard_import")
        {
            match other {
                Some(other) => {
                    exports.is_partial |= other.is_partial;
                    for (name, signature) in other.names {
                        if !name.starts_with('_') {
                            exports.add(&name, signature);
                        }
                    }
                }
                None => exports.is_partial = true,
            }
            return;
        }

        for (name, bound) in imported_names(node, self.source) {
            let of_other = other
                .as_ref()
                .and_then(|other| other.names.get(name).cloned());
            let is_module = module
                .as_ref()
                .is_some_and(|module| file_of(follow.files, &format!("{module}.{name}")).is_some());
            exports.add(
                bound,
                match of_other {
                    Some(signature) => signature,
                    None => is_module.then(|| "a module".to_owned()),
                },
            );
        }
    }

    /// The full name of a module that may be written relative to this one (PEP 328).
    fn absolute(&self, written: &str) -> Option<String> {
        let rest = written.trim_start_matches('.');
        let dots = written.len() - rest.len();
        if dots == 0 {
            return Some(rest.to_owned());
        }

        let mut parts: Vec<&str> = self.module.split('.').collect();
        let up = if self.is_package { dots - 1 } else { dots };
        for _ in 0..up {
            parts.pop()?;
        }
        parts.extend(rest.split('.').filter(|part| !part.is_empty()));

        (!parts.is_empty()).then(|| parts.join("."))
    }
}

fn parameters(source: Source<'_>, function: Node<'_>) -> Option<String> {
    let parameters = function.child_by_field_name("parameters")?;
    Some(source.signature(parameters))
}

/// A class by its bases, its constructor and its public methods.
fn class(source: Source<'_>, node: Node<'_>) -> String {
    let mut methods = BTreeSet::new();
    let body = node.child_by_field_name("body");
    for statement in body.map(children).unwrap_or_default() {
        let function = match statement.kind() {
            "decorated_definition" => statement.child_by_field_name("definition"),
            _ => Some(statement),
        };
        let Some(function) = function.filter(|node| node.kind() == "function_definition") else {
            continue;
        };
        let name = source.field(function, "name").unwrap_or_default();
        if name == "__init__" || !name.starts_with('_') {
            let parameters = parameters(source, function).unwrap_or_default();
            methods.insert(format!("{name}{parameters}"));
        }
    }
    let bases = source.field(node, "superclasses").unwrap_or_default();
    let methods: Vec<String> = methods.into_iter().collect();

    one_line(&format!("class{bases} {}", methods.join("; ")))
}
