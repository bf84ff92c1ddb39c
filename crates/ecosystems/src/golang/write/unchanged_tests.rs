//! Files that are written back without a change.

use super::*;
use crate::golang::NAME;
use crate::parse;

#[test]
fn every_known_file_is_written_back_as_it_is() {
    let roots = [
        concat!(env!("CARGO_MANIFEST_DIR"), "/src/golang/fixtures/read"),
        concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/corpus"),
    ];
    let mut count = 0;
    for (directory, files) in roots.iter().flat_map(|root| repositories(root)) {
        for path in files
            .keys()
            .filter(|path| path.ends_with("go.mod") || path.ends_with("go.work"))
        {
            let input = Input {
                path,
                bytes: &files[path],
                siblings: &files,
            };
            let Ok(lockfile) = parse(&input) else {
                continue;
            };
            let target = TargetGraph::unchanged(&lockfile);
            let written = GoModWriter
                .write(&input, &lockfile, &target, &Downloads::new())
                .unwrap();
            assert_eq!(written[path], files[path], "{directory}: {path}");
            assert_eq!(lockfile.ecosystem, NAME);
            count += 1;
        }
    }
    assert!(count >= 3, "{count}");
}

/// The Go files of each repository below a directory.
#[expect(
    clippy::disallowed_methods,
    reason = "tests read their fixtures from files"
)]
fn repositories(root: &str) -> Vec<(String, Siblings)> {
    fn collect(root: &std::path::Path, at: &std::path::Path, files: &mut Siblings) {
        for entry in std::fs::read_dir(at).into_iter().flatten().flatten() {
            let path = entry.path();
            let name = entry.file_name();
            let is_go = ["go.mod", "go.sum", "go.work"]
                .iter()
                .any(|one| name == *one);
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                collect(root, &path, files);
            } else if is_go && let Ok(bytes) = std::fs::read(&path) {
                let path = path.strip_prefix(root).unwrap().to_str().unwrap();
                files.insert(path.to_owned(), bytes);
            }
        }
    }

    let repositories = std::fs::read_dir(root).into_iter().flatten().flatten();
    repositories
        .map(|entry| {
            let mut files = Siblings::new();
            collect(&entry.path(), &entry.path(), &mut files);
            (entry.path().display().to_string(), files)
        })
        .collect()
}
