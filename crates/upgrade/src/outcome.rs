//! The proposal made from the decisions of the search.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use patchgate_ecosystems::{Release, RequirementEdit};
use patchgate_model::{Bump, PackageIndex};

use crate::graph::{self, Parent};
use crate::request::{Left, ManifestEdit, PlannedUpgrade, Proposal};
use crate::search::{Search, State};

/// Upgrades, dependents first, and the findings that remain.
pub(crate) fn proposal(search: &Search<'_>, state: &mut State<'_>) -> Proposal {
    let alive = search.alive(state);
    state.targets.retain(|copy, _| alive.contains(copy));
    state.blocked.retain(|copy, _| alive.contains(copy));
    let credits = credits(search, state);
    let mut moves: Vec<PlannedUpgrade> = state
        .targets
        .iter()
        .filter_map(|(copy, release)| one_move(search, state, *copy, release, &credits))
        .collect();
    moves.sort_by_key(|step| (search.depths.get(step.copy.0 as usize).copied(), step.copy));

    Proposal {
        moves,
        left: left(search, state),
    }
}

fn one_move(
    search: &Search<'_>,
    state: &State<'_>,
    copy: PackageIndex,
    release: &Release,
    credits: &BTreeMap<PackageIndex, BTreeSet<String>>,
) -> Option<PlannedUpgrade> {
    let package = search.request.lockfile.package(copy)?;
    let own = search.findings_of(copy);
    let after = search.judge(&package.name, &release.version)?;
    let mut fixes: BTreeSet<String> = own.difference(&after).cloned().collect();
    fixes.extend(credits.get(&copy).into_iter().flatten().cloned());
    let because_of = state
        .goals
        .get(&copy)
        .filter(|_| own.is_empty())
        .and_then(|goals| goals.keys().next())
        .and_then(|needed| search.request.lockfile.package(*needed))
        .map(|needed| needed.name.clone());

    Some(PlannedUpgrade {
        copy,
        name: package.name.clone(),
        from: package.version.clone(),
        release: release.clone(),
        bump: search
            .request
            .ecosystem
            .bump(&package.version, &release.version)
            .unwrap_or(Bump::Major),
        fixes: fixes.into_iter().collect(),
        because_of,
        edits: edits(search, state, copy, release),
    })
}

/// Requirements of projects that do not admit the release.
fn edits(
    search: &Search<'_>,
    state: &State<'_>,
    copy: PackageIndex,
    release: &Release,
) -> Vec<ManifestEdit> {
    let Ok(constraints) = search.constraints(copy, state) else {
        return Vec::new();
    };
    let mut edits: Vec<ManifestEdit> = Vec::new();
    for constraint in constraints {
        let Parent::Root(index) = constraint.dependent.parent else {
            continue;
        };
        if search.fits(copy, &constraint, release) {
            continue;
        }

        let manifest = search
            .request
            .lockfile
            .roots
            .get(index)
            .and_then(|root| root.manifest.clone());
        let (Some(manifest), Some(from)) = (manifest, constraint.dependent.requirement.clone())
        else {
            continue;
        };
        let Ok(to) = search
            .request
            .ecosystem
            .raise_requirement(&from, &release.version)
        else {
            continue;
        };
        let edit = ManifestEdit {
            manifest,
            edit: RequirementEdit {
                name: constraint.dependent.name.to_string(),
                from: from.into(),
                to,
            },
        };

        if !edits.contains(&edit) {
            edits.push(edit);
        }
    }

    edits
}

/// Findings of copies that nothing needs any more, assigned to the upgrades that no longer need
/// them.
fn credits(search: &Search<'_>, state: &State<'_>) -> BTreeMap<PackageIndex, BTreeSet<String>> {
    let mut credits: BTreeMap<PackageIndex, BTreeSet<String>> = BTreeMap::new();
    for copy in search.request.vulnerable.keys() {
        if state.targets.contains_key(copy) || state.blocked.contains_key(copy) {
            continue;
        }

        let bundling = graph::bundled_by(search.request.lockfile, *copy);
        if let Some(mover) = bundling.or_else(|| mover_above(search, state, *copy)) {
            credits
                .entry(mover)
                .or_default()
                .extend(search.findings_of(*copy).iter().cloned());
        }
    }

    credits
}

/// The nearest upgraded copy above one that leaves the tree.
fn mover_above(search: &Search<'_>, state: &State<'_>, copy: PackageIndex) -> Option<PackageIndex> {
    let mut seen = BTreeSet::new();
    let mut queue = VecDeque::from([copy]);
    while let Some(next) = queue.pop_front() {
        if state.targets.contains_key(&next) {
            return Some(next);
        }
        if !seen.insert(next) {
            continue;
        }

        for dependent in search.dependents_of(next) {
            if let Parent::Package(from) = dependent.parent {
                queue.push_back(from);
            }
        }
    }

    None
}

/// Findings that remain: those of copies that are blocked, and those that the chosen release still
/// has.
fn left(search: &Search<'_>, state: &State<'_>) -> Vec<Left> {
    let mut left = Vec::new();
    for (copy, own) in search.request.vulnerable {
        let Some(package) = search.request.lockfile.package(*copy) else {
            continue;
        };
        let blocked = state.blocked.get(copy);
        let remaining: BTreeSet<String> = match state.targets.get(copy) {
            Some(release) => search
                .judge(&package.name, &release.version)
                .unwrap_or_default(),
            None if blocked.is_some() => own.clone(),
            None => BTreeSet::new(),
        };
        if remaining.is_empty() {
            continue;
        }

        left.push(Left {
            copy: *copy,
            ids: remaining.into_iter().collect(),
            reason: blocked.cloned().unwrap_or_else(|| {
                format!(
                    "no release above {} is known to be without these findings",
                    package.version
                )
            }),
        });
    }

    left
}
