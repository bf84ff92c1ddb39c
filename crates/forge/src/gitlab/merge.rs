//! The merge of a merge request at an exact commit.

use patchgate_http::Method;
use patchgate_model::MergeMethod;
use serde_json::json;

use super::{GitLab, READ, WRITE, wire};
use crate::ForgeError;
use crate::requests::{MergeOutcome, MergeText};
use crate::rest::{Call, encode};

impl GitLab {
    /// Merges with the method of the policy. GitLab's project decides how a merge is made, and only
    /// squashing can be chosen for each merge, so a method that the project does not have is refused.
    pub(super) async fn merge_request(
        &self,
        number: u64,
        sha: &str,
        method: MergeMethod,
        text: &MergeText,
    ) -> Result<MergeOutcome, ForgeError> {
        let project = self.read_project().await?;
        if let Some(reason) = refusal(method, &project) {
            return Ok(MergeOutcome::NotMergeable { reason });
        }

        let call = Call::new(
            Method::Put,
            self.path(&format!("/merge_requests/{number}/merge")),
            WRITE,
        );
        let text = format!("{}\n\n{}", text.title, text.message);
        let body = json!({
            "sha": sha,
            "merge_commit_message": text,
            "squash_commit_message": text,
            "squash": method == MergeMethod::Squash,
            "should_remove_source_branch": true,
        });
        match self.rest.json::<wire::Merged>(&call, Some(&body)).await {
            Ok(merged) if merged.state == "merged" => Ok(MergeOutcome::Merged {
                sha: merged
                    .merge_commit_sha
                    .or(merged.squash_commit_sha)
                    .or(merged.sha),
            }),
            Ok(merged) => Ok(MergeOutcome::NotMergeable {
                reason: format!("the merge request is `{}` after the merge", merged.state),
            }),
            Err(ForgeError::Refused { status: 409, .. }) => Ok(MergeOutcome::HeadMoved),
            Err(ForgeError::Refused {
                status: status @ (400 | 405 | 406 | 422),
                message,
                ..
            }) => Ok(MergeOutcome::NotMergeable {
                reason: format!("{status} {message}").trim_end().to_owned(),
            }),
            Err(error) => Err(error),
        }
    }
}

impl GitLab {
    /// The first parent of the commit that a merge made.
    pub(super) async fn base_of_merge(&self, number: u64) -> Result<Option<String>, ForgeError> {
        let request = self.read_request(number).await?;
        if request.state != "merged" {
            let call = Call::get(self.path(&format!("/merge_requests/{number}")), READ);
            return Err(call.cut("not merged"));
        }
        // Without either, the head was fast-forwarded to.
        let Some(commit) = request.merge_commit_sha.or(request.squash_commit_sha) else {
            return Ok(None);
        };

        let path = self.path(&format!("/repository/commits/{}", encode(&commit)));
        let commit: wire::Commit = self.rest.json(&Call::get(path, READ), None).await?;
        Ok(commit.parent_ids.into_iter().next())
    }
}

/// Why the project cannot merge in this way.
fn refusal(method: MergeMethod, project: &wire::Project) -> Option<String> {
    let squash = project.squash_option.as_deref().unwrap_or("default_off");
    match method {
        MergeMethod::Squash if squash == "never" => {
            Some("the project does not allow squashing".to_owned())
        }
        MergeMethod::Squash => None,
        MergeMethod::Merge | MergeMethod::Rebase if squash == "always" => {
            Some("the project squashes every merge request".to_owned())
        }
        MergeMethod::Merge if project.merge_method == "ff" => Some(
            "the project merges by fast-forward only, and the policy asks for a merge commit"
                .to_owned(),
        ),
        MergeMethod::Merge => None,
        MergeMethod::Rebase if project.merge_method == "ff" => None,
        MergeMethod::Rebase => {
            Some("the project makes merge commits, and the policy asks for a rebase".to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use patchgate_model::MergeMethod;

    use super::{refusal, wire};

    #[test]
    fn a_method_that_the_project_does_not_have_is_refused() {
        let project = |merge_method: &str, squash: &str| wire::Project {
            issues_access_level: None,
            default_branch: None,
            merge_method: merge_method.to_owned(),
            squash_option: Some(squash.to_owned()),
        };
        for (method, merge_method, squash, allowed) in [
            (MergeMethod::Squash, "merge", "default_off", true),
            (MergeMethod::Squash, "ff", "always", true),
            (MergeMethod::Squash, "merge", "never", false),
            (MergeMethod::Merge, "merge", "never", true),
            (MergeMethod::Merge, "rebase_merge", "default_on", true),
            (MergeMethod::Merge, "ff", "never", false),
            (MergeMethod::Merge, "merge", "always", false),
            (MergeMethod::Rebase, "ff", "never", true),
            (MergeMethod::Rebase, "ff", "always", false),
            (MergeMethod::Rebase, "merge", "never", false),
        ] {
            let why = refusal(method, &project(merge_method, squash));
            assert_eq!(why.is_none(), allowed, "{method:?} {merge_method} {squash}");
        }
    }
}
