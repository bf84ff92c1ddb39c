//! `patchgate scan`.

mod bad_input;
mod csaf;
mod examples;
mod formats;
mod git_sources;
mod malicious;
mod maven;
mod osv_faults;
mod requirements;
mod sub_path;
mod vex;
