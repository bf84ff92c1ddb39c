//! `patchgate db`: the offline advisory store.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use patchgate_advisories::{BuildProgress, BuildReport, Existing, Store, UpdateOptions};
use patchgate_ecosystems::ALL;
use patchgate_http::{Client, ClientOptions};
use patchgate_inventory::Repository;
use patchgate_model::{SourceStatus, UserError};
use patchgate_scan::{feed_url, open_store};

use crate::context::Context;
use crate::exit::Exit;
use crate::output;
use crate::progress::Progress;

/// Flags of `patchgate db`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Build a new store from OSV exports, the KEV catalogue and EPSS scores
    Build(BuildArgs),
    /// Fetch the newest exports and feeds into a store, or add an ecosystem to it
    Update(UpdateArgs),
    /// Show the sources of a store and their ages
    Status(StatusArgs),
    /// Read a store completely and list its damaged files
    Verify(VerifyArgs),
}

#[derive(Debug, clap::Args)]
struct BuildArgs {
    /// Archive, file or directory with records and feeds, at any depth (repeatable): OSV's
    /// `<ecosystem>/all.zip`, single records, the KEV catalogue (JSON), EPSS scores (CSV, gzipped or
    /// not)
    #[arg(long, value_name = "PATH", required = true, num_args = 1..)]
    from: Vec<PathBuf>,

    /// Directory of the store: a new or empty one, or a store that was built from the same inputs
    #[arg(long, value_name = "DIR", env = "PATCHGATE_STORE")]
    into: PathBuf,

    /// Replace a store that has other content, once the new one is complete. To add to a store, use
    /// `db update`
    #[arg(long)]
    replace: bool,
}

#[derive(Debug, clap::Args)]
struct UpdateArgs {
    /// Directory of the store, created if it does not exist; everything that is not fetched is kept
    #[arg(
        long,
        visible_alias = "store",
        value_name = "DIR",
        env = "PATCHGATE_STORE"
    )]
    into: PathBuf,

    /// OSV name of an ecosystem to fetch (repeatable); `used` means those that the repository depends
    /// on, `all` those of `patchgate formats`. The ecosystems of the store are fetched as well
    #[arg(long, value_name = "ECOSYSTEM", default_value = USED)]
    ecosystem: Vec<String>,

    /// Repository that `--ecosystem used` reads
    #[arg(long, value_name = "DIR", default_value = ".")]
    repository: PathBuf,

    /// Archive, file or directory with records of your own, in addition to the exports (repeatable);
    /// they are read completely at each update, and kept without this flag
    #[arg(long, value_name = "PATH", num_args = 1..)]
    from: Vec<PathBuf>,

    /// Address (`https:`, `file:`) or directory of OSV's exports: `<ecosystem>/all.zip`, and for
    /// updates of single records `<ecosystem>/modified_id.csv` and `<ecosystem>/<id>.json`
    #[arg(
        long,
        value_name = "URL|DIR",
        env = "PATCHGATE_OSV_EXPORTS",
        default_value = patchgate_advisories::PUBLIC_OSV_EXPORTS
    )]
    mirror: String,

    /// Address of CISA's catalogue of known exploited vulnerabilities; `none` keeps the one in the
    /// store
    #[arg(
        long,
        value_name = "URL",
        env = "PATCHGATE_KEV_URL",
        default_value = patchgate_advisories::PUBLIC_KEV
    )]
    kev_url: String,

    /// Address of the EPSS scores; `none` keeps those in the store
    #[arg(
        long,
        value_name = "URL",
        env = "PATCHGATE_EPSS_URL",
        default_value = patchgate_advisories::PUBLIC_EPSS
    )]
    epss_url: String,
}

#[derive(Debug, clap::Args)]
struct StatusArgs {
    /// Directory of the store
    #[arg(long, value_name = "DIR", env = "PATCHGATE_STORE")]
    store: PathBuf,

    /// Warn when the store's sources are older than this many days
    #[arg(long, value_name = "DAYS", default_value_t = 7)]
    max_age_days: u32,

    /// Format of the output
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
}

#[derive(Debug, clap::Args)]
struct VerifyArgs {
    /// Directory of the store
    #[arg(long, value_name = "DIR", env = "PATCHGATE_STORE")]
    store: PathBuf,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Format {
    /// Columns for people
    Table,
    /// One JSON object for scripts
    Json,
}

pub(crate) async fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    match &args.command {
        Command::Build(args) => build(args, context),
        Command::Update(args) => update(args, context).await,
        Command::Status(args) => status(args, context),
        Command::Verify(args) => verify(args),
    }
}

fn build(args: &BuildArgs, context: &Context) -> anyhow::Result<Exit> {
    let progress = Progress::start(context.terminal.progress, "reading advisories");
    let say = |now: BuildProgress<'_>| {
        progress.say(format!("{} ({} of {})", now.source, now.done, now.total));
    };
    let existing = if args.replace {
        Existing::Replace
    } else {
        Existing::Keep
    };
    let report = Store::build(&args.from, &args.into, existing, &say)
        .map_err(|error| usage(&error, error.hint()))?;
    drop(progress);
    print_report(&report, &args.into, context)
}

/// The word for the ecosystems that a repository depends on.
const USED: &str = "used";
/// The word for every ecosystem with lockfiles.
const EVERY: &str = "all";

/// Time limit for one export, which may have some hundred megabytes.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(900);

async fn update(args: &UpdateArgs, context: &Context) -> anyhow::Result<Exit> {
    let options = UpdateOptions {
        ecosystems: ecosystems(args)?,
        exports: args.mirror.clone(),
        kev: feed_url(&args.kev_url),
        epss: feed_url(&args.epss_url),
        own: args.from.clone(),
        now: context.environment.now(),
    };
    let http = Client::new(ClientOptions {
        total_timeout: EXPORT_TIMEOUT,
        ..context.environment.client_options(false)
    })?;
    let progress = Progress::start(context.terminal.progress, "fetching advisories");
    let say = |now: BuildProgress<'_>| {
        progress.say(format!("{} ({} of {})", now.source, now.done, now.total));
    };
    let report = Store::update(&args.into, &http, &options, &say)
        .await
        .map_err(|error| usage(&error, error.hint()))?;

    drop(progress);
    context.runner.output("cache-key", &report.cache_key)?;

    print_report(&report, &args.into, context)
}

/// The ecosystems to fetch, without duplicates.
fn ecosystems(args: &UpdateArgs) -> Result<Vec<String>, UserError> {
    let mut names = BTreeSet::new();
    for name in &args.ecosystem {
        match name.as_str() {
            USED => names.extend(used(&args.repository)?),
            // Ecosystems without lockfiles are operating systems, whose packages come from SBOMs.
            // Their exports are large, so they are fetched on request only.
            EVERY => names.extend(
                ALL.iter()
                    .filter(|ecosystem| ecosystem.has_advisories() && ecosystem.files().is_some())
                    .map(|ecosystem| ecosystem.name().to_string()),
            ),
            name => {
                names.insert(name.to_owned());
            }
        }
    }

    if names.is_empty() && Store::open(&args.into).is_err() {
        let reason = format!(
            "`{}` depends on no ecosystem that has advisories",
            args.repository.display()
        );
        return Err(UserError::usage(reason)
            .with_hint("name what to fetch: `--ecosystem npm`, or `--ecosystem all`"));
    }
    Ok(names.into_iter().collect())
}

/// The ecosystems of everything that a scan of the repository would look up.
fn used(repository: &Path) -> Result<Vec<String>, UserError> {
    let inventory = Repository::open(repository, &[])?.read(|_| ()).inventory;
    let queries = patchgate_advisories::queries(&inventory);
    let mut names: Vec<String> = queries
        .iter()
        .filter(|query| patchgate_ecosystems::by_name(query.ecosystem).is_some())
        .map(|query| query.ecosystem.to_string())
        .collect();
    names.dedup();

    Ok(names)
}

fn usage(error: &dyn std::error::Error, hint: Option<impl Into<String>>) -> UserError {
    let usage = UserError::usage(patchgate_model::error_chain(error));
    match hint {
        Some(hint) => usage.with_hint(hint),
        None => usage,
    }
}

/// Prints the outcome of a build or an update.
fn print_report(report: &BuildReport, into: &Path, context: &Context) -> anyhow::Result<Exit> {
    let terminal = context.terminal.for_output(None);
    let mut text = table(&report.sources, context.environment.now(), terminal);
    if let Some(format) = report.remade_from {
        text.push_str(&format!(
            "the store had format {format} of another version and was re-created\n"
        ));
    }

    text.push_str(&format!("store: {}\n", into.display()));
    text.push_str(&format!("cache key: {}\n", report.cache_key));
    if !report.unrecognised.is_empty() {
        text.push_str(&format!(
            "{} files are neither records nor feeds:\n",
            report.unrecognised.len()
        ));
        for path in report.unrecognised.iter().take(MAX_LISTED) {
            text.push_str(&format!("  {path}\n"));
        }
    }

    output::write(&text, None)?;
    if report.problems.is_empty() {
        return Ok(Exit::Clean);
    }

    for problem in &report.problems {
        eprint_line(&format!("warning: {}: {}", problem.subject, problem.reason));
    }
    if report.more_problems > 0 {
        eprint_line(&format!("warning: and {} more", report.more_problems));
    }

    Ok(Exit::Incomplete)
}

/// Limit on the unrecognised files that are listed by name.
const MAX_LISTED: usize = 20;

fn status(args: &StatusArgs, context: &Context) -> anyhow::Result<Exit> {
    let max_age = SignedDuration::from_hours(24 * i64::from(args.max_age_days));
    let store = open_store(&args.store)?.with_max_age(context.environment.now(), max_age);
    let sources = store.status();
    let text = match args.format {
        Format::Table => table(
            &sources,
            context.environment.now(),
            context.terminal.for_output(None),
        ),
        Format::Json => json(&sources, &store.cache_key(), context.environment.now())?,
    };
    output::write(&text, None)?;

    Ok(Exit::Clean)
}

/// Reads the whole store. A damaged file makes the outcome incomplete.
fn verify(args: &VerifyArgs) -> anyhow::Result<Exit> {
    let checks = Store::verify(&args.store).map_err(|error| {
        let hint = error.hint();
        usage(&error, Some(hint))
    })?;
    let mut text = String::new();

    let mut damaged = 0;
    for check in &checks {
        match &check.entries {
            Ok(entries) => text.push_str(&format!(
                "ok       {:<18} {entries:>9} entries  {}\n",
                check.source,
                check.path.display()
            )),
            Err(error) => {
                damaged += 1;
                text.push_str(&format!(
                    "damaged  {:<18} {}: {error}\n",
                    check.source,
                    check.path.display()
                ));
            }
        }
    }

    output::write(&text, None)?;
    if damaged == 0 {
        return Ok(Exit::Clean);
    }

    let verb = if damaged == 1 { "is" } else { "are" };
    eprint_line(&format!(
        "warning: {damaged} of {} files {verb} damaged",
        checks.len()
    ));
    eprint_line(
        "hint: rebuild the store with `patchgate db build --replace`, or remove it and run `patchgate db update`",
    );

    Ok(Exit::Incomplete)
}

fn table(sources: &[SourceStatus], now: Timestamp, terminal: patchgate_report::Terminal) -> String {
    let mut grid = patchgate_report::Grid::new(&["SOURCE", "RECORDS", "AGE", "FROM"], &[1, 2]);
    for source in sources {
        let records = source
            .records
            .map_or_else(|| "?".to_owned(), |records| records.to_string());
        let age = source
            .as_of
            .map(|as_of| patchgate_report::age(now.duration_since(as_of).as_secs()))
            .unwrap_or_else(|| "?".to_owned());
        grid.row([&source.name, &records, &age, &source.origin]);
    }

    // Each warning is below the row of its source.
    let mut rows = grid.lines(terminal).into_iter();
    let mut lines = rows.next().unwrap_or_default();
    for (row, source) in rows.zip(sources) {
        lines.extend(row);
        lines.extend(
            source
                .warning
                .iter()
                .map(|warning| format!("  warning: {warning}")),
        );
    }

    lines.join("\n") + "\n"
}

fn json(sources: &[SourceStatus], cache_key: &str, now: Timestamp) -> anyhow::Result<String> {
    let sources: Vec<serde_json::Value> = sources
        .iter()
        .map(|source| {
            serde_json::json!({
                "name": source.name,
                "origin": source.origin,
                "as_of": source.as_of.map(|as_of| as_of.to_string()),
                "age_seconds": source.as_of.map(|as_of| now.duration_since(as_of).as_secs()),
                "records": source.records,
                "warning": source.warning,
            })
        })
        .collect();
    let status = serde_json::json!({ "cache_key": cache_key, "sources": sources });
    let text = serde_json::to_string_pretty(&status)?;

    Ok(format!("{text}\n"))
}

fn eprint_line(text: &str) {
    use std::io::Write as _;
    let _ = writeln!(anstream::stderr().lock(), "{text}");
}
