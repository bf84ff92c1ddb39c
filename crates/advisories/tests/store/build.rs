//! Stores that are built from various inputs, and compared with the real records.

use std::fs;

use jiff::{SignedDuration, Timestamp};
use patchgate_advisories::{SignalSource as _, Store};
use patchgate_model::{EcosystemName, KevStatus};

use crate::support::*;

/// The same content in every supported form.
#[test]
fn finds_the_same_content_in_every_form() {
    let one = record("X-1", "npm", "a");
    let expected = [("epss", 1), ("kev", 1), ("osv:npm", 1)].map(|(a, b)| (a.to_owned(), b));
    let export = zip(&[("X-1.json", one.as_bytes())]);
    let bundle = zip(&[
        ("npm/all.zip", &export),
        ("feeds/kev.json", CATALOGUE.as_bytes()),
        ("feeds/epss.csv.gz", &gzip(SCORES)),
        ("../../readme.txt", b"no advisory"),
    ]);
    let forms: [&[(&str, &[u8])]; 4] = [
        &[
            ("npm/all.zip", &export),
            ("k.json", CATALOGUE.as_bytes()),
            ("e.csv", SCORES.as_bytes()),
        ],
        &[
            ("X-1.json", one.as_bytes()),
            ("a/k", CATALOGUE.as_bytes()),
            ("e", &gzip(SCORES)),
        ],
        &[(
            "some.zip",
            &zip(&[
                ("X-1.json", one.as_bytes()),
                ("k.json", CATALOGUE.as_bytes()),
                ("e.csv", SCORES.as_bytes()),
            ]),
        )],
        &[("bundle.zip", &bundle)],
    ];

    for files in forms {
        let from = tempfile::tempdir().unwrap();
        let into = tempfile::tempdir().unwrap();
        for (name, bytes) in files {
            put(&from.path().join(name), bytes);
        }

        let report = build(&[from.path()], into.path());
        assert_eq!(report.problems, []);
        assert_eq!(names(&report), expected);

        let store = Store::open(into.path()).unwrap();
        let lookup = store.lookup(&[
            query(EcosystemName::new("npm"), "a"),
            query(EcosystemName::new("npm"), "b"),
        ]);

        assert_eq!(
            (ids(&lookup), lookup.problems),
            (vec!["X-1".to_owned()], vec![])
        );
        assert_eq!(store.epss("CVE-1-1").unwrap().unwrap().probability, 0.5);
        assert_eq!(store.epss("CVE-1-2").unwrap(), None);
        assert_eq!(
            store.kev("CVE-1-1").unwrap().entry().unwrap().due_date,
            "2026-01-22"
        );
        assert_eq!(store.kev("CVE-1-2").unwrap(), KevStatus::NotListed);
        assert_eq!(store.find_id("X-1").unwrap().len(), 1);
        assert_eq!(store.find_id("CVE-1-1").unwrap().len(), 1);
        assert_eq!(store.find_id("CVE-1-2").unwrap(), []);
    }
}

#[test]
fn an_ecosystem_that_is_lacking_is_named_and_the_others_are_answered() {
    let folder = tempfile::tempdir().unwrap();
    put(
        &folder.path().join("X-1.json"),
        record("X-1", "npm", "a").as_bytes(),
    );
    let into = tempfile::tempdir().unwrap();
    build(&[folder.path()], into.path());
    let store = Store::open(into.path()).unwrap();

    assert_eq!(store.ecosystems().collect::<Vec<_>>(), ["npm"]);

    let lookup = store.lookup(&[
        query(EcosystemName::new("npm"), "a"),
        query(EcosystemName::new("crates.io"), "a"),
    ]);
    assert_eq!(ids(&lookup), ["X-1"]);
    assert_eq!(lookup.problems.len(), 1);
    assert_eq!(lookup.problems[0].subject, "crates.io");
    assert!(lookup.problems[0].hint.as_ref().unwrap().contains(&format!(
        "patchgate db update --into {} --ecosystem crates.io",
        into.path().display()
    )));

    // Without feeds the signals are unknown, which is not "no".
    assert_eq!(store.kev("CVE-1-1").unwrap(), KevStatus::NotConsulted);
    assert_eq!(store.epss("CVE-1-1").unwrap(), None);
}

/// So many questions that several threads share them.
#[test]
fn many_packages_are_looked_up_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let places = [0, 1, 1999, 2000, 4000, 5999, 9_999];
    for n in places {
        let text = record(&format!("X-{n}"), "npm", &format!("p{n}"));
        put(&folder.path().join(format!("{n}.json")), text.as_bytes());
    }

    let into = tempfile::tempdir().unwrap();
    build(&[folder.path()], into.path());
    let queries: Vec<_> = (0..10_000)
        .map(|n| query(EcosystemName::new("npm"), &format!("p{n}")))
        .collect();
    let lookup = Store::open(into.path()).unwrap().lookup(&queries);

    assert_eq!(lookup.problems, []);

    let found: Vec<_> = lookup
        .advisories
        .iter()
        .map(|((_, name), records)| (name.to_string(), records[0].id.to_string()))
        .collect();
    let mut expected = places.map(|n| (format!("p{n}"), format!("X-{n}")));
    expected.sort();

    assert_eq!(found, expected);
}

/// An export of npm has records that mention other ecosystems, but is not a complete export of
/// those.
#[test]
fn an_ecosystem_that_is_only_mentioned_is_not_complete() {
    let both = serde_json::json!({"id": "X-2", "affected": [
        {"package": {"ecosystem": "npm", "name": "a"}, "versions": ["1.0.0"]},
        {"package": {"ecosystem": "crates.io", "name": "a"}, "versions": ["1.0.0"]},
    ]})
    .to_string();
    let one = record("X-1", "npm", "a");
    let entries: [(&str, &[u8]); 2] = [("X-1.json", one.as_bytes()), ("X-2.json", both.as_bytes())];

    for path in ["npm/all.zip", "export.zip"] {
        let folder = tempfile::tempdir().unwrap();
        put(&folder.path().join(path), &zip(&entries));
        let into = tempfile::tempdir().unwrap();
        build(&[folder.path()], into.path());
        let store = Store::open(into.path()).unwrap();
        assert_eq!(store.ecosystems().collect::<Vec<_>>(), ["npm"], "{path}");
        let lookup = store.lookup(&[query(EcosystemName::new("crates.io"), "a")]);
        assert_eq!(ids(&lookup), ["X-2"]);
        assert_eq!(lookup.problems[0].subject, "crates.io");
    }
}

#[test]
fn of_two_copies_of_a_record_the_newer_counts() {
    let folder = tempfile::tempdir().unwrap();
    let old = record("X-1", "npm", "a");
    let new = old
        .replace("2026-01-01", "2026-02-01")
        .replace("2.0.0", "3.0.0");

    for (old_at, new_at) in [("1.json", "2.json"), ("2.json", "1.json")] {
        put(&folder.path().join(old_at), old.as_bytes());
        put(&folder.path().join(new_at), new.as_bytes());
        let into = tempfile::tempdir().unwrap();
        let report = build(&[folder.path()], into.path());

        assert_eq!(names(&report), [("osv:npm".to_owned(), 1)]);

        let lookup = Store::open(into.path())
            .unwrap()
            .lookup(&[query(EcosystemName::new("npm"), "a")]);
        let record = &lookup.advisories.values().next().unwrap()[0];

        assert_eq!(record.affected[0].ranges[0].events[1].version, "3.0.0");
    }
}

#[test]
fn a_build_replaces_the_files_of_the_one_before() {
    let folder = tempfile::tempdir().unwrap();
    let into = tempfile::tempdir().unwrap();
    let listed = || -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(into.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    };

    put(
        &folder.path().join("X-1.json"),
        record("X-1", "npm", "a").as_bytes(),
    );
    build(&[folder.path()], into.path());
    let first = listed();

    build(&[folder.path()], into.path());
    assert_eq!(listed(), first, "the same input gives the same files");

    put(
        &folder.path().join("X-2.json"),
        record("X-2", "npm", "b").as_bytes(),
    );
    put(&into.path().join(".building-left-over"), b"half a file");
    build(&[folder.path()], into.path());

    assert_eq!(listed().len(), first.len());
    assert_ne!(listed(), first);
}

#[test]
fn an_old_store_warns() {
    let folder = tempfile::tempdir().unwrap();
    let into = tempfile::tempdir().unwrap();
    put(
        &folder.path().join("X-1.json"),
        record("X-1", "npm", "a").as_bytes(),
    );
    build(&[folder.path()], into.path());
    let warning = |now: &str| {
        let now: Timestamp = now.parse().unwrap();
        let store = Store::open(into.path()).unwrap();
        let store = store.with_max_age(now, SignedDuration::from_hours(7 * 24));
        assert_eq!(
            store
                .lookup(&[query(EcosystemName::new("npm"), "a")])
                .sources,
            store.status()
        );
        store.status()[0].warning.clone()
    };

    assert_eq!(warning("2026-01-08T00:00:00Z"), None);

    let old = warning("2026-01-10T12:00:00Z").unwrap();
    assert!(
        old.starts_with("it is 9 days old, more than the limit of 7"),
        "{old}"
    );
}

#[test]
fn the_real_records_are_all_there() {
    let Some(shared) = patchgate_testkit::shared_dir() else {
        return;
    };
    let into = tempfile::tempdir().unwrap();
    let report = build(
        &[&shared.join("advisories"), &shared.join("feeds")],
        into.path(),
    );

    assert_eq!(report.problems, []);
    // Decision tables and the list of ecosystems have no records. Everything else is recognised.
    let tables = std::fs::read_dir(shared.join("feeds/ssvc"))
        .unwrap()
        .count();
    assert_eq!(report.unrecognised.len(), tables + 1, "{report:?}");

    let whole: Vec<(String, u64)> = report
        .sources
        .iter()
        .filter(|source| source.warning.is_none())
        .map(|source| (source.name.clone(), source.records.unwrap()))
        .collect();
    let expected = [
        ("epss", 313_089),
        ("kev", 1_404),
        ("osv:Go", 4_294),
        ("osv:Maven", 424),
        ("osv:NuGet", 27),
        ("osv:PyPI", 2_665),
        ("osv:crates.io", 1_206),
        ("osv:npm", 3_203),
    ];

    assert_eq!(
        whole,
        expected.map(|(name, records)| (name.to_owned(), records))
    );

    let store = Store::open(into.path()).unwrap();
    let log4shell = store.kev("CVE-2021-44228").unwrap();
    let log4shell = log4shell.entry().unwrap();

    assert!(log4shell.ransomware);
    assert!(store.epss("CVE-2021-44228").unwrap().unwrap().probability > 0.9);

    let smallvec = store.lookup(&[query(EcosystemName::new("crates.io"), "smallvec")]);
    assert!(ids(&smallvec).contains(&"RUSTSEC-2018-0003".to_owned()));

    let by_alias = store.find_id("CVE-2018-20991").unwrap();
    assert_eq!(by_alias[0].id, "RUSTSEC-2018-0003");
}
