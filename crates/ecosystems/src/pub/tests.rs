//! Whole files: the contents of the fixtures, and the traps of the formats.

use patchgate_model::Lockfile;

use crate::snapshot_text::snapshot_text;
use crate::test_files;
use crate::{Input, Siblings};

fn read(files: &[(&str, &str)]) -> Lockfile {
    test_files::read(files).unwrap()
}

const LOCK: &str = include_str!("fixtures/read/app/pubspec.lock");
const MANIFEST: &str = include_str!("fixtures/read/app/pubspec.yaml");

#[test]
fn all_sources_are_read() {
    insta::assert_snapshot!(snapshot_text(&read(&[
        ("app/pubspec.lock", LOCK),
        ("app/pubspec.yaml", MANIFEST)
    ])));
}

#[test]
fn members_of_a_workspace_are_roots() {
    insta::assert_snapshot!(snapshot_text(&read(&[
        (
            "pubspec.lock",
            include_str!("fixtures/read/workspace/pubspec.lock")
        ),
        (
            "pubspec.yaml",
            include_str!("fixtures/read/workspace/pubspec.yaml")
        ),
        (
            "pkgs/tool/pubspec.yaml",
            include_str!("fixtures/read/workspace/pkgs/tool/pubspec.yaml")
        ),
    ])));
}

#[test]
fn without_its_manifest_a_lockfile_still_says_what_is_direct() {
    let lockfile = read(&[("pubspec.lock", LOCK)]);
    let direct: Vec<&str> = lockfile.roots[0].edges.iter().map(|it| &*it.name).collect();
    assert_eq!(
        direct,
        ["flutter", "http", "lints", "meta", "money", "tool"]
    );
}

#[test]
fn a_manifest_alone_asks_for_what_has_versions() {
    let open = crate::unresolved(&Input {
        path: "pubspec.yaml",
        bytes: MANIFEST.as_bytes(),
        siblings: &Siblings::new(),
    })
    .unwrap();
    let open: Vec<String> = open
        .iter()
        .map(|it| format!("{} {} {:?} {}", it.name, it.requirement, it.kind, it.line))
        .collect();

    assert_eq!(
        open,
        [
            "http ^0.13.0 Runtime 7",
            "lints  Development 11",
            "tool https://code.invalid/tool.git Development 12",
            "meta 1.9.1 Runtime 15",
        ]
    );
}

#[test]
fn overrides_replace_requirements() {
    let text = "dependencies:\n  a: ^2.0.0\n  b: ^2.0.0\n  c: ^2.0.0\n\
                dependency_overrides:\n  a: 1.0.0\n  b: {path: ../b}\n  d: {git: https://h.invalid/d}\n";
    let siblings = Siblings::new();
    let input = Input {
        path: "pubspec.yaml",
        bytes: text.as_bytes(),
        siblings: &siblings,
    };
    let found: Vec<String> = super::manifest::unresolved(&input)
        .unwrap()
        .iter()
        .map(|one| format!("{} {} {}", one.line, one.name, one.requirement))
        .collect();
    assert_eq!(
        found,
        ["4 c ^2.0.0", "6 a 1.0.0", "8 d https://h.invalid/d"]
    );
}

#[test]
fn overrides_in_a_file_of_their_own_replace_those_of_the_manifest() {
    let manifest = "name: a\ndependencies:\n  http: ^0.12.0\n  path: ^1.8.0\n\
                    dependency_overrides:\n  path: 1.0.0\n";
    let read = |overrides: &str| {
        let siblings = crate::Siblings::from([(
            "app/pubspec_overrides.yaml".to_owned(),
            overrides.as_bytes().to_vec(),
        )]);
        let input = crate::Input {
            path: "app/pubspec.yaml",
            bytes: manifest.as_bytes(),
            siblings: &siblings,
        };
        super::manifest::unresolved(&input).map(|open| {
            let mut shown: Vec<String> = open
                .iter()
                .map(|one| format!("{}:{} {}", one.line, one.name, one.requirement))
                .collect();
            shown.sort();
            shown
        })
    };

    let http = read("dependency_overrides:\n  http: 0.13.0\n").unwrap();
    assert_eq!(http, ["3:http 0.13.0", "4:path ^1.8.0"]);
    let local = read("dependency_overrides:\n  http:\n    path: ../http\n").unwrap();
    assert_eq!(local, ["4:path ^1.8.0"]);
    let nothing = read("# nothing\nname: x\n").unwrap();
    assert_eq!(nothing, ["3:http ^0.12.0", "6:path 1.0.0"]);
    let error = read("a: [").unwrap_err();
    assert!(
        error.reason.contains("`pubspec_overrides.yaml` replaces"),
        "{error}"
    );
}
