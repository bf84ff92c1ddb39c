//! What a repository depends on: one [`Lockfile`] a file, each with its own graph.

use crate::Problem;

/// Everything that was read from one repository.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inventory {
    /// The lockfiles, ordered by path.
    pub lockfiles: Vec<Lockfile>,
    /// What could not be read. An inventory with problems is never "clean".
    pub problems: Vec<Problem>,
}

/// One lockfile and the graph that it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lockfile {
    /// Path from the repository root, with `/` between its parts.
    pub path: String,
    /// The ecosystem by its OSV name, such as `crates.io` or `npm`.
    pub ecosystem: &'static str,
    /// The format with its version, such as `cargo-lock-v4` or `npm-lock-v3`.
    pub format: &'static str,
    /// Every package copy that the file locks, in the file's order. Workspace members are among
    /// them where the format lists them, with [`Origin::Path`].
    pub packages: Vec<Package>,
    /// The projects whose dependencies the file locks: the workspace root and its members.
    pub roots: Vec<Root>,
}

/// The place of a [`Package`] in [`Lockfile::packages`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PackageIndex(pub u32);

/// One project whose own manifest states requirements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    /// The project's name, empty where the manifest gives none.
    pub name: String,
    /// Path of the manifest from the repository root, where one was found.
    pub manifest: Option<String>,
    /// Direct dependencies, with the requirement as the manifest writes it where it was read.
    pub edges: Vec<Edge>,
}

/// One locked copy of a package. Two copies of one package in a tree are two of these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Name as the ecosystem's registry writes it. For an npm alias this is the real name.
    pub name: String,
    /// Locked version, as the file writes it.
    pub version: String,
    /// Where the package comes from.
    pub origin: Origin,
    /// Line of the package's entry in the lockfile, from 1.
    pub line: u32,
    /// Hash of the package's archive as the file writes it: a hexadecimal SHA-256 in `Cargo.lock`,
    /// a subresource integrity string in npm's lockfiles.
    pub integrity: Option<String>,
    /// The strongest reason for which the package is there.
    pub scope: Scope,
    /// Where the package manager installs this copy, where the format says so: npm's
    /// `node_modules/a/node_modules/b`. Unique within the file when present.
    pub install_path: Option<String>,
    /// The name under which dependents know this copy when it is not [`Package::name`]: an npm
    /// alias.
    pub alias: Option<String>,
    /// True when the copy is shipped inside its parent's archive (npm's `inBundle`): only moving
    /// the parent can change it.
    pub bundled: bool,
    /// What this package depends on, as far as the file says.
    pub edges: Vec<Edge>,
}

/// One dependency of a root or a package on a locked package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    /// The locked package that satisfies the dependency.
    pub to: PackageIndex,
    /// The name by which the dependent asks for it: differs from the package's name for npm
    /// aliases and Cargo renames.
    pub name: String,
    /// The requirement as written by the dependent (`^1.2`, `=1.5.4`, `*`), where known.
    pub requirement: Option<String>,
    /// Which part of the dependent needs it.
    pub kind: DependencyKind,
}

/// Which part of a dependent needs a dependency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DependencyKind {
    /// Needed to run.
    Runtime,
    /// Needed to run when present; its absence is not an error.
    Optional,
    /// Expected to be supplied by the dependent's own dependent (npm).
    Peer,
    /// Needed to build (Cargo's `build-dependencies`).
    Build,
    /// Needed to develop and test.
    Development,
}

/// The strongest reason for which a package is in a tree, strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// Reached through run-time dependencies only, or the format does not say.
    Runtime,
    /// Reached only through optional dependencies.
    Optional,
    /// Reached only through build dependencies.
    Build,
    /// Reached only through development dependencies.
    Development,
}

/// Where a package comes from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Origin {
    /// A registry; the address as the lockfile writes it, where it does. For npm it is the
    /// archive's address (`resolved`), for Cargo the `source` without its `registry+` or
    /// `sparse+` prefix.
    Registry(Option<String>),
    /// A git repository.
    Git {
        /// Address as the lockfile writes it, without the commit.
        url: String,
        /// Full commit hash, where the lockfile has one.
        commit: Option<String>,
    },
    /// A folder of the same repository: a workspace member, a path dependency, an npm link.
    Path(Option<String>),
    /// An archive at an address outside any registry.
    Url(String),
}

impl Lockfile {
    /// The package at `index`.
    ///
    /// Returns `None` only for an index that does not come from this lockfile.
    #[must_use]
    pub fn package(&self, index: PackageIndex) -> Option<&Package> {
        self.packages.get(index.0 as usize)
    }

    /// Every package with its index, in the file's order.
    pub fn indexed(&self) -> impl Iterator<Item = (PackageIndex, &Package)> {
        (0u32..).map(PackageIndex).zip(&self.packages)
    }
}
