//! Python lockfiles of real repositories, compared with an independent walk over the same files.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "the test, unlike the crate, reads its data from files, and stops where it cannot"
)]

use std::collections::BTreeSet;

use patchgate_ecosystems::{Input, Siblings, by_name, formats_of, is_sibling};
use patchgate_model::{Lockfile, Origin};
use patchgate_testkit::{files_below, shared_dir, snapshots};

/// Name and version of a package.
type Facts = BTreeSet<(String, String)>;

fn walk_toml(text: &str) -> Facts {
    let document: toml::Table = toml::from_str(text).unwrap();
    let packages = document["package"].as_array().unwrap();

    packages
        .iter()
        .map(|package| {
            let of = |key| package.get(key).and_then(toml::Value::as_str);
            let name = of("name").unwrap().to_owned();
            (name, of("version").unwrap_or_default().to_owned())
        })
        .collect()
}

fn walk_json(text: &str) -> Facts {
    let document: serde_json::Value = serde_json::from_str(text).unwrap();
    let categories = document.as_object().unwrap().iter();

    categories
        .filter(|(category, _)| *category != "_meta")
        .flat_map(|(_, packages)| packages.as_object().unwrap())
        .filter_map(|(name, package)| {
            // A directory of the repository has no version.
            let version = match package.get("path") {
                Some(_) => "",
                None => package["version"].as_str()?.strip_prefix("==")?,
            };
            Some((name.clone(), version.to_owned()))
        })
        .collect()
}

fn walk_lines(text: &str) -> Facts {
    text.lines()
        .filter(|line| !line.starts_with(['#', ' ', '-']))
        .filter_map(|line| {
            let (name, rest) = line.split_once("==")?;
            let version = rest.split([' ', ';', '\\']).next()?;
            let name = name.split('[').next()?;
            Some((name.to_owned(), version.to_owned()))
        })
        .collect()
}

/// Packages that no chain of edges from a root reaches.
fn unreached(lockfile: &Lockfile) -> usize {
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

    reached.iter().filter(|reached| !**reached).count()
}

#[test]
fn real_lockfiles_are_read_whole() {
    let Some(shared) = shared_dir() else {
        return;
    };
    let pypi = by_name("PyPI").unwrap();
    let (mut lockfiles, mut packages) = (0, 0);

    for snapshot in snapshots(&shared) {
        let siblings: Siblings = files_below(&snapshot)
            .iter()
            .map(|file| {
                (
                    file,
                    file.strip_prefix(&snapshot).unwrap().to_str().unwrap(),
                )
            })
            .filter(|(_, path)| is_sibling(path))
            .map(|(file, path)| (path.to_owned(), std::fs::read(file).unwrap()))
            .collect();

        for (path, bytes) in &siblings {
            let Some((_, format)) = formats_of(path).find(|(of, _)| of.name() == pypi.name())
            else {
                continue;
            };
            let lockfile = (format.parse)(&Input {
                path,
                bytes,
                siblings: &siblings,
            })
            .unwrap_or_else(|error| panic!("{path}: {error}"));
            let text = std::str::from_utf8(bytes).unwrap();
            let expected = match format.id {
                "pipfile-lock" => walk_json(text),
                "pip-requirements" => walk_lines(text),
                _ => walk_toml(text),
            };
            let read: Facts = lockfile
                .packages
                .iter()
                .map(|package| (package.name.clone(), package.version.clone()))
                .collect();

            assert_eq!(read, expected, "{path}");
            assert_eq!(read.len(), lockfile.packages.len(), "{path}");

            let lines: Vec<&str> = text.lines().collect();
            for package in &lockfile.packages {
                let line = package.line as usize;
                let entry = lines[line - 1..lines.len().min(line + 1)].join(" ");
                assert!(entry.contains(&package.name), "{path}:{line}: {entry}");
            }
            // Pipfile.lock has no edges. In the others, the root can be the lockfile's own package.
            if format.id != "pipfile-lock" {
                assert!(unreached(&lockfile) <= 1, "{path}");
            }

            for package in &lockfile.packages {
                if matches!(package.origin, Origin::Path(_)) {
                    continue;
                }
                let order = pypi.compare_versions(&package.version, &package.version);
                assert!(order.is_ok(), "{path}: {}", package.version);
            }

            lockfiles += 1;
            packages += lockfile.packages.len();
        }
    }

    assert!(
        lockfiles >= 20 && packages > 1_000,
        "{lockfiles} {packages}"
    );
}
