//! Go modules of real repositories, compared with a simple line-based reader.
#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    reason = "a failed step fails the test; tests, unlike the crate, read files"
)]

use std::collections::BTreeSet;

use patchgate_ecosystems::{Input, Siblings, is_sibling};
use patchgate_model::Lockfile;
use patchgate_testkit::{files_below, shared_dir, snapshots};

/// Each snapshot in the corpus that contains Go modules.
fn corpus() -> Vec<Siblings> {
    let Some(shared) = shared_dir() else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for snapshot in snapshots(&shared) {
        let siblings: Siblings = files_below(&snapshot)
            .iter()
            .filter(|path| {
                ["go.mod", "go.sum", "go.work"]
                    .iter()
                    .any(|name| path.ends_with(name))
            })
            .map(|file| {
                let path = file.strip_prefix(&snapshot).expect("it is inside");
                let path = path.to_str().expect("paths are UTF-8").to_owned();
                assert!(is_sibling(&path), "{path}");
                (path, std::fs::read(file).expect("it is read"))
            })
            .collect();

        if !siblings.is_empty() {
            found.push(siblings);
        }
    }

    assert!(found.len() >= 7, "only {} repositories", found.len());
    found
}

fn read(path: &str, siblings: &Siblings) -> Lockfile {
    patchgate_ecosystems::parse(&Input {
        path,
        bytes: &siblings[path],
        siblings,
    })
    .unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn text<'a>(path: &str, siblings: &'a Siblings) -> &'a str {
    std::str::from_utf8(&siblings[path]).expect("it is UTF-8")
}

#[test]
fn every_line_with_a_module_and_a_version_is_a_package() {
    let mut count = 0;
    for siblings in corpus() {
        for path in siblings.keys().filter(|path| path.ends_with("go.mod")) {
            let lockfile = read(path, &siblings);
            let lines: Vec<&str> = text(path, &siblings).lines().collect();

            for (number, line) in (1u32..).zip(&lines) {
                let words: Vec<&str> = line
                    .trim_start_matches("require ")
                    .split_whitespace()
                    .collect();
                let [module, version, ..] = words.as_slice() else {
                    continue;
                };
                let is_requirement = module.contains('.')
                    && version.starts_with('v')
                    && (words.len() == 2 || words[2] == "//");
                if !is_requirement {
                    continue;
                }
                let replaced = lines
                    .iter()
                    .any(|line| line.contains(&format!("{module} =>")));
                let package = lockfile
                    .packages
                    .iter()
                    .find(|package| package.name == *module && package.version == *version);

                assert!(package.is_some() || replaced, "{path}: {line}");
                if let Some(package) = package.filter(|_| !replaced) {
                    assert_eq!(package.line, number, "{path}: {line}");
                    assert!(package.integrity.is_some() || !siblings.contains_key(&sums(path)));
                    count += 1;
                }
            }
        }
    }

    assert!(shared_dir().is_none() || count > 1000, "only {count}");
}

fn sums(path: &str) -> String {
    path.replace("go.mod", "go.sum")
}

/// The sums in the corpus are tidy: each module has the archive of one version only.
#[test]
fn before_go_1_17_every_archive_is_a_package_and_from_then_on_none_is_added() {
    let (mut before, mut after) = (0, 0);
    for siblings in corpus() {
        for path in siblings.keys().filter(|path| path.ends_with("go.mod")) {
            let Some(sums) = siblings.get(&sums(path)) else {
                continue;
            };
            let lockfile = read(path, &siblings);
            let minor = text(path, &siblings)
                .lines()
                .find_map(|line| line.strip_prefix("go 1."))
                .and_then(|rest| rest.split('.').next())
                .map(|minor| minor.trim().parse::<u32>().expect("it is a number"));
            let unnamed: BTreeSet<&str> = lockfile
                .packages
                .iter()
                .filter(|package| package.line == 1)
                .map(|package| package.name.as_str())
                .collect();
            if minor.is_some_and(|minor| minor >= 17) {
                assert!(unnamed.is_empty(), "{path}: {unnamed:?}");
                after += 1;
                continue;
            }

            before += 1;
            let sums = std::str::from_utf8(sums).expect("it is UTF-8");

            for line in sums.lines().filter(|line| !line.contains("/go.mod ")) {
                let mut words = line.split(' ');
                let (module, version) = (words.next(), words.next());
                assert!(
                    lockfile.packages.iter().any(|package| {
                        Some(package.name.as_str()) == module
                            && Some(package.version.as_str()) == version
                    }),
                    "{path}: {line}"
                );
            }
        }
    }

    assert!(shared_dir().is_none() || (before >= 4 && after >= 10));
}

#[test]
fn workspaces_find_their_members() {
    let mut count = 0;
    for siblings in corpus() {
        for path in siblings.keys().filter(|path| path.ends_with("go.work")) {
            let lockfile = read(path, &siblings);
            // The corpus leaves out modules without requirements.
            for root in &lockfile.roots {
                let manifest = root.manifest.as_ref().expect("it was found");
                let stated = format!("module {}\n", root.name);
                assert!(text(manifest, &siblings).contains(&stated), "{manifest}");
                count += 1;
            }
        }
    }

    assert!(shared_dir().is_none() || count > 0);
}
