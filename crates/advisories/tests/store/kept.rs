//! An update never loses content that it did not fetch: records from files, of other paths, of a store of
//! another format.

use std::fs;
use std::path::Path;

use patchgate_advisories::{Existing, Store, UpdateError, UpdateOptions};

use crate::mirror::{Mirror, record, zip};
use crate::support::http;

const NOW: &str = "2026-01-03T12:00:00Z";
const OLD: &str = "2026-01-01T00:00:00Z";

fn write(folder: &Path, id: &str, name: &str, fixed: &str) {
    fs::create_dir_all(folder).unwrap();
    let path = folder.join(format!("{id}.json"));
    fs::write(path, record(id, name, OLD, fixed)).unwrap();
}

fn built(mirror: &Mirror, from: &[&Path]) {
    let from: Vec<_> = from.iter().map(|path| (*path).to_owned()).collect();
    let report = Store::build(&from, mirror.store.path(), Existing::Replace, &|_| {}).unwrap();
    assert_eq!(report.problems, []);
}

fn sources(mirror: &Mirror) -> Vec<String> {
    let store = Store::open(mirror.store.path()).unwrap();
    store.status().into_iter().map(|one| one.name).collect()
}

#[tokio::test]
async fn an_export_is_replaced_and_records_beside_it_are_kept() {
    let mirror = Mirror::with_a_store().await;
    let folder = tempfile::tempdir().unwrap();
    let (exports, own) = (folder.path().join("exports"), folder.path().join("own"));
    fs::create_dir_all(exports.join("npm")).unwrap();
    let export = zip(&[record("X-0", "gone", OLD, "1.0.0")]);
    fs::write(exports.join("npm/all.zip"), export).unwrap();
    write(&own, "ORG-1", "a", "8.0.0");

    for from in [[&*exports, &*own], [&*own, &*exports]] {
        built(&mirror, &from);
        assert_eq!(sources(&mirror), ["osv:npm", "own:npm"]);
        assert_eq!(mirror.known("gone"), ["X-0 1.0.0"]);
        assert_eq!(mirror.known("a"), ["ORG-1 8.0.0"]);
        mirror.update(NOW).await;
        assert_eq!(mirror.known("gone"), [""; 0]);
        assert_eq!(mirror.known("a"), ["X-1 1.0.0", "ORG-1 8.0.0"]);
        assert_eq!(sources(&mirror), ["osv:npm", "own:npm"]);
    }
    // Given as inputs again, they are read again.
    fs::remove_file(own.join("ORG-1.json")).unwrap();

    write(&own, "ORG-2", "a", "9.0.0");
    mirror.try_update(NOW, &[&own]).await.unwrap();

    assert_eq!(mirror.known("a"), ["X-1 1.0.0", "ORG-2 9.0.0"]);
}

/// Records that came only from files stay, next to the export that is fetched now.
#[tokio::test]
async fn records_from_files_stay_next_to_a_fetched_export() {
    let mirror = Mirror::with_a_store().await;
    let own = tempfile::tempdir().unwrap();
    write(own.path(), "ORG-1", "a", "8.0.0");
    built(&mirror, &[own.path()]);

    assert_eq!(sources(&mirror), ["osv:npm"]);
    for _ in 0..2 {
        mirror.update(NOW).await;
        assert_eq!(sources(&mirror), ["osv:npm", "own:npm"]);
        assert_eq!(mirror.known("a"), ["X-1 1.0.0", "ORG-1 8.0.0"]);
    }
}

#[tokio::test]
async fn records_of_other_paths_are_kept() {
    let mirror = Mirror::with_a_store().await;
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (folder.path().join("one"), folder.path().join("two"));
    write(&one, "ORG-1", "a", "7.0.0");
    write(&two, "ORG-2", "a", "8.0.0");
    mirror.try_update(NOW, &[&one]).await.unwrap();
    mirror.try_update(NOW, &[&two]).await.unwrap();
    let all = ["X-1 1.0.0", "ORG-1 7.0.0", "ORG-2 8.0.0"];

    assert_eq!(mirror.known("a"), all);

    write(&one, "ORG-1", "a", "7.5.0");
    mirror.try_update(NOW, &[&one, &two]).await.unwrap();

    assert_eq!(mirror.known("a"), [all[0], "ORG-1 7.5.0", all[2]]);
}

/// A path whose records cannot be read now: those of before are kept, and the run says so.
#[tokio::test]
async fn records_that_cannot_be_read_again_are_kept() {
    let mirror = Mirror::with_a_store().await;
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("own.zip");
    let archive = zip(&[record("ORG-1", "a", OLD, "8.0.0")]);
    fs::write(&own, &archive).unwrap();
    mirror.try_update(NOW, &[&own]).await.unwrap();

    for bad in [&archive[..archive.len() / 2], b""] {
        fs::write(&own, bad).unwrap();
        let report = mirror.try_update(NOW, &[&own]).await.unwrap();
        assert_eq!(report.problems.len(), 1, "{:?}", report.problems);
        assert_eq!(mirror.known("a"), ["X-1 1.0.0", "ORG-1 8.0.0"]);
    }

    fs::remove_file(&own).unwrap();
    let error = mirror.try_update(NOW, &[&own]).await.unwrap_err();

    assert!(error.to_string().contains("own.zip"), "{error}");

    fs::create_dir(&own).unwrap();
    let report = mirror.try_update(NOW, &[&own]).await.unwrap();

    assert_eq!(report.problems[0].reason, "it contains no OSV record");
    assert_eq!(mirror.known("a"), ["X-1 1.0.0", "ORG-1 8.0.0"]);
}

/// Gives the store the number of another format.
fn age(mirror: &Mirror) -> String {
    let manifest = mirror.store.path().join("store.json");
    let text = fs::read_to_string(&manifest).unwrap();
    let mut value: serde_json::Value = serde_json::from_str(&text).unwrap();
    value["format"] = 4.into();
    let text = value.to_string();
    fs::write(manifest, &text).unwrap();
    text
}

#[tokio::test]
async fn a_store_of_another_format_is_made_anew_with_all_that_it_held() {
    let mirror = Mirror::with_a_store().await;
    let own = tempfile::tempdir().unwrap();
    write(own.path(), "ORG-1", "a", "8.0.0");
    mirror.try_update(NOW, &[own.path()]).await.unwrap();
    let aged = age(&mirror);
    let error = Store::open(mirror.store.path()).unwrap_err();
    assert!(error.to_string().contains("has format 4"), "{error}");
    assert!(error.hint().contains("patchgate db update --into"));

    let error = mirror.try_update(NOW, &[]).await.unwrap_err();
    assert!(matches!(error, UpdateError::NotNamed { .. }), "{error}");
    assert!(error.to_string().contains("own:npm"), "{error}");
    assert!(error.hint().unwrap().contains("--from"));
    let text = fs::read_to_string(mirror.store.path().join("store.json")).unwrap();
    assert_eq!(text, aged, "it is as it was");

    // The export is fetched though it is not asked for.
    let options = UpdateOptions {
        ecosystems: Vec::new(),
        exports: mirror.server.url(),
        kev: None,
        epss: None,
        own: vec![own.path().to_owned()],
        now: NOW.parse().unwrap(),
    };
    let report = Store::update(mirror.store.path(), &http(), &options, &|_| {})
        .await
        .unwrap();
    assert_eq!(report.remade_from, Some(4));
    assert_eq!(mirror.known("a"), ["X-1 1.0.0", "ORG-1 8.0.0"]);
    assert_eq!(mirror.update(NOW).await.remade_from, None);
}

#[tokio::test]
async fn a_store_of_another_format_stays_where_it_cannot_be_made_anew() {
    let mirror = Mirror::with_a_store().await;
    let aged = age(&mirror);
    mirror.put("all.zip", patchgate_testkit::Response::status(500));
    let error = mirror.try_update(NOW, &[]).await.unwrap_err();
    assert!(matches!(error, UpdateError::NotFetched { .. }), "{error}");
    assert!(error.to_string().contains("answered 500"), "{error}");
    let text = fs::read_to_string(mirror.store.path().join("store.json")).unwrap();
    assert_eq!(text, aged);
}
