//! The writer of `packages.lock.json`.

use std::collections::{BTreeMap, BTreeSet};

use patchgate_model::{Lockfile, Origin, PackageIndex};

use super::super::project_files;
use super::super::range::{VersionRange, normal};
use super::document::{Document, Kind};
use super::is_lockfile;
use super::package::Package;
use super::relock::{Change, Packages, Refusal, Stated, relock};
use super::stated::{Raised, Statements, is_msbuild, is_project};
use crate::{
    Downloads, EditError, Input, LockfileWriter, MetadataRequest, Release, Siblings, TargetGraph,
    WriteError,
};

/// Most rounds of looking for versions that no project states yet.
const MAX_ROUNDS: usize = 32;

/// The writer of `packages.lock.json`, of the other lockfiles of the repository, and of the files that
/// state the versions.
#[derive(Debug)]
pub(in crate::nuget) struct NuGetLockWriter;

impl LockfileWriter for NuGetLockWriter {
    /// The archive, for its hash and its dependencies.
    fn downloads(&self, _name: &str, release: &Release) -> Vec<MetadataRequest> {
        release.file_requests()
    }

    fn reads(&self, path: &str) -> bool {
        is_lockfile(path) || is_msbuild(path)
    }

    fn write(
        &self,
        input: &Input<'_>,
        lockfile: &Lockfile,
        target: &TargetGraph,
        downloads: &Downloads,
    ) -> Result<Siblings, WriteError> {
        if *target == TargetGraph::unchanged(lockfile) {
            let own = (input.path.to_owned(), input.bytes.to_vec());
            return Ok(Siblings::from([own]));
        }
        let failed = |reason: String| WriteError::new(input, reason);
        if !lockfile.skipped.is_empty() {
            return Err(failed("it has entries that cannot be read".to_owned()));
        }
        Writer::new(input, lockfile, target, downloads)
            .and_then(Writer::write)
            .map_err(failed)
    }

    /// The central list where it counts for packages that others require, else a reference of the
    /// project.
    fn write_override(
        &self,
        lockfile: &str,
        manifests: &Siblings,
        name: &str,
        version: &str,
    ) -> Result<Option<(String, String)>, EditError> {
        let Some(project) = project_of(lockfile, manifests) else {
            return Ok(None);
        };

        let mut statements = Statements::new(manifests);
        statements
            .pin(&project, name, version)
            .map_err(EditError::Refused)?;

        let mut changed: Vec<(String, Vec<u8>)> = statements.into_changed().into_iter().collect();
        if changed.is_empty() {
            // It is stated already.
            changed.extend(
                manifests
                    .get(&project)
                    .map(|bytes| (project.clone(), bytes.clone())),
            );
        }

        match <[_; 1]>::try_from(changed) {
            Ok([(path, bytes)]) => String::from_utf8(bytes)
                .map(|text| Some((path, text)))
                .map_err(|_| EditError::Unreadable("it is not UTF-8".to_owned())),
            Err(_) => Err(EditError::Refused(format!(
                "`{name}` has to be stated in several files"
            ))),
        }
    }
}

/// The one project that a lockfile belongs to.
fn project_of(lockfile: &str, siblings: &Siblings) -> Option<String> {
    let input = Input {
        path: lockfile,
        bytes: &[],
        siblings,
    };
    let projects = project_files::beside(&input);
    match <[_; 1]>::try_from(projects) {
        Ok([project]) => Some(project.path),
        Err(_) => None,
    }
}

struct Writer<'a> {
    input: &'a Input<'a>,
    project: String,
    document: Document,
    packages: Packages,
    /// The new versions, by name and version before.
    moves: BTreeMap<(String, String), String>,
    statements: Statements,
}

impl<'a> Writer<'a> {
    fn new(
        input: &'a Input<'a>,
        lockfile: &Lockfile,
        target: &TargetGraph,
        downloads: &Downloads,
    ) -> Result<Self, String> {
        let project = project_of(input.path, input.siblings)
            .ok_or("it does not belong to exactly one project")?;
        let mut packages = Packages::new();
        let mut moves = BTreeMap::new();
        for node in &target.nodes {
            let Some(release) = &node.release else {
                continue;
            };
            let key = node.name.to_ascii_lowercase();
            let package = package(&node.name, release, downloads)?;
            if let Some(PackageIndex(_)) = node.was
                && let Some(old) = node.was.and_then(|was| lockfile.package(was))
            {
                if !matches!(old.origin, Origin::Registry(_)) {
                    return Err(format!("`{}` is not from a feed", node.name));
                }
                moves.insert((key.clone(), old.version.clone()), package.version.clone());
            }
            let known = packages
                .get(&key)
                .map(|known: &Package| known.version.clone());
            if known.is_some_and(|known| known != package.version) {
                return Err(format!(
                    "`{}` would have different versions for different frameworks",
                    node.name
                ));
            }
            packages.insert(key, package);
        }

        Ok(Self {
            project,
            document: Document::parse(input.text().map_err(|error| error.to_string())?)?,
            packages,
            moves,
            statements: Statements::new(input.siblings),
            input,
        })
    }

    fn write(mut self) -> Result<Siblings, String> {
        self.raise()?;
        let mut written = None;
        for _ in 0..MAX_ROUNDS {
            let change = Change {
                moves: self.moves.clone(),
                ..self.change(&self.document, &self.project)?
            };
            match relock(&self.document, &change, &self.packages) {
                Ok(document) => {
                    written = Some(document);
                    break;
                }
                Err(Refusal::Other(reason)) => return Err(reason),
                Err(Refusal::Unstated(packages)) => {
                    for (key, version) in packages {
                        self.state(&key, &version)?;
                    }
                }
            }
        }
        let document = written.ok_or("its versions do not settle")?;

        let mut files = self.others()?;
        let text = self.input.bytes;
        let text = std::str::from_utf8(text).map_err(|error| error.to_string())?;
        files.insert(
            self.input.path.to_owned(),
            document.print_like(text).into_bytes(),
        );
        files.extend(self.statements.into_changed());
        Ok(files)
    }

    /// The name of a package as the lockfile or the package itself writes it.
    fn name(&self, key: &str) -> String {
        let mut entries = self
            .document
            .targets
            .iter()
            .flat_map(|target| &target.entries);
        let written = entries.find(|entry| entry.key() == key);
        let own = written.map(|entry| entry.name.clone());
        own.or_else(|| self.packages.get(key).map(|package| package.name.clone()))
            .unwrap_or_else(|| key.to_owned())
    }

    /// Raises the requirements that the project and its central list state themselves.
    fn raise(&mut self) -> Result<(), String> {
        let entries = self
            .document
            .targets
            .iter()
            .flat_map(|target| &target.entries);
        let mut wanted = BTreeSet::new();
        for entry in entries {
            let old = entry.resolved.clone().unwrap_or_default();
            if let Some(version) = self.moves.get(&(entry.key(), old))
                && matches!(entry.kind, Kind::Direct | Kind::CentralTransitive)
            {
                wanted.insert((entry.key(), version.clone(), entry.requested.clone()));
            }
        }

        for (key, version, from) in wanted {
            let from = from.as_deref().and_then(VersionRange::parse);
            self.statements.raise(&self.project, &key, &version, from)?;
        }
        Ok(())
    }

    /// States a version that is above what its dependents require: where projects that this one
    /// references state it, else for this project.
    fn state(&mut self, key: &str, version: &str) -> Result<(), String> {
        let mut places = BTreeSet::new();
        let entries = self
            .document
            .targets
            .iter()
            .flat_map(|target| &target.entries);
        for entry in entries.filter(|entry| entry.kind == Kind::Project) {
            let stated = entry
                .dependencies
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case(key));
            if let Some((_, requirement)) = stated {
                places.insert((self.referenced(&entry.name)?, requirement.clone()));
            }
        }
        if places.is_empty() {
            let name = self.name(key);
            return self.statements.pin(&self.project, &name, version);
        }

        for (project, from) in places {
            let from = VersionRange::parse(&from);
            self.statements.raise(&project, key, version, from)?;
        }
        Ok(())
    }

    /// The file of a project that a lockfile names.
    fn referenced(&self, name: &str) -> Result<String, String> {
        let files = self.statements.files().keys();
        let is_it = |path: &&String| {
            is_project(path) && project_files::stem(path).eq_ignore_ascii_case(name)
        };
        let mut found = files.filter(is_it);
        match (found.next(), found.next()) {
            (Some(path), None) => Ok(path.clone()),
            _ => Err(format!("the file of the project `{name}` is not known")),
        }
    }

    /// The other lockfiles that repeat what is stated.
    fn others(&self) -> Result<Siblings, String> {
        let mut changed = Siblings::new();
        let others = self.input.siblings.iter();
        for (path, bytes) in
            others.filter(|(path, _)| is_lockfile(path) && *path != self.input.path)
        {
            let failed = |reason: String| format!("`{path}` has to change too, but {reason}");
            let text = std::str::from_utf8(bytes).map_err(|error| failed(error.to_string()))?;
            if !self.mentions(text) {
                continue;
            }

            let before = Document::parse(text).map_err(failed)?;
            let project = project_of(path, self.input.siblings)
                .ok_or_else(|| failed("it does not belong to exactly one project".to_owned()))?;
            let change = self.change(&before, &project)?;

            let after = match relock(&before, &change, &self.packages) {
                Ok(after) => after,
                Err(Refusal::Other(reason)) => return Err(failed(reason)),
                Err(Refusal::Unstated(packages)) => {
                    let names: Vec<String> = packages
                        .into_iter()
                        .map(|(name, _)| format!("`{name}`"))
                        .collect();
                    return Err(failed(format!(
                        "nothing states the version of {} there",
                        names.join(", ")
                    )));
                }
            };

            if after != before {
                changed.insert(path.clone(), after.print_like(text).into_bytes());
            }
        }

        Ok(changed)
    }

    /// Whether a lockfile may repeat something of what changed.
    fn mentions(&self, text: &str) -> bool {
        let text = text.to_ascii_lowercase();
        self.statements.raised.iter().any(|one| {
            let project = project_files::stem(&one.path).to_ascii_lowercase();
            text.contains(&format!("\"{}\"", one.key))
                || (is_project(&one.path) && text.contains(&format!("\"{project}\"")))
        })
    }

    /// What the statements change in the lockfile of a project.
    fn change(&self, document: &Document, project: &str) -> Result<Change, String> {
        let mut change = Change::default();
        if self.statements.pins_centrally(project) {
            change.pinned = self.statements.central_names(project);
        }
        for raised in &self.statements.raised {
            let entries = document.targets.iter().flat_map(|target| &target.entries);
            for entry in entries {
                self.change_of(raised, entry, project, &mut change)?;
            }
            // A new reference of the project itself, for a package that comes in.
            if raised.from.is_none() && raised.path == project {
                change.direct.insert(raised.key.clone(), raised.to.clone());
            }
        }
        Ok(change)
    }

    fn change_of(
        &self,
        raised: &Raised,
        entry: &super::document::Entry,
        project: &str,
        change: &mut Change,
    ) -> Result<(), String> {
        let key = &raised.key;
        if entry.kind == Kind::Project {
            let own = entry
                .dependencies
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case(key));
            let is_from = own.is_some_and(|(_, range)| VersionRange::parse(range) == raised.from);
            let is_new = raised.from.is_none() && own.is_none() && is_project(&raised.path);
            if !is_from && !is_new {
                return Ok(());
            }
            let path = match (self.referenced(&entry.name), is_new) {
                (Err(_), true) => return Ok(()),
                (path, _) => path?,
            };
            let is_place = match is_new {
                true => path == raised.path,
                false => self.statements.place(&path, key).as_ref() == Some(&raised.path),
            };
            if is_place {
                let stated = Stated {
                    key: key.clone(),
                    range: raised.to.clone(),
                    new: is_new.then(|| raised.name.clone()),
                };
                change.projects.entry(entry.key()).or_default().push(stated);
            }
            return Ok(());
        }

        if entry.key() != *key {
            return Ok(());
        }
        let requested = entry.requested.as_deref().and_then(VersionRange::parse);
        let is_stated = self.statements.place(project, key).as_ref() == Some(&raised.path);
        let is_list = !is_project(&raised.path);
        match entry.kind {
            Kind::Direct if is_stated && (requested == raised.from || raised.from.is_none()) => {
                change.direct.insert(key.clone(), raised.to.clone());
            }
            Kind::CentralTransitive if is_stated && is_list => {
                change.central.insert(key.clone(), raised.to.clone());
            }
            // A new statement, or one that did not count for a package that others require.
            Kind::Transitive if is_stated && is_list && self.statements.pins_centrally(project) => {
                change.central.insert(key.clone(), raised.to.clone());
            }
            Kind::Transitive if is_stated && !is_list => {
                change.direct.insert(key.clone(), raised.to.clone());
            }
            _ => {}
        }
        Ok(())
    }
}

/// A release, from its archive.
fn package(name: &str, release: &Release, downloads: &Downloads) -> Result<Package, String> {
    let file = release
        .files
        .first()
        .ok_or_else(|| format!("the feed names no archive of `{name} {}`", release.version))?;
    let archive = downloads.get(&file.url).ok_or_else(|| {
        format!(
            "the archive of `{name} {}` was not downloaded",
            release.version
        )
    })?;
    let package = Package::read(name, release, archive)?;
    match normal(&release.version) {
        Some(_) => Ok(package),
        None => Err(format!("`{}` is not a version", release.version)),
    }
}
