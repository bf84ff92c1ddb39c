//! Project files as other files see them: which project a lockfile or a `packages.config` belongs
//! to, and the names that go with a project.
//!
//! Reading a project for its packages is in `project.rs`.

use std::collections::BTreeSet;

use super::msbuild::Document;
use crate::Input;

/// The ends of project files' names.
const EXTENSIONS: [&str; 3] = [".csproj", ".fsproj", ".vbproj"];

/// A project file that another file belongs to.
#[derive(Debug)]
pub(super) struct Project {
    /// Path from the repository's root.
    pub(super) path: String,
    /// The file's name without its end.
    pub(super) name: String,
    document: Document,
}

impl Project {
    fn read(path: &str, input: &Input<'_>) -> Option<Self> {
        let project = Input {
            path,
            bytes: input.sibling(path)?,
            siblings: input.siblings,
        };
        Some(Self {
            path: path.to_owned(),
            name: stem(path).to_owned(),
            // One that cannot be read is an error of its own.
            document: Document::read(&project).unwrap_or_default(),
        })
    }

    /// The packages, in lower case, that the project takes for developing only.
    pub(super) fn development_packages(&self) -> BTreeSet<String> {
        self.document
            .items()
            .filter(|item| item.is_development)
            .flat_map(|item| item.names.split(';'))
            .map(|name| name.trim().to_ascii_lowercase())
            .collect()
    }
}

/// The project files beside a `packages.lock.json` or `packages.config`: those to which no file of
/// their own belongs (`packages.App.lock.json`), or the one that the name names.
pub(super) fn beside(input: &Input<'_>) -> Vec<Project> {
    let folder = input.beside("");
    let file = input.path.get(folder.len()..).unwrap_or_default();
    let kind = if file.ends_with(".lock.json") {
        "lock.json"
    } else {
        "config"
    };
    let is_shared = file == format!("packages.{kind}");

    input
        .siblings
        .range(folder.clone()..)
        .map(|(path, _)| path.as_str())
        .take_while(|path| path.starts_with(&folder))
        .filter(|path| {
            let name = path.get(folder.len()..).unwrap_or_default();
            !name.contains('/') && EXTENSIONS.iter().any(|end| name.ends_with(end))
        })
        .filter(|path| {
            let own = own_name(path, kind);
            if is_shared {
                input.sibling(&input.beside(&own)).is_none()
            } else {
                own == file
            }
        })
        .filter_map(|path| Project::read(path, input))
        .collect()
}

/// The project file `file` in the folder above the one of `input`.
pub(super) fn above(input: &Input<'_>, file: &str) -> Option<Project> {
    let (folder, _) = input.path.rsplit_once('/')?;
    let path = match folder.rsplit_once('/') {
        Some((above, _)) => format!("{above}/{file}"),
        None => file.to_owned(),
    };
    Project::read(&path, input)
}

/// The name of the file that belongs to one project only:
/// `packages.My_App.lock.json` for `My App.csproj`.
pub(super) fn own_name(path: &str, kind: &str) -> String {
    format!("packages.{}.{kind}", stem(path).replace(' ', "_"))
}

/// A file's name without its end.
pub(super) fn stem(path: &str) -> &str {
    let file = path.rsplit_once('/').map_or(path, |(_, file)| file);
    file.rsplit_once('.').map_or(file, |(stem, _)| stem)
}
