//! `patchgate gate --merge` while something changes, is lost, or is refused around the merge.

use patchgate_testkit::{Response, call_api};
use serde_json::{Value, json};

use crate::gate::verdict::{POLICY, Proposed, example_lock, propose, propose_under};
use crate::support::forge_sandbox::{REPO, TOKEN, edit_pull_request, reasons_against};

/// Sends a call of a writer during another request.
fn send(api: &str, method: &str, rest: &str, body: &Value) -> Value {
    let path = format!("/repos/{REPO}{rest}");
    let (status, answer) = call_api(api, TOKEN, method, &path, body);
    assert!(status < 300, "{status} {answer:#}");
    answer
}

/// Does something after the verdict and before the merge, and expects that the merge is not done.
#[track_caller]
fn stopped_after_the_verdict(method: &'static str, rest: &str, body: Value, said: &str) {
    let Some(proposed) = propose("1.6.1") else {
        return;
    };
    proposed.report_test("success");
    let api = proposed.forge.github.api_url();
    let rest = rest
        .replace("HEAD", &proposed.head)
        .replace("NUMBER", &proposed.number.to_string());
    // The check run is written after the verdict.
    proposed
        .forge
        .github
        .before("POST", "/check-runs", 0, move || {
            send(&api, method, &rest, &body);
            None
        });
    let run = proposed.gate(&["--merge"]).expect(10);

    assert_eq!(reasons_against(&run), ["merged"]);
    assert!(run.stdout.contains(said), "{run:?}");
    assert!(proposed.is_open());
    assert_eq!(last_conclusion(&proposed), "action_required");
}

fn last_conclusion(proposed: &Proposed) -> String {
    let checks = proposed.forge.github.check_runs(REPO);
    let own = checks.iter().rfind(|check| check.name == "patchgate");
    own.unwrap().conclusion.clone().unwrap()
}

#[test]
fn attack_18_a_status_that_fails_after_the_verdict_stops_the_merge() {
    let body = json!({"state": "failure", "context": "late"});
    stopped_after_the_verdict("POST", "/statuses/HEAD", body, "status `late` failed");
}

#[test]
fn attack_23_a_hold_label_after_the_verdict_stops_the_merge() {
    let body = json!({"labels": ["hold"]});
    let said = "the label `hold` stops the merge";
    stopped_after_the_verdict("POST", "/issues/NUMBER/labels", body, said);
}

#[test]
fn attack_13_a_status_of_a_workflow_is_not_the_required_check_run() {
    let Some(proposed) = propose("1.6.1") else {
        return;
    };
    let api = proposed.forge.github.api_url();
    let body = json!({"state": "success", "context": "test"});
    send(&api, "POST", &format!("/statuses/{}", proposed.head), &body);
    let run = proposed.gate(&["--merge"]).expect(10);

    assert_eq!(reasons_against(&run), ["checks-present", "checks-required"]);
    assert!(proposed.is_open());
}

#[test]
fn a_pinned_check_is_a_job_of_its_workflow() {
    let policy = POLICY.replace(
        "app: ci",
        "app: github-actions\n      workflow: .github/workflows/test.yml",
    );
    let Some(proposed) = propose_under(&policy, "1.6.1") else {
        return;
    };
    let forge = &proposed.forge;
    // Any workflow can report a check run of this name.
    forge.report_test("github-actions", &proposed.head, Some("success"));
    let run = proposed.gate(&["--merge"]).expect(10);
    assert_eq!(reasons_against(&run), ["checks-required"]);

    let other = (".github/workflows/test.yml", "workflow_dispatch");
    forge
        .github
        .run_job(REPO, &proposed.head, other, "test", "success");
    let run = proposed.gate(&["--merge"]).expect(10);
    assert_eq!(reasons_against(&run), ["checks-required"]);

    let pinned = (".github/workflows/test.yml", "pull_request");
    forge
        .github
        .run_job(REPO, &proposed.head, pinned, "test", "success");
    let run = proposed.gate(&["--merge"]).expect(0);
    assert_eq!(run.json()["merged"], true);
    forge.assert_contract_kept();
}

#[test]
fn attack_20_a_lockfile_that_changed_on_the_base_is_not_merged_as_text() {
    let policy = format!("{POLICY}  require-up-to-date: false\n");
    let Some(proposed) = propose_under(&policy, "1.6.1") else {
        return;
    };
    proposed.report_test("success");
    // Another line than that of the pull request, so git merges both.
    let more = format!("# another line\n{}", example_lock());
    let repository = &proposed.forge.repository;
    repository.commit("main", "more", &[("Cargo.lock", more.as_bytes())]);
    let run = proposed.gate(&["--merge"]).expect(10);

    assert_eq!(reasons_against(&run), ["base-current"]);
    assert!(proposed.is_open());
}

#[test]
fn newer_commits_that_change_no_dependencies_are_merged_and_the_stop_file_stops_that() {
    let policy = format!("{POLICY}  require-up-to-date: false\n");
    let Some(proposed) = propose_under(&policy, "1.6.1") else {
        return;
    };
    proposed.report_test("success");
    let repository = &proposed.forge.repository;
    repository.commit("main", "stop", &[(".patchgate.stop", b"incident\n")]);
    let run = proposed.gate(&["--merge"]).expect(10);
    assert_eq!(reasons_against(&run), ["not-stopped"]);

    repository.git(&["update-ref", "refs/heads/main", "main~1"]);
    repository.commit("main", "notes", &[("NOTES.md", b"a note\n")]);
    proposed.gate(&["--merge"]).expect(0);
    proposed.forge.assert_contract_kept();
}

/// Nothing at the forge compares the base, so the merge is done; that it was not judged is said.
#[test]
fn attack_21_a_push_to_the_base_after_the_second_judgement_is_said() {
    let Some(proposed) = propose("1.6.1") else {
        return;
    };
    proposed.report_test("success");
    let repository = proposed.forge.repository.clone();
    proposed.forge.github.before("PUT", "/merge", 0, move || {
        let more = format!("# another line\n{}", example_lock());
        repository.commit("main", "more", &[("Cargo.lock", more.as_bytes())]);
        None
    });
    let run = proposed.gate(&["--merge"]).expect(10);

    assert_eq!(reasons_against(&run), ["merged"]);
    assert_eq!(run.json()["merged"], true);
    assert!(run.stdout.contains("nobody judged the result"), "{run:?}");
    assert_eq!(last_conclusion(&proposed), "action_required");
    proposed.forge.assert_contract_kept();

    // A merge whose base cannot be read is not taken for one that was judged.
    let Some(proposed) = propose("1.6.1") else {
        return;
    };
    proposed.report_test("success");
    proposed.forge.refuse("GET", "/git/commits/", 502, 20);
    let run = proposed.gate(&["--merge"]).expect(10);
    assert_eq!(reasons_against(&run), ["merged"]);
    assert_eq!(run.json()["merged"], true);
}

#[test]
fn attack_22_the_merged_commit_has_no_text_from_outside() {
    let Some(proposed) = propose("1.6.1") else {
        return;
    };
    proposed.report_test("success");
    let title = json!({"title": "feat!: everything [skip ci] (closes #1)"});
    edit_pull_request(&proposed.forge.github.api_url(), proposed.number, &title);
    proposed.gate(&["--merge"]).expect(0);

    let log = proposed
        .forge
        .repository
        .git(&["log", "-1", "--format=%B", "main"]);
    let expected = format!(
        "Update vulnerable dependencies (#{})\n\nMerged by Patchgate.\n\nJudged commit: {}\n",
        proposed.number, proposed.head
    );
    assert!(log.starts_with(&expected), "{log}");
    assert!(!log.contains("skip"), "{log}");
}

#[test]
fn attack_28_a_merge_that_is_refused_corrects_the_check_run() {
    let Some(proposed) = propose("1.6.1") else {
        return;
    };
    proposed.report_test("success");
    proposed.forge.github.before("PUT", "/merge", 0, || {
        let refusal = json!({"message": "Changes must be made through the queue"});
        Some(Response::json(405, &refusal))
    });
    let run = proposed.gate(&["--merge"]).expect(10);

    assert_eq!(reasons_against(&run), ["merged"]);
    assert!(run.stdout.contains("through the queue"), "{run:?}");
    assert_eq!(last_conclusion(&proposed), "action_required");
}

#[test]
fn attack_29_a_merge_whose_answer_is_lost_is_looked_up() {
    let Some(proposed) = propose("1.6.1") else {
        return;
    };
    proposed.report_test("success");
    let api = proposed.forge.github.api_url();
    let (number, head) = (proposed.number, proposed.head.clone());
    proposed.forge.github.before("PUT", "/merge", 0, move || {
        let body = json!({"sha": head, "merge_method": "squash"});
        send(&api, "PUT", &format!("/pulls/{number}/merge"), &body);
        Some(Response::status(502))
    });
    let run = proposed.gate(&["--merge"]).expect(0);
    assert_eq!(run.json()["merged"], true);
    assert!(!proposed.is_open());

    // When nothing was merged, that is said.
    let Some(proposed) = propose("1.6.1") else {
        return;
    };
    proposed.report_test("success");
    proposed.forge.refuse("PUT", "/merge", 502, 1);
    let run = proposed.gate(&["--merge"]).expect(10);
    assert!(run.stdout.contains("it could not be merged"), "{run:?}");
    assert!(proposed.is_open());
}

#[test]
fn attack_30_the_forge_is_asked_again_whether_it_merges() {
    let Some(proposed) = propose("1.6.1") else {
        return;
    };
    proposed.report_test("success");
    let (api, number) = (proposed.forge.github.api_url(), proposed.number);
    let path = format!("/pulls/{number}");
    proposed
        .forge
        .github
        .before("GET", &path.clone(), 0, move || {
            let mut answer = send(&api, "GET", &path, &Value::Null);
            answer["mergeable"] = Value::Null;
            answer["mergeable_state"] = json!("unknown");
            Some(Response::json(200, &answer))
        });
    let run = proposed.gate(&["--merge"]).expect(0);
    assert_eq!(run.json()["merged"], true);
}

/// Attack 4: author, commit, plan block and checks are as Patchgate makes them, but the signature.
#[test]
fn attack_04_a_plan_without_a_signature_is_for_review_unless_it_is_computed_again() {
    let Some(proposed) = propose("1.6.1") else {
        return;
    };
    proposed.report_test("success");
    let api = proposed.forge.github.api_url();
    let body = proposed.forge.only_pull().body;
    let (block, _) = body.split_once("<!-- patchgate:proof").unwrap();
    edit_pull_request(&api, proposed.number, &json!({ "body": block }));
    let run = proposed.gate(&["--merge"]).expect(10);
    assert_eq!(reasons_against(&run), ["plan-proof"]);

    // Another job computed the plan again.
    let digest = |base: &str, content: &str| {
        json!({"version": 1, "base": base, "content": content, "files": ["Cargo.lock"]}).to_string()
    };
    let plan = patchgate_model::PlanBlock::parse(block).unwrap();
    let sandbox = &proposed.forge.sandbox;
    std::fs::write(
        sandbox.path("other.json"),
        digest(&plan.base, &"0".repeat(64)),
    )
    .unwrap();
    std::fs::write(sandbox.path("same.json"), digest(&plan.base, &plan.content)).unwrap();
    let run = proposed
        .gate(&["--merge", "--plan-digest", "other.json"])
        .expect(10);
    assert_eq!(reasons_against(&run), ["plan-proof"]);
    proposed
        .gate(&["--merge", "--plan-digest", "missing.json"])
        .expect(2);
    let run = proposed
        .gate(&["--merge", "--plan-digest", "same.json"])
        .expect(0);
    assert_eq!(run.json()["merged"], true);
}

/// The pull request merges when everything can be read.
#[test]
fn evidence_that_cannot_be_read_is_not_consent() {
    let cases: [(&[&str], &str); 6] = [
        (&["/compare"], "changed-files"),
        (&["/git/trees"], "changed-files"),
        (&["/check-runs"], "checks-required"),
        (&["/reviews"], "changes-requested"),
        (&["/rules/branches"], "base-protected"),
        // Without the list of the root, the file itself is asked for.
        (&["/git/trees", ".patchgate.stop"], "not-stopped"),
    ];
    for (parts, code) in cases {
        let Some(proposed) = propose("1.6.1") else {
            return;
        };
        proposed.report_test("success");
        for part in parts {
            proposed.forge.refuse("GET", part, 403, 40);
        }
        let run = proposed.gate(&["--merge"]).expect(10);
        let against = reasons_against(&run);
        assert!(against.contains(&code.to_owned()), "{parts:?}: {against:?}");
        assert!(proposed.is_open(), "{parts:?}");
    }
}

/// The calls of a verdict, which `docs/forges.md` lists, and of the merge after it. The second
/// judgement reads again what can change, and nothing that has an id.
#[test]
fn a_verdict_asks_each_thing_once() {
    let Some(proposed) = propose("1.6.1") else {
        return;
    };
    proposed.report_test("success");
    let calls = |since: usize| -> Vec<String> {
        let requests = proposed.forge.github.requests();
        let call = |request: &patchgate_testkit::Request| {
            let path = request.path.split('?').next().unwrap_or_default();
            let rest = path.split_once(REPO).map_or(path, |(_, rest)| rest);
            let rest = rest.replace(&proposed.head, "HEAD");
            let base = proposed.forge.repository.git(&["rev-parse", "main~0"]);
            format!("{} {}", request.method, rest.replace(base.trim(), "BASE"))
        };
        let mut calls: Vec<String> = requests.iter().skip(since).map(call).collect();
        calls.sort();
        calls
    };
    let before = proposed.forge.github.requests().len();
    proposed.gate(&[]).expect(0);
    insta::assert_debug_snapshot!(calls(before));

    let before = proposed.forge.github.requests().len();
    proposed.gate(&["--merge"]).expect(0);
    let count = proposed.forge.github.requests().len() - before;
    // 14 for the first judgement, 8 for the second, 3 for the merge. Each judgement asks for the workflow
    // runs too, because the head has a check of the gate by now.
    assert_eq!(count, 14 + 8 + 3 + 2, "{:#?}", calls(before));
}
