//! `Cargo.lock` files of real repositories, compared with an independent reader.
#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    reason = "a failed step fails the test; tests, unlike the crate, read files"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use patchgate_ecosystems::cargo::{Cargo, resolution_manifest};
use patchgate_ecosystems::{Input, RequirementEdit, Siblings, Upgradable as _};
use patchgate_model::{Lockfile, Origin, PackageIndex};
use patchgate_testkit::{files_below, shared_dir, snapshots};

/// A package in the form that both readers have in common.
type Key = (String, String, bool);

/// Each lockfile of the corpus, with the manifests of its snapshot.
fn corpus() -> Vec<(PathBuf, String, String, Siblings)> {
    let Some(shared) = shared_dir() else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for snapshot in snapshots(&shared) {
        let inside = |path: &Path| {
            let path = path.strip_prefix(&snapshot).expect("it is inside");
            path.to_str().expect("paths are UTF-8").to_owned()
        };
        let files = files_below(&snapshot);
        let siblings: Siblings = files
            .iter()
            .filter(|path| path.ends_with("Cargo.toml"))
            .map(|path| (inside(path), std::fs::read(path).expect("it is read")))
            .collect();

        for path in files.iter().filter(|path| path.ends_with("Cargo.lock")) {
            let text = std::fs::read_to_string(path).expect("it is read");
            found.push((path.clone(), inside(path), text, siblings.clone()));
        }
    }

    assert!(found.len() >= 7, "only {} lockfiles", found.len());
    found
}

fn read(path: &str, text: &str, siblings: &Siblings) -> Lockfile {
    patchgate_ecosystems::parse(&Input {
        path,
        bytes: text.as_bytes(),
        siblings,
    })
    .unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn own_key(lockfile: &Lockfile, index: PackageIndex) -> Key {
    let package = lockfile.package(index).expect("edges lead to packages");
    let from_directory = matches!(package.origin, Origin::Path(_));
    (
        package.name.clone(),
        package.version.clone(),
        from_directory,
    )
}

#[test]
fn packages_and_dependencies_are_those_of_an_independent_reader() {
    for (file, path, text, siblings) in corpus() {
        let own = read(&path, &text, &siblings);
        let other: cargo_lock::Lockfile = text.parse().expect("the other reader reads it");
        let key = |name: &cargo_lock::Name, version: &cargo_lock::Version, directory: bool| {
            (name.to_string(), version.to_string(), directory)
        };
        let mut theirs: Vec<(Key, Option<String>, BTreeSet<Key>)> = other
            .packages
            .iter()
            .chain(&other.root)
            .map(|package| {
                let edges = package
                    .dependencies
                    .iter()
                    .map(|edge| {
                        let target = other.packages.iter().find(|package| {
                            package.name == edge.name
                                && package.version == edge.version
                                && (edge.source.is_none() || package.source == edge.source)
                        });
                        let target = target.expect("the other reader's edges lead to packages");
                        key(&target.name, &target.version, target.source.is_none())
                    })
                    .collect();

                (
                    key(&package.name, &package.version, package.source.is_none()),
                    package.checksum.as_ref().map(ToString::to_string),
                    edges,
                )
            })
            .collect();

        let mut ours: Vec<(Key, Option<String>, BTreeSet<Key>)> = own
            .indexed()
            .map(|(index, package)| {
                (
                    own_key(&own, index),
                    package.integrity.clone(),
                    package
                        .edges
                        .iter()
                        .map(|edge| own_key(&own, edge.to))
                        .collect(),
                )
            })
            .collect();
        if other.metadata.iter().next().is_some() {
            // Version 1 keeps checksums in `[metadata]`, where the other reader leaves them.
            assert!(ours.iter().any(|(_, checksum, _)| checksum.is_some()));
            for (_, checksum, _) in ours.iter_mut().chain(&mut theirs) {
                *checksum = None;
            }
        }

        theirs.sort();
        ours.sort();

        assert_eq!(ours, theirs, "{}", file.display());
    }
}

#[test]
fn lines_point_at_the_packages() {
    for (file, path, text, siblings) in corpus() {
        let lines: Vec<&str> = text.lines().collect();
        for package in read(&path, &text, &siblings).packages {
            let at = package.line as usize;
            assert_eq!(lines[at - 1], "[[package]]", "{}:{at}", file.display());
            assert_eq!(lines[at], format!("name = \"{}\"", package.name));
            assert_eq!(lines[at + 1], format!("version = \"{}\"", package.version));
        }
    }
}

#[test]
fn every_project_finds_its_manifest() {
    let mut count = 0;
    for (file, path, text, siblings) in corpus() {
        let lockfile = read(&path, &text, &siblings);
        assert!(!lockfile.roots.is_empty(), "{}", file.display());

        for root in &lockfile.roots {
            // The corpus lacks some manifests of its repositories.
            let line = format!("name = \"{}\"", root.name);
            let exists = siblings.values().any(|manifest| {
                let text = String::from_utf8_lossy(manifest);
                text.lines().any(|text| text == line)
            });

            assert!(
                root.manifest.is_some() || !exists,
                "{}: `{}` has no manifest",
                file.display(),
                root.name
            );

            count += usize::from(root.manifest.is_some());
        }
    }

    if shared_dir().is_some() {
        assert!(count > 40, "only {count} manifests");
    }
}

/// The requirements of a manifest admit the locked versions, because Cargo made the lockfile that
/// way. Lockfiles inside a larger workspace are left out, because Cargo does not keep them up to
/// date.
#[test]
fn locked_versions_meet_their_requirements() {
    for (file, path, text, siblings) in corpus() {
        if path.contains('/') {
            continue;
        }

        let lockfile = read(&path, &text, &siblings);
        for edge in lockfile.roots.iter().flat_map(|root| &root.edges) {
            let package = lockfile.package(edge.to).expect("edges lead to packages");
            let Some(requirement) = &edge.requirement else {
                continue;
            };

            assert_eq!(
                Cargo.admits(requirement, &package.version),
                Ok(true),
                "{}: {} {requirement} {}",
                file.display(),
                edge.name,
                package.version
            );
        }
    }
}

/// Every requirement of a root can be replaced in its manifest or in the workspace's.
#[test]
fn stated_requirements_can_be_edited() {
    let mut count = 0;
    for (file, path, text, siblings) in corpus() {
        let lockfile = read(&path, &text, &siblings);
        let workspace = Path::new(&path).with_file_name("Cargo.toml");

        for root in &lockfile.roots {
            let Some(own) = &root.manifest else { continue };

            for edge in &root.edges {
                let Some(requirement) = &edge.requirement else {
                    continue;
                };
                let edit = RequirementEdit {
                    name: edge.name.to_string(),
                    from: requirement.to_string(),
                    to: "=987.6.5".to_owned(),
                };
                let changed = [own.as_str(), workspace.to_str().expect("UTF-8")]
                    .into_iter()
                    .find_map(|path| {
                        let text = std::str::from_utf8(&siblings[path]).expect("UTF-8");
                        Cargo.edit_manifest("Cargo.toml", text, &edit).ok()
                    });

                assert!(changed.is_some(), "{}: {edit:?}", file.display());

                count += 1;
            }
        }
    }

    if shared_dir().is_some() {
        assert!(count > 100, "only {count} requirements");
    }
}

#[test]
fn manifests_are_projected_twice_alike() {
    for (file, _, _, siblings) in corpus() {
        for (path, bytes) in siblings {
            let text = String::from_utf8(bytes).expect("manifests are UTF-8");
            let once = resolution_manifest(&text)
                .unwrap_or_else(|error| panic!("{} {path}: {error}", file.display()));
            assert_eq!(resolution_manifest(&once).as_ref(), Ok(&once), "{path}");
        }
    }
}
