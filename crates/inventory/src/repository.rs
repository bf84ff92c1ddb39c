//! Reading of a repository's lockfiles, manifests and SBOMs, within bounds. Nothing is run.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use patchgate_ecosystems::{Ecosystem, Format, Input, formats_of, manifest_of, maven};
use patchgate_model::{Inventory, UnlockedManifest, Unresolved, UserError};
use rayon::prelude::*;

use crate::contents::{Contents, hide_credentials, parse_among, parse_as_all, parse_sbom};
use crate::external::ExternalFiles;
use crate::files::{is_sbom, read_bounded, too_much, unreadable};
use crate::walk::Walk;

/// Most files that are read because others name them.
const MAX_INCLUDED: usize = 5_000;

/// Most bytes of lockfiles and manifests that are read.
const MAX_TOTAL_BYTES: usize = 1024 * 1024 * 1024;

/// A directory to scan, or one file of it.
#[derive(Debug)]
pub struct Repository {
    root: PathBuf,
    only: Option<Only>,
    exclude: Vec<globset::GlobMatcher>,
}

/// The one file that is read.
#[derive(Debug)]
struct Only {
    /// Its name in the directory.
    name: String,
    /// Its format, when its name does not determine it.
    format: Option<&'static Format>,
}

impl Repository {
    /// Opens a directory, or a single lockfile.
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
        if metadata.is_dir() {
            return Ok(Self {
                root: path.to_owned(),
                only: None,
                exclude,
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

        Ok(Self::file(path, None, exclude))
    }

    /// Opens one file, to be read as `format`, or else as the format of its name. Its directory is
    /// searched for the manifests that belong to it.
    pub fn file(
        path: &Path,
        format: Option<&'static Format>,
        exclude: Vec<globset::GlobMatcher>,
    ) -> Self {
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        Self {
            root: path
                .parent()
                .filter(|parent| !parent.as_os_str().is_empty())
                .unwrap_or(Path::new("."))
                .to_owned(),
            only: Some(Only {
                name: name.unwrap_or_default(),
                format,
            }),
            exclude,
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
            exclude: &self.exclude,
            with_sboms: self.only.is_none(),
        };
        let mut found = walk.run(&mut progress);
        if let Some(only) = &self.only {
            found.files.insert(only.name.clone());
        }

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

        self.parse_all(&mut contents);
        self.add_sboms(found.candidates, &mut contents);
        contents
            .inventory
            .lockfiles
            .sort_by(|a, b| a.path.cmp(&b.path));

        contents
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

    fn parse_all(&self, contents: &mut Contents) {
        let wanted = |path: &String| self.only.as_ref().is_none_or(|only| only.name == *path);
        let format = self.only.as_ref().and_then(|only| only.format);
        let (files, projects) = (&contents.files, maven::Projects::default());
        let parsed: Vec<_> = files
            .par_iter()
            .filter(|(path, _)| wanted(path))
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
                    contents.inventory.problems.push(problem);
                }
            }
        }

        if self.only.is_none() {
            self.add_unlocked(contents, &failed);
        }
    }

    /// Adds the SBOMs, which are recognised by their content, whatever their names.
    fn add_sboms(&self, candidates: BTreeSet<String>, contents: &mut Contents) {
        let read: Vec<_> = candidates
            .into_par_iter()
            .filter(|path| is_sbom(&self.root.join(path)))
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
    fn add_unlocked(&self, contents: &mut Contents, failed: &BTreeSet<String>) {
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
                !locked.contains(path.as_str())
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

fn directory(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(directory, _)| directory)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(root: &Path) -> Vec<String> {
        let contents = Repository::open(root, &[]).unwrap().read(|_| {});
        contents
            .inventory
            .problems
            .iter()
            .map(|problem| format!("{}: {}", problem.subject, problem.reason))
            .collect()
    }

    #[test]
    fn a_symbolic_link_out_of_the_tree_is_not_followed() {
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("Cargo.lock"), "version = 4\n").unwrap();
        let root = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(
            outside.path().join("Cargo.lock"),
            root.path().join("Cargo.lock"),
        )
        .unwrap();

        assert_eq!(
            problems(root.path()),
            ["Cargo.lock: is a symbolic link that leads out of the repository"]
        );
    }

    #[test]
    fn a_file_above_the_limit_is_not_read() {
        let root = tempfile::tempdir().unwrap();
        let file = std::fs::File::create(root.path().join("package-lock.json")).unwrap();
        file.set_len(50 * 1024 * 1024).unwrap();
        assert_eq!(
            problems(root.path()),
            ["package-lock.json: is larger than 32 MiB"]
        );
    }

    #[test]
    fn ignored_and_dependency_folders_are_not_entered() {
        let root = tempfile::tempdir().unwrap();
        for folder in ["node_modules/a", "ignored", "target/package/a"] {
            std::fs::create_dir_all(root.path().join(folder)).unwrap();
            std::fs::write(root.path().join(folder).join("package-lock.json"), "x").unwrap();
        }
        std::fs::write(root.path().join(".gitignore"), "/ignored/\n").unwrap();
        assert!(problems(root.path()).is_empty());
    }

    #[test]
    fn an_unknown_file_is_a_usage_error() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("notes.txt");
        std::fs::write(&path, "").unwrap();
        let error = Repository::open(&path, &[]).unwrap_err();
        assert!(error.to_string().contains("notes.txt"));
    }
}
