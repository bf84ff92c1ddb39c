//! End-to-end tests of the real binary, with real files, package managers and git, and with servers on
//! loopback.
//!
//! There is one module for each command, and `support` for the helpers. Every run has an environment
//! of its own, so that no setting of the machine reaches it. A test that lacks a tool or data is
//! skipped through `patchgate_testkit::skip`. CONTRIBUTING.md explains how to add a test.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "the lints' exception for tests does not reach their helper functions"
)]

mod audit;
mod ci;
mod db;
mod decision;
mod estimate;
mod exit_codes;
mod explain;
mod fix;
mod gate;
mod inventory;
mod policy;
mod pr;
mod query;
mod scan;
mod support;
