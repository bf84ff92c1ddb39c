//! `patchgate pr`: opens, updates or closes the pull request with the fixes.

use std::path::{Path, PathBuf};

use patchgate_config::Config;
use patchgate_fix::FixOutcome;
use patchgate_forge::git::{CommitIdentity, Head, NewCommit, PatchgateBranch};
use patchgate_forge::git::{GitError, commit_files, current_head};
use patchgate_forge::publish::{PublishOutcome, Publisher};
use patchgate_forge::pull_request::{CloseReason, DesiredState, Proposal};
use patchgate_forge::{Forge as _, ForgeKind, TokenIdentity};
use patchgate_inventory::Inputs;
use patchgate_model::{Plan, PlanBlock, Problem, UserError, error_chain};
use patchgate_proof::{PlanStatement, SigningKey, render_block};
use patchgate_report::{
    GITHUB_BODY_LIMIT, GITHUB_SUMMARY_LIMIT, PrAction, PrInput, PrReport, PullRequestInput,
    PullRequestReport, ScanReport, pull_request_body, pull_request_title,
};
use patchgate_scan::{ScanRequest, SourceOptions, VexOptions};

use crate::args::{
    ForgeArgs, InputArgs, OutputArgs, PlanArgs, RepositoryArgs, SourceArgs, ThresholdArgs, VexArgs,
};
use crate::context::Context;
use crate::exit::Exit;
use crate::forge::{OpenForge, failed};
use crate::progress::Progress;
use crate::verdict::FailureRule;
use crate::{output, verdict};

/// Flags of `patchgate pr`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    repository: RepositoryArgs,

    /// Base branch of the pull request [default: the repository's default branch]
    #[arg(long, value_name = "BRANCH")]
    base: Option<String>,

    /// Label that the pull request gets (repeatable)
    #[arg(long, value_name = "LABEL")]
    label: Vec<String>,

    /// Author of the commit [default: the account of the token]
    #[arg(long, value_name = "NAME <EMAIL>")]
    commit_author: Option<String>,

    /// PEM file with the ed25519 key that signs the plan [default: the variable PATCHGATE_PLAN_KEY]
    #[arg(long, value_name = "FILE")]
    plan_key: Option<PathBuf>,

    #[command(flatten)]
    plan: PlanArgs,

    #[command(flatten)]
    forge: ForgeArgs,
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    vex: VexArgs,
    #[command(flatten)]
    threshold: ThresholdArgs,
    #[command(flatten)]
    output: OutputArgs,

    /// Format of the report
    #[arg(long, value_enum, default_value = "text", help_heading = "Output")]
    format: Format,
}

/// Format of the report about pull requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// Text for a person
    Text,
    /// One JSON object; `patchgate schema pr` prints its schema
    Json,
}

/// The account under which a workflow's own token acts, with the address by which GitHub knows it
/// (<https://github.com/actions/checkout#push-a-commit-using-the-built-in-token>).
const WORKFLOW_ACCOUNT: (&str, &str) = (
    "github-actions[bot]",
    "41898282+github-actions[bot]@users.noreply.github.com",
);

/// The variable with the key that signs plans.
const PLAN_KEY: &str = "PATCHGATE_PLAN_KEY";
/// Largest key file that is read, in bytes.
const MAX_KEY_BYTES: u64 = 4096;

/// The warning of a pull request that was opened with a workflow's own token.
const NO_WORKFLOWS: &str = "This was made with an installation token inside a workflow. If it is the workflow's own `GITHUB_TOKEN`, no workflow runs on this pull request, and the gate waits for checks that never come: use the token of an app, or close and reopen the pull request by hand.";

pub(crate) async fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    if args.source.offline {
        return Err(UserError::usage("`patchgate pr` needs the network")
            .with_hint("`patchgate fix --offline` shows the fix without it")
            .into());
    }

    let (inputs, config) = args.repository.open(&InputArgs::default())?;
    let root = inputs.root();
    let forge = OpenForge::open(&args.forge, root, context).await?;
    let target = forge.push_target()?;
    let progress = Progress::start(context.terminal.progress, "asking the forge")
        .within(args.plan.time_limit());
    let (base, head) = base_and_head(args, &forge, root).await?;

    // Before the planning, which takes minutes and would be for nothing.
    let account = forge.api.identity().await.map_err(|error| failed(&error))?;
    let identity = identity(args, &forge, account.as_ref(), context)?;
    let key = plan_key(args, context)?;
    let run = Run {
        args,
        key: key.as_ref(),
        identity: &identity,
        context,
        config: &config,
        head: &head,
    };
    let made = run.plan(&inputs, &progress).await?;

    progress.say("preparing the commit");
    let carried = if made.plan.is_empty() {
        None
    } else {
        Some(run.carry(&forge, &made, root).await?)
    };
    let wanted = match &carried {
        Some((proposal, _)) => DesiredState::Proposal(proposal.clone()),
        None => made.nothing_to_propose(),
    };

    progress.say("bringing the pull request up to date");
    let publisher = Publisher {
        forge: &forge.api,
        identity: account.as_ref(),
        http: &forge.http,
        target: &target,
        base: &base,
        labels: &args.label,
    };
    let done = publisher
        .publish(&wanted, carried.as_ref().map(|(_, commit)| commit))
        .await
        .map_err(|error| {
            UserError::failure(error_chain(&error)).with_optional_hint(error.hint())
        })?;

    drop(progress);
    let pull_requests: Vec<PullRequestReport> = done.into_iter().map(pull_request_report).collect();

    // The report.
    let mut warnings = made.notes.clone();
    if !pull_requests.is_empty() && forge.has_workflow_token(context) {
        warnings.push(NO_WORKFLOWS.to_owned());
    }

    let report = PrReport::new(&PrInput {
        plan: &made.plan,
        scan: &made.scan,
        pull_requests: &pull_requests,
        carried: carried
            .as_ref()
            .map(|(proposal, _)| (proposal.branch.name(), proposal.commit.as_str())),
        none_because: match &wanted {
            DesiredState::Unknown { reason } => reason,
            DesiredState::Proposal(_) | DesiredState::Nothing => "none is needed",
        },
        warnings: &warnings,
        exit_code: made.exit.code(),
    });
    let text = match args.format {
        Format::Text => report.to_text(),
        Format::Json => report.to_json(),
    };
    output::write(&text, args.output.output.as_deref())?;
    report_to_runner(context, &report, &made.scan)?;

    Ok(made.exit)
}

/// The branch that the pull request is for, and the commit that it starts from, which must be the
/// branch's tip: a fix is planned from the base branch's own content and from nothing else.
async fn base_and_head(
    args: &Args,
    forge: &OpenForge,
    root: &Path,
) -> anyhow::Result<(String, Head)> {
    let base = match &args.base {
        Some(base) => base.clone(),
        None => forge
            .api
            .default_branch()
            .await
            .map_err(|error| failed(&error))?,
    };
    let tip = forge
        .api
        .branch_tip(&base)
        .await
        .map_err(|error| failed(&error))?
        .ok_or_else(|| UserError::usage(format!("the repository has no branch `{base}`")))?;
    let head = current_head(root)
        .await
        .map_err(|error| git_failed(&error))?;
    if head.commit != tip {
        return Err(UserError::usage(format!(
            "the clone is at `{}`, and `{base}` is at `{tip}`",
            head.commit
        ))
        .with_hint(format!("check out the tip of `{base}` and run it again"))
        .into());
    }

    Ok((base, head))
}

/// The inputs of one run.
struct Run<'a> {
    args: &'a Args,
    context: &'a Context,
    config: &'a Config,
    head: &'a Head,
    /// The author of the commit.
    identity: &'a CommitIdentity,
    /// The key that signs the plan.
    key: Option<&'a SigningKey>,
}

/// A plan, with the scan that it is based on.
struct Made {
    /// The plan, with paths from the clone's root.
    plan: Plan,
    scan: ScanReport,
    problems: Vec<Problem>,
    /// Notes about side effects, for the user.
    notes: Vec<String>,
    /// Whether findings are left that a fix would be made for.
    is_vulnerable: bool,
    has_lockfiles: bool,
    exit: Exit,
}

impl Made {
    /// The consequence of an empty plan for pull requests that are open.
    fn nothing_to_propose(&self) -> DesiredState {
        let unknown = |reason: &str| DesiredState::Unknown {
            reason: reason.to_owned(),
        };
        if !self.problems.is_empty() {
            unknown("the scan is incomplete, so its fixes may still be needed")
        } else if !self.has_lockfiles {
            unknown("no lockfile was found, so its fixes may still be needed")
        } else if self.is_vulnerable {
            unknown("findings are left that cannot be fixed now")
        } else {
            DesiredState::Nothing
        }
    }
}

impl Run<'_> {
    async fn plan(&self, inputs: &Inputs, progress: &Progress) -> anyhow::Result<Made> {
        let mut options = self.args.plan.options(&self.config.fix);
        options.workflows = false;
        let request = ScanRequest {
            inputs,
            config: self.config,
            source: &SourceOptions::from(&self.args.source),
            vex: &VexOptions::from(&self.args.vex),
            reachability: false,
            threshold: self.rule().threshold,
            keep_files: true,
            progress: &|text| progress.say(text),
        };
        let fixed = patchgate_fix::fix(&request, &options, &self.context.environment).await?;

        Ok(self.made(fixed))
    }

    fn rule(&self) -> FailureRule {
        FailureRule::new(&self.args.threshold, self.config)
    }

    fn made(&self, fixed: FixOutcome) -> Made {
        let rule = self.rule();
        let kept = &fixed.scan.findings.kept;
        let inventory = &fixed.scan.contents.inventory;
        let exit = verdict::exit(kept, fixed.fixable(), &fixed.problems, &rule, inventory);

        Made {
            scan: verdict::scan_report(&fixed.scan, &fixed.problems, &rule, exit, self.context),
            is_vulnerable: kept.iter().any(|finding| finding.informational.is_none()),
            has_lockfiles: !inventory.lockfiles.is_empty(),
            plan: from_root(fixed.plan, &self.head.prefix),
            problems: fixed.problems,
            notes: fixed.notes,
            exit,
        }
    }

    /// The commit that carries the plan, and the pull request that it should have.
    async fn carry(
        &self,
        forge: &OpenForge,
        made: &Made,
        root: &Path,
    ) -> anyhow::Result<(Proposal, NewCommit)> {
        let title = pull_request_title(&made.plan);
        let commit = commit_files(
            root,
            &self.head.commit,
            &made.plan.changes,
            self.identity,
            &format!("{title}\n"),
        )
        .await
        .map_err(|error| git_failed(&error))?;
        let block = PlanBlock::new(&made.plan, &self.head.commit, &commit.id).render();
        let block = match self.key {
            Some(key) => format!("{block}\n{}", proof(&made.plan, &commit, key)),
            None => block,
        };
        let body = pull_request_body(&PullRequestInput {
            plan: &made.plan,
            scan: &made.scan,
            block: &block,
        });
        let proposal = Proposal {
            branch: PatchgateBranch::for_decision(&made.plan.decision_digest()),
            commit: commit.id.clone(),
            title,
            body: self.with_warning(forge, body),
            is_complete: made.problems.is_empty(),
        };

        Ok((proposal, commit))
    }

    fn with_warning(&self, forge: &OpenForge, body: String) -> String {
        // Below the first sentence, which introduces the pull request.
        let note = format!("\n\n> [!NOTE]\n> {NO_WORKFLOWS}\n\n");
        let warned = body.replacen("\n\n", &note, 1);
        if forge.has_workflow_token(self.context) && warned.len() <= GITHUB_BODY_LIMIT {
            warned
        } else {
            body
        }
    }
}

/// The signed statement that the commit contains the plan, as a block of the body.
fn proof(plan: &Plan, commit: &NewCommit, key: &SigningKey) -> String {
    let changes = plan.changes.iter();
    let files = changes.map(|change| (change.path.as_str(), change.after.as_slice()));
    render_block(&PlanStatement::new(&commit.base, &commit.tree, files).sign(key))
}

/// The key that signs the plan; `None` when none is given.
fn plan_key(args: &Args, context: &Context) -> Result<Option<SigningKey>, UserError> {
    let (name, text) = match (&args.plan_key, context.environment.variable(PLAN_KEY)) {
        (Some(path), _) => {
            let failed = |reason: String| {
                UserError::usage(format!(
                    "the key `{}` cannot be read: {reason}",
                    path.display()
                ))
            };
            let bytes = std::fs::File::open(path)
                .and_then(|file| patchgate_fs::read_up_to(file, MAX_KEY_BYTES))
                .map_err(|error| failed(error.to_string()))?
                .ok_or_else(|| failed(format!("it is larger than {MAX_KEY_BYTES} bytes")))?;
            let text =
                String::from_utf8(bytes).map_err(|_| failed("it is not UTF-8".to_owned()))?;
            (path.display().to_string(), text)
        }
        (None, Some(text)) => (PLAN_KEY.to_owned(), text.to_owned()),
        (None, None) => return Ok(None),
    };
    SigningKey::from_pem(&text)
        .map(Some)
        .map_err(|error| UserError::usage(format!("the key in `{name}` cannot be used: {error}")))
}

/// The author of the commit: the flag, else the token's account, which the gate recognises.
fn identity(
    args: &Args,
    forge: &OpenForge,
    account: Option<&TokenIdentity>,
    context: &Context,
) -> anyhow::Result<CommitIdentity> {
    let bad = |error: String| UserError::usage(error).with_hint("give it as `NAME <EMAIL>`");
    if let Some(author) = &args.commit_author {
        let (name, email) = author
            .trim()
            .strip_suffix('>')
            .and_then(|author| author.split_once('<'))
            .ok_or_else(|| bad(format!("`{author}` is not an author")))?;
        return Ok(CommitIdentity::new(name.trim(), email.trim())
            .map_err(|error| bad(error.to_string()))?);
    }

    let is_workflow = forge.kind == ForgeKind::GitHub
        && context.environment.variable("GITHUB_ACTIONS") == Some("true");
    let (name, email) = match account {
        Some(account) => (account.login.as_str(), account.email.as_str()),
        None if is_workflow => WORKFLOW_ACCOUNT,
        None => {
            return Err(
                UserError::usage("the forge does not say whose token this is")
                    .with_hint("give `--commit-author \"NAME <EMAIL>\"`")
                    .into(),
            );
        }
    };

    CommitIdentity::new(name, email).map_err(|error| bad(error.to_string()).into())
}

/// The plan with paths relative to the clone's root, when only a directory of it was scanned.
pub(super) fn from_root(mut plan: Plan, prefix: &str) -> Plan {
    for change in &mut plan.changes {
        change.path.insert_str(0, prefix);
    }
    for upgrade in &mut plan.upgrades {
        upgrade.lockfile.insert_str(0, prefix);
    }
    for unfixed in &mut plan.unfixed {
        unfixed.lockfile.insert_str(0, prefix);
    }
    for evidence in &mut plan.evidence {
        evidence.lockfile.insert_str(0, prefix);
    }
    for entry in &mut plan.entries {
        entry.lockfile.insert_str(0, prefix);
    }

    plan
}

fn git_failed(error: &GitError) -> UserError {
    UserError::failure(error_chain(error)).with_optional_hint(error.hint().map(str::to_owned))
}

fn pull_request_report(done: PublishOutcome) -> PullRequestReport {
    let (number, url, action, reason) = match done {
        PublishOutcome::Unchanged { number, url } => (number, url, PrAction::Unchanged, None),
        PublishOutcome::Opened { number, url } => (number, url, PrAction::Opened, None),
        PublishOutcome::Updated { number, url } => (number, url, PrAction::Updated, None),
        PublishOutcome::Closed {
            number,
            url,
            because,
            branch_left,
        } => {
            let why = match because {
                CloseReason::Superseded => "superseded",
                CloseReason::Resolved => "nothing is left to fix",
            };
            let left = branch_left
                .map(|reason| format!("; its branch is left: {reason}"))
                .unwrap_or_default();
            (number, url, PrAction::Closed, Some(format!("{why}{left}")))
        }
        PublishOutcome::BranchDeleted { number, url } => (
            number,
            url,
            PrAction::Closed,
            Some("an earlier run closed it, and its branch is deleted now".to_owned()),
        ),
        PublishOutcome::Left {
            number,
            url,
            because,
        } => (number, url, PrAction::Left, Some(because.to_string())),
    };

    PullRequestReport {
        number,
        url,
        action,
        reason,
    }
}

/// The step's outputs and the job summary.
fn report_to_runner(context: &Context, report: &PrReport, scan: &ScanReport) -> anyhow::Result<()> {
    let runner = &context.runner;
    if !runner.is_there() {
        return Ok(());
    }

    let number = report.pull_request.as_ref().map(|pull| pull.number);
    runner.output(
        "pull-request",
        &number.map_or_else(String::new, |number| number.to_string()),
    )?;
    verdict::write_outputs(runner, scan)?;
    runner.summary(&report.to_markdown(GITHUB_SUMMARY_LIMIT / 2))?;

    runner.summary(&scan.to_markdown(GITHUB_SUMMARY_LIMIT / 2))
}
