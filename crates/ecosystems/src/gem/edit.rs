//! Edits of a Gemfile: the versions that a statement `gem` names as plain texts.
//!
//! A Gemfile is a program, which is never run. A requirement that code computes is refused.

use std::ops::Range;

use super::gemfile::{self, GemRequirement};
use super::raise::{clause, locked};
use crate::{EditError, Input, RequirementEdit, Siblings};

/// A text in the file.
#[derive(Debug, Clone)]
struct Literal {
    /// Its bytes, with the quotes.
    range: Range<usize>,
    value: String,
    quote: char,
}

/// A statement `gem` with plain texts as name and versions.
#[derive(Debug)]
struct Statement {
    line: u32,
    name: Literal,
    versions: Vec<Literal>,
}

/// The Gemfile with another requirement in every statement about the gem.
pub(super) fn edit(
    path: &str,
    manifest: &str,
    change: &RequirementEdit,
) -> Result<String, EditError> {
    if path.ends_with(".gemspec") {
        return Err(EditError::Refused("a gemspec is not edited".to_owned()));
    }
    let before = read(path, manifest)?;
    let wanted = locked(&change.from);
    let is_meant =
        |gem: &&GemRequirement| gem.name == change.name && locked(&gem.requirement) == wanted;
    let lines: Vec<u32> = before.iter().filter(is_meant).map(|gem| gem.line).collect();
    if lines.is_empty() {
        return Err(EditError::NotFound {
            name: change.name.clone(),
            requirement: change.from.clone(),
        });
    }

    let statements = statements(manifest);
    let mut text = manifest.to_owned();
    for line in lines.iter().rev() {
        let statement = statements
            .iter()
            .find(|statement| statement.line == *line && statement.name.value == change.name)
            .filter(|statement| locked(&requirement(statement)) == wanted)
            .ok_or_else(|| {
                let reason = format!(
                    "line {line} does not name the versions of `{}` as plain texts",
                    change.name
                );
                EditError::Refused(reason)
            })?;
        replace(&mut text, statement, &change.to);
    }

    // Nothing else may have changed.
    let after = read(path, &text)?;
    let is_same = before.len() == after.len()
        && before.iter().zip(&after).all(|(old, new)| {
            let asked = match is_meant(&old) {
                true => locked(&new.requirement) == locked(&change.to),
                false => old.requirement == new.requirement,
            };
            asked && old.name == new.name && old.groups == new.groups
        });
    match is_same {
        true => Ok(text),
        false => Err(EditError::Refused(
            "the change would affect other statements".to_owned(),
        )),
    }
}

fn read(path: &str, manifest: &str) -> Result<Vec<GemRequirement>, EditError> {
    let input = Input {
        path,
        bytes: manifest.as_bytes(),
        siblings: &Siblings::new(),
    };
    gemfile::read(&input)
        .map(|gemfile| gemfile.gems)
        .map_err(|error| EditError::Unreadable(error.to_string()))
}

fn requirement(statement: &Statement) -> String {
    let versions: Vec<&str> = statement
        .versions
        .iter()
        .map(|version| version.value.as_str())
        .collect();
    versions.join(", ")
}

/// Writes a requirement in the style of the statement.
fn replace(text: &mut String, statement: &Statement, to: &str) {
    let parts: Vec<&str> = to
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect();
    let same = |part: &str, version: &Literal| clause(part) == clause(&version.value);
    let versions = &statement.versions;
    let (Some(first), Some(last)) = (versions.first(), versions.last()) else {
        let quote = statement.name.quote;
        let added: String = parts
            .iter()
            .map(|part| format!(", {quote}{part}{quote}"))
            .collect();
        text.insert_str(statement.name.range.end, &added);
        return;
    };

    if parts.len() == versions.len() {
        // Texts that stay keep their position.
        let mut new = parts
            .iter()
            .filter(|part| !versions.iter().any(|version| same(part, version)));
        let mut edits = Vec::new();
        for version in versions {
            if !parts.iter().any(|part| same(part, version))
                && let Some(part) = new.next()
            {
                edits.push((version, styled(part, version)));
            }
        }
        for (version, styled) in edits.into_iter().rev() {
            text.replace_range(version.range.clone(), &styled);
        }
        return;
    }

    let all: Vec<String> = parts.iter().map(|part| styled(part, first)).collect();
    text.replace_range(first.range.start..last.range.end, &all.join(", "));
}

/// A part of a requirement in the style of a text: quotes, the blank after the operator, `=` left out.
fn styled(part: &str, like: &Literal) -> String {
    let (operator, version) = clause(part);
    let (old, _) = clause(&like.value);
    let quote = like.quote;
    let is_bare = like.value.starts_with(|c: char| c.is_ascii_digit());
    let is_close = !is_bare && !like.value.starts_with(&format!("{old} "));
    match operator {
        "=" if is_bare => format!("{quote}{version}{quote}"),
        _ if is_close => format!("{quote}{operator}{version}{quote}"),
        _ => format!("{quote}{operator} {version}{quote}"),
    }
}

/// The statements `gem` of a file that begin a line.
fn statements(text: &str) -> Vec<Statement> {
    let mut found = Vec::new();
    let mut at = 0;
    let mut in_comment = false;
    for (line, content) in (1_u32..).zip(text.split_inclusive('\n')) {
        let start = at;
        at += content.len();
        if content.trim_end() == "__END__" {
            break;
        }
        if content.starts_with("=begin") || content.starts_with("=end") {
            in_comment = content.starts_with("=begin");
            continue;
        }
        let code = content.trim_start();
        let after = code
            .strip_prefix("gem")
            .filter(|rest| rest.starts_with([' ', '\t', '(']));
        if let (false, Some(after)) = (in_comment, after) {
            let from = start + (content.len() - after.len());
            found.extend(statement(text, from, line));
        }
    }

    found
}

fn statement(text: &str, from: usize, line: u32) -> Option<Statement> {
    let opened = skip_blanks(text, from, false);
    let from = match text.get(opened..)?.strip_prefix('(') {
        Some(_) => skip_blanks(text, opened + 1, true),
        None => opened,
    };
    let name = literal(text, from)?;
    let mut versions = Vec::new();
    let mut end = name.range.end;
    loop {
        let comma = skip_blanks(text, end, false);
        if !text.get(comma..)?.starts_with(',') {
            break;
        }
        let start = skip_blanks(text, comma + 1, true);
        let Some(version) = literal(text, start) else {
            break;
        };
        // A text can begin an expression, or be the key of an option.
        let next = skip_blanks(text, version.range.end, false);
        let rest = text.get(next..)?;
        if !rest.is_empty() && !rest.starts_with([',', ')', '\n', '\r', '#']) {
            break;
        }
        end = version.range.end;
        versions.push(version);
    }

    Some(Statement {
        line,
        name,
        versions,
    })
}

/// The position after blanks and, where a statement goes on over lines, after line breaks and
/// comments.
fn skip_blanks(text: &str, mut at: usize, over_lines: bool) -> usize {
    let bytes = text.as_bytes();

    while let Some(byte) = bytes.get(at) {
        match byte {
            b' ' | b'\t' => at += 1,
            b'\n' | b'\r' if over_lines => at += 1,
            b'#' if over_lines => {
                let rest = bytes.get(at..).unwrap_or_default();
                at += rest
                    .iter()
                    .position(|byte| *byte == b'\n')
                    .unwrap_or(rest.len());
            }
            _ => break,
        }
    }

    at
}

fn literal(text: &str, at: usize) -> Option<Literal> {
    let rest = text.get(at..)?;
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let inner = rest.get(1..)?;
    let length = inner.find(quote)?;
    let value = inner.get(..length)?;
    if value.contains(['\\', '\n']) || value.contains("#{") {
        return None;
    }

    Some(Literal {
        range: at..at + length + 2,
        value: value.to_owned(),
        quote,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edited(manifest: &str, name: &str, from: &str, to: &str) -> Result<String, String> {
        let change = RequirementEdit {
            name: name.to_owned(),
            from: from.to_owned(),
            to: to.to_owned(),
        };
        edit("Gemfile", manifest, &change).map_err(|error| error.to_string())
    }

    #[test]
    fn versions_are_replaced_in_their_own_style() {
        for (line, from, to, expected) in [
            ("gem 'a', '~> 1.2'", "~> 1.2", "~> 2.0", "gem 'a', '~> 2.0'"),
            (
                "gem \"a\", \"~>1.2\", require: false",
                "~> 1.2",
                "~> 2.0",
                "gem \"a\", \"~>2.0\", require: false",
            ),
            (
                "gem 'a', '1.2' # why",
                "= 1.2",
                "= 1.4",
                "gem 'a', '1.4' # why",
            ),
            ("gem('a', '= 1.2')", "= 1.2", "= 1.4", "gem('a', '= 1.4')"),
            ("gem 'a'", "", ">= 1.4", "gem 'a', '>= 1.4'"),
            (
                "gem 'a', group: :test",
                "",
                ">= 1.4",
                "gem 'a', '>= 1.4', group: :test",
            ),
            (
                "gem 'a', '< 4', '>= 2.2'",
                ">= 2.2, < 4",
                ">= 3.1, < 4",
                "gem 'a', '< 4', '>= 3.1'",
            ),
            (
                "gem 'a', '~> 1.2'",
                "~> 1.2",
                "~> 1.4, >= 1.4.1",
                "gem 'a', '~> 1.4', '>= 1.4.1'",
            ),
            (
                "gem 'a',\r\n    '~> 1.2',\r\n    group: :test\r\n",
                "~> 1.2",
                "~> 2",
                "gem 'a',\r\n    '~> 2',\r\n    group: :test\r\n",
            ),
            (
                "group :x do\n  gem 'a', '1.2'\nend\ngem 'a', '1.2'",
                "= 1.2",
                "= 1.4",
                "group :x do\n  gem 'a', '1.4'\nend\ngem 'a', '1.4'",
            ),
        ] {
            assert_eq!(edited(line, "a", from, to).unwrap(), expected);
        }
    }

    #[test]
    fn what_is_computed_is_refused() {
        let reasons: Vec<String> = [
            ("gem 'a', VERSION", "~> 1.2"),
            ("gem 'a', ['~> 1.2']", "~> 1.2"),
            ("gem 'b', '~> 1.2'", "~> 1.2"),
            ("gem 'a', '~> 1.3'", "~> 1.2"),
            ("gem 'a', git: 'https://code.invalid/a'", ""),
            ("# gem 'a', '~> 1.2'", "~> 1.2"),
            ("gem 'a', '~> 1.2' + x", "~> 1.2"),
            ("gem 'a', '~> 1.2' if x", "~> 1.2"),
        ]
        .into_iter()
        .map(|(line, from)| edited(line, "a", from, "~> 2.0").unwrap_err())
        .collect();
        insta::assert_snapshot!(reasons.join("\n"));
    }
}
