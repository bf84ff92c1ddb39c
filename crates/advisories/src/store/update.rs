//! `db update`: fetching exports and feeds anew. What cannot be fetched stays as it was.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use patchgate_http::Client;
use patchgate_model::{Problem, ProblemKind};

use super::build::{
    BuildError, BuildProgress, BuildReport, Lock, collect_one, publish, remove_unnamed,
};
use super::collect::Collected;
use super::fetch::{Got, fetch, is_url, redact};
use super::incremental::bring_up_to_date;
use super::manifest::{Fetched, Source, SourceKind, Validator};
use super::migrate::OldManifest;
use super::read::read_one;
use super::verify::open_whole;
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
    Feed(SourceKind),
}

impl Store {
    /// Fetches the exports and feeds of `options` into the store in `dir`, which need not exist.
    /// Everything else in the store is kept: records that came from files stand beside an export
    /// that is fetched.
    ///
    /// A store of another format is made anew, with the exports that it held beside those of
    /// `options`. Where anything that it held is not asked for or cannot be had, it stays as it is.
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
        let updated = update_locked(dir, http, options, progress, &lock).await;
        if updated.is_err() {
            remove_unnamed(dir);
        }
        updated
    }
}

async fn update_locked(
    dir: &Path,
    http: &Client,
    options: &UpdateOptions,
    progress: &(dyn Fn(BuildProgress<'_>) + Sync),
    lock: &Lock,
) -> Result<BuildReport, UpdateError> {
    let (mut kept, earlier) = kept_sources(dir)?;
    let mut ecosystems: Vec<&str> = options.ecosystems.iter().map(String::as_str).collect();
    if let Some(earlier) = &earlier {
        earlier.allow(dir, options)?;
        let others = earlier
            .exports()
            .filter(|one| !options.ecosystems.iter().any(|asked| asked == one));
        ecosystems.extend(others);
    }

    let before = kept.clone();
    let mut collected = Collected::default();
    for ecosystem in ecosystems {
        let update = EcosystemUpdate {
            dir,
            http,
            options,
            ecosystem,
        };
        update.run(&mut kept, &mut collected, progress).await?;
    }

    for (kind, url) in [
        (SourceKind::Kev, &options.kev),
        (SourceKind::Epss, &options.epss),
    ] {
        let Some(url) = url else { continue };
        let validator = feed_validator(dir, &kept, kind, url);
        let expected = Expected::Feed(kind);
        let validator = validator.as_ref();
        let got = take(http, url, &expected, validator, &mut collected, progress).await;
        if let Some(Taken::Read(validator)) = got {
            collected.note_feed_fetch(
                kind,
                Fetched {
                    whole_at: options.now,
                    until: options.now,
                    validator,
                    list_validator: None,
                },
            );
        }
    }

    read_own(&options.own, &mut kept, &mut collected, progress)?;
    if let Some(earlier) = &earlier {
        earlier.allow_publishing(dir, &collected)?;
    }

    if kept == before && collected.is_empty() {
        return Ok(BuildReport::unchanged(kept, collected));
    }

    let mut report = publish(collected, dir, kept, options.now, lock)?;
    report.remade_from = earlier.map(|earlier| earlier.format);

    Ok(report)
}

/// By what the feed in the store is recognised, where it is of the same place and whole.
fn feed_validator(dir: &Path, kept: &[Source], kind: SourceKind, url: &str) -> Option<Validator> {
    let known = kept
        .iter()
        .find(|source| source.kind == kind && source.origin == redact(url))?;
    open_whole(dir, &known.file).ok()?;
    known.fetched.as_ref()?.validator.clone()
}

/// Reads an organisation's own records anew, in place of those of the same paths. Records of other
/// paths are kept, and so are those of a path that cannot be read now.
fn read_own(
    paths: &[PathBuf],
    kept: &mut Vec<Source>,
    collected: &mut Collected,
    progress: &(dyn Fn(BuildProgress<'_>) + Sync),
) -> Result<(), BuildError> {
    let (mut given, mut unreadable) = (BTreeSet::new(), BTreeSet::new());
    for path in paths {
        let from = path.display().to_string();
        let mut read = collect_one(path, progress)?;
        if read.holds_no_record() && read.problems.is_empty() {
            read.add_problem(
                ProblemKind::Advisories,
                &from,
                "it holds no OSV record",
                "check the path; to leave its records out, build the store again without it",
            );
        }

        if !read.problems.is_empty() {
            unreadable.insert(from.clone());
        }

        collected.take_own(&from, read);
        given.insert(from);
    }

    kept.retain(|source| {
        let is_reread = source.own && source.from.iter().all(|from| given.contains(from));
        let is_found = collected
            .own
            .iter()
            .any(|(ecosystem, _)| source.ecosystem.as_ref() == Some(ecosystem));
        let is_unreadable = source.from.iter().any(|from| unreadable.contains(from));
        !is_reread || (is_unreadable && !is_found)
    });

    Ok(())
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
        let slot = kept
            .iter_mut()
            .find(|source| source.is_main_of(self.ecosystem));
        let Some(slot) = slot else {
            let expected = Expected::Ecosystem(self.ecosystem);
            let got = take(self.http, &origin, &expected, None, collected, progress).await;
            self.note_fetch(got, collected);
            return Ok(());
        };

        // Only what came from the same place, in keys of today, and is there, can be built on.
        let is_current = slot.from.is_empty()
            && slot.origin == redact(&origin)
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
            validator.as_ref(),
            collected,
            progress,
        )
        .await;
        if matches!(got, Some(Taken::Same))
            && let Some(fetched) = &mut slot.fetched
        {
            fetched.whole_at = self.options.now;
        }

        if !slot.from.is_empty() && matches!(got, Some(Taken::Read(_))) {
            // No export brings these again: they stand beside it from now on.
            slot.own = true;
            slot.complete = false;
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
    /// A store of another format cannot be made anew without losing what is not asked for.
    #[error("the store in `{}` has format {found} and has to be made anew, which would lose `{lost}` of `{origin}`", .dir.display())]
    NotNamed {
        /// The folder.
        dir: PathBuf,
        /// The format of the store.
        found: u64,
        /// What would be lost.
        lost: String,
        /// Where it was taken from.
        origin: String,
    },
    /// A store of another format cannot be made anew, since a part of it cannot be had.
    #[error("the store in `{}` has format {found} and has to be made anew, and `{lacking}` could not be had: {reason}", .dir.display())]
    NotFetched {
        /// The folder.
        dir: PathBuf,
        /// The format of the store.
        found: u64,
        /// What could not be had.
        lacking: String,
        /// Why.
        reason: String,
    },
}

impl UpdateError {
    /// What to do next: a sentence for a line of its own.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Store(error) => Some(error.hint()),
            Self::Build(error) => error.hint().map(str::to_owned),
            Self::NotNamed { .. } => Some(
                "name that as well, with `--from`, `--kev-url` or `--epss-url`, or make another \
                 store in an empty folder"
                    .to_owned(),
            ),
            Self::NotFetched { .. } => {
                Some("try again, or make another store in an empty folder".to_owned())
            }
        }
    }
}

/// What is in the store, and what is known of one of another format, which is made anew.
fn kept_sources(dir: &Path) -> Result<(Vec<Source>, Option<OldManifest>), StoreError> {
    match read_manifest(dir) {
        Ok(manifest) => Ok((manifest.sources, None)),
        Err(StoreError::Missing { .. }) => Ok((Vec::new(), None)),
        Err(StoreError::Format { found, .. }) => {
            Ok((Vec::new(), Some(OldManifest::read(dir, found))))
        }
        Err(error) => Err(error),
    }
}

/// What came of a file.
enum Taken {
    /// It was read, and has this validator.
    Read(Option<Validator>),
    /// It is the one that was there.
    Same,
}

/// Fetches one file and reads it, or notes why that failed.
async fn take(
    http: &Client,
    origin: &str,
    expected: &Expected<'_>,
    validator: Option<&Validator>,
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
        Expected::Feed(_) => None,
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
        Expected::Feed(SourceKind::Epss) => {
            (collected.epss.is_some(), "a file of EPSS scores".to_owned())
        }
        Expected::Feed(_) => (collected.kev.is_some(), "a KEV catalogue".to_owned()),
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
            Expected::Feed(_) => ProblemKind::Feed,
        },
        subject: redact(origin),
        line: None,
        reason,
        hint: hint.map(str::to_owned),
    }
}
