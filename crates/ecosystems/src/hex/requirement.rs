//! Requirements of Hex, which are those of Elixir's `Version`
//! (<https://hexdocs.pm/elixir/Version.html#module-requirements>).

use super::{Hex, NAME, version};
use crate::version::comparison::{Comparison, check_length, in_all, refuse, successor};
use crate::{Interval, RequirementError, VersionSet};

/// The versions that a requirement admits: comparisons, joined by `and`, which binds stronger, and
/// `or`. Pre-releases between the bounds count, although Hex takes one only where a requirement names
/// one.
pub(super) fn admitted(requirement: &str) -> Result<VersionSet, RequirementError> {
    check_length(requirement)?;
    if requirement.trim().is_empty() {
        return Ok(VersionSet::all());
    }

    let words: Vec<&str> = requirement.split_whitespace().collect();
    let mut set = VersionSet::default();
    for alternative in words.split(|word| *word == "or") {
        let sets = alternative.split(|word| *word == "and").map(comparison);
        let sets: Option<Vec<VersionSet>> = sets.collect();
        let sets = sets.ok_or_else(|| refuse(NAME, requirement))?;
        set.intervals
            .extend(in_all(&Hex, requirement, sets)?.intervals);
    }
    Ok(set)
}

/// One comparison, with or without a blank after its sign.
fn comparison(words: &[&str]) -> Option<VersionSet> {
    let text = match words {
        [text] => (*text).to_owned(),
        [sign, version] if !sign.ends_with(|c: char| c.is_ascii_alphanumeric()) => {
            format!("{sign}{version}")
        }
        _ => return None,
    };
    if let Some(version) = text.strip_prefix("~>") {
        return approximate(version);
    }

    let (sign, version) = match Comparison::split(&text) {
        Some(_) if text.starts_with('=') && !text.starts_with("==") => return None,
        Some(split) => split,
        None => (Comparison::Equal, text.as_str()),
    };
    version::parse(version)?;
    Some(sign.set(version))
}

/// `~> 1.2` admits versions below 2.0.0, and `~> 1.2.3` versions below 1.3.0.
fn approximate(version: &str) -> Option<VersionSet> {
    let end = version.find(['-', '+']).unwrap_or(version.len());
    let (numbers, suffix) = version.split_at_checked(end)?;

    let parts: Vec<&str> = numbers.split('.').collect();
    let (low, next) = match parts.as_slice() {
        [major, _] => (
            format!("{numbers}.0{suffix}"),
            format!("{}.0.0-0", successor(major)),
        ),
        [major, minor, _] => (
            version.to_owned(),
            format!("{major}.{}.0-0", successor(minor)),
        ),
        _ => return None,
    };

    version::parse(&low)?;
    Some(Interval::between(&low, &next).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::version::comparison::{assert_admitted, assert_refused};

    #[test]
    fn requirements_admit_what_elixir_admits() {
        assert_admitted(
            &Hex,
            &[
                (
                    "~> 1.2",
                    &["1.2.0", "1.99.0"],
                    &["1.1.9", "2.0.0", "2.0.0-rc.0"],
                ),
                (
                    "~> 1.2.3",
                    &["1.2.3", "1.2.99"],
                    &["1.2.2", "1.3.0", "1.3.0-rc.0"],
                ),
                (
                    "~> 1.2.3-rc.1",
                    &["1.2.3-rc.1", "1.2.3"],
                    &["1.2.3-rc.0", "1.3.0"],
                ),
                ("~> 0.9", &["0.9.0", "0.99.0"], &["1.0.0"]),
                ("~> 2.0-dev", &["2.0.0-dev", "2.9.0"], &["3.0.0"]),
                ("~>1.2", &["1.5.0"], &["2.0.0"]),
                ("1.2.3", &["1.2.3"], &["1.2.4"]),
                ("== 1.2.3", &["1.2.3"], &["1.2.4"]),
                ("!= 1.2.3", &["1.2.2", "1.2.4"], &["1.2.3"]),
                (
                    ">= 1.0.0 and < 2.0.0",
                    &["1.0.0", "1.9.0"],
                    &["0.9.0", "2.0.0"],
                ),
                (">1.0.0 and <=2.0.0", &["2.0.0"], &["1.0.0", "2.0.1"]),
                ("~> 1.0 or ~> 2.1", &["1.5.0", "2.1.0"], &["2.0.0", "3.0.0"]),
                (
                    ">= 1.0.0 and < 2.0.0 and != 1.5.0 or == 3.0.0",
                    &["1.4.0", "1.6.0", "3.0.0"],
                    &["1.5.0", "2.5.0"],
                ),
                (
                    "== 3.0.0 or >= 1.0.0 and < 2.0.0",
                    &["1.0.0", "3.0.0"],
                    &["2.0.0"],
                ),
                ("> 2.0.0 and < 1.0.0", &[], &["1.5.0"]),
                ("", &["1.0.0"], &[]),
            ],
        );
    }

    #[test]
    fn what_is_no_requirement_is_an_error() {
        let text = "is not a requirement of Hex";
        assert_refused(
            &Hex,
            &[
                ("~> 1", text),
                (">= 1.0", text),
                ("= 1.0.0", text),
                ("and 1.0.0", text),
                ("1.0.0 or", text),
                ("1.0.0 2.0.0", text),
                ("1.0.0, 2.0.0", text),
                ("^1.0.0", text),
                ("x", text),
                ("https://a.invalid/b.git", "names an address, not versions"),
            ],
        );
    }
}
