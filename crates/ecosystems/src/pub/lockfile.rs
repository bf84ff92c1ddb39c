//! Reader of `pubspec.lock` (<https://dart.dev/tools/pub/glossary#lockfile>): the packages by name,
//! and whether each is a direct dependency of the project.
//!
//! The file contains no graph, so it is unknown whether a transitive dependency is only for
//! development.

use std::collections::{HashMap, HashSet};

use patchgate_model::{
    DependencyKind, Edge, FormatId, Lockfile, Loss, Origin, Package, PackageIndex, Root, Scope,
};

use super::manifest;
use crate::syntax::{Node, yaml};
use crate::{Input, ParseError, SkippedEntries, limits, salvage};
use patchgate_model::without_credentials;

/// Reads a lockfile, together with the manifests of its workspace.
pub(super) fn parse(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    let text = input.text()?;
    let document = yaml(text)?;
    if document.get("packages").is_none() {
        return Err(ParseError::new(
            "is not a pub lockfile: it lacks `packages`",
        ));
    }

    let mut skipped = SkippedEntries::default();
    // pub writes `sdks` last, and does not need it to read the packages.
    let sdks = document.get("sdks").or_else(|| document.get("sdk"));
    if sdks.is_none_or(Node::is_null) {
        salvage::may_be_cut(&mut skipped, text, "`sdks`")?;
    }

    let mut lockfile = Lockfile {
        path: input.path.to_owned(),
        ecosystem: super::NAME,
        format: FormatId::new("pubspec-lock"),
        ..Lockfile::default()
    };
    let mut direct = Vec::new();
    for (name, entry) in document.optional_map("packages")? {
        if lockfile.packages.len() >= limits::MAX_PACKAGES {
            return Err(ParseError::new("locks too many packages"));
        }

        let index = PackageIndex(u32::try_from(lockfile.packages.len()).unwrap_or(u32::MAX));
        let kind = match entry.get("dependency").and_then(Node::text) {
            Some("direct dev") => Some(DependencyKind::Development),
            Some(text) if text.starts_with("direct") => Some(DependencyKind::Runtime),
            _ => None,
        };
        let package = package(&name.name, entry, name.line, kind, &mut skipped);
        let Some(package) = skipped.recover(Loss::Package, name.line, package) else {
            continue;
        };
        lockfile.packages.push(package);
        direct.extend(kind.map(|kind| Edge {
            to: index,
            name: (&*name.name).into(),
            requirement: None,
            kind,
        }));
    }

    lockfile.roots = roots(input, &lockfile, direct);
    salvage::finish(lockfile, skipped)
}

fn package(
    key: &str,
    entry: &Node<'_>,
    line: u32,
    kind: Option<DependencyKind>,
    skipped: &mut SkippedEntries,
) -> Result<Package, ParseError> {
    if !entry.is_map() {
        return Err(entry.unexpected(key, "a map"));
    }

    let version = entry.need_text("version")?;
    // Without a source or a description, the package is one of the registry by its key.
    let mut stated = |name: &str| {
        let found = entry.get(name).filter(|node| !node.is_null());
        if found.is_none() {
            skipped.detail(line, format!("locks `{key}` without `{name}`"));
        }
        found
    };
    let source = stated("source").and_then(Node::text).unwrap_or("hosted");
    let description = stated("description").unwrap_or(entry);
    let detail = |name: &str| match description.is_map() {
        true => description.optional_text(name),
        // Dart 1 and Flutter's own packages have a single text.
        false => Ok(None),
    };
    let origin = match source {
        "hosted" => {
            Origin::Registry(detail("url")?.map(|url| without_credentials(url).into_owned()))
        }
        "git" => Origin::Git {
            url: match description.text() {
                Some(url) => without_credentials(url).into_owned(),
                None => without_credentials(description.need_text("url")?).into_owned(),
            },
            commit: detail("resolved-ref")?.map(str::to_owned),
        },
        "path" => Origin::Path(detail("path")?.map(str::to_owned)),
        // Packages that are part of Dart or Flutter.
        "sdk" => Origin::Path(None),
        other => {
            return Err(ParseError::new(format!(
                "locks `{key}` from the unknown source {other:?}"
            ))
            .at_line(line as usize));
        }
    };

    let name = match source {
        "hosted" => detail("name")?.filter(|name| !name.is_empty()),
        _ => None,
    };
    if key.is_empty() {
        return Err(ParseError::new("locks a package without a name").at_line(line as usize));
    }
    if super::version::parse(version).is_none() {
        return Err(ParseError::new(format!(
            "locks `{key}` at {version:?}, which is not a version"
        ))
        .at_line(line as usize));
    }

    Ok(Package {
        line,
        origin,
        integrity: detail("sha256")?
            .filter(|hash| !hash.is_empty())
            .map(str::to_owned),
        scope: kind.map(Scope::from).unwrap_or_default(),
        ..Package::new(
            super::NAME,
            name.unwrap_or(key).to_owned(),
            version.to_owned(),
        )
    })
}

/// The project next to the lockfile and the members of its workspace. Without their manifests, a
/// single project with all direct dependencies.
fn roots(input: &Input<'_>, lockfile: &Lockfile, direct: Vec<Edge>) -> Vec<Root> {
    let indices: HashMap<&str, PackageIndex> = lockfile
        .indexed()
        .map(|(index, package)| (package.name.as_str(), index))
        .collect();
    let members = manifest::workspace(input);

    let mut roots = Vec::new();
    for (path, manifest) in members {
        let edges = manifest.open.into_iter().filter_map(|required| {
            Some(Edge {
                to: *indices.get(required.name.as_str())?,
                requirement: Some(required.requirement)
                    .filter(|text| !text.is_empty())
                    .map(Into::into),
                name: required.name.into(),
                kind: required.kind,
            })
        });
        roots.push(Root {
            name: manifest.name,
            manifest: Some(path),
            edges: edges.collect(),
        });
    }
    // Direct dependencies that no manifest lists, such as overrides, belong to the first project.
    let known: HashSet<PackageIndex> = roots
        .iter()
        .flat_map(|root| &root.edges)
        .map(|edge| edge.to)
        .collect();

    let rest = direct.into_iter().filter(|edge| !known.contains(&edge.to));
    match roots.first_mut() {
        Some(first) => first.edges.extend(rest),
        None => roots.push(Root {
            edges: rest.collect(),
            ..Root::default()
        }),
    }

    roots
}
