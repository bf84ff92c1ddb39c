//! Documents of every format: their meaning, and the damage that a hostile one can do.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "the lints' exception for tests does not reach their helper functions"
)]

mod csaf;
mod cyclonedx;
mod hostile;
mod samples;
mod written;
