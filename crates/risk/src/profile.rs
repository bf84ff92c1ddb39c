//! Business profiles: what a part of the repository is worth, and how far it is exposed.

use std::path::Path;

use globset::{Candidate, GlobBuilder, GlobMatcher};
use patchgate_cvss::{Vector, Version};
use patchgate_model::AppliedProfile;

use crate::ssvc::{HumanImpact, MissionImpact, SafetyImpact, SystemExposure};

/// What the files of a glob belong to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Profile {
    /// Glob of paths from the repository's root. `*` stays within a directory. A glob that matches a
    /// directory covers everything below it.
    pub glob: String,
    /// How far the service is exposed.
    pub exposure: Option<SystemExposure>,
    /// Effect on essential functions when the service fails.
    pub mission: Option<MissionImpact>,
    /// Effect on safety when the service fails.
    pub safety: Option<SafetyImpact>,
    /// The most sensitive data of the service.
    pub data: Option<DataClass>,
    /// Where the service runs.
    pub environment: Option<DeployEnvironment>,
    /// Who is responsible.
    pub owner: Option<String>,
    /// Tier of the service, from 1 (most important) to 4. It stands in for a mission impact.
    pub tier: Option<u8>,
}

/// How sensitive data is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DataClass {
    /// Anybody may read it.
    Public,
    /// The organisation may read it.
    Internal,
    /// Few may read it.
    Confidential,
    /// A law or contract protects it.
    Regulated,
}

/// Where a service runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeployEnvironment {
    /// Users depend on it.
    Production,
    /// Tests before production.
    Staging,
    /// Machines of developers.
    Development,
}

impl DeployEnvironment {
    /// The word for scripts.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Staging => "staging",
            Self::Development => "development",
        }
    }
}

impl Profile {
    /// How far the service is exposed. What is not stated follows from the environment: development is
    /// exposed little, staging is controlled.
    #[must_use]
    pub fn exposure(&self) -> Option<SystemExposure> {
        self.exposure.or(match self.environment {
            Some(DeployEnvironment::Development) => Some(SystemExposure::Small),
            Some(DeployEnvironment::Staging) => Some(SystemExposure::Controlled),
            Some(DeployEnvironment::Production) | None => None,
        })
    }

    fn mission(&self) -> Option<MissionImpact> {
        let of_tier = |tier| match tier {
            0 | 1 => MissionImpact::MefFailure,
            2 => MissionImpact::MefSupportCrippled,
            _ => MissionImpact::Degraded,
        };
        self.mission.or(self.tier.map(of_tier))
    }

    /// SSVC's human impact; `None` when the profile states neither safety, mission nor tier.
    #[must_use]
    pub fn human_impact(&self) -> Option<HumanImpact> {
        let mission = self.mission();
        (mission.is_some() || self.safety.is_some())
            .then(|| HumanImpact::of(self.safety.unwrap_or_default(), mission.unwrap_or_default()))
    }

    /// The vector with the environmental metrics that follow from the profile:
    ///
    /// | profile | metrics |
    /// |---|---|
    /// | data | `CR`: low for public, medium for internal, else high |
    /// | mission impact or tier | `IR` and `AR`: low for degraded, medium for a crippled support, else high |
    /// | exposure | `MAV`: adjacent for controlled, local for small, unless the base metric is lower (v3, v4) |
    /// | safety impact from critical | `MSI` and `MSA`: safety (v4); `CDP` (v2) |
    #[must_use]
    pub fn environmental(&self, vector: Vector) -> Vector {
        let mut metrics: Vec<(&str, &str)> = Vec::new();
        if let Some(data) = self.data {
            let requirement = match data {
                DataClass::Public => "L",
                DataClass::Internal => "M",
                DataClass::Confidential | DataClass::Regulated => "H",
            };
            metrics.push(("CR", requirement));
        }
        if let Some(mission) = self.mission() {
            let requirement = match mission {
                MissionImpact::Degraded => "L",
                MissionImpact::MefSupportCrippled => "M",
                MissionImpact::MefFailure | MissionImpact::MissionFailure => "H",
            };
            metrics.extend([("IR", requirement), ("AR", requirement)]);
        }
        match (self.exposure(), vector.get("AV")) {
            (Some(SystemExposure::Controlled), Some("N")) => metrics.push(("MAV", "A")),
            (Some(SystemExposure::Small), Some("N" | "A")) => metrics.push(("MAV", "L")),
            _ => {}
        }
        match (self.safety, vector.version()) {
            (Some(SafetyImpact::Critical | SafetyImpact::Catastrophic), Version::V40) => {
                metrics.extend([("MSI", "S"), ("MSA", "S")]);
            }
            (Some(SafetyImpact::Critical), _) => metrics.push(("CDP", "MH")),
            (Some(SafetyImpact::Catastrophic), _) => metrics.push(("CDP", "H")),
            _ => {}
        }

        // A metric that the version lacks is left out.
        metrics.into_iter().fold(vector, |vector, (name, value)| {
            vector.with(name, value).unwrap_or(vector)
        })
    }

    pub(crate) fn applied(&self, file: &str) -> AppliedProfile {
        AppliedProfile {
            glob: self.glob.clone(),
            file: file.to_owned(),
            owner: self.owner.clone(),
            tier: self.tier,
            environment: self.environment.map(DeployEnvironment::word),
        }
    }
}

/// The profiles of a repository.
#[derive(Debug, Clone, Default)]
pub struct Profiles {
    /// Most specific first.
    list: Vec<(Profile, GlobMatcher)>,
}

impl Profiles {
    /// Compiles the globs. A glob that is invalid matches nothing; the settings were checked before.
    #[must_use]
    pub fn new(profiles: &[Profile]) -> Self {
        let mut list: Vec<(Profile, GlobMatcher)> = profiles
            .iter()
            .filter_map(|profile| Some((profile.clone(), matcher(&profile.glob)?)))
            .collect();
        // The later one of two that are as specific comes first: the sort keeps their order.
        list.reverse();
        list.sort_by_key(|(profile, _)| std::cmp::Reverse(specificity(&profile.glob)));

        Self { list }
    }

    /// The profile of a file: that of the most specific glob, which is the one with the most characters
    /// outside of wildcards, and of two the later one.
    #[must_use]
    pub fn of(&self, file: &str) -> Option<&Profile> {
        let paths: Vec<Candidate<'_>> = Path::new(file).ancestors().map(Candidate::new).collect();
        let covers = |matcher: &GlobMatcher| paths.iter().any(|at| matcher.is_match_candidate(at));
        let mut covering = self.list.iter().filter(|(_, matcher)| covers(matcher));
        covering.next().map(|(profile, _)| profile)
    }
}

fn matcher(glob: &str) -> Option<GlobMatcher> {
    let glob = glob.trim_end_matches('/');
    let glob = GlobBuilder::new(glob)
        .literal_separator(true)
        .build()
        .ok()?;
    Some(glob.compile_matcher())
}

fn specificity(glob: &str) -> usize {
    let is_literal = |c: &char| !"*?[]{}!,".contains(*c);
    glob.chars().filter(is_literal).count()
}
