//! Rules about the checks and statuses of the head.
//!
//! The latest run of a name and app decides, unless an earlier one failed that it does not repeat. A
//! head without any check is not a success.

use std::collections::BTreeMap;

use patchgate_model::{CheckOutcome, CheckRun, CheckSource, CommitStatus, RequiredChecks, Verdict};

use crate::context::{Context, Outcome, or_met, review, with};

/// The gate's own check run. It contains the verdict, so it must not be judged itself.
const OWN_CHECK: &str = "patchgate";

/// Slug of the app whose check runs are the jobs of a workflow.
pub(super) const WORKFLOW_APP: &str = "github-actions";

pub(super) fn present(context: &Context<'_>) -> Vec<Outcome> {
    with_checks(context, |checks, statuses| {
        let mut outcomes = Vec::new();
        let trusted = statuses.iter().filter(|status| is_trusted(context, status));
        let count = checks.len() + trusted.count();
        if count == 0 {
            outcomes.push(review("no check ran on the head"));
        }
        if context.policy.checks == RequiredChecks::Listed(Vec::new()) {
            outcomes.push(review(
                "the policy names no required checks, and does not accept any check",
            ));
        }

        or_met(outcomes, format!("checks that ran on the head: {count}"))
    })
}

pub(super) fn passed(context: &Context<'_>) -> Vec<Outcome> {
    with_checks(context, |checks, statuses| {
        let mut outcomes = Vec::new();
        for check in latest(checks).into_values() {
            outcomes.extend(judge(context, &named(check), &check.outcome));
        }
        for check in disagreeing(context, checks) {
            outcomes.push(review(format!(
                "an earlier run of {} did not succeed, and the later one is not known to repeat it",
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
                    let set: Vec<&CommitStatus> = statuses
                        .iter()
                        .filter(|status| status.context == wanted.name && wanted.app_id.is_none())
                        .collect();
                    found.extend(set.iter().map(|status| &status.outcome));

                    if found.len() == set.len()
                        && let Some(status) = set.iter().find(|status| !is_trusted(context, status))
                    {
                        outcomes.push(review(format!(
                            "{name} is the commit status `{}`, which any workflow may set: name \
                             its account in `required-checks`",
                            status.context
                        )));
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
pub(super) fn judge(context: &Context<'_>, name: &str, outcome: &CheckOutcome) -> Option<Outcome> {
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
pub(super) fn with_checks(
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

pub(super) type Key<'a> = (&'a str, Option<&'a str>, Option<u64>);

/// The latest run of each name and app.
pub(super) fn latest<'a>(checks: &[&'a CheckRun]) -> BTreeMap<Key<'a>, &'a CheckRun> {
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

/// Runs that did not succeed although the latest run of the same name and app did. Two workflows may
/// have a job of the same name, and any workflow may report one more run, so only a later attempt of
/// the same job of a workflow replaces an earlier one.
fn disagreeing<'a>(context: &Context<'_>, checks: &[&'a CheckRun]) -> Vec<&'a CheckRun> {
    let latest = latest(checks);
    let is_hidden = |check: &CheckRun| {
        let key = (check.name.as_str(), check.app.as_deref(), check.app_id);
        let last = latest.get(&key);
        last.is_some_and(|last| last.id != check.id && last.outcome == CheckOutcome::Success)
    };
    let is_against = |check: &CheckRun| {
        !matches!(
            check.outcome,
            CheckOutcome::Success | CheckOutcome::Skipped | CheckOutcome::Neutral
        )
    };

    checks
        .iter()
        .filter(|check| is_hidden(check) && is_against(check))
        .filter(|check| !is_repeated(context, check, checks))
        .copied()
        .collect()
}

/// Whether a later attempt of the same run of a workflow has a job of the same name that succeeded.
fn is_repeated(context: &Context<'_>, check: &CheckRun, checks: &[&CheckRun]) -> bool {
    let Ok(jobs) = &context.evidence.safeguards.jobs else {
        return false;
    };
    let job_of = |check: &CheckRun| jobs.iter().find(|job| job.check_run == check.id);
    let Some(earlier) = job_of(check) else {
        return false;
    };
    checks
        .iter()
        .filter(|other| other.name == check.name && other.outcome == CheckOutcome::Success)
        .filter_map(|other| job_of(other))
        .any(|later| later.run == earlier.run && later.attempt > earlier.attempt)
}

/// Whether a status is of an account that the policy names for it. Any workflow may set any other.
fn is_trusted(context: &Context<'_>, status: &CommitStatus) -> bool {
    let RequiredChecks::Listed(required) = &context.policy.checks else {
        return false;
    };
    required.iter().any(|wanted| match &wanted.source {
        CheckSource::Status(account) => {
            let creator = status.creator.as_ref();
            wanted.name == status.context && creator.is_some_and(|creator| account.is(creator))
        }
        CheckSource::App { .. } => false,
    })
}

/// Whether the base branch requires this gate's own check, and it has not succeeded on the head yet.
pub(super) fn waits_for_own(context: &Context<'_>) -> bool {
    let evidence = context.evidence;
    let is_required = evidence
        .branch_checks
        .as_ref()
        .is_ok_and(|wanted| wanted.iter().any(|check| check.name == OWN_CHECK));
    let is_own_success =
        |check: &CheckRun| check.name == OWN_CHECK && check.outcome == CheckOutcome::Success;
    let has_succeeded = evidence
        .check_runs
        .as_ref()
        .map_or(true, |checks| checks.iter().any(is_own_success));
    is_required && !has_succeeded
}

fn named(check: &CheckRun) -> String {
    format!(
        "check `{}` of `{}`",
        check.name,
        check.app.as_deref().unwrap_or("an unknown app")
    )
}
