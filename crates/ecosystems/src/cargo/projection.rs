//! Reduction of a `Cargo.toml` to the keys that affect dependency resolution.

use toml_edit::{DocumentMut, Item, Table, TableLike, value};

use crate::{EditError, limits};

/// Top-level keys that affect the graph. `lib` is handled separately.
const TOP: &[&str] = &[
    "cargo-features",
    "package",
    "project",
    "features",
    "dependencies",
    "dev-dependencies",
    "dev_dependencies",
    "build-dependencies",
    "build_dependencies",
    "target",
    "workspace",
    "patch",
    "replace",
];

/// Keys of `[package]` that affect the graph: the package's identity, its workspace, and the keys
/// that the resolver reads.
const PACKAGE: &[&str] = &[
    "name",
    "version",
    "workspace",
    "edition",
    "rust-version",
    "links",
    "resolver",
];

/// Keys of `[workspace]` that affect the graph.
const WORKSPACE: &[&str] = &[
    "members",
    "exclude",
    "default-members",
    "dependencies",
    "package",
    "resolver",
];

/// Reduces a manifest to what dependency resolution needs, for a scratch copy without sources. In
/// addition to the result, only an empty `src/lib.rs` has to exist.
///
/// Keys that refer to source files are removed: targets, build scripts, readme and licence files.
/// So are profiles, lints and metadata, which do not affect the graph. Two keys are kept because
/// Cargo treats the package differently without them: `proc-macro = true` in `[lib]`, and `links`.
/// Cargo requires a build script with `links`, so the empty library is used as one. Comments and
/// formatting are not kept.
///
/// ```
/// use patchgate_ecosystems::cargo::resolution_manifest;
///
/// let manifest = "\
/// [package]
/// name = \"app\"
/// readme = \"README.md\"
///
/// [dependencies]
/// time = \"0.1\"
///
/// [profile.release]
/// lto = true
/// ";
/// assert_eq!(
///     resolution_manifest(manifest).unwrap(),
///     "[package]\nname = \"app\"\n\n[dependencies]\ntime = \"0.1\"\n"
/// );
/// ```
///
/// # Errors
/// If the manifest is not TOML, is too large, or has a `package` or `workspace` that is not a table.
pub fn resolution_manifest(manifest: &str) -> Result<String, EditError> {
    if manifest.len() > limits::MAX_FILE_BYTES {
        return Err(EditError::Unreadable(format!(
            "it is larger than {} MiB",
            limits::MAX_FILE_BYTES / (1024 * 1024)
        )));
    }

    let text = manifest.trim_start_matches('\u{feff}');
    let mut document: DocumentMut = text
        .parse()
        .map_err(|error: toml_edit::TomlError| EditError::Unreadable(error.message().to_owned()))?;
    // Before `lib` is removed.
    let is_proc_macro = is_proc_macro(&document);

    retain(document.as_table_mut(), TOP);
    for key in ["package", "project"] {
        if let Some(package) = sub_table(document.as_table_mut(), key)? {
            retain(package, PACKAGE);
            if package.contains_key("links") {
                package.insert("build", value("src/lib.rs"));
            }
        }
    }
    if let Some(workspace) = sub_table(document.as_table_mut(), "workspace")? {
        retain(workspace, WORKSPACE);
    }

    if is_proc_macro {
        let mut library = Table::new();
        library.insert("proc-macro", value(true));
        document.insert("lib", Item::Table(library));
    }

    Ok(document.to_string())
}

/// Whether the library is a procedural macro, in any of the spellings that Cargo accepts.
fn is_proc_macro(document: &DocumentMut) -> bool {
    let Some(library) = document.get("lib").and_then(Item::as_table_like) else {
        return false;
    };
    let flag = |key: &str| library.get(key).and_then(Item::as_bool) == Some(true);
    let crate_type = |key: &str| {
        library
            .get(key)
            .and_then(Item::as_array)
            .is_some_and(|types| types.iter().any(|item| item.as_str() == Some("proc-macro")))
    };

    flag("proc-macro") || flag("proc_macro") || crate_type("crate-type") || crate_type("crate_type")
}

fn sub_table<'t>(
    parent: &'t mut Table,
    key: &str,
) -> Result<Option<&'t mut dyn TableLike>, EditError> {
    match parent.get_mut(key) {
        None => Ok(None),
        Some(item) => match item.as_table_like_mut() {
            Some(table) => Ok(Some(table)),
            None => Err(EditError::Unreadable(format!("`{key}` is not a table"))),
        },
    }
}

fn retain(table: &mut dyn TableLike, keep: &[&str]) {
    let unwanted: Vec<String> = table
        .iter()
        .map(|(key, _)| key.to_owned())
        .filter(|key| !keep.contains(&key.as_str()))
        .collect();
    for key in unwanted {
        table.remove(&key);
    }
}

#[cfg(test)]
mod tests;
