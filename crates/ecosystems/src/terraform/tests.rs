//! Whole files: the contents of the fixtures, and the traps of the format.

use patchgate_model::Lockfile;

use crate::snapshot_text::snapshot_text;
use crate::{Input, ParseError, Siblings};

fn read(text: &str) -> Result<Lockfile, ParseError> {
    crate::parse(&Input {
        path: ".terraform.lock.hcl",
        bytes: text.as_bytes(),
        siblings: &Siblings::new(),
    })
}

#[test]
fn what_terraform_locked_is_read() {
    let platforms = include_str!("fixtures/read/platforms/.terraform.lock.hcl");
    let platforms = read(platforms).unwrap();

    insta::assert_snapshot!(snapshot_text(&platforms));

    let one = include_str!("fixtures/read/initialised/.terraform.lock.hcl");
    let hashes = |lockfile: &Lockfile| -> Vec<usize> {
        lockfile
            .packages
            .iter()
            .map(|package| package.integrity.as_deref().unwrap_or_default())
            .map(|hashes| hashes.split(' ').count())
            .collect()
    };

    assert_eq!(hashes(&platforms), [2, 2, 2, 2]);
    assert_eq!(hashes(&read(one).unwrap()), [1, 1, 1, 1]);
}

/// Terraform writes these two lines after the last provider is removed.
#[test]
fn a_file_without_providers_is_read_when_the_program_wrote_it() {
    let written = "# This file is maintained automatically by \"terraform init\".\n\
                   # Manual edits may be lost in future updates.\n";
    assert_eq!(read(written).unwrap().packages, []);
    assert_eq!(
        read(&written.replace("terraform", "tofu"))
            .unwrap()
            .packages,
        []
    );

    for other in [
        "# This file is maintained automatically by \"terraform init\".\n",
        "# Manual edits may be lost in future updates.\n",
        "# nothing\n",
    ] {
        let error = read(other).unwrap_err();
        assert_eq!(
            error.reason,
            "is not a Terraform lockfile: it names no provider"
        );
    }

    let cut = format!("{written}\n");
    assert!(read(&cut).is_err(), "an entry follows the blank line");
}
