//! Packages of a `Cargo.lock`, as far as a relock needs them.

use toml_edit::{Document, Item};

use crate::RelockError;

/// One package of the lockfile.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Locked {
    pub(super) name: String,
    pub(super) version: String,
    /// `None` for members and path dependencies.
    pub(super) source: Option<String>,
}

/// Reads the packages of a lockfile.
pub(super) fn read(path: &str, bytes: &[u8]) -> Result<Vec<Locked>, RelockError> {
    let unusable = |reason: String| RelockError::Unusable {
        path: path.to_owned(),
        reason,
    };
    let text = std::str::from_utf8(bytes).map_err(|error| unusable(error.to_string()))?;
    let document = Document::parse(text).map_err(|error| unusable(error.message().to_owned()))?;
    let packages = document.get("package").and_then(Item::as_array_of_tables);
    let text = |table: &toml_edit::Table, key: &str| {
        table.get(key).and_then(Item::as_str).map(str::to_owned)
    };

    Ok(packages
        .into_iter()
        .flatten()
        .filter_map(|package| {
            Some(Locked {
                name: text(package, "name")?,
                version: text(package, "version")?,
                source: text(package, "source"),
            })
        })
        .collect())
}
