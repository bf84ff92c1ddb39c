//! `patchgate gate`: judges a pull request and, on request, merges exactly the judged commit.
//!
//! Nothing is checked out and nothing of the pull request is run: files come through the forge's
//! API as bytes, and only parsers see them.

use std::collections::BTreeMap;

use patchgate_config::Config;
use patchgate_ecosystems::{Siblings, fixable_format, is_fixable_manifest};
use patchgate_forge::{CheckRunReport, Conclusion, MergeOutcome};
use patchgate_gate::{
    compare_findings, judge, needs_default_policy, not_merged, still_as_judged, with_default_policy,
};
use patchgate_model::{
    Evidence, Fetched, FileContents, Finding, FindingComparison, GatePolicy, Inventory, Judgement,
    Missing, OwnJob, Problem, UserError, Verdict,
};
use patchgate_report::{GITHUB_SUMMARY_LIMIT, GateReport};
use patchgate_scan::{AdvisorySource, SETTINGS_FILE, SourceOptions, evaluate};

use crate::args::{ForgeArgs, OutputArgs, SourceArgs};
use crate::context::Context;
use crate::exit::Exit;
use crate::forge::Forge;
use crate::output;
use crate::progress::Progress;

/// Flags of `patchgate gate`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Number of the pull request [default: from the event that started the workflow]
    #[arg(long, value_name = "NUMBER")]
    pull_request: Option<u64>,

    /// Merge the judged commit if the verdict is merge; without it, the verdict is only reported
    #[arg(long)]
    merge: bool,

    #[command(flatten)]
    forge: ForgeArgs,
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    output: OutputArgs,

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

/// Name of the check run with the verdict.
const CHECK_NAME: &str = "patchgate";

pub(crate) async fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let number = pull_request_number(args, context)?;
    let forge = Forge::open(&args.forge, context)?;
    let progress = Progress::start(context.terminal.progress, "reading the pull request");
    let mut evidence = forge
        .github
        .evidence(number, &is_dependency_file, own_job(context))
        .await;

    progress.say("looking up advisories");
    let config = match &evidence.base_tip {
        Ok(tip) => read_config(&forge, tip).await,
        Err(missing) => Err(missing.clone()),
    };
    let policy: Fetched<GatePolicy> = config.clone().map(|config| config.gate);

    evidence.findings = compare(args, context, &config, &evidence).await;
    let mut judgement = judge(&policy, &evidence);
    if let Some((branch, config)) = default_config(&forge, &evidence).await {
        evidence.findings = compare(args, context, &config, &evidence).await;
        let other = judge(&config.map(|config| config.gate), &evidence);
        judgement = with_default_policy(judgement, other, &branch);
    }

    progress.say("reporting the verdict");
    report_check(&forge, &judgement).await;

    let mut merged = false;
    if args.merge && judgement.verdict == Verdict::Merge {
        let method = policy.unwrap_or_default().merge_method;
        match merge(&forge, number, &evidence, method).await {
            Ok(()) => merged = true,
            Err(text) => judgement = not_merged(judgement, text),
        }
    }

    drop(progress);
    let exit = match judgement.verdict {
        Verdict::Merge => Exit::Merge,
        Verdict::Review => Exit::Review,
        Verdict::Block => Exit::Block,
    };
    let report = GateReport::new(&judgement, merged, exit.code());
    let file = args.output.output.as_deref();
    let text = match args.format {
        Format::Text => report.to_text(context.terminal.for_output(file)),
        Format::Json => report.to_json(),
        Format::Markdown => report.to_markdown(),
    };
    output::write(&text, file)?;

    if context.runner.is_there() {
        context.runner.output("verdict", report.verdict.as_str())?;
        context.runner.output("pull-request", &number.to_string())?;
        let markdown = report.to_markdown();
        if markdown.len() <= GITHUB_SUMMARY_LIMIT {
            context.runner.summary(&markdown)?;
        }
    }

    Ok(exit)
}

/// The flag, else the number in the event or the reference that GitHub names in the environment.
fn pull_request_number(args: &Args, context: &Context) -> Result<u64, UserError> {
    if let Some(number) = args.pull_request {
        return Ok(number);
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

fn read_event(path: &str) -> Result<serde_json::Value, UserError> {
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

/// The job that this runs in. `PATCHGATE_JOB_NAME` names it when its check run is not called as its
/// id: a job with a `name` of its own, or one of a matrix.
fn own_job(context: &Context) -> Option<OwnJob> {
    Some(OwnJob {
        run_id: context.environment.variable("GITHUB_RUN_ID")?.to_owned(),
        name: context
            .environment
            .variable("PATCHGATE_JOB_NAME")
            .or_else(|| context.environment.variable("GITHUB_JOB"))?
            .to_owned(),
    })
}

/// Whether a changed file is one whose content is judged.
fn is_dependency_file(path: &str) -> bool {
    fixable_format(path).is_some() || is_fixable_manifest(path)
}

/// The default branch with its settings, when its policy has to consent too.
async fn default_config(forge: &Forge, evidence: &Evidence) -> Option<(String, Fetched<Config>)> {
    evidence.pull_request.as_ref().ok()?;
    let default = match forge.github.default_branch().await {
        Ok(default) => default,
        Err(error) => return Some(("HEAD".to_owned(), Err(Missing::from(&error)))),
    };
    if !needs_default_policy(evidence, &default) {
        return None;
    }

    let config = match forge.github.branch_tip(&default).await {
        Ok(Some(tip)) => read_config(forge, &tip).await,
        Ok(None) => Err(Missing::new("the branch does not exist")),
        Err(error) => Err(Missing::from(&error)),
    };
    Some((default, config))
}

/// The settings at a commit.
async fn read_config(forge: &Forge, commit: &str) -> Fetched<Config> {
    let bytes = forge
        .github
        .file(SETTINGS_FILE, commit, MAX_POLICY_BYTES)
        .await
        .map_err(|error| Missing::from(&error))?
        .ok_or_else(|| Missing {
            reason: format!("`{}` does not exist there", SETTINGS_FILE),
            hint: Some("`patchgate init` writes one".to_owned()),
        })?;
    let text = String::from_utf8(bytes)
        .map_err(|_| Missing::new(format!("`{}` is not UTF-8", SETTINGS_FILE)))?;

    patchgate_config::parse(SETTINGS_FILE, &text).map_err(|errors| {
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

fn inventory(contents: &BTreeMap<String, FileContents>, side: Side) -> Fetched<Inventory> {
    let mut files = Siblings::new();
    for (path, pair) in contents {
        if let Some(bytes) = side(pair).as_ref().map_err(Clone::clone)? {
            files.insert(path.clone(), bytes.clone());
        }
    }

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

/// Writes the check run. Its failure changes no verdict, and is said.
async fn report_check(forge: &Forge, judgement: &Judgement) {
    if judgement.head_sha.is_empty() {
        return;
    }

    let report = GateReport::new(judgement, false, 0);
    let check = CheckRunReport {
        name: CHECK_NAME.to_owned(),
        head_sha: judgement.head_sha.clone(),
        conclusion: match judgement.verdict {
            Verdict::Merge => Conclusion::Success,
            Verdict::Review => Conclusion::ActionRequired,
            Verdict::Block => Conclusion::Failure,
        },
        title: report.headline(),
        summary: report.to_markdown(),
    };

    if let Err(error) = forge.github.report_check_run(&check).await {
        warn(&format!(
            "the check run could not be written (the verdict does not change): {error}"
        ));
        if let Some(hint) = error.hint() {
            warn(&format!(
                "{hint}; only an app's or a workflow's own token can have it"
            ));
        }
    }
}

/// Merges the judged commit, or says why it was not merged.
async fn merge(
    forge: &Forge,
    number: u64,
    judged: &Evidence,
    method: patchgate_model::MergeMethod,
) -> Result<(), String> {
    let sha = judged_commit(forge, number, judged).await?;

    match forge.github.merge(number, &sha, method).await {
        Ok(MergeOutcome::Merged { .. }) => Ok(()),
        Ok(MergeOutcome::HeadMoved) => {
            Err("it was not merged: the head moved after it was judged".to_owned())
        }
        Ok(MergeOutcome::NotMergeable { reason }) => {
            Err(format!("the forge does not let it be merged: {reason}"))
        }
        Err(error) => Err(match error.hint() {
            Some(hint) => format!("it could not be merged: {error} ({hint})"),
            None => format!("it could not be merged: {error}"),
        }),
    }
}

/// The judged commit, when the pull request still is the one that was judged: it is read again right
/// before the merge.
async fn judged_commit(forge: &Forge, number: u64, judged: &Evidence) -> Result<String, String> {
    let unreadable = |error: patchgate_forge::ForgeError| {
        format!("it was not merged: it could not be read again: {error}")
    };
    let now = forge
        .github
        .pull_request(number)
        .await
        .map_err(unreadable)?;
    let tip = forge
        .github
        .branch_tip(&now.base.branch)
        .await
        .map_err(unreadable)?;

    still_as_judged(judged, &now, tip.as_deref()).map(str::to_owned)
}

fn warn(text: &str) {
    use std::io::Write as _;
    let _ = writeln!(anstream::stderr().lock(), "warning: {text}");
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
