//! A baseline: an earlier state, which a scan is compared with. It is a report of an earlier scan, or
//! the findings in an earlier commit.
//!
//! Findings are compared by vulnerability, package, version, scope and file, so that a vulnerability
//! that moves from a development to a run-time lockfile is a new one. A number for each id would not
//! show that.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use patchgate_model::{BaselineChange, Finding, Level, Outcome};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::scan::{ScanReport, scope_name};

/// Why a text cannot be a baseline.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    /// The text is not the JSON of a scan's report.
    #[error("not a report of `patchgate scan --format json`")]
    Json(#[from] serde_json::Error),
    /// The report is of another program or version.
    #[error(
        "a report of `{tool}` in version {version} of the format, not of `patchgate` in version 1"
    )]
    Format {
        /// Name of the program.
        tool: String,
        /// Version of the format.
        version: u32,
    },
}

/// The findings of an earlier report or commit.
#[derive(Debug, Clone, Default)]
pub struct Baseline {
    findings: BTreeMap<Key, Earlier>,
    commit: Option<String>,
}

/// Vulnerability, ecosystem, package, version, scope and file.
type Key = (String, String, String, String, String, String);

#[derive(Debug, Clone)]
struct Earlier {
    severity: Option<Level>,
    outcome: Option<Outcome>,
    first_detected: Option<Date>,
}

/// The comparison of a scan with its baseline.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct BaselineReport {
    /// The commit whose findings are the baseline. Missing when it is an earlier report.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Findings that the baseline lacks, at least in one of their files.
    pub new: usize,
    /// Findings that have a more urgent outcome or a higher severity.
    pub worse: usize,
    /// Findings that have a less urgent outcome or a lower severity.
    pub better: usize,
    /// Findings that did not change.
    pub same: usize,
    /// Entries of the baseline that no finding has any more.
    pub gone: Vec<GoneReport>,
}

/// An entry of the baseline that no finding has any more.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct GoneReport {
    /// Id of the vulnerability.
    pub id: String,
    /// Ecosystem by its OSV name.
    pub ecosystem: String,
    /// Name of the package.
    pub package: String,
    /// Its version.
    pub version: String,
    /// What the package was needed for.
    pub scope: String,
    /// The file.
    pub file: String,
}

#[derive(Deserialize)]
struct Wire {
    schema_version: u32,
    tool: WireTool,
    findings: Vec<WireFinding>,
    #[serde(default)]
    possible: Vec<WireFinding>,
}

#[derive(Deserialize)]
struct WireTool {
    name: String,
}

#[derive(Deserialize)]
struct WireFinding {
    id: String,
    package: WirePackage,
    scope: String,
    locations: Vec<WireLocation>,
    severity: String,
    #[serde(default)]
    first_detected: Option<String>,
    #[serde(default)]
    decision: Option<WireDecision>,
}

#[derive(Deserialize)]
struct WirePackage {
    ecosystem: String,
    name: String,
    version: String,
}

#[derive(Deserialize)]
struct WireLocation {
    file: String,
}

#[derive(Deserialize)]
struct WireDecision {
    outcome: String,
}

impl Baseline {
    /// Reads a report of `patchgate scan --format json`.
    ///
    /// # Errors
    /// When the text is something else.
    pub fn parse(json: &[u8]) -> Result<Self, BaselineError> {
        let wire: Wire = serde_json::from_slice(json)?;
        if wire.tool.name != "patchgate" || wire.schema_version != crate::SCHEMA_VERSION {
            return Err(BaselineError::Format {
                tool: wire.tool.name.chars().take(40).collect(),
                version: wire.schema_version,
            });
        }

        let mut findings = BTreeMap::new();
        for finding in wire.findings.into_iter().chain(wire.possible) {
            let outcome = finding.decision.and_then(|decision| {
                let mut all = Outcome::ALL.into_iter();
                all.find(|outcome| outcome.word() == decision.outcome)
            });
            let earlier = Earlier {
                severity: level(&finding.severity),
                outcome,
                first_detected: finding.first_detected.and_then(|day| day.parse().ok()),
            };
            for location in finding.locations {
                let key = (
                    finding.id.clone(),
                    finding.package.ecosystem.clone(),
                    finding.package.name.clone(),
                    finding.package.version.clone(),
                    finding.scope.clone(),
                    location.file,
                );
                findings.insert(key, earlier.clone());
            }
        }

        Ok(Self {
            findings,
            commit: None,
        })
    }

    /// The findings of a scan of this commit.
    pub fn of_commit<'a>(commit: &str, findings: impl IntoIterator<Item = &'a Finding>) -> Self {
        let mut known = BTreeMap::new();
        for finding in findings {
            let earlier = Earlier {
                severity: Some(finding.severity.level),
                outcome: Some(finding.score.decision.outcome),
                first_detected: None,
            };
            known.extend(keys(finding).map(|key| (key, earlier.clone())));
        }

        Self {
            findings: known,
            commit: Some(commit.to_owned()),
        }
    }

    /// The change of a finding against the baseline.
    #[must_use]
    pub fn change(&self, finding: &Finding) -> BaselineChange {
        let earlier: Option<Vec<&Earlier>> =
            keys(finding).map(|key| self.findings.get(&key)).collect();
        let Some(first) = earlier.as_ref().and_then(|earlier| earlier.first()) else {
            return BaselineChange::New;
        };

        let outcome = finding.score.decision.outcome;
        let level = finding.severity.level;
        let (was, had) = (
            first.outcome.unwrap_or(outcome),
            first.severity.unwrap_or(level),
        );
        if outcome > was || (outcome == was && level > had) {
            BaselineChange::Worse
        } else if outcome < was || level < had {
            BaselineChange::Better
        } else {
            BaselineChange::Same
        }
    }

    /// The first day on which a scan found the finding, in any of its files.
    #[must_use]
    pub fn first_detected(&self, finding: &Finding) -> Option<Date> {
        let earlier = keys(finding).filter_map(|key| self.findings.get(&key)?.first_detected);
        earlier.min()
    }
}

impl ScanReport {
    /// Adds the comparison with the baseline. `left` are all findings of the scan, also those that do
    /// not count.
    pub fn compare<'a>(
        &mut self,
        baseline: &Baseline,
        left: impl IntoIterator<Item = &'a Finding>,
    ) {
        let left: BTreeSet<Key> = left.into_iter().flat_map(keys).collect();
        let gone = baseline.findings.keys().filter(|key| !left.contains(*key));
        let mut report = BaselineReport {
            commit: baseline.commit.clone(),
            gone: gone
                .cloned()
                .map(
                    |(id, ecosystem, package, version, scope, file)| GoneReport {
                        id,
                        ecosystem,
                        package,
                        version,
                        scope,
                        file,
                    },
                )
                .collect(),
            ..BaselineReport::default()
        };
        for finding in self.findings.iter().chain(&self.possible) {
            match finding.change.as_deref() {
                Some("new") => report.new += 1,
                Some("worse") => report.worse += 1,
                Some("better") => report.better += 1,
                Some("same") => report.same += 1,
                _ => {}
            }
        }
        self.summary.baseline = Some(report);
    }
}

/// The keys of a finding, one for each file.
fn keys(finding: &Finding) -> impl Iterator<Item = Key> {
    let files: BTreeSet<&str> = finding
        .locations
        .iter()
        .map(|at| at.file.as_str())
        .collect();
    files.into_iter().map(move |file| {
        (
            finding.id.clone(),
            finding.package.full_ecosystem(),
            finding.package.name.clone(),
            finding.package.version.clone(),
            scope_name(finding.scope).to_owned(),
            file.to_owned(),
        )
    })
}

fn level(word: &str) -> Option<Level> {
    Some(match word {
        "critical" => Level::Critical,
        "high" => Level::High,
        "medium" => Level::Medium,
        "low" => Level::Low,
        "none" => Level::None,
        "unknown" => Level::Unknown,
        "informational" => Level::Informational,
        _ => return None,
    })
}

/// The comparison in words: `Against the baseline: 2 new, 1 worse, 3 gone`, or
/// `Against commit 0123456789ab: 2 new`.
pub(crate) fn phrase(report: &ScanReport) -> Option<String> {
    let baseline = report.summary.baseline.as_ref()?;
    let parts: Vec<String> = [
        (baseline.new, "new"),
        (baseline.worse, "worse"),
        (baseline.better, "better"),
        (baseline.same, "as before"),
        (baseline.gone.len(), "gone"),
    ]
    .iter()
    .filter(|(number, _)| *number > 0)
    .map(|(number, word)| format!("{number} {word}"))
    .collect();
    let against = match &baseline.commit {
        Some(commit) => format!("commit {}", commit.get(..12).unwrap_or(commit)),
        None => "the baseline".to_owned(),
    };
    let parts = match parts.is_empty() {
        true => "no findings then or now".to_owned(),
        false => parts.join(", "),
    };
    Some(format!("Against {against}: {parts}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::tests::{exploited, finding, report};

    fn baseline_of(findings: &[Finding]) -> Baseline {
        Baseline::parse(report(findings, &[], &[], &[]).to_json().as_bytes()).unwrap()
    }

    #[test]
    fn a_finding_in_another_file_or_scope_is_new() {
        let before = finding("GHSA-1", "a", "1.0.0", Level::High, Some(8.0));
        let baseline = baseline_of(std::slice::from_ref(&before));
        assert_eq!(baseline.change(&before), BaselineChange::Same);

        let mut scope = before.clone();
        scope.scope = patchgate_model::Scope::Development;
        assert_eq!(baseline.change(&scope), BaselineChange::New);

        let mut file = before.clone();
        file.locations.push(patchgate_model::Location {
            file: "other/package-lock.json".into(),
            line: 1,
        });
        assert_eq!(baseline.change(&file), BaselineChange::New);
    }

    #[test]
    fn outcome_and_severity_are_compared() {
        let before = finding("GHSA-1", "a", "1.0.0", Level::Medium, Some(5.0));
        let baseline = baseline_of(std::slice::from_ref(&before));
        let mut changed = before.clone();
        changed.score.decision.outcome = Outcome::ActNow;
        assert_eq!(baseline.change(&changed), BaselineChange::Worse);
        let mut changed = before;
        changed.severity.level = Level::Low;
        assert_eq!(baseline.change(&changed), BaselineChange::Better);
    }

    #[test]
    fn the_findings_of_a_commit_are_a_baseline() {
        let before = finding("GHSA-1", "a", "1.0.0", Level::High, Some(8.0));
        let commit = "0123456789abcdef0123456789abcdef01234567";
        let baseline = Baseline::of_commit(commit, [&before]);
        assert_eq!(baseline.change(&before), BaselineChange::Same);
        assert_eq!(baseline.change(&exploited()), BaselineChange::New);
        assert_eq!(baseline.first_detected(&before), None);

        let mut now = report(&[], &[], &[], &[]);
        now.compare(&baseline, []);
        assert_eq!(phrase(&now).unwrap(), "Against commit 0123456789ab: 1 gone");
        let compared = now.summary.baseline.unwrap();
        assert_eq!(compared.commit.as_deref(), Some(commit));
    }

    #[test]
    fn what_no_finding_has_any_more_is_gone() {
        let baseline = baseline_of(&[exploited()]);
        let mut now = report(&[], &[], &[], &[]);
        now.compare(&baseline, []);
        let compared = now.summary.baseline.as_ref().unwrap();
        assert_eq!(compared.gone.len(), 2, "{compared:?}");
        assert_eq!(phrase(&now).unwrap(), "Against the baseline: 2 gone");
    }

    #[test]
    fn something_else_is_no_baseline() {
        for text in ["", "{}", "[]", "{\"schema_version\": 1, \"findings\": []}"] {
            assert!(matches!(
                Baseline::parse(text.as_bytes()),
                Err(BaselineError::Json(_))
            ));
        }
        let other = r#"{"schema_version": 9, "tool": {"name": "patchgate"}, "findings": []}"#;
        let error = Baseline::parse(other.as_bytes()).unwrap_err();
        assert!(error.to_string().contains("version 9"), "{error}");
    }
}
