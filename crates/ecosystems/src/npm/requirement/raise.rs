//! Raising of a requirement to a new smallest version, in the style in which it is written.

use std::cmp::Ordering;

use super::super::version::Version;
use super::range::{self, Alternative, Operator, Partial, Term, next};
use super::{alias, read, unprefixed};
use crate::RequirementError;

/// The requirement in the same style with `version` as its smallest version.
///
/// - `1.2.3`, `=1.2.3`, `^1.2` and `~1.2.3` get the whole version; `=`, `^`, `~` and `>=` are kept.
/// - Wildcards (`1.x`, `2`, `*`) stay as they are if they admit the version. Otherwise they keep
///   their number of parts, so their smallest version may be below `version`.
/// - In `>=a <b`, `a` becomes the version. If `b` excludes it, `b` becomes the next version of its
///   own precision.
/// - In a union, alternatives below the version are removed, because they admit the versions that
///   are to be excluded. Alternatives above it are kept.
/// - The `npm:name@` of an alias is kept, and so is yarn's `npm:`.
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
                "cannot be raised to `{version}`, which is not a version"
            ))
        })?;

    // The alternative to raise: one that admits the version, else the last one that is not above it.
    let chosen = range
        .alternatives
        .iter()
        .position(|alternative| alternative.admits(&target))
        .or_else(|| {
            range
                .alternatives
                .iter()
                .rposition(|alternative| !is_above(alternative, &target))
        });

    let mut kept = Vec::new();
    for (index, alternative) in range.alternatives.iter().enumerate() {
        if Some(index) == chosen {
            let raised = raise_one(alternative, &target).ok_or_else(|| {
                refuse(format!("cannot be raised to `{version}` in its own style"))
            })?;
            kept.push(raised);
        } else if is_above(alternative, &target) {
            kept.push(alternative.text.to_owned());
        }
    }

    let raised = match alias(requirement) {
        Some((name, _)) => format!("npm:{name}@{}", kept.join(" || ")),
        None if unprefixed(requirement) != requirement => format!("npm:{}", kept.join(" || ")),
        None => kept.join(" || "),
    };
    // Never return a requirement that excludes the version.
    match super::admits(&raised, version) {
        Ok(true) => Ok(raised),
        _ => Err(refuse(format!("asks for a version above `{version}`"))),
    }
}

/// Whether all versions that the alternative admits are above the given one.
fn is_above(alternative: &Alternative<'_>, version: &Version<'_>) -> bool {
    alternative.comparators().iter().any(|comparator| {
        let order = comparator.compare(version);
        match comparator.operator {
            Operator::GreaterEqual | Operator::Equal => order == Ordering::Less,
            Operator::Greater => order != Ordering::Greater,
            _ => false,
        }
    })
}

/// Raises one alternative; `None` if its style cannot express the version.
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

/// Raises an alternative with one operator.
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
        Operator::Equal => wildcard(alternative, partial, target),
        Operator::Less | Operator::LessEqual => alternative
            .admits(target)
            .then(|| format!(">={} {}", text(target), alternative.text)),
    }
}

/// `1.x` to `2.x`, `1` to `2`, `1.2.*` to `1.3.*`: the numbers that are written are replaced by the
/// version's.
fn wildcard(
    alternative: &Alternative<'_>,
    partial: &Partial<'_>,
    target: &Version<'_>,
) -> Option<String> {
    // A wildcard never admits a pre-release.
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
        .map(|(index, (part, number))| {
            if index < partial.known() {
                number
            } else {
                part
            }
        })
        .collect();

    Some(format!("{signs}{}", parts.join(".")))
}

/// Raises `>=a <b` and other combinations of one lower and one upper bound.
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

    // With the old upper bound if it admits the version.
    let kept = format!(">={} {sign}{}", text(target), bound.text);
    let admits = |range: &str| range::Range::parse(range).is_some_and(|range| range.admits(target));
    if admits(&kept) {
        return Some(kept);
    }

    // Otherwise with the next one.
    if *upper != Operator::Less || !bound.prerelease.is_empty() {
        return None;
    }
    // The position of the bound's last nonzero number is its precision.
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
    let raised = format!(">={} <{}", text(target), written.join("."));

    admits(&raised).then_some(raised)
}

/// The version as text, without build metadata and without a leading `v` or `=`.
fn text(version: &Version<'_>) -> String {
    let mut text = format!("{}.{}.{}", version.major, version.minor, version.patch);
    if !version.prerelease.is_empty() {
        text.push('-');
        text.push_str(version.prerelease);
    }
    text
}
