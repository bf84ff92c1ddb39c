//! `patchgate fix`: plans the smallest upgrades that end the findings, shows or applies them.

use std::collections::BTreeSet;
use std::time::Duration;

use patchgate_config::Config;
use patchgate_model::{Finding, Plan, Problem};
use patchgate_package_managers::RunOptions;
use patchgate_report::{FixInput, FixReport, GITHUB_SUMMARY_LIMIT, ScanInput, ScanReport};

use crate::args::{OutputArgs, RepositoryArgs, SourceArgs, ThresholdArgs, VexArgs};
use crate::context::Context;
use crate::exit::Exit;
use crate::fix::{self, TimeLimit, Workshop, time_limit};
use crate::maven_repository::{MavenRepository, Network};
use crate::progress::Progress;
use crate::source::AdvisorySource;
use crate::vex::Vex;
use crate::{network, output, scan, settings};

/// Flags of `patchgate fix`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    repository: RepositoryArgs,

    /// Show the plan and the diff, and change nothing (this is what happens without `--apply`)
    #[arg(long, conflicts_with = "apply")]
    dry_run: bool,

    /// Write the changed files
    #[arg(long)]
    apply: bool,

    /// Longest time in seconds for one run of a package manager
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    manager_timeout: u64,

    /// Longest time for everything; what is proven by then is kept, the rest is reported as not
    /// tried
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = time_limit::parse)]
    time_limit: Duration,

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
    let time_limit = TimeLimit::from_now(args.time_limit);
    let progress = Progress::start(context.terminal.progress, "reading lockfiles");
    let (repository, config) = settings::open(&args.repository)?;
    let source = AdvisorySource::open(&args.source, &config, repository.root(), context)?;
    let mut vex = Vex::open(
        &args.vex,
        args.source.offline,
        &config,
        repository.root(),
        context,
    )
    .await?;
    let source = source.with_vendors(std::mem::take(&mut vex.vendors));
    let client = network::client(context, args.source.offline)?;
    let mut outside = MavenRepository::new(context, Network::unless(args.source.offline));
    let contents = repository
        .read_with(&mut outside, |path| progress.say(format!("reading {path}")))
        .await;
    progress.say("looking up advisories");
    let mut scanned = scan::scan(&contents.inventory, &source).await;
    scanned.add_documents(&vex);
    let copies = vex.copies(&contents.inventory);
    let is_ignored = |finding: &Finding| {
        is_ignored(&config, context, finding) || vex.suppresses(finding, &copies)
    };
    let workshop = Workshop {
        contents: &contents,
        root: repository.root(),
        source: &source,
        client: &client,
        run: RunOptions {
            offline: args.source.offline,
            timeout: Duration::from_secs(args.manager_timeout),
        },
        time_limit,
        is_ignored: &is_ignored,
        tell: &|what| progress.say(what),
    };
    let fixed = fix::plan(&workshop).await;
    drop(progress);

    let threshold = scan::threshold(&args.threshold, &config);
    let mut problems: Vec<Problem> = scanned.holes(threshold);
    problems.extend(fixed.problems);
    problems.sort();
    problems.dedup();
    let sorted = scanned.sort(&config, &vex, &contents.inventory, context.today());
    let exit = scan::exit(
        &sorted.kept,
        remaining(&sorted.kept, &fixed.plan),
        &problems,
        threshold,
        &contents.inventory,
    );
    let scan = ScanReport::new(&ScanInput {
        findings: &sorted.kept,
        ignored: &sorted.ignored,
        suppressed: &sorted.suppressed,
        vex_notices: &sorted.vex_notices,
        notices: &sorted.notices,
        lockfiles: &contents.inventory.lockfiles,
        problems: &problems,
        sources: &scanned.sources,
        threshold,
        exit: exit.into(),
        now: context.now,
    });
    if args.apply {
        fix::apply::apply(repository.root(), &fixed.plan.changes)?;
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
        scan::tell_outputs(&context.runner, &scan)?;
        context
            .runner
            .summary(&report.to_markdown(GITHUB_SUMMARY_LIMIT))?;
    }
    for note in &fixed.notes {
        anstream::eprintln!("note: {note}");
    }
    Ok(exit)
}

/// Whether the settings ignore a finding today.
fn is_ignored(config: &Config, context: &Context, finding: &Finding) -> bool {
    patchgate_config::apply_ignores(vec![finding.clone()], &config.ignore, context.today())
        .kept
        .is_empty()
}

/// The findings of the scan that the plan leaves.
fn remaining<'a>(findings: &'a [Finding], plan: &Plan) -> impl Iterator<Item = &'a Finding> {
    let left: BTreeSet<(String, String, String)> = plan
        .unfixed
        .iter()
        .flat_map(|unfixed| {
            unfixed
                .ids
                .iter()
                .map(|id| (unfixed.package.clone(), unfixed.version.clone(), id.clone()))
        })
        .collect();

    findings.iter().filter(move |finding| {
        left.contains(&(
            finding.package.name.clone(),
            finding.package.version.clone(),
            finding.id.clone(),
        ))
    })
}
