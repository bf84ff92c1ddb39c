//! Comparison of a requirement with a single version, and requirements with a higher lower bound.
//!
//! Specifiers follow PEP 440
//! (<https://packaging.python.org/en/latest/specifications/version-specifiers/#version-specifiers>),
//! constraints Poetry (<https://python-poetry.org/docs/dependency-specification/>).

use super::PyPi;
use super::admitted::{Parts, admitted, clause, clauses, without_wildcard};
use crate::requirement_text::{RequirementText, next_prefix};
use crate::{Ecosystem as _, Interval, RequirementError, VersionSet};

/// Whether a requirement admits a version. Pre-releases between the bounds are admitted: pip takes
/// them where it is asked for them or a project has no other release, so it is the planner that
/// prefers final releases.
pub(super) fn admits(requirement: &str, version: &str) -> Result<bool, RequirementError> {
    let text = RequirementText::new(&PyPi, requirement)?;
    let refused = |_| RequirementError::new(requirement, "cannot be compared with the version");
    // It also says which requirements are errors.
    if !admitted(requirement)?
        .contains(&PyPi, version)
        .map_err(refused)?
    {
        return Ok(false);
    }
    if requirement.trim().is_empty() {
        return Ok(true);
    }

    let alternatives = requirement
        .split("||")
        .flat_map(|alternative| alternative.split('|'));
    for alternative in alternatives {
        let mut all = true;
        for (operator, bound) in clauses(alternative).ok_or_else(|| text.invalid())? {
            all &= clause(text, operator, bound)?
                .contains(&PyPi, version)
                .map_err(refused)?
                && is_within(operator, bound, version);
        }
        if all {
            return Ok(true);
        }
    }

    Ok(false)
}

/// The rules of a clause that a set of versions does not express: `>1.0` excludes the post-releases
/// and local versions of 1.0, and `===` compares texts.
fn is_within(operator: &str, bound: &str, version: &str) -> bool {
    match operator {
        "===" => bound.eq_ignore_ascii_case(version),
        ">" => {
            let (Some(limit), Some(parts)) = (Parts::of(bound), Parts::of(version)) else {
                return true;
            };
            let base = |parts: &Parts| format!("{}{}", parts.release(), parts.pre);
            let same_base = PyPi
                .compare_versions(&base(&limit), &base(&parts))
                .is_ok_and(std::cmp::Ordering::is_eq);
            let is_post = parts.post.is_some() && limit.post.is_none();
            let public = version.split('+').next().unwrap_or(version);
            let is_local = parts.has_local
                && PyPi
                    .compare_versions(public, bound)
                    .is_ok_and(std::cmp::Ordering::is_eq);
            !(same_base && is_post || is_local)
        }
        _ => true,
    }
}

/// The requirement in the same style that admits `version` as its smallest version.
///
/// An upper bound below the version is raised with as many numbers as it had: `<2` becomes `<4` for
/// 3.1. Where a style fixes fewer numbers than the version has, a lower bound is added: `~=1.4`
/// becomes `~=2.3,>=2.3.1`.
pub(super) fn raise(requirement: &str, version: &str) -> Result<String, RequirementError> {
    let text = RequirementText::new(&PyPi, requirement)?;
    admitted(requirement)?;
    let target = Parts::of(version)
        .ok_or_else(|| text.error("cannot be raised to a text that is not a version of PEP 440"))?;
    let public = version.split('+').next().unwrap_or(version);
    if requirement.trim().is_empty() {
        return Ok(format!(">={public}"));
    }
    if requirement.contains('|') {
        return Err(text.error("has alternatives"));
    }

    // Clauses are replaced in the text, so that blanks between them stay.
    let mut raised = String::with_capacity(requirement.len() + 16);
    let mut rest = requirement;
    let mut has_lower = false;
    for (operator, bound) in clauses(requirement).ok_or_else(|| text.invalid())? {
        let (before, after) = rest.split_once(operator).ok_or_else(|| text.invalid())?;
        let (gap, after) = after.split_once(bound).ok_or_else(|| text.invalid())?;
        rest = after;
        raised.push_str(before);

        let to = raised_clause(text, operator, bound, version, &target)?;
        has_lower |= !matches!(operator, "<" | "<=" | "!=");
        raised.push_str(to.operator.unwrap_or(operator));
        raised.push_str(gap);
        raised.push_str(&to.bound);
        if to.needs_lower {
            raised.push_str(&format!(",>={public}"));
        }
    }
    raised.push_str(rest);
    if !has_lower {
        raised = format!(">={public},{}", raised.trim_start());
    }

    // A style that does not lead to the version is an error, never a wider requirement.
    let below = VersionSet::from(Interval::below(version));
    let set = admitted(&raised)?;
    let admits_below = set
        .intersection(&PyPi, &below)
        .map_or(true, |lower| !lower.intervals.is_empty());
    match admits(&raised, version)? && !admits_below {
        true => Ok(raised),
        false => Err(text.error(format!("cannot be raised to `{version}` in its style"))),
    }
}

/// A clause with its new bound.
struct RaisedClause {
    /// The new operator; `None` for the one that it had.
    operator: Option<&'static str>,
    bound: String,
    /// Whether the clause admits versions below the wanted one, so that a lower bound has to follow.
    needs_lower: bool,
}

impl RaisedClause {
    fn to(bound: impl Into<String>) -> Self {
        Self {
            operator: None,
            bound: bound.into(),
            needs_lower: false,
        }
    }
}

fn raised_clause(
    text: RequirementText<'_>,
    operator: &str,
    bound: &str,
    version: &str,
    target: &Parts,
) -> Result<RaisedClause, RequirementError> {
    let public = version.split('+').next().unwrap_or(version);
    let admits = || {
        clause(text, operator, bound)?
            .contains(&PyPi, version)
            .map_err(|_| text.invalid())
    };

    if operator.is_empty() && matches!(bound, "*" | "x" | "X") {
        return Ok(RaisedClause {
            operator: Some(">="),
            ..RaisedClause::to(public)
        });
    }
    if let (Some(prefix), "" | "=" | "==") = (without_wildcard(bound), operator) {
        let kept = Parts::of(prefix).map_or(1, |parts| parts.numbers.len());
        let numbers = padded(&target.numbers, kept);
        let wildcard = bound.get(prefix.len()..).unwrap_or(".*");
        return Ok(RaisedClause {
            needs_lower: true,
            ..RaisedClause::to(format!("{}{}{wildcard}", target.epoch, numbers.join(".")))
        });
    }

    Ok(match operator {
        "!=" => RaisedClause::to(bound),
        "<" | "<=" if admits()? => RaisedClause::to(bound),
        "<=" => RaisedClause::to(public),
        "<" => RaisedClause::to(raised_upper(bound, target).ok_or_else(|| text.invalid())?),
        ">" => RaisedClause {
            operator: Some(">="),
            ..RaisedClause::to(public)
        },
        "~=" => compatible(bound, public, target).ok_or_else(|| text.invalid())?,
        "" | "=" | "==" | "===" => RaisedClause::to(version),
        _ => RaisedClause::to(public),
    })
}

/// The clause `~=` with as many numbers as it had.
fn compatible(bound: &str, public: &str, target: &Parts) -> Option<RaisedClause> {
    let count = Parts::of(bound)?.numbers.len();
    let plain = format!(
        "{}{}",
        target.epoch,
        padded(&target.numbers, count).join(".")
    );
    let is_same = PyPi
        .compare_versions(&plain, public)
        .is_ok_and(std::cmp::Ordering::is_eq);
    Some(RaisedClause {
        needs_lower: !is_same,
        ..RaisedClause::to(plain)
    })
}

/// The upper bound of a later release, with as many numbers as the bound before: the last number that
/// is not zero decides which part of the version is free.
fn raised_upper(bound: &str, target: &Parts) -> Option<String> {
    let numbers = Parts::of(bound)?.numbers;
    let zeros = numbers.iter().rev().take_while(|number| *number == "0");
    let kept = (numbers.len() - zeros.count()).max(1);
    let next = next_prefix(&padded(&target.numbers, kept), kept);
    let zeros = ".0".repeat(numbers.len() - kept);
    Some(format!("{}{next}{zeros}", target.epoch))
}

/// The first `count` numbers of a release, with zeros where it has fewer.
fn padded(numbers: &[String], count: usize) -> Vec<String> {
    let zeros = std::iter::repeat_n("0".to_owned(), count.saturating_sub(numbers.len()));
    numbers.iter().take(count).cloned().chain(zeros).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_versions_follow_pep_440() {
        for (requirement, version, expected) in [
            ("", "1.0", true),
            (">1.0", "1.0.post1", false),
            (">1.0", "1.0+cpu", false),
            (">1.0", "1.1.post1", true),
            (">1.0.post1", "1.0.post2", true),
            ("===1.0", "1.0.0", false),
            ("===1.0RC1", "1.0rc1", true),
            ("==1.0", "1.0.0", true),
            ("^1 || >3", "3.post1", false),
            ("^1 || >3", "1.5", true),
            (">=1,!=1.5", "1.5", false),
        ] {
            assert_eq!(
                admits(requirement, version),
                Ok(expected),
                "{requirement} {version}"
            );
        }
        for requirement in ["@ https://h.invalid/a.zip", "./lib", "latest"] {
            assert!(admits(requirement, "1.0").is_err(), "{requirement}");
        }
    }

    #[test]
    fn styles_are_kept() {
        for (requirement, version, expected) in [
            ("", "1.4.1", ">=1.4.1"),
            ("*", "1.4.1", ">=1.4.1"),
            (">=1.0", "1.4.1", ">=1.4.1"),
            (">= 1.0, < 2.0", "1.4.1", ">= 1.4.1, < 2.0"),
            (">=1.0,<2", "3.1", ">=3.1,<4"),
            (">=1.0,<2.0", "3.1", ">=3.1,<4.0"),
            (">=1.0,<1.5", "1.6.2", ">=1.6.2,<1.7"),
            ("<2", "2.1", ">=2.1,<3"),
            ("<=1.5", "1.6", ">=1.6,<=1.6"),
            (">1.0", "1.4", ">=1.4"),
            ("==1.0", "1.4.1", "==1.4.1"),
            ("1.0", "1.4.1", "1.4.1"),
            ("===1.0", "1.4.1", "===1.4.1"),
            ("==1.*", "2.3.1", "==2.*,>=2.3.1"),
            ("==1.0.*", "2", "==2.0.*,>=2"),
            ("~=1.4", "2.3.1", "~=2.3,>=2.3.1"),
            ("~=1.4.2", "1.4.5", "~=1.4.5"),
            ("^1.2", "2.3.1", "^2.3.1"),
            ("~1.2", "1.3.1", "~1.3.1"),
            (">=1,!=1.2", "1.3", ">=1.3,!=1.2"),
            ("==1.0+cpu", "1.1+cpu", "==1.1+cpu"),
        ] {
            let raised = raise(requirement, version);
            assert_eq!(raised.as_deref(), Ok(expected), "{requirement} {version}");
        }
    }

    #[test]
    fn other_requirements_are_not_raised() {
        for (requirement, version) in [
            ("^1 || ^2", "2.1"),
            ("!=1.5", "1.5"),
            ("@ https://h.invalid/a.zip", "1.5"),
            (">=1", "odd-one"),
        ] {
            assert!(raise(requirement, version).is_err(), "{requirement}");
        }
    }
}
