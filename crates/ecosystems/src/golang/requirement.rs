//! The versions that a requirement of `go.mod` admits (<https://go.dev/ref/mod#minimal-version-selection>).
//!
//! A version is the lowest that a build may use. Another module can require a higher one of the same
//! major version; a higher major version is another module. Versions 0 and 1 have the same path, and
//! a module without `go.mod` has all its major versions under one path (`+incompatible`).
//!
//! Any other text is a query that Go resolves at its next run
//! (<https://go.dev/ref/mod#version-queries>).

use super::version::Version;
use super::{Go, NAME};
use crate::version::comparison::{Comparison, check_length, in_all, refuse, successor};
use crate::version::number::is_plain;
use crate::{Interval, RequirementError, VersionSet};

/// The versions that a requirement admits. The `go` line of a file (`1.16`, `go1.16`) is the lowest
/// release of the standard library.
pub(super) fn admitted(requirement: &str) -> Result<VersionSet, RequirementError> {
    check_length(requirement)?;
    let text = requirement.trim();
    if let Some((comparison, version)) = Comparison::split(text) {
        let version = version.trim();
        let is_query = version.starts_with('v')
            && Version::parse(version).is_some()
            && !matches!(comparison, Comparison::Equal | Comparison::NotEqual);
        return match is_query {
            true => in_all(&Go, requirement, [comparison.set(version)]),
            false => Err(refuse(NAME, requirement)),
        };
    }

    let release = text.strip_prefix("go").map_or(text, str::trim_start);
    if release.starts_with(|c: char| c.is_ascii_digit()) && Version::parse(release).is_some() {
        return Ok(Interval::between(release, &after_major(release)?).into());
    }
    if let Some(numbers) = text.strip_prefix('v') {
        let parts: Vec<&str> = numbers.split('.').collect();
        if parts.len() < 3 && parts.iter().all(|part| is_plain(part)) {
            return Ok(starting(&parts));
        }
        if Version::parse(text).is_some() {
            return Ok(match text.ends_with("+incompatible") {
                true => Interval::at_least(text).into(),
                false => Interval::between(text, &after_major(numbers)?).into(),
            });
        }
    }

    if is_commit(text) {
        return Err(RequirementError::new(
            requirement,
            "names a commit, and its version is unknown",
        ));
    }
    match is_branch(text) {
        true => Ok(VersionSet::all()),
        false => Err(refuse(NAME, requirement)),
    }
}

/// The lowest pre-release of the next major version, as a version. Version 0 goes up to version 2.
fn after_major(version: &str) -> Result<String, RequirementError> {
    let major = version
        .split(|c: char| !c.is_ascii_digit())
        .next()
        .filter(|major| !major.is_empty())
        .ok_or_else(|| refuse(NAME, version))?;
    Ok(match major {
        "0" => "v2.0.0-0".to_owned(),
        major => format!("v{}.0.0-0", successor(major)),
    })
}

/// The versions that start with these numbers: `v1`, `v1.2`.
fn starting(numbers: &[&str]) -> VersionSet {
    let mut next: Vec<&str> = numbers.to_vec();
    let after = successor(next.pop().unwrap_or_default());
    next.push(&after);
    next.resize(3, "0");
    let mut first = numbers.to_vec();
    first.resize(3, "0");

    let version = |numbers: &[&str]| format!("v{}-0", numbers.join("."));
    Interval::between(&version(&first), &version(&next)).into()
}

fn is_commit(text: &str) -> bool {
    (7..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Whether a text can be `latest`, `upgrade`, or the name of a branch or tag.
fn is_branch(text: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./+".contains(&byte);
    text.bytes().all(known) && !text.contains("..") && !text.starts_with(['.', '/'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Ecosystem as _;
    use crate::version::comparison::{assert_admitted, assert_refused};

    #[test]
    fn versions_are_lower_bounds_and_queries_are_resolved() {
        let all: &[&str] = &["v0.1.0", "v1.2.3", "v9.0.0+incompatible"];
        assert_admitted(
            &Go,
            &[
                (
                    "v1.2.3",
                    &["v1.2.3", "v1.99.0", "1.2.4-0.20240101000000-abcdefabcdef"],
                    &["v1.2.2", "v1.2.3-rc.1", "v2.0.0", "v2.0.0-rc.1"],
                ),
                (
                    "v0.3.0",
                    &["v0.3.0", "v0.9.0", "v1.5.0"],
                    &["v0.2.9", "v2.0.0"],
                ),
                ("v2.0.0", &["v2.0.0", "v2.9.0"], &["v1.9.9", "v3.0.0-alpha"]),
                (
                    "v0.0.0-20190101000000-abcdefabcdef",
                    &["v0.0.0-20190101000000-abcdefabcdef", "v0.0.0", "v1.0.0"],
                    &["v0.0.0-20180101000000-abcdefabcdef"],
                ),
                (
                    "v2.0.0+incompatible",
                    &["v2.0.0+incompatible", "v9.0.0+incompatible"],
                    &["v1.9.0"],
                ),
                (
                    "1.16",
                    &["1.16", "1.16.1", "1.99.0"],
                    &["1.15.9", "1.16rc1"],
                ),
                ("go1.21rc2", &["1.21rc2", "1.21.0"], &["1.21rc1"]),
                ("go 1.16", &["1.16"], &["1.15"]),
                (
                    "v1",
                    &["v1.0.0", "v1.9.0", "v1.0.0-rc.1"],
                    &["v0.9.0", "v2.0.0"],
                ),
                ("v1.9", &["v1.9.0", "v1.9.9"], &["v1.10.0", "v1.8.0"]),
                (">=v1.2.3", &["v1.2.3", "v2.0.0"], &["v1.2.2"]),
                ("<v1.2.3", &["v1.2.2"], &["v1.2.3"]),
                ("<= v1.2.3", &["v1.2.3"], &["v1.2.4"]),
                ("> v1.2.3", &["v1.2.4"], &["v1.2.3"]),
                ("master", all, &[]),
                ("latest", all, &[]),
                ("release/v1", all, &[]),
                ("v1.x", all, &[]),
                ("", all, &[]),
            ],
        );
        assert_eq!(Go.at_least("1.2.3"), "v1.2.3");
    }

    #[test]
    fn commits_and_paths_are_errors() {
        let text = "is not a requirement of Go";
        assert_refused(
            &Go,
            &[
                ("abcdef123456", "names a commit, and its version is unknown"),
                ("=v1.2.3", text),
                ("a b", text),
                ("../other", "names a directory or a file, not versions"),
                ("./other", "names a directory or a file, not versions"),
                ("/other", "names a directory or a file, not versions"),
            ],
        );
    }
}
