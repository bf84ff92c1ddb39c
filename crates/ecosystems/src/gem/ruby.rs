//! Parser for the subset of Ruby's syntax in the plain statements of a Gemfile.

use std::borrow::Cow;

/// Longest statement, in lines.
const MAX_LINES: usize = 200;

/// An argument of a call, as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Argument<'a> {
    /// A value without a name.
    Positional(&'a str),
    /// A value with a name: `group: :test`, `:group => :test`.
    Keyword(&'a str, &'a str),
}

/// The statements without comments, each with its line number. A line that ends with a comma or
/// inside brackets continues on the next line.
pub(super) fn statements(text: &str) -> Vec<(u32, Cow<'_, str>)> {
    let mut statements: Vec<(u32, Cow<'_, str>)> = Vec::new();
    let mut continued_lines = 0;
    let mut in_comment = false;
    for (number, line) in (1_u32..).zip(text.lines()) {
        if line.trim_end() == "__END__" {
            break;
        }
        if line.starts_with("=begin") || line.starts_with("=end") {
            in_comment = line.starts_with("=begin");
            continue;
        }

        let code = without_comment(line).trim();
        if in_comment || code.is_empty() {
            continue;
        }

        match statements.last_mut() {
            Some((_, statement)) if continued_lines > 0 => {
                let statement = statement.to_mut();
                statement.push(' ');
                statement.push_str(code);
            }
            _ => statements.push((number, Cow::Borrowed(code))),
        }

        let is_open = code.ends_with([',', '(', '[', '\\']) || code.ends_with("=>");
        continued_lines = match is_open && continued_lines < MAX_LINES {
            true => continued_lines + 1,
            false => 0,
        };
    }

    statements
}

fn without_comment(line: &str) -> &str {
    let mut quote = None;
    let mut escaped = false;
    for (at, byte) in line.bytes().enumerate() {
        match (quote, byte) {
            _ if escaped => escaped = false,
            (Some(_), b'\\') => escaped = true,
            (Some(open), byte) if byte == open => quote = None,
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, b'#') => return line.get(..at).unwrap_or(line),
            _ => {}
        }
    }

    line
}

/// The arguments of a call, with or without parentheses.
pub(super) fn arguments(text: &str) -> Vec<Argument<'_>> {
    let text = text.trim();
    let inner = text
        .strip_prefix('(')
        .and_then(|rest| rest.strip_suffix(')'))
        .unwrap_or(text);

    split(inner)
        .into_iter()
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(argument)
        .collect()
}

fn argument(text: &str) -> Argument<'_> {
    let is_name = |name: &str| {
        !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    if let Some((name, value)) = text.split_once("=>")
        && let Some(name) = name.trim().strip_prefix(':')
        && is_name(name)
    {
        return Argument::Keyword(name, value.trim());
    }

    match text.split_once(": ") {
        Some((name, value)) if is_name(name) => Argument::Keyword(name, value.trim()),
        _ => Argument::Positional(text),
    }
}

/// Splits at commas outside brackets and strings.
fn split(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut depth, mut quote, mut escaped, mut start) = (0_u32, None, false, 0);
    for (at, byte) in text.bytes().enumerate() {
        match (quote, byte) {
            _ if escaped => escaped = false,
            (Some(_), b'\\') => escaped = true,
            (Some(open), byte) if byte == open => quote = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, b'(' | b'[' | b'{') => depth = depth.saturating_add(1),
            (None, b')' | b']' | b'}') => depth = depth.saturating_sub(1),
            (None, b',') if depth == 0 => {
                parts.extend(text.get(start..at));
                start = at + 1;
            }
            _ => {}
        }
    }

    parts.extend(text.get(start..));
    parts
}

/// The strings and symbols of a value: `"a"`, `:a`, `[:a, "b"]`, `%w[a b]`. `None` for anything
/// else.
pub(super) fn literals(value: &str) -> Option<Vec<String>> {
    let value = value.trim();
    let words = value
        .strip_prefix("%w")
        .or_else(|| value.strip_prefix("%i"));
    if let Some(words) = words {
        let inner = words.strip_prefix(['[', '('])?.strip_suffix([']', ')'])?;
        return Some(inner.split_ascii_whitespace().map(str::to_owned).collect());
    }

    if let Some(inner) = value.strip_prefix('[') {
        let parts = split(inner.strip_suffix(']')?);
        return parts
            .into_iter()
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .map(literal)
            .collect();
    }

    Some(vec![literal(value)?])
}

/// The code of a statement: every character of its texts is a blank. Positions stay the same.
pub(super) fn without_texts(statement: &str) -> String {
    let mut quote = None;
    let mut code = String::with_capacity(statement.len());
    for c in statement.chars() {
        let is_text = quote.is_some();
        match quote {
            None if matches!(c, '"' | '\'') => quote = Some(c),
            Some(open) if c == open => quote = None,
            _ => {}
        }
        match is_text || quote.is_some() {
            true => code.extend(std::iter::repeat_n(' ', c.len_utf8())),
            false => code.push(c),
        }
    }
    code
}

/// The words of code, each with its position.
pub(super) fn words(code: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_end = |c: char| !c.is_ascii_alphanumeric() && c != '_';
    code.split(is_end)
        .filter(|word| !word.is_empty())
        .map(|word| (word.as_ptr().addr() - code.as_ptr().addr(), word))
}

/// A single string or symbol without interpolation. RubyGems itself writes `%q<a>.freeze`.
fn literal(value: &str) -> Option<String> {
    let value = value.strip_suffix(".freeze").unwrap_or(value);
    if let Some(inner) = value.strip_prefix("%q<") {
        return inner.strip_suffix('>').map(str::to_owned);
    }

    let text = value.strip_prefix(':').unwrap_or(value);
    let quoted = |quote: char| text.strip_prefix(quote)?.strip_suffix(quote);
    if let Some(inner) = quoted('"').or_else(|| quoted('\'')) {
        return (!inner.contains(['"', '\'', '\\']) && !inner.contains("#{"))
            .then(|| inner.to_owned());
    }

    let is_symbol = value.starts_with(':')
        && !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    is_symbol.then(|| text.to_owned())
}
