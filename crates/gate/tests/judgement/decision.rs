//! The team's own rules, the stages of trust, and the share of automatic merges.

use patchgate_gate::{share_of, stage_of};
use patchgate_model::*;

use crate::evidence::*;

fn rule(name: &str, when: &str, then: Verdict) -> PolicyRule {
    PolicyRule {
        name: name.into(),
        when: when.into(),
        then,
        wait_hours: 0,
        reviewers: vec!["ann".into()],
        labels: Vec::new(),
    }
}

#[test]
fn the_first_rule_that_holds_decides() {
    use Verdict::{Block, Merge, Review};
    let patch = "change.bump == 'patch' && 'smallvec' in change.packages";
    let judged = |rules: &[PolicyRule], verdict: Verdict| {
        let codes: &[&str] = match verdict {
            Merge => &[],
            _ => &["policy-rules"],
        };
        expect(|_, p| p.rules = rules.to_vec(), verdict, codes);
    };
    judged(&[rule("a", patch, Merge), rule("b", "true", Block)], Merge);
    judged(&[rule("b", "true", Block), rule("a", patch, Merge)], Block);
    judged(&[rule("a", "change.bump == 'major'", Merge)], Review);
    judged(
        &[rule("a", "fixed.score > 61.0 && fixed.runtime", Merge)],
        Merge,
    );
    judged(&[rule("a", "change.files == ['Cargo.lock']", Merge)], Merge);
    judged(
        &[rule(
            "a",
            "fixed.ids.exists(i, i == 'RUSTSEC-2021-0003')",
            Merge,
        )],
        Merge,
    );
    // What cannot be evaluated is no reason to look further.
    let broken = "fixed.count * 9223372036854775807 * 9 == 1";
    judged(
        &[rule("a", broken, Merge), rule("b", "true", Merge)],
        Review,
    );
}

#[test]
fn a_rule_waits_from_the_time_of_opening() {
    for (hours, verdict) in [(24, Verdict::Merge), (25, Verdict::Review)] {
        let codes: &[&str] = match verdict {
            Verdict::Merge => &[],
            _ => &["policy-rules"],
        };
        expect(
            |_, p| {
                p.rules = vec![PolicyRule {
                    wait_hours: hours,
                    ..rule("a", "true", Verdict::Merge)
                }];
            },
            verdict,
            codes,
        );
    }
}

#[test]
fn rules_need_all_their_facts() {
    let with = |e: &mut Evidence, p: &mut GatePolicy| {
        p.rules = vec![rule("a", "true", Verdict::Merge)];
        pull(e).opened = None;
    };
    expect(with, Verdict::Review, &["policy-rules"]);
}

/// A rule of the team never loosens a condition of the gate.
#[test]
fn a_rule_that_says_merge_does_not_hide_another_reason() {
    expect(
        |e, p| {
            p.rules = vec![rule("a", "true", Verdict::Merge)];
            pull(e).draft = true;
        },
        Verdict::Review,
        &["draft"],
    );
}

fn stages(entries: &[(&str, Stage)]) -> Vec<StageRule> {
    let entry = |(path, stage): &(&str, Stage)| StageRule {
        paths: vec![(*path).to_owned()],
        stage: *stage,
    };
    entries.iter().map(entry).collect()
}

#[test]
fn the_lowest_stage_of_all_files_counts() {
    for (entries, stage) in [
        (stages(&[]), Stage::Auto),
        (stages(&[("web/**", Stage::Observe)]), Stage::Auto),
        (stages(&[("**", Stage::Suggest)]), Stage::Suggest),
        (
            stages(&[("*.lock", Stage::Auto), ("**", Stage::Observe)]),
            Stage::Auto,
        ),
        (
            stages(&[("*.lock", Stage::Observe), ("**", Stage::Auto)]),
            Stage::Observe,
        ),
        (stages(&[("a/[b", Stage::Observe)]), Stage::Observe),
    ] {
        let policy = GatePolicy {
            stages: entries.clone(),
            ..policy()
        };
        assert_eq!(stage_of(&policy, &evidence()), stage, "{entries:?}");
        let (verdict, codes): (_, &[&str]) = match stage {
            Stage::Auto => (Verdict::Merge, &[]),
            _ => (Verdict::Review, &["stage"]),
        };
        expect(|_, p| p.stages = entries, verdict, codes);
    }
    let mut lost = evidence();
    lost.files = Err(Missing::new("lost"));
    let policy = GatePolicy {
        stages: stages(&[("web/**", Stage::Observe)]),
        ..policy()
    };
    assert_eq!(stage_of(&policy, &lost), Stage::Observe);
}

#[test]
fn the_share_is_decided_by_the_change_alone() {
    let after = lock(&[("smallvec", "1.6.1")]);
    let number = share_of([("Cargo.lock", after.as_slice())]);
    for (share, verdict) in [(number, Verdict::Review), (number + 1, Verdict::Merge)] {
        let codes: &[&str] = match verdict {
            Verdict::Merge => &[],
            _ => &["automatic-share"],
        };
        expect(|_, p| p.automatic_share = share, verdict, codes);
    }
    // About 80 of 100 changes are below 80.
    let below = (0..2000_u32)
        .filter(|id| share_of([("a", id.to_be_bytes().as_slice())]) < 80)
        .count();
    assert!((1500..1700).contains(&below), "{below}");
}
