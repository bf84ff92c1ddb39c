//! Suggestions for unknown keys and words.

/// The candidate with the smallest Levenshtein distance to the word, if that is at most a third of
/// the word's length. `_`, `-` and case make no difference.
pub(crate) fn nearest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    // The distance takes time in proportion to the product of both lengths.
    const MAX_CHARS: usize = 64;

    let word = fold(word);
    let length = word.chars().count();
    if length > MAX_CHARS {
        return None;
    }

    let allowed = length.div_ceil(3);
    candidates
        .into_iter()
        .map(|candidate| (strsim::levenshtein(&word, &fold(candidate)), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, candidate)| candidate)
}

fn fold(word: &str) -> String {
    word.to_ascii_lowercase().replace('_', "-")
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
        let of = |a: &str, b: &str| strsim::levenshtein(&fold(a), &fold(b));
        assert_eq!(of("kitten", "sitting"), 3);
        assert_eq!(of("", "abc"), 3);
        assert_eq!(of("abc", ""), 3);
        assert_eq!(of("abc", "abc"), 0);
    }

    #[test]
    fn long_words_and_empty_ones_have_no_neighbour() {
        assert_eq!(nearest(&"a".repeat(65), ["aaa"]), None);
        assert_eq!(nearest("", ["a"]), None);
    }
}
