//! `patchgate fix`: plans the smallest upgrades that end the findings, shows or applies them.

use std::collections::BTreeSet;
use std::time::Duration;

use patchgate_config::Config;
use patchgate_model::{Finding, Plan, Problem};
use patchgate_package_managers::RunOptions;

use crate::args::{OutputArgs, RepositoryArgs, SourceArgs, ThresholdArgs};
use crate::context::Context;
use crate::exit::Exit;
use crate::fix::{self, Fixed, Workshop};
use crate::progress::Progress;
use crate::source::AdvisorySource;
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
    let is_ignored = |finding: &Finding| is_ignored(&config, context, finding);
    let client = network::client(context, args.source.offline)?;
    let workshop = Workshop {
        contents: &contents,
        root: repository.root(),
        source: &source,
        client: &client,
        run: RunOptions {
            offline: args.source.offline,
            timeout: Duration::from_secs(args.manager_timeout),
        },
        is_ignored: &is_ignored,
        tell: &|what| progress.say(what),
    };
    let fixed = fix::plan(&workshop).await;
    drop(progress);

    let mut problems: Vec<Problem> = scanned.problems.clone();
    problems.extend(fixed.problems.iter().cloned());
    problems.sort();
    problems.dedup();
    let remaining = remaining(&scanned.findings, &fixed.plan);
    let threshold = scan::threshold(&args.threshold, &config);
    let exit = scan::exit(remaining, &problems, threshold, &contents.inventory);
    if args.apply {
        fix::apply::apply(repository.root(), &fixed.plan.changes)?;
    }
    output::write(
        &text(&fixed, &problems, args.apply),
        args.output.output.as_deref(),
    )?;
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

fn text(fixed: &Fixed, problems: &[Problem], applied: bool) -> String {
    let mut text = String::new();
    for upgrade in &fixed.plan.upgrades {
        text.push_str(&format!(
            "{} {}: {} {} -> {}",
            if applied { "changed" } else { "would change" },
            upgrade.lockfile,
            upgrade.package,
            upgrade.from,
            upgrade.to
        ));
        if !upgrade.fixes.is_empty() {
            text.push_str(&format!(" ends {}", upgrade.fixes.join(", ")));
        }
        if let Some(other) = &upgrade.because_of {
            text.push_str(&format!(" so that {other} can move"));
        }
        for change in &upgrade.requirement_changes {
            text.push_str(&format!("\n  {change}"));
        }
        text.push('\n');
    }
    for unfixed in &fixed.plan.unfixed {
        text.push_str(&format!(
            "left {}: {} {} ({}): {}\n",
            unfixed.lockfile,
            unfixed.package,
            unfixed.version,
            unfixed.ids.join(", "),
            unfixed.reason
        ));
    }
    for problem in problems {
        text.push_str(&format!(
            "incomplete {}: {}\n",
            problem.subject, problem.reason
        ));
        if let Some(hint) = &problem.hint {
            text.push_str(&format!("  {hint}\n"));
        }
    }
    for note in &fixed.notes {
        text.push_str(&format!("note: {note}\n"));
    }
    for change in &fixed.plan.changes {
        text.push_str(&patchgate_upgrade::unified_diff(change));
    }
    text
}
