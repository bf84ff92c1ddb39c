//! Publishing: readers at the same time, builds that are cut off or fail.

use patchgate_model::EcosystemName;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use patchgate_advisories::{Existing, Store, StoreError};

use crate::support::*;

fn listed(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Each reader finds one of the two stores complete, however often one replaces the other.
#[test]
fn a_store_is_read_while_another_replaces_it() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (folder.path().join("one"), folder.path().join("two"));
    for (from, id) in [(&one, "X-1"), (&two, "X-2")] {
        put(&from.join("a.json"), record(id, "npm", "a").as_bytes());
        put(
            &from.join("b.json"),
            record(&format!("MAL-{id}"), "npm", "a").as_bytes(),
        );
    }

    let into = folder.path().join("store");
    build(&[&one], &into);
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut seen = [0, 0];
            while !is_over.load(Ordering::Relaxed) {
                let lookup = Store::open(&into)
                    .unwrap()
                    .lookup(&[query(EcosystemName::new("npm"), "a")]);
                assert_eq!(lookup.problems, []);
                let found = ids(&lookup);
                let index = usize::from(found == ["X-2", "MAL-X-2"]);
                assert!(index == 1 || found == ["X-1", "MAL-X-1"], "{found:?}");
                seen[index] += 1;
            }

            seen
        });
        for _ in 0..50 {
            build(&[&two], &into);
            build(&[&one], &into);
        }

        is_over.store(true, Ordering::Relaxed);
        let seen = reader.join().unwrap();

        assert!(seen.iter().sum::<u32>() > 0, "{seen:?}");
    });

    // The open store can still be read when its files are gone from the directory.
    let open = Store::open(&into).unwrap();
    build(&[&two], &into);

    assert_eq!(
        ids(&open.lookup(&[query(EcosystemName::new("npm"), "a")])),
        ["X-1", "MAL-X-1"]
    );
}

#[test]
fn what_a_build_left_that_was_cut_off_goes_with_the_next() {
    let folder = tempfile::tempdir().unwrap();
    put(
        &folder.path().join("X-1.json"),
        record("X-1", "npm", "a").as_bytes(),
    );
    let into = tempfile::tempdir().unwrap();
    build(&[folder.path()], into.path());
    let whole = listed(into.path());

    put(&into.path().join(".building-abc"), b"half a table");
    put(
        &into.path().join("osv-npm-0123456789abcdef.table"),
        b"of no manifest",
    );
    build(&[folder.path()], into.path());

    assert_eq!(listed(into.path()), whole);
}

/// The second table cannot be renamed to its final name, and the first one is removed again.
#[test]
fn a_build_that_fails_leaves_no_table() {
    let folder = tempfile::tempdir().unwrap();
    for (ecosystem, id) in [("crates.io", "X-1"), ("npm", "X-2")] {
        let text = record(id, ecosystem, "a");
        put(&folder.path().join(format!("{id}.json")), text.as_bytes());
    }

    let into = tempfile::tempdir().unwrap();
    build(&[folder.path()], into.path());
    let mut written = listed(into.path());
    written.retain(|name| name.ends_with(".table"));

    assert!(written[0].contains("crates.io") && written[1].contains("npm"));

    // A directory with the name of the second table.
    let other = tempfile::tempdir().unwrap();
    put(&other.path().join(&written[1]).join("in-the-way"), b"");
    let from = [folder.path().to_owned()];
    let error = Store::build(&from, other.path(), Existing::Keep, &|_| {}).unwrap_err();

    assert!(error.to_string().contains("cannot be written"), "{error}");
    assert!(error.hint().unwrap().contains("has space"));
    assert_eq!(listed(other.path()), [written[1].as_str(), "store.lock"]);
    assert!(matches!(
        Store::open(other.path()),
        Err(StoreError::Missing { .. })
    ));
}
