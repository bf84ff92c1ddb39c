//! The report of an inventory: every package with where it stands and what it depends on.

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
    /// Version of this form.
    pub schema_version: u32,
    /// The program that wrote it.
    pub tool: Tool,
    /// Totals.
    pub summary: InventorySummary,
    /// Every copy of a package in every file, ordered by file and by place in it.
    pub packages: Vec<InventoryPackage>,
    /// The projects whose dependencies the files lock.
    pub roots: Vec<InventoryRoot>,
    /// Requirements for which no file states a version.
    pub unresolved: Vec<UnresolvedReport>,
    /// What could not be read. Not empty means that the inventory has a hole in it.
    pub incomplete: Vec<IncompleteReport>,
    /// The files that were read.
    pub lockfiles: Vec<LockfileReport>,
    /// Every chain to the package that was asked for; `null` when none was.
    pub why: Option<WhyReport>,
}

/// Totals of an inventory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct InventorySummary {
    /// Files that were read.
    pub lockfiles: usize,
    /// Different packages with different versions, those of the repository itself left out.
    pub packages: usize,
    /// Requirements without a version.
    pub unresolved: usize,
    /// Whether everything could be read.
    pub complete: bool,
    /// The exit code of the run.
    pub exit_code: u8,
}

/// One copy of a package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct InventoryPackage {
    /// Number of the copy in this report, from 0, which other entries refer to.
    pub id: usize,
    /// Ecosystem by its OSV name, or Patchgate's own name for one that OSV does not have.
    pub ecosystem: String,
    /// Release of the distribution that a package of an operating system belongs to.
    pub distribution: Option<String>,
    /// Name as the ecosystem writes it.
    pub name: String,
    /// Version as the file writes it.
    pub version: String,
    /// Package URL.
    pub purl: String,
    /// The name under which dependents know it, when that is another one.
    pub alias: Option<String>,
    /// Strongest reason for which it is there: `runtime`, `peer`, `optional`, `build`, `test` or
    /// `development`.
    pub scope: String,
    /// The groups of requirements that bring it, by the file's own names.
    pub groups: Vec<String>,
    /// Whether a project asks for it itself; `null` when the file does not say what its projects
    /// ask for.
    pub direct: Option<bool>,
    /// Where it stands.
    pub location: LocationReport,
    /// Where the package manager installs it, where the file says so.
    pub install_path: Option<String>,
    /// Where it comes from.
    pub origin: OriginReport,
    /// Hashes of its archive, as the file writes them.
    pub integrity: Vec<String>,
    /// What it depends on: numbers of copies.
    pub depends_on: Vec<usize>,
}

/// Where a package comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OriginReport {
    /// `registry`, `git`, `path` or `url`.
    pub kind: String,
    /// Address or path as the file writes it, without a password.
    pub address: Option<String>,
    /// Commit, for `git`.
    pub commit: Option<String>,
}

/// A project whose dependencies a file locks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct InventoryRoot {
    /// Name; empty where it has none.
    pub name: String,
    /// The file that locks its dependencies.
    pub lockfile: String,
    /// Its manifest, where one was read.
    pub manifest: Option<String>,
    /// What it asks for: numbers of copies.
    pub depends_on: Vec<usize>,
}

/// A requirement for which no file states a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct UnresolvedReport {
    /// Ecosystem of the file.
    pub ecosystem: String,
    /// Name as the file writes it.
    pub name: String,
    /// Requirement as written; empty where any version will do.
    pub requirement: String,
    /// What it is needed for, in the words of [`InventoryPackage::scope`].
    pub scope: String,
    /// Where it stands.
    pub location: LocationReport,
}

/// Every chain to a package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct WhyReport {
    /// What was asked for.
    pub package: String,
    /// The chains, shortest first.
    pub chains: Vec<WhyChain>,
    /// Whether there are more chains than are listed.
    pub more: bool,
}

/// One chain from a project down to a package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct WhyChain {
    /// The file that it is in.
    pub lockfile: String,
    /// The project that it begins with; `null` when no project leads to the package.
    pub root: Option<String>,
    /// `name@version` from the direct dependency down to the package itself.
    pub steps: Vec<String>,
}

impl InventoryReport {
    /// As JSON, indented.
    #[must_use]
    pub fn to_json(&self) -> String {
        crate::to_json(self)
    }
}

#[cfg(test)]
mod tests;
