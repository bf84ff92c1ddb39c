//! One judgement: the evidence as it is now, and the verdict on it.
//!
//! The gate judges twice before a merge, so that whatever changes in between is seen.

use std::time::{Duration, Instant};

use patchgate_forge::Forge as _;
use patchgate_gate::needs_default_policy;
use patchgate_ledger::Input;
use patchgate_model::{Evidence, Fetched, GatePolicy, Judgement, Missing, PlanDigest, Safeguards};

use super::replay::{OtherPolicy, RecordedEvidence};
use super::{Args, compare, is_dependency_file, parse_settings, read_settings};
use crate::context::Context;
use crate::forge::OpenForge;
use crate::ledger::Writer;

/// How often the forge is asked whether the pull request merges without conflicts. It works that out
/// only when it is asked.
const MERGEABLE_TRIES: u32 = 6;
/// Wait before it is asked again; it grows with each time.
const MERGEABLE_WAIT: Duration = Duration::from_millis(700);

/// Largest stop file that is read, in bytes. A larger one stops merges as well.
const MAX_STOP_FILE: usize = 64 * 1024;

/// The arguments of every judgement of one run.
pub(super) struct Judge<'a> {
    pub(super) args: &'a Args,
    pub(super) context: &'a Context,
    pub(super) forge: &'a OpenForge,
    pub(super) number: u64,
    /// The plan that another job computed again, if it is given.
    pub(super) recomputed: Option<PlanDigest>,
    /// The ledger, if there is one.
    pub(super) writer: Option<&'a Writer>,
    /// When the run began.
    pub(super) started: Instant,
}

/// A judgement, and what it was made from.
pub(super) struct Round {
    pub(super) evidence: Evidence,
    pub(super) policy: Fetched<GatePolicy>,
    pub(super) judgement: Judgement,
    /// The policies that it was made by, for the ledger.
    pub(super) inputs: Vec<Input>,
    /// Everything that it was made from.
    pub(super) recorded: RecordedEvidence,
}

impl Judge<'_> {
    /// Reads everything, and judges it.
    pub(super) async fn round(&self) -> Round {
        let mut evidence = self
            .forge
            .api
            .evidence(
                self.number,
                &is_dependency_file,
                self.forge.own_job(self.context),
            )
            .await;
        self.ask_whether_mergeable(&mut evidence).await;

        let default = self.default_branch(&evidence).await;
        evidence.safeguards.now = self.now();
        evidence.safeguards.recomputed = Ok(self.recomputed.clone());
        evidence.safeguards.is_stopped = match &default {
            Ok((_, tip)) => self.is_stopped(tip).await,
            Err(missing) => Err(missing.clone()),
        };

        let mut inputs = Vec::new();
        let settings = match &evidence.base_tip {
            Ok(tip) => read_settings(self.forge, tip, &mut inputs).await,
            Err(missing) => Err(missing.clone()),
        };
        let config = parse_settings(&settings);
        let policy: Fetched<GatePolicy> = config.clone().map(|config| config.gate);
        evidence.findings = compare(self.args, self.context, &config, &evidence).await;
        evidence.safeguards.registry = self.registry(&config, &evidence).await;

        let other = self.other_policy(&evidence, default, &mut inputs).await;
        let recorded = RecordedEvidence::new(settings, evidence.clone(), other, self.hold());
        Round {
            judgement: recorded.judge(),
            evidence,
            policy,
            inputs,
            recorded,
        }
    }

    /// The hold of the ledger. One that cannot be read is a hold.
    fn hold(&self) -> Option<String> {
        let hold = self.writer?.hold(&self.forge.address, self.number);
        hold.unwrap_or_else(|error| {
            Some(format!(
                "it cannot be read whether the ledger holds merges: {error}"
            ))
        })
    }

    /// The time of the judgement: that of the run's start, and what has passed since.
    fn now(&self) -> Fetched<jiff::Timestamp> {
        let passed = jiff::SignedDuration::try_from(self.started.elapsed());
        passed
            .ok()
            .and_then(|passed| self.context.environment.now().checked_add(passed).ok())
            .ok_or_else(|| Missing::new("the clock is out of range"))
    }

    async fn ask_whether_mergeable(&self, evidence: &mut Evidence) {
        for attempt in 1..MERGEABLE_TRIES {
            let Ok(pull_request) = &mut evidence.pull_request else {
                return;
            };
            if pull_request.mergeable.is_some() {
                return;
            }
            tokio::time::sleep(MERGEABLE_WAIT * attempt).await;

            let Ok(now) = self.forge.api.pull_request(self.number).await else {
                return;
            };
            if now.head.sha != pull_request.head.sha || now.base != pull_request.base {
                return;
            }
            pull_request.mergeable = now.mergeable;
            pull_request.mergeable_state = now.mergeable_state;
        }
    }

    /// The default branch and its tip, as they are at this judgement.
    async fn default_branch(&self, evidence: &Evidence) -> Fetched<(String, String)> {
        let missing = |error: patchgate_forge::ForgeError| Missing::from(&error);
        let pull = evidence.pull_request.as_ref().ok();
        let stated = pull.and_then(|pull| pull.default_branch.clone());
        let branch = match stated {
            Some(branch) => branch,
            None => self.forge.api.default_branch().await.map_err(missing)?,
        };
        if pull.is_some_and(|pull| pull.base.branch == branch) {
            // The base's tip was read a moment ago.
            return evidence.base_tip.clone().map(|tip| (branch, tip));
        }
        let tip = self.forge.api.branch_tip(&branch).await.map_err(missing)?;
        let tip = tip.ok_or_else(|| Missing::new("the default branch does not exist"))?;
        Ok((branch, tip))
    }

    async fn is_stopped(&self, tip: &str) -> Fetched<bool> {
        let file = self
            .forge
            .api
            .file(Safeguards::STOP_FILE, tip, MAX_STOP_FILE)
            .await;
        file.map(|file| file.is_some())
            .map_err(|error| Missing::from(&error))
    }

    /// The settings of the default branch and what is judged by them, when its policy has to consent
    /// too.
    async fn other_policy(
        &self,
        evidence: &Evidence,
        default: Fetched<(String, String)>,
        inputs: &mut Vec<Input>,
    ) -> Option<OtherPolicy> {
        evidence.pull_request.as_ref().ok()?;
        let (branch, settings) = match default {
            Ok((branch, _)) if !needs_default_policy(evidence, &branch) => return None,
            Ok((branch, tip)) => (branch, read_settings(self.forge, &tip, inputs).await),
            Err(missing) => ("HEAD".to_owned(), Err(missing)),
        };

        let config = parse_settings(&settings);
        Some(OtherPolicy {
            findings: compare(self.args, self.context, &config, evidence).await,
            registry: self.registry(&config, evidence).await,
            branch,
            settings,
        })
    }
}
