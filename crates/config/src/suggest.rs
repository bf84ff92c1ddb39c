//! The nearest known word to one that is not known.

/// The candidate that the word was probably meant to be.
///
/// It is taken by edit distance, with `_`, `-` and case made equal first; at most a third of the
/// word may differ.
pub(crate) fn nearest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    const MAX_CHARS: usize = 64;

    let word = fold(word);
    if word.len() > MAX_CHARS {
        return None;
    }

    let allowed = word.len().div_ceil(3);
    candidates
        .into_iter()
        .map(|candidate| (distance(&word, &fold(candidate)), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, candidate)| candidate)
}

fn fold(word: &str) -> Vec<char> {
    word.chars()
        .map(|c| {
            if c == '_' {
                '-'
            } else {
                c.to_ascii_lowercase()
            }
        })
        .collect()
}

/// Levenshtein distance.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.iter().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (cell, to) in row.iter_mut().skip(1).zip(b) {
            let replaced = diagonal + usize::from(from != to);
            diagonal = *cell;
            left = replaced.min(diagonal + 1).min(left + 1);
            *cell = left;
        }
    }

    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_meant() {
        let known = ["max-bump", "max-score", "merge-method", "accounts"];
        assert_eq!(nearest("max_bump", known), Some("max-bump"));
        assert_eq!(nearest("maxBump", known), Some("max-bump"));
        assert_eq!(nearest("acounts", known), Some("accounts"));
        assert_eq!(nearest("colour", known), None);
    }

    #[test]
    fn distance_is_levenshteins() {
        let of = |a: &str, b: &str| distance(&fold(a), &fold(b));
        assert_eq!(of("kitten", "sitting"), 3);
        assert_eq!(of("", "abc"), 3);
        assert_eq!(of("abc", ""), 3);
        assert_eq!(of("abc", "abc"), 0);
    }
}
