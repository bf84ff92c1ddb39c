//! One lockfile with other versions, framework by framework, as NuGet resolves them
//! (<https://learn.microsoft.com/nuget/concepts/dependency-resolution>): a package that others require
//! has the highest of their lower bounds, and one that the project states has the version stated. A
//! result that NuGet would not choose itself is refused, although it installs a locked version as it
//! is: the next change of a project would undo it.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use super::super::range::{VersionRange, compare};
use super::document::{Document, Entry, Kind, Target};
use super::framework::Framework;
use super::package::Package;

/// What changes in a lockfile. Names of packages and projects are in lower case.
#[derive(Debug, Default)]
pub(super) struct Change {
    /// The new versions, by name and version before.
    pub(super) moves: BTreeMap<(String, String), String>,
    /// Requirements that the project states itself: changed, or new.
    pub(super) direct: BTreeMap<String, VersionRange>,
    /// Versions that the central list states for packages that others require: changed, or new.
    pub(super) central: BTreeMap<String, VersionRange>,
    /// Requirements of other projects, by project. Those that are new have their name.
    pub(super) projects: BTreeMap<String, Vec<Stated>>,
    /// Names in the central list, which pins them for all.
    pub(super) pinned: BTreeSet<String>,
}

/// A requirement that another project states.
#[derive(Debug, Clone)]
pub(super) struct Stated {
    pub(super) key: String,
    pub(super) range: VersionRange,
    /// The name to write, for a requirement that the project did not have before.
    pub(super) new: Option<String>,
}

/// The reason why a lockfile is not written.
#[derive(Debug)]
pub(super) enum Refusal {
    /// Packages, with their versions, are above what their dependents require, which somebody has to
    /// state.
    Unstated(Vec<(String, String)>),
    Other(String),
}

impl From<String> for Refusal {
    fn from(reason: String) -> Self {
        Self::Other(reason)
    }
}

/// New releases by the lower-case names of their packages.
pub(super) type Packages = BTreeMap<String, Package>;

/// The lockfile after a change.
pub(super) fn relock(
    before: &Document,
    change: &Change,
    packages: &Packages,
) -> Result<Document, Refusal> {
    let mut after = before.clone();
    let mut touched: BTreeSet<String> = BTreeSet::new();
    let mut unstated: BTreeSet<(String, String)> = BTreeSet::new();
    let is_for_platform = |target: &Target| target.name.contains('/');
    for target in after.targets.iter_mut().filter(|one| !is_for_platform(one)) {
        let graph = Graph::changed(target, change, packages)?;
        unstated.extend(graph.verify(target)?);
        let entries = graph.entries(target)?;
        touched.extend(differences(&target.entries, &entries));
        target.entries = entries;
    }
    if !unstated.is_empty() {
        return Err(Refusal::Unstated(unstated.into_iter().collect()));
    }

    for target in before.targets.iter().filter(|one| is_for_platform(one)) {
        let is_own = target
            .entries
            .iter()
            .any(|entry| touched.contains(&entry.key()));
        let is_new = touched.iter().any(|key| {
            packages
                .get(key)
                .is_some_and(|package| package.has_runtimes)
        });
        if is_own || is_new {
            let reason = format!("packages for the platform of `{}` change", target.name);
            return Err(Refusal::Other(reason));
        }
    }
    Ok(after)
}

/// The names of the packages whose entries differ.
fn differences(before: &[Entry], after: &[Entry]) -> BTreeSet<String> {
    let is_in = |entry: &&Entry, other: &[Entry]| other.contains(entry);
    let gone = before.iter().filter(|entry| !is_in(entry, after));
    let come = after.iter().filter(|entry| !is_in(entry, before));
    gone.chain(come).map(Entry::key).collect()
}

/// The requirements on each package, by its lower-case name.
type Needs = BTreeMap<String, Vec<VersionRange>>;

/// The entries for one framework while they change.
struct Graph<'a> {
    entries: BTreeMap<String, Entry>,
    reached: BTreeSet<String>,
    needs: Needs,
    packages: &'a Packages,
    framework: Option<Framework>,
    framework_name: String,
}

impl<'a> Graph<'a> {
    fn changed(target: &Target, change: &Change, packages: &'a Packages) -> Result<Self, Refusal> {
        let mut graph = Self {
            entries: BTreeMap::new(),
            reached: BTreeSet::new(),
            needs: Needs::new(),
            packages,
            framework: Framework::parse(&target.name),
            framework_name: target.name.clone(),
        };
        for entry in &target.entries {
            let key = entry.key();
            let mut entry = entry.clone();
            state(&mut entry, change)?;
            let version = entry.resolved.clone().unwrap_or_default();
            let is_moved = change.moves.contains_key(&(key.clone(), version));
            graph.entries.insert(key.clone(), entry);
            if is_moved {
                graph.take(&key)?;
            }
        }
        let missing = change
            .direct
            .keys()
            .find(|key| !graph.entries.contains_key(*key));
        if let Some(key) = missing {
            let reason = format!("`{key}` is not needed for `{}`", target.name);
            return Err(Refusal::Other(reason));
        }

        // Each round takes at least one more of the new releases.
        for _ in 0..=packages.len() {
            graph.walk();
            if !graph.complete(target, change)? {
                return Ok(graph);
            }
        }
        Err(Refusal::Other("its versions do not settle".to_owned()))
    }

    /// Gives a package its new release.
    fn take(&mut self, key: &str) -> Result<(), String> {
        let package = self
            .packages
            .get(key)
            .ok_or_else(|| format!("`{key}` has no release"))?;
        let framework = self.framework.as_ref().ok_or_else(|| {
            format!(
                "the dependencies for `{}` are not known",
                self.framework_name
            )
        })?;
        let dependencies = package.dependencies(framework)?;

        let entry = self.entries.entry(key.to_owned()).or_insert_with(|| Entry {
            name: package.name.clone(),
            kind: Kind::Transitive,
            requested: None,
            resolved: None,
            hash: None,
            dependencies: Vec::new(),
        });
        if entry.hash.is_none() && entry.resolved.is_some() {
            return Err(format!("`{key}` has no hash in the lockfile"));
        }

        entry.resolved = Some(package.version.clone());
        entry.hash = Some(package.hash.clone());
        entry.dependencies = dependencies;

        Ok(())
    }

    /// Finds the packages that are needed, and by which requirements.
    fn walk(&mut self) {
        (self.reached, self.needs) = walk(&self.entries);
    }

    /// Takes new releases for packages that are missing or too old. Says whether there were any.
    fn complete(&mut self, target: &Target, change: &Change) -> Result<bool, String> {
        let mut is_changed = false;
        for old in &target.entries {
            is_changed |= self.follow(old)?;
        }

        for (key, ranges) in self.needs.clone() {
            let version = self
                .entries
                .get(&key)
                .map(|entry| (entry.kind, entry.resolved.clone()));
            match version {
                Some((Kind::Transitive, Some(version))) => {
                    let is_met = ranges.iter().all(|range| range.admits(&version));
                    let package = self.packages.get(&key);
                    let fits = package.is_some_and(|package| {
                        package.version != version
                            && ranges.iter().all(|range| range.admits(&package.version))
                    });
                    if !is_met && fits {
                        self.take(&key)?;
                        is_changed = true;
                    }
                }
                Some(_) => {}
                // A package that an entry named before without having it is part of the framework.
                None if self.is_left_out(target, &key) => {}
                None => {
                    let prunes = self.framework.as_ref().is_some_and(Framework::prunes);
                    if prunes || change.pinned.contains(&key) {
                        return Err(format!(
                            "it is not clear which version of `{key}` comes in for `{}`",
                            target.name
                        ));
                    }
                    self.take(&key)?;
                    is_changed = true;
                }
            }
        }

        Ok(is_changed)
    }

    /// Takes the new release of a package for which another version is stated than before. Says whether
    /// it did.
    fn follow(&mut self, old: &Entry) -> Result<bool, String> {
        let key = old.key();
        let Some(entry) = self.entries.get(&key) else {
            return Ok(false);
        };
        let stated = entry.requested.as_deref().and_then(VersionRange::parse);
        let lower = stated.and_then(|range| range.lower);
        let package = self.packages.get(&key).map(|package| &package.version);
        let is_new = entry.requested != old.requested
            && lower.is_some()
            && lower.as_ref() == package
            && lower != entry.resolved;
        if is_new {
            self.take(&key)?;
        }
        Ok(is_new)
    }

    /// Whether every dependent named a package before, although it has no entry.
    fn is_left_out(&self, target: &Target, key: &str) -> bool {
        let names = |entry: &Entry| entry.dependencies.iter().any(|(name, _)| is(name, key));
        self.reached
            .iter()
            .filter_map(|dependent| self.entries.get(dependent))
            .filter(|entry| names(entry))
            .all(|entry| {
                let mut before = target.entries.iter();
                before.any(|other| is(&other.name, &entry.name) && names(other))
            })
    }

    /// Checks that NuGet would choose the same versions. Returns those that nothing states.
    fn verify(&self, target: &Target) -> Result<Vec<(String, String)>, String> {
        let before: BTreeMap<String, Entry> = target
            .entries
            .iter()
            .map(|entry| (entry.key(), entry.clone()))
            .collect();
        let (_, needs_before) = walk(&before);
        let mut unstated = Vec::new();
        for key in &self.reached {
            let Some(entry) = self
                .entries
                .get(key)
                .filter(|entry| entry.kind != Kind::Project)
            else {
                continue;
            };
            let needs = self.needs.get(key).map(Vec::as_slice).unwrap_or_default();
            let old = before.get(key);
            let is_same = old == Some(entry)
                && needs == needs_before.get(key).map(Vec::as_slice).unwrap_or_default();
            let version = entry.resolved.as_deref().unwrap_or_default();
            if is_same {
                continue;
            }

            let lowest = lowest(needs).ok_or_else(|| {
                format!("the versions of `{key}` that its dependents admit float")
            })?;
            let above = |bound: Option<&str>| bound.and_then(|bound| compare(version, bound));
            match entry.kind {
                Kind::Transitive => {
                    if needs.iter().any(|range| !range.admits(version)) {
                        return Err(format!(
                            "`{key} {version}` is not what all of its dependents admit for `{}`",
                            target.name
                        ));
                    }
                    let was_above = old.is_some_and(|old| {
                        old.resolved.as_deref() == Some(version) && old.kind == entry.kind
                    });
                    if above(lowest) != Some(Ordering::Equal) && !was_above {
                        unstated.push((key.clone(), version.to_owned()));
                    }
                }
                _ => {
                    let stated = entry.requested.as_deref().and_then(VersionRange::parse);
                    let stated = stated.filter(|stated| stated.admits(version));
                    let is_lowest = stated.as_ref().is_some_and(|stated| {
                        stated.floats() || above(stated.lower.as_deref()) == Some(Ordering::Equal)
                    });
                    let is_kept = old.is_some_and(|old| {
                        old.resolved == entry.resolved && old.requested == entry.requested
                    });
                    if !is_lowest && !is_kept {
                        return Err(format!("the project does not state `{key} {version}`"));
                    }
                    if above(lowest) == Some(Ordering::Less) {
                        return Err(format!(
                            "`{key} {version}` is lower than what its dependents require for `{}`",
                            target.name
                        ));
                    }
                }
            }
        }
        Ok(unstated)
    }

    /// The entries in NuGet's order.
    fn entries(mut self, target: &Target) -> Result<Vec<Entry>, String> {
        let order = |entry: &Entry| (entry.kind, entry.name.to_ascii_uppercase());
        let is_sorted = target.entries.is_sorted_by_key(order);
        let mut entries = Vec::new();
        for old in &target.entries {
            let entry = self.entries.remove(&old.key());
            entries.extend(entry.filter(|_| self.reached.contains(&old.key())));
        }
        let new = self
            .entries
            .into_values()
            .filter(|entry| self.reached.contains(&entry.key()));
        let known = entries.len();
        entries.extend(new);

        let is_moved = entries.len() > known || !entries.is_sorted_by_key(order);
        match (is_moved, is_sorted) {
            (true, false) => Err("its packages are not in NuGet's order".to_owned()),
            (true, true) => {
                entries.sort_by_key(order);
                Ok(entries)
            }
            (false, _) => Ok(entries),
        }
    }
}

fn is(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b)
}

/// The packages that the direct ones and the other projects lead to, and the requirements on each.
fn walk(entries: &BTreeMap<String, Entry>) -> (BTreeSet<String>, Needs) {
    let mut reached = BTreeSet::new();
    let mut needs = Needs::new();

    let mut waiting: Vec<&String> = entries
        .iter()
        .filter(|(_, entry)| matches!(entry.kind, Kind::Direct | Kind::Project))
        .map(|(key, _)| key)
        .collect();
    waiting.reverse();

    while let Some(key) = waiting.pop() {
        let Some(entry) = entries.get(key).filter(|_| reached.insert(key.clone())) else {
            continue;
        };
        for (name, requirement) in &entry.dependencies {
            let name = name.to_ascii_lowercase();
            let is_project = entries
                .get(&name)
                .is_some_and(|other| other.kind == Kind::Project);
            if let (Some(range), false) = (VersionRange::parse(requirement), is_project) {
                needs.entry(name.clone()).or_default().push(range);
            }
            waiting.extend(entries.get_key_value(&name).map(|(key, _)| key));
        }
    }

    for ranges in needs.values_mut() {
        ranges.sort_by_key(VersionRange::normal);
    }
    (reached, needs)
}

/// The highest of the lower bounds. `None` if a bound floats, `Some(None)` if no range has one.
fn lowest(ranges: &[VersionRange]) -> Option<Option<&str>> {
    let mut highest: Option<&str> = None;
    for range in ranges {
        if range.floats() {
            return None;
        }
        if let Some(lower) = range.lower.as_deref()
            && highest.is_none_or(|known| compare(lower, known) == Some(Ordering::Greater))
        {
            highest = Some(lower);
        }
    }
    Some(highest)
}

/// Writes what projects and the central list state into an entry.
fn state(entry: &mut Entry, change: &Change) -> Result<(), String> {
    let key = entry.key();
    if entry.kind == Kind::Project {
        let stated = change
            .projects
            .get(&key)
            .map(Vec::as_slice)
            .unwrap_or_default();
        for one in stated {
            let own = entry
                .dependencies
                .iter_mut()
                .find(|(name, _)| is(name, &one.key));
            match (own, &one.new) {
                // Older versions of NuGet write the short form here.
                (Some((_, written)), _) if written.starts_with(['[', '(']) => {
                    *written = one.range.normal();
                }
                (Some((_, written)), _) => *written = one.range.short(),
                (None, Some(name)) => {
                    let is_short = entry
                        .dependencies
                        .iter()
                        .any(|(_, range)| !range.starts_with(['[', '(']));
                    let range = match is_short {
                        true => one.range.short(),
                        false => one.range.normal(),
                    };
                    entry.dependencies.push((name.clone(), range));
                    entry.dependencies.sort();
                }
                (None, None) => {}
            }
        }
        return Ok(());
    }

    let stated = change.direct.get(&key).map(|range| (Kind::Direct, range));
    let pinned = change
        .central
        .get(&key)
        .map(|range| (Kind::CentralTransitive, range));
    match (stated.or(pinned), entry.kind) {
        (Some((Kind::CentralTransitive, _)), Kind::Direct) | (None, _) => Ok(()),
        (Some((kind, range)), _) => {
            entry.kind = kind;
            entry.requested = Some(range.normal());
            Ok(())
        }
    }
}
