//! Files of a later version of their format than the known ones.

use crate::npm::tree::shortened;
use crate::{ParseError, SkippedEntries};

/// Records that a file is read like one of the last known version, so that packages may be missing.
///
/// # Errors
/// If the file has no entries in the form of that version.
pub(crate) fn later_version(
    version: &str,
    line: u32,
    has_entries: bool,
    skipped: &mut SkippedEntries,
) -> Result<(), ParseError> {
    let reason = format!("has the unknown format version {}", shortened(version));
    if !has_entries {
        return Err(ParseError::new(reason).at_line(line as usize));
    }

    skipped.package(line, format!("{reason}: packages may be missing"));
    Ok(())
}
