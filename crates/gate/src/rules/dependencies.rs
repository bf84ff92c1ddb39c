//! Changes in the dependency tree, from the lockfiles of both sides.

use patchgate_lockfile_diff::{LockfileDiff, VersionChange};
use patchgate_model::{Bump, Verdict};

use super::proof;
use crate::context::{Context, Outcome, block, met, or_met, review, unread};
use crate::lockfiles::LockfileDifferences;

pub(super) fn with_differences(
    context: &Context<'_>,
    rule: impl FnOnce(&LockfileDifferences) -> Vec<Outcome>,
) -> Vec<Outcome> {
    match &context.lockfiles {
        Ok(differences) => rule(differences),
        Err(missing) => missing
            .iter()
            .map(|missing| unread("the lockfiles", missing))
            .collect(),
    }
}

fn with_diff(
    context: &Context<'_>,
    rule: impl FnOnce(&LockfileDiff) -> Vec<Outcome>,
) -> Vec<Outcome> {
    with_differences(context, |differences| rule(&differences.diff))
}

pub(super) fn downgrade(context: &Context<'_>) -> Vec<Outcome> {
    with_diff(context, |diff| {
        let mut outcomes: Vec<Outcome> = diff
            .downgrades
            .iter()
            .map(|text| block(format!("downgrade: {text}")))
            .collect();
        outcomes.extend(
            diff.excused_downgrades
                .iter()
                .map(|text| review(format!("lower version: {text}"))),
        );
        outcomes.extend(diff.unordered.iter().map(review));
        or_met(outcomes, "no package changes to a lower version")
    })
}

pub(super) fn bump(context: &Context<'_>) -> Vec<Outcome> {
    with_diff(context, |diff| {
        if diff.upgrades.is_empty() {
            return vec![review("no package changes to a higher version")];
        }

        // Steps between versions that were in the tree before are listed only when they are too far.
        let upgrades = diff.upgrades.iter().map(|step| judge_bump(context, step));
        let raised = diff.raised.iter().map(|step| judge_bump(context, step));
        upgrades
            .chain(raised.filter(|outcome| outcome.verdict != Verdict::Merge))
            .collect()
    })
}

fn judge_bump(context: &Context<'_>, step: &VersionChange) -> Outcome {
    let VersionChange {
        package, from, to, ..
    } = step;
    match &step.bump {
        Ok(bump) if *bump <= context.policy.max_bump => met(format!(
            "{package} changes {from} -> {to} ({})",
            word(*bump)
        )),
        Ok(bump) => review(format!(
            "{package} changes {from} -> {to} ({}), further than the policy's {}",
            word(*bump),
            word(context.policy.max_bump)
        )),
        Err(reason) => review(format!("{package} changes {from} -> {to}, and {reason}")),
    }
}

pub(super) fn added(context: &Context<'_>) -> Vec<Outcome> {
    with_diff(context, |diff| {
        let added = diff.added.iter().chain(&diff.added_versions);
        let added = added.map(|package| {
            if context.policy.allow_new_packages {
                met(format!(
                    "{package} is added to the tree, which the policy allows"
                ))
            } else {
                review(format!("{package} is added to the tree"))
            }
        });
        or_met(
            added.chain(diff.unrequired.iter().map(review)).collect(),
            "no package is added to the tree",
        )
    })
}

/// Each change fixes a finding, or is required by a change that does.
pub(super) fn caused(context: &Context<'_>) -> Vec<Outcome> {
    if let Err(missing) = &context.evidence.findings {
        return vec![unread("the comparison of vulnerabilities", missing)];
    }
    with_differences(context, |differences| {
        // The proof says that the planner asked for it.
        let is_proved = proof::is_proved(context);
        let open = differences
            .uncaused
            .iter()
            .filter(|change| change.possible_cause.is_none() || !is_proved);
        let outcomes = open.map(|change| {
            let step = match &change.from {
                Some(from) => format!("{} changes {from} -> {}", change.package, change.to),
                None => format!("{} {} is added", change.package, change.to),
            };
            let why = match &change.possible_cause {
                Some(cause) => format!(
                    "maybe because of {cause}: the lockfile states no requirement that says so"
                ),
                None => "fixes no finding, and no change that does asks for it".to_owned(),
            };
            review(format!("{step}, and {why} ({})", change.lockfile))
        });
        or_met(
            outcomes.collect(),
            "every change fixes a finding, or follows from one that does",
        )
    })
}

pub(super) fn removed(context: &Context<'_>) -> Vec<Outcome> {
    with_diff(context, |diff| {
        let removed = diff.removed.iter();
        let removed = removed.map(|package| met(format!("{package} leaves the tree")));
        or_met(
            removed.chain(diff.unmet.iter().map(review)).collect(),
            "no package leaves the tree",
        )
    })
}

pub(super) fn integrity(context: &Context<'_>) -> Vec<Outcome> {
    with_diff(context, |diff| {
        let mut outcomes: Vec<Outcome> = diff.integrity_changed.iter().map(block).collect();
        outcomes.extend(diff.integrity_missing.iter().map(review));
        or_met(outcomes, "every version that stays keeps its hash")
    })
}

pub(super) fn origin(context: &Context<'_>) -> Vec<Outcome> {
    with_diff(context, |diff| {
        let mut outcomes: Vec<Outcome> = diff.source_changed.iter().map(block).collect();
        outcomes.extend(diff.source_unclear.iter().map(review));
        or_met(outcomes, "every package has the same source as before")
    })
}

/// Differences without a change of a version, which a package manager does not write.
pub(super) fn entries(context: &Context<'_>) -> Vec<Outcome> {
    with_differences(context, |differences| {
        let outcomes = differences.entries.iter().map(|difference| {
            if difference.certain {
                block(&difference.text)
            } else {
                review(&difference.text)
            }
        });
        or_met(
            outcomes.collect(),
            "nothing in the lockfiles differs except versions",
        )
    })
}

fn word(bump: Bump) -> &'static str {
    match bump {
        Bump::Patch => "patch",
        Bump::Minor => "minor",
        Bump::Major => "major",
    }
}
