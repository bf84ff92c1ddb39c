//! Package managers of npm's ecosystem on lockfiles that Patchgate wrote.
#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

mod pnpm;
mod support;
mod yarn;
