//! The smallest safe change: which package copy gets which version, and why the rest stays.
//!
//! [`plan`] gets the facts that are known so far and returns either a [`Proposal`] with the whole
//! graph that the lockfile should have, or the facts that it needs first ([`Planned::Missing`]). The
//! caller fetches those and calls it again.
//!
//! # The rule
//! All copies of a package that have the same version form a slot, and change together. A slot with a
//! finding to fix must take a release without it that has no finding that the slot does not have
//! already. Every requirement that is met now, and every one of a new release, must be met: of
//! dependents, of peers, and of projects, whose requirements can be raised. A slot keeps its version
//! where it can; else it takes the smallest release above. A package that is new takes the newest
//! release without findings, as package managers do.
//!
//! Changes are tried in tiers, each kept before the next is tried:
//!
//! 1. inside the requirements of the projects, without a step that may break something;
//! 2. with requirements of the projects raised by such a step;
//! 3. with breaking steps of packages that no project requires itself;
//! 4. with breaking steps of any package;
//! 5. with overrides, where the format has them and they are allowed.
//!
//! In each tier a solution without new notices is preferred to one with them. When not all findings
//! can be fixed together, the least urgent one in the conflict is left for the next tier. Its reason
//! is the conflict.
//!
//! No version ever gets smaller, and no dependent gets an older version than it has. A copy that is
//! shipped inside its parent's archive is never upgraded on its own: its parent is.
//!
//! # The solver
//! The search is PubGrub's, by the crate `pubgrub`. It needs one version for each of its packages, so
//! slots are its packages, and a dependency that several slots can satisfy is one of its own.
//! `resolvo` has several versions of a name too, but its requirements are of one name each, and its
//! explanations are graphs that would have to be told apart from the search.
//!
//! This crate is pure. Deliberately absent: bytes of lockfiles (`LockfileWriter` in
//! `patchgate-ecosystems`) and package managers.
//!
//! ```
//! use std::collections::{BTreeMap, BTreeSet};
//!
//! use patchgate_ecosystems::{Release, by_name};
//! use patchgate_model::{Bump, DependencyKind, Edge, EcosystemName, Lockfile, Package, PackageIndex, Root};
//! use patchgate_upgrade::{
//!     Judged, MissingFacts, PlanOptions, Planned, Releases, Request, Target, plan,
//! };
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
//! let found = Judged {
//!     vulnerabilities: BTreeSet::from(["GHSA-1".to_owned()]),
//!     ..Judged::default()
//! };
//! let target = Target { copy: PackageIndex(0), id: "GHSA-1".to_owned(), is_notice: false };
//!
//! let mut releases = Releases::default();
//! let ask = |releases: &Releases| {
//!     plan(&Request {
//!         lockfile: &lockfile,
//!         ecosystem: npm,
//!         findings: &BTreeMap::from([(PackageIndex(0), found.clone())]),
//!         targets: &[target.clone()],
//!         releases,
//!         judge: &|_, version| {
//!             Some(if version == "6.5.2" { found.clone() } else { Judged::default() })
//!         },
//!         usable: &|_, _| Ok(()),
//!         max_bump: &|_| Bump::Major,
//!         asked: &BTreeMap::new(),
//!         refused: &BTreeMap::new(),
//!         frozen: &BTreeMap::new(),
//!         yanked_installable: true,
//!         options: PlanOptions::default(),
//!     })
//! };
//!
//! // The planner says which facts it lacks.
//! let missing = MissingFacts { packages: ["qs".to_owned()].into(), ..MissingFacts::default() };
//! assert_eq!(ask(&releases), Planned::Missing(missing));
//!
//! let release = |version: &str| Release {
//!     version: version.to_owned(),
//!     ..Release::default()
//! };
//! releases.insert(npm, "qs", Ok(vec![release("6.5.2"), release("6.5.3"), release("6.11.0")]));
//!
//! let Planned::Ready(proposal) = ask(&releases) else { panic!("all facts are known") };
//! assert_eq!(proposal.moves[0].to(), "6.5.3");
//! ```

mod attempt;
mod candidates;
mod conditions;
mod explain;
mod features;
mod graph;
mod memory;
mod needs;
mod outcome;
mod plan;
mod problem;
mod reach;
mod request;
mod scope;
mod site;
mod slot;
mod target;
mod tiers;
mod versions;

pub use graph::bundled_by;
pub use memory::Memory;
pub use plan::{plan, plan_on};
pub use request::{
    Judge, Judged, Left, ManifestEdit, MissingFacts, PlanOptions, Planned, PlannedUpgrade,
    Proposal, Releases, Request, Target, Usable,
};

#[cfg(test)]
mod exhaustive;
#[cfg(test)]
mod feature_tests;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod registry_tests;
#[cfg(test)]
mod test_ecosystem;
#[cfg(test)]
mod tests;
