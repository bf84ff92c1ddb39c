//! Rules about the moment of the merge: freezes, and the file that stops all merges.

use patchgate_model::Safeguards;

use crate::context::{Context, Outcome, met, or_met, review, with};

pub(super) fn freeze(context: &Context<'_>) -> Vec<Outcome> {
    let freezes = &context.policy.freezes;
    if freezes.is_empty() {
        return vec![met("the policy has no freeze")];
    }
    with(&context.evidence.safeguards.now, "the time", |now| {
        or_met(
            freezes
                .iter()
                .filter(|freeze| freeze.period.contains(*now))
                .map(|freeze| review(format!("merges are frozen: {}", freeze.reason)))
                .collect(),
            "no freeze applies now",
        )
    })
}

pub(super) fn not_stopped(context: &Context<'_>) -> Vec<Outcome> {
    let is_stopped = &context.evidence.safeguards.is_stopped;
    with(is_stopped, "whether merges are stopped", |is_stopped| {
        vec![if *is_stopped {
            review(format!(
                "`{}` on the default branch stops all merges",
                Safeguards::STOP_FILE
            ))
        } else {
            met("merges are not stopped")
        }]
    })
}
