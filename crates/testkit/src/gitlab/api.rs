//! The routes.

use std::sync::Mutex;

use serde_json::{Value, json};

use super::issues::note;
use super::state::{GitLabState, MergeRequest, Project, Status, time};
use crate::{Request, Response};

pub(super) struct Api {
    pub(super) state: Mutex<GitLabState>,
}

/// A request of a user about a project.
pub(super) struct Call<'a> {
    pub(super) request: &'a Request,
    pub(super) login: String,
    pub(super) project: &'a mut Project,
    pub(super) next_id: u64,
}

impl Api {
    pub(super) fn answer(&self, request: &Request) -> Response {
        let mut state = self.state.lock().unwrap();
        let fault = state
            .faults
            .iter()
            .position(|(method, part, ..)| {
                *method == request.method && request.path.contains(part.as_str())
            })
            .map(|at| state.faults.remove(at));
        match fault {
            Some((_, _, is_applied, answer)) => {
                if is_applied {
                    let _ = route(&mut state, request);
                }
                answer
            }
            None => route(&mut state, request),
        }
    }
}

pub(super) fn refusal(status: u16, message: &str) -> Response {
    Response::json(status, &json!({ "message": message }))
}

pub(super) fn not_found() -> Response {
    refusal(404, "404 Not Found")
}

fn route(state: &mut GitLabState, request: &Request) -> Response {
    let sent = request
        .header("authorization")
        .and_then(|value| value.strip_prefix("Bearer "))
        .or_else(|| request.header("private-token"));
    let known = state
        .users
        .iter()
        .find(|user| Some(user.token.as_str()) == sent);
    let Some(login) = known.map(|user| user.login.clone()) else {
        return refusal(401, "401 Unauthorized");
    };

    let next_id = state.id();
    let segments = request.segments();
    let words: Vec<&str> = segments.iter().map(String::as_str).collect();
    match words[..] {
        ["api", "v4", "user"] => {
            let mut value = user(&login);
            value["commit_email"] = json!(format!("{login}@people.invalid"));
            value["email"] = value["commit_email"].clone();
            Response::json(200, &value)
        }
        ["api", "v4", "projects", path, ref rest @ ..] => {
            let Some(project) = state.projects.get_mut(path) else {
                return refusal(404, "404 Project Not Found");
            };
            project.follow_branches();
            let mut call = Call {
                request,
                login,
                project,
                next_id,
            };
            call.route(rest)
        }
        _ => not_found(),
    }
}

pub(super) fn user(login: &str) -> Value {
    json!({ "id": login.len(), "username": login, "name": login, "state": "active" })
}

impl Call<'_> {
    fn route(&mut self, path: &[&str]) -> Response {
        match (self.request.method.as_str(), path) {
            ("GET", []) => self.project_value(),
            ("GET", ["repository", rest @ ..]) => self.repository(rest),
            ("GET", ["pipelines", rest @ ..]) => self.pipelines(rest),
            ("GET", ["members", "all"]) => {
                let members: Vec<Value> = self.project.members.iter().map(|it| user(it)).collect();
                self.page(&members)
            }
            ("GET", ["members", "all", id]) => self.member(id),
            ("POST", ["statuses", sha]) => self.report_status(sha),
            (_, ["issues", rest @ ..]) => self.issues(rest),
            ("GET", ["merge_requests"]) => self.list(),
            ("POST", ["merge_requests"]) => self.create(),
            (_, ["merge_requests", iid, rest @ ..]) => {
                let requests = &self.project.requests;
                match requests.iter().position(|it| it.iid.to_string() == *iid) {
                    Some(at) => self.merge_request(at, rest),
                    None => not_found(),
                }
            }
            _ => not_found(),
        }
    }

    fn project_value(&self) -> Response {
        Response::json(
            200,
            &json!({
                "id": self.project.id, "path_with_namespace": self.project.path,
                "default_branch": "main", "merge_method": self.project.merge_method,
                "squash_option": "default_off",
                "issues_access_level": if self.project.issues.is_some() { "enabled" } else { "disabled" },
            }),
        )
    }

    /// A page of a list, with GitLab's headers.
    pub(super) fn page(&self, values: &[Value]) -> Response {
        let number = |name: &str| self.request.parameter(name)?.parse::<usize>().ok();
        let size = number("per_page").unwrap_or(20).clamp(1, 100);
        let page = number("page").unwrap_or(1).max(1);
        let start = ((page - 1) * size).min(values.len());
        let end = (start + size).min(values.len());
        let response = Response::json(200, &json!(values[start..end]))
            .with_header("X-Total", values.len().to_string());
        if end < values.len() {
            response.with_header("Link", "<next>; rel=\"next\"")
        } else {
            response
        }
    }

    /// The fields of the body, of which no other ones may be sent.
    pub(super) fn body(&self, allowed: &[&str]) -> Result<Value, Response> {
        let body = self.request.json();
        match body.as_object() {
            Some(fields) if fields.keys().all(|name| allowed.contains(&name.as_str())) => Ok(body),
            _ => Err(refusal(400, &format!("unknown fields: {body}"))),
        }
    }

    fn repository(&self, path: &[&str]) -> Response {
        let parameter = |name: &str| self.request.parameter(name).unwrap_or_default();
        match path {
            ["branches", branch] => match self.project.repository.tip(branch) {
                Some(tip) => {
                    let commit = self.project.commit_value(&tip);
                    let protected = self.project.protected.iter().any(|name| name == branch);
                    Response::json(
                        200,
                        &json!({
                            "name": branch, "commit": commit, "protected": protected,
                            "developers_can_push": !protected, "can_push": !protected,
                        }),
                    )
                }
                None => refusal(404, "404 Branch Not Found"),
            },
            ["files", file, "raw"] => {
                let commit = self.project.commit_id(&parameter("ref"));
                let content = commit.and_then(|commit| self.project.repository.file(&commit, file));
                content.map_or_else(not_found, |bytes| {
                    Response::bytes(200, "application/octet-stream", bytes)
                })
            }
            ["tree"] => self.tree(&parameter("ref")),
            ["commits", sha] => match self.project.commit_id(sha) {
                Some(id) => Response::json(200, &self.project.commit_value(&id)),
                None => refusal(404, "404 Commit Not Found"),
            },
            ["commits", _, "signature"] => refusal(404, "404 Signature Not Found"),
            ["commits", sha, "statuses"] => self.statuses(sha),
            ["compare"] => self
                .project
                .comparison(&parameter("from"), &parameter("to"))
                .map_or_else(not_found, |value| Response::json(200, &value)),
            _ => not_found(),
        }
    }

    /// The entries of the root of a commit.
    fn tree(&self, revision: &str) -> Response {
        let Some(commit) = self.project.commit_id(revision) else {
            return refusal(404, "404 Tree Not Found");
        };
        let listed = self.project.repository.git(&["ls-tree", &commit]);
        let entry = |line: &str| {
            let (head, name) = line.split_once('\t')?;
            let fields: Vec<&str> = head.split(' ').collect();
            Some(json!({
                "id": fields[2], "name": name, "type": fields[1], "path": name, "mode": fields[0],
            }))
        };
        let values: Vec<Value> = listed.lines().filter_map(entry).collect();
        self.page(&values)
    }

    /// A member of the project. The id of a user is the length of the login.
    fn member(&self, id: &str) -> Response {
        let approvers = self.project.approvals.iter().map(|(_, login, _)| login);
        let mut logins = approvers.chain(&self.project.members);
        let Some(login) = logins.find(|login| login.len().to_string() == id) else {
            return not_found();
        };
        let is_guest = self.project.guests.contains(login);
        let mut value = user(login);
        value["access_level"] = json!(if is_guest { 10 } else { 30 });
        Response::json(200, &value)
    }

    /// External statuses, and the jobs of pipelines, as GitLab lists both.
    fn statuses(&self, sha: &str) -> Response {
        let mut values: Vec<Value> = self
            .project
            .statuses
            .iter()
            .filter(|status| status.sha == sha)
            .map(|status| {
                json!({
                    "id": status.id, "sha": sha, "name": status.name, "status": status.status,
                    "author": user(&status.author), "allow_failure": false,
                })
            })
            .collect();
        for pipeline in self.project.pipelines.iter().filter(|it| it.sha == sha) {
            values.extend(pipeline.jobs.iter().map(|job| {
                json!({
                    "id": job.id, "sha": sha, "name": job.name, "status": job.status,
                    "author": user("ci"), "allow_failure": job.allow_failure,
                })
            }));
        }
        self.page(&values)
    }

    fn report_status(&mut self, sha: &str) -> Response {
        let body = match self.body(&["state", "name", "description", "target_url"]) {
            Ok(body) => body,
            Err(refused) => return refused,
        };
        let text = |field: &str| body[field].as_str().unwrap_or_default().to_owned();
        let (name, state) = (text("name"), text("state"));
        let is_same = self
            .project
            .statuses
            .iter()
            .rev()
            .find(|it| it.name == name);
        if is_same.is_some_and(|it| it.sha == sha && it.status == state && state == "pending") {
            let message = "Cannot transition status via :enqueue from :pending";
            return refusal(400, message);
        }

        self.project.statuses.push(Status {
            id: self.next_id,
            sha: sha.to_owned(),
            name: name.clone(),
            status: state.clone(),
            author: self.login.clone(),
        });
        let value = json!({ "id": self.next_id, "sha": sha, "name": name, "status": state });
        Response::json(201, &value)
    }

    fn pipelines(&self, path: &[&str]) -> Response {
        let pipelines = &self.project.pipelines;
        match path {
            [] => {
                let sha = self.request.parameter("sha");
                let values: Vec<Value> = pipelines
                    .iter()
                    .filter(|it| sha.as_ref().is_none_or(|sha| it.sha == *sha))
                    .map(|it| json!({ "id": it.id, "sha": it.sha, "source": it.source }))
                    .collect();
                self.page(&values)
            }
            [id, list] => {
                let Some(pipeline) = pipelines.iter().find(|it| it.id.to_string() == *id) else {
                    return not_found();
                };
                let values: Vec<Value> = match *list {
                    "jobs" => pipeline
                        .jobs
                        .iter()
                        .map(|job| {
                            json!({
                                "id": job.id, "name": job.name, "status": job.status,
                                "allow_failure": job.allow_failure,
                            })
                        })
                        .collect(),
                    "variables" => pipeline
                        .variables
                        .iter()
                        .map(|key| json!({ "key": key, "value": "x" }))
                        .collect(),
                    _ => Vec::new(),
                };
                self.page(&values)
            }
            _ => not_found(),
        }
    }

    fn list(&self) -> Response {
        let wanted = |name: &str, value: &str| {
            self.request
                .parameter(name)
                .is_none_or(|wanted| wanted == value || wanted == "all")
        };
        let values: Vec<Value> = self
            .project
            .requests
            .iter()
            .rev()
            .filter(|it| wanted("state", &it.state))
            .filter(|it| wanted("target_branch", &it.target))
            .filter(|it| wanted("source_branch", &it.source))
            .map(|it| self.value(it))
            .collect();
        self.page(&values)
    }

    fn create(&mut self) -> Response {
        let allowed = ["title", "description", "source_branch", "target_branch"];
        let body = match self.body(&allowed) {
            Ok(body) => body,
            Err(refused) => return refused,
        };
        let text = |field: &str| body[field].as_str().unwrap_or_default().to_owned();
        let (source, target) = (text("source_branch"), text("target_branch"));
        let mut requests = self.project.requests.iter();
        if let Some(open) =
            requests.find(|it| it.state == "opened" && it.source == source && it.target == target)
        {
            let text = format!(
                "Another open merge request already exists for this source branch: !{}",
                open.iid
            );
            return Response::json(409, &json!({ "message": [text] }));
        }
        if self.project.repository.tip(&source).is_none() {
            let message = json!({ "message": { "source_branch": ["does not exist"] } });
            return Response::json(400, &message);
        }

        let (title, description) = (text("title"), text("description"));
        let login = self.login.clone();
        let project = &mut *self.project;
        let created = project.open(&login, &title, &description, &source, &target);
        let created = created.clone();
        Response::json(201, &self.value(&created))
    }

    fn merge_request(&mut self, at: usize, path: &[&str]) -> Response {
        let iid = self.project.requests[at].iid;
        match (self.request.method.as_str(), path) {
            ("GET", []) => Response::json(200, &self.value(&self.project.requests[at])),
            ("PUT", []) => self.update(at),
            ("PUT", ["merge"]) => self.merge(at),
            ("GET", ["notes"]) => {
                let notes = &self.project.requests[at].notes;
                let values: Vec<Value> = notes.iter().map(note).collect();
                self.page(&values)
            }
            ("POST", ["notes"]) => self.write_note(at, None),
            ("PUT", ["notes", id]) => self.write_note(at, id.parse().ok()),
            ("DELETE", ["notes", id]) => {
                let notes = &mut self.project.requests[at].notes;
                let login = &self.login;
                let own = notes
                    .iter()
                    .position(|note| note.id.to_string() == *id && note.author == *login);
                match own {
                    Some(own) => {
                        notes.remove(own);
                        Response::status(204)
                    }
                    None => not_found(),
                }
            }
            ("GET", ["reviewers"]) => {
                let objections = self.project.objections.iter();
                let values: Vec<Value> = objections
                    .filter(|(of, _)| *of == iid)
                    .map(|(_, login)| json!({ "user": user(login), "state": "requested_changes" }))
                    .collect();
                self.page(&values)
            }
            ("GET", ["approvals"]) => {
                let approvals = self.project.approvals.iter().filter(|(of, ..)| *of == iid);
                let values: Vec<Value> = approvals
                    .map(|(_, login, at)| json!({ "user": user(login), "approved_at": time(*at) }))
                    .collect();
                Response::json(200, &json!({ "approved_by": values }))
            }
            ("GET", ["versions"]) => {
                let versions = self.project.versions.iter().filter(|(of, ..)| *of == iid);
                let values: Vec<Value> = versions
                    .rev()
                    .map(|(_, sha, at)| {
                        json!({ "id": at, "head_commit_sha": sha, "created_at": time(*at) })
                    })
                    .collect();
                self.page(&values)
            }
            ("GET", ["discussions"]) => {
                let threads = self.project.threads.iter().filter(|(of, _)| *of == iid);
                let values: Vec<Value> = threads
                    .map(|(_, login)| {
                        json!({ "id": "d", "notes": [{
                            "id": 1, "author": user(login), "body": "why?", "system": false,
                            "resolvable": true, "resolved": false,
                        }] })
                    })
                    .collect();
                self.page(&values)
            }
            _ => not_found(),
        }
    }

    fn value(&self, request: &MergeRequest) -> Value {
        let conflicts =
            request.state == "opened" && self.project.has_conflicts(&request.sha, &request.target);
        let has_threads = self
            .project
            .threads
            .iter()
            .any(|(of, _)| *of == request.iid);
        let status = match (request.state.as_str(), conflicts) {
            ("opened", true) => "conflict",
            ("opened", false) => "mergeable",
            _ => "not_open",
        };
        json!({
            "id": request.iid + 1000, "iid": request.iid, "project_id": self.project.id,
            "title": request.title, "description": request.description, "state": request.state,
            "web_url": format!("https://gitlab.invalid/-/merge_requests/{}", request.iid),
            "author": user(&request.author), "draft": false,
            "created_at": "2026-01-02T03:04:05.678Z", "labels": request.labels,
            "assignees": request.assignees.iter().map(|it| user(it)).collect::<Vec<_>>(),
            "reviewers": request.reviewers.iter().map(|it| user(it)).collect::<Vec<_>>(),
            "source_branch": request.source, "target_branch": request.target,
            "source_project_id": self.project.id, "target_project_id": self.project.id,
            "sha": request.sha, "has_conflicts": conflicts, "detailed_merge_status": status,
            "blocking_discussions_resolved": !has_threads,
            "merge_commit_sha": request.merge_commit,
        })
    }

    fn update(&mut self, at: usize) -> Response {
        let body = match self.body(&[
            "title",
            "description",
            "state_event",
            "add_labels",
            "remove_labels",
            "assignee_ids",
            "reviewer_ids",
        ]) {
            Ok(body) => body,
            Err(refused) => return refused,
        };
        let request = &mut self.project.requests[at];
        if let Some(title) = body["title"].as_str() {
            title.clone_into(&mut request.title);
        }
        if let Some(text) = body["description"].as_str() {
            text.clone_into(&mut request.description);
        }
        for label in body["add_labels"].as_str().unwrap_or_default().split(',') {
            if !label.is_empty() && !request.labels.iter().any(|known| known == label) {
                request.labels.push(label.to_owned());
            }
        }
        for label in body["remove_labels"]
            .as_str()
            .unwrap_or_default()
            .split(',')
        {
            request.labels.retain(|known| known != label);
        }
        for (key, list) in [
            ("assignee_ids", &mut request.assignees),
            ("reviewer_ids", &mut request.reviewers),
        ] {
            if let Some(ids) = body[key].as_array() {
                let members = self.project.members.iter();
                let is_meant = |login: &&String| ids.contains(&json!(login.len()));
                *list = members.filter(is_meant).cloned().collect();
            }
        }
        if body["state_event"] == "close" {
            request.state = "closed".to_owned();
        }

        let iid = request.iid;
        if let Some(text) = body["description"].as_str() {
            self.project.run_quick_actions(iid, text);
        }
        Response::json(200, &self.value(&self.project.requests[at]))
    }

    fn merge(&mut self, at: usize) -> Response {
        let body = match self.body(&[
            "sha",
            "squash",
            "should_remove_source_branch",
            "merge_commit_message",
            "squash_commit_message",
        ]) {
            Ok(body) => body,
            Err(refused) => return refused,
        };
        let request = self.project.requests[at].clone();
        if request.state != "opened" {
            return refusal(405, "405 Method Not Allowed");
        }
        if body["sha"].as_str().is_some_and(|sha| sha != request.sha) {
            return refusal(409, "SHA does not match HEAD of source branch");
        }
        if self.project.has_conflicts(&request.sha, &request.target) {
            return refusal(422, "Branch cannot be merged");
        }

        let is_squash = body["squash"] == true;
        let text = if is_squash {
            &body["squash_commit_message"]
        } else {
            &body["merge_commit_message"]
        };
        let text = text.as_str().unwrap_or(&request.title);
        let commit = self
            .project
            .merge_commit(&request.sha, &request.target, text, is_squash);
        if body["should_remove_source_branch"] == true {
            let reference = format!("refs/heads/{}", request.source);
            self.project
                .repository
                .git(&["update-ref", "-d", &reference]);
        }
        let merged = &mut self.project.requests[at];
        merged.state = "merged".to_owned();
        merged.merge_commit = Some(commit);
        Response::json(200, &self.value(&self.project.requests[at]))
    }
}
