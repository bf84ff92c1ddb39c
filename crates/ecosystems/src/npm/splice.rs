//! Replacement of byte ranges in a text. Every other byte stays as it is.

use std::ops::Range;

/// One range and its new text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Splice {
    range: Range<usize>,
    text: String,
}

impl Splice {
    pub(super) fn new(range: Range<usize>, text: impl Into<String>) -> Self {
        Self {
            range,
            text: text.into(),
        }
    }
}

/// Applies splices, given in any order. A splice that overlaps an earlier one, or is not on
/// character boundaries, is skipped; callers compare the result with the expected one.
pub(super) fn splice(text: &str, mut splices: Vec<Splice>) -> String {
    splices.sort_by_key(|splice| (splice.range.start, splice.range.end));
    let mut out = String::with_capacity(text.len());
    let mut done = 0;

    for splice in splices {
        let Some(kept) = text.get(done..splice.range.start) else {
            continue;
        };
        if text.get(splice.range.clone()).is_none() {
            continue;
        }
        out.push_str(kept);
        out.push_str(&splice.text);
        done = splice.range.end;
    }

    out.push_str(text.get(done..).unwrap_or_default());
    out
}
