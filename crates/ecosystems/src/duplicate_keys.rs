//! JSON of files whose managers accept an object with a key several times.
//!
//! The last value counts, as in `JSON.parse`, Python's `json`, PHP's `json_decode` and most other
//! readers. The values before it are recorded: another reader may use the first one, and a package
//! that only an earlier value has would be hidden.

use patchgate_model::Loss;
use patchgate_syntax::{DuplicateKey, Node, json_with_duplicates, jsonc_with_duplicates};

use crate::{ParseError, SkippedEntries};

/// Reads JSON, and records the values that do not count.
///
/// # Errors
/// When the text is not JSON, or exceeds a limit.
pub(crate) fn json<'a>(
    text: &'a str,
    skipped: &mut SkippedEntries,
) -> Result<Node<'a>, ParseError> {
    let (node, duplicates) = json_with_duplicates(text)?;
    record(&duplicates, skipped);
    Ok(node)
}

/// [`json`] for JSON with comments and trailing commas.
///
/// # Errors
/// When the text is not such JSON, or exceeds a limit.
pub(crate) fn jsonc<'a>(
    text: &'a str,
    skipped: &mut SkippedEntries,
) -> Result<Node<'a>, ParseError> {
    let (node, duplicates) = jsonc_with_duplicates(text)?;
    record(&duplicates, skipped);
    Ok(node)
}

/// Records each value that does not count. Without knowledge of the format, any value that differs
/// may contain a package; one with the same content loses nothing.
pub(crate) fn record(duplicates: &[DuplicateKey<'_>], skipped: &mut SkippedEntries) {
    for key in duplicates {
        let loss = if key.is_same {
            Loss::Detail
        } else {
            Loss::Package
        };
        let name = crate::npm::tree::shortened(&key.name);
        skipped.add(
            loss,
            key.line,
            format!("has the key `{name}` again on line {}", key.counting_line),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_value_counts_and_the_others_are_recorded() {
        let mut skipped = SkippedEntries::default();
        let text = "{\n\"a\": {\"v\": 1},\n\"b\": [2],\n\"a\": {\"v\": 3},\n\"b\": [2]\n}";
        let root = json(text, &mut skipped).unwrap();

        let a = root.get("a").and_then(|a| a.get("v"));
        assert_eq!(a.and_then(Node::integer), Some(3));
        let seen: Vec<_> = skipped
            .into_entries()
            .into_iter()
            .map(|entry| (entry.line, entry.loss, entry.reason))
            .collect();
        assert_eq!(
            seen,
            [
                (
                    2,
                    Loss::Package,
                    "has the key `a` again on line 4".to_owned()
                ),
                (
                    3,
                    Loss::Detail,
                    "has the key `b` again on line 5".to_owned()
                ),
            ]
        );
    }
}
