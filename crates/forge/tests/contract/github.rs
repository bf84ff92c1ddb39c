//! The contract on the fake GitHub.

use std::path::Path;
use std::time::Duration;

use patchgate_forge::git::PushTarget;
use patchgate_forge::{
    CheckNote, Conclusion, Forge as _, GitHub, GitHubOptions, NoteLevel, TokenIdentity,
    VerdictReport,
};
use patchgate_http::Secret;
use patchgate_testkit::{Account, FakeGitHub, Permission, Repository, Tools, call_api};
use serde_json::json;

use crate::bed::{Bed, client};
use crate::proxy::Proxy;

const TOKEN: &str = "ghs_secret0123456789";
const PERSON: &str = "ghp_person0123456789";
const REPO: &str = "acme/shop";

pub(crate) struct OnGitHub {
    server: FakeGitHub,
    repository: Repository,
    forge: GitHub,
    target: PushTarget,
    proxy: Proxy,
}

pub(crate) fn new() -> Option<OnGitHub> {
    let tools = Tools::installed()?;
    let person = Account {
        login: "jane".to_owned(),
        token: PERSON.to_owned(),
        app: None,
        may_write: vec![
            Permission::Contents,
            Permission::PullRequests,
            Permission::Issues,
        ],
    };
    let server = FakeGitHub::start(&tools, vec![Account::workflow(TOKEN), person]);
    let repository = server.create(REPO);
    repository.commit("main", "start", &[("Cargo.lock", b"1\n"), ("b", b"b\n")]);
    let secret = Secret::new(TOKEN);
    let options = GitHubOptions {
        retries: 0,
        retry_base_delay: Duration::ZERO,
    };
    let project = REPO.parse().unwrap();
    let proxy = Proxy::default();
    let api = proxy.through(&server.api_url());
    let forge = GitHub::new(&client(), &api, &secret, project, options).unwrap();
    let target = format!("{}/{REPO}", proxy.through(&server.server_url()));
    let target = PushTarget::new(&target, &secret).unwrap();

    Some(OnGitHub {
        server,
        repository,
        forge,
        target,
        proxy,
    })
}

impl Bed for OnGitHub {
    type Api = GitHub;

    fn forge(&self) -> &GitHub {
        &self.forge
    }

    fn target(&self) -> &PushTarget {
        &self.target
    }

    fn proxy(&self) -> &Proxy {
        &self.proxy
    }

    fn identity(&self) -> Option<&TokenIdentity> {
        None
    }

    fn author(&self) -> (String, String) {
        let email = "41898282+github-actions[bot]@users.noreply.github.com";
        ("github-actions[bot]".to_owned(), email.to_owned())
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
        let pulls = self.server.pull_requests(REPO);
        let pull = pulls.iter().find(|pull| pull.number == number).unwrap();
        (pull.open, pull.labels.iter().cloned().collect())
    }

    fn close_by_person(&self, number: u64) {
        let path = format!("/repos/{REPO}/pulls/{number}");
        let body = json!({ "state": "closed" });
        let (status, answer) = call_api(&self.server.api_url(), PERSON, "PATCH", &path, &body);
        assert_eq!(status, 200, "{answer:#}");
    }

    fn open_by_person(&self, branch: &str, body: &str) -> u64 {
        let path = format!("/repos/{REPO}/pulls");
        let body = json!({ "title": "mine", "head": branch, "base": "main", "body": body });
        let (status, answer) = call_api(&self.server.api_url(), PERSON, "POST", &path, &body);
        assert_eq!(status, 201, "{answer:#}");
        answer["number"].as_u64().unwrap()
    }

    fn comment_by_person(&self, number: u64, text: &str) -> u64 {
        let path = format!("/repos/{REPO}/issues/{number}/comments");
        let body = json!({ "body": text });
        let (status, answer) = call_api(&self.server.api_url(), PERSON, "POST", &path, &body);
        assert_eq!(status, 201, "{answer:#}");
        answer["id"].as_u64().unwrap()
    }

    fn edit_by_person(&self, _number: u64, comment: u64, text: &str) {
        let path = format!("/repos/{REPO}/issues/comments/{comment}");
        let body = json!({ "body": text });
        let (status, answer) = call_api(&self.server.api_url(), PERSON, "PATCH", &path, &body);
        assert_eq!(status, 200, "{answer:#}");
    }

    fn let_see_permissions(&self) {
        self.server.let_write(REPO, "jane");
    }

    fn close_issue_by_person(&self, number: u64) {
        let path = format!("/repos/{REPO}/issues/{number}");
        let body = json!({ "state": "closed" });
        let (status, answer) = call_api(&self.server.api_url(), PERSON, "PATCH", &path, &body);
        assert_eq!(status, 200, "{answer:#}");
    }

    fn disable_issues(&self) {
        self.server.disable_issues(REPO);
    }

    fn report_success(&self, commit: &str) {
        self.server
            .report_status(REPO, commit, "jane", "ci/test", "success");
    }

    fn protect_main(&self) {
        self.server.require_checks(REPO, "main", &[]);
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
async fn many_notes_are_written_in_batches_to_one_check() {
    let Some(bed) = new() else {
        return;
    };
    let note = |line| CheckNote {
        path: "Cargo.lock".into(),
        line,
        level: NoteLevel::Failure,
        title: "title".into(),
        message: format!("note {line}"),
    };
    let report = VerdictReport {
        name: "patchgate review".into(),
        head_sha: bed.tip("main").unwrap(),
        conclusion: Conclusion::Failure,
        title: "failed".into(),
        summary: "text".into(),
        notes: (1..=120).map(note).collect(),
    };
    bed.forge.report_verdict(&report).await.unwrap();

    let checks = bed.server.check_runs(REPO);
    let [check] = &checks[..] else {
        panic!("one check: {checks:?}");
    };
    let messages: Vec<&str> = check
        .annotations
        .iter()
        .map(|note| note["message"].as_str().unwrap())
        .collect();
    let expected: Vec<String> = (1..=120).map(|line| format!("note {line}")).collect();
    assert_eq!(messages, expected);
    assert_eq!(check.conclusion.as_deref(), Some("failure"));
    assert_eq!(bed.violations(), Vec::<String>::new());
}
