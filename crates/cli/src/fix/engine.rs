//! The work on one lockfile: plan, relock, scan again, and keep only what holds.

use std::collections::BTreeSet;

use patchgate_ecosystems::{Siblings, Upgradable};
use patchgate_model::{Finding, Lockfile, Problem};
use patchgate_package_managers::RelockError;
use patchgate_upgrade::{ManifestEdit, Move, Proposal, bundler};

use super::knowledge::{Bans, Knowledge};
use super::tree::{Tree, ids};
use super::{Failure, Workshop, project, verify};

/// Most rounds of planning all findings at once: a moved parent can bring a child that must move
/// in turn.
const MAX_ROUNDS: usize = 8;

/// Most attempts in all rounds together; each runs the package manager.
const MAX_ATTEMPTS: usize = 24;

/// Most attempts for the findings of one package alone.
const MAX_SINGLE_ATTEMPTS: usize = 4;

/// What came of the work on one lockfile.
pub(super) struct Done {
    pub(super) ecosystem: &'static dyn Upgradable,
    pub(super) start: Tree,
    pub(super) end: Tree,
    /// Findings at the start and at the end.
    pub(super) before: Vec<Finding>,
    pub(super) after: Vec<Finding>,
    /// Moves in the order in which they were made.
    pub(super) moves: Vec<Move>,
    /// Why findings stay.
    pub(super) reasons: Vec<Reason>,
    pub(super) notes: Vec<String>,
    /// What could not be looked up for it.
    pub(super) problems: BTreeSet<Problem>,
    /// Manifests that changed.
    pub(super) manifests: Siblings,
}

/// Name and version of a package.
type PackageVersion = (String, String);

fn key(finding: &Finding) -> PackageVersion {
    (
        finding.package.name.clone(),
        finding.package.version.clone(),
    )
}

/// Why findings of a package version stay.
#[derive(Debug, Clone)]
pub(super) struct Reason {
    pub(super) package: String,
    pub(super) version: String,
    pub(super) ids: BTreeSet<String>,
    pub(super) text: String,
}

/// Why a set of moves was not taken.
enum Rejected {
    /// The manager refuses one version.
    Version {
        package: String,
        version: String,
        reason: String,
    },
    /// The set as a whole does not work.
    Whole(String),
    /// Nothing will work: the manager is missing, the sources do not answer.
    Fatal(Failure),
}

/// Works on one lockfile.
pub(super) async fn fix(
    workshop: &Workshop<'_>,
    ecosystem: &'static dyn Upgradable,
    lockfile: &Lockfile,
    manifests: &Siblings,
) -> Result<Done, Failure> {
    let bytes = workshop
        .contents
        .files
        .get(&lockfile.path)
        .cloned()
        .unwrap_or_default();
    let start = Tree::read(&lockfile.path, bytes, manifests.clone())?;
    let before = start.findings(workshop.source).await?;
    let configuration = project::configuration(ecosystem, workshop.root, &lockfile.path);
    let mut work = Work {
        workshop,
        ecosystem,
        knowledge: Knowledge::new(workshop, ecosystem, configuration.clone()),
        configuration,
        tree: start.clone(),
        findings: before.clone(),
        start,
        before,
        moves: Vec::new(),
        reasons: Vec::new(),
        notes: Vec::new(),
        bans: Bans::default(),
    };
    if work.wanted().next().is_some() && (!work.all_at_once().await? || !work.holds()) {
        work.restart();
        work.divide().await?;
    }
    work.bundles().await?;
    let changed = work
        .tree
        .manifests
        .iter()
        .filter(|(path, bytes)| work.start.manifests.get(*path) != Some(bytes))
        .map(|(path, bytes)| (path.clone(), bytes.clone()))
        .collect();
    Ok(Done {
        ecosystem,
        start: work.start,
        end: work.tree,
        before: work.before,
        after: work.findings,
        moves: work.moves,
        reasons: work.reasons,
        notes: work.notes,
        problems: work.knowledge.problems,
        manifests: changed,
    })
}

struct Work<'a> {
    workshop: &'a Workshop<'a>,
    ecosystem: &'static dyn Upgradable,
    knowledge: Knowledge<'a>,
    configuration: Vec<Vec<u8>>,
    start: Tree,
    before: Vec<Finding>,
    /// The state that holds so far.
    tree: Tree,
    findings: Vec<Finding>,
    moves: Vec<Move>,
    reasons: Vec<Reason>,
    notes: Vec<String>,
    bans: Bans,
}

impl<'a> Work<'a> {
    /// The findings that are to be ended.
    fn wanted(&self) -> impl Iterator<Item = &Finding> {
        self.findings
            .iter()
            .filter(|finding| !(self.workshop.is_ignored)(finding))
    }

    /// Whether a finding is about copies inside other packages' archives alone.
    fn is_bundled(&self, finding: &Finding) -> bool {
        let mut copies = self.tree.copies(finding).peekable();
        copies.peek().is_some() && copies.all(|copy| bundler(&self.tree.lockfile, copy).is_some())
    }

    /// A package version with findings that were not worked on yet.
    fn next_package(
        &self,
        bundled: bool,
        seen: &BTreeSet<PackageVersion>,
    ) -> Option<PackageVersion> {
        self.wanted()
            .filter(|finding| self.is_bundled(finding) == bundled)
            .map(key)
            .find(|key| !seen.contains(key))
    }

    /// Plans all findings together, round after round, until nothing is left to do. False when a
    /// round as a whole did not work.
    async fn all_at_once(&mut self) -> Result<bool, Failure> {
        let mut attempts = 0;
        for _ in 0..MAX_ROUNDS {
            loop {
                let loose: BTreeSet<PackageVersion> = self
                    .wanted()
                    .filter(|finding| !self.is_bundled(finding))
                    .map(key)
                    .collect();
                let proposal = self.propose(|key| loose.contains(key)).await?;
                self.keep_reasons(&proposal);
                if proposal.moves.is_empty() {
                    return Ok(true);
                }
                attempts += 1;
                if attempts > MAX_ATTEMPTS {
                    return Ok(false);
                }
                let steps: Vec<&Move> = proposal.moves.iter().collect();
                match self.attempt(&steps).await {
                    Ok((tree, findings, notes)) => {
                        let moved = tree.bytes != self.tree.bytes;
                        self.accept(tree, findings, notes, proposal.moves);
                        if !moved {
                            return Ok(true);
                        }
                        break;
                    }
                    Err(Rejected::Version {
                        package, version, ..
                    }) => {
                        self.bans
                            .refused
                            .entry(package)
                            .or_default()
                            .insert(version);
                    }
                    Err(Rejected::Whole(reason)) => {
                        tracing::debug!(reason, "the moves do not work together");
                        return Ok(false);
                    }
                    Err(Rejected::Fatal(failure)) => return Err(failure),
                }
            }
        }
        Ok(true)
    }

    /// Works on ever smaller groups of packages, keeping what holds: a group that does not work is
    /// halved, down to the package that stands in the way.
    async fn divide(&mut self) -> Result<(), Failure> {
        let mut seen = BTreeSet::new();
        loop {
            // What moved can bring new packages with findings, which make the next round.
            let mut round = Vec::new();
            while let Some(key) = self.next_package(false, &seen) {
                seen.insert(key.clone());
                round.push(key);
            }
            if round.is_empty() {
                return Ok(());
            }
            let middle = round.len() / 2;
            let mut groups = vec![round.split_off(middle), round];
            while let Some(mut group) = groups.pop() {
                match group.as_slice() {
                    [] => {}
                    [(package, version)] => self.single(package, version).await?,
                    _ if self.group(&group).await? => {}
                    _ => {
                        let second = group.split_off(group.len() / 2);
                        groups.extend([second, group]);
                    }
                }
            }
        }
    }

    /// Works on the findings of several package versions together. False when that does not hold.
    async fn group(&mut self, keys: &[PackageVersion]) -> Result<bool, Failure> {
        let proposal = self.propose(|key| keys.contains(key)).await?;
        let steps: Vec<&Move> = proposal.moves.iter().collect();
        if steps.is_empty() {
            self.keep_reasons(&proposal);
            return Ok(true);
        }
        match self.attempt(&steps).await {
            Ok((tree, findings, notes)) => {
                let holds = verify::violations(
                    self.ecosystem,
                    (&self.start.lockfile, &self.before),
                    (&tree.lockfile, &findings),
                )
                .is_empty();
                if holds {
                    self.keep_reasons(&proposal);
                    self.accept(tree, findings, notes, proposal.moves);
                }
                Ok(holds)
            }
            Err(Rejected::Fatal(failure)) => Err(failure),
            Err(Rejected::Version { .. } | Rejected::Whole(_)) => Ok(false),
        }
    }

    async fn single(&mut self, package: &str, version: &str) -> Result<(), Failure> {
        let mut last = String::new();
        for _ in 0..MAX_SINGLE_ATTEMPTS {
            let proposal = self
                .propose(|key| key.0 == package && key.1 == version)
                .await?;
            if proposal.moves.is_empty() {
                if last.is_empty() {
                    self.keep_reasons(&proposal);
                } else {
                    self.keep_reason(package, version, last);
                }
                return Ok(());
            }
            self.keep_reasons(&proposal);
            let steps: Vec<&Move> = proposal.moves.iter().collect();
            let (banned, to, reason) = match self.attempt(&steps).await {
                Ok((tree, findings, notes)) => {
                    let violations = verify::violations(
                        self.ecosystem,
                        (&self.start.lockfile, &self.before),
                        (&tree.lockfile, &findings),
                    );
                    let Some(violation) = violations.into_iter().next() else {
                        self.accept(tree, findings, notes, proposal.moves);
                        return Ok(());
                    };
                    let step = proposal
                        .moves
                        .iter()
                        .find(|step| step.name == package)
                        .unwrap_or(&proposal.moves[0]);
                    (step.name.clone(), step.to().to_owned(), violation)
                }
                Err(Rejected::Version {
                    package,
                    version,
                    reason,
                }) => (package, version, reason),
                Err(Rejected::Whole(reason)) => {
                    let step = &proposal.moves[0];
                    (step.name.clone(), step.to().to_owned(), reason)
                }
                Err(Rejected::Fatal(failure)) => return Err(failure),
            };
            last = format!("`{banned} {to}` does not work: {reason}");
            self.bans.refused.entry(banned).or_default().insert(to);
        }
        self.keep_reason(package, version, last);
        Ok(())
    }

    /// Tries to end findings of copies in other packages' archives by moving those packages. What
    /// an archive ships is known only once the manager has opened it, so the smallest release is
    /// tried first and then the newest.
    async fn bundles(&mut self) -> Result<(), Failure> {
        let mut seen = BTreeSet::new();
        while let Some((package, version)) = self.next_package(true, &seen) {
            seen.insert((package.clone(), version.clone()));
            self.bundle(&package, &version).await?;
        }
        Ok(())
    }

    async fn bundle(&mut self, package: &str, version: &str) -> Result<(), Failure> {
        let kept = self.bans.clone();
        let mut last = String::new();
        for _ in 0..MAX_SINGLE_ATTEMPTS {
            let proposal = self
                .propose(|key| key.0 == package && key.1 == version)
                .await?;
            self.keep_reasons(&proposal);
            if proposal.moves.is_empty() {
                break;
            }
            let count = self.count(package, version, &self.findings);
            let steps: Vec<&Move> = proposal.moves.iter().collect();
            match self.attempt(&steps).await {
                Ok((tree, findings, notes)) => {
                    let ended = self.count(package, version, &findings) < count;
                    let holds = verify::violations(
                        self.ecosystem,
                        (&self.start.lockfile, &self.before),
                        (&tree.lockfile, &findings),
                    )
                    .is_empty();
                    if ended && holds {
                        self.accept(tree, findings, notes, proposal.moves);
                        self.bans = kept;
                        return Ok(());
                    }
                }
                Err(Rejected::Fatal(failure)) => return Err(failure),
                Err(Rejected::Version { .. } | Rejected::Whole(_)) => {}
            }
            for step in &proposal.moves {
                last = format!(
                    "it is shipped inside the archive of `{}`, and {} does not end it either",
                    step.name,
                    step.to()
                );
                self.knowledge
                    .refuse_all_but_newest(&step.name, step.to(), &mut self.bans);
            }
        }
        self.bans = kept;
        if !last.is_empty() {
            self.keep_reason(package, version, last);
        }
        Ok(())
    }

    fn count(&self, package: &str, version: &str, findings: &[Finding]) -> usize {
        findings
            .iter()
            .filter(|finding| finding.package.name == package && finding.package.version == version)
            .map(|finding| finding.paths.len().max(1))
            .sum()
    }

    /// Asks the planner about the findings of the package versions that `is_asked` names.
    async fn propose(
        &mut self,
        is_asked: impl Fn(&PackageVersion) -> bool,
    ) -> Result<Proposal, Failure> {
        let findings: Vec<Finding> = self
            .wanted()
            .filter(|finding| is_asked(&key(finding)))
            .cloned()
            .collect();
        let findings: Vec<&Finding> = findings.iter().collect();
        let mut proposal = self
            .knowledge
            .plan(&self.tree, &findings, &self.bans)
            .await?;
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
    async fn attempt(
        &self,
        steps: &[&Move],
    ) -> Result<(Tree, Vec<Finding>, Vec<String>), Rejected> {
        (self.workshop.tell)(&match steps {
            [step] => format!("locking {} {}", step.name, step.to()),
            _ => format!(
                "locking {} packages of {}",
                steps.len(),
                self.tree.lockfile.path
            ),
        });
        let mut manifests = self.tree.manifests.clone();
        let edits: Vec<&ManifestEdit> = steps.iter().flat_map(|step| &step.edits).collect();
        project::edit(self.ecosystem, &mut manifests, &edits)
            .map_err(|failure| Rejected::Whole(failure.reason))?;
        let relocked = project::relock(
            self.ecosystem,
            self.workshop.root,
            &self.tree,
            &manifests,
            steps,
            &self.configuration,
            self.workshop.run,
        )
        .await
        .map_err(rejected)?;
        let tree = Tree::read(&self.tree.lockfile.path, relocked.lockfile, manifests)
            .map_err(|failure| Rejected::Whole(failure.reason))?;
        let findings = tree
            .findings(self.workshop.source)
            .await
            .map_err(Rejected::Fatal)?;
        Ok((tree, findings, relocked.notes))
    }

    fn accept(&mut self, tree: Tree, findings: Vec<Finding>, notes: Vec<String>, moves: Vec<Move>) {
        self.tree = tree;
        self.findings = findings;
        self.notes.extend(notes);
        self.moves.extend(moves);
    }

    fn holds(&self) -> bool {
        let violations = verify::violations(
            self.ecosystem,
            (&self.start.lockfile, &self.before),
            (&self.tree.lockfile, &self.findings),
        );
        tracing::debug!(?violations, "the whole result was checked");
        violations.is_empty()
    }

    fn restart(&mut self) {
        self.tree = self.start.clone();
        self.findings = self.before.clone();
        self.moves.clear();
        self.reasons.clear();
        self.notes.clear();
        self.bans = Bans::default();
    }

    fn keep_reasons(&mut self, proposal: &Proposal) {
        for left in &proposal.left {
            let Some(package) = self.tree.lockfile.package(left.copy) else {
                continue;
            };
            self.reasons.push(Reason {
                package: package.name.clone(),
                version: package.version.clone(),
                ids: left.ids.iter().cloned().collect(),
                text: left.reason.clone(),
            });
        }
    }

    fn keep_reason(&mut self, package: &str, version: &str, text: String) {
        let ids = self
            .findings
            .iter()
            .filter(|finding| finding.package.name == package && finding.package.version == version)
            .flat_map(|finding| ids(finding).map(str::to_owned))
            .collect();
        self.reasons.push(Reason {
            package: package.to_owned(),
            version: version.to_owned(),
            ids,
            text,
        });
    }
}

fn rejected(error: RelockError) -> Rejected {
    match error {
        RelockError::Refused {
            package,
            version,
            reason,
        } => Rejected::Version {
            package,
            version,
            reason,
        },
        RelockError::Failed { .. }
        | RelockError::Unstable { .. }
        | RelockError::Unusable { .. } => Rejected::Whole(crate::exit::chain(&error)),
        RelockError::NotInstalled { .. }
        | RelockError::Io { .. }
        | RelockError::Unreachable { .. }
        | RelockError::TimedOut { .. } => Rejected::Fatal(error.into()),
    }
}
