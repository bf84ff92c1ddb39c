//! `patchgate pr`.

mod lifecycle;
mod pull_request;
