//! A pull request in which everything holds, and how a judgement of it is compared.

use patchgate_model::EcosystemName;
use std::collections::BTreeSet;

use patchgate_ecosystems::{Input, Siblings, fixable_format};
use patchgate_gate::judge;
use patchgate_model::*;
use patchgate_proof::{PlanStatement, SigningKey, render_block};

pub(crate) const BASE: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
pub(crate) const HEAD: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

pub(crate) fn lock(packages: &[(&str, &str)]) -> Vec<u8> {
    let mut text = "version = 4\n\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\ndependencies = [\n \"smallvec\",\n]\n".to_owned();
    for (name, version) in packages {
        let hash = format!("{:0>64}", hex(&format!("{name}{version}")));
        text.push_str(&format!(
            "\n[[package]]\nname = \"{name}\"\nversion = \"{version}\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\nchecksum = \"{hash}\"\n"
        ));
    }
    text.into_bytes()
}

pub(crate) fn hex(text: &str) -> String {
    text.bytes()
        .map(|byte| format!("{byte:02x}"))
        .collect::<String>()[..]
        .chars()
        .take(64)
        .collect()
}

/// The id of an account of the tests.
pub(crate) fn id_of(login: &str) -> u64 {
    login.bytes().map(u64::from).sum()
}

pub(crate) fn account(login: &str) -> Account {
    Account {
        login: login.to_owned(),
        id: Some(id_of(login)),
        kind: "Bot".to_owned(),
    }
}

pub(crate) fn check(id: u64, name: &str, outcome: CheckOutcome) -> CheckRun {
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

/// The tree of the head.
pub(crate) const TREE: &str = "cccccccccccccccccccccccccccccccccccccccc";

/// The key of the policy.
pub(crate) fn key() -> SigningKey {
    SigningKey::from_pem("MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g")
        .unwrap()
}

/// The workflow of the check `test`.
pub(crate) const WORKFLOW: &str = ".github/workflows/test.yml";

/// A job of [`WORKFLOW`] whose check run has an id.
pub(crate) fn job(check_run: u64) -> WorkflowJob {
    WorkflowJob {
        check_run,
        run: 77,
        attempt: check_run,
        workflow: WORKFLOW.to_owned(),
        event: "pull_request".to_owned(),
    }
}

pub(crate) fn trusted(login: &str) -> TrustedAccount {
    TrustedAccount {
        login: login.to_owned(),
        id: Some(id_of(login)),
    }
}

pub(crate) fn policy() -> GatePolicy {
    GatePolicy {
        accounts: vec![trusted("fixer[bot]")],
        plan_keys: vec![key().verifying_key().to_text()],
        checks: RequiredChecks::Listed(vec![RequiredCheck {
            name: "test".to_owned(),
            source: CheckSource::App {
                slug: "github-actions".to_owned(),
                id: Some(15368),
                workflow: Some(WorkflowPin {
                    path: WORKFLOW.to_owned(),
                    event: "pull_request".to_owned(),
                }),
            },
        }]),
        ..GatePolicy::default()
    }
}

/// A pull request that moves the files from `before` to `after`, in which everything else holds.
pub(crate) fn evidence_of(changes: &[(&str, Vec<u8>, Vec<u8>)]) -> Evidence {
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

    let files = changes
        .iter()
        .map(|(path, _, after)| (*path, after.as_slice()));
    let proof = PlanStatement::new(BASE, TREE, files).sign(&key());
    Evidence {
        pull_request: Ok(PullRequest {
            number: 7,
            state: PullRequestState::Open,
            draft: false,
            author: Some(account("fixer[bot]")),
            title: "Fix".to_owned(),
            body: format!(
                "Text\n\n{}\n{}\n",
                PlanBlock::new(&plan, BASE, HEAD).render(),
                render_block(&proof)
            ),
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
            labels: vec!["dependencies".to_owned()],
            default_branch: Some("main".to_owned()),
            opened: Some("2026-11-30T12:00:00Z".parse().unwrap()),
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
            ended: changes
                .iter()
                .flat_map(|(path, ..)| fixed_in(path))
                .collect(),
            ..FindingComparison::default()
        }),
        head_at_end: Ok(HEAD.to_owned()),
        own_job: None,
        safeguards: Safeguards {
            base_is_protected: Ok(true),
            base_changes: Ok(Vec::new()),
            head_tree: Ok(TREE.to_owned()),
            recomputed: Ok(None),
            approvals: Ok(Vec::new()),
            jobs: Ok(vec![job(1), job(2)]),
            registry: Ok(changes
                .iter()
                .flat_map(|(path, _, after)| confirmed(path, after))
                .collect()),
            is_stopped: Ok(false),
            now: Ok("2026-12-01T12:00:00Z".parse().unwrap()),
        },
    }
}

/// The answers of registries that confirm every entry of a lockfile.
pub(crate) fn confirmed(path: &str, bytes: &[u8]) -> Vec<RegistryEntry> {
    let siblings = Siblings::new();
    let input = Input {
        path,
        bytes,
        siblings: &siblings,
    };
    let read = fixable_format(path).and_then(|(_, format)| (format.parse)(&input).ok());
    read.into_iter()
        .flat_map(|lockfile| lockfile.packages)
        .map(|package| RegistryEntry {
            lockfile: path.to_owned(),
            package: package.name,
            version: package.version,
            objections: Ok(Vec::new()),
        })
        .collect()
}

pub(crate) fn finding(id: &str) -> FindingKey {
    FindingKey {
        id: id.to_owned(),
        ecosystem: EcosystemName::new("crates.io"),
        package: "smallvec".to_owned(),
        versions: vec!["1.6.0".to_owned()],
        lockfile: "Cargo.lock".to_owned(),
        scope: Scope::Runtime,
        score: 61.5,
        malicious: false,
    }
}

/// The findings of `smallvec 1.6.0` and `qs 6.5.2` in a lockfile.
fn fixed_in(path: &str) -> Vec<FindingKey> {
    if path.ends_with(".json") {
        return vec![FindingKey {
            ecosystem: EcosystemName::new("npm"),
            package: "qs".to_owned(),
            versions: vec!["6.5.2".to_owned()],
            lockfile: path.to_owned(),
            ..finding("CVE-2022-24999")
        }];
    }
    vec![FindingKey {
        lockfile: path.to_owned(),
        ..finding("RUSTSEC-2021-0003")
    }]
}

pub(crate) fn evidence() -> Evidence {
    evidence_of(&[(
        "Cargo.lock",
        lock(&[("smallvec", "1.6.0")]),
        lock(&[("smallvec", "1.6.1")]),
    )])
}

pub(crate) fn render(judgement: &Judgement) -> String {
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
pub(crate) fn against(judgement: &Judgement) -> Vec<&'static str> {
    let codes: BTreeSet<&str> = judgement
        .reasons
        .iter()
        .filter(|reason| reason.verdict != Verdict::Merge)
        .map(|reason| reason.code)
        .collect();
    codes.into_iter().collect()
}

#[track_caller]
pub(crate) fn expect(
    change: impl FnOnce(&mut Evidence, &mut GatePolicy),
    verdict: Verdict,
    codes: &[&str],
) {
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

pub(crate) fn pull(evidence: &mut Evidence) -> &mut PullRequest {
    evidence.pull_request.as_mut().unwrap()
}
