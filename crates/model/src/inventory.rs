//! What a repository depends on: one [`Lockfile`] a file, each with its own graph.

use smol_str::SmolStr;

use crate::Problem;

/// Everything that was read from one repository.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inventory {
    /// The lockfiles, ordered by path. A file that several ecosystems read (a workflow names
    /// actions and images) is here once for each.
    pub lockfiles: Vec<Lockfile>,
    /// Manifests whose requirements no lockfile pins, ordered by path.
    pub unlocked: Vec<UnlockedManifest>,
    /// What could not be read. An inventory with problems is never "clean".
    pub problems: Vec<Problem>,
}

/// A manifest without a lockfile: what it asks for is known, what is installed is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnlockedManifest {
    /// Path from the repository root, with `/` between its parts.
    pub path: String,
    /// The ecosystem by its name, such as `crates.io` or `npm`.
    pub ecosystem: &'static str,
    /// What it asks for; at least one.
    pub unresolved: Vec<Unresolved>,
}

/// A requirement for which no file states a version. A floor (`>=2.0`) is not a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unresolved {
    /// Name as the file writes it.
    pub name: String,
    /// The requirement as written; empty where any version will do.
    pub requirement: String,
    /// Which part of the project asks for it.
    pub kind: DependencyKind,
    /// Line in the file, from 1.
    pub line: u32,
}

/// One lockfile and the graph that it holds. SBOMs and other files that state exact versions are
/// lockfiles too.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lockfile {
    /// Path from the repository root, with `/` between its parts.
    pub path: String,
    /// The ecosystem that the format belongs to, by its name, such as `crates.io` or `npm`.
    /// A package may be of another one; see [`Package::ecosystem`].
    pub ecosystem: &'static str,
    /// The format with its version, such as `cargo-lock-v4` or `npm-lock-v3`.
    pub format: &'static str,
    /// What the file asks for without saying which version it takes.
    pub unresolved: Vec<Unresolved>,
    /// Every package copy that the file locks, in the file's order. Workspace members are among
    /// them where the format lists them, with [`Origin::Path`].
    pub packages: Vec<Package>,
    /// The projects whose dependencies the file locks: the workspace root and its members.
    pub roots: Vec<Root>,
    /// True when the file states direct dependencies only: what they bring in turn is not in it,
    /// and so is not looked at.
    pub direct_only: bool,
    /// Files from outside the repository that the file builds on and that were not there to be
    /// read: a parent, a list of versions. What they would have added is not known.
    pub missing: Vec<MissingFile>,
}

/// A file from outside the repository that another file builds on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct MissingFile {
    /// What it is for: `parent`, `imported list of versions`.
    pub role: &'static str,
    /// Name of the package that it belongs to, as the ecosystem writes it.
    pub name: String,
    /// Version of that package.
    pub version: String,
    /// Its path in a repository of packages, from that repository's root.
    pub path: String,
    /// Line in the lockfile that asks for it, from 1.
    pub line: u32,
    /// Why it could not be had, where somebody tried, as a fragment that follows the file's name:
    /// `is in none of 2 repositories`.
    pub reason: Option<String>,
    /// What to do next, where there is more to say than that the file is needed.
    pub hint: Option<String>,
}

/// The place of a [`Package`] in [`Lockfile::packages`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PackageIndex(pub u32);

/// One project whose own manifest states requirements.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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
    /// The ecosystem that the package is of, by its OSV name without a release of a distribution
    /// (`npm`, `Debian`), or Patchgate's own name for one that OSV does not have.
    pub ecosystem: &'static str,
    /// Release of the distribution that an operating system's package belongs to, as OSV writes it
    /// after the colon: `12`, `v3.20`, `22.04:LTS`.
    pub distribution: Option<String>,
    /// Name as the ecosystem's registry writes it. For an npm alias this is the real name.
    pub name: String,
    /// Locked version, as the file writes it.
    pub version: String,
    /// Where the package comes from.
    pub origin: Origin,
    /// Line of the package's entry in the lockfile, from 1.
    pub line: u32,
    /// Hashes of the package's archive as the file writes them, with a space between two: a
    /// hexadecimal SHA-256 in `Cargo.lock`, subresource integrity strings in npm's lockfiles,
    /// `sha256:…` in Python's.
    pub integrity: Option<String>,
    /// The strongest reason for which the package is there.
    pub scope: Scope,
    /// The groups of requirements that bring it, by the file's own names, sorted: Poetry's and
    /// Bundler's groups, Gradle's configurations, extras. Empty where the format has none.
    pub groups: Vec<String>,
    /// Where the package manager installs this copy, where the format says so: npm's
    /// `node_modules/a/node_modules/b`. Unique within the file when present.
    pub install_path: Option<String>,
    /// The name under which dependents know this copy when it is not [`Package::name`]: an npm
    /// alias.
    pub alias: Option<String>,
    /// True when the copy is shipped inside its parent's archive (npm's `inBundle`): only moving
    /// the parent can change it.
    pub bundled: bool,
    /// The package URL, where it says more than name and version: exactly as the file states it in
    /// SBOMs, with user and channel for Conan, with the UUID for Julia. For all others it follows
    /// from name and version.
    pub purl: Option<String>,
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
    pub name: SmolStr,
    /// The requirement as written by the dependent (`^1.2`, `=1.5.4`, `*`), where known.
    pub requirement: Option<SmolStr>,
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
    /// Needed to test, where the ecosystem tells that from developing (Maven).
    Test,
    /// Needed to develop and test.
    Development,
}

/// The strongest reason for which a package is in a tree, strongest first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// Reached through run-time dependencies, or the format does not say.
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

impl Package {
    /// A package from its ecosystem's registry, needed at run time, at line 1, with nothing else
    /// known about it: the start for `Package { …, ..Package::new(…) }`.
    #[must_use]
    pub fn new(ecosystem: &'static str, name: String, version: String) -> Self {
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
}
