//! The versions that an entry in `[compat]` admits
//! (<https://pkgdocs.julialang.org/v1/compatibility/#Version-specifier-format>): alternatives
//! separated by commas.
//!
//! Bounds are compared by major, minor and patch alone, so a set contains the pre-releases of its
//! smallest version and not those of its end. `1.2.0-` sorts before all of them.

use super::Julia;
use crate::requirement_text::{RequirementText, next_prefix, operator};
use crate::version::number::is_digits;
use crate::{Interval, RequirementError, VersionSet};

/// Longer operators first, because a shorter one may be a prefix of them.
const OPERATORS: [&str; 6] = [">=", "≥", "=", "<", "^", "~"];

/// The versions that an entry admits.
pub(super) fn admitted(requirement: &str) -> Result<VersionSet, RequirementError> {
    let text = RequirementText::new(&Julia, requirement)?;
    if matches!(requirement.trim(), "" | "*") {
        return Ok(VersionSet::all());
    }

    text.any_of(requirement.split(',').map(|alternative| {
        let interval = match alternative.split_once(" - ") {
            Some((from, to)) => hyphen(from, to),
            None => single(alternative),
        };
        interval.map(VersionSet::from).ok_or_else(|| text.invalid())
    }))
}

fn hyphen(from: &str, to: &str) -> Option<Interval> {
    let (from, to) = (numbers(from)?, numbers(to)?);
    Some(between(&from, &next_prefix(&to, to.len())))
}

fn single(text: &str) -> Option<Interval> {
    let (operator, version) = operator(text, &OPERATORS);
    let version = numbers(version)?;
    let upto = |kept: usize| between(&version, &next_prefix(&version, kept));
    Some(match operator {
        "" | "^" => {
            let zeros = version.iter().take_while(|number| is_zero(number)).count();
            upto((zeros + 1).min(version.len()))
        }
        "~" => upto(version.len().min(2)),
        // Missing numbers are zero.
        "=" => upto(3),
        "<" => Interval::below(&lowest(&version.join("."))),
        _ => Interval::at_least(&lowest(&version.join("."))),
    })
}

fn between(from: &[&str], end: &str) -> Interval {
    Interval::between(&lowest(&from.join(".")), &lowest(end))
}

/// The text that sorts before all pre-releases of a version.
fn lowest(version: &str) -> String {
    let missing = 2_usize.saturating_sub(version.matches('.').count());
    format!("{version}{}-", ".0".repeat(missing))
}

fn is_zero(number: &str) -> bool {
    number.bytes().all(|byte| byte == b'0')
}

/// One to three numbers, optionally after a `v`.
fn numbers(version: &str) -> Option<Vec<&str>> {
    let version = version.trim();
    let numbers: Vec<&str> = version
        .strip_prefix('v')
        .unwrap_or(version)
        .split('.')
        .collect();
    (numbers.len() <= 3 && numbers.iter().all(|number| is_digits(number))).then_some(numbers)
}

/// The release that a pre-release precedes.
pub(super) fn release_of(version: &str) -> Option<String> {
    let version = version.strip_prefix('v').unwrap_or(version);
    super::version::parse(version)?;
    let version = version.split('+').next().unwrap_or(version);
    let end = version.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    version.get(..end).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use crate::requirement_text::{assert_refused, assert_rows};
    use crate::{Ecosystem as _, julia::Julia};

    #[test]
    fn entries_admit_by_the_rules_of_pkg() {
        assert_rows(
            &Julia,
            &[
                ("", "1.0.0", true),
                ("1.2.3", "1.9.0", true),
                ("1.2.3", "1.2.2", false),
                ("^1.2.3", "2.0.0", false),
                ("^1.2.3", "2.0.0-rc1", false),
                ("^1.2.3", "1.2.3-rc1", true),
                ("1", "1.0.0+1", true),
                ("0.2.3", "0.2.9", true),
                ("0.2.3", "0.3.0", false),
                ("0.0.3", "0.0.3+4", true),
                ("0.0.3", "0.0.4", false),
                ("0.0", "0.0.9", true),
                ("0.0", "0.1.0", false),
                ("0", "0.9.0", true),
                ("0", "1.0.0", false),
                ("~1.2.3", "1.2.9", true),
                ("~1.2.3", "1.3.0", false),
                ("~1.2", "1.3.0", false),
                ("~1", "1.9.0", true),
                ("~0.0.3", "0.0.9", true),
                ("=1.2.3", "1.2.3+1", true),
                ("= 1.2", "1.2.0", true),
                ("=1.2", "1.2.1", false),
                ("<1.2", "1.1.9", true),
                ("<1.2", "1.2.0-rc1", false),
                (">= 1.2", "3.0.0", true),
                ("≥ 1.2", "1.1.0", false),
                ("1.2 - 1.4", "1.4.9", true),
                ("1.2 - 1.4", "1.5.0", false),
                ("1.2.3 - 4", "4.9.0", true),
                ("1.2.3 - 4.5.6", "4.5.7", false),
                ("0.5, 1.2", "0.5.1", true),
                ("0.5, 1.2", "0.6.0", false),
                ("v1.2", "1.3.0", true),
            ],
        );
    }

    #[test]
    fn other_texts_are_errors() {
        assert_refused(
            &Julia,
            &[
                ",",
                "1.2.3.4",
                "1.x",
                ">1.2",
                "<=1.2",
                "1-2",
                "latest",
                "https://h.invalid/a.jl",
            ],
        );
    }

    #[test]
    fn pre_releases_precede_their_release() {
        for (version, release) in [
            ("1.2.0-rc1", Some("1.2.0")),
            ("v1.2rc1+3", Some("1.2")),
            ("1.2-", Some("1.2")),
            ("1.2.0+rc1", None),
            ("1.2.0", None),
        ] {
            assert_eq!(Julia.release_of(version).as_deref(), release, "{version}");
        }
    }
}
