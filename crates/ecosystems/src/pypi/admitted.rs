//! The versions that a requirement admits, as a set: specifiers of PEP 440
//! (<https://packaging.python.org/en/latest/specifications/version-specifiers/#version-specifiers>)
//! and Poetry's constraints (<https://python-poetry.org/docs/dependency-specification/>), which add
//! `^`, `~`, `*`, alternatives and versions without an operator.
//!
//! Where a set differs from the rules, it is larger:
//!
//! - It contains pre-releases, because pip installs them if a project has no other release.
//! - `>1.0` contains the post-releases and local versions of 1.0, and `<1.0.post1` the pre-releases
//!   of 1.0.
//! - `===1.0` contains the other spellings of 1.0.

use std::ops::Bound;

use super::PyPi;
use super::specifier::release;
use super::version::{Dev, Pre, Version};
use crate::requirement_text::{RequirementText, next_prefix, operator, without};
use crate::{Interval, RequirementError, VersionSet};

/// Longer operators first, because a shorter one may be a prefix of them.
pub(super) const OPERATORS: [&str; 11] =
    ["===", "==", "~=", "!=", "<=", ">=", "<", ">", "^", "~", "="];

/// The versions that a requirement admits.
pub(super) fn admitted(requirement: &str) -> Result<VersionSet, RequirementError> {
    let text = RequirementText::new(&PyPi, requirement)?;
    if requirement.trim().is_empty() {
        return Ok(VersionSet::all());
    }

    let alternatives = requirement
        .split("||")
        .flat_map(|alternative| alternative.split('|'));
    text.any_of(alternatives.map(|alternative| {
        let clauses = clauses(alternative).ok_or_else(|| text.invalid())?;
        text.all_of(
            clauses
                .into_iter()
                .map(|(operator, version)| clause(text, operator, version)),
        )
    }))
}

/// The clauses of an alternative, as operator and version. Poetry also separates them by blanks.
pub(super) fn clauses(alternative: &str) -> Option<Vec<(&'static str, &str)>> {
    let mut clauses = Vec::new();
    for part in alternative.split(',') {
        let mut rest = part.trim();
        while !rest.is_empty() {
            let (sign, after) = operator(rest, &OPERATORS);
            // Without this, `1.0 2.0` would be two clauses.
            if sign.is_empty() && rest.len() < part.trim().len() {
                return None;
            }
            let end = after.find(char::is_whitespace).unwrap_or(after.len());
            let (version, after) = after.split_at_checked(end)?;
            clauses.push((sign, version));
            rest = after.trim_start();
        }
    }

    (!clauses.is_empty()).then_some(clauses)
}

/// The versions that one clause admits.
pub(super) fn clause(
    text: RequirementText<'_>,
    operator: &str,
    version: &str,
) -> Result<VersionSet, RequirementError> {
    if operator.is_empty() && matches!(version, "*" | "x" | "X") {
        return Ok(VersionSet::all());
    }
    if operator == "===" {
        return Ok(Interval::exactly(text.version(version)?).into());
    }

    if let Some(prefix) = without_wildcard(version) {
        let parts = Parts::of(prefix).filter(Parts::is_final);
        let family = parts.ok_or_else(|| text.invalid())?.family();
        return match operator {
            "" | "=" | "==" => Ok(family.into()),
            "!=" => Ok(without(family)),
            _ => Err(text.invalid()),
        };
    }

    let parts = Parts::of(version).ok_or_else(|| text.invalid())?;
    let same = || match parts.has_local {
        true => Interval::exactly(version),
        false => Interval::between(version, &parts.after_locals()),
    };
    match operator {
        "" | "=" | "==" => return Ok(same().into()),
        "!=" => return Ok(without(same())),
        _ if parts.has_local => return Err(text.invalid()),
        _ => {}
    }

    let upto = |kept: usize| Interval::between(version, &parts.first_after(kept));
    Ok(VersionSet::from(match operator {
        "~=" if parts.numbers.len() > 1 => upto(parts.numbers.len() - 1),
        "~" => upto(parts.numbers.len().min(2)),
        "^" => upto(parts.caret()),
        ">=" => Interval::at_least(version),
        ">" => Interval::new(Bound::Excluded(version.into()), Bound::Unbounded),
        "<=" => Interval::below(&parts.after_locals()),
        "<" if parts.is_final() => Interval::below(&format!("{}.dev0", parts.release())),
        "<" => Interval::below(version),
        _ => return Err(text.invalid()),
    }))
}

/// The numbers before `.*`; `None` if there is no wildcard. Poetry also allows `.x`, and several.
pub(super) fn without_wildcard(version: &str) -> Option<&str> {
    let mut prefix = version;
    while let Some(shorter) = [".*", ".x", ".X"]
        .iter()
        .find_map(|wildcard| prefix.strip_suffix(wildcard))
    {
        prefix = shorter;
    }
    (prefix != version).then_some(prefix)
}

/// The release that a pre-release precedes. A developmental release of a post-release precedes that
/// one.
pub(super) fn release_of(version: &str) -> Option<String> {
    let parts = Parts::of(version)?;
    if parts.pre.is_empty() && parts.dev.is_none() {
        return None;
    }

    let post = parts.post.as_ref().filter(|_| parts.pre.is_empty());
    Some(match post {
        Some(post) => format!("{}.post{post}", parts.release()),
        None => parts.release(),
    })
}

/// The parts of a version of PEP 440, as text.
pub(super) struct Parts {
    /// The epoch with its `!`; empty for zero.
    pub(super) epoch: String,
    /// The numbers of the release, with trailing zeros.
    pub(super) numbers: Vec<String>,
    /// The pre-release, such as `rc1`; empty in a final release.
    pub(super) pre: String,
    pub(super) post: Option<String>,
    pub(super) dev: Option<String>,
    pub(super) has_local: bool,
}

impl Parts {
    pub(super) fn of(text: &str) -> Option<Self> {
        let Version::Standard {
            pre,
            post,
            dev,
            local,
            ..
        } = Version::parse(text)?
        else {
            return None;
        };
        let (epoch, numbers) = release(text.trim())?;

        Some(Self {
            epoch: match epoch.is_zero() {
                true => String::new(),
                false => format!("{}!", epoch.text()),
            },
            numbers: numbers
                .iter()
                .map(|number| number.text().to_owned())
                .collect(),
            pre: match pre {
                Pre::BeforeAll | Pre::AfterAll => String::new(),
                Pre::Alpha(number) => format!("a{}", number.text()),
                Pre::Beta(number) => format!("b{}", number.text()),
                Pre::Candidate(number) => format!("rc{}", number.text()),
            },
            post: post.map(|number| number.text().to_owned()),
            dev: match dev {
                Dev::Of(number) => Some(number.text().to_owned()),
                Dev::No => None,
            },
            has_local: local.is_some(),
        })
    }

    /// Whether it is a release without any suffix.
    fn is_final(&self) -> bool {
        self.pre.is_empty() && self.post.is_none() && self.dev.is_none() && !self.has_local
    }

    pub(super) fn release(&self) -> String {
        format!("{}{}", self.epoch, self.numbers.join("."))
    }

    /// The versions that begin with the numbers of this one.
    fn family(&self) -> Interval {
        Interval::between(
            &format!("{}.dev0", self.release()),
            &self.first_after(self.numbers.len()),
        )
    }

    /// The first version after all that begin with the first `kept` numbers.
    fn first_after(&self, kept: usize) -> String {
        format!("{}{}.dev0", self.epoch, next_prefix(&self.numbers, kept))
    }

    /// Count of leading numbers that Poetry's `^` keeps: up to the first that is not zero, at most
    /// three.
    fn caret(&self) -> usize {
        let zeros = self.numbers.iter().take_while(|number| *number == "0");
        (zeros.count() + 1).min(self.numbers.len()).min(3)
    }

    /// The first version after this one and its local versions.
    fn after_locals(&self) -> String {
        use crate::version::number::successor;

        let mut text = format!("{}{}", self.release(), self.pre);
        match (&self.post, &self.dev) {
            (post, Some(dev)) => {
                if let Some(post) = post {
                    text.push_str(&format!(".post{post}"));
                }
                text.push_str(&format!(".dev{}", successor(dev)));
            }
            (Some(post), None) => text.push_str(&format!(".post{}.dev0", successor(post))),
            (None, None) => text.push_str(".post0.dev0"),
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use crate::requirement_text::{assert_refused, assert_rows};
    use crate::{Ecosystem as _, pypi::PyPi};

    #[test]
    fn specifiers_admit_by_pep_440() {
        assert_rows(
            &PyPi,
            &[
                ("", "0", true),
                ("==1.0", "1", true),
                ("==1.0", "1.0.0+cpu", true),
                ("==1.0", "1.0.post1", false),
                ("==1.0", "1.0rc1", false),
                ("==1.0+cpu", "1.0", false),
                ("==1.0+cpu", "1.0+cpu", true),
                ("== 1.0.*", "1.0.dev1", true),
                ("==1.0.*", "1rc1", true),
                ("==1.0.*", "1.0.9.post1", true),
                ("==1.0.*", "1.1.dev0", false),
                ("==1!1.*", "1!1.5", true),
                ("==1!1.*", "1.5", false),
                ("==1.9.*", "1.10", false),
                ("!=1.0", "1.0+cpu", false),
                ("!=1.0", "1.0.post1", true),
                ("!=1.0.*", "1.0.5", false),
                ("!=1.0.*", "1.1", true),
                ("~=1.4.2", "1.4.2", true),
                ("~=1.4.2", "1.4.2rc1", false),
                ("~=1.4.2", "1.5", false),
                ("~=1.4.2", "1.5.dev0", false),
                ("~=1.4", "1.9", true),
                ("~=1.4", "2.0a1", false),
                ("~=2.2.0.post3", "2.2.0", false),
                ("~=2.2.0.post3", "2.2.9", true),
                ("~=2.2.0.post3", "2.3", false),
                (">=1.0", "1.0+cpu", true),
                (">=1.0", "1.0rc1", false),
                (">=1.0rc1", "1.0rc2", true),
                ("<=1.0", "1.0+cpu", true),
                ("<=1.0", "1.0.post1", false),
                ("<=1.0.post1", "1.0.post1+x", true),
                ("<=1.0.dev1", "1.0.dev1+x", true),
                ("<=1.0.dev1", "1.0.dev2", false),
                ("<=1.0.post1.dev1", "1.0.post1.dev2", false),
                ("<2", "2.0rc1", false),
                ("<2", "2.dev0", false),
                ("<2", "1.99", true),
                ("<2rc1", "2b1", true),
                ("<2rc1", "2rc1", false),
                (">1.0", "1.0", false),
                (">1.0", "1.0.1", true),
                ("===1.0", "1.0", true),
                ("===odd-one", "odd-one", true),
                (">=1.0,<2,!=1.5", "1.5", false),
                (">=1.0,<2,!=1.5", "1.5.1", true),
                (">=1.0,", "1.0", true),
            ],
        );
    }

    #[test]
    fn constraints_admit_by_poetrys_rules() {
        assert_rows(
            &PyPi,
            &[
                ("*", "3", true),
                ("1.2", "1.2.0", true),
                ("1.2", "1.2.1", false),
                ("1.*", "1.9", true),
                ("1.x", "2.0", false),
                ("^1.2", "1.9", true),
                ("^1.2", "2.0", false),
                ("^1.2", "2.0.dev1", false),
                ("^1.2", "1.2rc1", false),
                ("^0.2.3", "0.2.9", true),
                ("^0.2.3", "0.3", false),
                ("^0.0.3", "0.0.3.1", true),
                ("^0.0.3", "0.0.4", false),
                ("^0.0", "0.0.9", true),
                ("^0.0", "0.1", false),
                ("^0", "0.9", true),
                ("^0", "1.0", false),
                ("~1.2.3", "1.2.9", true),
                ("~1.2.3", "1.3", false),
                ("~1", "1.9", true),
                ("~1", "2", false),
                ("^1 || ^3", "3.1", true),
                ("^1 | ^3", "2.1", false),
                (">=1.0 <2.0", "1.5", true),
                (">=1.0 <2.0", "2.5", false),
                (">= 1.0, < 2.0", "1.5", true),
                ("^1!2.3", "1!2.9", true),
                ("^1!2.3", "2.9", false),
            ],
        );
    }

    #[test]
    fn other_texts_are_errors() {
        assert_refused(
            &PyPi,
            &[
                ",",
                "||",
                "^1 ||",
                "latest",
                "1.0 2.0",
                ">=",
                ">=1.*",
                "~=1",
                ">=1.0+cpu",
                "==1.0rc1.*",
                "==odd-one",
                "=>1.0",
                "@ https://h.invalid/a.zip",
                "git+https://h.invalid/a",
                "./lib",
                "file:lib",
                ">=1.0; python_version < '3'",
            ],
        );
        let many = vec![">=1"; 65].join(",");
        assert_refused(&PyPi, &[&many]);
        assert_refused(&PyPi, &[&" ".repeat(2049)]);
    }

    #[test]
    fn pre_releases_precede_their_release() {
        for (version, release) in [
            ("1.0rc1", Some("1.0")),
            ("1.0.dev1", Some("1.0")),
            ("1!1.0a1.post1", Some("1!1.0")),
            ("1.0.post1.dev1", Some("1.0.post1")),
            ("1.0.post1", None),
            ("1.0+rc1", None),
            ("odd-rc1", None),
        ] {
            assert_eq!(PyPi.release_of(version).as_deref(), release, "{version}");
        }
    }
}
