//! The decision about a finding: how urgent it is, step by step.
//!
//! Evidence counts in this order. What suppresses a finding (an ignore entry, a VEX statement) comes
//! before all of it, and is applied elsewhere.
//!
//! 1. A malicious release: act now.
//! 2. Known exploitation (CISA's KEV catalogue): act now.
//! 3. A record that states no vulnerability: defer.
//! 4. SSVC's deployer tree.
//! 5. EPSS: a probability of [`NOTABLE_EPSS`] or more raises the outcome by one, at most to out of
//!    cycle. A missing probability is unknown, not zero.
//! 6. A possible finding, of which it is unknown whether an affected version is installed, is one
//!    outcome lower, and two when the newest admitted version is not affected.
//! 7. A package that no source of the repository imports is one outcome lower, if the settings say so,
//!    but not below scheduled when the vulnerability is known to be exploited. A malicious release is
//!    never lower, because it runs its code when it is installed. A symbol that is called raises
//!    nothing: SSVC has no decision point for it.
//!
//! An estimated severity, where the records state none, raises the human impact that SSVC counts when
//! it is critical, and changes no outcome otherwise. CVSS only sorts within an outcome ([`crate::score`]).

use patchgate_model::{
    Basis, Decision, DecisionStep, Finding, Level, MissingEvidence, Outcome, Reachability,
    ReachabilityEvidence,
};

use crate::evidence::{Certainty, Evidence};
use crate::ssvc::{DEPLOYER_TREE, HumanImpact, SystemExposure, deployer};

/// The EPSS probability from which the outcome is raised. 7 % of the CVEs that had a score on
/// 2026-01-30 reach it.
pub const NOTABLE_EPSS: f64 = 0.1;

/// The outcome of the evidence. It never falls when one part of the evidence gets worse.
pub(crate) fn outcome(evidence: &Evidence) -> Outcome {
    let certain = if evidence.malicious || evidence.kev == Some(true) {
        Outcome::ActNow
    } else if evidence.harmless {
        Outcome::Defer
    } else {
        raised(tree(evidence), evidence.epss)
    };
    unreached(lowered(certain, evidence.certainty), evidence)
}

/// The outcome when no source imports the package.
fn unreached(outcome: Outcome, evidence: &Evidence) -> Outcome {
    if !evidence.not_imported || evidence.malicious {
        outcome
    } else if evidence.kev == Some(true) {
        outcome.lower().max(outcome.min(Outcome::Scheduled))
    } else {
        outcome.lower()
    }
}

fn tree(evidence: &Evidence) -> Outcome {
    deployer(
        evidence.exploitation(),
        evidence.counted_exposure(),
        evidence.counted_automatable(),
        evidence.counted_human_impact(),
    )
}

fn raised(outcome: Outcome, epss: Option<f64>) -> Outcome {
    match outcome {
        _ if epss.is_none_or(|epss| epss < NOTABLE_EPSS) => outcome,
        Outcome::Defer => Outcome::Scheduled,
        Outcome::Scheduled => Outcome::OutOfCycle,
        other => other,
    }
}

fn lowered(outcome: Outcome, certainty: Certainty) -> Outcome {
    match certainty {
        Certainty::Certain => outcome,
        Certainty::NewestAffected | Certainty::Some => outcome.lower(),
        Certainty::NewestNotAffected => outcome.lower().lower(),
    }
}

/// The decision with its steps, and with what is missing.
pub(crate) fn decision(finding: &Finding, evidence: &Evidence) -> Decision {
    let missing = missing(evidence);
    let all = |best: bool| {
        missing
            .iter()
            .fold(*evidence, |evidence, kind| with(evidence, kind, best))
    };
    let (at_best, at_worst) = (outcome(&all(true)), outcome(&all(false)));

    Decision {
        outcome: outcome(evidence),
        steps: steps(finding, evidence),
        missing: missing
            .into_iter()
            .map(|kind| MissingEvidence {
                evidence: kind,
                at_best: outcome(&with(*evidence, kind, true)),
                at_worst: outcome(&with(*evidence, kind, false)),
            })
            .collect(),
        at_best,
        at_worst,
        estimate: finding.score.decision.estimate.clone(),
        weakness: finding.score.decision.weakness.clone(),
        ..Decision::default()
    }
}

/// The evidence that is missing and that could count.
fn missing(evidence: &Evidence) -> Vec<&'static str> {
    if evidence.malicious || evidence.kev == Some(true) {
        return Vec::new();
    }
    let mut missing = Vec::new();
    if evidence.kev.is_none() {
        missing.push("kev");
    }
    if evidence.harmless {
        return missing;
    }

    let is_unknown = [
        ("epss", evidence.epss.is_none()),
        ("cvss", evidence.automatable.is_none()),
        ("exposure", evidence.exposure.is_none()),
        ("human-impact", evidence.human_impact.is_none()),
    ];
    let unknown = is_unknown.iter().filter(|(_, unknown)| *unknown);
    missing.extend(unknown.map(|(kind, _)| *kind));
    missing
}

/// The evidence with a missing part at its best or at its worst.
fn with(evidence: Evidence, kind: &str, best: bool) -> Evidence {
    let mut changed = evidence;
    match kind {
        "kev" => changed.kev = Some(!best),
        "epss" => changed.epss = Some(if best { 0.0 } else { 1.0 }),
        "cvss" => {
            changed.automatable = Some(!best);
            changed.total_impact = Some(!best);
        }
        "exposure" => {
            changed.exposure = Some(if best {
                SystemExposure::Small
            } else {
                SystemExposure::Open
            });
        }
        _ => {
            changed.human_impact = Some(if best {
                HumanImpact::Low
            } else {
                HumanImpact::VeryHigh
            });
        }
    }
    changed
}

fn steps(finding: &Finding, evidence: &Evidence) -> Vec<DecisionStep> {
    let mut steps = Vec::new();
    let mut step = |evidence, text: String, basis, outcome| {
        steps.push(DecisionStep {
            evidence,
            text,
            basis,
            outcome,
        });
    };

    let mut reached = outcome(&Evidence {
        certainty: Certainty::Certain,
        not_imported: false,
        ..*evidence
    });
    if evidence.malicious {
        let text = "the release itself is malicious".to_owned();
        step("malicious", text, Basis::Stated, Some(reached));
    } else if let Some(kev) = finding.signals.kev.entry() {
        let text = format!(
            "{} is known to be exploited: in CISA's catalogue since {}, due {}{}",
            kev.cve,
            kev.date_added,
            kev.due_date,
            if kev.ransomware {
                ", used by ransomware"
            } else {
                ""
            }
        );
        step("kev", text, Basis::Stated, Some(reached));
    } else {
        match evidence.kev {
            Some(_) => step(
                "kev",
                "not in CISA's catalogue".to_owned(),
                Basis::Stated,
                None,
            ),
            None => {
                let text = "unknown whether it is exploited: CISA's catalogue was not read";
                step("kev", text.to_owned(), Basis::Missing, None);
            }
        }
        if evidence.harmless {
            let text = "the records state no vulnerability".to_owned();
            step("severity", text, Basis::Stated, Some(reached));
        } else {
            if let Some(estimate) = &finding.score.decision.estimate {
                let text = crate::estimated::text(estimate);
                step("estimate", text, Basis::Estimated, None);
            }
            reached = tree_steps(evidence, &mut step);
            reached = epss_step(finding, evidence, reached, &mut step);
        }
    }

    if let Some(text) = uncertain(evidence.certainty) {
        reached = lowered(reached, evidence.certainty);
        step("requirement", text.to_owned(), Basis::Stated, Some(reached));
    }
    if let Some(sources) = &finding.reachability {
        let basis = match sources.reachability {
            Reachability::Unknown => Basis::Missing,
            _ => Basis::Derived,
        };
        let outcome = unreached(reached, evidence);
        let changes = (outcome != reached).then_some(outcome);
        step("reachability", reachability_text(sources), basis, changes);
    }

    steps
}

/// `symbol called at src/main.rs:12: 1 of 3 affected symbols is used`.
fn reachability_text(sources: &ReachabilityEvidence) -> String {
    let place = sources.places.first().map(|place| {
        let at = &place.location;
        format!(" at {}:{}", at.file, at.line)
    });
    let answer = sources.reachability;
    // The reason for an unknown answer names its place.
    let place = place.filter(|_| answer != Reachability::Unknown);
    format!(
        "{}{}: {}",
        answer.phrase(),
        place.unwrap_or_default(),
        sources.reason
    )
}

/// The decision points of SSVC, and the outcome of its tree.
fn tree_steps(
    evidence: &Evidence,
    step: &mut impl FnMut(&'static str, String, Basis, Option<Outcome>),
) -> Outcome {
    let exploitation = evidence.exploitation();
    step(
        "exploitation",
        exploitation.word().to_owned(),
        Basis::Derived,
        None,
    );

    let exposure = evidence.counted_exposure();
    let (why, basis) = match evidence.exposure {
        Some(stated) if stated == exposure => ("", Basis::Stated),
        None if exposure == SystemExposure::Open => {
            (", because no profile says less", Basis::Assumed)
        }
        _ => (
            ", because of what the package is needed for",
            Basis::Derived,
        ),
    };
    step("exposure", format!("{}{why}", exposure.word()), basis, None);

    let automatable = evidence.counted_automatable();
    let word = if automatable { "yes" } else { "no" };
    let why = match evidence.automatable_basis {
        Basis::Derived => ", from the CVSS vector",
        Basis::Assumed => ", because no vector says otherwise",
        Basis::Stated if evidence.by_analyst => ", by an analyst's value in the record",
        Basis::Stated | Basis::Estimated | Basis::Missing => "",
    };
    let basis = evidence.automatable_basis;
    step("automatable", format!("{word}{why}"), basis, None);

    let impact = evidence.counted_human_impact();
    let (why, basis) = match (evidence.human_impact, evidence.total_impact) {
        (Some(_), _) => ("", Basis::Stated),
        (None, Some(true)) => (", because an attacker gains total control", Basis::Assumed),
        (None, None) if evidence.level == Level::Unknown && evidence.is_estimated_critical() => {
            (", because the estimate is critical", Basis::Estimated)
        }
        (None, _) => (", from the severity alone", Basis::Assumed),
    };
    step(
        "human-impact",
        format!("{}{why}", impact.word()),
        basis,
        None,
    );

    let reached = tree(evidence);
    step(
        "ssvc",
        DEPLOYER_TREE.to_owned(),
        Basis::Derived,
        Some(reached),
    );
    reached
}

fn epss_step(
    finding: &Finding,
    evidence: &Evidence,
    reached: Outcome,
    step: &mut impl FnMut(&'static str, String, Basis, Option<Outcome>),
) -> Outcome {
    let Some(epss) = &finding.signals.epss else {
        let text = "no probability is known, which is not a probability of zero".to_owned();
        step("epss", text, Basis::Missing, None);
        return reached;
    };

    let raised = raised(reached, evidence.epss);
    let probability = crate::score::percent(epss.probability);
    let percentile = (crate::evidence::unit(epss.percentile) * 100.0).floor();
    let text = format!(
        "{} has a probability of {probability} to be exploited within 30 days, percentile {percentile:.0}",
        epss.cve
    );
    let changes = (raised != reached).then_some(raised);
    step("epss", text, Basis::Stated, changes);
    raised
}

/// Why a finding is not certain.
pub(crate) fn uncertain(certainty: Certainty) -> Option<&'static str> {
    match certainty {
        Certainty::Certain => None,
        Certainty::NewestAffected => {
            Some("the requirement also admits versions that are not affected, but none newer")
        }
        Certainty::Some => Some("the requirement also admits versions that are not affected"),
        Certainty::NewestNotAffected => {
            Some("the newest version that the requirement admits is not affected")
        }
    }
}
