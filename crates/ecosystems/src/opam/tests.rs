//! Whole files: the contents of the fixtures, and the traps of the format.

use patchgate_model::Lockfile;

use crate::snapshot_text::snapshot_text;
use crate::{Input, ParseError, Siblings, parse};

fn read(text: &str, manifest: Option<&str>) -> Result<Lockfile, ParseError> {
    let siblings: Siblings = manifest
        .map(|text| ("app.opam".to_owned(), text.as_bytes().to_vec()))
        .into_iter()
        .collect();
    parse(&Input {
        path: "app.opam.locked",
        bytes: text.as_bytes(),
        siblings: &siblings,
    })
}

#[test]
fn a_project_that_opam_locked_is_read() {
    let text = include_str!("fixtures/read/app/app.opam.locked");
    let manifest = include_str!("fixtures/read/app/app.opam");
    insta::assert_snapshot!(snapshot_text(&read(text, Some(manifest)).unwrap()));
}

#[test]
fn pins_filters_and_alternatives_are_read() {
    let text = include_str!("fixtures/read/pinned/opam.locked");
    insta::assert_snapshot!(snapshot_text(&read(text, None).unwrap()));
}

#[test]
fn comments_and_escapes_hold_no_packages() {
    let text = "opam-version: \"2.0\" # \"a\" {= \"1\"}\n(* depends: [ \"b\" ]\n *)\n\
                description: \"\"\"\ndepends: [ \"c\" ]\"\"\"\nsynopsis: \"\\\"d\\\"\"\n\
                depends: [\n\"e\" {= \"1\"}]\n";
    let lockfile = read(text, None).unwrap();

    assert_eq!(lockfile.packages.len(), 1);
    assert_eq!(
        (
            lockfile.packages[0].name.as_str(),
            lockfile.packages[0].line
        ),
        ("e", 8)
    );
}

#[test]
fn what_is_no_opam_file_is_refused() {
    for text in [
        "opam-version: \"2.0\"\ndepends: [ \"a\" {= \"1\"} )\n",
        "opam-version: \"2.0\"\ndepends:\n",
        "opam-version: \"2.0\"\n\"a\"\n",
        "opam-version: \"2.0\"\ndepends: [\"\"]\n",
        "opam-version: \"2.0\n",
        "opam-version: $\n",
    ] {
        assert!(read(text, None).is_err(), "{text}");
    }
}

#[test]
fn what_the_lockfile_lacks_is_unresolved() {
    let text = "opam-version: \"2.0\"\ndepends: [\"a\" {= \"1\"}]\n";
    let manifest = "opam-version: \"2.0\"\ndepends: [\"a\" \"b\" {>= \"2\"} \"t\" {with-test}]\n";
    let lockfile = read(text, Some(manifest)).unwrap();
    let open: Vec<&str> = lockfile
        .unresolved
        .iter()
        .map(|one| one.name.as_str())
        .collect();

    assert_eq!(open, ["b"]);
}

/// dune needs only the name of such a file.
#[test]
fn an_empty_opam_file_requires_nothing() {
    let requirements = |bytes: &[u8]| {
        crate::unresolved(&Input {
            path: "app.opam",
            bytes,
            siblings: &Siblings::new(),
        })
    };
    assert_eq!(requirements(b""), Ok(Vec::new()));
    assert_eq!(requirements(b"\n"), Ok(Vec::new()));
    assert!(requirements(b"# nothing\n").is_err());
}

#[test]
fn a_pinned_package_comes_from_its_address() {
    let text = "opam-version: \"2.0\"\ndepends: [\n  \"a\" {>= \"1\"}\n  \"b\"\n]\n\
                pin-depends: [[\"a.dev\" \"git+https://u:p@code.invalid/a.git\"]]\n";
    let open = super::file::requirements(text).unwrap();
    let shown: Vec<_> = open
        .iter()
        .map(|one| (one.name.as_str(), one.requirement.as_str()))
        .collect();

    assert_eq!(shown, [("a", "git+https://code.invalid/a.git"), ("b", "")]);
}
