//! Helpers for syntax trees. Walks are iterative: a hostile source may be nested as deep as it is
//! long.

use tree_sitter::Node;

/// Most characters of a signature that are kept.
const MAX_SIGNATURE: usize = 400;

/// A node with the source that it is from.
#[derive(Clone, Copy)]
pub(crate) struct Source<'s>(pub(crate) &'s [u8]);

impl<'s> Source<'s> {
    /// The text of a node.
    pub(crate) fn text(self, node: Node<'_>) -> &'s str {
        let bytes = self.0.get(node.byte_range()).unwrap_or_default();
        std::str::from_utf8(bytes).unwrap_or_default()
    }

    /// The text of a field of a node.
    pub(crate) fn field(self, node: Node<'_>, field: &str) -> Option<&'s str> {
        Some(self.text(node.child_by_field_name(field)?))
    }

    /// The content of a string literal without its quotes.
    pub(crate) fn string(self, node: Node<'_>) -> &'s str {
        self.text(node)
            .trim_matches(|c| matches!(c, '"' | '\'' | '`'))
    }

    /// The text of a node on one line, cut to a length that can be shown.
    pub(crate) fn signature(self, node: Node<'_>) -> String {
        one_line(self.text(node))
    }
}

/// A text on one line, with one space where it has white space.
pub(crate) fn one_line(text: &str) -> String {
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    // A comma before a closing bracket is a matter of style.
    let line = line
        .replace(", )", ")")
        .replace(",)", ")")
        .replace("( ", "(")
        .replace(" )", ")");
    line.chars().take(MAX_SIGNATURE).collect()
}

/// Line of a node, from 1.
pub(crate) fn line(node: Node<'_>) -> u32 {
    u32::try_from(node.start_position().row).map_or(u32::MAX, |row| row.saturating_add(1))
}

/// The named children of a node.
pub(crate) fn children<'t>(node: Node<'t>) -> Vec<Node<'t>> {
    let mut cursor = node.walk();
    node.named_children(&mut cursor).collect()
}

/// Whether a node has an unnamed child with this text, such as a keyword.
pub(crate) fn has_token(node: Node<'_>, token: &str) -> bool {
    let mut cursor = node.walk();
    node.children(&mut cursor)
        .any(|child| child.kind() == token)
}

/// Visits a node and all nodes below it, in the order of the source. `visit` says whether to go on
/// below a node.
pub(crate) fn walk<'t>(root: Node<'t>, mut visit: impl FnMut(Node<'t>) -> bool) {
    let mut cursor = root.walk();
    loop {
        let goes_down = visit(cursor.node());
        if goes_down && cursor.goto_first_child() {
            continue;
        }
        loop {
            if cursor.goto_next_sibling() {
                break;
            }
            if !cursor.goto_parent() {
                return;
            }
        }
    }
}
