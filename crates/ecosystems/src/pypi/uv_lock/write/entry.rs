//! The entry of a package that gets a release.

use std::collections::{BTreeMap, BTreeSet};

use super::document::{Entry, Line};
use super::files::Files;
use super::graph::Plan;
use crate::pypi::marker::{Applies, Marker};
use crate::pypi::name::normalize;
use crate::pypi::python_range::{Interval, PythonRange};
use crate::pypi::raise::admits;
use crate::pypi::release_files;
use crate::{Release, Requirement};

/// A written entry, without the line end after it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct NewEntry {
    pub(super) text: String,
    /// Everything that it depends on.
    pub(super) lines: Vec<Line>,
    /// Whether all of its wheels are for every platform.
    pub(super) is_for_all_platforms: bool,
}

/// The requirements of a part of a release on one package.
struct Needed<'r> {
    requirement: &'r Requirement,
    all: Vec<&'r Requirement>,
    /// `None` if it has a form that is not supported.
    marker: Option<Marker>,
    extras: BTreeSet<String>,
}

/// The environments that an entry is for.
struct Environments {
    /// The versions of Python against which markers are simplified.
    python: PythonRange,
    /// Those of the entry.
    own: PythonRange,
    /// The versions of Python that each marker repeats.
    repeated: Option<Vec<Interval>>,
    /// Whether it is known how the file states markers.
    is_certain: bool,
}

impl Environments {
    /// Where a marker applies, as the entry states it.
    fn applies(&self, marker: &Marker) -> Option<Applies> {
        if marker.applies(&self.own)? == Applies::Never {
            return Some(Applies::Never);
        }
        match &self.repeated {
            Some(python) => marker
                .and(&Marker::for_python(python))?
                .applies(&self.python),
            None => marker.applies(&self.python),
        }
    }
}

/// Requirements by the extra that they belong to, then by name.
type Parts<'r> = BTreeMap<String, BTreeMap<String, Needed<'r>>>;

impl Plan<'_> {
    /// The entry of a node that gets a release. `asked` are the extras that something asks for.
    pub(super) fn entry(
        &self,
        number: usize,
        release: &Release,
        source: &str,
        asked: &BTreeSet<String>,
    ) -> Result<NewEntry, String> {
        let node = self.target.nodes.get(number);
        let name = normalize(node.map_or("", |node| &node.name));
        release_files::check(&name, &release.version)?;
        let environments = self.environments_of(number, &name)?;
        let own = |reason: String| format!("`{name}` {}: {reason}", release.version);
        if release.details.is_some() {
            return Err(own("its dependencies are not known".to_owned()));
        }

        self.check_release(release, &environments.own)
            .map_err(own)?;
        let mut parts = parts(release).map_err(own)?;
        let mut entry = NewEntry::default();
        let mut text = format!(
            "[[package]]\nname = \"{name}\"\nversion = \"{}\"\nsource = {source}\n{}",
            release.version,
            self.entry_of(number)
                .map(Entry::environment_lines)
                .unwrap_or_default()
        );
        let base = parts.remove("").unwrap_or_default();
        let lines = self.lines(&name, &base, &environments).map_err(own)?;
        if !lines.is_empty() {
            text.push_str(&format!("dependencies = [\n{}]\n", self.listed(&lines)));
        }
        entry.lines.extend(lines);

        let files = Files::of(release, &self.document.python).map_err(own)?;
        entry.is_for_all_platforms = files.are_for_all_platforms;
        text.push_str(&files.lines(self.document.has_times)?);

        let mut sections = String::new();
        for extra in asked {
            let part = parts.remove(extra).ok_or_else(|| {
                own(format!(
                    "it has no extra `{extra}`, which something asks for"
                ))
            })?;
            let lines = self.lines(&name, &part, &environments).map_err(own)?;
            if lines.is_empty() {
                return Err(own(format!("its extra `{extra}` adds nothing")));
            }
            sections.push_str(&format!("{extra} = [\n{}]\n", self.listed(&lines)));
            entry.lines.extend(lines);
        }
        if !sections.is_empty() {
            text.push_str(&format!("\n[package.optional-dependencies]\n{sections}"));
        }

        entry.text = text.trim_end_matches('\n').to_owned();
        Ok(entry)
    }

    /// Checks what uv asks of a release before it takes it.
    fn check_release(&self, release: &Release, python: &PythonRange) -> Result<(), String> {
        if let Some(runtime) = &release.runtime {
            let range = PythonRange::parse(runtime);
            if !range.is_some_and(|range| range.starts_before(python)) {
                return Err(format!(
                    "it needs Python `{runtime}`, which is not certain for the whole project"
                ));
            }
        }
        if let Some(limit) = &self.document.exclude_newer {
            let second = |time: &str| time.get(..19).map(str::to_owned);
            let is_older = match (&release.published, second(limit)) {
                (Some(published), Some(limit)) => second(published).is_some_and(|at| at < limit),
                _ => false,
            };
            if !is_older {
                return Err("it is not older than the `exclude-newer` of the file".to_owned());
            }
        }
        Ok(())
    }

    /// The environments that the entry of a node is for.
    fn environments_of(&self, number: usize, name: &str) -> Result<Environments, String> {
        let python = &self.document.python;
        let is_fork = self
            .entry_of(number)
            .is_some_and(|entry| !entry.environments.is_empty());
        if !is_fork {
            return Ok(Environments {
                python: python.clone(),
                own: python.clone(),
                repeated: None,
                is_certain: true,
            });
        }

        let unclear = || format!("the environments of `{name}` are not certain");
        let set = self.python_of(number).ok_or_else(unclear)?;
        let own = python.within(&set).ok_or_else(unclear)?;
        Ok(match self.document.repeats_environments {
            Some(true) => Environments {
                python: python.clone(),
                repeated: Some(set),
                own,
                is_certain: true,
            },
            stated => Environments {
                python: own.clone(),
                repeated: None,
                own,
                is_certain: stated.is_some(),
            },
        })
    }

    /// The lines of a part of an entry.
    fn lines(
        &self,
        own: &str,
        part: &BTreeMap<String, Needed<'_>>,
        environments: &Environments,
    ) -> Result<Vec<Line>, String> {
        let mut lines = Vec::new();
        for (name, needed) in part {
            let unclear = || format!("the marker of its dependency `{name}` is not certain");
            let marker = needed.marker.as_ref().ok_or_else(unclear)?;
            let applies = environments.applies(marker).ok_or_else(unclear)?;
            if applies == Applies::Never {
                continue;
            }
            if !environments.is_certain {
                return Err(unclear());
            }
            if *name == own {
                return Err("it depends on itself".to_owned());
            }
            if needed.requirement.requirement.starts_with('@') {
                return Err(format!("`{name}` is not from an index"));
            }

            let copies = self.copies(name);
            if copies.is_empty() {
                return Err(format!("it needs `{name}`, which nothing needed before"));
            }
            let extras: Vec<String> = needed.extras.iter().cloned().collect();
            for copy in &copies {
                let version = self.version(*copy).unwrap_or_default();
                let marker = match copies.len() {
                    1 => applies.clone(),
                    _ => self
                        .environments(*copy)
                        .and_then(|of_copy| of_copy.and(marker))
                        .and_then(|marker| environments.applies(&marker))
                        .ok_or_else(unclear)?,
                };
                if marker == Applies::Never {
                    continue;
                }
                check_admits(name, version, needed, &environments.own)?;
                lines.push(Line {
                    name: name.clone(),
                    version: (copies.len() > 1).then(|| version.to_owned()),
                    extras: extras.clone(),
                    marker: match marker {
                        Applies::When(text) => text,
                        _ => String::new(),
                    },
                });
            }
        }
        Ok(lines)
    }

    /// Lines as text.
    fn listed(&self, lines: &[Line]) -> String {
        let mut text = String::new();
        for line in lines {
            text.push_str(&format!("    {{ name = \"{}\"", line.name));
            if let Some(version) = &line.version {
                let source = self.source_of(&line.name, version).unwrap_or_default();
                text.push_str(&format!(", version = \"{version}\", source = {source}"));
            }
            if !line.extras.is_empty() {
                let extras: Vec<String> = line
                    .extras
                    .iter()
                    .map(|extra| format!("\"{extra}\""))
                    .collect();
                text.push_str(&format!(", extra = [{}]", extras.join(", ")));
            }
            if !line.marker.is_empty() {
                text.push_str(&format!(", marker = \"{}\"", line.marker));
            }
            text.push_str(" },\n");
        }
        text
    }
}

/// Checks that a version meets the requirements that apply.
fn check_admits(
    name: &str,
    version: &str,
    needed: &Needed<'_>,
    python: &PythonRange,
) -> Result<(), String> {
    for requirement in &needed.all {
        let applies = Marker::parse(&requirement.condition)
            .and_then(|marker| marker.by_extra().into_values().next())
            .and_then(|marker| marker.applies(python));
        let is_met = requirement.requirement.is_empty()
            || admits(&requirement.requirement, version) == Ok(true);
        if !is_met && applies != Some(Applies::Never) {
            return Err(format!(
                "it needs `{name}` in {}, which {version} is not",
                requirement.requirement
            ));
        }
    }
    Ok(())
}

/// The requirements of a release by extra and name.
fn parts(release: &Release) -> Result<Parts<'_>, String> {
    let mut parts = Parts::new();
    for requirement in &release.requirements {
        let name = normalize(&requirement.name).into_owned();
        let extras: BTreeSet<String> = requirement
            .features
            .iter()
            .map(|extra| normalize(extra).into_owned())
            .collect();
        // A marker of an extra that nothing asks for may have any form.
        let markers: Vec<(String, Option<Marker>)> = match Marker::parse(&requirement.condition) {
            Some(marker) => {
                let by_extra = marker.by_extra().into_iter();
                by_extra
                    .map(|(extra, marker)| (extra, Some(marker)))
                    .collect()
            }
            None => {
                let extras = extras_of(&requirement.condition);
                extras.into_iter().map(|extra| (extra, None)).collect()
            }
        };
        for (extra, marker) in markers {
            let part = parts.entry(extra).or_default();
            let Some(known) = part.get_mut(&name) else {
                let needed = Needed {
                    requirement,
                    all: vec![requirement],
                    marker,
                    extras: extras.clone(),
                };
                part.insert(name.clone(), needed);
                continue;
            };
            if known.extras != extras {
                return Err(format!("it needs `{name}` with different extras"));
            }
            known.marker = match (known.marker.take(), marker) {
                (Some(known), Some(marker)) => known.or(marker),
                _ => None,
            };
            known.all.push(requirement);
        }
    }
    Ok(parts)
}

/// The extras in a marker that cannot be read. The empty name if there are none: it concerns the
/// package itself then.
fn extras_of(marker: &str) -> BTreeSet<String> {
    let mut extras = BTreeSet::new();
    for after in marker.split("extra").skip(1) {
        let value = after.trim_start().strip_prefix("==").map(str::trim_start);
        let quote = value.and_then(|value| value.chars().next());
        let value = match (value, quote) {
            (Some(value), Some(quote @ ('"' | '\''))) => value.split(quote).nth(1),
            _ => None,
        };
        extras.insert(normalize(value.unwrap_or_default()).into_owned());
    }
    if extras.is_empty() {
        extras.insert(String::new());
    }
    extras
}
