//! Issues.

use super::{Gitea, READ, wire};
use crate::ForgeError;
use crate::requests::Issue;
use crate::rest::{Call, encode};

/// Limit on the open issues that are read.
const MAX_OPEN: usize = 5_000;

impl Gitea {
    pub(super) async fn list_issues(
        &self,
        author: Option<&str>,
    ) -> Result<Option<Vec<Issue>>, ForgeError> {
        let call = Call::get(self.path(""), READ);
        let repository: wire::Repository = self.rest.json(&call, None).await?;
        if repository.has_issues == Some(false) {
            return Ok(None);
        }

        let by = author
            .map(|login| format!("&created_by={}", encode(login)))
            .unwrap_or_default();
        let path = self.path(&format!("/issues?type=issues&state=open{by}"));
        let mut issues: Vec<wire::Issue> = self.rest.list(&path, READ, MAX_OPEN).await?;
        let path = self.path(&format!("/issues?type=issues&state=closed{by}"));
        let (closed, _) = self
            .rest
            .list_until(&path, READ, 100, |found: &[wire::Issue]| found.len() >= 100)
            .await?;
        issues.extend(closed);

        Ok(Some(issues.into_iter().map(Issue::from).collect()))
    }
}

impl From<wire::Issue> for Issue {
    fn from(issue: wire::Issue) -> Self {
        Self {
            number: issue.number,
            url: issue.html_url,
            author: issue.user.map(Into::into),
            title: issue.title,
            body: issue.body.unwrap_or_default(),
            is_open: issue.state == "open",
        }
    }
}
