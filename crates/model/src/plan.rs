//! The plan of a fix: upgrades, remaining findings and file changes.

use std::collections::BTreeSet;

use crate::{EcosystemName, UpgradeEvidence, Verification};

/// The result of planning a fix for one repository.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// Packages whose version changes, ordered by lockfile, name and version.
    pub upgrades: Vec<Upgrade>,
    /// Findings that remain, with the reasons.
    pub unfixed: Vec<Unfixed>,
    /// The files that change, with their content before and after, ordered by path.
    pub changes: Vec<FileChange>,
    /// Every entry of a lockfile that comes, goes or gets another version, ordered by lockfile,
    /// name and versions. A requirement in a manifest without a lockfile counts as an entry.
    pub entries: Vec<EntryChange>,
    /// Findings that the changes fix, each once, ordered by package and id. A finding that remains
    /// in another lockfile is not among them.
    pub fixed: Vec<FixedFinding>,
    /// The independent parts, most urgent first. Every entry and every upgrade belongs to at most
    /// one; those that belong to none follow from the package manager's own choices.
    pub steps: Vec<Step>,
    /// What is known about whether the changes will hold, one for each package that gets another
    /// version or comes, in the order of the entries.
    pub evidence: Vec<UpgradeEvidence>,
    /// What the project's own tests say about the steps; `None` if they were not run.
    pub verification: Option<Verification>,
}

/// One package whose version changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upgrade {
    /// Ecosystem by its OSV name.
    pub ecosystem: EcosystemName,
    /// Path of the lockfile.
    pub lockfile: String,
    /// Name of the package.
    pub package: String,
    /// Version before the change.
    pub from: String,
    /// Version after the change.
    pub to: String,
    /// Size of the change.
    pub bump: Bump,
    /// Ids of the findings that the change fixes. Empty for a package that changes only because the
    /// upgrade of another one requires it.
    pub fixes: Vec<String>,
    /// Requirements that change with it: `package.json: ^1.0.0 -> ^2.0.0`. An override that gives the
    /// package its version is one of them: `package.json: override to 2.0.0`.
    pub requirement_changes: Vec<String>,
    /// The package whose upgrade requires this change, when the change fixes no finding itself.
    pub because_of: Option<String>,
}

/// The findings of a package version that remain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfixed {
    /// Ecosystem by its OSV name.
    pub ecosystem: EcosystemName,
    /// Path of the lockfile.
    pub lockfile: String,
    /// Name of the package.
    pub package: String,
    /// Version that remains installed.
    pub version: String,
    /// Ids of the findings that remain.
    pub ids: Vec<String>,
    /// Why they cannot be fixed, for a person.
    pub reason: String,
    /// The kind of the reason.
    pub class: UnfixedClass,
    /// The smallest version that fixes all of them according to the records; `None` if one of them
    /// has no such version.
    pub fixed_version: Option<String>,
    /// Whether the changes of the plan bring them: no version of the package in the lockfile had them
    /// before.
    pub is_new: bool,
}

/// The kind of the reason why a finding remains.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UnfixedClass {
    /// A release fixes it, but the dependents, the flags or the package manager do not admit it.
    #[default]
    Blocked,
    /// No release is known to fix it.
    NoRelease,
    /// `fix` does not change files of this format.
    Format,
    /// It was not tried: the time was used up, or a program or a server failed.
    NotTried,
    /// A step would fix it, and the step was not taken.
    NotChosen,
}

impl UnfixedClass {
    /// Every class, in the order in which reports list them.
    pub const ALL: [Self; 5] = [
        Self::NotChosen,
        Self::Blocked,
        Self::NotTried,
        Self::Format,
        Self::NoRelease,
    ];

    /// The word in JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Blocked => "blocked",
            Self::NoRelease => "no-release",
            Self::Format => "unsupported-format",
            Self::NotTried => "not-tried",
            Self::NotChosen => "not-chosen",
        }
    }

    /// Whether a fix of the finding exists that this program could make: a finding of this class
    /// fails the run.
    #[must_use]
    pub fn is_fixable(self) -> bool {
        match self {
            Self::Blocked | Self::NotTried | Self::NotChosen => true,
            Self::NoRelease | Self::Format => false,
        }
    }
}

/// One entry of a lockfile that differs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct EntryChange {
    /// Path of the lockfile.
    pub lockfile: String,
    /// Ecosystem by its OSV name.
    pub ecosystem: EcosystemName,
    /// Name of the package.
    pub package: String,
    /// Version before; `None` for an entry that comes.
    pub from: Option<String>,
    /// Version after; `None` for an entry that goes.
    pub to: Option<String>,
    /// The size of the step, for an entry that gets another version. A step that cannot be measured
    /// counts as a breaking one.
    pub bump: Option<Bump>,
    /// Whether a project depends on it directly, before or after.
    pub direct: bool,
}

impl EntryChange {
    /// Whether it comes, goes or moves to another version.
    #[must_use]
    pub fn kind(&self) -> EntryChangeKind {
        match (&self.from, &self.to) {
            (None, _) => EntryChangeKind::Comes,
            (_, None) => EntryChangeKind::Goes,
            (Some(_), Some(_)) => EntryChangeKind::Moves,
        }
    }

    /// Whether it moves to a version that may break its dependents.
    #[must_use]
    pub fn is_breaking(&self) -> bool {
        self.bump == Some(Bump::Major)
    }
}

/// The kind of an entry's change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EntryChangeKind {
    /// It was not in the lockfile.
    Comes,
    /// It is no longer in the lockfile.
    Goes,
    /// It has another version.
    Moves,
}

/// A finding that a plan fixes: one vulnerability in one package version.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FixedFinding {
    /// Ecosystem by its OSV name.
    pub ecosystem: EcosystemName,
    /// Name of the package.
    pub package: String,
    /// Version before the change; for a requirement without a lockfile, the requirement.
    pub version: String,
    /// Id of the vulnerability.
    pub id: String,
}

/// Changes that belong together, and that no other change needs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Step {
    /// Indices in [`Plan::upgrades`].
    pub upgrades: Vec<usize>,
    /// Indices in [`Plan::entries`].
    pub entries: Vec<usize>,
    /// The findings that it fixes in at least one lockfile, sorted.
    pub fixes: Vec<FixedFinding>,
}

/// The size of a version change, in the terms of Semantic Versioning. With a major number of zero
/// the minor number is the breaking one (the caret rule of Cargo and npm).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Bump {
    /// Only fixes are expected.
    Patch,
    /// New features are expected, without breaking changes.
    Minor,
    /// Breaking changes are possible.
    Major,
}

/// One file before and after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileChange {
    /// Path from the repository root, with `/` between its parts.
    pub path: String,
    /// Content before the change.
    pub before: Vec<u8>,
    /// Content after the change.
    pub after: Vec<u8>,
}

impl Plan {
    /// Whether no file changes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// SHA-256, in hexadecimal, over the upgrades: lockfile, package and both versions.
    ///
    /// It does not depend on the content of files, so it stays the same when the base branch
    /// changes but the same upgrades still apply. It does not depend on the findings either: one more
    /// advisory about the same upgrade is no other decision.
    #[must_use]
    pub fn decision_digest(&self) -> String {
        let mut hash = Digest::new("patchgate decision v2");
        for upgrade in &self.upgrades {
            hash.field(upgrade.ecosystem.as_str().as_bytes());
            hash.field(upgrade.lockfile.as_bytes());
            hash.field(upgrade.package.as_bytes());
            hash.field(upgrade.from.as_bytes());
            hash.field(upgrade.to.as_bytes());
        }

        hash.finish()
    }

    /// SHA-256, in hexadecimal, over the decision and the branch that it is for. The name of the pull
    /// request's branch is derived from it.
    #[must_use]
    pub fn branch_digest(&self, base: &str) -> String {
        let mut hash = Digest::new("patchgate branch v1");
        hash.field(self.decision_digest().as_bytes());
        hash.field(base.as_bytes());
        hash.finish()
    }

    /// The packages with findings that the plan fixes, as `ecosystem:name`.
    #[must_use]
    pub fn fixed_packages(&self) -> BTreeSet<String> {
        let name = |ecosystem: EcosystemName, package: &str| format!("{ecosystem}:{package}");
        let fixed = self.fixed.iter();
        let fixed = fixed.map(|finding| name(finding.ecosystem, &finding.package));
        let upgrades = self.upgrades.iter();
        let upgrades = upgrades.filter(|upgrade| !upgrade.fixes.is_empty());
        fixed
            .chain(upgrades.map(|upgrade| name(upgrade.ecosystem, &upgrade.package)))
            .collect()
    }

    /// SHA-256, in hexadecimal, over the path and the content after of every changed file.
    ///
    /// The gate computes the same over the files of the pull request's head.
    #[must_use]
    pub fn content_digest(&self) -> String {
        content_digest(
            self.changes
                .iter()
                .map(|change| (change.path.as_str(), change.after.as_slice())),
        )
    }
}

/// SHA-256, in hexadecimal, over paths and contents, in the order given; see
/// [`Plan::content_digest`].
pub fn content_digest<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> String {
    let mut hash = Digest::new("patchgate content v1");
    for (path, content) in files {
        hash.field(path.as_bytes());
        hash.field(content);
    }
    hash.finish()
}

/// A hash over fields. Each is preceded by its length, so that different lists of fields do not
/// hash to the same value.
struct Digest(sha2::Sha256);

impl Digest {
    fn new(domain: &str) -> Self {
        let mut digest = Self(<sha2::Sha256 as sha2::Digest>::new());
        digest.field(domain.as_bytes());
        digest
    }

    fn field(&mut self, bytes: &[u8]) {
        use sha2::Digest as _;
        self.0.update((bytes.len() as u64).to_be_bytes());
        self.0.update(bytes);
    }

    fn finish(self) -> String {
        use sha2::Digest as _;
        hex::encode(self.0.finalize())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(to: &str, after: &[u8]) -> Plan {
        Plan {
            upgrades: vec![Upgrade {
                ecosystem: EcosystemName::new("npm"),
                lockfile: "package-lock.json".into(),
                package: "qs".into(),
                from: "6.5.2".into(),
                to: to.into(),
                bump: Bump::Patch,
                fixes: vec!["GHSA-a".into()],
                requirement_changes: Vec::new(),
                because_of: None,
            }],
            unfixed: Vec::new(),
            changes: vec![FileChange {
                path: "package-lock.json".into(),
                before: Vec::new(),
                after: after.to_vec(),
            }],
            ..Plan::default()
        }
    }

    #[test]
    fn decision_digest_ignores_bytes_and_content_digest_ignores_decisions() {
        let (a, b) = (plan("6.5.3", b"x"), plan("6.5.3", b"y"));
        assert_eq!(a.decision_digest(), b.decision_digest());
        assert_ne!(a.content_digest(), b.content_digest());
        let mut more = a.clone();
        more.upgrades[0].fixes.push("GHSA-b".into());
        assert_eq!(a.decision_digest(), more.decision_digest());
        let c = plan("6.5.4", b"x");
        assert_ne!(a.decision_digest(), c.decision_digest());
        assert_eq!(a.content_digest(), c.content_digest());
    }

    #[test]
    fn a_branch_is_for_one_base() {
        let plan = plan("6.5.3", b"x");
        assert_eq!(plan.branch_digest("main"), plan.branch_digest("main"));
        assert_ne!(plan.branch_digest("main"), plan.branch_digest("v1"));
        assert_eq!(plan.fixed_packages(), ["npm:qs".to_owned()].into());
    }

    #[test]
    fn fields_do_not_run_together() {
        assert_ne!(
            content_digest([("ab", b"c".as_slice())]),
            content_digest([("a", b"bc".as_slice())])
        );
    }
}
