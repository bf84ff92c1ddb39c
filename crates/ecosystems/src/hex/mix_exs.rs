//! The literal dependencies of a `mix.exs`: tuples such as `{:plug, "~> 1.14", only: :test}`. The file
//! is a program; it is read as text and never run, so what it computes is not known.

use std::ops::Range;

/// A dependency that is written as a tuple.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Dependency {
    /// Name of the application.
    pub(super) app: String,
    /// The requirement with its position, if it is a literal.
    pub(super) requirement: Option<(String, Range<usize>)>,
    /// Whether it is from a repository of Hex.
    pub(super) is_hex: bool,
    /// Whether its requirement counts for all dependents.
    pub(super) overrides: bool,
}

/// The dependencies in a file.
pub(super) fn dependencies(text: &str) -> Vec<Dependency> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        if let Some(length) = skipped(rest) {
            at += length;
            continue;
        }
        if let Some(tuple) = rest.strip_prefix("{:") {
            let start = at + 2;
            found.extend(dependency(text, start, tuple));
        }
        at += rest.chars().next().map_or(1, char::len_utf8);
    }
    found
}

/// Length of a comment or a string at the start of a text.
fn skipped(rest: &str) -> Option<usize> {
    if rest.starts_with('#') {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }

    for quote in ["\"\"\"", "\"", "'"] {
        let Some(inside) = rest.strip_prefix(quote) else {
            continue;
        };

        let mut from = 0;
        while let Some(end) = inside.get(from..).and_then(|rest| rest.find(quote)) {
            let end = from + end;
            let before = inside.get(..end).unwrap_or_default();
            let escapes = before.len() - before.trim_end_matches('\\').len();
            if escapes % 2 == 0 {
                return Some(quote.len() + end + quote.len());
            }
            from = end + quote.len();
        }
        return Some(rest.len());
    }

    None
}

/// The dependency whose name starts at a position.
fn dependency(text: &str, start: usize, tuple: &str) -> Option<Dependency> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let end = tuple.find(|c: char| !is_name(c))?;
    let (app, rest) = tuple.split_at_checked(end)?;
    let values = rest.trim_start().strip_prefix(',')?;
    let values_at = start + tuple.len() - values.len();
    let blank = values.len() - values.trim_start().len();
    let values = values.trim_start();

    let requirement = values.strip_prefix('"').and_then(|inside| {
        let end = inside.find('"')?;
        let requirement = inside.get(..end)?;
        let first = values_at + blank + 1;
        let is_literal = !requirement.contains(['\\', '\n', '#']);
        is_literal.then(|| (requirement.to_owned(), first..first + end))
    });
    let options = text.get(values_at..values_at + end_of(values, blank))?;
    let has = |key: &str| {
        options
            .match_indices(key)
            .any(|(at, _)| !options.get(..at).unwrap_or_default().ends_with(is_name))
    };
    let others = ["git:", "github:", "path:", "in_umbrella:"];
    Some(Dependency {
        app: app.to_owned(),
        requirement,
        is_hex: !others.iter().any(|key| has(key)),
        overrides: has("override: true"),
    })
}

/// Length of the values of a tuple, to its closing brace.
fn end_of(values: &str, blank: usize) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;

    while let Some(rest) = values.get(at..).filter(|rest| !rest.is_empty()) {
        if let Some(length) = skipped(rest) {
            at += length;
            continue;
        }
        match rest.as_bytes().first() {
            Some(b'{') => depth += 1,
            Some(b'}') if depth == 0 => break,
            Some(b'}') => depth -= 1,
            _ => {}
        }
        at += rest.chars().next().map_or(1, char::len_utf8);
    }

    blank + at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literal_tuples_are_found_outside_of_strings_and_comments() {
        let text = r#"
          @moduledoc """
          {:doc, "~> 9.0"}
          """
          # {:comment, "~> 9.0"}
          defp deps do
            [ {:plug, "~> 1.14"}, {:jason,
                ">= 1.0.0 and < 2.0.0", only: [:test], override: true},
              {:own, github: "a/own", branch: "{:x, }"}, {:computed, version()},
              {:mod, {App, []}}, {:atom} ]
          end
        "#;
        let found = dependencies(text);
        let shown: Vec<(&str, Option<&str>, bool, bool)> = found
            .iter()
            .map(|one| {
                let requirement = one.requirement.as_ref().map(|(text, _)| text.as_str());
                (one.app.as_str(), requirement, one.is_hex, one.overrides)
            })
            .collect();
        assert_eq!(
            shown,
            [
                ("plug", Some("~> 1.14"), true, false),
                ("jason", Some(">= 1.0.0 and < 2.0.0"), true, true),
                ("own", None, false, false),
                ("computed", None, true, false),
                ("mod", None, true, false),
            ]
        );
        for one in &found {
            if let Some((requirement, range)) = &one.requirement {
                assert_eq!(&text[range.clone()], requirement);
            }
        }
        for text in ["{:a, \"", "{:a,", "\"\"\"", "'", "{:ä, \"1\"}", "{:"] {
            let _ = dependencies(text);
        }
    }
}
