mod samples;
mod table;

use std::collections::BTreeMap;

use insta::assert_snapshot;
use patchgate_model::{Extent, Finding, Level, Location};

use super::*;

use samples::*;
pub(crate) use samples::{
    HOSTILE, assert_harmless, exploited, finding, plain, record, report, rich,
};

#[test]
fn possible_findings_are_apart_in_markdown_and_notices() {
    let report = rich();
    let markdown = report.to_markdown(usize::MAX);
    let start = markdown.find("### Possible findings").unwrap();
    let row = "| `qs ^4.0.0` | affects &gt;= 4.0.0, &lt; 6.5.3, not the newest admitted version | `^6.5.3` |";
    assert!(markdown[start..].contains(row), "{markdown}");
    assert!(
        !markdown[..start].contains("GHSA-pppp-qqqq-rrrr"),
        "{markdown}"
    );

    let annotations = report.to_annotations();
    let possible: Vec<&str> = annotations
        .lines()
        .filter(|line| line.contains("GHSA-pppp-qqqq-rrrr"))
        .collect();
    assert_eq!(possible.len(), 1);
    assert!(
        possible[0].starts_with(
            "::notice file=package.json,line=120,title=Possible%3A GHSA-pppp-qqqq-rrrr in qs ^4.0.0::"
        ),
        "{possible:?}"
    );
}

fn malicious() -> Finding {
    let mut finding = finding("MAL-2026-1", "evil", "1.0.0", Level::Low, None);
    finding.malicious = true;
    finding.summary = "Malicious code in evil".into();
    finding.signals.kev = patchgate_model::KevStatus::NotConsulted;
    rate(&mut finding);
    finding
}

#[test]
fn a_malicious_release_is_an_incident_at_the_top_of_every_report() {
    // Ransomware uses the other one: as high a score as there can be.
    let mut top = exploited();
    top.score.value = 100.0;
    let report = report(&[top, malicious()], &[], &[], &[]);

    assert_eq!(report.findings[0].id, "MAL-2026-1");

    let table = report.to_table(plain(100), Detail::Brief);
    assert!(
        table.starts_with(
            "INCIDENT: 1 malicious release is installed\n  evil@1.0.0 at package-lock.json:"
        ),
        "{table}"
    );

    let markdown = report.to_markdown(usize::MAX);
    let incident = markdown.find("### Incident: 1 malicious release is installed");

    assert!(incident < markdown.find("### Act now"), "{markdown}");
    assert!(incident.is_some());

    let annotations = report.to_annotations();
    assert!(
        annotations
            .lines()
            .next()
            .unwrap()
            .contains("title=Incident%3A malicious release"),
        "{annotations}"
    );

    let sarif: serde_json::Value = serde_json::from_str(&report.to_sarif()).unwrap();
    let first = &sarif["runs"][0]["results"][0];

    assert_eq!(
        (&first["ruleId"], &first["level"]),
        (&"MAL-2026-1".into(), &"error".into())
    );

    let text = first["message"]["text"].as_str().unwrap();
    assert!(
        text.starts_with("evil@1.0.0 is a malicious release, an incident:"),
        "{text}"
    );

    let without = super::tests::report(&[exploited()], &[], &[], &[]);
    assert!(
        !without
            .to_table(plain(100), Detail::Brief)
            .contains("INCIDENT")
    );
    assert!(!without.to_markdown(usize::MAX).contains("Incident"));
}

#[test]
fn a_requirement_keeps_its_affected_part() {
    let possible = required("GHSA-1", "qs", "^4.0.0", Extent::Some);
    let certain = required("GHSA-2", "qs", "^4.0.0", Extent::All);
    let report = ScanReport::new(&ScanInput {
        findings: &[certain],
        possible: &[possible],
        ..input(&[lockfile()], &[])
    });

    assert_eq!((report.summary.findings, report.summary.possible), (1, 1));
    let extents = [&report.findings[0], &report.possible[0]]
        .map(|finding| finding.requirement.clone().unwrap().extent);
    assert_eq!(extents, ["all", "some"]);
    assert_eq!(
        report.possible[0].requirement,
        Some(RequirementReport {
            requirement: "^4.0.0".into(),
            extent: "some".into(),
            affected: vec![">= 4.0.0, < 6.5.3".into()],
            newest: None,
            newest_affected: Some(false),
            raised: Some("^6.5.3".into()),
        })
    );
}

#[test]
fn packages_of_requirements_are_not_among_those_that_were_read() {
    let report = report(
        &[required("GHSA-1", "qs", "^4.0.0", Extent::All)],
        &[],
        &[],
        &[],
    );
    let text = report.to_table(plain(200), Detail::Brief);
    let line = "\n1 finding in 1 package (read: 6 packages from 1 lockfile): 1 high; 1 fixable\n";
    assert!(text.contains(line), "{text}");
    assert!(
        text.contains("qs ^4.0.0 -> ^6.5.3 in package.json:120, direct"),
        "{text}"
    );
}

#[test]
fn a_finding_is_in_a_group_only_with_all_its_files() {
    let at = |files: &[&str]| {
        let mut finding = finding(&files.join("+"), "qs", "6.5.2", Level::High, Some(8.0));
        finding.locations = files
            .iter()
            .map(|file| Location {
                file: (*file).into(),
                line: 1,
            })
            .collect();
        finding
    };
    let groups = BTreeMap::from([("t/a", "test"), ("t/b", "test"), ("e/c", "example")]);
    let report = ScanReport::new(&ScanInput {
        findings: &[
            at(&["t/a", "t/b"]),
            at(&["t/a", "own"]),
            at(&["own", "t/a"]),
            at(&["e/c", "t/b"]),
        ],
        possible: &[required("GHSA-1", "qs", "*", Extent::Some)],
        groups: &groups,
        ..input(&[lockfile()], &[])
    });

    let of = |id: &str| {
        let found = report.findings.iter().find(|finding| finding.id == id);
        found.unwrap().group.as_deref()
    };
    assert_eq!(of("t/a+t/b"), Some("test"));
    assert_eq!((of("t/a+own"), of("own+t/a")), (None, None));
    assert_eq!(of("e/c+t/b"), Some("example"));
    let counted: Vec<_> = report
        .summary
        .groups
        .iter()
        .map(|one| (one.group.as_str(), one.findings, one.possible))
        .collect();
    assert_eq!(counted, [("example", 1, 0), ("test", 1, 0)]);
}

#[test]
fn a_file_read_in_part_names_what_is_lost() {
    let report = rich();
    let lost: Vec<_> = report.lockfiles[0]
        .skipped
        .iter()
        .map(|one| (one.line, one.loss.as_str()))
        .collect();
    assert_eq!(lost, [(12, "package"), (40, "edge"), (51, "detail")]);
}

#[test]
fn a_manifest_without_a_lockfile_is_something_to_scan() {
    let possible = [required("GHSA-1", "qs", "^4.0.0", Extent::Some)];
    let headline = |possible: &[patchgate_model::Finding], reason| {
        let report = ScanReport::new(&ScanInput {
            possible,
            exit: RunEnd { code: 0, reason },
            ..input(&[], &[])
        });
        super::phrases::headline(&report)
    };

    assert_eq!(
        headline(&possible, "clean"),
        "No certain findings in manifests without a lockfile"
    );
    assert_eq!(
        headline(&[], "clean"),
        "No known vulnerabilities in manifests without a lockfile"
    );
    assert_eq!(
        headline(&[], "nothing-to-scan"),
        "Nothing to scan: no lockfile was found"
    );
}

#[test]
fn a_file_of_two_ecosystems_counts_once() {
    let file = |path: &str| patchgate_model::Lockfile {
        path: path.to_owned(),
        ..patchgate_model::Lockfile::default()
    };
    let lockfiles = [file("ci.yml"), file("ci.yml"), file("Cargo.lock")];
    assert_eq!(super::different_files(&lockfiles), 2);
}

#[test]
fn the_cve_is_the_first_alias() {
    let mut finding = exploited();
    finding.aliases = ["BIT-qs-2024-1", "CVE-2024-9", "GHSA-z", "CVE-2024-0001"]
        .map(str::to_owned)
        .into();
    assert_eq!(
        report(&[finding], &[], &[], &[]).findings[0].aliases,
        ["CVE-2024-0001", "CVE-2024-9", "BIT-qs-2024-1", "GHSA-z"]
    );
}

#[test]
fn markdown_is_inert() {
    let text = rich().to_markdown(crate::GITHUB_SUMMARY_LIMIT);
    assert_harmless(&text);
    assert!(!text.contains("<!--"));

    // In a code span, markup is text.
    let outside: String = text.split('`').step_by(2).collect();
    assert!(!outside.contains("<img"));
    assert!(!outside.contains("@octocat"));
    assert!(!outside.replace("\\]", "").contains("](javascript"));
    assert_snapshot!("markdown", text);
}

#[test]
fn markdown_keeps_its_length() {
    let many: Vec<Finding> = (0..2_000)
        .map(|n| finding(&format!("GHSA-{n}"), "qs", "1.0.0", Level::High, Some(8.0)))
        .collect();
    let text = report(&many, &[], &[], &[]).to_markdown(crate::GITHUB_BODY_LIMIT);
    assert!(text.len() <= crate::GITHUB_BODY_LIMIT, "{}", text.len());
    assert!(text.len() > crate::GITHUB_BODY_LIMIT * 9 / 10);
    assert!(text.contains("more are omitted here"));
}

#[test]
fn annotations_are_one_line_each() {
    let text = rich().to_annotations();
    for line in text.lines() {
        assert!(
            ["::error ", "::warning ", "::notice "]
                .iter()
                .any(|c| line.starts_with(c))
        );
        assert!(!line.contains(crate::clean::is_unsafe), "{line:?}");
    }

    assert_snapshot!("annotations", text);
}

#[test]
fn json_is_of_its_schema_and_in_order() {
    let text = rich().to_json();
    assert_valid(&crate::schema(crate::SchemaKind::Scan), &text);

    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    let scores: Vec<f64> = json["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["score"].as_f64().unwrap())
        .collect();

    assert!(scores.is_sorted_by(|a, b| a >= b), "{scores:?}");

    let mut reversed = findings();
    reversed.reverse();

    assert_eq!(
        report(&reversed, &[], &[], &[]),
        report(&findings(), &[], &[], &[])
    );
    assert_snapshot!("json", text);
}

#[test]
fn sarif_is_of_its_schema() {
    let text = rich().to_sarif();
    assert_snapshot!("sarif", text);
    if let Some(schema) = shared("schemas/sarif-2.1.0.schema.json") {
        assert_valid(&schema, &text);
        assert_valid(&schema, &report(&[], &[], &[], &[]).to_sarif());
    }
}

#[test]
fn sarif_fingerprints_do_not_move_with_lines() {
    let fingerprints = |line: u32| {
        let mut finding = exploited();
        finding.locations[0].line = line;
        let sarif: serde_json::Value =
            serde_json::from_str(&report(&[finding], &[], &[], &[]).to_sarif()).unwrap();
        let results = sarif["runs"][0]["results"].as_array().unwrap().clone();

        assert_ne!(
            results[0]["partialFingerprints"],
            results[1]["partialFingerprints"]
        );
        results
            .into_iter()
            .map(|r| r["partialFingerprints"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(fingerprints(1), fingerprints(999));
}

#[test]
fn sarif_keeps_to_githubs_limits() {
    let many: Vec<Finding> = (0..25_010)
        .map(|n| {
            let mut small = finding("GHSA-x", "qs", &n.to_string(), Level::High, Some(8.0));
            small.advisories.clear();
            small
        })
        .collect();
    let sarif: serde_json::Value =
        serde_json::from_str(&report(&many, &[], &[], &[]).to_sarif()).unwrap();
    let run = &sarif["runs"][0];

    assert_eq!(run["results"].as_array().unwrap().len(), 25_000);
    assert_eq!(run["invocations"][0]["executionSuccessful"], false);
    assert_eq!(
        run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"],
        "10 results are omitted: GitHub accepts 25000."
    );
}

pub(crate) fn assert_valid(schema: &str, text: &str) {
    let schema: serde_json::Value = serde_json::from_str(schema).unwrap();
    let value: serde_json::Value = serde_json::from_str(text).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(&value)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert_eq!(errors, Vec::<String>::new());
}

/// A file of the shared data; `None`, and reported as skipped, when that is missing.
#[expect(
    clippy::disallowed_methods,
    reason = "a test reads the published schema"
)]
fn shared(path: &str) -> Option<String> {
    let path = patchgate_testkit::shared_dir()?.join(path);
    Some(std::fs::read_to_string(path).unwrap())
}

/// The evidence of the sources is in every report, and a name of a file in it is escaped.
#[test]
fn the_use_of_a_package_is_shown_with_its_place() {
    use patchgate_model::{Reachability, ReachabilityEvidence, SourcePlace};

    let mut called = finding("GHSA-1", "qs", "6.5.2", Level::High, Some(7.5));
    called.reachability = Some(ReachabilityEvidence {
        reachability: Reachability::SymbolCalled,
        reason: "1 of 3 affected symbols is used".to_owned(),
        places: vec![SourcePlace {
            location: Location {
                file: "src/<b>\u{1b}.js".to_owned(),
                line: 12,
            },
            name: "qs.parse".to_owned(),
        }],
        lowers_outcome: false,
    });
    let report = report(&[called], &[], &[], &[]);

    let brief = report.to_table(plain(200), Detail::Brief);
    assert!(brief.contains("symbol called at src/<b>"), "{brief}");
    assert!(!brief.contains('\u{1b}'), "{brief}");
    let all = report.to_table(plain(200), Detail::All);
    assert!(
        all.contains("1 of 3 affected symbols is used; src/<b>"),
        "{all}"
    );
    assert!(all.contains("(qs.parse)"), "{all}");

    let markdown = report.to_markdown(usize::MAX);
    assert!(markdown.contains("symbol called at src/"), "{markdown}");
    assert!(!markdown.contains("src/<b>"), "{markdown}");

    let page = report.to_html(&crate::HtmlOptions {
        name: "shop",
        time: "2026-01-30T12:00:00Z".parse().unwrap(),
    });
    assert!(page.contains("symbol called at src/&lt;b&gt;"), "{page}");
    assert!(!page.contains("src/<b>"), "{page}");

    let sarif: serde_json::Value = serde_json::from_str(&report.to_sarif()).unwrap();
    let result = &sarif["runs"][0]["results"][0];
    let place = &result["relatedLocations"][0]["physicalLocation"];
    assert_eq!(place["region"]["startLine"], 12, "{result:#}");
    assert_eq!(result["properties"]["reachability"], "symbol-called");

    let json: serde_json::Value = serde_json::from_str(&report.to_json()).unwrap();
    let reachability = &json["findings"][0]["reachability"];
    assert_eq!(reachability["answer"], "symbol-called");
    assert_eq!(reachability["places"][0]["name"], "qs.parse");
}
