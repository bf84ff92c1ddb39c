//! `patchgate fix` when a registry misbehaves or a program is missing: it reports the fault and changes
//! nothing.

use std::net::TcpListener;

use patchgate_testkit::{CargoRegistry, NpmRegistry, RegistryFault, Release};

use crate::fix::examples::fix;
use crate::support::fixture_registry::{
    cargo_project, files, npm_lock, npm_project, use_npm_registry,
};
use crate::support::sandbox::{Run, Sandbox};

fn leaves() -> Vec<Release> {
    ["1.0.0", "1.0.1"]
        .map(|version| Release::new("leaf", version, &[]))
        .to_vec()
}

fn npm() -> (Sandbox, NpmRegistry) {
    let manifest = r#"{"name": "shop", "version": "1.0.0", "dependencies": {"leaf": "1.0.0"}}"#;
    let (sandbox, registry) = npm_project(leaves(), manifest, ("leaf", "1.0.1"));
    npm_lock(&sandbox, &[]);
    (sandbox, registry)
}

fn cargo() -> (Sandbox, CargoRegistry) {
    let manifest = "[package]\nname = \"shop\"\nversion = \"1.0.0\"\nedition = \"2021\"\n\n\
                    [dependencies]\nleaf = \"1\"\n";
    cargo_project(leaves(), manifest, ("leaf", "1.0.0", "1.0.1"))
}

/// An address at which no server listens.
fn closed_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

/// Runs a fix that must fail; checks that no file changed and that every text of `reported` is printed.
#[track_caller]
fn fails(sandbox: &Sandbox, reported: &[&str]) -> Run {
    let before = files(sandbox);
    let run = fix(sandbox, "--apply").expect(3);
    let printed = format!("{}{}", run.stdout, run.stderr);
    for text in reported {
        assert!(printed.contains(text), "`{text}` is not said: {printed}");
    }
    assert!(before == files(sandbox), "a file changed");
    run
}

#[test]
fn an_npm_registry_that_misbehaves_is_named_and_nothing_changes() {
    let (sandbox, registry) = npm();
    let server = registry.url();
    let server = server.split('/').nth(2).unwrap();
    for (fault, sign) in [
        (RegistryFault::ServerError, "500"),
        (RegistryFault::TooManyRequests, "429"),
        (RegistryFault::HalfBody, ""),
        (RegistryFault::NotMetadata, ""),
    ] {
        registry.fail("leaf", fault, u32::MAX);
        eprintln!("{fault:?}");
        fails(&sandbox, &["leaf", server, sign]);
    }

    registry.fail("leaf", RegistryFault::ServerError, 0);
    fix(&sandbox, "--apply").expect(0);
}

#[test]
fn a_cargo_registry_that_misbehaves_is_named_and_nothing_changes() {
    let (sandbox, registry) = cargo();
    let server = registry.url();
    let server = server.split('/').nth(2).unwrap();
    for (fault, sign) in [
        (RegistryFault::ServerError, "500"),
        (RegistryFault::TooManyRequests, "429"),
        (RegistryFault::HalfBody, ""),
        (RegistryFault::NotMetadata, ""),
    ] {
        registry.fail("/le/af/leaf", fault, u32::MAX);
        eprintln!("{fault:?}");
        fails(&sandbox, &["leaf", server, sign]);
    }

    registry.fail("leaf", RegistryFault::ServerError, 0);
    fix(&sandbox, "--apply").expect(0);
}

#[test]
fn a_server_that_does_not_listen_is_named() {
    let (sandbox, _registry) = npm();
    let server = closed_address();
    use_npm_registry(&sandbox, &format!("http://{server}/"));
    fails(&sandbox, &["leaf", &server]);

    let (sandbox, registry) = cargo();
    let server = closed_address();
    let gone = registry
        .config()
        .replace(&registry.url(), &format!("http://{server}/index/"));
    std::fs::write(sandbox.path("home/.cargo/config.toml"), gone).unwrap();
    fails(&sandbox, &["leaf", &server]);
}

#[test]
fn a_missing_manager_is_named_with_the_next_step() {
    for (program, mut sandbox) in [("npm", npm().0), ("cargo", cargo().0)] {
        let empty = sandbox.path("empty");
        std::fs::create_dir(&empty).unwrap();
        sandbox.set("PATH", empty.to_str().unwrap());
        let next = format!("install `{program}` or put its directory on PATH");
        fails(&sandbox, &[&format!("`{program}` was not found"), &next]);
    }
}

#[test]
fn offline_with_an_empty_cache_names_the_missing_package() {
    let (sandbox, registry) = npm();
    std::fs::remove_dir_all(sandbox.path("cache")).unwrap();
    let (before, asked) = (files(&sandbox), registry.requests().len());
    let arguments = [
        "fix",
        "--apply",
        "--offline",
        "--store=store",
        "--max-age-days=36500",
        "repo",
    ];
    let run = sandbox.run(&arguments).expect(3);
    let printed = format!("{}{}", run.stdout, run.stderr);

    assert!(
        printed.contains("leaf") && printed.contains("offline"),
        "{printed}"
    );
    assert!(before == files(&sandbox), "a file changed");

    let asked: Vec<_> = registry.requests().split_off(asked);
    assert!(
        asked.is_empty(),
        "the registry was asked: {asked:?} {printed}"
    );
}

/// The findings stay, and the lockfile is left as it is: what could not be read would be lost.
#[test]
fn a_lockfile_that_is_read_in_part_is_not_changed() {
    let (sandbox, _registry) = npm();
    let path = sandbox.path("repo/package-lock.json");
    let text = std::fs::read_to_string(&path).unwrap();
    let odd = "\"packages\": {\n    \"node_modules/odd\": {},";
    std::fs::write(&path, text.replacen("\"packages\": {", odd, 1)).unwrap();

    let before = files(&sandbox);
    let run = fix(&sandbox, "--apply");
    let printed = format!("{}{}", run.stdout, run.stderr);

    assert!(printed.contains("leaf"), "{printed}");
    assert!(
        printed.contains("does not change a file that was read in part"),
        "{printed}"
    );
    assert!(before == files(&sandbox), "a file changed");
}

#[test]
fn a_lockfile_that_changes_during_the_fix_is_not_overwritten() {
    let (sandbox, registry) = npm();
    let path = sandbox.path("repo/package-lock.json");
    let other = std::fs::read_to_string(&path).unwrap() + "\n";
    let (to, text) = (path.clone(), other.clone());
    registry.before("leaf", move || std::fs::write(to, text).unwrap());
    let manifest = std::fs::read(sandbox.path("repo/package.json")).unwrap();
    let run = fix(&sandbox, "--apply").expect(2);
    let reported = "`package-lock.json` changed while the fix was planned";

    assert!(run.stderr.contains(reported), "{run:?}");
    assert_eq!(std::fs::read_to_string(path).unwrap(), other);
    assert!(manifest == std::fs::read(sandbox.path("repo/package.json")).unwrap());
}

/// npm's cache is below a file, so npm can write nothing. That says nothing about versions.
#[test]
fn a_place_that_npm_cannot_write_is_told_in_its_own_words() {
    let (mut sandbox, _registry) = npm();
    sandbox.set("npm_config_cache", "/dev/null/cache");
    let before = files(&sandbox);
    let run = sandbox
        .run(&[
            "fix",
            "--apply",
            "--engine=native",
            "--store=store",
            "--max-age-days=36500",
            "repo",
        ])
        .expect(3);
    let printed: Vec<&str> = run.stdout.split_whitespace().collect();
    let printed = printed.join(" ");
    for text in ["cannot run `npm` here", "ENOTDIR: mkdir `/dev/null/cache"] {
        assert!(printed.contains(text), "{printed}");
    }
    assert!(before == files(&sandbox), "a file changed");
    assert!(!run.stdout.contains("does not work"), "{run:?}");
    assert!(run.stdout.contains("1 finding remains"), "{run:?}");
}
