//! The packages of a page: one card for each version of a package, with its fix, its dependency
//! chains and its findings.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::super::packages::{Change, changes, written_fix};
use super::super::{
    DecisionStepReport, FindingReport, ScoreReasonReport, SeverityName, decision, phrases,
    reachability,
};
use super::view::{line, long, some};
use crate::markdown::address;

/// Most findings of a page.
pub(super) const MAX_FINDINGS: usize = 10_000;
/// Most files, lines of a file, chains, and steps of a chain of a package.
const MAX_FILES: usize = 5;
const MAX_LINES: usize = 5;
const MAX_CHAINS: usize = 3;
const MAX_STEPS: usize = 10;
/// Most further ids and links of a finding.
const MAX_ALIASES: usize = 3;
const MAX_LINKS: usize = 2;

/// One version of a package with findings.
#[derive(Debug, Serialize)]
pub(super) struct Card {
    /// Number of the card on the page, by which links refer to it.
    pub(super) number: usize,
    ecosystem: String,
    name: String,
    /// The version, or the requirement where no file states a version.
    version: String,
    is_requirement: bool,
    group: Option<String>,
    scope: String,
    is_direct: bool,
    fails: bool,
    /// The most urgent outcome of the findings, as in the JSON and for a person.
    outcome: &'static str,
    outcome_text: &'static str,
    /// Greatest score of the findings.
    #[serde(skip)]
    score: f64,
    /// The order of their worst severity.
    rank: usize,
    fix: Fix,
    files: Vec<String>,
    more_files: usize,
    chains: Vec<Vec<String>>,
    more_chains: usize,
    findings: Vec<Row>,
}

/// What one upgrade of a package resolves.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Fix {
    /// The version, or the requirement, that resolves most findings; `None` if none resolves any.
    to: Option<String>,
    /// The findings that it resolves, all findings, and those that have a fix of their own.
    fixed: usize,
    all: usize,
    exploited: usize,
    /// Why nothing resolves them all.
    reason: Option<String>,
    /// The sum of the scores of the findings that it resolves.
    #[serde(skip)]
    weight: f64,
}

/// An upgrade in the list of those that resolve most.
#[derive(Debug, Serialize)]
pub(super) struct Upgrade {
    number: usize,
    name: String,
    from: String,
    fix: Fix,
    score: f64,
}

#[derive(Debug, Serialize)]
struct Row {
    id: String,
    url: Option<String>,
    aliases: Vec<String>,
    summary: String,
    severity: &'static str,
    /// The outcome, as in the JSON and for a person.
    outcome: &'static str,
    outcome_text: &'static str,
    /// `due 2026-12-01 (own)`.
    deadline: Option<String>,
    is_overdue: bool,
    /// `new` or `worse` than the baseline.
    change: Option<String>,
    score: f64,
    exploited: Option<String>,
    is_malicious: bool,
    fails: bool,
    /// What the reasons of the score do not say: `KEV unknown`, `no vulnerability: unmaintained`.
    signals: Vec<String>,
    /// The affected part of the versions that a requirement admits.
    affected: Option<String>,
    /// Version that fixes this finding, if the package's fix is another one.
    fixed_version: Option<String>,
    no_fix: Option<String>,
    /// The parts of the score; the first is what decided.
    reasons: Vec<Reason>,
    links: Vec<Link>,
}

#[derive(Debug, Serialize)]
struct Reason {
    points: String,
    text: String,
}

#[derive(Debug, Serialize)]
struct Link {
    /// The server.
    label: String,
    url: String,
}

/// The cards of these findings, which are in the order of the report; cards are ordered by their
/// worst finding.
pub(super) fn cards(findings: &[FindingReport], first: usize) -> Vec<Card> {
    let mut groups: Vec<Vec<&FindingReport>> = Vec::new();
    let mut indexes: BTreeMap<_, usize> = BTreeMap::new();
    for finding in findings.iter().take(MAX_FINDINGS) {
        let requirement = finding.requirement.as_ref().map(|one| &one.requirement);
        let key = (&finding.package, requirement, &finding.group);
        let index = *indexes.entry(key).or_insert(groups.len());
        match groups.get_mut(index) {
            Some(group) => group.push(finding),
            None => groups.push(vec![finding]),
        }
    }

    groups
        .iter()
        .zip(first..)
        .filter_map(|(group, number)| Card::new(group, number))
        .collect()
}

/// The upgrades that resolve most, by the sum of the scores.
pub(super) fn upgrades(cards: &[Card], most: usize) -> Vec<Upgrade> {
    let mut fixable: Vec<&Card> = cards.iter().filter(|card| card.fix.to.is_some()).collect();
    fixable.sort_by(|a, b| b.fix.weight.total_cmp(&a.fix.weight));

    let upgrades = fixable.iter().take(most).map(|card| Upgrade {
        number: card.number,
        name: card.name.clone(),
        from: card.version.clone(),
        fix: card.fix.clone(),
        score: card.score,
    });
    upgrades.collect()
}

impl Card {
    /// The card of findings of the same package version; `None` without any.
    fn new(findings: &[&FindingReport], number: usize) -> Option<Self> {
        let first = *findings.first()?;
        let fix = Fix::new(findings);
        let worst = findings.iter().map(|one| rank(one.severity)).min()?;
        let urgent = findings.iter().map(|one| one.decision.outcome).max()?;

        let mut files: BTreeMap<&str, BTreeSet<u32>> = BTreeMap::new();
        let mut chains: Vec<&Vec<String>> = Vec::new();
        let mut seen = BTreeSet::new();
        for finding in findings {
            for location in &finding.locations {
                files
                    .entry(&location.file)
                    .or_default()
                    .insert(location.line);
            }
            chains.extend(finding.paths.iter().filter(|path| seen.insert(*path)));
        }
        chains.sort_by_key(|chain| chain.len());
        let is_direct = chains.first().is_some_and(|chain| chain.len() == 1);
        // A chain of one step is the package itself.
        chains.retain(|chain| chain.len() > 1);
        let version = match &first.requirement {
            Some(matched) if matched.requirement.is_empty() => "any version",
            Some(matched) => &matched.requirement,
            None => &first.package.version,
        };

        Some(Self {
            number,
            ecosystem: line(&first.package.ecosystem),
            name: line(&first.package.name),
            version: line(version),
            is_requirement: first.requirement.is_some(),
            group: first.group.as_deref().map(phrases::files_of),
            scope: line(&first.scope),
            is_direct,
            fails: findings.iter().any(|one| one.at_or_above_threshold),
            outcome: urgent.word(),
            outcome_text: urgent.phrase(),
            score: findings.iter().map(|one| one.score).fold(0.0, f64::max),
            rank: worst,
            more_files: files.len().saturating_sub(MAX_FILES),
            files: files.iter().take(MAX_FILES).map(file_lines).collect(),
            more_chains: chains.len().saturating_sub(MAX_CHAINS),
            chains: chains
                .iter()
                .take(MAX_CHAINS)
                .map(|chain| steps(chain))
                .collect(),
            findings: findings.iter().map(|one| Row::new(one, &fix)).collect(),
            fix,
        })
    }
}

/// A file with its first lines: `package-lock.json:7, 12`.
fn file_lines((file, lines): (&&str, &BTreeSet<u32>)) -> String {
    let shown: Vec<String> = lines.iter().take(MAX_LINES).map(u32::to_string).collect();
    let more = if lines.len() > MAX_LINES { ", …" } else { "" };
    format!("{}:{}{more}", line(file), shown.join(", "))
}

/// The order of severities, worst first. An unknown one counts as high, as in thresholds.
fn rank(severity: SeverityName) -> usize {
    match severity {
        SeverityName::Critical => 0,
        SeverityName::High => 1,
        SeverityName::Unknown => 2,
        SeverityName::Medium => 3,
        SeverityName::Low => 4,
        SeverityName::Informational => 5,
        SeverityName::None => 6,
    }
}

/// The steps of a chain. Those in the middle of a long one are left out.
fn steps(chain: &[String]) -> Vec<String> {
    if chain.len() <= MAX_STEPS {
        return chain.iter().map(|step| line(step)).collect();
    }

    let half = MAX_STEPS / 2;
    let left_out = format!("… {} more …", chain.len() - 2 * half);
    let head = chain.iter().take(half).map(|step| line(step));
    let tail = chain.iter().skip(chain.len() - half).map(|step| line(step));
    head.chain([left_out]).chain(tail).collect()
}

impl Fix {
    /// The upgrade of findings of the same package version.
    fn new(findings: &[&FindingReport]) -> Self {
        let ecosystem = findings.first().map(|one| one.package.ecosystem.as_str());
        let changes = changes(ecosystem.unwrap_or_default(), findings);
        let change = changes.first();
        let to = change.and_then(Change::written_fix);

        // The upgrade fixes every finding that has a fix at all.
        let is_fixed = |one: &&&FindingReport| to.is_some() && one.fixed_version.is_some();
        let fixed: Vec<&&FindingReport> = findings.iter().filter(is_fixed).collect();
        let reason = match findings.iter().find(|one| one.fixed_version.is_none()) {
            Some(unfixed) => unfixed.no_fix_reason.as_deref().map(long),
            None if to.is_none() => {
                let fixable = change.map_or(0, |change| change.fixed);
                Some(phrases::no_common_fix(fixable).to_owned())
            }
            None => None,
        };

        Self {
            fixed: fixed.len(),
            all: findings.len(),
            exploited: fixed.iter().filter(|one| one.kev == Some(true)).count(),
            weight: fixed.iter().map(|one| one.score).sum(),
            reason,
            to: to.as_deref().map(line),
        }
    }
}

/// A fixed version in the notation of the package's own version.
fn as_written(to: &str, findings: &[&FindingReport]) -> String {
    let first = findings.first();
    let from = first.map_or("", |one| one.package.version.as_str());
    let is_requirement = first.is_some_and(|one| one.requirement.is_some());
    line(&written_fix(from, to, is_requirement))
}

impl Row {
    fn new(finding: &FindingReport, fix: &Fix) -> Self {
        let exploited = phrases::exploited(finding);
        // EPSS, CVSS and the scope are among the reasons of the score.
        let told = |text: &str| {
            text.starts_with("EPSS ") || text.starts_with("CVSS ") || text.ends_with(" only")
        };
        let signals: Vec<String> = phrases::exploitation(finding)
            .iter()
            .filter(|text| Some(*text) != exploited.as_ref() && !told(text))
            .map(|text| line(text))
            .chain(reachability::reached(finding).map(|text| long(&text)))
            .collect();
        let own_fix = finding.fixed_version.as_ref();
        let own_fix = own_fix.map(|version| as_written(version, &[finding]));
        let url = phrases::url(finding);

        Self {
            id: line(&finding.id),
            url: url.map(str::to_owned),
            aliases: some(&finding.aliases, MAX_ALIASES),
            summary: long(&finding.summary),
            severity: phrases::severity(finding.severity),
            outcome: finding.decision.outcome.word(),
            outcome_text: finding.decision.outcome.phrase(),
            deadline: decision::deadline(finding),
            is_overdue: finding
                .decision
                .deadline
                .as_ref()
                .is_some_and(|deadline| deadline.overdue),
            change: finding
                .change
                .clone()
                .filter(|change| matches!(change.as_str(), "new" | "worse")),
            score: finding.score,
            exploited,
            is_malicious: finding.malicious,
            fails: finding.at_or_above_threshold,
            signals,
            affected: finding
                .requirement
                .as_ref()
                .map(|matched| long(&phrases::affected_part(matched))),
            fixed_version: own_fix.filter(|own| Some(own) != fix.to.as_ref()),
            no_fix: match finding.fixed_version {
                Some(_) => None,
                None => finding.no_fix_reason.as_deref().map(long),
            },
            reasons: finding
                .score_reasons
                .iter()
                .map(|reason| Reason {
                    points: format!("{:+.1}", reason.points),
                    text: reason_text(reason, finding),
                })
                .collect(),
            links: links(finding, url),
        }
    }
}

/// A part of the score in words that are short enough for thousands of findings.
fn reason_text(reason: &ScoreReasonReport, finding: &FindingReport) -> String {
    match (reason.signal.as_str(), finding.epss) {
        ("outcome", _) => decided(&finding.decision.steps),
        ("epss", Some(epss)) => format!("EPSS: {} within 30 days", phrases::percent(epss)),
        _ => long(&reason.text),
    }
}

/// The steps that decided, in words. The values that SSVC combines are one step:
/// `exploitation none, exposure open, automatable yes, human impact high → out of cycle`.
fn decided(steps: &[DecisionStepReport]) -> String {
    let value = |step: &DecisionStepReport| {
        let word = step.text.split(',').next().unwrap_or_default();
        format!("{} {word}", step.evidence.replace('-', " "))
    };
    let is_value = |step: &&DecisionStepReport| {
        matches!(
            step.evidence.as_str(),
            "exploitation" | "exposure" | "automatable" | "human-impact"
        )
    };
    let values: Vec<String> = steps.iter().filter(is_value).map(value).collect();

    let decided = steps.iter().filter_map(|step| {
        let text = match step.evidence.as_str() {
            "ssvc" => values.join(", "),
            // The probability has its own line.
            "epss" => "EPSS".to_owned(),
            _ => step.text.clone(),
        };
        Some(format!("{text} → {}", step.outcome?.phrase()))
    });
    long(&decided.collect::<Vec<_>>().join("; "))
}

/// The first further links of a finding, one for each server.
fn links(finding: &FindingReport, own: Option<&str>) -> Vec<Link> {
    let mut servers = BTreeSet::new();
    finding
        .references
        .iter()
        .filter_map(|reference| address(&reference.url))
        .filter(|url| Some(*url) != own)
        .filter_map(|url| {
            let server = url.split('/').nth(2).filter(|server| !server.is_empty())?;
            servers.insert(server).then(|| Link {
                label: line(server),
                url: url.to_owned(),
            })
        })
        .take(MAX_LINKS)
        .collect()
}
