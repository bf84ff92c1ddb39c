//! Session on one lockfile: plan, relock, scan again, and keep only results without violations.

use std::collections::BTreeSet;

use patchgate_ecosystems::Siblings;
use patchgate_model::{Finding, Lockfile, PackageVersion};
use patchgate_package_managers::RelockError;
use patchgate_upgrade::{PlanOptions, PlannedUpgrade, Proposal};

use crate::context::{Failure, FixContext};
use crate::environments::Environments;
use crate::exclusions::Exclusions;
use crate::lock_state::{LockState, ids};
use crate::release_index::ReleaseIndex;
use crate::types::{
    Attempt, Checkpoint, FormatSupport, GroupOutcome, LockfileResult, LockfileSession, NewState,
    Reason, Rejection, RelockCache, Stop,
};
use crate::violation::Violation;
use crate::{attribution, evidence, verify};

/// Most rounds of planning: a moved parent can bring a child that must move in turn.
const MAX_ROUNDS: usize = 8;

/// Most versions that the manager may refuse of a group of packages before the group is divided.
const MAX_REFUSALS: usize = 8;

/// Most violations of one attempt whose cause is looked for; the rest shows again without it.
const MAX_BLAMED: usize = 100;

/// Most attempts for the findings of one package alone.
const MAX_SINGLE_ATTEMPTS: usize = 4;

/// Works on one lockfile.
pub(super) async fn fix(
    context: &FixContext<'_>,
    support: FormatSupport,
    lockfile: &Lockfile,
    manifests: &Siblings,
) -> Result<LockfileResult, Failure> {
    // The work on another lockfile may have changed this one already.
    let bytes = manifests
        .get(&lockfile.path)
        .or_else(|| context.contents.files.get(&lockfile.path))
        .cloned()
        .unwrap_or_default();
    let path = &lockfile.path;
    let start = LockState::read(support.format, path, bytes, manifests.clone())?;
    let before = context
        .time_limit
        .run_within(start.findings(context.source))
        .await
        .ok_or_else(|| Failure::from(context.time_limit.problem(&lockfile.path)))??;

    let configuration = support.locator.configuration(context.root, &lockfile.path);
    let ecosystem = support.ecosystem;
    let mut work = LockfileSession {
        context,
        support,
        ecosystem,
        options: PlanOptions {
            overrides: context.options.overrides && has_overrides(support, lockfile, manifests),
            ..context.options
        },
        releases: ReleaseIndex::new(
            context,
            ecosystem,
            support.locator,
            configuration.clone(),
            Environments::of(support, &start),
        ),
        configuration,
        tree: start.clone(),
        findings: before.clone(),
        start,
        before,
        moves: Vec::new(),
        reasons: Vec::new(),
        notes: Vec::new(),
        exclusions: Exclusions::default(),
        relock_cache: RelockCache::default(),
        unproven: None,
        attempts: 0,
        lessons: 0,
        unused: None,
    };
    let stopped = work.run().await.err();

    work.done(stopped)
}

/// Whether the format of a lockfile has overrides, which a manifest states.
fn has_overrides(support: FormatSupport, lockfile: &Lockfile, manifests: &Siblings) -> bool {
    let Some((writer, package)) = support.writer.zip(lockfile.packages.first()) else {
        return false;
    };
    if !writer.writes_overrides(lockfile) {
        return false;
    }
    let written = writer.write_override(&lockfile.path, manifests, &package.name, &package.version);
    matches!(written, Ok(Some(_)))
}

impl LockfileSession<'_> {
    /// Runs the whole search, until nothing is left to do.
    async fn run(&mut self) -> Result<(), Stop> {
        if self.wanted().next().is_none() {
            return Ok(());
        }

        self.unused = self.unused_lockfile().await?;
        if self.unused.is_some() {
            return Ok(());
        }

        let mut seen = BTreeSet::new();
        for _ in 0..MAX_ROUNDS {
            // An upgrade can bring new packages with findings, which make the next round.
            let round: Vec<PackageVersion> = self.loose().difference(&seen).cloned().collect();
            if round.is_empty() {
                break;
            }
            seen.extend(round.iter().cloned());
            self.bisect(round).await?;
        }

        self.fix_bundled().await
    }

    /// The reason why the package manager does not use the lockfile, when it does not.
    async fn unused_lockfile(&self) -> Result<Option<String>, Stop> {
        let Some(manager) = self.support.manager else {
            return Ok(None);
        };
        let project = self.start.project(self.context.root, &self.configuration);
        let asking = manager.unused_lockfile(project, self.context.run);
        let answer = self.context.time_limit.run_within(asking).await;

        match answer.ok_or(Stop::OutOfTime)? {
            // What is written directly does not need the manager.
            Err(RelockError::NotInstalled { .. }) if self.support.writer.is_some() => Ok(None),
            answer => answer.map_err(|error| Stop::Failed(error.into())),
        }
    }

    /// The result. Work that was stopped counts as far as it got, if it got anywhere.
    fn done(mut self, stopped: Option<Stop>) -> Result<LockfileResult, Failure> {
        let is_stopped = stopped.is_some();
        let otherwise = match stopped {
            None => self.unused.unwrap_or_else(|| {
                "no set of upgrades was found that fixes it without breaking something else"
                    .to_owned()
            }),
            Some(Stop::OutOfTime) => {
                let limit = self.context.time_limit;
                let problem = limit.problem(&self.start.lockfile.path);
                self.releases.problems.insert(problem);
                format!("not every upgrade was tried: {}", limit.reason())
            }
            Some(Stop::Failed(failure)) if self.moves.is_empty() => return Err(failure),
            Some(Stop::Failed(failure)) => {
                let text = format!("not every upgrade was tried: {}", failure.reason);
                let problem = failure.into_problem(&self.start.lockfile.path);
                self.releases.problems.insert(problem);
                text
            }
        };

        let unproven = self.unproven.take().filter(|_| !self.moves.is_empty());
        self.notes.extend(unproven.map(|reason| {
            let path = &self.start.lockfile.path;
            format!("`{path}` was written directly and not checked: {reason}")
        }));
        let manifests = self
            .tree
            .manifests
            .iter()
            .filter(|(path, bytes)| self.start.manifests.get(*path) != Some(bytes))
            .map(|(path, bytes)| (path.clone(), bytes.clone()))
            .collect();

        Ok(LockfileResult {
            evidence: evidence::known(&self.releases, &self.start, &self.tree),
            ecosystem: self.ecosystem,
            start: self.start,
            end: self.tree,
            before: self.before,
            after: self.findings,
            moves: self.moves,
            reasons: self.reasons,
            otherwise,
            stopped: is_stopped,
            notes: self.notes,
            problems: self.releases.problems,
            manifests,
        })
    }

    /// The findings that need a fix.
    pub(super) fn wanted(&self) -> impl Iterator<Item = &Finding> {
        self.findings
            .iter()
            .filter(|finding| !self.context.suppressions.covers(finding))
            .filter(|finding| self.context.is_asked(finding))
    }

    /// The package versions with findings that are not shipped inside archives of others.
    fn loose(&self) -> BTreeSet<PackageVersion> {
        self.wanted()
            .filter(|finding| !self.is_bundled(finding))
            .map(|finding| finding.package.package_version())
            .collect()
    }

    /// Fixes a group of package versions, by delta debugging: a group that fails is split. The
    /// members that are known to cause the failure are set apart; when none is known the group is
    /// halved, down to single package versions.
    async fn bisect(&mut self, round: Vec<PackageVersion>) -> Result<(), Stop> {
        let mut groups = vec![round];
        while let Some(group) = groups.pop() {
            if let [package] = group.as_slice() {
                self.fix_one(package).await?;
                continue;
            }

            let keys = group.iter().cloned().collect();
            let GroupOutcome::Fails {
                blamed,
                rejected,
                reason,
            } = self.try_group(&keys, MAX_REFUSALS).await?
            else {
                continue;
            };

            tracing::debug!(?blamed, %rejected, reason, "the upgrades do not work together");
            let (mut later, mut first): (Vec<_>, Vec<_>) =
                group.into_iter().partition(|key| blamed.contains(key));
            if later.is_empty() || first.is_empty() {
                first.append(&mut later);
                later = first.split_off(first.len() / 2);
            }

            groups.extend([later, first]);
        }

        Ok(())
    }

    /// Works on the findings of one package version, over several of its releases.
    async fn fix_one(&mut self, package: &PackageVersion) -> Result<(), Stop> {
        let keys = BTreeSet::from([package.clone()]);
        let mut last = None;
        for _ in 0..MAX_SINGLE_ATTEMPTS {
            match self.try_group(&keys, 0).await? {
                GroupOutcome::Holds(true) => return Ok(()),
                GroupOutcome::Holds(false) => break,
                GroupOutcome::Fails {
                    rejected, reason, ..
                } => {
                    last = Some(format!("`{rejected}` does not work: {reason}"));
                    self.exclusions.refuse(rejected, reason);
                }
            }
        }

        if let Some(last) = last {
            self.keep_reason(package, last);
        }

        Ok(())
    }

    /// Fixes several package versions together, including findings that the changes bring. The
    /// state stays as it was when the result has violations. `refusals` is the number of versions
    /// that the manager may refuse.
    async fn try_group(
        &mut self,
        keys: &BTreeSet<PackageVersion>,
        refusals: usize,
    ) -> Result<GroupOutcome, Stop> {
        let checkpoint = Checkpoint {
            tree: self.tree.clone(),
            findings: self.findings.clone(),
            moves: self.moves.len(),
            reasons: self.reasons.len(),
            notes: self.notes.len(),
            exclusions: self.exclusions.clone(),
        };
        let tried = self.run_rounds(keys, &checkpoint, refusals).await;
        let holds = match &tried {
            Ok(GroupOutcome::Holds(_)) => true,
            Ok(GroupOutcome::Fails { .. }) => false,
            // Work that was stopped half-way may still have reached a state without violations.
            Err(_) => self.violations_of(&self.tree, &self.findings).is_empty(),
        };
        if !holds {
            self.tree = checkpoint.tree;
            self.findings = checkpoint.findings;
            self.moves.truncate(checkpoint.moves);
            self.reasons.truncate(checkpoint.reasons);
            self.notes.truncate(checkpoint.notes);
            self.exclusions = checkpoint.exclusions;
        }

        tried
    }

    async fn run_rounds(
        &mut self,
        keys: &BTreeSet<PackageVersion>,
        start: &Checkpoint,
        refusals: usize,
    ) -> Result<GroupOutcome, Stop> {
        let known = self.loose();
        let mut refused = BTreeSet::new();
        let mut rounds = MAX_ROUNDS + refusals;
        while rounds > 0 {
            rounds -= 1;
            let proposal = self
                .propose(
                    |work, finding| {
                        let key = finding.package.package_version();
                        !work.is_bundled(finding) && (keys.contains(&key) || !known.contains(&key))
                    },
                    |_, _| true,
                    self.options,
                )
                .await?;
            let moves = &proposal.moves;
            if moves.is_empty() {
                self.keep_reasons(&proposal);
                break;
            }

            let attempt = self.attempt(&proposal).await?;
            if matches!(attempt, Attempt::Rejected(Rejection::Learned)) {
                rounds += 1;
                continue;
            }
            self.keep_reasons(&proposal);
            match attempt {
                Attempt::Locked(locked) => {
                    let moved = locked.tree.bytes != self.tree.bytes;
                    self.accept(*locked, proposal.moves);
                    if !moved {
                        break;
                    }
                }
                Attempt::Rejected(Rejection::Version { rejected, reason }) => {
                    // A package that is refused twice is worked on alone.
                    if refused.len() < refusals && refused.insert(rejected.name.clone()) {
                        self.exclusions.refuse(rejected, reason);
                        continue;
                    }

                    let movers = moves.iter().filter(|step| step.name == rejected.name);
                    return Ok(GroupOutcome::Fails {
                        blamed: asked_for(movers, keys, start),
                        rejected,
                        reason,
                    });
                }
                Attempt::Rejected(Rejection::Learned) => {}
                Attempt::Rejected(Rejection::Whole(reason)) => {
                    let movers = attribution::named(&reason, moves);
                    return Ok(fails(movers, moves, keys, start, reason));
                }
            }
        }

        // The result must not break a promise of the fix.
        let violations = self.violations_of(&self.tree, &self.findings);
        let moves = &self.moves[start.moves..];
        let Some(first) = violations.first() else {
            return Ok(GroupOutcome::Holds(!moves.is_empty()));
        };
        let movers = violations
            .iter()
            .take(MAX_BLAMED)
            .flat_map(|violation| {
                attribution::changes_behind(&self.tree.lockfile, violation, moves)
            })
            .collect();

        Ok(fails(movers, moves, keys, start, first.text.clone()))
    }

    /// The violations of a state, measured against the start.
    pub(super) fn violations_of(&self, tree: &LockState, findings: &[Finding]) -> Vec<Violation> {
        verify::violations(
            self.ecosystem,
            (&self.start.lockfile, &self.before),
            (&tree.lockfile, findings),
            &tree.overrides,
        )
    }

    pub(super) fn accept(&mut self, locked: NewState, moves: Vec<PlannedUpgrade>) {
        self.tree = locked.tree;
        self.findings = locked.findings;
        self.notes.extend(locked.notes);
        self.moves.extend(moves);
    }

    pub(super) fn keep_reasons(&mut self, proposal: &Proposal) {
        for left in &proposal.left {
            let Some(package) = self.tree.lockfile.package(left.copy) else {
                continue;
            };
            self.reasons.push(Reason {
                package: PackageVersion::new(&*package.name, &*package.version),
                ids: left.ids.iter().cloned().collect(),
                text: left.reason.clone(),
            });
        }
    }

    pub(super) fn keep_reason(&mut self, package: &PackageVersion, text: String) {
        let ids = self
            .findings
            .iter()
            .filter(|finding| finding.package.package_version() == *package)
            .flat_map(|finding| ids(finding).map(str::to_owned))
            .collect();
        self.reasons.push(Reason {
            package: package.clone(),
            ids,
            text,
        });
    }
}

/// A failure that `movers` caused, or none of the version changes in particular.
fn fails(
    movers: Vec<&PlannedUpgrade>,
    moves: &[PlannedUpgrade],
    keys: &BTreeSet<PackageVersion>,
    start: &Checkpoint,
    reason: String,
) -> GroupOutcome {
    let rejected = movers
        .first()
        .copied()
        .or(moves.first())
        .map(|step| PackageVersion::new(step.name.as_str(), step.to()))
        .unwrap_or_default();
    GroupOutcome::Fails {
        blamed: asked_for(movers, keys, start),
        rejected,
        reason,
    }
}

/// The package versions that caused the given version changes.
fn asked_for<'m>(
    moves: impl IntoIterator<Item = &'m PlannedUpgrade>,
    keys: &BTreeSet<PackageVersion>,
    start: &Checkpoint,
) -> BTreeSet<PackageVersion> {
    let moves: Vec<&PlannedUpgrade> = moves.into_iter().collect();
    let is_meant = |package: &&PackageVersion| {
        moves.iter().any(|step| {
            (step.name == package.name && step.from == package.version)
                || step.because_of.as_ref() == Some(&package.name)
                || start.findings.iter().any(|finding| {
                    finding.package.package_version() == **package
                        && step.fixes.contains(&finding.id)
                })
        })
    };

    keys.iter().filter(is_meant).cloned().collect()
}
