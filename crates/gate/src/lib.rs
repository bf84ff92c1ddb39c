//! The verdict on a pull request, from a policy and evidence: merge, review or block.
//!
//! [`judge`] is a pure function of values. Each rule is one entry of [`RULES`] with a stable code.
//! Every rule reports on every pull request, so a judgement also lists the conditions that are met.
//! Evidence that is missing, late or unreadable means "review": a verdict of "merge" needs every
//! rule to be met on evidence that was read completely.
//!
//! Deliberately absent: fetching (that is `patchgate-forge`), matching against advisories (the
//! comparison is an argument), comparing lockfiles (that is `patchgate-lockfile-diff`), and any
//! trust in text that the author of the pull request writes.

mod compare;
mod consent;
mod context;
mod decision;
mod facts;
mod lockfiles;
mod manifest_diff;
mod rules;

use patchgate_model::{Evidence, Fetched, GatePolicy, GateReason, Judgement, Verdict};

pub use compare::compare_findings;
pub use consent::{
    held, judged_again, needs_default_policy, not_merged, still_as_judged, with_default_policy,
};
pub use decision::{RuleDecision, decide, share_of, stage_of};
pub use rules::{RULES, Rule};

/// What the policy's own rules say about a pull request; `None` when it has none, or when evidence is
/// missing.
#[must_use]
pub fn decision_of<'a>(policy: &'a GatePolicy, evidence: &Evidence) -> Option<RuleDecision<'a>> {
    let read = Ok(policy.clone());
    let facts = facts::facts(&context::Context::new(&read, evidence)).ok()?;
    (!policy.rules.is_empty()).then(|| decide(&policy.rules, &facts))
}

/// Judges a pull request.
///
/// `policy` is the policy of the base commit. When it is missing, the strictest policy is used, so
/// that a block is still found, and the verdict is at least [`Verdict::Review`].
///
/// ```
/// use patchgate_gate::judge;
/// use patchgate_model::{Evidence, GatePolicy, Verdict};
///
/// fn may_merge(policy: GatePolicy, evidence: &Evidence) -> bool {
///     judge(&Ok(policy), evidence).verdict == Verdict::Merge
/// }
/// ```
#[must_use]
pub fn judge(policy: &Fetched<GatePolicy>, evidence: &Evidence) -> Judgement {
    let context = context::Context::new(policy, evidence);
    let mut reasons = Vec::new();
    for rule in RULES {
        let outcomes = (rule.check)(&context);
        if outcomes.is_empty() {
            // No outcome means that nothing was checked, which is not consent.
            reasons.push(GateReason {
                code: rule.code,
                verdict: Verdict::Review,
                text: "the rule returned no result".to_owned(),
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
