//! The reason why a finding remains, from the conflict that its fix runs into.

use std::collections::BTreeSet;

use patchgate_model::Bump;
use pubgrub::{DerivationTree, External};

use crate::attempt::{Limits, Tree, Variable};
use crate::plan::{Planner, Wanted};
use crate::problem::Set;
use crate::slot::{LOCKED, Slot, SlotId};

/// Most causes that are told.
const MAX_CAUSES: usize = 4;

/// Calls a function with every cause of a conflict, the nearest first.
pub(crate) fn externals(tree: &Tree, each: &mut dyn FnMut(&External<Variable, Set, String>)) {
    let mut seen: BTreeSet<usize> = BTreeSet::new();
    let mut layer = vec![tree];
    while !layer.is_empty() {
        let mut next = Vec::new();
        for node in layer {
            match node {
                DerivationTree::External(external) => each(external),
                DerivationTree::Derived(derived) => {
                    // A shared part has an id and need not be visited twice.
                    if derived.shared_id.is_none_or(|id| seen.insert(id)) {
                        next.push(&*derived.cause1);
                        next.push(&*derived.cause2);
                    }
                }
            }
        }
        layer = next;
    }
}

/// Why a finding cannot be fixed, the cause first.
pub(crate) fn conflict(
    planner: &Planner<'_, '_>,
    limits: &Limits,
    tree: &Tree,
    wanted: &Wanted,
) -> String {
    let slot = planner.problem.slot(wanted.0);
    let version = slot.locked_version().unwrap_or_default();
    let free = slot.candidates.iter().find(|candidate| {
        !candidate.findings.vulnerabilities.contains(&wanted.1)
            && !candidate.findings.notices.contains(&wanted.1)
    });
    let causes = causes(planner, limits, tree, wanted.0, free.is_some());

    let Some(free) = free else {
        let start = match slot.candidates.is_empty() {
            true => format!("there is no release of `{}` above {version}", slot.name),
            false => format!(
                "no release of `{}` above {version} is known to fix it",
                slot.name
            ),
        };
        return match causes.is_empty() {
            true => start,
            false => format!("{start}; {}", causes.join("; ")),
        };
    };

    let target = &free.release.version;
    if let Some(refusal) = &free.refusal {
        return format!("`{} {target}` cannot be used: {refusal}", slot.name);
    }
    if causes.is_empty() {
        return match free.bump > limits.direct.max(limits.indirect) {
            true => format!(
                "{target} fixes it, which is a {} step, and only {} ones are allowed",
                step(free.bump),
                step(limits.direct.max(limits.indirect))
            ),
            false => format!("{target} fixes it, but no consistent set of upgrades has it"),
        };
    }

    format!("{target} fixes it, but {}", causes.join("; "))
}

pub(crate) fn step(bump: Bump) -> &'static str {
    match bump {
        Bump::Patch => "patch",
        Bump::Minor => "minor",
        Bump::Major => "major",
    }
}

/// What holds a package back in a conflict: the requirements on the package itself first, then the
/// packages that state them, then all others. Without a release that is free of the finding, only
/// packages that cannot do without it count.
fn causes(
    planner: &Planner<'_, '_>,
    limits: &Limits,
    tree: &Tree,
    target: SlotId,
    has_free: bool,
) -> Vec<String> {
    let problem = planner.problem;
    let mut on_target = Vec::new();
    let mut others = Vec::new();
    let mut unsolved: BTreeSet<SlotId> = BTreeSet::new();
    let mut coming: BTreeSet<String> = BTreeSet::new();
    let mut add = |is_target: bool, text: String| {
        let list = if is_target {
            &mut on_target
        } else {
            &mut others
        };
        if !list.contains(&text) {
            list.push(text);
        }
    };

    externals(tree, &mut |external| match external {
        External::FromDependencyOf(from, _, to, _) => {
            let needed = match to {
                Variable::Slot(id) => Some(*id),
                Variable::Binding(binding) => planner.shared.bindings.borrow().slot(*binding, 0),
                _ => None,
            };
            let Some(needed) = needed else { return };
            let name = &problem.slot(needed).name;
            match from {
                Variable::Slot(id) => {
                    let slot = problem.slot(*id);
                    let Some(package) = slot.package else { return };
                    let edges = package
                        .edges
                        .iter()
                        .filter(|edge| problem.slot_of.get(edge.to.0 as usize) == Some(&needed));
                    for edge in edges {
                        let requirement = problem.locked_requirement(package, edge);
                        let text = shown(&edge.name, requirement.as_deref());
                        add(
                            needed == target,
                            format!("`{} {}` requires `{text}`", package.name, package.version),
                        );
                    }
                }
                Variable::Site(index) => {
                    let Some(site) = problem.sites.get(*index) else {
                        return;
                    };
                    // A requirement that could be raised is not what holds it back.
                    if site.fixed.is_none() && limits.raise.is_some() {
                        return;
                    }
                    let text = shown(name, site.edge.requirement.as_deref());
                    let suffix = site
                        .fixed
                        .as_ref()
                        .map_or_else(String::new, |reason| format!(" ({reason})"));
                    add(
                        needed == target,
                        format!("the project requires `{text}`{suffix}"),
                    );
                }
                _ => {}
            }
        }
        External::NoVersions(Variable::Slot(id), set) if *id != target => {
            unsolved.insert(*id);
            // Another copy of the package itself says nothing that the finding does not say.
            let slot = problem.slot(*id);
            if slot.name != problem.slot(target).name {
                coming.extend(refused_to_come(&slot, set));
            }
        }
        External::Custom(Variable::Slot(id), set, reason) if !set.contains(&LOCKED) => {
            let slot = problem.slot(*id);
            let first = slot.choices().find(|choice| set.contains(choice));
            let version = first.map(|choice| slot.version(choice)).unwrap_or_default();
            add(
                false,
                format!("`{} {version}` cannot be used: {reason}", slot.name),
            );
        }
        _ => {}
    });

    let held: Vec<String> = unsolved
        .iter()
        .map(|id| problem.slot(*id))
        .filter(|slot| slot.package.is_some())
        .map(|slot| match (slot.candidates.is_empty(), has_free) {
            (true, _) if slot.line.is_some() => {
                format!(
                    "there is no newer release of `{}` that is compatible",
                    slot.name
                )
            }
            (true, _) => format!("there is no newer release of `{}`", slot.name),
            (false, true) => format!("no newer release of `{}` within reach allows it", slot.name),
            (false, false) => {
                format!(
                    "no newer release of `{}` within reach does without it",
                    slot.name
                )
            }
        })
        .collect();

    let mut causes = match has_free {
        true => on_target,
        false => Vec::new(),
    };
    causes.extend(coming);
    causes.extend(held);
    if has_free {
        causes.extend(others);
    }
    causes.truncate(MAX_CAUSES);
    causes
}

/// Why a package that would be new cannot come in, from the release that is preferred of those needed.
fn refused_to_come(slot: &Slot<'_>, needed: &Set) -> Option<String> {
    let mut choices = (1..).zip(&slot.candidates);
    let first = choices.find(|(choice, _)| needed.contains(choice));
    let (_, first) = first.filter(|_| slot.package.is_none())?;
    let found = &first.findings.vulnerabilities;
    let why = match &first.refusal {
        Some(refusal) => refusal.clone(),
        None if found.is_empty() => return None,
        None => format!(
            "it has {}",
            found.iter().cloned().collect::<Vec<_>>().join(", ")
        ),
    };

    Some(format!(
        "`{} {}` would come in, and {why}",
        slot.name, first.release.version
    ))
}

/// A requirement for a message. One that is an address may contain a token.
fn shown(name: &str, requirement: Option<&str>) -> String {
    match requirement {
        Some(requirement) => {
            patchgate_model::without_credentials(&format!("{name} {requirement}")).into_owned()
        }
        None => name.to_owned(),
    }
}
