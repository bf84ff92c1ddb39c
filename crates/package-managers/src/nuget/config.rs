//! The sources in `nuget.config` files
//! (<https://learn.microsoft.com/nuget/reference/nuget-config-file>).

use std::collections::{BTreeMap, BTreeSet};

use patchgate_syntax::{Element, xml};

/// Most sources and patterns in all files.
const MAX_ENTRIES: usize = 10_000;

/// A source of packages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Source {
    pub(super) name: String,
    /// Its address, or a path.
    pub(super) address: String,
    /// Whether it is a feed of version 3: it says so, or its address is that of a service index.
    pub(super) is_version_3: bool,
}

/// The settings of several files, of which later ones win.
#[derive(Debug, Default)]
pub(super) struct Settings {
    /// Sources by their names in lower case, in the order in which they were added.
    sources: Vec<(String, Source)>,
    disabled: BTreeSet<String>,
    /// Patterns of names in lower case, by source.
    mapping: BTreeMap<String, BTreeSet<String>>,
}

impl Settings {
    /// Adds the settings of a file that counts more than those before.
    ///
    /// # Errors
    /// If it is not a file of settings.
    pub(super) fn add(&mut self, text: &str) -> Result<(), String> {
        let text = text.trim_start_matches('\u{feff}');
        let root = xml(text).map_err(|error| format!("it {error}"))?;
        if !root.name.eq_ignore_ascii_case("configuration") {
            return Err("it is not a file of settings".to_owned());
        }

        for section in &root.children {
            match section.name.to_ascii_lowercase().as_str() {
                "packagesources" => self.add_sources(section),
                "disabledpackagesources" => self.add_disabled(section),
                "packagesourcemapping" => self.add_mapping(section),
                _ => {}
            }
        }
        let patterns: usize = self.mapping.values().map(BTreeSet::len).sum();
        match self.sources.len() + self.disabled.len() + patterns > MAX_ENTRIES {
            true => Err("it has too many entries".to_owned()),
            false => Ok(()),
        }
    }

    fn add_sources(&mut self, section: &Element<'_>) {
        for element in &section.children {
            let key = key(element);
            let is_removed = element.name.eq_ignore_ascii_case("remove")
                || element.name.eq_ignore_ascii_case("add");
            match element.name.to_ascii_lowercase().as_str() {
                "clear" => self.sources.clear(),
                _ if is_removed => self.sources.retain(|(name, _)| *name != key),
                _ => {}
            }
            if element.name.eq_ignore_ascii_case("add") {
                let attribute = |name| attribute(element, name).unwrap_or_default();
                let address = attribute("value").trim().to_owned();
                let source = Source {
                    name: attribute("key").to_owned(),
                    is_version_3: attribute("protocolVersion") == "3"
                        || address.to_ascii_lowercase().ends_with("index.json"),
                    address,
                };
                self.sources.push((key, source));
            }
        }
    }

    fn add_disabled(&mut self, section: &Element<'_>) {
        for element in &section.children {
            let key = key(element);
            let value = attribute(element, "value").unwrap_or_default();
            match element.name.to_ascii_lowercase().as_str() {
                "clear" => self.disabled.clear(),
                "add" if value.eq_ignore_ascii_case("true") => {
                    self.disabled.insert(key);
                }
                "add" | "remove" => {
                    self.disabled.remove(&key);
                }
                _ => {}
            }
        }
    }

    fn add_mapping(&mut self, section: &Element<'_>) {
        for element in &section.children {
            match element.name.to_ascii_lowercase().as_str() {
                "clear" => self.mapping.clear(),
                "packagesource" => {
                    let patterns = self.mapping.entry(key(element)).or_default();
                    let listed = element.children.iter();
                    patterns.extend(
                        listed
                            .filter_map(|package| attribute(package, "pattern"))
                            .map(|pattern| pattern.trim().to_ascii_lowercase()),
                    );
                }
                _ => {}
            }
        }
    }

    /// The sources that may have a package, whose name is in lower case. The longest pattern of a
    /// mapping counts, and a name before a pattern
    /// (<https://learn.microsoft.com/nuget/consume-packages/package-source-mapping#package-pattern-precedence>).
    pub(super) fn sources_of(&self, package: &str) -> Vec<&Source> {
        let enabled = self
            .sources
            .iter()
            .filter(|(name, _)| !self.disabled.contains(name));
        if self.mapping.is_empty() {
            return enabled.map(|(_, source)| source).collect();
        }

        let precedence = |pattern: &String| match pattern.strip_suffix('*') {
            Some(start) => package.starts_with(start).then_some((false, start.len())),
            None => (pattern == package).then_some((true, pattern.len())),
        };
        let of = |name: &String| {
            let patterns = self.mapping.get(name).into_iter().flatten();
            patterns.filter_map(precedence).max()
        };
        let best = self.mapping.keys().filter_map(of).max();
        enabled
            .filter(|(name, _)| best.is_some() && of(name) == best)
            .map(|(_, source)| source)
            .collect()
    }
}

/// The name of the source that an element is about, in lower case.
fn key(element: &Element<'_>) -> String {
    let key = attribute(element, "key").unwrap_or_default();
    key.trim().to_ascii_lowercase()
}

fn attribute<'e>(element: &'e Element<'_>, name: &str) -> Option<&'e str> {
    let mut attributes = element.attributes.iter();
    attributes
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.as_ref())
}
