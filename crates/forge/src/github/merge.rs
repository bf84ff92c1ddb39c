//! The merge of a pull request at an exact commit.

use patchgate_model::MergeMethod;
use serde_json::json;

use super::transport::{Call, Verb};
use super::{GitHub, encode, wire};
use crate::ForgeError;
use crate::requests::{MergeOutcome, MergeText};

impl GitHub {
    /// Merges a pull request if its head is still `sha`, with a text for the commit.
    ///
    /// # Errors
    /// When the outcome is unknown: there is no answer, or one that states neither a merge nor a reason.
    /// The call is never repeated.
    pub(super) async fn merge_pull(
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

    /// The first parent of the commit that a merge made.
    pub(super) async fn base_of_merge(&self, number: u64) -> Result<Option<String>, ForgeError> {
        let call = Call::get(
            self.path(&format!("/pulls/{number}")),
            "pull-requests: read",
        );
        let pull: wire::PullRequest = self.json(&call).await?;
        let commit = pull.merge_commit_sha.filter(|_| pull.merged);
        let Some(commit) = commit else {
            return Err(ForgeError::TooLarge {
                call: format!("GET {}", self.path(&format!("/pulls/{number}"))),
                what: "without a commit of the merge".to_owned(),
            });
        };
        if commit == pull.head.sha {
            return Ok(None);
        }

        let path = self.path(&format!("/git/commits/{}", encode(&commit)));
        let commit: wire::GitCommit = self.json(&Call::get(path, "contents: read")).await?;
        Ok(commit.parents.into_iter().next().map(|parent| parent.sha))
    }
}
