//! Requirements of Maven (<https://maven.apache.org/pom.html#dependency-version-requirement-specification>)
//! and Gradle (<https://docs.gradle.org/current/userguide/dependency_versions.html>).
//!
//! Both tools may select another version than a file requires, because a nearer or a newer
//! requirement exists elsewhere. A single version (`1.0`) and a range count as written.

use std::ops::Bound;

use patchgate_model::SmolStr;

use super::{Maven, NAME, coordinates};
use crate::version::comparison::{check_length, refuse, successor};
use crate::version::number::is_digits;
use crate::{Interval, RequirementError, VersionSet};

/// The versions that a requirement admits.
///
/// These admit every version: a property without a value, the newest version (`LATEST`, `RELEASE`,
/// `latest.release`), and a version that is only preferred.
pub(super) fn admitted(requirement: &str) -> Result<VersionSet, RequirementError> {
    check_length(requirement)?;
    let text = requirement.trim();
    // The preferred version of a rich version comes last, and the range before it decides.
    let text = text.split_once(", prefer ").map_or(text, |(text, _)| text);

    if let Some(strict) = text.strip_prefix("strictly ") {
        let (strict, _) = strict.split_once(", require ").unwrap_or((strict, ""));
        return simple(requirement, strict);
    }
    match text.strip_prefix("require ") {
        Some(required) => simple(requirement, required),
        None if text.starts_with("prefer ") => Ok(VersionSet::all()),
        None => simple(requirement, text),
    }
}

/// The versions that a requirement without keywords admits.
fn simple(requirement: &str, text: &str) -> Result<VersionSet, RequirementError> {
    // A strict version or range in one text: `1.0!!`, `[1,2)!!1.5`.
    let text = text.split_once("!!").map_or(text, |(strict, _)| strict);
    let text = text.trim();

    if text.contains("${")
        || matches!(text, "" | "LATEST" | "RELEASE")
        || text.starts_with("latest.")
    {
        return Ok(VersionSet::all());
    }
    if text.starts_with(['[', '(', ']']) {
        return ranges(text).ok_or_else(|| refuse(NAME, requirement));
    }
    if coordinates::is_version(text) {
        return Ok(Interval::exactly(text).into());
    }
    match text.strip_suffix('+') {
        Some(start) if start.is_empty() || coordinates::is_version(start) => Ok(starting(start)),
        _ => Err(refuse(NAME, requirement)),
    }
}

/// A union of ranges: `(,1.0],[1.2,)`. Gradle also writes an exclusive bound as the other bracket:
/// `]1.0,2.0[`.
fn ranges(text: &str) -> Option<VersionSet> {
    let mut set = VersionSet::default();
    let mut rest = text;
    loop {
        let opened_by = rest.chars().next()?;
        let body = rest.strip_prefix(['[', '(', ']'])?;
        let end = body.find([']', ')', '['])?;
        let (body, after) = body.split_at_checked(end)?;
        let closed_by = after.chars().next()?;
        set.intervals
            .extend(range(body, opened_by == '[', closed_by == ']')?.intervals);

        rest = after.get(1..)?.trim_start();
        if rest.is_empty() {
            return Some(set);
        }
        rest = rest.strip_prefix(',')?.trim_start();
    }
}

/// The range between two brackets; `None` if it is invalid.
fn range(body: &str, includes_lower: bool, includes_upper: bool) -> Option<VersionSet> {
    let Some((lower, upper)) = body.split_once(',') else {
        let version = body.trim();
        // `[1.2.*]` is short for the versions that start with `1.2`.
        if let Some(start) = version.strip_suffix('*') {
            let is_sound = start.ends_with('.') && coordinates::is_version(start);
            return is_sound.then(|| starting(start));
        }
        let is_exact = includes_lower && includes_upper && coordinates::is_version(version);
        return is_exact.then(|| Interval::exactly(version).into());
    };

    let bound = |text: &str, is_included: bool| {
        let text = text.trim();
        let version = SmolStr::new(text);
        match (text, is_included) {
            ("", _) => Some(Bound::Unbounded),
            _ if !coordinates::is_version(text) => None,
            (_, true) => Some(Bound::Included(version)),
            (_, false) => Some(Bound::Excluded(version)),
        }
    };
    let interval = Interval::new(bound(lower, includes_lower)?, bound(upper, includes_upper)?);
    let set = VersionSet::from(interval);
    // Maven refuses a range without versions.
    (!set.is_empty(&Maven).ok()?).then_some(set)
}

/// The versions that start with a text: `1.` of `1.+`, or `1` of `1+`, which `10.2` starts with, too.
/// The set is larger than that if no interval can express it.
fn starting(text: &str) -> VersionSet {
    let numbers = text.strip_suffix('.').unwrap_or(text);
    let mut parts: Vec<&str> = numbers.split('.').collect();
    if !parts.iter().all(|part| is_digits(part)) {
        return VersionSet::all();
    }

    // The number that the versions cannot exceed: the last one, or the one before it if the last one
    // can have more digits.
    if numbers == text {
        parts.pop();
    }
    let upper = match parts.pop() {
        None => Bound::Unbounded,
        Some(last) => {
            let next = successor(last);
            parts.push(&next);
            Bound::Excluded(before(&parts.join(".")))
        }
    };
    Interval::new(Bound::Included(before(numbers)), upper).into()
}

/// A version before the pre-releases of a version. Maven's order has no first one; published versions
/// have at most two such words.
fn before(version: &str) -> SmolStr {
    SmolStr::from(format!("{version}-alpha-alpha"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::version::comparison::{assert_admitted, assert_refused};

    #[test]
    fn requirements_of_maven() {
        assert_admitted(
            &Maven,
            &[
                (
                    "1.0",
                    &["1.0", "1", "1.0.0", "1.0-ga"],
                    &["1.0.1", "0.9", "1.0-alpha"],
                ),
                ("[1.0]", &["1.0"], &["1.0.1", "1.0-SNAPSHOT"]),
                (
                    "[1.0,2.0)",
                    &["1.0", "1.9.9", "1.10", "2.0-alpha-1", "2.0-SNAPSHOT"],
                    &["0.9", "1.0-beta", "2.0", "2.0.1"],
                ),
                ("[1.0,2.0]", &["1.0", "2.0"], &["2.0.1"]),
                ("(1.0,2.0)", &["1.0.1"], &["1.0", "2.0"]),
                (
                    "(,1.0],[1.2,)",
                    &["0.1", "1.0", "1.2", "9"],
                    &["1.0.1", "1.1"],
                ),
                ("(,1.1),(1.1,)", &["1.0", "1.1.1"], &["1.1"]),
                ("[1.5,)", &["1.5", "99"], &["1.4"]),
                ("[,2]", &["2", "0.1"], &["2.1"]),
                (" [ 1.0 , 2.0 ) ", &["1.0"], &["2.0"]),
                ("[1.0,1.0]", &["1.0"], &["1.0.1"]),
                (
                    "[1.2.*]",
                    &["1.2", "1.2.9", "1.2-rc1"],
                    &["1.1.9", "1.3", "1.3-alpha1"],
                ),
                ("LATEST", &["0.1", "9-SNAPSHOT"], &[]),
                ("RELEASE", &["0.1", "9"], &[]),
                ("${spring.version}", &["0.1", "9"], &[]),
                ("[${low},2.0)", &["0.1", "9"], &[]),
                ("", &["1"], &[]),
            ],
        );
    }

    #[test]
    fn requirements_of_gradle() {
        assert_admitted(
            &Maven,
            &[
                ("+", &["0.1", "9"], &[]),
                (
                    "1.+",
                    &["1.0", "1.9.9", "1.0-alpha1", "1.0-alpha-SNAPSHOT", "1.10.2"],
                    &["0.9", "2.0", "2.0-alpha1"],
                ),
                (
                    "1.2.+",
                    &["1.2.0", "1.2.99"],
                    &["1.1", "1.3", "1.3-rc1", "1.20"],
                ),
                ("1.2+", &["1.2", "1.20.4", "1.29"], &["1.1.9", "2.0"]),
                ("1+", &["1", "10.2", "100"], &["0.9"]),
                ("1.0-rc+", &["1.0-rc1"], &[]),
                ("latest.release", &["0.1"], &[]),
                ("latest.integration", &["0.1-SNAPSHOT"], &[]),
                ("]1.0, 2.0[", &["1.0.1"], &["1.0", "2.0"]),
                ("[1.0,2.0[", &["1.0"], &["2.0"]),
                (
                    "strictly [1.0, 2.0), prefer 1.+",
                    &["1.0", "1.9"],
                    &["2.0", "0.9"],
                ),
                ("strictly [1.0,2.0), require 3.+", &["1.0"], &["3.0"]),
                ("require [1.0,2.0), prefer 1.5", &["1.0"], &["2.0"]),
                ("strictly 1.+", &["1.5"], &["2.0"]),
                ("prefer 1.+", &["0.1", "9"], &[]),
                ("[1.0,2.0)!!", &["1.0"], &["2.0"]),
                ("1.+!!", &["1.5"], &["2.0"]),
            ],
        );
    }

    #[test]
    fn what_is_no_requirement_is_an_error() {
        let text = "is not a requirement of Maven";
        assert_refused(
            &Maven,
            &[
                ("(1.0)", text),
                ("[1.0)", text),
                ("[1.0", text),
                ("[2.0,1.0]", text),
                ("(1.0,1.0)", text),
                ("[1.0,1.0)", text),
                ("[1.0,2.0)x", text),
                ("[1.0,2.0),", text),
                ("[1.0,2.0),1.5", text),
                ("[1,2,3]", text),
                ("1.0,1.1", text),
                ("1.0 2.0", text),
                ("$version", text),
                ("../lib", "names a directory or a file, not versions"),
                ("https://a.invalid/b.jar", "names an address, not versions"),
            ],
        );
    }
}
