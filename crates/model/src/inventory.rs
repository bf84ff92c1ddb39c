//! The dependencies of a repository: one [`Lockfile`] for each file, with its own graph.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::{EcosystemName, FileGroup, FormatId, Problem};

/// Everything that was read from one repository.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inventory {
    /// The lockfiles, ordered by path. A file that several ecosystems read (a workflow names actions
    /// and images) is listed once for each ecosystem.
    pub lockfiles: Vec<Lockfile>,
    /// Manifests whose requirements no lockfile pins, ordered by path.
    pub unlocked: Vec<UnlockedManifest>,
    /// Inputs that could not be read. An inventory with problems is never "clean".
    pub problems: Vec<Problem>,
    /// The groups of the files above that are not the project's own, by path. A file of the project
    /// is absent.
    pub groups: BTreeMap<String, FileGroup>,
}

/// A manifest without a lockfile. Its requirements are known, the installed versions are not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnlockedManifest {
    /// Path from the repository root, with `/` between its parts.
    pub path: String,
    /// The ecosystem by its name, such as `crates.io` or `npm`.
    pub ecosystem: EcosystemName,
    /// Its requirements; at least one.
    pub unresolved: Vec<Unresolved>,
}

/// A requirement for which no file states a version. A floor (`>=2.0`) is not a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unresolved {
    /// The ecosystem of the package, which may differ from that of the file.
    pub ecosystem: EcosystemName,
    /// Name as the ecosystem's registry writes it. For an npm alias or a Cargo rename this is the
    /// real name.
    pub name: String,
    /// The requirement in the notation of the ecosystem; empty when any version satisfies it.
    pub requirement: String,
    /// The part of the project that requires it.
    pub kind: DependencyKind,
    /// Line in the file, from 1.
    pub line: u32,
}

/// One lockfile and its dependency graph. SBOMs and other files that state exact versions are
/// lockfiles, too.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lockfile {
    /// Path from the repository root, with `/` between its parts.
    pub path: String,
    /// The ecosystem that the format belongs to, by its name, such as `crates.io` or `npm`.
    /// A package may be of another one; see [`Package::ecosystem`].
    pub ecosystem: EcosystemName,
    /// The format with its version, such as `cargo-lock-v4` or `npm-lock-v3`.
    pub format: FormatId,
    /// Requirements for which the file states no version.
    pub unresolved: Vec<Unresolved>,
    /// Every package copy that the file locks, in the order of the file. Workspace members are
    /// included, with [`Origin::Path`], if the format lists them.
    pub packages: Vec<Package>,
    /// The projects whose dependencies the file locks: the workspace root and its members.
    pub roots: Vec<Root>,
    /// Whether the file lists direct dependencies only, so that transitive ones are not scanned.
    pub direct_only: bool,
    /// Files from outside the repository that the file depends on and that could not be read: a
    /// parent, a list of versions. Their contribution is unknown.
    pub missing: Vec<MissingFile>,
    /// Entries of the file that could not be read. The other entries were.
    pub skipped: Vec<SkippedEntry>,
}

/// An entry of a lockfile that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SkippedEntry {
    /// Line of the entry in the lockfile, from 1.
    pub line: u32,
    /// What is wrong with it, as a fragment that follows the file's name: ``lacks the version of
    /// `a` ``.
    pub reason: String,
    /// The part of the inventory that is lost with it.
    pub loss: Loss,
}

/// The part of an inventory that is lost when an entry cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Loss {
    /// A package may be missing, so the scan is incomplete.
    Package,
    /// An edge of the graph is missing; all packages are known.
    Edge,
    /// A hash or another detail is missing; all packages and edges are known.
    Detail,
}

/// A file from outside the repository that another file depends on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct MissingFile {
    /// The role of the file: `parent`, `imported list of versions`.
    pub role: &'static str,
    /// Name of the package that it belongs to, as the ecosystem writes it.
    pub name: String,
    /// Version of that package.
    pub version: String,
    /// Its path in a repository of packages, from that repository's root.
    pub path: String,
    /// Line in the lockfile that refers to it, from 1.
    pub line: u32,
    /// Whether it states only versions of packages that are among [`Lockfile::unresolved`]. Without
    /// it every package is known by name. Any other file may bring packages of its own.
    pub versions_only: bool,
    /// Why it could not be fetched, if that was tried, as a fragment that follows the file's name:
    /// `is in none of 2 repositories`.
    pub reason: Option<String>,
    /// The next step, if there is a more specific one than to provide the file.
    pub hint: Option<String>,
}

/// The index of a [`Package`] in [`Lockfile::packages`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PackageIndex(pub u32);

/// One project whose own manifest states requirements.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Root {
    /// The project's name; empty if the manifest has none.
    pub name: String,
    /// Path of the manifest from the repository root, where one was found.
    pub manifest: Option<String>,
    /// Direct dependencies, with the requirement as the manifest writes it if that was read.
    pub edges: Vec<Edge>,
}

/// One locked copy of a package. Two copies of one package in a tree are two of these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// The ecosystem of the package: its OSV name without the release of a distribution (`npm`,
    /// `Debian`), or Patchgate's own name for an ecosystem that OSV does not have.
    pub ecosystem: EcosystemName,
    /// Release of the distribution that an operating system's package belongs to, as OSV writes it
    /// after the colon: `12`, `v3.20`, `22.04:LTS`.
    pub distribution: Option<String>,
    /// Name as the ecosystem's registry writes it. For an npm alias this is the real name.
    pub name: String,
    /// Locked version, as the file writes it.
    pub version: String,
    /// Source of the package.
    pub origin: Origin,
    /// Line of the package's entry in the lockfile, from 1.
    pub line: u32,
    /// Hashes of the package's archive as the file writes them, with a space between two: a
    /// hexadecimal SHA-256 in `Cargo.lock`, subresource integrity strings in npm's lockfiles,
    /// `sha256:…` in Python's.
    pub integrity: Option<String>,
    /// The strongest reason why the package is installed.
    pub scope: Scope,
    /// The groups of requirements that need it, by the file's own names, sorted: Poetry's and
    /// Bundler's groups, Gradle's configurations, extras. Empty if the format has none.
    pub groups: Vec<String>,
    /// Path to which the package manager installs this copy, if the format states one: npm's
    /// `node_modules/a/node_modules/b`. Unique in the file.
    pub install_path: Option<String>,
    /// The name that dependents use for this copy, if it differs from [`Package::name`]: an npm
    /// alias.
    pub alias: Option<String>,
    /// Whether the copy is shipped in the archive of its parent (npm's `inBundle`), so that only an
    /// upgrade of the parent can change it.
    pub bundled: bool,
    /// The package URL, if it has more than name and version: as the file states it in SBOMs, with
    /// user and channel for Conan, with the UUID for Julia. For all others it is derived from name and
    /// version.
    pub purl: Option<String>,
    /// The dependencies of this package that the file lists.
    pub edges: Vec<Edge>,
}

/// One dependency of a root or a package on a locked package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    /// The locked package that satisfies the dependency.
    pub to: PackageIndex,
    /// The name that the dependent uses. It differs from the package's name for npm aliases and
    /// Cargo renames.
    pub name: SmolStr,
    /// The requirement as written by the dependent (`^1.2`, `=1.5.4`, `*`), where known.
    pub requirement: Option<SmolStr>,
    /// The part of the dependent that needs it.
    pub kind: DependencyKind,
}

/// The part of a dependent that needs a dependency.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DependencyKind {
    /// Needed at run time.
    #[default]
    Runtime,
    /// Used at run time if it can be installed; its absence is not an error.
    Optional,
    /// Provided by the dependent's own dependent (npm).
    Peer,
    /// Needed to build (Cargo's `build-dependencies`).
    Build,
    /// Needed to test, in ecosystems that distinguish this from development (Maven).
    Test,
    /// Needed to develop and test.
    Development,
}

/// The reasons why a package is in a tree, strongest first.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
pub enum Scope {
    /// Reached through run-time dependencies, or the format does not state a reason.
    #[default]
    Runtime,
    /// Reached only through peer dependencies.
    Peer,
    /// Reached only through optional dependencies.
    Optional,
    /// Reached only through build dependencies.
    Build,
    /// Reached only through test dependencies.
    Test,
    /// Reached only through development dependencies.
    Development,
}

/// The source of a package.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Origin {
    /// A registry, with its address if the lockfile states one. For npm this is the address of the
    /// archive (`resolved`), for Cargo the `source` without its prefix `registry+` or `sparse+`.
    Registry(Option<String>),
    /// A commit of a git repository.
    Git {
        /// Address as the lockfile writes it, without the commit.
        url: String,
        /// Full id of the commit, if the lockfile has one.
        commit: Option<String>,
    },
    /// A directory of the same repository: a workspace member, a path dependency, an npm link.
    Path(Option<String>),
    /// An archive at an address outside any registry.
    Url(String),
}

impl Package {
    /// A package from its ecosystem's registry, needed at run time, at line 1, and with defaults for
    /// everything else, for use in `Package { …, ..Package::new(…) }`.
    #[must_use]
    pub fn new(ecosystem: EcosystemName, name: String, version: String) -> Self {
        Self {
            ecosystem,
            distribution: None,
            name,
            version,
            origin: Origin::Registry(None),
            line: 1,
            integrity: None,
            scope: Scope::Runtime,
            groups: Vec::new(),
            install_path: None,
            alias: None,
            bundled: false,
            purl: None,
            edges: Vec::new(),
        }
    }
}

impl From<DependencyKind> for Scope {
    fn from(kind: DependencyKind) -> Self {
        match kind {
            DependencyKind::Runtime => Self::Runtime,
            DependencyKind::Peer => Self::Peer,
            DependencyKind::Optional => Self::Optional,
            DependencyKind::Build => Self::Build,
            DependencyKind::Test => Self::Test,
            DependencyKind::Development => Self::Development,
        }
    }
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

    /// The first skipped entry with which a package or an edge is missing. With one, the graph is not
    /// whole: a change of it cannot be planned or compared.
    #[must_use]
    pub fn gap(&self) -> Option<&SkippedEntry> {
        self.skipped
            .iter()
            .find(|entry| matches!(entry.loss, Loss::Package | Loss::Edge))
    }
}
