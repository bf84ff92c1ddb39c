//! Unified diffs of changed files, as `patch` and `git apply` read them.

use std::time::Duration;

use patchgate_model::FileChange;
use similar::{Algorithm, TextDiff, TextDiffConfig};

/// Lines of context around a change, as git shows them.
const CONTEXT_LINES: usize = 3;

/// Longest time for one file's diff. Past it the diff is still correct, only not the shortest.
const DEADLINE: Duration = Duration::from_secs(2);

/// The diff of one file with `a/` and `b/` headers. Empty when nothing changes; a sentence instead
/// of hunks when a side is not UTF-8.
#[must_use]
pub fn unified_diff(change: &FileChange) -> String {
    if change.before == change.after {
        return String::new();
    }
    let path = &change.path;
    let (Ok(before), Ok(after)) = (
        std::str::from_utf8(&change.before),
        std::str::from_utf8(&change.after),
    ) else {
        return format!("Binary files a/{path} and b/{path} differ\n");
    };
    let diff: TextDiff<'_, '_, str> = TextDiffConfig::default()
        .algorithm(Algorithm::Myers)
        .timeout(DEADLINE)
        .diff_lines(before, after);
    diff.unified_diff()
        .context_radius(CONTEXT_LINES)
        .header(&format!("a/{path}"), &format!("b/{path}"))
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(before: &str, after: &str) -> FileChange {
        FileChange {
            path: "dir/Cargo.toml".into(),
            before: before.into(),
            after: after.into(),
        }
    }

    #[test]
    fn shows_the_changed_line_with_headers() {
        insta::assert_snapshot!(
            unified_diff(&change("[dependencies]\ntime = \"=0.1.0\"\n", "[dependencies]\ntime = \"=0.2.23\"\n")),
            @r#"
        --- a/dir/Cargo.toml
        +++ b/dir/Cargo.toml
        @@ -1,2 +1,2 @@
         [dependencies]
        -time = "=0.1.0"
        +time = "=0.2.23"
        "#
        );
    }

    #[test]
    fn says_when_the_last_line_is_not_ended() {
        let diff = unified_diff(&change("a\nb", "a\nc"));
        assert_eq!(
            diff.matches("\\ No newline at end of file").count(),
            2,
            "{diff}"
        );
    }

    #[test]
    fn nothing_changed_is_nothing_shown() {
        assert_eq!(unified_diff(&change("a\n", "a\n")), "");
    }

    #[test]
    fn carriage_returns_stay() {
        assert!(unified_diff(&change("a\r\nb\r\n", "a\r\nc\r\n")).contains("+c\r\n"));
    }

    #[test]
    fn bytes_that_are_not_text_are_named() {
        let change = FileChange {
            path: "x".into(),
            before: vec![0xff],
            after: vec![0xfe],
        };
        assert_eq!(unified_diff(&change), "Binary files a/x and b/x differ\n");
    }
}
