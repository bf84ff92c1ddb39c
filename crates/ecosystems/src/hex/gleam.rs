//! Readers of Gleam's lockfile `manifest.toml` and its manifest `gleam.toml`
//! (<https://gleam.run/writing-gleam/gleam-toml/>).

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use patchgate_model::{
    DependencyKind, Edge, FormatId, Lockfile, Loss, Origin, Package, PackageIndex, Root, Unresolved,
};

use crate::syntax::{Node, toml};
use crate::{Input, ParseError, SkippedEntries, limits, salvage, scope};
use patchgate_model::without_credentials;

/// Tables of requirements. Older Gleam versions write the name of the second with a dash.
const TABLES: [(&str, DependencyKind); 3] = [
    ("dependencies", DependencyKind::Runtime),
    ("dev_dependencies", DependencyKind::Development),
    ("dev-dependencies", DependencyKind::Development),
];

/// Reads a lockfile, together with the `gleam.toml` next to it.
pub(super) fn parse(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    let document = toml(input.text()?)?;
    let requirements = document.get("requirements").filter(|node| node.is_map());
    let packages = document.get("packages").filter(|node| node.is_list());
    let (Some(packages), Some(_)) = (packages, requirements) else {
        return Err(ParseError::new(
            "is truncated or is not a Gleam manifest: it lacks `packages` or `requirements`",
        )
        .with_hint("re-create the file with `gleam deps download`, or exclude it from the scan"));
    };
    let mut lockfile = Lockfile {
        path: input.path.to_owned(),
        ecosystem: super::NAME,
        format: FormatId::new("gleam-manifest"),
        ..Lockfile::default()
    };

    let mut skipped = SkippedEntries::default();
    let mut indices = HashMap::new();
    let mut entries = Vec::new();
    for entry in packages.items() {
        let Some(package) = skipped.recover(Loss::Package, entry.line, package(entry)) else {
            continue;
        };
        let index = PackageIndex(u32::try_from(lockfile.packages.len()).unwrap_or(u32::MAX));
        if lockfile.packages.len() >= limits::MAX_PACKAGES {
            return Err(ParseError::new("locks too many packages").at_line(entry.line as usize));
        }
        // A dependency on a package that is locked twice is one on the first.
        match indices.entry(package.name.clone()) {
            Entry::Vacant(entry) => drop(entry.insert(index)),
            Entry::Occupied(_) => {
                skipped.edge(entry.line, format!("locks `{}` twice", package.name));
            }
        }

        entries.push(entry);
        lockfile.packages.push(package);
    }

    // The edges, for which all packages must be known. The list of packages is closed by a bracket,
    // so a missing one is not a sign of a truncated file.
    for (package, entry) in lockfile.packages.iter_mut().zip(entries) {
        let names = entry.optional_list("requirements");
        let names = skipped.recover(Loss::Edge, entry.line, names);
        for name in names.unwrap_or_default() {
            let text = name
                .text()
                .ok_or_else(|| name.unexpected("requirements", "texts"));
            let Some(text) = skipped.recover(Loss::Edge, name.line, text) else {
                continue;
            };
            match edge(text, None, &indices) {
                Some(edge) => package.edges.push(edge),
                None => {
                    let open = unlocked(text, None, DependencyKind::Runtime, name.line);
                    skip_dangling(open, &mut skipped, &mut lockfile.unresolved);
                }
            }
        }
    }

    let root = root(
        input,
        &document,
        &indices,
        &mut skipped,
        &mut lockfile.unresolved,
    )?;
    lockfile.roots.push(root);
    scope::from_roots(&mut lockfile);

    salvage::finish(lockfile, skipped)
}

fn package(entry: &Node<'_>) -> Result<Package, ParseError> {
    let name = entry.need_text("name")?.to_owned();
    let version = entry.need_text("version")?.to_owned();
    let address = |key: &str| -> Result<String, ParseError> {
        Ok(without_credentials(entry.need_text(key)?).into_owned())
    };
    let origin = match entry.optional_text("source")? {
        Some("git") => Origin::Git {
            url: address("repo")?,
            commit: entry.optional_text("commit")?.map(str::to_owned),
        },
        Some("local") => Origin::Path(Some(entry.need_text("path")?.to_owned())),
        _ => Origin::Registry(None),
    };

    Ok(Package {
        line: entry.line,
        origin,
        integrity: entry.optional_text("outer_checksum")?.map(str::to_owned),
        ..Package::new(super::NAME, name, version)
    })
}

/// Skips an edge to a package that the file does not lock. The package is reported as a requirement,
/// so that it is judged like one that no lockfile pins.
fn skip_dangling(open: Unresolved, skipped: &mut SkippedEntries, unresolved: &mut Vec<Unresolved>) {
    let reason = format!("asks for `{}`, which it does not lock", open.name);
    skipped.edge(open.line, reason);
    unresolved.push(open);
}

fn unlocked(name: &str, requirement: Option<&str>, kind: DependencyKind, line: u32) -> Unresolved {
    Unresolved {
        ecosystem: super::NAME,
        name: name.to_owned(),
        requirement: requirement.unwrap_or_default().to_owned(),
        kind,
        line,
    }
}

/// The edge to a package; `None` if the file does not lock it.
fn edge(
    name: &str,
    requirement: Option<&str>,
    indices: &HashMap<String, PackageIndex>,
) -> Option<Edge> {
    Some(Edge {
        to: *indices.get(name)?,
        name: name.into(),
        requirement: requirement.map(Into::into),
        kind: DependencyKind::Runtime,
    })
}

/// The project. The lockfile repeats its requirements, and the manifest says which of them are for
/// development.
fn root(
    input: &Input<'_>,
    document: &Node<'_>,
    indices: &HashMap<String, PackageIndex>,
    skipped: &mut SkippedEntries,
    unresolved: &mut Vec<Unresolved>,
) -> Result<Root, ParseError> {
    let path = input.beside("gleam.toml");
    let manifest = input.sibling(&path).map(|bytes| Input {
        path: &path,
        bytes,
        siblings: input.siblings,
    });

    // An unreadable manifest still belongs to this lockfile.
    let requirements = manifest.and_then(|manifest| requirements(&manifest).ok());
    let kinds: HashMap<String, DependencyKind> = requirements
        .unwrap_or_default()
        .into_iter()
        .map(|required| (required.name, required.kind))
        .collect();

    let mut edges = Vec::new();
    for (name, value) in document.optional_map("requirements")? {
        let requirement = value.get("version").unwrap_or(value).text();
        let kind = kinds.get(&*name.name).copied();
        let kind = kind.unwrap_or(DependencyKind::Runtime);
        match edge(&name.name, requirement, indices) {
            Some(edge) => edges.push(Edge { kind, ..edge }),
            None => {
                let open = unlocked(&name.name, requirement, kind, name.line);
                skip_dangling(open, skipped, unresolved);
            }
        }
    }

    Ok(Root {
        name: String::new(),
        manifest: manifest.map(|manifest| manifest.path.to_owned()),
        edges,
    })
}

/// The requirements of a manifest that has no lockfile. Path dependencies are left out, because
/// they have no versions to pin.
pub(super) fn unresolved(input: &Input<'_>) -> Result<Vec<Unresolved>, ParseError> {
    requirements(input)
}

fn requirements(input: &Input<'_>) -> Result<Vec<Unresolved>, ParseError> {
    let document = toml(input.text()?)?;
    let mut open = Vec::new();
    for (table, kind) in TABLES {
        for (name, value) in document.optional_map(table)? {
            let requirement = match value.text() {
                Some(text) => text,
                None if value.is_map() && value.get("path").is_some() => continue,
                None if value.is_map() => {
                    let stated = value.optional_text("git")?;
                    stated
                        .or(value.optional_text("version")?)
                        .unwrap_or_default()
                }
                None => return Err(value.unexpected(&name.name, "a text or a table")),
            };
            if name.name.is_empty() {
                continue;
            }

            open.push(Unresolved {
                ecosystem: crate::hex::NAME,
                name: name.name.clone().into_owned(),
                requirement: requirement.to_owned(),
                kind,
                line: name.line,
            });
        }
    }

    open.sort_by_key(|open| open.line);
    Ok(open)
}
