//! Reader of `Manifest.toml` (<https://pkgdocs.julialang.org/v1/toml-files/#Manifest.toml>): one
//! table per package, below `deps` since version 2 of the format. The `deps` of a package lists
//! names, or names with UUIDs if a name is ambiguous.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use patchgate_model::{
    CommitId, DependencyKind, Edge, FormatId, Lockfile, Loss, Origin, Package, PackageIndex, Purl,
    Root, Unresolved,
};

use super::project_toml::{Project, comes_with_julia};
use crate::syntax::{Node, toml};
use crate::{Input, ParseError, SkippedEntries, limits, salvage};

/// Reads a manifest, together with the projects that use it.
pub(super) fn parse(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    let text = input.text()?;
    let document = toml(text)?;
    if !text.ends_with('\n') {
        return Err(
            ParseError::new("is truncated: its last line has no line break")
                .with_hint("run `Pkg.resolve()` and commit the manifest"),
        );
    }

    let mut skipped = SkippedEntries::default();
    let julia = skipped.recover(Loss::Detail, 1, document.optional_text("julia_version"));
    let julia = julia.flatten();
    let (format, entries) = match document.get("manifest_format").and_then(Node::scalar) {
        None => (FormatId::new("julia-manifest-v1"), document.entries()),
        Some(version) if version.starts_with("2.") => (
            FormatId::new("julia-manifest-v2"),
            document.optional_map("deps")?,
        ),
        Some(version) => {
            salvage::other_version(&mut skipped, 1, version, "formats 1 and 2 are");
            (
                FormatId::new("julia-manifest"),
                document.optional_map("deps")?,
            )
        }
    };
    let is_first = format == "julia-manifest-v1";

    let mut reader = Reader {
        lockfile: Lockfile {
            path: input.path.to_owned(),
            ecosystem: super::NAME,
            format,
            ..Lockfile::default()
        },
        by_uuid: HashMap::new(),
        by_name: HashMap::new(),
    };

    // The tables of packages, in file order.
    let mut tables: Vec<(&str, &Node<'_>)> = Vec::new();
    for (key, node) in entries {
        // The first version of the format has a few other values next to the packages.
        if !is_first || node.is_list() {
            if !node.is_list() {
                skipped.package(
                    key.line,
                    node.unexpected(&key.name, "a list of tables").reason,
                );
                continue;
            }
            tables.extend(node.items().iter().map(|item| (&*key.name, item)));
        }
    }

    if tables.is_empty() && is_first && !is_left_empty(text) {
        return Err(ParseError::new(
            "is not a Julia manifest: it contains no package",
        ));
    }

    tables.sort_by_key(|(_, table)| table.line);
    if tables.len() > limits::MAX_PACKAGES {
        return Err(ParseError::new("contains too many packages"));
    }

    // The last table is the one that a truncated file has lost a part of.
    let last = tables.last().map(|(_, table)| table.line);
    let mut read = Vec::with_capacity(tables.len());
    for (name, table) in tables {
        match reader.package(name, table, julia, &mut skipped) {
            Ok(()) => read.push((name, table)),
            Err(error) if last == Some(table.line) => return Err(error),
            Err(error) => skipped.package(error.line.unwrap_or(table.line), error.reason),
        }
    }
    let tables = read;

    // The graph, and the scopes that follow from its roots.
    reader.edges(&tables, &mut skipped)?;
    if julia.is_none() {
        reader.without_julia(&tables);
    }

    reader.roots(input);
    crate::scope::from_roots(&mut reader.lockfile);

    salvage::finish(reader.lockfile, skipped)
}

/// Whether the text is exactly what Pkg before 1.7 writes after the last package is removed.
fn is_left_empty(text: &str) -> bool {
    text.replace("\r\n", "\n")
        == "# This file is machine-generated - editing it directly is not advised\n\n"
}

/// A lockfile under construction.
struct Reader<'a> {
    lockfile: Lockfile,
    by_uuid: HashMap<&'a str, PackageIndex>,
    /// All packages with a name.
    by_name: HashMap<&'a str, Vec<PackageIndex>>,
}

impl<'a> Reader<'a> {
    fn package(
        &mut self,
        name: &'a str,
        table: &'a Node<'_>,
        julia: Option<&str>,
        skipped: &mut SkippedEntries,
    ) -> Result<(), ParseError> {
        let failed = |reason: String| ParseError::new(reason).at_line(table.line as usize);
        if name.is_empty() {
            return Err(failed("has a package without a name".to_owned()));
        }

        let uuid = table.need_text("uuid")?;
        if !uuid
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
        {
            return Err(failed(format!("has an invalid UUID for `{name}`")));
        }

        let text = |key| table.optional_text(key);
        let hash = text("git-tree-sha1")?;
        let origin = match (text("path")?, text("repo-url")?) {
            (Some(path), _) => Origin::Path(Some(path.to_owned())),
            (None, Some(url)) => Origin::Git {
                url: url.to_owned(),
                commit: text("repo-rev")?
                    .and_then(CommitId::parse)
                    .filter(CommitId::is_sha1)
                    .map(Into::into),
            },
            (None, None) => Origin::Registry(None),
        };
        let version = match text("version")? {
            Some(version) => version,
            None if matches!(origin, Origin::Path(_)) => "",
            None if hash.is_none() => julia.unwrap_or_default(),
            None => {
                return Err(failed(format!("lacks `version` of `{name}`")));
            }
        };

        let index = PackageIndex(u32::try_from(self.lockfile.packages.len()).unwrap_or(u32::MAX));
        // A dependency on a UUID that is there twice is one on the first.
        match self.by_uuid.entry(uuid) {
            Entry::Vacant(entry) => drop(entry.insert(index)),
            Entry::Occupied(_) => {
                skipped.edge(table.line, format!("has the UUID of `{name}` twice"));
            }
        }

        self.by_name.entry(name).or_default().push(index);
        let purl = Purl::new("julia", name, version).with_qualifier("uuid", uuid);
        self.lockfile.packages.push(Package {
            line: table.line,
            origin,
            integrity: hash.map(str::to_owned),
            purl: Some(purl.to_string()),
            ..Package::new(super::NAME, name.to_owned(), version.to_owned())
        });

        Ok(())
    }

    /// # Errors
    /// When there are too many edges, or when the last packages may be missing: a dependency is on
    /// one that would follow the last, because Pkg orders the packages by name.
    fn edges(
        &mut self,
        tables: &[(&str, &Node<'_>)],
        skipped: &mut SkippedEntries,
    ) -> Result<(), ParseError> {
        let last = tables.last().map_or("", |(name, _)| name);
        let mut count = 0;
        for (index, (_, table)) in tables.iter().enumerate() {
            let mut edges = Vec::new();
            for (field, kind) in [
                ("deps", DependencyKind::Runtime),
                ("weakdeps", DependencyKind::Optional),
            ] {
                let Some(needs) = table.get(field) else {
                    continue;
                };
                let names = skipped.recover(Loss::Edge, table.line, named(needs, field));
                for (name, uuid, line) in names.unwrap_or_default() {
                    match self.find(name, uuid) {
                        Some(to) => edges.push(Edge {
                            to,
                            name: name.into(),
                            requirement: None,
                            kind,
                        }),
                        // Weak dependencies are installed only if something else needs them.
                        None if kind == DependencyKind::Optional => {}
                        None if name <= last => {
                            let reason = format!("has a dependency on `{name}`, which it lacks");
                            skipped.edge(line, reason);
                            self.lockfile.unresolved.push(Unresolved {
                                ecosystem: super::NAME,
                                name: name.to_owned(),
                                requirement: String::new(),
                                kind,
                                line,
                            });
                        }
                        None => {
                            let reason = format!("is truncated: it lacks `{name}`");
                            return Err(ParseError::new(reason)
                                .at_line(line as usize)
                                .with_hint("run `Pkg.resolve()` and commit the manifest"));
                        }
                    }
                }
            }

            count += edges.len();
            if count > limits::MAX_EDGES {
                return Err(ParseError::new("contains too many dependencies"));
            }

            if let Some(package) = self.lockfile.packages.get_mut(index) {
                package.edges = edges;
            }
        }

        Ok(())
    }

    /// The package with a UUID, or the only package with a name.
    fn find(&self, name: &str, uuid: Option<&str>) -> Option<PackageIndex> {
        match uuid {
            Some(uuid) => self.by_uuid.get(uuid).copied(),
            None => match self.by_name.get(name).map(Vec::as_slice) {
                Some([one]) => Some(*one),
                _ => None,
            },
        }
    }

    /// Reports Julia itself as unresolved: the standard library has Julia's version, which the
    /// first version of the format does not record.
    fn without_julia(&mut self, tables: &[(&str, &Node<'_>)]) {
        let of_julia = self.lockfile.packages.iter().find(|package| {
            package.version.is_empty() && matches!(package.origin, Origin::Registry(_))
        });
        let line = of_julia.map(|package| package.line);

        if let (Some(line), false) = (line, tables.is_empty()) {
            self.lockfile.unresolved.push(Unresolved {
                ecosystem: crate::julia::NAME,
                name: "julia".to_owned(),
                requirement: String::new(),
                kind: DependencyKind::Runtime,
                line,
            });
        }
    }

    /// Adds the project next to the manifest, and the members of its workspace.
    fn roots(&mut self, input: &Input<'_>) {
        let names = ["Project.toml", "JuliaProject.toml"];
        let candidates = names.iter().map(|name| input.beside(name));
        let Some((path, project)) = candidates
            .into_iter()
            .find_map(|path| project_at(input, path))
        else {
            return;
        };
        let mut known: HashSet<String> = HashSet::new();
        let members: Vec<String> = project
            .members
            .iter()
            .map(|member| input.beside(&format!("{}/Project.toml", member.trim_end_matches('/'))))
            .collect();

        self.root(path, project, &mut known);
        for path in members.into_iter().take(limits::MAX_PACKAGES) {
            if let Some((path, project)) = project_at(input, path) {
                self.root(path, project, &mut known);
            }
        }
    }

    fn root(&mut self, path: String, project: Project, known: &mut HashSet<String>) {
        let mut edges = Vec::new();
        for required in project.requirements {
            match self.find(&required.name, None) {
                Some(to) => edges.push(Edge {
                    to,
                    name: required.name.into(),
                    requirement: (!required.requirement.is_empty())
                        .then_some(required.requirement)
                        .map(Into::into),
                    kind: required.kind,
                }),
                // The manifest does not contain the package, so there is no better line.
                None if !comes_with_julia(&required.name)
                    && known.insert(required.name.clone()) =>
                {
                    self.lockfile.unresolved.push(Unresolved {
                        line: 1,
                        ..required
                    });
                }
                None => {}
            }
        }

        self.lockfile.roots.push(Root {
            name: project.name,
            manifest: Some(path),
            edges,
        });
    }
}

fn project_at(input: &Input<'_>, path: String) -> Option<(String, Project)> {
    let bytes = input.sibling(&path)?;
    let text = Input { bytes, ..*input }.text().ok()?;
    Some((path, Project::parse(text).ok()?))
}

/// A name with its UUID, if it has one, and its line.
type Named<'n> = (&'n str, Option<&'n str>, u32);

/// The names that a package lists under `field`.
fn named<'n>(needs: &'n Node<'_>, field: &str) -> Result<Vec<Named<'n>>, ParseError> {
    if needs.is_list() {
        let name = |item: &'n Node<'_>| {
            let name = item.text().filter(|name| !name.is_empty());
            Ok((
                name.ok_or_else(|| item.unexpected(field, "a name"))?,
                None,
                item.line,
            ))
        };
        return needs.items().iter().map(name).collect();
    }

    if !needs.is_map() {
        return Err(needs.unexpected(field, "a list of names"));
    }

    let entry = |(key, node): &'n (crate::syntax::Key<'_>, Node<'_>)| {
        let uuid = node
            .text()
            .ok_or_else(|| node.unexpected(&key.name, "a UUID"))?;
        if key.name.is_empty() {
            return Err(node.unexpected(field, "a name"));
        }
        Ok((&*key.name, Some(uuid), key.line))
    };

    needs.entries().iter().map(entry).collect()
}
