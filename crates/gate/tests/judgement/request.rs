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
    expect(
        |e, _| add(e, "src/main.rs"),
        Review,
        &["changed-files", "plan-proof"],
    );
    for path in [
        ".github/workflows/ci.yml",
        ".patchgate.yml",
        "action.yml",
        "x/.gitlab-ci.yml",
    ] {
        expect(
            |e, _| add(e, path),
            Block,
            &["changed-files", "plan-proof", "protected-files"],
        );
        // Without a plan block it is no claim of Patchgate's, and a person decides.
        expect(
            |e, _| {
                add(e, path);
                pull(e).body.clear();
            },
            Review,
            &[
                "changed-files",
                "plan-digest",
                "plan-proof",
                "protected-files",
            ],
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
        &["changed-files", "plan-digest", "plan-proof"],
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
        &["plan-digest", "plan-proof"],
    );
}

/// A login that was given up can be taken by another user.
#[test]
fn attack_35_an_account_is_its_id() {
    for id in [None, Some(1)] {
        expect(
            |_, p| p.accounts[0].id = id,
            Verdict::Review,
            &["author", "commit-accounts"],
        );
    }
    expect(
        |e, _| pull(e).author.as_mut().unwrap().id = None,
        Verdict::Review,
        &["author"],
    );
    expect(
        |e, _| {
            let commit = &mut e.commits.as_mut().unwrap()[0];
            commit.committer.as_mut().unwrap().id = Some(1);
        },
        Verdict::Review,
        &["commit-accounts"],
    );
}

/// Any workflow of any branch acts as this account.
#[test]
fn attack_04_the_account_of_all_workflows_is_no_identity() {
    let workflow = |e: &mut Evidence, p: &mut GatePolicy| {
        let bot = account("github-actions[bot]");
        p.accounts = vec![trusted("github-actions[bot]")];
        pull(e).author = Some(bot.clone());
        let commit = &mut e.commits.as_mut().unwrap()[0];
        commit.author = Some(bot.clone());
        commit.committer = Some(bot);
    };
    expect(workflow, Verdict::Review, &["author", "commit-accounts"]);
    expect(
        |e, p| {
            workflow(e, p);
            p.trust_any_workflow = true;
        },
        Verdict::Merge,
        &[],
    );
}

/// Whoever may push to the base branch may change the policy.
#[test]
fn attack_36_an_unprotected_base_is_for_review() {
    for is_protected in [Ok(false), Err(Missing::new("lost"))] {
        expect(
            |e, _| e.safeguards.base_is_protected = is_protected,
            Verdict::Review,
            &["base-protected"],
        );
    }
}

/// A token that may bypass the forge's rules would merge over them.
#[test]
fn attack_19_the_forges_own_block_counts() {
    let blocked = |e: &mut Evidence| pull(e).mergeable_state = Some("blocked".into());
    let own = |e: &mut Evidence| {
        e.branch_checks.as_mut().unwrap().push(BranchCheck {
            name: "patchgate".into(),
            app_id: None,
        });
    };
    expect(|e, _| blocked(e), Verdict::Review, &["not-blocked"]);
    // It waits for the verdict that is just made.
    expect(
        |e, _| {
            blocked(e);
            own(e);
        },
        Verdict::Merge,
        &[],
    );
    // The verdict is there, so something else is missing.
    expect(
        |e, _| {
            blocked(e);
            own(e);
            let done = check(9, "patchgate", CheckOutcome::Success);
            e.check_runs.as_mut().unwrap().push(done);
        },
        Verdict::Review,
        &["not-blocked"],
    );
}

#[test]
fn attack_19_approvals_are_for_the_head_and_by_others_who_may_write() {
    let with = |approvals: Vec<Approval>, verdict: Verdict, codes: &[&str]| {
        expect(
            |e, p| {
                p.required_approvals = 2;
                e.safeguards.approvals = Ok(approvals);
            },
            verdict,
            codes,
        );
    };
    let approval = |login: &str| Approval {
        account: account(login),
        commit: HEAD.into(),
        may_write: true,
    };
    let (ann, bob) = (approval("ann"), approval("bob"));
    with(vec![ann.clone(), bob.clone()], Verdict::Merge, &[]);

    let old = Approval {
        commit: BASE.into(),
        ..bob.clone()
    };
    let reader = Approval {
        may_write: false,
        ..bob
    };
    for second in [ann.clone(), old, reader, approval("fixer[bot]")] {
        with(vec![ann.clone(), second], Verdict::Review, &["approvals"]);
    }
    expect(
        |e, p| {
            p.required_approvals = 1;
            e.safeguards.approvals = Err(Missing::new("lost"));
        },
        Verdict::Review,
        &["approvals"],
    );
}

#[test]
fn attack_23_a_label_stops_a_merge() {
    for label in ["hold", "Do-Not-Merge", " HOLD "] {
        expect(
            |e, _| pull(e).labels.push(label.into()),
            Verdict::Review,
            &["hold"],
        );
    }
    expect(
        |e, p| {
            p.hold_labels = vec!["waits".into()];
            pull(e).labels = vec!["hold".into()];
        },
        Verdict::Merge,
        &[],
    );
}

#[test]
fn a_freeze_and_the_stop_file_stop_merges() {
    let freeze = |e: &mut Evidence, p: &mut GatePolicy, from: &str| {
        p.freezes = vec![Freeze {
            period: FreezePeriod::Once {
                from: from.parse().unwrap(),
                to: "2026-12-24T00:00:00Z".parse().unwrap(),
            },
            reason: "the holidays".into(),
        }];
        e.safeguards.now = Ok("2026-12-23T23:59:59Z".parse().unwrap());
    };
    expect(
        |e, p| freeze(e, p, "2026-12-20T00:00:00Z"),
        Verdict::Review,
        &["freeze"],
    );
    expect(
        |e, p| freeze(e, p, "2026-12-23T23:59:59.5Z"),
        Verdict::Merge,
        &[],
    );
    expect(
        |e, p| {
            freeze(e, p, "2026-12-20T00:00:00Z");
            e.safeguards.now = Err(Missing::new("no clock"));
        },
        Verdict::Review,
        &["freeze"],
    );
    for is_stopped in [Ok(true), Err(Missing::new("lost"))] {
        expect(
            |e, _| e.safeguards.is_stopped = is_stopped,
            Verdict::Review,
            &["not-stopped"],
        );
    }
}

/// Both sides changed the lockfile, and git merges the text.
#[test]
fn attack_20_the_merge_result_with_newer_commits_is_judged() {
    let behind = |e: &mut Evidence, p: &mut GatePolicy, newer: Fetched<Vec<String>>| {
        p.require_up_to_date = false;
        e.base_tip = Ok(HEAD.into());
        e.safeguards.base_changes = newer;
    };
    expect(
        |e, p| behind(e, p, Ok(vec!["src/main.rs".into()])),
        Verdict::Merge,
        &[],
    );
    for path in ["Cargo.lock", "web/package.json"] {
        expect(
            |e, p| behind(e, p, Ok(vec![path.into()])),
            Verdict::Review,
            &["base-current"],
        );
    }
    expect(
        |e, p| behind(e, p, Err(Missing::new("lost"))),
        Verdict::Review,
        &["base-current"],
    );
}

/// A rebase keeps the texts of the commits, such as `[skip ci]`.
#[test]
fn attack_22_the_gate_writes_the_text_of_the_merge() {
    expect(
        |_, p| p.merge_method = MergeMethod::Rebase,
        Verdict::Review,
        &["merge-text"],
    );
    expect(
        |_, p| p.merge_method = MergeMethod::Merge,
        Verdict::Merge,
        &[],
    );
}
