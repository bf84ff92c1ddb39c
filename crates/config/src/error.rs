//! Errors of a settings file, with their locations.

use std::fmt;

use patchgate_syntax::{Key, Node};

/// A location in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Location {
    /// Number of the line, from 1.
    pub(crate) line: u32,
    /// Column in characters, from 1.
    pub(crate) column: u32,
}

impl Location {
    /// The first character of a file.
    pub(crate) const START: Self = Self { line: 1, column: 1 };
}

impl From<&Node<'_>> for Location {
    fn from(node: &Node<'_>) -> Self {
        Self {
            line: node.line,
            column: node.column,
        }
    }
}

impl From<&Key<'_>> for Location {
    fn from(key: &Key<'_>) -> Self {
        Self {
            line: key.line,
            column: key.column,
        }
    }
}

/// One error in a settings file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// Number of the line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// The mistake: a lower-case fragment without a final period.
    pub message: String,
    /// The next step, where one is known.
    pub hint: Option<String>,
}

impl ConfigError {
    pub(crate) fn new(location: impl Into<Location>, message: impl Into<String>) -> Self {
        let Location { line, column } = location.into();
        Self {
            line,
            column,
            message: message.into(),
            hint: None,
        }
    }

    pub(crate) fn with_hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint;
        self
    }
}

/// Every error of a settings file, in the order of the file; never empty.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ConfigErrors {
    /// Name of the file, as the caller gave it.
    pub file: String,
    /// All errors of the file, in the order of their lines.
    pub errors: Vec<ConfigError>,
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.errors.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }

            let ConfigError {
                line,
                column,
                message,
                hint,
            } = error;
            write!(f, "{}:{line}:{column}: {message}", self.file)?;

            if let Some(hint) = hint {
                write!(f, " ({hint})")?;
            }
        }

        Ok(())
    }
}
