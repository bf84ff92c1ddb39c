//! The lines of a lockfile, and what a change of versions makes of them.
//!
//! A locked configuration must resolve to exactly what the lockfile lists for it
//! (<https://docs.gradle.org/current/userguide/dependency_locking.html>). So a change also has to list
//! what the new releases bring. What one of them no longer needs may be needed by something else, which
//! a lockfile does not say: such a change is refused.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::Upgradable as _;
use crate::maven::release_pom::{Need, Scope};
use crate::maven::{Maven, gradle_lines};

/// A package that gets a version.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) name: String,
    /// The version before; `None` for a package that is new.
    pub(super) from: Option<String>,
    pub(super) to: String,
    /// What the new release needs.
    pub(super) needs: Vec<Need>,
    /// What the release before needed.
    pub(super) needed: Vec<Need>,
}

/// The entries of a lockfile: configurations by package and version.
#[derive(Debug, Default)]
pub(super) struct Lines {
    head: String,
    entries: BTreeMap<String, BTreeSet<String>>,
    tail: String,
    line_end: &'static str,
}

impl Lines {
    /// Reads a lockfile.
    ///
    /// # Errors
    /// If its lines are not as Gradle writes them.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let mut lines = Self {
            line_end: if text.contains("\r\n") { "\r\n" } else { "\n" },
            ..Self::default()
        };
        if lines.line_end == "\r\n" && text.matches('\n').count() != text.matches("\r\n").count() {
            return Err("it has line breaks of several kinds".to_owned());
        }
        let mut last: Option<&str> = None;
        for whole in text.split_inclusive('\n') {
            let entry = gradle_lines::entries(whole).next();
            let parts = entry.and_then(|(_, text)| text.split_once('='));
            match parts {
                Some((key, configurations)) if key != super::EMPTY => {
                    if !lines.tail.is_empty() || last.is_some_and(|last| last >= key) {
                        return Err("its lines are not in the order of Gradle".to_owned());
                    }
                    last = Some(key);
                    let configurations = configurations.split(',').map(str::to_owned);
                    lines
                        .entries
                        .insert(key.to_owned(), configurations.collect());
                }
                _ if lines.entries.is_empty() => lines.head.push_str(whole),
                _ => lines.tail.push_str(whole),
            }
        }
        Ok(lines)
    }

    /// The lockfile as Gradle writes it.
    pub(super) fn text(&self) -> String {
        let mut text = self.head.clone();
        for (key, configurations) in &self.entries {
            let configurations: Vec<&str> = configurations.iter().map(String::as_str).collect();
            text.push_str(&format!(
                "{key}={}{}",
                configurations.join(","),
                self.line_end
            ));
        }
        text + &self.tail
    }

    /// The configurations of a package in a version.
    pub(super) fn configurations(&self, name: &str, version: &str) -> Option<&BTreeSet<String>> {
        self.entries.get(&key(name, version))
    }

    /// Changes the versions, and adds what they bring.
    ///
    /// # Errors
    /// If the result would not be what Gradle resolves, or that is not known.
    pub(super) fn change(&mut self, changes: &[Change]) -> Result<(), String> {
        let mut todo = VecDeque::new();
        for change in changes {
            let Some(from) = &change.from else { continue };
            if let Some(configurations) = self.entries.remove(&key(&change.name, from)) {
                self.add(&change.name, &change.to, &configurations);
                todo.push_back((change, configurations));
            }
        }

        while let Some((change, configurations)) = todo.pop_front() {
            self.keeps_all(change, &configurations)?;
            for need in &change.needs {
                let lacking = self.lacking(change, need, &configurations)?;
                if lacking.is_empty() {
                    continue;
                }
                let new = changes
                    .iter()
                    .find(|one| one.from.is_none() && one.name == need.name)
                    .ok_or_else(|| {
                        format!(
                            "`{}` {} needs `{}`, which the lockfile does not have",
                            change.name, change.to, need.name
                        )
                    })?;
                self.add(&new.name, &new.to, &lacking);
                todo.push_back((new, lacking));
            }
        }
        Ok(())
    }

    fn add(&mut self, name: &str, version: &str, configurations: &BTreeSet<String>) {
        let entry = self.entries.entry(key(name, version)).or_default();
        entry.extend(configurations.iter().cloned());
    }

    /// The version of a package in a configuration.
    fn version_in(&self, name: &str, configuration: &str) -> Option<&str> {
        let prefix = format!("{name}:");
        let mut entries = self.entries.range(prefix.clone()..);
        entries
            .by_ref()
            .map_while(|(key, configurations)| Some((key.strip_prefix(&prefix)?, configurations)))
            .find(|(_, configurations)| configurations.contains(configuration))
            .map(|(version, _)| version)
    }

    /// The configurations that lack what a release needs. A package that the build excludes was
    /// lacking before, and one that is only bounded need not be there.
    fn lacking(
        &self,
        change: &Change,
        need: &Need,
        configurations: &BTreeSet<String>,
    ) -> Result<BTreeSet<String>, String> {
        let mut lacking = BTreeSet::new();
        for configuration in configurations.iter().filter(|one| reaches(need.scope, one)) {
            let Some(version) = self.version_in(&need.name, configuration) else {
                let mut before = change.needed.iter();
                let is_excluded =
                    before.any(|one| one.name == need.name && reaches(one.scope, configuration));
                if !is_excluded && !need.only_bounds {
                    lacking.insert(configuration.clone());
                }
                continue;
            };
            if !need.is_known() {
                return Err(format!(
                    "which version of `{}` is needed by `{}` {} is not known",
                    need.name, change.name, change.to
                ));
            }
            if Maven.admits(&need.requirement, version) != Ok(true) {
                return Err(format!(
                    "`{}` {} needs `{}` {}, and {version} is locked",
                    change.name, change.to, need.name, need.requirement
                ));
            }
        }
        Ok(lacking)
    }

    /// Checks that a release needs everything that was needed before and is locked.
    fn keeps_all(&self, change: &Change, configurations: &BTreeSet<String>) -> Result<(), String> {
        for before in &change.needed {
            let lost = configurations.iter().find(|configuration| {
                let is_needed =
                    |one: &Need| one.name == before.name && reaches(one.scope, configuration);
                reaches(before.scope, configuration)
                    && !change.needs.iter().any(is_needed)
                    && self.version_in(&before.name, configuration).is_some()
            });
            if lost.is_some() {
                return Err(format!(
                    "`{}` {} no longer needs `{}`, and whether anything else does is not known",
                    change.name, change.to, before.name
                ));
            }
        }
        Ok(())
    }
}

/// Whether a dependency of a scope is in a configuration. Those named after compilation have what is
/// compiled against, and all others what is run.
fn reaches(scope: Scope, configuration: &str) -> bool {
    let name = configuration.to_ascii_lowercase();
    match scope {
        Scope::Compile => true,
        Scope::CompileOnly => name.ends_with("compileclasspath"),
        Scope::Runtime => !name.ends_with("compileclasspath"),
        Scope::Optional => false,
    }
}

fn key(name: &str, version: &str) -> String {
    format!("{name}:{version}")
}
