//! The rule about the policy itself.

use crate::context::{Context, Outcome, met, unread};

pub(super) fn readable(context: &Context<'_>) -> Vec<Outcome> {
    vec![match context.policy_read {
        Ok(_) => met("the policy was read from the base commit"),
        Err(missing) => unread("the policy at the base commit", missing),
    }]
}
