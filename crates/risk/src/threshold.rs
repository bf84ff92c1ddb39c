//! Which findings fail a run.

use patchgate_model::{Finding, Level};

/// The lowest severity and the lowest score that fail a run. A finding must reach both.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Threshold {
    /// Lowest severity; [`Level::Low`] lets every vulnerability count.
    pub severity: Level,
    /// Lowest score, from 0.0 to 100.0; 0.0 lets every score count.
    pub score: f64,
}

impl Default for Threshold {
    fn default() -> Self {
        Self {
            severity: Level::Low,
            score: 0.0,
        }
    }
}

impl Threshold {
    /// Whether the finding fails the run.
    ///
    /// A malicious release always does. A record that states no vulnerability never does, whatever
    /// the threshold; neither does a record with the severity "none".
    #[must_use]
    pub fn is_reached_by(&self, finding: &Finding) -> bool {
        if finding.malicious {
            return true;
        }
        // A threshold below "low" would let informational records fail a run.
        counts_as(finding.severity.level) >= self.severity.max(Level::Low)
            && finding.score.value >= self.score
    }
}

/// The level as thresholds see it: an unknown severity counts as high, since a missing figure is
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
    use super::*;
    use crate::score::tests::finding;

    fn threshold(severity: Level, score: f64) -> Threshold {
        Threshold { severity, score }
    }

    #[test]
    fn unknown_counts_as_high() {
        let unknown = finding(Level::Unknown);
        assert!(threshold(Level::High, 0.0).is_reached_by(&unknown));
        assert!(!threshold(Level::Critical, 0.0).is_reached_by(&unknown));
    }

    #[test]
    fn what_states_no_vulnerability_never_fails() {
        for level in [Level::Informational, Level::None] {
            assert!(!Threshold::default().is_reached_by(&finding(level)));
        }
    }

    #[test]
    fn both_figures_must_be_reached() {
        let mut high = finding(Level::High);
        high.score.value = 40.0;
        assert!(threshold(Level::High, 40.0).is_reached_by(&high));
        assert!(!threshold(Level::High, 40.1).is_reached_by(&high));
        assert!(!threshold(Level::Critical, 0.0).is_reached_by(&high));
    }

    #[test]
    fn a_malicious_release_always_fails() {
        let mut malicious = finding(Level::Informational);
        malicious.malicious = true;
        assert!(threshold(Level::Critical, 100.0).is_reached_by(&malicious));
    }
}
