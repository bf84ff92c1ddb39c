//! Hand-made graphs, each for one rule.

use std::collections::BTreeSet;

use crate::Planned;
use crate::test_ecosystem::World;

#[test]
fn takes_the_smallest_release_inside_the_requirement() {
    let world = World::new(&["a ^1.0.0"], &[("a 1.0.0", &[])])
        .releases(
            "a",
            &[
                ("1.0.0", &[]),
                ("1.0.1", &[]),
                ("1.0.2", &[]),
                ("1.1.0", &[]),
            ],
        )
        .advisory("a", "A-1", "1.0.2");
    insta::assert_snapshot!(world.summary(), @"a 1.0.0 -> 1.0.2 ends A-1");
}

#[test]
fn moves_an_exact_pin_of_the_project() {
    let world = World::new(&["a =1.0.0"], &[("a 1.0.0", &[])])
        .releases("a", &[("1.0.0", &[]), ("2.0.0", &[])])
        .advisory("a", "A-1", "2.0.0");
    insta::assert_snapshot!(world.summary(), @"a 1.0.0 -> 2.0.0 ends A-1 [toy.json: =1.0.0 -> =2.0.0]");
}

#[test]
fn a_project_without_a_bound_is_left_alone() {
    let world = World::new(&["a >=1.0.0, <1.1.0"], &[("a 1.0.0", &[])])
        .releases("a", &[("1.0.9", &[]), ("1.2.0", &[])])
        .advisory("a", "A-1", "1.0.5");
    insta::assert_snapshot!(world.summary(), @"a 1.0.0 -> 1.0.9 ends A-1");
}

#[test]
fn moves_the_parent_to_its_smallest_release_that_lets_go() {
    let world = World::new(
        &["parent ^1.0.0"],
        &[("parent 1.0.0", &["a =1.0.0"]), ("a 1.0.0", &[])],
    )
    .releases(
        "parent",
        &[
            ("1.0.0", &["a =1.0.0"]),
            ("1.0.1", &["a =1.0.0"]),
            ("1.0.2", &["a ^1.0.1"]),
            ("2.0.0", &[]),
        ],
    )
    .releases("a", &[("1.0.0", &[]), ("1.0.1", &[]), ("1.0.2", &[])])
    .advisory("a", "A-1", "1.0.1");

    insta::assert_snapshot!(world.summary(), @r"
    parent 1.0.0 -> 1.0.2 for a
    a 1.0.0 -> 1.0.1 ends A-1
    ");
}

#[test]
fn moves_the_parent_to_a_release_that_does_not_need_the_package() {
    let world = World::new(
        &["parent =1.0.0"],
        &[("parent 1.0.0", &["a ~1.0.0"]), ("a 1.0.0", &[])],
    )
    .releases("parent", &[("1.0.0", &["a ~1.0.0"]), ("1.3.0", &[])])
    .releases("a", &[("1.0.0", &[]), ("2.0.0", &[])])
    .advisory("a", "A-1", "2.0.0");
    insta::assert_snapshot!(world.summary(), @"parent 1.0.0 -> 1.3.0 ends A-1 for a [toy.json: =1.0.0 -> =1.3.0]");
}

#[test]
fn moves_a_chain_of_parents() {
    let world = World::new(
        &["top ^1.0.0"],
        &[
            ("top 1.0.0", &["middle =1.0.0"]),
            ("middle 1.0.0", &["a =1.0.0"]),
            ("a 1.0.0", &[]),
        ],
    )
    .releases(
        "top",
        &[("1.0.0", &["middle =1.0.0"]), ("1.4.0", &["middle ^1.5.0"])],
    )
    .releases(
        "middle",
        &[("1.0.0", &["a =1.0.0"]), ("1.5.0", &["a ^1.0.0"])],
    )
    .releases("a", &[("1.0.0", &[]), ("1.0.1", &[])])
    .advisory("a", "A-1", "1.0.1");

    insta::assert_snapshot!(world.summary(), @r"
    top 1.0.0 -> 1.4.0 for middle
    middle 1.0.0 -> 1.5.0 for a
    a 1.0.0 -> 1.0.1 ends A-1
    ");
}

#[test]
fn a_parent_that_never_lets_go_is_the_reason() {
    let world = World::new(
        &["parent ^1.0.0"],
        &[("parent 1.0.0", &["a =1.0.0"]), ("a 1.0.0", &[])],
    )
    .releases(
        "parent",
        &[("1.0.0", &["a =1.0.0"]), ("1.0.1", &["a =1.0.0"])],
    )
    .releases("a", &[("1.0.0", &[]), ("1.0.1", &[])])
    .advisory("a", "A-1", "1.0.1");
    insta::assert_snapshot!(
        world.summary(),
        @"left A-1: `parent 1.0.0` requires `a =1.0.0`: no release of `parent` above 1.0.0 allows an acceptable version"
    );
}

#[test]
fn a_release_with_another_finding_is_passed_over() {
    let world = World::new(&["a ^1.0.0"], &[("a 1.0.0", &[])])
        .releases("a", &[("1.0.1", &[]), ("1.0.2", &[])])
        .advisory("a", "A-1", "1.0.1");
    let mut vulnerable = world.vulnerable();

    assert_eq!(vulnerable.len(), 1);

    vulnerable.clear();
    // The second advisory starts at 1.0.1: it would be introduced there.
    let judge = |_: &str, version: &str| -> Option<BTreeSet<String>> {
        Some(
            match version {
                "1.0.0" => vec!["A-1"],
                "1.0.1" => vec!["A-2"],
                _ => vec![],
            }
            .into_iter()
            .map(str::to_owned)
            .collect(),
        )
    };

    let vulnerable = world.vulnerable();
    let planned = crate::plan(&crate::Request {
        lockfile: &world.lockfile,
        ecosystem: &crate::test_ecosystem::TestEcosystem,
        vulnerable: &vulnerable,
        releases: &world.known_releases,
        judge: &judge,
        refused: &world.refused,
        frozen: &std::collections::BTreeMap::new(),
        yanked_installable: false,
    });
    let Planned::Ready(proposal) = planned else {
        panic!()
    };

    assert_eq!(proposal.moves[0].to(), "1.0.2");
}

#[test]
fn ends_what_can_be_ended_and_says_what_stays() {
    let world = World::new(&["a ^1.0.0"], &[("a 1.0.0", &[])])
        .releases("a", &[("1.0.1", &[]), ("1.0.2", &[])])
        .advisory("a", "A-1", "1.0.1")
        .advisory("a", "A-2", "");
    insta::assert_snapshot!(world.summary(), @r"
    a 1.0.0 -> 1.0.1 ends A-1
    left A-2: no release above 1.0.0 is known to be without these findings
    ");
}

#[test]
fn takes_the_best_in_reach_when_the_full_fix_is_blocked() {
    let world = World::new(
        &["parent ^1.0.0"],
        &[("parent 1.0.0", &["a ^1.0.0"]), ("a 1.0.0", &[])],
    )
    .releases("parent", &[("1.0.0", &["a ^1.0.0"])])
    .releases("a", &[("1.0.1", &[]), ("1.0.2", &[]), ("2.0.0", &[])])
    .advisory("a", "A-1", "1.0.1")
    .advisory("a", "A-2", "2.0.0");
    insta::assert_snapshot!(world.summary(), @r"
    a 1.0.0 -> 1.0.1 ends A-1
    left A-2: `parent 1.0.0` requires `a ^1.0.0`: there is no release of `parent` above 1.0.0 without findings
    ");
}

#[test]
fn yanked_releases_are_skipped() {
    let world = World::new(&["a ^1.0.0"], &[("a 1.0.0", &[])])
        .releases("a", &[("1.0.1!", &[]), ("1.0.2", &[])])
        .advisory("a", "A-1", "1.0.1");
    insta::assert_snapshot!(world.summary(), @"a 1.0.0 -> 1.0.2 ends A-1");
}

#[test]
fn yanked_releases_are_chosen_only_where_they_can_be_installed() {
    let mut world = World::new(&["a ^1.0.0"], &[("a 1.0.0", &[])])
        .releases("a", &[("1.0.1!", &[])])
        .advisory("a", "A-1", "1.0.1");
    insta::assert_snapshot!(world.summary(), @"left A-1: no release above 1.0.0 is known to be without these findings");
    world.yanked_installable = true;
    insta::assert_snapshot!(world.summary(), @"a 1.0.0 -> 1.0.1 ends A-1");
}

#[test]
fn prereleases_are_passed_over() {
    let world = World::new(&["a ^1.0.0"], &[("a 1.0.0", &[])])
        .releases("a", &[("1.0.1-rc.1", &[]), ("1.0.1", &[])])
        .advisory("a", "A-1", "1.0.1-rc.1");
    insta::assert_snapshot!(world.summary(), @"a 1.0.0 -> 1.0.1 ends A-1");
}

#[test]
fn a_refused_version_gives_way_to_the_next() {
    let mut world = World::new(&["a ^1.0.0"], &[("a 1.0.0", &[])])
        .releases("a", &[("1.0.1", &[]), ("1.0.2", &[])])
        .advisory("a", "A-1", "1.0.1");
    world
        .refused
        .insert("a".into(), ["1.0.1".to_owned()].into());
    insta::assert_snapshot!(world.summary(), @"a 1.0.0 -> 1.0.2 ends A-1");
}

#[test]
fn a_requirement_that_already_does_not_hold_holds_nothing_back() {
    let world = World::new(
        &["parent ^1.0.0"],
        &[("parent 1.0.0", &["a =0.9.0"]), ("a 1.0.0", &[])],
    )
    .releases("parent", &[("1.0.0", &["a =0.9.0"])])
    .releases("a", &[("1.0.0", &[]), ("1.0.1", &[])])
    .advisory("a", "A-1", "1.0.1");
    assert!(
        world.summary().starts_with("a 1.0.0 -> 1.0.1"),
        "{}",
        world.summary()
    );
}

#[test]
fn a_release_that_breaks_a_peer_requirement_is_passed_over() {
    let world = World::new(
        &["a ^1.0.0", "host ^1.0.0"],
        &[("a 1.0.0", &["peer host ^1.0.0"]), ("host 1.0.0", &[])],
    )
    .releases(
        "a",
        &[
            ("1.0.1", &["peer host ^2.0.0"]),
            ("1.0.2", &["peer host ^1.0.0"]),
        ],
    )
    .releases("host", &[("1.0.0", &[])])
    .advisory("a", "A-1", "1.0.1");
    insta::assert_snapshot!(world.summary(), @"a 1.0.0 -> 1.0.2 ends A-1");
}

#[test]
fn a_bundled_copy_moves_with_its_parent() {
    let mut world = World::new(
        &["parent ^1.0.0"],
        &[("parent 1.0.0", &["a ^1.0.0"]), ("a 1.0.0", &[])],
    )
    .releases(
        "parent",
        &[("1.0.0", &["a ^1.0.0"]), ("1.0.1", &["a ^1.0.0"])],
    )
    .releases("a", &[("1.0.0", &[]), ("1.0.1", &[])])
    .advisory("a", "A-1", "1.0.1");
    world.lockfile.packages[1].bundled = true;
    world.lockfile.packages[1].install_path = Some("node_modules/parent/node_modules/a".into());

    insta::assert_snapshot!(world.summary(), @"parent 1.0.0 -> 1.0.1 ends A-1 for a");

    world.known_releases.insert(
        &crate::test_ecosystem::TestEcosystem,
        "parent",
        Ok(Vec::new()),
    );
    insta::assert_snapshot!(
        world.summary(),
        @"left A-1: it is shipped inside the archive of `parent 1.0.0`, which cannot be upgraded: there is no release of `parent` above 1.0.0 without findings"
    );
}

#[test]
fn a_copy_from_git_stays() {
    let mut world = World::new(&["a ^1.0.0"], &[("a 1.0.0", &[])]).advisory("a", "A-1", "1.0.1");
    world.lockfile.packages[0].origin = patchgate_model::Origin::Git {
        url: "https://git.invalid/a".into(),
        commit: None,
    };
    insta::assert_snapshot!(world.summary(), @"left A-1: `a` comes from a git repository, not from a registry");
}

#[test]
fn asks_for_what_it_lacks() {
    let world = World::new(
        &["parent ^1.0.0"],
        &[("parent 1.0.0", &["a =1.0.0"]), ("a 1.0.0", &[])],
    )
    .advisory("a", "A-1", "1.0.1");
    assert_eq!(world.plan(), Planned::Missing(["a".to_owned()].into()));
    let world = world.releases("a", &[("1.0.0", &[]), ("1.0.1", &[])]);
    assert_eq!(world.plan(), Planned::Missing(["parent".to_owned()].into()));
}

#[test]
fn an_unreachable_registry_is_the_reason() {
    let mut world = World::new(&["a ^1.0.0"], &[("a 1.0.0", &[])]).advisory("a", "A-1", "1.0.1");
    world.known_releases.insert(
        &crate::test_ecosystem::TestEcosystem,
        "a",
        Err("`registry.invalid` answered 503".into()),
    );
    insta::assert_snapshot!(world.summary(), @"left A-1: the releases of `a` are not known: `registry.invalid` answered 503");
}

#[test]
fn a_tag_cannot_be_raised() {
    let world = World::new(&["a latest"], &[("a 1.0.0", &[])])
        .releases("a", &[("2.0.0", &[])])
        .advisory("a", "A-1", "2.0.0");
    insta::assert_snapshot!(world.summary(), @"left A-1: requirement `latest` names a tag, not versions");
}

#[test]
fn what_leaves_the_tree_holds_nothing_back() {
    // `parent` 1.1.0 drops `middle`, which alone keeps `a` on 1.0.
    let world = World::new(
        &["parent ^1.0.0"],
        &[
            ("parent 1.0.0", &["middle ^1.0.0"]),
            ("middle 1.0.0", &["a ~1.0.0"]),
            ("a 1.0.0", &[]),
        ],
    )
    .releases("parent", &[("1.0.0", &["middle ^1.0.0"]), ("1.1.0", &[])])
    .releases("middle", &[("1.0.0", &["a ~1.0.0"])])
    .releases("a", &[("1.0.0", &[]), ("2.0.0", &[])])
    .advisory("a", "A-1", "2.0.0")
    .advisory("parent", "P-1", "1.1.0");
    insta::assert_snapshot!(world.summary(), @"parent 1.0.0 -> 1.1.0 ends A-1 P-1");
}
