//! Estimates from the text of an advisory. Goal: 1 ms each.

use patchgate_estimate::{AdvisoryText, SeverityModel};

fn main() {
    divan::main();
}

/// A text of 2,000 characters, the most that is kept of a record.
fn details() -> String {
    "A crafted request lets a remote attacker read files outside of the directory. "
        .repeat(26)
        .chars()
        .take(2_000)
        .collect()
}

#[divan::bench]
fn severity(bencher: divan::Bencher<'_, '_>) {
    let model = SeverityModel::built_in();
    let details = details();
    let text = AdvisoryText {
        title: "Path traversal in a server",
        details: &details,
        cwes: &["CWE-22"],
        ..AdvisoryText::default()
    };
    bencher.bench(|| model.map(|model| model.estimate("GHSA-aaaa-bbbb-cccc", &text)));
}
