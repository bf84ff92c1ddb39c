//! The records of a lookup that may affect a package version: by its name, and by the commit of its
//! git source.

use std::collections::BTreeSet;
use std::sync::Arc;

use patchgate_model::{Advisory, SmolStr};

use crate::AdvisoryLookup;
use crate::git::CommitQuery;
use crate::matching::{Affects, Subject, affects, affects_commit, entries};

/// The records that may affect a version.
pub(super) struct CandidateRecords<'a> {
    pub(super) records: Vec<&'a Arc<Advisory>>,
    pub(super) source: Option<CommitQuery>,
    /// Ids of the records that affect the commit according to the server.
    pub(super) of_commit: BTreeSet<&'a str>,
}

impl<'a> CandidateRecords<'a> {
    /// Collects the records of the package's name, repository and commit, without duplicates.
    pub(super) fn of(
        subject: Subject<'_>,
        lookup: &'a AdvisoryLookup,
        source: Option<CommitQuery>,
    ) -> Self {
        let key = (subject.ecosystem.name(), SmolStr::new(subject.name));
        let mut records: Vec<&Arc<Advisory>> =
            lookup.advisories.get(&key).into_iter().flatten().collect();

        let mut of_commit = BTreeSet::new();
        if let Some(source) = &source {
            let affecting = lookup.commits.get(&source.commit).into_iter().flatten();
            of_commit.extend(affecting.clone().map(|record| record.id.as_str()));
            let repository = lookup.repositories.get(&source.repository);
            for record in affecting.chain(repository.into_iter().flatten()) {
                if !records.iter().any(|known| known.id == record.id) {
                    records.push(record);
                }
            }
        }

        Self {
            records,
            source,
            of_commit,
        }
    }

    /// Whether a record affects the version. The commit decides if it is certain, otherwise the
    /// version. A record that names only commits is then undetermined.
    pub(super) fn affects(
        &self,
        subject: Subject<'_>,
        record: &Advisory,
        version: &str,
    ) -> Affects {
        if self.of_commit.contains(record.id.as_str()) {
            return Affects::Yes;
        }

        let by_commit = self
            .source
            .as_ref()
            .and_then(|source| affects_commit(subject, record, source));
        match by_commit {
            Some(certain @ (Affects::Yes | Affects::No)) => certain,
            Some(unknown) if entries(subject, record).next().is_none() => unknown,
            // Judged as a requirement.
            _ if subject.ecosystem.is_moving(version) => Affects::No,
            _ => affects(subject, record, version),
        }
    }
}
