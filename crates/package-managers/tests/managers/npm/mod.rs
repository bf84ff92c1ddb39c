//! Package managers of npm's ecosystem on lockfiles that Patchgate wrote.

mod bun;
mod package_lock;
mod pnpm;
mod support;
mod yarn;
