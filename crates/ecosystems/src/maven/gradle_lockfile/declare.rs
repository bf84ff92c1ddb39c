//! The scripts and catalogs that state the versions of a locked project.
//!
//! A lockfile is made from them: when Gradle writes it the next time, a version that none of them asks
//! for is lost. So a version is raised where it is stated, and one that only dependencies ask for gets a
//! constraint.

use std::collections::BTreeSet;

use super::directory;
use super::lines::{Change, Lines};
use crate::maven::Maven;
use crate::maven::gradle_catalog::{self, Catalog};
use crate::maven::gradle_script::{Script, with_constraint};
use crate::maven::moves::Moves;
use crate::{Ecosystem as _, Siblings};

/// The files of a build, as far as they are changed.
pub(super) struct Build<'a> {
    pub(super) before: &'a Siblings,
    pub(super) changed: Siblings,
}

impl Build<'_> {
    pub(super) fn text(&self, path: &str) -> Option<&str> {
        let bytes = self.changed.get(path).or_else(|| self.before.get(path))?;
        std::str::from_utf8(bytes).ok()
    }

    fn set(&mut self, path: &str, text: String) {
        self.changed.insert(path.to_owned(), text.into_bytes());
    }

    /// States the versions of the changes that a lockfile has. Returns the directories below which
    /// the changed files count.
    ///
    /// # Errors
    /// If a version is not stated in a way that can be changed.
    pub(super) fn declare(
        &mut self,
        lockfile: &str,
        lines: &Lines,
        changes: &[Change],
    ) -> Result<BTreeSet<String>, String> {
        let mut changed = BTreeSet::new();
        let paths = self.above(lockfile);
        for change in changes {
            let Some(from) = &change.from else { continue };
            let Some(configurations) = lines.configurations(&change.name, from) else {
                continue;
            };

            let mut is_stated = false;
            for path in &paths {
                if let Some(is_changed) = self.raise(path, change)? {
                    is_stated = true;
                    if is_changed {
                        changed.insert(scope_of(path).to_owned());
                    }
                }
            }
            if !is_stated && !is_implied(change, changes) {
                self.constrain(lockfile, &paths, configurations, change)?;
            }
        }
        Ok(changed)
    }

    /// The scripts and catalogs that may state versions of a project: those in its directory and
    /// above it, and those with names of their own, which other scripts apply.
    fn above(&self, lockfile: &str) -> Vec<String> {
        let own = directory(lockfile);
        let is_above = |path: &&String| {
            let scope = scope_of(path);
            let is_project = is_script(path)
                && matches!(
                    path.rsplit('/').next(),
                    Some("build.gradle" | "build.gradle.kts")
                );
            let is_above = scope.is_empty()
                || own == scope
                || own
                    .strip_prefix(scope)
                    .is_some_and(|rest| rest.starts_with('/'));
            (is_script(path) && !is_project) || ((is_project || is_catalog(path)) && is_above)
        };
        self.before.keys().filter(is_above).cloned().collect()
    }

    /// Raises the version where a file states it. `None` if it does not; else whether it changed.
    fn raise(&mut self, path: &str, change: &Change) -> Result<Option<bool>, String> {
        let text = self.text(path);
        let text = text.ok_or_else(|| format!("`{path}` is not UTF-8"))?;
        if !text.contains(change.name.split(':').next_back().unwrap_or_default()) {
            return Ok(None);
        }
        let is_lower = |version: &str| {
            let order = Maven.compare_versions(version, &change.to);
            order.is_ok_and(std::cmp::Ordering::is_lt)
        };

        if is_catalog(path) {
            let catalog = Catalog::read(text).map_err(|error| format!("`{path}` {error}"))?;
            let stated: Vec<&str> = catalog.versions_of(&change.name).collect();
            let moves: Moves = stated
                .iter()
                .filter(|version| is_lower(version))
                .map(|version| {
                    let key = (change.name.clone(), (*version).to_owned());
                    (key, change.to.clone())
                })
                .collect();
            if stated.is_empty() || moves.is_empty() {
                return Ok((!stated.is_empty()).then_some(false));
            }
            let raised = gradle_catalog::change(text, &moves);
            let raised = raised.map_err(|reason| format!("`{path}`: {reason}"))?;
            self.set(path, raised);
            return Ok(Some(true));
        }

        let script = Script::read(text);
        if script.computed.contains(&change.name) {
            return Err(format!(
                "`{path}` states the version of `{}` in a way that is not a literal",
                change.name
            ));
        }
        let own = script.literals.iter().filter(|one| one.name == change.name);
        let own: Vec<_> = own.collect();
        let mut raised = text.to_owned();
        for literal in own.iter().rev().filter(|one| is_lower(&one.version)) {
            raised.replace_range(literal.at.clone(), &change.to);
        }
        if own.is_empty() {
            return Ok(None);
        }
        let is_changed = raised != text;
        self.set(path, raised);
        Ok(Some(is_changed))
    }

    /// Adds a constraint to the project's own script.
    fn constrain(
        &mut self,
        lockfile: &str,
        paths: &[String],
        configurations: &BTreeSet<String>,
        change: &Change,
    ) -> Result<(), String> {
        let name = &change.name;
        if !lockfile.ends_with("/gradle.lockfile") && lockfile != "gradle.lockfile" {
            return Err(format!(
                "nothing states the version of the build's `{name}`"
            ));
        }
        for path in paths.iter().filter(|path| is_script(path)) {
            if let Some(word) = Script::read(self.text(path).unwrap_or_default()).forces {
                return Err(format!(
                    "`{name}` would need a constraint, and `{path}` decides versions by `{word}`"
                ));
            }
        }

        let declared = declarable(configurations)
            .map_err(|other| format!("no constraint is known to reach `{name}` in `{other}`"))?;
        let directory = directory(lockfile);
        let own = ["build.gradle", "build.gradle.kts"].map(|file| match directory {
            "" => file.to_owned(),
            _ => format!("{directory}/{file}"),
        });
        let own = own.into_iter().find(|path| self.text(path).is_some());
        let path = own.ok_or_else(|| format!("no script of the project can constrain `{name}`"))?;
        for configuration in declared {
            let text = self.text(&path).unwrap_or_default();
            let is_kotlin = path.ends_with(".kts");
            let added = with_constraint(text, is_kotlin, configuration, (name, &change.to));
            let added =
                added.map_err(|reason| format!("`{path}` cannot constrain `{name}`: {reason}"))?;
            self.set(&path, added);
        }
        Ok(())
    }
}

/// Whether a release that comes with the change asks for the version itself.
fn is_implied(change: &Change, changes: &[Change]) -> bool {
    changes.iter().flat_map(|one| &one.needs).any(|need| {
        let requirement = need.requirement.trim_matches(['[', ']']);
        need.name == change.name && requirement == change.to
    })
}

/// The configurations in which constraints are declared, for those that are resolved. The error is one
/// for which there is none
/// (<https://docs.gradle.org/current/userguide/java_plugin.html#sec:java_plugin_and_dependency_management>).
fn declarable(resolved: &BTreeSet<String>) -> Result<BTreeSet<&'static str>, &str> {
    let mut declared = BTreeSet::new();
    for configuration in resolved {
        declared.insert(match configuration.as_str() {
            "compileClasspath" | "runtimeClasspath" | "productionRuntimeClasspath" => {
                "implementation"
            }
            "testCompileClasspath" | "testRuntimeClasspath" => "testImplementation",
            "annotationProcessor" => "annotationProcessor",
            "testAnnotationProcessor" => "testAnnotationProcessor",
            other => return Err(other),
        });
    }
    // What tests get, they get from the project too.
    if declared.contains("implementation") {
        declared.remove("testImplementation");
    }
    Ok(declared)
}

fn is_script(path: &str) -> bool {
    path.ends_with(".gradle") || path.ends_with(".gradle.kts")
}

fn is_catalog(path: &str) -> bool {
    path.ends_with(".versions.toml")
}

/// The directory below which a file counts: that of its project. A script with a name of its own
/// counts everywhere.
fn scope_of(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    match name {
        "build.gradle" | "build.gradle.kts" => directory(path),
        _ if is_catalog(path) => directory(directory(path)),
        _ => "",
    }
}
