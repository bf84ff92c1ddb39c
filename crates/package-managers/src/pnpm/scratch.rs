//! The files of a project that pnpm sees in a scratch directory.
//!
//! pnpm runs programs that a repository names (`.pnpmfile.cjs`, the one in `configDependencies`) and
//! another version of itself (`packageManager`, `devEngines`). None of these reaches the scratch
//! directory, and settings are kept only when they change the graph.

use std::collections::BTreeMap;

use patchgate_ecosystems::Siblings;
use patchgate_ecosystems::syntax::{Node, yaml_settings};
use serde_json::Value;

use super::WORKSPACE;
use crate::manager::{LockedProject, configuration_file, join};
use crate::scratch::Scratch;
use crate::{ConfigurationFile, RelockError};

/// Name of the manifests.
const MANIFEST: &str = "package.json";

/// The settings of `pnpm-workspace.yaml` that are kept: those that change the graph or the form of
/// the lockfile (<https://pnpm.io/settings>), and the project's own limits on releases.
const KEPT: [&str; 29] = [
    "allowedDeprecatedVersions",
    "autoInstallPeers",
    "autoInstallPeersFromHighestMatch",
    "blockExoticSubdeps",
    "catalog",
    "catalogs",
    "dedupeDirectDeps",
    "dedupePeerDependents",
    "dedupePeers",
    "excludeLinksFromLockfile",
    "ignoredOptionalDependencies",
    "injectWorkspacePackages",
    "linkWorkspacePackages",
    "lockfileIncludeTarballUrl",
    "minimumReleaseAge",
    "minimumReleaseAgeExclude",
    "minimumReleaseAgeStrict",
    "overrides",
    "packageExtensions",
    "packages",
    "patchedDependencies",
    "peerDependencyRules",
    "peersSuffixMaxLength",
    "preferWorkspacePackages",
    "registries",
    "registry",
    "resolutionMode",
    "resolvePeersFromWorkspaceRoot",
    "supportedArchitectures",
];

/// The settings of `.npmrc` that change the graph or the form of the lockfile. pnpm before version 10
/// reads them from nowhere else (<https://pnpm.io/8.x/npmrc>).
const NPMRC: [&str; 12] = [
    "auto-install-peers",
    "dedupe-direct-deps",
    "dedupe-peer-dependents",
    "exclude-links-from-lockfile",
    "link-workspace-packages",
    "lockfile-include-tarball-url",
    "prefer-workspace-packages",
    "resolution-mode",
    "resolve-peers-from-workspace-root",
    "save-workspace-protocol",
    "shared-workspace-lockfile",
    "strict-peer-dependencies",
];

/// Fields of a manifest that choose another program to run.
const PROGRAMS: [&str; 2] = ["packageManager", "devEngines"];

/// Files of a project, by path from the directory of its lockfile.
#[derive(Debug, Clone, Default)]
pub(super) struct Files {
    pub(super) manifests: BTreeMap<String, Vec<u8>>,
    /// The settings of the workspace that are kept; empty without any.
    pub(super) workspace: String,
    pub(super) patches: BTreeMap<String, Vec<u8>>,
    npmrc: Vec<ConfigurationFile>,
}

impl Files {
    /// The files of a project.
    ///
    /// # Errors
    /// When one of them cannot be used.
    pub(super) fn of(project: LockedProject<'_>) -> Result<Self, RelockError> {
        let directory = project.directory();
        let mut files = Self::default();
        for (path, bytes) in below(project.manifests, directory) {
            let bytes = match path == MANIFEST {
                true => without_programs(&path, bytes)?,
                false => bytes.clone(),
            };
            files.manifests.insert(path, bytes);
        }

        let path = join(directory, WORKSPACE);
        let configured = project.configuration.iter().find(|file| file.path == path);
        let workspace = project
            .manifests
            .get(&path)
            .or(configured.map(|file| &file.content));
        if let Some(bytes) = workspace {
            let text = String::from_utf8_lossy(bytes);
            files.workspace = kept(&text).map_err(|reason| RelockError::Unusable {
                path: path.clone(),
                reason,
            })?;
        }
        files.patches = files.patches_of(project);
        let is_npmrc = |file: &&ConfigurationFile| file.path.ends_with(".npmrc");
        files.npmrc = project
            .configuration
            .iter()
            .filter(is_npmrc)
            .cloned()
            .collect();

        Ok(files)
    }

    /// Writes the files and a lockfile into a new scratch directory.
    pub(super) fn scratch(&self, lockfile: &str) -> Result<Scratch, RelockError> {
        let scratch = Scratch::new()?;
        for (path, bytes) in self.manifests.iter().chain(&self.patches) {
            scratch.write(path, bytes)?;
        }
        if !self.workspace.is_empty() {
            scratch.write(WORKSPACE, self.workspace.as_bytes())?;
        }
        crate::npm::write_configuration(&scratch, &self.npmrc)?;
        scratch.write(super::LOCKFILE, lockfile.as_bytes())?;
        Ok(scratch)
    }

    /// The settings of the project's `.npmrc` that are kept, with plain values.
    pub(super) fn npmrc_settings(&self) -> BTreeMap<String, String> {
        let mut settings = BTreeMap::new();
        for file in &self.npmrc {
            let text = String::from_utf8_lossy(&file.content);
            for (name, value) in text.lines().filter_map(|line| line.split_once('=')) {
                let (name, value) = (name.trim(), value.trim());
                let is_plain = value.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
                if NPMRC.contains(&name) && is_plain && !value.is_empty() {
                    settings.insert(name.to_owned(), value.to_owned());
                }
            }
        }
        settings
    }

    /// The files of `patchedDependencies`, whose hashes the lockfile has.
    fn patches_of(&self, project: LockedProject<'_>) -> BTreeMap<String, Vec<u8>> {
        let settings = yaml_settings(&self.workspace).ok().flatten();
        let listed = settings
            .as_ref()
            .and_then(|settings| settings.get("patchedDependencies"));
        let mut paths: Vec<String> = listed
            .map(Node::entries)
            .unwrap_or_default()
            .iter()
            .filter_map(|(_, path)| path.text().map(str::to_owned))
            .collect();
        let manifest = self.manifests.get(MANIFEST);
        let manifest: Option<Value> = manifest.and_then(|bytes| serde_json::from_slice(bytes).ok());
        let listed = manifest.as_ref().and_then(|manifest| {
            manifest
                .get("pnpm")?
                .get("patchedDependencies")?
                .as_object()
        });
        let stated = listed.into_iter().flat_map(|listed| listed.values());
        paths.extend(stated.filter_map(|path| path.as_str().map(str::to_owned)));

        let read = |path: String| {
            let file = configuration_file(project.root, &join(project.directory(), &path))?;
            Some((path, file.content))
        };
        paths.into_iter().filter_map(read).collect()
    }
}

/// The manifests below a directory, by path from it.
fn below<'m>(
    manifests: &'m Siblings,
    directory: &str,
) -> impl Iterator<Item = (String, &'m Vec<u8>)> {
    let prefix = match directory {
        "" => String::new(),
        directory => format!("{directory}/"),
    };
    manifests.iter().filter_map(move |(path, bytes)| {
        let inner = path.strip_prefix(&prefix)?;
        let is_manifest = inner == MANIFEST || inner.ends_with("/package.json");
        is_manifest.then(|| (inner.to_owned(), bytes))
    })
}

/// A manifest without the fields that choose another program.
fn without_programs(path: &str, bytes: &[u8]) -> Result<Vec<u8>, RelockError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let unusable = |error: serde_json::Error| RelockError::Unusable {
        path: path.to_owned(),
        reason: error.to_string(),
    };
    let mut manifest: Value = serde_json::from_slice(bytes).map_err(unusable)?;
    let mut has_programs = false;
    if let Some(fields) = manifest.as_object_mut() {
        for field in PROGRAMS {
            has_programs |= fields.remove(field).is_some();
        }
    }
    if !has_programs {
        return Ok(bytes.to_vec());
    }
    serde_json::to_vec(&manifest).map_err(unusable)
}

/// The settings of a workspace that are kept, as written.
///
/// # Errors
/// When it cannot be read, or its settings are not at the beginnings of lines.
pub(super) fn kept(text: &str) -> Result<String, String> {
    let settings = yaml_settings(text).map_err(|error| format!("it {}", error.reason))?;
    let Some(settings) = settings else {
        return Ok(String::new());
    };
    if !settings.is_map() {
        return Err("it is not a map".to_owned());
    }
    if settings.get("sharedWorkspaceLockfile").and_then(Node::bool) == Some(false) {
        return Err("its projects have lockfiles of their own".to_owned());
    }

    // pnpm puts variables of the environment into these.
    if text.contains("${") {
        return Err("it has variables".to_owned());
    }

    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let entries = settings.entries();
    let mut kept = String::new();
    for (number, (key, _)) in entries.iter().enumerate() {
        if key.column != 1 {
            return Err("its settings are not at the beginnings of lines".to_owned());
        }
        let start = (key.line as usize).saturating_sub(1);
        let next = entries.get(number + 1);
        let end = next.map_or(lines.len(), |(next, _)| {
            (next.line as usize).saturating_sub(1)
        });
        if KEPT.contains(&&*key.name) {
            kept += &lines.get(start..end).unwrap_or_default().concat();
            if !kept.ends_with('\n') {
                kept.push('\n');
            }
        }
    }

    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_npmrc_that_change_the_graph_are_kept() {
        let content = b"auto-install-peers = true\nresolution-mode=highest\n\
            script-shell=./x\nstrict-peer-dependencies=${X}\ndedupe-direct-deps=\n";
        let files = Files {
            npmrc: vec![ConfigurationFile {
                path: ".npmrc".to_owned(),
                content: content.to_vec(),
            }],
            ..Files::default()
        };
        let settings: Vec<String> = files
            .npmrc_settings()
            .into_iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        assert_eq!(
            settings,
            ["auto-install-peers=true", "resolution-mode=highest"]
        );
    }

    #[test]
    fn settings_that_run_something_are_left_out() {
        let text = "packages:\n  - a\n# x\nconfigDependencies:\n  evil: 1.0.0+sha512-x\npnpmfile: ./x.cjs\noverrides:\n  a: 1\nscriptShell: ./x";
        assert_eq!(
            kept(text).unwrap(),
            "packages:\n  - a\n# x\noverrides:\n  a: 1\n"
        );
        assert_eq!(kept("").unwrap(), "");
        for text in [
            "[]",
            "{ pnpmfile: ./x.cjs }",
            "sharedWorkspaceLockfile: false",
            "a: [",
        ] {
            assert!(kept(text).is_err(), "{text}");
        }

        let manifest = br#"{"packageManager":"pnpm@1.0.0","name":"a","devEngines":{}}"#;
        let manifest = without_programs("package.json", manifest).unwrap();
        assert_eq!(manifest, br#"{"name":"a"}"#);
    }
}
