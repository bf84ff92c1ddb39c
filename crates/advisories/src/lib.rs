//! What is known about a package: OSV online and offline, KEV, EPSS, and the matching of packages
//! against them.
//!
//! [`AdvisoryLookup`] is the one form in which advisories reach the rest of Patchgate, whichever source
//! they come from. This crate never meets a forge or its token.

use std::borrow::Cow;

use patchgate_model::SmolStr;

mod feeds;
mod find;
mod git;
mod lookup;
mod matching;
mod online;
mod osv;
mod store;

pub use feeds::{
    EpssError, FeedSignals, FetchedFeeds, KevError, NoSignals, PUBLIC_EPSS, PUBLIC_KEV,
    SignalSource,
};
pub use find::{Findings, explain, find, is_malicious, lookup_of, preferred_id, queries};
pub use git::{CommitQuery, commit_queries, is_commit, repository_key};
pub use lookup::{AdvisoryLookup, PackageQuery};
pub use matching::{Affects, Subject, affects, evidence, fixed_version};
pub use online::{OsvClient, PUBLIC_OSV_API};
pub use osv::{RecordError, parse_record};
pub use store::{
    BuildError, BuildProgress, BuildReport, FileCheck, InputError, PUBLIC_OSV_EXPORTS, Store,
    StoreError, UpdateError, UpdateOptions,
};

/// The key of a package in a [`AdvisoryLookup`]: its name as the ecosystem compares it. Names of ecosystems
/// that Patchgate does not read are kept as they are.
#[must_use]
pub fn package_key(ecosystem: &str, name: &str) -> SmolStr {
    patchgate_ecosystems::by_name(ecosystem)
        .map_or(Cow::Borrowed(name), |known| known.normalize_name(name))
        .into()
}
