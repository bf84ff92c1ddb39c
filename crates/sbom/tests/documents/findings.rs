//! Documents with the vulnerabilities of their packages, and snapshots for GitHub.

use patchgate_model::{
    Advisory, DependencyKind, EcosystemName, Edge, Epss, Extent, Finding, FixedVersion, Inventory,
    Kev, KevStatus, Level, Location, Lockfile, Origin, Package, PackageIndex, PackageRef, Problem,
    ProblemKind, Reference, RequirementMatch, Root, Scope, Score, ScoreReason, Severity, Signals,
    Unresolved,
};
use patchgate_sbom::{
    CycloneDxVersion, FindingsFormat, SnapshotOptions, Vulnerability, github_snapshot, is_commit,
    is_ref, write_with_findings,
};
use patchgate_testkit::{Tools, shared_dir};
use serde_json::{Value, json};

use crate::corpus::validator;
use crate::round_trip::options;
use crate::validators::validated;

const HOSTILE: &str = "\u{1b}[31m\u{202e}<script>alert(1)</script> ]]> @everyone\n::error::x";

fn npm() -> EcosystemName {
    EcosystemName::new("npm")
}

/// `app` requires `qs` and, to develop, `tap`; `qs` requires `side-channel`. `debug` has no version.
fn inventory() -> Inventory {
    let edge = |to: u32, kind| Edge {
        to: PackageIndex(to),
        name: "".into(),
        requirement: None,
        kind,
    };
    let package = |name: &str, scope, edges| Package {
        line: 7,
        scope,
        edges,
        ..Package::new(npm(), name.into(), "6.5.2".into())
    };

    Inventory {
        lockfiles: vec![Lockfile {
            path: "package-lock.json".into(),
            ecosystem: npm(),
            packages: vec![
                package("qs", Scope::Runtime, vec![edge(1, DependencyKind::Runtime)]),
                package("side-channel", Scope::Runtime, Vec::new()),
                package("tap", Scope::Development, Vec::new()),
                Package {
                    origin: Origin::Path(None),
                    ..package("own", Scope::Runtime, Vec::new())
                },
            ],
            roots: vec![Root {
                name: "app".into(),
                manifest: None,
                edges: vec![
                    edge(0, DependencyKind::Runtime),
                    edge(2, DependencyKind::Development),
                ],
            }],
            unresolved: vec![Unresolved {
                ecosystem: npm(),
                name: "debug".into(),
                requirement: "^4.0.0".into(),
                kind: DependencyKind::Runtime,
                line: 3,
            }],
            ..Lockfile::default()
        }],
        ..Inventory::default()
    }
}

fn finding(id: &str, name: &str) -> Finding {
    let reference = |kind: &str, url: &str| Reference {
        kind: kind.into(),
        url: url.into(),
    };
    Finding {
        id: id.into(),
        aliases: vec!["CVE-2022-24999".into(), HOSTILE.into()],
        summary: format!("{HOSTILE} {}", "long ".repeat(100_000)),
        package: PackageRef {
            ecosystem: npm(),
            distribution: None,
            name: name.into(),
            version: "6.5.2".into(),
            purl: format!("pkg:npm/{name}@6.5.2"),
        },
        locations: vec![Location {
            file: "package-lock.json".into(),
            line: 7,
        }],
        paths: Vec::new(),
        scope: Scope::Runtime,
        requirement: None,
        fixed: FixedVersion::At("6.5.3".into()),
        severity: Severity {
            level: Level::High,
            cvss_score: Some(7.5),
            cvss_vector: Some("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H".into()),
        },
        signals: Signals {
            epss: Some(Epss {
                cve: "CVE-2022-24999".into(),
                probability: 0.01,
                percentile: 0.5,
            }),
            kev: KevStatus::Listed(Kev {
                cve: "CVE-2022-24999".into(),
                date_added: "2025-01-02".into(),
                due_date: "2025-01-23".into(),
                ransomware: false,
            }),
        },
        informational: None,
        malicious: false,
        reachability: None,
        score: Score {
            value: 93.7,
            reasons: Vec::<ScoreReason>::new(),
            ..Score::default()
        },
        advisories: vec![
            Advisory {
                id: id.into(),
                aliases: Vec::new(),
                summary: String::new(),
                details: HOSTILE.into(),
                modified: "2024-02-03T04:05:06.789Z".parse().ok(),
                published: "2024-01-01T00:00:00Z".parse().ok(),
                withdrawn: None,
                severity: Vec::new(),
                affected: Vec::new(),
                references: vec![
                    reference("WEB", "javascript:alert(1)"),
                    reference("WEB", "https://a.invalid/ with spaces"),
                    reference("WEB", "https://tracker.invalid/1"),
                    reference("ADVISORY", &format!("https://advisories.invalid/{id}")),
                ],
                cwes: vec!["CWE-1321".into(), "CWE-x".into(), "CWE-0".into()],
                severity_word: None,
                informational: None,
                database_specific: None,
            }
            .into(),
        ],
    }
}

fn findings() -> Vec<Finding> {
    let mut possible = finding("GHSA-3", "debug");
    possible.package.version = String::new();
    possible.locations[0].line = 3;
    possible.fixed = FixedVersion::None("no version is known".into());
    possible.severity.cvss_vector = Some("AV:N/AC:L/Au:N/C:P/I:P/A:P".into());
    possible.requirement = Some(RequirementMatch {
        requirement: "^4.0.0".into(),
        extent: Extent::Some,
        affected: vec![">= 4.0.0, < 4.3.1".into()],
        newest: None,
        newest_affected: Some(false),
        raised: Some("^4.3.1".into()),
    });
    vec![
        possible,
        finding("GHSA-2", "tap"),
        finding("GHSA-1", "qs"),
        finding(HOSTILE, "absent"),
    ]
}

fn document(format: FindingsFormat) -> String {
    let findings = findings();
    let found: Vec<Vulnerability<'_>> = findings
        .iter()
        .map(|finding| Vulnerability {
            finding,
            analysis: (finding.id == "GHSA-1").then(|| {
                json!({
                    "state": "not_affected",
                    "justification": "code_not_reachable",
                    "detail": HOSTILE,
                })
            }),
        })
        .collect();
    write_with_findings(&inventory(), &found, &options(true), format)
}

#[test]
fn cyclonedx_lists_vulnerabilities_of_its_components() {
    let text = document(FindingsFormat::CycloneDx(CycloneDxVersion::V1_6));
    let document: Value = serde_json::from_str(&text).unwrap();
    let entries = document["vulnerabilities"].as_array().unwrap();
    let by_id = |id: &str| entries.iter().find(|one| one["id"] == id).unwrap();
    assert_eq!(entries.len(), 4);

    let qs = by_id("GHSA-1");
    assert_eq!(qs["affects"][0]["ref"], "pkg:npm/qs@6.5.2");
    assert_eq!(qs["affects"][0]["versions"][0]["status"], "affected");
    assert_eq!(qs["ratings"][0]["method"], "CVSSv31");
    assert_eq!(qs["cwes"], json!([1321]));
    assert_eq!(qs["source"]["url"], "https://advisories.invalid/GHSA-1");
    assert_eq!(qs["recommendation"], "Upgrade to 6.5.3 or later");
    assert_eq!(qs["analysis"]["state"], "not_affected");
    assert_eq!(qs["updated"], "2024-02-03T04:05:06Z");
    assert!(qs["description"].as_str().unwrap().chars().count() <= 4_001);
    let kev = json!({ "name": "patchgate:kev", "value": "true" });
    assert!(qs["properties"].as_array().unwrap().contains(&kev));

    // A requirement refers to its own component, whose version is unknown.
    let debug = by_id("GHSA-3");
    assert_eq!(debug["affects"][0]["ref"], "requirement:debug");
    assert_eq!(debug["affects"][0]["versions"][0]["status"], "unknown");
    assert_eq!(debug["recommendation"], "Raise the requirement to ^4.3.1");
    assert_eq!(debug["ratings"][0]["method"], "CVSSv2");

    for refused in [
        "javascript:",
        "with spaces",
        "\\u001b[31m<script>alert(1)</script> ]]> @everyone::",
    ] {
        assert!(!text.contains(refused), "{refused}");
    }
    let references: Vec<&str> = document["components"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["bom-ref"].as_str().unwrap())
        .collect();
    for entry in entries {
        for affected in entry["affects"].as_array().into_iter().flatten() {
            assert!(references.contains(&affected["ref"].as_str().unwrap()));
        }
    }
}

#[test]
fn spdx_refers_to_advisories() {
    let document: Value = serde_json::from_str(&document(FindingsFormat::Spdx)).unwrap();
    let references = |name: &str| {
        let packages = document["packages"].as_array().unwrap();
        let package = packages.iter().find(|one| one["name"] == name).unwrap();
        let references = package["externalRefs"].as_array().cloned();
        let references = references.unwrap_or_default().into_iter();
        references
            .filter(|one| one["referenceType"] == "advisory")
            .map(|one| one["referenceLocator"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(references("qs"), ["https://advisories.invalid/GHSA-1"]);
    assert_eq!(references("debug"), ["https://advisories.invalid/GHSA-3"]);
    assert_eq!(references("side-channel"), [""; 0]);
}

#[test]
fn documents_with_findings_pass_the_validators() {
    let folder = tempfile::tempdir().unwrap();
    for (name, format) in [
        (
            "a.1.5.cdx.json",
            FindingsFormat::CycloneDx(CycloneDxVersion::V1_5),
        ),
        (
            "a.1.6.cdx.json",
            FindingsFormat::CycloneDx(CycloneDxVersion::V1_6),
        ),
        (
            "a.1.7.cdx.json",
            FindingsFormat::CycloneDx(CycloneDxVersion::V1_7),
        ),
        ("a.spdx.json", FindingsFormat::Spdx),
    ] {
        std::fs::write(folder.path().join(name), document(format)).unwrap();
    }
    validated(folder.path(), 4);
}

#[test]
fn documents_with_findings_are_valid_by_the_published_schemas() {
    let Some(shared) = shared_dir() else { return };
    for (schema, format) in [
        (
            "bom-1.5.schema.json",
            FindingsFormat::CycloneDx(CycloneDxVersion::V1_5),
        ),
        (
            "bom-1.6.schema.json",
            FindingsFormat::CycloneDx(CycloneDxVersion::V1_6),
        ),
        ("spdx-2.3.schema.json", FindingsFormat::Spdx),
    ] {
        let validator = validator(&shared, schema);
        let document: Value = serde_json::from_str(&document(format)).unwrap();
        let errors: Vec<String> = validator
            .iter_errors(&document)
            .map(|error| format!("{}: {error:.200}", error.instance_path()))
            .collect();
        assert_eq!(errors, Vec::<String>::new(), "{schema}");
    }
}

fn snapshot(inventory: &Inventory) -> Value {
    let text = github_snapshot(
        inventory,
        &SnapshotOptions {
            commit: &"a".repeat(40),
            git_ref: "refs/heads/main",
            job: "17",
            correlator: "patchgate_scan",
            detector_url: "https://forge.invalid/shop",
            tool_version: "0.1.0",
            timestamp: "2026-01-30T12:00:00Z".parse().unwrap(),
        },
    );
    serde_json::from_str(&text).unwrap()
}

#[test]
fn a_snapshot_has_the_packages_with_their_relations() {
    let document = snapshot(&inventory());
    assert_eq!(document["metadata"], json!({ "incomplete": false }));
    assert_eq!(
        document["manifests"]["package-lock.json"]["resolved"],
        json!({
            "pkg:npm/qs@6.5.2": {
                "package_url": "pkg:npm/qs@6.5.2",
                "relationship": "direct",
                "scope": "runtime",
                "dependencies": ["pkg:npm/side-channel@6.5.2"],
            },
            "pkg:npm/side-channel@6.5.2": {
                "package_url": "pkg:npm/side-channel@6.5.2",
                "relationship": "indirect",
                "scope": "runtime",
                "dependencies": [],
            },
            "pkg:npm/tap@6.5.2": {
                "package_url": "pkg:npm/tap@6.5.2",
                "relationship": "direct",
                "scope": "development",
                "dependencies": [],
            },
        })
    );

    let mut partial = inventory();
    partial.problems.push(Problem {
        kind: ProblemKind::File,
        subject: "a".into(),
        line: None,
        reason: "is empty".into(),
        hint: None,
    });
    assert_eq!(
        snapshot(&partial)["metadata"],
        json!({ "incomplete": true })
    );
}

#[test]
fn a_snapshot_is_valid_by_githubs_description() {
    let Some(tools) = Tools::installed() else {
        return;
    };
    let description = std::fs::read(tools.github_openapi()).unwrap();
    let description: Value = serde_json::from_slice(&description).unwrap();
    let schemas = &description["components"]["schemas"];
    let mut kept = serde_json::Map::new();
    for name in ["snapshot", "metadata", "manifest", "dependency"] {
        kept.insert(name.to_owned(), schemas[name].clone());
    }
    let schema = json!({
        "$ref": "#/components/schemas/snapshot",
        "components": { "schemas": kept },
    });
    let validator = jsonschema::validator_for(&schema).unwrap();

    let mut document = snapshot(&inventory());
    let errors: Vec<String> = validator
        .iter_errors(&document)
        .map(|error| error.to_string())
        .collect();
    assert_eq!(errors, Vec::<String>::new());
    document["manifests"]["package-lock.json"]["resolved"]["pkg:npm/qs@6.5.2"]["scope"] =
        "test".into();
    assert!(!validator.is_valid(&document));
}

#[test]
fn a_commit_and_a_ref_are_what_github_accepts() {
    for (text, valid) in [
        ("a".repeat(40), true),
        ("A1".repeat(32), true),
        ("a".repeat(39), false),
        ("g".repeat(40), false),
        (String::new(), false),
    ] {
        assert_eq!(is_commit(&text), valid, "{text}");
    }
    assert!(is_ref("refs/heads/main") && !is_ref("main"));
}
