//! From a repository's contents to judged findings: the part that `scan`, `fix`, `pr` and `gate`
//! share.

use patchgate_advisories::Lookup;
use patchgate_config::{Config, IgnoredFinding, Notice};
use patchgate_ecosystems::{Ecosystem, by_name};
use patchgate_model::{Finding, Inventory, Level, Problem, ProblemKind, SourceStatus};
use patchgate_report::ScanReport;
use patchgate_risk::Threshold;
use patchgate_vex::{Decision, Suppressed};
use rayon::iter::{IntoParallelRefMutIterator as _, ParallelIterator as _};

use crate::args::{SeverityArg, ThresholdArgs};
use crate::exit::Exit;
use crate::runner::Runner;
use crate::source::AdvisorySource;
use crate::vex::Vex;

/// What fails a run: the flags, else the settings.
pub(crate) fn threshold(args: &ThresholdArgs, config: &Config) -> Threshold {
    Threshold {
        severity: args
            .severity
            .map_or(config.thresholds.severity, Level::from),
        score: args.min_score.unwrap_or(config.thresholds.score),
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

/// Findings with what they rest on.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scanned {
    /// Every finding with severity and score, worst first, ignored ones included.
    pub(crate) findings: Vec<Finding>,
    /// What could not be read, looked up or judged.
    pub(crate) problems: Vec<Problem>,
    /// The sources, with their age.
    pub(crate) sources: Vec<SourceStatus>,
    /// Feeds that could not be fetched. The findings are whole without them; their scores are not.
    pub(crate) missing_feeds: Vec<Problem>,
}

/// Findings sorted by what the settings and the statements of VEX documents make of them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sorted {
    /// Findings that stay, in their order.
    pub(crate) kept: Vec<Finding>,
    /// For each of them at the same place, the statement about it.
    pub(crate) judged: Vec<Option<Decision>>,
    /// Findings that an ignore entry covers.
    pub(crate) ignored: Vec<IgnoredFinding>,
    /// Findings that a statement suppresses.
    pub(crate) suppressed: Vec<Suppressed>,
    /// What the settings file should be changed for.
    pub(crate) notices: Vec<Notice>,
    /// Statements that nearly applied.
    pub(crate) vex_notices: Vec<patchgate_vex::Notice>,
}

impl Scanned {
    /// Sorts the findings. What the repository itself says comes first: an ignore entry has an end,
    /// and is not to be called unused because of a document.
    pub(crate) fn sort(
        &mut self,
        config: &Config,
        vex: &Vex,
        inventory: &Inventory,
        today: jiff::civil::Date,
    ) -> Sorted {
        let findings = std::mem::take(&mut self.findings);
        let applied = patchgate_config::apply_ignores(findings, &config.ignore, today);
        let judged = vex.apply(applied.kept, inventory);

        Sorted {
            kept: judged.kept,
            judged: judged.judged,
            ignored: applied.ignored,
            suppressed: judged.suppressed,
            notices: applied.notices,
            vex_notices: judged.notices,
        }
    }

    /// Adds what is known about the VEX documents.
    pub(crate) fn add_documents(&mut self, vex: &Vex) {
        self.problems.extend(vex.problems.iter().cloned());
        self.problems.sort();
        self.problems.dedup();
        self.sources.extend(vex.sources.iter().cloned());
    }

    /// What makes the answer incomplete under a threshold. A missing feed does so only where the
    /// threshold asks for a score: which findings there are does not depend on feeds.
    pub(crate) fn holes(&self, threshold: Threshold) -> Vec<Problem> {
        let mut holes = self.problems.clone();
        if threshold.score > 0.0 {
            holes.extend(self.missing_feeds.iter().cloned());
        }
        holes
    }
}

/// Looks up every package of the inventory and judges what is known about it.
pub(crate) async fn scan(inventory: &Inventory, source: &AdvisorySource) -> Scanned {
    let lookup = source.lookup_inventory(inventory).await;
    judge(inventory, &lookup, source).await
}

/// Judges what is known about the packages of the inventory.
pub(crate) async fn judge(
    inventory: &Inventory,
    lookup: &Lookup,
    source: &AdvisorySource,
) -> Scanned {
    let signals = source.signals(lookup).await;
    let found = patchgate_advisories::find(inventory, lookup, signals.source);
    let mut findings = found.findings;
    findings.par_iter_mut().for_each(patchgate_risk::rate);
    sort(&mut findings);
    let mut problems = inventory.problems.clone();
    problems.extend(unresolved(inventory));
    problems.extend(missing(inventory));
    problems.extend(lookup.problems.iter().cloned());
    problems.extend(found.problems);
    problems.sort();
    problems.dedup();
    let mut sources = lookup.sources.clone();
    sources.extend(signals.status);

    Scanned {
        findings,
        problems,
        sources,
        missing_feeds: signals.problems,
    }
}

/// Requirements for which no file states a version: what is installed is not known, and so not
/// whether it is affected. Ecosystems without advisories are told apart.
fn unresolved(inventory: &Inventory) -> impl Iterator<Item = Problem> {
    let locked = inventory.lockfiles.iter().map(|lockfile| {
        (
            &lockfile.path,
            lockfile.ecosystem,
            &lockfile.unresolved,
            "a version",
        )
    });

    let unlocked = inventory.unlocked.iter().map(|manifest| {
        (
            &manifest.path,
            manifest.ecosystem,
            &manifest.unresolved,
            "a lockfile",
        )
    });

    locked
        .chain(unlocked)
        .filter(|(_, ecosystem, ..)| by_name(ecosystem).is_none_or(Ecosystem::has_advisories))
        .filter_map(|(path, _, unresolved, lacks)| {
            let first = unresolved.first()?;
            let rest = match unresolved.len() {
                1 => String::new(),
                more => format!(" and {} more", more - 1),
            };

            Some(Problem {
                kind: ProblemKind::Unresolved,
                subject: path.clone(),
                line: Some(first.line),
                reason: format!("asks for `{}`{rest} without {lacks}", first.name),
                hint: Some(
                    match lacks {
                        "a lockfile" => {
                            "commit the lockfile, or leave the file out with `--exclude`"
                        }
                        _ => "pin exact versions, or leave the file out with `--exclude`",
                    }
                    .to_owned(),
                ),
            })
        })
}

/// Files from outside the repository without which it is not known what a file asks for.
pub(crate) fn missing(inventory: &Inventory) -> impl Iterator<Item = Problem> {
    inventory.lockfiles.iter().flat_map(|lockfile| {
        lockfile.missing.iter().map(|file| Problem {
            kind: ProblemKind::Unresolved,
            subject: lockfile.path.clone(),
            line: Some(file.line),
            reason: format!(
                "needs its {} `{}` {}, which {}",
                file.role,
                file.name,
                file.version,
                file.reason.as_deref().unwrap_or("is not in the repository")
            ),
            hint: Some(file.hint.clone().unwrap_or_else(|| {
                "make the file available in the local repository or in one that can be reached"
                    .to_owned()
            })),
        })
    })
}

/// Incidents before all else, then worst first, then by id and package so that the order never changes between runs.
fn sort(findings: &mut [Finding]) {
    findings.sort_by(|a, b| {
        b.malicious
            .cmp(&a.malicious)
            .then_with(|| b.score.value.total_cmp(&a.score.value))
            .then_with(|| a.id.cmp(&b.id))
            .then_with(|| a.package.cmp(&b.package))
    });
}

/// How a run with these findings and problems ends. `found` are all findings that no entry of the
/// settings covers, `left` those among them that the run leaves: a malicious release is an incident
/// also where a fix would move it away, since it was installed until then.
pub(crate) fn exit<'a>(
    found: &[Finding],
    left: impl IntoIterator<Item = &'a Finding>,
    problems: &[Problem],
    threshold: Threshold,
    inventory: &Inventory,
) -> Exit {
    if found.iter().any(|finding| finding.malicious) {
        return Exit::Malicious;
    }
    if !problems.is_empty() {
        return Exit::Incomplete;
    }
    if left
        .into_iter()
        .any(|finding| threshold.is_reached_by(finding))
    {
        return Exit::Findings;
    }
    if inventory.lockfiles.is_empty() {
        return Exit::NothingToScan;
    }

    Exit::Clean
}

/// Tells the runner how many findings there are and how bad the worst one is.
pub(crate) fn tell_outputs(runner: &Runner, report: &ScanReport) -> anyhow::Result<()> {
    let summary = &report.summary;
    runner.output("findings", &summary.findings.to_string())?;
    let highest = summary.highest_score;
    runner.output(
        "highest-score",
        &highest.map_or_else(String::new, |score| score.to_string()),
    )
}
