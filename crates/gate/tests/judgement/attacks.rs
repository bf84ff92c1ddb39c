//! Changes by an account with write access that hide something in an honest upgrade. Each must
//! be blocked, and the honest upgrade alone must be merged.

use patchgate_gate::judge;
use patchgate_model::*;
use serde_json::{Value, json};

use crate::evidence::*;

#[track_caller]
fn judged(path: &str, before: &str, after: &str, verdict: Verdict, codes: &[&str]) {
    let judgement = judge(
        &Ok(policy()),
        &evidence_of(&[(path, before.into(), after.into())]),
    );
    assert_eq!(
        (judgement.verdict, against(&judgement)),
        (verdict, codes.to_vec()),
        "{}",
        render(&judgement)
    );
}

fn entry(name: &str, version: &str) -> Value {
    json!({
        "version": version,
        "resolved": format!("https://registry.invalid/{name}/-/{name}-{version}.tgz"),
        "integrity": format!("sha512-{name}{version}"),
    })
}

/// A lockfile of npm with `qs` in a version, changed once more.
fn npm(qs: &str, change: impl FnOnce(&mut Value)) -> String {
    let mut dep = entry("dep", "1.0.0");
    dep["resolved"] = json!(format!(
        "git+ssh://git@git.invalid/o/dep.git#{}",
        "a".repeat(40)
    ));
    dep.as_object_mut().unwrap().remove("integrity");
    let mut lockfile = json!({
        "name": "app",
        "lockfileVersion": 3,
        "requires": true,
        "packages": {
            "": {"name": "app", "dependencies": {"qs": "^6.5.0", "depd": "2", "dep": "*"}},
            "node_modules/dep": dep,
            "node_modules/depd": entry("depd", "2.0.0"),
            "node_modules/qs": entry("qs", qs),
        },
    });
    change(&mut lockfile);
    serde_json::to_string_pretty(&lockfile).unwrap()
}

#[track_caller]
fn npm_attack(change: impl FnOnce(&mut Value), codes: &[&str]) {
    let (before, honest) = (npm("6.5.2", |_| {}), npm("6.5.3", |_| {}));
    judged("package-lock.json", &before, &honest, Verdict::Merge, &[]);

    let attack = npm("6.5.3", change);
    assert_ne!(attack, honest);
    judged("package-lock.json", &before, &attack, Verdict::Block, codes);
}

/// A `Cargo.lock` with `smallvec` in a version and a git dependency.
fn cargo(smallvec: &str, change: impl FnOnce(String) -> String) -> String {
    let text = String::from_utf8(lock(&[("libc", "0.2.1"), ("smallvec", smallvec)])).unwrap();
    let git = format!(
        "\n[[package]]\nname = \"zgit\"\nversion = \"1.0.0\"\nsource = \"git+https://git.invalid/zgit#{}\"\n",
        "a".repeat(40)
    );
    change(text + &git)
}

#[track_caller]
fn cargo_attack(change: impl FnOnce(String) -> String, codes: &[&str]) {
    let (before, honest) = (cargo("1.6.0", |text| text), cargo("1.6.1", |text| text));
    judged("Cargo.lock", &before, &honest, Verdict::Merge, &[]);

    let attack = cargo("1.6.1", change);
    assert_ne!(attack, honest);
    judged("Cargo.lock", &before, &attack, Verdict::Block, codes);
}

#[test]
fn git_commit_in_a_cargo_lock() {
    cargo_attack(
        |text| text.replace(&"a".repeat(40), &"b".repeat(40)),
        &["dependency-origin", "lockfile-entries"],
    );
}

#[test]
fn git_commit_in_a_package_lock() {
    npm_attack(
        |lock| {
            lock["packages"]["node_modules/dep"]["resolved"] = json!(format!(
                "git+ssh://git@git.invalid/o/dep.git#{}",
                "b".repeat(40)
            ));
        },
        &["dependency-origin", "lockfile-entries"],
    );
}

#[test]
fn git_over_ssh_from_another_host() {
    npm_attack(
        |lock| {
            lock["packages"]["node_modules/dep"]["resolved"] = json!(format!(
                "git+ssh://git@evil.invalid/o/dep.git#{}",
                "a".repeat(40)
            ));
        },
        &["dependency-origin", "lockfile-entries"],
    );
}

#[test]
fn new_package_from_another_git_host_where_new_ones_are_allowed() {
    let before = npm("6.5.2", |_| {});
    let after = npm("6.5.3", |lock| {
        lock["packages"]["node_modules/more"] = json!({
            "version": "1.0.0",
            "resolved": format!("git+ssh://git@evil.invalid/o/more.git#{}", "a".repeat(40)),
        });
    });
    let policy = GatePolicy {
        allow_new_packages: true,
        ..policy()
    };
    let evidence = evidence_of(&[("package-lock.json", before.into(), after.into())]);
    let judgement = judge(&Ok(policy), &evidence);

    assert_eq!(judgement.verdict, Verdict::Block, "{}", render(&judgement));
    assert_eq!(
        against(&judgement),
        ["dependency-cause", "dependency-origin", "lockfile-entries"]
    );
}

#[test]
fn bin_of_an_unmoved_package() {
    npm_attack(
        |lock| lock["packages"]["node_modules/depd"]["bin"] = json!({"tsc": "index.js"}),
        &["lockfile-entries"],
    );
}

#[test]
fn bundled_without_a_hash() {
    npm_attack(
        |lock| {
            let entry = lock["packages"]["node_modules/depd"]
                .as_object_mut()
                .unwrap();
            entry.remove("integrity");
            entry.insert("inBundle".to_owned(), json!(true));
        },
        &["lockfile-entries"],
    );
}

#[test]
fn install_script_and_engines_of_an_unmoved_package() {
    for (field, value) in [
        ("hasInstallScript", json!(true)),
        ("engines", json!({"node": "*"})),
        ("os", json!(["linux"])),
    ] {
        npm_attack(
            |lock| lock["packages"]["node_modules/depd"][field] = value,
            &["lockfile-entries"],
        );
    }
}

#[test]
fn another_package_of_the_tree_under_a_known_name() {
    npm_attack(
        |lock| {
            lock["packages"]["node_modules/qs"] = entry("depd", "2.0.0");
            lock["packages"]["node_modules/qs"]["name"] = json!("depd");
            lock["packages"]["node_modules/x"] = entry("qs", "6.5.3");
            lock["packages"]["node_modules/x"]["name"] = json!("qs");
        },
        &["dependency-added", "dependency-origin", "lockfile-entries"],
    );
}

#[test]
fn second_tree_of_version_2() {
    let tree = |lock: &mut Value, dep: &str| {
        lock["lockfileVersion"] = json!(2);
        let packages = lock["packages"].clone();
        lock["dependencies"] = json!({
            "depd": entry("depd", "2.0.0"),
            "qs": packages["node_modules/qs"],
        });
        lock["dependencies"]["depd"]["resolved"] = json!(dep);
    };
    let good = "https://registry.invalid/depd/-/depd-2.0.0.tgz";
    let before = npm("6.5.2", |lock| tree(lock, good));
    let honest = npm("6.5.3", |lock| tree(lock, good));
    let attack = npm("6.5.3", |lock| tree(lock, "https://evil.invalid/depd.tgz"));

    judged("package-lock.json", &before, &honest, Verdict::Merge, &[]);
    judged(
        "package-lock.json",
        &before,
        &attack,
        Verdict::Block,
        &["lockfile-entries"],
    );
}

#[test]
fn metadata_and_unused_patches_of_a_cargo_lock() {
    for more in [
        "\n[metadata]\n\"checksum libc 0.2.1 (registry+https://index.invalid)\" = \"00\"\n",
        "\n[[patch.unused]]\nname = \"evil\"\nversion = \"1.0.0\"\n",
    ] {
        cargo_attack(|text| text + more, &["lockfile-entries"]);
    }
    cargo_attack(
        |text| text.replace("version = 4\n", "# merge this\nversion = 4\n"),
        &["lockfile-entries"],
    );
}

/// Patchgate's own pull request: `got` is upgraded and brings an older `cacheable-lookup` than the
/// one that stays.
#[test]
fn an_older_copy_next_to_one_that_stays_is_not_blocked() {
    let tree = |got: &str, nested: bool| {
        npm("6.5.2", |lock| {
            let packages = &mut lock["packages"];
            packages["node_modules/cacheable-lookup"] = entry("cacheable-lookup", "6.0.4");
            packages["node_modules/got"] = entry("got", "12.1.0");
            packages["node_modules/got"]["dependencies"] = json!({"cacheable-lookup": "^6.0.4"});
            packages["node_modules/package-json"] = entry("package-json", "7.0.0");
            packages["node_modules/package-json"]["dependencies"] = json!({"got": "^11.8.2"});

            let inner = "node_modules/package-json/node_modules/got";
            packages[inner] = entry("got", got);
            if nested {
                packages[inner]["dependencies"] = json!({"cacheable-lookup": "^5.0.3"});
                packages["node_modules/package-json/node_modules/cacheable-lookup"] =
                    entry("cacheable-lookup", "5.0.4");
            }
        })
    };
    let (before, after) = (tree("11.8.4", false), tree("11.8.5", true));
    let mut evidence = evidence_of(&[("package-lock.json", before.into(), after.into())]);
    evidence.findings.as_mut().unwrap().ended.push(FindingKey {
        ecosystem: EcosystemName::new("npm"),
        package: "got".into(),
        versions: vec!["11.8.4".into()],
        lockfile: "package-lock.json".into(),
        ..finding("CVE-2022-33987")
    });
    let judgement = judge(&Ok(policy()), &evidence);
    assert_eq!(
        against(&judgement),
        ["dependency-added"],
        "{}",
        render(&judgement)
    );

    let policy = GatePolicy {
        allow_new_packages: true,
        ..policy()
    };
    let judgement = judge(&Ok(policy), &evidence);
    assert_eq!(judgement.verdict, Verdict::Merge, "{}", render(&judgement));
}

/// npm resolves both paths to one directory, and the last entry wins: `npm ci` installs the older
/// version, and the commands of the second entry.
#[test]
fn a_second_spelling_of_a_path() {
    let nested = |lock: &mut Value| {
        let packages = &mut lock["packages"];
        packages["node_modules/depd"]["dependencies"] = json!({"mini": "^1"});
        packages["node_modules/depd/node_modules/mini"] = entry("mini", "1.0.0");
        packages["node_modules/mini"] = entry("mini", "2.0.0");
        packages[""]["dependencies"]["mini"] = json!(">=1");
    };
    let before = npm("6.5.2", nested);
    let honest = npm("6.5.3", nested);
    judged("package-lock.json", &before, &honest, Verdict::Merge, &[]);

    for path in ["./node_modules/mini", "x/../node_modules/mini"] {
        let attack = npm("6.5.3", |lock| {
            nested(lock);
            lock["packages"][path] = entry("mini", "1.0.0");
        });
        judged(
            "package-lock.json",
            &before,
            &attack,
            Verdict::Block,
            &["lockfile-entries"],
        );
    }
}

/// npm ignores a hash that it cannot read, and installs whatever the server sends.
#[test]
fn an_unreadable_hash_of_the_new_version() {
    let before = npm("6.5.2", |_| {});
    for hash in ["x", "sha1-qs"] {
        let attack = npm("6.5.3", |lock| {
            lock["packages"]["node_modules/qs"]["integrity"] = json!(hash);
        });
        judged(
            "package-lock.json",
            &before,
            &attack,
            Verdict::Review,
            &["dependency-integrity"],
        );
    }
}

/// The commit and the archive stay, so that nothing is fixed but the number in the file.
#[test]
fn a_new_version_of_the_same_commit() {
    npm_attack(
        |lock| lock["packages"]["node_modules/dep"]["version"] = json!("1.0.1"),
        &["dependency-cause", "dependency-origin"],
    );
}

#[test]
fn another_spelling_of_a_version_and_a_prerelease() {
    let before = npm("6.5.2", |_| {});
    for (version, codes) in [
        ("2.0.0+x", &["dependency-cause", "dependency-downgrade"][..]),
        ("2.0.1-rc.1", &["dependency-bump", "dependency-cause"][..]),
    ] {
        let attack = npm("6.5.3", |lock| {
            lock["packages"]["node_modules/depd"] = entry("depd", version);
        });
        judged(
            "package-lock.json",
            &before,
            &attack,
            Verdict::Review,
            codes,
        );
    }
}

#[test]
fn commands_and_scripts_of_the_new_version() {
    let before = npm("6.5.2", |_| {});
    for (field, value) in [
        ("bin", json!({"jest": "index.js"})),
        ("hasInstallScript", json!(true)),
    ] {
        let attack = npm("6.5.3", |lock| {
            lock["packages"]["node_modules/qs"][field] = value;
        });
        judged(
            "package-lock.json",
            &before,
            &attack,
            Verdict::Review,
            &["lockfile-entries"],
        );
    }
}

/// Both versions were in the tree before; the step of the dependent is a major one.
#[test]
fn a_dependent_that_loses_its_own_copy() {
    let tree = |qs: &str, nested: bool| {
        npm(qs, |lock| {
            let packages = &mut lock["packages"];
            packages["node_modules/depd"]["dependencies"] = json!({"mini": ">=1"});
            if nested {
                packages["node_modules/depd/node_modules/mini"] = entry("mini", "1.0.0");
            }
            packages["node_modules/mini"] = entry("mini", "2.0.0");
            packages[""]["dependencies"]["mini"] = json!("2");
        })
    };
    judged(
        "package-lock.json",
        &tree("6.5.2", true),
        &tree("6.5.3", false),
        Verdict::Review,
        &["dependency-bump"],
    );
}

#[test]
fn a_dependency_that_disappears() {
    let tree = |qs: &str, with: bool| {
        npm(qs, |lock| {
            let packages = &mut lock["packages"];
            packages["node_modules/depd"]["optionalDependencies"] = json!({"native": "1"});
            if with {
                packages["node_modules/native"] = entry("native", "1.0.0");
            }
        })
    };
    judged(
        "package-lock.json",
        &tree("6.5.2", true),
        &tree("6.5.3", false),
        Verdict::Review,
        &["dependency-removed"],
    );
}

#[test]
fn new_packages_that_nothing_asks_for_where_new_ones_are_allowed() {
    let before = npm("6.5.2", |_| {});
    let after = npm("6.5.3", |lock| {
        lock["packages"]["node_modules/more"] = entry("more", "1.0.0");
    });
    let policy = GatePolicy {
        allow_new_packages: true,
        ..policy()
    };
    let evidence = evidence_of(&[("package-lock.json", before.into(), after.into())]);
    let judgement = judge(&Ok(policy), &evidence);

    assert_eq!(judgement.verdict, Verdict::Review, "{}", render(&judgement));
    assert_eq!(
        against(&judgement),
        ["dependency-added", "dependency-cause", "lockfile-entries"]
    );
}

#[test]
fn a_requirement_that_is_loosened() {
    let (before, honest) = (npm("6.5.2", |_| {}), npm("6.5.3", |_| {}));
    for (requirement, verdict) in [("^6.5.3", Verdict::Merge), ("*", Verdict::Review)] {
        let manifest = |text: &str| format!(r#"{{"name":"app","dependencies":{{"qs":"{text}"}}}}"#);
        let after = npm("6.5.3", |lock| {
            lock["packages"][""]["dependencies"]["qs"] = json!(requirement);
        });
        assert_ne!(after, honest);
        let judgement = judge(
            &Ok(policy()),
            &evidence_of(&[
                ("package-lock.json", before.clone().into(), after.into()),
                (
                    "package.json",
                    manifest("^6.5.0").into(),
                    manifest(requirement).into(),
                ),
            ]),
        );
        assert_eq!(judgement.verdict, verdict, "{}", render(&judgement));
    }
}
