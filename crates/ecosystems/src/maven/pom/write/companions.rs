//! Packages whose version is in the property that also decides the version of one that changes.
//!
//! Packages of one group are released together, and may not work in different versions. So all of them
//! change, if the repository has the others in the new version too.

use std::collections::BTreeSet;

use patchgate_model::{Bump, Lockfile};

use super::places::property_name;
use crate::maven::moves::Moves;
use crate::maven::registry::{pom_path, request};
use crate::maven::words;
use crate::{Downloads, TargetGraph};

/// A package that changes with another one.
struct Companion<'l> {
    name: &'l str,
    from: &'l str,
    to: &'l str,
    /// The address of its POM in the new version.
    pom: String,
}

/// The addresses that say whether companions have the new version.
pub(super) fn wanted(lockfile: &Lockfile, target: &TargetGraph, moves: &Moves) -> BTreeSet<String> {
    let found = companions(lockfile, target, moves).into_iter();
    found.map(|one| one.pom).collect()
}

/// The changes with those of the companions whose POM was fetched.
pub(super) fn with_companions(
    lockfile: &Lockfile,
    target: &TargetGraph,
    moves: &Moves,
    downloads: &Downloads,
) -> Moves {
    let mut all = moves.clone();
    for one in companions(lockfile, target, moves) {
        if downloads.contains_key(&one.pom) {
            let key = (one.name.to_owned(), one.from.to_owned());
            all.insert(key, one.to.to_owned());
        }
    }
    all
}

fn companions<'l>(
    lockfile: &'l Lockfile,
    target: &TargetGraph,
    moves: &'l Moves,
) -> Vec<Companion<'l>> {
    let mut found = Vec::new();
    for ((name, from), to) in moves {
        // A small step may part them.
        if words::bump(from, to) == Bump::Patch {
            continue;
        }
        let properties: BTreeSet<&str> = properties_of(lockfile, name).collect();
        let Some(root) = root_of(target, name, to) else {
            continue;
        };
        for other in &lockfile.packages {
            let is_companion = other.name != *name
                && other.version == *from
                && group(&other.name) == group(name)
                && !moves.contains_key(&(other.name.clone(), other.version.clone()))
                && properties_of(lockfile, &other.name).any(|one| properties.contains(one));
            if is_companion {
                let directory = request("", &other.name).url;
                let directory = directory.trim_start_matches('/');
                let directory = directory.trim_end_matches("maven-metadata.xml");
                let artifact = other.name.split(':').next_back().unwrap_or_default();
                found.push(Companion {
                    name: &other.name,
                    from: &other.version,
                    to,
                    pom: format!("{root}{directory}{}", pom_path(artifact, to)),
                });
            }
        }
    }
    found
}

/// The properties in which projects have the version of a package.
fn properties_of<'l>(lockfile: &'l Lockfile, name: &str) -> impl Iterator<Item = &'l str> {
    let edges = lockfile.roots.iter().flat_map(|root| &root.edges);
    edges
        .filter(move |edge| edge.name == name)
        .filter_map(|edge| property_name(edge.requirement.as_deref()?))
}

/// The address of the repository that a new release is in.
fn root_of(target: &TargetGraph, name: &str, to: &str) -> Option<String> {
    let mut releases = target.nodes.iter().filter(|node| node.name == name);
    let release = releases.find_map(|node| {
        let release = node.release.as_ref()?;
        (release.version == to).then_some(release)
    })?;
    crate::maven::registry::root(name, release).map(str::to_owned)
}

fn group(name: &str) -> &str {
    name.split(':').next().unwrap_or_default()
}
