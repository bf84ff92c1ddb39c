//! Reachability: whether the sources of a repository use what a finding affects.

use crate::Location;

/// Whether the repository's own sources use what a finding affects. The sources of dependencies are
/// not read, so no answer says that vulnerable code cannot run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reachability {
    /// A source refers to a symbol that the record names as affected, by more than an import.
    SymbolCalled,
    /// A source imports the affected package.
    PackageImported,
    /// No source imports the package, nothing else in the repository mentions it, and no other package
    /// needs it.
    NotImported,
    /// The sources do not say it.
    Unknown,
}

impl Reachability {
    /// The word for scripts, such as `symbol-called`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::SymbolCalled => "symbol-called",
            Self::PackageImported => "package-imported",
            Self::NotImported => "not-imported",
            Self::Unknown => "unknown",
        }
    }

    /// The words for a person, such as `symbol called`.
    #[must_use]
    pub fn phrase(self) -> &'static str {
        match self {
            Self::SymbolCalled => "symbol called",
            Self::PackageImported => "package imported",
            Self::NotImported => "not imported",
            Self::Unknown => "unknown",
        }
    }
}

/// The reachability of a finding, with its evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReachabilityEvidence {
    /// The answer.
    pub reachability: Reachability,
    /// Why: a fragment for a person.
    pub reason: String,
    /// Places of the sources that show it, by file and line; a few of many.
    pub places: Vec<SourcePlace>,
    /// Whether the settings let the answer lower the outcome, which only "not imported" can do.
    pub lowers_outcome: bool,
}

/// A place of a source that refers to a package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SourcePlace {
    /// File and line.
    pub location: Location,
    /// The symbol or the module, by its full name in the language: `ammonia::clean`.
    pub name: String,
}
