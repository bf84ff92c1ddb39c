//! Pushes to git's own `http-backend`, from shallow clones, with a token that git never sees.
#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

use std::path::Path;
use std::process::Command;

use patchgate_forge::git::{
    CommitIdentity, Lease, NewCommit, PatchgateBranch, PushError, PushTarget, commit_files,
    current_head, remote_head,
};
use patchgate_http::{Client, ClientOptions, Secret};
use patchgate_model::FileChange;
use patchgate_testkit::{GitServer, GitToken, Repository};

const TOKEN: &str = "ghs_secret0123456789";
const READER: &str = "ghs_reader0123456789";

struct Stage {
    server: GitServer,
    repository: Repository,
    clone: tempfile::TempDir,
    http: Client,
}

fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(["-c", "user.name=T", "-c", "user.email=t@example.invalid"])
        .args(arguments)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );

    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn stage() -> Stage {
    let token = |secret: &str, may_push| GitToken {
        secret: secret.to_owned(),
        may_push,
    };
    let server = GitServer::start(vec![token(TOKEN, true), token(READER, false)]);
    let repository = server.create("o/r");
    repository.commit("main", "one", &[("a/x.lock", b"0\n"), ("b", b"b\n")]);
    repository.commit("main", "two", &[("a/x.lock", b"1\n")]);
    let clone = tempfile::tempdir().unwrap();
    let address = format!("file://{}", repository.path().display());
    git(
        clone.path(),
        &["clone", "--quiet", "--depth=1", &address, "."],
    );

    Stage {
        server,
        repository,
        clone,
        http: Client::new(ClientOptions {
            retries: 0,
            ..ClientOptions::default()
        })
        .unwrap(),
    }
}

impl Stage {
    fn target(&self, token: &str) -> PushTarget {
        PushTarget::new(&format!("{}/o/r", self.server.url()), &Secret::new(token)).unwrap()
    }

    fn tip(&self) -> String {
        self.repository.tip("main").unwrap()
    }

    async fn commit(&self, after: &[u8]) -> NewCommit {
        commit_files(
            self.clone.path(),
            &self.tip(),
            &[change(b"1\n", after)],
            &identity(),
            "Fix one package\n\nBody.\n",
        )
        .await
        .unwrap()
    }
}

fn change(before: &[u8], after: &[u8]) -> FileChange {
    FileChange {
        path: "a/x.lock".to_owned(),
        before: before.to_vec(),
        after: after.to_vec(),
    }
}

fn identity() -> CommitIdentity {
    CommitIdentity::new("fixer[bot]", "1+fixer[bot]@users.noreply.example.invalid").unwrap()
}

fn branch() -> PatchgateBranch {
    PatchgateBranch::existing("patchgate/fix-1").unwrap()
}

#[tokio::test]
async fn a_branch_is_made_moved_and_deleted() {
    let stage = stage();
    let target = stage.target(TOKEN);
    let first = stage.commit(b"2\n").await;
    target
        .push(&stage.http, &branch(), &first, &Lease::Absent)
        .await
        .unwrap();

    assert_eq!(
        stage.repository.tip("patchgate/fix-1"),
        Some(first.id.clone())
    );
    assert_eq!(
        stage
            .repository
            .file("patchgate/fix-1", "a/x.lock")
            .unwrap(),
        b"2\n"
    );
    assert_eq!(
        stage.repository.file("patchgate/fix-1", "b").unwrap(),
        b"b\n"
    );
    assert_eq!(
        stage.repository.git(&[
            "log",
            "-1",
            "--format=%P %an %ae %ad %cn",
            "--date=unix",
            "patchgate/fix-1"
        ]),
        format!(
            "{} fixer[bot] 1+fixer[bot]@users.noreply.example.invalid 1700000000 fixer[bot]",
            stage.tip()
        )
    );
    assert_eq!(
        remote_head(&target, &stage.http, "patchgate/fix-1")
            .await
            .unwrap(),
        Some(first.id.clone())
    );

    let second = stage.commit(b"3\n").await;
    target
        .push(
            &stage.http,
            &branch(),
            &second,
            &Lease::At(first.id.clone()),
        )
        .await
        .unwrap();

    assert_eq!(
        stage.repository.tip("patchgate/fix-1"),
        Some(second.id.clone())
    );

    target
        .delete(&stage.http, &branch(), &Lease::At(second.id))
        .await
        .unwrap();
    assert_eq!(stage.repository.branches(), ["main"]);
}

#[tokio::test]
async fn the_same_content_gives_the_same_commit_and_leaves_the_clone_alone() {
    let stage = stage();
    std::fs::write(stage.clone.path().join("b"), "local change\n").unwrap();
    let before = git(stage.clone.path(), &["status", "--porcelain", "--branch"]);
    let (first, second) = (stage.commit(b"2\n").await, stage.commit(b"2\n").await);

    assert_eq!(first, second);
    assert_ne!(first.id, stage.commit(b"3\n").await.id);
    assert_eq!(
        git(stage.clone.path(), &["status", "--porcelain", "--branch"]),
        before
    );
}

#[tokio::test]
async fn a_lease_that_is_lost_moves_nothing() {
    let stage = stage();
    let target = stage.target(TOKEN);
    let ours = stage.commit(b"2\n").await;
    let theirs = stage
        .repository
        .commit("patchgate/fix-1", "theirs", &[("c", b"c\n")]);

    for lease in [
        Lease::Absent,
        Lease::At(ours.id.clone()),
        Lease::At(stage.tip()),
    ] {
        let error = target
            .push(&stage.http, &branch(), &ours, &lease)
            .await
            .unwrap_err();
        assert!(matches!(error, PushError::Moved { .. }), "{error}");
        assert_eq!(
            error.to_string(),
            "the branch `patchgate/fix-1` moved while it was being written"
        );
        let error = target
            .delete(&stage.http, &branch(), &lease)
            .await
            .unwrap_err();
        assert!(matches!(error, PushError::Moved { .. }), "{error}");
    }

    assert_eq!(stage.repository.tip("patchgate/fix-1"), Some(theirs));
}

#[tokio::test]
async fn a_server_that_refuses_says_why() {
    let stage = stage();
    let hook = stage.repository.path().join("hooks/update");
    std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
    std::fs::write(&hook, "#!/bin/sh\necho no >&2\nexit 1\n").unwrap();
    let mut permissions = std::fs::metadata(&hook).unwrap().permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o755);
    std::fs::set_permissions(&hook, permissions).unwrap();
    let commit = stage.commit(b"2\n").await;
    let error = stage
        .target(TOKEN)
        .push(&stage.http, &branch(), &commit, &Lease::Absent)
        .await
        .unwrap_err();

    assert_eq!(
        error.to_string(),
        "the server refused the branch `patchgate/fix-1`: hook declined"
    );
    assert!(error.hint().unwrap().contains("protection rule"));
}

#[tokio::test]
async fn a_token_that_may_not_push_is_named_as_such_and_never_shown() {
    let stage = stage();
    let commit = stage.commit(b"2\n").await;
    for token in [READER, "wrong0123456789"] {
        let target = stage.target(token);
        let error = target
            .push(&stage.http, &branch(), &commit, &Lease::Absent)
            .await
            .unwrap_err();

        assert!(
            matches!(error, PushError::NotPermitted { status: 401 | 403 }),
            "{error:?}"
        );
        assert!(error.hint().unwrap().contains("contents: write"));

        let printed = format!("{error} {error:?} {target:?}");
        assert!(!printed.contains(token), "{printed}");
    }

    assert_eq!(stage.repository.branches(), ["main"]);
}

#[tokio::test]
async fn an_address_that_would_show_the_token_is_refused() {
    let secret = Secret::new(TOKEN);
    for address in [
        "http://forge.invalid/o/r",
        "ssh://git@forge.invalid/o/r",
        "https://user:pass@forge.invalid/o/r",
        "o/r",
    ] {
        let error = PushTarget::new(address, &secret).unwrap_err();
        assert!(matches!(error, PushError::Address(_)), "{address}: {error}");
        assert!(!error.to_string().contains("pass@"));
    }
}

#[tokio::test]
async fn what_is_not_git_is_said() {
    let stage = stage();
    let target = PushTarget::new(&stage.server.url(), &Secret::new(TOKEN)).unwrap();
    let commit = stage.commit(b"2\n").await;

    assert!(
        target
            .push(&stage.http, &branch(), &commit, &Lease::Absent)
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_plan_made_from_other_files_is_no_commit() {
    let stage = stage();
    let commit = async |change| {
        commit_files(
            stage.clone.path(),
            &stage.tip(),
            &[change],
            &identity(),
            "m",
        )
        .await
        .unwrap_err()
        .to_string()
    };

    assert_eq!(
        commit(change(b"other\n", b"2\n")).await,
        "`a/x.lock` differs from the commit that the branch would start from; commit or undo the local change"
    );

    let mut missing = change(b"", b"2\n");
    missing.path = "nowhere".to_owned();

    assert_eq!(
        commit(missing).await,
        "`nowhere` is not in the commit that the branch would start from"
    );

    let mut folder = change(b"", b"2\n");
    folder.path = "a".to_owned();

    assert_eq!(
        commit(folder).await,
        "`a` is not a regular file in the commit"
    );
}

#[tokio::test]
async fn a_hostile_clone_runs_nothing() {
    let stage = stage();
    let folder = stage.clone.path();
    let proof = folder.join("ran");
    let program = folder.join("evil.sh");
    std::fs::write(
        &program,
        format!("#!/bin/sh\ntouch '{}'\n", proof.display()),
    )
    .unwrap();
    let mut permissions = std::fs::metadata(&program).unwrap().permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o755);
    std::fs::set_permissions(&program, permissions).unwrap();
    let program = program.display().to_string();
    for (key, value) in [
        ("core.fsmonitor", program.as_str()),
        ("core.hooksPath", folder.to_str().unwrap()),
        ("core.pager", &program),
        ("core.editor", &program),
        ("core.sshCommand", &program),
        ("credential.helper", &program),
        ("filter.evil.clean", &program),
        ("filter.evil.smudge", &program),
        ("filter.evil.process", &program),
        ("diff.external", &program),
        ("gpg.program", &program),
        ("commit.gpgSign", "true"),
        ("log.showSignature", "true"),
        ("pack.packObjectsHook", &program),
        ("uploadpack.packObjectsHook", &program),
    ] {
        git(folder, &["config", key, value]);
    }

    std::fs::write(folder.join(".gitattributes"), "* filter=evil\n").unwrap();
    let commit = stage.commit(b"2\n").await;

    assert!(current_head(folder).await.is_ok());

    stage
        .target(TOKEN)
        .push(&stage.http, &branch(), &commit, &Lease::Absent)
        .await
        .unwrap();
    assert!(!proof.exists());
}

#[tokio::test]
async fn the_head_is_read_on_and_off_a_branch() {
    let stage = stage();
    let head = current_head(stage.clone.path()).await.unwrap();

    assert_eq!(
        (head.commit, head.branch.as_deref()),
        (stage.tip(), Some("main"))
    );

    git(stage.clone.path(), &["checkout", "--quiet", "--detach"]);
    let head = current_head(stage.clone.path()).await.unwrap();

    assert_eq!((head.commit, head.branch), (stage.tip(), None));

    let elsewhere = tempfile::tempdir().unwrap();
    let error = current_head(elsewhere.path()).await.unwrap_err();

    assert!(
        error.to_string().contains("not a git repository"),
        "{error}"
    );
    assert_eq!(
        error.hint(),
        Some("run it inside a clone of the repository")
    );
}
