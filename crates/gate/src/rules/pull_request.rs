//! Rules about the state of the pull request.

use patchgate_model::PullRequestState;

use crate::context::{Context, Outcome, block, met, or_met, review, with};

pub(super) fn open(context: &Context<'_>) -> Vec<Outcome> {
    context.with_pull_request(|pull_request| {
        vec![match pull_request.state {
            PullRequestState::Open => met("the pull request is open"),
            PullRequestState::Closed => block("the pull request is closed"),
            PullRequestState::Merged => block("the pull request is already merged"),
        }]
    })
}

pub(super) fn draft(context: &Context<'_>) -> Vec<Outcome> {
    context.with_pull_request(|pull_request| {
        vec![if pull_request.draft {
            review("the pull request is a draft")
        } else {
            met("the pull request is not a draft")
        }]
    })
}

pub(super) fn fork(context: &Context<'_>) -> Vec<Outcome> {
    context.with_pull_request(|pull_request| {
        let (head, base) = (&pull_request.head.repository, &pull_request.base.repository);
        vec![match (head, base) {
            (Some(head), Some(base)) if head.eq_ignore_ascii_case(base) => {
                met("the change comes from the same repository")
            }
            (Some(head), Some(_)) => review(format!("the change comes from the fork `{head}`")),
            _ => review("the repository of the change is not known"),
        }]
    })
}

pub(super) fn mergeable(context: &Context<'_>) -> Vec<Outcome> {
    context.with_pull_request(|pull_request| {
        vec![match pull_request.mergeable {
            Some(true) => met("it merges without conflicts"),
            Some(false) => review("it has conflicts with the base branch"),
            None => review("the forge has not yet computed whether it can be merged"),
        }]
    })
}

pub(super) fn changes_requested(context: &Context<'_>) -> Vec<Outcome> {
    with(&context.evidence.changes_requested, "reviews", |logins| {
        or_met(
            logins
                .iter()
                .map(|login| review(format!("`{login}` asks for changes")))
                .collect(),
            "no review asks for changes",
        )
    })
}
