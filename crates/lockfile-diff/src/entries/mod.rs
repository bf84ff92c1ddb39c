//! Differences between two states of a lockfile that are not changes of versions.
//!
//! The file is cut into its entries. An entry whose location, name and version are on both sides
//! must be equal, and so must everything outside of the entries. A package manager that changes
//! versions leaves all of that alone, but an attacker can hide code there: a `bin` that replaces a
//! tool of the tests, or a copy without a hash.

mod cargo;
mod flags;
mod lines;
mod maven;
mod npm;
mod npm_paths;
mod npm_tree;
mod pnpm;
mod yarn;

use std::collections::BTreeSet;

use patchgate_ecosystems::Siblings;
use patchgate_model::Lockfile;

/// Differences of one file that are listed; the others are counted.
const MAX_LISTED: usize = 20;

/// One state of a lockfile.
#[derive(Debug, Clone, Copy)]
pub struct State<'a> {
    /// The content of the file.
    pub bytes: &'a [u8],
    /// What was read from the content.
    pub lockfile: &'a Lockfile,
    /// Other files of the same state by path: the manifests that the change touches.
    pub siblings: &'a Siblings,
}

/// Something that differs although no version changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryDifference {
    /// The difference as a sentence without a period, with the file's path.
    pub text: String,
    /// True when no package manager writes such a difference, false when a person has to judge.
    pub certain: bool,
}

/// Lists the differences that are not changes of versions, at most 20 and their number.
///
/// A file that cannot be cut into its entries has one difference, which is not certain.
///
/// Sources: Cargo's `src/cargo/core/resolver/encode.rs` and `ops/lockfile.rs`, and npm's
/// documentation of `package-lock.json`
/// (<https://docs.npmjs.com/cli/v11/configuring-npm/package-lock-json>).
#[must_use]
pub fn entry_differences(base: State<'_>, head: State<'_>) -> Vec<EntryDifference> {
    if base.bytes == head.bytes {
        return Vec::new();
    }

    let mut differences = Differences::default();
    let compared = match head.lockfile.format {
        format if format.as_str().starts_with("cargo-lock") => {
            cargo::compare(base, head, &mut differences)
        }
        format if format.as_str().starts_with("npm-lock") => {
            npm::compare(base, head, &mut differences)
        }
        format if format.as_str() == "pnpm-lock-v9" => pnpm::compare(base, head, &mut differences),
        format if format.as_str().starts_with("yarn-lock") => {
            yarn::compare(base, head, &mut differences)
        }
        format if matches!(format.as_str(), "go-mod" | "go-work") => {
            lines::compare(base, head, true, &mut differences)
        }
        format if matches!(format.as_str(), "github-workflow" | "github-action") => {
            // A tag or commit may be of a fork, and runs with the rights of the workflow.
            differences.unclear("a reference of a workflow changes, which a person has to judge");
            lines::compare(base, head, false, &mut differences)
        }
        format if matches!(format.as_str(), "maven-pom" | "gradle-version-catalog") => {
            maven::compare(base, head, &mut differences)
        }
        format => Err(format!("its format, {format}, is not compared by entries")),
    };
    if let Err(reason) = compared {
        differences.unclear(reason);
    }

    differences.list(&head.lockfile.path)
}

/// The differences that were found so far.
#[derive(Default)]
struct Differences(BTreeSet<(bool, String)>);

impl Differences {
    /// Adds a difference that no package manager writes.
    fn certain(&mut self, text: impl Into<String>) {
        self.push(text.into(), true);
    }

    /// Adds a difference that may be honest.
    fn unclear(&mut self, text: impl Into<String>) {
        self.push(text.into(), false);
    }

    fn push(&mut self, text: String, certain: bool) {
        self.0.insert((!certain, text));
    }

    /// The differences with the file's path, certain ones first.
    fn list(self, path: &str) -> Vec<EntryDifference> {
        let certain = self.0.iter().filter(|(unclear, _)| !unclear).count();
        let more = self.0.len().saturating_sub(MAX_LISTED);
        let rest = (more > 0).then(|| EntryDifference {
            text: format!("{more} more entries differ ({path})"),
            certain: certain > MAX_LISTED,
        });

        self.0
            .into_iter()
            .take(MAX_LISTED)
            .map(|(unclear, text)| EntryDifference {
                text: format!("{text} ({path})"),
                certain: !unclear,
            })
            .chain(rest)
            .collect()
    }
}

#[cfg(test)]
mod tests;
