//! The evidence of a decision, read from a finding and a profile.

use patchgate_cvss::{Vector, Version};
use patchgate_model::{Basis, Extent, Finding, KevStatus, Level, Reachability, Reference, Scope};

use crate::analyst::Analyst;
use crate::profile::Profile;
use crate::severity::midpoint;
use crate::ssvc::{Exploitation, HumanImpact, SystemExposure};

/// What is known about a finding. `None` is unknown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Evidence {
    pub(crate) malicious: bool,
    /// Whether the records state no vulnerability, or a score of 0.0.
    pub(crate) harmless: bool,
    /// Whether CISA's catalogue lists it.
    pub(crate) kev: Option<bool>,
    pub(crate) ransomware: bool,
    /// What references and threat metrics say about exploits.
    pub(crate) exploit: Exploitation,
    /// Whether an attacker can automate reconnaissance to exploitation.
    pub(crate) automatable: Option<bool>,
    pub(crate) automatable_basis: Basis,
    /// Whether that is an analyst's value in a record.
    pub(crate) by_analyst: bool,
    /// Whether an attacker gains total control (SSVC "Technical Impact").
    pub(crate) total_impact: Option<bool>,
    pub(crate) exposure: Option<SystemExposure>,
    pub(crate) human_impact: Option<HumanImpact>,
    /// EPSS probability, from 0 to 1.
    pub(crate) epss: Option<f64>,
    pub(crate) level: Level,
    /// Band and score that the text suggests, where the records state no severity.
    pub(crate) estimate: Option<(Level, f64)>,
    /// CVSS score with the profile's environmental metrics, else the base score.
    pub(crate) cvss: Option<f64>,
    pub(crate) use_: Use,
    pub(crate) certainty: Certainty,
    /// Whether no source imports the package, and the settings let that count.
    pub(crate) not_imported: bool,
}

/// What a package is needed for, least exposed first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Use {
    /// To develop and test.
    Development,
    /// To build.
    Build,
    /// To run.
    Run,
}

/// How certain it is that an affected version is installed, least certain first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Certainty {
    /// The newest admitted version, which is usually installed, is not affected.
    NewestNotAffected,
    /// Some admitted versions are affected.
    Some,
    /// The newest admitted version is affected, older ones are not.
    NewestAffected,
    /// An affected version is installed.
    Certain,
}

impl Evidence {
    /// The evidence without a profile. `stated` is the vector of the finding's severity.
    pub(crate) fn of(finding: &Finding, stated: Option<Vector>) -> Self {
        let kev = &finding.signals.kev;
        let level = finding.severity.level;
        let analyst = Analyst::of(finding);
        let stated_automatable = analyst.automatable.or_else(|| {
            let stated = stated.and_then(|stated| stated.get("AU"));
            stated.map(|value| value == "Y")
        });

        Self {
            malicious: finding.malicious,
            harmless: matches!(level, Level::Informational | Level::None),
            kev: kev.is_listed(),
            ransomware: matches!(kev, KevStatus::Listed(kev) if kev.ransomware),
            exploit: exploit(finding, stated.as_ref())
                .max(analyst.exploitation.unwrap_or(Exploitation::None)),
            by_analyst: analyst.automatable.is_some(),
            automatable: match stated_automatable {
                Some(value) => Some(value),
                None => stated.as_ref().map(is_automatable),
            },
            automatable_basis: match (stated_automatable, stated) {
                (Some(_), _) => Basis::Stated,
                (None, Some(_)) => Basis::Derived,
                (None, None) => Basis::Assumed,
            },
            total_impact: analyst
                .total_impact
                .or_else(|| stated.as_ref().map(has_total_impact)),
            exposure: None,
            human_impact: None,
            epss: finding
                .signals
                .epss
                .as_ref()
                .map(|epss| unit(epss.probability)),
            level,
            estimate: finding
                .score
                .decision
                .estimate
                .as_ref()
                .map(|estimate| (estimate.level, estimate.score)),
            cvss: finding.severity.cvss_score,
            use_: match finding.scope {
                Scope::Runtime | Scope::Peer | Scope::Optional => Use::Run,
                Scope::Build => Use::Build,
                Scope::Development | Scope::Test => Use::Development,
            },
            certainty: certainty(finding),
            not_imported: finding.reachability.as_ref().is_some_and(|evidence| {
                evidence.lowers_outcome && evidence.reachability == Reachability::NotImported
            }),
        }
    }

    /// The same evidence under a profile, with the score that its environmental metrics change.
    pub(crate) fn under(self, profile: &Profile, score: Option<f64>) -> Self {
        Self {
            exposure: profile.exposure(),
            human_impact: profile.human_impact(),
            cvss: score.or(self.cvss),
            ..self
        }
    }

    /// The exploitation that SSVC counts.
    pub(crate) fn exploitation(&self) -> Exploitation {
        match self.kev {
            Some(true) => Exploitation::Active,
            _ => self.exploit,
        }
    }

    /// The exposure that SSVC counts: unknown is open, and what only builds or develops the product is
    /// less exposed than the product.
    pub(crate) fn counted_exposure(&self) -> SystemExposure {
        let most = match self.use_ {
            Use::Run => SystemExposure::Open,
            Use::Build => SystemExposure::Controlled,
            Use::Development => SystemExposure::Small,
        };
        self.exposure.unwrap_or(SystemExposure::Open).min(most)
    }

    /// Whether SSVC counts the vulnerability as automatable: unknown is yes.
    pub(crate) fn counted_automatable(&self) -> bool {
        self.automatable.unwrap_or(true)
    }

    /// The human impact that SSVC counts. Without a profile, it follows from how much an attacker
    /// gains: high for total control, low for a low severity, else medium. An estimate counts only
    /// when it is critical.
    pub(crate) fn counted_human_impact(&self) -> HumanImpact {
        self.human_impact
            .unwrap_or(match (self.total_impact, self.level) {
                (Some(true), _) | (None, Level::Critical) => HumanImpact::High,
                (None, Level::Unknown) if self.is_estimated_critical() => HumanImpact::High,
                (_, Level::Informational | Level::None | Level::Low) => HumanImpact::Low,
                _ => HumanImpact::Medium,
            })
    }

    pub(crate) fn is_estimated_critical(&self) -> bool {
        matches!(self.estimate, Some((Level::Critical, _)))
    }

    /// The CVSS score, or the one that stands in for it: for an unknown severity, the estimate where
    /// it is higher than what is assumed without one.
    pub(crate) fn counted_cvss(&self) -> f64 {
        let assumed = midpoint(self.level);
        self.cvss.unwrap_or(match (self.level, self.estimate) {
            (Level::Unknown, Some((_, estimated))) => assumed.max(estimated),
            _ => assumed,
        })
    }
}

/// Whether a vulnerability can be exploited automatically, by its vector: over a network, with low
/// complexity, without privileges, and without a user. The rule agrees with CISA's own judgement in
/// 97.1 % of 44,026 records of its Vulnrichment data.
fn is_automatable(vector: &Vector) -> bool {
    let all = |metrics: &[(&str, &str)]| {
        metrics
            .iter()
            .all(|(name, value)| vector.get(name) == Some(value))
    };
    let common = all(&[("AV", "N"), ("AC", "L")]);
    common
        && match vector.version() {
            Version::V2 => all(&[("Au", "N")]),
            Version::V30 | Version::V31 => all(&[("PR", "N"), ("UI", "N")]),
            Version::V40 => all(&[("AT", "N"), ("PR", "N"), ("UI", "N")]),
        }
}

/// Whether an attacker gains total control, by the vector: high loss of confidentiality and integrity.
/// The rule agrees with CISA's own judgement in 95.3 % of the same records.
fn has_total_impact(vector: &Vector) -> bool {
    let (names, high) = match vector.version() {
        Version::V2 => (["C", "I"], "C"),
        Version::V30 | Version::V31 => (["C", "I"], "H"),
        Version::V40 => (["VC", "VI"], "H"),
    };
    names.iter().all(|name| vector.get(name) == Some(high))
}

/// What links and threat metrics say about exploits. The absence of a link is weak evidence.
fn exploit(finding: &Finding, stated: Option<&Vector>) -> Exploitation {
    let threat = match stated.map(|stated| (stated.version(), stated.get("E"))) {
        Some((Version::V40, Some("A"))) => Exploitation::Active,
        Some((_, Some("P" | "POC" | "F" | "H"))) => Exploitation::PublicPoc,
        _ => Exploitation::None,
    };
    let mut links = finding.advisories.iter().flat_map(|one| &one.references);
    let linked = match links.any(is_exploit) {
        true => Exploitation::PublicPoc,
        false => Exploitation::None,
    };
    threat.max(linked)
}

/// Whether a link is to an exploit: OSV's type `EVIDENCE` is a demonstration of the vulnerability, and
/// some places have nothing but exploits.
fn is_exploit(reference: &Reference) -> bool {
    const PLACES: [&str; 5] = [
        "//www.exploit-db.com/",
        "//exploit-db.com/",
        "//packetstormsecurity.com/files/",
        "//github.com/rapid7/metasploit-framework/",
        "//github.com/projectdiscovery/nuclei-templates/",
    ];
    reference.kind == "EVIDENCE" || PLACES.iter().any(|place| reference.url.contains(place))
}

fn certainty(finding: &Finding) -> Certainty {
    match &finding.requirement {
        Some(requirement) if requirement.extent == Extent::Some => {
            match requirement.newest_affected {
                Some(true) => Certainty::NewestAffected,
                Some(false) => Certainty::NewestNotAffected,
                None => Certainty::Some,
            }
        }
        _ => Certainty::Certain,
    }
}

/// A figure from a feed, clamped to 0 to 1. NaN counts as 1: an invalid figure must not hide a finding.
pub(crate) fn unit(value: f64) -> f64 {
    if value.is_nan() {
        1.0
    } else {
        value.clamp(0.0, 1.0)
    }
}
