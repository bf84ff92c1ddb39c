//! Advisories and signals about packages: OSV online and offline, KEV, EPSS, and the matching of
//! packages against them.
//!
//! Every source of advisories ([`OsvClient`], [`Store`]) answers with an [`AdvisoryLookup`], so the
//! rest of Patchgate does not depend on the source. [`find`] matches an inventory against it.
//!
//! Deliberately absent: severity and score (`patchgate-risk`), and any use of the forge or its
//! token.

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
pub use git::{CommitQuery, commit_queries, repository_key};
pub use lookup::{AdvisoryLookup, PackageQuery};
pub use matching::{Affects, Subject, affects, evidence, fixed_version};
pub use online::{OsvClient, PUBLIC_OSV_API};
pub use osv::{RecordError, parse_record};
pub use store::{
    BuildError, BuildProgress, BuildReport, Existing, FileCheck, InputError, PUBLIC_OSV_EXPORTS,
    Store, StoreError, TextError, UpdateError, UpdateOptions, Visited, read_texts,
};

/// The key of a package in an [`AdvisoryLookup`]: its name, normalised by the ecosystem's rule. Names
/// of ecosystems that Patchgate does not know stay unchanged.
///
/// ```
/// assert_eq!(patchgate_advisories::package_key("PyPI", "Flask_Login"), "flask-login");
/// ```
#[must_use]
pub fn package_key(ecosystem: impl AsRef<str>, name: &str) -> SmolStr {
    patchgate_ecosystems::by_name(ecosystem)
        .map_or(Cow::Borrowed(name), |known| known.normalize_name(name))
        .into()
}
