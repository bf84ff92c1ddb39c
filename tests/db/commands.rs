//! `patchgate db`.

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
