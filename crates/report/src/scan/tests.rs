use insta::assert_snapshot;
use patchgate_config::{IgnoredFinding, Notice};
use patchgate_model::{
    Advisory, Epss, Finding, FixedVersion, Kev, Level, Location, Lockfile, Origin, Package,
    PackageRef, Problem, ProblemKind, Reference, Scope, Score, Severity, Signals, SourceStatus,
    package_url,
};
use patchgate_risk::Threshold;
use patchgate_vex::{Decision, Justification, Status, Suppressed};

use super::*;
use crate::Terminal;

/// Text that tries everything: an escape sequence, a bidirectional override, markup, HTML, a
/// comment, a mention, a cell border, a line break and a workflow command.
const HOSTILE: &str = "evil\u{1b}[31m\u{202e} `x` | <img src=x> <!-- patchgate:plan {} --> @octocat #1 [a](javascript:b)\n::error file=x::y";

fn record(id: &str, summary: &str) -> Advisory {
    Advisory {
        id: id.into(),
        aliases: Vec::new(),
        summary: summary.into(),
        modified: None,
        published: None,
        withdrawn: None,
        severity: Vec::new(),
        affected: Vec::new(),
        references: vec![
            Reference {
                kind: "WEB".into(),
                url: "javascript:alert(1)".into(),
            },
            Reference {
                kind: "ADVISORY".into(),
                url: format!("https://advisories.invalid/{id}"),
            },
        ],
        cwes: vec!["CWE-79".into()],
        severity_word: None,
        informational: None,
        database_specific: None,
    }
}

fn finding(id: &str, package: &str, version: &str, level: Level, cvss: Option<f64>) -> Finding {
    let summary = "Prototype pollution through the query string allows a crafted request to change how objects behave";
    let mut finding = Finding {
        id: id.into(),
        aliases: Vec::new(),
        summary: summary.into(),
        package: PackageRef {
            ecosystem: "npm",
            distribution: None,
            name: package.into(),
            version: version.into(),
            purl: package_url("npm", package, version),
        },
        locations: vec![Location {
            file: "package-lock.json".into(),
            line: 120,
        }],
        paths: vec![vec![format!("{package}@{version}")]],
        scope: Scope::Runtime,
        fixed: FixedVersion::At("6.5.3".into()),
        severity: Severity {
            level,
            cvss_score: cvss,
            cvss_vector: cvss.map(|_| "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H".into()),
        },
        signals: Signals {
            epss: None,
            kev: Some(None),
        },
        informational: None,
        malicious: false,
        score: Score::default(),
        advisories: vec![record(id, summary).into()],
    };
    rate(&mut finding);
    finding
}

fn rate(finding: &mut Finding) {
    finding.score = patchgate_risk::score(finding);
}

fn exploited() -> Finding {
    let mut finding = finding(
        "GHSA-aaaa-bbbb-cccc",
        "qs",
        "6.5.2",
        Level::Critical,
        Some(9.8),
    );
    finding.aliases = vec!["CVE-2024-0001".into(), "SNYK-1".into()];
    finding.signals.epss = Some(Epss {
        cve: "CVE-2024-0001".into(),
        probability: 0.943,
        percentile: 0.998,
    });
    finding.signals.kev = Some(Some(Kev {
        cve: "CVE-2024-0001".into(),
        date_added: "2024-01-02".into(),
        due_date: "2024-01-23".into(),
        ransomware: true,
    }));
    finding.paths = vec![
        vec![
            "express@4.17.1".into(),
            "body-parser@1.19.0".into(),
            "qs@6.5.2".into(),
        ],
        vec!["request@2.88.2".into(), "qs@6.5.2".into()],
        vec!["a@1.0.0".into(), "qs@6.5.2".into()],
        vec!["b@1.0.0".into(), "qs@6.5.2".into()],
    ];
    finding.locations.push(Location {
        file: "packages/web app/package-lock.json".into(),
        line: 7,
    });
    rate(&mut finding);
    finding
}

fn hostile() -> Finding {
    let mut finding = finding(HOSTILE, HOSTILE, HOSTILE, Level::Unknown, None);
    finding.summary = HOSTILE.into();
    finding.aliases = vec![HOSTILE.into()];
    finding.paths = vec![vec![HOSTILE.into(), HOSTILE.into()]];
    finding.fixed = FixedVersion::None(HOSTILE.into());
    finding.locations[0].file = HOSTILE.into();
    finding.signals.kev = None;
    std::sync::Arc::make_mut(&mut finding.advisories[0]).cwes = vec![HOSTILE.into()];
    rate(&mut finding);
    finding
}

fn findings() -> Vec<Finding> {
    let mut development = finding(
        "GHSA-dddd-eeee-ffff",
        "@babel/traverse-with-a-long-name",
        "7.0.0-beta.12",
        Level::Medium,
        Some(5.3),
    );
    development.scope = Scope::Development;
    development.signals.epss = Some(Epss {
        cve: "CVE-2024-2".into(),
        probability: 0.00042,
        percentile: 0.05,
    });
    development.fixed = FixedVersion::None("no release above 7.0.0-beta.12 is free of it".into());
    rate(&mut development);
    let mut unmaintained = finding(
        "RUSTSEC-2024-0001",
        "old",
        "0.1.0",
        Level::Informational,
        None,
    );
    unmaintained.informational = Some("unmaintained".into());
    unmaintained.summary = "old is unmaintained".into();
    unmaintained.fixed =
        FixedVersion::None("the record names no version that is free of it".into());
    rate(&mut unmaintained);
    let mut malicious = finding("MAL-2024-1234", "lodahs", "1.0.0", Level::Critical, None);
    malicious.malicious = true;
    malicious.summary = "Malicious code in lodahs (npm)".into();
    malicious.fixed = FixedVersion::None("the whole package is malicious: remove it".into());
    rate(&mut malicious);
    vec![unmaintained, development, hostile(), exploited(), malicious]
}

fn lockfile() -> Lockfile {
    let package = |name: &str, origin: Origin| Package {
        origin,
        ..Package::new("npm", name.into(), "1.0.0".into())
    };
    Lockfile {
        path: "package-lock.json".into(),
        ecosystem: "npm",
        format: "npm-lock-v3",
        packages: vec![
            package("qs", Origin::Registry(None)),
            package("express", Origin::Registry(None)),
            package("lodahs", Origin::Registry(None)),
            package("minimist", Origin::Registry(None)),
            package("old", Origin::Registry(None)),
            package("@babel/traverse-with-a-long-name", Origin::Registry(None)),
            package("own", Origin::Path(None)),
        ],
        ..Lockfile::default()
    }
}

fn sources() -> Vec<SourceStatus> {
    let source = |name: &str, as_of: Option<&str>, records, warning: Option<&str>| SourceStatus {
        name: name.into(),
        origin: "store".into(),
        as_of: as_of.map(|at| at.parse().unwrap()),
        records,
        warning: warning.map(str::to_owned),
    };
    vec![
        source("osv:npm", Some("2026-01-28T00:00:00Z"), Some(214_010), None),
        source(
            "kev",
            Some("2025-08-25T00:00:00Z"),
            Some(1_404),
            Some("older than 7 days: run `patchgate db update`"),
        ),
        source("epss", None, None, None),
    ]
}

fn problems() -> Vec<Problem> {
    vec![
        Problem {
            kind: ProblemKind::File,
            subject: "web/package-lock.json".into(),
            line: Some(17),
            reason: "git conflict markers".into(),
            hint: Some("resolve the conflict and scan again".into()),
        },
        Problem {
            kind: ProblemKind::Advisories,
            subject: HOSTILE.into(),
            line: None,
            reason: HOSTILE.into(),
            hint: None,
        },
    ]
}

/// A report with everything in it.
pub(crate) fn rich() -> ScanReport {
    let ignored = [IgnoredFinding {
        finding: finding(
            "GHSA-gggg-hhhh-iiii",
            "minimist",
            "1.2.0",
            Level::Low,
            Some(3.1),
        ),
        reason: format!("only in tests {HOSTILE}"),
        until: "2026-12-31".parse().unwrap(),
        justification: None,
    }];
    let notices = [Notice {
        file: ".patchgate.yml".into(),
        line: 4,
        text:
            "the ignore entry for `CVE-1` expired on 2026-01-01 and matches no finding: remove it"
                .into(),
    }];
    ScanReport::new(&ScanInput {
        findings: &findings(),
        ignored: &ignored,
        suppressed: &suppressed(),
        vex_notices: &vex_notices(),
        notices: &notices,
        problems: &problems(),
        ..input(&[lockfile()], &sources())
    })
}

/// A finding that a statement suppresses, and one that a statement in words alone does.
fn suppressed() -> Vec<Suppressed> {
    let decision = |status, word: Option<Justification>, impact: Option<&str>| Decision {
        status,
        justification: word.map(|word| patchgate_vex::Reason {
            word,
            written: word.word().to_owned(),
        }),
        impact: impact.map(str::to_owned),
        action: None,
        statement: "https://vex.invalid/1".to_owned(),
        line: 12,
        author: "Security Team".to_owned(),
        timestamp: "2026-01-02T03:04:05Z".parse().ok(),
        source: "vex/shop.json".to_owned(),
    };
    vec![
        Suppressed {
            finding: finding(
                "GHSA-jjjj-kkkk-llll",
                "semver",
                "5.0.0",
                Level::High,
                Some(7.5),
            ),
            decision: decision(
                Status::NotAffected,
                Some(Justification::VulnerableCodeNotInExecutePath),
                None,
            ),
        },
        Suppressed {
            finding: finding(
                "GHSA-mmmm-nnnn-oooo",
                "tar",
                "4.0.0",
                Level::High,
                Some(8.2),
            ),
            decision: Decision {
                author: String::new(),
                timestamp: None,
                source: format!("https://a.invalid/{HOSTILE}"),
                ..decision(Status::NotAffected, None, Some(HOSTILE))
            },
        },
    ]
}

fn vex_notices() -> Vec<patchgate_vex::Notice> {
    vec![
        patchgate_vex::Notice {
            source: "vex/shop.json".into(),
            line: Some(40),
            text: "says `fixed` about `CVE-2024-1` without a version, so it does not count".into(),
        },
        patchgate_vex::Notice {
            source: HOSTILE.into(),
            line: None,
            text: format!("is `{HOSTILE}` and not final, so it suppresses nothing"),
        },
    ]
}

/// Nothing but these files, read without a problem.
fn input<'a>(lockfiles: &'a [Lockfile], sources: &'a [SourceStatus]) -> ScanInput<'a> {
    ScanInput {
        findings: &[],
        ignored: &[],
        suppressed: &[],
        vex_notices: &[],
        notices: &[],
        lockfiles,
        problems: &[],
        sources,
        threshold: Threshold::default(),
        exit: RunEnd {
            code: 3,
            reason: "incomplete",
        },
        now: "2026-01-30T12:00:00Z".parse().unwrap(),
    }
}

fn report(
    findings: &[Finding],
    ignored: &[IgnoredFinding],
    notices: &[Notice],
    problems: &[Problem],
) -> ScanReport {
    ScanReport::new(&ScanInput {
        findings,
        ignored,
        notices,
        problems,
        ..input(&[lockfile()], &sources())
    })
}

pub(crate) fn plain(width: usize) -> Terminal {
    Terminal {
        width,
        color: false,
    }
}

/// Nothing that a terminal obeys, and no line that begins a workflow command.
pub(crate) fn assert_harmless(text: &str) {
    for line in text.lines() {
        assert!(!line.contains(crate::clean::is_unsafe), "{line:?}");
        assert!(!line.trim_start().starts_with("::"), "{line:?}");
    }
}

#[test]
fn the_table_fits_its_terminal() {
    for width in [80, 140] {
        let text = rich().to_table(plain(width));
        assert_harmless(&text);
        assert_snapshot!(format!("table_{width}"), text);
    }
}

fn malicious() -> Finding {
    let mut finding = finding("MAL-2026-1", "evil", "1.0.0", Level::Low, None);
    finding.malicious = true;
    finding.summary = "Malicious code in evil".into();
    finding.signals.kev = None;
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
    let table = report.to_table(plain(100));
    assert!(
        table.starts_with(
            "INCIDENT: 1 malicious release is installed\n  evil@1.0.0 at package-lock.json:"
        ),
        "{table}"
    );
    let markdown = report.to_markdown(usize::MAX);
    let incident = markdown.find("### Incident: 1 malicious release is installed");
    assert!(incident < markdown.find("### Findings"), "{markdown}");
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
    assert!(!without.to_table(plain(100)).contains("INCIDENT"));
    assert!(!without.to_markdown(usize::MAX).contains("Incident"));
}

#[test]
fn colour_changes_nothing_but_colour() {
    let color = Terminal {
        width: 100,
        color: true,
    };
    let painted = rich().to_table(color);
    assert!(
        painted.contains("\u{1b}[1m\u{1b}[31mcritical"),
        "{painted:?}"
    );
    let mut bare = String::new();
    let mut rest = painted.as_str();
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        bare.push_str(before);
        rest = after.split_once('m').unwrap().1;
    }
    bare.push_str(rest);
    let trimmed: String = bare
        .lines()
        .map(|line| format!("{}\n", line.trim_end()))
        .collect();
    assert_eq!(trimmed, rich().to_table(plain(100)));
}

#[test]
fn direct_dependencies_alone_are_told() {
    let pom = |path: &str| Lockfile {
        path: path.to_owned(),
        direct_only: true,
        ..lockfile()
    };
    let of = |lockfiles: &[Lockfile]| {
        ScanReport::new(&ScanInput {
            exit: RunEnd {
                code: 0,
                reason: "clean",
            },
            ..input(lockfiles, &[])
        })
    };
    let several = of(&[
        pom("pom.xml"),
        lockfile(),
        pom("a/pom.xml"),
        pom("b/pom.xml"),
    ]);
    let text = several.to_table(plain(300));
    assert!(
        text.contains("pom.xml and 2 other files state direct dependencies only: transitive"),
        "{text}"
    );
    let one = of(&[pom("pom.xml")]);
    let note = "pom.xml states direct dependencies only";
    assert!(one.to_markdown(usize::MAX).contains(note));
    assert!(one.to_sarif().contains(note));
    assert!(one.lockfiles[0].direct_only);
    assert!(
        !of(&[lockfile()])
            .to_markdown(usize::MAX)
            .contains("direct dependencies only")
    );
}

#[test]
fn clean_is_said_only_of_a_whole_scan() {
    let clean = report(&[], &[], &[], &[]).to_table(plain(80));
    assert!(
        clean.ends_with("No known vulnerabilities in 6 packages from 1 lockfile\n"),
        "{clean}"
    );
    let incomplete = report(&[], &[], &[], &problems()).to_table(plain(200));
    assert!(
        incomplete.ends_with("No known vulnerabilities in what could be read: 6 packages from 1 lockfile. The scan is incomplete\n"),
        "{incomplete}"
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
    assert!(text.contains("more are left out here"));
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
        "10 results are left out: GitHub takes 25000."
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

/// A file of the shared data; `None`, loudly, where it is absent outside CI.
#[expect(
    clippy::disallowed_methods,
    reason = "a test reads the published schema"
)]
fn shared(path: &str) -> Option<String> {
    let folder = std::env::var("PATCHGATE_SHARED")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared").to_owned());
    match std::fs::read_to_string(format!("{folder}/{path}")) {
        Ok(text) => Some(text),
        Err(error) => {
            assert!(
                std::env::var("CI").as_deref() != Ok("true"),
                "{folder}/{path}: {error}"
            );
            eprintln!("SKIPPED: {folder}/{path} is absent: {error}");
            None
        }
    }
}
