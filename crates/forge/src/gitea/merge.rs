//! The merge of a pull request at an exact commit.

use std::time::Duration;

use patchgate_http::Method;
use patchgate_model::MergeMethod;
use serde_json::json;

use super::{Gitea, READ, WRITE, wire};
use crate::ForgeError;
use crate::requests::{MergeOutcome, MergeText};
use crate::rest::{Call, encode};

/// Gitea's answer while it works out whether a pull request can be merged. Nothing was merged then, so
/// the call may be repeated.
const TRY_LATER: &str = "please try again later";

/// Number of repetitions after [`TRY_LATER`].
const REPETITIONS: u32 = 10;

/// Wait before each repetition.
const WAIT: Duration = Duration::from_millis(500);

impl Gitea {
    pub(super) async fn merge_pull(
        &self,
        number: u64,
        sha: &str,
        method: MergeMethod,
        text: &MergeText,
    ) -> Result<MergeOutcome, ForgeError> {
        let call = Call::new(
            Method::Post,
            self.path(&format!("/pulls/{number}/merge")),
            WRITE,
        );
        let method = match method {
            MergeMethod::Merge => "merge",
            MergeMethod::Squash => "squash",
            MergeMethod::Rebase => "rebase",
        };
        // The server is asked for the field by this name since its first versions.
        let body = json!({
            "Do": method,
            "head_commit_id": sha,
            "MergeTitleField": text.title,
            "MergeMessageField": text.message,
        });

        let mut repetitions = 0;
        loop {
            let (status, message) = match self.rest.send(&call, Some(&body)).await {
                Ok(_) => return Ok(MergeOutcome::Merged { sha: None }),
                Err(ForgeError::Refused {
                    status: status @ (405 | 409 | 422),
                    message,
                    ..
                }) => (status, message),
                Err(error) => return Err(error),
            };

            let lower = message.to_ascii_lowercase();
            if status == 409 && lower.contains("head out of date") {
                return Ok(MergeOutcome::HeadMoved);
            }
            if lower.contains(TRY_LATER) && repetitions < REPETITIONS {
                repetitions += 1;
                tokio::time::sleep(WAIT).await;
                continue;
            }

            return Ok(MergeOutcome::NotMergeable {
                reason: if message.is_empty() {
                    format!("the forge answered {status}")
                } else {
                    message
                },
            });
        }
    }

    /// The first parent of the commit that a merge made.
    pub(super) async fn base_of_merge(&self, number: u64) -> Result<Option<String>, ForgeError> {
        let pull = self.read_pull(number).await?;
        let Some(commit) = pull.merge_commit_sha.filter(|_| pull.merged) else {
            let call = Call::get(self.path(&format!("/pulls/{number}")), READ);
            return Err(call.cut("without a commit of the merge"));
        };
        if commit == pull.head.sha {
            return Ok(None);
        }

        let path = self.path(&format!(
            "/git/commits/{}?stat=false&verification=false&files=false",
            encode(&commit)
        ));
        let commit: wire::Commit = self.rest.json(&Call::get(path, READ), None).await?;
        let parents = commit.parents.unwrap_or_default();
        Ok(parents.into_iter().next().map(|parent| parent.sha))
    }
}
