use serde_json::json;

use crate::testing::{Change, entry, npm};

const NONE: [&str; 0] = [];

fn diff(before: &str, after: &str) -> super::LockfileDiff {
    Change::new("package-lock.json", before, after).diff()
}

/// `package-json` asks for a `got` that needs an older `cacheable-lookup` than the one that stays.
#[test]
fn an_older_copy_next_to_one_that_stays_is_no_downgrade() {
    let tree = |got: &str, needs: serde_json::Value, copy: Option<serde_json::Value>| {
        let mut entries = json!({
            "node_modules/cacheable-lookup": entry("cacheable-lookup", "6.0.4", json!({})),
            "node_modules/got": entry("got", "12.1.0", json!({"dependencies": {"cacheable-lookup": "^6.0.4"}})),
            "node_modules/package-json": entry("package-json", "7.0.0", json!({"dependencies": {"got": "^9.6.0 || ^11.8.2"}})),
            "node_modules/package-json/node_modules/got": entry("got", got, json!({"dependencies": needs})),
        });
        if let Some(copy) = copy {
            entries["node_modules/package-json/node_modules/cacheable-lookup"] = copy;
        }
        npm(
            json!({"dependencies": {"got": "12", "package-json": "7"}}),
            entries,
        )
    };
    let before = tree("9.6.0", json!({}), None);
    let after = tree(
        "11.8.5",
        json!({"cacheable-lookup": "^5.0.3"}),
        Some(entry("cacheable-lookup", "5.0.4", json!({}))),
    );
    let found = diff(&before, &after);

    assert_eq!(found.downgrades, NONE);
    assert_eq!(found.excused_downgrades, NONE);
    assert_eq!(found.unordered, NONE);
    assert_eq!(
        found.added_versions,
        ["cacheable-lookup 5.0.4 next to 6.0.4 (package-lock.json)"]
    );
    assert_eq!(found.upgrades.len(), 1);

    // The same copy that nothing asks for is one that no package manager writes.
    let orphan = tree(
        "11.8.5",
        json!({}),
        Some(entry("cacheable-lookup", "5.0.4", json!({}))),
    );
    assert_eq!(
        diff(&before, &orphan).downgrades,
        ["cacheable-lookup 6.0.4 -> 5.0.4 (package-lock.json)"]
    );
}

fn pair(a: &str, b: &str, nested: Option<&str>) -> String {
    let mut entries = json!({
        "node_modules/a": entry("a", a, json!({"dependencies": {"b": "*"}})),
        "node_modules/b": entry("b", b, json!({})),
    });
    if let Some(version) = nested {
        entries["node_modules/a/node_modules/b"] = entry("b", version, json!({}));
    }
    npm(json!({"dependencies": {"a": "*"}}), entries)
}

#[test]
fn a_dependent_that_stays_and_gets_an_older_nested_copy_is_a_downgrade() {
    let found = diff(
        &pair("1.0.0", "2.0.0", None),
        &pair("1.0.0", "2.0.0", Some("1.0.0")),
    );
    assert_eq!(
        found.downgrades,
        ["it moves `b 2.0.0` down to 1.0.0 for `a 1.0.0` (package-lock.json)"]
    );
}

#[test]
fn a_dependent_that_changed_and_gets_an_older_copy_is_for_a_person() {
    let found = diff(
        &pair("1.0.0", "2.0.0", None),
        &pair("1.1.0", "2.0.0", Some("1.0.0")),
    );
    assert_eq!(found.downgrades, NONE);
    assert_eq!(
        found.excused_downgrades,
        [
            "it moves `b 2.0.0` down to 1.0.0 for `a 1.1.0` (package-lock.json), because the dependent changed its version"
        ]
    );
}

#[test]
fn a_dependent_that_moves_to_another_path_hides_no_older_copy() {
    let tree = |path: &str, version: &str, nested: Option<&str>| {
        let mut entries = json!({
            "node_modules/b": entry("b", "2.0.0", json!({})),
            "node_modules/x": entry("x", "1.0.0", json!({"dependencies": {"a": "*"}})),
        });
        entries[path] = entry("a", version, json!({"dependencies": {"b": "*"}}));
        if let Some(nested) = nested {
            entries[format!("{path}/node_modules/b")] = entry("b", nested, json!({}));
        }
        npm(json!({"dependencies": {"x": "*", "b": "*"}}), entries)
    };
    let before = tree("node_modules/a", "1.0.0", None);
    let after = tree("node_modules/x/node_modules/a", "1.1.0", Some("1.0.0"));
    let found = diff(&before, &after);

    assert_eq!(found.downgrades, NONE);
    assert_eq!(found.excused_downgrades.len(), 1, "{found:#?}");
    assert!(found.excused_downgrades[0].contains("its location"));
}

#[test]
fn an_older_version_in_place_is_a_downgrade() {
    let found = diff(&pair("1.0.0", "2.0.0", None), &pair("1.1.0", "1.0.0", None));
    assert_eq!(
        found.downgrades,
        [
            "b 2.0.0 -> 1.0.0 (package-lock.json)",
            "node_modules/b 2.0.0 -> 1.0.0 (package-lock.json)"
        ]
    );
}

#[test]
fn a_copy_that_npm_hoists_when_the_larger_one_leaves_is_for_a_person() {
    let tree = |c: serde_json::Value, top: &str, nested: Option<&str>| {
        let mut entries = json!({
            "node_modules/b": entry("b", top, json!({})),
            "node_modules/c": c,
            "node_modules/d": entry("d", "1.0.0", json!({"dependencies": {"b": "1"}})),
        });
        if let Some(version) = nested {
            entries["node_modules/d/node_modules/b"] = entry("b", version, json!({}));
        }
        npm(json!({"dependencies": {"c": "*", "d": "*"}}), entries)
    };
    let asks = entry("c", "1.0.0", json!({"dependencies": {"b": "2"}}));
    let free = entry("c", "1.1.0", json!({}));
    let found = diff(
        &tree(asks, "2.0.0", Some("1.0.0")),
        &tree(free, "1.0.0", None),
    );

    assert_eq!(found.downgrades, NONE);
    assert_eq!(
        found.excused_downgrades,
        ["node_modules/b 2.0.0 -> 1.0.0, because 1.0.0 was in the tree before (package-lock.json)"]
    );
    assert_eq!(
        found.unordered,
        ["b 2.0.0 leaves the tree, and 1.0.0 is now the highest (package-lock.json)"]
    );
}

#[test]
fn a_set_of_versions_that_falls_is_a_downgrade() {
    // 5.5.0 left, and nothing that is new is higher.
    let tree = |a: &str, nested: &str| {
        npm(
            json!({"dependencies": {"a": "*", "b": "*"}}),
            json!({
                "node_modules/a": entry("a", a, json!({"dependencies": {"b": "*"}})),
                "node_modules/a/node_modules/b": entry("b", nested, json!({})),
                "node_modules/b": entry("b", "6.0.4", json!({})),
            }),
        )
    };
    let found = diff(&tree("1.0.0", "5.5.0"), &tree("1.1.0", "5.0.4"));
    assert!(
        found
            .downgrades
            .contains(&"b 5.5.0, 6.0.4 -> 5.0.4 (package-lock.json)".to_owned()),
        "{found:#?}"
    );
}

#[test]
fn a_direct_dependency_that_falls_is_a_downgrade() {
    let tree = |top: &str, nested: &str| {
        npm(
            json!({"dependencies": {"a": "*", "b": "*"}}),
            json!({
                "node_modules/a": entry("a", "1.0.0", json!({"dependencies": {"b": "*"}})),
                "node_modules/a/node_modules/b": entry("b", nested, json!({})),
                "node_modules/b": entry("b", top, json!({})),
            }),
        )
    };
    let found = diff(&tree("2.0.0", "1.0.0"), &tree("1.0.0", "2.0.0"));
    assert!(
        found
            .downgrades
            .contains(&"direct dependency b 2.0.0 -> 1.0.0 (package-lock.json)".to_owned()),
        "{found:#?}"
    );
}

fn git(commit: &str) -> String {
    let source = format!("git+https://git.invalid/both?branch=main#{commit}");
    format!(
        "version = 4\n\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\ndependencies = [\n \"both\",\n]\n\n\
         [[package]]\nname = \"both\"\nversion = \"1.0.0\"\nsource = \"{source}\"\n"
    )
}

#[test]
fn another_git_commit_in_a_cargo_lock_is_another_source() {
    let (old, new) = (git(&"a".repeat(40)), git(&"b".repeat(40)));
    let found = Change::new("Cargo.lock", &old, &new).diff();
    assert_eq!(
        found.source_changed,
        [format!(
            "both comes from another commit of `https://git.invalid/both`: {} -> {} (Cargo.lock)",
            "a".repeat(40),
            "b".repeat(40)
        )]
    );
}

fn npm_git(resolved: &str) -> String {
    npm(
        json!({"dependencies": {"dep": "*"}}),
        json!({"node_modules/dep": {"version": "1.0.0", "resolved": resolved}}),
    )
}

#[test]
fn another_git_commit_in_a_package_lock_is_another_source() {
    let at = |commit: char| {
        npm_git(&format!(
            "git+ssh://git@git.invalid/o/dep.git#{}",
            commit.to_string().repeat(40)
        ))
    };
    let found = diff(&at('a'), &at('b'));
    assert_eq!(found.source_changed.len(), 1, "{found:#?}");
    assert!(
        found.source_changed[0]
            .contains("from another commit of `git+ssh://git@git.invalid/o/dep.git`")
    );

    // A commit that is no longer stated is another one.
    let found = diff(
        &at('a'),
        &npm_git("git+ssh://git@git.invalid/o/dep.git#main"),
    );
    assert_eq!(found.source_changed.len(), 1, "{found:#?}");
}

#[test]
fn another_host_behind_git_over_ssh_is_another_source() {
    let commit = "a".repeat(40);
    for (old, new) in [
        (
            "git+ssh://git@git.invalid/o/dep.git",
            "git+ssh://git@evil.invalid/o/dep.git",
        ),
        (
            "ssh://git@git.invalid/o/dep.git",
            "ssh://git@evil.invalid/o/dep.git",
        ),
        (
            "git+ssh://git@git.invalid/o/dep.git",
            "git+ssh://git@git.invalid:2222/o/dep.git",
        ),
    ] {
        let (old, new) = (format!("{old}#{commit}"), format!("{new}#{commit}"));
        let found = diff(&npm_git(&old), &npm_git(&new));
        assert_eq!(found.source_changed.len(), 1, "{old} {new}: {found:#?}");
    }
}

#[test]
fn a_new_package_from_another_git_host_is_from_another_source() {
    let commit = "a".repeat(40);
    let before = npm_git(&format!("git+ssh://git@git.invalid/o/dep.git#{commit}"));
    let after = npm(
        json!({"dependencies": {"dep": "*"}}),
        json!({
            "node_modules/dep": {"version": "1.0.0", "resolved": format!("git+ssh://git@git.invalid/o/dep.git#{commit}")},
            "node_modules/more": {"version": "1.0.0", "resolved": format!("git+ssh://git@evil.invalid/o/more.git#{commit}")},
        }),
    );
    let found = diff(&before, &after);
    assert_eq!(found.added, ["more 1.0.0 (package-lock.json)"]);
    assert_eq!(found.source_changed.len(), 1, "{found:#?}");
}

#[test]
fn a_version_that_changes_without_its_code_is_another_source() {
    let commit = "a".repeat(40);
    for resolved in [
        format!("git+ssh://git@git.invalid/o/dep.git#{commit}"),
        "https://files.invalid/dep.tgz".to_owned(),
    ] {
        let before = npm_git(&resolved);
        let found = diff(&before, &before.replace("1.0.0", "1.0.1"));
        assert_eq!(
            found.source_changed,
            ["dep 1.0.1 is the same archive or commit as 1.0.0 (package-lock.json)"]
        );
    }
}

#[test]
fn a_hash_that_npm_would_not_check_counts_as_missing() {
    let lock = |version: &str, hash: &str| {
        npm(
            json!({"dependencies": {"b": "*"}}),
            json!({"node_modules/b": entry("b", version, json!({"integrity": hash}))}),
        )
    };
    let before = lock("1.0.0", "sha512-a");
    for hash in ["", "x", "sha1-a", "sha512-", "SHA512-a"] {
        assert_eq!(
            diff(&before, &lock("1.0.1", hash)).integrity_missing,
            ["the hash of b 1.0.1 is weaker than before (package-lock.json)"],
            "{hash}"
        );
    }
    assert_eq!(
        diff(&before, &lock("1.0.1", "sha512-b")).integrity_missing,
        NONE
    );
    // npm replaces weak hashes of versions that stay.
    let sha1 = lock("1.0.0", "sha1-a");
    let stronger = diff(&sha1, &before);
    assert_eq!(stronger.integrity_changed, NONE);
    assert_eq!(
        stronger.integrity_missing,
        ["the hash of b 1.0.0 changes to a stronger kind (package-lock.json)"]
    );
    assert_eq!(diff(&before, &sha1).integrity_changed.len(), 1);
    assert_eq!(
        diff(&sha1, &lock("1.0.1", "sha512-b")).integrity_missing,
        NONE
    );
}

#[test]
fn another_spelling_of_a_version_is_not_an_upgrade() {
    for version in ["1.0.0+x", "v1.0.0", "=1.0.0"] {
        let found = diff(&pair("1.0.0", "2.0.0", None), &pair(version, "2.0.0", None));
        assert_eq!(found.upgrades, []);
        assert_eq!(
            found.unordered,
            [format!(
                "a {version} is another spelling of 1.0.0 (package-lock.json)"
            )]
        );
    }
}

#[test]
fn a_step_to_a_prerelease_has_no_size() {
    let bump = |from: &str, to: &str| {
        let found = diff(&pair(from, "2.0.0", None), &pair(to, "2.0.0", None));
        found.upgrades[0].bump.clone()
    };
    assert_eq!(
        bump("1.0.0", "1.0.1-rc.1"),
        Err("1.0.1-rc.1 is a pre-release".to_owned())
    );
    assert!(bump("1.0.1-rc.1", "1.0.1-rc.2").is_ok());
    assert!(bump("1.0.1-rc.1", "1.0.1").is_ok());
}

#[test]
fn a_new_version_that_nothing_asks_for_is_reported() {
    let tree = |more: serde_json::Value| {
        let mut entries = json!({"node_modules/b": entry("b", "1.0.0", json!({}))});
        for (path, entry) in more.as_object().unwrap() {
            entries[path] = entry.clone();
        }
        npm(json!({"dependencies": {"b": "*"}}), entries)
    };
    let found = diff(
        &tree(json!({})),
        &tree(json!({
            "node_modules/new": entry("new", "1.0.0", json!({})),
            "node_modules/x/node_modules/b": entry("b", "1.0.1", json!({})),
        })),
    );
    assert_eq!(
        found.unrequired,
        [
            "nothing depends on b 1.0.1, which is new (package-lock.json)",
            "nothing depends on new 1.0.0, which is new (package-lock.json)"
        ]
    );
}

/// Both versions of `b` were there before, so the set of versions does not show the step.
#[test]
fn a_dependent_that_stays_and_gets_a_higher_version_takes_a_step() {
    let found = diff(
        &pair("1.0.0", "2.0.0", Some("1.0.0")),
        &pair("1.0.0", "2.0.0", None),
    );
    assert_eq!(found.upgrades, []);
    let [step] = &*found.raised else {
        panic!("{found:#?}");
    };
    assert_eq!(
        (&*step.package, &*step.from, &*step.to, &step.bump),
        ("b", "1.0.0", "2.0.0", &Ok(patchgate_model::Bump::Major))
    );
}

#[test]
fn a_dependent_that_stays_gets_nothing_from_another_kind_of_source() {
    let fork = json!({
        "version": "1.0.0",
        "resolved": format!("git+ssh://git@git.invalid/o/b.git#{}", "a".repeat(40)),
    });
    let tree = |nested: bool| {
        let mut entries = json!({
            "node_modules/a": entry("a", "1.0.0", json!({"dependencies": {"b": "*"}})),
            "node_modules/b": entry("b", "2.0.0", json!({})),
            "node_modules/c": entry("c", "1.0.0", json!({"dependencies": {"b": "*"}})),
            "node_modules/c/node_modules/b": fork,
        });
        if nested {
            entries["node_modules/a/node_modules/b"] = fork.clone();
        }
        npm(json!({"dependencies": {"a": "*", "c": "*"}}), entries)
    };
    assert_eq!(
        diff(&tree(false), &tree(true)).source_unclear,
        ["`a 1.0.0` gets `b` from git `b`, and did not before (package-lock.json)"]
    );
}

#[test]
fn a_dependency_of_a_package_that_stays_is_not_gone() {
    let tree = |kind: &str, with: bool| {
        let mut entries = json!({"node_modules/a": entry("a", "1.0.0", json!({kind: {"b": "*"}}))});
        if with {
            entries["node_modules/b"] = entry("b", "1.0.0", json!({}));
        }
        npm(json!({"dependencies": {"a": "*"}}), entries)
    };
    for kind in ["dependencies", "optionalDependencies"] {
        assert_eq!(
            diff(&tree(kind, true), &tree(kind, false)).unmet,
            ["`b` is gone, though `a 1.0.0` depends on it and does not change (package-lock.json)"]
        );
    }
    let kind = "peerDependencies";
    assert_eq!(diff(&tree(kind, true), &tree(kind, false)).unmet, NONE);
}

/// Without addresses in the file, the server of a new one cannot be compared.
#[test]
fn an_address_where_there_were_none_is_for_a_person() {
    let lock = |version: &str, more: serde_json::Value| {
        let bare = json!({"version": version, "integrity": format!("sha512-{version}")});
        let mut entries = json!({"node_modules/b": bare});
        for (field, value) in more.as_object().unwrap() {
            entries["node_modules/b"][field] = value.clone();
        }
        npm(json!({"dependencies": {"b": "*"}}), entries)
    };
    let address = json!({"resolved": "https://registry.invalid/b/-/b-1.0.1.tgz"});
    let found = diff(&lock("1.0.0", json!({})), &lock("1.0.1", address));
    assert_eq!(found.source_changed, NONE);
    assert_eq!(found.source_unclear.len(), 1, "{found:#?}");
}

/// crates.io compares names without regard to case, `-` and `_`.
#[test]
fn an_upgrade_in_a_cargo_lock_is_one_step() {
    let lock = |version: &str| {
        format!(
            "version = 4\n\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\ndependencies = [\n \"once_cell\",\n]\n\n\
             [[package]]\nname = \"once_cell\"\nversion = \"{version}\"\nsource = \"registry+https://index.invalid\"\nchecksum = \"{version}\"\n"
        )
    };
    let (before, after) = (lock("1.21.3"), lock("1.21.4"));
    let found = Change::new("Cargo.lock", &before, &after).diff();
    assert_eq!(found.upgrades.len(), 1);
    assert_eq!(
        found,
        super::LockfileDiff {
            upgrades: found.upgrades.clone(),
            ..super::LockfileDiff::default()
        }
    );
}
