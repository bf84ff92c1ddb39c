//! Inventories: the packages and dependency graphs of a repository, or of files that are named one
//! by one.
//!
//! [`Repository`] walks a directory within bounds and reads its lockfiles, manifests and SBOMs.
//! [`Inputs`] adds files that the user names one by one, whatever their names. Files from outside
//! of the repository (Maven's parents and imported lists of versions) come through
//! [`ExternalFiles`]; [`maven::MavenRepository`] fetches them.
//!
//! [`CommitFiles`] lays out the files of an earlier commit.
//!
//! Nothing of the repository is run, and no link is followed out of it.
//!
//! Deliberately absent: formats (`patchgate-ecosystems`, `patchgate-sbom`) and findings
//! (`patchgate-scan`).

mod commit;
mod contents;
mod external;
mod files;
mod git;
mod groups;
mod inputs;
pub mod maven;
mod repository;
mod walk;

pub use commit::CommitFiles;
pub use contents::{Contents, parse, parse_sbom};
pub use external::{ExternalFiles, NoExternalFiles, missing};
pub use files::read_named;
pub use inputs::{InputOptions, Inputs};
pub use maven::{MavenRepository, Network};
pub use repository::{Repository, repository_root};
