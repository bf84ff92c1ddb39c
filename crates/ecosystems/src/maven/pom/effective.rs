//! A project merged with its ancestors, as in Maven's model builder
//! (<https://maven.apache.org/ref/current/maven-model-builder/>).

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use patchgate_model::{MissingFile, SmolStr};

use super::layer::Layer;
use super::managed::Key;
use super::projects::ProjectFile;
use super::properties::{Values, has_property};
use super::raw::{DeclaredRepository, Dependency, Parent};
use super::sources::Sources;

/// A project with the properties and dependencies of its ancestors. Its texts still contain
/// property references.
#[derive(Debug)]
pub(super) struct Model {
    /// The project's own file, then its parent, and so on upwards. The ancestors are shared with
    /// all of their descendants.
    layers: Vec<Arc<Layer>>,
    /// Properties that each build of the project sets.
    properties: Arc<HashMap<SmolStr, SmolStr>>,
    group: Option<SmolStr>,
    artifact: SmolStr,
    version: Option<SmolStr>,
    parent: Option<Parent>,
    /// Whether the project or an ancestor imports a list of versions.
    has_imports: bool,
    /// Whether an ancestor manages dependencies.
    has_managing_ancestor: bool,
    /// The ancestor that is missing, if one is. Its properties and managed versions are unknown.
    pub(super) gap: Option<Box<MissingFile>>,
}

/// The files above a project, up to the first that is missing.
#[derive(Debug, Default)]
pub(super) struct Ancestors {
    pub(super) layers: Vec<Arc<Layer>>,
    pub(super) gap: Option<Box<MissingFile>>,
}

impl Model {
    /// Merges a project with its ancestors and its active profiles. `requested` is the index of a
    /// profile that is active in addition, instead of those that are active by default.
    pub(super) fn of(
        file: &ProjectFile,
        requested: Option<usize>,
        sources: &mut Sources<'_>,
    ) -> Self {
        let pom = &file.pom;
        let own = match requested {
            None => Arc::clone(&file.layer),
            requested => Arc::new(Layer::of(Arc::clone(pom), requested)),
        };
        let above = sources.ancestors(file);

        let mut layers = Vec::with_capacity(above.layers.len() + 1);
        layers.push(own);
        layers.extend(above.layers.iter().cloned());

        let parent = pom.parent.as_ref();
        let group = pom.group.as_ref().or(parent.map(|parent| &parent.group));
        let version = pom
            .version
            .as_ref()
            .or(parent.map(|parent| &parent.version));
        let has_imports = layers.iter().any(|layer| layer.imports().next().is_some());
        let manages = |layer: &Arc<Layer>| !layer.body().managed.is_empty();
        Self {
            has_imports,
            has_managing_ancestor: above.layers.iter().any(manages),
            layers,
            properties: Arc::clone(&sources.properties),
            group: group.cloned(),
            artifact: pom.artifact.clone(),
            version: version.cloned(),
            parent: pom.parent.clone(),
            gap: above.gap.clone(),
        }
    }

    /// The group, with properties expanded.
    pub(super) fn group(&self) -> SmolStr {
        self.group.as_ref().map_or_else(
            || SmolStr::new_static("${project.groupId}"),
            |group| self.filled(group),
        )
    }

    /// The name of the artifact, with properties expanded.
    pub(super) fn artifact(&self) -> SmolStr {
        self.filled(&self.artifact)
    }

    /// The version, if all of its properties have a value.
    pub(super) fn version(&self) -> Option<SmolStr> {
        self.fill(self.version.as_ref()?)
    }

    /// The line of the project's own file for everything that its ancestors state.
    pub(super) fn parent_line(&self) -> u32 {
        self.parent.as_ref().map_or(1, |parent| parent.line)
    }

    /// The dependencies with their lines in the project's own file. An ancestor's dependency with
    /// the identity of an earlier one is replaced by it.
    pub(super) fn dependencies(&self) -> Vec<(u32, &Dependency)> {
        let mut found = Vec::new();
        let mut layers = self.layers.iter().map(|layer| &layer.body().dependencies);
        found.extend(
            layers
                .next()
                .into_iter()
                .flatten()
                .map(|one| (one.line, one)),
        );

        let mut inherited = layers.flatten().peekable();
        if inherited.peek().is_none() {
            return found;
        }
        let mut seen: HashSet<_> = found.iter().map(|(_, one)| one.identity()).collect();
        for one in inherited {
            if seen.insert(one.identity()) {
                found.push((self.parent_line(), one));
            }
        }

        found
    }

    /// The managed dependency with a version that has the given identity. Entries of the project
    /// itself come first, then those of its ancestors.
    ///
    /// Two entries can have one identity once their properties are expanded. Maven 3 takes the first
    /// of them, but the last if the project imports a list.
    pub(super) fn managed(&self, key: &Key) -> Option<&Dependency> {
        let mut found = None;
        for (depth, layer) in self.layers.iter().enumerate() {
            let named = layer.managed_named(&key.artifact).filter(|one| {
                one.version.is_some()
                    && self.is(one, key)
                    && !self.is_import(one)
                    && !self.is_replaced(depth, one)
            });
            let own_merged = depth == 0 && (self.has_imports || self.has_managing_ancestor);
            let mut matching = one_of_each(own_merged, named);

            if self.has_imports {
                found = matching.pop().or(found);
            } else if !matching.is_empty() {
                return Some(matching.swap_remove(0));
            }
        }

        found
    }

    /// The imported lists of versions in their order, with their lines in the project's own file.
    pub(super) fn imports(&self) -> Vec<(u32, &Dependency)> {
        let mut found = Vec::new();
        for (depth, layer) in self.layers.iter().enumerate() {
            let imports = layer
                .imports()
                .filter(|one| self.is_import(one) && !self.is_replaced(depth, one));
            let line = |one: &Dependency| match depth {
                0 => one.line,
                _ => self.parent_line(),
            };
            // Imports of a file that is merged with no other are all followed.
            let imports = match depth == 0 && !self.has_managing_ancestor {
                true => imports.collect(),
                false => one_of_each(depth == 0, imports),
            };
            found.extend(imports.into_iter().map(|one| (line(one), one)));
        }

        found
    }

    /// The repositories of the project and its ancestors. An ancestor's repository with the
    /// identifier of an earlier one is replaced by it.
    pub(super) fn repositories(&self) -> Vec<&DeclaredRepository> {
        let mut seen = HashSet::new();
        self.layers
            .iter()
            .flat_map(|layer| &layer.body().repositories)
            .filter(|one| seen.insert(one.id.as_str()))
            .collect()
    }

    /// The identity of a dependency, with properties expanded.
    pub(super) fn key(&self, dependency: &Dependency) -> Key {
        Key {
            group: self.filled(&dependency.group),
            artifact: self.filled(&dependency.artifact),
            kind: self.filled(&dependency.kind),
            classifier: self.filled(&dependency.classifier),
        }
    }

    fn is(&self, dependency: &Dependency, key: &Key) -> bool {
        let same = |text: &SmolStr, expected: &SmolStr| {
            text == expected || (has_property(text) && self.filled(text) == *expected)
        };
        same(&dependency.artifact, &key.artifact)
            && same(&dependency.group, &key.group)
            && same(&dependency.kind, &key.kind)
            && same(&dependency.classifier, &key.classifier)
    }

    fn is_import(&self, dependency: &Dependency) -> bool {
        dependency.scope.as_deref() == Some("import") && self.filled(&dependency.kind) == "pom"
    }

    /// Whether a managed dependency is replaced by one of a descendant, which need not have a
    /// version. Maven compares what is written, before it expands properties.
    fn is_replaced(&self, depth: usize, dependency: &Dependency) -> bool {
        let below = self.layers.get(..depth).unwrap_or_default();
        below.iter().any(|layer| layer.manages(dependency))
    }

    /// The value of one of the project's own elements, by its name without a prefix.
    fn element(&self, name: &str) -> Option<&str> {
        let parent = self.parent.as_ref();
        let value = match name {
            "artifactId" => Some(&self.artifact).filter(|artifact| !artifact.is_empty()),
            "groupId" => self.group.as_ref(),
            "version" => self.version.as_ref(),
            "parent.artifactId" => parent.map(|parent| &parent.artifact),
            "parent.groupId" => parent.map(|parent| &parent.group),
            "parent.version" => parent.map(|parent| &parent.version),
            _ => None,
        };
        value.map(SmolStr::as_str)
    }
}

/// One of several managed dependencies of one file that are written alike. Maven 3 takes the last in
/// the project's own file if it has something to merge that file with, else the first.
fn one_of_each<'a>(
    takes_last: bool,
    all: impl Iterator<Item = &'a Dependency>,
) -> Vec<&'a Dependency> {
    let mut found: Vec<&Dependency> = Vec::new();
    for one in all {
        let same = |other: &&mut &Dependency| other.identity() == one.identity();
        match found.iter_mut().find(same) {
            Some(slot) if takes_last => *slot = one,
            Some(_) => {}
            None => found.push(one),
        }
    }

    found
}

impl Values for Model {
    /// A prefixed element of the project comes first, then a property of the build, then one of the
    /// files, then the old name of an element without prefix.
    fn value(&self, name: &str) -> Option<&str> {
        let prefixed = name
            .strip_prefix("project.")
            .or_else(|| name.strip_prefix("pom."));
        prefixed
            .and_then(|name| self.element(name))
            .or_else(|| self.properties.get(name).map(SmolStr::as_str))
            .or_else(|| {
                let mut bodies = self.layers.iter().map(|layer| layer.body());
                bodies
                    .find_map(|body| body.properties.get(name))
                    .map(SmolStr::as_str)
            })
            .or_else(|| self.element(name))
    }
}
