//! Rust: paths that a source uses of other crates, and the public items of a crate's modules.
//!
//! Items that macros make are not in the text: a module with a macro call at its top is partial.
//! Methods are not compared.

mod uses;

use tree_sitter::Node;

use crate::exports::{Exports, Follow};
use crate::tree::{Source, children, one_line};
use crate::{Files, Language};
pub(crate) use uses::references;

/// Deepest nesting of `use` trees, and of modules.
const MAX_DEPTH: usize = 16;

/// Beginnings of paths that are not of another crate.
const OWN: [&str; 9] = [
    "crate",
    "self",
    "super",
    "Self",
    "std",
    "core",
    "alloc",
    "proc_macro",
    "test",
];

/// A path without white space.
fn plain(path: &str) -> String {
    let path: String = path.split_whitespace().collect();
    path.trim_start_matches("::").to_owned()
}

/// The public items of a module of a crate. None are known of a module that is not in a file of its
/// own.
pub(crate) fn exports(files: &Files, module: &str) -> Exports {
    let path: Vec<&str> = module.split("::").skip(1).collect();
    module_at(&mut Follow::new(files), &path, 0)
}

/// The items of the module with a path from the root of the crate.
fn module_at(follow: &mut Follow<'_>, path: &[&str], depth: usize) -> Exports {
    let joined = path.join("/");
    let files = match path.is_empty() {
        true => vec!["src/lib.rs".to_owned()],
        false => vec![format!("src/{joined}.rs"), format!("src/{joined}/mod.rs")],
    };
    match files.iter().find(|file| follow.files.contains_key(*file)) {
        Some(file) => module_of_file(follow, file, path, depth),
        None => Exports::unknown(),
    }
}

fn module_of_file(follow: &mut Follow<'_>, file: &str, path: &[&str], depth: usize) -> Exports {
    if let Some(known) = follow.known(file) {
        return known;
    }
    let bytes = follow.open(file).filter(|_| depth < MAX_DEPTH);
    let tree = bytes.and_then(|bytes| Some((bytes, Language::Rust.parse(bytes)?)));
    let Some((bytes, tree)) = tree else {
        return Exports::unknown();
    };

    let reader = Reader {
        source: Source(bytes),
        path: path.iter().map(|part| (*part).to_owned()).collect(),
        depth,
    };
    let exports = reader.items(tree.root_node(), follow);
    follow.keep(file, &exports);

    exports
}

struct Reader<'s> {
    source: Source<'s>,
    /// Path of the module from the root of the crate.
    path: Vec<String>,
    depth: usize,
}

impl Reader<'_> {
    fn items(&self, root: Node<'_>, follow: &mut Follow<'_>) -> Exports {
        let mut exports = Exports::default();
        let mut is_exported_macro = false;
        for item in children(root) {
            match item.kind() {
                "attribute_item" => {
                    is_exported_macro |= self.source.text(item).contains("macro_export");
                    continue;
                }
                "macro_definition" if is_exported_macro => {
                    let name = self.source.field(item, "name").unwrap_or_default();
                    exports.add(name, Some("a macro".to_owned()));
                }
                "macro_invocation" => exports.is_partial = true,
                "expression_statement" => {
                    let calls = children(item);
                    exports.is_partial |= calls.iter().any(|one| one.kind() == "macro_invocation");
                }
                _ if self.is_public(item) => self.item(item, follow, &mut exports),
                _ => {}
            }
            is_exported_macro = false;
        }
        exports.is_partial |= root.has_error();

        exports
    }

    fn is_public(&self, item: Node<'_>) -> bool {
        let modifier = children(item)
            .into_iter()
            .find(|child| child.kind() == "visibility_modifier");
        modifier.is_some_and(|modifier| self.source.text(modifier) == "pub")
    }

    fn item(&self, item: Node<'_>, follow: &mut Follow<'_>, exports: &mut Exports) {
        if item.kind() == "use_declaration" {
            let mut leaves = Vec::new();
            if let Some(argument) = item.child_by_field_name("argument") {
                self.leaves(argument, "", 0, &mut leaves);
            }
            for leaf in leaves {
                self.re_export(&leaf, follow, exports);
            }
            return;
        }

        let name = self.source.field(item, "name").unwrap_or_default();
        exports.add(name, self.signature(item));
    }

    fn signature(&self, item: Node<'_>) -> Option<String> {
        let source = self.source;
        let field = |name| source.field(item, name).unwrap_or_default();
        let generics = field("type_parameters");
        let text = match item.kind() {
            "function_item" | "function_signature_item" => format!(
                "fn{generics}{} -> {}",
                field("parameters"),
                field("return_type")
            ),
            "struct_item" | "union_item" => {
                let body = item.child_by_field_name("body");
                let public: Vec<&str> = body
                    .map(children)
                    .unwrap_or_default()
                    .into_iter()
                    .filter(|field| self.is_public(*field))
                    .map(|field| source.text(field))
                    .collect();
                format!("struct{generics} {{ {} }}", public.join(", "))
            }
            "enum_item" => {
                let body = item.child_by_field_name("body");
                let variants: Vec<&str> = body
                    .map(children)
                    .unwrap_or_default()
                    .into_iter()
                    .filter(|child| child.kind() == "enum_variant")
                    .map(|variant| source.text(variant))
                    .collect();
                format!("enum{generics} {{ {} }}", variants.join(", "))
            }
            "trait_item" => {
                let body = item.child_by_field_name("body");
                let needed: Vec<String> = body
                    .map(children)
                    .unwrap_or_default()
                    .into_iter()
                    .filter(|child| child.kind() == "function_signature_item")
                    .map(|child| {
                        let name = source.field(child, "name").unwrap_or_default();
                        format!("{name} {}", self.signature(child).unwrap_or_default())
                    })
                    .collect();
                format!("trait{generics} {{ {} }}", needed.join("; "))
            }
            "type_item" => format!("type{generics} = {}", field("type")),
            "const_item" | "static_item" => format!("value: {}", field("type")),
            "mod_item" => "mod".to_owned(),
            _ => return None,
        };

        Some(one_line(&text))
    }

    /// The leaves of a `pub use`, as paths with the name that each gets; `*` for all.
    fn leaves(&self, node: Node<'_>, path: &str, depth: usize, leaves: &mut Vec<Leaf>) {
        if depth > MAX_DEPTH {
            return;
        }
        let source = self.source;
        let below = |name: &str| match path {
            "" => plain(name),
            path => format!("{path}::{}", plain(name)),
        };
        let leaf = |path: String, alias: Option<&str>| {
            let last = path.rsplit("::").next().unwrap_or_default().to_owned();
            Leaf {
                name: alias.map_or(last, str::to_owned),
                path,
            }
        };
        match node.kind() {
            "use_list" => {
                for child in children(node) {
                    self.leaves(child, path, depth + 1, leaves);
                }
            }
            "scoped_use_list" => {
                let prefix = below(source.field(node, "path").unwrap_or_default());
                if let Some(list) = node.child_by_field_name("list") {
                    self.leaves(list, &prefix, depth + 1, leaves);
                }
            }
            "use_as_clause" => {
                let of = below(source.field(node, "path").unwrap_or_default());
                leaves.push(leaf(of, source.field(node, "alias")));
            }
            "use_wildcard" => {
                if let Some(module) = children(node).first() {
                    leaves.push(leaf(below(source.text(*module)), Some("*")));
                }
            }
            "self" => leaves.push(leaf(path.to_owned(), None)),
            _ => leaves.push(leaf(below(source.text(node)), None)),
        }
    }

    fn re_export(&self, leaf: &Leaf, follow: &mut Follow<'_>, exports: &mut Exports) {
        let is_glob = leaf.name == "*";
        let module = match is_glob {
            true => Some(leaf.path.as_str()),
            false => leaf.path.rsplit_once("::").map(|(module, _)| module),
        };
        let of_module = module.and_then(|module| self.absolute(module)).map(|path| {
            let parts: Vec<&str> = path.iter().map(String::as_str).collect();
            module_at(follow, &parts, self.depth + 1)
        });
        match (is_glob, of_module) {
            (true, Some(other)) => exports.add_all(&other),
            (true, None) => exports.is_partial = true,
            (false, other) => {
                let name = leaf.path.rsplit("::").next().unwrap_or_default();
                let signature = other.and_then(|other| other.names.get(name).cloned());
                exports.add(&leaf.name, signature.flatten());
            }
        }
    }

    /// The path of a module from the root of the crate; a path that begins with another name is
    /// below this module, or of another crate, and then has no file.
    fn absolute(&self, path: &str) -> Option<Vec<String>> {
        let mut parts = path.split("::").peekable();
        let mut at = match *parts.peek()? {
            "crate" => {
                parts.next();
                Vec::new()
            }
            "self" => {
                parts.next();
                self.path.clone()
            }
            _ => self.path.clone(),
        };
        for part in parts {
            match part {
                "super" => {
                    at.pop()?;
                }
                part => at.push(part.to_owned()),
            }
        }

        Some(at)
    }
}

/// One name of a `pub use`.
struct Leaf {
    path: String,
    name: String,
}
