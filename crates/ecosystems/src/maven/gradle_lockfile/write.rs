//! Direct changes of a project's lockfile, together with the scripts and the catalog that state its
//! versions.
//!
//! Gradle is never run. Other lockfiles that the same script or catalog decides change as well.
//! Deliberately absent: lockfiles of single configurations.

use std::collections::{BTreeMap, BTreeSet};

use patchgate_model::Lockfile;

use super::declare::Build;
use super::directory;
use super::lines::{Change, Lines};
use crate::maven::gradle_module;
use crate::maven::gradle_verification::{self, Lacking, Used};
use crate::maven::moves::moves;
use crate::maven::release_pom::{Need, Scope, own_needs};
use crate::{
    Downloads, Input, LockfileWriter, MetadataRequest, Release, Siblings, TargetGraph, TargetNode,
    WriteError,
};

/// The hashes of the files that a build may use.
const VERIFICATION: &str = "gradle/verification-metadata.xml";

/// The writer of `gradle.lockfile`.
#[derive(Debug)]
pub(in crate::maven) struct LockWriter;

impl LockfileWriter for LockWriter {
    /// What only Gradle's own metadata states counts too.
    fn locks_every_environment(&self, _lockfile: &Lockfile) -> bool {
        true
    }

    fn reads(&self, path: &str) -> bool {
        path.ends_with(".gradle")
            || path.ends_with(".gradle.kts")
            || path.ends_with("gradle.lockfile")
            || path.ends_with(".versions.toml")
            || path.ends_with(VERIFICATION)
    }

    /// The POMs of a release and of the version before, and Gradle's own metadata.
    fn downloads_for(
        &self,
        lockfile: &Lockfile,
        name: &str,
        release: &Release,
    ) -> Vec<MetadataRequest> {
        let locked = lockfile.packages.iter().filter(|one| one.name == name);
        let before = locked.filter_map(|one| pom_of(name, release, &one.version));
        let own = release.files.iter().map(|file| file.url.clone());
        let own = own.filter(|url| url.ends_with(".pom") || url.ends_with(".module"));
        own.chain(before)
            .map(|url| MetadataRequest { url, accept: None })
            .collect()
    }

    /// Gradle's own metadata of the versions before, and what the verification metadata of the build
    /// needs the hashes of.
    fn further_downloads(
        &self,
        input: &Input<'_>,
        lockfile: &Lockfile,
        target: &TargetGraph,
        downloads: &Downloads,
    ) -> Vec<MetadataRequest> {
        let poms = downloads.iter();
        let poms = poms.filter(|(url, body)| url.ends_with(".pom") && has_module(body));
        let modules = poms.filter_map(|(url, _)| module_of(url));
        // A reason against it is that of `write`.
        let lacking = verification(input)
            .and_then(|path| lacking(input, path, lockfile, target, downloads).ok());
        let files = lacking.into_iter().flat_map(BTreeMap::into_values);
        let files = files.flat_map(BTreeMap::into_values);
        modules
            .chain(files)
            .filter(|url| !downloads.contains_key(url))
            .map(|url| MetadataRequest { url, accept: None })
            .collect()
    }

    fn write(
        &self,
        input: &Input<'_>,
        lockfile: &Lockfile,
        target: &TargetGraph,
        downloads: &Downloads,
    ) -> Result<Siblings, WriteError> {
        if *target == TargetGraph::unchanged(lockfile) {
            return Ok(Siblings::from([(
                input.path.to_owned(),
                input.bytes.to_vec(),
            )]));
        }

        let failed = |reason: String| WriteError::new(input, reason);
        let changes = changes(lockfile, target, downloads).map_err(failed)?;
        let mut build = Build {
            before: input.siblings,
            changed: Siblings::from([(input.path.to_owned(), input.bytes.to_vec())]),
        };
        change_all(input.path, &mut build, &changes).map_err(failed)?;
        if let Some(path) = verification(input) {
            let of_file = |reason: String| failed(format!("`{path}`: {reason}"));
            let lacking = lacking(input, path, lockfile, target, downloads).map_err(of_file)?;
            let text = build.text(path).unwrap_or_default();
            let added = gradle_verification::add(text, &lacking, downloads).map_err(of_file)?;
            build.changed.insert(path.clone(), added.into_bytes());
        }
        build
            .changed
            .retain(|path, bytes| path == input.path || input.sibling(path) != Some(bytes));

        Ok(build.changed)
    }
}

/// Changes a lockfile, and those that have a changed script or catalog in common with it.
fn change_all(own: &str, build: &mut Build<'_>, changes: &[Change]) -> Result<(), String> {
    let mut done = BTreeSet::new();
    let mut todo = vec![own.to_owned()];
    while let Some(path) = todo.pop() {
        if !done.insert(path.clone()) {
            continue;
        }
        let text = build.text(&path).ok_or("it is not UTF-8")?;
        let in_other = |reason: String| match path == own {
            true => reason,
            false => format!("`{path}`, which has the same change: {reason}"),
        };
        let mut lines = Lines::read(text).map_err(in_other)?;
        let is_met = |change: &Change| {
            let from = change.from.as_deref();
            from.is_some_and(|from| lines.configurations(&change.name, from).is_some())
        };
        if !changes.iter().any(is_met) {
            continue;
        }

        let scopes = build.declare(&path, &lines, changes).map_err(in_other)?;
        lines.change(changes).map_err(in_other)?;
        build.changed.insert(path, lines.text().into_bytes());
        let below = |path: &&String| {
            path.ends_with("gradle.lockfile")
                && scopes.iter().any(|scope| {
                    let own = directory(path);
                    scope.is_empty()
                        || own == scope
                        || own
                            .strip_prefix(scope.as_str())
                            .is_some_and(|rest| rest.starts_with('/'))
                })
        };
        todo.extend(build.before.keys().filter(below).cloned());
    }
    Ok(())
}

/// The components that the verification metadata lacks after a change.
fn lacking(
    input: &Input<'_>,
    path: &str,
    lockfile: &Lockfile,
    target: &TargetGraph,
    downloads: &Downloads,
) -> Result<Lacking, String> {
    let text = input.sibling(path).map(std::str::from_utf8);
    let Some(Ok(text)) = text else {
        return Err("it is not UTF-8".to_owned());
    };
    let of = |node: &TargetNode| {
        let package = node.was.and_then(|was| lockfile.package(was));
        package.map(|package| package.version.as_str())
    };
    let used: Vec<Used<'_>> = target
        .nodes
        .iter()
        .filter_map(|node| {
            let (from, release) = (of(node), node.release.as_ref()?);
            (from != Some(&release.version)).then_some(Used {
                name: &node.name,
                from,
                release,
            })
        })
        .collect();
    gradle_verification::lacking(text, &used, downloads)
}

/// The verification metadata of the build.
fn verification<'i>(input: &Input<'i>) -> Option<&'i String> {
    let own = directory(input.path);
    let mut paths = input.siblings.keys();
    paths.find(|path| {
        path.strip_suffix(VERIFICATION).is_some_and(|root| {
            root.is_empty() || own == root.trim_end_matches('/') || own.starts_with(root)
        })
    })
}

/// The changes of a plan, with what the releases need.
fn changes(
    lockfile: &Lockfile,
    target: &TargetGraph,
    downloads: &Downloads,
) -> Result<Vec<Change>, String> {
    let moves = moves(lockfile, target)?;
    let mut changes = Vec::new();
    for ((name, from), to) in moves {
        let release = release_of(target, &name, &to)
            .ok_or_else(|| format!("nothing is known of `{name}` {to}"))?;
        let before = pom_of(&name, release, &from);
        changes.push(Change {
            needed: declared_needs(before.as_deref(), downloads)
                .map_err(|reason| format!("`{name}` {from} {reason}"))?,
            needs: needs(&name, release, downloads)?,
            from: Some(from),
            name,
            to,
        });
    }
    let new = target.nodes.iter().filter(|node| node.was.is_none());
    for node in new {
        if let Some(release) = &node.release {
            changes.push(Change {
                needs: needs(&node.name, release, downloads)?,
                name: node.name.clone(),
                from: None,
                to: release.version.clone(),
                needed: Vec::new(),
            });
        }
    }
    Ok(changes)
}

fn release_of<'t>(target: &'t TargetGraph, name: &str, version: &str) -> Option<&'t Release> {
    let mut nodes = target.nodes.iter().filter(|node| node.name == name);
    let of_version = |node: &'t TargetNode| {
        let release = node.release.as_ref()?;
        (release.version == version).then_some(release)
    };
    nodes.find_map(of_version)
}

/// What a release needs, with the requirements that the registry's metadata has.
fn needs(name: &str, release: &Release, downloads: &Downloads) -> Result<Vec<Need>, String> {
    let version = &release.version;
    let mut files = release.files.iter();
    let pom = files.find(|file| file.name.ends_with(".pom"));
    let mut needs = declared_needs(pom.map(|file| file.url.as_str()), downloads)
        .map_err(|reason| format!("`{name}` {version} {reason}"))?;
    for need in needs.iter_mut().filter(|need| !need.is_known()) {
        let mut known = release.requirements.iter();
        if let Some(known) = known.find(|one| one.name == need.name) {
            need.requirement.clone_from(&known.requirement);
        }
    }

    for bound in release.requirements.iter().filter(|one| one.only_bounds) {
        if needs.iter().all(|one| one.name != bound.name) {
            needs.push(Need {
                name: bound.name.clone(),
                requirement: bound.requirement.clone(),
                scope: Scope::Compile,
                only_bounds: true,
            });
        }
    }
    Ok(needs)
}

/// What the release with the POM at an address needs: by Gradle's own metadata, if there is any, else
/// by the POM.
fn declared_needs(url: Option<&str>, downloads: &Downloads) -> Result<Vec<Need>, String> {
    let body = url.and_then(|url| downloads.get(url));
    let text = body.and_then(|body| std::str::from_utf8(body).ok());
    let text = text.ok_or("has no POM in UTF-8")?;
    if !has_module(text.as_bytes()) {
        return own_needs(text).map_err(|error| format!("has a POM that {}", error.reason));
    }

    let module = url.and_then(module_of);
    let module = module.and_then(|url| downloads.get(&url));
    let module = module.and_then(|body| std::str::from_utf8(body).ok());
    let module = module.ok_or("lacks the metadata of Gradle that its POM announces")?;
    gradle_module::needs(module).map_err(|reason| format!("has metadata of Gradle that {reason}"))
}

fn has_module(pom: &[u8]) -> bool {
    memchr::memmem::find(pom, gradle_module::MARKER.as_bytes()).is_some()
}

/// The address of Gradle's own metadata, next to a POM.
fn module_of(pom: &str) -> Option<String> {
    Some(format!("{}.module", pom.strip_suffix(".pom")?))
}

/// The address of the POM of another version, next to that of a release.
fn pom_of(name: &str, release: &Release, version: &str) -> Option<String> {
    let (_, artifact) = name.split_once(':')?;
    let own = release
        .files
        .iter()
        .find(|file| file.name.ends_with(".pom"))?;
    let (directory, _) = own.url.rsplit_once('/')?;
    let (package, _) = directory.rsplit_once('/')?;
    Some(format!(
        "{package}/{}",
        crate::maven::registry::pom_path(artifact, version)
    ))
}
