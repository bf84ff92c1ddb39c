//! The base metrics of CVSS v3.1 as the heads of a model, and the scores of all their combinations.

use std::sync::LazyLock;

use patchgate_cvss::Vector;
use patchgate_model::Level;

use crate::linear::Head;

/// The base metrics with their values: specification, section 2
/// (<https://www.first.org/cvss/v3.1/specification-document#Base-Metrics>).
const METRICS: [(&str, &[&str]); METRIC_COUNT] = [
    ("AV", &["N", "A", "L", "P"]),
    ("AC", &["L", "H"]),
    ("PR", &["N", "L", "H"]),
    ("UI", &["N", "R"]),
    ("S", &["U", "C"]),
    ("C", &["N", "L", "H"]),
    ("I", &["N", "L", "H"]),
    ("A", &["N", "L", "H"]),
];

/// Number of base metrics.
pub(crate) const METRIC_COUNT: usize = 8;

/// Number of the scores from 0.0 to 10.0.
const SCORES: usize = 101;

/// The index of the value of each metric.
pub(crate) type Values = [usize; METRIC_COUNT];

pub(crate) fn heads() -> Vec<Head> {
    METRICS
        .iter()
        .map(|(name, values)| Head {
            name: (*name).to_owned(),
            values: values.iter().map(|value| (*value).to_owned()).collect(),
        })
        .collect()
}

/// The metrics of a vector of CVSS v3.0 or v3.1; `None` for another text.
pub(crate) fn values(vector: &str) -> Option<Values> {
    let vector: Vector = vector.trim().parse().ok()?;
    let mut indices = Values::default();
    for (index, (name, values)) in indices.iter_mut().zip(METRICS) {
        let stated = vector.get(name)?;
        *index = values.iter().position(|value| *value == stated)?;
    }
    // v2 has metrics of the same names, but no scope.
    vector.get("S")?;
    Some(indices)
}

/// The vector of the values.
pub(crate) fn vector(values: &Values) -> String {
    let metrics = METRICS.iter().zip(values);
    metrics.fold("CVSS:3.1".to_owned(), |text, ((name, all), index)| {
        let value = all.get(*index).copied().unwrap_or_default();
        format!("{text}/{name}:{value}")
    })
}

/// The base score in tenths.
pub(crate) fn tenths(values: &Values) -> usize {
    let index = METRICS
        .iter()
        .zip(values)
        .fold(0, |index, ((_, all), value)| index * all.len() + value);
    TENTHS.get(index).copied().map_or(0, usize::from)
}

/// The base scores of all 2,592 combinations, the last metric counting fastest.
static TENTHS: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let count: usize = METRICS.iter().map(|(_, values)| values.len()).product();
    (0..count)
        .map(|mut index| {
            let mut values = Values::default();
            for (value, (_, all)) in values.iter_mut().zip(METRICS).rev() {
                *value = index % all.len();
                index /= all.len();
            }
            let score = vector(&values)
                .parse::<Vector>()
                .map_or(0.0, |vector| vector.scores().base);
            rounded(score * 10.0)
        })
        .collect()
});

/// The probability of each score, in tenths, under the probabilities of the metrics' values, which are
/// taken as independent of each other given the text.
pub(crate) fn distribution(probabilities: &[f32]) -> [f64; SCORES] {
    let mut combined = vec![1.0_f64];
    let mut rest = probabilities;
    for (_, values) in METRICS {
        let (own, others) = rest.split_at(values.len().min(rest.len()));
        combined = combined
            .iter()
            .flat_map(|before| own.iter().map(move |value| before * f64::from(*value)))
            .collect();
        rest = others;
    }

    let mut distribution = [0.0; SCORES];
    for (probability, tenths) in combined.iter().zip(TENTHS.iter()) {
        if let Some(sum) = distribution.get_mut(usize::from(*tenths)) {
            *sum += probability;
        }
    }
    distribution
}

/// The most probable value of each metric.
pub(crate) fn likeliest(probabilities: &[f32]) -> Values {
    let mut values = Values::default();
    let mut rest = probabilities;
    for (value, (_, all)) in values.iter_mut().zip(METRICS) {
        let (own, others) = rest.split_at(all.len().min(rest.len()));
        *value = crate::linear::likeliest(own);
        rest = others;
    }
    values
}

/// The smallest score, in tenths, at which the sum of the distribution reaches the share.
pub(crate) fn quantile(distribution: &[f64; SCORES], share: f64) -> usize {
    let mut sum = 0.0;
    for (tenths, probability) in distribution.iter().enumerate() {
        sum += probability;
        if sum >= share {
            return tenths;
        }
    }
    SCORES - 1
}

/// The band of a score in tenths: specification, section 5.
pub(crate) fn band(tenths: usize) -> Level {
    match tenths {
        0 => Level::None,
        1..40 => Level::Low,
        40..70 => Level::Medium,
        70..90 => Level::High,
        _ => Level::Critical,
    }
}

/// A score in tenths as a number.
pub(crate) fn score(tenths: usize) -> f64 {
    f64::from(u8::try_from(tenths).unwrap_or(u8::MAX)) / 10.0
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a score is from 0 to 10"
)]
fn rounded(value: f64) -> u8 {
    value.round().clamp(0.0, 100.0) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vector_and_its_values_are_the_same_thing() {
        let text = "CVSS:3.1/AV:A/AC:H/PR:L/UI:R/S:C/C:L/I:N/A:H";
        let indices = values(text).unwrap();
        assert_eq!(indices, [1, 1, 1, 1, 1, 1, 0, 2]);
        assert_eq!(vector(&indices), text);
        assert_eq!(tenths(&indices), 62);
        assert_eq!(
            values("CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/E:P").map(|it| tenths(&it)),
            Some(98)
        );
        for other in [
            "",
            "AV:N/AC:L/Au:N/C:C/I:C/A:C",
            "CVSS:3.1/AV:N",
            "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
        ] {
            assert_eq!(values(other), None, "{other}");
        }
    }

    #[test]
    fn a_certain_vector_has_one_score() {
        let mut probabilities = Vec::new();
        for (_, all) in METRICS {
            probabilities.extend(std::iter::once(1.0).chain(vec![0.0; all.len() - 1]));
        }
        // Nothing is lost: AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N.
        assert!((distribution(&probabilities)[0] - 1.0).abs() < 1e-9);

        let even: Vec<f32> = METRICS
            .iter()
            .flat_map(|(_, all)| vec![1.0 / crate::linear::count(all.len()); all.len()])
            .collect();
        let distribution = distribution(&even);
        assert!((distribution.iter().sum::<f64>() - 1.0).abs() < 1e-5);
        assert!(quantile(&distribution, 0.1) < quantile(&distribution, 0.9));
        assert_eq!(quantile(&distribution, 2.0), 100);
    }
}
