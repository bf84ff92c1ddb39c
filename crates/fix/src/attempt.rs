//! One attempt: what the planner proposes, and what the package manager makes of it.

use patchgate_model::{Finding, PackageIndex, error_chain};
use patchgate_package_managers::{PinnedVersion, RelockError};
use patchgate_upgrade::{ManifestEdit, Move, Proposal};

use crate::lock_state::Tree;
use crate::manifests;
use crate::types::{Locked, Rejected, Stop, Work};

impl Work<'_> {
    /// Asks the planner about the copies that `is_meant` takes of the findings that `is_asked`
    /// takes.
    pub(super) async fn propose(
        &mut self,
        is_asked: impl Fn(&Self, &Finding) -> bool,
        is_meant: impl Fn(&Self, PackageIndex) -> bool,
    ) -> Result<Proposal, Stop> {
        let limit = self.workshop.time_limit;
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
            .knowledge
            .plan(&self.tree, &findings, &vulnerable, &self.bans);
        let mut proposal = limit
            .hold(planning)
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

    /// Lets the manager lock the moves and scans the result.
    pub(super) async fn attempt(
        &mut self,
        moves: &[Move],
    ) -> Result<Result<Locked, Rejected>, Stop> {
        let limit = self.workshop.time_limit;
        if limit.is_over() {
            return Err(Stop::OutOfTime);
        }

        let mut edited = self.tree.manifests.clone();
        let edits: Vec<&ManifestEdit> = moves.iter().flat_map(|step| &step.edits).collect();
        if let Err(failure) = manifests::edit(self.ecosystem, &mut edited, &edits) {
            return Ok(Err(Rejected::Whole(failure.reason)));
        }

        let key = self.memory.key(&self.tree, moves);
        let relocked = match self.memory.answers.get(&key) {
            Some(answer) => answer.clone(),
            None => {
                self.attempts += 1;
                self.tell(moves);
                let pins: Vec<PinnedVersion> = moves.iter().map(|step| self.pin(step)).collect();
                let mut project = self.tree.project(self.workshop.root, &self.configuration);
                project.manifests = &edited;
                let relocking = self.manager.relock(project, &pins, self.workshop.run);
                let answer = match limit.hold(relocking).await.ok_or(Stop::OutOfTime)? {
                    Ok(relocked) => Ok(relocked),
                    Err(error) => Err(rejected(error)?),
                };
                self.memory.keep(key, answer.clone());

                answer
            }
        };
        let relocked = match relocked {
            Ok(relocked) => relocked,
            Err(rejected) => return Ok(Err(rejected)),
        };
        let path = &self.tree.lockfile.path;
        let tree = match Tree::read(path, relocked.lockfile, edited) {
            Ok(tree) => tree,
            Err(failure) => return Ok(Err(Rejected::Whole(failure.reason))),
        };
        let findings = limit
            .hold(tree.findings(self.workshop.source))
            .await
            .ok_or(Stop::OutOfTime)?
            .map_err(Stop::Failed)?;

        Ok(Ok(Locked {
            tree,
            findings,
            notes: relocked.notes,
        }))
    }

    /// A move as the package manager is asked for it.
    fn pin(&self, step: &Move) -> PinnedVersion {
        let copy = self.tree.lockfile.package(step.copy);
        PinnedVersion {
            install_path: copy.and_then(|copy| copy.install_path.clone()),
            name: step.name.clone(),
            from: step.from.clone(),
            to: step.to().to_owned(),
        }
    }

    fn tell(&self, moves: &[Move]) {
        let what = match moves {
            [step] => format!("{} {}", step.name, step.to()),
            _ => format!("{} packages", moves.len()),
        };
        let path = &self.tree.lockfile.path;
        let attempt = self.attempts;
        (self.workshop.progress)(&format!("{path}: locking {what} (attempt {attempt})"));
        tracing::debug!(attempt, what, "lock");
    }
}

/// Whether another set of moves may do better, or nothing will work.
fn rejected(error: RelockError) -> Result<Rejected, Stop> {
    match error {
        RelockError::Refused {
            package,
            version,
            reason,
        } => Ok(Rejected::Version {
            package,
            version,
            reason,
        }),
        RelockError::Failed { .. }
        | RelockError::Unstable { .. }
        | RelockError::Unusable { .. } => Ok(Rejected::Whole(error_chain(&error))),
        RelockError::NotInstalled { .. }
        | RelockError::NoToolchain { .. }
        | RelockError::Io { .. }
        | RelockError::Unreachable { .. }
        | RelockError::TimedOut { .. } => Err(Stop::Failed(error.into())),
    }
}
