//! Signatures of declarations.

use std::collections::BTreeSet;

use tree_sitter::Node;

use crate::tree::{Source, children, one_line};

/// The signature of a function by its parameters, and its type where that is written.
pub(super) fn function(source: Source<'_>, node: Node<'_>) -> Option<String> {
    let parameters = node
        .child_by_field_name("parameters")
        .or_else(|| node.child_by_field_name("parameter"))?;
    let types = source.field(node, "return_type").unwrap_or_default();
    let text = source.text(parameters);
    // `a => b` and `(a) => b` are the same.
    let parameters = match text.starts_with('(') {
        true => text.to_owned(),
        false => format!("({text})"),
    };

    Some(one_line(&format!("{parameters}{types}")))
}

/// A class by its constructor and its public methods.
pub(super) fn class(source: Source<'_>, node: Node<'_>) -> String {
    let mut methods = BTreeSet::new();
    let body = node.child_by_field_name("body");
    for member in body.map(children).unwrap_or_default() {
        let is_method = matches!(
            member.kind(),
            "method_definition" | "method_signature" | "abstract_method_signature"
        );
        let name = source.field(member, "name").unwrap_or_default();
        let is_private = name.starts_with(['#', '_'])
            || children(member).iter().any(|child| {
                child.kind() == "accessibility_modifier" && source.text(*child) == "private"
            });
        if is_method && !is_private {
            let parameters = function(source, member).unwrap_or_default();
            methods.insert(format!("{name}{parameters}"));
        }
    }
    let methods: Vec<String> = methods.into_iter().collect();

    one_line(&format!("class {}", methods.join("; ")))
}

/// The signature of a value, where it is a function or a class.
pub(super) fn value(source: Source<'_>, node: Node<'_>) -> Option<String> {
    match node.kind() {
        "function_expression"
        | "function"
        | "arrow_function"
        | "generator_function"
        | "function_declaration"
        | "generator_function_declaration"
        | "function_signature" => function(source, node),
        "class" | "class_declaration" | "abstract_class_declaration" => Some(class(source, node)),
        "number" | "string" | "true" | "false" | "null" | "array" | "regex" | "template_string" => {
            Some("a value".to_owned())
        }
        _ => None,
    }
}

/// The names that a declaration declares, with their signatures.
pub(super) fn names(source: Source<'_>, node: Node<'_>) -> Vec<(String, Option<String>)> {
    let name = || source.field(node, "name").unwrap_or_default().to_owned();

    match node.kind() {
        "function_declaration"
        | "generator_function_declaration"
        | "function_signature"
        | "class_declaration"
        | "abstract_class_declaration" => vec![(name(), value(source, node))],
        // The text is the declaration.
        "interface_declaration" | "type_alias_declaration" | "enum_declaration" => {
            vec![(name(), Some(source.signature(node)))]
        }
        "internal_module" | "module" => vec![(name(), None)],
        "ambient_declaration" => children(node)
            .into_iter()
            .flat_map(|child| names(source, child))
            .collect(),
        "lexical_declaration" | "variable_declaration" => children(node)
            .into_iter()
            .filter(|child| child.kind() == "variable_declarator")
            .filter_map(|child| {
                let name = child.child_by_field_name("name")?;
                let stated = source.field(child, "type").map(one_line);
                let of_value = child
                    .child_by_field_name("value")
                    .and_then(|node| value(source, node));
                (name.kind() == "identifier")
                    .then(|| (source.text(name).to_owned(), of_value.or(stated)))
            })
            .collect(),
        _ => Vec::new(),
    }
}
