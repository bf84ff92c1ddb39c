//! CycloneDX, in JSON and in XML.

use patchgate_vex::{Justification, Status};
use serde_json::{Value, json};

use crate::samples::{apply, cyclonedx, lib, read, refused, suppresses, with};

#[test]
fn an_analysis_is_a_statement() {
    let document = read(&cyclonedx());
    assert_eq!(document.author, "Team");

    let applied = apply(vec![document], &[], lib());
    let decision = &applied.suppressed[0].decision;
    let reason = decision.justification.as_ref().unwrap();

    assert_eq!(reason.word, Justification::VulnerableCodeNotInExecutePath);
    assert_eq!(reason.written, "code_not_reachable");
    assert_eq!(decision.impact.as_deref(), Some("it is never called"));
    assert_eq!(
        decision.timestamp.unwrap().to_string(),
        "2026-01-03T00:00:00Z"
    );
}

#[test]
fn every_state_means_what_it_says() {
    for (state, status) in [
        ("not_affected", Status::NotAffected),
        ("false_positive", Status::NotAffected),
        ("resolved", Status::Fixed),
        ("resolved_with_pedigree", Status::Fixed),
        ("in_triage", Status::UnderInvestigation),
        ("exploitable", Status::Affected),
    ] {
        let analysis = json!({"state": state, "detail": "why"});
        let document = with(cyclonedx(), "/vulnerabilities/0/analysis", analysis);
        let applied = apply(vec![read(&document)], &[], lib());
        let decision = applied
            .suppressed
            .first()
            .map(|one| one.decision.clone())
            .or_else(|| applied.decisions[0].clone())
            .unwrap();
        assert_eq!(decision.status, status, "{state}");
    }

    let bare = with(
        cyclonedx(),
        "/vulnerabilities/0/analysis",
        json!({"state": "not_affected"}),
    );
    assert!(!suppresses(&bare, &[]));

    // A vulnerability without an analysis says that it is there.
    let listed = with(cyclonedx(), "/vulnerabilities/0/analysis", json!({}));
    assert_eq!(read(&listed).statements, []);

    let word = with(
        cyclonedx(),
        "/vulnerabilities/0/analysis/state",
        json!("harmless"),
    );
    assert_eq!(
        refused(&word),
        "has the state `harmless`, which CycloneDX does not define"
    );
}

#[test]
fn a_part_of_what_the_document_is_about_counts_within_it() {
    let app = json!({
        "type": "application",
        "bom-ref": "app",
        "name": "shop",
        "version": "2.0",
        "purl": "pkg:oci/shop@2.0",
    });
    let document = with(cyclonedx(), "/metadata/component", app);

    assert!(!suppresses(&document, &[]));
    assert!(suppresses(&document, &["pkg:oci/shop@2.0"]));
    assert!(!suppresses(&document, &["pkg:oci/shop@2.1"]));

    let whole = with(
        document.clone(),
        "/vulnerabilities/0/affects",
        json!([{"ref": "app"}]),
    );
    assert!(!suppresses(&whole, &[]));
    assert!(suppresses(&whole, &["pkg:oci/shop@2.0"]));

    let by_name = with(
        document,
        "/metadata/component",
        json!({"type": "application", "name": "shop", "version": "2.0"}),
    );
    assert!(!suppresses(&by_name, &["pkg:oci/shop@2.0"]));
    assert!(suppresses(&by_name, &["shop@2.0"]));
}

#[test]
fn references_lead_to_what_they_name_and_nowhere_else() {
    let own = "urn:cdx:3e671687-395b-41f5-a30f-a58921a69b79";
    let other = "urn:cdx:11111111-2222-3333-4444-555555555555";
    let product = &[other][..];
    for (reference, products, expected) in [
        ("lib-1".to_owned(), &[][..], true),
        ("lib-2".to_owned(), &[], false),
        ("pkg:npm/lib@1.0.0".to_owned(), &[], true),
        ("pkg:npm/lib@2.0.0".to_owned(), &[], false),
        (format!("{own}/1#lib-1"), &[], true),
        (format!("{own}/2#lib-1"), &[], false),
        (format!("{own}/1#lib-2"), &[], false),
        (format!("{other}/1#pkg:npm/lib@1.0.0"), &[], false),
        (format!("{other}/1#pkg:npm/lib@1.0.0"), product, true),
        (format!("{other}/1#pkg:npm/lib@2.0.0"), product, false),
        (format!("{other}/1"), product, true),
        (format!("{other}/1"), &[], false),
    ] {
        let affects = json!([{"ref": reference}]);
        let document = with(cyclonedx(), "/vulnerabilities/0/affects", affects);
        assert_eq!(
            suppresses(&document, products),
            expected,
            "{reference} {products:?}"
        );
    }

    let twin = json!([
        {"type": "library", "bom-ref": "lib-1", "name": "lib", "purl": "pkg:npm/lib@1.0.0"},
        {"type": "library", "bom-ref": "lib-1", "name": "other", "purl": "pkg:npm/other@1.0.0"},
    ]);
    assert!(!suppresses(&with(cyclonedx(), "/components", twin), &[]));
}

#[test]
fn an_analysis_of_some_versions_holds_for_these() {
    let versionless = with(cyclonedx(), "/components/0/purl", json!("pkg:npm/lib"));
    for (versions, expected) in [
        (json!([{"version": "1.0.0"}]), true),
        (json!([{"version": "1.0.1"}]), false),
        (json!([{"version": "1.0.1"}, {"version": "1.0.0"}]), true),
        (json!([{"range": "vers:npm/<1.1.0"}]), true),
        (json!([{"range": "vers:npm/<1.0.0"}]), false),
        (json!([{"range": "all"}]), false),
        (json!([{"version": "1.0.0", "status": "affected"}]), true),
        (json!([{"version": "1.0.0", "status": "unaffected"}]), false),
        (json!([{"version": "1.0.0", "status": "unknown"}]), false),
    ] {
        let affects = json!([{"ref": "lib-1", "versions": versions}]);
        let document = with(versionless.clone(), "/vulnerabilities/0/affects", affects);
        assert_eq!(suppresses(&document, &[]), expected, "{versions}");
    }
}

/// The sample as XML.
const XML: &str = r#"<?xml version="1.0"?>
<bom xmlns="http://cyclonedx.org/schema/bom/1.6" serialNumber="urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79" version="1">
  <metadata>
    <timestamp>2026-01-01T00:00:00Z</timestamp>
    <authors><author><name>Team</name></author></authors>
  </metadata>
  <components>
    <component type="library" bom-ref="lib-1">
      <name>lib</name>
      <version>1.0.0</version>
      <purl>pkg:npm/lib@1.0.0</purl>
    </component>
  </components>
  <vulnerabilities>
    <vulnerability>
      <id>GHSA-aaaa-bbbb-cccc</id>
      <references>
        <reference><id>CVE-2026-1000</id><source><name>NVD</name></source></reference>
      </references>
      <analysis>
        <state>not_affected</state>
        <justification>code_not_reachable</justification>
        <detail>it is never called</detail>
        <lastUpdated>2026-01-03T00:00:00Z</lastUpdated>
      </analysis>
      <affects><target><ref>lib-1</ref></target></affects>
    </vulnerability>
  </vulnerabilities>
</bom>
"#;

#[test]
fn xml_says_what_json_says() {
    let mut from_xml = patchgate_vex::read(XML.as_bytes()).unwrap();
    let mut from_json = read(&cyclonedx());
    for document in [&mut from_xml, &mut from_json] {
        document.statements[0].line = 0;
    }

    assert_eq!(from_xml, from_json);

    let versions = XML.replace(
        "<ref>lib-1</ref>",
        "<ref>lib-1</ref><versions><version><version>9.0.0</version><status>affected</status></version></versions>",
    );
    let narrowed = patchgate_vex::read(versions.as_bytes()).unwrap();

    assert_eq!(apply(vec![narrowed], &[], lib()).kept.len(), 1);
}

#[test]
fn an_sbom_without_an_analysis_says_nothing() {
    let bare: Value = with(cyclonedx(), "/vulnerabilities", json!([]));
    let applied = apply(vec![read(&bare)], &[], lib());
    assert_eq!(applied.kept.len(), 1);
    assert_eq!(
        applied.notices[0].text,
        "makes no statement about any vulnerability"
    );
}
