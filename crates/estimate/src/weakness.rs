//! The weakness (CWE) that an advisory's text suggests.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use jiff::civil::Date;
use patchgate_model::{WeaknessEstimate, WeaknessGuess};
use serde::{Deserialize, Serialize};

use crate::example::{Example, join};
use crate::linear::{Head, LinearModel};
use crate::measure::{MIN_TESTED, lower_end, mean};
use crate::text::AdvisoryText;
use crate::train::{Labelled, Training};
use crate::{ModelError, Refusal, source_of};

/// The first bytes of a file with a model, with the version of its format.
const MAGIC: &[u8] = b"PGCWE01\n";

/// The model of the repository; `train weakness` writes it again, bit for bit.
const EMBEDDED: &[u8] = include_bytes!("../models/weakness.bin");

static BUILT_IN: LazyLock<Option<WeaknessModel>> =
    LazyLock::new(|| WeaknessModel::from_bytes(EMBEDDED).ok());

/// A weakness needs as many examples to be learnt.
const MIN_EXAMPLES: usize = 40;

/// Bytes for weights, hashes and document frequencies. The rest of a file is for figures and names.
const TABLE_BYTES: usize = 480_000;

/// Number of weaknesses in an estimate.
const SHOWN: usize = 3;

/// The figures of a weakness model on records that it was not trained on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WeaknessFigures {
    /// Number of tested records.
    pub tested: u32,
    /// Share of the records of which the first answer is right.
    pub first: f64,
    /// Share of the records of which one of the first three is right.
    pub top: f64,
    /// The same for the three most frequent weaknesses of the tested records.
    pub top_majority: f64,
    /// The lower end of the 95 % interval of the difference between both.
    pub gain: f64,
}

impl WeaknessFigures {
    /// Whether the model certainly beats the most frequent answers, so that it may be used.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        self.tested as usize >= MIN_TESTED && self.gain > 0.0
    }
}

/// A model for the weakness of a vulnerability.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WeaknessModel {
    split: Date,
    trained: u32,
    model: LinearModel,
    sources: BTreeMap<String, WeaknessFigures>,
}

/// A model with the figures of its test.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainedWeakness {
    /// The model.
    pub model: WeaknessModel,
    /// The figures on all records from the split on.
    pub overall: WeaknessFigures,
}

impl WeaknessModel {
    /// The model that is part of the program.
    #[must_use]
    pub fn built_in() -> Option<&'static Self> {
        BUILT_IN.as_ref()
    }

    /// Reads a model that [`WeaknessModel::to_bytes`] wrote.
    ///
    /// # Errors
    /// When the bytes are not a model, or its parts do not fit each other.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ModelError> {
        let read: Self = crate::read(bytes, MAGIC)?;
        read.model.check()?;
        match read.model.heads.len() {
            1 => Ok(read),
            _ => Err(ModelError::Inconsistent),
        }
    }

    /// The model as the bytes of a file.
    ///
    /// # Errors
    /// When the model is too large for a file.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ModelError> {
        crate::write(self, MAGIC)
    }

    /// The day before which all records are that the model was trained on.
    #[must_use]
    pub fn split(&self) -> Date {
        self.split
    }

    /// Number of records that the model was trained on.
    #[must_use]
    pub fn trained(&self) -> u32 {
        self.trained
    }

    /// The weaknesses that the model knows.
    #[must_use]
    pub fn weaknesses(&self) -> &[String] {
        self.model.heads.first().map_or(&[], |head| &head.values)
    }

    /// Number of words and pairs that the model knows.
    #[must_use]
    pub fn features(&self) -> usize {
        self.model.hashes.len()
    }

    /// The figures of each source that was tested, by name.
    pub fn sources(&self) -> impl Iterator<Item = (&str, &WeaknessFigures)> {
        self.sources
            .iter()
            .map(|(name, figures)| (name.as_str(), figures))
    }

    /// The three most probable weaknesses of a record.
    ///
    /// # Errors
    /// When the record has no text, or the model does not certainly beat the most frequent answers
    /// for its source.
    pub fn estimate(&self, id: &str, text: &AdvisoryText<'_>) -> Result<WeaknessEstimate, Refusal> {
        let source = source_of(id);
        match self.sources.get(source) {
            None => return Err(Refusal::Untested(source.to_owned())),
            Some(figures) if !figures.is_usable() => {
                return Err(Refusal::NotBetter(source.to_owned()));
            }
            Some(_) if text.is_empty() => return Err(Refusal::NoText),
            Some(_) => {}
        }

        let ranked = self.ranked(&text.features(false));
        let guesses = ranked.into_iter().take(SHOWN).filter_map(|(index, share)| {
            Some(WeaknessGuess {
                cwe: self.weaknesses().get(index)?.clone(),
                probability: f64::from(share),
            })
        });
        Ok(WeaknessEstimate {
            record: id.to_owned(),
            guesses: guesses.collect(),
        })
    }

    /// The weaknesses by index, most probable first.
    fn ranked(&self, features: &[u32]) -> Vec<(usize, f32)> {
        let probabilities = self.model.probabilities(features);
        let mut ranked: Vec<(usize, f32)> = probabilities.into_iter().enumerate().collect();
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        ranked
    }

    /// Trains a model on the examples before the day `split`, and tests it on the others. A weakness
    /// with few examples is not learnt; in the test it counts as an error.
    #[must_use]
    pub fn train(mut examples: Vec<Example>, split: Date) -> TrainedWeakness {
        join(&mut examples);
        examples.retain(|example| !example.cwes.is_empty() && example.date.is_some());
        examples.sort_by(|a, b| (a.date, &a.id).cmp(&(b.date, &b.id)));
        let at = examples.partition_point(|example| example.date < Some(split));
        let (older, later) = examples.split_at(at);

        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for cwe in older.iter().filter_map(|example| example.cwes.first()) {
            *counts.entry(cwe).or_default() += 1;
        }
        counts.retain(|_, count| *count >= MIN_EXAMPLES);
        let mut values: Vec<String> = counts.into_keys().map(str::to_owned).collect();
        if values.len() < 2 {
            // A head needs two values. An answer that no record has is never right.
            values.extend(["none".to_owned(), "other".to_owned()]);
        }
        let training = Training {
            features: TABLE_BYTES / (values.len() + 6),
            passes: 8,
            step: 0.1,
        };

        let labelled: Vec<Labelled> = older
            .iter()
            .filter_map(|example| {
                let of = |cwe: &String| values.iter().position(|value| value == cwe);
                Some(Labelled {
                    features: example.features(false),
                    labels: vec![example.cwes.iter().find_map(of)?],
                    weight: 1.0,
                })
            })
            .collect();
        let heads = [Head {
            name: "CWE".to_owned(),
            values,
        }];
        let model = training.run(&heads, &labelled.iter().collect::<Vec<_>>());
        let mut model = Self {
            split,
            trained: u32::try_from(labelled.len()).unwrap_or(u32::MAX),
            model,
            sources: BTreeMap::new(),
        };

        let sources: BTreeSet<&str> = later.iter().map(|one| one.source.as_str()).collect();
        let figures = |wanted: Option<&str>| {
            let is_wanted = |one: &&Example| wanted.is_none_or(|source| one.source == source);
            model.figures(&later.iter().filter(is_wanted).collect::<Vec<_>>())
        };
        let overall = figures(None);
        model.sources = sources
            .into_iter()
            .map(|source| (source.to_owned(), figures(Some(source))))
            .collect();
        TrainedWeakness { model, overall }
    }

    fn figures(&self, tested: &[&Example]) -> WeaknessFigures {
        let mut frequent: BTreeMap<&str, usize> = BTreeMap::new();
        for cwe in tested.iter().flat_map(|example| &example.cwes) {
            *frequent.entry(cwe).or_default() += 1;
        }
        let mut frequent: Vec<(&str, usize)> = frequent.into_iter().collect();
        frequent.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        let frequent: Vec<&str> = frequent.iter().take(SHOWN).map(|(cwe, _)| *cwe).collect();

        let number = |is: bool| f64::from(u8::from(is));
        let (mut first, mut top, mut majority) = (Vec::new(), Vec::new(), Vec::new());
        for example in tested {
            let ranked = self.ranked(&example.features(false));
            let is_right = |(index, _): &(usize, f32)| {
                let cwe = self.weaknesses().get(*index);
                cwe.is_some_and(|cwe| example.cwes.contains(cwe))
            };
            first.push(number(ranked.iter().take(1).any(is_right)));
            top.push(number(ranked.iter().take(SHOWN).any(is_right)));
            let is_frequent = |cwe: &String| frequent.contains(&cwe.as_str());
            majority.push(number(example.cwes.iter().any(is_frequent)));
        }
        let gains: Vec<f64> = top.iter().zip(&majority).map(|(a, b)| a - b).collect();

        WeaknessFigures {
            tested: u32::try_from(tested.len()).unwrap_or(u32::MAX),
            first: mean(&first),
            top: mean(&top),
            top_majority: mean(&majority),
            gain: lower_end(&gains),
        }
    }
}
