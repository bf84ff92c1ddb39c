//! Severity and weakness of an advisory, estimated from its text.
//!
//! The models are small logistic regressions over hashed words. They are part of the program, and
//! `patchgate train` writes them again from the same data, bit for bit. An estimate stands in only
//! where the records state nothing, always has an interval, and is refused for a source of records
//! for which it was not shown to be better than the most frequent answer. [`passages`] finds sentences
//! by rule.
//!
//! Deliberately absent: the use of an estimate in a decision (`patchgate-risk`), and reading files.

mod card;
mod example;
mod linear;
mod measure;
mod metrics;
mod passages;
mod severity;
mod text;
mod train;
mod weakness;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use example::{Example, LineError};
pub use measure::Figures;
pub use passages::{Passage, PassageKind, passages};
pub use severity::{SeverityModel, TrainedSeverity};
pub use text::AdvisoryText;
pub use weakness::{TrainedWeakness, WeaknessFigures, WeaknessModel};

/// Largest file with a model, in bytes.
pub const MAX_MODEL_BYTES: usize = 500_000;

/// Why bytes are not a model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// They do not begin like a model of this version.
    #[error("not a model of this kind and version")]
    Format,
    /// They are more than [`MAX_MODEL_BYTES`].
    #[error("the model has more than {MAX_MODEL_BYTES} bytes")]
    TooLarge,
    /// They end early, or go on after the end.
    #[error("the model is damaged")]
    Damaged,
    /// The parts do not fit each other.
    #[error("the parts of the model do not fit each other")]
    Inconsistent,
}

/// Why there is no estimate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The model was not tested on enough records of the source.
    #[error("the model was not tested on records of {0}")]
    Untested(String),
    /// The model is not certainly better than the most frequent answer of the source.
    #[error("the model is not certainly better than the most frequent answer for records of {0}")]
    NotBetter(String),
    /// The record has no text.
    #[error("the record has no text")]
    NoText,
}

/// The database of a record, by the beginning of its id.
///
/// ```
/// assert_eq!(patchgate_estimate::source_of("RUSTSEC-2021-0003"), "RUSTSEC");
/// ```
#[must_use]
pub fn source_of(id: &str) -> &str {
    id.split_once('-').map_or(id, |(source, _)| source)
}

/// Reads a model: its mark, then its fields as postcard writes them.
fn read<T: DeserializeOwned>(bytes: &[u8], magic: &[u8]) -> Result<T, ModelError> {
    if bytes.len() > MAX_MODEL_BYTES {
        return Err(ModelError::TooLarge);
    }
    let fields = bytes.strip_prefix(magic).ok_or(ModelError::Format)?;
    match postcard::take_from_bytes(fields) {
        Ok((value, [])) => Ok(value),
        _ => Err(ModelError::Damaged),
    }
}

fn write<T: Serialize>(value: &T, magic: &[u8]) -> Result<Vec<u8>, ModelError> {
    let bytes = postcard::to_extend(value, magic.to_vec()).map_err(|_| ModelError::Damaged)?;
    if bytes.len() > MAX_MODEL_BYTES {
        return Err(ModelError::TooLarge);
    }
    Ok(bytes)
}
