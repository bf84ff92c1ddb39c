//! The commands that people write in comments.

use jiff::civil::Date;

/// The word that a command starts with.
const WORD: &str = "/patchgate";

/// Longest reason, in characters.
const MAX_REASON: usize = 500;

/// A command in a comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Command {
    /// Bring the branch of the fix up to date.
    Rebase,
    /// Make the fix again.
    Recreate,
    /// Stop the merge, for a reason.
    Hold(String),
    /// End the hold.
    Resume,
    /// Propose an ignore entry.
    Ignore {
        id: String,
        until: Date,
        reason: String,
    },
    /// Explain a vulnerability.
    Explain(String),
    /// Approve the pull request.
    Approve,
    /// Propose to revert the merge.
    Rollback,
}

/// Every form of a command, for answers.
pub(super) const USAGE: &str = "The commands are `/patchgate rebase`, `recreate`, `hold <reason>`, `resume`, \
                                `ignore <id> until <YYYY-MM-DD> because <reason>`, `explain <id>`, `approve` and \
                                `rollback`.";

/// The command in a comment, or what is wrong with it; `None` when the comment has none. A command is
/// the first line of a comment.
pub(super) fn parse(body: &str) -> Option<Result<Command, String>> {
    let line = body.trim_start().lines().next()?.trim_end();
    let rest = line.strip_prefix(WORD)?;
    if !rest.is_empty() && !rest.starts_with(char::is_whitespace) {
        return None;
    }

    let rest = rest.trim();
    let (name, rest) = match rest.split_once(char::is_whitespace) {
        Some((name, rest)) => (name, rest.trim()),
        None => (rest, ""),
    };
    let alone = |command: Command| match rest {
        "" => Ok(command),
        _ => Err(format!("`{name}` takes nothing after it")),
    };
    Some(match name {
        "rebase" => alone(Command::Rebase),
        "recreate" => alone(Command::Recreate),
        "resume" => alone(Command::Resume),
        "approve" => alone(Command::Approve),
        "rollback" => alone(Command::Rollback),
        "hold" => reason(rest).map(Command::Hold),
        "explain" => id(rest).map(Command::Explain),
        "ignore" => ignore(rest),
        "" => Err("no command is named".to_owned()),
        other => {
            let word: String = other.chars().take(40).collect();
            Err(format!("there is no command {word}"))
        }
    })
}

fn ignore(rest: &str) -> Result<Command, String> {
    let form = || "`ignore` has the form `<id> until <YYYY-MM-DD> because <reason>`".to_owned();
    let (named, rest) = rest.split_once(char::is_whitespace).ok_or_else(form)?;
    let rest = rest.trim_start().strip_prefix("until ").ok_or_else(form)?;
    let (until, rest) = rest
        .trim_start()
        .split_once(char::is_whitespace)
        .ok_or_else(form)?;
    let rest = rest
        .trim_start()
        .strip_prefix("because ")
        .ok_or_else(form)?;

    Ok(Command::Ignore {
        id: id(named)?,
        until: until.parse().map_err(|_| form())?,
        reason: reason(rest)?,
    })
}

/// An id of an advisory: letters, digits and the signs between them.
fn id(text: &str) -> Result<String, String> {
    let is_id = (3..=64).contains(&text.len())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':'))
        && text.starts_with(|c: char| c.is_ascii_alphanumeric());
    match is_id {
        true => Ok(text.to_owned()),
        false => Err("an id such as `CVE-2021-23337` is missing".to_owned()),
    }
}

/// A reason of one line, without characters that show nothing.
fn reason(text: &str) -> Result<String, String> {
    let text = patchgate_report::clean(text);
    match text.chars().count() {
        0 => Err("a reason is missing".to_owned()),
        1..=MAX_REASON => Ok(text),
        _ => Err(format!("the reason is longer than {MAX_REASON} characters")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_the_first_line() {
        for (body, command) in [
            ("/patchgate rebase", Command::Rebase),
            ("  /patchgate  recreate \r\nplease", Command::Recreate),
            (
                "/patchgate hold until @joe is\u{202e} back",
                Command::Hold("until @joe is back".to_owned()),
            ),
            ("/patchgate resume\n/patchgate rollback", Command::Resume),
            (
                "/patchgate explain GHSA-aaaa-bbbb-cccc",
                Command::Explain("GHSA-aaaa-bbbb-cccc".to_owned()),
            ),
            (
                "/patchgate ignore CVE-2026-1 until 2027-01-31 because it is a test",
                Command::Ignore {
                    id: "CVE-2026-1".to_owned(),
                    until: "2027-01-31".parse().unwrap(),
                    reason: "it is a test".to_owned(),
                },
            ),
        ] {
            assert_eq!(parse(body), Some(Ok(command)), "{body}");
        }
    }

    #[test]
    fn other_texts_are_no_commands() {
        for body in [
            "",
            "hello",
            "> /patchgate rebase",
            "please /patchgate rebase",
            "/patchgatex",
            "/merge",
            "a\n/patchgate hold x",
        ] {
            assert_eq!(parse(body), None, "{body}");
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        let long = format!("/patchgate hold {}", "a".repeat(501));
        for body in [
            "/patchgate",
            "/patchgate merge",
            "/patchgate rebase now",
            "/patchgate hold",
            "/patchgate hold \u{200b}",
            "/patchgate explain",
            "/patchgate explain --config=x",
            "/patchgate explain ../../x",
            "/patchgate ignore CVE-1",
            "/patchgate ignore CVE-1 until tomorrow because x",
            "/patchgate ignore CVE-1 until 2027-01-31",
            "/patchgate ignore CVE-1 until 2027-01-31 because ",
            &long,
        ] {
            assert!(matches!(parse(body), Some(Err(_))), "{body}");
        }
    }
}
