//! `patchgate fix` on repositories that try to run a program of theirs.
#![cfg(unix)]

use std::os::unix::fs::PermissionsExt;

use patchgate_testkit::Release;
use serde_json::json;

use crate::fix::examples::fix;
use crate::support::fixture_registry::{
    cargo_project, files, manager, npm_lock, npm_lockfile, npm_project,
};
use crate::support::sandbox::{Sandbox, copy};

/// Puts a program at `evil` that leaves `marker` behind.
fn plant(sandbox: &Sandbox) {
    let (program, marker) = (sandbox.path("evil"), sandbox.path("marker"));
    std::fs::write(&program, format!("#!/bin/sh\n: > '{}'\n", marker.display())).unwrap();
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
    let script = format!("require('fs').writeFileSync('{}', '')\n", marker.display());
    std::fs::write(sandbox.path("evil.js"), script).unwrap();
}

/// Checks that the trap works: the manager itself, run carelessly in a copy, triggers it.
#[track_caller]
fn triggers(sandbox: &Sandbox, program: &str, arguments: &[&str]) {
    copy(&sandbox.path("repo"), &sandbox.path("careless"));
    let output = manager(sandbox, "careless", program, arguments);
    let marker = sandbox.path("marker");
    assert!(marker.exists(), "the trap does not work: {output:?}");
    std::fs::remove_file(marker).unwrap();
}

#[test]
fn no_program_of_an_npm_repository_runs() {
    let touch = "touch \"$PWD/../marker\" \"$INIT_CWD/../marker\"";
    let releases = ["1.0.0", "1.0.1"]
        .map(|version| Release::new("leaf", version, &[]).with_install_script(touch))
        .to_vec();
    let manifest = json!({
        "name": "shop", "version": "1.0.0", "dependencies": {"leaf": "1.0.0"},
    });
    let (sandbox, _registry) = npm_project(releases, &manifest.to_string(), ("leaf", "1.0.1"));
    npm_lock(&sandbox, &[]);
    plant(&sandbox);
    let evil = sandbox.path("evil").display().to_string();
    // First the dependency's own scripts, then those of the repository, then its settings.
    triggers(
        &sandbox,
        "npm",
        &["install", "--no-audit", "--dangerously-allow-all-scripts"],
    );
    let mut manifest = manifest;
    for script in [
        "preinstall",
        "install",
        "postinstall",
        "prepublish",
        "prepare",
        "dependencies",
    ] {
        manifest["scripts"][script] = json!(evil);
    }
    sandbox.write("package.json", manifest.to_string());
    std::fs::remove_dir_all(sandbox.path("careless")).unwrap();
    triggers(&sandbox, "npm", &["install", "--no-audit"]);
    let directory = sandbox.path("");
    let settings = format!(
        "script-shell={evil}\nshell={evil}\ngit={evil}\neditor={evil}\nignore-scripts=false\n\
         node-options=--require={evil}.js\nonload-script={evil}.js\ninit-module={evil}.js\n\
         prefix={0}\nglobalconfig={0}/global\nuserconfig={0}/user\ncache={0}/elsewhere\n\
         dangerously-allow-all-scripts=true\n",
        directory.display()
    );
    sandbox.write(".npmrc", settings);
    std::fs::remove_dir_all(sandbox.path("careless")).unwrap();
    triggers(&sandbox, "npm", &["install", "--no-audit"]);
    std::fs::remove_dir_all(sandbox.path("elsewhere")).unwrap();

    let names: Vec<_> = files(&sandbox).into_keys().collect();
    fix(&sandbox, "--apply").expect(0);
    assert!(
        !sandbox.path("marker").exists(),
        "a program of the repository ran"
    );
    assert!(
        !sandbox.path("elsewhere").exists(),
        "npm used the repository's cache"
    );
    assert_eq!(names, files(&sandbox).into_keys().collect::<Vec<_>>());
    let lockfile = npm_lockfile(&sandbox);
    assert_eq!(
        lockfile["packages"]["node_modules/leaf"]["version"],
        "1.0.1"
    );
}

#[test]
fn no_program_of_a_cargo_repository_runs() {
    let releases = ["1.0.0", "1.0.1"]
        .map(|version| Release::new("leaf", version, &[]))
        .to_vec();
    let manifest = "[package]\nname = \"shop\"\nversion = \"1.0.0\"\nedition = \"2021\"\n\
                    build = \"build.rs\"\n\n[dependencies]\nleaf = \"1\"\n";
    let (sandbox, _registry) = cargo_project(releases, manifest, ("leaf", "1.0.0", "1.0.1"));
    plant(&sandbox);
    let evil = sandbox.path("evil").display().to_string();
    let build =
        format!("fn main() {{ std::process::Command::new({evil:?}).status().unwrap(); }}\n");
    sandbox.write("build.rs", build);
    triggers(&sandbox, "cargo", &["check"]);
    let settings = format!(
        "[build]\nrustc = {evil:?}\nrustc-wrapper = {evil:?}\nrustc-workspace-wrapper = {evil:?}\n\
         rustdoc = {evil:?}\n\n[target.'cfg(all())']\nrunner = {evil:?}\nlinker = {evil:?}\n\n\
         [alias]\nupdate = \"run\"\nlocate-project = \"run\"\n\n\
         [env]\nRUSTC = {{ value = {evil:?}, force = true }}\nPATH = {{ value = \".\", force = true }}\n\n\
         [registry]\nglobal-credential-providers = [{evil:?}]\n\n\
         [registries.crates-io]\ncredential-provider = [{evil:?}]\n\n\
         [net]\ngit-fetch-with-cli = true\n"
    );
    sandbox.write(".cargo/config.toml", settings);
    std::fs::remove_dir_all(sandbox.path("careless")).unwrap();
    triggers(&sandbox, "cargo", &["check"]);
    sandbox.write(
        "rust-toolchain.toml",
        format!(
            "[toolchain]
path = {evil:?}
"
        ),
    );

    let names: Vec<_> = files(&sandbox).into_keys().collect();
    fix(&sandbox, "--apply").expect(0);
    assert!(
        !sandbox.path("marker").exists(),
        "a program of the repository ran"
    );
    assert_eq!(names, files(&sandbox).into_keys().collect::<Vec<_>>());
    let lockfile = std::fs::read_to_string(sandbox.path("repo/Cargo.lock")).unwrap();
    assert!(
        lockfile.contains("name = \"leaf\"\nversion = \"1.0.1\""),
        "{lockfile}"
    );
}
