//! Queries to an advisory source and their answer.

use std::collections::BTreeMap;
use std::sync::Arc;

use patchgate_model::{Advisory, EcosystemName, Problem, SmolStr, SourceStatus, Unresolved};

/// A query for the records of a package.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PackageQuery {
    /// Ecosystem by its OSV name, without the release of a distribution.
    pub ecosystem: EcosystemName,
    /// Release of the distribution, for a package of an operating system. A server may restrict its
    /// answer to that release.
    pub distribution: Option<String>,
    /// Name as the lockfile writes it.
    pub name: SmolStr,
    /// With a version, the answer may be restricted to records that affect it. Without one, it
    /// contains all records of the package, so that candidate versions can be matched too.
    pub version: Option<SmolStr>,
}

/// The answer to a set of queries.
#[derive(Debug, Clone, Default)]
pub struct AdvisoryLookup {
    /// Records by ecosystem and normalised name. A package without an entry has no known records,
    /// unless [`AdvisoryLookup::problems`] says that it could not be looked up.
    pub advisories: BTreeMap<(EcosystemName, SmolStr), Vec<Arc<Advisory>>>,
    /// Records about git repositories, by [`crate::repository_key`]. Only a store fills this: its
    /// ranges name commits without the history between them, which a server knows.
    pub repositories: BTreeMap<String, Vec<Arc<Advisory>>>,
    /// Records that affect a commit according to the server, by commit. A commit without an entry is
    /// not affected, as far as the server knows.
    pub commits: BTreeMap<String, Vec<Arc<Advisory>>>,
    /// Queries that failed. If there are any, the answer is incomplete.
    pub problems: Vec<Problem>,
    /// The sources that answered, with their ages.
    pub sources: Vec<SourceStatus>,
    /// Id prefixes of databases that contain only malicious releases, in addition to `MAL-`. The
    /// configuration declares them.
    pub malicious_prefixes: Vec<String>,
}

impl AdvisoryLookup {
    /// Whether there are records about the package of a requirement, withdrawn ones not counted.
    pub fn has_records(&self, requirement: &Unresolved) -> bool {
        let Some(ecosystem) = patchgate_ecosystems::by_name(requirement.ecosystem) else {
            return false;
        };
        let name = SmolStr::new(ecosystem.normalize_name(&requirement.name));
        let records = self.advisories.get(&(requirement.ecosystem, name));
        let mut records = records.into_iter().flatten();
        records.any(|record| record.withdrawn.is_none())
    }
}
