//! Hand-made graphs, each for one rule.

use patchgate_ecosystems::Copies;

use crate::test_ecosystem::{TestEcosystem, World, judged};
use crate::{MissingFacts, Planned};

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
        @"left A-1: 1.0.1 fixes it, but `parent 1.0.0` requires `a =1.0.0`; no newer release of `parent` within reach allows it"
    );
}

#[test]
fn a_release_with_another_finding_is_passed_over() {
    let world = World::new(&["a ^1.0.0"], &[("a 1.0.0", &[])])
        .releases("a", &[("1.0.1", &[]), ("1.0.2", &[])])
        .advisory("a", "A-1", "1.0.1");
    // The second advisory starts at 1.0.1: it would be introduced there.
    let judge = |_: &str, version: &str| {
        let ids: &[&str] = match version {
            "1.0.0" => &["A-1"],
            "1.0.1" => &["A-2"],
            _ => &[],
        };
        Some(judged(ids.iter().map(|id| (*id).to_owned()).collect()))
    };
    let Planned::Ready(proposal) = world.plan_with(&judge) else {
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
    left A-2: no release of `a` above 1.0.0 is known to fix it
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
    left A-2: 2.0.0 fixes it, but `parent 1.0.0` requires `a ^1.0.0`; there is no newer release of `parent`
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
    insta::assert_snapshot!(world.summary(), @"left A-1: there is no release of `a` above 1.0.0");
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
        .insert("a".into(), [("1.0.1".to_owned(), "x".to_owned())].into());
    insta::assert_snapshot!(world.summary(), @"a 1.0.0 -> 1.0.2 ends A-1");
}

#[test]
fn a_version_that_was_refused_is_told_with_the_reason() {
    let mut world = World::new(&["a ^1.0.0"], &[("a 1.0.0", &[])])
        .releases("a", &[("1.0.1", &[])])
        .advisory("a", "A-1", "1.0.1");
    let reason = "`toy` refuses it: `b 2` is not published".to_owned();
    world
        .refused
        .insert("a".into(), [("1.0.1".to_owned(), reason)].into());
    insta::assert_snapshot!(world.summary(), @"left A-1: `a 1.0.1` cannot be used: `toy` refuses it: `b 2` is not published");
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

    insta::assert_snapshot!(world.summary(), @"parent 1.0.0 -> 1.0.1 ends A-1");

    world
        .known_releases
        .insert(&TestEcosystem::new(Copies::Any), "parent", Ok(Vec::new()));
    insta::assert_snapshot!(
        world.summary(),
        @"left A-1: it is shipped inside the archive of `parent 1.0.0`: there is no release of `parent` above 1.0.0"
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
    assert_eq!(world.plan(), missing("a"));
    let world = world.releases("a", &[("1.0.0", &[]), ("1.0.1", &[])]);
    assert_eq!(world.plan(), missing("parent"));
}

#[test]
fn an_unreachable_registry_is_the_reason() {
    let mut world = World::new(&["a ^1.0.0"], &[("a 1.0.0", &[])]).advisory("a", "A-1", "1.0.1");
    world.known_releases.insert(
        &TestEcosystem::new(Copies::Any),
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
    insta::assert_snapshot!(world.summary(), @"left A-1: 2.0.0 fixes it, but the project requires `a latest` (requirement `latest` names a tag, not versions)");
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

#[test]
fn peers_of_each_other_move_together() {
    let world = World::new(
        &["react ^17.0.0", "react-dom ^17.0.0"],
        &[
            ("react 17.0.0", &[]),
            ("react-dom 17.0.0", &["peer react ^17.0.0"]),
        ],
    )
    .releases("react", &[("17.0.0", &[]), ("18.0.0", &[])])
    .releases(
        "react-dom",
        &[
            ("17.0.0", &["peer react ^17.0.0"]),
            ("18.0.0", &["peer react ^18.0.0"]),
        ],
    )
    .advisory("react", "A-1", "18.0.0");
    insta::assert_snapshot!(world.summary(), @r"
    react-dom 17.0.0 -> 18.0.0 for react [toy.json: ^17.0.0 -> ^18.0.0]
    react 17.0.0 -> 18.0.0 ends A-1 [toy.json: ^17.0.0 -> ^18.0.0]
    ");
}

#[test]
fn packages_that_need_each_other_move_together() {
    let world = World::new(
        &["a ^1.0.0"],
        &[
            ("a 1.0.0", &["b =1.0.0"]),
            ("b 1.0.0", &["c =1.0.0"]),
            ("c 1.0.0", &["a =1.0.0"]),
        ],
    )
    .releases("a", &[("1.0.0", &["b =1.0.0"]), ("1.1.0", &["b =1.1.0"])])
    .releases("b", &[("1.0.0", &["c =1.0.0"]), ("1.1.0", &["c =1.1.0"])])
    .releases("c", &[("1.0.0", &["a =1.0.0"]), ("1.1.0", &["a =1.1.0"])])
    .advisory("c", "A-1", "1.1.0");
    insta::assert_snapshot!(world.summary(), @r"
    a 1.0.0 -> 1.1.0 for b
    b 1.0.0 -> 1.1.0 for c
    c 1.0.0 -> 1.1.0 ends A-1
    ");
}

#[test]
fn a_package_without_a_fix_leaves_with_a_release_of_its_parent_that_drops_it() {
    let world = World::new(
        &["parent ^1.0.0"],
        &[("parent 1.0.0", &["a ^1.0.0"]), ("a 1.0.0", &[])],
    )
    .releases(
        "parent",
        &[
            ("1.0.0", &["a ^1.0.0"]),
            ("1.1.0", &["a ^1.0.0"]),
            ("1.2.0", &["b ^1.0.0"]),
        ],
    )
    .releases("a", &[("1.0.0", &[])])
    .releases("b", &[("1.0.0", &[]), ("1.3.0", &[])])
    .advisory("a", "A-1", "");
    let proposal = world.proposal();
    insta::assert_snapshot!(world.summary(), @"parent 1.0.0 -> 1.2.0 ends A-1 for a");

    // What comes in is the newest release, as a package manager would choose.
    let new = proposal
        .graph
        .nodes
        .iter()
        .find(|node| node.was.is_none())
        .unwrap();
    assert_eq!(new.release.as_ref().unwrap().version, "1.3.0");
}

#[test]
fn a_release_whose_own_dependency_has_a_finding_is_passed_over() {
    let world = World::new(&["a ^1.0.0"], &[("a 1.0.0", &[])])
        .releases("a", &[("1.0.1", &["b =1.0.0"]), ("1.0.2", &["b =1.1.0"])])
        .releases("b", &[("1.0.0", &[]), ("1.1.0", &[])])
        .advisory("a", "A-1", "1.0.1")
        .advisory("b", "B-1", "1.1.0");
    insta::assert_snapshot!(world.summary(), @"a 1.0.0 -> 1.0.2 ends A-1");
}

#[test]
fn a_dependency_that_must_follow_follows() {
    let world = World::new(
        &["a ^1.0.0", "b ^1.0.0"],
        &[("a 1.0.0", &["b ^1.0.0"]), ("b 1.0.0", &[])],
    )
    .releases("a", &[("1.0.1", &["b ^1.2.0"])])
    .releases("b", &[("1.0.0", &[]), ("1.2.0", &[]), ("1.3.0", &[])])
    .advisory("a", "A-1", "1.0.1");
    insta::assert_snapshot!(world.summary(), @r"
    a 1.0.0 -> 1.0.1 ends A-1
    b 1.0.0 -> 1.2.0 for a
    ");
}

#[test]
fn a_direct_dependency_that_another_one_pins_waits_for_it() {
    let world = World::new(
        &["rand ^0.7.0", "tempfile ^3.0.0"],
        &[("rand 0.7.2", &[]), ("tempfile 3.1.0", &["rand =0.7.2"])],
    )
    .releases("rand", &[("0.7.2", &[]), ("0.7.3", &[])])
    .releases(
        "tempfile",
        &[("3.1.0", &["rand =0.7.2"]), ("3.2.0", &["rand ^0.7.0"])],
    )
    .advisory("rand", "A-1", "0.7.3");
    insta::assert_snapshot!(world.summary(), @r"
    tempfile 3.1.0 -> 3.2.0 for rand
    rand 0.7.2 -> 0.7.3 ends A-1
    ");
}

#[test]
fn a_choice_that_another_fix_cannot_live_with_is_taken_back() {
    // The smallest fix of `bindgen` pulls `nom` 6, which holds `memchr` back.
    let world = World::new(
        &["bindgen ^0.58.0", "memchr ^2.0.0"],
        &[("bindgen 0.58.0", &[]), ("memchr 2.0.0", &[])],
    )
    .releases(
        "bindgen",
        &[
            ("0.58.0", &[]),
            ("0.58.1", &["nom ^6.0.0"]),
            ("0.58.2", &[]),
        ],
    )
    .releases("nom", &[("6.0.0", &["memchr <2.4.0"])])
    .releases("memchr", &[("2.0.0", &[]), ("2.4.0", &[])])
    .advisory("bindgen", "A-1", "0.58.1")
    .advisory("memchr", "M-1", "2.4.0");
    let mut world = world;
    world.copies = Copies::OnePerLine;
    insta::assert_snapshot!(world.summary(), @r"
    memchr 2.0.0 -> 2.4.0 ends M-1
    bindgen 0.58.0 -> 0.58.2 ends A-1
    ");
}

#[test]
fn findings_that_need_no_fix_do_not_refuse_a_release() {
    // B-1 is ignored: `parent` has it before and after.
    let world = World::new(
        &["parent ^1.0.0"],
        &[("parent 1.0.0", &["a =1.0.0"]), ("a 1.0.0", &[])],
    )
    .releases(
        "parent",
        &[("1.0.0", &["a =1.0.0"]), ("1.1.0", &["a ^1.0.0"])],
    )
    .releases("a", &[("1.0.0", &[]), ("1.0.1", &[])])
    .advisory("a", "A-1", "1.0.1")
    .advisory("parent", "B-1", "");
    let mut world = world;
    world.ignored = vec!["B-1".to_owned()];
    insta::assert_snapshot!(world.summary(), @r"
    parent 1.0.0 -> 1.1.0 for a
    a 1.0.0 -> 1.0.1 ends A-1
    ");
}

#[test]
fn what_the_project_bundles_itself_moves() {
    let mut world = World::new(&["a ^1.0.0"], &[("a 1.0.0", &[])])
        .releases("a", &[("1.0.1", &[])])
        .advisory("a", "A-1", "1.0.1");
    world.lockfile.packages[0].bundled = true;
    insta::assert_snapshot!(world.summary(), @"a 1.0.0 -> 1.0.1 ends A-1");
}

#[test]
fn one_version_of_a_package_serves_all_dependents() {
    let world = World::new(
        &["a ^1.0.0", "b ^1.0.0"],
        &[
            ("a 1.0.0", &["c ^1.0.0"]),
            ("b 1.0.0", &["c ~1.0.0"]),
            ("c 1.0.0", &[]),
        ],
    )
    .releases("a", &[("1.0.0", &["c ^1.0.0"])])
    .releases("b", &[("1.0.0", &["c ~1.0.0"]), ("1.5.0", &["c ^1.0.0"])])
    .releases("c", &[("1.0.0", &[]), ("1.4.0", &[])])
    .advisory("c", "C-1", "1.4.0");
    let mut world = world;
    world.copies = Copies::One;
    insta::assert_snapshot!(world.summary(), @r"
    b 1.0.0 -> 1.5.0 for c
    c 1.0.0 -> 1.4.0 ends C-1
    ");
}

#[test]
fn a_greater_step_than_allowed_is_not_made() {
    let mut world = World::new(&["a ^1.0.0"], &[("a 1.0.0", &[])])
        .releases("a", &[("2.0.0", &[])])
        .advisory("a", "A-1", "2.0.0");
    world.options.max_bump = patchgate_model::Bump::Minor;
    insta::assert_snapshot!(world.summary(), @"left A-1: 2.0.0 fixes it, which is a major step, and only minor ones are allowed");
}

#[test]
fn a_package_may_have_a_limit_of_its_own() {
    let mut world = World::new(&["a ^1.0.0"], &[("a 1.0.0", &[])])
        .releases("a", &[("2.0.0", &[])])
        .advisory("a", "A-1", "2.0.0");
    world.limited = ["a".to_owned()].into();
    insta::assert_snapshot!(world.summary(), @"left A-1: `a 2.0.0` cannot be used: only minor steps of it are allowed");
}

#[test]
fn an_override_is_the_last_resort() {
    let mut world = World::new(
        &["parent ^1.0.0"],
        &[("parent 1.0.0", &["a =1.0.0"]), ("a 1.0.0", &[])],
    )
    .releases("parent", &[("1.0.0", &["a =1.0.0"])])
    .releases("a", &[("1.0.0", &[]), ("1.0.1", &[])])
    .advisory("a", "A-1", "1.0.1");
    world.options.overrides = true;
    let proposal = world.proposal();
    assert_eq!(
        proposal.overrides,
        [("a".to_owned(), "1.0.1".to_owned())].into()
    );
    insta::assert_snapshot!(world.summary(), @"a 1.0.0 -> 1.0.1 ends A-1");
}

/// The answer of a planner that needs the releases of one package.
fn missing(name: &str) -> Planned {
    Planned::Missing(MissingFacts {
        packages: [name.to_owned()].into(),
        ..MissingFacts::default()
    })
}
