//! CSAF advisories of vendors, from documents, directories, and providers on loopback.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use patchgate_testkit::{HttpServer, Response};
use serde_json::{Value, json};

use crate::support::sandbox::{Run, Sandbox, texts};

/// A package of the npm example without findings, and one with.
const CLEAN: &str = "pkg:npm/mkdirp@0.5.5";
const AFFECTED: &str = "pkg:npm/minimist@1.2.5";

fn document(id: &str, cve: &str, status: Value) -> Value {
    let product = |id: &str, purl: &str| {
        json!({
            "name": id,
            "product_id": id,
            "product_identification_helper": {"purl": purl},
        })
    };

    json!({
        "document": {
            "category": "csaf_security_advisory",
            "csaf_version": "2.0",
            "title": "Directories of others can be made",
            "publisher": {
                "category": "vendor",
                "name": "Vendor",
                "namespace": "https://vendor.invalid",
            },
            "distribution": {"tlp": {"label": "WHITE"}},
            "references": [{
                "category": "self",
                "summary": "the document",
                "url": format!("https://vendor.invalid/{id}.json"),
            }],
            "tracking": {
                "id": id,
                "status": "final",
                "version": "1",
                "initial_release_date": "2026-01-01T00:00:00Z",
                "current_release_date": "2026-01-02T00:00:00Z",
                "revision_history": [],
            },
        },
        "product_tree": {"full_product_names": [
            product("CLEAN", CLEAN),
            product("CLEAN-FIXED", "pkg:npm/mkdirp@0.5.6"),
            product("AFFECTED", AFFECTED),
        ]},
        "vulnerabilities": [{
            "cve": cve,
            "product_status": status,
            "flags": [{"label": "vulnerable_code_not_present", "product_ids": ["AFFECTED"]}],
            "scores": [{
                "products": ["CLEAN"],
                "cvss_v3": {
                    "version": "3.1",
                    "vectorString": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
                    "baseScore": 9.8,
                    "baseSeverity": "CRITICAL",
                },
            }],
        }],
    })
}

/// Affects a package that OSV says nothing about.
fn new_finding() -> Value {
    document(
        "V-2026-1",
        "CVE-2026-1000",
        json!({"known_affected": ["CLEAN"], "first_fixed": ["CLEAN-FIXED"]}),
    )
}

fn scan(sandbox: &Sandbox, source: &str, more: &[&str]) -> Run {
    let mut arguments = vec![
        "scan",
        "--store",
        "store",
        "--max-age-days",
        "36500",
        "--format",
        "json",
        "--csaf",
        source,
    ];
    arguments.extend(more);
    arguments.push("repo");

    sandbox.run(&arguments)
}

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.example("npm-workspace");
    sandbox.build_store();
    std::fs::create_dir_all(sandbox.path("csaf/2026")).unwrap();
    sandbox
}

fn by_id<'a>(report: &'a Value, id: &str) -> Option<&'a Value> {
    let findings = report["findings"].as_array().unwrap();
    findings.iter().find(|finding| finding["id"] == id)
}

#[test]
fn a_vendors_advisory_is_a_finding() {
    let sandbox = sandbox();
    std::fs::write(
        sandbox.path("csaf/2026/v-2026-1.json"),
        new_finding().to_string(),
    )
    .unwrap();
    let report = scan(&sandbox, "csaf", &["--offline"]).expect(1).json();
    let finding = by_id(&report, "CVE-2026-1000").unwrap();

    assert_eq!(finding["aliases"], json!(["V-2026-1"]));
    assert_eq!(finding["package"]["purl"], CLEAN);
    assert_eq!(finding["fixed_version"], "0.5.6");
    assert_eq!(finding["severity"], "critical");
    assert_eq!(
        finding["references"][0]["url"],
        "https://vendor.invalid/V-2026-1.json"
    );

    let sources = report["sources"].as_array().unwrap();
    let source = sources
        .iter()
        .find(|source| source["name"] == "csaf")
        .unwrap();

    assert_eq!(source["origin"], "csaf");
    assert_eq!(source["records"], 1);
    assert_eq!(source["as_of"], "2026-01-02T00:00:00Z");
}

#[test]
fn a_vendors_advisory_joins_the_finding_of_its_cve() {
    let sandbox = sandbox();
    let affected = document(
        "V-2026-2",
        "CVE-2021-44906",
        json!({"known_affected": ["AFFECTED"]}),
    );
    std::fs::write(sandbox.path("csaf/a.json"), affected.to_string()).unwrap();
    let report = scan(&sandbox, "csaf/a.json", &[]).expect(1).json();
    let finding = by_id(&report, "GHSA-xvch-5gv4-984h").unwrap();
    let aliases = finding["aliases"].to_string();

    assert!(aliases.contains("V-2026-2"), "{aliases}");

    let of_package = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["package"]["purl"] == AFFECTED);
    assert_eq!(of_package.count(), 1);
}

#[test]
fn a_vendors_statement_that_a_package_is_not_affected_suppresses_its_finding() {
    let sandbox = sandbox();
    let mut fine = document(
        "V-2026-3",
        "CVE-2021-44906",
        json!({"known_not_affected": ["AFFECTED"]}),
    );
    std::fs::write(sandbox.path("csaf/a.json"), fine.to_string()).unwrap();
    let report = scan(&sandbox, "csaf", &[]).expect(1).json();

    assert_eq!(texts(&report["suppressed"], "id"), ["GHSA-xvch-5gv4-984h"]);
    assert_eq!(texts(&report["suppressed"], "author"), ["Vendor"]);

    fine["document"]["tracking"]["status"] = json!("interim");
    std::fs::write(sandbox.path("csaf/a.json"), fine.to_string()).unwrap();
    let report = scan(&sandbox, "csaf", &[]).expect(1).json();

    assert_eq!(report["suppressed"], json!([]));
}

#[test]
fn an_unreadable_document_in_a_directory_makes_the_scan_incomplete() {
    let sandbox = sandbox();
    let text = new_finding().to_string();
    let path = sandbox.path("csaf/2026/v-2026-1.json");
    let hash = sandbox.path("csaf/2026/v-2026-1.json.sha256");

    std::fs::write(&path, &text).unwrap();
    std::fs::write(
        sandbox.path("csaf/provider-metadata.json"),
        json!({"metadata_version": "2.0", "canonical_url": "https://vendor.invalid/"}).to_string(),
    )
    .unwrap();
    std::fs::write(&hash, format!("{}  v-2026-1.json\n", "0".repeat(64))).unwrap();
    let report = scan(&sandbox, "csaf", &[]).expect(3).json();

    assert_eq!(
        texts(&report["incomplete"], "subject"),
        ["csaf/2026/v-2026-1.json"]
    );
    assert!(by_id(&report, "CVE-2026-1000").is_none());

    let sum = std::process::Command::new("sha256sum")
        .arg(&path)
        .output()
        .unwrap();
    std::fs::write(&hash, sum.stdout).unwrap();

    // The metadata names the directory that it is in.
    let report = scan(&sandbox, "csaf/provider-metadata.json", &[])
        .expect(1)
        .json();
    assert!(by_id(&report, "CVE-2026-1000").is_some());

    std::fs::remove_file(&hash).unwrap();
    std::fs::write(&path, &text[..text.len() / 2]).unwrap();
    scan(&sandbox, "csaf", &[]).expect(3);
    std::fs::remove_file(&path).unwrap();
    scan(&sandbox, "csaf", &[]).expect(3);
    scan(&sandbox, "nowhere", &[]).expect(2);
    let run = scan(
        &sandbox,
        "https://vendor.invalid/provider-metadata.json",
        &["--offline"],
    );

    assert!(run.expect(2).stderr.contains("`--offline`"));
}

type Files = Arc<Mutex<BTreeMap<String, Response>>>;

/// A provider whose files the test chooses; everything else is not there.
struct Provider {
    server: HttpServer,
    files: Files,
}

impl Provider {
    fn start() -> Self {
        let files = Files::default();
        let served = Arc::clone(&files);
        let server = HttpServer::start(move |request| {
            let files = served.lock().unwrap();
            let answer = files.get(&request.path).cloned();
            answer.unwrap_or_else(|| Response::status(404))
        });
        Self { server, files }
    }

    fn put(&self, path: &str, text: impl Into<Vec<u8>>) {
        self.answer(path, Response::bytes(200, "application/json", text));
    }

    fn answer(&self, path: &str, response: Response) {
        self.files.lock().unwrap().insert(path.to_owned(), response);
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.server.url())
    }

    /// A provider that lists two documents in a directory, one of which needs a login.
    fn with_folder() -> Self {
        let provider = Self::start();
        provider.metadata(json!([{"directory_url": provider.url("/white")}]));
        provider.put("/white/2026/v-2026-1.json", new_finding().to_string());
        let mut secret = document(
            "V-2026-9",
            "CVE-2026-9000",
            json!({"known_affected": ["AFFECTED"]}),
        );
        secret["document"]["distribution"]["tlp"]["label"] = json!("AMBER");
        provider.put("/white/2026/v-2026-9.json", secret.to_string());
        provider.put(
            "/white/changes.csv",
            "\"2026/v-2026-1.json\",\"2026-01-02T00:00:00Z\"\n\"2026/v-2026-9.json\",\"2026-01-01T00:00:00Z\"\n",
        );

        provider
    }

    fn metadata(&self, distributions: Value) {
        let metadata = json!({
            "metadata_version": "2.0",
            "canonical_url": "https://vendor.invalid/provider-metadata.json",
            "publisher": {"name": "Vendor"},
            "distributions": distributions,
        });
        self.put("/provider-metadata.json", metadata.to_string());
    }

    fn scan(&self, sandbox: &Sandbox) -> Run {
        scan(sandbox, &self.url("/provider-metadata.json"), &[])
    }
}

#[test]
fn the_documents_of_a_provider_are_fetched_and_cached() {
    let sandbox = sandbox();
    let provider = Provider::with_folder();
    let report = provider.scan(&sandbox).expect(1).json();

    assert!(by_id(&report, "CVE-2026-1000").is_some());

    let all = report.to_string();
    assert!(
        !all.contains("CVE-2026-9000") && !all.contains("V-2026-9"),
        "{all}"
    );

    let sources = report["sources"].as_array().unwrap();
    let source = sources
        .iter()
        .find(|source| source["name"] == "csaf")
        .unwrap();

    assert!(
        source["warning"]
            .as_str()
            .unwrap()
            .contains("1 documents are left out")
    );

    provider.server.clear_requests();
    provider.scan(&sandbox).expect(1);
    let again: Vec<String> = provider
        .server
        .requests()
        .into_iter()
        .map(|request| request.path)
        .filter(|path| path.ends_with("v-2026-1.json"))
        .collect();

    assert_eq!(
        again,
        Vec::<String>::new(),
        "what did not change is not fetched again"
    );
}

#[test]
fn an_index_or_a_feed_leads_to_documents_too() {
    let sandbox = sandbox();
    let provider = Provider::with_folder();
    provider.files.lock().unwrap().remove("/white/changes.csv");
    provider.put("/white/index.txt", "2026/v-2026-1.json\n");
    let report = provider.scan(&sandbox).expect(1).json();

    assert!(by_id(&report, "CVE-2026-1000").is_some());

    provider.metadata(json!([{"rolie": {"feeds": [
        {"summary": "all", "tlp_label": "WHITE", "url": provider.url("/feed.json")},
        {"summary": "few", "tlp_label": "RED", "url": provider.url("/red.json")},
    ]}}]));
    let entry = json!({
        "id": "V-2026-1",
        "updated": "2026-01-02T00:00:00Z",
        "link": [
            {"rel": "self", "href": provider.url("/white/2026/v-2026-1.json")},
            {"rel": "hash", "href": provider.url("/white/2026/v-2026-1.json.sha512")},
        ],
    });
    provider.put(
        "/feed.json",
        json!({"feed": {"entry": [entry]}}).to_string(),
    );

    // A hash that is listed has to be there.
    let report = provider.scan(&sandbox).expect(3).json();
    assert!(by_id(&report, "CVE-2026-1000").is_none());

    provider.put("/white/2026/v-2026-1.json.sha512", "0".repeat(128));
    let report = provider.scan(&sandbox).expect(3).json();
    let why = report["incomplete"].to_string();

    assert!(why.contains("does not have the hash"), "{why}");
}

#[test]
fn a_provider_that_misbehaves_is_named_and_makes_the_scan_incomplete() {
    type Change = fn(&Provider);

    let changes: [(&str, Change); 9] = [
        ("metadata 500", |p| {
            p.answer("/provider-metadata.json", Response::status(500));
        }),
        ("metadata garbage", |p| {
            p.put("/provider-metadata.json", "<html></html>");
        }),
        ("no distributions", |p| p.metadata(json!([]))),
        ("list 429", |p| {
            let late = Response::status(429).with_header("Retry-After", "86400");
            p.answer("/white/changes.csv", late);
        }),
        ("list garbage", |p| p.put("/white/changes.csv", "<html>\n")),
        ("list leads out", |p| {
            p.put(
                "/white/changes.csv",
                "../../etc/a.json,2026-01-01T00:00:00Z\n",
            );
        }),
        ("document gone", |p| {
            p.put(
                "/white/changes.csv",
                "2026/gone.json,2026-01-01T00:00:00Z\n",
            );
        }),
        ("document cut", |p| {
            let cut = Response::bytes(200, "application/json", new_finding().to_string());
            p.answer("/white/2026/v-2026-1.json", cut.cut_in_half());
        }),
        ("elsewhere without encryption", |p| {
            p.metadata(json!([{"directory_url": "http://other.invalid/white"}]));
        }),
    ];

    for (name, change) in changes {
        let sandbox = sandbox();
        let provider = Provider::with_folder();
        change(&provider);
        let report = provider.scan(&sandbox).expect(3).json();
        let incomplete = report["incomplete"].to_string();
        let host = provider.server.url().replace("http://", "");
        assert!(
            incomplete.contains(&host) || incomplete.contains("other.invalid"),
            "{name}: {incomplete}"
        );
        let sources = report["sources"].as_array().unwrap();
        let source = sources
            .iter()
            .find(|source| source["name"] == "csaf")
            .unwrap();

        assert!(source["warning"].is_string(), "{name}: {source}");
    }
}
