//! Unified diffs of changed files.

use patchgate_model::FileChange;
use schemars::JsonSchema;
use serde::Serialize;
use similar::{ChangeTag, TextDiff};

use crate::clean::is_unsafe;

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
    let Some((before, after)) = comparable(change) else {
        let (from, to) = (quoted("a/", &change.path), quoted("b/", &change.path));
        return format!("Files {from} and {to} differ; the change is too large or not text\n");
    };

    diff_of(&change.path, before, after)
}

/// A change that cannot be part of a patch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatchError {
    /// Path of the file, which is not text in UTF-8.
    pub path: String,
}

/// All changes as one patch for `git apply`, with paths from the root of the repository.
///
/// # Errors
/// When a file is not text in UTF-8.
pub fn patch(changes: &[FileChange]) -> Result<String, PatchError> {
    let mut patch = String::new();
    for change in changes {
        let path = &change.path;
        let text = std::str::from_utf8(&change.before)
            .and_then(|before| Ok((before, std::str::from_utf8(&change.after)?)));
        let Ok((before, after)) = text else {
            return Err(PatchError { path: path.clone() });
        };
        patch.push_str(&match comparable(change) {
            Some(_) => diff_of(path, before, after),
            None => replacement(path, before, after),
        });
    }

    Ok(patch)
}

/// The diff of two texts, empty when they are equal.
fn diff_of(path: &str, before: &str, after: &str) -> String {
    if before == after {
        return String::new();
    }

    let diff = lines_diff(before, after);
    let hunks = diff.unified_diff().context_radius(3).to_string();
    format!("{}{hunks}", header(path))
}

/// A patch that replaces all lines of a file.
fn replacement(path: &str, before: &str, after: &str) -> String {
    let range = |text: &str| match text.split_inclusive('\n').count() {
        0 => "0,0".to_owned(),
        lines => format!("1,{lines}"),
    };
    let mut patch = format!(
        "{}@@ -{} +{} @@\n",
        header(path),
        range(before),
        range(after)
    );
    for (sign, text) in [('-', before), ('+', after)] {
        for line in text.split_inclusive('\n') {
            patch.push(sign);
            patch.push_str(line);
            if !line.ends_with('\n') {
                patch.push_str("\n\\ No newline at end of file\n");
            }
        }
    }

    patch
}

/// The lines of a patch before the first hunk, as git writes them.
fn header(path: &str) -> String {
    let (from, to) = (quoted("a/", path), quoted("b/", path));
    format!("diff --git {from} {to}\n--- {from}\n+++ {to}\n")
}

/// Compares lines that end with a line feed. Other line ends are part of their line, as for git.
fn lines_diff<'t>(before: &'t str, after: &'t str) -> TextDiff<'t, 't, str> {
    let before: Vec<&str> = before.split_inclusive('\n').collect();
    let after: Vec<&str> = after.split_inclusive('\n').collect();
    TextDiff::configure()
        .newline_terminated(true)
        .diff_slices(&before, &after)
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
        let diff = lines_diff(before, after);
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

/// A path in a diff, quoted as git quotes it: with control characters, `"` or `\` in it, it is in
/// quotes, with escapes as in C. A line break would otherwise begin a line of the diff.
fn quoted(prefix: &str, path: &str) -> String {
    let is_plain = |c: char| !c.is_control() && !matches!(c, '"' | '\\') && !is_unsafe(c);
    if path.chars().all(is_plain) {
        return format!("{prefix}{path}");
    }

    let mut quoted = format!("\"{prefix}");
    for c in path.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if is_plain(c) => quoted.push(c),
            c => {
                let mut bytes = [0; 4];
                for byte in c.encode_utf8(&mut bytes).bytes() {
                    quoted.push_str(&format!("\\{byte:03o}"));
                }
            }
        }
    }
    quoted.push('"');

    quoted
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
            "diff --git a/a/Cargo.lock b/a/Cargo.lock\n\
             --- a/a/Cargo.lock\n+++ b/a/Cargo.lock\n@@ -0,0 +1 @@\n+x\n"
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

    #[test]
    fn paths_are_quoted_as_git_quotes_them() {
        assert_eq!(quoted("a/", "b c/é.json"), "a/b c/é.json");
        assert_eq!(quoted("a/", "b\n\"c"), "\"a/b\\012\\\"c\"");
    }

    #[test]
    fn a_carriage_return_within_a_line_is_part_of_it() {
        let patch = patch(&[change(b"a\rb\n", b"c\rb\n")]).unwrap();
        assert!(patch.starts_with("diff --git a/a/Cargo.lock b/a/Cargo.lock\n"));
        assert!(patch.ends_with("@@ -1 +1 @@\n-a\rb\n+c\rb\n"), "{patch:?}");
    }

    #[test]
    fn a_file_that_is_too_large_to_compare_is_replaced_as_a_whole() {
        let (before, after) = ("a\n".repeat(MAX_LINES + 1), "b\n".repeat(MAX_LINES + 1));
        let large = change(before.as_bytes(), after.as_bytes());
        let patch = patch(&[large]).unwrap();
        assert!(patch.contains("@@ -1,200001 +1,200001 @@\n-a\n"));
        assert_eq!(
            replacement("x", "", "y").lines().last(),
            Some("\\ No newline at end of file")
        );
    }

    #[test]
    fn a_file_that_is_not_text_is_in_no_patch() {
        let error = patch(&[change(b"\xff", b"x")]).unwrap_err();
        assert_eq!(error.path, "a/Cargo.lock");
    }
}
