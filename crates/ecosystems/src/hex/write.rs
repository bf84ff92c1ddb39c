//! Direct changes of a `mix.lock`.
//!
//! The form of an entry is that of `Hex.SCM` (<https://github.com/hexpm/hex/blob/main/lib/hex/scm.ex>) and
//! `Mix.Dep.Lock`: one line for each application, sorted by name. The hashes and the build tools are
//! from the archive itself. The requirements of the project are those that its `mix.exs` files write
//! as literals; a literal that is in the way is raised with the lockfile. Hex was not at hand to check
//! the files.

use std::collections::{BTreeMap, BTreeSet};

use patchgate_model::{Lockfile, Origin, Package};
use serde_json::Value;

use super::tarball::Tarball;
use super::terms::{self, Kind, Term};
use super::{Hex, mix_exs};
use crate::{
    Downloads, Input, LockfileWriter, MetadataRequest, Release, RequirementEdit, Siblings,
    TargetGraph, TargetNode, Upgradable as _, WriteError,
};

/// The writer of `mix.lock`.
#[derive(Debug)]
pub(super) struct MixWriter;

impl LockfileWriter for MixWriter {
    /// The archive, for its hashes and its build tools.
    fn downloads(&self, _name: &str, release: &Release) -> Vec<MetadataRequest> {
        release.file_requests()
    }

    fn reads(&self, path: &str) -> bool {
        is_manifest(path) || path.rsplit('/').next() == Some("mix.lock")
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
        write(input, lockfile, target, downloads).map_err(|reason| WriteError::new(input, reason))
    }
}

fn is_manifest(path: &str) -> bool {
    path.rsplit('/').next() == Some("mix.exs")
}

fn write(
    input: &Input<'_>,
    lockfile: &Lockfile,
    target: &TargetGraph,
    downloads: &Downloads,
) -> Result<Siblings, String> {
    if !lockfile.skipped.is_empty() {
        return Err("it has entries that cannot be read".to_owned());
    }
    let text = input.text().map_err(|error| error.to_string())?;
    let mut document = Document::read(text)?;
    let versions = versions(lockfile, target)?;

    let kept: BTreeSet<&str> = target
        .nodes
        .iter()
        .filter_map(|node| app(lockfile, node))
        .collect();
    document
        .entries
        .retain(|entry| kept.contains(entry.app.as_str()));
    let repository = document.repository();
    for node in &target.nodes {
        let Some(release) = &node.release else {
            continue;
        };
        let app = app(lockfile, node).unwrap_or(&node.name);
        let own = document.entries.iter().position(|entry| entry.app == app);
        let old = own.and_then(|index| document.entries.get(index));
        let repository = match old {
            Some(old) => old.repository(),
            None => repository.clone(),
        };
        let repository = repository
            .ok_or_else(|| format!("it is not clear which repository `{app}` is from"))?;
        let archive = archive(&node.name, release, downloads)?;
        let line = line(app, &node.name, release, &archive, &repository)?;
        document.set(app, line, own)?;
    }

    let files = manifests(input, lockfile, target, &versions)?;
    document.check(&versions, &files.overridden)?;
    for node in target.nodes.iter().filter(|node| node.release.is_some()) {
        let app = app(lockfile, node).unwrap_or(&node.name);
        // It may be a dependency that the project computes, with a requirement that is not known.
        if !files.stated.contains(app) && !document.is_needed(app) {
            return Err(format!("nothing that can be read requires `{app}`"));
        }
    }
    let mut written = files.changed;
    written.insert(input.path.to_owned(), document.print(input).into_bytes());
    Ok(written)
}

/// The application of a node.
fn app<'a>(lockfile: &'a Lockfile, node: &'a TargetNode) -> Option<&'a str> {
    match node.was {
        Some(was) => lockfile.package(was).map(application),
        None => Some(&node.name),
    }
}

fn application(package: &Package) -> &str {
    package.alias.as_deref().unwrap_or(&package.name)
}

/// The versions of a graph by application. Those of packages from git have none.
fn versions<'a>(
    lockfile: &'a Lockfile,
    target: &'a TargetGraph,
) -> Result<BTreeMap<&'a str, Option<&'a str>>, String> {
    let mut versions = BTreeMap::new();
    for node in &target.nodes {
        let package = node.was.and_then(|was| lockfile.package(was));
        let is_registry = package.is_none_or(|one| matches!(one.origin, Origin::Registry(_)));
        let version = match (&node.release, package) {
            (Some(_), Some(_)) if !is_registry => {
                return Err(format!("`{}` is not from a repository of Hex", node.name));
            }
            (Some(release), _) => Some(release.version.as_str()),
            (None, Some(package)) if is_registry => Some(package.version.as_str()),
            (None, Some(_)) => None,
            (None, None) => return Err(format!("`{}` has no release", node.name)),
        };
        versions.insert(app(lockfile, node).unwrap_or(&node.name), version);
    }

    Ok(versions)
}

/// The manifests that change, and the applications whose requirement in one of them counts for all.
struct Manifests {
    changed: Siblings,
    overridden: BTreeSet<String>,
    /// The applications with a requirement that was read.
    stated: BTreeSet<String>,
}

/// Raises the literal requirements that do not admit the new versions.
fn manifests(
    input: &Input<'_>,
    lockfile: &Lockfile,
    target: &TargetGraph,
    versions: &BTreeMap<&str, Option<&str>>,
) -> Result<Manifests, String> {
    let moved: BTreeSet<&str> = target
        .nodes
        .iter()
        .filter(|node| node.release.is_some())
        .filter_map(|node| app(lockfile, node))
        .collect();
    let directory = input.beside("");
    let mut manifests = Manifests {
        changed: Siblings::new(),
        overridden: BTreeSet::new(),
        stated: BTreeSet::new(),
    };

    if input.sibling(&input.beside("mix.exs")).is_none() {
        return Err("its `mix.exs` is missing".to_owned());
    }

    let own = input.siblings.iter();
    let is_own = |path: &str| {
        let lock = path
            .strip_suffix("mix.exs")
            .map(|directory| format!("{directory}mix.lock"));
        let lock = lock.filter(|lock| lock != input.path);
        path.starts_with(&directory) && lock.is_none_or(|lock| input.sibling(&lock).is_none())
    };

    for (path, bytes) in own.filter(|(path, _)| is_manifest(path) && is_own(path)) {
        let mut text = std::str::from_utf8(bytes)
            .map_err(|_| format!("`{path}` is not UTF-8"))?
            .to_owned();
        for dependency in mix_exs::dependencies(&text) {
            if dependency.overrides {
                manifests.overridden.insert(dependency.app.clone());
            }

            let is_moved = dependency.is_hex && moved.contains(dependency.app.as_str());
            let Some(version) = versions.get(dependency.app.as_str()).copied().flatten() else {
                continue;
            };
            if !is_moved {
                continue;
            }
            manifests.stated.insert(dependency.app.clone());

            let (requirement, _) = dependency.requirement.ok_or_else(|| {
                format!(
                    "the requirement on `{}` in `{path}` is not a literal",
                    dependency.app
                )
            })?;

            let is_met = Hex
                .admits(&requirement, version)
                .map_err(|error| error.to_string())?;
            if is_met {
                continue;
            }

            let raised = Hex
                .raise_requirement(&requirement, version)
                .map_err(|error| error.to_string())?;
            let change = RequirementEdit {
                name: dependency.app,
                from: requirement,
                to: raised,
            };
            text = Hex
                .edit_manifest(path, &text, &change)
                .map_err(|error| error.to_string())?;
        }

        if text.as_bytes() != bytes.as_slice() {
            manifests.changed.insert(path.clone(), text.into_bytes());
        }
    }

    Ok(manifests)
}

/// The archive of a release, checked against the hashes of its repository.
fn archive(name: &str, release: &Release, downloads: &Downloads) -> Result<Tarball, String> {
    let of = |reason: &str| format!("the archive of `{name} {}` {reason}", release.version);
    let file = release.files.first().ok_or_else(|| of("is not known"))?;
    let bytes = downloads
        .get(&file.url)
        .ok_or_else(|| of("was not downloaded"))?;
    let read = Tarball::read(bytes).map_err(|reason| of(&format!("is refused: {reason}")))?;
    let has = |algorithm: &str, hash: &str| {
        let mut hashes = file.hashes.iter().filter(|(name, _)| name == algorithm);
        hashes.all(|(_, stated)| stated == hash)
    };
    match has("inner", &read.inner) && has("sha256", &read.outer) {
        true => Ok(read),
        false => Err(of("is not the one whose hash the repository states")),
    }
}

/// The line of an application.
fn line(
    app: &str,
    name: &str,
    release: &Release,
    archive: &Tarball,
    repository: &str,
) -> Result<String, String> {
    let lacking = || format!("`{name} {}` has no list of dependencies", release.version);
    let document = release.document.as_ref();
    let listed = document.and_then(|document| document.get("dependencies")?.as_array());

    let mut dependencies = Vec::new();
    for one in listed.ok_or_else(lacking)? {
        let text = |key: &str| one.get(key).and_then(Value::as_str);
        let own = text("app").ok_or_else(lacking)?;
        let requirement = text("requirement").ok_or_else(lacking)?;
        let is_optional = one.get("optional") == Some(&Value::Bool(true));
        let line = format!(
            "{{{}, {}, [hex: {}, repo: {}, optional: {is_optional}]}}",
            atom(own)?,
            quoted(requirement)?,
            atom(text("package").ok_or_else(lacking)?)?,
            quoted(text("repository").unwrap_or(repository))?,
        );
        dependencies.push((own.to_owned(), line));
    }

    dependencies.sort();
    let dependencies: Vec<String> = dependencies.into_iter().map(|(_, line)| line).collect();

    let managers: Vec<String> = archive
        .managers
        .iter()
        .map(|manager| atom(manager))
        .collect::<Result<_, _>>()?;

    atom(app)?;
    Ok(format!(
        "  \"{app}\": {{:hex, {}, {}, \"{}\", [{}], [{}], {}, \"{}\"}},",
        atom(name)?,
        quoted(&release.version)?,
        archive.inner,
        managers.join(", "),
        dependencies.join(", "),
        quoted(repository)?,
        archive.outer
    ))
}

fn atom(name: &str) -> Result<String, String> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let is_plain = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_');
    match is_plain && name.chars().all(is_word) {
        true => Ok(format!(":{name}")),
        false => Err(format!("`{name}` is not a usual name")),
    }
}

fn quoted(text: &str) -> Result<String, String> {
    match text.contains(['"', '\\', '#']) || text.chars().any(char::is_control) {
        true => Err(format!("{text:?} is not a usual text")),
        false => Ok(format!("\"{text}\"")),
    }
}

/// The lines of a lockfile.
struct Document {
    entries: Vec<Entry>,
    line_end: &'static str,
}

struct Entry {
    app: String,
    line: String,
    term: Term,
}

impl Entry {
    fn read(line: &str) -> Option<Self> {
        let body = line.trim().strip_suffix(',')?;
        let Kind::Map(mut items) = terms::read(&format!("%{{{body}}}")).ok()?.kind else {
            return None;
        };
        let Kind::Pair(app, term) = items.pop()?.kind else {
            return None;
        };
        (items.is_empty() && line.starts_with(&format!("  \"{app}\": "))).then(|| Self {
            app,
            line: line.trim_end().to_owned(),
            term: *term,
        })
    }

    /// The repository, in an entry with all hashes.
    fn repository(&self) -> Option<String> {
        let items = self.term.tuple()?;
        let is_whole = items.len() == 8 && items.first()?.atom() == Some("hex");
        is_whole.then(|| items.get(6)?.text().map(str::to_owned))?
    }
}

impl Document {
    fn read(text: &str) -> Result<Self, String> {
        let unusual = || "it is not written as Mix writes it".to_owned();
        let mut lines = text.lines().map(|line| line.trim_end_matches('\r'));
        if lines.next() != Some("%{") {
            return Err(unusual());
        }

        let mut entries = Vec::new();
        for line in lines.by_ref() {
            if line == "}" {
                break;
            }
            entries.push(Entry::read(line).ok_or_else(unusual)?);
        }

        let is_sorted = entries.is_sorted_by_key(|entry| entry.app.clone());
        match is_sorted && lines.all(str::is_empty) {
            true => Ok(Self {
                entries,
                line_end: if text.contains("\r\n") { "\r\n" } else { "\n" },
            }),
            false => Err(unusual()),
        }
    }

    fn print(&self, input: &Input<'_>) -> String {
        let mut lines = vec!["%{"];
        lines.extend(self.entries.iter().map(|entry| entry.line.as_str()));
        lines.push("}");
        let before = String::from_utf8_lossy(input.bytes);
        let body = before.trim_end_matches(['\r', '\n']);
        let end = before.get(body.len()..).unwrap_or_default();
        format!("{}{end}", lines.join(self.line_end))
    }

    /// The one repository of all packages.
    fn repository(&self) -> Option<String> {
        let mut all = self.entries.iter().filter_map(Entry::repository);
        let first = all.next()?;
        all.all(|other| other == first).then_some(first)
    }

    fn set(&mut self, app: &str, line: String, at: Option<usize>) -> Result<(), String> {
        let entry = Entry::read(&line).ok_or_else(|| format!("`{app}` cannot be written"))?;
        match at.and_then(|at| self.entries.get_mut(at)) {
            Some(old) => *old = entry,
            None => {
                let at = self.entries.iter().position(|other| *other.app > *app);
                self.entries.insert(at.unwrap_or(self.entries.len()), entry);
            }
        }
        Ok(())
    }

    /// Whether another package requires an application.
    fn is_needed(&self, app: &str) -> bool {
        self.entries.iter().any(|entry| {
            let dependencies = entry.term.tuple().and_then(|items| items.get(5)?.list());
            let mut names = dependencies
                .unwrap_or_default()
                .iter()
                .filter_map(|dependency| dependency.tuple()?.first()?.atom());
            names.any(|name| name == app)
        })
    }

    /// Checks that every requirement holds.
    fn check(
        &self,
        versions: &BTreeMap<&str, Option<&str>>,
        overridden: &BTreeSet<String>,
    ) -> Result<(), String> {
        for entry in &self.entries {
            let dependencies = entry.term.tuple().and_then(|items| items.get(5)?.list());
            for dependency in dependencies.unwrap_or_default() {
                let items = dependency.tuple().unwrap_or_default();
                let (Some(name), Some(requirement)) = (
                    items.first().and_then(Term::atom),
                    items.get(1).and_then(Term::text),
                ) else {
                    continue;
                };

                let options = items.get(2);
                let optional = options.and_then(|options| options.get("optional")?.atom());

                match versions.get(name) {
                    _ if overridden.contains(name) => {}
                    None if optional == Some("true") => {}
                    None => {
                        return Err(format!(
                            "`{name}`, which `{}` needs, has no release",
                            entry.app
                        ));
                    }
                    Some(None) => {}
                    Some(Some(version)) => {
                        let is_met = Hex.admits(requirement, version);
                        if !is_met.map_err(|error| error.to_string())? {
                            return Err(format!(
                                "`{}` requires `{name}` as `{requirement}`, which {version} does not meet",
                                entry.app
                            ));
                        }
                    }
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
