//! A project merged with its ancestors, as in Maven's model builder
//! (<https://maven.apache.org/ref/current/maven-model-builder/>).

use std::collections::HashMap;

use super::MAX_DEPTH;
use super::managed::Key;
use super::properties::Properties;
use super::raw::{Activation, Body, DeclaredRepository, Dependency, Parent, Pom};
use super::sources::{FileLocation, Sources};

/// A project with the properties and dependencies of its ancestors. Its texts still contain
/// property references.
#[derive(Debug, Clone, Default)]
pub(super) struct Model {
    pub(super) properties: Properties,
    pub(super) managed: Vec<Dependency>,
    pub(super) dependencies: Vec<Dependency>,
    pub(super) repositories: Vec<DeclaredRepository>,
    /// Whether all ancestors are known. If one is missing, its properties and managed versions are
    /// unknown.
    pub(super) is_whole: bool,
}

impl Model {
    /// Merges a project with its ancestors and its active profiles. `requested` is the index of a
    /// profile that is active in addition, instead of those that are active by default.
    pub(super) fn of(
        pom: &Pom,
        location: &FileLocation,
        requested: Option<usize>,
        sources: &mut Sources<'_>,
    ) -> Self {
        let mut model = Self::default();
        model.add(pom, requested, None);
        let mut parent = pom.parent.clone();
        let mut location = location.clone();
        let mut version = pom.version.clone();
        let mut group = pom.group.clone();

        // The ancestors, from the parent upwards.
        model.is_whole = true;
        for _ in 0..MAX_DEPTH {
            let Some(next) = parent.take() else { break };

            group.get_or_insert_with(|| next.group.clone());
            version.get_or_insert_with(|| next.version.clone());
            let line = model.line_of(pom, &next);
            let Some((above, at)) = sources.parent(&next, &location) else {
                model.is_whole = false;
                break;
            };

            model.add(&above, None, Some(line));
            (parent, location) = (above.parent.clone(), at);
        }

        model.is_whole &= parent.is_none();

        // The project's own coordinates, with inherited parts.
        let project = &mut model.properties.project;
        project.insert("artifactId", pom.artifact.clone());
        project.extend(group.map(|group| ("groupId", group)));
        project.extend(version.map(|version| ("version", version)));

        if let Some(parent) = &pom.parent {
            project.insert("parent.groupId", parent.group.clone());
            project.insert("parent.artifactId", parent.artifact.clone());
            project.insert("parent.version", parent.version.clone());
        }

        model
    }

    /// The line for dependencies of an ancestor: that of the `parent` element in the project's own
    /// file.
    fn line_of(&self, pom: &Pom, next: &Parent) -> u32 {
        pom.parent.as_ref().map_or(next.line, |parent| parent.line)
    }

    /// Adds the contents of a file. Existing entries come from a descendant and take precedence.
    fn add(&mut self, pom: &Pom, requested: Option<usize>, line: Option<u32>) {
        let mut own = pom.body.clone();
        let active: Vec<&Body> = match requested.and_then(|index| pom.profiles.get(index)) {
            Some(profile) => pom
                .profiles
                .iter()
                .filter(|other| other.activation == Activation::Always)
                .chain([profile])
                .map(|profile| &profile.body)
                .collect(),
            None => pom
                .active_profiles()
                .map(|(_, profile)| &profile.body)
                .collect(),
        };
        for profile in active {
            own.properties.extend(profile.properties.iter().cloned());
            override_all(&mut own.managed, &profile.managed);
            override_all(&mut own.dependencies, &profile.dependencies);
        }

        if let Some(line) = line {
            for dependency in own.managed.iter_mut().chain(&mut own.dependencies) {
                dependency.line = line;
            }
        }
        // Within one file, the last of several values counts.
        let set: HashMap<String, String> = own.properties.into_iter().collect();

        for (name, value) in set {
            self.properties.set.entry(name).or_insert(value);
        }

        inherit(&mut self.managed, last_of_each(own.managed));
        inherit(&mut self.dependencies, last_of_each(own.dependencies));
        self.repositories.extend(pom.repositories.iter().cloned());
    }

    /// The text with its properties expanded, or the unchanged text if one of them has no value.
    pub(super) fn filled(&self, text: &str) -> String {
        self.properties
            .fill(text)
            .unwrap_or_else(|| text.to_owned())
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
}

/// The identity of a dependency, as written.
fn identity(dependency: &Dependency) -> [&str; 4] {
    [
        &dependency.group,
        &dependency.artifact,
        &dependency.kind,
        &dependency.classifier,
    ]
}

fn indices_of(list: &[Dependency]) -> HashMap<[String; 4], usize> {
    list.iter()
        .enumerate()
        .map(|(index, one)| (identity(one).map(str::to_owned), index))
        .collect()
}

/// Replaces dependencies of the project by those of a profile with the same identity, and adds the
/// others.
fn override_all(list: &mut Vec<Dependency>, with: &[Dependency]) {
    let indices = indices_of(list);
    for one in with {
        match indices
            .get(&identity(one).map(str::to_owned))
            .and_then(|index| list.get_mut(*index))
        {
            Some(old) => *old = one.clone(),
            None => list.push(one.clone()),
        }
    }
}

fn last_of_each(list: Vec<Dependency>) -> Vec<Dependency> {
    let indices = indices_of(&list);
    list.into_iter()
        .enumerate()
        .filter(|(index, one)| indices.get(&identity(one).map(str::to_owned)) == Some(index))
        .map(|(_, one)| one)
        .collect()
}

/// Adds the dependencies of an ancestor that are not in the list yet.
fn inherit(list: &mut Vec<Dependency>, from: Vec<Dependency>) {
    let indices = indices_of(list);
    list.extend(
        from.into_iter()
            .filter(|one| !indices.contains_key(&identity(one).map(str::to_owned))),
    );
}
