//! SSVC: the deployer tree, and the values of its decision points.
//!
//! The tables are facts of CERT/CC's Stakeholder-Specific Vulnerability Categorization
//! (<https://certcc.github.io/SSVC/>): "Deployer Patch Application Priority" 1.0.0 and "Human Impact"
//! 2.0.2. A test compares every row with the published CSV files.

use patchgate_model::Outcome;

/// Name and version of the tree.
pub const DEPLOYER_TREE: &str = "SSVC deployer patch application priority 1.0.0";

/// Whether exploits are known (SSVC "Exploitation" 1.1.0).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Exploitation {
    /// No public exploit is known.
    None,
    /// A public proof of concept is known.
    PublicPoc,
    /// The vulnerability is exploited.
    Active,
}

/// How far the affected system is exposed (SSVC "System Exposure" 1.0.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SystemExposure {
    /// A local service or program, in a highly controlled network.
    Small,
    /// A networked service with restrictions or mitigations.
    Controlled,
    /// The internet, or another widely accessible network.
    Open,
}

/// Effect on safety (SSVC "Safety Impact" 2.0.1).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SafetyImpact {
    /// No injury or minor inconvenience.
    #[default]
    Negligible,
    /// Physical discomfort, or minor damage.
    Marginal,
    /// Injury, or major damage.
    Critical,
    /// Death, or loss of the system.
    Catastrophic,
}

/// Effect on essential functions of the organisation (SSVC "Mission Impact" 2.0.0). MEF is a
/// mission-essential function.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MissionImpact {
    /// Little or no effect.
    #[default]
    Degraded,
    /// Activities that support an essential function are crippled.
    MefSupportCrippled,
    /// One essential function fails for longer than acceptable.
    MefFailure,
    /// Several essential functions fail.
    MissionFailure,
}

/// Safety and mission impact together (SSVC "Human Impact" 2.0.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HumanImpact {
    /// Low.
    Low,
    /// Medium.
    Medium,
    /// High.
    High,
    /// Very high.
    VeryHigh,
}

impl Exploitation {
    /// SSVC's word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::PublicPoc => "public poc",
            Self::Active => "active",
        }
    }
}

impl SystemExposure {
    /// SSVC's word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Small => "small",
            Self::Controlled => "controlled",
            Self::Open => "open",
        }
    }
}

impl HumanImpact {
    /// SSVC's word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::VeryHigh => "very high",
        }
    }

    /// The human impact of a safety and a mission impact.
    #[must_use]
    pub fn of(safety: SafetyImpact, mission: MissionImpact) -> Self {
        use MissionImpact::{Degraded, MefFailure, MefSupportCrippled, MissionFailure};
        match (safety, mission) {
            (SafetyImpact::Catastrophic, _) | (_, MissionFailure) => Self::VeryHigh,
            (SafetyImpact::Critical, MefSupportCrippled | MefFailure) => Self::High,
            (SafetyImpact::Critical, Degraded) | (_, MefFailure) => Self::Medium,
            (_, Degraded | MefSupportCrippled) => Self::Low,
        }
    }
}

/// The outcome of the deployer tree.
#[must_use]
pub fn deployer(
    exploitation: Exploitation,
    exposure: SystemExposure,
    automatable: bool,
    impact: HumanImpact,
) -> Outcome {
    use Exploitation::{Active, None, PublicPoc};
    use SystemExposure::{Controlled, Open, Small};

    // The outcomes for low, medium, high and very high human impact: immediate, out of cycle,
    // scheduled, defer.
    let row = match (exploitation, exposure, automatable) {
        (None, Small, false) => "DDSS",
        (None, Small, true) => "DSSS",
        (None, Controlled, false) => "DSSS",
        (None, Controlled, true) => "SSSS",
        (None, Open, false) => "DSSS",
        (None, Open, true) => "SSSO",
        (PublicPoc, Small, false) => "DSSS",
        (PublicPoc, Small, true) => "SSSS",
        (PublicPoc, Controlled, false) => "DSSS",
        (PublicPoc, Controlled, true) => "SSSO",
        (PublicPoc, Open, false) => "SSSO",
        (PublicPoc, Open, true) => "SSOO",
        (Active, Small, false) => "SSOO",
        (Active, Small, true) => "SOOO",
        (Active, Controlled, false) => "SSOO",
        (Active, Controlled, true) => "OOOO",
        (Active, Open, false) => "SOOI",
        (Active, Open, true) => "OOII",
    };
    match row.as_bytes().get(impact as usize) {
        Some(b'D') => Outcome::Defer,
        Some(b'S') => Outcome::Scheduled,
        Some(b'O') => Outcome::OutOfCycle,
        _ => Outcome::ActNow,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::path::Path;

    use super::*;

    /// The rows of a published table, without its header.
    #[expect(clippy::disallowed_methods, reason = "tests read the published tables")]
    pub(crate) fn rows(file: &Path) -> Vec<Vec<String>> {
        let text = std::fs::read_to_string(file).unwrap();
        let cells = |line: &str| line.split(',').map(str::to_owned).collect();
        text.lines()
            .filter(|line| line.starts_with(|c: char| c.is_ascii_digit()))
            .map(cells)
            .collect()
    }

    const EXPOSURES: [SystemExposure; 3] = [
        SystemExposure::Small,
        SystemExposure::Controlled,
        SystemExposure::Open,
    ];
    const EXPLOITATIONS: [Exploitation; 3] = [
        Exploitation::None,
        Exploitation::PublicPoc,
        Exploitation::Active,
    ];
    const IMPACTS: [HumanImpact; 4] = [
        HumanImpact::Low,
        HumanImpact::Medium,
        HumanImpact::High,
        HumanImpact::VeryHigh,
    ];

    #[test]
    fn the_rows_of_the_tree_are_the_published_ones() {
        let Some(shared) = patchgate_testkit::shared_dir() else {
            return;
        };
        let rows = rows(&shared.join("feeds/ssvc/deployer_patch_application_priority_1_0_0.csv"));
        assert_eq!(rows.len(), 72);
        for row in rows {
            let [_, exploitation, exposure, automatable, impact, outcome] = row.as_slice() else {
                panic!("{row:?}")
            };
            let ours = deployer(
                EXPLOITATIONS
                    .into_iter()
                    .find(|one| one.word() == exploitation)
                    .unwrap(),
                EXPOSURES
                    .into_iter()
                    .find(|one| one.word() == exposure)
                    .unwrap(),
                automatable == "yes",
                IMPACTS
                    .into_iter()
                    .find(|one| one.word() == impact)
                    .unwrap(),
            );
            let word = match ours {
                Outcome::ActNow => "immediate",
                other => other.word(),
            };
            assert_eq!(word, outcome, "{row:?}");
        }
    }

    #[test]
    fn the_rows_of_human_impact_are_the_published_ones() {
        let Some(shared) = patchgate_testkit::shared_dir() else {
            return;
        };
        let rows = rows(&shared.join("feeds/ssvc/human_impact_1_0_0.csv"));
        assert_eq!(rows.len(), 16);
        for row in rows {
            let [_, safety, mission, impact] = row.as_slice() else {
                panic!("{row:?}")
            };
            let safety = match safety.as_str() {
                "negligible" => SafetyImpact::Negligible,
                "marginal" => SafetyImpact::Marginal,
                "critical" => SafetyImpact::Critical,
                _ => SafetyImpact::Catastrophic,
            };
            let mission = match mission.as_str() {
                "degraded" => MissionImpact::Degraded,
                "mef support crippled" => MissionImpact::MefSupportCrippled,
                "mef failure" => MissionImpact::MefFailure,
                _ => MissionImpact::MissionFailure,
            };
            assert_eq!(HumanImpact::of(safety, mission).word(), impact, "{row:?}");
        }
    }
}
