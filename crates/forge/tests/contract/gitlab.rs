//! The contract on the fake GitLab.

use std::path::Path;

use patchgate_forge::git::PushTarget;
use patchgate_forge::{Forge as _, ForgeKind, GitLab, MergeOutcome, MergeText, TokenIdentity};
use patchgate_http::Secret;
use patchgate_model::{CheckOutcome, MergeMethod, PullRequestState};
use patchgate_testkit::{FakeGitLab, GitLabUser, Repository, Response, Tools};

use crate::bed::{Bed, client, only, run};
use crate::proxy::Proxy;

/// A project in a group of a group.
const PROJECT: &str = "acme/platform/web/shop";

pub(crate) struct OnGitLab {
    server: FakeGitLab,
    repository: Repository,
    forge: GitLab,
    target: PushTarget,
    proxy: Proxy,
    identity: TokenIdentity,
}

pub(crate) fn new() -> Option<OnGitLab> {
    let user = |login: &str| GitLabUser {
        login: login.to_owned(),
        token: format!("glpat-{login}-0123456789"),
    };
    let (bot, person) = (user("patchgate-bot"), user("jane"));
    let server = FakeGitLab::start(&Tools::installed()?, vec![bot.clone(), person])?;
    let repository = server.create(PROJECT);
    repository.commit("main", "start", &[("Cargo.lock", b"1\n"), ("b", b"b\n")]);
    let secret = Secret::new(&bot.token);
    let project = PROJECT.parse().unwrap();
    let proxy = Proxy::default();
    let api = proxy.through(&server.api_url());
    let forge = GitLab::new(&client(), &api, &secret, project).unwrap();
    let target = format!("{}/{PROJECT}.git", proxy.through(&server.server_url()));
    let target = PushTarget::new(&target, &secret).unwrap();

    Some(OnGitLab {
        server,
        repository,
        forge,
        target,
        proxy,
        identity: TokenIdentity {
            login: bot.login,
            id: Some(13),
            email: "patchgate-bot@people.invalid".to_owned(),
        },
    })
}

impl Bed for OnGitLab {
    type Api = GitLab;

    fn forge(&self) -> &GitLab {
        &self.forge
    }

    fn target(&self) -> &PushTarget {
        &self.target
    }

    fn proxy(&self) -> &Proxy {
        &self.proxy
    }

    fn identity(&self) -> Option<&TokenIdentity> {
        Some(&self.identity)
    }

    fn author(&self) -> (String, String) {
        (self.identity.login.clone(), self.identity.email.clone())
    }

    fn commit(&self, branch: &str, files: &[(&str, &[u8])]) -> String {
        self.repository.commit(branch, "theirs", files)
    }

    fn clone_dir(&self) -> &Path {
        self.repository.path()
    }

    fn tip(&self, branch: &str) -> Option<String> {
        self.repository.tip(branch)
    }

    fn branches(&self) -> Vec<String> {
        self.repository.branches()
    }

    fn file(&self, revision: &str, path: &str) -> Option<Vec<u8>> {
        self.repository.file(revision, path)
    }

    fn reset(&self, branch: &str, commit: &str) {
        let reference = format!("refs/heads/{branch}");
        self.repository.git(&["update-ref", &reference, commit]);
    }

    fn state(&self, number: u64) -> (bool, Vec<String>) {
        let requests = self.server.merge_requests(PROJECT);
        let request = requests.iter().find(|it| it.iid == number).unwrap();
        (request.state == "opened", request.labels.clone())
    }

    fn close_by_person(&self, number: u64) {
        self.server.close(PROJECT, number);
    }

    fn open_by_person(&self, branch: &str, body: &str) -> u64 {
        self.server.open(PROJECT, "jane", branch, body)
    }

    fn comment_by_person(&self, number: u64, text: &str) -> u64 {
        self.server.comment(PROJECT, number, "jane", text, None)
    }

    fn edit_by_person(&self, number: u64, comment: u64, text: &str) {
        self.server
            .comment(PROJECT, number, "jane", text, Some(comment));
    }

    fn close_issue_by_person(&self, number: u64) {
        self.server.close_issue(PROJECT, number);
    }

    fn disable_issues(&self) {
        self.server.disable_issues(PROJECT);
    }

    fn report_success(&self, commit: &str) {
        self.server
            .report_status(PROJECT, commit, "jane", "ci/test", "success");
    }

    fn protect_main(&self) {
        self.server.protect(PROJECT, "main");
    }

    fn shown(&self, format: &str, commit: &str) -> String {
        let format = format!("--format={format}");
        self.repository
            .git(&["show", "--no-patch", &format, commit])
    }

    fn violations(&self) -> Vec<String> {
        self.server.violations()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_jobs_of_pipelines_that_nobody_steered_are_the_projects_own() {
    let Some(bed) = new() else {
        return;
    };
    run(&bed, "2").await;
    let (branch, number, _) = only(&bed).await;
    let head = bed.tip(&branch).unwrap();
    let other = bed.tip("main").unwrap();
    let pipeline = |sha: &str, source: &str, variables: &[&str], job: &str, status: &str| {
        bed.server
            .run_pipeline(PROJECT, sha, source, variables, (job, status));
    };
    pipeline(&head, "merge_request_event", &[], "test", "success");
    pipeline(&head, "push", &["SKIP"], "steered", "success");
    pipeline(&head, "web", &[], "by-hand", "failed");
    pipeline(&other, "push", &[], "elsewhere", "success");

    let evidence = bed.forge.evidence(number, &|_| false, None).await;
    let checks: Vec<(&str, &str, bool)> = evidence
        .check_runs
        .as_ref()
        .unwrap()
        .iter()
        .map(|check| {
            let app = check.app.as_deref().unwrap();
            let is_success = check.outcome == CheckOutcome::Success;
            (check.name.as_str(), app, is_success)
        })
        .collect();
    assert_eq!(
        checks,
        [
            ("test", "gitlab-ci", true),
            ("steered", "gitlab-ci/variable SKIP", true),
            ("by-hand", "gitlab-ci/web", false),
        ]
    );
    // GitLab lists jobs as statuses too; each counts once.
    assert_eq!(evidence.statuses, Ok(Vec::new()));
    assert_eq!(bed.violations(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn objections_and_the_projects_merge_method_are_respected() {
    let Some(bed) = new() else {
        return;
    };
    run(&bed, "2").await;
    let (branch, number, _) = only(&bed).await;
    let head = bed.tip(&branch).unwrap();
    bed.server.object(PROJECT, number, "joe", "jane");
    let evidence = bed.forge.evidence(number, &|_| false, None).await;
    let asking = vec!["jane".to_owned(), "joe".to_owned()];
    assert_eq!(evidence.changes_requested, Ok(asking));

    bed.server.set_merge_method(PROJECT, "ff");
    let text = MergeText::of(ForgeKind::GitLab, number, &head, &head);
    let outcome = bed
        .forge
        .merge(number, &head, MergeMethod::Merge, &text)
        .await;
    assert!(
        matches!(outcome, Ok(MergeOutcome::NotMergeable { .. })),
        "{outcome:?}"
    );
    assert!(bed.state(number).0);
    assert_eq!(bed.violations(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_and_an_opening_whose_answer_is_lost_are_found_again() {
    let Some(bed) = new() else {
        return;
    };
    let fault = || Response::json(502, &serde_json::json!({ "message": "fault" }));
    bed.server.fail("POST", "/merge_requests", true, fault());
    let done = run(&bed, "2").await;
    let (branch, number, _) = only(&bed).await;
    assert_eq!(done, [("opened", number)]);

    let head = bed.tip(&branch).unwrap();
    bed.server.fail("PUT", "/merge", true, fault());
    let text = MergeText::of(ForgeKind::GitLab, number, &head, &head);
    let outcome = bed
        .forge
        .merge(number, &head, MergeMethod::Squash, &text)
        .await;
    assert!(outcome.unwrap_err().may_have_taken_effect());
    let now = bed.forge.pull_request(number).await.unwrap();
    assert_eq!((now.state, now.head.sha), (PullRequestState::Merged, head));
    let lock = bed.file("main", "Cargo.lock").unwrap();
    assert_eq!(lock, b"2\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_are_no_answers_are_missing_evidence() {
    let Some(bed) = new() else {
        return;
    };
    run(&bed, "2").await;
    let (_, number, _) = only(&bed).await;
    for (part, answer) in [
        ("/compare", Response::bytes(200, "text/html", "<html>")),
        ("/compare", Response::json(200, &serde_json::json!({}))),
        ("/compare", Response::status(429)),
        (
            "/statuses",
            Response::json(200, &serde_json::json!([])).with_header("X-Total", "3"),
        ),
        (
            "/pipelines",
            Response::json(200, &serde_json::json!([{ "id": 1 }])),
        ),
        ("/pipelines", Response::status(403)),
        ("/repository/tree", Response::status(502)),
        (
            "/repository/tree",
            Response::json(200, &serde_json::json!([{ "id": "1", "name": "a" }])),
        ),
        ("/approvals", Response::bytes(200, "text/html", "<html>")),
    ] {
        bed.server.fail("GET", part, false, answer);
        let evidence = bed.forge.evidence(number, &|_| true, None).await;
        let missing = evidence.files.is_err()
            || evidence.statuses.is_err()
            || evidence.check_runs.is_err()
            || evidence.safeguards.head_tree.is_err()
            || evidence.safeguards.approvals.is_err();
        assert!(missing, "{part}: {evidence:?}");
        assert!(!format!("{evidence:?}").contains("glpat-"), "{part}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_is_of_the_head_that_was_there() {
    let Some(bed) = new() else {
        return;
    };
    run(&bed, "2").await;
    let (branch, number, _) = only(&bed).await;
    bed.server.make_guest(PROJECT, "guest");
    for login in ["ann", "guest"] {
        bed.server.approve(PROJECT, number, login);
    }
    let approvals = async || {
        let evidence = bed.forge.evidence(number, &|_| false, None).await;
        let approvals = evidence.safeguards.approvals.unwrap();
        let shown = approvals.into_iter().map(|approval| {
            let head = bed.tip(&branch).unwrap();
            (
                approval.account.login,
                approval.commit == head,
                approval.may_write,
            )
        });
        shown.collect::<Vec<_>>()
    };
    let named = |login: &str, head: bool, write: bool| (login.to_owned(), head, write);
    assert_eq!(
        approvals().await,
        [named("ann", true, true), named("guest", true, false)]
    );

    // A push makes it an approval of another commit, also when the head comes back.
    let judged = bed.tip(&branch).unwrap();
    bed.commit(&branch, &[("Cargo.lock", b"9\n")]);
    assert_eq!(approvals().await[0], named("ann", false, true));
    bed.reset(&branch, &judged);
    assert_eq!(approvals().await[0], named("ann", false, true));
    bed.server.approve(PROJECT, number, "caro");
    assert_eq!(approvals().await[2], named("caro", true, true));
    assert_eq!(bed.violations(), Vec::<String>::new());

    // Older servers state no time.
    let untimed =
        serde_json::json!({ "approved_by": [{ "user": { "id": 3, "username": "ann" } }] });
    bed.server
        .fail("GET", "/approvals", false, Response::json(200, &untimed));
    let evidence = bed.forge.evidence(number, &|_| false, None).await;
    assert!(evidence.safeguards.approvals.is_err());
}
