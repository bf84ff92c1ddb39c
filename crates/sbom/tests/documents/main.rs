//! Documents as others make them, and documents as others check them.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failed step fails the test; tests, unlike the crate, read files and run validators"
)]

mod corpus;
mod findings;
mod fixtures;
mod hostile;
mod mutated;
mod odd;
mod round_trip;

mod validators;
