//! Software bills of materials: CycloneDX and SPDX, read into a [`Lockfile`] and written from an
//! [`Inventory`].
//!
//! Everything here is pure: bytes and the time come in, values and text go out.
//!
//! **Reading** is tolerant where a document says more than is needed (unknown fields, odd licences,
//! references that lead nowhere) and strict where it would lose a package: what cannot be read
//! whole is an error. Packages are known by their package URL; one without keeps its name under the
//! ecosystem [`UNKNOWN`], so that a scan can say what it could not judge. What is a file, a service
//! or an operating system is not a package.
//!
//! **Writing** is deterministic: the same inventory and options give the same bytes, and the
//! serial number follows from the content. Copies of one package become one component, unless
//! something that is written about them differs: what they depend on, their origin, hashes or scope.
//! What the formats have no field for is written as properties (SPDX: as lines of the package's
//! comment) whose names begin with `patchgate:`, so that a document that Patchgate wrote is read
//! back as the same inventory; [`write()`] says what that means.
//!
//! There are no licences and no vulnerabilities here: an inventory holds none.

mod detect;
mod digest;
mod facts;
mod identity;
mod read;
mod write;

use patchgate_model::{Inventory, Lockfile, Package, Problem, Purl};

pub use detect::detect;
pub use facts::VEX_DOCUMENT;
pub use identity::{ECOSYSTEM, UNKNOWN};
pub use patchgate_syntax::ParseError;
pub use write::{WriteOptions, content_uuid};

/// A format that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// CycloneDX as JSON (<https://cyclonedx.org/docs/1.7/json/>).
    CycloneDxJson,
    /// CycloneDX as XML (<https://cyclonedx.org/docs/1.7/xml/>).
    CycloneDxXml,
    /// SPDX 2 as JSON (<https://spdx.github.io/spdx-spec/v2.3/>).
    SpdxJson,
    /// SPDX 2 as YAML.
    SpdxYaml,
    /// SPDX 2 as lines of tags and values.
    SpdxTagValue,
    /// SPDX 2 as RDF/XML.
    SpdxRdf,
    /// SPDX 3 as JSON-LD (<https://spdx.github.io/spdx-spec/v3.0.1/>).
    Spdx3Json,
}

/// A version of CycloneDX that is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CycloneDxVersion {
    /// 1.5, of 2023.
    V1_5,
    /// 1.6, of 2024: ECMA-424.
    V1_6,
    /// 1.7, of 2025.
    V1_7,
}

impl CycloneDxVersion {
    /// The version as documents write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V1_5 => "1.5",
            Self::V1_6 => "1.6",
            Self::V1_7 => "1.7",
        }
    }
}

/// A format that is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OutputFormat {
    /// CycloneDX as JSON.
    CycloneDxJson(CycloneDxVersion),
    /// CycloneDX as XML.
    CycloneDxXml(CycloneDxVersion),
    /// SPDX 2.3 as JSON.
    SpdxJson,
    /// SPDX 2.3 as lines of tags and values.
    SpdxTagValue,
    /// SPDX 3.0.1 as JSON-LD.
    Spdx3Json,
}

/// What a document says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bill {
    /// Its packages and their graph.
    pub lockfile: Lockfile,
    /// What it says about itself that keeps a scan from being whole: CycloneDX's compositions can
    /// declare the list of components incomplete.
    pub problems: Vec<Problem>,
}

/// The package that a package URL names; `None` for a text that is none, and for one of a type that
/// Patchgate does not know.
#[must_use]
pub fn package(purl: &str) -> Option<Package> {
    let parsed = Purl::parse(purl)?;
    let identity = identity::identify(&parsed, None, None);
    let known = identity.ecosystem != UNKNOWN;

    known.then(|| Package {
        distribution: identity.distribution,
        purl: Some(purl.to_owned()),
        alias: identity.alias,
        ..Package::new(identity.ecosystem, identity.name, identity.version)
    })
}

/// Reads a document, whatever its format; `path` is where it lies in the repository.
///
/// # Errors
/// When [`detect`] finds no format, or the document cannot be read whole.
pub fn read(path: &str, bytes: &[u8]) -> Result<Lockfile, ParseError> {
    read_bill(path, bytes).map(|bill| bill.lockfile)
}

/// Reads a document with what it says about its own completeness.
///
/// # Errors
/// As [`read()`].
pub fn read_bill(path: &str, bytes: &[u8]) -> Result<Bill, ParseError> {
    read::bill(path, bytes)
}

/// Writes an inventory as a document.
///
/// [`read()`] gives the same inventory back, as one lockfile: the same packages (ecosystem,
/// distribution, name, version, package URL, hashes, scope, groups, alias, origin without secrets
/// in its address) with the same edges between them and from the same roots, and the same
/// requirements without a version. Not kept are: which lockfile a package is from other than as its
/// place of evidence, equal copies of a package, install paths, and what an edge is called and
/// requires.
///
/// Problems of the inventory are not listed, but the document says that it is incomplete when there
/// are any, and when a file states direct dependencies only or builds on one that was not there.
#[must_use]
pub fn write(inventory: &Inventory, options: &WriteOptions<'_>, format: OutputFormat) -> String {
    write::document(inventory, options, format)
}
