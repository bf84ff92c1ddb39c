//! `patchgate fix` of manifests that no lockfile pins.

use crate::fix::examples::fix;
use crate::support::sandbox::Sandbox;

fn sandbox_with(path: &str, manifest: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.build_store();
    sandbox.write(path, manifest);
    sandbox
}

fn read(sandbox: &Sandbox, name: &str) -> String {
    std::fs::read_to_string(sandbox.path(name)).unwrap()
}

/// Every version of jquery below 2 is affected by two advisories, and the fixed version is above them.
#[test]
fn a_requirement_of_which_every_version_is_affected_is_raised() {
    let manifest = "{\n  \"dependencies\": {\n    \"jquery\": \"^1.12.0\",\n    \"left-pad\": \"^1.0.0\"\n  }\n}\n";
    let sandbox = sandbox_with("web/package.json", manifest);
    let run = fix(&sandbox, "--apply").expect(0);

    assert!(run.stdout.contains("^1.12.0 -> ^3.5.0"), "{}", run.stdout);
    assert_eq!(
        read(&sandbox, "repo/web/package.json"),
        manifest.replace("^1.12.0", "^3.5.0")
    );
    let scan = sandbox
        .offline("scan", &["--format", "json", "repo"])
        .expect(0)
        .json();
    assert_eq!(scan["findings"].as_array().unwrap().len(), 0);
    assert_eq!(scan["possible"].as_array().unwrap().len(), 0);
}

#[test]
fn a_requirement_that_also_admits_unaffected_versions_is_raised_on_request() {
    let manifest = "[package]\nname = \"app\"\n\n[dependencies]\nsmallvec = \"1\"\n";
    let sandbox = sandbox_with("Cargo.toml", manifest);
    fix(&sandbox, "--apply").expect(0);
    assert_eq!(read(&sandbox, "repo/Cargo.toml"), manifest);

    sandbox.write(".patchgate.yml", "thresholds: { possible: true }\n");
    fix(&sandbox, "--apply").expect(0);
    assert_eq!(
        read(&sandbox, "repo/Cargo.toml"),
        manifest.replace("\"1\"", "\"1.6.1\"")
    );
}

#[test]
fn a_requirement_without_versions_is_left_and_the_run_is_incomplete() {
    let sandbox = sandbox_with(
        "package.json",
        r#"{"dependencies": {"node-fetch": "git+https://h.invalid/node-fetch.git"}}"#,
    );
    let run = fix(&sandbox, "--dry-run").expect(3);
    assert!(
        run.stdout.contains("names a git repository"),
        "{}",
        run.stdout
    );
}
