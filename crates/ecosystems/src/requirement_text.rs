//! Parts that the requirement grammars of several ecosystems share: limits, errors, and sets of
//! comparisons.

use std::ops::Bound;

use crate::{Ecosystem, Interval, RequirementError, VersionSet};

/// Maximum length of a requirement, in bytes. Published ones are far shorter.
const MAX_LENGTH: usize = 2048;

/// Maximum number of parts of one requirement that are combined. An intersection takes quadratic
/// time.
const MAX_PARTS: usize = 64;

/// A requirement that is being read.
#[derive(Clone, Copy)]
pub(crate) struct RequirementText<'a> {
    order: &'static dyn Ecosystem,
    text: &'a str,
}

impl<'a> RequirementText<'a> {
    /// A requirement of an ecosystem.
    ///
    /// # Errors
    /// If the text is too long, or is an address or a path.
    pub(crate) fn new(
        order: &'static dyn Ecosystem,
        text: &'a str,
    ) -> Result<Self, RequirementError> {
        let this = Self::with_any_character(order, text)?;
        match text.contains(['/', '\\', ':', '@']) {
            true => Err(this.error("names an address or a path, not versions")),
            false => Ok(this),
        }
    }

    /// The same for a grammar in which `/`, `:` and `@` have a meaning.
    ///
    /// # Errors
    /// If the text is too long.
    pub(crate) fn with_any_character(
        order: &'static dyn Ecosystem,
        text: &'a str,
    ) -> Result<Self, RequirementError> {
        let this = Self { order, text };
        match text.len() > MAX_LENGTH {
            true => Err(this.error("is too long")),
            false => Ok(this),
        }
    }

    /// An error, with the reason as the rest of a sentence.
    pub(crate) fn error(self, reason: impl Into<String>) -> RequirementError {
        RequirementError::new(self.text, reason)
    }

    /// The error of a text that does not follow the grammar.
    pub(crate) fn invalid(self) -> RequirementError {
        self.error(format!("is not a requirement of {}", self.order.name()))
    }

    /// The version, if the ecosystem can compare it.
    pub(crate) fn version(self, version: &str) -> Result<&str, RequirementError> {
        match self.order.compare_versions(version, version) {
            Ok(_) if !version.is_empty() => Ok(version),
            _ => Err(self.invalid()),
        }
    }

    /// The versions in all of the sets; every version if there is no set.
    pub(crate) fn all_of(
        self,
        sets: impl IntoIterator<Item = Result<VersionSet, RequirementError>>,
    ) -> Result<VersionSet, RequirementError> {
        let mut common = VersionSet::all();
        for (index, set) in sets.into_iter().enumerate() {
            self.check_count(index)?;
            common = common
                .intersection(self.order, &set?)
                .map_err(|_| self.invalid())?;
        }
        Ok(common)
    }

    /// The versions in any of the sets.
    pub(crate) fn any_of(
        self,
        sets: impl IntoIterator<Item = Result<VersionSet, RequirementError>>,
    ) -> Result<VersionSet, RequirementError> {
        let mut union = VersionSet::default();
        for (index, set) in sets.into_iter().enumerate() {
            self.check_count(index)?;
            union.intervals.extend(set?.intervals);
        }
        Ok(union)
    }

    fn check_count(self, index: usize) -> Result<(), RequirementError> {
        match index < MAX_PARTS {
            true => Ok(()),
            false => Err(self.error(format!("has more than {MAX_PARTS} parts"))),
        }
    }

    /// The versions for which a comparison is true, by the order alone. `=` and `==` mean the same.
    pub(crate) fn comparison(
        self,
        operator: &str,
        version: &str,
    ) -> Result<VersionSet, RequirementError> {
        let version = self.version(version)?;
        let included = || Bound::Included(version.into());
        let excluded = || Bound::Excluded(version.into());
        Ok(match operator {
            "=" | "==" => Interval::exactly(version).into(),
            "!=" => without(Interval::exactly(version)),
            ">=" => Interval::at_least(version).into(),
            ">" => Interval::new(excluded(), Bound::Unbounded).into(),
            "<" => Interval::below(version).into(),
            "<=" => Interval::new(Bound::Unbounded, included()).into(),
            _ => return Err(self.invalid()),
        })
    }
}

/// All versions outside an interval.
pub(crate) fn without(interval: Interval) -> VersionSet {
    let mut outside = VersionSet::default();
    match interval.lower {
        Bound::Unbounded => {}
        Bound::Included(version) => outside
            .intervals
            .push(Interval::new(Bound::Unbounded, Bound::Excluded(version))),
        Bound::Excluded(version) => outside
            .intervals
            .push(Interval::new(Bound::Unbounded, Bound::Included(version))),
    }
    match interval.upper {
        Bound::Unbounded => {}
        Bound::Included(version) => outside
            .intervals
            .push(Interval::new(Bound::Excluded(version), Bound::Unbounded)),
        Bound::Excluded(version) => outside
            .intervals
            .push(Interval::new(Bound::Included(version), Bound::Unbounded)),
    }
    outside
}

/// Splits a clause into its operator, one of `operators` or empty, and the rest without blanks
/// around it. An operator must be listed before those that are prefixes of it.
pub(crate) fn operator<'a>(clause: &'a str, operators: &[&'static str]) -> (&'static str, &'a str) {
    let clause = clause.trim();
    operators
        .iter()
        .find_map(|operator| Some((*operator, clause.strip_prefix(operator)?.trim_start())))
        .unwrap_or(("", clause))
}

/// The first `kept` of some numbers, with the last one raised by one, between dots. Missing numbers
/// count as zero.
pub(crate) fn next_prefix<S: AsRef<str>>(numbers: &[S], kept: usize) -> String {
    let kept = kept.max(1);
    let number = |index: usize| numbers.get(index).map_or("0", AsRef::as_ref);
    let mut text = String::new();
    for index in 0..kept {
        if index + 1 < kept {
            text.push_str(number(index));
            text.push('.');
        } else {
            text.push_str(&crate::version::number::successor(number(index)));
        }
    }
    text
}

/// The results of one grammar for a table of requirements, versions and whether they are admitted.
#[cfg(test)]
#[track_caller]
pub(crate) fn assert_rows(order: &dyn Ecosystem, rows: &[(&str, &str, bool)]) {
    for (requirement, version, expected) in rows {
        let set = order.admitted_versions(requirement).unwrap();
        let admitted = set.contains(order, version).unwrap();
        assert_eq!(admitted, *expected, "`{requirement}` and {version}");
    }
}

/// Asserts that texts are no requirements.
#[cfg(test)]
#[track_caller]
pub(crate) fn assert_refused(order: &dyn Ecosystem, texts: &[&str]) {
    for text in texts {
        assert!(order.admitted_versions(text).is_err(), "`{text}`");
    }
}
