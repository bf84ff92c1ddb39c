//! `patchgate pr`.

mod gitea;
mod lifecycle;
mod pull_request;
mod review;
mod review_github;
