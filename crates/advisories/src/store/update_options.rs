//! The parameters of `db update`.

use std::path::PathBuf;

use jiff::Timestamp;

use crate::{PUBLIC_EPSS, PUBLIC_KEV};

/// The public bucket of OSV exports, one `<ecosystem>/all.zip` for each ecosystem
/// (<https://google.github.io/osv.dev/data/>).
pub const PUBLIC_OSV_EXPORTS: &str = "https://osv-vulnerabilities.storage.googleapis.com";

/// Which exports and feeds an update fetches, and from where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateOptions {
    /// OSV names of the ecosystems.
    pub ecosystems: Vec<String>,
    /// Address of the exports, or a directory with the same layout, also as a `file:` address.
    pub exports: String,
    /// Address of the KEV catalogue; `None` keeps the one in the store.
    pub kev: Option<String>,
    /// Address of the EPSS scores; `None` keeps those in the store.
    pub epss: Option<String>,
    /// Archives, files and directories with an organisation's own records. They are kept separate
    /// from the exports and are read completely at each update. An empty list keeps the records
    /// that are in the store.
    pub own: Vec<PathBuf>,
    /// The time of the update. An export is fetched completely when the last complete fetch is more
    /// than seven days before this time.
    pub now: Timestamp,
}

impl Default for UpdateOptions {
    /// The public addresses, and no ecosystem.
    fn default() -> Self {
        Self {
            ecosystems: Vec::new(),
            exports: PUBLIC_OSV_EXPORTS.to_owned(),
            kev: Some(PUBLIC_KEV.to_owned()),
            epss: Some(PUBLIC_EPSS.to_owned()),
            own: Vec::new(),
            now: Timestamp::now(),
        }
    }
}
