//! The chart of priorities: a histogram of the scores, ten points a bar, stacked by severity.

use serde::Serialize;

use super::super::{FindingReport, SeverityName, phrases};

/// Coordinates of the drawing area, in units of the image.
const LEFT: f64 = 40.0;
const WIDTH: f64 = 590.0;
const TOP: f64 = 22.0;
const HEIGHT: f64 = 150.0;
/// Space between two bars.
const GAP: f64 = 8.0;
/// Bars of the histogram.
const BARS: usize = 10;
/// Least height of a part that is not empty, so that a single finding among thousands is seen.
const LEAST: f64 = 2.0;

/// The severities, from the bottom of a bar to its top.
const SEVERITIES: [SeverityName; 7] = [
    SeverityName::Critical,
    SeverityName::High,
    SeverityName::Medium,
    SeverityName::Low,
    SeverityName::Unknown,
    SeverityName::Informational,
    SeverityName::None,
];

/// The chart, as shapes with coordinates.
#[derive(Debug, Serialize)]
pub(super) struct Chart {
    bars: Vec<Bar>,
    legend: Vec<&'static str>,
    /// The chart in words.
    text: String,
}

#[derive(Debug, Serialize)]
struct Bar {
    /// The scores: `90–100`.
    label: String,
    count: usize,
    /// Middle of the bar.
    middle: f64,
    /// Upper end of the bar.
    top: f64,
    parts: Vec<Part>,
}

#[derive(Debug, Serialize)]
struct Part {
    severity: &'static str,
    count: usize,
    x: f64,
    y: f64,
    width: f64,
    height: f64,
}

impl Chart {
    /// The chart of these findings; `None` without any.
    pub(super) fn new(findings: &[FindingReport]) -> Option<Self> {
        if findings.is_empty() {
            return None;
        }

        let mut counts = [[0_usize; SEVERITIES.len()]; BARS];
        for finding in findings {
            let severity = SEVERITIES.iter().position(|one| *one == finding.severity);
            let cell = counts
                .get_mut(bar_of(finding.score))
                .and_then(|bar| bar.get_mut(severity.unwrap_or_default()));
            if let Some(cell) = cell {
                *cell += 1;
            }
        }

        let most = counts.iter().map(|bar| bar.iter().sum()).max();
        let most: usize = most.unwrap_or(1).max(1);
        let bars: Vec<Bar> = counts
            .iter()
            .enumerate()
            .map(|(index, counts)| bar(index, counts, most))
            .collect();

        let legend = SEVERITIES
            .iter()
            .filter(|severity| findings.iter().any(|one| one.severity == **severity))
            .map(|severity| phrases::severity(*severity))
            .collect();
        let told: Vec<String> = bars
            .iter()
            .rev()
            .filter(|bar| bar.count > 0)
            .map(|bar| format!("{} with a score of {}", bar.count, bar.label))
            .collect();

        Some(Self {
            text: format!("Findings by score: {}.", told.join(", ")),
            bars,
            legend,
        })
    }
}

/// The bar of a score. A score of 100 is in the last one.
fn bar_of(score: f64) -> usize {
    let bounds = (1..BARS).map(|bar| bar as f64 * 10.0);
    bounds.filter(|bound| score >= *bound).count()
}

fn bar(index: usize, counts: &[usize], most: usize) -> Bar {
    let step = WIDTH / BARS as f64;
    let x = LEFT + step * index as f64 + GAP / 2.0;
    let mut top = TOP + HEIGHT;
    let mut parts = Vec::new();
    for (severity, count) in SEVERITIES.iter().zip(counts) {
        if *count == 0 {
            continue;
        }

        let height = (HEIGHT * *count as f64 / most as f64).max(LEAST);
        top -= height;
        parts.push(Part {
            severity: phrases::severity(*severity),
            count: *count,
            x: rounded(x),
            y: rounded(top),
            width: rounded(step - GAP),
            height: rounded(height),
        });
    }

    Bar {
        label: format!("{}–{}", index * 10, index * 10 + 10),
        count: counts.iter().sum(),
        middle: rounded(x + (step - GAP) / 2.0),
        top: rounded(top),
        parts,
    }
}

/// To a tenth of a unit.
fn rounded(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_score_has_a_bar() {
        for (score, bar) in [
            (0.0, 0),
            (9.99, 0),
            (10.0, 1),
            (94.8, 9),
            (100.0, 9),
            (f64::NAN, 0),
        ] {
            assert_eq!(bar_of(score), bar, "{score}");
        }
    }

    #[test]
    fn one_finding_among_thousands_is_seen() {
        let bar = bar(0, &[1, 5000, 0, 0, 0, 0, 0], 5001);
        assert_eq!(bar.count, 5001);
        assert_eq!(bar.parts[0].height, LEAST);
        assert!(bar.top >= 0.0, "{bar:?}");
    }
}
