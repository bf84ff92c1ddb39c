//! The offline store: built, published, updated, damaged, and compared with the real records.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod build;
mod damage;
mod existing;
mod faults;
mod feeds;
mod kept;
mod mirror;
mod publish;
mod support;
mod update;
