//! Files with entries that cannot be read: the other entries are read, and the lost ones are listed
//! with their lines. The files are in the directories `fixtures/odd` of the ecosystems;
//! `tests/contract.rs` cuts and changes them like all others.
#![expect(
    clippy::disallowed_methods,
    reason = "a failed step fails the test; tests, unlike the crate, read their fixtures from files"
)]

use std::fmt::Write as _;
use std::path::Path;

use patchgate_ecosystems::{ALL, Input, Siblings, formats_of, is_sibling, purl};
use patchgate_model::Lockfile;
use patchgate_testkit::files_below;

/// One line for each package with the number of its edges, each unresolved requirement and each
/// skipped entry.
fn text(lockfile: &Lockfile) -> String {
    let mut text = format!("{} ({})\n", lockfile.path, lockfile.format);
    for package in &lockfile.packages {
        let edges = package.edges.len();
        let _ = writeln!(text, "  {}: {} -> {edges}", package.line, purl(package));
    }
    for root in &lockfile.roots {
        let _ = writeln!(text, "  root `{}` -> {}", root.name, root.edges.len());
    }
    for open in &lockfile.unresolved {
        let _ = writeln!(
            text,
            "  {}: {} {:?}",
            open.line, open.name, open.requirement
        );
    }
    for entry in &lockfile.skipped {
        let _ = writeln!(text, "  {}: {:?}: {}", entry.line, entry.loss, entry.reason);
    }
    text
}

#[test]
fn an_odd_entry_loses_only_itself() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut read = String::new();
    for ecosystem in ALL {
        let base = source.join(ecosystem.purl_type()).join("fixtures/odd");
        if ecosystem.files().is_none() || !base.is_dir() {
            continue;
        }

        let mut repositories: Vec<_> = std::fs::read_dir(&base)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        repositories.sort();

        for repository in repositories {
            let files: Vec<_> = files_below(&repository)
                .into_iter()
                .map(|file| {
                    let path = file.strip_prefix(&repository).unwrap();
                    let path = path.to_str().unwrap().replace('\\', "/");
                    (path, std::fs::read(&file).unwrap())
                })
                .collect();
            let siblings: Siblings = files
                .iter()
                .filter(|(path, _)| is_sibling(path))
                .cloned()
                .collect();

            for (path, bytes) in &files {
                for (_, format) in
                    formats_of(path).filter(|(owner, _)| owner.name() == ecosystem.name())
                {
                    let input = Input {
                        path,
                        bytes,
                        siblings: &siblings,
                    };
                    let directory = repository.file_name().unwrap().to_str().unwrap();
                    let _ = write!(read, "{} {directory} ", ecosystem.purl_type());
                    match (format.parse)(&input) {
                        Ok(lockfile) => read.push_str(&text(&lockfile)),
                        Err(error) => drop(writeln!(read, "{path}: {error} ({:?})", error.line)),
                    }
                }
            }
        }
    }

    insta::assert_snapshot!(read);
}
