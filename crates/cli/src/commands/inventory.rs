//! `patchgate inventory`: the packages that a repository depends on.

use patchgate_inventory::{MavenRepository, Network};
use patchgate_model::Inventory;
use patchgate_report::{InventoryInput, InventoryReport};
use patchgate_sbom::{OutputFormat, WriteOptions};

use crate::args::{InputArgs, OutputArgs, RepositoryArgs};
use crate::commands::scan::cyclonedx_version;
use crate::context::Context;
use crate::exit::Exit;
use crate::output;
use crate::progress::Progress;
use crate::terminal::Terminal;

/// Flags of `patchgate inventory`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    repository: RepositoryArgs,
    #[command(flatten)]
    input: InputArgs,
    /// Do not use the network: parents and imported version lists of Maven projects are read only
    /// from local copies
    #[arg(long)]
    offline: bool,

    #[command(flatten)]
    output: OutputArgs,

    /// Format of the inventory
    #[arg(long, value_enum, default_value = "table", help_heading = "Output")]
    format: Format,

    /// Version of CycloneDX to write
    #[arg(
        long,
        value_name = "VERSION",
        value_parser = ["1.5", "1.6", "1.7"],
        default_value = "1.6",
        help_heading = "Output"
    )]
    cyclonedx_version: String,

    /// Show every dependency chain to this package instead of the whole inventory: `name`,
    /// `name@version` or a package URL
    #[arg(long, value_name = "PACKAGE", help_heading = "Output")]
    why: Option<String>,
}

/// Format of an inventory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// One line for each package
    Table,
    /// The dependency tree of each file
    Tree,
    /// One JSON object; `patchgate schema inventory` prints its schema
    Json,
    /// CycloneDX, JSON
    CyclonedxJson,
    /// CycloneDX, XML
    CyclonedxXml,
    /// SPDX 2.3, JSON
    SpdxJson,
    /// SPDX 2.3, tag-value
    SpdxTagValue,
    /// SPDX 3.0.1, JSON-LD
    Spdx3,
}

impl Args {
    /// The requested SBOM; `None` for the other formats.
    fn sbom(&self) -> Option<OutputFormat> {
        let version = cyclonedx_version(&self.cyclonedx_version);
        match self.format {
            Format::Table | Format::Tree | Format::Json => None,
            Format::CyclonedxJson => Some(OutputFormat::CycloneDxJson(version)),
            Format::CyclonedxXml => Some(OutputFormat::CycloneDxXml(version)),
            Format::SpdxJson => Some(OutputFormat::SpdxJson),
            Format::SpdxTagValue => Some(OutputFormat::SpdxTagValue),
            Format::Spdx3 => Some(OutputFormat::Spdx3Json),
        }
    }
}

pub(crate) async fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let progress = Progress::start(context.terminal.progress, "reading lockfiles");
    let (inputs, _) = args.repository.open(&args.input)?;
    let network = Network::unless(args.offline);
    let mut external = MavenRepository::new(&context.environment, network);
    let contents = inputs
        .read(&mut external, |text| progress.say(text.to_owned()))
        .await?;
    let mut inventory = contents.inventory;

    drop(progress);
    let missing: Vec<_> = patchgate_inventory::missing(&inventory, |_| true).collect();
    inventory.problems.extend(missing);
    let exit = if !inventory.problems.is_empty() {
        Exit::Incomplete
    } else if inventory.lockfiles.is_empty() && inventory.unlocked.is_empty() {
        Exit::NothingToScan
    } else {
        Exit::Clean
    };

    let file = args.output.output.as_deref();
    if let Some(format) = args.sbom() {
        let folder = inputs.root().canonicalize().unwrap_or_default();
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        let options = WriteOptions {
            name: &name,
            tool_version: env!("CARGO_PKG_VERSION"),
            timestamp: context.environment.now(),
            locations: true,
        };
        let text = patchgate_sbom::write(&inventory, &options, format);
        output::write(&text, file)?;
        print_problems(&inventory);
        return Ok(exit);
    }

    let report = InventoryReport::new(&InventoryInput {
        inventory: &inventory,
        why: args.why.as_deref(),
        exit_code: exit.code(),
    });
    let text = match args.format {
        Format::Table => report.to_table(context.terminal.for_output(file)),
        Format::Tree => report.to_tree(context.terminal.for_output(file)),
        _ => report.to_json(),
    };
    output::write(&text, file)?;

    Ok(exit)
}

/// Prints the problems on standard error, because an SBOM has no field for them.
fn print_problems(inventory: &Inventory) {
    if inventory.problems.is_empty() {
        return;
    }

    let report = InventoryReport::new(&InventoryInput {
        inventory: &Inventory {
            problems: inventory.problems.clone(),
            ..Inventory::default()
        },
        why: None,
        exit_code: Exit::Incomplete.code(),
    });
    let text = report.problems_text(Terminal::for_messages());
    output::say(&text);
}
