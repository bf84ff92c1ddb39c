//! Questions to an advisory source and their answers.

use std::collections::BTreeMap;
use std::sync::Arc;

use patchgate_model::{Advisory, Problem, SmolStr, SourceStatus};

/// A question: what is known about this package?
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PackageQuery {
    /// Ecosystem by its OSV name, without the release of a distribution.
    pub ecosystem: &'static str,
    /// Release of the distribution, for a package of an operating system: a server may answer for
    /// that release alone.
    pub distribution: Option<String>,
    /// Name as the lockfile writes it.
    pub name: SmolStr,
    /// With a version, only records that may affect it need to be answered; without, all records
    /// of the package, so that candidate versions can be judged.
    pub version: Option<SmolStr>,
}

/// The answer to a set of questions.
#[derive(Debug, Clone, Default)]
pub struct AdvisoryLookup {
    /// Records by ecosystem and normalised name. A package that was asked for and has no entry has
    /// no known records, unless [`AdvisoryLookup::problems`] says that it could not be looked up.
    pub advisories: BTreeMap<(&'static str, SmolStr), Vec<Arc<Advisory>>>,
    /// Records that speak of git repositories, by [`crate::repository_key`]. Only a store gives
    /// them: which commits lie between two others, their ranges do not say.
    pub repositories: BTreeMap<String, Vec<Arc<Advisory>>>,
    /// Records that the source calls affecting a commit, by commit. A commit without an entry is
    /// affected by none that the source can tell.
    pub commits: BTreeMap<String, Vec<Arc<Advisory>>>,
    /// What could not be looked up. Not empty means that the answer is incomplete.
    pub problems: Vec<Problem>,
    /// The sources that answered, with their age.
    pub sources: Vec<SourceStatus>,
    /// What the ids of records of malicious releases begin with, beside `MAL-`: databases that the
    /// configuration declares to hold nothing else.
    pub malicious_prefixes: Vec<String>,
}
