//! Reader of Dockerfiles (<https://docs.docker.com/reference/dockerfile/>): the images that stages
//! are based on and that files are copied from.

use std::collections::{BTreeMap, BTreeSet};

use patchgate_model::{DependencyKind, FormatId, Lockfile, Loss, Root};

use super::image;
use crate::{Input, ParseError, SkippedEntries, limits, salvage};

/// Most substitutions of variables in one text.
const MAX_SUBSTITUTIONS: usize = 1_000;

/// Reads a Dockerfile, with the variables that it sets before the first `FROM`.
pub(crate) fn parse(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    let text = input.text()?;
    let mut lockfile = Lockfile {
        path: input.path.to_owned(),
        ecosystem: super::NAME,
        format: FormatId::new("dockerfile"),
        roots: vec![Root::default()],
        ..Lockfile::default()
    };

    let mut variables: BTreeMap<String, String> = BTreeMap::new();
    let mut stages: BTreeSet<String> = BTreeSet::new();
    let mut started = false;
    let mut skipped = SkippedEntries::default();
    for instruction in instructions(text)? {
        let Instruction { line, words } = &instruction;
        let mut words = words.split_whitespace();
        let keyword = words.next().unwrap_or_default().to_ascii_uppercase();

        match keyword.as_str() {
            // Variables that are set within a stage are not visible to `FROM`.
            "ARG" if !started => {
                for word in words {
                    if let Some((name, value)) = word.split_once('=') {
                        let value = value.trim_matches(['"', '\'']);
                        let value = substituted(value, &variables);
                        variables.insert(name.to_owned(), value);
                    }
                }
            }
            "FROM" => {
                started = true;
                let words: Vec<&str> = words.filter(|word| !word.starts_with("--")).collect();
                let Some(name) = words.first() else {
                    skipped.package(*line, "has a `FROM` without an image");
                    continue;
                };
                let name = substituted(name, &variables);
                if name != "scratch" && !stages.contains(&name.to_lowercase()) {
                    let added = image::add(&mut lockfile, &name, *line, DependencyKind::Runtime);
                    skipped.recover(Loss::Package, *line, added);
                }
                if let [_, keyword, stage] = words[..]
                    && keyword.eq_ignore_ascii_case("as")
                {
                    stages.insert(stage.to_lowercase());
                }
            }
            "COPY" | "RUN" => {
                for from in words
                    .take_while(|word| word.starts_with("--"))
                    .filter_map(source)
                {
                    let is_stage = stages.contains(&from.to_lowercase())
                        || from.bytes().all(|byte| byte.is_ascii_digit());
                    if !is_stage && !from.contains('$') {
                        let added = image::add(&mut lockfile, from, *line, DependencyKind::Build);
                        skipped.recover(Loss::Package, *line, added);
                    }
                }
            }
            _ => {}
        }
    }

    if !started {
        return Err(ParseError::new("is not a Dockerfile: it has no `FROM`"));
    }

    if lockfile.packages.len() >= limits::MAX_PACKAGES {
        return Err(ParseError::new("names too many images"));
    }
    salvage::finish(lockfile, skipped)
}

/// The image in `--from=IMAGE` or in `--mount=…,from=IMAGE,…`.
fn source(flag: &str) -> Option<&str> {
    let found = match flag.strip_prefix("--from=") {
        Some(image) => image,
        None => flag
            .strip_prefix("--mount=")?
            .split(',')
            .find_map(|part| part.strip_prefix("from="))?,
    };
    (!found.is_empty()).then_some(found)
}

/// An instruction without its line breaks.
struct Instruction {
    /// Line on which the instruction begins.
    line: u32,
    /// The instruction's lines, joined at their continuation characters.
    words: String,
}

/// Joins continued lines, and skips comments and here-documents.
fn instructions(text: &str) -> Result<Vec<Instruction>, ParseError> {
    let mut escape = '\\';
    let mut directives = true;
    let mut complete: Vec<Instruction> = Vec::new();
    let mut open: Option<Instruction> = None;
    let mut lines = (1_u32..).zip(text.lines());

    while let Some((line, content)) = lines.next() {
        let trimmed = content.trim();
        if let Some(comment) = trimmed.strip_prefix('#') {
            // `# escape=` counts only before everything else.
            let directive = comment.split_once('=').filter(|_| directives);
            match directive {
                Some((key, value)) if key.trim().eq_ignore_ascii_case("escape") => {
                    escape = if value.trim() == "`" { '`' } else { '\\' };
                }
                Some(_) => {}
                None => directives = false,
            }

            continue;
        }

        if trimmed.is_empty() {
            directives &= trimmed.is_empty() && open.is_none() && complete.is_empty();
            continue;
        }

        directives = false;
        let mut instruction = open.take().unwrap_or(Instruction {
            line,
            words: String::new(),
        });

        // A line without a continuation ends the instruction; its here-documents follow.
        match trimmed.strip_suffix(escape) {
            Some(part) => {
                instruction.words.push_str(part);
                instruction.words.push(' ');
                open = Some(instruction);
            }
            None => {
                instruction.words.push_str(trimmed);
                for end in here_documents(&instruction.words) {
                    let closed = lines.by_ref().any(|(_, content)| content.trim() == end);
                    if !closed {
                        let reason =
                            format!("is truncated: the here-document `<<{end}` is not closed");
                        return Err(ParseError::new(reason).at_line(line as usize));
                    }
                }
                complete.push(instruction);
            }
        }
    }

    complete.extend(open);
    Ok(complete)
}

/// The words that end the here-documents of a `RUN`, `COPY` or `ADD`.
fn here_documents(words: &str) -> Vec<String> {
    let keyword = words.split_whitespace().next().unwrap_or_default();
    if !["RUN", "COPY", "ADD"]
        .iter()
        .any(|known| keyword.eq_ignore_ascii_case(known))
    {
        return Vec::new();
    }

    shell_words(words)
        .into_iter()
        .filter_map(|word| {
            let operator = word.trim_start_matches(|c: char| c.is_ascii_digit());
            let end = operator.strip_prefix("<<")?;
            let end = end.strip_prefix('-').unwrap_or(end);
            let end: String = end
                .chars()
                .filter(|c| !matches!(c, '"' | '\'' | '\\'))
                .collect();
            (!end.is_empty() && !end.contains('<')).then_some(end)
        })
        .collect()
}

/// The words between blanks, with their quotes. A blank within quotes is part of its word.
fn shell_words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut start = None;
    let mut quote = None;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        if quote.is_none() && !escaped && c.is_whitespace() {
            words.extend(start.take().and_then(|start: usize| text.get(start..at)));
            continue;
        }

        start.get_or_insert(at);
        match c {
            _ if escaped => escaped = false,
            '\\' if quote != Some('\'') => escaped = true,
            '"' | '\'' if quote.is_none() => quote = Some(c),
            _ if quote == Some(c) => quote = None,
            _ => {}
        }
    }

    words.extend(start.and_then(|start| text.get(start..)));
    words
}

/// Replaces `$NAME`, `${NAME}`, `${NAME:-default}` and `${NAME-default}` by their values. A
/// variable that is not set stays as written.
fn substituted(text: &str, variables: &BTreeMap<String, String>) -> String {
    let mut out = String::new();
    let mut rest = text;
    for _ in 0..MAX_SUBSTITUTIONS {
        let Some((before, after)) = rest.split_once('$') else {
            break;
        };

        out.push_str(before);
        let (name, default, behind) = match after.strip_prefix('{') {
            Some(inner) => match inner.split_once('}') {
                Some((body, behind)) => {
                    let end = body
                        .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
                        .unwrap_or(body.len());
                    let (name, operator) = body.split_at(end);
                    let default = operator
                        .strip_prefix(":-")
                        .or_else(|| operator.strip_prefix('-'));
                    (name, default, behind)
                }
                None => ("", None, after),
            },
            None => {
                let end = after
                    .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
                    .unwrap_or(after.len());
                let (name, behind) = after.split_at(end);
                (name, None, behind)
            }
        };
        match variables.get(name).map(String::as_str).or(default) {
            Some(value) => out.push_str(value),
            None => {
                out.push('$');
                out.push_str(after.get(..after.len() - behind.len()).unwrap_or_default());
            }
        }

        rest = behind;
    }

    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Siblings;

    fn read(text: &str) -> Result<Vec<String>, ParseError> {
        let siblings = Siblings::new();
        let lockfile = parse(&Input {
            path: "Dockerfile",
            bytes: text.as_bytes(),
            siblings: &siblings,
        })?;
        let packages = lockfile
            .packages
            .iter()
            .map(|package| format!("{} {} {}", package.line, package.name, package.version));
        let unresolved = lockfile
            .unresolved
            .iter()
            .map(|one| format!("{} ? {}", one.line, one.requirement));

        Ok(packages.chain(unresolved).collect())
    }

    #[test]
    fn stages_variables_and_platforms() {
        let found = read(
            "# syntax=docker/dockerfile:1\nARG BASE=3.20\nARG IMAGE=\"alpine:${BASE}\"\nFROM --platform=$BUILDPLATFORM $IMAGE AS build\nARG BASE=9\nFROM images.invalid:5000/a/b:1@sha256:0a\nFROM build\nFROM scratch\nCOPY --from=build /a /a\nCOPY --chown=1 --from=busybox:1.36 /a /a\nRUN --mount=type=bind,from=golang:1.26,target=/x true\nFROM debian\nFROM a:${TAG}\nFROM b:${TAG:-2}\n",
        )
        .unwrap();
        assert_eq!(
            found,
            [
                "4 alpine 3.20",
                "6 images.invalid:5000/a/b 1@sha256:0a",
                "10 busybox 1.36",
                "11 golang 1.26",
                "14 b 2",
                "12 ? debian",
                "13 ? a:${TAG}",
            ]
        );
    }

    #[test]
    fn continued_lines_comments_and_here_documents_are_no_instructions() {
        let found = read(
            "FROM a:1\nRUN x && \\\n  # FROM not:1\n  FROM-like \\\n\n  y\nRUN <<EOF\nFROM not:2\nEOF\nCOPY <<-\"END\" /x\nFROM not:3\n  END\nFROM \\\n  b:2\n",
        )
        .unwrap();
        assert_eq!(found, ["1 a 1", "13 b 2"]);
        let windows =
            read("# escape=`\nFROM a:1\nRUN x `\nFROM not:1\nCOPY a b\\\nFROM c:1\n").unwrap();
        assert_eq!(windows, ["2 a 1", "6 c 1"]);
    }

    #[test]
    fn the_word_of_a_here_document_may_have_dashes_and_quotes() {
        for text in [
            "RUN <<END-OF-FILE\nFROM not:1\nEND\nEND-OF-FILE\n",
            "RUN cat <<'EOF.1' > /a\nFROM not:1\nEOF.1\n",
            "COPY <<\"my end\" /a\nFROM not:1\nmy end\n",
            "RUN <<-\\EOF sh 3<<A-\"B\"\nFROM not:1\n\tEOF\nFROM not:2\nA-B\n",
            "RUN echo \"1 <<EOF\" $((1<<2)) 'a << b'\n",
        ] {
            let found = read(&format!("FROM a:1\n{text}FROM b:2\n")).unwrap();
            let lines: Vec<&str> = found
                .iter()
                .filter_map(|one| one.split(' ').nth(1))
                .collect();
            assert_eq!(lines, ["a", "b"], "{text}");
        }
    }

    #[test]
    fn an_instruction_without_an_image_loses_only_itself() {
        let siblings = Siblings::new();
        let lockfile = parse(&Input {
            path: "Dockerfile",
            bytes: b"ARG NONE=\"\"\nFROM a:1\nFROM\nFROM ${NONE}\n",
            siblings: &siblings,
        })
        .unwrap();
        let lines: Vec<_> = lockfile
            .skipped
            .iter()
            .map(|it| (it.line, it.loss))
            .collect();
        assert_eq!(lockfile.packages.len(), 1);
        assert_eq!(lines, [(3, Loss::Package), (4, Loss::Package)]);
    }

    #[test]
    fn what_is_no_dockerfile_is_refused() {
        assert!(read("RUN x\n").is_err());
        assert!(read("FROM\n").is_err());
        assert_eq!(read("FROM a:1\nRUN <<EOF\nx\n").unwrap_err().line, Some(2));
    }
}
