//! Stores with a changed byte: the answer is correct, or there is an error. A record is never
//! silently missing.

use patchgate_model::EcosystemName;
use std::fs;
use std::path::{Path, PathBuf};

use patchgate_advisories::{SignalSource as _, Store};
use tempfile::TempDir;

use crate::support::*;

/// A store with every kind of table in it.
fn store() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let export: Vec<(String, String)> = (0..12)
        .map(|n| {
            let kind = if n % 2 == 0 { "X" } else { "MAL" };
            let id = format!("{kind}-{n}");
            (format!("{id}.json"), record(&id, "npm", &format!("p{n}")))
        })
        .collect();
    let export: Vec<(&str, &[u8])> = export
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_bytes()))
        .collect();
    put(&folder.path().join("npm/all.zip"), &zip(&export));
    let own = record("ORG-1", "npm", "p1");
    put(&folder.path().join("ORG-1.json"), own.as_bytes());
    put(&folder.path().join("kev.json"), CATALOGUE.as_bytes());
    put(&folder.path().join("epss.csv"), SCORES.as_bytes());
    let into = tempfile::tempdir().unwrap();
    let report = build(&[folder.path()], into.path());

    assert_eq!(report.problems, []);

    let expected = ["epss", "kev", "osv:npm", "own:npm"];
    let found: Vec<_> = names(&report).into_iter().map(|(name, _)| name).collect();

    assert_eq!(found, expected);
    into
}

/// All that a store says; `None` when it says that something is wrong.
fn answers(dir: &Path) -> Option<String> {
    let store = Store::open(dir).ok()?;
    let queries: Vec<_> = (0..14)
        .map(|n| query(EcosystemName::new("npm"), &format!("p{n}")))
        .collect();
    let lookup = store.lookup(&queries);
    if !lookup.problems.is_empty() {
        return None;
    }

    let signals = (
        store.kev("CVE-1-1").ok()?,
        store.kev("CVE-1-2").ok()?,
        store.epss("CVE-1-1").ok()?,
        store.epss("CVE-1-2").ok()?,
    );
    let by_id =
        ["X-2", "MAL-3", "ORG-1", "CVE-1-1", "X-99"].map(|id| store.find_id(id).map_err(|_| ()));
    if by_id.iter().any(Result::is_err) {
        return None;
    }

    Some(format!("{lookup:?} {signals:?} {by_id:?}"))
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| fs::metadata(path).unwrap().len() > 0)
        .collect();
    files.sort();

    assert_eq!(
        files.len(),
        6,
        "four sources with five tables, and the manifest"
    );
    files
}

#[test]
fn a_changed_byte_never_hides_a_record() {
    let dir = store();
    let right = answers(dir.path()).unwrap();
    for file in files(dir.path()) {
        let whole = fs::read(&file).unwrap();
        let mut noticed = 0;
        for at in 0..whole.len() {
            let change = [0x01, 0x20, 0xFF][at % 3];
            let mut bytes = whole.clone();
            bytes[at] ^= change;
            fs::write(&file, &bytes).unwrap();
            match answers(dir.path()) {
                Some(found) => assert!(found == right, "byte {at} of {}", file.display()),
                None => noticed += 1,
            }
        }

        fs::write(&file, &whole).unwrap();
        assert!(noticed > whole.len() / 2, "{noticed} of {}", whole.len());
    }

    assert_eq!(answers(dir.path()).unwrap(), right);
}

#[test]
fn a_store_that_is_cut_anywhere_does_not_open() {
    let dir = store();
    for file in files(dir.path()) {
        let whole = fs::read(&file).unwrap();
        // The manifest ends in a line break that says nothing.
        let cuts = (0..whole.len() - 2).step_by(13);
        for cut in cuts.chain([whole.len() - 2]) {
            fs::write(&file, &whole[..cut]).unwrap();
            let error = Store::open(dir.path()).unwrap_err();
            assert!(error.hint().contains("patchgate db build"), "{error}");
        }
        fs::write(&file, &whole).unwrap();
    }

    assert!(answers(dir.path()).is_some());
}
