//! Files that a Maven project builds on: found in the repository, or fetched from outside and
//! handed in as siblings.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use patchgate_model::{MissingFile, SmolStr};

use super::config;
use super::effective::{Ancestors, Model};
use super::projects::{ProjectFile, Projects};
use super::properties::Values;
use super::raw::{Parent, Pom};
use super::{MAX_DEPTH, MAX_FILES};
use crate::maven::coordinates;
use crate::{Input, Siblings};

/// Prefix among the siblings for files from a Maven repository. No path in a scanned repository
/// begins with a slash.
pub const EXTERNAL: &str = "//maven/";

/// Most projects of the repository with one artifact's name that are compared with coordinates.
const MAX_CANDIDATES: usize = 64;

/// Most comparisons for one project that need the ancestors of a candidate, and how many of them
/// may be nested in each other.
const MAX_CHECKS: usize = 10_000;
const MAX_NESTED_CHECKS: usize = 8;

/// The contribution of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Brings {
    /// Dependencies and everything else that a parent hands down.
    Packages,
    /// Only versions of dependencies that are known by name.
    Versions,
}

/// The files that one project builds on, and those that are missing.
pub(super) struct Sources<'a> {
    siblings: &'a Siblings,
    projects: &'a Projects,
    missing: Vec<MissingFile>,
    line: u32,
    /// How many more lists of versions are looked for.
    left: usize,
    /// How many more candidates are compared with the help of their ancestors.
    checks: usize,
    /// The candidates whose ancestors are being looked for.
    nested: Vec<SmolStr>,
    /// Properties that each build of the scanned project sets.
    pub(super) properties: Arc<HashMap<SmolStr, SmolStr>>,
    /// Whether a limit was reached, so that the results depend on this project and are not shared.
    is_limited: bool,
}

impl<'a> Sources<'a> {
    /// The siblings of a file. `line` is reported for files that its ancestors need.
    pub(super) fn new(input: &Input<'a>, projects: &'a Projects, line: u32) -> Self {
        Self {
            siblings: input.siblings,
            projects,
            missing: Vec::new(),
            line,
            left: MAX_FILES,
            checks: MAX_CHECKS,
            nested: Vec::new(),
            properties: Arc::new(config::properties(input)),
            is_limited: false,
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

    /// Records a missing file. What it brings for this project decides whether packages may be
    /// missing.
    pub(super) fn record(&mut self, gap: &MissingFile, brings: Brings) {
        let same = |one: &MissingFile| (&one.name, &one.version) == (&gap.name, &gap.version);
        let versions_only = brings == Brings::Versions;
        if let Some(known) = self.missing.iter_mut().find(|one| same(one)) {
            known.versions_only &= versions_only;
            return;
        }

        self.missing.push(MissingFile {
            line: self.line,
            versions_only,
            ..gap.clone()
        });
    }

    /// Everything above a project.
    pub(super) fn ancestors(&mut self, file: &ProjectFile) -> Arc<Ancestors> {
        let Some(parent) = &file.pom.parent else {
            return Arc::default();
        };
        match self.parent(parent, &file.path) {
            Ok(above) => self.lineage(above),
            Err(gap) => Arc::new(Ancestors {
                layers: Vec::new(),
                gap: Some(gap),
            }),
        }
    }

    /// A project's file and those of its ancestors, as far as they are known.
    pub(super) fn with_ancestors(&mut self, file: &ProjectFile) -> Vec<ProjectFile> {
        let mut found = vec![file.clone()];
        while let Some(parent) = found.last().and_then(|file| file.pom.parent.clone())
            && found.len() < MAX_DEPTH
        {
            let path = found.last().map(|file| file.path.clone());
            let above = self.parent(&parent, path.as_deref().unwrap_or_default());
            match above {
                Ok(above) if !found.iter().any(|file| file.path == above.path) => {
                    found.push(above);
                }
                _ => break,
            }
        }

        found
    }

    /// A parent with everything above it.
    fn lineage(&mut self, file: ProjectFile) -> Arc<Ancestors> {
        if let Some(known) = self.projects.lineage(&file.path) {
            return known;
        }

        let path = file.path.clone();
        let mut found = Ancestors::default();
        let mut seen = HashSet::new();
        let mut next = Some(file);
        while let Some(file) = next.take() {
            seen.insert(file.path.clone());
            found.layers.push(Arc::clone(&file.layer));
            let Some(parent) = &file.pom.parent else {
                break;
            };

            match self.parent(parent, &file.path) {
                Ok(above) if seen.contains(&above.path) => {
                    found.gap = Some(parent_gap(parent, "is its own ancestor"));
                }
                Ok(_) if seen.len() >= MAX_DEPTH => {
                    found.gap = Some(parent_gap(parent, "is behind too many other parents"));
                }
                Ok(above) => next = Some(above),
                Err(gap) => found.gap = Some(gap),
            }
        }

        let found = Arc::new(found);
        if !self.is_limited {
            self.projects.keep_lineage(path, Arc::clone(&found));
        }
        found
    }

    /// The parent of a project: at the relative path that the project states, otherwise by
    /// coordinates.
    fn parent(&mut self, parent: &Parent, path: &str) -> Result<ProjectFile, Box<MissingFile>> {
        if let Some(relative) = &parent.relative_path
            && !path.starts_with(EXTERNAL)
            && let Some(target) = join(path, relative)
        {
            let within = match target.as_str() {
                "" => "pom.xml".to_owned(),
                directory => format!("{directory}/pom.xml"),
            };
            for target in [target, within] {
                if let Some(Ok(file)) = self.projects.file(self.siblings, &target)
                    && is(&file.pom, &parent.group, &parent.artifact, &parent.version)
                {
                    return Ok(file);
                }
            }
        }

        self.located("parent", &parent.group, &parent.artifact, &parent.version)
    }

    /// The file of an imported list of versions, from the repository or from outside.
    pub(super) fn list(
        &mut self,
        group: &str,
        artifact: &str,
        version: &str,
    ) -> Result<ProjectFile, Box<MissingFile>> {
        let role = "imported list of versions";
        let Some(left) = self.left.checked_sub(1) else {
            let reason = format!("is behind more than {MAX_FILES} others");
            return Err(gap(role, group, artifact, version, Some(reason)));
        };

        self.left = left;
        self.located(role, group, artifact, version)
    }

    /// The file with exact coordinates, from the repository or from outside.
    fn located(
        &mut self,
        role: &'static str,
        group: &str,
        artifact: &str,
        version: &str,
    ) -> Result<ProjectFile, Box<MissingFile>> {
        if let Some(file) = self.project(group, artifact, version) {
            return Ok(file);
        }

        let reason = match repository_path(group, artifact, version) {
            None => Some("has no known version".to_owned()),
            Some(path) => {
                let path = format!("{EXTERNAL}{path}");
                match self.projects.file(self.siblings, &path) {
                    Some(Ok(file)) => return Ok(file),
                    Some(Err(error)) => Some(error.reason),
                    None => None,
                }
            }
        };
        Err(gap(role, group, artifact, version, reason))
    }

    /// The project of the repository that has exact coordinates, if there is one.
    pub(super) fn project(
        &mut self,
        group: &str,
        artifact: &str,
        version: &str,
    ) -> Option<ProjectFile> {
        let projects = self.projects;
        let candidates = projects.of_artifact(self.siblings, artifact);
        candidates.iter().take(MAX_CANDIDATES).find_map(|path| {
            let file = projects.file(self.siblings, path)?.ok()?;
            let matches = is(&file.pom, group, artifact, version)
                || self.becomes(&file, group, artifact, version);
            matches.then_some(file)
        })
    }

    /// Whether a file has the coordinates once its parents are applied. This is only checked if one
    /// of its own coordinates contains a property.
    fn becomes(&mut self, file: &ProjectFile, group: &str, artifact: &str, version: &str) -> bool {
        let (own_group, own_version) = stated(&file.pom);
        let has_property = |text: Option<&SmolStr>| text.is_some_and(|text| text.contains("${"));
        if file.pom.artifact != artifact || !(has_property(own_group) || has_property(own_version))
        {
            return false;
        }
        if self.nested.contains(&file.path)
            || self.nested.len() >= MAX_NESTED_CHECKS
            || self.checks == 0
        {
            self.is_limited = true;
            return false;
        }

        self.checks -= 1;
        self.nested.push(file.path.clone());
        let model = Model::of(file, None, self);
        self.nested.pop();
        model.version().is_some_and(|own| own == version) && model.group() == group
    }
}

/// A missing file; its line and contribution depend on the project that needs it.
fn gap(
    role: &'static str,
    group: &str,
    artifact: &str,
    version: &str,
    reason: Option<String>,
) -> Box<MissingFile> {
    Box::new(MissingFile {
        role,
        name: format!("{group}:{artifact}"),
        version: version.to_owned(),
        path: repository_path(group, artifact, version).unwrap_or_default(),
        line: 1,
        versions_only: false,
        reason,
        hint: None,
    })
}

fn parent_gap(parent: &Parent, reason: &str) -> Box<MissingFile> {
    let reason = Some(reason.to_owned());
    gap(
        "parent",
        &parent.group,
        &parent.artifact,
        &parent.version,
        reason,
    )
}

/// Group and version of a file, which it can inherit.
fn stated(pom: &Pom) -> (Option<&SmolStr>, Option<&SmolStr>) {
    let parent = pom.parent.as_ref();
    (
        pom.group.as_ref().or(parent.map(|parent| &parent.group)),
        pom.version
            .as_ref()
            .or(parent.map(|parent| &parent.version)),
    )
}

impl Values for Pom {
    /// The file's own properties, without those of its parents.
    fn value(&self, name: &str) -> Option<&str> {
        self.body.properties.get(name).map(SmolStr::as_str)
    }
}

/// Whether a file has the given coordinates by itself.
fn is(pom: &Pom, group: &str, artifact: &str, version: &str) -> bool {
    if pom.artifact != artifact {
        return false;
    }

    let (own_group, own_version) = stated(pom);
    let same = |own: Option<&SmolStr>, expected: &str| {
        own.is_some_and(|own| {
            own == expected || (own.contains("${") && pom.filled(own) == expected)
        })
    };
    // A version that contains a property matches if both sides contain the same property.
    same(own_group, group)
        && (same(own_version, version)
            || (version.contains("${") && same(own_version, &pom.filled(&SmolStr::new(version)))))
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

/// The file of a project's parent, if it is named otherwise than `pom.xml`. The walk finds only
/// files of that name.
pub(in crate::maven) fn included(input: &Input<'_>) -> Option<String> {
    const START: &[u8] = b"<relativePath>";
    let start = memchr::memmem::find(input.bytes, START)? + START.len();
    let rest = input.bytes.get(start..)?;
    let relative = rest.get(..memchr::memchr(b'<', rest)?)?;
    let path = join(input.path, std::str::from_utf8(relative).ok()?.trim())?;

    let name = path.rsplit('/').next().unwrap_or_default();
    (name.ends_with(".xml") && name != "pom.xml").then_some(path)
}

/// The directory of a file.
pub(super) fn directory(path: &str) -> &str {
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
    fn a_parent_of_another_name_is_included() {
        for (relative, expected) in [
            ("../parent.xml", Some("a/parent.xml")),
            ("\n  ../parent.xml ", Some("a/parent.xml")),
            ("../pom.xml", None),
            ("../parent", None),
            ("../../../parent.xml", None),
        ] {
            let text = format!("<project><relativePath>{relative}</relativePath></project>");
            let siblings = Siblings::new();
            let input = Input {
                path: "a/b/pom.xml",
                bytes: text.as_bytes(),
                siblings: &siblings,
            };
            assert_eq!(included(&input).as_deref(), expected, "{relative}");
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
