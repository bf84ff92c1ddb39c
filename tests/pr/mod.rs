//! `patchgate pr`.

mod dashboard;
mod gitea;
mod lifecycle;
mod parts;
mod pull_request;
mod respond;
mod review;
mod review_github;
