//! One file with its active profiles: a layer of a project's model.

use std::collections::HashMap;
use std::sync::Arc;

use patchgate_model::SmolStr;

use super::properties::has_property;
use super::raw::{Activation, Body, Dependency, Pom};

/// One file with its active profiles.
#[derive(Debug)]
pub(super) struct Layer {
    pom: Arc<Pom>,
    /// The body with the active profiles; `None` without any, because most files have none.
    merged: Option<Body>,
    /// Positions of the managed dependencies by the name of the artifact. A search for one of a few
    /// thousand must not compare all of them.
    managed: HashMap<SmolStr, Vec<u32>>,
    /// Positions of those whose artifact's name has a property.
    unnamed: Vec<u32>,
    /// Positions of the managed dependencies that are imports.
    imports: Vec<u32>,
}

impl Layer {
    /// Merges a file with its active profiles. `requested` is the index of a profile that is active
    /// in addition, instead of those that are active by default.
    pub(super) fn of(pom: Arc<Pom>, requested: Option<usize>) -> Self {
        let merged = merged(&pom, requested);
        let mut layer = Self {
            merged: None,
            managed: HashMap::new(),
            unnamed: Vec::new(),
            imports: Vec::new(),
            pom: Arc::clone(&pom),
        };
        let body = merged.as_ref().unwrap_or(&pom.body);

        for (position, dependency) in (0u32..).zip(&body.managed) {
            if dependency.scope.as_deref() == Some("import") {
                layer.imports.push(position);
            }
            if has_property(&dependency.artifact) {
                layer.unnamed.push(position);
            } else {
                let name = dependency.artifact.clone();
                layer.managed.entry(name).or_default().push(position);
            }
        }

        layer.merged = merged;
        layer
    }

    pub(super) fn body(&self) -> &Body {
        self.merged.as_ref().unwrap_or(&self.pom.body)
    }

    /// The managed dependencies that may be of an artifact, in the order of the file.
    pub(super) fn managed_named(&self, artifact: &str) -> impl Iterator<Item = &Dependency> {
        let named = self.managed.get(artifact).map_or(&[][..], Vec::as_slice);
        let mut positions: Vec<u32> = named.iter().chain(&self.unnamed).copied().collect();
        if !self.unnamed.is_empty() {
            positions.sort_unstable();
        }
        positions.into_iter().filter_map(|at| self.managed_at(at))
    }

    /// Whether there is a managed dependency with the same identity, as written.
    pub(super) fn manages(&self, dependency: &Dependency) -> bool {
        self.managed_named(&dependency.artifact)
            .any(|one| one.identity() == dependency.identity())
    }

    /// The managed dependencies with the scope of an import, in the order of the file.
    pub(super) fn imports(&self) -> impl Iterator<Item = &Dependency> {
        self.imports.iter().filter_map(|at| self.managed_at(*at))
    }

    fn managed_at(&self, position: u32) -> Option<&Dependency> {
        self.body().managed.get(position as usize)
    }
}

/// The body of a file with its active profiles, if there are any.
fn merged(pom: &Pom, requested: Option<usize>) -> Option<Body> {
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
    if active.is_empty() {
        return None;
    }

    let mut own = pom.body.clone();
    for profile in active {
        let properties = profile.properties.iter();
        own.properties
            .extend(properties.map(|(name, value)| (name.clone(), value.clone())));
        override_all(&mut own.managed, &profile.managed);
        override_all(&mut own.dependencies, &profile.dependencies);
        // A repository of a profile comes before one of the project with the same identifier.
        own.repositories
            .splice(0..0, profile.repositories.iter().cloned());
    }

    Some(own)
}

/// Replaces dependencies of the project by those of a profile with the same identity, and adds the
/// others.
fn override_all(list: &mut Vec<Dependency>, with: &[Dependency]) {
    if with.is_empty() {
        return;
    }

    let identity = |one: &Dependency| one.identity().map(SmolStr::clone);
    let indices: HashMap<[SmolStr; 4], usize> = list
        .iter()
        .enumerate()
        .map(|(index, one)| (identity(one), index))
        .collect();
    for one in with {
        match indices
            .get(&identity(one))
            .and_then(|index| list.get_mut(*index))
        {
            Some(old) => *old = one.clone(),
            None => list.push(one.clone()),
        }
    }
}
