//! Reader of `pom.xml`: the direct dependencies of a Maven project with their versions, from the
//! file itself, its parents and the version lists that it imports
//! (<https://maven.apache.org/guides/introduction/introduction-to-dependency-mechanism.html>).
//!
//! The result also contains the additions of profiles that are active only on request, with the
//! profile as a group, because some build uses them. Transitive dependencies, build plugins and
//! network access are deliberately absent. Parents from outside the repository are passed in as
//! siblings below [`EXTERNAL`]; missing ones are listed in [`Lockfile::missing`].

mod effective;
mod managed;
mod properties;
mod raw;
mod sources;

use std::collections::{BTreeMap, BTreeSet};

use patchgate_model::{
    DependencyKind, Edge, FormatId, Lockfile, Origin, Package, PackageIndex, Root, Scope,
    Unresolved,
};

use self::effective::Model;
use self::managed::{Key, Managed};
use self::raw::{Dependency, Pom};
use self::sources::{FileLocation, Sources};
use super::{NAME, coordinates};
use crate::{Input, ParseError, limits};

pub use raw::DeclaredRepository;
pub use sources::EXTERNAL;

/// Reads the direct dependencies of a project.
pub(super) fn parse(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    let pom = Pom::read(input)?;
    let mut sources = Sources::new(input, pom.parent.as_ref().map_or(1, |parent| parent.line));
    let location = FileLocation::Repository(input.path.to_owned());
    let base = Model::of(&pom, &location, None, &mut sources);
    let mut builder = DependencyCollector::default();
    builder.add(&base, None, &mut sources)?;

    // Each inactive profile is evaluated on its own, as if it were requested.
    let active: BTreeSet<usize> = pom.active_profiles().map(|(index, _)| index).collect();
    let others = pom.profiles.iter().enumerate().filter(|(index, profile)| {
        let body = &profile.body;
        let is_empty =
            body.dependencies.is_empty() && body.managed.is_empty() && body.properties.is_empty();
        !is_empty && !active.contains(index)
    });
    for (index, profile) in others.take(MAX_PROFILES) {
        sources.refill();
        let model = Model::of(&pom, &location, Some(index), &mut sources);
        builder.add(&model, Some(&profile.id), &mut sources)?;
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
        format: FormatId::new("maven-pom"),
        roots: vec![Root {
            name,
            manifest,
            edges: builder.edges,
        }],
        packages: builder.packages,
        unresolved: builder.unresolved,
        direct_only: true,
        missing: sources.into_missing(),
        skipped: Vec::new(),
    })
}

/// The repositories that a project and its ancestors declare, with expanded addresses. An address
/// with an unknown property is left out.
///
/// The addresses are not trusted: the caller decides whether to contact them.
///
/// # Errors
/// If the file cannot be read.
pub fn repositories(input: &Input<'_>) -> Result<Vec<DeclaredRepository>, ParseError> {
    let pom = Pom::read(input)?;
    let mut sources = Sources::new(input, 1);
    let location = FileLocation::Repository(input.path.to_owned());
    let model = Model::of(&pom, &location, None, &mut sources);

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
struct DependencyCollector {
    packages: Vec<Package>,
    unresolved: Vec<Unresolved>,
    edges: Vec<Edge>,
    /// Dependencies that are already added, with their version if it is known.
    seen: BTreeSet<(Key, Option<String>)>,
    keys: BTreeSet<Key>,
}

/// A dependency together with its managed version and scope.
struct ManagedDependency<'a> {
    key: Key,
    /// The version as written; empty without one.
    written: &'a str,
    version: Option<String>,
    scope: String,
    optional: bool,
    line: u32,
}

impl<'a> ManagedDependency<'a> {
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

impl DependencyCollector {
    /// Adds the dependencies of a model. For a profile, only those that differ from the project
    /// without it.
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
            let dependency = ManagedDependency::new(dependency, model, &managed);
            // A dependency that has a version without the profile is not unresolved if the profile
            // removes that version.
            let is_known = dependency.version.is_none() && self.keys.contains(&dependency.key);
            self.keys.insert(dependency.key.clone());
            let entry = (dependency.key.clone(), dependency.version.clone());
            if is_known || !self.seen.insert(entry) {
                continue;
            }
            self.take(dependency, profile, sources)?;
        }

        Ok(())
    }

    fn take(
        &mut self,
        dependency: ManagedDependency<'_>,
        profile: Option<&str>,
        sources: &Sources<'_>,
    ) -> Result<(), ParseError> {
        let kind = kind_of(&dependency.scope, dependency.optional);
        let name = format!("{}:{}", dependency.key.group, dependency.key.artifact);
        let Some(version) = dependency.version else {
            self.unresolved.push(Unresolved {
                ecosystem: crate::maven::NAME,
                name,
                requirement: dependency.written.to_owned(),
                kind,
                line: dependency.line,
            });
            return Ok(());
        };
        let origin = origin(&dependency.key, &dependency.scope, sources);
        let mut groups = vec![dependency.scope];
        groups.extend(profile.map(|id| format!("profile {id}")));
        groups.sort();
        let package = Package {
            line: dependency.line,
            scope: Scope::from(kind),
            groups,
            origin,
            ..Package::new(NAME, name, version)
        };

        self.push(package, dependency.written, kind)
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

/// The only version that a requirement admits, if there is just one: `1.0`, or the range `[1.0]`.
fn one_version(requirement: &str) -> Option<&str> {
    let requirement = requirement.trim();
    let within = requirement
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(requirement);
    coordinates::is_version(within).then_some(within)
}

/// The kind of dependency for a scope
/// (<https://maven.apache.org/guides/introduction/introduction-to-dependency-mechanism.html#dependency-scope>).
/// A provided dependency is present at run time, so it counts as one.
fn kind_of(scope: &str, optional: bool) -> DependencyKind {
    match scope {
        "test" => DependencyKind::Test,
        _ if optional => DependencyKind::Optional,
        _ => DependencyKind::Runtime,
    }
}

/// The origin of a dependency: another project of the same repository, a file on the build machine,
/// or a registry.
fn origin(key: &Key, scope: &str, sources: &Sources<'_>) -> Origin {
    if scope == "system" {
        return Origin::Path(None);
    }
    match sources.project(&key.group, &key.artifact) {
        Some(directory) => Origin::Path(Some(directory)),
        None => Origin::Registry(None),
    }
}

/// Most inactive profiles of one project that are evaluated.
const MAX_PROFILES: usize = 50;

/// Most files (parents and version lists) that are read for a project, and again for each of its
/// profiles.
const MAX_FILES: usize = 400;

/// Longest chain of parents, and deepest nesting of imported lists.
const MAX_DEPTH: usize = limits::MAX_DEPTH / 4;

#[cfg(test)]
mod tests;
