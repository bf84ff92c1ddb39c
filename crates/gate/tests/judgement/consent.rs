//! The rules around a judgement: a second policy, a failed merge, and a pull request that changed.

use patchgate_gate::{
    judged_again, needs_default_policy, not_merged, still_as_judged, with_default_policy,
};
use patchgate_model::*;

use crate::evidence::*;

fn judgement(reasons: &[(&'static str, Verdict, &str)]) -> Judgement {
    let reasons = reasons
        .iter()
        .map(|(code, verdict, text)| GateReason {
            code,
            verdict: *verdict,
            text: (*text).to_owned(),
        })
        .collect();
    Judgement::new(HEAD.to_owned(), BASE.to_owned(), reasons)
}

#[test]
fn only_another_branch_needs_the_default_policy() {
    let mut evidence = evidence();
    assert!(!needs_default_policy(&evidence, "main"));
    assert!(needs_default_policy(&evidence, "trunk"));
    assert!(needs_default_policy(&evidence, "Main"), "names have a case");

    evidence.pull_request = Err(Missing::new("gone"));
    assert!(!needs_default_policy(&evidence, "trunk"));
}

#[test]
fn the_default_policy_adds_what_it_has_against_a_merge() {
    use Verdict::{Block, Merge, Review};

    let own = judgement(&[("a", Merge, "good"), ("b", Review, "both")]);
    let other = judgement(&[
        ("a", Merge, "good there too"),
        ("b", Review, "both"),
        ("c", Block, "bad"),
    ]);
    let both = with_default_policy(own, other, "main");

    assert_eq!(both.verdict, Block);
    assert_eq!(both.head_sha, HEAD);
    assert_eq!(both.base_sha, BASE);
    assert_eq!(
        render(&both),
        "Block\nBlock c: by the policy of the default branch `main`: bad\nReview b: both\nMerge a: good\n"
    );
}

#[test]
fn a_default_policy_that_consents_changes_nothing() {
    let own = judgement(&[("a", Verdict::Merge, "good")]);
    let other = judgement(&[("a", Verdict::Merge, "good")]);
    assert_eq!(with_default_policy(own.clone(), other, "main"), own);

    // It never makes a verdict better.
    let blocked = judgement(&[("a", Verdict::Block, "bad")]);
    let other = judgement(&[("a", Verdict::Merge, "good")]);
    assert_eq!(with_default_policy(blocked.clone(), other, "main"), blocked);
}

#[test]
fn a_merge_that_failed_is_review() {
    let failed = not_merged(judgement(&[("a", Verdict::Merge, "good")]), "why".into());
    assert_eq!(
        render(&failed),
        "Review\nReview merged: why\nMerge a: good\n"
    );
}

/// What [`still_as_judged`] says after a change.
fn after(change: impl FnOnce(&mut PullRequest), tip: Option<&str>) -> Result<String, String> {
    let judged = evidence();
    let mut now = judged.pull_request.clone().unwrap();
    change(&mut now);
    still_as_judged(&judged, &now, tip).map(str::to_owned)
}

#[test]
fn an_unchanged_pull_request_is_still_as_judged() {
    assert_eq!(after(|_| {}, Some(BASE)), Ok(HEAD.to_owned()));
    // Texts that no rule reads may change.
    assert_eq!(
        after(|now| now.title = "other".to_owned(), Some(BASE)),
        Ok(HEAD.to_owned())
    );
}

#[test]
fn every_change_after_the_judgement_stops_the_merge() {
    let said = |result: Result<String, String>| result.unwrap_err();

    assert_eq!(
        said(after(|now| now.head.sha = BASE.to_owned(), Some(BASE))),
        "it was not merged: the head moved after it was judged"
    );
    assert_eq!(
        said(after(|now| now.base.branch = "side".to_owned(), Some(BASE))),
        "it was not merged: it was judged for the branch `main`, and goes to `side` now"
    );

    let edited = "it was not merged: it was edited after it was judged";
    assert_eq!(said(after(|now| now.draft = true, Some(BASE))), edited);
    assert_eq!(said(after(|now| now.body.push('x'), Some(BASE))), edited);
    assert_eq!(
        said(after(
            |now| now.state = PullRequestState::Closed,
            Some(BASE)
        )),
        edited
    );

    let moved = "it was not merged: the base branch moved after it was judged";
    assert_eq!(said(after(|_| {}, Some(HEAD))), moved);
    assert_eq!(said(after(|_| {}, None)), moved);
}

#[test]
fn what_was_not_read_is_not_as_judged() {
    let now = evidence().pull_request.unwrap();

    let mut judged = evidence();
    judged.base_tip = Err(Missing::new("lost"));
    assert!(still_as_judged(&judged, &now, Some(BASE)).is_err());
    assert!(still_as_judged(&judged, &now, None).is_err());

    judged.pull_request = Err(Missing::new("the connection broke"));
    assert_eq!(
        still_as_judged(&judged, &now, Some(BASE)),
        Err("it was not merged: the connection broke".to_owned())
    );
}

/// Attack 18: what changes between the two readings stops the merge, also when it changes back.
#[test]
fn attack_18_two_judgements_are_equal() {
    use Verdict::{Merge, Review};
    let first = judgement(&[
        ("a", Merge, "good"),
        ("not-blocked", Merge, "waits for the check"),
    ]);
    let same = judgement(&[("a", Merge, "good"), ("not-blocked", Merge, "not blocked")]);
    assert_eq!(judged_again(&first, &same), Ok(()));

    for (second, said) in [
        (judgement(&[("a", Review, "it is held")]), "and it is held"),
        (
            judgement(&[("not-blocked", Review, "blocked")]),
            "and blocked",
        ),
        (judgement(&[("a", Merge, "other")]), "differ in `a`"),
        (
            judgement(&[("a", Merge, "good"), ("b", Merge, "new")]),
            "differ in `b`",
        ),
        (judgement(&[]), "differ in `a`"),
        (
            Judgement {
                base_sha: HEAD.to_owned(),
                ..same.clone()
            },
            "the head or the base moved",
        ),
        (
            Judgement {
                head_sha: BASE.to_owned(),
                ..same
            },
            "the head or the base moved",
        ),
    ] {
        let error = judged_again(&first, &second).unwrap_err();
        assert!(error.contains(said), "{error}");
    }
}
