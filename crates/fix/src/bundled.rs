//! Findings of copies that are shipped inside another package's archive.

use std::collections::BTreeSet;

use patchgate_model::{Finding, PackageIndex, PackageVersion};
use patchgate_upgrade::{PlanOptions, bundled_by};

use crate::lock_state::LockState;
use crate::types::{Attempt, LockfileSession, Stop};

/// Most releases of one package that are tried for the copies inside its archive. The content of an
/// archive is known only after the manager opened it. The newest release that the dependents admit is
/// tried first, then newer ones for which requirements have to be raised.
const MAX_RELEASES: usize = 4;

impl LockfileSession<'_> {
    /// Whether a finding is about copies inside other packages' archives alone.
    pub(super) fn is_bundled(&self, finding: &Finding) -> bool {
        let mut copies = self.tree.copies(finding).peekable();
        copies.peek().is_some()
            && copies.all(|copy| bundled_by(&self.tree.lockfile, copy).is_some())
    }

    /// Tries to fix findings of copies in other packages' archives by upgrading those packages,
    /// each once for everything that it ships.
    pub(super) async fn fix_bundled(&mut self) -> Result<(), Stop> {
        let mut seen = BTreeSet::new();
        while let Some(parent) = self.next_bundler(&seen) {
            seen.insert(parent.clone());
            self.fix_bundle_of(parent, &mut seen).await?;
        }
        Ok(())
    }

    /// The package in whose archive a copy is shipped.
    fn bundler_of(&self, copy: PackageIndex) -> Option<PackageVersion> {
        let parent = bundled_by(&self.tree.lockfile, copy)?;
        let package = self.tree.lockfile.package(parent)?;
        Some(PackageVersion::new(&*package.name, &*package.version))
    }

    /// A package that ships findings and was not worked on yet.
    fn next_bundler(&self, seen: &BTreeSet<PackageVersion>) -> Option<PackageVersion> {
        self.wanted()
            .filter(|finding| self.is_bundled(finding))
            .flat_map(|finding| self.tree.copies(finding))
            .filter_map(|copy| self.bundler_of(copy))
            .find(|parent| !seen.contains(parent))
    }

    /// Upgrades one package for the copies inside its archive. A release that fixes some findings
    /// is kept, and for the rest the newest release is tried as well.
    async fn fix_bundle_of(
        &mut self,
        mut parent: PackageVersion,
        seen: &mut BTreeSet<PackageVersion>,
    ) -> Result<(), Stop> {
        let kept = self.exclusions.clone();
        let mut tried = None;
        for _ in 0..MAX_RELEASES {
            let proposal = self
                .propose(
                    |work, finding| work.is_bundled(finding),
                    |work, copy| work.bundler_of(copy).as_ref() == Some(&parent),
                    PlanOptions {
                        newest: true,
                        ..self.options
                    },
                )
                .await?;
            self.keep_reasons(&proposal);
            let moved = proposal.moves.iter().find(|step| step.name == parent.name);
            let Some(to) = moved.map(|step| step.to().to_owned()) else {
                break;
            };
            self.releases
                .refuse_up_to(&parent.name, &to, &mut self.exclusions);
            tried = Some(to);

            if let Attempt::Locked(locked) = self.attempt(&proposal).await?
                && self.burden(&locked.tree, &locked.findings)
                    < self.burden(&self.tree, &self.findings)
                && self
                    .violations_of(&locked.tree, &locked.findings)
                    .is_empty()
            {
                if let Some(to) = &tried {
                    parent.version.clone_from(to);
                    seen.insert(parent.clone());
                }
                self.accept(*locked, proposal.moves);
            }
        }

        self.exclusions = kept;
        if let Some(tried) = tried {
            self.keep_bundle_reasons(&parent, &tried);
        }

        Ok(())
    }

    /// The number of findings that need a fix, counted once for each copy.
    fn burden(&self, tree: &LockState, findings: &[Finding]) -> usize {
        let wanted = findings
            .iter()
            .filter(|finding| !self.context.suppressions.covers(finding));
        tree.judged(wanted)
            .values()
            .map(|own| own.vulnerabilities.len() + own.notices.len())
            .sum()
    }

    /// Records for every finding that a package still ships that the last release tried does not
    /// fix it.
    fn keep_bundle_reasons(&mut self, parent: &PackageVersion, tried: &str) {
        let left: BTreeSet<PackageVersion> = self
            .wanted()
            .filter(|finding| {
                self.is_bundled(finding)
                    && self
                        .tree
                        .copies(finding)
                        .any(|copy| self.bundler_of(copy).as_ref() == Some(parent))
            })
            .map(|finding| finding.package.package_version())
            .collect();

        for package in left {
            let text = format!(
                "it is shipped inside the archive of `{}`, and {tried} does not fix it either",
                parent.name
            );
            self.keep_reason(&package, text);
        }
    }
}
