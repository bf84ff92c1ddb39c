//! Estimates from end to end: what a scan shows of them, and the training of the models.

use patchgate_testkit::shared_dir;
use serde_json::{Value, json};

use crate::support::sandbox::{Sandbox, root};

const LOCK: &str = r#"{
  "name": "app", "version": "1.0.0", "lockfileVersion": 3,
  "packages": {
    "": { "name": "app", "version": "1.0.0", "dependencies": { "left": "1.0.0" } },
    "node_modules/left": { "version": "1.0.0", "resolved": "https://packages.invalid/left.tgz" }
  }
}
"#;

const DETAILS: &str = "### Impact\nA remote code execution vulnerability: an authenticated attacker can upload a \
    crafted file and execute arbitrary commands on the server.\n\n### Workarounds\nDisable the upload \
    endpoint.\n\n### References\nA commit.";

/// A record without a severity and without a weakness.
fn record(id: &str) -> Value {
    json!({
        "id": id, "modified": "2026-01-01T00:00:00Z", "published": "2026-01-01T00:00:00Z",
        "summary": "Remote code execution through file upload", "details": DETAILS,
        "affected": [{
            "package": { "ecosystem": "npm", "name": "left" },
            "ranges": [{ "type": "SEMVER", "events": [{ "introduced": "0" }, { "fixed": "1.0.1" }] }]
        }]
    })
}

fn sandbox(id: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("package-lock.json", LOCK);
    let records = sandbox.path("records");
    std::fs::create_dir_all(&records).unwrap();
    std::fs::write(records.join("one.json"), record(id).to_string()).unwrap();
    sandbox.build_store_of_records();
    sandbox
}

#[test]
fn a_missing_severity_is_estimated_and_stays_unknown() {
    let sandbox = sandbox("GHSA-aaaa-bbbb-cccc");
    let report = sandbox
        .offline("scan", &["--format", "json", "repo"])
        .expect(1)
        .json();
    let finding = &report["findings"][0];
    assert_eq!(finding["severity"], "unknown");
    assert_eq!(finding["cvss"], Value::Null);
    let estimate = &finding["decision"]["estimate"];
    let number = |field: &str| estimate[field].as_f64().unwrap();
    assert!(number("low") < number("score") && number("score") < number("high"));
    assert!(number("score") >= 7.0, "{estimate}");
    let guesses = finding["decision"]["weakness"]["guesses"].as_array();
    assert_eq!(guesses.unwrap().len(), 3);

    let run = sandbox.offline("scan", &["repo"]).expect(1);
    let shown = format!("({:.1} to {:.1})", number("low"), number("high"));
    assert!(run.stdout.contains("estimated "), "{}", run.stdout);
    let words: Vec<&str> = run.stdout.split_whitespace().collect();
    assert!(words.join(" ").contains(&shown), "{}", run.stdout);
}

#[test]
fn a_database_for_which_the_model_is_not_good_enough_gets_no_estimate() {
    for id in ["RUSTSEC-2026-0001", "ACME-1"] {
        let report = sandbox(id)
            .offline("scan", &["--format", "json", "repo"])
            .expect(1)
            .json();
        let decision = &report["findings"][0]["decision"];
        assert_eq!(decision["estimate"], Value::Null, "{id}");
    }
}

#[test]
fn explain_quotes_sentences_and_says_what_suppresses_a_finding() {
    let sandbox = sandbox("GHSA-aaaa-bbbb-cccc");
    let ask = ["GHSA-aaaa-bbbb-cccc", "repo"];
    let text = sandbox.offline("explain", &ask).expect(1).stdout;
    assert!(text.contains("“Disable the upload endpoint.”"), "{text}");
    assert!(text.contains("No record states a severity"), "{text}");

    sandbox.write(
        ".patchgate.yml",
        "ignore:\n  - { id: GHSA-aaaa-bbbb-cccc, reason: not reachable, until: 2099-01-01 }\n",
    );
    let json = [&ask[..], &["--format", "json"]].concat();
    let report = sandbox.offline("explain", &json).expect(1).json();
    let kinds: Vec<&str> = report["records"][0]["passages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["precondition", "workaround"]);
    let suppressed = &report["decisions"][0]["suppressed"];
    assert_eq!(suppressed, "ignored until 2099-01-01, not reachable");
    let text = sandbox.offline("explain", &ask).expect(1).stdout;
    assert!(text.contains("Decision: suppressed, else"), "{text}");
}

#[test]
fn an_organisation_trains_on_its_own_records_and_a_bad_model_is_refused() {
    let sandbox = sandbox("ACME-1");
    let mut lines = String::new();
    for number in 0..40 {
        let mut one = record(&format!("ACME-{number}"));
        one["published"] = format!("2023-{:02}-01T00:00:00Z", number % 12 + 1).into();
        one["severity"] = json!([{
            "type": "CVSS_V3",
            "score": match number % 2 {
                0 => "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
                _ => "CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N",
            }
        }]);
        lines.push_str(&format!("{one}\n"));
    }
    std::fs::write(sandbox.path("own.jsonl"), &lines).unwrap();

    let train = |output: &str| {
        let run = sandbox.run(&[
            "train",
            "severity",
            "--input",
            "own.jsonl",
            "--output",
            output,
            "--split",
            "2023-07-01",
            "--card",
            "card.md",
        ]);
        run.expect(0).stdout
    };
    let table = train("one.bin");
    assert!(table.contains("no: too few"), "{table}");
    train("two.bin");
    let bytes = std::fs::read(sandbox.path("one.bin")).unwrap();
    assert_eq!(bytes, std::fs::read(sandbox.path("two.bin")).unwrap());
    let card = std::fs::read_to_string(sandbox.path("card.md")).unwrap();
    assert!(card.contains("| ACME | "), "{card}");

    let scan = |model: &str| sandbox.offline("scan", &["--severity-model", model, "repo"]);
    scan("one.bin").expect(1);
    std::fs::write(sandbox.path("cut.bin"), &bytes[..bytes.len() - 1]).unwrap();
    for (model, reason) in [
        ("cut.bin", "damaged"),
        ("own.jsonl", "not a model"),
        ("no.bin", "cannot read"),
    ] {
        let run = scan(model).expect(2);
        assert!(run.stderr.contains(reason), "{}", run.stderr);
        assert!(run.stderr.contains(model), "{}", run.stderr);
    }

    let cut = lines.len() - 9;
    std::fs::write(sandbox.path("own.jsonl"), &lines[..cut]).unwrap();
    let run = sandbox.run(&[
        "train",
        "severity",
        "--input",
        "own.jsonl",
        "--output",
        "x.bin",
    ]);
    assert_ne!(run.code, 0);
    assert!(run.stderr.contains("own.jsonl"), "{}", run.stderr);
}

/// The models of the repository are what their commands write from the shared data.
#[test]
fn the_models_are_rebuilt_bit_for_bit() {
    let Some(shared) = shared_dir() else {
        return;
    };
    let models = root().join("crates/estimate/models");
    for name in ["severity", "weakness"] {
        let sandbox = Sandbox::new();
        let mut inputs = vec![shared.join("training/vulnrichment_min.jsonl.gz")];
        for ecosystem in ["crates.io", "Go", "PyPI", "npm", "Maven", "NuGet"] {
            inputs.push(shared.join("advisories").join(ecosystem).join("all.zip"));
        }
        let inputs: Vec<String> = inputs
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        let mut arguments = vec!["train", name, "--output", "model", "--card", "card.md"];
        for input in &inputs {
            arguments.extend(["--input", input]);
        }
        sandbox.run(&arguments).expect(0);

        let built = std::fs::read(sandbox.path("model")).unwrap();
        assert!(built == std::fs::read(models.join(format!("{name}.bin"))).unwrap());
        let card = std::fs::read_to_string(sandbox.path("card.md")).unwrap();
        let kept = std::fs::read_to_string(models.join(format!("{name}.md"))).unwrap();
        assert_eq!(card, kept);
    }
}
