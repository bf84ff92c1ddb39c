//! What the sources of a repository change.

use super::*;

#[test]
fn an_unused_package_lowers_only_where_the_settings_say_so() {
    use patchgate_model::{Reachability, ReachabilityEvidence};

    let with_sources = |kev, malicious, reachability, lowers_outcome| {
        let mut finding = with(9.8, None, kev, Scope::Runtime);
        finding.malicious = malicious;
        let before = rated(&finding).decision;
        finding.reachability = Some(ReachabilityEvidence {
            reachability,
            reason: "because".to_owned(),
            places: Vec::new(),
            lowers_outcome,
        });
        let after = rated(&finding).decision;
        let step = after.steps.last().unwrap().clone();
        assert_eq!(step.evidence, "reachability");
        assert_eq!(step.text, format!("{}: because", reachability.phrase()));
        (before.outcome, after.outcome, step.outcome)
    };

    let unused = Reachability::NotImported;
    let (before, after, step) = with_sources(None, false, unused, true);
    assert_eq!(after, before.lower());
    assert_eq!(step, Some(after));
    let (_, after, _) = with_sources(Some(false), false, unused, true);
    assert_eq!(after, Outcome::OutOfCycle);
    let (before, after, step) = with_sources(None, true, unused, true);
    assert_eq!((after, step), (before, None));

    for (reachability, lowers) in [
        (unused, false),
        (Reachability::Unknown, true),
        (Reachability::PackageImported, true),
        (Reachability::SymbolCalled, true),
    ] {
        let (before, after, step) = with_sources(None, false, reachability, lowers);
        assert_eq!((after, step), (before, None), "{reachability:?}");
    }
}

#[test]
fn an_exploited_vulnerability_is_at_least_scheduled() {
    let mut finding = about_requirement(Extent::Some, Some(false));
    finding.signals = with(9.8, None, Some(true), Scope::Runtime).signals;
    let lowest = rated(&finding).decision.outcome;
    finding.reachability = Some(patchgate_model::ReachabilityEvidence {
        reachability: patchgate_model::Reachability::NotImported,
        reason: String::new(),
        places: Vec::new(),
        lowers_outcome: true,
    });
    assert_eq!(lowest, Outcome::Scheduled);
    assert_eq!(rated(&finding).decision.outcome, Outcome::Scheduled);
}
