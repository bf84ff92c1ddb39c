//! Cargo's version requirements: matching, and raising to a new lower bound
//! (<https://doc.rust-lang.org/cargo/reference/specifying-dependencies.html>).

use std::cmp::Ordering;
use std::ops::Bound;

use semver::{BuildMetadata, Comparator, Op, Version, VersionReq};

use patchgate_model::SmolStr;

use super::{Cargo, NAME};
use crate::{Interval, Prereleases, RequirementError, VersionSet};

fn error(requirement: &str, reason: impl Into<String>) -> RequirementError {
    RequirementError {
        requirement: requirement.to_owned(),
        reason: reason.into(),
    }
}

fn parse(requirement: &str) -> Result<VersionReq, RequirementError> {
    VersionReq::parse(requirement)
        .map_err(|_| error(requirement, format!("is not a requirement of {NAME}")))
}

fn parse_version(requirement: &str, version: &str) -> Result<Version, RequirementError> {
    Version::parse(version).map_err(|_| {
        error(
            requirement,
            format!("cannot be compared with `{version}`, which is not a version for Cargo"),
        )
    })
}

/// Whether Cargo accepts `version` for `requirement`.
pub(super) fn admits(requirement: &str, version: &str) -> Result<bool, RequirementError> {
    let parsed = parse(requirement)?;
    Ok(parsed.matches(&parse_version(requirement, version)?))
}

/// The versions that a requirement admits. A pre-release is among them only if a part of the
/// requirement names a pre-release of the same release.
pub(super) fn admitted(requirement: &str) -> Result<VersionSet, RequirementError> {
    if requirement.trim().is_empty() {
        return Ok(VersionSet::from(
            Interval::new(Bound::Unbounded, Bound::Unbounded)
                .with_prereleases(Prereleases::Of(Vec::new())),
        ));
    }

    let comparators = parse(requirement)?.comparators;
    let mut named: Vec<Version> = comparators.iter().filter_map(named_prerelease).collect();
    named.sort();
    named.dedup();

    // Between the bounds of one comparator are only the pre-releases that it admits.
    if let ([one], [release]) = (comparators.as_slice(), named.as_slice()) {
        let rule = Prereleases::Of(vec![SmolStr::from(release.to_string())]);
        return Ok(bounds(one).with_prereleases(rule).into());
    }

    let mut releases = Interval::new(Bound::Unbounded, Bound::Unbounded).into();
    for comparator in &comparators {
        releases = common(requirement, &releases, bounds(comparator))?;
    }
    let without_prereleases =
        |interval: Interval| interval.with_prereleases(Prereleases::Of(Vec::new()));
    let mut admitted: VersionSet = releases
        .intervals
        .into_iter()
        .map(without_prereleases)
        .collect();

    for release in named {
        admitted
            .intervals
            .extend(prereleases(requirement, &comparators, &release)?.intervals);
    }
    Ok(admitted)
}

fn common(
    requirement: &str,
    set: &VersionSet,
    interval: Interval,
) -> Result<VersionSet, RequirementError> {
    set.intersection(&Cargo, &interval.into())
        .map_err(|wrong| error(requirement, wrong.to_string()))
}

/// The release whose pre-releases a comparator admits.
fn named_prerelease(comparator: &Comparator) -> Option<Version> {
    let (Some(minor), Some(patch)) = (comparator.minor, comparator.patch) else {
        return None;
    };
    (!comparator.pre.is_empty()).then(|| Version::new(comparator.major, minor, patch))
}

/// The pre-releases of a release that all comparators admit.
///
/// A comparator with missing numbers treats pre-releases differently from its bounds: `^1` admits
/// those of 1.0.0, and `1.*` admits none. It treats all of one release alike, as does a comparator of
/// another release, so one sample decides.
fn prereleases(
    requirement: &str,
    comparators: &[Comparator],
    release: &Version,
) -> Result<VersionSet, RequirementError> {
    let (major, minor, patch) = (release.major, release.minor, release.patch);
    let first = format!("{release}-0");
    let sample = parse_version(requirement, &first)?;
    let rule = Prereleases::Of(vec![SmolStr::from(release.to_string())]);
    let all = Interval::between(&first, &release.to_string()).with_prereleases(rule);

    let mut admitted = VersionSet::from(all);
    for comparator in comparators {
        let is_of_release = (comparator.major, comparator.minor, comparator.patch)
            == (major, Some(minor), Some(patch));
        if is_of_release {
            admitted = common(requirement, &admitted, bounds(comparator))?;
        } else if !admits_sample(comparator, &sample) {
            return Ok(VersionSet::default());
        }
    }
    Ok(admitted)
}

/// Whether a comparator admits a pre-release that another one names.
fn admits_sample(comparator: &Comparator, sample: &Version) -> bool {
    let names_it = Comparator {
        op: Op::GreaterEq,
        major: sample.major,
        minor: Some(sample.minor),
        patch: Some(sample.patch),
        pre: sample.pre.clone(),
    };
    let both = VersionReq {
        comparators: vec![comparator.clone(), names_it],
    };
    both.matches(sample)
}

/// The interval of a comparator
/// (<https://doc.rust-lang.org/cargo/reference/specifying-dependencies.html#version-requirement-syntax>).
fn bounds(comparator: &Comparator) -> Interval {
    let (major, minor, patch) = (comparator.major, comparator.minor, comparator.patch);
    let mut low = Version::new(major, minor.unwrap_or(0), patch.unwrap_or(0));
    low.pre = comparator.pre.clone();
    let start = SmolStr::from(low.to_string());

    // The first version after all that begin with the numbers that are written.
    let after_written = match (minor, patch) {
        (None, _) => Version::new(major.saturating_add(1), 0, 0),
        (Some(minor), None) => Version::new(major, minor.saturating_add(1), 0),
        (Some(minor), Some(patch)) => Version::new(major, minor, patch.saturating_add(1)),
    };
    let is_whole = patch.is_some();
    let before = |version: Version| Bound::Excluded(SmolStr::from(version.to_string()));

    match comparator.op {
        Op::Exact if is_whole => Interval::exactly(&start),
        Op::Greater if is_whole => Interval::new(Bound::Excluded(start), Bound::Unbounded),
        Op::Greater => Interval::at_least(&after_written.to_string()),
        Op::GreaterEq => Interval::at_least(&start),
        Op::Less => Interval::below(&start),
        Op::LessEq if is_whole => Interval::new(Bound::Unbounded, Bound::Included(start)),
        Op::LessEq => Interval::new(Bound::Unbounded, before(after_written)),
        Op::Tilde => {
            let end = match minor {
                None => Version::new(major.saturating_add(1), 0, 0),
                Some(minor) => Version::new(major, minor.saturating_add(1), 0),
            };
            Interval::new(Bound::Included(start), before(end))
        }
        Op::Caret => {
            let end = match (major, minor, patch) {
                (0, None, _) => Version::new(1, 0, 0),
                (0, Some(0), None) => Version::new(0, 1, 0),
                (0, Some(0), Some(patch)) => Version::new(0, 0, patch.saturating_add(1)),
                (0, Some(minor), _) => Version::new(0, minor.saturating_add(1), 0),
                _ => Version::new(major.saturating_add(1), 0, 0),
            };
            Interval::new(Bound::Included(start), before(end))
        }
        // An exact version with missing numbers, a wildcard, and operators that a newer crate adds.
        _ => Interval::new(Bound::Included(start), before(after_written)),
    }
}

/// The requirement in the same style with `version` as its smallest version.
///
/// - A requirement with fewer than three numbers keeps its length if `version` is then still the
///   smallest: `1.2` becomes `1.4` for 1.4.0, and `1.4.2` for 1.4.2.
/// - In a range, the lower bound is replaced. The upper bound changes only if it excludes the
///   version, to the next version with the same number of parts: `>=1.2, <2` becomes `>=2.1, <3`
///   for 2.1.0.
/// - A wildcard that cannot express the version becomes the equivalent range.
///
/// A version below the requirement is an error, because that would lower it.
pub(super) fn raise(requirement: &str, version: &str) -> Result<String, RequirementError> {
    let old = parse(requirement)?;
    let mut version = parse_version(requirement, version)?;
    version.build = BuildMetadata::EMPTY;

    if old
        .comparators
        .iter()
        .filter_map(lower_bound)
        .any(|bound| bound.cmp_precedence(&version) == Ordering::Greater)
    {
        return Err(error(
            requirement,
            format!("asks for a version above `{version}`"),
        ));
    }

    let raised = match old.comparators.as_slice() {
        [] => format!(">={version}"),
        [one] => single(requirement, one, &version)?,
        several => range(requirement, several, &version)?,
    };

    if VersionReq::parse(&raised).is_ok_and(|new| new.matches(&version)) {
        Ok(raised)
    } else {
        Err(error(
            requirement,
            format!("cannot be raised to `{version}` in its own style"),
        ))
    }
}

/// The smallest version that a comparator can admit; `None` for one that only sets an upper bound.
fn lower_bound(comparator: &Comparator) -> Option<Version> {
    (!matches!(comparator.op, Op::Less | Op::LessEq)).then(|| Version {
        major: comparator.major,
        minor: comparator.minor.unwrap_or(0),
        patch: comparator.patch.unwrap_or(0),
        pre: comparator.pre.clone(),
        build: BuildMetadata::EMPTY,
    })
}

/// Raises a requirement with one comparator.
fn single(
    requirement: &str,
    one: &Comparator,
    version: &Version,
) -> Result<String, RequirementError> {
    match one.op {
        Op::Less | Op::LessEq => {
            let upper = upper_bound(requirement, requirement, one, version)?;
            Ok(format!(">={version}, {}", upper.trim()))
        }
        Op::Wildcard => Ok(wildcard(one, version)),
        Op::Greater => {
            Ok(replace_version(requirement, one, &version.to_string()).replacen('>', ">=", 1))
        }
        _ => Ok(replace_version(requirement, one, &shortest(one, version))),
    }
}

/// Raises a requirement with several comparators. Each part keeps the blanks around it.
fn range(
    requirement: &str,
    several: &[Comparator],
    version: &Version,
) -> Result<String, RequirementError> {
    let parts: Vec<&str> = requirement.split(',').collect();
    if parts.len() != several.len() {
        return Err(error(
            requirement,
            "cannot be raised: its parts are unclear",
        ));
    }

    let mut has_lower = false;
    let mut raised = Vec::with_capacity(parts.len());
    for (part, comparator) in parts.into_iter().zip(several) {
        raised.push(match comparator.op {
            Op::Less | Op::LessEq => upper_bound(requirement, part, comparator, version)?,
            Op::Wildcard => {
                has_lower = true;
                wildcard(comparator, version)
            }
            Op::Greater => {
                has_lower = true;
                replace_version(part, comparator, &version.to_string()).replacen('>', ">=", 1)
            }
            _ => {
                has_lower = true;
                replace_version(part, comparator, &shortest(comparator, version))
            }
        });
    }

    let raised = raised.join(",");
    Ok(if has_lower {
        raised
    } else {
        format!(">={version}, {}", raised.trim_start())
    })
}

/// A part with `<` or `<=`, with a new bound if the old one excludes the version.
fn upper_bound(
    requirement: &str,
    part: &str,
    comparator: &Comparator,
    version: &Version,
) -> Result<String, RequirementError> {
    if comparator.matches(version) {
        return Ok(part.to_owned());
    }

    let too_large = || error(requirement, format!("cannot be raised above `{version}`"));
    let next = |number: u64| number.checked_add(1).ok_or_else(too_large);
    let (major, minor, patch) = (version.major, version.minor, version.patch);
    let text = match (comparator.op, comparator.minor, comparator.patch) {
        (Op::LessEq, _, Some(_)) => version.to_string(),
        (Op::LessEq, Some(_), None) => format!("{major}.{minor}"),
        (Op::LessEq, None, _) => major.to_string(),
        (_, None, _) => next(major)?.to_string(),
        (_, Some(0), None) => format!("{}.0", next(major)?),
        (_, Some(0), Some(0)) => format!("{}.0.0", next(major)?),
        (_, Some(_), None) => format!("{major}.{}", next(minor)?),
        (_, Some(_), Some(0)) => format!("{major}.{}.0", next(minor)?),
        (_, Some(_), Some(_)) => format!("{major}.{minor}.{}", next(patch)?),
    };

    Ok(replace_version(part, comparator, &text))
}

/// The wildcard that begins at the version if there is one, else the range from the version to the
/// wildcard's end.
fn wildcard(comparator: &Comparator, version: &Version) -> String {
    let (major, minor) = (version.major, version.minor);
    let plain = version.pre.is_empty() && version.patch == 0;
    match comparator.minor {
        None if plain && minor == 0 => format!("{major}.*"),
        None => format!(">={version}, <{}", major.saturating_add(1)),
        Some(_) if plain => format!("{major}.{minor}.*"),
        Some(_) => format!(">={version}, <{major}.{}", minor.saturating_add(1)),
    }
}

/// The version in as few numbers as possible: at least as many as the comparator had, and enough
/// that the version is the smallest one admitted.
fn shortest(comparator: &Comparator, version: &Version) -> String {
    let (major, minor) = (version.major, version.minor);
    // After a tilde or an equals sign fewer numbers mean a wider range, so the count is part of the
    // style. A complete version stays complete.
    match (comparator.minor, comparator.patch) {
        _ if !version.pre.is_empty() || version.patch != 0 => version.to_string(),
        (_, Some(_)) => version.to_string(),
        (None, _) if minor == 0 => major.to_string(),
        _ => format!("{major}.{minor}"),
    }
}

/// The part with a new version; operator and blanks are kept.
fn replace_version(part: &str, _: &Comparator, version: &str) -> String {
    let is_part_of_version = |c: char| !c.is_whitespace() && !"=<>~^".contains(c);
    let start = part.find(is_part_of_version).unwrap_or(part.len());
    let end = part.trim_end().len();
    format!("{}{version}{}", &part[..start], &part[end..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn admits_by_cargos_rules() {
        for (requirement, version, expected) in [
            ("1.2", "1.9.0", true),
            ("1.2", "2.0.0", false),
            ("0.2", "0.3.0", false),
            ("^0.0.3", "0.0.4", false),
            ("~1.2", "1.3.0", false),
            ("=1.5.4", "1.5.6", false),
            ("*", "9.9.9", true),
            ("*", "9.9.9-rc.1", false),
            ("1.0.0-rc.1", "1.0.0-rc.2", true),
            (">=1.2, <2", "1.9.9", true),
            ("1.*", "1.9.9", true),
            ("=1.2.3", "1.2.3+build", true),
        ] {
            assert_eq!(admits(requirement, version), Ok(expected), "{requirement}");
        }
    }

    #[test]
    fn raises_in_the_same_style() {
        for (requirement, version, expected) in [
            ("1.2", "1.4.0", "1.4"),
            ("1.2", "1.4.2", "1.4.2"),
            ("1", "1.4.2", "1.4.2"),
            ("1", "1.4.0", "1.4"),
            ("1", "2.0.0", "2"),
            ("1.2.3", "1.4.0", "1.4.0"),
            ("^1.2", "1.4.0", "^1.4"),
            ("^ 1.2", "1.4.1", "^ 1.4.1"),
            ("=1.5.4", "1.5.6", "=1.5.6"),
            ("= 1.5.4", "1.5.6", "= 1.5.6"),
            ("~1.2", "1.2.9", "~1.2.9"),
            ("~1.2", "1.3.0", "~1.3"),
            ("~1", "1.3.0", "~1.3"),
            ("*", "1.3.0", ">=1.3.0"),
            ("1.*", "2.0.0", "2.*"),
            ("1.*", "1.3.0", ">=1.3.0, <2"),
            ("1.2.*", "1.3.0", "1.3.*"),
            ("1.2.*", "1.2.7", ">=1.2.7, <1.3"),
            (">=1.2, <2", "1.4.2", ">=1.4.2, <2"),
            (">=1.2,<2", "2.1.0", ">=2.1,<3"),
            (">= 1.2.0, < 2.0.0", "2.1.3", ">= 2.1.3, < 3.0.0"),
            (">=1.2.0, <1.5.0", "1.5.1", ">=1.5.1, <1.6.0"),
            (">=1.2.0, <=1.5.0", "1.5.1", ">=1.5.1, <=1.5.1"),
            (">1.2.0", "1.5.1", ">=1.5.1"),
            ("<2", "1.4.0", ">=1.4.0, <2"),
            ("<2", "2.4.0", ">=2.4.0, <3"),
            (" 1.2 ", "1.4.2", " 1.4.2 "),
            ("0.3", "0.3.7", "0.3.7"),
            ("0.3.1", "0.4.0+wasi", "0.4.0"),
            ("1.0.0-rc.1", "1.0.0-rc.2", "1.0.0-rc.2"),
        ] {
            assert_eq!(
                raise(requirement, version).as_deref(),
                Ok(expected),
                "{requirement} {version}"
            );
        }
    }

    #[test]
    fn refuses_requirements_that_cannot_be_raised() {
        for (requirement, version, message) in [
            (
                "2.0",
                "1.5.0",
                "requirement `2.0` asks for a version above `1.5.0`",
            ),
            (
                "git",
                "1.5.0",
                "requirement `git` is not a requirement of crates.io",
            ),
            (
                "1",
                "x",
                "requirement `1` cannot be compared with `x`, which is not a version for Cargo",
            ),
        ] {
            let error = raise(requirement, version).unwrap_err();
            assert_eq!(error.to_string(), message);
        }
    }

    prop_compose! {
        fn any_requirement()(
            op in prop::sample::select(vec!["", "^", "~", "=", ">=", ">", "<", "<="]),
            parts in prop::collection::vec(0u64..4, 1..4),
            upper in prop::option::of(prop::collection::vec(0u64..5, 1..4)),
        ) -> String {
            let text = |parts: &[u64]| {
                parts.iter().map(u64::to_string).collect::<Vec<_>>().join(".")
            };
            match upper {
                Some(upper) => format!("{op}{}, <{}", text(&parts), text(&upper)),
                None => format!("{op}{}", text(&parts)),
            }
        }
    }

    proptest! {
        #[test]
        fn the_version_is_the_smallest_that_is_admitted(
            requirement in any_requirement(),
            (major, minor, patch) in (0u64..5, 0u64..5, 0u64..5),
            (a, b, c) in (0u64..5, 0u64..5, 0u64..5),
        ) {
            let version = Version::new(major, minor, patch);
            let other = Version::new(a, b, c);
            if let Ok(raised) = raise(&requirement, &version.to_string()) {
                prop_assert_eq!(admits(&raised, &version.to_string()), Ok(true));
                if other < version {
                    prop_assert_eq!(admits(&raised, &other.to_string()), Ok(false));
                }
            }
        }

        #[test]
        fn never_panics(requirement in "[0-9.*<>=~^, x-]{0,16}", version in "[0-9.+a-]{0,12}") {
            let _ = raise(&requirement, &version);
        }
    }
}
