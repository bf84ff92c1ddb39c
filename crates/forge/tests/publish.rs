//! The whole life of a pull request, on a GitHub that keeps to GitHub's own contract.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failed step fails the test"
)]

use std::time::Duration;

use patchgate_forge::git::{CommitIdentity, NewCommit, PatchgateBranch, PushTarget, commit_files};
use patchgate_forge::publish::{PublishError, PublishOutcome, Publisher};
use patchgate_forge::pull_request::{CloseReason, DesiredState, LeaveReason, Proposal};
use patchgate_forge::{CheckRunReport, Conclusion, GitHub, GitHubOptions, MergeOutcome, MergeText};
use patchgate_http::{Client, ClientOptions, Secret};
use patchgate_model::{
    Bump, CheckOutcome, EcosystemName, FileChange, MergeMethod, Plan, PlanBlock, PullRequestState,
    Upgrade,
};
use patchgate_testkit::{Account, Permission, Repository, Tools};

const TOKEN: &str = "ghs_secret0123456789";
const REPO: &str = "acme/shop";

struct Fixture {
    server: patchgate_testkit::FakeGitHub,
    repository: Repository,
    http: Client,
    github: GitHub,
    target: PushTarget,
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
        let repository = server.create(REPO);
        repository.commit("main", "start", &[("Cargo.lock", b"1\n"), ("b", b"b\n")]);
        let http = Client::new(ClientOptions {
            retries: 0,
            ..ClientOptions::default()
        })
        .unwrap();
        let options = GitHubOptions {
            retries: 0,
            retry_base_delay: Duration::ZERO,
        };
        let secret = Secret::new(token);
        let github = GitHub::new(
            &http,
            &server.api_url(),
            &secret,
            REPO.parse().unwrap(),
            options,
        )
        .unwrap();

        let target = PushTarget::new(&format!("{}/{REPO}", server.server_url()), &secret).unwrap();
        Self {
            server,
            repository,
            http,
            github,
            target,
        }
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
        let wanted = DesiredState::Proposal(Proposal {
            branch: PatchgateBranch::for_decision(&plan.decision_digest()),
            commit: commit.id.clone(),
            title: format!("Update x to {to}"),
            body: format!("Moves x.\n\n{block}\n"),
            is_complete: true,
        });

        (wanted, commit)
    }

    async fn publish(
        &self,
        wanted: &DesiredState,
        commit: Option<&NewCommit>,
    ) -> Result<Vec<PublishOutcome>, PublishError> {
        Publisher {
            github: &self.github,
            http: &self.http,
            target: &self.target,
            base: "main",
            labels: &["security".to_owned()],
        }
        .publish(wanted, commit)
        .await
    }

    async fn run(&self, to: &str) -> Vec<PublishOutcome> {
        let (wanted, commit) = self.proposal(to).await;
        let done = self.publish(&wanted, Some(&commit)).await;
        done.unwrap_or_else(|error| panic!("{error}: {:?}", self.server.violations()))
    }

    /// The only pull request there is.
    fn only(&self) -> patchgate_testkit::PullRequest {
        let pulls = self.server.pull_requests(REPO);
        assert_eq!(pulls.len(), 1);
        pulls[0].clone()
    }

    fn writes(&self) -> usize {
        let api = self.server.requests();
        api.iter().filter(|request| request.method != "GET").count()
            + self.server.git().pushes().len()
    }
}

fn numbers(done: &[PublishOutcome]) -> Vec<(&'static str, u64)> {
    done.iter()
        .map(|done| match done {
            PublishOutcome::Unchanged { number, .. } => ("unchanged", *number),
            PublishOutcome::Opened { number, .. } => ("opened", *number),
            PublishOutcome::Updated { number, .. } => ("updated", *number),
            PublishOutcome::Closed { number, .. } => ("closed", *number),
            PublishOutcome::Left { number, .. } => ("left", *number),
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn opened_unchanged_renewed_superseded_and_resolved() {
    let Some(tools) = Tools::installed() else {
        return;
    };
    let fixture = Fixture::new(&tools, TOKEN);
    let done = fixture.run("2").await;
    let pulls = fixture.server.pull_requests(REPO);
    let first = pulls[0].number;
    assert_eq!(numbers(&done), [("opened", first)]);
    assert!(pulls[0].labels.contains("security"));
    assert_eq!(
        fixture
            .repository
            .file(&pulls[0].head, "Cargo.lock")
            .unwrap(),
        b"2\n"
    );

    let writes = fixture.writes();
    assert_eq!(numbers(&fixture.run("2").await), [("unchanged", first)]);
    assert_eq!(fixture.writes(), writes, "the second run wrote something");

    fixture.repository.commit("main", "other", &[("b", b"c\n")]);
    assert_eq!(numbers(&fixture.run("2").await), [("updated", first)]);
    let renewed = &fixture.server.pull_requests(REPO)[0];
    let block = PlanBlock::parse(&renewed.body).unwrap();
    assert_eq!(block.commit, fixture.repository.tip(&renewed.head).unwrap());
    assert_eq!(block.base, fixture.repository.tip("main").unwrap());
    assert_eq!(numbers(&fixture.run("2").await), [("unchanged", first)]);

    let done = fixture.run("3").await;
    let [("opened", second), ("closed", closed)] = numbers(&done)[..] else {
        panic!("{done:?}");
    };
    assert_eq!(closed, first);
    let comments = fixture.server.comments(REPO);
    assert_eq!(
        comments.last().unwrap().body,
        format!("Superseded by #{second}.")
    );
    let pulls = fixture.server.pull_requests(REPO);
    assert_eq!(
        pulls.iter().map(|pull| pull.open).collect::<Vec<_>>(),
        [false, true]
    );
    assert_eq!(fixture.repository.branches().len(), 2);

    let unknown = DesiredState::Unknown {
        reason: "the scan is incomplete".into(),
    };
    assert_eq!(
        numbers(&fixture.publish(&unknown, None).await.unwrap()),
        [("left", second)]
    );
    let done = fixture.publish(&DesiredState::Nothing, None).await.unwrap();
    assert!(
        matches!(
            &done[..],
            [PublishOutcome::Closed {
                because: CloseReason::Resolved,
                branch_left: None,
                ..
            }]
        ),
        "{done:?}"
    );
    assert_eq!(fixture.repository.branches(), ["main"]);
    assert!(
        fixture
            .publish(&DesiredState::Nothing, None)
            .await
            .unwrap()
            .is_empty()
    );

    // A pull request that Patchgate closed is opened again when it is needed.
    assert_eq!(numbers(&fixture.run("3").await)[0].0, "opened");
    assert_eq!(fixture.server.violations(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_people_did_is_respected() {
    let Some(tools) = Tools::installed() else {
        return;
    };
    let fixture = Fixture::new(&tools, TOKEN);
    fixture.run("2").await;
    let (branch, number) = (fixture.only().head, fixture.only().number);
    let ours = fixture.repository.tip(&branch).unwrap();
    let theirs = fixture
        .repository
        .commit(&branch, "theirs", &[("b", b"x\n")]);
    fixture.repository.commit("main", "other", &[("b", b"c\n")]);
    for done in [
        fixture.run("2").await,
        fixture.publish(&DesiredState::Nothing, None).await.unwrap(),
    ] {
        assert!(
            matches!(
                &done[..],
                [PublishOutcome::Left {
                    because: LeaveReason::ForeignCommit,
                    ..
                }]
            ),
            "{done:?}"
        );
    }
    assert_eq!(fixture.repository.tip(&branch), Some(theirs));

    // A person closes it: the same plan stays away.
    fixture
        .repository
        .git(&["update-ref", &format!("refs/heads/{branch}"), &ours]);
    let github = &fixture.github;
    let body = fixture.only().body;
    github.close_pull_request(number, &body).await.unwrap();
    github
        .update_pull_request(number, "Update x to 2", &body)
        .await
        .unwrap();
    let done = fixture.run("2").await;
    assert!(
        matches!(
            &done[..],
            [PublishOutcome::Left {
                because: LeaveReason::Declined,
                ..
            }]
        ),
        "{done:?}"
    );
    assert_eq!(fixture.server.violations(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_branch_of_somebody_else_is_not_taken() {
    let Some(tools) = Tools::installed() else {
        return;
    };
    let fixture = Fixture::new(&tools, TOKEN);
    let (wanted, commit) = fixture.proposal("2").await;
    let DesiredState::Proposal(proposal) = &wanted else {
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

#[tokio::test(flavor = "multi_thread")]
async fn evidence_check_run_and_merge_of_the_judged_head() {
    let Some(tools) = Tools::installed() else {
        return;
    };
    let fixture = Fixture::new(&tools, TOKEN);
    fixture.run("2").await;
    let pull = fixture.only();
    let head = fixture.repository.tip(&pull.head).unwrap();
    fixture
        .server
        .report_check(REPO, &head, "github-actions", "test", Some("success"));
    fixture
        .server
        .report_status(REPO, &head, "ci", "ci/x", "pending");
    fixture.server.require_checks(REPO, "main", &["test"]);
    let evidence = fixture.github.evidence(pull.number, &|_| true, None).await;
    assert_eq!(
        evidence.pull_request.as_ref().unwrap().state,
        PullRequestState::Open
    );
    assert_eq!(fixture.server.violations(), Vec::<String>::new());
    assert_eq!(evidence.merge_base, evidence.base_tip);
    assert_eq!(evidence.commits.as_ref().unwrap().len(), 1);
    assert_eq!(
        evidence.contents["Cargo.lock"].head,
        Ok(Some(b"2\n".to_vec()))
    );
    assert_eq!(evidence.branch_checks.as_ref().unwrap()[0].name, "test");
    assert_eq!(
        evidence.check_runs.as_ref().unwrap()[0].outcome,
        CheckOutcome::Success
    );
    assert_eq!(
        evidence.statuses.as_ref().unwrap()[0].outcome,
        CheckOutcome::Pending("pending".into())
    );
    assert_eq!(evidence.changes_requested, Ok(Vec::new()));

    let report = CheckRunReport {
        name: "patchgate".into(),
        head_sha: head.clone(),
        conclusion: Conclusion::ActionRequired,
        title: "review".into(),
        summary: "text".into(),
    };
    fixture.github.report_check_run(&report).await.unwrap();
    let base = fixture.repository.tip("main").unwrap();
    assert_eq!(
        fixture
            .github
            .merge(
                pull.number,
                &base,
                MergeMethod::Squash,
                &MergeText::of(pull.number, &head, &base)
            )
            .await
            .unwrap(),
        MergeOutcome::HeadMoved
    );
    assert!(matches!(
        fixture
            .github
            .merge(
                pull.number,
                &head,
                MergeMethod::Squash,
                &MergeText::of(pull.number, &head, &base)
            )
            .await
            .unwrap(),
        MergeOutcome::Merged { .. }
    ));
    assert_eq!(
        fixture.repository.file("main", "Cargo.lock").unwrap(),
        b"2\n"
    );
    assert_eq!(fixture.server.violations(), Vec::<String>::new());
}
