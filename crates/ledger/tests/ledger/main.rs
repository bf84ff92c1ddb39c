//! The ledger as its callers see it: whole logs in memory, in directories and in git.
#![expect(
    clippy::unwrap_used,
    reason = "the lints' exception for tests does not reach their helper functions"
)]

mod altered;
mod branch;
mod folder;
mod support;
