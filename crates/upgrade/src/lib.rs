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
