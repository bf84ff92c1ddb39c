//! How good a model is: accuracy, F1 and error next to the majority class, for each source.

use serde::{Deserialize, Serialize};

use crate::metrics::{METRIC_COUNT, Values, band, heads, likeliest, quantile, tenths};

/// Fewer tested records than this prove nothing about a source.
pub(crate) const MIN_TESTED: usize = 100;

/// Share of the scores that an interval should contain.
pub(crate) const COVERAGE: f64 = 0.8;

/// The figures of a model on the records of one source that it was not trained on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Number of tested records.
    pub tested: u32,
    /// Share of the metrics that are right, as the mean of the eight.
    pub metrics: f64,
    /// The same for the most frequent value of each metric.
    pub metrics_majority: f64,
    /// F1 of each value, as the mean of the values of a metric, then of the metrics.
    pub macro_f1: f64,
    /// Share of the records of which the band of the score is right.
    pub band: f64,
    /// The same for the most frequent band.
    pub band_majority: f64,
    /// The end of the 95 % interval of the difference between both that is worse for the model.
    pub band_gain: f64,
    /// Mean difference between the estimated score and the true one.
    pub error: f64,
    /// The same for the median of the true scores.
    pub error_majority: f64,
    /// Share of the records of which the interval contains the true score.
    pub coverage: f64,
}

impl Figures {
    /// Whether the model certainly beats the majority class, so that it may be used for the source.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        self.tested as usize >= MIN_TESTED
            && self.metrics > self.metrics_majority
            && self.band_gain > 0.0
            && self.error < self.error_majority
    }
}

/// A tested record: its true metrics, and the distribution of the score that the model gives.
#[derive(Debug, Clone)]
pub(crate) struct Tested {
    pub(crate) truth: Values,
    pub(crate) likeliest: Values,
    pub(crate) distribution: [f64; 101],
}

impl Tested {
    pub(crate) fn new(truth: Values, probabilities: &[f32]) -> Self {
        Self {
            truth,
            likeliest: likeliest(probabilities),
            distribution: crate::metrics::distribution(probabilities),
        }
    }

    /// The largest share that can be cut off at both ends of the distribution, so that the rest still
    /// contains the true score.
    fn tail(&self) -> f64 {
        let score = tenths(&self.truth);
        let below: f64 = self.distribution.iter().take(score).sum();
        let at = self.distribution.get(score).copied().unwrap_or_default();
        (below + at).min(1.0 - below)
    }
}

/// The share to cut off at both ends, so that the intervals of [`COVERAGE`] of the records contain
/// the true score.
pub(crate) fn tail(tested: &[&Tested]) -> f64 {
    let mut tails: Vec<f64> = tested.iter().map(|one| one.tail()).collect();
    tails.sort_by(f64::total_cmp);
    let excluded = (tails.len() as f64 * (1.0 - COVERAGE)) as usize;
    // A little less, because sums of probabilities are rounded; and never past the median.
    let tail = tails.get(excluded).copied().unwrap_or_default();
    (tail * 0.999).clamp(0.0, 0.45)
}

/// The figures of some records, with the tail that their source has.
pub(crate) fn figures(tested: &[&Tested], tail: f64) -> Figures {
    let number = tested.len().max(1) as f64;
    let share = |count: usize| count as f64 / number;
    let truths: Vec<usize> = tested.iter().map(|one| tenths(&one.truth)).collect();
    let estimates: Vec<usize> = tested
        .iter()
        .map(|one| quantile(&one.distribution, 0.5))
        .collect();

    let mut metrics = [0.0; METRIC_COUNT];
    let mut majority = [0.0; METRIC_COUNT];
    let mut f1 = [0.0; METRIC_COUNT];
    for (metric, head) in heads().iter().enumerate() {
        let pairs: Vec<(usize, usize)> = tested
            .iter()
            .map(|one| (one.truth[metric], one.likeliest[metric]))
            .collect();
        metrics[metric] = share(pairs.iter().filter(|(truth, guess)| truth == guess).count());
        let of_value = |value| pairs.iter().filter(|(truth, _)| *truth == value).count();
        majority[metric] = share((0..head.values.len()).map(of_value).max().unwrap_or(0));
        f1[metric] = macro_f1(&pairs, head.values.len());
    }

    let bands: Vec<_> = truths.iter().map(|score| band(*score)).collect();
    let of_band = |wanted| bands.iter().filter(|one| **one == wanted).count();
    let most = bands.iter().copied().max_by_key(|one| of_band(*one));
    let right: Vec<bool> = bands
        .iter()
        .zip(&estimates)
        .map(|(truth, estimate)| *truth == band(*estimate))
        .collect();
    let gains: Vec<f64> = right
        .iter()
        .zip(&bands)
        .map(|(right, truth)| {
            f64::from(u8::from(*right)) - f64::from(u8::from(Some(*truth) == most))
        })
        .collect();

    let mut sorted = truths.clone();
    sorted.sort_unstable();
    let median = sorted.get(sorted.len() / 2).copied().unwrap_or_default();
    let distance = |a: usize, b: usize| a.abs_diff(b) as f64 / 10.0;
    let covered = tested.iter().zip(&truths).filter(|(one, truth)| {
        let (low, high) = interval(&one.distribution, tail);
        (low..=high).contains(*truth)
    });

    Figures {
        tested: u32::try_from(tested.len()).unwrap_or(u32::MAX),
        metrics: mean(&metrics),
        metrics_majority: mean(&majority),
        macro_f1: mean(&f1),
        band: share(right.iter().filter(|right| **right).count()),
        band_majority: share(most.map_or(0, of_band)),
        band_gain: lower_end(&gains),
        error: truths
            .iter()
            .zip(&estimates)
            .map(|(truth, estimate)| distance(*truth, *estimate))
            .sum::<f64>()
            / number,
        error_majority: truths
            .iter()
            .map(|truth| distance(*truth, median))
            .sum::<f64>()
            / number,
        coverage: share(covered.count()),
    }
}

/// The scores between which the true one is expected, in tenths.
pub(crate) fn interval(distribution: &[f64; 101], tail: f64) -> (usize, usize) {
    (
        quantile(distribution, tail),
        quantile(distribution, 1.0 - tail),
    )
}

/// The mean F1 of the values that occur.
fn macro_f1(pairs: &[(usize, usize)], values: usize) -> f64 {
    let scores: Vec<f64> = (0..values)
        .filter(|value| pairs.iter().any(|(truth, _)| truth == value))
        .map(|value| {
            let is = |wanted: (bool, bool)| {
                let same = |pair: &&(usize, usize)| (pair.0 == value, pair.1 == value) == wanted;
                pairs.iter().filter(same).count() as f64
            };
            let hits = 2.0 * is((true, true));
            hits / (hits + is((true, false)) + is((false, true)))
        })
        .collect();
    mean(&scores)
}

pub(crate) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// The lower end of the 95 % interval of a mean, by the normal approximation.
pub(crate) fn lower_end(values: &[f64]) -> f64 {
    let mean = mean(values);
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    let number = values.len().max(2) as f64;
    mean - 1.96 * (squares / (number - 1.0) / number).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::values;

    fn tested(truth: &str, score: Option<usize>) -> Tested {
        let truth = values(&format!("CVSS:3.1/{truth}")).unwrap();
        let score = score.unwrap_or_else(|| tenths(&truth));
        let mut distribution = [0.0; 101];
        distribution[score] = 1.0;
        Tested {
            truth,
            likeliest: truth,
            distribution,
        }
    }

    #[test]
    fn a_model_that_is_always_right_beats_the_majority() {
        let all: Vec<Tested> = (0..200)
            .map(|number| match number % 2 {
                0 => tested("AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", None),
                _ => tested("AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N", None),
            })
            .collect();
        let all: Vec<&Tested> = all.iter().collect();
        let figures = figures(&all, tail(&all));
        assert!((figures.metrics, figures.macro_f1, figures.band) == (1.0, 1.0, 1.0));
        assert!((figures.band_majority - 0.5).abs() < 1e-9);
        assert!(figures.error == 0.0 && figures.coverage == 1.0);
        assert!(figures.is_usable());

        // The same figures on a few records prove nothing.
        assert!(!super::figures(&all[..20], 0.1).is_usable());
    }

    #[test]
    fn the_majority_class_does_not_beat_itself() {
        let all: Vec<Tested> = (0..200)
            .map(|number| match number % 3 {
                0 => tested("AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", Some(16)),
                _ => tested("AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N", None),
            })
            .collect();
        let all: Vec<&Tested> = all.iter().collect();
        let figures = figures(&all, 0.1);
        assert!((figures.band - figures.band_majority).abs() < 1e-9);
        assert!(!figures.is_usable());
    }

    #[test]
    fn the_tail_keeps_four_of_five_inside() {
        let spread = |score: usize| {
            let mut one = tested("AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", None);
            one.distribution = [0.0; 101];
            (0..10).for_each(|step| one.distribution[(score + step).min(100)] += 0.1);
            one
        };
        let all: Vec<Tested> = (0..100).map(|number| spread(88 + number % 11)).collect();
        let all: Vec<&Tested> = all.iter().collect();
        let coverage = figures(&all, tail(&all)).coverage;
        assert!((0.8..0.95).contains(&coverage), "{coverage}");
    }
}
