//! Decisions: how urgent a finding is, with the evidence for it.

use jiff::civil::Date;

use crate::Level;

/// How urgent a finding is. The four words are those of SSVC's deployer tree
/// (<https://certcc.github.io/SSVC/howto/deployer_tree/>), with "act now" for "immediate".
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// Not to be acted on at present.
    #[default]
    Defer,
    /// To be fixed in the next regular update.
    Scheduled,
    /// To be fixed before the next regular update.
    OutOfCycle,
    /// To be fixed at once, with everything that this takes.
    ActNow,
}

impl Outcome {
    /// All outcomes, most urgent first.
    pub const ALL: [Self; 4] = [Self::ActNow, Self::OutOfCycle, Self::Scheduled, Self::Defer];

    /// The word for scripts, such as `act-now`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Defer => "defer",
            Self::Scheduled => "scheduled",
            Self::OutOfCycle => "out-of-cycle",
            Self::ActNow => "act-now",
        }
    }

    /// The words for a person, such as `act now`.
    #[must_use]
    pub fn phrase(self) -> &'static str {
        match self {
            Self::Defer => "defer",
            Self::Scheduled => "scheduled",
            Self::OutOfCycle => "out of cycle",
            Self::ActNow => "act now",
        }
    }

    /// The next less urgent outcome.
    #[must_use]
    pub fn lower(self) -> Self {
        match self {
            Self::ActNow => Self::OutOfCycle,
            Self::OutOfCycle => Self::Scheduled,
            Self::Scheduled | Self::Defer => Self::Defer,
        }
    }
}

/// The decision about one finding.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Decision {
    /// How urgent the finding is.
    pub outcome: Outcome,
    /// The steps in the order in which evidence counts, each with what it says.
    pub steps: Vec<DecisionStep>,
    /// The evidence that is missing.
    pub missing: Vec<MissingEvidence>,
    /// The outcome if everything that is missing were at its best.
    pub at_best: Outcome,
    /// The outcome if everything that is missing were at its worst.
    pub at_worst: Outcome,
    /// The business profile that applies, if a glob of the settings covers the finding.
    pub profile: Option<AppliedProfile>,
    /// The CVSS score with the environmental metrics that follow from the profile.
    pub environmental: Option<EnvironmentalScore>,
    /// The severity that the text suggests, where the records state none.
    pub estimate: Option<SeverityEstimate>,
    /// The weaknesses that the text suggests, where the records state none.
    pub weakness: Option<WeaknessEstimate>,
    /// The date until which the finding has to be fixed, if the settings have a table of deadlines.
    pub deadline: Option<Deadline>,
    /// The first day on which a scan found the finding, if an earlier report says so.
    pub first_detected: Option<Date>,
    /// The change against an earlier report; `None` when there is none to compare with.
    pub change: Option<BaselineChange>,
}

/// The change of a finding against an earlier report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BaselineChange {
    /// The earlier report lacks it, at least in one of its files.
    New,
    /// It has a more urgent outcome or a higher severity.
    Worse,
    /// It has a less urgent outcome or a lower severity.
    Better,
    /// It did not change.
    Same,
}

impl BaselineChange {
    /// The word for scripts.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Worse => "worse",
            Self::Better => "better",
            Self::Same => "same",
        }
    }
}

/// One step of a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecisionStep {
    /// The evidence: `malicious`, `kev`, `ssvc`, `epss`, `requirement`, ….
    pub evidence: &'static str,
    /// What it says: a fragment for a person.
    pub text: String,
    /// Where the value comes from: `stated`, `derived`, `estimated`, `assumed` or `missing`.
    pub basis: Basis,
    /// The outcome after this step; `None` when the step decides nothing.
    pub outcome: Option<Outcome>,
}

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Basis {
    /// A record, a feed or the settings say it.
    Stated,
    /// It follows from other evidence by a published rule.
    Derived,
    /// A model takes it from the text of a record. It only raises urgency.
    Estimated,
    /// Nothing says it. A cautious value stands in.
    Assumed,
    /// Nothing says it, and the step is left out.
    Missing,
}

impl Basis {
    /// The word for scripts.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Stated => "stated",
            Self::Derived => "derived",
            Self::Estimated => "estimated",
            Self::Assumed => "assumed",
            Self::Missing => "missing",
        }
    }
}

/// Evidence that is missing, and what it could change on its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingEvidence {
    /// The evidence: `kev`, `epss`, `cvss`, `exposure`, `human-impact`.
    pub evidence: &'static str,
    /// The outcome if it were at its best.
    pub at_best: Outcome,
    /// The outcome if it were at its worst.
    pub at_worst: Outcome,
}

/// The part of a business profile that a report names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppliedProfile {
    /// The glob of the settings.
    pub glob: String,
    /// The file of the finding that it covers.
    pub file: String,
    /// Who is responsible.
    pub owner: Option<String>,
    /// Tier of the service, from 1 (most important).
    pub tier: Option<u8>,
    /// `production`, `staging` or `development`.
    pub environment: Option<&'static str>,
}

/// A CVSS score with environmental metrics.
#[derive(Debug, Clone, PartialEq)]
pub struct EnvironmentalScore {
    /// From 0.0 to 10.0.
    pub score: f64,
    /// The vector with the metrics.
    pub vector: String,
}

/// A severity that was estimated from the text of a record, because no record states one. It may raise
/// urgency, and never lowers anything.
#[derive(Debug, Clone, PartialEq)]
pub struct SeverityEstimate {
    /// Id of the record with the text.
    pub record: String,
    /// Band of the score.
    pub level: Level,
    /// Median of the estimated CVSS v3.1 base score, from 0.0 to 10.0.
    pub score: f64,
    /// Lower end of the 80 % interval of the score.
    pub low: f64,
    /// Upper end of the 80 % interval of the score.
    pub high: f64,
    /// Vector of the most probable value of each metric. Its own score may differ from the median.
    pub vector: String,
}

/// Weaknesses that were estimated from the text of a record, because no record states one.
#[derive(Debug, Clone, PartialEq)]
pub struct WeaknessEstimate {
    /// Id of the record with the text.
    pub record: String,
    /// The most probable weaknesses, first the most probable.
    pub guesses: Vec<WeaknessGuess>,
}

/// A weakness with its probability.
#[derive(Debug, Clone, PartialEq)]
pub struct WeaknessGuess {
    /// Id, such as `CWE-79`.
    pub cwe: String,
    /// From 0 to 1.
    pub probability: f64,
}

/// The date until which a finding has to be fixed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deadline {
    /// Name of the table, such as `pci-dss`.
    pub table: &'static str,
    /// The row of the table that applies: a fragment for a person.
    pub rule: String,
    /// The event from which the time counts.
    pub counted_from: ClockStart,
    /// Its date.
    pub start: Date,
    /// Last day on which the finding is in time; `None` when the row sets no date.
    pub due: Option<Date>,
    /// Whether that day is over.
    pub overdue: bool,
}

/// The event from which a deadline counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ClockStart {
    /// The first publication of the record.
    Publication,
    /// The entry in CISA's catalogue of exploited vulnerabilities.
    CatalogEntry,
    /// The first scan that found it.
    Detection,
    /// The evaluation of the finding.
    Evaluation,
}

impl ClockStart {
    /// The words for a person.
    #[must_use]
    pub fn phrase(self) -> &'static str {
        match self {
            Self::Publication => "publication",
            Self::CatalogEntry => "entry in the KEV catalogue",
            Self::Detection => "first detection",
            Self::Evaluation => "evaluation",
        }
    }
}
