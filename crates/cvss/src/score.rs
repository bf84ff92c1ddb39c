//! The scores of a vector, and their ratings.

use crate::metrics::Group;
use crate::vector::{Vector, Version};
use crate::{v2, v3, v4};

/// The scores of a vector, from 0.0 to 10.0, each with one decimal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scores {
    /// The score of the base metrics alone.
    pub base: f64,
    /// The temporal score of v2 and v3, or the score of base and threat metrics of v4. `None` for a
    /// v2 vector without temporal metrics. From v3 on, metrics that are not defined have a default
    /// value, so the score always exists.
    pub temporal: Option<f64>,
    /// The environmental score, which includes the temporal or threat metrics. `None` for a v2 vector
    /// without environmental metrics.
    pub environmental: Option<f64>,
    /// The score that counts: the environmental one where a metric of that group is defined, else the
    /// temporal one where one of that group is, else the base score.
    pub overall: f64,
}

/// A word for a score: v3.1, section 5, and v4.0, section 6, "Qualitative Severity Rating Scale". v2
/// has neither "none" nor "critical"; its bands are those of the US National Vulnerability Database
/// (<https://nvd.nist.gov/vuln-metrics/cvss>).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rating {
    /// 0.0.
    None,
    /// 0.1 to 3.9; from 0.0 in v2.
    Low,
    /// 4.0 to 6.9.
    Medium,
    /// 7.0 to 8.9; up to 10.0 in v2.
    High,
    /// 9.0 to 10.0.
    Critical,
}

impl Rating {
    /// The word in lower case.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl Vector {
    /// The scores of all groups.
    #[must_use]
    pub fn scores(&self) -> Scores {
        let (base, temporal, environmental) = match self.version() {
            Version::V2 => v2::scores(self),
            Version::V30 | Version::V31 => v3::scores(self),
            Version::V40 => {
                // Without metrics of a group, the score is that of the groups before.
                let base = v4::score(&self.base());
                let threat = match self.defines(Group::Temporal) {
                    true => v4::score(&self.without_environment()),
                    false => base,
                };
                let all = match self.defines(Group::Environmental) {
                    true => v4::score(self),
                    false => threat,
                };
                (base, Some(threat), Some(all))
            }
        };

        let overall = if self.defines(Group::Environmental) {
            environmental
        } else if self.defines(Group::Temporal) {
            temporal
        } else {
            None
        };

        Scores {
            base,
            temporal,
            environmental,
            overall: overall.unwrap_or(base),
        }
    }

    /// The rating of a score by the scale of the vector's version.
    #[must_use]
    pub fn rating(&self, score: f64) -> Rating {
        let is_v2 = self.version() == Version::V2;
        match score {
            score if score < 0.05 && !is_v2 => Rating::None,
            score if score < 3.95 => Rating::Low,
            score if score < 6.95 => Rating::Medium,
            score if score < 8.95 || is_v2 => Rating::High,
            _ => Rating::Critical,
        }
    }
}

/// Rounds to one decimal, halves away from zero.
///
/// Weights have few decimals, so an exact half is a half up to the error of floating-point numbers,
/// which stays far below a millionth.
pub(crate) fn round(value: f64) -> f64 {
    let away = if value < 0.0 { -1e-6 } else { 1e-6 };
    ((value * 10.0 + away).round()) / 10.0
}
