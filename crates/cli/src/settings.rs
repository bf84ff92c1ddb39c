//! Reads the settings of a repository.

use std::io::Read as _;
use std::path::Path;

use patchgate_config::Config;

use crate::args::RepositoryArgs;
use crate::exit::UsageError;
use crate::repository::Repository;

/// Name of the settings file at the root of a repository.
pub(crate) const FILE_NAME: &str = ".patchgate.yml";

/// Largest settings file, in bytes.
const MAX_BYTES: u64 = 1024 * 1024;

/// The repository that the flags name, with its settings. What the settings leave out of a scan is
/// left out beside what the flags leave out.
pub(crate) fn open(args: &RepositoryArgs) -> Result<(Repository, Config), UsageError> {
    let path = args.path();
    let root = if path.is_dir() {
        path
    } else {
        path.parent().unwrap_or(Path::new("."))
    };
    let config = load(args.config.as_deref(), root)?;
    let exclude: Vec<String> = args
        .exclude
        .iter()
        .chain(&config.exclude)
        .cloned()
        .collect();
    let repository = Repository::open(path, &exclude)?;

    Ok((repository, config))
}

/// The settings in `file`, or else in the repository's own file, or else the defaults.
///
/// # Errors
/// When the file cannot be read, or does not hold settings; every error in it is named with its
/// line.
pub(crate) fn load(file: Option<&Path>, root: &Path) -> Result<Config, UsageError> {
    let own = root.join(FILE_NAME);
    let path = match file.filter(|path| !path.as_os_str().is_empty()) {
        Some(path) => path,
        None if !own.exists() => return Ok(Config::default()),
        None => &own,
    };
    let name = if path == own {
        FILE_NAME.to_owned()
    } else {
        path.display().to_string()
    };
    let failed = |error: std::io::Error| UsageError::new(format!("cannot read `{name}`: {error}"));
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(failed)?;
    file.take(MAX_BYTES + 1)
        .read_to_string(&mut text)
        .map_err(failed)?;
    if text.len() as u64 > MAX_BYTES {
        return Err(UsageError::new(format!("`{name}` is larger than 1 MiB")));
    }

    patchgate_config::parse(&name, &text).map_err(|errors| UsageError::new(errors.to_string()))
}
