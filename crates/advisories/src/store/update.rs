//! `db update`: fetching exports and feeds anew. What cannot be fetched stays as it was.

use std::fs::File;
use std::path::{Path, PathBuf};

use patchgate_http::{Client, Request, redact_url};
use patchgate_model::{Problem, ProblemKind};

use super::build::{BuildError, BuildProgress, BuildReport, publish};
use super::collect::Collected;
use super::manifest::Source;
use super::read::read_one;
use super::{Store, StoreError, read_manifest, status_of};
use crate::online::describe;
use crate::{PUBLIC_EPSS, PUBLIC_KEV};

/// The public bucket of OSV exports, `<ecosystem>/all.zip` each
/// (<https://google.github.io/osv.dev/data/>).
pub const PUBLIC_OSV_EXPORTS: &str = "https://osv-vulnerabilities.storage.googleapis.com";

/// Largest export that is fetched, in bytes. The largest one, of all of OSV, is below 1 GiB.
const MAX_EXPORT_BYTES: u64 = 4 * 1024 * 1024 * 1024;

/// What to fetch and from where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateOptions {
    /// OSV names of the ecosystems.
    pub ecosystems: Vec<String>,
    /// Address of the exports, or a folder that holds them in the same layout.
    pub exports: String,
    /// Address of the KEV catalogue; `None` keeps the one in the store.
    pub kev: Option<String>,
    /// Address of the EPSS scores; `None` keeps those in the store.
    pub epss: Option<String>,
}

impl Default for UpdateOptions {
    fn default() -> Self {
        Self {
            ecosystems: Vec::new(),
            exports: PUBLIC_OSV_EXPORTS.to_owned(),
            kev: Some(PUBLIC_KEV.to_owned()),
            epss: Some(PUBLIC_EPSS.to_owned()),
        }
    }
}

/// What a fetched file is expected to be.
enum Expected<'a> {
    Ecosystem(&'a str),
    Kev,
    Epss,
}

impl Store {
    /// Fetches the exports and feeds of `options` into the store in `dir`, which need not exist.
    /// Everything else in the store is kept.
    ///
    /// Exports are large: the client should allow some minutes for one answer.
    ///
    /// # Errors
    /// When the store cannot be read or written. What could not be fetched is a problem in the
    /// report, and the store keeps what it had of it.
    pub async fn update(
        dir: &Path,
        http: &Client,
        options: &UpdateOptions,
        progress: &(dyn Fn(BuildProgress<'_>) + Sync),
    ) -> Result<BuildReport, UpdateError> {
        let kept = kept_sources(dir)?;
        let mut collected = Collected::default();
        for ecosystem in &options.ecosystems {
            let origin = format!(
                "{}/{ecosystem}/all.zip",
                options.exports.trim_end_matches('/')
            );
            let expected = Expected::Ecosystem(ecosystem);
            take(http, &origin, &expected, &mut collected, progress).await;
        }
        if let Some(url) = &options.kev {
            take(http, url, &Expected::Kev, &mut collected, progress).await;
        }
        if let Some(url) = &options.epss {
            take(http, url, &Expected::Epss, &mut collected, progress).await;
        }
        let is_empty =
            collected.osv.is_empty() && collected.kev.is_none() && collected.epss.is_none();
        if is_empty {
            return Ok(BuildReport {
                sources: kept.iter().map(|source| status_of(source, None)).collect(),
                problems: collected.problems,
                more_problems: collected.more_problems,
                unrecognised: collected.unrecognised,
            });
        }
        Ok(publish(collected, dir, kept, &[])?)
    }
}

/// Why an update could not be made. The store stays as it was.
#[derive(Debug, thiserror::Error)]
pub enum UpdateError {
    /// The store that is there cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The new store cannot be written.
    #[error(transparent)]
    Build(#[from] BuildError),
}

impl UpdateError {
    /// What to do next: a sentence for a line of its own.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Store(error) => Some(error.hint()),
            Self::Build(error) => error.hint().map(str::to_owned),
        }
    }
}

fn kept_sources(dir: &Path) -> Result<Vec<Source>, StoreError> {
    match read_manifest(dir) {
        Ok(manifest) => Ok(manifest.sources),
        Err(StoreError::Missing { .. }) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// Fetches one file and reads it, or notes why that failed.
async fn take(
    http: &Client,
    origin: &str,
    expected: &Expected<'_>,
    collected: &mut Collected,
    progress: &(dyn Fn(BuildProgress<'_>) + Sync),
) {
    let file = match fetch(http, origin).await {
        Ok(file) => file,
        Err((reason, hint)) => {
            collected
                .problems
                .push(problem(origin, expected, reason, hint));
            return;
        }
    };
    let (shown, named) = match expected {
        Expected::Ecosystem(name) => (redact(origin), Some(*name)),
        Expected::Kev | Expected::Epss => (redact(origin), None),
    };
    let problems_before = collected.problems.len();
    read_one(file, &shown, named, collected, progress);
    let (is_there, what) = match expected {
        Expected::Ecosystem(name) => (
            collected
                .osv
                .get(*name)
                .is_some_and(|records| records.complete),
            format!("an OSV export of {name}"),
        ),
        Expected::Kev => (collected.kev.is_some(), "a KEV catalogue".to_owned()),
        Expected::Epss => (collected.epss.is_some(), "a file of EPSS scores".to_owned()),
    };
    if !is_there && collected.problems.len() == problems_before {
        let reason = format!("the answer is not {what}");
        collected
            .problems
            .push(problem(origin, expected, reason, Some("check the address")));
    }
}

/// The address for people; a path stands for itself.
fn redact(origin: &str) -> String {
    if is_url(origin) {
        redact_url(origin)
    } else {
        origin.to_owned()
    }
}

fn is_url(origin: &str) -> bool {
    origin.starts_with("https://") || origin.starts_with("http://")
}

/// Opens a file of a mirror folder, or downloads it to a file without a name.
async fn fetch(http: &Client, origin: &str) -> Result<File, (String, Option<&'static str>)> {
    let unwritable = |error: std::io::Error| (describe(&error), None);
    if !is_url(origin) {
        return File::open(PathBuf::from(origin)).map_err(unwritable);
    }
    let mut file = tempfile::tempfile().map_err(unwritable)?;
    let request = Request::get(origin).max_bytes(MAX_EXPORT_BYTES);
    let place = Path::new("temporary download");
    match http.download(&request, &mut file, place).await {
        Ok(_) => {
            std::io::Seek::rewind(&mut file).map_err(unwritable)?;
            Ok(file)
        }
        Err(error) => Err((describe(&error), error.hint())),
    }
}

fn problem(
    origin: &str,
    expected: &Expected<'_>,
    reason: String,
    hint: Option<&'static str>,
) -> Problem {
    Problem {
        kind: match expected {
            Expected::Ecosystem(_) => ProblemKind::Advisories,
            Expected::Kev | Expected::Epss => ProblemKind::Feed,
        },
        subject: redact(origin),
        line: None,
        reason,
        hint: hint.map(str::to_owned),
    }
}
