//! CSAF: statements, and records of affected packages.

use patchgate_model::{EventKind, RangeKind};
use patchgate_testkit::shared_dir;
use patchgate_vex::{Format, Justification, Status};
use serde_json::{Value, json};

use crate::samples::{apply, csaf, lib, read, refused, suppresses, with};

fn vulnerability(status: Value) -> Value {
    with(csaf(), "/vulnerabilities/0/product_status", status)
}

#[test]
fn a_vendors_statement_suppresses_with_its_flag() {
    let document = read(&csaf());
    assert_eq!(document.format, Format::Csaf);
    assert_eq!(document.id, "V-2026-1");
    assert_eq!(document.author, "Vendor");
    assert_eq!(document.label.as_deref(), Some("WHITE"));
    assert_eq!(
        document.statements[0].ids,
        ["CVE-2026-1000", "GHSA-aaaa-bbbb-cccc"]
    );

    let applied = apply(vec![document], &[], lib());
    let decision = &applied.suppressed[0].decision;

    assert_eq!(decision.status, Status::NotAffected);
    assert_eq!(
        decision.justification.as_ref().unwrap().word,
        Justification::VulnerableCodeNotPresent
    );
    assert_eq!(decision.statement, "V-2026-1");
    assert_eq!(
        decision.timestamp.unwrap().to_string(),
        "2026-01-02T00:00:00Z"
    );
}

#[test]
fn an_impact_is_a_reason_and_a_flag_for_another_product_is_none() {
    let bare = with(csaf(), "/vulnerabilities/0/flags", json!([]));
    assert!(!suppresses(&bare, &[]));

    let other = json!([{"label": "component_not_present", "product_ids": ["LIB-2"]}]);
    assert!(!suppresses(
        &with(csaf(), "/vulnerabilities/0/flags", other),
        &[]
    ));

    // A flag has to name its products.
    let all = json!([{"label": "component_not_present"}]);
    assert!(!suppresses(
        &with(csaf(), "/vulnerabilities/0/flags", all),
        &[]
    ));
    for products in [json!(["LIB-1"]), Value::Null] {
        let threat = json!([{
            "category": "impact",
            "details": "it is not built in",
            "product_ids": products,
        }]);
        let document = with(bare.clone(), "/vulnerabilities/0/threats", threat);
        let applied = apply(vec![read(&document)], &[], lib());

        assert_eq!(
            applied.suppressed[0].decision.impact.as_deref(),
            Some("it is not built in")
        );
    }

    let exploit =
        json!([{"category": "exploit_status", "details": "none", "product_ids": ["LIB-1"]}]);
    assert!(!suppresses(
        &with(bare, "/vulnerabilities/0/threats", exploit),
        &[]
    ));
}

#[test]
fn a_flag_for_a_group_holds_for_its_members() {
    let groups = json!([{"group_id": "G", "product_ids": ["LIB-1", "LIB-2"]}]);
    let flags = json!([{"label": "component_not_present", "group_ids": ["G"]}]);
    let document = with(csaf(), "/product_tree/product_groups", groups);
    let document = with(document, "/vulnerabilities/0/flags", flags.clone());

    assert!(suppresses(&document, &[]));
    assert_eq!(
        refused(&with(csaf(), "/vulnerabilities/0/flags", flags)),
        "names the product group `G`, which it does not define"
    );
}

#[test]
fn only_final_documents_suppress() {
    for state in ["draft", "interim", "FINAL", "final?"] {
        let document = with(csaf(), "/document/tracking/status", json!(state));
        assert!(!suppresses(&document, &[]), "{state}");
    }

    let draft = with(csaf(), "/document/tracking/status", json!("draft"));
    let applied = apply(vec![read(&draft)], &[], lib());

    assert_eq!(
        applied.notices[0].text,
        "is `draft` and not final, so it suppresses nothing"
    );
}

#[test]
fn every_group_of_products_means_what_it_says() {
    for (group, status) in [
        ("known_not_affected", Some(Status::NotAffected)),
        ("fixed", Some(Status::Fixed)),
        ("first_fixed", Some(Status::Fixed)),
        ("under_investigation", Some(Status::UnderInvestigation)),
        ("known_affected", Some(Status::Affected)),
        ("first_affected", Some(Status::Affected)),
        ("last_affected", Some(Status::Affected)),
        ("recommended", None),
    ] {
        let document = vulnerability(json!({group: ["LIB-1"]}));
        let applied = apply(vec![read(&document)], &[], lib());
        let found = applied
            .suppressed
            .first()
            .map(|one| one.decision.status)
            .or_else(|| {
                applied.decisions[0]
                    .as_ref()
                    .map(|decision| decision.status)
            });
        assert_eq!(found, status, "{group}");
    }

    let both = vulnerability(json!({"known_not_affected": ["LIB-1"], "known_affected": ["LIB-1"]}));
    assert!(!suppresses(&both, &[]));

    let other = vulnerability(json!({"known_not_affected": ["LIB-2"]}));
    assert!(!suppresses(&other, &[]));
}

#[test]
fn what_lies_between_the_first_and_the_last_affected_is_not_known() {
    let affected = |status: Value| read(&vulnerability(status)).advisories[0].affected[0].clone();
    let ends = affected(json!({"first_affected": ["LIB-1"], "last_affected": ["LIB-2"]}));

    assert_eq!(ends.versions, ["1.0.0", "1.0.1"]);
    assert_eq!(ends.ranges[0].kind, RangeKind::Other);

    let whole = affected(json!({"known_affected": ["LIB-1", "LIB-2"]}));
    assert_eq!(whole.versions, ["1.0.0", "1.0.1"]);
    assert!(
        whole
            .ranges
            .iter()
            .all(|range| range.kind != RangeKind::Other)
    );
}

#[test]
fn a_name_of_the_scanned_product_says_nothing_about_a_range_of_it() {
    let name = "cpe:/a:vendor:shop";
    let shop = |category: &str, versions: &str| {
        let branch = json!({
            "category": category,
            "name": versions,
            "product": {
                "name": "shop",
                "product_id": "SHOP",
                "product_identification_helper": {"cpe": name},
            },
        });

        let flags = json!([{"label": "component_not_present", "product_ids": ["SHOP:LIB"]}]);
        let document = with(csaf(), "/product_tree/branches/0/branches/2", branch);
        let document = with(document, "/vulnerabilities/0/flags", flags);
        let status = json!({"known_not_affected": ["SHOP:LIB"]});

        with(document, "/vulnerabilities/0/product_status", status)
    };

    assert!(suppresses(&shop("product_name", "shop"), &[name]));
    assert!(!suppresses(
        &shop("product_version_range", "vers:generic/<2.0"),
        &[name]
    ));
    assert!(!suppresses(&shop("product_version", "2.0"), &[name]));
}

#[test]
fn a_part_of_the_vendors_product_is_not_ours() {
    let flags = json!([{"label": "component_not_present", "product_ids": ["SHOP:LIB"]}]);
    let document = with(
        vulnerability(json!({"known_not_affected": ["SHOP:LIB"]})),
        "/vulnerabilities/0/flags",
        flags,
    );

    assert!(!suppresses(&document, &[]));
    assert!(suppresses(&document, &["pkg:oci/shop@2.0"]));
    assert!(!suppresses(&document, &["pkg:oci/shop@3.0"]));

    // A product without an identifier matches no scanned product.
    let nameless = with(
        document,
        "/product_tree/branches/0/branches/2/product/product_identification_helper",
        json!({"skus": ["S-1"]}),
    );
    assert!(!suppresses(&nameless, &["pkg:oci/shop@2.0"]));
}

/// Puts `lib` without a version below a branch.
fn below(category: &str, name: &str) -> Value {
    let branch = json!({
        "category": category,
        "name": name,
        "product": {
            "name": "lib",
            "product_id": "LIB-1",
            "product_identification_helper": {"purl": "pkg:npm/lib"},
        },
    });
    with(csaf(), "/product_tree/branches/0/branches/0", branch)
}

#[test]
fn a_statement_about_a_range_holds_within_the_range() {
    for (category, name, expected) in [
        ("product_name", "lib", true),
        ("product_version", "1.0.0", true),
        ("product_version", "1.0.1", false),
        ("product_version", "v1, the first", false),
        ("product_version_range", "vers:npm/<1.0.1", true),
        ("product_version_range", "vers:npm/<1.0.0", false),
        ("product_version_range", "vers:npm/>=0.9.0|<2.0.0", true),
        ("product_version_range", "vers:pypi/<2.0.0", false),
        ("product_version_range", "<2.0.0", false),
        ("product_version_range", "all before 2", false),
    ] {
        let document = below(category, name);
        assert_eq!(suppresses(&document, &[]), expected, "{category} {name}");
    }
}

#[test]
fn what_contradicts_itself_is_refused() {
    let twice = json!({
        "name": "again",
        "product_id": "LIB-1",
        "product_identification_helper": {"purl": "pkg:npm/other@1.0.0"},
    });

    for (document, reason) in [
        (
            with(csaf(), "/product_tree/full_product_names", json!([twice])),
            "has the product `LIB-1` twice",
        ),
        (
            vulnerability(json!({"known_not_affected": ["NONE"]})),
            "names the product `NONE`, which it does not define",
        ),
        (
            with(
                csaf(),
                "/product_tree/branches/0/branches/0/product/product_identification_helper/purl",
                json!("npm:lib"),
            ),
            "has `npm:lib` instead of a package URL",
        ),
        (
            with(csaf(), "/document/csaf_version", json!("3.0")),
            "is CSAF version `3.0`, which is not supported",
        ),
        (
            with(
                csaf(),
                "/document/tracking/current_release_date",
                json!("yesterday"),
            ),
            "has `yesterday` under `current_release_date` instead of a date and time",
        ),
    ] {
        assert_eq!(refused(&document), reason);
    }
}

#[test]
fn a_product_that_is_part_of_itself_is_refused() {
    let relationship = |of: &str, within: &str, id: &str| {
        json!({
            "category": "installed_on",
            "product_reference": of,
            "relates_to_product_reference": within,
            "full_product_name": {"name": id, "product_id": id},
        })
    };
    let circle = json!([
        relationship("LIB-1", "B", "A"),
        relationship("LIB-1", "A", "B")
    ]);
    let document = with(csaf(), "/product_tree/relationships", circle);
    let document = with(
        document,
        "/vulnerabilities/0/product_status",
        json!({"known_affected": ["A"]}),
    );
    let reason = refused(&document);

    assert!(reason.contains("is part of itself"), "{reason}");
}

#[test]
fn affected_packages_become_a_record_with_the_documents_id() {
    let document = vulnerability(json!({
        "known_affected": ["LIB-1"],
        "first_fixed": ["LIB-2"],
    }));
    let scores = json!([{
        "products": ["LIB-1"],
        "cvss_v3": {
            "version": "3.1",
            "vectorString": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
            "baseScore": 9.8,
            "baseSeverity": "CRITICAL",
        },
    }]);
    let document = with(document, "/vulnerabilities/0/scores", scores);
    let advisories = read(&document).advisories;

    assert_eq!(advisories.len(), 1);

    let advisory = &advisories[0];
    assert_eq!(advisory.id, "V-2026-1");
    assert_eq!(advisory.aliases, ["CVE-2026-1000", "GHSA-aaaa-bbbb-cccc"]);
    assert_eq!(advisory.summary, "Lib runs commands from untrusted input");
    assert_eq!(advisory.cwes, ["CWE-79"]);
    assert_eq!(advisory.severity[0].kind, "CVSS_V3");
    assert_eq!(
        advisory.references[0].url,
        "https://vendor.invalid/csaf/2026/v-2026-1.json"
    );

    let affected = &advisory.affected[0];
    assert_eq!(
        (affected.ecosystem.as_str(), affected.name.as_str()),
        ("npm", "lib")
    );
    assert_eq!(affected.versions, ["1.0.0"]);

    let events = &affected.ranges[0].events;
    assert_eq!(events[1].kind, EventKind::Fixed);
    assert_eq!(events[1].version, "1.0.1");
}

/// Records with the same id are joined as one vulnerability.
#[test]
fn records_of_a_document_about_several_vulnerabilities_share_no_id() {
    let one = csaf()["vulnerabilities"][0].clone();
    let one = with(one, "/product_status", json!({"known_affected": ["LIB-1"]}));
    let two = with(one.clone(), "/cve", json!("CVE-2026-2000"));
    let two = with(two, "/ids", json!([]));
    let third = json!({"title": "no id", "product_status": {"known_affected": ["LIB-2"]}});
    let document = with(csaf(), "/vulnerabilities", json!([one, two, third]));
    let advisories = read(&document).advisories;
    let ids: Vec<&str> = advisories
        .iter()
        .map(|advisory| advisory.id.as_str())
        .collect();

    assert_eq!(ids, ["CVE-2026-1000", "CVE-2026-2000", "V-2026-1#3"]);
    assert_eq!(advisories[1].aliases, Vec::<String>::new());
}

#[test]
fn ranges_become_events_where_they_are_simple() {
    let affected = |name: &str| {
        let document = below("product_version_range", name);
        let document = with(
            document,
            "/vulnerabilities/0/product_status",
            json!({"known_affected": ["LIB-1"]}),
        );
        read(&document).advisories[0].affected[0].clone()
    };
    let range = affected("vers:npm/>=0.5.0|<=1.2.0");
    let events: Vec<(EventKind, &str)> = range.ranges[0]
        .events
        .iter()
        .map(|event| (event.kind, event.version.as_str()))
        .collect();

    assert_eq!(
        events,
        [
            (EventKind::Introduced, "0.5.0"),
            (EventKind::LastAffected, "1.2.0")
        ]
    );

    let all = affected("vers:npm/*");
    assert_eq!(all.ranges[0].events[0].version, "0");

    // The affected versions are unknown, which an entry without versions expresses.
    for unknown in [
        "vers:npm/>0.5.0|<1.0.0",
        "vers:npm/!=1.0.0",
        "some",
        "vers:pypi/*",
    ] {
        let entry = affected(unknown);
        assert!(
            entry.versions.is_empty() && entry.ranges.is_empty(),
            "{unknown}"
        );
    }
}

#[test]
fn a_list_that_is_not_all_says_so() {
    let branches = csaf()["product_tree"]["branches"][0]["branches"].clone();
    let unknown = json!({
        "category": "product_version_range",
        "name": "older ones",
        "product": {
            "name": "old",
            "product_id": "OLD",
            "product_identification_helper": {"purl": "pkg:npm/lib"},
        },
    });

    let mut branches = branches.as_array().unwrap().clone();
    branches.push(unknown);
    let document = with(csaf(), "/product_tree/branches/0/branches", json!(branches));
    let document = with(
        document,
        "/vulnerabilities/0/product_status",
        json!({"known_affected": ["LIB-1", "OLD"]}),
    );
    let affected = read(&document).advisories[0].affected[0].clone();

    assert_eq!(affected.versions, ["1.0.0"]);
    assert_eq!(affected.ranges[0].kind, RangeKind::Other);
}

#[test]
fn the_samples_are_of_the_published_schema() {
    let Some(shared) = shared_dir() else { return };
    let folder = shared.join("schemas");
    let text = |name: &str| -> Value {
        let path = folder.join(name);
        serde_json::from_str(&crate::written::file(&path)).unwrap()
    };
    let validator = crate::written::validator(
        &text("csaf-2.0.schema.json"),
        [
            (
                "cvss-v2.0.schema.json",
                "https://www.first.org/cvss/cvss-v2.0.json",
            ),
            (
                "cvss-v3.0.schema.json",
                "https://www.first.org/cvss/cvss-v3.0.json",
            ),
            (
                "cvss-v3.1.schema.json",
                "https://www.first.org/cvss/cvss-v3.1.json",
            ),
        ]
        .map(|(name, url)| (url.to_owned(), text(name))),
    );
    let errors: Vec<String> = validator
        .iter_errors(&csaf())
        .map(|error| error.to_string())
        .collect();

    assert_eq!(errors, Vec::<String>::new());
}
