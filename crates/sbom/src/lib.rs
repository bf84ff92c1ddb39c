//! Software bills of materials (SBOMs): CycloneDX and SPDX, read into a [`Lockfile`] and written
//! from an [`Inventory`].
//!
//! This crate is pure: bytes and the time come in, values and text go out.
//!
//! **Reading** ignores everything that is not needed (unknown fields, odd licences), and fails for a
//! document that is truncated or not of its format. A component, a relation or a hash that cannot be
//! read is listed in [`Lockfile::skipped`]. A package is identified by its package URL. A package
//! without one keeps its name in the ecosystem [`UNKNOWN`], so that a scan can report it as not
//! covered. Files, services and operating systems are not packages.
//!
//! **Writing** is deterministic: the same inventory and options give the same bytes, and the serial
//! number is computed from the content. Copies of a package become one component, unless they
//! differ in anything that is written: dependencies, origin, hashes or scope. Values for which a
//! format has no field are written as properties (in SPDX: as lines of the package's comment) whose
//! names begin with `patchgate:`. They let a document that Patchgate wrote be read back as the same
//! inventory; [`write()`] lists the exceptions.
//!
//! Licences and vulnerabilities are neither read nor written: an inventory has neither.
//!
//! ```
//! use patchgate_model::{EcosystemName, Inventory, Lockfile, Package};
//! use patchgate_sbom::{CycloneDxVersion, OutputFormat, WriteOptions};
//!
//! let npm = EcosystemName::new("npm");
//! let inventory = Inventory {
//!     lockfiles: vec![Lockfile {
//!         path: "package-lock.json".to_owned(),
//!         ecosystem: npm,
//!         packages: vec![Package::new(npm, "qs".to_owned(), "6.5.2".to_owned())],
//!         ..Lockfile::default()
//!     }],
//!     ..Inventory::default()
//! };
//! let options = WriteOptions {
//!     name: "shop",
//!     tool_version: "0.1.0",
//!     timestamp: "2026-01-30T12:00:00Z".parse()?,
//!     locations: true,
//! };
//!
//! let format = OutputFormat::CycloneDxJson(CycloneDxVersion::V1_6);
//! let text = patchgate_sbom::write(&inventory, &options, format);
//! let read = patchgate_sbom::read("bom.cdx.json", text.as_bytes())?;
//! assert_eq!(read.packages[0].name, "qs");
//! assert_eq!(read.packages[0].purl.as_deref(), Some("pkg:npm/qs@6.5.2"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

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
pub use write::{
    SnapshotOptions, Vulnerability, WriteOptions, content_uuid, github_snapshot, is_commit, is_ref,
};

/// A format that [`read()`] accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// CycloneDX as JSON (<https://cyclonedx.org/docs/1.7/json/>).
    CycloneDxJson,
    /// CycloneDX as XML (<https://cyclonedx.org/docs/1.7/xml/>).
    CycloneDxXml,
    /// SPDX 2 as JSON (<https://spdx.github.io/spdx-spec/v2.3/>).
    SpdxJson,
    /// SPDX 2 as YAML, with the keys of its JSON form.
    SpdxYaml,
    /// SPDX 2 as `tag: value` lines.
    SpdxTagValue,
    /// SPDX 2 as RDF/XML (<https://spdx.org/rdf/v2.3/terms/>).
    SpdxRdf,
    /// SPDX 3 as JSON-LD (<https://spdx.github.io/spdx-spec/v3.0.1/>).
    Spdx3Json,
}

/// A version of CycloneDX that [`write()`] supports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CycloneDxVersion {
    /// CycloneDX 1.5 (2023).
    V1_5,
    /// CycloneDX 1.6 (2024), which is also ECMA-424.
    V1_6,
    /// CycloneDX 1.7 (2025).
    V1_7,
}

impl CycloneDxVersion {
    /// The version in the form that documents have: `1.6`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V1_5 => "1.5",
            Self::V1_6 => "1.6",
            Self::V1_7 => "1.7",
        }
    }
}

/// A format that [`write()`] supports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OutputFormat {
    /// CycloneDX as JSON (<https://cyclonedx.org/docs/1.7/json/>).
    CycloneDxJson(CycloneDxVersion),
    /// CycloneDX as XML (<https://cyclonedx.org/docs/1.7/xml/>).
    CycloneDxXml(CycloneDxVersion),
    /// SPDX 2.3 as JSON (<https://spdx.github.io/spdx-spec/v2.3/>).
    SpdxJson,
    /// SPDX 2.3 as `tag: value` lines.
    SpdxTagValue,
    /// SPDX 3.0.1 as JSON-LD (<https://spdx.github.io/spdx-spec/v3.0.1/>).
    Spdx3Json,
}

/// The content of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bill {
    /// The packages and their dependency graph.
    pub lockfile: Lockfile,
    /// Reasons for which a scan of the document is incomplete. CycloneDX's compositions and SPDX 3's
    /// relationships can declare that the document does not list everything.
    pub problems: Vec<Problem>,
}

/// The package that a package URL identifies. `None` for a text that is not a package URL, and for
/// a type of package URL that no ecosystem has.
///
/// ```
/// let package = patchgate_sbom::package("pkg:maven/org.apache.commons/commons-text@1.9").unwrap();
/// assert_eq!(package.ecosystem, "Maven");
/// assert_eq!(package.name, "org.apache.commons:commons-text");
/// assert_eq!(patchgate_sbom::package("pkg:acme/tool@1"), None);
/// ```
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

/// Reads a document of any supported format. `path` is its path in the repository.
///
/// # Errors
/// When [`detect`] recognizes no format, or the document cannot be read completely.
pub fn read(path: &str, bytes: &[u8]) -> Result<Lockfile, ParseError> {
    read_bill(path, bytes).map(|bill| bill.lockfile)
}

/// Reads a document like [`read()`], and also its statements about its own completeness.
///
/// # Errors
/// As [`read()`].
pub fn read_bill(path: &str, bytes: &[u8]) -> Result<Bill, ParseError> {
    read::bill(path, bytes)
}

/// Writes an inventory as a document.
///
/// [`read()`] gives the same inventory back, as a single lockfile: the same packages (ecosystem,
/// distribution, name, version, package URL, hashes, scope, groups, alias, and origin without
/// secrets in its address) with the same edges between them and from the same roots, and the same
/// requirements without a version. Lost are: the lockfile of a package, except as a location; equal
/// copies of a package; install paths; and the name and the requirement of an edge.
///
/// Problems of the inventory are not listed. The document declares itself incomplete when there are
/// any, and when a file lists only direct dependencies or builds on a file that was missing.
#[must_use]
pub fn write(inventory: &Inventory, options: &WriteOptions<'_>, format: OutputFormat) -> String {
    write::document(inventory, options, format)
}

/// A format of [`write_with_findings`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FindingsFormat {
    /// CycloneDX as JSON, with vulnerabilities (a VDR).
    CycloneDx(CycloneDxVersion),
    /// SPDX 2.3 as JSON, with references from packages to their advisories.
    Spdx,
}

/// Writes an inventory with the vulnerabilities of its packages. A finding about a package that the
/// inventory does not contain is written without a reference in CycloneDX, and not in SPDX.
#[must_use]
pub fn write_with_findings(
    inventory: &Inventory,
    vulnerabilities: &[Vulnerability<'_>],
    options: &WriteOptions<'_>,
    format: FindingsFormat,
) -> String {
    write::document_with_findings(inventory, vulnerabilities, options, format)
}
