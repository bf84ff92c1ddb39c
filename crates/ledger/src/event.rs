//! What a record is about: one type for each kind of event.
//!
//! An effect outside of the ledger has two records. The intent is durable before the effect, and the
//! result names it. An intent without a result is one of a run that was interrupted.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What was decided or done.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A verdict on a pull request.
    Verdict(VerdictEvent),
    /// A scan of a repository.
    Scan(ScanEvent),
    /// A pull request that is opened or updated.
    Proposal(ProposalEvent),
    /// A merge.
    Merge(MergeEvent),
    /// A person's decision against a verdict.
    Override(OverrideEvent),
    /// A stop of all automatic merges of a subject, or its end.
    Hold(HoldEvent),
    /// What became of a merged change.
    Outcome(OutcomeEvent),
    /// A record of a later version, or of another program.
    Other {
        /// The type, as CloudEvents writes it.
        kind: String,
        /// The content.
        what: Value,
    },
}

/// A verdict on a pull request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VerdictEvent {
    /// The decision.
    pub decision: Decision,
    /// The number of the pull request.
    pub pull_request: u64,
    /// The commit that was judged. Empty when it could not be read.
    pub head: String,
    /// The commit that the policy was read from. Empty when it could not be read.
    pub base: String,
}

/// The decisions of the gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// Every condition is met.
    Merge,
    /// A person must decide.
    Review,
    /// It must not be merged.
    Block,
}

impl Decision {
    /// The word in records.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Merge => "merge",
            Self::Review => "review",
            Self::Block => "block",
        }
    }
}

/// A scan of a repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ScanEvent {
    /// How it ended, in the words of the exit codes, such as `findings`.
    pub result: String,
    /// Findings that nothing suppresses.
    pub findings: u64,
    /// Those of them that fail the run.
    pub at_or_above_threshold: u64,
    /// Parts that could not be read or reached.
    pub incomplete: u64,
}

/// A pull request that is opened or updated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProposalEvent {
    /// The branch with the change.
    pub branch: String,
    /// The number of the pull request, once there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pull_request: Option<u64>,
    /// Before or after it.
    pub step: Step,
}

/// A merge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MergeEvent {
    /// The number of the pull request.
    pub pull_request: u64,
    /// The commit that is merged.
    pub head: String,
    /// The verdict's record.
    pub verdict: String,
    /// Before or after it.
    pub step: Step,
}

/// Before an effect, or after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "state", deny_unknown_fields)]
pub enum Step {
    /// It is about to be done.
    Intent {},
    /// It was done.
    Done {
        /// The record of the intent.
        intent: String,
    },
    /// It was not done.
    Failed {
        /// The record of the intent.
        intent: String,
        /// Why.
        reason: String,
    },
    /// The run was interrupted, and whether it was done cannot be known.
    Unknown {
        /// The record of the intent.
        intent: String,
        /// Why.
        reason: String,
    },
}

impl Step {
    /// The intent that this is the result of.
    #[must_use]
    pub fn intent(&self) -> Option<&str> {
        match self {
            Self::Intent {} => None,
            Self::Done { intent } | Self::Failed { intent, .. } | Self::Unknown { intent, .. } => {
                Some(intent)
            }
        }
    }

    /// The word in records.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Intent {} => "intent",
            Self::Done { .. } => "done",
            Self::Failed { .. } => "failed",
            Self::Unknown { .. } => "unknown",
        }
    }
}

/// A person's decision against a verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OverrideEvent {
    /// The record of the verdict.
    pub of: String,
    /// The decision instead of it.
    pub decision: Decision,
}

/// A stop of automatic merges.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HoldEvent {
    /// Whether merges stop (`true`) or go on (`false`).
    pub held: bool,
}

/// What became of a merged change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OutcomeEvent {
    /// What happened.
    pub result: OutcomeKind,
    /// The commit that was deployed or reverted.
    pub commit: String,
    /// The environment, such as `production`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
}

/// What became of a merged change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OutcomeKind {
    /// It runs in an environment.
    Deployed,
    /// It was taken back.
    Reverted,
}

/// Beginning and end of the types of Patchgate's own records.
const PREFIX: &str = "dev.patchgate.";
const VERSION: &str = ".v1";

impl Event {
    /// The short name of the kind, such as `verdict`; the whole type for one of another program.
    #[must_use]
    pub fn kind(&self) -> &str {
        match self {
            Self::Verdict(_) => "verdict",
            Self::Scan(_) => "scan",
            Self::Proposal(_) => "proposal",
            Self::Merge(_) => "merge",
            Self::Override(_) => "override",
            Self::Hold(_) => "hold",
            Self::Outcome(_) => "outcome",
            Self::Other { kind, .. } => kind,
        }
    }

    /// The step of an effect.
    #[must_use]
    pub fn step(&self) -> Option<&Step> {
        match self {
            Self::Proposal(event) => Some(&event.step),
            Self::Merge(event) => Some(&event.step),
            _ => None,
        }
    }

    /// The same effect with its result. `None` for an event that is not an effect.
    #[must_use]
    pub fn with_step(&self, step: Step) -> Option<Self> {
        match self {
            Self::Proposal(event) => Some(Self::Proposal(ProposalEvent {
                step,
                ..event.clone()
            })),
            Self::Merge(event) => Some(Self::Merge(MergeEvent {
                step,
                ..event.clone()
            })),
            _ => None,
        }
    }

    /// The result in one word, for tables.
    #[must_use]
    pub fn result(&self) -> &str {
        match self {
            Self::Verdict(event) => event.decision.word(),
            Self::Scan(event) => &event.result,
            Self::Proposal(event) => event.step.word(),
            Self::Merge(event) => event.step.word(),
            Self::Override(event) => event.decision.word(),
            Self::Hold(HoldEvent { held: true }) => "held",
            Self::Hold(HoldEvent { held: false }) => "released",
            Self::Outcome(event) => match event.result {
                OutcomeKind::Deployed => "deployed",
                OutcomeKind::Reverted => "reverted",
            },
            Self::Other { .. } => "?",
        }
    }

    /// The type in CloudEvents, and the content.
    pub(crate) fn to_parts(&self) -> Result<(String, Value), serde_json::Error> {
        let what = match self {
            Self::Verdict(event) => serde_json::to_value(event),
            Self::Scan(event) => serde_json::to_value(event),
            Self::Proposal(event) => serde_json::to_value(event),
            Self::Merge(event) => serde_json::to_value(event),
            Self::Override(event) => serde_json::to_value(event),
            Self::Hold(event) => serde_json::to_value(event),
            Self::Outcome(event) => serde_json::to_value(event),
            Self::Other { kind, what } => return Ok((kind.clone(), what.clone())),
        };
        Ok((format!("{PREFIX}{}{VERSION}", self.kind()), what?))
    }

    /// The event of a type and a content. An unknown type is [`Event::Other`].
    pub(crate) fn from_parts(kind: &str, what: Value) -> Result<Self, serde_json::Error> {
        let known = kind
            .strip_prefix(PREFIX)
            .and_then(|rest| rest.strip_suffix(VERSION));
        Ok(match known {
            Some("verdict") => Self::Verdict(serde_json::from_value(what)?),
            Some("scan") => Self::Scan(serde_json::from_value(what)?),
            Some("proposal") => Self::Proposal(serde_json::from_value(what)?),
            Some("merge") => Self::Merge(serde_json::from_value(what)?),
            Some("override") => Self::Override(serde_json::from_value(what)?),
            Some("hold") => Self::Hold(serde_json::from_value(what)?),
            Some("outcome") => Self::Outcome(serde_json::from_value(what)?),
            _ => Self::Other {
                kind: kind.to_owned(),
                what,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_survives_its_parts() {
        let step = || Step::Done {
            intent: "1".to_owned(),
        };
        let events = [
            Event::Proposal(ProposalEvent {
                branch: "patchgate/1".to_owned(),
                pull_request: None,
                step: Step::Intent {},
            }),
            Event::Merge(MergeEvent {
                pull_request: 7,
                head: "a".to_owned(),
                verdict: "2".to_owned(),
                step: step(),
            }),
            Event::Override(OverrideEvent {
                of: "2".to_owned(),
                decision: Decision::Merge,
            }),
            Event::Hold(HoldEvent { held: true }),
            Event::Outcome(OutcomeEvent {
                result: OutcomeKind::Reverted,
                commit: "a".to_owned(),
                environment: Some("production".to_owned()),
            }),
        ];
        for event in events {
            let (kind, what) = event.to_parts().unwrap();
            assert_eq!(Event::from_parts(&kind, what).unwrap(), event, "{kind}");
        }
    }

    #[test]
    fn a_known_type_with_another_content_is_refused() {
        let what = serde_json::json!({"held": true, "forever": true});
        assert!(Event::from_parts("dev.patchgate.hold.v1", what).is_err());
        let odd = serde_json::json!({"held": "yes"});
        assert!(Event::from_parts("dev.patchgate.hold.v1", odd).is_err());
    }
}
