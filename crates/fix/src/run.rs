//! One run: a scan, a plan for every lockfile, and the findings that remain.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::time::Duration;

use patchgate_ecosystems::{Siblings, fixable_format, is_fixable_manifest};
use patchgate_http::Environment;
use patchgate_model::{
    Finding, FixedFinding, Lockfile, PackageVersion, Plan, Problem, UserError, error_chain,
};
use patchgate_package_managers::RunOptions;
use patchgate_scan::{ScanRequest, ScanResult};
use patchgate_upgrade::PlanOptions;

use crate::change_graph::fixed_finding;
use crate::context::{Engine, FixContext, Fixed};
use crate::deadline::TimeLimit;
use crate::policy::Policy;
use crate::types::FormatSupport;
use crate::verification::VerifyOptions;
use crate::{plan_report, requirements, session};

/// The ecosystem whose files run with the rights of the repository.
const WORKFLOWS: &str = "GitHub Actions";

/// Options of [`crate::fix`], as a user gives them.
#[derive(Debug, Clone)]
pub struct FixOptions {
    /// Longest time for one run of a package manager.
    pub manager_timeout: Duration,
    /// The time for everything.
    pub time_limit: TimeLimit,
    /// How lockfiles are written.
    pub engine: Engine,
    /// What a plan may change.
    pub plan: PlanOptions,
    /// Whether workflows may change. A pull request cannot: its token may not write them, and the
    /// gate blocks it.
    pub workflows: bool,
    /// The findings to fix, by id, alias or name of the package. Empty for all.
    pub only: Vec<String>,
    /// The findings to fix of those, by package and id. `None` for all.
    pub chosen: Option<Chosen>,
    /// Most steps of the plan; the most urgent ones are taken.
    pub max_steps: Option<NonZeroUsize>,
    /// The project's own tests, which the steps of the plan have to pass. `None` to run nothing.
    pub verify: Option<VerifyOptions>,
    /// Whether evidence is gathered that needs the history of the repository, or more of
    /// registries.
    pub evidence: bool,
}

/// Findings by the name of the package and the id.
pub type Chosen = BTreeSet<(String, String)>;

/// Outcome of a fix: the plan, and the scan that it is based on.
#[derive(Debug)]
pub struct FixOutcome {
    /// The scan of the repository as it is.
    pub scan: ScanResult,
    /// The plan. Paths are relative to the scanned directory.
    pub plan: Plan,
    /// Sentences about side effects of the package managers.
    pub notes: Vec<String>,
    /// The reasons why the scan or the plan is incomplete, sorted.
    pub problems: Vec<Problem>,
}

/// A plan, without the scan that it is based on.
#[derive(Debug)]
pub struct PlannedFix {
    /// As in [`FixOutcome`].
    pub plan: Plan,
    /// As in [`FixOutcome`].
    pub notes: Vec<String>,
    /// As in [`FixOutcome`].
    pub problems: Vec<Problem>,
}

/// Plans the fixes for every lockfile of a repository that was scanned. Nothing is written.
///
/// # Errors
/// When there is no client for the network. A lockfile that cannot be worked on is no error but one
/// of [`FixOutcome::problems`].
pub(crate) async fn plan_scanned(
    scan: &ScanResult,
    request: &ScanRequest<'_>,
    options: &FixOptions,
    environment: &Environment,
) -> Result<PlannedFix, UserError> {
    let offline = request.source.offline;
    let client = environment.client(offline).map_err(|error| {
        UserError::failure(error_chain(&error)).with_optional_hint(error.hint().map(str::to_owned))
    })?;

    let context = FixContext {
        contents: &scan.contents,
        root: request.inputs.root(),
        source: &scan.source,
        client: &client,
        run: RunOptions {
            offline,
            timeout: options.manager_timeout,
        },
        time_limit: options.time_limit,
        engine: options.engine,
        options: options.plan,
        policy: Policy {
            settings: &request.config.fix,
            now: environment.now(),
        },
        workflows: options.workflows,
        only: &options.only,
        chosen: options.chosen.as_ref(),
        suppressions: &scan.suppressions(),
        progress: request.progress,
    };
    let mut fixed = plan(&context).await;

    // Possible findings are fixed on request, by the setting that also makes them count.
    let on_request = scan
        .findings
        .possible
        .iter()
        .filter(|_| request.threshold.possible);
    let findings = scan.findings.kept.iter().chain(on_request);
    let findings = findings.filter(|finding| context.is_asked(finding));
    requirements::raise(&context, findings, &mut fixed).await;

    let mut problems = scan.incomplete.clone();
    problems.append(&mut fixed.problems);
    problems.sort();
    problems.dedup();
    plan_report::finish(&mut fixed, &context, &scan.findings.kept, &problems);

    Ok(PlannedFix {
        plan: fixed.plan,
        notes: fixed.notes,
        problems,
    })
}

impl FixOutcome {
    /// The findings of the scan that remain although a fix of them exists, and the possible
    /// findings that it was asked to fix; see [`patchgate_model::UnfixedClass::is_fixable`].
    pub fn fixable(&self) -> impl Iterator<Item = &Finding> {
        let mut left: BTreeMap<PackageVersion, BTreeSet<&str>> = BTreeMap::new();
        let unfixed = self.plan.unfixed.iter();
        for unfixed in unfixed.filter(|unfixed| unfixed.class.is_fixable()) {
            let package = PackageVersion::new(&*unfixed.package, &*unfixed.version);
            let ids = unfixed.ids.iter().map(String::as_str);
            left.entry(package).or_default().extend(ids);
        }

        let findings = &self.scan.findings;
        let all = findings.kept.iter().chain(&findings.possible);
        all.filter(move |finding| {
            let package = match &finding.requirement {
                Some(matched) => PackageVersion::new(&*finding.package.name, &*matched.requirement),
                None => finding.package.package_version(),
            };
            left.get(&package)
                .is_some_and(|ids| ids.contains(finding.id.as_str()))
        })
    }
}

impl FixOutcome {
    /// The packages with findings of the scan that the plan does not fix, as `ecosystem:name`.
    #[must_use]
    pub fn remaining_packages(&self) -> BTreeSet<String> {
        let fixed: BTreeSet<&FixedFinding> = self.plan.fixed.iter().collect();
        let kept = self.scan.findings.kept.iter();
        kept.filter(|finding| finding.informational.is_none())
            .filter(|finding| !fixed.contains(&fixed_finding(finding)))
            .map(|finding| format!("{}:{}", finding.package.ecosystem, finding.package.name))
            .collect()
    }
}

/// Plans the fixes for every lockfile of a repository.
async fn plan(context: &FixContext<'_>) -> Fixed {
    let mut fixed = Fixed::default();
    let mut manifests: Siblings = context
        .contents
        .files
        .iter()
        .filter(|(path, _)| is_fixable_manifest(path))
        .map(|(path, bytes)| (path.clone(), bytes.clone()))
        .collect();
    let mut lockfiles: Vec<&Lockfile> = context.contents.inventory.lockfiles.iter().collect();
    lockfiles.sort_by_key(|lockfile| is_last(lockfile));
    for lockfile in lockfiles {
        let support = match supported(context, lockfile) {
            Ok(support) => support,
            Err(reason) => {
                let limit = context.time_limit;
                let looked_up = limit
                    .run_within(plan_report::not_changed(context, lockfile, &reason))
                    .await;
                match looked_up.unwrap_or_else(|| Err(limit.problem(&lockfile.path).into())) {
                    Ok(unfixed) => {
                        fixed.judged.insert(lockfile.path.clone());
                        fixed.plan.unfixed.extend(unfixed);
                    }
                    Err(failure) => fixed.problems.push(failure.into_problem(&lockfile.path)),
                }
                continue;
            }
        };

        let mut files = files_of(context, support);
        files.extend(manifests.clone());
        match session::fix(context, support, lockfile, &files).await {
            Ok(one) => {
                // Two lockfiles may share a manifest: the second one sees it as edited.
                manifests.extend(one.manifests.clone());
                fixed.problems.extend(one.problems.iter().cloned());
                plan_report::add(&mut fixed, context, one);
            }
            Err(failure) => fixed.problems.push(failure.into_problem(&lockfile.path)),
        }
    }

    fixed.notes.sort();
    fixed.notes.dedup();

    fixed
}

/// Whether a lockfile may change with one of another format.
fn is_last(lockfile: &Lockfile) -> bool {
    let writer = fixable_format(&lockfile.path).and_then(|(_, format)| format.writer);
    writer.is_some_and(|writer| writer.is_last())
}

/// The parts of Patchgate that change a lockfile.
///
/// # Errors
/// Why it cannot be fixed.
fn supported(context: &FixContext<'_>, lockfile: &Lockfile) -> Result<FormatSupport, String> {
    if let Some(gap) = lockfile.gap() {
        return Err(format!(
            "`patchgate fix` does not change a file that was read in part: line {} {}",
            gap.line, gap.reason
        ));
    }

    let (ecosystem, format) = fixable_format(&lockfile.path)
        .filter(|(_, format)| lockfile.format.is_version_of(format.id))
        .ok_or_else(|| {
            format!(
                "`patchgate fix` does not change `{}` files",
                lockfile.format
            )
        })?;

    if !context.workflows && ecosystem.name().as_str() == WORKFLOWS {
        return Err(
            "a pull request does not change workflows: run `patchgate fix --apply`, and \
                    propose the change yourself"
                .to_owned(),
        );
    }

    FormatSupport::new(ecosystem, format, context.engine)
}

/// The files besides the manifests that the writer of a format reads.
fn files_of(context: &FixContext<'_>, support: FormatSupport) -> Siblings {
    let Some(writer) = support.writer else {
        return Siblings::new();
    };
    let files = context.contents.files.iter();
    files
        .chain(&context.contents.external)
        .filter(|(path, _)| writer.reads(path))
        .map(|(path, bytes)| (path.clone(), bytes.clone()))
        .collect()
}
