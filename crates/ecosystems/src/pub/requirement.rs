//! Version constraints of pub (<https://dart.dev/tools/pub/dependencies#version-constraints>,
//! <https://pub.dev/documentation/pub_semver>).

use patchgate_model::SmolStr;
use std::ops::Bound;

use super::{NAME, Pub, version};
use crate::version::comparison::{Comparison, check_length, in_all, refuse, successor};
use crate::{Interval, RequirementError, VersionSet};

/// The versions that a constraint admits: `any`, `^1.2.3`, `1.2.3`, or comparisons that all must be
/// true (`>=1.0.0 <2.0.0`). Pre-releases between the bounds count, because pub takes one if there is
/// no release.
pub(super) fn admitted(requirement: &str) -> Result<VersionSet, RequirementError> {
    check_length(requirement)?;
    let text = requirement.trim();
    if matches!(text, "" | "any") {
        return Ok(VersionSet::all());
    }
    let wrong = || refuse(NAME, requirement);
    if let Some(version) = text.strip_prefix('^') {
        return caret(version.trim_start()).ok_or_else(wrong);
    }

    let mut parts = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (sign, after) = match Comparison::split(rest) {
            Some((Comparison::Equal | Comparison::NotEqual, _)) => return Err(wrong()),
            Some((sign, after)) => (sign, after.trim_start()),
            None => (Comparison::Equal, rest),
        };
        let end = after.find(|c: char| c.is_whitespace() || "<>=!^".contains(c));
        let (version, after) = after
            .split_at_checked(end.unwrap_or(after.len()))
            .ok_or_else(wrong)?;
        version::parse(version).ok_or_else(wrong)?;
        parts.push((sign, version));
        rest = after.trim_start();
    }

    let lower_prerelease = parts.iter().find_map(|(sign, version)| {
        let is_lower = matches!(sign, Comparison::Greater | Comparison::GreaterEqual);
        release_of(version).filter(|_| is_lower)
    });
    let sets = parts.iter().map(|(sign, version)| match sign {
        // `<2.0.0` also excludes the pre-releases of 2.0.0, unless the lower bound is one of them.
        Comparison::Less if release_of(version).is_none() => {
            let numbers = version.split('+').next().unwrap_or(version);
            let below = match lower_prerelease.as_deref() == Some(numbers) {
                true => SmolStr::new(version),
                false => SmolStr::from(format!("{numbers}-0")),
            };
            Interval::new(Bound::Unbounded, Bound::Excluded(below)).into()
        }
        sign => sign.set(version),
    });
    in_all(&Pub, requirement, sets)
}

/// The release that a pre-release precedes.
pub(super) fn release_of(text: &str) -> Option<String> {
    version::parse(text).filter(|(version, _)| !version.pre.is_none())?;
    text.split_once('-').map(|(numbers, _)| numbers.to_owned())
}

/// `^1.2.3` admits versions below 2.0.0, and `^0.1.2` versions below 0.2.0.
fn caret(version: &str) -> Option<VersionSet> {
    let (parsed, _) = version::parse(version)?;
    let [major, minor, _] = parsed.core.map(|number| number.digits());
    let next = match major {
        "0" => format!("0.{}.0-0", successor(minor)),
        major => format!("{}.0.0-0", successor(major)),
    };
    Some(Interval::between(version, &next).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::version::comparison::{assert_admitted, assert_refused};

    #[test]
    fn constraints_admit_what_pub_admits() {
        assert_admitted(
            &Pub,
            &[
                ("any", &["0.0.1", "9.0.0-a"], &[]),
                ("", &["0.0.1"], &[]),
                (
                    "^1.2.3",
                    &["1.2.3", "1.9.0", "1.3.0-beta", "1.2.3+1"],
                    &["1.2.2", "2.0.0", "2.0.0-beta", "1.2.3-beta"],
                ),
                (
                    "^0.1.2",
                    &["0.1.2", "0.1.9"],
                    &["0.2.0", "0.2.0-a", "0.1.1"],
                ),
                ("^0.0.3", &["0.0.3", "0.0.9"], &["0.1.0", "0.0.2"]),
                (
                    "^1.2.3-beta",
                    &["1.2.3-beta", "1.2.3"],
                    &["1.2.3-alpha", "2.0.0"],
                ),
                ("1.2.3", &["1.2.3"], &["1.2.4", "1.2.3+1", "1.2.3-a"]),
                (
                    ">=1.0.0 <2.0.0",
                    &["1.0.0", "1.9.9"],
                    &["0.9.9", "2.0.0", "2.0.0-rc"],
                ),
                (">=1.0.0<2.0.0", &["1.0.0"], &["2.0.0"]),
                ("<2.0.0 >=1.0.0", &["1.0.0"], &["2.0.0"]),
                (">=2.0.0-dev <2.0.0", &["2.0.0-dev", "2.0.0-rc"], &["2.0.0"]),
                ("> 1.0.0", &["1.0.1"], &["1.0.0"]),
                ("<=2.0.0", &["2.0.0", "2.0.0-rc"], &["2.0.1"]),
                ("<2.0.0-rc", &["2.0.0-beta"], &["2.0.0-rc"]),
                (">2.0.0 <1.0.0", &[], &["1.5.0"]),
            ],
        );
    }

    #[test]
    fn what_is_no_constraint_is_an_error() {
        let text = "is not a requirement of Pub";
        assert_refused(
            &Pub,
            &[
                ("1.2", text),
                ("^1.2", text),
                (">=1", text),
                (">=", text),
                ("=1.2.3", text),
                ("^1.0.0 <2.0.0", text),
                ("1.0.0 || 2.0.0", text),
                ("x", text),
                ("https://a.invalid/b.git", "names an address, not versions"),
            ],
        );
    }
}
