//! Lockfiles of Bundler, Composer and Mix from real repositories, compared with the packages that a
//! simple reader finds in their lines or keys.
#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    reason = "a failed step fails the test; tests, unlike the crate, read files"
)]

use std::collections::BTreeSet;
use std::path::Path;

use patchgate_ecosystems::{Input, Siblings, formats_of};
use patchgate_testkit::{files_below, shared_dir};

/// Names and versions as found by another, simple reader. A git dependency of Mix has no version.
fn expected(path: &Path, text: &str) -> BTreeSet<(String, String)> {
    let pair = |name: &str, version: &str| (name.to_owned(), version.to_owned());
    if path.ends_with("composer.lock") {
        let document: serde_json::Value = serde_json::from_str(text).expect("it is JSON");
        let list = |key: &str| document[key].as_array().cloned().unwrap_or_default();
        return [list("packages"), list("packages-dev")]
            .concat()
            .iter()
            .map(|it| {
                let text = |key: &str| it[key].as_str().expect("a text").to_owned();
                (text("name"), text("version"))
            })
            .collect();
    }

    if path.ends_with("mix.lock") {
        let entries = text.lines().filter(|line| line.starts_with("  \""));
        return entries
            .map(|line| {
                let texts: Vec<&str> = line.split('"').collect();
                match line.contains("{:git,") {
                    true => pair(texts[1], texts[5]),
                    false => pair(texts[1], texts[3]),
                }
            })
            .collect();
    }

    text.lines()
        .filter(|line| line.starts_with("    ") && !line.starts_with("     "))
        .filter_map(|line| line.trim().trim_end_matches(')').split_once(" ("))
        .map(|(name, version)| pair(name, version.split('-').next().unwrap_or(version)))
        .collect()
}

#[test]
fn packages_are_those_that_a_simple_reader_finds() {
    let Some(shared) = shared_dir() else {
        return;
    };
    let mut read = 0;
    for file in files_below(&shared.join("corpus")) {
        let names = ["Gemfile.lock", "composer.lock", "mix.lock"];
        if !names.iter().any(|name| file.ends_with(name)) {
            continue;
        }

        let text = std::fs::read_to_string(&file).expect("it is read");
        let path = file.to_str().expect("paths are UTF-8");
        let Some((_, format)) = formats_of(path).next() else {
            continue;
        };
        let lockfile = (format.parse)(&Input {
            path,
            bytes: text.as_bytes(),
            siblings: &Siblings::new(),
        });
        let lockfile = lockfile.expect(path);
        let own: BTreeSet<(String, String)> = lockfile
            .packages
            .iter()
            .map(|package| (package.name.clone(), package.version.clone()))
            .collect();

        assert_eq!(own, expected(&file, &text), "{path}");
        assert!(own.len() == 1 || lockfile.packages.iter().any(|it| !it.edges.is_empty()));

        read += 1;
    }

    assert!(read >= 7, "only {read} lockfiles");
}
