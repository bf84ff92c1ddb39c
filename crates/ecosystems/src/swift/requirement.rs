//! Requirements of Swift Package Manager, as a `Package.swift` writes them
//! (<https://docs.swift.org/package-manager/PackageDescription/PackageDescription.html#package-dependency-requirement>).

use std::ops::Bound;

use patchgate_model::SmolStr;

use super::{NAME, version};
use crate::version::comparison::{check_length, refuse, successor};
use crate::{Interval, Prereleases, RequirementError, VersionSet};

/// The versions that a requirement admits: `from: "1.2.3"`, `exact: "1.2.3"`,
/// `.upToNextMinor(from: "1.2.3")`, `"1.0.0"..<"2.0.0"`, `"1.0.0"..."1.9.9"`. A branch admits every
/// version. The quotes can be missing.
pub(super) fn admitted(requirement: &str) -> Result<VersionSet, RequirementError> {
    check_length(requirement)?;
    let wrong = || refuse(NAME, requirement);
    let text: String = requirement
        .chars()
        .filter(|c| !c.is_whitespace() && *c != '"')
        .collect();
    if text.is_empty() {
        return Ok(VersionSet::all());
    }

    let (call, rest) = match text.strip_prefix('.').and_then(|text| text.split_once('(')) {
        Some((call, rest)) => (call, rest.strip_suffix(')').ok_or_else(wrong)?),
        None => ("", text.as_str()),
    };
    let (label, value) = rest.split_once(':').unwrap_or(("", rest));
    match (call, label) {
        ("" | "upToNextMajor", "from") => up_to(value, 1),
        ("upToNextMinor", "from") => up_to(value, 2),
        ("", "exact") | ("exact", "") => {
            version::parse(value).map(|_| Interval::exactly(value).into())
        }
        ("", "branch") | ("branch", "") if !value.is_empty() => Some(VersionSet::all()),
        ("", "revision") | ("revision", "") => {
            return Err(RequirementError::new(
                requirement,
                "names a commit, and its version is unknown",
            ));
        }
        ("", "path") => {
            return Err(RequirementError::new(
                requirement,
                "names a directory or a file, not versions",
            ));
        }
        ("", "") => range(value),
        _ => None,
    }
    .ok_or_else(wrong)
}

/// The versions from one up to the next major (`numbers` is 1) or minor (2) version.
fn up_to(low: &str, numbers: usize) -> Option<VersionSet> {
    let core = version::parse(low)?.core.map(|number| number.digits());
    let next = match (numbers, core) {
        (1, [major, ..]) => format!("{}.0.0", successor(major)),
        (_, [major, minor, _]) => format!("{major}.{}.0", successor(minor)),
    };
    between(low, &next)
}

/// `1.0.0..<2.0.0`, and `1.0.0...1.9.9`, whose last version is included.
fn range(text: &str) -> Option<VersionSet> {
    if let Some((low, high)) = text.split_once("..<") {
        return between(low, high);
    }
    let (low, high) = text.split_once("...")?;
    version::parse(low)?;
    let [major, minor, patch] = version::parse(high)?.core.map(|number| number.digits());
    between(low, &format!("{major}.{minor}.{}", successor(patch)))
}

/// The versions between two. They include pre-releases if a bound is one, but not those of an upper
/// bound that is a release.
fn between(low: &str, high: &str) -> Option<VersionSet> {
    let (from, to) = (version::parse(low)?, version::parse(high)?);
    let has_none = from.pre.is_none() && to.pre.is_none();
    let high = match to.pre.is_none() {
        true => SmolStr::from(format!("{}-0", whole(high)?)),
        false => SmolStr::new(high),
    };
    let interval = Interval::new(Bound::Included(low.into()), Bound::Excluded(high));
    Some(VersionSet::from(match has_none {
        true => interval.with_prereleases(Prereleases::Of(Vec::new())),
        false => interval,
    }))
}

/// The three numbers of a version.
fn whole(text: &str) -> Option<String> {
    let numbers = version::parse(text)?.core.map(|number| number.digits());
    Some(numbers.join("."))
}

/// The release that a pre-release precedes.
pub(super) fn release_of(text: &str) -> Option<String> {
    version::parse(text).filter(|version| !version.pre.is_none())?;
    whole(text)
}

#[cfg(test)]
mod tests {
    use crate::swift::Swift;
    use crate::version::comparison::{assert_admitted, assert_refused};

    #[test]
    fn requirements_admit_what_swift_admits() {
        let major: (&[&str], &[&str]) = (
            &["1.2.3", "1.99.0"],
            &["1.2.2", "2.0.0", "2.0.0-beta", "1.3.0-beta"],
        );
        assert_admitted(
            &Swift,
            &[
                ("from: \"1.2.3\"", major.0, major.1),
                ("from:1.2.3", major.0, major.1),
                (".upToNextMajor(from: \"1.2.3\")", major.0, major.1),
                (
                    "from: \"1.2.3-beta\"",
                    &["1.2.3-beta", "1.3.0-rc"],
                    &["2.0.0-beta"],
                ),
                ("from: \"0.1.0\"", &["0.1.0", "0.99.0"], &["1.0.0"]),
                (
                    ".upToNextMinor(from: \"1.2.3\")",
                    &["1.2.3", "1.2.99"],
                    &["1.3.0"],
                ),
                ("exact: \"1.2.3\"", &["1.2.3"], &["1.2.4"]),
                (".exact(\"1.2.3\")", &["1.2.3"], &["1.2.4"]),
                (
                    "\"1.0.0\"..<\"2.0.0\"",
                    &["1.0.0", "1.9.9"],
                    &["2.0.0", "2.0.0-a"],
                ),
                (
                    "\"1.0.0\" ... \"1.9.9\"",
                    &["1.0.0", "1.9.9"],
                    &["1.9.10", "2.0.0"],
                ),
                ("branch: \"main\"", &["0.1.0", "9.0.0-a"], &[]),
                (".branch(\"main\")", &["0.1.0"], &[]),
                ("", &["0.1.0"], &[]),
            ],
        );
    }

    #[test]
    fn what_names_no_versions_is_an_error() {
        let text = "is not a requirement of SwiftURL";
        assert_refused(
            &Swift,
            &[
                (
                    "revision: \"abc\"",
                    "names a commit, and its version is unknown",
                ),
                (
                    "path: \"../a\"",
                    "names a directory or a file, not versions",
                ),
                ("from: \"x\"", text),
                ("from: someVersion", text),
                ("\"1.0.0\"..<", text),
                (".upToNextMajor(from: \"1.2.3\"", text),
                ("1.0.0", text),
                ("branch:", text),
            ],
        );
    }
}
