//! Writers of `go.mod`, `go.sum` and `go.work`.
//!
//! A version in `go.mod` is changed in its line, and a new module gets one with `// indirect`. The
//! sums of the releases are added to `go.sum`; the sum of a replaced archive goes, and every other
//! line stays, as with `go get`. The `go` and `toolchain` lines never change.
//!
//! The hashes are computed from what the proxy sent. The checksum database
//! (<https://go.dev/ref/mod#checksum-database>) is not asked, which `go get` does.

use std::collections::{BTreeMap, BTreeSet};

use patchgate_model::{Lockfile, Origin, Package};

use super::archive::{archive_hash, go_mod_hash};
use super::directives::Directives;
use super::edit::Text;
use super::installed::STDLIB;
use super::registry::{self, PRUNED_FROM, escape};
use super::sums::Sums;
use super::{module_path, version};
use crate::{
    Downloads, Input, LockfileWriter, MetadataRequest, Release, Requirement, Siblings, TargetGraph,
    WriteError,
};

/// OSV's name for the `go` command and the compiler.
const TOOLCHAIN: &str = "toolchain";

/// Writer of `go.mod` and its `go.sum`.
#[derive(Debug)]
pub(super) struct GoModWriter;

/// Writer of the replacements in `go.work`, with its `go.work.sum`.
#[derive(Debug)]
pub(super) struct GoWorkWriter;

impl LockfileWriter for GoModWriter {
    fn downloads(&self, _name: &str, release: &Release) -> Vec<MetadataRequest> {
        downloads(release)
    }

    fn reads(&self, path: &str) -> bool {
        is_module_file(path)
    }

    fn further_downloads(
        &self,
        input: &Input<'_>,
        lockfile: &Lockfile,
        target: &TargetGraph,
        known: &Downloads,
    ) -> Vec<MetadataRequest> {
        // What cannot be written needs nothing more; `write` says why.
        let writer = Writer::new(input, lockfile, target, known, "go.sum");
        writer.map_or_else(|_| Vec::new(), |writer| writer.lacking())
    }

    fn write(
        &self,
        input: &Input<'_>,
        lockfile: &Lockfile,
        target: &TargetGraph,
        downloads: &Downloads,
    ) -> Result<Siblings, WriteError> {
        Writer::new(input, lockfile, target, downloads, "go.sum")?.write()
    }
}

impl LockfileWriter for GoWorkWriter {
    fn downloads(&self, _name: &str, release: &Release) -> Vec<MetadataRequest> {
        downloads(release)
    }

    fn reads(&self, path: &str) -> bool {
        is_module_file(path)
    }

    fn further_downloads(
        &self,
        input: &Input<'_>,
        lockfile: &Lockfile,
        target: &TargetGraph,
        known: &Downloads,
    ) -> Vec<MetadataRequest> {
        // What cannot be written needs nothing more; `write` says why.
        let writer = Writer::new(input, lockfile, target, known, "go.work.sum");
        writer.map_or_else(|_| Vec::new(), |writer| writer.lacking())
    }

    fn write(
        &self,
        input: &Input<'_>,
        lockfile: &Lockfile,
        target: &TargetGraph,
        downloads: &Downloads,
    ) -> Result<Siblings, WriteError> {
        Writer::new(input, lockfile, target, downloads, "go.work.sum")?.write()
    }
}

/// Whether a file states the modules of a build, or their hashes.
fn is_module_file(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    matches!(name, "go.mod" | "go.sum" | "go.work" | "go.work.sum")
}

/// The `go.mod` of a release. Archives are large, so they are asked for once the graph can be written.
fn downloads(release: &Release) -> Vec<MetadataRequest> {
    let address = registry::file(release, "mod");
    address.map(request).into_iter().collect()
}

fn request(address: &str) -> MetadataRequest {
    MetadataRequest {
        url: address.to_owned(),
        accept: None,
    }
}

/// The address of a file of any module at the proxy of a release.
fn address_of(
    name: &str,
    release: &Release,
    path: &str,
    version: &str,
    extension: &str,
) -> Option<String> {
    let own = registry::file(release, "mod")?;
    let (proxy, _) = own.rsplit_once(&format!("{}/@v/", escape(name)))?;
    let (path, version) = (escape(path), escape(version));
    Some(format!("{proxy}{path}/@v/{version}.{extension}"))
}

/// One module that gets a release.
struct Change<'a> {
    name: &'a str,
    release: &'a Release,
    /// The package before; `None` for a new module.
    was: Option<&'a Package>,
    /// The module that a `replace` line replaces by it.
    replaces: Option<String>,
    /// Whether a project itself requires it.
    direct: bool,
    go_mod: Directives,
    go_mod_bytes: &'a [u8],
}

impl Change<'_> {
    /// The path by which its packages are imported.
    fn path(&self) -> &str {
        self.replaces.as_deref().unwrap_or(self.name)
    }
}

struct Writer<'a> {
    input: &'a Input<'a>,
    target: &'a TargetGraph,
    downloads: &'a Downloads,
    text: &'a str,
    file: Directives,
    changes: Vec<Change<'a>>,
    removed: Vec<&'a Package>,
    /// The versions of the modules that the file or `go.sum` has.
    locked: BTreeMap<&'a str, &'a str>,
    sum_path: String,
}

impl<'a> Writer<'a> {
    fn new(
        input: &'a Input<'a>,
        lockfile: &'a Lockfile,
        target: &'a TargetGraph,
        downloads: &'a Downloads,
        sum_name: &str,
    ) -> Result<Self, WriteError> {
        input
            .text()
            .map_err(|error| WriteError::new(input, error.to_string()))?;
        // With its byte order mark, which stays.
        let text = std::str::from_utf8(input.bytes)
            .map_err(|_| WriteError::new(input, "it is not UTF-8"))?;
        let file = Directives::parse(text.trim_start_matches('\u{feff}'))
            .map_err(|error| WriteError::new(input, error.to_string()))?;
        let kept: BTreeSet<_> = target.nodes.iter().filter_map(|node| node.was).collect();
        let removed = lockfile
            .indexed()
            .filter(|(index, _)| !kept.contains(index))
            .map(|(_, package)| package)
            .collect();

        let mut this = Self {
            input,
            target,
            downloads,
            text,
            file,
            changes: Vec::new(),
            removed,
            locked: lockfile
                .packages
                .iter()
                .filter(|package| package.alias.is_none())
                .map(|package| (package.name.as_str(), package.version.as_str()))
                .collect(),
            sum_path: input.beside(sum_name),
        };
        for (index, node) in target.nodes.iter().enumerate() {
            let was = node.was.and_then(|was| lockfile.package(was));
            let unchanged =
                |release: &Release| was.is_some_and(|was| was.version == release.version);
            match &node.release {
                Some(release) if !unchanged(release) => {
                    let change = this.change(index, &node.name, release, was)?;
                    this.changes.push(change);
                }
                _ => {}
            }
        }
        Ok(this)
    }

    fn error(&self, reason: impl Into<String>) -> WriteError {
        WriteError::new(self.input, reason)
    }

    /// A change, with the files of its release.
    fn change(
        &self,
        node: usize,
        name: &'a str,
        release: &'a Release,
        was: Option<&'a Package>,
    ) -> Result<Change<'a>, WriteError> {
        let version = &release.version;
        let shown = format!("`{name} {version}`");
        if matches!(name, STDLIB | TOOLCHAIN) && was.is_none_or(|was| was.name == name) {
            return Err(self.error("the release of Go is not a module that can be changed"));
        }
        if !version::is_canonical(version) || module_path::check(name, 1).is_err() {
            return Err(self.error(format!("{shown} is not a version of a module")));
        }
        if !registry::fits_path(name, version) {
            return Err(self.error(format!("{shown} has another major version than its path")));
        }
        if was.is_some_and(|was| matches!(was.origin, Origin::Path(_))) {
            return Err(self.error(format!("`{name}` is replaced by a directory")));
        }
        if self.file.excludes(name, version) {
            return Err(self.error(format!("the file excludes {shown}")));
        }

        let go_mod_bytes = self.download(name, release, "mod")?;
        let go_mod = registry::go_mod(go_mod_bytes)
            .map_err(|error| self.error(format!("the registry's file of {shown} {error}")))?;

        let replaces = was.and_then(|was| {
            let mut replacements = self.file.replacements();
            let (path, _) =
                replacements.find(|(_, by)| by.line == was.line && by.to == was.name)?;
            Some(path.to_owned())
        });
        // A replacement may state the path of the module that it replaces.
        if go_mod.module != name && replaces.is_none() {
            let stated = &go_mod.module;
            return Err(self.error(format!("{shown} declares its path as `{stated}`")));
        }
        self.check_go_line(&shown, &go_mod)?;
        Ok(Change {
            name,
            release,
            was,
            replaces,
            direct: self
                .target
                .roots
                .iter()
                .flatten()
                .any(|edge| edge.to == node),
            go_mod,
            go_mod_bytes,
        })
    }

    /// A file of a release.
    fn download(
        &self,
        name: &str,
        release: &Release,
        extension: &str,
    ) -> Result<&'a [u8], WriteError> {
        let address = registry::file(release, extension);
        let bytes = address.and_then(|address| self.downloads.get(address));
        bytes.map(Vec::as_slice).ok_or_else(|| {
            self.error(format!(
                "the `{extension}` file of `{name} {}` was not downloaded",
                release.version
            ))
        })
    }

    /// Refuses a release that needs a later Go than the project states: Go would raise the project's
    /// `go` line.
    fn check_go_line(&self, shown: &str, go_mod: &Directives) -> Result<(), WriteError> {
        let own = self.file.go.as_ref().map_or("1.16", |go| go.text.as_str());
        match registry::binding_go_line(go_mod) {
            Some(go) if version::compare(go, own).is_gt() => Err(self.error(format!(
                "{shown} needs Go {go}, and the project states Go {own}"
            ))),
            _ => Ok(()),
        }
    }

    fn write(self) -> Result<Siblings, WriteError> {
        let mut files = Siblings::from([(self.input.path.to_owned(), self.input.bytes.to_vec())]);
        let sums = self.input.sibling(&self.sum_path);
        if let Some(sums) = sums {
            files.insert(self.sum_path.clone(), sums.to_vec());
        }
        if self.changes.is_empty() && self.removed.is_empty() {
            return Ok(files);
        }

        if let Some(vendored) = self.vendored() {
            return Err(self.error(format!(
                "the modules are copied into the repository (`{vendored}`), so `go mod vendor` has \
                 to follow"
            )));
        }
        let is_workspace = self.sum_path.ends_with("go.work.sum");
        if sums.is_none() && !is_workspace {
            return Err(self.error("there is no `go.sum` next to it"));
        }
        let needed = self.needed()?;

        let text = self.edited(&needed)?;
        let sums = self.sums(&needed, sums.unwrap_or_default())?;
        files.insert(self.input.path.to_owned(), text.into_bytes());
        files.insert(self.sum_path.clone(), sums.into_bytes());
        Ok(files)
    }

    /// The list of copied modules that would no longer fit.
    fn vendored(&self) -> Option<String> {
        let own = self.input.beside("vendor/modules.txt");
        if self.input.sibling(&own).is_some() {
            return Some(own);
        }
        // A workspace has one list for all of its members.
        let mut directory = self.input.path;
        while let Some((above, _)) = directory.rsplit_once('/') {
            directory = above;
            let above = above
                .rsplit_once('/')
                .map_or(String::new(), |(above, _)| format!("{above}/"));
            let list = format!("{above}vendor/modules.txt");
            let is_workspace = self.input.sibling(&format!("{above}go.work")).is_some();
            if is_workspace && self.input.sibling(&list).is_some() {
                return Some(list);
            }
        }
        None
    }

    /// The files that [`Self::write`] needs and that were not fetched: first those that say whether the
    /// graph can be written at all, then archives.
    fn lacking(&self) -> Vec<MetadataRequest> {
        let sums = self.known_sums();
        let settled = self.settled();
        let lacking = self.lacking_below(&settled, &sums);
        if !lacking.is_empty() || self.check_bounds(&settled, &sums).is_err() {
            return lacking;
        }

        let Ok(used) = self.used(false) else {
            return Vec::new();
        };
        let mut lacking = used.lacking;
        lacking.extend(self.lacking_below(&used.needed, &sums));
        lacking
    }

    /// The `go.mod` files below releases that were not fetched.
    fn lacking_below(&self, changes: &[&Change<'_>], sums: &Sums) -> Vec<MetadataRequest> {
        let mut addresses = BTreeSet::new();
        for change in changes {
            let read = self.below(change, sums).unwrap_or_default().read;
            let lacking = read.into_iter().filter(|read| read.bytes.is_none());
            addresses.extend(lacking.filter_map(|read| read.address));
        }
        addresses.iter().map(|address| request(address)).collect()
    }

    /// The sums before.
    fn known_sums(&self) -> Sums {
        let sums = self.input.sibling(&self.sum_path).unwrap_or_default();
        Sums::new(std::str::from_utf8(sums).unwrap_or_default())
    }

    /// The changes that the files get, if the graph has all that they need.
    fn needed(&self) -> Result<Vec<&Change<'a>>, WriteError> {
        let sums = self.known_sums();
        self.check_bounds(&self.settled(), &sums)?;
        let used = self.used(true)?;
        if let Some(first) = used.lacking.first() {
            let changes = self.changes.iter();
            let of = changes.filter(|one| registry::file(one.release, "zip") == Some(&first.url));
            let of = of.map(|one| format!("`{} {}`", one.name, one.release.version));
            let of = of.min().unwrap_or_else(|| "a module".to_owned());
            return Err(self.error(format!("the archive of {of} was not downloaded")));
        }
        if let Some(first) = used.missing.first() {
            let (package, version) = (&first.package, &first.version);
            let Requirement {
                name, requirement, ..
            } = &first.requirement;
            return Err(WriteError {
                requirements: used.missing.clone(),
                ..self.error(format!(
                    "`{package} {version}` imports `{name} {requirement}`, which the graph does not have"
                ))
            });
        }

        self.check_bounds(&used.needed, &sums)?;
        Ok(used.needed)
    }

    /// The text with the versions of the graph.
    fn edited(&self, needed: &[&Change<'_>]) -> Result<String, WriteError> {
        let mut text = Text::new(self.text);
        let lost = |name: &str| self.error(format!("the line of `{name}` was not found"));
        let listed: BTreeSet<&str> = self
            .file
            .requires
            .iter()
            .map(|one| one.path.as_str())
            .collect();

        // Versions change in their lines, before lines come and go.
        let mut added = Vec::new();
        for change in needed {
            let to = change.release.version.as_str();
            match change.was {
                Some(was) if change.replaces.is_some() || listed.contains(change.name) => text
                    .set_version(was.line, change.name, &was.version, to)
                    .ok_or_else(|| lost(change.name))?,
                _ => added.push(change),
            }
        }

        let raised = self.raised_replaced(needed)?;
        for one in &self.file.requires {
            if let Some(to) = raised.get(one.path.as_str()) {
                text.set_version(one.line, &one.path, &one.version, to)
                    .ok_or_else(|| lost(&one.path))?;
            }
        }

        let separate = self.is_pruned();
        for change in added {
            text.add_requirement(
                change.name,
                &change.release.version,
                !change.direct,
                separate,
            )
            .ok_or_else(|| lost(change.name))?;
        }
        for package in &self.removed {
            let path = package.alias.as_deref().unwrap_or(&package.name);
            if self.file.replacement(path, &package.version).is_some() || package.alias.is_some() {
                return Err(self.error(format!("`{path}` is replaced and cannot be removed")));
            }
            if listed.contains(path) {
                text.remove_requirement(path).ok_or_else(|| lost(path))?;
            }
        }

        let text = text.into_text();
        self.check_text(&text, needed, &raised)?;
        Ok(text)
    }

    /// Reads the new text again: every requirement is as the graph has it, and the rest is as before.
    fn check_text(
        &self,
        text: &str,
        needed: &[&Change<'_>],
        raised: &BTreeMap<&str, String>,
    ) -> Result<(), WriteError> {
        let after = Directives::parse(text.trim_start_matches('\u{feff}'))
            .map_err(|error| self.error(error.to_string()))?;
        let of = |file: &Directives| -> BTreeMap<String, String> {
            let requires = file.requires.iter();
            let replaced = file.replacements().map(|(path, by)| {
                let version = by.version.clone().unwrap_or_default();
                (format!("{path} => {}", by.to), version)
            });
            requires
                .map(|one| (one.path.clone(), one.version.clone()))
                .chain(replaced)
                .collect()
        };

        let mut expected = of(&self.file);
        for package in &self.removed {
            expected.remove(&package.name);
        }
        for change in needed {
            let version = change.release.version.clone();
            let key = match &change.replaces {
                Some(path) => format!("{path} => {}", change.name),
                None => change.name.to_owned(),
            };
            expected.insert(key, version);
        }
        let raised = raised.iter();
        expected.extend(raised.map(|(path, version)| ((*path).to_owned(), version.clone())));
        let same = of(&after) == expected && after.go == self.file.go;
        match same {
            true => Ok(()),
            false => Err(self.error("its lines have a form that cannot be changed exactly")),
        }
    }

    /// `go.sum` with the sums of the releases.
    fn sums(&self, needed: &[&Change<'_>], before: &[u8]) -> Result<String, WriteError> {
        let text = std::str::from_utf8(before).map_err(|_| self.error("`go.sum` is not UTF-8"))?;
        let known = Sums::new(text);
        let mut sums = Sums::new(text);
        for change in needed {
            let version = &change.release.version;
            let go_mod = format!("{version}/go.mod");
            let archive = self.download(change.name, change.release, "zip")?;
            let hash = archive_hash(archive, change.name, version).map_err(|error| {
                self.error(format!(
                    "the registry's file of `{} {version}` {error}",
                    change.name
                ))
            })?;
            sums.add(change.name, version, &hash)
                .and_then(|()| sums.add(change.name, &go_mod, &go_mod_hash(change.go_mod_bytes)))
                .map_err(|reason| self.error(reason))?;
        }
        for change in needed {
            self.add_sums_of_requirements(change, &known, &mut sums)?;
        }

        let left = needed
            .iter()
            .filter_map(|change| change.was)
            .chain(self.removed.iter().copied());
        for package in left {
            let stays = needed.iter().any(|change| {
                change.name == package.name && change.release.version == package.version
            });
            if !stays {
                sums.remove_archive(&package.name, &package.version);
            }
        }
        Ok(sums.into_text())
    }

    /// Whether the project's file lists all modules of its build.
    fn is_pruned(&self) -> bool {
        let go = self.file.go.as_ref();
        go.is_some_and(|go| version::compare(&go.text, PRUNED_FROM).is_ge())
    }
}

#[cfg(test)]
mod found_tests;
mod module_graph;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod unchanged_tests;
mod used;
