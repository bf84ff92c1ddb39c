//! The subset of MSBuild's XML (<https://learn.microsoft.com/visualstudio/msbuild/msbuild>) that
//! determines the packages of a project.
//!
//! Conditions are not evaluated: everything under any condition counts, and a property that is set
//! under several conditions has several values. Nothing is run, so property functions stay
//! unresolved.

use std::collections::{BTreeMap, BTreeSet};

use patchgate_model::Loss;

use super::text::text;
use crate::syntax::{Element, xml};
use crate::{Input, ParseError, SkippedEntries};

/// Most values of one text after its properties are expanded.
const MAX_VALUES: usize = 16;

/// Longest expanded text, in bytes. Names and versions are far shorter.
const MAX_VALUE_BYTES: usize = 1024;

/// Deepest nesting of references between properties.
const MAX_REFERENCES: usize = 32;

/// The statements of one file.
#[derive(Debug, Default)]
pub(super) struct Document {
    pub(super) statements: Vec<Statement>,
    /// Items that could not be read.
    pub(super) skipped: SkippedEntries,
}

/// A statement, in file order.
#[derive(Debug)]
pub(super) enum Statement {
    /// Sets a property, in a `PropertyGroup`.
    Property {
        /// Name in lower case, because MSBuild ignores the case.
        name: String,
        value: String,
        /// Whether the property is set only under a condition.
        conditional: bool,
    },
    /// Names a package, in an `ItemGroup`.
    Item(Item),
    /// Imports another file here.
    Import { path: String, line: u32 },
}

/// The kind of a package item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ItemKind {
    /// A package of the project (`PackageReference`).
    Reference,
    /// A build-time package of every project (`GlobalPackageReference`).
    Global,
    /// A package that is run during the build or only downloaded (`DotNetCliToolReference`,
    /// `PackageDownload`).
    Tool,
    /// The version for references without one (`PackageVersion`).
    Version,
}

/// A package item, as written.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) kind: ItemKind,
    /// Names separated by `;`, as written.
    pub(super) names: String,
    /// Whether the item only changes one that is included elsewhere.
    pub(super) is_update: bool,
    /// Version as written; may contain properties.
    pub(super) version: Option<String>,
    /// Whether the package is only used for development.
    pub(super) is_development: bool,
    pub(super) line: u32,
}

impl Document {
    /// Reads a file and decodes its XML.
    pub(super) fn read(input: &Input<'_>) -> Result<Self, ParseError> {
        let text = text(input)?;
        let root = xml(&text)?;
        if root.name != "Project" {
            return Err(ParseError::new(format!(
                "begins with `<{}>` where `<Project>` is expected",
                root.name
            ))
            .at_line(root.line as usize));
        }

        let mut document = Self::default();
        document.gather(&root, false);

        Ok(document)
    }

    fn gather(&mut self, parent: &Element<'_>, conditional: bool) {
        for element in &parent.children {
            let conditional = conditional || attribute(element, "Condition").is_some();
            let is = |name: &str| element.name.eq_ignore_ascii_case(name);

            if is("PropertyGroup") {
                for property in &element.children {
                    self.statements.push(Statement::Property {
                        name: property.name.to_ascii_lowercase(),
                        value: property.text.clone(),
                        conditional: conditional || attribute(property, "Condition").is_some(),
                    });
                }
            } else if is("ItemGroup") {
                for element in &element.children {
                    let items = items(element);
                    let items = self.skipped.recover(Loss::Package, element.line, items);
                    self.statements
                        .extend(items.unwrap_or_default().into_iter().map(Statement::Item));
                }
            } else if is("Import") {
                if let Some(path) = attribute(element, "Project") {
                    self.statements.push(Statement::Import {
                        path: path.to_owned(),
                        line: element.line,
                    });
                }
            } else if ["ImportGroup", "Choose", "When", "Otherwise", "Target"]
                .iter()
                .any(|name| is(name))
            {
                // The branches of a choice are conditions too.
                self.gather(element, conditional || !is("ImportGroup"));
            }
        }
    }

    /// The package items of the file itself.
    pub(super) fn items(&self) -> impl Iterator<Item = &Item> {
        self.statements
            .iter()
            .filter_map(|statement| match statement {
                Statement::Item(item) => Some(item),
                _ => None,
            })
    }
}

/// An attribute by name, ignoring case as MSBuild does for metadata.
fn attribute<'e>(element: &'e Element<'_>, name: &str) -> Option<&'e str> {
    element
        .attributes
        .iter()
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim())
        .filter(|value| !value.is_empty())
}

/// Metadata of an item: an attribute or a child element.
fn metadata<'e>(element: &'e Element<'_>, name: &str) -> Option<&'e str> {
    attribute(element, name).or_else(|| {
        element
            .children
            .iter()
            .find(|child| child.name.eq_ignore_ascii_case(name))
            .map(|child| child.text.as_str())
            .filter(|text| !text.is_empty())
    })
}

/// The values of metadata of an item, and whether each is set only under a condition of its own.
fn metadata_values<'e>(element: &'e Element<'_>, name: &str) -> Vec<(&'e str, bool)> {
    let own = attribute(element, name).map(|value| (value, false));
    let children = element
        .children
        .iter()
        .filter(|child| child.name.eq_ignore_ascii_case(name) && !child.text.is_empty())
        .map(|child| (child.text.as_str(), attribute(child, "Condition").is_some()));
    own.into_iter().chain(children).collect()
}

/// The package items of an element: one for each version, which can differ by condition.
fn items(element: &Element<'_>) -> Result<Vec<Item>, ParseError> {
    let kind = match element.name.to_ascii_lowercase().as_str() {
        "packagereference" => ItemKind::Reference,
        "globalpackagereference" => ItemKind::Global,
        "packageversion" => ItemKind::Version,
        "dotnetclitoolreference" | "packagedownload" => ItemKind::Tool,
        _ => return Ok(Vec::new()),
    };

    let include = attribute(element, "Include");
    let Some(names) = include.or_else(|| attribute(element, "Update")) else {
        // A package that is removed under one condition exists under others.
        return match attribute(element, "Remove") {
            Some(_) => Ok(Vec::new()),
            None => Err(
                ParseError::new(format!("has a `<{}>` without `Include`", element.name))
                    .at_line(element.line as usize),
            ),
        };
    };

    let overrides = match kind {
        ItemKind::Reference => metadata_values(element, "VersionOverride"),
        _ => Vec::new(),
    };
    let stated = match overrides.iter().all(|(_, conditional)| *conditional) {
        true => metadata_values(element, "Version"),
        false => Vec::new(),
    };
    let is_stated = !stated.is_empty() || overrides.iter().any(|(_, conditional)| !conditional);
    let mut versions: Vec<Option<String>> = overrides
        .into_iter()
        .chain(stated)
        .map(|(version, _)| Some(version.to_owned()))
        .collect();
    if versions.len() > MAX_VALUES {
        return Err(ParseError::new(format!(
            "has a `<{}>` with more than {MAX_VALUES} versions",
            element.name
        ))
        .at_line(element.line as usize));
    }
    if !is_stated {
        versions.push(None);
    }

    let of_version = |version| Item {
        kind,
        names: names.to_owned(),
        is_update: include.is_none(),
        version,
        is_development: matches!(kind, ItemKind::Global | ItemKind::Tool)
            || is_development(element),
        line: element.line,
    };
    Ok(versions.into_iter().map(of_version).collect())
}

/// Whether a reference has the form that NuGet writes for a development-only package
/// (<https://learn.microsoft.com/nuget/consume-packages/package-references-in-project-files#controlling-dependency-assets>):
/// no asset reaches dependents, and the project does not compile against it.
fn is_development(element: &Element<'_>) -> bool {
    let lists = |name: &str, wanted: &str| {
        metadata(element, name).is_some_and(|assets| {
            assets
                .split(';')
                .any(|asset| asset.trim().eq_ignore_ascii_case(wanted))
        })
    };
    let compiles = match metadata(element, "IncludeAssets") {
        None => true,
        Some(_) => lists("IncludeAssets", "compile") || lists("IncludeAssets", "all"),
    };
    let excluded = lists("ExcludeAssets", "compile") || lists("ExcludeAssets", "all");

    lists("PrivateAssets", "all") && (!compiles || excluded)
}

/// Values of properties, with a cache of the expanded ones.
#[derive(Debug, Default)]
pub(super) struct Properties {
    assigned: BTreeMap<String, BTreeSet<String>>,
    known: BTreeMap<String, Option<BTreeSet<String>>>,
}

impl Properties {
    /// Sets a property; under a condition, adds one more value.
    pub(super) fn assign(&mut self, name: &str, value: &str, conditional: bool) {
        let values = self.assigned.entry(name.to_owned()).or_default();
        if !conditional {
            values.clear();
        }
        if values.len() <= MAX_VALUES {
            values.insert(value.to_owned());
        }
    }

    /// Every text that a text can expand to; `None` if that is unknown.
    pub(super) fn expand(&mut self, text: &str) -> Option<BTreeSet<String>> {
        self.expand_within(text, 0)
    }

    fn expand_within(&mut self, text: &str, depth: usize) -> Option<BTreeSet<String>> {
        if text.contains("@(") || text.contains("%(") || depth > MAX_REFERENCES {
            return None;
        }

        let mut parts = text.split("$(");
        let mut values = BTreeSet::from([parts.next()?.to_owned()]);
        for part in parts {
            let (name, after) = part.split_once(')')?;
            let insides = self.value(&name.trim().to_ascii_lowercase(), depth + 1)?;

            let mut longer = BTreeSet::new();
            for value in &values {
                for inside in &insides {
                    let value = format!("{value}{inside}{after}");
                    if value.len() > MAX_VALUE_BYTES || longer.len() >= MAX_VALUES {
                        return None;
                    }
                    longer.insert(value);
                }
            }

            values = longer;
        }

        Some(values)
    }

    /// The values of a property. A property that refers to itself has none.
    fn value(&mut self, name: &str, depth: usize) -> Option<BTreeSet<String>> {
        if let Some(known) = self.known.get(name) {
            return known.clone();
        }

        // Recorded before the expansion, so that a property that refers to itself ends.
        self.known.insert(name.to_owned(), None);
        let assigned = self.assigned.get(name)?.clone();

        let mut values = Some(BTreeSet::new());
        for text in assigned {
            let expanded = self.expand_within(&text, depth);
            values = values.zip(expanded).map(|(mut values, expanded)| {
                values.extend(expanded);
                values
            });
        }

        let values = values.filter(|values| values.len() <= MAX_VALUES);
        self.known.insert(name.to_owned(), values.clone());

        values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_are_put_together() {
        let mut properties = Properties::default();
        for (name, value, conditional) in [
            ("a", "1", false),
            ("a", "2", false),
            ("b", "$(A).$(a)", false),
            ("c", "5", false),
            ("c", "6", true),
            ("self", "$(self)x", false),
            ("function", "$([System.String]::new('a'))", false),
        ] {
            properties.assign(name, value, conditional);
        }

        let mut shown = |text: &str| {
            let values = properties.expand(text);
            values.map(|values| values.into_iter().collect::<Vec<_>>().join(" "))
        };
        assert_eq!(shown("1.2").as_deref(), Some("1.2"));
        assert_eq!(shown("$(B).$( a )").as_deref(), Some("2.2.2"));
        assert_eq!(shown("$(c).0").as_deref(), Some("5.0 6.0"));

        for unknown in [
            "$(missing)",
            "$(self)",
            "$(function)",
            "$(a",
            "@(a)",
            "%(a)",
        ] {
            assert_eq!(shown(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn properties_that_grow_without_end_are_not_known() {
        let mut properties = Properties::default();
        properties.assign("p0", "1234567890", false);
        for step in 1..30 {
            let before = format!("$(p{})", step - 1);
            properties.assign(&format!("p{step}"), &before.repeat(50), false);
        }
        assert_eq!(properties.expand("$(p29)"), None);
    }
}
