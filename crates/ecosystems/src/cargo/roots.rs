//! Which packages are the repository's own, what they ask for, and why each other package is there.

use std::collections::{BTreeMap, BTreeSet};

use patchgate_model::{DependencyKind, Edge, Lockfile, Origin, Package, PackageIndex, Root, Scope};

use super::manifest::{self, Project, Workspace};
use super::requirement;

/// Most copies of one package among a project's dependencies that requirements are tried on. Cargo
/// allows one for each breaking version; no real project has more than a few.
const MAX_COPIES: usize = 64;

/// Fills in [`Lockfile::roots`], the edges of packages from folders, and every scope.
///
/// A root is a package from a folder. With its manifest, its edges carry requirements, names and
/// kinds; without, they are the lockfile's and count as needed at run time. Edges of other packages
/// stay [`DependencyKind::Runtime`]: the lockfile does not say what they are for.
pub(super) fn attach(lockfile: &mut Lockfile, workspace: Option<&Workspace>) {
    let projects = workspace.map(manifest::by_name).unwrap_or_default();
    let own: Vec<usize> = (0..lockfile.packages.len())
        .filter(|index| matches!(lockfile.packages[*index].origin, Origin::Path(_)))
        .collect();

    let mut copies: BTreeMap<String, u32> = BTreeMap::new();
    for &index in &own {
        *copies
            .entry(lockfile.packages[index].name.clone())
            .or_default() += 1;
    }

    let mut roots = Vec::with_capacity(own.len());
    for &index in &own {
        let project = project_of(&lockfile.packages[index], &copies, &projects);
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
    // The project beside the lockfile comes first, as in `cargo metadata`'s resolve root.
    let beside = workspace
        .and_then(|workspace| workspace.projects.first())
        .map(|project| project.manifest.clone());

    roots.sort_by_key(|root| beside.is_none() || root.manifest != beside);
    lockfile.roots = roots;
    set_scopes(lockfile, &own);
}

/// The manifest of a package: the one of its name and version, or the only one of its name where
/// the lockfile, too, holds only one (then one of the two is stale).
fn project_of<'w>(
    package: &Package,
    copies: &BTreeMap<String, u32>,
    projects: &BTreeMap<&str, Vec<&'w Project>>,
) -> Option<&'w Project> {
    let candidates = projects.get(package.name.as_str())?;
    let of_version = candidates
        .iter()
        .find(|project| project.version.as_deref() == Some(package.version.as_str()));
    let alone = || match candidates.as_slice() {
        [only] if copies.get(&package.name) == Some(&1) => Some(only),
        _ => None,
    };

    of_version.or_else(alone).copied()
}

/// The lockfile's edges of a project, told apart by what its manifest states.
///
/// An edge that the manifest does not explain stays, as needed at run time: a stale manifest hides
/// nothing. A statement that the lockfile does not hold leaves no trace.
fn stated_edges(lockfile: &Lockfile, index: usize, project: &Project) -> Vec<Edge> {
    let locked = &lockfile.packages[index].edges;
    let mut by_name: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (place, edge) in locked.iter().enumerate() {
        by_name.entry(edge.name.as_str()).or_default().push(place);
    }

    let mut explained = vec![false; locked.len()];
    let mut edges: Vec<Edge> = Vec::with_capacity(locked.len());

    let mut stated = BTreeSet::new();
    for declared in &project.dependencies {
        let Some(places) = by_name.get(declared.package.as_str()) else {
            continue;
        };
        let place = match places.as_slice() {
            [only] => Some(*only),
            several => several
                .iter()
                .take(MAX_COPIES)
                .copied()
                .find(|place| fits(lockfile, &locked[*place], declared.requirement.as_deref())),
        };
        let Some(place) = place else { continue };

        explained[place] = true;
        // The same may be stated for several targets.
        if stated.insert((place, &declared.name, &declared.requirement, declared.kind)) {
            edges.push(Edge {
                to: locked[place].to,
                name: declared.name.as_str().into(),
                requirement: declared.requirement.clone().map(Into::into),
                kind: declared.kind,
            });
        }
    }

    edges.extend(
        locked
            .iter()
            .zip(explained)
            .filter(|(_, explained)| !explained)
            .map(|(edge, _)| edge.clone()),
    );

    edges
}

fn fits(lockfile: &Lockfile, edge: &Edge, requirement: Option<&str>) -> bool {
    let Some(package) = lockfile.package(edge.to) else {
        return false;
    };

    match requirement {
        Some(requirement) => requirement::admits(requirement, &package.version).unwrap_or_default(),
        // Several packages of one name and no requirement: it is the one that is not of a
        // registry.
        None => !matches!(package.origin, Origin::Registry(_)),
    }
}

/// The scope that an edge of a root gives.
///
/// An optional dependency counts as needed at run time: it is behind a feature, and the lockfile
/// does not say which features are on.
fn scope_of(kind: DependencyKind) -> Scope {
    match kind {
        DependencyKind::Runtime | DependencyKind::Optional | DependencyKind::Peer => Scope::Runtime,
        DependencyKind::Build => Scope::Build,
        DependencyKind::Development | DependencyKind::Test => Scope::Development,
    }
}

/// Gives each package the strongest scope by which a root reaches it. Roots themselves, and
/// packages that none reaches, count as needed at run time.
fn set_scopes(lockfile: &mut Lockfile, own: &[usize]) {
    let mut reached = vec![None; lockfile.packages.len()];
    for &index in own {
        reached[index] = Some(Scope::Runtime);
    }
    for scope in [Scope::Runtime, Scope::Build, Scope::Development] {
        let mut stack: Vec<PackageIndex> = lockfile
            .roots
            .iter()
            .flat_map(|root| &root.edges)
            .filter(|edge| scope_of(edge.kind) == scope)
            .map(|edge| edge.to)
            .collect();

        while let Some(at) = stack.pop() {
            let at = at.0 as usize;
            if reached[at].is_some() {
                continue;
            }
            reached[at] = Some(scope);
            stack.extend(lockfile.packages[at].edges.iter().map(|edge| edge.to));
        }
    }

    for (package, scope) in lockfile.packages.iter_mut().zip(reached) {
        package.scope = scope.unwrap_or(Scope::Runtime);
    }
}
