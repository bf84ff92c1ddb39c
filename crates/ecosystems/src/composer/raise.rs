//! Constraints of Composer with a higher lower bound.

use super::Composer;
use super::requirement::{OPERATORS, admitted, split};
use super::version::Version;
use crate::requirement_text::{RequirementText, next_prefix, operator};
use crate::{Interval, RequirementError, VersionSet};

/// The constraint in the same style that admits `version` as its smallest version.
///
/// Alternatives that only admit lower versions are dropped. Where a style fixes fewer numbers than the
/// version has, a lower bound is added: `~1.4` becomes `~2.3, >=2.3.1`. An upper bound below the version
/// is raised with as many numbers as it had.
pub(super) fn raise(requirement: &str, version: &str) -> Result<String, RequirementError> {
    let text = RequirementText::with_any_character(&Composer, requirement)?;
    admitted(requirement)?;
    let version = version.trim();
    let plain = version.strip_prefix(['v', 'V']).unwrap_or(version);
    text.version(plain)?;
    if requirement.contains('@') {
        return Err(text.error("has a stability flag"));
    }
    if matches!(requirement.trim(), "" | "*") {
        return Ok(format!(">={plain}"));
    }

    let separator = match requirement.contains("||") {
        true => "||",
        false => "|",
    };
    let alternatives: Vec<&str> = requirement.split(separator).collect();
    let mut kept: Vec<String> = Vec::new();
    for alternative in &alternatives {
        let set = admitted(alternative)?;
        let has = |set: &VersionSet| set.contains(&Composer, plain).unwrap_or(false);
        let blank = alternative.len() - alternative.trim_start().len();
        let blank = match kept.is_empty() {
            true => "",
            false => alternative.get(..blank).unwrap_or_default(),
        };
        let end = alternative
            .get(alternative.trim_end().len()..)
            .unwrap_or_default();
        if has(&set) {
            kept.push(format!(
                "{blank}{}{end}",
                conjunction(text, alternative, plain)?
            ));
        } else if !has_below(&set, plain) {
            kept.push(format!("{blank}{}{end}", alternative.trim()));
        }
    }
    if kept.is_empty() {
        let last = alternatives.last().copied().unwrap_or_default();
        kept.push(conjunction(text, last, plain)?);
    }
    let raised = kept.join(separator);
    let raised = raised.trim();

    // A style that does not lead to the version is an error, never a wider requirement.
    let set = admitted(raised)?;
    let is_exact = set.contains(&Composer, plain).unwrap_or(false) && !has_below(&set, plain);
    match is_exact {
        true => Ok(raised.to_owned()),
        false => Err(text.error(format!("cannot be raised to `{version}` in its style"))),
    }
}

/// Whether a set has versions below one. The pre-releases of that version do not count.
fn has_below(set: &VersionSet, version: &str) -> bool {
    let is_stable = Version::parse(version).is_some_and(|version| version.is_stable());
    let bound = match is_stable {
        true => format!("{version}-dev"),
        false => version.to_owned(),
    };
    set.intersection(&Composer, &VersionSet::from(Interval::below(&bound)))
        .map_or(true, |lower| !lower.intervals.is_empty())
}

/// Constraints that all have to hold.
fn conjunction(
    text: RequirementText<'_>,
    alternative: &str,
    version: &str,
) -> Result<String, RequirementError> {
    if alternative.contains(" - ") {
        return Err(text.error("is a range with a hyphen"));
    }
    let (comma, words) = words(alternative);
    let separator = if comma { ", " } else { " " };
    let mut parts: Vec<String> = Vec::new();
    let mut needs_lower = false;
    let mut has_lower = false;
    for word in words {
        let (operator, bound) = operator(&word, &OPERATORS);
        let (numbers, _) = split(bound);
        let (target, _) = split(version);
        match operator {
            ">" | ">=" => needs_lower = true,
            "<" | "<=" | "!=" | "<>" => parts.push(upper(text, operator, bound, version)?),
            "^" => {
                has_lower = true;
                parts.push(format!("^{version}"));
            }
            "~" => {
                has_lower = true;
                let kept = cut(&target, numbers.len().max(1));
                match target.len() <= numbers.len() {
                    true => parts.push(format!("~{version}")),
                    false => {
                        parts.push(format!("~{kept}"));
                        needs_lower |= !is_same(&kept, version);
                    }
                }
            }
            _ if bound.ends_with(['*', 'x', 'X']) => {
                has_lower = true;
                let wildcard = bound.get(bound.len() - 1..).unwrap_or("*");
                let kept = cut(&target, numbers.len().max(1));
                parts.push(format!("{operator}{kept}.{wildcard}"));
                needs_lower |= !is_same(&kept, version);
            }
            _ => {
                has_lower = true;
                let mark = if bound.starts_with('v') { "v" } else { "" };
                parts.push(format!("{operator}{mark}{version}"));
            }
        }
    }
    if needs_lower || !has_lower {
        let at = usize::from(has_lower).min(parts.len());
        parts.insert(at, format!(">={version}"));
    }

    let separator = match parts.len() > 1 && !alternative.trim().contains([',', ' ']) {
        true => ", ",
        false => separator,
    };
    Ok(parts.join(separator))
}

/// The constraints of an alternative, and whether commas separate them.
fn words(alternative: &str) -> (bool, Vec<String>) {
    let mut words: Vec<String> = Vec::new();
    for word in alternative
        .split([',', ' ', '\t'])
        .filter(|word| !word.is_empty())
    {
        match words.last_mut() {
            // A sign with a blank after it.
            Some(sign) if OPERATORS.contains(&sign.as_str()) => sign.push_str(word),
            _ => words.push(word.to_owned()),
        }
    }
    (alternative.contains(','), words)
}

/// The first numbers of a version; missing ones are zero.
fn cut(numbers: &[&str], count: usize) -> String {
    let mut kept = numbers.to_vec();
    kept.resize(count, "0");
    kept.join(".")
}

fn is_same(a: &str, b: &str) -> bool {
    Version::parse(a) == Version::parse(b)
}

fn upper(
    text: RequirementText<'_>,
    operator: &str,
    bound: &str,
    version: &str,
) -> Result<String, RequirementError> {
    let set = admitted(&format!("{operator}{bound}"))?;
    if set
        .contains(&Composer, version)
        .map_err(|_| text.invalid())?
    {
        return Ok(format!("{operator}{bound}"));
    }
    if operator != "<" {
        return Err(text.error(format!("excludes `{version}`")));
    }

    // `<2.0` names the next major version, and so does `<4.0` for 3.1.
    let (numbers, suffix) = split(bound);
    if !suffix.is_empty() || numbers.is_empty() {
        return Err(text.error(format!("excludes `{version}`")));
    }
    let zeros = numbers
        .iter()
        .skip(1)
        .rev()
        .take_while(|number| number.trim_start_matches('0').is_empty())
        .count();
    let (target, _) = split(version);
    let raised = next_prefix(&target, numbers.len() - zeros);
    Ok(format!("<{raised}{}", ".0".repeat(zeros)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constraint_is_raised_in_its_own_style() {
        for (requirement, version, expected) in [
            ("*", "1.4.1", Some(">=1.4.1")),
            ("1.2.0", "v1.4.1", Some("1.4.1")),
            ("v1.2.0", "1.4.1", Some("v1.4.1")),
            ("=1.2", "1.4.1", Some("=1.4.1")),
            ("^1.2", "v1.4.1", Some("^1.4.1")),
            ("^1.2", "2.0.1", Some("^2.0.1")),
            ("^0.3", "0.4.2", Some("^0.4.2")),
            ("~1.2", "1.4.1", Some("~1.4, >=1.4.1")),
            ("~1.2", "1.4.0", Some("~1.4")),
            ("~1.2.3", "1.4.1", Some("~1.4.1")),
            ("~1.2.3", "1.4.1.2", Some("~1.4.1, >=1.4.1.2")),
            ("1.2.*", "1.4.0", Some("1.4.*")),
            ("1.*", "2.3.1", Some("2.*, >=2.3.1")),
            (">=1.2", "1.4.1", Some(">=1.4.1")),
            (">=1.2,<2.0", "1.4.1", Some(">=1.4.1, <2.0")),
            (">= 1.2 < 2.0", "2.4.1", Some(">=2.4.1 <3.0")),
            ("^1.0 || ^2.0", "1.5.1", Some("^1.5.1 || ^2.0")),
            ("^1.0|^2.0", "2.1.1", Some("^2.1.1")),
            ("^1.0 || ^2.0", "3.0.1", Some("^3.0.1")),
            ("^1.2", "2.0.0-RC1", Some("^2.0.0-RC1")),
            ("1.0 - 2.0", "2.1", None),
            ("<=1.0", "2.1", None),
            ("^1.0@beta", "1.2", None),
            ("dev-main", "1.2", None),
        ] {
            let raised = raise(requirement, version).ok();
            assert_eq!(raised.as_deref(), expected, "{requirement} {version}");
        }
    }
}
