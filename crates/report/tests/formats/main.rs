//! The formats of a scan's report, held to their schemas and readers, and the page in a real browser.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::unwrap_used,
    reason = "a failed step fails the test; tests, unlike the crate, read files and run programs"
)]

mod browser;
mod hostile;
mod page;
mod samples;
mod schemas;
