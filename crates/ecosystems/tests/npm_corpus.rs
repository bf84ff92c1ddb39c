//! npm lockfiles of real repositories, compared with an independent walk over the same JSON.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "the test, unlike the crate, reads its data from files, and stops where it cannot"
)]

use std::collections::BTreeSet;

use patchgate_ecosystems::{Input, Siblings};
use patchgate_model::{Lockfile, Origin};
use patchgate_testkit::{files_below, shared_dir};
use serde_json::Value;

/// Install path, name and version, read from the JSON without any types.
type Facts = BTreeSet<(String, String, String)>;

fn walk_packages(document: &Value) -> Facts {
    let packages = document["packages"].as_object().unwrap();
    packages
        .iter()
        .filter(|(path, entry)| !path.is_empty() && entry["link"] != true)
        .map(|(path, entry)| {
            let in_path = path.split("node_modules/").last().unwrap();
            let name = entry["name"].as_str().unwrap_or(in_path);
            let version = entry["version"].as_str().unwrap_or("");
            (path.clone(), name.to_owned(), version.to_owned())
        })
        .collect()
}

fn walk_nested(entries: &Value, above: &str, into: &mut Facts) {
    for (name, entry) in entries.as_object().into_iter().flatten() {
        let path = format!("{above}node_modules/{name}");
        let version = entry["version"].as_str().unwrap();
        let (real, version) = match version.strip_prefix("npm:") {
            Some(spec) => spec.rsplit_once('@').unwrap(),
            None if version.contains(':') => (name.as_str(), ""),
            None => (name.as_str(), version),
        };
        into.insert((path.clone(), real.to_owned(), version.to_owned()));
        walk_nested(&entry["dependencies"], &format!("{path}/"), into);
    }
}

/// Copies that no chain of edges from a root reaches.
fn unreached(lockfile: &Lockfile) -> Vec<&str> {
    let mut reached = vec![false; lockfile.packages.len()];
    let mut next: Vec<_> = lockfile
        .roots
        .iter()
        .flat_map(|root| root.edges.iter().map(|edge| edge.to))
        .collect();
    while let Some(index) = next.pop() {
        if !std::mem::replace(&mut reached[index.0 as usize], true) {
            let package = lockfile.package(index).unwrap();
            next.extend(package.edges.iter().map(|edge| edge.to));
        }
    }

    lockfile
        .indexed()
        // A workspace member is a root itself.
        .filter(|(index, package)| {
            !reached[index.0 as usize] && !matches!(package.origin, Origin::Path(_))
        })
        .filter_map(|(_, package)| package.install_path.as_deref())
        .collect()
}

#[test]
fn real_lockfiles_are_read_whole() {
    let Some(shared) = shared_dir() else {
        return;
    };
    let mut files = files_below(&shared.join("corpus"));
    files.retain(|path| {
        path.ends_with("package-lock.json") || path.ends_with("npm-shrinkwrap.json")
    });

    assert!(
        files.len() >= 5,
        "the corpus has only {} lockfiles",
        files.len()
    );

    let mut packages = 0;
    for file in &files {
        let bytes = std::fs::read(file).unwrap();
        let siblings: Siblings = std::fs::read(file.with_file_name("package.json"))
            .map(|manifest| ("package.json".to_owned(), manifest))
            .into_iter()
            .collect();

        for siblings in [Siblings::new(), siblings] {
            let lockfile = patchgate_ecosystems::parse(&Input {
                path: "package-lock.json",
                bytes: &bytes,
                siblings: &siblings,
            })
            .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            let document: Value = serde_json::from_slice(&bytes).unwrap();

            let mut expected = Facts::new();
            match document["lockfileVersion"].as_u64() {
                Some(2 | 3) => expected = walk_packages(&document),
                _ => walk_nested(&document["dependencies"], "", &mut expected),
            }

            let read: Facts = lockfile
                .packages
                .iter()
                .map(|package| {
                    let path = package.install_path.clone().unwrap();
                    (path, package.name.clone(), package.version.clone())
                })
                .collect();
            assert_eq!(read, expected, "{}", file.display());
            assert_eq!(read.len(), lockfile.packages.len(), "{}", file.display());
            assert_eq!(unreached(&lockfile), [""; 0], "{}", file.display());

            let text = std::str::from_utf8(&bytes).unwrap();
            let lines: Vec<&str> = text.lines().collect();
            for package in &lockfile.packages {
                let path = package.install_path.as_deref().unwrap();
                let line = lines[package.line as usize - 1].trim_start();
                let key = line.split('"').nth(1).unwrap_or_default();
                assert!(path.ends_with(key) && line.ends_with('{'), "{path}: {line}");
            }

            packages += lockfile.packages.len();
        }
    }

    assert!(packages > 5_000, "{packages} packages");
}
