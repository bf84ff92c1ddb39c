//! Rules about the commits: the judged one must be the one that would be merged.

use super::files::is_editable;
use crate::context::{Context, Outcome, met, or_met, review, unread, with};

pub(super) fn current(context: &Context<'_>) -> Vec<Outcome> {
    let evidence = context.evidence;
    let (tip, merge_base) = match (&evidence.base_tip, &evidence.merge_base) {
        (Ok(tip), Ok(merge_base)) => (tip, merge_base),
        (Err(missing), _) => return vec![unread("the tip of the base branch", missing)],
        (_, Err(missing)) => return vec![unread("the merge base", missing)],
    };

    if tip == merge_base {
        return vec![met("it is based on the tip of the base branch")];
    }
    if context.policy.require_up_to_date {
        return vec![review(format!(
            "the base branch is at `{}` now, and this change is based on `{}`",
            short(tip),
            short(merge_base)
        ))];
    }
    merge_result(context)
}

/// The result of a merge with newer commits of the base branch. When none of them changes a file that
/// states dependencies, the merged lockfiles are those of the head. Otherwise git merges their text
/// line by line, and nothing has judged the result.
fn merge_result(context: &Context<'_>) -> Vec<Outcome> {
    let newer = &context.evidence.safeguards.base_changes;
    with(newer, "the newer commits of the base branch", |newer| {
        let of_dependencies = newer.iter().filter(|path| is_editable(path));
        or_met(
            of_dependencies
                .map(|path| {
                    review(format!(
                        "`{path}` changed on the base branch since, so the merged state is not the \
                         judged one"
                    ))
                })
                .collect(),
            "the base branch has newer commits, which change no dependencies, as the policy allows",
        )
    })
}

pub(super) fn head_unmoved(context: &Context<'_>) -> Vec<Outcome> {
    let evidence = context.evidence;
    match (&evidence.pull_request, &evidence.head_at_end) {
        (Ok(pull_request), Ok(end)) if pull_request.head.sha == *end && !end.is_empty() => {
            vec![met("the head did not move during the judgement")]
        }
        (Ok(pull_request), Ok(end)) => vec![review(format!(
            "the head moved from `{}` to `{}` during the judgement",
            short(&pull_request.head.sha),
            short(end)
        ))],
        (Err(missing), _) => vec![unread("the pull request", missing)],
        (_, Err(missing)) => vec![unread("the head at the end of the judgement", missing)],
    }
}

/// A policy on a branch that is not protected is as strong as the weakest account that may push.
pub(super) fn protected(context: &Context<'_>) -> Vec<Outcome> {
    let is_protected = &context.evidence.safeguards.base_is_protected;
    with(
        is_protected,
        "the protection of the base branch",
        |is_protected| {
            vec![if *is_protected {
                met("the base branch is protected")
            } else {
                review(
                    "the base branch is not protected: everyone who may push to it may change the policy",
                )
            }]
        },
    )
}

/// The first twelve characters of a commit id.
fn short(sha: &str) -> &str {
    sha.get(..12).unwrap_or(sha)
}
