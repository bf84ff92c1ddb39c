//! Reader of `deno.lock`
//! (<https://docs.deno.com/runtime/fundamentals/modules/#integrity-checking-and-lock-files>).
//!
//! All versions of the format are converted into one form: specifiers (`npm:a@^1`, `jsr:@s/b@1`)
//! with the keys of the packages that they resolve to, and packages by key.

use std::collections::{HashMap, HashSet};

use patchgate_model::{
    DependencyKind, Edge, FormatId, Lockfile, Origin, Package, PackageIndex, Root,
};

use super::NAME;
use crate::npm::tree::{Count, edge, settle, shortened, split_spec};
use crate::syntax::{self, Key, Node};
use crate::{Input, ParseError, npm};

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
}

/// Reads a lockfile, together with the manifests of its projects.
pub(super) fn parse(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    let document = syntax::json(input.text()?)?;
    if !document.is_map() {
        return Err(ParseError::new(format!(
            "is not {WHAT}: it is {}",
            document.describe()
        )));
    }

    let (number, format) = version(&document)?;
    let sections = Sections::of(&document, number);
    let mut tree = Tree::new(&sections)?;
    let mut packages = Vec::new();

    for (registry, key, entry) in sections.entries()? {
        packages.push(tree.package(registry, key, entry)?);
    }
    for (address, hash) in document.optional_map("remote")? {
        tree.count.package()?;
        packages.push(module(address, hash)?);
    }

    let roots = tree.roots(input, &document, &packages)?;
    let mut lockfile = Lockfile {
        path: input.path.to_owned(),
        ecosystem: NAME,
        format,
        packages,
        roots,
        ..Lockfile::default()
    };
    settle(&mut lockfile);

    Ok(lockfile)
}

fn version(document: &Node<'_>) -> Result<(u8, FormatId), ParseError> {
    match document.get("version").and_then(Node::scalar) {
        Some("2") => Ok((2, FormatId::new("deno-lock-v2"))),
        Some("3") => Ok((3, FormatId::new("deno-lock-v3"))),
        Some("4") => Ok((4, FormatId::new("deno-lock-v4"))),
        Some("5") => Ok((5, FormatId::new("deno-lock-v5"))),
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
fn module(address: &Key<'_>, hash: &Node<'_>) -> Result<Package, ParseError> {
    let hash = hash
        .text()
        .ok_or_else(|| hash.unexpected(&address.name, "a hash"))?;
    if !address.name.contains("://") {
        return Err(incomplete(address, "is not an address"));
    }

    Ok(Package {
        origin: Origin::Url(address.name.to_string()),
        line: address.line,
        integrity: Some(hash.to_owned()),
        ..Package::new(NAME, address.name.to_string(), String::new())
    })
}

fn incomplete(key: &Key<'_>, what: &str) -> ParseError {
    ParseError::new(format!("is not {WHAT}: `{}` {what}", shortened(&key.name)))
        .at_line(key.line as usize)
        .with_hint(REGENERATE)
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
    count: Count,
}

impl<'n> Tree<'n> {
    fn new(sections: &Sections<'n>) -> Result<Self, ParseError> {
        let mut tree = Self {
            by_key: HashMap::new(),
            by_name: HashMap::new(),
            specifiers: Vec::new(),
            by_specifier: HashMap::new(),
            count: Count::default(),
        };
        for (registry, key, _) in sections.entries()? {
            let index = tree.count.package()?;
            tree.by_key.insert((registry, &key.name), index);
            let (name, _) =
                split_spec(&key.name).ok_or_else(|| incomplete(key, "has no version"))?;
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
            let value = value
                .text()
                .ok_or_else(|| value.unexpected(&key.name, "a version"))?;
            tree.specifier(sections.number, key, value)?;
        }

        Ok(tree)
    }

    /// Adds a specifier. Its value is a complete key up to version 3 of the format, and a version
    /// since.
    fn specifier(&mut self, number: u8, key: &'n Key<'n>, value: &str) -> Result<(), ParseError> {
        let (registry, spec) = match Registry::of(&key.name) {
            Some(found) => found,
            None if number == 2 => (Registry::Npm, &*key.name),
            None => return Err(incomplete(key, "is from an unknown registry")),
        };
        let name = split_spec(spec).map_or(spec, |(name, _)| name);
        let locked = match number {
            2 => value.to_owned(),
            3 => Registry::of(value).map_or(value, |(_, key)| key).to_owned(),
            _ => format!("{name}@{value}"),
        };
        let index = self
            .by_key
            .get(&(registry, locked.as_str()))
            .ok_or_else(|| incomplete(key, "refers to a package that it does not lock"))?;
        self.specifiers.push((key, registry, spec, *index));
        self.by_specifier.insert((registry, spec), *index);

        Ok(())
    }

    fn package(
        &mut self,
        registry: Registry,
        key: &Key<'_>,
        entry: &Node<'_>,
    ) -> Result<Package, ParseError> {
        if !entry.is_map() {
            return Err(entry.unexpected(&key.name, "a map"));
        }

        let (name, version) =
            split_spec(&key.name).ok_or_else(|| incomplete(key, "has no version"))?;
        // After the version, the key lists the resolved peer dependencies.
        let version = version.split('_').next().unwrap_or_default();
        if version.is_empty() {
            return Err(incomplete(key, "has no version"));
        }

        let ecosystem = match registry {
            Registry::Npm => npm::NAME,
            Registry::Jsr => NAME,
        };

        let archive = entry.optional_text("tarball")?;
        Ok(Package {
            origin: Origin::Registry(archive.map(str::to_owned)),
            line: key.line,
            integrity: entry.optional_text("integrity")?.map(str::to_owned),
            edges: self.edges(registry, key, entry)?,
            ..Package::new(ecosystem, name.to_owned(), version.to_owned())
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
                let text = text.ok_or_else(|| list.unexpected(section, "texts"))?;
                self.count.edge()?;
                let found = self.dependency(registry, name, text);

                match found {
                    Some(edge) if seen.insert(edge.name.clone()) => {
                        edges.push(Edge { kind, ..edge });
                    }
                    Some(_) => {}
                    None if kind != DependencyKind::Runtime => {}
                    None => {
                        let what =
                            format!("depends on `{}`, which it does not lock", shortened(text));
                        return Err(incomplete(key, &what));
                    }
                }
            }
        }

        Ok(edges)
    }

    /// The package of an entry's dependency. It is given by key, by alias and key
    /// (`a@npm:b@1.0.0`), by specifier, or by name if only one package has that name.
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
            None if reference.is_empty() => self
                .by_name
                .get(&(registry, text))
                .copied()
                .flatten()
                .map(to_edge),
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

/// The path of the `deno.json` or `deno.jsonc` in a directory, if there is one.
fn deno_manifest(input: &Input<'_>, directory: &str) -> Option<String> {
    ["deno.json", "deno.jsonc"]
        .iter()
        .find_map(|name| joined(input, directory, name))
}

/// The path of a file in a directory, if the file exists.
fn joined(input: &Input<'_>, directory: &str, name: &str) -> Option<String> {
    let directory = directory.trim_start_matches("./").trim_end_matches('/');
    let path = match directory {
        "" => input.beside(name),
        _ => input.beside(&format!("{directory}/{name}")),
    };
    input.sibling(&path).map(|_| path)
}

/// The kinds of the dependencies in a `package.json` that are not run-time dependencies.
fn kinds(input: &Input<'_>, path: &str) -> HashMap<String, DependencyKind> {
    let mut kinds = HashMap::new();
    let manifest = Input {
        path,
        bytes: input.sibling(path).unwrap_or_default(),
        siblings: input.siblings,
    };
    let Some(document) = manifest
        .text()
        .ok()
        .and_then(|text| syntax::json(text).ok())
    else {
        return kinds;
    };

    for (section, kind) in [
        ("devDependencies", DependencyKind::Development),
        ("optionalDependencies", DependencyKind::Optional),
    ] {
        for (name, _) in document.get(section).map(Node::entries).unwrap_or_default() {
            kinds.insert(name.name.to_string(), kind);
        }
    }

    kinds
}
