//! Written documents match their schema, and mean the same when they are read back.

use std::path::Path;

use patchgate_model::Justification;
use patchgate_testkit::shared_dir;
use patchgate_vex::{
    Assessment, AssessmentBasis, Decision, StatedJustification, Status, WriteOptions, cyclonedx,
    openvex,
};
use serde_json::Value;

use crate::samples::{apply, finding, read};

/// A file of the shared data.
#[expect(clippy::disallowed_methods, reason = "a test reads a published schema")]
pub(crate) fn file(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

fn options(products: &[String]) -> WriteOptions<'_> {
    WriteOptions {
        author: "shop@example.invalid",
        tool_version: "1.2.3",
        timestamp: "2026-05-06T07:08:09.5Z".parse().unwrap(),
        products,
    }
}

fn decision(status: Status, word: Option<Justification>) -> Decision {
    Decision {
        status,
        justification: word.map(|word| StatedJustification {
            word,
            written: word.word().to_owned(),
        }),
        impact: (status == Status::NotAffected && word.is_none()).then(|| "not built".to_owned()),
        action: None,
        statement: "https://vendor.invalid/1".to_owned(),
        line: 1,
        author: "Vendor".to_owned(),
        timestamp: "2026-01-01T00:00:00Z".parse().ok(),
        source: "vendor.json".to_owned(),
    }
}

/// Every kind of judgement, each about a finding of its own, with whether it suppresses.
fn check(products: &[String]) {
    let mut decisions: Vec<Decision> = Justification::ALL
        .into_iter()
        .map(|word| decision(Status::NotAffected, Some(word)))
        .collect();
    decisions.push(decision(Status::NotAffected, None));
    decisions.push(decision(Status::Fixed, None));
    decisions.push(decision(Status::Affected, None));
    decisions.push(decision(Status::UnderInvestigation, None));
    let until = "2027-01-01".parse().unwrap();
    let accepted = |justification| AssessmentBasis::Accepted {
        reason: "own patterns",
        until,
        justification,
    };
    let mut judged: Vec<(AssessmentBasis<'_>, bool)> = decisions
        .iter()
        .map(|decision| {
            (
                AssessmentBasis::Stated(decision),
                decision.status.suppresses(),
            )
        })
        .collect();
    judged.push((accepted(None), false));
    judged.push((
        accepted(Some(Justification::InlineMitigationsAlreadyExist)),
        true,
    ));
    judged.push((AssessmentBasis::Open, false));
    let findings: Vec<_> = (0..judged.len())
        .map(|number| {
            let ids = [format!("GHSA-{number}"), format!("CVE-2026-{number}")];
            finding(&[&ids[0], &ids[1]], "@scope/lib", "1.0.0")
        })
        .collect();
    let assessments: Vec<Assessment<'_>> = findings
        .iter()
        .zip(&judged)
        .map(|(finding, (judged, _))| Assessment {
            finding,
            purls: vec![finding.package.purl.clone()],
            basis: *judged,
        })
        .collect();

    let declared: Vec<&str> = products.iter().map(String::as_str).collect();
    for text in [
        openvex(&assessments, &options(products)),
        cyclonedx(&assessments, &options(products)).unwrap(),
    ] {
        let document: Value = serde_json::from_str(&text).unwrap();
        for (finding, (judged, expected)) in findings.iter().zip(&judged) {
            let applied = apply(vec![read(&document)], &declared, finding.clone());
            assert_eq!(applied.kept.is_empty(), *expected, "{judged:?}\n{text}");

            if let (AssessmentBasis::Stated(before), Some(after)) =
                (judged, applied.suppressed.first())
            {
                let word = |decision: &Decision| decision.justification.as_ref().map(|r| r.word);
                assert_eq!(word(before), word(&after.decision));
                assert_eq!(before.impact, after.decision.impact);
                assert_eq!(before.timestamp, after.decision.timestamp);
            }
            // Nobody else's product.
            if !products.is_empty() {
                let applied = apply(vec![read(&document)], &[], finding.clone());
                assert_eq!(applied.suppressed, []);
            }
        }
        validate(&document);
    }
}

#[test]
fn every_judgement_comes_back() {
    check(&[]);
    check(&["pkg:oci/shop@1.0".to_owned()]);
    check(&["https://shop.invalid/app".to_owned()]);
}

#[test]
fn the_order_of_findings_changes_nothing() {
    let findings = [
        finding(&["GHSA-b"], "b", "1.0.0"),
        finding(&["GHSA-a"], "a", "1.0.0"),
        finding(&["GHSA-a"], "b", "1.0.0"),
    ];
    let assess = |order: &[usize]| {
        let assessments: Vec<Assessment<'_>> = order
            .iter()
            .map(|&place| Assessment {
                finding: &findings[place],
                purls: vec![findings[place].package.purl.clone()],
                basis: AssessmentBasis::Open,
            })
            .collect();

        let options = options(&[]);
        (
            openvex(&assessments, &options),
            cyclonedx(&assessments, &options).unwrap(),
        )
    };

    assert_eq!(assess(&[0, 1, 2]), assess(&[2, 1, 0]));
    assert_ne!(assess(&[0]), assess(&[1]));
}

/// Holds a document against the published schema of its format.
fn validate(document: &Value) {
    let Some(shared) = shared_dir() else { return };
    let schema = |name: &str| -> Value {
        serde_json::from_str(&file(&shared.join("schemas").join(name))).unwrap()
    };
    let validator = if document.get("@context").is_some() {
        validator(&schema("openvex.schema.json"), [])
    } else {
        let referenced = ["spdx.schema.json", "jsf-0.82.schema.json"].map(|name| {
            let resource = schema(name);
            (resource["$id"].as_str().unwrap().to_owned(), resource)
        });
        validator(&schema("bom-1.6.schema.json"), referenced)
    };
    let errors: Vec<String> = validator
        .iter_errors(document)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();

    assert_eq!(errors, Vec::<String>::new());
}

/// A validator for a schema that refers to others, by their addresses.
pub(crate) fn validator<const N: usize>(
    schema: &Value,
    referenced: [(String, Value); N],
) -> jsonschema::Validator {
    let mut registry = jsonschema::Registry::new();
    for (address, resource) in referenced {
        registry = registry.add(address, resource).unwrap();
    }

    let registry = registry.prepare().unwrap();
    jsonschema::options()
        .with_registry(&registry)
        .build(schema)
        .unwrap()
}
