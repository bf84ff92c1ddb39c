//! What moves in the dependency tree, read from the lockfiles of both sides.

use patchgate_model::Bump;

use crate::context::{Context, Outcome, block, holds, or_holds, review, unread};
use crate::moves::Moves;

fn with_moves(context: &Context<'_>, rule: impl FnOnce(&Moves) -> Vec<Outcome>) -> Vec<Outcome> {
    match &context.moves {
        Ok(moves) => rule(moves),
        Err(missing) => missing
            .iter()
            .map(|missing| unread("the lockfiles", missing))
            .collect(),
    }
}

pub(super) fn downgrade(context: &Context<'_>) -> Vec<Outcome> {
    with_moves(context, |moves| {
        let mut outcomes: Vec<Outcome> = moves
            .downgrades
            .iter()
            .map(|text| block(format!("downgrade: {text}")))
            .collect();
        outcomes.extend(moves.unordered.iter().map(review));
        or_holds(outcomes, "no package moves to a lower version")
    })
}

pub(super) fn bump(context: &Context<'_>) -> Vec<Outcome> {
    with_moves(context, |moves| {
        if moves.upgrades.is_empty() {
            return vec![review("no package moves to a higher version")];
        }

        moves
            .upgrades
            .iter()
            .map(|step| match &step.bump {
                Ok(bump) if *bump <= context.policy.max_bump => holds(format!(
                    "{} moves {} -> {} ({})",
                    step.package,
                    step.from,
                    step.to,
                    word(*bump)
                )),
                Ok(bump) => review(format!(
                    "{} moves {} -> {} ({}), further than the policy's {}",
                    step.package,
                    step.from,
                    step.to,
                    word(*bump),
                    word(context.policy.max_bump)
                )),
                Err(reason) => review(format!(
                    "{} moves {} -> {}, and {reason}",
                    step.package, step.from, step.to
                )),
            })
            .collect()
    })
}

pub(super) fn added(context: &Context<'_>) -> Vec<Outcome> {
    with_moves(context, |moves| {
        or_holds(
            moves
                .added
                .iter()
                .map(|package| {
                    if context.policy.allow_new_packages {
                        holds(format!(
                            "{package} comes into the tree, which the policy allows"
                        ))
                    } else {
                        review(format!("{package} comes into the tree"))
                    }
                })
                .collect(),
            "no package comes into the tree",
        )
    })
}

pub(super) fn removed(context: &Context<'_>) -> Vec<Outcome> {
    with_moves(context, |moves| {
        or_holds(
            moves
                .removed
                .iter()
                .map(|package| holds(format!("{package} leaves the tree")))
                .collect(),
            "no package leaves the tree",
        )
    })
}

pub(super) fn integrity(context: &Context<'_>) -> Vec<Outcome> {
    with_moves(context, |moves| {
        let mut outcomes: Vec<Outcome> = moves.integrity_changed.iter().map(block).collect();
        outcomes.extend(moves.integrity_lacking.iter().map(review));
        or_holds(outcomes, "every version that stays keeps its hash")
    })
}

pub(super) fn origin(context: &Context<'_>) -> Vec<Outcome> {
    with_moves(context, |moves| {
        let mut outcomes: Vec<Outcome> = moves.origin_changed.iter().map(block).collect();
        outcomes.extend(moves.origin_unclear.iter().map(review));
        or_holds(
            outcomes,
            "every package comes from where it came from before",
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
