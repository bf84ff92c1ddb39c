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

mod action;
mod action_binary;
mod bad_input;
mod csaf;
mod db;
mod db_faults;
mod exit_codes;
mod explain;
mod fix;
mod fix_bundled;
mod fix_faults;
mod fix_files;
mod fix_hostile;
mod fix_workspace;
mod gate;
mod gate_evidence;
mod git_sources;
mod gitlab;
mod init;
mod inventory;
mod malicious;
mod maven;
mod osv_faults;
mod pr;
mod query;
mod release;
mod scan;
mod stage;
mod stand_in;
mod step;
mod story;
mod vex;
