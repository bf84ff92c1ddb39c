//! Explanations: which packages of an inventory a set of records affects, and why.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use patchgate_ecosystems::by_name;
use patchgate_model::{
    Advisory, EcosystemName, Explanation, Exposure, Inventory, RecordEvidence, SmolStr,
};

use super::candidates::CandidateRecords;
use super::unordered::Unordered;
use super::{Installed, Occurrences, copies, package_ref, requirements};
use crate::matching::{Affects, Subject, affects_commit, evidence};
use crate::{AdvisoryLookup, git, package_key};

/// A lookup with these records, indexed by every package and repository that they name.
#[must_use]
pub fn lookup_of(records: &[Arc<Advisory>]) -> AdvisoryLookup {
    let mut lookup = AdvisoryLookup::default();
    for record in records {
        let mut packages: BTreeMap<(EcosystemName, SmolStr), ()> = BTreeMap::new();
        for entry in &record.affected {
            if entry.ecosystem == git::ECOSYSTEM {
                let known = lookup
                    .repositories
                    .entry(entry.name.to_string())
                    .or_default();
                known.push(Arc::clone(record));
            } else if let Some(ecosystem) = by_name(&entry.ecosystem) {
                let key = package_key(ecosystem.name(), &entry.name);
                packages.insert((ecosystem.name(), key), ());
            }
        }

        for (key, ()) in packages {
            let known = lookup.advisories.entry(key).or_default();
            known.push(Arc::clone(record));
        }
    }

    lookup
}

/// Explanations of every package version, and of every requirement without a version, that the
/// records of a lookup name, in the order of the findings of [`super::find`]. Other packages are left
/// out.
#[must_use]
pub fn explain(inventory: &Inventory, lookup: &AdvisoryLookup) -> Vec<Explanation> {
    let mut found = Vec::new();
    let copies = copies(inventory);
    for copies in copies.chunk_by(Installed::is_of_the_same_version) {
        let Some(version) = copies.first().map(|copy| copy.version) else {
            continue;
        };
        let unordered = Unordered(version.ecosystem);
        let ecosystem = by_name(version.ecosystem).unwrap_or(&unordered);
        let name = ecosystem.normalize_name(version.name).into_owned();
        let subject = Subject {
            ecosystem,
            distribution: version.distribution,
            name: &name,
        };
        let known = CandidateRecords::of(subject, lookup, version.commit_query());
        let mut answer = Affects::No;
        let mut pieces = Vec::new();

        let mut affected_by = Vec::new();
        for record in &known.records {
            match known.affects(subject, record, version.version) {
                Affects::Yes => {
                    answer = Affects::Yes;
                    affected_by.push(record.id.to_string());
                }
                Affects::Unknown(reason) if answer == Affects::No => {
                    answer = Affects::Unknown(reason);
                }
                Affects::Unknown(_) | Affects::No => {}
            }

            let mut own = evidence(subject, record, version.version);
            own.extend(of_commit(subject, &known, record));
            pieces.extend(own.into_iter().map(|one| (record.id.to_string(), one)));
        }

        if !known.records.is_empty() {
            let occurrences = Occurrences::new(inventory, copies, &HashMap::new());
            found.push(Explanation {
                package: package_ref(version, &occurrences),
                locations: occurrences.locations,
                requirement: None,
                exposure: match answer {
                    Affects::Yes => Exposure::Affected,
                    Affects::No => Exposure::NotAffected,
                    Affects::Unknown(reason) => Exposure::Unknown(reason),
                },
                affected_by,
                evidence: pieces,
            });
        }
    }
    found.extend(requirements::explain(inventory, lookup));

    found
}

/// The statement of a record about the commit of a git source.
fn of_commit(
    subject: Subject<'_>,
    known: &CandidateRecords<'_>,
    record: &Advisory,
) -> Option<RecordEvidence> {
    let source = known.source.as_ref()?;
    if known.of_commit.contains(record.id.as_str()) {
        return Some(RecordEvidence {
            affects: Some(true),
            text: format!(
                "commit {} is affected according to the server",
                source.commit
            ),
        });
    }

    let (affects, text) = match affects_commit(subject, record, source)? {
        Affects::Yes => (Some(true), "is listed as affected".to_owned()),
        Affects::No => (Some(false), "is listed as fixed".to_owned()),
        Affects::Unknown(reason) => (None, format!("is not listed: the record {reason}")),
    };
    Some(RecordEvidence {
        affects,
        text: format!("commit {} {text}", source.commit),
    })
}
