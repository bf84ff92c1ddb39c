//! A small project, a registry on loopback with its packages, and one advisory.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use patchgate_testkit::{CargoRegistry, NpmRegistry, Release, rust_toolchain};
use serde_json::{Value, json};

use crate::support::sandbox::Sandbox;

/// The id of the only advisory.
pub(crate) const ADVISORY: &str = "GHSA-2222-3333-4444";

/// The files of a directory with their content.
pub(crate) type Files = BTreeMap<PathBuf, Vec<u8>>;

/// The files of `repo/`.
pub(crate) fn files(sandbox: &Sandbox) -> Files {
    let mut files = Files::new();
    gather(&sandbox.path("repo"), &mut files);
    files
}

fn gather(directory: &Path, files: &mut Files) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            gather(&path, files);
        } else {
            files.insert(path.clone(), std::fs::read(&path).unwrap());
        }
    }
}

/// Builds `store/` with an advisory for every version of a package before `fixed`.
fn warn_of(sandbox: &Sandbox, ecosystem: &str, package: &str, fixed: &str) {
    warn_also(sandbox, ADVISORY, ecosystem, package, Some(fixed));
}

/// Adds an advisory to `store/`, for every version of a package before `fixed` or for all.
pub(crate) fn warn_also(
    sandbox: &Sandbox,
    id: &str,
    ecosystem: &str,
    package: &str,
    fixed: Option<&str>,
) {
    let mut events = vec![json!({"introduced": "0"})];
    events.extend(fixed.map(|fixed| json!({"fixed": fixed})));
    let kind = if ecosystem == "Hackage" {
        "ECOSYSTEM"
    } else {
        "SEMVER"
    };
    let advisory = json!({
        "schema_version": "1.7.0", "id": id,
        "modified": "2026-01-02T00:00:00Z", "published": "2026-01-01T00:00:00Z",
        "summary": "a made-up vulnerability",
        "affected": [{
            "package": {"ecosystem": ecosystem, "name": package},
            "ranges": [{"type": kind, "events": events}],
        }],
    });

    let directory = sandbox.path("advisories");
    std::fs::create_dir_all(&directory).unwrap();
    std::fs::write(directory.join(format!("{id}.json")), advisory.to_string()).unwrap();
    sandbox
        .run(&["db", "build", "--from", "advisories", "--into", "store"])
        .expect(0);
}

/// Runs a package manager in a directory of the sandbox, with the settings that `patchgate` gets.
pub(crate) fn manager(
    sandbox: &Sandbox,
    directory: &str,
    program: &str,
    arguments: &[&str],
) -> Output {
    let home = PathBuf::from(std::env::var_os("HOME").unwrap_or_default());
    let rustup =
        std::env::var_os("RUSTUP_HOME").map_or_else(|| home.join(".rustup"), PathBuf::from);

    Command::new(program)
        .args(arguments)
        .current_dir(sandbox.path(directory))
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", sandbox.path("home"))
        .env("CARGO_HOME", sandbox.path("home/.cargo"))
        .env("RUSTUP_HOME", rustup)
        .env("RUSTUP_TOOLCHAIN", rust_toolchain())
        .output()
        .unwrap()
}

#[track_caller]
fn succeeds(output: &Output) {
    let printed = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{printed}");
}

/// Points npm and `patchgate` to a registry, with an empty cache at `cache/`.
pub(crate) fn use_npm_registry(sandbox: &Sandbox, url: &str) {
    let cache = sandbox.path("cache");
    let text = format!(
        "registry={url}\ncache={}\nfetch-retries=0\n",
        cache.display()
    );
    std::fs::write(sandbox.path("home/.npmrc"), text).unwrap();
}

/// An npm project at `repo/` without a lockfile, and an advisory for `package` before `fixed`.
pub(crate) fn npm_project(
    releases: Vec<Release>,
    manifest: &str,
    (package, fixed): (&str, &str),
) -> (Sandbox, NpmRegistry) {
    let registry = NpmRegistry::start(releases);
    let sandbox = Sandbox::new();
    use_npm_registry(&sandbox, &registry.url());
    sandbox.write("package.json", manifest);
    warn_of(&sandbox, "npm", package, fixed);
    (sandbox, registry)
}

/// Lets npm write the lockfile of `repo/`.
#[track_caller]
pub(crate) fn npm_lock(sandbox: &Sandbox, more: &[&str]) {
    let lock = [
        "install",
        "--package-lock-only",
        "--ignore-scripts",
        "--no-audit",
    ];
    succeeds(&manager(
        sandbox,
        "repo",
        "npm",
        &[&lock[..], more].concat(),
    ));
}

/// The `package-lock.json` of the sandbox's repository, parsed.
pub(crate) fn npm_lockfile(sandbox: &Sandbox) -> Value {
    let text = std::fs::read(sandbox.path("repo/package-lock.json")).unwrap();
    serde_json::from_slice(&text).unwrap()
}

/// Checks that npm accepts the lockfile and would write the same.
#[track_caller]
pub(crate) fn npm_agrees(sandbox: &Sandbox) {
    let before = files(sandbox);
    let check = ["ci", "--ignore-scripts", "--dry-run", "--no-audit"];
    succeeds(&manager(sandbox, "repo", "npm", &check));
    npm_lock(sandbox, &[]);
    assert!(before == files(sandbox), "npm changes the written files");
}

/// A Cargo project at `repo/` with one dependency that is locked at `locked`, and an advisory for it
/// before `fixed`.
pub(crate) fn cargo_project(
    releases: Vec<Release>,
    manifest: &str,
    (package, locked, fixed): (&str, &str, &str),
) -> (Sandbox, CargoRegistry) {
    let registry = CargoRegistry::start(releases);
    let mut sandbox = Sandbox::new();
    sandbox.allow_managers();
    sandbox.set("CARGO_HOME", sandbox.path("home/.cargo").to_str().unwrap());
    std::fs::create_dir(sandbox.path("home/.cargo")).unwrap();
    std::fs::write(sandbox.path("home/.cargo/config.toml"), registry.config()).unwrap();
    sandbox.write("Cargo.toml", manifest);
    sandbox.write("src/lib.rs", "");
    succeeds(&manager(&sandbox, "repo", "cargo", &["generate-lockfile"]));
    let pin = ["update", package, "--precise", locked];
    succeeds(&manager(&sandbox, "repo", "cargo", &pin));
    warn_of(&sandbox, "crates.io", package, fixed);

    (sandbox, registry)
}

/// Checks that Cargo accepts the lockfile.
#[track_caller]
pub(crate) fn cargo_agrees(sandbox: &Sandbox) {
    let check = ["metadata", "--locked", "--format-version=1"];
    succeeds(&manager(sandbox, "repo", "cargo", &check));
}
