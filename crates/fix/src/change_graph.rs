//! The changed entries of all lockfiles and what connects them: entries that belong together are one
//! step of a plan, and independent ones are apart.
//!
//! Two changed entries belong together when one depends on the other, before or after, or when
//! they are needed for the same finding or the same requirement. Each step can be made without the
//! others, because what an entry needs of an unchanged one is met already.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use patchgate_config::FixSettings;
use patchgate_lockfile_diff::{ChangedEntry, changed_entries};
use patchgate_model::{
    EntryChange, Finding, FixedFinding, Lockfile, PackageIndex, Plan, Step, Upgrade,
};

use crate::types::LockfileResult;

/// Entries as nodes, with the findings that each fixes.
#[derive(Debug, Clone, Default)]
pub(crate) struct ChangeGraph {
    entries: Vec<EntryChange>,
    /// For each entry an earlier one of the same step, or itself.
    links: Vec<usize>,
    /// Findings with the entry that they are about.
    fixes: Vec<(usize, FixedFinding)>,
}

impl ChangeGraph {
    /// Adds the changes of one lockfile, with the findings that they fix.
    pub(crate) fn add(
        &mut self,
        done: &LockfileResult,
        upgrades: &[Upgrade],
        fixed: &[(&Finding, Option<usize>)],
    ) {
        let start = self.entries.len();
        let (before, after) = (&done.start.lockfile, &done.end.lockfile);
        let changed = changed_entries(done.ecosystem, before, after);
        for entry in &changed {
            self.push(entry_change(entry, before, after));
        }
        self.connect_edges(start, before, changed.iter().map(|entry| entry.before));
        self.connect_edges(start, after, changed.iter().map(|entry| entry.after));

        let of_upgrade: Vec<Vec<usize>> = upgrades
            .iter()
            .map(|upgrade| self.entries_of(start, |entry| is_of(entry, upgrade)))
            .collect();
        for (upgrade, entries) in upgrades.iter().zip(&of_upgrade) {
            self.connect_all(entries);
            if let (Some(because), [first, ..]) = (&upgrade.because_of, entries.as_slice()) {
                for cause in self.entries_of(start, |entry| entry.package == *because) {
                    self.connect(*first, cause);
                }
            }
        }

        for (finding, upgrade) in fixed {
            let package = &finding.package;
            let mut entries = self.entries_of(start, |entry| {
                entry.package == package.name && entry.from.as_ref() == Some(&package.version)
            });
            let own = entries.first().copied();
            entries.extend(
                upgrade
                    .and_then(|index| of_upgrade.get(index))
                    .into_iter()
                    .flatten(),
            );
            self.connect_all(&entries);
            if let Some(entry) = own.or(entries.first().copied()) {
                self.fixes.push((entry, fixed_finding(finding)));
            }
        }
    }

    /// Adds a requirement that no lockfile pins, as an entry of its own.
    pub(crate) fn add_requirement(&mut self, upgrade: &Upgrade) {
        let entry = self.push(EntryChange {
            lockfile: upgrade.lockfile.clone(),
            ecosystem: upgrade.ecosystem,
            package: upgrade.package.clone(),
            from: Some(upgrade.from.clone()),
            to: Some(upgrade.to.clone()),
            bump: Some(upgrade.bump),
            direct: true,
        });
        for id in &upgrade.fixes {
            let finding = FixedFinding {
                ecosystem: upgrade.ecosystem,
                package: upgrade.package.clone(),
                version: upgrade.from.clone(),
                id: id.clone(),
            };
            self.fixes.push((entry, finding));
        }
    }

    /// Writes the entries, the fixed findings and the steps into a plan, whose upgrades and
    /// remaining findings are complete. `urgency` orders findings, the greatest first.
    pub(crate) fn finish<U: Ord>(mut self, plan: &mut Plan, urgency: impl Fn(&FixedFinding) -> U) {
        self.connect_across_lockfiles(&plan.upgrades);

        let mut order: Vec<usize> = (0..self.entries.len()).collect();
        order.sort_by(|a, b| self.entries[*a].cmp(&self.entries[*b]));
        let mut steps: BTreeMap<usize, Step> = BTreeMap::new();
        for (place, entry) in order.iter().enumerate() {
            let root = self.root(*entry);
            steps.entry(root).or_default().entries.push(place);
        }
        for (entry, finding) in std::mem::take(&mut self.fixes) {
            let root = self.root(entry);
            steps.entry(root).or_default().fixes.push(finding);
        }
        for (index, upgrade) in plan.upgrades.iter().enumerate() {
            let entry = self.entries.iter().position(|entry| is_of(entry, upgrade));
            if let Some(entry) = entry {
                let root = self.root(entry);
                steps.entry(root).or_default().upgrades.push(index);
            }
        }

        plan.entries = order
            .iter()
            .map(|entry| self.entries[*entry].clone())
            .collect();
        plan.steps = steps
            .into_values()
            .filter(|step| !step.fixes.is_empty())
            .collect();
        for step in &mut plan.steps {
            step.fixes.sort();
            step.fixes.dedup();
        }
        plan.steps.sort_by_cached_key(|step| {
            let most_urgent = step.fixes.iter().map(&urgency).max();
            (Reverse(most_urgent), step.entries.first().copied())
        });
        plan.fixed = fixed(plan);
    }

    fn push(&mut self, entry: EntryChange) -> usize {
        let index = self.entries.len();
        self.entries.push(entry);
        self.links.push(index);
        index
    }

    /// The entries from `start` on for which something is true.
    fn entries_of(&self, start: usize, is_meant: impl Fn(&EntryChange) -> bool) -> Vec<usize> {
        let entries = self.entries.iter().enumerate().skip(start);
        entries
            .filter(|(_, entry)| is_meant(entry))
            .map(|(index, _)| index)
            .collect()
    }

    /// Connects the entries of one state of a lockfile whose packages depend on each other.
    fn connect_edges(
        &mut self,
        start: usize,
        lockfile: &Lockfile,
        packages: impl Iterator<Item = Option<PackageIndex>>,
    ) {
        let entries: BTreeMap<PackageIndex, usize> = (start..)
            .zip(packages)
            .filter_map(|(entry, package)| Some((package?, entry)))
            .collect();
        for (package, entry) in &entries {
            let edges = lockfile
                .package(*package)
                .into_iter()
                .flat_map(|of| &of.edges);
            for edge in edges {
                if let Some(other) = entries.get(&edge.to) {
                    self.connect(*entry, *other);
                }
            }
        }
    }

    /// Connects entries that are about one finding, or that need one and the same edit of a
    /// manifest. A finding is chosen by package and id, whatever lockfile it is in.
    fn connect_across_lockfiles(&mut self, upgrades: &[Upgrade]) {
        let mut by_finding: BTreeMap<(String, String), usize> = BTreeMap::new();
        let fixes: Vec<(usize, (String, String))> = self
            .fixes
            .iter()
            .map(|(entry, finding)| (*entry, (finding.package.clone(), finding.id.clone())))
            .collect();
        for (entry, key) in fixes {
            let first = *by_finding.entry(key).or_insert(entry);
            self.connect(first, entry);
        }

        let mut by_edit: BTreeMap<&str, usize> = BTreeMap::new();
        for upgrade in upgrades {
            let entry = self.entries.iter().position(|entry| is_of(entry, upgrade));
            let Some(entry) = entry else { continue };
            for edit in &upgrade.requirement_changes {
                let first = *by_edit.entry(edit).or_insert(entry);
                self.connect(first, entry);
            }
        }
    }

    /// Connects the packages of each group.
    pub(crate) fn connect_groups(&mut self, settings: &FixSettings) {
        for group in 0..settings.groups.len() {
            let in_group = |entry: &EntryChange| {
                let mut groups = settings.groups_of(entry.ecosystem.as_str(), &entry.package);
                groups.any(|one| one == group)
            };
            let entries = self.entries_of(0, in_group);
            self.connect_all(&entries);
        }
    }

    fn connect_all(&mut self, entries: &[usize]) {
        for pair in entries.windows(2) {
            if let [a, b] = pair {
                self.connect(*a, *b);
            }
        }
    }

    /// Joins the steps of two entries.
    fn connect(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        self.links[a.max(b)] = a.min(b);
    }

    /// The first entry of the step that an entry belongs to.
    fn root(&mut self, entry: usize) -> usize {
        let mut root = entry;
        while self.links[root] != root {
            root = self.links[root];
        }
        // Shortens the way for the next question.
        let mut at = entry;
        while self.links[at] != root {
            at = std::mem::replace(&mut self.links[at], root);
        }
        root
    }
}

/// Whether an upgrade is about an entry.
fn is_of(entry: &EntryChange, upgrade: &Upgrade) -> bool {
    entry.lockfile == upgrade.lockfile
        && entry.package == upgrade.package
        && (entry.to.as_ref() == Some(&upgrade.to) || entry.from.as_ref() == Some(&upgrade.from))
}

fn entry_change(changed: &ChangedEntry, before: &Lockfile, after: &Lockfile) -> EntryChange {
    let is_direct = |lockfile: &Lockfile, index: Option<PackageIndex>| {
        let mut edges = lockfile.roots.iter().flat_map(|root| &root.edges);
        index.is_some_and(|index| edges.any(|edge| edge.to == index))
    };
    let from = changed.before.and_then(|index| before.package(index));
    let to = changed.after.and_then(|index| after.package(index));
    let named = to.or(from);

    EntryChange {
        lockfile: before.path.clone(),
        ecosystem: named.map_or(before.ecosystem, |package| package.ecosystem),
        package: named
            .map(|package| package.name.clone())
            .unwrap_or_default(),
        from: from.map(|package| package.version.clone()),
        to: to.map(|package| package.version.clone()),
        bump: changed.bump,
        direct: is_direct(before, changed.before) || is_direct(after, changed.after),
    }
}

/// A finding as plans name it.
pub(crate) fn fixed_finding(finding: &Finding) -> FixedFinding {
    let version = match &finding.requirement {
        Some(matched) => &matched.requirement,
        None => &finding.package.version,
    };
    FixedFinding {
        ecosystem: finding.package.ecosystem,
        package: finding.package.name.clone(),
        version: version.clone(),
        id: finding.id.clone(),
    }
}

/// The findings that remain in no lockfile.
fn fixed(plan: &Plan) -> Vec<FixedFinding> {
    let mut left = BTreeSet::new();
    for unfixed in &plan.unfixed {
        for id in &unfixed.ids {
            left.insert((
                unfixed.ecosystem,
                unfixed.package.as_str(),
                unfixed.version.as_str(),
                id.as_str(),
            ));
        }
    }
    let is_left = |finding: &FixedFinding| {
        left.contains(&(
            finding.ecosystem,
            finding.package.as_str(),
            finding.version.as_str(),
            finding.id.as_str(),
        ))
    };
    let fixed: BTreeSet<FixedFinding> = plan
        .steps
        .iter()
        .flat_map(|step| &step.fixes)
        .filter(|finding| !is_left(finding))
        .cloned()
        .collect();

    fixed.into_iter().collect()
}
