//! The text of an advisory as features: hashes of its words and of pairs of words.

/// Most bytes of a title or of details that are read. Records are cut at 2,000 characters before.
const MAX_BYTES: usize = 16 * 1024;

/// Most characters of a word that are hashed.
const MAX_WORD: usize = 24;

/// What a model reads of an advisory.
#[derive(Debug, Clone, Copy, Default)]
pub struct AdvisoryText<'a> {
    /// Title in one line.
    pub title: &'a str,
    /// Description.
    pub details: &'a str,
    /// Weakness ids, such as `CWE-79`.
    pub cwes: &'a [&'a str],
    /// Ecosystem of the affected package by its OSV name; empty when unknown.
    pub ecosystem: &'a str,
    /// Name of the affected package; empty when unknown.
    pub package: &'a str,
}

impl AdvisoryText<'_> {
    /// Whether there is any text to read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.title.trim().is_empty() && self.details.trim().is_empty()
    }

    /// The features, sorted, each as often as it occurs: words, pairs of neighbouring words, weakness
    /// ids, the ecosystem and the package. The weakness model estimates the ids, so it reads none.
    pub(crate) fn features(&self, with_cwes: bool) -> Vec<u32> {
        let mut features = Vec::new();
        for part in [self.title, self.details] {
            let part = part
                .get(..part.floor_char_boundary(MAX_BYTES))
                .unwrap_or(part);
            let mut before = None;
            for word in words(part) {
                features.push(fold(word));
                if let Some(before) = before {
                    features.push(fold(pair(before, word)));
                }
                before = Some(word);
            }
        }

        if with_cwes {
            features.extend(self.cwes.iter().map(|id| fold(marked(1, id))));
        }
        if !self.ecosystem.is_empty() {
            features.push(fold(marked(2, self.ecosystem)));
        }
        if !self.package.is_empty() {
            features.push(fold(marked(3, self.package)));
        }

        features.sort_unstable();
        features
    }
}

/// The hashes of the words of a text, in lower case. Words of one character are left out, and all
/// numbers are one word: versions and addresses say little about severity.
fn words(text: &str) -> impl Iterator<Item = u64> + '_ {
    text.split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|word| word.len() > 1)
        .map(|word| {
            if word.bytes().all(|byte| byte.is_ascii_digit()) {
                return hash(START, "0");
            }
            let letters = word.chars().take(MAX_WORD).flat_map(char::to_lowercase);
            letters.fold(START, |state, letter| {
                hash(state, letter.encode_utf8(&mut [0; 4]))
            })
        })
}

/// Offset of the hash FNV-1a with 64 bits (<http://www.isthe.com/chongo/tech/comp/fnv/>).
const START: u64 = 0xcbf2_9ce4_8422_2325;

fn hash(state: u64, text: &str) -> u64 {
    text.bytes().fold(state, |state, byte| {
        (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

fn pair(first: u64, second: u64) -> u64 {
    let bytes = second.to_le_bytes();
    bytes.into_iter().fold(first, |state, byte| {
        (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// The hash of a value that is not a word, so that it differs from the word.
fn marked(mark: u64, value: &str) -> u64 {
    hash(START ^ mark, &value.to_ascii_lowercase())
}

/// The stored part of a hash: 32 bits, which half a million features share with few collisions.
fn fold(hash: u64) -> u32 {
    let [a, b, c, d, e, f, g, h] = hash.to_le_bytes();
    u32::from_le_bytes([a, b, c, d]) ^ u32::from_le_bytes([e, f, g, h])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn features(title: &str) -> Vec<u32> {
        let text = AdvisoryText {
            title,
            ..AdvisoryText::default()
        };
        text.features(true)
    }

    #[test]
    fn case_and_separators_make_no_difference() {
        assert_eq!(features("SQL injection"), features("sql - INJECTION!"));
        assert_ne!(features("SQL injection"), features("injection SQL"));
        assert_eq!(features("before 1"), features("before"));
        assert_eq!(features("port 80"), features("port 443"));
    }

    #[test]
    fn a_weakness_id_is_read_only_where_it_may() {
        let text = AdvisoryText {
            title: "XSS",
            cwes: &["CWE-79"],
            ..AdvisoryText::default()
        };
        assert_eq!(text.features(true).len(), 2);
        assert_eq!(text.features(false).len(), 1);
    }

    #[test]
    fn a_huge_text_is_cut() {
        assert!(features(&"é ab ".repeat(100_000)).len() < 2 * MAX_BYTES);
    }
}
