//! Builds into a directory that has content already.

use std::fs;
use std::path::{Path, PathBuf};

use patchgate_advisories::{BuildError, Existing, Store};

use crate::support::*;

/// A directory with an export of npm, own records and a feed.
fn inputs() -> tempfile::TempDir {
    let from = tempfile::tempdir().unwrap();
    let one = record("X-1", "npm", "a");
    let export = zip(&[("X-1.json", one.as_bytes())]);
    put(&from.path().join("exports/npm/all.zip"), &export);
    put(
        &from.path().join("own/ORG-1.json"),
        record("ORG-1", "npm", "a").as_bytes(),
    );
    put(&from.path().join("feeds/kev.json"), CATALOGUE.as_bytes());
    from
}

fn keep(from: &[PathBuf], into: &Path) -> Result<(), BuildError> {
    Store::build(from, into, Existing::Keep, &|_| {}).map(drop)
}

#[track_caller]
fn occupied(from: &[PathBuf], into: &Path, content: &str) {
    let before = fs::read(into.join("store.json")).unwrap();
    let error = keep(from, into).unwrap_err();
    assert!(matches!(error, BuildError::Occupied { .. }), "{error}");
    assert!(error.to_string().contains(content), "{error}");
    assert!(error.hint().unwrap().contains("--replace"));
    assert_eq!(fs::read(into.join("store.json")).unwrap(), before);
}

#[test]
fn only_a_build_from_the_same_inputs_keeps_all_content() {
    let inputs = inputs();
    let [exports, own, feeds] = ["exports", "own", "feeds"].map(|name| inputs.path().join(name));
    let into = tempfile::tempdir().unwrap();
    let all = [exports.clone(), own.clone(), feeds.clone()];
    keep(&all, into.path()).unwrap();
    keep(&all, into.path()).unwrap();

    for (from, lost) in [
        (vec![exports.clone(), own.clone()], "contains `kev`"),
        (vec![exports.clone(), feeds.clone()], "contains `own:npm`"),
        (vec![own.clone(), feeds.clone()], "contains `osv:npm`"),
        (vec![feeds.clone()], "and 1 more"),
    ] {
        occupied(&from, into.path(), lost);
    }

    // A copy of an export elsewhere may be another export.
    let copy = inputs.path().join("copy");
    put(
        &copy.join("npm/all.zip"),
        &fs::read(exports.join("npm/all.zip")).unwrap(),
    );
    occupied(&[copy, own, feeds], into.path(), "contains `osv:npm`");
}

#[test]
fn a_store_that_cannot_be_read_is_kept_too() {
    let inputs = inputs();
    let from = [inputs.path().join("exports")];
    let into = tempfile::tempdir().unwrap();
    keep(&from, into.path()).unwrap();
    let manifest = into.path().join("store.json");
    let text = fs::read_to_string(&manifest).unwrap();

    for (other, content) in [
        (
            text.replacen("\"format\": ", "\"format\": 1", 1),
            "has format 1",
        ),
        (text.replacen("npm", "nqm", 1), "cannot be read"),
    ] {
        fs::write(&manifest, other).unwrap();
        occupied(&from, into.path(), content);
    }

    Store::build(&from, into.path(), Existing::Replace, &|_| {}).unwrap();
    assert!(Store::open(into.path()).is_ok());
}

#[test]
fn a_target_that_is_not_a_store_is_refused_in_both_modes() {
    let inputs = inputs();
    let from = [inputs.path().join("exports")];
    for existing in [Existing::Keep, Existing::Replace] {
        let into = tempfile::tempdir().unwrap();
        put(&into.path().join("data.table"), b"mine");
        let file = into.path().join("data.table");
        for target in [into.path(), &file] {
            let error = Store::build(&from, target, existing, &|_| {}).unwrap_err();
            assert!(matches!(error, BuildError::NotAStore { .. }), "{error}");
        }
        assert_eq!(fs::read(&file).unwrap(), b"mine");
        assert!(!into.path().join("store.lock").exists());
    }

    // A first build that was killed leaves files without a manifest.
    let into = tempfile::tempdir().unwrap();
    put(&into.path().join("store.lock"), b"");
    put(&into.path().join(".building-abc"), b"half a table");
    put(
        &into.path().join("osv-npm-0123456789abcdef.table"),
        b"whole",
    );
    keep(&from, into.path()).unwrap();
    assert!(Store::open(into.path()).is_ok());
}
