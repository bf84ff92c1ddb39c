//! `patchgate fix` on a `Cargo.lock` of an older Cargo, and on one with a source that is out of reach.

use patchgate_testkit::{CargoRegistry, Release};

use crate::support::fixture_registry::{cargo_agrees, cargo_project};
use crate::support::sandbox::{Run, Sandbox};

const MANIFEST: &str = "[package]\nname = \"shop\"\nversion = \"1.0.0\"\nedition = \"2018\"\n\
                        rust-version = \"1.70\"\n\n[dependencies]\nleaf = \"1\"\n";

/// A project with a lockfile of version 3, which Cargo would write in version 4 now.
fn project() -> (Sandbox, CargoRegistry) {
    let releases = vec![
        Release::new("leaf", "1.0.0", &[]),
        Release::new("leaf", "1.0.1", &[("twig", "1")]),
        Release::new("twig", "1.0.0", &[]),
    ];
    let (sandbox, registry) = cargo_project(releases, MANIFEST, ("leaf", "1.0.0", "1.0.1"));
    sandbox.write(
        "Cargo.toml",
        MANIFEST.replace("rust-version = \"1.70\"\n", ""),
    );
    assert!(lockfile(&sandbox).contains("\nversion = 3\n"));
    (sandbox, registry)
}

fn lockfile(sandbox: &Sandbox) -> String {
    std::fs::read_to_string(sandbox.path("repo/Cargo.lock")).unwrap()
}

fn fix(sandbox: &Sandbox, engine: &str) -> Run {
    sandbox.run(&[
        "fix",
        "--apply",
        "--engine",
        engine,
        "--store",
        "store",
        "--max-age-days",
        "36500",
        "repo",
    ])
}

#[test]
fn the_lockfile_keeps_its_version_however_it_is_written() {
    let mut written = Vec::new();
    for engine in ["direct", "native", "auto"] {
        let (sandbox, _registry) = project();
        fix(&sandbox, engine).expect(0);
        let lockfile = lockfile(&sandbox);
        assert!(lockfile.contains("\nversion = 3\n"), "{engine}: {lockfile}");
        assert!(lockfile.contains("name = \"twig\""), "{engine}: {lockfile}");
        cargo_agrees(&sandbox);
        // The address of the registry is another one each time.
        let lines = lockfile.lines().filter(|line| !line.starts_with("source"));
        written.push(lines.collect::<Vec<_>>().join("\n"));
    }
    assert_eq!(written[0], written[1]);
    assert_eq!(written[0], written[2]);
}

#[test]
fn a_git_dependency_out_of_reach_does_not_stop_the_rest() {
    let (sandbox, _registry) = project();
    let manifest = std::fs::read_to_string(sandbox.path("repo/Cargo.toml")).unwrap();
    sandbox.write(
        "Cargo.toml",
        format!("{manifest}far = {{ git = \"http://127.0.0.1:1/far\" }}\n"),
    );
    let far = "[[package]]\nname = \"far\"\nversion = \"0.1.0\"\n\
               source = \"git+http://127.0.0.1:1/far#0123456789abcdef0123456789abcdef01234567\"\n\n";
    let locked = lockfile(&sandbox)
        .replace(
            "[[package]]\nname = \"leaf\"",
            &format!("{far}[[package]]\nname = \"leaf\""),
        )
        .replace(" \"leaf\",", " \"far\",\n \"leaf\",");
    sandbox.write("Cargo.lock", &locked);

    let run = fix(&sandbox, "auto").expect(3);
    let printed = format!("{}{}", run.stdout, run.stderr);
    assert!(printed.contains("not checked"), "{printed}");
    let lockfile = lockfile(&sandbox);
    assert!(lockfile.contains("version = \"1.0.1\""), "{lockfile}");
    assert!(lockfile.contains(far), "{lockfile}");
}
