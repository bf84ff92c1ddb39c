//! Reader of `conda-lock.yml`, version 1 (<https://conda.github.io/conda-lock/output/>).
//!
//! The file has one entry per package and platform. Entries for the same package and version become
//! one package.

use std::collections::{BTreeSet, HashMap};

use patchgate_model::{
    DependencyKind, EcosystemName, Edge, FormatId, Lockfile, Loss, Origin, Package, PackageIndex,
    Scope,
};

use crate::later_version::later_version;
use crate::pypi::{normalize, without_credentials};
use crate::syntax::{Node, yaml};
use crate::{Input, ParseError, SkippedEntries, limits};

/// Group of the run-time dependencies.
const MAIN: &str = "main";

/// Hint for a file that cannot be read.
const HINT: &str = "re-create it with `conda-lock lock`";

/// Ecosystem, normalized name and version.
type Key = (EcosystemName, String, String);

/// Reads a `conda-lock.yml`: the packages of all platforms and package managers in it.
pub(super) fn parse(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    let text = input.text()?;
    let file = yaml(text)?;
    let mut skipped = SkippedEntries::default();
    let mut format = FormatId::new("conda-lock-v1");
    match file
        .entry("version")
        .map(|(key, node)| (key, node.scalar()))
    {
        Some((_, Some("1"))) => {}
        Some((key, Some(other))) => {
            let has_entries = file.get("package").is_some_and(Node::is_list);
            later_version(other, key.line, has_entries, &mut skipped)?;
            format = FormatId::new("conda-lock");
        }
        _ => {
            return Err(
                ParseError::new("is not a conda-lock lockfile: it lacks `version`").with_hint(HINT),
            );
        }
    }

    let Some(entries) = file.get("package").filter(|entries| entries.is_list()) else {
        return Err(ParseError::new("lacks `package`").with_hint(HINT));
    };
    let mut lockfile = Lockfile {
        path: input.path.to_owned(),
        ecosystem: super::NAME,
        format,
        ..Lockfile::default()
    };

    let mut indices: HashMap<Key, PackageIndex> = HashMap::new();
    let mut by_name: HashMap<String, BTreeSet<PackageIndex>> = HashMap::new();
    let mut package_entries = Vec::new();
    let form = Form::of(entries.items(), text)?;
    for (number, entry) in (1..).zip(entries.items()) {
        let read = package(entry, form, &mut skipped);
        // The file may end in the last entry.
        let read = match number == entries.items().len() {
            true => Some(read?),
            false => skipped.recover(Loss::Package, entry.line, read),
        };
        let Some(package) = read else { continue };
        let name = normalize(&package.name).into_owned();
        let key = (package.ecosystem, name.clone(), package.version.clone());
        let next = PackageIndex(u32::try_from(lockfile.packages.len()).unwrap_or(u32::MAX));
        let index = *indices.entry(key).or_insert(next);
        match lockfile.packages.get_mut(index.0 as usize) {
            Some(before) => merge(before, package),
            None => lockfile.packages.push(package),
        }

        by_name.entry(name).or_default().insert(index);
        package_entries.push((index, entry));
        if lockfile.packages.len() > limits::MAX_PACKAGES {
            return Err(ParseError::new("contains too many packages").at_line(entry.line as usize));
        }
    }

    connect(&mut lockfile, &package_entries, &by_name, &mut skipped)?;
    lockfile.skipped = skipped.into_entries();
    Ok(lockfile)
}

/// Whether entries end with `optional`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Some do, so the last one must: without it the file is truncated.
    WithOptional,
    /// None does, and the last line is whole.
    WithoutOptional,
}

impl Form {
    /// # Errors
    /// If the last entry is truncated.
    fn of(entries: &[Node<'_>], text: &str) -> Result<Self, ParseError> {
        let has_optional = |entry: &Node<'_>| entry.get("optional").and_then(Node::bool).is_some();
        let last = entries.last();
        match entries.iter().any(has_optional) {
            true if last.is_some_and(has_optional) => Ok(Self::WithOptional),
            false if text.ends_with('\n') => Ok(Self::WithoutOptional),
            _ => {
                let name = last.and_then(|entry| entry.get("name")?.text());
                let name = crate::npm::tree::shortened(name.unwrap_or_default());
                Err(ParseError::new(format!("lacks `optional` of `{name}`"))
                    .at_line(last.map_or(1, |entry| entry.line) as usize)
                    .with_hint(HINT))
            }
        }
    }
}

fn package(
    entry: &Node<'_>,
    form: Form,
    skipped: &mut SkippedEntries,
) -> Result<Package, ParseError> {
    let name = entry.need_text("name")?;
    let version = entry.need_text("version")?;
    let ecosystem = match entry.need_text("manager")? {
        "conda" => super::NAME,
        "pip" => super::PYPI,
        other => {
            return Err(ParseError::new(format!(
                "has `{name}` from `{other}`, which is neither conda nor pip"
            ))
            .at_line(entry.line as usize));
        }
    };

    let url = entry.need_text("url")?;
    let optional = entry.get("optional").and_then(Node::bool);
    if optional.is_none() && form == Form::WithOptional {
        skipped.detail(entry.line, format!("lacks `optional` of `{name}`"));
    }
    let category = entry.optional_text("category")?.unwrap_or(MAIN);
    let scope = match (category, optional) {
        (MAIN, None | Some(false)) => Scope::Runtime,
        ("dev", _) => Scope::Development,
        _ => Scope::Optional,
    };

    Ok(Package {
        line: entry.line,
        origin: origin(url),
        integrity: skipped
            .recover(Loss::Detail, entry.line, hashes(entry))
            .flatten(),
        scope,
        groups: vec![category.to_owned()],
        ..Package::new(ecosystem, name.to_owned(), version.to_owned())
    })
}

fn origin(url: &str) -> Origin {
    let url = without_credentials(url);
    match url.strip_prefix("git+") {
        Some(address) => {
            let (url, commit) = match address.rsplit_once('@') {
                Some((url, commit)) if !commit.contains('/') => (url, Some(commit.to_owned())),
                _ => (address, None),
            };
            Origin::Git {
                url: url.to_owned(),
                commit,
            }
        }
        None => Origin::Registry(Some(url.into_owned())),
    }
}

fn hashes(entry: &Node<'_>) -> Result<Option<String>, ParseError> {
    let hashes: Vec<String> = entry
        .optional_map("hash")?
        .iter()
        .filter_map(|(algorithm, hash)| Some(format!("{}:{}", algorithm.name, hash.text()?)))
        .collect();
    Ok((!hashes.is_empty()).then(|| hashes.join(" ")))
}

/// Merges the entry of another platform into a package.
fn merge(package: &mut Package, other: Package) {
    package.scope = package.scope.min(other.scope);
    package.groups.extend(other.groups);
    package.groups.sort();
    package.groups.dedup();

    match (&mut package.integrity, other.integrity) {
        (Some(own), Some(hashes)) if !own.contains(&hashes) => {
            own.push(' ');
            own.push_str(&hashes);
        }
        (own, hashes) => *own = own.take().or(hashes),
    }
}

/// Adds the edges. Dependencies without an entry belong to the platform itself (`__glibc`).
fn connect(
    lockfile: &mut Lockfile,
    entries: &[(PackageIndex, &Node<'_>)],
    by_name: &HashMap<String, BTreeSet<PackageIndex>>,
    skipped: &mut SkippedEntries,
) -> Result<(), ParseError> {
    let mut known: BTreeSet<(PackageIndex, PackageIndex)> = BTreeSet::new();
    let mut looked_at = 0;
    for (index, entry) in entries {
        let dependencies = entry.optional_map("dependencies");
        let dependencies = skipped.recover(Loss::Edge, entry.line, dependencies);
        for (name, wanted) in dependencies.unwrap_or_default() {
            let Some(copies) = by_name.get(normalize(&name.name).as_ref()) else {
                continue;
            };

            looked_at += copies.len();
            if looked_at > limits::MAX_EDGES {
                return Err(
                    ParseError::new("contains too many dependencies").at_line(name.line as usize)
                );
            }

            for to in copies {
                if *to == *index || !known.insert((*index, *to)) {
                    continue;
                }

                if let Some(package) = lockfile.packages.get_mut(index.0 as usize) {
                    package.edges.push(Edge {
                        to: *to,
                        name: (&*name.name).into(),
                        // An empty requirement accepts any version.
                        requirement: wanted
                            .text()
                            .filter(|wanted| !wanted.is_empty())
                            .map(Into::into),
                        kind: DependencyKind::Runtime,
                    });
                }
            }
        }
    }

    Ok(())
}
