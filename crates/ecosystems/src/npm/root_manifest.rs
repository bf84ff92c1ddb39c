//! The manifest of a lockfile's root project, in which overrides are.

use crate::{EditError, Siblings};

/// The path of the manifest and its text, which can begin with a byte order mark.
///
/// # Errors
/// If the manifest is missing or not UTF-8.
pub(super) fn root_manifest<'m>(
    lockfile: &str,
    manifests: &'m Siblings,
) -> Result<(String, &'m str), EditError> {
    let path = path(lockfile);
    let bytes = manifests
        .get(&path)
        .ok_or_else(|| EditError::Unreadable(format!("`{path}` is missing")))?;
    let text = std::str::from_utf8(bytes)
        .map_err(|_| EditError::Unreadable("it is not UTF-8".to_owned()))?;

    Ok((path, text))
}

/// The path of the manifest of a lockfile.
pub(super) fn path(lockfile: &str) -> String {
    match lockfile.rsplit_once('/') {
        Some((directory, _)) => format!("{directory}/package.json"),
        None => "package.json".to_owned(),
    }
}
