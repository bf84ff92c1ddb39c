//! `patchgate review`: compares the head of any pull request with its base, and reports what it
//! brings.
//!
//! [`post`] writes the comment from a report that a job without a token wrote.
//!
//! Nothing is checked out and nothing of the pull request is run: files come through the forge's API
//! as bytes, at fixed commits. Settings, and with them ignore entries, come from the base.

mod packages;
mod post;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use patchgate_config::Config;
use patchgate_ecosystems::{Siblings, formats_of, is_sibling, manifest_of, unread_format};
use patchgate_forge::{
    CheckNote, Conclusion, Forge as _, ForgeKind, NoteLevel, VerdictReport, keep_comment,
};
use patchgate_gate::compare_findings;
use patchgate_model::{Evidence, FileContents, FileStatus, Finding, Inventory, Problem, UserError};
use patchgate_report::{
    AnnotationLevel, GITHUB_BODY_LIMIT, GITHUB_SUMMARY_LIMIT, LineNote, ReviewInput, ReviewReport,
    ReviewVerdict, annotation, clean,
};
use patchgate_scan::{AdvisorySource, SourceOptions, evaluate};

use crate::args::{ForgeArgs, OutputArgs, SourceArgs, ThresholdArgs};
use crate::commands::gate::{pull_request_number, read_config};
use crate::context::Context;
use crate::exit::Exit;
use crate::forge::{OpenForge, failed};
use crate::output::{self, warn};
use crate::progress::Progress;
use crate::report_files::{FormatArg, FormatParser, destinations};
use crate::verdict::FailureRule;

/// Flags of `patchgate review`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Number of the pull request [default: that of the CI job]
    #[arg(long, value_name = "NUMBER")]
    pull_request: Option<u64>,

    /// Report here only: write neither a comment nor a status
    #[arg(long)]
    no_comment: bool,

    /// Write the comment from this report, which `patchgate review --format json` wrote in a job
    /// without a token, instead of comparing. The report must be about the head that the event of the
    /// workflow, or `--head`, names
    #[arg(long, value_name = "FILE", conflicts_with = "no_comment")]
    post: Option<PathBuf>,

    /// The commit that a posted report must be about [default: that of the event]
    #[arg(long, value_name = "COMMIT", requires = "post")]
    head: Option<String>,

    #[command(flatten)]
    forge: ForgeArgs,
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    threshold: ThresholdArgs,
    #[command(flatten)]
    output: OutputArgs,

    /// Format of the report, by default text; may be repeated, with a file for each:
    /// `--format json=FILE --format gitlab-code-quality=FILE`. A format without a file goes to
    /// `--output` or to standard output
    #[arg(
        long,
        value_name = "FORMAT[=FILE]",
        value_parser = FormatParser::<Format>::new(),
        help_heading = "Output"
    )]
    format: Vec<FormatArg<Format>>,
}

/// Format of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// Text for a person
    Text,
    /// One JSON object; `patchgate schema review` prints its schema
    Json,
    /// Markdown, as in the comment
    Markdown,
    /// Code quality report of GitLab, with what is new or worse
    GitlabCodeQuality,
}

/// Name of the check or status.
const CHECK_NAME: &str = "patchgate review";

/// Key of the comment.
const COMMENT_KEY: &str = "review";

pub(crate) async fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    if let Some(file) = &args.post {
        return post::run(file, args, context).await;
    }
    let destinations = destinations(&args.format, args.output.output.as_deref(), Format::Text)?;
    let number = pull_request_number(args.pull_request, context)?;
    let forge = OpenForge::open(&args.forge, Path::new("."), context).await?;
    let progress = Progress::start(context.terminal.progress, "reading the pull request");
    let evidence = forge.api.evidence(number, &is_wanted, None).await;
    let head_sha = match &evidence.pull_request {
        Ok(pull) => pull.head.sha.clone(),
        Err(missing) => {
            return Err(UserError::failure(missing.reason.clone())
                .with_optional_hint(missing.hint.clone())
                .into());
        }
    };

    progress.say("looking up advisories");
    let mut incomplete = Vec::new();
    let config = base_config(&forge, &evidence, &mut incomplete).await;
    let files = changed_lockfiles(&evidence, &mut incomplete);
    let base_inventory = inventory(&evidence.contents, Side::Base, &mut incomplete);
    let head_inventory = inventory(&evidence.contents, Side::Head, &mut incomplete);
    let base = scan(args, context, &config, &base_inventory, &mut incomplete).await;
    let head = scan(args, context, &config, &head_inventory, &mut incomplete).await;
    incomplete.sort();
    incomplete.dedup();

    progress.say("asking registries");
    let packages = packages::Change {
        forge: &forge,
        evidence: &evidence,
        base: &base_inventory,
        head: &head_inventory,
        offline: args.source.offline,
    };
    let packages = packages.describe(context).await;

    let rule = FailureRule::new(&args.threshold, &config);
    let report = ReviewReport::new(ReviewInput {
        pull_request: number,
        packages,
        base: &base,
        head: &head,
        comparison: &compare_findings(&base, &head),
        threshold: &rule.threshold,
        files: &files,
        incomplete: &incomplete,
        head_sha: &head_sha,
        base_sha: evidence.merge_base.as_deref().unwrap_or_default(),
    });
    let exit = exit(&report);
    let report = report.with_exit_code(exit.code());

    let has_notes = if args.no_comment {
        false
    } else {
        progress.say("writing the comment");
        publish(&forge, number, &report).await?
    };

    drop(progress);
    for destination in destinations {
        let text = match destination.format {
            Format::Text => report.to_text(),
            Format::Json => report.to_json(),
            Format::Markdown => report.to_markdown(GITHUB_BODY_LIMIT),
            Format::GitlabCodeQuality => report.to_code_quality(),
        };
        output::write(&text, destination.file)?;
    }
    if context.runner.is_there() {
        context.runner.output("pull-request", &number.to_string())?;
        let summary = report.to_markdown(GITHUB_SUMMARY_LIMIT / 2);
        context.runner.summary(&summary)?;
        // The check run has the same notes.
        if !has_notes {
            context.runner.annotate(&annotations(&report))?;
        }
    }

    Ok(exit)
}

/// The notes as workflow commands. A runner shows ten of each level and step at most
/// (<https://docs.github.com/actions/reference/limits>).
fn annotations(report: &ReviewReport) -> String {
    let line = |note: &LineNote| {
        let (file, line) = (Some(note.file.as_str()), Some(note.line));
        annotation(note.level, file, line, &note.title, &note.message)
    };
    report.line_notes().iter().map(line).collect()
}

/// Whether a changed file is read: everything that a scan reads.
fn is_wanted(path: &str) -> bool {
    formats_of(path).next().is_some() || manifest_of(path).is_some() || is_sibling(path)
}

/// A malicious release that comes is an incident, whatever the threshold is.
fn exit(report: &ReviewReport) -> Exit {
    let comes = || report.new.iter().chain(&report.worse);
    match report.verdict {
        _ if comes().any(|finding| finding.malicious) => Exit::Malicious,
        _ if !report.incomplete.is_empty() => Exit::Incomplete,
        ReviewVerdict::Failed => Exit::Findings,
        ReviewVerdict::Passed | ReviewVerdict::Incomplete => Exit::Clean,
    }
}

/// The settings at the tip of the base branch. A base without settings has the defaults.
async fn base_config(
    forge: &OpenForge,
    evidence: &Evidence,
    incomplete: &mut Vec<String>,
) -> Config {
    let config = match &evidence.base_tip {
        Ok(tip) => read_config(forge, tip).await,
        Err(missing) => Err(missing.clone()),
    };
    match config {
        Ok(config) => config,
        Err(missing) => {
            if !missing.reason.ends_with("does not exist there") {
                incomplete.push(missing.reason);
            }
            Config::default()
        }
    }
}

/// The lockfiles that change, and those that nothing here can read.
fn changed_lockfiles(evidence: &Evidence, incomplete: &mut Vec<String>) -> Vec<String> {
    let files = match &evidence.files {
        Ok(files) => files,
        Err(missing) => {
            incomplete.push(format!("the changed files: {}", missing.reason));
            return Vec::new();
        }
    };

    let mut lockfiles = Vec::new();
    for file in files {
        let path = &file.path;
        if formats_of(path).next().is_some() {
            lockfiles.push(path.clone());
        } else if let Some(format) = unread_format(path)
            && file.status != FileStatus::Removed
        {
            incomplete.push(format!("`{path}` is not read: {}", format.hint));
        }
        if let FileStatus::Other(change) = &file.status
            && is_wanted(path)
        {
            incomplete.push(format!("`{path}` changes its kind: {change}"));
        }
    }

    lockfiles
}

/// One side of the change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Base,
    Head,
}

/// The findings in the files of one side.
async fn scan(
    args: &Args,
    context: &Context,
    config: &Config,
    inventory: &Inventory,
    incomplete: &mut Vec<String>,
) -> Vec<Finding> {
    let source = match AdvisorySource::open(
        &SourceOptions::from(&args.source),
        config,
        Path::new("."),
        &context.environment,
    ) {
        Ok(source) => source,
        Err(error) => {
            incomplete.push(format!("{error:#}"));
            return Vec::new();
        }
    };

    let scanned = evaluate(inventory, &source).await;
    incomplete.extend(scanned.problems.iter().map(named));
    let applied = patchgate_config::apply_ignores(
        scanned.into_counted(config.thresholds.possible),
        &config.ignore,
        context.environment.today(),
    );
    applied.kept
}

fn inventory(
    contents: &BTreeMap<String, FileContents>,
    side: Side,
    incomplete: &mut Vec<String>,
) -> Inventory {
    let mut files = Siblings::new();
    for (path, pair) in contents {
        let bytes = match side {
            Side::Base => &pair.base,
            Side::Head => &pair.head,
        };
        match bytes {
            Ok(Some(bytes)) => {
                files.insert(path.clone(), bytes.clone());
            }
            Ok(None) => {}
            Err(missing) => incomplete.push(format!("`{path}`: {}", missing.reason)),
        }
    }

    let mut inventory = Inventory::default();
    for (path, bytes) in &files {
        for (_, format) in formats_of(path) {
            match patchgate_inventory::parse(format, path, bytes, &files) {
                Ok(lockfile) => inventory.lockfiles.push(lockfile),
                // What the base could not be read as is no fault of the change.
                Err(problem) if side == Side::Head => incomplete.push(named(&problem)),
                Err(_) => {}
            }
        }
    }

    inventory
}

fn named(problem: &Problem) -> String {
    format!("`{}` {}", problem.subject, problem.reason)
}

/// Writes the comment, once and edited afterwards, and the status. Returns whether the status has the
/// notes at lines.
async fn publish(forge: &OpenForge, number: u64, report: &ReviewReport) -> anyhow::Result<bool> {
    let identity = forge.api.identity().await.map_err(|error| failed(&error))?;
    let text = report.to_markdown(GITHUB_BODY_LIMIT);
    keep_comment(&forge.api, identity.as_ref(), number, COMMENT_KEY, &text)
        .await
        .map_err(|error| failed(&error))?;

    let verdict = VerdictReport {
        name: CHECK_NAME.to_owned(),
        head_sha: report.head_sha.clone(),
        conclusion: match report.verdict {
            ReviewVerdict::Passed => Conclusion::Success,
            ReviewVerdict::Incomplete => Conclusion::ActionRequired,
            ReviewVerdict::Failed => Conclusion::Failure,
        },
        title: report.headline(),
        summary: text,
        notes: report.line_notes().iter().map(check_note).collect(),
    };
    if let Err(error) = forge.api.report_verdict(&verdict).await {
        warn(&format!(
            "the verdict could not be written as a status: {error}"
        ));
        return Ok(false);
    }

    Ok(forge.kind == ForgeKind::GitHub)
}

fn check_note(note: &LineNote) -> CheckNote {
    CheckNote {
        path: note.file.clone(),
        line: note.line,
        level: match note.level {
            AnnotationLevel::Notice => NoteLevel::Notice,
            AnnotationLevel::Warning => NoteLevel::Warning,
            AnnotationLevel::Error => NoteLevel::Failure,
        },
        title: clean(&note.title),
        message: clean(&note.message),
    }
}
