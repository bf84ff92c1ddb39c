//! Reader of `mix.lock` (<https://hexdocs.pm/mix/Mix.Tasks.Deps.html>): a map from applications to
//! their locks, `{:hex, name, version, checksum, managers, dependencies, repository, outer
//! checksum}` or `{:git, address, commit, options}`.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use patchgate_model::{
    DependencyKind, Edge, FormatId, Lockfile, Loss, Origin, Package, PackageIndex,
};

use super::terms::{self, Kind, Term};
use crate::{Input, ParseError, SkippedEntries, limits, salvage};
use patchgate_model::without_credentials;

/// Reads a lockfile. It has no roots, because it does not list the project's own dependencies.
pub(super) fn parse(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    let Kind::Map(entries) = terms::read(input.text()?)?.kind else {
        return Err(ParseError::new("is not a Mix lockfile: it is not a map"));
    };
    let mut lockfile = Lockfile {
        path: input.path.to_owned(),
        ecosystem: super::NAME,
        format: FormatId::new("mix-lock"),
        ..Lockfile::default()
    };

    let mut skipped = SkippedEntries::default();
    let mut indices = HashMap::new();
    let mut dependencies = Vec::new();
    for entry in &entries {
        let Kind::Pair(application, value) = &entry.kind else {
            skipped.package(entry.line, "has an entry without a name");
            continue;
        };
        if lockfile.packages.len() >= limits::MAX_PACKAGES {
            return Err(ParseError::new("locks too many packages").at_line(entry.line as usize));
        }

        let items = value.tuple().unwrap_or_default();
        let Some(package) = package(application, items, entry.line) else {
            let reason = format!("locks `{application}` in an unknown form");
            skipped.package(entry.line, reason);
            continue;
        };
        // A dependency on an application that is locked twice is one on the first.
        let index = PackageIndex(u32::try_from(lockfile.packages.len()).unwrap_or(u32::MAX));
        match indices.entry(application.as_str()) {
            Entry::Vacant(entry) => drop(entry.insert(index)),
            Entry::Occupied(_) => {
                skipped.edge(entry.line, format!("locks `{application}` twice"));
            }
        }

        let is_hex = items.first().and_then(Term::atom) == Some("hex");
        dependencies.push(items.get(5).filter(|_| is_hex).and_then(Term::list));
        lockfile.packages.push(package);
    }

    // The edges, for which all applications must be known.
    let mut left = limits::MAX_EDGES;
    for (package, dependencies) in lockfile.packages.iter_mut().zip(dependencies) {
        for dependency in dependencies.unwrap_or_default() {
            left = left
                .checked_sub(1)
                .ok_or_else(|| ParseError::new("has too many dependencies"))?;
            let edge = edge(dependency, &indices);
            let edge = skipped.recover(Loss::Edge, dependency.line, edge);
            package.edges.extend(edge.flatten());
        }
    }

    salvage::finish(lockfile, skipped)
}

/// The locked package of an application; `None` if its form is unknown.
fn package(application: &str, items: &[Term], line: u32) -> Option<Package> {
    let text = |index: usize| items.get(index).and_then(Term::text);
    let filled = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
    if application.is_empty() {
        return None;
    }

    match items.first()?.atom()? {
        "hex" => {
            let name = items.get(1).and_then(|name| name.atom().or(name.text()))?;
            let version = filled(text(2))?;
            super::version::parse(&version)?;
            let hashes: Vec<String> = [text(3), text(7)].into_iter().filter_map(filled).collect();

            Some(Package {
                line,
                origin: Origin::Registry(filled(text(6))),
                integrity: (!hashes.is_empty()).then(|| hashes.join(" ")),
                alias: (name != application).then(|| application.to_owned()),
                ..Package::new(super::NAME, name.to_owned(), version)
            })
        }
        // The only version of a git dependency is its commit.
        "git" => {
            let commit = filled(text(2))?;
            Some(Package {
                line,
                origin: Origin::Git {
                    url: without_credentials(text(1)?).into_owned(),
                    commit: Some(commit.clone()),
                },
                ..Package::new(super::NAME, application.to_owned(), commit)
            })
        }
        // Sources from Mix plug-ins, such as a Mercurial checkout or a directory.
        _ => Some(Package {
            line,
            origin: Origin::Url(without_credentials(text(1)?).into_owned()),
            ..Package::new(super::NAME, application.to_owned(), filled(text(2))?)
        }),
    }
}

/// The edge of `{:name, "~> 1.0", [hex: :name, repo: "…", optional: false]}`. A dependency that is
/// not locked is optional, or the project replaces it.
fn edge(
    dependency: &Term,
    indices: &HashMap<&str, PackageIndex>,
) -> Result<Option<Edge>, ParseError> {
    let name = dependency
        .tuple()
        .and_then(|items| items.first())
        .and_then(Term::atom)
        .filter(|name| !name.is_empty())
        .ok_or_else(|| {
            ParseError::new("has a dependency in an unknown form").at_line(dependency.line as usize)
        })?;

    let items = dependency.tuple().unwrap_or_default();
    let optional = items.get(2).and_then(|options| options.get("optional"));

    Ok(indices.get(name).map(|to| Edge {
        to: *to,
        name: name.into(),
        requirement: items.get(1).and_then(Term::text).map(Into::into),
        kind: match optional.and_then(Term::atom) {
            Some("true") => DependencyKind::Optional,
            _ => DependencyKind::Runtime,
        },
    }))
}
