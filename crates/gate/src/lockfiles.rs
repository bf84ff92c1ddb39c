//! The differences between the lockfiles on both sides of a pull request.

use std::collections::BTreeSet;

use patchgate_ecosystems::{Format, Input, Siblings, Upgradable, fixable_format};
use patchgate_lockfile_diff::{
    EntryDifference, LockfileDiff, State, UncausedChange, changed_entries, compare,
    entry_differences, uncaused_changes,
};
use patchgate_model::{
    Evidence, Fetched, FileContents, FindingComparison, Lockfile, Missing, Package,
};

use crate::rules::is_protected;

/// The differences of all changed lockfiles.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct LockfileDifferences {
    /// Changes of versions, and of hashes and sources.
    pub(crate) diff: LockfileDiff,
    /// Differences that are not changes of versions.
    pub(crate) entries: Vec<EntryDifference>,
    /// The entries that are new or have another version: path of the lockfile, package, version.
    pub(crate) arrivals: BTreeSet<(String, String, String)>,
    /// Changes that the fixed findings do not explain. Without findings, everything is one.
    pub(crate) uncaused: Vec<UncausedChange>,
}

/// Reads the lockfiles on both sides and compares them.
///
/// # Errors
/// Every lockfile that could not be read, or the changed files when they are missing.
pub(crate) fn differences(evidence: &Evidence) -> Result<LockfileDifferences, Vec<Missing>> {
    let files = evidence
        .files
        .as_ref()
        .map_err(|missing| vec![missing.clone()])?;
    let base = Side::new("base", evidence, |contents| &contents.base);
    let head = Side::new("head", evidence, |contents| &contents.head);

    let mut all = LockfileDifferences::default();
    let mut missing = Vec::new();
    for file in files {
        // A rule of its own judges a workflow as a whole.
        let format = fixable_format(&file.path).filter(|_| !is_protected(&file.path));
        let Some((ecosystem, format)) = format else {
            continue;
        };
        if let Err(reason) = add(ecosystem, format, &file.path, (&base, &head), &mut all) {
            missing.push(reason);
        }
    }

    if missing.is_empty() {
        Ok(all)
    } else {
        Err(missing)
    }
}

fn add(
    ecosystem: &dyn Upgradable,
    format: &Format,
    path: &str,
    (base, head): (&Side<'_>, &Side<'_>),
    all: &mut LockfileDifferences,
) -> Result<(), Missing> {
    let (base_bytes, head_bytes) = (base.bytes(path)?, head.bytes(path)?);
    let base_lockfile = base.parse(format, path, base_bytes)?;
    let head_lockfile = head.parse(format, path, head_bytes)?;

    let arrivals = changed_entries(ecosystem, &base_lockfile, &head_lockfile);
    let arrivals = arrivals.iter().filter_map(|changed| changed.after);
    let arrivals = arrivals.filter_map(|index| head_lockfile.package(index));
    all.arrivals.extend(arrivals.map(|package| {
        let (name, version) = (package.name.clone(), package.version.clone());
        (path.to_owned(), name, version)
    }));
    all.diff
        .extend(compare(ecosystem, &base_lockfile, &head_lockfile));
    let findings = base.evidence.findings.as_ref().ok();
    all.uncaused.extend(uncaused_changes(
        ecosystem,
        &base_lockfile,
        &head_lockfile,
        &|package| findings.is_some_and(|findings| is_fixed(findings, path, package)),
    ));
    all.entries.extend(entry_differences(
        State {
            bytes: base_bytes,
            lockfile: &base_lockfile,
            siblings: &base.siblings,
        },
        State {
            bytes: head_bytes,
            lockfile: &head_lockfile,
            siblings: &head.siblings,
        },
    ));

    Ok(())
}

/// Whether a package of the base has a finding that the head has not any more.
fn is_fixed(findings: &FindingComparison, path: &str, package: &Package) -> bool {
    let mut fixed = findings.ended.iter().chain(&findings.reduced);
    fixed.any(|finding| {
        finding.lockfile == path
            && finding.ecosystem == package.ecosystem
            && finding.package == package.name
            && finding.versions.contains(&package.version)
    })
}

/// One side of the pull request.
struct Side<'a> {
    name: &'static str,
    evidence: &'a Evidence,
    contents: fn(&FileContents) -> &Fetched<Option<Vec<u8>>>,
    /// The changed files that were read.
    siblings: Siblings,
}

impl<'a> Side<'a> {
    fn new(
        name: &'static str,
        evidence: &'a Evidence,
        contents: fn(&FileContents) -> &Fetched<Option<Vec<u8>>>,
    ) -> Self {
        let siblings = evidence
            .contents
            .iter()
            .filter_map(|(path, both)| match contents(both) {
                Ok(Some(bytes)) => Some((path.clone(), bytes.clone())),
                _ => None,
            })
            .collect();

        Self {
            name,
            evidence,
            contents,
            siblings,
        }
    }

    fn bytes(&self, path: &str) -> Result<&'a [u8], Missing> {
        let side = self.name;
        let both = self
            .evidence
            .contents
            .get(path)
            .ok_or_else(|| Missing::new(format!("`{path}` was not read")))?;

        (self.contents)(both)
            .as_ref()
            .map_err(|missing| Missing {
                reason: format!("`{path}` on the {side}: {}", missing.reason),
                hint: missing.hint.clone(),
            })?
            .as_deref()
            .ok_or_else(|| Missing::new(format!("`{path}` does not exist on the {side}")))
    }

    /// Reads a lockfile. One that was read in part counts as unread: a hash, a source or a package
    /// that is not known cannot be compared.
    fn parse(&self, format: &Format, path: &str, bytes: &[u8]) -> Result<Lockfile, Missing> {
        let lockfile = (format.parse)(&Input {
            path,
            bytes,
            siblings: &self.siblings,
        })
        .map_err(|error| Missing {
            reason: format!("`{path}` on the {} {}", self.name, error.reason),
            hint: error.hint,
        })?;

        match lockfile.skipped.first() {
            None => Ok(lockfile),
            Some(entry) => Err(Missing::new(format!(
                "`{path}` on the {} was read in part: line {} {}",
                self.name, entry.line, entry.reason
            ))),
        }
    }
}
