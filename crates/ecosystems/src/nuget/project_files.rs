//! Lookup of project files: the projects that a lockfile or a `packages.config` belongs to, and the
//! names of the files that belong to a project.
//!
//! The packages of a project are read in `project.rs`.

use std::collections::BTreeSet;

use super::msbuild::Document;
use crate::Input;

/// File name extensions of project files.
pub(super) const EXTENSIONS: [&str; 3] = [".csproj", ".fsproj", ".vbproj"];

/// The project that another file belongs to.
#[derive(Debug)]
pub(super) struct Project {
    /// Path from the repository's root.
    pub(super) path: String,
    /// The file name without its extension.
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
            // An unreadable project is reported as an error of its own file.
            document: Document::read(&project).unwrap_or_default(),
        })
    }

    /// Lower-case names of the packages that the project uses only for development.
    pub(super) fn development_packages(&self) -> BTreeSet<String> {
        self.document
            .items()
            .filter(|item| item.is_development)
            .flat_map(|item| item.names.split(';'))
            .map(|name| name.trim().to_ascii_lowercase())
            .collect()
    }
}

/// The project files next to a `packages.lock.json` or `packages.config`: either all projects without
/// a file of their own (`packages.App.lock.json`), or the one project in the file's name.
pub(super) fn beside(input: &Input<'_>) -> Vec<Project> {
    let directory = input.beside("");
    let file = input.path.get(directory.len()..).unwrap_or_default();
    let kind = if file.ends_with(".lock.json") {
        "lock.json"
    } else {
        "config"
    };
    let is_shared = file == format!("packages.{kind}");

    input
        .siblings
        .range(directory.clone()..)
        .map(|(path, _)| path.as_str())
        .take_while(|path| path.starts_with(&directory))
        .filter(|path| {
            let name = path.get(directory.len()..).unwrap_or_default();
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

/// The project file `file` in the parent directory of the one that contains `input`.
pub(super) fn above(input: &Input<'_>, file: &str) -> Option<Project> {
    let (directory, _) = input.path.rsplit_once('/')?;
    let path = match directory.rsplit_once('/') {
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

/// The file name of a path without its extension.
pub(super) fn stem(path: &str) -> &str {
    let file = path.rsplit_once('/').map_or(path, |(_, file)| file);
    file.rsplit_once('.').map_or(file, |(stem, _)| stem)
}
