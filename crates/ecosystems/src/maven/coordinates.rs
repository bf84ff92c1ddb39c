//! Names of artifacts and the versions that can be asked for.

use patchgate_model::Package;

use super::NAME;
use crate::{ParseError, limits};

/// Whether Maven takes a text as a group or an artifact's name.
pub(super) fn is_id(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
}

/// Whether a text is one version: not a range (`[1,2)`, `1.+`), not a name for whichever is newest
/// (`latest.release`, `LATEST`), not a property that nobody set, and nothing that cannot be part of
/// a file's name.
pub(super) fn is_version(text: &str) -> bool {
    !text.is_empty()
        && !text.ends_with('+')
        && !text.contains(|character: char| {
            character.is_whitespace() || "\\/:\"<>|?*[](){},$".contains(character)
        })
        && !matches!(text, "LATEST" | "RELEASE" | "." | "..")
        && !text.starts_with("latest.")
}

/// A package by its parts, at a line.
///
/// # Errors
/// When a part cannot be one.
pub(super) fn package(
    group: &str,
    artifact: &str,
    version: &str,
    line: u32,
) -> Result<Package, ParseError> {
    let fault = if !is_id(group) || !is_id(artifact) {
        format!("names `{group}:{artifact}`, which is no artifact")
    } else if !is_version(version) {
        format!("locks `{group}:{artifact}` at `{version}`, which is no version")
    } else {
        let name = format!("{group}:{artifact}");
        return Ok(Package {
            line,
            ..Package::new(NAME, name, version.to_owned())
        });
    };

    Err(ParseError::new(fault.chars().take(200).collect::<String>()).at_line(line as usize))
}

/// Refuses one package more than a lockfile may hold.
pub(super) fn within_limit(packages: usize) -> Result<(), ParseError> {
    if packages > limits::MAX_PACKAGES {
        return Err(ParseError::new(format!(
            "holds more than {} packages",
            limits::MAX_PACKAGES
        )));
    }
    Ok(())
}
