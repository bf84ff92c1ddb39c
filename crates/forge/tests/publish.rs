//! Faults while pull requests are written, on a GitHub that keeps to GitHub's own contract. The usual
//! course is in `contract/`, for all forges.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failed step fails the test"
)]

use std::time::Duration;

use patchgate_forge::git::{CommitIdentity, NewCommit, PatchgateBranch, PushTarget, commit_files};
use patchgate_forge::publish::{PublishError, PublishOutcome, Publisher};
use patchgate_forge::pull_request::{DesiredState, Proposal};
use patchgate_forge::{GitHub, GitHubOptions};
use patchgate_http::{Client, ClientOptions, Secret};
use patchgate_model::{Bump, EcosystemName, FileChange, Plan, PlanBlock, Upgrade};
use patchgate_testkit::{Account, Permission, Repository, Tools};

const TOKEN: &str = "ghs_secret0123456789";
const REPO: &str = "acme/shop";

/// Creates a repository with two files on `main`, and a client for it.
fn host(
    server: &patchgate_testkit::FakeGitHub,
    http: &Client,
    secret: &Secret,
    name: &str,
) -> (Repository, GitHub, PushTarget) {
    let repository = server.create(name);
    repository.commit("main", "start", &[("Cargo.lock", b"1\n"), ("b", b"b\n")]);
    let options = GitHubOptions {
        retries: 0,
        retry_base_delay: Duration::ZERO,
    };
    let project = name.parse().unwrap();
    let github = GitHub::new(http, &server.api_url(), secret, project, options).unwrap();
    let target = PushTarget::new(&format!("{}/{name}", server.server_url()), secret).unwrap();

    (repository, github, target)
}

struct Fixture {
    server: patchgate_testkit::FakeGitHub,
    repository: Repository,
    http: Client,
    github: GitHub,
    target: PushTarget,
    /// Name of the repository.
    name: String,
}

impl Fixture {
    fn new(tools: &Tools, token: &str) -> Self {
        let reader = Account {
            login: "reader".to_owned(),
            token: "ghp_reader0123456789".to_owned(),
            app: None,
            may_write: vec![Permission::Contents],
        };
        let server =
            patchgate_testkit::FakeGitHub::start(tools, vec![Account::workflow(TOKEN), reader]);
        let http = Client::new(ClientOptions {
            retries: 0,
            ..ClientOptions::default()
        })
        .unwrap();
        let secret = Secret::new(token);
        let (repository, github, target) = host(&server, &http, &secret, REPO);
        Self {
            server,
            repository,
            http,
            github,
            target,
            name: REPO.to_owned(),
        }
    }

    /// Goes on with another repository on the same server.
    fn start_over(&mut self, name: &str) {
        let secret = Secret::new(TOKEN);
        (self.repository, self.github, self.target) = host(&self.server, &self.http, &secret, name);
        self.name = name.to_owned();
    }

    /// The proposal of a run that upgrades `x` to `to` on the present base.
    async fn proposal(&self, to: &str) -> (DesiredState, NewCommit) {
        let base = self.repository.tip("main").unwrap();
        let plan = Plan {
            upgrades: vec![Upgrade {
                ecosystem: EcosystemName::new("crates.io"),
                lockfile: "Cargo.lock".into(),
                package: "x".into(),
                from: "1".into(),
                to: to.into(),
                bump: Bump::Patch,
                fixes: vec!["X-1".into()],
                requirement_changes: Vec::new(),
                because_of: None,
            }],
            unfixed: Vec::new(),
            changes: vec![FileChange {
                path: "Cargo.lock".into(),
                before: self.repository.file("main", "Cargo.lock").unwrap(),
                after: format!("{to}\n").into_bytes(),
            }],
            ..Plan::default()
        };

        let identity = CommitIdentity::new("bot", "bot@example.invalid").unwrap();
        let commit = commit_files(
            self.repository.path(),
            &base,
            &plan.changes,
            &identity,
            "Fix x",
        )
        .await
        .unwrap();
        let block = PlanBlock::new(&plan, &base, &commit.id).render();
        let wanted = DesiredState::of(vec![Proposal {
            branch: PatchgateBranch::for_plan("fix", &plan.branch_digest("main")),
            commit: commit.id.clone(),
            title: format!("Update x to {to}"),
            body: format!("Moves x.\n\n{block}\n"),
            is_urgent: false,
            waits: None,
        }]);

        (wanted, commit)
    }

    async fn publish(
        &self,
        wanted: &DesiredState,
        commit: Option<&NewCommit>,
    ) -> Result<Vec<PublishOutcome>, PublishError> {
        Publisher {
            forge: &self.github,
            identity: None,
            http: &self.http,
            target: &self.target,
            base: "main",
            labels: &["security".to_owned()],
        }
        .publish(wanted, commit.map(std::slice::from_ref).unwrap_or_default())
        .await
    }

    async fn run(&self, to: &str) -> Vec<PublishOutcome> {
        let (wanted, commit) = self.proposal(to).await;
        let done = self.publish(&wanted, Some(&commit)).await;
        done.unwrap_or_else(|error| panic!("{error}: {:?}", self.server.violations()))
    }

    /// The only pull request there is.
    fn only(&self) -> patchgate_testkit::PullRequest {
        let pulls = self.server.pull_requests(&self.name);
        assert_eq!(pulls.len(), 1);
        pulls[0].clone()
    }
}

fn numbers(done: &[PublishOutcome]) -> Vec<(&'static str, u64)> {
    done.iter()
        .map(|done| match done {
            PublishOutcome::Unchanged { number, .. } => ("unchanged", *number),
            PublishOutcome::Opened { number, .. } => ("opened", *number),
            PublishOutcome::Updated { number, .. } => ("updated", *number),
            PublishOutcome::Closed { number, .. } => ("closed", *number),
            PublishOutcome::BranchDeleted { number, .. } => ("deleted", *number),
            PublishOutcome::Left { number, .. } => ("left", *number),
            PublishOutcome::Waiting { .. } => ("waiting", 0),
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_branch_of_somebody_else_is_not_taken() {
    let Some(tools) = Tools::installed() else {
        return;
    };
    let fixture = Fixture::new(&tools, TOKEN);
    let (wanted, commit) = fixture.proposal("2").await;
    let [proposal] = &wanted.proposals[..] else {
        panic!("a proposal");
    };

    fixture
        .repository
        .commit(proposal.branch.name(), "theirs", &[("b", b"x\n")]);
    let error = fixture.publish(&wanted, Some(&commit)).await.unwrap_err();

    assert!(
        matches!(error, PublishError::ForeignBranch { .. }),
        "{error}"
    );
    assert!(error.hint().unwrap().contains("delete it"));
    assert!(fixture.server.pull_requests(REPO).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_was_cut_off_is_finished_by_the_next() {
    let Some(tools) = Tools::installed() else {
        return;
    };
    let fixture = Fixture::new(&tools, TOKEN);
    let fail = || {
        Some(patchgate_testkit::Response::json(
            500,
            &serde_json::json!({"message": "fault"}),
        ))
    };
    let (wanted, commit) = fixture.proposal("2").await;

    fixture.server.before("POST", "/pulls", 0, fail);
    assert!(fixture.publish(&wanted, Some(&commit)).await.is_err());
    assert_eq!(fixture.repository.branches().len(), 2);
    assert_eq!(numbers(&fixture.run("2").await)[0].0, "opened");

    let first = fixture.only().number;
    fixture.repository.commit("main", "other", &[("b", b"c\n")]);
    let (wanted, commit) = fixture.proposal("2").await;

    fixture.server.before("PATCH", "/pulls", 0, fail);
    assert!(fixture.publish(&wanted, Some(&commit)).await.is_err());
    assert_eq!(numbers(&fixture.run("2").await), [("updated", first)]);
    assert_eq!(numbers(&fixture.run("2").await), [("unchanged", first)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_without_the_permission_is_told_which() {
    let Some(tools) = Tools::installed() else {
        return;
    };
    let fixture = Fixture::new(&tools, "ghp_reader0123456789");
    let (wanted, commit) = fixture.proposal("2").await;
    let error = fixture.publish(&wanted, Some(&commit)).await.unwrap_err();
    let text = format!("{error} {error:?} {:?}", error.hint());

    assert!(text.contains("pull") && text.contains("write"), "{text}");
    assert!(!text.contains("ghp_reader"), "{text}");
}

/// Every call that writes, and how many such calls come before the one that fails.
const WRITES: [(&str, &str, u32); 6] = [
    ("POST", "/pulls", 0),
    ("POST", "/labels", 0),
    ("PATCH", "/pulls", 0),
    ("POST", "/comments", 0),
    ("PATCH", "/pulls", 1),
    ("POST", "/comments", 1),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_before_or_after_any_write_changes_nothing_in_the_end() {
    let Some(tools) = Tools::installed() else {
        return;
    };
    let mut fixture = Fixture::new(&tools, TOKEN);
    for (index, ((method, path, skip), is_after)) in WRITES
        .into_iter()
        .flat_map(|write| [(write, false), (write, true)])
        .enumerate()
    {
        fixture.start_over(&format!("acme/shop-{index}"));
        let fault =
            patchgate_testkit::Response::json(502, &serde_json::json!({"message": "fault"}));
        if is_after {
            fixture.server.after(method, path, skip, fault);
        } else {
            fixture.server.before(method, path, skip, || Some(fault));
        }

        // A run that fails is repeated, as the next one on a schedule would be.
        let mut failed = 0;
        for to in ["2", "move", "2", "3", "nothing"] {
            if to == "move" {
                fixture.repository.commit("main", "other", &[("b", b"c\n")]);
                continue;
            }
            for attempt in 0..2 {
                let done = if to == "nothing" {
                    fixture.publish(&DesiredState::nothing(), None).await
                } else {
                    let (wanted, commit) = fixture.proposal(to).await;
                    fixture.publish(&wanted, Some(&commit)).await
                };
                match done {
                    Ok(_) => break,
                    Err(error) => assert_eq!(attempt, 0, "{method} {path}: {error}"),
                }
                failed += 1;
            }
        }

        let case = format!("{method} {path} {skip} after: {is_after}");
        // A pull request that exists is success, and its answer is not missed.
        let expected = usize::from(!(is_after && (method, path) == ("POST", "/pulls")));
        assert_eq!(failed, expected, "{case}");
        let pulls = fixture.server.pull_requests(&fixture.name);
        assert_eq!(pulls.len(), 2, "{case}: {pulls:#?}");
        let comments = fixture.server.comments(&fixture.name);
        for pull in &pulls {
            assert!(!pull.open, "{case}");
            assert!(pull.labels.contains("security"), "{case}: no label");
            let own = comments.iter().filter(|it| it.number == pull.number);
            assert_eq!(own.count(), 1, "{case}: {comments:?}");
        }
        assert_eq!(fixture.repository.branches(), ["main"], "{case}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_branch_that_could_not_be_deleted_is_deleted_by_the_next_run() {
    let Some(tools) = Tools::installed() else {
        return;
    };
    let fixture = Fixture::new(&tools, TOKEN);
    fixture.run("2").await;
    let number = fixture.only().number;
    fixture
        .repository
        .git(&["config", "receive.denyDeletes", "true"]);
    let done = fixture
        .publish(&DesiredState::nothing(), None)
        .await
        .unwrap();
    assert!(
        matches!(
            &done[..],
            [PublishOutcome::Closed {
                branch_left: Some(_),
                ..
            }]
        ),
        "{done:?}"
    );

    fixture
        .repository
        .git(&["config", "receive.denyDeletes", "false"]);
    let done = fixture
        .publish(&DesiredState::nothing(), None)
        .await
        .unwrap();
    assert_eq!(numbers(&done), [("deleted", number)]);
    assert_eq!(fixture.repository.branches(), ["main"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_request_that_another_run_opened_meanwhile_is_success() {
    let Some(tools) = Tools::installed() else {
        return;
    };
    let fixture = Fixture::new(&tools, TOKEN);
    let (wanted, commit) = fixture.proposal("2").await;
    let [proposal] = &wanted.proposals[..] else {
        panic!("a proposal");
    };
    let body = serde_json::json!({
        "title": proposal.title, "head": proposal.branch.name(), "base": "main",
        "body": proposal.body,
    });
    let api = fixture.server.api_url();
    fixture.server.before("POST", "/pulls", 0, move || {
        let path = format!("/repos/{REPO}/pulls");
        let (status, _) = patchgate_testkit::call_api(&api, TOKEN, "POST", &path, &body);
        assert_eq!(status, 201);
        None
    });
    let done = fixture.publish(&wanted, Some(&commit)).await.unwrap();

    assert_eq!(numbers(&done), [("opened", fixture.only().number)]);
    assert!(fixture.only().labels.contains("security"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_branch_whose_name_excludes_those_of_patchgate_is_named() {
    let Some(tools) = Tools::installed() else {
        return;
    };
    let fixture = Fixture::new(&tools, TOKEN);
    fixture
        .repository
        .commit("patchgate", "theirs", &[("b", b"x\n")]);
    let (wanted, commit) = fixture.proposal("2").await;
    let error = fixture.publish(&wanted, Some(&commit)).await.unwrap_err();

    assert!(
        error
            .to_string()
            .starts_with("the branch `patchgate` is in the way of `patchgate/fix-"),
        "{error}"
    );
    assert!(
        error
            .hint()
            .unwrap()
            .contains("rename or delete `patchgate`")
    );
}
