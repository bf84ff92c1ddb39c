//! JSON, YAML and TOML as one tree in which every value knows its line, and XML as another; what a
//! parser is given ([`Input`]), how it says that it could not read it ([`ParseError`]), and the
//! bounds that all parsers keep ([`limits`]).
//!
//! Most formats are read through these trees. The two for which files with tens of thousands of
//! packages are common, `Cargo.lock` and `package-lock.json`, have readers of their own.
//!
//! All readers refuse duplicate keys (readers of a format differ on which of the two counts, so one
//! of them would be hidden), nesting beyond [`limits::MAX_DEPTH`] and more than
//! [`limits::MAX_NODES`] values. Nothing here knows a format or an ecosystem.

mod block_yaml;
mod input;
mod json;
pub mod limits;
mod lines;
mod node;
mod toml;
mod xml;
mod yaml;

pub use input::{Input, ParseError, Siblings};
pub use json::{json, jsonc};
pub use lines::{Lines, SplitLines, split_lines};
pub use node::{Key, Node, Value};
pub use toml::toml;
pub use xml::{Element, xml};
pub use yaml::{yaml, yaml_documents};

/// How many values a tree may still take.
#[derive(Debug)]
struct Budget(usize);

impl Budget {
    fn new() -> Self {
        Self(limits::MAX_NODES)
    }

    /// Counts one value at a depth.
    fn take(&mut self, depth: usize, line: u32) -> Result<(), ParseError> {
        if depth > limits::MAX_DEPTH {
            return Err(ParseError::new(format!(
                "is nested deeper than {} levels",
                limits::MAX_DEPTH
            ))
            .at_line(line as usize));
        }

        self.0 = self.0.checked_sub(1).ok_or_else(|| {
            ParseError::new(format!("holds more than {} values", limits::MAX_NODES))
                .at_line(line as usize)
        })?;
        Ok(())
    }
}

/// An error's text as a fragment of one line.
fn fragment(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default();
    line.trim_end_matches(['.', ' '])
        .chars()
        .take(200)
        .collect()
}

#[cfg(test)]
mod tests;
