//! The projects whose dependencies a lockfile locks: the one beside it and its workspace members.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use patchgate_model::{Edge, Root};

use crate::Input;
use crate::npm::lockfile::joined;
use crate::npm::manifest::Manifest;

/// Most patterns of workspace members that are tried. Real workspaces have a few.
const MAX_PATTERNS: usize = 1_000;

/// Longest pattern, in bytes.
const MAX_PATTERN_BYTES: usize = 512;

/// A manifest with its place.
pub(in crate::npm) struct Project<'a> {
    /// Path from the repository root.
    pub(in crate::npm) path: String,
    /// What the manifest says; nothing where it cannot be read.
    pub(in crate::npm) manifest: Manifest<'a>,
    /// Whether it could be read.
    pub(in crate::npm) readable: bool,
}

impl<'a> Project<'a> {
    fn new(path: String, bytes: &'a [u8]) -> Self {
        let manifest = Manifest::read(bytes);
        Self {
            path,
            readable: manifest.is_some(),
            manifest: manifest.unwrap_or_default(),
        }
    }
}

/// The manifest beside the lockfile.
pub(in crate::npm) fn beside<'a>(input: &Input<'a>) -> Option<Project<'a>> {
    project_at(input, "")
}

/// The manifest in a folder that is given from the lockfile's own.
pub(in crate::npm) fn project_at<'a>(input: &Input<'a>, folder: &str) -> Option<Project<'a>> {
    let path = joined(&input.beside(""), folder, "package.json")?;
    let bytes = input.sibling(&path)?;
    Some(Project::new(path, bytes))
}

/// The root for a folder of the repository that is installed like a package, where it has a
/// manifest: the lockfile locks what that asks for.
pub(in crate::npm) fn folder_root(
    input: &Input<'_>,
    base: &str,
    folder: &str,
    edges: &[Edge],
) -> Option<Root> {
    let project = project_at(input, &format!("{base}/{folder}"))?;
    Some(Root {
        name: project.manifest.name().unwrap_or_default().to_owned(),
        manifest: Some(project.path),
        edges: edges.to_vec(),
    })
}

/// The manifest beside the lockfile, then those of the workspace members that it names, by path
/// (<https://classic.yarnpkg.com/en/docs/workspaces>).
pub(in crate::npm) fn projects<'a>(input: &Input<'a>) -> Vec<Project<'a>> {
    let Some(root) = beside(input) else {
        return Vec::new();
    };
    let patterns = root.manifest.workspaces();
    let mut projects = vec![root];
    if patterns.is_empty() {
        return projects;
    }

    let (wanted, unwanted): (Vec<&String>, Vec<&String>) = patterns
        .iter()
        .take(MAX_PATTERNS)
        .partition(|pattern| !pattern.starts_with('!'));
    let (wanted, unwanted) = (globs(&wanted), globs(&unwanted));
    let base = input.beside("");
    for (path, bytes) in input.siblings.range(base.clone()..) {
        let Some(inside) = path.strip_prefix(&base) else {
            break;
        };
        let Some(folder) = inside.strip_suffix("/package.json") else {
            continue;
        };
        let installed = folder.split('/').any(|part| part == "node_modules");

        if !installed && wanted.is_match(folder) && !unwanted.is_match(folder) {
            projects.push(Project::new(path.clone(), bytes));
        }
    }

    projects
}

/// Patterns of folders. One that is no pattern names no folder.
fn globs(patterns: &[&String]) -> GlobSet {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        let pattern = pattern.trim_start_matches('!').trim_start_matches("./");
        if pattern.len() > MAX_PATTERN_BYTES {
            continue;
        }

        let glob = GlobBuilder::new(pattern.trim_end_matches('/'))
            .literal_separator(true)
            .build();
        if let Ok(glob) = glob {
            set.add(glob);
        }
    }

    set.build().unwrap_or_default()
}
