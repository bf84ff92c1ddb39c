//! Reader of `deno.lock`
//! (<https://docs.deno.com/runtime/fundamentals/modules/#integrity-checking-and-lock-files>).
//!
//! All versions of the format are converted into one form: specifiers (`npm:a@^1`, `jsr:@s/b@1`)
//! with the keys of the packages that they resolve to, and packages by key.

use std::collections::{HashMap, HashSet};

use patchgate_model::{
    DependencyKind, EcosystemName, Edge, FormatId, Lockfile, Loss, Origin, Package, PackageIndex,
    Root, Unresolved,
};

use super::NAME;
use super::projects::{deno_manifest, joined, kinds};
use crate::later_version::later_version;
use crate::npm::tree::{Count, edge, settle, shortened, split_spec};
use crate::syntax::{Key, Node};
use crate::{Input, ParseError, SkippedEntries, duplicate_keys, npm};

/// Name of the expected format, for error messages.
const WHAT: &str = "a deno.lock";

/// Hint for an incomplete file.
const REGENERATE: &str = "run `deno install --frozen=false` to re-create it";

/// Registry of a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Registry {
    Npm,
    Jsr,
}

impl Registry {
    /// The registry of a specifier, and the rest of the specifier.
    fn of(specifier: &str) -> Option<(Self, &str)> {
        [("npm:", Self::Npm), ("jsr:", Self::Jsr)]
            .iter()
            .find_map(|(start, registry)| Some((*registry, specifier.strip_prefix(start)?)))
    }

    fn prefix(self) -> &'static str {
        match self {
            Self::Npm => "npm:",
            Self::Jsr => "jsr:",
        }
    }

    fn ecosystem(self) -> EcosystemName {
        match self {
            Self::Npm => npm::NAME,
            Self::Jsr => NAME,
        }
    }
}

/// The name and version of an entry.
fn checked<'k>(key: &'k Key<'_>, entry: &Node<'_>) -> Result<(&'k str, &'k str), ParseError> {
    if !entry.is_map() {
        return Err(entry.unexpected(&key.name, "a map"));
    }
    let (name, version) = split_spec(&key.name).ok_or_else(|| incomplete(key, "has no version"))?;
    // After the version, the key lists the resolved peer dependencies.
    let version = version.split('_').next().unwrap_or_default();
    if version.is_empty() {
        return Err(incomplete(key, "has no version"));
    }

    Ok((name, version))
}

/// Reads a lockfile, together with the manifests of its projects.
pub(super) fn parse(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    let mut skipped = SkippedEntries::default();
    let document = duplicate_keys::json(input.text()?, &mut skipped)?;
    if !document.is_map() {
        return Err(ParseError::new(format!(
            "is not {WHAT}: it is {}",
            document.describe()
        )));
    }

    let (number, format) = version(&document, &mut skipped)?;
    let sections = Sections::of(&document, number);
    let mut tree = Tree::new(&sections, skipped)?;
    let mut packages = Vec::new();

    for (registry, key, entry) in sections.entries()? {
        if tree.by_key.contains_key(&(registry, &*key.name)) {
            packages.push(tree.package(registry, key, entry)?);
        }
    }
    for (address, hash) in document.optional_map("remote")? {
        tree.count.package()?;
        let module = module(address, hash, &mut tree.skipped);
        packages.extend(tree.skipped.recover(Loss::Package, address.line, module));
    }

    let roots = tree.roots(input, &document, &packages)?;
    let mut lockfile = Lockfile {
        path: input.path.to_owned(),
        ecosystem: NAME,
        format,
        packages,
        roots,
        unresolved: tree.unresolved,
        skipped: tree.skipped.into_entries(),
        ..Lockfile::default()
    };
    settle(&mut lockfile);

    Ok(lockfile)
}

/// The number and name of the format. A later version than the known ones is read like the last of
/// these.
fn version(
    document: &Node<'_>,
    skipped: &mut SkippedEntries,
) -> Result<(u8, FormatId), ParseError> {
    match document.get("version").and_then(Node::scalar) {
        Some("2") => Ok((2, FormatId::new("deno-lock-v2"))),
        Some("3") => Ok((3, FormatId::new("deno-lock-v3"))),
        Some("4") => Ok((4, FormatId::new("deno-lock-v4"))),
        Some("5") => Ok((5, FormatId::new("deno-lock-v5"))),
        Some(other) if other.parse().is_ok_and(|number: u32| number > 5) => {
            let line = document.get("version").map_or(1, |version| version.line);
            let has_entries = document.get("npm").or(document.get("jsr")).is_some();
            later_version(other, line, has_entries, skipped)?;
            Ok((5, FormatId::new("deno-lock")))
        }
        Some(other) => Err(ParseError::new(format!(
            "has version {}; versions 2 to 5 are supported",
            shortened(other)
        ))),
        None => {
            Err(ParseError::new(format!("is not {WHAT}: it lacks `version`")).with_hint(REGENERATE))
        }
    }
}

/// A module that is imported by its address. The address is its only identification, so it has no
/// version.
fn module(
    address: &Key<'_>,
    hash: &Node<'_>,
    skipped: &mut SkippedEntries,
) -> Result<Package, ParseError> {
    if !address.name.contains("://") {
        return Err(incomplete(address, "is not an address"));
    }
    if hash.text().is_none() {
        let name = shortened(&address.name);
        skipped.detail(
            hash.line,
            format!("has {} as the hash of `{name}`", hash.describe()),
        );
    }

    Ok(Package {
        origin: Origin::Url(address.name.to_string()),
        line: address.line,
        integrity: hash.text().map(str::to_owned),
        ..Package::new(NAME, address.name.to_string(), String::new())
    })
}

fn incomplete(key: &Key<'_>, what: &str) -> ParseError {
    ParseError::new(format!(
        "has the entry `{}`, which {what}",
        shortened(&key.name)
    ))
    .at_line(key.line as usize)
}

/// The parts of a lockfile that contain specifiers and packages. Their location depends on the
/// format version.
struct Sections<'n> {
    specifiers: Option<&'n Node<'n>>,
    npm: Option<&'n Node<'n>>,
    jsr: Option<&'n Node<'n>>,
    number: u8,
}

impl<'n> Sections<'n> {
    fn of(document: &'n Node<'n>, number: u8) -> Self {
        let npm = document.get("npm");

        match number {
            2 => Self {
                specifiers: npm.and_then(|npm| npm.get("specifiers")),
                npm: npm.and_then(|npm| npm.get("packages")),
                jsr: None,
                number,
            },
            3 => {
                let packages = document.get("packages");
                let within = |name: &str| packages.and_then(|packages| packages.get(name));
                Self {
                    specifiers: within("specifiers"),
                    npm: within("npm"),
                    jsr: within("jsr"),
                    number,
                }
            }
            _ => Self {
                specifiers: document.get("specifiers"),
                npm,
                jsr: document.get("jsr"),
                number,
            },
        }
    }

    /// The packages with their keys, those of npm first.
    fn entries(&self) -> Result<Vec<(Registry, &'n Key<'n>, &'n Node<'n>)>, ParseError> {
        let mut entries = Vec::new();
        for (registry, name, section) in [
            (Registry::Npm, "npm", self.npm),
            (Registry::Jsr, "jsr", self.jsr),
        ] {
            let Some(section) = section.filter(|section| !section.is_null()) else {
                continue;
            };
            if !section.is_map() {
                return Err(section.unexpected(name, "a map"));
            }
            entries.extend(
                section
                    .entries()
                    .iter()
                    .map(|(key, node)| (registry, key, node)),
            );
        }

        Ok(entries)
    }
}

/// Indices of packages by key, name and specifier.
struct Tree<'n> {
    by_key: HashMap<(Registry, &'n str), PackageIndex>,
    /// The package with a name; `None` if several packages have it.
    by_name: HashMap<(Registry, &'n str), Option<PackageIndex>>,
    /// The key of each specifier, its registry, the specifier without registry, and its package.
    specifiers: Vec<(&'n Key<'n>, Registry, &'n str, PackageIndex)>,
    by_specifier: HashMap<(Registry, &'n str), PackageIndex>,
    /// The only specifier of each name: Deno writes a dependency on it without a requirement. `None`
    /// if there are several.
    only_specifier: HashMap<(Registry, &'n str), Option<PackageIndex>>,
    count: Count,
    unresolved: Vec<Unresolved>,
    skipped: SkippedEntries,
}

impl<'n> Tree<'n> {
    fn new(sections: &Sections<'n>, skipped: SkippedEntries) -> Result<Self, ParseError> {
        let mut tree = Self {
            by_key: HashMap::new(),
            by_name: HashMap::new(),
            specifiers: Vec::new(),
            by_specifier: HashMap::new(),
            only_specifier: HashMap::new(),
            count: Count::default(),
            unresolved: Vec::new(),
            skipped,
        };
        for (registry, key, entry) in sections.entries()? {
            let checked = checked(key, entry);
            let checked = tree.skipped.recover(Loss::Package, key.line, checked);
            let Some((name, _)) = checked else { continue };
            let index = tree.count.package()?;
            tree.by_key.insert((registry, &key.name), index);
            tree.by_name
                .entry((registry, name))
                .and_modify(|known| *known = None)
                .or_insert(Some(index));
        }

        let Some(specifiers) = sections.specifiers.filter(|node| !node.is_null()) else {
            return Ok(tree);
        };
        if !specifiers.is_map() {
            return Err(specifiers.unexpected("specifiers", "a map"));
        }

        for (key, value) in specifiers.entries() {
            match value.text() {
                Some(value) => tree.specifier(sections.number, key, value),
                None => {
                    let reason = value.unexpected(&key.name, "a version").reason;
                    tree.dangling(key, &key.name, reason);
                }
            }
        }

        Ok(tree)
    }

    /// Adds a specifier. Its value is a complete key up to version 3 of the format, and a version
    /// since.
    fn specifier(&mut self, number: u8, key: &'n Key<'n>, value: &str) {
        let (registry, spec) = match Registry::of(&key.name) {
            Some(found) => found,
            None if number == 2 => (Registry::Npm, &*key.name),
            None => {
                let reason = incomplete(key, "is from an unknown registry").reason;
                self.skipped.package(key.line, reason);
                return;
            }
        };
        let name = split_spec(spec).map_or(spec, |(name, _)| name);
        let locked = match number {
            2 => value.to_owned(),
            3 => Registry::of(value).map_or(value, |(_, key)| key).to_owned(),
            _ => format!("{name}@{value}"),
        };
        let Some(index) = self.by_key.get(&(registry, locked.as_str())).copied() else {
            let reason = incomplete(key, "refers to a package that the file does not lock").reason;
            self.dangling(key, &key.name, reason);
            return;
        };

        self.specifiers.push((key, registry, spec, index));
        self.by_specifier.insert((registry, spec), index);
        self.only_specifier
            .entry((registry, name))
            .and_modify(|only| *only = None)
            .or_insert(Some(index));
    }

    /// Skips a reference to a package that the file does not lock. The package is reported as a
    /// requirement, so that it is judged like one that no lockfile pins.
    fn dangling(&mut self, key: &Key<'_>, reference: &str, reason: String) {
        self.skipped.edge(key.line, reason);
        let (registry, spec) = Registry::of(reference).unwrap_or((Registry::Npm, reference));
        let (name, requirement) = split_spec(spec).unwrap_or((spec, ""));
        // The reference of an alias is the package itself.
        let (name, requirement) = match requirement.strip_prefix("npm:") {
            Some(inner) => split_spec(inner).unwrap_or((inner, "")),
            None => (name, requirement),
        };
        if !name.is_empty() {
            self.unresolved.push(Unresolved {
                ecosystem: registry.ecosystem(),
                name: shortened(name),
                requirement: requirement.split('_').next().unwrap_or_default().to_owned(),
                kind: DependencyKind::Runtime,
                line: key.line,
            });
        }
    }

    fn package(
        &mut self,
        registry: Registry,
        key: &Key<'_>,
        entry: &Node<'_>,
    ) -> Result<Package, ParseError> {
        let (name, version) = checked(key, entry)?;
        for field in ["tarball", "integrity"] {
            if let Err(error) = entry.optional_text(field) {
                let line = error.line.unwrap_or(key.line);
                self.skipped.detail(line, error.reason);
            }
        }

        let archive = entry.get("tarball").and_then(Node::text);
        let integrity = entry.get("integrity").and_then(Node::text);
        Ok(Package {
            origin: Origin::Registry(archive.map(str::to_owned)),
            line: key.line,
            integrity: integrity.map(str::to_owned),
            edges: self.edges(registry, key, entry)?,
            ..Package::new(registry.ecosystem(), name.to_owned(), version.to_owned())
        })
    }

    /// The dependencies of an entry. Optional ones may be absent from the lockfile.
    fn edges(
        &mut self,
        registry: Registry,
        key: &Key<'_>,
        entry: &Node<'_>,
    ) -> Result<Vec<Edge>, ParseError> {
        let mut edges = Vec::new();
        let mut seen = HashSet::new();
        for (section, kind) in [
            ("optionalDependencies", DependencyKind::Optional),
            ("optionalPeers", DependencyKind::Peer),
            ("dependencies", DependencyKind::Runtime),
        ] {
            let Some(list) = entry.get(section) else {
                continue;
            };
            // Up to version 3 of the format, a map from name to key; since then, a list of both.
            let texts: Vec<(Option<&str>, Option<&str>)> = match list.is_map() {
                true => list
                    .entries()
                    .iter()
                    .map(|(name, key)| (Some(&*name.name), key.text()))
                    .collect(),
                false => list
                    .items()
                    .iter()
                    .map(|item| (None, item.text()))
                    .collect(),
            };
            for (name, text) in texts {
                self.count.edge()?;
                let Some(text) = text else {
                    let reason = list.unexpected(section, "texts").reason;
                    self.skipped.edge(list.line, reason);
                    continue;
                };
                let found = self.dependency(registry, name, text);

                match found {
                    Some(edge) if seen.insert(edge.name.clone()) => {
                        edges.push(Edge { kind, ..edge });
                    }
                    Some(_) => {}
                    None if kind != DependencyKind::Runtime => {}
                    None => {
                        let text_shown = shortened(text);
                        let what =
                            format!("depends on `{text_shown}`, which the file does not lock");
                        let reference = match Registry::of(text) {
                            Some(_) => text.to_owned(),
                            None => format!("{}{text}", registry.prefix()),
                        };
                        self.dangling(key, &reference, incomplete(key, &what).reason);
                    }
                }
            }
        }

        Ok(edges)
    }

    /// The package of an entry's dependency. It is given by key, by alias and key
    /// (`a@npm:b@1.0.0`), by specifier, or by name if only one package or only one specifier has that
    /// name.
    fn dependency(&self, from: Registry, name: Option<&str>, text: &str) -> Option<Edge> {
        let (registry, text) = Registry::of(text).unwrap_or((from, text));
        let (own, reference) = split_spec(text).unwrap_or((text, ""));
        let to_edge =
            |index: PackageIndex| edge(index, name.unwrap_or(own), None, DependencyKind::Runtime);
        if let Some(key) = reference.strip_prefix("npm:") {
            return self.by_key.get(&(Registry::Npm, key)).copied().map(to_edge);
        }

        let exact = self
            .by_key
            .get(&(registry, text))
            .or_else(|| self.by_specifier.get(&(registry, text)));
        match exact {
            Some(index) => Some(to_edge(*index)),
            None if reference.is_empty() => {
                let only = |of: &HashMap<(Registry, &str), Option<PackageIndex>>| {
                    of.get(&(registry, text)).copied().flatten()
                };
                only(&self.by_name)
                    .or_else(|| only(&self.only_specifier))
                    .map(to_edge)
            }
            None => None,
        }
    }

    /// The projects. A specifier that `workspace` lists for no project, and whose package no other
    /// package requires, was found in the sources. It belongs to the first project.
    fn roots(
        &mut self,
        input: &Input<'_>,
        document: &Node<'_>,
        packages: &[Package],
    ) -> Result<Vec<Root>, ParseError> {
        let required: HashSet<PackageIndex> = packages
            .iter()
            .flat_map(|package| package.edges.iter().map(|edge| edge.to))
            .collect();
        let mut roots = Vec::new();
        let mut claimed = HashSet::new();
        let workspace = document.get("workspace");
        if let Some(workspace) = workspace {
            self.project(input, "", workspace, &mut roots, &mut claimed)?;
            for (directory, member) in workspace.optional_map("members")? {
                self.project(input, &directory.name, member, &mut roots, &mut claimed)?;
            }
        }

        if roots.is_empty() {
            roots.push(Root {
                manifest: deno_manifest(input, ""),
                ..Root::default()
            });
        }

        let rest = self
            .specifiers
            .iter()
            .filter(|(key, .., index)| !claimed.contains(&*key.name) && !required.contains(index))
            .map(|(_, _, spec, index)| requested(*index, spec, DependencyKind::Runtime));
        if let Some(root) = roots.first_mut() {
            root.edges.extend(rest);
        }

        Ok(roots)
    }

    fn project(
        &mut self,
        input: &Input<'_>,
        directory: &str,
        node: &Node<'_>,
        roots: &mut Vec<Root>,
        claimed: &mut HashSet<String>,
    ) -> Result<(), ParseError> {
        let package_json = node.get("packageJson");
        let manifest = joined(input, directory, "package.json");
        let kinds = manifest
            .as_deref()
            .map(|path| kinds(input, path))
            .unwrap_or_default();
        for (list, manifest, kinds) in [
            (Some(node), deno_manifest(input, directory), HashMap::new()),
            (package_json, manifest, kinds),
        ] {
            let Some(list) = list else { continue };
            let mut edges = Vec::new();
            for item in list.optional_list("dependencies")? {
                let text = item
                    .text()
                    .ok_or_else(|| item.unexpected("dependencies", "a text"))?;
                self.count.edge()?;
                claimed.insert(text.to_owned());
                let Some((registry, spec)) = Registry::of(text) else {
                    continue;
                };
                let Some(index) = self.by_specifier.get(&(registry, spec)) else {
                    continue;
                };
                let name = split_spec(spec).map_or(spec, |(name, _)| name);
                let kind = kinds.get(name).copied().unwrap_or(DependencyKind::Runtime);
                edges.push(requested(*index, spec, kind));
            }
            if manifest.is_some() || !edges.is_empty() {
                roots.push(Root {
                    name: String::new(),
                    manifest,
                    edges,
                });
            }
        }

        Ok(())
    }
}

fn requested(index: PackageIndex, spec: &str, kind: DependencyKind) -> Edge {
    let (name, requirement) = split_spec(spec).unwrap_or((spec, ""));
    let requirement = Some(requirement).filter(|requirement| !requirement.is_empty());
    edge(index, name, requirement, kind)
}
