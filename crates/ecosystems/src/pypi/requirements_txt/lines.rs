//! Logical lines of a requirements file, with continuations joined and comments separated.

/// A line, joined with the lines that continue it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Logical {
    /// Number of its first line, from 1.
    pub(super) line: u32,
    /// The text without comments, trimmed; never empty.
    pub(super) text: String,
    /// The comments at its end and below it, one per line, without `#`.
    pub(super) comments: Vec<String>,
}

/// The logical lines of a file. Comments before the first line are dropped.
///
/// As in pip, a `#` at the start of a line or after a space begins a comment, and a line that ends in
/// `\` continues on the next one, unless the `\` is part of a comment.
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
                if let Some(previous) = lines.last_mut() {
                    previous.comments.push(comment.to_owned());
                }
            }
            Some(comment) => current.comments.push(comment.to_owned()),
            // An empty line ends the list of reasons in the comments of the previous line.
            None if code.is_empty() && !continues => {
                if let Some(previous) = lines.last_mut() {
                    previous.comments.push(String::new());
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

/// Splits a line into its code and its comment; the comment is `None` for a line without one.
fn split_comment(line: &str) -> (&str, Option<&str>) {
    let start = line
        .char_indices()
        .zip(std::iter::once(' ').chain(line.chars()))
        .find(|((_, character), previous)| *character == '#' && previous.is_whitespace())
        .map(|((index, _), _)| index);
    match start.and_then(|index| line.split_at_checked(index)) {
        Some((code, comment)) => (code, comment.strip_prefix('#')),
        None => (line.trim_end(), None),
    }
}
