//! Files that a Maven project builds on: found in the repository, or fetched from outside and
//! handed in as siblings.

use patchgate_model::MissingFile;

use super::effective::Model;
use super::raw::{Parent, Pom};
use super::{MAX_FILES, properties::Properties};
use crate::maven::coordinates;
use crate::{Input, Siblings};

/// Prefix among the siblings for files from a Maven repository. No path in a scanned repository
/// begins with a slash.
pub const EXTERNAL: &str = "//maven/";

/// The location of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum FileLocation {
    /// At a path in the scanned repository.
    Repository(String),
    /// In a Maven repository.
    External,
}

/// The available files, and those that are missing.
pub(super) struct Sources<'a> {
    siblings: &'a Siblings,
    missing: Vec<MissingFile>,
    /// Projects in the repository: the name of their directory, and their file.
    projects: Vec<(&'a str, &'a str)>,
    left: usize,
    line: u32,
}

impl<'a> Sources<'a> {
    /// The siblings of a file. `line` is reported for files that its ancestors need.
    pub(super) fn new(input: &Input<'a>, line: u32) -> Self {
        let projects = input
            .siblings
            .keys()
            .filter(|path| path.as_str() != input.path)
            .filter_map(|path| {
                let directory = path.strip_suffix("/pom.xml")?;
                let name = directory
                    .rsplit_once('/')
                    .map_or(directory, |(_, name)| name);
                Some((name, path.as_str()))
            })
            .collect();

        Self {
            siblings: input.siblings,
            missing: Vec::new(),
            projects,
            left: MAX_FILES,
            line,
        }
    }

    /// Sets the line of the scanned file that is reported for the files requested next.
    pub(super) fn at_line(&mut self, line: u32) {
        self.line = line;
    }

    /// Resets the budget of files that are read.
    pub(super) fn refill(&mut self) {
        self.left = MAX_FILES;
    }

    pub(super) fn into_missing(self) -> Vec<MissingFile> {
        self.missing
    }

    fn read(&mut self, path: &str) -> Option<Result<Pom, crate::ParseError>> {
        let bytes = self.siblings.get(path)?;
        self.left = self.left.checked_sub(1)?;
        Some(Pom::read(&Input {
            path,
            bytes,
            siblings: self.siblings,
        }))
    }

    /// The parent of a project: at the relative path that the project states, otherwise by
    /// coordinates.
    pub(super) fn parent(
        &mut self,
        parent: &Parent,
        location: &FileLocation,
    ) -> Option<(Pom, FileLocation)> {
        if let (FileLocation::Repository(path), Some(relative)) = (location, &parent.relative_path)
            && let Some(target) = join(path, relative)
        {
            let within = match target.as_str() {
                "" => "pom.xml".to_owned(),
                directory => format!("{directory}/pom.xml"),
            };
            for target in [target, within] {
                if let Some(Ok(pom)) = self.read(&target)
                    && is(&pom, parent)
                {
                    return Some((pom, FileLocation::Repository(target)));
                }
            }
        }

        self.by_coordinates("parent", &parent.group, &parent.artifact, &parent.version)
    }

    /// The file with exact coordinates, from the repository or from outside. A file that
    /// does not exist is recorded as missing.
    pub(super) fn by_coordinates(
        &mut self,
        role: &'static str,
        group: &str,
        artifact: &str,
        version: &str,
    ) -> Option<(Pom, FileLocation)> {
        let coordinates = Parent {
            group: group.to_owned(),
            artifact: artifact.to_owned(),
            version: version.to_owned(),
            relative_path: None,
            line: self.line,
        };
        for path in self.candidates(artifact) {
            if let Some(Ok(pom)) = self.read(path) {
                let location = FileLocation::Repository(path.to_owned());
                if is(&pom, &coordinates) || self.becomes(&pom, &location, &coordinates) {
                    return Some((pom, location));
                }
            }
        }

        let path = repository_path(group, artifact, version);
        let found = path
            .as_ref()
            .and_then(|path| self.read(&format!("{EXTERNAL}{path}")));
        let reason = match found {
            Some(Ok(pom)) => return Some((pom, FileLocation::External)),
            Some(Err(error)) => Some(error.reason),
            None if path.is_none() => Some("has no known version".to_owned()),
            None if self.left == 0 => Some(format!("is behind more than {MAX_FILES} others")),
            None => None,
        };
        let missing = MissingFile {
            role,
            name: format!("{group}:{artifact}"),
            version: version.to_owned(),
            path: path.unwrap_or_default(),
            line: self.line,
            reason,
            hint: None,
        };
        if !self.missing.contains(&missing) {
            self.missing.push(missing);
        }

        None
    }

    /// Whether a file has the coordinates once its parents are applied. This is only checked if its
    /// version contains a property. Each check uses up part of [`MAX_FILES`], so the recursion
    /// ends.
    fn becomes(&mut self, pom: &Pom, location: &FileLocation, coordinates: &Parent) -> bool {
        let inherited = pom.parent.as_ref().map(|parent| &parent.version);
        let version = pom.version.as_ref().or(inherited);
        if pom.artifact != coordinates.artifact || !version.is_some_and(|text| text.contains("${"))
        {
            return false;
        }
        let model = Model::of(pom, location, None, self);
        model.filled("${project.version}") == coordinates.version
            && model.filled("${project.groupId}") == coordinates.group
    }

    /// The directory of the project with these coordinates in the repository, if there is one.
    pub(super) fn project(&self, group: &str, artifact: &str) -> Option<String> {
        self.candidates(artifact).into_iter().find_map(|path| {
            let pom = Pom::read(&Input {
                path,
                bytes: self.siblings.get(path)?,
                siblings: self.siblings,
            });
            let pom = pom.ok()?;
            let of_group = pom
                .group
                .as_ref()
                .or(pom.parent.as_ref().map(|parent| &parent.group));

            (pom.artifact == artifact && of_group.is_some_and(|of| of == group))
                .then(|| directory(path).to_owned())
        })
    }

    /// Files in the repository that may belong to the artifact: those in a directory whose name
    /// ends the artifact's name, as is common. Reading every file for each name would take too
    /// long.
    fn candidates(&self, artifact: &str) -> Vec<&'a str> {
        let names_it = |path: &str| {
            self.siblings
                .get(path)
                .and_then(|bytes| std::str::from_utf8(bytes).ok())
                .is_some_and(|text| text.contains(artifact))
        };

        self.projects
            .iter()
            .filter(|(name, path)| artifact.ends_with(name) && names_it(path))
            .map(|(_, path)| *path)
            .take(MAX_CANDIDATES)
            .collect()
    }
}

/// Most files that are read to find one project of the repository by its name.
const MAX_CANDIDATES: usize = 8;

/// Whether a file has the given coordinates.
fn is(pom: &Pom, coordinates: &Parent) -> bool {
    let inherited = pom.parent.as_ref();
    let group = pom.group.as_ref().or(inherited.map(|parent| &parent.group));
    let version = pom
        .version
        .as_ref()
        .or(inherited.map(|parent| &parent.version));
    let properties = Properties {
        set: pom.body.properties.iter().cloned().collect(),
        ..Properties::default()
    };
    let same = |own: Option<&String>, expected: &str| {
        own.is_some_and(|own| own == expected || properties.fill(own).as_deref() == Some(expected))
    };

    // A version that contains a property matches if both sides contain the same property.
    pom.artifact == coordinates.artifact
        && same(group, &coordinates.group)
        && (same(version, &coordinates.version)
            || properties
                .fill(&coordinates.version)
                .is_some_and(|filled| same(version, &filled)))
}

/// The path of a project's file in a Maven repository
/// (<https://maven.apache.org/repositories/layout.html>).
fn repository_path(group: &str, artifact: &str, version: &str) -> Option<String> {
    let is_valid = coordinates::is_id(group)
        && group.split('.').all(|part| !part.is_empty())
        && coordinates::is_id(artifact)
        && !artifact.starts_with('.')
        && coordinates::is_version(version);
    is_valid.then(|| {
        let group = group.replace('.', "/");
        format!("{group}/{artifact}/{version}/{artifact}-{version}.pom")
    })
}

fn directory(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(directory, _)| directory)
}

/// Resolves a relative path against the directory of a file; `None` if it leads out of the
/// repository.
fn join(path: &str, relative: &str) -> Option<String> {
    let mut parts: Vec<&str> = directory(path)
        .split('/')
        .filter(|part| !part.is_empty())
        .collect();
    if relative.starts_with('/') {
        return None;
    }

    for part in relative.split(['/', '\\']) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }

    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_paths_stay_inside() {
        for (path, relative, expected) in [
            ("a/b/pom.xml", "../pom.xml", Some("a/pom.xml")),
            ("a/pom.xml", "../pom.xml", Some("pom.xml")),
            ("pom.xml", "../pom.xml", None),
            ("a/pom.xml", "../parent", Some("parent")),
            ("a/pom.xml", "..", Some("")),
            ("a/pom.xml", "..\\p\\pom.xml", Some("p/pom.xml")),
            ("a/pom.xml", "/etc/pom.xml", None),
        ] {
            assert_eq!(
                join(path, relative).as_deref(),
                expected,
                "{path} {relative}"
            );
        }
    }

    #[test]
    fn coordinates_lead_nowhere_else() {
        assert_eq!(
            repository_path("org.x", "a-b", "1.0").as_deref(),
            Some("org/x/a-b/1.0/a-b-1.0.pom")
        );
        for (group, artifact, version) in [
            ("..", "a", "1"),
            ("a..b", "a", "1"),
            ("a/b", "a", "1"),
            ("a", "..", "1"),
            ("a", "b", ".."),
            ("a", "b", "1/../.."),
            ("a", "b", "[1,2)"),
            ("a", "b", "${x}"),
        ] {
            assert_eq!(repository_path(group, artifact, version), None);
        }
    }
}
