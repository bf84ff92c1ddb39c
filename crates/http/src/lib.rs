//! The one network client: timeouts, retries, caps, cache, redaction.
//!
//! Every request of Patchgate leaves through [`Client`]. What it holds for all of them: a call that
//! is not idempotent is sent once and never again; an answer is read up to a limit and no further;
//! an address in an error carries no secret; and offline nothing at all is sent. It knows no
//! server, no API and no JSON of anybody.

mod cache;
mod client;
mod environment;
mod error;
mod options;
mod redact;
mod request;
mod retry;
mod secret;

pub use client::Client;
pub use environment::Environment;
pub use error::Error;
pub use options::ClientOptions;
pub use redact::redact_url;
pub use request::{Caching, Method, Request, Response};
pub use secret::{Auth, Secret};
