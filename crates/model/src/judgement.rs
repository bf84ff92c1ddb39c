//! The decision of the gate on a pull request.

/// The three decisions of the gate, weakest first, so that the strongest of several is the maximum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// Every condition of the policy is met, and the pull request may be merged without a person.
    Merge,
    /// A person must decide: something is missing, late, unreadable or outside of the policy.
    Review,
    /// The pull request must not be merged in its current state.
    Block,
}

/// One condition that the gate checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GateReason {
    /// Stable name in kebab-case, such as `checks-pending`.
    pub code: &'static str,
    /// The verdict if this were the only condition; [`Verdict::Merge`] if it is met.
    pub verdict: Verdict,
    /// Explanation for a person: a fragment.
    pub text: String,
}

/// The verdict with all conditions that led to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// The strongest of the reasons' verdicts; [`Verdict::Review`] when there are no reasons.
    pub verdict: Verdict,
    /// Every condition that was checked, the decisive ones first.
    pub reasons: Vec<GateReason>,
    /// The exact commit that was checked.
    pub head_sha: String,
    /// The commit that the policy was read from.
    pub base_sha: String,
}

impl Judgement {
    /// Takes the strongest verdict of the reasons and puts the decisive reasons first.
    ///
    /// Without any reason the verdict is [`Verdict::Review`]: missing evidence is never consent.
    #[must_use]
    pub fn new(head_sha: String, base_sha: String, mut reasons: Vec<GateReason>) -> Self {
        let verdict = reasons
            .iter()
            .map(|reason| reason.verdict)
            .max()
            .unwrap_or(Verdict::Review);
        reasons.sort_by_key(|reason| std::cmp::Reverse(reason.verdict));

        Self {
            verdict,
            reasons,
            head_sha,
            base_sha,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(verdict: Verdict) -> GateReason {
        GateReason {
            code: "test",
            verdict,
            text: String::new(),
        }
    }

    #[test]
    fn no_evidence_is_review() {
        assert_eq!(
            Judgement::new(String::new(), String::new(), Vec::new()).verdict,
            Verdict::Review
        );
    }

    #[test]
    fn the_strongest_reason_decides() {
        let judgement = Judgement::new(
            String::new(),
            String::new(),
            vec![
                reason(Verdict::Merge),
                reason(Verdict::Block),
                reason(Verdict::Review),
            ],
        );
        assert_eq!(judgement.verdict, Verdict::Block);
        assert_eq!(judgement.reasons[0].verdict, Verdict::Block);
    }
}
