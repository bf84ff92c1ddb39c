//! Files from outside of a repository on which its lockfiles and manifests build.

use std::collections::BTreeMap;
use std::path::Path;

use patchgate_model::{Inventory, MissingFile, Problem, ProblemKind, Unresolved};

use crate::contents::Contents;

/// A source of files from outside of the repository, such as the parents of Maven projects.
pub trait ExternalFiles {
    /// Gets the files that are missing, and reads the lockfiles that need them again. A file that
    /// cannot be had stays in [`patchgate_model::Lockfile::missing`], with the reason.
    ///
    /// `root` is the scanned directory, which the source must not trust.
    fn complete(&mut self, contents: &mut Contents, root: &Path)
    -> impl Future<Output = ()> + Send;
}

/// No source at all: every missing file stays missing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoExternalFiles;

impl ExternalFiles for NoExternalFiles {
    async fn complete(&mut self, _: &mut Contents, _: &Path) {}
}

/// Problems of an inventory: files from outside of the repository that are missing, so that it is
/// not known which packages or versions a file asks for. Each missing file is one problem, however
/// many files need it, at the first of them.
///
/// A file that states only versions is missed only by requirements that `matter`: those for which
/// some version would be a finding.
pub fn missing(
    inventory: &Inventory,
    matter: impl Fn(&Unresolved) -> bool,
) -> impl Iterator<Item = Problem> {
    let mut causes: BTreeMap<Cause<'_>, Vec<(&str, u32)>> = BTreeMap::new();
    for lockfile in &inventory.lockfiles {
        let is_open = lockfile.missing.iter().any(|file| file.versions_only)
            && lockfile
                .unresolved
                .iter()
                .any(|one| hangs_on_others(one) && matter(one));
        for file in &lockfile.missing {
            if file.versions_only && !is_open {
                continue;
            }
            let users = causes.entry(Cause::of(file)).or_default();
            users.push((lockfile.path.as_str(), file.line));
        }
    }

    causes.into_iter().filter_map(|(cause, users)| {
        let (path, line) = *users.iter().min()?;
        Some(cause.problem(path, line, users.len()))
    })
}

/// Whether a requirement may get its version from another file.
fn hangs_on_others(requirement: &Unresolved) -> bool {
    requirement.requirement.is_empty() || requirement.requirement.contains("${")
}

/// A missing file, whatever needs it.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Cause<'a> {
    role: &'static str,
    name: &'a str,
    version: &'a str,
    reason: Option<&'a str>,
    hint: Option<&'a str>,
}

impl<'a> Cause<'a> {
    fn of(file: &'a MissingFile) -> Self {
        Self {
            role: file.role,
            name: &file.name,
            version: &file.version,
            reason: file.reason.as_deref(),
            hint: file.hint.as_deref(),
        }
    }

    fn problem(&self, path: &str, line: u32, files: usize) -> Problem {
        let reason = self.reason.unwrap_or("is not in the repository");
        let others = match files.saturating_sub(1) {
            0 => String::new(),
            1 => ", and so does 1 other file".to_owned(),
            others => format!(", and so do {others} other files"),
        };
        let hint = self.hint.unwrap_or(
            "make the file available in the local repository or in one that can be reached",
        );

        Problem {
            kind: ProblemKind::Unresolved,
            subject: path.to_owned(),
            line: Some(line),
            reason: format!(
                "needs its {} `{}` {}, which {reason}{others}",
                self.role, self.name, self.version
            ),
            hint: Some(hint.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use patchgate_model::{DependencyKind, EcosystemName, Lockfile};

    use super::*;

    fn lockfile(path: &str, missing: &[(&str, bool)], open: &[&str]) -> Lockfile {
        let ecosystem = EcosystemName::new("Maven");
        Lockfile {
            path: path.to_owned(),
            missing: missing
                .iter()
                .map(|(name, versions_only)| MissingFile {
                    role: "parent",
                    name: (*name).to_owned(),
                    version: "1".to_owned(),
                    path: String::new(),
                    line: 3,
                    versions_only: *versions_only,
                    reason: None,
                    hint: None,
                })
                .collect(),
            unresolved: open
                .iter()
                .map(|name| Unresolved {
                    ecosystem,
                    name: (*name).to_owned(),
                    requirement: String::new(),
                    kind: DependencyKind::Runtime,
                    line: 1,
                })
                .collect(),
            ..Lockfile::default()
        }
    }

    fn reasons(lockfiles: Vec<Lockfile>) -> Vec<String> {
        let inventory = Inventory {
            lockfiles,
            ..Inventory::default()
        };
        missing(&inventory, |one| one.name == "known")
            .map(|problem| format!("{}: {}", problem.subject, problem.reason))
            .collect()
    }

    #[test]
    fn a_missing_file_is_named_once() {
        let modules = ["b/pom.xml", "a/pom.xml", "c/pom.xml"];
        let modules = modules.map(|path| lockfile(path, &[("g:parent", false)], &[]));

        assert_eq!(
            reasons(modules.to_vec()),
            [
                "a/pom.xml: needs its parent `g:parent` 1, which is not in the repository, \
                 and so do 2 other files"
            ]
        );
    }

    #[test]
    fn a_file_that_states_versions_is_missed_where_a_version_matters() {
        let modules = [
            lockfile("a/pom.xml", &[("g:list", true)], &["unknown"]),
            lockfile("b/pom.xml", &[("g:list", true)], &["unknown", "known"]),
            lockfile("c/pom.xml", &[], &["known"]),
        ];

        assert_eq!(
            reasons(modules.to_vec()),
            ["b/pom.xml: needs its parent `g:list` 1, which is not in the repository"]
        );
        assert_eq!(reasons(modules[..1].to_vec()), [""; 0]);
    }
}
