//! Every real record against another reader of the same schema.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::fs::File;
use std::io::Read as _;

use patchgate_advisories::parse_record;
use patchgate_model::{EventKind, RangeKind};

#[test]
fn reads_what_another_reader_reads() {
    let Some(shared) = patchgate_testkit::shared_dir() else {
        return;
    };
    let mut compared = 0;

    let mut refused_by_the_other = 0;
    for ecosystem in ["crates.io", "npm", "PyPI", "Go", "Maven", "NuGet"] {
        let file = File::open(shared.join("advisories").join(ecosystem).join("all.zip")).unwrap();
        let mut archive = zip::ZipArchive::new(file).unwrap();

        for index in 0..archive.len() {
            let mut json = Vec::new();
            archive
                .by_index(index)
                .unwrap()
                .read_to_end(&mut json)
                .unwrap();
            let ours = parse_record(&json).unwrap();
            match serde_json::from_slice::<osv::schema::Vulnerability>(&json) {
                Ok(theirs) => compare(&ours, &theirs),
                Err(_) => refused_by_the_other += 1,
            }

            compared += 1;
        }
    }

    assert_eq!(compared, 1206 + 3203 + 2665 + 4294 + 424 + 27);
    assert!(
        refused_by_the_other * 100 < compared,
        "{refused_by_the_other} of {compared}"
    );
}

fn compare(ours: &patchgate_model::Advisory, theirs: &osv::schema::Vulnerability) {
    let id = &ours.id;
    assert_eq!(*id, theirs.id);
    assert_eq!(
        ours.aliases,
        theirs.aliases.clone().unwrap_or_default(),
        "{id}"
    );
    // Without a summary, a title is made from the details.
    if let Some(summary) = theirs.summary.as_ref().filter(|text| !text.is_empty()) {
        assert_eq!(ours.summary, *summary, "{id}");
    }
    assert_eq!(ours.withdrawn.is_some(), theirs.withdrawn.is_some(), "{id}");

    // One record states the year 1 as its time of change, which is "not known".
    let is_stated = theirs.modified.timestamp() > 0;
    let stated = is_stated.then(|| theirs.modified.timestamp());

    assert_eq!(
        ours.modified.map(jiff::Timestamp::as_second),
        stated,
        "{id}"
    );

    let affected = theirs.affected.clone().unwrap_or_default();
    let named: Vec<_> = affected
        .iter()
        .filter(|one| one.package.is_some())
        .collect();

    assert_eq!(ours.affected.len(), named.len(), "{id}");
    for (our, their) in ours.affected.iter().zip(named) {
        assert_eq!(our.name, their.package.as_ref().unwrap().name, "{id}");
        assert_eq!(
            our.versions,
            their.versions.clone().unwrap_or_default(),
            "{id}"
        );

        let ranges = their.ranges.clone().unwrap_or_default();
        assert_eq!(our.ranges.len(), ranges.len(), "{id}");

        for (our, their) in our.ranges.iter().zip(&ranges) {
            let kind = match their.range_type {
                osv::schema::RangeType::Semver => RangeKind::Semver,
                osv::schema::RangeType::Ecosystem => RangeKind::Ecosystem,
                osv::schema::RangeType::Git => RangeKind::Git,
                _ => RangeKind::Other,
            };
            assert_eq!(our.kind, kind, "{id}");

            let ours: Vec<_> = our
                .events
                .iter()
                .map(|event| (event.kind, event.version.to_string()))
                .collect();
            let theirs: Vec<_> = their.events.iter().map(event).collect();

            assert_eq!(ours, theirs, "{id}");
        }
    }
}

fn event(event: &osv::schema::Event) -> (EventKind, String) {
    match event {
        osv::schema::Event::Introduced(version) => (EventKind::Introduced, version.clone()),
        osv::schema::Event::Fixed(version) => (EventKind::Fixed, version.clone()),
        osv::schema::Event::LastAffected(version) => (EventKind::LastAffected, version.clone()),
        osv::schema::Event::Limit(version) => (EventKind::Limit, version.clone()),
        other => panic!("{other:?}"),
    }
}
