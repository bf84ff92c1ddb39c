//! `pom.xml`: the direct dependencies of a Maven project with their versions, from the file
//! itself, its parents and the lists of versions that it imports
//! (<https://maven.apache.org/guides/introduction/introduction-to-dependency-mechanism.html>).
//!
//! What a profile adds that is active only when asked for is in the answer too, under the profile's
//! name: some build takes it. Deliberately not here: transitive dependencies, plugins of the build,
//! and any step into the network. Parents from outside the repository are handed in as siblings
//! below [`EXTERNAL`]; what lacks is named in [`Lockfile::missing`].

mod effective;
mod managed;
mod properties;
mod raw;
mod sources;

use std::collections::{BTreeMap, BTreeSet};

use patchgate_model::{
    DependencyKind, Edge, Lockfile, Origin, Package, PackageIndex, Root, Scope, Unresolved,
};

use self::effective::Model;
use self::managed::{Key, Managed};
use self::raw::{Dependency, Pom};
use self::sources::{Place, Sources};
use super::{NAME, coordinates};
use crate::{Input, ParseError, limits};

pub use raw::DeclaredRepository;
pub use sources::EXTERNAL;

/// Reads a project's file for what it asks for.
pub(super) fn parse(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    let pom = Pom::read(input)?;
    let mut sources = Sources::new(input, pom.parent.as_ref().map_or(1, |parent| parent.line));
    let place = Place::Repository(input.path.to_owned());
    let base = Model::of(&pom, &place, None, &mut sources);
    let mut found = Found::default();
    found.add(&base, None, &mut sources)?;
    let active: BTreeSet<usize> = pom.active_profiles().map(|(index, _)| index).collect();
    let others = pom.profiles.iter().enumerate().filter(|(index, profile)| {
        let body = &profile.body;
        let is_empty =
            body.dependencies.is_empty() && body.managed.is_empty() && body.properties.is_empty();
        !is_empty && !active.contains(index)
    });
    for (index, profile) in others.take(MAX_PROFILES) {
        sources.refill();
        let model = Model::of(&pom, &place, Some(index), &mut sources);
        found.add(&model, Some(&profile.id), &mut sources)?;
    }

    let name = format!(
        "{}:{}",
        base.filled("${project.groupId}"),
        base.filled("${project.artifactId}")
    );
    let manifest = Some(input.path.to_owned()).filter(|path| input.sibling(path).is_some());

    Ok(Lockfile {
        path: input.path.to_owned(),
        ecosystem: NAME,
        format: "maven-pom",
        roots: vec![Root {
            name,
            manifest,
            edges: found.edges,
        }],
        packages: found.packages,
        unresolved: found.unresolved,
        direct_only: true,
        missing: sources.into_missing(),
    })
}

/// The repositories that a project and its ancestors name, as far as their addresses are known.
/// They are the project's own word: whoever asks them decides whether to.
///
/// # Errors
/// When the file cannot be read.
pub fn repositories(input: &Input<'_>) -> Result<Vec<DeclaredRepository>, ParseError> {
    let pom = Pom::read(input)?;
    let mut sources = Sources::new(input, 1);
    let place = Place::Repository(input.path.to_owned());
    let model = Model::of(&pom, &place, None, &mut sources);

    Ok(model
        .repositories
        .iter()
        .filter_map(|one| {
            Some(DeclaredRepository {
                id: one.id.clone(),
                url: model.properties.fill(&one.url)?,
            })
        })
        .collect())
}

#[derive(Default)]
struct Found {
    packages: Vec<Package>,
    unresolved: Vec<Unresolved>,
    edges: Vec<Edge>,
    /// What is among the packages or unresolved already, with the version where it has one.
    seen: BTreeSet<(Key, Option<String>)>,
    keys: BTreeSet<Key>,
}

/// One dependency with what its project says about it in other places.
struct Asked<'a> {
    key: Key,
    /// The version as written; empty where there is none.
    written: &'a str,
    version: Option<String>,
    scope: String,
    optional: bool,
    line: u32,
}

impl<'a> Asked<'a> {
    fn new(dependency: &'a Dependency, model: &Model, managed: &'a BTreeMap<Key, Managed>) -> Self {
        let key = model.key(dependency);
        let managed = managed.get(&key);
        let (written, version) = match &dependency.version {
            Some(version) => (version.as_str(), model.properties.fill(version)),
            None => match managed {
                Some(managed) => (managed.written.as_str(), managed.version.clone()),
                None => ("", None),
            },
        };

        let is_named = coordinates::is_id(&key.group) && coordinates::is_id(&key.artifact);
        let own_scope = dependency.scope.as_deref().map(|scope| model.filled(scope));
        let optional = dependency.optional.as_deref();

        Self {
            version: version
                .as_deref()
                .filter(|_| is_named)
                .and_then(one_version)
                .map(str::to_owned),
            key,
            written,
            scope: own_scope
                .or_else(|| managed.and_then(|managed| managed.scope.clone()))
                .unwrap_or_else(|| "compile".to_owned()),
            optional: optional.is_some_and(|text| model.filled(text) == "true"),
            line: dependency.line,
        }
    }
}

impl Found {
    /// Adds what a model asks for; of a profile only what is not there without it.
    fn add(
        &mut self,
        model: &Model,
        profile: Option<&str>,
        sources: &mut Sources<'_>,
    ) -> Result<(), ParseError> {
        let open: BTreeSet<Key> = model
            .dependencies
            .iter()
            .filter(|one| one.version.is_none())
            .map(|one| model.key(one))
            .collect();
        let managed = managed::find(model, open, sources);
        for dependency in &model.dependencies {
            let asked = Asked::new(dependency, model, &managed);
            // What has a version without the profile is no hole when the profile takes it away.
            let is_known = asked.version.is_none() && self.keys.contains(&asked.key);
            self.keys.insert(asked.key.clone());
            let entry = (asked.key.clone(), asked.version.clone());
            if is_known || !self.seen.insert(entry) {
                continue;
            }
            self.take(asked, profile, sources)?;
        }

        Ok(())
    }

    fn take(
        &mut self,
        asked: Asked<'_>,
        profile: Option<&str>,
        sources: &Sources<'_>,
    ) -> Result<(), ParseError> {
        let kind = kind_of(&asked.scope, asked.optional);
        let name = format!("{}:{}", asked.key.group, asked.key.artifact);
        let Some(version) = asked.version else {
            self.unresolved.push(Unresolved {
                name,
                requirement: asked.written.to_owned(),
                kind,
                line: asked.line,
            });
            return Ok(());
        };
        let origin = origin(&asked.key, &asked.scope, sources);
        let mut groups = vec![asked.scope];
        groups.extend(profile.map(|id| format!("profile {id}")));
        groups.sort();
        let package = Package {
            line: asked.line,
            scope: Scope::from(kind),
            groups,
            origin,
            ..Package::new(NAME, name, version)
        };

        self.push(package, asked.written, kind)
    }

    fn push(
        &mut self,
        package: Package,
        written: &str,
        kind: DependencyKind,
    ) -> Result<(), ParseError> {
        let index = u32::try_from(self.packages.len()).unwrap_or(u32::MAX);
        self.edges.push(Edge {
            to: PackageIndex(index),
            name: package.name.as_str().into(),
            requirement: Some(written.into()),
            kind,
        });
        self.packages.push(package);

        coordinates::within_limit(self.packages.len())
    }
}

/// The version that a requirement admits, where it admits just one: `1.0`, or the range `[1.0]`.
fn one_version(requirement: &str) -> Option<&str> {
    let requirement = requirement.trim();
    let within = requirement
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(requirement);
    coordinates::is_version(within).then_some(within)
}

/// What a scope means (<https://maven.apache.org/guides/introduction/introduction-to-dependency-mechanism.html#dependency-scope>).
/// What is provided is there at run time, though somebody else brings it.
fn kind_of(scope: &str, optional: bool) -> DependencyKind {
    match scope {
        "test" => DependencyKind::Test,
        _ if optional => DependencyKind::Optional,
        _ => DependencyKind::Runtime,
    }
}

/// Another project of the same repository, a file on the machine that builds, or a registry.
fn origin(key: &Key, scope: &str, sources: &Sources<'_>) -> Origin {
    if scope == "system" {
        return Origin::Path(None);
    }
    match sources.project(&key.group, &key.artifact) {
        Some(folder) => Origin::Path(Some(folder)),
        None => Origin::Registry(None),
    }
}

/// Most profiles of one project that are looked at.
const MAX_PROFILES: usize = 50;

/// Most files that are read for one project, and for each of its profiles: parents and lists of versions, theirs included.
const MAX_FILES: usize = 400;

/// Longest line of parents, and deepest nesting of lists that import lists.
const MAX_DEPTH: usize = limits::MAX_DEPTH / 4;

#[cfg(test)]
mod tests;
