//! The forge: pull requests, comments, checks, merges and pushes. No other crate uses its token.
//!
//! - [`Forge`] is what Patchgate needs of a forge; [`GitHub`], [`GitLab`] and [`Gitea`] have it, and
//!   [`AnyForge`] is one of them.
//! - [`git`] creates a commit with the git command line, and pushes it over HTTP in this process, so
//!   that no child process gets the token.
//! - [`pull_request`] decides how Patchgate's pull requests must change.
//! - [`publish`] carries the decision out.
//!
//! Deliberately absent: advisories (this crate does not depend on `patchgate-advisories`), the
//! verdict about a pull request (`patchgate-gate`), and the text of pull requests
//! (`patchgate-report`).

mod any_forge;
mod assign;
mod comments;
mod error;
mod evidence;
mod forge;
pub mod git;
mod gitea;
mod github;
mod gitlab;
mod guard;
mod issues;
mod locate;
mod project;
pub mod publish;
pub mod pull_request;
mod requests;
mod rest;
mod tree;

pub use any_forge::AnyForge;
pub use comments::{answer_once, delete_repeated, has_comment, keep_comment};
pub use error::ForgeError;
pub use forge::{Forge, ForgeKind, Wanted};
pub use gitea::Gitea;
pub use github::{GitHub, GitHubOptions};
pub use gitlab::GitLab;
pub use guard::without_commands;
pub use issues::{IssueAction, KeptIssue, WantedIssue, keep_issues};
pub use locate::{ForgeFlags, LocateError, Location, locate};
pub use project::{ProjectPath, ProjectPathError};
pub use requests::{
    CheckNote, ClosedPullRequest, Comment, Conclusion, CreatedPullRequest, Issue, IssueText,
    MergeOutcome, MergeText, NewPullRequest, NoteLevel, OpenPullRequest, TokenIdentity,
    VerdictReport,
};
