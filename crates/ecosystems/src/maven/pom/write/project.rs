//! A project whose files change step by step, each proven by reading the project again.

use std::collections::BTreeSet;

use patchgate_model::{Lockfile, SmolStr};

use super::ManagedEntry;
use super::places::{Finder, Place};
use super::uses::Verdict;
use crate::maven::moves::Moves;
use crate::maven::pom::effective::Model;
use crate::maven::pom::projects::Projects;
use crate::maven::pom::sources::{EXTERNAL, Sources};
use crate::maven::xml_spans::{spans, splice};
use crate::{Input, Siblings};

/// A replacement: the path of the file, the position, and the new text.
type Splice = (String, (usize, usize), String);

/// A project with the files around it.
pub(super) struct Project<'p> {
    pub(super) path: &'p str,
    pub(super) siblings: Siblings,
    pub(super) projects: Projects,
    changed: BTreeSet<String>,
}

/// The facts about a project that a change must lead to.
pub(super) struct Goal {
    pub(super) moves: Moves,
    after: Facts,
    before: Facts,
}

/// Names and versions of the packages, and what is not known about others.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Facts {
    versions: BTreeSet<(String, String)>,
    open: BTreeSet<(String, String)>,
}

impl Facts {
    fn of(lockfile: &Lockfile) -> Self {
        let packages = lockfile.packages.iter();
        let unresolved = lockfile.unresolved.iter();
        let missing = lockfile.missing.iter();
        Self {
            versions: packages
                .map(|one| (one.name.clone(), one.version.clone()))
                .collect(),
            open: unresolved
                .map(|one| (one.name.clone(), one.requirement.clone()))
                .chain(missing.map(|one| (one.path.clone(), one.version.clone())))
                .collect(),
        }
    }
}

impl Goal {
    /// `now` is the project as it is, with the edits of its manifests, and `lockfile` as it was.
    pub(super) fn new(now: &Lockfile, lockfile: &Lockfile, moves: &Moves) -> Self {
        let mut after = Facts::of(now);
        after.versions = Facts::of(lockfile)
            .versions
            .into_iter()
            .map(
                |(name, version)| match moves.get(&(name.clone(), version.clone())) {
                    Some(to) => (name, to.clone()),
                    None => (name, version),
                },
            )
            .collect();

        Self {
            moves: moves.clone(),
            after,
            before: Facts::of(now),
        }
    }

    /// Whether a state is between the first and the last one.
    fn contains(&self, state: &Facts) -> bool {
        let known = |one| self.before.versions.contains(one) || self.after.versions.contains(one);
        state.open == self.after.open && state.versions.iter().all(known)
    }
}

impl<'p> Project<'p> {
    /// A project with its own file, which need not be among the others.
    pub(super) fn new(path: &'p str, own: &[u8], siblings: &Siblings) -> Self {
        let mut siblings = siblings.clone();
        siblings.insert(path.to_owned(), own.to_vec());
        Self {
            path,
            siblings,
            projects: Projects::default(),
            changed: BTreeSet::from([path.to_owned()]),
        }
    }

    pub(super) fn input(&self) -> Input<'_> {
        Input {
            path: self.path,
            bytes: self.siblings.get(self.path).map_or(&[], Vec::as_slice),
            siblings: &self.siblings,
        }
    }

    /// Reads the project as it is by now.
    pub(super) fn read(&self) -> Result<Lockfile, String> {
        let read = crate::maven::pom::read(&self.input(), &self.projects);
        read.map_err(|error| format!("it {}", error.reason))
    }

    /// The own file, and all others that differ from those before.
    pub(super) fn into_changed(mut self, before: &Siblings) -> Siblings {
        let changed = std::mem::take(&mut self.changed);
        let is_changed =
            |path: &String| path == self.path || self.siblings.get(path) != before.get(path);
        let paths: Vec<String> = changed.into_iter().filter(is_changed).collect();
        paths
            .into_iter()
            .filter_map(|path| self.siblings.remove_entry(&path))
            .collect()
    }

    /// Checks the last state.
    pub(super) fn reaches(&self, goal: &Goal) -> Result<(), String> {
        let facts = Facts::of(&self.read()?);
        match facts == goal.after {
            true => Ok(()),
            false => Err("the versions are not those of the plan after the change".to_owned()),
        }
    }

    /// Changes the version of one package, wherever it is written.
    pub(super) fn change(
        &mut self,
        name: &str,
        from: &str,
        to: &str,
        goal: &Goal,
    ) -> Result<(), String> {
        let count = |lockfile: &Lockfile| {
            let packages = lockfile.packages.iter();
            packages
                .filter(|one| one.name == name && one.version == from)
                .count()
        };
        let mut left = count(&self.read()?);
        if left == 0 || from == to {
            return Ok(());
        }

        let groups = Finder::new(self)?.groups();
        for group in 0..groups {
            // Positions change with every edit.
            let places = Finder::new(self)?.group(name, from, group)?;
            if places.is_empty() {
                continue;
            }
            let splices = self.splices(&places, name, to, goal)?;
            let kept = self.siblings.clone();
            self.apply(splices)?;

            let now = self.read()?;
            let fewer = count(&now);
            if fewer < left && goal.contains(&Facts::of(&now)) {
                left = fewer;
            } else {
                self.restore(kept);
            }
            if left == 0 {
                return Ok(());
            }
        }

        self.manage(name, to, goal)?;
        match count(&self.read()?) {
            0 => Ok(()),
            _ => Err(format!(
                "the version of `{name}` comes from a file outside of the repository"
            )),
        }
    }

    /// The replacements for a group of places.
    fn splices(
        &self,
        places: &[Place],
        name: &str,
        to: &str,
        goal: &Goal,
    ) -> Result<Vec<Splice>, String> {
        let mut splices = Vec::new();
        for place in places {
            let text = self.text(&place.path)?;
            let written = text.get(place.at.0..place.at.1).unwrap_or_default();
            let mut at = vec![(place.path.clone(), place.at)];
            if written.contains("${") {
                match Finder::new(self)?.property(place, name, to, goal) {
                    Verdict::Raise(found) => at = found,
                    Verdict::Literal => {}
                    Verdict::Refuse(reason) => return Err(reason),
                }
            }

            for (path, at) in at {
                let text = self.text(&path)?;
                let is_range = text
                    .get(at.0..at.1)
                    .is_some_and(|text| text.starts_with('['));
                let with = match is_range {
                    true => format!("[{to}]"),
                    false => to.to_owned(),
                };
                splices.push((path, at, with));
            }
        }
        splices.sort();
        splices.dedup();

        Ok(splices)
    }

    pub(super) fn text(&self, path: &str) -> Result<&str, String> {
        let bytes = self.siblings.get(path).map_or(&[][..], Vec::as_slice);
        std::str::from_utf8(bytes).map_err(|_| format!("`{path}` is not UTF-8"))
    }

    /// Applies replacements, sorted by file and position.
    fn apply(&mut self, splices: Vec<Splice>) -> Result<(), String> {
        // From the end, so that earlier positions stay valid.
        for (path, at, with) in splices.into_iter().rev() {
            let changed = splice(self.text(&path)?, at, &with)
                .ok_or_else(|| format!("`{path}` has a version at an unknown position"))?;
            self.set(&path, changed);
        }

        Ok(())
    }

    fn set(&mut self, path: &str, text: String) {
        self.siblings.insert(path.to_owned(), text.into_bytes());
        self.changed.insert(path.to_owned());
        self.projects.file_changed(path);
    }

    fn restore(&mut self, kept: Siblings) {
        self.siblings = kept;
        for path in &self.changed {
            self.projects.file_changed(path);
        }
    }

    /// Gives a package that the project does not require itself a version: in the entry of
    /// `dependencyManagement` that the repository has, else in a new one.
    pub(super) fn override_indirect(
        &mut self,
        name: &str,
        to: &str,
        before: &Lockfile,
    ) -> Result<(), String> {
        let finder = Finder::new(self)?;
        let places = finder.managed(name)?;
        let mut moves = Moves::new();
        for from in places.iter().filter_map(|place| finder.value(place)) {
            moves.insert((name.to_owned(), from), to.to_owned());
        }
        let goal = Goal::new(before, before, &moves);
        if places.is_empty() {
            return self.manage(name, to, &goal);
        }

        let splices = self.splices(&places, name, to, &goal)?;
        self.apply(splices)?;
        match goal.contains(&Facts::of(&self.read()?)) {
            true => Ok(()),
            false => Err(format!("another version of `{name}` would change others")),
        }
    }

    /// Adds entries of `dependencyManagement` for a package, which must not have one in the repository.
    pub(super) fn manage(&mut self, name: &str, to: &str, goal: &Goal) -> Result<(), String> {
        let kept = self.siblings.clone();
        let (path, entries) = self.entries(name, to)?;
        for entry in entries {
            let text = self.text(&path)?;
            let root = spans(text).map_err(|error| format!("`{path}` {}", error.reason))?;
            let changed = super::insert::managed(text, &root, &entry)
                .ok_or_else(|| format!("`{path}` has no place for `dependencyManagement`"))?;
            self.set(&path, changed);
        }

        let after = Facts::of(&self.read()?);
        if goal.contains(&after) {
            return Ok(());
        }
        self.restore(kept);
        Err(format!(
            "an entry of `dependencyManagement` for `{name}` would change other packages"
        ))
    }

    /// The file for entries of `dependencyManagement`, and the entries: one for each kind of file of
    /// the package that the project uses.
    fn entries(&self, name: &str, version: &str) -> Result<(String, Vec<ManagedEntry>), String> {
        let Some((group, artifact)) = name.split_once(':') else {
            return Err(format!("`{name}` is not an artifact"));
        };
        let input = self.input();
        let file = self.projects.own(&input).map_err(|error| error.reason)?;
        let mut sources = Sources::new(&input, &self.projects, 1);
        let lineage = sources.with_ancestors(&file);
        let mut own = lineage
            .iter()
            .filter(|file| !file.path.starts_with(EXTERNAL));
        // The list that is overridden is imported there, else it comes from above the last file.
        let imports = own
            .clone()
            .find(|file| file.layer.imports().next().is_some());
        let path = imports.or_else(|| own.next_back());
        let path = path.map_or(self.path, |file| file.path.as_str()).to_owned();

        let model = Model::of(&file, None, &mut sources);
        let mut entries: BTreeSet<(SmolStr, SmolStr)> = BTreeSet::new();
        for (_, dependency) in model.dependencies() {
            let key = model.key(dependency);
            if key.group == group && key.artifact == artifact && dependency.version.is_none() {
                entries.insert((key.kind, key.classifier));
            }
        }
        if entries.is_empty() {
            entries.insert((SmolStr::new_static("jar"), SmolStr::default()));
        }

        let entries = entries.into_iter().map(|(kind, classifier)| ManagedEntry {
            group: group.to_owned(),
            artifact: artifact.to_owned(),
            version: version.to_owned(),
            kind: kind.to_string(),
            classifier: classifier.to_string(),
        });
        Ok((path, entries.collect()))
    }
}
