//! The forge: pull requests, comments, checks, merges and pushes. No other crate uses its token.
//!
//! - [`GitHub`] is a client of the forge's API.
//! - [`git`] creates a commit with the git command line, and pushes it over HTTP in this process, so
//!   that no child process gets the token.
//! - [`pull_request`] decides how Patchgate's pull requests must change.
//! - [`publish`] carries the decision out.
//!
//! Deliberately absent: advisories (this crate does not depend on `patchgate-advisories`), the
//! verdict about a pull request (`patchgate-gate`), and the text of pull requests
//! (`patchgate-report`).

mod error;
pub mod git;
mod github;
pub mod publish;
pub mod pull_request;
mod repository;

pub use error::ForgeError;
pub use github::{
    CheckRunReport, ClosedPullRequest, Conclusion, CreatedPullRequest, GitHub, GitHubOptions,
    MergeOutcome, MergeText, OpenPullRequest, TokenIdentity,
};
pub use repository::RepositoryName;
