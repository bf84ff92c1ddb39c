//! The fixtures of all ecosystems: the lockfiles, each with the repository around it.

use std::path::{Path, PathBuf};

use patchgate_ecosystems::{
    ALL, Ecosystem, Format, Input, ParseError, Siblings, formats_of, is_sibling,
};
use patchgate_model::Lockfile;
use patchgate_testkit::files_below;

/// One lockfile of a fixture, with the repository around it.
pub(crate) struct Fixture {
    pub(crate) ecosystem: &'static dyn Ecosystem,
    pub(crate) format: &'static Format,
    /// The file on disk, for messages.
    pub(crate) file: PathBuf,
    /// Its path in the repository.
    pub(crate) path: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) siblings: Siblings,
}

impl Fixture {
    pub(crate) fn parse(&self, bytes: &[u8]) -> Result<Lockfile, ParseError> {
        (self.format.parse)(&Input {
            path: &self.path,
            bytes,
            siblings: &self.siblings,
        })
    }
}

pub(crate) fn source_directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Every lockfile in `fixtures/<kind>` of an ecosystem; empty if its packages only occur in SBOMs
/// or in the files of other ecosystems.
pub(crate) fn fixtures(ecosystem: &'static dyn Ecosystem, kind: &str) -> Vec<Fixture> {
    if ecosystem.files().is_none() {
        return Vec::new();
    }

    let base = source_directory()
        .join(ecosystem.purl_type())
        .join("fixtures")
        .join(kind);
    if kind == "odd" && !base.is_dir() {
        return Vec::new();
    }

    let mut found = Vec::new();
    for entry in std::fs::read_dir(&base)
        .unwrap_or_else(|error| panic!("`{}` cannot be listed: {error}", base.display()))
    {
        let repository = entry.unwrap().path();
        let files = files_below(&repository);
        let inside = |file: &Path| {
            let path = file.strip_prefix(&repository).unwrap();
            path.to_str().unwrap().replace('\\', "/")
        };
        let siblings: Siblings = files
            .iter()
            .filter(|file| is_sibling(&inside(file)))
            .map(|file| (inside(file), std::fs::read(file).unwrap()))
            .collect();
        for file in &files {
            let path = inside(file);
            let of_this = formats_of(&path).filter(|(owner, _)| owner.name() == ecosystem.name());

            for (_, format) in of_this {
                found.push(Fixture {
                    ecosystem,
                    format,
                    file: file.clone(),
                    path: path.clone(),
                    bytes: std::fs::read(file).unwrap(),
                    siblings: siblings.clone(),
                });
            }
        }
    }

    assert!(!found.is_empty(), "`{}` is empty", base.display());
    found
}

/// The formats of an ecosystem; empty if it has no files.
pub(crate) fn formats(ecosystem: &'static dyn Ecosystem) -> &'static [Format] {
    ecosystem.files().map_or(&[], |files| files.formats())
}

/// The fixtures that are read, as a whole or in part.
pub(crate) fn readable() -> Vec<Fixture> {
    let mut fixtures = all("read");
    fixtures.extend(all("odd"));
    fixtures
}

pub(crate) fn all(kind: &str) -> Vec<Fixture> {
    ALL.iter()
        .flat_map(|ecosystem| fixtures(*ecosystem, kind))
        .collect()
}
