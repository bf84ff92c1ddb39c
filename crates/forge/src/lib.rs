//! Pull requests, comments, checks, merges and pushes. The one crate that sees a forge's token.
//!
//! [`GitHub`] is a client of the forge's API; [`git`] makes a commit with the git command line and
//! pushes it over HTTP itself, so that no child process ever gets the token; [`pull_request`]
//! decides what has to happen to Patchgate's pull requests, without doing it; [`publish`] does it.
//!
//! Deliberately not here: advisories (this crate and `patchgate-advisories` never meet), the
//! judgement (that is `patchgate-gate`), and any text of a pull request (that is
//! `patchgate-report`).

mod error;
pub mod git;
mod github;
pub mod publish;
pub mod pull_request;
mod repository;

pub use error::ForgeError;
pub use github::{
    CheckRunReport, ClosedPullRequest, Conclusion, CreatedPullRequest, GitHub, GitHubOptions,
    MergeOutcome, OpenPullRequest, TokenIdentity,
};
pub use repository::RepositoryName;
