//! Raising a requirement to a version in the style in which it is written.

use std::cmp::Ordering;

use super::super::version::Version;
use super::range::{self, Alternative, Operator, Partial, Term, next};
use super::{alias, read};
use crate::RequirementError;

/// The requirement in the same style whose smallest version is `version`.
///
/// - `1.2.3`, `=1.2.3`, `^1.2`, `~1.2.3` get the whole version; `^`, `~` and `>=` keep their sign.
/// - Wild cards (`1.x`, `2`, `*`) stay as they are while they admit the version and otherwise keep
///   as many numbers as they have: their smallest version is then below it.
/// - `>=a <b` moves `a`, and `b` to the next version of its own precision where it must.
/// - In a union the alternatives below the version go, since they admit what is to be left behind;
///   those above it stay.
/// - The `npm:name@` of an alias stays.
pub(in super::super) fn raise(
    requirement: &str,
    version: &str,
) -> Result<String, RequirementError> {
    let range = read(requirement)?;
    let refuse = |reason: String| RequirementError {
        requirement: requirement.to_owned(),
        reason,
    };
    let target = Version::parse(version)
        .filter(|version| range::numbers(version).is_some())
        .ok_or_else(|| {
            refuse(format!(
                "cannot be raised to `{version}`, which is no version"
            ))
        })?;
    let chosen = range
        .alternatives
        .iter()
        .position(|alternative| alternative.admits(&target))
        .or_else(|| {
            range
                .alternatives
                .iter()
                .rposition(|alternative| !lies_above(alternative, &target))
        });

    let mut kept = Vec::new();
    for (index, alternative) in range.alternatives.iter().enumerate() {
        if Some(index) == chosen {
            let raised = raise_one(alternative, &target).ok_or_else(|| {
                refuse(format!(
                    "cannot admit `{version}` in the style in which it is written"
                ))
            })?;
            kept.push(raised);
        } else if lies_above(alternative, &target) {
            kept.push(alternative.text.to_owned());
        }
    }

    let raised = match alias(requirement) {
        Some((name, _)) => format!("npm:{name}@{}", kept.join(" || ")),
        None => kept.join(" || "),
    };
    // A requirement that came out wrong is worse than none.
    match super::admits(&raised, version) {
        Ok(true) => Ok(raised),
        _ => Err(refuse(format!(
            "lies above `{version}` and cannot be raised to it"
        ))),
    }
}

/// Whether all that the alternative admits is above the version.
fn lies_above(alternative: &Alternative<'_>, version: &Version<'_>) -> bool {
    alternative.comparators().iter().any(|comparator| {
        let order = comparator.compare(version);
        match comparator.operator {
            Operator::GreaterEqual | Operator::Equal => order == Ordering::Less,
            Operator::Greater => order != Ordering::Greater,
            _ => false,
        }
    })
}

fn raise_one(alternative: &Alternative<'_>, target: &Version<'_>) -> Option<String> {
    match alternative.terms.as_slice() {
        [] => Some(alternative.text.to_owned()),
        [Term::Simple(operator, partial)] => raise_single(alternative, *operator, partial, target),
        [Term::Hyphen(_, to)] => alternative
            .admits(target)
            .then(|| format!("{} - {}", text(target), to.text)),
        terms => raise_bounds(terms, target),
    }
}

fn raise_single(
    alternative: &Alternative<'_>,
    operator: Operator,
    partial: &Partial<'_>,
    target: &Version<'_>,
) -> Option<String> {
    let prefix = |sign: &str| format!("{sign}{}", text(target));
    match operator {
        Operator::Caret => Some(prefix("^")),
        Operator::Tilde if alternative.text.starts_with("~>") => Some(prefix("~>")),
        Operator::Tilde => Some(prefix("~")),
        Operator::Greater | Operator::GreaterEqual => Some(prefix(">=")),
        Operator::Equal if partial.known() == 3 => {
            let signs =
                alternative.text.len() - alternative.text.trim_start_matches(['v', '=', ' ']).len();
            Some(prefix(&alternative.text[..signs]))
        }
        Operator::Equal if alternative.admits(target) => Some(alternative.text.to_owned()),
        Operator::Equal => wild(alternative, partial, target),
        Operator::Less | Operator::LessEqual => alternative
            .admits(target)
            .then(|| format!(">={} {}", text(target), alternative.text)),
    }
}

/// `1.x` to `2.x`, `1` to `2`, `1.2.*` to `1.3.*`: the numbers that are written become the
/// version's.
fn wild(
    alternative: &Alternative<'_>,
    partial: &Partial<'_>,
    target: &Version<'_>,
) -> Option<String> {
    // No such range holds a pre-release.
    if !target.prerelease.is_empty() {
        return None;
    }

    let numbers = [target.major, target.minor, target.patch];
    let bare = alternative.text.trim_start_matches(['v', '=', ' ']);
    let signs = &alternative.text[..alternative.text.len() - bare.len()];
    let parts: Vec<&str> = bare
        .split('.')
        .zip(numbers)
        .enumerate()
        .map(|(place, (part, number))| {
            if place < partial.known() {
                number
            } else {
                part
            }
        })
        .collect();

    Some(format!("{signs}{}", parts.join(".")))
}

/// `>=a <b` and its like: one lower bound, one upper bound.
fn raise_bounds(terms: &[Term<'_>], target: &Version<'_>) -> Option<String> {
    let [
        Term::Simple(Operator::Greater | Operator::GreaterEqual, _),
        Term::Simple(upper, bound),
    ] = terms
    else {
        return None;
    };
    let sign = match upper {
        Operator::Less => "<",
        Operator::LessEqual => "<=",
        _ => return None,
    };
    let kept = format!(">={} {sign}{}", text(target), bound.text);
    let holds = |range: &str| range::Range::parse(range).is_some_and(|range| range.admits(target));
    if holds(&kept) {
        return Some(kept);
    }

    if *upper != Operator::Less || !bound.prerelease.is_empty() {
        return None;
    }
    // The bound's last number that is not zero says how far the range goes.
    let precision = match bound.numbers() {
        [_, 0, 0] => 1,
        [_, _, 0] => 2,
        _ => return None,
    };

    let after = next(range::numbers(target)?, precision);
    let written: Vec<String> = after
        .iter()
        .take(bound.written)
        .map(u64::to_string)
        .collect();
    let moved = format!(">={} <{}", text(target), written.join("."));

    holds(&moved).then_some(moved)
}

/// The version without build metadata and loose signs.
fn text(version: &Version<'_>) -> String {
    let mut text = format!("{}.{}.{}", version.major, version.minor, version.patch);
    if !version.prerelease.is_empty() {
        text.push('-');
        text.push_str(version.prerelease);
    }
    text
}
