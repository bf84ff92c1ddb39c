//! The settings of a repository, `.patchgate.yml`: thresholds, ignore entries, gate policy, store.
//!
//! [`parse`] turns the text of a file into a [`Config`], or reports every error with its line. The
//! types in `schema` are the only definition of the format: the published JSON Schema is generated
//! from them, and a file is checked against that schema, so the two cannot drift apart.
//!
//! Deliberately absent: reading files, and the decisions that the settings lead to.
//!
//! ```
//! let error = patchgate_config::parse(".patchgate.yml", "treshold: high").unwrap_err();
//! assert_eq!(
//!     error.to_string(),
//!     ".patchgate.yml:1:1: unknown key `treshold` (did you mean `thresholds`?)"
//! );
//! ```

mod check;
mod config;
mod error;
mod fix;
mod gate;
mod ignore;
mod new_ignore;
mod node;
mod pull_requests;
mod risk;
mod schema;
mod suggest;
mod template;

pub use config::{Config, Ignore, StoreSettings, VexSettings, parse};
pub use error::{ConfigError, ConfigErrors};
pub use fix::{FixSettings, Limit, PackageGroup, PackagePattern, PackageRule};
pub use ignore::{AppliedIgnores, IgnoredFinding, Notice, apply_ignores};
pub use new_ignore::{NewIgnore, NewIgnoreError};
pub use pull_requests::{PullRequestSettings, StepFacts, StepGroup, slug};
pub use schema::config_schema;
pub use template::{StartingPolicy, config_template, config_template_with, workflow_template};

/// Name of the settings file in the root of a repository.
pub const FILE_NAME: &str = ".patchgate.yml";
