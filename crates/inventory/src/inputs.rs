//! Inputs of a command: a repository, or files that are named one by one.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use patchgate_ecosystems::{Format, Siblings, format_by_id, formats_of, limits};
use patchgate_model::{FileGroup, Inventory, Lockfile, UserError};

use crate::contents::{Contents, parse, parse_sbom};
use crate::external::ExternalFiles;
use crate::files::read_named;
use crate::repository::Repository;

/// Standard input instead of a file.
const STANDARD_INPUT: &str = "-";

/// Options of [`Inputs::open`], as a user gives them.
#[derive(Debug, Clone, Default)]
pub struct InputOptions {
    /// The repository, or a single lockfile of it. `None` is the current directory, which is left
    /// out when files are named one by one.
    pub path: Option<PathBuf>,
    /// Globs of paths to leave out.
    pub exclude: Vec<String>,
    /// Groups of files to leave out.
    pub skip: BTreeSet<FileGroup>,
    /// Files to read whatever their names, each as `[FORMAT:]FILE`; `-` is standard input.
    pub lockfiles: Vec<String>,
    /// SBOMs to read; `-` is standard input.
    pub sboms: Vec<String>,
}

/// The inputs of a command: a repository, and files that are named one by one.
#[derive(Debug)]
pub struct Inputs {
    /// The repository to walk; `None` when only named files are read.
    repository: Option<Repository>,
    named: Vec<Named>,
    /// The directory that relative paths of the settings start from.
    root: PathBuf,
}

/// A file that is named on the command line.
#[derive(Debug)]
enum Named {
    Lockfile {
        file: String,
        format: Option<&'static Format>,
    },
    Sbom(String),
}

/// Reads `[FORMAT:]FILE`. The part before the colon counts as a format only when there is one of
/// that name.
fn lockfile(text: &str) -> Result<Named, UserError> {
    let (format, file) = match text.split_once(':') {
        Some((id, file)) if format_by_id(id).is_some() => (format_by_id(id), file),
        _ => (None, text),
    };
    if format.is_none() && formats_of(file).next().is_none() {
        let hint =
            "name its format, as in `--lockfile FORMAT:FILE`; `patchgate formats` lists them";
        return Err(
            UserError::usage(format!("`{file}` has no name of a known lockfile format"))
                .with_hint(hint),
        );
    }

    Ok(Named::Lockfile {
        file: file.to_owned(),
        format,
    })
}

impl Named {
    fn file(&self) -> &str {
        match self {
            Self::Lockfile { file, .. } | Self::Sbom(file) => file,
        }
    }
}

impl Inputs {
    /// Opens the repository and checks the named files. Nothing is read yet.
    ///
    /// # Errors
    /// When a path does not exist, or a format is unknown.
    pub fn open(options: &InputOptions) -> Result<Self, UserError> {
        let mut named = Vec::new();
        for one in &options.lockfiles {
            named.push(lockfile(one)?);
        }
        named.extend(options.sboms.iter().cloned().map(Named::Sbom));

        let from_input = named
            .iter()
            .filter(|one| one.file() == STANDARD_INPUT)
            .count();
        if from_input > 1 {
            return Err(UserError::usage("standard input can be read only once"));
        }

        for one in &named {
            let file = one.file();
            if file != STANDARD_INPUT && !Path::new(file).is_file() {
                return Err(UserError::usage(format!(
                    "the file `{file}` does not exist"
                )));
            }
        }

        let path = options.path.as_deref().unwrap_or(Path::new("."));
        let repository = Repository::open(path, &options.exclude)?.without(options.skip.clone());
        let root = repository.root().to_owned();
        let only_named = !named.is_empty() && options.path.is_none();

        Ok(Self {
            repository: (!only_named).then_some(repository),
            named,
            root,
        })
    }

    /// The directory of the repository.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Reads everything. [`Contents::files`] has the files of the repository alone.
    ///
    /// # Errors
    /// When standard input cannot be read.
    pub async fn read(
        &self,
        external: &mut impl ExternalFiles,
        mut progress: impl FnMut(&str),
    ) -> Result<Contents, UserError> {
        let mut contents = match &self.repository {
            Some(repository) => {
                repository
                    .read_with(external, |path| progress(&format!("reading {path}")))
                    .await
            }
            None => Contents::default(),
        };

        for one in &self.named {
            progress(&format!("reading {}", one.file()));
            let read = match one {
                Named::Lockfile { file, format } if file != STANDARD_INPUT => renamed(
                    Repository::file(Path::new(file), *format, Vec::new())
                        .read_with(external, |_| {})
                        .await,
                    file,
                ),
                Named::Lockfile { format, .. } => {
                    let bytes = standard_input()?;
                    let parsed = format
                        .map(|format| parse(format, STANDARD_INPUT, &bytes, &Siblings::new()));
                    collected(parsed)
                }
                Named::Sbom(file) => sbom(file)?,
            };
            contents.inventory.lockfiles.extend(read.lockfiles);
            contents.inventory.problems.extend(read.problems);
        }

        Ok(contents)
    }
}

fn collected(
    parsed: impl IntoIterator<Item = Result<Lockfile, patchgate_model::Problem>>,
) -> Inventory {
    let mut inventory = Inventory::default();
    for one in parsed {
        match one {
            Ok(lockfile) => inventory.lockfiles.push(lockfile),
            Err(problem) => inventory.problems.push(problem),
        }
    }
    inventory
}

/// The inventory of a named file, with paths as the user gave them instead of paths from the file's
/// directory.
fn renamed(contents: Contents, file: &str) -> Inventory {
    let directory = file.rsplit_once('/').map_or("", |(directory, _)| directory);
    let from_here = |path: &str| match directory {
        "" => path.to_owned(),
        directory => format!("{directory}/{path}"),
    };

    let mut inventory = contents.inventory;
    for lockfile in &mut inventory.lockfiles {
        lockfile.path = from_here(&lockfile.path);
        for root in &mut lockfile.roots {
            root.manifest = root.manifest.as_deref().map(from_here);
        }
    }

    for problem in &mut inventory.problems {
        problem.subject = from_here(&problem.subject);
    }

    inventory
}

fn sbom(file: &str) -> Result<Inventory, UserError> {
    let read = if file == STANDARD_INPUT {
        Ok(standard_input()?)
    } else {
        read_named(Path::new(file))
    };
    let bill = read.and_then(|bytes| parse_sbom(file, &bytes));

    Ok(match bill {
        Ok(bill) => Inventory {
            lockfiles: vec![bill.lockfile],
            problems: bill.problems,
            ..Inventory::default()
        },
        Err(problem) => collected([Err(problem)]),
    })
}

fn standard_input() -> Result<Vec<u8>, UserError> {
    let mut bytes = Vec::new();
    // One byte more than the limit, so that the parser sees that the input is too large.
    std::io::stdin()
        .lock()
        .take(limits::MAX_FILE_BYTES as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| UserError::usage(format!("cannot read standard input: {error}")))?;

    Ok(bytes)
}
