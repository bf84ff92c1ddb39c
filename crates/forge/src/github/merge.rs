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

impl GitHub {
    /// Merges a pull request if its head is still `sha`.
    ///
    /// # Errors
    /// When the outcome is unknown: there is no answer, or one that states neither a merge nor a reason.
    /// The call is never repeated.
    pub async fn merge(
        &self,
        number: u64,
        sha: &str,
        method: MergeMethod,
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
            .json_with::<wire::Merged>(&call, &json!({ "sha": sha, "merge_method": method }))
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
