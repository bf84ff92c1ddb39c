//! `patchgate fix`: plans the smallest upgrades that fix the findings, and shows or applies them.

use patchgate_report::{FixInput, FixReport, GITHUB_SUMMARY_LIMIT};
use patchgate_scan::{ScanRequest, SourceOptions, VexOptions};

use crate::args::{
    InputArgs, OutputArgs, PlanArgs, RepositoryArgs, SourceArgs, ThresholdArgs, VexArgs,
};
use crate::context::Context;
use crate::exit::Exit;
use crate::progress::Progress;
use crate::verdict::FailureRule;
use crate::{output, verdict};

/// Flags of `patchgate fix`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    repository: RepositoryArgs,

    /// Show the plan and the diff without changing a file (the default)
    #[arg(long, conflicts_with = "apply")]
    dry_run: bool,

    /// Write the changed files to the repository
    #[arg(long)]
    apply: bool,

    #[command(flatten)]
    plan: PlanArgs,

    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    vex: VexArgs,
    #[command(flatten)]
    threshold: ThresholdArgs,
    #[command(flatten)]
    output: OutputArgs,

    /// Format of the report
    #[arg(long, value_enum, default_value = "table", help_heading = "Output")]
    format: Format,
}

/// Format of a fix's report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// Text for a person, with the diff
    Table,
    /// One JSON object; `patchgate schema fix` prints its schema
    Json,
}

pub(crate) async fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let options = args.plan.options();
    let progress = Progress::start(context.terminal.progress, "reading lockfiles");
    let (inputs, config) = args.repository.open(&InputArgs::default())?;
    let rule = FailureRule::new(&args.threshold, &config);
    let request = ScanRequest {
        inputs: &inputs,
        config: &config,
        source: &SourceOptions::from(&args.source),
        vex: &VexOptions::from(&args.vex),
        threshold: rule.threshold,
        keep_files: true,
        progress: &|text| progress.say(text),
    };
    let fixed = patchgate_fix::fix(&request, &options, &context.environment).await?;
    drop(progress);

    let exit = verdict::exit(
        &fixed.scan.findings.kept,
        fixed.remaining(),
        &fixed.problems,
        &rule,
        &fixed.scan.contents.inventory,
    );
    let scan = verdict::scan_report(&fixed.scan, &fixed.problems, &rule, exit, context);
    if args.apply {
        patchgate_fix::apply(inputs.root(), &fixed.plan.changes)?;
    }

    let report = FixReport::new(&FixInput {
        plan: &fixed.plan,
        scan: &scan,
        applied: args.apply,
        exit_code: exit.code(),
    });
    let file = args.output.output.as_deref();
    let text = match args.format {
        Format::Table => report.to_text(context.terminal.for_output(file)),
        Format::Json => report.to_json(),
    };
    output::write(&text, file)?;

    if context.runner.is_there() {
        verdict::write_outputs(&context.runner, &scan)?;
        context
            .runner
            .summary(&report.to_markdown(GITHUB_SUMMARY_LIMIT))?;
    }
    for note in &fixed.notes {
        anstream::eprintln!("note: {note}");
    }

    Ok(exit)
}
