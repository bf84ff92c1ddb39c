//! The offline store: built, published, damaged, and compared with the real records.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use patchgate_advisories::{
    BuildReport, Lookup, PackageQuery, SignalSource as _, Store, StoreError, UpdateOptions,
};
use patchgate_http::{Client, ClientOptions};
use patchgate_testkit::{HttpServer, Response};

fn record(id: &str, ecosystem: &str, name: &str) -> String {
    serde_json::json!({
        "id": id, "modified": "2026-01-01T00:00:00Z", "aliases": ["CVE-1-1"],
        "affected": [{"package": {"ecosystem": ecosystem, "name": name},
            "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "2.0.0"}]}]}],
    })
    .to_string()
}

fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, body) in entries {
        writer
            .start_file(*name, zip::write::SimpleFileOptions::default())
            .unwrap();
        writer.write_all(body).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn gzip(text: &str) -> Vec<u8> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    writer.write_all(text.as_bytes()).unwrap();
    writer.finish().unwrap()
}

const SCORES: &str = "#model_version:v1,score_date:2026-01-30T12:55:00Z\ncve,epss,percentile\n\
                      CVE-1-1,0.5,0.9\n";

const CATALOGUE: &str = r#"{"catalogVersion": "1", "dateReleased": "2026-01-02T00:00:00Z",
    "count": 1, "vulnerabilities": [{"cveID": "CVE-1-1", "dateAdded": "2026-01-01",
    "dueDate": "2026-01-22", "knownRansomwareCampaignUse": "Unknown"}]}"#;

fn put(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

fn build(from: &[&Path], into: &Path) -> BuildReport {
    let from: Vec<PathBuf> = from.iter().map(|path| (*path).to_owned()).collect();
    Store::build(&from, into, &|_| {}).unwrap()
}

fn query(ecosystem: &'static str, name: &str) -> PackageQuery {
    PackageQuery {
        ecosystem,
        distribution: None,
        name: name.to_owned(),
        version: None,
    }
}

fn ids(lookup: &Lookup) -> Vec<String> {
    lookup
        .advisories
        .values()
        .flatten()
        .map(|record| record.id.clone())
        .collect()
}

fn names(report: &BuildReport) -> Vec<(String, u64)> {
    report
        .sources
        .iter()
        .map(|source| (source.name.clone(), source.records.unwrap()))
        .collect()
}

/// The same content in every form in which it may stand.
#[test]
fn finds_everything_wherever_it_stands() {
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
        let lookup = store.lookup(&[query("npm", "a"), query("npm", "b")]);
        assert_eq!(
            (ids(&lookup), lookup.problems),
            (vec!["X-1".to_owned()], vec![])
        );
        assert_eq!(store.epss("CVE-1-1").unwrap().unwrap().probability, 0.5);
        assert_eq!(store.epss("CVE-1-2").unwrap(), None);
        assert_eq!(
            store.kev("CVE-1-1").unwrap().unwrap().unwrap().due_date,
            "2026-01-22"
        );
        assert_eq!(store.kev("CVE-1-2").unwrap(), Some(None));
        assert_eq!(store.find_id("X-1").unwrap().len(), 1);
        assert_eq!(store.find_id("CVE-1-1").unwrap().len(), 1);
        assert_eq!(store.find_id("CVE-1-2").unwrap(), []);
    }
}

#[test]
fn a_bad_record_is_named_and_the_others_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let good = record("X-1", "npm", "a");
    let half = &good.as_bytes()[..good.len() / 2];
    let no_id = br#"{"schema_version": "1.0.0", "affected": []}"#;
    let export = zip(&[
        ("bad.json", half),
        ("empty.json", b""),
        ("no-id.json", no_id),
        ("X-1.json", good.as_bytes()),
        ("other.json", b"{}"),
    ]);
    put(&folder.path().join("npm/all.zip"), &export);
    let into = tempfile::tempdir().unwrap();
    let report = build(&[folder.path()], into.path());
    let reasons: Vec<String> = report
        .problems
        .iter()
        .map(|one| format!("{} {}", one.subject.rsplit('!').next().unwrap(), one.reason))
        .collect();
    assert_eq!(reasons.len(), 3, "{reasons:?}");
    assert!(
        reasons[0].starts_with("bad.json not an OSV record: EOF"),
        "{reasons:?}"
    );
    assert!(
        reasons[1].starts_with("empty.json cannot be read: it is empty"),
        "{reasons:?}"
    );
    assert!(
        reasons[2].starts_with("no-id.json the record has no id"),
        "{reasons:?}"
    );
    assert_eq!(report.unrecognised.len(), 1);
    let store = Store::open(into.path()).unwrap();
    let warning = store.status()[0].warning.clone().unwrap();
    assert_eq!(warning, "3 records could not be read when it was built");
    assert_eq!(ids(&store.lookup(&[query("npm", "a")])), ["X-1"]);
}

#[test]
fn a_damaged_archive_or_feed_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let export = zip(&[("X-1.json", record("X-1", "npm", "a").as_bytes())]);
    put(&folder.path().join("npm/all.zip"), &export);
    put(
        &folder.path().join("Go/all.zip"),
        &export[..export.len() / 2],
    );
    let scores = gzip(&SCORES.repeat(50));
    put(
        &folder.path().join("epss.csv.gz"),
        &scores[..scores.len() - 9],
    );
    put(
        &folder.path().join("kev.json"),
        CATALOGUE.replace(": 1,", ": 2,").as_bytes(),
    );
    let into = tempfile::tempdir().unwrap();
    let report = build(&[folder.path()], into.path());
    let mut subjects: Vec<String> = report
        .problems
        .iter()
        .map(|one| {
            Path::new(&one.subject)
                .strip_prefix(folder.path())
                .unwrap()
                .display()
                .to_string()
        })
        .collect();
    subjects.sort();
    assert_eq!(subjects, ["Go/all.zip", "epss.csv.gz", "kev.json"]);
    assert_eq!(names(&report), [("osv:npm".to_owned(), 1)]);
    assert!(!Store::open(into.path()).unwrap().has_kev());
}

/// A record of 100 MB, a gzip stream that unfolds to 66 MB, and archives within archives within
/// archives are named; what stands beside them is kept.
#[test]
fn what_is_too_large_or_too_deep_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let good = record("X-1", "npm", "a");
    put(&folder.path().join("X-1.json"), good.as_bytes());
    put(
        &folder.path().join("large.json"),
        br#"{"id": "X-2", "summary": ""#,
    );
    let large = fs::File::options()
        .write(true)
        .open(folder.path().join("large.json"))
        .unwrap();
    large.set_len(100 * 1024 * 1024).unwrap();
    let mut bomb = gzip(r#"{"id": "X-3", "summary": ""#);
    bomb.extend(gzip(&" ".repeat(1024 * 1024)).repeat(66));
    put(&folder.path().join("bomb.json.gz"), &bomb);
    let mut deep = zip(&[("X-4.json", good.as_bytes())]);
    for _ in 0..3 {
        deep = zip(&[("npm/all.zip", &deep)]);
    }
    put(&folder.path().join("deep.zip"), &deep);
    let into = tempfile::tempdir().unwrap();
    let report = build(&[folder.path()], into.path());
    let reason = |name: &str| {
        let found = report
            .problems
            .iter()
            .find(|one| one.subject.contains(name));
        found.unwrap().reason.clone()
    };
    assert_eq!(report.problems.len(), 3, "{:?}", report.problems);
    assert_eq!(reason("large.json"), "is larger than 67108864 bytes");
    assert_eq!(reason("bomb.json.gz"), "is larger than 67108864 bytes");
    assert_eq!(reason("deep.zip"), "lies in more than 2 archives");
    let store = Store::open(into.path()).unwrap();
    assert_eq!(ids(&store.lookup(&[query("npm", "a")])), ["X-1"]);
}

#[test]
fn nothing_of_use_is_an_error_and_leaves_the_store() {
    let folder = tempfile::tempdir().unwrap();
    put(&folder.path().join("readme.txt"), b"hello");
    let into = tempfile::tempdir().unwrap();
    let target = into.path().join("store");
    let from = [folder.path().to_owned()];
    let error = Store::build(&from, &target, &|_| {}).unwrap_err();
    assert!(error.to_string().contains("holds no OSV record"), "{error}");
    assert!(error.hint().unwrap().contains("all.zip"));
    assert!(!target.exists());
    let missing = [folder.path().join("none")];
    assert!(
        Store::build(&missing, &target, &|_| {})
            .unwrap_err()
            .to_string()
            .contains("none")
    );
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
    let lookup = store.lookup(&[query("npm", "a"), query("crates.io", "a")]);
    assert_eq!(ids(&lookup), ["X-1"]);
    assert_eq!(lookup.problems.len(), 1);
    assert_eq!(lookup.problems[0].subject, "crates.io");
    assert!(
        lookup.problems[0]
            .hint
            .as_ref()
            .unwrap()
            .contains("patchgate db build")
    );
    // Without feeds the signals are unknown, which is not "no".
    assert_eq!(store.kev("CVE-1-1").unwrap(), None);
    assert_eq!(store.epss("CVE-1-1").unwrap(), None);
}

/// An export of npm holds records that name other ecosystems too. It is no export of those.
#[test]
fn an_ecosystem_named_in_passing_is_not_whole() {
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
        let lookup = store.lookup(&[query("crates.io", "a")]);
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
            .lookup(&[query("npm", "a")]);
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
fn a_store_that_cannot_be_used_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let into = tempfile::tempdir().unwrap();
    let missing = Store::open(&into.path().join("none")).unwrap_err();
    assert!(matches!(missing, StoreError::Missing { .. }));
    assert!(missing.hint().contains("patchgate db build --from"));

    put(
        &folder.path().join("X-1.json"),
        record("X-1", "npm", "a").as_bytes(),
    );
    build(&[folder.path()], into.path());
    let manifest = into.path().join("store.json");
    let text = fs::read_to_string(&manifest).unwrap();
    let table = fs::read_dir(into.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| {
            path.extension()
                .is_some_and(|extension| extension == "table")
        })
        .unwrap();

    let mut other: serde_json::Value = serde_json::from_str(&text).unwrap();
    other["format"] = 99.into();
    fs::write(&manifest, other.to_string()).unwrap();
    let other = Store::open(into.path()).unwrap_err();
    assert!(
        matches!(other, StoreError::Format { found: 99, .. }),
        "{other}"
    );
    fs::write(&manifest, &text[..text.len() / 2]).unwrap();
    assert!(matches!(
        Store::open(into.path()),
        Err(StoreError::File { .. })
    ));
    let name = table.file_name().unwrap().to_str().unwrap();
    fs::write(&manifest, text.replace(name, &format!("../{name}"))).unwrap();
    assert!(matches!(
        Store::open(into.path()),
        Err(StoreError::File { .. })
    ));
    fs::write(&manifest, &text).unwrap();

    let bytes = fs::read(&table).unwrap();
    fs::write(&table, &bytes[..bytes.len() - 1]).unwrap();
    let cut = Store::open(into.path()).unwrap_err();
    assert!(cut.to_string().contains(name), "{cut}");
    fs::remove_file(&table).unwrap();
    assert!(matches!(
        Store::open(into.path()),
        Err(StoreError::File { .. })
    ));
    // One changed byte in a record: the store opens, and the lookup is incomplete.
    let mut changed = bytes;
    changed[80] ^= 1;
    fs::write(&table, changed).unwrap();
    let lookup = Store::open(into.path())
        .unwrap()
        .lookup(&[query("npm", "a")]);
    assert!(lookup.advisories.is_empty());
    assert!(
        lookup.problems[0].reason.contains("damaged"),
        "{:?}",
        lookup.problems
    );
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
        assert_eq!(store.lookup(&[query("npm", "a")]).sources, store.status());
        store.status()[0].warning.clone()
    };
    assert_eq!(warning("2026-01-08T00:00:00Z"), None);
    let old = warning("2026-01-10T12:00:00Z").unwrap();
    assert!(
        old.starts_with("it is 9 days old, more than the limit of 7"),
        "{old}"
    );
}

fn http() -> Client {
    Client::new(ClientOptions {
        retries: 0,
        ..ClientOptions::default()
    })
    .unwrap()
}

#[tokio::test]
async fn an_update_keeps_what_it_could_not_fetch() {
    let npm = zip(&[("X-1.json", record("X-1", "npm", "a").as_bytes())]);
    let server = HttpServer::start(move |request| match request.path.as_str() {
        "/npm/all.zip" => Response::bytes(200, "application/zip", npm.clone()),
        "/kev.json" => Response::bytes(200, "application/json", CATALOGUE),
        "/epss.csv.gz" => Response::bytes(200, "application/gzip", gzip(SCORES)),
        "/login" => Response::bytes(200, "text/html", "<html>log in first</html>"),
        _ => Response::status(404),
    });
    let into = tempfile::tempdir().unwrap();
    let options = |ecosystems: &[&str], kev: &str| UpdateOptions {
        ecosystems: ecosystems.iter().map(|name| (*name).to_owned()).collect(),
        exports: server.url(),
        kev: Some(format!("{}{kev}", server.url())),
        epss: None,
        ..UpdateOptions::default()
    };
    let first = options(&["npm", "Go"], "/kev.json");
    let report = Store::update(into.path(), &http(), &first, &|_| {})
        .await
        .unwrap();
    let expected = [("kev", 1), ("osv:npm", 1)].map(|(a, b)| (a.to_owned(), b));
    assert_eq!(names(&report), expected);
    assert_eq!(report.problems.len(), 1);
    assert_eq!(
        report.problems[0].subject,
        format!("{}/Go/all.zip", server.url())
    );

    let second = options(&["PyPI"], "/login");
    let report = Store::update(into.path(), &http(), &second, &|_| {})
        .await
        .unwrap();
    assert_eq!(report.problems.len(), 2);
    assert_eq!(
        report.problems[1].reason,
        "the answer is not a KEV catalogue"
    );
    assert_eq!(names(&report), expected);

    let mut third = options(&[], "/kev.json");
    third.epss = Some(format!("{}/epss.csv.gz", server.url()));
    let report = Store::update(into.path(), &http(), &third, &|_| {})
        .await
        .unwrap();
    assert_eq!(report.problems, []);
    assert_eq!(names(&report).len(), 3);
    let store = Store::open(into.path()).unwrap();
    assert_eq!(ids(&store.lookup(&[query("npm", "a")])), ["X-1"]);
}

#[tokio::test]
async fn an_update_from_a_folder_asks_no_server() {
    let mirror = tempfile::tempdir().unwrap();
    let export = zip(&[("X-1.json", record("X-1", "npm", "a").as_bytes())]);
    put(&mirror.path().join("npm/all.zip"), &export);
    let into = tempfile::tempdir().unwrap();
    let options = UpdateOptions {
        ecosystems: vec!["npm".to_owned()],
        exports: mirror.path().display().to_string(),
        kev: None,
        epss: None,
        ..UpdateOptions::default()
    };
    let offline = Client::new(ClientOptions {
        offline: true,
        ..ClientOptions::default()
    })
    .unwrap();
    let report = Store::update(into.path(), &offline, &options, &|_| {})
        .await
        .unwrap();
    assert_eq!(report.problems, []);
    assert_eq!(names(&report), [("osv:npm".to_owned(), 1)]);
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
    // The decision tables and the list of ecosystems are nothing that a store is made from.
    assert_eq!(report.unrecognised.len(), 5);
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
    let log4shell = store.kev("CVE-2021-44228").unwrap().unwrap().unwrap();
    assert!(log4shell.ransomware);
    assert!(store.epss("CVE-2021-44228").unwrap().unwrap().probability > 0.9);
    let smallvec = store.lookup(&[query("crates.io", "smallvec")]);
    assert!(ids(&smallvec).contains(&"RUSTSEC-2018-0003".to_owned()));
    let by_alias = store.find_id("CVE-2018-20991").unwrap();
    assert_eq!(by_alias[0].id, "RUSTSEC-2018-0003");
}
