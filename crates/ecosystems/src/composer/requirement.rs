//! The versions that a constraint of Composer admits
//! (<https://getcomposer.org/doc/articles/versions.md#writing-version-constraints>).
//!
//! A set contains the pre-releases between its bounds. Whether Composer takes them depends on flags
//! such as `@beta`, and on the project's `minimum-stability`. A branch, an alias and `self.version`
//! name no versions.

use std::ops::Bound;

use super::Composer;
use super::version::Version;
use crate::requirement_text::{RequirementText, next_prefix, operator};
use crate::version::number::is_digits;
use crate::{Interval, RequirementError, VersionSet};

/// Longer operators first, because a shorter one may be a prefix of them.
pub(super) const OPERATORS: [&str; 10] = ["<>", "!=", ">=", "<=", "==", ">", "<", "=", "^", "~"];

/// The versions that a constraint admits.
pub(super) fn admitted(requirement: &str) -> Result<VersionSet, RequirementError> {
    let text = RequirementText::with_any_character(&Composer, requirement)?;
    if requirement.trim().is_empty() {
        return Ok(VersionSet::all());
    }
    if requirement.contains(" as ") {
        return Err(text.error("names an alias, not versions"));
    }

    let alternatives = requirement
        .split("||")
        .flat_map(|alternative| alternative.split('|'));
    text.any_of(alternatives.map(|alternative| conjunction(text, alternative)))
}

/// Constraints separated by commas or blanks, each of which may have blanks after its operator.
fn conjunction(
    text: RequirementText<'_>,
    alternative: &str,
) -> Result<VersionSet, RequirementError> {
    let words: Vec<&str> = alternative
        .split([',', ' ', '\t'])
        .filter(|word| !word.is_empty())
        .collect();
    let mut words = words.as_slice();
    if words.is_empty() {
        return Err(text.invalid());
    }

    let mut sets = Vec::new();
    loop {
        match words {
            [] => return text.all_of(sets),
            [from, "-", to, rest @ ..] => {
                sets.push(hyphen(text, from, to));
                words = rest;
            }
            [sign, version, rest @ ..] if OPERATORS.contains(sign) => {
                // Composer reads a flag only without a blank before the version.
                let (version, _) = without_flag(version);
                sets.push(single(text, operator(sign, &OPERATORS).0, version));
                words = rest;
            }
            [word, rest @ ..] => {
                let (operator, version) = operator(word, &OPERATORS);
                sets.push(single(text, operator, version));
                words = rest;
            }
        }
    }
}

fn single(
    text: RequirementText<'_>,
    operator: &str,
    version: &str,
) -> Result<VersionSet, RequirementError> {
    let (version, flag) = without_flag(version);
    let lower = version.to_ascii_lowercase();
    let is_branch = lower.starts_with("dev-") || lower.contains('#') || lower.ends_with("x-dev");
    if is_branch || lower == "self.version" {
        return Err(text.error("names a branch, not versions"));
    }
    if operator.is_empty() && lower.split('.').all(|part| matches!(part, "x" | "*" | "")) {
        return Ok(VersionSet::all());
    }

    match operator {
        "^" | "~" => return caret_or_tilde(text, operator, version),
        "" | "=" | "==" => {
            if let Some(family) = wildcard(&lower) {
                return Ok(family.into());
            }
        }
        _ => {}
    }

    let suffix = match (operator, flag) {
        ("" | "=" | "==", _) => "",
        (_, Some(flag)) if is_stable(version) => flag,
        (">=" | "<", _) if !version.contains('-') => "-dev",
        _ => "",
    };
    let version = format!("{version}{suffix}");
    text.comparison(
        match operator {
            "" => "=",
            "<>" => "!=",
            operator => operator,
        },
        &version,
    )
}

/// Splits off a stability flag (`@beta`), as the suffix of versions that has its meaning.
fn without_flag(version: &str) -> (&str, Option<&'static str>) {
    let Some((before, flag)) = version.rsplit_once('@') else {
        return (version, None);
    };
    let suffix = match flag.to_ascii_lowercase().as_str() {
        "stable" => None,
        "rc" => Some("-RC"),
        "beta" => Some("-beta"),
        "alpha" => Some("-alpha"),
        "dev" => Some("-dev"),
        _ => return (version, None),
    };
    (if before.is_empty() { "*" } else { before }, suffix)
}

/// `^1.2.3`: up to the first number that is not zero. `~1.2.3`: without the last number.
fn caret_or_tilde(
    text: RequirementText<'_>,
    operator: &str,
    version: &str,
) -> Result<VersionSet, RequirementError> {
    let (numbers, suffix) = split(version);
    if numbers.is_empty() {
        return Err(text.invalid());
    }

    let kept = match operator {
        "~" => numbers.len().saturating_sub(1).max(1),
        _ => {
            let zeros = numbers
                .iter()
                .take_while(|number| number.bytes().all(|byte| byte == b'0'))
                .count();
            (zeros + 1).min(numbers.len()).min(3)
        }
    };
    let start = match suffix.is_empty() || suffix.starts_with('+') {
        true => format!("{}-dev", numbers.join(".")),
        false => version.to_owned(),
    };
    let end = format!("{}-dev", next_prefix(&numbers, kept));
    Ok(Interval::between(text.version(&start)?, text.version(&end)?).into())
}

/// `1.2.*`: all versions that begin with these numbers, at most three.
fn wildcard(version: &str) -> Option<Interval> {
    let mut prefix = version;
    while let Some(shorter) = prefix
        .strip_suffix(".*")
        .or_else(|| prefix.strip_suffix(".x"))
    {
        prefix = shorter;
    }
    let (numbers, suffix) = split(prefix);
    if prefix == version || !suffix.is_empty() || !matches!(numbers.len(), 1..=3) {
        return None;
    }

    let end = format!("{}-dev", next_prefix(&numbers, numbers.len()));
    Some(Interval::between(
        &format!("{}-dev", numbers.join(".")),
        &end,
    ))
}

/// `1.0 - 2.0`: all numbers that begin with the second version are inside.
fn hyphen(text: RequirementText<'_>, from: &str, to: &str) -> Result<VersionSet, RequirementError> {
    let start = match split(from) {
        (numbers, "") => format!("{}-dev", numbers.join(".")),
        _ => from.to_owned(),
    };
    let start = Bound::Included(text.version(&start)?.into());
    let end = match split(to) {
        (numbers, "") if numbers.len() < 3 => {
            let end = format!("{}-dev", next_prefix(&numbers, numbers.len()));
            text.version(to)?;
            Bound::Excluded(text.version(&end)?.into())
        }
        _ => Bound::Included(text.version(to)?.into()),
    };
    Ok(Interval::new(start, end).into())
}

/// The first one to four numbers of a version, and the rest.
pub(super) fn split(version: &str) -> (Vec<&str>, &str) {
    let mut rest = version.strip_prefix(['v', 'V']).unwrap_or(version);
    let mut numbers = Vec::new();
    while numbers.len() < 4 {
        let after = match numbers.is_empty() {
            true => rest,
            false => match rest.strip_prefix('.') {
                Some(after) => after,
                None => break,
            },
        };

        let end = after
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(after.len());
        let (number, after) = after.split_at_checked(end).unwrap_or((after, ""));
        if !is_digits(number) {
            break;
        }
        numbers.push(number);
        rest = after;
    }

    (numbers, rest)
}

fn is_stable(version: &str) -> bool {
    Version::parse(version).is_some_and(|version| version.is_stable())
}

/// Longest version whose release is looked for.
const MAX_VERSION: usize = 128;

/// The release that a pre-release precedes: the longest beginning of the text that is stable.
pub(super) fn release_of(version: &str) -> Option<String> {
    let version = version.trim();
    let is_prerelease = Version::parse(version).is_some_and(|version| !version.is_stable());
    if !is_prerelease || version.len() > MAX_VERSION {
        return None;
    }

    (1..version.len())
        .rev()
        .filter_map(|end| version.get(..end))
        .find(|start| start.ends_with(|c: char| c.is_ascii_digit()) && is_stable(start))
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use crate::requirement_text::{assert_refused, assert_rows};
    use crate::{Ecosystem as _, composer::Composer};

    #[test]
    fn constraints_admit_by_composers_rules() {
        assert_rows(
            &Composer,
            &[
                ("", "1.0", true),
                ("*", "1.0", true),
                ("@dev", "1.0-dev", true),
                ("1.0", "1.0.0.0", true),
                ("v1.0", "1.0.1", false),
                ("=1.0", "1.0", true),
                ("1.0@dev", "1.0", true),
                ("1.0.*", "1.0.9", true),
                ("1.0.*", "1.0-dev", true),
                ("1.0.*", "1.1-dev", false),
                ("1.x", "1.9", true),
                ("0.*", "0.0-dev", true),
                ("^1.2", "1.2-beta1", true),
                ("^1.2", "1.1.9", false),
                ("^1.2", "1.9", true),
                ("^1.2", "2.0-beta1", false),
                ("^1.2-RC1", "1.2-beta1", false),
                ("^1.2-RC1", "1.2", true),
                ("^0.3", "0.3.9", true),
                ("^0.3", "0.4", false),
                ("^0.0.3", "0.0.3", true),
                ("^0.0.3", "0.0.4", false),
                ("^0", "0.9", true),
                ("^0", "1.0", false),
                ("~1.2", "1.9", true),
                ("~1.2", "2.0-dev", false),
                ("~1.2.3", "1.2.9", true),
                ("~1.2.3", "1.3", false),
                ("~1", "1.9", true),
                ("~1", "2.0", false),
                (">=1.0", "1.0-alpha1", true),
                (">=1.0-beta1", "1.0-alpha1", false),
                (">=1.0@beta", "1.0-alpha1", false),
                ("<2.0", "2.0-beta1", false),
                ("<2.0@beta", "2.0-alpha1", true),
                ("<=2.0", "2.0", true),
                ("<=2.0", "2.0-p1", false),
                (">1.0", "1.0", false),
                (">1.0@dev", "1.0", true),
                ("!=1.5", "1.5", false),
                ("<>1.5", "1.5.1", true),
                ("1.0 - 2.0", "2.0.9", true),
                ("1.0 - 2.0", "2.1-dev", false),
                ("1.0 - 2", "2.9", true),
                ("1.0.0 - 2.1.0", "2.1.1", false),
                ("1.0.0 - 2.1.0", "1.0-beta1", true),
                ("^1.0 || ^3.0", "3.1", true),
                ("^1.0|^3.0", "2.0", false),
                (">=1.0 <1.1 || >=1.2", "1.1.5", false),
                (">=1.0,<1.1,!=1.0.5", "1.0.5", false),
                (">= 1.0, < 1.1", "1.0.4", true),
                ("<= 2.1@dev", "2.1", true),
                ("<=2.1@dev", "2.1", false),
                ("> 2.0@dev", "2.0", false),
                ("^2.0@beta", "2.5", true),
            ],
        );
    }

    #[test]
    fn other_texts_are_errors() {
        assert_refused(
            &Composer,
            &[
                "dev-main",
                "dev-feature/x",
                "dev-main as 1.0.x-dev",
                "1.x-dev",
                "^1.0 || dev-main",
                "dev-main#0123abc",
                "self.version",
                "~>1.0",
                "^a",
                "^1.*",
                "||",
                "^1.0 ||",
                ">=",
                "latest",
                "https://h.invalid/a.zip",
                "1.0 - ",
            ],
        );
    }

    #[test]
    fn pre_releases_precede_their_release() {
        for (version, release) in [
            ("1.0-beta1", Some("1.0")),
            ("v1.0.0-RC1", Some("v1.0.0")),
            ("1.0.0.0-dev", Some("1.0.0.0")),
            ("1.0b2", Some("1.0")),
            ("1.0-p1-dev", Some("1.0-p1")),
            ("1.0-p1", None),
            ("1.0", None),
            ("dev-main", None),
        ] {
            assert_eq!(
                Composer.release_of(version).as_deref(),
                release,
                "{version}"
            );
        }
    }
}
