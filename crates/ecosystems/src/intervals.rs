//! Text form of the version ranges in advisories.

use std::cmp::Ordering;

use patchgate_model::{Event, EventKind, Range, RangeKind};

use crate::Ecosystem;

/// The intervals of a range in the notation of requirements: `>= 1.0.0, < 1.2.3`. Events that the
/// ecosystem cannot order, such as commits, stay in the order of the record.
///
/// ```
/// use patchgate_ecosystems::{by_name, intervals};
/// use patchgate_model::{Event, EventKind, Range, RangeKind};
///
/// let event = |kind, version: &str| Event { kind, version: version.into() };
/// let range = Range {
///     kind: RangeKind::Semver,
///     repo: None,
///     events: vec![event(EventKind::Fixed, "1.2.3"), event(EventKind::Introduced, "1.0.0")],
/// };
/// assert_eq!(intervals(by_name("npm"), &range), [">= 1.0.0, < 1.2.3"]);
/// ```
#[must_use]
pub fn intervals(ecosystem: Option<&dyn Ecosystem>, range: &Range) -> Vec<String> {
    let mut events: Vec<&Event> = range.events.iter().collect();
    if let (Some(ecosystem), RangeKind::Semver | RangeKind::Ecosystem) = (ecosystem, range.kind) {
        sort(ecosystem, &mut events);
    }

    let mut parts = Vec::new();
    let mut open: Option<&str> = None;
    for event in events {
        let end = match event.kind {
            EventKind::Introduced => {
                open.get_or_insert(&event.version);
                continue;
            }
            EventKind::Fixed => format!("< {}", event.version),
            EventKind::LastAffected => format!("<= {}", event.version),
            EventKind::Limit if event.version == "*" => continue,
            EventKind::Limit => format!("< {} (limit)", event.version),
        };

        if let Some(start) = open.take() {
            parts.push(match start {
                "0" => end,
                start => format!(">= {start}, {end}"),
            });
        }
    }

    match open {
        Some("0") => parts.push("all versions".to_owned()),
        Some(start) => parts.push(format!(">= {start}")),
        None if parts.is_empty() => parts.push("no versions".to_owned()),
        None => {}
    }

    parts
}

/// Sorts events by version, unless one of them cannot be compared.
fn sort(ecosystem: &dyn Ecosystem, events: &mut [&Event]) {
    let is_start = |event: &Event| event.kind == EventKind::Introduced && event.version == "0";
    let orderable = events.iter().all(|event| {
        is_start(event)
            || ecosystem
                .compare_versions(&event.version, &event.version)
                .is_ok()
    });

    if orderable {
        events.sort_by(|a, b| match (is_start(a), is_start(b)) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            (false, false) => ecosystem
                .compare_versions(&a.version, &b.version)
                .unwrap_or(Ordering::Equal),
        });
    }
}

#[cfg(test)]
mod tests {
    use patchgate_model::{Event, EventKind, Range, RangeKind};

    use super::intervals;
    use crate::by_name;

    #[test]
    fn ranges_read_as_requirements() {
        use EventKind::{Fixed, Introduced, LastAffected, Limit};

        for (events, expected) in [
            (&[(Introduced, "0")][..], "all versions"),
            (&[(Introduced, "0"), (Fixed, "1.2.0")], "< 1.2.0"),
            (&[(Introduced, "1.0.0")], ">= 1.0.0"),
            (
                &[
                    (Fixed, "2.1.0"),
                    (Introduced, "2.0.0"),
                    (Introduced, "0"),
                    (LastAffected, "1.9.0"),
                ],
                "<= 1.9.0 or >= 2.0.0, < 2.1.0",
            ),
            (
                &[(Introduced, "1.0.0"), (Limit, "2.0.0")],
                ">= 1.0.0, < 2.0.0 (limit)",
            ),
            (&[(Fixed, "1.0.0")], "no versions"),
            (
                &[(Introduced, "latest"), (Fixed, "1.0.0")],
                ">= latest, < 1.0.0",
            ),
        ] {
            let events = events.iter().map(|(kind, version)| Event {
                kind: *kind,
                version: (*version).into(),
            });
            let range = Range {
                kind: RangeKind::Semver,
                repo: None,
                events: events.collect(),
            };
            assert_eq!(intervals(by_name("npm"), &range).join(" or "), expected);
        }
    }
}
