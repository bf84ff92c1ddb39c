//! `patchgate dashboard`: keeps an issue with what is open, held, overdue and without a fix, and an
//! issue for each urgent finding that no upgrade fixes.

mod runbooks;

use patchgate_forge::git::current_head;
use patchgate_forge::pull_request::is_own_author;
use patchgate_forge::{
    Forge as _, ForgeError, Issue, IssueAction, IssueText, KeptIssue, TokenIdentity, WantedIssue,
    keep_issues,
};
use patchgate_model::{UserError, error_chain};
use patchgate_report::{
    DashboardPull, FindingReport, ScanReport, dashboard, is_urgent_unfixable, urgent_body,
    urgent_key, urgent_title,
};
use patchgate_scan::{ScanRequest, ScanResult, SourceOptions, VexOptions};

use self::runbooks::Runbooks;
use crate::args::{ForgeArgs, InputArgs, OutputArgs, RepositoryArgs, SourceArgs, VexArgs};
use crate::context::Context;
use crate::exit::Exit;
use crate::forge::{OpenForge, failed};
use crate::progress::Progress;
use crate::verdict::FailureRule;
use crate::{output, verdict};

/// Flags of `patchgate dashboard`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    repository: RepositoryArgs,
    #[command(flatten)]
    forge: ForgeArgs,
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    vex: VexArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// Key of the dashboard.
const DASHBOARD: &str = "dashboard";

/// Start of the keys of urgent findings.
const URGENT: &str = "urgent-";

/// Most issues of urgent findings.
const MAX_URGENT: usize = 50;

pub(crate) async fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let (inputs, config) = args.repository.open(&InputArgs::default())?;
    let root = inputs.root();
    let forge = OpenForge::open(&args.forge, root, context).await?;
    let progress = Progress::start(context.terminal.progress, "asking the forge");
    let asked = async {
        let base = forge.api.default_branch().await?;
        let tip = forge.api.branch_tip(&base).await?;
        let identity = forge.api.identity().await?;
        let author = identity.as_ref().map(|identity| identity.login.as_str());
        let issues = forge.api.issues(author).await?;
        let pulls = forge.api.open_requests(&base).await?;
        Ok::<_, ForgeError>((base, tip, issues, pulls, identity))
    };
    let (base, tip, issues, pulls, identity) = asked.await.map_err(|error| failed(&error))?;
    let issues = issues.ok_or_else(|| {
        UserError::failure("the project has no issues")
            .with_hint("enable issues in its settings, or do not run `patchgate dashboard`")
    })?;
    let head = current_head(root)
        .await
        .map_err(|error| UserError::failure(error_chain(&error)))?;
    if tip.as_deref() != Some(head.commit.as_str()) {
        return Err(
            UserError::usage(format!("the clone is not at the tip of `{base}`"))
                .with_hint(format!("check out the tip of `{base}` and run it again"))
                .into(),
        );
    }

    // What is found in the base branch.
    let rule = FailureRule {
        threshold: config.thresholds.clone(),
        waived: config.waived.clone(),
    };
    let request = ScanRequest {
        inputs: &inputs,
        config: &config,
        source: &SourceOptions::from(&args.source),
        vex: &VexOptions::from(&args.vex),
        reachability: false,
        threshold: rule.threshold.clone(),
        keep_files: false,
        progress: &|text| progress.say(text),
    };
    let result = patchgate_scan::scan(&request, &context.environment).await?;
    let report = verdict::scan_report(&result, &result.incomplete, &rule, Exit::Clean, context);

    // The issues.
    progress.say("writing the issues");
    let is_hold = |label: &&String| {
        let label = label.trim().to_lowercase();
        let mut holds = config.gate.hold_labels.iter();
        holds.any(|hold| hold.trim().to_lowercase() == label)
    };
    let pulls: Vec<DashboardPull> = pulls
        .iter()
        .filter(|pull| is_own_author(pull.author.as_ref(), identity.as_ref()))
        .map(|pull| DashboardPull {
            reference: forge.kind.reference(pull.number),
            title: pull.title.clone(),
            holds: pull.labels.iter().filter(is_hold).cloned().collect(),
        })
        .collect();
    let urgent = urgent_issues(
        &report,
        &result,
        &Runbooks::read(root, &forge, &head.commit),
    );
    let inventory = &result.contents.inventory;
    let has_inputs = !inventory.lockfiles.is_empty() || !inventory.unlocked.is_empty();
    let writer = Writer {
        forge: &forge,
        identity: identity.as_ref(),
        issues: &issues,
        // What was not seen, and what is beyond the limit, may be there.
        may_close: result.incomplete.is_empty() && has_inputs && urgent.len() < MAX_URGENT,
    };
    let board = WantedIssue {
        key: DASHBOARD.to_owned(),
        text: IssueText {
            title: "Patchgate dashboard".to_owned(),
            body: dashboard(&report, &pulls),
        },
    };
    let mut kept = writer.keep(DASHBOARD, &[board]).await?;
    kept.extend(writer.keep(URGENT, &urgent).await?);

    drop(progress);
    let lines: String = kept.iter().map(line).collect();
    output::write(&lines, args.output.output.as_deref())?;
    let is_incomplete = result.incomplete.iter().any(|problem| rule.fails(problem));
    Ok(match (is_incomplete, has_inputs) {
        (true, _) => Exit::Incomplete,
        (false, false) => Exit::NothingToScan,
        (false, true) => Exit::Clean,
    })
}

/// Writes issues.
struct Writer<'a> {
    forge: &'a OpenForge,
    identity: Option<&'a TokenIdentity>,
    issues: &'a [Issue],
    may_close: bool,
}

impl Writer<'_> {
    async fn keep(
        &self,
        family: &str,
        wanted: &[WantedIssue],
    ) -> Result<Vec<KeptIssue>, UserError> {
        let api = &self.forge.api;
        let kept = keep_issues(
            api,
            self.identity,
            self.issues,
            family,
            wanted,
            self.may_close,
        );
        kept.await.map_err(|error| failed(&error))
    }
}

/// An issue for each urgent finding without a fix, one for all versions of a package.
fn urgent_issues(
    report: &ScanReport,
    result: &ScanResult,
    runbooks: &Runbooks,
) -> Vec<WantedIssue> {
    let mut wanted: Vec<WantedIssue> = Vec::new();
    for finding in report
        .findings
        .iter()
        .filter(|one| is_urgent_unfixable(one))
    {
        let key = format!("{URGENT}{}", urgent_key(finding));
        if wanted.len() >= MAX_URGENT || wanted.iter().any(|one| one.key == key) {
            continue;
        }

        let is_same = |one: &&patchgate_model::Finding| is_of(one, finding);
        let of_scan = result.findings.kept.iter().find(is_same);
        let runbook = of_scan.and_then(|finding| runbooks.of(finding));
        wanted.push(WantedIssue {
            key,
            text: IssueText {
                title: urgent_title(finding),
                body: urgent_body(finding, runbook),
            },
        });
    }

    wanted
}

fn is_of(finding: &patchgate_model::Finding, report: &FindingReport) -> bool {
    finding.id == report.id
        && finding.package.name == report.package.name
        && finding.package.version == report.package.version
}

fn line(kept: &KeptIssue) -> String {
    let word = match kept.action {
        IssueAction::Opened => "opened",
        IssueAction::Updated => "updated",
        IssueAction::Unchanged => "unchanged",
        IssueAction::Closed => "closed",
        IssueAction::Left => "left closed, as a person closed it:",
    };
    let what = match kept.key == DASHBOARD {
        true => "the dashboard",
        false => "an urgent finding without a fix",
    };
    format!("{word} #{} {}: {what}\n", kept.number, kept.url)
}
