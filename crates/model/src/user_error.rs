//! Errors for the user: a message, the next step, and whose turn it is.

use std::fmt;

/// An error that a command ends with.
///
/// The message is a lower-case fragment without a final period that names the file, package or
/// server. The hint is the next step, and is printed on a line of its own.
///
/// ```
/// use patchgate_model::UserError;
///
/// let error = UserError::usage("`--offline` needs a store").with_hint("name one with `--store`");
/// assert_eq!(error.to_string(), "`--offline` needs a store");
/// assert_eq!(error.hint(), Some("name one with `--store`"));
/// assert!(error.is_usage());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserError {
    message: String,
    hint: Option<String>,
    is_usage: bool,
}

impl UserError {
    /// Wrong usage or configuration: the user has to change the command, the settings or a file
    /// that they named. Nothing was done.
    pub fn usage(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: None,
            is_usage: true,
        }
    }

    /// A failure that the command line did not cause: a server that does not answer, a file that
    /// cannot be written.
    pub fn failure(message: impl Into<String>) -> Self {
        Self {
            is_usage: false,
            ..Self::usage(message)
        }
    }

    /// The same error with the next step.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same error with the next step, when there is one.
    #[must_use]
    pub fn with_optional_hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint;
        self
    }

    /// The next step for the user; `None` when no step helps.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// Whether the error is wrong usage or configuration, which has an exit code of its own.
    pub fn is_usage(&self) -> bool {
        self.is_usage
    }
}

impl fmt::Display for UserError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for UserError {}

/// An error with its causes on one line, separated by colons.
pub fn error_chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }

    text
}
