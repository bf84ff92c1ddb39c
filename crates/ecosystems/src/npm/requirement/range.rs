//! node-semver's range grammar (<https://github.com/npm/node-semver#ranges>), reduced to
//! comparators.

use std::cmp::Ordering;

use super::super::version::Version;

/// Largest number that node-semver accepts: JavaScript's `Number.MAX_SAFE_INTEGER`.
const MAX_NUMBER: u64 = 9_007_199_254_740_991;

/// Maximum length of a range, in bytes. npm has no limit; published ranges are far shorter.
const MAX_LENGTH: usize = 4096;

/// A union: at least one alternative must admit the version.
#[derive(Debug, Clone)]
pub(super) struct Range<'a> {
    pub(super) alternatives: Vec<Alternative<'a>>,
}

/// An intersection: all terms must admit the version.
#[derive(Debug, Clone)]
pub(super) struct Alternative<'a> {
    /// The text as written, trimmed.
    pub(super) text: &'a str,
    pub(super) terms: Vec<Term<'a>>,
}

/// One part of an alternative, as written.
#[derive(Debug, Clone)]
pub(super) enum Term<'a> {
    /// A range with both ends: `1.2.3 - 2`.
    Hyphen(Partial<'a>, Partial<'a>),
    /// An operator, which may be empty, and a version that may be incomplete.
    Simple(Operator, Partial<'a>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    /// No operator, or `=`.
    Equal,
    Greater,
    GreaterEqual,
    Less,
    LessEqual,
    /// `~`, or its older form `~>`.
    Tilde,
    Caret,
}

/// A version in which numbers may be missing or wildcards.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Partial<'a> {
    pub(super) major: Option<u64>,
    pub(super) minor: Option<u64>,
    pub(super) patch: Option<u64>,
    pub(super) prerelease: &'a str,
    /// Count of numbers and wildcards that are written.
    pub(super) written: usize,
    /// The text as written.
    pub(super) text: &'a str,
}

/// A lower or upper bound, or an exact version.
#[derive(Debug, Clone)]
pub(super) struct Comparator<'a> {
    pub(super) operator: Operator,
    pub(super) numbers: [u64; 3],
    pub(super) prerelease: &'a str,
}

impl<'a> Range<'a> {
    /// Parses a range; `None` for a text that is not one.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        if text.len() > MAX_LENGTH {
            return None;
        }
        let alternatives = text
            .split("||")
            .map(Alternative::parse)
            .collect::<Option<_>>()?;
        Some(Self { alternatives })
    }

    /// Whether the range admits a version. If any alternative is `*`, the others are ignored, even
    /// for pre-releases, as in npm.
    pub(super) fn admits(&self, version: &Version<'_>) -> bool {
        let any = self
            .alternatives
            .iter()
            .find(|alternative| alternative.comparators().is_empty());
        match any {
            Some(any) => any.admits(version),
            None => self
                .alternatives
                .iter()
                .any(|alternative| alternative.admits(version)),
        }
    }
}

impl<'a> Alternative<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let text = text.trim();
        let words: Vec<&str> = text.split_whitespace().collect();
        let mut words = words.as_slice();

        let mut terms = Vec::new();
        while let [first, rest @ ..] = words {
            if let ["-", to, after @ ..] = rest {
                terms.push(Term::Hyphen(Partial::parse(first)?, Partial::parse(to)?));
                words = after;
                continue;
            }

            let (operator, version) = operator(first);
            // There may be a space between the operator and its version.
            if version.is_empty() && !first.is_empty() {
                let [next, after @ ..] = rest else {
                    return None;
                };
                terms.push(Term::Simple(operator, Partial::parse(next)?));
                words = after;
            } else {
                terms.push(Term::Simple(operator, Partial::parse(version)?));
                words = rest;
            }
        }

        Some(Self { text, terms })
    }

    /// The comparators of all terms; each must admit the version.
    pub(super) fn comparators(&self) -> Vec<Comparator<'a>> {
        self.terms.iter().flat_map(Term::comparators).collect()
    }

    /// Whether the alternative admits a version. A pre-release is admitted only if a comparator names
    /// a pre-release of the same three numbers.
    pub(super) fn admits(&self, version: &Version<'_>) -> bool {
        let Some(numbers) = numbers(version) else {
            return false;
        };
        let comparators = self.comparators();

        comparators
            .iter()
            .all(|comparator| comparator.admits(version))
            && (version.prerelease.is_empty()
                || comparators.iter().any(|comparator| {
                    !comparator.prerelease.is_empty() && comparator.numbers == numbers
                }))
    }
}

impl<'a> Term<'a> {
    fn comparators(&self) -> Vec<Comparator<'a>> {
        match self {
            Self::Hyphen(from, to) => {
                let mut out = from.lower_bound();
                out.extend(match to.known() {
                    0 => None,
                    3 => Some(to.comparator(Operator::LessEqual)),
                    known => Some(to.below_next(known)),
                });
                out
            }
            Self::Simple(operator, partial) => partial.comparators(*operator),
        }
    }
}

impl<'a> Partial<'a> {
    /// Parses `1`, `1.x`, `v1.2.3-beta+build`, `*` and the like.
    fn parse(text: &'a str) -> Option<Self> {
        let bare = text.trim_start_matches(['v', '=']);
        let bare = bare.split_once('+').map_or(bare, |(bare, _)| bare);
        if bare.is_empty() {
            return None;
        }

        let (core, prerelease) = match bare.split_once('-') {
            Some((core, prerelease)) => (core, Some(prerelease)),
            None => (bare, None),
        };
        let mut partial = Self {
            prerelease: prerelease.unwrap_or(""),
            text,
            ..Self::default()
        };

        let mut wild = false;
        for part in core.split('.') {
            let number = match part {
                "x" | "X" | "*" => None,
                // npm reads ranges loosely: `^1.02` is `^1.2`.
                digits => Some(loose_number(digits)?),
            };
            // `1.x.3` is invalid.
            if wild && number.is_some() {
                return None;
            }

            wild |= number.is_none();
            match partial.written {
                0 => partial.major = number,
                1 => partial.minor = number,
                2 => partial.patch = number,
                _ => return None,
            }
            partial.written += 1;
        }

        // A `-` must be followed by a valid pre-release, which is ignored after a wildcard.
        let sample = format!("0.0.0-{}", partial.prerelease);
        if prerelease.is_some() && (partial.written < 3 || Version::parse(&sample).is_none()) {
            return None;
        }
        if partial.known() < 3 {
            partial.prerelease = "";
        }

        Some(partial)
    }

    /// Count of leading numbers that are known.
    pub(super) fn known(&self) -> usize {
        [self.major, self.minor, self.patch]
            .iter()
            .take_while(|number| number.is_some())
            .count()
    }

    /// The numbers, with zero for unknown ones.
    pub(super) fn numbers(&self) -> [u64; 3] {
        [self.major, self.minor, self.patch].map(Option::unwrap_or_default)
    }

    fn comparator(&self, operator: Operator) -> Comparator<'a> {
        Comparator {
            operator,
            numbers: self.numbers(),
            prerelease: self.prerelease,
        }
    }

    fn lower_bound(&self) -> Vec<Comparator<'a>> {
        match self.known() {
            0 => Vec::new(),
            _ => vec![self.comparator(Operator::GreaterEqual)],
        }
    }

    /// `<` the next version in which the last of the first `kept` numbers is one higher. The
    /// pre-releases of that version are excluded as well.
    fn below_next(&self, kept: usize) -> Comparator<'a> {
        Comparator {
            operator: Operator::Less,
            numbers: next(self.numbers(), kept),
            prerelease: "0",
        }
    }

    /// The comparators of a term, as node-semver's grammar defines them.
    fn comparators(&self, operator: Operator) -> Vec<Comparator<'a>> {
        let known = self.known();
        // The number of leading parts that the upper bound is derived from.
        let kept = match operator {
            Operator::Caret => {
                let zeros = self
                    .numbers()
                    .iter()
                    .take_while(|number| **number == 0)
                    .count();
                (zeros + 1).min(known)
            }
            Operator::Tilde => known.min(2),
            _ => known,
        };

        match (operator, known) {
            (Operator::Greater | Operator::Less, 0) => vec![Comparator {
                operator: Operator::Less,
                numbers: [0; 3],
                prerelease: "0",
            }],
            (_, 0) => Vec::new(),
            (Operator::Caret | Operator::Tilde, _) => {
                let mut out = self.lower_bound();
                out.push(self.below_next(kept));
                out
            }
            (_, 3) => vec![self.comparator(operator)],
            (Operator::Equal, _) => {
                let mut out = self.lower_bound();
                out.push(self.below_next(known));
                out
            }
            (Operator::GreaterEqual, _) => self.lower_bound(),
            (Operator::Greater, _) => vec![Comparator {
                operator: Operator::GreaterEqual,
                numbers: next(self.numbers(), known),
                prerelease: "",
            }],
            (Operator::Less, _) => vec![Comparator {
                operator: Operator::Less,
                numbers: self.numbers(),
                prerelease: "0",
            }],
            (Operator::LessEqual, _) => vec![self.below_next(known)],
        }
    }
}

impl Comparator<'_> {
    /// The order of `version` relative to the comparator's version.
    pub(super) fn compare(&self, version: &Version<'_>) -> Ordering {
        let numbers = self.numbers.map(|number| number.to_string());
        let [major, minor, patch] = &numbers;
        version.compare(&Version {
            major,
            minor,
            patch,
            prerelease: self.prerelease,
        })
    }

    fn admits(&self, version: &Version<'_>) -> bool {
        let order = self.compare(version);
        match self.operator {
            Operator::Equal => order == Ordering::Equal,
            Operator::Greater => order == Ordering::Greater,
            Operator::GreaterEqual => order != Ordering::Less,
            Operator::Less => order == Ordering::Less,
            Operator::LessEqual => order != Ordering::Greater,
            // Comparators never have these: `Partial::comparators` reduces them to bounds.
            Operator::Tilde | Operator::Caret => false,
        }
    }
}

/// The next version: the last of the first `kept` numbers is one higher, and those after it are zero.
pub(super) fn next(mut numbers: [u64; 3], kept: usize) -> [u64; 3] {
    for (index, number) in numbers.iter_mut().enumerate() {
        if index + 1 == kept {
            *number = number.saturating_add(1);
        } else if index >= kept {
            *number = 0;
        }
    }
    numbers
}

/// The numbers of a version; `None` if one is too large for node-semver.
pub(super) fn numbers(version: &Version<'_>) -> Option<[u64; 3]> {
    Some([
        number(version.major)?,
        number(version.minor)?,
        number(version.patch)?,
    ])
}

fn number(digits: &str) -> Option<u64> {
    (digits == "0" || !digits.starts_with('0'))
        .then(|| loose_number(digits))
        .flatten()
}

fn loose_number(digits: &str) -> Option<u64> {
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok().filter(|number| *number <= MAX_NUMBER)
}

/// Splits the operator from a word.
pub(super) fn operator(word: &str) -> (Operator, &str) {
    const OPERATORS: [(&str, Operator); 8] = [
        (">=", Operator::GreaterEqual),
        ("<=", Operator::LessEqual),
        ("~>", Operator::Tilde),
        (">", Operator::Greater),
        ("<", Operator::Less),
        ("~", Operator::Tilde),
        ("^", Operator::Caret),
        ("=", Operator::Equal),
    ];

    OPERATORS
        .into_iter()
        .find_map(|(sign, operator)| word.strip_prefix(sign).map(|rest| (operator, rest)))
        .unwrap_or((Operator::Equal, word))
}
