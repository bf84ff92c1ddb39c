//! Explanations of requirements: what each record says of the versions that they admit.

use patchgate_model::{Explanation, Exposure, Extent, Inventory, PackageRef, RecordEvidence};

use super::vulnerability::{extent, intervals};
use super::{Stated, is_same, locations, records, stated};
use crate::AdvisoryLookup;
use crate::matching::{Subject, affected_versions};

/// Explanations of every requirement whose package the records of a lookup name.
pub(in crate::find) fn explain(inventory: &Inventory, lookup: &AdvisoryLookup) -> Vec<Explanation> {
    let stated = stated(inventory);
    stated
        .chunk_by(is_same)
        .filter_map(|stated| explain_one(stated, lookup))
        .collect()
}

fn explain_one(stated: &[Stated<'_>], lookup: &AdvisoryLookup) -> Option<Explanation> {
    let first = stated.first()?;
    let ecosystem = patchgate_ecosystems::by_name(first.ecosystem)?;
    let name = ecosystem.normalize_name(first.name);
    let records = records(lookup, first.ecosystem, &name);
    if records.is_empty() {
        return None;
    }

    let mut explanation = Explanation {
        package: PackageRef {
            ecosystem: first.ecosystem,
            distribution: None,
            name: first.name.to_owned(),
            version: String::new(),
            purl: ecosystem.purl(first.name, ""),
        },
        requirement: Some(first.requirement.to_owned()),
        locations: locations(stated),
        exposure: Exposure::NotAffected,
        affected_by: Vec::new(),
        evidence: Vec::new(),
    };
    let admitted = match ecosystem.admitted_versions(first.requirement) {
        Ok(admitted) => admitted,
        Err(error) => {
            explanation.exposure = Exposure::Unknown(error.to_string());
            return Some(explanation);
        }
    };

    let subject = Subject {
        ecosystem,
        distribution: None,
        name: &name,
    };
    for record in records {
        let affects = affected_versions(subject, record).and_then(|affected| {
            extent(ecosystem, &admitted, &affected)
                .map_err(|error| format!("cannot be compared: {error}"))
        });
        let (exposure, affects, text) = match affects {
            Ok(None) => (
                Exposure::NotAffected,
                Some(false),
                "affects no version that the requirement admits".to_owned(),
            ),
            Ok(Some((Extent::All, _))) => (
                Exposure::Affected,
                Some(true),
                "affects every version that the requirement admits".to_owned(),
            ),
            Ok(Some((Extent::Some, common))) => (
                Exposure::Possible,
                None,
                format!(
                    "affects some versions that the requirement admits: {}",
                    intervals(&common).join("; ")
                ),
            ),
            Err(reason) => (
                Exposure::Unknown(format!("`{}` {reason}", record.id)),
                None,
                reason,
            ),
        };

        if matches!(exposure, Exposure::Affected | Exposure::Possible) {
            explanation.affected_by.push(record.id.to_string());
        }
        explanation.exposure = worse(explanation.exposure, exposure);
        let evidence = RecordEvidence { affects, text };
        explanation.evidence.push((record.id.to_string(), evidence));
    }
    Some(explanation)
}

/// The exposure that a reader must know of first.
fn worse(a: Exposure, b: Exposure) -> Exposure {
    let rank = |exposure: &Exposure| match exposure {
        Exposure::NotAffected => 0,
        Exposure::Possible => 1,
        Exposure::Unknown(_) => 2,
        Exposure::Affected => 3,
    };
    if rank(&b) > rank(&a) { b } else { a }
}
