use super::*;
use crate::scan::tests::{assert_harmless, plain, record};

#[test]
fn a_record_is_shown_with_its_details_and_each_link_once() {
    let mut advisory = record("GHSA-1", "a flaw");
    advisory.aliases = vec!["BIT-1".into(), "CVE-1".into()];
    advisory.details = "# Impact\n\n\n::error::x\u{1b}[31m\nLast line.\n\n".into();
    let link = advisory.references[1].clone();
    advisory.references.push(link);

    let report = ExplainReport::new(&ExplainInput {
        id: "CVE-1",
        records: &[advisory],
        malicious: &[],
        signals: &Signals::default(),
        packages: &[],
        findings: &[],
        asked: &[],
        lockfiles: 1,
        problems: &[],
        sources: &[],
        exit_code: 0,
        now: "2026-01-30T12:00:00Z".parse().unwrap(),
    });
    let text = report.to_text(plain(80));
    assert_harmless(&text);
    assert!(text.contains("aliases     CVE-1, BIT-1\n"), "{text}");
    assert_eq!(text.matches("https://advisories.invalid/GHSA-1").count(), 1);
    let details = "\n\n  # Impact\n\n  : :error::x[31m\n  Last line.\n\nUnknown whether";
    assert!(text.contains(details), "{text}");
    assert_eq!(report.records[0].details.lines().count(), 6);
}

#[test]
fn the_reason_of_an_unknown_exposure_is_shown_once() {
    let explained = |evidence| Explanation {
        package: patchgate_model::PackageRef {
            ecosystem: patchgate_model::EcosystemName::new("npm"),
            distribution: None,
            name: "a".to_owned(),
            version: String::new(),
            purl: "pkg:npm/a".to_owned(),
        },
        requirement: Some("git:x".to_owned()),
        locations: Vec::new(),
        exposure: Exposure::Unknown("`GHSA-1` names an address".to_owned()),
        affected_by: Vec::new(),
        evidence,
    };
    let evidence = patchgate_model::RecordEvidence {
        affects: None,
        text: "names an address".to_owned(),
    };
    for evidence in [Vec::new(), vec![("GHSA-1".to_owned(), evidence)]] {
        let report = ExplainReport::new(&ExplainInput {
            id: "GHSA-1",
            records: &[],
            malicious: &[],
            signals: &Signals::default(),
            packages: &[explained(evidence)],
            findings: &[],
            asked: &[],
            lockfiles: 1,
            problems: &[],
            sources: &[],
            exit_code: 3,
            now: "2026-01-30T12:00:00Z".parse().unwrap(),
        });
        let text = report.to_text(plain(80));
        assert_eq!(text.matches("names an address").count(), 1, "{text}");
    }
}

#[test]
fn a_feature_that_a_manifest_asks_for_is_named() {
    let mut advisory = record("RUSTSEC-1", "a flaw");
    advisory.details =
        "Only builds with the `hyper/http2` feature or `serde_json` are affected.\n\n\
                        As a workaround, turn `http2` off."
            .into();
    let asked = |package: &str, features: &[&str]| AskedFeatures {
        manifest: "a/Cargo.toml".to_owned(),
        package: package.to_owned(),
        features: features.iter().map(|one| (*one).to_owned()).collect(),
    };
    let report = ExplainReport::new(&ExplainInput {
        id: "RUSTSEC-1",
        records: &[advisory],
        malicious: &[],
        signals: &Signals::default(),
        packages: &[],
        findings: &[],
        asked: &[asked("hyper", &["default", "http2", "serde-json"])],
        lockfiles: 1,
        problems: &[],
        sources: &[],
        exit_code: 0,
        now: "2026-01-30T12:00:00Z".parse().unwrap(),
    });
    let passages = &report.records[0].passages;
    let features: Vec<Vec<&str>> = passages
        .iter()
        .map(|one| one.asked.iter().map(|one| &*one.feature).collect())
        .collect();
    assert_eq!(features, [vec!["http2", "serde-json"], vec![]]);
    let text = report.to_text(plain(80));
    assert!(
        text.contains("\n              a/Cargo.toml asks `hyper` for `http2`\n"),
        "{text}"
    );
}
