//! Logical lines: continuations joined, comments apart.

/// A line with those that continue it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Logical {
    /// The first of its lines, from 1.
    pub(super) line: u32,
    /// Without comments, trimmed; never empty.
    pub(super) text: String,
    /// The comment behind it and those below it, without their `#`, line by line.
    pub(super) comments: Vec<String>,
}

/// The logical lines of a file. Comments before the first belong to none.
///
/// As in pip, a `#` begins a comment at the start of a line or after a space, and a `\` at the end
/// of a line continues it, but not that of a comment.
pub(super) fn logical(text: &str) -> Vec<Logical> {
    let mut lines: Vec<Logical> = Vec::new();
    let mut open: Option<Logical> = None;
    for (line, content) in (1u32..).zip(text.lines()) {
        let (code, comment) = split_comment(content);
        let continues = comment.is_none() && code.ends_with('\\');
        let code = code.strip_suffix('\\').unwrap_or(code).trim();

        let mut current = open.take().unwrap_or(Logical {
            line,
            text: String::new(),
            comments: Vec::new(),
        });
        if !code.is_empty() {
            if current.text.is_empty() {
                current.line = line;
            } else {
                current.text.push(' ');
            }
            current.text.push_str(code);
        }

        match comment {
            Some(comment) if current.text.is_empty() => {
                if let Some(before) = lines.last_mut() {
                    before.comments.push(comment.to_owned());
                }
            }
            Some(comment) => current.comments.push(comment.to_owned()),
            // An empty line ends what comments say of the line above.
            None if code.is_empty() && !continues => {
                if let Some(before) = lines.last_mut() {
                    before.comments.push(String::new());
                }
            }
            None => {}
        }

        if continues {
            open = Some(current);
        } else if !current.text.is_empty() {
            lines.push(current);
        }
    }

    lines.extend(open.filter(|line| !line.text.is_empty()));
    lines
}

fn split_comment(line: &str) -> (&str, Option<&str>) {
    let start = line
        .char_indices()
        .zip(std::iter::once(' ').chain(line.chars()))
        .find(|((_, character), before)| *character == '#' && before.is_whitespace())
        .map(|((at, _), _)| at);
    match start.and_then(|at| line.split_at_checked(at)) {
        Some((code, comment)) => (code, comment.strip_prefix('#')),
        None => (line.trim_end(), None),
    }
}
