//! `patchgate pr` with one pull request for each step or group, with the real npm.

use std::collections::{BTreeMap, BTreeSet};

use patchgate_model::PlanBlock;
use patchgate_testkit::{PullRequest, call_api};
use serde_json::{Value, json};

use crate::support::forge_sandbox::{ForgeSandbox, REPO, TOKEN, writer};

/// The npm example on `main`, with a section about pull requests.
#[track_caller]
fn workspace(section: &str) -> Option<ForgeSandbox> {
    let mut forge = ForgeSandbox::new(vec![writer()])?;
    forge.sandbox.set("GITHUB_ACTIONS", "true");
    forge.sandbox.set("GITHUB_TOKEN", TOKEN);
    forge.sandbox.allow_managers();
    let policy = format!("pull-requests:\n{section}gate:\n  any-check: true\n");
    forge.commit_example("npm-workspace", &policy);
    forge.check_out();
    Some(forge)
}

fn open_pulls(forge: &ForgeSandbox) -> Vec<PullRequest> {
    let pulls = forge.github.pull_requests(REPO);
    pulls.into_iter().filter(|pull| pull.open).collect()
}

/// The installed packages of a commit's lockfile.
fn installed(forge: &ForgeSandbox, commit: &str) -> BTreeMap<String, Value> {
    let bytes = forge.repository.file(commit, "package-lock.json").unwrap();
    let lock: Value = serde_json::from_slice(&bytes).unwrap();
    let packages = lock["packages"].as_object().unwrap().clone();
    let installed = packages.into_iter();
    installed
        .filter(|(path, _)| path.starts_with("node_modules/"))
        .collect()
}

/// The installed packages that differ from those of the commit's parent.
fn changed(forge: &ForgeSandbox, commit: &str) -> BTreeSet<String> {
    let before = installed(forge, &format!("{commit}^"));
    let after = installed(forge, commit);
    let all = before.keys().chain(after.keys());
    all.filter(|path| before.get(*path) != after.get(*path))
        .cloned()
        .collect()
}

#[test]
fn each_step_has_a_pull_request_with_that_step_alone() {
    let group = "  per: step\n  groups: [{ name: Tools, scopes: [development] }]\n";
    let Some(forge) = workspace(group) else {
        return;
    };
    let run = forge.pr().expect(0);
    let pulls = open_pulls(&forge);
    assert!(pulls.len() >= 4, "{run:?}");
    assert_eq!(run.stdout.matches("opened #").count(), pulls.len());

    // Each contains its own packages, and nothing of the others.
    let main = forge.repository.tip("main").unwrap();
    let mut seen: BTreeSet<String> = BTreeSet::new();
    for pull in &pulls {
        let parent = forge
            .repository
            .git(&["rev-parse", &format!("{}^", pull.head_sha)]);
        assert_eq!(parent, main);
        let changed = changed(&forge, &pull.head_sha);
        assert!(!changed.is_empty(), "{}", pull.head);
        for path in changed {
            assert!(seen.insert(path.clone()), "`{path}` is in two");
        }
        let block = PlanBlock::parse(&pull.body).unwrap();
        assert!(!block.packages.is_empty());
    }
    let named = |group: &str| {
        let prefix = format!("patchgate/{group}-");
        let mut pulls = pulls.iter();
        pulls
            .find(|pull| pull.head.starts_with(&prefix))
            .unwrap_or_else(|| panic!("a branch of `{group}`: {run:?}"))
    };
    assert!(named("tools").title.contains("word-wrap"));
    let lodash = named("lodash");
    assert_eq!(
        changed(&forge, &lodash.head_sha),
        ["node_modules/lodash".to_owned()].into()
    );

    let writes = forge.writes();
    let run = forge.pr().expect(0);
    assert_eq!(run.stdout.matches("unchanged #").count(), pulls.len());
    assert_eq!(forge.writes(), writes, "the second run wrote");

    // One is merged: the others follow the base, and none is opened or closed.
    let path = format!("/repos/{REPO}/pulls/{}/merge", lodash.number);
    let body = json!({ "sha": lodash.head_sha, "merge_method": "merge" });
    let (status, answer) = call_api(&forge.github.api_url(), TOKEN, "PUT", &path, &body);
    assert_eq!(status, 200, "{answer:#}");
    forge.check_out();
    let run = forge.pr().expect(0);
    assert_eq!(run.stdout.matches("updated #").count(), pulls.len() - 1);
    assert!(!run.stdout.contains("opened"), "{run:?}");
    assert_eq!(open_pulls(&forge).len(), pulls.len() - 1);

    // All in one again: every other one is closed with a link to it.
    forge.repository.commit(
        "main",
        "settings",
        &[(".patchgate.yml", b"version: 1\n".as_slice())],
    );
    forge.check_out();
    let run = forge.pr().expect(0);
    assert_eq!(run.stdout.matches("closed #").count(), pulls.len() - 1);
    let [all] = &open_pulls(&forge)[..] else {
        panic!("one pull request: {run:?}");
    };
    assert!(all.head.starts_with("patchgate/fix-"), "{}", all.head);
    let link = format!("Superseded by #{}.", all.number);
    let comments = forge.github.comments(REPO);
    assert_eq!(comments.len(), pulls.len() - 1, "{comments:?}");
    assert!(comments.iter().all(|comment| comment.body.contains(&link)));
    forge.assert_contract_kept();
}

#[test]
fn what_is_not_urgent_waits_for_limits_and_windows() {
    let Some(forge) = workspace(
        "  per: step\n  urgent: act-now\n  max-new-per-hour: 1\n  assignees: [jane]\n  reviewers: [jane]\n",
    ) else {
        return;
    };
    forge.github.let_write(REPO, "jane");
    let run = forge.pr().expect(0);
    let first = open_pulls(&forge);
    assert!(first.iter().all(|pull| pull.assignees.contains("jane")));
    assert!(first.iter().all(|pull| pull.reviewers.contains("jane")));
    let waiting = run.stdout.matches("\nwaiting patchgate/").count();
    assert!(waiting > 0 && !first.is_empty(), "{run:?}");
    assert!(
        run.stdout.contains("and `max-new-per-hour` is 1"),
        "{run:?}"
    );
    // `jquery` is known to be exploited.
    let urgent = |pulls: &[PullRequest]| {
        let mut pulls = pulls.iter();
        pulls.any(|pull| pull.head.starts_with("patchgate/jquery-"))
    };
    assert!(urgent(&first), "{run:?}");

    // A window that is closed at the time of the run: the day before yesterday.
    let now = std::time::SystemTime::now();
    let seconds = now.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    // 1 January 1970 was a Thursday.
    let days = ["thu", "fri", "sat", "sun", "mon", "tue", "wed"];
    let day = days[usize::try_from(seconds / 86_400 - 2).unwrap() % days.len()];
    let section = format!(
        "pull-requests:\n  per: step\n  urgent: act-now\n  schedule:\n    - {{ days: [{day}], from: '01:00', to: '02:00', time-zone: UTC }}\n"
    );
    forge.repository.commit(
        "main",
        "settings",
        &[(".patchgate.yml", section.as_bytes())],
    );
    forge.check_out();
    let run = forge.pr().expect(0);
    assert_eq!(open_pulls(&forge).len(), first.len(), "{run:?}");
    assert_eq!(run.stdout.matches("waiting patchgate/").count(), waiting);
    assert_eq!(
        run.stdout
            .matches("the schedule opens no pull request")
            .count(),
        waiting
    );
    forge.assert_contract_kept();
}
