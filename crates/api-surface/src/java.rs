//! Java: the packages and classes that a source imports or names in full.

use tree_sitter::Node;

use crate::references::References;
use crate::tree::{Source, children, walk};

/// Calls that find a class by a name that is made at run time.
const BY_NAME: [&str; 2] = ["forName", "loadClass"];

pub(crate) fn references(root: Node<'_>, source: &[u8]) -> References {
    let source = Source(source);
    let mut found = References::default();
    walk(root, |node| match node.kind() {
        "package_declaration" => {
            let mut name = children(node).into_iter().map(|child| source.text(child));
            found.declared.extend(name.next_back().map(str::to_owned));
            false
        }
        "import_declaration" => {
            import(node, source, &mut found);
            false
        }
        // `a.b.C` without an import.
        "scoped_type_identifier" | "field_access" => {
            full_name(node, source, &mut found);
            true
        }
        "method_invocation" => {
            by_name(node, source, &mut found);
            true
        }
        _ => true,
    });

    found
}

fn import(node: Node<'_>, source: Source<'_>, found: &mut References) {
    let parts = children(node);
    let is_wildcard = parts.iter().any(|part| part.kind() == "asterisk");
    let name = parts
        .iter()
        .find(|part| matches!(part.kind(), "scoped_identifier" | "identifier"));
    let Some(name) = name.map(|name| plain(source.text(*name))) else {
        return;
    };

    match name.rsplit_once('.') {
        Some((package, class)) if !is_wildcard => found.name(package, class, node),
        _ => found.module(&name, node),
    }
}

/// A name without white space.
fn plain(name: &str) -> String {
    name.split_whitespace().collect()
}

/// The package and the class of a full name, told apart by the case of their first letters
/// (<https://docs.oracle.com/javase/specs/jls/se21/html/jls-6.html#jls-6.1>).
fn full_name(node: Node<'_>, source: Source<'_>, found: &mut References) {
    let text = source.text(node);
    // Long chains of calls are no names.
    if text.len() > 300 || text.contains('(') {
        return;
    }

    let text = plain(text);
    let mut package_end = None;
    for (dot, _) in text.match_indices('.') {
        let rest = text.get(dot + 1..).unwrap_or_default();
        if rest.starts_with(char::is_uppercase) {
            package_end = Some(dot);
            break;
        }
    }
    let Some((package, rest)) = package_end.and_then(|dot| text.split_at_checked(dot)) else {
        return;
    };

    let is_package = package.contains('.')
        && package
            .split('.')
            .all(|part| part.starts_with(|c: char| c.is_lowercase() || c == '_'))
        && !package.starts_with("this.")
        && !package.starts_with("super.");
    if is_package {
        let class = rest.trim_start_matches('.');
        let class = class.split('.').next().unwrap_or(class);
        found.name(package, class, node);
    }
}

fn by_name(node: Node<'_>, source: Source<'_>, found: &mut References) {
    let called = source.field(node, "name").unwrap_or_default();
    let of_services = called == "load" && source.field(node, "object") == Some("ServiceLoader");
    if of_services {
        found.gap("a `ServiceLoader`", node);
    }
    if !BY_NAME.contains(&called) {
        return;
    }
    let arguments = node.child_by_field_name("arguments").map(children);
    let name = arguments.unwrap_or_default().first().copied();
    match name.filter(|name| name.kind() == "string_literal") {
        Some(name) => {
            if let Some((package, class)) = source.string(name).rsplit_once('.') {
                found.name(package, class, node);
            }
        }
        None => found.gap("a class that is loaded by a name made at run time", node),
    }
}
