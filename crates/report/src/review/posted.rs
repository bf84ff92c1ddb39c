//! A review that another job wrote to a file, and that is posted by one with a token.
//!
//! A pull request from a fork gets no token, so its job can only write a file. The author of the
//! pull request controls that job: the file is hostile. Nothing in it is trusted except as text, and it
//! must name the commit that the forge says is the head.

use super::ReviewReport;

/// Largest file that is posted, in bytes.
const MAX_BYTES: usize = 8 * 1024 * 1024;

/// The note about the origin of a posted report.
const NOTE: &str = "This report was written by a job of the pull request, whose author can change it. \
                    It is no proof.";

/// Why a file is not posted.
#[derive(Debug, thiserror::Error)]
pub enum PostedError {
    /// The file is larger than a report can be.
    #[error("is larger than {MAX_BYTES} bytes")]
    TooLarge,
    /// The file is not a report of `patchgate review`.
    #[error("is not a report of `patchgate review --format json`")]
    Unreadable(#[source] serde_json::Error),
    /// The report has another version of the format.
    #[error("has the version {0} of the format, and this is version {expected}", expected = crate::SCHEMA_VERSION)]
    Version(u32),
    /// The report is about another commit.
    #[error("is about another commit than the head of the pull request")]
    OtherCommit,
}

impl ReviewReport {
    /// Reads a report that another job wrote, about the commit `head_sha`.
    ///
    /// # Errors
    /// When the file is too large, is not a report, or is about another commit.
    pub fn from_posted(bytes: &[u8], head_sha: &str) -> Result<Self, PostedError> {
        if bytes.len() > MAX_BYTES {
            return Err(PostedError::TooLarge);
        }
        let report: Self = serde_json::from_slice(bytes).map_err(PostedError::Unreadable)?;
        if report.schema_version != crate::SCHEMA_VERSION {
            return Err(PostedError::Version(report.schema_version));
        }
        // The base is only shown, but a text of any length is not an id.
        let is_id = |text: &str| {
            (40..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
        };
        if report.head_sha != head_sha
            || !is_id(head_sha)
            || !(report.base_sha.is_empty() || is_id(&report.base_sha))
        {
            return Err(PostedError::OtherCommit);
        }

        Ok(report)
    }

    /// As a comment of at most `limit` bytes that says who wrote the report.
    #[must_use]
    pub fn to_posted_markdown(&self, limit: usize) -> String {
        self.markdown(limit, NOTE)
    }
}
