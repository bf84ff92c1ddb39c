//! The score: a priority from 0 to 100.
//!
//! Signals count in this order: a malicious release, then known exploitation, then the probability of
//! exploitation, with severity as the tie-breaker. Severity alone cannot give a high score, because
//! most critical vulnerabilities are never exploited.
//!
//! ```text
//! epss     = 70 * sqrt(probability)                 (unknown: probability 0.01, 7 points)
//! cvss     = 19 * base score / 10                   (no vector: the middle of the level's band)
//! scope    = -15 % of both for build, -30 % for development
//! together = epss + cvss + scope                    (0 to 89)
//!
//! known exploitation: 90 + together * 8 / 89, and 2 more for ransomware, without the scope's part
//! malicious release:  100
//! possible finding:   80, 50 or 30 % of the rest, whether its newest admitted version is affected,
//!                     unknown, or not affected
//! ```
//!
//! The square root spreads the low probabilities, which nearly all vulnerabilities have: 0.001 gives
//! 2.2 points, 0.01 gives 7, 0.1 gives 22, 0.5 gives 49. All parts are counted in tenths of a point, so
//! that the reasons add up to the value exactly.

use patchgate_model::{Epss, Extent, Finding, Kev, KevStatus, Level, Scope, Score, ScoreReason};

use crate::severity::midpoint;

/// Points for an EPSS probability of 1.
pub const EPSS_POINTS: f64 = 70.0;
/// The EPSS probability that is assumed when no feed has one. A missing figure is unknown, not zero.
/// The value is above that of three quarters of all CVEs (0.77 of the scores of 2026-01-30), but low
/// enough that a critical vulnerability with a low probability ranks above an unknown one.
pub const EPSS_STAND_IN: f64 = 0.01;
/// Points for a CVSS base score of 10.
pub const CVSS_POINTS: f64 = 19.0;
/// Lowest score of a vulnerability that is known to be exploited.
pub const KEV_FLOOR: f64 = 90.0;
/// Points for known use by ransomware.
pub const RANSOMWARE_POINTS: f64 = 2.0;
/// Percentage of the points that remains for a package that is only needed to build.
pub const BUILD_FACTOR_PERCENT: u32 = 85;
/// Percentage of the points that remains for a package that is only needed to develop.
pub const DEVELOPMENT_FACTOR_PERCENT: u32 = 70;

/// Percentage of the points that remains for a possible finding when the newest version that the
/// requirement admits is affected.
pub const POSSIBLE_NEWEST_AFFECTED_PERCENT: u32 = 80;
/// Percentage of the points that remains for a possible finding when nothing is known about the
/// newest version that the requirement admits.
pub const POSSIBLE_PERCENT: u32 = 50;
/// Percentage of the points that remains for a possible finding when the newest version that the
/// requirement admits is not affected.
pub const POSSIBLE_NEWEST_UNAFFECTED_PERCENT: u32 = 30;

/// One part in tenths of a point.
struct Part {
    signal: &'static str,
    tenths: i64,
    text: String,
}

/// The score of a finding, from its severity, its signals, its scope and whether it is malicious.
/// [`Finding::score`] is not read.
#[must_use]
pub fn score(finding: &Finding) -> Score {
    let mut parts = if finding.malicious {
        vec![Part {
            signal: "malicious",
            tenths: 1_000,
            text: "the release itself is malicious".to_owned(),
        }]
    } else {
        let mut parts = vec![epss_part(finding), cvss_part(finding)];
        rate_signals(finding, &mut parts);
        parts
    };
    parts.extend(possible_part(finding, &parts));

    sum(parts)
}

/// Adds the parts of known exploitation and of the scope.
fn rate_signals(finding: &Finding, parts: &mut Vec<Part>) {
    match &finding.signals.kev {
        KevStatus::Listed(kev) => {
            let base = parts.iter().map(|part| part.tenths).sum();
            parts.extend(kev_parts(kev, base));
        }
        KevStatus::NotListed => parts.extend(scope_part(finding.scope, parts)),
        KevStatus::NotConsulted => {
            parts.extend(scope_part(finding.scope, parts));
            parts.push(Part {
                signal: "kev",
                tenths: 0,
                text: "unknown whether it is exploited: CISA's catalogue was not read".to_owned(),
            });
        }
    }
}

/// The part of a possible finding. Without a lockfile the newest admitted version is usually
/// installed, so the finding is worth least when that version is not affected.
fn possible_part(finding: &Finding, parts: &[Part]) -> Option<Part> {
    let requirement = finding.requirement.as_ref()?;
    if requirement.extent == Extent::All {
        return None;
    }

    let (percent, text) = match requirement.newest_affected {
        Some(true) => (
            POSSIBLE_NEWEST_AFFECTED_PERCENT,
            "the requirement also admits versions that are not affected, but none newer",
        ),
        Some(false) => (
            POSSIBLE_NEWEST_UNAFFECTED_PERCENT,
            "the newest version that the requirement admits is not affected",
        ),
        None => (
            POSSIBLE_PERCENT,
            "the requirement also admits versions that are not affected",
        ),
    };
    let base: i64 = parts.iter().map(|part| part.tenths).sum();
    let taken = tenths(points(base) * f64::from(100 - percent) / 100.0);

    Some(Part {
        signal: "requirement",
        tenths: -taken,
        text: text.to_owned(),
    })
}

fn epss_part(finding: &Finding) -> Part {
    let (probability, text) = match &finding.signals.epss {
        Some(epss) => (epss.probability, epss_text(epss)),
        None if finding.severity.level == Level::Informational => (
            0.0,
            "the records state no vulnerability that could be exploited".to_owned(),
        ),
        None => (
            EPSS_STAND_IN,
            format!(
                "EPSS has no probability; unknown is not zero, so {:.0} % is assumed",
                EPSS_STAND_IN * 100.0
            ),
        ),
    };

    Part {
        signal: "epss",
        tenths: tenths(EPSS_POINTS * unit(probability).sqrt()),
        text,
    }
}

fn epss_text(epss: &Epss) -> String {
    format!(
        "EPSS gives {} a {:.*} % probability of exploitation within 30 days, at least as high as {:.0} % of all scored CVEs",
        epss.cve,
        if epss.probability < 0.01 { 2 } else { 1 },
        unit(epss.probability) * 100.0,
        (unit(epss.percentile) * 100.0).floor()
    )
}

fn cvss_part(finding: &Finding) -> Part {
    let level = finding.severity.level;
    let (score, text) = match finding.severity.cvss_score {
        Some(score) => (score, format!("CVSS base score {score:.1}")),
        None => {
            let stand_in = midpoint(level);
            let text = match level {
                Level::Unknown => {
                    format!(
                        "the records state no severity; a CVSS score of {stand_in:.1} is assumed"
                    )
                }
                Level::Informational => "the records state no vulnerability".to_owned(),
                _ => format!(
                    "the records state a severity without a CVSS vector; {stand_in:.1}, the middle of its band, is used"
                ),
            };

            (stand_in, text)
        }
    };

    Part {
        signal: "cvss",
        tenths: tenths(CVSS_POINTS * unit(score / 10.0)),
        text,
    }
}

/// The parts that lift the others, `base` tenths in total, into the band from [`KEV_FLOOR`] to 100.
fn kev_parts(kev: &Kev, base: i64) -> Vec<Part> {
    let highest = EPSS_POINTS + CVSS_POINTS;
    let room = 100.0 - KEV_FLOOR - RANSOMWARE_POINTS;
    let within_band = tenths(points(base) * room / highest);

    let mut parts = vec![Part {
        signal: "kev",
        tenths: tenths(KEV_FLOOR) + within_band - base,
        text: format!(
            "{} is known to be exploited: in CISA's catalogue since {}",
            kev.cve, kev.date_added
        ),
    }];
    if kev.ransomware {
        parts.push(Part {
            signal: "ransomware",
            tenths: tenths(RANSOMWARE_POINTS),
            text: "ransomware campaigns are known to use it".to_owned(),
        });
    }

    parts
}

fn scope_part(scope: Scope, parts: &[Part]) -> Option<Part> {
    let (percent, what) = match scope {
        Scope::Runtime | Scope::Peer | Scope::Optional => return None,
        Scope::Build => (BUILD_FACTOR_PERCENT, "only needed to build"),
        Scope::Development | Scope::Test => (
            DEVELOPMENT_FACTOR_PERCENT,
            "only needed to develop and test",
        ),
    };

    let base: i64 = parts.iter().map(|part| part.tenths).sum();
    let taken = tenths(points(base) * f64::from(100 - percent) / 100.0);

    Some(Part {
        signal: "scope",
        tenths: -taken,
        text: what.to_owned(),
    })
}

fn sum(mut parts: Vec<Part>) -> Score {
    parts.sort_by_key(|part| std::cmp::Reverse(part.tenths.abs()));
    let total: i64 = parts.iter().map(|part| part.tenths).sum();

    Score {
        value: points(total.clamp(0, 1_000)),
        reasons: parts
            .into_iter()
            .map(|part| ScoreReason {
                signal: part.signal,
                points: points(part.tenths),
                text: part.text,
            })
            .collect(),
    }
}

/// A figure from a feed, clamped to 0 to 1. NaN counts as 1: an invalid figure must not hide a finding.
fn unit(value: f64) -> f64 {
    if value.is_nan() {
        1.0
    } else {
        value.clamp(0.0, 1.0)
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "points are clamped to 0 to 100 before they are counted"
)]
fn tenths(points: f64) -> i64 {
    (points * 10.0).round() as i64
}

#[expect(
    clippy::cast_precision_loss,
    reason = "at most a thousand tenths are counted"
)]
fn points(tenths: i64) -> f64 {
    tenths as f64 / 10.0
}

#[cfg(test)]
pub(crate) mod tests {
    use patchgate_model::{
        EcosystemName, FixedVersion, Location, PackageRef, RequirementMatch, Severity, Signals,
    };
    use proptest::prelude::*;

    use super::*;

    pub(crate) fn finding(level: Level) -> Finding {
        Finding {
            id: "GHSA-x".into(),
            aliases: Vec::new(),
            summary: String::new(),
            package: PackageRef {
                ecosystem: EcosystemName::new("npm"),
                distribution: None,
                name: "a".into(),
                version: "1.0.0".into(),
                purl: "pkg:npm/a@1.0.0".into(),
            },
            locations: vec![Location {
                file: "package-lock.json".into(),
                line: 1,
            }],
            paths: Vec::new(),
            scope: Scope::Runtime,
            requirement: None,
            fixed: FixedVersion::At("1.0.1".into()),
            severity: Severity {
                level,
                cvss_score: None,
                cvss_vector: None,
            },
            signals: Signals {
                epss: None,
                kev: KevStatus::NotListed,
            },
            informational: None,
            malicious: false,
            score: Score::default(),
            advisories: Vec::new(),
        }
    }

    pub(crate) fn about_requirement(extent: Extent, newest_affected: Option<bool>) -> Finding {
        let mut finding = finding(Level::Critical);
        finding.requirement = Some(RequirementMatch {
            requirement: "^1.0.0".into(),
            extent,
            affected: vec![">= 1.0.0, < 1.2.0".into()],
            newest_affected,
            raised: Some("^1.2.0".into()),
        });
        finding
    }

    #[test]
    fn a_possible_finding_ranks_below_a_certain_one_by_its_newest_version() {
        let values: Vec<f64> = [
            (Extent::All, Some(true)),
            (Extent::Some, Some(true)),
            (Extent::Some, None),
            (Extent::Some, Some(false)),
        ]
        .map(|(extent, newest)| score(&about_requirement(extent, newest)).value)
        .into();

        assert!(values.is_sorted_by(|a, b| a > b), "{values:?}");
        assert_eq!(values[0], score(&finding(Level::Critical)).value);
        assert!(values[3] > 0.0);
    }

    #[test]
    fn the_parts_of_a_possible_finding_add_up() {
        let mut finding = about_requirement(Extent::Some, None);
        for malicious in [false, true] {
            finding.malicious = malicious;
            let score = score(&finding);
            let sum: f64 = score.reasons.iter().map(|reason| reason.points).sum();
            assert!((sum - score.value).abs() < 1e-9, "{score:?}");
            assert!(score.value < 60.0);
        }
    }

    fn with(cvss: f64, epss: Option<f64>, kev: Option<bool>, scope: Scope) -> Finding {
        let mut finding = finding(crate::band(cvss));
        finding.severity.cvss_score = Some(cvss);
        finding.signals.epss = epss.map(|probability| Epss {
            cve: "CVE-2024-1".into(),
            probability,
            percentile: probability,
        });
        finding.signals.kev = kev.map_or(KevStatus::NotListed, |ransomware| {
            KevStatus::Listed(Kev {
                cve: "CVE-2024-1".into(),
                date_added: "2024-01-02".into(),
                due_date: "2024-01-23".into(),
                ransomware,
            })
        });
        finding.scope = scope;

        finding
    }

    #[test]
    fn figures_are_the_documented_ones() {
        for (finding, value) in [
            (with(9.8, Some(0.01), None, Scope::Runtime), 25.6),
            (with(5.0, Some(0.1), None, Scope::Runtime), 31.6),
            (with(9.8, None, None, Scope::Runtime), 25.6),
            (with(9.8, None, None, Scope::Build), 21.8),
            (with(9.8, None, None, Scope::Development), 17.9),
            (with(10.0, Some(1.0), None, Scope::Runtime), 89.0),
            (with(10.0, Some(1.0), Some(false), Scope::Runtime), 98.0),
            (with(10.0, Some(1.0), Some(true), Scope::Development), 100.0),
            (with(0.0, Some(0.0), Some(false), Scope::Development), 90.0),
        ] {
            assert_eq!(score(&finding).value, value, "{finding:?}");
        }

        assert_eq!(score(&finding(Level::Informational)).value, 0.0);
    }

    #[test]
    fn a_malicious_release_without_a_severity_is_critical() {
        let mut unstated = finding(Level::Low);
        crate::rate(&mut unstated);
        assert_eq!(unstated.severity.level, Level::Unknown);
        unstated.malicious = true;
        crate::rate(&mut unstated);
        assert_eq!(unstated.severity.level, Level::Critical);
    }

    #[test]
    fn a_malicious_release_is_the_top_whatever_else_is_known() {
        let mut malicious = with(0.0, Some(0.0), None, Scope::Development);
        malicious.malicious = true;
        assert_eq!(score(&malicious).value, 100.0);
    }

    #[test]
    fn an_unknown_signal_is_said_to_be_unknown() {
        let mut unknown = finding(Level::Unknown);
        unknown.signals.kev = KevStatus::NotConsulted;
        let texts: Vec<String> = score(&unknown)
            .reasons
            .into_iter()
            .map(|r| r.text)
            .collect();

        assert_eq!(
            texts,
            [
                "the records state no severity; a CVSS score of 7.0 is assumed",
                "EPSS has no probability; unknown is not zero, so 1 % is assumed",
                "unknown whether it is exploited: CISA's catalogue was not read",
            ]
        );
    }

    fn scopes() -> impl Strategy<Value = Scope> {
        prop_oneof![
            Just(Scope::Runtime),
            Just(Scope::Optional),
            Just(Scope::Build),
            Just(Scope::Development)
        ]
    }

    fn kevs() -> impl Strategy<Value = Option<bool>> {
        proptest::option::of(any::<bool>())
    }

    proptest! {
        #[test]
        fn raising_a_signal_never_lowers_the_score(
            cvss in (0u8..=100, 0u8..=100),
            epss in (0.0..=1.0, 0.0..=1.0),
            kev in (kevs(), kevs()),
            scope in (scopes(), scopes()),
        ) {
            // `None < Some(false) < Some(true)`, and a stronger scope is a smaller one.
            let low = with(
                f64::from(cvss.0.min(cvss.1)) / 10.0,
                Some(f64::min(epss.0, epss.1)),
                kev.0.min(kev.1),
                scope.0.max(scope.1),
            );
            let high = with(
                f64::from(cvss.0.max(cvss.1)) / 10.0,
                Some(f64::max(epss.0, epss.1)),
                kev.0.max(kev.1),
                scope.0.min(scope.1),
            );

            prop_assert!(score(&low).value <= score(&high).value);
        }

        #[test]
        fn a_higher_level_without_a_vector_never_lowers_the_score(
            a in 0usize..6, b in 0usize..6, scope in scopes()
        ) {
            const LEVELS: [Level; 6] = [
                Level::Informational, Level::None, Level::Low, Level::Medium, Level::Unknown,
                Level::High,
            ];

            let at = |index: usize| {
                let mut finding = finding(LEVELS[index]);
                finding.scope = scope;
                score(&finding).value
            };
            prop_assert!(at(a.min(b)) <= at(a.max(b)));
        }

        #[test]
        fn the_reasons_add_up_to_the_value(
            cvss in 0u8..=100,
            epss in proptest::option::of(0.0..=1.0),
            kev in kevs(),
            scope in scopes(),
        ) {
            let score = score(&with(f64::from(cvss) / 10.0, epss, kev, scope));
            let sum: i64 = score.reasons.iter().map(|reason| tenths(reason.points)).sum();
            prop_assert_eq!(sum, tenths(score.value));
            prop_assert!((0.0..=100.0).contains(&score.value));
            prop_assert_eq!(kev.is_some(), score.value >= KEV_FLOOR);
        }

        #[test]
        fn nonsense_from_a_feed_stays_in_range(epss in any::<f64>(), cvss in any::<f64>()) {
            let score = score(&with(cvss, Some(epss), None, Scope::Runtime));
            prop_assert!((0.0..=89.0).contains(&score.value));
        }
    }
}
