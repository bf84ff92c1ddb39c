//! Versions as node-semver reads and orders them (<https://semver.org/spec/v2.0.0.html>).
//!
//! The order is total: numbers have no upper bound here. node-semver itself refuses numbers above
//! `Number.MAX_SAFE_INTEGER`, so no published version carries one, but OSV ranges and hostile
//! lockfiles may.

use std::cmp::Ordering;

use patchgate_model::Bump;

use super::NAME;
use crate::VersionError;

/// Longest version that node-semver reads, in characters.
const MAX_LENGTH: usize = 256;

/// A version, split but not copied. Build metadata is dropped: it takes no part in the order.
#[derive(Debug, Clone, Copy)]
pub(super) struct Version<'a> {
    pub(super) major: &'a str,
    pub(super) minor: &'a str,
    pub(super) patch: &'a str,
    /// The part after `-`, empty for a release.
    pub(super) prerelease: &'a str,
}

impl<'a> Version<'a> {
    /// Reads a version: strict, or with the leading `v` or `=` that node-semver's loose mode takes
    /// off. OSV's `0`, the start of every range, reads as `0.0.0-0`, below every version.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let text = text.trim();
        if text == "0" {
            return Some(Self {
                major: "0",
                minor: "0",
                patch: "0",
                prerelease: "0",
            });
        }
        if text.len() > MAX_LENGTH {
            return None;
        }
        let text = text.trim_start_matches(['v', '=']).trim_start();
        let (text, build) = match text.split_once('+') {
            Some((text, build)) => (text, Some(build)),
            None => (text, None),
        };
        if build.is_some_and(|build| !build.split('.').all(is_identifier)) {
            return None;
        }
        let (core, prerelease) = match text.split_once('-') {
            Some((core, prerelease)) => (core, Some(prerelease)),
            None => (text, None),
        };
        if prerelease.is_some_and(|text| !text.split('.').all(is_prerelease_identifier)) {
            return None;
        }
        let mut numbers = core.split('.');
        let version = Self {
            major: numbers.next()?,
            minor: numbers.next()?,
            patch: numbers.next()?,
            prerelease: prerelease.unwrap_or(""),
        };
        let whole = [version.major, version.minor, version.patch];
        (numbers.next().is_none() && whole.into_iter().all(is_number)).then_some(version)
    }

    /// The order of section 11 of the specification.
    pub(super) fn compare(&self, other: &Self) -> Ordering {
        self.compare_core(other)
            .then_with(|| match (self.prerelease, other.prerelease) {
                ("", "") => Ordering::Equal,
                ("", _) => Ordering::Greater,
                (_, "") => Ordering::Less,
                (a, b) => compare_prerelease(a, b),
            })
    }

    /// The order of the three numbers alone.
    pub(super) fn compare_core(&self, other: &Self) -> Ordering {
        compare_numbers(self.major, other.major)
            .then_with(|| compare_numbers(self.minor, other.minor))
            .then_with(|| compare_numbers(self.patch, other.patch))
    }
}

/// Reads a version or says that it is none.
pub(super) fn parse(text: &str) -> Result<Version<'_>, VersionError> {
    Version::parse(text).ok_or_else(|| VersionError {
        version: text.to_owned(),
        ecosystem: NAME,
    })
}

/// How far a move goes: the leftmost number that changes decides, counted as npm's caret does, for
/// which the leftmost number that is not zero is the breaking one.
pub(super) fn bump(from: &str, to: &str) -> Result<Bump, VersionError> {
    let (from, to) = (parse(from)?, parse(to)?);
    let zero_major = from.major == "0" && to.major == "0";
    let zero_minor = zero_major && from.minor == "0" && to.minor == "0";
    Ok(if from.major != to.major {
        Bump::Major
    } else if from.minor != to.minor {
        if zero_major { Bump::Major } else { Bump::Minor }
    } else if from.patch != to.patch && zero_minor {
        Bump::Major
    } else {
        Bump::Patch
    })
}

/// A number without leading zeros.
fn is_number(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && (text == "0" || !text.starts_with('0'))
}

fn is_identifier(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn is_prerelease_identifier(text: &str) -> bool {
    is_identifier(text) && (!text.bytes().all(|byte| byte.is_ascii_digit()) || is_number(text))
}

/// Numbers without leading zeros: the longer one is the larger one.
fn compare_numbers(a: &str, b: &str) -> Ordering {
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

fn compare_prerelease(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.split('.'), b.split('.'));
    loop {
        let (left, right) = match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(left), Some(right)) => (left, right),
        };
        let order = match (is_number(left), is_number(right)) {
            (true, true) => compare_numbers(left, right),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            (false, false) => left.cmp(right),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn order(a: &str, b: &str) -> Ordering {
        parse(a).unwrap().compare(&parse(b).unwrap())
    }

    #[test]
    fn orders_as_the_specification_says() {
        let ascending = [
            "0",
            "0.0.0",
            "0.0.1",
            "1.0.0-0",
            "1.0.0-9",
            "1.0.0-10",
            "1.0.0-99999999999999999999999",
            "1.0.0--",
            "1.0.0-Beta",
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-alpha.1.0",
            "1.0.0-alpha.beta",
            "1.0.0-alpha-1",
            "1.0.0",
            "1.9.0",
            "1.10.0",
            "9.0.0",
            "10.0.0",
            "18446744073709551616.0.0",
            "18446744073709551617.0.0",
        ];
        for (place, a) in ascending.iter().enumerate() {
            for (other, b) in ascending.iter().enumerate() {
                assert_eq!(order(a, b), place.cmp(&other), "{a} {b}");
            }
        }
    }

    #[test]
    fn takes_what_npm_takes_off() {
        for text in ["v1.2.3", "=1.2.3", " 1.2.3 ", "1.2.3+build.1", "v 1.2.3"] {
            assert_eq!(order(text, "1.2.3"), Ordering::Equal, "{text}");
        }
        let long = format!("1.2.3-{}", "a".repeat(300));
        for text in [
            "",
            "1",
            "1.2",
            "1.2.3.4",
            "01.2.3",
            "1.2.3-",
            "1.2.3-01",
            "1.2.3-a..b",
            "1.2.3+",
            "1.2.x",
            "latest",
            "1.2.3 4",
            "-1.2.3",
            "1.2.3-ü",
            &long,
        ] {
            let error = parse(text).map(|_| ()).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("`{text}` is not a version of npm")
            );
        }
    }

    #[test]
    fn the_leftmost_number_that_is_not_zero_breaks() {
        for (from, to, expected) in [
            ("1.2.3", "1.2.4", Bump::Patch),
            ("1.2.3", "1.3.0", Bump::Minor),
            ("1.2.3", "2.0.0", Bump::Major),
            ("0.2.3", "0.2.4", Bump::Patch),
            ("0.2.3", "0.3.0", Bump::Major),
            ("0.0.3", "0.0.4", Bump::Major),
            ("0.9.0", "1.0.0", Bump::Major),
            ("1.2.3-rc.1", "1.2.3", Bump::Patch),
        ] {
            assert_eq!(bump(from, to).unwrap(), expected, "{from} {to}");
        }
    }

    fn version() -> impl Strategy<Value = String> {
        let number = prop_oneof![Just(0u128), 0u128..20, any::<u128>()];
        let identifier = prop_oneof![
            (0u128..20).prop_map(|number| number.to_string()),
            "[a-zA-Z-][0-9a-zA-Z-]{0,3}",
        ];
        let prerelease = proptest::collection::vec(identifier, 0..4);
        ((number.clone(), number.clone(), number), prerelease).prop_map(|(core, prerelease)| {
            let (major, minor, patch) = core;
            match prerelease.is_empty() {
                true => format!("{major}.{minor}.{patch}"),
                false => format!("{major}.{minor}.{patch}-{}", prerelease.join(".")),
            }
        })
    }

    proptest! {
        #[test]
        fn the_order_is_total(a in version(), b in version(), c in version()) {
            prop_assert_eq!(order(&a, &b), order(&b, &a).reverse());
            prop_assert_eq!(order(&a, &b) == Ordering::Equal, a == b);
            if order(&a, &b) != Ordering::Greater && order(&b, &c) != Ordering::Greater {
                prop_assert_ne!(order(&a, &c), Ordering::Greater);
            }
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,20}") {
            let _ = parse(&text);
        }
    }
}
