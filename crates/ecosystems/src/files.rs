//! File formats of an ecosystem: the names of the files, and the parser of each format.
//!
//! The lookup of a path among the files of all ecosystems is in [`crate::FormatIndex`].

use patchgate_model::{Lockfile, Unresolved};

use crate::{Input, LockfileWriter, ParseError};

/// An ecosystem that has files of its own.
///
/// [`crate::Ecosystem::files`] returns it. Distributions of operating systems have no files; their
/// packages occur in SBOMs.
pub trait FileReader: Sync {
    /// Formats with exact versions, in the order of the support table.
    fn formats(&self) -> &'static [Format];

    /// Formats with requirements only. The parser of a lockfile gets these files as siblings. They
    /// are read on their own if no lockfile pins their requirements.
    fn manifests(&self) -> &'static [ManifestFormat] {
        &[]
    }

    /// Patterns of other files that parsers need next to a lockfile: `go.sum`, a workspace's list
    /// of members. See [`Format::files`] for the patterns.
    fn companions(&self) -> &'static [&'static str] {
        &[]
    }

    /// Files of the repository that a file of this ecosystem includes by path, whatever their
    /// names: `-r base.txt`. Paths are relative to the repository's root; the files need not exist.
    fn included(&self, _input: &Input<'_>) -> Vec<String> {
        Vec::new()
    }

    /// Settles what several files of a repository decide together. Called once, with all lockfiles
    /// of the repository, those of other ecosystems included.
    fn settle(&self, _lockfiles: &mut Vec<Lockfile>) {}
}

/// A kind of file that states exact versions: a lockfile, or a manifest with pinned versions.
#[derive(Debug, Clone, Copy)]
pub struct Format {
    /// Identifier in flags and reports, without the version of the format: `cargo-lock`.
    pub id: &'static str,
    /// Patterns of the files. A pattern is compared with the end of a path, part by part; `*`
    /// matches any run of characters within a part: `Cargo.lock`, `*.csproj`,
    /// `.github/workflows/*.yml`.
    pub files: &'static [&'static str],
    /// Supported versions of the format, for the support table: `v1-v4`. Empty if the format has
    /// no versions.
    pub versions: &'static str,
    /// Whether `patchgate fix` changes files of this format.
    pub fixable: bool,
    /// Writer of the format; `None` if only its package manager can change a file.
    pub writer: Option<&'static dyn LockfileWriter>,
    /// Parser of a file, which returns its packages.
    ///
    /// A file that is not of the format, too large, too deep or truncated is an error. In another
    /// file an entry that cannot be read is left out and listed in [`Lockfile::skipped`], with the
    /// part of the inventory that is lost with it. A package or an edge is never left out silently.
    pub parse: fn(&Input<'_>) -> Result<Lockfile, ParseError>,
}

/// A kind of file that states requirements and leaves the versions to a lockfile.
#[derive(Debug, Clone, Copy)]
pub struct ManifestFormat {
    /// Patterns of the files, as in [`Format::files`]. The first one is the usual name.
    pub files: &'static [&'static str],
    /// Parser of the requirements in a manifest that no lockfile pins. Requirements that the
    /// repository itself satisfies are left out, so the list can be empty.
    ///
    /// A manifest that cannot be read is an error.
    pub unresolved: fn(&Input<'_>) -> Result<Vec<Unresolved>, ParseError>,
}
