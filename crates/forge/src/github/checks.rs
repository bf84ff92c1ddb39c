//! The gate's own check run.

use serde_json::json;

use super::transport::{Call, Verb};
use super::{GitHub, wire};
use crate::ForgeError;

/// Limit on the summary of a check run, in bytes. GitHub's limit is 65,535 characters.
const MAX_TEXT_BYTES: usize = 65_000;

/// A finished check run that is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckRunReport {
    /// Name of the check.
    pub name: String,
    /// Commit that the verdict is about.
    pub head_sha: String,
    /// Conclusion of the check.
    pub conclusion: Conclusion,
    /// Title of the check run: one line.
    pub title: String,
    /// Summary of the verdict, as Markdown.
    pub summary: String,
}

/// The conclusion of the gate's check run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conclusion {
    /// The verdict is merge.
    Success,
    /// The verdict is review: not a failure, and not a success either.
    ActionRequired,
    /// The verdict is block.
    Failure,
}

impl GitHub {
    /// Writes a finished check run. Returns the address of its page.
    ///
    /// # Errors
    /// When the forge refuses. The token needs `checks: write`, which only apps and workflow tokens
    /// can have.
    pub async fn report_check_run(
        &self,
        report: &CheckRunReport,
    ) -> Result<Option<String>, ForgeError> {
        let call = Call::new(Verb::Post, self.path("/check-runs"), "checks: write");
        let conclusion = match report.conclusion {
            Conclusion::Success => "success",
            Conclusion::ActionRequired => "action_required",
            Conclusion::Failure => "failure",
        };
        let created: wire::Created = self
            .json_with(
                &call,
                &json!({
                    "name": report.name,
                    "head_sha": report.head_sha,
                    "status": "completed",
                    "conclusion": conclusion,
                    "output": {
                        "title": report.title,
                        "summary": cut(&report.summary),
                    },
                }),
            )
            .await?;

        Ok(created.html_url)
    }
}

/// The first [`MAX_TEXT_BYTES`] of a text, cut between characters.
fn cut(text: &str) -> String {
    if text.len() <= MAX_TEXT_BYTES {
        return text.to_owned();
    }
    let mut end = MAX_TEXT_BYTES;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}\n\n… cut", &text[..end])
}
