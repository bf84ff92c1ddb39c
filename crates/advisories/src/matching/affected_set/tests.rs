//! The set of affected versions against the evaluation of single versions, for all real records.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read as _;

use patchgate_ecosystems::{Ecosystem, by_name};
use patchgate_model::{Advisory, SmolStr};

use super::affected_versions;
use crate::matching::{Affects, Subject, affects, entries};
use crate::parse_record;

/// Versions of a package's other records that are tried with each record.
const FROM_OTHER_RECORDS: usize = 40;

#[test]
fn sets_agree_with_single_versions() {
    let Some(shared) = patchgate_testkit::shared_dir() else {
        return;
    };
    let (mut compared, mut affected, mut undetermined) = (0, 0, 0);

    for ecosystem in ["crates.io", "npm", "PyPI", "Go", "Maven", "NuGet"] {
        let order = by_name(ecosystem).unwrap();
        let file = File::open(shared.join("advisories").join(ecosystem).join("all.zip")).unwrap();
        for (name, records) in by_package(order, file) {
            let subject = Subject {
                ecosystem: order,
                distribution: None,
                name: &name,
            };
            let of_package: BTreeSet<SmolStr> = records
                .iter()
                .flat_map(|record| events(subject, record))
                .collect();

            for record in &records {
                let Ok(set) = affected_versions(subject, record) else {
                    undetermined += 1;
                    continue;
                };
                let mut versions: BTreeSet<SmolStr> = entries(subject, record)
                    .flat_map(|entry| entry.versions.iter().cloned())
                    .chain(events(subject, record))
                    .collect();
                versions.extend(of_package.iter().take(FROM_OTHER_RECORDS).cloned());

                for version in &versions {
                    let answer = affects(subject, record, version);
                    let Ok(contains) = set.contains(order, version) else {
                        continue;
                    };
                    let expected = answer == Affects::Yes;
                    assert_eq!(
                        contains, expected,
                        "{} {name} {version}: {answer:?}",
                        record.id
                    );
                    compared += 1;
                    affected += usize::from(expected);
                }
            }
        }
    }

    assert!(compared > 250_000, "{compared} compared");
    assert!(affected > 50_000, "{affected} affected");
    assert!(undetermined * 100 < compared, "{undetermined} undetermined");
}

/// The records of each package of an ecosystem.
fn by_package(order: &dyn Ecosystem, file: File) -> BTreeMap<String, Vec<Advisory>> {
    let mut packages: BTreeMap<String, Vec<Advisory>> = BTreeMap::new();
    let mut archive = zip::ZipArchive::new(file).unwrap();
    for index in 0..archive.len() {
        let mut json = Vec::new();
        archive
            .by_index(index)
            .unwrap()
            .read_to_end(&mut json)
            .unwrap();
        let record = parse_record(&json).unwrap();
        let names: BTreeSet<String> = record
            .affected
            .iter()
            .filter(|entry| entry.ecosystem == order.name())
            .map(|entry| order.normalize_name(&entry.name).into_owned())
            .collect();
        for name in names {
            packages.entry(name).or_default().push(record.clone());
        }
    }
    packages
}

fn events(subject: Subject<'_>, record: &Advisory) -> Vec<SmolStr> {
    entries(subject, record)
        .flat_map(|entry| &entry.ranges)
        .flat_map(|range| &range.events)
        .map(|event| event.version.clone())
        .collect()
}
