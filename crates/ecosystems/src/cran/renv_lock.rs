//! Reader of `renv.lock` (<https://rstudio.github.io/renv/reference/lockfiles.html>): JSON with one
//! record per package. Since renv 1.1 (version 2 of the format) a record contains the whole
//! `DESCRIPTION` of the package.
//!
//! The file does not say which packages are direct. A `DESCRIPTION` next to it does, if there is
//! one.

use std::collections::{HashMap, HashSet};

use patchgate_model::{
    DependencyKind, Edge, FormatId, Lockfile, Loss, Origin, Package, PackageIndex, Root, Unresolved,
};

use super::description::{self, comes_with_r, item_of, kind_of};
use crate::syntax::Node;
use crate::{Input, ParseError, SkippedEntries, duplicate_keys, limits, salvage};

/// Reads a lockfile, together with the `DESCRIPTION` next to it.
pub(super) fn parse(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    let mut skipped = SkippedEntries::default();
    let document = duplicate_keys::json(input.text()?, &mut skipped)?;
    // renv writes an empty list if there are no packages.
    let is_empty_list = |node: &&Node<'_>| node.is_list() && node.items().is_empty();
    let Some(packages) = document
        .get("Packages")
        .filter(|node| node.is_map() || is_empty_list(node))
    else {
        return Err(ParseError::new(
            "is not a renv lockfile: it lacks `Packages`",
        ));
    };
    if packages.entries().len() > limits::MAX_PACKAGES {
        return Err(ParseError::new("contains too many packages"));
    }

    let mut lockfile = Lockfile {
        path: input.path.to_owned(),
        ecosystem: super::NAME,
        format: FormatId::new("renv-lock"),
        ..Lockfile::default()
    };
    let repositories = skipped.recover(Loss::Detail, document.line, repositories(&document));
    let repositories = repositories.unwrap_or_default();

    // The packages.
    let mut indices = HashMap::new();
    let mut records = Vec::new();
    for (key, record) in packages.entries() {
        let package = package(&key.name, key.line, record, &repositories, &mut skipped);
        let Some(package) = skipped.recover(Loss::Package, key.line, package) else {
            continue;
        };
        let index = u32::try_from(lockfile.packages.len()).unwrap_or(u32::MAX);
        indices.insert(&*key.name, PackageIndex(index));
        lockfile.packages.push(package);
        records.push((key.line, record));
    }

    edges(&records, &indices, &mut lockfile, &mut skipped)?;
    direct(input, &indices, &mut lockfile);
    crate::scope::from_roots(&mut lockfile);

    salvage::finish(lockfile, skipped)
}

/// The addresses of the repositories, by name.
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
    skipped: &mut SkippedEntries,
) -> Result<Package, ParseError> {
    if !record.is_map() {
        return Err(record.unexpected(key, "a map"));
    }

    let name = record.optional_text("Package")?.unwrap_or(key);
    if name.is_empty() {
        return Err(ParseError::new("has a package without a name").at_line(line as usize));
    }
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
        origin: skipped
            .recover(Loss::Detail, line, origin(record, repository, repositories))
            .unwrap_or(Origin::Registry(None)),
        integrity: skipped
            .recover(Loss::Detail, line, record.optional_text("Hash"))
            .flatten()
            .map(str::to_owned),
        ..Package::new(ecosystem, name.to_owned(), version.to_owned())
    })
}

/// The origin of a package (<https://rstudio.github.io/renv/articles/package-sources.html>).
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

/// Adds the edges: names in `Requirements`, and requirements in the fields of a `DESCRIPTION`. A
/// package that is neither locked nor part of R is unresolved, and reported once.
fn edges(
    records: &[(u32, &Node<'_>)],
    indices: &HashMap<&str, PackageIndex>,
    lockfile: &mut Lockfile,
    skipped: &mut SkippedEntries,
) -> Result<(), ParseError> {
    let mut missing = HashSet::new();
    let mut count = 0;
    for (index, (line, record)) in records.iter().enumerate() {
        let mut seen = HashSet::new();
        let mut edges = Vec::new();
        let needed = skipped.recover(Loss::Edge, *line, needs(record));
        for (name, requirement, kind) in needed.unwrap_or_default() {
            if !seen.insert(name.clone()) {
                continue;
            }

            match indices.get(&*name) {
                Some(to) => edges.push(Edge {
                    to: *to,
                    name: name.into(),
                    requirement: requirement.map(Into::into),
                    kind,
                }),
                None if missing.insert(name.clone()) => lockfile.unresolved.push(Unresolved {
                    ecosystem: crate::cran::NAME,
                    name,
                    requirement: requirement.unwrap_or_default(),
                    kind,
                    line: *line,
                }),
                None => {}
            }
        }

        count += edges.len();
        if count > limits::MAX_EDGES {
            return Err(ParseError::new("contains too many dependencies"));
        }

        if let Some(package) = lockfile.packages.get_mut(index) {
            package.edges = edges;
        }
    }

    Ok(())
}

/// A required name, its requirement if there is one, and the kind.
type RequiredPackage = (String, Option<String>, DependencyKind);

/// The dependencies of a record. Suggested packages are left out, because renv does not install
/// them.
fn needs(record: &Node<'_>) -> Result<Vec<RequiredPackage>, ParseError> {
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
            // renv writes an empty R list as an empty map.
            Some(node) if node.is_map() && node.entries().is_empty() => {}
            Some(node) => return Err(node.unexpected(field, "a list")),
        }
    }

    Ok(needs)
}

/// Adds the direct dependencies, from the `DESCRIPTION` next to the lockfile.
fn direct(input: &Input<'_>, indices: &HashMap<&str, PackageIndex>, lockfile: &mut Lockfile) {
    let path = input.beside("DESCRIPTION");
    let text = input
        .sibling(&path)
        .and_then(|bytes| Input { bytes, ..*input }.text().ok());
    let Some(requirements) = text.and_then(|text| description::requirements(text).ok()) else {
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
    for required in requirements.into_iter().take(limits::MAX_EDGES) {
        match indices.get(required.name.as_str()) {
            Some(to) => root.edges.push(Edge {
                to: *to,
                name: required.name.into(),
                requirement: (!required.requirement.is_empty())
                    .then_some(required.requirement)
                    .map(Into::into),
                kind: required.kind,
            }),
            // Suggested packages may be missing. The lockfile does not contain the package, so
            // there is no better line.
            None if required.kind != DependencyKind::Optional
                && !comes_with_r(&required.name)
                && known.insert(required.name.clone()) =>
            {
                lockfile.unresolved.push(Unresolved {
                    line: 1,
                    ..required
                });
            }
            None => {}
        }
    }

    lockfile.roots.push(root);
}
