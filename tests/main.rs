//! The real binary, from the outside: real files, real managers, real git, servers on loopback.
//!
//! One module a command. Every run gets an environment of its own, so that nothing of the machine's
//! settings reaches it. What a test needs and does not find it says on standard error and passes
//! over, except in CI (`CI=true`), where it fails.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "the lints' exception for tests does not reach their helper functions"
)]

mod ci;
mod db;
mod exit_codes;
mod explain;
mod fix;
mod gate;
mod inventory;
mod pr;
mod query;
mod scan;
mod support;
