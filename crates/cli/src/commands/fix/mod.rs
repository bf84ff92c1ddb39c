//! `patchgate fix`: plans the smallest upgrades that fix the findings, and shows, saves or applies
//! them.

mod interactive;

use std::collections::BTreeSet;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use patchgate_fix::{FixOptions, FixOutcome};
use patchgate_forge::git::{current_head, uncommitted};
use patchgate_model::{Plan, PlanDigest, UserError, error_chain};
use patchgate_report::{FixInput, FixReport, GITHUB_SUMMARY_LIMIT, patch, unified_diff};
use patchgate_scan::{ScanRequest, SourceOptions, VexOptions};

use crate::args::{
    InputArgs, OutputArgs, PlanArgs, RepositoryArgs, SourceArgs, ThresholdArgs, VexArgs,
};
use crate::context::Context;
use crate::exit::Exit;
use crate::progress::Progress;
use crate::terminal::Terminal;
use crate::verdict::FailureRule;
use crate::{output, verdict};

/// Flags of `patchgate fix`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    repository: RepositoryArgs,

    /// Show the plan without changing a file (the default)
    #[arg(long, conflicts_with_all = ["apply", "interactive"])]
    dry_run: bool,

    /// Write the changed files to the repository, all or none
    #[arg(long)]
    apply: bool,

    /// Choose the steps on the terminal, look at their diffs, and apply them
    #[arg(long, short, conflicts_with = "apply")]
    interactive: bool,

    /// Write files that have uncommitted changes
    #[arg(long)]
    allow_dirty: bool,

    #[command(flatten)]
    plan: PlanArgs,

    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    vex: VexArgs,
    #[command(flatten)]
    threshold: ThresholdArgs,
    #[command(flatten)]
    output: OutputArgs,

    /// Show the diff of every changed file after the plan
    #[arg(long, help_heading = "Output")]
    diff: bool,

    /// Write the change as one patch for `git apply`; `-` for standard output, the report then goes to
    /// standard error
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    patch: Option<PathBuf>,

    /// Write the digest of the plan's files to a file, for the gate's proof of a pull request. Workflows
    /// are then left out of the plan, as in `patchgate pr`
    #[arg(long, value_name = "FILE", help_heading = "Output", conflicts_with_all = ["apply", "interactive"])]
    plan_digest: Option<PathBuf>,

    /// Format of the report
    #[arg(long, value_enum, default_value = "table", help_heading = "Output")]
    format: Format,
}

/// Format of a fix's report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// Text for a person
    Table,
    /// One JSON object, with the diff; `patchgate schema fix` prints its schema
    Json,
}

pub(crate) async fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    if args.interactive && !has_terminal() {
        return Err(UserError::usage("`--interactive` needs a terminal")
            .with_hint("`--max-steps` and `--only` choose what to fix without one")
            .into());
    }

    let (inputs, config) = args.repository.open(&InputArgs::default())?;
    let mut options = args.plan.options(&config.fix);
    options.workflows &= args.plan_digest.is_none();
    if args.apply || args.interactive {
        patchgate_fix::check_writable(inputs.root())?;
    }

    // The plan.
    let progress = args.progress(context, "reading lockfiles");
    let rule = FailureRule::new(&args.threshold, &config);
    let request = ScanRequest {
        inputs: &inputs,
        config: &config,
        source: &SourceOptions::from(&args.source),
        vex: &VexOptions::from(&args.vex),
        reachability: false,
        threshold: rule.threshold.clone(),
        keep_files: true,
        progress: &|text| progress.say(text),
    };
    let fixed = patchgate_fix::fix(&request, &options, &context.environment).await?;
    progress.finish();

    // The choice.
    let (fixed, apply) = if args.interactive {
        let chooser = Chooser {
            args,
            context,
            request: &request,
        };
        chooser.choose(fixed).await?
    } else {
        (fixed, args.apply)
    };

    // The change.
    if let Some(file) = &args.patch {
        write_patch(&fixed.plan, file)?;
    }
    if let Some(file) = &args.plan_digest {
        write_digest(inputs.root(), &fixed.plan, file).await?;
    }
    if apply {
        if !args.allow_dirty {
            refuse_uncommitted(inputs.root(), &fixed.plan).await?;
        }
        patchgate_fix::apply(inputs.root(), &fixed.plan.changes)?;
    }

    report(args, context, &fixed, &rule, apply)
}

impl Args {
    fn progress(&self, context: &Context, message: &str) -> Progress {
        let limit = self.plan.time_limit();
        Progress::start(context.terminal.progress, message).within(limit)
    }

    /// Whether standard output is that of the patch.
    fn patch_to_stdout(&self) -> bool {
        self.patch.as_deref() == Some(Path::new("-"))
    }
}

/// Whether a person can be asked: all three streams are a terminal.
fn has_terminal() -> bool {
    std::io::stdin().is_terminal()
        && std::io::stdout().is_terminal()
        && std::io::stderr().is_terminal()
}

/// Writes the report and what the runner reads. The exit code is that of the run.
fn report(
    args: &Args,
    context: &Context,
    fixed: &FixOutcome,
    rule: &FailureRule,
    applied: bool,
) -> anyhow::Result<Exit> {
    let exit = verdict::exit(
        &fixed.scan.findings.kept,
        fixed.fixable(),
        &fixed.problems,
        rule,
        &fixed.scan.contents.inventory,
    );
    let scan = verdict::scan_report(&fixed.scan, &fixed.problems, rule, exit, context);
    let report = FixReport::new(&FixInput {
        plan: &fixed.plan,
        scan: &scan,
        applied,
        exit_code: exit.code(),
    });

    let file = args.output.output.as_deref();
    let to_stderr = file.is_none() && args.patch_to_stdout();
    let terminal = match to_stderr {
        true => Terminal::for_messages(),
        false => context.terminal.for_output(file),
    };
    let text = match args.format {
        Format::Table => report.to_text(terminal, args.diff),
        Format::Json => report.to_json(),
    };
    match to_stderr {
        true => output::say(&text),
        false => output::write(&text, file)?,
    }

    if context.runner.is_there() {
        verdict::write_outputs(&context.runner, &scan)?;
        context
            .runner
            .summary(&report.to_markdown(GITHUB_SUMMARY_LIMIT))?;
    }
    for note in &fixed.notes {
        anstream::eprintln!("note: {note}");
    }

    Ok(exit)
}

/// Writes the change as one patch.
fn write_patch(plan: &Plan, file: &Path) -> anyhow::Result<()> {
    let text = patch(&plan.changes).map_err(|error| {
        UserError::failure(format!(
            "`{}` is not text, so no patch can change it",
            error.path
        ))
    })?;
    let file = Some(file).filter(|file| *file != Path::new("-"));
    output::write(&text, file)
}

/// Writes the digest of the plan. The plan is based on a commit only when its files are those of it.
async fn write_digest(root: &Path, plan: &Plan, file: &Path) -> anyhow::Result<()> {
    refuse_uncommitted(root, plan).await?;
    let head = current_head(root).await.map_err(|error| {
        UserError::usage(format!(
            "the plan's digest needs a clone: {}",
            error_chain(&error)
        ))
    })?;
    let plan = super::pr::from_root(plan.clone(), &head.prefix);
    output::write(&PlanDigest::new(&plan, &head.commit).to_json(), Some(file))
}

/// Refuses to write files whose content no commit has.
async fn refuse_uncommitted(root: &Path, plan: &Plan) -> Result<(), UserError> {
    let hint = "commit them first, or write them with `--allow-dirty`";
    let dirty = uncommitted(root, &plan.changes).await.map_err(|error| {
        UserError::failure(format!(
            "whether files have uncommitted changes is unknown: {}",
            error_chain(&error)
        ))
        .with_hint("`--allow-dirty` writes them without asking git")
    })?;

    match dirty.as_slice() {
        [] => Ok(()),
        [one] => Err(UserError::usage(format!(
            "`{one}` has uncommitted changes; nothing was written"
        ))
        .with_hint(hint)),
        many => Err(UserError::usage(format!(
            "`{}` have uncommitted changes; nothing was written",
            many.join("`, `")
        ))
        .with_hint(hint)),
    }
}

/// The choice of steps on a terminal.
struct Chooser<'a> {
    args: &'a Args,
    context: &'a Context,
    request: &'a ScanRequest<'a>,
}

/// The reason of findings whose step a person did not choose.
const NOT_CHOSEN: &str = "its step was not chosen";

impl Chooser<'_> {
    /// Lets a person choose steps. Returns the fix with these steps, and whether to apply it.
    async fn choose(&self, fixed: FixOutcome) -> anyhow::Result<(FixOutcome, bool)> {
        let steps = interactive::describe(&fixed.plan);
        if steps.is_empty() {
            return Ok((fixed, false));
        }

        let stdin = std::io::stdin().lock();
        let chosen = interactive::choose(&steps, stdin, std::io::stdout(), async |step| {
            self.diff_of(&fixed, step).await
        });
        let Some(chosen) = chosen.await? else {
            return Ok((fixed, false));
        };
        if chosen.len() == steps.len() {
            return Ok((fixed, true));
        }

        let planned = self.plan(&fixed, &chosen).await?;
        Ok((fixed.with(planned), true))
    }

    /// The diff of one step alone.
    async fn diff_of(&self, fixed: &FixOutcome, step: usize) -> anyhow::Result<String> {
        let planned = self.plan(fixed, &BTreeSet::from([step])).await?;
        let diff: String = planned.plan.changes.iter().map(unified_diff).collect();
        let terminal = self.context.terminal.for_output(None);
        Ok(patchgate_report::shown_diff(&diff, terminal))
    }

    async fn plan(
        &self,
        fixed: &FixOutcome,
        chosen: &BTreeSet<usize>,
    ) -> anyhow::Result<patchgate_fix::PlannedFix> {
        let progress = self
            .args
            .progress(self.context, "planning the chosen steps");
        let request = ScanRequest {
            progress: &|text| progress.say(text),
            inputs: self.request.inputs,
            config: self.request.config,
            source: self.request.source,
            vex: self.request.vex,
            reachability: false,
            threshold: self.request.threshold.clone(),
            keep_files: true,
        };
        // The time that a person takes does not count.
        let options: FixOptions = self.args.plan.options(&self.request.config.fix);
        let environment = &self.context.environment;
        let planned = fixed.plan_steps(chosen, NOT_CHOSEN, &request, &options, environment);
        Ok(planned.await?)
    }
}
