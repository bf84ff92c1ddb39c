//! VEX documents, read from files, directories and addresses, and written.

use patchgate_testkit::{HttpServer, Response, Tools, shared_dir};
use serde_json::{Value, json};

use crate::support::sandbox::{Run, Sandbox, texts};

/// The finding in `minimist` 1.2.5 of the npm example.
const FINDING: &str = "GHSA-xvch-5gv4-984h";
const CVE: &str = "CVE-2021-44906";
const PACKAGE: &str = "pkg:npm/minimist@1.2.5";

/// OpenVEX with these statements.
fn openvex(statements: &[Value]) -> String {
    json!({
        "@context": "https://openvex.dev/ns/v0.2.0",
        "@id": "https://vex.invalid/shop",
        "author": "Shop Team",
        "timestamp": "2026-01-02T03:04:05Z",
        "version": 1,
        "statements": statements,
    })
    .to_string()
}

fn statement(id: &str, product: &Value, status: &str) -> Value {
    json!({
        "vulnerability": {"name": id},
        "products": [product],
        "status": status,
        "justification": "vulnerable_code_not_in_execute_path",
        "action_statement": "update",
    })
}

fn fine() -> String {
    openvex(&[statement(CVE, &json!({"@id": PACKAGE}), "not_affected")])
}

/// The npm example with its store.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.example("npm-workspace");
    sandbox.build_store();
    sandbox
}

fn scan(sandbox: &Sandbox, more: &[&str]) -> Run {
    let mut arguments = vec!["scan", "--store", "store", "--max-age-days", "36500"];
    if !more.contains(&"--format") {
        arguments.extend(["--format", "json"]);
    }
    arguments.extend(more);
    arguments.push("repo");
    sandbox.run(&arguments)
}

fn write(sandbox: &Sandbox, name: &str, text: &str) {
    let path = sandbox.path(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

#[test]
fn a_statement_suppresses_its_finding_and_the_report_says_why() {
    let sandbox = sandbox();
    write(&sandbox, "fine.json", &fine());
    let before = scan(&sandbox, &[]).expect(1).json();
    let report = scan(&sandbox, &["--vex", "fine.json", "--offline"])
        .expect(1)
        .json();

    assert_eq!(
        report["summary"]["findings"].as_u64().unwrap() + 1,
        before["summary"]["findings"].as_u64().unwrap()
    );
    assert_eq!(report["summary"]["suppressed"], 1);
    assert!(!texts(&report["findings"], "id").contains(&FINDING.to_owned()));

    let suppressed = &report["suppressed"][0];
    for (key, expected) in [
        ("id", FINDING),
        ("status", "not_affected"),
        ("justification", "vulnerable_code_not_in_execute_path"),
        ("statement", "https://vex.invalid/shop"),
        ("author", "Shop Team"),
        ("timestamp", "2026-01-02T03:04:05Z"),
        ("source", "fine.json"),
    ] {
        assert_eq!(suppressed[key], expected, "{key}");
    }

    let sources = report["sources"].as_array().unwrap();
    let document = sources
        .iter()
        .find(|source| source["name"] == "vex")
        .unwrap();

    assert_eq!(document["origin"], "fine.json");
    assert_eq!(document["as_of"], "2026-01-02T03:04:05Z");
    assert_eq!(document["records"], 1);

    for (format, expected) in [
        ("table", "Suppressed by VEX (1)"),
        ("markdown", "### Suppressed by VEX"),
        ("sarif", "vulnerable_code_not_in_execute_path"),
    ] {
        let run = scan(&sandbox, &["--vex", "fine.json", "--format", format]).expect(1);
        assert!(run.stdout.contains(expected), "{format}: {}", run.stdout);
    }

    let sarif = scan(&sandbox, &["--vex", "fine.json", "--format", "sarif"])
        .expect(1)
        .json();
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    let result = results
        .iter()
        .find(|result| result["ruleId"] == FINDING)
        .unwrap();

    assert_eq!(result["suppressions"][0]["kind"], "external");
    assert_eq!(result["suppressions"][0]["status"], "accepted");
}

#[test]
fn all_findings_suppressed_is_a_clean_scan() {
    let sandbox = sandbox();
    let report = scan(&sandbox, &[]).expect(1).json();
    let statements: Vec<Value> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| {
            statement(
                finding["id"].as_str().unwrap(),
                &json!({"@id": finding["package"]["purl"]}),
                "not_affected",
            )
        })
        .collect();
    write(&sandbox, "all.json", &openvex(&statements));
    let report = scan(&sandbox, &["--vex", "all.json"]).expect(0).json();

    assert_eq!(report["summary"]["findings"], 0);
    assert_eq!(report["summary"]["suppressed"], statements.len());
}

#[test]
fn every_document_in_a_directory_is_read_in_a_fixed_order() {
    let sandbox = sandbox();
    write(&sandbox, "vex/b/fine.json", &fine());
    let bad = openvex(&[statement(CVE, &json!({"@id": PACKAGE}), "affected")]);

    write(&sandbox, "vex/notes.txt", "no document");
    let report = scan(&sandbox, &["--vex", "vex"]).expect(1).json();

    assert_eq!(texts(&report["suppressed"], "source"), ["vex/b/fine.json"]);

    // Another document in the directory says at the same time that it is affected.
    write(&sandbox, "vex/a.json", &bad);
    let report = scan(&sandbox, &["--vex", "vex"]).expect(1).json();

    assert_eq!(report["summary"]["suppressed"], 0);

    write(&sandbox, "empty/notes.txt", "no document");
    let report = scan(&sandbox, &["--vex", "empty"]).expect(3).json();

    assert_eq!(texts(&report["incomplete"], "kind"), ["vex"]);
}

#[test]
fn an_unreadable_document_makes_the_scan_incomplete() {
    let sandbox = sandbox();
    let whole = fine();

    for (name, text) in [
        ("cut", &whole[..whole.len() / 2]),
        ("empty", ""),
        ("garbage", "not a document"),
        ("html", "<html><body>sign in</body></html>"),
        ("other", "{\"name\": \"shop\"}"),
        ("list", "[]"),
        ("word", &whole.replace("not_affected", "perhaps_affected")),
        ("newer", &whole.replace("v0.2.0", "v9.0.0")),
    ] {
        write(&sandbox, "vex.json", text);
        let report = scan(&sandbox, &["--vex", "vex.json"]).expect(3).json();
        assert_eq!(
            texts(&report["incomplete"], "subject"),
            ["vex.json"],
            "{name}"
        );
        assert_eq!(report["summary"]["suppressed"], 0, "{name}");
        let sources = report["sources"].as_array().unwrap();
        let source = sources
            .iter()
            .find(|source| source["name"] == "vex")
            .unwrap();
        assert!(source["warning"].is_string(), "{name}");
    }
}

#[test]
fn a_missing_document_or_a_forbidden_address_is_wrong_usage() {
    let sandbox = sandbox();
    let run = scan(&sandbox, &["--vex", "nowhere.json"]).expect(2);

    assert!(run.stderr.contains("`nowhere.json`"), "{}", run.stderr);

    let run = scan(
        &sandbox,
        &["--vex", "https://me:pw@vex.invalid/a", "--offline"],
    )
    .expect(2);
    assert!(run.stderr.contains("`--offline`"), "{}", run.stderr);
    assert!(!run.stderr.contains("pw@"), "{}", run.stderr);

    for source in ["http://vex.invalid/a.json", "../fine.json", "/fine.json"] {
        write(&sandbox, "fine.json", &fine());
        sandbox.write(
            ".patchgate.yml",
            format!("vex:\n  sources: [\"{source}\"]\n"),
        );
        let run = scan(&sandbox, &[]).expect(2);
        assert!(
            run.stderr.contains("vex.sources"),
            "{source}: {}",
            run.stderr
        );
    }
}

fn scan_address(answer: impl Fn() -> Response + Send + Sync + 'static) -> (HttpServer, Run) {
    let sandbox = sandbox();
    let server = HttpServer::start(move |_| answer());
    let address = format!("{}/vex.json?token=hunter2", server.url());
    let run = scan(&sandbox, &["--vex", &address]);
    (server, run)
}

#[test]
fn a_document_at_an_address_counts_and_no_secret_of_the_address_is_printed() {
    let (_server, run) = scan_address(|| Response::bytes(200, "application/json", fine()));
    let report = run.expect(1).json();
    assert_eq!(report["summary"]["suppressed"], 1);
    assert!(!report.to_string().contains("hunter2"));
}

#[test]
fn a_server_that_misbehaves_is_named_and_makes_the_scan_incomplete() {
    type Answer = fn() -> Response;

    let answers: [(&str, Answer); 5] = [
        ("500", || Response::status(500)),
        ("429", || {
            Response::status(429).with_header("Retry-After", "86400")
        }),
        ("404", || Response::status(404)),
        ("half", || {
            Response::bytes(200, "application/json", fine()).cut_in_half()
        }),
        ("garbage", || {
            Response::bytes(200, "text/html", "<html></html>")
        }),
    ];

    for (name, answer) in answers {
        let (server, run) = scan_address(answer);
        let report = run.expect(3).json();
        let host = server.url().replace("http://", "");
        let incomplete = report["incomplete"].to_string();
        assert!(incomplete.contains(&host), "{name}: {incomplete}");
        assert!(!report.to_string().contains("hunter2"), "{name}");
        assert_eq!(report["summary"]["suppressed"], 0, "{name}");
    }
}

#[test]
fn the_settings_name_documents_and_products() {
    let sandbox = sandbox();
    let part = json!({
        "@id": "pkg:oci/shop@1.4.0",
        "subcomponents": [{"@id": PACKAGE}],
    });
    sandbox.write(
        ".vex/shop.openvex.json",
        openvex(&[statement(CVE, &part, "not_affected")]),
    );
    sandbox.write(".patchgate.yml", "vex:\n  sources: [.vex]\n");
    let report = scan(&sandbox, &[]).expect(1).json();

    assert_eq!(report["summary"]["suppressed"], 0);

    let notice = report["vex_notices"][0]["text"].as_str().unwrap();
    assert!(notice.contains("`pkg:oci/shop@1.4.0`"), "{notice}");

    let report = scan(&sandbox, &["--vex-product", "pkg:oci/shop@1.4.0"])
        .expect(1)
        .json();
    assert_eq!(report["summary"]["suppressed"], 1);

    sandbox.write(
        ".patchgate.yml",
        "vex:\n  sources: [.vex]\n  products: [\"pkg:oci/shop@1.4.0\"]\n",
    );
    let report = scan(&sandbox, &[]).expect(1).json();

    assert_eq!(
        texts(&report["suppressed"], "source"),
        [".vex/shop.openvex.json"]
    );
}

#[test]
fn an_old_document_is_warned_about() {
    let sandbox = sandbox();
    write(
        &sandbox,
        "old.json",
        &fine().replace("2026-01-02", "2020-01-02"),
    );
    let report = scan(&sandbox, &["--vex", "old.json"]).expect(1).json();

    assert_eq!(report["summary"]["suppressed"], 1);

    let sources = report["sources"].as_array().unwrap();
    let source = sources
        .iter()
        .find(|source| source["name"] == "vex")
        .unwrap();

    assert_eq!(source["warning"], "is older than 365 days");
}

#[test]
fn a_suppressed_finding_is_not_fixed() {
    let sandbox = sandbox();
    let ids = |more: &[&str]| {
        let mut arguments = vec!["scan", "--store", "store", "--offline", "--format", "json"];
        arguments.extend(more);
        arguments.push("repo");
        texts(&sandbox.run(&arguments).json()["findings"], "id")
    };
    write(&sandbox, "fine.json", &fine());

    assert!(ids(&[]).contains(&FINDING.to_owned()));
    assert!(!ids(&["--vex", "fine.json"]).contains(&FINDING.to_owned()));

    let names_it = |more: &[&str]| {
        let run = sandbox.offline("fix", &[&["--format", "json", "repo"], more].concat());
        let report = run.json();
        let reported = format!("{}{}", report["upgrades"], report["unfixed"]);
        reported.contains("minimist")
    };
    assert!(names_it(&[]));
    assert!(!names_it(&["--vex", "fine.json"]));
}

#[test]
fn a_path_in_the_settings_does_not_leave_the_repository_through_a_link() {
    let sandbox = sandbox();
    std::fs::create_dir_all(sandbox.path("elsewhere")).unwrap();
    write(&sandbox, "elsewhere/fine.json", &fine());
    std::os::unix::fs::symlink(sandbox.path("elsewhere"), sandbox.path("repo/link")).unwrap();

    for source in ["link", "link/fine.json"] {
        sandbox.write(
            ".patchgate.yml",
            format!("vex: {{ sources: [{source}] }}\n"),
        );
        let run = sandbox.offline("scan", &["repo"]).expect(2);

        assert!(
            run.stderr.contains("leads out of the repository"),
            "{}",
            run.stderr
        );
    }
}

/// Ignores one finding for a while, one of them as harmless, and suppresses a third.
fn judged() -> Sandbox {
    let sandbox = sandbox();
    sandbox.write(
        ".patchgate.yml",
        "vex: { author: shop@example.invalid }\nignore:\n\
         \x20 - { id: GHSA-jpcq-cgw6-v4j6, reason: not yet, until: 2999-01-01 }\n\
         \x20 - { id: GHSA-rrrm-qjm4-v8hf, reason: own patterns, until: 2999-01-01, justification: vulnerable_code_cannot_be_controlled_by_adversary }\n",
    );
    write(&sandbox, "fine.json", &fine());

    sandbox
}

fn statuses(document: &Value) -> Vec<(String, String)> {
    let statements = document["statements"].as_array().unwrap();
    statements
        .iter()
        .map(|statement| {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            (
                text(&statement["vulnerability"]["name"]),
                text(&statement["status"]),
            )
        })
        .collect()
}

#[test]
fn the_result_is_written_as_openvex_and_read_back() {
    let sandbox = judged();
    let before = scan(&sandbox, &["--vex", "fine.json"]).expect(1).json();
    let ignored = texts(&before["ignored"], "id");

    assert_eq!(ignored.len(), 2, "{ignored:?}");

    let written = scan(&sandbox, &["--vex", "fine.json", "--format", "openvex"]).expect(1);
    let document = written.json();

    assert_eq!(document["author"], "shop@example.invalid");

    let all = statuses(&document);
    assert_eq!(
        all.len(),
        before["findings"].as_array().unwrap().len() + ignored.len() + 1
    );
    for (id, expected) in [
        (FINDING, "not_affected"),
        ("GHSA-jpcq-cgw6-v4j6", "affected"),
        ("GHSA-rrrm-qjm4-v8hf", "not_affected"),
    ] {
        assert!(
            all.contains(&(id.to_owned(), expected.to_owned())),
            "{id}: {all:?}"
        );
    }

    let open = all
        .iter()
        .filter(|(_, status)| status == "under_investigation");
    assert_eq!(open.count(), before["findings"].as_array().unwrap().len());

    let passed_on = document["statements"]
        .as_array()
        .unwrap()
        .iter()
        .find(|statement| statement["vulnerability"]["name"] == FINDING)
        .unwrap();
    assert_eq!(
        passed_on["justification"],
        "vulnerable_code_not_in_execute_path"
    );
    assert_eq!(passed_on["timestamp"], "2026-01-02T03:04:05Z");
    assert_eq!(passed_on["products"][0]["@id"], PACKAGE);

    if let Some(shared) = shared_dir() {
        assert_valid(&shared.join("schemas/openvex.schema.json"), &document);
    }

    assert_read_back(&sandbox, &written.stdout, "own.openvex.json");
}

#[test]
fn the_result_is_written_as_cyclonedx_and_read_back() {
    let sandbox = judged();
    let written = scan(
        &sandbox,
        &["--vex", "fine.json", "--format", "cyclonedx-vex"],
    )
    .expect(1);
    let again = scan(
        &sandbox,
        &["--vex", "fine.json", "--format", "cyclonedx-vex"],
    )
    .expect(1);
    let without_time = |run: &Run| {
        let mut document = run.json();
        document["metadata"]["timestamp"] = Value::Null;
        document
    };

    assert_eq!(without_time(&written), without_time(&again));
    assert_cyclonedx(&sandbox, &written.stdout);

    // A document in the repository is not an inventory.
    sandbox.write("own.vex.json", &written.stdout);
    let packages = |report: &Value| report["summary"]["packages"].clone();
    std::fs::remove_file(sandbox.path("repo/own.vex.json")).unwrap();
    let before = scan(&sandbox, &[]).expect(1).json();

    sandbox.write("own.vex.json", &written.stdout);
    let with = scan(&sandbox, &[]).expect(1).json();

    assert_eq!(packages(&before), packages(&with));
    assert_eq!(
        before["findings"][0]["locations"],
        with["findings"][0]["locations"]
    );
    assert_read_back(&sandbox, &written.stdout, "own.vex.cdx.json");
}

/// Without settings, the document suppresses the findings that it declares harmless, and no others.
#[track_caller]
fn assert_read_back(sandbox: &Sandbox, text: &str, name: &str) {
    std::fs::remove_file(sandbox.path("repo/.patchgate.yml")).unwrap();
    write(sandbox, name, text);
    let report = scan(sandbox, &["--vex", name]).expect(1).json();
    let mut ids = texts(&report["suppressed"], "id");
    ids.sort();

    assert_eq!(ids, ["GHSA-rrrm-qjm4-v8hf", FINDING]);

    let mut words = texts(&report["suppressed"], "justification");
    words.sort();

    assert_eq!(
        words,
        [
            "vulnerable_code_cannot_be_controlled_by_adversary",
            "vulnerable_code_not_in_execute_path"
        ]
    );
}

#[test]
fn a_written_statement_about_a_product_applies_within_it() {
    let sandbox = judged();
    let product = ["--vex-product", "pkg:oci/shop@1.4.0"];
    for (format, name) in [("openvex", "a.json"), ("cyclonedx-vex", "b.json")] {
        let written = scan(
            &sandbox,
            &[&["--vex", "fine.json", "--format", format], &product[..]].concat(),
        )
        .expect(1);
        if format == "cyclonedx-vex" {
            assert_cyclonedx(&sandbox, &written.stdout);
        }

        write(&sandbox, name, &written.stdout);
        let alone = scan(&sandbox, &["--vex", name]).expect(1).json();

        assert_eq!(alone["summary"]["suppressed"], 0, "{format}");

        let within = scan(&sandbox, &[&["--vex", name], &product[..]].concat())
            .expect(1)
            .json();
        assert_eq!(texts(&within["suppressed"], "id"), [FINDING], "{format}");
    }

    let two = scan(
        &sandbox,
        &[
            "--format",
            "cyclonedx-vex",
            "--vex-product",
            "pkg:oci/a@1",
            "--vex-product",
            "pkg:oci/b@1",
        ],
    )
    .expect(2);
    assert!(two.stderr.contains("one product"), "{}", two.stderr);
}

#[track_caller]
fn assert_valid(schema: &std::path::Path, document: &Value) {
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(schema).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(document)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert_eq!(errors, Vec::<String>::new());
}

/// Checks a document with the validator of CycloneDX.
#[track_caller]
fn assert_cyclonedx(sandbox: &Sandbox, text: &str) {
    let Some(tools) = Tools::installed() else {
        return;
    };

    write(sandbox, "check/own.1.6.cdx.json", text);
    let script = crate::support::sandbox::root().join("crates/sbom/tests/documents/validate.py");
    let output = std::process::Command::new(tools.python_program("python3"))
        .arg(script)
        .arg(sandbox.path("check"))
        .output()
        .unwrap();

    assert!(output.status.success(), "{output:?}");
}
