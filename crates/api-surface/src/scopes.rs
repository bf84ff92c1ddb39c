//! Names of values and their types, by the scope that declares them.

use tree_sitter::Node;

/// The type of a value: the module that it is from, and its name there; [`crate::OF_MODULE`] if only
/// the module is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ValueType {
    pub(crate) module: String,
    pub(crate) name: String,
}

/// The scopes around a position of the source. Nodes are visited in the order of the source.
#[derive(Default)]
pub(crate) struct Scopes<'s> {
    open: Vec<Scope<'s>>,
}

struct Scope<'s> {
    end: usize,
    values: Vec<Value<'s>>,
}

struct Value<'s> {
    name: &'s str,
    /// The byte from which the name is known: the end of its declaration.
    from: usize,
    of: Option<ValueType>,
}

impl<'s> Scopes<'s> {
    /// Closes the scopes that end before a node.
    pub(crate) fn advance(&mut self, node: Node<'_>) {
        while self
            .open
            .last()
            .is_some_and(|scope| scope.end <= node.start_byte())
        {
            self.open.pop();
        }
    }

    /// Opens the scope of a node.
    pub(crate) fn enter(&mut self, node: Node<'_>) {
        self.open.push(Scope {
            end: node.end_byte(),
            values: Vec::new(),
        });
    }

    /// Declares a name in the innermost scope, from a byte on.
    pub(crate) fn declare(&mut self, name: &'s str, from: usize, of: Option<ValueType>) {
        if self.open.is_empty() {
            self.open.push(Scope {
                end: usize::MAX,
                values: Vec::new(),
            });
        }
        if let Some(scope) = self.open.last_mut() {
            scope.values.push(Value { name, from, of });
        }
    }

    /// The innermost declaration of a name before a byte: `None` if there is none, `Some(None)` if its
    /// type is not known.
    pub(crate) fn of(&self, name: &str, at: usize) -> Option<Option<&ValueType>> {
        self.open
            .iter()
            .rev()
            .flat_map(|scope| scope.values.iter().rev())
            .find(|value| value.name == name && value.from <= at)
            .map(|value| value.of.as_ref())
    }
}
