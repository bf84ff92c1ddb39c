//! Whole files: the contents of the fixtures, and the traps of the formats.

use patchgate_model::{DependencyKind, Lockfile, Loss, Origin};

use crate::snapshot_text::snapshot_text;
use crate::test_files::read;
use crate::{Input, ParseError, Siblings};

#[test]
fn a_lockfile_with_all_kinds_of_origins() {
    insta::assert_snapshot!(snapshot_text(
        &read(&[
            (
                "composer.lock",
                include_str!("fixtures/read/lock/composer.lock")
            ),
            (
                "composer.json",
                include_str!("fixtures/read/lock/composer.json")
            ),
        ])
        .unwrap()
    ));
}

#[test]
fn what_is_installed_by_composer_1_and_2() {
    let manifest = include_str!("fixtures/read/installed-v2/composer.json");
    let second = include_str!("fixtures/read/installed-v2/vendor/composer/installed.json");
    let first = include_str!("fixtures/read/installed-v1/vendor/composer/installed.json");
    let path = "app/vendor/composer/installed.json";
    let of = |text| snapshot_text(&read(&[(path, text), ("app/composer.json", manifest)]).unwrap());
    insta::assert_snapshot!([of(first), of(second)].join("\n"));
}

fn entry(rest: &str) -> Result<Lockfile, ParseError> {
    let text = format!("{{\"packages\": [{{\"name\": \"a/b\", \"version\": \"1\"{rest}}}]}}");
    read(&[("composer.lock", &text)])
}

#[test]
fn origins_keep_no_secrets() {
    for (rest, expected) in [
        ("", Origin::Registry(None)),
        (
            ", \"dist\": {\"type\": \"zip\", \"url\": \"https://u:p@code.invalid/a.zip\"}",
            Origin::Url("https://code.invalid/a.zip".to_owned()),
        ),
        (
            ", \"source\": {\"type\": \"hg\", \"url\": \"https://code.invalid/a\"}",
            Origin::Url("https://code.invalid/a".to_owned()),
        ),
    ] {
        assert_eq!(entry(rest).unwrap().packages[0].origin, expected);
    }
}

#[test]
fn a_wrong_kind_of_value_loses_only_itself() {
    for (rest, reason) in [
        (
            ", \"require\": 1",
            "has a number under `require` where a map belongs",
        ),
        (
            ", \"require\": {\"c/d\": 1}",
            "has a number under `c/d` where a text belongs",
        ),
        (
            ", \"require\": [1]",
            "has a list under `require` where a map belongs",
        ),
        (
            ", \"dist\": []",
            "has a list under `dist` where a map belongs",
        ),
        (
            ", \"source\": {\"type\": 1}",
            "has a number under `type` where a text belongs",
        ),
    ] {
        let lockfile = entry(rest).unwrap();
        assert_eq!(lockfile.packages.len(), 1);
        assert_eq!(lockfile.skipped[0].reason, reason);
        assert_ne!(lockfile.skipped[0].loss, Loss::Package);
    }

    assert_eq!(entry(", \"require\": []").unwrap().skipped, []);
}

#[test]
fn a_package_itself_comes_before_those_that_stand_in_for_it() {
    let text = r#"{"packages": [
        {"name": "x/all", "version": "1", "replace": {"x/part": "*"}, "require": {"x/other": "1"}},
        {"name": "x/part", "version": "2"},
        {"name": "y/a", "version": "1", "require": {"X/Part": "*", "x/gone": "*", "php": "8"}},
        {"name": "y/other", "version": "1", "provide": {"x/other": "1"}}
    ]}"#;
    let lockfile = read(&[("composer.lock", text)]).unwrap();
    let to = |index: usize| -> Vec<u32> {
        let edges = lockfile.packages[index].edges.iter();
        edges.map(|edge| edge.to.0).collect()
    };

    assert_eq!((to(0), to(2)), (vec![3], vec![1]));
}

#[test]
fn a_manifest_alone_asks_for_packages_but_not_for_the_platform() {
    let text = "{\n\"require\": {\"php\": \">=8\", \"ext-json\": \"*\",\n\"a/b\": \"^1\"},\n\
                \"require-dev\": {\n\"c/d\": \"1.*\"}}";
    let open = crate::unresolved(&Input {
        path: "composer.json",
        bytes: text.as_bytes(),
        siblings: &Siblings::new(),
    })
    .unwrap();
    let open: Vec<_> = open
        .iter()
        .map(|it| (it.name.as_str(), it.requirement.as_str(), it.kind, it.line))
        .collect();

    assert_eq!(
        open,
        [
            ("a/b", "^1", DependencyKind::Runtime, 3),
            ("c/d", "1.*", DependencyKind::Development, 5),
        ]
    );
}

#[test]
fn a_version_may_be_a_number() {
    let text = r#"{"packages": [{"name": "a/b", "version": 20190220}], "packages-dev": []}"#;
    let siblings = crate::Siblings::new();
    let lockfile = crate::parse(&crate::Input {
        path: "composer.lock",
        bytes: text.as_bytes(),
        siblings: &siblings,
    })
    .unwrap();

    assert_eq!(lockfile.packages[0].version, "20190220");
    assert!(lockfile.skipped.is_empty());
}
