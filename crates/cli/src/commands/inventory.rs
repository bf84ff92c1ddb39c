//! `patchgate inventory`: what a repository depends on.

use patchgate_report::{InventoryInput, InventoryReport};

use crate::args::{InputArgs, OutputArgs, RepositoryArgs};
use crate::context::Context;
use crate::exit::Exit;
use crate::maven_repository::{MavenRepository, Network};
use crate::progress::Progress;
use crate::{input, output, scan};

/// Flags of `patchgate inventory`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    repository: RepositoryArgs,
    #[command(flatten)]
    input: InputArgs,
    #[command(flatten)]
    output: OutputArgs,

    /// Format of the inventory
    #[arg(long, value_enum, default_value = "table", help_heading = "Output")]
    format: Format,

    /// Show every chain to this package instead: `name`, `name@version` or a package URL
    #[arg(long, value_name = "PACKAGE", help_heading = "Output")]
    why: Option<String>,
}

/// Format of an inventory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// A line for each package
    Table,
    /// The graph of each file
    Tree,
    /// One JSON object; `patchgate schema inventory` prints its schema
    Json,
}

pub(crate) async fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let progress = Progress::start(context.terminal.progress, "reading lockfiles");
    let (opened, _) = input::open(&args.repository, &args.input)?;
    // Of what lies outside the repository only this machine's own copy is looked at.
    let mut outside = MavenRepository::new(context, Network::Off);
    let mut inventory = opened
        .read(&mut outside, |text| progress.say(text.to_owned()))
        .await?;
    drop(progress);
    let missing: Vec<_> = scan::missing(&inventory).collect();
    inventory.problems.extend(missing);
    let exit = if !inventory.problems.is_empty() {
        Exit::Incomplete
    } else if inventory.lockfiles.is_empty() && inventory.unlocked.is_empty() {
        Exit::NothingToScan
    } else {
        Exit::Clean
    };
    let report = InventoryReport::new(&InventoryInput {
        inventory: &inventory,
        why: args.why.as_deref(),
        exit_code: exit.code(),
    });
    let file = args.output.output.as_deref();
    let text = match args.format {
        Format::Table => report.to_table(context.terminal.for_output(file)),
        Format::Tree => report.to_tree(context.terminal.for_output(file)),
        Format::Json => report.to_json(),
    };
    output::write(&text, file)?;
    Ok(exit)
}
