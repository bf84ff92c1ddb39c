//! The content of a VEX document, independent of its format.

use std::sync::Arc;

use jiff::Timestamp;
use patchgate_model::{Advisory, Justification};

use crate::identity::PackageIdentity;
use crate::vers::Versions;

/// A format of VEX documents.
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
    /// The name for display.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OpenVex => "OpenVEX",
            Self::CycloneDx => "CycloneDX",
            Self::Csaf => "CSAF",
        }
    }
}

/// A document with statements about vulnerabilities.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// Format that the document was read from.
    pub format: Format,
    /// Id of the document; empty if it has none.
    pub id: String,
    /// Author or publisher; empty if the document does not say.
    pub author: String,
    /// Time of the last change, else of the first release.
    pub timestamp: Option<Timestamp>,
    /// The state of a CSAF document that is not `final`. Its statements suppress nothing.
    pub preliminary: Option<String>,
    /// The Traffic Light Protocol label as written: `WHITE`, `AMBER`.
    pub label: Option<String>,
    /// The statements, in the order of the document.
    pub statements: Vec<Statement>,
    /// The affected packages of a CSAF document, as records that join those of other databases.
    pub advisories: Vec<Advisory>,
}

/// One statement about one vulnerability.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// Id of the statement. Only OpenVEX has one.
    pub id: Option<String>,
    /// Line of its beginning, from 1.
    pub line: u32,
    /// All ids of the vulnerability, the main one first; never empty.
    pub ids: Vec<String>,
    /// Products and components that it is about.
    pub targets: Vec<Arc<Target>>,
    /// Status of the vulnerability in the targets.
    pub status: Status,
    /// Reason for `not_affected`, as one of the five justifications.
    pub justification: Option<StatedJustification>,
    /// Reason for `not_affected`, as free text.
    pub impact: Option<String>,
    /// Recommended action for `affected`, as free text.
    pub action: Option<String>,
    /// Time of the statement, else of its document; `None` if neither states one.
    pub timestamp: Option<Timestamp>,
}

/// Status of a vulnerability in a product. The order is from the least to the most severe: among
/// statements of the same time, the greatest counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// The vulnerability does no harm in the product.
    NotAffected,
    /// The product contains a fix.
    Fixed,
    /// It is not yet known whether the product is affected.
    UnderInvestigation,
    /// The product is affected, and action is recommended.
    Affected,
}

impl Status {
    /// The status in OpenVEX's vocabulary: `not_affected`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::NotAffected => "not_affected",
            Self::Fixed => "fixed",
            Self::UnderInvestigation => "under_investigation",
            Self::Affected => "affected",
        }
    }

    /// Whether a statement of this status suppresses a finding.
    #[must_use]
    pub const fn suppresses(self) -> bool {
        matches!(self, Self::NotAffected | Self::Fixed)
    }
}

/// A justification, as understood and as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatedJustification {
    /// One of the five justifications of VEX.
    pub word: Justification,
    /// The word in the document: the same, or one of CycloneDX's own.
    pub written: String,
}

/// The target of a statement: a component, either anywhere or only within products.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// The affected or unaffected component.
    pub component: Component,
    /// The products that must all contain the component for the statement to apply; empty if it
    /// applies to the component anywhere.
    pub within: Vec<Component>,
}

/// A product, or a component of one, by its identifiers.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Component {
    /// Package URLs, all of which must match.
    pub purls: Vec<PackageIdentity>,
    /// Other identifiers: addresses, CPE names. Compared as texts.
    pub names: Vec<String>,
    /// The versions, in addition to the one that a package URL may have.
    pub versions: Versions,
}

impl Component {
    /// Whether it is limited to certain versions.
    #[must_use]
    pub fn has_version(&self) -> bool {
        self.versions != Versions::Any || self.purls.iter().any(|purl| !purl.version().is_empty())
    }

    /// The first identifier, for display.
    #[must_use]
    pub fn shown(&self) -> &str {
        self.purls
            .first()
            .map(PackageIdentity::as_str)
            .or_else(|| self.names.first().map(String::as_str))
            .unwrap_or("a product without an identifier")
    }
}
