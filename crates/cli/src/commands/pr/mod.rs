//! `patchgate pr`: opens, updates or closes the pull requests with the fixes.

mod author;
mod outcome;
mod recording;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use patchgate_config::Config;
use patchgate_fix::{FixOutcome, FixPart, fix_in_parts};
use patchgate_forge::Forge as _;
use patchgate_forge::git::{CommitIdentity, Head, NewCommit, PatchgateBranch};
use patchgate_forge::git::{GitError, commit_files, current_head};
use patchgate_forge::publish::Publisher;
use patchgate_forge::pull_request::{DesiredState, Limits, Proposal};
use patchgate_inventory::Inputs;
use patchgate_model::{Plan, PlanBlock, Problem, UserError, error_chain};
use patchgate_proof::{PlanStatement, SigningKey, render_block};
use patchgate_report::{
    BodyTemplate, GITHUB_SUMMARY_LIMIT, PrInput, PrReport, PullRequestInput, ScanReport,
    pull_request_body, pull_request_title,
};
use patchgate_scan::{ScanRequest, SourceOptions, VexOptions};

use crate::args::{
    ForgeArgs, InputArgs, OutputArgs, PlanArgs, RepositoryArgs, SourceArgs, ThresholdArgs, VexArgs,
};
use crate::context::Context;
use crate::exit::Exit;
use crate::forge::{OpenForge, failed};
use crate::ledger::LedgerArgs;
use crate::progress::Progress;
use crate::verdict::FailureRule;
use crate::{output, verdict};
pub(super) use author::identity;
use author::plan_key;
use outcome::Outcomes;

/// Flags of `patchgate pr`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    proposing: ProposingArgs,

    /// Base branch of the pull request [default: the repository's default branch]
    #[arg(long, value_name = "BRANCH")]
    base: Option<String>,

    #[command(flatten)]
    output: OutputArgs,

    /// Format of the report
    #[arg(long, value_enum, default_value = "text", help_heading = "Output")]
    format: Format,
}

/// How pull requests are made, whichever command makes them.
#[derive(Debug, clap::Args)]
pub(crate) struct ProposingArgs {
    #[command(flatten)]
    pub(super) repository: RepositoryArgs,

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
    pub(super) forge: ForgeArgs,
    #[command(flatten)]
    pub(super) source: SourceArgs,
    #[command(flatten)]
    pub(super) vex: VexArgs,
    #[command(flatten)]
    threshold: ThresholdArgs,
    #[command(flatten)]
    ledger: LedgerArgs,
}

/// Format of the report about pull requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// Text for a person
    Text,
    /// One JSON object; `patchgate schema pr` prints its schema
    Json,
}

/// Largest template that is read, in bytes.
const MAX_TEMPLATE_BYTES: usize = 256 * 1024;

/// The warning of a pull request that was opened with a workflow's own token.
const NO_WORKFLOWS: &str = "This was made with an installation token inside a workflow. If it is the workflow's own `GITHUB_TOKEN`, no workflow runs on this pull request, and the gate waits for checks that never come: use the token of an app, or close and reopen the pull request by hand.";

pub(crate) async fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let done = propose(&args.proposing, args.base.as_deref(), context).await?;
    let text = match args.format {
        Format::Text => done.report.to_text(),
        Format::Json => done.report.to_json(),
    };
    output::write(&text, args.output.output.as_deref())?;
    report_to_runner(context, &done.report, &done.scan)?;

    Ok(done.exit)
}

/// The result of [`propose`].
pub(super) struct Done {
    pub(super) report: PrReport,
    scan: ScanReport,
    exit: Exit,
}

/// Brings the pull requests into `base` up to date; into the default branch when none is given.
pub(super) async fn propose(
    args: &ProposingArgs,
    base: Option<&str>,
    context: &Context,
) -> anyhow::Result<Done> {
    if args.source.offline {
        return Err(UserError::usage("`patchgate pr` needs the network")
            .with_hint("`patchgate fix --offline` shows the fix without it")
            .into());
    }

    let (inputs, config) = args.repository.open(&InputArgs::default())?;
    let root = inputs.root();
    let writer = args.ledger.open(context)?;
    let forge = OpenForge::open(&args.forge, root, context).await?;
    let target = forge.push_target()?;
    let progress = Progress::start(context.terminal.progress, "asking the forge")
        .within(args.plan.time_limit());
    let (base, head) = base_and_head(base, &forge, root).await?;

    // Before the planning, which takes minutes and would be for nothing.
    let account = forge.api.identity().await.map_err(|error| failed(&error))?;
    let identity = identity(args, &forge, account.as_ref(), context)?;
    let key = plan_key(args, context)?;
    let template = template(&config, &forge, &head).await?;
    let run = Run {
        args,
        key: key.as_ref(),
        template: &template,
        identity: &identity,
        context,
        config: &config,
        head: &head,
    };
    let made = run.plan(&inputs, &progress).await?;

    progress.say("preparing the commits");
    let (proposals, commits) = run.proposals(&forge, &made, root, &base).await?;
    let wanted = run.wanted(&made, proposals);

    progress.say("bringing the pull requests up to date");
    let mut labels = args.label.clone();
    let more = config.pull_requests.labels.iter();
    labels.extend(more.filter(|label| !args.label.contains(label)).cloned());
    let publisher = Publisher {
        forge: &forge.api,
        identity: account.as_ref(),
        http: &forge.http,
        target: &target,
        base: &base,
        labels: &labels,
    };
    let writer = writer.as_ref();
    let done = recording::publish(&publisher, &wanted, &commits, &forge.address, writer).await?;

    let settings = &config.pull_requests;
    let mut not_assigned = publisher.assign(&done, &settings.assignees).await;
    not_assigned.extend(publisher.ask_to_review(&done, &settings.reviewers).await);

    drop(progress);
    let outcomes = Outcomes::new(done);

    // The report.
    let mut warnings = made.notes.clone();
    warnings.extend(not_assigned);
    if !outcomes.pull_requests.is_empty() && forge.has_workflow_token(context) {
        warnings.push(NO_WORKFLOWS.to_owned());
    }

    let first = wanted.proposals.first();
    let report = PrReport::new(&PrInput {
        plan: &made.plan,
        scan: &made.scan,
        pull_requests: &outcomes.pull_requests,
        waiting: &outcomes.waiting,
        carried: first.map(|proposal| (proposal.branch.name(), proposal.commit.as_str())),
        none_because: none_because(&wanted),
        warnings: &warnings,
        exit_code: made.exit.code(),
    });

    Ok(Done {
        report,
        scan: made.scan,
        exit: made.exit,
    })
}

/// Why there is no pull request, when there is none: a fragment.
fn none_because(wanted: &DesiredState) -> &str {
    match (&wanted.unknown, wanted.remaining.is_empty()) {
        (Some(reason), _) => reason,
        (None, false) => "findings are left that cannot be fixed now",
        (None, true) => "none is needed",
    }
}

/// The branch that the pull request is for, and the commit that it starts from, which must be the
/// branch's tip: a fix is planned from the base branch's own content and from nothing else.
async fn base_and_head(
    base: Option<&str>,
    forge: &OpenForge,
    root: &Path,
) -> anyhow::Result<(String, Head)> {
    let base = match base {
        Some(base) => base.to_owned(),
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
    args: &'a ProposingArgs,
    context: &'a Context,
    config: &'a Config,
    head: &'a Head,
    /// The author of the commit.
    identity: &'a CommitIdentity,
    /// The key that signs the plan.
    key: Option<&'a SigningKey>,
    /// The template of the body.
    template: &'a BodyTemplate,
}

/// A plan, with the scan that it is based on.
struct Made {
    /// What all pull requests change together, with paths from the clone's root.
    plan: Plan,
    /// The plan of each pull request.
    parts: Vec<FixPart>,
    scan: ScanReport,
    problems: Vec<Problem>,
    /// Notes about side effects, for the user.
    notes: Vec<String>,
    /// Packages with findings that no pull request fixes.
    remaining: BTreeSet<String>,
    has_lockfiles: bool,
    exit: Exit,
}

impl Made {
    /// Why pull requests stay open that have no plan in this run, when it cannot say more.
    fn unknown(&self) -> Option<String> {
        let reason = match (self.problems.is_empty(), self.parts.is_empty()) {
            (false, true) => "the scan is incomplete, so its fixes may still be needed",
            (false, false) => {
                "the scan is incomplete, and it may fix findings that this scan missed"
            }
            (true, _) if !self.has_lockfiles => {
                "no lockfile was found, so its fixes may still be needed"
            }
            (true, _) => return None,
        };
        Some(reason.to_owned())
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
        let environment = &self.context.environment;
        let prefix = &self.head.prefix;
        let (fixed, parts) = fix_in_parts(&request, &options, environment, prefix).await?;

        Ok(self.made(fixed, parts))
    }

    fn rule(&self) -> FailureRule {
        FailureRule::new(&self.args.threshold, self.config)
    }

    fn made(&self, fixed: FixOutcome, parts: Vec<FixPart>) -> Made {
        let rule = self.rule();
        let kept = &fixed.scan.findings.kept;
        let inventory = &fixed.scan.contents.inventory;
        let exit = verdict::exit(kept, fixed.fixable(), &fixed.problems, &rule, inventory);
        let parts = parts.into_iter().map(|part| FixPart {
            plan: from_root(part.plan, &self.head.prefix),
            ..part
        });

        Made {
            scan: verdict::scan_report(&fixed.scan, &fixed.problems, &rule, exit, self.context),
            remaining: fixed.remaining_packages(),
            has_lockfiles: !inventory.lockfiles.is_empty(),
            plan: from_root(fixed.plan, &self.head.prefix),
            parts: parts.collect(),
            problems: fixed.problems,
            notes: fixed.notes,
            exit,
        }
    }

    /// The state of the pull requests that follows from the plan and the settings.
    fn wanted(&self, made: &Made, proposals: Vec<Proposal>) -> DesiredState {
        let settings = &self.config.pull_requests;
        DesiredState {
            proposals,
            unknown: made.unknown(),
            remaining: made.remaining.clone(),
            limits: Limits {
                max_open: settings.max_open,
                max_new_per_hour: settings.max_new_per_hour,
                now: self.context.environment.now(),
            },
        }
    }

    /// The pull requests that the parts of the plan should have, with their commits.
    async fn proposals(
        &self,
        forge: &OpenForge,
        made: &Made,
        root: &Path,
        base: &str,
    ) -> anyhow::Result<(Vec<Proposal>, Vec<NewCommit>)> {
        let mut proposals = Vec::new();
        let mut commits = Vec::new();
        for part in &made.parts {
            let (proposal, commit) = self.carry(forge, part, &made.scan, root, base).await?;
            proposals.push(proposal);
            commits.push(commit);
        }

        Ok((proposals, commits))
    }

    /// The commit that carries one part, and the pull request that it should have.
    async fn carry(
        &self,
        forge: &OpenForge,
        part: &FixPart,
        scan: &ScanReport,
        root: &Path,
        base: &str,
    ) -> anyhow::Result<(Proposal, NewCommit)> {
        let plan = &part.plan;
        let title = pull_request_title(plan);
        let commit = commit_files(
            root,
            &self.head.commit,
            &plan.changes,
            self.identity,
            &format!("{title}\n"),
        )
        .await
        .map_err(|error| git_failed(&error))?;
        let block = PlanBlock::new(plan, &self.head.commit, &commit.id).render();
        let block = match self.key {
            Some(key) => format!("{block}\n{}", proof(plan, &commit, key)),
            None => block,
        };
        let input = PullRequestInput {
            plan,
            scan,
            base: &self.head.commit,
            commit_url: &forge.commit_url(&commit.id),
            note: forge
                .has_workflow_token(self.context)
                .then_some(NO_WORKFLOWS),
            block: &block,
        };
        let body = pull_request_body(&input, self.template)
            .map_err(|error| UserError::failure(error.to_string()))?;

        let now = self.context.environment.now();
        let is_closed = !self.config.pull_requests.is_open_at(now);
        let proposal = Proposal {
            branch: PatchgateBranch::for_plan(&part.name, &plan.branch_digest(base)),
            commit: commit.id.clone(),
            title,
            body,
            is_urgent: part.is_urgent,
            waits: is_closed.then(|| "the schedule opens no pull request at this time".to_owned()),
        };

        Ok((proposal, commit))
    }
}

/// The template of the body: the repository's own at the base commit, or the default.
async fn template(config: &Config, forge: &OpenForge, head: &Head) -> anyhow::Result<BodyTemplate> {
    let Some(path) = &config.pull_requests.template else {
        return Ok(BodyTemplate::default());
    };
    let bytes = forge
        .api
        .file(path, &head.commit, MAX_TEMPLATE_BYTES)
        .await
        .map_err(|error| failed(&error))?
        .ok_or_else(|| {
            UserError::usage(format!("the base commit has no template `{path}`"))
                .with_hint("commit it to the base branch, or change `pull-requests.template`")
        })?;

    BodyTemplate::parse(path, &bytes).map_err(|error| UserError::usage(error.to_string()).into())
}

/// The signed statement that the commit contains the plan, as a block of the body.
fn proof(plan: &Plan, commit: &NewCommit, key: &SigningKey) -> String {
    let changes = plan.changes.iter();
    let files = changes.map(|change| (change.path.as_str(), change.after.as_slice()));
    render_block(&PlanStatement::new(&commit.base, &commit.tree, files).sign(key))
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
