//! Direct changes of lockfiles: from the graph that a lockfile should have to its bytes, without a
//! package manager.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use patchgate_model::{DependencyKind, Lockfile, PackageIndex};

use crate::{EditError, Input, MetadataRequest, Release, Requirement, Siblings};

/// The graph that a lockfile should have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TargetGraph {
    /// Every package copy. The copies of the lockfile come first, in the file's order, without those
    /// that leave it; new ones follow.
    pub nodes: Vec<TargetNode>,
    /// The dependencies of each project, in the order of [`Lockfile::roots`].
    pub roots: Vec<Vec<TargetEdge>>,
}

/// One package copy of a [`TargetGraph`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetNode {
    /// The copy of the lockfile before. `None` for a package that is new.
    pub was: Option<PackageIndex>,
    /// Name of the package in its registry.
    pub name: String,
    /// The release that it gets. `None` for a copy that keeps its version.
    pub release: Option<Release>,
    /// Its dependencies.
    pub edges: Vec<TargetEdge>,
}

/// One dependency in a [`TargetGraph`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetEdge {
    /// The name that the dependent uses.
    pub name: String,
    /// The requirement as the dependent writes it, where known.
    pub requirement: Option<String>,
    /// The part of the dependent that needs it.
    pub kind: DependencyKind,
    /// Index of the node that satisfies it.
    pub to: usize,
}

impl TargetGraph {
    /// The graph that a lockfile has.
    #[must_use]
    pub fn unchanged(lockfile: &Lockfile) -> Self {
        let edges = |edges: &[patchgate_model::Edge]| {
            let target = |edge: &patchgate_model::Edge| TargetEdge {
                name: edge.name.to_string(),
                requirement: edge.requirement.as_deref().map(str::to_owned),
                kind: edge.kind,
                to: edge.to.0 as usize,
            };
            edges.iter().map(target).collect()
        };

        Self {
            nodes: lockfile
                .indexed()
                .map(|(index, package)| TargetNode {
                    was: Some(index),
                    name: package.name.clone(),
                    release: None,
                    edges: edges(&package.edges),
                })
                .collect(),
            roots: lockfile
                .roots
                .iter()
                .map(|root| edges(&root.edges))
                .collect(),
        }
    }

    /// The version of a node.
    #[must_use]
    pub fn version<'a>(&'a self, lockfile: &'a Lockfile, node: usize) -> Option<&'a str> {
        let node = self.nodes.get(node)?;
        match &node.release {
            Some(release) => Some(&release.version),
            None => Some(&lockfile.package(node.was?)?.version),
        }
    }
}

/// Documents by the address of the request for them.
pub type Downloads = BTreeMap<String, Vec<u8>>;

/// A format whose files Patchgate changes directly.
///
/// The result is what the format's own package manager would accept and leave as it is. Bytes that
/// need not change stay the same: formatting, order, line ends, the version of the format.
pub trait LockfileWriter: fmt::Debug + Sync {
    /// Documents that are needed to write a new release into the lockfile, besides its metadata.
    fn downloads(&self, _name: &str, _release: &Release) -> Vec<MetadataRequest> {
        Vec::new()
    }

    /// Whether the format also needs another file of the repository, besides the manifests: `go.sum`
    /// of a `go.mod`, the files that a requirements file includes.
    fn reads(&self, _path: &str) -> bool {
        false
    }

    /// Whether files of other formats are changed first, because their change may include this one: the
    /// lockfile of a project that states its versions itself.
    fn is_last(&self) -> bool {
        false
    }

    /// Names for which a package of another name stands, or the project itself, so that no package of
    /// that name has to come in (Composer's `replace`).
    fn provided(&self, _input: &Input<'_>) -> BTreeSet<String> {
        BTreeSet::new()
    }

    /// Whether a lockfile is for every environment that its project supports, so that it has what is
    /// needed in any of them. Others are for the one in which they were made.
    fn locks_every_environment(&self, _lockfile: &Lockfile) -> bool {
        false
    }

    /// Whether [`LockfileWriter::write`] needs the release of every package of a registry, also of one
    /// that keeps its version. [`TargetNode::release`] then is the release with that version, where it
    /// is known.
    fn needs_every_release(&self) -> bool {
        false
    }

    /// The same for one lockfile, in formats whose versions differ in what they need.
    fn downloads_for(
        &self,
        _lockfile: &Lockfile,
        name: &str,
        release: &Release,
    ) -> Vec<MetadataRequest> {
        self.downloads(name, release)
    }

    /// Documents that are needed besides those that are known, because one of those names them. It is
    /// asked again with what they contain, until it needs none.
    fn further_downloads(
        &self,
        _input: &Input<'_>,
        _lockfile: &Lockfile,
        _target: &TargetGraph,
        _known: &Downloads,
    ) -> Vec<MetadataRequest> {
        Vec::new()
    }

    /// The files with the graph, by path: the lockfile, and others that belong to it, such as
    /// `go.sum`.
    ///
    /// `input` is the lockfile before, and `lockfile` what was read from it; `input.siblings` are the
    /// manifests *after* their edits.
    ///
    /// # Errors
    /// If the result would not be exactly what the package manager accepts.
    fn write(
        &self,
        input: &Input<'_>,
        lockfile: &Lockfile,
        target: &TargetGraph,
        downloads: &Downloads,
    ) -> Result<Siblings, WriteError>;

    /// Whether [`LockfileWriter::write`] can write a lockfile with the overrides of
    /// [`LockfileWriter::write_override`], in formats whose versions differ in it.
    fn writes_overrides(&self, _lockfile: &Lockfile) -> bool {
        true
    }

    /// The manifest, by path, with an override that gives every dependent of a package a version,
    /// whatever they require. An override that the manifest has already is raised. `None` if the
    /// format has no overrides.
    ///
    /// # Errors
    /// If the manifest cannot be read or changed.
    fn write_override(
        &self,
        _lockfile: &str,
        _manifests: &Siblings,
        _name: &str,
        _version: &str,
    ) -> Result<Option<(String, String)>, EditError> {
        Ok(None)
    }
}

/// The result of a writer that changes the lockfile alone: its own bytes for the graph that it has
/// already, else those that `changed` returns.
///
/// # Errors
/// If `changed` fails, with its reason.
pub(crate) fn write_lockfile<B: Into<Vec<u8>>>(
    input: &Input<'_>,
    lockfile: &Lockfile,
    target: &TargetGraph,
    changed: impl FnOnce() -> Result<B, String>,
) -> Result<Siblings, WriteError> {
    let bytes = match *target == TargetGraph::unchanged(lockfile) {
        true => input.bytes.to_vec(),
        false => changed()
            .map_err(|reason| WriteError::new(input, reason))?
            .into(),
    };

    Ok(Siblings::from([(input.path.to_owned(), bytes)]))
}

/// The reason why a lockfile was not written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{path}` cannot be written without its package manager: {reason}")]
pub struct WriteError {
    /// Path of the lockfile.
    pub path: String,
    /// The obstacle, as a fragment for a person: `` `a` has no hash in the registry``.
    pub reason: String,
    /// The obstacle as requirements that releases of the graph have besides those of their metadata. A
    /// graph that meets them may be written.
    pub requirements: Vec<FoundRequirement>,
}

/// A requirement of a release that only the writer of a lockfile finds, because the release's own
/// metadata does not state it: a module of Go requires what its requirements require.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundRequirement {
    /// Name of the package that has it.
    pub package: String,
    /// The version of the package that has it.
    pub version: String,
    /// What is required.
    pub requirement: Requirement,
}

impl WriteError {
    /// An error for the lockfile of an input.
    #[must_use]
    pub fn new(input: &Input<'_>, reason: impl Into<String>) -> Self {
        Self {
            path: input.path.to_owned(),
            reason: reason.into(),
            requirements: Vec::new(),
        }
    }
}
