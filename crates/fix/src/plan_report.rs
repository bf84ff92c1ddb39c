//! From the work on each lockfile to the plan.

use std::collections::{BTreeMap, BTreeSet};

use patchgate_ecosystems::{Ecosystem, Upgradable, by_name, fixable_format};
use patchgate_model::{
    Bump, FileChange, Finding, FixedFinding, FixedVersion, Lockfile, PackageRef, PackageVersion,
    Plan, Problem, Unfixed, UnfixedClass, Upgrade,
};
use patchgate_package_managers::locator_of;
use patchgate_upgrade::PlannedUpgrade;

use crate::change_graph::fixed_finding;
use crate::context::{Failure, FixContext, Fixed};
use crate::evidence;
use crate::lock_state::{self, ids};
use crate::types::LockfileResult;

/// Adds what came of one lockfile.
pub(super) fn add(fixed: &mut Fixed, context: &FixContext<'_>, done: LockfileResult) {
    let mut upgrades = merged(&done);
    let ended: Vec<_> = ended(context, &done)
        .into_iter()
        .map(|finding| (finding, credit(&mut upgrades, &done, finding)))
        .collect();

    fixed.judged.insert(done.start.lockfile.path.clone());
    fixed.plan.unfixed.extend(unfixed(context, &done));
    if !upgrades.is_empty() || !ended.is_empty() {
        fixed.changes.add(&done, &upgrades, &ended);
        change(
            &mut fixed.plan,
            &done.start.lockfile.path,
            &done.start.bytes,
            &done.end.bytes,
        );
        for (path, bytes) in &done.manifests {
            let before = done.start.manifests.get(path).cloned().unwrap_or_default();
            change(&mut fixed.plan, path, &before, bytes);
        }

        fixed.notes.extend(done.notes);
        fixed.plan.evidence.extend(done.evidence);
    }

    fixed.plan.upgrades.extend(upgrades);
}

/// Adds what no lockfile had an answer for, and puts everything into the order that a plan
/// promises.
pub(super) fn finish(
    fixed: &mut Fixed,
    context: &FixContext<'_>,
    findings: &[Finding],
    problems: &[Problem],
) {
    let left = not_tried(fixed, context, findings, problems);
    let plan = &mut fixed.plan;
    plan.unfixed.extend(left);
    sort_unfixed(&mut plan.unfixed);
    for upgrade in &mut plan.upgrades {
        upgrade.fixes.sort();
        upgrade.fixes.dedup();
        upgrade.requirement_changes.sort();
        upgrade.requirement_changes.dedup();
    }

    plan.upgrades.sort_by(|a, b| {
        (&a.lockfile, &a.package, &a.from, &a.to).cmp(&(&b.lockfile, &b.package, &b.from, &b.to))
    });
    evidence::sort(plan);
    plan.changes.retain(|change| change.before != change.after);
    plan.changes.sort_by(|a, b| a.path.cmp(&b.path));

    // Findings with their urgency: incidents first, then the score in tenths of a point.
    let urgency: BTreeMap<FixedFinding, (bool, i64)> = findings
        .iter()
        .map(|finding| {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "a score is at most 100 points"
            )]
            let score = (finding.score.value * 10.0).round() as i64;
            (fixed_finding(finding), (finding.malicious, score))
        })
        .collect();
    let mut changes = std::mem::take(&mut fixed.changes);
    changes.connect_groups(context.policy.settings);
    changes.finish(plan, |finding| urgency.get(finding).copied());
}

/// Puts findings that remain into the order that a plan promises.
pub(super) fn sort_unfixed(unfixed: &mut [Unfixed]) {
    unfixed.sort_by(|a, b| {
        (&a.lockfile, &a.package, &a.version, &a.ids).cmp(&(
            &b.lockfile,
            &b.package,
            &b.version,
            &b.ids,
        ))
    });
}

/// Findings in lockfiles that could not be worked on. They are reported, so that none is missing.
fn not_tried(
    fixed: &Fixed,
    context: &FixContext<'_>,
    findings: &[Finding],
    problems: &[Problem],
) -> Vec<Unfixed> {
    let mut grouped: BTreeMap<(String, PackageRef), Vec<&Finding>> = BTreeMap::new();
    // Requirements without a lockfile are raised, or have a reason, one by one.
    let of_lockfiles = findings
        .iter()
        .filter(|finding| finding.requirement.is_none());
    for finding in of_lockfiles.filter(|finding| context.is_asked(finding)) {
        let files: BTreeSet<&str> = finding
            .locations
            .iter()
            .map(|location| location.file.as_str())
            .filter(|file| !fixed.judged.contains(*file))
            .collect();
        for file in files {
            let key = (file.to_owned(), finding.package.clone());
            grouped.entry(key).or_default().push(finding);
        }
    }

    grouped
        .into_iter()
        .map(|((file, package), findings)| {
            let problem = problems.iter().find(|problem| problem.subject == file);
            let reason = match problem {
                Some(problem) => format!("it was not tried: {}", problem.reason),
                None => "it was not tried".to_owned(),
            };
            let group = Group {
                reason,
                class: UnfixedClass::NotTried,
                is_new: false,
            };
            group.unfixed(file, package, &findings)
        })
        .collect()
}

/// Records a change; a second one of the same file goes on from the first.
pub(super) fn change(plan: &mut Plan, path: &str, before: &[u8], after: &[u8]) {
    match plan.changes.iter_mut().find(|change| change.path == path) {
        Some(change) => change.after = after.to_vec(),
        None => plan.changes.push(FileChange {
            path: path.to_owned(),
            before: before.to_vec(),
            after: after.to_vec(),
        }),
    }
}

/// The moves of all rounds as upgrades: copies that move alike are one, and a package that moved
/// twice moved once, from the first version to the last.
fn merged(done: &LockfileResult) -> Vec<Upgrade> {
    let mut upgrades: Vec<Upgrade> = Vec::new();
    for step in &done.moves {
        let changes = step
            .edits
            .iter()
            .map(|edit| format!("{}: {} -> {}", edit.manifest, edit.edit.from, edit.edit.to));
        let known = upgrades.iter_mut().find(|upgrade| {
            upgrade.package == step.name
                && (upgrade.to == step.from
                    || (upgrade.from == step.from && upgrade.to == step.to()))
        });

        match known {
            Some(upgrade) => {
                step.to().clone_into(&mut upgrade.to);
                upgrade.bump = bump(done.ecosystem, &upgrade.from, &upgrade.to);
                upgrade.requirement_changes.extend(changes);
            }
            None => upgrades.push(new_upgrade(done, step, changes.collect())),
        }
    }
    // A package that is not in the final tree was not upgraded: the upgrade of a parent may have
    // removed it.
    let there = |name: &str, version: &str, lockfile: &Lockfile| {
        lockfile
            .packages
            .iter()
            .any(|package| package.name == name && package.version == version)
    };

    for upgrade in &mut upgrades {
        // Several members may take their requirement from one line.
        let mut told = BTreeSet::new();
        upgrade
            .requirement_changes
            .retain(|change| told.insert(change.clone()));
    }

    for (name, given) in &done.end.overrides {
        let own = upgrades
            .iter_mut()
            .filter(|upgrade| upgrade.package == *name && upgrade.to == given.version);
        for upgrade in own {
            let change = format!("{}: override to {}", given.manifest, given.version);
            upgrade.requirement_changes.push(change);
        }
    }

    upgrades.retain(|upgrade| there(&upgrade.package, &upgrade.to, &done.end.lockfile));
    upgrades
}

fn new_upgrade(
    done: &LockfileResult,
    step: &PlannedUpgrade,
    requirement_changes: Vec<String>,
) -> Upgrade {
    Upgrade {
        ecosystem: done.ecosystem.name(),
        lockfile: done.start.lockfile.path.clone(),
        package: step.name.clone(),
        from: step.from.clone(),
        to: step.to().to_owned(),
        bump: step.bump,
        fixes: Vec::new(),
        requirement_changes,
        because_of: step.because_of.clone(),
    }
}

fn bump(ecosystem: &dyn Upgradable, from: &str, to: &str) -> Bump {
    ecosystem.bump(from, to).unwrap_or(Bump::Major)
}

/// Findings of the start that the end has no more: neither in that package version nor in the one
/// that replaces it.
fn ended<'d>(context: &FixContext<'_>, done: &'d LockfileResult) -> Vec<&'d Finding> {
    done.before
        .iter()
        .filter(|finding| !context.suppressions.covers(finding))
        .filter(|finding| !done.after.iter().any(|after| same(finding, after)))
        .filter(|finding| !stays_elsewhere(done, finding))
        .collect()
}

/// Whether another version has the finding that did not have it before.
fn stays_elsewhere(done: &LockfileResult, finding: &Finding) -> bool {
    done.after.iter().any(|after| {
        after.package.name == finding.package.name
            && after.package.version != finding.package.version
            && ids(after).any(|id| ids(finding).any(|other| other == id))
            && !done.before.iter().any(|before| same(before, after))
    })
}

fn same(a: &Finding, b: &Finding) -> bool {
    a.package == b.package && ids(a).any(|id| ids(b).any(|other| other == id))
}

/// Whether a finding is one that another version of its package had: an upgrade that fixes others
/// does not bring it.
fn same_in_any_version(a: &Finding, b: &Finding) -> bool {
    let package = |finding: &Finding| (finding.package.ecosystem, finding.package.name.clone());
    package(a) == package(b) && ids(a).any(|id| ids(b).any(|other| other == id))
}

/// Notes a finding at the upgrade that fixes it, and returns its index: that of its own package,
/// else the one that let it go, else the nearest above it.
fn credit(upgrades: &mut [Upgrade], done: &LockfileResult, finding: &Finding) -> Option<usize> {
    let own = upgrades.iter().position(|upgrade| {
        upgrade.package == finding.package.name && upgrade.from == finding.package.version
    });
    let mover = || {
        done.moves
            .iter()
            .filter(|step| step.fixes.contains(&finding.id))
            .find_map(|step| {
                upgrades
                    .iter()
                    .position(|upgrade| upgrade.package == step.name)
            })
    };

    let above = || {
        finding.paths.iter().flatten().rev().find_map(|step| {
            upgrades
                .iter()
                .position(|upgrade| *step == format!("{}@{}", upgrade.package, upgrade.from))
        })
    };

    let index = own.or_else(mover).or_else(above)?;
    let upgrade = upgrades.get_mut(index)?;
    upgrade.fixes.push(finding.id.clone());
    if own.is_some() {
        upgrade.because_of = None;
    }

    Some(index)
}

/// The findings in a lockfile that `fix` does not change, with the reason.
///
/// # Errors
/// When something could not be looked up or judged.
pub(super) async fn not_changed(
    context: &FixContext<'_>,
    lockfile: &Lockfile,
    reason: &str,
) -> Result<Vec<Unfixed>, Failure> {
    let found = lock_state::findings(lockfile, context.source).await?;
    let mut grouped: BTreeMap<PackageRef, Vec<&Finding>> = BTreeMap::new();
    for finding in &found {
        if !context.suppressions.covers(finding) && context.is_asked(finding) {
            grouped
                .entry(finding.package.clone())
                .or_default()
                .push(finding);
        }
    }

    // A file that was read in part, and one that needs another engine, are of a format that `fix`
    // changes.
    let is_changeable =
        fixable_format(&lockfile.path).is_some_and(|(_, format)| locator_of(format.id).is_some());
    let group = Group {
        reason: reason.to_owned(),
        class: match is_changeable {
            true => UnfixedClass::Blocked,
            false => UnfixedClass::Format,
        },
        is_new: false,
    };
    let unfixed = grouped.into_iter().map(|(package, findings)| {
        let path = lockfile.path.clone();
        group.clone().unfixed(path, package, &findings)
    });

    Ok(unfixed.collect())
}

/// Why findings remain. Those of one package version with the same reason are reported together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Group {
    reason: String,
    class: UnfixedClass,
    is_new: bool,
}

impl Group {
    fn unfixed(self, lockfile: String, package: PackageRef, findings: &[&Finding]) -> Unfixed {
        let fixed_version =
            by_name(package.ecosystem).and_then(|ecosystem| fixed_version(ecosystem, findings));
        Unfixed {
            ecosystem: package.ecosystem,
            lockfile,
            package: package.name,
            version: package.version,
            ids: findings.iter().map(|finding| finding.id.clone()).collect(),
            reason: self.reason,
            class: self.class,
            fixed_version,
            is_new: self.is_new,
        }
    }
}

/// The class of findings in a file that `fix` can change or cannot.
pub(super) fn class(findings: &[&Finding], is_changeable: bool) -> UnfixedClass {
    let has_fix = |finding: &&Finding| matches!(finding.fixed, FixedVersion::At(_));
    match (findings.iter().all(has_fix), is_changeable) {
        (false, _) => UnfixedClass::NoRelease,
        (true, false) => UnfixedClass::Format,
        (true, true) => UnfixedClass::Blocked,
    }
}

/// The smallest version that fixes all findings of one package, as far as the records say.
pub(super) fn fixed_version(ecosystem: &dyn Ecosystem, findings: &[&Finding]) -> Option<String> {
    let mut greatest: Option<&str> = None;
    for finding in findings {
        let FixedVersion::At(version) = &finding.fixed else {
            return None;
        };
        let is_greater = match greatest {
            Some(known) => ecosystem.compare_versions(version, known).ok()?.is_gt(),
            None => true,
        };
        if is_greater {
            greatest = Some(version);
        }
    }

    greatest.map(str::to_owned)
}

/// The reason for a finding to which the planner gave none.
fn without_reason(class: UnfixedClass, package: &PackageVersion, otherwise: &str) -> String {
    match class {
        UnfixedClass::NoRelease => format!(
            "no release of `{}` above {} is known to fix it",
            package.name, package.version
        ),
        _ => otherwise.to_owned(),
    }
}

/// Findings at the end, with why they stay.
fn unfixed(context: &FixContext<'_>, done: &LockfileResult) -> Vec<Unfixed> {
    let mut grouped: BTreeMap<(PackageVersion, Group), Vec<&Finding>> = BTreeMap::new();
    for finding in &done.after {
        if context.suppressions.covers(finding) || !context.is_asked(finding) {
            continue;
        }

        let package = finding.package.package_version();
        let reason = done.reasons.iter().rev().find(|reason| {
            reason.package == package && ids(finding).any(|id| reason.ids.contains(id))
        });
        let class = match (&finding.fixed, done.stopped && reason.is_none()) {
            (_, true) => UnfixedClass::NotTried,
            (FixedVersion::None(_), false) => UnfixedClass::NoRelease,
            (FixedVersion::At(_), false) => UnfixedClass::Blocked,
        };
        let otherwise = || without_reason(class, &package, &done.otherwise);
        let group = Group {
            reason: reason.map_or_else(otherwise, |reason| reason.text.clone()),
            class,
            is_new: !done
                .before
                .iter()
                .any(|before| same_in_any_version(before, finding)),
        };
        grouped.entry((package, group)).or_default().push(finding);
    }

    grouped
        .into_iter()
        .filter_map(|((_, group), findings)| {
            let package = findings.first()?.package.clone();
            let path = done.start.lockfile.path.clone();
            Some(group.unfixed(path, package, &findings))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_without_a_fixed_release_says_so() {
        let package = PackageVersion::new("leaf", "1.0.0");
        let reason = |class| without_reason(class, &package, "not every upgrade was tried");

        assert_eq!(
            reason(UnfixedClass::NoRelease),
            "no release of `leaf` above 1.0.0 is known to fix it"
        );
        assert_eq!(reason(UnfixedClass::Blocked), "not every upgrade was tried");
    }
}
