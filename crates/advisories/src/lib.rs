//! What is known about a package: OSV online and offline, KEV, EPSS, and the matching of packages
//! against them.
//!
//! [`Lookup`] is the one form in which advisories reach the rest of Patchgate, whichever source
//! they come from. This crate never meets a forge or its token.

mod feeds;
mod find;
mod lookup;
mod matching;
mod osv;
mod store;

pub use feeds::{EpssError, KevError, NoSignals, SignalSource};
pub use find::{Findings, find, preferred_id, queries};
pub use lookup::{Lookup, PackageQuery};
pub use matching::{Affects, affects, fixed_version};
pub use osv::{RecordError, parse_record};
pub use store::{BuildError, BuildProgress, BuildReport, InputError, Store, StoreError};
