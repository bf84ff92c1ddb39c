//! What counts as a check that has passed.

use patchgate_model::*;

use crate::evidence::*;

#[test]
fn checks() {
    use Verdict::{Block, Review};

    let set = |e: &mut Evidence, runs: Vec<CheckRun>| e.check_runs = Ok(runs);
    let failed = || CheckOutcome::Failed("failure".into());
    expect(
        |e, _| set(e, Vec::new()),
        Review,
        &["checks-branch", "checks-present", "checks-required"],
    );
    expect(
        |e, _| {
            set(
                e,
                vec![check(1, "test", CheckOutcome::Pending("queued".into()))],
            )
        },
        Review,
        &["checks-branch", "checks-passed", "checks-required"],
    );

    for word in [
        "failure",
        "cancelled",
        "timed_out",
        "action_required",
        "stale",
        "startup_failure",
    ] {
        expect(
            |e, _| set(e, vec![check(1, "test", CheckOutcome::Failed(word.into()))]),
            Block,
            &["checks-branch", "checks-passed", "checks-required"],
        );
    }

    expect(
        |e, p| {
            p.failed_checks = Review;
            set(e, vec![check(1, "test", failed())]);
        },
        Review,
        &["checks-branch", "checks-passed", "checks-required"],
    );
    expect(
        |e, p| {
            // Not even a policy that was built wrongly turns a failure into consent.
            p.failed_checks = Verdict::Merge;
            set(e, vec![check(1, "test", failed())]);
        },
        Review,
        &["checks-branch", "checks-passed", "checks-required"],
    );
    for outcome in [CheckOutcome::Skipped, CheckOutcome::Neutral] {
        expect(
            |e, _| set(e, vec![check(1, "test", outcome.clone())]),
            Review,
            &["checks-branch", "checks-passed", "checks-required"],
        );
        expect(
            |e, p| {
                p.accept_skipped = true;
                p.accept_neutral = true;
                set(e, vec![check(1, "test", outcome)]);
            },
            Verdict::Merge,
            &[],
        );
    }

    expect(
        |e, _| e.check_runs.as_mut().unwrap()[0].app = Some("impostor".into()),
        Review,
        &["checks-required"],
    );
    expect(
        |e, _| e.check_runs.as_mut().unwrap()[0].head_sha = BASE.into(),
        Review,
        &["checks-head"],
    );
    expect(
        |_, p| p.checks = RequiredChecks::Listed(Vec::new()),
        Review,
        &["checks-present", "checks-required"],
    );
    expect(|_, p| p.checks = RequiredChecks::Any, Verdict::Merge, &[]);
    expect(
        |e, _| {
            e.statuses = Ok(vec![CommitStatus {
                context: "ci/other".into(),
                creator: Some(account("ci[bot]")),
                outcome: failed(),
            }]);
        },
        Block,
        &["checks-passed"],
    );
}

#[test]
fn the_latest_run_of_a_name_and_app_counts() {
    let rerun = vec![
        check(1, "test", CheckOutcome::Failed("failure".into())),
        check(2, "test", CheckOutcome::Success),
    ];
    expect(|e, _| e.check_runs = Ok(rerun.clone()), Verdict::Merge, &[]);

    // Two workflows with a job of one name: the later success does not hide the failure.
    let mut other_suite = rerun;
    other_suite[1].suite = Some(2);
    expect(
        |e, _| e.check_runs = Ok(other_suite),
        Verdict::Review,
        &["checks-passed"],
    );
}

#[test]
fn a_status_counts_only_from_the_expected_account() {
    for (login, verdict, codes) in [
        ("github-actions", Verdict::Merge, &[][..]),
        ("github-actions[bot]", Verdict::Merge, &[][..]),
        ("mallory", Verdict::Review, &["checks-required"][..]),
    ] {
        expect(
            |e, _| {
                e.check_runs = Ok(Vec::new());
                e.branch_checks = Ok(Vec::new());
                e.statuses = Ok(vec![CommitStatus {
                    context: "test".into(),
                    creator: Some(account(login)),
                    outcome: CheckOutcome::Success,
                }]);
            },
            verdict,
            codes,
        );
    }
}

#[test]
fn the_job_that_judges_is_not_judged() {
    let own = |name: &str, run: &str| {
        let mut gate = check(9, name, CheckOutcome::Pending("in_progress".into()));
        gate.details_url = Some(format!(
            "https://forge.invalid/o/r/actions/runs/{run}/job/9"
        ));
        gate
    };

    let job = Some(OwnJob {
        run_id: "88".into(),
        name: "gate".into(),
    });
    for (run, verdict, codes) in [
        (own("gate", "88"), Verdict::Merge, &[][..]),
        (own("gate", "99"), Verdict::Review, &["checks-passed"][..]),
        (own("build", "88"), Verdict::Review, &["checks-passed"][..]),
    ] {
        expect(
            |e, _| {
                e.own_job = job.clone();
                e.check_runs.as_mut().unwrap().push(run);
            },
            verdict,
            codes,
        );
    }
    // Alone it is no check that ran.
    expect(
        |e, p| {
            p.checks = RequiredChecks::Any;
            e.branch_checks = Ok(Vec::new());
            e.check_runs = Ok(vec![check(1, "patchgate", CheckOutcome::Success)]);
        },
        Verdict::Review,
        &["checks-present"],
    );
}
