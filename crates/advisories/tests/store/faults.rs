//! Input that is bad, and stores that cannot be used.

use patchgate_model::EcosystemName;
use std::fs;
use std::path::Path;

use patchgate_advisories::{
    Affects, Existing, SignalSource as _, Store, StoreError, Subject, affects,
};

use crate::support::*;

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

/// A record of 100 MB, a gzip stream that inflates to 66 MB, and archives within archives within
/// archives are reported; the files next to them are kept.
#[test]
fn too_large_and_too_deep_files_are_reported() {
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
    assert_eq!(reason("deep.zip"), "is nested in more than 2 archives");

    let store = Store::open(into.path()).unwrap();
    assert_eq!(
        ids(&store.lookup(&[query(EcosystemName::new("npm"), "a")])),
        ["X-1"]
    );
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
    assert_eq!(
        ids(&store.lookup(&[query(EcosystemName::new("npm"), "a")])),
        ["X-1"]
    );
}

#[test]
fn nothing_of_use_is_an_error_and_leaves_the_store() {
    let folder = tempfile::tempdir().unwrap();
    put(&folder.path().join("readme.txt"), b"hello");
    let into = tempfile::tempdir().unwrap();
    let target = into.path().join("store");
    let from = [folder.path().to_owned()];
    let error = Store::build(&from, &target, Existing::Keep, &|_| {}).unwrap_err();

    assert!(
        error.to_string().contains("contains no OSV record"),
        "{error}"
    );
    assert!(error.hint().unwrap().contains("all.zip"));
    assert!(!target.exists());

    let missing = [folder.path().join("none")];
    assert!(
        Store::build(&missing, &target, Existing::Keep, &|_| {})
            .unwrap_err()
            .to_string()
            .contains("none")
    );
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
        .lookup(&[query(EcosystemName::new("npm"), "a")]);
    assert!(lookup.advisories.is_empty());
    assert!(
        lookup.problems[0].reason.contains("damaged"),
        "{:?}",
        lookup.problems
    );
}

/// Ranges out of order and overlapping, kinds and fields that are not known, dates in the future:
/// kept, and judged as far as they are understood.
#[test]
fn what_is_odd_about_a_record_is_kept() {
    let odd = serde_json::json!({
        "id": "X-1", "modified": "2099-01-01T00:00:00Z", "published": "2099-01-01T00:00:00Z",
        "from_the_future": {"a": [1]},
        "severity": [{"type": "CVSS_V9", "score": "CVSS:9/A:B"}],
        "affected": [{"package": {"ecosystem": "npm", "name": "a", "flavour": "sweet"}, "ranges": [
            {"type": "SEMVER", "events": [{"fixed": "2.0.0"}, {"introduced": "4.0.0"},
                {"fixed": "5.0.0"}, {"introduced": "1.0.0"}]},
            {"type": "SEMVER", "events": [{"introduced": "1.5.0"}, {"fixed": "3.0.0"},
                {"forgotten": "2.5.0"}]}]}],
        "references": [{"type": "SONG", "url": "https://a.invalid/"}],
    });

    let lunar = serde_json::json!({
        "id": "X-2", "modified": "2026-01-01T00:00:00Z",
        "affected": [{"package": {"ecosystem": "npm", "name": "a"}, "ranges": [
            {"type": "LUNAR", "events": [{"introduced": "0"}]}]}],
    });
    let folder = tempfile::tempdir().unwrap();
    put(&folder.path().join("1.json"), odd.to_string().as_bytes());
    put(&folder.path().join("2.json"), lunar.to_string().as_bytes());
    let into = tempfile::tempdir().unwrap();
    let report = build(&[folder.path()], into.path());

    assert_eq!((report.problems, report.unrecognised), (vec![], vec![]));

    let store = Store::open(into.path()).unwrap();
    let lookup = store.lookup(&[query(EcosystemName::new("npm"), "a")]);
    let records = lookup.advisories.values().next().unwrap();

    assert_eq!(records[0].severity[0].kind, "CVSS_V9");
    assert_eq!(records[0].references[0].kind, "SONG");

    let npm = patchgate_ecosystems::by_name("npm").unwrap();
    let subject = Subject {
        ecosystem: npm,
        distribution: None,
        name: "a",
    };
    let affected = |version| affects(subject, &records[0], version);
    for version in ["1.0.0", "1.7.0", "2.0.0", "2.9.9", "4.0.0", "4.9.9"] {
        assert_eq!(affected(version), Affects::Yes, "{version}");
    }
    for version in ["0.9.0", "3.0.0", "3.9.9", "5.0.0"] {
        assert_eq!(affected(version), Affects::No, "{version}");
    }

    assert!(matches!(
        affects(subject, &records[1], "1.0.0"),
        Affects::Unknown(_)
    ));
    // A record from the future does not make an old store look young.
    assert_eq!(report.sources[0].as_of, "2026-01-01T00:00:00Z".parse().ok());
}

/// A catalogue from the future has no age, which is a warning.
#[test]
fn a_feed_from_the_future_warns() {
    let folder = tempfile::tempdir().unwrap();
    let future = CATALOGUE.replace("2026-01-02", "2099-01-02");
    put(&folder.path().join("kev.json"), future.as_bytes());
    let into = tempfile::tempdir().unwrap();
    build(&[folder.path()], into.path());
    let now = "2026-01-03T00:00:00Z".parse().unwrap();
    let week = jiff::SignedDuration::from_hours(7 * 24);
    let store = Store::open(into.path()).unwrap().with_max_age(now, week);
    let warning = store.status()[0].warning.clone().unwrap();

    assert!(warning.contains("in the future"), "{warning}");
}

/// An entry that unfolds to 100 MB, in an archive of 100 kB.
#[test]
fn a_zip_bomb_is_named_and_the_others_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let mut bomb = br#"{"id": "X-2", "summary": ""#.to_vec();
    bomb.resize(100 * 1024 * 1024, b' ');
    let good = record("X-1", "npm", "a");
    let archive = zip(&[("bomb.json", &bomb), ("X-1.json", good.as_bytes())]);

    assert!(archive.len() < 200_000);

    put(&folder.path().join("npm/all.zip"), &archive);
    let into = tempfile::tempdir().unwrap();
    let report = build(&[folder.path()], into.path());

    assert_eq!(report.problems.len(), 1, "{:?}", report.problems);
    assert_eq!(report.problems[0].reason, "is larger than 67108864 bytes");

    let store = Store::open(into.path()).unwrap();
    assert_eq!(
        ids(&store.lookup(&[query(EcosystemName::new("npm"), "a")])),
        ["X-1"]
    );
}
