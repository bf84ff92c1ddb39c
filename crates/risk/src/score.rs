//! The score: a priority from 0 to 100, which sorts findings within an outcome.
//!
//! Each outcome has a range of its own, so that the figure alone says how urgent a finding is:
//!
//! | outcome | from | known exploitation | ransomware | EPSS, up to | CVSS, up to | needed to run |
//! |---|---|---|---|---|---|---|
//! | act now | 80 | 10 | 2 | 4 | 3 | 0.9 |
//! | out of cycle | 60 | | | 12 | 7 | 0.9 |
//! | scheduled | 30 | | | 18 | 11 | 0.9 |
//! | defer | 0 | | | 18 | 11 | 0.9 |
//!
//! A malicious release has 20 points instead, and is first with 100. EPSS counts by the square root of
//! the probability, which spreads the low probabilities that nearly all vulnerabilities have; CVSS
//! counts by its tenth part. A possible finding keeps 80, 50 or 30 % of the points above the start of
//! its range. All parts are counted in tenths of a point, so that they add up to the value exactly.

use patchgate_cvss::Vector;
use patchgate_model::{EnvironmentalScore, Finding, Outcome, Score, ScoreReason};

use crate::decide::{decision, outcome, uncertain};
use crate::evidence::{Certainty, Evidence, Use, unit};
use crate::profile::{Profile, Profiles};
use crate::severity::{environmental, vector};

/// The EPSS probability that is assumed when no feed has one. A missing figure is unknown, not zero.
/// The value is above that of three quarters of all CVEs (0.77 of the scores of 2026-01-30).
pub const EPSS_STAND_IN: f64 = 0.01;

/// The points of an outcome, in tenths.
struct Range {
    start: i64,
    malicious: i64,
    exploited: i64,
    ransomware: i64,
    epss: i64,
    cvss: i64,
    runs: i64,
}

/// The lowest score of an outcome.
#[must_use]
pub fn lowest_score(outcome: Outcome) -> f64 {
    points(range(outcome).start)
}

fn range(outcome: Outcome) -> Range {
    let without_exploitation = |start, epss, cvss| Range {
        start,
        malicious: if start == 600 { 199 } else { 299 },
        exploited: 0,
        ransomware: 0,
        epss,
        cvss,
        runs: 9,
    };
    match outcome {
        Outcome::ActNow => Range {
            start: 800,
            malicious: 200,
            exploited: 100,
            ransomware: 20,
            epss: 40,
            cvss: 30,
            runs: 9,
        },
        Outcome::OutOfCycle => without_exploitation(600, 120, 70),
        Outcome::Scheduled => without_exploitation(300, 180, 110),
        Outcome::Defer => without_exploitation(0, 180, 110),
    }
}

/// One part in tenths of a point.
struct Part {
    signal: &'static str,
    tenths: i64,
    text: String,
}

/// The decision about a finding, and its score. Of [`Finding::score`] only the estimates are read.
///
/// A finding in several files gets the profile under which it is most urgent.
#[must_use]
pub fn score(finding: &Finding, profiles: &Profiles) -> Score {
    assess(finding, profiles).0
}

/// The score with the evidence behind it.
pub(crate) fn assess(finding: &Finding, profiles: &Profiles) -> (Score, Evidence) {
    let stated = finding.severity.cvss_vector.as_deref().and_then(vector);
    let plain = Evidence::of(finding, stated);
    let mut best = Assessed::without(plain);
    let mut applied: Vec<Option<&Profile>> = Vec::new();
    for location in &finding.locations {
        let profile = profiles.of(&location.file);
        if applied.contains(&profile) {
            continue;
        }
        let assessed = match profile {
            Some(profile) => Assessed::under(profile, &location.file, plain, stated),
            None => Assessed::without(plain),
        };
        if applied.is_empty() || value(&assessed.evidence) > value(&best.evidence) {
            best = assessed;
        }
        applied.push(profile);
    }

    let evidence = best.evidence;
    let mut decision = decision(finding, &evidence);
    decision.profile = best.profile.map(|(profile, file)| profile.applied(file));
    decision.environmental = best.environmental;
    let mut parts = parts(finding, &evidence);
    parts.sort_by_key(|part| std::cmp::Reverse(part.tenths.abs()));

    let score = Score {
        value: points(parts.iter().map(|part| part.tenths).sum()),
        reasons: parts
            .into_iter()
            .map(|part| ScoreReason {
                signal: part.signal,
                points: points(part.tenths),
                text: part.text,
            })
            .collect(),
        decision,
    };
    (score, evidence)
}

/// The evidence under a profile, with the file that has it.
struct Assessed<'a> {
    evidence: Evidence,
    profile: Option<(&'a Profile, &'a str)>,
    environmental: Option<EnvironmentalScore>,
}

impl<'a> Assessed<'a> {
    fn without(evidence: Evidence) -> Self {
        Self {
            evidence,
            profile: None,
            environmental: None,
        }
    }

    fn under(profile: &'a Profile, file: &'a str, plain: Evidence, stated: Option<Vector>) -> Self {
        let environmental = stated.and_then(|stated| environmental(stated, profile));
        let score = environmental.as_ref().map(|one| one.score);

        Self {
            evidence: plain.under(profile, score),
            profile: Some((profile, file)),
            environmental,
        }
    }
}

/// The score in tenths, without texts.
pub(crate) fn value(evidence: &Evidence) -> i64 {
    let outcome = outcome(evidence);
    let range = range(outcome);
    let within: i64 = figures(evidence, &range).iter().sum();
    range.start + within - taken(evidence.certainty, within)
}

/// The points above the start of the range: for a malicious release, known exploitation, ransomware,
/// EPSS, CVSS, and the package's use.
fn figures(evidence: &Evidence, range: &Range) -> [i64; 6] {
    if evidence.malicious {
        return [range.malicious, 0, 0, 0, 0, 0];
    }
    let exploited = evidence.kev == Some(true);
    let epss = match (evidence.epss, evidence.harmless) {
        (Some(epss), _) => epss,
        (None, true) => 0.0,
        (None, false) => EPSS_STAND_IN,
    };

    [
        0,
        if exploited { range.exploited } else { 0 },
        if evidence.ransomware {
            range.ransomware
        } else {
            0
        },
        part_of(range.epss, epss.sqrt()),
        part_of(range.cvss, unit(evidence.counted_cvss() / 10.0)),
        match evidence.use_ {
            _ if evidence.harmless && !exploited => 0,
            Use::Run => range.runs,
            Use::Build => range.runs / 2,
            Use::Development => 0,
        },
    ]
}

/// The points that a possible finding loses.
fn taken(certainty: Certainty, within: i64) -> i64 {
    let kept = match certainty {
        Certainty::Certain => 100,
        Certainty::NewestAffected => 80,
        Certainty::Some => 50,
        Certainty::NewestNotAffected => 30,
    };
    within * (100 - kept) / 100
}

fn parts(finding: &Finding, evidence: &Evidence) -> Vec<Part> {
    let outcome = outcome(evidence);
    let range = range(outcome);
    let figures = figures(evidence, &range);
    let within: i64 = figures.iter().sum();
    let [malicious, exploited, ransomware, epss, cvss, runs] = figures;

    let mut parts = Vec::new();
    let mut add = |signal, tenths, text: String| {
        parts.push(Part {
            signal,
            tenths,
            text,
        });
    };
    add(
        "outcome",
        range.start,
        format!("{}, see the decision", outcome.phrase()),
    );
    if evidence.malicious {
        add(
            "malicious",
            malicious,
            "the release itself is malicious".to_owned(),
        );
    } else {
        if exploited > 0 {
            add("kev", exploited, "known to be exploited".to_owned());
        }
        if ransomware > 0 {
            let text = "ransomware campaigns are known to use it";
            add("ransomware", ransomware, text.to_owned());
        }
        add("epss", epss, epss_text(finding, evidence));
        add("cvss", cvss, cvss_text(evidence));
        let text = match evidence.use_ {
            Use::Run => "needed to run",
            Use::Build => "only needed to build",
            Use::Development => "only needed to develop and test",
        };
        if runs > 0 || !evidence.harmless {
            add("scope", runs, text.to_owned());
        }
    }
    if let Some(text) = uncertain(evidence.certainty) {
        add(
            "requirement",
            -taken(evidence.certainty, within),
            text.to_owned(),
        );
    }

    parts
}

fn epss_text(finding: &Finding, evidence: &Evidence) -> String {
    match &finding.signals.epss {
        Some(epss) => format!(
            "EPSS gives {} a {} probability of exploitation within 30 days, at least as high as {:.0} % of all scored CVEs",
            epss.cve,
            percent(epss.probability),
            (unit(epss.percentile) * 100.0).floor()
        ),
        None if evidence.harmless => {
            "the records state no vulnerability that could be exploited".to_owned()
        }
        None => format!(
            "EPSS has no probability; unknown is not zero, so {:.0} % is assumed",
            EPSS_STAND_IN * 100.0
        ),
    }
}

/// A probability: `12.3 %`, `0.04 %`.
pub(crate) fn percent(probability: f64) -> String {
    let decimals = if probability < 0.01 { 2 } else { 1 };
    format!("{:.decimals$} %", unit(probability) * 100.0)
}

fn cvss_text(evidence: &Evidence) -> String {
    use patchgate_model::Level;

    match (evidence.cvss, evidence.level) {
        (Some(score), _) => format!("CVSS score {score:.1}"),
        (None, Level::Unknown)
            if evidence
                .estimate
                .is_some_and(|(_, estimated)| estimated >= evidence.counted_cvss()) =>
        {
            format!(
                "the records state no severity; a CVSS score of {:.1} is estimated from the text",
                evidence.counted_cvss()
            )
        }
        (None, Level::Unknown) => format!(
            "the records state no severity; a CVSS score of {:.1} is assumed",
            evidence.counted_cvss()
        ),
        (None, Level::Informational) => "the records state no vulnerability".to_owned(),
        (None, _) => format!(
            "the records state a severity without a CVSS vector; {:.1}, the middle of its band, is used",
            evidence.counted_cvss()
        ),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "at most a thousand tenths are counted"
)]
fn part_of(tenths: i64, share: f64) -> i64 {
    (tenths as f64 * unit(share)).round() as i64
}

#[expect(
    clippy::cast_precision_loss,
    reason = "at most a thousand tenths are counted"
)]
fn points(tenths: i64) -> f64 {
    tenths as f64 / 10.0
}

#[cfg(test)]
pub(crate) mod tests;
