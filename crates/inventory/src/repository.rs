//! Reading of a repository's lockfiles, manifests and SBOMs, within bounds. Nothing is run.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use patchgate_ecosystems::{
    ALL, Ecosystem, Format, Input, UnreadFormat, formats_of, manifest_of, maven, unread_format,
};
use patchgate_model::{
    FileGroup, Inventory, Problem, ProblemKind, UnlockedManifest, Unresolved, UserError,
};
use rayon::prelude::*;

use crate::contents::{Contents, hide_credentials, parse_among, parse_as_all, parse_sbom};
use crate::external::ExternalFiles;
use crate::files::{is_sbom, read_bounded, too_much, unreadable};
use crate::git;
use crate::groups::Groups;
use crate::walk::{Ignored, Walk, slashed};

/// Most files that are read because others name them.
const MAX_INCLUDED: usize = 5_000;

/// Most bytes of lockfiles and manifests that are read.
const MAX_TOTAL_BYTES: usize = 1024 * 1024 * 1024;

/// A directory to scan, or one file of it.
#[derive(Debug)]
pub struct Repository {
    root: PathBuf,
    /// The scanned directory, from the root; empty for the root itself.
    start: String,
    only: Option<Only>,
    exclude: Vec<globset::GlobMatcher>,
    skip: BTreeSet<FileGroup>,
    ignored: Ignored,
}

/// The one file that is read.
#[derive(Debug)]
struct Only {
    /// Its path from the root.
    path: String,
    /// Its format, when its name does not determine it.
    format: Option<&'static Format>,
}

/// The root of the repository that a directory or file belongs to: the nearest directory upwards
/// with `.git`. Outside of any repository it is the directory itself, or that of the file.
pub fn repository_root(path: &Path) -> PathBuf {
    located(path).0
}

/// The root of a repository, and the directory of `path` from there.
pub(crate) fn located(path: &Path) -> (PathBuf, String) {
    let directory = if path.is_dir() { path } else { parent(path) };
    let start = git::root_of(directory).and_then(|root| {
        let inside = directory.canonicalize().ok()?;
        let start = slashed(inside.strip_prefix(&root).ok()?)?;
        Some((root, start))
    });

    match start {
        // The path as the user gave it is better in messages than a canonical one.
        Some((_, start)) if start.is_empty() => (directory.to_owned(), start),
        Some((root, start)) => (root, start),
        None => (directory.to_owned(), String::new()),
    }
}

fn parent(path: &Path) -> &Path {
    path.parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

impl Repository {
    /// Opens a directory, or a single lockfile. Paths in reports start from the root of the
    /// repository that it belongs to, which is also where `exclude` starts; see
    /// [`repository_root`].
    ///
    /// ```
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path();
    /// # std::fs::write(
    /// #     path.join("Cargo.lock"),
    /// #     "version = 4\n\n[[package]]\nname = \"app\"\nversion = \"1.0.0\"\n",
    /// # )?;
    /// use patchgate_inventory::Repository;
    ///
    /// let repository = Repository::open(path, &["vendor/**".to_owned()])?;
    /// let contents = repository.read(|step| eprintln!("{step}"));
    ///
    /// let lockfile = &contents.inventory.lockfiles[0];
    /// assert_eq!(lockfile.path, "Cargo.lock");
    /// assert_eq!(lockfile.packages[0].name, "app");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// When there is nothing at the path, or an exclude pattern cannot be read.
    pub fn open(path: &Path, exclude: &[String]) -> Result<Self, UserError> {
        let metadata = std::fs::metadata(path).map_err(|error| {
            UserError::usage(format!("cannot read `{}`: {error}", path.display()))
                .with_hint("give the path of a repository or of a lockfile")
        })?;
        let exclude = exclude
            .iter()
            .map(|pattern| {
                globset::GlobBuilder::new(pattern)
                    .literal_separator(true)
                    .build()
                    .map(|glob| glob.compile_matcher())
                    .map_err(|error| {
                        UserError::usage(format!("exclude pattern `{pattern}`: {}", error.kind()))
                    })
            })
            .collect::<Result<_, _>>()?;
        let (root, start) = located(path);
        if metadata.is_dir() {
            return Ok(Self {
                root,
                start,
                only: None,
                exclude,
                skip: BTreeSet::new(),
                ignored: Ignored::UnlessTracked,
            });
        }

        let known = path
            .file_name()
            .and_then(|name| name.to_str())
            .is_some_and(|name| formats_of(name).next().is_some());
        if !known {
            return Err(UserError::usage(format!(
                "`{}` is not a lockfile that Patchgate reads",
                path.display()
            ))
            .with_hint("`patchgate formats` lists the files that are read"));
        }

        let name = file_name(path);
        let file = match start.as_str() {
            "" => name,
            start => format!("{start}/{name}"),
        };
        Ok(Self {
            root,
            start,
            only: Some(Only {
                path: file,
                format: None,
            }),
            exclude,
            skip: BTreeSet::new(),
            ignored: Ignored::Always,
        })
    }

    /// The same repository without the files of these groups.
    #[must_use]
    pub fn without(mut self, groups: BTreeSet<FileGroup>) -> Self {
        self.skip = groups;
        self
    }

    /// Opens one file, to be read as `format`, or else as the format of its name. Its directory is
    /// searched for the manifests that belong to it.
    pub fn file(
        path: &Path,
        format: Option<&'static Format>,
        exclude: Vec<globset::GlobMatcher>,
    ) -> Self {
        Self {
            root: parent(path).to_owned(),
            start: String::new(),
            only: Some(Only {
                path: file_name(path),
                format,
            }),
            exclude,
            skip: BTreeSet::new(),
            ignored: Ignored::Always,
        }
    }

    /// The directory that paths in reports start from.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Walks the directory and reads every lockfile, several at a time.
    pub fn read(&self, mut progress: impl FnMut(&str)) -> Contents {
        let walk = Walk {
            root: &self.root,
            start: &self.start,
            ignored: self.ignored,
            exclude: &self.exclude,
            with_sboms: self.only.is_none(),
        };
        let mut found = walk.run(&mut progress);
        if let Some(only) = &self.only {
            found.files.insert(only.path.clone());
        }
        let groups = Groups::read(&self.root, &self.start, &found.attributes);

        let mut contents = Contents::default();
        contents.inventory.problems = found.problems;
        progress(&format!("{} files", found.files.len()));
        let read: Vec<_> = found
            .files
            .into_par_iter()
            .map(|path| read_bounded(&self.root, &path).map(|bytes| (path, bytes)))
            .collect();

        let mut total = 0;
        for file in read {
            match file {
                Ok((path, bytes)) => {
                    total += bytes.len();
                    contents.files.insert(path, bytes);
                }
                Err(problem) => contents.inventory.problems.push(problem),
            }
        }

        total += self.add_included(&mut contents);
        if total > MAX_TOTAL_BYTES {
            contents.files.clear();
            contents.inventory.problems.push(too_much(
                &self.root,
                format!(
                    "contains lockfiles and manifests of more than {} MiB; none was read",
                    MAX_TOTAL_BYTES / (1024 * 1024)
                ),
            ));
        }

        self.parse_all(&groups, &mut contents);
        self.add_sboms(found.candidates, &groups, &mut contents);
        for files in ALL.iter().filter_map(|ecosystem| ecosystem.files()) {
            files.settle(&mut contents.inventory.lockfiles);
        }
        contents
            .inventory
            .lockfiles
            .sort_by(|a, b| a.path.cmp(&b.path));
        group(&groups, &mut contents.inventory);

        contents
    }

    /// Whether a file is one of those that are scanned, and not only read for others.
    fn is_scanned(&self, path: &str, groups: &Groups) -> bool {
        match &self.only {
            Some(only) => only.path == path,
            None => {
                self.skip.is_empty()
                    || !groups
                        .of(path)
                        .is_some_and(|group| self.skip.contains(&group))
            }
        }
    }

    /// Reads included files (`-r base.txt`) recursively, and returns the number of bytes read. An
    /// unreadable include is reported on the including file.
    fn add_included(&self, contents: &mut Contents) -> usize {
        let mut total = 0;
        let mut next: Vec<(String, &'static dyn Ecosystem)> = contents
            .files
            .keys()
            .flat_map(|path| formats_of(path).map(|(ecosystem, _)| (path.clone(), ecosystem)))
            .collect();

        let mut left = MAX_INCLUDED;
        while let Some((path, ecosystem)) = next.pop() {
            let Some(bytes) = contents.files.get(&path) else {
                continue;
            };
            let Some(files) = ecosystem.files() else {
                continue;
            };
            let included = files.included(&Input {
                path: &path,
                bytes,
                siblings: &contents.files,
            });

            for path in included {
                if left == 0 || contents.files.contains_key(&path) {
                    continue;
                }
                left -= 1;
                if let Ok(bytes) = read_bounded(&self.root, &path) {
                    total += bytes.len();
                    contents.files.insert(path.clone(), bytes);
                    next.push((path, ecosystem));
                }
            }
        }

        total
    }

    /// Reads every lockfile, with the files from outside that its projects build on.
    pub async fn read_with(
        &self,
        external: &mut impl ExternalFiles,
        progress: impl FnMut(&str),
    ) -> Contents {
        let mut contents = self.read(progress);
        external.complete(&mut contents, &self.root).await;
        contents
    }

    fn parse_all(&self, groups: &Groups, contents: &mut Contents) {
        let format = self.only.as_ref().and_then(|only| only.format);
        let (files, projects) = (&contents.files, maven::Projects::default());
        let parsed: Vec<_> = files
            .par_iter()
            .filter(|(path, _)| self.is_scanned(path, groups))
            .flat_map_iter(|(path, bytes)| match format {
                Some(format) => vec![parse_among(format, path, bytes, files, &projects)],
                None => parse_as_all(path, bytes, files, &projects).collect(),
            })
            .collect();

        let mut failed = BTreeSet::new();
        for one in parsed {
            match one {
                Ok(lockfile) => contents.inventory.lockfiles.push(lockfile),
                Err(problem) => {
                    failed.insert(directory(&problem.subject).to_owned());
                    // A file of several formats has the same cause in each of them.
                    if !contents.inventory.problems.contains(&problem) {
                        contents.inventory.problems.push(problem);
                    }
                }
            }
        }

        if self.only.is_none() {
            self.add_unlocked(groups, contents, &failed);
            self.name_unread(groups, contents, &failed);
        }
    }

    /// Adds the SBOMs, which are recognised by their content, whatever their names.
    fn add_sboms(&self, candidates: BTreeSet<String>, groups: &Groups, contents: &mut Contents) {
        let read: Vec<_> = candidates
            .into_par_iter()
            .filter(|path| self.is_scanned(path, groups) && is_sbom(&self.root.join(path)))
            .map(|path| {
                let bytes = read_bounded(&self.root, &path)?;
                parse_sbom(&path, &bytes)
            })
            .collect();

        for one in read {
            match one {
                Ok(bill) => {
                    contents.inventory.lockfiles.push(bill.lockfile);
                    contents.inventory.problems.extend(bill.problems);
                }
                Err(problem) => contents.inventory.problems.push(problem),
            }
        }
    }

    /// Adds the manifests that belong to no lockfile. A manifest next to an unreadable lockfile
    /// belongs to that one.
    fn add_unlocked(&self, groups: &Groups, contents: &mut Contents, failed: &BTreeSet<String>) {
        let locked: BTreeSet<&str> = contents
            .inventory
            .lockfiles
            .iter()
            .flat_map(|lockfile| &lockfile.roots)
            .filter_map(|root| root.manifest.as_deref())
            .collect();
        let unlocked: Vec<_> = contents
            .files
            .par_iter()
            .filter(|(path, _)| {
                self.is_scanned(path, groups)
                    && !locked.contains(path.as_str())
                    && !failed.contains(directory(path))
                    && formats_of(path).next().is_none()
            })
            .filter_map(|(path, bytes)| {
                let (ecosystem, manifest) = manifest_of(path)?;
                let input = Input {
                    path,
                    bytes,
                    siblings: &contents.files,
                };
                let unresolved = (manifest.unresolved)(&input).map(|mut unresolved| {
                    leave_out_locked(&mut unresolved, path, ecosystem, &contents.inventory);
                    hide_credentials(&mut unresolved);
                    unresolved
                });

                match unresolved {
                    Ok(unresolved) if unresolved.is_empty() => None,
                    Ok(unresolved) => Some(Ok(UnlockedManifest {
                        path: path.clone(),
                        ecosystem: ecosystem.name(),
                        unresolved,
                    })),
                    Err(error) => Some(Err(unreadable(path, error))),
                }
            })
            .collect();

        for manifest in unlocked {
            match manifest {
                Ok(manifest) => contents.inventory.unlocked.push(manifest),
                Err(problem) => contents.inventory.problems.push(problem),
            }
        }
    }

    /// Names the files that state dependencies and are not read: one for each directory and kind.
    /// The file of a vendored project decides nothing: what is installed is what is vendored.
    fn name_unread(&self, groups: &Groups, contents: &mut Contents, failed: &BTreeSet<String>) {
        let locked: BTreeSet<(&str, &str)> = contents
            .inventory
            .lockfiles
            .iter()
            .flat_map(|lockfile| {
                let formats = formats_of(&lockfile.path);
                formats.map(|(_, format)| (project_of(&lockfile.path, format), format.id))
            })
            .collect();
        let is_pinned = |path: &str, format: &UnreadFormat| {
            let mut above = std::iter::successors(Some(directory(path)), |inner| {
                (!inner.is_empty()).then(|| directory(inner))
            });
            above.any(|directory| {
                let mut ids = format.pinned_by.iter();
                ids.any(|id| locked.contains(&(directory, *id)))
            })
        };

        let mut named = BTreeSet::new();
        let mut problems = Vec::new();
        for (path, bytes) in &contents.files {
            let Some(format) = unread_format(path) else {
                continue;
            };
            let counts = self.is_scanned(path, groups)
                && groups.of(path) != Some(FileGroup::Vendored)
                && !failed.contains(directory(path))
                && format.may_state_dependencies(bytes)
                && !is_pinned(path, format);
            if counts && named.insert((directory(path), format.files)) {
                problems.push(unsupported(path, format));
            }
        }
        contents.inventory.problems.extend(problems);
    }
}

/// The problem of a file that states dependencies and is not read.
fn unsupported(path: &str, format: &UnreadFormat) -> Problem {
    Problem {
        kind: ProblemKind::Unsupported,
        subject: path.to_owned(),
        line: None,
        reason: "states dependencies, and Patchgate does not read it".to_owned(),
        hint: Some(format.hint.to_owned()),
    }
}

/// Records the groups of the inventory's files. A vendored project is not the repository's own, so
/// none of its dependencies is a direct one.
fn group(groups: &Groups, inventory: &mut Inventory) {
    let lockfiles = inventory.lockfiles.iter().map(|lockfile| &lockfile.path);
    let unlocked = inventory.unlocked.iter().map(|manifest| &manifest.path);
    let problems = inventory.problems.iter().map(|problem| &problem.subject);
    inventory.groups = lockfiles
        .chain(unlocked)
        .chain(problems)
        .filter_map(|path| Some((path.clone(), groups.of(path)?)))
        .collect();

    for lockfile in &mut inventory.lockfiles {
        if inventory.groups.get(&lockfile.path) == Some(&FileGroup::Vendored) {
            for root in &mut lockfile.roots {
                root.edges.clear();
            }
        }
    }
}

/// Removes requirements that a lockfile in the same directory locks under the same name, although
/// it does not say for which manifest: a `requirements.txt` with pins next to a `pyproject.toml`.
fn leave_out_locked(
    unresolved: &mut Vec<Unresolved>,
    manifest: &str,
    ecosystem: &dyn Ecosystem,
    inventory: &Inventory,
) {
    if unresolved.is_empty() {
        return;
    }

    let locked: BTreeSet<_> = inventory
        .lockfiles
        .iter()
        .filter(|lockfile| directory(&lockfile.path) == directory(manifest))
        .flat_map(|lockfile| &lockfile.packages)
        .filter(|package| package.ecosystem == ecosystem.name())
        .map(|package| ecosystem.normalize_name(&package.name))
        .collect();
    unresolved.retain(|one| !locked.contains(&ecosystem.normalize_name(&one.name)));
}

/// The directory of the project that a lockfile belongs to. The pattern of a format may have
/// directories of its own: `gradle/verification-metadata.xml`.
fn project_of<'p>(path: &'p str, format: &Format) -> &'p str {
    let own = format
        .files
        .iter()
        .map(|pattern| pattern.matches('/').count());
    let levels = own.min().unwrap_or(0);
    (0..levels).fold(directory(path), |inner, _| directory(inner))
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

fn directory(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(directory, _)| directory)
}

#[cfg(test)]
mod tests;
