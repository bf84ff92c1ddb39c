//! Policy and evidence to a verdict: merge, review or block.
//!
//! [`judge`] is a pure function of values. Each rule is one entry of [`RULES`] with a stable code;
//! every rule speaks on every pull request, so a judgement lists also the conditions that hold.
//! What is missing, late or unreadable is "review": a verdict of "merge" needs every rule to hold
//! on evidence that was read whole.
//!
//! Deliberately not here: fetching (that is `patchgate-forge`), matching against advisories (the
//! comparison comes in as evidence), and any trust in text that the pull request's author writes.

mod compare;
mod context;
mod moves;
mod requirements;
mod rules;

use patchgate_model::{Evidence, Fetched, GatePolicy, GateReason, Judgement, Verdict};

pub use compare::compare_findings;
pub use rules::{RULES, Rule};

/// Judges a pull request.
///
/// `policy` is what the base commit says; when it is missing, the strictest policy is used so that
/// a block is still seen, and the verdict is at least [`Verdict::Review`].
#[must_use]
pub fn judge(policy: &Fetched<GatePolicy>, evidence: &Evidence) -> Judgement {
    let context = context::Context::new(policy, evidence);
    let mut reasons = Vec::new();
    for rule in RULES {
        let outcomes = (rule.check)(&context);
        if outcomes.is_empty() {
            // A rule that says nothing has looked at nothing.
            reasons.push(GateReason {
                code: rule.code,
                verdict: Verdict::Review,
                text: "the rule came to no answer".to_owned(),
            });
        }
        reasons.extend(outcomes.into_iter().map(|outcome| GateReason {
            code: rule.code,
            verdict: outcome.verdict,
            text: outcome.text,
        }));
    }

    let head = match &evidence.pull_request {
        Ok(pull_request) => pull_request.head.sha.clone(),
        Err(_) => String::new(),
    };
    let base = evidence.base_tip.clone().unwrap_or_default();

    Judgement::new(head, base, reasons)
}
