//! Changed entries of lockfiles, and the steps that they belong to.

use patchgate_model::{EntryChange, EntryChangeKind, FixedFinding, Plan, Step};
use schemars::JsonSchema;
use serde::Serialize;

use super::{EntryCounts, bump_name};

/// An entry of a lockfile that comes, goes or gets another version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct EntryReport {
    /// Path of the lockfile.
    pub lockfile: String,
    /// Ecosystem by its OSV name.
    pub ecosystem: String,
    /// Name of the package.
    pub package: String,
    /// Whether it comes, goes or moves.
    pub change: EntryChangeName,
    /// Version before; `null` for an entry that comes.
    pub from: Option<String>,
    /// Version after; `null` for an entry that goes.
    pub to: Option<String>,
    /// Size of the step: `patch`, `minor` or `major`; `null` for an entry that comes or goes.
    pub bump: Option<String>,
    /// Whether the step may break its dependents.
    pub breaking: bool,
    /// Whether a project depends on it directly.
    pub direct: bool,
    /// Number of the step that it belongs to; `null` if it belongs to none.
    pub step: Option<usize>,
}

/// The change of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum EntryChangeName {
    /// It is new.
    Comes,
    /// It is gone.
    Goes,
    /// It has another version.
    Moves,
}

/// Changes that belong together and that no other step needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct StepReport {
    /// Number, from 1.
    pub number: usize,
    /// The findings that it fixes.
    pub fixes: Vec<FixedReport>,
    /// Its changed entries.
    pub entries: EntryCounts,
}

/// A finding that is fixed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FixedReport {
    /// Ecosystem by its OSV name.
    pub ecosystem: String,
    /// Name of the package.
    pub package: String,
    /// Version that has the finding.
    pub version: String,
    /// Id of the vulnerability.
    pub id: String,
}

/// The entries of a plan, in its order.
pub(crate) fn entries(plan: &Plan) -> Vec<EntryReport> {
    let numbers = step_numbers(plan);
    plan.entries
        .iter()
        .zip(numbers)
        .map(|(entry, step)| EntryReport {
            lockfile: entry.lockfile.clone(),
            ecosystem: entry.ecosystem.to_string(),
            package: entry.package.clone(),
            change: entry.kind().into(),
            from: entry.from.clone(),
            to: entry.to.clone(),
            bump: entry.bump.map(|bump| bump_name(bump).to_owned()),
            breaking: entry.is_breaking(),
            direct: entry.direct,
            step,
        })
        .collect()
}

impl From<EntryChangeKind> for EntryChangeName {
    fn from(kind: EntryChangeKind) -> Self {
        match kind {
            EntryChangeKind::Comes => Self::Comes,
            EntryChangeKind::Goes => Self::Goes,
            EntryChangeKind::Moves => Self::Moves,
        }
    }
}

/// The steps of a plan, in its order.
pub(super) fn steps(plan: &Plan) -> Vec<StepReport> {
    let number = |(index, step): (usize, &Step)| StepReport {
        number: index + 1,
        fixes: step.fixes.iter().map(fixed_report).collect(),
        entries: EntryCounts::new(changed(plan, step)),
    };
    plan.steps.iter().enumerate().map(number).collect()
}

pub(super) fn fixed_report(finding: &FixedFinding) -> FixedReport {
    FixedReport {
        ecosystem: finding.ecosystem.to_string(),
        package: finding.package.clone(),
        version: finding.version.clone(),
        id: finding.id.clone(),
    }
}

fn changed<'p>(plan: &'p Plan, step: &'p Step) -> impl Iterator<Item = &'p EntryChange> {
    let indices = step.entries.iter();
    indices.filter_map(|index| plan.entries.get(*index))
}

/// The number of the first step for which something is true.
pub(super) fn number_of(plan: &Plan, is_meant: impl Fn(&Step) -> bool) -> Option<usize> {
    let index = plan.steps.iter().position(is_meant)?;
    Some(index + 1)
}

/// The number of each entry's step.
fn step_numbers(plan: &Plan) -> Vec<Option<usize>> {
    let mut numbers = vec![None; plan.entries.len()];
    for (number, step) in (1..).zip(&plan.steps) {
        for index in &step.entries {
            if let Some(of) = numbers.get_mut(*index) {
                *of = Some(number);
            }
        }
    }

    numbers
}
