//! What the lines of a requirements file say, with those of the files that it includes.

use std::collections::{BTreeMap, BTreeSet};

use super::lines::{Logical, logical};
use super::via::{Reason, reasons};
use super::wanted::Wanted;
use crate::pypi::address::{path_from, without_credentials};
use crate::pypi::name::normalize;
use crate::{Input, ParseError, limits};

/// Most files that one file may include, itself or through others.
const MAX_FILES: usize = 200;

/// Algorithms of hashes with the number of digits of each.
const HASHES: [(&str, usize); 3] = [("sha256", 64), ("sha384", 96), ("sha512", 128)];

/// One requirement.
#[derive(Debug, Clone)]
pub(in crate::pypi) struct Line {
    /// Line in the file that is read, from 1; for an included file that of the inclusion.
    pub(in crate::pypi) line: u32,
    /// The requirement as written, without options and comments.
    pub(in crate::pypi) text: String,
    /// `sha256:…`, as written.
    pub(super) hashes: Vec<String>,
    /// Why it is there, by its comments.
    pub(super) reasons: Vec<Reason>,
}

impl Line {
    /// Whether it asks for a directory of the repository.
    pub(in crate::pypi) fn is_folder(&self) -> bool {
        matches!(self.wanted(), Some(Wanted::Folder { .. }))
    }

    /// What the line asks for. [`File::read`] has refused every line that asks for nothing.
    pub(super) fn wanted(&self) -> Option<Wanted<'_>> {
        Wanted::parse(&self.text)
    }

    /// The name of what is asked for, else the requirement itself.
    pub(in crate::pypi) fn name(&self) -> String {
        match self.wanted().and_then(|wanted| wanted.name()) {
            Some(name) => name.to_owned(),
            None => without_credentials(&self.text).into_owned(),
        }
    }

    /// The requirement as written, without name and marker.
    pub(in crate::pypi) fn requirement(&self) -> String {
        let wanted = self.wanted();
        without_credentials(
            wanted
                .as_ref()
                .map_or(&self.text, |wanted| wanted.requirement()),
        )
        .into_owned()
    }
}

/// One file.
#[derive(Debug, Default)]
pub(in crate::pypi) struct File {
    pub(in crate::pypi) lines: Vec<Line>,
    /// Files whose requirements count as this file's, with the line.
    pub(super) included: Vec<(String, u32)>,
    /// Constraints files, with the line.
    constraints: Vec<(String, u32)>,
    /// The index from which packages come, where there is only one.
    index: Option<String>,
    has_more_indexes: bool,
}

impl File {
    /// Reads a file without those that it includes.
    ///
    /// # Errors
    /// When a line is neither a requirement nor an option.
    pub(in crate::pypi) fn read(input: &Input<'_>) -> Result<Self, ParseError> {
        let mut file = Self::default();
        for line in logical(input.text()?) {
            file.line(&line)?;
        }
        Ok(file)
    }

    /// Paths, from the repository's root, of the files that it includes. `own` is its own path.
    pub(super) fn paths(&self, own: &str) -> Vec<String> {
        let named = self.included.iter().chain(&self.constraints);
        named
            .filter_map(|(target, _)| path_from(own, target))
            .collect()
    }

    fn line(&mut self, logical: &Logical) -> Result<(), ParseError> {
        let Some((option, value)) = option(&logical.text) else {
            return self.requirement(logical, &logical.text);
        };

        match option {
            "-e" | "--editable" => return self.requirement(logical, value),
            "-r" | "--requirement" => self.included.push((value.to_owned(), logical.line)),
            "-c" | "--constraint" => self.constraints.push((value.to_owned(), logical.line)),
            "-i" | "--index-url" => self.index = Some(value.to_owned()),
            "--extra-index-url" => self.has_more_indexes = true,
            // Options that say how to install, not what.
            _ => {}
        }

        Ok(())
    }

    fn requirement(&mut self, logical: &Logical, text: &str) -> Result<(), ParseError> {
        let at = logical.line as usize;
        if self.lines.len() >= limits::MAX_PACKAGES {
            return Err(ParseError::new("holds too many requirements").at_line(at));
        }

        let (text, options) = match text.find(" --") {
            Some(end) => text.split_at(end),
            None => (text, ""),
        };
        if Wanted::parse(text).is_none() {
            let shown: String = without_credentials(text).chars().take(80).collect();
            return Err(ParseError::new(format!(
                "has `{}` where a requirement belongs",
                shown.trim()
            ))
            .at_line(at)
            .with_hint("a file that pip cannot read can be left out with `--exclude`"));
        }

        self.lines.push(Line {
            line: logical.line,
            text: text.trim().to_owned(),
            hashes: hashes(options, at)?,
            reasons: reasons(&logical.comments),
        });

        Ok(())
    }
}

/// The option that a line begins with, and its value.
fn option(text: &str) -> Option<(&str, &str)> {
    if !text.starts_with('-') {
        return None;
    }

    let end = text
        .find(|character: char| character.is_whitespace() || character == '=')
        .unwrap_or(text.len());
    let (option, value) = text.split_at(end);

    // `-rfile` is `-r file`.
    let (option, value) = match option.split_at_checked(2) {
        Some((short, attached)) if !option.starts_with("--") && !attached.is_empty() => {
            (short, text.get(short.len()..).unwrap_or(attached))
        }
        _ => (option, value),
    };

    Some((option, value.trim_start_matches(['=', ' ', '\t']).trim()))
}

/// The hashes among the options of a requirement.
fn hashes(options: &str, line: usize) -> Result<Vec<String>, ParseError> {
    let mut found = Vec::new();
    let mut words = options.split_whitespace();
    while let Some(word) = words.next() {
        let Some(rest) = word.strip_prefix("--hash") else {
            continue;
        };
        let hash = match rest.strip_prefix('=') {
            Some(hash) => hash,
            None => words.next().unwrap_or_default(),
        };
        let is_whole = hash.split_once(':').is_some_and(|(algorithm, digits)| {
            let expected = HASHES.iter().find(|(name, _)| *name == algorithm);
            expected.is_none_or(|(_, length)| digits.len() == *length)
                && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
        });
        if !is_whole {
            return Err(ParseError::new("has a hash that is none").at_line(line));
        }

        found.push(hash.to_owned());
    }

    Ok(found)
}

/// A file with all that it includes.
#[derive(Debug, Default)]
pub(super) struct Files {
    pub(super) lines: Vec<Line>,
    /// The one version that constraints files state for each project; none where they state two.
    pub(super) constraints: BTreeMap<String, Option<String>>,
    /// Included files that are not in the repository or cannot be read, with the line.
    pub(super) unread: Vec<(String, u32)>,
    /// The index from which packages come, where there is only one.
    pub(super) index: Option<String>,
    /// Whether the file is itself one of constraints, by its name.
    pub(super) is_constraints: bool,
}

/// A file that is still to be read: path, line of the inclusion, whether it holds constraints.
type Next = (String, u32, bool);

impl Files {
    /// Reads a file and those that it includes, each once.
    ///
    /// # Errors
    /// When the file itself cannot be read, or they are too many. An included file that cannot be
    /// read is a hole in this one, and an error of its own.
    pub(super) fn read(input: &Input<'_>) -> Result<Self, ParseError> {
        let name = input.path.rsplit('/').next().unwrap_or(input.path);
        let mut files = Self {
            is_constraints: name.contains("constraint"),
            ..Self::default()
        };
        let mut seen: BTreeSet<(String, bool)> = [(input.path.to_owned(), false)].into();
        let mut next: Vec<Next> = Vec::new();
        let own = File::read(input)?;
        let mut has_more_indexes = own.has_more_indexes;

        files.index.clone_from(&own.index);
        files.add(own, input.path, None, false, &mut next);
        while let Some((path, line, is_constraints)) = next.pop() {
            if !seen.insert((path.clone(), is_constraints)) {
                continue;
            }
            if seen.len() > MAX_FILES {
                return Err(
                    ParseError::new(format!("includes more than {MAX_FILES} files"))
                        .at_line(line as usize),
                );
            }

            let read = input.sibling(&path).and_then(|bytes| {
                let input = Input {
                    path: &path,
                    bytes,
                    siblings: input.siblings,
                };
                File::read(&input).ok()
            });
            match read {
                Some(file) => {
                    has_more_indexes |= file.has_more_indexes;
                    files.index = files.index.take().or_else(|| file.index.clone());
                    files.add(file, &path, Some(line), is_constraints, &mut next);
                }
                // What constraints state is nobody's requirement.
                None if is_constraints => {}
                None => files.unread.push((path, line)),
            }

            if files.lines.len() > limits::MAX_PACKAGES {
                return Err(ParseError::new("holds too many requirements").at_line(line as usize));
            }
        }

        files.index = files.index.filter(|_| !has_more_indexes);
        Ok(files)
    }

    fn add(
        &mut self,
        file: File,
        path: &str,
        at: Option<u32>,
        is_constraints: bool,
        next: &mut Vec<Next>,
    ) {
        for (kind, files) in [(is_constraints, file.included), (true, file.constraints)] {
            for (target, line) in files {
                let line = at.unwrap_or(line);
                match path_from(path, &target) {
                    Some(inside) => next.push((inside, line, kind)),
                    None if kind => {}
                    None => self.unread.push((target, line)),
                }
            }
        }

        if is_constraints {
            self.constrain(&file.lines);
            return;
        }

        self.lines.extend(file.lines.into_iter().map(|line| Line {
            line: at.unwrap_or(line.line),
            ..line
        }));
    }

    fn constrain(&mut self, lines: &[Line]) {
        for line in lines {
            let Some(Wanted::Index(requirement)) = line.wanted() else {
                continue;
            };
            let Some(version) = requirement.exact_version() else {
                continue;
            };

            self.constraints
                .entry(normalize(requirement.name).into_owned())
                .and_modify(|known| {
                    if known.as_deref() != Some(version) {
                        *known = None;
                    }
                })
                .or_insert_with(|| Some(version.to_owned()));
        }
    }
}
