//! The rule about the checks that the policy names: each must be from the source that it names.

use patchgate_model::{
    CheckOutcome, CheckRun, CheckSource, CommitStatus, Missing, RequiredChecks, TrustedAccount,
    WorkflowJob, WorkflowPin,
};

use super::checks::{WORKFLOW_APP, judge, latest, with_checks};
use crate::context::{Context, Outcome, met, or_met, review, unread};

pub(super) fn succeeded(context: &Context<'_>) -> Vec<Outcome> {
    let required = match &context.policy.checks {
        RequiredChecks::Any => return vec![met("the policy accepts any check")],
        RequiredChecks::Listed(required) => required,
    };
    if required.is_empty() {
        return vec![review("the policy names no required checks")];
    }

    with_checks(context, |checks, statuses| {
        let judge_one = |name: &str, source: &CheckSource| match source {
            CheckSource::App { slug, id, workflow } => {
                let app = App {
                    slug,
                    id: *id,
                    workflow: workflow.as_ref(),
                };
                run(context, name, &app, checks)
            }
            CheckSource::Status(account) => status(context, name, account, statuses),
        };
        required
            .iter()
            .flat_map(|wanted| judge_one(&wanted.name, &wanted.source))
            .collect()
    })
}

/// The app that must have made a check run.
struct App<'a> {
    slug: &'a str,
    id: Option<u64>,
    workflow: Option<&'a WorkflowPin>,
}

fn run(context: &Context<'_>, name: &str, app: &App<'_>, checks: &[&CheckRun]) -> Vec<Outcome> {
    let label = format!("the required check `{name}` of `{}`", app.slug);
    let is_of_app = |check: &&&CheckRun| {
        check.name == name
            && check.app.as_deref() == Some(app.slug)
            && app.id.is_none_or(|id| check.app_id == Some(id))
    };
    let runs: Vec<&CheckRun> = checks.iter().filter(is_of_app).copied().collect();
    if runs.is_empty() {
        return vec![review(format!("{label} did not run on the head"))];
    }

    let pinned = match app.workflow {
        None if app.slug == WORKFLOW_APP && !context.policy.trust_any_workflow => {
            return vec![review(format!(
                "{label} may be of any workflow of any branch: name its `workflow`, or say \
                 `trust-any-workflow: true`"
            ))];
        }
        None => runs,
        Some(pin) => match of_workflow(context, &runs, pin) {
            Ok(runs) if runs.is_empty() => {
                return vec![review(format!(
                    "{label} did not run in `{}` on the event `{}`",
                    pin.path, pin.event
                ))];
            }
            Ok(runs) => runs,
            Err(missing) => return vec![unread("the jobs of the workflows", missing)],
        },
    };

    let outcomes = latest(&pinned).into_values().map(|run| &run.outcome);
    verdicts(context, &label, outcomes)
}

/// The check runs that are jobs of a workflow. A check run that a workflow only reports is not a job.
fn of_workflow<'a>(
    context: &'a Context<'_>,
    runs: &[&'a CheckRun],
    pin: &WorkflowPin,
) -> Result<Vec<&'a CheckRun>, &'a Missing> {
    let jobs = context.evidence.safeguards.jobs.as_ref()?;
    let is_pinned = |job: &WorkflowJob| job.workflow == pin.path && job.event == pin.event;
    let is_job = |run: &CheckRun| {
        let mut jobs = jobs.iter().filter(|job| is_pinned(job));
        jobs.any(|job| job.check_run == run.id)
    };
    Ok(runs.iter().filter(|run| is_job(run)).copied().collect())
}

fn status(
    context: &Context<'_>,
    name: &str,
    account: &TrustedAccount,
    statuses: &[CommitStatus],
) -> Vec<Outcome> {
    let label = format!("the required status `{name}` of `{}`", account.login);
    let of_login = |status: &&CommitStatus| {
        let creator = status.creator.as_ref();
        status.context == name && creator.is_some_and(|creator| account.has_login_of(creator))
    };
    let Some(status) = statuses.iter().find(of_login) else {
        return vec![review(format!("{label} was not set on the head"))];
    };

    let id = status.creator.as_ref().and_then(|creator| creator.id);
    if !status
        .creator
        .as_ref()
        .is_some_and(|creator| account.is(creator))
    {
        return vec![review(match (account.id, id) {
            (None, Some(id)) => format!("{label} needs the account's id in the policy: {id}"),
            _ => format!("{label} was set by another account of that login"),
        })];
    }
    verdicts(context, &label, std::iter::once(&status.outcome))
}

/// The outcome of a required check from all of its results.
fn verdicts<'a>(
    context: &Context<'_>,
    label: &str,
    outcomes: impl Iterator<Item = &'a CheckOutcome>,
) -> Vec<Outcome> {
    let against = outcomes.filter_map(|outcome| judge(context, label, outcome));
    or_met(against.collect(), format!("{label} succeeded"))
}
