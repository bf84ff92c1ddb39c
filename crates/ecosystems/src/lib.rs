//! One folder an ecosystem: lockfiles, manifests, version order, requirements, edits, and the wire
//! format of its registry.
//!
//! Everything here is pure: bytes come in, values go out. No file is opened, no process is started,
//! no address is known. To add an ecosystem, add its folder and its line in [`ALL`]; the contract
//! tests in `tests/contract.rs` and `tests/version_orders.rs` and the support table in the README
//! pick it up from there. Distributions of operating systems share the folder [`distribution`], and
//! `version` holds what the version orders of several ecosystems share.

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
pub mod maven;
pub mod npm;
pub mod nuget;
pub mod opam;
#[path = "pub/mod.rs"]
pub mod pub_dart;
pub mod pypi;
mod release;
mod scope;
#[cfg(test)]
mod snapshot_text;
pub mod swift;
pub mod terraform;
mod upgradable;
mod version;

use patchgate_model::{Package, package_url};

pub use ecosystem::{Ecosystem, PurlName, VersionError};
pub use files::{FileReader, Format, ManifestFormat};
pub use format_index::{
    FormatIndex, FormatMatch, fixable_format, format_by_id, formats_of, is_fixable_manifest,
    is_sibling, manifest_of, parse, unresolved,
};
pub use intervals::intervals;
pub use patchgate_syntax::{self as syntax, Input, ParseError, Siblings, limits};
pub use release::{MetadataRequest, Release, Requirement};
pub use upgradable::{EditError, RequirementEdit, RequirementError, Upgradable};

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
#[must_use]
pub fn by_name(name: &str) -> Option<&'static dyn Ecosystem> {
    ALL.iter()
        .copied()
        .find(|ecosystem| ecosystem.name() == name)
}

/// The ecosystem with this type in package URLs, compared exactly. `None` also for a type that
/// several share: which distribution a package is of, its namespace says.
#[must_use]
pub fn by_purl_type(purl_type: &str) -> Option<&'static dyn Ecosystem> {
    let mut known = ALL
        .iter()
        .copied()
        .filter(|ecosystem| ecosystem.purl_type() == purl_type);
    known.next().filter(|_| known.next().is_none())
}

/// The package URL of a package: the one that its file states, else the one that follows from its
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
