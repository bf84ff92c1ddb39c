//! Contents of a repository: the inventory, and the bytes it was read from.

use std::borrow::Cow;

use patchgate_ecosystems::{Format, Input, Siblings, formats_of};
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

/// Reads an SBOM.
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
) -> impl Iterator<Item = Result<Lockfile, Problem>> + 'a {
    formats_of(path).map(move |(_, format)| parse(format, path, bytes, siblings))
}

/// Reads a lockfile as its ecosystem does.
pub fn parse(
    format: &Format,
    path: &str,
    bytes: &[u8],
    siblings: &Siblings,
) -> Result<Lockfile, Problem> {
    let input = Input {
        path,
        bytes,
        siblings,
    };
    let mut lockfile = (format.parse)(&input).map_err(|error| unreadable(path, error))?;
    hide_credentials(&mut lockfile.unresolved);
    Ok(lockfile)
}

/// Requirements become part of every report, and one that is an address may hold a token.
pub(crate) fn hide_credentials(unresolved: &mut [Unresolved]) {
    for one in unresolved {
        for text in [&mut one.name, &mut one.requirement] {
            if let Cow::Owned(clean) = without_credentials(text) {
                *text = clean;
            }
        }
    }
}
