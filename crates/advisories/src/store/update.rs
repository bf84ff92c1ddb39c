//! `Store::update`: exports and feeds fetched into a store. A source that cannot be fetched stays as
//! it was.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use patchgate_http::Client;
use patchgate_model::{Problem, ProblemKind};

use super::build::{
    BuildError, BuildProgress, BuildReport, Lock, collect_one, publish, remove_unnamed,
};
use super::collect::Collected;
use super::fetch::{Download, fetch, is_url, redact};
use super::incremental::bring_up_to_date;
use super::manifest::{Fetched, Source, SourceKind, Validator};
use super::migrate::OldManifest;
use super::read::read_one;
use super::verify::open_whole;
use super::{OpenSource, Store, StoreError, UpdateError, UpdateOptions, read_manifest};

/// The expected content of a fetched file.
enum Expected<'a> {
    Ecosystem(&'a str),
    Feed(SourceKind),
}

impl Store {
    /// Fetches the exports and feeds of `options` into the store in `dir`, which need not exist.
    /// Everything else in the store is kept. Records that were built from files are kept separate
    /// from an export that is fetched.
    ///
    /// An export that the store already has is not always fetched again: if the server lists its
    /// changes, only the changed records are fetched, and if it answers that nothing has changed,
    /// nothing is. Exports are large, so the client should allow some minutes for one answer.
    ///
    /// A store of another format is re-created, with the exports that it had in addition to those
    /// of `options`. If any other part of it is not named by `options`, or cannot be fetched, the
    /// store stays as it is.
    ///
    /// # Errors
    /// When the store cannot be read or written, `dir` is neither a store nor an empty directory, or
    /// another process is writing the store. An export or feed that cannot be fetched is a problem
    /// in the report, and the store keeps its present copy.
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
        if let Some(FetchOutcome::Read(validator)) = got {
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

/// The validator of the feed in the store, if the feed is undamaged and from the same address.
fn feed_validator(dir: &Path, kept: &[Source], kind: SourceKind, url: &str) -> Option<Validator> {
    let known = kept
        .iter()
        .find(|source| source.kind == kind && source.origin == redact(url))?;
    open_whole(dir, &known.file).ok()?;
    known.fetched.as_ref()?.validator.clone()
}

/// Reads an organisation's own records again. They replace the records of the same paths. Records of
/// other paths are kept, and so are those of a path that cannot be read now.
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
                "it contains no OSV record",
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

        // Without a kept source, the export is fetched as a whole.
        let slot = kept
            .iter_mut()
            .find(|source| source.is_main_of(self.ecosystem));
        let Some(slot) = slot else {
            let expected = Expected::Ecosystem(self.ecosystem);
            let got = take(self.http, &origin, &expected, None, collected, progress).await;
            self.note_fetch(got, collected);
            return Ok(());
        };

        // An update can build on the present tables only if they are readable, come from the same
        // address, and have keys that were normalised by the present rules.
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

        // Fetch the export, unless it is the one that was fetched last.
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
        if matches!(got, Some(FetchOutcome::Same))
            && let Some(fetched) = &mut slot.fetched
        {
            fetched.whole_at = self.options.now;
        }

        if !slot.from.is_empty() && matches!(got, Some(FetchOutcome::Read(_))) {
            // The export does not contain these records, so they are kept separately from now on.
            slot.own = true;
            slot.complete = false;
        }

        self.note_fetch(got, collected);
        if let Some(open) = &open {
            self.carry_over(open, collected)?;
        }

        Ok(())
    }

    /// Notes with a fetched export how the next update can recognise it.
    fn note_fetch(&self, got: Option<FetchOutcome>, collected: &mut Collected) {
        if let Some(FetchOutcome::Read(validator)) = got
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

    /// Adds the records of earlier updates that are newer than the export. Servers rebuild exports
    /// less often than single records, so an export that lags behind would lose them.
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

/// The sources of the store, or the manifest of a store of another format, which is re-created.
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

/// How a file was taken.
enum FetchOutcome {
    /// It was read. It has this validator.
    Read(Option<Validator>),
    /// It has not changed.
    Same,
}

/// Fetches one file and reads it. A failure becomes a problem of the update.
async fn take(
    http: &Client,
    origin: &str,
    expected: &Expected<'_>,
    validator: Option<&Validator>,
    collected: &mut Collected,
    progress: &(dyn Fn(BuildProgress<'_>) + Sync),
) -> Option<FetchOutcome> {
    let (file, validator) = match fetch(http, origin, validator).await {
        Ok(Download::File(file, validator)) => (file, validator),
        Ok(Download::Same) => return Some(FetchOutcome::Same),
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

    is_there.then_some(FetchOutcome::Read(validator))
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
