//! What a package needs: from its entry in the lockfile, or from the metadata of a release.

use std::collections::{BTreeMap, BTreeSet};

use patchgate_ecosystems::{Copies, Release, Requirement};
use patchgate_model::{DependencyKind, Edge, Origin, Package, PackageIndex};

use crate::graph::Parent;
use crate::problem::Problem;
use crate::slot::{Choice, SlotId};

impl<'a> Problem<'a> {
    /// The requirement of a locked package on one of its dependencies: from the lockfile, else from the
    /// registry (Cargo.lock has none). `None` when neither states one.
    pub(crate) fn locked_requirement(&self, package: &Package, edge: &Edge) -> Option<String> {
        if let Some(requirement) = &edge.requirement {
            return Some(requirement.to_string());
        }

        let stated = self.stated_requirements(package, edge.to);
        stated.first().map(|one| one.requirement.clone())
    }

    /// The features that a locked package asks of one of its dependencies, as far as its metadata is
    /// known.
    pub(crate) fn locked_features(&self, package: &Package, edge: &Edge) -> Vec<String> {
        let stated = self.stated_requirements(package, edge.to);
        let features = stated.iter().flat_map(|one| one.features.iter().cloned());
        features.collect()
    }

    /// The requirements of a locked package on one of its dependencies, in the registry's metadata.
    fn stated_requirements(&self, package: &Package, to: PackageIndex) -> Vec<&'a Requirement> {
        let needed = self.request.lockfile.package(to);
        let locked = self.locked_release(package).zip(needed);
        let on_needed = locked.map(|(release, needed)| requirements_on(release, needed));
        on_needed.into_iter().flatten().collect()
    }

    /// The dependencies of a copy whose slot has a choice, each with the copy that satisfies it now.
    /// Empty when they are not known yet, which is recorded.
    pub(crate) fn dependencies(
        &self,
        id: SlotId,
        copy: Option<PackageIndex>,
        choice: Choice,
    ) -> Vec<Needed> {
        let slot = self.slot(id);
        let package = copy.and_then(|copy| self.request.lockfile.package(copy));
        match slot.release(choice) {
            None => package
                .map(|package| self.locked_needs(id, package))
                .unwrap_or_default(),
            Some(release) if release.details.is_some() => {
                let detail = (slot.name.clone(), release.version.clone());
                self.needs.borrow_mut().details.insert(detail);
                Vec::new()
            }
            Some(release) => self.release_needs(id, copy, release),
        }
    }

    fn locked_needs(&self, id: SlotId, package: &Package) -> Vec<Needed> {
        // A member's dependencies are those of the project of the same name, which has the manifest.
        let rooted = |name: &str| {
            self.request
                .lockfile
                .roots
                .iter()
                .any(|root| root.name == name)
        };
        if matches!(package.origin, Origin::Path(_)) && rooted(&package.name) {
            return Vec::new();
        }

        let locked = package.edges.iter().map(|edge| Needed {
            package: self
                .request
                .lockfile
                .package(edge.to)
                .map_or_else(|| edge.name.to_string(), |needed| needed.name.clone()),
            name: edge.name.to_string(),
            requirement: self.locked_requirement(package, edge),
            features: self.locked_features(package, edge),
            kind: edge.kind,
            now: Some(edge.to),
        });

        locked.chain(self.newly_needed(id, package)).collect()
    }

    /// What a package that keeps its version needs in addition, because its dependents ask it for more
    /// features than before.
    pub(crate) fn newly_needed(&self, id: SlotId, package: &Package) -> Vec<Needed> {
        let asked = self.asked.borrow();
        let (Some(features), Some(release)) = (asked.get(&id), self.locked_release(package)) else {
            return Vec::new();
        };

        let turned_on = self.request.ecosystem.turned_on(release, features);
        let is_locked = |requirement: &Requirement| {
            package.edges.iter().any(|edge| {
                let needed = self.request.lockfile.package(edge.to);
                needed.is_some_and(|needed| meets(requirement, needed))
            })
        };
        release
            .requirements
            .iter()
            .filter(|one| one.optional && one.kind != DependencyKind::Development)
            .filter(|one| turned_on.contains_key(&one.name) && !is_locked(one))
            .map(|one| needed(one, &turned_on, None))
            .collect()
    }

    /// The registry's metadata of a locked package, as far as it is known.
    pub(crate) fn locked_release(&self, package: &Package) -> Option<&'a Release> {
        let known = self.request.releases;
        let releases = known
            .releases(self.request.ecosystem, &package.name)?
            .ok()?;
        releases.iter().find(|one| one.version == package.version)
    }

    fn release_needs(
        &self,
        id: SlotId,
        copy: Option<PackageIndex>,
        release: &Release,
    ) -> Vec<Needed> {
        let package = copy.and_then(|copy| self.request.lockfile.package(copy));
        let now = |requirement: &Requirement| self.satisfied_now(package, requirement);

        // What applies only under a condition is needed where it was needed before.
        let features = self.features_asked(id);
        let turned_on = self.request.ecosystem.turned_on(release, &features);
        let is_needed = |requirement: &Requirement| {
            !self.is_conditional(requirement) || turned_on.contains_key(&requirement.name)
        };

        // Once the features are certain, so is what they turn on.
        let is_certain =
            self.asked.borrow().contains_key(&id) && !self.uncertain.borrow().contains(&id);
        release
            .requirements
            .iter()
            .filter(|requirement| requirement.kind != DependencyKind::Development)
            .filter(|requirement| !release.bundled.contains(&requirement.name))
            .filter(|one| !one.only_bounds || self.is_there(one.package_name()))
            .flat_map(|requirement| {
                let copies = now(requirement).into_iter();
                copies.map(move |copy| (requirement, copy))
            })
            .filter(|(requirement, now)| (now.is_some() && !is_certain) || is_needed(requirement))
            .map(|(requirement, now)| needed(requirement, &turned_on, now))
            .collect()
    }

    /// The copies that satisfy a requirement of a package now; `None` if there is none. There are several
    /// if environments need different versions: each of those that the requirement admits.
    fn satisfied_now(
        &self,
        package: Option<&Package>,
        requirement: &Requirement,
    ) -> Vec<Option<PackageIndex>> {
        let mut copies: Vec<PackageIndex> = Vec::new();
        for edge in package.into_iter().flat_map(|package| &package.edges) {
            let needed = self.request.lockfile.package(edge.to);
            let is_met = needed.is_some_and(|needed| meets(requirement, needed));
            if is_met && !copies.contains(&edge.to) {
                copies.push(edge.to);
            }
        }
        let first = copies.first().copied();
        if copies.len() < 2 || self.request.ecosystem.copies() != Copies::One {
            return vec![first];
        }

        copies.retain(|copy| {
            let needed = self.request.lockfile.package(*copy);
            needed.is_some_and(|needed| {
                let text = &requirement.requirement;
                self.versions.admits(text, &needed.version) != Some(false)
            })
        });
        match copies.is_empty() {
            true => vec![first],
            false => copies.into_iter().map(Some).collect(),
        }
    }

    /// The features of a package that are asked for: those of the last solution, else the likely ones.
    fn features_asked(&self, id: SlotId) -> BTreeSet<String> {
        let asked = self.asked.borrow().get(&id).cloned();
        asked.unwrap_or_else(|| self.likely_features(id))
    }

    /// The features that a package is likely asked for: the default ones, those that projects ask for, and
    /// those of the dependents of its copies, as far as their metadata is known.
    pub(crate) fn likely_features(&self, id: SlotId) -> BTreeSet<String> {
        let slot = self.slot(id);
        let mut features = BTreeSet::from(["default".to_owned()]);
        let of_projects = self.request.asked.get(&slot.name);
        features.extend(of_projects.into_iter().flatten().cloned());

        for copy in &slot.copies {
            let dependents = self.dependents.get(copy.0 as usize);
            for dependent in dependents.into_iter().flatten() {
                let Parent::Package(parent) = dependent.parent else {
                    continue;
                };
                if let Some(parent) = self.request.lockfile.package(parent) {
                    let stated = self.stated_requirements(parent, *copy);
                    features.extend(stated.iter().flat_map(|one| one.features.iter().cloned()));
                }
            }
        }

        features
    }

    /// Whether a package is there to be bounded: in the lockfile, or in the last solution. A package that
    /// is in neither is recorded, because it may come in.
    fn is_there(&self, name: &str) -> bool {
        let key = self.key(name);
        if self.is_locked(name) || self.used.borrow().contains(&key) {
            return true;
        }

        self.unbounded.borrow_mut().insert(key);
        false
    }

    fn is_conditional(&self, requirement: &Requirement) -> bool {
        let ecosystem = self.request.ecosystem;
        let is_optional = requirement.optional || requirement.kind == DependencyKind::Optional;

        (is_optional && !ecosystem.installs_optional())
            || (!requirement.condition.is_empty()
                && !requirement.applies
                && !ecosystem.locks_every_platform())
    }
}

/// One dependency of a package.
#[derive(Debug, Clone)]
pub(crate) struct Needed {
    /// Name of the package in its registry.
    pub(crate) package: String,
    /// The name that the dependent uses.
    pub(crate) name: String,
    pub(crate) requirement: Option<String>,
    /// The features that are asked of it.
    pub(crate) features: Vec<String>,
    pub(crate) kind: DependencyKind,
    /// The copy that satisfies it now.
    pub(crate) now: Option<PackageIndex>,
}

impl Needed {
    /// What decides which choices satisfy it, besides the package.
    pub(crate) fn key(&self) -> String {
        let features = self.features.join(",");
        match self.requirement.as_deref() {
            // An empty requirement admits every version, and none at all says nothing.
            Some(requirement) => format!("{requirement} [{features}]"),
            None => format!("[{features}]"),
        }
    }
}

/// A requirement of a release, with the features that its own features ask for.
fn needed(
    requirement: &Requirement,
    turned_on: &BTreeMap<String, BTreeSet<String>>,
    now: Option<PackageIndex>,
) -> Needed {
    let more = turned_on.get(&requirement.name).into_iter().flatten();
    let features: BTreeSet<&String> = requirement.features.iter().chain(more).collect();

    Needed {
        package: requirement.package_name().to_owned(),
        name: requirement.name.clone(),
        requirement: Some(requirement.requirement.clone()),
        features: features.into_iter().cloned().collect(),
        kind: requirement.kind,
        now,
    }
}

fn meets(requirement: &Requirement, needed: &Package) -> bool {
    needed.alias.as_deref() == Some(requirement.name.as_str())
        || requirement.package_name() == needed.name
}

/// A release's requirements on a package, without development ones: no dependent of the release
/// installs those.
pub(crate) fn requirements_on<'r>(
    release: &'r Release,
    needed: &'r Package,
) -> impl Iterator<Item = &'r Requirement> {
    release
        .requirements
        .iter()
        .filter(|requirement| requirement.kind != DependencyKind::Development)
        .filter(|requirement| meets(requirement, needed))
}
