//! What a command reads: a repository, or files that are named one by one.

use std::io::Read as _;
use std::path::Path;

use patchgate_config::Config;
use patchgate_ecosystems::{Format, Siblings, format_by_id, formats_of, limits};
use patchgate_model::{Inventory, Lockfile};

use crate::args::{InputArgs, RepositoryArgs};
use crate::exit::UsageError;
use crate::maven_repository::MavenRepository;
use crate::repository::{self, Contents, Repository};
use crate::settings;

/// Standard input instead of a file.
const STANDARD_INPUT: &str = "-";

/// What was asked for, opened.
#[derive(Debug)]
pub(crate) struct Opened {
    /// The repository that is walked; with files that are named one by one, only where its path is
    /// named too.
    repository: Option<Repository>,
    named: Vec<Named>,
    /// The folder that relative paths of the settings start from.
    root: std::path::PathBuf,
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

/// Opens what the flags name, with the settings of the repository.
///
/// # Errors
/// When there is nothing at a path, or a format is not known.
pub(crate) fn open(
    repository: &RepositoryArgs,
    input: &InputArgs,
) -> Result<(Opened, Config), UsageError> {
    let mut named = Vec::new();
    for one in &input.lockfile {
        named.push(lockfile(one)?);
    }

    named.extend(input.sbom.iter().cloned().map(Named::Sbom));
    let from_input = named
        .iter()
        .filter(|one| one.file() == STANDARD_INPUT)
        .count();
    if from_input > 1 {
        return Err(UsageError::new("standard input can be read only once"));
    }

    for one in &named {
        let file = one.file();
        if file != STANDARD_INPUT && !Path::new(file).is_file() {
            return Err(UsageError::new(format!("there is no file `{file}`")));
        }
    }

    let (walked, config) = settings::open(repository)?;
    let root = walked.root().to_owned();
    let alone = !named.is_empty() && repository.path.is_none();
    let opened = Opened {
        repository: (!alone).then_some(walked),
        named,
        root,
    };

    Ok((opened, config))
}

/// `[FORMAT:]FILE`. What stands before the colon is a format only when it is the name of one.
fn lockfile(text: &str) -> Result<Named, UsageError> {
    let (format, file) = match text.split_once(':') {
        Some((id, file)) if format_by_id(id).is_some() => (format_by_id(id), file),
        _ => (None, text),
    };
    if format.is_none() && formats_of(file).next().is_none() {
        let hint =
            "name its format, as in `--lockfile FORMAT:FILE`; `patchgate formats` lists them";
        return Err(UsageError::new(format!(
            "what kind of lockfile `{file}` is cannot be told by its name"
        ))
        .with_hint(hint));
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

impl Opened {
    /// The folder of the repository.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Reads everything.
    ///
    /// # Errors
    /// When standard input cannot be read.
    pub(crate) async fn read(
        &self,
        outside: &mut MavenRepository<'_>,
        mut progress: impl FnMut(&str),
    ) -> Result<Inventory, UsageError> {
        let mut inventory = match &self.repository {
            Some(repository) => {
                repository
                    .read_with(outside, |path| progress(&format!("reading {path}")))
                    .await
                    .inventory
            }
            None => Inventory::default(),
        };
        for one in &self.named {
            progress(&format!("reading {}", one.file()));
            let read = match one {
                Named::Lockfile { file, format } if file != STANDARD_INPUT => renamed(
                    Repository::file(Path::new(file), *format, Vec::new())
                        .read_with(outside, |_| {})
                        .await,
                    file,
                ),
                Named::Lockfile { format, .. } => {
                    let bytes = standard_input()?;
                    let parsed = format.map(|format| {
                        repository::parse(format, STANDARD_INPUT, &bytes, &Siblings::new())
                    });
                    collected(parsed)
                }
                Named::Sbom(file) => sbom(file)?,
            };
            inventory.lockfiles.extend(read.lockfiles);
            inventory.problems.extend(read.problems);
        }

        Ok(inventory)
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

/// A file's contents with the paths that the user gave, instead of paths from its folder.
fn renamed(contents: Contents, file: &str) -> Inventory {
    let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
    let from_here = |path: &str| match folder {
        "" => path.to_owned(),
        folder => format!("{folder}/{path}"),
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

fn sbom(file: &str) -> Result<Inventory, UsageError> {
    let read = if file == STANDARD_INPUT {
        Ok(standard_input()?)
    } else {
        repository::read_named(Path::new(file))
    };
    let bill = read.and_then(|bytes| repository::parse_sbom(file, &bytes));

    Ok(match bill {
        Ok(bill) => Inventory {
            lockfiles: vec![bill.lockfile],
            problems: bill.problems,
            ..Inventory::default()
        },
        Err(problem) => collected([Err(problem)]),
    })
}

fn standard_input() -> Result<Vec<u8>, UsageError> {
    let mut bytes = Vec::new();
    std::io::stdin()
        .lock()
        .take(limits::MAX_FILE_BYTES as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| UsageError::new(format!("cannot read standard input: {error}")))?;
    Ok(bytes)
}
