//! From findings to a plan that holds: the engine that `fix` and `pr` share.
//!
//! [`fix`] scans a repository and works on one lockfile after the other: plan what should change, let
//! the package manager lock the result in a scratch copy, scan that result with the same source of
//! advisories, and keep it only when the planned findings are gone, no vulnerability came in, and no
//! dependent gets an older version than before. What fails is left out and reported with its reason.
//!
//! Nothing is written to the repository but by [`apply`], once a plan is complete. What should
//! change is decided by `patchgate-upgrade`, which versions a graph takes by the package manager
//! (`patchgate-package-managers`). Pull requests and exit codes are not here.

mod apply;
mod attempt;
mod attribution;
mod bundled;
mod context;
mod deadline;
mod downgrade;
mod lock_state;
mod manifests;
mod plan_report;
mod registries;
mod release_index;
mod run;
mod session;
mod types;
mod verify;
mod violation;

pub use apply::apply;
pub use deadline::{TimeLimit, parse_duration};
pub use run::{FixOptions, FixOutcome, fix};
