//! `setup.cfg`: the requirements that it states as plain lists
//! (<https://setuptools.pypa.io/en/latest/userguide/declarative_config.html>).
//!
//! Values from other files (`file:`) or from code (`attr:`) are not read.

use patchgate_model::DependencyKind;

use super::{Direct, Manifest};
use crate::ParseError;
use crate::pypi::address::without_credentials;
use crate::pypi::requirement::Requirement;

/// Reads the name and the requirements of a `setup.cfg`.
pub(super) fn parse(text: &str) -> Result<Manifest, ParseError> {
    let mut manifest = Manifest::default();
    let mut section = "";
    // The key whose value continues in indented lines.
    let mut key = "";

    for (line, content) in (1u32..).zip(text.lines()) {
        let trimmed = content.trim();
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            continue;
        }

        let value = if content.starts_with([' ', '\t']) && !key.is_empty() {
            trimmed
        } else if let Some(name) = trimmed.strip_prefix('[') {
            section = name.strip_suffix(']').ok_or_else(|| {
                ParseError::new("has a section without a closing `]`").at_line(line as usize)
            })?;
            key = "";
            continue;
        } else {
            match trimmed.split_once(['=', ':']) {
                Some((name, value)) => {
                    key = name.trim();
                    value.trim()
                }
                None if section.starts_with("options") => {
                    return Err(ParseError::new(
                        "has a line that is neither a section nor a setting",
                    )
                    .at_line(line as usize));
                }
                // Sections of other tools may have a syntax of their own.
                None => continue,
            }
        };
        add(section, key, value, line, &mut manifest)?;
    }

    Ok(manifest)
}

/// Adds one line of a value to the manifest.
fn add(
    section: &str,
    key: &str,
    value: &str,
    line: u32,
    manifest: &mut Manifest,
) -> Result<(), ParseError> {
    let (kind, group) = match (section, key) {
        ("metadata", "name") => {
            value.clone_into(&mut manifest.name);
            return Ok(());
        }
        ("options", "install_requires") => (DependencyKind::Runtime, None),
        ("options", "tests_require") => (DependencyKind::Test, Some("tests_require")),
        ("options.extras_require", extra) => (DependencyKind::Optional, Some(extra)),
        _ => return Ok(()),
    };
    if let Some(files) = value.strip_prefix("file:") {
        // The files are not read here, so their requirements are unknown. Those that are named like
        // requirements files are scanned on their own.
        manifest.direct.push(Direct {
            name: files.trim().to_owned(),
            requirement: value.to_owned(),
            extras: Vec::new(),
            kind,
            group: group.map(str::to_owned),
            is_local: files.contains("requirements"),
            has_marker: false,
            line,
        });
        return Ok(());
    }

    for part in split(value) {
        let direct = Direct::from_text(part, kind, group, line).map_err(|error| ParseError {
            reason: without_credentials(&error.reason).into_owned(),
            ..error
        })?;
        manifest.direct.push(direct);
    }

    Ok(())
}

/// The requirements of one line. setuptools allows `;` between them, unless it begins a marker.
fn split(value: &str) -> impl Iterator<Item = &str> {
    let has_marker = Requirement::parse(value)
        .is_some_and(|requirement| MARKERS.iter().any(|name| requirement.marker.contains(name)));
    let separator = if has_marker { '\n' } else { ';' };
    value
        .split(separator)
        .map(str::trim)
        .filter(|part| !part.is_empty())
}

/// Prefixes of the variables in markers.
const MARKERS: [&str; 6] = [
    "python_",
    "sys_platform",
    "platform_",
    "os_name",
    "implementation_",
    "extra",
];
