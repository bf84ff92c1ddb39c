//! Package ecosystems, one directory each: names, version order, lockfiles, manifests, requirements,
//! edits, and the wire format of the registry.
//!
//! [`Ecosystem`] has the names and the order, which every ecosystem has; [`FileReader`] reads its
//! files, and [`Upgradable`] changes its versions. Distributions of operating systems share the
//! directory [`distribution`], and `version` contains the parts that several version orders share.
//!
//! `ARCHITECTURE.md` says step by step how to add an ecosystem or a lockfile format. The contract
//! tests in `tests/contract.rs` and `tests/version_orders.rs` and the support table in
//! `docs/formats.md` take every ecosystem of [`ALL`].
//!
//! This crate is pure: bytes come in, values go out. Deliberately absent: files, processes, the
//! network, and any address of a registry.
//!
//! ```
//! use patchgate_ecosystems::{Input, Siblings, by_name, parse};
//!
//! let bytes = b"version = 4\n\n[[package]]\nname = \"app\"\nversion = \"1.0.0\"\n";
//! let siblings = Siblings::new();
//! let lockfile = parse(&Input { path: "Cargo.lock", bytes, siblings: &siblings })?;
//! assert_eq!(lockfile.packages[0].name, "app");
//!
//! let cargo = by_name(lockfile.ecosystem).unwrap();
//! assert!(cargo.compare_versions("1.10.0", "1.9.0").unwrap().is_gt());
//! # Ok::<(), patchgate_ecosystems::ParseError>(())
//! ```

pub mod bioconductor;
pub mod bitnami;
pub mod cargo;
pub mod cocoapods;
pub mod composer;
pub mod conan;
pub mod conda;
pub mod cpan;
pub mod cran;
pub mod deno;
pub mod distribution;
pub mod docker;
mod duplicate_keys;
mod ecosystem;
mod fast_hash;
mod files;
mod format_index;
pub mod gem;
pub mod generic;
pub mod github;
pub mod golang;
pub mod hackage;
pub mod hex;
mod intervals;
pub mod julia;
mod later_version;
mod line_ends;
mod lockfile_writer;
pub mod maven;
pub mod npm;
pub mod nuget;
pub mod opam;
#[path = "pub/mod.rs"]
pub mod pub_dart;
pub mod pypi;
mod raised;
mod release;
mod requirement_error;
mod requirement_text;
mod runtime;
mod salvage;
mod scope;
mod skipped;
#[cfg(test)]
mod snapshot_text;
pub mod swift;
pub mod terraform;
#[cfg(test)]
mod test_files;
#[cfg(test)]
mod test_graph;
mod unread;
mod upgradable;
mod version;
mod version_set;

use patchgate_model::{Package, package_url};

pub use ecosystem::{Ecosystem, VersionError};
pub use files::{FileReader, Format, ManifestFormat};
pub use format_index::{
    FormatIndex, FormatMatch, fixable_format, format_by_id, formats_of, is_fixable_manifest,
    is_sibling, manifest_of, parse, unread_format, unresolved,
};
pub use intervals::intervals;
pub use lockfile_writer::{
    Downloads, FoundRequirement, LockfileWriter, TargetEdge, TargetGraph, TargetNode, WriteError,
};
pub use patchgate_syntax::{self as syntax, Input, ParseError, Siblings, limits};
pub use raised::raised_requirement;
pub use release::{
    MetadataRequest, Release, ReleaseFacts, ReleaseFile, Requirement, SourceArchive,
};
pub use requirement_error::RequirementError;
pub use skipped::SkippedEntries;
pub use unread::UnreadFormat;
pub use upgradable::{Copies, EditError, RequirementEdit, Upgradable};
pub use version_set::{Interval, Prereleases, VersionSet};

/// Every ecosystem that Patchgate reads, in the order of the support table.
pub const ALL: &[&dyn Ecosystem] = &[
    &npm::Npm,
    &pypi::PyPi,
    &cargo::Cargo,
    &golang::Go,
    &maven::Maven,
    &gem::RubyGems,
    &composer::Composer,
    &nuget::NuGet,
    &pub_dart::Pub,
    &hex::Hex,
    &conan::Conan,
    &swift::Swift,
    &cocoapods::CocoaPods,
    &cran::Cran,
    &hackage::Hackage,
    &julia::Julia,
    &opam::Opam,
    &cpan::Cpan,
    &github::GitHubActions,
    &docker::Docker,
    &terraform::Terraform,
    &generic::Git,
    &distribution::DEBIAN,
    &distribution::UBUNTU,
    &distribution::ECHO,
    &distribution::ALPINE,
    &distribution::WOLFI,
    &distribution::CHAINGUARD,
    &distribution::MINIMOS,
    &distribution::ALPAQUITA,
    &distribution::BELLSOFT,
    &distribution::CLEANSTART,
    &distribution::RED_HAT,
    &distribution::ROCKY_LINUX,
    &distribution::ALMA_LINUX,
    &distribution::SUSE,
    &distribution::OPEN_SUSE,
    &distribution::MAGEIA,
    &distribution::OPEN_EULER,
    &distribution::PHOTON_OS,
    &distribution::AZURE_LINUX,
    &bitnami::Bitnami,
    &deno::Deno,
    &bioconductor::Bioconductor,
    &conda::Conda,
];

/// The ecosystem with this name, compared exactly.
///
/// ```
/// use std::cmp::Ordering;
///
/// let order = patchgate_ecosystems::by_name("Go")
///     .map(|go| go.compare_versions("v1.9.0", "v1.10.0"));
/// assert_eq!(order, Some(Ok(Ordering::Less)));
///
/// assert!(patchgate_ecosystems::by_name("go").is_none());
/// ```
#[must_use]
pub fn by_name(name: impl AsRef<str>) -> Option<&'static dyn Ecosystem> {
    let name = name.as_ref();
    ALL.iter()
        .copied()
        .find(|ecosystem| ecosystem.name() == name)
}

/// The ecosystem with this type in package URLs, compared exactly. `None` also for a type that
/// several share: [`distribution::by_id`] finds a distribution by the namespace.
#[must_use]
pub fn by_purl_type(purl_type: &str) -> Option<&'static dyn Ecosystem> {
    let mut known = ALL
        .iter()
        .copied()
        .filter(|ecosystem| ecosystem.purl_type() == purl_type);
    known.next().filter(|_| known.next().is_none())
}

/// The package URL of a package: the one in its file, otherwise the one that follows from its
/// ecosystem, name and version.
#[must_use]
pub fn purl(package: &Package) -> String {
    if let Some(purl) = &package.purl {
        return purl.clone();
    }
    match by_name(package.ecosystem) {
        Some(ecosystem) => ecosystem.purl(&package.name, &package.version),
        None => package_url("generic", &package.name, &package.version),
    }
}
