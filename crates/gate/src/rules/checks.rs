//! Rules about the checks and statuses of the head.
//!
//! A check counts only when it is from the expected app, and the latest run of a name and app
//! decides. A head without any check is not a success.

use std::collections::BTreeMap;

use patchgate_model::{CheckOutcome, CheckRun, CommitStatus, RequiredChecks, Verdict};

use crate::context::{Context, Outcome, met, or_met, review, with};

/// The gate's own check run. It contains the verdict, so it must not be judged itself.
const OWN_CHECK: &str = "patchgate";

/// Slug of the app whose check runs are the jobs of a workflow.
const WORKFLOW_APP: &str = "github-actions";

pub(super) fn present(context: &Context<'_>) -> Vec<Outcome> {
    with_checks(context, |checks, statuses| {
        let mut outcomes = Vec::new();
        if checks.is_empty() && statuses.is_empty() {
            outcomes.push(review("no check ran on the head"));
        }
        if context.policy.checks == RequiredChecks::Listed(Vec::new()) {
            outcomes.push(review(
                "the policy names no required checks, and does not accept any check",
            ));
        }

        or_met(
            outcomes,
            format!(
                "checks that ran on the head: {}",
                checks.len() + statuses.len()
            ),
        )
    })
}

pub(super) fn passed(context: &Context<'_>) -> Vec<Outcome> {
    with_checks(context, |checks, statuses| {
        let mut outcomes = Vec::new();
        for check in latest(checks).into_values() {
            outcomes.extend(judge(context, &named(check), &check.outcome));
        }
        for check in disagreeing(checks) {
            outcomes.push(review(format!(
                "an earlier suite's {} did not succeed, though a later one did",
                named(check)
            )));
        }

        for status in statuses {
            outcomes.extend(judge(
                context,
                &format!("status `{}`", status.context),
                &status.outcome,
            ));
        }

        or_met(outcomes, "no check that ran is pending or failed")
    })
}

pub(super) fn required(context: &Context<'_>) -> Vec<Outcome> {
    let required = match &context.policy.checks {
        RequiredChecks::Any => return vec![met("the policy accepts any check")],
        RequiredChecks::Listed(required) => required,
    };
    if required.is_empty() {
        return vec![review("the policy names no required checks")];
    }

    with_checks(context, |checks, statuses| {
        let latest = latest(checks);
        let mut outcomes = Vec::new();
        for wanted in required {
            let run = latest
                .values()
                .find(|check| {
                    check.name == wanted.name && check.app.as_deref() == Some(wanted.app.as_str())
                })
                .map(|check| &check.outcome);
            let status = statuses
                .iter()
                .find(|status| {
                    status.context == wanted.name
                        && status
                            .creator
                            .as_ref()
                            .is_some_and(|creator| is_account_of(&creator.login, &wanted.app))
                })
                .map(|status| &status.outcome);

            let name = format!("the required check `{}` of `{}`", wanted.name, wanted.app);
            match run.or(status) {
                None => outcomes.push(review(format!("{name} did not run on the head"))),
                Some(outcome) => match judge(context, &name, outcome) {
                    None => outcomes.push(met(format!("{name} succeeded"))),
                    Some(outcome) => outcomes.push(outcome),
                },
            }
        }

        outcomes
    })
}

pub(super) fn branch(context: &Context<'_>) -> Vec<Outcome> {
    with(
        &context.evidence.branch_checks,
        "the checks that the base branch asks for",
        |wanted| {
            with_checks(context, |checks, statuses| {
                let latest = latest(checks);
                let mut outcomes = Vec::new();
                for wanted in wanted.iter().filter(|wanted| wanted.name != OWN_CHECK) {
                    let name = format!("the branch's required check `{}`", wanted.name);
                    let mut found: Vec<&CheckOutcome> = latest
                        .values()
                        .filter(|check| {
                            check.name == wanted.name
                                && wanted.app_id.is_none_or(|app| check.app_id == Some(app))
                        })
                        .map(|check| &check.outcome)
                        .collect();
                    if wanted.app_id.is_none() {
                        found.extend(
                            statuses
                                .iter()
                                .filter(|status| status.context == wanted.name)
                                .map(|status| &status.outcome),
                        );
                    }

                    if found.is_empty() {
                        outcomes.push(review(format!("{name} did not run on the head")));
                    }

                    outcomes.extend(
                        found
                            .into_iter()
                            .filter_map(|outcome| judge(context, &name, outcome)),
                    );
                }

                or_met(
                    outcomes,
                    "every check that the base branch asks for succeeded",
                )
            })
        },
    )
}

pub(super) fn head(context: &Context<'_>) -> Vec<Outcome> {
    context.with_pull_request(|pull_request| {
        with_checks(context, |checks, _| {
            or_met(
                checks
                    .iter()
                    .filter(|check| check.head_sha != pull_request.head.sha)
                    .map(|check| {
                        review(format!(
                            "{} ran on `{}`, which is not the head",
                            named(check),
                            check.head_sha
                        ))
                    })
                    .collect(),
                "every check ran on the judged commit",
            )
        })
    })
}

/// The result for a single check; `None` when it succeeded.
fn judge(context: &Context<'_>, name: &str, outcome: &CheckOutcome) -> Option<Outcome> {
    let policy = &context.policy;
    match outcome {
        CheckOutcome::Success => None,
        CheckOutcome::Skipped if policy.accept_skipped => None,
        CheckOutcome::Neutral if policy.accept_neutral => None,
        CheckOutcome::Skipped => Some(review(format!(
            "{name} was skipped, which is not a success"
        ))),
        CheckOutcome::Neutral => Some(review(format!("{name} is neutral, which is not a success"))),
        CheckOutcome::Pending(word) => Some(review(format!("{name} is not finished: `{word}`"))),
        CheckOutcome::Unknown(word) => Some(review(format!(
            "{name} ended with the unknown conclusion `{word}`"
        ))),
        CheckOutcome::Failed(word) => Some(Outcome {
            // At least a review: no policy makes a failed check a reason to merge.
            verdict: policy.failed_checks.max(Verdict::Review),
            text: format!("{name} failed: `{word}`"),
        }),
    }
}

/// Runs a rule on all checks except the gate's own, or reports that they are missing.
fn with_checks(
    context: &Context<'_>,
    rule: impl FnOnce(&[&CheckRun], &[CommitStatus]) -> Vec<Outcome>,
) -> Vec<Outcome> {
    let evidence = context.evidence;
    with(&evidence.check_runs, "the check runs", |checks| {
        with(&evidence.statuses, "the commit statuses", |statuses| {
            let others: Vec<&CheckRun> = checks
                .iter()
                .filter(|check| !is_own(context, check))
                .collect();
            rule(&others, statuses)
        })
    })
}

/// Whether the run is the gate's own: the run that it writes, or the job that it runs in, which
/// cannot be finished while it judges.
fn is_own(context: &Context<'_>, check: &CheckRun) -> bool {
    check.name == OWN_CHECK
        || check.app.as_deref() == Some(WORKFLOW_APP)
            && context.evidence.own_job.as_ref().is_some_and(|own| {
                check.name == own.name
                    && !own.run_id.is_empty()
                    && check
                        .details_url
                        .as_deref()
                        .is_some_and(|url| url.contains(&format!("/actions/runs/{}/", own.run_id)))
            })
}

type Key<'a> = (&'a str, Option<&'a str>, Option<u64>);

/// The latest run of each name and app.
fn latest<'a>(checks: &[&'a CheckRun]) -> BTreeMap<Key<'a>, &'a CheckRun> {
    let mut latest: BTreeMap<Key<'a>, &'a CheckRun> = BTreeMap::new();
    for check in checks {
        let key = (check.name.as_str(), check.app.as_deref(), check.app_id);
        let entry = latest.entry(key).or_insert(check);
        if check.id > entry.id {
            *entry = check;
        }
    }

    latest
}

/// The latest run of each suite that failed although the latest run of the same name and app
/// succeeded. Two workflows may have a job of the same name, and only one of them is the latest.
fn disagreeing<'a>(checks: &[&'a CheckRun]) -> Vec<&'a CheckRun> {
    let latest = latest(checks);
    let mut by_suite: BTreeMap<(Key<'a>, Option<u64>), &'a CheckRun> = BTreeMap::new();
    for check in checks {
        let key = (check.name.as_str(), check.app.as_deref(), check.app_id);
        let entry = by_suite.entry((key, check.suite)).or_insert(check);
        if check.id > entry.id {
            *entry = check;
        }
    }

    by_suite
        .into_iter()
        .filter(|((key, _), check)| {
            latest
                .get(key)
                .is_some_and(|last| last.id != check.id && last.outcome == CheckOutcome::Success)
                && !matches!(
                    check.outcome,
                    CheckOutcome::Success | CheckOutcome::Skipped | CheckOutcome::Neutral
                )
        })
        .map(|(_, check)| check)
        .collect()
}

/// Whether a login is the named one, or the account under which an app of that slug acts.
fn is_account_of(login: &str, app: &str) -> bool {
    let login = login.to_ascii_lowercase();
    let app = app.to_ascii_lowercase();
    login == app || login.strip_suffix("[bot]") == Some(app.as_str())
}

fn named(check: &CheckRun) -> String {
    format!(
        "check `{}` of `{}`",
        check.name,
        check.app.as_deref().unwrap_or("an unknown app")
    )
}
