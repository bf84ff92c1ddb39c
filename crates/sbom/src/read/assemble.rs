//! Assembly of a [`Bill`] from a document: packages, roots, requirements, edges and scopes.

use std::collections::{BTreeSet, HashMap, HashSet};

use patchgate_ecosystems::{ParseError, limits};
use patchgate_model::{
    DependencyKind, Edge, Lockfile, Origin, Package, PackageIndex, Problem, ProblemKind, Purl,
    Root, Scope, Unresolved,
};

use super::classify::{InventoryItem, Link, identities, items, kind_of, links};
use super::{Component, Document, RelationKind};
use crate::identity::{ECOSYSTEM, Identity};
use crate::{Bill, facts};

pub(super) fn bill(path: &str, mut document: Document) -> Result<Bill, ParseError> {
    record(&mut document);
    let identities = identities(&document)?;
    let links = links(&document);
    let items = items(&document, &links, &identities);
    let mut lockfile = Lockfile {
        path: path.to_owned(),
        ecosystem: ECOSYSTEM,
        format: document.format,
        ..Lockfile::default()
    };
    let mut indices = Vec::with_capacity(items.len());
    let parts = document.components.iter().zip(identities).zip(&items);
    for ((component, identity), item) in parts {
        indices.push(add_item(&mut lockfile, component, identity, *item));
    }

    let graph = Graph::new(&links, &indices);
    set_scopes(&mut lockfile, &document, &indices, &graph);
    set_edges(&mut lockfile, &graph)?;

    // Drops a root that has only a name: without edges it does not say which packages are direct.
    let mut marked = indices
        .iter()
        .zip(&document.components)
        .filter(|(index, _)| matches!(index, ItemIndex::Root(_)))
        .map(|(_, component)| component.property(facts::ROOT).is_some());
    lockfile
        .roots
        .retain(|root| marked.next() == Some(true) || !root.edges.is_empty());
    let problems = document.incomplete.map(|reason| Problem {
        kind: ProblemKind::File,
        subject: path.to_owned(),
        line: None,
        reason,
        hint: None,
    });

    lockfile.skipped = document.skipped.into_entries();
    Ok(Bill {
        lockfile,
        problems: problems.into_iter().collect(),
    })
}

/// Records package URLs that are invalid and relations that lead to nothing. A package without a
/// valid package URL has no ecosystem, so a scan reports it as not covered.
fn record(document: &mut Document) {
    let mut known: HashSet<&str> = document.others.iter().map(String::as_str).collect();
    for component in &document.components {
        known.insert(&component.id);
        if let Some(purl) = &component.purl
            && Purl::parse(purl).is_none()
        {
            let shown: String = purl.chars().take(100).collect();
            document.skipped.detail(
                component.line,
                format!("has the invalid package URL `{shown}`"),
            );
        }
    }

    // SPDX refers to other documents, and to nothing, by special names.
    let is_special = |id: &str| {
        id.is_empty()
            || id.starts_with("DocumentRef-")
            || id.ends_with("NoAssertionElement")
            || id.ends_with("NoneElement")
            || matches!(id, "SPDXRef-DOCUMENT" | "NONE" | "NOASSERTION")
    };
    // Keyed by the address of the text, so that an identifier that many relations share is hashed
    // once, however long it is.
    let mut checked: HashMap<*const u8, bool> = HashMap::new();
    for relation in &document.relations {
        if relation.kind == RelationKind::Contains {
            continue;
        }

        let lost = [&relation.from, &relation.to].into_iter().find(|id| {
            let is_lost = || !is_special(id) && !known.contains(&***id);
            *checked.entry(id.as_ptr()).or_insert_with(is_lost)
        });
        if let Some(id) = lost {
            let shown: String = id.chars().take(100).collect();
            document.skipped.edge(
                1,
                format!("has a relation to `{shown}`, which it does not contain"),
            );
        }
    }
}

/// The position of a component in the lockfile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ItemIndex {
    Package(usize),
    Root(usize),
    Nowhere,
}

fn add_item(
    lockfile: &mut Lockfile,
    component: &Component,
    identity: Identity,
    item: InventoryItem,
) -> ItemIndex {
    match item {
        InventoryItem::Nothing => ItemIndex::Nowhere,
        InventoryItem::Package => {
            lockfile.packages.push(package(component, identity));
            ItemIndex::Package(lockfile.packages.len() - 1)
        }
        InventoryItem::Root => {
            let name = component
                .property(facts::ROOT)
                .map_or(identity.name, str::to_owned);
            lockfile.roots.push(Root {
                name,
                manifest: component.property(facts::MANIFEST).map(str::to_owned),
                edges: Vec::new(),
            });
            ItemIndex::Root(lockfile.roots.len() - 1)
        }
        InventoryItem::Unresolved => {
            lockfile.unresolved.push(Unresolved {
                ecosystem: identity.ecosystem,
                name: identity.name,
                requirement: component
                    .property(facts::REQUIREMENT)
                    .unwrap_or_default()
                    .to_owned(),
                kind: kind_of(stated_scope(component).unwrap_or_default()),
                line: component.line,
            });
            ItemIndex::Nowhere
        }
    }
}

fn package(component: &Component, identity: Identity) -> Package {
    let mut integrity: Vec<String> = component.digests.iter().map(|d| d.integrity()).collect();
    let mut groups = Vec::new();
    for (name, value) in &component.properties {
        match name.as_str() {
            facts::INTEGRITY => integrity.push(value.clone()),
            facts::GROUP | "cdx:poetry:group" | "cdx:python:package:group" => {
                groups.push(value.clone());
            }
            _ => {}
        }
    }

    integrity.sort();
    integrity.dedup();
    groups.sort();
    groups.dedup();

    Package {
        distribution: identity.distribution,
        origin: origin(component),
        line: component.line,
        integrity: (!integrity.is_empty()).then(|| integrity.join(" ")),
        scope: stated_scope(component).unwrap_or_default(),
        groups,
        alias: identity.alias,
        bundled: component.property(facts::BUNDLED) == Some("true"),
        purl: component
            .purl
            .clone()
            .filter(|purl| Purl::parse(purl).is_some()),
        ..Package::new(identity.ecosystem, identity.name, identity.version)
    }
}

/// The origin of a package: the document's own fact, else the qualifiers of the package URL, else
/// the address of the archive.
fn origin(component: &Component) -> Origin {
    if let Some(origin) = component.stated_origin() {
        return origin;
    }

    let purl = component.purl.as_deref().and_then(Purl::parse);
    if let Some(repository) = purl.as_ref().and_then(|purl| purl.qualifier("vcs_url")) {
        let (url, commit) = match repository.rsplit_once('@') {
            Some((url, commit)) if !commit.contains('/') => (url, Some(commit.to_owned())),
            _ => (repository, None),
        };
        return Origin::Git {
            url: url.trim_start_matches("git+").to_owned(),
            commit,
        };
    }

    let registry = purl
        .as_ref()
        .and_then(|purl| purl.qualifier("repository_url"));
    let address = registry.or(component.distribution_url.as_deref());

    Origin::Registry(address.map(str::to_owned))
}

/// The scope that the document states for the component, also by properties of other tools.
fn stated_scope(component: &Component) -> Option<Scope> {
    if let Some(scope) = component.property(facts::SCOPE).and_then(facts::scope) {
        return Some(scope);
    }

    let development = [
        "cdx:npm:package:development",
        "cdx:composer:package:isDevRequirement",
    ];
    if development
        .iter()
        .any(|name| component.property(name) == Some("true"))
    {
        return Some(Scope::Development);
    }

    component.scope
}

/// The links between packages and roots, by their positions in the lockfile.
struct Graph {
    /// Links from a package to a package.
    packages: Vec<(usize, usize, RelationKind)>,
    /// Links from a root to a package.
    roots: Vec<(usize, usize, RelationKind)>,
    /// Packages that a root contains and that nothing depends on.
    contained: Vec<(usize, usize)>,
}

impl Graph {
    fn new(links: &[Link], indices: &[ItemIndex]) -> Self {
        let mut graph = Self {
            packages: Vec::new(),
            roots: Vec::new(),
            contained: Vec::new(),
        };
        let mut needed = BTreeSet::new();
        let index_of = |component: usize| {
            indices
                .get(component)
                .copied()
                .unwrap_or(ItemIndex::Nowhere)
        };
        for link in links {
            match (index_of(link.from), index_of(link.to)) {
                (ItemIndex::Package(from), ItemIndex::Package(to)) => {
                    needed.insert(to);
                    graph.packages.push((from, to, link.kind));
                }
                (ItemIndex::Root(from), ItemIndex::Package(to))
                    if link.kind == RelationKind::Contains =>
                {
                    graph.contained.push((from, to));
                }
                (ItemIndex::Root(from), ItemIndex::Package(to)) => {
                    needed.insert(to);
                    graph.roots.push((from, to, link.kind));
                }
                _ => {}
            }
        }

        // "Contains" lists every package. The direct dependencies are those that no other package
        // depends on; a document without any dependency does not say which are direct.
        if needed.is_empty() {
            graph.contained.clear();
        }

        graph.contained.retain(|(_, to)| !needed.contains(to));
        graph
    }
}

/// Sets the scope of each package for which the document does not state one: the strongest scope by
/// which a root, or a package that nothing depends on, reaches it.
fn set_scopes(lockfile: &mut Lockfile, document: &Document, indices: &[ItemIndex], graph: &Graph) {
    let complete = |component: &Component| component.property(facts::DOCUMENT).is_some();
    if document.components.iter().any(complete) {
        return;
    }

    let mut open = vec![false; lockfile.packages.len()];
    for (index, component) in indices.iter().zip(&document.components) {
        if let ItemIndex::Package(index) = index
            && let Some(open) = open.get_mut(*index)
        {
            *open = stated_scope(component).is_none();
        }
    }

    if !open.contains(&true) {
        return;
    }

    let reached = reach(lockfile.packages.len(), graph);
    for ((package, reached), open) in lockfile.packages.iter_mut().zip(reached).zip(open) {
        if open {
            package.scope = reached.unwrap_or_default();
        }
    }
}

/// All scopes, strongest first.
const SCOPES: [Scope; 6] = [
    Scope::Runtime,
    Scope::Peer,
    Scope::Optional,
    Scope::Build,
    Scope::Test,
    Scope::Development,
];

/// The strongest scope by which each of `count` packages is reached; `None` for one in a cycle that
/// nothing else depends on.
fn reach(count: usize, graph: &Graph) -> Vec<Option<Scope>> {
    let strength = |kind: RelationKind| match kind {
        RelationKind::Needs(kind) => Scope::from(kind),
        RelationKind::Depends | RelationKind::Contains => Scope::Runtime,
    };
    let mut outgoing: Vec<Vec<(usize, Scope)>> = vec![Vec::new(); count];

    let mut top = vec![true; count];
    for (from, to, kind) in &graph.packages {
        if let Some(edges) = outgoing.get_mut(*from) {
            edges.push((*to, strength(*kind)));
        }
        top.get_mut(*to).into_iter().for_each(|top| *top = false);
    }

    let mut waiting: Vec<(usize, Scope)> = Vec::new();
    for (_, to, kind) in &graph.roots {
        waiting.push((*to, strength(*kind)));
        top.get_mut(*to).into_iter().for_each(|top| *top = false);
    }

    let tops = top.iter().enumerate().filter(|(_, top)| **top);
    waiting.extend(tops.map(|(index, _)| (index, Scope::Runtime)));

    let mut reached: Vec<Option<Scope>> = vec![None; count];
    // From the strongest scope to the weakest, so the first visit of a package is the strongest.
    for scope in SCOPES {
        let (mut now, later): (Vec<_>, Vec<_>) = waiting
            .into_iter()
            .partition(|(_, reason)| *reason <= scope);
        waiting = later;
        while let Some((index, _)) = now.pop() {
            match reached.get_mut(index) {
                Some(seen @ None) => *seen = Some(scope),
                _ => continue,
            }

            for (to, kind) in outgoing.get(index).into_iter().flatten() {
                let reason = scope.max(*kind);
                if reason == scope {
                    now.push((*to, scope));
                } else {
                    waiting.push((*to, reason));
                }
            }
        }
    }

    reached
}

/// Most bytes of the names of all edges together. Each edge has a copy of its target's name, so a
/// document of many relations to one long name would need far more memory than its own size.
const MAX_EDGE_NAME_BYTES: usize = 4 * limits::MAX_FILE_BYTES;

fn set_edges(lockfile: &mut Lockfile, graph: &Graph) -> Result<(), ParseError> {
    let scopes: Vec<Scope> = lockfile
        .packages
        .iter()
        .map(|package| package.scope)
        .collect();
    let names: Vec<String> = lockfile
        .packages
        .iter()
        .map(|package| {
            package
                .alias
                .clone()
                .unwrap_or_else(|| package.name.clone())
        })
        .collect();

    // Refuse a document whose edges would need too much memory.
    let targets = graph.packages.iter().chain(&graph.roots);
    let targets = targets
        .map(|(_, to, _)| *to)
        .chain(graph.contained.iter().map(|(_, to)| *to));
    let bytes: usize = targets.map(|to| names.get(to).map_or(0, String::len)).sum();
    if bytes > MAX_EDGE_NAME_BYTES {
        return Err(ParseError::new(
            "has too many relations to components with long names",
        ));
    }

    let scope = |index: usize| scopes.get(index).copied().unwrap_or_default();
    // Without a stated kind, an edge to a package of a weaker scope is of the kind of that scope.
    let kind = |from: Scope, to: usize, kind: RelationKind| match kind {
        RelationKind::Needs(kind) => kind,
        _ if scope(to) > from => kind_of(scope(to)),
        _ => DependencyKind::Runtime,
    };
    let edge = |to: usize, kind: DependencyKind| Edge {
        to: PackageIndex(u32::try_from(to).unwrap_or(u32::MAX)),
        name: names.get(to).cloned().unwrap_or_default().into(),
        requirement: None,
        kind,
    };

    // The edges of packages, then those of projects.
    for (from, to, relation) in &graph.packages {
        if let Some(package) = lockfile.packages.get_mut(*from) {
            package
                .edges
                .push(edge(*to, kind(scope(*from), *to, *relation)));
        }
    }

    let contained = graph
        .contained
        .iter()
        .map(|(from, to)| (*from, *to, RelationKind::Depends));
    for (from, to, relation) in graph.roots.iter().copied().chain(contained) {
        if let Some(root) = lockfile.roots.get_mut(from) {
            root.edges
                .push(edge(to, kind(Scope::Runtime, to, relation)));
        }
    }

    // A document may state a relation twice.
    let packages = lockfile
        .packages
        .iter_mut()
        .map(|package| &mut package.edges);
    let roots = lockfile.roots.iter_mut().map(|root| &mut root.edges);
    for edges in packages.chain(roots) {
        edges.sort_by_key(|edge| (edge.to, Scope::from(edge.kind)));
        edges.dedup();
    }

    Ok(())
}
