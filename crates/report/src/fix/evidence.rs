//! The evidence about whether a fix will hold: in JSON as it is, in text and Markdown what a reader
//! has to know.

use patchgate_model::{
    BeforeAfter, Plan, ReleaseSignals, UpdateHistory, UpdateRecord, UpgradeEvidence,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bump_name;
use super::entries::number_of;

/// The evidence about one package that gets another version, or that comes.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct UpgradeEvidenceReport {
    /// Ecosystem by its OSV name.
    pub ecosystem: String,
    /// Path of the lockfile.
    pub lockfile: String,
    /// Name of the package.
    pub package: String,
    /// Version before; `null` for a package that comes.
    pub from: Option<String>,
    /// Version after.
    pub to: String,
    /// Number of the step that it belongs to; `null` if it belongs to none.
    pub step: Option<usize>,
    /// Size of the step by the ecosystem's rules: `patch`, `minor`, `major` or `unknown`; `null`
    /// for a package that comes.
    pub distance: Option<String>,
    /// What the registry says about both releases; `null` if it was not asked or gave no answer.
    pub signals: Option<SignalsReport>,
    /// The repository's own history of updates; `null` if it was not read.
    pub history: Option<HistoryReport>,
    /// The names of the package that this repository uses; `null` if they were not compared.
    pub api: Option<ApiUseReport>,
    /// The release notes between both versions; `null` if there are none or they were not read.
    pub notes: Option<NotesReport>,
}

/// A value of the release before and of the release after; `null` is unknown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct BeforeAfterReport<T> {
    /// Of the release before.
    pub before: Option<T>,
    /// Of the release after.
    pub after: Option<T>,
}

/// What a registry says about the release before and the release after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SignalsReport {
    /// Time of publication (RFC 3339).
    pub published: BeforeAfterReport<String>,
    /// Whether the release is yanked, retracted or deprecated.
    pub yanked: BeforeAfterReport<bool>,
    /// Whether it runs scripts when it is installed.
    pub install_scripts: BeforeAfterReport<bool>,
    /// Whether the registry has an attestation of its provenance.
    pub provenance: BeforeAfterReport<bool>,
    /// The account that published it.
    pub publisher: BeforeAfterReport<String>,
    /// The accounts that may publish the package, as of the release.
    pub maintainers: BeforeAfterReport<Vec<String>>,
    /// The license that its metadata states, as it writes it.
    pub license: BeforeAfterReport<String>,
    /// Size in bytes.
    pub size: BeforeAfterReport<u64>,
    /// The commit that it was made from, as its metadata states it.
    pub commit: BeforeAfterReport<String>,
    /// Requirement on the runtime of the language.
    pub runtime: BeforeAfterReport<String>,
    /// Peers with their requirements.
    pub peers: BeforeAfterReport<Vec<String>>,
    /// Names of dependencies that the release before does not have.
    pub new_dependencies: Vec<String>,
}

/// The repository's own history of updates, and what it says about the next one.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct HistoryReport {
    /// Updates of the package.
    pub package: UpdateRecordReport,
    /// Updates of all packages of the lockfile.
    pub lockfile: UpdateRecordReport,
    /// The published prior; `null` if there is none.
    pub prior: Option<PriorReport>,
}

/// Numbers of updates, with the posterior of the share that is kept.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct UpdateRecordReport {
    /// Number of updates.
    pub n: u32,
    /// Updates that stayed.
    pub kept: u32,
    /// Updates that were taken back.
    pub reverted: u32,
    /// Mean of the posterior, from 0 to 1; `null` without any update.
    pub mean: Option<f64>,
    /// Lower end of the interval with 90 % of the posterior.
    pub low: Option<f64>,
    /// Upper end of that interval.
    pub high: Option<f64>,
}

/// A published share of updates that hold.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct PriorReport {
    /// The share, from 0 to 1.
    pub mean: f64,
    /// Its weight, in observations.
    pub weight: u32,
    /// The statement that it is from.
    pub source: String,
}

/// The names of a package that the repository uses, compared between both releases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ApiUseReport {
    /// Number of source files that import the package.
    pub files: usize,
    /// The names, sorted.
    pub symbols: Vec<SymbolUseReport>,
}

/// A name that the repository uses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SymbolUseReport {
    /// The name, after its module.
    pub name: String,
    /// `removed`, `signature-changed`, `unchanged` or `unknown`.
    pub change: String,
    /// The signature before, if it changes.
    pub before: Option<String>,
    /// The signature after, if it changes.
    pub after: Option<String>,
}

/// Release notes between both versions, from the archive of the release after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NotesReport {
    /// Name of the file.
    pub file: String,
    /// The text, as the package has it. It is not safe to render.
    pub text: String,
    /// Whether the text was cut.
    pub cut: bool,
    /// Sentences about breaking changes.
    pub breaking: Vec<String>,
}

/// The evidence of a plan, in its order.
pub(crate) fn evidence(plan: &Plan) -> Vec<UpgradeEvidenceReport> {
    plan.evidence.iter().map(|one| report(plan, one)).collect()
}

fn report(plan: &Plan, one: &UpgradeEvidence) -> UpgradeEvidenceReport {
    let is_own = |index: &usize| {
        plan.entries.get(*index).is_some_and(|entry| {
            entry.lockfile == one.lockfile
                && entry.package == one.package
                && entry.from == one.from
                && entry.to.as_ref() == Some(&one.to)
        })
    };

    UpgradeEvidenceReport {
        ecosystem: one.ecosystem.to_string(),
        lockfile: one.lockfile.clone(),
        package: one.package.clone(),
        from: one.from.clone(),
        to: one.to.clone(),
        step: number_of(plan, |step| step.entries.iter().any(is_own)),
        distance: one
            .from
            .as_ref()
            .map(|_| one.distance.map_or("unknown", bump_name).to_owned()),
        signals: one.signals.as_ref().map(signals),
        history: one.history.as_ref().map(history),
        api: one.api.as_ref().map(|api| ApiUseReport {
            files: api.files,
            symbols: api
                .symbols
                .iter()
                .map(|symbol| SymbolUseReport {
                    name: symbol.name.clone(),
                    change: symbol.change.word().to_owned(),
                    before: symbol.before.clone(),
                    after: symbol.after.clone(),
                })
                .collect(),
        }),
        notes: one.notes.as_ref().map(|notes| NotesReport {
            file: notes.file.clone(),
            text: notes.text.clone(),
            cut: notes.is_cut,
            breaking: notes.breaking.clone(),
        }),
    }
}

pub(crate) fn signals(signals: &ReleaseSignals) -> SignalsReport {
    SignalsReport {
        published: both(&signals.published),
        yanked: both(&signals.yanked),
        install_scripts: both(&signals.install_scripts),
        provenance: both(&signals.provenance),
        publisher: both(&signals.publisher),
        maintainers: both(&signals.maintainers),
        license: both(&signals.license),
        size: both(&signals.size),
        commit: both(&signals.commit),
        runtime: both(&signals.runtime),
        peers: both(&signals.peers),
        new_dependencies: signals.new_dependencies.clone(),
    }
}

fn both<T: Clone>(values: &BeforeAfter<T>) -> BeforeAfterReport<T> {
    BeforeAfterReport {
        before: values.before.clone(),
        after: values.after.clone(),
    }
}

fn history(history: &UpdateHistory) -> HistoryReport {
    HistoryReport {
        package: record(&history.package),
        lockfile: record(&history.lockfile),
        prior: history.prior.as_ref().map(|prior| PriorReport {
            mean: prior.mean.value(),
            weight: prior.weight,
            source: prior.source.clone(),
        }),
    }
}

fn record(record: &UpdateRecord) -> UpdateRecordReport {
    UpdateRecordReport {
        n: record.kept.saturating_add(record.reverted),
        kept: record.kept,
        reverted: record.reverted,
        mean: record.mean.map(patchgate_model::Share::value),
        low: record.low.map(patchgate_model::Share::value),
        high: record.high.map(patchgate_model::Share::value),
    }
}
