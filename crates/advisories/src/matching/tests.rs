//! The evaluation against cases reasoned by hand and against the schema's algorithm to the letter.

use std::cmp::Ordering;

use patchgate_ecosystems::{Ecosystem, by_name};
use patchgate_model::{Advisory, Event, EventKind, FixedVersion, Range, RangeKind};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Affects, affects, fixed_version, range_affects};
use crate::Subject;
use crate::parse_record;

fn subject<'a>(ecosystem: &'a dyn Ecosystem, name: &'a str) -> Subject<'a> {
    Subject {
        ecosystem,
        distribution: None,
        name,
    }
}

fn cargo() -> &'static dyn Ecosystem {
    by_name("crates.io").unwrap()
}

/// A record of the package `a` with one affected entry.
fn record(entry: Value) -> Advisory {
    let mut entry = entry;
    entry["package"] = json!({"ecosystem": "crates.io", "name": "a"});
    parse_record(
        json!({"id": "X-1", "affected": [entry]})
            .to_string()
            .as_bytes(),
    )
    .unwrap()
}

/// A record with one range.
fn ranged(events: Value) -> Advisory {
    record(json!({"ranges": [{"type": "SEMVER", "events": events}]}))
}

fn judge(advisory: &Advisory, version: &str) -> Affects {
    affects(subject(cargo(), "a"), advisory, version)
}

fn affected_of<'a>(advisory: &Advisory, versions: &[&'a str]) -> Vec<&'a str> {
    versions
        .iter()
        .copied()
        .filter(|version| judge(advisory, version) == Affects::Yes)
        .collect()
}

fn fixed(advisories: &[&Advisory], installed: &str) -> FixedVersion {
    fixed_version(subject(cargo(), "a"), advisories, installed)
}

#[test]
fn evaluates_each_kind_of_event() {
    let versions = [
        "0.9.0",
        "1.0.0",
        "1.5.0",
        "2.0.0-rc.1",
        "2.0.0",
        "2.1.0",
        "3.0.0",
    ];
    let cases: [(Value, &[&str]); 8] = [
        (json!([{"introduced": "0"}]), &versions),
        (
            json!([{"introduced": "1.0.0"}, {"fixed": "2.0.0"}]),
            &["1.0.0", "1.5.0", "2.0.0-rc.1"],
        ),
        (
            json!([{"fixed": "2.0.0"}, {"introduced": "1.0.0"}]),
            &["1.0.0", "1.5.0", "2.0.0-rc.1"],
        ),
        (
            json!([{"introduced": "0"}, {"last_affected": "2.0.0"}]),
            &["0.9.0", "1.0.0", "1.5.0", "2.0.0-rc.1", "2.0.0"],
        ),
        (
            json!([{"introduced": "1.0.0"}, {"last_affected": "1.0.0"}]),
            &["1.0.0"],
        ),
        (
            json!([{"last_affected": "1.0.0"}, {"introduced": "1.0.0"}]),
            &["1.0.0"],
        ),
        (
            json!([{"introduced": "2.1.0"}, {"fixed": "1.5.0"}, {"introduced": "0"}]),
            &["0.9.0", "1.0.0", "2.1.0", "3.0.0"],
        ),
        (
            json!([{"introduced": "0"}, {"limit": "1.5.0"}]),
            &["0.9.0", "1.0.0"],
        ),
    ];

    for (events, expected) in cases {
        assert_eq!(
            affected_of(&ranged(events.clone()), &versions),
            expected,
            "{events}"
        );
    }
}

#[test]
fn a_limit_of_a_star_is_none_and_the_widest_counts() {
    let star = ranged(json!([{"introduced": "0"}, {"limit": "*"}]));
    assert_eq!(judge(&star, "99.0.0"), Affects::Yes);
    let two = ranged(json!([{"introduced": "0"}, {"limit": "1.0.0"}, {"limit": "2.0.0"}]));
    assert_eq!(
        affected_of(&two, &["0.5.0", "1.5.0", "2.0.0"]),
        ["0.5.0", "1.5.0"]
    );
}

#[test]
fn one_event_object_may_hold_two_events() {
    let old = ranged(json!([{"introduced": "1.0.0", "fixed": "2.0.0"}]));
    assert_eq!(affected_of(&old, &["0.9.0", "1.0.0", "2.0.0"]), ["1.0.0"]);
}

#[test]
fn listed_versions_match_by_order_and_by_text() {
    let listed = record(json!({"versions": ["1.0.0", "2.0.0+a", "not a version"]}));
    assert_eq!(
        affected_of(
            &listed,
            &["1.0.0", "2.0.0", "2.0.0+b", "not a version", "1.0.1"]
        ),
        ["1.0.0", "2.0.0", "2.0.0+b", "not a version"]
    );
}

#[test]
fn a_withdrawn_record_matches_nothing() {
    let text = json!({"id": "X-1", "withdrawn": "2026-01-01T00:00:00Z", "affected": [
        {"package": {"ecosystem": "crates.io", "name": "a"}, "versions": ["1.0.0"]}]});
    let withdrawn = parse_record(text.to_string().as_bytes()).unwrap();
    assert_eq!(judge(&withdrawn, "1.0.0"), Affects::No);
}

#[test]
fn other_packages_do_not_match() {
    let other = record(json!({"versions": ["1.0.0"]}));
    assert_eq!(affects(subject(cargo(), "b"), &other, "1.0.0"), Affects::No);
    assert_eq!(
        affects(subject(by_name("npm").unwrap(), "a"), &other, "1.0.0"),
        Affects::No
    );
}

#[test]
fn commits_say_nothing_about_versions() {
    let git = record(
        json!({"ranges": [{"type": "GIT", "repo": "https://git.invalid/a",
        "events": [{"introduced": "0"}]}]}),
    );
    assert_eq!(judge(&git, "1.0.0"), Affects::No);
}

#[test]
fn what_cannot_be_ordered_is_unknown_and_never_clean() {
    let odd = ranged(json!([{"introduced": "0"}, {"fixed": "two"}]));
    assert!(matches!(judge(&odd, "1.0.0"), Affects::Unknown(reason) if reason.contains("`two`")));

    let sound = ranged(json!([{"introduced": "1.0.0"}, {"fixed": "2.0.0"}]));
    assert!(matches!(judge(&sound, "latest"), Affects::Unknown(_)));

    // Before all versions needs no order.
    assert_eq!(
        judge(&ranged(json!([{"introduced": "0"}])), "latest"),
        Affects::Yes
    );

    let kind = record(json!({"ranges": [{"type": "LATER", "events": [{"introduced": "0"}]}]}));
    assert!(matches!(judge(&kind, "1.0.0"), Affects::Unknown(_)));
    assert!(matches!(
        judge(&record(json!({})), "1.0.0"),
        Affects::Unknown(_)
    ));

    // A certain match outweighs an uncertain one.
    let both = record(json!({"ranges": [
        {"type": "SEMVER", "events": [{"introduced": "two"}]},
        {"type": "SEMVER", "events": [{"introduced": "0"}]}]}));
    assert_eq!(judge(&both, "1.0.0"), Affects::Yes);
}

#[test]
fn fixes_with_the_smallest_version_that_every_record_calls_clean() {
    let first = ranged(json!([{"introduced": "0"}, {"fixed": "1.2.0"},
        {"introduced": "2.0.0"}, {"fixed": "2.3.0"}]));
    assert_eq!(
        fixed(&[&first], "1.0.0"),
        FixedVersion::At("1.2.0".to_owned())
    );
    assert_eq!(
        fixed(&[&first], "2.1.0"),
        FixedVersion::At("2.3.0".to_owned())
    );

    // The second record says that the first fix was not enough.
    let second = ranged(json!([{"introduced": "0"}, {"fixed": "1.2.5"}]));
    assert_eq!(
        fixed(&[&first, &second], "1.0.0"),
        FixedVersion::At("1.2.5".to_owned())
    );

    let third = ranged(json!([{"introduced": "0"}, {"fixed": "2.1.0"}]));
    assert_eq!(
        fixed(&[&first, &third], "1.0.0"),
        FixedVersion::At("2.3.0".to_owned())
    );
}

#[test]
fn says_why_nothing_fixes_it() {
    let reason = |advisory: &Advisory, installed: &str| match fixed(&[advisory], installed) {
        FixedVersion::None(reason) => reason,
        FixedVersion::At(version) => panic!("{version}"),
    };
    let none = ranged(json!([{"introduced": "0"}]));

    assert_eq!(
        reason(&none, "1.0.0"),
        "no release fixes it: the advisory lists no fixed version"
    );

    let last = ranged(json!([{"introduced": "0"}, {"last_affected": "1.5.0"}]));
    assert_eq!(
        reason(&last, "1.0.0"),
        "the advisory lists no fixed version, only the last affected one: a version after 1.5.0"
    );

    let listed = record(json!({"versions": ["1.0.0"]}));
    assert_eq!(
        reason(&listed, "1.0.0"),
        "the advisory lists affected versions one by one and no fixed version"
    );

    let below = ranged(json!([{"introduced": "0"}, {"fixed": "1.0.0"}, {"introduced": "2.0.0"}]));
    assert!(reason(&below, "2.1.0").contains("is below it"));

    let again = record(json!({"ranges": [
        {"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "2.0.0"}]},
        {"type": "SEMVER", "events": [{"introduced": "1.5.0"}]}]}));
    assert!(reason(&again, "1.0.0").contains("another range"));
}

/// The schema's algorithm to the letter: sort, then let each event switch the answer.
fn oracle(events: &[Event], version: &str) -> bool {
    let compare = |a: &str, b: &str| match (a, b) {
        ("0", "0") => Ordering::Equal,
        ("0", _) => Ordering::Less,
        (_, "0") => Ordering::Greater,
        _ => cargo().compare_versions(a, b).unwrap(),
    };
    let limits: Vec<&Event> = events
        .iter()
        .filter(|one| one.kind == EventKind::Limit)
        .collect();
    let before = limits.is_empty()
        || limits
            .iter()
            .any(|one| compare(version, &one.version) == Ordering::Less);
    let mut sorted: Vec<&Event> = events.iter().collect();
    sorted.sort_by(|a, b| {
        compare(&a.version, &b.version).then_with(|| {
            (a.kind == EventKind::LastAffected).cmp(&(b.kind == EventKind::LastAffected))
        })
    });

    let mut vulnerable = false;
    for event in sorted {
        let order = compare(version, &event.version);
        match event.kind {
            EventKind::Introduced if order != Ordering::Less => vulnerable = true,
            EventKind::Fixed if order != Ordering::Less => vulnerable = false,
            EventKind::LastAffected if order == Ordering::Greater => vulnerable = false,
            _ => {}
        }
    }

    before && vulnerable
}

fn version() -> impl Strategy<Value = String> {
    let prerelease = prop_oneof![3 => Just(""), 1 => Just("-0"), 1 => Just("-rc.1")];
    (0u8..3, 0u8..3, 0u8..2, prerelease)
        .prop_map(|(major, minor, patch, pre)| format!("{major}.{minor}.{patch}{pre}"))
}

fn event() -> impl Strategy<Value = Event> {
    let kind = prop_oneof![
        4 => Just(EventKind::Introduced),
        4 => Just(EventKind::Fixed),
        2 => Just(EventKind::LastAffected),
        1 => Just(EventKind::Limit),
    ];

    (kind, version(), proptest::bool::weighted(0.2)).prop_map(|(kind, version, zero)| {
        let is_zero = zero && kind == EventKind::Introduced;
        Event {
            kind,
            version: if is_zero { "0".into() } else { version.into() },
        }
    })
}

proptest! {
    #[test]
    fn agrees_with_the_schemas_algorithm(
        events in proptest::collection::vec(event(), 0..8),
        version in version(),
    ) {
        let range = Range { kind: RangeKind::Semver, repo: None, events };
        let expected = oracle(&range.events, &version);
        prop_assert_eq!(range_affects(cargo(), &range, &version), Ok(expected));
    }

    #[test]
    fn a_fixed_version_is_above_and_clean(
        events in proptest::collection::vec(event(), 0..8),
        more in proptest::collection::vec(event(), 0..8),
        installed in version(),
    ) {
        let with = |events: Vec<Event>| {
            let mut advisory = ranged(json!([]));
            advisory.affected[0].ranges[0].events = events;
            advisory
        };
        let (a, b) = (with(events), with(more));

        if let FixedVersion::At(version) = fixed(&[&a, &b], &installed) {
            let order = cargo().compare_versions(&version, &installed).unwrap();
            prop_assert_eq!(order, Ordering::Greater);
            prop_assert_eq!(judge(&a, &version), Affects::No);
            prop_assert_eq!(judge(&b, &version), Affects::No);
        }
    }
}
