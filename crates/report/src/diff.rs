//! Unified diffs of changed files.

use patchgate_model::FileChange;
use schemars::JsonSchema;
use serde::Serialize;
use similar::{ChangeTag, TextDiff};

/// Most lines between the first and the last difference for which a diff is computed: its time grows
/// with the square of the number of differences.
const MAX_LINES: usize = 200_000;

/// The size of a file's change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FileSummary {
    /// Path from the repository root.
    pub path: String,
    /// Lines added; `null` when the change is too large to compare.
    pub additions: Option<usize>,
    /// Lines removed; `null` when the change is too large to compare.
    pub deletions: Option<usize>,
}

/// The change as a unified diff that `git apply` accepts, with three lines of context.
///
/// A file that is not UTF-8, or whose change is too large to compare, becomes one line with its name.
#[must_use]
pub fn unified_diff(change: &FileChange) -> String {
    let path = quoted(&change.path);
    let Some((before, after)) = comparable(change) else {
        return format!(
            "Files a/{path} and b/{path} differ; the change is too large or not text\n"
        );
    };
    if before == after {
        return String::new();
    }

    TextDiff::from_lines(before, after)
        .unified_diff()
        .context_radius(3)
        .header(&format!("a/{path}"), &format!("b/{path}"))
        .to_string()
}

/// Counts the lines that a change adds and removes.
#[must_use]
pub fn file_summary(change: &FileChange) -> FileSummary {
    let mut summary = FileSummary {
        path: change.path.clone(),
        additions: None,
        deletions: None,
    };
    if let Some((before, after)) = comparable(change) {
        let diff = TextDiff::from_lines(before, after);
        let count = |tag| {
            diff.iter_all_changes()
                .filter(|change| change.tag() == tag)
                .count()
        };
        summary.additions = Some(count(ChangeTag::Insert));
        summary.deletions = Some(count(ChangeTag::Delete));
    }

    summary
}

/// A path for a diff's header. A line break in it would begin a line of the diff.
fn quoted(path: &str) -> String {
    if path.contains(char::is_control) {
        crate::clean(path)
    } else {
        path.to_owned()
    }
}

/// Both sides as text, when their difference is small enough to compute.
fn comparable(change: &FileChange) -> Option<(&str, &str)> {
    let before = std::str::from_utf8(&change.before).ok()?;
    let after = std::str::from_utf8(&change.after).ok()?;
    let same = before
        .lines()
        .zip(after.lines())
        .take_while(|(a, b)| a == b)
        .count();
    let same_at_end = before
        .lines()
        .rev()
        .zip(after.lines().rev())
        .take_while(|(a, b)| a == b)
        .count();
    let longest = before.lines().count().max(after.lines().count());

    (longest.saturating_sub(same + same_at_end) <= MAX_LINES).then_some((before, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(before: &[u8], after: &[u8]) -> FileChange {
        FileChange {
            path: "a/Cargo.lock".into(),
            before: before.to_vec(),
            after: after.to_vec(),
        }
    }

    #[test]
    fn diffs_keep_line_ends() {
        insta::assert_snapshot!(
            unified_diff(&change(b"a\r\nb\r\nc", b"a\r\nB\r\nc\n")).replace('\r', "<CR>")
        );
    }

    #[test]
    fn a_new_and_an_emptied_file_have_a_diff() {
        assert_eq!(
            unified_diff(&change(b"", b"x\n")),
            "--- a/a/Cargo.lock\n+++ b/a/Cargo.lock\n@@ -0,0 +1 @@\n+x\n"
        );
        let summary = file_summary(&change(b"x\ny\n", b""));
        assert_eq!((summary.additions, summary.deletions), (Some(0), Some(2)));
    }

    #[test]
    fn what_cannot_be_compared_is_said_so() {
        let change = change(b"\xff", b"x");
        assert!(unified_diff(&change).contains("differ"));
        assert_eq!(file_summary(&change).additions, None);
    }
}
