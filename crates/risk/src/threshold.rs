//! The rule for which findings fail a run.

use patchgate_model::{Finding, Level};

use crate::condition::Condition;

/// The conditions under which a finding fails a run. A finding fails it when it meets any of the
/// conditions that were set.
///
/// The default sets neither condition, which means [`Level::Low`]: every vulnerability fails the
/// run.
///
/// ```
/// use patchgate_model::Level;
/// use patchgate_risk::Threshold;
///
/// let score_alone = Threshold { score: Some(70.0), ..Threshold::default() };
/// assert_eq!(score_alone.min_severity(), None);
/// assert_eq!(Threshold::default().min_severity(), Some(Level::Low));
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Threshold {
    /// Lowest severity that fails a run; `None` when the user set none.
    pub severity: Option<Level>,
    /// Lowest score, from 0.0 to 100.0, that fails a run; `None` when the user set none. A score of
    /// 0.0 is no condition either: every finding would meet it, whatever severity was asked for.
    pub score: Option<f64>,
    /// Findings that fail a run as well; `None` when the user set no condition. With a condition, a
    /// vulnerability that is known to be exploited fails the run only if the condition says so.
    pub condition: Option<Condition>,
    /// Whether possible findings count. Without it they never fail a run, whatever their severity
    /// is, because it is unknown whether an affected version is installed.
    pub possible: bool,
}

impl Threshold {
    /// The lowest severity that fails a run. `None` when only a score or a condition was set: a severity
    /// that the user did not ask for must not fail a run next to one that the user did ask for.
    #[must_use]
    pub fn min_severity(&self) -> Option<Level> {
        match (self.severity, self.min_score(), &self.condition) {
            // A level below "low" would let informational records fail a run.
            (Some(level), ..) => Some(level.max(Level::Low)),
            (None, None, None) => Some(Level::Low),
            (None, ..) => None,
        }
    }

    /// The lowest score that fails a run; `None` when no score above 0.0 was set.
    #[must_use]
    pub fn min_score(&self) -> Option<f64> {
        self.score.filter(|score| *score > 0.0)
    }

    /// Whether the finding fails the run.
    ///
    /// A malicious release always does, and so does a vulnerability that is known to be exploited,
    /// whatever its CVSS score is, unless a condition says which findings do. Every other record must state a vulnerability: an informational record
    /// or one of severity "none" never fails a run. Nor does a possible finding, unless
    /// [`Threshold::possible`] is set.
    #[must_use]
    pub fn is_reached_by(&self, finding: &Finding) -> bool {
        if finding.is_possible() && !self.possible {
            return false;
        }
        let exploited = is_known_exploited(finding) && self.condition.is_none();
        let condition = self.condition.as_ref();
        if finding.malicious || exploited || condition.is_some_and(|one| one.holds(finding)) {
            return true;
        }

        let level = counts_as(finding.severity.level);
        let severe = self.min_severity().is_some_and(|min| level >= min);
        let urgent = self
            .min_score()
            .is_some_and(|min| finding.score.value >= min);

        level >= Level::Low && (severe || urgent)
    }

    /// Whether a feed that could not be read might lift the finding to the threshold. KEV may do so
    /// for any finding that was not looked up in it, and EPSS where a score was set.
    #[must_use]
    pub fn may_be_reached_with_feeds(&self, finding: &Finding) -> bool {
        if self.is_reached_by(finding) || (finding.is_possible() && !self.possible) {
            return false;
        }
        if self.min_score().is_some() {
            return true;
        }
        match &self.condition {
            Some(condition) => {
                finding
                    .score
                    .decision
                    .missing
                    .iter()
                    .any(|one| matches!(one.evidence, "kev" | "epss"))
                    && condition.may_hold(finding)
            }
            None => finding.signals.kev.is_listed().is_none(),
        }
    }
}

fn is_known_exploited(finding: &Finding) -> bool {
    finding.signals.kev.entry().is_some()
}

/// The level as thresholds see it: an unknown severity counts as high, because a missing figure is
/// no reason to pass. Informational records and those of severity "none" stay below every
/// threshold.
#[must_use]
pub fn counts_as(level: Level) -> Level {
    match level {
        Level::Unknown => Level::High,
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use patchgate_model::{Extent, Kev, KevStatus};

    use super::*;
    use crate::score::tests::{about_requirement, finding};

    fn severity(level: Level) -> Threshold {
        Threshold {
            severity: Some(level),
            ..Threshold::default()
        }
    }

    fn score(score: f64) -> Threshold {
        Threshold {
            score: Some(score),
            ..Threshold::default()
        }
    }

    fn both(level: Level, score: f64) -> Threshold {
        Threshold {
            severity: Some(level),
            score: Some(score),
            ..Threshold::default()
        }
    }

    fn scored(level: Level, value: f64) -> Finding {
        let mut finding = finding(level);
        finding.score.value = value;
        finding
    }

    fn exploited(level: Level) -> Finding {
        let mut finding = scored(level, 94.8);
        finding.signals.kev = KevStatus::Listed(Kev {
            cve: "CVE-2020-11023".into(),
            date_added: "2025-01-23".into(),
            due_date: "2025-02-13".into(),
            ransomware: false,
        });
        finding
    }

    #[test]
    fn a_possible_finding_fails_a_run_only_on_request() {
        let mut possible = about_requirement(Extent::Some, Some(true));
        let on_request = Threshold {
            possible: true,
            ..Threshold::default()
        };
        for malicious in [false, true] {
            possible.malicious = malicious;
            assert!(!Threshold::default().is_reached_by(&possible));
            assert!(!Threshold::default().may_be_reached_with_feeds(&possible));
            assert!(on_request.is_reached_by(&possible));
        }

        let certain = about_requirement(Extent::All, Some(true));
        assert!(Threshold::default().is_reached_by(&certain));
    }

    #[test]
    fn unknown_counts_as_high() {
        let unknown = finding(Level::Unknown);
        assert!(severity(Level::High).is_reached_by(&unknown));
        assert!(!severity(Level::Critical).is_reached_by(&unknown));
    }

    #[test]
    fn a_record_that_states_no_vulnerability_never_fails() {
        for level in [Level::Informational, Level::None] {
            let stated = scored(level, 50.0);
            for threshold in [
                Threshold::default(),
                severity(Level::Informational),
                score(1.0),
                both(Level::Low, 1.0),
            ] {
                assert!(!threshold.is_reached_by(&stated), "{threshold:?}");
            }
        }
    }

    #[test]
    fn every_vulnerability_fails_when_nothing_is_set() {
        for threshold in [Threshold::default(), score(0.0)] {
            assert!(threshold.is_reached_by(&scored(Level::Low, 0.0)));
        }
    }

    #[test]
    fn any_condition_that_is_set_is_enough() {
        let high = scored(Level::High, 40.0);
        assert!(both(Level::High, 90.0).is_reached_by(&high));
        assert!(both(Level::Critical, 40.0).is_reached_by(&high));
        assert!(!both(Level::Critical, 40.1).is_reached_by(&high));
    }

    #[test]
    fn a_severity_that_was_not_set_is_no_condition_next_to_a_score() {
        let critical = scored(Level::Critical, 25.6);
        assert!(!score(40.0).is_reached_by(&critical));
        assert!(score(25.6).is_reached_by(&critical));
    }

    #[test]
    fn a_score_of_zero_is_no_condition_next_to_a_severity() {
        let medium = scored(Level::Medium, 20.0);
        assert!(!both(Level::High, 0.0).is_reached_by(&medium));
        assert!(both(Level::Medium, 0.0).is_reached_by(&medium));
    }

    #[test]
    fn a_known_exploited_vulnerability_always_fails() {
        for level in [Level::None, Level::Low, Level::Medium, Level::Unknown] {
            for threshold in [
                Threshold::default(),
                severity(Level::Critical),
                score(100.0),
                both(Level::Critical, 100.0),
            ] {
                assert!(
                    threshold.is_reached_by(&exploited(level)),
                    "{level:?} {threshold:?}"
                );
            }
        }
    }

    #[test]
    fn a_condition_alone_decides() {
        let threshold = |text: &str| Threshold {
            condition: Some(text.parse().unwrap()),
            ..Threshold::default()
        };
        let exploited = exploited(Level::Critical);
        assert!(!threshold("overdue").is_reached_by(&exploited));
        assert!(threshold("kev").is_reached_by(&exploited));
        let mut malicious = finding(Level::Low);
        malicious.malicious = true;
        assert!(threshold("kev").is_reached_by(&malicious));

        let either = Threshold {
            severity: Some(Level::Critical),
            ..threshold("overdue")
        };
        assert!(either.is_reached_by(&exploited));
    }

    #[test]
    fn a_missing_feed_matters_where_the_condition_may_hold() {
        let threshold = |text: &str| Threshold {
            condition: Some(text.parse().unwrap()),
            ..Threshold::default()
        };
        let mut unknown = finding(Level::High);
        unknown.signals.kev = KevStatus::NotConsulted;
        unknown.score = crate::score::score(&unknown, &crate::Profiles::default());
        assert!(threshold("kev").may_be_reached_with_feeds(&unknown));
        assert!(threshold("act-now").may_be_reached_with_feeds(&unknown));
        assert!(!threshold("overdue").may_be_reached_with_feeds(&unknown));
        assert!(!threshold("kev and malicious").may_be_reached_with_feeds(&unknown));
    }

    #[test]
    fn a_malicious_release_always_fails() {
        let mut malicious = finding(Level::Informational);
        malicious.malicious = true;
        assert!(both(Level::Critical, 100.0).is_reached_by(&malicious));
    }

    #[test]
    fn a_missing_feed_matters_only_while_a_finding_is_below() {
        let mut medium = scored(Level::Medium, 20.0);
        assert!(score(40.0).may_be_reached_with_feeds(&medium));
        assert!(!severity(Level::High).may_be_reached_with_feeds(&medium));

        medium.signals.kev = KevStatus::NotConsulted;
        assert!(severity(Level::High).may_be_reached_with_feeds(&medium));
        assert!(!severity(Level::Medium).may_be_reached_with_feeds(&medium));
    }
}
