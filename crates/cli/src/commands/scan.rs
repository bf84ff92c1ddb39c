//! `patchgate scan`: finds vulnerabilities, ranks and reports them.

mod baseline;
mod format;
mod newest;
mod render;

use patchgate_report::{GITHUB_SUMMARY_LIMIT, ScanReport};
use patchgate_scan::{ScanRequest, SourceOptions, VexOptions};

use crate::args::{InputArgs, OutputArgs, RepositoryArgs, SourceArgs, ThresholdArgs, VexArgs};
use crate::context::Context;
use crate::exit::Exit;
use crate::ledger::{self, LedgerArgs};
use crate::progress::Progress;
use crate::report_files::{FormatArg, FormatParser, destinations};
use crate::verdict::FailureRule;
use crate::{output, verdict};
use format::Format;
use render::Scan;
pub(crate) use render::cyclonedx_version;

/// Flags of `patchgate scan`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    repository: RepositoryArgs,
    #[command(flatten)]
    input: InputArgs,
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    vex: VexArgs,
    #[command(flatten)]
    threshold: ThresholdArgs,
    /// Compare the findings with an earlier report of `scan --format json`, or with those of a commit
    /// (`origin/main`, `HEAD~1`): `--fail-on new` fails the run only for what is new or worse. With a
    /// report, deadlines count from the first detection
    #[arg(long, value_name = "FILE|COMMIT", help_heading = "Threshold")]
    baseline: Option<String>,

    /// Read the sources of the repository and say whether they call an affected symbol or import the
    /// package at all
    #[arg(long, help_heading = "Priority")]
    reachability: bool,

    /// Ask the registries for the newest version that a requirement with a possible finding admits, and
    /// say whether that one is affected. Runs the package managers, outside of the repository, to find
    /// the registries
    #[arg(long, conflicts_with = "offline", help_heading = "Priority")]
    newest: bool,

    #[command(flatten)]
    ledger: LedgerArgs,
    #[command(flatten)]
    output: OutputArgs,

    /// Format of the report, by default a table; may be repeated, with a file for each:
    /// `--format sarif=FILE --format html=FILE`. A format without a file goes to `--output` or to
    /// standard output
    #[arg(
        long,
        value_name = "FORMAT[=FILE]",
        value_parser = FormatParser::<Format>::new(),
        help_heading = "Output"
    )]
    format: Vec<FormatArg<Format>>,

    /// Version of CycloneDX that `--format cyclonedx` writes
    #[arg(
        long,
        value_name = "VERSION",
        value_parser = ["1.5", "1.6", "1.7"],
        default_value = "1.6",
        help_heading = "Output"
    )]
    cyclonedx_version: String,

    /// Show every finding in the table, with all its ids, locations and chains, instead of the most
    /// important ones; other formats are always whole
    #[arg(long, help_heading = "Output")]
    all: bool,
}

pub(crate) async fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let ledger = args.ledger.open(context)?;
    let destinations = destinations(&args.format, args.output.output.as_deref(), Format::Table)?;
    let start = context.environment.now();
    let progress = Progress::start(context.terminal.progress, "reading lockfiles");
    let (inputs, config) = args.repository.open(&args.input)?;
    let rule = FailureRule::new(&args.threshold, &config);
    let vex_options = VexOptions::from(&args.vex);
    let request = ScanRequest {
        inputs: &inputs,
        config: &config,
        source: &SourceOptions::from(&args.source),
        vex: &vex_options,
        reachability: args.reachability,
        threshold: rule.threshold.clone(),
        keep_files: ledger.is_some(),
        progress: &|text| progress.say(text),
    };
    let baseline = match &args.baseline {
        Some(named) => Some(baseline::read(named, args, &request, context).await?),
        None => None,
    };
    let mut result = patchgate_scan::scan(&request, &context.environment).await?;
    if args.newest {
        progress.say("asking registries");
        newest::ask(&mut result, inputs.root(), context).await;
    }
    drop(progress);
    if let Some(baseline) = &baseline {
        baseline::compare(&mut result, baseline);
    }

    let kept = &result.findings.kept;
    let inventory = &result.contents.inventory;
    let counted = kept.iter().chain(&result.findings.possible);
    let exit = verdict::exit(kept, counted, &result.incomplete, &rule, inventory);
    let mut report = verdict::scan_report(&result, &result.incomplete, &rule, exit, context);
    if let Some(baseline) = &baseline {
        report.compare(baseline, result.findings.all());
    }

    // Every report is made before the first is written: a report that cannot be made leaves no others.
    let scan = Scan {
        result: &result,
        report: &report,
        vex_options: &vex_options,
        config: &config,
        root: inputs.root(),
        start,
        all: args.all,
        cyclonedx_version: &args.cyclonedx_version,
        context,
    };
    let texts: Vec<String> = destinations
        .iter()
        .map(|destination| scan.rendered(destination))
        .collect::<anyhow::Result<_>>()?;
    for (text, destination) in texts.iter().zip(&destinations) {
        output::write(text, destination.file)?;
    }
    report_to_runner(&report, context)?;
    if let Some(writer) = &ledger {
        let failing = report.summary.at_or_above_threshold;
        ledger::scan(writer, &result, failing, exit, context)
            .map_err(|error| ledger::failed(&error))?;
    }

    // Skip destructors: the process is about to exit, and freeing the memory of 10,000 packages
    // piece by piece is measurably slow.
    std::mem::forget((report, result));
    Ok(exit)
}

fn report_to_runner(report: &ScanReport, context: &Context) -> anyhow::Result<()> {
    if !context.runner.is_there() {
        return Ok(());
    }
    verdict::write_outputs(&context.runner, report)?;
    context
        .runner
        .summary(&report.to_markdown(GITHUB_SUMMARY_LIMIT))?;
    context.runner.annotate(&report.to_annotations())
}
