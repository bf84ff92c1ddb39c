//! The projects that a lockfile belongs to: the one in its directory and the workspace members.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use patchgate_model::{Edge, Root};

use crate::Input;
use crate::npm::lockfile::joined;
use crate::npm::manifest::Manifest;

/// Maximum number of patterns for workspace members. Real workspaces have a few.
const MAX_PATTERNS: usize = 1_000;

/// Maximum length of a pattern, in bytes.
const MAX_PATTERN_BYTES: usize = 512;

/// A manifest with its path.
pub(in crate::npm) struct Project<'a> {
    /// Path from the repository root.
    pub(in crate::npm) path: String,
    /// The manifest; an empty one if it cannot be read.
    pub(in crate::npm) manifest: Manifest<'a>,
    /// Whether the manifest could be read.
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

/// The project in the lockfile's directory.
pub(in crate::npm) fn beside<'a>(input: &Input<'a>) -> Option<Project<'a>> {
    project_at(input, "")
}

/// The project in a directory, which is relative to the lockfile's.
pub(in crate::npm) fn project_at<'a>(input: &Input<'a>, directory: &str) -> Option<Project<'a>> {
    let path = joined(&input.beside(""), directory, "package.json")?;
    let bytes = input.sibling(&path)?;
    Some(Project::new(path, bytes))
}

/// The root for a directory of the repository that is installed like a package; `None` without a
/// manifest. The lockfile contains the dependencies of that manifest, so it can be fixed there.
pub(in crate::npm) fn folder_root(
    input: &Input<'_>,
    base: &str,
    directory: &str,
    edges: &[Edge],
) -> Option<Root> {
    let project = project_at(input, &format!("{base}/{directory}"))?;
    Some(Root {
        name: project.manifest.name().unwrap_or_default().to_owned(),
        manifest: Some(project.path),
        edges: edges.to_vec(),
    })
}

/// The project in the lockfile's directory, then the workspace members that it names, sorted by path
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

    let (included, excluded): (Vec<&String>, Vec<&String>) = patterns
        .iter()
        .take(MAX_PATTERNS)
        .partition(|pattern| !pattern.starts_with('!'));
    let (included, excluded) = (globs(&included), globs(&excluded));

    let base = input.beside("");
    for (path, bytes) in input.siblings.range(base.clone()..) {
        let Some(inside) = path.strip_prefix(&base) else {
            break;
        };
        let Some(directory) = inside.strip_suffix("/package.json") else {
            continue;
        };

        let is_installed = directory.split('/').any(|part| part == "node_modules");
        if !is_installed && included.is_match(directory) && !excluded.is_match(directory) {
            projects.push(Project::new(path.clone(), bytes));
        }
    }

    projects
}

/// Compiles patterns of directories. An invalid one is skipped, because it matches nothing.
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
