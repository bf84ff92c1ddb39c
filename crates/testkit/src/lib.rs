//! Fake servers, builders and requirements for tests only.
//!
//! Every server listens on loopback, on a port that the system chooses, and ends when its value is
//! dropped. A server either runs the real program behind a thin bridge ([`GitServer`] is git's own
//! `http-backend`) or answers from data that the test gives it, and misbehaves on request.
//!
//! This crate panics when it cannot do its work, because a test whose setup fails has failed. The
//! product does not use it. A test that lacks a tool or data is skipped through [`skip`].
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "this crate runs in tests only, where a setup that fails is a failed test"
)]

mod git_server;
mod gitea;
mod github;
mod gitlab;
mod http_server;
mod osv_server;
mod process;
mod registry;
mod requirement;
mod shared;
mod tools;

pub use git_server::{GitServer, GitToken, Repository};
pub use gitea::{GiteaRepository, GiteaServer, GiteaUser};
pub use github::{
    Account, CheckRun, Comment, CommitStatus, FakeGitHub, Issue, Permission, PullRequest, Review,
    call_api,
};
pub use gitlab::{FakeGitLab, GitLabIssue, GitLabUser, MergeRequest, Note};
pub use http_server::{HttpServer, Request, Response};
pub use osv_server::{OsvFault, OsvServer};
pub use registry::{
    CargoRegistry, GoModule, GoProxy, NpmRegistry, PyIndex, PyRelease, RegistryFault, Release,
};
pub use requirement::{Requirement, skip};
pub use shared::{files_below, shared_dir, snapshots};
pub use tools::{Tools, chromium, rust_toolchain, system_tool};
