//! Contents of a repository: the inventory, and the bytes it was read from.

use std::borrow::Cow;

use patchgate_ecosystems::{Format, Input, Siblings, formats_of, maven};
use patchgate_model::{Inventory, Lockfile, Problem, Unresolved, without_credentials};

use crate::files::unreadable;

/// Contents of a repository.
#[derive(Debug, Default)]
pub struct Contents {
    /// Lockfiles as graphs, and what could not be read.
    pub inventory: Inventory,
    /// Bytes of every lockfile and manifest, by path.
    pub files: Siblings,
}

/// Reads an SBOM, in CycloneDX or SPDX.
///
/// # Errors
/// When the bytes are not an SBOM that can be read.
pub fn parse_sbom(path: &str, bytes: &[u8]) -> Result<patchgate_sbom::Bill, Problem> {
    let mut bill =
        patchgate_sbom::read_bill(path, bytes).map_err(|error| unreadable(path, error))?;
    hide_credentials(&mut bill.lockfile.unresolved);
    Ok(bill)
}

/// Reads a file as every format that its path names.
pub(crate) fn parse_as_all<'a>(
    path: &'a str,
    bytes: &'a [u8],
    siblings: &'a Siblings,
    projects: &'a maven::Projects,
) -> impl Iterator<Item = Result<Lockfile, Problem>> + 'a {
    formats_of(path).map(move |(_, format)| parse_among(format, path, bytes, siblings, projects))
}

/// Reads a lockfile as one format.
///
/// # Errors
/// When the bytes are not of the format.
pub fn parse(
    format: &Format,
    path: &str,
    bytes: &[u8],
    siblings: &Siblings,
) -> Result<Lockfile, Problem> {
    parse_among(format, path, bytes, siblings, &maven::Projects::default())
}

/// Reads a lockfile as one format. Maven projects share what they build on.
pub(crate) fn parse_among(
    format: &Format,
    path: &str,
    bytes: &[u8],
    siblings: &Siblings,
    projects: &maven::Projects,
) -> Result<Lockfile, Problem> {
    let input = Input {
        path,
        bytes,
        siblings,
    };
    let parsed = match format.id {
        maven::POM => projects.parse(&input),
        _ => (format.parse)(&input),
    };
    let mut lockfile = parsed.map_err(|error| unreadable(path, error))?;
    hide_credentials(&mut lockfile.unresolved);
    Ok(lockfile)
}

/// Removes credentials from requirements, which become part of every report. A requirement may be
/// an address with a token.
pub(crate) fn hide_credentials(unresolved: &mut [Unresolved]) {
    for one in unresolved {
        for text in [&mut one.name, &mut one.requirement] {
            if let Cow::Owned(clean) = without_credentials(text) {
                *text = clean;
            }
        }
    }
}
