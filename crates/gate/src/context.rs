//! The input of the rules, computed once.

use patchgate_model::{
    Evidence, Fetched, GatePolicy, Missing, PlanBlock, PlanBlockError, PullRequest, Verdict,
};

use crate::lockfiles::{self, LockfileDifferences};

/// The input of every rule.
pub(crate) struct Context<'a> {
    /// The policy as it was read.
    pub(crate) policy_read: &'a Fetched<GatePolicy>,
    /// The policy to judge by: the strictest one when none could be read.
    pub(crate) policy: GatePolicy,
    pub(crate) evidence: &'a Evidence,
    /// The plan that the pull request claims to contain. `None` when its body could not be read.
    pub(crate) block: Option<Result<PlanBlock, PlanBlockError>>,
    /// How the lockfiles of both sides differ.
    pub(crate) lockfiles: Result<LockfileDifferences, Vec<Missing>>,
}

impl<'a> Context<'a> {
    pub(crate) fn new(policy: &'a Fetched<GatePolicy>, evidence: &'a Evidence) -> Self {
        Self {
            policy_read: policy,
            policy: policy.clone().unwrap_or_default(),
            evidence,
            block: evidence
                .pull_request
                .as_ref()
                .ok()
                .map(|pull_request| PlanBlock::parse(&pull_request.body)),
            lockfiles: lockfiles::differences(evidence),
        }
    }

    /// Runs a rule on the pull request, or reports that it is missing.
    pub(crate) fn with_pull_request(
        &self,
        rule: impl FnOnce(&PullRequest) -> Vec<Outcome>,
    ) -> Vec<Outcome> {
        with(&self.evidence.pull_request, "the pull request", rule)
    }
}

/// Runs a rule on a piece of evidence, or reports that it is missing.
pub(crate) fn with<T>(
    piece: &Fetched<T>,
    name: &str,
    rule: impl FnOnce(&T) -> Vec<Outcome>,
) -> Vec<Outcome> {
    match piece {
        Ok(piece) => rule(piece),
        Err(missing) => vec![unread(name, missing)],
    }
}

/// One result of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) verdict: Verdict,
    pub(crate) text: String,
}

/// A condition of the rule is met.
pub(crate) fn met(text: impl Into<String>) -> Outcome {
    Outcome {
        verdict: Verdict::Merge,
        text: text.into(),
    }
}

/// A person has to decide.
pub(crate) fn review(text: impl Into<String>) -> Outcome {
    Outcome {
        verdict: Verdict::Review,
        text: text.into(),
    }
}

/// The pull request must not be merged.
pub(crate) fn block(text: impl Into<String>) -> Outcome {
    Outcome {
        verdict: Verdict::Block,
        text: text.into(),
    }
}

/// A piece of evidence is missing, so a person has to decide.
pub(crate) fn unread(name: &str, missing: &Missing) -> Outcome {
    let hint = missing
        .hint
        .as_ref()
        .map(|hint| format!(" ({hint})"))
        .unwrap_or_default();
    review(format!(
        "{name} could not be read: {}{hint}",
        missing.reason
    ))
}

/// The outcomes, or one that says that the rule is met when the list is empty.
pub(crate) fn or_met(outcomes: Vec<Outcome>, text: impl Into<String>) -> Vec<Outcome> {
    if outcomes.is_empty() {
        vec![met(text)]
    } else {
        outcomes
    }
}
