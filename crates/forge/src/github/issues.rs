//! Issues. GitHub lists pull requests among them.

use super::transport::Call;
use super::wire;
use super::{GitHub, encode};
use crate::ForgeError;
use crate::requests::Issue;

pub(super) const ISSUES: &str = "issues: write";

/// Limit on the open issues that are read.
const MAX_OPEN: usize = 5_000;

impl GitHub {
    pub(super) async fn list_issues(
        &self,
        author: Option<&str>,
    ) -> Result<Option<Vec<Issue>>, ForgeError> {
        let call = Call::get(self.path(""), "metadata: read");
        let repository: wire::Repository = self.json(&call).await?;
        if repository.has_issues == Some(false) {
            return Ok(None);
        }

        let by = author
            .map(|login| format!("creator={}&", encode(login)))
            .unwrap_or_default();
        let path = self.path("/issues");
        let mut issues: Vec<wire::Issue> = self
            .list(
                &path,
                &format!("state=open&{by}"),
                ISSUES,
                MAX_OPEN,
                |page| page,
            )
            .await?;
        let query = format!("state=closed&{by}sort=created&direction=desc&per_page=100");
        let call = Call::get(format!("{path}?{query}"), ISSUES);
        let closed: Vec<wire::Issue> = self.json(&call).await?;
        issues.extend(closed);
        issues.retain(|issue| issue.pull_request.is_none());

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
