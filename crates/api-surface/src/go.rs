//! Go: the names that a source uses of the packages that it imports.
//!
//! The name of a package need not be the last part of its path, and the import does not say it. The
//! names that are tried are those that the paths of real packages suggest.

use std::collections::BTreeMap;

use tree_sitter::Node;

use crate::references::{OF_MODULE, References};
use crate::scopes::{Scopes, ValueType};
use crate::tree::{Source, children, walk};

/// Nodes that are scopes of their own
/// (<https://go.dev/ref/spec#Blocks>, <https://go.dev/ref/spec#Declarations_and_scope>).
const SCOPES: [&str; 12] = [
    "function_declaration",
    "method_declaration",
    "func_literal",
    "block",
    "if_statement",
    "for_statement",
    "expression_switch_statement",
    "type_switch_statement",
    "select_statement",
    "expression_case",
    "type_case",
    "communication_case",
];

/// Deepest expression whose type is sought.
const MAX_DEPTH: usize = 32;

struct Reader<'s> {
    source: Source<'s>,
    /// The paths of the imported packages by the names that they may have in the source.
    packages: BTreeMap<&'s str, &'s str>,
    scopes: Scopes<'s>,
}

pub(crate) fn references(root: Node<'_>, source: &[u8]) -> References {
    let mut found = References::default();
    let mut reader = Reader {
        source: Source(source),
        packages: BTreeMap::new(),
        scopes: Scopes::default(),
    };
    reader.imports(root, &mut found);

    walk(root, |node| {
        reader.scopes.advance(node);
        if SCOPES.contains(&node.kind()) {
            reader.scopes.enter(node);
        }
        reader.visit(node, &mut found);
        node.kind() != "import_declaration"
    });

    found
}

/// The names that a package with a path may have: `yaml` of `gopkg.in/yaml.v3`, `sqlite3` of
/// `github.com/mattn/go-sqlite3`, `chi` of `github.com/go-chi/chi/v5`.
fn package_names(path: &str) -> Vec<&str> {
    let is_version = |part: &str| {
        let number = part.strip_prefix('v');
        number
            .is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
    };
    let mut parts = path.rsplit('/');
    let mut last = parts.next().unwrap_or(path);
    if is_version(last) {
        last = parts.next().unwrap_or(last);
    }
    if let Some((name, version)) = last.rsplit_once('.')
        && is_version(version)
    {
        last = name;
    }

    let mut names = vec![last];
    let shorter = [
        last.strip_prefix("go-"),
        last.strip_prefix("go."),
        last.strip_suffix("-go"),
        last.strip_suffix(".go"),
        last.rsplit_once('-').map(|(_, name)| name),
        last.rsplit_once('.').map(|(_, name)| name),
    ];
    names.extend(shorter.into_iter().flatten());
    names
}

impl<'s> Reader<'s> {
    fn imports(&mut self, root: Node<'_>, found: &mut References) {
        let source = self.source;
        let mut specs = Vec::new();
        for declaration in children(root) {
            if declaration.kind() == "import_declaration" {
                walk(declaration, |node| {
                    let is_spec = node.kind() == "import_spec";
                    if is_spec {
                        specs.push(node);
                    }
                    !is_spec
                });
            }
        }

        for spec in specs {
            let Some(path) = spec.child_by_field_name("path") else {
                continue;
            };
            let module = source.string(path);
            found.module(module, spec);
            match spec.child_by_field_name("name") {
                None => {
                    for name in package_names(module) {
                        self.packages.entry(name).or_insert(module);
                    }
                }
                Some(name) if name.kind() == "package_identifier" => {
                    self.packages.insert(source.text(name), module);
                }
                // The names of a package that is imported with a dot look like those of the file.
                Some(name) if name.kind() == "dot" => found.gap("an import with a dot", spec),
                Some(_) => {}
            }
        }
    }

    /// The package of an identifier, unless a value has the same name.
    fn package(&self, node: Node<'_>) -> Option<&'s str> {
        let name = self.source.text(node);
        let module = self.packages.get(name)?;
        let is_value = self.scopes.of(name, node.start_byte()).is_some();
        (!is_value).then_some(*module)
    }

    fn visit(&mut self, node: Node<'_>, found: &mut References) {
        match node.kind() {
            "selector_expression" => self.selector(node, found),
            "qualified_type" => {
                if let Some(of) = self.type_of(node) {
                    found.used(&of.module, &of.name, node);
                }
            }
            "parameter_declaration" | "var_spec" | "const_spec" => self.declaration(node),
            "short_var_declaration" => self.assignment(node),
            "range_clause" => {
                let left = node.child_by_field_name("left");
                for name in left.map(children).unwrap_or_default() {
                    self.declare(name, node.end_byte(), None);
                }
            }
            _ => {}
        }
    }

    fn selector(&self, node: Node<'_>, found: &mut References) {
        let (Some(operand), Some(field)) = (
            node.child_by_field_name("operand"),
            self.source.field(node, "field"),
        ) else {
            return;
        };
        if operand.kind() == "identifier"
            && let Some(module) = self.package(operand)
        {
            found.used(module, field, node);
            return;
        }

        match self.value(operand, 0) {
            Some(of) => found.used(&of.module, &format!("{}.{field}", of.name), node),
            None => {
                let is_called = node.parent().is_some_and(|parent| {
                    parent.kind() == "call_expression"
                        && parent.child_by_field_name("function") == Some(node)
                });
                if is_called {
                    found.method(field, node);
                }
            }
        }
    }

    fn declare(&mut self, name: Node<'_>, from: usize, of: Option<ValueType>) {
        if name.kind() == "identifier" {
            self.scopes.declare(self.source.text(name), from, of);
        }
    }

    /// Parameters, and variables with a type.
    fn declaration(&mut self, node: Node<'_>) {
        let stated = node.child_by_field_name("type");
        let of = match stated {
            Some(stated) => self.type_of(stated),
            None => node
                .child_by_field_name("value")
                .and_then(|values| self.value(*children(values).first()?, 0)),
        };
        let mut cursor = node.walk();
        let names: Vec<Node<'_>> = node.children_by_field_name("name", &mut cursor).collect();
        for (index, name) in names.into_iter().enumerate() {
            // Without a type, the value is that of the first name.
            let of = of.clone().filter(|_| stated.is_some() || index == 0);
            self.declare(name, node.end_byte(), of);
        }
    }

    /// `a, err := …`
    fn assignment(&mut self, node: Node<'_>) {
        let side = |field| node.child_by_field_name(field).map(children);
        let (left, right) = (side("left"), side("right"));
        let right = right.unwrap_or_default();
        for (index, name) in left.unwrap_or_default().into_iter().enumerate() {
            let of = right.get(index).and_then(|value| self.value(*value, 0));
            self.declare(name, node.end_byte(), of);
        }
    }

    /// The type of a package that a type expression names: `p.T`, `*p.T`, `p.T[int]`.
    fn type_of(&self, node: Node<'_>) -> Option<ValueType> {
        let mut node = node;
        for _ in 0..MAX_DEPTH {
            match node.kind() {
                "qualified_type" => {
                    let module = self.package(node.child_by_field_name("package")?)?;
                    return Some(ValueType {
                        module: module.to_owned(),
                        name: self.source.field(node, "name")?.to_owned(),
                    });
                }
                "generic_type" => node = node.child_by_field_name("type")?,
                "pointer_type" | "parenthesized_type" => node = *children(node).first()?,
                _ => return None,
            }
        }
        None
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
            "composite_literal" => self.type_of(node.child_by_field_name("type")?),
            "unary_expression" => self.value(node.child_by_field_name("operand")?, depth + 1),
            "parenthesized_expression" => self.value(*children(node).first()?, depth + 1),
            "type_assertion_expression" => self.type_of(node.child_by_field_name("type")?),
            "call_expression" => {
                let function = node.child_by_field_name("function")?;
                if self.source.text(function) == "new" {
                    let arguments = children(node.child_by_field_name("arguments")?);
                    return self.type_of(*arguments.first()?);
                }
                self.returned(function, depth)
            }
            // A variable of a package: `p.Default`.
            "selector_expression" => self.returned(node, depth),
            _ => None,
        }
    }

    /// The type of a value that a function or a variable of a package gives.
    fn returned(&self, node: Node<'_>, depth: usize) -> Option<ValueType> {
        if node.kind() != "selector_expression" {
            return None;
        }
        let operand = node.child_by_field_name("operand")?;
        let module = match operand.kind() {
            "identifier" => self.package(operand).map(str::to_owned),
            _ => None,
        };
        let module = match module {
            Some(module) => module,
            None => self.value(operand, depth + 1)?.module,
        };
        Some(ValueType {
            module,
            name: OF_MODULE.to_owned(),
        })
    }
}
