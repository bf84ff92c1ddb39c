//! The network client: timeouts, retries, size limits, cache and redaction.
//!
//! Every request of Patchgate leaves through [`Client`], which guarantees:
//!
//! - a call that is not idempotent is sent only once;
//! - an answer is read up to a limit;
//! - an address in an error contains no secret;
//! - offline, nothing is sent.
//!
//! Deliberately absent: any particular server, API or JSON format.

mod address;
mod cache;
mod client;
mod environment;
mod error;
mod options;
mod request;
mod retry;
mod secret;

pub use address::is_loopback;
pub use address::redact_url;
pub use client::Client;
pub use environment::Environment;
pub use error::Error;
pub use options::ClientOptions;
pub use request::{Caching, Method, Request, Response};
pub use retry::{FailedAttempt, Retries, is_temporary, retry_after};
pub use secret::{Auth, Secret};
