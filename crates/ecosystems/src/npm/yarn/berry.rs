//! The format of yarn 2 and later: YAML with one entry per package and workspace. The key of an entry
//! is its descriptors (name and requirement), that is, the dependencies that resolve to it.

use std::collections::HashMap;

use patchgate_model::{
    DependencyKind, Edge, FormatId, Lockfile, Loss, Package, PackageIndex, Root, Unresolved,
};

use super::locator::{self, Locator};
use super::resolutions::Resolutions;
use crate::fast_hash::{FastHashMap, fast_hash_map};
use crate::npm::NAME;
use crate::npm::tree::{self, Count, Project, beside, project_at, shortened, split_spec};
use crate::syntax::{self, Node};
use crate::{Input, ParseError, SkippedEntries};

/// The expected kind of file, for error texts.
const WHAT: &str = "a yarn.lock";

/// One entry as written.
pub(super) struct Entry<'n> {
    pub(super) line: u32,
    pub(super) descriptors: Vec<&'n str>,
    /// The distinct names in the descriptors. There are several if the package is also installed
    /// under an alias.
    pub(super) names: Vec<&'n str>,
    pub(super) resolution: &'n str,
    version: &'n str,
    checksum: Option<&'n str>,
    pub(super) locator: Locator,
    needs: Vec<Dependency<'n>>,
}

/// One dependency of an entry.
struct Dependency<'n> {
    name: &'n str,
    range: &'n str,
    kind: DependencyKind,
}

/// Reads a lockfile of version 2 or later.
pub(super) fn parse(input: &Input<'_>, text: &str) -> Result<Lockfile, ParseError> {
    let document = syntax::yaml(text)?;
    if !document.is_map() {
        return Err(ParseError::new(format!(
            "is not {WHAT}: it is {}",
            document.describe()
        )));
    }

    let format = format(&document)?;
    let mut skipped = SkippedEntries::default();
    let entries = entries(&document, &mut skipped)?;
    let is_root = |entry: &Entry<'_>| entry.locator.workspace.as_deref() == Some(".");
    if !entries.iter().any(is_root) {
        let reason = "the entry of the project itself is missing";
        if entries.is_empty() {
            return Err(
                ParseError::new(format!("is not {WHAT}: {reason}")).with_hint(super::REGENERATE)
            );
        }
        // Yarn sorts this entry among the others, so that the others can be read without it.
        let line = u32::try_from(text.lines().count()).unwrap_or(u32::MAX);
        skipped.package(line, format!("may be truncated: {reason}"));
    }

    let root = beside(input);
    let mut tree = Tree::new(&entries, root.as_ref(), skipped)?;
    let mut packages = Vec::with_capacity(entries.len());
    let mut roots = Vec::new();

    for entry in &entries {
        let mut edges = tree.edges(entry)?;
        let root = match &entry.locator.workspace {
            Some(directory) => Some(workspace(input, entry, directory, &edges)),
            None => directory(input, entry, &edges),
        };
        if let (Some(root), true) = (&root, entry.locator.workspace.is_some()) {
            // Dependents of a workspace do not install its development dependencies.
            let is_installed = |edge: &Edge| edge.kind != DependencyKind::Development;
            edges = root
                .edges
                .iter()
                .filter(|edge| is_installed(edge))
                .cloned()
                .collect();
        }

        roots.extend(root);
        if !is_root(entry) {
            for name in &entry.names {
                tree.count.edges(edges.len())?;
                packages.push(package(entry, name, edges.clone()));
            }
        }
    }

    // The project in the lockfile's directory comes first.
    let first = root.map(|root| root.path);
    roots.sort_by_key(|root| first.is_none() || root.manifest != first);

    let (unresolved, skipped) = (tree.unresolved, tree.skipped.into_entries());
    let mut lockfile = tree::lockfile(input, format, packages, roots);
    lockfile.unresolved = unresolved;
    lockfile.skipped = skipped;

    Ok(lockfile)
}

/// The entries of packages and projects. One that cannot be read is skipped.
///
/// # Errors
/// If it is the last one: the file ends in it.
pub(super) fn entries<'n>(
    document: &'n Node<'_>,
    skipped: &mut SkippedEntries,
) -> Result<Vec<Entry<'n>>, ParseError> {
    let listed = document.entries();
    let mut entries = Vec::with_capacity(listed.len());
    for (number, (key, node)) in (1..).zip(listed) {
        if key.name == "__metadata" {
            continue;
        }

        let read = entry(&key.name, key.line, node, skipped);
        if number == listed.len() {
            ends_whole(&key.name, key.line, node)?;
            entries.push(read?);
        } else {
            entries.extend(skipped.recover(Loss::Package, key.line, read));
        }
    }

    Ok(entries)
}

/// Checks the last key of the last entry. If it is missing or incomplete, the file is truncated.
fn ends_whole(key: &str, line: u32, node: &Node<'_>) -> Result<(), ParseError> {
    let kind = node.get("linkType").and_then(Node::text);
    if matches!(kind, Some("hard" | "soft")) {
        return Ok(());
    }

    let problem = match kind {
        Some(_) => "an unknown `linkType`",
        None => "no `linkType`",
    };
    Err(
        ParseError::new(format!("has the entry `{}` with {problem}", shortened(key)))
            .at_line(line as usize)
            .with_hint(super::REGENERATE),
    )
}

/// The name of the format. yarn increases the version with every change in how it computes an entry,
/// but the form of entries has stayed the same, so unknown versions are accepted.
fn format(document: &Node<'_>) -> Result<FormatId, ParseError> {
    let metadata = document
        .get("__metadata")
        .ok_or_else(|| ParseError::new(format!("is not {WHAT}: it lacks `__metadata`")))?;
    let version = metadata.need_text("version")?;
    let number: u32 = version.parse().map_err(|_| {
        ParseError::new(format!(
            "has the version `{}`, which is not a number",
            shortened(version)
        ))
        .at_line(metadata.line as usize)
    })?;

    Ok(match number {
        0..=3 => FormatId::new("yarn-lock-v3"),
        4 => FormatId::new("yarn-lock-v4"),
        5 => FormatId::new("yarn-lock-v5"),
        6 => FormatId::new("yarn-lock-v6"),
        7 => FormatId::new("yarn-lock-v7"),
        8 => FormatId::new("yarn-lock-v8"),
        9 => FormatId::new("yarn-lock-v9"),
        10 => FormatId::new("yarn-lock-v10"),
        _ => FormatId::new("yarn-lock-berry"),
    })
}

fn entry<'n>(
    key: &'n str,
    line: u32,
    node: &'n Node<'_>,
    skipped: &mut SkippedEntries,
) -> Result<Entry<'n>, ParseError> {
    let wrong = |reason: String| {
        ParseError::new(format!(
            "has the entry `{}`, which {reason}",
            shortened(key)
        ))
        .at_line(line as usize)
        .with_hint(super::REGENERATE)
    };
    if !node.is_map() {
        return Err(wrong(format!("is {}", node.describe())));
    }

    let need = |name: &str| {
        let text = node.optional_text(name)?;
        text.filter(|text| !text.is_empty())
            .ok_or_else(|| wrong(format!("lacks `{name}`")))
    };
    let (version, resolution) = (need("version")?, need("resolution")?);

    let descriptors: Vec<&str> = key.split(", ").collect();
    let names = tree::names(descriptors.iter().copied())
        .ok_or_else(|| wrong("is not a list of names with requirements".to_owned()))?;
    let locator = locator::locator(resolution)
        .ok_or_else(|| wrong("has a resolution without a name".to_owned()))?;

    Ok(Entry {
        line,
        descriptors,
        names,
        resolution,
        version,
        checksum: skipped
            .recover(Loss::Detail, line, node.optional_text("checksum"))
            .flatten(),
        locator,
        needs: needs(node, skipped),
    })
}

/// The dependencies of an entry. An optional peer dependency is left out: it installs nothing.
fn needs<'n>(node: &'n Node<'_>, skipped: &mut SkippedEntries) -> Vec<Dependency<'n>> {
    let mut needs = Vec::new();
    let meta = node.get("dependenciesMeta");
    let peer_meta = node.get("peerDependenciesMeta");
    let is_optional = |meta: Option<&Node<'_>>, name: &str| {
        meta.and_then(|meta| meta.get(name))
            .and_then(|meta| meta.get("optional"))
            .and_then(Node::bool)
            == Some(true)
    };
    for (section, is_peer) in [("dependencies", false), ("peerDependencies", true)] {
        let listed = skipped.recover(Loss::Edge, node.line, node.optional_map(section));
        for (name, range) in listed.unwrap_or_default() {
            let kind = match is_peer {
                true if is_optional(peer_meta, &name.name) => continue,
                true => DependencyKind::Peer,
                false if is_optional(meta, &name.name) => DependencyKind::Optional,
                false => DependencyKind::Runtime,
            };
            let text = match range.is_null() {
                true => Some(""),
                false => range.text(),
            };
            let Some(text) = text.filter(|_| !name.name.is_empty()) else {
                let reason = range.unexpected(&name.name, "a text").reason;
                skipped.edge(name.line, reason);
                continue;
            };
            let (name, range) = (&*name.name, text);
            needs.push(Dependency { name, range, kind });
        }
    }

    needs
}

/// The package of an entry under one of its names.
fn package(entry: &Entry<'_>, key: &str, edges: Vec<Edge>) -> Package {
    Package {
        origin: entry.locator.origin.clone(),
        line: entry.line,
        integrity: entry.checksum.map(str::to_owned),
        alias: (key != entry.locator.name).then(|| key.to_owned()),
        edges,
        ..Package::new(NAME, entry.locator.name.clone(), entry.version.to_owned())
    }
}

/// The root for a workspace. The entry does not separate development dependencies, so kinds and
/// requirements come from the manifest.
fn workspace(input: &Input<'_>, entry: &Entry<'_>, directory: &str, edges: &[Edge]) -> Root {
    let project = project_at(input, directory);
    let stated: HashMap<&str, (DependencyKind, &str)> = project
        .iter()
        .flat_map(|project| project.manifest.requirements())
        .map(|(kind, name, requirement)| (name, (kind, requirement)))
        .collect();
    let edges = edges
        .iter()
        .map(|edge| match stated.get(edge.name.as_str()) {
            Some((kind, requirement)) if edge.kind != DependencyKind::Peer => Edge {
                kind: *kind,
                requirement: Some((*requirement).into()),
                ..edge.clone()
            },
            _ => edge.clone(),
        })
        .collect();

    let name = project.as_ref().and_then(|project| project.manifest.name());
    Root {
        name: name.unwrap_or(&entry.locator.name).to_owned(),
        manifest: project.as_ref().map(|project| project.path.clone()),
        edges,
    }
}

/// The root for a directory that is installed as a package together with its dependencies. `None`
/// for `link:`, because yarn does not install the dependencies of a linked directory.
fn directory(input: &Input<'_>, entry: &Entry<'_>, edges: &[Edge]) -> Option<Root> {
    let (_, reference) = split_spec(entry.resolution)?;
    let (reference, parameters) = reference.split_once("::")?;
    let path = ["file:", "portal:"]
        .iter()
        .find_map(|start| reference.strip_prefix(start))?;
    let path = path.split('#').next().unwrap_or_default();
    tree::folder_root(input, &locator::bound_to(parameters)?, path, edges)
}

/// The packages by all keys under which dependencies refer to them.
struct Tree<'e> {
    by_descriptor: FastHashMap<&'e str, PackageIndex>,
    /// Packages that yarn patches itself, by the descriptor of their source.
    by_patched: HashMap<String, PackageIndex>,
    by_name: FastHashMap<&'e str, Named>,
    by_resolution: FastHashMap<&'e str, PackageIndex>,
    /// `None` if the root project's manifest is unknown.
    resolutions: Option<Resolutions>,
    unresolved: Vec<Unresolved>,
    skipped: SkippedEntries,
    /// The greatest descriptor. yarn sorts entries, so a cut file lacks only greater ones.
    last: &'e str,
    count: Count,
    /// Buffer for the descriptor to look up, reused to avoid allocations.
    candidate: String,
}

/// The packages that are required under one name.
#[derive(Default)]
struct Named {
    /// One of the packages.
    any: Option<PackageIndex>,
    count: usize,
    /// One of those with a patch.
    patched: Option<PackageIndex>,
    patched_count: usize,
}

impl Named {
    /// The package that the name refers to, if there is only one candidate. A patched package takes
    /// precedence over its source.
    fn only(&self) -> Option<PackageIndex> {
        match (self.count, self.patched_count) {
            (1, _) => self.any,
            (_, 1) => self.patched,
            _ => None,
        }
    }
}

/// The index of the root project, which is an entry but not a package, so no edge leads to it.
const NOWHERE: PackageIndex = PackageIndex(u32::MAX);

impl<'e> Tree<'e> {
    fn new(
        entries: &'e [Entry<'_>],
        root: Option<&Project<'_>>,
        skipped: SkippedEntries,
    ) -> Result<Self, ParseError> {
        let mut tree = Self {
            by_descriptor: fast_hash_map(entries.len()),
            by_patched: HashMap::new(),
            by_name: fast_hash_map(entries.len()),
            by_resolution: fast_hash_map(entries.len()),
            resolutions: Resolutions::of(root),
            unresolved: Vec::new(),
            skipped,
            last: entries
                .iter()
                .filter_map(|entry| entry.descriptors.first().copied())
                .max()
                .unwrap_or_default(),
            count: Count::default(),
            candidate: String::new(),
        };
        for entry in entries {
            let is_root = entry.locator.workspace.as_deref() == Some(".");
            let mut indices = Vec::new();
            for name in &entry.names {
                let index = if is_root {
                    NOWHERE
                } else {
                    tree.count.package()?
                };
                indices.push((*name, index));
            }

            if let Some((_, index)) = indices.first() {
                tree.by_resolution.insert(entry.resolution, *index);
            }
            for descriptor in &entry.descriptors {
                let name = split_spec(descriptor).map_or(*descriptor, |(name, _)| name);
                if let Some((_, index)) = indices.iter().find(|(known, _)| *known == name) {
                    tree.add(descriptor, name, *index, entry);
                }
            }
        }

        Ok(tree)
    }

    fn add(&mut self, descriptor: &'e str, name: &'e str, index: PackageIndex, entry: &Entry<'_>) {
        // Both entries are packages; only the one that dependents get is in doubt.
        if self.by_descriptor.insert(descriptor, index).is_some() {
            let shown = shortened(descriptor);
            self.skipped
                .detail(entry.line, format!("has the key `{shown}` twice"));
        }
        // Dependents require `a@file:x::locator=…` as `file:x`.
        if let Some((short, _)) = descriptor.split_once("::") {
            self.by_descriptor.entry(short).or_insert(index);
        }

        let named = self.by_name.entry(name).or_default();
        if named.any != Some(index) {
            named.any = Some(index);
            named.count += 1;
        }

        if let Some(inside) = locator::inner(descriptor) {
            // yarn's built-in patches apply to every dependent.
            if descriptor.contains("builtin<") {
                self.by_patched.insert(inside, index);
            }
            if named.patched != Some(index) {
                named.patched = Some(index);
                named.patched_count += 1;
            }
        }
    }

    fn edges(&mut self, entry: &Entry<'_>) -> Result<Vec<Edge>, ParseError> {
        let mut edges = Vec::with_capacity(entry.needs.len());
        for need in &entry.needs {
            self.count.edge()?;
            let target = match need.kind {
                // The lockfile does not record which package satisfies a peer dependency. It is
                // certain only if there is a single candidate.
                DependencyKind::Peer => self.by_name.get(need.name).and_then(Named::only),
                _ => self.find(entry, need),
            };

            match target {
                Some(NOWHERE) => {}
                Some(to) => edges.push(tree::edge(to, need.name, Some(need.range), need.kind)),
                None if need.kind == DependencyKind::Peer => {}
                None => {
                    if self.is_strict(need) {
                        let error = dangling(entry, need);
                        let plain = format!("{}@{}", need.name, need.range);
                        let with_protocol = format!("{}@npm:{}", need.name, need.range);
                        if *plain >= *self.last || *with_protocol >= *self.last {
                            return Err(error);
                        }
                        self.skipped.edge(entry.line, error.reason);
                    }
                    self.unresolved
                        .push(tree::unlocked(need.name, need.range, need.kind, entry.line));
                }
            }
        }

        // A patched package depends on its source.
        let source = locator::inner(entry.resolution);
        if let Some(to) = source.and_then(|source| self.by_resolution.get(source.as_str()))
            && *to != NOWHERE
        {
            edges.push(tree::edge(
                *to,
                &entry.locator.name,
                None,
                DependencyKind::Runtime,
            ));
        }

        Ok(edges)
    }

    /// Whether a missing entry is the only explanation for an unresolved requirement. Catalogs and
    /// resolutions are others.
    fn is_strict(&self, need: &Dependency<'_>) -> bool {
        !need.range.starts_with("catalog:")
            && self
                .resolutions
                .as_ref()
                .is_some_and(|resolutions| resolutions.about(need.name).is_empty())
    }

    /// Resolves a requirement: to the package with exactly this descriptor, else to that of a
    /// resolution, else, if a resolution may have replaced it, to the only package of that name.
    fn find(&mut self, entry: &Entry<'_>, need: &Dependency<'_>) -> Option<PackageIndex> {
        // These protocols have paths, which are relative to the dependent.
        let relative = ["file:", "portal:", "link:", "patch:", "exec:"];
        if relative.iter().any(|start| need.range.starts_with(start)) {
            let locator = locator::encoded(entry.resolution);
            let exact = format!("{}@{}::locator={locator}", need.name, need.range);
            if let Some(index) = self.by_descriptor.get(exact.as_str()) {
                return Some(*index);
            }
        }

        if let Some(index) = self.exact(need.name, need.range) {
            return Some(index);
        }
        if self.is_strict(need) {
            return None;
        }

        // Taken out during the lookup, which borrows `self` mutably.
        let resolutions = self.resolutions.take();
        let replacements = resolutions
            .as_ref()
            .map_or(&[][..], |resolutions| resolutions.about(need.name));
        let replaced = replacements
            .iter()
            .find_map(|range| self.exact(need.name, range));
        self.resolutions = resolutions;

        replaced.or_else(|| self.by_name.get(need.name).and_then(Named::only))
    }

    /// The package with a descriptor, as written or with yarn's default protocol `npm:`. A package
    /// with a built-in patch takes precedence.
    fn exact(&mut self, name: &str, range: &str) -> Option<PackageIndex> {
        for protocol in ["", "npm:"] {
            self.candidate.clear();
            self.candidate.push_str(name);
            self.candidate.push('@');
            self.candidate.push_str(protocol);
            self.candidate.push_str(range);
            let patched = match self.by_patched.is_empty() {
                true => None,
                false => self.by_patched.get(&self.candidate),
            };
            let target = patched.or_else(|| self.by_descriptor.get(self.candidate.as_str()));
            if let Some(index) = target {
                return Some(*index);
            }
        }

        None
    }
}

fn dangling(entry: &Entry<'_>, need: &Dependency<'_>) -> ParseError {
    ParseError::new(format!(
        "`{}` depends on `{}`, which is not in the file",
        shortened(entry.resolution),
        shortened(&format!("{}@{}", need.name, need.range)),
    ))
    .at_line(entry.line as usize)
    .with_hint(super::REGENERATE)
}
