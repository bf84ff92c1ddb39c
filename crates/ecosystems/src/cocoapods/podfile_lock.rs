//! Reader of `Podfile.lock`
//! (<https://guides.cocoapods.org/using/using-cocoapods.html#what-is-podfilelock>): the pods and
//! subspecs with their dependencies, the requirements of the project, and the origin of pods from
//! outside the spec repositories.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use patchgate_model::{
    DependencyKind, Edge, FormatId, Lockfile, Loss, Origin, Package, PackageIndex, Root, Unresolved,
};

use crate::syntax::{Node, Value, yaml};
use crate::{Input, ParseError, SkippedEntries, limits, salvage};
use patchgate_model::without_credentials;

/// Reads a lockfile. The Podfile itself is a program and is not read.
pub(super) fn parse(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    let text = input.text()?;
    let document = yaml(text)?;
    let mut skipped = SkippedEntries::default();
    // CocoaPods writes its own version last, and does not need it to read the pods.
    if document.get("COCOAPODS").and_then(Node::scalar).is_none() {
        if document.get("PODS").is_none() {
            return Err(ParseError::new(
                "is not a CocoaPods lockfile: it lacks `PODS` and `COCOAPODS`",
            )
            .with_hint("re-create the file with `pod install`"));
        }
        salvage::may_be_cut(&mut skipped, text, "`COCOAPODS`")?;
    }

    let origins = Origins::new(&document, &mut skipped);
    let mut lockfile = Lockfile {
        path: input.path.to_owned(),
        ecosystem: super::NAME,
        format: FormatId::new("podfile-lock"),
        ..Lockfile::default()
    };

    // The pods, without their dependencies.
    let mut indices = HashMap::new();
    let mut dependencies = Vec::new();
    for entry in document.optional_list("PODS")? {
        let Some((text, needs)) = skipped.recover(Loss::Package, entry.line, pod(entry)) else {
            continue;
        };
        let (name, version) = named(text);
        let version =
            version.filter(|version| super::Version::parse(version).is_some() && !name.is_empty());
        let Some(version) = version else {
            skipped.package(entry.line, "locks a pod without a name or a version");
            continue;
        };
        if lockfile.packages.len() >= limits::MAX_PACKAGES {
            return Err(ParseError::new("locks too many pods").at_line(entry.line as usize));
        }

        // A dependency on a pod that is locked twice is one on the first.
        let index = PackageIndex(u32::try_from(lockfile.packages.len()).unwrap_or(u32::MAX));
        match indices.entry(name.to_owned()) {
            Entry::Vacant(entry) => drop(entry.insert(index)),
            Entry::Occupied(_) => skipped.edge(entry.line, format!("locks `{name}` twice")),
        }

        dependencies.push(needs);
        // A subspec is part of the archive of its pod.
        let pod = name.split('/').next().unwrap_or(name);
        lockfile.packages.push(Package {
            line: entry.line,
            origin: skipped
                .recover(Loss::Detail, entry.line, origins.of(pod))
                .unwrap_or(Origin::Registry(None)),
            integrity: skipped
                .recover(Loss::Detail, entry.line, origins.checksum(pod))
                .flatten(),
            ..Package::new(super::NAME, name.to_owned(), version.to_owned())
        });
    }

    // A pod can need one that is not locked: CocoaPods leaves out pods of other platforms. Whether
    // it is installed is unknown, so it is a requirement.
    for (package, needs) in lockfile.packages.iter_mut().zip(dependencies) {
        for need in needs {
            let Some((name, requirement)) =
                skipped.recover(Loss::Edge, need.line, requirement(need))
            else {
                continue;
            };
            match indices.get(name) {
                Some(to) => package.edges.push(edge(*to, name, requirement)),
                None => {
                    let reason = format!("has a pod that needs `{name}`, which it does not lock");
                    skipped.edge(need.line, reason);
                    lockfile
                        .unresolved
                        .push(unlocked(name, requirement, need.line));
                }
            }
        }
    }

    // The requirements of the project.
    let mut root = Root::default();
    for need in document.optional_list("DEPENDENCIES")? {
        let Some((name, requirement)) = skipped.recover(Loss::Edge, need.line, requirement(need))
        else {
            continue;
        };
        match indices.get(name) {
            Some(to) => root.edges.push(edge(*to, name, requirement)),
            None => lockfile
                .unresolved
                .push(unlocked(name, requirement, need.line)),
        }
    }

    lockfile.roots.push(root);
    salvage::finish(lockfile, skipped)
}

/// A pod that the file does not lock, as a requirement.
fn unlocked(name: &str, requirement: Option<&str>, line: u32) -> Unresolved {
    Unresolved {
        ecosystem: crate::cocoapods::NAME,
        name: name.to_owned(),
        requirement: requirement.unwrap_or_default().to_owned(),
        kind: DependencyKind::Runtime,
        line,
    }
}

fn edge(to: PackageIndex, name: &str, requirement: Option<&str>) -> Edge {
    Edge {
        to,
        name: name.into(),
        requirement: requirement.map(Into::into),
        kind: DependencyKind::Runtime,
    }
}

/// Parses `Pod (1.0)`, alone or with the list of its dependencies.
fn pod<'n, 'a>(entry: &'n Node<'a>) -> Result<(&'n str, &'n [Node<'a>]), ParseError> {
    if let Some(text) = entry.text() {
        return Ok((text, &[]));
    }

    match &entry.value {
        Value::Map(entries) => match entries.as_slice() {
            [(name, needs)] if needs.is_list() => Ok((&name.name, needs.items())),
            _ => Err(entry.unexpected("PODS", "a pod with a list")),
        },
        _ => Err(entry.unexpected("PODS", "a text or a map")),
    }
}

/// Splits `Pod (~> 1.0)` into the name and the text in parentheses.
fn named(text: &str) -> (&str, Option<&str>) {
    match text.split_once(" (") {
        Some((name, rest)) => (name, rest.strip_suffix(')')),
        None => (text, None),
    }
}

fn requirement<'n>(need: &'n Node<'_>) -> Result<(&'n str, Option<&'n str>), ParseError> {
    match need.text().map(named) {
        // `(from …)` is the origin of the pod and not a requirement; its address can also contain a
        // password.
        Some((name, requirement)) if !name.is_empty() => {
            Ok((name, requirement.filter(|text| !text.starts_with("from "))))
        }
        _ => Err(need.unexpected("DEPENDENCIES", "a text")),
    }
}

/// Origins and checksums of pods: three tables, and one list for each spec repository.
struct Origins<'n, 'a> {
    external: HashMap<&'n str, &'n Node<'a>>,
    checkouts: HashMap<&'n str, &'n Node<'a>>,
    checksums: HashMap<&'n str, &'n Node<'a>>,
    repositories: HashMap<&'n str, &'n str>,
}

impl<'n, 'a> Origins<'n, 'a> {
    fn new(document: &'n Node<'a>, skipped: &mut SkippedEntries) -> Self {
        let mut section = |key: &str| {
            let entries = skipped.recover(Loss::Detail, document.line, document.optional_map(key));
            entries.unwrap_or_default().iter()
        };
        let mut table = |key: &str| -> HashMap<&'n str, &'n Node<'a>> {
            section(key)
                .map(|(name, node)| (&*name.name, node))
                .collect()
        };
        let (external, checkouts) = (table("EXTERNAL SOURCES"), table("CHECKOUT OPTIONS"));
        let checksums = table("SPEC CHECKSUMS");
        let mut repositories = HashMap::new();
        for (repository, pods) in section("SPEC REPOS") {
            let pods = pods.items().iter().filter_map(Node::text);
            repositories.extend(pods.map(|pod| (pod, &*repository.name)));
        }

        Self {
            external,
            checkouts,
            checksums,
            repositories,
        }
    }

    fn of(&self, pod: &str) -> Result<Origin, ParseError> {
        let text = |node: Option<&&Node<'_>>, key: &str| -> Result<Option<String>, ParseError> {
            let text = match node {
                Some(node) => node.optional_text(key)?,
                None => None,
            };
            Ok(text.map(|text| without_credentials(text).into_owned()))
        };

        let (external, checkout) = (self.external.get(pod), self.checkouts.get(pod));
        if let Some(url) = text(checkout, ":git")?.or(text(external, ":git")?) {
            let commit = text(checkout, ":commit")?.or(text(external, ":commit")?);
            return Ok(Origin::Git { url, commit });
        }
        if let Some(path) = text(external, ":path")? {
            return Ok(Origin::Path(Some(path)));
        }

        for key in [":http", ":podspec"] {
            if let Some(url) = text(external, key)? {
                return Ok(match url.contains("://") {
                    true => Origin::Url(url),
                    false => Origin::Path(Some(url)),
                });
            }
        }

        let repository = self.repositories.get(pod);
        Ok(Origin::Registry(repository.map(|repository| {
            without_credentials(repository).into_owned()
        })))
    }

    fn checksum(&self, pod: &str) -> Result<Option<String>, ParseError> {
        match self.checksums.get(pod) {
            None => Ok(None),
            Some(node) => match node.scalar() {
                Some(text) => Ok(Some(text.to_owned())),
                None => Err(node.unexpected(pod, "a text")),
            },
        }
    }
}
