//! `patchgate schema`: the JSON Schemas of the reports and of the settings file.

use patchgate_report::SchemaKind;

use crate::exit::Exit;
use crate::output;

/// Flags of `patchgate schema`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Report or file to print the schema of
    #[arg(value_enum)]
    of: Schema,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Schema {
    /// The report of `patchgate scan --format json`
    Scan,
    /// The report of `patchgate fix --format json`
    Fix,
    /// The report of `patchgate inventory --format json`
    Inventory,
    /// The report of `patchgate explain --format json`
    Explain,
    /// The report of `patchgate pr --format json`
    Pr,
    /// The report of `patchgate gate --format json`
    Gate,
    /// The report of `patchgate review --format json`
    Review,
    /// The settings file `.patchgate.yml`
    Config,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    let kind = match args.of {
        Schema::Scan => SchemaKind::Scan,
        Schema::Fix => SchemaKind::Fix,
        Schema::Inventory => SchemaKind::Inventory,
        Schema::Explain => SchemaKind::Explain,
        Schema::Pr => SchemaKind::Pr,
        Schema::Gate => SchemaKind::Gate,
        Schema::Review => SchemaKind::Review,
        Schema::Config => SchemaKind::Config,
    };
    output::write(&patchgate_report::schema(kind), None)?;

    Ok(Exit::Clean)
}
