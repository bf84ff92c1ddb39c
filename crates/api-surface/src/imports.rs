//! The names that a source file uses of other packages, without their lines.

use std::collections::{BTreeMap, BTreeSet};

/// The names that are used of each module, by the module as it is imported. The name of a module
/// that is used as a whole is `exports::DEFAULT`.
pub type Imports = BTreeMap<String, BTreeSet<String>>;
