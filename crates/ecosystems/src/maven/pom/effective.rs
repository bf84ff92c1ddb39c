//! A project with what it inherits, as Maven's model builder puts it together
//! (<https://maven.apache.org/ref/current/maven-model-builder/>).

use std::collections::HashMap;

use super::MAX_DEPTH;
use super::managed::Key;
use super::properties::Properties;
use super::raw::{Activation, Body, DeclaredRepository, Dependency, Parent, Pom};
use super::sources::{Place, Sources};

/// A project with its ancestors' properties and dependencies. The texts in it still hold
/// properties.
#[derive(Debug, Clone, Default)]
pub(super) struct Model {
    pub(super) properties: Properties,
    pub(super) managed: Vec<Dependency>,
    pub(super) dependencies: Vec<Dependency>,
    pub(super) repositories: Vec<DeclaredRepository>,
    /// False when an ancestor lacks: what it sets and manages is not known.
    pub(super) is_whole: bool,
}

impl Model {
    /// A project with its ancestors, with the profiles that are active, or else with one that was
    /// asked for.
    pub(super) fn of(
        pom: &Pom,
        place: &Place,
        asked: Option<usize>,
        sources: &mut Sources<'_>,
    ) -> Self {
        let mut model = Self::default();
        model.add(pom, asked, None);
        let mut parent = pom.parent.clone();
        let mut place = place.clone();
        let mut version = pom.version.clone();
        let mut group = pom.group.clone();

        model.is_whole = true;
        for _ in 0..MAX_DEPTH {
            let Some(wanted) = parent.take() else { break };

            group.get_or_insert_with(|| wanted.group.clone());
            version.get_or_insert_with(|| wanted.version.clone());
            let line = model.line_of(pom, &wanted);
            let Some((above, at)) = sources.parent(&wanted, &place) else {
                model.is_whole = false;
                break;
            };

            model.add(&above, None, Some(line));
            (parent, place) = (above.parent.clone(), at);
        }

        model.is_whole &= parent.is_none();
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

    /// What comes from an ancestor stands in the project's own file where that names its parent.
    fn line_of(&self, pom: &Pom, wanted: &Parent) -> u32 {
        pom.parent
            .as_ref()
            .map_or(wanted.line, |parent| parent.line)
    }

    /// Adds a file; what is there already, from a project below, wins.
    fn add(&mut self, pom: &Pom, asked: Option<usize>, line: Option<u32>) {
        let mut own = pom.body.clone();
        let active: Vec<&Body> = match asked.and_then(|index| pom.profiles.get(index)) {
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
        // Within one file the last of two counts.
        let set: HashMap<String, String> = own.properties.into_iter().collect();

        for (name, value) in set {
            self.properties.set.entry(name).or_insert(value);
        }

        inherit(&mut self.managed, last_of_each(own.managed));
        inherit(&mut self.dependencies, last_of_each(own.dependencies));
        self.repositories.extend(pom.repositories.iter().cloned());
    }

    /// The text with properties filled in, or as it stands where one has no value.
    pub(super) fn filled(&self, text: &str) -> String {
        self.properties
            .fill(text)
            .unwrap_or_else(|| text.to_owned())
    }

    /// What tells a dependency from others, with properties filled in.
    pub(super) fn key(&self, dependency: &Dependency) -> Key {
        Key {
            group: self.filled(&dependency.group),
            artifact: self.filled(&dependency.artifact),
            kind: self.filled(&dependency.kind),
            classifier: self.filled(&dependency.classifier),
        }
    }
}

/// What tells a dependency from others, as written.
fn written(dependency: &Dependency) -> [&str; 4] {
    [
        &dependency.group,
        &dependency.artifact,
        &dependency.kind,
        &dependency.classifier,
    ]
}

fn places(list: &[Dependency]) -> HashMap<[String; 4], usize> {
    list.iter()
        .enumerate()
        .map(|(index, one)| (written(one).map(str::to_owned), index))
        .collect()
}

/// Puts a profile's dependencies in the place of the same ones of the project.
fn override_all(list: &mut Vec<Dependency>, with: &[Dependency]) {
    let places = places(list);
    for one in with {
        match places
            .get(&written(one).map(str::to_owned))
            .and_then(|index| list.get_mut(*index))
        {
            Some(old) => *old = one.clone(),
            None => list.push(one.clone()),
        }
    }
}

fn last_of_each(list: Vec<Dependency>) -> Vec<Dependency> {
    let places = places(&list);
    list.into_iter()
        .enumerate()
        .filter(|(index, one)| places.get(&written(one).map(str::to_owned)) == Some(index))
        .map(|(_, one)| one)
        .collect()
}

/// Adds an ancestor's dependencies that are not there yet.
fn inherit(list: &mut Vec<Dependency>, from: Vec<Dependency>) {
    let places = places(list);
    list.extend(
        from.into_iter()
            .filter(|one| !places.contains_key(&written(one).map(str::to_owned))),
    );
}
