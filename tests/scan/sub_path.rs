//! Scans of a directory or a file of a repository.

use crate::support::sandbox::{Sandbox, copy, root, texts};

/// A repository with the Cargo example at `services/shop`, and settings at its root.
fn repository(settings: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    let shop = sandbox.path("repo/services/shop");
    copy(&root().join("examples/cargo-service"), &shop);
    sandbox.write(".git/HEAD", "ref: refs/heads/main\n");
    sandbox.write(".patchgate.yml", settings);
    sandbox.build_store();
    sandbox
}

#[test]
fn paths_start_at_the_root_of_the_repository() {
    let sandbox = repository("version: 1\n");
    for path in [
        "repo/services/shop",
        "repo/services/shop/Cargo.lock",
        "repo",
    ] {
        let report = sandbox.offline("scan", &["--format", "json", path]).json();
        let files = texts(&report["lockfiles"], "path");
        assert_eq!(files, ["services/shop/Cargo.lock"], "{path}");

        let sarif = sandbox.offline("scan", &["--format", "sarif", path]).stdout;
        assert!(
            sarif.contains("\"services/shop/Cargo.lock\""),
            "{path}: {sarif}"
        );
        assert!(!sarif.contains("\"Cargo.lock\""), "{path}: {sarif}");
    }
}

#[test]
fn the_settings_of_the_root_count() {
    let sandbox = repository("version: 1\nscan: { exclude: ['services/shop/**'] }\n");
    sandbox
        .offline("scan", &["--format", "json", "repo/services/shop"])
        .expect(4);

    // Without a repository around it, the directory is a repository of its own.
    std::fs::remove_dir_all(sandbox.path("repo/.git")).unwrap();
    let report = sandbox.offline("scan", &["--format", "json", "repo/services/shop"]);
    let files = texts(&report.json()["lockfiles"], "path");
    assert_eq!(files, ["Cargo.lock"]);
}

#[test]
fn groups_are_left_out_by_setting_and_by_flag() {
    let sandbox = repository("version: 1\nscan: { skip: [example] }\n");
    let lock = std::fs::read(sandbox.path("repo/services/shop/Cargo.lock")).unwrap();
    sandbox.write("examples/a/Cargo.lock", &lock);
    sandbox.write("tests/a/Cargo.lock", &lock);

    let scanned = |flags: &[&str]| {
        let arguments = [&["--format", "json", "repo"], flags].concat();
        texts(
            &sandbox.offline("scan", &arguments).json()["lockfiles"],
            "path",
        )
    };
    assert_eq!(
        scanned(&[]),
        ["services/shop/Cargo.lock", "tests/a/Cargo.lock"]
    );
    assert_eq!(
        scanned(&["--skip-group", "test"]),
        ["services/shop/Cargo.lock"]
    );

    let wrong = sandbox.offline("scan", &["--skip-group", "tests", "repo"]);
    assert!(
        wrong.stderr.contains("test, example, vendored, generated"),
        "{wrong:?}"
    );
}
