//! Requirements of NuGet (<https://learn.microsoft.com/nuget/concepts/package-versioning>) and
//! Paket (<https://fsprojects.github.io/Paket/nuget-dependencies.html>).
//!
//! Pre-releases count as admitted wherever they are between the bounds. Both tools take one only
//! where the requirement or an option asks for it, so the sets can be larger than theirs.

use std::ops::Bound;

use patchgate_model::SmolStr;

use super::version::Version;
use super::{NAME, NuGet};
use crate::version::comparison::{Comparison, check_length, in_all, refuse, successor};
use crate::version::number::is_digits;
use crate::{Interval, RequirementError, VersionSet};

/// The versions that a requirement admits. `1.0` is a lower bound, `= 1.0` is Paket's exact version,
/// and a property without a value admits every version.
pub(super) fn admitted(requirement: &str) -> Result<VersionSet, RequirementError> {
    check_length(requirement)?;
    let text = requirement.trim();
    if text.is_empty() || ["$(", "@(", "%("].iter().any(|start| text.contains(start)) {
        return Ok(VersionSet::all());
    }

    let read = match text.chars().next() {
        Some('[' | '(') => range(text),
        Some('0'..='9' | '*') if !text.contains(char::is_whitespace) => lower_or_floating(text),
        _ => return paket(requirement),
    };
    read.ok_or_else(|| refuse(NAME, requirement))
}

/// `1.0`, `1.*`, `1.0.0-*`.
fn lower_or_floating(text: &str) -> Option<VersionSet> {
    if text.contains('*') {
        return floating(text).map(VersionSet::from);
    }
    Version::parse(text)?;
    Some(Interval::at_least(text).into())
}

/// A range in brackets: `[1.0]`, `[1.0,2.0)`, `(,1.0]`. Its lower bound can be floating.
fn range(text: &str) -> Option<VersionSet> {
    let includes_lower = text.starts_with('[');
    let includes_upper = text.ends_with(']');
    if !includes_upper && !text.ends_with(')') {
        return None;
    }
    let body = text.get(1..text.len().checked_sub(1)?)?;

    let Some((lower, upper)) = body.split_once(',') else {
        let version = body.trim();
        Version::parse(version)?;
        return (includes_lower && includes_upper).then(|| Interval::exactly(version).into());
    };
    let (lower, upper) = (lower.trim(), upper.trim());
    if lower.is_empty() && upper.is_empty() {
        return None;
    }

    let lower = match lower {
        "" => Bound::Unbounded,
        floating_lower if floating_lower.contains('*') => floating(floating_lower)?.lower,
        version => bound(version, includes_lower)?,
    };
    let upper = match upper {
        "" => Bound::Unbounded,
        version => bound(version, includes_upper)?,
    };
    Some(Interval::new(lower, upper).into())
}

fn bound(version: &str, is_included: bool) -> Option<Bound<SmolStr>> {
    Version::parse(version)?;
    let version = SmolStr::new(version);
    Some(match is_included {
        true => Bound::Included(version),
        false => Bound::Excluded(version),
    })
}

/// A floating version, for which NuGet takes the highest one that matches: `*`, `1.*`, `1.2.3.*`,
/// `1.0.0-*`, `1.0.0-beta.*`, `1.*-*`. If none matches, NuGet takes a higher one; that case is left
/// out.
fn floating(text: &str) -> Option<Interval> {
    if matches!(text, "*" | "*-*") {
        return Some(Interval::new(Bound::Unbounded, Bound::Unbounded));
    }

    let (numbers, pre) = match text.split_once('-') {
        Some((numbers, pre)) => (numbers, Some(pre)),
        None => (text, None),
    };
    let Some(start) = numbers.strip_suffix(".*") else {
        return floating_prerelease(numbers, pre?);
    };
    let mut parts: Vec<&str> = start.split('.').collect();
    let is_sound = parts.len() <= 3 && parts.iter().all(|part| is_digits(part));
    if !is_sound || pre.is_some_and(|pre| !is_prefix(pre)) {
        return None;
    }
    let next = successor(parts.pop()?);
    parts.push(&next);
    // `-0` is the lowest pre-release. Without `-*`, NuGet takes releases only.
    let end = if pre.is_some() { "-0" } else { ".0-0" };
    let first = match pre {
        Some(_) => format!("{start}.0-0"),
        None => format!("{start}.0"),
    };
    Some(Interval::between(
        &first,
        &format!("{}{end}", parts.join(".")),
    ))
}

/// `1.0.0-*` and `1.0.0-beta*`: the pre-releases that start so, and the release.
fn floating_prerelease(numbers: &str, pre: &str) -> Option<Interval> {
    let start = pre.strip_suffix('*').filter(|_| is_prefix(pre))?;
    let start = start.trim_end_matches(['.', '-']);
    // A pre-release that starts with digits can also be a smaller number or a word.
    let first = match start {
        start if start.is_empty() || start.bytes().all(|byte| !byte.is_ascii_alphabetic()) => {
            format!("{numbers}-0")
        }
        start => format!("{numbers}-{start}"),
    };
    Version::parse(&first)?;
    Some(Interval::new(
        Bound::Included(first.into()),
        Bound::Included(numbers.into()),
    ))
}

/// Whether a text is the beginning of a pre-release with a star after it.
fn is_prefix(pre: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
    pre.strip_suffix('*')
        .is_some_and(|start| start.bytes().all(known))
}

/// A requirement of Paket: comparisons with blanks between them, which all must be true. A mark of
/// the strategy before them (`!`, `@`) and the kinds of pre-releases after them do not count.
fn paket(requirement: &str) -> Result<VersionSet, RequirementError> {
    let wrong = || refuse(NAME, requirement);
    let text = requirement.trim().trim_start_matches(['!', '@']);
    let mut words = text.split_whitespace().peekable();
    let mut sets = Vec::new();
    while let Some(word) = words.next() {
        if word.bytes().all(|byte| byte.is_ascii_alphabetic()) {
            continue;
        }
        let (sign, rest) = match word.strip_prefix("~>") {
            Some(rest) => (None, rest),
            None => Comparison::split(word)
                .map(|(sign, rest)| (Some(sign), rest))
                .filter(|(sign, _)| *sign != Some(Comparison::NotEqual))
                .ok_or_else(wrong)?,
        };
        let version = match rest {
            "" => words.next().ok_or_else(wrong)?,
            version => version,
        };
        Version::parse(version).ok_or_else(wrong)?;
        sets.push(match sign {
            Some(sign) => sign.set(version),
            None => twiddle(version).ok_or_else(wrong)?,
        });
    }

    in_all(&NuGet, requirement, sets)
}

/// `~> 1.2` admits versions below 2, and `~> 1.2.3` versions below 1.3.
fn twiddle(version: &str) -> Option<VersionSet> {
    let numbers = version.split(['-', '+']).next()?;
    let mut parts: Vec<&str> = numbers.split('.').collect();
    if parts.len() > 1 {
        parts.pop();
    }
    let next = successor(parts.pop()?);
    parts.push(&next);
    Some(Interval::between(version, &format!("{}-0", parts.join("."))).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::version::comparison::{assert_admitted, assert_refused};

    #[test]
    fn requirements_of_nuget() {
        assert_admitted(
            &NuGet,
            &[
                ("1.0", &["1.0.0", "1.0.1-beta", "9"], &["0.9", "1.0-rc"]),
                ("1.0-rc", &["1.0-rc", "1.0.0"], &["1.0-beta"]),
                ("[1.0]", &["1.0", "1.0.0.0"], &["1.0.1", "0.9"]),
                ("[1.0,2.0)", &["1.0", "1.9", "2.0-beta"], &["2.0", "0.9"]),
                ("[1.0, 2.0]", &["2.0"], &["2.0.1"]),
                ("(1.0,)", &["1.0.1", "9"], &["1.0"]),
                ("(,1.0]", &["0.1", "1.0"], &["1.0.1"]),
                ("(,1.0)", &["0.1", "1.0-rc"], &["1.0"]),
                ("(1.0,2.0)", &["1.5"], &["1.0", "2.0"]),
                ("[1.*,3.0)", &["1.0", "2.5"], &["0.9", "3.0"]),
                ("*", &["0.1", "9"], &[]),
                ("*-*", &["0.1-a", "9"], &[]),
                (
                    "1.*",
                    &["1.0", "1.99"],
                    &["0.9", "2.0", "2.0-beta", "1.0-rc"],
                ),
                ("1.9.*", &["1.9.0", "1.9.9.9"], &["1.10.0", "1.8"]),
                ("1.2.3.*", &["1.2.3", "1.2.3.9"], &["1.2.4"]),
                (
                    "1.*-*",
                    &["1.0-alpha", "1.5", "1.5-rc"],
                    &["2.0-alpha", "0.9"],
                ),
                (
                    "1.0.0-*",
                    &["1.0.0-alpha", "1.0.0-1", "1.0.0"],
                    &["1.0.1", "0.9"],
                ),
                (
                    "1.0.0-beta*",
                    &["1.0.0-beta", "1.0.0-beta2", "1.0.0"],
                    &["1.0.0-alpha"],
                ),
                (
                    "1.0.0-rc.*",
                    &["1.0.0-rc.1", "1.0.0-rc.10"],
                    &["1.0.0-beta.1", "1.1.0"],
                ),
                ("1.0.0-2*", &["1.0.0-2", "1.0.0-20", "1.0.0-2a"], &["1.0.1"]),
                ("$(Version)", &["0.1", "9"], &[]),
                ("[$(Low),2.0)", &["0.1", "9"], &[]),
                ("", &["1.0"], &[]),
            ],
        );
    }

    #[test]
    fn requirements_of_paket() {
        assert_admitted(
            &NuGet,
            &[
                ("= 1.2.3", &["1.2.3"], &["1.2.4", "1.2.2"]),
                ("== 1.2.3", &["1.2.3"], &["1.2.4"]),
                (">= 1.2", &["1.2", "9"], &["1.1"]),
                (">=1.2 <2", &["1.2", "1.9"], &["1.1", "2.0"]),
                ("> 1.2 <= 2", &["1.3", "2.0"], &["1.2", "2.0.1"]),
                ("~> 1.2", &["1.2", "1.99"], &["1.1", "2.0", "2.0-beta"]),
                ("~> 1.2.3", &["1.2.3", "1.2.99"], &["1.2.2", "1.3"]),
                ("~> 1", &["1.0", "1.99"], &["2.0"]),
                ("~> 1.2 >= 1.2.3", &["1.2.3", "1.9"], &["1.2.2", "2.0"]),
                ("!~> 1.2 alpha beta", &["1.2"], &["2.0"]),
                ("@>= 1.2", &["1.2"], &["1.1"]),
                ("prerelease", &["0.1-a", "9"], &[]),
            ],
        );
    }

    #[test]
    fn what_is_no_requirement_is_an_error() {
        let text = "is not a requirement of NuGet";
        assert_refused(
            &NuGet,
            &[
                ("(1.0)", text),
                ("[1.0", text),
                ("[,]", text),
                ("[1.0,2.0,3.0]", text),
                ("[a,b]", text),
                ("1.0.0.0.0", text),
                ("1.x", text),
                ("1*", text),
                ("1.*.2", text),
                ("1.2.3.4.*", text),
                ("1.0.0-b_*", text),
                (">= ", text),
                (">= a", text),
                ("1.0 2.0", text),
                ("../a.nupkg", "names a directory or a file, not versions"),
                ("https://a.invalid", "names an address, not versions"),
            ],
        );
    }
}
