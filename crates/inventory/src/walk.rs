//! Walk through a directory for files of interest, within bounds.

use std::collections::BTreeSet;
use std::path::Path;

use patchgate_ecosystems::{formats_of, is_sibling};
use patchgate_model::Problem;

use crate::files::{file_problem, too_much};
use crate::git;

/// Directories with installed dependencies, build output or another tool's data. Their lockfiles
/// describe projects of others.
const SKIPPED_DIRECTORIES: &[&str] = &[
    ".git",
    ".gradle",
    ".hg",
    ".pnpm-store",
    ".svn",
    ".terraform",
    ".tox",
    ".venv",
    ".yarn",
    "__pycache__",
    "bower_components",
    "node_modules",
    "target",
    "venv",
];

/// The one of [`SKIPPED_DIRECTORIES`] whose name directories with sources have, too.
const BUILD_OUTPUT: &str = "target";

/// Name of the files with git's attributes.
const ATTRIBUTES: &str = ".gitattributes";

/// Deepest directory that is entered.
const MAX_DEPTH: usize = 64;

/// Most entries that are looked at.
const MAX_ENTRIES: usize = 2_000_000;

/// Most lockfiles and manifests that are read.
const MAX_FILES: usize = 50_000;

/// Most files whose beginning is looked at for an SBOM.
const MAX_CANDIDATES: usize = 200_000;

/// Paths of interest, from the root, sorted.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) files: BTreeSet<String>,
    /// Files that are SBOMs if their content says so.
    pub(crate) candidates: BTreeSet<String>,
    /// Files with git's attributes, from the repository's root down to the scanned directory and
    /// below it.
    pub(crate) attributes: BTreeSet<String>,
    pub(crate) problems: Vec<Problem>,
}

/// The effect of `.gitignore` on a walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ignored {
    /// Ignored files are left out, unless git tracks them: the ignore files are about untracked
    /// files only. Without an index that can be read, any file may be tracked, and none is left
    /// out.
    UnlessTracked,
    /// Ignored files are left out.
    Always,
}

/// A walk through the directory of a repository.
#[derive(Debug)]
pub(crate) struct Walk<'a> {
    pub(crate) root: &'a Path,
    /// The directory to walk through, from the root; empty for the root itself.
    pub(crate) start: &'a str,
    pub(crate) ignored: Ignored,
    /// Globs of paths to leave out.
    pub(crate) exclude: &'a [globset::GlobMatcher],
    /// Whether files that may be SBOMs are wanted too.
    pub(crate) with_sboms: bool,
}

impl Walk<'_> {
    pub(crate) fn run(&self, progress: &mut impl FnMut(&str)) -> Found {
        let mut found = Found::default();
        let tracked = match self.ignored {
            Ignored::UnlessTracked => git::tracked(self.root, |path| self.is_missed(path)),
            Ignored::Always => Some(BTreeSet::new()),
        };
        let start = match self.start {
            "" => self.root.to_owned(),
            start => self.root.join(start),
        };

        let walk = ignore::WalkBuilder::new(start)
            .hidden(false)
            .ignore(false)
            .git_ignore(tracked.is_some())
            .git_global(false)
            .git_exclude(false)
            .require_git(false)
            .follow_links(false)
            .max_depth(Some(MAX_DEPTH))
            .filter_entry(|entry| {
                entry.depth() == 0
                    || !entry.file_type().is_some_and(|kind| kind.is_dir())
                    || !entry
                        .file_name()
                        .to_str()
                        .is_some_and(|name| SKIPPED_DIRECTORIES.contains(&name))
            })
            .build();
        for (count, entry) in walk.enumerate() {
            if count >= MAX_ENTRIES || found.files.len() >= MAX_FILES {
                found.problems.push(too_much(self.root, format!(
                    "contains more than {MAX_ENTRIES} entries or {MAX_FILES} lockfiles and manifests; the rest was not read"
                )));
                break;
            }

            match entry {
                Ok(entry) => self.look_at(&entry, &mut found, progress),
                // A .gitignore that cannot be understood hides nothing, so nothing is missed.
                Err(error) if error.is_partial() => {}
                Err(error) => found.problems.push(file_problem(
                    &self.root.display().to_string(),
                    format!("cannot be walked: {error}"),
                )),
            }
        }

        for path in tracked.into_iter().flatten() {
            if std::fs::symlink_metadata(self.root.join(&path)).is_ok() {
                self.sort(path, &mut found);
            }
        }
        for (end, _) in self.start.match_indices('/') {
            found
                .attributes
                .insert(format!("{}/{ATTRIBUTES}", &self.start[..end]));
        }
        if !self.start.is_empty() {
            found.attributes.insert(ATTRIBUTES.to_owned());
        }

        found
    }

    /// Whether a tracked path may be missed by the walk and is looked at in any case. A directory
    /// of build output with tracked files is one of sources that has the same name.
    fn is_missed(&self, path: &str) -> bool {
        let inside = match self.start {
            "" => Some(path),
            start => path
                .strip_prefix(start)
                .and_then(|rest| rest.strip_prefix('/')),
        };
        let is_skipped = |part: &str| part != BUILD_OUTPUT && SKIPPED_DIRECTORIES.contains(&part);

        inside.is_some_and(|inside| !inside.split('/').any(is_skipped))
            && (is_sibling(path) || (self.with_sboms && may_be_sbom(path)) || is_attributes(path))
    }

    fn look_at(
        &self,
        entry: &ignore::DirEntry,
        found: &mut Found,
        progress: &mut impl FnMut(&str),
    ) {
        let Ok(relative) = entry.path().strip_prefix(self.root) else {
            return;
        };
        let Some(path) = slashed(relative) else {
            if entry
                .file_name()
                .to_str()
                .is_some_and(|name| formats_of(name).next().is_some())
            {
                found.problems.push(file_problem(
                    &relative.to_string_lossy(),
                    "is in a directory whose name is not UTF-8".to_owned(),
                ));
            }

            return;
        };
        let Some(kind) = entry.file_type() else {
            return;
        };
        if kind.is_dir() {
            progress(&path);
            return;
        }
        self.sort(path, found);
    }

    /// Adds a file to those of its kind.
    fn sort(&self, path: String, found: &mut Found) {
        if is_attributes(&path) {
            found.attributes.insert(path);
            return;
        }
        if self.exclude.iter().any(|glob| glob.is_match(&path)) {
            return;
        }

        if is_sibling(&path) {
            found.files.insert(path);
        } else if self.with_sboms && may_be_sbom(&path) {
            if found.candidates.len() == MAX_CANDIDATES {
                found.problems.push(too_much(
                    self.root,
                    format!("contains more than {MAX_CANDIDATES} files that may be SBOMs; the rest was not read"),
                ));
            }

            if found.candidates.len() <= MAX_CANDIDATES {
                found.candidates.insert(path);
            }
        }
    }
}

fn is_attributes(path: &str) -> bool {
    path == ATTRIBUTES || path.ends_with("/.gitattributes")
}

/// Whether a file of this name is looked into for an SBOM.
fn may_be_sbom(path: &str) -> bool {
    let name = path.rsplit_once('/').map_or(path, |(_, name)| name);
    let lower = name.to_ascii_lowercase();

    [
        ".json",
        ".jsonld",
        ".xml",
        ".spdx",
        ".rdf",
        ".spdx.yaml",
        ".spdx.yml",
        ".spdx.txt",
    ]
    .iter()
    .any(|end| lower.ends_with(end))
}

/// A relative path with `/` between its parts, where every part is UTF-8.
pub(crate) fn slashed(path: &Path) -> Option<String> {
    let parts: Option<Vec<&str>> = path
        .components()
        .map(|component| component.as_os_str().to_str())
        .collect();
    parts.map(|parts| parts.join("/"))
}
