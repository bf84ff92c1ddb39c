//! What is wrong with a settings file, and where.

use std::fmt;

/// A place in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) line: u32,
    pub(crate) column: u32,
}

impl From<serde_saphyr::Location> for Place {
    fn from(location: serde_saphyr::Location) -> Self {
        let at = |number: u64| u32::try_from(number).unwrap_or(u32::MAX).max(1);
        Self {
            line: at(location.line()),
            column: at(location.column()),
        }
    }
}

/// One error in a settings file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// What is wrong: a lower-case fragment without a final period.
    pub message: String,
    /// What to do about it, where that is known.
    pub hint: Option<String>,
}

impl ConfigError {
    pub(crate) fn new(place: Place, message: impl Into<String>) -> Self {
        Self {
            line: place.line,
            column: place.column,
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
    /// The file's name as it was given.
    pub file: String,
    /// The errors.
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
