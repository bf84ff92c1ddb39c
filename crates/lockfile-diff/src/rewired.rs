//! Dependents that stay and resolve to something else than before.
//!
//! The sets of versions do not show such a change when both versions were in the tree before.
//! Lower versions are not listed here, but by [`crate::downgrades`].

use std::cmp::Ordering;
use std::collections::BTreeMap;

use patchgate_ecosystems::Upgradable;
use patchgate_model::{DependencyKind, Edge, Lockfile, Package};

use crate::source::Source;
use crate::version_change::{VersionChange, bump};

/// The changes of edges whose dependent is on both sides in the same version.
#[derive(Default)]
pub(crate) struct Rewired {
    /// Edges that lead to a higher version.
    pub(crate) raised: Vec<VersionChange>,
    /// Edges that lead to another package or to another kind of source.
    pub(crate) exchanged: Vec<String>,
    /// Edges that lead to nothing any more.
    pub(crate) unmet: Vec<String>,
}

/// Compares the edges of every package that is on both sides in the same version. In npm's trees
/// this is the copy at the same path, or else all copies of that version.
pub(crate) fn rewired(ecosystem: &dyn Upgradable, base: &Lockfile, head: &Lockfile) -> Rewired {
    let mut by_path: BTreeMap<(Dependent<'_>, Option<&str>), Targets<'_>> = BTreeMap::new();
    let mut by_version: BTreeMap<Dependent<'_>, Targets<'_>> = BTreeMap::new();
    for (dependent, path, edges) in dependents(base) {
        let targets = targets(base, edges);
        merge(by_version.entry(dependent).or_default(), &targets);
        merge(by_path.entry((dependent, path)).or_default(), &targets);
    }

    let mut rewired = Rewired::default();
    for (dependent, path, edges) in dependents(head) {
        let known = by_path.get(&(dependent, path));
        let Some(before) = known.or_else(|| by_version.get(&dependent)) else {
            continue;
        };
        let now = targets(head, edges);
        for (name, had) in before {
            rewired.compare(ecosystem, dependent, name, had, now.get(name));
        }
    }

    rewired
}

/// Name and version of a package, or a project's manifest or name without a version.
type Dependent<'a> = (&'a str, Option<&'a str>);

/// The targets of one dependent, by the name that it asks for.
type Targets<'a> = BTreeMap<&'a str, Vec<(&'a Package, DependencyKind)>>;

fn dependents(lockfile: &Lockfile) -> impl Iterator<Item = (Dependent<'_>, Option<&str>, &[Edge])> {
    let projects = lockfile.roots.iter().map(|root| {
        let name = root.manifest.as_deref().unwrap_or(&root.name);
        ((name, None), None, &*root.edges)
    });
    let packages = lockfile.packages.iter().map(|package| {
        let dependent = (&*package.name, Some(&*package.version));
        (dependent, package.install_path.as_deref(), &*package.edges)
    });
    projects.chain(packages)
}

fn targets<'a>(lockfile: &'a Lockfile, edges: &'a [Edge]) -> Targets<'a> {
    let mut targets = Targets::new();
    for edge in edges {
        if let Some(package) = lockfile.package(edge.to) {
            let of_name = targets.entry(&edge.name).or_default();
            of_name.push((package, edge.kind));
        }
    }
    targets
}

fn merge<'a>(all: &mut Targets<'a>, more: &Targets<'a>) {
    for (name, targets) in more {
        all.entry(name).or_default().extend(targets);
    }
}

impl Rewired {
    fn compare(
        &mut self,
        ecosystem: &dyn Upgradable,
        (dependent, version): Dependent<'_>,
        name: &str,
        had: &[(&Package, DependencyKind)],
        now: Option<&Vec<(&Package, DependencyKind)>>,
    ) {
        let label = match version {
            Some(version) => format!("`{dependent} {version}`"),
            None if dependent.is_empty() => "the project".to_owned(),
            None => format!("`{dependent}`"),
        };

        let Some(now) = now else {
            // A peer may be absent when only other packages asked for it. A project's edges are
            // guessed where no manifest is at hand, and the package managers check them.
            let is_needed = had.iter().any(|(_, kind)| *kind != DependencyKind::Peer);
            if is_needed && version.is_some() {
                self.unmet.push(format!(
                    "`{name}` is gone, though {label} depends on it and does not change"
                ));
            }
            return;
        };

        let kinds = |targets: &[(&Package, DependencyKind)]| {
            let mut kinds: Vec<(String, &'static str)> = targets
                .iter()
                .map(|(package, _)| (package.name.clone(), Source::of(package).kind))
                .collect();
            kinds.sort_unstable();
            kinds.dedup();
            kinds
        };
        let (kinds_before, kinds_now) = (kinds(had), kinds(now));
        if let Some((package, kind)) = kinds_now.iter().find(|kind| !kinds_before.contains(kind)) {
            self.exchanged.push(format!(
                "{label} gets `{name}` from {kind} `{package}`, and did not before"
            ));
        }

        // A dependent may ask for several versions by one name (Cargo's renames).
        for (to, _) in now {
            let same = had.iter().any(|(from, _)| from.version == to.version);
            let from = had.iter().map(|(from, _)| *from).filter(|from| {
                let order = ecosystem.compare_versions(&from.version, &to.version);
                from.name == to.name && order == Ok(Ordering::Less)
            });
            let highest = from.max_by(|a, b| {
                let order = ecosystem.compare_versions(&a.version, &b.version);
                order.unwrap_or(Ordering::Equal)
            });
            if let Some(from) = highest
                && !same
            {
                self.raised.push(VersionChange {
                    package: ecosystem.normalize_name(&to.name).into_owned(),
                    from: from.version.clone(),
                    to: to.version.clone(),
                    bump: bump(ecosystem, &from.version, &to.version),
                });
            }
        }
    }
}
