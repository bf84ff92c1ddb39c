//! The graph that a `uv.lock` gets, checked against the rules by which uv writes one.

use std::collections::{BTreeMap, BTreeSet};

use patchgate_model::Lockfile;

use super::document::{Document, Entry, Line, Written};
use super::entry::NewEntry;
use crate::pypi::marker::Marker;
use crate::pypi::name::normalize;
use crate::pypi::python_range::Interval;
use crate::pypi::version::Version;
use crate::pypi::written::check_sorted;
use crate::{Release, TargetGraph};

/// Most times that entries are written, until no entry asks for further extras of others.
const MAX_ROUNDS: usize = 8;

/// Condition of markers that uv does not apply to wheels.
const PYTHON: &str = "python_full_version ";

/// The extras that are asked for, by package.
type Asked = BTreeMap<String, BTreeSet<String>>;

/// The nodes of the graph with what the file says about them.
pub(super) struct Plan<'a> {
    pub(super) document: &'a Document,
    lockfile: &'a Lockfile,
    pub(super) target: &'a TargetGraph,
    /// Nodes by normal name.
    by_name: BTreeMap<String, Vec<usize>>,
}

impl<'a> Plan<'a> {
    /// # Errors
    /// If only a resolution for all environments decides about the change.
    pub(super) fn new(
        document: &'a Document,
        lockfile: &'a Lockfile,
        target: &'a TargetGraph,
    ) -> Result<Self, String> {
        let mut by_name: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (number, node) in target.nodes.iter().enumerate() {
            let name = normalize(&node.name).into_owned();
            by_name.entry(name).or_default().push(number);
        }
        let plan = Self {
            document,
            lockfile,
            target,
            by_name,
        };
        plan.check_copies()?;
        Ok(plan)
    }

    /// Checks that packages with a version for each of several environments keep these, in the same
    /// order.
    fn check_copies(&self) -> Result<(), String> {
        let mut before: BTreeMap<&str, usize> = BTreeMap::new();
        for entry in &self.document.entries {
            *before.entry(&entry.name).or_default() += 1;
        }
        let refused = |name: &str| {
            format!("`{name}` has a version for each of several environments, which would change")
        };
        for (name, nodes) in &self.by_name {
            let was = before.get(name.as_str()).copied().unwrap_or(0);
            if was <= 1 && nodes.len() <= 1 {
                continue;
            }
            let moves = nodes.iter().any(|node| self.release(*node).is_some());
            if was != nodes.len() {
                return Err(refused(name));
            }
            if !moves {
                continue;
            }
            let versions: Option<Vec<Version>> = nodes
                .iter()
                .map(|node| Version::parse(self.version(*node)?))
                .collect();
            let is_sorted = versions.is_some_and(|versions| versions.is_sorted_by(|a, b| a < b));
            let are_ranges = nodes.iter().all(|node| self.python_of(*node).is_some());
            if !is_sorted || !are_ranges {
                return Err(refused(name));
            }
        }
        for (name, count) in before {
            if count > 1 && !self.by_name.contains_key(name) {
                return Err(refused(name));
            }
        }
        Ok(())
    }

    /// The entries of the new file, in order.
    pub(super) fn entries(&self) -> Result<Vec<Written>, String> {
        let mut asked = self.asked(&BTreeMap::new());
        let before = asked_of(
            self.document
                .entries
                .iter()
                .flat_map(|entry| &entry.lines)
                .chain(&self.document.required),
        );
        let mut written = BTreeMap::new();
        for round in 0.. {
            written = self.write(&asked)?;
            let now = self.asked(&written);
            if now == asked {
                break;
            }
            if round == MAX_ROUNDS {
                return Err("the extras that are asked for are not certain".to_owned());
            }
            asked = now;
        }

        self.check_kept(&before, &asked)?;
        self.check_reach(&written)?;
        self.ordered(written)
    }

    /// The entries of all nodes that get a release.
    fn write(&self, asked: &Asked) -> Result<BTreeMap<usize, NewEntry>, String> {
        let mut written = BTreeMap::new();
        let none = BTreeSet::new();
        for (number, node) in self.target.nodes.iter().enumerate() {
            let Some(release) = &node.release else {
                continue;
            };
            let source = match self.entry_of(number) {
                Some(entry) if !entry.is_from_index || !entry.is_known => {
                    return Err(format!("the entry of `{}` cannot be written", entry.name));
                }
                Some(entry) => &entry.source,
                None => self.only_source()?,
            };
            let extras = asked.get(normalize(&node.name).as_ref()).unwrap_or(&none);
            written.insert(number, self.entry(number, release, source, extras)?);
        }
        Ok(written)
    }

    /// The source of every entry that is from an index.
    fn only_source(&self) -> Result<&str, String> {
        let from_index = self.document.entries.iter();
        let sources: BTreeSet<&str> = from_index
            .filter(|entry| entry.is_from_index)
            .map(|entry| entry.source.as_str())
            .collect();
        match sources.into_iter().collect::<Vec<_>>().as_slice() {
            [only] => Ok(only),
            _ => Err("the index of new packages is not certain".to_owned()),
        }
    }

    /// The extras that entries ask for.
    fn asked(&self, written: &BTreeMap<usize, NewEntry>) -> Asked {
        let nodes = 0..self.target.nodes.len();
        let lines = nodes.flat_map(|number| self.lines_of(number, written));
        asked_of(lines.chain(&self.document.required))
    }

    fn lines_of<'w>(&'w self, number: usize, written: &'w BTreeMap<usize, NewEntry>) -> &'w [Line] {
        match (written.get(&number), self.release(number)) {
            (Some(entry), _) => &entry.lines,
            // It was not written yet.
            (None, Some(_)) => &[],
            (None, None) => self.entry_of(number).map_or(&[], |entry| &entry.lines),
        }
    }

    /// Checks that the entries that stay list the extras that are asked for now.
    fn check_kept(&self, before: &Asked, after: &Asked) -> Result<(), String> {
        for (number, node) in self.target.nodes.iter().enumerate() {
            let name = normalize(&node.name);
            let is_kept = self.release(number).is_none();
            if is_kept && before.get(name.as_ref()) != after.get(name.as_ref()) {
                return Err(format!(
                    "other extras of `{name}` are asked for than before"
                ));
            }
        }
        Ok(())
    }

    /// Checks that every package is needed, and that uv lists its wheels for all platforms.
    fn check_reach(&self, written: &BTreeMap<usize, NewEntry>) -> Result<(), String> {
        let own = (0..self.target.nodes.len())
            .filter(|number| self.entry_of(*number).is_some_and(|entry| entry.is_own));
        let mut reached: BTreeMap<usize, bool> = own.map(|number| (number, true)).collect();
        for line in &self.document.required {
            for number in self.copies(&line.name) {
                reached.insert(number, true);
            }
        }

        let mut next: Vec<(usize, bool)> = reached.iter().map(|(at, all)| (*at, *all)).collect();
        while let Some((number, is_everywhere)) = next.pop() {
            for line in self.lines_of(number, written) {
                let all = is_everywhere && is_about_python(&line.marker);
                let mut copies = self.copies(&line.name);
                copies.retain(|copy| {
                    let version = line.version.as_deref();
                    version.is_none_or(|version| self.version(*copy) == Some(version))
                });
                for copy in copies {
                    let known = reached.get(&copy).copied();
                    if known.is_none() || (all && known == Some(false)) {
                        reached.insert(copy, all);
                        next.push((copy, all));
                    }
                }
            }
        }

        for (number, node) in self.target.nodes.iter().enumerate() {
            let everywhere = reached.get(&number).copied();
            let new = written.get(&number);
            let name = &node.name;
            match (everywhere, new) {
                (None, _) => return Err(format!("nothing would depend on `{name}`")),
                (Some(false), Some(new)) => {
                    let has_markers = new.lines.iter().any(|line| !is_about_python(&line.marker));
                    if !new.is_for_all_platforms || has_markers {
                        return Err(format!("`{name}` is not for all platforms"));
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// All entries, with new ones at their position by name and version.
    fn ordered(&self, mut written: BTreeMap<usize, NewEntry>) -> Result<Vec<Written>, String> {
        let names = self.document.entries.iter().map(|entry| &entry.name);
        check_sorted(names, self.target)?;

        let mut ordered: Vec<(String, Written)> = Vec::new();
        for (number, node) in self.target.nodes.iter().enumerate() {
            let name = normalize(&node.name).into_owned();
            let was = node.was.map(|was| was.0 as usize);
            let entry = match (written.remove(&number), was) {
                (Some(new), was) => Written::Changed {
                    text: new.text,
                    was,
                },
                (None, Some(was)) => Written::Kept(was),
                (None, None) => return Err(format!("the release of `{name}` is not known")),
            };
            let at = match was {
                Some(_) => ordered.len(),
                None => ordered.partition_point(|(known, _)| *known < name),
            };
            ordered.insert(at, (name, entry));
        }
        Ok(ordered.into_iter().map(|(_, entry)| entry).collect())
    }

    /// The nodes of a package.
    pub(super) fn copies(&self, name: &str) -> Vec<usize> {
        self.by_name.get(name).cloned().unwrap_or_default()
    }

    pub(super) fn version(&self, node: usize) -> Option<&str> {
        self.target.version(self.lockfile, node)
    }

    /// The environments of a node, of which the file has several versions.
    pub(super) fn environments(&self, node: usize) -> Option<Marker> {
        if let Some(python) = self.python_of(node) {
            return Some(Marker::for_python(&python));
        }
        self.stated_environments(node)
    }

    fn stated_environments(&self, node: usize) -> Option<Marker> {
        let mut all: Option<Marker> = None;
        for environment in &self.entry_of(node)?.environments {
            let one = Marker::parse(environment)?;
            all = Some(match all {
                Some(known) => known.or(one)?,
                None => one,
            });
        }
        all
    }

    /// The versions of Python of a node, of which the file has several versions.
    pub(super) fn python_of(&self, node: usize) -> Option<Vec<Interval>> {
        self.stated_environments(node)?.only_python()
    }

    /// The source of a version of a package.
    pub(super) fn source_of(&self, name: &str, version: &str) -> Option<&str> {
        let mut copies = self.copies(name).into_iter();
        let copy = copies.find(|copy| self.version(*copy) == Some(version))?;
        Some(&self.entry_of(copy)?.source)
    }

    fn release(&self, node: usize) -> Option<&Release> {
        self.target.nodes.get(node)?.release.as_ref()
    }

    pub(super) fn entry_of(&self, node: usize) -> Option<&Entry> {
        let was = self.target.nodes.get(node)?.was?;
        self.document.entries.get(was.0 as usize)
    }
}

fn asked_of<'l>(lines: impl Iterator<Item = &'l Line>) -> Asked {
    let mut asked = Asked::new();
    for line in lines.filter(|line| !line.extras.is_empty()) {
        let extras = line
            .extras
            .iter()
            .map(|extra| normalize(extra).into_owned());
        asked.entry(line.name.clone()).or_default().extend(extras);
    }
    asked
}

/// Whether a marker has conditions on Python's version only.
fn is_about_python(marker: &str) -> bool {
    marker.is_empty()
        || marker
            .split(" or ")
            .flat_map(|part| part.split(" and "))
            .all(|condition| condition.trim_matches(['(', ')']).starts_with(PYTHON))
}
