//! `renv.lock` (<https://rstudio.github.io/renv/reference/lockfiles.html>): JSON with a record a
//! package. Since renv 1.1 (its version 2) a record holds the package's whole `DESCRIPTION`.
//!
//! The file does not say which packages are direct; a `DESCRIPTION` beside it does, where there is
//! one.

use std::collections::{HashMap, HashSet};

use patchgate_model::{
    DependencyKind, Edge, Lockfile, Origin, Package, PackageIndex, Root, Unresolved,
};

use super::description::{self, comes_with_r, item_of, kind_of};
use crate::syntax::{Node, json};
use crate::{Input, ParseError, limits};

/// Reads the lockfile.
pub(super) fn parse(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    let document = json(input.text()?)?;
    // renv writes no packages as an empty list.
    let none = |node: &&Node<'_>| node.is_list() && node.items().is_empty();
    let Some(packages) = document
        .get("Packages")
        .filter(|node| node.is_map() || none(node))
    else {
        return Err(ParseError::new(
            "is not a lockfile of renv: it lacks `Packages`",
        ));
    };
    if packages.entries().len() > limits::MAX_PACKAGES {
        return Err(ParseError::new("holds too many packages"));
    }

    let mut lockfile = Lockfile {
        path: input.path.to_owned(),
        ecosystem: super::NAME,
        format: "renv-lock",
        ..Lockfile::default()
    };
    let repositories = repositories(&document)?;

    let mut places = HashMap::new();
    for (key, record) in packages.entries() {
        if !record.is_map() {
            return Err(record.unexpected(&key.name, "a map"));
        }
        let index = u32::try_from(lockfile.packages.len()).unwrap_or(u32::MAX);
        places.insert(&*key.name, PackageIndex(index));
        lockfile
            .packages
            .push(package(&key.name, key.line, record, &repositories)?);
    }

    edges(packages, &places, &mut lockfile)?;
    direct(input, &places, &mut lockfile);
    crate::scope::from_roots(&mut lockfile);

    Ok(lockfile)
}

/// The addresses of the repositories by their names.
fn repositories(document: &Node<'_>) -> Result<HashMap<String, String>, ParseError> {
    let mut known = HashMap::new();
    let Some(r) = document.get("R") else {
        return Ok(known);
    };

    for repository in r.optional_list("Repositories")? {
        let text = |key| repository.optional_text(key);
        if let (Some(name), Some(url)) = (text("Name")?, text("URL")?) {
            known.insert(name.to_owned(), url.to_owned());
        }
    }

    Ok(known)
}

fn package(
    key: &str,
    line: u32,
    record: &Node<'_>,
    repositories: &HashMap<String, String>,
) -> Result<Package, ParseError> {
    let name = record.optional_text("Package")?.unwrap_or(key);
    let version = record.need_text("Version")?;
    let repository = record.optional_text("Repository")?;
    let is_bioconductor = record.optional_text("Source")? == Some("Bioconductor")
        || repository.is_some_and(|name| name.starts_with("Bioc"));
    let ecosystem = if is_bioconductor {
        crate::bioconductor::NAME
    } else {
        super::NAME
    };

    Ok(Package {
        line,
        origin: origin(record, repository, repositories)?,
        integrity: record.optional_text("Hash")?.map(str::to_owned),
        ..Package::new(ecosystem, name.to_owned(), version.to_owned())
    })
}

/// Where a package comes from
/// (<https://rstudio.github.io/renv/articles/package-sources.html>).
fn origin(
    record: &Node<'_>,
    repository: Option<&str>,
    repositories: &HashMap<String, String>,
) -> Result<Origin, ParseError> {
    let text = |key| record.optional_text(key);
    let owned = |text: Option<&str>| text.map(str::to_owned);
    let url = text("RemoteUrl")?.or(text("RemoteURL")?);
    let kind = text("RemoteType")?.or(text("Source")?).unwrap_or_default();

    Ok(match kind.to_ascii_lowercase().as_str() {
        kind @ ("github" | "gitlab" | "bitbucket" | "git" | "git2r" | "xgit") => {
            let host = text("RemoteHost")?.unwrap_or(match kind {
                "gitlab" => "gitlab.com",
                "bitbucket" => "bitbucket.org",
                _ => "github.com",
            });
            let host = host.split('/').next().unwrap_or_default();
            let host = host.strip_prefix("api.").unwrap_or(host);
            let hosted = match (text("RemoteUsername")?, text("RemoteRepo")?) {
                (Some(user), Some(repo)) => format!("https://{host}/{user}/{repo}"),
                _ => String::new(),
            };

            Origin::Git {
                url: owned(url).unwrap_or(hosted),
                commit: owned(text("RemoteSha")?),
            }
        }
        "url" => Origin::Url(owned(url).unwrap_or_default()),
        "local" => Origin::Path(owned(url.or(text("RemotePkgRef")?))),
        _ => Origin::Registry(repository.and_then(|name| {
            let known = repositories.get(name).cloned();
            known.or_else(|| name.contains("://").then(|| name.to_owned()))
        })),
    })
}

/// What the packages need: by name in `Requirements`, with versions in the fields of a
/// `DESCRIPTION`. What is neither locked nor a part of R is unresolved, once.
fn edges(
    packages: &Node<'_>,
    places: &HashMap<&str, PackageIndex>,
    lockfile: &mut Lockfile,
) -> Result<(), ParseError> {
    let mut missing = HashSet::new();
    let mut count = 0;
    for (place, (key, record)) in packages.entries().iter().enumerate() {
        let mut seen = HashSet::new();
        let mut edges = Vec::new();
        for (name, requirement, kind) in needs(record)? {
            if !seen.insert(name.clone()) {
                continue;
            }

            match places.get(&*name) {
                Some(to) => edges.push(Edge {
                    to: *to,
                    name: name.into(),
                    requirement: requirement.map(Into::into),
                    kind,
                }),
                None if missing.insert(name.clone()) => lockfile.unresolved.push(Unresolved {
                    name,
                    requirement: requirement.unwrap_or_default(),
                    kind,
                    line: key.line,
                }),
                None => {}
            }
        }

        count += edges.len();
        if count > limits::MAX_EDGES {
            return Err(ParseError::new("holds too many dependencies"));
        }

        if let Some(package) = lockfile.packages.get_mut(place) {
            package.edges = edges;
        }
    }

    Ok(())
}

/// A name that a record needs, its requirement where it has one, and the kind.
type Need = (String, Option<String>, DependencyKind);

/// The needs of a record. What it only suggests is nothing that renv installs.
fn needs(record: &Node<'_>) -> Result<Vec<Need>, ParseError> {
    let mut needs = Vec::new();
    for field in ["Depends", "Imports", "LinkingTo", "Requirements"] {
        let kind = kind_of(field).unwrap_or(DependencyKind::Runtime);
        let mut take = |text: &str| {
            let item = item_of(text).map(|(name, requirement)| {
                let requirement = (!requirement.is_empty()).then(|| requirement.to_owned());
                (name.to_owned(), requirement, kind)
            });
            needs.extend(item);
        };

        match record.get(field) {
            None => {}
            Some(node) if node.text().is_some() => {
                node.text()
                    .unwrap_or_default()
                    .split(',')
                    .for_each(&mut take);
            }
            Some(node) if node.is_list() => {
                for item in node.items() {
                    take(
                        item.text()
                            .ok_or_else(|| item.unexpected(field, "a name"))?,
                    );
                }
            }
            Some(node) if node.is_null() => {}
            // renv writes an empty list of R as an empty map.
            Some(node) if node.is_map() && node.entries().is_empty() => {}
            Some(node) => return Err(node.unexpected(field, "a list")),
        }
    }

    Ok(needs)
}

/// The project's own dependencies, from the `DESCRIPTION` beside the lockfile.
fn direct(input: &Input<'_>, places: &HashMap<&str, PackageIndex>, lockfile: &mut Lockfile) {
    let path = input.beside("DESCRIPTION");
    let text = input
        .sibling(&path)
        .and_then(|bytes| Input { bytes, ..*input }.text().ok());
    let Some(asked) = text.and_then(|text| description::requirements(text).ok()) else {
        return;
    };
    let name = text
        .and_then(|text| text.lines().find_map(|line| line.strip_prefix("Package:")))
        .map_or("", str::trim);
    let mut known: HashSet<String> = lockfile
        .unresolved
        .iter()
        .map(|open| open.name.clone())
        .collect();

    let mut root = Root {
        name: name.to_owned(),
        manifest: Some(path),
        edges: Vec::new(),
    };
    for asked in asked.into_iter().take(limits::MAX_EDGES) {
        match places.get(asked.name.as_str()) {
            Some(to) => root.edges.push(Edge {
                to: *to,
                name: asked.name.into(),
                requirement: (!asked.requirement.is_empty())
                    .then_some(asked.requirement)
                    .map(Into::into),
                kind: asked.kind,
            }),
            // Suggested packages need not be there. The line is one of the lockfile, which does
            // not name the package.
            None if asked.kind != DependencyKind::Optional
                && !comes_with_r(&asked.name)
                && known.insert(asked.name.clone()) =>
            {
                lockfile.unresolved.push(Unresolved { line: 1, ..asked });
            }
            None => {}
        }
    }

    lockfile.roots.push(root);
}
