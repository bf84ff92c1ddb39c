//! What a package manager is given of a project, and the edits of manifests.

use std::io::Read as _;
use std::path::Path;

use patchgate_ecosystems::{EditError, RequirementEdit, Siblings, Upgradable, cargo};
use patchgate_model::PackageIndex;
use patchgate_package_managers::{
    Project, RelockError, Relocked, RunOptions, cargo as cargo_manager, npm,
};
use patchgate_upgrade::{ManifestEdit, Move};

use super::Failure;
use super::tree::Tree;

/// Largest configuration file of a package manager that is read, in bytes.
const MAX_CONFIGURATION_BYTES: u64 = 256 * 1024;

/// The manifest that holds the requirement of an edit: the one that asks for it, or, when a member
/// takes it from the workspace's table, the one beside the lockfile.
pub(super) fn holder(
    ecosystem: &dyn Upgradable,
    manifests: &Siblings,
    lockfile: &str,
    one: &ManifestEdit,
) -> String {
    let holds = |path: &String| {
        let text = manifests.get(path).map(|bytes| std::str::from_utf8(bytes));
        matches!(text, Some(Ok(text)) if ecosystem.edit_manifest(text, &one.edit).is_ok())
    };
    let above = ecosystem
        .manifests()
        .first()
        .map(|name| beside(lockfile, name));

    std::iter::once(one.manifest.clone())
        .chain(above)
        .find(holds)
        .unwrap_or_else(|| one.manifest.clone())
}

/// Changes the manifests for a set of moves.
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
        match ecosystem.edit_manifest(text, &one.edit) {
            Ok(changed) => {
                manifests.insert(one.manifest.clone(), changed.into_bytes());
            }
            Err(EditError::NotFound { .. }) if already(ecosystem, text, &one.edit) => {}
            Err(error) => return Err(Failure::new(format!("`{}`: {error}", one.manifest))),
        }
    }

    Ok(())
}

/// Whether a manifest asks for what an edit wants already: several members may share one line.
fn already(ecosystem: &dyn Upgradable, text: &str, edit: &RequirementEdit) -> bool {
    let same = RequirementEdit {
        from: edit.to.clone(),
        ..edit.clone()
    };
    ecosystem.edit_manifest(text, &same).is_ok()
}

/// Why the package manager does not use a lockfile at all, where it does not: a member of a Cargo
/// workspace may still have one from before it was a member.
///
/// # Errors
/// When the package manager cannot be asked.
pub(super) async fn unused(
    ecosystem: &dyn Upgradable,
    root: &Path,
    tree: &Tree,
    run: RunOptions,
) -> Result<Option<String>, RelockError> {
    let path = &tree.lockfile.path;
    let Some((folder, _)) = path.rsplit_once('/') else {
        return Ok(None);
    };
    if ecosystem.name() == "npm" || !has_manifest_above(&tree.manifests, folder) {
        return Ok(None);
    }

    let mut project = of(root, tree);
    folder.clone_into(&mut project.folder);
    project.manifests = projected(&tree.manifests)?;
    let manifest = cargo_manager::workspace_manifest(&project, run).await?;

    Ok(manifest
        .filter(|manifest| *manifest != beside(path, "Cargo.toml"))
        .map(|manifest| {
            format!(
                "Cargo does not use `{path}`, because `{folder}` belongs to the workspace of \
                 `{manifest}`: delete the file, or put the folder under `exclude` there"
            )
        }))
}

fn has_manifest_above(manifests: &Siblings, folder: &str) -> bool {
    let mut folder = folder;
    loop {
        folder = folder.rsplit_once('/').map_or("", |(above, _)| above);
        let manifest = match folder {
            "" => "Cargo.toml".to_owned(),
            _ => format!("{folder}/Cargo.toml"),
        };
        if manifests.contains_key(&manifest) {
            return true;
        }
        if folder.is_empty() {
            return false;
        }
    }
}

/// A tree's files without its manifests.
fn of(root: &Path, tree: &Tree) -> Project {
    let path = &tree.lockfile.path;
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));

    Project {
        folder: String::new(),
        folder_name: folder_name(root, folder),
        manifests: Siblings::new(),
        lockfile_name: name.to_owned(),
        lockfile: tree.bytes.clone(),
        configuration: Vec::new(),
    }
}

/// Lets the package manager lock a tree after moves.
pub(super) async fn relock(
    ecosystem: &dyn Upgradable,
    root: &Path,
    tree: &Tree,
    manifests: &Siblings,
    moves: &[Move],
    configuration: &[Vec<u8>],
    run: RunOptions,
) -> Result<Relocked, RelockError> {
    let path = &tree.lockfile.path;
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut project = of(root, tree);
    project.configuration = configuration.to_vec();

    if ecosystem.name() == "npm" {
        project.manifests = below(manifests, folder);
        let moves: Vec<npm::CopyMove> = moves
            .iter()
            .filter_map(|step| {
                Some(npm::CopyMove {
                    install_path: path_of(tree, step.copy)?,
                    name: step.name.clone(),
                    from: step.from.clone(),
                    to: step.to().to_owned(),
                })
            })
            .collect();
        return npm::relock(&project, &moves, run).await;
    }

    folder.clone_into(&mut project.folder);
    project.manifests = projected(manifests)?;
    let moves: Vec<cargo_manager::PackageMove> = moves
        .iter()
        .map(|step| cargo_manager::PackageMove {
            name: step.name.clone(),
            from: step.from.clone(),
            to: step.to().to_owned(),
        })
        .collect();

    cargo_manager::relock(&project, &moves, run).await
}

/// Name of a folder of the repository, also when it is the root and given as `.`.
fn folder_name(root: &Path, folder: &str) -> String {
    let path = root.join(folder);
    path.canonicalize()
        .unwrap_or(path)
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

fn path_of(tree: &Tree, copy: PackageIndex) -> Option<String> {
    tree.lockfile.package(copy)?.install_path.clone()
}

/// The manifests below a folder, by path from it.
fn below(manifests: &Siblings, folder: &str) -> Siblings {
    let prefix = if folder.is_empty() {
        String::new()
    } else {
        format!("{folder}/")
    };
    manifests
        .iter()
        .filter(|(path, _)| path.ends_with("package.json"))
        .filter_map(|(path, bytes)| Some((path.strip_prefix(&prefix)?.to_owned(), bytes.clone())))
        .collect()
}

/// Cargo's manifests cut down to what decides the graph, each with an empty library beside it.
fn projected(manifests: &Siblings) -> Result<Siblings, RelockError> {
    let mut projected = Siblings::new();
    for (path, bytes) in manifests {
        if !path.ends_with("Cargo.toml") {
            continue;
        }
        // A manifest that is not readable matters only when Cargo comes to need it, and then
        // Cargo says so.
        let Ok(text) = std::str::from_utf8(bytes) else {
            continue;
        };

        let Ok(manifest) = cargo::resolution_manifest(text) else {
            continue;
        };

        projected.insert(path.clone(), manifest.into_bytes());
        projected.insert(beside(path, "src/lib.rs"), Vec::new());
    }

    Ok(projected)
}

fn beside(path: &str, name: &str) -> String {
    match path.rsplit_once('/') {
        Some((folder, _)) => format!("{folder}/{name}"),
        None => name.to_owned(),
    }
}

/// The repository's own configuration of the package manager, outermost folder first. Links are
/// not followed and large files not read: they would come from a hostile repository.
pub(super) fn configuration(
    ecosystem: &dyn Upgradable,
    root: &Path,
    lockfile: &str,
) -> Vec<Vec<u8>> {
    let folder = lockfile.rsplit_once('/').map_or("", |(folder, _)| folder);
    if ecosystem.name() == "npm" {
        return read_bounded(root, &beside(lockfile, ".npmrc"))
            .into_iter()
            .collect();
    }

    let mut folders = vec![String::new()];
    let mut path = String::new();
    for part in folder.split('/').filter(|part| !part.is_empty()) {
        if !path.is_empty() {
            path.push('/');
        }
        path.push_str(part);
        folders.push(path.clone());
    }

    folders
        .iter()
        .flat_map(|folder| {
            let prefix = if folder.is_empty() {
                String::new()
            } else {
                format!("{folder}/")
            };
            [".cargo/config.toml", ".cargo/config"]
                .into_iter()
                .find_map(|name| read_bounded(root, &format!("{prefix}{name}")))
        })
        .collect()
}

fn read_bounded(root: &Path, path: &str) -> Option<Vec<u8>> {
    let mut at = root.to_owned();
    for part in path.split('/') {
        at.push(part);
        let metadata = std::fs::symlink_metadata(&at).ok()?;
        if metadata.file_type().is_symlink() {
            return None;
        }
    }

    let mut bytes = Vec::new();
    std::fs::File::open(&at)
        .ok()?
        .take(MAX_CONFIGURATION_BYTES + 1)
        .read_to_end(&mut bytes)
        .ok()?;

    (bytes.len() as u64 <= MAX_CONFIGURATION_BYTES).then_some(bytes)
}
