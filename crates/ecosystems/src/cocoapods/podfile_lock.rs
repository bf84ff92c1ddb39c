//! Reader of `Podfile.lock`
//! (<https://guides.cocoapods.org/using/using-cocoapods.html#what-is-podfilelock>): the pods and
//! subspecs with their dependencies, the requirements of the project, and the origin of pods from
//! outside the spec repositories.

use std::collections::HashMap;

use patchgate_model::{
    DependencyKind, Edge, FormatId, Lockfile, Origin, Package, PackageIndex, Root, Unresolved,
};

use crate::syntax::{Node, Value, yaml};
use crate::{Input, ParseError, limits};
use patchgate_model::without_credentials;

/// Reads a lockfile. The Podfile itself is a program and is not read.
pub(super) fn parse(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    let document = yaml(input.text()?)?;
    // CocoaPods writes its own version last, so a file without it may be truncated.
    if document.get("COCOAPODS").and_then(Node::scalar).is_none() {
        return Err(ParseError::new(
            "is truncated or is not a CocoaPods lockfile: it lacks `COCOAPODS`",
        )
        .with_hint("re-create the file with `pod install`"));
    }

    let origins = Origins::new(&document)?;
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
        let (text, needs) = pod(entry)?;
        let (name, version) = named(text);
        let failed = |reason: String| ParseError::new(reason).at_line(entry.line as usize);
        let version = version
            .filter(|version| super::Version::parse(version).is_some() && !name.is_empty())
            .ok_or_else(|| failed("locks a pod without a name or a version".to_owned()))?;
        if lockfile.packages.len() >= limits::MAX_PACKAGES {
            return Err(failed("locks too many pods".to_owned()));
        }

        let index = PackageIndex(u32::try_from(lockfile.packages.len()).unwrap_or(u32::MAX));
        if indices.insert(name.to_owned(), index).is_some() {
            return Err(failed(format!("locks `{name}` twice")));
        }

        dependencies.push(needs);
        // A subspec is part of the archive of its pod.
        let pod = name.split('/').next().unwrap_or(name);
        lockfile.packages.push(Package {
            line: entry.line,
            origin: origins.of(pod)?,
            integrity: origins.checksum(pod)?,
            ..Package::new(super::NAME, name.to_owned(), version.to_owned())
        });
    }

    // Every dependency must be locked, or the file is truncated.
    for (package, needs) in lockfile.packages.iter_mut().zip(dependencies) {
        for need in needs {
            let (name, requirement) = requirement(need)?;
            let to = indices.get(name).ok_or_else(|| {
                ParseError::new(format!(
                    "has a pod that needs `{name}`, which it does not lock"
                ))
                .at_line(need.line as usize)
                .with_hint("re-create the file with `pod install`")
            })?;
            package.edges.push(edge(*to, name, requirement));
        }
    }

    // The requirements of the project.
    let mut root = Root::default();
    for need in document.optional_list("DEPENDENCIES")? {
        let (name, requirement) = requirement(need)?;
        match indices.get(name) {
            Some(to) => root.edges.push(edge(*to, name, requirement)),
            None => lockfile.unresolved.push(Unresolved {
                ecosystem: crate::cocoapods::NAME,
                name: name.to_owned(),
                requirement: requirement.unwrap_or_default().to_owned(),
                kind: DependencyKind::Runtime,
                line: need.line,
            }),
        }
    }

    lockfile.roots.push(root);
    Ok(lockfile)
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
    fn new(document: &'n Node<'a>) -> Result<Self, ParseError> {
        let table = |key: &str| -> Result<HashMap<&'n str, &'n Node<'a>>, ParseError> {
            let entries = document.optional_map(key)?.iter();
            Ok(entries.map(|(name, node)| (&*name.name, node)).collect())
        };
        let mut repositories = HashMap::new();
        for (repository, pods) in document.optional_map("SPEC REPOS")? {
            let pods = pods.items().iter().filter_map(Node::text);
            repositories.extend(pods.map(|pod| (pod, &*repository.name)));
        }

        Ok(Self {
            external: table("EXTERNAL SOURCES")?,
            checkouts: table("CHECKOUT OPTIONS")?,
            checksums: table("SPEC CHECKSUMS")?,
            repositories,
        })
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
