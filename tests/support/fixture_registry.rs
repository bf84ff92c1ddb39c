//! A small project, a registry on loopback that has its packages, and one advisory.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use patchgate_testkit::{CargoRegistry, NpmRegistry, Published};
use serde_json::{Value, json};

use crate::support::sandbox::Stage;

/// The id of the only advisory.
pub(crate) const ADVISORY: &str = "GHSA-2222-3333-4444";

/// Every file of a folder with its content.
pub(crate) type Files = BTreeMap<PathBuf, Vec<u8>>;

/// Every file of `repo/`.
pub(crate) fn files(stage: &Stage) -> Files {
    let mut files = Files::new();
    gather(&stage.path("repo"), &mut files);
    files
}

fn gather(folder: &Path, files: &mut Files) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            gather(&path, files);
        } else {
            files.insert(path.clone(), std::fs::read(&path).unwrap());
        }
    }
}

/// Builds the store at `store/` with an advisory for every version of a package before `fixed`.
fn warn_of(stage: &Stage, ecosystem: &str, package: &str, fixed: &str) {
    let advisory = json!({
        "schema_version": "1.7.0", "id": ADVISORY,
        "modified": "2026-01-02T00:00:00Z", "published": "2026-01-01T00:00:00Z",
        "summary": "a made-up vulnerability",
        "affected": [{
            "package": {"ecosystem": ecosystem, "name": package},
            "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": fixed}]}],
        }],
    });

    let folder = stage.path("advisories");
    std::fs::create_dir_all(&folder).unwrap();
    let text = advisory.to_string();
    std::fs::write(folder.join(format!("{ADVISORY}.json")), text).unwrap();
    stage
        .run(&["db", "build", "--from", "advisories", "--into", "store"])
        .expect(0);
}

/// Runs a manager in a folder of the stage, with the settings that `patchgate` will see.
pub(crate) fn manager(stage: &Stage, folder: &str, program: &str, arguments: &[&str]) -> Output {
    let home = PathBuf::from(std::env::var_os("HOME").unwrap_or_default());
    let rustup =
        std::env::var_os("RUSTUP_HOME").map_or_else(|| home.join(".rustup"), PathBuf::from);

    Command::new(program)
        .args(arguments)
        .current_dir(stage.path(folder))
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", stage.path("home"))
        .env("CARGO_HOME", stage.path("home/.cargo"))
        .env("RUSTUP_HOME", rustup)
        .output()
        .unwrap()
}

#[track_caller]
fn succeeds(output: &Output) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}

/// Points npm and `patchgate` to a registry, with an empty cache at `cache/`.
pub(crate) fn use_npm_registry(stage: &Stage, url: &str) {
    let cache = stage.path("cache");
    let text = format!(
        "registry={url}\ncache={}\nfetch-retries=0\n",
        cache.display()
    );
    std::fs::write(stage.path("home/.npmrc"), text).unwrap();
}

/// An npm project at `repo/`, not locked yet, with an advisory for `package` before `fixed`.
pub(crate) fn npm_project(
    releases: Vec<Published>,
    manifest: &str,
    (package, fixed): (&str, &str),
) -> (Stage, NpmRegistry) {
    let registry = NpmRegistry::start(releases);
    let stage = Stage::new();
    use_npm_registry(&stage, &registry.url());
    stage.write("package.json", manifest);
    warn_of(&stage, "npm", package, fixed);
    (stage, registry)
}

/// Lets npm lock `repo/`.
#[track_caller]
pub(crate) fn npm_lock(stage: &Stage, more: &[&str]) {
    let lock = [
        "install",
        "--package-lock-only",
        "--ignore-scripts",
        "--no-audit",
    ];
    succeeds(&manager(stage, "repo", "npm", &[&lock[..], more].concat()));
}

/// `package-lock.json` as it is now.
pub(crate) fn npm_lockfile(stage: &Stage) -> Value {
    let text = std::fs::read(stage.path("repo/package-lock.json")).unwrap();
    serde_json::from_slice(&text).unwrap()
}

/// npm takes the lockfile as it is, and writes the same again.
#[track_caller]
pub(crate) fn npm_agrees(stage: &Stage) {
    let before = files(stage);
    let check = ["ci", "--ignore-scripts", "--dry-run", "--no-audit"];
    succeeds(&manager(stage, "repo", "npm", &check));
    npm_lock(stage, &[]);
    assert!(before == files(stage), "npm changes what was written");
}

/// A Cargo project at `repo/` with one dependency, locked at `locked`, and an advisory for it
/// before `fixed`.
pub(crate) fn cargo_project(
    releases: Vec<Published>,
    manifest: &str,
    (package, locked, fixed): (&str, &str, &str),
) -> (Stage, CargoRegistry) {
    let registry = CargoRegistry::start(releases);
    let mut stage = Stage::new();
    stage.allow_managers();
    stage.set("CARGO_HOME", stage.path("home/.cargo").to_str().unwrap());
    std::fs::create_dir(stage.path("home/.cargo")).unwrap();
    std::fs::write(stage.path("home/.cargo/config.toml"), registry.config()).unwrap();
    stage.write("Cargo.toml", manifest);
    stage.write("src/lib.rs", "");
    succeeds(&manager(&stage, "repo", "cargo", &["generate-lockfile"]));
    let pin = ["update", package, "--precise", locked];
    succeeds(&manager(&stage, "repo", "cargo", &pin));
    warn_of(&stage, "crates.io", package, fixed);

    (stage, registry)
}

/// Cargo takes the lockfile as it is.
#[track_caller]
pub(crate) fn cargo_agrees(stage: &Stage) {
    let check = ["metadata", "--locked", "--format-version=1"];
    succeeds(&manager(stage, "repo", "cargo", &check));
}
