//! A lockfile in the making: packages by name, the edges between them, and what brings each.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use patchgate_model::{DependencyKind, Edge, Lockfile, Package, PackageIndex, Root, Scope};

use super::name::normalize;
use super::specifier::admits;
use crate::{Input, ParseError, limits};

/// Most groups whose reach is followed through the graph. Of a file with more, packages have the
/// groups that name them themselves.
const MAX_GROUPS: usize = 1024;

/// Packages that are found by their names.
pub(super) struct Graph {
    pub(super) lockfile: Lockfile,
    by_name: HashMap<String, Vec<PackageIndex>>,
    /// Packages that are roots themselves: their extras and groups start at the root, and do not
    /// come with the package.
    own: BTreeSet<PackageIndex>,
    edges: usize,
}

/// One requirement of a package or of a project.
#[derive(Debug, Clone)]
pub(super) struct Ask<'a> {
    /// The project, as written.
    pub(super) name: &'a str,
    /// The versions that will do, where known.
    pub(super) requirement: Option<&'a str>,
    /// The one version that is meant, where the file says so.
    pub(super) version: Option<&'a str>,
    /// What it is for.
    pub(super) kind: DependencyKind,
}

/// One dependency of a root with the group that it is in.
#[derive(Debug, Clone)]
pub(super) struct Start {
    pub(super) to: PackageIndex,
    pub(super) scope: Scope,
    pub(super) group: Option<String>,
}

impl Graph {
    pub(super) fn new(input: &Input<'_>, format: &'static str) -> Self {
        Self {
            lockfile: Lockfile {
                path: input.path.to_owned(),
                ecosystem: super::NAME,
                format,
                ..Lockfile::default()
            },
            by_name: HashMap::new(),
            own: BTreeSet::new(),
            edges: 0,
        }
    }

    /// Adds a package.
    ///
    /// # Errors
    /// When there are too many.
    pub(super) fn push(&mut self, package: Package) -> Result<PackageIndex, ParseError> {
        if self.lockfile.packages.len() >= limits::MAX_PACKAGES {
            return Err(ParseError::new(format!(
                "holds more than {} packages",
                limits::MAX_PACKAGES
            ))
            .at_line(package.line as usize));
        }

        let place = PackageIndex(u32::try_from(self.lockfile.packages.len()).unwrap_or(u32::MAX));
        let name = normalize(&package.name).into_owned();
        self.by_name.entry(name).or_default().push(place);
        self.lockfile.packages.push(package);

        Ok(place)
    }

    /// Every copy of a project.
    pub(super) fn copies(&self, name: &str) -> &[PackageIndex] {
        self.by_name
            .get(normalize(name).as_ref())
            .map_or(&[], Vec::as_slice)
    }

    pub(super) fn package_mut(&mut self, place: PackageIndex) -> Option<&mut Package> {
        self.lockfile.packages.get_mut(place.0 as usize)
    }

    /// The copies that a requirement may mean: the ones of the version or within the requirement,
    /// and all where that leaves none.
    pub(super) fn meant(&self, ask: &Ask<'_>) -> Vec<PackageIndex> {
        let copies = self.copies(ask.name);
        if copies.len() < 2 {
            return copies.to_vec();
        }
        let narrowed: Vec<_> = copies
            .iter()
            .copied()
            .filter(|place| {
                let Some(package) = self.lockfile.package(*place) else {
                    return false;
                };
                match (ask.version, ask.requirement) {
                    (Some(version), _) => package.version == version,
                    (None, Some(wanted)) => admits(wanted, &package.version).unwrap_or(true),
                    (None, None) => true,
                }
            })
            .collect();

        match narrowed.is_empty() {
            true => copies.to_vec(),
            false => narrowed,
        }
    }

    /// The edges for a requirement.
    ///
    /// # Errors
    /// When the file has too many.
    pub(super) fn edges_to(&mut self, ask: &Ask<'_>) -> Result<Vec<Edge>, ParseError> {
        // Copies that are looked at count, meant or not: it is looking that takes time.
        self.edges += self.copies(ask.name).len();
        if self.edges > limits::MAX_EDGES {
            return Err(ParseError::new(format!(
                "holds more than {} dependencies",
                limits::MAX_EDGES
            )));
        }

        Ok(self
            .meant(ask)
            .into_iter()
            .map(|to| Edge {
                to,
                name: ask.name.into(),
                requirement: ask
                    .requirement
                    .map(|text| super::address::without_credentials(text).into_owned())
                    .map(Into::into),
                kind: ask.kind,
            })
            .collect())
    }

    /// Adds edges to a package; one that it has already is not added again.
    pub(super) fn connect(&mut self, from: PackageIndex, edges: Vec<Edge>) {
        if let Some(package) = self.package_mut(from) {
            package.edges.extend(edges);
        }
    }

    pub(super) fn add_root(&mut self, root: Root) {
        self.lockfile.roots.push(root);
    }

    /// Adds the root that a package of the file is.
    pub(super) fn add_own_root(&mut self, place: PackageIndex, root: Root) {
        self.own.insert(place);
        self.lockfile.roots.push(root);
    }

    /// What comes with a package.
    fn next(&self, place: PackageIndex) -> impl Iterator<Item = PackageIndex> {
        let is_own = self.own.contains(&place);
        self.lockfile
            .package(place)
            .into_iter()
            .flat_map(|package| &package.edges)
            .filter(move |edge| !is_own || edge.kind == DependencyKind::Runtime)
            .map(|edge| edge.to)
    }

    /// Gives every package that the starts lead to its strongest scope. The others keep theirs.
    pub(super) fn spread_scopes(&mut self, starts: &[Start]) {
        let mut reached: Vec<Option<Scope>> = vec![None; self.lockfile.packages.len()];
        let mut by_scope: BTreeMap<Scope, Vec<PackageIndex>> = BTreeMap::new();
        for start in starts {
            by_scope.entry(start.scope).or_default().push(start.to);
        }
        for (scope, mut next) in by_scope {
            while let Some(place) = next.pop() {
                let Some(seen @ None) = reached.get_mut(place.0 as usize) else {
                    continue;
                };
                *seen = Some(scope);
                next.extend(self.next(place));
            }
        }

        for (package, scope) in self.lockfile.packages.iter_mut().zip(reached) {
            package.scope = scope.unwrap_or(package.scope);
        }
    }

    /// Gives every package the groups of the starts that lead to it.
    pub(super) fn spread_groups(&mut self, starts: &[Start]) {
        let mut by_group: BTreeMap<&str, Vec<PackageIndex>> = BTreeMap::new();
        for start in starts {
            if let Some(group) = &start.group {
                by_group.entry(group).or_default().push(start.to);
            }
        }

        let follow = by_group.len() <= MAX_GROUPS;
        let groups: Vec<(&str, Vec<PackageIndex>)> = by_group.into_iter().collect();
        let count = self.lockfile.packages.len();
        // Sixty-four groups at a time, a bit each.
        for chunk in groups.chunks(64) {
            let mut bits = vec![0u64; count];
            let mut queue: VecDeque<PackageIndex> = VecDeque::new();
            for (bit, (_, starts)) in chunk.iter().enumerate() {
                for start in starts {
                    if let Some(bits) = bits.get_mut(start.0 as usize) {
                        *bits |= 1 << bit;
                        queue.push_back(*start);
                    }
                }
            }

            while let Some(place) = queue.pop_front().filter(|_| follow) {
                let own = bits.get(place.0 as usize).copied().unwrap_or_default();
                for to in self.next(place) {
                    if let Some(bits) = bits.get_mut(to.0 as usize)
                        && *bits | own != *bits
                    {
                        *bits |= own;
                        queue.push_back(to);
                    }
                }
            }

            for (package, bits) in self.lockfile.packages.iter_mut().zip(bits) {
                for (bit, (group, _)) in chunk.iter().enumerate() {
                    if bits & (1 << bit) != 0 {
                        package.groups.push((*group).to_owned());
                    }
                }
            }
        }

        for package in &mut self.lockfile.packages {
            package.groups.sort();
            package.groups.dedup();
        }
    }
}
