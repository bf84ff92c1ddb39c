//! The entries of the new file, and the checks that groups and environments of packages stay.

use std::collections::{BTreeMap, BTreeSet};

use super::document::{Document, Entry};
use super::entry::{Lines, Place, lines, text};
use crate::TargetGraph;
use crate::pypi::manifest::DEFAULT_GROUP;
use crate::pypi::name::normalize;
use crate::pypi::written::check_sorted;

/// The entries of the new file, in order.
pub(super) fn entries(document: &Document, target: &TargetGraph) -> Result<Vec<String>, String> {
    let plan = Plan::new(document, target)?;
    let written = plan.lines()?;
    plan.check_asked(&written)?;
    for (number, new) in &written {
        plan.check_dependencies(*number, new, &written)?;
    }
    plan.check_needed(&written)?;
    plan.ordered(&written)
}

struct Plan<'a> {
    document: &'a Document,
    target: &'a TargetGraph,
    /// The nodes by normal name, of which each has one.
    by_name: BTreeMap<String, usize>,
}

impl<'a> Plan<'a> {
    fn new(document: &'a Document, target: &'a TargetGraph) -> Result<Self, String> {
        let mut by_name = BTreeMap::new();
        for (number, node) in target.nodes.iter().enumerate() {
            let name = normalize(&node.name).into_owned();
            let is_second = by_name.insert(name.clone(), number).is_some();
            if is_second && node.release.is_some() {
                return Err(format!("`{name}` has several versions"));
            }
        }
        let mut seen = BTreeSet::new();
        for entry in &document.entries {
            let is_second = !seen.insert(normalize(&entry.name));
            let node = by_name.get(normalize(&entry.name).as_ref());
            let node = node.and_then(|node| target.nodes.get(*node));
            if is_second && node.is_none_or(|node| node.release.is_some()) {
                return Err(format!("`{}` has several versions", entry.name));
            }
        }
        Ok(Self {
            document,
            target,
            by_name,
        })
    }

    fn entry(&self, node: usize) -> Option<&Entry> {
        let was = self.target.nodes.get(node)?.was?;
        self.document.entries.get(was.0 as usize)
    }

    /// The lines of the dependencies of all nodes that get a release.
    fn lines(&self) -> Result<BTreeMap<usize, Lines>, String> {
        let mut written = BTreeMap::new();
        for (number, node) in self.target.nodes.iter().enumerate() {
            let Some(release) = &node.release else {
                continue;
            };
            let name = normalize(&node.name);
            let old = self.entry(number);
            if old.is_some_and(|old| !old.is_known) {
                return Err(format!("the entry of `{name}` cannot be written"));
            }
            let asked = |extra: &str| old.is_some_and(|old| old.is_asked_for(extra));
            written.insert(number, lines(self.document, &name, release, asked)?);
        }
        Ok(written)
    }

    /// Checks that written entries ask for the extras of others that were asked for before.
    fn check_asked(&self, written: &BTreeMap<usize, Lines>) -> Result<(), String> {
        for (number, new) in written {
            let has_extras = |text: &String| text.contains("extras = [");
            let mut changed = new
                .iter()
                .map(|(name, (_, line))| (name, line))
                .filter(|(_, line)| has_extras(line));
            let old = self.entry(*number);
            let is_same = |name: &String, line: &String| {
                old.and_then(|old| old.lines.get(name))
                    .is_some_and(|old| extras_in(old) == extras_in(line))
            };
            let gone = old.is_some_and(|old| {
                let mut asked = old.asked.iter();
                asked.any(|one| {
                    let name = one.split('[').next().unwrap_or_default();
                    !new.get(name).is_some_and(|(_, line)| has_extras(line))
                })
            });
            if gone || changed.any(|(name, line)| !is_same(name, line)) {
                return Err("other extras of a package are asked for than before".to_owned());
            }
        }
        Ok(())
    }

    /// Checks that the changed lines of an entry change neither groups nor markers of others.
    fn check_dependencies(
        &self,
        number: usize,
        new: &Lines,
        written: &BTreeMap<usize, Lines>,
    ) -> Result<(), String> {
        static NONE: BTreeMap<String, String> = BTreeMap::new();
        let own = self.entry(number);
        let old = own.map_or(&NONE, |own| &own.lines);
        let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        for name in names {
            let before = old.get(name).map(String::as_str);
            let after = new.get(name).map(|(_, line)| line.as_str());
            if before.map(condition) == after.map(condition) {
                continue;
            }
            let Some(node) = self.by_name.get(name) else {
                match after {
                    None => continue,
                    Some(_) => {
                        return Err(format!("it needs `{name}`, which nothing needed before"));
                    }
                }
            };
            // The entry of a new package is made from the lines of its dependents.
            let Some(entry) = self.entry(*node) else {
                continue;
            };
            let groups = self.groups(number, written);
            let is_always = after.is_some_and(|line| condition(line).is_empty())
                && own.is_none_or(|own| !own.has_markers && !own.is_optional)
                && !entry.has_markers
                && !entry.is_optional;
            let is_same = match before {
                None => groups.is_subset(&set(&entry.groups)),
                Some(_) => groups == set(&entry.groups),
            };
            if !is_always || !is_same {
                return Err(format!(
                    "the environments that need `{name}` are not certain"
                ));
            }
        }
        Ok(())
    }

    /// The groups of a node: those of its entry, or of the dependents of a new one.
    fn groups(&self, number: usize, written: &BTreeMap<usize, Lines>) -> BTreeSet<String> {
        if let Some(entry) = self.entry(number) {
            return set(&entry.groups);
        }
        let mut groups = BTreeSet::new();
        for dependent in self.dependents(number, written) {
            if let Some(entry) = self.entry(dependent) {
                groups.extend(entry.groups.iter().cloned());
            }
        }
        groups
    }

    /// The nodes whose written lines name a node.
    fn dependents(&self, number: usize, written: &BTreeMap<usize, Lines>) -> Vec<usize> {
        let name = self.target.nodes.get(number).map(|node| &node.name);
        let name = name.map(|name| normalize(name).into_owned());
        let name = name.unwrap_or_default();
        let nodes = written
            .iter()
            .filter(|(_, lines)| lines.contains_key(&name));
        nodes.map(|(number, _)| *number).collect()
    }

    /// Checks that every package that stays is needed by a package or a project.
    fn check_needed(&self, written: &BTreeMap<usize, Lines>) -> Result<(), String> {
        let mut needed: BTreeSet<String> = BTreeSet::new();
        let roots = self.target.roots.iter().flatten();
        needed.extend(roots.map(|edge| normalize(&edge.name).into_owned()));
        for number in 0..self.target.nodes.len() {
            match (written.get(&number), self.entry(number)) {
                (Some(lines), _) => needed.extend(lines.keys().cloned()),
                (None, Some(entry)) => needed.extend(entry.lines.keys().cloned()),
                (None, None) => {}
            }
        }
        let was_needed: BTreeSet<&String> = self
            .document
            .entries
            .iter()
            .flat_map(|entry| entry.lines.keys())
            .collect();
        match self
            .by_name
            .keys()
            .find(|name| !needed.contains(*name) && was_needed.contains(name))
        {
            Some(name) => Err(format!("nothing would depend on `{name}`")),
            None => Ok(()),
        }
    }

    /// Where a new package belongs.
    fn place(&self, number: usize, written: &BTreeMap<usize, Lines>) -> Result<Place, String> {
        if let Some(entry) = self.entry(number) {
            return Ok(Place::of(entry));
        }
        let node = self.target.nodes.get(number);
        let name = node.map(|node| normalize(&node.name).into_owned());
        let name = name.unwrap_or_default();
        let unclear = || format!("the environments that need `{name}` are not certain");

        let dependents = self.dependents(number, written);
        let mut conditions = BTreeSet::new();
        for dependent in &dependents {
            let entry = self.entry(*dependent).ok_or_else(unclear)?;
            let line = written.get(dependent).and_then(|lines| lines.get(&name));
            let (_, line) = line.ok_or_else(unclear)?;
            if entry.has_markers || entry.is_optional {
                return Err(unclear());
            }
            conditions.insert(condition(line));
        }
        // How Poetry joins several conditions is its own.
        let mut conditions = conditions.into_iter();
        let markers = match (conditions.next(), conditions.next()) {
            (None, _) => return Err(format!("nothing would depend on `{name}`")),
            (Some(""), None) => String::new(),
            (Some(one), None) if !one.contains(" and ") && !one.contains(" or ") => {
                format!("markers = {one}\n")
            }
            _ => return Err(unclear()),
        };

        let sources: BTreeSet<&str> = self
            .document
            .entries
            .iter()
            .filter(|entry| entry.is_known)
            .map(|entry| entry.source.as_str())
            .collect();
        let mut sources = sources.into_iter();
        let (Some(source), None) = (sources.next(), sources.next()) else {
            return Err("the index of new packages is not certain".to_owned());
        };
        let mut groups: Vec<String> = self.groups(number, written).into_iter().collect();
        // The main group comes first.
        groups.sort_by_key(|group| group != DEFAULT_GROUP);
        let groups: Vec<String> = groups.iter().map(|group| format!("\"{group}\"")).collect();
        Ok(Place {
            optional: "optional = false\n".to_owned(),
            groups: match self.document.has_groups {
                true => format!("groups = [{}]\n", groups.join(", ")),
                false => String::new(),
            },
            markers,
            source: source.to_owned(),
        })
    }

    /// All entries, with new ones at their position by name.
    fn ordered(&self, written: &BTreeMap<usize, Lines>) -> Result<Vec<String>, String> {
        let names = self.document.entries.iter().map(|entry| &entry.name);
        check_sorted(names, self.target)?;

        let mut ordered: Vec<(String, String)> = Vec::new();
        for (number, node) in self.target.nodes.iter().enumerate() {
            let name = normalize(&node.name).into_owned();
            let entry = match (&node.release, written.get(&number), self.entry(number)) {
                (Some(release), Some(lines), old) => {
                    // A name that an old entry has in another spelling stays.
                    let spelled = old.map_or(&name, |old| &old.name);
                    text(spelled, release, &self.place(number, written)?, lines)?
                }
                (_, _, Some(old)) => old.text.clone(),
                _ => return Err(format!("the release of `{name}` is not known")),
            };
            let at = match node.was {
                Some(_) => ordered.len(),
                None => ordered.partition_point(|(known, _)| *known < name),
            };
            ordered.insert(at, (name, entry));
        }
        Ok(ordered.into_iter().map(|(_, entry)| entry).collect())
    }
}

fn set(groups: &[String]) -> BTreeSet<String> {
    groups.iter().cloned().collect()
}

/// The condition in the line of a dependency. Empty if it has none.
fn condition(line: &str) -> &str {
    line.split_once("markers = ")
        .map_or("", |(_, markers)| markers.trim_end_matches('}'))
}

/// The extras in the line of a dependency.
fn extras_in(line: &str) -> &str {
    line.split_once("extras = [")
        .and_then(|(_, rest)| rest.split(']').next())
        .unwrap_or_default()
}
