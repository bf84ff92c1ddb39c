//! What the rules look at, worked out once.

use patchgate_model::{
    Evidence, Fetched, GatePolicy, Missing, PlanBlock, PlanBlockError, PullRequest, Verdict,
};

use crate::moves::{self, Moves};

/// The input of every rule.
pub(crate) struct Context<'a> {
    /// The policy as it was read.
    pub(crate) policy_read: &'a Fetched<GatePolicy>,
    /// The policy to judge by: the strictest one when none could be read.
    pub(crate) policy: GatePolicy,
    /// The evidence.
    pub(crate) evidence: &'a Evidence,
    /// What the pull request claims to carry.
    pub(crate) block: Option<Result<PlanBlock, PlanBlockError>>,
    /// What the lockfiles say that moves.
    pub(crate) moves: Result<Moves, Vec<Missing>>,
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
            moves: moves::between(evidence),
        }
    }

    /// Runs a rule on the pull request, or says that it is missing.
    pub(crate) fn with_pull_request(
        &self,
        rule: impl FnOnce(&PullRequest) -> Vec<Outcome>,
    ) -> Vec<Outcome> {
        with(&self.evidence.pull_request, "the pull request", rule)
    }
}

/// Runs a rule on a piece of evidence, or says that it is missing.
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

/// What a rule says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) verdict: Verdict,
    pub(crate) text: String,
}

/// The condition holds.
pub(crate) fn holds(text: impl Into<String>) -> Outcome {
    Outcome {
        verdict: Verdict::Merge,
        text: text.into(),
    }
}

/// A person must decide.
pub(crate) fn review(text: impl Into<String>) -> Outcome {
    Outcome {
        verdict: Verdict::Review,
        text: text.into(),
    }
}

/// It must not be merged.
pub(crate) fn block(text: impl Into<String>) -> Outcome {
    Outcome {
        verdict: Verdict::Block,
        text: text.into(),
    }
}

/// A piece of evidence is missing.
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

/// The outcomes, or the one that holds when there are none.
pub(crate) fn or_holds(outcomes: Vec<Outcome>, text: impl Into<String>) -> Vec<Outcome> {
    if outcomes.is_empty() {
        vec![holds(text)]
    } else {
        outcomes
    }
}
