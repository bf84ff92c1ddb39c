//! `patchgate train`: the models of `patchgate-estimate`, from records with known answers.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use jiff::civil::Date;
use patchgate_advisories::{parse_record, read_texts};
use patchgate_estimate::{Example, SeverityModel, WeaknessModel};
use serde::Deserialize;

use crate::context::Context;
use crate::exit::Exit;
use crate::output;
use crate::progress::Progress;

/// The day from which the records are kept for the test.
const SPLIT: &str = "2024-07-01";

/// Flags of `patchgate train`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Train the model that estimates a severity where the records state none
    Severity(ModelArgs),
    /// Train the model that estimates a weakness (CWE) where the records state none
    Weakness(ModelArgs),
}

#[derive(Debug, clap::Args)]
struct ModelArgs {
    /// Records to learn from (repeatable): OSV records in a file, a zip archive or a directory, or the
    /// reduced Vulnrichment data, one record a line
    #[arg(long, value_name = "PATH", required = true)]
    input: Vec<PathBuf>,

    /// File for the model
    #[arg(long, value_name = "FILE")]
    output: PathBuf,

    /// Train on the records that were published before this day, and test on the others
    #[arg(long, value_name = "DATE", default_value = SPLIT)]
    split: Date,

    /// Also write a model card, as Markdown: data, date, split, figures, limits
    #[arg(long, value_name = "FILE")]
    card: Option<PathBuf>,
}

pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    match &args.command {
        Command::Severity(args) => severity(args, context),
        Command::Weakness(args) => weakness(args, context),
    }
}

fn severity(args: &ModelArgs, context: &Context) -> anyhow::Result<Exit> {
    let progress = Progress::start(context.terminal.progress, "reading records");
    let (examples, inputs) = read(&args.input)?;
    progress.say("training".to_owned());
    let trained = SeverityModel::train(examples, args.split);
    progress.finish();

    let bytes = trained.model.to_bytes()?;
    output::write_file(&args.output, &bytes)?;
    if let Some(card) = &args.card {
        output::write_file(card, trained.card(&inputs, bytes.len()).as_bytes())?;
    }
    output::write(&trained.table(), None)?;
    Ok(Exit::Clean)
}

fn weakness(args: &ModelArgs, context: &Context) -> anyhow::Result<Exit> {
    let progress = Progress::start(context.terminal.progress, "reading records");
    let (examples, inputs) = read(&args.input)?;
    progress.say("training".to_owned());
    let trained = WeaknessModel::train(examples, args.split);
    progress.finish();

    let bytes = trained.model.to_bytes()?;
    output::write_file(&args.output, &bytes)?;
    if let Some(card) = &args.card {
        output::write_file(card, trained.card(&inputs, bytes.len()).as_bytes())?;
    }
    output::write(&trained.table(), None)?;
    Ok(Exit::Clean)
}

/// Reads the examples of all inputs, and describes each input in a line.
fn read(paths: &[PathBuf]) -> anyhow::Result<(Vec<Example>, Vec<String>)> {
    let mut examples = Vec::new();
    let mut inputs = Vec::new();
    for path in paths {
        let before = examples.len();
        let texts = read_texts(path, &mut |text| {
            examples.extend(example(text)?);
            Ok(())
        });
        let texts = texts.context("the records cannot be read")?;
        let used = examples.len() - before;
        anyhow::ensure!(used > 0, "`{}` contains no record", path.display());
        inputs.push(format!("`{}`: {texts} texts, {used} records", name(path)));
    }
    Ok((examples, inputs))
}

/// The example of one text, which is a line of the Vulnrichment data or an OSV record. Feeds and other
/// texts that may be next to records are none.
fn example(text: &[u8]) -> Result<Option<Example>, Box<dyn std::error::Error + Send + Sync>> {
    #[derive(Deserialize)]
    struct Probe {
        cve: Option<serde::de::IgnoredAny>,
        id: Option<serde::de::IgnoredAny>,
        vulnerabilities: Option<serde::de::IgnoredAny>,
    }

    let probe: Probe = serde_json::from_slice(text)?;
    Ok(match probe {
        Probe { id: Some(_), .. } => Example::of_record(&parse_record(text)?),
        Probe {
            vulnerabilities: Some(_),
            cve: None,
            ..
        } => None,
        _ => Some(Example::of_line(text)?),
    })
}

/// The last two parts of a path, which name an input without the machine's directories.
fn name(path: &Path) -> String {
    let parts: Vec<_> = path.components().rev().take(2).collect();
    let parts: Vec<String> = parts
        .into_iter()
        .rev()
        .map(|part| part.as_os_str().to_string_lossy().into_owned())
        .collect();
    parts.join("/")
}
