//! `db update`: fetching exports and feeds anew. What cannot be fetched stays as it was.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use patchgate_http::Client;
use patchgate_model::{Problem, ProblemKind};

use super::build::{BuildError, BuildProgress, BuildReport, Lock, collect, publish};
use super::collect::Collected;
use super::fetch::{Got, fetch, is_url, redact};
use super::incremental::bring_up_to_date;
use super::manifest::{Fetched, Source, SourceKind};
use super::read::read_one;
use super::{OpenSource, Store, StoreError, read_manifest};
use crate::{PUBLIC_EPSS, PUBLIC_KEV};

/// The public bucket of OSV exports, `<ecosystem>/all.zip` each
/// (<https://google.github.io/osv.dev/data/>).
pub const PUBLIC_OSV_EXPORTS: &str = "https://osv-vulnerabilities.storage.googleapis.com";

/// What to fetch and from where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateOptions {
    /// OSV names of the ecosystems.
    pub ecosystems: Vec<String>,
    /// Address of the exports, or a folder that holds them in the same layout, also as `file:`.
    pub exports: String,
    /// Address of the KEV catalogue; `None` keeps the one in the store.
    pub kev: Option<String>,
    /// Address of the EPSS scores; `None` keeps those in the store.
    pub epss: Option<String>,
    /// Archives, files and folders with an organisation's own records, which stand beside the
    /// exports and are read whole at each update. None keeps those in the store.
    pub own: Vec<PathBuf>,
    /// The time of the update: an export is fetched whole after seven days at the latest.
    pub now: Timestamp,
}

impl Default for UpdateOptions {
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

/// What a fetched file is expected to be.
enum Expected<'a> {
    Ecosystem(&'a str),
    Kev,
    Epss,
}

impl Store {
    /// Fetches the exports and feeds of `options` into the store in `dir`, which need not exist; a
    /// store of another format is made anew. Everything else in the store is kept.
    ///
    /// An export that is there already is not fetched again: where the server lists its changes,
    /// only they are fetched, and where it answers that nothing has changed, nothing is.
    ///
    /// Exports are large: the client should allow some minutes for one answer.
    ///
    /// # Errors
    /// When the store cannot be read or written, or another process is writing it. What could not
    /// be fetched is a problem in the report, and the store keeps what it had of it.
    pub async fn update(
        dir: &Path,
        http: &Client,
        options: &UpdateOptions,
        progress: &(dyn Fn(BuildProgress<'_>) + Sync),
    ) -> Result<BuildReport, UpdateError> {
        let lock = Lock::take(dir)?;
        let mut kept = kept_sources(dir)?;
        let before = kept.clone();
        let mut collected = Collected::default();
        for ecosystem in &options.ecosystems {
            let update = EcosystemUpdate {
                dir,
                http,
                options,
                ecosystem,
            };
            update.run(&mut kept, &mut collected, progress).await?;
        }
        if let Some(url) = &options.kev {
            take(http, url, &Expected::Kev, None, &mut collected, progress).await;
        }
        if let Some(url) = &options.epss {
            take(http, url, &Expected::Epss, None, &mut collected, progress).await;
        }
        if !options.own.is_empty() {
            kept.retain(|source| !source.own);
            collected.take_own(collect(&options.own, progress)?);
        }
        if kept == before && collected.is_empty() {
            return Ok(BuildReport::unchanged(kept, collected));
        }
        Ok(publish(collected, dir, kept, &lock)?)
    }
}

/// The update of one ecosystem.
struct EcosystemUpdate<'a> {
    dir: &'a Path,
    http: &'a Client,
    options: &'a UpdateOptions,
    ecosystem: &'a str,
}

impl EcosystemUpdate<'_> {
    /// Brings the kept source up to date, or collects the whole export.
    async fn run(
        &self,
        kept: &mut [Source],
        collected: &mut Collected,
        progress: &(dyn Fn(BuildProgress<'_>) + Sync),
    ) -> Result<(), BuildError> {
        let base = format!(
            "{}/{}",
            self.options.exports.trim_end_matches('/'),
            self.ecosystem
        );
        let origin = format!("{base}/all.zip");
        let slot = kept.iter_mut().find(|source| {
            source.kind == SourceKind::Osv
                && !source.own
                && source.ecosystem.as_deref() == Some(self.ecosystem)
        });
        let Some(slot) = slot else {
            let expected = Expected::Ecosystem(self.ecosystem);
            let got = take(self.http, &origin, &expected, None, collected, progress).await;
            self.note_fetch(got, collected);
            return Ok(());
        };
        // Only what came from the same place, in keys of today, and is there, can be built on.
        let is_current = slot.origin == redact(&origin)
            && slot.normalised == patchgate_ecosystems::by_name(self.ecosystem).is_some();
        let open = is_current
            .then(|| OpenSource::open(self.dir, slot.clone()).ok())
            .flatten();
        if let Some(open) = open.as_ref().filter(|_| is_url(&base)) {
            let found = bring_up_to_date(self.dir, self.http, &base, open, self.options.now);
            if let Some(source) = found.await? {
                *slot = source;
                return Ok(());
            }
        }
        let validator = open
            .as_ref()
            .and_then(|open| open.source.fetched.as_ref()?.validator.clone());
        let expected = Expected::Ecosystem(self.ecosystem);
        let got = take(
            self.http,
            &origin,
            &expected,
            validator.as_deref(),
            collected,
            progress,
        )
        .await;
        if matches!(got, Some(Taken::Same))
            && let Some(fetched) = &mut slot.fetched
        {
            fetched.whole_at = self.options.now;
        }
        self.note_fetch(got, collected);
        if let Some(open) = &open {
            self.carry_over(open, collected)?;
        }
        Ok(())
    }

    /// Keeps with an export by what the next update recognises it.
    fn note_fetch(&self, got: Option<Taken>, collected: &mut Collected) {
        if let Some(Taken::Read(validator)) = got
            && let Some(records) = collected.osv.get_mut(self.ecosystem)
        {
            let newest = records.newest().unwrap_or(self.options.now);
            records.fetched = Some(Fetched {
                whole_at: self.options.now,
                until: newest.min(self.options.now),
                validator,
                list_validator: None,
            });
        }
    }

    /// Single records are often newer than the export, which is made less often: one that came
    /// before is not lost to an export that lags behind.
    fn carry_over(&self, open: &OpenSource, collected: &mut Collected) -> Result<(), BuildError> {
        let Some(records) = collected.osv.get_mut(self.ecosystem) else {
            return Ok(());
        };
        let Some(newest) = records.newest().filter(|_| records.complete) else {
            return Ok(());
        };
        let newer = open.changed_after(newest, self.options.now);
        for record in newer.unwrap_or_default() {
            records.add(self.ecosystem, &record);
        }
        Ok(())
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
        // A store of another format is made anew.
        Err(StoreError::Missing { .. } | StoreError::Format { .. }) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// What came of a file.
enum Taken {
    /// It was read, and has this validator.
    Read(Option<String>),
    /// It is the one that was there.
    Same,
}

/// Fetches one file and reads it, or notes why that failed.
async fn take(
    http: &Client,
    origin: &str,
    expected: &Expected<'_>,
    validator: Option<&str>,
    collected: &mut Collected,
    progress: &(dyn Fn(BuildProgress<'_>) + Sync),
) -> Option<Taken> {
    let (file, validator) = match fetch(http, origin, validator).await {
        Ok(Got::File(file, validator)) => (file, validator),
        Ok(Got::Same) => return Some(Taken::Same),
        Err((reason, hint)) => {
            let problem = problem(origin, expected, reason, hint);
            collected.problems.push(problem);
            return None;
        }
    };
    let named = match expected {
        Expected::Ecosystem(name) => Some(*name),
        Expected::Kev | Expected::Epss => None,
    };
    let problems_before = collected.problems.len();
    read_one(file, &redact(origin), named, collected, progress);
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
        let problem = problem(origin, expected, reason, Some("check the address"));
        collected.problems.push(problem);
    }
    is_there.then_some(Taken::Read(validator))
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
