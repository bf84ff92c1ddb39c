//! What is known about a package: OSV online and offline, KEV, EPSS, and the matching of packages
//! against them.
//!
//! [`Lookup`] is the one form in which advisories reach the rest of Patchgate, whichever source
//! they come from. This crate never meets a forge or its token.

mod lookup;

pub use lookup::{Lookup, PackageQuery};
