//! The reachability of a finding: its fields in the JSON, and its words.

use patchgate_model::{Reachability, ReachabilityEvidence};
use schemars::JsonSchema;
use serde::Serialize;

use super::FindingReport;

/// Whether the repository's own sources use what a finding affects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ReachabilityReport {
    /// The answer.
    pub answer: ReachabilityName,
    /// Why.
    pub reason: String,
    /// Places of the sources that show it; a few of many.
    pub places: Vec<SourcePlaceReport>,
    /// Whether the settings let the answer lower the outcome.
    pub lowers_outcome: bool,
}

/// An answer about reachability.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum ReachabilityName {
    /// A source refers to an affected symbol, by more than an import.
    SymbolCalled,
    /// A source imports the package.
    PackageImported,
    /// No source imports the package, and nothing else in the repository mentions it.
    NotImported,
    /// The sources do not say it.
    Unknown,
}

/// A place of a source that refers to a package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SourcePlaceReport {
    /// Path from the repository root.
    pub file: String,
    /// Line number, from 1.
    pub line: u32,
    /// The symbol or the module, by its full name in the language.
    pub name: String,
}

impl From<&ReachabilityEvidence> for ReachabilityReport {
    fn from(evidence: &ReachabilityEvidence) -> Self {
        Self {
            answer: match evidence.reachability {
                Reachability::SymbolCalled => ReachabilityName::SymbolCalled,
                Reachability::PackageImported => ReachabilityName::PackageImported,
                Reachability::NotImported => ReachabilityName::NotImported,
                Reachability::Unknown => ReachabilityName::Unknown,
            },
            reason: evidence.reason.clone(),
            places: evidence
                .places
                .iter()
                .map(|place| SourcePlaceReport {
                    file: place.location.file.clone(),
                    line: place.location.line,
                    name: place.name.clone(),
                })
                .collect(),
            lowers_outcome: evidence.lowers_outcome,
        }
    }
}

impl ReachabilityName {
    /// The words for a person.
    fn phrase(self) -> &'static str {
        match self {
            Self::SymbolCalled => Reachability::SymbolCalled.phrase(),
            Self::PackageImported => Reachability::PackageImported.phrase(),
            Self::NotImported => Reachability::NotImported.phrase(),
            Self::Unknown => Reachability::Unknown.phrase(),
        }
    }
}

/// An answer other than "unknown", with its first place: `symbol called at src/main.rs:12`.
pub(crate) fn reached(finding: &FindingReport) -> Option<String> {
    let evidence = finding.reachability.as_ref()?;
    if evidence.answer == ReachabilityName::Unknown {
        return None;
    }
    let place = evidence.places.first();
    let place = place.map(|place| format!(" at {}:{}", place.file, place.line));
    Some(format!(
        "{}{}",
        evidence.answer.phrase(),
        place.unwrap_or_default()
    ))
}

/// Whether a source calls an affected symbol.
pub(crate) fn is_called(finding: &FindingReport) -> bool {
    let evidence = finding.reachability.as_ref();
    evidence.is_some_and(|one| one.answer == ReachabilityName::SymbolCalled)
}

/// The answer with its reason and its places: `package imported: the records name no symbols; a.py:1
/// (yaml)`.
pub(crate) fn explained(finding: &FindingReport) -> Option<String> {
    let evidence = finding.reachability.as_ref()?;
    let mut text = format!("{}: {}", evidence.answer.phrase(), evidence.reason);
    let places = evidence
        .places
        .iter()
        .map(|place| match place.name.as_str() {
            "" => format!("{}:{}", place.file, place.line),
            name => format!("{}:{} ({name})", place.file, place.line),
        });
    let places: Vec<String> = places.collect();
    if !places.is_empty() {
        text.push_str(&format!("; {}", places.join(", ")));
    }

    Some(text)
}
