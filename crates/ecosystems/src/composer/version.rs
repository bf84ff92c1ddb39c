//! Version order of Composer (<https://getcomposer.org/doc/articles/versions.md>): up to four
//! numbers or a date, then a stability with numbers of its own, compared like PHP's
//! `version_compare` (<https://www.php.net/version_compare>). Branches (`dev-main`) have no order
//! and are not parsed.

use std::cmp::Ordering;

use crate::version::number::Number;
use crate::version::runs::split;

/// A component after the leading numbers. The variants are declared in PHP's sort order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Dev,
    Alpha,
    Beta,
    Candidate,
    /// The end of the version, which sorts between pre-releases and further numbers.
    End,
    Number(Number<String>),
    Patch,
}

impl Part {
    fn number(digits: &str) -> Self {
        Self::Number(Number::new(digits).owned())
    }
}

/// A version, split into the parts that determine its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Version(Vec<Part>);

impl Version {
    /// Parses a version; `None` if the text is not one or names a branch.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim_ascii().to_ascii_lowercase();
        let text = match text.rsplit_once('@') {
            Some((text, "stable" | "rc" | "beta" | "alpha" | "dev")) => text,
            _ => &text,
        };

        // In `1.2@dev as 1.3`, the alias after `as` is ignored.
        let text = text
            .split_once(" as ")
            .map_or(text, |(text, _)| text.trim_ascii());
        let text = match text.split_once('+') {
            Some((_, build)) if build.is_empty() || build.contains(char::is_whitespace) => {
                return None;
            }
            Some((text, _)) => text,
            None => text,
        };
        let text = text.strip_prefix('v').unwrap_or(text);
        let parts = classical(text)
            .or_else(|| date(text))
            .or_else(|| branch(text))?;

        Some(Self(parts))
    }
}

impl Version {
    /// Whether it is neither a pre-release nor a developmental version.
    pub(super) fn is_stable(&self) -> bool {
        let is_pre =
            |part: &Part| matches!(part, Part::Dev | Part::Alpha | Part::Beta | Part::Candidate);
        !self.0.iter().any(is_pre)
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let longer = self.0.len().max(other.0.len());
        let at = |version: &Self, index: usize| version.0.get(index).cloned().unwrap_or(Part::End);
        (0..longer)
            .map(|index| at(self, index).cmp(&at(other, index)))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Splits off the leading digits.
fn digits(text: &str) -> (&str, &str) {
    split(text, |byte| byte.is_ascii_digit())
}

/// Parses one to four numbers, the first with at most five digits, and a stability.
fn classical(text: &str) -> Option<Vec<Part>> {
    let (first, mut rest) = digits(text);
    if first.is_empty() || first.len() > 5 {
        return None;
    }

    let mut parts = vec![Part::number(first)];
    while parts.len() < 4
        && let Some(after) = rest.strip_prefix('.')
        && let (next, after) = digits(after)
        && !next.is_empty()
    {
        parts.push(Part::number(next));
        rest = after;
    }

    parts.resize(4, Part::number(""));
    parts.extend(modifier(rest)?);

    Some(parts)
}

/// Parses a date with an optional time: four digits, one to six pairs of digits, and up to three
/// more digits.
fn date(text: &str) -> Option<Vec<Part>> {
    let year = text.get(..4).filter(|year| digits(year).1.is_empty())?;
    let mut parts = vec![year.to_owned()];
    let mut rest = text.get(4..)?;
    let mut pairs = 0;

    while pairs < 6
        && let (separated, after) = without_separator(rest)
        && let Some(two) = after.get(..2).filter(|two| digits(two).1.is_empty())
    {
        push(&mut parts, separated, two);
        rest = after.get(2..)?;
        pairs += 1;
    }

    if pairs == 0 {
        return None;
    }

    let (separated, after) = without_separator(rest);
    let (last, after_last) = digits(after);
    if (1..=3).contains(&last.len()) {
        push(&mut parts, separated, last);
        rest = after_last;
    }

    let numbers = parts.iter().map(|part| Part::number(part));
    Some(numbers.chain(modifier(rest)?).collect())
}

/// Adds digits as a number of their own, or appends them to the previous number if nothing
/// separates them.
fn push(parts: &mut Vec<String>, separated: bool, digits: &str) {
    match parts.last_mut() {
        Some(last) if !separated => last.push_str(digits),
        _ => parts.push(digits.to_owned()),
    }
}

fn without_separator(text: &str) -> (bool, &str) {
    match text.strip_prefix(['.', ':', '-']) {
        Some(rest) => (true, rest),
        None => (false, text),
    }
}

/// Parses a stability with its numbers and an optional `dev`: `-beta2`, `.RC-1.4`, `_p1-dev`.
fn modifier(text: &str) -> Option<Vec<Part>> {
    let mut parts = Vec::new();
    if text.is_empty() {
        return Some(parts);
    }

    let stripped = text.strip_prefix(['.', '_', '-']).unwrap_or(text);
    let words = [
        ("stable", None),
        ("beta", Some(Part::Beta)),
        ("b", Some(Part::Beta)),
        ("rc", Some(Part::Candidate)),
        ("alpha", Some(Part::Alpha)),
        ("a", Some(Part::Alpha)),
        ("patch", Some(Part::Patch)),
        ("pl", Some(Part::Patch)),
        ("p", Some(Part::Patch)),
    ];
    let word = words
        .into_iter()
        .find_map(|(word, part)| Some((part, stripped.strip_prefix(word)?)));
    let Some((part, mut rest)) = word else {
        if is_dev(stripped) || is_dev(text) {
            parts.push(Part::Dev);
            return Some(parts);
        }
        return stripped.is_empty().then_some(parts);
    };
    let is_stable = part.is_none();

    parts.extend(part);
    loop {
        let (number, after) = digits(rest.strip_prefix(['.', '-']).unwrap_or(rest));
        if number.is_empty() {
            break;
        }
        parts.push(Part::number(number));
        rest = after;
    }

    if is_dev(rest) {
        parts.push(Part::Dev);
    } else if !rest.is_empty() {
        return None;
    }
    // Anything after `stable` is ignored.
    Some(if is_stable { Vec::new() } else { parts })
}

fn is_dev(text: &str) -> bool {
    matches!(text, "dev" | ".dev" | "-dev")
}

/// Parses a branch named after versions, such as `2.1.x-dev`, which sorts above all of them.
fn branch(text: &str) -> Option<Vec<Part>> {
    let text = text.strip_suffix("dev")?;
    let text = text.strip_suffix(['.', '-']).unwrap_or(text);

    let mut parts = Vec::new();
    for (index, part) in text.split('.').enumerate() {
        let is_number = !part.is_empty() && digits(part).1.is_empty();
        match part {
            "x" | "*" if index > 0 => parts.push(Part::number("9999999")),
            _ if is_number && index < 4 => parts.push(Part::number(part)),
            _ => return None,
        }
    }

    if parts.len() > 4 {
        return None;
    }

    parts.resize(4, Part::number("9999999"));
    parts.push(Part::Dev);

    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        Version::parse(text).unwrap_or_else(|| panic!("`{text}` is a version"))
    }

    #[test]
    fn orders_as_composer_does() {
        let rising = [
            "0",
            "1.0-dev",
            "1.0-alpha-dev",
            "1.0-alpha",
            "1.0-alpha1",
            "1.0-alpha2.1",
            "1.0-alpha10",
            "1.0-beta",
            "1.0-RC1-dev",
            "1.0-RC1",
            "1.0",
            "1.0-patch",
            "1.0-pl1",
            "1.0.0.1",
            "1.9",
            "1.10",
            "1.x-dev",
            "2.0.99999999999999999999",
            "20230101",
            "2023.01.01",
        ];
        // A date without separators is one number, so it sorts above one with separators.
        let rank = |text: &str| match text {
            "20230101" => 19,
            "2023.01.01" => 18,
            _ => rising.iter().position(|it| *it == text).unwrap(),
        };

        for a in rising {
            for b in rising {
                let order = version(a).cmp(&version(b));
                assert_eq!(order, rank(a).cmp(&rank(b)), "{a} {b}");
            }
        }
    }

    #[test]
    fn forms_of_one_version_are_equal() {
        for (a, b) in [
            ("1", "v1.0.0.0"),
            ("1.0.0-b2", "1.0.0beta2"),
            ("1.0_RC.1", "1.0rc1"),
            ("1.0-p1", "1.0-PL1"),
            ("1.0-stable", "1.0"),
            ("1.0+build.5", "1.0"),
            ("1.0@beta", "1.0"),
            ("01.02", "1.2"),
            ("1.0 as 2.0", "1.0"),
            ("2.1-dev", "2.1.0.0-dev"),
        ] {
            let order = version(a).cmp(&version(b));
            assert_eq!(order, Ordering::Equal, "{a} {b}");
        }
    }

    #[test]
    fn rejects_branches_and_what_is_no_version() {
        for text in [
            "",
            "dev-main",
            "master",
            "1..2",
            "1.2.3.4.5",
            "a1",
            "1.0-x",
            "1.0+",
            "x-dev",
            "1.0 b",
        ] {
            assert_eq!(Version::parse(text), None, "{text}");
        }
    }
}
