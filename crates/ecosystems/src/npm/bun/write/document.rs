//! A `bun.lock` as lines, with the graph that bun reads from it.

use std::collections::{BTreeMap, BTreeSet};

use patchgate_model::Lockfile;

use super::hoist::{self, Graph, Kind, Need, Package, ROOT};
use super::kind_of;
use crate::npm::bun::entry::{self, Entry};
use crate::syntax::{self, Node};
use crate::{SkippedEntries, TargetGraph};

/// The sections of dependencies.
const SECTIONS: [&str; 4] = [
    "dependencies",
    "devDependencies",
    "optionalDependencies",
    "peerDependencies",
];

/// A lockfile.
pub(super) struct Document {
    lines: Vec<String>,
    ends_with_line_break: bool,
    graph: Graph,
    /// Numbers of projects: the root project and the members of the workspace, which come first in
    /// the graph.
    projects: usize,
    /// Names of the members, with their numbers.
    members: Vec<(usize, String)>,
    /// Every place, in the file's order, with the number of its package.
    places: Vec<(String, usize)>,
    /// The packages in the order of [`Lockfile::packages`].
    specs: Vec<String>,
    /// The value of a package, without the mark of one that is in an archive.
    tuples: BTreeMap<String, String>,
    bundled: BTreeSet<String>,
    /// Index of the first line of `packages`, and of the one after the last.
    range: (usize, usize),
    /// The index of the line of each dependency of the projects.
    requirements: BTreeMap<(usize, String), (usize, String)>,
    /// The overrides with the indexes of their lines.
    overrides: Vec<(String, String, usize)>,
    /// The index of the line before which new overrides go, when there is no section of them.
    after_overrides: usize,
}

impl Document {
    /// Reads a text.
    ///
    /// # Errors
    /// If it has another layout than bun's, or something whose meaning is not certain.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let mut skipped = SkippedEntries::default();
        let root = syntax::jsonc(text).map_err(|error| error.reason)?;
        let mut document = Self {
            lines: text.lines().map(str::to_owned).collect(),
            ends_with_line_break: text.ends_with('\n'),
            graph: Graph::default(),
            projects: 0,
            members: Vec::new(),
            places: Vec::new(),
            specs: Vec::new(),
            tuples: BTreeMap::new(),
            bundled: BTreeSet::new(),
            range: (0, 0),
            requirements: BTreeMap::new(),
            overrides: Vec::new(),
            after_overrides: 0,
        };
        document.read_projects(&root, &mut skipped)?;
        document.read_packages(&root, &mut skipped)?;
        document.read_overrides(&root);
        document.resolve();
        match skipped.into_entries().is_empty() {
            true => Ok(document),
            false => Err("it has entries that cannot be read".to_owned()),
        }
    }

    fn read_projects(
        &mut self,
        root: &Node<'_>,
        skipped: &mut SkippedEntries,
    ) -> Result<(), String> {
        let listed = root
            .get("workspaces")
            .map(Node::entries)
            .unwrap_or_default();
        if listed.first().is_none_or(|(key, _)| !key.name.is_empty()) {
            return Err("its first project is not that of its directory".to_owned());
        }

        for (number, (directory, node)) in listed.iter().enumerate() {
            let name = node.get("name").and_then(Node::text).unwrap_or_default();
            let spec = match number {
                ROOT => String::new(),
                _ => format!("{name}@workspace:{}", directory.name),
            };
            if number != ROOT {
                self.members.push((number, name.to_owned()));
            }
            let needs = needs(node, true, skipped)?;
            for section in SECTIONS {
                for (name, _) in node.get(section).map(Node::entries).unwrap_or_default() {
                    let line = (name.line as usize).saturating_sub(1);
                    let value = node
                        .get(section)
                        .and_then(|section| section.get(&name.name));
                    let value = value.and_then(Node::text).unwrap_or_default();
                    self.requirements
                        .insert((number, name.name.to_string()), (line, value.to_owned()));
                }
            }
            self.graph.packages.push(Package {
                spec,
                needs,
                ..Package::default()
            });
        }
        self.projects = listed.len();

        let members = self.members.iter().map(|(number, name)| Need {
            name: name.clone(),
            requirement: String::new(),
            kind: Kind::Workspace,
            is_optional_peer: false,
            is_bundled: false,
            to: Some(*number),
        });
        if let Some(root) = self.graph.packages.get_mut(ROOT) {
            root.needs.extend(members);
        }
        Ok(())
    }

    fn read_packages(
        &mut self,
        root: &Node<'_>,
        skipped: &mut SkippedEntries,
    ) -> Result<(), String> {
        let other = || "its `packages` have another layout than bun's".to_owned();
        let (title, packages) = root.entry("packages").ok_or_else(other)?;
        let start = title.line as usize;
        let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
        for (number, package) in self.graph.packages.iter().enumerate() {
            numbers.insert(package.spec.clone(), number);
        }

        for (index, (key, node)) in packages.entries().iter().enumerate() {
            let at = start + 2 * index;
            if key.line as usize != at + 1 {
                return Err(other());
            }
            if index > 0 && self.lines.get(at - 1).is_none_or(|line| !line.is_empty()) {
                return Err(other());
            }
            let read = entry::entry(key, node, skipped).map_err(|error| error.reason)?;
            if read.is_root {
                return Err("a package depends on the project itself".to_owned());
            }
            let spec = node
                .items()
                .first()
                .and_then(Node::text)
                .unwrap_or_default();
            let tuple = self.tuple_at(at, &key.name).ok_or_else(other)?;
            let tuple = match read.bundled {
                true => without_mark(&tuple).ok_or_else(other)?,
                false => tuple,
            };
            if read.bundled {
                self.bundled.insert(key.name.to_string());
            }

            let number = match numbers.get(spec) {
                Some(number) => *number,
                None => {
                    let number = self.graph.packages.len();
                    numbers.insert(spec.to_owned(), number);
                    self.graph
                        .packages
                        .push(package(spec, &read, node, skipped)?);
                    number
                }
            };
            self.specs.push(spec.to_owned());
            let known = self.tuples.insert(spec.to_owned(), tuple.clone());
            if known.is_some_and(|known| known != tuple) {
                return Err(format!("the entries of `{spec}` differ"));
            }
            self.places.push((key.name.to_string(), number));
        }

        self.range = (start, start + (2 * self.places.len()).saturating_sub(1));
        let closing = self.lines.get(self.range.1).map(String::as_str);
        match self.places.is_empty() || closing != Some("  }") {
            true => Err(other()),
            false => Ok(()),
        }
    }

    /// The value of the entry in a line.
    fn tuple_at(&self, at: usize, key: &str) -> Option<String> {
        let start = format!("    {}: ", quoted(key));
        let tuple = self.lines.get(at)?.strip_prefix(&start)?;
        let tuple = tuple.strip_suffix(',')?;
        (tuple.starts_with('[') && tuple.ends_with(']')).then(|| tuple.to_owned())
    }

    fn read_overrides(&mut self, root: &Node<'_>) {
        for (key, value) in root.get("overrides").map(Node::entries).unwrap_or_default() {
            self.overrides.push((
                key.name.to_string(),
                value.text().unwrap_or_default().to_owned(),
                (key.line as usize).saturating_sub(1),
            ));
        }
        let after = root
            .entries()
            .iter()
            .find(|(key, _)| ["catalog", "catalogs", "packages"].contains(&&*key.name));
        let line = after.map_or(1, |(key, _)| key.line as usize);
        self.after_overrides = line.saturating_sub(1);
    }

    /// Binds the dependencies, as bun does when it reads the file: a package that is at several places
    /// gets those of the last one.
    fn resolve(&mut self) {
        let by_key: BTreeMap<&str, usize> = self
            .places
            .iter()
            .map(|(key, number)| (key.as_str(), *number))
            .collect();
        let mut found: Vec<(usize, usize, usize)> = Vec::new();
        for (number, project) in self.graph.packages.iter().take(self.projects).enumerate() {
            let member = self.members.iter().find(|(member, _)| *member == number);
            for (index, need) in project.needs.iter().enumerate() {
                let own = member
                    .and_then(|(_, name)| by_key.get(format!("{name}/{}", need.name).as_str()));
                if let Some(to) = own.or_else(|| by_key.get(need.name.as_str())) {
                    found.push((number, index, *to));
                }
            }
        }
        for (key, number) in &self.places {
            let package = self.graph.packages.get(*number);
            let needs = package.filter(|_| *number >= self.projects);
            let needs = needs
                .map(|package| package.needs.as_slice())
                .unwrap_or_default();
            for (index, need) in needs.iter().enumerate() {
                if let Some(to) = nearest(&by_key, key, &need.name) {
                    found.push((*number, index, to));
                }
            }
        }

        for (number, index, to) in found {
            let package = self.graph.packages.get_mut(number);
            if let Some(need) = package.and_then(|package| package.needs.get_mut(index)) {
                need.to = Some(to);
            }
        }
        for (key, number) in &self.places {
            let names: BTreeSet<&str> = self
                .bundled
                .iter()
                .filter_map(|path| path.strip_prefix(key.as_str())?.strip_prefix('/'))
                .collect();
            if names.is_empty() {
                continue;
            }
            if let Some(package) = self.graph.packages.get_mut(*number) {
                for need in &mut package.needs {
                    need.is_bundled |= names.contains(need.name.as_str());
                }
            }
        }
    }

    /// Checks that bun would place the packages as the file has them.
    pub(super) fn is_as_placed(&self) -> Result<(), String> {
        let places = hoist::places(&self.graph)?;
        let as_placed = places.iter().map(|place| (place.key(), place.package));
        let mut both = as_placed.zip(self.places.iter());
        let differs = both.find(|(place, own)| place != *own);
        match differs {
            Some((place, _)) => Err(format!("bun would place `{}` in another way", place.0)),
            None if places.len() != self.places.len() => {
                Err("bun would add or remove packages".to_owned())
            }
            None => Ok(()),
        }
    }

    pub(super) fn graph(&self) -> &Graph {
        &self.graph
    }

    /// The projects, the root project first.
    pub(super) fn projects(&self) -> &[Package] {
        self.graph.packages.get(..self.projects).unwrap_or_default()
    }

    pub(super) fn members(&self) -> &[(usize, String)] {
        &self.members
    }

    /// What a package of the lockfile is.
    pub(super) fn spec(&self, index: usize) -> Option<&str> {
        self.specs.get(index).map(String::as_str)
    }

    pub(super) fn package(&self, spec: &str) -> Option<&Package> {
        self.graph
            .packages
            .iter()
            .find(|package| package.spec == spec)
    }

    /// The value of a package's entries.
    pub(super) fn tuple(&self, spec: &str) -> Option<&str> {
        self.tuples.get(spec).map(String::as_str)
    }

    pub(super) fn is_bundled(&self, key: &str) -> bool {
        self.bundled.contains(key)
    }

    /// The line of an entry.
    pub(super) fn line(&self, key: &str, tuple: &str, is_bundled: bool) -> Result<String, String> {
        if !is_bundled {
            return Ok(format!("    {}: {tuple},", quoted(key)));
        }
        let at = self.places.iter().position(|(other, _)| other == key);
        let line = at.and_then(|at| self.lines.get(self.range.0 + 2 * at));
        let unmarked = format!("    {}: {tuple},", quoted(key));
        line.filter(|line| without_mark(line).as_ref() == Some(&unmarked))
            .cloned()
            .ok_or_else(|| format!("`{key}` is in the archive of another package"))
    }

    /// Replaces the entries of `packages`.
    pub(super) fn set_packages(&mut self, new: &[String]) {
        let (start, end) = self.range;
        self.lines.splice(start..end, [new.join("\n\n")]);
    }

    /// Writes the projects' requirements that differ.
    ///
    /// # Errors
    /// If a project would have other dependencies.
    pub(super) fn write_requirements(
        &mut self,
        lockfile: &Lockfile,
        target: &TargetGraph,
    ) -> Result<(), String> {
        let roots = lockfile.roots.iter().zip(&target.roots);
        for (number, (root, edges)) in roots.enumerate().take(self.projects) {
            if root.edges.len() != edges.len() {
                return Err("a project would get another number of dependencies".to_owned());
            }
            for edge in edges {
                let stated = self.requirements.get(&(number, edge.name.clone()));
                let Some((line, value)) = stated else {
                    return Err(format!("a project would depend on `{}`", edge.name));
                };
                let Some(new) = edge.requirement.as_deref().filter(|new| new != value) else {
                    continue;
                };
                if value.starts_with("catalog:") {
                    return Err(format!("`{}` is in a catalog", edge.name));
                }
                let expected = format!("{}: {},", quoted(&edge.name), quoted(value));
                let text = self.lines.get_mut(*line);
                let text = text.filter(|text| text.trim_start() == expected);
                let Some(text) = text else {
                    return Err("its `workspaces` have another layout than bun's".to_owned());
                };
                let indent = text.len() - expected.len();
                text.truncate(indent);
                text.push_str(&format!("{}: {},", quoted(&edge.name), quoted(new)));
            }
        }

        Ok(())
    }

    /// Writes the overrides of the root project's manifest that the lockfile does not have.
    ///
    /// # Errors
    /// If the section has another layout than bun's.
    pub(super) fn write_overrides(&mut self, stated: &[(String, String)]) -> Result<(), String> {
        let other = || "its `overrides` have another layout than bun's".to_owned();
        let mut new: Vec<&(String, String)> = Vec::new();
        for pair in stated {
            let known = self.overrides.iter().find(|(name, _, _)| *name == pair.0);
            match known {
                None => new.push(pair),
                Some((_, value, _)) if *value == pair.1 => {}
                Some((_, _, line)) => {
                    let text = self.lines.get_mut(*line).ok_or_else(other)?;
                    *text = override_line(pair);
                }
            }
        }
        if new.is_empty() {
            return Ok(());
        }

        // From the last line to the first one, so that the indexes of earlier lines stay.
        new.sort();
        for pair in new.iter().rev() {
            let next = self.overrides.iter().find(|(name, _, _)| *name > pair.0);
            let at = match (next, self.overrides.last()) {
                (Some((_, _, line)), _) => *line,
                (None, Some((_, _, last))) => *last + 1,
                (None, None) => break,
            };
            let is_free = at <= self.lines.len();
            is_free.then_some(()).ok_or_else(other)?;
            self.lines.insert(at, override_line(pair));
        }
        if self.overrides.is_empty() {
            let listed: Vec<String> = new.iter().map(|pair| override_line(pair)).collect();
            let text = format!("  \"overrides\": {{\n{}\n  }},", listed.join("\n"));
            self.lines.insert(self.after_overrides, text);
        }
        Ok(())
    }

    pub(super) fn into_text(self) -> String {
        let mut text = self.lines.join("\n");
        if self.ends_with_line_break {
            text.push('\n');
        }
        text
    }
}

/// The package of an entry.
fn package(
    spec: &str,
    read: &Entry<'_>,
    node: &Node<'_>,
    skipped: &mut SkippedEntries,
) -> Result<Package, String> {
    let about = node.items().iter().find(|item| item.is_map());
    Ok(Package {
        spec: spec.to_owned(),
        version: (!read.version.is_empty()).then(|| read.version.to_owned()),
        is_folder: spec.starts_with(&format!("{}@file:", read.name)),
        needs: match about {
            Some(about) => needs(about, false, skipped)?,
            None => Vec::new(),
        },
    })
}

/// The dependencies of an entry or a project, without packages.
fn needs(
    node: &Node<'_>,
    is_project: bool,
    skipped: &mut SkippedEntries,
) -> Result<Vec<Need>, String> {
    let optional = node
        .get("optionalPeers")
        .map(Node::items)
        .unwrap_or_default();
    let optional: BTreeSet<&str> = optional.iter().filter_map(Node::text).collect();
    let needs = entry::needs(node, is_project, skipped).0;
    let listed: usize = SECTIONS
        .iter()
        .filter_map(|section| node.get(section))
        .map(|section| section.entries().len())
        .sum();
    if listed != needs.len() {
        return Err("a package is in several sections of one dependent".to_owned());
    }

    let need = |need: &entry::Dependency<'_>| {
        let kind = kind_of(need.kind);
        Need {
            name: need.name.to_owned(),
            requirement: need.requirement.to_owned(),
            kind,
            is_optional_peer: kind == Kind::Peer && optional.contains(need.name),
            is_bundled: false,
            to: None,
        }
    };
    Ok(needs.iter().map(need).collect())
}

/// The package that a dependent at a place gets, nearest directory first.
fn nearest(by_key: &BTreeMap<&str, usize>, key: &str, name: &str) -> Option<usize> {
    let mut above = key;
    loop {
        if let Some(to) = by_key.get(format!("{above}/{name}").as_str()) {
            return Some(*to);
        }
        let Some((rest, _)) = above.rsplit_once('/') else {
            return by_key.get(name).copied();
        };
        // A scope and its name are one part.
        above = match rest.rsplit_once('/') {
            Some((outer, scope)) if scope.starts_with('@') => outer,
            None if rest.starts_with('@') => return by_key.get(name).copied(),
            _ => rest,
        };
    }
}

/// A value without the mark of a package that is in an archive.
fn without_mark(text: &str) -> Option<String> {
    for (mark, rest) in [
        (" \"bundled\": true, ", " "),
        (", \"bundled\": true }", " }"),
        ("{ \"bundled\": true }", "{}"),
    ] {
        if text.matches(mark).count() == 1 {
            return Some(text.replacen(mark, rest, 1));
        }
    }
    None
}

fn override_line(pair: &(String, String)) -> String {
    format!("    {}: {},", quoted(&pair.0), quoted(&pair.1))
}

/// A text in JSON.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
