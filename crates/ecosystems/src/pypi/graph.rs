//! A lockfile under construction: packages by name, edges between them, scopes and groups.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use patchgate_model::{
    DependencyKind, Edge, FormatId, Lockfile, Loss, Package, PackageIndex, Root, Scope, Unresolved,
};

use super::name::normalize;
use super::specifier::admits;
use crate::{Input, ParseError, SkippedEntries, limits};

/// Maximum number of groups that are followed through the graph. In a file with more, a package only
/// has the groups that list it directly.
const MAX_GROUPS: usize = 1024;

/// The lockfile, with the tables that are needed to add to it.
pub(super) struct Graph {
    pub(super) lockfile: Lockfile,
    by_name: HashMap<String, Vec<PackageIndex>>,
    /// Packages that are roots as well. Their extras and groups belong to the root: a dependent of
    /// the package does not install them.
    own: BTreeSet<PackageIndex>,
    edges: usize,
    pub(super) skipped: SkippedEntries,
    /// Why the first entry of those that may be packages could not be read.
    unread: Option<ParseError>,
}

/// One requirement of a package or of a project.
#[derive(Debug, Clone)]
pub(super) struct DependencyRequest<'a> {
    /// The required project, as written.
    pub(super) name: &'a str,
    /// The admitted versions; `None` if unknown.
    pub(super) requirement: Option<&'a str>,
    /// The locked version, if the file states it with the requirement.
    pub(super) version: Option<&'a str>,
    pub(super) kind: DependencyKind,
}

/// One dependency of a root, from which scope and group spread through the graph.
#[derive(Debug, Clone)]
pub(super) struct Start {
    pub(super) to: PackageIndex,
    pub(super) scope: Scope,
    pub(super) group: Option<String>,
}

impl Graph {
    pub(super) fn new(input: &Input<'_>, format: FormatId) -> Self {
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
            skipped: SkippedEntries::default(),
            unread: None,
        }
    }

    /// The lockfile, with the entries that were skipped.
    ///
    /// # Errors
    /// If no entry could be read.
    pub(super) fn finish(mut self) -> Result<Lockfile, ParseError> {
        let is_empty = self.lockfile.packages.is_empty() && self.lockfile.unresolved.is_empty();
        match self.unread.filter(|_| is_empty) {
            Some(error) => Err(error),
            None => {
                self.lockfile.skipped = self.skipped.into_entries();
                Ok(self.lockfile)
            }
        }
    }

    /// The package of an entry; `None` after the entry was skipped.
    ///
    /// # Errors
    /// If the entry may be incomplete because the file ends in it (`may_be_cut`).
    pub(super) fn recover<T>(
        &mut self,
        may_be_cut: bool,
        line: u32,
        read: Result<T, ParseError>,
    ) -> Result<Option<T>, ParseError> {
        if may_be_cut {
            return read.map(Some);
        }
        if let (None, Err(error)) = (&self.unread, &read) {
            self.unread = Some(error.clone());
        }
        Ok(self.skipped.recover(Loss::Package, line, read))
    }

    /// Skips the edges of an entry that cannot be read.
    ///
    /// # Errors
    /// The error itself, if the file has too many dependencies or may end in the entry (`may_be_cut`).
    pub(super) fn skip_edges(
        &mut self,
        may_be_cut: bool,
        line: u32,
        error: ParseError,
    ) -> Result<(), ParseError> {
        if may_be_cut || self.edges > limits::MAX_EDGES {
            return Err(error);
        }
        self.skipped.edge(error.line.unwrap_or(line), error.reason);
        Ok(())
    }

    /// Skips an edge to a package that the file does not lock. The package is reported as a
    /// requirement, so that it is judged like one that no lockfile pins.
    pub(super) fn skip_dangling(&mut self, request: &DependencyRequest<'_>, line: u32) {
        let name = request.name;
        self.skipped.edge(
            line,
            format!("has a dependency on `{name}`, which is not in the file"),
        );
        let requirement = match (request.version, request.requirement) {
            (Some(version), _) => format!("=={version}"),
            (None, stated) => stated.unwrap_or_default().to_owned(),
        };
        self.lockfile.unresolved.push(Unresolved {
            ecosystem: super::NAME,
            name: name.to_owned(),
            requirement,
            kind: request.kind,
            line,
        });
    }

    /// Whether a package of this name would come after the last one of a file that is sorted by name.
    /// If it is missing, the file may be cut.
    pub(super) fn is_beyond_the_last(&self, name: &str) -> bool {
        let last = self.lockfile.packages.last();
        last.is_none_or(|last| normalize(name) >= normalize(&last.name))
    }

    /// Adds a package and returns its index.
    ///
    /// # Errors
    /// If there are too many packages.
    pub(super) fn push(&mut self, package: Package) -> Result<PackageIndex, ParseError> {
        if self.lockfile.packages.len() >= limits::MAX_PACKAGES {
            return Err(ParseError::new(format!(
                "has more than {} packages",
                limits::MAX_PACKAGES
            ))
            .at_line(package.line as usize));
        }

        let index = PackageIndex(u32::try_from(self.lockfile.packages.len()).unwrap_or(u32::MAX));
        let name = normalize(&package.name).into_owned();
        self.by_name.entry(name).or_default().push(index);
        self.lockfile.packages.push(package);

        Ok(index)
    }

    /// All packages of a project. There are several if environments need different versions.
    pub(super) fn copies(&self, name: &str) -> &[PackageIndex] {
        self.by_name
            .get(normalize(name).as_ref())
            .map_or(&[], Vec::as_slice)
    }

    pub(super) fn package_mut(&mut self, index: PackageIndex) -> Option<&mut Package> {
        self.lockfile.packages.get_mut(index.0 as usize)
    }

    /// The packages of a project that a requirement may refer to: those with the stated version or
    /// within the requirement, or all if there is no such package.
    pub(super) fn matching(&self, request: &DependencyRequest<'_>) -> Vec<PackageIndex> {
        let copies = self.copies(request.name);
        if copies.len() < 2 {
            return copies.to_vec();
        }

        let matching: Vec<_> = copies
            .iter()
            .copied()
            .filter(|index| {
                let Some(package) = self.lockfile.package(*index) else {
                    return false;
                };
                match (request.version, request.requirement) {
                    (Some(version), _) => package.version == version,
                    (None, Some(requirement)) => {
                        admits(requirement, &package.version).unwrap_or(true)
                    }
                    (None, None) => true,
                }
            })
            .collect();

        match matching.is_empty() {
            true => copies.to_vec(),
            false => matching,
        }
    }

    /// The edges for a requirement; several if it may refer to several packages.
    ///
    /// # Errors
    /// If the file has too many dependencies.
    pub(super) fn edges_to(
        &mut self,
        request: &DependencyRequest<'_>,
    ) -> Result<Vec<Edge>, ParseError> {
        // All candidates count, not only the matching ones, because comparing takes time as well.
        self.edges += self.copies(request.name).len();
        if self.edges > limits::MAX_EDGES {
            return Err(ParseError::new(format!(
                "has more than {} dependencies",
                limits::MAX_EDGES
            )));
        }

        Ok(self
            .matching(request)
            .into_iter()
            .map(|to| Edge {
                to,
                name: request.name.into(),
                requirement: request
                    .requirement
                    .map(|text| super::address::without_credentials(text).into_owned())
                    .map(Into::into),
                kind: request.kind,
            })
            .collect())
    }

    /// Adds edges to a package.
    pub(super) fn connect(&mut self, from: PackageIndex, edges: Vec<Edge>) {
        if let Some(package) = self.package_mut(from) {
            package.edges.extend(edges);
        }
    }

    pub(super) fn add_root(&mut self, root: Root) {
        self.lockfile.roots.push(root);
    }

    /// Adds the root for a package of the file that is a project of the repository.
    pub(super) fn add_own_root(&mut self, index: PackageIndex, root: Root) {
        self.own.insert(index);
        self.lockfile.roots.push(root);
    }

    /// The packages that are installed together with a package.
    fn next(&self, index: PackageIndex) -> impl Iterator<Item = PackageIndex> {
        let is_own = self.own.contains(&index);
        self.lockfile
            .package(index)
            .into_iter()
            .flat_map(|package| &package.edges)
            .filter(move |edge| !is_own || edge.kind == DependencyKind::Runtime)
            .map(|edge| edge.to)
    }

    /// Sets the scope of every package that is reachable from `starts` to the strongest one that
    /// reaches it. Other packages keep their scope.
    pub(super) fn spread_scopes(&mut self, starts: &[Start]) {
        let mut reached: Vec<Option<Scope>> = vec![None; self.lockfile.packages.len()];
        let mut by_scope: BTreeMap<Scope, Vec<PackageIndex>> = BTreeMap::new();
        for start in starts {
            by_scope.entry(start.scope).or_default().push(start.to);
        }

        // Strongest scope first: a package that has been reached keeps its scope.
        for (scope, mut stack) in by_scope {
            while let Some(index) = stack.pop() {
                let Some(seen @ None) = reached.get_mut(index.0 as usize) else {
                    continue;
                };
                *seen = Some(scope);
                stack.extend(self.next(index));
            }
        }

        for (package, scope) in self.lockfile.packages.iter_mut().zip(reached) {
            package.scope = scope.unwrap_or(package.scope);
        }
    }

    /// Adds to every package the groups of all `starts` from which it is reachable.
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
        // One pass through the graph handles 64 groups, one bit for each.
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

            // A package is queued again whenever it gets another bit.
            while let Some(index) = queue.pop_front().filter(|_| follow) {
                let own = bits.get(index.0 as usize).copied().unwrap_or_default();
                for to in self.next(index) {
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
