//! Whole files: the contents of the fixtures, and the traps of the format.

use patchgate_model::Lockfile;

use crate::snapshot_text::snapshot_text;
use crate::{Input, ParseError, Siblings, parse};

fn read(text: &str) -> Result<Lockfile, ParseError> {
    parse(&Input {
        path: "cpanfile.snapshot",
        bytes: text.as_bytes(),
        siblings: &Siblings::new(),
    })
}

#[test]
fn a_snapshot_that_carton_wrote_is_read() {
    let text = include_str!("fixtures/read/carton/cpanfile.snapshot");
    insta::assert_snapshot!(snapshot_text(&read(text).unwrap()));
}

#[test]
fn names_and_versions_are_told_apart() {
    for (title, name, version) in [
        ("Gadget-Core-1.02", "Gadget-Core", "1.02"),
        ("Check-More-v2.1.0", "Check-More", "v2.1.0"),
        ("X-1.02-TRIAL", "X", "1.02-TRIAL"),
        ("perl-5.38.0", "perl", "5.38.0"),
    ] {
        let text = format!("DISTRIBUTIONS\n  {title}\n    pathname: A/AB/ABC/{title}.tar.gz\n");
        let lockfile = read(&text).unwrap();
        let package = &lockfile.packages[0];
        assert_eq!(
            (package.name.as_str(), package.version.as_str()),
            (name, version)
        );
    }

    for title in ["X", "X-", "-1", "X-a"] {
        let text = format!("DISTRIBUTIONS\n  {title}\n    pathname: A/AB/ABC/x.tar.gz\n");
        assert!(read(&text).is_err(), "{title}");
    }
}

#[test]
fn what_is_no_snapshot_is_refused() {
    for text in [
        "requires 'X';\n",
        "DISTRIBUTIONS\n",
        "DISTRIBUTIONS\n    pathname: A/AB/ABC/x.tar.gz\n",
        "DISTRIBUTIONS\n  X-1\n    pathname: A/AB/ABC/x.tar.gz\n    provides:\n      X\n",
        "DISTRIBUTIONS\n  X-1\n    pathname: A/AB/ABC/x.tar.gz",
    ] {
        assert!(read(text).is_err(), "{text}");
    }
}

#[test]
fn a_snapshot_without_distributions_is_read() {
    let text = "# carton snapshot format: version 1.0\nDISTRIBUTIONS\n";
    assert_eq!(read(text).unwrap().packages, []);
}
