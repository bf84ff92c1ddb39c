//! The new modules that a build needs.
//!
//! By Go's rule a module is needed only when a package of the project imports one of its packages, itself
//! or through others (<https://go.dev/ref/mod#go-mod-tidy>). The sources of the project are not at hand,
//! but what it builds now is: a package that imports a module which the files do not have is not part of
//! it. All others may be, and so may what they import in the new releases.

use std::collections::{BTreeMap, BTreeSet};

use patchgate_model::{DependencyKind, Origin, Package};

use super::super::archive::{self, Packages};
use super::super::registry;
use super::super::version;
use super::{Change, Writer, address_of, request};
use crate::{FoundRequirement, MetadataRequest, Requirement, WriteError};

/// The changes that the files get.
#[derive(Default)]
pub(super) struct Used<'w, 'a> {
    pub(super) needed: Vec<&'w Change<'a>>,
    /// The archives that are still needed to know it.
    pub(super) lacking: Vec<MetadataRequest>,
    /// The modules that are needed and that the graph does not have.
    pub(super) missing: Vec<FoundRequirement>,
}

/// The packages that may be imported, as far as they are found.
struct Search<'s, 'w, 'a> {
    writer: &'w Writer<'a>,
    packages: &'s BTreeMap<&'w str, Packages>,
    /// Import paths that are to be looked at.
    queue: Vec<String>,
    /// Those that were looked at.
    seen: BTreeSet<String>,
    /// The imports that were looked at, by module.
    imports: BTreeSet<(&'w str, &'s str)>,
    /// New modules that are imported.
    imported: BTreeSet<&'w str>,
    /// What is imported of modules that the graph does not have, by the change whose package does.
    missing: BTreeMap<(&'w str, String), FoundRequirement>,
}

impl<'a> Writer<'a> {
    /// The changes of modules that the files have, and of those that the project requires itself.
    pub(super) fn settled(&self) -> Vec<&Change<'a>> {
        let changes = self.changes.iter();
        changes
            .filter(|change| change.was.is_some() || change.direct)
            .collect()
    }

    /// The changes that the files get. A new module that no package of the build can import is left out,
    /// such as what a module requires for its tests. `is_last` is false as long as archives can be asked
    /// for; a present archive that is not there then says nothing.
    pub(super) fn used(&self, is_last: bool) -> Result<Used<'_, 'a>, WriteError> {
        let settled = self.settled();
        let mut packages = BTreeMap::new();
        let mut lacking = Vec::new();
        for change in &settled {
            match self.packages_of(change)? {
                Some(found) => _ = packages.insert(change.path(), found),
                None => lacking.extend(registry::file(change.release, "zip").map(request)),
            }
        }
        if !lacking.is_empty() {
            return Ok(Used {
                lacking,
                ..Used::default()
            });
        }

        // First with every package of every changed module.
        let all = |packages: &BTreeMap<&str, Packages>| -> Vec<String> {
            let of_settled = settled.iter().filter_map(|one| packages.get(one.path()));
            of_settled.flat_map(Packages::keys).cloned().collect()
        };
        let roots = all(&packages);
        let found = self.search(&packages, roots);
        if found.imported.is_empty() && found.missing.is_empty() {
            return Ok(Used {
                needed: settled,
                ..Used::default()
            });
        }

        // Then without those that the present build cannot have.
        let (present, mut lacking) = self.present(&settled)?;
        if !lacking.is_empty() && !is_last {
            // They may not exist any more, so what is needed without them is asked for as well.
            let roots = all(&packages);
            let mut used = self.used_from(settled, packages, &roots)?;
            used.lacking.append(&mut lacking);
            return Ok(used);
        }
        let is_present = |module: &str, path: &String| {
            present
                .of
                .get(module)
                .is_none_or(|one| one.contains_key(path))
        };
        let mut roots = Vec::new();
        for (module, packages) in &packages {
            let own = packages.keys().filter(|path| is_present(module, path));
            roots.extend(own.cloned());
        }
        self.used_from(settled, packages, &roots)
    }

    /// Follows the imports of packages into new modules.
    fn used_from<'w>(
        &'w self,
        settled: Vec<&'w Change<'a>>,
        mut packages: BTreeMap<&'w str, Packages>,
        roots: &[String],
    ) -> Result<Used<'w, 'a>, WriteError> {
        let mut needed = settled;
        loop {
            let found = self.search(&packages, roots.to_vec());
            let is_new = |change: &&Change<'a>| found.imported.contains(change.path());
            let new: Vec<&Change<'a>> = self.changes.iter().filter(is_new).collect();
            if new.is_empty() {
                return Ok(Used {
                    needed,
                    lacking: Vec::new(),
                    missing: found.missing.into_values().collect(),
                });
            }

            let mut lacking = Vec::new();
            for change in new {
                match self.packages_of(change)? {
                    Some(found) => {
                        packages.insert(change.path(), found);
                        needed.push(change);
                    }
                    None => lacking.extend(registry::file(change.release, "zip").map(request)),
                }
            }
            if !lacking.is_empty() {
                return Ok(Used {
                    needed,
                    lacking,
                    ..Used::default()
                });
            }
        }
    }

    fn search<'s, 'w>(
        &'w self,
        packages: &'s BTreeMap<&'w str, Packages>,
        roots: Vec<String>,
    ) -> Search<'s, 'w, 'a> {
        let mut search = Search {
            writer: self,
            packages,
            queue: roots,
            seen: BTreeSet::new(),
            imports: BTreeSet::new(),
            imported: BTreeSet::new(),
            missing: BTreeMap::new(),
        };
        while let Some(path) = search.queue.pop() {
            search.follow(path);
        }
        search
    }

    /// The packages of a change's release. `None` when its archive was not downloaded.
    fn packages_of(&self, change: &Change<'_>) -> Result<Option<Packages>, WriteError> {
        let address = registry::file(change.release, "zip");
        let Some(bytes) = address.and_then(|address| self.downloads.get(address)) else {
            return Ok(None);
        };
        let release = (change.name, change.release.version.as_str());
        let packages = archive::packages(bytes, release, change.path());
        packages.map(Some).map_err(|error| {
            let (name, version) = release;
            self.error(format!("the registry's file of `{name} {version}` {error}"))
        })
    }

    /// The packages of changed modules at their present versions that the build may have, and the archives
    /// that were not downloaded.
    fn present(
        &self,
        settled: &[&Change<'a>],
    ) -> Result<(Present, Vec<MetadataRequest>), WriteError> {
        let mut present = Present::default();
        let mut lacking = Vec::new();
        for change in settled {
            let is_of_proxy = |was: &&&Package| {
                matches!(was.origin, Origin::Registry(_)) && version::is_canonical(&was.version)
            };
            let Some(was) = change.was.as_ref().filter(is_of_proxy) else {
                continue;
            };
            let address = address_of(change.name, change.release, &was.name, &was.version, "zip");
            let Some(address) = address else {
                continue;
            };
            let Some(bytes) = self.downloads.get(&address) else {
                lacking.push(request(&address));
                continue;
            };
            let packages = archive::packages(bytes, (&was.name, &was.version), change.path());
            let packages = packages.map_err(|error| {
                self.error(format!(
                    "the registry's file of `{} {}` {error}",
                    was.name, was.version
                ))
            })?;
            present.of.insert(change.path().to_owned(), packages);
        }

        present.remove_impossible(self);
        Ok((present, lacking))
    }

    /// The module that the files have and whose path is the longest beginning of an import.
    fn provider(&self, import: &str) -> Option<&str> {
        let required = self.file.requires.iter().map(|one| one.path.as_str());
        required
            .chain(self.locked.keys().copied())
            .chain([self.file.module.as_str()])
            .chain(self.changes.iter().map(Change::path))
            .filter(|module| is_below(import, module))
            .max_by_key(|module| module.len())
    }
}

/// The packages of modules at their present versions, by module path.
#[derive(Default)]
struct Present {
    of: BTreeMap<String, Packages>,
}

impl Present {
    /// Removes the packages that the build cannot have: they import a package that no module of the files
    /// has.
    fn remove_impossible(&mut self, writer: &Writer<'_>) {
        let new = |module: &str| {
            let mut changes = writer.changes.iter();
            changes.any(|one| one.path() == module && one.was.is_none() && !one.direct)
        };
        let providers: BTreeMap<String, Option<String>> = self
            .of
            .values()
            .flat_map(Packages::values)
            .flat_map(|one| &one.certain)
            .filter(|import| !is_standard(import))
            .map(|import| {
                let provider = writer.provider(import).filter(|module| !new(module));
                (import.clone(), provider.map(str::to_owned))
            })
            .collect();

        loop {
            let is_there = |import: &String| match providers.get(import) {
                None => true,
                Some(None) => false,
                Some(Some(module)) => {
                    let known = self.of.get(module);
                    known.is_none_or(|packages| packages.contains_key(import))
                }
            };
            let of = self.of.iter();
            let gone: Vec<(String, String)> = of
                .flat_map(|(module, packages)| packages.iter().map(move |one| (module, one)))
                .filter(|(_, (_, one))| !one.certain.iter().all(is_there))
                .map(|(module, (path, _))| (module.clone(), path.clone()))
                .collect();
            if gone.is_empty() {
                return;
            }
            for (module, path) in gone {
                if let Some(packages) = self.of.get_mut(&module) {
                    packages.remove(&path);
                }
            }
        }
    }
}

impl<'s, 'w> Search<'s, 'w, '_> {
    /// Looks at the imports of a package of a changed module.
    fn follow(&mut self, path: String) {
        if self.seen.contains(&path) {
            return;
        }
        let all: &'s BTreeMap<&'w str, Packages> = self.packages;
        let owner = all.iter();
        let owner = owner
            .filter(|(_, packages)| packages.contains_key(&path))
            .max_by_key(|(module, _)| module.len());
        let Some((module, packages)) = owner else {
            return;
        };

        let imports = packages.get(&path).map(|one| &one.possible);
        for import in imports.into_iter().flatten() {
            if !is_standard(import) && self.imports.insert((module, import)) {
                self.import(module, import);
            }
        }
        self.seen.insert(path);
    }

    fn import(&mut self, by: &'w str, import: &str) {
        let writer = self.writer;
        let present = writer.provider(import);
        let required = writer
            .changes
            .iter()
            .flat_map(|change| change.go_mod.requires.iter().map(move |one| (change, one)))
            .filter(|(_, one)| is_below(import, &one.path))
            // The module's own requirement, of those of the longest path.
            .max_by(|(a, one), (b, other)| {
                let key = |change: &Change<'_>, path: &str| (path.len(), change.path() == by);
                key(a, &one.path)
                    .cmp(&key(b, &other.path))
                    .then_with(|| version::compare(&one.version, &other.version))
            });

        match (present, required) {
            (present, Some((change, one)))
                if present.is_none_or(|module| module.len() < one.path.len()) =>
            {
                let found = FoundRequirement {
                    package: change.name.to_owned(),
                    version: change.release.version.clone(),
                    requirement: Requirement {
                        name: one.path.clone(),
                        requirement: one.version.clone(),
                        kind: DependencyKind::Runtime,
                        ..Requirement::default()
                    },
                };
                self.missing
                    .insert((change.path(), one.path.clone()), found);
            }
            (Some(module), _) => {
                let mut changes = writer.changes.iter();
                let new = changes.find(|one| one.path() == module && one.was.is_none());
                if let Some(new) = new.filter(|new| !self.packages.contains_key(new.path())) {
                    self.imported.insert(new.path());
                }
                self.queue.push(import.to_owned());
            }
            (None, _) => {}
        }
    }
}

/// Whether an import is of the standard library: the first part of its path has no dot
/// (<https://pkg.go.dev/cmd/go#hdr-Import_path_syntax>).
fn is_standard(import: &str) -> bool {
    let first = import.split('/').next().unwrap_or_default();
    !first.contains('.')
}

/// Whether a module's path is the beginning of an import path.
fn is_below(import: &str, module: &str) -> bool {
    let rest = import.strip_prefix(module);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
