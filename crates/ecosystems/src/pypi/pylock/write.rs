//! Direct changes of a `pylock.toml` that `uv pip compile --universal` wrote.
//!
//! The format has no edges here, so the releases of all packages say what is still needed. Files of
//! other tools are refused: each writes the fields in a form of its own, and a file that was exported
//! from another lockfile is only changed there.

use std::collections::{BTreeMap, BTreeSet};

use patchgate_model::Lockfile;

use crate::line_ends::PlainText;
use crate::pypi::marker::{Applies, Marker};
use crate::pypi::name::normalize;
use crate::pypi::python_range::PythonRange;
use crate::pypi::raise::admits;
use crate::pypi::release_files;
use crate::pypi::uv_lock::{Files, Listed};
use crate::pypi::written::verify;
use crate::syntax::{Node, toml};
use crate::{
    Downloads, Input, LockfileWriter, Release, ReleaseFile, Siblings, TargetGraph, WriteError,
};

/// The writer of `pylock.toml`.
#[derive(Debug, Clone, Copy)]
pub(in crate::pypi) struct PylockWriter;

/// The line with which an entry begins.
const START: &str = "[[packages]]";

/// The keys of an entry that is written again.
const KEYS: [&str; 5] = ["name", "version", "marker", "sdist", "wheels"];

impl LockfileWriter for PylockWriter {
    /// Only files of `--universal` are written.
    fn locks_every_environment(&self, _lockfile: &Lockfile) -> bool {
        true
    }

    /// The files that state the direct dependencies.
    fn reads(&self, path: &str) -> bool {
        path.ends_with(".in") || path.ends_with(".txt")
    }

    /// What the packages need, so that none stays that nothing needs.
    fn needs_every_release(&self) -> bool {
        true
    }

    fn write(
        &self,
        input: &Input<'_>,
        lockfile: &Lockfile,
        target: &TargetGraph,
        _downloads: &Downloads,
    ) -> Result<Siblings, WriteError> {
        let bytes = match is_unchanged(lockfile, target) {
            true => input.bytes.to_vec(),
            false => {
                write(input, lockfile, target).map_err(|reason| WriteError::new(input, reason))?
            }
        };
        Ok(Siblings::from([(input.path.to_owned(), bytes)]))
    }
}

/// Whether every package stays as it is. A package that stays may have its release in the graph.
fn is_unchanged(lockfile: &Lockfile, target: &TargetGraph) -> bool {
    target.nodes.len() == lockfile.packages.len()
        && (0..target.nodes.len()).all(|number| !moves(lockfile, target, number))
}

fn moves(lockfile: &Lockfile, target: &TargetGraph, number: usize) -> bool {
    let was = target.nodes.get(number).and_then(|node| node.was);
    let was = was.and_then(|was| lockfile.package(was));
    was.map(|was| was.version.as_str()) != target.version(lockfile, number)
}

fn write(input: &Input<'_>, lockfile: &Lockfile, target: &TargetGraph) -> Result<Vec<u8>, String> {
    let plain = PlainText::of(input)?;
    let file = toml(&plain.text).map_err(|error| error.reason)?;
    let direct = direct(input, &plain.text, &file)?;
    let python = file.get("requires-python").and_then(Node::text);
    let python = python.and_then(PythonRange::parse);
    let python = python.ok_or("its versions of Python are not certain")?;

    let (header, entries) = cut(&plain.text);
    let listed = file
        .optional_list("packages")
        .map_err(|error| error.reason)?;
    let is_whole = listed.len() == entries.len() && entries.len() == lockfile.packages.len();
    if !is_whole || !lockfile.skipped.is_empty() {
        return Err("it has entries that cannot be read".to_owned());
    }
    let mut change = Change {
        lockfile,
        target,
        listed,
        python,
        by_name: by_name(lockfile, target)?,
        has_times: plain.text.contains(" upload-time = "),
        new_markers: BTreeMap::new(),
    };
    change.new_markers = change.check(&direct)?;

    let mut texts: Vec<(String, String)> = Vec::new();
    for (number, node) in target.nodes.iter().enumerate() {
        let was = node.was.map(|was| was.0 as usize);
        let name = normalize(&node.name).into_owned();
        let text = match (moves(lockfile, target, number), was) {
            (false, Some(was)) => entries.get(was).cloned().unwrap_or_default(),
            _ => change.entry(number)?,
        };
        let at = match was {
            Some(_) => texts.len(),
            None => texts.partition_point(|(known, _)| *known < name),
        };
        texts.insert(at, (name, text));
    }
    let texts: Vec<String> = texts.into_iter().map(|(_, text)| text).collect();
    let mut text = header + &texts.join("\n");
    if !plain.text.ends_with('\n') {
        text.truncate(text.trim_end_matches('\n').len());
    }
    verify(input, &text, super::parse, lockfile, target)?;
    Ok(plain.restore(&text))
}

/// The text before the first entry, and the entries without the blank lines between them.
fn cut(text: &str) -> (String, Vec<String>) {
    let mut header = String::new();
    let mut entries: Vec<String> = Vec::new();
    for line in text.lines() {
        if line == START {
            entries.push(String::new());
        }
        match entries.last_mut() {
            None => header.push_str(&format!("{line}\n")),
            Some(_) if line.is_empty() => {}
            Some(entry) => entry.push_str(&format!("{line}\n")),
        }
    }
    (header, entries)
}

/// The normal names in the files from which uv computed the lockfile.
///
/// # Errors
/// If another tool wrote it, or the files are not known.
fn direct(input: &Input<'_>, text: &str, file: &Node<'_>) -> Result<BTreeSet<String>, String> {
    if file.get("created-by").and_then(Node::text) != Some("uv") {
        return Err("it was not written by uv".to_owned());
    }
    let comments: String = text
        .lines()
        .map_while(|line| line.strip_prefix('#'))
        .collect();
    let command = comments.split_once("uv pip compile ").map(|(_, rest)| rest);
    let command = command.ok_or("it is exported from another lockfile")?;
    if !command.split_whitespace().any(|word| word == "--universal") {
        return Err("it is for one platform".to_owned());
    }
    // They decide which files are listed.
    let is_limit = |word: &str| word.contains("-binary") || word.contains("no-build");
    if let Some(option) = command.split_whitespace().find(|word| is_limit(word)) {
        return Err(format!("it was computed with `{option}`"));
    }

    let mut names = BTreeSet::new();
    let mut count = 0;
    for word in command.split_whitespace() {
        let is_file = [".in", ".txt", ".toml"]
            .iter()
            .any(|end| word.ends_with(end));
        if !is_file || word.starts_with('-') {
            continue;
        }
        let path = input.beside(word);
        let is_own = path == input.path;
        let Some(bytes) = input.sibling(&path).filter(|_| !is_own) else {
            continue;
        };
        count += 1;
        let text = String::from_utf8_lossy(bytes);
        let is_part = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        let words = text.split(|c: char| !is_part(c));
        names.extend(words.map(|word| normalize(word).into_owned()));
    }
    match count {
        0 => Err("the files that it was computed from are not known".to_owned()),
        _ => Ok(names),
    }
}

/// The nodes by normal name.
fn by_name(lockfile: &Lockfile, target: &TargetGraph) -> Result<BTreeMap<String, usize>, String> {
    let mut names = BTreeMap::new();
    let mut several = BTreeSet::new();
    for (number, node) in target.nodes.iter().enumerate() {
        let name = normalize(&node.name).into_owned();
        if names.insert(name.clone(), number).is_some() {
            several.insert(name);
        }
    }
    for number in 0..target.nodes.len() {
        let name = target.nodes.get(number).map(|node| normalize(&node.name));
        let name = name.unwrap_or_default();
        if several.contains(name.as_ref()) && moves(lockfile, target, number) {
            return Err(format!(
                "`{name}` has a version for each of several environments"
            ));
        }
    }
    Ok(names)
}

struct Change<'a> {
    lockfile: &'a Lockfile,
    target: &'a TargetGraph,
    /// The entries of the file before.
    listed: &'a [Node<'a>],
    python: PythonRange,
    by_name: BTreeMap<String, usize>,
    has_times: bool,
    /// The markers of new packages.
    new_markers: BTreeMap<usize, String>,
}

impl Change<'_> {
    fn release(&self, number: usize) -> Option<&Release> {
        self.target.nodes.get(number)?.release.as_ref()
    }

    /// The marker of an entry. That of a new package follows from its dependents.
    fn marker(&self, number: usize) -> &str {
        if let Some(marker) = self.new_markers.get(&number) {
            return marker;
        }
        let was = self.target.nodes.get(number).and_then(|node| node.was);
        let entry = was.and_then(|was| self.listed.get(was.0 as usize));
        let marker = entry.and_then(|entry| entry.get("marker"));
        marker.and_then(Node::text).unwrap_or_default()
    }

    /// Checks that markers stay, and that every package is needed. Returns the markers of new
    /// packages: the condition under which unconditional packages need them.
    fn check(&self, direct: &BTreeSet<String>) -> Result<BTreeMap<usize, String>, String> {
        let mut new_markers: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
        let mut needed: BTreeSet<String> = direct.clone();
        for (number, node) in self.target.nodes.iter().enumerate() {
            let Some(release) = self.release(number) else {
                continue;
            };
            let is_new = moves(self.lockfile, self.target, number);
            for requirement in &release.requirements {
                let name = normalize(&requirement.name).into_owned();
                let marker = Marker::parse(&requirement.condition);
                let unclear = || {
                    format!(
                        "the condition of `{name}` in `{}` is not certain",
                        node.name
                    )
                };
                let parts = marker.ok_or_else(unclear)?.by_extra();
                // Extras that are asked for are not listed, so what they need counts as needed.
                let to = self.by_name.get(&name).copied();
                let Some(base) = parts.get("") else {
                    needed.insert(name);
                    continue;
                };
                let applies = base.applies(&self.python).ok_or_else(unclear)?;
                if applies == Applies::Never {
                    continue;
                }
                if !is_new {
                    needed.insert(name);
                    continue;
                }

                let to = to.ok_or_else(|| format!("it needs `{name}`, which has no version"))?;
                let (own, other) = (self.marker(number), self.marker(to));
                let is_new_too = self.target.nodes.get(to).is_some_and(|to| to.was.is_none());
                if is_new_too {
                    let text = match &applies {
                        Applies::When(text) => text.clone(),
                        _ => String::new(),
                    };
                    new_markers.entry(to).or_default().insert(text);
                }
                let was_new = node.was.is_none();
                let is_alike = match (&applies, is_new_too) {
                    (Applies::When(_), true) => own.is_empty() && !was_new,
                    (Applies::When(_), false) => other.is_empty(),
                    (_, true) => own.is_empty(),
                    (_, false) => other.is_empty() || other == own,
                };
                if !is_alike {
                    return Err(format!(
                        "the environments that need `{name}` are not certain"
                    ));
                }
                let version = self.target.version(self.lockfile, to).unwrap_or_default();
                let wanted = &requirement.requirement;
                if !wanted.is_empty() && admits(wanted, version) != Ok(true) {
                    return Err(format!("it needs `{name}` in {wanted}"));
                }
                needed.insert(name);
            }
        }

        if let Some(name) = self.by_name.keys().find(|name| !needed.contains(*name)) {
            return Err(format!("nothing would depend on `{name}`"));
        }
        self.one_marker_each(new_markers)
    }

    /// The only marker of each new package.
    ///
    /// # Errors
    /// If uv would join several, or inherit one.
    fn one_marker_each(
        &self,
        new_markers: BTreeMap<usize, BTreeSet<String>>,
    ) -> Result<BTreeMap<usize, String>, String> {
        let name = |number: usize| self.target.nodes.get(number).map_or("", |node| &node.name);
        let mut markers = BTreeMap::new();
        for (number, texts) in new_markers {
            let mut texts = texts.into_iter();
            let (Some(text), None) = (texts.next(), texts.next()) else {
                let name = name(number);
                return Err(format!(
                    "the environments that need `{name}` are not certain"
                ));
            };
            markers.insert(number, text);
        }

        let has_marker = |number: &usize| markers.get(number).is_some_and(|text| !text.is_empty());
        for (number, node) in self.target.nodes.iter().enumerate() {
            let inherits = |edge: &&crate::TargetEdge| markers.contains_key(&edge.to);
            let heir = node.edges.iter().find(inherits);
            if let Some(heir) = heir.filter(|_| has_marker(&number)) {
                let name = name(heir.to);
                return Err(format!(
                    "the environments that need `{name}` are not certain"
                ));
            }
        }
        Ok(markers)
    }

    /// The entry of a package that gets another release.
    fn entry(&self, number: usize) -> Result<String, String> {
        let node = self.target.nodes.get(number);
        let was = node.and_then(|node| node.was);
        let name = node.map(|node| normalize(&node.name)).unwrap_or_default();
        let release = self.release(number);
        let release = release.ok_or_else(|| format!("the release of `{name}` is not known"))?;
        release_files::check(&name, &release.version)?;
        let before = was.and_then(|was| self.listed.get(was.0 as usize));
        let is_known = |(key, _): &(crate::syntax::Key<'_>, Node<'_>)| KEYS.contains(&&*key.name);
        let is_usual = before.is_none_or(|before| before.entries().iter().all(is_known));
        let indexed = self.listed.iter().any(|entry| entry.get("index").is_some());
        if !is_usual || indexed {
            return Err(format!("the entry of `{name}` cannot be written"));
        }
        if let Some(runtime) = &release.runtime {
            let range = PythonRange::parse(runtime);
            if !range.is_some_and(|range| range.starts_before(&self.python)) {
                return Err(format!("`{name}` needs Python `{runtime}`"));
            }
        }

        let own = |reason: String| format!("`{name}`: {reason}");
        let files = Files::of(release, &self.python).map_err(own)?;
        let mut text = format!(
            "{START}\nname = \"{name}\"\nversion = \"{}\"\n",
            release.version
        );
        let marker = self.marker(number);
        if marker.contains(['"', '\\']) {
            return Err(format!("the marker of `{name}` is unusual"));
        }
        if !marker.is_empty() {
            text.push_str(&format!("marker = \"{marker}\"\n"));
        }
        if let Some(archive) = files.archive {
            text.push_str(&format!("sdist = {}\n", self.file(archive)?));
        }
        match &files.wheels[..] {
            [] => {}
            [only] => text.push_str(&format!("wheels = [{}]\n", self.file(only)?)),
            several => {
                text.push_str("wheels = [\n");
                for wheel in several {
                    text.push_str(&format!("    {},\n", self.file(wheel)?));
                }
                text.push_str("]\n");
            }
        }
        Ok(text)
    }

    fn file(&self, file: &ReleaseFile) -> Result<String, String> {
        let listed = Listed::of(file)?;
        let mut text = format!("{{ url = \"{}\"", listed.url);
        // uv cuts times to seconds here.
        let time = listed.time.filter(|_| self.has_times);
        if let Some(second) = time.as_deref().and_then(|time| time.get(..19)) {
            text.push_str(&format!(", upload-time = {second}Z"));
        }
        if let Some(size) = listed.size {
            text.push_str(&format!(", size = {size}"));
        }
        text.push_str(&format!(", hashes = {{ sha256 = \"{}\" }} }}", listed.hash));
        Ok(text)
    }
}

#[cfg(test)]
mod tests;
