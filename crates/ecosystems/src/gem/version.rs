//! The order of versions of RubyGems, which is that of `Gem::Version`
//! (<https://docs.ruby-lang.org/en/master/Gem/Version.html>): runs of digits and runs of letters,
//! a letter before any number, zeros at the end of either part without meaning.

use std::cmp::Ordering;

/// One run of a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Segment<'a> {
    /// Letters.
    Letters(&'a str),
    /// Digits without leading zeros; zero is empty.
    Number(&'a str),
}

/// A version, cut into the runs that decide its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Version<'a>(Vec<Segment<'a>>);

impl<'a> Version<'a> {
    /// Reads a version; `None` when the text is not one.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let text = text.trim_ascii();
        if text.is_empty() {
            return Some(Self(Vec::new()));
        }
        if !is_version(text) {
            return None;
        }
        let mut segments = Vec::new();
        for (place, part) in text.split('-').enumerate() {
            if place > 0 {
                segments.push(Segment::Letters("pre"));
            }
            runs(part, &mut segments);
        }
        let first_letters = segments
            .iter()
            .position(|segment| matches!(segment, Segment::Letters(_)))
            .unwrap_or(segments.len());
        let mut pre = segments.split_off(first_letters);
        drop_zeros(&mut segments);
        drop_zeros(&mut pre);
        segments.append(&mut pre);
        Some(Self(segments))
    }

    /// Orders as `Gem::Version` does.
    pub(super) fn precedence(&self, other: &Self) -> Ordering {
        let longer = self.0.len().max(other.0.len());
        let zero = Segment::Number("");
        let at = |version: &Self, place: usize| version.0.get(place).copied().unwrap_or(zero);
        (0..longer)
            .map(|place| compare(at(self, place), at(other, place)))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    }
}

/// Whether a text is digits, then parts of letters and digits after dots, then perhaps a dash and
/// such parts again, in which dashes may stand.
fn is_version(text: &str) -> bool {
    let (release, pre) = match text.split_once('-') {
        Some((release, pre)) => (release, Some(pre)),
        None => (text, None),
    };
    let mut parts = release.split('.');
    let all = |part: &str, allowed: fn(u8) -> bool| !part.is_empty() && part.bytes().all(allowed);
    parts
        .next()
        .is_some_and(|part| all(part, |byte| byte.is_ascii_digit()))
        && parts.all(|part| all(part, |byte| byte.is_ascii_alphanumeric()))
        && pre.is_none_or(|pre| {
            pre.split('.')
                .all(|part| all(part, |byte| byte.is_ascii_alphanumeric() || byte == b'-'))
        })
}

/// The runs of digits and of letters in a text.
fn runs<'a>(text: &'a str, into: &mut Vec<Segment<'a>>) {
    let mut rest = text.trim_start_matches('.');
    while let Some(first) = rest.bytes().next() {
        let digits = first.is_ascii_digit();
        let end = rest
            .bytes()
            .position(|byte| byte == b'.' || byte.is_ascii_digit() != digits)
            .unwrap_or(rest.len());
        let (run, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
        into.push(if digits {
            Segment::Number(run.trim_start_matches('0'))
        } else {
            Segment::Letters(run)
        });
        rest = after.trim_start_matches('.');
    }
}

fn drop_zeros(segments: &mut Vec<Segment<'_>>) {
    while segments.last() == Some(&Segment::Number("")) {
        segments.pop();
    }
}

fn compare(a: Segment<'_>, b: Segment<'_>) -> Ordering {
    match (a, b) {
        (Segment::Number(a), Segment::Number(b)) => a.len().cmp(&b.len()).then_with(|| a.cmp(b)),
        (Segment::Letters(a), Segment::Letters(b)) => a.cmp(b),
        (Segment::Letters(_), Segment::Number(_)) => Ordering::Less,
        (Segment::Number(_), Segment::Letters(_)) => Ordering::Greater,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn version(text: &str) -> Version<'_> {
        Version::parse(text).unwrap_or_else(|| panic!("`{text}` is a version"))
    }

    #[test]
    fn orders_as_gem_version_does() {
        let rising = [
            "0.a",
            "0",
            "0.0.1.beta",
            "0.0.1",
            "1.A",
            "1.a",
            "1.a1.b",
            "1.a.1",
            "1.a2",
            "1.a10",
            "1.b",
            "1-a",
            "1-a.1",
            "1-1",
            "1-10",
            "1.rc1",
            "1",
            "1.0.0.1",
            "1.0.10",
            "1.9",
            "1.10",
            "1.28446744073709551616",
            "2.0.0.pre1",
            "2.0.0.rc.2",
            "2.0.0",
        ];
        for (i, a) in rising.iter().enumerate() {
            for (j, b) in rising.iter().enumerate() {
                assert_eq!(version(a).precedence(&version(b)), i.cmp(&j), "{a} {b}");
            }
        }
    }

    #[test]
    fn forms_of_one_version_are_equal() {
        for (a, b) in [
            ("", "0"),
            ("1", "1.0.0"),
            ("1.0.a", "1.a"),
            ("1.a.0", "1.a"),
            ("1.0.a10", "1.a.10"),
            ("1.01", "1.1"),
            ("1-a", "1.pre.a"),
            (" 1.2 ", "1.2"),
        ] {
            assert_eq!(
                version(a).precedence(&version(b)),
                Ordering::Equal,
                "{a} {b}"
            );
        }
    }

    #[test]
    fn rejects_what_is_no_version() {
        for text in [
            "a", "v1", "1.", "1..2", "1.2_3", "1-", "1+b", "~> 1", "1.ä", "1 2",
        ] {
            assert_eq!(Version::parse(text), None, "{text}");
        }
    }

    fn any_version() -> impl Strategy<Value = String> {
        let part = prop_oneof![
            "0",
            "[1-9]{1,2}",
            "[1-9][0-9]{20}",
            "[abA]{1,2}",
            "[ab][0-2]"
        ];
        let parts = prop::collection::vec(part, 0..4);
        ("[0-2]", parts, prop::option::of("[a0-2][b-]?(\\.[a0])?")).prop_map(
            |(first, parts, pre)| {
                let mut text = first;
                for part in parts {
                    text += &format!(".{part}");
                }
                if let Some(pre) = pre {
                    text += &format!("-{pre}");
                }
                text
            },
        )
    }

    proptest! {
        #[test]
        fn order_is_total(a in any_version(), b in any_version(), c in any_version()) {
            let (a, b, c) = (version(&a), version(&b), version(&c));
            prop_assert_eq!(a.precedence(&b), b.precedence(&a).reverse());
            let mut sorted = [a.clone(), b.clone(), c.clone()];
            sorted.sort_by(Version::precedence);
            prop_assert!(sorted[0].precedence(&sorted[2]).is_le());
            if a.precedence(&b).is_eq() {
                prop_assert_eq!(a.precedence(&c), b.precedence(&c));
            }
        }
    }
}
