//! The approvals of a merge request.
//!
//! GitLab names no commit for an approval, but the time of both: an approval counts for the head when
//! it was given after the server recorded the head as the newest version of the merge request. An
//! approval that was given while a push was on its way is of the version before.

use patchgate_model::{Account, Approval};

use super::{GitLab, READ, wire};
use crate::ForgeError;
use crate::forge::Forge as _;
use crate::rest::Call;

/// Limit on the versions of a merge request.
const MAX_VERSIONS: usize = 1_000;

/// Limit on the approvals whose accounts are looked up.
const MAX_APPROVALS: usize = 50;

impl GitLab {
    /// The approvals, each with the head if it was given for it.
    pub(super) async fn approvals(
        &self,
        number: u64,
        head: &str,
    ) -> Result<Vec<Approval>, ForgeError> {
        let call = Call::get(
            self.path(&format!("/merge_requests/{number}/approvals")),
            READ,
        );
        let state: wire::Approvals = self.rest.json(&call, None).await?;
        if state.approved_by.is_empty() {
            return Ok(Vec::new());
        }
        if state.approved_by.len() > MAX_APPROVALS {
            return Err(call.cut(format!("longer than {MAX_APPROVALS} approvals")));
        }

        let path = self.path(&format!("/merge_requests/{number}/versions"));
        let versions: Vec<wire::Version> = self.rest.list(&path, READ, MAX_VERSIONS).await?;
        let newest = versions.into_iter().max_by_key(|version| version.id);
        let since = newest
            .filter(|version| version.head_commit_sha == head)
            .map(|version| version.created_at);

        let mut approvals = Vec::new();
        for given in state.approved_by {
            let Some(at) = given.approved_at else {
                return Err(call.cut("without the times of approvals, which newer GitLab states"));
            };
            let is_of_head = since.is_some_and(|since| at > since);
            let account = Account::from(given.user);
            approvals.push(Approval {
                may_write: self.may_write(&account).await?,
                account,
                commit: if is_of_head { head } else { "" }.to_owned(),
            });
        }
        Ok(approvals)
    }
}
