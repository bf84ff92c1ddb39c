use patchgate_model::{FormatId, Lockfile};

use super::parse;
use crate::snapshot_text::snapshot_text;
use crate::{Input, ParseError, Siblings};

fn read(text: &str, siblings: &[(&str, &str)]) -> Result<Lockfile, ParseError> {
    let siblings: Siblings = siblings
        .iter()
        .map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()))
        .collect();
    parse(&Input {
        path: "pnpm-lock.yaml",
        bytes: text.as_bytes(),
        siblings: &siblings,
    })
}

macro_rules! fixture {
    ($case:literal, $($file:literal),*) => {
        read(
            include_str!(concat!("../fixtures/read/", $case, "/pnpm-lock.yaml")),
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
            "packages/lib/package.json"
        )
    };
}

fn reason(text: &str) -> String {
    match read(text, &[]) {
        Err(error) => format!("{}: {}", error.line.unwrap_or(0), error.reason),
        Ok(lockfile) => snapshot_text(&lockfile),
    }
}

#[test]
fn a_workspace_of_pnpm_12() {
    insta::assert_snapshot!(snapshot_text(&workspace!("pnpm-workspace-v9.0")));
}

/// The three generations differ only in lines.
#[test]
fn all_generations_give_the_same_tree() {
    let facts = |mut lockfile: Lockfile| {
        lockfile.format = FormatId::new("");
        for package in &mut lockfile.packages {
            package.line = 1;
        }
        for root in &mut lockfile.roots {
            root.edges.sort_by(|a, b| a.name.cmp(&b.name));
        }

        snapshot_text(&lockfile)
    };
    let newest = facts(workspace!("pnpm-workspace-v9.0"));

    assert_eq!(facts(workspace!("pnpm-workspace-v6.0")), newest);
    assert_eq!(facts(workspace!("pnpm-workspace-v5.4")), newest);
}

#[test]
fn git_archives_folders_patches_and_runtimes() {
    insta::assert_snapshot!(snapshot_text(&fixture!(
        "pnpm-sources-v9",
        "package.json",
        "d/package.json"
    )));
}

#[test]
fn a_file_of_one_project_and_another_registry() {
    insta::assert_snapshot!(snapshot_text(&fixture!("pnpm-single-v5",)));
}

#[test]
fn what_pnpm_itself_needs_is_in_a_document_of_its_own() {
    insta::assert_snapshot!(snapshot_text(&fixture!("pnpm-env-v9", "package.json")));
}

#[test]
fn says_what_is_not_whole() {
    let head = "lockfileVersion: '9.0'\n";
    let a = "packages:\n  a@1.0.0:\n    resolution: {integrity: x}\n";
    let reasons: Vec<String> = [
        "a: [".to_owned(),
        "- a\n".to_owned(),
        "packages: {}\n".to_owned(),
        "lockfileVersion: 10\n".to_owned(),
        format!("{head}importers:\n  .: {{}}\n{a}"),
        format!("{head}importers:\n  .: {{}}\nsnapshots:\n  a@1.0.0: {{}}\n"),
        format!(
            "{head}importers:\n  .: {{}}\npackages:\n  a@1.0.0: {{}}\nsnapshots:\n  a@1.0.0: {{}}\n"
        ),
        format!("{head}importers:\n  .: x\n"),
        format!("{head}importers: []\n"),
        format!("{head}importers:\n  .:\n    dependencies:\n      a: [1]\n"),
        format!("{head}importers: {{}}\n"),
        format!("{head}{a}snapshots:\n  a@1.0.0:\n    dependencies:\n      b: 2.0.0\n"),
        format!("{head}importers:\n  .: {{}}"),
    ]
    .iter()
    .map(|text| reason(text))
    .collect();

    insta::assert_snapshot!(reasons.join("\n"));
}

#[test]
fn one_odd_entry_does_not_lose_the_file() {
    let file = |version: &str, importer: &str, packages: &str, snapshots: &str| {
        format!(
            "lockfileVersion: '{version}'\nimporters:\n  .:{importer}\npackages:\n{packages}  z@1.0.0:\n    resolution: {{integrity: x}}\nsnapshots:\n{snapshots}  z@1.0.0: {{}}\n"
        )
    };
    let a = "  a@1.0.0:\n    resolution: {integrity: x}\n";
    let needs = |what: &str| format!("  a@1.0.0:\n    dependencies:\n      {what}\n");
    let all: Vec<String> = [
        file("10.0", " {}", "", ""),
        file("9.0", "\n    dependencies:\n      a: [1]", "", ""),
        file(
            "9.0",
            "\n    dependencies:\n      a:\n        specifier: ^1\n        version: 1.0.0",
            "",
            "",
        ),
        file("9.0", " {}", a, ""),
        file("9.0", " {}", "", "  a@1.0.0: {}\n"),
        file("9.0", " {}", "  a@1.0.0: {}\n", "  a@1.0.0: {}\n"),
        file("9.0", " {}", a, &needs("b: 2.0.0")),
        file("9.0", " {}", a, &needs("b: [2]")),
        file(
            "9.0",
            " {}",
            &a.replace("integrity: x", "integrity: [x]"),
            "  a@1.0.0: {}\n",
        ),
    ]
    .iter()
    .map(|text| snapshot_text(&read(text, &[]).unwrap()))
    .collect();

    insta::assert_snapshot!(all.join("\n"));
}

/// A line that is closed, or a truth value, is whole without a line break; a version may go on.
#[test]
fn a_last_line_may_lack_its_line_break() {
    let head = "lockfileVersion: '9.0'\nimporters:\n  .: {}\npackages:\n  a@1.0.0:\n    resolution: {integrity: x}\nsnapshots:\n  a@1.0.0:";
    for (last, is_whole) in [
        (" {}", true),
        ("\n    optional: true", true),
        ("\n    optional: tru", false),
        ("\n    dependencies:\n      a: 1.0.0", false),
    ] {
        let read = read(&format!("{head}{last}"), &[]);
        assert_eq!(read.is_ok(), is_whole, "{last}: {read:?}");
    }
}
