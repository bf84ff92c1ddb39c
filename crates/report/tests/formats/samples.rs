//! Reports: one like a real one, a hostile one, and a huge one.

use std::collections::{BTreeMap, BTreeSet};

use patchgate_model::{
    Advisory, EcosystemName, Epss, Extent, Finding, FixedVersion, FormatId, Kev, KevStatus, Level,
    Location, Lockfile, Origin, Package, PackageRef, Problem, ProblemKind, Reference,
    RequirementMatch, Scope, Score, Severity, Signals, SourceStatus, package_url,
};
use patchgate_report::{GitLabOptions, HtmlOptions, RunEnd, ScanInput, ScanReport};
use patchgate_risk::Threshold;

/// Text that tries to act wherever it is shown: an escape sequence, a bidirectional override, a
/// character that XML excludes, markup, a handler, a mention, a formula, a command of a forge.
pub(crate) const HOSTILE: &str = "=cmd|' /C calc'!A0\u{1b}[31m\u{202e}\u{0}\u{b}\u{fffe}</script></style><script>window.hacked=1</script><img src=x onerror=\"window.hacked=2\"> ]]> &amp; \"'` {{ 7*7 }} @everyone fixes #1 <!-- -->\n/merge\n::error::x";

pub(crate) fn time() -> jiff::Timestamp {
    "2026-01-30T12:00:00Z".parse().unwrap()
}

/// A finding with a chain of four steps, three links and every signal.
pub(crate) fn finding(number: usize) -> Finding {
    let package = number / 3;
    let level = [Level::Critical, Level::High, Level::Medium, Level::Low][number % 4];
    let cvss = [9.8, 7.5, 5.3, 3.1][number % 4];
    let name = format!("package-number-{package}");
    let version = format!("{}.{}.1", package % 7, package % 13);
    let id = format!("GHSA-{:04}-{:04}-abcd", number / 10_000, number % 10_000);
    let cve = format!("CVE-2024-{number:05}");
    let reference = |kind: &str, url: String| Reference {
        kind: kind.into(),
        url,
    };
    let advisory = Advisory {
        id: id.as_str().into(),
        aliases: vec![cve.as_str().into()],
        summary: String::new(),
        details: String::new(),
        modified: None,
        published: None,
        withdrawn: None,
        severity: Vec::new(),
        affected: Vec::new(),
        references: vec![
            reference("ADVISORY", format!("https://advisories.invalid/{id}")),
            reference("WEB", format!("https://tracker.invalid/issues/{number}")),
            reference(
                "FIX",
                format!("https://code.invalid/shop/{name}/commit/{number:040x}"),
            ),
        ],
        cwes: vec!["CWE-1321".into()],
        severity_word: None,
        informational: None,
        database_specific: None,
    };

    let mut finding = Finding {
        id,
        aliases: vec![cve.clone()],
        summary: format!(
            "{name} allows a crafted request to change how objects behave through the query string"
        ),
        package: PackageRef {
            ecosystem: EcosystemName::new("npm"),
            distribution: None,
            name: name.clone(),
            version: version.clone(),
            purl: package_url("npm", &name, &version),
        },
        locations: vec![Location {
            file: format!("services/shop-{}/package-lock.json", package % 40),
            line: u32::try_from(number).unwrap() + 1,
        }],
        paths: vec![vec![
            format!("@shop/service-{}@1.0.0", package % 40),
            format!("framework-core@{}.2.0", package % 5),
            "http-helpers@4.17.21".into(),
            format!("{name}@{version}"),
        ]],
        scope: [Scope::Runtime, Scope::Development][usize::from(package % 5 == 4)],
        requirement: None,
        fixed: match number % 6 {
            5 => FixedVersion::None("the records name no version that is free of it".into()),
            _ => FixedVersion::At(format!(
                "{}.{}.{}",
                package % 7,
                package % 13,
                5 + number % 3
            )),
        },
        severity: Severity {
            level,
            cvss_score: Some(cvss),
            cvss_vector: Some("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H".into()),
        },
        signals: Signals {
            epss: Some(Epss {
                cve: cve.clone(),
                probability: (number % 100) as f64 / 150.0,
                percentile: 0.5,
            }),
            kev: match number % 97 {
                0 => KevStatus::Listed(Kev {
                    cve,
                    date_added: "2025-01-02".into(),
                    due_date: "2025-01-23".into(),
                    ransomware: number.is_multiple_of(2),
                }),
                _ => KevStatus::NotListed,
            },
        },
        informational: None,
        malicious: false,
        reachability: None,
        score: Score::default(),
        advisories: vec![advisory.into()],
    };
    finding.score = patchgate_risk::score(&finding, &patchgate_risk::Profiles::default());
    finding
}

/// A finding with hostile text wherever a record or a lockfile has text.
pub(crate) fn hostile() -> Finding {
    let mut finding = finding(0);
    finding.id = HOSTILE.into();
    finding.aliases = vec![HOSTILE.into()];
    finding.summary = format!("{HOSTILE} {}", "long ".repeat(200_000));
    finding.package.name = HOSTILE.into();
    finding.package.version = HOSTILE.into();
    finding.package.purl = HOSTILE.into();
    finding.locations = vec![Location {
        file: HOSTILE.into(),
        line: 1,
    }];
    finding.paths = vec![vec![HOSTILE.into(); 40]];
    finding.fixed = FixedVersion::None(HOSTILE.into());
    finding.severity.cvss_vector = Some(HOSTILE.into());
    let advisory = std::sync::Arc::make_mut(&mut finding.advisories[0]);
    advisory.cwes = vec![HOSTILE.into(), "CWE-".into()];
    advisory.references = vec![
        Reference {
            kind: HOSTILE.into(),
            url: "javascript:window.hacked=3".into(),
        },
        Reference {
            kind: "ADVISORY".into(),
            url: format!("https://a.invalid/{HOSTILE}"),
        },
    ];
    finding
}

/// A finding about a requirement of which some versions are affected.
fn possible() -> Finding {
    let mut finding = finding(1);
    finding.package.version = String::new();
    finding.requirement = Some(RequirementMatch {
        requirement: "^4.0.0".into(),
        extent: Extent::Some,
        affected: vec![">= 4.0.0, < 6.5.3".into()],
        newest: None,
        newest_affected: Some(false),
        raised: Some("^6.5.3".into()),
    });
    finding.score = patchgate_risk::score(&finding, &patchgate_risk::Profiles::default());
    finding
}

fn lockfile() -> Lockfile {
    let package = |name: &str| Package {
        origin: Origin::Registry(None),
        ..Package::new(EcosystemName::new("npm"), name.into(), "1.0.0".into())
    };
    Lockfile {
        path: "package-lock.json".into(),
        ecosystem: EcosystemName::new("npm"),
        format: FormatId::new("npm-lock-v3"),
        packages: vec![package("a"), package(HOSTILE)],
        ..Lockfile::default()
    }
}

fn problem(subject: &str, reason: &str) -> Problem {
    Problem {
        kind: ProblemKind::File,
        subject: subject.into(),
        line: Some(3),
        reason: reason.into(),
        hint: Some("resolve the conflict and scan again".into()),
    }
}

/// The report of these findings, with a possible one, and an unread file.
pub(crate) fn report(findings: &[Finding], problems: &[Problem]) -> ScanReport {
    let mut fixes = BTreeMap::new();
    for finding in findings {
        if let FixedVersion::At(version) = &finding.fixed {
            let fix: &mut String = fixes.entry(finding.package.clone()).or_default();
            *fix = version.clone().max(fix.clone());
        }
    }
    let sources = [SourceStatus {
        name: "osv:npm".into(),
        origin: "store".into(),
        as_of: Some(time()),
        records: Some(214_010),
        warning: None,
    }];

    ScanReport::new(&ScanInput {
        findings,
        possible: &[possible()],
        fixes: &fixes,
        ignored: &[],
        suppressed: &[],
        vex_notices: &[],
        notices: &[],
        lockfiles: &[lockfile()],
        groups: &BTreeMap::new(),
        problems,
        waived: &BTreeSet::new(),
        sources: &sources,
        threshold: &Threshold::default(),
        exit: match problems {
            [] => RunEnd {
                code: 1,
                reason: "findings",
            },
            _ => RunEnd {
                code: 3,
                reason: "incomplete",
            },
        },
        now: time(),
    })
}

/// `number` ordinary findings.
pub(crate) fn ordinary(number: usize) -> ScanReport {
    let findings: Vec<Finding> = (0..number).map(finding).collect();
    report(&findings, &[])
}

/// Ordinary findings, a hostile one, and unread files.
pub(crate) fn mixed() -> ScanReport {
    let mut findings: Vec<Finding> = (0..12).map(finding).collect();
    findings.push(hostile());
    report(
        &findings,
        &[
            problem("web/package-lock.json", "git conflict markers"),
            problem(HOSTILE, HOSTILE),
        ],
    )
}

/// The page of a report.
pub(crate) fn html(report: &ScanReport) -> String {
    report.to_html(&HtmlOptions {
        name: HOSTILE,
        time: time(),
    })
}

/// The report for GitLab's dependency scanning.
pub(crate) fn gitlab(report: &ScanReport) -> String {
    report.to_gitlab_dependency_scanning(&GitLabOptions {
        lockfiles: &[lockfile()],
        start: time(),
        end: time(),
    })
}
