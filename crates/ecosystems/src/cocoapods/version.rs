//! The order of CocoaPods' versions (<https://guides.cocoapods.org/using/the-podfile.html>): numbers,
//! of which zeros at the end mean nothing, then runs of letters and digits, which make a version a
//! pre-release. Build metadata behind `+` does not count.

use std::cmp::Ordering;

/// One run of a version. Letters stand below numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Run<'a> {
    Letters(&'a str),
    /// Length and digits, without leading zeros.
    Number(usize, &'a str),
}

/// A version, cut into the runs that decide its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Version<'a> {
    numbers: Vec<Run<'a>>,
    pre: Vec<Run<'a>>,
}

impl<'a> Version<'a> {
    /// Reads a version; `None` when the text is not one.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let allowed = |text: &str| {
            text.split('.').all(|part| {
                !part.is_empty()
                    && part
                        .bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            })
        };
        let (version, build) = match text.split_once('+') {
            Some((version, build)) => (version, Some(build)),
            None => (text, None),
        };
        let starts_with_digit = version
            .bytes()
            .next()
            .is_some_and(|byte| byte.is_ascii_digit());
        if !starts_with_digit || !allowed(version) || !build.is_none_or(allowed) {
            return None;
        }
        let mut numbers = runs(version);
        let first = numbers
            .iter()
            .position(|run| matches!(run, Run::Letters(_)))
            .unwrap_or(numbers.len());
        let pre = numbers.split_off(first);
        while numbers.last() == Some(&Run::Number(0, "")) {
            numbers.pop();
        }
        Some(Self { numbers, pre })
    }

    /// Orders as CocoaPods does.
    pub(super) fn precedence(&self, other: &Self) -> Ordering {
        self.numbers
            .cmp(&other.numbers)
            .then_with(|| self.pre.is_empty().cmp(&other.pre.is_empty()))
            .then_with(|| self.pre.cmp(&other.pre))
    }
}

/// The runs of digits and of letters in a text.
fn runs(text: &str) -> Vec<Run<'_>> {
    let mut runs = Vec::new();
    for part in text.split(['.', '-']) {
        let mut rest = part;
        while let Some(first) = rest.bytes().next() {
            let digits = first.is_ascii_digit();
            let end = rest
                .bytes()
                .position(|byte| byte.is_ascii_digit() != digits)
                .unwrap_or(rest.len());
            let (run, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
            let number = run.trim_start_matches('0');
            runs.push(match digits {
                true => Run::Number(number.len(), number),
                false => Run::Letters(run),
            });
            rest = after;
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn version(text: &str) -> Version<'_> {
        Version::parse(text).unwrap_or_else(|| panic!("`{text}` is a version"))
    }

    #[test]
    fn orders_as_cocoapods_does() {
        let rising = [
            "0.9",
            "1.0-alpha",
            "1.0.0-alpha.1",
            "1.0.a9",
            "1.0.a10",
            "1.0.b1",
            "1.0.0",
            "1.0.1",
            "1.0.10",
            "1.28446744073709551616",
        ];
        let place = |text: &str| match text {
            // `a` is below `alpha`, whatever follows it.
            "1.0.a9" => 1,
            "1.0.a10" => 2,
            "1.0-alpha" => 3,
            "1.0.0-alpha.1" => 4,
            _ => rising.iter().position(|it| *it == text).unwrap(),
        };
        for a in rising {
            for b in rising {
                assert_eq!(
                    version(a).precedence(&version(b)),
                    place(a).cmp(&place(b)),
                    "{a} {b}"
                );
            }
        }
        assert!(version("1.0+b").precedence(&version("1")).is_eq());
        for text in ["", "a", "1..0", "1.", "v1", "1.0+", "1 0", "1.0_1"] {
            assert_eq!(Version::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn order_is_total(
            a in "[0-2](\\.[0-2]){0,2}([.-](a|b|rc)(\\.?[0-2]){0,2})?",
            b in "[0-2](\\.[0-2]){0,2}([.-](a|b|rc)(\\.?[0-2]){0,2})?",
            c in "[0-2](\\.[0-2]){0,2}([.-](a|b|rc)(\\.?[0-2]){0,2})?",
        ) {
            let (a, b, c) = (version(&a), version(&b), version(&c));
            prop_assert_eq!(a.precedence(&b), b.precedence(&a).reverse());
            if a.precedence(&b).is_le() && b.precedence(&c).is_le() {
                prop_assert!(a.precedence(&c).is_le());
            }
        }
    }
}
