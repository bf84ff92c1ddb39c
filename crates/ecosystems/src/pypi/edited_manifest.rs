//! A manifest before and after a fix changed its requirements.

use patchgate_model::Lockfile;

use super::edit;
use crate::{Input, RequirementEdit, TargetGraph};

/// A manifest whose requirements a graph changes.
pub(super) struct EditedManifest<'a> {
    /// Path from the root of the repository.
    pub(super) path: String,
    /// The text before the change.
    pub(super) before: String,
    /// The text after it.
    pub(super) after: &'a str,
}

impl<'a> EditedManifest<'a> {
    /// The manifest with this name in the directory of a lockfile. `None` if there is none, or the
    /// graph changes no requirement of it.
    ///
    /// A lockfile's hash of its manifest can so be compared with the manifest that it was made from: a
    /// lockfile that was out of date before must not look up to date after a fix.
    ///
    /// # Errors
    /// If it cannot be read, or does not have the new requirements, as a fragment for a person.
    pub(super) fn of(
        input: &Input<'a>,
        name: &str,
        lockfile: &Lockfile,
        target: &TargetGraph,
    ) -> Result<Option<Self>, String> {
        let path = input.beside(name);
        let Some(bytes) = input.sibling(&path) else {
            return Ok(None);
        };
        let after = Input { bytes, ..*input }
            .text()
            .map_err(|error| format!("`{path}` {error}"))?;

        let before = before(&path, after, lockfile, target)?;
        Ok(before.map(|before| Self {
            path,
            before,
            after,
        }))
    }

    /// The error for a lockfile whose hash is not the one of the manifest before the change.
    pub(super) fn out_of_date(&self) -> String {
        format!("it was out of date with `{}` before", self.path)
    }

    /// The error for a manifest after the change that has no hash.
    pub(super) fn without_hash(&self) -> String {
        format!("`{}` has a value that cannot be hashed", self.path)
    }
}

/// The text of a manifest before the requirements of a graph were changed in it. `None` if the graph
/// changes no requirement of the manifest.
///
/// # Errors
/// If the manifest does not have the new requirements, as a fragment for a person.
fn before(
    path: &str,
    text: &str,
    lockfile: &Lockfile,
    target: &TargetGraph,
) -> Result<Option<String>, String> {
    let mut before: Option<String> = None;
    for (root, edges) in lockfile.roots.iter().zip(&target.roots) {
        if root.manifest.as_deref() != Some(path) {
            continue;
        }
        for old in &root.edges {
            let new = edges
                .iter()
                .find(|new| new.name == *old.name && new.kind == old.kind);
            let (Some(from), Some(to)) = (
                old.requirement.as_deref(),
                new.and_then(|new| new.requirement.as_deref()),
            ) else {
                continue;
            };
            if from == to {
                continue;
            }

            let back = RequirementEdit {
                name: old.name.to_string(),
                from: to.to_owned(),
                to: from.to_owned(),
            };
            let current = before.as_deref().unwrap_or(text);
            // Two edges may come from one line.
            if before.is_some()
                && edit::edit(
                    path,
                    current,
                    &RequirementEdit {
                        to: back.to.clone(),
                        from: back.to.clone(),
                        name: back.name.clone(),
                    },
                )
                .is_ok()
            {
                continue;
            }
            let changed =
                edit::edit(path, current, &back).map_err(|error| format!("`{path}`: {error}"))?;
            before = Some(changed);
        }
    }

    Ok(before)
}
