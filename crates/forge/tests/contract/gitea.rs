//! The contract on a real Gitea.

use std::path::Path;

use patchgate_forge::git::PushTarget;
use patchgate_forge::{Forge as _, ForgeKind, Gitea, MergeOutcome, MergeText, TokenIdentity};
use patchgate_http::Secret;
use patchgate_model::MergeMethod;
use patchgate_testkit::{GiteaRepository, GiteaServer, GiteaUser, Tools};
use serde_json::{Value, json};

use crate::bed::{Bed, client, only, run};
use crate::proxy::Proxy;

/// The least scopes of a token, as `docs/forges.md` names them.
const SCOPES: &str = "write:repository,write:issue,read:user";

pub(crate) struct OnGitea {
    server: GiteaServer,
    repository: GiteaRepository,
    person: GiteaUser,
    forge: Gitea,
    target: PushTarget,
    proxy: Proxy,
    identity: TokenIdentity,
}

pub(crate) fn new() -> Option<OnGitea> {
    let server = GiteaServer::start(&Tools::installed()?)?;
    let person = server.user("jane", "all");
    let bot = server.user("patchgate-bot", SCOPES);
    let repository = server.repository(&person, "shop", &bot);
    repository.commit("main", "start", &[("Cargo.lock", b"1\n"), ("b", b"b\n")]);
    server.wait_for_push(&person, "shop");
    let account = server.expect(&person, "GET", "/users/patchgate-bot", &Value::Null, 200);
    let secret = Secret::new(&bot.token);
    let proxy = Proxy::default();
    let url = proxy.through(&server.url());
    let api = format!("{url}/api/v1");
    let forge = Gitea::new(&client(), &api, &secret, "jane/shop".parse().unwrap()).unwrap();
    let target = PushTarget::new(&format!("{url}/jane/shop"), &secret).unwrap();

    Some(OnGitea {
        server,
        repository,
        person,
        forge,
        target,
        proxy,
        identity: TokenIdentity {
            login: "patchgate-bot".to_owned(),
            id: account["id"].as_u64(),
            email: "patchgate-bot@people.invalid".to_owned(),
        },
    })
}

impl OnGitea {
    fn as_person(&self, method: &str, path: &str, body: &Value, status: u16) -> Value {
        let path = format!("/repos/jane/shop{path}");
        self.server
            .expect(&self.person, method, &path, body, status)
    }
}

impl Bed for OnGitea {
    type Api = Gitea;

    fn forge(&self) -> &Gitea {
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
        self.repository.scratch().path()
    }

    fn tip(&self, branch: &str) -> Option<String> {
        self.repository.tip(branch)
    }

    fn branches(&self) -> Vec<String> {
        self.repository.branches()
    }

    fn file(&self, revision: &str, path: &str) -> Option<Vec<u8>> {
        self.repository.fetch();
        self.repository.scratch().file(revision, path)
    }

    fn reset(&self, branch: &str, commit: &str) {
        self.repository.reset(branch, commit);
    }

    fn state(&self, number: u64) -> (bool, Vec<String>) {
        let path = format!("/pulls/{number}");
        let pull = self.as_person("GET", &path, &Value::Null, 200);
        let labels = pull["labels"].as_array().unwrap();
        let names = labels.iter().map(|label| label["name"].as_str().unwrap());
        (pull["state"] == "open", names.map(str::to_owned).collect())
    }

    fn close_by_person(&self, number: u64) {
        let body = json!({ "state": "closed" });
        self.as_person("PATCH", &format!("/pulls/{number}"), &body, 201);
    }

    fn open_by_person(&self, branch: &str, body: &str) -> u64 {
        let body = json!({ "title": "mine", "head": branch, "base": "main", "body": body });
        let pull = self.as_person("POST", "/pulls", &body, 201);
        pull["number"].as_u64().unwrap()
    }

    fn comment_by_person(&self, number: u64, text: &str) -> u64 {
        let path = format!("/issues/{number}/comments");
        let comment = self.as_person("POST", &path, &json!({ "body": text }), 201);
        comment["id"].as_u64().unwrap()
    }

    fn edit_by_person(&self, _number: u64, comment: u64, text: &str) {
        // Gitea's times have whole seconds.
        std::thread::sleep(std::time::Duration::from_millis(1_100));
        let path = format!("/issues/comments/{comment}");
        self.as_person("PATCH", &path, &json!({ "body": text }), 200);
    }

    fn let_see_permissions(&self) {
        let body = json!({ "permission": "admin" });
        self.as_person("PUT", "/collaborators/patchgate-bot", &body, 204);
    }

    fn close_issue_by_person(&self, number: u64) {
        let body = json!({ "state": "closed" });
        self.as_person("PATCH", &format!("/issues/{number}"), &body, 201);
    }

    fn disable_issues(&self) {
        self.as_person("PATCH", "", &json!({ "has_issues": false }), 200);
    }

    fn report_success(&self, commit: &str) {
        let body = json!({ "context": "ci/test", "state": "success" });
        self.as_person("POST", &format!("/statuses/{commit}"), &body, 201);
    }

    fn protect_main(&self) {
        let body = json!({ "rule_name": "main", "enable_push": false });
        self.as_person("POST", "/branch_protections", &body, 201);
    }

    fn shown(&self, format: &str, commit: &str) -> String {
        let format = format!("--format={format}");
        self.repository.fetch();
        let arguments = ["show", "--no-patch", &format, commit];
        self.repository.scratch().git(&arguments)
    }

    fn violations(&self) -> Vec<String> {
        Vec::new()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn protection_and_objections_are_evidence_and_stop_a_merge() {
    let Some(bed) = new() else {
        return;
    };
    run(&bed, "2").await;
    let (branch, number, _) = only(&bed).await;
    let head = bed.tip(&branch).unwrap();
    let rule = json!({
        "rule_name": "main", "enable_status_check": true, "status_check_contexts": ["ci/must"],
    });
    bed.as_person("POST", "/branch_protections", &rule, 201);
    let path = format!("/pulls/{number}/reviews");
    let review = json!({ "event": "REQUEST_CHANGES", "body": "why?" });
    bed.as_person("POST", &path, &review, 200);

    let evidence = bed.forge.evidence(number, &|_| false, None).await;
    let checks = evidence.branch_checks.as_ref().unwrap();
    let names: Vec<&str> = checks.iter().map(|check| check.name.as_str()).collect();
    assert_eq!(names, ["ci/must"]);
    assert_eq!(evidence.changes_requested, Ok(vec!["jane".to_owned()]));
    let text = MergeText::of(ForgeKind::Gitea, number, &head, &head);
    let outcome = bed
        .forge
        .merge(number, &head, MergeMethod::Squash, &text)
        .await;
    assert!(
        matches!(outcome, Ok(MergeOutcome::NotMergeable { .. })),
        "{outcome:?}"
    );
    assert!(bed.state(number).0);

    // Her approval replaces her objection, and names the commit.
    let review = json!({ "event": "APPROVED", "body": "" });
    bed.as_person("POST", &path, &review, 200);
    let evidence = bed.forge.evidence(number, &|_| false, None).await;
    assert_eq!(evidence.changes_requested, Ok(Vec::new()));
    let approvals = evidence.safeguards.approvals.unwrap();
    let [approval] = &approvals[..] else {
        panic!("one approval: {approvals:?}");
    };
    assert_eq!(approval.account.login, "jane");
    assert!(approval.account.id.is_some() && approval.may_write);
    assert_eq!(approval.commit, head);
}
