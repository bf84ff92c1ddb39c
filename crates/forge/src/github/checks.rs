//! The gate's own check run.

use serde_json::{Value, json};

use super::transport::{Call, Verb};
use super::{GitHub, wire};
use crate::ForgeError;
use crate::requests::{CheckNote, Conclusion, NoteLevel, VerdictReport};

/// Limit on the summary of a check run, in bytes. GitHub's limit is 65,535 characters.
const MAX_TEXT_BYTES: usize = 65_000;

/// Most annotations in one call
/// (<https://docs.github.com/rest/checks/runs#update-a-check-run>).
const NOTES_PER_CALL: usize = 50;

/// Most characters of the title and the message of an annotation. GitHub's limits are 255 characters
/// and 64 KB.
const TITLE_CHARACTERS: usize = 255;
const MESSAGE_CHARACTERS: usize = 4_000;

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
        let mut batches = report.notes.chunks(NOTES_PER_CALL);
        let mut output = json!({
            "title": report.title,
            "summary": cut(&report.summary),
            "annotations": annotations(batches.next().unwrap_or_default()),
        });
        let created: wire::Created = self
            .json_with(
                &call,
                &json!({
                    "name": report.name,
                    "head_sha": report.head_sha,
                    "status": "completed",
                    "conclusion": conclusion,
                    "output": output,
                }),
            )
            .await?;

        // Each further call adds its annotations to those that are there.
        for batch in batches {
            let path = self.path(&format!("/check-runs/{}", created.id));
            output["annotations"] = annotations(batch);
            self.send_with(
                &Call::new(Verb::Patch, path, "checks: write"),
                &json!({ "output": output }),
            )
            .await?;
        }

        Ok(created.html_url)
    }
}

fn annotations(notes: &[CheckNote]) -> Value {
    let first = |text: &str, most| text.chars().take(most).collect::<String>();
    notes
        .iter()
        .map(|note| {
            json!({
                "path": note.path,
                "start_line": note.line,
                "end_line": note.line,
                "annotation_level": match note.level {
                    NoteLevel::Notice => "notice",
                    NoteLevel::Warning => "warning",
                    NoteLevel::Failure => "failure",
                },
                "title": first(&note.title, TITLE_CHARACTERS),
                "message": first(&note.message, MESSAGE_CHARACTERS),
            })
        })
        .collect()
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
