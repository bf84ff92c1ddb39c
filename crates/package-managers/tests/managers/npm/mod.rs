//! Package managers of npm's ecosystem on lockfiles that Patchgate wrote.

mod bun;
mod package_lock;
mod pnpm;
mod pnpm_old;
mod support;
mod yarn;
