//! Comments and labels, which a pull request has because it is also an issue.

use serde_json::{Value, json};

use super::call::{Call, time, user};
use super::reply::{Refusal, Reply};
use super::state::{Comment, Issue, Permission};

/// The form of a time on GitHub.
const TIME: &str = "%Y-%m-%dT%H:%M:%SZ";

fn now() -> String {
    jiff::Timestamp::now().strftime(TIME).to_string()
}

impl Call<'_> {
    pub(crate) fn issue(&self, number: &str) -> Result<Reply, Refusal> {
        let value = self.issue_value(self.pull_index(number)?);
        Reply::value("/issues/{issue_number}", 200, value)
    }

    pub(crate) fn update_issue(&mut self, number: &str) -> Result<Reply, Refusal> {
        self.require_issues()?;
        let body = self.request.json();
        if let Some(value) = self.update_plain_issue(number, &body) {
            return Reply::value("/issues/{issue_number}", 200, value);
        }
        let at = self.pull_index(number)?;
        let pull = &mut self.hosted.pulls[at];
        if let Some(title) = body["title"].as_str() {
            title.clone_into(&mut pull.title);
        }
        if let Some(text) = body["body"].as_str() {
            text.clone_into(&mut pull.body);
        }
        if body["state"] == "closed" {
            pull.open = false;
        }
        if body["labels"].is_array() {
            pull.labels = names(&body["labels"]).into_iter().collect();
        }

        pull.updated += 1;
        let value = self.issue_value(at);

        Reply::value("/issues/{issue_number}", 200, value)
    }

    /// The issues of a state, pull requests among them.
    pub(crate) fn list_issues(&self) -> Result<Reply, Refusal> {
        let issues = self.hosted.issues.as_ref().ok_or_else(gone)?;
        let state = self.request.parameter("state").unwrap_or("open".to_owned());
        let is_meant = |open: bool| state == "all" || open == (state == "open");
        let pulls = 0..self.hosted.pulls.len();
        let pulls = pulls.filter(|at| is_meant(self.hosted.pulls[*at].open));
        let creator = self.request.parameter("creator");
        let is_by = |author: &str| creator.as_deref().is_none_or(|login| login == author);
        let pulls = pulls.filter(|at| is_by(&self.hosted.pulls[*at].author));
        let plain = issues
            .iter()
            .filter(|issue| is_meant(issue.open) && is_by(&issue.author));
        let values = plain
            .map(|issue| self.plain_value(issue))
            .chain(pulls.map(|at| self.issue_value(at)))
            .collect();
        Reply::list("/issues", values)
    }

    pub(crate) fn create_issue(&mut self) -> Result<Reply, Refusal> {
        self.require(Permission::Issues)?;
        let body = self.request.json();
        let issue = Issue {
            number: self.hosted.next_id(),
            author: self.account.login.clone(),
            title: self.text(&body, "title")?,
            body: self.text(&body, "body")?,
            open: true,
        };
        let value = self.plain_value(&issue);
        self.hosted.issues.as_mut().ok_or_else(gone)?.push(issue);
        Reply::value("/issues", 201, value)
    }

    /// Changes an issue that is no pull request.
    fn update_plain_issue(&mut self, number: &str, body: &Value) -> Option<Value> {
        let issues = self.hosted.issues.as_mut()?;
        let issue = issues
            .iter_mut()
            .find(|it| it.number.to_string() == number)?;
        if let Some(title) = body["title"].as_str() {
            title.clone_into(&mut issue.title);
        }
        if let Some(text) = body["body"].as_str() {
            text.clone_into(&mut issue.body);
        }
        if let Some(state) = body["state"].as_str() {
            issue.open = state == "open";
        }
        let issue = issue.clone();
        Some(self.plain_value(&issue))
    }

    fn plain_value(&self, issue: &Issue) -> Value {
        let url = self.url(&format!("/issues/{}", issue.number));
        json!({
            "id": issue.number, "node_id": format!("I_{}", issue.number), "number": issue.number,
            "url": url, "repository_url": self.url(""), "labels_url": format!("{url}/labels{{/name}}"),
            "comments_url": format!("{url}/comments"), "events_url": format!("{url}/events"),
            "html_url": format!("{}/{}/issues/{}", self.server_url, self.full_name, issue.number),
            "state": if issue.open { "open" } else { "closed" }, "title": issue.title,
            "body": issue.body, "user": user(&issue.author), "labels": [], "assignee": null,
            "milestone": null, "locked": false, "comments": 0, "closed_at": null,
            "created_at": time(issue.number), "updated_at": time(issue.number),
            "author_association": "CONTRIBUTOR",
        })
    }

    fn issue_value(&self, at: usize) -> Value {
        let mut value = self.pull_value(&self.hosted.pulls[at]);
        let number = self.hosted.pulls[at].number;
        let comments = self.hosted.comments.iter();
        let count = comments.filter(|comment| comment.number == number).count();
        value["comments"] = json!(count);
        value["url"] = json!(self.url(&format!("/issues/{number}")));
        value["pull_request"] = json!({
            "url": self.url(&format!("/pulls/{number}")),
            "html_url": value["html_url"], "diff_url": null, "patch_url": null,
        });

        value
    }

    pub(crate) fn list_comments(&self, number: &str) -> Result<Reply, Refusal> {
        let number = self.find_pull(number)?.number;
        let comments = self.hosted.comments.iter();
        let values = comments
            .filter(|comment| comment.number == number)
            .map(|comment| self.comment_value(comment))
            .collect();
        Reply::list("/issues/{issue_number}/comments", values)
    }

    pub(crate) fn create_comment(&mut self, number: &str) -> Result<Reply, Refusal> {
        self.require_issues()?;
        let number = self.find_pull(number)?.number;
        let body = self.request.json();
        let comment = Comment {
            id: self.hosted.next_id(),
            number,
            author: self.account.login.clone(),
            body: self.text(&body, "body")?,
            created: now(),
            updated: now(),
        };
        let value = self.comment_value(&comment);

        self.hosted.comments.push(comment);
        Reply::value("/issues/{issue_number}/comments", 201, value)
    }

    pub(crate) fn comment(&self, id: &str) -> Result<Reply, Refusal> {
        let comment = &self.hosted.comments[self.comment_index(id)?];
        let value = self.comment_value(comment);
        Reply::value("/issues/comments/{comment_id}", 200, value)
    }

    pub(crate) fn update_comment(&mut self, id: &str) -> Result<Reply, Refusal> {
        self.require_issues()?;
        let at = self.comment_index(id)?;
        let body = self.request.json();
        self.hosted.comments[at].body = self.text(&body, "body")?;
        // Whole seconds as on GitHub, and a test does not wait for the next one.
        let edited = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(2);
        self.hosted.comments[at].updated = edited.strftime(TIME).to_string();
        let value = self.comment_value(&self.hosted.comments[at]);
        Reply::value("/issues/comments/{comment_id}", 200, value)
    }

    pub(crate) fn delete_comment(&mut self, id: &str) -> Result<Reply, Refusal> {
        self.require_issues()?;
        let at = self.comment_index(id)?;
        self.hosted.comments.remove(at);
        Reply::empty("/issues/comments/{comment_id}")
    }

    fn comment_index(&self, id: &str) -> Result<usize, Refusal> {
        let mut comments = self.hosted.comments.iter();
        comments
            .position(|comment| comment.id.to_string() == id)
            .ok_or_else(Refusal::not_found)
    }

    fn comment_value(&self, comment: &Comment) -> Value {
        json!({
            "id": comment.id,
            "node_id": format!("IC_{}", comment.id),
            "url": self.url(&format!("/issues/comments/{}", comment.id)),
            "html_url": format!("{}/{}/pull/{}#issuecomment-{}",
                self.server_url, self.full_name, comment.number, comment.id),
            "issue_url": self.url(&format!("/issues/{}", comment.number)),
            "body": comment.body,
            "user": user(&comment.author),
            "created_at": comment.created,
            "updated_at": comment.updated,
            "author_association": "CONTRIBUTOR",
        })
    }

    pub(crate) fn list_issue_labels(&self, number: &str) -> Result<Reply, Refusal> {
        let labels = self.find_pull(number)?.labels.iter();
        let values = labels.map(|name| label(name)).collect();
        Reply::list("/issues/{issue_number}/labels", values)
    }

    /// Assigns accounts. Those that the server does not have are left out, as on GitHub.
    pub(crate) fn assign(&mut self, number: &str) -> Result<Reply, Refusal> {
        self.require_issues()?;
        let wanted = names(&self.request.json()["assignees"]);
        let at = self.pull_index(number)?;
        let known = |login: &String| self.hosted.writers.contains(login);
        let wanted: Vec<String> = wanted.into_iter().filter(known).collect();
        self.hosted.pulls[at].assignees.extend(wanted);
        let mut value = self.issue_value(at);
        let assignees = self.hosted.pulls[at].assignees.iter();
        value["assignees"] = assignees.map(|login| user(login)).collect();
        Reply::value("/issues/{issue_number}/assignees", 201, value)
    }

    pub(crate) fn add_issue_labels(&mut self, number: &str) -> Result<Reply, Refusal> {
        self.require_issues()?;
        let body = self.request.json();
        let wanted = if body.is_array() {
            &body
        } else {
            &body["labels"]
        };
        let wanted = names(wanted);
        let at = self.pull_index(number)?;

        self.hosted.labels.extend(wanted.iter().cloned());
        let pull = &mut self.hosted.pulls[at];
        pull.labels.extend(wanted);
        let values = pull.labels.iter().map(|name| label(name)).collect();

        Reply::list("/issues/{issue_number}/labels", values)
    }

    pub(crate) fn remove_issue_label(
        &mut self,
        number: &str,
        name: &str,
    ) -> Result<Reply, Refusal> {
        self.require_issues()?;
        let at = self.pull_index(number)?;
        let pull = &mut self.hosted.pulls[at];
        if !pull.labels.remove(name) {
            return Err(Refusal::new(404, "Label does not exist"));
        }
        let values = pull.labels.iter().map(|name| label(name)).collect();
        Reply::list("/issues/{issue_number}/labels/{name}", values)
    }

    pub(crate) fn list_labels(&self) -> Result<Reply, Refusal> {
        let labels = self.hosted.labels.iter();
        Reply::list("/labels", labels.map(|name| label(name)).collect())
    }

    pub(crate) fn label(&self, name: &str) -> Result<Reply, Refusal> {
        if !self.hosted.labels.contains(name) {
            return Err(Refusal::not_found());
        }
        Reply::value("/labels/{name}", 200, label(name))
    }

    pub(crate) fn create_label(&mut self) -> Result<Reply, Refusal> {
        self.require_issues()?;
        let body = self.request.json();
        let name = self.text(&body, "name")?;
        if !self.hosted.labels.insert(name.clone()) {
            let mut refusal = Refusal::new(422, "Validation Failed");
            refusal.body["errors"] =
                json!([{"resource": "Label", "code": "already_exists", "field": "name"}]);
            return Err(refusal);
        }

        Reply::value("/labels", 201, label(&name))
    }

    /// Comments and labels of pull requests take either permission.
    fn require_issues(&self) -> Result<(), Refusal> {
        self.require(Permission::Issues)
            .or_else(|_| self.require(Permission::PullRequests))
    }
}

/// The answer of a repository without issues.
fn gone() -> Refusal {
    Refusal::new(410, "Issues has been disabled in this repository.")
}

/// A label with a plain colour.
pub(crate) fn label(name: &str) -> Value {
    json!({"id": 1, "name": name, "color": "ededed", "default": false, "description": ""})
}

/// Names in a list of texts or of objects with a `name`.
pub(super) fn names(labels: &Value) -> Vec<String> {
    labels
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|label| label.as_str().or_else(|| label["name"].as_str()))
        .map(str::to_owned)
        .collect()
}
