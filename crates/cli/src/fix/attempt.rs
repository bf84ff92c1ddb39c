//! One attempt: what the planner proposes, and what the package manager makes of it.

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};

use patchgate_model::{Finding, PackageIndex};
use patchgate_package_managers::{RelockError, Relocked};
use patchgate_upgrade::{ManifestEdit, Move, Proposal};

use super::engine::{Stop, Work};
use super::project;
use super::tree::Tree;

/// Most answers of package managers that are remembered.
const MAX_REMEMBERED: usize = 64;

/// A tree that the package manager made, with what is found in it.
pub(super) struct Locked {
    pub(super) tree: Tree,
    pub(super) findings: Vec<Finding>,
    /// Side effects that a user should know about.
    pub(super) notes: Vec<String>,
}

/// Why a set of moves was not taken.
#[derive(Debug, Clone)]
pub(super) enum Rejected {
    /// The manager refuses one version.
    Version {
        package: String,
        version: String,
        reason: String,
    },
    /// The set as a whole does not work.
    Whole(String),
}

/// What package managers answered: the same moves in the same tree have the same answer.
#[derive(Debug, Default)]
pub(super) struct Memory {
    state: RandomState,
    answers: BTreeMap<u64, Result<Relocked, Rejected>>,
}

impl Memory {
    fn key(&self, tree: &Tree, moves: &[Move]) -> u64 {
        let moves: Vec<_> = moves
            .iter()
            .map(|step| {
                (
                    tree.place(step.copy),
                    step.to(),
                    format!("{:?}", step.edits),
                )
            })
            .collect();
        self.state.hash_one((&tree.bytes, &tree.manifests, moves))
    }

    fn keep(&mut self, key: u64, answer: Result<Relocked, Rejected>) {
        if self.answers.len() >= MAX_REMEMBERED {
            self.answers.clear();
        }
        self.answers.insert(key, answer);
    }
}

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
            edit.manifest = project::holder(
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

        let mut manifests = self.tree.manifests.clone();
        let edits: Vec<&ManifestEdit> = moves.iter().flat_map(|step| &step.edits).collect();
        if let Err(failure) = project::edit(self.ecosystem, &mut manifests, &edits) {
            return Ok(Err(Rejected::Whole(failure.reason)));
        }

        let key = self.memory.key(&self.tree, moves);
        let relocked = match self.memory.answers.get(&key) {
            Some(answer) => answer.clone(),
            None => {
                self.attempts += 1;
                self.tell(moves);
                let relocking = project::relock(
                    self.ecosystem,
                    self.workshop.root,
                    &self.tree,
                    &manifests,
                    moves,
                    &self.configuration,
                    self.workshop.run,
                );
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
        let tree = match Tree::read(path, relocked.lockfile, manifests) {
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

    fn tell(&self, moves: &[Move]) {
        let what = match moves {
            [step] => format!("{} {}", step.name, step.to()),
            _ => format!("{} packages", moves.len()),
        };
        let path = &self.tree.lockfile.path;
        let attempt = self.attempts;
        (self.workshop.tell)(&format!("{path}: locking {what} (attempt {attempt})"));
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
        | RelockError::Unusable { .. } => Ok(Rejected::Whole(crate::exit::chain(&error))),
        RelockError::NotInstalled { .. }
        | RelockError::Io { .. }
        | RelockError::Unreachable { .. }
        | RelockError::TimedOut { .. } => Err(Stop::Failed(error.into())),
    }
}
