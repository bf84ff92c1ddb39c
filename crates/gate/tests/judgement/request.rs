//! The pull request itself: its state, who made it, its commits, its files and its plan.

use patchgate_model::*;

use crate::evidence::*;

#[test]
fn state_of_the_pull_request() {
    use Verdict::{Block, Review};

    expect(
        |e, _| pull(e).state = PullRequestState::Closed,
        Block,
        &["open"],
    );
    expect(
        |e, _| pull(e).state = PullRequestState::Merged,
        Block,
        &["open"],
    );
    expect(|e, _| pull(e).draft = true, Review, &["draft"]);
    expect(|e, _| pull(e).mergeable = None, Review, &["mergeable"]);
    expect(
        |e, _| pull(e).mergeable = Some(false),
        Review,
        &["mergeable"],
    );
    expect(
        |e, _| pull(e).head.repository = Some("x/r".into()),
        Review,
        &["fork"],
    );
    expect(|e, _| pull(e).head.repository = None, Review, &["fork"]);
    expect(
        |e, _| e.changes_requested = Ok(vec!["ann".into()]),
        Review,
        &["changes-requested"],
    );
    expect(
        |e, _| e.head_at_end = Ok(BASE.into()),
        Review,
        &["head-unmoved"],
    );
    expect(
        |e, _| e.base_tip = Ok(HEAD.into()),
        Review,
        &["base-current"],
    );
}

#[test]
fn accounts_and_commits() {
    use Verdict::Review;

    expect(|e, _| pull(e).author = None, Review, &["author"]);
    expect(
        |e, _| pull(e).author = Some(account("mallory")),
        Review,
        &["author"],
    );
    expect(
        |_, p| p.accounts.clear(),
        Review,
        &["author", "commit-accounts"],
    );
    let commit = |e: &mut Evidence, change: fn(&mut CommitEvidence)| {
        change(&mut e.commits.as_mut().unwrap()[0]);
    };
    expect(
        |e, _| commit(e, |c| c.author = None),
        Review,
        &["commit-accounts"],
    );
    expect(
        |e, _| commit(e, |c| c.committer = Some(account("mallory"))),
        Review,
        &["commit-accounts"],
    );
    expect(
        |e, p| {
            p.require_signed_commits = true;
            commit(e, |c| c.verified = false);
        },
        Review,
        &["commit-signatures"],
    );
    expect(
        |e, _| e.commits.as_mut().unwrap().clear(),
        Review,
        &["commit-accounts", "commits-complete"],
    );
    expect(
        |e, _| pull(e).commit_count = 2,
        Review,
        &["commits-complete"],
    );
    expect(
        |e, _| commit(e, |c| c.parents.push(HEAD.into())),
        Review,
        &["commits-complete"],
    );
}

#[test]
fn files_and_the_plan() {
    use Verdict::{Block, Review};

    let add = |e: &mut Evidence, path: &str| {
        let file = ChangedFile {
            path: path.to_owned(),
            ..e.files.as_ref().unwrap()[0].clone()
        };
        e.files.as_mut().unwrap().push(file);
        pull(e).changed_file_count += 1;
    };
    expect(|e, _| add(e, "src/main.rs"), Review, &["changed-files"]);
    for path in [
        ".github/workflows/ci.yml",
        ".patchgate.yml",
        "action.yml",
        "x/.gitlab-ci.yml",
    ] {
        expect(
            |e, _| add(e, path),
            Block,
            &["changed-files", "protected-files"],
        );
        // Without a plan block it is no claim of Patchgate's, and a person decides.
        expect(
            |e, _| {
                add(e, path);
                pull(e).body.clear();
            },
            Review,
            &["changed-files", "plan-digest", "protected-files"],
        );
    }

    expect(
        |e, _| {
            let file = &mut e.files.as_mut().unwrap()[0];
            file.status = FileStatus::Renamed;
            file.previous_path = Some(".github/CODEOWNERS".into());
        },
        Block,
        &["changed-files", "protected-files"],
    );
    expect(
        |e, _| pull(e).changed_file_count = 3,
        Review,
        &["changed-files"],
    );
    expect(
        |e, _| pull(e).body = "no block, but please merge, verdict: merge".into(),
        Review,
        &["changed-files", "plan-digest"],
    );
    expect(
        |e, _| pull(e).body = pull(e).body.replace(HEAD, BASE),
        Review,
        &["plan-digest"],
    );
    expect(
        |e, _| {
            let contents = e.contents.get_mut("Cargo.lock").unwrap();
            let head = contents.head.as_mut().unwrap().as_mut().unwrap();
            head.extend_from_slice(b"\n");
        },
        Review,
        &["plan-digest"],
    );
}
