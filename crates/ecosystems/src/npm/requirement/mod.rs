//! npm's requirements: node-semver ranges, and the specifiers that do not name versions
//! (<https://github.com/npm/node-semver#ranges>, <https://github.com/npm/npm-package-arg>).
//!
//! Own code instead of the crate `nodejs-semver`, for two reasons. The crate's limit for numbers is
//! one digit shorter than JavaScript's, so it refuses versions made of dates that npm accepts. And a
//! range that it has parsed no longer has the style in which it was written, which [`raise`] keeps.

mod admitted;
mod raise;
mod range;

use range::Range;

pub(super) use admitted::admitted;
pub(super) use raise::raise;

use super::version::Version;
use crate::RequirementError;

/// Splits `npm:real@^1` into the package's real name and the range, which may be empty. `None` for
/// yarn's `npm:^1`, in which the prefix only names the registry.
pub(super) fn alias(requirement: &str) -> Option<(&str, &str)> {
    let spec = requirement.trim().strip_prefix("npm:")?;
    if Range::parse(spec).is_some() {
        return None;
    }
    match spec.rfind('@') {
        Some(at) if at > 0 => Some((&spec[..at], &spec[at + 1..])),
        _ => Some((spec, "")),
    }
}

/// The package that a requirement under a name is about, and its range: `real` and `^1` of
/// `npm:real@^1`. In yarn's `npm:^1`, the prefix only names the registry.
pub(in crate::npm) fn target<'a>(name: &'a str, requirement: &'a str) -> (&'a str, &'a str) {
    alias(requirement).unwrap_or_else(|| (name, unprefixed(requirement)))
}

/// A requirement without yarn's `npm:`.
fn unprefixed(requirement: &str) -> &str {
    let range = requirement.trim().strip_prefix("npm:");
    range.unwrap_or(requirement)
}

/// Whether a requirement admits a version. A text that is not a version is not admitted.
pub(super) fn admits(requirement: &str, version: &str) -> Result<bool, RequirementError> {
    let range = read(requirement)?;
    Ok(Version::parse(version).is_some_and(|version| range.admits(&version)))
}

/// The range of a requirement, with an alias removed. The error says which other target
/// than versions the requirement names.
fn read(requirement: &str) -> Result<Range<'_>, RequirementError> {
    let (_, range) = target("", requirement);
    let refuse = |reason: &str| RequirementError {
        requirement: requirement.to_owned(),
        reason: reason.to_owned(),
    };
    if let Some(range) = Range::parse(range) {
        return Ok(range);
    }

    let text = range.trim();
    Err(refuse(if text.starts_with("workspace:") {
        "names a workspace member, not versions"
    } else if text.starts_with("file:") || text.starts_with(['.', '/']) || text.starts_with("~/") {
        "names a directory or a file, not versions"
    } else if text.contains("git") && text.contains(':') {
        "names a git repository, not versions"
    } else if text.contains("://") {
        "names an address, not versions"
    } else if text.contains('/') {
        "names a git repository, not versions"
    } else if text.contains(':') {
        "is of a kind that npm does not resolve to versions"
    } else if is_tag(text) {
        "names a tag, not versions"
    } else {
        "is not a requirement of npm"
    }))
}

/// Whether a text is a distribution tag. npm accepts any text that is not a range and needs no
/// percent-encoding in an address.
fn is_tag(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte))
}

#[cfg(test)]
mod tests;
