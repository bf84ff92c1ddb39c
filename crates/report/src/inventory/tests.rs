use insta::assert_snapshot;
use patchgate_model::{
    DependencyKind, EcosystemName, Edge, FormatId, Inventory, Lockfile, Origin, Package,
    PackageIndex, Problem, ProblemKind, Root, Scope, UnlockedManifest, Unresolved,
};

use super::*;
use crate::Terminal;

const PLAIN: Terminal = Terminal {
    width: 100,
    color: false,
    interactive: false,
};

fn edges(to: &[u32]) -> Vec<Edge> {
    to.iter()
        .map(|to| Edge {
            to: PackageIndex(*to),
            name: "x".into(),
            requirement: None,
            kind: DependencyKind::Runtime,
        })
        .collect()
}

fn package(name: &str, version: &str, line: u32, to: &[u32]) -> Package {
    Package {
        line,
        edges: edges(to),
        ..Package::new(
            EcosystemName::new("npm"),
            name.to_owned(),
            version.to_owned(),
        )
    }
}

/// `app` asks for `a` and `b`; both lead to `c`, which leads back to `a`.
fn lockfile() -> Lockfile {
    Lockfile {
        path: "web/package-lock.json".to_owned(),
        ecosystem: EcosystemName::new("npm"),
        format: FormatId::new("npm-lock-v3"),
        packages: vec![
            package("a", "1.0.0", 3, &[2]),
            Package {
                scope: Scope::Development,
                origin: Origin::Git {
                    url: "https://user:secret@git.invalid/b".to_owned(),
                    commit: Some("0123abc".to_owned()),
                },
                ..package("@s/b", "2.0.0", 5, &[2])
            },
            package("c", "3.0.0", 7, &[0]),
            package("alone", "4.0.0", 9, &[]),
        ],
        roots: vec![Root {
            name: "app".to_owned(),
            manifest: Some("web/package.json".to_owned()),
            edges: edges(&[0, 1]),
        }],
        ..Lockfile::default()
    }
}

#[test]
fn names_are_cut_on_a_terminal_only() {
    let mut report = report(None);
    report.packages[0].name = "n".repeat(90);
    report.packages[0].version = "6".repeat(40);
    let text = report.to_table(PLAIN);
    assert!(
        text.contains(&"n".repeat(90)) && text.contains(&"6".repeat(40)),
        "{text}"
    );

    let terminal = Terminal {
        interactive: true,
        ..PLAIN
    };
    let text = report.to_table(terminal);
    assert!(
        text.contains('…') && !text.contains(&"n".repeat(90)),
        "{text}"
    );
}

fn report(why: Option<&str>) -> InventoryReport {
    let inventory = Inventory {
        lockfiles: vec![lockfile()],
        unlocked: vec![UnlockedManifest {
            path: "tool/package.json".to_owned(),
            ecosystem: EcosystemName::new("npm"),
            unresolved: vec![Unresolved {
                ecosystem: EcosystemName::new("npm"),
                name: "left-pad".to_owned(),
                requirement: "^1.0.0".to_owned(),
                kind: DependencyKind::Development,
                line: 4,
            }],
        }],
        problems: vec![Problem {
            kind: ProblemKind::File,
            subject: "Cargo.lock".to_owned(),
            line: Some(2),
            reason: "is not UTF-8".to_owned(),
            hint: None,
        }],
        ..Inventory::default()
    };

    InventoryReport::new(&InventoryInput {
        inventory: &inventory,
        why,
        exit_code: 3,
    })
}

#[test]
fn a_table_has_a_line_for_each_package() {
    assert_snapshot!(report(None).to_table(PLAIN));
}

#[test]
fn a_tree_draws_each_package_once() {
    assert_snapshot!(report(None).to_tree(PLAIN));
}

#[test]
fn json_has_every_field() {
    assert_snapshot!(report(Some("c")).to_json());
}

#[test]
fn every_chain_is_listed_and_circles_end() {
    let steps = |why: &str| -> Vec<String> {
        let why = report(Some(why)).why.unwrap();
        assert!(!why.more);
        why.chains.iter().map(super::tree::chain_text).collect()
    };
    assert_eq!(
        steps("c"),
        ["app > @s/b@2.0.0 > c@3.0.0", "app > a@1.0.0 > c@3.0.0"]
    );
    assert_eq!(
        steps("pkg:npm/a@1.0.0"),
        ["app > a@1.0.0", "app > @s/b@2.0.0 > c@3.0.0 > a@1.0.0"]
    );
    assert_eq!(steps("@s/b@2.0.0"), ["app > @s/b@2.0.0"]);
    assert_eq!(
        steps("alone"),
        ["(not required by any known project) > alone@4.0.0"]
    );

    assert!(steps("nothing").is_empty());
}

#[test]
fn a_graph_with_countless_chains_ends() {
    // Each of 40 layers doubles the number of chains.
    let mut packages = vec![package("top", "1.0.0", 1, &[1, 2])];
    for layer in 0..40u32 {
        let next = 3 + layer * 2;
        let to: &[u32] = if layer == 39 { &[] } else { &[next, next + 1] };
        packages.push(package(&format!("l{layer}"), "1.0.0", 1, to));
        packages.push(package(&format!("r{layer}"), "1.0.0", 1, to));
    }

    let lockfile = Lockfile {
        packages,
        roots: vec![Root {
            edges: edges(&[0]),
            ..Root::default()
        }],
        ..Lockfile::default()
    };
    let inventory = Inventory {
        lockfiles: vec![lockfile],
        ..Inventory::default()
    };
    let why = InventoryReport::new(&InventoryInput {
        inventory: &inventory,
        why: Some("l39"),
        exit_code: 0,
    })
    .why
    .unwrap();

    assert!(why.more);
    assert_eq!(why.chains.len(), 1_000);
}
