//! The report of an inventory: every package with its location and its dependencies.

mod build;
mod chains;
mod table;
mod tree;

use schemars::JsonSchema;
use serde::Serialize;

pub use build::InventoryInput;

use crate::{IncompleteReport, LocationReport, LockfileReport, Tool};

/// The report of an inventory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct InventoryReport {
    /// Version of this format.
    pub schema_version: u32,
    /// The program that wrote it.
    pub tool: Tool,
    /// Totals over all files.
    pub summary: InventorySummary,
    /// Every copy of a package in every file, ordered by file and by position in the file.
    pub packages: Vec<InventoryPackage>,
    /// The projects whose dependencies the files lock.
    pub roots: Vec<InventoryRoot>,
    /// Requirements for which no file states a version.
    pub unresolved: Vec<UnresolvedReport>,
    /// Inputs that could not be read. The inventory is complete only when this is empty.
    pub incomplete: Vec<IncompleteReport>,
    /// The files that were read.
    pub lockfiles: Vec<LockfileReport>,
    /// Every chain to the requested package; `null` when none was requested.
    pub why: Option<WhyReport>,
}

/// Totals of an inventory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct InventorySummary {
    /// Files that were read.
    pub lockfiles: usize,
    /// Distinct package versions, without the packages of the repository itself.
    pub packages: usize,
    /// Requirements for which no file states a version.
    pub unresolved: usize,
    /// Whether everything could be read.
    pub complete: bool,
    /// The exit code of the run.
    pub exit_code: u8,
}

/// One copy of a package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct InventoryPackage {
    /// Index of the copy in `packages`, from 0. Other entries refer to it.
    pub id: usize,
    /// Ecosystem by its OSV name, or Patchgate's own name for one that OSV does not have.
    pub ecosystem: String,
    /// Release of the distribution that a package of an operating system belongs to.
    pub distribution: Option<String>,
    /// Name as the ecosystem writes it.
    pub name: String,
    /// Version as the file writes it.
    pub version: String,
    /// Package URL of the version, percent-encoded.
    pub purl: String,
    /// The name that dependents use, if it differs from `name`.
    pub alias: Option<String>,
    /// Strongest reason why the package is installed: `runtime`, `peer`, `optional`, `build`, `test` or
    /// `development`.
    pub scope: String,
    /// The groups of requirements that need it, by the file's own names.
    pub groups: Vec<String>,
    /// Whether a project requires it directly; `null` when the file does not list the requirements of
    /// its projects.
    pub direct: Option<bool>,
    /// Line of its entry.
    pub location: LocationReport,
    /// Path to which the package manager installs it, if the file states one.
    pub install_path: Option<String>,
    /// Source of the package.
    pub origin: OriginReport,
    /// Hashes of its archive, as the file writes them.
    pub integrity: Vec<String>,
    /// Indices of the copies that it depends on.
    pub depends_on: Vec<usize>,
}

/// The source of a package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OriginReport {
    /// `registry`, `git`, `path` or `url`.
    pub kind: String,
    /// Address or path as the file writes it, without secrets.
    pub address: Option<String>,
    /// Id of the commit, for `git`.
    pub commit: Option<String>,
}

/// A project whose dependencies a file locks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct InventoryRoot {
    /// Name; empty when the project has none.
    pub name: String,
    /// The file that locks its dependencies.
    pub lockfile: String,
    /// Path of its manifest, if one was read.
    pub manifest: Option<String>,
    /// Indices of the copies that it requires directly.
    pub depends_on: Vec<usize>,
}

/// A requirement for which no file states a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct UnresolvedReport {
    /// Ecosystem of the file.
    pub ecosystem: String,
    /// Name as the file writes it.
    pub name: String,
    /// Requirement as written; empty when any version satisfies it.
    pub requirement: String,
    /// Reason for the requirement, in the words of [`InventoryPackage::scope`].
    pub scope: String,
    /// Line of the requirement.
    pub location: LocationReport,
}

/// Every chain to a package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct WhyReport {
    /// The requested package, as given.
    pub package: String,
    /// The chains, shortest first.
    pub chains: Vec<WhyChain>,
    /// Whether there are more chains than are listed.
    pub more: bool,
}

/// One chain from a project down to a package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct WhyChain {
    /// The file with the chain.
    pub lockfile: String,
    /// The project at the start; `null` when no project leads to the package.
    pub root: Option<String>,
    /// `name@version` from the direct dependency down to the package itself.
    pub steps: Vec<String>,
}

impl InventoryReport {
    /// The report as indented JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        crate::to_json(self)
    }
}

#[cfg(test)]
mod tests;
