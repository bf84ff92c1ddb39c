//! The repository's own settings, `.patchgate.yml`: thresholds, ignore entries, gate rules, store.
//!
//! Text goes in, a [`Config`] comes out, or every error with its line. The types in `schema` are the
//! one definition of the file: the published JSON Schema is generated from them, and the file is
//! checked against that schema before it is read, so that the two cannot drift apart.

mod check;
mod config;
mod error;
mod ignore;
mod node;
mod schema;
mod suggest;
mod template;

pub use config::{Config, Ignore, StoreSettings, VexSettings, parse};
pub use error::{ConfigError, ConfigErrors};
pub use ignore::{Applied, IgnoredFinding, Notice, apply_ignores};
pub use schema::config_schema;
pub use template::{config_template, workflow_template};

/// Name of the settings file in the root of a repository.
pub const FILE_NAME: &str = ".patchgate.yml";
