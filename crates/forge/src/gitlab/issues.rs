//! Issues.

use super::{GitLab, READ, wire};
use crate::ForgeError;
use crate::requests::Issue;
use crate::rest::encode;

/// Limit on the open issues that are read.
const MAX_OPEN: usize = 5_000;

impl GitLab {
    pub(super) async fn list_issues(
        &self,
        author: Option<&str>,
    ) -> Result<Option<Vec<Issue>>, ForgeError> {
        let project = self.read_project().await?;
        if project.issues_access_level.as_deref() == Some("disabled") {
            return Ok(None);
        }

        let by = author
            .map(|login| format!("&author_username={}", encode(login)))
            .unwrap_or_default();
        let path = self.path(&format!("/issues?state=opened{by}"));
        let mut issues: Vec<wire::Issue> = self.rest.list(&path, READ, MAX_OPEN).await?;
        let path = self.path(&format!(
            "/issues?state=closed&order_by=created_at&sort=desc{by}"
        ));
        let (closed, _) = self
            .rest
            .list_until(&path, READ, 100, |_: &[wire::Issue]| true)
            .await?;
        issues.extend(closed);

        Ok(Some(issues.into_iter().map(Issue::from).collect()))
    }
}

impl From<wire::Issue> for Issue {
    fn from(issue: wire::Issue) -> Self {
        Self {
            number: issue.iid,
            url: issue.web_url,
            author: issue.author.map(Into::into),
            title: issue.title,
            body: issue.description.unwrap_or_default(),
            is_open: issue.state == "opened",
        }
    }
}
