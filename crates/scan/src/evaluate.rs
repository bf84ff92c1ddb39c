//! Evaluation of an inventory: lookup, matching and rating, with everything that could not be
//! judged.

use patchgate_advisories::AdvisoryLookup;
use patchgate_inventory::missing;
use patchgate_model::{Finding, Inventory, Loss, Problem, ProblemKind, SourceStatus};
use patchgate_reachability::{Sources, assess};
use patchgate_risk::Threshold;
use rayon::iter::{IntoParallelRefMutIterator as _, ParallelIterator as _};

use crate::source::AdvisorySource;

/// Findings of an inventory, before ignore entries and VEX statements are applied.
#[derive(Debug, Clone, Default)]
pub struct Evaluation {
    /// Every finding with severity and score, worst first, ignored ones included.
    pub findings: Vec<Finding>,
    /// Findings about requirements that admit affected versions and others, rated and sorted in the
    /// same way. Whether an affected version is installed is unknown.
    pub possible: Vec<Finding>,
    /// Files, packages and advisories that could not be read, looked up or judged.
    pub problems: Vec<Problem>,
    /// The sources, with their age.
    pub sources: Vec<SourceStatus>,
    /// Feeds that could not be fetched. The findings are whole without them; their scores are not.
    pub missing_feeds: Vec<Problem>,
}

impl Evaluation {
    /// The reasons why the answer is incomplete under a threshold. A missing feed counts only when
    /// the threshold asks for a score, or when KEV could still lift a finding to the threshold: which
    /// findings there are does not depend on feeds.
    pub fn incomplete_reasons(&self, threshold: &Threshold) -> Vec<Problem> {
        let mut reasons = self.problems.clone();
        let mut findings = self.findings.iter().chain(&self.possible);
        if threshold.min_score().is_some()
            || findings.any(|finding| threshold.may_be_reached_with_feeds(finding))
        {
            reasons.extend(self.missing_feeds.iter().cloned());
        }

        reasons
    }

    /// Reads the sources of the repository, and rates the findings again with their reachability.
    /// `lowers` says whether "not imported" lowers an outcome.
    pub fn assess_reachability(
        &mut self,
        sources: &Sources<'_>,
        source: &AdvisorySource,
        lowers: bool,
    ) {
        let mut findings: Vec<&mut Finding> =
            self.findings.iter_mut().chain(&mut self.possible).collect();
        assess(sources, &mut findings, lowers);
        for finding in findings {
            source.rater().rate(finding);
        }
        sort(&mut self.findings);
        sort(&mut self.possible);
    }

    /// The findings that count, with the possible ones if the settings say so
    /// (`thresholds.possible`).
    #[must_use]
    pub fn into_counted(mut self, possible: bool) -> Vec<Finding> {
        if possible {
            self.findings.append(&mut self.possible);
        }
        self.findings
    }
}

/// Looks up every package of an inventory, and rates the findings.
///
/// ```no_run
/// use std::path::Path;
///
/// use patchgate_config::Config;
/// use patchgate_http::Environment;
/// use patchgate_inventory::Repository;
/// use patchgate_scan::{AdvisorySource, SourceOptions, evaluate};
///
/// # async fn example() -> Result<(), patchgate_model::UserError> {
/// let root = Path::new(".");
/// let inventory = Repository::open(root, &[])?.read(|_| ()).inventory;
/// let options = SourceOptions {
///     store: Some("store".into()),
///     ..SourceOptions::default()
/// };
/// let environment = Environment::of_process();
/// let source = AdvisorySource::open(&options, &Config::default(), root, &environment)?;
///
/// let evaluation = evaluate(&inventory, &source).await;
/// println!("{} findings", evaluation.findings.len());
/// # Ok(())
/// # }
/// ```
pub async fn evaluate(inventory: &Inventory, source: &AdvisorySource) -> Evaluation {
    let lookup = source.lookup_inventory(inventory).await;
    evaluate_lookup(inventory, &lookup, source).await
}

/// Rates the findings of an inventory, whose packages were looked up already.
pub async fn evaluate_lookup(
    inventory: &Inventory,
    lookup: &AdvisoryLookup,
    source: &AdvisorySource,
) -> Evaluation {
    let signals = source.signals(lookup).await;
    let found = patchgate_advisories::find(inventory, lookup, signals.source);
    let (mut findings, mut possible) = (found.findings, found.possible);
    for findings in [&mut findings, &mut possible] {
        findings
            .par_iter_mut()
            .for_each(|finding| source.rater().rate(finding));
        sort(findings);
    }

    let mut problems = inventory.problems.clone();
    problems.extend(missing(inventory, |one| lookup.has_records(one)));
    problems.extend(skipped(inventory));
    problems.extend(lookup.problems.iter().cloned());
    problems.extend(found.problems);
    problems.sort();
    problems.dedup();
    let mut sources = lookup.sources.clone();
    sources.extend(signals.status);

    Evaluation {
        findings,
        possible,
        problems,
        sources,
        missing_feeds: signals.problems,
    }
}

/// Entries that could not be read and that may be packages. An entry that is an edge or a hash leaves
/// no package out.
fn skipped(inventory: &Inventory) -> impl Iterator<Item = Problem> {
    inventory.lockfiles.iter().flat_map(|lockfile| {
        lockfile
            .skipped
            .iter()
            .filter(|entry| entry.loss == Loss::Package)
            .map(|entry| Problem {
                kind: ProblemKind::File,
                subject: lockfile.path.clone(),
                line: Some(entry.line),
                reason: entry.reason.clone(),
                hint: Some(
                    "the other entries were read; re-create the file to read all".to_owned(),
                ),
            })
    })
}

/// Incidents before all else, then worst first, then by id and package so that the order never
/// changes between runs.
fn sort(findings: &mut [Finding]) {
    findings.sort_by(|a, b| {
        b.malicious
            .cmp(&a.malicious)
            .then_with(|| b.score.value.total_cmp(&a.score.value))
            .then_with(|| a.id.cmp(&b.id))
            .then_with(|| a.package.cmp(&b.package))
    });
}

#[cfg(test)]
mod tests {
    use patchgate_model::{EcosystemName, FixedVersion, Level, PackageRef, Scope, Severity};

    use super::*;

    fn finding(id: &str) -> Finding {
        Finding {
            id: id.to_owned(),
            aliases: Vec::new(),
            summary: String::new(),
            package: PackageRef {
                ecosystem: EcosystemName::new("npm"),
                distribution: None,
                name: "a".to_owned(),
                version: String::new(),
                purl: String::new(),
            },
            locations: Vec::new(),
            paths: Vec::new(),
            scope: Scope::Runtime,
            requirement: None,
            fixed: FixedVersion::None(String::new()),
            severity: Severity {
                level: Level::High,
                cvss_score: None,
                cvss_vector: None,
            },
            signals: patchgate_model::Signals::default(),
            informational: None,
            malicious: false,
            reachability: None,
            score: patchgate_model::Score::default(),
            advisories: Vec::new(),
        }
    }

    #[test]
    fn possible_findings_count_only_where_the_settings_say_so() {
        let evaluation = Evaluation {
            findings: vec![finding("GHSA-1")],
            possible: vec![finding("GHSA-2")],
            ..Evaluation::default()
        };
        let ids = |possible| -> Vec<String> {
            let counted = evaluation.clone().into_counted(possible);
            counted.into_iter().map(|one| one.id).collect()
        };

        assert_eq!(ids(false), ["GHSA-1"]);
        assert_eq!(ids(true), ["GHSA-1", "GHSA-2"]);
    }
}
