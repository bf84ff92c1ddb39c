//! CSAF advisories of vendors: documents, directories of them, and providers on the network.
//!
//! Products that a document calls affected become records in addition to those of OSV. Products
//! that it calls not affected or fixed become statements like those of other VEX documents.

mod hashes;
mod provider;

use std::path::Path;
use std::sync::Arc;

use patchgate_http::Client;
use patchgate_model::{Problem, ProblemKind, SmolStr, SourceStatus};
use patchgate_vex::provider::{FileKind, METADATA_FILE, kind};
use patchgate_vex::{Document, Format};

use super::Location;
use super::files::{MAX_BYTES, documents_below, too_many_bytes};
use crate::source::VendorRecords;
use patchgate_inventory::read_named;

/// Most problems of one source that are reported one by one.
const MAX_REPORTED: usize = 10;

/// The documents and problems of one source.
#[derive(Debug, Default)]
pub(super) struct CsafDocuments {
    pub(super) documents: Vec<(String, Arc<Document>)>,
    pub(super) problems: Vec<Problem>,
    /// Number of documents that were left out, because their label forbids passing them on.
    left_out: usize,
}

/// Reads one source of CSAF documents. A failure is a problem of the result.
pub(super) async fn read(location: &Location, client: Option<&Client>) -> CsafDocuments {
    let mut read = match (location, client) {
        (Location::Path { path, shown }, _) => on_disk(path, shown),
        (Location::Url(url), Some(client)) => provider::read(client, url).await,
        (Location::Url(_), None) => CsafDocuments::default(),
    };
    if read.documents.is_empty() && read.problems.is_empty() {
        let problem = problem(&location.shown(), "contains no CSAF document".to_owned());
        read.problems.push(problem);
    }

    let more = read.problems.len().saturating_sub(MAX_REPORTED);
    if more > 0 {
        read.problems.truncate(MAX_REPORTED);
        let reason = format!("has {more} more documents that could not be read");
        read.problems.push(problem(&location.shown(), reason));
    }

    read
}

/// A document, a directory, or the directory of a provider's metadata file.
fn on_disk(path: &Path, shown: &str) -> CsafDocuments {
    let mut read = CsafDocuments::default();
    if path.is_dir() {
        read.folder(path, shown);
        return read;
    }

    let is_metadata = path.file_name().is_some_and(|name| name == METADATA_FILE);
    if is_metadata {
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let named = shown.rsplit_once('/').map_or(".", |(folder, _)| folder);
        read.folder(folder.unwrap_or(Path::new(".")), named);
    } else {
        read.file(path, shown);
    }

    read
}

impl CsafDocuments {
    fn folder(&mut self, folder: &Path, shown: &str) {
        let (files, walked) = documents_below(folder, shown);
        self.problems.extend(walked);
        let documents = files.iter().filter(|(path, _)| {
            path.extension()
                .is_some_and(|end| end.eq_ignore_ascii_case("json"))
        });
        let mut bytes = 0;

        for (path, name) in documents {
            bytes += self.file(path, name);
            if bytes > MAX_BYTES {
                self.problems.push(problem(shown, too_many_bytes()));
                break;
            }
        }
    }

    /// Reads one file, and gives its size in bytes.
    fn file(&mut self, path: &Path, name: &str) -> usize {
        let bytes = match read_named(path) {
            Ok(bytes) => bytes,
            Err(unread) => {
                self.problems.push(Problem {
                    kind: ProblemKind::Advisories,
                    subject: name.to_owned(),
                    ..unread
                });
                return 0;
            }
        };
        if kind(&bytes) == FileKind::Document {
            match hashes::check_beside(path, &bytes) {
                Ok(()) => self.add(name, &bytes),
                Err(reason) => self.problems.push(problem(name, reason)),
            }
        }

        bytes.len()
    }

    /// Adds a document by its bytes.
    fn add(&mut self, name: &str, bytes: &[u8]) {
        match patchgate_vex::read(bytes) {
            Ok(document) if document.format == Format::Csaf => {
                self.documents.push((name.to_owned(), document.into()));
            }
            Ok(document) => {
                let reason = format!("is {}, not a CSAF document", document.format.name());
                self.problems.push(problem(name, reason));
            }
            Err(error) => self.problems.push(Problem {
                line: error.line,
                hint: error.hint,
                ..problem(name, error.reason)
            }),
        }
    }

    /// The source with the state of its newest document.
    pub(super) fn status(&self, location: &Location) -> SourceStatus {
        let mut warnings = Vec::new();
        if let Some(first) = self.problems.first() {
            warnings.push(format!("could not be read completely: {}", first.reason));
        }
        if self.left_out > 0 {
            warnings.push(format!(
                "{} documents are left out, because their label forbids passing them on",
                self.left_out
            ));
        }

        SourceStatus {
            name: "csaf".to_owned(),
            origin: location.shown(),
            as_of: self
                .documents
                .iter()
                .filter_map(|(_, document)| document.timestamp)
                .max(),
            records: Some(self.documents.len() as u64),
            warning: (!warnings.is_empty()).then(|| warnings.join("; ")),
        }
    }
}

/// The records of all documents, by the packages that they are about.
pub(super) fn records<'a>(documents: impl Iterator<Item = &'a Document>) -> VendorRecords {
    let mut records = VendorRecords::new();
    for advisory in documents.flat_map(|document| &document.advisories) {
        let shared = Arc::new(advisory.clone());
        for affected in &advisory.affected {
            let Some(ecosystem) = patchgate_ecosystems::by_name(&affected.ecosystem) else {
                continue;
            };
            let name = SmolStr::from(ecosystem.normalize_name(&affected.name));
            let known = records.entry((ecosystem.name(), name)).or_default();
            if !known.contains(&shared) {
                known.push(Arc::clone(&shared));
            }
        }
    }

    records
}

fn problem(subject: &str, reason: String) -> Problem {
    Problem {
        kind: ProblemKind::Advisories,
        subject: subject.to_owned(),
        line: None,
        reason,
        hint: None,
    }
}
