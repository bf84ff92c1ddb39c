//! Matching of commits against the commit ranges of a record, without the repository.
//!
//! The schema orders commits by the history of their repository
//! (<https://ossf.github.io/osv-schema/#affectedrangestype-field>). A record does not contain the
//! history, and a scan does not fetch it. So only the commits that the events name are certain.

use patchgate_model::{Advisory, Event, EventKind, Range, RangeKind};

use super::{Affects, Subject, entries};
use crate::git::{CommitQuery, ECOSYSTEM, repository_key};

/// Whether `advisory` affects the commit. `None` if it does not mention the commit's repository.
///
/// Entries about other packages are skipped, because a repository may contain several. A commit is
/// affected if one range contains it, and unaffected only if every range excludes it.
pub(crate) fn affects_commit(
    subject: Subject<'_>,
    advisory: &Advisory,
    source: &CommitQuery,
) -> Option<Affects> {
    if advisory.withdrawn.is_some() {
        return Some(Affects::No);
    }

    let of_repository = advisory
        .affected
        .iter()
        .filter(|entry| entry.ecosystem == ECOSYSTEM);
    let own = entries(subject, advisory).chain(of_repository);
    let ranges = own.flat_map(|entry| &entry.ranges);

    let mut answer = None;
    for range in ranges.filter(|range| is_of(range, &source.repository)) {
        match (range_affects(range, &source.commit), &answer) {
            (Affects::Yes, _) => return Some(Affects::Yes),
            (Affects::No, None) => answer = Some(Affects::No),
            (Affects::No, Some(_)) => {}
            (unknown, _) => answer = Some(unknown),
        }
    }

    answer
}

fn range_affects(range: &Range, commit: &str) -> Affects {
    let named = |event: &&Event| event.version.eq_ignore_ascii_case(commit);
    let mut kinds = range.events.iter().filter(named).map(|event| event.kind);
    let is_start = |kind| matches!(kind, EventKind::Introduced | EventKind::LastAffected);
    if kinds.clone().any(is_start) {
        return Affects::Yes;
    }

    match kinds.next() {
        Some(_) => Affects::No,
        None => Affects::Unknown(
            "names only commits, and the commits between them are known only from the repository's history"
                .to_owned(),
        ),
    }
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

    fn subject() -> Subject<'static> {
        Subject {
            ecosystem: patchgate_ecosystems::by_name("PyPI").unwrap(),
            distribution: None,
            name: "a",
        }
    }

    fn git(events: &serde_json::Value) -> serde_json::Value {
        json!({"type": "GIT", "repo": "https://host.invalid/Owner/Name.git", "events": events})
    }

    fn answer(events: serde_json::Value, commit: &str) -> Option<Affects> {
        answers(&[json!({"ranges": [git(&events)]})], commit)
    }

    fn answers(affected: &[serde_json::Value], commit: &str) -> Option<Affects> {
        let record = json!({"id": "CVE-1", "affected": affected});
        let record = parse_record(record.to_string().as_bytes()).unwrap();
        let source = CommitQuery {
            repository: "host.invalid/owner/name".to_owned(),
            commit: commit.repeat(20),
        };
        affects_commit(subject(), &record, &source)
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
    fn every_range_has_its_say_and_other_packages_have_none() {
        let until = |commit: &str| json!([{"introduced": "0"}, {"fixed": commit.repeat(20)}]);
        let two = json!({"ranges": [git(&until("a1")), git(&until("b2"))]});

        assert!(matches!(answers(&[two], "a1"), Some(Affects::Unknown(_))));

        let of = |name: &str, commit: &str| {
            json!({"package": {"ecosystem": "PyPI", "name": name},
                "ranges": [git(&until(commit))]})
        };
        let both = [of("a", "a1"), of("b", "b2")];

        assert_eq!(answers(&both, "a1"), Some(Affects::No));
        assert!(matches!(answers(&both, "b2"), Some(Affects::Unknown(_))));
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

        assert_eq!(affects_commit(subject(), &record, &source), None);
    }
}
