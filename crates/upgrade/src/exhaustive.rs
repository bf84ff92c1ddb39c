//! The planner against a search through every choice, for graphs with one version of each package.

use patchgate_ecosystems::{Copies, Upgradable as _};
use patchgate_model::Edge;
use proptest::prelude::*;

use crate::properties::world_of;
use crate::test_ecosystem::{TestEcosystem, World};

/// The choices of a package, as bits: the lowest is the locked version.
type Choices = u16;

/// What every choice of every package needs: a package, and which of its choices will do.
struct Table {
    /// The versions that each package may have, the locked one first.
    versions: Vec<Vec<String>>,
    needs: Vec<Vec<Vec<(usize, Choices)>>>,
    /// What the projects need, and packages that nothing needed before.
    roots: Vec<(usize, Choices)>,
    /// The choices of the package with the finding that are free of it.
    target: usize,
    free: Choices,
}

const ECOSYSTEM: TestEcosystem = TestEcosystem::new(Copies::One);
const ALL: Choices = Choices::MAX;

impl Table {
    fn new(world: &World) -> Option<Self> {
        let lockfile = &world.lockfile;
        let (target, ids) = world.vulnerable().pop_first()?;
        let mut table = Self {
            versions: Vec::new(),
            needs: Vec::new(),
            roots: Vec::new(),
            target: target.0 as usize,
            free: 0,
        };
        for package in &lockfile.packages {
            let releases = world.known_releases.releases(&ECOSYSTEM, &package.name);
            let above = releases.unwrap().unwrap().iter().skip(1);
            let above = above.map(|release| release.version.clone());
            let versions = std::iter::once(package.version.clone()).chain(above);
            table.versions.push(versions.collect());
        }
        let name = |package: usize| lockfile.packages[package].name.as_str();
        table.free = table.choices(table.target, |version| {
            world.judge(name(table.target), version).is_disjoint(&ids)
        });

        for (package, locked) in lockfile.packages.iter().enumerate() {
            let edges = locked.edges.iter().map(|edge| table.of_edge(edge));
            let mut needs = vec![edges.collect::<Vec<_>>()];
            let releases = world.known_releases.releases(&ECOSYSTEM, &locked.name);
            for release in releases.unwrap().unwrap().iter().skip(1) {
                let of_release = release.requirements.iter().map(|one| {
                    let to = (0..5).find(|other| name(*other) == one.name).unwrap();
                    (to, table.admitted(to, &one.requirement))
                });
                needs.push(of_release.collect());
            }
            assert_eq!(needs.len(), table.versions[package].len());
            table.needs.push(needs);
        }

        for edge in &lockfile.roots[0].edges {
            let requirement = edge.requirement.as_deref().unwrap();
            let (to, admitted) = table.of_edge(edge);
            // A project's requirement can be raised to any release, but not every text can.
            let raised = ECOSYSTEM.raise_requirement(requirement, "1.0.0").is_ok();
            table.roots.push((to, if raised { ALL } else { admitted }));
        }
        let reached = table.reached(&[0; 5]);
        let unreached = (0..5).filter(|package| !reached[*package]);
        table.roots.extend(unreached.map(|package| (package, ALL)));

        Some(table)
    }

    fn choices(&self, package: usize, is_one: impl Fn(&str) -> bool) -> Choices {
        let versions = self.versions[package].iter().enumerate();
        let chosen = versions.filter(|(_, version)| is_one(version));
        chosen.fold(0, |choices, (at, _)| choices | 1 << at)
    }

    fn admitted(&self, package: usize, requirement: &str) -> Choices {
        self.choices(package, |version| {
            ECOSYSTEM.admits(requirement, version) == Ok(true)
        })
    }

    /// A requirement that the lockfile does not meet restricts nothing.
    fn of_edge(&self, edge: &Edge) -> (usize, Choices) {
        let to = edge.to.0 as usize;
        let admitted = self.admitted(to, edge.requirement.as_deref().unwrap());
        (to, if admitted & 1 == 1 { admitted } else { ALL })
    }

    fn reached(&self, chosen: &[usize; 5]) -> [bool; 5] {
        let mut reached = [false; 5];
        let mut queue: Vec<usize> = self.roots.iter().map(|(package, _)| *package).collect();
        while let Some(package) = queue.pop() {
            if !std::mem::replace(&mut reached[package], true) {
                let needs = &self.needs[package][chosen[package]];
                queue.extend(needs.iter().map(|(needed, _)| *needed));
            }
        }
        reached
    }

    /// Whether these choices go together and are without the finding.
    fn is_solution(&self, chosen: &[usize; 5]) -> bool {
        let is_met = |(package, choices): &(usize, Choices)| choices >> chosen[*package] & 1 == 1;
        let reached = self.reached(chosen);
        let is_free = self.free >> chosen[self.target] & 1 == 1;

        (is_free || !reached[self.target])
            && self.roots.iter().all(is_met)
            && (0..5)
                .filter(|package| reached[*package])
                .all(|package| self.needs[package][chosen[package]].iter().all(is_met))
    }

    /// Choices that go together and are without the finding.
    fn solution(&self) -> Option<[usize; 5]> {
        let counts: Vec<usize> = self.versions.iter().map(Vec::len).collect();
        (0..counts.iter().product()).find_map(|mut number: usize| {
            let mut chosen = [0; 5];
            for (choice, count) in chosen.iter_mut().zip(&counts) {
                *choice = number % count;
                number /= count;
            }
            self.is_solution(&chosen).then_some(chosen)
        })
    }
}

/// A requirement on a package that comes after `from`, which some releases of one major version meet.
fn requirement(from: usize, major: u64) -> impl Strategy<Value = String> {
    let style = prop::sample::select(vec!["=", "^", "~", ">="]);
    (from + 1..from + 4, style, 0..2u64).prop_map(move |(to, style, minor)| {
        let name = ["a", "b", "c", "d", "e"][to % 5];
        format!(
            "{name} {style}{major}.{}.0",
            if major == 1 { 0 } else { minor }
        )
    })
}

fn requirements(from: usize, major: u64) -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(requirement(from, major), 0..3)
}

prop_compose! {
    /// Graphs in which every requirement of the lockfile is met, and the releases of a major version need
    /// the same or the first one of others. One package has a finding.
    fn worlds()(
        direct in prop::collection::vec(requirement(4, 1), 1..3),
        locked in (0..5usize).map(|from| requirements(from, 1)).collect::<Vec<_>>(),
        releases in (0..5usize).map(|from| {
            let major = |release: u64| prop_oneof![Just(1), Just(1 + release / 3)];
            let of_release = |release| major(release).prop_flat_map(move |major| requirements(from, major));
            (0..9).map(of_release).collect::<Vec<_>>()
        }).collect::<Vec<_>>(),
        advisory in (0usize..5, prop::sample::select(vec!["", "1.1.0", "2.0.0", "2.1.0", "3.1.0"])),
    ) -> World {
        world_of(&direct, locked, &releases, &[advisory])
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_finding_remains_only_where_no_choice_of_versions_is_without_it(world in worlds()) {
        let mut world = world;
        world.copies = Copies::One;
        let Some(table) = Table::new(&world) else { return Ok(()) };

        let left = world.proposal().left;
        let solution = if left.is_empty() { None } else { table.solution() };
        prop_assert!(solution.is_none(), "{:?} would do: {}", solution, world.summary());
    }
}
