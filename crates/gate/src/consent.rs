//! Who has to consent to a merge, and whether the pull request is still the one that was judged.
//!
//! These rules apply around [`crate::judge`]: the default branch's policy must consent as well, a
//! pull request that changed since is not merged, and a merge that failed is a review. Reading from
//! the forge is deliberately absent; the facts are arguments.

use std::collections::BTreeSet;

use patchgate_model::{Evidence, GateReason, Judgement, PullRequest, Verdict};

/// Whether the policy of the default branch has to consent too, because the pull request goes to
/// another branch.
///
/// Any account that may push a branch could put its own policy there and open a pull request into
/// it. The check run with the verdict would then be on a commit that other pull requests have too.
///
/// When the pull request itself could not be read, there is nothing to consent to.
#[must_use]
pub fn needs_default_policy(evidence: &Evidence, default_branch: &str) -> bool {
    evidence
        .pull_request
        .as_ref()
        .is_ok_and(|pull_request| pull_request.base.branch != default_branch)
}

/// The judgement with every reason that the default branch's policy has against a merge.
///
/// `other` is the judgement by that policy, and `branch` the name of the default branch. A reason
/// that both have is listed once.
#[must_use]
pub fn with_default_policy(judgement: Judgement, other: Judgement, branch: &str) -> Judgement {
    let mut reasons = judgement.reasons;
    for reason in other.reasons {
        if reason.verdict != Verdict::Merge && !reasons.contains(&reason) {
            reasons.push(GateReason {
                text: format!(
                    "by the policy of the default branch `{branch}`: {}",
                    reason.text
                ),
                ..reason
            });
        }
    }

    Judgement::new(judgement.head_sha, judgement.base_sha, reasons)
}

/// The judgement of a merge that did not happen, or not as it was judged: a person must look.
#[must_use]
pub fn not_merged(judgement: Judgement, text: String) -> Judgement {
    let mut reasons = judgement.reasons;
    reasons.push(GateReason {
        code: "merged",
        verdict: Verdict::Review,
        text,
    });

    Judgement::new(judgement.head_sha, judgement.base_sha, reasons)
}

/// The judgement while a person holds merges: a person must decide.
#[must_use]
pub fn held(judgement: Judgement, text: String) -> Judgement {
    let mut reasons = judgement.reasons;
    reasons.push(GateReason {
        code: "not-held",
        verdict: Verdict::Review,
        text,
    });

    Judgement::new(judgement.head_sha, judgement.base_sha, reasons)
}

/// The rule whose outcome the gate changes itself, by reporting its check.
const CHANGED_BY_THE_GATE: &str = "not-blocked";

/// Checks that a second judgement, of evidence that was read right before the merge, is equal to the
/// first one.
///
/// # Errors
/// The first difference, as a sentence without a period.
pub fn judged_again(first: &Judgement, second: &Judgement) -> Result<(), String> {
    if let Some(against) = second
        .reasons
        .iter()
        .find(|reason| reason.verdict != Verdict::Merge)
    {
        return Err(format!(
            "it was not merged: it was judged again right before the merge, and {}",
            against.text
        ));
    }
    if (&first.head_sha, &first.base_sha) != (&second.head_sha, &second.base_sha) {
        return Err("it was not merged: the head or the base moved after it was judged".to_owned());
    }

    let reasons = |judgement: &Judgement| -> BTreeSet<(&'static str, String)> {
        judgement
            .reasons
            .iter()
            .filter(|reason| reason.code != CHANGED_BY_THE_GATE)
            .map(|reason| (reason.code, reason.text.clone()))
            .collect()
    };
    let (before, now) = (reasons(first), reasons(second));
    match before.symmetric_difference(&now).next() {
        None => Ok(()),
        Some((code, text)) => Err(format!(
            "it was not merged: two judgements differ in `{code}`: {text}"
        )),
    }
}

/// Checks that the pull request is still the one that was judged, and returns the judged commit.
///
/// `now` and `base_tip` are what the forge says right before the merge. The forge ties a merge to a
/// head only, not to the branch that it goes into: an account could retarget the pull request after
/// the judgement. Reading it again does not close that gap, but makes it short.
///
/// # Errors
/// What changed, as a sentence without a period.
pub fn still_as_judged<'a>(
    judged: &Evidence,
    now: &'a PullRequest,
    base_tip: Option<&str>,
) -> Result<&'a str, String> {
    let failed = |reason: &str| format!("it was not merged: {reason}");
    let before = judged
        .pull_request
        .as_ref()
        .map_err(|missing| failed(&missing.reason))?;
    if now.head.sha != before.head.sha {
        return Err(failed("the head moved after it was judged"));
    }
    if now.base.branch != before.base.branch {
        return Err(failed(&format!(
            "it was judged for the branch `{}`, and goes to `{}` now",
            before.base.branch, now.base.branch
        )));
    }
    if now.draft || now.body != before.body || now.state != before.state {
        return Err(failed("it was edited after it was judged"));
    }
    // A tip that cannot be read, then or now, is not a tip that stayed.
    let is_same = matches!((base_tip, &judged.base_tip), (Some(now), Ok(before)) if now == before);
    if !is_same {
        return Err(failed("the base branch moved after it was judged"));
    }

    Ok(&now.head.sha)
}
