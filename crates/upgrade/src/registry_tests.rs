//! Graphs for what registries and build tools make of releases.

use std::collections::BTreeMap;

use patchgate_ecosystems::{Copies, MetadataRequest, Release};
use patchgate_model::{Bump, DependencyKind, Edge, Lockfile, Package, PackageIndex, Root};

use crate::test_ecosystem::{TestEcosystem, World, release};
use crate::{Judged, PlanOptions, Planned, Proposal, Releases, Request, Target, plan};

/// A graph of an ecosystem in which a package that comes in gets its oldest release.
fn oldest() -> World {
    let mut world = World::new(&["a ^1.0.0"], &[("a 1.0.0", &[])])
        .releases("a", &[("1.0.0", &[]), ("1.0.1", &["new ^1.1.0"])])
        .releases("new", &[("1.0.0", &[]), ("1.1.0", &[]), ("1.2.0", &[])])
        .advisory("a", "A-1", "1.0.1");
    world.copies = Copies::One;
    world.takes_oldest = true;
    world
}

/// The packages that come in.
pub(crate) fn coming(proposal: &Proposal) -> Vec<String> {
    let nodes = proposal.graph.nodes.iter();
    nodes
        .filter(|node| node.was.is_none())
        .filter_map(|node| Some(format!("{} {}", node.name, node.release.as_ref()?.version)))
        .collect()
}

#[test]
fn a_new_package_gets_its_oldest_release_where_the_build_tool_takes_that() {
    assert_eq!(coming(&oldest().proposal()), ["new 1.1.0"]);
}

#[test]
fn what_comes_in_for_one_package_is_bounded_by_all_others() {
    let mut world = World::new(
        &["a ^1.0.0", "b ^1.0.0"],
        &[("a 1.0.0", &[]), ("b 1.0.0", &[])],
    )
    .releases("a", &[("1.0.0", &[]), ("1.0.1", &["bounds new ^1.1.0"])])
    .releases("b", &[("1.0.0", &[]), ("1.0.1", &["new ^1.0.0"])])
    .releases("new", &[("1.0.0", &[]), ("1.1.0", &[])])
    .advisory("a", "A-1", "1.0.1")
    .advisory("b", "B-1", "1.0.1");
    world.copies = Copies::One;
    world.takes_oldest = true;

    assert_eq!(coming(&world.proposal()), ["new 1.1.0"]);
}

#[test]
fn a_package_comes_in_only_at_a_release_without_findings() {
    let world = oldest().advisory("new", "N-1", "1.2.0");
    assert_eq!(coming(&world.proposal()), ["new 1.2.0"]);

    let world = oldest().advisory("new", "N-1", "");
    assert_eq!(coming(&world.proposal()), [""; 0]);
    insta::assert_snapshot!(world.summary(), @"left A-1: 1.0.1 fixes it, but `new 1.1.0` would come in, and it has N-1");
}

#[test]
fn what_comes_in_raises_what_the_lockfile_has_and_brings_no_more() {
    let mut world = World::new(
        &["a ^1.0.0", "b ^1.0.0"],
        &[("a 1.0.0", &[]), ("b 1.0.0", &[])],
    )
    .releases("a", &[("1.0.0", &[]), ("1.0.1", &["new ^1.0.0"])])
    .releases("b", &[("1.0.0", &[]), ("1.0.1", &[]), ("1.0.2", &[])])
    .releases(
        "new",
        &[("1.0.0", &["bounds b ^1.0.1", "bounds newer ^1.0.0"])],
    )
    .releases("newer", &[("1.0.0", &[])])
    .advisory("a", "A-1", "1.0.1");
    world.copies = Copies::One;
    world.takes_oldest = true;

    assert_eq!(coming(&world.proposal()), ["new 1.0.0"]);
    insta::assert_snapshot!(world.summary(), @r"
    a 1.0.0 -> 1.0.1 ends A-1
    b 1.0.0 -> 1.0.1 for new
    ");
}

#[test]
fn a_release_that_needs_a_newer_runtime_is_left_out() {
    let mut world = World::new(&["a ^1.0.0"], &[("a 1.0.0", &[])])
        .releases("a", &[("1.0.0", &[]), ("1.0.1", &[]), ("1.0.2", &[])])
        .advisory("a", "A-1", "1.0.1");
    world.too_new = [("a".to_owned(), "1.0.1".to_owned())].into();
    insta::assert_snapshot!(world.summary(), @"a 1.0.0 -> 1.0.2 ends A-1");

    let mut world = world.advisory("a", "A-2", "1.0.2");
    world.too_new = [("a".to_owned(), "1.0.2".to_owned())].into();
    insta::assert_snapshot!(world.summary(), @r"
    a 1.0.0 -> 1.0.1 ends A-1
    left A-2: `a 1.0.2` cannot be used: it needs Toy 2, and the project supports 1
    ");
}

#[test]
fn one_question_asks_for_all_facts_that_it_comes_across() {
    let mut world = World::new(
        &["a ^1.0.0", "b ^1.0.0"],
        &[("a 1.0.0", &[]), ("b 1.0.0", &[])],
    )
    .advisory("a", "A-1", "1.0.1")
    .advisory("b", "B-1", "1.0.1");
    for name in ["a", "b"] {
        let mut releases = vec![release("1.0.0", &[]), release("1.0.1", &[])];
        releases[1].details = Some(MetadataRequest {
            url: "https://registry.invalid/".to_owned(),
            accept: None,
        });
        let ecosystem = TestEcosystem::new(Copies::Any);
        world.known_releases.insert(&ecosystem, name, Ok(releases));
    }

    let Planned::Missing(facts) = world.plan() else {
        panic!("details are missing");
    };
    let wanted: Vec<String> = facts.details.iter().map(|(name, _)| name.clone()).collect();
    assert_eq!(wanted, ["a", "b"]);
}

/// A release with features.
fn with_features(version: &str, features: &[&str]) -> Release {
    let mut release = release(version, &[]);
    for feature in features {
        release.features.insert((*feature).to_owned(), Vec::new());
    }
    release
}

#[test]
fn a_release_without_a_feature_that_a_dependent_asks_for_is_left_out() {
    let mut world = World::new(
        &["parent ^1.0.0"],
        &[("parent 1.0.0", &["a ^1.0.0"]), ("a 1.0.0", &[])],
    )
    .advisory("a", "A-1", "1.0.1");
    let ecosystem = TestEcosystem::new(Copies::Any);
    let mut parent = release("1.0.0", &["a ^1.0.0"]);
    parent.requirements[0].features = vec!["fast".to_owned()];
    let releases = vec![
        with_features("1.0.0", &["fast"]),
        with_features("1.0.1", &[]),
        with_features("1.0.2", &["fast"]),
    ];
    world
        .known_releases
        .insert(&ecosystem, "parent", Ok(vec![parent]));
    world.known_releases.insert(&ecosystem, "a", Ok(releases));

    insta::assert_snapshot!(world.summary(), @"a 1.0.0 -> 1.0.2 ends A-1");
}

#[test]
fn a_version_that_the_lockfile_states_for_the_project_takes_any_step() {
    let pypi = patchgate_ecosystems::by_name("PyPI").unwrap();
    let pypi = pypi.upgradable().unwrap();
    let edge = Edge {
        to: PackageIndex(0),
        name: "pillow".into(),
        requirement: None,
        kind: DependencyKind::Runtime,
    };
    let lockfile = Lockfile {
        path: "requirements.txt".to_owned(),
        packages: vec![Package::new(
            pypi.name(),
            "pillow".to_owned(),
            "9.0.0".to_owned(),
        )],
        roots: vec![Root {
            name: String::new(),
            manifest: Some("requirements.txt".to_owned()),
            edges: vec![edge],
        }],
        ..Lockfile::default()
    };
    let found = Judged {
        vulnerabilities: ["PYSEC-1".to_owned()].into(),
        ..Judged::default()
    };
    let mut releases = Releases::default();
    let all = ["9.0.0", "9.3.0", "10.0.0"].map(|version| release(version, &[]));
    releases.insert(pypi, "pillow", Ok(all.to_vec()));

    let planned = plan(&Request {
        lockfile: &lockfile,
        ecosystem: pypi,
        findings: &[(PackageIndex(0), found.clone())].into(),
        targets: &[Target {
            copy: PackageIndex(0),
            id: "PYSEC-1".to_owned(),
            is_notice: false,
        }],
        releases: &releases,
        judge: &|_, version| match version {
            "10.0.0" => Some(Judged::default()),
            _ => Some(found.clone()),
        },
        usable: &|_, _| Ok(()),
        max_bump: &|_| Bump::Major,
        asked: &BTreeMap::new(),
        refused: &BTreeMap::new(),
        frozen: &BTreeMap::new(),
        yanked_installable: true,
        options: PlanOptions::default(),
    });

    let Planned::Ready(proposal) = planned else {
        panic!("all facts are known");
    };
    assert_eq!(proposal.moves.len(), 1, "{:?}", proposal.left);
    assert_eq!(proposal.moves[0].to(), "10.0.0");
    assert!(proposal.moves[0].edits.is_empty());
    let requirement = &proposal.graph.roots[0][0].requirement;
    assert_eq!(requirement.as_deref(), None);
}

#[test]
fn a_condition_that_is_met_brings_a_package_in() {
    let world = |needs: &str| {
        World::new(&["a ^1.0.0"], &[("a 1.0.0", &[])])
            .releases("a", &[("1.0.0", &[]), ("1.1.0", &[needs])])
            .releases("b", &[("1.0.0", &[])])
            .advisory("a", "A-1", "1.1.0")
    };
    let coming = |needs: &str| coming(&world(needs).proposal());
    assert_eq!(coming("b ^1.0.0"), ["b 1.0.0"]);
    assert_eq!(coming("when b ^1.0.0"), ["b 1.0.0"]);
    assert_eq!(coming("if b ^1.0.0"), [""; 0]);
}

#[test]
fn a_bound_moves_what_is_there_and_brings_nothing_in() {
    let world = World::new(
        &["a ^1.0.0", "b ^1.0.0"],
        &[("a 1.0.0", &[]), ("b 1.0.0", &[])],
    )
    .releases(
        "a",
        &[
            ("1.0.0", &[]),
            ("1.1.0", &["bounds b ^1.1.0", "bounds c ^1.0.0"]),
        ],
    )
    .releases("b", &[("1.0.0", &[]), ("1.1.0", &[])])
    .releases("c", &[("1.0.0", &[])])
    .advisory("a", "A-1", "1.1.0");
    let proposal = world.proposal();
    assert_eq!(coming(&proposal), [""; 0]);
    let moves = proposal.moves.iter();
    let moves: Vec<(&str, &str)> = moves.map(|step| (&*step.name, step.to())).collect();
    assert_eq!(moves.len(), 2, "{moves:?}");
    assert!(moves.contains(&("b", "1.1.0")), "{moves:?}");
}

#[test]
fn versions_for_several_environments_stay_apart() {
    let mut world = World::new(
        &["a ^1.0.0"],
        &[
            ("a 1.0.0", &["b >=1.0.0"]),
            ("b 1.0.0", &[]),
            ("b 2.0.0", &[]),
        ],
    )
    .releases("a", &[("1.0.0", &["b >=1.0.0"]), ("1.1.0", &["b >=1.0.0"])])
    .releases("b", &[("1.0.0", &[]), ("2.0.0", &[])])
    .advisory("a", "A-1", "1.1.0");
    world.copies = Copies::One;
    let mut second = world.lockfile.packages[0].edges[0].clone();
    second.to = PackageIndex(2);
    world.lockfile.packages[0].edges.push(second);

    let proposal = world.proposal();
    assert_eq!(proposal.graph.nodes.len(), 3);
    let a = proposal.graph.nodes.iter().find(|node| node.name == "a");
    assert_eq!(a.map(|node| node.edges.len()), Some(2));
}
