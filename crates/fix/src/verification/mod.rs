//! The project's own tests as evidence: which steps of a plan they pass with.
//!
//! The command is the user's own, from a flag. No file of the scanned repository can name one. It
//! runs code of new releases, so it gets no token and no file by which later steps of a workflow
//! are changed, and it runs in a copy of the repository.

mod scratch_tree;
mod search;
mod test_run;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use patchgate_evidence::{classify, redacted, tail};
use patchgate_http::Environment;
use patchgate_model::{FailureClass, Plan, Step, UnverifiedStep, UserError, Verification};
use patchgate_scan::ScanRequest;

use crate::run::{FixOptions, FixOutcome, PlannedFix};
use scratch_tree::SourceTree;
use search::{Partition, Trial, largest_passing};
use test_run::{RunEnd, TestEnvironment, TestRun};

/// Most lines of a log in a report.
const MAX_LOG_LINES: usize = 30;

/// Most bytes of a log in a report.
const MAX_LOG_BYTES: usize = 4 * 1024;

/// How a plan is verified by the project's own tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyOptions {
    /// The command, for the system's shell.
    pub command: String,
    /// Names of variables that the command gets besides those that are known to be harmless.
    pub variables: Vec<String>,
    /// Longest time of one run.
    pub timeout: Duration,
    /// Most runs.
    pub max_runs: usize,
}

/// Why a step fails.
#[derive(Debug, Clone, PartialEq, Eq)]
struct StepFailure {
    class: FailureClass,
    reason: String,
    log: String,
}

/// The fix with the steps that the tests pass with. The others are left, each with its reason.
///
/// # Errors
/// When the command cannot be run, or fails without any change, so that it says nothing about one.
pub(crate) async fn verify(
    fixed: FixOutcome,
    verify: &VerifyOptions,
    request: &ScanRequest<'_>,
    options: &FixOptions,
    environment: &Environment,
) -> Result<FixOutcome, UserError> {
    if fixed.plan.steps.is_empty() {
        return Ok(fixed);
    }

    let mut tests = Tests {
        verify,
        tree: SourceTree::of(request.inputs.root()).await?,
        environment: TestEnvironment::new(std::env::vars_os(), &verify.variables),
        request,
        runs: 0,
    };
    let count = fixed.plan.steps.len();
    let mut planned: BTreeMap<BTreeSet<usize>, PlannedFix> = BTreeMap::new();
    let found = largest_passing(count, async |steps: &BTreeSet<usize>| {
        if tests.runs >= verify.max_runs {
            return Ok(Trial::NotRun);
        }
        if steps.len() == count {
            return tests.whole(&fixed.plan).await;
        }

        let options = FixOptions {
            time_limit: options.time_limit.restarted(),
            ..options.clone()
        };
        let part = fixed
            .plan_steps(steps, "", request, &options, environment)
            .await?;
        if let Some(failure) = not_planned(&fixed.plan, steps, &part) {
            return Ok(Trial::Failed(failure));
        }
        let trial = tests.trial(&part.plan, steps.len()).await?;
        if trial == Trial::Passed {
            planned.insert(steps.clone(), part);
        }

        Ok(trial)
    })
    .await?;

    let verification = Verification {
        command: verify.command.clone(),
        runs: tests.runs,
        left: left(&fixed.plan, &found, verify),
    };
    if found.passing.len() == count {
        let mut fixed = fixed;
        fixed.plan.verification = Some(verification);
        return Ok(fixed);
    }

    let mut part = match planned.remove(&found.passing) {
        Some(part) => part,
        // No step passes: the plan of none has no change and needs no run.
        None => {
            let restarted = FixOptions {
                time_limit: options.time_limit.restarted(),
                ..options.clone()
            };
            fixed
                .plan_steps(&BTreeSet::new(), "", request, &restarted, environment)
                .await?
        }
    };
    explain(&mut part.plan, &fixed.plan, &found, verify);
    part.plan.verification = Some(verification);

    Ok(fixed.with(part))
}

/// Runs of the command.
struct Tests<'a> {
    verify: &'a VerifyOptions,
    tree: SourceTree,
    environment: TestEnvironment,
    request: &'a ScanRequest<'a>,
    runs: usize,
}

impl Tests<'_> {
    /// Tests the plan as a whole. A command that fails without any change says nothing.
    async fn whole(&mut self, plan: &Plan) -> Result<Trial<StepFailure>, UserError> {
        let trial = self.trial(plan, plan.steps.len()).await?;
        if matches!(trial, Trial::Failed(_)) {
            self.baseline().await?;
        }

        Ok(trial)
    }

    async fn trial(&mut self, plan: &Plan, steps: usize) -> Result<Trial<StepFailure>, UserError> {
        let what = match steps {
            1 => "1 step".to_owned(),
            many => format!("{many} steps"),
        };
        let run = self.run(plan, &what).await?;

        Ok(match run.end {
            RunEnd::Success => Trial::Passed,
            RunEnd::Failure => Trial::Failed(StepFailure {
                class: classify(&run.output),
                reason: format!("`{}` fails with it", self.verify.command),
                log: self.log(&run),
            }),
            RunEnd::TimedOut => Trial::Failed(StepFailure {
                class: FailureClass::TimeOut,
                reason: format!(
                    "`{}` takes longer than {} s with it",
                    self.verify.command,
                    self.verify.timeout.as_secs()
                ),
                log: self.log(&run),
            }),
        })
    }

    /// Runs the command on the repository as it is.
    async fn baseline(&mut self) -> Result<(), UserError> {
        let run = self
            .run(&Plan::default(), "the repository as it is")
            .await?;
        if run.end == RunEnd::Success {
            return Ok(());
        }

        let how = match run.end {
            RunEnd::TimedOut => "takes too long",
            _ => "fails",
        };
        let log = self.log(&run);
        let last = log.lines().last().unwrap_or("it printed nothing");
        Err(UserError::failure(format!(
            "`{}` {how} without any change, so it does not verify one: {last}",
            self.verify.command
        ))
        .with_hint(
            "the command runs in a copy of the files that git does not ignore: let it install what it \
             needs, and name variables that it needs with `--verify-env`",
        ))
    }

    async fn run(&mut self, plan: &Plan, what: &str) -> Result<TestRun, UserError> {
        self.runs += 1;
        (self.request.progress)(&format!("testing {what} (run {})", self.runs));
        let scratch = self.tree.copy(&plan.changes)?;
        let directory = scratch.directory();
        let VerifyOptions {
            command, timeout, ..
        } = self.verify;
        test_run::run(command, &directory, &self.environment, *timeout)
            .await
            .map_err(|error| UserError::failure(format!("the shell cannot be started: {error}")))
    }

    /// The end of a log, without secrets.
    fn log(&self, run: &TestRun) -> String {
        let output = redacted(&run.output, &self.environment.secrets);
        tail(&output, MAX_LOG_LINES, MAX_LOG_BYTES)
    }
}

/// Why a plan of some steps does not fix what they should.
fn not_planned(all: &Plan, steps: &BTreeSet<usize>, part: &PlannedFix) -> Option<StepFailure> {
    let wanted = steps.iter().filter_map(|index| all.steps.get(*index));
    let missing = wanted
        .flat_map(|step| &step.fixes)
        .find(|finding| all.fixed.contains(finding) && !part.plan.fixed.contains(finding))?;
    let reason = part.plan.unfixed.iter().find(|unfixed| {
        unfixed.package == missing.package
            && unfixed.version == missing.version
            && unfixed.ids.contains(&missing.id)
    });

    Some(StepFailure {
        class: FailureClass::Resolution,
        reason: reason.map_or_else(
            || "it cannot be made without the steps that fail".to_owned(),
            |unfixed| unfixed.reason.clone(),
        ),
        log: String::new(),
    })
}

/// The steps that are left, in the order of the plan.
fn left(
    plan: &Plan,
    found: &Partition<StepFailure>,
    verify: &VerifyOptions,
) -> Vec<UnverifiedStep> {
    let steps = plan.steps.iter().enumerate();
    steps
        .filter(|(index, _)| !found.passing.contains(index))
        .map(|(index, step)| {
            let failure = failure_of(index, found, verify);
            UnverifiedStep {
                upgrades: upgrades(plan, step),
                fixes: step.fixes.clone(),
                class: failure.class,
                reason: failure.reason,
                log: failure.log,
            }
        })
        .collect()
}

fn failure_of(index: usize, found: &Partition<StepFailure>, verify: &VerifyOptions) -> StepFailure {
    found.failing.get(&index).cloned().unwrap_or_else(|| {
        let most = verify.max_runs;
        StepFailure {
            class: FailureClass::NotTested,
            reason: format!("it was not tested: the limit of {most} runs was used up"),
            log: String::new(),
        }
    })
}

fn upgrades(plan: &Plan, step: &Step) -> Vec<String> {
    let upgrades = step.upgrades.iter();
    upgrades
        .filter_map(|index| plan.upgrades.get(*index))
        .map(|upgrade| format!("{} {} -> {}", upgrade.package, upgrade.from, upgrade.to))
        .collect()
}

/// Gives the findings of steps that were left the reason of their step.
fn explain(part: &mut Plan, all: &Plan, found: &Partition<StepFailure>, verify: &VerifyOptions) {
    let steps = all.steps.iter().enumerate();
    for (index, step) in steps.filter(|(index, _)| !found.passing.contains(index)) {
        let reason = failure_of(index, found, verify).reason;
        for unfixed in part.unfixed.iter_mut().filter(|one| one.reason.is_empty()) {
            let is_of_step = step.fixes.iter().any(|finding| {
                finding.package == unfixed.package
                    && finding.version == unfixed.version
                    && unfixed.ids.contains(&finding.id)
            });
            if is_of_step {
                unfixed.reason.clone_from(&reason);
            }
        }
    }
}
