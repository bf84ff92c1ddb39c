//! The proposal made from a solution.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use patchgate_ecosystems::{RequirementEdit, TargetGraph, TargetNode};
use patchgate_model::{Bump, PackageIndex};

use crate::graph::{self, Parent};
use crate::plan::Planner;
use crate::request::{Left, ManifestEdit, PlannedUpgrade, Proposal};
use crate::slot::{LOCKED, SlotId};
use crate::target::{kept_copies, raised};

/// Upgrades, dependents first, with the graph that they make and the findings that remain.
pub(crate) fn proposal(planner: &Planner<'_, '_>, left: Vec<Left>) -> Proposal {
    let graph = planner.graph();
    let mut moves = moves(planner, &graph);
    credit(planner, &graph, &mut moves);
    for index in 0..moves.len() {
        moves[index].because_of = because_of(planner, &graph, &moves, &moves[index]);
    }

    let order = dependents_first(&graph);
    let place = |copy: PackageIndex| {
        let node = graph.nodes.iter().position(|node| node.was == Some(copy));
        node.and_then(|node| order.iter().position(|at| *at == node))
    };
    moves.sort_by_cached_key(|step| (place(step.copy).unwrap_or(usize::MAX), step.copy));

    let overrides = planner.overridden.iter().filter_map(|id| {
        let slot = planner.problem.slot(*id);
        let choice = planner.choice(*id);
        (choice != LOCKED).then(|| (slot.name.clone(), slot.version(choice).to_owned()))
    });

    Proposal {
        overrides: overrides.collect(),
        moves,
        graph,
        left,
    }
}

/// The copies that change their version. A copy that leaves while another version of its package comes
/// in, as in ecosystems with one copy for each line of versions, counts as one that changes.
fn moves(planner: &Planner<'_, '_>, graph: &TargetGraph) -> Vec<PlannedUpgrade> {
    let lockfile = planner.problem.request.lockfile;
    let kept = kept_copies(graph);
    let mut moves = Vec::new();
    for node in &graph.nodes {
        if let (Some(copy), Some(_)) = (node.was, &node.release) {
            moves.extend(one_move(planner, copy, node));
        }
    }

    let mut gone: Vec<PackageIndex> = lockfile
        .indexed()
        .map(|(copy, _)| copy)
        .filter(|copy| !kept.contains(copy))
        .collect();
    for node in graph.nodes.iter().filter(|node| node.was.is_none()) {
        let Some(release) = &node.release else {
            continue;
        };
        let ecosystem = planner.problem.request.ecosystem;
        let replaced = gone.iter().position(|copy| {
            lockfile.package(*copy).is_some_and(|package| {
                package.name == node.name
                    && ecosystem
                        .compare_versions(&package.version, &release.version)
                        .is_ok_and(std::cmp::Ordering::is_lt)
            })
        });
        if let Some(replaced) = replaced {
            moves.extend(one_move(planner, gone.remove(replaced), node));
        }
    }

    moves
}

fn one_move(
    planner: &Planner<'_, '_>,
    copy: PackageIndex,
    node: &TargetNode,
) -> Option<PlannedUpgrade> {
    let problem = planner.problem;
    let package = problem.request.lockfile.package(copy)?;
    let release = node.release.clone()?;
    let slot = *problem.slot_of.get(copy.0 as usize)?;
    let after = problem.judge(&package.name, &release.version);
    let fixes = planner.fixed.iter().filter(|(fixed, id)| {
        *fixed == slot && !after.vulnerabilities.contains(id) && !after.notices.contains(id)
    });
    let fixes: BTreeSet<String> = fixes.map(|(_, id)| id.clone()).collect();

    Some(PlannedUpgrade {
        copy,
        name: package.name.clone(),
        from: package.version.clone(),
        bump: problem
            .request
            .ecosystem
            .bump(&package.version, &release.version)
            .unwrap_or(Bump::Major),
        release,
        fixes: fixes.into_iter().collect(),
        because_of: None,
        edits: edits(planner, slot),
    })
}

/// Requirements of projects on a slot that are raised.
fn edits(planner: &Planner<'_, '_>, slot: SlotId) -> Vec<ManifestEdit> {
    let mut edits: Vec<ManifestEdit> = Vec::new();
    for (index, site) in planner.problem.sites.iter().enumerate() {
        let Some(to) = raised(site, planner.site_choice(index)).filter(|_| site.slot == slot)
        else {
            continue;
        };
        let project = planner.problem.request.lockfile.roots.get(site.root);
        let manifest = project.and_then(|project| project.manifest.clone());
        let (Some(manifest), Some(from)) = (manifest, site.edge.requirement.as_deref()) else {
            continue;
        };

        let edit = ManifestEdit {
            manifest,
            edit: RequirementEdit {
                name: site.edge.name.to_string(),
                from: from.to_owned(),
                to: to.to_owned(),
            },
        };
        if !edits.contains(&edit) {
            edits.push(edit);
        }
    }

    edits
}

/// Adds the findings of copies that leave the graph to the nearest upgrade above them.
fn credit(planner: &Planner<'_, '_>, graph: &TargetGraph, moves: &mut [PlannedUpgrade]) {
    let lockfile = planner.problem.request.lockfile;
    let dependents = graph::dependents(lockfile);
    let kept = kept_copies(graph);
    let moved: BTreeMap<PackageIndex, usize> = moves
        .iter()
        .enumerate()
        .map(|(index, step)| (step.copy, index))
        .collect();

    for (slot, id) in &planner.fixed {
        for copy in &planner.problem.slot(*slot).copies {
            if kept.contains(copy) || moved.contains_key(copy) {
                continue;
            }
            if let Some(index) = nearest_above(&dependents, &moved, *copy)
                && let Some(step) = moves.get_mut(index)
                && !step.fixes.contains(id)
            {
                step.fixes.push(id.clone());
                step.fixes.sort();
            }
        }
    }
}

fn nearest_above(
    dependents: &[Vec<graph::Dependent>],
    moved: &BTreeMap<PackageIndex, usize>,
    copy: PackageIndex,
) -> Option<usize> {
    let mut seen = BTreeSet::new();
    let mut queue = VecDeque::from([copy]);
    while let Some(next) = queue.pop_front() {
        if let Some(index) = moved.get(&next) {
            return Some(*index);
        }
        if !seen.insert(next) {
            continue;
        }
        for dependent in dependents.get(next.0 as usize).into_iter().flatten() {
            if let Parent::Package(from) = dependent.parent {
                queue.push_back(from);
            }
        }
    }

    None
}

/// The package for which another one without findings moves: one of its dependencies that moves or
/// leaves, else a dependent that needs it.
fn because_of(
    planner: &Planner<'_, '_>,
    graph: &TargetGraph,
    moves: &[PlannedUpgrade],
    step: &PlannedUpgrade,
) -> Option<String> {
    let lockfile = planner.problem.request.lockfile;
    let has_own = planner
        .problem
        .slot_of
        .get(step.copy.0 as usize)
        .is_some_and(|slot| planner.fixed.iter().any(|(fixed, _)| fixed == slot));
    if has_own {
        return None;
    }

    let kept = kept_copies(graph);
    let moved: BTreeSet<PackageIndex> = moves.iter().map(|step| step.copy).collect();
    let below = lockfile
        .package(step.copy)
        .into_iter()
        .flat_map(|package| &package.edges)
        .map(|edge| edge.to)
        .filter(|to| moved.contains(to) || !kept.contains(to))
        .min_by_key(|to| {
            // One with findings of its own is the better reason.
            let slot = planner.problem.slot_of.get(to.0 as usize);
            !planner.fixed.iter().any(|(fixed, _)| Some(fixed) == slot)
        });
    if let Some(package) = below.and_then(|to| lockfile.package(to)) {
        return Some(package.name.clone());
    }

    let node = graph
        .nodes
        .iter()
        .position(|node| node.was == Some(step.copy))?;
    graph
        .nodes
        .iter()
        .find(|other| other.release.is_some() && other.edges.iter().any(|edge| edge.to == node))
        .map(|other| other.name.clone())
}

/// The nodes of a graph with every dependent before its dependencies, as far as cycles allow.
fn dependents_first(graph: &TargetGraph) -> Vec<usize> {
    let mut done = vec![false; graph.nodes.len()];
    let mut order = Vec::with_capacity(graph.nodes.len());
    let roots = graph.roots.iter().flatten().map(|edge| edge.to);
    for start in roots.chain(0..graph.nodes.len()) {
        // An explicit stack, because a graph can be deeper than the program's.
        let mut stack = vec![(start, 0)];
        while let Some((node, next)) = stack.pop() {
            if next == 0 {
                if done.get(node).copied().unwrap_or(true) {
                    continue;
                }
                done[node] = true;
            }
            match graph.nodes.get(node).and_then(|node| node.edges.get(next)) {
                Some(edge) => {
                    stack.push((node, next + 1));
                    stack.push((edge.to, 0));
                }
                None => order.push(node),
            }
        }
    }

    order.reverse();
    order
}
