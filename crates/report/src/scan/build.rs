//! Construction of a scan's report from the model's values.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use patchgate_config::{IgnoredFinding, Notice};
use patchgate_ecosystems::Ecosystem;
use patchgate_model::{
    Extent, Finding, FixedVersion, Kev, Level, Location, Lockfile, Loss, Origin, PackageRef,
    Problem, ProblemKind, RequirementMatch, Scope, SkippedEntry, SourceStatus,
};
use patchgate_risk::Threshold;
use patchgate_vex::SuppressedFinding;

use super::*;

/// The input of a scan's report.
#[derive(Debug, Clone, Copy)]
pub struct ScanInput<'a> {
    /// Findings that are not ignored, in any order.
    pub findings: &'a [Finding],
    /// Possible findings that are not ignored, in any order.
    pub possible: &'a [Finding],
    /// The version of each package version that fixes all its findings, if there is one.
    pub fixes: &'a BTreeMap<PackageRef, String>,
    /// Findings that an ignore entry covers, in any order.
    pub ignored: &'a [IgnoredFinding],
    /// Findings that a statement of a VEX document suppresses, in any order.
    pub suppressed: &'a [SuppressedFinding],
    /// Statements that nearly applied.
    pub vex_notices: &'a [patchgate_vex::Notice],
    /// Suggestions for the settings file.
    pub notices: &'a [Notice],
    /// The lockfiles that were read.
    pub lockfiles: &'a [Lockfile],
    /// The files that are not part of the product, by path, with the group of each: `test`, `example`,
    /// `vendored` or `generated`.
    pub groups: &'a BTreeMap<&'a str, &'a str>,
    /// Inputs that could not be read or looked up.
    pub problems: &'a [Problem],
    /// Kinds of them that do not fail the run.
    pub waived: &'a BTreeSet<ProblemKind>,
    /// The advisory sources and feeds, with their age.
    pub sources: &'a [SourceStatus],
    /// The conditions under which a finding fails the run.
    pub threshold: &'a Threshold,
    /// How the run ends.
    pub exit: RunEnd,
    /// The time that ages are relative to.
    pub now: Timestamp,
}

/// How a run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunEnd {
    /// The exit code of the process.
    pub code: u8,
    /// The reason for the code in one word, such as `findings`.
    pub reason: &'static str,
}

impl ScanReport {
    /// Makes the report. Findings are ordered: malicious releases first, then by falling score, id and
    /// package, so that the same input always gives the same text.
    ///
    /// ```
    /// use std::collections::{BTreeMap, BTreeSet};
    ///
    /// use patchgate_report::{GITHUB_SUMMARY_LIMIT, RunEnd, ScanInput, ScanReport};
    /// use patchgate_risk::Threshold;
    ///
    /// let report = ScanReport::new(&ScanInput {
    ///     findings: &[],
    ///     possible: &[],
    ///     fixes: &BTreeMap::new(),
    ///     ignored: &[],
    ///     suppressed: &[],
    ///     vex_notices: &[],
    ///     notices: &[],
    ///     lockfiles: &[],
    ///     groups: &BTreeMap::new(),
    ///     problems: &[],
    ///     waived: &BTreeSet::new(),
    ///     sources: &[],
    ///     threshold: &Threshold::default(),
    ///     exit: RunEnd { code: 0, reason: "clean" },
    ///     now: "2026-01-30T12:00:00Z".parse()?,
    /// });
    /// assert!(report.to_markdown(GITHUB_SUMMARY_LIMIT).starts_with("## Patchgate scan"));
    /// assert!(report.to_json().contains("\"schema_version\": 1"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn new(input: &ScanInput<'_>) -> Self {
        let reports = |findings: &[Finding]| {
            let mut reports: Vec<FindingReport> = findings
                .iter()
                .map(|finding| FindingReport::new(finding, input))
                .collect();
            reports.sort_by(worst_first);
            reports
        };
        let findings = reports(input.findings);
        let possible = reports(input.possible);

        let mut ignored: Vec<IgnoredReport> = input
            .ignored
            .iter()
            .map(|ignored| IgnoredReport {
                finding: FindingReport::new(&ignored.finding, input),
                reason: ignored.reason.clone(),
                until: ignored.until.to_string(),
            })
            .collect();
        ignored.sort_by(|a, b| worst_first(&a.finding, &b.finding));

        let mut suppressed: Vec<SuppressedReport> = input
            .suppressed
            .iter()
            .map(|suppressed| SuppressedReport::new(suppressed, input))
            .collect();
        suppressed.sort_by(|a, b| worst_first(&a.finding, &b.finding));

        let mut incomplete: Vec<IncompleteReport> = input
            .problems
            .iter()
            .map(|problem| IncompleteReport {
                waived: input.waived.contains(&problem.kind),
                ..IncompleteReport::from(problem)
            })
            .collect();
        incomplete
            .sort_by(|a, b| (&a.kind, &a.subject, a.line).cmp(&(&b.kind, &b.subject, b.line)));

        Self {
            schema_version: crate::SCHEMA_VERSION,
            tool: Tool::this(),
            summary: summary(input, &findings, &possible),
            findings,
            possible,
            ignored,
            suppressed,
            incomplete,
            notices: input
                .notices
                .iter()
                .map(|notice| NoticeReport {
                    file: notice.file.clone(),
                    line: notice.line,
                    text: notice.text.clone(),
                })
                .collect(),
            vex_notices: input
                .vex_notices
                .iter()
                .map(|notice| VexNoticeReport {
                    source: notice.source.clone(),
                    line: notice.line,
                    text: notice.text.clone(),
                })
                .collect(),
            sources: input
                .sources
                .iter()
                .map(|source| SourceReport::new(source, input.now))
                .collect(),
            lockfiles: input.lockfiles.iter().map(LockfileReport::from).collect(),
            not_covered: not_covered(input.lockfiles),
        }
    }
}

impl Tool {
    /// Name and version of this program.
    pub(crate) fn this() -> Self {
        Self {
            name: "patchgate".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}

impl SuppressedReport {
    fn new(suppressed: &SuppressedFinding, input: &ScanInput<'_>) -> Self {
        let decision = &suppressed.decision;
        let non_empty = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());

        Self {
            finding: FindingReport::new(&suppressed.finding, input),
            status: decision.status.word().to_owned(),
            justification: decision
                .justification
                .as_ref()
                .map(|reason| reason.word.word().to_owned()),
            impact: decision.impact.clone(),
            statement: non_empty(&decision.statement),
            author: non_empty(&decision.author),
            timestamp: decision.timestamp.map(|time| time.to_string()),
            source: decision.source.clone(),
            line: decision.line,
        }
    }
}

impl From<&Lockfile> for LockfileReport {
    fn from(lockfile: &Lockfile) -> Self {
        Self {
            path: lockfile.path.clone(),
            ecosystem: lockfile.ecosystem.to_string(),
            format: lockfile.format.to_string(),
            packages: lockfile.packages.len(),
            direct_only: lockfile.direct_only,
            skipped: lockfile.skipped.iter().map(SkippedReport::from).collect(),
        }
    }
}

impl From<&SkippedEntry> for SkippedReport {
    fn from(entry: &SkippedEntry) -> Self {
        let loss = match entry.loss {
            Loss::Package => "package",
            Loss::Edge => "edge",
            Loss::Detail => "detail",
        };

        Self {
            line: entry.line,
            reason: entry.reason.clone(),
            loss: loss.to_owned(),
        }
    }
}

impl From<&RequirementMatch> for RequirementReport {
    fn from(matched: &RequirementMatch) -> Self {
        let extent = match matched.extent {
            Extent::All => "all",
            Extent::Some => "some",
        };

        Self {
            requirement: matched.requirement.clone(),
            extent: extent.to_owned(),
            affected: matched.affected.clone(),
            newest_affected: matched.newest_affected,
            newest: matched.newest.clone(),
            raised: matched.raised.clone(),
        }
    }
}

/// Counts the packages of ecosystems for which OSV has no advisories.
fn not_covered(lockfiles: &[Lockfile]) -> Vec<NotCoveredReport> {
    let mut packages: BTreeMap<&str, BTreeSet<(&str, &str)>> = BTreeMap::new();
    for package in lockfiles.iter().flat_map(|lockfile| &lockfile.packages) {
        let covered =
            patchgate_ecosystems::by_name(package.ecosystem).is_none_or(Ecosystem::has_advisories);
        if !covered && !matches!(package.origin, Origin::Path(_)) {
            let known = packages.entry(package.ecosystem.as_str()).or_default();
            known.insert((&package.name, &package.version));
        }
    }

    let counted = packages
        .into_iter()
        .map(|(ecosystem, packages)| NotCoveredReport {
            ecosystem: ecosystem.to_owned(),
            packages: packages.len(),
        });

    counted.collect()
}

/// The number of files that were read. Several ecosystems may read the same one.
pub(crate) fn different_files(lockfiles: &[Lockfile]) -> usize {
    let paths: BTreeSet<&str> = lockfiles.iter().map(|one| one.path.as_str()).collect();
    paths.len()
}

/// Counts distinct package versions. Members of the workspace are left out: they are not dependencies.
pub(crate) fn different_packages(lockfiles: &[Lockfile]) -> usize {
    let packages: BTreeSet<_> = lockfiles
        .iter()
        .flat_map(|lockfile| &lockfile.packages)
        .filter(|package| !matches!(package.origin, Origin::Path(_)))
        .map(|package| (package.ecosystem, &package.name, &package.version))
        .collect();
    packages.len()
}

fn worst_first(a: &FindingReport, b: &FindingReport) -> std::cmp::Ordering {
    b.malicious
        .cmp(&a.malicious)
        .then_with(|| b.score.total_cmp(&a.score))
        .then_with(|| a.id.cmp(&b.id))
        .then_with(|| a.package.cmp(&b.package))
}

fn summary(
    input: &ScanInput<'_>,
    findings: &[FindingReport],
    possible: &[FindingReport],
) -> Summary {
    let affected: BTreeSet<_> = findings.iter().map(|finding| &finding.package).collect();
    let count = |test: fn(&FindingReport) -> bool| findings.iter().filter(|f| test(f)).count();

    Summary {
        lockfiles: different_files(input.lockfiles),
        packages: different_packages(input.lockfiles),
        findings: findings.len(),
        possible: possible.len(),
        groups: group_summaries(findings, possible),
        by_outcome: OutcomeCounts::of(findings),
        overdue: count(|finding| {
            finding
                .decision
                .deadline
                .as_ref()
                .is_some_and(|one| one.overdue)
        }),
        baseline: None,
        by_severity: counts(findings),
        affected_packages: affected.len(),
        fixable: count(|finding| finding.fixed_version.is_some()),
        known_exploited: count(|finding| finding.kev == Some(true)),
        malicious: count(|finding| finding.malicious),
        ignored: input.ignored.len(),
        suppressed: input.suppressed.len(),
        at_or_above_threshold: findings
            .iter()
            .chain(possible)
            .filter(|finding| finding.at_or_above_threshold)
            .count(),
        highest_score: findings.first().map(|finding| finding.score),
        threshold: ThresholdReport {
            severity: input.threshold.min_severity().map(SeverityName::from),
            score: input.threshold.min_score().unwrap_or_default(),
            condition: input.threshold.condition.as_ref().map(ToString::to_string),
        },
        complete: input.problems.is_empty(),
        exit_code: input.exit.code,
        exit_reason: input.exit.reason.to_owned(),
    }
}

/// Counts the findings of each group of files, in the order of the groups' names.
fn group_summaries(findings: &[FindingReport], possible: &[FindingReport]) -> Vec<GroupSummary> {
    let mut groups: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for group in findings
        .iter()
        .filter_map(|finding| finding.group.as_deref())
    {
        groups.entry(group).or_default().0 += 1;
    }
    for group in possible
        .iter()
        .filter_map(|finding| finding.group.as_deref())
    {
        groups.entry(group).or_default().1 += 1;
    }

    groups
        .into_iter()
        .map(|(group, (findings, possible))| GroupSummary {
            group: group.to_owned(),
            findings,
            possible,
        })
        .collect()
}

/// The group of files that contains all locations: that of the first one, if every other file is in
/// some group, too.
fn group(finding: &Finding, groups: &BTreeMap<&str, &str>) -> Option<String> {
    let mut of_files = finding
        .locations
        .iter()
        .map(|location| groups.get(location.file.as_str()));
    let first = *of_files.next()??;
    of_files
        .all(|group| group.is_some())
        .then(|| first.to_owned())
}

/// Aliases with the CVE ids first: most readers know a vulnerability by that id.
pub(crate) fn cve_first(mut aliases: Vec<String>) -> Vec<String> {
    aliases.sort_by_cached_key(|alias| (!alias.starts_with("CVE-"), alias.clone()));
    aliases
}

fn counts(findings: &[FindingReport]) -> SeverityCounts {
    let mut counts = SeverityCounts::default();
    for finding in findings {
        counts.add(finding.severity);
    }

    counts
}

impl SeverityCounts {
    /// Counts one more finding.
    pub(super) fn add(&mut self, severity: SeverityName) {
        *match severity {
            SeverityName::Critical => &mut self.critical,
            SeverityName::High => &mut self.high,
            SeverityName::Medium => &mut self.medium,
            SeverityName::Low => &mut self.low,
            SeverityName::Unknown => &mut self.unknown,
            SeverityName::None => &mut self.none,
            SeverityName::Informational => &mut self.informational,
        } += 1;
    }
}

impl FindingReport {
    fn new(finding: &Finding, input: &ScanInput<'_>) -> Self {
        let (fixed_version, no_fix_reason) = match &finding.fixed {
            FixedVersion::At(version) => (Some(version.clone()), None),
            FixedVersion::None(reason) => (None, Some(reason.clone())),
        };
        let epss = finding.signals.epss.as_ref();
        let kev = &finding.signals.kev;

        Self {
            id: finding.id.clone(),
            aliases: cve_first(finding.aliases.clone()),
            summary: finding.summary.clone(),
            package: PackageReport::from(&finding.package),
            locations: finding.locations.iter().map(LocationReport::from).collect(),
            paths: finding.paths.clone(),
            scope: scope_name(finding.scope).to_owned(),
            group: group(finding, input.groups),
            requirement: finding.requirement.as_ref().map(RequirementReport::from),
            fixed_version,
            no_fix_reason,
            package_fix: input.fixes.get(&finding.package).cloned(),
            severity: finding.severity.level.into(),
            cvss: finding.severity.cvss_score.map(|score| CvssReport {
                score,
                vector: finding.severity.cvss_vector.clone(),
            }),
            cwes: distinct(
                finding
                    .advisories
                    .iter()
                    .flat_map(|a| a.cwes.iter().map(ToString::to_string)),
            ),
            epss: epss.map(|epss| epss.probability),
            epss_percentile: epss.map(|epss| epss.percentile),
            kev: kev.is_listed(),
            kev_details: kev.entry().map(KevReport::from),
            decision: DecisionReport::from(&finding.score.decision),
            reachability: finding.reachability.as_ref().map(ReachabilityReport::from),
            first_detected: finding
                .score
                .decision
                .first_detected
                .map(|day| day.to_string()),
            change: finding
                .score
                .decision
                .change
                .map(|one| one.word().to_owned()),
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
            malicious: finding.malicious,
            informational: finding.informational.clone(),
            at_or_above_threshold: input.threshold.is_reached_by(finding),
            references: references(finding),
        }
    }
}

impl From<&PackageRef> for PackageReport {
    fn from(package: &PackageRef) -> Self {
        Self {
            ecosystem: package.full_ecosystem(),
            name: package.name.clone(),
            version: package.version.clone(),
            purl: package.purl.clone(),
        }
    }
}

impl From<&Location> for LocationReport {
    fn from(location: &Location) -> Self {
        Self {
            file: location.file.clone(),
            line: location.line,
        }
    }
}

impl From<&Kev> for KevReport {
    fn from(kev: &Kev) -> Self {
        Self {
            cve: kev.cve.clone(),
            date_added: kev.date_added.clone(),
            due_date: kev.due_date.clone(),
            ransomware: kev.ransomware,
        }
    }
}

fn references(finding: &Finding) -> Vec<ReferenceReport> {
    let mut seen = BTreeSet::new();
    finding
        .advisories
        .iter()
        .flat_map(|advisory| &advisory.references)
        .filter(|reference| seen.insert(&reference.url))
        .map(|reference| ReferenceReport {
            kind: reference.kind.to_string(),
            url: reference.url.clone(),
        })
        .collect()
}

fn distinct(texts: impl Iterator<Item = String>) -> Vec<String> {
    texts.collect::<BTreeSet<_>>().into_iter().collect()
}

/// The name of a scope in reports.
pub(crate) fn scope_name(scope: Scope) -> &'static str {
    match scope {
        Scope::Runtime => "runtime",
        Scope::Peer => "peer",
        Scope::Optional => "optional",
        Scope::Build => "build",
        Scope::Test => "test",
        Scope::Development => "development",
    }
}

impl From<Level> for SeverityName {
    fn from(level: Level) -> Self {
        match level {
            Level::Critical => Self::Critical,
            Level::High => Self::High,
            Level::Medium => Self::Medium,
            Level::Low => Self::Low,
            Level::None => Self::None,
            Level::Unknown => Self::Unknown,
            Level::Informational => Self::Informational,
        }
    }
}

impl From<&Problem> for IncompleteReport {
    fn from(problem: &Problem) -> Self {
        let kind = match problem.kind {
            ProblemKind::File => "file",
            ProblemKind::Advisories => "advisories",
            ProblemKind::Feed => "feed",
            ProblemKind::Registry => "registry",
            ProblemKind::Vex => "vex",
            ProblemKind::Unresolved => "unresolved",
            ProblemKind::Unsupported => "unsupported",
            ProblemKind::Version => "version",
        };

        Self {
            kind: kind.to_owned(),
            waived: false,
            subject: problem.subject.clone(),
            file: matches!(
                problem.kind,
                ProblemKind::File | ProblemKind::Unresolved | ProblemKind::Unsupported
            )
            .then(|| problem.subject.clone()),
            line: problem.line,
            reason: problem.reason.clone(),
            hint: problem.hint.clone(),
        }
    }
}

impl SourceReport {
    pub(crate) fn new(source: &SourceStatus, now: Timestamp) -> Self {
        Self {
            name: source.name.clone(),
            origin: source.origin.clone(),
            as_of: source.as_of.map(|at| at.to_string()),
            age_seconds: source
                .as_of
                .map(|at| now.as_second().saturating_sub(at.as_second())),
            records: source.records,
            warning: source.warning.clone(),
        }
    }
}
