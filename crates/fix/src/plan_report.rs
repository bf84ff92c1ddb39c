//! From the work on each lockfile to the plan.

use std::collections::{BTreeMap, BTreeSet};

use patchgate_ecosystems::Upgradable;
use patchgate_model::{
    Bump, FileChange, Finding, Lockfile, PackageRef, PackageVersion, Plan, Unfixed, Upgrade,
};
use patchgate_upgrade::PlannedUpgrade;

use crate::context::{Failure, FixContext, Fixed};
use crate::lock_state::{self, ids};
use crate::types::LockfileResult;

/// Adds what came of one lockfile.
pub(super) fn add(fixed: &mut Fixed, context: &FixContext<'_>, done: LockfileResult) {
    let mut upgrades = merged(&done);
    for finding in ended(&done) {
        credit(&mut upgrades, &done, finding);
    }

    fixed.plan.unfixed.extend(unfixed(context, &done));
    if !upgrades.is_empty() {
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
    }

    fixed.plan.upgrades.extend(upgrades);
}

/// Puts everything into the order that a plan promises.
pub(super) fn finish(plan: &mut Plan) {
    for upgrade in &mut plan.upgrades {
        upgrade.fixes.sort();
        upgrade.fixes.dedup();
        upgrade.requirement_changes.sort();
        upgrade.requirement_changes.dedup();
    }

    plan.upgrades.sort_by(|a, b| {
        (&a.lockfile, &a.package, &a.from, &a.to).cmp(&(&b.lockfile, &b.package, &b.from, &b.to))
    });
    plan.unfixed.sort_by(|a, b| {
        (&a.lockfile, &a.package, &a.version, &a.ids).cmp(&(
            &b.lockfile,
            &b.package,
            &b.version,
            &b.ids,
        ))
    });
    plan.changes.retain(|change| change.before != change.after);
    plan.changes.sort_by(|a, b| a.path.cmp(&b.path));
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

/// Findings of the start that the end has no more in that package version.
fn ended(done: &LockfileResult) -> Vec<&Finding> {
    done.before
        .iter()
        .filter(|finding| !done.after.iter().any(|after| same(finding, after)))
        .collect()
}

fn same(a: &Finding, b: &Finding) -> bool {
    a.package == b.package && ids(a).any(|id| ids(b).any(|other| other == id))
}

/// Notes a finding at the upgrade that ended it: that of its own package, else the one that let it
/// go, else the nearest above it.
fn credit(upgrades: &mut [Upgrade], done: &LockfileResult, finding: &Finding) {
    let stays_elsewhere = done.after.iter().any(|after| {
        after.package.name == finding.package.name
            && after.package.version != finding.package.version
            && ids(after).any(|id| ids(finding).any(|other| other == id))
            && !done.before.iter().any(|before| same(before, after))
    });
    if stays_elsewhere {
        return;
    }

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

    if let Some(upgrade) = own
        .or_else(mover)
        .or_else(above)
        .and_then(|place| upgrades.get_mut(place))
    {
        upgrade.fixes.push(finding.id.clone());
        if own.is_some() {
            upgrade.because_of = None;
        }
    }
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
    let mut grouped: BTreeMap<PackageRef, Vec<String>> = BTreeMap::new();
    for finding in lock_state::findings(lockfile, context.source).await? {
        if !context.suppressions.covers(&finding) && context.is_asked(&finding) {
            grouped.entry(finding.package).or_default().push(finding.id);
        }
    }

    let unfixed = grouped.into_iter().map(|(package, ids)| Unfixed {
        ecosystem: package.ecosystem,
        lockfile: lockfile.path.clone(),
        package: package.name,
        version: package.version,
        ids,
        reason: reason.to_owned(),
    });

    Ok(unfixed.collect())
}

/// Findings at the end, with why they stay.
fn unfixed(context: &FixContext<'_>, done: &LockfileResult) -> Vec<Unfixed> {
    let mut grouped: BTreeMap<(PackageVersion, String), Vec<String>> = BTreeMap::new();
    for finding in &done.after {
        if context.suppressions.covers(finding) || !context.is_asked(finding) {
            continue;
        }

        let package = finding.package.package_version();
        let text = done
            .reasons
            .iter()
            .rev()
            .find(|reason| {
                reason.package == package && ids(finding).any(|id| reason.ids.contains(id))
            })
            .map_or_else(|| done.otherwise.clone(), |reason| reason.text.clone());
        grouped
            .entry((package, text))
            .or_default()
            .push(finding.id.clone());
    }

    grouped
        .into_iter()
        .map(|((package, reason), ids)| Unfixed {
            ecosystem: done.ecosystem.name(),
            lockfile: done.start.lockfile.path.clone(),
            package: package.name,
            version: package.version,
            ids,
            reason,
        })
        .collect()
}
