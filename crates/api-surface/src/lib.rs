//! The public names of two releases of a package, compared for the names that a repository uses, and
//! those names with their lines.
//!
//! Sources are read with tree-sitter (<https://tree-sitter.github.io>), which parses any text, also
//! a broken one, and runs nothing. Names that a program makes at run time are not in its text, so
//! the answer about a name is often "unknown"; it is "removed" only where all names of the module
//! are known.
//!
//! Deliberately absent: archives and files of the repository, which arrive as bytes, and types: a
//! change behind a signature is not seen.

mod compare;
mod exports;
mod go;
mod imports;
mod java;
mod javascript;
mod language;
mod python;
mod references;
mod rust;
mod scopes;
mod tree;

pub use compare::{compare, module_of_package, modules};
pub use imports::Imports;
pub use language::Language;
pub use references::{
    Gap, ModuleReference, NameReference, OF_MODULE, References, imports, references,
};

use std::collections::BTreeMap;

/// Files of a release by their path in its archive, without the directory that contains all of
/// them.
pub type Files = BTreeMap<String, Vec<u8>>;
