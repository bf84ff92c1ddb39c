//! `patchgate audit`, and the records of `scan` and `gate`.

use std::process::Command;

use patchgate_testkit::Tools;
use serde_json::{Value, json};

use crate::support::sandbox::{Run, Sandbox};

const ORIGIN: &str = "ledger.example/acme";

/// Creates the ledger `ledger` with the private key in `secret`.
pub(crate) fn init(sandbox: &Sandbox) -> String {
    let run = sandbox
        .run(&[
            "audit",
            "init",
            "--ledger",
            "ledger",
            "--origin",
            ORIGIN,
            "--key-file",
            "secret",
        ])
        .expect(0);
    let key = run
        .stdout
        .lines()
        .find_map(|line| line.strip_prefix("public key: "));
    key.unwrap().to_owned()
}

pub(crate) fn audit(sandbox: &Sandbox, command: &str, more: &[&str]) -> Run {
    sandbox.run(&[&["audit", command, "--ledger", "ledger"], more].concat())
}

/// The records of an export, each with `index` and `event`.
pub(crate) fn exported(sandbox: &Sandbox) -> Vec<Value> {
    let export = audit(sandbox, "export", &["--format", "json"])
        .expect(0)
        .json();
    export["records"].as_array().unwrap().clone()
}

/// The flags that record a run.
pub(crate) const RECORDED: [&str; 4] = ["--ledger", "ledger", "--ledger-key", "secret"];

/// A ledger with three scans of the Cargo example.
fn scanned() -> (Sandbox, String) {
    let sandbox = Sandbox::new();
    sandbox.example("cargo-service");
    sandbox.build_store();
    let key = init(&sandbox);
    for _ in 0..3 {
        sandbox
            .offline("scan", &[&RECORDED[..], &["repo"]].concat())
            .expect(1);
    }
    (sandbox, key)
}

#[test]
fn scans_are_recorded_checked_and_shown() {
    let (sandbox, key) = scanned();
    let run = audit(&sandbox, "verify", &["--key", &key]).expect(0);
    assert!(
        run.stdout
            .starts_with("verified: 3 records of `ledger.example/acme`, root "),
        "{run:?}"
    );
    assert_eq!(run.stderr, "");
    let run = audit(&sandbox, "verify", &[]).expect(0);
    assert!(
        run.stderr.contains("the key that the ledger names itself"),
        "{run:?}"
    );

    let records = exported(&sandbox);
    let event = &records[2]["event"];
    assert_eq!(event["type"], "dev.patchgate.scan.v1");
    assert_eq!(event["data"]["what"]["result"], "findings");
    assert_eq!(event["data"]["who"], json!({"kind": "unknown"}));
    let inputs = event["data"]["inputs"].as_array().unwrap();
    assert!(
        inputs.iter().any(|input| input["name"] == "Cargo.lock"),
        "{inputs:?}"
    );

    let shown = audit(&sandbox, "show", &["--last", "2", "--kind", "scan"]).expect(0);
    assert_eq!(shown.stdout.lines().count(), 3, "{}", shown.stdout);
    assert!(
        audit(&sandbox, "show", &["--kind", "merge"])
            .expect(0)
            .stdout
            .is_empty()
    );

    let csv = audit(&sandbox, "export", &["--format", "csv"])
        .expect(0)
        .stdout;
    assert_eq!(csv.matches("\r\n").count(), 4, "{csv}");
    let html = audit(&sandbox, "export", &["--format", "html"])
        .expect(0)
        .stdout;
    assert_eq!(html.matches("<tr>").count(), 4, "{html}");
    let markdown = audit(&sandbox, "export", &["--format", "markdown"])
        .expect(0)
        .stdout;
    assert!(markdown.contains("\n| 2 | "), "{markdown}");
}

#[test]
fn the_statement_of_a_scan_names_its_findings() {
    let (sandbox, _) = scanned();
    let records = exported(&sandbox);
    let statement = &records[0]["event"]["data"]["statement"];
    assert_eq!(
        statement["predicateType"],
        "https://in-toto.io/attestation/vulns/v0.1"
    );
    let path = format!(
        "ledger/statements/{}.json",
        statement["sha256"].as_str().unwrap()
    );
    let envelope: Value = serde_json::from_str(&text(&sandbox, &path)).unwrap();
    assert_eq!(envelope["payloadType"], "application/vnd.in-toto+json");

    // Without the file, the record is not whole.
    std::fs::remove_file(sandbox.path(&path)).unwrap();
    let run = audit(&sandbox, "verify", &[]).expect(1);
    assert!(run.stderr.contains(".json` is missing"), "{run:?}");
}

#[test]
fn a_changed_ledger_is_1_and_an_unreadable_one_is_3() {
    let (sandbox, key) = scanned();
    let path = "ledger/tile/entries/000.p/3";
    let entries = std::fs::read(sandbox.path(path)).unwrap();
    let mut changed = entries.clone();
    changed[40] ^= 1;
    std::fs::write(sandbox.path(path), &changed).unwrap();
    let run = audit(&sandbox, "verify", &["--key", &key]).expect(1);
    assert!(
        run.stderr
            .contains("error: `ledger/tile/entries/000.p/3` is not what its hashes say\n"),
        "{run:?}"
    );
    assert!(run.stderr.contains("\nhint: "), "{run:?}");
    // Nothing is appended to it.
    let run = sandbox
        .offline("scan", &[&RECORDED[..], &["repo"]].concat())
        .expect(3);
    assert!(run.stderr.contains("is not what its hashes say"), "{run:?}");
    audit(&sandbox, "prove", &["0", "-o", "proof"]).expect(1);
    std::fs::write(sandbox.path(path), &entries).unwrap();
    audit(&sandbox, "verify", &["--key", &key]).expect(0);

    let run = sandbox
        .run(&["audit", "verify", "--ledger", "absent"])
        .expect(3);
    assert_eq!(
        run.stderr,
        "error: `absent` is not a ledger: it has no `checkpoint`\nhint: `patchgate audit init` creates a ledger\n"
    );
    let run = audit(&sandbox, "verify", &["--key", "absent"]).expect(2);
    assert!(run.stderr.contains("`absent` cannot be read"), "{run:?}");

    let other = key.replace("acme", "other");
    let run = audit(&sandbox, "verify", &["--key", &other]).expect(2);
    assert!(run.stderr.contains("its id does not fit"), "{run:?}");
}

#[test]
fn a_log_that_does_not_continue_an_earlier_copy_is_1() {
    let (sandbox, key) = scanned();
    std::fs::copy(sandbox.path("ledger/checkpoint"), sandbox.path("earlier")).unwrap();
    sandbox
        .offline("scan", &[&RECORDED[..], &["repo"]].concat())
        .expect(1);
    let since = ["--key", key.as_str(), "--since", "earlier"];
    let run = audit(&sandbox, "verify", &since).expect(0);
    assert!(
        run.stdout.contains("continues the checkpoint of 3 records"),
        "{run:?}"
    );

    // The holder of the key writes another history.
    std::fs::remove_dir_all(sandbox.path("ledger")).unwrap();
    sandbox
        .run(&[
            "audit",
            "init",
            "--ledger",
            "ledger",
            "--with-key",
            "secret",
        ])
        .expect(0);
    for _ in 0..4 {
        sandbox
            .offline("scan", &[&RECORDED[..], &["repo"]].concat())
            .expect(1);
    }
    audit(&sandbox, "verify", &["--key", &key]).expect(0);
    let run = audit(&sandbox, "verify", &since).expect(1);
    assert!(
        run.stderr
            .contains("does not continue the earlier one of 3 records"),
        "{run:?}"
    );
}

#[test]
fn the_private_key_is_private_and_never_printed() {
    use std::os::unix::fs::PermissionsExt as _;

    let (mut sandbox, _) = scanned();
    let secret = text(&sandbox, "secret");
    let secret = secret.trim();
    let mode = std::fs::metadata(sandbox.path("secret"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);

    // A key is never replaced.
    let again = [
        "audit",
        "init",
        "--ledger",
        "other",
        "--origin",
        ORIGIN,
        "--key-file",
        "secret",
    ];
    sandbox.run(&again).expect(2);
    audit(&sandbox, "init", &["--with-key", "secret"]).expect(3);

    sandbox.set("PATCHGATE_LEDGER_KEY", format!("{secret}x"));
    let broken = sandbox
        .offline("scan", &["--ledger", "ledger", "repo"])
        .expect(2);
    assert!(
        broken
            .stderr
            .starts_with("error: `PATCHGATE_LEDGER_KEY` is not a key: "),
        "{broken:?}"
    );
    sandbox.set("PATCHGATE_LEDGER_KEY", secret);
    let right = sandbox
        .offline("scan", &["-vvv", "--ledger", "ledger", "repo"])
        .expect(1);
    // The last of five parts; base64 may have a plus sign too.
    let bytes = secret.splitn(5, '+').last().unwrap();
    for run in [&broken, &right] {
        assert!(!format!("{run:?}").contains(bytes), "{run:?}");
    }
    sandbox.set("PATCHGATE_LEDGER_KEY", "");
    let run = sandbox
        .offline("scan", &["--ledger", "ledger", "repo"])
        .expect(2);
    assert!(
        run.stderr.contains("there is no key for the ledger"),
        "{run:?}"
    );
}

#[test]
fn a_proof_needs_nothing_but_the_key() {
    let (sandbox, key) = scanned();
    let flags = ["1", "-o", "1.tlog-proof", "--record-output", "1.json"];
    audit(&sandbox, "prove", &flags).expect(0);
    let proof = text(&sandbox, "1.tlog-proof");
    assert!(
        proof.starts_with("c2sp.org/tlog-proof@v1\nindex 1\n"),
        "{proof}"
    );
    assert!(proof.len() < 1024, "{proof}");
    let record: Value = serde_json::from_str(&text(&sandbox, "1.json")).unwrap();
    let by_id = ["prove", record["id"].as_str().unwrap(), "-o", "by-id"];
    audit(&sandbox, by_id[0], &by_id[1..]).expect(0);
    assert_eq!(text(&sandbox, "by-id"), proof);
    audit(&sandbox, "prove", &["3", "-o", "proof"]).expect(2);

    verified_by_go(&sandbox, &key);
}

/// Go's own verifier, which nobody here wrote, checks the proof and refuses another record.
fn verified_by_go(sandbox: &Sandbox, key: &str) {
    let Some(program) = Tools::installed().and_then(|tools| tools.tlog_verify()) else {
        return;
    };
    let verify = |record: &str| {
        let mut command = Command::new(&program);
        command
            .args([key, "1.tlog-proof", record])
            .current_dir(sandbox.path(""));
        command.output().unwrap()
    };
    let right = verify("1.json");
    assert!(right.status.success(), "{right:?}");

    let mut record = std::fs::read(sandbox.path("1.json")).unwrap();
    record[10] ^= 1;
    std::fs::write(sandbox.path("altered.json"), record).unwrap();
    let wrong = verify("altered.json");
    assert_eq!(wrong.status.code(), Some(1), "{wrong:?}");
    assert!(
        String::from_utf8_lossy(&wrong.stderr).contains("proof"),
        "{wrong:?}"
    );
}

/// A file of the sandbox.
fn text(sandbox: &Sandbox, name: &str) -> String {
    std::fs::read_to_string(sandbox.path(name)).unwrap()
}

#[test]
fn a_branch_of_a_repository_is_a_ledger() {
    let sandbox = Sandbox::new();
    sandbox.example("cargo-service");
    sandbox.build_store();
    let bare = Command::new("git")
        .args(["init", "--quiet", "--bare"])
        .arg(sandbox.path("bare"))
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .unwrap();
    assert!(bare.status.success(), "{bare:?}");

    let place = ["--ledger", "git:bare"];
    let new = ["--origin", ORIGIN, "--key-file", "secret"];
    sandbox
        .run(&[&["audit", "init"], &place[..], &new].concat())
        .expect(0);
    let record = ["--ledger-key", "secret", "repo"];
    sandbox
        .offline("scan", &[&place[..], &record].concat())
        .expect(1);
    let run = sandbox
        .run(&[&["audit", "verify"], &place[..]].concat())
        .expect(0);
    assert!(run.stdout.starts_with("verified: 1 records"), "{run:?}");
    let run = sandbox
        .run(&["audit", "verify", "--ledger", "git:repo"])
        .expect(3);
    assert!(run.stderr.contains("cannot be read: git: "), "{run:?}");
}
