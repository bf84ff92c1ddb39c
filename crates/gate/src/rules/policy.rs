//! The rule about the policy itself.

use patchgate_model::MergeMethod;

use crate::context::{Context, Outcome, met, review, unread};

pub(super) fn readable(context: &Context<'_>) -> Vec<Outcome> {
    vec![match context.policy_read {
        Ok(_) => met("the policy was read from the base commit"),
        Err(missing) => unread("the policy at the base commit", missing),
    }]
}

/// The text of the merged commit stops workflows (`[skip ci]`), closes issues and makes releases, so
/// the gate writes it. A rebase takes the texts of the commits.
pub(super) fn merge_text(context: &Context<'_>) -> Vec<Outcome> {
    vec![match context.policy.merge_method {
        MergeMethod::Rebase => review(
            "the policy's `merge-method: rebase` keeps the texts of the commits, which were not \
             judged: use `squash` or `merge`",
        ),
        MergeMethod::Merge | MergeMethod::Squash => met("the gate writes the text of the merge"),
    }]
}
