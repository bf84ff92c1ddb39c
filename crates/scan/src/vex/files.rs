//! Documents on disk: one file, or every `*.json` and `*.xml` file below a directory.

use std::path::Path;

use patchgate_model::{Problem, ProblemKind};

use super::{SourceDocuments, parse};
use patchgate_inventory::read_named;

/// Deepest directory that is entered.
const MAX_DEPTH: usize = 16;

/// Most entries of a directory that are looked at.
const MAX_ENTRIES: usize = 200_000;

/// Most bytes of all documents of a directory.
pub(super) const MAX_BYTES: usize = 1024 * 1024 * 1024;

/// Reads a file or a directory. `shown` is its name in messages.
pub(super) fn read(path: &Path, shown: &str) -> SourceDocuments {
    let mut read = SourceDocuments::default();
    if !path.is_dir() {
        read.add(path, shown);
        return read;
    }

    let (files, problem) = documents_below(path, shown);
    read.problems.extend(problem);

    let mut bytes = 0;
    for (file, name) in files {
        bytes += read.add(&file, &name);
        if bytes > MAX_BYTES {
            read.problems.push(problem_of(shown, too_many_bytes()));
            break;
        }
    }

    if read.documents.is_empty() && read.problems.is_empty() {
        read.problems.push(problem_of(
            shown,
            "contains no document: no `*.json` and no `*.xml` file".to_owned(),
        ));
    }

    read
}

/// The reason why the rest of a directory was not read.
pub(super) fn too_many_bytes() -> String {
    let mebibytes = MAX_BYTES / (1024 * 1024);
    format!("contains more than {mebibytes} MiB of documents; the rest was not read")
}

impl SourceDocuments {
    /// Reads one file, and returns its size in bytes.
    fn add(&mut self, path: &Path, name: &str) -> usize {
        let read = read_named(path).map_err(|problem| Problem {
            kind: ProblemKind::Vex,
            subject: name.to_owned(),
            ..problem
        });
        let size = read.as_ref().map_or(0, Vec::len);
        match read.and_then(|bytes| parse(name, &bytes)) {
            Ok(document) => self.documents.push((name.to_owned(), document)),
            Err(problem) => self.problems.push(problem),
        }

        size
    }
}

/// The documents below a directory, sorted, with their names in messages. Links are not followed.
pub(super) fn documents_below(
    folder: &Path,
    shown: &str,
) -> (Vec<(std::path::PathBuf, String)>, Option<Problem>) {
    let walk = ignore::WalkBuilder::new(folder)
        .standard_filters(false)
        .follow_links(false)
        .max_depth(Some(MAX_DEPTH))
        .sort_by_file_name(std::cmp::Ord::cmp)
        .build();
    let mut files = Vec::new();
    for (count, entry) in walk.enumerate() {
        if count >= MAX_ENTRIES {
            let reason =
                format!("contains more than {MAX_ENTRIES} entries; the rest was not looked at");
            return (files, Some(problem_of(shown, reason)));
        }

        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                let reason = format!("cannot be walked: {error}");
                return (files, Some(problem_of(shown, reason)));
            }
        };
        let is_file = entry.file_type().is_some_and(|kind| kind.is_file());
        let is_document = entry
            .path()
            .extension()
            .is_some_and(|end| end.eq_ignore_ascii_case("json") || end.eq_ignore_ascii_case("xml"));

        if is_file && is_document {
            let below = entry.path().strip_prefix(folder).unwrap_or(entry.path());
            let name = format!("{}/{}", shown.trim_end_matches('/'), below.display());
            files.push((entry.into_path(), name));
        }
    }

    (files, None)
}

pub(super) fn problem_of(subject: &str, reason: String) -> Problem {
    Problem {
        kind: ProblemKind::Vex,
        subject: subject.to_owned(),
        line: None,
        reason,
        hint: None,
    }
}
