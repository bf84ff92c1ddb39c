//! Edits of manifests.

use patchgate_ecosystems::{EditError, RequirementEdit, Siblings, Upgradable};
use patchgate_upgrade::ManifestEdit;

use crate::context::Failure;

/// The manifest that contains the requirement of an edit: the one that asks for it, or, when a
/// member inherits it from the workspace, the one next to the lockfile, or the settings there.
pub(super) fn holder(
    ecosystem: &dyn Upgradable,
    manifests: &Siblings,
    lockfile: &str,
    one: &ManifestEdit,
) -> String {
    let holds = |path: &String| {
        let text = manifests.get(path).map(|bytes| std::str::from_utf8(bytes));
        matches!(text, Some(Ok(text)) if ecosystem.edit_manifest(path, text, &one.edit).is_ok())
    };
    let above = ecosystem
        .files()
        .and_then(|files| files.manifests().first()?.files.first())
        .map(|name| next_to(lockfile, name));

    let settings = ecosystem.settings().iter();
    let settings = settings.map(|name| next_to(lockfile, name));

    std::iter::once(one.manifest.clone())
        .chain(above)
        .chain(settings)
        .find(holds)
        .unwrap_or_else(|| one.manifest.clone())
}

/// Edits the manifests for a set of version changes.
pub(super) fn edit(
    ecosystem: &dyn Upgradable,
    manifests: &mut Siblings,
    edits: &[&ManifestEdit],
) -> Result<(), Failure> {
    for one in edits {
        let text = manifests
            .get(&one.manifest)
            .and_then(|bytes| std::str::from_utf8(bytes).ok())
            .ok_or_else(|| Failure::new(format!("`{}` was not found", one.manifest)))?;
        match ecosystem.edit_manifest(&one.manifest, text, &one.edit) {
            Ok(changed) => {
                manifests.insert(one.manifest.clone(), changed.into_bytes());
            }
            Err(EditError::NotFound { .. }) if already(ecosystem, one, text) => {}
            Err(error) => return Err(Failure::new(format!("`{}`: {error}", one.manifest))),
        }
    }

    Ok(())
}

/// Whether a manifest has the new requirement already: several members may share one line.
fn already(ecosystem: &dyn Upgradable, one: &ManifestEdit, text: &str) -> bool {
    let same = RequirementEdit {
        from: one.edit.to.clone(),
        ..one.edit.clone()
    };
    ecosystem.edit_manifest(&one.manifest, text, &same).is_ok()
}

fn next_to(path: &str, name: &str) -> String {
    match path.rsplit_once('/') {
        Some((folder, _)) => format!("{folder}/{name}"),
        None => name.to_owned(),
    }
}
