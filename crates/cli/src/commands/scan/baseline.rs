//! The baseline of a scan: an earlier report, or the findings of a commit.

use std::path::Path;

use patchgate_inventory::CommitFiles;
use patchgate_model::UserError;
use patchgate_report::Baseline;
use patchgate_scan::{ScanRequest, ScanResult};

use super::Args;
use crate::context::Context;
use crate::output::warn;

/// Largest baseline, in bytes. A report of 10,000 findings has about 40 MB.
const MAX_BASELINE_BYTES: u64 = 256 * 1024 * 1024;

/// Reads the baseline that `--baseline` names: a report where a file of that name exists, else a
/// commit.
pub(super) async fn read(
    named: &str,
    args: &Args,
    request: &ScanRequest<'_>,
    context: &Context,
) -> anyhow::Result<Baseline> {
    if Path::new(named).exists() {
        return Ok(report(Path::new(named))?);
    }
    if looks_like_file(named) {
        return Err(UserError::usage(format!("the baseline `{named}` does not exist")).into());
    }

    Ok(commit(named, args, request, context).await?)
}

/// Whether a name is that of a report that was forgotten, and not of a commit.
fn looks_like_file(named: &str) -> bool {
    Path::new(named)
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("json"))
}

fn report(path: &Path) -> Result<Baseline, UserError> {
    let name = path.display();
    let bytes = patchgate_fs::read_named(path, MAX_BASELINE_BYTES)
        .map_err(|error| UserError::usage(format!("cannot read the baseline `{name}`: {error}")))?;
    Baseline::parse(&bytes).map_err(|error| {
        UserError::usage(format!("the baseline `{name}` is {error}"))
            .with_hint("write one with `patchgate scan --format json --output FILE`")
    })
}

/// Scans the files of a commit with the settings, sources and statements of this scan, so that the
/// two differ in their files only.
async fn commit(
    revision: &str,
    args: &Args,
    request: &ScanRequest<'_>,
    context: &Context,
) -> Result<Baseline, UserError> {
    if args.input.is_given() {
        return Err(UserError::usage(
            "a commit is no baseline for files that are named one by one".to_owned(),
        )
        .with_hint("leave out `--lockfile` and `--sbom`, or name a report of an earlier scan"));
    }
    (request.progress)(&format!("reading the files of {revision}"));
    let path = args.repository.path.as_deref().unwrap_or(Path::new("."));
    let files = CommitFiles::lay_out(path, revision)?;
    let at = files.path();
    if !at.exists() {
        warn(&format!(
            "`{}` does not exist in {revision}: every finding counts as new",
            path.display()
        ));
        return Ok(Baseline::of_commit(files.commit(), []));
    }

    let inputs = args
        .repository
        .inputs(Some(at), &args.input, request.config)?;
    let earlier = ScanRequest {
        inputs: &inputs,
        keep_files: false,
        threshold: request.threshold.clone(),
        ..*request
    };
    let mut result = patchgate_scan::scan(&earlier, &context.environment).await?;
    if args.newest {
        super::newest::ask(&mut result, inputs.root(), context).await;
    }
    say_what_is_missing(revision, &files, &result);

    let findings = &result.findings;
    let findings = findings.kept.iter().chain(&findings.possible);
    Ok(Baseline::of_commit(files.commit(), findings))
}

/// Says what makes findings count as new that may be old.
fn say_what_is_missing(revision: &str, files: &CommitFiles, result: &ScanResult) {
    let problems = &result.incomplete;
    if let Some(first) = problems.first() {
        warn(&format!(
            "{revision} was not read whole, so old findings may count as new: `{}` {}{}",
            first.subject,
            first.reason,
            further(problems.len())
        ));
    }
    if let Some(first) = files.submodules().first() {
        warn(&format!(
            "submodules have no baseline, so their findings count as new: `{first}`{}",
            further(files.submodules().len())
        ));
    }
}

/// What follows the first one of several: ` (and 2 more)`.
fn further(number: usize) -> String {
    match number.saturating_sub(1) {
        0 => String::new(),
        more => format!(" (and {more} more)"),
    }
}

/// Sets the first detection and the change of every finding.
pub(super) fn compare(result: &mut ScanResult, baseline: &Baseline) {
    let rater = result.source.rater();
    let findings = &mut result.findings;
    for finding in findings.kept.iter_mut().chain(&mut findings.possible) {
        if let Some(day) = baseline.first_detected(finding) {
            rater.rate_detected(finding, day);
        }
        finding.score.decision.change = Some(baseline.change(finding));
    }
}
