//! Training of a model: the choice of features, and gradient descent.
//!
//! The result is the same on every machine: examples come in a fixed order, the generator of the
//! shuffle has a fixed seed, exponents and logarithms come from `libm` in software, and one thread
//! does the work.

use std::collections::HashMap;

use crate::linear::{Head, IDF_STEPS, LinearModel, Sparse, count, softmax, sparse};

/// An example: its features, sorted, and the index of its value for each head.
#[derive(Debug, Clone)]
pub(crate) struct Labelled {
    pub(crate) features: Vec<u32>,
    pub(crate) labels: Vec<usize>,
    /// How much its error counts.
    pub(crate) weight: f32,
}

/// The settings of a training.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Training {
    /// Number of features that are kept.
    pub(crate) features: usize,
    /// Passes over the examples. More of them fit the examples better and later ones worse.
    pub(crate) passes: usize,
    /// Length of a step of AdaGrad.
    pub(crate) step: f32,
}

/// A feature has to occur in as many examples.
const MIN_EXAMPLES: u32 = 3;

/// Weight of the squared weights in the loss.
const DECAY: f32 = 1e-5;

/// Length of a step of the biases.
const BIAS_STEP: f32 = 0.1;

/// Start of the shuffle's generator (xorshift64, <https://doi.org/10.18637/jss.v008.i14>).
const SEED: u64 = 42;

impl Training {
    /// Trains a model on the examples.
    pub(crate) fn run(self, heads: &[Head], examples: &[&Labelled]) -> LinearModel {
        let (hashes, idf) = self.vocabulary(heads, examples);
        let vectors: Vec<Sparse> = examples
            .iter()
            .map(|example| sparse(&example.features, &hashes, &idf))
            .collect();
        let mut descent = Descent::new(heads, hashes.len());
        let mut order: Vec<usize> = (0..examples.len()).collect();
        let mut state = SEED;

        for _ in 0..self.passes {
            shuffle(&mut order, &mut state);
            for index in &order {
                if let (Some(example), Some(vector)) = (examples.get(*index), vectors.get(*index)) {
                    descent.step(example, vector, self.step);
                }
            }
        }

        let (weights, scales) = descent.quantised();
        LinearModel {
            heads: heads.to_vec(),
            hashes,
            idf,
            weights,
            scales,
            bias: descent.bias,
        }
    }

    /// The features that say most about the heads, with their inverse document frequencies: those
    /// with the highest χ² statistics, summed over the heads.
    fn vocabulary(self, heads: &[Head], examples: &[&Labelled]) -> (Vec<u32>, Vec<u8>) {
        let width: usize = heads.iter().map(|head| head.values.len()).sum();
        let mut frequency: HashMap<u32, u32> = HashMap::new();
        for example in examples {
            for feature in distinct(example) {
                *frequency.entry(feature).or_default() += 1;
            }
        }

        let mut observed: HashMap<u32, Vec<u32>> = frequency
            .iter()
            .filter(|(_, number)| **number >= MIN_EXAMPLES)
            .map(|(feature, _)| (*feature, vec![0; width]))
            .collect();
        let mut totals = vec![0_u32; width];
        for example in examples {
            let columns: Vec<usize> = columns(heads, &example.labels).collect();
            columns.iter().for_each(|column| totals[*column] += 1);
            for feature in distinct(example) {
                if let Some(counts) = observed.get_mut(&feature) {
                    columns.iter().for_each(|column| counts[*column] += 1);
                }
            }
        }

        let all = examples.len().max(1) as f64;
        let mut ranked: Vec<(f64, u32)> = observed
            .iter()
            .map(|(feature, counts)| {
                let number = f64::from(frequency.get(feature).copied().unwrap_or_default());
                let parts = counts.iter().zip(&totals).filter(|(_, total)| **total > 0);
                let statistic = parts.map(|(count, total)| {
                    let expected = f64::from(*total) / all * number;
                    (f64::from(*count) - expected).powi(2) / expected
                });
                (statistic.sum(), *feature)
            })
            .collect();
        ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        ranked.truncate(self.features);

        let mut hashes: Vec<u32> = ranked.into_iter().map(|(_, feature)| feature).collect();
        hashes.sort_unstable();
        let idf = hashes
            .iter()
            .map(|feature| {
                let number = f64::from(frequency.get(feature).copied().unwrap_or_default());
                let idf = libm::log((1.0 + all) / (1.0 + number)) + 1.0;
                byte(idf * f64::from(IDF_STEPS))
            })
            .collect();
        (hashes, idf)
    }
}

fn distinct(example: &Labelled) -> impl Iterator<Item = u32> + '_ {
    let same = example.features.chunk_by(|a, b| a == b);
    same.filter_map(|same| same.first().copied())
}

/// The column of each label.
fn columns<'a>(heads: &'a [Head], labels: &'a [usize]) -> impl Iterator<Item = usize> + 'a {
    let starts = heads.iter().scan(0, |next, head| {
        let start = *next;
        *next += head.values.len();
        Some(start)
    });
    starts.zip(labels).map(|(start, label)| start + label)
}

fn shuffle(order: &mut [usize], state: &mut u64) {
    for last in (1..order.len()).rev() {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        let chosen = *state % (last as u64 + 1);
        order.swap(last, chosen as usize);
    }
}

/// Gradient descent with AdaGrad's step lengths
/// (<https://jmlr.org/papers/v12/duchi11a.html>).
struct Descent<'a> {
    heads: &'a [Head],
    width: usize,
    weights: Vec<f32>,
    /// Sum of the squared gradients of each weight.
    squares: Vec<f32>,
    bias: Vec<f32>,
    bias_squares: Vec<f32>,
    /// The probabilities of an example, then their errors.
    errors: Vec<f32>,
}

impl<'a> Descent<'a> {
    fn new(heads: &'a [Head], features: usize) -> Self {
        let width = heads.iter().map(|head| head.values.len()).sum();
        Self {
            heads,
            width,
            weights: vec![0.0; features * width],
            squares: vec![1e-6; features * width],
            bias: vec![0.0; width],
            bias_squares: vec![1e-6; width],
            errors: vec![0.0; width],
        }
    }

    fn step(&mut self, example: &Labelled, vector: &[(usize, f32)], step: f32) {
        let width = self.width;
        self.errors.copy_from_slice(&self.bias);
        for (index, value) in vector {
            let row = &self.weights[index * width..(index + 1) * width];
            for (sum, weight) in self.errors.iter_mut().zip(row) {
                *sum += weight * value;
            }
        }

        let mut start = 0;
        for (head, label) in self.heads.iter().zip(&example.labels) {
            let own = &mut self.errors[start..start + head.values.len()];
            softmax(own);
            own[*label] -= 1.0;
            start += head.values.len();
        }
        for error in &mut self.errors {
            *error *= example.weight;
        }

        for (column, error) in self.errors.iter().enumerate() {
            self.bias_squares[column] += error * error;
            self.bias[column] -= BIAS_STEP * error / self.bias_squares[column].sqrt();
        }
        for (index, value) in vector {
            let range = index * width..(index + 1) * width;
            let weights = &mut self.weights[range.clone()];
            let squares = &mut self.squares[range];
            for ((weight, square), error) in weights.iter_mut().zip(squares).zip(&self.errors) {
                let gradient = error * value + DECAY * *weight;
                *square += gradient * gradient;
                *weight -= step * gradient / square.sqrt();
            }
        }
    }

    /// The weights as bytes, and what a step of each column is worth.
    fn quantised(&self) -> (Vec<i8>, Vec<f32>) {
        let mut scales = vec![0.0_f32; self.width];
        for row in self.weights.chunks_exact(self.width) {
            for (largest, weight) in scales.iter_mut().zip(row) {
                *largest = largest.max(weight.abs());
            }
        }
        for scale in &mut scales {
            *scale = scale.max(f32::MIN_POSITIVE * 1e6) / count(127);
        }

        let rows = self.weights.chunks_exact(self.width);
        let weights = rows
            .flat_map(|row| row.iter().zip(&scales))
            .map(|(weight, scale)| step_of(weight / scale))
            .collect();
        (weights, scales)
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the value is clamped to the range of the type"
)]
fn step_of(value: f32) -> i8 {
    value.round().clamp(-127.0, 127.0) as i8
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the value is clamped to the range of the type"
)]
fn byte(value: f64) -> u8 {
    value.round().clamp(0.0, 255.0) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_training_finds_what_decides_and_repeats_bit_for_bit() {
        let heads = [Head {
            name: "UI".into(),
            values: vec!["N".into(), "R".into()],
        }];
        let examples: Vec<Labelled> = (0..200_u32)
            .map(|number| Labelled {
                // Feature 1 or 2 decides, 10 to 14 are noise.
                features: vec![1 + number % 2, 10 + number % 5],
                labels: vec![usize::from(number % 2 == 1)],
                weight: 1.0,
            })
            .collect();
        let examples: Vec<&Labelled> = examples.iter().collect();
        let training = Training {
            features: 4,
            passes: 5,
            step: 0.1,
        };

        let model = training.run(&heads, &examples);
        model.check().unwrap();
        assert!(model.hashes.contains(&1) && model.hashes.contains(&2));
        assert_eq!(model.hashes.len(), 4);
        assert!(model.probabilities(&[1])[0] > 0.9);
        assert!(model.probabilities(&[2])[1] > 0.9);
        assert_eq!(model, training.run(&heads, &examples));
    }
}
