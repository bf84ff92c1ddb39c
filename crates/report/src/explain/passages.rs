//! The sentences of a record about workarounds, preconditions and configurations, with the features
//! among them that this repository asks for.

use std::collections::BTreeSet;

use patchgate_estimate::{Passage, PassageKind};
use schemars::JsonSchema;
use serde::Serialize;

use crate::clean::clean;
use crate::terminal::Terminal;

/// Most features of one sentence.
const MAX_FEATURES: usize = 8;

/// The features that one manifest asks of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedFeatures {
    /// Path of the manifest.
    pub manifest: String,
    /// Name of the package.
    pub package: String,
    /// The features or extras, as the manifest writes them.
    pub features: BTreeSet<String>,
}

/// A sentence of a record's details, found by rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PassageReport {
    /// What it seems to say: `workaround`, `no-workaround`, `precondition` or `configuration`.
    pub kind: String,
    /// The sentence, of at most 300 characters.
    pub sentence: String,
    /// Names that are written as code in it, such as features and options.
    pub names: Vec<String>,
    /// The features or extras among the names that a manifest asks of an affected package. Empty is
    /// no proof that a feature is off: it may be on by default, or another package may ask for it.
    pub asked: Vec<AskedFeatureReport>,
}

/// A feature that a manifest asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AskedFeatureReport {
    /// Name of the feature or extra.
    pub feature: String,
    /// Name of the package.
    pub package: String,
    /// Path of the manifest.
    pub manifest: String,
}

impl PassageReport {
    /// The lines of the text: the sentence, and the features below it.
    pub(super) fn lines(&self, terminal: Terminal) -> Vec<String> {
        let (label, before) = match self.kind.as_str() {
            "workaround" => ("workaround", ""),
            "no-workaround" => ("workaround", "none: "),
            "precondition" => ("needs", ""),
            _ => ("only if", ""),
        };
        let text = format!("{before}\u{201c}{}\u{201d}", self.sentence);
        let mut lines = terminal.wrap(&format!("  {label:<12}"), 14, &clean(&text));

        for asked in &self.asked {
            let text = format!(
                "{} asks `{}` for `{}`",
                asked.manifest, asked.package, asked.feature
            );
            lines.extend(terminal.wrap(&format!("{:14}", ""), 14, &clean(&text)));
        }

        lines
    }
}

/// The sentences of a record's details.
pub(super) fn passages(details: &str, asked: &[AskedFeatures]) -> Vec<PassageReport> {
    let passages = patchgate_estimate::passages(details).into_iter();
    passages
        .map(|one| PassageReport {
            kind: one.kind.word().to_owned(),
            asked: asked_among(&one, asked),
            sentence: one.sentence,
            names: one.names,
        })
        .collect()
}

/// The features that manifests ask for among the names of a sentence about a configuration.
fn asked_among(passage: &Passage, asked: &[AskedFeatures]) -> Vec<AskedFeatureReport> {
    if passage.kind != PassageKind::Configuration {
        return Vec::new();
    }
    let named = |feature: &&String| passage.names.iter().any(|name| same_feature(name, feature));
    let features = asked.iter().flat_map(|one| {
        one.features
            .iter()
            .filter(named)
            .map(|feature| AskedFeatureReport {
                feature: feature.clone(),
                package: one.package.clone(),
                manifest: one.manifest.clone(),
            })
    });
    features.take(MAX_FEATURES).collect()
}

/// Whether two names are of one feature: `-` and `_` are the same, and a sentence may add the name of
/// the package or quotes (`hyper/http2`, `"http2"`).
fn same_feature(written: &str, feature: &str) -> bool {
    let fold = |text: &str| text.to_ascii_lowercase().replace('_', "-");
    let name = written.rsplit('/').next().unwrap_or(written);
    fold(name.trim_matches(['"', '\''])) == fold(feature)
}
