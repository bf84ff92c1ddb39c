//! Whole files: the contents of the fixtures, and the traps of the formats.

use patchgate_model::Lockfile;

use crate::snapshot_text::snapshot_text;
use crate::{Input, ParseError, Siblings};

fn read(text: &str) -> Result<Lockfile, ParseError> {
    crate::parse(&Input {
        path: "flake.lock",
        bytes: text.as_bytes(),
        siblings: &Siblings::new(),
    })
}

/// The output of `nix flake metadata`.
#[test]
fn what_nix_locked_is_read() {
    let text = include_str!("fixtures/read/inputs/flake.lock");
    insta::assert_snapshot!(snapshot_text(&read(text).unwrap()));
}

#[test]
fn secrets_in_addresses_are_left_out() {
    let text = include_str!("fixtures/read/inputs/flake.lock");
    let text = text.replace("https://git.invalid", "https://me:secret@git.invalid");
    assert!(!format!("{:?}", read(&text).unwrap()).contains("secret"));
}
