//! Whole files: the contents of the fixtures, and the traps of the formats.

use crate::snapshot_text::snapshot_text;
use crate::test_files::read;
use crate::{Input, Siblings};

const GLEAM: &str = include_str!("fixtures/read/gleam/gleam.toml");

#[test]
fn mix_locks_packages_and_repositories() {
    let text = include_str!("fixtures/read/mix/mix.lock");
    insta::assert_snapshot!(snapshot_text(&read(&[("mix.lock", text)]).unwrap()));
}

#[test]
fn gleam_locks_with_the_reasons_of_its_manifest() {
    let text = include_str!("fixtures/read/gleam/manifest.toml");
    let files = [("manifest.toml", text), ("gleam.toml", GLEAM)];
    insta::assert_snapshot!(snapshot_text(&read(&files).unwrap()));
}

#[test]
fn gleams_manifest_alone_asks_for_what_has_versions() {
    let open = crate::unresolved(&Input {
        path: "gleam.toml",
        bytes: GLEAM.as_bytes(),
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
            "gleam_json ~> 1.0 Runtime 5",
            "gleeunit ~> 1.0 Development 9"
        ]
    );
}

#[test]
fn terms_that_are_not_literal_or_not_whole_are_refused_at_their_line() {
    let deep = format!("%{{\n\"a\": {}", "[".repeat(100_000));
    for (text, reason, line) in [
        ("%{\"a\": f()}", "lacks a comma between two terms", 1),
        (
            "%{\n\"a\": \"#{f}\"}",
            "has a string with an interpolation",
            2,
        ),
        (
            "%{\n\"a\": \"x\\u0041\"}",
            "has a string with an unsupported escape",
            2,
        ),
        (
            "%{\n\"a\": \"x\n\"}",
            "has a string that does not end on its line",
            2,
        ),
        (
            "%{\n\"a\": <<1>>}",
            "contains something other than a literal term",
            2,
        ),
        ("%{\n\"a\": {:hex", "is truncated", 2),
        ("%{}\n\n1", "continues after its term", 3),
        (&deep, "is nested too deeply, or too large", 2),
        ("%{\n\"a\"}", "has an entry without a name", 2),
        (
            "%{\n\"a\": {:hex, :a, \"1.0\", \"\", [], []}}",
            "locks `a` in an unknown form",
            2,
        ),
    ] {
        let error = read(&[("mix.lock", text)]).unwrap_err();
        assert_eq!((error.reason.as_str(), error.line), (reason, Some(line)));
    }

    assert!(read(&[("mix.lock", "[]")]).is_err());
}

#[test]
fn all_forms_of_keys_and_comments_are_read() {
    let text = "# comment\n%{:a => {:git, \"https://code.invalid/a\", \"abc\", []},\n\
                b: {:hex, :\"b\", \"1.0.0\", nil, [:mix], []}, # other\n\
                \"c\" => {:hex, :c, \"1.0.0\", \"\", nil, []}\n}\n";
    let lockfile = read(&[("mix.lock", text)]).unwrap();
    let names: Vec<_> = lockfile
        .packages
        .iter()
        .map(|it| (it.name.as_str(), it.version.as_str(), it.line))
        .collect();

    assert_eq!(
        names,
        [("a", "abc", 2), ("b", "1.0.0", 3), ("c", "1.0.0", 4)]
    );
}

#[test]
fn what_mix_fetched_is_read() {
    let text = include_str!("fixtures/read/fetched/mix.lock");
    insta::assert_snapshot!(snapshot_text(&read(&[("mix.lock", text)]).unwrap()));
}

/// The file that Mix 1.18.3 writes after the last package is removed.
#[test]
fn a_map_without_entries_is_read() {
    let lockfile = read(&[("mix.lock", "\n%{\n}\n")]).unwrap();
    assert_eq!(lockfile.packages, []);
}
