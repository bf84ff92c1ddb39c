//! One attempt: a proposal of the planner, locked by the package manager and scanned again.

use std::collections::BTreeMap;

use patchgate_ecosystems::{FoundRequirement, Input, LockfileWriter, Siblings, WriteError};
use patchgate_model::{Finding, PackageIndex, PackageVersion, error_chain};
use patchgate_package_managers::{LockedProject, PinnedVersion, RelockError, Relocked};
use patchgate_upgrade::{ManifestEdit, PlanOptions, PlannedUpgrade, Proposal, Target};

use crate::context::Failure;
use crate::lock_state::{LockState, Override};
use crate::manifests;
use crate::types::{Attempt, LockfileSession, NewState, Rejection, Stop};

/// Most times that a session plans again because a writer found requirements. Each brings at least one
/// new requirement.
const MAX_LESSONS: usize = 200;

impl LockfileSession<'_> {
    /// Asks the planner about the copies that `is_meant` takes of the findings that `is_asked`
    /// takes, the most urgent first.
    pub(super) async fn propose(
        &mut self,
        is_asked: impl Fn(&Self, &Finding) -> bool,
        is_meant: impl Fn(&Self, PackageIndex) -> bool,
        options: PlanOptions,
    ) -> Result<Proposal, Stop> {
        let limit = self.context.time_limit;
        if limit.is_over() {
            return Err(Stop::OutOfTime);
        }

        let mut asked: Vec<&Finding> = self
            .wanted()
            .filter(|finding| is_asked(self, finding))
            .collect();
        asked.sort_by_key(|finding| {
            let urgency = (finding.malicious, finding.severity.level);
            (
                std::cmp::Reverse(urgency),
                finding.package.package_version(),
                finding.id.clone(),
            )
        });
        let mut targets = Vec::new();
        for finding in asked {
            for copy in self
                .tree
                .copies(finding)
                .filter(|copy| is_meant(self, *copy))
            {
                targets.push(Target {
                    copy,
                    id: finding.id.clone(),
                    is_notice: finding.is_notice(),
                });
            }
        }

        let planning = self.releases.plan(
            &self.tree,
            &self.findings,
            &targets,
            &self.exclusions,
            options,
        );
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

    /// Writes a set of version changes, and scans the result.
    pub(super) async fn attempt(&mut self, proposal: &Proposal) -> Result<Attempt, Stop> {
        let limit = self.context.time_limit;
        if limit.is_over() {
            return Err(Stop::OutOfTime);
        }

        let (edited, overrides) = match self.edited_manifests(proposal) {
            Ok(edited) => edited,
            Err(reason) => return Ok(Attempt::Rejected(Rejection::Whole(reason))),
        };
        let relocked = match self.relock(proposal, &edited).await? {
            Ok(relocked) => relocked,
            Err(rejection) => return Ok(Attempt::Rejected(rejection)),
        };
        let mut manifests = edited;
        manifests.extend(relocked.others);
        let path = &self.tree.lockfile.path;
        // A lockfile that is its own manifest, such as `go.mod`.
        if let Some(own) = manifests.get_mut(path) {
            own.clone_from(&relocked.lockfile);
        }
        let format = self.support.format;
        let tree = match LockState::read(format, path, relocked.lockfile, manifests) {
            Ok(tree) => LockState { overrides, ..tree },
            Err(failure) => return Ok(Attempt::Rejected(Rejection::Whole(failure.reason))),
        };

        if let Some(reason) = self.pinned_change(&tree) {
            return Ok(Attempt::Rejected(Rejection::Whole(reason)));
        }

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

    /// Why a new state is refused, if a package has another version that the settings pin. A property
    /// or a package manager can change packages that the plan does not name.
    fn pinned_change(&self, new: &LockState) -> Option<String> {
        let ecosystem = self.ecosystem.name();
        self.tree.lockfile.packages.iter().find_map(|package| {
            let reason = self
                .context
                .policy
                .pinned(ecosystem.as_str(), &package.name)?;
            let named = new.lockfile.packages.iter();
            let versions: Vec<&str> = named
                .filter(|one| one.name == package.name)
                .map(|one| one.version.as_str())
                .collect();
            let is_other = !versions.is_empty() && !versions.contains(&package.version.as_str());
            is_other.then_some(reason)
        })
    }

    /// The manifests with the raised requirements and the overrides of a proposal, and the overrides
    /// that the fix wrote so far.
    fn edited_manifests(
        &self,
        proposal: &Proposal,
    ) -> Result<(Siblings, BTreeMap<String, Override>), String> {
        let mut edited = self.tree.manifests.clone();
        let edits: Vec<&ManifestEdit> =
            proposal.moves.iter().flat_map(|step| &step.edits).collect();
        manifests::edit(self.ecosystem, &mut edited, &edits).map_err(|failure| failure.reason)?;

        let mut overrides = self.tree.overrides.clone();
        for (name, version) in &proposal.overrides {
            let path = &self.tree.lockfile.path;
            let written = self
                .support
                .writer
                .map(|writer| writer.write_override(path, &edited, name, version));
            match written {
                Some(Ok(Some((manifest, text)))) => {
                    edited.insert(manifest.clone(), text.into_bytes());
                    let version = version.clone();
                    overrides.insert(name.clone(), Override { manifest, version });
                }
                Some(Err(error)) => return Err(error.to_string()),
                Some(Ok(None)) | None => {
                    return Err(format!("`{path}` has no override for `{name}`"));
                }
            }
        }

        Ok((edited, overrides))
    }

    /// The lockfile with a set of version changes. The same changes in the same state are made only
    /// once.
    async fn relock(
        &mut self,
        proposal: &Proposal,
        manifests: &Siblings,
    ) -> Result<Result<Relocked, Rejection>, Stop> {
        let key = self.relock_cache.key(&self.tree, proposal);
        if let Some(answer) = self.relock_cache.answers.get(&key) {
            return Ok(answer.clone());
        }

        self.attempts += 1;
        self.report(&proposal.moves);
        let limit = self.context.time_limit;
        let answer = limit
            .run_within(self.write(proposal, manifests))
            .await
            .ok_or(Stop::OutOfTime)??;
        if !matches!(answer, Err(Rejection::Learned)) {
            self.relock_cache.keep(key, answer.clone());
        }

        Ok(answer)
    }

    /// Writes the lockfile directly where that is exact, and has the package manager prove it; else
    /// the package manager writes it.
    async fn write(
        &mut self,
        proposal: &Proposal,
        manifests: &Siblings,
    ) -> Result<Result<Relocked, Rejection>, Stop> {
        let mut obstacle = None;
        if let Some(writer) = self.support.writer {
            match self.write_directly(writer, proposal, manifests).await {
                Err(error) if self.learn(&error.requirements).await? => {
                    tracing::debug!(reason = error.reason, "the writer found requirements");
                    return Ok(Err(Rejection::Learned));
                }
                Ok(written) => match self.prove(&written, manifests).await {
                    Ok(notes) => {
                        return Ok(Ok(Relocked { notes, ..written }));
                    }
                    Err(reason) => obstacle = Some(reason),
                },
                Err(error) => obstacle = Some(error.reason),
            }
        }

        let Some(manager) = self.support.manager else {
            // Why the manager cannot be asked is a problem of the whole lockfile, told once.
            return Ok(Err(match obstacle {
                Some(reason) => refusal(reason, proposal),
                None => Rejection::Whole(self.unproven.clone().unwrap_or_default()),
            }));
        };
        if let Some(obstacle) = &obstacle {
            tracing::debug!(obstacle, "not written directly");
        }
        let pins = self.pins(proposal);
        let project = LockedProject {
            manifests,
            ..self.tree.project(self.context.root, &self.configuration)
        };
        match manager.relock(project, &pins, self.context.run).await {
            Ok(relocked) => Ok(Ok(relocked)),
            Err(RelockError::NotExact { .. }) if obstacle.is_some() => {
                Ok(Err(refusal(obstacle.unwrap_or_default(), proposal)))
            }
            // Other changes may be such that they can be written directly.
            Err(error @ RelockError::Unreachable { .. }) if self.support.writer.is_some() => {
                let reason = error_chain(&error);
                self.give_up_manager(error);
                Ok(Err(match obstacle {
                    Some(obstacle) => refusal(obstacle, proposal),
                    None => Rejection::Whole(reason),
                }))
            }
            Err(error) => Ok(Err(rejected(error, self.support.locator.name())?)),
        }
    }

    async fn write_directly(
        &mut self,
        writer: &'static dyn LockfileWriter,
        proposal: &Proposal,
        manifests: &Siblings,
    ) -> Result<Relocked, WriteError> {
        let path = self.tree.lockfile.path.clone();
        let input = Input {
            path: &path,
            bytes: &self.tree.bytes,
            siblings: manifests,
        };
        let lockfile = &self.tree.lockfile;
        let (downloads, missing) = self
            .releases
            .downloads(writer, (&input, lockfile), &proposal.graph)
            .await
            .map_err(|reason| WriteError::new(&input, reason))?;
        let completed;
        let graph = if writer.needs_every_release() {
            let known = self
                .releases
                .with_every_release(&self.tree, &proposal.graph);
            completed = known
                .await
                .map_err(|failure| WriteError::new(&input, failure.reason))?;
            &completed
        } else {
            &proposal.graph
        };
        let written = writer.write(&input, &self.tree.lockfile, graph, &downloads);
        let mut others = written.map_err(|error| match missing {
            Some(reason) if error.requirements.is_empty() => WriteError::new(&input, reason),
            _ => error,
        })?;
        let lockfile = others
            .remove(&path)
            .unwrap_or_else(|| self.tree.bytes.clone());

        Ok(Relocked {
            lockfile,
            others,
            notes: Vec::new(),
        })
    }

    /// Takes over requirements that a writer found. True when the planner did not know one of them, so
    /// that the next plan is another one.
    async fn learn(&mut self, found: &[FoundRequirement]) -> Result<bool, Stop> {
        if found.is_empty() || self.lessons >= MAX_LESSONS {
            return Ok(false);
        }

        self.lessons += 1;
        let learning = self.releases.learn(&self.tree, found);
        learning.await.map_err(Stop::Failed)
    }

    /// Has the package manager check a lockfile that was written directly. The notes say when it
    /// could not; the error is what it objects to.
    async fn prove(
        &mut self,
        written: &Relocked,
        manifests: &Siblings,
    ) -> Result<Vec<String>, String> {
        let Some(manager) = self.support.manager else {
            return Ok(Vec::new());
        };
        let mut manifests = manifests.clone();
        manifests.extend(written.others.clone());
        let lockfile = LockState::read(
            self.support.format,
            &self.tree.lockfile.path,
            written.lockfile.clone(),
            manifests.clone(),
        )
        .map_err(|failure| failure.reason)?
        .lockfile;
        let project = LockedProject {
            root: self.context.root,
            lockfile: &lockfile,
            bytes: &written.lockfile,
            manifests: &manifests,
            configuration: &self.configuration,
        };

        match manager.check(project, self.context.run).await {
            Ok(()) => Ok(Vec::new()),
            Err(RelockError::NotInstalled { program }) => Ok(vec![format!(
                "`{}` was written directly and not checked by `{program}`, which is not installed",
                self.tree.lockfile.path
            )]),
            // One dependency that is out of reach here does not stop the rest: where it decides
            // something, nothing is written directly.
            Err(error @ RelockError::Unreachable { .. }) => {
                self.give_up_manager(error);
                Ok(Vec::new())
            }
            Err(error) => Err(error_chain(&error)),
        }
    }

    /// Goes on without the manager, which cannot lock the project here at all.
    fn give_up_manager(&mut self, error: RelockError) {
        self.support.manager = None;
        self.unproven = Some(error_chain(&error));
        let problem = Failure::from(error).into_problem(&self.tree.lockfile.path);
        self.releases.problems.insert(problem);
    }

    /// The version changes as the package manager is asked for them: those of copies that move,
    /// dependents first, then new packages.
    fn pins(&self, proposal: &Proposal) -> Vec<PinnedVersion> {
        let mut pins: Vec<PinnedVersion> =
            proposal.moves.iter().map(|step| self.pin(step)).collect();
        for node in proposal
            .graph
            .nodes
            .iter()
            .filter(|node| node.was.is_none())
        {
            let Some(release) = &node.release else {
                continue;
            };
            let is_known = |pin: &PinnedVersion| pin.name == node.name && pin.to == release.version;
            if !pins.iter().any(is_known) {
                pins.push(PinnedVersion {
                    install_path: None,
                    name: node.name.clone(),
                    from: String::new(),
                    to: release.version.clone(),
                });
            }
        }

        pins
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

/// The rejection for a reason of a writer: of the version that it names first, among those that
/// change or come in, else of the whole. Another version of that package may have no such obstacle.
fn refusal(reason: String, proposal: &Proposal) -> Rejection {
    let moved = proposal.moves.iter().map(|step| (&step.name, step.to()));
    let new = proposal.graph.nodes.iter().filter_map(|node| {
        let release = node.release.as_ref().filter(|_| node.was.is_none())?;
        Some((&node.name, release.version.as_str()))
    });
    let named = moved.chain(new).filter_map(|(name, version)| {
        let at = reason.find(&format!("`{name}`"))?;
        // Several versions of one package can change: the one that the reason has counts.
        let is_other = !reason.split_whitespace().any(|word| word == version);
        Some((at, is_other, PackageVersion::new(name.as_str(), version)))
    });

    match named.min() {
        Some((_, _, rejected)) => Rejection::Version { rejected, reason },
        None => Rejection::Whole(reason),
    }
}

/// A rejection, when another set of changes may succeed, or the end of the session.
fn rejected(error: RelockError, manager: &str) -> Result<Rejection, Stop> {
    match error {
        RelockError::Refused {
            package,
            version,
            reason,
        } => Ok(Rejection::Version {
            rejected: PackageVersion::new(package, version),
            reason: format!("`{manager}` refuses it: {reason}"),
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

#[cfg(test)]
mod tests {
    use patchgate_ecosystems::{Release, TargetGraph, TargetNode};
    use patchgate_model::{Bump, PackageIndex};

    use super::*;

    fn proposal() -> Proposal {
        let release = |version: &str| Release {
            version: version.to_owned(),
            ..Release::default()
        };
        let step = |name: &str, version: &str| PlannedUpgrade {
            copy: PackageIndex(0),
            name: name.to_owned(),
            from: "1.0".to_owned(),
            release: release(version),
            bump: Bump::Minor,
            fixes: Vec::new(),
            because_of: None,
            edits: Vec::new(),
        };
        Proposal {
            moves: vec![step("a", "1.1"), step("a", "2.1"), step("b", "1.2")],
            graph: TargetGraph {
                nodes: vec![TargetNode {
                    was: None,
                    name: "new".to_owned(),
                    release: Some(release("3")),
                    edges: Vec::new(),
                }],
                ..TargetGraph::default()
            },
            ..Proposal::default()
        }
    }

    #[test]
    fn a_refusal_is_of_the_version_that_it_names_first() {
        for (reason, expected) in [
            ("`b` has no hash in the registry", Some(("b", "1.2"))),
            ("`b` 1.2 needs `a` 2, and 1.0 is locked", Some(("b", "1.2"))),
            ("`a` 2.1 has no hash", Some(("a", "2.1"))),
            ("`new` is built from its sources", Some(("new", "3"))),
            ("`c` is required and cannot leave", None),
            ("a line b has no end", None),
        ] {
            let rejected = match refusal(reason.to_owned(), &proposal()) {
                Rejection::Version { rejected, .. } => Some(rejected),
                Rejection::Whole(_) | Rejection::Learned => None,
            };
            let expected = expected.map(|(name, version)| PackageVersion::new(name, version));
            assert_eq!(rejected, expected, "{reason}");
        }
    }
}
