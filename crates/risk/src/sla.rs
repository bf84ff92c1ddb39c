//! Deadlines: until when a finding has to be fixed, by a published table or by the organisation's own.
//!
//! Deliberately absent: the history of scans. The day of the first detection comes in as a value.

use jiff::ToSpan as _;
use jiff::civil::Date;
use jiff::tz::Offset;
use patchgate_model::{Advisory, ClockStart, Deadline, Finding, Level, Outcome};

use crate::decide::NOTABLE_EPSS;
use crate::evidence::Evidence;
use crate::ssvc::{Exploitation, HumanImpact, SystemExposure};

/// A table of deadlines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlaTable {
    /// PCI DSS v4, requirement 6.3.3: critical and high vulnerabilities within one month of release.
    PciDss,
    /// CISA's Binding Operational Directive 26-04.
    CisaBod2604,
    /// FedRAMP Vulnerability Detection and Response, rule VDR-TFR-PVR of 2026, for a class of
    /// certification.
    FedrampVdr(FedrampClass),
    /// The EU's Cyber Resilience Act, article 14: reports about exploited vulnerabilities.
    Cra,
    /// The organisation's own table.
    Own(OwnTable),
}

/// A class of FedRAMP certification.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FedrampClass {
    /// Classes A and B, which have one table.
    B,
    /// Class C.
    #[default]
    C,
    /// Class D.
    D,
}

/// Days for each outcome; `None` sets no date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwnTable {
    /// The event from which the days count.
    pub counted_from: ClockStart,
    /// Days for findings to act on now.
    pub act_now: Option<u16>,
    /// Days for findings out of cycle.
    pub out_of_cycle: Option<u16>,
    /// Days for scheduled findings.
    pub scheduled: Option<u16>,
    /// Days for deferred findings.
    pub defer: Option<u16>,
}

/// The days of one finding.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    /// The day of the first scan that found it, where a history knows it.
    pub detected: Option<Date>,
    /// The day of the evaluation: today.
    pub today: Date,
}

/// A row of a table.
struct Row {
    rule: String,
    from: ClockStart,
    time: Option<Time>,
}

/// The time of a row.
enum Time {
    Days(u16),
    Month,
}

impl SlaTable {
    /// Name of the table in settings and reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::PciDss => "pci-dss",
            Self::CisaBod2604 => "cisa-bod-26-04",
            Self::FedrampVdr(_) => "fedramp-vdr",
            Self::Cra => "cra",
            Self::Own(_) => "own",
        }
    }

    /// The deadline of a finding.
    pub(crate) fn deadline(
        self,
        finding: &Finding,
        evidence: &Evidence,
        outcome: Outcome,
        clock: Clock,
    ) -> Deadline {
        let row = match self {
            Self::PciDss => pci(finding.severity.level),
            Self::CisaBod2604 => bod(evidence),
            Self::FedrampVdr(class) => fedramp(evidence, class),
            Self::Cra => cra(evidence),
            Self::Own(table) => own(table, outcome),
        };
        let (counted_from, start) = start(row.from, finding, clock);
        let due = row.time.and_then(|time| {
            let span = match time {
                Time::Days(days) => i64::from(days).days(),
                Time::Month => 1.month(),
            };
            start.checked_add(span).ok()
        });

        Deadline {
            table: self.name(),
            rule: row.rule,
            counted_from,
            start,
            due,
            overdue: due.is_some_and(|due| due < clock.today),
        }
    }
}

/// The event that the time counts from, and its day. An event of which the day is unknown is replaced
/// by the evaluation, which is today; no event is later than today.
fn start(from: ClockStart, finding: &Finding, clock: Clock) -> (ClockStart, Date) {
    let known = match from {
        ClockStart::Publication => published(finding),
        ClockStart::CatalogEntry => {
            let kev = finding.signals.kev.entry();
            kev.and_then(|kev| kev.date_added.parse().ok())
        }
        ClockStart::Detection => clock.detected.or(Some(clock.today)),
        ClockStart::Evaluation => Some(clock.today),
    };
    match known {
        Some(day) => (from, day.min(clock.today)),
        None => (ClockStart::Evaluation, clock.today),
    }
}

/// The day on which the first of the records was published.
fn published(finding: &Finding) -> Option<Date> {
    let day = |record: &Advisory| Some(Offset::UTC.to_datetime(record.published?).date());
    let records = finding.advisories.iter();
    records.filter_map(|record| day(record)).min()
}

/// PCI DSS v4.0.1, 6.3.3 (<https://www.pcisecuritystandards.org/document_library/>). The time of the
/// others is set by the entity itself.
fn pci(level: Level) -> Row {
    let is_covered = matches!(level, Level::Critical | Level::High | Level::Unknown);
    Row {
        rule: match (is_covered, level) {
            (true, Level::Unknown) => {
                "6.3.3: unknown severity counts as high: one month".to_owned()
            }
            (true, _) => "6.3.3: critical and high: one month".to_owned(),
            (false, _) => "6.3.3: the entity sets the time by its own risk analysis".to_owned(),
        },
        from: ClockStart::Publication,
        time: is_covered.then_some(Time::Month),
    }
}

/// CISA BOD 26-04, remediation timelines 1.0.0. A test compares the rows with the published CSV file.
/// Entries of the catalogue count from their day of entry, others from the detection.
fn bod(evidence: &Evidence) -> Row {
    let kev = evidence.kev == Some(true);
    let exposed = evidence.counted_exposure() == SystemExposure::Open;
    let automatable = evidence.counted_automatable();
    let total = evidence.total_impact.unwrap_or(true);
    let (days, forensics) = bod_row(kev, exposed, automatable, total);

    let word = |is: bool, yes: &'static str, no: &'static str| if is { yes } else { no };
    let time = match (days, forensics) {
        (Some(days), true) => format!("{days} days & forensic investigation"),
        (Some(days), false) => format!("{days} days"),
        (None, _) => "fix on system upgrade".to_owned(),
    };
    Row {
        rule: format!(
            "{}, {}, {}, {} technical impact: {time}",
            word(kev, "in KEV", "not in KEV"),
            word(exposed, "publicly exposed", "not publicly exposed"),
            word(automatable, "automatable", "not automatable"),
            word(total, "total", "partial"),
        ),
        from: if kev {
            ClockStart::CatalogEntry
        } else {
            ClockStart::Detection
        },
        time: days.map(Time::Days),
    }
}

/// Days and whether a forensic investigation is due.
pub(crate) fn bod_row(
    kev: bool,
    exposed: bool,
    automatable: bool,
    total: bool,
) -> (Option<u16>, bool) {
    match (kev, exposed, automatable, total) {
        (true, true, _, true) | (true, _, true, true) => (Some(3), true),
        (true, true, true, false) | (false, true, true, true) => (Some(3), false),
        (true, ..) | (false, true, true, false) | (false, true, false, true) => (Some(14), false),
        (false, true, false, false) | (false, false, true, _) => (Some(60), false),
        (false, false, false, _) => (None, false),
    }
}

/// FedRAMP's rule VDR-TFR-PVR of 2026-06-24 (<https://www.fedramp.gov/docs/>): potential agency impact
/// (N1 to N5), whether the vulnerability is likely exploitable, and whether it is reachable from the
/// internet. Days count from the evaluation. Human impact stands in for the agency impact: low is N2,
/// very high N5; a record without a vulnerability is N1.
fn fedramp(evidence: &Evidence, class: FedrampClass) -> Row {
    let is_likely = evidence.exploitation() != Exploitation::None
        || evidence.epss.is_none_or(|epss| epss >= NOTABLE_EPSS)
        || evidence.malicious
        || (evidence.counted_automatable() && evidence.counted_exposure() == SystemExposure::Open);
    let is_reachable = evidence.counted_exposure() == SystemExposure::Open;
    let column = match (is_likely, is_reachable) {
        (true, true) => 0,
        (true, false) => 1,
        (false, _) => 2,
    };
    let (rating, row) = match (
        evidence.harmless && !evidence.malicious,
        evidence.counted_human_impact(),
    ) {
        (true, _) => ("N1", None),
        (_, HumanImpact::Low) => ("N2", Some(0)),
        (_, HumanImpact::Medium) => ("N3", Some(1)),
        (_, HumanImpact::High) => ("N4", Some(2)),
        (_, HumanImpact::VeryHigh) => ("N5", Some(3)),
    };

    // Rows N2 to N5; columns likely and reachable, likely and not reachable, not likely. Class D has
    // 12 hours for the first figure of N5, which is the same day.
    let table: [[u16; 3]; 4] = match class {
        FedrampClass::B => [[96, 160, 192], [32, 64, 192], [8, 32, 64], [4, 8, 32]],
        FedrampClass::C => [[48, 128, 192], [16, 32, 128], [4, 8, 64], [2, 4, 16]],
        FedrampClass::D => [[24, 96, 192], [8, 16, 64], [2, 8, 32], [0, 1, 8]],
    };
    let days = row.and_then(|row: usize| table.get(row)?.get(column).copied());
    let words = match column {
        0 => "likely exploitable, internet-reachable",
        1 => "likely exploitable, not internet-reachable",
        _ => "not likely exploitable",
    };
    Row {
        rule: match days {
            Some(0) => format!("{rating}, {words}: 12 hours"),
            Some(1) => format!("{rating}, {words}: 1 day"),
            Some(days) => format!("{rating}, {words}: {days} days"),
            None => format!("{rating}, {words}: routine operations"),
        },
        from: ClockStart::Evaluation,
        time: days.map(Time::Days),
    }
}

/// Regulation (EU) 2024/2847, article 14 (<https://eur-lex.europa.eu/eli/reg/2024/2847>). The date is
/// that of the first report.
fn cra(evidence: &Evidence) -> Row {
    let exploited = evidence.exploitation() == Exploitation::Active || evidence.malicious;
    Row {
        rule: if exploited {
            "article 14: exploited: early warning within 24 hours, notification within 72 hours, \
             final report within 14 days of a fix"
                .to_owned()
        } else {
            "annex I: not exploited: to be fixed without delay".to_owned()
        },
        from: ClockStart::Detection,
        time: exploited.then_some(Time::Days(1)),
    }
}

fn own(table: OwnTable, outcome: Outcome) -> Row {
    let days = match outcome {
        Outcome::ActNow => table.act_now,
        Outcome::OutOfCycle => table.out_of_cycle,
        Outcome::Scheduled => table.scheduled,
        Outcome::Defer => table.defer,
    };
    Row {
        rule: match days {
            Some(1) => format!("{}: 1 day", outcome.phrase()),
            Some(days) => format!("{}: {days} days", outcome.phrase()),
            None => format!("{}: no date", outcome.phrase()),
        },
        from: table.counted_from,
        time: days.map(Time::Days),
    }
}

#[cfg(test)]
mod tests;
