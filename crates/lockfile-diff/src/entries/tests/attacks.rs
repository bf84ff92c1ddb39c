use serde_json::json;

use super::{NONE, expect, mirrored, npm_entries, tree};
use crate::testing::{Change, entry};

/// npm resolves both paths to `node_modules/b`, and the last entry wins.
#[test]
fn another_spelling_of_a_path_is_seen() {
    for path in [
        "./node_modules/b",
        "x/../node_modules/b",
        "node_modules/./b",
    ] {
        let name = json!({"name": "b"});
        let expected = format!("!`{path}` is not a path that npm writes");
        let before = tree(|_| {});
        let after = tree(|entries| entries[path] = entry("b", "1.0.0", name));
        let reported = Change::new("package-lock.json", &before, &after).reported();
        assert!(reported.contains(&expected), "{reported:#?}");
    }
}

#[test]
fn programs_that_a_package_did_not_have_are_for_a_person() {
    let commands = "`node_modules/b` has commands (`bin`) that `b` did not have before";
    for (field, value, expected) in [
        ("bin", json!({"tsc": "index.js"}), commands),
        ("bin", json!("index.js"), commands),
        (
            "hasInstallScript",
            json!(true),
            "`node_modules/b` has an install script, which `b` did not have before",
        ),
    ] {
        npm_entries(
            |entries| entries["node_modules/b"][field] = value,
            &[expected],
        );
    }

    // A new package has commands, but not those of another one.
    for (name, expected) in [
        ("new", &[][..]),
        (
            "a",
            &["`node_modules/new` has commands (`bin`) that `new` did not have before"][..],
        ),
    ] {
        npm_entries(
            |entries| {
                entries["node_modules/b"]["dependencies"] = json!({"new": "1"});
                entries["node_modules/new"] =
                    entry("new", "1.0.0", json!({"bin": {name: "cli.js"}}));
            },
            expected,
        );
    }
}

#[test]
fn a_copy_in_an_archive_needs_a_parent_that_has_one() {
    let lock = |parent: serde_json::Value| {
        tree(|entries| {
            entries["node_modules/b"] = entry("b", "1.0.1", parent);
            entries["node_modules/b/node_modules/c"] =
                json!({"version": "1.0.0", "inBundle": true});
        })
    };
    let path = "package-lock.json";
    let needs = json!({"dependencies": {"c": "1"}});
    expect(
        path,
        &tree(|_| {}),
        &lock(needs),
        &[
            "!`node_modules/b/node_modules/c` is said to be in the archive of a package that does not change",
        ],
    );
    let bundles = json!({"dependencies": {"c": "1"}, "bundleDependencies": ["c"]});
    expect(path, &tree(|_| {}), &lock(bundles), &NONE);
}

#[test]
fn a_path_as_a_name_in_the_mirror_hides_nothing() {
    let before = mirrored("1.0.0", |_| {});
    let after = mirrored("1.0.1", |lock| {
        lock["dependencies"]["a/node_modules/b"] = json!({"version": "1.0.0"});
    });
    expect(
        "package-lock.json",
        &before,
        &after,
        &[
            "!`node_modules//a/node_modules/b` is not a path that npm writes",
            "!`node_modules//a/node_modules/b` is not the same in `dependencies` and in `packages`",
        ],
    );
}

/// npm asks the registry again for other copies of a package that it updates.
#[test]
fn what_npm_rewrites_in_old_entries_is_not_blocked() {
    let lock = |hash: &str, license: bool, requires: bool, b: &str| {
        mirrored(b, |lock| {
            for tree in ["packages", "dependencies"] {
                let path = if tree == "packages" {
                    "node_modules/a"
                } else {
                    "a"
                };
                lock[tree][path]["integrity"] = json!(hash);
            }
            if license {
                lock["packages"]["node_modules/a"]["license"] = json!("MIT");
            }
            if requires {
                lock["dependencies"]["a"]["requires"] = json!({});
            }
        })
    };
    let path = "package-lock.json";
    let before = lock("sha1-a", false, true, "1.0.0");
    expect(path, &before, &lock("sha1-a", true, false, "1.0.1"), &NONE);
    expect(
        path,
        &before,
        &lock("sha512-a", true, false, "1.0.1"),
        &[
            "`node_modules/a` differs in `integrity` in `dependencies`, though its version does not change",
            "`node_modules/a` differs in `integrity`, though its version does not change",
        ],
    );
    for hash in ["sha1-b", "x"] {
        expect(
            path,
            &before,
            &lock(hash, false, true, "1.0.1"),
            &[
                "!`node_modules/a` differs in `integrity` in `dependencies`, though its version does not change",
                "!`node_modules/a` differs in `integrity`, though its version does not change",
            ],
        );
    }
}
