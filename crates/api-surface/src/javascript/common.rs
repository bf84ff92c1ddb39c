//! The names that a CommonJS module assigns.

use std::collections::BTreeMap;

use tree_sitter::Node;

use super::imports::required;
use super::{declare, module};
use crate::exports::{DEFAULT, Exports};
use crate::tree::{Source, children};

/// The names of the file itself, with their signatures.
pub(super) type Local = BTreeMap<String, Option<String>>;

/// Reads one statement at the top of a file. Whether it exports something.
pub(super) fn statement(
    reader: &mut module::Reader<'_, '_>,
    node: Node<'_>,
    local: &Local,
    exports: &mut Exports,
) -> bool {
    let source = reader.source;
    let mut exported = false;
    let mut expressions = children(node);
    while let Some(expression) = expressions.pop() {
        match expression.kind() {
            "sequence_expression" => expressions.extend(children(expression)),
            "assignment_expression" => {
                let (Some(left), Some(right)) = (
                    expression.child_by_field_name("left"),
                    expression.child_by_field_name("right"),
                ) else {
                    continue;
                };
                exported |= assign(reader, left, right, local, exports);
                // `exports.a = exports.b = …`
                if right.kind() == "assignment_expression" {
                    expressions.push(right);
                }
            }
            "call_expression" => exported |= call(reader, expression, exports),
            _ => {}
        }
    }

    // A wrapper around the module decides at run time what it exports.
    if !exported && source.text(node).contains("exports") && node.kind() == "expression_statement" {
        let is_directive = children(node).iter().all(|child| child.kind() == "string");
        exports.is_partial |= !is_directive;
    }

    exported
}

/// `module.exports = …`, `module.exports.a = …`, `exports.a = …`.
fn assign(
    reader: &mut module::Reader<'_, '_>,
    left: Node<'_>,
    right: Node<'_>,
    local: &Local,
    exports: &mut Exports,
) -> bool {
    let source = reader.source;
    let target: String = source.text(left).split_whitespace().collect();
    if target == "module.exports" || target == "exports" {
        whole(reader, right, local, exports);
        return true;
    }

    let name = target
        .strip_prefix("module.exports.")
        .or_else(|| target.strip_prefix("exports."));
    match name {
        // `exports.a.b = …` adds to a value.
        Some(name) if !name.contains(['.', '[', '(']) => {
            exports.add(name, signature(source, right, local));
            true
        }
        Some(_) => true,
        None => false,
    }
}

/// The value of the module as a whole.
fn whole(
    reader: &mut module::Reader<'_, '_>,
    value: Node<'_>,
    local: &Local,
    exports: &mut Exports,
) {
    let source = reader.source;
    match value.kind() {
        "object" => {
            for member in children(value) {
                match member.kind() {
                    "pair" => {
                        let key = source.field(member, "key").unwrap_or_default();
                        let value = member.child_by_field_name("value");
                        let signature = value.and_then(|value| signature(source, value, local));
                        exports.add(key.trim_matches(['"', '\'']), signature);
                    }
                    "shorthand_property_identifier" => {
                        let name = source.text(member);
                        exports.add(name, local.get(name).cloned().flatten());
                    }
                    "method_definition" => {
                        let name = source.field(member, "name").unwrap_or_default();
                        exports.add(name, declare::function(source, member));
                    }
                    "comment" => {}
                    // `...other`
                    _ => exports.is_partial = true,
                }
            }
        }
        "call_expression" => match required(value, source) {
            Some(other) => {
                let other = reader.follow(other);
                let own = other.names.get(DEFAULT).cloned();
                exports.add_all(&other);
                if let Some(signature) = own {
                    exports.add(DEFAULT, signature);
                }
            }
            None => exports.is_partial = true,
        },
        _ => {
            let signature = signature(source, value, local);
            // A function or class can get names later, by any code.
            exports.is_partial = true;
            exports.add(DEFAULT, signature);
        }
    }
}

fn signature(source: Source<'_>, value: Node<'_>, local: &Local) -> Option<String> {
    match value.kind() {
        "identifier" => local.get(source.text(value)).cloned().flatten(),
        _ => declare::value(source, value),
    }
}

/// What compilers write: `Object.defineProperty(exports, "a", …)`, `__exportStar(require("./a"),
/// exports)`.
fn call(reader: &mut module::Reader<'_, '_>, node: Node<'_>, exports: &mut Exports) -> bool {
    let source = reader.source;
    let function = source.field(node, "function").unwrap_or_default();
    let arguments = node.child_by_field_name("arguments").map(children);
    match (function, arguments.unwrap_or_default().as_slice()) {
        ("Object.defineProperty", [target, name, ..])
            if name.kind() == "string"
                && matches!(source.text(*target), "exports" | "module.exports") =>
        {
            exports.add(source.string(*name), None);
            true
        }
        (name, [other, target])
            if name.ends_with("__exportStar") && source.text(*target) == "exports" =>
        {
            match required(*other, source) {
                Some(other) => {
                    let other = reader.follow(other);
                    exports.add_all(&other);
                }
                None => exports.is_partial = true,
            }
            true
        }
        _ => false,
    }
}
