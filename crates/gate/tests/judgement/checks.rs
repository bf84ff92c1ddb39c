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

/// A check run that a workflow reported is no later attempt of a job.
#[test]
fn a_later_success_hides_a_failure_only_as_a_later_attempt_of_one_run() {
    let rerun = vec![
        check(1, "test", CheckOutcome::Failed("failure".into())),
        check(2, "test", CheckOutcome::Success),
    ];
    expect(|e, _| e.check_runs = Ok(rerun.clone()), Verdict::Merge, &[]);

    let hidden = |change: fn(&mut Evidence)| {
        expect(
            |e, p| {
                p.checks = RequiredChecks::Any;
                e.check_runs = Ok(rerun.clone());
                change(e);
            },
            Verdict::Review,
            &["checks-passed"],
        );
    };
    // In the same suite, but of no known job, of another run, or of the same attempt.
    hidden(|e| e.safeguards.jobs = Ok(Vec::new()));
    hidden(|e| e.safeguards.jobs = Err(Missing::new("lost")));
    hidden(|e| e.safeguards.jobs.as_mut().unwrap()[1].run = 78);
    hidden(|e| e.safeguards.jobs.as_mut().unwrap()[1].attempt = 1);
}

fn status(login: &str, outcome: CheckOutcome) -> CommitStatus {
    CommitStatus {
        context: "test".into(),
        creator: Some(account(login)),
        outcome,
    }
}

/// Any workflow may set a status, and a user may have an app's slug as login.
#[test]
fn attack_13_and_26_a_status_is_not_the_check_run_of_an_app() {
    for login in ["github-actions", "github-actions[bot]", "mallory"] {
        expect(
            |e, p| {
                p.trust_any_workflow = true;
                e.check_runs = Ok(Vec::new());
                e.branch_checks = Ok(Vec::new());
                e.statuses = Ok(vec![status(login, CheckOutcome::Success)]);
            },
            Verdict::Review,
            &["checks-present", "checks-required"],
        );
    }
}

#[test]
fn attack_13_a_status_is_not_a_check_that_ran_or_that_the_branch_asks_for() {
    for (app_id, codes) in [
        (Some(15368), ["checks-branch", "checks-present"]),
        (None, ["checks-branch", "checks-present"]),
    ] {
        expect(
            |e, p| {
                p.checks = RequiredChecks::Any;
                e.check_runs = Ok(Vec::new());
                e.branch_checks.as_mut().unwrap()[0].app_id = app_id;
                e.statuses = Ok(vec![status("github-actions[bot]", CheckOutcome::Success)]);
            },
            Verdict::Review,
            &codes,
        );
    }
}

#[test]
fn a_required_status_is_of_the_account_with_the_id() {
    let expected = |named: TrustedAccount, creator: &str, verdict: Verdict, codes: &[&str]| {
        expect(
            |e, p| {
                p.checks = RequiredChecks::Listed(vec![RequiredCheck {
                    name: "test".into(),
                    source: CheckSource::Status(named),
                }]);
                e.check_runs = Ok(Vec::new());
                e.branch_checks.as_mut().unwrap()[0].app_id = None;
                e.statuses = Ok(vec![status(creator, CheckOutcome::Success)]);
            },
            verdict,
            codes,
        );
    };
    let refused = ["checks-branch", "checks-present", "checks-required"];
    expected(trusted("jenkins"), "jenkins", Verdict::Merge, &[]);
    expected(trusted("jenkins"), "mallory", Verdict::Review, &refused);
    for id in [None, Some(1)] {
        let other = TrustedAccount {
            login: "jenkins".into(),
            id,
        };
        expected(other, "jenkins", Verdict::Review, &refused);
    }
}

#[test]
fn a_required_check_is_of_its_workflow_event_and_app_id() {
    let app = |id: Option<u64>, pinned: bool| {
        RequiredChecks::Listed(vec![RequiredCheck {
            name: "test".into(),
            source: CheckSource::App {
                slug: "github-actions".into(),
                id,
                workflow: pinned.then(|| WorkflowPin {
                    path: WORKFLOW.into(),
                    event: "pull_request".into(),
                }),
            },
        }])
    };
    let refused = |change: &dyn Fn(&mut Evidence, &mut GatePolicy)| {
        expect(|e, p| change(e, p), Verdict::Review, &["checks-required"]);
    };
    let each_job = |e: &mut Evidence, change: fn(&mut WorkflowJob)| {
        e.safeguards
            .jobs
            .as_mut()
            .unwrap()
            .iter_mut()
            .for_each(change);
    };

    refused(&|e, _| e.safeguards.jobs = Ok(Vec::new()));
    refused(&|e, _| e.safeguards.jobs = Err(Missing::new("lost")));
    refused(&|e, _| each_job(e, |job| job.event = "workflow_dispatch".into()));
    refused(&|e, _| each_job(e, |job| job.workflow = ".github/workflows/evil.yml".into()));
    refused(&|_, p| p.checks = app(Some(1), true));
    // Without a pin, any workflow of any branch could have made it.
    refused(&|_, p| p.checks = app(None, false));
    expect(
        |_, p| {
            p.trust_any_workflow = true;
            p.checks = app(None, false);
        },
        Verdict::Merge,
        &[],
    );
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
