//! Evidence about whether a changed entry of a lockfile will hold. Every part is a fact or absent:
//! "unknown" is never "good".

use crate::{Bump, EcosystemName};

/// The evidence about one package that gets another version, or that comes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UpgradeEvidence {
    /// Ecosystem by its OSV name.
    pub ecosystem: EcosystemName,
    /// Path of the lockfile.
    pub lockfile: String,
    /// Name of the package.
    pub package: String,
    /// Version before; `None` for a package that comes.
    pub from: Option<String>,
    /// Version after.
    pub to: String,
    /// The size of the step by the ecosystem's rules; `None` if it cannot be measured, or there is
    /// no version before.
    pub distance: Option<Bump>,
    /// What the registry says about both releases; `None` if it was not asked or gave no answer.
    pub signals: Option<ReleaseSignals>,
    /// The repository's own history of updates; `None` if it was not read.
    pub history: Option<UpdateHistory>,
    /// The names of the package that this repository uses; `None` if they were not compared.
    pub api: Option<ApiUse>,
    /// The release notes between both versions; `None` if they were not read.
    pub notes: Option<ReleaseNotes>,
}

/// A value of the release before and of the release after.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BeforeAfter<T> {
    /// Of the release before; `None` if it is unknown or there is none.
    pub before: Option<T>,
    /// Of the release after; `None` if it is unknown.
    pub after: Option<T>,
}

/// What a registry says about the release before and the release after.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReleaseSignals {
    /// Time of publication as the registry writes it (RFC 3339).
    pub published: BeforeAfter<String>,
    /// Whether the release is yanked, retracted or deprecated.
    pub yanked: BeforeAfter<bool>,
    /// Whether it runs scripts when it is installed.
    pub install_scripts: BeforeAfter<bool>,
    /// Whether it has an attestation of its provenance.
    pub provenance: BeforeAfter<bool>,
    /// The account that published it.
    pub publisher: BeforeAfter<String>,
    /// The accounts that may publish the package, sorted, as of the release.
    pub maintainers: BeforeAfter<Vec<String>>,
    /// The license that its metadata states, as it writes it.
    pub license: BeforeAfter<String>,
    /// Size in bytes: unpacked where the registry states that, else of its files.
    pub size: BeforeAfter<u64>,
    /// The commit that it was made from, as its metadata states it. A statement, not a proof.
    pub commit: BeforeAfter<String>,
    /// Requirement on the runtime of the language.
    pub runtime: BeforeAfter<String>,
    /// Peers with their requirements, sorted.
    pub peers: BeforeAfter<Vec<String>>,
    /// Names of dependencies that the release before does not have, sorted. Empty without a release
    /// before.
    pub new_dependencies: Vec<String>,
}

/// The repository's own history of updates.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UpdateHistory {
    /// Updates of the package.
    pub package: UpdateRecord,
    /// Updates of all packages of the lockfile.
    pub lockfile: UpdateRecord,
    /// The published prior; `None` if there is none for the ecosystem and the size of the step.
    pub prior: Option<UpdatePrior>,
}

/// Numbers of updates, and what they say about the next one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UpdateRecord {
    /// Updates that stayed.
    pub kept: u32,
    /// Updates that were taken back.
    pub reverted: u32,
    /// Mean of the posterior of the share that stays; `None` without any update.
    pub mean: Option<Share>,
    /// Lower end of the interval with 90 % of the posterior.
    pub low: Option<Share>,
    /// Upper end of that interval.
    pub high: Option<Share>,
}

/// A share from 0 to 1, in thousandths: two runs print the same digits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share(u16);

impl Share {
    /// The share that is nearest to a number, which is at least 0 and at most 1.
    #[must_use]
    pub fn new(share: f64) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the number is between 0 and 1000"
        )]
        let thousandths = (share.clamp(0.0, 1.0) * 1000.0).round() as u16;
        Self(thousandths)
    }

    /// As a number from 0 to 1.
    #[must_use]
    pub fn value(self) -> f64 {
        f64::from(self.0) / 1000.0
    }
}

/// A published share of updates that hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UpdatePrior {
    /// The share.
    pub mean: Share,
    /// Its weight, in observations.
    pub weight: u32,
    /// The statement that it is from.
    pub source: String,
}

/// The names of a package that a repository uses, compared between two releases.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApiUse {
    /// The names, sorted.
    pub symbols: Vec<SymbolUse>,
    /// Number of source files of the repository that import the package.
    pub files: usize,
}

/// A name that a repository uses.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SymbolUse {
    /// The name as the package has it, with its module: `lodash/fp.map`.
    pub name: String,
    /// What became of it.
    pub change: SymbolChange,
    /// The signature before, if it changes.
    pub before: Option<String>,
    /// The signature after, if it changes.
    pub after: Option<String>,
}

/// What became of a name between two releases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SymbolChange {
    /// It is there no more.
    Removed,
    /// Its parameters differ.
    SignatureChanged,
    /// It is as before.
    Unchanged,
    /// The sources do not say.
    Unknown,
}

impl SymbolChange {
    /// The word in JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Removed => "removed",
            Self::SignatureChanged => "signature-changed",
            Self::Unchanged => "unchanged",
            Self::Unknown => "unknown",
        }
    }
}

/// Release notes between two versions, from the archive of the release after.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReleaseNotes {
    /// Name of the file.
    pub file: String,
    /// The text, as the package has it: hostile, to be escaped for its destination.
    pub text: String,
    /// Whether the text was cut.
    pub is_cut: bool,
    /// Sentences about breaking changes, in the order of the text.
    pub breaking: Vec<String>,
}
