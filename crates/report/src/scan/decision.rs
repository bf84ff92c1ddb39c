//! The decision about a finding: its fields in the JSON, and its words.

use patchgate_model::{Decision, Outcome};
use schemars::JsonSchema;
use serde::Serialize;

use super::phrases::count;
use super::{FindingReport, ScanReport, SeverityName, phrases};

/// How urgent a finding is, with the evidence.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct DecisionReport {
    /// How urgent the finding is.
    pub outcome: OutcomeName,
    /// The outcome if everything that is missing were at its best.
    pub at_best: OutcomeName,
    /// The outcome if everything that is missing were at its worst.
    pub at_worst: OutcomeName,
    /// The steps of the decision, in the order in which evidence counts.
    pub steps: Vec<DecisionStepReport>,
    /// The evidence that is missing, and what each could change on its own.
    pub missing: Vec<MissingEvidenceReport>,
    /// The business profile that applies; `null` when no glob of the settings covers the finding.
    pub profile: Option<ProfileReport>,
    /// CVSS score with the environmental metrics that follow from the profile; `null` without any.
    pub environmental: Option<EnvironmentalReport>,
    /// The severity that the text suggests; `null` when a record states one, or when no estimate is
    /// good enough for the record's database.
    pub estimate: Option<EstimateReport>,
    /// The weaknesses that the text suggests; `null` when a record states one, or when no estimate is
    /// good enough.
    pub weakness: Option<WeaknessReport>,
    /// The date until which the finding has to be fixed; `null` without a table of deadlines.
    pub deadline: Option<DeadlineReport>,
}

/// How urgent a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum OutcomeName {
    /// Not to be acted on at present.
    Defer,
    /// To be fixed in the next regular update.
    Scheduled,
    /// To be fixed before the next regular update.
    OutOfCycle,
    /// To be fixed at once.
    ActNow,
}

/// One step of a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DecisionStepReport {
    /// The evidence: `malicious`, `kev`, `severity`, `exploitation`, `exposure`, `automatable`,
    /// `human-impact`, `ssvc`, `epss`, `estimate`, `requirement` or `reachability`.
    pub evidence: String,
    /// What it says.
    pub text: String,
    /// Where the value comes from: `stated`, `derived` by a published rule, `estimated` from the text, `assumed`, or
    /// `missing`.
    pub basis: String,
    /// The outcome after this step; `null` when the step decides nothing.
    pub outcome: Option<OutcomeName>,
}

/// Evidence that is missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct MissingEvidenceReport {
    /// The evidence: `kev`, `epss`, `cvss`, `exposure` or `human-impact`.
    pub evidence: String,
    /// The outcome if it were at its best.
    pub at_best: OutcomeName,
    /// The outcome if it were at its worst.
    pub at_worst: OutcomeName,
}

/// The business profile of a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ProfileReport {
    /// The glob of the settings.
    pub glob: String,
    /// The file that it covers.
    pub file: String,
    /// Who is responsible.
    pub owner: Option<String>,
    /// Tier of the service, from 1 to 4.
    pub tier: Option<u8>,
    /// `production`, `staging` or `development`.
    pub environment: Option<String>,
}

/// A CVSS score with environmental metrics.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct EnvironmentalReport {
    /// From 0.0 to 10.0.
    pub score: f64,
    /// The vector with the metrics.
    pub vector: String,
}

/// A severity that was estimated from the text of a record. It never lowers anything.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct EstimateReport {
    /// Id of the record with the text.
    pub record: String,
    /// Band of the score.
    pub severity: SeverityName,
    /// Median of the estimated CVSS v3.1 base score.
    pub score: f64,
    /// Lower end of the 80 % interval of the score.
    pub low: f64,
    /// Upper end of the 80 % interval of the score.
    pub high: f64,
    /// Vector of the most probable value of each metric. Its own score may differ.
    pub vector: String,
}

/// Weaknesses that were estimated from the text of a record.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct WeaknessReport {
    /// Id of the record with the text.
    pub record: String,
    /// The most probable weaknesses, at most three, first the most probable.
    pub guesses: Vec<WeaknessGuessReport>,
}

/// A weakness with its probability.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct WeaknessGuessReport {
    /// Id, such as `CWE-79`.
    pub cwe: String,
    /// From 0 to 1.
    pub probability: f64,
}

/// A deadline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DeadlineReport {
    /// Name of the table: `pci-dss`, `cisa-bod-26-04`, `fedramp-vdr`, `cra` or `own`.
    pub table: String,
    /// The row of the table that applies.
    pub rule: String,
    /// The event from which the time counts.
    pub counted_from: String,
    /// Its date, `YYYY-MM-DD`.
    pub start: String,
    /// Last day on which the finding is in time, `YYYY-MM-DD`; `null` when the row sets no date.
    pub due: Option<String>,
    /// Whether that day is over.
    pub overdue: bool,
}

/// Numbers of findings by outcome.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OutcomeCounts {
    /// To be fixed at once.
    pub act_now: usize,
    /// To be fixed before the next regular update.
    pub out_of_cycle: usize,
    /// To be fixed in the next regular update.
    pub scheduled: usize,
    /// Not to be acted on at present.
    pub defer: usize,
}

impl OutcomeName {
    /// The word in the JSON.
    pub(crate) fn word(self) -> &'static str {
        Outcome::from(self).word()
    }

    /// The words for a person.
    pub(crate) fn phrase(self) -> &'static str {
        Outcome::from(self).phrase()
    }

    /// The title of a section: `Act now`.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Defer => "Defer",
            Self::Scheduled => "Scheduled",
            Self::OutOfCycle => "Out of cycle",
            Self::ActNow => "Act now",
        }
    }
}

impl From<OutcomeName> for Outcome {
    fn from(name: OutcomeName) -> Self {
        match name {
            OutcomeName::Defer => Self::Defer,
            OutcomeName::Scheduled => Self::Scheduled,
            OutcomeName::OutOfCycle => Self::OutOfCycle,
            OutcomeName::ActNow => Self::ActNow,
        }
    }
}

impl From<Outcome> for OutcomeName {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Defer => Self::Defer,
            Outcome::Scheduled => Self::Scheduled,
            Outcome::OutOfCycle => Self::OutOfCycle,
            Outcome::ActNow => Self::ActNow,
        }
    }
}

impl From<&Decision> for DecisionReport {
    fn from(decision: &Decision) -> Self {
        Self {
            outcome: decision.outcome.into(),
            at_best: decision.at_best.into(),
            at_worst: decision.at_worst.into(),
            steps: decision
                .steps
                .iter()
                .map(|step| DecisionStepReport {
                    evidence: step.evidence.to_owned(),
                    text: step.text.clone(),
                    basis: step.basis.word().to_owned(),
                    outcome: step.outcome.map(OutcomeName::from),
                })
                .collect(),
            missing: decision
                .missing
                .iter()
                .map(|one| MissingEvidenceReport {
                    evidence: one.evidence.to_owned(),
                    at_best: one.at_best.into(),
                    at_worst: one.at_worst.into(),
                })
                .collect(),
            profile: decision.profile.as_ref().map(|profile| ProfileReport {
                glob: profile.glob.clone(),
                file: profile.file.clone(),
                owner: profile.owner.clone(),
                tier: profile.tier,
                environment: profile.environment.map(str::to_owned),
            }),
            environmental: decision
                .environmental
                .as_ref()
                .map(|one| EnvironmentalReport {
                    score: one.score,
                    vector: one.vector.clone(),
                }),
            estimate: decision.estimate.as_ref().map(|one| EstimateReport {
                record: one.record.clone(),
                severity: one.level.into(),
                score: one.score,
                low: one.low,
                high: one.high,
                vector: one.vector.clone(),
            }),
            weakness: decision.weakness.as_ref().map(|one| WeaknessReport {
                record: one.record.clone(),
                guesses: one
                    .guesses
                    .iter()
                    .map(|guess| WeaknessGuessReport {
                        cwe: guess.cwe.clone(),
                        probability: guess.probability,
                    })
                    .collect(),
            }),
            deadline: decision.deadline.as_ref().map(|deadline| DeadlineReport {
                table: deadline.table.to_owned(),
                rule: deadline.rule.clone(),
                counted_from: deadline.counted_from.phrase().to_owned(),
                start: deadline.start.to_string(),
                due: deadline.due.map(|due| due.to_string()),
                overdue: deadline.overdue,
            }),
        }
    }
}

impl OutcomeCounts {
    /// Counts the findings.
    pub(super) fn of<'a>(findings: impl IntoIterator<Item = &'a FindingReport>) -> Self {
        let mut counts = Self::default();
        for finding in findings {
            *match finding.decision.outcome {
                OutcomeName::ActNow => &mut counts.act_now,
                OutcomeName::OutOfCycle => &mut counts.out_of_cycle,
                OutcomeName::Scheduled => &mut counts.scheduled,
                OutcomeName::Defer => &mut counts.defer,
            } += 1;
        }
        counts
    }
}

/// The findings of each outcome: `1 act now, 2 out of cycle, 30 scheduled, 8 defer`.
pub(super) fn outcomes(counts: &OutcomeCounts) -> String {
    [
        (counts.act_now, OutcomeName::ActNow),
        (counts.out_of_cycle, OutcomeName::OutOfCycle),
        (counts.scheduled, OutcomeName::Scheduled),
        (counts.defer, OutcomeName::Defer),
    ]
    .iter()
    .filter(|(number, _)| *number > 0)
    .map(|(number, outcome)| format!("{number} {}", outcome.phrase()))
    .collect::<Vec<_>>()
    .join(", ")
}

/// The deadline of a finding: `overdue since 2026-11-15 (pci-dss)`, `due 2026-12-01 (own)`.
pub(crate) fn deadline(finding: &FindingReport) -> Option<String> {
    let deadline = finding.decision.deadline.as_ref()?;
    let due = deadline.due.as_ref()?;
    Some(match deadline.overdue {
        true => format!("overdue since {due} ({})", deadline.table),
        false => format!("due {due} ({})", deadline.table),
    })
}

/// Outcomes, deadlines, and what to do next: `Next: act now on qs and 2 more packages; `patchgate fix
/// --only act-now --apply` fixes 2 of 3 findings`. `None` without findings.
pub(super) fn next(report: &ScanReport) -> Option<String> {
    let first = report.findings.first()?;
    let urgent = first.decision.outcome;
    let counts = outcomes(&report.summary.by_outcome);
    let overdue = match report.summary.overdue {
        0 => String::new(),
        number => format!(", {number} overdue"),
    };
    if urgent == OutcomeName::Defer {
        return Some(format!(
            "{counts}{overdue}. Nothing has to be done at present"
        ));
    }

    let of_outcome: Vec<&FindingReport> = report
        .findings
        .iter()
        .filter(|finding| finding.decision.outcome == urgent)
        .collect();
    let mut packages: Vec<String> = Vec::new();
    for finding in &of_outcome {
        let package = phrases::package(finding);
        if !packages.contains(&package) {
            packages.push(package);
        }
    }
    let what = match urgent {
        OutcomeName::ActNow => "act now on",
        OutcomeName::OutOfCycle => "before the next regular update, fix",
        OutcomeName::Scheduled | OutcomeName::Defer => "in the next regular update, fix",
    };

    let fixable = of_outcome
        .iter()
        .filter(|one| one.fixed_version.is_some())
        .count();
    let command = match urgent {
        OutcomeName::ActNow => "`patchgate fix --only act-now --apply`",
        _ => "`patchgate fix --apply`",
    };
    let fix = match (fixable, of_outcome.len()) {
        (0, _) => "no fix is known".to_owned(),
        (fixable, all) if fixable == all => format!("{command} plans their fixes"),
        (fixable, all) => {
            let findings = count(all, "finding", "findings");
            format!("{command} plans fixes for {fixable} of {findings}")
        }
    };
    Some(format!(
        "{counts}{overdue}. Next: {what} {}; {fix}",
        phrases::some_of(&packages, 3)
    ))
}
