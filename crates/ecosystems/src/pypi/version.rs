//! The order of versions.
//!
//! Versions of the specification
//! (<https://packaging.python.org/en/latest/specifications/version-specifiers/>, PEP 440) are
//! ordered as it says. Every other text is a legacy version, smaller than all of them, in the order
//! that setuptools had before (`pkg_resources.parse_version`), so that the order is total: the
//! index holds releases from before the specification, and OSV lists them.

use crate::version::number::{self, is_digits};

/// A version by its place in the order.
///
/// The order of the variants and fields is the order of versions.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Version {
    /// A text that the specification does not know.
    Legacy(Vec<Part>),
    /// A version of the specification. Without the zeros at the end of its release.
    Standard {
        epoch: Number,
        release: Vec<Number>,
        pre: Pre,
        /// None sorts first: a release comes before its post-releases.
        post: Option<Number>,
        dev: Dev,
        /// None sorts first: a release comes before its local versions.
        local: Option<Vec<Part>>,
    },
}

/// A number, which outlives the text in lower case that it is read from.
pub(super) type Number = number::Number<String>;

/// A part of a local or a legacy version: words come before numbers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    Word(String),
    Number(Number),
}

/// Where a version stands among the pre-releases of its release.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Pre {
    /// A developmental release of the release itself, which comes before all its pre-releases.
    BeforeAll,
    Alpha(Number),
    Beta(Number),
    Candidate(Number),
    /// No pre-release.
    AfterAll,
}

/// Whether a version is a developmental release, which comes before what it develops.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Dev {
    Of(Number),
    No,
}

fn number(digits: &str) -> Number {
    number::Number::new(digits).owned()
}

impl Version {
    /// Reads any text but an empty one.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_lowercase();
        if text.is_empty() {
            return None;
        }
        Some(standard(&text).unwrap_or_else(|| Self::Legacy(legacy(&text))))
    }
}

/// Whether a text is a version of the specification.
pub(crate) fn is_standard(text: &str) -> bool {
    standard(&text.trim().to_ascii_lowercase()).is_some()
}

/// What is left of a text while it is read.
struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    /// Takes one of these texts, the first that fits.
    fn take(&mut self, texts: &[&'a str]) -> Option<&'a str> {
        let (found, rest) = texts
            .iter()
            .find_map(|text| Some((*text, self.0.strip_prefix(text)?)))?;
        self.0 = rest;
        Some(found)
    }

    fn digits(&mut self) -> Option<&'a str> {
        let end = self
            .0
            .find(|character: char| !character.is_ascii_digit())
            .unwrap_or(self.0.len());
        let (digits, rest) = self.0.split_at(end);
        self.0 = rest;
        (!digits.is_empty()).then_some(digits)
    }

    fn separator(&mut self) {
        self.take(&[".", "-", "_"]);
    }

    /// Takes `[-_.]? word [-_.]? number?`, or nothing.
    fn word_and_number(&mut self, words: &[&'a str]) -> Option<(&'a str, Number)> {
        let start = self.0;
        self.separator();
        let Some(word) = self.take(words) else {
            self.0 = start;
            return None;
        };

        // The separator is taken without a number too: `1.0a.` is `1.0a0`.
        self.separator();
        let digits = self.digits();

        Some((word, number(digits.unwrap_or_default())))
    }
}

/// Reads a version of the specification, in lower case and with the spellings that it normalizes
/// (<https://packaging.python.org/en/latest/specifications/version-specifiers/#normalization>).
fn standard(text: &str) -> Option<Version> {
    let mut rest = Rest(text.strip_prefix('v').unwrap_or(text));
    let mut epoch = Number::default();

    let mut first = rest.digits()?;
    if rest.take(&["!"]).is_some() {
        epoch = number(first);
        first = rest.digits()?;
    }

    let mut release = vec![number(first)];
    while let Some(after) = rest.0.strip_prefix('.') {
        let mut next = Rest(after);
        let Some(digits) = next.digits() else { break };
        release.push(number(digits));
        rest = next;
    }

    while release.last().is_some_and(Number::is_zero) {
        release.pop();
    }

    let pre = rest
        .word_and_number(&["alpha", "beta", "preview", "pre", "rc", "a", "b", "c"])
        .map(|(word, number)| match word {
            "alpha" | "a" => Pre::Alpha(number),
            "beta" | "b" => Pre::Beta(number),
            _ => Pre::Candidate(number),
        });

    let post = match rest.0.strip_prefix('-') {
        Some(after) if after.starts_with(|character: char| character.is_ascii_digit()) => {
            rest = Rest(after);
            rest.digits().map(number)
        }
        _ => rest
            .word_and_number(&["post", "rev", "r"])
            .map(|(_, number)| number),
    };

    let dev = rest.word_and_number(&["dev"]).map(|(_, number)| number);
    let local = match rest.take(&["+"]) {
        Some(_) => Some(local(std::mem::take(&mut rest.0))?),
        None => None,
    };
    if !rest.0.is_empty() {
        return None;
    }

    Some(Version::Standard {
        epoch,
        release,
        pre: match (pre, &post, &dev) {
            (Some(pre), ..) => pre,
            (None, None, Some(_)) => Pre::BeforeAll,
            (None, ..) => Pre::AfterAll,
        },
        post,
        dev: dev.map_or(Dev::No, Dev::Of),
        local,
    })
}

/// Reads what follows the `+`.
fn local(text: &str) -> Option<Vec<Part>> {
    text.split(['.', '-', '_'])
        .map(|part| {
            let fits = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
            fits.then(|| {
                if is_digits(part) {
                    Part::Number(number(part))
                } else {
                    Part::Word(part.to_owned())
                }
            })
        })
        .collect()
}

/// The word that ends every legacy version.
const FINAL: &str = "final";

/// A hyphen in a legacy version: what follows is a patch level, after the release.
const PATCH: &str = "final-";

/// Reads a legacy version as setuptools did: runs of digits and of letters, `-`, and whatever is
/// between them; `.` only separates. Numbers of more than eight digits, which setuptools compared
/// as texts, are compared as numbers.
fn legacy(text: &str) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let words = pieces(text).into_iter().chain([FINAL]);
    for piece in words {
        let word = match piece {
            "." => continue,
            "pre" | "preview" | "rc" => "c",
            "-" => PATCH,
            "dev" => "@",
            digits if is_digits(digits) => {
                parts.push(Part::Number(number(digits)));
                continue;
            }
            other => other,
        };
        // A pre-release of `1.0-` or `1.0.0` is one of `1`.
        if word < FINAL {
            while matches!(parts.last(), Some(Part::Word(word)) if word == PATCH) {
                parts.pop();
            }
        }

        while matches!(parts.last(), Some(Part::Number(number)) if number.is_zero()) {
            parts.pop();
        }

        parts.push(Part::Word(word.to_owned()));
    }

    parts
}

/// A text in runs of digits, runs of letters, single `.` and `-`, and runs of all else.
fn pieces(text: &str) -> Vec<&str> {
    #[derive(PartialEq)]
    enum Kind {
        Digits,
        Letters,
        Single,
        Other,
    }

    let kind = |character: char| match character {
        '0'..='9' => Kind::Digits,
        'a'..='z' => Kind::Letters,
        '.' | '-' => Kind::Single,
        _ => Kind::Other,
    };
    let mut pieces = Vec::new();
    let mut start = 0;

    let mut before: Option<Kind> = None;
    for (at, character) in text.char_indices() {
        let now = kind(character);
        if before.is_some_and(|before| before != now || before == Kind::Single) {
            pieces.push(&text[start..at]);
            start = at;
        }
        before = Some(now);
    }

    pieces.push(&text[start..]);
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::version::assert_rising;
    use proptest::prelude::*;

    fn version(text: &str) -> Version {
        Version::parse(text).unwrap_or_else(|| panic!("`{text}` is a version"))
    }

    #[test]
    fn orders_as_the_specification_does() {
        let rising = [
            "foobar",
            "0.0.1.dev1",
            "1.dev0",
            "1.0.dev456",
            "1.0a1",
            "1.0a2.dev456",
            "1.0a12.dev456",
            "1.0a12",
            "1.0b1.dev456",
            "1.0b2",
            "1.0b2.post345.dev456",
            "1.0b2.post345",
            "1.0rc1.dev456",
            "1.0rc1",
            "1.0",
            "1.0+abc.5",
            "1.0+abc.7",
            "1.0+5",
            "1.0+5.1",
            "1.0.post456.dev34",
            "1.0.post456",
            "1.0.15",
            "1.1.dev1",
            "1.18446744073709551616",
            "1.18446744073709551617",
            "2012.4",
            "1!0.5",
        ];

        assert_rising(&rising, |a, b| version(a).cmp(&version(b)));
    }

    #[test]
    fn spellings_of_one_version_are_equal() {
        for (a, b) in [
            ("1.0", "1"),
            ("1.0.0", "v1.0"),
            ("1.0-alpha.1", "1.0a1"),
            ("1.0_BETA2", "1.0b2"),
            ("1.0c1", "1.0rc1"),
            ("1.0pre1", "1.0-preview_1"),
            ("1.0a", "1.0a0"),
            ("1.0a.", "1.0a0"),
            ("1.0-dev_", "1.0.dev0"),
            ("1.0.post-.dev-", "1.0.post0.dev0"),
            ("1.0a--1", "1.0a0.post1"),
            ("1.0rc_+x", "1.0rc0+x"),
            ("1.0-1", "1.0.post1"),
            ("1.0rev3", "1.0.r3"),
            ("1.0.post", "1.0.post0"),
            ("1.0dev", "1.0.DEV0"),
            ("1.0+ubuntu-1", "1.0+Ubuntu.01"),
            ("0!1.0", "1.0"),
            (" 1.0\t", "1.00"),
        ] {
            assert_eq!(version(a), version(b), "{a} {b}");
        }
    }

    #[test]
    fn legacy_versions_order_as_setuptools_did() {
        let rising = [
            "1.0-alpha-x",
            "1.0-beta-x",
            "1.0-rc-x",
            "1.0x-dev-r3",
            "1.0-x",
            "1.0.x",
            "1.0.1-x",
            "1.2-x",
            "1.10-x",
            "2-x",
        ];
        for text in rising {
            assert!(matches!(version(text), Version::Legacy(_)), "{text}");
        }

        assert!(version("0") > version("9999-x"));
        assert!(version("1.2-x") < version("1.10-x"));
        assert!(version("1.0-dev-x") < version("1.0-x"));
        assert!(version("1.0-rc-x") < version("1.0-x"));
    }

    #[test]
    fn only_an_empty_text_is_no_version() {
        for text in ["", " ", "\n"] {
            assert_eq!(Version::parse(text), None);
        }
        for text in ["1.0.*", "1.0+", "1..0", "1.0-", "a", "1!", "ä", "1.0+a..b"] {
            assert!(matches!(version(text), Version::Legacy(_)), "{text}");
            assert!(!is_standard(text), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_has_a_place(text in "\\PC{1,20}") {
            prop_assert_eq!(Version::parse(&text).is_none(), text.trim().is_empty());
        }
    }
}
