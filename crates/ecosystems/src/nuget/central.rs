//! MSBuild files around a project: `Directory.Packages.props`, `Directory.Build.props` and
//! `Directory.Build.targets`, each the nearest one above the project
//! (<https://learn.microsoft.com/visualstudio/msbuild/customize-by-directory>), and the files that
//! they import.
//!
//! They are also read as files of their own, for the packages and versions that they name.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use patchgate_model::{
    DependencyKind, Edge, FormatId, Lockfile, Package, PackageIndex, Root, Unresolved,
};

use super::check_name;
use super::msbuild::{Document, Item, ItemKind, Properties, Statement};
use super::project_files::stem;
use super::version::Version;
use crate::{Input, ParseError, SkippedEntries, limits, salvage};

/// Limits for one project: number of files that are read, and their total size in bytes.
const MAX_IMPORTS: usize = 32;
const MAX_IMPORT_BYTES: usize = 1024 * 1024;

/// Most versions of one package, which can differ by condition.
const MAX_VERSIONS: usize = 64;

/// Deepest chain of imports.
const MAX_IMPORT_DEPTH: usize = 8;

/// Reads one of the files around projects as a file of its own.
pub(super) fn parse(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    let document = Document::read(input)?;
    let mut state = State::around(input);
    state.add(input.path, &document, input);

    lockfile(
        input,
        &document,
        &mut state,
        &Locked::new(),
        FormatId::new("msbuild-props"),
    )
}

/// Versions that a lockfile gives to direct dependencies, by lower-case name.
pub(super) type Locked = BTreeMap<String, BTreeSet<String>>;

/// Properties and versions collected from the files around a project.
#[derive(Debug, Default)]
pub(super) struct State {
    properties: Properties,
    /// Versions as written in all files so far, by lower-case package name.
    versions: BTreeMap<String, BTreeSet<String>>,
    /// Versions that files set for references that are included elsewhere (`Update`).
    updates: BTreeMap<String, BTreeSet<String>>,
    /// Packages of imported files that are not read as files of their own, at the line of the file's
    /// import.
    imported: Vec<Item>,
    /// Those imported files, and items in them, that could not be read.
    skipped: SkippedEntries,
    /// Lower-case names of the packages that some file includes as references.
    included: BTreeSet<String>,
    read: BTreeSet<String>,
    bytes: usize,
}

impl State {
    /// The state from the files above: `Directory.Build.props`, then `Directory.Packages.props`.
    pub(super) fn around(input: &Input<'_>) -> Self {
        let mut state = Self::default();
        state.read.insert(input.path.to_owned());
        for name in ["Directory.Build.props", "Directory.Packages.props"] {
            state.add_above(name, input);
        }
        state
    }

    /// Whether any file includes packages as references, possibly for all projects below it.
    pub(super) fn has_references(&self) -> bool {
        !self.included.is_empty()
    }

    /// Adds the `Directory.Build.targets` above a project.
    pub(super) fn add_targets(&mut self, input: &Input<'_>) {
        self.add_above("Directory.Build.targets", input);
    }

    fn add_above(&mut self, name: &str, input: &Input<'_>) {
        if let Some(path) = nearest(directory(input.path), name, input) {
            self.import(&path, input, 0, None);
        }
    }

    /// Adds the contents of a file that is already parsed.
    pub(super) fn add(&mut self, path: &str, document: &Document, input: &Input<'_>) {
        self.add_within(path, document, input, 0, None);
    }

    /// `line` is the line of the import in the file at `input`, if its packages belong to that file.
    fn add_within(
        &mut self,
        path: &str,
        document: &Document,
        input: &Input<'_>,
        depth: usize,
        line: Option<u32>,
    ) {
        for statement in &document.statements {
            match statement {
                Statement::Property {
                    name,
                    value,
                    conditional,
                } => self.properties.assign(name, value, *conditional),
                Statement::Import {
                    path: target,
                    line: own,
                } => {
                    if let Some(target) = imported(path, target, input) {
                        let line = match path == input.path {
                            true => Some(*own),
                            false => line,
                        };
                        self.import(&target, input, depth + 1, line);
                    }
                }
                Statement::Item(item) => {
                    self.add_item(item);
                    if let Some(line) = line
                        && item.kind != ItemKind::Version
                        && self.imported.len() < limits::MAX_PACKAGES
                    {
                        self.imported.push(Item {
                            line,
                            ..item.clone()
                        });
                    }
                }
            }
        }
    }

    fn add_item(&mut self, item: &Item) {
        for name in item.names.split(';') {
            let name = name.trim().to_ascii_lowercase();
            if let Some(version) = &item.version
                && (item.kind == ItemKind::Version || item.is_update)
            {
                let mut maps = vec![&mut self.versions];
                if item.kind != ItemKind::Version {
                    maps.push(&mut self.updates);
                }
                for map in maps {
                    let versions = map.entry(name.clone()).or_default();
                    if versions.len() < MAX_VERSIONS {
                        versions.insert(version.clone());
                    }
                }
            }

            if item.kind != ItemKind::Version && !item.is_update {
                self.included.insert(name);
            }
        }
    }

    /// Reads another file. If it cannot be read, its contents stay unknown.
    fn import(&mut self, path: &str, input: &Input<'_>, depth: usize, line: Option<u32>) {
        let Some(bytes) = input.sibling(path) else {
            return;
        };
        if self.read.contains(path) {
            return;
        }
        let line = line.filter(|_| !is_read_itself(path));
        let fits = depth <= MAX_IMPORT_DEPTH
            && self.read.len() <= MAX_IMPORTS
            && self.bytes + bytes.len() <= MAX_IMPORT_BYTES;
        if !fits {
            return self.skip(line, format!("imports `{path}`, and too much is imported"));
        }

        self.read.insert(path.to_owned());
        self.bytes += bytes.len();
        let file = Input {
            path,
            bytes,
            siblings: input.siblings,
        };

        match Document::read(&file) {
            Ok(document) => {
                for entry in document.skipped.clone().into_entries() {
                    self.skip(line, format!("imports `{path}`, which {}", entry.reason));
                }
                self.add_within(path, &document, input, depth, line);
            }
            Err(error) => self.skip(line, format!("imports `{path}`, which {}", error.reason)),
        }
    }

    /// Records what an import at a line does not bring. Without a line, another file reports it.
    fn skip(&mut self, line: Option<u32>, reason: String) {
        if let Some(line) = line {
            self.skipped.package(line, reason);
        }
    }
}

/// Whether a file around projects is also read as a file of its own.
fn is_read_itself(path: &str) -> bool {
    crate::formats_of(path).any(|(_, format)| format.id == "msbuild-props")
}

/// The path of an import; `None` if it is unknown or not in the repository.
fn imported(from: &str, target: &str, input: &Input<'_>) -> Option<String> {
    let here = directory(from);
    if let Some((_, call)) = target.split_once("GetPathOfFileAbove(") {
        let name = call.split([',', ')']).next()?;
        let name = name.trim().trim_matches(['\'', '"']);
        let start = if call.contains("..") {
            directory(here.strip_suffix('/').filter(|_| !here.is_empty())?)
        } else {
            here
        };
        return nearest(start, name, input).filter(|path| path != from);
    }

    let target = target
        .replace("$(MSBuildThisFileDirectory)", "")
        .replace('\\', "/");
    let target = if from == input.path {
        target.replace("$(MSBuildProjectDirectory)", "")
    } else {
        target
    };
    if target.contains("$(") || target.contains('*') {
        return None;
    }

    let mut parts: Vec<&str> = here.split('/').filter(|part| !part.is_empty()).collect();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }

    Some(parts.join("/"))
}

/// The nearest file of that name in a directory or above it.
fn nearest(mut here: &str, name: &str, input: &Input<'_>) -> Option<String> {
    loop {
        let path = format!("{here}{name}");
        if input.sibling(&path).is_some() {
            return Some(path);
        }
        here = directory(here.strip_suffix('/')?);
    }
}

/// The directory of a path with its trailing `/`; empty for the root.
fn directory(path: &str) -> &str {
    path.rfind('/')
        .and_then(|at| path.get(..=at))
        .unwrap_or_default()
}

/// Builds the lockfile of a file, with the versions that the state and the lockfile provide.
pub(super) fn lockfile(
    input: &Input<'_>,
    document: &Document,
    state: &mut State,
    locked: &Locked,
    format: FormatId,
) -> Result<Lockfile, ParseError> {
    let mut builder = LockfileBuilder {
        lockfile: Lockfile {
            path: input.path.to_owned(),
            ecosystem: super::NAME,
            format,
            ..Lockfile::default()
        },
        ..LockfileBuilder::default()
    };
    let imported = std::mem::take(&mut state.imported);
    for item in document.items().chain(&imported) {
        for written in item.names.split(';') {
            let Some(names) = state.properties.expand(written) else {
                builder.unresolved(item, written, item.version.as_deref().unwrap_or_default());
                continue;
            };

            for name in names.iter().flat_map(|names| names.split(';')) {
                let name = name.trim();
                if !name.is_empty() {
                    builder.add(name, item, state, locked);
                }
            }
        }

        if builder.lockfile.packages.len() > limits::MAX_PACKAGES {
            return Err(ParseError::new(format!(
                "names more than {} packages",
                limits::MAX_PACKAGES
            )));
        }
    }

    builder.lockfile.roots.push(Root {
        name: stem(input.path).to_owned(),
        manifest: input
            .sibling(input.path)
            .is_some()
            .then(|| input.path.to_owned()),
        edges: builder.edges,
    });

    let mut skipped = document.skipped.clone();
    for entry in std::mem::take(&mut state.skipped).into_entries() {
        skipped.add(entry.loss, entry.line, entry.reason);
    }
    salvage::finish(builder.lockfile, skipped)
}

/// The packages that central versions state, with what is skipped, while files are read.
#[derive(Default)]
struct LockfileBuilder {
    lockfile: Lockfile,
    edges: Vec<Edge>,
    indices: HashMap<(String, String), usize>,
    /// Requests that are already added, so that a hostile file cannot repeat one a million times.
    added: HashSet<(String, Option<String>, bool)>,
}

impl LockfileBuilder {
    fn add(&mut self, name: &str, item: &Item, state: &mut State, locked: &Locked) {
        let key = name.to_ascii_lowercase();
        // An update of a package that is included elsewhere only sets the version there.
        let named_elsewhere = item.is_update && state.included.contains(&key);
        let pattern = item.is_update && name.contains('*');
        if named_elsewhere || pattern || (item.is_update && item.version.is_none()) {
            return;
        }

        let request = (key.clone(), item.version.clone(), item.is_development);
        if !self.added.insert(request) {
            return;
        }
        if let Some(versions) = locked.get(&key) {
            for version in versions {
                self.package(name, version, item);
            }
            return;
        }

        let mut written: BTreeSet<String> = match &item.version {
            Some(version) => BTreeSet::from([version.clone()]),
            None => state.versions.get(&key).cloned().unwrap_or_default(),
        };
        if item.kind != ItemKind::Version && !item.is_update {
            written.extend(state.updates.get(&key).into_iter().flatten().cloned());
        }
        if written.is_empty() {
            self.unresolved(item, name, "");
        }
        for written in written {
            let Some(versions) = state.properties.expand(&written) else {
                self.unresolved(item, name, &written);
                continue;
            };

            for version in versions {
                match stated_version(&version) {
                    Some(version) => self.package(name, version, item),
                    // A range in a list of versions requires nothing by itself; the references to
                    // it do.
                    None if item.kind == ItemKind::Version => {}
                    None => self.unresolved(item, name, &version),
                }
            }
        }
    }

    fn package(&mut self, name: &str, version: &str, item: &Item) {
        if check_name(name, item.line).is_err() {
            return self.unresolved(item, name, version);
        }

        let key = (name.to_ascii_lowercase(), version.to_owned());
        let kind = kind(item);
        if let Some(index) = self.indices.get(&key) {
            let edge = self.edges.get_mut(*index);
            if let Some(edge) = edge.filter(|_| kind == DependencyKind::Runtime) {
                edge.kind = kind;
            }
            if let Some(package) = self.lockfile.packages.get_mut(*index)
                && kind == DependencyKind::Runtime
            {
                package.scope = kind.into();
            }

            return;
        }

        let index = self.lockfile.packages.len();
        self.indices.insert(key, index);
        self.lockfile.packages.push(Package {
            line: item.line,
            scope: kind.into(),
            ..Package::new(super::NAME, name.to_owned(), version.to_owned())
        });
        self.edges.push(Edge {
            to: PackageIndex(u32::try_from(index).unwrap_or(u32::MAX)),
            name: name.into(),
            requirement: item.version.clone().map(Into::into),
            kind,
        });
    }

    fn unresolved(&mut self, item: &Item, name: &str, requirement: &str) {
        self.lockfile.unresolved.push(Unresolved {
            ecosystem: crate::nuget::NAME,
            name: name.to_owned(),
            requirement: requirement.to_owned(),
            kind: kind(item),
            line: item.line,
        });
    }
}

fn kind(item: &Item) -> DependencyKind {
    if item.is_development {
        DependencyKind::Development
    } else {
        DependencyKind::Runtime
    }
}

/// The exact version of a requirement: a plain version, of which NuGet takes the lowest that
/// exists, or one in brackets. Ranges and floating versions have none.
fn stated_version(requirement: &str) -> Option<&str> {
    let requirement = requirement.trim();
    let exact = requirement
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .map(str::trim);
    let version = exact.unwrap_or(requirement);
    Version::parse(version).map(|_| version)
}
