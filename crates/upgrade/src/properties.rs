//! Properties of the planner on random graphs.

use std::cmp::Ordering;

use patchgate_ecosystems::{Copies, Ecosystem as _, Upgradable as _};
use patchgate_model::Bump;
use proptest::prelude::*;

use crate::test_ecosystem::{TestEcosystem, World};

const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];

fn requirement() -> impl Strategy<Value = String> {
    (
        0usize..5,
        prop::sample::select(vec!["=", "^", "~", ">="]),
        1u64..4,
        0u64..3,
    )
        .prop_map(|(name, style, major, minor)| format!("{} {style}{major}.{minor}.0", NAMES[name]))
}

fn requirements() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(requirement(), 0..3)
}

prop_compose! {
    /// Five packages, each locked at 1.0.0 with any dependencies (cycles too), nine releases each
    /// with any requirements, and any advisories.
    fn worlds()(
        direct in prop::collection::vec(requirement(), 1..4),
        locked in prop::collection::vec(requirements(), 5),
        releases in prop::collection::vec(prop::collection::vec(requirements(), 9), 5),
        advisories in prop::collection::vec((0usize..5, prop::sample::select(vec!["", "1.1.0", "1.2.0", "2.0.0", "3.1.0"])), 1..6),
    ) -> World {
        world_of(&direct, locked, &releases, &advisories)
    }
}

/// A graph of five packages that are locked at 1.0.0 and have nine releases each.
pub(crate) fn world_of(
    direct: &[String],
    locked: Vec<Vec<String>>,
    releases: &[Vec<Vec<String>>],
    advisories: &[(usize, &str)],
) -> World {
    let locked: Vec<(String, Vec<String>)> = NAMES
        .iter()
        .zip(locked)
        .map(|(name, requirements)| (format!("{name} 1.0.0"), requirements))
        .collect();
    let locked: Vec<(&str, Vec<&str>)> = locked
        .iter()
        .map(|(name, texts)| (name.as_str(), texts.iter().map(String::as_str).collect()))
        .collect();
    let locked: Vec<(&str, &[&str])> = locked
        .iter()
        .map(|(name, texts)| (*name, texts.as_slice()))
        .collect();
    let direct: Vec<&str> = direct.iter().map(String::as_str).collect();

    let mut world = World::new(&direct, &locked);
    for (name, requirements) in NAMES.iter().zip(releases) {
        let versions: Vec<(String, Vec<&str>)> = requirements
            .iter()
            .enumerate()
            .map(|(index, texts)| {
                (
                    format!("{}.{}.0", 1 + index / 3, index % 3),
                    texts.iter().map(String::as_str).collect(),
                )
            })
            .collect();
        let versions: Vec<(&str, &[&str])> = versions
            .iter()
            .map(|(v, r)| (v.as_str(), r.as_slice()))
            .collect();
        world = world.releases(name, &versions);
    }

    for (index, (name, fixed)) in advisories.iter().enumerate() {
        world = world.advisory(NAMES[*name], &format!("A-{index}"), fixed);
    }

    world
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn nothing_moves_down_and_nothing_is_introduced(world in worlds()) {
        let vulnerable = world.vulnerable();
        for step in world.proposal().moves {
            prop_assert_eq!(TestEcosystem::new(Copies::Any).compare_versions(&step.from, step.to()), Ok(Ordering::Less));
            let own = vulnerable.get(&step.copy).cloned().unwrap_or_default();
            prop_assert!(world.judge(&step.name, step.to()).is_subset(&own));
        }
    }

    #[test]
    fn the_graph_holds_together(
        world in worlds(),
        copies in prop::sample::select(vec![Copies::One, Copies::OnePerLine, Copies::Any]),
    ) {
        let mut world = world;
        world.copies = copies;
        let ecosystem = TestEcosystem::new(copies);
        let graph = world.proposal().graph;
        let lockfile = &world.lockfile;
        let version = |node: usize| graph.version(lockfile, node).unwrap();

        // Every requirement that the lockfile met before, and every new one, is met.
        let roots = lockfile.roots.iter().map(|root| &root.edges).zip(&graph.roots);
        let locked = graph.nodes.iter().filter(|node| node.release.is_none());
        let locked = locked.map(|node| (&lockfile.package(node.was.unwrap()).unwrap().edges, &node.edges));
        for (before, after) in roots.chain(locked) {
            for (before, after) in before.iter().zip(after) {
                let was = &lockfile.package(before.to).unwrap().version;
                let is_now = version(after.to);
                let requirement = after.requirement.as_deref().unwrap();
                prop_assert!(
                    ecosystem.admits(before.requirement.as_deref().unwrap(), was) == Ok(false)
                        || ecosystem.admits(requirement, is_now) == Ok(true),
                    "{requirement} got {is_now}"
                );
                prop_assert!(ecosystem.compare_versions(was, is_now).unwrap().is_le());
            }
        }
        for node in &graph.nodes {
            let Some(release) = &node.release else { continue };
            prop_assert_eq!(node.edges.len(), release.requirements.len());
            for edge in &node.edges {
                let requirement = edge.requirement.as_deref().unwrap();
                prop_assert_eq!(ecosystem.admits(requirement, version(edge.to)), Ok(true));
            }
        }

        // No package has more versions than the ecosystem allows.
        for (index, node) in graph.nodes.iter().enumerate() {
            for other in index + 1..graph.nodes.len() {
                if graph.nodes[other].name != node.name || version(index) == version(other) {
                    continue;
                }
                prop_assert_ne!(copies, Copies::One);
                let (a, b) = (version(index), version(other));
                let (low, high) = if ecosystem.compare_versions(a, b).unwrap().is_lt() { (a, b) } else { (b, a) };
                prop_assert!(copies == Copies::Any || ecosystem.bump(low, high) == Ok(Bump::Major));
            }
        }
    }

    #[test]
    fn every_finding_is_ended_or_left_with_a_reason(world in worlds()) {
        let proposal = world.proposal();
        for (copy, ids) in world.vulnerable() {
            for id in ids {
                let fixed = proposal.moves.iter().any(|step| step.fixes.contains(&id));
                let left = proposal.left.iter().any(|left| {
                    left.copy == copy && left.ids.contains(&id) && !left.reason.is_empty()
                });
                prop_assert!(fixed || left, "{id} of {copy:?} is forgotten: {}", world.summary());
            }
        }
    }

    #[test]
    fn facts_that_come_round_by_round_fix_as_much(world in worlds()) {
        let fixes = |proposal: &crate::Proposal| -> usize {
            proposal.moves.iter().map(|step| step.fixes.len()).sum()
        };
        let by_rounds = world.proposal_by_rounds();
        prop_assert_eq!(fixes(&by_rounds), fixes(&world.proposal()));
        prop_assert_eq!(by_rounds, world.proposal_by_rounds());
    }

    #[test]
    fn a_lone_dependency_takes_the_smallest_clean_release(
        minors in prop::collection::btree_set(1u64..40, 1..12),
        fixed in 1u64..45,
    ) {
        let versions: Vec<String> = minors.iter().map(|minor| format!("1.{minor}.0")).collect();
        let releases: Vec<(&str, &[&str])> = versions.iter().map(|v| (v.as_str(), &[] as &[&str])).collect();
        let world = World::new(&["a ^1.0.0"], &[("a 1.0.0", &[])])
            .releases("a", &releases)
            .advisory("a", "A-1", &format!("1.{fixed}.0"));
        let smallest = minors.iter().find(|minor| **minor >= fixed).map(|minor| format!("1.{minor}.0"));
        let chosen = world.proposal().moves.first().map(|step| step.to().to_owned());
        prop_assert_eq!(chosen, smallest);
    }

    #[test]
    fn the_same_question_gets_the_same_answer(world in worlds()) {
        prop_assert_eq!(world.proposal(), world.proposal());
    }
}
