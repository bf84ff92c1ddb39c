//! The smallest safe change: which package copy moves to which version, and why the rest stays.
//!
//! Pure: no file, network, clock or process. The planner is asked with what is known so far and
//! answers either with a [`Proposal`] or with the names of the packages that it must know more
//! about ([`Planned::Missing`]); whoever asks fetches those and asks again.
//!
//! # The rule
//! For every vulnerable copy the candidates are the releases above the installed one that are not
//! yanked, not pre-releases (unless the installed one is), and that bring no finding that the
//! copy does not have already. Of these, only the ones that leave the fewest findings count.
//!
//! 1. The smallest candidate that every dependent admits as it stands wins, even over a smaller
//!    one for which something else would have to move.
//! 2. Otherwise each package that admits none of the candidates moves itself, by the same rule, to
//!    its smallest release that admits one or does not need the package at all; projects of the
//!    repository have their requirement raised. Then the smallest candidate that all dependents
//!    admit is taken.
//! 3. When that fails, the copy takes the best release that is in reach without moving anything
//!    else, and the rest is reported with the reason.
//!
//! Nothing ever moves to a smaller version. A copy that is shipped inside its parent's archive is
//! never moved: its parent is.
//!
//! The planner does not resolve: the package manager does, and the caller scans its result again.

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
