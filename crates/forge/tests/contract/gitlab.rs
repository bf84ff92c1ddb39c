//! The contract on the fake GitLab.

use std::path::Path;

use patchgate_forge::git::PushTarget;
use patchgate_forge::{GitLab, TokenIdentity};
use patchgate_http::Secret;
use patchgate_testkit::{FakeGitLab, GitLabUser, Repository, Tools};

use crate::bed::{Bed, client};

/// A project in a group of a group.
const PROJECT: &str = "acme/platform/web/shop";

pub(crate) struct OnGitLab {
    pub(crate) server: FakeGitLab,
    repository: Repository,
    forge: GitLab,
    target: PushTarget,
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
    let forge = GitLab::new(&client(), &server.api_url(), &secret, project).unwrap();
    let target = format!("{}/{PROJECT}.git", server.server_url());
    let target = PushTarget::new(&target, &secret).unwrap();

    Some(OnGitLab {
        server,
        repository,
        forge,
        target,
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

    fn report_success(&self, commit: &str) {
        self.server
            .report_status(PROJECT, commit, "jane", "ci/test", "success");
    }

    fn protect_main(&self) {
        self.server.protect(PROJECT, "main");
    }

    fn message(&self, commit: &str) -> String {
        self.repository
            .git(&["show", "--no-patch", "--format=%B", commit])
    }

    fn violations(&self) -> Vec<String> {
        self.server.violations()
    }
}
