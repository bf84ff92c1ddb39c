//! Merge requests: finding them, and their notes.

use patchgate_http::Method;
use patchgate_model::{Account, PlanBlock};
use serde_json::json;

use super::{GitLab, READ, WRITE, wire};
use crate::ForgeError;
use crate::assign::to_ask;
use crate::error::all_assigned;
use crate::git::{BRANCH_PREFIX, PatchgateBranch};
use crate::requests::{ClosedPullRequest, Comment, CreatedPullRequest, OpenPullRequest};
use crate::rest::{Call, encode};

/// Limit on the merge requests, and on the notes of one, that are read.
const MAX_ENTRIES: usize = 5_000;

impl GitLab {
    pub(super) async fn read_request(&self, number: u64) -> Result<wire::MergeRequest, ForgeError> {
        let call = Call::get(self.path(&format!("/merge_requests/{number}")), READ);
        self.rest.json(&call, None).await
    }

    pub(super) async fn list_open(&self, base: &str) -> Result<Vec<OpenPullRequest>, ForgeError> {
        let path = self.path(&format!(
            "/merge_requests?state=opened&target_branch={}",
            encode(base)
        ));
        let requests: Vec<wire::MergeRequest> = self.rest.list(&path, READ, MAX_ENTRIES).await?;
        let mut open: Vec<OpenPullRequest> = requests
            .into_iter()
            .filter(|request| {
                request.state == "opened"
                    && request.target_branch == base
                    && request.source_branch.starts_with(BRANCH_PREFIX)
                    && is_own(request)
                    && PlanBlock::is_marked(request.description.as_deref().unwrap_or_default())
            })
            .map(|request| OpenPullRequest {
                number: request.iid,
                created_at: request.created_at,
                url: request.web_url,
                author: request.author.map(Account::from),
                labels: request.labels,
                assignees: usernames(request.assignees),
                title: request.title,
                body: request.description.unwrap_or_default(),
                branch: request.source_branch,
                head: request.sha.unwrap_or_default(),
                base: request.target_branch,
            })
            .collect();
        open.sort_by_key(|request| request.number);
        open.dedup_by_key(|request| request.number);

        Ok(open)
    }

    pub(super) async fn list_open_from(
        &self,
        branch: &PatchgateBranch,
        base: &str,
    ) -> Result<Option<CreatedPullRequest>, ForgeError> {
        let path = self.path(&format!(
            "/merge_requests?state=opened&source_branch={}&target_branch={}",
            encode(branch.name()),
            encode(base)
        ));
        let requests: Vec<wire::MergeRequest> = self.rest.list(&path, READ, MAX_ENTRIES).await?;

        Ok(requests
            .into_iter()
            .find(|request| {
                request.state == "opened"
                    && request.source_branch == branch.name()
                    && request.target_branch == base
                    && is_own(request)
            })
            .map(|request| CreatedPullRequest {
                number: request.iid,
                url: request.web_url,
            }))
    }

    pub(super) async fn list_closed(
        &self,
        branch: &PatchgateBranch,
        base: &str,
    ) -> Result<Vec<ClosedPullRequest>, ForgeError> {
        let path = self.path(&format!(
            "/merge_requests?state=all&source_branch={}&target_branch={}",
            encode(branch.name()),
            encode(base)
        ));
        let requests: Vec<wire::MergeRequest> = self.rest.list(&path, READ, MAX_ENTRIES).await?;
        let mut closed: Vec<ClosedPullRequest> = requests
            .into_iter()
            .filter(|request| {
                matches!(request.state.as_str(), "closed" | "merged")
                    && request.source_branch == branch.name()
                    && request.target_branch == base
                    && is_own(request)
            })
            .map(|request| ClosedPullRequest {
                number: request.iid,
                url: request.web_url,
                author: request.author.map(Account::from),
                is_merged: request.state == "merged",
                body: request.description.unwrap_or_default(),
            })
            .collect();
        closed.sort_by_key(|request| std::cmp::Reverse(request.number));

        Ok(closed)
    }

    /// GitLab replaces the whole list, by ids, so those that are assigned are read before.
    pub(super) async fn assign_request(
        &self,
        number: u64,
        wanted: &[String],
    ) -> Result<(), ForgeError> {
        let path = self.path(&format!("/merge_requests/{number}"));
        let read: wire::MergeRequest = self.rest.json(&Call::get(path.clone(), READ), None).await?;
        let assigned = read.assignees.iter().flatten();
        let mut ids: Vec<u64> = assigned.filter_map(|user| user.id).collect();
        ids.extend(self.member_ids(wanted).await?);

        let call = Call::new(Method::Put, path, WRITE);
        let body = json!({ "assignee_ids": ids });
        let after: wire::MergeRequest = self.rest.json(&call, Some(&body)).await?;
        // Without a subscription, GitLab keeps one assignee.
        let assigned = usernames(after.assignees);
        let some = wanted
            .iter()
            .filter(|login| assigned.contains(login))
            .cloned();
        match some.count() {
            0 => all_assigned(call.name(), wanted, &assigned),
            _ => Ok(()),
        }
    }

    /// The ids of members of the project, those of groups above it included.
    async fn member_ids(&self, logins: &[String]) -> Result<Vec<u64>, ForgeError> {
        let mut ids = Vec::new();
        for login in logins {
            let query = format!("/members/all?query={}", encode(login));
            let members: Vec<wire::User> = self
                .rest
                .list(&self.path(&query), READ, MAX_ENTRIES)
                .await?;
            let same = members
                .iter()
                .find(|user| user.username.eq_ignore_ascii_case(login));
            ids.extend(same.and_then(|user| user.id));
        }

        Ok(ids)
    }

    /// A reviewer stays one after the review. GitLab replaces the whole list, by ids, and keeps one
    /// reviewer without a subscription.
    pub(super) async fn ask_reviewers(
        &self,
        number: u64,
        wanted: &[String],
    ) -> Result<(), ForgeError> {
        let path = self.path(&format!("/merge_requests/{number}"));
        let read: wire::MergeRequest = self.rest.json(&Call::get(path.clone(), READ), None).await?;
        let mut ids: Vec<u64> = read
            .reviewers
            .iter()
            .flatten()
            .filter_map(|user| user.id)
            .collect();
        let author = read.author.map(|user| user.username);
        let asked = to_ask(wanted, author.as_deref(), &usernames(read.reviewers));
        if asked.is_empty() {
            return Ok(());
        }

        ids.extend(self.member_ids(&asked).await?);
        let call = Call::new(Method::Put, path, WRITE);
        let body = json!({ "reviewer_ids": ids });
        let after: wire::MergeRequest = self.rest.json(&call, Some(&body)).await?;
        let reviewers = usernames(after.reviewers);
        match asked.iter().any(|login| reviewers.contains(login)) {
            true => Ok(()),
            false => all_assigned(call.name(), &asked, &reviewers),
        }
    }

    pub(super) async fn list_notes(&self, number: u64) -> Result<Vec<Comment>, ForgeError> {
        let path = self.path(&format!(
            "/merge_requests/{number}/notes?sort=asc&order_by=created_at"
        ));
        let notes: Vec<wire::Note> = self.rest.list(&path, READ, MAX_ENTRIES).await?;

        Ok(notes
            .into_iter()
            .filter(|note| !note.system)
            .map(|note| Comment {
                id: note.id,
                author: note.author.map(Account::from),
                body: note.body.unwrap_or_default(),
                created: note.created_at,
                is_edited: Comment::was_edited(note.created_at, note.updated_at),
            })
            .collect())
    }

    /// People who ask for changes, as reviewers or by a thread that is not resolved.
    pub(super) async fn changes_requested(
        &self,
        request: &wire::MergeRequest,
    ) -> Result<Vec<String>, ForgeError> {
        let at = format!("/merge_requests/{}", request.iid);
        let path = self.path(&format!("{at}/reviewers"));
        let reviewers: Vec<wire::Reviewer> = self.rest.list(&path, READ, MAX_ENTRIES).await?;
        let login = |user: Option<wire::User>| {
            user.map_or_else(|| "ghost".to_owned(), |user| user.username)
        };
        let mut asking: Vec<String> = reviewers
            .into_iter()
            .filter(|reviewer| reviewer.state == "requested_changes")
            .map(|reviewer| login(reviewer.user))
            .collect();

        if request.blocking_discussions_resolved != Some(true) {
            let path = self.path(&format!("{at}/discussions"));
            let discussions: Vec<wire::Discussion> =
                self.rest.list(&path, READ, MAX_ENTRIES).await?;
            let open = discussions.into_iter().filter_map(|discussion| {
                discussion
                    .notes
                    .into_iter()
                    .find(|note| note.resolvable && note.resolved != Some(true))
            });
            asking.extend(open.map(|note| login(note.author)));
        }

        asking.sort();
        asking.dedup();
        Ok(asking)
    }
}

/// Whether the merge request comes from a branch of this project. Anyone can open one from a fork,
/// with any branch name.
fn is_own(request: &wire::MergeRequest) -> bool {
    request.source_project_id.is_some() && request.source_project_id == request.target_project_id
}

fn usernames(users: Option<Vec<wire::User>>) -> Vec<String> {
    let users = users.unwrap_or_default().into_iter();
    users.map(|user| user.username).collect()
}
