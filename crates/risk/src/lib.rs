//! Rating of findings: severity, decision with its reasons, deadline, and the threshold that fails a run.
//!
//! [`Rater::rate`] sets the severity and the score of a finding, from its records, from the feeds that
//! report exploitation, and from the business profiles. The score contains the decision: how urgent the
//! finding is, and why. [`Threshold`] decides which findings fail a run.
//!
//! Everything here is a pure function of values. Deliberately absent: reading records and feeds
//! (`patchgate-advisories`), the clock, and the history of scans.
//!
//! ```
//! use patchgate_model::Level;
//!
//! assert_eq!(patchgate_risk::band(9.8), Level::Critical);
//! ```

use std::sync::Arc;

mod analyst;
mod condition;
mod decide;
mod estimated;
mod evidence;
mod profile;
mod score;
mod severity;
mod sla;
mod ssvc;
mod threshold;

use jiff::civil::Date;
use patchgate_estimate::{SeverityModel, WeaknessModel};
use patchgate_model::{Advisory, Finding, Level};

pub use condition::{Condition, ConditionError};
pub use decide::NOTABLE_EPSS;
pub use profile::{DataClass, DeployEnvironment, Profile, Profiles};
pub use score::{EPSS_STAND_IN, lowest_score, score};
pub use severity::{band, midpoint, severity};
pub use sla::{Clock, FedrampClass, OwnTable, SlaTable};
pub use ssvc::{
    DEPLOYER_TREE, Exploitation, HumanImpact, MissionImpact, SafetyImpact, SystemExposure, deployer,
};
pub use threshold::{Threshold, counts_as};

/// The settings by which findings are rated.
#[derive(Debug, Clone)]
pub struct Rater {
    profiles: Profiles,
    sla: Option<SlaTable>,
    today: Date,
    severities: Option<Arc<SeverityModel>>,
}

impl Rater {
    /// A rater with the profiles of a repository, its table of deadlines, and the present day.
    #[must_use]
    pub fn new(profiles: &[Profile], sla: Option<SlaTable>, today: Date) -> Self {
        Self {
            profiles: Profiles::new(profiles),
            sla,
            today,
            severities: None,
        }
    }

    /// Estimates severities that no record states with this model, instead of the built-in one.
    #[must_use]
    pub fn with_severities(mut self, model: SeverityModel) -> Self {
        self.severities = Some(Arc::new(model));
        self
    }

    /// Sets the severity of a finding from its records, then its score with the decision.
    pub fn rate(&self, finding: &mut Finding) {
        // A record of malicious releases may be an alias of the finding without affecting this release.
        // Then its severity, which is always critical, does not count.
        let counts = |record: &&Advisory| finding.malicious || !record.id.starts_with("MAL-");
        let records = finding.advisories.iter().map(AsRef::as_ref);
        let records: Vec<&Advisory> = records.filter(counts).collect();
        finding.severity = severity(&records, finding.package.ecosystem, &finding.package.name);

        // Not every record of a malicious release has a `MAL-` id: aliases and CWE-506 count as well.
        if finding.malicious && finding.severity.level == Level::Unknown {
            finding.severity.level = Level::Critical;
        }

        let model = match &self.severities {
            Some(own) => Some(own.as_ref()),
            None => SeverityModel::built_in(),
        };
        finding.score.decision.estimate =
            model.and_then(|model| estimated::estimate(model, finding));
        finding.score.decision.weakness =
            WeaknessModel::built_in().and_then(|model| estimated::weakness(model, finding));
        self.decide(finding, None);
    }

    /// Sets the score with the decision again, for a finding of which the first detection is known.
    pub fn rate_detected(&self, finding: &mut Finding, detected: Date) {
        self.decide(finding, Some(detected));
    }

    fn decide(&self, finding: &mut Finding, detected: Option<Date>) {
        let (mut score, evidence) = score::assess(finding, &self.profiles);
        let clock = Clock {
            detected,
            today: self.today,
        };
        let outcome = score.decision.outcome;
        score.decision.deadline = self
            .sla
            .map(|table| table.deadline(finding, &evidence, outcome, clock));
        score.decision.first_detected = Some(detected.unwrap_or(self.today).min(self.today));
        finding.score = score;
    }
}
