use patchgate_ecosystems::by_name;
use patchgate_model::{
    DependencyKind, EcosystemName, Edge, FixedVersion, Level, PackageIndex, PackageRef, Root,
    Scope, Severity,
};
use proptest::prelude::*;

use super::*;

fn npm() -> &'static dyn Upgradable {
    by_name("npm").unwrap().upgradable().unwrap()
}

fn package(path: &str, version: &str) -> Package {
    let name = path.rsplit('/').next().unwrap_or_default().to_owned();
    Package {
        install_path: Some(path.to_owned()),
        ..Package::new(EcosystemName::new("npm"), name, version.to_owned())
    }
}

/// A tree of copies as `path version`, each with the paths of its dependencies. The first line is
/// the project.
fn tree(lines: &[(&str, &[&str])]) -> Lockfile {
    let mut packages: Vec<Package> = lines[1..]
        .iter()
        .map(|(copy, _)| {
            let (path, version) = copy.split_once(' ').unwrap();
            package(path, version)
        })
        .collect();

    let edges = |needs: &[&str]| -> Vec<Edge> {
        needs
            .iter()
            .map(|path| Edge {
                to: PackageIndex(
                    lines[1..]
                        .iter()
                        .position(|(copy, _)| copy.split_once(' ').unwrap().0 == *path)
                        .unwrap() as u32,
                ),
                name: path.rsplit('/').next().unwrap().into(),
                requirement: None,
                kind: DependencyKind::Runtime,
            })
            .collect()
    };
    let all: Vec<Vec<Edge>> = lines.iter().map(|(_, needs)| edges(needs)).collect();
    for (package, edges) in packages.iter_mut().zip(&all[1..]) {
        package.edges.clone_from(edges);
    }

    Lockfile {
        ecosystem: EcosystemName::new("npm"),
        packages,
        roots: vec![Root {
            name: "app".to_owned(),
            manifest: Some("package.json".to_owned()),
            edges: all[0].clone(),
        }],
        ..Lockfile::default()
    }
}

fn finding(name: &str, version: &str, id: &str) -> Finding {
    Finding {
        id: id.to_owned(),
        aliases: Vec::new(),
        summary: String::new(),
        package: PackageRef {
            ecosystem: EcosystemName::new("npm"),
            distribution: None,
            name: name.to_owned(),
            version: version.to_owned(),
            purl: String::new(),
        },
        locations: Vec::new(),
        paths: Vec::new(),
        scope: Scope::Runtime,
        requirement: None,
        fixed: FixedVersion::None(String::new()),
        severity: Severity {
            level: Level::High,
            cvss_score: None,
            cvss_vector: None,
        },
        signals: Default::default(),
        informational: None,
        malicious: false,
        reachability: None,
        score: Default::default(),
        advisories: Vec::new(),
    }
}

fn reported(before: &Lockfile, after: &Lockfile, findings: &[Finding]) -> Vec<String> {
    downgrades(npm(), (before, findings), (after, findings))
        .into_iter()
        .map(|downgrade| downgrade.text)
        .collect()
}

#[test]
fn a_larger_copy_that_nobody_needs_any_more_is_no_downgrade() {
    let before = tree(&[
        ("", &["cacache", "plugin"]),
        ("cacache 1.0.0", &["ssri"]),
        ("ssri 6.0.1", &[]),
        ("plugin 1.0.0", &["plugin/ssri"]),
        ("plugin/ssri 8.0.0", &[]),
    ]);

    // The plugin is upgraded and requires nothing, and the older copy is upgraded to 6.0.2.
    let after = tree(&[
        ("", &["cacache", "plugin"]),
        ("cacache 1.0.0", &["ssri"]),
        ("ssri 6.0.2", &[]),
        ("plugin 2.0.0", &[]),
    ]);
    assert_eq!(reported(&before, &after, &[]), [""; 0]);
}

#[test]
fn what_stayed_and_gets_less_is_a_downgrade() {
    let before = tree(&[("", &["a", "b"]), ("a 1.0.0", &["b"]), ("b 1.5.0", &[])]);
    let after = tree(&[("", &["a", "b"]), ("a 1.0.0", &["b"]), ("b 1.4.0", &[])]);

    assert_eq!(
        reported(&before, &after, &[]),
        [
            "it moves `b 1.5.0` down to 1.4.0 for `a 1.0.0`",
            "it moves `b 1.5.0` down to 1.4.0 for `package.json`",
        ]
    );

    let found = downgrades(npm(), (&before, &[]), (&after, &[]));
    assert_eq!(
        found[0].packages,
        [
            ("b".to_owned(), "1.4.0".to_owned()),
            ("a".to_owned(), "1.0.0".to_owned())
        ]
    );
    assert_eq!(
        reported(&after, &before, &[]),
        [""; 0],
        "an upgrade is not a downgrade"
    );
}

/// `a` gets a larger copy of `b` because `c` requires it, until `c` is upgraded.
fn falls_back(direct: bool, smaller_was_there: bool, larger_stays: bool) -> Vec<String> {
    let project: &[&str] = if direct {
        &["a", "c", "d", "b"]
    } else {
        &["a", "c", "d"]
    };
    let other = if smaller_was_there {
        "d/b 1.0.0"
    } else {
        "d/b 0.9.0"
    };
    let before = tree(&[
        ("", project),
        ("a 1.0.0", &["b"]),
        ("b 2.0.0", &[]),
        ("c 1.0.0", &["b"]),
        ("d 1.0.0", &["d/b"]),
        (other, &[]),
    ]);

    let mut after = vec![
        ("", project),
        ("a 1.0.0", &["b"][..]),
        ("b 1.0.0", &[]),
        ("c 2.0.0", &[]),
        ("d 1.0.0", &["b"]),
    ];
    if larger_stays {
        after[3] = ("c 2.0.0", &["c/b"]);
        after.push(("c/b 2.0.0", &[]));
    }

    reported(&before, &tree(&after), &[])
}

#[test]
fn falling_back_on_a_copy_of_the_tree_needs_every_one_of_its_reasons() {
    assert_eq!(falls_back(false, true, false), [""; 0]);
    let down = "it moves `b 2.0.0` down to 1.0.0 for `a 1.0.0`";
    assert_eq!(falls_back(false, false, false), [down]);
    assert_eq!(falls_back(false, true, true), [down]);
    assert_eq!(
        falls_back(true, true, false),
        ["it moves `b 2.0.0` down to 1.0.0 for `package.json`"]
    );
}

#[test]
fn an_older_copy_with_a_finding_is_none_to_fall_back_on() {
    let before = tree(&[
        ("", &["a", "d"]),
        ("a 1.0.0", &["b"]),
        ("b 2.0.0", &[]),
        ("d 1.0.0", &["d/b"]),
        ("d/b 1.0.0", &[]),
    ]);

    let after = tree(&[
        ("", &["a", "d"]),
        ("a 1.0.0", &["b"]),
        ("b 1.0.0", &[]),
        ("d 1.0.0", &["b"]),
    ]);
    let findings = [finding("b", "1.0.0", "GHSA-aaaa-aaaa-aaaa")];

    assert_eq!(
        reported(&before, &after, &findings),
        ["it moves `b 2.0.0` down to 1.0.0 for `a 1.0.0`, which has GHSA-aaaa-aaaa-aaaa"]
    );
    assert_eq!(reported(&before, &after, &[]), [""; 0]);

    // Both have it: nothing is worse.
    let both = [
        findings[0].clone(),
        finding("b", "2.0.0", "GHSA-aaaa-aaaa-aaaa"),
    ];
    assert_eq!(reported(&before, &after, &both), [""; 0]);
}

#[test]
fn what_moved_may_ask_for_less_but_not_for_a_vulnerability() {
    let before = tree(&[("", &["a"]), ("a 1.0.0", &["b"]), ("b 2.0.0", &[])]);
    let after = tree(&[("", &["a"]), ("a 1.1.0", &["b"]), ("b 1.0.0", &[])]);
    assert_eq!(reported(&before, &after, &[]), [""; 0]);
    assert_eq!(
        reported(&before, &after, &[finding("b", "1.0.0", "CVE-2020-1")]),
        ["it moves `b 2.0.0` down to 1.0.0 for `a 1.1.0`, which has CVE-2020-1"]
    );
}

#[test]
fn a_copy_that_was_put_elsewhere_is_the_same_dependent() {
    let before = tree(&[
        ("", &["x"]),
        ("x 1.0.0", &["x/a"]),
        ("x/a 1.0.0", &["b"]),
        ("b 2.0.0", &[]),
    ]);
    let after = tree(&[
        ("", &["x"]),
        ("x 1.0.0", &["a"]),
        ("a 1.0.0", &["b"]),
        ("b 1.0.0", &[]),
    ]);

    assert_eq!(
        reported(&before, &after, &[]),
        ["it moves `b 2.0.0` down to 1.0.0 for `a 1.0.0`"]
    );
}

#[test]
fn what_one_archive_ships_is_its_makers_choice() {
    let ship = |mut lockfile: Lockfile| {
        for package in &mut lockfile.packages {
            package.bundled = package.name != "npm";
        }
        lockfile
    };
    let before = ship(tree(&[
        ("", &["npm"]),
        ("npm 1.0.0", &["a"]),
        ("a 1.0.0", &["b"]),
        ("b 2.0.0", &[]),
    ]));
    let after = ship(tree(&[
        ("", &["npm"]),
        ("npm 1.1.0", &["a"]),
        ("a 1.0.0", &["b"]),
        ("b 1.0.0", &[]),
    ]));

    assert_eq!(reported(&before, &after, &[]), [""; 0]);
}

#[test]
fn nobody_falls_back_on_a_copy_inside_an_archive() {
    let mut before = tree(&[
        ("", &["a", "npm"]),
        ("a 1.0.0", &["b"]),
        ("b 2.0.0", &[]),
        ("npm 1.0.0", &["npm/b"]),
        ("npm/b 1.0.0", &[]),
    ]);

    let after = tree(&[
        ("", &["a", "npm"]),
        ("a 1.0.0", &["b"]),
        ("b 1.0.0", &[]),
        ("npm 2.0.0", &["b"]),
    ]);
    assert_eq!(reported(&before, &after, &[]), [""; 0]);

    before.packages[3].bundled = true;
    assert_eq!(
        reported(&before, &after, &[]),
        ["it moves `b 2.0.0` down to 1.0.0 for `a 1.0.0`"]
    );
}

/// Trees of up to twelve copies at different paths, each with edges to later ones.
fn trees() -> impl Strategy<Value = Lockfile> {
    let copies = proptest::collection::vec((0..4u8, 0..4u8, any::<u16>()), 1..12);
    copies.prop_map(|copies| {
        let mut lockfile = tree(&[("", &[])]);
        for (index, (name, major, _)) in copies.iter().enumerate() {
            let path = format!("p{index}/n{name}");
            lockfile
                .packages
                .push(package(&path, &format!("{}.0.0", major + 1)));
        }

        let edge = |to: usize| Edge {
            to: PackageIndex(to as u32),
            name: format!("n{}", copies[to].0).into(),
            requirement: None,
            kind: DependencyKind::Runtime,
        };
        lockfile.roots[0].edges.push(edge(0));
        for (from, (_, _, to)) in copies.iter().enumerate() {
            let later = (from + 1..copies.len()).filter(|later| to & (1 << (later % 16)) != 0);
            lockfile.packages[from].edges = later.map(edge).collect();
        }

        lockfile
    })
}

proptest! {
    /// There is no downgrade when nothing changes, when edges go away, or when a version rises.
    #[test]
    fn less_and_higher_is_no_downgrade(lockfile in trees(), at in any::<proptest::sample::Index>()) {
        prop_assert_eq!(reported(&lockfile, &lockfile, &[]), [""; 0]);

        let mut pruned = lockfile.clone();
        let index = at.index(pruned.packages.len());
        pruned.packages[index].edges.clear();
        prop_assert_eq!(reported(&lockfile, &pruned, &[]), [""; 0]);

        let mut raised = lockfile.clone();
        raised.packages[index].version = "9.0.0".to_owned();
        prop_assert_eq!(reported(&lockfile, &raised, &[]), [""; 0]);
    }

    /// A new smaller version is a downgrade for every dependent that stayed and got more.
    #[test]
    fn a_version_that_was_not_there_is_nothing_to_fall_back_on(
        lockfile in trees(),
        at in any::<proptest::sample::Index>(),
    ) {
        let mut lockfile = lockfile;
        for package in &mut lockfile.packages {
            // Two edges by one name would make it unclear which of them fell.
            let mut names = BTreeSet::new();
            package.edges.retain(|edge| names.insert(edge.name.clone()));
        }

        let mut lowered = lockfile.clone();
        let index = at.index(lowered.packages.len());
        lowered.packages[index].version = "0.0.1".to_owned();
        let to = PackageIndex(index as u32);
        let asks = |edges: &[Edge]| edges.iter().any(|edge| edge.to == to);
        let mut dependents = lockfile.packages.iter().map(|package| &package.edges);
        let expected = asks(&lockfile.roots[0].edges) || dependents.any(|edges| asks(edges));

        prop_assert_eq!(!reported(&lockfile, &lowered, &[]).is_empty(), expected);
    }
}
