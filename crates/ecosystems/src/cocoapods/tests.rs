//! Whole files: the contents of the fixture, and the traps of the format.

use patchgate_model::{Lockfile, Loss};

use super::CocoaPods;
use crate::snapshot_text::snapshot_text;
use crate::{Ecosystem as _, Input, ParseError, Siblings};

const LOCK: &str = include_str!("fixtures/read/app/Podfile.lock");

fn read(text: &str) -> Result<Lockfile, ParseError> {
    crate::parse(&Input {
        path: "Podfile.lock",
        bytes: text.as_bytes(),
        siblings: &Siblings::new(),
    })
}

#[test]
fn pods_of_all_kinds_of_sources() {
    insta::assert_snapshot!(snapshot_text(&read(LOCK).unwrap()));
}

#[test]
fn subspecs_are_subpaths() {
    for (name, purl) in [
        ("AFNetworking", "pkg:cocoapods/AFNetworking@4.0.1"),
        ("A/B", "pkg:cocoapods/A@4.0.1#B"),
        ("A/B/C+D", "pkg:cocoapods/A@4.0.1#B/C%2BD"),
    ] {
        assert_eq!(CocoaPods.purl(name, "4.0.1"), purl);
    }
}

#[test]
fn a_pod_that_cannot_be_read_loses_only_itself() {
    for (from, to, reason, line) in [
        (
            "  - Shell (1.1)",
            "  - Money (1.1)",
            "locks `Money` twice",
            12,
        ),
        (
            "Shell (1.1)",
            "Shell",
            "locks a pod without a name or a version",
            12,
        ),
        (
            "Shell (1.1)",
            "Shell (x)",
            "locks a pod without a name or a version",
            12,
        ),
    ] {
        let lockfile = read(&LOCK.replacen(from, to, 1)).unwrap();
        let skipped = &lockfile.skipped[0];
        assert_eq!((skipped.reason.as_str(), skipped.line), (reason, line));
        assert!(lockfile.packages.len() >= 6);
    }

    let open = read(&LOCK.replacen("  - Shell (1.1)\n", "", 1)).unwrap();
    assert_eq!(open.unresolved[0].name, "Shell");
}

#[test]
fn a_pod_that_is_not_locked_is_a_requirement() {
    let text = "PODS:\n  - Shell (1.1):\n    - Gone (~> 1.0)\n\nCOCOAPODS: 1.15.2\n";
    let lockfile = read(text).unwrap();
    let open: Vec<_> = lockfile
        .unresolved
        .iter()
        .map(|it| (it.name.as_str(), it.requirement.as_str(), it.line))
        .collect();

    assert_eq!(open, [("Gone", "~> 1.0", 3)]);
    assert_eq!(lockfile.skipped[0].loss, Loss::Edge);
}
