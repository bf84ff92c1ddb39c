//! One attempt: a proposal of the planner, locked by the package manager and scanned again.

use patchgate_ecosystems::Siblings;
use patchgate_model::{Finding, PackageIndex, PackageVersion, error_chain};
use patchgate_package_managers::{LockedProject, PinnedVersion, RelockError, Relocked};
use patchgate_upgrade::{ManifestEdit, PlannedUpgrade, Proposal};

use crate::lock_state::LockState;
use crate::manifests;
use crate::types::{Attempt, LockfileSession, NewState, Rejection, Stop};

impl LockfileSession<'_> {
    /// Asks the planner about the copies that `is_meant` takes of the findings that `is_asked`
    /// takes.
    pub(super) async fn propose(
        &mut self,
        is_asked: impl Fn(&Self, &Finding) -> bool,
        is_meant: impl Fn(&Self, PackageIndex) -> bool,
    ) -> Result<Proposal, Stop> {
        let limit = self.context.time_limit;
        if limit.is_over() {
            return Err(Stop::OutOfTime);
        }

        let findings: Vec<Finding> = self
            .wanted()
            .filter(|finding| is_asked(self, finding))
            .cloned()
            .collect();
        let findings: Vec<&Finding> = findings.iter().collect();
        let mut vulnerable = self.tree.vulnerable(findings.iter().copied());
        vulnerable.retain(|copy, _| is_meant(self, *copy));
        let planning = self
            .releases
            .plan(&self.tree, &findings, &vulnerable, &self.exclusions);
        let mut proposal = limit
            .run_within(planning)
            .await
            .ok_or(Stop::OutOfTime)?
            .map_err(Stop::Failed)?;
        let edits = proposal.moves.iter_mut().flat_map(|step| &mut step.edits);
        for edit in edits {
            edit.manifest = manifests::holder(
                self.ecosystem,
                &self.tree.manifests,
                &self.tree.lockfile.path,
                edit,
            );
        }

        Ok(proposal)
    }

    /// Lets the manager lock a set of version changes, and scans the result.
    pub(super) async fn attempt(&mut self, moves: &[PlannedUpgrade]) -> Result<Attempt, Stop> {
        let limit = self.context.time_limit;
        if limit.is_over() {
            return Err(Stop::OutOfTime);
        }

        let mut edited = self.tree.manifests.clone();
        let edits: Vec<&ManifestEdit> = moves.iter().flat_map(|step| &step.edits).collect();
        if let Err(failure) = manifests::edit(self.ecosystem, &mut edited, &edits) {
            return Ok(Attempt::Rejected(Rejection::Whole(failure.reason)));
        }

        let relocked = match self.relock(moves, &edited).await? {
            Ok(relocked) => relocked,
            Err(rejection) => return Ok(Attempt::Rejected(rejection)),
        };
        let path = &self.tree.lockfile.path;
        let tree = match LockState::read(path, relocked.lockfile, edited) {
            Ok(tree) => tree,
            Err(failure) => return Ok(Attempt::Rejected(Rejection::Whole(failure.reason))),
        };

        let findings = limit
            .run_within(tree.findings(self.context.source))
            .await
            .ok_or(Stop::OutOfTime)?
            .map_err(Stop::Failed)?;

        Ok(Attempt::Locked(Box::new(NewState {
            tree,
            findings,
            notes: relocked.notes,
        })))
    }

    /// The answer of the manager, which is run only for changes that it was not asked about before.
    async fn relock(
        &mut self,
        moves: &[PlannedUpgrade],
        manifests: &Siblings,
    ) -> Result<Result<Relocked, Rejection>, Stop> {
        let key = self.relock_cache.key(&self.tree, moves);
        if let Some(answer) = self.relock_cache.answers.get(&key) {
            return Ok(answer.clone());
        }

        self.attempts += 1;
        self.report(moves);
        let pins: Vec<PinnedVersion> = moves.iter().map(|step| self.pin(step)).collect();
        let project = LockedProject {
            manifests,
            ..self.tree.project(self.context.root, &self.configuration)
        };
        let relocking = self.manager.relock(project, &pins, self.context.run);
        let limit = self.context.time_limit;
        let answer = match limit.run_within(relocking).await.ok_or(Stop::OutOfTime)? {
            Ok(relocked) => Ok(relocked),
            Err(error) => Err(rejected(error)?),
        };
        self.relock_cache.keep(key, answer.clone());

        Ok(answer)
    }

    /// A version change as the package manager is asked for it.
    fn pin(&self, step: &PlannedUpgrade) -> PinnedVersion {
        let copy = self.tree.lockfile.package(step.copy);
        PinnedVersion {
            install_path: copy.and_then(|copy| copy.install_path.clone()),
            name: step.name.clone(),
            from: step.from.clone(),
            to: step.to().to_owned(),
        }
    }

    fn report(&self, moves: &[PlannedUpgrade]) {
        let what = match moves {
            [step] => format!("{} {}", step.name, step.to()),
            _ => format!("{} packages", moves.len()),
        };
        let path = &self.tree.lockfile.path;
        let attempt = self.attempts;
        (self.context.progress)(&format!("{path}: locking {what} (attempt {attempt})"));
        tracing::debug!(attempt, what, "lock");
    }
}

/// A rejection, when another set of changes may succeed, or the end of the session.
fn rejected(error: RelockError) -> Result<Rejection, Stop> {
    match error {
        RelockError::Refused {
            package,
            version,
            reason,
        } => Ok(Rejection::Version {
            rejected: PackageVersion::new(package, version),
            reason,
        }),
        RelockError::Failed { .. }
        | RelockError::Unstable { .. }
        | RelockError::NotExact { .. }
        | RelockError::Unusable { .. } => Ok(Rejection::Whole(error_chain(&error))),
        RelockError::NotInstalled { .. }
        | RelockError::NoToolchain { .. }
        | RelockError::Io { .. }
        | RelockError::Unreachable { .. }
        | RelockError::TimedOut { .. } => Err(Stop::Failed(error.into())),
    }
}
