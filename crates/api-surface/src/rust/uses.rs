//! Rust: the paths that a source uses of other crates.
//!
//! A name that `use` binds stands for its path in the whole file, whatever the scope of the `use`.
//! Arguments of macros are tokens, of which only paths and calls are read.

use std::collections::{BTreeMap, BTreeSet};

use tree_sitter::Node;

use super::{MAX_DEPTH, OWN};
use crate::references::{OF_MODULE, References};
use crate::scopes::{Scopes, ValueType};
use crate::tree::{Source, children, walk};

/// Nodes that are scopes of their own.
const SCOPES: [&str; 7] = [
    "function_item",
    "closure_expression",
    "block",
    "match_arm",
    "if_expression",
    "while_expression",
    "for_expression",
];

/// Methods of `Option`, `Result`, references and locks that give the value inside. The type of the
/// result is taken to be that of the receiver.
const TRANSPARENT: [&str; 14] = [
    "unwrap",
    "expect",
    "unwrap_or_default",
    "clone",
    "to_owned",
    "as_ref",
    "as_mut",
    "borrow",
    "borrow_mut",
    "lock",
    "read",
    "write",
    "by_ref",
    "ok",
];

/// Types around another type whose methods are those of the inner one, or give it.
const WRAPPERS: [&str; 7] = ["Box", "Arc", "Rc", "Option", "Result", "Mutex", "RwLock"];

/// Macros that insert a file.
const INCLUDES: [&str; 2] = ["include", "include_proto"];

struct Reader<'s> {
    source: Source<'s>,
    /// The paths of the names that `use` binds.
    bound: BTreeMap<String, BTreeSet<String>>,
    scopes: Scopes<'s>,
}

pub(crate) fn references(root: Node<'_>, source: &[u8]) -> References {
    let mut found = References::default();
    let mut reader = Reader {
        source: Source(source),
        bound: BTreeMap::new(),
        scopes: Scopes::default(),
    };
    // A `use` may be written after the uses of its names.
    walk(root, |node| match node.kind() {
        "use_declaration" => {
            if let Some(argument) = node.child_by_field_name("argument") {
                reader.imported(argument, "", 0, &mut found);
            }
            false
        }
        "extern_crate_declaration" => {
            reader.extern_crate(node, &mut found);
            false
        }
        _ => true,
    });
    walk(root, |node| {
        reader.scopes.advance(node);
        if SCOPES.contains(&node.kind()) {
            reader.scopes.enter(node);
        }
        reader.visit(node, &mut found)
    });

    found
}

/// A path without white space, generic arguments and a leading `::`. It is empty for a path that
/// begins with a type in angle brackets.
fn plain(path: &str) -> String {
    let mut depth = 0_usize;
    let mut plain = String::new();
    for c in path.chars() {
        match c {
            '<' => depth += 1,
            '>' => depth = depth.saturating_sub(1),
            c if depth > 0 || c.is_whitespace() => {}
            c => plain.push(c),
        }
    }
    if path.trim_start().starts_with('<') {
        return String::new();
    }
    // `a::<T>::b` leaves `a::::b`.
    let plain = plain.replace("::::", "::");
    let plain = plain.trim_start_matches("::").trim_end_matches("::");
    plain.to_owned()
}

/// The module and the name of a path in another crate. Of `a::Type::new`, the name is `Type::new`.
fn split(path: &str) -> Option<(String, String)> {
    let is_path = path
        .chars()
        .all(|c| c.is_alphanumeric() || c == '_' || c == ':');
    let parts: Vec<&str> = path.split("::").collect();
    let first = parts.first()?;
    if !is_path || parts.len() < 2 || OWN.contains(first) {
        return None;
    }
    let is_type = |part: &&str| part.starts_with(char::is_uppercase);
    let at = match parts.iter().position(&is_type) {
        Some(0) => return None,
        Some(at) => at,
        None => parts.len() - 1,
    };
    let module = parts.get(..at)?.join("::");
    let name = parts.get(at..)?.iter().take(2).copied();
    Some((module, name.collect::<Vec<_>>().join("::")))
}

impl<'s> Reader<'s> {
    /// The leaves of a `use` tree.
    fn imported(&mut self, node: Node<'_>, path: &str, depth: usize, found: &mut References) {
        if depth > MAX_DEPTH {
            return;
        }
        let source = self.source;
        let below = |name: &str| match path {
            "" => plain(name),
            path => format!("{path}::{}", plain(name)),
        };

        match node.kind() {
            "use_list" => {
                for child in children(node) {
                    self.imported(child, path, depth + 1, found);
                }
            }
            "scoped_use_list" => {
                let prefix = below(source.field(node, "path").unwrap_or_default());
                if let Some(list) = node.child_by_field_name("list") {
                    self.imported(list, &prefix, depth + 1, found);
                }
            }
            "use_as_clause" => {
                let of = below(source.field(node, "path").unwrap_or_default());
                self.bind(source.field(node, "alias"), &of, node, found);
            }
            // The names that a wildcard brings are not known.
            "use_wildcard" => {
                if let Some(module) = children(node).first() {
                    let module = below(source.text(*module));
                    if !OWN.contains(&module.split("::").next().unwrap_or_default()) {
                        found.module(&module, node);
                    }
                }
            }
            "self" => self.bind(None, path, node, found),
            "identifier" | "scoped_identifier" => {
                self.bind(None, &below(source.text(node)), node, found);
            }
            _ => {}
        }
    }

    fn bind(&mut self, alias: Option<&str>, path: &str, node: Node<'_>, found: &mut References) {
        let name = alias.unwrap_or_else(|| path.rsplit("::").next().unwrap_or_default());
        let paths = self.bound.entry(name.to_owned()).or_default();
        paths.insert(path.to_owned());
        match split(path) {
            Some((module, name)) => found.name(&module, &name, node),
            // `use a;` or `use a as b;`: a crate.
            None if !path.contains("::") && !OWN.contains(&path) && !path.is_empty() => {
                found.module(path, node);
            }
            None => {}
        }
    }

    fn extern_crate(&mut self, node: Node<'_>, found: &mut References) {
        let Some(name) = self.source.field(node, "name") else {
            return;
        };
        if OWN.contains(&name) {
            return;
        }
        found.module(name, node);
        if let Some(alias) = self.source.field(node, "alias") {
            let paths = self.bound.entry(alias.to_owned()).or_default();
            paths.insert(name.to_owned());
        }
    }

    /// The paths that a path of the source may stand for.
    fn resolved(&self, path: &str) -> Vec<String> {
        let path = plain(path);
        let (first, rest) = match path.split_once("::") {
            Some((first, rest)) => (first, Some(rest)),
            None => (path.as_str(), None),
        };
        match self.bound.get(first) {
            Some(paths) => paths
                .iter()
                .map(|of| match rest {
                    Some(rest) => format!("{of}::{rest}"),
                    None => of.clone(),
                })
                .collect(),
            None => vec![path],
        }
    }

    fn used(&self, path: &str, node: Node<'_>, found: &mut References) {
        for path in self.resolved(path) {
            if let Some((module, name)) = split(&path) {
                if let Some((of, _)) = name.split_once("::") {
                    found.used(&module, of, node);
                }
                found.used(&module, &name, node);
            }
        }
    }

    /// Visits a node. Whether to go on below it.
    fn visit(&mut self, node: Node<'_>, found: &mut References) -> bool {
        let source = self.source;
        match node.kind() {
            "use_declaration" | "extern_crate_declaration" => return false,
            "mod_item" => {
                found
                    .declared
                    .extend(source.field(node, "name").map(str::to_owned));
            }
            "scoped_identifier" | "scoped_type_identifier" => {
                self.used(source.text(node), node, found);
                // Its generic arguments may have paths of their own.
                return true;
            }
            "type_identifier" => self.used(source.text(node), node, found),
            "call_expression" => self.call(node, found),
            "arguments" => {
                for one in children(node) {
                    self.plain_name(one, found);
                }
            }
            "macro_invocation" => self.macro_call(node, found),
            "token_tree" => self.tokens(node, found),
            "parameter" | "let_declaration" => self.declaration(node),
            _ => {}
        }
        true
    }

    /// A name that `use` binds, used as a value.
    fn plain_name(&self, node: Node<'_>, found: &mut References) {
        let name = self.source.text(node);
        let is_value = self.scopes.of(name, node.start_byte()).is_some();
        if node.kind() == "identifier" && self.bound.contains_key(name) && !is_value {
            self.used(name, node, found);
        }
    }

    fn call(&self, node: Node<'_>, found: &mut References) {
        let Some(function) = node.child_by_field_name("function") else {
            return;
        };
        let function = match function.kind() {
            "generic_function" => function.child_by_field_name("function").unwrap_or(function),
            _ => function,
        };
        if function.kind() != "field_expression" {
            self.plain_name(function, found);
            return;
        }

        let method = self.source.field(function, "field").unwrap_or_default();
        let receiver = function.child_by_field_name("value");
        match receiver.and_then(|receiver| self.value(receiver, 0)) {
            Some(of) => found.used(&of.module, &format!("{}::{method}", of.name), node),
            None => found.method(method, node),
        }
    }

    fn macro_call(&self, node: Node<'_>, found: &mut References) {
        let name = self.source.field(node, "macro").unwrap_or_default();
        let last = name.rsplit("::").next().unwrap_or_default();
        if INCLUDES.contains(&last) {
            found.gap("a file that a macro includes", node);
        }
        if self.bound.contains_key(name) {
            self.used(name, node, found);
        }
    }

    /// Paths and calls among the tokens of a macro or an attribute.
    fn tokens(&self, tree: Node<'_>, found: &mut References) {
        let source = self.source;
        let mut cursor = tree.walk();
        let tokens: Vec<Node<'_>> = tree.children(&mut cursor).collect();
        let is_name =
            |node: &Node<'_>| matches!(node.kind(), "identifier" | "crate" | "self" | "super");
        let text = |at: usize| tokens.get(at).map(|node| source.text(*node));
        let mut at = 0;
        while let Some(first) = tokens.get(at) {
            if !is_name(first) {
                at += 1;
                continue;
            }
            let before = at.checked_sub(1).and_then(text);
            let mut path = source.text(*first).to_owned();
            let start = at;
            while text(at + 1) == Some("::") && tokens.get(at + 2).is_some_and(&is_name) {
                path.push_str("::");
                path.push_str(text(at + 2).unwrap_or_default());
                at += 2;
            }
            let is_called = text(at + 1).is_some_and(|next| next.starts_with('('));
            let is_member = before == Some(".");
            if at > start {
                self.used(&path, *first, found);
            } else if is_member && is_called {
                found.method(&path, *first);
            } else if !is_member && self.bound.contains_key(&path) {
                self.used(&path, *first, found);
            }
            at += 1;
        }
    }

    /// Parameters and variables.
    fn declaration(&mut self, node: Node<'_>) {
        let Some(pattern) = node.child_by_field_name("pattern") else {
            return;
        };
        let name = match pattern.kind() {
            "mut_pattern" => children(pattern).into_iter().next_back().unwrap_or(pattern),
            _ => pattern,
        };
        if name.kind() != "identifier" {
            return;
        }
        let of = match node.child_by_field_name("type") {
            Some(stated) => self.type_of(stated, 0),
            None => node
                .child_by_field_name("value")
                .and_then(|value| self.value(value, 0)),
        };
        self.scopes
            .declare(self.source.text(name), node.end_byte(), of);
    }

    /// The type of another crate that a type expression names.
    fn type_of(&self, node: Node<'_>, depth: usize) -> Option<ValueType> {
        if depth > MAX_DEPTH {
            return None;
        }
        match node.kind() {
            "type_identifier" | "scoped_type_identifier" => self.named(self.source.text(node)),
            "generic_type" => {
                let name = node.child_by_field_name("type")?;
                let last = plain(self.source.text(name));
                if WRAPPERS.contains(&last.rsplit("::").next()?) {
                    let arguments = children(node.child_by_field_name("type_arguments")?);
                    return self.type_of(*arguments.first()?, depth + 1);
                }
                self.type_of(name, depth + 1)
            }
            "reference_type" => self.type_of(node.child_by_field_name("type")?, depth + 1),
            _ => None,
        }
    }

    fn named(&self, path: &str) -> Option<ValueType> {
        let (module, name) = self.resolved(path).iter().find_map(|path| split(path))?;
        let name = name.split("::").next()?.to_owned();
        Some(ValueType { module, name })
    }

    /// The type of a value, as far as the file shows it.
    fn value(&self, node: Node<'_>, depth: usize) -> Option<ValueType> {
        if depth > MAX_DEPTH {
            return None;
        }
        match node.kind() {
            "identifier" => {
                let known = self.scopes.of(self.source.text(node), node.start_byte());
                known.flatten().cloned()
            }
            "struct_expression" => self.named(self.source.field(node, "name")?),
            "try_expression"
            | "await_expression"
            | "parenthesized_expression"
            | "reference_expression"
            | "unary_expression" => self.value(children(node).into_iter().next_back()?, depth + 1),
            "call_expression" => self.returned(node.child_by_field_name("function")?, depth),
            _ => None,
        }
    }

    /// The type that a function gives: that of `Type::new` is taken to be `Type`.
    fn returned(&self, function: Node<'_>, depth: usize) -> Option<ValueType> {
        if function.kind() == "field_expression" {
            let of = self.value(function.child_by_field_name("value")?, depth + 1)?;
            let method = self.source.field(function, "field").unwrap_or_default();
            return Some(match TRANSPARENT.contains(&method) {
                true => of,
                false => ValueType {
                    name: OF_MODULE.to_owned(),
                    ..of
                },
            });
        }

        let resolved = self.resolved(self.source.text(function));
        let (module, name) = resolved.iter().find_map(|path| split(path))?;
        let name = match name.split_once("::") {
            Some((of, _)) => of.to_owned(),
            None => OF_MODULE.to_owned(),
        };
        Some(ValueType { module, name })
    }
}
