//! Files of an installed Maven: its settings, and the repositories that it asks by default. They
//! are read; Maven is not run.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use patchgate_fs::{ReadError, read_up_to};
use patchgate_http::Environment;

use super::settings::{self, Repository};

/// The project above all projects, in the archive of Maven's model builder.
const SUPER_PROJECT: &str = "org/apache/maven/model/pom-4.0.0.xml";

/// Largest archive that is opened, and largest text that is read, in bytes.
const MAX_ARCHIVE_BYTES: u64 = 32 * 1024 * 1024;
const MAX_TEXT_BYTES: u64 = 1024 * 1024;

/// The directories in which Maven may be installed: those that the environment names, else that of
/// the `mvn` on the search path. Nothing inside the scanned repository counts.
pub(super) fn folders(environment: &Environment, scanned: Option<&Path>) -> Vec<PathBuf> {
    let named = ["MAVEN_HOME", "M2_HOME"]
        .into_iter()
        .filter_map(|name| environment.variable(name))
        .map(PathBuf::from);
    let searched = environment
        .variable("PATH")
        .map(std::env::split_paths)
        .into_iter()
        .flatten()
        .filter(|folder| folder.is_absolute())
        .filter_map(|folder| folder.join("mvn").canonicalize().ok())
        .filter_map(|program| Some(program.parent()?.parent()?.to_owned()));

    let scanned = scanned.map(Path::canonicalize);
    named
        .chain(searched)
        .filter_map(|folder| folder.canonicalize().ok())
        .filter(|folder| match &scanned {
            None => true,
            Some(Ok(scanned)) => !folder.starts_with(scanned),
            Some(Err(_)) => false,
        })
        .collect()
}

/// The repositories that Maven asks by default.
pub(super) fn repositories(folder: &Path) -> Option<Vec<Repository>> {
    let archive = std::fs::read_dir(folder.join("lib"))
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| {
            path.file_name()
                .and_then(|name| name.to_str())
                .is_some_and(|name| {
                    name.starts_with("maven-model-builder") && name.ends_with(".jar")
                })
        })?;
    let file = File::open(archive).ok()?;
    if file.metadata().ok()?.len() > MAX_ARCHIVE_BYTES {
        return None;
    }

    let mut archive = zip::ZipArchive::new(file).ok()?;
    let project = archive.by_name(SUPER_PROJECT).ok()?;
    let bytes = read_up_to(project, MAX_TEXT_BYTES).ok()??;

    settings::super_project(&String::from_utf8(bytes).ok()?).ok()
}

/// A small text file; `None` when it does not exist.
pub(super) fn text(path: &Path) -> Option<Result<String, ReadError>> {
    path.is_file().then(|| {
        let bytes = read_up_to(File::open(path)?, MAX_TEXT_BYTES)?;
        let bytes = bytes.ok_or(ReadError::TooLarge {
            limit: MAX_TEXT_BYTES,
        })?;
        let text = String::from_utf8(bytes);
        text.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error).into())
    })
}
