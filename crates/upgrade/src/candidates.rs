//! The releases that slots may take, and the slots of packages that come in.

use std::collections::BTreeSet;
use std::rc::Rc;

use patchgate_ecosystems::Release;
use patchgate_model::Bump;

use crate::explain::step;
use crate::needs::Needed;
use crate::problem::Problem;
use crate::slot::{self, Candidate, Slot, SlotId};

impl<'a> Problem<'a> {
    /// The candidates of a slot, each with what speaks against it.
    pub(crate) fn candidates(
        &self,
        name: &str,
        installed: Option<&str>,
        releases: Vec<(&'a Release, Bump)>,
    ) -> Vec<Candidate<'a>> {
        let refused = self.request.refused.get(name);
        let greatest = (self.request.max_bump)(name);
        // A new copy of a package that the lockfile has is a step from one of its versions.
        let locked: Vec<&str> = self
            .existing(name)
            .into_iter()
            .filter_map(|id| self.slot(id).locked_version())
            .collect();
        let ecosystem = self.request.ecosystem;
        let step_to = |release: &Release| {
            let from = installed.map_or(locked.as_slice(), |_| &[]).iter();
            let bumps = from.map(|from| ecosystem.bump(from, &release.version));
            bumps.map(|bump| bump.unwrap_or(Bump::Major)).min()
        };

        releases
            .into_iter()
            .map(|(release, bump)| {
                let refused = refused.and_then(|known| known.get(&release.version));
                let refusal = if let Some(reason) = refused {
                    Some(reason.clone())
                } else if step_to(release).unwrap_or(bump) > greatest {
                    Some(format!("only {} steps of it are allowed", step(greatest)))
                } else {
                    (self.request.usable)(name, release).err()
                };

                Candidate {
                    release,
                    bump,
                    findings: self.judge(name, &release.version),
                    refusal,
                }
            })
            .collect()
    }

    /// Slots for new copies of a package, one for each line of compatible versions that none of these
    /// slots has, the newest first.
    pub(crate) fn new_lines(
        &self,
        needed: &Needed,
        releases: &'a [Release],
        taken: &[SlotId],
    ) -> Vec<SlotId> {
        let name = needed.package.as_str();
        let listed = self.versions.listed(&self.key(name), releases);
        let mut firsts: Vec<usize> = listed.iter().map(|one| one.line).collect();
        firsts.dedup();
        let is_taken = |line: usize| {
            let slots = taken.iter().map(|id| self.slot(*id));
            slots
                .into_iter()
                .any(|slot| slot.package.is_some() && slot.line == Some(line))
        };

        // A line without an admitted release needs no slot.
        let requirement = needed.requirement.as_deref();
        let is_admitted = |line: usize| {
            let all = listed.iter().zip(releases);
            let mut of_line = all.filter(|(listed, _)| listed.line == line);
            requirement.is_none_or(|requirement| {
                of_line.any(|(_, one)| {
                    let admits = self.versions.admits(requirement, &one.version);
                    admits.unwrap_or(true)
                })
            })
        };

        firsts
            .into_iter()
            .rev()
            .filter(|line| !is_taken(*line) && is_admitted(*line))
            .map(|line| self.new_slot(name, releases, Some(line)))
            .collect()
    }

    /// The slot of a new package, or of one line of it, when its releases are known.
    pub(crate) fn slot_for_new(&self, name: &str, line: Option<usize>) -> Option<SlotId> {
        let releases = self.releases(name)?.ok()?;
        Some(self.new_slot(name, releases, line))
    }

    /// The slot of a new package, or of one line of it.
    pub(crate) fn new_slot(
        &self,
        name: &str,
        releases: &'a [Release],
        line: Option<usize>,
    ) -> SlotId {
        let existing = self.existing(name);
        let known = existing.iter().copied().find(|id| {
            let slot = self.slot(*id);
            slot.package.is_none() && slot.line == line
        });
        if let Some(known) = known {
            return known;
        }

        let listed = self.versions.listed(&self.key(name), releases);
        let releases = slot::for_new(self.request, releases, &listed, line);
        let with_step = |release: &'a Release| (release, Bump::Patch);
        let releases = releases.into_iter().map(with_step).collect();
        let mut own = BTreeSet::new();
        for id in existing {
            own.extend(self.slot(id).own.iter().cloned());
        }
        let slot = Slot {
            name: name.to_owned(),
            copies: Vec::new(),
            package: None,
            depth: usize::MAX,
            frozen: None,
            own,
            line,
            candidates: self.candidates(name, None, releases),
        };

        let mut slots = self.slots.borrow_mut();
        slots.push(Rc::new(slot));
        let id = slots.len() - 1;
        self.by_name
            .borrow_mut()
            .entry(self.key(name))
            .or_default()
            .push(id);
        id
    }
}
