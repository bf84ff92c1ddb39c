//! Requirements for which no file states a version.

use patchgate_testkit::{NpmRegistry, OsvServer, Release};

use crate::support::fixture_registry::npm_project;
use crate::support::sandbox::{Sandbox, root};

/// A project without a lockfile: one requirement of each kind of answer.
const MANIFEST: &str = r#"{
  "dependencies": {
    "left-pad": "^1.0.0",
    "minimist": "^1.2.6",
    "jquery": "^1.12.0",
    "lodash": "^4.17.0",
    "marked": "latest"
  }
}
"#;

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.build_store();
    sandbox.write("package.json", MANIFEST);
    sandbox
}

fn names(list: &serde_json::Value) -> Vec<String> {
    let mut names: Vec<String> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            format!(
                "{} {}",
                one["package"]["name"].as_str().unwrap(),
                one["requirement"]["requirement"].as_str().unwrap()
            )
        })
        .collect();
    names.sort();
    names.dedup();
    names
}

#[test]
fn a_requirement_is_clean_a_finding_or_a_possible_finding() {
    let sandbox = sandbox();
    let scan =
        |more: &[&str]| sandbox.offline("scan", &[&["--format", "json", "repo"], more].concat());

    let report = scan(&[]).expect(1).json();
    assert_eq!(names(&report["findings"]), ["jquery ^1.12.0"]);
    assert_eq!(
        names(&report["possible"]),
        ["lodash ^4.17.0", "marked latest"]
    );
    assert_eq!(report["summary"]["complete"], true);

    // Without the finding, possible ones fail the run only on request.
    sandbox.write("package.json", MANIFEST.replace("^1.12.0", "^3.5.0"));
    scan(&[]).expect(0);
    scan(&["--fail-on", "possible"]).expect(1);
    sandbox.write(".patchgate.yml", "thresholds: { possible: true }\n");
    scan(&[]).expect(1);
}

#[test]
fn a_requirement_without_versions_is_incomplete_unless_that_is_waived() {
    let sandbox = sandbox();
    sandbox.write(
        "package.json",
        r#"{"dependencies": {"lodash": "git+https://h.invalid/lodash.git"}}"#,
    );
    let scan = || sandbox.offline("scan", &["--format", "json", "repo"]);

    let report = scan().expect(3).json();
    assert_eq!(report["incomplete"][0]["kind"], "unresolved");
    assert_eq!(report["incomplete"][0]["waived"], false);

    for (settings, code) in [
        ("incomplete: warn", 0),
        ("incomplete: { unresolved: warn }", 0),
        ("incomplete: { feed: warn }", 3),
        ("incomplete: fail", 3),
    ] {
        sandbox.write(".patchgate.yml", format!("thresholds: {{ {settings} }}\n"));
        let report = scan().expect(code).json();
        assert_eq!(report["incomplete"][0]["waived"], code == 0, "{settings}");
        assert_eq!(report["summary"]["complete"], false, "{settings}");
    }
}

#[test]
fn one_requirement_can_be_asked_about() {
    let sandbox = sandbox();
    let ask = |requirement: &str| {
        sandbox.offline(
            "query",
            &[
                "--format",
                "json",
                "npm",
                "jquery",
                "--requirement",
                requirement,
            ],
        )
    };

    assert_eq!(
        ask("^1.12.0").expect(1).json()["findings"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    let possible = ask(">=1").expect(0).json();
    assert_eq!(possible["findings"].as_array().unwrap().len(), 0);
    assert_eq!(
        possible["possible"][0]["requirement"]["newest_affected"],
        false
    );
    assert!(ask(">=3.5").expect(0).json().get("possible").is_none());
    let refused = ask("not one").expect(3).json();
    assert!(
        refused["error"]
            .as_str()
            .unwrap()
            .contains("not a requirement of npm")
    );
}

#[test]
fn an_advisory_is_explained_for_a_requirement() {
    let sandbox = sandbox();
    let explain = |id: &str| sandbox.offline("explain", &["--format", "json", id, "repo"]);

    let report = explain("GHSA-jpcq-cgw6-v4j6").expect(1).json();
    assert_eq!(report["packages"][0]["affected"], "yes");
    assert_eq!(report["packages"][0]["requirement"], "^1.12.0");
    let report = explain("GHSA-29mw-wpgm-hmr9").expect(0).json();
    assert_eq!(report["packages"][0]["affected"], "possibly");
    let report = explain("GHSA-xvch-5gv4-984h").expect(0).json();
    assert_eq!(report["packages"][0]["affected"], "no");
}

/// A server is asked by name, because there is no version to ask about.
#[test]
fn a_server_gives_the_same_answers_as_the_store() {
    let advisories = root().join("examples/advisories");
    let server = OsvServer::start(&[&advisories]);
    let mut sandbox = sandbox();
    let offline = sandbox
        .offline("scan", &["--format", "json", "repo"])
        .expect(1)
        .json();
    sandbox.set("PATCHGATE_OSV_URL", server.url());
    sandbox.set("PATCHGATE_KEV_URL", "none");
    sandbox.set("PATCHGATE_EPSS_URL", "none");
    let online = sandbox.run(&["scan", "--format", "json", "repo"]).json();

    for list in ["findings", "possible"] {
        assert_eq!(names(&online[list]), names(&offline[list]), "{list}");
        assert!(!names(&online[list]).is_empty(), "{list}");
    }
    let batches = server.requests();
    let batch = batches
        .iter()
        .find(|request| request.path == "/v1/querybatch")
        .unwrap();
    assert!(!String::from_utf8_lossy(&batch.body).contains("version"));
}

/// A registry with these versions of `leaf`, of which those before 1.5.0 are affected.
fn with_registry(versions: &[&str]) -> (Sandbox, NpmRegistry) {
    let releases = versions
        .iter()
        .map(|version| Release::new("leaf", version, &[]));
    let manifest = r#"{"dependencies": {"leaf": "^1.0.0"}}"#;
    npm_project(releases.collect(), manifest, ("leaf", "1.5.0"))
}

#[test]
fn the_registry_tells_whether_the_newest_admitted_version_is_affected() {
    for (versions, newest, affected) in [
        (&["1.0.0", "1.4.0"][..], "1.4.0", true),
        (&["1.0.0", "1.4.0", "1.6.0", "2.0.0"], "1.6.0", false),
    ] {
        let (sandbox, registry) = with_registry(versions);
        let scan = |more: &[&str]| {
            let fixed = [
                "scan",
                "--store",
                "store",
                "--max-age-days",
                "36500",
                "--format",
                "json",
            ];
            sandbox.run(&[&fixed[..], more, &["repo"]].concat())
        };

        let report = scan(&["--newest"]).json();
        let possible = &report["possible"][0];
        assert_eq!(possible["requirement"]["newest"], newest, "{report:#}");
        assert_eq!(possible["requirement"]["newest_affected"], affected);
        let text = if affected {
            "none newer"
        } else {
            "is not affected"
        };
        let steps = possible["decision"]["steps"].to_string();
        assert!(steps.contains(text), "{steps}");

        // Without the flag, and when the registry is gone, the records alone count.
        let report = scan(&[]).json();
        let alone = report["possible"][0]["requirement"].clone();
        assert_eq!(alone["newest"], serde_json::Value::Null);
        drop(registry);
        std::fs::remove_dir_all(sandbox.path("home/.cache")).ok();
        let run = scan(&["--newest"]);
        assert_eq!(run.json()["possible"][0]["requirement"], alone);
        assert!(
            run.stderr
                .contains("the newest version of a package is unknown"),
            "{run:?}"
        );
        scan(&["--newest", "--offline"]).expect(2);
    }
}
