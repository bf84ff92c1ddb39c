//! The proof that the head contains exactly a plan of Patchgate.

use patchgate_gate::judge;
use patchgate_model::*;
use patchgate_proof::{PlanStatement, SigningKey, render_block};

use crate::evidence::*;

/// The body of the good pull request with another statement, or none.
fn with_statement(evidence: &mut Evidence, statement: Option<(PlanStatement, &SigningKey)>) {
    let body = &mut pull(evidence).body;
    let start = body.find("<!-- patchgate:proof").unwrap();
    body.truncate(start);
    if let Some((statement, key)) = statement {
        body.push_str(&render_block(&statement.sign(key)));
    }
}

fn good() -> PlanStatement {
    let after = lock(&[("smallvec", "1.6.1")]);
    PlanStatement::new(BASE, TREE, [("Cargo.lock", after.as_slice())])
}

#[test]
fn attack_04_a_forged_plan_block_is_no_proof() {
    let other = SigningKey::from_pem(&format!("MC4CAQAwBQYDK2VwBCIEI{}", "A".repeat(43))).unwrap();
    let refused = |statement: Option<(PlanStatement, &SigningKey)>| {
        expect(
            |e, _| with_statement(e, statement),
            Verdict::Review,
            &["plan-proof"],
        );
    };
    expect(
        |e, _| with_statement(e, Some((good(), &key()))),
        Verdict::Merge,
        &[],
    );
    refused(None);
    refused(Some((good(), &other)));
    let changed = |change: fn(&mut PlanStatement)| {
        let mut statement = good();
        change(&mut statement);
        refused(Some((statement, &key())));
    };
    changed(|statement| statement.base = HEAD.into());
    changed(|statement| statement.tree = HEAD.into());
    changed(|statement| {
        statement.files.insert("package.json".into(), "0".into());
    });
    changed(|statement| {
        statement.files.insert("Cargo.lock".into(), "0".repeat(64));
    });
}

#[test]
fn a_statement_needs_a_key_and_the_heads_tree() {
    expect(|_, p| p.plan_keys.clear(), Verdict::Review, &["plan-proof"]);
    expect(
        |_, p| p.plan_keys = vec!["no key".into()],
        Verdict::Review,
        &["plan-proof"],
    );
    expect(
        |e, _| e.safeguards.head_tree = Err(Missing::new("lost")),
        Verdict::Review,
        &["plan-proof"],
    );
    expect(
        |e, _| {
            let body = pull(e).body.clone();
            pull(e).body = body.clone() + &body[body.find("<!-- patchgate:proof").unwrap()..];
        },
        Verdict::Review,
        &["plan-proof"],
    );
}

/// A plan that changes the Cargo.lock of the good pull request.
fn recomputed(base: &str, after: Vec<u8>) -> PlanDigest {
    let plan = Plan {
        changes: vec![FileChange {
            path: "Cargo.lock".into(),
            before: Vec::new(),
            after,
        }],
        ..Plan::default()
    };
    PlanDigest::new(&plan, base)
}

#[test]
fn a_recomputed_plan_is_a_proof_when_it_is_equal() {
    let after = || lock(&[("smallvec", "1.6.1")]);
    let judged = |plan: Fetched<Option<PlanDigest>>, verdict: Verdict, codes: &[&str]| {
        expect(
            |e, _| {
                with_statement(e, None);
                e.safeguards.recomputed = plan;
            },
            verdict,
            codes,
        );
    };
    judged(Ok(Some(recomputed(BASE, after()))), Verdict::Merge, &[]);
    let mut without_files = recomputed(BASE, after());
    without_files.files.clear();
    for plan in [
        Ok(None),
        Err(Missing::new("lost")),
        Ok(Some(recomputed(HEAD, after()))),
        Ok(Some(recomputed(BASE, b"other".to_vec()))),
        Ok(Some(without_files)),
    ] {
        judged(plan, Verdict::Review, &["plan-proof"]);
    }
}

#[test]
fn the_policy_says_which_proof_counts() {
    expect(
        |_, p| p.plan_proof = PlanProof::Signature,
        Verdict::Merge,
        &[],
    );
    expect(
        |_, p| p.plan_proof = PlanProof::Recomputed,
        Verdict::Review,
        &["plan-proof"],
    );
    expect(
        |e, p| {
            p.plan_proof = PlanProof::Signature;
            with_statement(e, None);
            let after = lock(&[("smallvec", "1.6.1")]);
            e.safeguards.recomputed = Ok(Some(recomputed(BASE, after)));
        },
        Verdict::Review,
        &["plan-proof"],
    );
}

/// `Cargo.lock` states no requirements, so the lockfile alone does not say that a change follows.
#[test]
fn a_possible_cause_counts_with_a_proof() {
    let lockfile = |smallvec: &str, libc: &str| {
        let text = String::from_utf8(lock(&[("libc", libc), ("smallvec", smallvec)])).unwrap();
        (text + "dependencies = [\n \"libc\",\n]\n").into_bytes()
    };
    let mut evidence = evidence_of(&[(
        "Cargo.lock",
        lockfile("1.6.0", "0.2.1"),
        lockfile("1.6.1", "0.2.2"),
    )]);
    let judged = |evidence: &Evidence| {
        let judgement = judge(&Ok(policy()), evidence);
        against(&judgement).join(" ")
    };
    assert_eq!(judged(&evidence), "");
    with_statement(&mut evidence, None);
    assert_eq!(judged(&evidence), "dependency-cause plan-proof");
}
