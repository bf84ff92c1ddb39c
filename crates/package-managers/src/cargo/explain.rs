//! What Cargo says, in short.

use crate::process::Output;

/// Longest reason that is passed on, in characters.
const MAX_REASON: usize = 400;

/// The reason in Cargo's output, on one line.
pub(super) fn reason(output: &Output) -> String {
    let mut lines = output
        .stderr
        .lines()
        .skip_while(|line| !line.starts_with("error"))
        .map(|line| line.trim_start_matches("error:").trim())
        .filter(|line| !line.is_empty() && *line != "Caused by:");
    let first = lines.next().unwrap_or("it says nothing about why");
    let mut text = first.to_owned();
    for line in lines.take(5) {
        if line.starts_with("As a reminder") || line.starts_with("If you want to use") {
            break;
        }
        text.push_str("; ");
        text.push_str(line);
    }
    text.chars().take(MAX_REASON).collect()
}

/// Whether Cargo failed because a source is out of reach, which no other choice of versions mends.
pub(super) fn is_unreachable(output: &Output) -> bool {
    [
        "failed to load source for dependency",
        "unable to update ",
        "failed to download from",
        "download of config.json failed",
        "failed to fetch into",
        "failed to load manifest",
    ]
    .iter()
    .any(|complaint| output.stderr.contains(complaint))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_out_of_reach_is_told_from_a_conflict() {
        let says = |stderr: &str| Output {
            success: false,
            stdout: String::new(),
            stderr: stderr.to_owned(),
        };
        assert!(is_unreachable(&says(
            "error: x\n  unable to update https://git.invalid/a\n"
        )));
        assert!(!is_unreachable(&says(
            "error: failed to select a version for `a`.\n"
        )));
    }

    #[test]
    fn the_error_is_put_on_one_line() {
        let output = Output {
            success: false,
            stdout: String::new(),
            stderr: "    Updating index\nerror: failed to select a version for `a`.\n    ... required by package `b v1.0.0`\n\n".into(),
        };
        assert_eq!(
            reason(&output),
            "failed to select a version for `a`.; ... required by package `b v1.0.0`"
        );
    }
}
