//! Plain values that every part of Patchgate shares.
//!
//! Data flows one way: files become an [`Inventory`], the inventory and the advisories become
//! [`Finding`]s, findings become a [`Plan`], and a pull request made from a plan gets a
//! [`Judgement`]. Nothing here reads a file, a clock, the network or the environment, and nothing
//! here depends on another Patchgate crate. What is printed for scripts is not defined here but in
//! `patchgate-report`, so that a field can be renamed here without breaking a script.

mod advisory;
mod finding;
mod inventory;
mod judgement;
mod plan;
mod problem;
mod purl;

pub use advisory::{
    Advisory, Affected, Event, EventKind, Range, RangeKind, Reference, ReportedSeverity,
};
pub use finding::{
    Epss, Finding, FixedVersion, Kev, Level, Location, PackageRef, Score, ScoreReason, Severity, Signals,
    SourceStatus,
};
pub use inventory::{
    DependencyKind, Edge, Inventory, Lockfile, Origin, Package, PackageIndex, Root, Scope,
};
pub use judgement::{Judgement, Reason, Verdict};
pub use plan::{content_digest, Bump, FileChange, Plan, Unfixed, Upgrade};
pub use problem::{Problem, ProblemKind};
pub use purl::package_url;
