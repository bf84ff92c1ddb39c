//! Check runs and commit statuses.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::call::{Call, app, app_id, time, user};
use super::reply::{Refusal, Reply};
use super::state::{CheckRun, CommitStatus, Permission};

impl Call<'_> {
    pub(crate) fn create_check(&mut self) -> Result<Reply, Refusal> {
        let app = self.check_app()?;
        let body = self.request.json();
        let head = self.text(&body, "head_sha")?;
        let head_sha = self
            .commit_sha(&head)
            .ok_or_else(|| Refusal::new(422, &format!("No commit found for SHA: {head}")))?;
        let mut check = CheckRun {
            id: self.hosted.next_id(),
            head_sha,
            name: self.text(&body, "name")?,
            app,
            status: "queued".to_owned(),
            conclusion: None,
            output: Value::Null,
            annotations: Vec::new(),
        };
        apply(&mut check, &body)?;
        let value = self.check_value(&check);

        self.hosted.checks.push(check);
        Reply::value("/check-runs", 201, value)
    }

    pub(crate) fn check(&self, id: &str) -> Result<Reply, Refusal> {
        let value = self.check_value(&self.hosted.checks[self.check_index(id)?]);
        Reply::value("/check-runs/{check_run_id}", 200, value)
    }

    pub(crate) fn update_check(&mut self, id: &str) -> Result<Reply, Refusal> {
        let app = self.check_app()?;
        let at = self.check_index(id)?;
        if self.hosted.checks[at].app != app {
            // An app changes only its own check runs.
            return Err(Refusal::not_permitted());
        }

        let body = self.request.json();
        apply(&mut self.hosted.checks[at], &body)?;
        let value = self.check_value(&self.hosted.checks[at]);

        Reply::value("/check-runs/{check_run_id}", 200, value)
    }

    fn check_app(&self) -> Result<String, Refusal> {
        self.require(Permission::Checks)?;
        let no_app = || Refusal::new(403, "You must authenticate via a GitHub App.");
        self.account.app.clone().ok_or_else(no_app)
    }

    fn check_index(&self, id: &str) -> Result<usize, Refusal> {
        let mut checks = self.hosted.checks.iter();
        checks
            .position(|check| check.id.to_string() == id)
            .ok_or_else(Refusal::not_found)
    }

    pub(crate) fn list_checks(&self, revision: &str) -> Result<Reply, Refusal> {
        let sha = self
            .commit_sha(revision)
            .ok_or_else(|| Refusal::new(422, &format!("No commit found for SHA: {revision}")))?;
        let name = self.request.parameter("check_name");
        let status = self.request.parameter("status");
        let app = self.request.parameter("app_id");

        let mut checks: Vec<&CheckRun> = self
            .hosted
            .checks
            .iter()
            .filter(|check| check.head_sha == sha)
            .filter(|check| name.as_ref().is_none_or(|name| *name == check.name))
            .filter(|check| status.as_ref().is_none_or(|status| *status == check.status))
            .filter(|check| {
                app.as_ref()
                    .is_none_or(|app| *app == app_id(&check.app).to_string())
            })
            .collect();
        if self.request.parameter("filter").as_deref() != Some("all") {
            let mut latest: BTreeMap<(&str, &str), &CheckRun> = BTreeMap::new();
            for check in checks {
                latest.insert((&check.app, &check.name), check);
            }
            checks = latest.into_values().collect();
        }

        checks.sort_by_key(|check| std::cmp::Reverse(check.id));
        let values = checks
            .into_iter()
            .map(|check| self.check_value(check))
            .collect();

        Reply::wrapped("/commits/{ref}/check-runs", "check_runs", values, json!({}))
    }

    pub(crate) fn list_suites(&self, revision: &str) -> Result<Reply, Refusal> {
        let sha = self.commit_sha(revision).ok_or_else(Refusal::not_found)?;
        let mut suites: BTreeMap<&str, Vec<&CheckRun>> = BTreeMap::new();
        for check in self
            .hosted
            .checks
            .iter()
            .filter(|check| check.head_sha == sha)
        {
            suites.entry(&check.app).or_default().push(check);
        }

        let values = suites
            .into_iter()
            .map(|(slug, checks)| {
                let done = checks.iter().all(|check| check.status == "completed");
                let good = checks
                    .iter()
                    .all(|check| check.conclusion.as_deref() == Some("success"));

                json!({
                    "id": app_id(slug), "head_sha": sha, "app": app(slug),
                    "status": if done { "completed" } else { "in_progress" },
                    "conclusion": done.then_some(if good { "success" } else { "failure" }),
                    "latest_check_runs_count": checks.len(), "pull_requests": [],
                    "repository": self.repository_value(),
                })
            })
            .collect();

        Reply::wrapped(
            "/commits/{ref}/check-suites",
            "check_suites",
            values,
            json!({}),
        )
    }

    fn check_value(&self, check: &CheckRun) -> Value {
        let done = check.status == "completed";

        json!({
            "id": check.id,
            "name": check.name,
            "head_sha": check.head_sha,
            "status": check.status,
            "conclusion": check.conclusion,
            "started_at": time(check.id),
            "completed_at": done.then(|| time(check.id + 1)),
            "output": {
                "title": check.output["title"], "summary": check.output["summary"],
                "text": check.output["text"], "annotations_count": check.annotations.len(),
                "annotations_url": self.url(&format!("/check-runs/{}/annotations", check.id)),
            },
            "app": app(&check.app),
            "check_suite": {"id": app_id(&check.app)},
            "pull_requests": [],
            "url": self.url(&format!("/check-runs/{}", check.id)),
            "html_url": format!("{}/{}/runs/{}", self.server_url, self.full_name, check.id),
        })
    }

    pub(crate) fn create_status(&mut self, sha: &str) -> Result<Reply, Refusal> {
        self.require(Permission::Statuses)?;
        let body = self.request.json();
        let sha = self
            .commit_sha(sha)
            .ok_or_else(|| Refusal::new(422, &format!("No commit found for SHA: {sha}")))?;
        let status = CommitStatus {
            id: self.hosted.next_id(),
            sha,
            context: body["context"].as_str().unwrap_or("default").to_owned(),
            state: self.text(&body, "state")?,
            description: body["description"].as_str().map(str::to_owned),
            creator: self.account.login.clone(),
        };
        let value = self.status_value(&status);

        self.hosted.statuses.push(status);
        Reply::value("/statuses/{sha}", 201, value)
    }

    pub(crate) fn list_statuses(&self, revision: &str) -> Result<Reply, Refusal> {
        let sha = self.commit_sha(revision).ok_or_else(Refusal::not_found)?;
        let statuses = self.hosted.statuses.iter().rev();
        let values = statuses
            .filter(|status| status.sha == sha)
            .map(|status| self.status_value(status))
            .collect();
        Reply::list("/commits/{ref}/statuses", values)
    }

    /// The combined status; without any status it is "pending", as on GitHub.
    pub(crate) fn combined_status(&self, revision: &str) -> Result<Reply, Refusal> {
        let sha = self.commit_sha(revision).ok_or_else(Refusal::not_found)?;
        let latest = self.latest_statuses(&sha);
        let has = |states: &[&str]| {
            latest
                .values()
                .any(|status| states.contains(&status.state.as_str()))
        };
        let state = if has(&["error", "failure"]) {
            "failure"
        } else if latest.is_empty() || has(&["pending"]) {
            "pending"
        } else {
            "success"
        };

        let values: Vec<Value> = latest
            .values()
            .map(|status| self.status_value(status))
            .collect();
        let fields = json!({"state": state, "sha": sha, "repository": self.repository_value()});

        Reply::wrapped("/commits/{ref}/status", "statuses", values, fields)
    }

    fn latest_statuses(&self, sha: &str) -> BTreeMap<&str, &CommitStatus> {
        let statuses = self.hosted.statuses.iter();
        statuses
            .filter(|status| status.sha == sha)
            .map(|status| (status.context.as_str(), status))
            .collect()
    }

    fn status_value(&self, status: &CommitStatus) -> Value {
        json!({
            "id": status.id,
            "url": self.url(&format!("/statuses/{}", status.sha)),
            "state": status.state,
            "context": status.context,
            "description": status.description,
            "target_url": null,
            "creator": user(&status.creator),
            "created_at": time(status.id),
            "updated_at": time(status.id),
        })
    }

    /// Whether the latest check run or status of this name succeeded.
    pub(crate) fn has_succeeded(&self, sha: &str, name: &str) -> bool {
        let mut checks = self.hosted.checks.iter();
        let check = checks
            .rfind(|check| check.head_sha == sha && check.name == name)
            .is_some_and(|check| {
                matches!(
                    check.conclusion.as_deref(),
                    Some("success" | "neutral" | "skipped")
                )
            });

        let statuses = self.latest_statuses(sha);
        check
            || statuses
                .get(name)
                .is_some_and(|status| status.state == "success")
    }
}

/// Applies the fields of a request to a check run.
fn apply(check: &mut CheckRun, body: &Value) -> Result<(), Refusal> {
    let annotations = body["output"]["annotations"].as_array();
    if annotations.is_some_and(|new| new.len() > 50) {
        return Err(Refusal::new(
            422,
            "No more than 50 annotations in one call.",
        ));
    }
    check
        .annotations
        .extend(annotations.into_iter().flatten().cloned());
    if let Some(name) = body["name"].as_str() {
        name.clone_into(&mut check.name);
    }
    if let Some(status) = body["status"].as_str() {
        status.clone_into(&mut check.status);
    }
    if let Some(conclusion) = body["conclusion"].as_str() {
        check.conclusion = Some(conclusion.to_owned());
        // A conclusion completes the run, whatever the status says.
        "completed".clone_into(&mut check.status);
    }

    if body["output"].is_object() {
        check.output = body["output"].clone();
    }
    Ok(())
}
