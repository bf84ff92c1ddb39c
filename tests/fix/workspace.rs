//! `patchgate fix` on an npm workspace that was pinned years ago, with real advisories and the
//! real npm.

use std::collections::BTreeMap;

use patchgate_testkit::shared_dir;
use serde_json::{Value, json};

use crate::fix::examples::{fix, manager_agrees, npm_locks, run_manager};
use crate::support::sandbox::{Sandbox, texts};

/// Exact pins to releases of 2019 to 2021. One of them, the XML parser, was abandoned with its
/// vulnerability; the two lodash versions are at two locations of the tree.
fn manifests() -> Vec<(&'static str, Value)> {
    let package = |name: &str, dependencies: Value| json!({"name": name, "version": "1.0.0", "dependencies": dependencies});

    vec![
        (
            "package.json",
            json!({
                "name": "shop", "version": "1.0.0", "private": true, "workspaces": ["packages/*"],
                "devDependencies": {"js-yaml": "3.13.1", "minimist": "1.2.5"},
            }),
        ),
        (
            "packages/api/package.json",
            package(
                "@shop/api",
                json!({"@shop/tool": "1.0.0", "axios": "0.21.0", "express": "4.17.1", "lodash": "4.17.15"}),
            ),
        ),
        (
            "packages/tool/package.json",
            package("@shop/tool", json!({"ws": "7.4.2"})),
        ),
        (
            "packages/web/package.json",
            package("@shop/web", json!({"lodash": "4.17.20", "xmldom": "0.6.0"})),
        ),
    ]
}

/// The workspace, locked by npm, with a store of the shared advisories; `None` without those.
fn workspace_sandbox() -> Option<Sandbox> {
    let advisories = shared_dir()?.join("advisories/npm");
    let mut sandbox = Sandbox::new();
    sandbox.allow_managers();

    for (path, manifest) in manifests() {
        sandbox.write(
            path,
            serde_json::to_string_pretty(&manifest).unwrap() + "\n",
        );
    }

    npm_locks(&sandbox);
    let advisories = advisories.to_str().unwrap();
    sandbox
        .run(&["db", "build", "--from", advisories, "--into", "store"])
        .expect(0);

    Some(sandbox)
}

fn scan(sandbox: &Sandbox, code: i32) -> Value {
    let arguments = [
        "scan",
        "--offline",
        "--store",
        "store",
        "--max-age-days",
        "36500",
        "--format",
        "json",
        "repo",
    ];

    sandbox.run(&arguments).expect(code).json()
}

/// Every version of each package, by name, as numbers.
fn versions(sandbox: &Sandbox) -> BTreeMap<String, Vec<Vec<u64>>> {
    let lock = std::fs::read(sandbox.path("repo/package-lock.json")).unwrap();
    let lock: Value = serde_json::from_slice(&lock).unwrap();

    let mut versions: BTreeMap<String, Vec<Vec<u64>>> = BTreeMap::new();
    for (path, entry) in lock["packages"].as_object().unwrap() {
        let Some((_, name)) = path.rsplit_once("node_modules/") else {
            continue;
        };
        // A link to a member of the workspace has no version of its own.
        let Some(version) = entry["version"].as_str() else {
            continue;
        };
        let numbers = version.split('.').map(|part| part.parse().unwrap_or(0));
        versions
            .entry(name.to_owned())
            .or_default()
            .push(numbers.collect());
    }

    versions
}

#[test]
fn every_finding_with_a_fixed_release_is_fixed_and_npm_agrees() {
    let Some(sandbox) = workspace_sandbox() else {
        return;
    };
    let before = scan(&sandbox, 1);
    let count = texts(&before["findings"], "id").len();
    assert!((20..=40).contains(&count), "{count} findings");
    let old = versions(&sandbox);

    // A finding without a fixed release stays, which is no failure of the fix.
    let arguments = [
        "fix",
        "--apply",
        "--store",
        "store",
        "--max-age-days",
        "36500",
        "--format",
        "json",
        "repo",
    ];
    let plan = sandbox.run(&arguments).expect(0).json();
    let unfixed = plan["unfixed"].as_array().unwrap();
    assert_eq!(texts(&plan["unfixed"], "package"), ["xmldom"], "{plan}");
    assert!(
        unfixed
            .iter()
            .all(|one| !one["reason"].as_str().unwrap().is_empty())
    );

    let after = scan(&sandbox, 1);
    let left = after["findings"].as_array().unwrap();
    assert_eq!(left.len(), 1, "{left:?}");
    assert!(
        left.iter()
            .all(|finding| finding["fixed_version"].is_null()),
        "{left:?}"
    );

    for (name, new) in versions(&sandbox) {
        if let Some(old) = old.get(&name) {
            assert!(
                new.iter().min() >= old.iter().min(),
                "{name}: {old:?} became {new:?}"
            );
        }
    }
    let manifest = std::fs::read_to_string(sandbox.path("repo/packages/api/package.json")).unwrap();
    assert!(
        manifest.contains("\"@shop/tool\": \"1.0.0\"") && !manifest.contains("4.17.15"),
        "{manifest}"
    );
    manager_agrees(
        &sandbox,
        "npm",
        &["ci", "--ignore-scripts", "--dry-run"],
        &["install", "--package-lock-only", "--ignore-scripts"],
        "package-lock.json",
    );
}

#[test]
fn a_second_fix_of_a_workspace_changes_nothing() {
    let Some(sandbox) = workspace_sandbox() else {
        return;
    };

    fix(&sandbox, "--apply").expect(0);
    let lock = std::fs::read(sandbox.path("repo/package-lock.json")).unwrap();
    let run = fix(&sandbox, "--apply").expect(0);

    assert!(run.stdout.contains("xmldom"), "{}", run.stdout);
    assert_eq!(
        lock,
        std::fs::read(sandbox.path("repo/package-lock.json")).unwrap()
    );

    run_manager(&sandbox, "npm", &["ls", "--all", "--package-lock-only"]);
}
