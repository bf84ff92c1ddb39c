//! Whether a record affects a commit, as far as its ranges of commits say so by themselves.
//!
//! The schema orders commits by the history of their repository
//! (<https://ossf.github.io/osv-schema/#affectedrangestype-field>), which a record does not hold and
//! a scan does not fetch. What is certain without it are the commits that the events name.

use patchgate_model::{Advisory, EventKind, Range, RangeKind};

use super::Affects;
use crate::git::{CommitQuery, repository_key};

/// Whether `advisory` affects the commit. `None` when it says nothing about the commit's repository.
pub(crate) fn affects_commit(advisory: &Advisory, source: &CommitQuery) -> Option<Affects> {
    if advisory.withdrawn.is_some() {
        return Some(Affects::No);
    }
    let ranges = advisory.affected.iter().flat_map(|entry| &entry.ranges);
    let mut own = ranges
        .filter(|range| is_of(range, &source.repository))
        .peekable();
    own.peek()?;
    let events = own.flat_map(|range| &range.events);
    let mut answer = Affects::Unknown(
        "names commits, and only the history of the repository tells which lie between them"
            .to_owned(),
    );
    for event in events.filter(|event| event.version.eq_ignore_ascii_case(&source.commit)) {
        match event.kind {
            EventKind::Introduced | EventKind::LastAffected => return Some(Affects::Yes),
            EventKind::Fixed | EventKind::Limit => answer = Affects::No,
        }
    }
    Some(answer)
}

fn is_of(range: &Range, repository: &str) -> bool {
    let repo = range.repo.as_deref().map(repository_key);
    range.kind == RangeKind::Git && repo.is_some_and(|repo| repo == repository)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::parse_record;

    fn answer(events: serde_json::Value, commit: &str) -> Option<Affects> {
        let record = json!({"id": "CVE-1", "affected": [{"ranges": [{"type": "GIT",
            "repo": "https://host.invalid/Owner/Name.git", "events": events}]}]});
        let record = parse_record(record.to_string().as_bytes()).unwrap();
        let source = CommitQuery {
            repository: "host.invalid/owner/name".to_owned(),
            commit: commit.repeat(20),
        };
        affects_commit(&record, &source)
    }

    #[test]
    fn the_commits_of_events_are_certain_and_others_are_not() {
        let (a, b) = ("a1".repeat(20), "B2".repeat(20));
        let fixed = json!([{"introduced": "0"}, {"fixed": b}]);
        assert_eq!(answer(fixed.clone(), "b2"), Some(Affects::No));
        assert!(matches!(answer(fixed, "a1"), Some(Affects::Unknown(_))));
        let introduced = json!([{"introduced": a}, {"last_affected": b}]);
        assert_eq!(answer(introduced.clone(), "a1"), Some(Affects::Yes));
        assert_eq!(answer(introduced.clone(), "b2"), Some(Affects::Yes));
        assert!(matches!(
            answer(introduced, "c3"),
            Some(Affects::Unknown(_))
        ));
        // Fixed on one branch and introduced again by the same commit on another: it is affected.
        let both = json!([{"fixed": a}, {"introduced": a}]);
        assert_eq!(answer(both, "a1"), Some(Affects::Yes));
    }

    #[test]
    fn another_repository_says_nothing() {
        let record = json!({"id": "CVE-1", "affected": [
            {"package": {"ecosystem": "PyPI", "name": "a"}, "ranges": [
                {"type": "ECOSYSTEM", "events": [{"introduced": "0"}]},
                {"type": "GIT", "repo": "https://host.invalid/other/name",
                 "events": [{"introduced": "a1".repeat(20)}]}]}]});
        let record = parse_record(record.to_string().as_bytes()).unwrap();
        let source = CommitQuery {
            repository: "host.invalid/owner/name".to_owned(),
            commit: "a1".repeat(20),
        };
        assert_eq!(affects_commit(&record, &source), None);
    }
}
