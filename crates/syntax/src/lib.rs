//! Bounded syntax trees in which every value has its line: [`Node`] for JSON, YAML and TOML, and
//! [`Element`] for XML. The crate also has the input of parsers ([`Input`]), their error
//! ([`ParseError`]) and the limits that they share ([`limits`]).
//!
//! Most formats are read through these trees. `Cargo.lock` and `package-lock.json`, of which files
//! with tens of thousands of packages are common, have faster readers in `patchgate-ecosystems`.
//!
//! All readers refuse duplicate keys, except those whose names end in `_with_duplicates`: tools
//! disagree on which of the two counts, so one of them would be hidden. These return the hidden ones.
//! All readers also refuse nesting beyond [`limits::MAX_DEPTH`] and more than
//! [`limits::MAX_NODES`] values.
//!
//! Deliberately absent: the formats and ecosystems themselves.
//!
//! ```
//! let root = patchgate_syntax::json("{\n  \"name\": \"a\"\n}").unwrap();
//! let name = root.get("name").unwrap();
//! assert_eq!((name.text(), name.line), (Some("a"), 2));
//! ```

mod block_yaml;
mod core_schema;
mod input;
mod json;
pub mod limits;
mod lines;
mod node;
mod toml;
mod xml;
mod yaml;

pub use input::{Input, ParseError, Siblings, join};
pub use json::{DuplicateKey, json, json_with_duplicates, jsonc, jsonc_with_duplicates};
pub use lines::{Lines, SplitLines, split_lines};
pub use node::{Key, Node, Value};
pub use toml::toml;
pub use xml::{Element, xml, xml_without};
pub use yaml::{yaml, yaml_documents, yaml_settings};

/// The number of values that a tree may still have, and its deepest level.
#[derive(Debug)]
struct Budget {
    values: usize,
    max_values: usize,
    max_depth: usize,
}

impl Budget {
    /// The limits of files that programs write.
    fn new() -> Self {
        Self::of(limits::MAX_NODES, limits::MAX_DEPTH)
    }

    fn of(max_values: usize, max_depth: usize) -> Self {
        Self {
            values: max_values,
            max_values,
            max_depth,
        }
    }

    /// Counts one value at a depth.
    fn take(&mut self, depth: usize, line: u32) -> Result<(), ParseError> {
        if depth > self.max_depth {
            return Err(ParseError::new(format!(
                "is nested deeper than {} levels",
                self.max_depth
            ))
            .at_line(line as usize));
        }

        self.values = self.values.checked_sub(1).ok_or_else(|| {
            ParseError::new(format!("contains more than {} values", self.max_values))
                .at_line(line as usize)
        })?;
        Ok(())
    }
}

/// A parser's message as a fragment: one line, without a period, at most 200 characters.
fn fragment(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default();
    line.trim_end_matches(['.', ' '])
        .chars()
        .take(200)
        .collect()
}

#[cfg(test)]
mod tests;
