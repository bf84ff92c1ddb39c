//! The numbers of a fix, counted once for every format.

use std::collections::BTreeSet;

use patchgate_model::{EcosystemName, EntryChange, EntryChangeKind, Plan, Unfixed, UnfixedClass};
use schemars::JsonSchema;
use serde::Serialize;

use crate::scan::count;

/// The numbers of a fix. A finding is one vulnerability in one package version, as in a scan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FixSummary {
    /// Findings that the changes fix.
    pub fixed: usize,
    /// Vulnerabilities among them: a vulnerability in two versions is two findings.
    pub vulnerabilities: usize,
    /// Findings that remain.
    pub remaining: usize,
    /// Those of them that a fix exists for; they fail the run if they reach the threshold.
    pub remaining_fixable: usize,
    /// Those that remain, by the kind of the reason; see `class` of each.
    pub remaining_by_class: RemainingCounts,
    /// Findings that the changes bring, such as that a new package is unmaintained. They are not
    /// counted as remaining.
    pub introduced: usize,
    /// Packages that are upgraded.
    pub packages: usize,
    /// Independent steps.
    pub steps: usize,
    /// Changed files.
    pub files: usize,
    /// Changed entries of lockfiles.
    pub entries: EntryCounts,
}

/// Numbers of findings that remain, by the kind of the reason. A finding that remains in several
/// lockfiles counts once, under the first of its reasons in this order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RemainingCounts {
    /// In steps that were not taken.
    pub not_chosen: usize,
    /// A release fixes them, but it cannot be used.
    pub blocked: usize,
    /// Not tried.
    pub not_tried: usize,
    /// In files that `fix` does not change.
    pub unsupported_format: usize,
    /// No release fixes them.
    pub no_release: usize,
}

/// Numbers of changed entries of lockfiles: each copy of a package is an entry.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct EntryCounts {
    /// Entries that are new.
    pub come: usize,
    /// Entries that are gone.
    pub go: usize,
    /// Entries with another version.
    pub r#move: usize,
    /// Those of them with a step that may break their dependents: a major one, or one that cannot be
    /// measured.
    pub breaking: usize,
    /// Those of the breaking ones that a project depends on directly.
    pub breaking_direct: usize,
}

impl FixSummary {
    /// Counts a plan.
    pub(crate) fn new(plan: &Plan) -> Self {
        let ids: BTreeSet<&str> = plan.fixed.iter().map(|one| one.id.as_str()).collect();
        let packages: BTreeSet<_> = plan
            .upgrades
            .iter()
            .map(|upgrade| (upgrade.ecosystem, &upgrade.package, &upgrade.to))
            .collect();

        let classes = remaining(plan);
        let of = |class| classes.iter().filter(|known| **known == class).count();

        Self {
            fixed: plan.fixed.len(),
            vulnerabilities: ids.len(),
            remaining: classes.len(),
            remaining_fixable: classes.iter().filter(|class| class.is_fixable()).count(),
            remaining_by_class: RemainingCounts {
                not_chosen: of(UnfixedClass::NotChosen),
                blocked: of(UnfixedClass::Blocked),
                not_tried: of(UnfixedClass::NotTried),
                unsupported_format: of(UnfixedClass::Format),
                no_release: of(UnfixedClass::NoRelease),
            },
            introduced: introduced(plan),
            packages: packages.len(),
            steps: plan.steps.len(),
            files: plan.changes.len(),
            entries: EntryCounts::new(&plan.entries),
        }
    }

    /// The most important numbers in one sentence without a period.
    pub(crate) fn headline(&self, applied: bool, is_complete: bool) -> String {
        let total = self.fixed + self.remaining;
        if self.files == 0 {
            return match (self.remaining, is_complete) {
                (0, true) => "Nothing to fix".to_owned(),
                (0, false) => {
                    "Nothing to fix in the part that was read; the scan is incomplete".to_owned()
                }
                _ => "Nothing can be fixed now".to_owned(),
            };
        }

        let steps = match self.steps {
            0 | 1 => String::new(),
            many => format!(" in {many} steps"),
        };
        let findings = count(total, "finding", "findings");
        match applied {
            true => format!("Fixed {} of {findings}{steps}", self.fixed),
            false => format!(
                "Would fix {} of {findings}{steps}; nothing was written",
                self.fixed
            ),
        }
    }
}

/// The class of each finding that remains, each finding once whatever the number of lockfiles that
/// have it.
fn remaining(plan: &Plan) -> Vec<UnfixedClass> {
    let mut known = BTreeSet::new();
    let mut classes = Vec::new();
    for class in UnfixedClass::ALL {
        let left = plan
            .unfixed
            .iter()
            .filter(|one| one.class == class && !one.is_new);
        for key in left.flat_map(keys) {
            if known.insert(key) {
                classes.push(class);
            }
        }
    }

    classes
}

/// The number of findings that the changes bring.
fn introduced(plan: &Plan) -> usize {
    let new = plan.unfixed.iter().filter(|unfixed| unfixed.is_new);
    new.flat_map(keys).collect::<BTreeSet<_>>().len()
}

/// A finding: ecosystem, package, version and id.
type Key<'p> = (EcosystemName, &'p str, &'p str, &'p str);

fn keys(unfixed: &Unfixed) -> impl Iterator<Item = Key<'_>> {
    let of = |id| (unfixed.ecosystem, &*unfixed.package, &*unfixed.version, id);
    unfixed.ids.iter().map(move |id| of(id.as_str()))
}

impl RemainingCounts {
    /// The numbers that are not zero: `2 blocked, 1 without a fixed release`.
    pub(crate) fn sentence(&self) -> String {
        let parts = [
            (self.not_chosen, "in steps that were not taken"),
            (self.blocked, "blocked"),
            (self.not_tried, "not tried"),
            (
                self.unsupported_format,
                "in files that `fix` does not change",
            ),
            (self.no_release, "without a fixed release"),
        ];
        let told = parts.into_iter().filter(|(number, _)| *number > 0);
        let texts: Vec<String> = told
            .map(|(number, what)| format!("{number} {what}"))
            .collect();
        texts.join(", ")
    }
}

impl EntryCounts {
    /// Counts entries.
    pub fn new<'a>(entries: impl IntoIterator<Item = &'a EntryChange>) -> Self {
        let mut counts = Self::default();
        for entry in entries {
            match entry.kind() {
                EntryChangeKind::Comes => counts.come += 1,
                EntryChangeKind::Goes => counts.go += 1,
                EntryChangeKind::Moves => counts.r#move += 1,
            }
            counts.breaking += usize::from(entry.is_breaking());
            counts.breaking_direct += usize::from(entry.is_breaking() && entry.direct);
        }

        counts
    }

    /// As a sentence without a period: `3 entries come, 1 goes, 2 move (1 may break)`.
    #[must_use]
    pub fn sentence(&self) -> String {
        let parts = [
            (self.come, "comes", "come"),
            (self.go, "goes", "go"),
            (self.r#move, "moves", "move"),
        ];
        let mut text = String::new();
        for (number, one, many) in parts.into_iter().filter(|(number, ..)| *number > 0) {
            let verb = if number == 1 { one } else { many };
            text.push_str(&match text.is_empty() {
                true => format!("{} {verb}", count(number, "entry", "entries")),
                false => format!(", {number} {verb}"),
            });
        }

        if self.breaking > 0 {
            text.push_str(&format!(" ({} may break", self.breaking));
            if self.breaking_direct > 0 {
                let direct = count(
                    self.breaking_direct,
                    "direct dependency",
                    "direct dependencies",
                );
                text.push_str(&format!(", {direct} among them"));
            }
            text.push(')');
        }

        text
    }
}
