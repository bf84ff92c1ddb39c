//! Reachability: whether a repository's own sources use what a finding affects.
//!
//! [`assess`] reads the sources of the languages that the findings need, in parallel and within
//! bounds, and sets [`Finding::reachability`](patchgate_model::Finding::reachability):
//!
//! 1. **Symbol called**: a source refers to a symbol that a record names. Records of the Go
//!    vulnerability database (`ecosystem_specific.imports`,
//!    <https://go.dev/doc/security/vuln/database>) and of RustSec (`affects.functions`,
//!    <https://github.com/rustsec/advisory-db>) name symbols.
//! 2. **Package imported**: a source imports the package.
//! 3. **Not imported**: no source does, *and* every way by which the sources could still use it is
//!    known not to exist (`Unproven` in `packages.rs` lists them).
//! 4. **Unknown**: everything else.
//!
//! Syntax trees and the names in them are `patchgate-api-surface`'s. Deliberately absent: the sources of
//! dependencies, so there is no call graph, and the outcome of a finding, which `patchgate-risk`
//! decides.

mod answer;
mod files;
mod index;
mod mentions;
mod names;
mod packages;
mod symbols;

pub use answer::{Sources, assess};
pub use files::{Listing, MAX_FILE_BYTES, SourceFile, list};
