//! Parts that the requirements of several ecosystems share: comparisons with a version, and the
//! errors of texts that are no requirement.

use std::ops::Bound;

use patchgate_model::{EcosystemName, SmolStr};

use crate::{Ecosystem, Interval, RequirementError, VersionSet};

/// Maximum length of a requirement, in bytes. The cost of an intersection grows with the square of
/// the number of comparisons, and requirements that people write are far shorter.
pub(crate) const MAX_LENGTH: usize = 4096;

/// A comparison with a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Equal,
    NotEqual,
}

/// The signs of the comparisons. A sign precedes those that it starts with.
const SIGNS: [(&str, Comparison); 7] = [
    ("<=", Comparison::LessEqual),
    (">=", Comparison::GreaterEqual),
    ("==", Comparison::Equal),
    ("!=", Comparison::NotEqual),
    ("<", Comparison::Less),
    (">", Comparison::Greater),
    ("=", Comparison::Equal),
];

impl Comparison {
    /// Splits the sign off the start of a text; `None` if the text starts with no sign.
    pub(crate) fn split(text: &str) -> Option<(Self, &str)> {
        SIGNS
            .iter()
            .find_map(|(sign, comparison)| Some((*comparison, text.strip_prefix(sign)?)))
    }

    /// The versions for which the comparison is true.
    pub(crate) fn set(self, version: &str) -> VersionSet {
        let version = SmolStr::new(version);
        let below = |bound| Interval::new(Bound::Unbounded, bound);
        let above = |bound| Interval::new(bound, Bound::Unbounded);
        match self {
            Self::Less => below(Bound::Excluded(version)).into(),
            Self::LessEqual => below(Bound::Included(version)).into(),
            Self::Greater => above(Bound::Excluded(version)).into(),
            Self::GreaterEqual => above(Bound::Included(version)).into(),
            Self::Equal => Interval::exactly(&version).into(),
            Self::NotEqual => [
                below(Bound::Excluded(version.clone())),
                above(Bound::Excluded(version)),
            ]
            .into_iter()
            .collect(),
        }
    }
}

/// The versions that are in all sets.
pub(crate) fn in_all(
    order: &dyn Ecosystem,
    requirement: &str,
    sets: impl IntoIterator<Item = VersionSet>,
) -> Result<VersionSet, RequirementError> {
    let mut common = VersionSet::all();
    for set in sets {
        common = common
            .intersection(order, &set)
            .map_err(|error| RequirementError::new(requirement, error.to_string()))?;
    }
    Ok(common)
}

/// Checks the length of a requirement.
pub(crate) fn check_length(requirement: &str) -> Result<(), RequirementError> {
    if requirement.len() > MAX_LENGTH {
        let start: String = requirement.chars().take(80).collect();
        return Err(RequirementError::new(&start, "is too long"));
    }
    Ok(())
}

/// The error of a text that is no requirement. It says whether the text names an address or a path.
pub(crate) fn refuse(ecosystem: EcosystemName, requirement: &str) -> RequirementError {
    let text = requirement.trim();
    let reason = if text.contains("://") || text.starts_with("git@") {
        "names an address, not versions".to_owned()
    } else if text.starts_with(['.', '/', '~']) && text.contains(['/', '\\']) {
        "names a directory or a file, not versions".to_owned()
    } else {
        format!("is not a requirement of {ecosystem}")
    };
    RequirementError::new(requirement, reason)
}

/// The number after a number of any size. The text must consist of digits.
pub(crate) fn successor(digits: &str) -> String {
    let head = digits.trim_end_matches('9');
    let zeros = "0".repeat(digits.len() - head.len());
    let last = head.bytes().last();
    match (last, head.get(..head.len().saturating_sub(1))) {
        (Some(digit), Some(front)) => format!("{front}{}{zeros}", char::from(digit + 1)),
        _ => format!("1{zeros}"),
    }
}

/// Checks that sets contain the versions that they should: rows of requirement, version, and whether
/// the requirement admits it.
#[cfg(test)]
#[track_caller]
pub(crate) fn assert_admitted(ecosystem: &dyn Ecosystem, rows: &[(&str, &[&str], &[&str])]) {
    for (requirement, inside, outside) in rows {
        let set = ecosystem
            .admitted_versions(requirement)
            .unwrap_or_else(|error| panic!("{error}"));
        for (versions, expected) in [(inside, true), (outside, false)] {
            for version in *versions {
                let admitted = set.contains(ecosystem, version);
                assert_eq!(
                    admitted,
                    Ok(expected),
                    "`{requirement}` and `{version}`: {set:?}"
                );
            }
        }
        assert_eq!(
            set.is_empty(ecosystem),
            Ok(inside.is_empty()),
            "{requirement}"
        );
    }
}

/// Checks that texts are errors, with their reasons.
#[cfg(test)]
#[track_caller]
pub(crate) fn assert_refused(ecosystem: &dyn Ecosystem, rows: &[(&str, &str)]) {
    for (requirement, reason) in rows {
        let error = ecosystem.admitted_versions(requirement).unwrap_err();
        assert_eq!(error.reason, *reason, "{requirement}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_any_size_has_a_successor() {
        for (digits, next) in [
            ("0", "1"),
            ("9", "10"),
            ("109", "110"),
            ("199", "200"),
            ("18446744073709551615", "18446744073709551616"),
        ] {
            assert_eq!(successor(digits), next);
        }
    }

    #[test]
    fn an_error_says_what_the_text_is() {
        let npm = EcosystemName::new("npm");
        for (text, reason) in [
            ("https://a.invalid/b", "names an address, not versions"),
            ("git@a.invalid:b/c", "names an address, not versions"),
            ("../b", "names a directory or a file, not versions"),
            ("~> x", "is not a requirement of npm"),
        ] {
            assert_eq!(refuse(npm, text).reason, reason);
        }

        let long = "1".repeat(MAX_LENGTH + 1);
        assert_eq!(check_length(&long).unwrap_err().reason, "is too long");
    }
}
