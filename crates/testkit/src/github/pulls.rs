//! Pull requests and reviews.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::call::{Call, time, user};
use super::reply::{Refusal, Reply};
use super::state::{Permission, PullRequest};

impl Call<'_> {
    pub(crate) fn list_pulls(&self) -> Result<Reply, Refusal> {
        let state = self
            .request
            .parameter("state")
            .unwrap_or_else(|| "open".to_owned());
        let head = self.request.parameter("head");
        let base = self.request.parameter("base");
        let owner = self.owner();

        let mut pulls: Vec<&PullRequest> = self
            .hosted
            .pulls
            .iter()
            .filter(|pull| match state.as_str() {
                "all" => true,
                "closed" => !pull.open,
                _ => pull.open,
            })
            .filter(|pull| base.as_ref().is_none_or(|base| *base == pull.base))
            .filter(|pull| {
                head.as_ref()
                    // GitHub ignores a head without an owner before it.
                    .filter(|head| head.contains(':'))
                    .is_none_or(|head| *head == format!("{owner}:{}", pull.head))
            })
            .collect();
        if self.request.parameter("direction").as_deref() != Some("asc") {
            pulls.reverse();
        }

        Reply::list(
            "/pulls",
            pulls
                .into_iter()
                .map(|pull| self.pull_value(pull))
                .collect(),
        )
    }

    pub(crate) fn create_pull(&mut self) -> Result<Reply, Refusal> {
        self.require(Permission::PullRequests)?;
        let body = self.request.json();
        let (title, base) = (self.text(&body, "title")?, self.text(&body, "base")?);
        let head = self.text(&body, "head")?;
        let head = head
            .split_once(':')
            .map_or(head.as_str(), |(_, branch)| branch);
        let invalid = |field, message: &str| Refusal::invalid("PullRequest", field, message);
        let git = &self.hosted.repository;
        let head_sha = git
            .tip(head)
            .ok_or_else(|| invalid("head", "head is invalid"))?;
        let base_sha = git
            .tip(&base)
            .ok_or_else(|| invalid("base", "base is invalid"))?;
        if self.commits_between(&base_sha, &head_sha).is_empty() {
            let message = format!("No commits between {base} and {head}");
            return Err(invalid("head", &message));
        }

        let taken = |pull: &&PullRequest| pull.open && pull.head == head && pull.base == base;
        if self.hosted.pulls.iter().any(|pull| taken(&pull)) {
            let message = format!("A pull request already exists for {}:{head}.", self.owner());
            return Err(invalid("head", &message));
        }

        let number = self.hosted.next_id();
        let pull = PullRequest {
            number,
            title,
            body: body["body"].as_str().unwrap_or_default().to_owned(),
            author: self.account.login.clone(),
            head: head.to_owned(),
            base,
            open: true,
            draft: body["draft"] == true,
            merge_commit: None,
            head_sha,
            base_sha,
            labels: BTreeSet::new(),
            assignees: BTreeSet::new(),
            reviewers: BTreeSet::new(),
            updated: 0,
        };
        let value = self.pull_value(&pull);

        self.hosted.pulls.push(pull);
        Reply::value("/pulls", 201, value)
    }

    pub(crate) fn pull(&self, number: &str) -> Result<Reply, Refusal> {
        let pull = self.find_pull(number)?;
        let mut value = self.pull_value(pull);
        let commits = self.pull_commits_of(pull);
        let files = self.pull_files_of(pull);
        let sum = |field: &str| {
            files
                .iter()
                .filter_map(|file| file[field].as_u64())
                .sum::<u64>()
        };
        let (mergeable, state) = self.mergeability(pull);

        value["commits"] = json!(commits.len());
        value["changed_files"] = json!(files.len());
        value["additions"] = json!(sum("additions"));
        value["deletions"] = json!(sum("deletions"));
        value["mergeable"] = json!(mergeable);
        value["mergeable_state"] = json!(state);

        Reply::value("/pulls/{pull_number}", 200, value)
    }

    pub(crate) fn update_pull(&mut self, number: &str) -> Result<Reply, Refusal> {
        self.require(Permission::PullRequests)?;
        let body = self.request.json();
        let at = self.pull_index(number)?;
        let head_is_gone = self
            .hosted
            .repository
            .tip(&self.hosted.pulls[at].head)
            .is_none();
        let pull = &mut self.hosted.pulls[at];
        if let Some(title) = body["title"].as_str() {
            title.clone_into(&mut pull.title);
        }
        if let Some(text) = body["body"].as_str() {
            text.clone_into(&mut pull.body);
        }
        if let Some(base) = body["base"].as_str() {
            base.clone_into(&mut pull.base);
        }
        match body["state"].as_str() {
            Some("closed") => pull.open = false,
            Some("open") if pull.merge_commit.is_some() || head_is_gone => {
                return Err(Refusal::invalid(
                    "PullRequest",
                    "state",
                    "state cannot be changed. The pull request cannot be reopened.",
                ));
            }
            Some("open") => pull.open = true,
            _ => {}
        }

        pull.updated += 1;
        let value = self.pull_value(&self.hosted.pulls[at]);

        Reply::value("/pulls/{pull_number}", 200, value)
    }

    pub(crate) fn pull_commits(&self, number: &str) -> Result<Reply, Refusal> {
        let pull = self.find_pull(number)?;
        let commits = self.pull_commits_of(pull);
        let values = commits.iter().map(|sha| self.commit_value(sha)).collect();
        Reply::list("/pulls/{pull_number}/commits", values)
    }

    pub(crate) fn pull_files(&self, number: &str) -> Result<Reply, Refusal> {
        let files = self.pull_files_of(self.find_pull(number)?);
        Reply::list("/pulls/{pull_number}/files", files)
    }

    pub(crate) fn reviews(&self, number: &str) -> Result<Reply, Refusal> {
        let number = self.find_pull(number)?.number;
        let reviews = self
            .hosted
            .reviews
            .iter()
            .filter(|review| review.number == number);
        let values = reviews
            .map(|review| {
                json!({
                    "id": review.id, "user": user(&review.author), "body": "",
                    "state": review.state, "commit_id": review.sha,
                    "submitted_at": time(review.id), "author_association": "MEMBER",
                })
            })
            .collect();

        Reply::list("/pulls/{pull_number}/reviews", values)
    }

    /// Asks accounts to review. GitHub asks nobody when one of them may not, or is the author.
    pub(crate) fn ask_to_review(&mut self, number: &str) -> Result<Reply, Refusal> {
        self.require(Permission::PullRequests)?;
        let wanted = super::issues::names(&self.request.json()["reviewers"]);
        let at = self.pull_index(number)?;
        let author = self.hosted.pulls[at].author.clone();
        let may = |login: &String| self.hosted.writers.contains(login) && *login != author;
        if !wanted.iter().all(may) {
            let message = "Reviews may only be requested from collaborators.";
            return Err(Refusal::new(422, message));
        }
        self.hosted.pulls[at].reviewers.extend(wanted);
        let value = self.pull_value(&self.hosted.pulls[at]);
        Reply::value("/pulls/{pull_number}/requested_reviewers", 201, value)
    }

    /// Merges, or refuses as GitHub does: 405 when it cannot be merged, 409 when the head is not the
    /// requested one.
    pub(crate) fn merge(&mut self, number: &str) -> Result<Reply, Refusal> {
        self.require(Permission::Contents)?;
        let body = self.request.json();
        let at = self.pull_index(number)?;
        let pull = self.hosted.pulls[at].clone();
        if body["sha"].as_str().is_some_and(|sha| sha != pull.head_sha) {
            let message = "Head branch was modified. Review and try the merge again.";
            return Err(Refusal::new(409, message));
        }

        let (mergeable, state) = self.mergeability(&pull);
        if mergeable != Some(true) || matches!(state, "blocked" | "draft") {
            let message = match state {
                "blocked" => "Required status checks have not succeeded",
                "draft" => "Pull Request is still a draft",
                _ => "Pull Request is not mergeable",
            };
            return Err(Refusal::new(405, message));
        }

        let commit = self.merge_commit(&pull, &body);
        let pull = &mut self.hosted.pulls[at];
        pull.merge_commit = Some(commit.clone());
        pull.open = false;
        pull.updated += 1;
        let value = json!({
            "sha": commit, "merged": true, "message": "Pull Request successfully merged",
        });

        Reply::value("/pulls/{pull_number}/merge", 200, value)
    }

    pub(crate) fn is_merged(&self, number: &str) -> Result<Reply, Refusal> {
        match self.find_pull(number)?.merge_commit {
            Some(_) => Reply::empty("/pulls/{pull_number}/merge"),
            None => Err(Refusal::not_found()),
        }
    }

    fn merge_commit(&self, pull: &PullRequest, body: &Value) -> String {
        let git = &self.hosted.repository;
        let base = git
            .tip(&pull.base)
            .expect("the base of an open pull request");
        let merged = git.git(&["merge-tree", "--write-tree", &base, &pull.head_sha]);
        let tree = merged.lines().next().unwrap_or_default();
        let title = body["commit_title"].as_str().map_or_else(
            || format!("{} (#{})", pull.title, pull.number),
            str::to_owned,
        );
        let message = format!(
            "{title}\n\n{}",
            body["commit_message"].as_str().unwrap_or_default()
        );

        let mut arguments = vec!["commit-tree", tree, "-p", &base];
        if matches!(body["merge_method"].as_str(), None | Some("merge")) {
            arguments.extend(["-p", &pull.head_sha]);
        }

        arguments.extend(["-m", &message]);
        let commit = git.git(&arguments);
        let reference = format!("refs/heads/{}", pull.base);
        git.git(&["update-ref", &reference, &commit, &base]);

        commit
    }

    /// The fields `mergeable` and `mergeable_state`.
    fn mergeability(&self, pull: &PullRequest) -> (Option<bool>, &'static str) {
        if !pull.open {
            return (Some(false), "unknown");
        }

        let git = &self.hosted.repository;
        let Some(base) = git.tip(&pull.base) else {
            return (Some(false), "unknown");
        };
        if git
            .try_git(&["merge-tree", "--write-tree", &base, &pull.head_sha], b"")
            .is_err()
        {
            return (Some(false), "dirty");
        }
        if pull.draft {
            return (Some(true), "draft");
        }

        let required = self.hosted.required.get(&pull.base);
        let missing = required
            .into_iter()
            .flatten()
            .any(|name| !self.has_succeeded(&pull.head_sha, name));

        (Some(true), if missing { "blocked" } else { "clean" })
    }

    fn pull_commits_of(&self, pull: &PullRequest) -> Vec<String> {
        self.commits_between(&pull.base_sha, &pull.head_sha)
    }

    fn pull_files_of(&self, pull: &PullRequest) -> Vec<Value> {
        let base = self
            .merge_base(&pull.base_sha, &pull.head_sha)
            .unwrap_or_else(|| pull.base_sha.clone());
        self.changed_files(&base, &pull.head_sha)
    }

    pub(crate) fn find_pull(&self, number: &str) -> Result<&PullRequest, Refusal> {
        self.pull_index(number).map(|at| &self.hosted.pulls[at])
    }

    pub(crate) fn pull_index(&self, number: &str) -> Result<usize, Refusal> {
        let number: u64 = number.parse().map_err(|_| Refusal::not_found())?;
        let mut pulls = self.hosted.pulls.iter();
        pulls
            .position(|pull| pull.number == number)
            .ok_or_else(Refusal::not_found)
    }

    fn owner(&self) -> &str {
        self.full_name.split('/').next().unwrap_or_default()
    }

    /// A pull request as listings give it.
    pub(crate) fn pull_value(&self, pull: &PullRequest) -> Value {
        let side = |branch: &str, sha: &str| {
            json!({
                "ref": branch, "sha": sha, "label": format!("{}:{branch}", self.owner()),
                "user": user(self.owner()), "repo": self.repository_value(),
            })
        };
        let labels: Vec<Value> = pull
            .labels
            .iter()
            .map(|name| super::issues::label(name))
            .collect();
        let ended = (!pull.open).then(|| time(pull.number + pull.updated));

        json!({
            "id": 1_000 + pull.number,
            "node_id": format!("PR_{}", pull.number),
            "number": pull.number,
            "url": self.url(&format!("/pulls/{}", pull.number)),
            "html_url": format!("{}/{}/pull/{}", self.server_url, self.full_name, pull.number),
            "state": if pull.open { "open" } else { "closed" },
            "locked": false,
            "title": pull.title,
            "body": pull.body,
            "user": user(&pull.author),
            "labels": labels,
            "assignees": pull.assignees.iter().map(|login| user(login)).collect::<Vec<_>>(),
            "requested_reviewers": pull.reviewers.iter().map(|login| user(login)).collect::<Vec<_>>(),
            "draft": pull.draft,
            "head": side(&pull.head, &pull.head_sha),
            "base": side(&pull.base, &pull.base_sha),
            "created_at": time(pull.number),
            "updated_at": time(pull.number + pull.updated),
            "closed_at": ended,
            "merged_at": pull.merge_commit.as_ref().and(ended.as_ref()),
            "merged": pull.merge_commit.is_some(),
            "merge_commit_sha": pull.merge_commit,
            "author_association": "CONTRIBUTOR",
            "auto_merge": null,
        })
    }
}
