//! The lines and options of a requirements file, and of the files that it includes.

use std::collections::{BTreeMap, BTreeSet};

use patchgate_model::Loss;

use super::lines::{Logical, Span, logical};
use super::target::RequirementTarget;
use super::via::{Reason, reasons};
use crate::pypi::address::{path_from, without_credentials};
use crate::pypi::name::normalize;
use crate::{Input, ParseError, SkippedEntries, limits};

/// Maximum number of files that one file may include, directly or through others.
const MAX_FILES: usize = 200;

/// Hash algorithms and their numbers of hexadecimal digits.
const HASHES: [(&str, usize); 3] = [("sha256", 64), ("sha384", 96), ("sha512", 128)];

/// One requirement of a file.
#[derive(Debug, Clone)]
pub(in crate::pypi) struct Line {
    /// Line in the scanned file, from 1; for a line of an included file, that of the `-r`.
    pub(in crate::pypi) line: u32,
    /// The requirement as written, without options and comments.
    pub(in crate::pypi) text: String,
    /// Hashes as written: `sha256:…`.
    pub(super) hashes: Vec<String>,
    /// Dependents and files that its comments name.
    pub(super) reasons: Vec<Reason>,
    /// Index of its file in [`Files::paths`].
    pub(super) file: usize,
    /// Its position in its file, after a byte order mark.
    pub(super) span: Span,
}

impl Line {
    /// Whether the line requires a local directory.
    pub(in crate::pypi) fn is_folder(&self) -> bool {
        matches!(self.target(), Some(RequirementTarget::Directory { .. }))
    }

    /// Whether the line states the version of a project of an index.
    pub(super) fn is_pinned(&self) -> bool {
        matches!(self.target(), Some(RequirementTarget::Index(requirement))
            if requirement.exact_version().is_some())
    }

    /// Whether the line requires something that is not from an index.
    pub(super) fn is_elsewhere(&self) -> bool {
        !matches!(self.target(), Some(RequirementTarget::Index(_)))
    }

    /// The parsed requirement. It is never `None`, because [`File::read`] refuses invalid lines.
    pub(super) fn target(&self) -> Option<RequirementTarget<'_>> {
        RequirementTarget::parse(&self.text)
    }

    /// The name of the project, or the whole requirement if it has no name.
    pub(in crate::pypi) fn name(&self) -> String {
        match self.target().and_then(|target| target.name()) {
            Some(name) => name.to_owned(),
            None => without_credentials(&self.text).into_owned(),
        }
    }

    /// The requirement as written, without name and marker.
    pub(in crate::pypi) fn requirement(&self) -> String {
        let target = self.target();
        without_credentials(
            target
                .as_ref()
                .map_or(&self.text, |target| target.requirement()),
        )
        .into_owned()
    }
}

/// One file, without the files that it includes.
#[derive(Debug, Default)]
pub(in crate::pypi) struct File {
    pub(in crate::pypi) lines: Vec<Line>,
    /// Included files (`-r`), with the line of the option.
    pub(super) included: Vec<(String, u32)>,
    /// Constraints files (`-c`), with the line of the option.
    constraints: Vec<(String, u32)>,
    /// The index of `--index-url`.
    index: Option<String>,
    has_more_indexes: bool,
    /// Lines that could not be read, and invalid hashes.
    pub(super) skipped: SkippedEntries,
}

impl File {
    /// Reads a file, without those that it includes. A line that is neither a requirement nor an
    /// option is skipped.
    ///
    /// # Errors
    /// If half of the lines or more are like that, since it is another kind of file, or if the last
    /// line is one and has no line break, since it may be cut.
    pub(in crate::pypi) fn read(input: &Input<'_>) -> Result<Self, ParseError> {
        // pip reads an empty file, and projects keep one as a placeholder.
        if input.bytes.len() <= limits::MAX_FILE_BYTES && input.bytes.trim_ascii().is_empty() {
            return Ok(Self::default());
        }

        let text = input.text()?;
        let lines = logical(text);
        let mut file = Self::default();
        let mut invalid = Vec::new();
        for (number, line) in (1..).zip(&lines) {
            let may_be_cut = number == lines.len() && !text.ends_with('\n');
            if let Err(error) = file.line(line, may_be_cut) {
                if may_be_cut || file.lines.len() >= limits::MAX_PACKAGES {
                    return Err(error);
                }
                invalid.push((line.line, error));
            }
        }

        let is_other_file = invalid.len() * 2 >= lines.len() && !invalid.is_empty();
        for (line, error) in invalid {
            if is_other_file {
                return Err(error);
            }
            file.skipped
                .recover(Loss::Package, line, Err::<(), _>(error));
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

    fn line(&mut self, logical: &Logical, may_be_cut: bool) -> Result<(), ParseError> {
        let Some((option, value)) = option(&logical.text) else {
            return self.requirement(logical, &logical.text, may_be_cut);
        };

        match option {
            "-e" | "--editable" => return self.requirement(logical, value, may_be_cut),
            "-r" | "--requirement" => self.included.push((value.to_owned(), logical.line)),
            "-c" | "--constraint" => self.constraints.push((value.to_owned(), logical.line)),
            "-i" | "--index-url" => self.index = Some(value.to_owned()),
            "--extra-index-url" => self.has_more_indexes = true,
            // Other options concern how packages are installed.
            _ => {}
        }

        Ok(())
    }

    fn requirement(
        &mut self,
        logical: &Logical,
        text: &str,
        may_be_cut: bool,
    ) -> Result<(), ParseError> {
        let line = logical.line as usize;
        if self.lines.len() >= limits::MAX_PACKAGES {
            return Err(ParseError::new("has too many requirements").at_line(line));
        }

        let (text, options) = match text.find(" --") {
            Some(end) => text.split_at(end),
            None => (text, ""),
        };
        if RequirementTarget::parse(text).is_none() {
            let shown: String = without_credentials(text).chars().take(80).collect();
            return Err(ParseError::new(format!(
                "has `{}` instead of a requirement",
                shown.trim()
            ))
            .at_line(line)
            .with_hint(
                "if this is not a requirements file of pip, leave it out with `--exclude`",
            ));
        }

        let hashes = match hashes(options, line) {
            Err(error) if may_be_cut => return Err(error),
            read => self.skipped.recover(Loss::Detail, logical.line, read),
        };
        self.lines.push(Line {
            line: logical.line,
            text: text.trim().to_owned(),
            hashes: hashes.unwrap_or_default(),
            reasons: reasons(&logical.comments),
            file: 0,
            span: logical.span,
        });

        Ok(())
    }
}

/// The option at the start of a line, and its value; `None` for a requirement.
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
    let mut hashes = Vec::new();
    let mut words = options.split_whitespace();
    while let Some(word) = words.next() {
        let Some(rest) = word.strip_prefix("--hash") else {
            continue;
        };
        let hash = match rest.strip_prefix('=') {
            Some(hash) => hash,
            None => words.next().unwrap_or_default(),
        };
        let is_complete = hash.split_once(':').is_some_and(|(algorithm, digits)| {
            let expected = HASHES.iter().find(|(name, _)| *name == algorithm);
            expected.is_none_or(|(_, length)| digits.len() == *length)
                && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
        });
        if !is_complete {
            return Err(ParseError::new("has an invalid hash").at_line(line));
        }

        hashes.push(hash.to_owned());
    }

    Ok(hashes)
}

/// A file and all files that it includes.
#[derive(Debug, Default)]
pub(super) struct Files {
    pub(super) lines: Vec<Line>,
    /// Paths of the files that were read, the file itself first.
    pub(super) paths: Vec<String>,
    /// The requirements of constraints files.
    pub(super) constraint_lines: Vec<Line>,
    /// The version that constraints files state for each project; `None` if they state different
    /// ones.
    pub(super) constraints: BTreeMap<String, Option<String>>,
    /// Included files that are not in the repository or cannot be read, with the line of the option.
    pub(super) unread: Vec<(String, u32)>,
    /// The index of all packages; `None` if there are several.
    pub(super) index: Option<String>,
    /// Whether the file itself is a constraints file, by its name.
    pub(super) is_constraints: bool,
    /// Lines of all files that could not be read, at the line of the scanned file.
    pub(super) skipped: SkippedEntries,
}

/// A file to be read: path, line of the option that includes it, whether it is a constraints file.
type Next = (String, u32, bool);

impl Files {
    /// Reads a file and those that it includes, each once.
    ///
    /// # Errors
    /// If the file itself cannot be read, or there are too many files or requirements. An included
    /// file that cannot be read is recorded in [`Files::unread`].
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
        files.skipped = own.skipped.clone();
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
                    for entry in file.skipped.clone().into_entries() {
                        let (at, reason) = (entry.line, entry.reason);
                        let reason = format!("includes `{path}`, whose line {at} {reason}");
                        files.skipped.add(entry.loss, line, reason);
                    }
                    files.add(file, &path, Some(line), is_constraints, &mut next);
                }
                // Constraints require nothing, so without them nothing is missing.
                None if is_constraints => {}
                None => files.unread.push((path, line)),
            }

            if files.lines.len() > limits::MAX_PACKAGES {
                return Err(ParseError::new("has too many requirements").at_line(line as usize));
            }
        }

        files.index = files.index.filter(|_| !has_more_indexes);
        Ok(files)
    }

    /// Adds the lines of a file, and queues the files that it includes. `at` is the line in the
    /// scanned file through which this one is included.
    fn add(
        &mut self,
        file: File,
        path: &str,
        at: Option<u32>,
        is_constraints: bool,
        next: &mut Vec<Next>,
    ) {
        let number = self.paths.len();
        self.paths.push(path.to_owned());
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
            self.constraint_lines
                .extend(file.lines.into_iter().map(|line| Line {
                    file: number,
                    ..line
                }));
            return;
        }

        self.lines.extend(file.lines.into_iter().map(|line| Line {
            line: at.unwrap_or(line.line),
            file: number,
            ..line
        }));
    }

    /// Adds the versions that a constraints file states.
    fn constrain(&mut self, lines: &[Line]) {
        for line in lines {
            let Some(RequirementTarget::Index(requirement)) = line.target() else {
                continue;
            };
            let Some(version) = requirement.exact_version() else {
                continue;
            };

            self.constraints
                .entry(normalize(requirement.name).into_owned())
                .and_modify(|earlier| {
                    if earlier.as_deref() != Some(version) {
                        *earlier = None;
                    }
                })
                .or_insert_with(|| Some(version.to_owned()));
        }
    }
}
