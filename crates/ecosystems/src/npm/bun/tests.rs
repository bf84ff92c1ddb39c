use patchgate_model::{FormatId, Lockfile};

use super::parse;
use crate::snapshot_text::snapshot_text;
use crate::{Input, ParseError, Siblings};

fn read_as(path: &str, bytes: &[u8], siblings: &[(&str, &str)]) -> Result<Lockfile, ParseError> {
    let siblings: Siblings = siblings
        .iter()
        .map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()))
        .collect();
    parse(&Input {
        path,
        bytes,
        siblings: &siblings,
    })
}

macro_rules! fixture {
    ($case:literal, $($file:literal),*) => {
        read_as(
            "bun.lock",
            include_bytes!(concat!("../fixtures/read/", $case, "/bun.lock")),
            &[$(($file, include_str!(concat!("../fixtures/read/", $case, "/", $file)))),*],
        )
        .unwrap()
    };
}

macro_rules! workspace {
    ($case:literal) => {
        fixture!(
            $case,
            "package.json",
            "packages/app/package.json",
            "packages/lib/package.json",
            "vendor/f/package.json"
        )
    };
}

#[test]
fn a_workspace_of_bun_1_4() {
    insta::assert_snapshot!(snapshot_text(&workspace!("bun-workspace-v2")));
}

#[test]
fn all_versions_of_the_format_give_the_same_tree() {
    let facts = |mut lockfile: Lockfile| {
        lockfile.format = FormatId::new("");
        for package in &mut lockfile.packages {
            package.line = 1;
        }
        snapshot_text(&lockfile)
    };
    assert_eq!(
        facts(workspace!("bun-workspace-v1")),
        facts(workspace!("bun-workspace-v2"))
    );
}

#[test]
fn git_archives_links_and_copies_in_archives() {
    insta::assert_snapshot!(snapshot_text(&fixture!("bun-sources-v1", "package.json")));
}

#[test]
fn the_binary_file_is_an_error_with_a_hint() {
    let bytes = b"#!/usr/bin/env bun\nbun-lockfile-format-v0\n\x02\0";
    let error = read_as("app/bun.lockb", bytes, &[]).unwrap_err();

    assert!(error.reason.contains("binary"));
    assert!(
        error
            .hint
            .unwrap()
            .contains("bun install --save-text-lockfile")
    );

    let error = read_as("app/bun.lockb", bytes, &[("app/bun.lock", "{}")]).unwrap_err();
    assert!(error.hint.unwrap().starts_with("remove it"));
}

#[test]
fn says_what_is_not_whole() {
    let file = |packages: &str| {
        format!(
            "{{ \"lockfileVersion\": 1, \"workspaces\": {{ \"\": {{}} }}, \"packages\": {{ {packages} }} }}"
        )
    };
    let reasons: Vec<String> = [
        "[]".to_owned(),
        "{}".to_owned(),
        "{ \"lockfileVersion\": 7 }".to_owned(),
        "{ \"lockfileVersion\": 1 }".to_owned(),
        "{ \"lockfileVersion\": 1, \"workspaces\": { \"\": 1 } }".to_owned(),
        "{ \"lockfileVersion\": 1, \"workspaces\": {".to_owned(),
        file("\"a\": []"),
        file("\"a\": [\"a\"]"),
        file("\"a\": [\"a@\", \"\", {}]"),
        file("\"a\": [\"a@1\", \"\"]"),
        file("\"a//b\": [\"a@1\", \"\", {}]"),
        file("\"a\": [\"a@1\", \"\", { \"dependencies\": { \"b\": \"1\" } }]"),
        file("\"a\": [\"a@1\", \"\", { \"dependencies\": { \"b\": 1 } }]"),
    ]
    .iter()
    .map(|text| match read_as("bun.lock", text.as_bytes(), &[]) {
        Err(error) => error.reason,
        Ok(lockfile) => snapshot_text(&lockfile),
    })
    .collect();

    insta::assert_snapshot!(reasons.join("\n"));
}
