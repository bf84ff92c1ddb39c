//! What a document says, the same for every format.

use std::sync::Arc;

use jiff::Timestamp;
use patchgate_model::{Advisory, Justification};

use crate::identity::PackageIdentity;
use crate::vers::Versions;

/// The format of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// OpenVEX (<https://github.com/openvex/spec>).
    OpenVex,
    /// CycloneDX with `vulnerabilities[].analysis` (<https://cyclonedx.org/capabilities/vex/>).
    CycloneDx,
    /// CSAF 2.0 (<https://docs.oasis-open.org/csaf/csaf/v2.0/csaf-v2.0.html>).
    Csaf,
}

impl Format {
    /// Its name for a person.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OpenVex => "OpenVEX",
            Self::CycloneDx => "CycloneDX",
            Self::Csaf => "CSAF",
        }
    }
}

/// A document that makes statements.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// Its format.
    pub format: Format,
    /// Its own id; empty where it has none.
    pub id: String,
    /// Who wrote it; empty where it does not say.
    pub author: String,
    /// When it was issued or last changed.
    pub timestamp: Option<Timestamp>,
    /// What it says about itself that keeps its statements from suppressing anything: a CSAF
    /// document that is not `final`.
    pub preliminary: Option<String>,
    /// The label that says to whom it may be passed on, as written: `WHITE`, `AMBER`.
    pub label: Option<String>,
    /// Its statements, in its order.
    pub statements: Vec<Statement>,
    /// What a CSAF document says is affected, as records that join those of other databases.
    pub advisories: Vec<Advisory>,
}

/// One statement about one vulnerability.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// Its own id, where it has one.
    pub id: Option<String>,
    /// The line on which it begins, from 1.
    pub line: u32,
    /// Every id of the vulnerability, the main one first, at least one.
    pub ids: Vec<String>,
    /// What it is about.
    pub targets: Vec<Arc<Target>>,
    /// What it says.
    pub status: Status,
    /// Why something is not affected, in one of the five words.
    pub justification: Option<StatedJustification>,
    /// Why something is not affected, in words for a person.
    pub impact: Option<String>,
    /// What to do, for something that is affected.
    pub action: Option<String>,
    /// When it was made; `None` where neither it nor its document says so.
    pub timestamp: Option<Timestamp>,
}

/// What a statement says about a vulnerability in a product. The order is from what suppresses most
/// to what is worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// The vulnerability does no harm there.
    NotAffected,
    /// The product holds a fix.
    Fixed,
    /// It is not known yet.
    UnderInvestigation,
    /// Something should be done.
    Affected,
}

impl Status {
    /// The word of OpenVEX.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::NotAffected => "not_affected",
            Self::Fixed => "fixed",
            Self::UnderInvestigation => "under_investigation",
            Self::Affected => "affected",
        }
    }

    /// Whether a statement of this status ends a finding.
    #[must_use]
    pub const fn suppresses(self) -> bool {
        matches!(self, Self::NotAffected | Self::Fixed)
    }
}

/// A justification as it was understood and as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatedJustification {
    /// One of the five words.
    pub word: Justification,
    /// What the document has: the same word, or CycloneDX's own.
    pub written: String,
}

/// What a statement is about: a component, on its own or only within products.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// The component.
    pub component: Component,
    /// The products within which the statement holds, all of them; empty where it holds for the
    /// component wherever it is.
    pub within: Vec<Component>,
}

/// A product or a part of one, by its identifiers.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Component {
    /// Package URLs, all of which must match.
    pub purls: Vec<PackageIdentity>,
    /// Other identifiers: addresses, CPE names. They are compared as texts.
    pub names: Vec<String>,
    /// The versions that are meant, beside the one that a package URL may hold.
    pub versions: Versions,
}

impl Component {
    /// Whether it is about certain versions rather than about all.
    #[must_use]
    pub fn has_version(&self) -> bool {
        self.versions != Versions::Any || self.purls.iter().any(|purl| !purl.version().is_empty())
    }

    /// Its first identifier, for a person.
    #[must_use]
    pub fn shown(&self) -> &str {
        self.purls
            .first()
            .map(PackageIdentity::as_str)
            .or_else(|| self.names.first().map(String::as_str))
            .unwrap_or("a product without an identifier")
    }
}
