//! Issues, and notes of merge requests.

use serde_json::{Value, json};

use super::api::{Call, not_found, refusal, user};
use super::state::{Issue, Note};
use crate::Response;

impl Call<'_> {
    pub(super) fn issues(&mut self, path: &[&str]) -> Response {
        let fields = ["title", "description", "state_event"];
        let method = self.request.method.as_str();
        let body = match method {
            "GET" => Value::Null,
            _ => match self.body(&fields) {
                Ok(body) => body,
                Err(refused) => return refused,
            },
        };
        let state = self.request.parameter("state").unwrap_or_default();
        let author = self.request.parameter("author_username");
        let Some(issues) = &mut self.project.issues else {
            return not_found();
        };
        let text = |field: &str| body[field].as_str().map(str::to_owned);
        match (method, path) {
            ("GET", []) => {
                let meant = issues.iter().filter(|it| {
                    it.open == (state == "opened")
                        && author.as_deref().is_none_or(|login| login == it.author)
                });
                let values: Vec<Value> = meant.map(issue).collect();
                self.page(&values)
            }
            ("POST", []) => {
                issues.push(Issue {
                    iid: issues.len() as u64 + 1,
                    author: self.login.clone(),
                    title: text("title").unwrap_or_default(),
                    description: text("description").unwrap_or_default(),
                    open: true,
                });
                Response::json(201, &issues.last().map_or(Value::Null, issue))
            }
            ("PUT", [iid]) => {
                let Some(found) = issues.iter_mut().find(|it| it.iid.to_string() == *iid) else {
                    return not_found();
                };
                found.title = text("title").unwrap_or(found.title.clone());
                found.description = text("description").unwrap_or(found.description.clone());
                match body["state_event"].as_str() {
                    Some("close") => found.open = false,
                    Some("reopen") => found.open = true,
                    _ => {}
                }
                Response::json(200, &issue(found))
            }
            _ => not_found(),
        }
    }

    pub(super) fn write_note(&mut self, at: usize, id: Option<u64>) -> Response {
        let body = match self.body(&["body"]) {
            Ok(body) => body,
            Err(refused) => return refused,
        };
        let text = body["body"].as_str().unwrap_or_default().to_owned();
        let (login, next_id) = (self.login.clone(), self.next_id);
        let request = &mut self.project.requests[at];
        let iid = request.iid;
        let (status, written) = match id {
            None => {
                request.notes.push(Note::new(next_id, &login, &text));
                (201, request.notes.len() - 1)
            }
            Some(id) => {
                let Some(index) = request.notes.iter().position(|note| note.id == id) else {
                    return not_found();
                };
                if request.notes[index].author != login {
                    return refusal(403, "403 Forbidden");
                }
                request.notes[index].edit(&text);
                (200, index)
            }
        };
        let value = note(&request.notes[written]);
        self.project.run_quick_actions(iid, &text);
        Response::json(status, &value)
    }
}

pub(super) fn note(note: &Note) -> Value {
    json!({
        "id": note.id, "author": user(&note.author), "body": note.body, "system": false,
        "resolvable": false, "created_at": note.created.to_string(),
        "updated_at": note.updated.to_string(),
    })
}

fn issue(issue: &Issue) -> Value {
    json!({
        "id": issue.iid + 5000, "iid": issue.iid, "title": issue.title,
        "description": issue.description, "author": user(&issue.author),
        "state": if issue.open { "opened" } else { "closed" },
        "web_url": format!("https://gitlab.invalid/-/issues/{}", issue.iid),
    })
}
