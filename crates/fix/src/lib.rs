//! The fix engine, which `fix` and `pr` share: from findings to a verified plan.
//!
//! [`fix`] scans a repository and works on one lockfile after the other: plan what should change,
//! let the package manager lock the result in a scratch copy, scan that result with the same source
//! of advisories, and keep it only when the planned findings are gone, no vulnerability came in,
//! and no dependent gets an older version than before. A change that fails is left out and reported
//! with its reason.
//!
//! [`registry_entries`] compares entries of a lockfile that somebody else wrote with the metadata of
//! their registries, for the gate.
//!
//! [`newest_admitted`] asks registries about requirements that no lockfile pins, for a scan.
//!
//! Only [`apply`] writes to the repository, once a plan is complete.
//!
//! Deliberately absent: the choice of changes (`patchgate-upgrade`), the resolution of the graph
//! (the package manager, through `patchgate-package-managers`), pull requests, and exit codes.

mod apply;
mod asked_features;
mod attempt;
mod attribution;
mod bundled;
mod change_graph;
mod changed_packages;
mod context;
mod deadline;
mod environments;
mod evidence;
mod exclusions;
mod git;
mod lock_state;
mod manifests;
mod newest;
mod parts;
mod plan_report;
mod policy;
mod published;
mod registries;
mod release_details;
mod release_index;
mod requirements;
mod run;
mod session;
mod steps;
mod types;
mod verification;
mod verify;
mod violation;

pub use apply::{apply, check_writable};
pub use changed_packages::{
    ChangedPackage, PackageChanges, changed_packages, registry_configuration,
};
pub use context::Engine;
pub use deadline::{TimeLimit, parse_duration};
pub use newest::{StatedRequirements, newest_admitted};
pub use parts::{FixPart, fix_in_parts};
pub use patchgate_upgrade::PlanOptions;
pub use published::{ChangedLockfile, RegistryQuery, registry_entries};
pub use run::{Chosen, FixOptions, FixOutcome, PlannedFix};
pub use steps::fix;
pub use verification::VerifyOptions;
