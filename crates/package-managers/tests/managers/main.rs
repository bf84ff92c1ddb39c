//! Package managers themselves on lockfiles that Patchgate wrote.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed step fails the test"
)]

mod cargo;
mod maven;
mod npm;
mod nuget;
mod python;
