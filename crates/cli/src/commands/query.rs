//! `patchgate query`: the vulnerabilities of packages that are named on the command line.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, Read as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use patchgate_advisories::CommitQuery;
use patchgate_ecosystems::by_name;
use patchgate_inventory::repository_root;
use patchgate_model::{
    CommitId, DependencyKind, EcosystemName, Finding, Inventory, Lockfile, Origin, Package,
    Problem, Unresolved, UserError,
};
use patchgate_report::{Detail, FindingReport, ScanInput, ScanReport};
use patchgate_risk::Threshold;
use patchgate_scan::{
    AdvisorySource, Evaluation, SourceOptions, evaluate, load_settings, package_fixes,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::args::SourceArgs;
use crate::context::Context;
use crate::exit::Exit;
use crate::progress::Progress;
use crate::verdict::FailureRule;
use crate::{output, verdict};

/// Largest input that is read from standard input, in bytes.
const MAX_INPUT_BYTES: u64 = 256 * 1024 * 1024;

/// The name of the lockfile that contains the questions in an inventory, one line each.
const QUESTIONS: &str = "standard input";

/// Flags of `patchgate query`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Ecosystem by its OSV name, such as `npm` or `Debian:12`; without it and without --purl,
    /// questions are read from standard input, one JSON object per line with `purl`, or `ecosystem`,
    /// `name` and `version` or `requirement`, or `commit`
    #[arg(requires = "name", requires = "wanted", conflicts_with = "purl")]
    ecosystem: Option<String>,

    /// Name of the package, as its registry writes it
    name: Option<String>,

    /// Version of the package, as its registry writes it
    #[arg(group = "wanted")]
    version: Option<String>,

    /// Judge all versions that this requirement admits, instead of one: `>=1.2,<2`, in the notation of
    /// the ecosystem
    #[arg(long, value_name = "REQUIREMENT", group = "wanted", requires = "name")]
    requirement: Option<String>,

    /// Look up this package: a package URL with a version
    #[arg(long, value_name = "PURL")]
    purl: Option<String>,

    /// Settings file, for its store and its `advisories` [default: .patchgate.yml in the current
    /// directory, if it exists]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    #[command(flatten)]
    source: SourceArgs,

    /// Format of the answer to one question; answers to standard input are always JSON
    #[arg(long, value_enum, default_value = "table", help_heading = "Output")]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// Text for a person
    Table,
    /// One JSON object for scripts
    Json,
}

/// A question as a line of standard input states it.
#[derive(Debug, Default, Deserialize)]
struct Question {
    purl: Option<String>,
    ecosystem: Option<String>,
    name: Option<String>,
    version: Option<String>,
    requirement: Option<String>,
    commit: Option<String>,
}

/// The subject of a question.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Subject {
    /// A version, or a commit.
    Package(Box<Package>),
    /// All versions that a requirement admits.
    Requirement(Unresolved),
}

/// A question as it was asked, and its subject or the reason why it is invalid.
type Asked = (Value, Result<Subject, String>);

/// The answer to a question.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    /// The question as it was asked.
    query: &'a Value,
    /// The findings, worst first.
    findings: Vec<FindingReport>,
    /// Findings that some versions of a requirement have, worst first; absent without any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    possible: Vec<FindingReport>,
    /// Why the findings may be incomplete; absent if they are complete.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

pub(crate) async fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let root = repository_root(Path::new("."));
    let config = load_settings(args.config.as_deref(), &root)?;
    let source = AdvisorySource::open(
        &SourceOptions::from(&args.source),
        &config,
        &root,
        &context.environment,
    )?;
    let progress = Progress::start(context.terminal.progress, "looking up advisories");
    let one = question_of(args);
    let asked: Vec<Asked> = match &one {
        Some(question) => vec![(question.to_json(), subject(question))],
        None => from_input()?,
    };
    let inventory = inventory(&asked);
    let scanned = evaluate(&inventory, &source).await;

    drop(progress);
    if let (Some(_), Format::Table) = (&one, args.format) {
        if let Some((_, Err(reason))) = asked.first() {
            return Err(UserError::usage(reason.clone()).into());
        }
        return table(&inventory, &scanned, context);
    }

    let mut text = String::new();
    let mut exit = Exit::Clean;

    let mut certain = by_line(&scanned.findings);
    let mut possible = by_line(&scanned.possible);
    for (line, (query, subject)) in (1_u32..).zip(&asked) {
        let error = match subject {
            Err(reason) => Some(reason.clone()),
            Ok(subject) => unanswerable(subject, &source)
                .or_else(|| problem_of(&scanned.problems, subject, &asked)),
        };
        let answer = Answer {
            query,
            findings: reports(certain.remove(&line).unwrap_or_default(), context),
            possible: reports(possible.remove(&line).unwrap_or_default(), context),
            error,
        };
        let malicious = answer.findings.iter().any(|finding| finding.malicious);
        exit = match (exit, answer.error.is_some(), answer.findings.is_empty()) {
            _ if malicious || exit == Exit::Malicious => Exit::Malicious,
            (_, true, _) | (Exit::Incomplete, ..) => Exit::Incomplete,
            (_, _, false) | (Exit::Findings, ..) => Exit::Findings,
            _ => Exit::Clean,
        };
        text.push_str(&serde_json::to_string(&answer)?);
        text.push('\n');
    }

    output::write(&text, None)?;
    Ok(exit)
}

impl Question {
    fn to_json(&self) -> Value {
        match &self.purl {
            Some(purl) => serde_json::json!({ "purl": purl }),
            None if self.requirement.is_some() => serde_json::json!({
                "ecosystem": self.ecosystem, "name": self.name, "requirement": self.requirement,
            }),
            None => serde_json::json!({
                "ecosystem": self.ecosystem, "name": self.name, "version": self.version,
            }),
        }
    }
}

/// The question that the flags ask, unless standard input does.
fn question_of(args: &Args) -> Option<Question> {
    (args.purl.is_some() || args.ecosystem.is_some()).then(|| Question {
        purl: args.purl.clone(),
        ecosystem: args.ecosystem.clone(),
        name: args.name.clone(),
        version: args.version.clone(),
        requirement: args.requirement.clone(),
        commit: None,
    })
}

fn from_input() -> anyhow::Result<Vec<Asked>> {
    let mut asked = Vec::new();
    for line in std::io::stdin().lock().take(MAX_INPUT_BYTES).lines() {
        let line = line.context("cannot read standard input")?;
        if line.trim().is_empty() {
            continue;
        }

        asked.push(match serde_json::from_str::<Value>(&line) {
            Ok(query) => {
                let parsed = Question::deserialize(&query)
                    .map_err(|error| format!("the question cannot be read: {error}"))
                    .and_then(|question| subject(&question));
                (query, parsed)
            }
            Err(error) => (
                Value::from(line),
                Err(format!("the question is not JSON: {error}")),
            ),
        });
    }

    Ok(asked)
}

/// The subject of a question, or the reason why the question is invalid.
fn subject(question: &Question) -> Result<Subject, String> {
    let Some(requirement) = &question.requirement else {
        return package(question).map(|package| Subject::Package(Box::new(package)));
    };
    let (Some(ecosystem), Some(name), None, None, None) = (
        &question.ecosystem,
        &question.name,
        &question.purl,
        &question.version,
        &question.commit,
    ) else {
        return Err(
            "a question with a `requirement` needs `ecosystem` and `name` alone".to_owned(),
        );
    };

    let known =
        by_name(ecosystem).ok_or_else(|| format!("ecosystem `{ecosystem}` is not known"))?;
    if !known.has_advisories() {
        return Err(format!("no advisories cover `{ecosystem}`"));
    }
    // Without this check, a requirement of a package without records would not be read at all.
    known
        .admitted_versions(requirement)
        .map_err(|error| error.to_string())?;
    Ok(Subject::Requirement(Unresolved {
        ecosystem: known.name(),
        name: name.clone(),
        requirement: requirement.clone(),
        kind: DependencyKind::Runtime,
        line: 1,
    }))
}

/// The package of a question, or the reason why the question is invalid.
fn package(question: &Question) -> Result<Package, String> {
    let package = match question {
        Question {
            commit: Some(commit),
            purl: None,
            ecosystem: None,
            name: None,
            version: None,
            requirement: None,
        } if CommitId::parse(commit).is_some() => return Ok(of_commit(commit)),
        Question {
            commit: Some(commit),
            ..
        } => {
            return Err(format!(
                "`{commit}` is not the full hash of a single commit"
            ));
        }
        Question {
            purl: Some(purl), ..
        } => patchgate_sbom::package(purl).ok_or_else(|| {
            format!("`{purl}` is not a package URL of an ecosystem that is known")
        })?,
        Question {
            ecosystem: Some(ecosystem),
            name: Some(name),
            ..
        } => {
            let (bare, release) = match ecosystem.split_once(':') {
                Some((bare, release)) => (bare, Some(release.to_owned())),
                None => (ecosystem.as_str(), None),
            };
            let known = by_name(bare).ok_or_else(|| format!("ecosystem `{bare}` is not known"))?;
            let version = question.version.clone().unwrap_or_default();

            Package {
                distribution: release,
                ..Package::new(known.name(), name.clone(), version)
            }
        }
        _ => {
            return Err("a question needs `purl`, or `ecosystem`, `name` and `version`".to_owned());
        }
    };
    let version = question
        .version
        .clone()
        .filter(|_| package.version.is_empty());
    let package = Package {
        version: version.unwrap_or_else(|| package.version.clone()),
        ..package
    };
    let covered = by_name(package.ecosystem).is_some_and(|ecosystem| ecosystem.has_advisories());

    if package.name.is_empty() || package.version.is_empty() {
        Err("the question names no version".to_owned())
    } else if !covered {
        Err(format!("no advisories cover `{}`", package.ecosystem))
    } else {
        Ok(package)
    }
}

/// Something of an unknown name at a commit.
fn of_commit(commit: &str) -> Package {
    Package {
        origin: Origin::Git {
            url: String::new(),
            commit: Some(commit.to_owned()),
        },
        ..Package::new(
            EcosystemName::new("Git"),
            commit.to_owned(),
            commit.to_owned(),
        )
    }
}

/// Why a source cannot answer a question about a commit.
fn unanswerable(subject: &Subject, source: &AdvisorySource) -> Option<String> {
    let by_commit = match subject {
        Subject::Package(package) => CommitQuery::of(&package.origin).is_some(),
        Subject::Requirement(_) => false,
    };
    (by_commit && !source.knows_history()).then(|| {
        "a store does not know which commits lie between two others: ask without a store, or by \
         package and version"
            .to_owned()
    })
}

/// The questions as an inventory, each on the line that has its number.
fn inventory(asked: &[Asked]) -> Inventory {
    let mut lockfile = Lockfile {
        path: QUESTIONS.to_owned(),
        ..Lockfile::default()
    };
    for (line, (_, subject)) in (1_u32..).zip(asked) {
        match subject {
            Ok(Subject::Package(package)) => lockfile.packages.push(Package {
                line,
                ..(**package).clone()
            }),
            Ok(Subject::Requirement(requirement)) => lockfile.unresolved.push(Unresolved {
                line,
                ..requirement.clone()
            }),
            Err(_) => {}
        }
    }

    Inventory {
        lockfiles: vec![lockfile],
        ..Inventory::default()
    }
}

fn by_line(findings: &[Finding]) -> BTreeMap<u32, Vec<&Finding>> {
    let mut by_line: BTreeMap<u32, Vec<&Finding>> = BTreeMap::new();
    for finding in findings {
        for location in &finding.locations {
            by_line.entry(location.line).or_default().push(finding);
        }
    }
    by_line
}

/// The reason why the answer to one question is incomplete: a problem of its own version or
/// ecosystem, or one of the source as a whole.
fn problem_of(problems: &[Problem], subject: &Subject, asked: &[Asked]) -> Option<String> {
    let ecosystem = match subject {
        Subject::Package(package) => package.ecosystem,
        Subject::Requirement(requirement) => requirement.ecosystem,
    };
    // A version that was asked about twice has its problem at the first question.
    let is_same = |line: Option<u32>| {
        let index = line.and_then(|line| usize::try_from(line).ok()?.checked_sub(1));
        let other = index.and_then(|index| asked.get(index)?.1.as_ref().ok());
        other == Some(subject)
    };

    problems
        .iter()
        .find(|problem| {
            if problem.subject == QUESTIONS {
                return is_same(problem.line);
            }
            by_name(&problem.subject).is_none() || problem.subject == ecosystem
        })
        .map(|problem| format!("{}: {}", problem.subject, problem.reason))
}

fn reports(findings: Vec<&Finding>, context: &Context) -> Vec<FindingReport> {
    let findings: Vec<Finding> = findings
        .into_iter()
        .map(|finding| Finding {
            // The location is the question itself.
            locations: Vec::new(),
            paths: Vec::new(),
            ..finding.clone()
        })
        .collect();
    let report = ScanReport::new(&ScanInput {
        findings: &findings,
        possible: &[],
        fixes: &BTreeMap::new(),
        ignored: &[],
        suppressed: &[],
        vex_notices: &[],
        notices: &[],
        lockfiles: &[],
        groups: &BTreeMap::new(),
        problems: &[],
        sources: &[],
        threshold: &Threshold::default(),
        waived: &BTreeSet::new(),
        exit: Exit::Clean.into(),
        now: context.environment.now(),
    });

    report.findings
}

fn table(inventory: &Inventory, scanned: &Evaluation, context: &Context) -> anyhow::Result<Exit> {
    let rule = FailureRule::default();
    let exit = verdict::exit(
        &scanned.findings,
        &scanned.findings,
        &scanned.problems,
        &rule,
        inventory,
    );
    let report = ScanReport::new(&ScanInput {
        findings: &scanned.findings,
        possible: &scanned.possible,
        fixes: &package_fixes(&scanned.findings),
        ignored: &[],
        suppressed: &[],
        vex_notices: &[],
        notices: &[],
        lockfiles: &inventory.lockfiles,
        groups: &BTreeMap::new(),
        problems: &scanned.problems,
        sources: &scanned.sources,
        threshold: &rule.threshold,
        waived: &rule.waived,
        exit: exit.into(),
        now: context.environment.now(),
    });
    let terminal = context.terminal.for_output(None);
    output::write(&report.to_table(terminal, Detail::All), None)?;

    Ok(exit)
}
