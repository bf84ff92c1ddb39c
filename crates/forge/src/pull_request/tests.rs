use patchgate_model::{EcosystemName, FileChange, FixedFinding, Plan};

use super::*;

fn body(commit: &str) -> String {
    let plan = Plan {
        changes: vec![FileChange {
            path: "Cargo.lock".into(),
            before: Vec::new(),
            after: b"x".to_vec(),
        }],
        ..Plan::default()
    };
    format!("text\n{}", PlanBlock::new(&plan, "base", commit).render())
}

fn proposal(branch: &str, commit: &str) -> Proposal {
    Proposal {
        branch: PatchgateBranch::existing(branch).unwrap(),
        commit: commit.to_owned(),
        title: "Fix".to_owned(),
        body: body(commit),
        is_urgent: false,
        waits: None,
    }
}

fn pull(number: u64, branch: &str, head: &str, recorded: &str) -> OpenPullRequest {
    OpenPullRequest {
        number,
        url: String::new(),
        author: Some(Account {
            login: "bot".into(),
            id: None,
            kind: "User".into(),
        }),
        assignees: Vec::new(),
        labels: Vec::new(),
        title: "Fix".to_owned(),
        body: body(recorded),
        branch: branch.to_owned(),
        head: head.to_owned(),
        base: "main".to_owned(),
        created_at: None,
    }
}

/// The decision for the token of the account `bot`.
fn decide(wanted: &DesiredState, open: &[OpenPullRequest]) -> Vec<Step> {
    let identity = TokenIdentity {
        login: "Bot".into(),
        id: Some(1),
        email: "bot@example.invalid".into(),
    };
    super::decide(wanted, open, Some(&identity))
}

#[test]
fn a_pull_request_of_another_account_is_left_alone() {
    let mut theirs = pull(1, "patchgate/fix-aaaaaaaaaaaa", "c1", "c1");
    theirs.author = Some(Account {
        login: "octocat".into(),
        id: None,
        kind: "User".into(),
    });
    let left = [Step::Leave {
        number: 1,
        because: LeaveReason::ForeignAuthor,
    }];
    for wanted in [wanted("c1"), wanted("c2"), DesiredState::nothing()] {
        assert_eq!(decide(&wanted, &[theirs.clone()]), left);
        // An app's token on GitHub: a person is no bot.
        assert_eq!(super::decide(&wanted, &[theirs.clone()], None), left);
    }

    theirs.author = None;
    assert_eq!(decide(&DesiredState::nothing(), &[theirs.clone()]), left);
    theirs.author = Some(Account {
        login: "patchgate[bot]".into(),
        id: None,
        kind: "Bot".into(),
    });
    assert_eq!(decide(&DesiredState::nothing(), &[theirs.clone()]), left);
    assert!(matches!(
        super::decide(&DesiredState::nothing(), &[theirs], None)[..],
        [Step::Close { .. }]
    ));
}

fn wanted(commit: &str) -> DesiredState {
    DesiredState::of(vec![proposal("patchgate/fix-aaaaaaaaaaaa", commit)])
}

#[test]
fn nothing_new_changes_nothing() {
    let mut open = pull(1, "patchgate/fix-aaaaaaaaaaaa", "c1", "c1");
    open.body = open.body.replace('\n', "\r\n") + "\r\n";
    assert_eq!(
        decide(&wanted("c1"), &[open]),
        [Step::Keep {
            number: 1,
            proposal: 0
        }]
    );
}

#[test]
fn a_newer_date_alone_changes_nothing() {
    let dated = |date: &str| format!("as of {date} {DATED_MARK}\n{}", body("c1"));
    let mut open = pull(1, "patchgate/fix-aaaaaaaaaaaa", "c1", "c1");
    open.body = dated("2026-11-29");
    let mut wanted = wanted("c1");
    wanted.proposals[0].body = dated("2026-11-30");
    let keep = [Step::Keep {
        number: 1,
        proposal: 0,
    }];
    assert_eq!(decide(&wanted, &[open]), keep);
}

#[test]
fn the_first_run_opens_one() {
    assert_eq!(decide(&wanted("c1"), &[]), [Step::Open { proposal: 0 }]);
}

#[test]
fn a_moved_base_renews_the_same_pull_request() {
    assert_eq!(
        decide(
            &wanted("c2"),
            &[pull(1, "patchgate/fix-aaaaaaaaaaaa", "c1", "c1")]
        ),
        [Step::Renew {
            number: 1,
            proposal: 0,
            lease: Lease::At("c1".into())
        }]
    );
}

#[test]
fn a_run_that_was_cut_off_after_its_push_is_finished() {
    assert_eq!(
        decide(
            &wanted("c2"),
            &[pull(1, "patchgate/fix-aaaaaaaaaaaa", "c2", "c1")]
        ),
        [Step::Describe {
            number: 1,
            proposal: 0
        }]
    );
}

#[test]
fn another_plan_takes_the_place_of_the_old_one() {
    assert_eq!(
        decide(
            &wanted("c2"),
            &[pull(1, "patchgate/fix-bbbbbbbbbbbb", "c1", "c1")]
        ),
        [
            Step::Open { proposal: 0 },
            Step::Close {
                number: 1,
                branch: PatchgateBranch::existing("patchgate/fix-bbbbbbbbbbbb").unwrap(),
                head: "c1".into(),
                because: CloseReason::Superseded(vec![0]),
            }
        ]
    );
}

#[test]
fn an_incomplete_scan_closes_nothing() {
    let open = [pull(1, "patchgate/fix-bbbbbbbbbbbb", "c1", "c1")];
    let incomplete = DesiredState {
        unknown: Some("the scan is incomplete".into()),
        ..wanted("c2")
    };
    let unknown = DesiredState::unknown("the scan is incomplete");

    for wanted in [incomplete, unknown] {
        let steps = decide(&wanted, &open);
        assert!(
            matches!(
                steps.last(),
                Some(Step::Leave {
                    number: 1,
                    because: LeaveReason::NotKnown(_)
                })
            ),
            "{steps:?}"
        );
        assert!(!steps.iter().any(|step| matches!(step, Step::Close { .. })));
    }
}

#[test]
fn nothing_vulnerable_closes_what_is_patchgates_own() {
    let steps = decide(
        &DesiredState::nothing(),
        &[
            pull(1, "patchgate/fix-aaaaaaaaaaaa", "c1", "c1"),
            pull(2, "patchgate/fix-bbbbbbbbbbbb", "theirs", "c1"),
        ],
    );

    assert!(matches!(
        &steps[..],
        [
            Step::Close {
                number: 1,
                because: CloseReason::Resolved,
                ..
            },
            Step::Leave {
                number: 2,
                because: LeaveReason::ForeignCommit
            }
        ]
    ));
}

#[test]
fn commits_of_others_are_never_overwritten() {
    for wanted in [wanted("c2"), DesiredState::nothing()] {
        assert_eq!(
            decide(
                &wanted,
                &[pull(1, "patchgate/fix-aaaaaaaaaaaa", "theirs", "c1")]
            ),
            [Step::Leave {
                number: 1,
                because: LeaveReason::ForeignCommit
            }]
        );
    }

    let mut broken = pull(1, "patchgate/fix-aaaaaaaaaaaa", "c1", "c1");
    broken.body = broken.body.replace("\"commit\"", "\"other\"");

    assert!(matches!(
        &decide(&wanted("c2"), &[broken])[..],
        [Step::Leave {
            because: LeaveReason::UnreadableBlock(_),
            ..
        }]
    ));
}

/// A body whose plan fixes a package in a file.
fn body_of(package: &str, file: &str, commit: &str) -> String {
    let plan = Plan {
        changes: vec![FileChange {
            path: file.into(),
            before: Vec::new(),
            after: b"x".to_vec(),
        }],
        fixed: vec![FixedFinding {
            ecosystem: EcosystemName::new("npm"),
            package: package.into(),
            version: "1".into(),
            id: "X-1".into(),
        }],
        ..Plan::default()
    };
    PlanBlock::new(&plan, "base", commit).render()
}

/// The proposal for a package in a file, on a branch of the group with the package's name.
fn step(package: &str, file: &str, digit: char) -> Proposal {
    let branch = PatchgateBranch::for_plan(package, &digit.to_string().repeat(12));
    Proposal {
        body: body_of(package, file, "new"),
        ..proposal(branch.name(), "new")
    }
}

fn open_step(number: u64, package: &str, file: &str, digit: char) -> OpenPullRequest {
    let branch = PatchgateBranch::for_plan(package, &digit.to_string().repeat(12));
    OpenPullRequest {
        body: body_of(package, file, "old"),
        ..pull(number, branch.name(), "old", "old")
    }
}

fn reasons(steps: &[Step]) -> Vec<(u64, Option<CloseReason>)> {
    let ends = steps.iter().filter_map(|step| match step {
        Step::Close {
            number, because, ..
        } => Some((*number, Some(because.clone()))),
        Step::Leave { number, .. } => Some((*number, None)),
        _ => None,
    });
    ends.collect()
}

#[test]
fn each_pull_request_ends_for_its_own_reason() {
    let open = [
        open_step(1, "qs", "a.json", '1'),
        open_step(2, "qs", "b.json", '2'),
        open_step(3, "ws", "a.json", '3'),
        open_step(4, "tar", "a.json", '4'),
    ];
    let wanted = DesiredState {
        // Another move of `qs` in one file; `tar` has a finding that nothing fixes.
        proposals: vec![step("qs", "a.json", '5')],
        remaining: ["npm:tar".to_owned()].into(),
        ..DesiredState::default()
    };

    assert_eq!(
        reasons(&decide(&wanted, &open)),
        [
            (1, Some(CloseReason::Superseded(vec![0]))),
            (2, Some(CloseReason::Resolved)),
            (3, Some(CloseReason::Resolved)),
            (4, None),
        ]
    );

    // One pull request for everything takes the place of all that share a package with it.
    let mut all = step("fix", "a.json", '6');
    all.body = body_of("ws", "a.json", "new");
    let steps = decide(&DesiredState::of(vec![all]), &open);
    assert_eq!(
        reasons(&steps)[2],
        (3, Some(CloseReason::Superseded(vec![0])))
    );
}

#[test]
fn a_block_that_names_no_package_stays_while_anything_is_left() {
    let old = pull(1, "patchgate/fix-aaaaaaaaaaaa", "c1", "c1");
    let mut wanted = DesiredState::nothing();
    wanted.remaining = ["npm:tar".to_owned()].into();
    assert_eq!(reasons(&decide(&wanted, &[old])), [(1, None)]);
}

fn opened(steps: &[Step]) -> Vec<Result<usize, &str>> {
    let steps = steps.iter().filter_map(|step| match step {
        Step::Open { proposal } => Some(Ok(*proposal)),
        Step::Wait { reason, .. } => Some(Err(reason.as_str())),
        _ => None,
    });
    steps.collect()
}

#[test]
fn limits_hold_back_what_is_not_urgent() {
    let now: Timestamp = "2026-11-30T12:00:00Z".parse().unwrap();
    let mut old = open_step(1, "old", "a.json", '1');
    old.created_at = Some("2026-11-30T11:00:00Z".parse().unwrap());
    let keep = Proposal {
        commit: "old".into(),
        ..step("old", "a.json", '1')
    };
    let mut urgent = step("urgent", "a.json", '2');
    urgent.is_urgent = true;
    urgent.waits = Some("it is night".into());
    let mut wanted = DesiredState::of(vec![
        keep,
        urgent,
        step("b", "a.json", '3'),
        step("c", "a.json", '4'),
    ]);
    let open = [old.clone()];

    wanted.limits = Limits {
        max_open: Some(3),
        max_new_per_hour: None,
        now,
    };
    let full = "3 pull requests of Patchgate are open, and `max-open` is 3";
    assert_eq!(opened(&decide(&wanted, &open)), [Ok(1), Ok(2), Err(full)]);

    wanted.limits = Limits {
        max_open: None,
        max_new_per_hour: Some(2),
        now,
    };
    let fast = "2 pull requests were opened within an hour, and `max-new-per-hour` is 2";
    assert_eq!(opened(&decide(&wanted, &open)), [Ok(1), Ok(2), Err(fast)]);
    // The open one is younger than an hour, or may be.
    for created in [Some("2026-11-30T11:00:01Z".parse().unwrap()), None] {
        old.created_at = created;
        let steps = decide(&wanted, &[old.clone()]);
        assert_eq!(opened(&steps), [Ok(1), Err(fast), Err(fast)]);
    }

    wanted.limits = Limits::default();
    wanted.proposals[2].waits = Some("the schedule is closed".into());
    assert_eq!(
        opened(&decide(&wanted, &open)),
        [Ok(1), Err("the schedule is closed"), Ok(3)]
    );
}

#[test]
fn a_replacement_is_not_counted_as_another_open_one() {
    let open = [open_step(1, "qs", "a.json", '1')];
    let mut wanted = DesiredState::of(vec![step("qs", "a.json", '2'), step("ws", "a.json", '3')]);
    wanted.limits.max_open = Some(1);
    let steps = decide(&wanted, &open);
    assert_eq!(opened(&steps)[0], Ok(0));
    assert!(opened(&steps)[1].is_err());

    // One that is closed because nothing is left makes room.
    let mut wanted = DesiredState::of(vec![step("ws", "a.json", '3')]);
    wanted.limits.max_open = Some(1);
    assert_eq!(opened(&decide(&wanted, &open)), [Ok(0)]);
}
