//! Verdict of a run: the threshold from flags and settings, the exit code, the report and the
//! outputs of a CI step.

use std::collections::BTreeSet;

use patchgate_config::Config;
use patchgate_model::{Finding, Inventory, Level, Problem, ProblemKind};
use patchgate_report::{ScanInput, ScanReport};
use patchgate_risk::{Condition, Threshold};
use patchgate_scan::{ScanResult, package_fixes};

use crate::args::{FailOnArg, SeverityArg, ThresholdArgs};
use crate::context::Context;
use crate::exit::Exit;
use crate::runner::Runner;

/// The conditions under which a run fails.
#[derive(Debug, Clone, Default)]
pub(crate) struct FailureRule {
    /// The findings that fail it.
    pub(crate) threshold: Threshold,
    /// Kinds of inputs that do not fail it when they cannot be read or judged.
    pub(crate) waived: BTreeSet<ProblemKind>,
}

impl FailureRule {
    /// The rule of the flags, and of the settings where no flag says otherwise.
    pub(crate) fn new(args: &ThresholdArgs, config: &Config) -> Self {
        let of_file = &config.thresholds;
        let given = args.fail_on.iter().filter_map(|one| match one {
            FailOnArg::Condition(condition) => Some(condition.clone()),
            FailOnArg::Possible => None,
        });
        let condition = given.reduce(Condition::or);

        Self {
            threshold: Threshold {
                severity: args.severity.map(Level::from).or(of_file.severity),
                score: args.min_score.or(of_file.score),
                condition: condition.or_else(|| of_file.condition.clone()),
                possible: of_file.possible || args.fail_on.contains(&FailOnArg::Possible),
            },
            waived: config.waived.clone(),
        }
    }

    pub(crate) fn fails(&self, problem: &Problem) -> bool {
        !self.waived.contains(&problem.kind)
    }
}

impl From<SeverityArg> for Level {
    fn from(severity: SeverityArg) -> Self {
        match severity {
            SeverityArg::Low => Self::Low,
            SeverityArg::Medium => Self::Medium,
            SeverityArg::High => Self::High,
            SeverityArg::Critical => Self::Critical,
        }
    }
}

/// The exit code of a run. `found` are all findings that nothing suppresses, `left` those of them
/// that fail the run: after a fix, those that remain although a fix exists. A malicious release is
/// an incident even when a fix would remove it, because it was installed until then.
pub(crate) fn exit<'a>(
    found: &[Finding],
    left: impl IntoIterator<Item = &'a Finding>,
    problems: &[Problem],
    rule: &FailureRule,
    inventory: &Inventory,
) -> Exit {
    if found.iter().any(|finding| finding.malicious) {
        return Exit::Malicious;
    }
    if problems.iter().any(|problem| rule.fails(problem)) {
        return Exit::Incomplete;
    }
    if left
        .into_iter()
        .any(|finding| rule.threshold.is_reached_by(finding))
    {
        return Exit::Findings;
    }
    if inventory.lockfiles.is_empty() && inventory.unlocked.is_empty() {
        return Exit::NothingToScan;
    }

    Exit::Clean
}

/// The report of a scan. `problems` are those of the scan, and those of a fix that builds on it.
pub(crate) fn scan_report(
    result: &ScanResult,
    problems: &[Problem],
    rule: &FailureRule,
    exit: Exit,
    context: &Context,
) -> ScanReport {
    let groups = &result.contents.inventory.groups;
    let groups = groups
        .iter()
        .map(|(path, group)| (path.as_str(), group.word()))
        .collect();

    ScanReport::new(&ScanInput {
        findings: &result.findings.kept,
        possible: &result.findings.possible,
        fixes: &package_fixes(&result.findings.kept),
        ignored: &result.findings.ignored,
        suppressed: &result.findings.suppressed,
        vex_notices: &result.findings.vex_notices,
        notices: &result.findings.notices,
        lockfiles: &result.contents.inventory.lockfiles,
        groups: &groups,
        problems,
        sources: &result.sources,
        threshold: &rule.threshold,
        waived: &rule.waived,
        exit: exit.into(),
        now: context.environment.now(),
    })
}

/// Sets the step outputs: the number of findings and the highest score.
pub(crate) fn write_outputs(runner: &Runner, report: &ScanReport) -> anyhow::Result<()> {
    let summary = &report.summary;
    runner.output("findings", &summary.findings.to_string())?;
    let highest = summary.highest_score;
    runner.output(
        "highest-score",
        &highest.map_or_else(String::new, |score| score.to_string()),
    )
}
