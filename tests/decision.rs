//! Decisions from end to end: conditions, profiles, deadlines, and the story of one.

use crate::support::sandbox::Sandbox;

/// One finding in the examples' KEV catalogue (CVE-2020-11023), and another of medium severity.
const JQUERY_LOCK: &str = r#"{
  "name": "app", "version": "1.0.0", "lockfileVersion": 3,
  "packages": {
    "": { "name": "app", "version": "1.0.0", "dependencies": { "jquery": "3.4.1" } },
    "node_modules/jquery": {
      "version": "3.4.1", "resolved": "https://packages.invalid/jquery-3.4.1.tgz"
    }
  }
}
"#;

const EXPLOITED: &str = "GHSA-jpcq-cgw6-v4j6";

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("services/api/package-lock.json", JQUERY_LOCK);
    sandbox.build_store();
    sandbox
}

#[test]
fn conditions_decide_which_findings_fail() {
    let sandbox = sandbox();
    for (condition, code) in [
        ("act-now", 1),
        ("kev and fixable", 1),
        ("overdue", 0),
        ("severity>=critical or score>=99.95", 0),
        ("(severity>=medium and scheduled)", 1),
    ] {
        let run = sandbox.offline("scan", &["--fail-on", condition, "repo"]);
        let run = run.expect(code);
        assert!(run.stdout.contains(condition), "{}", run.stdout);
    }

    let run = sandbox
        .offline("scan", &["--fail-on", "kev fixable", "repo"])
        .expect(2);
    assert!(run.stderr.contains("column 5"), "{}", run.stderr);
}

#[test]
fn outcomes_come_first_and_the_summary_says_what_to_do() {
    let sandbox = sandbox();
    let run = sandbox.offline("scan", &["repo"]).expect(1);
    assert!(
        run.stdout.contains("Act now: 2 findings in 1 package"),
        "{}",
        run.stdout
    );
    assert!(
        run.stdout.contains("Next: act now on jquery@3.4.1"),
        "{}",
        run.stdout
    );

    let report = sandbox
        .offline("scan", &["--format", "json", "repo"])
        .expect(1)
        .json();
    assert_eq!(report["summary"]["by_outcome"]["act_now"], 1, "{report:#}");
    let first = &report["findings"][0];
    assert_eq!(
        (&first["id"], &first["decision"]["outcome"]),
        (&EXPLOITED.into(), &"act-now".into())
    );
    assert!(first["score"].as_f64().unwrap() >= 80.0);
}

#[test]
fn profiles_and_deadlines_of_the_settings_apply() {
    let sandbox = sandbox();
    sandbox.write(
        ".patchgate.yml",
        "thresholds: { fail-on: overdue }\nprofiles:\n  - { path: services/*, environment: staging }\n  - \
         { path: services/api, exposure: small, tier: 4, owner: web }\nsla: { table: own, act-now: 1, \
         defer: 3650 }\n",
    );
    let report = sandbox
        .offline("scan", &["--format", "json", "repo"])
        .expect(1)
        .json();
    for finding in report["findings"].as_array().unwrap() {
        let decision = &finding["decision"];
        assert_eq!(decision["profile"]["glob"], "services/api", "{decision:#}");
        assert_eq!(decision["profile"]["owner"], "web");
        let exploited = finding["id"] == EXPLOITED;
        assert_eq!(decision["deadline"]["overdue"], exploited, "{decision:#}");
        assert_eq!(finding["at_or_above_threshold"], exploited);
    }
    assert_eq!(report["summary"]["overdue"], 1);
}

#[test]
fn a_baseline_shows_what_is_new_and_keeps_the_first_detection() {
    let sandbox = sandbox();
    let save = ["--format", "json", "--output", "baseline.json", "repo"];
    sandbox.offline("scan", &save).expect(1);

    // The report is of an earlier day.
    let file = sandbox.path("baseline.json");
    let text = std::fs::read_to_string(&file).unwrap();
    let mut report: serde_json::Value = serde_json::from_str(&text).unwrap();
    for finding in report["findings"].as_array_mut().unwrap() {
        finding["first_detected"] = "2026-01-02".into();
    }
    std::fs::write(&file, report.to_string()).unwrap();

    let against = ["--baseline", "baseline.json", "--fail-on", "new"];
    let run = sandbox
        .offline("scan", &[&against[..], &["repo"]].concat())
        .expect(0);
    assert!(
        run.stdout.contains("Against the baseline: 2 as before"),
        "{}",
        run.stdout
    );

    sandbox.write("web/package-lock.json", JQUERY_LOCK);
    sandbox.write(
        ".patchgate.yml",
        "sla: { table: own, from: detection, act-now: 1, out-of-cycle: 1, scheduled: 1 }\n",
    );
    let json = [&against[..], &["--format", "json", "repo"]].concat();
    let report = sandbox.offline("scan", &json).expect(1).json();
    for finding in report["findings"].as_array().unwrap() {
        assert_eq!(finding["change"], "new", "{finding:#}");
        assert_eq!(finding["first_detected"], "2026-01-02");
        assert_eq!(finding["decision"]["deadline"]["overdue"], true);
    }

    std::fs::write(&file, "{}").unwrap();
    let run = sandbox
        .offline("scan", &[&against[..], &["repo"]].concat())
        .expect(2);
    assert!(
        run.stderr
            .contains("the baseline `baseline.json` is not a report"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_commit_is_a_baseline() {
    let sandbox = sandbox();
    sandbox.write("fine.txt", "");
    sandbox.git(&["init", "--quiet"]);
    sandbox.git(&["add", "."]);
    sandbox.git(&["commit", "--quiet", "--message", "first"]);
    let since = |commit: &str, more: &[&str]| {
        let against = ["--baseline", commit, "--fail-on", "new"];
        sandbox.offline("scan", &[&against[..], more, &["repo"]].concat())
    };

    // The working tree, not the last commit, is compared.
    let fixed = JQUERY_LOCK.replace("3.4.1", "3.7.1");
    sandbox.write("services/api/package-lock.json", fixed);
    let run = since("HEAD", &[]).expect(0);
    let words = run.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("Against commit"), "{}", run.stdout);
    assert!(words.contains(": 2 gone"), "{}", run.stdout);

    sandbox.write("services/api/package-lock.json", JQUERY_LOCK);
    sandbox.write("web/package-lock.json", JQUERY_LOCK);
    let report = since("HEAD", &["--format", "json"]).expect(1).json();
    let baseline = &report["summary"]["baseline"];
    assert_eq!(
        (&baseline["new"], &baseline["same"]),
        (&2.into(), &0.into())
    );
    let commit = baseline["commit"].as_str().unwrap();

    sandbox.git(&["add", "."]);
    sandbox.git(&["commit", "--quiet", "--message", "second"]);
    let report = since("HEAD", &["--format", "json"]).expect(0).json();
    assert_eq!(report["summary"]["baseline"]["same"], 2);
    let report = since(commit, &["--format", "json"]).expect(1).json();
    assert_eq!(report["summary"]["baseline"]["new"], 2);
    // A directory is compared with the same directory.
    let part = ["--baseline", "HEAD~1", "--fail-on", "new", "repo/services"];
    sandbox.offline("scan", &part).expect(0);

    let run = since("origin/absent", &[]).expect(2);
    assert!(run.stderr.contains("fetch-depth: 0"), "{}", run.stderr);
    let run = since("absent.json", &[]).expect(2);
    assert!(
        run.stderr.contains("`absent.json` does not exist"),
        "{}",
        run.stderr
    );
}

#[test]
fn explain_tells_the_story_of_a_decision() {
    let sandbox = sandbox();
    let explain = |arguments: &[&str]| {
        let arguments = [arguments, &["repo"]].concat();
        sandbox.offline("explain", &arguments).expect(1)
    };
    let text = explain(&[EXPLOITED]).stdout;
    assert!(text.contains("Decision: act now"), "{text}");
    assert!(
        text.contains("known to be exploited: in CISA's catalogue since"),
        "{text}"
    );

    let markdown = explain(&[EXPLOITED, "--package", "npm:jquery", "--format", "markdown"]).stdout;
    assert!(
        markdown.contains("| Evidence | Basis | Outcome | |"),
        "{markdown}"
    );
    let json = explain(&[EXPLOITED, "--format", "json"]).json();
    assert_eq!(
        json["decisions"][0]["decision"]["outcome"], "act-now",
        "{json:#}"
    );

    let other = sandbox.offline("explain", &[EXPLOITED, "--package", "left-pad", "repo"]);
    let other = other.expect(2);
    assert!(
        other.stderr.contains("`left-pad` is neither"),
        "{}",
        other.stderr
    );
}

#[test]
fn cvss_reads_vectors_from_arguments_and_lines() {
    let sandbox = Sandbox::new();
    let vector = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/E:P";
    let run = sandbox.run(&["cvss", vector]).expect(0);
    let answer: serde_json::Value = serde_json::from_str(run.stdout.trim()).unwrap();
    assert_eq!(answer["base"], 9.8);
    assert_eq!(answer["temporal"], 9.3);
    assert_eq!(answer["severity"], "critical");

    let run = sandbox.run(&["cvss", vector, "AV:N/"]).expect(3);
    let second = run.stdout.lines().nth(1).unwrap();
    assert!(second.contains("\"error\""), "{second}");
}

/// A package in CISA's catalogue, and one that is not, of the examples' records.
fn with_sources(settings: &str, source: &str) -> serde_json::Value {
    let sandbox = sandbox();
    sandbox.write(".patchgate.yml", settings);
    sandbox.write("services/api/index.js", source);
    let run = sandbox.offline("scan", &["--reachability", "--format", "json", "repo"]);
    run.expect(1).json()
}

#[test]
fn sources_show_whether_a_package_is_used() {
    let used = with_sources("", "const q = 1;\nconst $ = require('jquery');\n");
    for finding in used["findings"].as_array().unwrap() {
        let reachability = &finding["reachability"];
        assert_eq!(reachability["answer"], "package-imported", "{finding:#}");
        let place = &reachability["places"][0];
        assert_eq!(place["file"], "services/api/index.js");
        assert_eq!(place["line"], 2);
    }

    let keeps = with_sources("", "const q = 1;\n");
    let lowers = with_sources("reachability: { not-imported: lower }\n", "const q = 1;\n");
    let outcomes = |report: &serde_json::Value| -> Vec<String> {
        let findings = report["findings"].as_array().unwrap().iter();
        findings
            .map(|one| {
                assert_eq!(one["reachability"]["answer"], "not-imported", "{one:#}");
                format!("{} {}", one["id"], one["decision"]["outcome"])
            })
            .collect()
    };
    let exploited = format!("\"{EXPLOITED}\"");
    assert!(outcomes(&keeps).contains(&format!("{exploited} \"act-now\"")));
    assert!(outcomes(&lowers).contains(&format!("{exploited} \"out-of-cycle\"")));
}

#[test]
fn without_the_flag_no_source_is_read() {
    let sandbox = sandbox();
    sandbox.write("services/api/index.js", "require('jquery');\n");
    let run = sandbox.offline("scan", &["--format", "json", "repo"]);
    let report = run.expect(1).json();
    assert!(
        report["findings"][0]["reachability"].is_null(),
        "{report:#}"
    );

    let run = sandbox.offline("explain", &[EXPLOITED, "--reachability", "repo"]);
    let run = run.expect(1);
    assert!(
        run.stdout
            .contains("package imported at services/api/index.js:1"),
        "{}",
        run.stdout
    );
}
