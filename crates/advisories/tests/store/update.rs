//! `Store::update` against a server that lists its changes, correctly or not, and with an
//! organization's own records next to OSV's.

use std::fs;
use std::sync::Mutex;

use patchgate_advisories::{Store, UpdateOptions};
use patchgate_http::{Client, ClientOptions};
use patchgate_testkit::Response;

use crate::mirror::{Mirror, record, zip};

#[tokio::test]
async fn nothing_new_costs_one_question() {
    let mirror = Mirror::with_a_store().await;
    let first = mirror.update("2026-01-04T00:00:00Z").await;
    assert_eq!(mirror.asked(), ["modified_id.csv"]);
    let second = mirror.update("2026-01-04T00:00:00Z").await;
    assert_eq!(mirror.asked(), ["modified_id.csv"]);
    assert_eq!(first.cache_key, second.cache_key);
    assert_eq!(mirror.known("b"), ["MAL-2 2.0.0"]);
}

/// A changed record, one that moves to another package, a new one, a late one with an old time, and
/// one dated in the future: all are there, and nothing else is fetched.
#[tokio::test]
async fn only_what_changed_is_fetched() {
    let mirror = Mirror::with_a_store().await;
    let changed = [
        ("X-1", "a", "2026-01-05T00:00:00Z", "1.5.0"),
        ("MAL-2", "c", "2026-01-04T00:00:00Z", "2.0.0"),
        ("X-3", "a", "2026-01-04T00:00:00Z", "3.0.0"),
        ("X-4", "d", "2020-01-01T00:00:00Z", "4.0.0"),
        ("X-5", "e", "2099-01-01T00:00:00Z", "5.0.0"),
    ];
    for (id, name, modified, fixed) in changed {
        mirror.put_bytes(&format!("{id}.json"), record(id, name, modified, fixed));
    }
    mirror.put_bytes(
        "modified_id.csv",
        "2099-01-01T00:00:00Z,X-5\n2026-01-05T00:00:00Z,X-1\n2026-01-04T00:00:00Z,MAL-2\n\
         2026-01-04T00:00:00Z,X-3\n2020-01-01T00:00:00Z,X-4\n",
    );
    let report = mirror.update("2026-01-06T00:00:00Z").await;
    assert_eq!(report.problems, []);
    assert_eq!(report.sources[0].records, Some(5));
    let mut asked = mirror.asked();
    asked.sort();
    let expected = [
        "MAL-2.json",
        "X-1.json",
        "X-3.json",
        "X-4.json",
        "X-5.json",
        "modified_id.csv",
    ];
    assert_eq!(asked, expected);
    assert_eq!(mirror.known("a"), ["X-1 1.5.0", "X-3 3.0.0"]);
    assert_eq!(mirror.known("b"), [""; 0]);
    assert_eq!(mirror.known("c"), ["MAL-2 2.0.0"]);
    assert_eq!(mirror.known("d"), ["X-4 4.0.0"]);
    let store = Store::open(mirror.store.path()).unwrap();
    assert_eq!(store.find_id("MAL-2").unwrap().len(), 1);

    // After the record from the future a change of today is still seen.
    let again = record("X-3", "a", "2026-01-07T00:00:00Z", "3.1.0");
    mirror.put_bytes("X-3.json", again);
    mirror.put_bytes(
        "modified_id.csv",
        "2099-01-01T00:00:00Z,X-5\n2026-01-07T00:00:00Z,X-3\n2026-01-05T00:00:00Z,X-1\n\
         2026-01-04T00:00:00Z,MAL-2\n2020-01-01T00:00:00Z,X-4\n",
    );
    mirror.update("2026-01-08T00:00:00Z").await;
    assert_eq!(mirror.asked(), ["modified_id.csv", "X-3.json"]);
    assert_eq!(mirror.known("a"), ["X-1 1.5.0", "X-3 3.1.0"]);
    assert_eq!(mirror.known("e"), ["X-5 5.0.0"]);

    // The export lags behind: newer records stay.
    mirror.update("2026-01-20T00:00:00Z").await;
    assert_eq!(mirror.asked(), ["all.zip"]);
    assert_eq!(mirror.known("a"), ["X-1 1.5.0", "X-3 3.1.0"]);
}

/// When the list or a record is wrong in any way, the whole export is fetched instead.
#[tokio::test]
async fn a_wrong_list_is_not_believed() {
    let newer = "2026-01-05T00:00:00Z,X-1\n2026-01-02T00:00:00Z,MAL-2\n";
    let good = record("X-1", "a", "2026-01-05T00:00:00Z", "9.0.0");
    let bytes = |text: &str| Response::bytes(200, "text/plain", text);
    let wrong = bytes(newer).with_header("x-goog-hash", "crc32c=AAAAAA==");
    let cases: [(&str, Response, Response); 9] = [
        (
            "out of order",
            bytes("2026-01-02T00:00:00Z,MAL-2\n2026-01-05T00:00:00Z,X-1\n"),
            bytes(&good),
        ),
        ("no list", bytes("<html>"), bytes(&good)),
        (
            "a path",
            bytes("2026-01-05T00:00:00Z,../X-1\n2026-01-02T00:00:00Z,MAL-2\n"),
            bytes(&good),
        ),
        (
            "too short",
            bytes("2026-01-05T00:00:00Z,X-1\n"),
            bytes(&good),
        ),
        ("damaged", wrong, bytes(&good)),
        ("cut off", bytes(newer).cut_in_half(), bytes(&good)),
        (
            "another record",
            bytes(newer),
            bytes(&good.replace("X-1", "X-9")),
        ),
        (
            "an older record",
            bytes(newer),
            bytes(&good.replace("2026-01-05", "2026-01-01")),
        ),
        ("no record", bytes(newer), Response::status(500)),
    ];

    for (case, list, answer) in cases {
        let mirror = Mirror::with_a_store().await;
        mirror.put("modified_id.csv", list);
        mirror.put("X-1.json", answer);
        let truth = record("X-1", "a", "2026-01-05T00:00:00Z", "7.0.0");
        let other = record("MAL-2", "b", "2026-01-02T00:00:00Z", "2.0.0");
        mirror.put_bytes("all.zip", zip(&[truth, other]));
        let report = mirror.update("2026-01-06T00:00:00Z").await;

        assert_eq!(report.problems, [], "{case}");
        assert_eq!(mirror.known("a"), ["X-1 7.0.0"], "{case}");
        assert!(mirror.asked().contains(&"all.zip".to_owned()), "{case}");
    }
}

/// When not even the export can be fetched, the store keeps its content, and the update reports it.
#[tokio::test]
async fn a_failing_server_leaves_the_store() {
    let body = zip(&[record("X-1", "a", "2026-01-09T00:00:00Z", "7.0.0")]);
    let whole = || Response::bytes(200, "application/zip", body.clone());
    let cases = [
        (Response::status(500), "answered 500"),
        (
            Response::status(429).with_header("Retry-After", "0"),
            "answered 429",
        ),
        (whole().cut_in_half(), "only partially"),
        (
            whole().with_header("x-goog-hash", "crc32c=AAAAAA=="),
            "checksum",
        ),
        (
            Response::bytes(200, "text/html", "<html>log in</html>"),
            "not an OSV export",
        ),
        (
            Response::bytes(200, "application/zip", body[..body.len() / 2].to_vec()),
            "zip",
        ),
    ];

    for (answer, reason) in cases {
        let mirror = Mirror::with_a_store().await;
        mirror.put("modified_id.csv", Response::status(500));
        mirror.put("all.zip", answer);
        let report = mirror.update("2026-01-06T00:00:00Z").await;
        assert_eq!(report.problems.len(), 1, "{reason}");
        let found = &report.problems[0].reason;
        assert!(found.contains(reason), "{found}: {reason}");
        assert_eq!(mirror.known("a"), ["X-1 1.0.0"]);
        assert_eq!(mirror.known("b"), ["MAL-2 2.0.0"]);
    }
}

/// After a week the export is asked for whole, and not sent again where it is the same.
#[tokio::test]
async fn a_deleted_record_goes_with_the_next_whole_export() {
    let mirror = Mirror::with_a_store().await;
    let week = "2026-01-11T00:00:00Z";
    mirror.update(week).await;

    assert_eq!(mirror.asked(), ["all.zip"]);

    mirror.update(week).await;
    assert_eq!(
        mirror.asked(),
        ["modified_id.csv"],
        "it was confirmed a moment ago"
    );

    mirror.put_bytes(
        "all.zip",
        zip(&[record("X-1", "a", "2026-01-01T00:00:00Z", "1.0.0")]),
    );
    mirror.put_bytes("modified_id.csv", "2026-01-01T00:00:00Z,X-1\n");
    mirror.update(week).await;

    assert_eq!(mirror.asked(), ["modified_id.csv", "all.zip"]);
    assert_eq!(mirror.known("b"), [""; 0]);
}

#[tokio::test]
async fn own_records_stand_beside_the_export() {
    let mirror = Mirror::with_a_store().await;
    let own = tempfile::tempdir().unwrap();
    let write = |id: &str, name: &str, fixed: &str| {
        let text = record(id, name, "2026-01-02T00:00:00Z", fixed);
        fs::write(own.path().join(format!("{id}.json")), text).unwrap();
    };
    write("ORG-1", "a", "8.0.0");
    write("ORG-2", "z", "8.0.0");
    write("X-1", "a", "1.1.0");
    let now = "2026-01-03T12:00:00Z";
    let report = mirror.try_update(now, &[own.path()]).await.unwrap();
    let names: Vec<&str> = report.sources.iter().map(|one| one.name.as_str()).collect();

    assert_eq!(names, ["osv:npm", "own:npm"]);
    assert!(report.sources.iter().all(|one| one.warning.is_none()));

    // The newer of two copies counts.
    assert_eq!(mirror.known("a"), ["X-1 1.1.0", "ORG-1 8.0.0"]);

    // They are kept, and read again when they are given as inputs again.
    mirror.update(now).await;
    assert_eq!(mirror.known("z"), ["ORG-2 8.0.0"]);

    fs::remove_file(own.path().join("ORG-2.json")).unwrap();
    mirror.try_update(now, &[own.path()]).await.unwrap();

    assert_eq!(mirror.known("z"), [""; 0]);
    assert_eq!(mirror.known("b"), ["MAL-2 2.0.0"]);
}

#[tokio::test]
async fn of_two_updates_at_once_one_waits_its_turn() {
    let mirror = Mirror::with_a_store().await;
    let lock = fs::File::open(mirror.store.path().join("store.lock")).unwrap();
    lock.try_lock().unwrap();
    let error = mirror
        .try_update("2026-01-06T00:00:00Z", &[])
        .await
        .unwrap_err();

    assert!(error.to_string().contains("another process"), "{error}");
    assert!(error.hint().unwrap().contains("run it again"));
    assert_eq!(mirror.asked(), [""; 0]);
    assert_eq!(mirror.known("a"), ["X-1 1.0.0"]);
}

#[tokio::test]
async fn a_store_of_another_format_is_made_anew() {
    let mirror = Mirror::with_a_store().await;
    fs::write(
        mirror.store.path().join("store.json"),
        r#"{"format": 1, "sources": 7}"#,
    )
    .unwrap();

    assert!(Store::open(mirror.store.path()).is_err());

    let report = mirror.update("2026-01-06T00:00:00Z").await;
    assert_eq!(report.problems, []);
    assert_eq!(mirror.known("a"), ["X-1 1.0.0"]);
}

/// A table that is damaged is not built on.
#[tokio::test]
async fn verify_names_the_damaged_file_and_an_update_heals_it() {
    let mirror = Mirror::with_a_store().await;
    let table = fs::read_dir(mirror.store.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.display().to_string().contains("malicious"))
        .unwrap();
    let bytes = fs::read(&table).unwrap();
    for at in [60, bytes.len() - 1] {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        fs::write(&table, changed).unwrap();
        let damaged: Vec<_> = Store::verify(mirror.store.path())
            .unwrap()
            .into_iter()
            .filter(|check| check.entries.is_err())
            .map(|check| check.path)
            .collect();

        assert_eq!(damaged, std::slice::from_ref(&table));
    }

    fs::write(&table, &bytes[..bytes.len() - 1]).unwrap();
    assert!(
        Store::verify(mirror.store.path())
            .unwrap()
            .iter()
            .any(|check| check.entries.is_err())
    );

    let report = mirror.update("2026-01-06T00:00:00Z").await;
    assert_eq!(report.problems, []);
    assert_eq!(mirror.known("b"), ["MAL-2 2.0.0"]);
}

#[tokio::test]
async fn a_folder_that_did_not_change_is_not_read_again() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("npm")).unwrap();
    let export = folder.path().join("npm/all.zip");
    let at = |fixed: &str| zip(&[record("X-1", "a", "2026-01-01T00:00:00Z", fixed)]);
    fs::write(&export, at("1.0.0")).unwrap();
    let mirror = Mirror::new();
    let update = async |exports: String| {
        let options = UpdateOptions {
            ecosystems: vec!["npm".to_owned()],
            exports,
            kev: None,
            epss: None,
            own: Vec::new(),
            now: "2026-01-06T00:00:00Z".parse().unwrap(),
        };

        let http = Client::new(ClientOptions::default()).unwrap();
        let read = Mutex::new(false);
        let note = |_: patchgate_advisories::BuildProgress<'_>| *read.lock().unwrap() = true;
        let report = Store::update(mirror.store.path(), &http, &options, &note)
            .await
            .unwrap();

        assert_eq!(report.problems, []);
        read.into_inner().unwrap()
    };
    let address = format!("file://{}", folder.path().display());
    assert!(update(address.clone()).await);

    assert!(!update(address.clone()).await);

    fs::write(&export, at("1.10.0")).unwrap();
    assert!(update(address).await);
    assert_eq!(mirror.known("a"), ["X-1 1.10.0"]);
}
