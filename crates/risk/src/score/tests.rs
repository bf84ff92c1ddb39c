mod reachability;

use patchgate_model::Basis;
use patchgate_model::{
    EcosystemName, Epss, Extent, FixedVersion, Kev, KevStatus, Level, Location, PackageRef,
    RequirementMatch, Scope, Severity, Signals,
};
use proptest::prelude::*;

use super::*;
use crate::decide::NOTABLE_EPSS;
use crate::profile::{DataClass, DeployEnvironment};
use crate::ssvc::{Exploitation, HumanImpact, MissionImpact, SystemExposure};

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
        reachability: None,
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
        newest: None,
        newest_affected,
        raised: Some("^1.2.0".into()),
    });
    finding
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

const CRITICAL: &str = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";

fn with_vector(vector: &str, score: f64) -> Finding {
    let mut finding = finding(crate::band(score));
    finding.severity.cvss_score = Some(score);
    finding.severity.cvss_vector = Some(vector.to_owned());
    finding
}

fn rated(finding: &Finding) -> Score {
    score(finding, &Profiles::default())
}

fn outcome_of(finding: &Finding) -> Outcome {
    rated(finding).decision.outcome
}

fn profiles(change: impl Fn(&mut Profile)) -> Profiles {
    let mut profile = Profile {
        glob: "**".to_owned(),
        ..Profile::default()
    };
    change(&mut profile);
    Profiles::new(&[profile])
}

#[test]
fn each_step_decides_in_its_order() {
    let mut finding = with_vector(CRITICAL, 9.8);
    assert_eq!(outcome_of(&finding), Outcome::Scheduled);

    let mut probable = finding.clone();
    probable.signals.epss = Some(Epss {
        cve: "CVE-2024-1".into(),
        probability: NOTABLE_EPSS,
        percentile: 0.9,
    });
    assert_eq!(outcome_of(&probable), Outcome::OutOfCycle);
    assert_eq!(
        rated(&probable).decision.steps.last().unwrap().evidence,
        "epss"
    );

    let attacked = format!("{}/E:P", CRITICAL);
    assert_eq!(
        outcome_of(&with_vector(&attacked, 9.8)),
        Outcome::OutOfCycle
    );

    finding.signals.kev = with(0.0, None, Some(false), Scope::Runtime).signals.kev;
    assert_eq!(outcome_of(&finding), Outcome::ActNow);
    finding.scope = Scope::Development;
    assert_eq!(outcome_of(&finding), Outcome::ActNow);
    finding.signals.kev = KevStatus::NotListed;
    finding.malicious = true;
    assert_eq!(rated(&finding).decision.steps[0].evidence, "malicious");
    assert_eq!(rated(&finding).value, 100.0);
}

#[test]
fn each_outcome_has_its_range() {
    for (finding, value) in [
        (with(9.8, Some(0.01), None, Scope::Runtime), 43.5),
        (with(9.8, None, None, Scope::Runtime), 43.5),
        (with(5.0, Some(0.1), None, Scope::Runtime), 68.2),
        (with(3.0, Some(0.01), None, Scope::Development), 5.1),
        (with(10.0, Some(1.0), Some(true), Scope::Runtime), 99.9),
        (with(0.0, Some(0.0), Some(false), Scope::Development), 90.0),
    ] {
        let score = rated(&finding);
        assert_eq!(score.value, value, "{score:?}");
        assert!(score.value >= lowest_score(score.decision.outcome));
    }
    assert_eq!(rated(&finding(Level::Informational)).value, 0.0);
}

#[test]
fn development_counts_less_than_build_and_build_less_than_the_product() {
    let at = |scope| {
        let mut finding = with_vector("CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", 6.1);
        finding.scope = scope;
        rated(&finding).value
    };
    assert!(at(Scope::Runtime) > at(Scope::Build));
    assert!(at(Scope::Build) > at(Scope::Development));
    assert!(at(Scope::Development) < lowest_score(Outcome::Scheduled));
}

#[test]
fn what_is_missing_is_said_with_its_best_and_worst() {
    let mut unknown = finding(Level::Unknown);
    unknown.signals.kev = KevStatus::NotConsulted;
    let decision = rated(&unknown).decision;
    let missing: Vec<_> = decision.missing.iter().map(|one| one.evidence).collect();
    assert_eq!(missing, ["kev", "epss", "cvss", "exposure", "human-impact"]);
    assert_eq!(decision.missing[0].at_worst, Outcome::ActNow);
    assert_eq!(decision.missing[1].at_worst, Outcome::OutOfCycle);
    assert_eq!(decision.at_worst, Outcome::ActNow);
    assert_eq!(decision.at_best, Outcome::Defer);
    assert!(
        decision
            .steps
            .iter()
            .any(|step| step.basis == Basis::Missing)
    );

    // A missing probability is not one of zero.
    let score = rated(&unknown);
    let epss = score.reasons.iter().find(|one| one.signal == "epss");
    let text = &epss.unwrap().text;
    assert!(text.contains("unknown is not zero"), "{text}");
}

#[test]
fn a_profile_changes_exposure_impact_and_the_cvss_score() {
    let finding = with_vector(CRITICAL, 9.8);
    let small = profiles(|profile| {
        profile.exposure = Some(SystemExposure::Small);
        profile.tier = Some(4);
        profile.data = Some(DataClass::Public);
    });
    let low = score(&finding, &small);
    assert_eq!(low.decision.outcome, Outcome::Defer);
    let environmental = low.decision.environmental.unwrap();
    assert!(
        environmental.vector.ends_with("/CR:L/IR:L/AR:L/MAV:L"),
        "{environmental:?}"
    );
    assert!(environmental.score < 9.8);

    let mission = profiles(|profile| {
        profile.exposure = Some(SystemExposure::Open);
        profile.mission = Some(MissionImpact::MissionFailure);
    });
    let high = score(&finding, &mission);
    assert_eq!(
        high.decision.outcome,
        Outcome::OutOfCycle,
        "{:?}",
        high.decision
    );
    assert!(
        high.decision
            .missing
            .iter()
            .all(|one| one.evidence == "epss")
    );
}

#[test]
fn the_most_specific_glob_wins_and_the_most_urgent_file_counts() {
    let profile = |glob: &str, environment| Profile {
        glob: glob.to_owned(),
        environment: Some(environment),
        ..Profile::default()
    };
    let profiles = Profiles::new(&[
        profile("services/api", DeployEnvironment::Production),
        profile("services/*", DeployEnvironment::Staging),
        profile("**", DeployEnvironment::Development),
    ]);
    let glob = |file| profiles.of(file).map(|profile| profile.glob.as_str());
    assert_eq!(glob("services/api/package-lock.json"), Some("services/api"));
    assert_eq!(glob("services/web/app/Cargo.lock"), Some("services/*"));
    assert_eq!(glob("Cargo.lock"), Some("**"));

    let mut finding = with_vector(CRITICAL, 9.8);
    finding.locations = ["Cargo.lock", "services/api/Cargo.lock"]
        .map(|file| Location {
            file: file.into(),
            line: 1,
        })
        .into();
    let applied = score(&finding, &profiles).decision.profile.unwrap();
    assert_eq!(
        (applied.glob.as_str(), applied.environment),
        ("services/api", Some("production"))
    );
    assert_eq!(applied.file, "services/api/Cargo.lock");
}

#[test]
fn values_from_a_vector_are_derived_and_stated_ones_come_first() {
    let basis = |vector: &str| {
        let finding = with_vector(vector, 9.3);
        let steps = rated(&finding).decision.steps;
        let step = steps
            .into_iter()
            .find(|step| step.evidence == "automatable")
            .unwrap();
        (step.basis, step.text)
    };
    let vector = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N";
    assert_eq!(
        basis(vector),
        (Basis::Derived, "yes, from the CVSS vector".to_owned())
    );
    assert_eq!(
        basis(&format!("{vector}/AU:N")),
        (Basis::Stated, "no".to_owned())
    );
}

#[test]
fn a_possible_finding_ranks_below_a_certain_one_by_its_newest_version() {
    for malicious in [false, true] {
        let values: Vec<f64> = [
            (Extent::All, Some(true)),
            (Extent::Some, Some(true)),
            (Extent::Some, None),
            (Extent::Some, Some(false)),
        ]
        .map(|(extent, newest)| {
            let mut finding = about_requirement(extent, newest);
            finding.malicious = malicious;
            rated(&finding).value
        })
        .into();

        assert!(values.is_sorted_by(|a, b| a > b), "{values:?}");
        assert!(values[3] > 0.0);
    }
}

#[test]
fn a_malicious_release_without_a_severity_is_critical() {
    let rater = crate::Rater::new(&[], None, jiff::civil::date(2026, 11, 30));
    let mut unstated = finding(Level::Low);
    rater.rate(&mut unstated);
    assert_eq!(unstated.severity.level, Level::Unknown);
    unstated.malicious = true;
    rater.rate(&mut unstated);
    assert_eq!(unstated.severity.level, Level::Critical);
}

fn levels() -> impl Strategy<Value = Level> {
    proptest::sample::select(vec![
        Level::Informational,
        Level::None,
        Level::Low,
        Level::Medium,
        Level::Unknown,
        Level::High,
        Level::Critical,
    ])
}

prop_compose! {
    /// Evidence with everything known, except for EPSS and KEV where both sides lack it.
    fn evidence()(
        bools in any::<[bool; 5]>(),
        kev in any::<bool>(),
        exploit in proptest::sample::select(vec![
            Exploitation::None, Exploitation::PublicPoc, Exploitation::Active,
        ]),
        exposure in proptest::sample::select(vec![
            SystemExposure::Small, SystemExposure::Controlled, SystemExposure::Open,
        ]),
        human_impact in proptest::sample::select(vec![
            HumanImpact::Low, HumanImpact::Medium, HumanImpact::High, HumanImpact::VeryHigh,
        ]),
        epss in 0.0..=1.0,
        cvss in 0u8..=100,
        level in levels(),
        use_ in proptest::sample::select(vec![Use::Development, Use::Build, Use::Run]),
        certainty in proptest::sample::select(vec![
            Certainty::NewestNotAffected, Certainty::Some, Certainty::NewestAffected,
            Certainty::Certain,
        ]),
    ) -> Evidence {
        Evidence {
            malicious: bools[0],
            harmless: matches!(level, Level::Informational | Level::None),
            kev: Some(kev),
            ransomware: kev && bools[1],
            exploit,
            automatable: Some(bools[2]),
            automatable_basis: Basis::Derived,
            estimate: None,
            by_analyst: false,
            total_impact: Some(bools[3]),
            exposure: Some(exposure),
            human_impact: Some(human_impact),
            epss: Some(epss),
            level,
            cvss: Some(f64::from(cvss) / 10.0),
            use_,
            certainty,
            not_imported: bools[4],
        }
    }
}

/// The evidence with one input of another.
fn replaced(of: Evidence, by: Evidence, input: usize) -> (Evidence, bool) {
    let mut changed = of;
    let raises = match input {
        0 => {
            changed.malicious = by.malicious;
            by.malicious >= of.malicious
        }
        1 => {
            (changed.level, changed.harmless) = (by.level, by.harmless);
            by.level >= of.level
        }
        2 => {
            (changed.kev, changed.ransomware) = (by.kev, by.ransomware);
            (by.kev, by.ransomware) >= (of.kev, of.ransomware)
        }
        3 => {
            changed.exploit = by.exploit;
            by.exploit >= of.exploit
        }
        4 => {
            changed.automatable = by.automatable;
            by.automatable >= of.automatable
        }
        5 => {
            changed.total_impact = by.total_impact;
            by.total_impact >= of.total_impact
        }
        6 => {
            changed.exposure = by.exposure;
            by.exposure >= of.exposure
        }
        7 => {
            changed.human_impact = by.human_impact;
            by.human_impact >= of.human_impact
        }
        8 => {
            changed.epss = by.epss;
            by.epss >= of.epss
        }
        9 => {
            changed.cvss = by.cvss;
            by.cvss >= of.cvss
        }
        10 => {
            changed.use_ = by.use_;
            by.use_ >= of.use_
        }
        11 => {
            changed.not_imported = by.not_imported;
            by.not_imported <= of.not_imported
        }
        _ => {
            changed.certainty = by.certainty;
            by.certainty >= of.certainty
        }
    };
    (changed, raises)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn raising_one_input_never_lowers_outcome_or_score(
        of in evidence(), by in evidence(), input in 0usize..13, assumed in any::<bool>()
    ) {
        // Without a profile, the human impact follows from other inputs.
        let of = Evidence { human_impact: of.human_impact.filter(|_| !assumed), ..of };
        let by = Evidence { human_impact: by.human_impact.filter(|_| !assumed), ..by };
        let (changed, raises) = replaced(of, by, input);
        let (low, high) = if raises { (of, changed) } else { (changed, of) };
        prop_assert!(outcome(&low) <= outcome(&high), "{low:?} {high:?}");
        prop_assert!(value(&low) <= value(&high), "{low:?} {high:?}");
    }

    #[test]
    fn the_score_is_in_the_range_of_its_outcome(evidence in evidence()) {
        let range = match outcome(&evidence) {
            Outcome::ActNow => 800..=1_000,
            Outcome::OutOfCycle => 600..=799,
            Outcome::Scheduled => 300..=599,
            Outcome::Defer => 0..=299,
        };
        prop_assert!(range.contains(&value(&evidence)), "{} {evidence:?}", value(&evidence));
    }

    #[test]
    fn the_reasons_add_up_to_the_value(
        cvss in any::<f64>(),
        epss in proptest::option::of(any::<f64>()),
        kev in proptest::option::of(any::<bool>()),
        malicious in any::<bool>(),
        possible in any::<bool>(),
    ) {
        let mut finding = with(cvss, epss, kev, Scope::Runtime);
        finding.malicious = malicious;
        if possible {
            finding.requirement = about_requirement(Extent::Some, None).requirement;
        }
        let score = rated(&finding);
        let tenths = |points: f64| (points * 10.0).round();
        let sum: f64 = score.reasons.iter().map(|reason| tenths(reason.points)).sum();
        prop_assert_eq!(sum, tenths(score.value));
        prop_assert!((0.0..=100.0).contains(&score.value));
        let last = score.decision.steps.iter().rev().find_map(|step| step.outcome);
        prop_assert_eq!(last, Some(score.decision.outcome));
    }
}

fn estimate(level: Level, score: f64) -> patchgate_model::SeverityEstimate {
    patchgate_model::SeverityEstimate {
        record: "GHSA-x".into(),
        level,
        score,
        low: (score - 2.0).max(0.0),
        high: (score + 2.0).min(10.0),
        vector: CRITICAL.into(),
    }
}

#[test]
fn an_estimate_that_is_critical_raises_the_human_impact() {
    let mut unknown = finding(Level::Unknown);
    let before = rated(&unknown);
    unknown.score.decision.estimate = Some(estimate(Level::Critical, 9.4));
    let after = rated(&unknown);

    let impact = |score: &Score| {
        let steps = &score.decision.steps;
        let step = steps.iter().find(|step| step.evidence == "human-impact");
        step.map(|step| (step.basis, step.text.clone())).unwrap()
    };
    assert_eq!(impact(&before).0, Basis::Assumed);
    assert_eq!(impact(&after).0, Basis::Estimated);
    assert!(impact(&after).1.starts_with("high"));
    assert!(after.value > before.value);
    let steps = &after.decision.steps;
    assert!(steps.iter().any(|step| {
        step.evidence == "estimate" && step.text.contains("80 % between 7.4 and 10.0")
    }));
}

#[test]
fn an_estimate_counts_only_where_the_records_state_nothing() {
    for level in [Level::Low, Level::High, Level::Informational] {
        let mut stated = finding(level);
        let before = rated(&stated).value;
        stated.score.decision.estimate = Some(estimate(Level::Critical, 10.0));
        assert!((rated(&stated).value - before).abs() < 1e-9, "{level:?}");
    }
}

proptest! {
    #[test]
    fn an_estimate_lowers_nothing(tenths in 0_u8..=100, exploited in any::<bool>(), possible in any::<bool>()) {
        let score = f64::from(tenths) / 10.0;
        let mut unknown = if possible {
            about_requirement(Extent::Some, None)
        } else {
            finding(Level::Unknown)
        };
        unknown.severity.level = Level::Unknown;
        if exploited {
            unknown.signals.epss = Some(Epss { cve: "CVE-2024-1".into(), probability: 0.5, percentile: 0.9 });
        }
        let before = rated(&unknown);
        unknown.score.decision.estimate = Some(estimate(crate::band(score), score));
        let after = rated(&unknown);
        prop_assert!(after.value >= before.value);
        prop_assert!(after.decision.outcome >= before.decision.outcome);
    }
}
