//! Statements that suppress a finding, and statements that must not.

use std::sync::Arc;

use patchgate_model::{
    Advisory, EcosystemName, Finding, FixedVersion, Inventory, Level, Lockfile, Package,
    PackageRef, Scope, Score, Severity, Signals,
};
use serde_json::{Value, json};

use super::*;
use crate::Justification;

fn record(id: &str, aliases: &[&str]) -> Arc<Advisory> {
    Arc::new(Advisory {
        id: id.into(),
        aliases: aliases.iter().map(|&alias| alias.into()).collect(),
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
    })
}

/// A finding in `minimist` 1.2.5 with these ids, the main one first.
fn finding(ids: &[&str]) -> Finding {
    let (id, aliases) = ids.split_first().unwrap();

    Finding {
        id: (*id).to_owned(),
        aliases: aliases.iter().map(|&alias| alias.to_owned()).collect(),
        summary: String::new(),
        package: PackageRef {
            ecosystem: EcosystemName::new("npm"),
            distribution: None,
            name: "minimist".to_owned(),
            version: "1.2.5".to_owned(),
            purl: "pkg:npm/minimist@1.2.5".to_owned(),
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
        advisories: vec![record(id, aliases)],
    }
}

fn document(statements: &[Value]) -> Document {
    let text = json!({
        "@context": "https://openvex.dev/ns/v0.2.0",
        "@id": "https://vex.invalid/1",
        "author": "Team",
        "timestamp": "2026-01-01T00:00:00Z",
        "version": 1,
        "statements": statements,
    });
    crate::read(text.to_string().as_bytes()).unwrap()
}

/// `not_affected` about a CVE in a product.
fn fine(product: &str) -> Value {
    json!({
        "vulnerability": {"name": "CVE-2021-44906"},
        "products": [{"@id": product}],
        "status": "not_affected",
        "justification": "vulnerable_code_not_in_execute_path",
    })
}

fn with(mut statement: Value, changes: Value) -> Value {
    for (key, value) in changes.as_object().unwrap() {
        statement[key] = value.clone();
    }
    statement
}

fn statements(documents: Vec<Document>, products: &[&str]) -> Statements {
    let sources = documents
        .into_iter()
        .enumerate()
        .map(|(number, document)| Source {
            name: format!("vex-{number}.json"),
            document: Arc::new(document),
            is_chosen: true,
        })
        .collect();

    let products: Vec<String> = products.iter().map(|&product| product.to_owned()).collect();
    Statements::new(sources, &products)
}

fn apply(list: &[Value], products: &[&str], finding: Finding) -> AppliedStatements {
    statements(vec![document(list)], products).apply(vec![finding], &Inventory::default())
}

const IDS: [&str; 2] = ["GHSA-xvch-5gv4-984h", "CVE-2021-44906"];

fn suppressed(list: &[Value]) -> bool {
    suppressed_for(list, &[])
}

fn suppressed_for(list: &[Value], products: &[&str]) -> bool {
    !apply(list, products, finding(&IDS)).suppressed.is_empty()
}

#[test]
fn a_statement_about_the_package_suppresses_and_says_why() {
    let applied = apply(&[fine("pkg:npm/minimist@1.2.5")], &[], finding(&IDS));
    assert_eq!(applied.kept, []);
    assert_eq!(applied.notices, []);

    let decision = &applied.suppressed[0].decision;
    assert_eq!(decision.status, Status::NotAffected);
    assert_eq!(
        decision.justification.as_ref().unwrap().word,
        Justification::VulnerableCodeNotInExecutePath
    );
    assert_eq!(decision.statement, "https://vex.invalid/1");
    assert_eq!(decision.author, "Team");
    assert_eq!(decision.source, "vex-0.json");
    assert_eq!(
        decision.timestamp.unwrap().to_string(),
        "2026-01-01T00:00:00Z"
    );
}

#[test]
fn every_way_to_name_the_package_and_the_vulnerability() {
    let purl = "pkg:npm/minimist@1.2.5";

    for statement in [
        fine("pkg:npm/minimist"),
        with(
            fine(purl),
            json!({"vulnerability": {"name": "ghsa-XVCH-5gv4-984h"}}),
        ),
        with(
            fine(purl),
            json!({"vulnerability": {"name": "OTHER-1", "aliases": ["CVE-2021-44906"]}}),
        ),
        with(fine(purl), json!({"vulnerability": "CVE-2021-44906"})),
        with(fine(purl), json!({"products": [purl]})),
        with(
            fine(purl),
            json!({"products": [{"identifiers": {"purl": purl}}]}),
        ),
        with(
            fine(purl),
            json!({"products": [{"@id": "https://a.invalid/b", "identifiers": {"purl": purl}}]}),
        ),
        with(
            json!({"impact_statement": "it is not called"}),
            json!({
                "vulnerability": {"name": "CVE-2021-44906"},
                "products": [{"@id": purl}],
                "status": "not_affected",
            }),
        ),
        with(fine(purl), json!({"status": "fixed"})),
    ] {
        assert!(
            suppressed(std::slice::from_ref(&statement)),
            "{statement:#}"
        );
    }
}

#[test]
fn what_does_not_certainly_speak_of_it_suppresses_nothing() {
    let purl = "pkg:npm/minimist@1.2.5";

    for statement in [
        fine("pkg:npm/minimist@1.2.6"),
        fine("pkg:npm/Minimist@1.2.5"),
        fine("pkg:npm/%40a/minimist@1.2.5"),
        fine("pkg:pypi/minimist@1.2.5"),
        fine("pkg:npm/minimist@1.2.5?vcs_url=git"),
        fine("pkg:npm/minimist@1.2.5#lib"),
        fine("minimist"),
        fine("https://a.invalid/minimist"),
        with(fine(purl), json!({"products": []})),
        // Two package URLs that contradict each other name nothing.
        with(
            fine(purl),
            json!({"products": [{"@id": "pkg:npm/mkdirp", "identifiers": {"purl": purl}}]}),
        ),
        with(
            fine(purl),
            json!({"vulnerability": {"name": "CVE-2021-4490"}}),
        ),
        with(fine(purl), json!({"status": "under_investigation"})),
        with(
            fine(purl),
            json!({"status": "affected", "action_statement": "wait"}),
        ),
        with(fine("pkg:npm/minimist"), json!({"status": "fixed"})),
        json!({
            "vulnerability": {"name": "CVE-2021-44906"},
            "products": [{"@id": purl}],
            "status": "not_affected",
        }),
        with(
            fine(purl),
            json!({"justification": "", "impact_statement": "  "}),
        ),
    ] {
        assert!(
            !suppressed(std::slice::from_ref(&statement)),
            "{statement:#}"
        );
    }
}

#[test]
fn a_statement_without_a_reason_or_a_version_is_told_of() {
    let purl = "pkg:npm/minimist@1.2.5";
    let bare = json!({
        "vulnerability": {"name": "CVE-2021-44906"},
        "products": [{"@id": purl}],
        "status": "not_affected",
    });
    let applied = apply(&[bare], &[], finding(&IDS));

    assert_eq!(
        applied.notices[0].text,
        "says `not_affected` about `GHSA-xvch-5gv4-984h` with neither a justification nor an \
         impact statement, so it does not count"
    );

    let all_fixed = with(fine("pkg:npm/minimist"), json!({"status": "fixed"}));
    let applied = apply(&[all_fixed], &[], finding(&IDS));

    assert_eq!(
        applied.notices[0].text,
        "says `fixed` about `GHSA-xvch-5gv4-984h` without a version, so it does not count"
    );
}

#[test]
fn what_is_said_of_a_part_of_a_product_counts_for_that_product_alone() {
    let part = json!({
        "vulnerability": {"name": "CVE-2021-44906"},
        "products": [{
            "@id": "pkg:oci/shop@1.0",
            "subcomponents": [{"@id": "pkg:npm/minimist@1.2.5"}],
        }],
        "status": "not_affected",
        "justification": "vulnerable_code_not_in_execute_path",
    });
    let list = [part];

    assert!(!suppressed(&list));
    assert!(suppressed_for(&list, &["pkg:oci/shop@1.0"]));
    assert!(!suppressed_for(&list, &["pkg:oci/shop@2.0"]));

    // Which version is scanned was not said.
    assert!(!suppressed_for(&list, &["pkg:oci/shop"]));
    assert!(!suppressed_for(&list, &["pkg:oci/other@1.0"]));

    // The part itself is not the product.
    assert!(!suppressed_for(&list, &["pkg:npm/minimist@1.2.5"]));

    let applied = apply(&list, &[], finding(&IDS));
    assert_eq!(
        applied.notices[0].text,
        "has statements that apply only to `pkg:oci/shop@1.0`: if that is the scanned product, name \
         it with `--vex-product`"
    );
    assert_eq!(applied.notices.len(), 1);
}

#[test]
fn what_is_said_of_the_scanned_product_holds_for_what_is_in_it() {
    let whole = [fine("pkg:oci/shop@1.0")];
    assert!(!suppressed(&whole));
    assert!(suppressed_for(&whole, &["pkg:oci/shop@1.0"]));
    assert!(!suppressed_for(&whole, &["pkg:oci/shop@1.1"]));
    let by_address = [fine("https://shop.invalid/app")];
    assert!(suppressed_for(&by_address, &["https://shop.invalid/app"]));
    assert!(!suppressed_for(&by_address, &["https://shop.invalid/"]));
}

#[test]
fn subcomponents_of_older_documents_stand_beside_the_products() {
    let old = json!({
        "vulnerability": "CVE-2021-44906",
        "products": ["pkg:oci/shop@1.0"],
        "subcomponents": ["pkg:npm/minimist@1.2.5"],
        "status": "not_affected",
        "justification": "component_not_present",
    });
    let list = [old];

    assert!(!suppressed(&list));
    assert!(suppressed_for(&list, &["pkg:oci/shop@1.0"]));
}

fn at(statement: Value, time: &str) -> Value {
    with(statement, json!({"timestamp": time}))
}

#[test]
fn the_newest_statement_wins_in_whatever_order() {
    let purl = "pkg:npm/minimist@1.2.5";
    let fine = fine(purl);
    let bad = with(
        fine.clone(),
        json!({"status": "affected", "action_statement": "update"}),
    );
    let (older, newer) = ("2026-01-02T00:00:00Z", "2026-01-02T00:00:01+00:00");

    for (fine_at, bad_at, expected) in [
        (newer, older, true),
        (older, newer, false),
        // As new: the worse.
        (older, older, false),
        // The same moment in another zone.
        (older, "2026-01-02T01:00:00+01:00", false),
    ] {
        let mut list = vec![at(fine.clone(), fine_at), at(bad.clone(), bad_at)];
        assert_eq!(suppressed(&list), expected, "{fine_at} {bad_at}");
        list.reverse();
        assert_eq!(suppressed(&list), expected, "{fine_at} {bad_at}, reversed");
        list.extend(list.clone());
        assert_eq!(suppressed(&list), expected, "{fine_at} {bad_at}, twice");
    }
}

#[test]
fn the_worst_of_statements_that_are_as_new_wins() {
    let purl = "pkg:npm/minimist@1.2.5";
    let status = |word: &str| with(fine(purl), json!({"status": word, "action_statement": "a"}));
    let words = ["not_affected", "fixed", "under_investigation", "affected"];

    for (better, pair) in words.windows(2).enumerate() {
        let list = [status(pair[0]), status(pair[1])];
        let applied = apply(&list, &[], finding(&IDS));
        let decision = applied
            .suppressed
            .first()
            .map(|suppressed| suppressed.decision.clone())
            .or_else(|| applied.decisions[0].clone())
            .unwrap();
        assert_eq!(decision.status.word(), words[better + 1]);
    }
}

#[test]
fn a_statement_without_a_reason_does_not_hide_an_older_one() {
    let purl = "pkg:npm/minimist@1.2.5";
    let bare = json!({
        "vulnerability": {"name": "CVE-2021-44906"},
        "products": [{"@id": purl}],
        "status": "not_affected",
        "timestamp": "2026-06-01T00:00:00Z",
    });
    let bad = with(
        fine(purl),
        json!({"status": "affected", "action_statement": "update"}),
    );

    assert!(!suppressed(&[bad, bare.clone()]));
    assert!(suppressed(&[fine(purl), bare]));
}

#[test]
fn a_statement_without_a_time_counts_for_the_worse() {
    let purl = "pkg:npm/minimist@1.2.5";
    let undated = |statement: Value| {
        let mut document = document(&[statement]);
        document.statements[0].timestamp = None;
        document
    };
    let bad = with(
        fine(purl),
        json!({"status": "affected", "action_statement": "update"}),
    );
    let decide = |documents: Vec<Document>| {
        let applied = statements(documents, &[]).apply(vec![finding(&IDS)], &Inventory::default());
        applied.kept.is_empty()
    };

    assert!(decide(vec![undated(fine(purl))]));
    assert!(!decide(vec![
        undated(fine(purl)),
        document(std::slice::from_ref(&bad))
    ]));
    assert!(!decide(vec![document(&[fine(purl)]), undated(bad)]));
}

#[test]
fn a_malicious_release_is_suppressed_by_nothing() {
    let mut malicious = finding(&["MAL-2026-1", "CVE-2021-44906"]);
    malicious.malicious = true;
    let applied = apply(&[fine("pkg:npm/minimist@1.2.5")], &[], malicious);
    assert_eq!(applied.kept.len(), 1);
    assert!(applied.notices[0].text.contains("only an `ignore` entry"));
}

/// A record of a database may be about several CVEs. A statement about one of them is not about
/// the others.
#[test]
fn every_vulnerability_of_a_finding_has_to_be_judged() {
    let purl = "pkg:npm/minimist@1.2.5";
    let about = |id: &str| with(fine(purl), json!({"vulnerability": {"name": id}}));
    let both = || {
        let mut both = finding(&["GHSA-a", "CVE-1", "CVE-2", "GHSA-b", "X-1"]);
        both.advisories = vec![
            record("GHSA-a", &["CVE-1"]),
            record("GHSA-b", &["CVE-2", "B-1"]),
            record("X-1", &["CVE-1", "CVE-2"]),
        ];
        both
    };
    for (ids, expected) in [
        (&["CVE-1"][..], false),
        (&["CVE-2"], false),
        (&["GHSA-a"], false),
        (&["CVE-1", "CVE-2"], true),
        (&["GHSA-a", "CVE-2"], true),
        (&["CVE-1", "B-1"], true),
        (&["X-1"], true),
    ] {
        let list: Vec<Value> = ids.iter().map(|id| about(id)).collect();
        let applied = apply(&list, &[], both());
        assert_eq!(applied.kept.is_empty(), expected, "{ids:?}");
    }

    let bad = with(
        about("CVE-2"),
        json!({"status": "affected", "action_statement": "update"}),
    );
    let applied = apply(&[about("CVE-1"), bad], &[], both());

    assert_eq!(
        applied.decisions[0].as_ref().unwrap().status,
        Status::Affected
    );
}

/// Copies of one version may be different things: builds for other systems, packages of other
/// repositories.
#[test]
fn every_copy_of_a_package_has_to_be_judged() {
    let package = |purl: &str| Package {
        purl: Some(purl.to_owned()),
        ..Package::new(
            EcosystemName::new("Red Hat"),
            "openssl".to_owned(),
            "3.0.7-1.el9".to_owned(),
        )
    };
    let x86 = "pkg:rpm/redhat/openssl@3.0.7-1.el9?arch=x86_64";
    let arm = "pkg:rpm/redhat/openssl@3.0.7-1.el9?arch=aarch64";
    let lockfile = Lockfile {
        packages: vec![package(x86), package(arm)],
        ..Lockfile::default()
    };
    let inventory = Inventory {
        lockfiles: vec![lockfile],
        ..Inventory::default()
    };
    let mut finding = finding(&IDS);
    finding.package.ecosystem = EcosystemName::new("Red Hat");
    finding.package.name = "openssl".to_owned();
    finding.package.version = "3.0.7-1.el9".to_owned();
    finding.package.purl = x86.to_owned();
    let decide = |products: &[&str]| {
        let list: Vec<Value> = products.iter().map(|product| fine(product)).collect();
        let statements = statements(vec![document(&list)], &[]);
        let applied = statements.apply(vec![finding.clone()], &inventory);
        applied.kept.is_empty()
    };

    assert!(!decide(&[x86]));
    assert!(decide(&[x86, arm]));
    assert!(decide(&["pkg:rpm/redhat/openssl@3.0.7-1.el9"]));
}

#[test]
fn a_document_that_says_nothing_is_told_of() {
    let applied = apply(&[], &[], finding(&IDS));
    assert_eq!(
        applied.notices[0].text,
        "makes no statement about any vulnerability"
    );
}

#[test]
fn notices_have_an_end() {
    let list: Vec<Value> = (0..100)
        .map(|number| {
            json!({
                "vulnerability": {"name": format!("CVE-2026-{number}")},
                "products": [{"@id": "pkg:npm/minimist"}],
                "status": "not_affected",
            })
        })
        .collect();

    let findings = (0..100)
        .map(|number| finding(&[&format!("CVE-2026-{number}")]))
        .collect();
    let applied = statements(vec![document(&list)], &[]).apply(findings, &Inventory::default());

    assert_eq!(applied.notices.len(), 20);
    assert!(
        applied.notices[19]
            .text
            .ends_with("(and 80 more such notices)")
    );
}
