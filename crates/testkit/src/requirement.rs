//! Requirements that a machine may lack, and how a test that is skipped because of one is reported.
//!
//! libtest has no "skipped at run time": a test that returns early counts as passed, and its captured
//! output is dropped. So every skip goes through [`skip`], which fails the test where nothing may
//! be skipped, and otherwise leaves two traces that libtest does not capture: a line on the real
//! standard error, and a line in the file named by `PATCHGATE_SKIP_LOG`, from which `tests/run`
//! prints its summary.

use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::panic::Location;
use std::sync::Mutex;

/// The file to which each skip is appended as one line of four columns, separated by tabs: the
/// requirement, the test binary, the test, and the reason.
const LOG: &str = "PATCHGATE_SKIP_LOG";

/// The requirements that may be missing in CI, by name, separated by spaces.
const ALLOWED: &str = "PATCHGATE_ALLOW_SKIPPED";

/// Something that is not in the repository and that some tests need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Requirement {
    /// The programs that `tests/tools/install` installs.
    Tools,
    /// The published schema of SPDX 3, which `tests/tools/install` fetches with Maven.
    Spdx3Schema,
    /// Ruby with Bundler, from the system.
    Bundler,
    /// PHP with Composer, from the system.
    Composer,
    /// Chromium, from the system.
    Browser,
    /// The directory of real lockfiles, advisories and schemas next to the repository.
    SharedData,
}

impl Requirement {
    const ALL: [Self; 6] = [
        Self::Tools,
        Self::Spdx3Schema,
        Self::Bundler,
        Self::Composer,
        Self::Browser,
        Self::SharedData,
    ];

    /// The name in `PATCHGATE_ALLOW_SKIPPED` and in the log.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tools => "tools",
            Self::Spdx3Schema => "spdx3-schema",
            Self::Bundler => "bundler",
            Self::Composer => "composer",
            Self::Browser => "browser",
            Self::SharedData => "shared-data",
        }
    }
}

/// Reports that the running test, or a part of it, is skipped. The caller then returns early.
///
/// A test that asks twice is reported once.
///
/// # Panics
/// In CI (`CI=true`), unless `PATCHGATE_ALLOW_SKIPPED` names the requirement. Also when that variable
/// names something else, and when the log cannot be written: a skip must not get lost.
#[track_caller]
pub fn skip(requirement: Requirement, reason: &str) {
    let location = Location::caller();
    let allowed = std::env::var(ALLOWED).unwrap_or_default();
    if let Err(refusal) = may_skip(requirement, in_ci(), &allowed) {
        panic!("{reason} ({refusal})");
    }

    let entry = format!(
        "{}\t{}\t{}\t{}\n",
        requirement.name(),
        binary(),
        test(location),
        reason.replace(['\t', '\n'], " ")
    );
    static REPORTED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    if !REPORTED.lock().unwrap().insert(entry.clone()) {
        return;
    }

    // `eprintln!` would be captured, a write to the handle is not.
    let note = format!("SKIPPED {}: {reason}\n", test(location));
    let _ = std::io::stderr().lock().write_all(note.as_bytes());
    if let Some(log) = std::env::var_os(LOG) {
        // One write to a file in append mode: lines of parallel processes do not mix.
        OpenOptions::new()
            .create(true)
            .append(true)
            .open(&log)
            .and_then(|mut file| file.write_all(entry.as_bytes()))
            .unwrap_or_else(|error| panic!("{}: {error}", log.display()));
    }
}

/// Whether this is a CI run (`CI=true`).
fn in_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true")
}

/// Whether a test may be skipped without the requirement; otherwise the reason.
fn may_skip(requirement: Requirement, ci: bool, allowed: &str) -> Result<(), String> {
    let names = Requirement::ALL.map(Requirement::name);
    let allowed: Vec<&str> = allowed.split_whitespace().collect();
    if let Some(unknown) = allowed.iter().find(|name| !names.contains(name)) {
        let names = names.join("`, `");
        return Err(format!(
            "{ALLOWED} contains `{unknown}`; it may contain `{names}`"
        ));
    }

    if ci && !allowed.contains(&requirement.name()) {
        return Err(format!(
            "CI=true, and {ALLOWED} does not contain `{}`",
            requirement.name()
        ));
    }

    Ok(())
}

/// Name of the test binary, without the hash that cargo appends.
fn binary() -> String {
    let path = std::env::current_exe().unwrap_or_default();
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    stem.rsplit_once('-')
        .map_or(&*stem, |(name, _)| name)
        .to_owned()
}

/// Name of the running test, which libtest gives to the test's thread. On any other thread the source
/// line that asked for the requirement has to do.
fn test(location: &Location<'_>) -> String {
    match std::thread::current().name() {
        Some(name) if name != "main" => name.to_owned(),
        _ => format!("{}:{}", location.file(), location.line()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Requirement, may_skip};

    #[test]
    fn outside_ci_every_requirement_may_be_missing() {
        for requirement in Requirement::ALL {
            assert_eq!(may_skip(requirement, false, ""), Ok(()));
        }
    }

    #[test]
    fn in_ci_only_the_listed_requirements_may_be_missing() {
        let allowed = "shared-data  spdx3-schema";
        assert_eq!(may_skip(Requirement::SharedData, true, allowed), Ok(()));
        assert_eq!(may_skip(Requirement::Spdx3Schema, true, allowed), Ok(()));
        assert!(may_skip(Requirement::Tools, true, allowed).is_err());
        assert!(may_skip(Requirement::SharedData, true, "").is_err());
    }

    #[test]
    fn a_misspelled_requirement_is_refused_everywhere() {
        for ci in [false, true] {
            let refusal = may_skip(Requirement::SharedData, ci, "shared-dta").unwrap_err();
            assert!(refusal.contains("`shared-dta`"), "{refusal}");
        }
    }
}
