//! `patchgate gate`: judges a pull request and, on request, merges exactly the judged commit.
//!
//! Nothing is checked out and nothing of the pull request is run: files come through the forge's
//! API as bytes, and only parsers see them.

mod merge;
mod recording;
mod registry;
mod replay;
mod round;

pub(super) use replay::{read_recorded, word};

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use patchgate_config::Config;
use patchgate_ecosystems::{Siblings, fixable_format, is_fixable_manifest};
use patchgate_forge::{Forge as _, ForgeError};
use patchgate_gate::{compare_findings, not_merged, stage_of};
use patchgate_ledger::Input;
use patchgate_model::{
    Evidence, Fetched, FileContents, Finding, FindingComparison, Inventory, Judgement, Missing,
    PlanDigest, Problem, Stage, UserError, Verdict,
};
use patchgate_report::{GITHUB_SUMMARY_LIMIT, GateReport};
use patchgate_scan::{AdvisorySource, SETTINGS_FILE, SourceOptions, evaluate};

use self::recording::Recording;
use self::round::Judge;
use crate::args::{ForgeArgs, OutputArgs, SourceArgs};
use crate::context::Context;
use crate::exit::Exit;
use crate::forge::{OpenForge, failed};
use crate::ledger::LedgerArgs;
use crate::output;
use crate::progress::Progress;

/// Flags of `patchgate gate`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Number of the pull request [default: from the event that started the workflow]
    #[arg(long, value_name = "NUMBER")]
    pull_request: Option<u64>,

    /// Judge every open pull request of Patchgate into the default branch, one after the other; with
    /// JSON, one object for each. The exit code is that of the worst verdict
    #[arg(long, conflicts_with_all = ["pull_request", "output"])]
    all: bool,

    /// Merge the judged commit if the verdict is merge; without it, the verdict is only reported
    #[arg(long)]
    merge: bool,

    /// Compute a verdict of the ledger again from its recorded evidence, without the network, and
    /// compare it with the record; names its index or id
    #[arg(long, value_name = "RECORD", conflicts_with_all = ["pull_request", "all", "merge"])]
    replay: Option<String>,

    /// Public key of the ledger that `--replay` reads, or a file with it [default: that of the private
    /// key, else the key that the ledger names, which does not show who wrote it]
    #[arg(long, value_name = "KEY|FILE", requires = "replay")]
    ledger_public_key: Option<String>,

    /// The digest of a plan that another job computed again, as `patchgate fix --plan-digest` writes it
    #[arg(long, value_name = "FILE")]
    plan_digest: Option<PathBuf>,

    #[command(flatten)]
    forge: ForgeArgs,
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    ledger: LedgerArgs,
    #[command(flatten)]
    output: OutputArgs,

    /// List every result of every condition, in place of one line for each cause
    #[arg(long, help_heading = "Output")]
    explain: bool,

    /// Format of the verdict
    #[arg(long, value_enum, default_value = "text", help_heading = "Output")]
    format: Format,
}

/// Format of the verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// Text for a person
    Text,
    /// One JSON object; `patchgate schema gate` prints its schema
    Json,
    /// Markdown, for a comment or a job summary
    Markdown,
}

/// Largest settings file that is read, in bytes.
const MAX_POLICY_BYTES: usize = 1024 * 1024;

/// Largest event file that is read, in bytes: GitHub caps payloads at 25 MB.
const MAX_EVENT_BYTES: u64 = 32 * 1024 * 1024;

pub(crate) async fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    if let Some(record) = &args.replay {
        return replay::run(args, record, context);
    }
    if args.all {
        return judge_all(args, context).await;
    }
    let number = pull_request_number(args.pull_request, context)?;
    let forge = OpenForge::open(&args.forge, Path::new("."), context).await?;

    judge_one(args, &forge, number, context).await
}

/// Judges every open pull request of Patchgate. A forge without an event for finished checks runs this
/// on a schedule.
async fn judge_all(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let forge = OpenForge::open(&args.forge, Path::new("."), context).await?;
    let listed = async {
        let base = forge.api.default_branch().await?;
        forge.api.open_requests(&base).await
    };
    let open = listed.await.map_err(|error| failed(&error))?;
    if open.is_empty() {
        output::write("no pull request of Patchgate is open\n", None)?;
        return Ok(Exit::Clean);
    }

    let mut worst = Exit::Merge;
    for pull in open {
        if args.format != Format::Json {
            let name = forge.kind.reference(pull.number);
            output::write(&format!("{name}\n"), None)?;
        }
        let exit = judge_one(args, &forge, pull.number, context).await?;
        if exit.code() > worst.code() {
            worst = exit;
        }
    }

    Ok(worst)
}

async fn judge_one(
    args: &Args,
    forge: &OpenForge,
    number: u64,
    context: &Context,
) -> anyhow::Result<Exit> {
    let started = Instant::now();
    let writer = args.ledger.open(context)?;
    let progress = Progress::start(context.terminal.progress, "reading the pull request");
    let recomputed = args.plan_digest.as_deref().map(read_digest).transpose()?;
    let judge = Judge {
        args,
        recomputed,
        context,
        forge,
        number,
        writer: writer.as_ref(),
        started,
    };
    let round = judge.round().await;
    if round.evidence.pull_request.is_err() {
        refuse_wrong_token(forge, number).await?;
    }

    progress.say("reporting the verdict");
    let stage = match &round.policy {
        Ok(policy) => stage_of(policy, &round.evidence),
        Err(_) => Stage::Suggest,
    };
    if stage != Stage::Observe {
        merge::report_check(forge, &round.judgement).await;
        merge::add_labels(&judge, &round).await;
        merge::ask_to_review(&judge, &round).await;
    }

    let record = Recording {
        writer: writer.as_ref(),
        source: forge.address.clone(),
        number,
    };
    let mut judgement = round.judgement.clone();
    let wants_merge = args.merge && judgement.verdict == Verdict::Merge;
    let inputs = round.inputs.clone();
    let intent = match record.verdict(&round, inputs, &judgement, wants_merge) {
        Ok(intent) => intent,
        Err(text) => {
            judgement = not_merged(judgement, text);
            merge::report_check(forge, &judgement).await;
            None
        }
    };

    let mut merged = false;
    if args.merge && judgement.verdict == Verdict::Merge {
        progress.say("judging again, and merging");
        let result = merge::merge(&judge, &round).await;
        record.result(intent, &result);
        match result {
            Ok(wrong) => {
                merged = true;
                if let Some(text) = wrong {
                    judgement = not_merged(judgement, text);
                    merge::report_check(forge, &judgement).await;
                }
            }
            Err(text) => {
                judgement = not_merged(judgement, text);
                // The check run says "success" so far.
                merge::report_check(forge, &judgement).await;
            }
        }
    }
    drop(progress);
    report(args, context, number, &judgement, merged)
}

fn exit_of(verdict: Verdict) -> Exit {
    match verdict {
        Verdict::Merge => Exit::Merge,
        Verdict::Review => Exit::Review,
        Verdict::Block => Exit::Block,
    }
}

/// Writes the report; returns the exit code of the verdict.
fn report(
    args: &Args,
    context: &Context,
    number: u64,
    judgement: &Judgement,
    merged: bool,
) -> anyhow::Result<Exit> {
    let exit = exit_of(judgement.verdict);
    let report = GateReport::new(judgement, merged, exit.code());
    let file = args.output.output.as_deref();
    let text = match args.format {
        Format::Text => report.to_text(context.terminal.for_output(file), args.explain),
        Format::Json => report.to_json(),
        Format::Markdown => report.to_markdown(args.explain),
    };
    output::write(&text, file)?;

    if context.runner.is_there() {
        context.runner.output("verdict", report.verdict.as_str())?;
        context.runner.output("pull-request", &number.to_string())?;
        let markdown = report.to_markdown(args.explain);
        if markdown.len() <= GITHUB_SUMMARY_LIMIT {
            context.runner.summary(&markdown)?;
        }
    }

    Ok(exit)
}

/// The flag, else the number that the CI job names. Gitea's workflows name it as GitHub's do.
pub(crate) fn pull_request_number(flag: Option<u64>, context: &Context) -> Result<u64, UserError> {
    if let Some(number) = flag {
        return Ok(number);
    }

    if let Some(number) = context.environment.variable("CI_MERGE_REQUEST_IID") {
        return number.parse().map_err(|_| {
            UserError::usage(format!(
                "`CI_MERGE_REQUEST_IID` is not a number: `{number}`"
            ))
        });
    }

    if let Some(path) = context.environment.variable("GITHUB_EVENT_PATH") {
        let event = read_event(path)?;
        if let Some(number) = number_in(&event) {
            return Ok(number);
        }
    }

    context
        .environment
        .variable("GITHUB_REF")
        .and_then(|reference| reference.strip_prefix("refs/pull/"))
        .and_then(|rest| rest.split('/').next())
        .and_then(|number| number.parse().ok())
        .ok_or_else(|| {
            UserError::usage("no pull request is named").with_hint(
                "give `--pull-request NUMBER`, or run it in a workflow on `pull_request`",
            )
        })
}

pub(crate) fn read_event(path: &str) -> Result<serde_json::Value, UserError> {
    let failed = |error: String| {
        UserError::usage(format!("the event file `{path}` cannot be read: {error}"))
    };
    let bytes = std::fs::File::open(path)
        .and_then(|file| patchgate_fs::read_up_to(file, MAX_EVENT_BYTES))
        .map_err(|error| failed(error.to_string()))?
        .ok_or_else(|| failed(format!("it is larger than {MAX_EVENT_BYTES} bytes")))?;
    serde_json::from_slice(&bytes).map_err(|error| failed(error.to_string()))
}

/// The pull request of an event: its own, or the only one that a finished workflow or check suite
/// belongs to.
fn number_in(event: &serde_json::Value) -> Option<u64> {
    if let Some(number) = event["pull_request"]["number"].as_u64() {
        return Some(number);
    }

    for kind in ["workflow_run", "check_suite", "check_run"] {
        if let Some([only]) = event[kind]["pull_requests"].as_array().map(Vec::as_slice) {
            return only["number"].as_u64();
        }
    }

    event["issue"]["pull_request"]
        .is_object()
        .then(|| event["issue"]["number"].as_u64())
        .flatten()
}

/// Whether a changed file is one whose content is judged.
fn is_dependency_file(path: &str) -> bool {
    fixable_format(path).is_some() || is_fixable_manifest(path)
}

/// The settings at a commit.
pub(crate) async fn read_config(forge: &OpenForge, commit: &str) -> Fetched<Config> {
    parse_settings(&read_settings(forge, commit, &mut Vec::new()).await)
}

/// The text of the settings at a commit. Its digest is added to the inputs.
async fn read_settings(
    forge: &OpenForge,
    commit: &str,
    inputs: &mut Vec<Input>,
) -> Fetched<String> {
    let bytes = forge
        .api
        .file(SETTINGS_FILE, commit, MAX_POLICY_BYTES)
        .await
        .map_err(|error| Missing::from(&error))?
        .ok_or_else(|| Missing {
            reason: format!("`{}` does not exist there", SETTINGS_FILE),
            hint: Some("`patchgate init` writes one".to_owned()),
        })?;
    inputs.push(Input::of(format!("{commit}:{SETTINGS_FILE}"), &bytes));
    String::from_utf8(bytes).map_err(|_| Missing::new(format!("`{}` is not UTF-8", SETTINGS_FILE)))
}

/// The settings of a text that was read.
pub(super) fn parse_settings(text: &Fetched<String>) -> Fetched<Config> {
    let text = text.as_ref().map_err(Clone::clone)?;
    patchgate_config::parse(SETTINGS_FILE, text).map_err(|errors| {
        let text = errors.to_string();
        Missing::new(text.split_whitespace().collect::<Vec<_>>().join(" "))
    })
}

/// One side of a changed file.
type Side = fn(&FileContents) -> &Fetched<Option<Vec<u8>>>;

/// The known vulnerabilities before and after the change. An incomplete scan of either side is
/// missing evidence.
async fn compare(
    args: &Args,
    context: &Context,
    config: &Fetched<Config>,
    evidence: &Evidence,
) -> Fetched<FindingComparison> {
    evidence.files.as_ref().map_err(Clone::clone)?;
    let config = config.clone().unwrap_or_default();
    let source = AdvisorySource::open(
        &SourceOptions::from(&args.source),
        &config,
        std::path::Path::new("."),
        &context.environment,
    )
    .map_err(|error| Missing::new(format!("{error:#}")))?;
    let mut sides: Vec<Vec<Finding>> = Vec::new();
    let both: [Side; 2] = [|contents| &contents.base, |contents| &contents.head];
    for side in both {
        let inventory = inventory(&evidence.contents, side)?;
        let scanned = evaluate(&inventory, &source).await;

        let mut holes = scanned.problems.clone();
        if config.gate.max_remaining_score.is_some() {
            // A score without its feeds may be too low.
            holes.extend(scanned.missing_feeds.clone());
        }

        if let Some(hole) = holes.first() {
            return Err(hole_as_missing(hole));
        }

        let applied = patchgate_config::apply_ignores(
            scanned.into_counted(config.thresholds.possible),
            &config.ignore,
            context.environment.today(),
        );
        sides.push(applied.kept);
    }

    match sides.as_slice() {
        [base, head] => Ok(compare_findings(base, head)),
        _ => Err(Missing::new("one side was not scanned")),
    }
}

/// The files of one side of the pull request.
fn side_files(contents: &BTreeMap<String, FileContents>, side: Side) -> Fetched<Siblings> {
    let mut files = Siblings::new();
    for (path, pair) in contents {
        if let Some(bytes) = side(pair).as_ref().map_err(Clone::clone)? {
            files.insert(path.clone(), bytes.clone());
        }
    }

    Ok(files)
}

fn inventory(contents: &BTreeMap<String, FileContents>, side: Side) -> Fetched<Inventory> {
    let files = side_files(contents, side)?;
    let mut inventory = Inventory::default();
    for (path, bytes) in &files {
        if let Some((_, format)) = fixable_format(path) {
            let lockfile = patchgate_inventory::parse(format, path, bytes, &files)
                .map_err(|problem| hole_as_missing(&problem))?;
            inventory.lockfiles.push(lockfile);
        }
    }

    Ok(inventory)
}

fn hole_as_missing(problem: &Problem) -> Missing {
    Missing {
        reason: format!("`{}` {}", problem.subject, problem.reason),
        hint: problem.hint.clone(),
    }
}

/// The digest of a recomputed plan. A named file that cannot be read is an error.
fn read_digest(path: &Path) -> Result<PlanDigest, UserError> {
    let failed = |reason: String| {
        UserError::usage(format!("the plan's digest `{}` {reason}", path.display()))
    };
    let bytes = std::fs::File::open(path)
        .and_then(|file| patchgate_fs::read_up_to(file, MAX_EVENT_BYTES))
        .map_err(|error| failed(format!("cannot be read: {error}")))?
        .ok_or_else(|| failed("is too large".to_owned()))?;
    PlanDigest::parse(&bytes).map_err(failed)
}

/// A token that the forge does not accept is an error of the run, and no verdict.
async fn refuse_wrong_token(forge: &OpenForge, number: u64) -> Result<(), UserError> {
    match forge.api.pull_request(number).await {
        Err(error @ ForgeError::Unauthorized { .. }) => Err(failed(&error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::number_in;

    #[test]
    fn events_name_their_pull_request() {
        for (event, number) in [
            (json!({"pull_request": {"number": 7}, "number": 7}), Some(7)),
            (
                json!({"workflow_run": {"pull_requests": [{"number": 8}]}}),
                Some(8),
            ),
            (
                json!({"check_suite": {"pull_requests": [{"number": 8}, {"number": 9}]}}),
                None,
            ),
            (json!({"issue": {"number": 3, "pull_request": {}}}), Some(3)),
            (json!({"issue": {"number": 3}}), None),
            (json!([]), None),
        ] {
            assert_eq!(number_in(&event), number, "{event}");
        }
    }
}
