//! The names that a module exports.

use tree_sitter::Node;

use super::common::{self, Local};
use super::{declare, resolve};
use crate::Language;
use crate::exports::{DEFAULT, Exports, Follow};
use crate::tree::{Source, children, has_token};

/// Deepest chain of files that export from each other.
const MAX_DEPTH: usize = 24;

/// A file that is read.
pub(super) struct Reader<'r, 'f> {
    pub(super) source: Source<'f>,
    file: &'r str,
    follow: &'r mut Follow<'f>,
    depth: usize,
}

/// The names of a file.
pub(super) fn exports(follow: &mut Follow<'_>, file: &str, depth: usize) -> Exports {
    if let Some(known) = follow.known(file) {
        return known;
    }
    let language = Language::of_path(file).filter(|_| depth < MAX_DEPTH);
    let bytes = follow.open(file);
    let tree = language
        .zip(bytes)
        .and_then(|(language, bytes)| Some((bytes, language.parse(bytes)?)));
    let Some((bytes, tree)) = tree else {
        return Exports::unknown();
    };

    let mut reader = Reader {
        source: Source(bytes),
        file,
        follow,
        depth,
    };
    let exports = reader.module(tree.root_node());
    follow.keep(file, &exports);

    exports
}

impl Reader<'_, '_> {
    fn module(&mut self, root: Node<'_>) -> Exports {
        let statements = children(root);
        let local = Local::new(self.source, &statements);

        let mut exports = Exports::default();
        let mut exported = false;
        for statement in statements {
            match statement.kind() {
                "export_statement" => {
                    exported = true;
                    self.export(statement, &local, &mut exports);
                }
                "expression_statement" | "lexical_declaration" | "variable_declaration" => {
                    exported |= common::statement(self, statement, &local, &mut exports);
                }
                _ => {}
            }
        }
        // A script or a wrapper that was not recognised.
        exports.is_partial |= !exported || root.has_error();

        exports
    }

    /// The names of a file that this one names.
    pub(super) fn follow(&mut self, to: &str) -> Exports {
        if !to.starts_with('.') {
            return Exports::unknown();
        }
        match resolve::relative(self.follow.files, self.file, to) {
            Some(file) => exports(self.follow, &file, self.depth + 1),
            None => Exports::unknown(),
        }
    }

    /// The signature of a name of the file, which it may take from another.
    pub(super) fn local(&mut self, name: &str, local: &Local<'_>) -> Option<String> {
        if let Some(Some(known)) = local.declared.get(name) {
            return Some(known.clone());
        }

        let (file, of) = local.origin(name)?;
        self.follow(file).names.get(of).cloned().flatten()
    }

    fn export(&mut self, node: Node<'_>, local: &Local<'_>, exports: &mut Exports) {
        let source = self.source;
        let other = node
            .child_by_field_name("source")
            .map(|other| self.follow(source.string(other)));
        let is_default = has_token(node, "default");
        // `export = a` of TypeScript, and `export as namespace a`.
        if has_token(node, "=") {
            exports.is_partial = true;
            return;
        }

        if let Some(declaration) = node.child_by_field_name("declaration") {
            for (name, signature) in declare::names(source, declaration) {
                let name = if is_default { DEFAULT } else { name.as_str() };
                exports.add(name, signature);
            }
            return;
        }
        if let Some(value) = node.child_by_field_name("value").filter(|_| is_default) {
            let signature = match value.kind() {
                "identifier" => self.local(source.text(value), local),
                _ => declare::value(source, value),
            };
            exports.add(DEFAULT, signature);
            return;
        }

        self.clauses(node, other.as_ref(), local, exports);
    }

    /// `{ a as b }`, `*` and `* as a`, of this file or of another.
    fn clauses(
        &mut self,
        node: Node<'_>,
        other: Option<&Exports>,
        local: &Local<'_>,
        exports: &mut Exports,
    ) {
        let source = self.source;
        if has_token(node, "*")
            && let Some(other) = other
        {
            exports.add_all(other);
        }

        for clause in children(node) {
            match clause.kind() {
                "namespace_export" => {
                    let name = children(clause).first().map(|name| source.text(*name));
                    exports.add(name.unwrap_or_default(), None);
                }
                "export_clause" => {
                    for specifier in children(clause) {
                        let name = source.field(specifier, "name").unwrap_or_default();
                        let alias = source.field(specifier, "alias").unwrap_or(name);
                        let signature = match other {
                            Some(other) => other.names.get(name).cloned().flatten(),
                            None => self.local(name, local),
                        };
                        exports.add(alias, signature);
                    }
                }
                _ => {}
            }
        }
    }
}
