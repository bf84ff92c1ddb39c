//! Semantic Versioning 2.0 (<https://semver.org/spec/v2.0.0.html>) with numbers of any size, and
//! the variations of the ecosystems.
//!
//! [`Rules`] describes the accepted notation. An ecosystem builds its order from [`Semantic`],
//! [`Prerelease`] and [`Build`] by deriving `Ord`: with three or four numbers, another kind of
//! pre-release, or a build that counts.

use std::cmp::Ordering;

use patchgate_model::Bump;

use super::number::{Number, is_digits, is_plain};

/// The notation of versions in an ecosystem.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    /// Smallest count of numbers. Missing numbers after these are zero.
    required: usize,
    /// Whether numbers can have leading zeros, which are ignored.
    leading_zeros: bool,
}

impl Rules {
    /// The notation of the specification (sections 2, 9 and 10): three numbers without leading
    /// zeros.
    pub(crate) const STRICT: Self = Self {
        required: 3,
        leading_zeros: false,
    };

    /// The same notation, but all numbers except the first are optional.
    pub(crate) const fn with_missing_numbers(self) -> Self {
        Self {
            required: 1,
            ..self
        }
    }

    /// The same notation, but numbers can have leading zeros.
    pub(crate) const fn with_leading_zeros(self) -> Self {
        Self {
            leading_zeros: true,
            ..self
        }
    }

    /// Parses a version and its build; `None` if the text is not one.
    pub(crate) fn read<'a, const NUMBERS: usize>(
        self,
        text: &'a str,
    ) -> Option<(Semantic<'a, NUMBERS>, Build<'a>)> {
        let (text, build) = Build::split(text)?;
        let (numbers, pre) = match text.split_once('-') {
            Some((numbers, pre)) => (numbers, self.prerelease(pre)?),
            None => (text, Prerelease::NONE),
        };
        let core = self.core(numbers)?;
        Some((Semantic { core, pre }, build))
    }

    /// Parses the numbers between dots; `None` if there are too few or too many.
    pub(crate) fn core<const NUMBERS: usize>(self, text: &str) -> Option<[Number<&str>; NUMBERS]> {
        let mut core = [Number::ZERO; NUMBERS];
        let mut slots = core.iter_mut();
        let mut count = 0;
        for part in text.split('.') {
            if !self.leading_zeros && !is_plain(part) {
                return None;
            }
            *slots.next()? = Number::parse(part)?;
            count += 1;
        }

        (count >= self.required).then_some(core)
    }

    /// Parses the text after the `-`.
    pub(crate) fn prerelease(self, text: &str) -> Option<Prerelease<'_>> {
        let is_sound = |part: &str| {
            is_identifier(part) && (self.leading_zeros || !is_digits(part) || is_plain(part))
        };
        text.split('.').all(is_sound).then_some(Prerelease(text))
    }
}

/// Parses a version in the notation of the specification; `None` if the text is not one.
pub(crate) fn strict(text: &str) -> Option<Semantic<'_>> {
    Rules::STRICT.read(text).map(|(version, _)| version)
}

/// How much may break between two releases, by Cargo's caret rule: a change of the leftmost nonzero
/// number, or of one before it, is breaking
/// (<https://doc.rust-lang.org/cargo/reference/specifying-dependencies.html#default-requirements>).
pub(crate) fn caret_bump(from: &[Number<&str>; 3], to: &[Number<&str>; 3]) -> Bump {
    let Some(changed) = from.iter().zip(to).position(|(from, to)| from != to) else {
        return Bump::Patch;
    };
    let breaking = from.iter().position(|part| !part.is_zero()).unwrap_or(2);

    match changed {
        _ if changed <= breaking => Bump::Major,
        1 => Bump::Minor,
        _ => Bump::Patch,
    }
}

/// The parts of a version that determine its order, in order of significance (section 11). Build
/// metadata does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Semantic<'a, const NUMBERS: usize = 3, P = Prerelease<'a>> {
    /// Major, minor, patch, and further numbers of an ecosystem.
    pub(crate) core: [Number<&'a str>; NUMBERS],
    /// The pre-release part; it sorts a pre-release before its release.
    pub(crate) pre: P,
}

/// The text after the `-`: identifiers between dots. A release has none and sorts after its
/// pre-releases.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Prerelease<'a>(&'a str);

impl<'a> Prerelease<'a> {
    /// The empty part of a release.
    pub(crate) const NONE: Self = Self("");

    /// Wraps a text without checking its characters.
    pub(crate) fn new(text: &'a str) -> Self {
        Self(text)
    }

    /// Whether the version is a release.
    pub(crate) fn is_none(self) -> bool {
        self.0.is_empty()
    }

    /// The text after the `-`; empty for a release.
    pub(crate) fn text(self) -> &'a str {
        self.0
    }

    /// Compares two pre-releases, with `words` as the order of words.
    pub(crate) fn compare_by(self, other: Self, words: fn(&str, &str) -> Ordering) -> Ordering {
        self.is_none()
            .cmp(&other.is_none())
            .then_with(|| compare_identifiers(self.0.split('.'), other.0.split('.'), words))
    }
}

impl Ord for Prerelease<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.compare_by(*other, str::cmp)
    }
}

impl PartialOrd for Prerelease<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Prerelease<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Prerelease<'_> {}

/// The text after the `+`, for ecosystems in which it counts. A version without a build sorts
/// first.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Build<'a>(&'a str);

impl<'a> Build<'a> {
    /// Splits the build off a version; `None` if the text after the `+` is not a build.
    pub(crate) fn split(text: &'a str) -> Option<(&'a str, Self)> {
        match text.split_once('+') {
            Some((text, build)) => build
                .split('.')
                .all(is_identifier)
                .then_some((text, Self(build))),
            None => Some((text, Self(""))),
        }
    }
}

impl Ord for Build<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        (!self.0.is_empty())
            .cmp(&!other.0.is_empty())
            .then_with(|| compare_identifiers(self.0.split('.'), other.0.split('.'), str::cmp))
    }
}

impl PartialOrd for Build<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Build<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Build<'_> {}

/// Compares identifiers one by one (section 11.4): numbers numerically and before words, words by
/// `words`. A list sorts before its extensions.
pub(crate) fn compare_identifiers<'a>(
    mut a: impl Iterator<Item = &'a str>,
    mut b: impl Iterator<Item = &'a str>,
    words: fn(&str, &str) -> Ordering,
) -> Ordering {
    loop {
        let order = match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(a), Some(b)) => match (Number::parse(a), Number::parse(b)) {
                (Some(a), Some(b)) => a.cmp(&b),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => words(a, b),
            },
        };
        if order.is_ne() {
            return order;
        }
    }
}

/// Whether a text is a valid identifier of a pre-release or a build.
fn is_identifier(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::version::assert_rising;

    #[test]
    fn orders_as_the_specification_says() {
        let rising = [
            "0.0.0-0",
            "0.0.0",
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
            "1.0.0-beta",
            "1.0.0-beta.2",
            "1.0.0-beta.11",
            "1.0.0-rc.1",
            "1.0.0",
            "1.2.0",
            "1.10.0",
            "1.10.18446744073709551616",
            "1.10.28446744073709551616",
            "184467440737095516160.0.0",
        ];
        assert_rising(&rising, |a, b| strict(a).cmp(&strict(b)));

        assert_eq!(strict("1.0.0+b"), strict("1.0.0+a"));
    }

    #[test]
    fn rules_say_what_is_a_version() {
        let missing = Rules::STRICT.with_missing_numbers();
        let zeros = Rules::STRICT.with_leading_zeros();

        for (text, in_strict, in_missing, in_zeros) in [
            ("1.2.3", true, true, true),
            ("1.2", false, true, false),
            ("1", false, true, false),
            ("1.2.3.4", false, false, false),
            ("01.2.3", false, false, true),
            ("1.2.3-01", false, false, true),
            ("1.2.3-0a+01", true, true, true),
            ("1.2-a", false, true, false),
            ("1.2.3-", false, false, false),
            ("1.2.3+", false, false, false),
            ("1.2.3-a..b", false, false, false),
            ("1.2.3+a..b", false, false, false),
            ("1.2.3-a_b", false, false, false),
            ("1..3", false, false, false),
            ("", false, false, false),
            ("v1.2.3", false, false, false),
            ("1.2.x", false, false, false),
            (" 1.2.3", false, false, false),
            ("1.2.3-ä", false, false, false),
        ] {
            assert_eq!(Rules::STRICT.read::<3>(text).is_some(), in_strict, "{text}");
            assert_eq!(missing.read::<3>(text).is_some(), in_missing, "{text}");
            assert_eq!(zeros.read::<3>(text).is_some(), in_zeros, "{text}");
        }
    }

    #[test]
    fn what_is_missing_is_zero_and_leading_zeros_mean_nothing() {
        let rules = Rules::STRICT.with_missing_numbers().with_leading_zeros();
        let read = |text| rules.read::<4>(text).map(|(version, _)| version);
        assert_eq!(read("1"), read("1.0.00.0"));
        assert_eq!(read("1.0-01.a"), read("1-1.a"));
        assert!(read("1.0.0") < read("1.0.0.1"));
    }

    #[test]
    fn a_build_comes_after_none() {
        let build = |text| Build::split(text).map(|(_, build)| build);
        let rising = ["1", "1+0", "1+2", "1+10", "1+10.0", "1+a", "1+b"];
        assert_rising(&rising, |a, b| build(a).cmp(&build(b)));
    }

    prop_compose! {
        fn any_version()(
            core in prop::array::uniform3(prop_oneof!["0", "[1-9]", "[1-9][0-9]{18,21}"]),
            pre in prop::option::of("(0|[1-9]|[1-9][0-9]{20}|[a-b-]|[0-9]a)(\\.(0|[1-9]|[a-b])){0,2}"),
            build in prop::option::of("[0-9a-b]{1,2}"),
        ) -> String {
            let [major, minor, patch] = core;
            let mut text = format!("{major}.{minor}.{patch}");
            if let Some(pre) = pre { text += &format!("-{pre}"); }
            if let Some(build) = build { text += &format!("+{build}"); }
            text
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_semver_crate(a in any_version(), b in any_version()) {
            if let (Ok(x), Ok(y)) = (semver::Version::parse(&a), semver::Version::parse(&b)) {
                prop_assert_eq!(strict(&a).cmp(&strict(&b)), x.cmp_precedence(&y));
            }
        }

        #[test]
        fn reads_what_the_semver_crate_reads(text in "[0-9a.+-]{1,12}") {
            prop_assert_eq!(strict(&text).is_some(), semver::Version::parse(&text).is_ok());
        }
    }
}
