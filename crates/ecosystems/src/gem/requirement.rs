//! The versions that a requirement of RubyGems admits (`Gem::Requirement`,
//! <https://docs.ruby-lang.org/en/master/Gem/Requirement.html>): comparisons separated by commas, as
//! the readers of lockfiles and Gemfiles join them.
//!
//! A set contains pre-releases between its bounds, because Bundler takes one if nothing else fits.

use super::RubyGems;
use super::version::Version;
use crate::requirement_text::{RequirementText, next_prefix, operator};
use crate::version::runs::{Run, runs};
use crate::{Interval, RequirementError, VersionSet};

/// Longer operators first, because a shorter one may be a prefix of them.
pub(super) const OPERATORS: [&str; 7] = ["~>", "!=", ">=", "<=", "=", ">", "<"];

/// The versions that a requirement admits.
pub(super) fn admitted(requirement: &str) -> Result<VersionSet, RequirementError> {
    let unknown = match requirement {
        super::gemfile::CODE => Some("is stated by Ruby code, which is not run"),
        super::gemfile::NO_GEMSPEC => Some("is in a file that is not in the repository"),
        _ => None,
    };
    if let Some(reason) = unknown {
        return Err(RequirementError::new(requirement, reason));
    }
    let text = RequirementText::new(&RubyGems, requirement)?;
    if requirement.trim().is_empty() {
        return Ok(VersionSet::all());
    }

    text.all_of(requirement.split(',').map(|part| {
        let (operator, version) = operator(part, &OPERATORS);
        match operator {
            "" => text.comparison("=", version),
            "~>" => pessimistic(text, version),
            _ => text.comparison(operator, version),
        }
    }))
}

/// `~> 1.2.3`: from the version on, below the next one of its numbers without the last.
///
/// Pre-releases of that next version are outside. Before them are only texts such as `2.A.A`, which
/// no gem has.
fn pessimistic(text: RequirementText<'_>, version: &str) -> Result<VersionSet, RequirementError> {
    let numbers = numbers(text.version(version)?);
    let kept = numbers.len().saturating_sub(1).max(1);
    let end = format!("{}.A", next_prefix(&numbers, kept));
    Ok(Interval::between(version, &end).into())
}

/// The release that a pre-release precedes: its numbers before the first letters.
pub(super) fn release_of(version: &str) -> Option<String> {
    Version::parse(version)?;
    let is_pre = version.contains(|c: char| c.is_ascii_alphabetic() || c == '-');
    is_pre.then(|| numbers(version).join("."))
}

/// The numbers before the first letters.
pub(super) fn numbers(version: &str) -> Vec<&str> {
    let release = version.trim().split('-').next().unwrap_or_default();
    release
        .split('.')
        .flat_map(runs)
        .map_while(|run| match run {
            Run::Number(number) => Some(number.digits()),
            Run::Letters(_) => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use crate::requirement_text::{assert_refused, assert_rows};
    use crate::{Ecosystem as _, gem::RubyGems};

    #[test]
    fn requirements_admit_by_the_rules_of_rubygems() {
        assert_rows(
            &RubyGems,
            &[
                ("", "1", true),
                ("1.2", "1.2.0", true),
                ("= 1.2", "1.2.1", false),
                ("!= 1.2", "1.2.0", false),
                ("!= 1.2", "1.2.a", true),
                ("> 1.2", "1.2.0.1", true),
                (">= 1.2", "1.2.rc1", false),
                ("< 2", "2.0.pre", true),
                ("<= 2", "2.0.0", true),
                ("~> 1.2", "1.2", true),
                ("~> 1.2", "1.9.9", true),
                ("~> 1.2", "2.0", false),
                ("~> 1.2", "2.0.rc1", false),
                ("~> 1.2", "2.A", false),
                ("~> 1.2", "1.2.rc1", false),
                ("~> 1", "1.9", true),
                ("~> 1", "2", false),
                ("~> 1.2.3", "1.2.9", true),
                ("~> 1.2.3", "1.3.a", false),
                ("~> 1.2.rc1", "1.2.rc2", true),
                ("~> 1.2.rc1", "1.9", true),
                ("~> 1.2.rc1", "2.0", false),
                ("~> 0.9", "0.10", true),
                ("~>1.0, != 1.4, < 1.6", "1.4", false),
                ("~>1.0, != 1.4, < 1.6", "1.5", true),
                ("~>1.0, != 1.4, < 1.6", "1.6", false),
            ],
        );
    }

    #[test]
    fn other_texts_are_errors() {
        assert_refused(
            &RubyGems,
            &[
                ",", ">= ", "~> a", "^1.2", ">= 1 < 2", "==1", "git:x", "../x",
            ],
        );
    }

    #[test]
    fn pre_releases_precede_their_release() {
        for (version, release) in [
            ("1.0.rc1", Some("1.0")),
            ("1.2.3a", Some("1.2.3")),
            ("1-1", Some("1")),
            ("1.0", None),
            ("x", None),
        ] {
            assert_eq!(
                RubyGems.release_of(version).as_deref(),
                release,
                "{version}"
            );
        }
    }
}
