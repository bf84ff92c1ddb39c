//! Reader of `go.mod`, together with the `go.sum` next to it.
//!
//! Since Go 1.17 the file lists every module that provides a package to a build or a test
//! (<https://go.dev/ref/mod#graph-pruning>), and `go.sum` only adds hashes. Before that, it lists
//! the modules that the project itself imports; the others are those whose archives `go.sum` names.
//!
//! The `go` line is a lower bound, not the release that builds, so it is a requirement of the
//! standard library. A `toolchain` line names a release.

use std::collections::{BTreeMap, BTreeSet};

use patchgate_model::{
    DependencyKind, Edge, FormatId, Lockfile, Origin, Package, PackageIndex, Root, Scope,
    Unresolved,
};

use super::directives::{Directives, Replacement, Require, Stated};
use super::go_sum::Archives;
use super::installed::minimum;
use super::version;
use crate::{Input, ParseError, limits, salvage};

/// Group of the modules that provide the packages of `tool` lines.
const TOOLS: &str = "tool";

/// First Go version whose `go.mod` lists all modules of a build.
const COMPLETE_FROM: &str = "1.17";

/// Reads a `go.mod`, together with the `go.sum` next to it.
pub(super) fn parse(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    let mut file = Directives::parse(input.text()?)?;
    let mut skipped = std::mem::take(&mut file.skipped);
    if file.module.is_empty() && file.requires.is_empty() {
        if let Some(first) = skipped.into_entries().into_iter().next() {
            return Err(ParseError::new(first.reason).at_line(first.line as usize));
        }
        return Err(ParseError::new("does not name its module")
            .with_hint("the file begins with `module` and a path"));
    }
    if file.module.is_empty() {
        skipped.detail(1, "does not name its module");
    }

    // Without all of its sums, an older file does not name all modules.
    let sum_path = input.beside("go.sum");
    let (archives, unreadable) = Archives::read(&sum_path, input.siblings);
    if let Some(reason) = unreadable {
        match names_all_modules(&file) {
            true => skipped.detail(1, reason),
            false => skipped.package(1, reason),
        }
    }

    // The modules that the file requires.
    let mut build = Build::new(input);
    for require in &file.requires {
        build.require(&file, require, archives.as_ref());
    }

    build.mark_tools(&file);
    // The modules that only `go.sum` names, for files from before Go 1.17.
    if let Some(archives) = &archives
        && !names_all_modules(&file)
    {
        build.add_unnamed(&file, archives)?;
    }

    build.lockfile.direct_only = archives.is_none() && !names_all_modules(&file);
    build.add_release(&file);

    salvage::finish(build.finish(file.module, input), skipped)
}

/// Whether the file's Go version makes it list every module of a build. A file without a `go` line
/// counts as Go 1.16 (<https://go.dev/ref/mod#go-mod-file-go>).
fn names_all_modules(file: &Directives) -> bool {
    file.go
        .as_ref()
        .is_some_and(|go| version::compare(&go.text, COMPLETE_FROM).is_ge())
}

/// A lockfile under construction.
struct Build {
    lockfile: Lockfile,
    edges: Vec<Edge>,
    /// Index and requirement of each required module, by the path under which it is required.
    required: BTreeMap<String, (PackageIndex, String)>,
}

impl Build {
    fn new(input: &Input<'_>) -> Self {
        Self {
            lockfile: Lockfile {
                path: input.path.to_owned(),
                ecosystem: super::NAME,
                format: FormatId::new("go-mod"),
                ..Lockfile::default()
            },
            edges: Vec::new(),
            required: BTreeMap::new(),
        }
    }

    /// Adds a required module as the build uses it: the module itself, its replacement, or nothing
    /// if no version is stated.
    fn require(&mut self, file: &Directives, require: &Require, archives: Option<&Archives<'_>>) {
        let Some(mut package) = taken(file, require) else {
            let replacement = file.replacement(&require.path, &require.version);
            self.lockfile.unresolved.push(Unresolved {
                ecosystem: crate::golang::NAME,
                name: replacement.map_or(&require.path, |by| &by.to).clone(),
                requirement: replacement
                    .and_then(|by| by.version.as_ref())
                    .unwrap_or(&require.version)
                    .clone(),
                kind: DependencyKind::Runtime,
                line: replacement.map_or(require.line, |by| by.line),
            });
            return;
        };

        package.integrity = archives
            .and_then(|archives| archives.hash(&package.name, &package.version))
            .map(str::to_owned);
        let index = push(&mut self.lockfile, package);
        self.required
            .insert(require.path.clone(), (index, require.version.clone()));

        if !require.indirect {
            self.edges.push(Edge {
                to: index,
                name: require.path.as_str().into(),
                requirement: Some(require.version.as_str().into()),
                kind: DependencyKind::Runtime,
            });
        }
    }

    /// Marks the modules that provide the packages of `tool` lines. If nothing else in the project
    /// imports such a module, it becomes a development dependency. Its scope stays the same,
    /// because the file does not say whether other modules need it.
    fn mark_tools(&mut self, file: &Directives) {
        let direct: BTreeSet<PackageIndex> = self.edges.iter().map(|edge| edge.to).collect();
        let mut marked = BTreeSet::new();

        for tool in &file.tools {
            let Some((path, (index, requirement))) = provider(tool, &self.required) else {
                continue;
            };
            let index = *index;
            if !marked.insert(index) {
                continue;
            }

            if let Some(package) = self.lockfile.packages.get_mut(index.0 as usize) {
                package.groups = vec![TOOLS.to_owned()];
            }
            if !direct.contains(&index) {
                self.edges.push(Edge {
                    to: index,
                    name: path.into(),
                    requirement: Some(requirement.as_str().into()),
                    kind: DependencyKind::Development,
                });
            }
        }
    }

    /// Adds the modules of `go.sum` that the file does not list. They have no line of their own and
    /// are reported at the first line.
    fn add_unnamed(
        &mut self,
        file: &Directives,
        archives: &Archives<'_>,
    ) -> Result<(), ParseError> {
        let known: BTreeSet<String> = self
            .lockfile
            .packages
            .iter()
            .map(|package| package.name.clone())
            .chain(file.requires.iter().map(|require| require.path.clone()))
            .collect();
        for (path, version) in archives.selected() {
            // A replaced module is not part of the build; its hash is left over from before.
            let is_replaced = file.replacement(path, version).is_some();
            if known.contains(path) || is_replaced || file.excludes(path, version) {
                continue;
            }

            let mut package = Package::new(super::NAME, path.to_owned(), version.to_owned());
            package.integrity = archives.hash(path, version).map(str::to_owned);
            push(&mut self.lockfile, package);
            if self.lockfile.packages.len() > limits::MAX_PACKAGES {
                return Err(ParseError::new(format!(
                    "has more than {} modules in its `go.sum`",
                    limits::MAX_PACKAGES
                )));
            }
        }

        Ok(())
    }

    fn add_release(&mut self, file: &Directives) {
        self.edges.extend(release_of_go(&mut self.lockfile, file));
    }

    fn finish(mut self, module: String, input: &Input<'_>) -> Lockfile {
        self.lockfile.roots.push(Root {
            name: module,
            manifest: input
                .sibling(input.path)
                .is_some()
                .then(|| input.path.to_owned()),
            edges: self.edges,
        });
        self.lockfile
    }
}

/// The package that a build uses for a required module; `None` if the file states no version.
fn taken(file: &Directives, require: &Require) -> Option<Package> {
    let Some(replacement) = file.replacement(&require.path, &require.version) else {
        let stated = version::is_canonical(&require.version)
            && !file.excludes(&require.path, &require.version);
        return stated.then(|| Package {
            line: require.line,
            ..Package::new(super::NAME, require.path.clone(), require.version.clone())
        });
    };

    match &replacement.version {
        None => Some(Package {
            line: replacement.line,
            origin: Origin::Path(Some(replacement.to.clone())),
            ..Package::new(super::NAME, require.path.clone(), require.version.clone())
        }),
        Some(version) => replaced(&require.path, replacement, version),
    }
}

/// The module that replaces another one; `None` if its version is a query.
pub(super) fn replaced(path: &str, by: &Replacement, version: &str) -> Option<Package> {
    version::is_canonical(version).then(|| Package {
        line: by.line,
        alias: (by.to != path).then(|| path.to_owned()),
        ..Package::new(super::NAME, by.to.clone(), version.to_owned())
    })
}

/// Adds the standard library and the toolchain of a `toolchain` line, under OSV's names, and returns
/// the edges to them. A `go` line alone is a requirement of the standard library.
///
/// The `toolchain` package covers the `go` command and the compiler.
pub(super) fn release_of_go(lockfile: &mut Lockfile, file: &Directives) -> Vec<Edge> {
    let mut edges = Vec::new();
    let mut add = |name: &str, stated: &Stated, scope: Scope, kind: DependencyKind| {
        let index = push(
            lockfile,
            Package {
                line: stated.line,
                scope,
                ..Package::new(super::NAME, name.to_owned(), stated.text.clone())
            },
        );
        edges.push(Edge {
            to: index,
            name: name.into(),
            requirement: Some(stated.text.as_str().into()),
            kind,
        });
    };
    match file.standard_library() {
        Some(stated) if file.toolchain.as_ref() == Some(stated) => {
            add("stdlib", stated, Scope::Runtime, DependencyKind::Runtime);
            add("toolchain", stated, Scope::Build, DependencyKind::Build);
        }
        Some(stated) => lockfile.unresolved.push(minimum(&stated.text, stated.line)),
        None => {}
    }

    edges
}

/// The required module that provides a package: the one with the longest matching path.
fn provider<'a, T>(package: &'a str, modules: &'a BTreeMap<String, T>) -> Option<(&'a str, &'a T)> {
    let mut path = package;
    loop {
        if let Some(module) = modules.get(path) {
            return Some((path, module));
        }
        path = path.rsplit_once('/')?.0;
    }
}

/// Adds a package and returns its index.
pub(super) fn push(lockfile: &mut Lockfile, package: Package) -> PackageIndex {
    let index = u32::try_from(lockfile.packages.len()).unwrap_or(u32::MAX);
    lockfile.packages.push(package);
    PackageIndex(index)
}
