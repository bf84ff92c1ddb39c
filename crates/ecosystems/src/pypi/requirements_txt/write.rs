//! Direct changes of requirements files.
//!
//! A pin is changed in the file that has it: the file itself, a file that it includes, or a constraints
//! file. The comments in which pip-tools and uv name the dependents of a package follow the graph.
//! Nothing else changes: options, markers, extras, the header with its command, comments of people.
//!
//! A file without such comments may be a list of direct dependencies only. A new dependency is added to
//! it only if it has hashes, because pip then requires every package to be listed.

mod annotation;
mod checks;
mod entry;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use patchgate_model::{Lockfile, PackageIndex};

use self::annotation::Style;
use super::read::{Files, Line};
use crate::pypi::name::normalize;
use crate::pypi::release_files;
use crate::{Downloads, Input, LockfileWriter, Release, Siblings, TargetGraph, WriteError};

/// The writer of requirements files.
#[derive(Debug, Clone, Copy)]
pub(in crate::pypi) struct RequirementsWriter;

impl LockfileWriter for RequirementsWriter {
    /// A file can include others, and be made from one.
    fn reads(&self, path: &str) -> bool {
        path.ends_with(".txt") || path.ends_with(".in")
    }

    fn write(
        &self,
        input: &Input<'_>,
        lockfile: &Lockfile,
        target: &TargetGraph,
        _downloads: &Downloads,
    ) -> Result<Siblings, WriteError> {
        write(input, lockfile, target).map_err(|reason| WriteError::new(input, reason))
    }
}

/// Packages that pip-tools lists apart, because installing them may break the environment.
const UNSAFE: [&str; 3] = ["distribute", "pip", "setuptools"];

/// Begins the comment above the packages that pip-tools lists apart.
const APART: &str = "# The following packages ";

fn write(input: &Input<'_>, lockfile: &Lockfile, target: &TargetGraph) -> Result<Siblings, String> {
    let files = Files::read(input).map_err(|error| error.reason)?;
    let lines = locked_lines(&files, lockfile)?;
    let mut change = Change::new(input, &files)?;
    let graph = Dependents::new(lockfile, target);

    let nodes: BTreeMap<PackageIndex, usize> = (0..)
        .zip(&target.nodes)
        .filter_map(|(number, node)| Some((node.was?, number)))
        .collect();
    for (index, line) in (0u32..).zip(&lines) {
        match nodes.get(&PackageIndex(index)) {
            Some(node) => change.keep(line, *node, target, &graph)?,
            None => change.remove(line),
        }
    }

    let lists_all = lines
        .iter()
        .any(|line| !line.reasons.is_empty() || !line.hashes.is_empty());
    let mut added = Vec::new();
    for (number, node) in (0..).zip(&target.nodes) {
        if node.was.is_none() && lists_all {
            added.push((normalize(&node.name).into_owned(), number));
        }
    }
    added.sort();
    for (name, number) in added {
        let release = target
            .nodes
            .get(number)
            .and_then(|node| node.release.as_ref());
        let release = release.ok_or_else(|| format!("the release of `{name}` is not known"))?;
        change.add(&name, release, graph.after(number), &lines)?;
    }

    let written = change.finish();
    checks::verify(input, &written, lockfile, target, lists_all)?;
    Ok(written)
}

/// The line of each package of the lockfile.
fn locked_lines<'f>(files: &'f Files, lockfile: &Lockfile) -> Result<Vec<&'f Line>, String> {
    let mut lines = Vec::new();
    for line in &files.lines {
        let Some(package) = super::package(line, files) else {
            continue;
        };
        let read = lockfile.packages.get(lines.len());
        if read.is_none_or(|read| (&read.name, &read.version) != (&package.name, &package.version))
        {
            return Err("the file is not the one that was read".to_owned());
        }
        lines.push(line);
    }

    match lines.len() == lockfile.packages.len() {
        true => Ok(lines),
        false => Err("the file is not the one that was read".to_owned()),
    }
}

/// The names of the dependents of each package, before and after the change.
struct Dependents {
    before: Vec<BTreeSet<String>>,
    after: Vec<BTreeSet<String>>,
}

impl Dependents {
    fn new(lockfile: &Lockfile, target: &TargetGraph) -> Self {
        let mut before = vec![BTreeSet::new(); lockfile.packages.len()];
        for package in &lockfile.packages {
            for edge in &package.edges {
                if let Some(names) = before.get_mut(edge.to.0 as usize) {
                    names.insert(normalize(&package.name).into_owned());
                }
            }
        }

        let mut after = vec![BTreeSet::new(); target.nodes.len()];
        for node in &target.nodes {
            for edge in &node.edges {
                if let Some(names) = after.get_mut(edge.to) {
                    names.insert(normalize(&node.name).into_owned());
                }
            }
        }

        Self { before, after }
    }

    fn before(&self, package: PackageIndex) -> &BTreeSet<String> {
        static NONE: BTreeSet<String> = BTreeSet::new();
        self.before.get(package.0 as usize).unwrap_or(&NONE)
    }

    fn after(&self, node: usize) -> &BTreeSet<String> {
        static NONE: BTreeSet<String> = BTreeSet::new();
        self.after.get(node).unwrap_or(&NONE)
    }
}

/// The changes of the files so far.
struct Change<'a> {
    input: &'a Input<'a>,
    files: &'a Files,
    /// The text of each file, after a byte order mark.
    texts: Vec<&'a str>,
    style: Style,
    /// Replacements by file. Texts for one position are in the order in which they were added.
    edits: BTreeMap<usize, Vec<(Range<usize>, String)>>,
}

impl<'a> Change<'a> {
    fn new(input: &'a Input<'a>, files: &'a Files) -> Result<Self, String> {
        let mut texts = Vec::new();
        for (number, path) in files.paths.iter().enumerate() {
            let bytes = match number {
                0 => Some(input.bytes),
                _ => input.sibling(path),
            };
            let one = Input {
                path,
                bytes: bytes.unwrap_or_default(),
                siblings: input.siblings,
            };
            texts.push(one.text().map_err(|error| format!("`{path}` {error}"))?);
        }

        Ok(Self {
            input,
            files,
            style: Style::of(texts.first().copied().unwrap_or_default()),
            texts,
            edits: BTreeMap::new(),
        })
    }

    fn text(&self, line: &Line) -> &'a str {
        let text = self.texts.get(line.file).copied().unwrap_or_default();
        text.get(line.span.start..line.span.comments_end)
            .unwrap_or_default()
    }

    fn replace(&mut self, file: usize, range: Range<usize>, text: String) {
        self.edits.entry(file).or_default().push((range, text));
    }

    /// Gives a package that stays its version, its hashes and its dependents.
    fn keep(
        &mut self,
        line: &Line,
        number: usize,
        target: &TargetGraph,
        graph: &Dependents,
    ) -> Result<(), String> {
        let Some(node) = target.nodes.get(number) else {
            return Ok(());
        };
        let (before, after) = (node.was.map(|was| graph.before(was)), graph.after(number));
        let has_new_dependents =
            !line.reasons.is_empty() && before.is_some_and(|before| before != after);
        if node.release.is_none() && !has_new_dependents {
            return Ok(());
        }

        let text = self.text(line);
        let parts = entry::Parts::of(text, line.span.end - line.span.start);
        let mut code = parts.code.to_owned();
        if let Some(release) = &node.release {
            release_files::check(&node.name, &release.version)?;
            checks::admitted(self.input, self.files, line, &release.version)?;
            self.constrain(line, &release.version)?;
            if line.is_pinned() {
                code = entry::with_version(&code, &line.text, &release.version)?;
            }
            if !line.hashes.is_empty() {
                let algorithms = line.hashes.iter().filter_map(|hash| hash.split(':').next());
                let algorithms: BTreeSet<&str> = algorithms.collect();
                let hashes = release_files::hashes(&node.name, release, algorithms)?;
                code = entry::with_hashes(&code, &hashes)?;
            }
        }

        let comment = match before.filter(|_| has_new_dependents) {
            Some(before) => annotation::changed(&parts, before, after, self.style)?,
            None => annotation::kept(&parts, &code),
        };
        let eol = self.eol(line.file);
        let text = format!("{code}{}", comment.replace("\r\n", "\n").replace('\n', eol));
        self.replace(line.file, line.span.start..line.span.comments_end, text);

        Ok(())
    }

    /// Changes the constraints files that pin the package of a line.
    fn constrain(&mut self, line: &Line, version: &str) -> Result<(), String> {
        let files = self.files;
        let name = line.name();
        for constraint in &files.constraint_lines {
            if normalize(&constraint.name()) != normalize(&name) {
                continue;
            }
            if !constraint.is_pinned() {
                let path = files.paths.get(constraint.file).map_or("", String::as_str);
                checks::admits(&name, path, &constraint.requirement(), version)?;
                continue;
            }

            let text = self.text(constraint);
            let length = constraint.span.end - constraint.span.start;
            let code = entry::Parts::of(text, length).code;
            let changed = entry::with_version(code, &constraint.text, version)?;
            let start = constraint.span.start;
            let range = start..start + code.len();
            // Two packages with different markers may have one constraint.
            let edits = self.edits.entry(constraint.file).or_default();
            match edits.iter().find(|(known, _)| *known == range) {
                Some((_, known)) if *known != changed => {
                    return Err(format!("`{name}` gets several versions"));
                }
                Some(_) => {}
                None => edits.push((range, changed)),
            }
        }

        Ok(())
    }

    /// Removes a line with the comments below it.
    fn remove(&mut self, line: &Line) {
        let text = self.texts.get(line.file).copied().unwrap_or_default();
        let rest = text.get(line.span.comments_end..).unwrap_or_default();
        let end = match rest {
            _ if rest.starts_with("\r\n") => 2,
            _ if rest.starts_with('\n') => 1,
            _ => 0,
        };
        // The last line of a file without a final line end takes the one before it.
        let before = text.get(..line.span.start).unwrap_or_default();
        let start = match end {
            0 if before.ends_with("\r\n") => line.span.start - 2,
            0 if before.ends_with('\n') => line.span.start - 1,
            _ => line.span.start,
        };
        self.replace(
            line.file,
            start..line.span.comments_end + end,
            String::new(),
        );
    }

    /// Adds a package that the file did not have, where pip-tools and uv sort it.
    fn add(
        &mut self,
        name: &str,
        release: &Release,
        dependents: &BTreeSet<String>,
        lines: &[&Line],
    ) -> Result<(), String> {
        release_files::check(name, &release.version)?;
        checks::new_package(self.input, self.files, name)?;
        if UNSAFE.contains(&name) {
            return Err(format!("`{name}` is listed apart from other packages"));
        }
        let annotated = lines.iter().any(|line| !line.reasons.is_empty());
        if annotated && dependents.is_empty() {
            return Err(format!("nothing depends on `{name}`"));
        }

        let mut code = format!("{name}=={}", release.version);
        let like = lines.iter().find(|line| !line.hashes.is_empty());
        if let Some(like) = like {
            let algorithms = like.hashes.iter().filter_map(|hash| hash.split(':').next());
            let algorithms: BTreeSet<&str> = algorithms.collect();
            let hashes = release_files::hashes(name, release, algorithms)?;
            let text = self.text(like);
            let parts = entry::Parts::of(text, like.span.end - like.span.start);
            code = entry::add_hashes(&code, parts.code, &hashes)?;
        }
        let reasons: BTreeSet<String> = dependents.clone();
        let comment = match annotated {
            true => annotation::rendered(&code, &reasons, self.style),
            false => String::new(),
        };

        let eol = self.eol(0);
        let text = format!("{code}{comment}")
            .replace("\r\n", "\n")
            .replace('\n', eol);
        let (at, is_before) = self.position(name, lines)?;
        let text = match is_before {
            true => format!("{text}{eol}"),
            false => format!("{eol}{text}"),
        };
        self.replace(0, at..at, text);

        Ok(())
    }

    /// The position of a new package: before the line at it, or after.
    fn position(&self, name: &str, lines: &[&Line]) -> Result<(usize, bool), String> {
        let text = self.texts.first().copied().unwrap_or_default();
        let apart = text
            .match_indices(APART)
            .map(|(at, _)| at)
            .find(|at| text.get(..*at).is_some_and(|before| before.ends_with('\n')))
            .unwrap_or(text.len());
        let mut last = None;
        for line in lines {
            let is_own = line.file == 0 && line.span.start < apart;
            if !is_own || line.is_elsewhere() {
                continue;
            }
            if normalize(&line.name()).as_ref() > name {
                return Ok((line.span.start, true));
            }
            last = Some(line.span.comments_end);
        }

        let last = last.ok_or_else(|| format!("there is no position for `{name}`"))?;
        Ok((last, false))
    }

    fn eol(&self, file: usize) -> &'static str {
        let text = self.texts.get(file).copied().unwrap_or_default();
        match text.find('\n') {
            Some(at) if text.get(..at).is_some_and(|line| line.ends_with('\r')) => "\r\n",
            _ => "\n",
        }
    }

    /// The files with all changes, by path.
    fn finish(self) -> Siblings {
        let mut written = Siblings::new();
        let originals = |number: usize, path: &str| match number {
            0 => self.input.bytes,
            _ => self.input.sibling(path).unwrap_or_default(),
        };
        for (number, path) in self.files.paths.iter().enumerate() {
            let Some(edits) = self.edits.get(&number) else {
                if number == 0 {
                    written.insert(path.clone(), originals(0, path).to_vec());
                }
                continue;
            };
            let original = originals(number, path);
            let text = self.texts.get(number).copied().unwrap_or_default();
            let mut edits = edits.clone();
            // Stable: texts for one position keep their order.
            edits.sort_by_key(|(range, _)| (range.start, range.end));

            let mut changed = String::new();
            let mut at = 0;
            for (range, new) in &edits {
                changed.push_str(text.get(at..range.start).unwrap_or_default());
                changed.push_str(new);
                at = range.end.max(at);
            }
            changed.push_str(text.get(at..).unwrap_or_default());

            let mark = original.len() - text.len();
            let mut bytes = original.get(..mark).unwrap_or_default().to_vec();
            bytes.extend_from_slice(changed.as_bytes());
            written.insert(path.clone(), bytes);
        }

        written
    }
}

#[cfg(test)]
mod tests;
