//! `patchgate scan`: finds, ranks and reports.

use patchgate_report::{GITHUB_SUMMARY_LIMIT, ScanInput, ScanReport};

use crate::args::{InputArgs, OutputArgs, RepositoryArgs, SourceArgs, ThresholdArgs, VexArgs};
use crate::context::Context;
use crate::exit::Exit;
use crate::maven_repository::{MavenRepository, Network};
use crate::progress::Progress;
use crate::source::AdvisorySource;
use crate::vex::{self, Vex};
use crate::{input, output, scan};

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
    #[command(flatten)]
    output: OutputArgs,

    /// Format of the report
    #[arg(long, value_enum, default_value = "table", help_heading = "Output")]
    format: Format,
}

/// Format of a scan's report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// Text for a person
    Table,
    /// One JSON object; `patchgate schema scan` prints its schema
    Json,
    /// Markdown, for a comment or a job summary
    Markdown,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// OpenVEX 0.2.0: what was suppressed, accepted, or not judged yet
    Openvex,
    /// CycloneDX 1.6 with the same statements
    CyclonedxVex,
}

pub(crate) async fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let progress = Progress::start(context.terminal.progress, "reading lockfiles");
    let (opened, config) = input::open(&args.repository, &args.input)?;
    let source = AdvisorySource::open(&args.source, &config, opened.root(), context)?;
    let mut documents = Vex::open(
        &args.vex,
        args.source.offline,
        &config,
        opened.root(),
        context,
    )
    .await?;
    let source = source.with_vendors(std::mem::take(&mut documents.vendors));
    let mut outside = MavenRepository::new(context, Network::unless(args.source.offline));
    let inventory = opened
        .read(&mut outside, |text| progress.say(text.to_owned()))
        .await?;

    progress.say("looking up advisories");
    let lookup = source.lookup_inventory(&inventory).await;
    let mut scanned = scan::judge(&inventory, &lookup, &source).await;

    drop(progress);
    scanned.add_documents(&documents);
    let threshold = scan::threshold(&args.threshold, &config);
    let problems = scanned.holes(threshold);
    let sorted = scanned.sort(&config, &documents, &inventory, context.today());
    let exit = scan::exit(&sorted.kept, &sorted.kept, &problems, threshold, &inventory);
    let report = ScanReport::new(&ScanInput {
        findings: &sorted.kept,
        ignored: &sorted.ignored,
        suppressed: &sorted.suppressed,
        vex_notices: &sorted.vex_notices,
        notices: &sorted.notices,
        lockfiles: &inventory.lockfiles,
        problems: &problems,
        sources: &scanned.sources,
        threshold,
        exit: exit.into(),
        now: context.now,
    });

    let file = args.output.output.as_deref();
    let text = match args.format {
        Format::Table => report.to_table(context.terminal.for_output(file)),
        Format::Json => report.to_json(),
        Format::Markdown => report.to_markdown(usize::MAX),
        Format::Sarif => report.to_sarif(),
        Format::Openvex | Format::CyclonedxVex => {
            let products = vex::products(&args.vex, &config);
            let written = vex::Written {
                sorted: &sorted,
                inventory: &inventory,
                products: &products,
                author: config.vex.author.as_deref(),
                now: context.now,
            };

            match args.format {
                Format::Openvex => written.openvex(),
                _ => written.cyclonedx()?,
            }
        }
    };
    output::write(&text, file)?;
    tell_runner(&report, context)?;

    // The process ends now, and of ten thousand packages it takes longer to give each piece of
    // memory back than all of it at once.
    std::mem::forget((report, sorted, inventory, lookup));
    Ok(exit)
}

fn tell_runner(report: &ScanReport, context: &Context) -> anyhow::Result<()> {
    if !context.runner.is_there() {
        return Ok(());
    }
    scan::tell_outputs(&context.runner, report)?;
    context
        .runner
        .summary(&report.to_markdown(GITHUB_SUMMARY_LIMIT))?;
    context.runner.annotate(&report.to_annotations())
}
