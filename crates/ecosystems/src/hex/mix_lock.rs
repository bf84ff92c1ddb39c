//! `mix.lock` (<https://hexdocs.pm/mix/Mix.Tasks.Deps.html>): a map from applications to what is
//! locked for them,
//! `{:hex, name, version, checksum, managers, dependencies, repository, outer checksum}` or
//! `{:git, address, commit, options}`.

use std::collections::HashMap;

use patchgate_model::{DependencyKind, Edge, Lockfile, Origin, Package, PackageIndex};

use super::terms::{self, Kind, Term};
use crate::{Input, ParseError, limits};
use patchgate_model::without_credentials;

/// Reads the map.
pub(super) fn parse(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    let Kind::Map(entries) = terms::read(input.text()?)?.kind else {
        return Err(ParseError::new("is not a lockfile of Mix: it is no map"));
    };
    let mut lockfile = Lockfile {
        path: input.path.to_owned(),
        ecosystem: super::NAME,
        format: "mix-lock",
        ..Lockfile::default()
    };
    let mut places = HashMap::new();

    let mut dependencies = Vec::new();
    for entry in &entries {
        let failed = |reason: String| ParseError::new(reason).at_line(entry.line as usize);
        let Kind::Pair(application, value) = &entry.kind else {
            return Err(failed("has an entry without a name".to_owned()));
        };
        if lockfile.packages.len() >= limits::MAX_PACKAGES {
            return Err(failed("locks too many packages".to_owned()));
        }

        let items = value.tuple().unwrap_or_default();
        let package = package(application, items, entry.line)
            .ok_or_else(|| failed(format!("locks `{application}` in a form that is not known")))?;
        let place = PackageIndex(u32::try_from(lockfile.packages.len()).unwrap_or(u32::MAX));
        if places.insert(application.as_str(), place).is_some() {
            return Err(failed(format!("locks `{application}` twice")));
        }

        let is_hex = items.first().and_then(Term::atom) == Some("hex");
        dependencies.push(items.get(5).filter(|_| is_hex).and_then(Term::list));
        lockfile.packages.push(package);
    }

    let mut left = limits::MAX_EDGES;
    for (package, dependencies) in lockfile.packages.iter_mut().zip(dependencies) {
        for dependency in dependencies.unwrap_or_default() {
            left = left
                .checked_sub(1)
                .ok_or_else(|| ParseError::new("has too many dependencies"))?;
            package.edges.extend(edge(dependency, &places)?);
        }
    }

    Ok(lockfile)
}

/// What is locked for an application; `None` when the form is not known.
fn package(application: &str, items: &[Term], line: u32) -> Option<Package> {
    let text = |place: usize| items.get(place).and_then(Term::text);
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
        // A repository has no version but its commit.
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
        // Other sources of Mix's plug-ins: a checkout of Mercurial, a folder.
        _ => Some(Package {
            line,
            origin: Origin::Url(without_credentials(text(1)?).into_owned()),
            ..Package::new(super::NAME, application.to_owned(), filled(text(2))?)
        }),
    }
}

/// `{:name, "~> 1.0", [hex: :name, repo: "…", optional: false]}`. One that is not locked is optional,
/// or replaced by the project.
fn edge(
    dependency: &Term,
    places: &HashMap<&str, PackageIndex>,
) -> Result<Option<Edge>, ParseError> {
    let name = dependency
        .tuple()
        .and_then(|items| items.first())
        .and_then(Term::atom)
        .filter(|name| !name.is_empty())
        .ok_or_else(|| {
            ParseError::new("has a dependency in a form that is not known")
                .at_line(dependency.line as usize)
        })?;

    let items = dependency.tuple().unwrap_or_default();
    let optional = items.get(2).and_then(|options| options.get("optional"));

    Ok(places.get(name).map(|to| Edge {
        to: *to,
        name: name.into(),
        requirement: items.get(1).and_then(Term::text).map(Into::into),
        kind: match optional.and_then(Term::atom) {
            Some("true") => DependencyKind::Optional,
            _ => DependencyKind::Runtime,
        },
    }))
}
