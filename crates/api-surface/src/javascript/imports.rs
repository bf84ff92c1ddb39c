//! The names that a source uses of other packages.

use std::collections::BTreeMap;

use tree_sitter::Node;

use crate::Imports;
use crate::exports::DEFAULT;
use crate::tree::{Source, children, walk};

/// The names of a source that are bound to a module, each with the module.
type Bound<'s> = BTreeMap<&'s str, &'s str>;

pub(crate) fn imports(root: Node<'_>, source: &[u8]) -> Imports {
    let source = Source(source);
    let mut found = Imports::new();
    let mut bound = Bound::new();
    walk(root, |node| {
        match node.kind() {
            "import_statement" => {
                import(node, source, &mut bound, &mut found);
                return false;
            }
            "export_statement" => re_export(node, source, &mut found),
            "variable_declarator" => require(node, source, &mut bound, &mut found),
            _ => {}
        }
        true
    });
    uses(root, source, &bound, &mut found);

    found
}

/// Whether a module is of another package: not a file, and not a part of Node.js or of the project.
fn is_package(module: &str) -> bool {
    !module.is_empty() && !module.starts_with(['.', '/', '#']) && !module.contains(':')
}

fn import<'s>(node: Node<'_>, source: Source<'s>, bound: &mut Bound<'s>, found: &mut Imports) {
    let Some(module) = node.child_by_field_name("source") else {
        return;
    };
    let module = source.string(module);
    if !is_package(module) {
        return;
    }

    let names = found.entry(module.to_owned()).or_default();
    walk(node, |child| {
        match child.kind() {
            "import_specifier" => {
                let name = source.field(child, "name").unwrap_or_default();
                names.insert(name.to_owned());
                return false;
            }
            "namespace_import" => {
                let name = children(child).first().map(|name| source.text(*name));
                bound.extend(name.map(|name| (name, module)));
                return false;
            }
            "import_clause" => {
                for name in children(child) {
                    if name.kind() == "identifier" {
                        bound.insert(source.text(name), module);
                    }
                }
            }
            _ => {}
        }
        true
    });
}

fn re_export(node: Node<'_>, source: Source<'_>, found: &mut Imports) {
    let Some(module) = node.child_by_field_name("source") else {
        return;
    };
    let module = source.string(module);
    if !is_package(module) {
        return;
    }
    let names = found.entry(module.to_owned()).or_default();
    walk(node, |child| {
        if child.kind() == "export_specifier" {
            names.extend(source.field(child, "name").map(str::to_owned));
        }
        true
    });
}

/// `const a = require('b')`, `const { a } = require('b')`, `const a = require('b').a`, and the same
/// with `await import('b')`.
fn require<'s>(node: Node<'_>, source: Source<'s>, bound: &mut Bound<'s>, found: &mut Imports) {
    let (Some(name), Some(value)) = (
        node.child_by_field_name("name"),
        node.child_by_field_name("value"),
    ) else {
        return;
    };
    let Some(module) = required(value, source).filter(|module| is_package(module)) else {
        return;
    };

    let names = found.entry(module.to_owned()).or_default();
    match name.kind() {
        "identifier" => {
            bound.insert(source.text(name), module);
        }
        "object_pattern" => {
            for child in children(name) {
                let key = match child.kind() {
                    "shorthand_property_identifier_pattern" => Some(source.text(child)),
                    "pair_pattern" => source.field(child, "key"),
                    "object_assignment_pattern" => source.field(child, "left"),
                    _ => None,
                };
                names.extend(key.map(str::to_owned));
            }
        }
        _ => {}
    }
}

/// The module of `require('a')`, `import('a')` and `await import('a')`.
pub(super) fn required<'s>(value: Node<'_>, source: Source<'s>) -> Option<&'s str> {
    let value = match value.kind() {
        "await_expression" => *children(value).first()?,
        _ => value,
    };
    if value.kind() != "call_expression" {
        return None;
    }
    let function = source.field(value, "function")?;
    let arguments = children(value.child_by_field_name("arguments")?);
    match arguments.as_slice() {
        [module] if module.kind() == "string" && matches!(function, "require" | "import") => {
            Some(source.string(*module))
        }
        _ => None,
    }
}

/// Finds the members of modules that are used, and the modules that are used as a value.
fn uses(root: Node<'_>, source: Source<'_>, bound: &Bound<'_>, found: &mut Imports) {
    walk(root, |node| {
        match node.kind() {
            "import_statement" => return false,
            // The object is no use of the module as a value.
            "member_expression" => return !member_use(node, source, bound, found),
            "call_expression" => call_use(node, "function", source, bound, found),
            "new_expression" => call_use(node, "constructor", source, bound, found),
            // `ns.Name` as a type.
            "nested_type_identifier" => {
                let module = source.field(node, "module").unwrap_or_default();
                if let (Some(module), Some(name)) = (bound.get(module), source.field(node, "name"))
                {
                    let names = found.entry((*module).to_owned()).or_default();
                    names.insert(name.to_owned());
                }
            }
            _ => {}
        }
        true
    });
}

/// Finds a member of a module. False if the object is no module.
fn member_use(node: Node<'_>, source: Source<'_>, bound: &Bound<'_>, found: &mut Imports) -> bool {
    let module = node
        .child_by_field_name("object")
        .and_then(|object| match object.kind() {
            "identifier" => bound.get(source.text(object)).copied(),
            _ => required(object, source).filter(|module| is_package(module)),
        });
    let Some(module) = module else {
        return false;
    };

    let names = found.entry(module.to_owned()).or_default();
    names.extend(source.field(node, "property").map(str::to_owned));
    true
}

/// Finds a call of a module as a whole. `field` has what is called.
fn call_use(
    node: Node<'_>,
    field: &str,
    source: Source<'_>,
    bound: &Bound<'_>,
    found: &mut Imports,
) {
    let called = node.child_by_field_name(field);
    let called = called.filter(|called| called.kind() == "identifier");
    if let Some(module) = called.and_then(|called| bound.get(source.text(called))) {
        let names = found.entry((*module).to_owned()).or_default();
        names.insert(DEFAULT.to_owned());
    }
}
