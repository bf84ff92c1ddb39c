//! The `patchgate` command: flags, wiring, exit codes.
//!
//! Each command is a module of [`commands`]; the other modules are shared by several commands. The
//! rules (how a lockfile is read, when a version is affected, which change may be merged) are not
//! here but in the crates that this one connects.

mod args;
mod commands;
mod context;
mod exit;
mod forge;
mod ledger;
mod output;
mod progress;
mod report_files;
mod runner;
mod terminal;
mod verdict;

use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::context::Context;
use crate::exit::Exit;
use crate::terminal::{Color, Terminal};
use patchgate_model::UserError;

/// Finds known vulnerabilities in dependencies, ranks them by real risk, fixes them by the
/// smallest safe change and judges the pull request.
#[derive(Debug, Parser)]
#[command(name = "patchgate", version, after_help = Exit::table(), max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,

    /// When to use color
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        value_enum
    )]
    color: Color,

    /// Do not show progress
    #[arg(long, short, global = true)]
    quiet: bool,

    /// Log to standard error; repeat for more detail, as in `-vv`
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Find known vulnerabilities in the lockfiles of a repository
    Scan(commands::scan::Args),
    /// List every package that a repository depends on, as a table, a graph or an SBOM
    Inventory(commands::inventory::Args),
    /// Find the smallest upgrades that fix the findings, and show or apply them
    Fix(commands::fix::Args),
    /// Open, update or close the pull request with the fixes
    Pr(commands::pr::Args),
    /// Compare a pull request with its base, and comment on what it brings
    Review(commands::review::Args),
    /// Keep an issue with what is open, held, overdue and without a fix
    Dashboard(commands::dashboard::Args),
    /// Carry out the `/patchgate` commands in comments of people who may write
    Respond(commands::respond::Args),
    /// Judge a pull request: merge, review or block
    Gate(commands::gate::Args),
    /// Test the rules of a policy, or list the fields of their conditions
    Policy(commands::policy::Args),
    /// Create, check and show the ledger of decisions
    Audit(commands::audit::Args),
    /// Look up the vulnerabilities of packages, by package URL or by name and version
    Query(commands::query::Args),
    /// Show an advisory, and why packages are affected by it or not
    Explain(commands::explain::Args),
    /// Compare two versions by the rules of their ecosystem
    CompareVersions(commands::compare_versions::Args),
    /// Compute the scores of CVSS vectors, as one JSON object a line
    Cvss(commands::cvss::Args),
    /// Train the models that estimate what records do not state
    Train(commands::train::Args),
    /// Build, update or inspect the offline advisory store
    Db(commands::db::Args),
    /// Write a commented .patchgate.yml and the workflow file
    Init(commands::init::Args),
    /// List the lockfiles, manifests and SBOMs that are read
    Formats(commands::formats::Args),
    /// Print the JSON Schema of a report or of .patchgate.yml
    Schema(commands::schema::Args),
    /// Run a command with the inputs of the GitHub Action as its flags
    Action(commands::action::Args),
}

fn main() -> ExitCode {
    keep_freed_memory();
    let parsed = command_line()
        .try_get_matches()
        .and_then(|matches| Cli::from_arg_matches(&matches));
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are answers and go to standard output; the rest is wrong usage.
            let exit = if error.use_stderr() {
                Exit::Usage
            } else {
                Exit::Clean
            };
            let _ = error.print();
            return exit.into();
        }
    };
    log_to_stderr(cli.verbose);

    let mut context = Context::new(Terminal::detect(cli.color, cli.quiet));
    if matches!(cli.command, Command::Action(_)) {
        context = commands::action::on_runner(context);
    }
    match run(cli.command, &context) {
        Ok(exit) => exit.into(),
        Err(error) => report(&error).into(),
    }
}

/// Raises glibc's mmap threshold, so that freed blocks above 128 KiB are reused.
///
/// By default every such block is mapped and unmapped, and each reuse costs a page fault for every
/// 4 KiB: 2,000 of them in a scan of 10,000 packages. Freeing one large block raises the threshold
/// for the rest of the run ("dynamic mmap threshold" in mallopt(3)). The block is never written to,
/// so it takes no memory. Other allocators are not affected.
fn keep_freed_memory() {
    // The threshold rises to 32 MiB at most; glibc adds its header and rounds up to pages.
    const LARGEST: usize = 32 * 1024 * 1024 - 64 * 1024;
    let mut value = Vec::<u8>::new();
    // With so little memory left, the default threshold is good enough.
    let _ = value.try_reserve_exact(LARGEST);
    drop(std::hint::black_box(value));
}

/// The command line. An empty environment variable of a flag counts as absent, because CI runners
/// set many of them that way.
fn command_line() -> clap::Command {
    fn without_empty_variables(command: clap::Command) -> clap::Command {
        command
            .mut_args(|argument| {
                let empty = argument
                    .get_env()
                    .and_then(std::env::var_os)
                    .is_some_and(|value| value.is_empty());
                if empty {
                    argument.env(None::<&str>)
                } else {
                    argument
                }
            })
            .mut_subcommands(without_empty_variables)
    }

    without_empty_variables(Cli::command())
}

fn run(command: Command, context: &Context) -> anyhow::Result<Exit> {
    // Makes the current thread a member of the pool: handing a small scan to other threads costs
    // more than the scan, and where no other thread can be started, a separate pool would have no
    // thread to run the work.
    let _ = rayon::ThreadPoolBuilder::new()
        .use_current_thread()
        .build_global();
    // One thread: the work is either waiting for servers or done in threads of its own, and a
    // scan from a store should not pay for a pool that it never uses.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;

    runtime.block_on(dispatch(command, context))
}

async fn dispatch(command: Command, context: &Context) -> anyhow::Result<Exit> {
    match command {
        Command::Scan(args) => commands::scan::run(&args, context).await,
        Command::Inventory(args) => commands::inventory::run(&args, context).await,
        Command::Explain(args) => commands::explain::run(&args, context).await,
        Command::Query(args) => commands::query::run(&args, context).await,
        Command::CompareVersions(args) => commands::compare_versions::run(&args),
        Command::Cvss(args) => commands::cvss::run(&args),
        Command::Train(args) => commands::train::run(&args, context),
        Command::Fix(args) => commands::fix::run(&args, context).await,
        Command::Pr(args) => commands::pr::run(&args, context).await,
        Command::Review(args) => commands::review::run(&args, context).await,
        Command::Dashboard(args) => commands::dashboard::run(&args, context).await,
        Command::Respond(args) => commands::respond::run(&args, context).await,
        Command::Gate(args) => commands::gate::run(&args, context).await,
        Command::Policy(args) => commands::policy::run(&args),
        Command::Audit(args) => commands::audit::run(&args, context),
        Command::Db(args) => commands::db::run(&args, context).await,
        Command::Init(args) => commands::init::run(&args),
        Command::Formats(args) => commands::formats::run(&args, context),
        Command::Schema(args) => commands::schema::run(&args),
        Command::Action(args) => {
            let command = commands::action::command(&args)?;
            Box::pin(dispatch(command, context)).await
        }
    }
}

/// Prints an error with its causes and its hint, and returns the exit code.
fn report(error: &anyhow::Error) -> Exit {
    use std::io::Write as _;

    let mut stderr = anstream::stderr().lock();
    let _ = writeln!(stderr, "error: {error:#}");

    let user_error = error.downcast_ref::<UserError>();
    if let Some(hint) = user_error.and_then(UserError::hint) {
        let _ = writeln!(stderr, "hint: {hint}");
    }

    if user_error.is_some_and(UserError::is_usage) {
        Exit::Usage
    } else {
        Exit::Incomplete
    }
}

/// Sends log messages to standard error: none by default, more with each `-v`.
fn log_to_stderr(verbose: u8) {
    let level = match verbose {
        0 => return,
        1 => tracing_subscriber::filter::LevelFilter::INFO,
        2 => tracing_subscriber::filter::LevelFilter::DEBUG,
        _ => tracing_subscriber::filter::LevelFilter::TRACE,
    };
    let filter = tracing_subscriber::filter::Targets::new().with_target("patchgate", level);

    use tracing_subscriber::layer::SubscriberExt as _;
    use tracing_subscriber::util::SubscriberInitExt as _;

    let _ = tracing_subscriber::registry()
        .with(filter)
        .with(
            tracing_subscriber::fmt::layer()
                .with_writer(std::io::stderr)
                .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
                .with_target(false)
                .without_time(),
        )
        .try_init();
}
