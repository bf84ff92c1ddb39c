//! The names that a CommonJS module assigns.

use std::collections::BTreeMap;

use tree_sitter::Node;

use super::imports::required;
use super::{declare, module};
use crate::exports::{DEFAULT, Exports};
use crate::tree::{Source, children};

/// The names of the file itself.
#[derive(Debug, Default)]
pub(super) struct Local<'s> {
    /// Those that it declares, with their signatures.
    pub(super) declared: BTreeMap<String, Option<String>>,
    /// Those that it takes from other files: the file as it is written, and the name in it.
    taken: BTreeMap<&'s str, (&'s str, &'s str)>,
    /// The name of the value that the module is as a whole: `module.exports = a`.
    whole: Option<&'s str>,
}

impl<'s> Local<'s> {
    /// Reads the statements at the top of a file.
    pub(super) fn new(source: Source<'s>, statements: &[Node<'_>]) -> Self {
        let mut local = Self::default();
        for statement in statements {
            local.declared.extend(declare::names(source, *statement));
            match statement.kind() {
                "import_statement" => local.import(source, *statement),
                "lexical_declaration" | "variable_declaration" => {
                    local.require(source, *statement);
                }
                "expression_statement" => {
                    let assigned = children(*statement).into_iter().find_map(|node| {
                        let left = source.field(node, "left")?;
                        let right = node.child_by_field_name("right")?;
                        let is_whole = left == "module.exports" && right.kind() == "identifier";
                        is_whole.then(|| source.text(right))
                    });
                    local.whole = assigned.or(local.whole);
                }
                _ => {}
            }
        }

        local
    }

    fn import(&mut self, source: Source<'s>, node: Node<'_>) {
        let Some(file) = node.child_by_field_name("source") else {
            return;
        };
        let file = source.string(file);
        let clauses = children(node).into_iter().flat_map(children);
        for part in clauses {
            if part.kind() == "identifier" {
                self.taken.insert(source.text(part), (file, DEFAULT));
            }
            for specifier in children(part) {
                if let Some(name) = source.field(specifier, "name") {
                    let alias = source.field(specifier, "alias").unwrap_or(name);
                    self.taken.insert(alias, (file, name));
                }
            }
        }
    }

    fn require(&mut self, source: Source<'s>, node: Node<'_>) {
        for declarator in children(node) {
            let (Some(name), Some(file)) = (
                declarator.child_by_field_name("name"),
                declarator
                    .child_by_field_name("value")
                    .and_then(|value| required(value, source)),
            ) else {
                continue;
            };

            match name.kind() {
                "identifier" => {
                    self.taken.insert(source.text(name), (file, DEFAULT));
                }
                "object_pattern" => {
                    for part in children(name) {
                        let key = source.field(part, "key");
                        let (key, value) = match key {
                            Some(key) => (key, source.field(part, "value").unwrap_or(key)),
                            None => (source.text(part), source.text(part)),
                        };
                        self.taken.insert(value, (file, key));
                    }
                }
                _ => {}
            }
        }
    }

    /// The file that a name is taken from, and its name there.
    pub(super) fn origin(&self, name: &str) -> Option<(&'s str, &'s str)> {
        self.taken.get(name).copied()
    }
}

/// Reads one statement at the top of a file. Whether it exports something.
pub(super) fn statement(
    reader: &mut module::Reader<'_, '_>,
    node: Node<'_>,
    local: &Local<'_>,
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
    local: &Local<'_>,
    exports: &mut Exports,
) -> bool {
    let source = reader.source;
    let target: String = source.text(left).split_whitespace().collect();
    if target == "module.exports" || target == "exports" {
        whole(reader, right, local, exports);
        return true;
    }

    let of_whole = |whole: &str| target.strip_prefix(whole)?.strip_prefix('.');
    let name = target
        .strip_prefix("module.exports.")
        .or_else(|| target.strip_prefix("exports."))
        .or_else(|| local.whole.and_then(of_whole));
    match name {
        // `exports.a.b = …` adds to a value.
        Some(name) if !name.contains(['.', '[', '(']) => {
            let signature = signature(reader, right, local);
            exports.add(name, signature);
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
    local: &Local<'_>,
    exports: &mut Exports,
) {
    let source = reader.source;

    match value.kind() {
        "object" => {
            for member in children(value) {
                object_member(reader, member, local, exports);
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
            if value.kind() == "identifier"
                && let Some((file, DEFAULT)) = local.origin(source.text(value))
            {
                let other = reader.follow(file);
                exports.add_all(&other);
            }
            let signature = signature(reader, value, local);
            // A function or class can get names later, by any code.
            exports.is_partial = true;
            exports.add(DEFAULT, signature);
        }
    }
}

/// A name of an object that is the value of the module.
fn object_member(
    reader: &mut module::Reader<'_, '_>,
    member: Node<'_>,
    local: &Local<'_>,
    exports: &mut Exports,
) {
    let source = reader.source;

    match member.kind() {
        "pair" => {
            let key = source.field(member, "key").unwrap_or_default();
            let value = member.child_by_field_name("value");
            let signature = value.and_then(|value| signature(reader, value, local));
            exports.add(key.trim_matches(['"', '\'']), signature);
        }
        "shorthand_property_identifier" => {
            let name = source.text(member);
            exports.add(name, reader.local(name, local));
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

fn signature(
    reader: &mut module::Reader<'_, '_>,
    value: Node<'_>,
    local: &Local<'_>,
) -> Option<String> {
    let source = reader.source;
    match value.kind() {
        "identifier" => reader.local(source.text(value), local),
        "call_expression" => {
            let other = reader.follow(required(value, source)?);
            other.names.get(DEFAULT).cloned().flatten()
        }
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
