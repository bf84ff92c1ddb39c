use jiff::civil::date;
use patchgate_model::{Epss, Kev, KevStatus, Scope};

use super::*;
use crate::score::tests::finding;
use crate::{Profile, Profiles, Rater};

const TODAY: Date = date(2026, 11, 30);

fn published_on(day: &str) -> std::sync::Arc<Advisory> {
    std::sync::Arc::new(Advisory {
        id: "GHSA-x".into(),
        aliases: Vec::new(),
        summary: String::new(),
        details: String::new(),
        modified: None,
        published: Some(format!("{day}T12:00:00Z").parse().unwrap()),
        withdrawn: None,
        severity: Vec::new(),
        affected: Vec::new(),
        references: Vec::new(),
        cwes: Vec::new(),
        severity_word: Some("high".into()),
        informational: None,
        database_specific: None,
    })
}

fn deadline(table: SlaTable, change: impl Fn(&mut Finding), profile: &[Profile]) -> Deadline {
    let mut finding = finding(Level::High);
    finding.advisories = vec![published_on("2026-10-15")];
    change(&mut finding);
    Rater::new(profile, Some(table), TODAY).rate(&mut finding);
    finding.score.decision.deadline.unwrap()
}

fn listed(finding: &mut Finding) {
    finding.signals.kev = KevStatus::Listed(Kev {
        cve: "CVE-2026-1".into(),
        date_added: "2026-11-20".into(),
        due_date: "2026-11-23".into(),
        ransomware: false,
    });
}

#[test]
fn pci_counts_a_month_from_the_publication() {
    let high = deadline(SlaTable::PciDss, |_| {}, &[]);
    assert_eq!(high.counted_from, ClockStart::Publication);
    assert_eq!(high.due, Some(date(2026, 11, 15)));
    assert!(high.overdue);

    let in_time = |finding: &mut Finding| finding.advisories = vec![published_on("2026-10-30")];
    assert!(!deadline(SlaTable::PciDss, in_time, &[]).overdue);

    let low = |finding: &mut Finding| {
        let mut record = (*published_on("2020-01-01")).clone();
        record.severity_word = Some("low".into());
        finding.advisories = vec![record.into()];
    };
    assert_eq!(deadline(SlaTable::PciDss, low, &[]).due, None);
}

#[test]
fn an_unknown_or_future_publication_counts_from_today() {
    let unknown = |finding: &mut Finding| {
        let mut record = (*published_on("2020-01-01")).clone();
        record.published = None;
        finding.advisories = vec![record.into()];
    };
    let unknown = deadline(SlaTable::PciDss, unknown, &[]);
    assert_eq!(
        (unknown.counted_from, unknown.start),
        (ClockStart::Evaluation, TODAY)
    );

    let future = |finding: &mut Finding| finding.advisories = vec![published_on("2030-01-01")];
    assert_eq!(deadline(SlaTable::PciDss, future, &[]).start, TODAY);
}

#[test]
fn the_directive_counts_entries_of_the_catalogue_from_their_day() {
    let exploited = deadline(SlaTable::CisaBod2604, listed, &[]);
    assert_eq!(exploited.counted_from, ClockStart::CatalogEntry);
    assert_eq!(exploited.due, Some(date(2026, 11, 23)));
    assert!(exploited.overdue);
    assert!(
        exploited.rule.ends_with("3 days & forensic investigation"),
        "{}",
        exploited.rule
    );

    let small = Profile {
        glob: "**".to_owned(),
        exposure: Some(SystemExposure::Small),
        ..Profile::default()
    };
    let not_listed = deadline(SlaTable::CisaBod2604, |_| {}, &[small]);
    assert_eq!(not_listed.counted_from, ClockStart::Detection);
    assert_eq!(not_listed.due, Some(date(2027, 1, 29)));
}

#[test]
fn fedramp_counts_from_the_evaluation_by_impact_and_reach() {
    let open = |tier| {
        let profile = Profile {
            glob: "**".to_owned(),
            exposure: Some(SystemExposure::Open),
            tier: Some(tier),
            ..Profile::default()
        };
        [profile]
    };
    let c = SlaTable::FedrampVdr(FedrampClass::C);
    let probable = |finding: &mut Finding| {
        finding.signals.epss = Some(Epss {
            cve: "CVE-2026-1".into(),
            probability: 0.5,
            percentile: 0.9,
        });
    };
    let important = deadline(c, probable, &open(1));
    assert_eq!(important.counted_from, ClockStart::Evaluation);
    assert_eq!(important.due, Some(date(2026, 12, 16)));
    assert_eq!(
        deadline(c, probable, &open(4)).rule,
        "N2, likely exploitable, internet-reachable: 48 days"
    );

    let development = |finding: &mut Finding| {
        probable(finding);
        finding.scope = Scope::Development;
    };
    assert!(
        deadline(c, development, &open(4))
            .rule
            .contains("not internet-reachable: 128 days")
    );
    let notice = |finding: &mut Finding| {
        let mut record = (*published_on("2020-01-01")).clone();
        record.informational = Some("unmaintained".into());
        finding.advisories = vec![record.into()];
    };
    assert_eq!(deadline(c, notice, &open(1)).due, None);
}

#[test]
fn the_resilience_act_sets_a_date_for_exploited_ones_only() {
    let exploited = deadline(SlaTable::Cra, listed, &[]);
    assert_eq!(exploited.due, Some(date(2026, 12, 1)));
    assert_eq!(deadline(SlaTable::Cra, |_| {}, &[]).due, None);
}

#[test]
fn an_own_table_counts_by_outcome() {
    let table = SlaTable::Own(OwnTable {
        counted_from: ClockStart::Publication,
        act_now: Some(3),
        out_of_cycle: Some(14),
        scheduled: Some(60),
        defer: None,
    });
    assert_eq!(deadline(table, listed, &[]).due, Some(date(2026, 10, 18)));
    let scheduled = deadline(table, |_| {}, &[]);
    assert_eq!(
        (scheduled.due, scheduled.overdue),
        (Some(date(2026, 12, 14)), false)
    );
}

/// Compares every row of the directive with the published file.
#[test]
fn the_rows_of_the_directive_are_the_published_ones() {
    let Some(shared) = patchgate_testkit::shared_dir() else {
        return;
    };
    let file = shared.join("feeds/ssvc/cisa_bod_26_04_1_0_0.csv");
    let rows = crate::ssvc::tests::rows(&file);
    assert_eq!(rows.len(), 16);
    for row in rows {
        let [_, kev, exposed, automatable, impact, time] = row.as_slice() else {
            panic!("{row:?}")
        };
        let is = |value: &str| value == "yes";
        let (days, forensics) = bod_row(is(kev), is(exposed), is(automatable), impact == "total");
        let ours = match (days, forensics) {
            (Some(days), true) => format!("{days} days & forensic investigation"),
            (Some(days), false) => format!("{days} days"),
            (None, _) => "fix on system upgrade".to_owned(),
        };
        assert_eq!(&ours, time, "{row:?}");
    }
    // Without a profile nothing lowers the exposure.
    assert!(Profiles::default().of("Cargo.lock").is_none());
}
