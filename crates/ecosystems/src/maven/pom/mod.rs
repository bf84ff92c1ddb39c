//! Reader of `pom.xml`: the direct dependencies of a Maven project with their versions, from the
//! file itself, its parents and the version lists that it imports
//! (<https://maven.apache.org/guides/introduction/introduction-to-dependency-mechanism.html>).
//!
//! The result also contains the additions of profiles that are active only on request, with the
//! profile as a group, because some build uses them. Transitive dependencies, build plugins and
//! network access are deliberately absent. Parents from outside the repository are passed in as
//! siblings below [`EXTERNAL`]; missing ones are listed in [`Lockfile::missing`].

mod config;
mod declared;
mod effective;
mod layer;
mod managed;
mod projects;
mod properties;
mod raw;
mod sources;
mod write;

use std::collections::{BTreeMap, BTreeSet};

use patchgate_model::{
    DependencyKind, Edge, FormatId, Lockfile, Loss, Origin, Package, PackageIndex, Root, Scope,
    SkippedEntry, SmolStr, Unresolved,
};

use self::effective::Model;
use self::managed::{Key, Managed};
use self::properties::{Values as _, has_property};
use self::raw::Dependency;
use self::sources::{Brings, Sources};
use super::{NAME, coordinates};
use crate::{Input, ParseError, limits};

pub(super) use config::FILE as CONFIG;
pub(super) use declared::declared;
pub use projects::Projects;
pub use raw::DeclaredRepository;
pub use sources::EXTERNAL;
pub(super) use sources::included;
pub(super) use write::{PomWriter, owners};

/// Reads the direct dependencies of one project.
pub(super) fn parse(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    Projects::default().parse(input)
}

/// Reads the direct dependencies of a project, with what is known of other projects.
fn read(input: &Input<'_>, projects: &Projects) -> Result<Lockfile, ParseError> {
    let file = projects.own(input)?;
    let pom = &file.pom;
    let line = pom.parent.as_ref().map_or(1, |parent| parent.line);
    let mut sources = Sources::new(input, projects, line);
    let base = Model::of(&file, None, &mut sources);
    // A parent has dependencies of its own, which its children inherit.
    if let Some(gap) = &base.gap {
        sources.record(gap, Brings::Packages);
    }
    let mut builder = DependencyCollector::default();
    builder.skipped.extend(pom.named_modules.iter().map(unread));
    builder.skipped.extend(pom.skipped.iter().cloned());
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
        let model = Model::of(&file, Some(index), &mut sources);
        builder.add(&model, Some(&profile.id), &mut sources)?;
    }

    // A file without a single dependency that can be read is more probably broken as a whole.
    let is_empty = builder.packages.is_empty() && builder.unresolved.is_empty();
    if let (true, Some(entry)) = (is_empty, pom.skipped.first()) {
        return Err(ParseError::new(entry.reason.clone()).at_line(entry.line as usize));
    }

    let manifest = Some(input.path.to_owned()).filter(|path| input.sibling(path).is_some());

    Ok(Lockfile {
        path: input.path.to_owned(),
        ecosystem: NAME,
        format: FormatId::new(FORMAT),
        roots: vec![Root {
            name: match base.artifact() {
                artifact if artifact.is_empty() => String::new(),
                artifact => format!("{}:{artifact}", base.group()),
            },
            manifest,
            edges: builder.edges,
        }],
        packages: builder.packages,
        unresolved: builder.unresolved,
        direct_only: true,
        missing: sources.into_missing(),
        skipped: builder.skipped,
    })
}

#[derive(Default)]
struct DependencyCollector {
    packages: Vec<Package>,
    unresolved: Vec<Unresolved>,
    skipped: Vec<SkippedEntry>,
    edges: Vec<Edge>,
    /// Dependencies that are already added, with their version if it is known.
    seen: BTreeSet<(Key, Option<SmolStr>)>,
    keys: BTreeSet<Key>,
}

/// A dependency together with its managed version and scope.
struct ManagedDependency {
    key: Key,
    /// The version as written; empty without one.
    written: SmolStr,
    /// The version with its properties expanded, or as written if one has no value.
    requirement: SmolStr,
    /// The version, if it is a single one.
    version: Option<SmolStr>,
    scope: SmolStr,
    optional: bool,
    line: u32,
}

impl ManagedDependency {
    fn new(
        dependency: &Dependency,
        line: u32,
        model: &Model,
        managed: &BTreeMap<Key, Managed>,
    ) -> Self {
        let key = model.key(dependency);
        let managed = managed.get(&key);
        let (written, filled) = match &dependency.version {
            Some(version) => (version.clone(), model.fill(version)),
            None => match managed {
                Some(managed) => (managed.written.clone(), managed.version.clone()),
                None => (SmolStr::default(), None),
            },
        };

        let own_scope = dependency.scope.as_ref().map(|scope| model.filled(scope));
        let optional = dependency.optional.as_ref();

        Self {
            version: filled.as_deref().and_then(one_version).map(SmolStr::new),
            requirement: filled.unwrap_or_else(|| written.clone()),
            key,
            written,
            scope: own_scope
                .or_else(|| managed.and_then(|managed| managed.scope.clone()))
                .unwrap_or(COMPILE),
            optional: optional.is_some_and(|text| model.filled(text) == "true"),
            line,
        }
    }
}

/// The scope of a dependency that states none.
const COMPILE: SmolStr = SmolStr::new_static("compile");

impl DependencyCollector {
    /// Adds the dependencies of a model. For a profile, only those that differ from the project
    /// without it.
    fn add(
        &mut self,
        model: &Model,
        profile: Option<&str>,
        sources: &mut Sources<'_>,
    ) -> Result<(), ParseError> {
        let dependencies = model.dependencies();
        let open: BTreeSet<Key> = dependencies
            .iter()
            .filter(|(_, one)| one.version.is_none())
            .map(|(_, one)| model.key(one))
            .collect();
        let managed = managed::find(model, open, sources);
        for (line, dependency) in dependencies {
            let dependency = ManagedDependency::new(dependency, line, model, &managed);
            // A dependency that has a version without the profile is not unresolved if the profile
            // removes that version.
            let is_known = dependency.version.is_none() && self.keys.contains(&dependency.key);
            self.keys.insert(dependency.key.clone());
            let entry = (dependency.key.clone(), dependency.version.clone());
            if is_known || !self.seen.insert(entry) {
                continue;
            }

            if coordinates::is_id(&dependency.key.group)
                && coordinates::is_id(&dependency.key.artifact)
            {
                self.take(dependency, profile, sources)?;
            } else if model.gap.is_none() {
                // Below a missing parent, the parent is the cause and is named.
                self.skipped.push(unnamed(&dependency));
            }
        }

        Ok(())
    }

    fn take(
        &mut self,
        dependency: ManagedDependency,
        profile: Option<&str>,
        sources: &mut Sources<'_>,
    ) -> Result<(), ParseError> {
        let kind = kind_of(&dependency.scope, dependency.optional);
        let name = format!("{}:{}", dependency.key.group, dependency.key.artifact);
        let Some(version) = &dependency.version else {
            self.unresolved.push(Unresolved {
                ecosystem: NAME,
                name,
                requirement: dependency.requirement.to_string(),
                kind,
                line: dependency.line,
            });
            return Ok(());
        };

        let origin = origin(&dependency.key, version, &dependency.scope, sources);
        let mut groups = vec![dependency.scope.to_string()];
        groups.extend(profile.map(|id| format!("profile {id}")));
        groups.sort();
        let package = Package {
            line: dependency.line,
            scope: Scope::from(kind),
            groups,
            origin,
            ..Package::new(NAME, name, version.to_string())
        };

        self.push(package, &dependency.written, kind)
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
/// or a registry. As in Maven, a project of the repository counts only in its own version: another
/// one was released before.
fn origin(key: &Key, version: &str, scope: &str, sources: &mut Sources<'_>) -> Origin {
    if scope == "system" {
        return Origin::Path(None);
    }
    match sources.project(&key.group, &key.artifact, version) {
        Some(file) => Origin::Path(Some(sources::directory(&file.path).to_owned())),
        None => Origin::Registry(None),
    }
}

/// A dependency whose name is unknown, so that it cannot be judged.
fn unnamed(dependency: &ManagedDependency) -> SkippedEntry {
    let Key {
        group, artifact, ..
    } = &dependency.key;
    let name: String = format!("{group}:{artifact}").chars().take(200).collect();
    let reason = match has_property(&name) {
        true => format!("depends on `{name}`, whose property has no value"),
        false => format!("depends on `{name}`, which is not an artifact"),
    };
    SkippedEntry {
        line: dependency.line,
        reason,
        loss: Loss::Package,
    }
}

/// A module whose file has a name of its own. Only files named `pom.xml` are found and read.
fn unread((path, line): &(SmolStr, u32)) -> SkippedEntry {
    let shown: String = path.chars().take(200).collect();
    SkippedEntry {
        line: *line,
        reason: format!("has the module `{shown}`, which is not read: it is not named `pom.xml`"),
        loss: Loss::Package,
    }
}

/// Id of the format of a `pom.xml`.
pub const FORMAT: &str = "maven-pom";

/// Most inactive profiles of one project that are evaluated.
const MAX_PROFILES: usize = 50;

/// Most lists of versions that are looked for on behalf of a project, and again for each of its
/// profiles.
const MAX_FILES: usize = 400;

/// Longest chain of parents, and deepest nesting of imported lists.
const MAX_DEPTH: usize = limits::MAX_DEPTH / 4;

#[cfg(test)]
mod tests;
