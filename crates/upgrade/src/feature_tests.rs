//! Graphs in which features decide what a package needs.

use patchgate_ecosystems::{Copies, Release};

use crate::registry_tests::coming;
use crate::test_ecosystem::{TestEcosystem, World, release};

/// A release with features, each as `name: values`. Dependencies that a feature names are optional.
fn with_features(version: &str, requirements: &[&str], features: &[&str]) -> Release {
    let mut release = release(version, requirements);
    for feature in features {
        let (name, values) = feature.split_once(':').unwrap();
        let values: Vec<String> = values.split_whitespace().map(str::to_owned).collect();
        for requirement in &mut release.requirements {
            let is_named = |value: &String| *value == requirement.name;
            requirement.optional |= values.iter().any(is_named);
        }
        release.features.insert(name.to_owned(), values);
    }
    release
}

/// The same release, which asks its first dependency for these features, and not for the default ones.
fn asking(mut release: Release, features: &[&str]) -> Release {
    let first = &mut release.requirements[0];
    first.features = features.iter().map(|name| (*name).to_owned()).collect();
    first.no_default_features = true;
    release
}

fn world(direct: &[&str], locked: &[(&str, &[&str])], known: Vec<(&str, Vec<Release>)>) -> World {
    let ecosystem = TestEcosystem::new(Copies::Any);
    let mut world = World::new(direct, locked).advisory("a", "A-1", "1.0.1");
    world.features = true;
    for (name, releases) in known {
        world.known_releases.insert(&ecosystem, name, Ok(releases));
    }
    world
}

#[test]
fn a_package_that_stays_needs_what_a_new_feature_turns_on() {
    let net = with_features("1.0.0", &["c ^1.0.0", "d ^1.0.0"], &["net: c", "other: d"]);
    let world = world(
        &["a ^1.0.0"],
        &[("a 1.0.0", &["b ^1.0.0"]), ("b 1.0.0", &[])],
        vec![
            (
                "a",
                vec![
                    asking(release("1.0.0", &["b ^1.0.0"]), &[]),
                    asking(release("1.0.1", &["b ^1.0.0"]), &["net"]),
                ],
            ),
            ("b", vec![net]),
            ("c", vec![release("1.0.0", &[]), release("1.1.0", &[])]),
            ("d", vec![release("1.0.0", &[])]),
        ],
    );

    assert_eq!(coming(&world.proposal()), ["c 1.1.0"]);
}

#[test]
fn a_feature_is_asked_through_the_features_of_others() {
    let b = with_features("1.1.0", &["c ^1.0.0"], &["net: c/fast"]);
    let c = with_features("1.0.0", &["d ^1.0.0"], &["fast: d", "default:"]);
    let world = world(
        &["a ^1.0.0"],
        &[
            ("a 1.0.0", &["b ^1.0.0"]),
            ("b 1.0.0", &["c ^1.0.0"]),
            ("c 1.0.0", &[]),
        ],
        vec![
            (
                "a",
                vec![
                    release("1.0.0", &["b ^1.0.0"]),
                    asking(release("1.0.1", &["b ^1.1.0"]), &["net"]),
                ],
            ),
            ("b", vec![release("1.0.0", &["c ^1.0.0"]), b]),
            ("c", vec![c]),
            ("d", vec![release("1.0.0", &[])]),
        ],
    );

    assert_eq!(coming(&world.proposal()), ["d 1.0.0"]);
}

#[test]
fn default_features_that_nothing_asks_for_bring_nothing() {
    let with_default = |version: &str| with_features(version, &["c ^1.0.0"], &["default: c"]);
    let known = |asked: Release| {
        vec![
            ("a", vec![release("1.0.0", &["b ^1.0.0"]), asked]),
            ("b", vec![release("1.0.0", &[]), with_default("1.1.0")]),
            ("c", vec![release("1.0.0", &[])]),
        ]
    };
    let locked: &[(&str, &[&str])] = &[("a 1.0.0", &["b ^1.0.0"]), ("b 1.0.0", &[])];

    let asked = release("1.0.1", &["b ^1.1.0"]);
    let with = world(&["a ^1.0.0"], locked, known(asked.clone()));
    assert_eq!(coming(&with.proposal()), ["c 1.0.0"]);

    let without = world(&["a ^1.0.0"], locked, known(asking(asked, &[])));
    assert_eq!(coming(&without.proposal()), [""; 0]);
}
