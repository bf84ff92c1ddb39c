//! The rules as a whole: what each says, and whole judgements as they are shown.

use std::collections::BTreeSet;

use patchgate_gate::{RULES, judge};
use patchgate_model::*;

use crate::evidence::*;

#[test]
fn codes_are_unique_and_kebab_case() {
    let codes: BTreeSet<&str> = RULES.iter().map(|rule| rule.code).collect();
    assert_eq!(codes.len(), RULES.len());

    for rule in RULES {
        assert!(
            rule.code
                .chars()
                .all(|c| c.is_ascii_lowercase() || c == '-'),
            "{}",
            rule.code
        );
        assert!(rule.asks.ends_with('.'), "{}", rule.asks);
    }
}

#[test]
fn every_rule_speaks_on_every_pull_request() {
    let judgement = judge(&Ok(policy()), &evidence());
    let spoken: BTreeSet<&str> = judgement.reasons.iter().map(|reason| reason.code).collect();
    assert_eq!(spoken.len(), RULES.len());
    insta::assert_snapshot!(render(&judgement));
}

#[test]
fn without_a_policy_the_strictest_one_judges() {
    let judgement = judge(
        &Err(Missing::new("`.patchgate.yml` does not exist")),
        &evidence(),
    );
    assert_eq!(judgement.verdict, Verdict::Review);
    insta::assert_snapshot!(render(&judgement));
}

#[test]
fn a_pull_request_of_somebody_else_with_a_bad_change() {
    let mut evidence = evidence();
    pull(&mut evidence).author = Some(account("mallory"));
    pull(&mut evidence).head.repository = Some("mallory/r".into());
    evidence.findings = Err(Missing {
        reason: "the store has no crates.io".into(),
        hint: Some("run `patchgate db build`".into()),
    });
    evidence.contents.get_mut("Cargo.lock").unwrap().head =
        Ok(Some(lock(&[("smallvec", "1.5.0")])));

    insta::assert_snapshot!(render(&judge(&Ok(policy()), &evidence)));
}
