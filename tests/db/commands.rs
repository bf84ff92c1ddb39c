//! `patchgate db`.

use std::io::Write as _;

use crate::support::sandbox::Sandbox;

#[test]
fn a_store_is_built_and_its_content_listed() {
    let sandbox = Sandbox::new();
    sandbox.build_store();
    let status = sandbox
        .run(&["db", "status", "--store", "store", "--format", "json"])
        .expect(0)
        .json();
    let records = |name: &str| {
        status["sources"]
            .as_array()
            .unwrap()
            .iter()
            .find(|source| source["name"] == name)
            .map(|source| source["records"].as_u64().unwrap())
    };

    assert_eq!(records("osv:npm"), Some(10), "{status:#}");
    assert_eq!(records("osv:crates.io"), Some(4));
    assert_eq!(records("kev"), Some(1));
    assert_eq!(records("epss"), Some(13));
}

#[test]
fn an_old_store_is_reported_beyond_a_limit_that_can_be_set() {
    let sandbox = Sandbox::new();
    sandbox.build_store();
    let old = sandbox.run(&["db", "status", "--store", "store"]).expect(0);

    assert!(old.stdout.contains("warning"), "{}", old.stdout);

    let patient = sandbox
        .run(&[
            "db",
            "status",
            "--store",
            "store",
            "--max-age-days",
            "36500",
        ])
        .expect(0);
    assert!(!patient.stdout.contains("warning"), "{}", patient.stdout);
}

#[test]
fn a_failed_build_leaves_the_store_as_it_was() {
    let sandbox = Sandbox::new();
    sandbox.build_store();
    let before = sandbox.run(&["db", "status", "--store", "store", "--format", "json"]);
    let run = sandbox.run(&["db", "build", "--from", "nowhere", "--into", "store"]);

    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.stderr.contains("nowhere"), "{}", run.stderr);

    let after = sandbox.run(&["db", "status", "--store", "store", "--format", "json"]);
    let names = |run: &crate::support::sandbox::Run| {
        crate::support::sandbox::texts(&run.json()["sources"], "name")
    };

    assert_eq!(names(&before), names(&after));
}

#[test]
fn a_truncated_archive_is_named_and_fails_the_build() {
    let Some(shared) = patchgate_testkit::shared_dir() else {
        return;
    };
    let sandbox = Sandbox::new();
    let whole = std::fs::read(shared.join("advisories/crates.io/all.zip")).unwrap();

    std::fs::create_dir_all(sandbox.path("half/crates.io")).unwrap();
    std::fs::write(
        sandbox.path("half/crates.io/all.zip"),
        &whole[..whole.len() / 2],
    )
    .unwrap();
    let run = sandbox
        .run(&["db", "build", "--from", "half", "--into", "store"])
        .expect(2);
    assert!(
        format!("{}{}", run.stdout, run.stderr).contains("all.zip"),
        "{run:?}"
    );
}

#[test]
fn a_store_is_built_from_the_published_feeds() {
    let Some(shared) = patchgate_testkit::shared_dir() else {
        return;
    };
    let sandbox = Sandbox::new();
    let advisories = shared.join("advisories/npm");
    let feeds = shared.join("feeds");
    sandbox.run(&[
        "db",
        "build",
        "--from",
        advisories.to_str().unwrap(),
        "--from",
        feeds.to_str().unwrap(),
        "--into",
        "store",
    ]);
    let status = sandbox
        .run(&["db", "status", "--store", "store", "--format", "json"])
        .expect(0)
        .json();
    let names = crate::support::sandbox::texts(&status["sources"], "name");

    for name in ["osv:npm", "kev", "epss"] {
        assert!(names.iter().any(|found| found == name), "{names:?}");
    }
}

#[test]
fn the_cache_key_depends_on_the_content() {
    let sandbox = Sandbox::new();
    sandbox.build_store();
    let key = || {
        let status = sandbox.run(&["db", "status", "--store", "store", "--format", "json"]);
        status.expect(0).json()["cache_key"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let first = key();

    assert!(first.starts_with("patchgate-store-"), "{first}");

    sandbox.build_store();
    assert_eq!(key(), first);

    let update = sandbox
        .run(&[
            "db",
            "update",
            "--into",
            "store",
            "--ecosystem",
            "npm",
            "--mirror",
            "nowhere",
            "--kev-url",
            "none",
            "--epss-url",
            "none",
        ])
        .expect(3);
    assert!(
        update.stdout.contains(&format!("cache key: {first}")),
        "{update:?}"
    );
}

#[test]
fn verify_finds_damage() {
    let sandbox = Sandbox::new();
    sandbox.build_store();
    let whole = sandbox.run(&["db", "verify", "--store", "store"]).expect(0);

    assert!(whole.stdout.contains("osv:npm"), "{whole:?}");
    assert!(!whole.stdout.contains("damaged"), "{whole:?}");

    let table = std::fs::read_dir(sandbox.path("store"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.display().to_string().contains("osv-npm-"))
        .unwrap();
    let mut bytes = std::fs::read(&table).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&table, bytes).unwrap();
    let damaged = sandbox.run(&["db", "verify", "--store", "store"]).expect(3);
    let name = table.file_name().unwrap().to_str().unwrap();
    let lines: Vec<&str> = damaged
        .stdout
        .lines()
        .filter(|line| line.starts_with("damaged"))
        .collect();

    assert!(
        matches!(lines[..], [line] if line.contains(name)),
        "{damaged:?}"
    );
    assert!(damaged.stderr.contains("patchgate db build"), "{damaged:?}");

    sandbox
        .run(&["db", "verify", "--store", "nowhere"])
        .expect(2);
}

/// The names of the sources of the store at `store/`.
fn sources(sandbox: &Sandbox) -> Vec<String> {
    let status = sandbox.run(&["db", "status", "--store", "store", "--format", "json"]);
    crate::support::sandbox::texts(&status.expect(0).json()["sources"], "name")
}

#[test]
fn a_build_deletes_other_content_only_with_replace() {
    let sandbox = Sandbox::new();
    sandbox.build_store();
    let before = sources(&sandbox);
    sandbox.write(
        "own/X-1.json",
        r#"{"id": "X-1", "affected": [{"package": {"ecosystem": "npm", "name": "a"},
            "versions": ["1.0.0"]}]}"#,
    );
    let build = ["db", "build", "--from", "repo/own", "--into", "store"];
    let refused = sandbox.run(&build).expect(2);

    assert!(
        refused
            .stderr
            .contains("the build would replace the store in `store`, which contains `epss`"),
        "{refused:?}"
    );
    for way_out in ["patchgate db update", "--replace"] {
        assert!(refused.stderr.contains(way_out), "{refused:?}");
    }
    assert_eq!(sources(&sandbox), before);
    sandbox.run(&["db", "verify", "--store", "store"]).expect(0);

    // The same inputs again take nothing away.
    sandbox.build_store();
    assert_eq!(sources(&sandbox), before);

    sandbox
        .run(&[&build[..], &["--replace"]].concat())
        .expect(0);
    assert_eq!(sources(&sandbox), ["osv:npm"]);
}

#[test]
fn a_directory_that_is_not_a_store_is_never_built_into() {
    let sandbox = Sandbox::new();
    sandbox.write("src/main.rs", "fn main() {}");
    sandbox.write("data.table", "mine");
    let advisories = crate::support::sandbox::root().join("examples/advisories");
    let advisories = advisories.to_str().unwrap();
    let update = [
        "db",
        "update",
        "--ecosystem",
        "npm",
        "--mirror",
        advisories,
        "--kev-url",
        "none",
        "--epss-url",
        "none",
    ];

    for arguments in [
        &["db", "build", "--from", advisories][..],
        &["db", "build", "--from", advisories, "--replace"],
        &update,
    ] {
        for into in ["repo", "repo/data.table"] {
            let run = sandbox
                .run(&[arguments, &["--into", into]].concat())
                .expect(2);
            let text = format!("`{into}` is neither an advisory store nor an empty directory");
            assert!(run.stderr.contains(&text), "{run:?}");
        }
    }

    let mut names: Vec<_> = std::fs::read_dir(sandbox.path("repo"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["data.table", "src"]);

    // An empty directory is as good as none.
    std::fs::create_dir(sandbox.path("store")).unwrap();
    sandbox.build_store();
}

/// The hint is run as it is printed, with the flags that it names for a machine without a network.
#[test]
fn the_hint_for_a_missing_ecosystem_adds_it_to_the_store() {
    let sandbox = Sandbox::new();
    sandbox.example("cargo-service");
    let advisories = crate::support::sandbox::root().join("examples/advisories");
    let npm = advisories.join("npm");
    let npm = npm.to_str().unwrap();
    sandbox
        .run(&["db", "build", "--from", npm, "--into", "store"])
        .expect(0);
    let scan = || sandbox.offline("scan", &["--format", "json", "repo"]);
    let report = scan().expect(3).json();
    let hint = report["incomplete"][0]["hint"].as_str().unwrap();
    let command = hint.split('`').nth(1).unwrap();

    assert_eq!(
        command,
        "patchgate db update --into store --ecosystem crates.io"
    );
    for flag in ["--mirror", "--kev-url none", "--epss-url none"] {
        assert!(hint.contains(flag), "{hint}");
    }

    export(&sandbox, "crates.io");

    let mut arguments: Vec<&str> = command.split(' ').skip(1).collect();
    arguments.extend([
        "--mirror",
        "exports",
        "--kev-url",
        "none",
        "--epss-url",
        "none",
    ]);
    sandbox.run(&arguments).expect(0);

    assert_eq!(sources(&sandbox), ["osv:crates.io", "osv:npm"]);
    let report = scan().expect(1).json();
    assert_eq!(report["incomplete"].as_array().unwrap().len(), 0);
    assert_eq!(report["findings"].as_array().unwrap().len(), 3);
}

/// Writes an export of OSV's layout to `exports`, with the example's advisories of an ecosystem.
fn export(sandbox: &Sandbox, ecosystem: &str) {
    let directory = format!("exports/{ecosystem}");
    std::fs::create_dir_all(sandbox.path(&directory)).unwrap();
    let file = std::fs::File::create(sandbox.path(&format!("{directory}/all.zip"))).unwrap();
    let mut export = zip::ZipWriter::new(file);
    let advisories = crate::support::sandbox::root().join("examples/advisories");
    for record in std::fs::read_dir(advisories.join(ecosystem)).unwrap() {
        let path = record.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        export
            .start_file(name, zip::write::SimpleFileOptions::default())
            .unwrap();
        export.write_all(&std::fs::read(&path).unwrap()).unwrap();
    }
    export.finish().unwrap();
}

/// An update without names fetches what the repository depends on, packages without a lockfile
/// included, and then what the store has.
#[test]
fn an_update_fetches_the_ecosystems_that_the_repository_uses() {
    let sandbox = Sandbox::new();
    export(&sandbox, "npm");
    export(&sandbox, "crates.io");
    let update = |repository: &str| {
        sandbox.run(&[
            "db",
            "update",
            "--into",
            "store",
            "--repository",
            repository,
            "--mirror",
            "exports",
            "--kev-url",
            "none",
            "--epss-url",
            "none",
        ])
    };
    sandbox.write("empty/README.md", "nothing");
    let refused = update("repo/empty").expect(2);
    assert!(
        refused.stderr.contains("depends on no ecosystem"),
        "{refused:?}"
    );

    sandbox.write(
        "a/package.json",
        r#"{"dependencies": {"left-pad": "^1.0.0"}}"#,
    );
    update("repo/a").expect(0);
    assert_eq!(sources(&sandbox), ["osv:npm"]);

    sandbox.write(
        "b/Cargo.toml",
        "[package]\nname = \"b\"\n[dependencies]\nserde = \"1\"\n",
    );
    update("repo/b").expect(0);
    assert_eq!(sources(&sandbox), ["osv:crates.io", "osv:npm"]);
    update("repo/empty").expect(0);
    assert_eq!(sources(&sandbox).len(), 2);
}
