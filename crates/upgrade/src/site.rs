//! Requirements of the repository's projects, and those to which they can be raised.

use patchgate_model::{Bump, Edge};

use crate::problem::Problem;
use crate::slot::{self, SlotId};

/// A requirement of a project of the repository.
#[derive(Debug)]
pub(crate) struct Site<'a> {
    /// Index of the project in the lockfile.
    pub(crate) root: usize,
    /// Index of the edge in the project.
    pub(crate) place: usize,
    pub(crate) edge: &'a Edge,
    /// The slot that it has now.
    pub(crate) slot: SlotId,
    /// The requirements to which it can be raised, smallest first: choice `i + 1`.
    pub(crate) raised: Vec<Raised>,
    /// Why it cannot be raised.
    pub(crate) fixed: Option<String>,
}

/// The requirement that admits every version, in the ecosystems whose files state versions for projects
/// and lock them at once.
pub(crate) const ANY: &str = "";

/// A raised requirement.
#[derive(Debug)]
pub(crate) struct Raised {
    pub(crate) requirement: String,
    /// Size of the step from the locked version to the smallest one that it admits.
    pub(crate) bump: Bump,
}

impl<'a> Problem<'a> {
    /// Every requirement of a project.
    pub(crate) fn all_sites(&self) -> Vec<Site<'a>> {
        let mut sites = Vec::new();
        for (root, project) in self.request.lockfile.roots.iter().enumerate() {
            for (place, edge) in project.edges.iter().enumerate() {
                let Some(slot) = self.slot_of.get(edge.to.0 as usize).copied() else {
                    continue;
                };
                let manifest = project.manifest.as_deref();
                let (raised, fixed) = match self.raises(slot, edge, manifest) {
                    Ok(raised) => (raised, None),
                    Err(reason) => (Vec::new(), Some(reason)),
                };
                sites.push(Site {
                    root,
                    place,
                    edge,
                    slot,
                    raised,
                    fixed,
                });
            }
        }

        sites
    }

    /// The requirements to which one of a project can be raised, one for each release above the locked
    /// one that brings no finding. An error says why there are none.
    fn raises(
        &self,
        slot: SlotId,
        edge: &Edge,
        manifest: Option<&str>,
    ) -> Result<Vec<Raised>, String> {
        let slot = self.slot(slot);
        let (Some(installed), Some(Ok(releases))) = (
            slot.locked_version(),
            self.request
                .releases
                .releases(self.request.ecosystem, &slot.name),
        ) else {
            return Ok(Vec::new());
        };
        if let Some(reason) = &slot.frozen {
            return Err(reason.clone());
        }
        let Some(manifest) = manifest else {
            return Err(format!(
                "the manifest that asks for `{}` was not found",
                edge.name
            ));
        };
        let Some(requirement) = edge.requirement.as_deref() else {
            // A version that the lockfile itself states for a project is what a fix changes. Nothing else
            // has to be raised for it.
            let is_own = manifest == self.request.lockfile.path;
            if is_own && self.versions.admits(ANY, installed) == Some(true) {
                return Ok(vec![Raised {
                    requirement: ANY.to_owned(),
                    bump: Bump::Major,
                }]);
            }
            return Err(format!(
                "the requirement for `{}` was not found in the manifest",
                edge.name
            ));
        };

        let place = self
            .versions
            .place(&self.key(&slot.name), releases, installed);
        let above = slot::above(self.request, releases, (installed, &place), &|_| true);
        let mut raised: Vec<Raised> = Vec::new();
        let mut reason = None;
        for (release, bump) in above {
            if self.versions.admits(requirement, &release.version) == Some(true)
                || !self
                    .judge(&slot.name, &release.version)
                    .vulnerabilities
                    .is_subset(&slot.own)
            {
                continue;
            }

            match self.versions.raised(requirement, &release.version) {
                Ok(requirement) => raised.push(Raised { requirement, bump }),
                Err(error) => reason = Some(error),
            }
        }

        match reason.filter(|_| raised.is_empty()) {
            Some(reason) => Err(reason),
            None => Ok(raised),
        }
    }
}
