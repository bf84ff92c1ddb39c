//! Whole files: the contents of the fixtures, and the traps of the format.

use patchgate_model::{Lockfile, Loss, Origin};

use crate::snapshot_text::snapshot_text;
use crate::{Input, ParseError, Siblings, parse};

fn read(text: &str, manifest: Option<&str>) -> Result<Lockfile, ParseError> {
    let siblings: Siblings = manifest
        .map(|text| ("DESCRIPTION".to_owned(), text.as_bytes().to_vec()))
        .into_iter()
        .collect();
    parse(&Input {
        path: "renv.lock",
        bytes: text.as_bytes(),
        siblings: &siblings,
    })
}

#[test]
fn a_project_with_packages_of_all_sources_is_read() {
    let lock = include_str!("fixtures/read/project/renv.lock");
    let manifest = include_str!("fixtures/read/project/DESCRIPTION");
    insta::assert_snapshot!(snapshot_text(&read(lock, Some(manifest)).unwrap()));
    assert_eq!(read(lock, None).unwrap().roots, []);
}

#[test]
fn records_with_whole_descriptions_are_read() {
    let lock = include_str!("fixtures/read/package-v2/renv.lock");
    insta::assert_snapshot!(snapshot_text(&read(lock, None).unwrap()));
}

#[test]
fn sources_are_told_apart() {
    let text = r#"{"Packages": {
        "a": {"Version": "1", "Source": "Git", "RemoteType": "git",
              "RemoteUrl": "https://git.invalid/a.git", "RemoteSha": "abc"},
        "b": {"Version": "1", "Source": "GitLab", "RemoteUsername": "u", "RemoteRepo": "b"},
        "c": {"Version": "1", "Source": "URL", "RemoteType": "url",
              "RemoteUrl": "https://c.invalid/c.tar.gz"},
        "d": {"Version": "1", "Source": "unknown", "Requirements": {}}}}"#;
    let origins: Vec<Origin> = read(text, None)
        .unwrap()
        .packages
        .into_iter()
        .map(|package| package.origin)
        .collect();
    let git = |url: &str, commit: Option<&str>| Origin::Git {
        url: url.to_owned(),
        commit: commit.map(str::to_owned),
    };

    assert_eq!(
        origins,
        [
            git("https://git.invalid/a.git", Some("abc")),
            git("https://gitlab.com/u/b", None),
            Origin::Url("https://c.invalid/c.tar.gz".to_owned()),
            Origin::Registry(None),
        ]
    );
}

#[test]
fn a_package_without_a_version_is_none() {
    for text in [
        r#"{"Packages": {"a": "1"}}"#,
        r#"{"Packages": {"a": {"Version": 1}}}"#,
    ] {
        assert!(read(text, None).is_err(), "{text}");
    }
}

#[test]
fn requirements_of_a_wrong_type_lose_only_edges() {
    for text in [
        r#"{"Packages": {"a": {"Version": "1", "Requirements": [1]}}}"#,
        r#"{"Packages": {"a": {"Version": "1", "Requirements": {"b": "1"}}}}"#,
    ] {
        let lockfile = read(text, None).unwrap();
        assert_eq!(lockfile.packages.len(), 1, "{text}");
        assert_eq!(lockfile.skipped[0].loss, Loss::Edge, "{text}");
    }
}

#[test]
fn snapshots_of_both_versions_are_read() {
    let manifest = include_str!("fixtures/read/snapshot-v1/DESCRIPTION");
    let first = include_str!("fixtures/read/snapshot-v1/renv.lock");
    let second = include_str!("fixtures/read/snapshot-v2/renv.lock");
    insta::assert_snapshot!(
        "snapshot_v1",
        snapshot_text(&read(first, Some(manifest)).unwrap())
    );
    insta::assert_snapshot!(
        "snapshot_v2",
        snapshot_text(&read(second, Some(manifest)).unwrap())
    );
}

/// The file that renv 1.1.2 writes for a project without packages.
#[test]
fn no_packages_are_an_empty_list() {
    let text = "{\n  \"R\": {\n    \"Version\": \"4.5.0\"\n  },\n  \"Packages\": []\n}\n";
    assert_eq!(read(text, None).unwrap().packages, []);
    let wrong = text.replace("[]", "[1]");
    assert_eq!(
        read(&wrong, None).unwrap_err().reason,
        "is not a renv lockfile: it lacks `Packages`"
    );
}
