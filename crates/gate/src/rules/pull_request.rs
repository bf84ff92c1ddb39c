//! Rules about the state of the pull request.

use std::collections::BTreeSet;

use patchgate_model::{Account, PullRequestState};

use super::checks;
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

/// The forge's own rules: approvals, code owners and checks that are still missing. A token that may
/// bypass them would merge over them.
pub(super) fn not_blocked(context: &Context<'_>) -> Vec<Outcome> {
    context.with_pull_request(|pull_request| {
        let is_blocked = pull_request
            .mergeable_state
            .as_ref()
            .is_some_and(|state| state.eq_ignore_ascii_case("blocked"));

        vec![if !is_blocked {
            met("the forge does not block the merge")
        } else if checks::waits_for_own(context) {
            met("the forge blocks the merge until this gate has reported its check")
        } else {
            review(
                "the forge blocks the merge: an approval, a review of a code owner or a check is \
                 missing",
            )
        }]
    })
}

/// Approvals count when they are for the head itself, from accounts that may write and did not write
/// the change.
pub(super) fn approvals(context: &Context<'_>) -> Vec<Outcome> {
    let wanted = context.policy.required_approvals as usize;
    if wanted == 0 {
        return vec![met("the policy asks for no approval")];
    }
    context.with_pull_request(|pull_request| {
        with(
            &context.evidence.safeguards.approvals,
            "the approvals",
            |approvals| {
                let is_author = |account: &Account| {
                    pull_request.author.as_ref().is_none_or(|author| {
                        author.id.is_some() && author.id == account.id
                            || author.login.eq_ignore_ascii_case(&account.login)
                    })
                };
                let accounts: BTreeSet<&str> = approvals
                    .iter()
                    .filter(|approval| {
                        approval.may_write
                            && approval.commit == pull_request.head.sha
                            && !is_author(&approval.account)
                    })
                    .map(|approval| approval.account.login.as_str())
                    .collect();

                vec![if accounts.len() >= wanted {
                    met(format!("approvals of the head: {}", accounts.len()))
                } else {
                    review(format!(
                        "the head has {} of {wanted} approvals by accounts that may write",
                        accounts.len()
                    ))
                }]
            },
        )
    })
}

pub(super) fn hold(context: &Context<'_>) -> Vec<Outcome> {
    context.with_pull_request(|pull_request| {
        let holds = &context.policy.hold_labels;
        let is_hold = |label: &&String| {
            let label = label.trim().to_lowercase();
            holds.iter().any(|hold| hold.trim().to_lowercase() == label)
        };
        or_met(
            pull_request
                .labels
                .iter()
                .filter(is_hold)
                .map(|label| review(format!("the label `{label}` stops the merge")))
                .collect(),
            "no label stops the merge",
        )
    })
}
