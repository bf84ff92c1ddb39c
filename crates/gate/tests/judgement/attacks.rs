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
    assert_eq!(against(&judgement), ["dependency-origin"]);
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
        &["lockfile-entries"],
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
    judged(
        "package-lock.json",
        &before,
        &after,
        Verdict::Review,
        &["dependency-added"],
    );

    let policy = GatePolicy {
        allow_new_packages: true,
        ..policy()
    };
    let evidence = evidence_of(&[("package-lock.json", before.into(), after.into())]);
    let judgement = judge(&Ok(policy), &evidence);
    assert_eq!(judgement.verdict, Verdict::Merge, "{}", render(&judgement));
}
