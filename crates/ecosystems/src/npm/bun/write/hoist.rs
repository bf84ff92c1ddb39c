//! The directories in which bun places packages, computed from the graph.
//!
//! bun computes the directories again at every run, and rewrites a lockfile with other ones. The rules are
//! those of `processSubtree` and `hoistDependency` in bun's `src/install/lockfile/Tree.zig`: projects
//! and packages are visited breadth first, and each dependency goes as far up as no other package of
//! its name is in the way. A package stays below where it would get other packages as its peers, which
//! bun 1.4 was seen to do.

use std::collections::{BTreeMap, VecDeque};

use crate::npm::requirement;

/// Index of the root project in [`Graph::packages`].
pub(super) const ROOT: usize = 0;

/// Most directories that are computed. A hostile graph could have more by far than packages.
const MAX_PLACES: usize = 200_000;

/// The packages of a lockfile, each once whatever the number of its copies.
#[derive(Debug, Clone, Default)]
pub(super) struct Graph {
    pub(super) packages: Vec<Package>,
}

/// A package, or a project.
#[derive(Debug, Clone, Default)]
pub(super) struct Package {
    /// What it is, as the lockfile has it: `name@version`. Empty for the root project.
    pub(super) spec: String,
    /// The version of a package of a registry.
    pub(super) version: Option<String>,
    /// Whether it is a directory that is no project of the workspace. It is never hoisted.
    pub(super) is_folder: bool,
    pub(super) needs: Vec<Need>,
}

/// One dependency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Need {
    pub(super) name: String,
    pub(super) requirement: String,
    pub(super) kind: Kind,
    /// Whether a peer need not be there.
    pub(super) is_optional_peer: bool,
    /// Whether it is in the dependent's own archive.
    pub(super) is_bundled: bool,
    /// Index of the package that satisfies it.
    pub(super) to: Option<usize>,
}

/// Kinds of dependencies, in the order in which bun visits them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Workspace,
    Development,
    Optional,
    Runtime,
    Peer,
}

/// A place: the names of the directories above, joined, the name of its own, and the package there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    depth: usize,
    above: String,
    name: String,
    pub(super) package: usize,
    pub(super) is_bundled: bool,
}

impl Place {
    /// The key of the place in the lockfile.
    pub(super) fn key(&self) -> String {
        match self.above.as_str() {
            "" => self.name.clone(),
            above => format!("{above}/{}", self.name),
        }
    }
}

/// A `node_modules` directory.
struct Directory {
    parent: Option<usize>,
    depth: usize,
    path: String,
    /// By name: the package there, and the dependency for which it was placed first.
    content: BTreeMap<String, Occupant>,
}

#[derive(Clone, Copy)]
struct Occupant {
    package: usize,
    is_of_root: bool,
    kind: Kind,
    is_bundled: bool,
}

/// A package whose dependencies have to be placed.
struct Open {
    directory: usize,
    name: String,
    package: usize,
    /// The directory above which its dependencies may not go.
    limit: Option<usize>,
}

enum Found {
    /// The package is reachable already.
    Reachable,
    /// Another package has the name, so it stays below.
    Blocked,
    /// It goes into this directory.
    At(usize),
}

/// The places of all packages, in the lockfile's order.
///
/// # Errors
/// If bun refuses the graph, or it is too large.
pub(super) fn places(graph: &Graph) -> Result<Vec<Place>, String> {
    let mut tree: Vec<Directory> = Vec::new();
    let mut open = VecDeque::from([None]);
    while let Some(next) = open.pop_front() {
        place_needs(graph, &mut tree, next, &mut open)?;
    }

    let mut places: Vec<Place> = Vec::new();
    for directory in tree {
        for (name, occupant) in directory.content {
            places.push(Place {
                depth: directory.depth,
                above: directory.path.clone(),
                name,
                package: occupant.package,
                is_bundled: occupant.is_bundled,
            });
        }
    }
    places.sort();
    Ok(places)
}

/// Places the dependencies of one package.
fn place_needs(
    graph: &Graph,
    tree: &mut Vec<Directory>,
    of: Option<Open>,
    open: &mut VecDeque<Option<Open>>,
) -> Result<(), String> {
    let package = of.as_ref().map_or(ROOT, |of| of.package);
    let Some(dependent) = graph.packages.get(package) else {
        return Ok(());
    };
    if dependent.needs.is_empty() {
        return Ok(());
    }
    if tree.len() > MAX_PLACES {
        return Err("it has too many directories".to_owned());
    }

    let own = tree.len();
    let limit = of.as_ref().and_then(|of| of.limit);
    tree.push(directory(tree, of.as_ref()));
    let mut needs: Vec<&Need> = dependent.needs.iter().collect();
    needs.sort_by(|a, b| (a.kind, &a.name).cmp(&(b.kind, &b.name)));
    for need in needs {
        let Some(to) = need.to else {
            continue;
        };
        let is_folder = graph.packages.get(to).is_some_and(|to| to.is_folder);
        let found = match need.is_bundled || is_folder {
            true => Found::At(own),
            false => search(graph, tree, own, limit, need, to)?,
        };
        let Found::At(at) = found else {
            continue;
        };
        let occupant = Occupant {
            package: to,
            is_of_root: package == ROOT,
            kind: need.kind,
            is_bundled: need.is_bundled,
        };
        if let Some(directory) = tree.get_mut(at) {
            directory.content.insert(need.name.clone(), occupant);
        }
        open.push_back(Some(Open {
            directory: at,
            name: need.name.clone(),
            package: to,
            limit: if need.is_bundled { Some(at) } else { limit },
        }));
    }

    Ok(())
}

/// The directory of a package's own dependencies.
fn directory(tree: &[Directory], of: Option<&Open>) -> Directory {
    let parent = of.and_then(|of| Some((of, tree.get(of.directory)?)));
    let path = match parent {
        None => String::new(),
        Some((of, above)) if above.path.is_empty() => of.name.clone(),
        Some((of, above)) => format!("{}/{}", above.path, of.name),
    };
    Directory {
        parent: of.map(|of| of.directory),
        depth: parent.map_or(0, |(_, above)| above.depth + 1),
        path,
        content: BTreeMap::new(),
    }
}

/// Where a dependency goes, from the directory of its dependent up.
fn search(
    graph: &Graph,
    tree: &[Directory],
    own: usize,
    limit: Option<usize>,
    need: &Need,
    to: usize,
) -> Result<Found, String> {
    let mut top = own;
    let mut at = Some(own);
    while let Some((current, directory)) = at.and_then(|at| Some((at, tree.get(at)?))) {
        let is_own = current == own;
        // A peer is taken wherever it is; other packages go only where their own peers are the same.
        let is_usable = is_own || need.kind == Kind::Peer || has_peers(graph, tree, current, to);
        if let Some(occupant) = directory.content.get(&need.name) {
            return match meets(graph, occupant, need, to, is_own) {
                true if is_usable => Ok(Found::Reachable),
                // It stays with its dependent, however far up the other package is.
                _ if !is_own => Ok(Found::At(own)),
                _ if occupant.kind == Kind::Peer => Ok(Found::Blocked),
                _ => Err(format!("one package would need `{}` twice", need.name)),
            };
        }
        if is_usable {
            top = current;
        }
        at = directory.parent.filter(|_| limit != Some(current));
    }

    Ok(Found::At(top))
}

/// Whether a package in a directory would not get another package as one of its peers.
fn has_peers(graph: &Graph, tree: &[Directory], directory: usize, package: usize) -> bool {
    let needs = graph
        .packages
        .get(package)
        .map(|package| package.needs.as_slice());
    let peers = needs.unwrap_or_default().iter();
    let mut peers =
        peers.filter(|need| need.kind == Kind::Peer && !need.is_optional_peer && need.to.is_some());
    peers.all(|peer| {
        let mut at = tree.get(directory);
        while let Some(above) = at {
            if let Some(occupant) = above.content.get(&peer.name) {
                return Some(occupant.package) == peer.to;
            }
            at = above.parent.and_then(|parent| tree.get(parent));
        }
        true
    })
}

/// Whether a package that has the name of a dependency is taken for it.
fn meets(graph: &Graph, occupant: &Occupant, need: &Need, to: usize, is_own: bool) -> bool {
    if occupant.package == to {
        return true;
    }
    let is_development = |kind| kind == Kind::Development;
    if is_own && is_development(occupant.kind) != is_development(need.kind) {
        return true;
    }
    if need.kind != Kind::Peer {
        return false;
    }

    let version = graph
        .packages
        .get(occupant.package)
        .and_then(|package| package.version.as_deref());
    let is_admitted =
        version.is_some_and(|version| requirement::admits(&need.requirement, version) == Ok(true));
    is_admitted || occupant.is_of_root
}
