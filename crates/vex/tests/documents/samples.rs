//! Sample documents, and the packages and findings that they are applied to.

use std::sync::Arc;

use patchgate_model::{
    Advisory, EcosystemName, Finding, FixedVersion, Inventory, Level, PackageRef, Scope, Score,
    Severity, Signals,
};
use patchgate_vex::{AppliedStatements, Document, Source, Statements};
use serde_json::{Value, json};

/// A finding about these ids in this package of npm.
pub(crate) fn finding(ids: &[&str], name: &str, version: &str) -> Finding {
    let (id, aliases) = ids.split_first().unwrap();
    let aliases: Vec<String> = aliases.iter().map(|&alias| alias.to_owned()).collect();

    Finding {
        id: (*id).to_owned(),
        aliases: aliases.clone(),
        summary: String::new(),
        package: PackageRef {
            ecosystem: EcosystemName::new("npm"),
            distribution: None,
            name: name.to_owned(),
            version: version.to_owned(),
            purl: patchgate_model::package_url("npm", name, version),
        },
        locations: Vec::new(),
        paths: Vec::new(),
        scope: Scope::Runtime,
        requirement: None,
        fixed: FixedVersion::None(String::new()),
        severity: Severity {
            level: Level::High,
            cvss_score: None,
            cvss_vector: None,
        },
        signals: Signals::default(),
        informational: None,
        malicious: false,
        reachability: None,
        score: Score::default(),
        advisories: vec![Arc::new(Advisory {
            id: (*id).into(),
            aliases: aliases.into_iter().map(Into::into).collect(),
            summary: String::new(),
            details: String::new(),
            modified: None,
            published: None,
            withdrawn: None,
            severity: Vec::new(),
            affected: Vec::new(),
            references: Vec::new(),
            cwes: Vec::new(),
            severity_word: None,
            informational: None,
            database_specific: None,
        })],
    }
}

/// `lib` 1.0.0 with CVE-2026-1000.
pub(crate) fn lib() -> Finding {
    finding(&["GHSA-aaaa-bbbb-cccc", "CVE-2026-1000"], "lib", "1.0.0")
}

pub(crate) fn read(document: &Value) -> Document {
    patchgate_vex::read(document.to_string().as_bytes())
        .unwrap_or_else(|error| panic!("{error} at {:?}: {document:#}", error.line))
}

/// The reason for which a document is refused.
pub(crate) fn refused(document: &Value) -> String {
    patchgate_vex::read(document.to_string().as_bytes())
        .unwrap_err()
        .reason
}

pub(crate) fn apply(
    documents: Vec<Document>,
    products: &[&str],
    finding: Finding,
) -> AppliedStatements {
    let sources = documents
        .into_iter()
        .map(|document| Source {
            name: "vex.json".to_owned(),
            document: Arc::new(document),
            is_chosen: true,
        })
        .collect();

    let products: Vec<String> = products.iter().map(|&product| product.to_owned()).collect();
    Statements::new(sources, &products).apply(vec![finding], &Inventory::default())
}

/// Whether the document suppresses `lib` 1.0.0.
pub(crate) fn suppresses(document: &Value, products: &[&str]) -> bool {
    apply(vec![read(document)], products, lib()).kept.is_empty()
}

/// OpenVEX with one statement about `lib`.
pub(crate) fn openvex() -> Value {
    json!({
        "@context": "https://openvex.dev/ns/v0.2.0",
        "@id": "https://vex.invalid/1",
        "author": "Team",
        "timestamp": "2026-01-01T00:00:00Z",
        "last_updated": "2026-02-01T00:00:00Z",
        "version": 1,
        "statements": [{
            "@id": "https://vex.invalid/1#a",
            "vulnerability": {"name": "CVE-2026-1000", "aliases": ["GHSA-aaaa-bbbb-cccc"]},
            "products": [{"@id": "pkg:npm/lib@1.0.0", "identifiers": {"purl": "pkg:npm/lib@1.0.0"}}],
            "status": "not_affected",
            "justification": "vulnerable_code_not_present",
            "impact_statement": "the module is left out of the build",
        }],
    })
}

/// CycloneDX with one analysis about `lib`.
pub(crate) fn cyclonedx() -> Value {
    json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79",
        "version": 1,
        "metadata": {
            "timestamp": "2026-01-01T00:00:00Z",
            "authors": [{"name": "Team"}],
        },
        "components": [{
            "type": "library",
            "bom-ref": "lib-1",
            "name": "lib",
            "version": "1.0.0",
            "purl": "pkg:npm/lib@1.0.0",
        }],
        "vulnerabilities": [{
            "id": "GHSA-aaaa-bbbb-cccc",
            "references": [{"id": "CVE-2026-1000", "source": {"name": "NVD"}}],
            "analysis": {
                "state": "not_affected",
                "justification": "code_not_reachable",
                "detail": "it is never called",
                "lastUpdated": "2026-01-03T00:00:00Z",
            },
            "affects": [{"ref": "lib-1"}],
        }],
    })
}

/// CSAF that knows `lib` 1.0.0 (`LIB-1`), `lib` 1.0.1 (`LIB-2`), a shop (`SHOP`), and `lib` 1.0.0
/// within the shop (`SHOP:LIB`).
pub(crate) fn csaf() -> Value {
    let package = |id: &str, purl: &str| {
        json!({
            "category": "product_version",
            "name": id,
            "product": {
                "name": id,
                "product_id": id,
                "product_identification_helper": {"purl": purl},
            },
        })
    };

    json!({
        "document": {
            "category": "csaf_vex",
            "csaf_version": "2.0",
            "title": "Lib and the shop",
            "publisher": {
                "category": "vendor",
                "name": "Vendor",
                "namespace": "https://vendor.invalid",
            },
            "distribution": {"tlp": {"label": "WHITE"}},
            "references": [{
                "category": "self",
                "summary": "the document",
                "url": "https://vendor.invalid/csaf/2026/v-2026-1.json",
            }],
            "tracking": {
                "id": "V-2026-1",
                "status": "final",
                "version": "1",
                "initial_release_date": "2026-01-01T00:00:00Z",
                "current_release_date": "2026-01-02T00:00:00Z",
                "revision_history": [{
                    "number": "1",
                    "date": "2026-01-02T00:00:00Z",
                    "summary": "first",
                }],
            },
        },
        "product_tree": {
            "branches": [{
                "category": "vendor",
                "name": "Vendor",
                "branches": [
                    package("LIB-1", "pkg:npm/lib@1.0.0"),
                    package("LIB-2", "pkg:npm/lib@1.0.1"),
                    package("SHOP", "pkg:oci/shop@2.0"),
                ],
            }],
            "relationships": [{
                "category": "default_component_of",
                "product_reference": "LIB-1",
                "relates_to_product_reference": "SHOP",
                "full_product_name": {"name": "lib in the shop", "product_id": "SHOP:LIB"},
            }],
        },
        "vulnerabilities": [{
            "cve": "CVE-2026-1000",
            "title": "Lib runs commands from untrusted input",
            "cwe": {"id": "CWE-79", "name": "Cross-site Scripting"},
            "ids": [
                {"system_name": "GitHub", "text": "GHSA-aaaa-bbbb-cccc"},
                {"system_name": "Bugs", "text": "12345"},
            ],
            "notes": [{"category": "summary", "text": "A summary of the vulnerability."}],
            "product_status": {"known_not_affected": ["LIB-1"]},
            "flags": [{"label": "vulnerable_code_not_present", "product_ids": ["LIB-1"]}],
        }],
    })
}

/// The document with a value changed, by its JSON pointer.
pub(crate) fn with(mut document: Value, pointer: &str, value: Value) -> Value {
    match document.pointer_mut(pointer) {
        Some(place) => *place = value,
        None => {
            let (parent, key) = pointer.rsplit_once('/').unwrap();
            document.pointer_mut(parent).unwrap()[key] = value;
        }
    }
    document
}
