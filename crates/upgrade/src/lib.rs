//! The smallest safe change: which package copy gets which version, and why the rest stays.
//!
//! [`plan`] gets the facts that are known so far and returns either a [`Proposal`] or the names of
//! the packages that it needs more facts about ([`Planned::Missing`]). The caller fetches those and
//! calls it again.
//!
//! # The rule
//! For every vulnerable copy, the candidates are the releases above the installed one that are not
//! yanked, not pre-releases (unless the installed one is), and that have no finding that the copy
//! does not have already. Only the candidates with the fewest findings count.
//!
//! 1. The smallest candidate that every dependent admits unchanged is chosen, even over a smaller
//!    one that requires another upgrade.
//! 2. Otherwise each package that admits none of the candidates is upgraded itself, by the same
//!    rule, to its smallest release that admits one or does not need the package at all. The
//!    requirements of projects of the repository are raised. Then the smallest candidate that all
//!    dependents admit is chosen.
//! 3. When that fails, the copy takes the best release that needs no other upgrade, and the
//!    findings that remain are reported with the reason.
//!
//! No version ever gets smaller. A copy that is shipped inside its parent's archive is never
//! upgraded on its own: its parent is.
//!
//! This crate is pure. Deliberately absent: resolving. The package manager does that, and the caller
//! scans its result again.
//!
//! ```
//! use std::collections::{BTreeMap, BTreeSet};
//!
//! use patchgate_ecosystems::{Release, by_name};
//! use patchgate_model::{DependencyKind, Edge, EcosystemName, Lockfile, Package, PackageIndex, Root};
//! use patchgate_upgrade::{Planned, Releases, Request, plan};
//!
//! let npm = by_name("npm").unwrap().upgradable().unwrap();
//! let lockfile = Lockfile {
//!     ecosystem: EcosystemName::new("npm"),
//!     packages: vec![Package::new(EcosystemName::new("npm"), "qs".to_owned(), "6.5.2".to_owned())],
//!     roots: vec![Root {
//!         edges: vec![Edge {
//!             to: PackageIndex(0),
//!             name: "qs".into(),
//!             requirement: Some("^6.5.0".into()),
//!             kind: DependencyKind::Runtime,
//!         }],
//!         ..Root::default()
//!     }],
//!     ..Lockfile::default()
//! };
//! let ids = BTreeSet::from(["GHSA-1".to_owned()]);
//!
//! let mut releases = Releases::default();
//! let ask = |releases: &Releases| {
//!     plan(&Request {
//!         lockfile: &lockfile,
//!         ecosystem: npm,
//!         vulnerable: &BTreeMap::from([(PackageIndex(0), ids.clone())]),
//!         releases,
//!         judge: &|_, version| Some(if version == "6.5.2" { ids.clone() } else { BTreeSet::new() }),
//!         refused: &BTreeMap::new(),
//!         frozen: &BTreeMap::new(),
//!         yanked_installable: true,
//!     })
//! };
//!
//! // The planner says which facts it lacks.
//! assert_eq!(ask(&releases), Planned::Missing(BTreeSet::from(["qs".to_owned()])));
//!
//! let release = |version: &str| Release {
//!     version: version.to_owned(),
//!     yanked: false,
//!     ..Release::default()
//! };
//! releases.insert(npm, "qs", Ok(vec![release("6.5.2"), release("6.5.3"), release("6.11.0")]));
//!
//! let Planned::Ready(proposal) = ask(&releases) else { panic!("all facts are known") };
//! assert_eq!(proposal.moves[0].to(), "6.5.3");
//! ```

mod candidates;
mod graph;
mod outcome;
mod request;
mod search;

pub use graph::bundled_by;
pub use request::{
    Judge, Left, ManifestEdit, Planned, PlannedUpgrade, Proposal, Releases, Request,
};
pub use search::plan;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod test_ecosystem;
#[cfg(test)]
mod tests;
