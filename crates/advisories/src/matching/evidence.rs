//! Explanations of a match: what each part of a record says about a version, as text for people.
//! [`super::affects`] alone decides whether the record affects the version.

use std::cmp::Ordering;

use patchgate_ecosystems::{Ecosystem, intervals};
use patchgate_model::{Advisory, Affected, Range, RangeKind, RecordEvidence};

use super::{Subject, entries, range_affects};

/// The verdict of each part of a record on a version, in the order of the record.
#[must_use]
pub fn evidence(subject: Subject<'_>, advisory: &Advisory, version: &str) -> Vec<RecordEvidence> {
    if let Some(withdrawn) = advisory.withdrawn {
        return vec![RecordEvidence {
            affects: Some(false),
            text: format!("the record was withdrawn at {withdrawn}"),
        }];
    }

    let mut found = Vec::new();
    for entry in entries(subject, advisory) {
        if entry.ranges.is_empty() && entry.versions.is_empty() {
            found.push(RecordEvidence {
                affects: None,
                text: "the package is listed without any version".to_owned(),
            });
        }

        if !entry.versions.is_empty() {
            found.push(listed(subject.ecosystem, entry, version));
        }
        for range in &entry.ranges {
            found.push(ranged(subject.ecosystem, range, version));
        }
    }

    found
}

fn listed(ecosystem: &dyn Ecosystem, entry: &Affected, version: &str) -> RecordEvidence {
    let equal = entry.versions.iter().find(|listed| {
        *listed == version
            || ecosystem
                .compare_versions(listed, version)
                .is_ok_and(|order| order == Ordering::Equal)
    });
    let count = entry.versions.len();

    RecordEvidence {
        affects: Some(equal.is_some()),
        text: match equal {
            Some(equal) => format!("`{equal}` is among the {count} listed versions"),
            None => format!("{version} is not among the {count} listed versions"),
        },
    }
}

fn ranged(ecosystem: &dyn Ecosystem, range: &Range, version: &str) -> RecordEvidence {
    let kind = range.kind.as_str();
    let words = intervals(Some(ecosystem), range).join(" or ");

    match range.kind {
        RangeKind::Git => RecordEvidence {
            affects: None,
            text: format!("commits: {words}; they say nothing about versions"),
        },
        RangeKind::Other => RecordEvidence {
            affects: None,
            text: "a range of an unknown kind".to_owned(),
        },
        RangeKind::Semver | RangeKind::Ecosystem => {
            match range_affects(ecosystem, range, version) {
                Ok(inside) => RecordEvidence {
                    affects: Some(inside),
                    text: format!(
                        "{version} is {} {words} ({kind})",
                        if inside { "inside" } else { "outside" }
                    ),
                },
                Err(reason) => RecordEvidence {
                    affects: None,
                    text: format!("{words} ({kind}): {reason}"),
                },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use patchgate_ecosystems::by_name;
    use serde_json::json;

    use super::*;
    use crate::parse_record;

    fn subject() -> Subject<'static> {
        Subject {
            ecosystem: by_name("npm").unwrap(),
            distribution: None,
            name: "a",
        }
    }

    fn record(affected: serde_json::Value) -> Advisory {
        let mut affected = affected;
        affected["package"] = json!({"ecosystem": "npm", "name": "a"});
        let record = json!({"id": "X-1", "affected": [affected]});
        parse_record(record.to_string().as_bytes()).unwrap()
    }

    fn told(affected: serde_json::Value, version: &str) -> Vec<(Option<bool>, String)> {
        evidence(subject(), &record(affected), version)
            .into_iter()
            .map(|one| (one.affects, one.text))
            .collect()
    }

    #[test]
    fn every_part_of_a_record_has_its_own_answer() {
        let affected = json!({"versions": ["1.0.0", "1.1.0"], "ranges": [
            {"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "1.2.0"}]},
            {"type": "GIT", "repo": "https://host.invalid/a", "events": [{"introduced": "0"}]}]});
        assert_eq!(
            told(affected.clone(), "1.1.5"),
            [
                (
                    Some(false),
                    "1.1.5 is not among the 2 listed versions".to_owned()
                ),
                (Some(true), "1.1.5 is inside < 1.2.0 (SEMVER)".to_owned()),
                (
                    None,
                    "commits: all versions; they say nothing about versions".to_owned()
                ),
            ]
        );
        assert_eq!(told(affected.clone(), "1.2.0")[1].0, Some(false));
        assert_eq!(told(affected.clone(), "latest")[1].0, None);

        assert_eq!(
            told(affected, "v1.0.0")[0],
            (
                Some(true),
                "`1.0.0` is among the 2 listed versions".to_owned()
            )
        );
        assert_eq!(told(json!({}), "1.0.0")[0].0, None);
    }
}
