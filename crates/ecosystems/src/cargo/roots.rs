//! Roots and scopes: the repository's own packages, their declared dependencies, and the strongest
//! reason for which every other package is installed.

use std::collections::{BTreeMap, BTreeSet};

use patchgate_model::{DependencyKind, Edge, Lockfile, Origin, Package, PackageIndex, Root, Scope};

use super::manifest::{self, Project, Workspace};
use super::requirement;

/// Maximum number of versions of one package, among a project's dependencies, against which a
/// requirement is checked. Cargo allows one per incompatible version; real projects have a few.
const MAX_COPIES: usize = 64;

/// Sets [`Lockfile::roots`], the edges of path packages, and every scope.
///
/// A root is a package with a path source. If its manifest is known, its edges get requirements,
/// names and kinds from there; otherwise they count as runtime dependencies. Edges of all other
/// packages stay [`DependencyKind::Runtime`], because the lockfile does not state their kind.
pub(super) fn attach(lockfile: &mut Lockfile, workspace: Option<&Workspace>) {
    let projects = projects(lockfile, workspace);
    let own: Vec<usize> = own_packages(lockfile).collect();

    let mut roots = Vec::with_capacity(own.len());
    for &index in &own {
        let project = projects.get(&index).copied();
        if let Some(project) = project {
            let edges = stated_edges(lockfile, index, project);
            lockfile.packages[index].edges = edges;
        }

        let package = &lockfile.packages[index];
        roots.push(Root {
            name: package.name.clone(),
            manifest: project.map(|project| project.manifest.clone()),
            edges: package.edges.clone(),
        });
    }

    // The project in the lockfile's directory comes first, like the resolve root of
    // `cargo metadata`.
    let first = workspace
        .and_then(|workspace| workspace.projects.first())
        .map(|project| project.manifest.clone());
    roots.sort_by_key(|root| first.is_none() || root.manifest != first);

    lockfile.roots = roots;
    set_scopes(lockfile, &own);
}

/// The packages with a path source.
fn own_packages(lockfile: &Lockfile) -> impl Iterator<Item = usize> {
    let packages = lockfile.packages.iter().enumerate();
    packages
        .filter(|(_, package)| matches!(package.origin, Origin::Path(_)))
        .map(|(index, _)| index)
}

/// The projects of path packages, by the index of the package.
pub(super) fn projects<'w>(
    lockfile: &Lockfile,
    workspace: Option<&'w Workspace>,
) -> BTreeMap<usize, &'w Project> {
    let projects = workspace.map(manifest::by_name).unwrap_or_default();
    let mut versions: BTreeMap<String, u32> = BTreeMap::new();
    for index in own_packages(lockfile) {
        *versions
            .entry(lockfile.packages[index].name.clone())
            .or_default() += 1;
    }

    own_packages(lockfile)
        .filter_map(|index| {
            let project = project_of(&lockfile.packages[index], &versions, &projects)?;
            Some((index, project))
        })
        .collect()
}

/// The project of a path package: the one with its name and version. Without such a project it is
/// the only one with its name, if the lockfile has only one package with that name as well; then
/// either the manifest or the lockfile is stale.
fn project_of<'w>(
    package: &Package,
    versions: &BTreeMap<String, u32>,
    projects: &BTreeMap<&str, Vec<&'w Project>>,
) -> Option<&'w Project> {
    let candidates = projects.get(package.name.as_str())?;
    let of_version = candidates
        .iter()
        .find(|project| project.version.as_deref() == Some(package.version.as_str()));
    let alone = || match candidates.as_slice() {
        [only] if versions.get(&package.name) == Some(&1) => Some(only),
        _ => None,
    };

    of_version.or_else(alone).copied()
}

/// The lockfile's edges of a project, with the requirement, name and kind that its manifest
/// declares.
///
/// An edge that the manifest does not declare is kept as a runtime dependency, so a stale manifest
/// hides nothing. A declaration without an edge in the lockfile is ignored.
fn stated_edges(lockfile: &Lockfile, index: usize, project: &Project) -> Vec<Edge> {
    let locked = &lockfile.packages[index].edges;
    let mut by_name: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, edge) in locked.iter().enumerate() {
        by_name.entry(edge.name.as_str()).or_default().push(index);
    }

    let mut is_declared = vec![false; locked.len()];
    let mut edges: Vec<Edge> = Vec::with_capacity(locked.len());
    let mut seen = BTreeSet::new();

    for declared in &project.dependencies {
        let Some(candidates) = by_name.get(declared.package.as_str()) else {
            continue;
        };
        let matching = match candidates.as_slice() {
            [only] => Some(*only),
            several => several
                .iter()
                .take(MAX_COPIES)
                .copied()
                .find(|index| fits(lockfile, &locked[*index], declared.requirement.as_deref())),
        };
        let Some(index) = matching else { continue };

        is_declared[index] = true;
        // A manifest may declare the same dependency for several targets.
        if seen.insert((index, &declared.name, &declared.requirement, declared.kind)) {
            edges.push(Edge {
                to: locked[index].to,
                name: declared.name.as_str().into(),
                requirement: declared.requirement.clone().map(Into::into),
                kind: declared.kind,
            });
        }
    }

    edges.extend(
        locked
            .iter()
            .zip(is_declared)
            .filter(|(_, is_declared)| !is_declared)
            .map(|(edge, _)| edge.clone()),
    );

    edges
}

/// Whether an edge leads to a package that the requirement admits.
fn fits(lockfile: &Lockfile, edge: &Edge, requirement: Option<&str>) -> bool {
    let Some(package) = lockfile.package(edge.to) else {
        return false;
    };

    match requirement {
        Some(requirement) => requirement::admits(requirement, &package.version).unwrap_or_default(),
        // A dependency without a requirement has a path or Git source, so of several packages with
        // its name it is the one that is not from a registry.
        None => !matches!(package.origin, Origin::Registry(_)),
    }
}

/// The scope of the packages behind a root's edge.
///
/// An optional dependency counts as a runtime dependency: a feature enables it, and the lockfile
/// does not record which features are enabled.
fn scope_of(kind: DependencyKind) -> Scope {
    match kind {
        DependencyKind::Runtime | DependencyKind::Optional | DependencyKind::Peer => Scope::Runtime,
        DependencyKind::Build => Scope::Build,
        DependencyKind::Development | DependencyKind::Test => Scope::Development,
    }
}

/// Gives each package the strongest scope of all paths from a root to it. Roots, and packages that
/// no root reaches, get the runtime scope.
fn set_scopes(lockfile: &mut Lockfile, own: &[usize]) {
    let mut reached = vec![None; lockfile.packages.len()];
    for &index in own {
        reached[index] = Some(Scope::Runtime);
    }

    // Strongest scope first: a package that has been reached keeps its scope.
    for scope in [Scope::Runtime, Scope::Build, Scope::Development] {
        let mut stack: Vec<PackageIndex> = lockfile
            .roots
            .iter()
            .flat_map(|root| &root.edges)
            .filter(|edge| scope_of(edge.kind) == scope)
            .map(|edge| edge.to)
            .collect();

        while let Some(package) = stack.pop() {
            let index = package.0 as usize;
            if reached[index].is_some() {
                continue;
            }
            reached[index] = Some(scope);
            stack.extend(lockfile.packages[index].edges.iter().map(|edge| edge.to));
        }
    }

    for (package, scope) in lockfile.packages.iter_mut().zip(reached) {
        package.scope = scope.unwrap_or(Scope::Runtime);
    }
}
