//! The gate's own check run.

use serde_json::json;

use super::transport::{Call, Verb};
use super::{GitHub, wire};
use crate::ForgeError;
use crate::requests::{Conclusion, VerdictReport};

/// Limit on the summary of a check run, in bytes. GitHub's limit is 65,535 characters.
const MAX_TEXT_BYTES: usize = 65_000;

impl GitHub {
    /// Writes a finished check run. Returns the address of its page.
    ///
    /// # Errors
    /// When the forge refuses. The token needs `checks: write`, which only apps and workflow tokens
    /// can have.
    pub(super) async fn report_check_run(
        &self,
        report: &VerdictReport,
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
