//! The merge of a pull request at an exact commit.

use patchgate_model::MergeMethod;
use serde_json::json;

use super::transport::{Call, Verb};
use super::{GitHub, wire};
use crate::ForgeError;

/// The outcome of a merge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MergeOutcome {
    /// The pull request is merged.
    Merged {
        /// The commit on the base branch, if the forge names it.
        sha: Option<String>,
    },
    /// The head is another commit than the given one. Nothing was merged.
    HeadMoved,
    /// The forge refuses the merge because of protection, conflicts or the method.
    NotMergeable {
        /// The reason that the forge gives.
        reason: String,
    },
}

/// The text of the merged commit. Without one, GitHub takes the title of the pull request or of its
/// commit, which may contain `[skip ci]` or words that close issues.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergeText {
    /// The first line.
    pub title: String,
    /// The rest.
    pub message: String,
}

impl MergeText {
    /// The text of a merge. It names nothing that comes from outside: commit ids are hexadecimal.
    ///
    /// ```
    /// use patchgate_forge::MergeText;
    ///
    /// let text = MergeText::of(7, &"a".repeat(40), "[skip ci]");
    /// assert_eq!(text.title, "Update vulnerable dependencies (#7)");
    /// assert!(!text.message.contains("skip"));
    /// ```
    #[must_use]
    pub fn of(number: u64, head: &str, base: &str) -> Self {
        let id = |text: &str| {
            if text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                text.to_owned()
            } else {
                "unknown".to_owned()
            }
        };
        Self {
            title: format!("Update vulnerable dependencies (#{number})"),
            message: format!(
                "Merged by Patchgate.\n\nJudged commit: {}\nPolicy from commit: {}\n",
                id(head),
                id(base)
            ),
        }
    }
}

impl GitHub {
    /// Merges a pull request if its head is still `sha`, with a text for the commit.
    ///
    /// # Errors
    /// When the outcome is unknown: there is no answer, or one that states neither a merge nor a reason.
    /// The call is never repeated.
    pub async fn merge(
        &self,
        number: u64,
        sha: &str,
        method: MergeMethod,
        text: &MergeText,
    ) -> Result<MergeOutcome, ForgeError> {
        let call = Call::new(
            Verb::Put,
            self.path(&format!("/pulls/{number}/merge")),
            "contents: write",
        );
        let method = match method {
            MergeMethod::Merge => "merge",
            MergeMethod::Squash => "squash",
            MergeMethod::Rebase => "rebase",
        };
        let answer = self
            .json_with::<wire::Merged>(
                &call,
                &json!({
                    "sha": sha,
                    "merge_method": method,
                    "commit_title": text.title,
                    "commit_message": text.message,
                }),
            )
            .await;

        match answer {
            Ok(answer) if answer.merged => Ok(MergeOutcome::Merged { sha: answer.sha }),
            Ok(answer) => Ok(MergeOutcome::NotMergeable {
                reason: answer.message,
            }),
            Err(ForgeError::Refused { status: 409, .. }) => Ok(MergeOutcome::HeadMoved),
            Err(ForgeError::Refused {
                status: 405,
                message,
                ..
            }) => Ok(MergeOutcome::NotMergeable { reason: message }),
            Err(ForgeError::Refused {
                status: 422,
                message,
                ..
            }) => Ok(if message.to_ascii_lowercase().contains("head") {
                MergeOutcome::HeadMoved
            } else {
                MergeOutcome::NotMergeable { reason: message }
            }),
            Err(error) => Err(error),
        }
    }
}
