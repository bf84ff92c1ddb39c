//! The error of requirements.

/// A requirement that cannot be evaluated or changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("requirement `{requirement}` {reason}")]
pub struct RequirementError {
    /// The requirement as written.
    pub requirement: String,
    /// The reason, as the rest of a sentence: `names a tag, not versions`.
    pub reason: String,
}

impl RequirementError {
    /// An error about a requirement, with the reason as the rest of a sentence.
    #[must_use]
    pub fn new(requirement: &str, reason: impl Into<String>) -> Self {
        Self {
            requirement: requirement.to_owned(),
            reason: reason.into(),
        }
    }
}
