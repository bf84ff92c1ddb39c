//! Whole judgements: from one pull request in which everything holds, each thing is taken away or
//! turned bad on its own.

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

use std::collections::{BTreeMap, BTreeSet};

use patchgate_gate::{RULES, judge};
use patchgate_model::*;
use proptest::prelude::*;

const BASE: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
const HEAD: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

fn lock(packages: &[(&str, &str)]) -> Vec<u8> {
    let mut text = "version = 4\n\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\ndependencies = [\n \"smallvec\",\n]\n".to_owned();
    for (name, version) in packages {
        let hash = format!("{:0>64}", hex(&format!("{name}{version}")));
        text.push_str(&format!(
            "\n[[package]]\nname = \"{name}\"\nversion = \"{version}\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\nchecksum = \"{hash}\"\n"
        ));
    }
    text.into_bytes()
}

fn hex(text: &str) -> String {
    text.bytes()
        .map(|byte| format!("{byte:02x}"))
        .collect::<String>()[..]
        .chars()
        .take(64)
        .collect()
}

fn account(login: &str) -> Account {
    Account {
        login: login.to_owned(),
        kind: "Bot".to_owned(),
    }
}

fn check(id: u64, name: &str, outcome: CheckOutcome) -> CheckRun {
    CheckRun {
        id,
        name: name.to_owned(),
        app: Some("github-actions".to_owned()),
        app_id: Some(15368),
        suite: Some(1),
        head_sha: HEAD.to_owned(),
        outcome,
        started: None,
        completed: None,
        details_url: Some("https://forge.invalid/o/r/actions/runs/77/job/1".to_owned()),
    }
}

fn policy() -> GatePolicy {
    GatePolicy {
        accounts: vec!["fixer[bot]".to_owned()],
        checks: RequiredChecks::Listed(vec![RequiredCheck {
            name: "test".to_owned(),
            app: "github-actions".to_owned(),
        }]),
        ..GatePolicy::default()
    }
}

/// A pull request that moves the files from `before` to `after`, in which everything else holds.
fn evidence_of(changes: &[(&str, Vec<u8>, Vec<u8>)]) -> Evidence {
    let plan = Plan {
        changes: changes
            .iter()
            .map(|(path, before, after)| FileChange {
                path: (*path).to_owned(),
                before: before.clone(),
                after: after.clone(),
            })
            .collect(),
        ..Plan::default()
    };
    Evidence {
        pull_request: Ok(PullRequest {
            number: 7,
            state: PullRequestState::Open,
            draft: false,
            author: Some(account("fixer[bot]")),
            title: "Fix".to_owned(),
            body: format!("Text\n\n{}\n", PlanBlock::new(&plan, BASE, HEAD).render()),
            head: BranchEnd {
                branch: "patchgate/fix-1".to_owned(),
                sha: HEAD.to_owned(),
                repository: Some("o/r".to_owned()),
            },
            base: BranchEnd {
                branch: "main".to_owned(),
                sha: BASE.to_owned(),
                repository: Some("o/r".to_owned()),
            },
            mergeable: Some(true),
            mergeable_state: Some("clean".to_owned()),
            commit_count: 1,
            changed_file_count: changes.len() as u64,
        }),
        base_tip: Ok(BASE.to_owned()),
        merge_base: Ok(BASE.to_owned()),
        commits: Ok(vec![CommitEvidence {
            sha: HEAD.to_owned(),
            author: Some(account("fixer[bot]")),
            committer: Some(account("fixer[bot]")),
            verified: true,
            verification: "valid".to_owned(),
            parents: vec![BASE.to_owned()],
        }]),
        files: Ok(changes
            .iter()
            .map(|(path, ..)| ChangedFile {
                path: (*path).to_owned(),
                previous_path: None,
                status: FileStatus::Modified,
                additions: 2,
                deletions: 2,
            })
            .collect()),
        contents: changes
            .iter()
            .map(|(path, before, after)| {
                (
                    (*path).to_owned(),
                    FileContents {
                        base: Ok(Some(before.clone())),
                        head: Ok(Some(after.clone())),
                    },
                )
            })
            .collect(),
        check_runs: Ok(vec![check(1, "test", CheckOutcome::Success)]),
        statuses: Ok(Vec::new()),
        branch_checks: Ok(vec![BranchCheck {
            name: "test".to_owned(),
            app_id: Some(15368),
        }]),
        changes_requested: Ok(Vec::new()),
        findings: Ok(FindingComparison {
            ended: vec![finding("RUSTSEC-2021-0003")],
            ..FindingComparison::default()
        }),
        head_at_end: Ok(HEAD.to_owned()),
        own_job: None,
    }
}

fn finding(id: &str) -> FindingKey {
    FindingKey {
        id: id.to_owned(),
        ecosystem: "crates.io",
        package: "smallvec".to_owned(),
        versions: vec!["1.6.0".to_owned()],
        lockfile: "Cargo.lock".to_owned(),
        scope: Scope::Runtime,
        score: 61.5,
        malicious: false,
    }
}

fn evidence() -> Evidence {
    evidence_of(&[(
        "Cargo.lock",
        lock(&[("smallvec", "1.6.0")]),
        lock(&[("smallvec", "1.6.1")]),
    )])
}

fn render(judgement: &Judgement) -> String {
    let mut text = format!("{:?}\n", judgement.verdict);
    for reason in &judgement.reasons {
        text.push_str(&format!(
            "{:?} {}: {}\n",
            reason.verdict, reason.code, reason.text
        ));
    }
    text
}

/// The codes of the reasons that stand against a merge.
fn against(judgement: &Judgement) -> Vec<&'static str> {
    let codes: BTreeSet<&str> = judgement
        .reasons
        .iter()
        .filter(|reason| reason.verdict != Verdict::Merge)
        .map(|reason| reason.code)
        .collect();
    codes.into_iter().collect()
}

#[track_caller]
fn expect(change: impl FnOnce(&mut Evidence, &mut GatePolicy), verdict: Verdict, codes: &[&str]) {
    let (mut evidence, mut policy) = (evidence(), policy());
    change(&mut evidence, &mut policy);
    let judgement = judge(&Ok(policy), &evidence);
    assert_eq!(
        (judgement.verdict, against(&judgement)),
        (verdict, codes.to_vec()),
        "{}",
        render(&judgement)
    );
}

fn pull(evidence: &mut Evidence) -> &mut PullRequest {
    evidence.pull_request.as_mut().unwrap()
}

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
fn state_of_the_pull_request() {
    use Verdict::{Block, Review};
    expect(
        |e, _| pull(e).state = PullRequestState::Closed,
        Block,
        &["open"],
    );
    expect(
        |e, _| pull(e).state = PullRequestState::Merged,
        Block,
        &["open"],
    );
    expect(|e, _| pull(e).draft = true, Review, &["draft"]);
    expect(|e, _| pull(e).mergeable = None, Review, &["mergeable"]);
    expect(
        |e, _| pull(e).mergeable = Some(false),
        Review,
        &["mergeable"],
    );
    expect(
        |e, _| pull(e).head.repository = Some("x/r".into()),
        Review,
        &["fork"],
    );
    expect(|e, _| pull(e).head.repository = None, Review, &["fork"]);
    expect(
        |e, _| e.changes_requested = Ok(vec!["ann".into()]),
        Review,
        &["changes-requested"],
    );
    expect(
        |e, _| e.head_at_end = Ok(BASE.into()),
        Review,
        &["head-unmoved"],
    );
    expect(
        |e, _| e.base_tip = Ok(HEAD.into()),
        Review,
        &["base-current"],
    );
}

#[test]
fn accounts_and_commits() {
    use Verdict::Review;
    expect(|e, _| pull(e).author = None, Review, &["author"]);
    expect(
        |e, _| pull(e).author = Some(account("mallory")),
        Review,
        &["author"],
    );
    expect(
        |_, p| p.accounts.clear(),
        Review,
        &["author", "commit-accounts"],
    );
    let commit = |e: &mut Evidence, change: fn(&mut CommitEvidence)| {
        change(&mut e.commits.as_mut().unwrap()[0]);
    };
    expect(
        |e, _| commit(e, |c| c.author = None),
        Review,
        &["commit-accounts"],
    );
    expect(
        |e, _| commit(e, |c| c.committer = Some(account("mallory"))),
        Review,
        &["commit-accounts"],
    );
    expect(
        |e, p| {
            p.require_signed_commits = true;
            commit(e, |c| c.verified = false);
        },
        Review,
        &["commit-signatures"],
    );
    expect(
        |e, _| e.commits.as_mut().unwrap().clear(),
        Review,
        &["commit-accounts", "commits-complete"],
    );
    expect(
        |e, _| pull(e).commit_count = 2,
        Review,
        &["commits-complete"],
    );
    expect(
        |e, _| commit(e, |c| c.parents.push(HEAD.into())),
        Review,
        &["commits-complete"],
    );
}

#[test]
fn files_and_the_plan() {
    use Verdict::{Block, Review};
    let add = |e: &mut Evidence, path: &str| {
        let file = ChangedFile {
            path: path.to_owned(),
            ..e.files.as_ref().unwrap()[0].clone()
        };
        e.files.as_mut().unwrap().push(file);
        pull(e).changed_file_count += 1;
    };
    expect(|e, _| add(e, "src/main.rs"), Review, &["changed-files"]);
    for path in [
        ".github/workflows/ci.yml",
        ".patchgate.yml",
        "action.yml",
        "x/.gitlab-ci.yml",
    ] {
        expect(
            |e, _| add(e, path),
            Block,
            &["changed-files", "protected-files"],
        );
        // Without a plan block it is no claim of Patchgate's, and a person decides.
        expect(
            |e, _| {
                add(e, path);
                pull(e).body.clear();
            },
            Review,
            &["changed-files", "plan-digest", "protected-files"],
        );
    }
    expect(
        |e, _| {
            let file = &mut e.files.as_mut().unwrap()[0];
            file.status = FileStatus::Renamed;
            file.previous_path = Some(".github/CODEOWNERS".into());
        },
        Block,
        &["changed-files", "protected-files"],
    );
    expect(
        |e, _| pull(e).changed_file_count = 3,
        Review,
        &["changed-files"],
    );
    expect(
        |e, _| pull(e).body = "no block, but please merge, verdict: merge".into(),
        Review,
        &["changed-files", "plan-digest"],
    );
    expect(
        |e, _| pull(e).body = pull(e).body.replace(HEAD, BASE),
        Review,
        &["plan-digest"],
    );
    expect(
        |e, _| {
            let contents = e.contents.get_mut("Cargo.lock").unwrap();
            let head = contents.head.as_mut().unwrap().as_mut().unwrap();
            head.extend_from_slice(b"\n# one more line\n");
        },
        Review,
        &["plan-digest"],
    );
}

#[test]
fn checks() {
    use Verdict::{Block, Review};
    let set = |e: &mut Evidence, runs: Vec<CheckRun>| e.check_runs = Ok(runs);
    let failed = || CheckOutcome::Failed("failure".into());
    expect(
        |e, _| set(e, Vec::new()),
        Review,
        &["checks-branch", "checks-present", "checks-required"],
    );
    expect(
        |e, _| {
            set(
                e,
                vec![check(1, "test", CheckOutcome::Pending("queued".into()))],
            )
        },
        Review,
        &["checks-branch", "checks-passed", "checks-required"],
    );
    for word in [
        "failure",
        "cancelled",
        "timed_out",
        "action_required",
        "stale",
        "startup_failure",
    ] {
        expect(
            |e, _| set(e, vec![check(1, "test", CheckOutcome::Failed(word.into()))]),
            Block,
            &["checks-branch", "checks-passed", "checks-required"],
        );
    }
    expect(
        |e, p| {
            p.failed_checks = Review;
            set(e, vec![check(1, "test", failed())]);
        },
        Review,
        &["checks-branch", "checks-passed", "checks-required"],
    );
    expect(
        |e, p| {
            // Not even a policy that was built wrongly turns a failure into consent.
            p.failed_checks = Verdict::Merge;
            set(e, vec![check(1, "test", failed())]);
        },
        Review,
        &["checks-branch", "checks-passed", "checks-required"],
    );
    for outcome in [CheckOutcome::Skipped, CheckOutcome::Neutral] {
        expect(
            |e, _| set(e, vec![check(1, "test", outcome.clone())]),
            Review,
            &["checks-branch", "checks-passed", "checks-required"],
        );
        expect(
            |e, p| {
                p.accept_skipped = true;
                p.accept_neutral = true;
                set(e, vec![check(1, "test", outcome)]);
            },
            Verdict::Merge,
            &[],
        );
    }
    expect(
        |e, _| e.check_runs.as_mut().unwrap()[0].app = Some("impostor".into()),
        Review,
        &["checks-required"],
    );
    expect(
        |e, _| e.check_runs.as_mut().unwrap()[0].head_sha = BASE.into(),
        Review,
        &["checks-head"],
    );
    expect(
        |_, p| p.checks = RequiredChecks::Listed(Vec::new()),
        Review,
        &["checks-present", "checks-required"],
    );
    expect(|_, p| p.checks = RequiredChecks::Any, Verdict::Merge, &[]);
    expect(
        |e, _| {
            e.statuses = Ok(vec![CommitStatus {
                context: "ci/other".into(),
                creator: Some(account("ci[bot]")),
                outcome: failed(),
            }]);
        },
        Block,
        &["checks-passed"],
    );
}

#[test]
fn the_latest_run_of_a_name_and_app_counts() {
    let rerun = vec![
        check(1, "test", CheckOutcome::Failed("failure".into())),
        check(2, "test", CheckOutcome::Success),
    ];
    expect(|e, _| e.check_runs = Ok(rerun.clone()), Verdict::Merge, &[]);
    // Two workflows with a job of one name: the later success does not hide the failure.
    let mut other_suite = rerun;
    other_suite[1].suite = Some(2);
    expect(
        |e, _| e.check_runs = Ok(other_suite),
        Verdict::Review,
        &["checks-passed"],
    );
}

#[test]
fn a_status_counts_only_from_the_expected_account() {
    for (login, verdict, codes) in [
        ("github-actions", Verdict::Merge, &[][..]),
        ("github-actions[bot]", Verdict::Merge, &[][..]),
        ("mallory", Verdict::Review, &["checks-required"][..]),
    ] {
        expect(
            |e, _| {
                e.check_runs = Ok(Vec::new());
                e.branch_checks = Ok(Vec::new());
                e.statuses = Ok(vec![CommitStatus {
                    context: "test".into(),
                    creator: Some(account(login)),
                    outcome: CheckOutcome::Success,
                }]);
            },
            verdict,
            codes,
        );
    }
}

#[test]
fn the_job_that_judges_is_not_judged() {
    let own = |name: &str, run: &str| {
        let mut gate = check(9, name, CheckOutcome::Pending("in_progress".into()));
        gate.details_url = Some(format!(
            "https://forge.invalid/o/r/actions/runs/{run}/job/9"
        ));
        gate
    };
    let job = Some(OwnJob {
        run_id: "88".into(),
        name: "gate".into(),
    });
    for (run, verdict, codes) in [
        (own("gate", "88"), Verdict::Merge, &[][..]),
        (own("gate", "99"), Verdict::Review, &["checks-passed"][..]),
        (own("build", "88"), Verdict::Review, &["checks-passed"][..]),
    ] {
        expect(
            |e, _| {
                e.own_job = job.clone();
                e.check_runs.as_mut().unwrap().push(run);
            },
            verdict,
            codes,
        );
    }
    // Alone it is no check that ran.
    expect(
        |e, p| {
            p.checks = RequiredChecks::Any;
            e.branch_checks = Ok(Vec::new());
            e.check_runs = Ok(vec![check(1, "patchgate", CheckOutcome::Success)]);
        },
        Verdict::Review,
        &["checks-present"],
    );
}

#[test]
fn findings() {
    use Verdict::{Block, Review};
    let set = |e: &mut Evidence, change: fn(&mut FindingComparison)| {
        change(e.findings.as_mut().unwrap());
    };
    expect(
        |e, _| set(e, |f| f.introduced.push(finding("X-1"))),
        Block,
        &["findings-introduced"],
    );
    expect(
        |e, _| set(e, |f| f.ended.clear()),
        Review,
        &["findings-ended"],
    );
    let remain = |e: &mut Evidence, p: &mut GatePolicy, limit: f64| {
        p.max_remaining_score = Some(limit);
        e.findings.as_mut().unwrap().remaining = vec![finding("X-2")];
    };
    expect(|e, p| remain(e, p, 61.5), Verdict::Merge, &[]);
    expect(|e, p| remain(e, p, 61.4), Review, &["findings-remaining"]);
    expect(
        |e, p| {
            remain(e, p, 100.0);
            e.findings.as_mut().unwrap().remaining[0].malicious = true;
        },
        Review,
        &["malicious-remaining"],
    );
    expect(
        |e, p| {
            remain(e, p, 100.0);
            e.findings.as_mut().unwrap().remaining[0].score = f64::NAN;
        },
        Review,
        &["findings-remaining"],
    );
}

#[track_caller]
fn moves(before: Vec<u8>, after: Vec<u8>, verdict: Verdict, codes: &[&str]) {
    let judgement = judge(
        &Ok(policy()),
        &evidence_of(&[("a/Cargo.lock", before, after)]),
    );
    assert_eq!(
        (judgement.verdict, against(&judgement)),
        (verdict, codes.to_vec()),
        "{}",
        render(&judgement)
    );
}

#[test]
fn dependency_moves() {
    use Verdict::{Block, Merge, Review};
    let one = |version| lock(&[("smallvec", version)]);
    moves(one("1.6.0"), one("1.6.1"), Merge, &[]);
    moves(one("1.6.0"), one("2.0.0"), Review, &["dependency-bump"]);
    moves(
        one("1.6.1"),
        one("1.6.0"),
        Block,
        &["dependency-bump", "dependency-downgrade"],
    );
    moves(
        one("1.6.0"),
        lock(&[("libc", "0.2.1"), ("smallvec", "1.6.1")]),
        Review,
        &["dependency-added"],
    );
    moves(
        lock(&[("libc", "0.2.1"), ("smallvec", "1.6.0")]),
        one("1.6.1"),
        Merge,
        &[],
    );
    moves(one("1.6.0"), one("1.6.0"), Review, &["dependency-bump"]);
}

#[test]
fn a_hidden_downgrade_beside_an_upgrade_is_seen() {
    let two = |a, b| {
        let text = String::from_utf8(lock(&[("smallvec", a), ("smallvec", b)])).unwrap();
        text.replace(" \"smallvec\",", &format!(" \"smallvec {a}\","))
            .into_bytes()
    };
    let judgement = judge(
        &Ok(policy()),
        &evidence_of(&[("Cargo.lock", two("1.6.0", "2.0.0"), two("1.6.0", "1.9.0"))]),
    );
    assert_eq!(judgement.verdict, Verdict::Block, "{}", render(&judgement));
}

#[test]
fn another_hash_or_origin_is_blocked() {
    use Verdict::Block;
    let text = |change: fn(String) -> String| {
        let text = String::from_utf8(lock(&[("libc", "0.2.1"), ("smallvec", "1.6.1")])).unwrap();
        change(text).into_bytes()
    };
    let before = lock(&[("libc", "0.2.1"), ("smallvec", "1.6.0")]);
    let libc = format!("{:0>64}", hex("libc0.2.1"));
    assert!(String::from_utf8(before.clone()).unwrap().contains(&libc));
    moves(
        before.clone(),
        text(|t| t.replace(&format!("{:0>64}", hex("libc0.2.1")), &"0".repeat(64))),
        Block,
        &["dependency-integrity"],
    );
    moves(
        before.clone(),
        text(|t| t.replace(&format!("checksum = \"{:0>64}\"\n", hex("libc0.2.1")), "")),
        Block,
        &["dependency-integrity"],
    );
    moves(
        before,
        text(|t| {
            let (first, last) = t
                .rsplit_once("registry+https://github.com/rust-lang/crates.io-index")
                .unwrap();
            format!("{first}registry+https://mirror.invalid/index{last}")
        }),
        Block,
        &["dependency-origin"],
    );
}

#[test]
fn a_manifest_may_change_in_requirements_alone() {
    let lockfiles = (
        lock(&[("smallvec", "1.6.0")]),
        lock(&[("smallvec", "1.6.1")]),
    );
    let before = b"[package]\nname = \"app\"\n[dependencies]\nsmallvec = \"=1.6.0\"\n".to_vec();
    for (after, verdict, codes) in [
        (
            "[package]\nname = \"app\"\n[dependencies]\nsmallvec = \"=1.6.1\"\n",
            Verdict::Merge,
            &[][..],
        ),
        (
            "[package]\nname = \"app\"\nbuild = \"evil.rs\"\n[dependencies]\nsmallvec = \"=1.6.1\"\n",
            Verdict::Review,
            &["manifest-requirements"][..],
        ),
    ] {
        let judgement = judge(
            &Ok(policy()),
            &evidence_of(&[
                ("Cargo.lock", lockfiles.0.clone(), lockfiles.1.clone()),
                ("Cargo.toml", before.clone(), after.as_bytes().to_vec()),
            ]),
        );
        assert_eq!(
            (judgement.verdict, against(&judgement)),
            (verdict, codes.to_vec()),
            "{}",
            render(&judgement)
        );
    }
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
