//! The order of keys in npm's lockfiles: `json-stringify-nice` puts keys with objects last and some
//! names first, and compares the others as JavaScript's `localeCompare` does for English.

use std::cmp::Ordering;

/// The keys that come first, in this order (`swKeyOrder` in arborist's `lib/shrinkwrap.js`).
const FIRST: [&str; 8] = [
    "name",
    "version",
    "lockfileVersion",
    "resolved",
    "integrity",
    "requires",
    "packages",
    "dependencies",
];

/// The characters of ASCII before the digits, in the root order of Unicode's collation
/// (<https://www.unicode.org/charts/collation/>).
const SIGNS: &str = " _-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$";

/// The order of two keys of one object, each with whether its value is an object.
pub(super) fn keys(a: (&str, bool), b: (&str, bool)) -> Ordering {
    let place = |key: &str| FIRST.iter().position(|first| *first == key);
    let by_name = match (place(a.0), place(b.0)) {
        (Some(a), Some(b)) => a.cmp(&b),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => texts(a.0, b.0),
    };
    a.1.cmp(&b.1).then(by_name)
}

/// The order of two texts as in `a.localeCompare(b, 'en')`: letters without their case first, then
/// lower case before upper case.
pub(super) fn texts(a: &str, b: &str) -> Ordering {
    let primary = a.chars().map(weight).cmp(b.chars().map(weight));
    primary
        .then_with(|| {
            let upper = |c: char| c.is_uppercase();
            a.chars().map(upper).cmp(b.chars().map(upper))
        })
        .then_with(|| a.cmp(b))
}

/// Whether [`texts`] orders a text exactly.
pub(super) fn is_ordered(text: &str) -> bool {
    text.bytes().all(|byte| (b' '..0x7f).contains(&byte))
}

/// The position of a character without its case.
fn weight(c: char) -> u32 {
    const DIGITS: u32 = 100;
    match c {
        'a'..='z' | 'A'..='Z' => 2 * DIGITS + u32::from(c.to_ascii_lowercase()),
        '0'..='9' => DIGITS + u32::from(c) - u32::from('0'),
        _ => match SIGNS.find(c) {
            Some(at) => u32::try_from(at).unwrap_or_default(),
            None => 10 * DIGITS + u32::from(c),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The order that Node.js 20 gives.
    #[test]
    fn orders_as_node_does() {
        let sorted = [
            "a",
            "A",
            "a_b",
            "a-b",
            "a.b",
            "a/b",
            "a1",
            "ab",
            "aB",
            "Ab",
            "node_modules/@a/b",
            "node_modules/a",
            "node_modules/a-b",
            "node_modules/a/node_modules/b",
            "packages/a",
        ];
        for pair in sorted.windows(2) {
            assert_eq!(texts(pair[0], pair[1]), Ordering::Less, "{pair:?}");
        }
    }

    #[test]
    fn objects_come_last_and_some_names_first() {
        let mut keys_of = [
            ("bin", true),
            ("license", false),
            ("dependencies", true),
            ("dev", false),
            ("integrity", false),
            ("version", false),
            ("os", false),
        ];
        keys_of.sort_by(|a, b| keys(*a, *b));
        let names: Vec<&str> = keys_of.iter().map(|(name, _)| *name).collect();
        assert_eq!(
            names.join(" "),
            "version integrity dev license os dependencies bin"
        );
    }
}
