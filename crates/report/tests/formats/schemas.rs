//! Each format against its published schema.

use patchgate_testkit::shared_dir;
use serde_json::Value;

use crate::samples::{gitlab, mixed, ordinary};

/// The errors of a document by a schema of the shared data; `None` after a skip.
fn errors(schema: &str, document: &Value) -> Option<Vec<String>> {
    let path = shared_dir()?.join("schemas").join(schema);
    let schema: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors = validator.iter_errors(document);
    Some(
        errors
            .map(|error| format!("{}: {error:.300}", error.instance_path()))
            .collect(),
    )
}

#[test]
fn gitlabs_dependency_scanning_report_is_valid() {
    for report in [ordinary(30), mixed(), ordinary(0)] {
        let mut document: Value = serde_json::from_str(&gitlab(&report)).unwrap();
        for schema in [
            "gl-dependency-scanning-15.0.7.schema.json",
            "gl-dependency-scanning-15.2.1.schema.json",
        ] {
            let Some(found) = errors(schema, &document) else {
                return;
            };
            assert_eq!(found, Vec::<String>::new(), "{schema}");
        }

        // The schema does find errors.
        document["scan"]["status"] = "clean".into();
        let found = errors("gl-dependency-scanning-15.0.7.schema.json", &document);
        assert_ne!(found, Some(Vec::new()));
    }
}

#[test]
fn gitlabs_code_quality_report_is_valid() {
    let document: Value = serde_json::from_str(&mixed().to_code_quality()).unwrap();
    let issues = document.as_array().unwrap();
    assert!(issues.len() > 12);
    for issue in issues {
        let Some(found) = errors("gl-codequality-codeclimate.schema.json", issue) else {
            return;
        };
        assert_eq!(found, Vec::<String>::new());
        let severity = issue["severity"].as_str().unwrap();
        let words = ["info", "minor", "major", "critical", "blocker"];
        assert!(words.contains(&severity), "{severity}");
    }

    let mut prints: Vec<&Value> = issues.iter().map(|one| &one["fingerprint"]).collect();
    let all = prints.len();
    prints.sort_by_key(|value| value.to_string());
    prints.dedup();
    assert_eq!(prints.len(), all, "fingerprints are unique");
}

#[test]
fn sarif_is_valid() {
    let document: Value = serde_json::from_str(&mixed().to_sarif()).unwrap();
    if let Some(found) = errors("sarif-2.1.0.schema.json", &document) {
        assert_eq!(found, Vec::<String>::new());
    }
}

#[test]
fn a_finding_keeps_its_fingerprints_when_lines_move() {
    let fingerprints = |lines: u32| {
        let mut finding = crate::samples::finding(1);
        finding.locations.push(finding.locations[0].clone());
        for (index, location) in finding.locations.iter_mut().enumerate() {
            location.line = lines + u32::try_from(index).unwrap();
        }
        let report = crate::samples::report(&[finding], &[]);
        let sarif: Value = serde_json::from_str(&report.to_sarif()).unwrap();
        let quality: Value = serde_json::from_str(&report.to_code_quality()).unwrap();
        let dependency: Value = serde_json::from_str(&gitlab(&report)).unwrap();
        let results = sarif["runs"][0]["results"].as_array().unwrap();
        let sarif: Vec<Value> = results
            .iter()
            .map(|result| result["partialFingerprints"].clone())
            .collect();
        let quality: Vec<Value> = quality
            .as_array()
            .unwrap()
            .iter()
            .map(|issue| issue["fingerprint"].clone())
            .collect();
        (
            sarif,
            quality,
            dependency["vulnerabilities"][0]["id"].clone(),
        )
    };

    let (sarif, quality, id) = fingerprints(5);
    assert_eq!(fingerprints(900), (sarif.clone(), quality.clone(), id));
    // Two lines of one file are two results.
    assert_ne!(sarif[0], sarif[1]);
    assert_ne!(quality[0], quality[1]);
}

#[test]
fn an_incomplete_scan_is_not_a_success() {
    let report = mixed();
    let dependency: Value = serde_json::from_str(&gitlab(&report)).unwrap();
    assert_eq!(dependency["scan"]["status"], "failure");
    let messages = dependency["scan"]["messages"].as_array().unwrap();
    let text = "web/package-lock.json: git conflict markers. resolve the conflict and scan again.";
    assert!(
        messages
            .iter()
            .any(|one| one["value"] == text && one["level"] == "fatal"),
        "{messages:?}"
    );

    assert!(
        report
            .to_code_quality()
            .contains("Incomplete scan: web/package-lock.json")
    );
    assert!(report.to_csv().contains("\"incomplete\",\"\""));
    assert!(
        report
            .to_junit()
            .contains("<error message=\"git conflict markers")
    );
}
