//! Lockfiles of yarn, pnpm and bun from real repositories, compared with simple readers that only
//! know the shape of the lines.
#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    reason = "a failed step fails the test; tests, unlike the crate, read files"
)]

use std::collections::BTreeSet;

use patchgate_ecosystems::{Input, Siblings, is_sibling};
use patchgate_model::{Lockfile, Origin};
use patchgate_testkit::{files_below, shared_dir, snapshots};

type Facts = BTreeSet<(String, String)>;

/// Splits `name@version`, where a scope also begins with `@`.
fn split(spec: &str) -> (&str, &str) {
    let at = spec[1..].find('@').expect("it has a version") + 1;
    (&spec[..at], &spec[at + 1..])
}

/// Reads yarn's format: an entry begins with its patterns, and its version follows on a line of its
/// own.
fn yarn_lines(text: &str) -> Facts {
    let mut facts = Facts::new();
    let mut name = "";
    for line in text.lines() {
        if let Some(version) = line.strip_prefix("  version \"") {
            facts.insert((name.to_owned(), version.trim_end_matches('"').to_owned()));
        } else if !line.starts_with([' ', '#']) && !line.is_empty() {
            name = split(line.trim_start_matches('"')).0;
        }
    }

    facts
}

/// Reads pnpm's format: the keys of `snapshots`.
fn pnpm_lines(text: &str) -> Facts {
    let (_, snapshots) = text.split_once("\nsnapshots:\n").expect("it has snapshots");
    snapshots
        .lines()
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .map(|line| {
            let key = line.trim().trim_end_matches(" {}").trim_end_matches(':');
            let (name, version) = split(key.trim_matches('\''));
            let version = version.split('(').next().expect("a part");
            (name.to_owned(), version.to_owned())
        })
        .collect()
}

/// Reads bun's format, with one package per line: the text after the bracket.
fn bun_lines(text: &str) -> Facts {
    text.lines()
        .filter_map(|line| line.split_once("\": [\""))
        .filter(|(key, _)| key.starts_with("    \""))
        .map(|(_, rest)| {
            let (name, version) = split(rest.split('"').next().expect("a part"));
            (name.to_owned(), version.to_owned())
        })
        .collect()
}

/// Packages that no project reaches.
fn unreached(lockfile: &Lockfile) -> Vec<String> {
    let mut reached = vec![false; lockfile.packages.len()];
    let mut next: Vec<_> = lockfile
        .roots
        .iter()
        .flat_map(|root| root.edges.iter().map(|edge| edge.to))
        .collect();
    while let Some(index) = next.pop() {
        if !std::mem::replace(&mut reached[index.0 as usize], true) {
            let package = lockfile.package(index).expect("it is there");
            next.extend(package.edges.iter().map(|edge| edge.to));
        }
    }

    lockfile
        .indexed()
        .filter(|(index, package)| {
            !reached[index.0 as usize] && !matches!(package.origin, Origin::Path(_))
        })
        .map(|(_, package)| format!("{}@{}", package.name, package.version))
        .collect()
}

#[test]
fn real_lockfiles_are_read_whole() {
    let Some(shared) = shared_dir() else {
        return;
    };
    let mut count = 0;
    for snapshot in snapshots(&shared) {
        let siblings: Siblings = files_below(&snapshot)
            .iter()
            .filter_map(|file| {
                let path = file.strip_prefix(&snapshot).ok()?.to_str()?.to_owned();
                is_sibling(&path).then(|| (path, std::fs::read(file).expect("it is read")))
            })
            .collect();

        for (path, bytes) in &siblings {
            let lines = match path.rsplit('/').next().expect("a part") {
                "yarn.lock" => yarn_lines,
                "pnpm-lock.yaml" => pnpm_lines,
                "bun.lock" => bun_lines,
                _ => continue,
            };
            count += 1;
            let lockfile = patchgate_ecosystems::parse(&Input {
                path,
                bytes,
                siblings: &siblings,
            })
            .unwrap_or_else(|error| panic!("{path}: {error} {:?}", error.line));
            let read: Facts = lockfile
                .packages
                .iter()
                .map(|package| (package.name.clone(), package.version.clone()))
                .collect();
            let text = std::str::from_utf8(bytes).expect("it is UTF-8");

            assert_eq!(read, lines(text), "{path}");
            assert!(read.len() > 50, "{path}: {}", read.len());
            assert_eq!(unreached(&lockfile), [""; 0], "{path}");
            assert!(
                lockfile.unresolved.is_empty(),
                "{path}: {:?}",
                lockfile.unresolved
            );

            let manifests = lockfile
                .roots
                .iter()
                .filter_map(|root| root.manifest.as_ref());
            assert!(manifests.count() > 0, "{path}");
        }
    }

    assert!(count >= 3, "the corpus has only {count} of these lockfiles");
}
