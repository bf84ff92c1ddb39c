//! Changes of the text of `go.mod` and `go.work`, line by line. Lines that need not change keep every
//! byte, and new ones are where Go itself puts them.

use super::directives::{Directives, is_indirect};
use super::syntax::directives;
use super::version;
use crate::{EditError, RequirementEdit};

/// The lines of a file under change.
pub(super) struct Text {
    /// Each with its line break.
    lines: Vec<String>,
    /// The line break of the file.
    ending: &'static str,
}

/// A `require` statement: a line, or a block with its lines. Indices count from 0.
struct Statement {
    first: usize,
    last: usize,
    is_block: bool,
    entries: Vec<Entry>,
    /// Whether it has comments other than `// indirect`, which bind its lines to their places.
    has_comments: bool,
}

struct Entry {
    line: usize,
    path: String,
    indirect: bool,
}

impl Statement {
    fn is_all(&self, indirect: bool) -> bool {
        !self.has_comments
            && !self.entries.is_empty()
            && self.entries.iter().all(|entry| entry.indirect == indirect)
    }
}

impl Text {
    pub(super) fn new(text: &str) -> Self {
        Self {
            lines: text.split_inclusive('\n').map(str::to_owned).collect(),
            ending: if text.contains("\r\n") { "\r\n" } else { "\n" },
        }
    }

    pub(super) fn into_text(self) -> String {
        self.lines.concat()
    }

    /// Replaces the version of a module in a line, from 1: the one after the module's path, in a
    /// `replace` the path after the arrow. `None` if the line does not have both.
    pub(super) fn set_version(
        &mut self,
        line: u32,
        path: &str,
        from: &str,
        to: &str,
    ) -> Option<()> {
        let line = self.lines.get_mut((line as usize).checked_sub(1)?)?;
        let code = line.split("//").next().unwrap_or_default();
        let arrow = code.find("=>").unwrap_or_default();
        let after_path = word(code, path, arrow).map(|at| at + path.len())?;
        let at = word(code, from, after_path)?;
        line.replace_range(at..at + from.len(), to);
        Some(())
    }

    /// Adds a requirement where Go adds it: among the requirements of its kind, sorted, in the last
    /// block that has no comments of its own. `separate` is whether direct and indirect ones are in
    /// blocks of their own, as in files since Go 1.17
    /// (<https://go.dev/ref/mod#go-mod-file-updates>).
    pub(super) fn add_requirement(
        &mut self,
        path: &str,
        version: &str,
        indirect: bool,
        separate: bool,
    ) -> Option<()> {
        let statements = self.requirements()?;
        let fits = |statement: &&Statement| !separate || statement.is_all(indirect);
        let mark = if indirect { " // indirect" } else { "" };
        // A file with one mixed block keeps it.
        let home = statements
            .iter()
            .rfind(fits)
            .or_else(|| match statements.as_slice() {
                [only] if only.is_block && !only.is_all(true) && !only.is_all(false) => Some(only),
                _ => None,
            });
        let ending = self.ending;
        let Some(home) = home else {
            let at = statements
                .last()
                .map_or(self.lines.len(), |last| last.last + 1);
            self.end_line(at);
            self.lines.insert(at, ending.to_owned());
            self.lines
                .insert(at + 1, format!("require {path} {version}{mark}{ending}"));
            return Some(());
        };

        let entry = format!("\t{path} {version}{mark}{ending}");
        if home.is_block {
            let behind = home.entries.iter().find(|entry| entry.path.as_str() > path);
            let at = behind.map_or(home.last, |entry| entry.line);
            self.lines.insert(at, entry);
            return Some(());
        }

        // A single line becomes a block.
        self.end_line(home.last + 1);
        let only = home.entries.first()?;
        let line = self.lines.get(home.first)?;
        let rest = line.trim_start().strip_prefix("require")?.trim_start();
        let was = format!("\t{rest}");
        let (one, two) = match only.path.as_str() > path {
            true => (entry, was),
            false => (was, entry),
        };
        let block = [format!("require ({ending}"), one, two, format!("){ending}")];
        self.lines.splice(home.first..=home.last, block);
        Some(())
    }

    /// Removes a requirement. A block with one line left becomes a single line, as Go writes it, and
    /// an empty one goes with the blank line before it.
    pub(super) fn remove_requirement(&mut self, path: &str) -> Option<()> {
        let statements = self.requirements()?;
        let statement = statements
            .iter()
            .find(|one| one.entries.iter().any(|entry| entry.path == path))?;
        let line = statement.entries.iter().find(|one| one.path == path)?.line;
        let others: Vec<&Entry> = statement
            .entries
            .iter()
            .filter(|entry| entry.path != path)
            .collect();

        match others.as_slice() {
            [] => {
                let is_blank =
                    |line: Option<&String>| line.is_some_and(|line| line.trim().is_empty());
                let before = statement.first.checked_sub(1);
                let from = match before.filter(|at| is_blank(self.lines.get(*at))) {
                    Some(blank) => blank,
                    None => statement.first,
                };
                self.lines.drain(from..=statement.last);
            }
            [last] if !statement.has_comments => {
                let rest = self.lines.get(last.line)?.trim_start().to_owned();
                self.lines.splice(
                    statement.first..=statement.last,
                    [format!("require {rest}")],
                );
            }
            _ => {
                self.lines.remove(line);
            }
        }
        Some(())
    }

    /// Ends the line before an index with a line break.
    fn end_line(&mut self, index: usize) {
        let ending = self.ending;
        let before = index.checked_sub(1).and_then(|at| self.lines.get_mut(at));
        if let Some(line) = before.filter(|line| !line.ends_with('\n')) {
            line.push_str(ending);
        }
    }

    /// The `require` statements. `None` if the file cannot be parsed.
    fn requirements(&self) -> Option<Vec<Statement>> {
        let text = self.lines.concat();
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let parsed = directives(text).ok()?;
        let mut statements: Vec<Statement> = Vec::new();
        let mut open: Option<Statement> = None;
        for (at, line) in self.lines.iter().enumerate() {
            let code = line.split("//").next().unwrap_or_default().trim();
            let is_comment = line.trim_start().starts_with("//");
            let here = || parsed.iter().find(|one| one.line as usize == at + 1);
            if let Some(block) = &mut open {
                block.last = at;
                if code == ")" {
                    block.has_comments |= line.contains("//");
                    statements.extend(open.take());
                    continue;
                }
                block.has_comments |= is_comment;
                if let Some(directive) = here() {
                    let [path, _] = directive.words.as_slice() else {
                        return None;
                    };
                    block.has_comments |= !matches!(directive.comment, "" | "indirect");
                    block.entries.push(Entry {
                        line: at,
                        path: path.clone().into_owned(),
                        indirect: is_indirect(directive.comment),
                    });
                }
                continue;
            }

            let mut words = code.split_whitespace();
            let before = at.checked_sub(1).and_then(|at| self.lines.get(at));
            let follows_comment = before.is_some_and(|line| line.trim_start().starts_with("//"));
            match (words.next(), words.next()) {
                (Some("require"), Some("(")) | (Some("require("), None) => {
                    open = Some(Statement {
                        first: at,
                        last: at,
                        is_block: true,
                        entries: Vec::new(),
                        has_comments: follows_comment || line.contains("//"),
                    });
                }
                (Some("require"), Some(_)) => {
                    let directive = here()?;
                    let path = directive.words.first()?.clone().into_owned();
                    let has_comments = !matches!(directive.comment, "" | "indirect");
                    statements.push(Statement {
                        first: at,
                        last: at,
                        is_block: false,
                        entries: vec![Entry {
                            line: at,
                            path,
                            indirect: is_indirect(directive.comment),
                        }],
                        has_comments: follows_comment || has_comments,
                    });
                }
                _ => {}
            }
        }
        Some(statements)
    }
}

/// The position of a word in a line, at or after an index. A word is not part of a longer one.
pub(super) fn word(line: &str, word: &str, from: usize) -> Option<usize> {
    let is_end = |c: Option<char>| {
        c.is_none_or(|c| c.is_whitespace() || matches!(c, '"' | '`' | '(' | ')' | '[' | ']' | ','))
    };
    line.get(from..)?
        .match_indices(word)
        .map(|(at, _)| from + at)
        .find(|at| {
            let before = line
                .get(..*at)
                .and_then(|before| before.chars().next_back());
            let after = line
                .get(at + word.len()..)
                .and_then(|after| after.chars().next());
            is_end(before) && is_end(after)
        })
}

/// Changes the version of one requirement.
///
/// # Errors
/// If the file cannot be read, or does not have the requirement.
pub(super) fn edit_requirement(
    manifest: &str,
    edit: &RequirementEdit,
) -> Result<String, EditError> {
    let text = manifest.strip_prefix('\u{feff}').unwrap_or(manifest);
    let file = Directives::parse(text).map_err(|error| EditError::Unreadable(error.to_string()))?;
    if !version::is_canonical(&edit.to) {
        return Err(EditError::Refused(format!(
            "`{}` is not a version",
            edit.to
        )));
    }

    let not_found = || EditError::NotFound {
        name: edit.name.clone(),
        requirement: edit.from.clone(),
    };
    let require = file
        .requires
        .iter()
        .find(|require| require.path == edit.name && require.version == edit.from)
        .ok_or_else(not_found)?;
    let mut text = Text::new(manifest);
    text.set_version(require.line, &edit.name, &edit.from, &edit.to)
        .ok_or_else(not_found)?;
    Ok(text.into_text())
}
