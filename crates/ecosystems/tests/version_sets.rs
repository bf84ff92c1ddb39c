//! Sets of versions, compared with enumeration: each operation must agree with membership for every
//! version of a small universe.
#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

use std::ops::Bound;

use patchgate_ecosystems::{Ecosystem, Interval, Prereleases, VersionSet, by_name};
use patchgate_model::SmolStr;
use proptest::prelude::*;
use proptest::sample::select;

/// The versions of an ecosystem between which bounds are chosen. Some are equal in order, and some
/// are pre-releases.
const UNIVERSES: &[(&str, &[&str])] = &[
    (
        "npm",
        &[
            "0.0.0-0",
            "0.0.0",
            "0.9.0",
            "1.0.0-0",
            "1.0.0-a",
            "1.0.0-rc.1",
            "1.0.0",
            "1.0.0+b",
            "1.0.1-a",
            "1.0.1",
            "1.1.0-0",
            "1.1.0",
            "2.0.0-0",
            "2.0.0-a.1",
            "2.0.0",
        ],
    ),
    (
        "crates.io",
        &[
            "0.0.0",
            "0.9.0-a",
            "0.9.0",
            "1.0.0-0",
            "1.0.0-a",
            "1.0.0-rc.1",
            "1.0.0",
            "1.0.1-a",
            "1.0.1",
            "1.1.0",
            "2.0.0-0",
            "2.0.0-a",
            "2.0.0",
        ],
    ),
    (
        "PyPI",
        &[
            "x",
            "0",
            "0.9",
            "1.dev0",
            "1.0.dev1",
            "1.0a1.dev1",
            "1a1",
            "1.0a1.post1",
            "1.0rc1",
            "1",
            "1.0.0",
            "1.0+cpu",
            "1.0.post1.dev0",
            "1.0.post1",
            "1.1a1",
            "1.1",
            "2.dev0",
            "2.0a1",
            "2",
            "1!0.5",
        ],
    ),
    (
        "RubyGems",
        &[
            "0",
            "0.9.a",
            "0.9",
            "1.A",
            "1.a",
            "1.0.pre1",
            "1.0.0.rc1",
            "1",
            "1.0",
            "1.0.1.a",
            "1.0.1",
            "1.1.pre",
            "1.1",
            "2.A",
            "2.0.a",
            "2.0.pre",
            "2",
        ],
    ),
    (
        "Packagist",
        &[
            "0.9",
            "1.0-dev",
            "1.0-alpha1",
            "1.0-beta1",
            "1.0-RC1",
            "1",
            "1.0.0",
            "1.0-p1",
            "1.0.1-dev",
            "1.0.1",
            "1.x-dev",
            "2.0-dev",
            "2.0-beta1",
            "2.0",
        ],
    ),
    (
        "conda",
        &[
            "0.9", "1.0dev1", "1.0a1", "1.0rc1", "1.0", "1", "1.0post1", "1.1a1", "1.1", "2.0a1",
            "2", "1!0.5",
        ],
    ),
    (
        "CRAN",
        &[
            "0", "0.1", "0.1.0", "0.1-1", "0.2", "1.0", "1.0-1", "1.0.1", "1.1",
        ],
    ),
    (
        "Julia",
        &[
            "0.9", "1.0-", "1.0-a", "1.0-rc1", "1.0", "1.0+1", "1.0.1-a", "1.0.1", "1.1", "2.0-",
            "2.0-a", "2.0",
        ],
    ),
    (
        "Hackage",
        &["0", "0.1", "0.1.0", "1", "1.0", "1.1", "2", "2.0"],
    ),
    (
        "CPAN",
        &["0", "0.5", "1", "1.002", "v1.2.0", "1.2", "2", "v2.0.1"],
    ),
];

type Universe = (&'static str, &'static [&'static str]);

/// A universe and two sets in it.
fn sets() -> impl Strategy<Value = (Universe, VersionSet, VersionSet)> {
    select(UNIVERSES).prop_flat_map(|universe| {
        let (name, versions) = universe;
        (Just(universe), set(name, versions), set(name, versions))
    })
}

fn set(name: &'static str, versions: &'static [&'static str]) -> impl Strategy<Value = VersionSet> {
    proptest::collection::vec(interval(name, versions), 0..4)
        .prop_map(|intervals| intervals.into_iter().collect())
}

fn interval(
    name: &'static str,
    versions: &'static [&'static str],
) -> impl Strategy<Value = Interval> {
    let releases: Vec<SmolStr> = versions
        .iter()
        .filter_map(|version| by_name(name).unwrap().release_of(version))
        .map(SmolStr::from)
        .collect();
    let rule = match releases.is_empty() {
        true => Just(Prereleases::All).boxed(),
        false => prop_oneof![
            Just(Prereleases::All),
            proptest::collection::vec(select(releases), 0..3).prop_map(Prereleases::Of),
        ]
        .boxed(),
    };
    (bound(versions), bound(versions), rule).prop_map(|(lower, upper, prereleases)| Interval {
        lower,
        upper,
        prereleases,
    })
}

fn bound(versions: &'static [&'static str]) -> impl Strategy<Value = Bound<SmolStr>> {
    prop_oneof![
        1 => Just(Bound::Unbounded),
        3 => select(versions).prop_map(|version| Bound::Included(version.into())),
        3 => select(versions).prop_map(|version| Bound::Excluded(version.into())),
    ]
}

/// Whether the rule of every interval of `a` is narrower than each of `b`, so that a difference is
/// exact.
fn is_exact(order: &dyn Ecosystem, a: &VersionSet, b: &VersionSet) -> bool {
    let is_narrower = |a: &Prereleases, b: &Prereleases| match (a, b) {
        (_, Prereleases::All) => true,
        (Prereleases::All, Prereleases::Of(_)) => false,
        (Prereleases::Of(a), Prereleases::Of(b)) => a.iter().all(|a| {
            b.iter()
                .any(|b| order.compare_versions(a, b).unwrap().is_eq())
        }),
    };
    let pairs = a
        .intervals
        .iter()
        .flat_map(|one| b.intervals.iter().map(move |other| (one, other)));
    pairs
        .into_iter()
        .all(|(one, other)| is_narrower(&one.prereleases, &other.prereleases))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn operations_agree_with_enumeration((universe, a, b) in sets()) {
        let order = by_name(universe.0).unwrap();
        let both = a.intersection(order, &b).unwrap();
        let rest = a.difference(order, &b).unwrap();
        let merged = a.merged(order).unwrap();
        let exact = is_exact(order, &a, &b);
        let is_subset = a.is_subset(order, &b).unwrap();

        for version in universe.1 {
            let contains = |set: &VersionSet| set.contains(order, version).unwrap();
            let (in_a, in_b) = (contains(&a), contains(&b));

            prop_assert_eq!(contains(&both), in_a && in_b, "{} in both", version);
            prop_assert_eq!(contains(&merged), in_a, "{} in merged", version);
            prop_assert!(!in_a || in_b || contains(&rest), "{} in the rest", version);
            prop_assert!(in_a || !contains(&rest), "{} not in the rest", version);
            prop_assert!(!(exact && in_b && contains(&rest)), "{} in an exact rest", version);
            prop_assert!(!is_subset || !in_a || in_b, "{} in the subset", version);
            for (set, name) in [(&a, "a"), (&b, "b"), (&both, "both"), (&rest, "the rest")] {
                let is_empty = set.is_empty(order).unwrap();
                prop_assert!(!is_empty || !contains(set), "{} in {}, which is empty", version, name);
            }
        }
    }

    #[test]
    fn a_set_contains_its_parts((universe, a, b) in sets()) {
        let order = by_name(universe.0).unwrap();
        let both = a.intersection(order, &b).unwrap();
        let rest = a.difference(order, &b).unwrap();

        prop_assert!(a.is_subset(order, &a).unwrap(), "a set is a subset of itself");
        prop_assert!(both.is_subset(order, &a).unwrap(), "a common part");
        prop_assert!(both.merged(order).unwrap().is_subset(order, &a).unwrap(), "merged");
        prop_assert!(rest.is_subset(order, &a).unwrap(), "a rest");
        prop_assert!(a.is_subset(order, &VersionSet::all()).unwrap(), "all versions");
        prop_assert!(VersionSet::default().is_subset(order, &a).unwrap(), "no versions");
    }

    #[test]
    fn merged_intervals_are_disjoint_and_ascending((universe, a, _) in sets()) {
        let order = by_name(universe.0).unwrap();
        let plain: VersionSet = a
            .intervals
            .into_iter()
            .map(|interval| interval.with_prereleases(Prereleases::All))
            .collect();
        let merged = plain.merged(order).unwrap();
        for pair in merged.intervals.windows(2) {
            let [first, second] = pair else { continue };
            let (
                Bound::Included(end) | Bound::Excluded(end),
                Bound::Included(start) | Bound::Excluded(start),
            ) = (&first.upper, &second.lower) else {
                panic!("{first} and {second} overlap");
            };
            let both_without = matches!(
                (&first.upper, &second.lower),
                (Bound::Excluded(_), Bound::Excluded(_))
            );
            let gap = order.compare_versions(end, start).unwrap();
            prop_assert!(
                gap.is_lt() || (gap.is_eq() && both_without),
                "{} and {} touch", first, second
            );
        }
    }
}

#[test]
fn a_lower_bound_admits_its_version_and_later_ones() {
    for (name, version, later) in [
        ("npm", "1.2.3", "9.0.0"),
        ("crates.io", "1.2.3", "9.0.0"),
        ("PyPI", "1.2.post1", "9"),
        ("PyPI", "1.2+cpu", "9"),
        ("RubyGems", "1.2.rc1", "9"),
        ("Packagist", "1.2-beta1", "9"),
        ("conda", "1.2a1", "9"),
        ("CRAN", "1.2-3", "9.0"),
        ("Bioconductor", "1.2.3", "9.0"),
        ("Julia", "1.2.0-rc1+1", "9.0"),
        ("Hackage", "1.2.3", "9"),
        ("CPAN", "v1.2.3", "9"),
    ] {
        let order = by_name(name).unwrap();
        let requirement = order.at_least(version);
        let set = order.admitted_versions(&requirement).unwrap();
        for admitted in [version, later] {
            assert!(
                set.contains(order, admitted).unwrap(),
                "{name}: {requirement} and {admitted}"
            );
        }
        assert!(
            !set.contains(order, "0.0.1").unwrap(),
            "{name}: {requirement}"
        );
    }
}

/// A number, a wildcard or nothing for each part of a version in a requirement of npm or Cargo.
fn partial() -> impl Strategy<Value = String> {
    let number = || select(&["0", "1", "2", "3"][..]);
    let wild = || select(&["x", "*", "X"][..]);
    let prerelease = || select(&["", "", "-0", "-a", "-rc.1", "-a.1"][..]);
    prop_oneof![
        1 => wild().prop_map(str::to_owned),
        2 => number().prop_map(str::to_owned),
        2 => (number(), number()).prop_map(|(major, minor)| format!("{major}.{minor}")),
        1 => (number(), wild()).prop_map(|(major, minor)| format!("{major}.{minor}")),
        1 => (number(), number(), wild())
            .prop_map(|(major, minor, patch)| format!("{major}.{minor}.{patch}")),
        5 => (number(), number(), number(), prerelease())
            .prop_map(|(major, minor, patch, pre)| format!("{major}.{minor}.{patch}{pre}")),
    ]
}

/// Versions for requirements of npm and Cargo: all small numbers with all small pre-releases.
fn small_versions() -> Vec<String> {
    let mut versions = Vec::new();
    for major in 0..4 {
        for minor in 0..4 {
            for patch in 0..4 {
                for pre in ["", "-0", "-a", "-a.1", "-rc.1"] {
                    versions.push(format!("{major}.{minor}.{patch}{pre}"));
                }
            }
        }
    }
    versions.push("1.2.3+build".to_owned());
    versions
}

fn agrees_with_admits(ecosystem: &str, requirement: &str) -> Result<(), TestCaseError> {
    let order = by_name(ecosystem).unwrap();
    let upgradable = order.upgradable().unwrap();
    let set = order.admitted_versions(requirement);
    for version in small_versions() {
        match (upgradable.admits(requirement, &version), &set) {
            (Ok(admitted), Ok(set)) => prop_assert_eq!(
                set.contains(order, &version).unwrap(),
                admitted,
                "`{}` and {}",
                requirement,
                version
            ),
            (Err(_), Err(_)) => {}
            (admits, set) => prop_assert!(false, "`{}`: {:?}, {:?}", requirement, admits, set),
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn requirements_of_npm_admit_what_their_sets_contain(
        alternatives in proptest::collection::vec(
            prop_oneof![
                1 => Just(String::new()),
                2 => (partial(), partial()).prop_map(|(from, to)| format!("{from} - {to}")),
                6 => proptest::collection::vec(
                    (select(&["", "=", ">", ">=", "<", "<=", "~", "^", "~>", "> ", "v"][..]), partial())
                        .prop_map(|(operator, version)| format!("{operator}{version}")),
                    1..4,
                )
                .prop_map(|terms| terms.join(" ")),
            ],
            1..4,
        ),
        separator in select(&["||", " || "][..]),
    ) {
        agrees_with_admits("npm", &alternatives.join(separator))?;
    }

    #[test]
    fn requirements_of_cargo_admit_what_their_sets_contain(
        terms in proptest::collection::vec(
            (select(&["", "=", ">", ">=", "<", "<=", "~", "^", "> "][..]), partial())
                .prop_map(|(operator, version)| format!("{operator}{version}")),
            1..4,
        ),
        separator in select(&[",", ", "][..]),
    ) {
        agrees_with_admits("crates.io", &terms.join(separator))?;
    }
}
