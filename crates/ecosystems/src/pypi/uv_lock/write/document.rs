//! The text of a `uv.lock`, cut into its entries.

use std::collections::BTreeMap;

use patchgate_model::{Edge, Lockfile};

use crate::pypi::canonical::canonical;
use crate::pypi::name::normalize;
use crate::pypi::python_range::PythonRange;
use crate::pypi::version::Version;
use crate::syntax::{Node, toml};
use crate::{TargetEdge, TargetGraph};

/// The line that starts an entry.
const START: &str = "[[package]]\n";

/// Keys of an entry of an index. An entry with others is not written again.
const KEYS: [&str; 8] = [
    "name",
    "version",
    "source",
    "resolution-markers",
    "dependencies",
    "sdist",
    "wheels",
    "optional-dependencies",
];

/// Keys at the top of a file whose effect on a package is not computed.
const REFUSED: [&str; 2] = ["conflicts", "supported-markers"];

/// A `uv.lock`.
pub(super) struct Document {
    /// The text before the first entry.
    header: String,
    /// The entries, in the order of [`Lockfile::packages`].
    pub(super) entries: Vec<Entry>,
    /// The versions of Python that the project supports.
    pub(super) python: PythonRange,
    /// Whether entries state the time of upload of their files.
    pub(super) has_times: bool,
    /// Releases of this time and later are not used, where the file states it.
    pub(super) exclude_newer: Option<String>,
    /// Names that the file itself requires, with their extras.
    pub(super) required: Vec<Line>,
    /// Whether the lines of a version for some environments repeat these, as uv before 0.12 wrote
    /// them. `None` if no line says so.
    pub(super) repeats_environments: Option<bool>,
}

/// One entry of the file.
#[derive(Debug, Clone, Default)]
pub(super) struct Entry {
    text: String,
    pub(super) name: String,
    pub(super) version: String,
    /// The value of `source`, as text.
    pub(super) source: String,
    /// Whether the package is from an index.
    pub(super) is_from_index: bool,
    /// Whether it is a directory of the repository.
    pub(super) is_own: bool,
    /// Whether all of its keys can be written.
    pub(super) is_known: bool,
    /// The environments of this version, if the package has several.
    pub(super) environments: Vec<String>,
    /// Everything that it depends on.
    pub(super) lines: Vec<Line>,
}

/// One dependency of an entry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) name: String,
    pub(super) version: Option<String>,
    pub(super) extras: Vec<String>,
    pub(super) marker: String,
}

impl Document {
    /// Cuts a file. `text` has line ends of one character.
    pub(super) fn read(text: &str, lockfile: &Lockfile) -> Result<Self, String> {
        let file = toml(text).map_err(|error| error.reason)?;
        if !lockfile.skipped.is_empty() {
            return Err("it has entries that cannot be read".to_owned());
        }
        if let Some(key) = REFUSED.iter().find(|key| file.get(key).is_some()) {
            return Err(format!("it has `{key}`"));
        }
        let python = file
            .get("requires-python")
            .and_then(Node::text)
            .and_then(PythonRange::parse)
            .ok_or("its versions of Python are not certain")?;
        let revision = file.get("revision").and_then(Node::scalar);
        let revision: u32 = revision.unwrap_or("0").parse().unwrap_or(0);

        let (header, texts) = cut(text);
        let nodes = file.get("package").map(Node::items).unwrap_or_default();
        if nodes.len() != texts.len() || nodes.len() != lockfile.packages.len() {
            return Err("its entries are not cut by lines".to_owned());
        }
        let mut entries = Vec::new();
        for ((node, text), package) in nodes.iter().zip(texts).zip(&lockfile.packages) {
            let entry = Entry::read(node, text)?;
            let is_same = entry.name == package.name && entry.version == package.version;
            if !is_same || !text.starts_with(&format!("{START}name = \"{}\"\n", entry.name)) {
                return Err("its entries are not cut by lines".to_owned());
            }
            entries.push(entry);
        }

        let options = file.get("options");
        let exclude_newer = options.and_then(|options| options.get("exclude-newer"));
        let mut required = Vec::new();
        if let Some(manifest) = file.get("manifest") {
            let groups = manifest.get("dependency-groups").map(Node::entries);
            let groups = groups.unwrap_or_default().iter().map(|(_, group)| group);
            for list in manifest.get("requirements").into_iter().chain(groups) {
                required.extend(list.items().iter().map(Line::read));
            }
        }

        let forks = entries.iter().filter(|one| !one.environments.is_empty());
        let mut of_forks = forks.flat_map(|one| &one.lines).peekable();
        let has_lines = of_forks.peek().is_some();
        let repeats_environments = has_lines.then(|| of_forks.all(|line| !line.marker.is_empty()));

        Ok(Self {
            header: header.to_owned(),
            repeats_environments,
            entries,
            python,
            has_times: revision >= 2,
            exclude_newer: exclude_newer.and_then(Node::text).map(str::to_owned),
            required,
        })
    }

    /// Takes over the new requirements of the projects, which the file repeats.
    pub(super) fn change_requirements(
        &mut self,
        lockfile: &Lockfile,
        target: &TargetGraph,
    ) -> Result<(), String> {
        for (root, edges) in lockfile.roots.iter().zip(&target.roots) {
            let mut changes = BTreeMap::new();
            for old in &root.edges {
                if let Some((from, to)) = changed(old, edges) {
                    changes.insert((old.name.to_string(), from.to_owned()), to.to_owned());
                }
            }
            let entry = self
                .entries
                .iter_mut()
                .find(|entry| entry.is_own && entry.name == root.name);
            let text = match entry {
                Some(entry) => &mut entry.text,
                None if root.name.is_empty() => &mut self.header,
                None => return Err(format!("`{}` has no entry", root.name)),
            };
            for ((name, from), to) in changes {
                *text = with_requirement(text, &name, &from, &specifier(&to)?)?;
            }
        }
        Ok(())
    }

    /// Takes over the new versions of packages with several, which their dependents name.
    pub(super) fn change_copies(&mut self, lockfile: &Lockfile, target: &TargetGraph) {
        let moved = target.nodes.iter().filter_map(|node| {
            let package = lockfile.package(node.was?)?;
            let to = &node.release.as_ref()?.version;
            Some((normalize(&package.name), &package.version, to))
        });
        for (name, from, to) in moved {
            let stated = |version: &str| format!("{{ name = \"{name}\", version = \"{version}\", ");
            for entry in &mut self.entries {
                entry.text = entry.text.replace(&stated(from), &stated(to));
                for line in &mut entry.lines {
                    if line.name == name && line.version.as_ref() == Some(from) {
                        line.version = Some(to.clone());
                    }
                }
            }
        }
    }

    /// The file with these entries: the index of one that stays, or a new text with the name and
    /// version by which it is sorted.
    pub(super) fn assemble(&self, entries: Vec<Written>) -> String {
        let end = self.entries.last().map_or("\n", |entry| entry.parts().1);
        let mut text = self.header.clone();
        let count = entries.len();
        for (number, written) in (1..).zip(entries) {
            let (body, gap) = match &written {
                Written::Kept(index) => match self.entries.get(*index) {
                    Some(entry) => entry.parts(),
                    None => continue,
                },
                Written::Changed { text, was } => {
                    let old = was.and_then(|was| self.entries.get(was));
                    (text.as_str(), old.map_or("\n\n", |old| old.parts().1))
                }
            };
            text.push_str(body);
            text.push_str(match (number == count, gap.len() > 1) {
                (true, _) => end,
                (false, true) => gap,
                (false, false) => "\n\n",
            });
        }
        text
    }
}

/// One entry of a written file.
pub(super) enum Written {
    /// An entry that keeps its text, by its index.
    Kept(usize),
    /// A new text, for the entry with this index or for a new one.
    Changed { text: String, was: Option<usize> },
}

impl Entry {
    /// The lines that state the environments of a version.
    pub(super) fn environment_lines(&self) -> String {
        let lines = self.environments.iter();
        let lines: String = lines.map(|one| format!("    \"{one}\",\n")).collect();
        match lines.is_empty() {
            true => String::new(),
            false => format!("resolution-markers = [\n{lines}]\n"),
        }
    }

    fn read(node: &Node<'_>, text: &str) -> Result<Self, String> {
        let field = |key: &str| {
            let value = node.get(key).and_then(Node::text);
            value.unwrap_or_default().to_owned()
        };
        let source = text.lines().find_map(|line| line.strip_prefix("source = "));
        let source = source.ok_or("its entries are not cut by lines")?;
        let from = |keys: &[&str]| {
            let table = node.get("source");
            table.is_some_and(|table| keys.iter().any(|key| table.get(key).is_some()))
        };
        let list = |key: &str| node.get(key).map(Node::items).unwrap_or_default();

        let mut lines: Vec<Line> = list("dependencies").iter().map(Line::read).collect();
        for (_, group) in node
            .get("optional-dependencies")
            .map(Node::entries)
            .unwrap_or_default()
        {
            lines.extend(group.items().iter().map(Line::read));
        }
        for (_, group) in node
            .get("dev-dependencies")
            .map(Node::entries)
            .unwrap_or_default()
        {
            lines.extend(group.items().iter().map(Line::read));
        }

        Ok(Self {
            text: text.to_owned(),
            name: field("name"),
            version: field("version"),
            source: source.to_owned(),
            is_from_index: from(&["registry"]),
            is_own: from(&["editable", "virtual", "directory"]),
            is_known: node
                .entries()
                .iter()
                .all(|(key, _)| KEYS.contains(&&*key.name)),
            environments: list("resolution-markers")
                .iter()
                .filter_map(Node::text)
                .map(str::to_owned)
                .collect(),
            lines,
        })
    }

    /// The text without the line ends after it, and those.
    fn parts(&self) -> (&str, &str) {
        self.text.split_at(self.text.trim_end_matches('\n').len())
    }
}

impl Line {
    fn read(node: &Node<'_>) -> Self {
        let field = |key: &str| node.get(key).and_then(Node::text).map(str::to_owned);
        let extras = node.get("extra").or(node.get("extras")).map(Node::items);
        Self {
            name: field("name").unwrap_or_default(),
            version: field("version"),
            extras: extras
                .unwrap_or_default()
                .iter()
                .filter_map(Node::text)
                .map(str::to_owned)
                .collect(),
            marker: field("marker").unwrap_or_default(),
        }
    }
}

/// The text before the first entry, and the entries.
fn cut(text: &str) -> (&str, Vec<&str>) {
    let mut starts: Vec<usize> = text
        .match_indices(START)
        .map(|(at, _)| at)
        .filter(|at| *at == 0 || text.get(..*at).is_some_and(|before| before.ends_with('\n')))
        .collect();
    let first = starts.first().copied().unwrap_or(text.len());
    starts.push(text.len());

    let entries = starts.windows(2).filter_map(|range| match range {
        [start, end] => text.get(*start..*end),
        _ => None,
    });
    (text.get(..first).unwrap_or_default(), entries.collect())
}

/// The old and the new requirement of a root's dependency, if they differ.
fn changed<'a>(old: &'a Edge, new: &'a [TargetEdge]) -> Option<(&'a str, &'a str)> {
    let from = old.requirement.as_deref()?;
    let new = new
        .iter()
        .find(|new| new.name == *old.name && new.kind == old.kind)?;
    let to = new.requirement.as_deref()?;
    (from != to).then_some((from, to))
}

/// A text in which requirements on a package are another one.
fn with_requirement(text: &str, name: &str, from: &str, to: &str) -> Result<String, String> {
    let name = normalize(name);
    let (start, old) = (
        format!("{{ name = \"{name}\", "),
        format!("specifier = \"{from}\""),
    );
    let mut changed = String::new();
    let mut count = 0;
    for line in text.split_inclusive('\n') {
        let mut rest = line;
        while let Some((before, after)) = rest.split_once(start.as_str()) {
            let table = after.find('}').unwrap_or(after.len());
            let (table, after) = after.split_at(table);
            changed.push_str(before);
            changed.push_str(&start);
            if table.contains(&old) {
                count += 1;
                changed.push_str(&table.replace(&old, &format!("specifier = \"{to}\"")));
            } else {
                changed.push_str(table);
            }
            rest = after;
        }
        changed.push_str(rest);
    }

    match count {
        0 => Err(format!("it does not have the requirement on `{name}`")),
        _ => Ok(changed),
    }
}

/// A requirement as uv writes it: clauses sorted by version, without spaces.
fn specifier(requirement: &str) -> Result<String, String> {
    let mut clauses = Vec::new();
    for clause in requirement.split(',').map(str::trim) {
        let end = clause.find(|c: char| !"<>=!~".contains(c)).unwrap_or(0);
        let (operator, version) = clause.split_at(end);
        let (version, wildcard) = match version.trim().strip_suffix(".*") {
            Some(version) => (version, ".*"),
            None => (version.trim(), ""),
        };
        let is_canonical = canonical(version).as_deref() == Some(version);
        let parsed = Version::parse(version).filter(|_| is_canonical && !operator.is_empty());
        let parsed = parsed.ok_or_else(|| format!("the requirement `{clause}` is not certain"))?;
        clauses.push((parsed, format!("{operator}{version}{wildcard}")));
    }
    clauses.sort_by(|(one, _), (two, _)| one.cmp(two));
    let clauses: Vec<String> = clauses.into_iter().map(|(_, clause)| clause).collect();
    Ok(clauses.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requirements_are_written_as_uv_does() {
        assert_eq!(specifier("<3, >=1.10").as_deref(), Ok(">=1.10,<3"));
        assert_eq!(specifier("~= 1.4").as_deref(), Ok("~=1.4"));
        assert_eq!(specifier("==1.*").as_deref(), Ok("==1.*"));
        assert!(specifier("1.0").is_err());
        assert!(specifier(">=v1").is_err());
    }

    #[test]
    fn only_the_requirement_on_the_package_changes() {
        let text = "requires-dist = [{ name = \"a\", specifier = \">=1\" }, { name = \"b\", marker = \"x\", specifier = \">=1\" }]\n";
        let changed = with_requirement(text, "B", ">=1", ">=2").unwrap();
        assert_eq!(
            changed,
            text.replace("\"x\", specifier = \">=1\"", "\"x\", specifier = \">=2\"")
        );
        assert!(with_requirement(text, "a", ">=3", ">=4").is_err());
    }
}
