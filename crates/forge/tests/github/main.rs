//! The client of GitHub's API against a server whose answers each test sets.
#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

mod answers;
mod evidence;
mod lists;
mod support;
