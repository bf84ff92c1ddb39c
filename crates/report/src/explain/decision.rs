//! The story of a decision: a paragraph, and a table of its steps.

use patchgate_model::Finding;
use schemars::JsonSchema;
use serde::Serialize;

use super::ExplainReport;
use crate::GITHUB_BODY_LIMIT;
use crate::clean::clean;
use crate::markdown::{Body, code, text};
use crate::scan::{
    DecisionReport, LocationReport, OutcomeName, PackageReport, ReachabilityReport,
    ScoreReasonReport, count, percent,
};
use crate::terminal::{BOLD, RED_BOLD, Terminal, YELLOW};

/// The decision about one package.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct DecidedReport {
    /// The affected package version.
    pub package: PackageReport,
    /// Lines of lockfiles that contain it.
    pub locations: Vec<LocationReport>,
    /// Strongest reason for which the package is there, such as `runtime`.
    pub scope: String,
    /// Smallest version that is not affected; `null` when none is known.
    pub fixed_version: Option<String>,
    /// Priority, from 0 to 100.
    pub score: f64,
    /// The parts of the score, largest first. Their points add up to it.
    pub score_reasons: Vec<ScoreReasonReport>,
    /// How urgent it is, with the evidence.
    pub decision: DecisionReport,
    /// Whether the repository's sources use what is affected; `null` when they were not read.
    pub reachability: Option<ReachabilityReport>,
    /// Why it does not count, whatever the decision is: the ignore entry or the VEX statement that
    /// covers it; `null` when none does.
    pub suppressed: Option<String>,
}

impl DecidedReport {
    pub(super) fn new(finding: &Finding, suppressed: Option<String>) -> Self {
        Self {
            suppressed,
            package: PackageReport::from(&finding.package),
            locations: finding.locations.iter().map(LocationReport::from).collect(),
            scope: crate::scan::scope_name(finding.scope).to_owned(),
            fixed_version: match &finding.fixed {
                patchgate_model::FixedVersion::At(version) => Some(version.clone()),
                patchgate_model::FixedVersion::None(_) => None,
            },
            score: finding.score.value,
            score_reasons: finding
                .score
                .reasons
                .iter()
                .map(|reason| ScoreReasonReport {
                    signal: reason.signal.to_owned(),
                    points: reason.points,
                    text: reason.text.clone(),
                })
                .collect(),
            decision: DecisionReport::from(&finding.score.decision),
            reachability: finding.reachability.as_ref().map(ReachabilityReport::from),
        }
    }
}

impl DecidedReport {
    fn subject(&self) -> String {
        match self.package.version.as_str() {
            "" => self.package.name.clone(),
            version => format!("{}@{version}", self.package.name),
        }
    }

    /// The story in a few sentences.
    fn paragraph(&self, id: &str) -> String {
        let decision = &self.decision;
        let mut sentences = vec![format!(
            "{id} in {}: {}, priority {:.1} of 100.",
            self.subject(),
            decision.outcome.phrase(),
            self.score
        )];
        if let Some(reason) = &self.suppressed {
            sentences.insert(0, format!("It does not count: {reason}. Without that:"));
        }

        // The step that decided is the first one that reached the outcome and none changed after.
        let deciding = decision
            .steps
            .iter()
            .rev()
            .find(|step| step.outcome.is_some());
        if let Some(step) = deciding {
            let sentence = match step.evidence.as_str() {
                "ssvc" => {
                    let points = ["exploitation", "exposure", "automatable", "human-impact"];
                    let values = decision
                        .steps
                        .iter()
                        .filter(|step| points.contains(&step.evidence.as_str()))
                        .map(|step| format!("{} {}", step.evidence.replace('-', " "), step.text));
                    let values: Vec<String> = values.collect();
                    format!("The {} decides: {}.", step.text, values.join("; "))
                }
                _ => format!("What decides: {}.", step.text),
            };
            sentences.push(sentence);
        }
        if let Some(profile) = &decision.profile {
            let owner = profile.owner.as_ref().map(|owner| format!(" of {owner}"));
            sentences.push(format!(
                "The profile `{}`{} applies, because of {}.",
                profile.glob,
                owner.unwrap_or_default(),
                profile.file
            ));
        }
        if let Some(estimate) = &decision.estimate {
            sentences.push(format!(
                "No record states a severity; the text of {} suggests a CVSS score of {:.1}, with 80 % \
                 probability between {:.1} and {:.1}, which may raise the urgency and lowers nothing.",
                estimate.record, estimate.score, estimate.low, estimate.high
            ));
        }
        if let Some(weakness) = &decision.weakness {
            let guesses = weakness.guesses.iter();
            let guesses: Vec<String> = guesses
                .map(|guess| format!("{} ({})", guess.cwe, percent(guess.probability)))
                .collect();
            sentences.push(format!(
                "No record states a weakness; the text of {} suggests {}.",
                weakness.record,
                guesses.join(", ")
            ));
        }
        if !decision.missing.is_empty() {
            let missing: Vec<&str> = decision
                .missing
                .iter()
                .map(|one| one.evidence.as_str())
                .collect();
            let range = match decision.at_best == decision.at_worst {
                true => format!(
                    "it changes nothing: {} in any case",
                    decision.at_best.phrase()
                ),
                false => format!(
                    "it is {} at best and {} at worst",
                    decision.at_best.phrase(),
                    decision.at_worst.phrase()
                ),
            };
            sentences.push(format!("Missing: {}; {range}.", missing.join(", ")));
        }
        if let Some(deadline) = &decision.deadline {
            let date = match (&deadline.due, deadline.overdue) {
                (Some(due), true) => format!("overdue since {due}"),
                (Some(due), false) => format!("due {due}"),
                (None, _) => "no date".to_owned(),
            };
            sentences.push(format!(
                "Deadline by {}: {date}, counted from {} on {} ({}).",
                deadline.table, deadline.counted_from, deadline.start, deadline.rule
            ));
        }
        sentences.push(match &self.fixed_version {
            Some(version) => format!("Fixed in {version}."),
            None => "No fix is known.".to_owned(),
        });

        sentences.join(" ")
    }

    /// The steps: evidence, basis, outcome, and what the evidence says.
    fn rows(&self) -> impl Iterator<Item = [String; 4]> + '_ {
        let suppressed = self.suppressed.iter().map(|reason| {
            [
                "suppressed".to_owned(),
                "stated".to_owned(),
                String::new(),
                reason.clone(),
            ]
        });
        let steps = self.decision.steps.iter().map(|step| {
            let outcome = step.outcome.map_or("", OutcomeName::phrase);
            [
                step.evidence.clone(),
                step.basis.clone(),
                outcome.to_owned(),
                step.text.clone(),
            ]
        });
        suppressed.chain(steps)
    }
}

impl ExplainReport {
    pub(super) fn decision_lines(&self, terminal: Terminal, lines: &mut Vec<String>) {
        for decided in &self.decisions {
            let style = match decided.decision.outcome {
                OutcomeName::ActNow => RED_BOLD,
                OutcomeName::OutOfCycle => YELLOW,
                OutcomeName::Scheduled | OutcomeName::Defer => BOLD,
            };
            let outcome = decided.decision.outcome.phrase();
            let title = match &decided.suppressed {
                Some(_) => format!("Decision: suppressed, else {outcome}"),
                None => format!("Decision: {outcome}"),
            };
            lines.push(terminal.paint(style, &title));
            let paragraph = decided.paragraph(&self.id);
            lines.extend(terminal.wrap("", 2, &clean(&paragraph)));
            lines.push(String::new());

            for [evidence, basis, outcome, text] in decided.rows() {
                let label = format!("  {evidence:<13}{basis:<9}{outcome:<13}");
                lines.extend(terminal.wrap(&label, 37, &clean(&text)));
            }
            for reason in &decided.score_reasons {
                let label = format!("  {:<13}{:>+6.1}", reason.signal, reason.points);
                lines.extend(terminal.wrap(&label, 23, &clean(&reason.text)));
            }
            lines.push(String::new());
        }
    }

    /// As Markdown: a paragraph and the tables of each decision.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let mut body = Body::new(GITHUB_BODY_LIMIT, 0);
        body.push(&format!("## {}\n\n", text(&self.id)));
        if let Some(record) = self.records.first().filter(|one| !one.summary.is_empty()) {
            body.push(&format!("{}\n\n", text(&record.summary)));
        }
        for decided in &self.decisions {
            body.push(&format!("### {}\n\n", text(&decided.subject())));
            body.push(&format!("{}\n\n", text(&decided.paragraph(&self.id))));
            body.rows(
                "| Evidence | Basis | Outcome | |\n| --- | --- | --- | --- |\n",
                decided.rows().map(|row| {
                    let [evidence, basis, outcome, says] = row.map(|cell| text(&cell));
                    format!("| {evidence} | {basis} | {outcome} | {says} |\n")
                }),
            );
            body.rows(
                "| Part of the score | Points | |\n| --- | ---: | --- |\n",
                decided.score_reasons.iter().map(|reason| {
                    format!(
                        "| {} | {:+.1} | {} |\n",
                        code(&reason.signal),
                        reason.points,
                        text(&reason.text)
                    )
                }),
            );
        }
        if self.decisions.is_empty() {
            body.push("No scanned package is affected.\n\n");
        }
        if !self.incomplete.is_empty() {
            let inputs = count(self.incomplete.len(), "input", "inputs");
            body.push(&format!(
                "The answer is incomplete: {inputs} could not be read or looked up.\n\n"
            ));
        }
        body.finish("")
    }
}
