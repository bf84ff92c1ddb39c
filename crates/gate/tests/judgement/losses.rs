//! Any piece of evidence may be lost, and none of them may be missing.

use std::collections::BTreeMap;

use patchgate_gate::judge;
use patchgate_model::*;
use proptest::prelude::*;

use crate::evidence::*;

type Lose = fn(&mut Evidence);

/// Each piece of evidence, and how to lose it.
const PIECES: &[(&str, Lose)] = &[
    ("pull_request", |e| e.pull_request = Err(lost())),
    ("base_tip", |e| e.base_tip = Err(lost())),
    ("merge_base", |e| e.merge_base = Err(lost())),
    ("commits", |e| e.commits = Err(lost())),
    ("files", |e| e.files = Err(lost())),
    ("check_runs", |e| e.check_runs = Err(lost())),
    ("statuses", |e| e.statuses = Err(lost())),
    ("branch_checks", |e| e.branch_checks = Err(lost())),
    ("changes_requested", |e| e.changes_requested = Err(lost())),
    ("findings", |e| e.findings = Err(lost())),
    ("head_at_end", |e| e.head_at_end = Err(lost())),
    ("base_is_protected", |e| {
        e.safeguards.base_is_protected = Err(lost());
    }),
    ("head_tree", |e| e.safeguards.head_tree = Err(lost())),
    ("registry", |e| e.safeguards.registry = Err(lost())),
    ("no answer of a registry", |e| {
        e.safeguards.registry = Ok(Vec::new());
    }),
    ("one answer of a registry", |e| {
        if let Ok(entries) = &mut e.safeguards.registry {
            entries.retain(|entry| entry.package != "smallvec");
        }
    }),
    ("is_stopped", |e| e.safeguards.is_stopped = Err(lost())),
    ("safeguards", |e| e.safeguards = Safeguards::default()),
    ("contents", |e| e.contents = BTreeMap::new()),
    ("contents base", |e| {
        for contents in e.contents.values_mut() {
            contents.base = Err(lost());
        }
    }),
    ("contents head", |e| {
        for contents in e.contents.values_mut() {
            contents.head = Err(lost());
        }
    }),
    ("no base", |e| {
        for contents in e.contents.values_mut() {
            contents.base = Ok(None);
        }
    }),
    ("no head", |e| {
        for contents in e.contents.values_mut() {
            contents.head = Ok(None);
        }
    }),
    ("one commit", |e| {
        if let Ok(commits) = &mut e.commits {
            commits.pop();
        }
    }),
    ("one file", |e| {
        if let Ok(files) = &mut e.files {
            files.pop();
        }
    }),
    ("all checks", |e| {
        e.check_runs = Ok(Vec::new());
        e.statuses = Ok(Vec::new());
    }),
    ("body", |e| {
        if let Ok(pull) = &mut e.pull_request {
            pull.body.clear();
        }
    }),
    ("author", |e| {
        if let Ok(pull) = &mut e.pull_request {
            pull.author = None;
        }
    }),
];

fn lost() -> Missing {
    Missing::new("the connection broke")
}

#[test]
fn no_single_piece_can_be_missing() {
    for (name, lose) in PIECES {
        let mut evidence = evidence();
        lose(&mut evidence);
        let judgement = judge(&Ok(policy()), &evidence);
        assert!(
            judgement.verdict >= Verdict::Review,
            "{name}: {}",
            render(&judgement)
        );
    }
}

proptest! {
    #[test]
    fn missing_evidence_is_never_consent(lose in prop::sample::subsequence((0..PIECES.len()).collect::<Vec<_>>(), 1..PIECES.len()), any in any::<bool>()) {
        let mut evidence = evidence();
        for index in lose {
            PIECES[index].1(&mut evidence);
        }

        let mut policy = policy();
        if any {
            policy.checks = RequiredChecks::Any;
        }

        prop_assert!(judge(&Ok(policy), &evidence).verdict >= Verdict::Review);
    }

    #[test]
    fn text_of_the_pull_request_is_never_consent(title in ".{0,80}", body in ".{0,200}") {
        let mut evidence = evidence();
        pull(&mut evidence).title = title;
        pull(&mut evidence).body = body;
        prop_assert!(judge(&Ok(policy()), &evidence).verdict >= Verdict::Review);
    }

    #[test]
    fn hostile_files_never_panic(before in prop::collection::vec(any::<u8>(), 0..400), after in prop::collection::vec(any::<u8>(), 0..400)) {
        for path in ["Cargo.lock", "package-lock.json", "Cargo.toml", "package.json"] {
            let judgement = judge(&Ok(policy()), &evidence_of(&[(path, before.clone(), after.clone())]));
            prop_assert!(judgement.verdict >= Verdict::Review);
        }
    }
}
