//! The names that a source uses of other packages.

use std::collections::BTreeMap;

use tree_sitter::Node;

use crate::References;
use crate::exports::DEFAULT;
use crate::tree::{Source, children, walk};

/// The names of a source that are bound to a module, each with the module.
type Bound<'s> = BTreeMap<&'s str, &'s str>;

pub(crate) fn references(root: Node<'_>, source: &[u8]) -> References {
    let source = Source(source);
    let mut found = References::default();
    let mut bound = Bound::new();
    walk(root, |node| {
        match node.kind() {
            "import_statement" => {
                import(node, source, &mut bound, &mut found);
                return false;
            }
            "export_statement" => re_export(node, source, &mut found),
            "variable_declarator" => require(node, source, &mut bound, &mut found),
            "call_expression" => called(node, source, &mut found),
            "new_expression" if source.field(node, "constructor") == Some("Function") => {
                found.gap("a text that is run", node);
            }
            _ => {}
        }
        true
    });
    uses(root, source, &bound, &mut found);

    found
}

/// A module that is loaded by a call in any position.
fn called(node: Node<'_>, source: Source<'_>, found: &mut References) {
    if let Some(module) = required(node, source) {
        if is_package(module) {
            found.module(module, node);
        }
        return;
    }

    let function = source.field(node, "function").unwrap_or_default();
    let arguments = node.child_by_field_name("arguments").map(children);
    let arguments = arguments.unwrap_or_default();
    let is_template = |one: &Node<'_>| one.kind() == "template_string" && children(*one).len() <= 1;
    match (function, arguments.first()) {
        ("require" | "import", Some(module)) if is_template(module) => {
            let is_text = children(*module)
                .iter()
                .all(|part| part.kind() == "string_fragment");
            match source.string(*module) {
                module if is_text && is_package(module) => found.module(module, node),
                _ if is_text => {}
                _ => found.gap("a module that is loaded by a name made at run time", node),
            }
        }
        ("require" | "import", Some(_)) => {
            found.gap("a module that is loaded by a name made at run time", node);
        }
        ("require.resolve" | "import.meta.resolve", Some(module)) if module.kind() == "string" => {
            let module = source.string(*module);
            if is_package(module) {
                found.module(module, node);
            }
        }
        ("eval", Some(_)) => found.gap("a text that is run", node),
        _ => {}
    }
}

/// Whether a module is of another package: not a file, and not a part of Node.js or of the project.
fn is_package(module: &str) -> bool {
    !module.is_empty() && !module.starts_with(['.', '/', '#']) && !module.contains(':')
}

fn import<'s>(node: Node<'_>, source: Source<'s>, bound: &mut Bound<'s>, found: &mut References) {
    // `import a = require('b')` has the module in a clause of its own.
    let clause = || {
        let mut clauses = children(node).into_iter();
        clauses.find(|child| child.kind() == "import_require_clause")
    };
    let module = node
        .child_by_field_name("source")
        .or_else(|| clause()?.child_by_field_name("source"));
    let Some(module) = module.map(|module| source.string(module)) else {
        return;
    };
    if !is_package(module) {
        return;
    }

    found.module(module, node);
    walk(node, |child| {
        match child.kind() {
            "import_specifier" => {
                let name = source.field(child, "name").unwrap_or_default();
                found.name(module, name, child);
                return false;
            }
            "namespace_import" => {
                let name = children(child).first().map(|name| source.text(*name));
                bound.extend(name.map(|name| (name, module)));
                return false;
            }
            "import_clause" | "import_require_clause" => {
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

fn re_export(node: Node<'_>, source: Source<'_>, found: &mut References) {
    let Some(module) = node.child_by_field_name("source") else {
        return;
    };
    let module = source.string(module);
    if !is_package(module) {
        return;
    }
    found.module(module, node);
    walk(node, |child| {
        if child.kind() == "export_specifier"
            && let Some(name) = source.field(child, "name")
        {
            found.name(module, name, child);
        }
        true
    });
}

/// `const a = require('b')`, `const { a } = require('b')`, `const a = require('b').a`, and the same
/// with `await import('b')`.
fn require<'s>(node: Node<'_>, source: Source<'s>, bound: &mut Bound<'s>, found: &mut References) {
    let (Some(name), Some(value)) = (
        node.child_by_field_name("name"),
        node.child_by_field_name("value"),
    ) else {
        return;
    };
    let Some(module) = required(value, source).filter(|module| is_package(module)) else {
        return;
    };

    found.module(module, node);
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
                if let Some(key) = key {
                    found.name(module, key, child);
                }
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
fn uses(root: Node<'_>, source: Source<'_>, bound: &Bound<'_>, found: &mut References) {
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
                    found.used(module, name, node);
                }
            }
            _ => {}
        }
        true
    });
}

/// Finds a member of a module. False if the object is no module.
fn member_use(
    node: Node<'_>,
    source: Source<'_>,
    bound: &Bound<'_>,
    found: &mut References,
) -> bool {
    let module = node
        .child_by_field_name("object")
        .and_then(|object| match object.kind() {
            "identifier" => bound.get(source.text(object)).copied(),
            _ => required(object, source).filter(|module| is_package(module)),
        });
    let Some(module) = module else {
        return false;
    };

    found.module(module, node);
    if let Some(name) = source.field(node, "property") {
        found.used(module, name, node);
    }
    true
}

/// Finds a call of a module as a whole. `field` has what is called.
fn call_use(
    node: Node<'_>,
    field: &str,
    source: Source<'_>,
    bound: &Bound<'_>,
    found: &mut References,
) {
    let called = node.child_by_field_name(field);
    let called = called.filter(|called| called.kind() == "identifier");
    if let Some(module) = called.and_then(|called| bound.get(source.text(called))) {
        found.used(module, DEFAULT, node);
    }
}
