//! Rules about the commits: the judged one must be the one that would be merged.

use crate::context::{Context, Outcome, met, review, unread};

pub(super) fn current(context: &Context<'_>) -> Vec<Outcome> {
    let evidence = context.evidence;
    let (tip, merge_base) = match (&evidence.base_tip, &evidence.merge_base) {
        (Ok(tip), Ok(merge_base)) => (tip, merge_base),
        (Err(missing), _) => return vec![unread("the tip of the base branch", missing)],
        (_, Err(missing)) => return vec![unread("the merge base", missing)],
    };

    vec![if tip == merge_base {
        met("it is based on the tip of the base branch")
    } else if context.policy.require_up_to_date {
        review(format!(
            "the base branch is at `{}` now, and this change is based on `{}`",
            short(tip),
            short(merge_base)
        ))
    } else {
        met("the base branch has newer commits, which the policy allows")
    }]
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

/// The first twelve characters of a commit id.
fn short(sha: &str) -> &str {
    sha.get(..12).unwrap_or(sha)
}
