//! Python versions and their order.
//!
//! Standard versions follow PEP 440
//! (<https://packaging.python.org/en/latest/specifications/version-specifiers/>). Every other text is
//! a legacy version. Legacy versions sort below all standard ones, in the order that setuptools had
//! before PEP 440 (`pkg_resources.parse_version`). The order has to be total because the index has
//! releases from before PEP 440, and OSV lists them.

use crate::version::number::{self, is_digits};

/// A version, in a form whose derived order is the order of versions: it depends on the order of the
/// variants and fields.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Version {
    /// A text that is not a version of PEP 440.
    Legacy(Vec<Part>),
    /// A version of PEP 440.
    Standard {
        epoch: Number,
        /// The numbers, without trailing zeros.
        release: Vec<Number>,
        pre: Pre,
        /// `None` sorts first: a release is smaller than its post-releases.
        post: Option<Number>,
        dev: Dev,
        /// `None` sorts first: a release is smaller than its local versions.
        local: Option<Vec<Part>>,
    },
}

/// An owned number, because it is parsed from a temporary lower-case copy of the text.
pub(super) type Number = number::Number<String>;

/// A part of a local or a legacy version. Words sort before numbers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    Word(String),
    Number(Number),
}

/// The position of a version among the pre-releases of its release.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Pre {
    /// A developmental release without a pre-release; it sorts before all pre-releases.
    BeforeAll,
    Alpha(Number),
    Beta(Number),
    Candidate(Number),
    /// Not a pre-release, so it sorts after all of them.
    AfterAll,
}

/// Whether a version is a developmental release, which sorts before the version that it leads to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Dev {
    Of(Number),
    No,
}

fn number(digits: &str) -> Number {
    number::Number::new(digits).owned()
}

impl Version {
    /// Parses a version; `None` only for an empty text.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_lowercase();
        if text.is_empty() {
            return None;
        }
        Some(standard(&text).unwrap_or_else(|| Self::Legacy(legacy(&text))))
    }
}

/// Whether a text is a version of PEP 440.
pub(crate) fn is_standard(text: &str) -> bool {
    standard(&text.trim().to_ascii_lowercase()).is_some()
}

/// The unread rest of a text.
struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    /// Reads the first of these texts that matches.
    fn take(&mut self, texts: &[&'a str]) -> Option<&'a str> {
        let (text, rest) = texts
            .iter()
            .find_map(|text| Some((*text, self.0.strip_prefix(text)?)))?;
        self.0 = rest;
        Some(text)
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

    /// Reads `[-_.]? word [-_.]? number?`; reads nothing if there is no such word.
    fn word_and_number(&mut self, words: &[&'a str]) -> Option<(&'a str, Number)> {
        let start = self.0;
        self.separator();
        let Some(word) = self.take(words) else {
            self.0 = start;
            return None;
        };

        // A separator without a number is allowed: `1.0a.` is `1.0a0`.
        self.separator();
        let digits = self.digits();

        Some((word, number(digits.unwrap_or_default())))
    }
}

/// Parses a lower-case text as a version of PEP 440, with all spellings that its normalization allows
/// (<https://packaging.python.org/en/latest/specifications/version-specifiers/#normalization>).
fn standard(text: &str) -> Option<Version> {
    let mut rest = Rest(text.strip_prefix('v').unwrap_or(text));

    // Epoch and release.
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

    // Suffixes.
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

/// Parses the local part, after the `+`.
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

/// The word at the end of every legacy version. Words that sort before it are pre-releases.
const FINAL: &str = "final";

/// The word for a hyphen in a legacy version. The part after it is a patch level, so it sorts after
/// the release.
const PATCH: &str = "final-";

/// Parses a legacy version as setuptools did: into runs of digits, runs of letters, `-`, and the
/// other characters; `.` is only a separator. Unlike in setuptools, numbers of more than eight
/// digits are compared as numbers, not as texts.
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

        // A pre-release of `1.0-` or `1.0.0` is a pre-release of `1`.
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

/// Splits a text into runs of digits, runs of letters, single `.` and `-`, and runs of other
/// characters.
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
    let mut previous: Option<Kind> = None;
    for (index, character) in text.char_indices() {
        let current = kind(character);
        if previous.is_some_and(|previous| previous != current || previous == Kind::Single) {
            pieces.push(&text[start..index]);
            start = index;
        }
        previous = Some(current);
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
    fn only_an_empty_text_is_refused() {
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
        fn any_other_text_is_a_version(text in "\\PC{1,20}") {
            prop_assert_eq!(Version::parse(&text).is_none(), text.trim().is_empty());
        }
    }
}
