//! The repository on a forge that the tests of the contract work on.

use std::path::Path;

use patchgate_forge::git::{CommitIdentity, NewCommit, PatchgateBranch, PushTarget, commit_files};
use patchgate_forge::publish::{PublishError, PublishOutcome, Publisher};
use patchgate_forge::pull_request::{DesiredState, Proposal};
use patchgate_forge::{Forge, TokenIdentity};
use patchgate_http::{Client, ClientOptions};
use patchgate_model::{Bump, EcosystemName, FileChange, Plan, PlanBlock, Upgrade};

use crate::proxy::Proxy;

/// A repository with `Cargo.lock` (`1`) and `b` on `main`, and a token that may write it.
pub(crate) trait Bed {
    type Api: Forge;

    fn forge(&self) -> &Self::Api;

    fn target(&self) -> &PushTarget;

    /// The proxy through which every request goes.
    fn proxy(&self) -> &Proxy;

    /// The account of the token, which the commits are from.
    fn identity(&self) -> Option<&TokenIdentity>;

    /// Name and e-mail for a commit that the forge assigns to the token's account.
    fn author(&self) -> (String, String);

    /// Commits to a branch on the forge, as another account.
    fn commit(&self, branch: &str, files: &[(&str, &[u8])]) -> String;

    /// The directory of a clone that has every commit of the forge.
    fn clone_dir(&self) -> &Path;

    fn tip(&self, branch: &str) -> Option<String>;

    fn branches(&self) -> Vec<String>;

    fn file(&self, revision: &str, path: &str) -> Option<Vec<u8>>;

    /// Sets a branch to a commit that the forge has, whatever it was.
    fn reset(&self, branch: &str, commit: &str);

    /// Whether a pull request is open, and its labels.
    fn state(&self, number: u64) -> (bool, Vec<String>);

    /// Lets a person close a pull request.
    fn close_by_person(&self, number: u64);

    /// Lets a person open a pull request into `main`.
    fn open_by_person(&self, branch: &str, body: &str) -> u64;

    /// Lets a person who may write add a comment. Returns its id.
    fn comment_by_person(&self, number: u64, text: &str) -> u64;

    /// Lets that person change the text of a comment.
    fn edit_by_person(&self, number: u64, comment: u64, text: &str);

    /// Gives the token the role by which it sees who may write, where that is another one.
    fn let_see_permissions(&self) {}

    /// Lets a person close an issue.
    fn close_issue_by_person(&self, number: u64);

    /// Disables the issues of the project.
    fn disable_issues(&self);

    /// Reports a successful check `ci/test` of another account on a commit.
    fn report_success(&self, commit: &str);

    /// Protects `main` against direct pushes.
    fn protect_main(&self);

    /// A commit on the forge, in a format of `git show`.
    fn shown(&self, format: &str, commit: &str) -> String;

    /// The message of a commit on the forge.
    fn message(&self, commit: &str) -> String {
        self.shown("%B", commit)
    }

    /// The id of the tree of a commit.
    fn tree(&self, commit: &str) -> String {
        self.shown("%T", commit).trim().to_owned()
    }

    /// Violations of the forge's own description, in requests and in answers.
    fn violations(&self) -> Vec<String>;
}

/// A client that repeats nothing, so that a test sees every fault.
pub(crate) fn client() -> Client {
    Client::new(ClientOptions {
        retries: 0,
        ..ClientOptions::default()
    })
    .unwrap()
}

/// The proposal of a run that upgrades `x` to `to` on the present base.
pub(crate) async fn proposal(bed: &impl Bed, to: &str) -> (DesiredState, NewCommit) {
    let base = bed.tip("main").unwrap();
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
        changes: vec![FileChange {
            path: "Cargo.lock".into(),
            before: bed.file("main", "Cargo.lock").unwrap(),
            after: format!("{to}\n").into_bytes(),
        }],
        ..Plan::default()
    };

    let (name, email) = bed.author();
    let identity = CommitIdentity::new(&name, &email).unwrap();
    let commit = commit_files(bed.clone_dir(), &base, &plan.changes, &identity, "Fix x")
        .await
        .unwrap();
    let block = PlanBlock::new(&plan, &base, &commit.id).render();
    let wanted = DesiredState::of(vec![Proposal {
        branch: PatchgateBranch::for_plan("fix", &plan.branch_digest("main")),
        commit: commit.id.clone(),
        title: format!("Update x to {to}"),
        body: format!("Moves x.\n\n/close\n{block}\n"),
        is_urgent: false,
        waits: None,
    }]);

    (wanted, commit)
}

pub(crate) async fn publish(
    bed: &impl Bed,
    wanted: &DesiredState,
    commit: Option<&NewCommit>,
) -> Result<Vec<PublishOutcome>, PublishError> {
    Publisher {
        forge: bed.forge(),
        identity: bed.identity(),
        http: &client(),
        target: bed.target(),
        base: "main",
        labels: &["security".to_owned()],
    }
    .publish(wanted, commit.map(std::slice::from_ref).unwrap_or_default())
    .await
}

/// Publishes the upgrade of `x` to `to`; the outcomes by word and number.
pub(crate) async fn run(bed: &impl Bed, to: &str) -> Vec<(&'static str, u64)> {
    let (wanted, commit) = proposal(bed, to).await;
    let done = publish(bed, &wanted, Some(&commit)).await;
    words(&done.unwrap_or_else(|error| panic!("{error}: {:?}", bed.violations())))
}

pub(crate) fn words(done: &[PublishOutcome]) -> Vec<(&'static str, u64)> {
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

/// The branch of the only open pull request of Patchgate, its number, and its body.
pub(crate) async fn only(bed: &impl Bed) -> (String, u64, String) {
    let open = bed.forge().open_requests("main").await.unwrap();
    let [pull] = &open[..] else {
        panic!("one pull request: {open:?}");
    };
    (pull.branch.clone(), pull.number, pull.body.clone())
}
