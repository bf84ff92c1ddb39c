//! The packages that a pull request brings, with what their registries say.

use std::fmt::Write as _;

use jiff::Timestamp;
use patchgate_model::ReleaseSignals;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clean::{clean, cut};
use crate::fix::{SignalsReport, signal_remarks, signals};
use crate::markdown::{Body, code, short, text};

/// Most packages in text; the JSON has all.
const MAX_TEXT: usize = 20;

/// Most characters of a name or a version.
const MAX_NAME: usize = 100;

/// A package that is new in a lockfile, or that has another version than at the base.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReviewPackage {
    /// Ecosystem by its OSV name.
    pub ecosystem: String,
    /// Name of the package.
    pub package: String,
    /// Versions that the lockfile has at the base. Empty for a new package.
    pub before: Vec<String>,
    /// The version that comes.
    pub version: String,
    /// Path of the lockfile.
    pub file: String,
    /// Line of its first entry, from 1.
    pub line: u32,
    /// Days since the version was published; `null` if the registry does not state the time.
    pub age_days: Option<i64>,
    /// What the registry says; `null` if that is unknown.
    pub signals: Option<SignalsReport>,
    /// Why that is unknown: a fragment.
    pub unknown: Option<String>,
    /// A package that the base has, and that this new one is easily mistaken for.
    pub similar_to: Option<String>,
}

impl ReviewPackage {
    /// The same package with what its registry says, or the reason why that is unknown.
    #[must_use]
    pub fn with_signals(mut self, found: &Result<ReleaseSignals, String>, now: Timestamp) -> Self {
        match found {
            Ok(found) => {
                let published = found.published.after.as_deref();
                let published = published.and_then(|time| time.parse::<Timestamp>().ok());
                self.age_days = published.map(|time| {
                    let seconds = now.as_second().saturating_sub(time.as_second());
                    seconds.max(0) / (24 * 60 * 60)
                });
                self.signals = Some(signals(found));
            }
            Err(reason) => self.unknown = Some(reason.clone()),
        }
        self
    }

    /// What a reader has to know, in a few words each: the weightiest first.
    pub(super) fn remarks(&self) -> Vec<String> {
        let mut remarks = Vec::new();
        if let Some(other) = &self.similar_to {
            remarks.push(format!("its name is close to that of {other}"));
        }
        if let Some(signals) = &self.signals {
            signal_remarks(signals, !self.before.is_empty(), &mut remarks);
        }
        remarks
    }

    /// `name 1.0.0 -> 2.0.0`, or `name 2.0.0 (new)`.
    pub(super) fn title(&self) -> String {
        match &self.before[..] {
            [] => format!("{} {} (new)", self.package, self.version),
            before => {
                let before = cut(&before.join(", "), MAX_NAME);
                format!("{} {before} -> {}", self.package, self.version)
            }
        }
    }

    /// Age, maintainers, install scripts, provenance and license, each a fact or `unknown`.
    fn facts(&self) -> [String; 5] {
        let unknown = || "unknown".to_owned();
        let Some(signals) = &self.signals else {
            return [(); 5].map(|()| unknown());
        };
        let yes_no = |value: Option<bool>| match value {
            Some(true) => "yes".to_owned(),
            Some(false) => "no".to_owned(),
            None => unknown(),
        };

        [
            self.age_days
                .map_or_else(unknown, |days| format!("{days} d")),
            signals
                .maintainers
                .after
                .as_ref()
                .map_or_else(unknown, |names| names.len().to_string()),
            yes_no(signals.install_scripts.after),
            yes_no(signals.provenance.after),
            signals.license.after.clone().unwrap_or_else(unknown),
        ]
    }
}

/// The packages, those with remarks first.
fn sorted(packages: &[ReviewPackage]) -> Vec<(&ReviewPackage, Vec<String>)> {
    let mut all: Vec<_> = packages.iter().map(|one| (one, one.remarks())).collect();
    all.sort_by_key(|(one, remarks)| (remarks.is_empty(), !one.before.is_empty()));
    all
}

/// Adds the packages as lines of text.
pub(super) fn text_lines(packages: &[ReviewPackage], out: &mut String) {
    for (one, remarks) in sorted(packages).iter().take(MAX_TEXT) {
        let [age, maintainers, scripts, provenance, license] = one.facts();
        let _ = writeln!(out, "  package {}", clean(&one.title()));
        let facts = match &one.unknown {
            Some(reason) => format!("nothing is known about it: {reason}"),
            None => format!(
                "age {age}, maintainers {maintainers}, install scripts {scripts}, provenance \
                 {provenance}, license {license}"
            ),
        };
        for line in std::iter::once(&facts).chain(remarks) {
            let _ = writeln!(out, "    {}", clean(line));
        }
    }
    let more = packages.len().saturating_sub(MAX_TEXT);
    if more > 0 {
        let _ = writeln!(out, "  {more} more packages (`--format json` lists all)");
    }
}

/// Adds the packages as a table.
pub(super) fn section(packages: &[ReviewPackage], body: &mut Body) {
    let head = "\n| package | age | maintainers | install scripts | provenance | license | note |\n\
                | --- | --- | --- | --- | --- | --- | --- |\n";
    let rows = sorted(packages).into_iter().map(|(one, remarks)| {
        let versions = match &one.before[..] {
            [] => format!("{} (new)", code(&cut(&one.version, MAX_NAME))),
            before => format!(
                "{} → {}",
                code(&cut(&before.join(", "), MAX_NAME)),
                code(&cut(&one.version, MAX_NAME))
            ),
        };
        let [age, maintainers, scripts, provenance, license] = one.facts();
        let mut notes: Vec<String> = remarks.iter().map(|remark| short(remark, 200)).collect();
        notes.extend(one.unknown.as_ref().map(|reason| short(reason, 200)));
        format!(
            "| {} {versions} | {} | {} | {} | {} | {} | {} |\n",
            code(&cut(&one.package, MAX_NAME)),
            text(&age),
            text(&maintainers),
            text(&scripts),
            text(&provenance),
            short(&license, 60),
            notes.join("; ")
        )
    });
    body.rows(head, rows);
}
