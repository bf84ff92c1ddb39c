//! Stand-ins and builders for tests only.
//!
//! Everything listens on loopback, on a port that the system chooses, and ends when its value is
//! dropped. A stand-in either runs the real thing behind a thin bridge ([`GitServer`] is git's own
//! `http-backend`) or answers from data that the test gives it, and can be reported to misbehave.
//!
//! Nothing here is meant for the product: it panics when it cannot do its work, because a test
//! that cannot set its stage has failed.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "this crate runs in tests only: a stage that cannot be set is a failed test, and a \
              skipped test says so on standard error"
)]

mod git_server;
mod github;
mod http_server;
mod osv_server;
mod process;
mod registry;
mod shared;
mod tools;

pub use git_server::{GitServer, GitToken, Repository};
pub use github::{
    Account, CheckRun, Comment, CommitStatus, FakeGitHub, Permission, PullRequest, Review,
};
pub use http_server::{HttpServer, Request, Response};
pub use osv_server::{OsvFault, OsvServer};
pub use registry::{CargoRegistry, NpmRegistry, RegistryFault, Release};
pub use shared::{files_below, shared_dir, snapshots};
pub use tools::{Tools, in_ci};
