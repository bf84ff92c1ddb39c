//! The policy itself.

use crate::context::{Context, Outcome, holds, unread};

pub(super) fn readable(context: &Context<'_>) -> Vec<Outcome> {
    vec![match context.policy_read {
        Ok(_) => holds("the policy was read from the base commit"),
        Err(missing) => unread("the policy at the base commit", missing),
    }]
}
