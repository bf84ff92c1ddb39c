//! The files of an ecosystem: which ones are read, by name, and the parser of each.
//!
//! The lookup of a path among the files of all ecosystems is in [`crate::FormatIndex`].

use patchgate_model::{Lockfile, Unresolved};

use crate::{Input, ParseError};

/// An ecosystem that has files of its own.
///
/// [`crate::Ecosystem::files`] gives it. Distributions of operating systems have none: their
/// packages are found in SBOMs.
pub trait FileReader: Sync {
    /// The files with exact versions, in the order of the support table.
    fn formats(&self) -> &'static [Format];

    /// The files with requirements only. They are given to the parser of a lockfile as siblings,
    /// and are read on their own when no lockfile pins their requirements.
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
}

/// A kind of file that states exact versions: a lockfile, or a manifest that pins.
#[derive(Debug, Clone, Copy)]
pub struct Format {
    /// Identifier in flags and reports, without the version of the format: `cargo-lock`.
    pub id: &'static str,
    /// Patterns of the files. A pattern is compared with the end of a path, part by part; `*`
    /// matches any run of characters within a part: `Cargo.lock`, `*.csproj`,
    /// `.github/workflows/*.yml`.
    pub files: &'static [&'static str],
    /// Versions of the format that are read, for the support table: `v1-v4`. Empty where the
    /// format has no versions.
    pub versions: &'static str,
    /// Whether `patchgate fix` changes such files.
    pub fixable: bool,
    /// The parser: from a file to its packages.
    ///
    /// It is an error when the file is not of the format, too large, too deep, or truncated. A file
    /// that cannot be read whole is an error, never a shorter list.
    pub parse: fn(&Input<'_>) -> Result<Lockfile, ParseError>,
}

/// A kind of file that states requirements, and leaves the versions to a lockfile.
#[derive(Debug, Clone, Copy)]
pub struct ManifestFormat {
    /// Patterns of the files, as in [`Format::files`]. The first one is the usual name.
    pub files: &'static [&'static str],
    /// Reads the requirements of a manifest that no lockfile pins. Requirements that are met from
    /// within the repository are left out, so the list may be empty.
    ///
    /// It is an error when the manifest cannot be read.
    pub unresolved: fn(&Input<'_>) -> Result<Vec<Unresolved>, ParseError>,
}
