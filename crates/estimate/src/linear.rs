//! Logistic regression over hashed features, with weights of one byte.

use serde::{Deserialize, Serialize};

use crate::ModelError;

/// Steps of a stored inverse document frequency for one unit.
pub(crate) const IDF_STEPS: f32 = 16.0;

/// A quantity with several values, of which a model gives the probabilities.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Head {
    pub(crate) name: String,
    pub(crate) values: Vec<String>,
}

/// A model: one softmax regression for each head, over the same features.
///
/// A feature is the TF-IDF weight of a hashed word or pair: `(1 + ln count) · idf`, over the length of
/// the vector.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct LinearModel {
    pub(crate) heads: Vec<Head>,
    /// The hashes of the features, sorted.
    pub(crate) hashes: Vec<u32>,
    /// The inverse document frequency of each feature, in parts of [`IDF_STEPS`].
    pub(crate) idf: Vec<u8>,
    /// The weights, one row for each feature, with a column for each value of each head.
    pub(crate) weights: Vec<i8>,
    /// What one step of a column is worth.
    pub(crate) scales: Vec<f32>,
    pub(crate) bias: Vec<f32>,
}

/// The features of one text that a model knows, by index, with their weights.
pub(crate) type Sparse = Vec<(usize, f32)>;

impl LinearModel {
    /// Number of columns.
    pub(crate) fn width(&self) -> usize {
        self.heads.iter().map(|head| head.values.len()).sum()
    }

    /// Whether the parts fit each other. A file may be damaged, or written by hand.
    pub(crate) fn check(&self) -> Result<(), ModelError> {
        let width = self.width();
        let fits = self.heads.iter().all(|head| head.values.len() > 1)
            && self.hashes.is_sorted_by(|a, b| a < b)
            && self.idf.len() == self.hashes.len()
            && self.hashes.len().checked_mul(width) == Some(self.weights.len())
            && self.scales.len() == width
            && self.bias.len() == width;
        let numbers = self.scales.iter().chain(&self.bias);
        if fits && numbers.clone().all(|number| number.is_finite()) {
            Ok(())
        } else {
            Err(ModelError::Inconsistent)
        }
    }

    /// The probability of each value, in the order of the columns.
    pub(crate) fn probabilities(&self, features: &[u32]) -> Vec<f32> {
        let width = self.width();
        let sparse = sparse(features, &self.hashes, &self.idf);
        let mut sums = vec![0.0_f32; width];
        for (index, value) in sparse {
            let row = self.weights.get(index * width..(index + 1) * width);
            for (sum, weight) in sums.iter_mut().zip(row.unwrap_or_default()) {
                *sum += f32::from(*weight) * value;
            }
        }
        for ((sum, scale), bias) in sums.iter_mut().zip(&self.scales).zip(&self.bias) {
            *sum = *sum * scale + bias;
        }

        let mut rest = sums.as_mut_slice();
        for head in &self.heads {
            let (own, others) = rest.split_at_mut(head.values.len().min(rest.len()));
            softmax(own);
            rest = others;
        }
        sums
    }
}

/// The known features of a text, scaled to length 1.
pub(crate) fn sparse(features: &[u32], hashes: &[u32], idf: &[u8]) -> Sparse {
    let mut known = Sparse::new();
    for same in features.chunk_by(|a, b| a == b) {
        let Some(hash) = same.first() else { continue };
        if let Ok(index) = hashes.binary_search(hash) {
            let idf = f32::from(idf.get(index).copied().unwrap_or_default()) / IDF_STEPS;
            known.push((index, (1.0 + libm::logf(count(same.len()))) * idf));
        }
    }

    let squares: f32 = known.iter().map(|(_, value)| value * value).sum();
    let length = squares.sqrt().max(f32::MIN_POSITIVE);
    for (_, value) in &mut known {
        *value /= length;
    }
    known
}

/// Turns sums into probabilities.
pub(crate) fn softmax(sums: &mut [f32]) {
    let largest = sums.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut total = 0.0;
    for sum in &mut *sums {
        *sum = libm::expf(*sum - largest);
        total += *sum;
    }
    for sum in sums {
        *sum /= total;
    }
}

/// A count as a number with a fraction.
pub(crate) fn count(number: usize) -> f32 {
    f32::from(u16::try_from(number).unwrap_or(u16::MAX))
}

/// The index of the greatest probability; the first of equal ones.
pub(crate) fn likeliest(probabilities: &[f32]) -> usize {
    let mut best = 0;
    for (index, probability) in probabilities.iter().enumerate() {
        if probabilities
            .get(best)
            .is_none_or(|most| probability > most)
        {
            best = index;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model() -> LinearModel {
        LinearModel {
            heads: vec![Head {
                name: "UI".into(),
                values: vec!["N".into(), "R".into()],
            }],
            hashes: vec![3, 7],
            idf: vec![16, 32],
            weights: vec![100, -100, -100, 100],
            scales: vec![0.05, 0.05],
            bias: vec![0.0, 0.0],
        }
    }

    #[test]
    fn a_known_feature_moves_the_probability() {
        let model = model();
        model.check().unwrap();
        assert_eq!(model.probabilities(&[]), [0.5, 0.5]);
        assert!(model.probabilities(&[3])[0] > 0.99);
        assert!(model.probabilities(&[7])[1] > 0.99);
        // The second feature is rarer, so it counts more.
        assert!(model.probabilities(&[3, 7])[1] > 0.9);
        assert_eq!(model.probabilities(&[1, 2, 9]), [0.5, 0.5]);
    }

    #[test]
    fn parts_that_do_not_fit_are_refused() {
        let breaks: [fn(&mut LinearModel); 6] = [
            |model| model.hashes.swap(0, 1),
            |model| model.idf.truncate(1),
            |model| model.weights.truncate(3),
            |model| model.bias.truncate(1),
            |model| model.scales[0] = f32::NAN,
            |model| model.heads[0].values.truncate(1),
        ];
        for change in breaks {
            let mut model = model();
            change(&mut model);
            assert!(model.check().is_err());
        }
    }
}
