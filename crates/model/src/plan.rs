//! What a fix changes, and the evidence for it.

/// The whole outcome of planning for one repository.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// Packages that move, ordered by lockfile, name and version.
    pub upgrades: Vec<Upgrade>,
    /// Findings that stay, with the reason.
    pub unfixed: Vec<Unfixed>,
    /// The files with their content before and after, ordered by path. Never holds a file that
    /// does not change.
    pub changes: Vec<FileChange>,
}

/// One package that moves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upgrade {
    /// Ecosystem by its OSV name.
    pub ecosystem: &'static str,
    /// Lockfile in which it moves.
    pub lockfile: String,
    /// Package name.
    pub package: String,
    /// Version before.
    pub from: String,
    /// Version after.
    pub to: String,
    /// How far it moves.
    pub bump: Bump,
    /// Ids of the findings that this ends. Empty for a package that moves only to let another one
    /// move.
    pub fixes: Vec<String>,
    /// Requirements that had to change for it: `package.json: ^1.0.0 -> ^2.0.0`.
    pub requirement_changes: Vec<String>,
    /// Why it moves when it ends no finding itself: the package that it lets move.
    pub because_of: Option<String>,
}

/// A finding that stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfixed {
    /// Ecosystem by its OSV name.
    pub ecosystem: &'static str,
    /// Lockfile in which it stays.
    pub lockfile: String,
    /// Package name.
    pub package: String,
    /// Installed version.
    pub version: String,
    /// Ids of the findings that stay.
    pub ids: Vec<String>,
    /// A sentence for a person that says what stands in the way.
    pub reason: String,
}

/// How far a version moves, in the terms of Semantic Versioning, where a zero major makes the
/// minor number the breaking one (Cargo's and npm's caret rule).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Bump {
    /// Nothing but fixes is expected.
    Patch,
    /// New features are expected, old ones stay.
    Minor,
    /// Anything may break.
    Major,
}

/// One file before and after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileChange {
    /// Path from the repository root, with `/` between its parts.
    pub path: String,
    /// Content before.
    pub before: Vec<u8>,
    /// Content after.
    pub after: Vec<u8>,
}

impl Plan {
    /// True when nothing changes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// SHA-256, in hexadecimal, over what moves: lockfile, package, from, to, and the ids ended.
    ///
    /// It depends on the decision and not on the bytes around it, so it stays the same when the
    /// base branch moves but the same upgrades still apply. The name of the branch is made from it.
    #[must_use]
    pub fn decision_digest(&self) -> String {
        let mut hash = Digest::new("patchgate decision v1");
        for upgrade in &self.upgrades {
            hash.field(upgrade.ecosystem.as_bytes());
            hash.field(upgrade.lockfile.as_bytes());
            hash.field(upgrade.package.as_bytes());
            hash.field(upgrade.from.as_bytes());
            hash.field(upgrade.to.as_bytes());
            for id in &upgrade.fixes {
                hash.field(id.as_bytes());
            }
            hash.field(b"");
        }

        hash.finish()
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

/// A hash over fields, each with its length before it, so that no two lists of fields hash alike.
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
        self.0
            .finalize()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(to: &str, after: &[u8]) -> Plan {
        Plan {
            upgrades: vec![Upgrade {
                ecosystem: "npm",
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
        }
    }

    #[test]
    fn decision_digest_ignores_bytes_and_content_digest_ignores_decisions() {
        let (a, b) = (plan("6.5.3", b"x"), plan("6.5.3", b"y"));
        assert_eq!(a.decision_digest(), b.decision_digest());
        assert_ne!(a.content_digest(), b.content_digest());
        let c = plan("6.5.4", b"x");
        assert_ne!(a.decision_digest(), c.decision_digest());
        assert_eq!(a.content_digest(), c.content_digest());
    }

    #[test]
    fn fields_do_not_run_together() {
        assert_ne!(
            content_digest([("ab", b"c".as_slice())]),
            content_digest([("a", b"bc".as_slice())])
        );
    }
}
