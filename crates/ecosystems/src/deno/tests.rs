use patchgate_model::Lockfile;

use super::Deno;
use crate::snapshot_text::snapshot_text;
use crate::{Ecosystem, Input, ParseError, Siblings};

fn read(text: &str, siblings: &[(&str, &str)]) -> Result<Lockfile, ParseError> {
    let siblings: Siblings = siblings
        .iter()
        .map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()))
        .collect();
    super::lockfile::parse(&Input {
        path: "deno.lock",
        bytes: text.as_bytes(),
        siblings: &siblings,
    })
}

macro_rules! fixture {
    ($case:literal, $($file:literal),*) => {
        snapshot_text(&read(
            include_str!(concat!("fixtures/read/", $case, "/deno.lock")),
            &[$(($file, include_str!(concat!("fixtures/read/", $case, "/", $file)))),*],
        )
        .unwrap())
    };
}

#[test]
fn a_workspace_of_deno_2() {
    insta::assert_snapshot!(fixture!(
        "workspace-v5",
        "deno.json",
        "package.json",
        "a/deno.json"
    ));
}

#[test]
fn packages_of_jsr_and_modules_are_there_under_their_own_names() {
    insta::assert_snapshot!(fixture!("sources-v4",));
}

#[test]
fn the_versions_of_deno_1() {
    let all = [fixture!("script-v3",), fixture!("script-v2",)];
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn says_what_is_not_whole() {
    let reasons: Vec<String> = [
        "[]",
        "{}",
        "{ \"version\": \"1\" }",
        "{ \"version\": \"5\", \"npm\": [] }",
        "{ \"version\": \"6\" }",
    ]
    .iter()
    .map(|text| read(text, &[]).unwrap_err().reason)
    .collect();
    insta::assert_snapshot!(reasons.join("\n"));
}

#[test]
fn one_odd_entry_does_not_lose_the_file() {
    let good = "\"c@1.0.0\": {}";
    let all: Vec<String> = [
        format!("{{ \"version\": \"6\", \"npm\": {{ {good} }} }}"),
        format!("{{ \"version\": \"5\", \"npm\": {{ \"a\": {{}}, {good} }} }}"),
        format!("{{ \"version\": \"5\", \"npm\": {{ \"a@\": {{}}, {good} }} }}"),
        format!("{{ \"version\": \"5\", \"npm\": {{ \"a@1.0.0\": 1, {good} }} }}"),
        format!("{{ \"version\": \"5\", \"npm\": {{ \"a@1.0.0\": {{ \"dependencies\": [\"b\"] }}, {good} }} }}"),
        format!("{{ \"version\": \"5\", \"npm\": {{ {good}, \"c@1.0.0\": {{ \"integrity\": \"0\" }} }} }}"),
        format!("{{ \"version\": \"5\", \"npm\": {{ {good} }}, \"specifiers\": {{ \"npm:a@1\": \"1.0.0\" }} }}"),
        format!("{{ \"version\": \"5\", \"npm\": {{ {good} }}, \"specifiers\": {{ \"x:a@1\": \"1.0.0\" }} }}"),
        format!("{{ \"version\": \"5\", \"npm\": {{ {good} }}, \"remote\": {{ \"a\": \"0\", \"https://a.invalid/b.ts\": 1 }} }}"),
    ]
    .iter()
    .map(|text| snapshot_text(&read(text, &[]).unwrap()))
    .collect();
    insta::assert_snapshot!(all.join("\n"));
}

/// `jsr:@std/toml` is short for the only specifier of that name, not for the only package.
#[test]
fn a_name_is_short_for_its_only_specifier() {
    insta::assert_snapshot!(fixture!("short-specifier-v5",));
}

#[test]
fn imports_without_a_lockfile_are_told() {
    let text = "{ // note\n \"imports\": {\n  \"a\": \"npm:@s/a@^1/x\",\n  \"b\": \"jsr:@s/b\",\n  \"c\": \"https://modules.invalid/c.ts\",\n  \"d\": \"./d.ts\",\n },\n}";
    let siblings = Siblings::new();
    let found = crate::unresolved(&Input {
        path: "deno.jsonc",
        bytes: text.as_bytes(),
        siblings: &siblings,
    })
    .unwrap();
    let found: Vec<String> = found
        .iter()
        .map(|open| format!("{}: {} {:?}", open.line, open.name, open.requirement))
        .collect();

    assert_eq!(
        found,
        [
            "3: @s/a \"^1\"",
            "4: @s/b \"\"",
            "5: https://modules.invalid/c.ts \"https://modules.invalid/c.ts\""
        ]
    );
}

#[test]
fn package_urls_name_jsr_or_the_address() {
    assert_eq!(
        Deno.purl("@std/assert", "1.0.0"),
        "pkg:jsr/%40std/assert@1.0.0"
    );
    assert_eq!(
        Deno.purl("https://modules.invalid/std@1/mod.ts", ""),
        "pkg:generic/mod.ts?download_url=https:%2F%2Fmodules.invalid%2Fstd%401%2Fmod.ts"
    );
}
