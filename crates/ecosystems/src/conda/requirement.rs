//! The versions that the version part of a conda requirement admits
//! (<https://docs.conda.io/projects/conda-build/en/stable/resources/package-spec.html#package-match-specifications>):
//! comparisons and prefixes, `,` for "and", `|` for "or".
//!
//! conda knows no pre-releases. `1.3a1` is a version of the prefix `1.3`, and `1.3dev` comes before
//! all of them that are in use. As in conda, `1post1` is no version of the prefix `1.0`, though other
//! installers say so. Regular expressions and parentheses are not understood.

use super::Conda;
use crate::requirement_text::{RequirementText, operator, without};
use crate::version::number::{is_digits, successor};
use crate::{Interval, RequirementError, VersionSet};

/// Longer operators first, because a shorter one may be a prefix of them.
const OPERATORS: [&str; 8] = ["==", "!=", "<=", ">=", "~=", "=", "<", ">"];

/// The versions that a requirement admits.
pub(super) fn admitted(requirement: &str) -> Result<VersionSet, RequirementError> {
    let text = RequirementText::new(&Conda, requirement)?;
    if requirement.trim().is_empty() {
        return Ok(VersionSet::all());
    }

    text.any_of(requirement.split('|').map(|alternative| {
        text.all_of(alternative.split(',').map(|part| {
            let (operator, version) = operator(part, &OPERATORS);
            comparison(text, operator, version.trim_end())
        }))
    }))
}

fn comparison(
    text: RequirementText<'_>,
    operator: &str,
    version: &str,
) -> Result<VersionSet, RequirementError> {
    if matches!(operator, "" | "=" | "==") && version == "*" {
        return Ok(VersionSet::all());
    }

    let prefix = version
        .strip_suffix(".*")
        .or_else(|| version.strip_suffix('*'));
    let plain = prefix.unwrap_or(version);
    if plain.contains('*') {
        return Err(text.error("has a pattern in place of versions"));
    }
    text.version(plain)?;

    match (operator, prefix) {
        ("" | "=" | "==", Some(prefix)) => family(text, prefix).map(VersionSet::from),
        ("!=", Some(prefix)) => family(text, prefix).map(without),
        ("=", None) => family(text, version).map(VersionSet::from),
        ("" | "==", None) => text.comparison("==", version),
        // Without the last number, which the version itself is the smallest of.
        ("~=", None) => match version.rsplit_once('.') {
            Some((prefix, _)) => text.all_of([
                text.comparison(">=", version),
                family(text, prefix).map(VersionSet::from),
            ]),
            None => Err(text.invalid()),
        },
        // conda ignores the wildcard.
        (">=" | "<", Some(prefix)) => text.comparison(operator, prefix),
        ("!=" | "<=" | ">=" | "<" | ">", None) => text.comparison(operator, version),
        _ => Err(text.invalid()),
    }
}

/// The versions that begin with the parts of a prefix.
fn family(text: RequirementText<'_>, prefix: &str) -> Result<Interval, RequirementError> {
    let start = prefix
        .rfind(|c: char| !c.is_ascii_digit())
        .map_or(0, |at| at + 1);
    let (before, last) = prefix.split_at_checked(start).unwrap_or(("", prefix));
    let is_part = before.is_empty() || before.ends_with(['.', '_', '-', '!']);
    if !is_digits(last) || !is_part || before.contains('+') {
        return Err(text.error("has a prefix that does not end with a number of its own"));
    }

    Ok(Interval::between(
        text.version(&format!("{prefix}dev"))?,
        text.version(&format!("{before}{}dev", successor(last)))?,
    ))
}

#[cfg(test)]
mod tests {
    use crate::conda::Conda;
    use crate::requirement_text::{assert_refused, assert_rows};

    #[test]
    fn requirements_admit_by_condas_rules() {
        assert_rows(
            &Conda,
            &[
                ("", "1.0", true),
                ("*", "1.0", true),
                ("=*", "1.0", true),
                ("1.2", "1.2.0", true),
                ("1.2", "1.2.1", false),
                ("==1.2", "1.2.1", false),
                ("=1.2", "1.2.7", true),
                ("=1.2", "1.2a1", true),
                ("=1.2", "1.2post1", true),
                ("=1.2", "1.20", false),
                ("=1.2", "1.3a1", false),
                ("=1", "1.9", true),
                ("=1.0", "1", true),
                ("=1.9", "1.10", false),
                ("=1!2", "1!2.3", true),
                ("=1!2", "2.3", false),
                ("1.2.*", "1.2", true),
                ("1.2.*", "1.3", false),
                ("1.2*", "1.2.3", true),
                ("1.2*", "1.25", false),
                ("=1.2.*", "1.2.3", true),
                ("!=1.2.*", "1.2.3", false),
                ("!=1.2.*", "1.3", true),
                ("!=1.2", "1.2", false),
                ("~=1.4.2", "1.4.9", true),
                ("~=1.4.2", "1.4.1", false),
                ("~=1.4.2", "1.5", false),
                (">=1.2,<2", "1.9", true),
                (">=1.2,<2", "2.0", false),
                (">=1.2, <2.0a0", "2.0a1", false),
                (">=1.2.*", "1.2", true),
                (">1.2", "1.2.0", false),
                ("<=1.2", "1.2", true),
                ("==3.11|==3.12", "3.12", true),
                ("==3.11|==3.12", "3.13", false),
                (">=1,<2|>=3", "3.5", true),
            ],
        );
    }

    #[test]
    fn other_texts_are_errors() {
        assert_refused(
            &Conda,
            &[
                ",",
                "|",
                ">=",
                "~=1",
                "~=1.2.*",
                "1.*.2",
                "^1.2$",
                "(>=1)|2",
                "=1.1.1k",
                "=1.0rc1",
                "[build='x']",
                "https://h.invalid/a.conda",
            ],
        );
    }
}
