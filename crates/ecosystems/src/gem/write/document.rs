//! The text of a lockfile as sections, and the sections' entries.

use std::collections::{BTreeMap, BTreeSet};

use super::super::raise::locked;
use super::super::registry::{Archive, RUBY};

/// A gem with its dependencies, as a section lists it.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// Number of its line in the file before, from 1; 0 for a new one.
    line: usize,
    pub(super) name: String,
    /// The version, with `-` and the platform if there is one.
    pub(super) version: String,
    /// The lines as they are.
    lines: Vec<String>,
}

impl Entry {
    /// A new entry, by Bundler's `LazySpecification#to_lock`.
    pub(super) fn new(name: &str, version: &str, archive: &Archive) -> Self {
        let version = match archive.platform.as_str() {
            RUBY => version.to_owned(),
            platform => format!("{version}-{platform}"),
        };
        let mut needed: Vec<String> = archive
            .dependencies
            .iter()
            .map(|(name, requirement)| match locked(requirement) {
                Some(requirement) => format!("{name} ({requirement})"),
                None => name.clone(),
            })
            .collect();
        // Names are compared with the blank after them.
        needed.sort_by_key(|line| match line.contains(' ') {
            true => line.clone(),
            false => format!("{line} "),
        });
        needed.dedup();

        let mut lines = vec![format!("    {name} ({version})")];
        lines.extend(needed.into_iter().map(|line| format!("      {line}")));
        Self {
            line: 0,
            name: name.to_owned(),
            version,
            lines,
        }
    }

    /// RubyGems' `full_name`, by which Bundler sorts.
    fn full_name(&self) -> String {
        format!("{}-{}", self.name, self.version)
    }

    fn platform(&self) -> &str {
        self.version
            .split_once('-')
            .map_or(RUBY, |(_, platform)| platform)
    }
}

/// A part of the file.
#[derive(Debug)]
enum Part {
    /// Lines that are not entries of gems.
    Lines(Vec<String>),
    /// The gems of a section.
    Gems {
        is_registry: bool,
        entries: Vec<Entry>,
    },
}

/// A lockfile.
#[derive(Debug)]
pub(super) struct Document {
    parts: Vec<Part>,
    line_end: &'static str,
    /// Whether the last line has a line break.
    is_ended: bool,
}

impl Document {
    /// Cuts a text, which is a lockfile, into its parts.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let line_end = match text.contains("\r\n") {
            true => "\r\n",
            false => "\n",
        };
        if text.matches('\n').count() != text.matches(line_end).count()
            || text.replace("\r\n", "").contains('\r')
        {
            return Err("it has line breaks of several kinds".to_owned());
        }

        let mut parts = vec![Part::Lines(Vec::new())];
        let mut heading = "";
        let mut in_specs = false;
        for (number, line) in (1..).zip(text.lines()) {
            if !line.starts_with(' ') {
                in_specs = false;
                if !line.is_empty() {
                    heading = line;
                }
            }
            let entry = line
                .strip_prefix("    ")
                .filter(|rest| in_specs && !rest.starts_with(' '));
            match (entry.and_then(split), parts.last_mut()) {
                (Some((name, version)), Some(Part::Gems { entries, .. })) => entries.push(Entry {
                    line: number,
                    name: name.to_owned(),
                    version: version.to_owned(),
                    lines: vec![line.to_owned()],
                }),
                (None, Some(Part::Gems { entries, .. })) if in_specs => {
                    let entry = entries
                        .last_mut()
                        .ok_or("its sections cannot be cut into gems")?;
                    entry.lines.push(line.to_owned());
                }
                (_, Some(Part::Lines(lines))) => lines.push(line.to_owned()),
                _ => parts.push(Part::Lines(vec![line.to_owned()])),
            }
            if line == "  specs:" {
                in_specs = true;
                parts.push(Part::Gems {
                    is_registry: heading == "GEM",
                    entries: Vec::new(),
                });
            }
        }

        Ok(Self {
            parts,
            line_end,
            is_ended: text.ends_with('\n'),
        })
    }

    /// The text of the file, after a byte order mark if it had one (`with_mark`).
    pub(super) fn print(&self, with_mark: bool) -> String {
        let mut lines: Vec<&str> = Vec::new();
        for part in &self.parts {
            match part {
                Part::Lines(own) => lines.extend(own.iter().map(String::as_str)),
                Part::Gems { entries, .. } => {
                    lines.extend(
                        entries
                            .iter()
                            .flat_map(|entry| &entry.lines)
                            .map(String::as_str),
                    );
                }
            }
        }

        let mut text = match with_mark {
            true => "\u{feff}".to_owned(),
            false => String::new(),
        };
        text += &lines.join(self.line_end);
        if self.is_ended {
            text += self.line_end;
        }
        text
    }

    fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.parts.iter().flat_map(|part| match part {
            Part::Gems { entries, .. } => entries.as_slice(),
            Part::Lines(_) => &[],
        })
    }

    /// The platforms for which the file is.
    pub(super) fn platforms(&self) -> Vec<String> {
        let listed = self.section("PLATFORMS").map(|line| line.trim().to_owned());
        let listed: Vec<String> = listed.collect();
        match listed.is_empty() {
            true => vec![RUBY.to_owned()],
            false => listed,
        }
    }

    /// The platforms of the archives of a gem that the file lists.
    pub(super) fn platforms_of(&self, name: &str) -> BTreeSet<String> {
        self.entries()
            .filter(|entry| entry.name == name)
            .map(|entry| entry.platform().to_owned())
            .collect()
    }

    /// The lines of a section, without its heading.
    fn section<'d>(&'d self, heading: &'d str) -> impl Iterator<Item = &'d str> {
        let lines = self.parts.iter().flat_map(|part| match part {
            Part::Lines(lines) => lines.as_slice(),
            Part::Gems { .. } => &[],
        });
        lines
            .map(String::as_str)
            .skip_while(move |line| *line != heading)
            .skip(1)
            .take_while(|line| line.starts_with(' '))
    }

    /// Whether the file lists the hashes of archives.
    pub(super) fn has_checksums(&self) -> bool {
        self.parts.iter().any(|part| match part {
            Part::Lines(lines) => lines.iter().any(|line| line == "CHECKSUMS"),
            Part::Gems { .. } => false,
        })
    }

    /// Replaces the entries of gems that change (`changed`, by the lines that they have now), adds
    /// those of new gems, and removes all others that are not `kept`.
    pub(super) fn replace(
        &mut self,
        kept: &BTreeSet<usize>,
        changed: &BTreeSet<usize>,
        mut new: BTreeMap<&str, Vec<Entry>>,
    ) -> Result<(), String> {
        let registries = self.parts.iter().filter(|part| {
            matches!(
                part,
                Part::Gems {
                    is_registry: true,
                    ..
                }
            )
        });
        let is_only = registries.count() == 1;
        for part in &mut self.parts {
            let Part::Gems {
                is_registry,
                entries,
            } = part
            else {
                continue;
            };
            let is_sorted = entries.is_sorted_by_key(Entry::full_name);
            let mut result: Vec<Entry> = Vec::with_capacity(entries.len());
            for entry in entries.drain(..) {
                if changed.contains(&entry.line) && !*is_registry {
                    return Err(format!("`{}` is not from a registry", entry.name));
                } else if changed.contains(&entry.line) {
                    result.extend(new.remove(entry.name.as_str()).unwrap_or_default());
                } else if kept.contains(&entry.line) {
                    result.push(entry);
                }
            }
            if *is_registry && is_only {
                // Gems that the file does not have yet. Those it has are replaced where they are.
                let known: Vec<&str> = new.keys().copied().collect();
                for name in known {
                    for entry in new.remove(name).unwrap_or_default() {
                        let at = result
                            .iter()
                            .position(|other| other.full_name() > entry.full_name());
                        result.insert(at.unwrap_or(result.len()), entry);
                    }
                }
            }
            if is_sorted {
                result.sort_by_key(Entry::full_name);
            }
            *entries = result;
        }

        match new.keys().next() {
            Some(name) => Err(format!("it is not clear which source `{name}` is from")),
            None => Ok(()),
        }
    }

    /// Makes the hashes those of the entries. `new` has the hashes of gems that change.
    pub(super) fn replace_checksums(&mut self, new: BTreeMap<(String, String), String>) {
        let current: BTreeSet<(String, String)> = self
            .entries()
            .map(|entry| (entry.name.clone(), entry.version.clone()))
            .collect();
        let changed: BTreeSet<String> = new.keys().map(|(name, _)| name.clone()).collect();
        let lines = self.parts.iter_mut().find_map(|part| match part {
            Part::Lines(lines) if lines.iter().any(|line| line == "CHECKSUMS") => Some(lines),
            _ => None,
        });
        let Some(lines) = lines else {
            return;
        };

        let start = lines
            .iter()
            .position(|line| line == "CHECKSUMS")
            .map_or(0, |at| at + 1);
        let rest = lines.get(start..).unwrap_or_default();
        let count = rest.iter().take_while(|line| line.starts_with(' ')).count();
        let old: Vec<String> = lines.drain(start..start + count).collect();
        let is_sorted = old.is_sorted();

        let mut new: Vec<(String, String)> = new
            .into_iter()
            .map(|((name, version), hash)| {
                let line = format!("  {name} ({version}) sha256={hash}");
                (name, line)
            })
            .collect();
        let mut result: Vec<String> = Vec::with_capacity(old.len());
        for line in old {
            let key = split(line.trim_start())
                .map(|(name, version)| (name.to_owned(), version.to_owned()));
            match key {
                Some((name, _)) if changed.contains(&name) => {
                    // In the position of the gem's first line.
                    let (own, others) = new.into_iter().partition(|(other, _)| *other == name);
                    new = others;
                    let own: Vec<(String, String)> = own;
                    result.extend(own.into_iter().map(|(_, line)| line));
                }
                Some(key) if !current.contains(&key) => {}
                _ => result.push(line),
            }
        }
        for (_, line) in new {
            let at = result.iter().position(|other| *other > line);
            result.insert(at.unwrap_or(result.len()), line);
        }
        if is_sorted {
            result.sort();
        }
        lines.splice(start..start, result);
    }

    /// Writes a requirement of the project.
    pub(super) fn set_requirement(
        &mut self,
        name: &str,
        requirement: Option<&str>,
    ) -> Result<(), String> {
        for part in &mut self.parts {
            let Part::Lines(lines) = part else {
                continue;
            };
            let Some(start) = lines.iter().position(|line| line == "DEPENDENCIES") else {
                continue;
            };
            for line in lines
                .iter_mut()
                .skip(start + 1)
                .take_while(|line| line.starts_with(' '))
            {
                let plain = line.trim();
                let (plain, mark) = match plain.strip_suffix('!') {
                    Some(plain) => (plain, "!"),
                    None => (plain, ""),
                };
                if plain.split(' ').next() == Some(name) {
                    *line = match requirement {
                        Some(requirement) => format!("  {name} ({requirement}){mark}"),
                        None => format!("  {name}{mark}"),
                    };
                    return Ok(());
                }
            }
        }

        Err(format!("it does not list the requirement on `{name}`"))
    }
}

/// The name and the version in `name (version)`, and what follows.
fn split(text: &str) -> Option<(&str, &str)> {
    let (name, rest) = text.split_once(" (")?;
    let (version, _) = rest.split_once(')')?;
    Some((name, version))
}
