//! The content of a document, independent of its format: components, projects and requirements, with
//! their graph.

use std::collections::{BTreeSet, HashMap};

use patchgate_ecosystems::by_name;
use patchgate_model::{
    DependencyKind, EcosystemName, Edge, Inventory, Lockfile, Origin, Package, Purl, Scope,
    Unresolved, without_credentials,
};

use super::WriteOptions;
use super::copies::classes;
use crate::digest::{Digest, digests};
use crate::facts;
use crate::identity::{Identity, UNKNOWN, identify};

/// A named text about a component; see [`facts`].
pub(super) type Fact = (&'static str, String);

/// The content of a document.
#[derive(Debug, Default)]
pub(super) struct Content {
    /// Sorted by their identifiers.
    pub(super) components: Vec<Component>,
    /// In the inventory's order.
    pub(super) projects: Vec<Project>,
    /// In the inventory's order.
    pub(super) requirements: Vec<Requirement>,
    /// Whether packages may be missing: something could not be read, or no file lists them.
    pub(super) incomplete: bool,
}

/// A package, with all its equal copies (see [`super::copies`]).
#[derive(Debug)]
pub(super) struct Component {
    /// Identifier; unique in the document.
    pub(super) id: String,
    pub(super) ecosystem: EcosystemName,
    /// Release of the distribution, for a package of an operating system.
    pub(super) distribution: Option<String>,
    pub(super) name: String,
    pub(super) version: String,
    pub(super) purl: Option<String>,
    pub(super) digests: Vec<Digest>,
    pub(super) scope: Scope,
    /// Facts, without that of the scope: whether it is written depends on the format.
    pub(super) facts: Vec<Fact>,
    /// Address of the archive, if the lockfile has one.
    pub(super) distribution_url: Option<String>,
    /// Address of the git repository that the package comes from.
    pub(super) repository_url: Option<String>,
    /// Paths of the files that list the package, and the lines in them.
    pub(super) locations: BTreeSet<(String, u32)>,
    pub(super) edges: Vec<(usize, DependencyKind)>,
}

/// A project: a root of a lockfile.
#[derive(Debug)]
pub(super) struct Project {
    pub(super) id: String,
    /// Name for display; never empty.
    pub(super) name: String,
    pub(super) facts: Vec<Fact>,
    pub(super) edges: Vec<(usize, DependencyKind)>,
}

/// A package without a version in any file.
#[derive(Debug)]
pub(super) struct Requirement {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) facts: Vec<Fact>,
    pub(super) kind: DependencyKind,
    pub(super) location: Option<(String, u32)>,
}

impl Content {
    pub(super) fn new(inventory: &Inventory, options: &WriteOptions<'_>) -> Self {
        // A file that lists only a part of its packages makes the document incomplete.
        let partial = |file: &Lockfile| file.direct_only || !file.missing.is_empty();
        let mut content = Self {
            incomplete: !inventory.problems.is_empty() || inventory.lockfiles.iter().any(partial),
            ..Self::default()
        };
        let indices = content.add_packages(inventory, options);

        let mut ids = Ids::default();
        for (lockfile, indices) in inventory.lockfiles.iter().zip(&indices) {
            content.add_projects(lockfile, indices, options, &mut ids);
        }

        let locked = inventory
            .lockfiles
            .iter()
            .map(|file| (&file.path, file.ecosystem, &file.unresolved));
        let unlocked = inventory
            .unlocked
            .iter()
            .map(|file| (&file.path, file.ecosystem, &file.unresolved));
        for (path, ecosystem, unresolved) in locked.chain(unlocked) {
            for wanted in unresolved {
                let requirement = requirement(wanted, ecosystem, path, options, &mut ids);
                content.requirements.push(requirement);
            }
        }

        content
    }

    /// Adds all packages. Returns, for each package of each lockfile, the index of its component.
    fn add_packages(
        &mut self,
        inventory: &Inventory,
        options: &WriteOptions<'_>,
    ) -> Vec<Vec<usize>> {
        // Collect the copies of all lockfiles, with edges between them.
        let mut copies: Vec<(&Lockfile, &Package)> = Vec::new();
        let mut edges: Vec<Vec<usize>> = Vec::new();
        let mut starts = Vec::new();
        for lockfile in &inventory.lockfiles {
            let start = copies.len();
            starts.push(start);

            for package in &lockfile.packages {
                copies.push((lockfile, package));
                edges.push(
                    package
                        .edges
                        .iter()
                        .map(|edge| start + edge.to.0 as usize)
                        .collect(),
                );
            }
        }

        // Find the equal ones.
        let mut components: Vec<Component> = copies
            .iter()
            .map(|(_, package)| component(package))
            .collect();
        let keys: Vec<_> = components.iter().map(key).collect();
        let classes = classes(&keys, &edges);
        drop(keys);

        // Keep the first of each class, in the order of the document.
        let (firsts, order) = sorted_classes(&classes, &components);
        let index_of = |copy: usize| -> usize {
            let class = classes.get(copy).copied().unwrap_or_default();
            order.get(class).copied().unwrap_or_default()
        };
        let mut chosen: HashMap<usize, Component> = components
            .drain(..)
            .enumerate()
            .filter(|(index, _)| firsts.get(index_of(*index)) == Some(index))
            .map(|(index, component)| (index_of(index), component))
            .collect();
        self.components = (0..firsts.len())
            .filter_map(|index| chosen.remove(&index))
            .collect();

        // Add the locations and the edges of all copies.
        for (index, ((lockfile, package), edges)) in copies.iter().zip(&edges).enumerate() {
            let Some(component) = self.components.get_mut(index_of(index)) else {
                continue;
            };

            if options.locations {
                component
                    .locations
                    .insert((lockfile.path.clone(), package.line));
            }

            let kinds = package.edges.iter().map(|edge| edge.kind);
            component
                .edges
                .extend(edges.iter().map(|to| index_of(*to)).zip(kinds));
        }

        // Make the identifiers unique.
        let mut ids = Ids::default();
        for component in &mut self.components {
            component.id = ids.unique(&component.id);
            sort_edges(&mut component.edges);
        }

        starts
            .iter()
            .zip(&inventory.lockfiles)
            .map(|(start, file)| {
                (*start..start + file.packages.len())
                    .map(index_of)
                    .collect()
            })
            .collect()
    }

    fn add_projects(
        &mut self,
        lockfile: &Lockfile,
        indices: &[usize],
        options: &WriteOptions<'_>,
        ids: &mut Ids,
    ) {
        for root in &lockfile.roots {
            let shown = [
                Some(root.name.as_str()),
                root.manifest.as_deref().filter(|_| options.locations),
                Some(lockfile.path.as_str()).filter(|_| options.locations),
            ];
            let shown = shown.into_iter().flatten().find(|text| !text.is_empty());
            let name = shown.unwrap_or(options.document_name()).to_owned();

            let mut facts = vec![(facts::ROOT, root.name.clone())];
            if let Some(manifest) = &root.manifest {
                facts.push((facts::MANIFEST, manifest.clone()));
            }

            let target = |edge: &Edge| Some((*indices.get(edge.to.0 as usize)?, edge.kind));
            let mut edges: Vec<_> = root.edges.iter().filter_map(target).collect();
            sort_edges(&mut edges);
            self.projects.push(Project {
                id: ids.unique(&format!("project:{name}")),
                name,
                facts,
                edges,
            });
        }
    }
}

/// The first copy of each class, which represents it, sorted by the identifier of its component, and
/// the position of each class in that order.
fn sorted_classes(classes: &[usize], components: &[Component]) -> (Vec<usize>, Vec<usize>) {
    let mut firsts: Vec<usize> = Vec::new();
    for (index, class) in classes.iter().enumerate() {
        if *class == firsts.len() {
            firsts.push(index);
        }
    }

    // The sort is stable: classes with equal identifiers stay in the order of the inventory.
    firsts.sort_by(|a, b| {
        let id = |index: &usize| components.get(*index).map(|component| &component.id);
        id(a).cmp(&id(b))
    });

    let mut order = vec![0; firsts.len()];
    for (index, first) in firsts.iter().enumerate() {
        if let Some(order) = classes.get(*first).and_then(|class| order.get_mut(*class)) {
            *order = index;
        }
    }

    (firsts, order)
}

fn sort_edges(edges: &mut Vec<(usize, DependencyKind)>) {
    edges.sort_unstable_by_key(|(to, kind)| (*to, Scope::from(*kind)));
    edges.dedup();
}

/// Identifiers that were given, with how often each was asked for.
#[derive(Default)]
struct Ids(HashMap<String, usize>);

impl Ids {
    /// The identifier itself the first time; then with a number behind it.
    fn unique(&mut self, id: &str) -> String {
        let count = self.0.entry(id.to_owned()).or_insert(0);
        *count += 1;
        let mut count = *count;

        if count == 1 {
            return id.to_owned();
        }
        // The result could be the package URL of another package, whose subpath begins with `#` too,
        // so it is checked as well.
        loop {
            let unique = format!("{id}#{count}");
            if !self.0.contains_key(&unique) {
                self.0.insert(unique.clone(), 1);
                return unique;
            }
            count += 1;
        }
    }
}

/// Everything that is written about a component except its edges and its locations.
type ComponentKey<'a> = (
    &'a str,
    &'a str,
    &'a str,
    Option<&'a str>,
    &'a [Digest],
    Scope,
    &'a [Fact],
    Option<&'a str>,
);

fn key(component: &Component) -> ComponentKey<'_> {
    (
        &component.id,
        &component.name,
        &component.version,
        component.purl.as_deref(),
        &component.digests,
        component.scope,
        &component.facts,
        component.distribution_url.as_deref(),
    )
}

fn component(package: &Package) -> Component {
    let known = by_name(package.ecosystem).is_some() || package.purl.is_some();
    let purl = known
        .then(|| patchgate_ecosystems::purl(package))
        .filter(|purl| Purl::parse(purl).is_some());
    let (digests, other_hashes) = digests(package.integrity.as_deref());
    let mut facts = identity_facts(package, purl.as_deref());
    facts.extend(
        package
            .groups
            .iter()
            .map(|group| (facts::GROUP, group.clone())),
    );

    if package.bundled {
        facts.push((facts::BUNDLED, "true".to_owned()));
    }

    let mut distribution_url = None;
    let mut repository_url = None;
    match &package.origin {
        Origin::Registry(Some(address))
            if address.starts_with("http") && is_address(&without_credentials(address)) =>
        {
            distribution_url = Some(without_credentials(address).into_owned());
        }
        origin => {
            if let Some(text) = facts::origin_text(origin) {
                facts.push((facts::ORIGIN, text));
            }
        }
    }

    if let Origin::Git { url, commit } = &package.origin {
        repository_url = Some(without_credentials(url).into_owned()).filter(|url| is_address(url));
        if let Some(commit) = commit {
            facts.push((facts::COMMIT, commit.clone()));
        }
    }

    facts.extend(
        other_hashes
            .into_iter()
            .map(|hash| (facts::INTEGRITY, hash)),
    );
    Component {
        id: purl
            .clone()
            .unwrap_or_else(|| format!("package:{}@{}", package.name, package.version)),
        ecosystem: package.ecosystem,
        distribution: package.distribution.clone(),
        name: package.name.clone(),
        version: package.version.clone(),
        purl,
        digests,
        scope: package.scope,
        facts,
        distribution_url,
        repository_url,
        locations: BTreeSet::new(),
        edges: Vec::new(),
    }
}

/// The parts of the identity that a reader could not derive from the package URL and the name.
fn identity_facts(package: &Package, purl: Option<&str>) -> Vec<Fact> {
    let read = match purl.and_then(Purl::parse) {
        Some(purl) => identify(&purl, None, None),
        None => Identity {
            ecosystem: UNKNOWN,
            distribution: None,
            name: package.name.clone(),
            version: package.version.clone(),
            alias: None,
        },
    };

    let mut facts = Vec::new();
    let mut differ = |name, read: &str, is: &str| {
        if read != is {
            facts.push((name, is.to_owned()));
        }
    };
    let text = |value: &Option<String>| value.clone().unwrap_or_default();

    differ(
        facts::ECOSYSTEM,
        read.ecosystem.as_str(),
        package.ecosystem.as_str(),
    );
    differ(
        facts::DISTRIBUTION,
        &text(&read.distribution),
        &text(&package.distribution),
    );
    differ(facts::NAME, &read.name, &package.name);

    // Also written when empty: a component without a version would be read as a requirement.
    if read.version != package.version || package.version.is_empty() {
        facts.push((facts::VERSION, package.version.clone()));
    }
    if read.alias != package.alias {
        facts.push((facts::ALIAS, text(&package.alias)));
    }

    facts
}

/// Whether a text is an address that the schemas accept: a scheme, a host, and only characters that
/// RFC 3986 allows.
pub(super) fn is_address(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else {
        return false;
    };
    let allowed =
        |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?#@!$&'()*+,;=%".contains(&byte);
    let escapes = rest.split('%').skip(1).all(|after| {
        after.len() >= 2 && after.bytes().take(2).all(|byte| byte.is_ascii_hexdigit())
    });

    matches!(
        scheme,
        "http" | "https" | "ssh" | "git" | "git+https" | "git+http" | "git+ssh"
    ) && rest
        .bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_alphanumeric())
        && rest.bytes().all(allowed)
        && rest.matches('#').count() <= 1
        && escapes
}

fn requirement(
    wanted: &Unresolved,
    ecosystem: EcosystemName,
    path: &str,
    options: &WriteOptions<'_>,
    ids: &mut Ids,
) -> Requirement {
    let mut facts = vec![(facts::REQUIREMENT, wanted.requirement.clone())];
    if ecosystem != crate::ECOSYSTEM {
        facts.push((facts::ECOSYSTEM, ecosystem.to_string()));
    }

    Requirement {
        id: ids.unique(&format!("requirement:{}", wanted.name)),
        name: wanted.name.clone(),
        facts,
        kind: wanted.kind,
        location: options.locations.then(|| (path.to_owned(), wanted.line)),
    }
}
