//! The evidence of the gate about a merge request. Each piece is complete or missing.

use std::collections::BTreeMap;
use std::time::Duration;

use patchgate_model::{
    Account, BranchEnd, ChangedFile, CommitEvidence, Evidence, Fetched, FileStatus, Missing,
    OwnJob, PullRequest, PullRequestState, Safeguards,
};

use super::{GitLab, READ, wire};
use crate::evidence::{
    changed_paths, computed_tree, contents, fetched, merge_base_of, mode_change, nothing,
};
use crate::forge::{Forge as _, Wanted};
use crate::requests::TokenIdentity;
use crate::rest::{Call, encode};
use crate::tree::{Directory, Entry};
use crate::{ForgeError, ProjectPath};

/// Number of changed files from which GitLab may have cut a comparison.
const MAX_FILES: usize = 1_000;

/// Limit on the entries of a directory.
const MAX_TREE_ENTRIES: usize = 10_000;

/// Limit on the commits of a merge request.
const MAX_COMMITS: usize = 500;

/// Number of times that a merge request is read until GitLab knows whether it can be merged.
const READS: u32 = 10;

/// Wait before each of them.
const WAIT: Duration = Duration::from_millis(500);

impl GitLab {
    pub(super) async fn gather(
        &self,
        number: u64,
        is_wanted: Wanted<'_>,
        own_job: Option<OwnJob>,
    ) -> Evidence {
        let request = fetched(self.settled_request(number).await);
        let (mut evidence, pull) = match request {
            Ok(request) => {
                let evidence = self.about(&request, is_wanted, own_job.as_ref()).await;
                (evidence, Ok(pull_request(request, &self.project)))
            }
            Err(missing) => (nothing(), Err(missing)),
        };
        let now = self.read_request(number).await;
        evidence.head_at_end = fetched(now.map(|now| now.sha.unwrap_or_default()));
        evidence.pull_request = pull.map(|mut pull| {
            // GitLab's counts are texts such as `1000+`, and the lists are read at fixed commits.
            pull.commit_count = count(&evidence.commits);
            pull.changed_file_count = count(&evidence.files);
            pull
        });
        evidence.own_job = own_job;

        evidence
    }

    /// The merge request, once GitLab knows whether it can be merged.
    async fn settled_request(&self, number: u64) -> Result<wire::MergeRequest, ForgeError> {
        let mut request = self.read_request(number).await?;
        for _ in 0..READS {
            let status = request.detailed_merge_status.as_deref();
            if request.state != "opened"
                || !matches!(status, Some("unchecked" | "checking" | "preparing"))
            {
                break;
            }
            tokio::time::sleep(WAIT).await;
            request = self.read_request(number).await?;
        }

        Ok(request)
    }

    async fn about(
        &self,
        request: &wire::MergeRequest,
        is_wanted: Wanted<'_>,
        own_job: Option<&OwnJob>,
    ) -> Evidence {
        let Some(head) = &request.sha else {
            return nothing();
        };
        let (branch, reviews, jobs) = tokio::join!(
            self.read_branch(&request.target_branch),
            self.changes_requested(request),
            self.jobs(head, own_job),
        );
        let branch = fetched(branch);
        let base_tip = match &branch {
            Ok(branch) => Ok(branch.commit.id.clone()),
            Err(missing) => Err(missing.clone()),
        };
        let check_runs = fetched(jobs);
        let statuses = match &check_runs {
            Ok(checks) => fetched(self.statuses(head, checks, own_job).await),
            Err(missing) => Err(missing.clone()),
        };

        // One comparison at two commits gives the commits and the files.
        let comparison = match &base_tip {
            Ok(tip) => fetched(self.compare(tip, head).await),
            Err(missing) => Err(missing.clone()),
        };
        let (commits, files) = match comparison {
            Ok(comparison) => {
                let files = files(comparison.diffs);
                (self.commits(comparison.commits, head).await, files)
            }
            Err(missing) => (Err(missing.clone()), Err(missing)),
        };
        let merge_base = match &commits {
            Ok(commits) => merge_base_of(commits, head),
            Err(missing) => Err(missing.clone()),
        };
        let base_changes = match (&base_tip, &merge_base) {
            (Ok(tip), Ok(base)) if tip == base => Ok(Vec::new()),
            (Ok(tip), Ok(base)) => self.paths_between(base, tip).await,
            (Err(missing), _) | (_, Err(missing)) => Err(missing.clone()),
        };
        let safeguards = Safeguards {
            base_is_protected: branch.as_ref().map_err(Clone::clone).and_then(is_protected),
            base_changes,
            head_tree: computed_tree(self.root(head).await),
            approvals: fetched(self.approvals(request.iid, head).await),
            jobs: Err(Missing::new(
                "GitLab does not state which configuration a job is from",
            )),
            ..Safeguards::default()
        };
        let contents = match &files {
            Ok(files) => contents(self, files, &merge_base, head, is_wanted).await,
            Err(_) => BTreeMap::new(),
        };

        Evidence {
            base_tip,
            merge_base,
            commits,
            files,
            contents,
            check_runs,
            statuses,
            // GitLab itself refuses a merge without the pipelines and status checks that it requires.
            branch_checks: Ok(Vec::new()),
            changes_requested: fetched(reviews),
            safeguards,
            ..nothing()
        }
    }

    /// The entries of the root of a commit.
    async fn root(&self, commit: &str) -> Result<Directory, ForgeError> {
        let path = self.path(&format!("/repository/tree?ref={}", encode(commit)));
        let entries: Vec<wire::TreeEntry> = self.rest.list(&path, READ, MAX_TREE_ENTRIES).await?;
        let entry = |entry: wire::TreeEntry| {
            let (mode, id) = (entry.mode, entry.id);
            (entry.name, Entry { mode, id })
        };
        Ok(entries.into_iter().map(entry).collect())
    }

    async fn paths_between(&self, base: &str, tip: &str) -> Fetched<Vec<String>> {
        let comparison = fetched(self.compare(base, tip).await)?;
        let files = files(comparison.diffs)?;
        Ok(files.iter().flat_map(changed_paths).collect())
    }

    async fn compare(&self, base: &str, head: &str) -> Result<wire::Comparison, ForgeError> {
        let path = self.path(&format!(
            "/repository/compare?from={}&to={}&straight=false",
            encode(base),
            encode(head)
        ));
        let call = Call::get(path, READ);
        let comparison: wire::Comparison = self.rest.json(&call, None).await?;
        if comparison.compare_timeout {
            return Err(call.cut("cut: the comparison took too long"));
        }
        if comparison.diffs.len() >= MAX_FILES {
            return Err(call.cut(format!("cut at {MAX_FILES} files, GitLab's own limit")));
        }
        if comparison.commits.len() > MAX_COMMITS {
            return Err(call.cut(format!("longer than {MAX_COMMITS} commits")));
        }

        Ok(comparison)
    }

    /// The commits with their proofs, oldest first.
    async fn commits(
        &self,
        commits: Vec<wire::Commit>,
        head: &str,
    ) -> Fetched<Vec<CommitEvidence>> {
        let identity = fetched(self.identity().await)?;
        let mut proved = Vec::new();
        for commit in in_line(commits, head) {
            let signature = fetched(self.signature(&commit.id).await)?;
            let host = self.rest.host();
            let account = |email: Option<&String>| {
                email.and_then(|email| account_of(email, identity.as_ref(), &host))
            };
            proved.push(CommitEvidence {
                author: account(commit.author_email.as_ref()),
                committer: account(commit.committer_email.as_ref()),
                verified: signature == "verified",
                verification: signature,
                sha: commit.id,
                parents: commit.parent_ids,
            });
        }

        Ok(proved)
    }

    /// GitLab's word for the signature of a commit: `verified`, `unverified`, …, or `unsigned`.
    async fn signature(&self, commit: &str) -> Result<String, ForgeError> {
        let path = self.path(&format!("/repository/commits/{}/signature", encode(commit)));
        match self
            .rest
            .json::<wire::Signature>(&Call::get(path, READ), None)
            .await
        {
            Ok(signature) => Ok(signature.verification_status),
            Err(ForgeError::NotFound { .. }) => Ok("unsigned".to_owned()),
            Err(error) => Err(error),
        }
    }
}

/// The account behind the e-mail of a commit. GitLab's commits name no accounts, and an e-mail belongs
/// to one for certain only when it is the token's own, or a private one of the form
/// `ID-LOGIN@users.noreply.HOST`
/// (<https://docs.gitlab.com/user/profile/#use-an-automatically-generated-private-commit-email>). As
/// on GitHub, this is what the commit claims, and no proof.
fn account_of(email: &str, identity: Option<&TokenIdentity>, host: &str) -> Option<Account> {
    let account = |login: &str, id: Option<u64>| Account {
        login: login.to_owned(),
        id,
        kind: "User".to_owned(),
    };
    if let Some(own) = identity.filter(|own| own.email.eq_ignore_ascii_case(email)) {
        return Some(account(&own.login, own.id));
    }

    let (local, domain) = email.split_once('@')?;
    let (id, login) = local.split_once('-')?;
    let is_private = domain.eq_ignore_ascii_case(&format!("users.noreply.{host}"))
        && id.bytes().all(|byte| byte.is_ascii_digit())
        && !login.is_empty();
    let id: u64 = id.parse().ok().filter(|_| is_private)?;
    Some(account(login, Some(id)))
}

/// The commits from the oldest to the head. Those that are not on one line keep their order, and the
/// gate sees that.
fn in_line(mut commits: Vec<wire::Commit>, head: &str) -> Vec<wire::Commit> {
    let mut line = Vec::new();
    let mut next = Some(head.to_owned());
    while let Some(id) = next.take() {
        if let Some(index) = commits.iter().position(|commit| commit.id == id) {
            let commit = commits.remove(index);
            next = commit.parent_ids.first().cloned();
            line.push(commit);
        }
    }

    line.reverse();
    commits.extend(line);
    commits
}

/// Whether the branch is protected against direct pushes. Only maintainers see who may push, so the
/// forge's word about developers and this token is taken: where its account may push, others may too.
fn is_protected(branch: &wire::Branch) -> Fetched<bool> {
    match (
        branch.protected,
        branch.developers_can_push,
        branch.can_push,
    ) {
        (Some(protected), Some(developers), Some(own)) => Ok(protected && !developers && !own),
        _ => Err(Missing::new(
            "the forge does not state whether the branch is protected",
        )),
    }
}

/// The length of a list that is whole; no length equals that of a list that is missing.
fn count<T>(list: &Fetched<Vec<T>>) -> u64 {
    list.as_ref().map_or(u64::MAX, |list| list.len() as u64)
}

fn files(diffs: Vec<wire::Diff>) -> Fetched<Vec<ChangedFile>> {
    Ok(diffs
        .into_iter()
        .map(|diff| {
            let (before, after) = (
                diff.a_mode.unwrap_or_default(),
                diff.b_mode.unwrap_or_default(),
            );
            let status = if diff.new_file {
                FileStatus::Added
            } else if diff.deleted_file {
                FileStatus::Removed
            } else if diff.renamed_file {
                FileStatus::Renamed
            } else if before != after || before.is_empty() {
                mode_change(&before, &after)
            } else {
                FileStatus::Modified
            };

            ChangedFile {
                previous_path: (diff.old_path != diff.new_path).then_some(diff.old_path),
                path: diff.new_path,
                status,
                // A comparison does not tell the number of lines, and no rule asks for it.
                additions: 0,
                deletions: 0,
            }
        })
        .collect())
}

pub(super) fn pull_request(wire: wire::MergeRequest, project: &ProjectPath) -> PullRequest {
    let own = Some(project.as_str().to_owned());
    let source = match (wire.source_project_id, wire.target_project_id) {
        (Some(source), Some(target)) if source == target => own.clone(),
        (Some(source), _) => Some(format!("project {source}")),
        (None, _) => None,
    };
    let start = wire.diff_refs.and_then(|refs| refs.start_sha);

    PullRequest {
        number: wire.iid,
        state: match wire.state.as_str() {
            "opened" => PullRequestState::Open,
            "merged" => PullRequestState::Merged,
            _ => PullRequestState::Closed,
        },
        draft: wire.draft,
        labels: wire.labels,
        opened: wire.created_at,
        default_branch: None,
        author: wire.author.map(Account::from),
        title: wire.title,
        body: wire.description.unwrap_or_default(),
        head: BranchEnd {
            branch: wire.source_branch,
            sha: wire.sha.unwrap_or_default(),
            repository: source,
        },
        base: BranchEnd {
            branch: wire.target_branch,
            sha: start.unwrap_or_default(),
            repository: own,
        },
        mergeable: match wire.detailed_merge_status.as_deref() {
            Some("mergeable") => Some(true),
            None | Some("unchecked" | "checking" | "preparing") => None,
            Some("broken_status" | "conflict" | "need_rebase" | "commits_status") => Some(false),
            // Something else is missing, which the merge itself or another rule finds.
            Some(_) => wire.has_conflicts.map(|conflicts| !conflicts),
        },
        mergeable_state: wire.detailed_merge_status,
        commit_count: u64::MAX,
        changed_file_count: u64::MAX,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_email_of_the_forge_names_an_account() {
        let own = TokenIdentity {
            login: "bot".into(),
            id: Some(3),
            email: "bot@acme.invalid".into(),
        };
        let login = |email: &str| {
            account_of(email, Some(&own), "gitlab.invalid")
                .map(|account| (account.login, account.id))
        };
        assert_eq!(login("BOT@acme.invalid"), Some(("bot".into(), Some(3))));
        assert_eq!(
            login("12-jane-doe@users.noreply.gitlab.invalid"),
            Some(("jane-doe".into(), Some(12)))
        );
        for email in [
            "jane@acme.invalid",
            "12-jane@users.noreply.other.invalid",
            "x-jane@users.noreply.gitlab.invalid",
            "12-@users.noreply.gitlab.invalid",
            "-jane@users.noreply.gitlab.invalid",
            "",
        ] {
            assert_eq!(login(email), None, "{email}");
        }
    }

    #[test]
    fn commits_are_put_in_line_whatever_their_order() {
        let commit = |id: &str, parents: &[&str]| wire::Commit {
            id: id.to_owned(),
            parent_ids: parents.iter().map(|&id| id.to_owned()).collect(),
            author_email: None,
            committer_email: None,
        };
        let ids = |commits: Vec<wire::Commit>| {
            let line = in_line(commits, "c");
            line.into_iter().map(|commit| commit.id).collect::<Vec<_>>()
        };
        let line = [
            commit("c", &["b"]),
            commit("a", &["0"]),
            commit("b", &["a"]),
        ];
        assert_eq!(ids(line.into()), ["a", "b", "c"]);
        let other = [
            commit("c", &["a"]),
            commit("x", &["0"]),
            commit("a", &["0"]),
        ];
        assert_eq!(ids(other.into()), ["x", "a", "c"]);
        // A hostile server's circle ends.
        assert_eq!(ids(vec![commit("c", &["c"])]), ["c"]);
    }
}
