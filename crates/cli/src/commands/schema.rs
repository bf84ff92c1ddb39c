//! `patchgate schema`: the JSON Schemas of what scripts read and of what people write.

use crate::exit::Exit;
use crate::output;

/// Flags of `patchgate schema`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Which schema
    #[arg(value_enum)]
    of: Schema,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Schema {
    /// The report of `patchgate scan --format json`
    Scan,
    /// The report of `patchgate fix --format json`
    Fix,
    /// The report of `patchgate gate --format json`
    Gate,
    /// The settings file `.patchgate.yml`
    Config,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    let schema = match args.of {
        Schema::Scan => patchgate_report::scan_schema(),
        Schema::Fix => patchgate_report::fix_schema(),
        Schema::Gate => patchgate_report::gate_schema(),
        Schema::Config => patchgate_config::config_schema(),
    };
    let text = serde_json::to_string_pretty(&schema)?;
    output::write(&format!("{text}\n"), None)?;
    Ok(Exit::Clean)
}
