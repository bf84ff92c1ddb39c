//! Whole files: the contents of the fixtures, and the traps of the formats.

use patchgate_model::{Lockfile, Loss};

use crate::snapshot_text::snapshot_text;
use crate::{Input, ParseError, Siblings, parse};

fn read(path: &str, text: &str, manifest: Option<&str>) -> Result<Lockfile, ParseError> {
    let siblings: Siblings = manifest
        .map(|text| ("stack.yaml".to_owned(), text.as_bytes().to_vec()))
        .into_iter()
        .collect();
    parse(&Input {
        path,
        bytes: text.as_bytes(),
        siblings: &siblings,
    })
}

#[test]
fn a_freeze_file_is_read() {
    let text = include_str!("fixtures/read/freeze/cabal.project.freeze");
    insta::assert_snapshot!(snapshot_text(
        &read("cabal.project.freeze", text, None).unwrap()
    ));
}

#[test]
fn a_lockfile_of_stack_lacks_its_snapshot() {
    let text = include_str!("fixtures/read/stack/stack.yaml.lock");
    let manifest = include_str!("fixtures/read/stack/stack.yaml");
    let lockfile = read("stack.yaml.lock", text, Some(manifest)).unwrap();

    insta::assert_snapshot!(snapshot_text(&lockfile));

    let missing = &lockfile.missing[0];
    assert_eq!(
        (
            missing.name.as_str(),
            missing.version.as_str(),
            missing.line
        ),
        ("lts", "21.17", 32)
    );
}

#[test]
fn what_a_constraint_asks_for_is_open_only_where_none_states_a_version() {
    let text = "constraints: any.base installed,\n base==4.17,any.rts installed\n";
    let lockfile = read("cabal.project.freeze", text, None).unwrap();

    assert_eq!(lockfile.packages[0].version, "4.17");

    let open: Vec<&str> = lockfile
        .unresolved
        .iter()
        .map(|one| one.name.as_str())
        .collect();
    assert_eq!(open, ["rts"]);
}

#[test]
fn a_last_constraint_without_a_line_break_may_be_cut() {
    let text = "constraints: any.base ==4.17.2, any.aeson ==2.1,\n  any.text ==2.0";
    let lockfile = read("cabal.project.freeze", text, None).unwrap();
    let names: Vec<_> = lockfile.packages.iter().map(|it| &*it.name).collect();
    assert_eq!(names, ["base", "aeson"]);

    let entry = &lockfile.skipped[0];
    assert_eq!((entry.line, entry.loss), (2, Loss::Package));
    assert!(entry.reason.starts_with("may be truncated"));

    let alone = read(
        "cabal.project.freeze",
        "constraints: any.base ==4.17.2",
        None,
    );
    assert!(alone.unwrap_err().reason.starts_with("may be truncated"));
}

#[test]
fn constraints_that_do_not_end_are_truncated() {
    for text in [
        "constraints: any.base ==4.17.2,\n",
        "constraints: any.base ==4.17.2,\nindex-state: 2023-01-01T00:00:00Z\n",
    ] {
        let error = read("cabal.project.freeze", text, None).unwrap_err();
        assert!(error.reason.starts_with("is truncated"), "{text}: {error}");
    }
}

#[test]
fn a_manifest_alone_asks_for_its_snapshot_and_more() {
    let text = include_str!("fixtures/read/stack/stack.yaml");
    let siblings = Siblings::new();
    let asked = crate::unresolved(&Input {
        path: "stack.yaml",
        bytes: text.as_bytes(),
        siblings: &siblings,
    })
    .unwrap();
    let asked: Vec<(&str, &str, u32)> = asked
        .iter()
        .map(|one| (one.name.as_str(), one.requirement.as_str(), one.line))
        .collect();

    assert_eq!(
        asked,
        [
            ("snapshot", "snapshot:lts-21.17", 1),
            ("acme-missiles", "0.3", 3),
            (
                "https://git.invalid/maker/gadget.git",
                "source:https://git.invalid/maker/gadget.git@3d7c1e2f4a5b6c7d8e9f0a1b2c3d4e5f60718293",
                4
            ),
            (
                "https://archives.invalid/widget-1.4.tar.gz",
                "path:https://archives.invalid/widget-1.4.tar.gz",
                6
            ),
        ]
    );
}

#[test]
fn what_cabal_froze_is_read() {
    let text = include_str!("fixtures/read/frozen/cabal.project.freeze");
    insta::assert_snapshot!(snapshot_text(
        &read("cabal.project.freeze", text, None).unwrap()
    ));
}

/// The lockfile contains a custom snapshot as far as that lists packages.
#[test]
fn what_stack_locked_is_read() {
    let own = include_str!("fixtures/read/own-snapshot/stack.yaml.lock");
    let own = read("stack.yaml.lock", own, None).unwrap();
    assert_eq!(own.missing, []);
    let address = include_str!("fixtures/read/snapshot-url/stack.yaml.lock");
    let address = read("stack.yaml.lock", address, None).unwrap();
    assert_eq!(own.packages, address.packages);
    insta::assert_snapshot!(snapshot_text(&address));
}

#[test]
fn secrets_in_addresses_are_left_out() {
    let with = |text: &str| text.replace("https://", "https://me:secret@");
    let lock = with(include_str!("fixtures/read/snapshot-url/stack.yaml.lock"));
    let manifest = with(include_str!("fixtures/read/snapshot-url/stack.yaml"));
    let lockfile = read("stack.yaml.lock", &lock, None).unwrap();

    assert!(!format!("{lockfile:?}").contains("secret"));

    let open = crate::unresolved(&Input {
        path: "stack.yaml",
        bytes: manifest.as_bytes(),
        siblings: &Siblings::new(),
    })
    .unwrap();
    assert_eq!(open.len(), 4, "the snapshot and three sources");
    assert!(!format!("{open:?}").contains("secret"));
}

#[test]
fn a_freeze_file_with_an_index_state_alone_is_whole() {
    let text = "active-repositories: hackage.invalid:merge\n\
                index-state: hackage.invalid 2024-01-01T00:00:00Z\n";
    let lockfile = read("cabal.project.freeze", text, None).unwrap();
    assert_eq!((lockfile.packages.len(), lockfile.skipped.len()), (0, 0));

    let cut = "active-repositories: hackage.invalid:merge\n";
    assert!(read("cabal.project.freeze", cut, None).is_err());
}
