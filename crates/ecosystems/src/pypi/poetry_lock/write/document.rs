//! The text of a `poetry.lock`, cut into its entries.

use std::collections::BTreeMap;

use patchgate_model::Lockfile;

use crate::pypi::name::normalize;
use crate::pypi::python_range::PythonRange;
use crate::syntax::{Node, toml};

/// The line that starts an entry.
const START: &str = "[[package]]\n";

/// The tables after the entries.
const ENDS: [&str; 2] = ["\n[extras]\n", "\n[metadata]\n"];

/// Keys of an entry. An entry with others is not written again.
const KEYS: [&str; 11] = [
    "name",
    "version",
    "description",
    "optional",
    "python-versions",
    "groups",
    "markers",
    "files",
    "dependencies",
    "extras",
    "source",
];

/// A `poetry.lock` of version 2.
pub(super) struct Document {
    header: String,
    /// The entries, in the order of [`Lockfile::packages`].
    pub(super) entries: Vec<Entry>,
    /// The tables after the entries, with the empty line before them.
    tail: String,
    /// The value of `content-hash`.
    hash: String,
    /// The versions of Python that the project supports.
    pub(super) python: PythonRange,
    /// Whether entries state their groups.
    pub(super) has_groups: bool,
}

/// One entry of the file.
#[derive(Debug, Clone, Default)]
pub(super) struct Entry {
    /// The text without line ends after it.
    pub(super) text: String,
    pub(super) name: String,
    pub(super) version: String,
    pub(super) groups: Vec<String>,
    /// Whether the entry has a condition of its own.
    pub(super) has_markers: bool,
    pub(super) is_optional: bool,
    /// Whether the package is from an index, and all of its keys can be written.
    pub(super) is_known: bool,
    /// The table `package.source`, with the empty line before it.
    pub(super) source: String,
    /// The lines of its dependencies, by normal name.
    pub(super) lines: BTreeMap<String, String>,
    /// The extras of dependencies that it asks for, as `name[extra]`.
    pub(super) asked: Vec<String>,
}

impl Document {
    /// Cuts a file. `text` has line ends of one character.
    pub(super) fn read(text: &str, lockfile: &Lockfile) -> Result<Self, String> {
        let file = toml(text).map_err(|error| error.reason)?;
        let metadata = file.get("metadata").ok_or("it has no metadata")?;
        let field = |key: &str| metadata.get(key).and_then(Node::text).unwrap_or_default();
        let version = field("lock-version");
        if !version.starts_with("2.") {
            return Err(format!("its version {version} is not written"));
        }
        if !lockfile.skipped.is_empty() {
            return Err("it has entries that cannot be read".to_owned());
        }
        let python = PythonRange::parse(field("python-versions"))
            .ok_or("its versions of Python are not certain")?;

        let uncut = || "its entries are not cut by lines".to_owned();
        let end = ENDS.iter().filter_map(|end| text.find(end)).min();
        let (listed, tail) = text.split_at(end.ok_or_else(uncut)?);
        let starts: Vec<usize> = listed.match_indices(START).map(|(at, _)| at).collect();
        let first = starts.first().copied().ok_or_else(uncut)?;
        let nodes = file.get("package").map(Node::items).unwrap_or_default();
        if nodes.len() != starts.len() || nodes.len() != lockfile.packages.len() {
            return Err(uncut());
        }

        let mut entries = Vec::new();
        let ends = starts.iter().skip(1).copied().chain([listed.len()]);
        for (((start, end), node), package) in
            starts.iter().zip(ends).zip(nodes).zip(&lockfile.packages)
        {
            let whole = listed.get(*start..end).ok_or_else(uncut)?;
            let text = whole.trim_end_matches('\n');
            let entry = Entry::read(node, text);
            let is_last = end == listed.len();
            let is_cut = text.starts_with(&format!("{START}name = \"{}\"\n", package.name));
            let gap = whole.len() - text.len();
            let is_same = entry.name == package.name && entry.version == package.version;
            if !is_cut || !is_same || gap != if is_last { 1 } else { 2 } {
                return Err(uncut());
            }
            entries.push(entry);
        }

        Ok(Self {
            header: listed.get(..first).unwrap_or_default().to_owned(),
            entries,
            tail: tail.to_owned(),
            hash: field("content-hash").to_owned(),
            python,
            has_groups: version != "2.0",
        })
    }

    pub(super) fn hash(&self) -> &str {
        &self.hash
    }

    pub(super) fn set_hash(&mut self, hash: &str) {
        let old = format!("content-hash = \"{}\"", self.hash);
        self.tail = self
            .tail
            .replace(&old, &format!("content-hash = \"{hash}\""));
    }

    /// The file with these entries.
    pub(super) fn assemble(&self, entries: Vec<String>) -> String {
        format!("{}{}\n{}", self.header, entries.join("\n\n"), self.tail)
    }
}

impl Entry {
    fn read(node: &Node<'_>, text: &str) -> Self {
        let field = |key: &str| node.get(key).and_then(Node::text).unwrap_or_default();
        let source = text.find("\n\n[package.source]\n");
        let kind = node.get("source").and_then(|source| source.get("type"));
        let is_from_index = match node.get("source") {
            None => true,
            Some(_) => kind.and_then(Node::text) == Some("legacy"),
        };

        let mut lines = BTreeMap::new();
        let mut asked = Vec::new();
        let dependencies = node.get("dependencies").map(Node::entries);
        for (key, value) in dependencies.unwrap_or_default() {
            let name = normalize(&key.name).into_owned();
            let start = format!("{} = ", key.name);
            let line = text.lines().find(|line| line.starts_with(&start));
            let value_text = line.and_then(|line| line.strip_prefix(&start));
            lines.insert(name.clone(), value_text.unwrap_or_default().to_owned());
            for part in std::iter::once(value).chain(value.items()) {
                let extras = part.get("extras").map(Node::items).unwrap_or_default();
                asked.extend(
                    extras
                        .iter()
                        .filter_map(Node::text)
                        .map(|extra| format!("{name}[{}]", normalize(extra))),
                );
            }
        }

        Self {
            text: text.to_owned(),
            name: field("name").to_owned(),
            version: field("version").to_owned(),
            groups: node
                .get("groups")
                .map(Node::items)
                .unwrap_or_default()
                .iter()
                .filter_map(Node::text)
                .map(str::to_owned)
                .collect(),
            has_markers: node.get("markers").is_some(),
            is_optional: node.get("optional").and_then(Node::bool) != Some(false),
            is_known: is_from_index
                && node
                    .entries()
                    .iter()
                    .all(|(key, _)| KEYS.contains(&&*key.name)),
            source: source
                .and_then(|at| text.get(at..))
                .unwrap_or_default()
                .to_owned(),
            lines,
            asked,
        }
    }

    /// The line of a key before the files, with its line end. Empty if the entry does not have it.
    pub(super) fn line(&self, key: &str) -> String {
        let start = format!("{key} = ");
        let lines = self.text.lines().take_while(|line| *line != "files = [");
        let mut found = lines.filter(|line| line.starts_with(&start));
        found
            .next()
            .map_or_else(String::new, |line| format!("{line}\n"))
    }

    /// The extras of the package of which it lists the dependencies: those that it names in markers of
    /// optional dependencies.
    pub(super) fn is_asked_for(&self, extra: &str) -> bool {
        let sign = format!("extra == \\\"{extra}\\\"");
        self.lines.values().any(|line| line.contains(&sign))
    }
}
