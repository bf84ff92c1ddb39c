//! Requirements of RubyGems with a higher lower bound, and their form in a lockfile.

use super::RubyGems;
use super::requirement::{OPERATORS, admitted, numbers};
use crate::requirement_text::{RequirementText, next_prefix, operator};
use crate::{Ecosystem as _, Interval, RequirementError, VersionSet};

/// The operator and version of a part of a requirement. A version alone means `=`.
pub(super) fn clause(part: &str) -> (&str, &str) {
    match operator(part, &OPERATORS) {
        ("", version) => ("=", version),
        clause => clause,
    }
}

/// A requirement as Bundler writes it into a lockfile: parts in falling order of their texts. `None`
/// if it admits everything. Parts are separated by `,` or, as in the compact index, `&`.
pub(super) fn locked(requirement: &str) -> Option<String> {
    let mut parts: Vec<String> = requirement
        .split([',', '&'])
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(|part| {
            let (operator, version) = clause(part);
            format!("{operator} {version}")
        })
        .collect();
    parts.sort();
    parts.dedup();
    parts.reverse();
    let admits_all = |part: &String| {
        let zero = part.strip_prefix(">= ");
        zero.is_some_and(|version| {
            RubyGems.compare_versions(version, "0") == Ok(std::cmp::Ordering::Equal)
        })
    };

    match parts.as_slice() {
        [] => None,
        [only] if admits_all(only) => None,
        parts => Some(parts.join(", ")),
    }
}

/// The requirement in the same style that admits `version` as its smallest version.
///
/// `~> 1.2` becomes `~> 1.4` for 1.4, and `~> 1.4, >= 1.4.1` for 1.4.1: it keeps its count of
/// numbers, and a lower bound follows where these say less than the version. An upper bound below the
/// version is raised with as many numbers as it had.
pub(super) fn raise(requirement: &str, version: &str) -> Result<String, RequirementError> {
    let text = RequirementText::new(&RubyGems, requirement)?;
    admitted(requirement)?;
    text.version(version)?;
    if requirement.trim().is_empty() {
        return Ok(format!(">= {version}"));
    }

    let mut parts: Vec<String> = Vec::new();
    let mut has_lower = false;
    let mut needs_lower = false;
    for part in requirement.split(',') {
        let (operator, bound) = operator(part, &OPERATORS);
        match operator {
            "~>" => {
                let short = shortened(version, bound);
                needs_lower |=
                    RubyGems.compare_versions(&short, version) != Ok(std::cmp::Ordering::Equal);
                has_lower = true;
                parts.push(format!("~> {short}"));
            }
            ">" | ">=" => needs_lower = true,
            "<" | "<=" | "!=" => parts.push(upper(text, operator, bound, version)?),
            "=" => {
                has_lower = true;
                parts.push(format!("= {version}"));
            }
            _ => {
                has_lower = true;
                parts.push(version.to_owned());
            }
        }
    }
    if needs_lower || !has_lower {
        let at = usize::from(parts.first().is_some_and(|part| part.starts_with("~>")));
        parts.insert(at, format!(">= {version}"));
    }

    // A style that does not lead to the version is an error, never a wider requirement.
    let raised = parts.join(", ");
    let set = admitted(&raised)?;
    let below = VersionSet::from(Interval::below(version));
    let admits = set.contains(&RubyGems, version);
    let lower = set.intersection(&RubyGems, &below);
    match (admits, lower) {
        (Ok(true), Ok(lower)) if lower.intervals.is_empty() => Ok(raised),
        _ => Err(text.error(format!("cannot be raised to `{version}` in its style"))),
    }
}

/// The version with as many numbers as the bound has.
fn shortened(version: &str, bound: &str) -> String {
    let is_plain = |text: &str| !text.contains(|c: char| c.is_ascii_alphabetic() || c == '-');
    if !is_plain(version) {
        return version.to_owned();
    }
    let count = bound
        .split('.')
        .filter(|part| is_plain(part))
        .count()
        .max(1);
    let mut kept = numbers(version);
    kept.resize(count, "0");
    kept.join(".")
}

fn upper(
    text: RequirementText<'_>,
    operator: &str,
    bound: &str,
    version: &str,
) -> Result<String, RequirementError> {
    let admits = text
        .comparison(operator, bound)?
        .contains(&RubyGems, version)
        .map_err(|_| text.invalid())?;
    if admits {
        return Ok(format!("{operator} {bound}"));
    }
    if operator != "<" {
        return Err(text.error(format!("excludes `{version}`")));
    }

    // `< 2.0` names the next major version, and so does `< 4.0` for 3.1.
    let bound = numbers(bound);
    let zeros = bound
        .iter()
        .rev()
        .take_while(|number| number.trim_start_matches('0').is_empty());
    let zeros = zeros.count();
    let raised = next_prefix(&numbers(version), bound.len() - zeros);
    Ok(format!("< {raised}{}", ".0".repeat(zeros)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_requirement_is_raised_in_its_own_style() {
        for (requirement, version, expected) in [
            ("", "1.4.1", Some(">= 1.4.1")),
            ("1.2", "1.4.1", Some("1.4.1")),
            ("= 1.2", "1.4.1", Some("= 1.4.1")),
            (">= 1.2", "1.4.1", Some(">= 1.4.1")),
            ("> 1.2", "1.4.1", Some(">= 1.4.1")),
            ("~> 1.2", "1.4", Some("~> 1.4")),
            ("~> 1.2", "1.4.0", Some("~> 1.4")),
            ("~> 1.2", "1.4.1", Some("~> 1.4, >= 1.4.1")),
            ("~> 1.2.3", "1.2.3.4", Some("~> 1.2.3, >= 1.2.3.4")),
            ("~> 1.2.3", "2.0.1", Some("~> 2.0.1")),
            ("~> 1.2.3", "2.1", Some("~> 2.1.0")),
            ("~> 1.2, >= 1.2.3", "1.4.1", Some("~> 1.4, >= 1.4.1")),
            ("~> 1.2.rc1", "1.2.rc2", Some("~> 1.2.rc2")),
            (">= 2.2, < 4", "3.1", Some(">= 3.1, < 4")),
            (">= 2.2, < 4", "4.1.2", Some(">= 4.1.2, < 5")),
            (">= 2.2, < 4.0", "4.1.2", Some(">= 4.1.2, < 5.0")),
            ("< 4", "3.1", Some(">= 3.1, < 4")),
            ("< 1.5", "1.5.2", Some(">= 1.5.2, < 1.6")),
            (">= 1, != 1.3", "1.4", Some(">= 1.4, != 1.3")),
            ("<= 1.3", "1.4", None),
            (">= 1, != 1.4", "1.4", None),
            ("git:https://code.invalid/a", "1.4", None),
        ] {
            let raised = raise(requirement, version).ok();
            assert_eq!(raised.as_deref(), expected, "{requirement} {version}");
        }
    }

    #[test]
    fn a_lockfile_has_parts_in_falling_order() {
        for (requirement, expected) in [
            ("", None),
            (">= 0", None),
            (">= 0.0", None),
            ("1.2", Some("= 1.2")),
            ("< 4, >= 2.2", Some(">= 2.2, < 4")),
            (">= 1.0&< 2", Some(">= 1.0, < 2")),
            ("~>1.2", Some("~> 1.2")),
            ("!= 1.1, ~> 1.0", Some("~> 1.0, != 1.1")),
        ] {
            assert_eq!(locked(requirement).as_deref(), expected, "{requirement}");
        }
    }
}
