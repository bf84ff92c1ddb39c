//! `patchgate scan`: finds, ranks and reports.

use crate::args::{OutputArgs, RepositoryArgs, SourceArgs, ThresholdArgs};
use crate::context::Context;
use crate::exit::Exit;
use crate::progress::Progress;
use crate::source::AdvisorySource;
use crate::{output, scan, settings};

/// Flags of `patchgate scan`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    repository: RepositoryArgs,
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    threshold: ThresholdArgs,
    #[command(flatten)]
    output: OutputArgs,
}

pub(crate) async fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let progress = Progress::start(context.terminal.progress, "reading lockfiles");
    let (repository, config) = settings::open(&args.repository)?;
    let source = AdvisorySource::open(&args.source, &config, repository.root(), context)?;
    let contents = repository.read(|path| progress.say(format!("reading {path}")));
    progress.say("looking up advisories");
    let scanned = scan::scan(&contents.inventory, &source).await;
    let applied =
        patchgate_config::apply_ignores(scanned.findings, &config.ignore, context.today());
    let threshold = scan::threshold(&args.threshold, &config);
    drop(progress);
    let exit = scan::exit(
        &applied.kept,
        &scanned.problems,
        threshold,
        &contents.inventory,
    );
    let mut text = String::new();
    for finding in &applied.kept {
        text.push_str(&format!(
            "{:.1} {} {} {}\n",
            finding.score.value, finding.id, finding.package.name, finding.package.version
        ));
    }
    output::write(&text, args.output.output.as_deref())?;
    Ok(exit)
}
