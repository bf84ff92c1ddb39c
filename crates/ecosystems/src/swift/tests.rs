//! Whole files: the contents of the fixtures, and the traps of the format.

use patchgate_model::Lockfile;

use crate::snapshot_text::snapshot_text;
use crate::{Input, ParseError, Siblings};

fn read(text: &str) -> Result<Lockfile, ParseError> {
    crate::parse(&Input {
        path: "Package.resolved",
        bytes: text.as_bytes(),
        siblings: &Siblings::new(),
    })
}

#[test]
fn all_versions_of_the_format_are_read() {
    let files = [
        include_str!("fixtures/read/v1/Package.resolved"),
        include_str!(
            "fixtures/read/v2/App.xcodeproj/project.xcworkspace/xcshareddata/swiftpm/Package.resolved"
        ),
        include_str!("fixtures/read/v3/Package.resolved"),
    ];
    let all: Vec<String> = files
        .iter()
        .map(|text| snapshot_text(&read(text).unwrap()))
        .collect();

    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn what_cannot_be_known_is_an_error() {
    let pin = |state: &str| {
        format!(
            "{{\"version\": 2, \"pins\": [\n{{\"identity\": \"a\", \"location\": \
             \"https://code.invalid/a\", \"state\": {state}}}]}}"
        )
    };
    for (text, reason) in [
        (
            pin("{}"),
            "pins `code.invalid/a` neither at a version nor at a revision",
        ),
        (
            pin("{\"version\": 1}"),
            "has a number under `version` where a text belongs",
        ),
        (pin("null"), "has a pin without `state`"),
        ("{\"pins\": []}".to_owned(), "lacks its format `version`"),
        ("{\"version\": 4}".to_owned(), "lacks the list `pins`"),
        (
            "{\"version\": 1, \"pins\": []}".to_owned(),
            "lacks the list `pins`",
        ),
    ] {
        assert_eq!(read(&text).unwrap_err().reason, reason);
    }

    assert!(
        read("{\"version\": 3, \"pins\": []}")
            .unwrap()
            .packages
            .is_empty()
    );
}

#[test]
fn what_swift_resolved_is_read() {
    let files = [
        include_str!("fixtures/read/resolved-v1/Package.resolved"),
        include_str!("fixtures/read/resolved-v2/Package.resolved"),
        include_str!("fixtures/read/resolved-v3/Package.resolved"),
    ];
    let all: Vec<String> = files
        .iter()
        .map(|text| snapshot_text(&read(text).unwrap()))
        .collect();

    insta::assert_snapshot!(all.join("\n"));
}
