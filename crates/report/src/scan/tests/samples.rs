//! Findings, ignored and suppressed ones, problems and sources of every kind.

use std::collections::{BTreeMap, BTreeSet};

use crate::Terminal;
use crate::scan::*;
use patchgate_config::{IgnoredFinding, Notice};
use patchgate_model::{
    Advisory, EcosystemName, Epss, Extent, Finding, FixedVersion, FormatId, Kev, KevStatus, Level,
    Location, Lockfile, Loss, Origin, Package, PackageRef, Problem, ProblemKind, Reference,
    RequirementMatch, Scope, Score, Severity, Signals, SkippedEntry, SourceStatus, package_url,
};
use patchgate_risk::Threshold;
use patchgate_vex::{Decision, Justification, Status, SuppressedFinding};

/// Text that tries everything: an escape sequence, a bidirectional override, markup, HTML, a
/// comment, a mention, a cell border, a line break and a workflow command.
pub(crate) const HOSTILE: &str = "evil\u{1b}[31m\u{202e} `x` | <img src=x> <!-- patchgate:plan {} --> @octocat #1 [a](javascript:b)\n::error file=x::y";

pub(crate) fn record(id: &str, summary: &str) -> Advisory {
    Advisory {
        id: id.into(),
        aliases: Vec::new(),
        summary: summary.into(),
        details: String::new(),
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

pub(crate) fn finding(
    id: &str,
    package: &str,
    version: &str,
    level: Level,
    cvss: Option<f64>,
) -> Finding {
    let summary = "Prototype pollution through the query string allows a crafted request to change how objects behave";
    let mut finding = Finding {
        id: id.into(),
        aliases: Vec::new(),
        summary: summary.into(),
        package: PackageRef {
            ecosystem: EcosystemName::new("npm"),
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
        requirement: None,
        fixed: FixedVersion::At("6.5.3".into()),
        severity: Severity {
            level,
            cvss_score: cvss,
            cvss_vector: cvss.map(|_| "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H".into()),
        },
        signals: Signals {
            epss: None,
            kev: KevStatus::NotListed,
        },
        informational: None,
        malicious: false,
        reachability: None,
        score: Score::default(),
        advisories: vec![record(id, summary).into()],
    };
    rate(&mut finding);

    finding
}

pub(super) fn rate(finding: &mut Finding) {
    finding.score = patchgate_risk::score(finding, &patchgate_risk::Profiles::default());
}

pub(crate) fn exploited() -> Finding {
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
    finding.signals.kev = KevStatus::Listed(Kev {
        cve: "CVE-2024-0001".into(),
        date_added: "2024-01-02".into(),
        due_date: "2024-01-23".into(),
        ransomware: true,
    });
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

pub(super) fn hostile() -> Finding {
    let mut finding = finding(HOSTILE, HOSTILE, HOSTILE, Level::Unknown, None);
    finding.summary = HOSTILE.into();
    finding.aliases = vec![HOSTILE.into()];
    finding.paths = vec![vec![HOSTILE.into(), HOSTILE.into()]];
    finding.fixed = FixedVersion::None(HOSTILE.into());
    finding.locations[0].file = HOSTILE.into();
    finding.signals.kev = KevStatus::NotConsulted;
    std::sync::Arc::make_mut(&mut finding.advisories[0]).cwes = vec![HOSTILE.into()];
    rate(&mut finding);

    finding
}

pub(super) fn findings() -> Vec<Finding> {
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

/// A finding about a requirement. The version of the package is unknown.
pub(super) fn required(id: &str, package: &str, requirement: &str, extent: Extent) -> Finding {
    let mut finding = finding(id, package, "", Level::High, Some(7.5));
    finding.locations[0].file = "package.json".into();
    finding.paths = vec![vec![format!("{package}@{requirement}")]];
    finding.requirement = Some(RequirementMatch {
        requirement: requirement.into(),
        extent,
        affected: vec![">= 4.0.0, < 6.5.3".into()],
        newest: None,
        newest_affected: Some(extent == Extent::All),
        raised: Some("^6.5.3".into()),
    });
    rate(&mut finding);

    finding
}

/// Entries of a lockfile that could not be read, one of each loss.
pub(super) fn skipped() -> Vec<SkippedEntry> {
    let entry = |line, reason: &str, loss| SkippedEntry {
        line,
        reason: reason.into(),
        loss,
    };

    vec![
        entry(12, "lacks the version of `a`", Loss::Package),
        entry(40, "requires `b`, which is not locked", Loss::Edge),
        entry(51, "has an invalid hash of `c`", Loss::Detail),
    ]
}

pub(super) fn lockfile() -> Lockfile {
    let package = |name: &str, origin: Origin| Package {
        origin,
        ..Package::new(EcosystemName::new("npm"), name.into(), "1.0.0".into())
    };

    Lockfile {
        path: "package-lock.json".into(),
        ecosystem: EcosystemName::new("npm"),
        format: FormatId::new("npm-lock-v3"),
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

pub(super) fn sources() -> Vec<SourceStatus> {
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

pub(super) fn problems() -> Vec<Problem> {
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

    let possible = [required(
        "GHSA-pppp-qqqq-rrrr",
        "qs",
        "^4.0.0",
        Extent::Some,
    )];
    let lockfile = Lockfile {
        skipped: skipped(),
        ..lockfile()
    };

    ScanReport::new(&ScanInput {
        findings: &findings(),
        possible: &possible,
        ignored: &ignored,
        suppressed: &suppressed(),
        vex_notices: &vex_notices(),
        notices: &notices,
        problems: &problems(),
        waived: NOTHING_WAIVED,
        ..input(&[lockfile], &sources())
    })
}

/// A finding that a statement suppresses, and one that a statement in words alone does.
pub(super) fn suppressed() -> Vec<SuppressedFinding> {
    let decision = |status, word: Option<Justification>, impact: Option<&str>| Decision {
        status,
        justification: word.map(|word| patchgate_vex::StatedJustification {
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
        SuppressedFinding {
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
        SuppressedFinding {
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

pub(super) fn vex_notices() -> Vec<patchgate_vex::Notice> {
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

static NO_FIXES: BTreeMap<PackageRef, String> = BTreeMap::new();
static NO_GROUPS: BTreeMap<&str, &str> = BTreeMap::new();

/// Nothing but these files, read without a problem.
pub(super) fn input<'a>(lockfiles: &'a [Lockfile], sources: &'a [SourceStatus]) -> ScanInput<'a> {
    ScanInput {
        findings: &[],
        possible: &[],
        fixes: &NO_FIXES,
        ignored: &[],
        suppressed: &[],
        vex_notices: &[],
        notices: &[],
        lockfiles,
        groups: &NO_GROUPS,
        problems: &[],
        waived: NOTHING_WAIVED,
        sources,
        threshold: &NO_THRESHOLD,
        exit: RunEnd {
            code: 3,
            reason: "incomplete",
        },
        now: "2026-01-30T12:00:00Z".parse().unwrap(),
    }
}

/// No threshold is set.
pub(super) static NO_THRESHOLD: Threshold = Threshold {
    severity: None,
    score: None,
    condition: None,
    possible: false,
};

/// No kind of input is waived.
pub(super) const NOTHING_WAIVED: &BTreeSet<ProblemKind> = &BTreeSet::new();

pub(crate) fn report(
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
        waived: NOTHING_WAIVED,
        ..input(&[lockfile()], &sources())
    })
}

pub(crate) fn plain(width: usize) -> Terminal {
    Terminal {
        width,
        color: false,
        interactive: false,
    }
}

/// Nothing that a terminal obeys, and no line that begins a workflow command.
pub(crate) fn assert_harmless(text: &str) {
    for line in text.lines() {
        assert!(!line.contains(crate::clean::is_unsafe), "{line:?}");
        assert!(!line.trim_start().starts_with("::"), "{line:?}");
    }
}
