//! Validation of artifact names and versions.

use patchgate_model::Package;

use super::NAME;
use crate::{ParseError, limits};

/// Whether Maven accepts a text as the name of a group or an artifact.
pub(super) fn is_id(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
}

/// Whether a text is a single version: not a range (`[1,2)`, `1.+`), not an alias for the newest
/// (`latest.release`, `LATEST`), not an unresolved property, and without characters that cannot be
/// part of a file name.
pub(super) fn is_version(text: &str) -> bool {
    !text.is_empty()
        && !text.ends_with('+')
        && !text.contains(|character: char| {
            character.is_whitespace() || "\\/:\"<>|?*[](){},$".contains(character)
        })
        && !matches!(text, "LATEST" | "RELEASE" | "." | "..")
        && !text.starts_with("latest.")
}

/// A package with these coordinates, at a line.
///
/// # Errors
/// If a part is invalid.
pub(super) fn package(
    group: &str,
    artifact: &str,
    version: &str,
    line: u32,
) -> Result<Package, ParseError> {
    let reason = if !is_id(group) || !is_id(artifact) {
        format!("names `{group}:{artifact}`, which is not an artifact")
    } else if !is_version(version) {
        format!("locks `{group}:{artifact}` at `{version}`, which is not a version")
    } else {
        let name = format!("{group}:{artifact}");
        return Ok(Package {
            line,
            ..Package::new(NAME, name, version.to_owned())
        });
    };

    Err(ParseError::new(reason.chars().take(200).collect::<String>()).at_line(line as usize))
}

/// Checks the number of packages against the limit for a lockfile.
pub(super) fn within_limit(packages: usize) -> Result<(), ParseError> {
    if packages > limits::MAX_PACKAGES {
        return Err(ParseError::new(format!(
            "contains more than {} packages",
            limits::MAX_PACKAGES
        )));
    }
    Ok(())
}
