//! `patchgate pr`.

mod gitea;
mod lifecycle;
mod parts;
mod pull_request;
mod review;
mod review_github;
