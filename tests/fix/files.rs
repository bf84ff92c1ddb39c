//! The parts of a file that `patchgate fix` leaves unchanged when it writes the file.

use patchgate_testkit::Release;

use crate::fix::examples::fix;
use crate::support::fixture_registry::{
    cargo_agrees, cargo_project, npm_agrees, npm_lock, npm_lockfile, npm_project,
};

fn leaves() -> Vec<Release> {
    ["1.0.0", "1.0.1"]
        .map(|version| Release::new("leaf", version, &[]))
        .to_vec()
}

#[test]
fn an_old_lockfile_format_is_kept() {
    let manifest = r#"{"name": "shop", "version": "1.0.0", "dependencies": {"leaf": "1.0.0"}}"#;
    let (sandbox, _registry) = npm_project(leaves(), manifest, ("leaf", "1.0.1"));
    npm_lock(&sandbox, &["--lockfile-version=1"]);

    assert_eq!(npm_lockfile(&sandbox)["lockfileVersion"], 1);

    fix(&sandbox, "--apply").expect(0);
    let lockfile = npm_lockfile(&sandbox);

    assert_eq!(lockfile["lockfileVersion"], 1);
    assert_eq!(lockfile["dependencies"]["leaf"]["version"], "1.0.1");
    assert!(lockfile.get("packages").is_none(), "{lockfile:#}");
}

#[test]
fn a_project_without_a_name_keeps_its_directories() {
    let manifest = "{\n  \"dependencies\": {\n    \"leaf\": \"1.0.0\"\n  }\n}\n";
    let (sandbox, _registry) = npm_project(leaves(), manifest, ("leaf", "1.0.1"));
    npm_lock(&sandbox, &[]);

    assert_eq!(npm_lockfile(&sandbox)["name"], "repo");

    fix(&sandbox, "--apply").expect(0);
    let lockfile = npm_lockfile(&sandbox);

    assert_eq!(lockfile["name"], "repo");
    assert_eq!(
        lockfile["packages"]["node_modules/leaf"]["version"],
        "1.0.1"
    );

    npm_agrees(&sandbox);
}

#[test]
fn line_endings_and_the_end_of_the_file_are_kept() {
    let manifest = "{\r\n\t\"name\": \"shop\",\r\n\t\"dependencies\": {\r\n\t\t\"leaf\": \"1.0.0\"\r\n\t}\r\n}";
    let (sandbox, _registry) = npm_project(leaves(), manifest, ("leaf", "1.0.1"));
    npm_lock(&sandbox, &[]);
    // npm rewrote the line endings of the manifest where it changed it.
    sandbox.write("package.json", manifest);
    fix(&sandbox, "--apply").expect(0);
    let after = std::fs::read_to_string(sandbox.path("repo/package.json")).unwrap();
    assert_eq!(after, manifest.replace("1.0.0", "1.0.1"));

    let manifest = "[package]\r\nname = \"shop\"\r\nversion = \"2.0.0\"\r\nedition = \"2021\"\r\n\r\n\
                    [dependencies]\r\nleaf = \"=1.0.0\"";
    let (sandbox, _registry) = cargo_project(leaves(), manifest, ("leaf", "1.0.0", "1.0.1"));
    fix(&sandbox, "--apply").expect(0);
    let after = std::fs::read_to_string(sandbox.path("repo/Cargo.toml")).unwrap();
    assert_eq!(after, manifest.replace("=1.0.0", "=1.0.1"));
    cargo_agrees(&sandbox);
}

#[test]
fn an_override_gives_a_version_that_no_dependent_admits() {
    let manifest = "{\n  \"name\": \"shop\",\n  \"version\": \"1.0.0\",\n  \"dependencies\": {\n    \
                    \"stem\": \"1.0.0\"\n  }\n}\n";
    let releases = vec![
        Release::new("stem", "1.0.0", &[("leaf", "~1.0.0")]),
        Release::new("leaf", "1.0.0", &[]),
        Release::new("leaf", "1.1.0", &[]),
    ];
    let (sandbox, _registry) = npm_project(releases, manifest, ("leaf", "1.1.0"));
    npm_lock(&sandbox, &[]);

    let output = fix(&sandbox, "--apply").expect(0).stdout;

    assert!(
        output.contains("requirement package.json: override to 1.1.0"),
        "{output}"
    );
    let lockfile = npm_lockfile(&sandbox);
    assert_eq!(
        lockfile["packages"]["node_modules/leaf"]["version"],
        "1.1.0"
    );
    let after = std::fs::read_to_string(sandbox.path("repo/package.json")).unwrap();
    let after: serde_json::Value = serde_json::from_str(&after).unwrap();
    assert_eq!(after["overrides"]["leaf"], "1.1.0");
    npm_agrees(&sandbox);
}
