//! Direct changes of a `Gemfile.lock`.
//!
//! The rules of order and form are those of Bundler's `lib/bundler/lockfile_generator.rb` and
//! `lib/bundler/lazy_specification.rb`
//! (<https://github.com/rubygems/rubygems/tree/master/bundler/lib/bundler>). Gems of git repositories
//! and directories never change, nor do the sections `PLATFORMS`, `RUBY VERSION` and `BUNDLED WITH`.

mod document;
mod platforms;

use std::collections::{BTreeMap, BTreeSet};

use patchgate_model::Lockfile;

use super::raise::locked;
use super::registry::{Archive, archives};
use super::{RubyGems, gemfile, lockfile as reader};
use crate::lockfile_writer::write_lockfile;
use crate::{
    Downloads, Input, LockfileWriter, Release, Siblings, TargetGraph, TargetNode, Upgradable as _,
    WriteError,
};
use document::{Document, Entry};

/// The writer of `Gemfile.lock`.
#[derive(Debug)]
pub(super) struct GemWriter;

impl LockfileWriter for GemWriter {
    fn write(
        &self,
        input: &Input<'_>,
        lockfile: &Lockfile,
        target: &TargetGraph,
        _downloads: &Downloads,
    ) -> Result<Siblings, WriteError> {
        write_lockfile(input, lockfile, target, || write(input, lockfile, target))
    }
}

fn write(input: &Input<'_>, lockfile: &Lockfile, target: &TargetGraph) -> Result<String, String> {
    if !lockfile.skipped.is_empty() {
        return Err("it has entries that cannot be read".to_owned());
    }
    let text = input.text().map_err(|error| error.to_string())?;
    let mut document = Document::parse(text)?;

    let plan = Plan::new(lockfile, target)?;
    plan.apply(lockfile, target, &mut document)?;
    set_requirements(input, lockfile, target, &mut document)?;

    let written = document.print(input.bytes.starts_with("\u{feff}".as_bytes()));
    check(input, &written)?;
    Ok(written)
}

/// The gems that change, by name.
struct Plan<'a> {
    releases: BTreeMap<&'a str, &'a Release>,
    /// Lines of the entries that stay as they are.
    kept: BTreeSet<usize>,
}

impl<'a> Plan<'a> {
    fn new(lockfile: &Lockfile, target: &'a TargetGraph) -> Result<Self, String> {
        let mut plan = Self {
            releases: BTreeMap::new(),
            kept: BTreeSet::new(),
        };
        for node in &target.nodes {
            match &node.release {
                Some(release) => plan.add(node, release)?,
                None => {
                    let package = node.was.and_then(|was| lockfile.package(was));
                    let package =
                        package.ok_or_else(|| format!("`{}` has no release", node.name))?;
                    plan.kept.insert(package.line as usize);
                }
            }
        }

        let is_mixed = |node: &&TargetNode| {
            node.release.is_none() && plan.releases.contains_key(node.name.as_str())
        };
        match target.nodes.iter().find(is_mixed) {
            Some(node) => Err(format!(
                "`{}` would have several versions, of which Ruby loads one",
                node.name
            )),
            None => Ok(plan),
        }
    }

    fn add(&mut self, node: &'a TargetNode, release: &'a Release) -> Result<(), String> {
        let known = self.releases.insert(&node.name, release);
        match known.is_some_and(|known| known.version != release.version) {
            true => Err(format!(
                "`{}` would have several versions, of which Ruby loads one",
                node.name
            )),
            false => Ok(()),
        }
    }

    /// Changes the entries of the gems, and their hashes.
    fn apply(
        &self,
        lockfile: &Lockfile,
        target: &TargetGraph,
        document: &mut Document,
    ) -> Result<(), String> {
        let present: BTreeSet<&str> = target.nodes.iter().map(|node| node.name.as_str()).collect();
        let platforms = document.platforms();
        let mut entries: BTreeMap<&str, Vec<Entry>> = BTreeMap::new();
        let mut hashes = BTreeMap::new();
        for (name, release) in &self.releases {
            let old = document.platforms_of(name);
            let archives = self.archives_of(name, release, &platforms, &old)?;
            for archive in &archives {
                let needed = archive
                    .dependencies
                    .iter()
                    .map(|(needed, _)| needed.as_str());
                if let Some(lacking) = needed
                    .filter(|needed| *needed != "bundler")
                    .find(|needed| !present.contains(needed))
                {
                    return Err(format!(
                        "`{name} {}` needs `{lacking}`, which has no version",
                        release.version
                    ));
                }
                let entry = Entry::new(name, &release.version, archive);
                if document.has_checksums() {
                    let hash = archive.sha256.clone().ok_or_else(|| {
                        format!("`{} ({})` has no hash in the registry", name, entry.version)
                    })?;
                    hashes.insert((entry.name.clone(), entry.version.clone()), hash);
                }
                entries.entry(*name).or_default().push(entry);
            }
        }

        let of_source: BTreeSet<usize> = lockfile
            .indexed()
            .filter(|(_, package)| self.releases.contains_key(package.name.as_str()))
            .map(|(_, package)| package.line as usize)
            .collect();
        document.replace(&self.kept, &of_source, entries)?;
        document.replace_checksums(hashes);
        Ok(())
    }

    /// The archives of a release that the lockfile lists: for each platform the best one.
    fn archives_of(
        &self,
        name: &str,
        release: &Release,
        platforms: &[String],
        old: &BTreeSet<String>,
    ) -> Result<Vec<Archive>, String> {
        let shown = format!("{name} {}", release.version);
        let all = archives(release)
            .filter(|all| !all.is_empty())
            .ok_or_else(|| format!("`{shown}` is not described"))?;
        let chosen = platforms::choose(&all, platforms).map_err(|platform| {
            format!("it is not clear which archive of `{shown}` is for the platform {platform}")
        })?;
        let new: BTreeSet<String> = chosen
            .iter()
            .map(|archive| archive.platform.clone())
            .collect();
        if !old.is_empty() && *old != new {
            return Err(format!(
                "`{shown}` has archives for {}, and the locked version for {}",
                list(&new),
                list(old)
            ));
        }

        Ok(chosen.into_iter().cloned().collect())
    }
}

fn list(platforms: &BTreeSet<String>) -> String {
    let names: Vec<&str> = platforms.iter().map(String::as_str).collect();
    names.join(", ")
}

/// Writes the requirements of the project that were raised.
fn set_requirements(
    input: &Input<'_>,
    lockfile: &Lockfile,
    target: &TargetGraph,
    document: &mut Document,
) -> Result<(), String> {
    for (root, edges) in lockfile.roots.iter().zip(&target.roots) {
        let mut raised = BTreeMap::new();
        for edge in edges {
            let before = root.edges.iter().find(|before| before.name == edge.name);
            let Some(before) = before else {
                return Err(format!("the project does not require `{}`", edge.name));
            };
            let wanted = locked(edge.requirement.as_deref().unwrap_or_default());
            if wanted != locked(before.requirement.as_deref().unwrap_or_default()) {
                raised.insert(edge.name.as_str(), wanted);
            }
        }

        for (name, wanted) in raised {
            // The Gemfile is what Bundler compares with.
            let manifest = root.manifest.as_deref().unwrap_or_default();
            let stated = input.sibling(manifest).and_then(|bytes| {
                let gemfile = gemfile::read(&Input {
                    path: manifest,
                    bytes,
                    siblings: input.siblings,
                });
                let gems = gemfile.ok()?.gems;
                let gem = gems.into_iter().find(|gem| gem.name == name)?;
                Some(locked(&gem.requirement))
            });
            if stated.as_ref() != Some(&wanted) {
                let text = wanted.unwrap_or_default();
                return Err(format!("the Gemfile does not require `{name}` as `{text}`"));
            }
            document.set_requirement(name, wanted.as_deref())?;
        }
    }

    Ok(())
}

/// Reads the result again: every requirement in it must be satisfied, or Bundler would resolve again.
fn check(input: &Input<'_>, written: &str) -> Result<(), String> {
    let lockfile = reader::parse(&Input {
        path: input.path,
        bytes: written.as_bytes(),
        siblings: input.siblings,
    })
    .map_err(|error| error.to_string())?;
    if let Some(skipped) = lockfile.skipped.first() {
        return Err(format!("the result {}", skipped.reason));
    }

    let of_packages = lockfile.packages.iter().flat_map(|package| &package.edges);
    let of_roots = lockfile.roots.iter().flat_map(|root| &root.edges);
    for edge in of_packages.chain(of_roots) {
        let (Some(requirement), Some(package)) = (&edge.requirement, lockfile.package(edge.to))
        else {
            continue;
        };
        if !RubyGems
            .admits(requirement, &package.version)
            .unwrap_or(false)
        {
            return Err(format!(
                "`{} {}` does not satisfy `{requirement}`",
                package.name, package.version
            ));
        }
    }

    Ok(())
}

#[cfg(test)]
mod tests;
