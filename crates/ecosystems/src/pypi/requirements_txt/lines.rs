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
    /// Its position in the file.
    pub(super) span: Span,
}

/// The position of a line in its file, in bytes, without the last line end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Span {
    /// Start of the first line.
    pub(super) start: usize,
    /// End of the last line with code, comment included.
    pub(super) end: usize,
    /// End of the comments directly below it.
    pub(super) comments_end: usize,
}

/// The logical lines of a file. Comments before the first line are dropped.
///
/// As in pip, a `#` at the start of a line or after a space begins a comment, and a line that ends in
/// `\` continues on the next one, unless the `\` is part of a comment.
pub(super) fn logical(text: &str) -> Vec<Logical> {
    let mut lines: Vec<Logical> = Vec::new();
    let mut open: Option<Logical> = None;
    // Whether no empty line is between the last line and the present one.
    let mut below = false;
    for (line, (start, content)) in (1u32..).zip(physical(text)) {
        let content_end = start + content.len();
        let (code, comment) = split_comment(content);
        let continues = comment.is_none() && code.ends_with('\\');
        let code = code.strip_suffix('\\').unwrap_or(code).trim();

        let mut current = open.take().unwrap_or(Logical {
            line,
            text: String::new(),
            comments: Vec::new(),
            span: Span::default(),
        });
        if !code.is_empty() {
            if current.text.is_empty() {
                current.line = line;
                current.span.start = start;
            } else {
                current.text.push(' ');
            }
            current.text.push_str(code);
        }
        current.span.end = content_end;
        current.span.comments_end = content_end;

        match comment {
            Some(comment) if current.text.is_empty() => {
                if let Some(previous) = lines.last_mut() {
                    previous.comments.push(comment.to_owned());
                    if below {
                        previous.span.comments_end = content_end;
                    }
                }
            }
            Some(comment) => current.comments.push(comment.to_owned()),
            // An empty line ends the list of reasons in the comments of the previous line.
            None if code.is_empty() && !continues => {
                if let Some(previous) = lines.last_mut() {
                    previous.comments.push(String::new());
                }
                below = false;
            }
            None => {}
        }

        if continues {
            open = Some(current);
        } else if !current.text.is_empty() {
            lines.push(current);
            below = true;
        }
    }

    lines.extend(open.filter(|line| !line.text.is_empty()));
    lines
}

/// The lines of a text with their positions, without line ends.
fn physical(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    text.split_inclusive('\n').map(move |line| {
        let start = at;
        at += line.len();
        let content = line.strip_suffix('\n').unwrap_or(line);
        let content = match content.len() < line.len() {
            true => content.strip_suffix('\r').unwrap_or(content),
            false => content,
        };
        (start, content)
    })
}

/// Splits a line into its code and its comment; the comment is `None` for a line without one.
pub(super) fn split_comment(line: &str) -> (&str, Option<&str>) {
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
