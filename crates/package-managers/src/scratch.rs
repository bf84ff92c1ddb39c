//! The directory in which a manager runs.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use crate::{ConfigurationFile, RelockError};

/// The files of one project that a manager may see.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Project {
    /// The directory that the manager runs in, from the top of the scratch directory, empty for the
    /// top itself: a Cargo project may need manifests next to and above its own directory.
    pub(crate) directory: String,
    /// Name of the directory of the lockfile, which npm takes for the name of a project that
    /// has none.
    pub(crate) directory_name: String,
    /// Manifests, after their edits, by path from the top of the scratch directory, with `/`
    /// between its parts.
    pub(crate) manifests: BTreeMap<String, Vec<u8>>,
    /// File name of the lockfile, in [`Project::directory`].
    pub(crate) lockfile_name: String,
    /// The lockfile as it is.
    pub(crate) lockfile: Vec<u8>,
    /// The repository's own configuration for the manager (`.npmrc`, `.cargo/config.toml`),
    /// outermost directory first. Only settings that say where packages come from are taken over.
    pub(crate) configuration: Vec<ConfigurationFile>,
}

impl Project {
    /// Path of a file in the project's directory, from the top of the scratch directory.
    pub(crate) fn inside(&self, file: &str) -> String {
        if self.directory.is_empty() {
            file.to_owned()
        } else {
            format!("{}/{file}", self.directory)
        }
    }
}

/// A temporary directory with a project's files.
pub(crate) struct Scratch {
    /// Removed with everything in it when the value goes.
    _temporary: tempfile::TempDir,
    folder: PathBuf,
}

/// Name of a scratch directory whose name does not matter.
const ANY_NAME: &str = "project";

/// Longest name of a directory on the common file systems.
const MAX_NAME_BYTES: usize = 255;

impl Scratch {
    pub(crate) fn new() -> Result<Self, RelockError> {
        Self::named(ANY_NAME)
    }

    /// A scratch directory with a name of its own, as npm writes the directory's name into the
    /// lockfile of a project without a name. A name that cannot be a directory's name is not used.
    pub(crate) fn named(name: &str) -> Result<Self, RelockError> {
        let failed = |source| RelockError::Io {
            action: "create a scratch directory".to_owned(),
            source,
        };
        let temporary = tempfile::Builder::new()
            .prefix("patchgate-")
            .tempdir()
            .map_err(failed)?;
        let mut parts = Path::new(name).components();
        let name = match (parts.next(), parts.next()) {
            (Some(Component::Normal(name)), None) if name.len() <= MAX_NAME_BYTES => name,
            _ => ANY_NAME.as_ref(),
        };
        let folder = temporary.path().join(name);
        std::fs::create_dir(&folder).map_err(failed)?;

        Ok(Self {
            _temporary: temporary,
            folder,
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.folder
    }

    /// Writes a file, with the directories above it.
    pub(crate) fn write(&self, path: &str, content: &[u8]) -> Result<(), RelockError> {
        let target = self.resolve(path)?;
        let written = target
            .parent()
            .map_or(Ok(()), std::fs::create_dir_all)
            .and_then(|()| std::fs::write(&target, content));

        written.map_err(|source| RelockError::Io {
            action: format!("write `{path}` to the scratch directory"),
            source,
        })
    }

    pub(crate) fn read(&self, path: &str) -> Result<Vec<u8>, RelockError> {
        std::fs::read(self.resolve(path)?).map_err(|source| RelockError::Io {
            action: format!("read `{path}` from the scratch directory"),
            source,
        })
    }

    /// A path inside the directory. A path that would lead out of it is refused.
    fn resolve(&self, path: &str) -> Result<PathBuf, RelockError> {
        let inside = !path.is_empty()
            && Path::new(path)
                .components()
                .all(|part| matches!(part, Component::Normal(_)));
        if !inside {
            return Err(RelockError::Unusable {
                path: path.to_owned(),
                reason: "it is outside of the project's directory".to_owned(),
            });
        }

        Ok(self.path().join(path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_leads_out() {
        let scratch = Scratch::new().unwrap();
        for path in ["../x", "/etc/x", "a/../../x", "", "./x"] {
            assert!(scratch.write(path, b"x").is_err(), "{path}");
        }
        scratch.write("a/b/c.toml", b"x").unwrap();
        assert_eq!(scratch.read("a/b/c.toml").unwrap(), b"x");
    }
}
