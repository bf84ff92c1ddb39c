//! Version order of conda
//! (<https://docs.conda.io/projects/conda/en/stable/user-guide/concepts/pkg-specs.html#version-ordering>).
//!
//! A version has an epoch before `!`, a local version after `+`, and in between parts separated by
//! `.`, `-` and `_`. Each part is a sequence of runs of digits or letters. `dev` sorts before all
//! other words, words before numbers, and `post` after them.

use std::cmp::Ordering;

use crate::version::number::Number;
use crate::version::runs;

/// A version in the form in which it is compared.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version {
    epoch: Number<String>,
    release: Parts,
    local: Parts,
}

/// Parts of runs. Missing trailing parts count as zero.
#[derive(Debug, Clone, Eq)]
struct Parts(Vec<Vec<Run>>);

/// A run of letters or digits. The variants are declared in their sort order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Run {
    Dev,
    Word(String),
    Number(Number<String>),
    Post,
}

impl Run {
    fn zero() -> Self {
        Self::Number(Number::default())
    }

    fn of(run: runs::Run<'_>) -> Self {
        match run {
            runs::Run::Letters("dev") => Self::Dev,
            runs::Run::Letters("post") => Self::Post,
            runs::Run::Letters(word) => Self::Word(word.to_owned()),
            runs::Run::Number(number) => Self::Number(number.owned()),
        }
    }
}

impl Version {
    /// Parses a version of letters, digits, `.`, `-`, `_`, `+`, `!` and `*`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_lowercase();
        let fits = text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b".-_+!*".contains(&byte));
        if !fits {
            return None;
        }

        let (epoch, rest) = match text.split_once('!') {
            Some((epoch, rest)) => (epoch, rest),
            None => ("0", text.as_str()),
        };
        let epoch = Number::parse(epoch)?.owned();
        if rest.contains('!') {
            return None;
        }

        let (release, local) = rest.split_once('+').unwrap_or((rest, ""));
        if release.is_empty() || local.contains('+') {
            return None;
        }

        Some(Self {
            epoch,
            release: Parts::of(release),
            local: if local.is_empty() {
                Parts(Vec::new())
            } else {
                Parts::of(local)
            },
        })
    }
}

impl Parts {
    fn of(text: &str) -> Self {
        // A trailing underscore is a word of its own: openssl's `1.0.1_` sorts before `1.0.1a`.
        let (text, end) = match text.strip_suffix('_') {
            Some(text) => (text, Some(Run::Word("_".to_owned()))),
            None => (text, None),
        };
        let mut parts: Vec<Vec<Run>> = text.split(['.', '-', '_']).map(runs_of).collect();
        if let (Some(last), Some(end)) = (parts.last_mut(), end) {
            last.push(end);
        }

        Self(parts)
    }
}

/// Splits a part into runs of digits and of other characters. A part that begins with letters gets
/// a leading zero.
fn runs_of(part: &str) -> Vec<Run> {
    let zero = part
        .starts_with(|first: char| !first.is_ascii_digit())
        .then(Run::zero);
    zero.into_iter()
        .chain(runs::runs(part).map(Run::of))
        .collect()
}

impl Ord for Parts {
    fn cmp(&self, other: &Self) -> Ordering {
        let part = |parts: &'_ [Vec<Run>], index: usize, run: usize| {
            let run = parts.get(index).and_then(|part| part.get(run));
            run.cloned().unwrap_or_else(Run::zero)
        };
        let length = |parts: &[Vec<Run>], index: usize| parts.get(index).map_or(0, Vec::len);

        (0..self.0.len().max(other.0.len()))
            .flat_map(|index| {
                let runs = length(&self.0, index).max(length(&other.0, index));
                (0..runs).map(move |run| (index, run))
            })
            .map(|(index, run)| part(&self.0, index, run).cmp(&part(&other.0, index, run)))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    }
}

impl PartialOrd for Parts {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Parts {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    fn version(text: &str) -> Version {
        Version::parse(text).unwrap_or_else(|| panic!("`{text}` is a version"))
    }

    #[test]
    fn orders_as_conda_does() {
        // The example in the documentation.
        let rising = [
            "0.4",
            "0.4.1.rc",
            "0.4.1",
            "0.5a1",
            "0.5b3",
            "0.5c1",
            "0.5",
            "0.9.6",
            "0.960923",
            "1.0",
            "1.1dev1",
            "1.1_",
            "1.1a1",
            "1.1.0dev1",
            "1.1.a1",
            "1.1.0rc1",
            "1.1.0",
            "1.1.0post1",
            "1.1post1",
            "1996.07.12",
            "1!0.4.1",
            "1!3.1.1.6",
            "2!0.4.1",
        ];

        let equal = [
            ("0.4", "0.4.0"),
            ("0.4.1.rc", "0.4.1.RC"),
            ("1.1.0dev1", "1.1.dev1"),
            ("1.1", "1.1.0"),
            ("1.1.0post1", "1.1.post1"),
        ];
        for (a, b) in equal {
            assert_eq!(version(a), version(b), "{a} {b}");
        }
        for pair in rising.windows(2) {
            assert!(version(pair[0]) <= version(pair[1]), "{pair:?}");
        }

        assert!(version("1.18446744073709551616") < version("1.18446744073709551617"));
        assert!(version("1.0") < version("1.0+1"));
    }

    #[test]
    fn rejects_what_is_no_version() {
        for text in ["", "!1", "a!1", "1!2!3", "1+2+3", "+1", "1 2", "1=2", "ä"] {
            assert_eq!(Version::parse(text), None, "{text}");
        }
    }
}
