//! The text of a file without the versions of its dependencies, to see whether anything else changed.

use std::collections::BTreeSet;
use std::ops::Range;

use super::edit::dependencies;
use super::xml_spans::{Span, spans};
use super::{coordinates, gradle_catalog, pom};
use crate::ParseError;

/// What takes the position of a version.
const VERSION: &str = "{version}";

/// A file without its versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Masked {
    /// The text with `{version}` instead of each version.
    pub text: String,
    /// The versions of a `pom.xml` in the order of the file, each after the name of its package or
    /// `${property}`. Empty for a catalog, of which every version is one of a package.
    pub versions: Vec<(String, String)>,
}

/// The text of a `pom.xml` or a version catalog with its versions replaced.
///
/// Replaced are the versions of dependencies, and properties that nothing in the file uses but those.
/// The versions of parents, plugins and imported lists stay: each changes more than one package. The
/// entries of `dependencyManagement` that `without` names are left out.
///
/// # Errors
/// When the text is not of the format.
pub fn masked(path: &str, text: &str, without: &BTreeSet<String>) -> Result<Masked, ParseError> {
    let mut replaced: Vec<(Range<usize>, &str)> = Vec::new();
    let mut versions = Vec::new();
    if path.ends_with(".toml") {
        let found = gradle_catalog::version_positions(text)?;
        replaced.extend(found.into_iter().map(|at| (at, VERSION)));
    } else {
        let root = spans(text)?;
        let cut = entries(&root, text)
            .into_iter()
            .filter(|(name, _)| without.contains(name))
            .map(|(_, entry)| entry.outer)
            .collect::<Vec<_>>();
        let is_cut = |at: &(usize, usize)| cut.iter().any(|cut| cut.0 <= at.0 && at.1 <= cut.1);
        for (at, name) in pom_versions(&root, text) {
            if !is_cut(&at) {
                replaced.push((at.0..at.1, VERSION));
                let version = text.get(at.0..at.1).unwrap_or_default();
                versions.push((at.0, name, version.to_owned()));
            }
        }
        replaced.extend(
            whole_lists(&root, cut)
                .into_iter()
                .map(|at| (at.0..at.1, "")),
        );
    }

    replaced.sort_by_key(|(at, _)| at.start);
    versions.sort();
    let mut masked = text.to_owned();
    for (at, with) in replaced.into_iter().rev() {
        if masked.get(at.clone()).is_none() {
            return Err(ParseError::new("has versions at unknown positions"));
        }
        masked.replace_range(at, with);
    }
    Ok(Masked {
        text: masked,
        versions: versions
            .into_iter()
            .map(|(_, name, version)| (name, version))
            .collect(),
    })
}

/// The names of the packages that have an entry of nothing but coordinates in `dependencyManagement`.
///
/// # Errors
/// When the text is not XML.
pub fn managed_names(text: &str) -> Result<BTreeSet<String>, ParseError> {
    let root = spans(text)?;
    let names = entries(&root, text).into_iter().map(|(name, _)| name);
    Ok(names.collect())
}

/// The entries of the project's `dependencyManagement` that give one package a version and nothing
/// else.
fn entries<'s>(root: &'s Span, text: &str) -> Vec<(String, &'s Span)> {
    let list = root
        .child("dependencyManagement")
        .and_then(|list| list.child("dependencies"));
    let entries = list.into_iter().flat_map(|list| list.all("dependency"));
    entries
        .filter(|entry| {
            let mut parts = entry.children.iter();
            parts.all(|part| {
                matches!(
                    part.name.as_str(),
                    "groupId" | "artifactId" | "version" | "type" | "classifier"
                )
            })
        })
        .map(|entry| (name(entry, text), entry))
        .collect()
}

/// Positions without entries that are cut out. A list of which nothing is left is cut out as a whole.
fn whole_lists(root: &Span, cut: Vec<(usize, usize)>) -> Vec<(usize, usize)> {
    let Some(management) = root.child("dependencyManagement") else {
        return cut;
    };
    let is_whole = !cut.is_empty()
        && management.children.len() == 1
        && management.children.iter().all(|list| {
            let mut entries = list.children.iter();
            entries.all(|entry| cut.contains(&entry.outer))
        });
    match is_whole {
        true => vec![management.outer],
        false => cut,
    }
}

/// The positions of the versions of dependencies, and of the properties that only those use.
/// Each after its position comes the name of the package, or the property.
fn pom_versions(root: &Span, text: &str) -> Vec<((usize, usize), String)> {
    let mut found: Vec<((usize, usize), String)> = dependencies(root)
        .into_iter()
        .filter(|(_, one)| one.child_text("scope", text) != "import")
        .filter_map(|(_, one)| Some((one.child("version").and_then(Span::text)?, name(one, text))))
        .collect();
    let of_dependencies: Vec<(usize, usize)> = found.iter().map(|(at, _)| *at).collect();
    let mut all = Vec::new();
    root.all_texts(&mut all);
    let has = |at: &(usize, usize), needle: &str| {
        text.get(at.0..at.1)
            .is_some_and(|text| text.contains(needle))
    };

    for property in pom::owners(root)
        .filter_map(|owner| owner.child("properties"))
        .flat_map(|list| &list.children)
    {
        let needle = format!("${{{}}}", property.name);
        let mut uses = all.iter().filter(|at| has(at, &needle)).peekable();
        let is_version = property.text().filter(|at| {
            text.get(at.0..at.1)
                .is_some_and(|value| coordinates::is_version(value) && starts_with_digit(value))
        });
        if let Some(at) = is_version
            && uses.peek().is_some()
            && uses.all(|at| of_dependencies.contains(at))
        {
            found.push((at, needle));
        }
    }
    found
}

fn name(dependency: &Span, text: &str) -> String {
    let part = |name| dependency.child_text(name, text);
    format!("{}:{}", part("groupId"), part("artifactId"))
}

fn starts_with_digit(value: &str) -> bool {
    value
        .bytes()
        .next()
        .is_some_and(|first| first.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pom(rest: &str) -> String {
        format!(
            "<project>\n<parent><version>1</version></parent>{rest}<build><plugins><plugin>\
             <version>${{p}}</version></plugin></plugins></build></project>"
        )
    }

    #[test]
    fn only_versions_of_dependencies_are_replaced() {
        let text = |a: &str, v: &str| {
            pom(&format!(
                "<properties><v>{v}</v><p>1</p><q>1</q></properties><dependencies><dependency>\
                 <groupId>g</groupId><version>{a}</version></dependency><dependency>\
                 <groupId>h</groupId><version>${{v}}</version></dependency></dependencies>"
            ))
        };
        let none = BTreeSet::new();
        let expected = text("{version}", "{version}")
            .replace("h</groupId><version>${v}", "h</groupId><version>{version}");
        let found = masked("pom.xml", &text("1.0", "1"), &none).unwrap();
        assert_eq!(found.text, expected);
        let versions: Vec<(&str, &str)> = found
            .versions
            .iter()
            .map(|(name, version)| (&**name, &**version))
            .collect();
        assert_eq!(versions, [("${v}", "1"), ("g:", "1.0"), ("h:", "${v}")]);
    }

    #[test]
    fn entries_are_left_out_by_name() {
        let entry = |name: &str| {
            format!(
                "<dependency><groupId>g</groupId><artifactId>{name}</artifactId>\
                 <version>1</version></dependency>"
            )
        };
        let list = |entries: &str| {
            pom(&format!(
                "<dependencyManagement><dependencies>{entries}</dependencies>\
                 </dependencyManagement>"
            ))
        };
        let without = BTreeSet::from(["g:a".to_owned()]);
        let both = list(&(entry("a") + &entry("b")));
        assert_eq!(managed_names(&both).unwrap().len(), 2);
        let left = masked("pom.xml", &both, &without).unwrap().text;
        assert_eq!(
            left,
            list(&entry("b")).replace(
                "b</artifactId><version>1",
                "b</artifactId><version>{version}"
            )
        );
        let nothing = masked("pom.xml", &list(&entry("a")), &without).unwrap();
        assert_eq!(nothing.text, pom(""));
    }
}
