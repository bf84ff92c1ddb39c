//! The way from a request to an answer: account, route, and rendering.

use std::sync::Mutex;

use serde_json::{Value, json};

use super::call::{Call, user};
use super::contract::Contract;
use super::reply::{Body, Refusal, Reply};
use super::state::{Account, FaultInjector, GitHubState, Permission};
use crate::{Request, Response};

/// Largest page that GitHub allows, and the page of a request that does not say.
const MAX_PAGE: usize = 100;
const DEFAULT_PAGE: usize = 30;

/// The API over the git repositories.
pub(crate) struct Api {
    pub(crate) contract: &'static Contract,
    pub(crate) state: Mutex<GitHubState>,
    pub(crate) faults: Mutex<Vec<FaultInjector>>,
}

impl Api {
    pub(crate) fn answer(&self, request: &Request) -> Response {
        // The action runs without any lock: it may change the state.
        match self.triggered(request) {
            Some((action, false)) => action().unwrap_or_else(|| self.serve(request)),
            Some((action, true)) => {
                let answer = self.serve(request);
                action().unwrap_or(answer)
            }
            None => self.serve(request),
        }
    }

    fn serve(&self, request: &Request) -> Response {
        let mut state = self.state.lock().unwrap();
        match route(&mut state, request) {
            Ok(reply) => self.render(request, &state.public_url, reply),
            Err(refusal) => Response::json(refusal.status, &refusal.body),
        }
    }

    /// The action for a request, and whether it runs after the request took effect.
    fn triggered(&self, request: &Request) -> Option<(super::state::Intercept, bool)> {
        let path = request.segments().join("/");
        let mut faults = self.faults.lock().unwrap();
        for fault in faults.iter_mut() {
            if fault.action.is_some()
                && fault.method == request.method
                && path.contains(&fault.path_part)
            {
                if fault.skip > 0 {
                    fault.skip -= 1;
                } else {
                    let is_after = fault.is_after;
                    return fault.action.take().map(|action| (action, is_after));
                }
            }
        }

        None
    }

    fn render(&self, request: &Request, public_url: &str, reply: Reply) -> Response {
        let number = |name: &str| request.parameter(name).and_then(|text| text.parse().ok());
        let size = number("per_page")
            .unwrap_or(DEFAULT_PAGE)
            .clamp(1, MAX_PAGE);
        let page = number("page").unwrap_or(1).max(1);
        let cut = |values: Vec<Value>| -> (Vec<Value>, usize) {
            let total = values.len();
            let values = values
                .into_iter()
                .skip((page - 1) * size)
                .take(size)
                .collect();
            (values, total)
        };
        let (mut body, total) = match reply.body {
            Body::Empty => return Response::status(reply.status),
            Body::Raw(bytes) => {
                // GitHub's own type ends with `+json`, whereupon the contract proxy would read a
                // JSON file and write it again in its own way.
                return Response::bytes(200, "application/vnd.github.raw", bytes);
            }
            Body::Value(value) => (value, None),
            Body::List(values) => {
                let (values, total) = cut(values);
                (Value::Array(values), Some(total))
            }
            Body::Wrapped(key, values, mut fields) => {
                let (values, total) = cut(values);
                fields[key] = Value::Array(values);
                fields["total_count"] = json!(total);
                (fields, Some(total))
            }
        };

        let path = match reply.path.strip_prefix('!') {
            Some(path) => path.to_owned(),
            None => format!("/repos/{{owner}}/{{repo}}{}", reply.path),
        };
        let method = request.method.to_ascii_lowercase();
        self.contract
            .complete(&method, &path, reply.status, &mut body);
        let response = Response::json(reply.status, &body);

        match total {
            Some(total) if page * size < total => {
                let next = next_page(request, public_url, page + 1);
                response.with_header("Link", format!("<{next}>; rel=\"next\""))
            }
            _ => response,
        }
    }
}

fn next_page(request: &Request, public_url: &str, page: usize) -> String {
    let mut query: Vec<String> = request
        .query
        .split('&')
        .filter(|pair| !pair.is_empty() && !pair.starts_with("page="))
        .map(str::to_owned)
        .collect();
    query.push(format!("page={page}"));
    format!("{public_url}{}?{}", request.path, query.join("&"))
}

fn account(state: &GitHubState, request: &Request) -> Result<Account, Refusal> {
    let header = request.header("authorization").unwrap_or_default();
    let secret = header
        .strip_prefix("Bearer ")
        .or_else(|| header.strip_prefix("token "));

    state
        .accounts
        .iter()
        .find(|account| Some(account.token.as_str()) == secret)
        .cloned()
        .ok_or_else(|| Refusal::new(401, "Bad credentials"))
}

fn route(state: &mut GitHubState, request: &Request) -> Result<Reply, Refusal> {
    let account = account(state, request)?;
    let segments = request.segments();
    let words: Vec<&str> = segments.iter().map(String::as_str).collect();

    match words[..] {
        ["user"] if account.app.is_none() => Reply::value("!/user", 200, user(&account.login)),
        ["user"] => Err(Refusal::not_permitted()),
        ["rate_limit"] => {
            let limit = json!({"limit": 5000, "used": 1, "remaining": 4999, "reset": 1});
            let value = json!({"resources": {"core": limit, "search": limit}, "rate": limit});
            Reply::value("!/rate_limit", 200, value)
        }
        ["repos", owner, name, ref rest @ ..] => {
            let full_name = format!("{owner}/{name}");
            let (public_url, server_url) = (state.public_url.clone(), state.server_url.clone());
            let hosted = state
                .hosted
                .get_mut(&full_name)
                .ok_or_else(Refusal::not_found)?;
            hosted.follow_branches();
            let mut call = Call {
                request,
                account: &account,
                full_name: &full_name,
                hosted,
                public_url: &public_url,
                server_url: &server_url,
            };

            match request.method.as_str() {
                "GET" => read(&call, rest),
                _ => write(&mut call, rest),
            }
        }
        _ => Err(Refusal::not_found()),
    }
}

fn read(call: &Call<'_>, words: &[&str]) -> Result<Reply, Refusal> {
    match words {
        [] => Reply::value("", 200, call.repository_value()),
        ["actions", "runs"] => call.workflow_runs(),
        ["actions", "runs", run, "jobs"] => call.jobs(run),
        ["branches"] => call.branches(),
        ["branches", name @ .., "protection"] => call.protection(&name.join("/")),
        ["branches", name @ ..] => call.branch(&name.join("/")),
        ["rules", "branches", name @ ..] => call.rules(&name.join("/")),
        ["collaborators", login, "permission"] => permission(call, login),
        ["commits"] => call.list_commits(),
        ["commits", name @ .., "check-runs"] => call.list_checks(&name.join("/")),
        ["commits", name @ .., "check-suites"] => call.list_suites(&name.join("/")),
        ["commits", name @ .., "status"] => call.combined_status(&name.join("/")),
        ["commits", name @ .., "statuses"] => call.list_statuses(&name.join("/")),
        ["commits", name @ ..] => call.commit(&name.join("/")),
        ["compare", name @ ..] => call.compare(&name.join("/")),
        ["contents", path @ ..] => call.contents(&path.join("/")),
        ["git", "blobs", sha] => call.blob(sha),
        ["git", "commits", sha] => call.git_commit(sha),
        ["git", "trees", name @ ..] => call.tree(&name.join("/")),
        ["git", "ref", name @ ..] => call.reference(&name.join("/")),
        ["git", "matching-refs", name @ ..] => call.matching_references(&name.join("/")),
        ["check-runs", id] => call.check(id),
        ["issues"] => call.list_issues(),
        ["issues", "comments", id] => call.comment(id),
        ["issues", number] => call.issue(number),
        ["issues", number, "comments"] => call.list_comments(number),
        ["issues", number, "labels"] => call.list_issue_labels(number),
        ["labels"] => call.list_labels(),
        ["labels", name] => call.label(name),
        ["pulls"] => call.list_pulls(),
        ["pulls", number] => call.pull(number),
        ["pulls", number, "commits"] => call.pull_commits(number),
        ["pulls", number, "files"] => call.pull_files(number),
        ["pulls", number, "reviews"] => call.reviews(number),
        ["pulls", number, "merge"] => call.is_merged(number),
        _ => Err(Refusal::not_found()),
    }
}

fn write(call: &mut Call<'_>, words: &[&str]) -> Result<Reply, Refusal> {
    match (call.request.method.as_str(), words) {
        ("POST", ["git", "refs"]) => call.create_reference(),
        ("PATCH", ["git", "refs", name @ ..]) => call.update_reference(&name.join("/")),
        ("DELETE", ["git", "refs", name @ ..]) => call.delete_reference(&name.join("/")),
        ("POST", ["pulls"]) => call.create_pull(),
        ("PATCH", ["pulls", number]) => call.update_pull(number),
        ("PUT", ["pulls", number, "merge"]) => call.merge(number),
        ("POST", ["issues"]) => call.create_issue(),
        ("PATCH", ["issues", number]) => call.update_issue(number),
        ("POST", ["issues", number, "comments"]) => call.create_comment(number),
        ("PATCH", ["issues", "comments", id]) => call.update_comment(id),
        ("DELETE", ["issues", "comments", id]) => call.delete_comment(id),
        ("DELETE", ["issues", number, "labels", name]) => call.remove_issue_label(number, name),
        ("POST", ["issues", number, "assignees"]) => call.assign(number),
        ("POST", ["pulls", number, "requested_reviewers"]) => call.ask_to_review(number),
        ("POST", ["issues", number, "labels"]) => call.add_issue_labels(number),
        ("POST", ["labels"]) => call.create_label(),
        ("POST", ["check-runs"]) => call.create_check(),
        ("PATCH", ["check-runs", id]) => call.update_check(id),
        ("POST", ["statuses", sha]) => call.create_status(sha),
        _ => Err(Refusal::not_found()),
    }
}

/// The permission of an account: `write` if it may push, else `read`.
fn permission(call: &Call<'_>, login: &str) -> Result<Reply, Refusal> {
    let writes = call.hosted.writers.contains(login)
        || call.account.login == login && call.account.may_write.contains(&Permission::Contents);
    let role = if writes { "write" } else { "read" };
    let value = json!({"permission": role, "role_name": role, "user": user(login)});
    Reply::value("/collaborators/{username}/permission", 200, value)
}
