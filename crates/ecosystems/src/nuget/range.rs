//! Ranges of versions as a lockfile writes them: `requested` in the normal form, and the requirements
//! of packages in the short form (`VersionRangeFormatter` in <https://github.com/NuGet/NuGet.Client>).

use std::cmp::Ordering;

use super::version::Version;

/// A range of versions. Its bounds are in the normal form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct VersionRange {
    /// The lower bound. It may float: `12.0.*`.
    pub(super) lower: Option<String>,
    includes_lower: bool,
    upper: Option<String>,
    includes_upper: bool,
}

impl VersionRange {
    /// Reads a requirement of a project, a package or a lockfile. `None` if it is not a range, or one
    /// that admits every version.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let bound = |text: &str| match text.trim() {
            "" => Some(None),
            text if text.contains('*') => Some(Some(text.to_owned())),
            text => normal(text).map(Some),
        };
        let Some(body) = text.strip_prefix(['[', '(']) else {
            return Some(Self {
                lower: Some(bound(text)??),
                includes_lower: true,
                upper: None,
                includes_upper: false,
            });
        };

        let includes_lower = text.starts_with('[');
        let includes_upper = text.ends_with(']');
        let body = body.strip_suffix([']', ')'])?;
        let (lower, upper) = body.split_once(',').unwrap_or((body, body));
        let range = Self {
            lower: bound(lower)?,
            includes_lower,
            upper: bound(upper)?,
            includes_upper,
        };
        (range.lower.is_some() || range.upper.is_some()).then_some(range)
    }

    /// The normal form: `[1.0.0, )`.
    pub(super) fn normal(&self) -> String {
        let bound = |bound: &Option<String>| bound.clone().unwrap_or_default();
        format!(
            "{}{}, {}{}",
            if self.includes_lower { '[' } else { '(' },
            bound(&self.lower),
            bound(&self.upper),
            if self.includes_upper { ']' } else { ')' },
        )
    }

    /// The short form: `1.0.0`, `[1.0.0]`, or the normal one.
    pub(super) fn short(&self) -> String {
        match (&self.lower, &self.upper) {
            (Some(lower), None) if self.includes_lower => lower.clone(),
            (Some(lower), Some(upper))
                if self.includes_lower && self.includes_upper && lower == upper =>
            {
                format!("[{lower}]")
            }
            _ => self.normal(),
        }
    }

    /// Whether its lower bound floats.
    pub(super) fn floats(&self) -> bool {
        self.lower.as_ref().is_some_and(|lower| lower.contains('*'))
    }

    /// Whether it admits a version. A bound that floats counts by the numbers before the star.
    pub(super) fn admits(&self, version: &str) -> bool {
        let is = |bound: &str, order: Ordering, or_equal: bool| {
            let start = match bound.split_once('*') {
                Some((start, _)) => start.trim_end_matches(['.', '-']),
                None => bound,
            };
            compare(version, if start.is_empty() { "0.0.0-0" } else { start })
                .is_some_and(|found| found == order || (or_equal && found.is_eq()))
        };
        self.lower
            .as_ref()
            .is_none_or(|lower| is(lower, Ordering::Greater, self.includes_lower))
            && self
                .upper
                .as_ref()
                .is_none_or(|upper| is(upper, Ordering::Less, self.includes_upper))
    }
}

/// The order of two versions. `None` if one of them is not a version.
pub(super) fn compare(a: &str, b: &str) -> Option<Ordering> {
    Some(Version::parse(a)?.cmp(&Version::parse(b)?))
}

/// The normal form of a version: three numbers at least, and a fourth one only if it is not zero
/// (<https://learn.microsoft.com/nuget/concepts/package-versioning#normalized-version-numbers>).
pub(super) fn normal(version: &str) -> Option<String> {
    Version::parse(version)?;
    let version = version.split('+').next()?;
    let (numbers, pre) = match version.split_once('-') {
        Some((numbers, pre)) => (numbers, Some(pre)),
        None => (version, None),
    };

    let mut numbers: Vec<&str> = numbers
        .split('.')
        .map(|number| match number.trim_start_matches('0') {
            "" => "0",
            number => number,
        })
        .collect();
    while numbers.len() < 3 {
        numbers.push("0");
    }
    if numbers.len() == 4 && numbers.last() == Some(&"0") {
        numbers.pop();
    }

    let numbers = numbers.join(".");
    Some(match pre {
        Some(pre) => format!("{numbers}-{pre}"),
        None => numbers,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_have_the_forms_of_nuget() {
        for (text, normal, short) in [
            ("1.0", "[1.0.0, )", "1.0.0"),
            ("01.2.3.0+build", "[1.2.3, )", "1.2.3"),
            ("1.2.3.4-Rc.1", "[1.2.3.4-Rc.1, )", "1.2.3.4-Rc.1"),
            ("[1.0]", "[1.0.0, 1.0.0]", "[1.0.0]"),
            ("[1.0.0, 1.0]", "[1.0.0, 1.0.0]", "[1.0.0]"),
            ("[1.0,2.0)", "[1.0.0, 2.0.0)", "[1.0.0, 2.0.0)"),
            ("(1.0,)", "(1.0.0, )", "(1.0.0, )"),
            ("(,2.0]", "(, 2.0.0]", "(, 2.0.0]"),
            ("12.0.*", "[12.0.*, )", "12.0.*"),
        ] {
            let range = VersionRange::parse(text).unwrap();
            assert_eq!(
                (range.normal().as_str(), range.short().as_str()),
                (normal, short)
            );
            assert_eq!(VersionRange::parse(normal).unwrap(), range, "{text}");
        }
        for text in ["", "(, )", "$(Version)", "x", "[1.0", ">= 1.0"] {
            assert_eq!(VersionRange::parse(text), None, "{text}");
        }
    }

    #[test]
    fn ranges_admit_what_is_between_their_bounds() {
        for (range, version, expected) in [
            ("1.0", "1.0.0", true),
            ("1.0", "0.9", false),
            ("[1.0,2.0)", "2.0", false),
            ("(1.0,2.0]", "2.0", true),
            ("(1.0,2.0]", "1.0", false),
            ("[1.0]", "1.0.1", false),
            ("12.0.*", "12.0.3", true),
            ("12.0.*", "11.9", false),
            ("*", "0.1", true),
        ] {
            assert_eq!(
                VersionRange::parse(range).unwrap().admits(version),
                expected,
                "{range} {version}"
            );
        }
    }
}
