//! `pnpm-lock.yaml` of version 9, by the entries of its sections.
//!
//! A package that stays must have the same data of the registry. Where its dependencies lead is
//! compared as edges; here they must have the same names, and lead to the same packages.

use std::collections::{BTreeMap, BTreeSet};

use patchgate_ecosystems::syntax::{Node, Value, yaml_documents};
use serde_json::Value as Json;

use super::{Differences, State};

/// Keys at the top of a document that are compared on their own.
const SECTIONS: [&str; 5] = [
    "catalogs",
    "importers",
    "overrides",
    "packages",
    "snapshots",
];

/// Fields of a package that pnpm writes for one from a registry.
const FIELDS: [&str; 10] = [
    "cpu",
    "deprecated",
    "engines",
    "hasBin",
    "libc",
    "os",
    "peerDependencies",
    "peerDependenciesMeta",
    "resolution",
    "bundledDependencies",
];

/// A field that a registry may change at any time, and that changes nothing about an installation.
const INFORMATIVE: &str = "deprecated";

/// Compares two states of the file.
///
/// # Errors
/// When one of them cannot be read, or they are of different versions of the format.
pub(super) fn compare(
    base: State<'_>,
    head: State<'_>,
    differences: &mut Differences,
) -> Result<(), String> {
    let (before, now) = (documents(&base)?, documents(&head)?);
    let version = |documents: &[Node<'_>]| {
        let version = |document: &Node<'_>| document.get("lockfileVersion").map(leaf);
        documents.iter().map(version).collect::<Vec<_>>()
    };
    if version(&before) != version(&now) {
        return Err(
            "the file changes the version of its format, so that all entries differ".into(),
        );
    }
    let (Some((own_before, others_before)), Some((own_now, others_now))) =
        (before.split_last(), now.split_last())
    else {
        return Err("it has no document".into());
    };
    if others_before
        .iter()
        .map(leaf)
        .ne(others_now.iter().map(leaf))
    {
        differences.unclear("the document of pnpm itself differs");
    }

    outside(own_before, own_now, differences);
    packages(own_before, own_now, differences);
    snapshots(own_before, own_now, differences);
    importers(own_before, own_now, head, differences);
    catalogs(own_before, own_now, differences);
    Ok(())
}

fn documents<'a>(state: &State<'a>) -> Result<Vec<Node<'a>>, String> {
    let text = std::str::from_utf8(state.bytes).map_err(|_| "it is not UTF-8".to_owned())?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    yaml_documents(text).map_err(|error| format!("it {}", error.reason))
}

/// A value as text, without its position in the file.
fn leaf(node: &Node<'_>) -> String {
    match &node.value {
        Value::Map(entries) => {
            let entries: BTreeMap<&str, String> = entries
                .iter()
                .map(|(key, value)| (&*key.name, leaf(value)))
                .collect();
            format!("{entries:?}")
        }
        Value::List(items) => format!("{:?}", items.iter().map(leaf).collect::<Vec<_>>()),
        other => format!("{other:?}"),
    }
}

/// The entries of a section, by key.
fn section<'n, 't>(node: &'n Node<'t>, name: &str) -> BTreeMap<&'n str, &'n Node<'t>> {
    let entries = node.get(name).map(Node::entries).unwrap_or_default();
    entries
        .iter()
        .map(|(key, value)| (&*key.name, value))
        .collect()
}

/// Keys whose values differ.
fn changed<'n>(
    before: &BTreeMap<&'n str, &'n Node<'_>>,
    now: &BTreeMap<&'n str, &'n Node<'_>>,
) -> BTreeSet<&'n str> {
    let keys = before.keys().chain(now.keys()).copied();
    keys.filter(|key| before.get(key).map(|node| leaf(node)) != now.get(key).map(|node| leaf(node)))
        .collect()
}

/// Everything outside of the entries must stay.
fn outside(before: &Node<'_>, now: &Node<'_>, differences: &mut Differences) {
    let top = |node: &Node<'_>| -> BTreeMap<String, String> {
        let entries = node.entries().iter();
        let others = entries.filter(|(key, _)| !SECTIONS.contains(&&*key.name));
        others
            .map(|(key, value)| (key.name.to_string(), leaf(value)))
            .collect()
    };
    let (old, new) = (top(before), top(now));
    let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for key in keys
        .into_iter()
        .filter(|key| old.get(*key) != new.get(*key))
    {
        let text = format!("`{key}` of the file differs, which no change of a version does");
        // A hook, a patch or an extension may come with the same pull request.
        match key.as_str() {
            "settings" => differences.certain(text),
            _ => differences.unclear(text),
        }
    }
    let overrides = |node: &Node<'_>| node.get("overrides").map(leaf);
    if overrides(before) != overrides(now) {
        differences.unclear("the overrides of the file differ");
    }
}

fn packages(before: &Node<'_>, now: &Node<'_>, differences: &mut Differences) {
    let (before, now) = (section(before, "packages"), section(now, "packages"));
    let programs: BTreeSet<&str> = before
        .iter()
        .filter(|(_, entry)| entry.get("hasBin").is_some())
        .map(|(key, _)| package_name(key))
        .collect();

    for (key, entry) in &now {
        let label = format!("`{key}`");
        let fields: BTreeMap<&str, &Node<'_>> = fields(entry);
        if let Some(known) = before.get(key) {
            let mut differing = changed(&self::fields(known), &fields);
            differing.remove(INFORMATIVE);
            if !differing.is_empty() {
                let listed: Vec<&str> = differing.into_iter().collect();
                differences.certain(format!(
                    "the entry of {label} differs, whose version does not change: {}",
                    listed.join(", ")
                ));
            }
            continue;
        }

        for field in fields.keys().filter(|field| !FIELDS.contains(field)) {
            differences.unclear(format!("{label} has the unusual field `{field}`"));
        }
        let resolution = entry
            .get("resolution")
            .map(Node::entries)
            .unwrap_or_default();
        let is_usual = |name: &str| matches!(name, "integrity" | "tarball");
        if let Some((odd, _)) = resolution.iter().find(|(name, _)| !is_usual(&name.name)) {
            differences.unclear(format!("{label} has the unusual `{}`", odd.name));
        }
        if fields.contains_key("hasBin") && !programs.contains(package_name(key)) {
            differences.unclear(format!(
                "{label} has commands (`hasBin`), which the package did not have before"
            ));
        }
    }
}

fn fields<'n, 't>(entry: &'n Node<'t>) -> BTreeMap<&'n str, &'n Node<'t>> {
    let entries = entry.entries().iter();
    entries.map(|(key, value)| (&*key.name, value)).collect()
}

/// The name in a path `name@version(peers)`.
fn package_name(path: &str) -> &str {
    let scope = usize::from(path.starts_with('@'));
    let end = path.get(scope..).and_then(|rest| rest.find('@'));
    end.and_then(|end| path.get(..scope + end)).unwrap_or(path)
}

/// The package that a dependency leads to: its own name, or that in an alias.
fn leads_to<'n>(name: &'n str, reference: &'n str) -> &'n str {
    if reference.starts_with("link:") {
        return reference;
    }
    let plain = reference.split('(').next().unwrap_or(reference);
    let is_version = reference.starts_with(|c: char| c.is_ascii_digit());
    match is_version || !plain.contains('@') {
        true => name,
        false => package_name(plain),
    }
}

fn snapshots(before: &Node<'_>, now: &Node<'_>, differences: &mut Differences) {
    // Peers are a part of a path, so a copy that stays may have others: compared without them.
    let mut known: BTreeMap<&str, BTreeSet<(&str, &str)>> = BTreeMap::new();
    let mut flags: BTreeMap<&str, BTreeSet<bool>> = BTreeMap::new();
    let (before_packages, before) = (section(before, "packages"), section(before, "snapshots"));
    for (path, entry) in &before {
        known.entry(plain(path)).or_default().extend(needs(entry));
        let is_optional = entry.get("optional").is_some();
        flags.entry(plain(path)).or_default().insert(is_optional);
    }

    for (path, entry) in section(now, "snapshots") {
        let Some(known) = known.get(plain(path)) else {
            continue;
        };
        let peers = before_packages
            .get(plain(path))
            .map(|entry| section(entry, "peerDependencies"))
            .unwrap_or_default();
        let new = needs(entry);
        for (name, package) in new.iter().filter(|need| !known.contains(*need)) {
            if !peers.contains_key(name) || name != package {
                differences.certain(format!(
                    "`{path}` gets the dependency `{name}` (`{package}`), which its version did not have before"
                ));
            }
        }
        for (name, _) in known.difference(&new) {
            if !peers.contains_key(name) {
                differences.unclear(format!("`{path}` loses the dependency `{name}`"));
            }
        }
        let is_optional = entry.get("optional").is_some();
        let was = flags.get(plain(path));
        if was.is_some_and(|was| !was.contains(&is_optional)) {
            differences.unclear(format!("`optional` of `{path}` differs"));
        }
        for (field, _) in entry.entries() {
            let is_known = [
                "dependencies",
                "optional",
                "optionalDependencies",
                "transitivePeerDependencies",
            ]
            .contains(&&*field.name);
            if !is_known {
                differences.unclear(format!("`{path}` has the unknown field `{}`", field.name));
            }
        }
    }
}

fn plain(path: &str) -> &str {
    path.split('(').next().unwrap_or(path)
}

/// The dependencies of a copy, each with the package that it leads to.
fn needs<'n>(entry: &'n Node<'_>) -> BTreeSet<(&'n str, &'n str)> {
    let sections = ["dependencies", "optionalDependencies"];
    let listed = sections.iter().filter_map(|name| entry.get(name));
    listed
        .flat_map(Node::entries)
        .filter_map(|(name, reference)| {
            Some((&*name.name, leads_to(&name.name, reference.text()?)))
        })
        .collect()
}

fn importers(before: &Node<'_>, now: &Node<'_>, head: State<'_>, differences: &mut Differences) {
    let overrides = section(now, "overrides");
    let (before, now) = (section(before, "importers"), section(now, "importers"));
    let gone = before.keys().filter(|project| !now.contains_key(*project));
    for project in gone {
        differences.unclear(format!("the project `{project}` is gone"));
    }

    for (project, importer) in now {
        let Some(known) = before.get(project) else {
            differences.unclear(format!("the project `{project}` is new"));
            continue;
        };
        let manifest = manifest(head, project);
        let (was, is) = (fields(known), fields(importer));
        for kind in changed(&was, &is) {
            let none = BTreeMap::new();
            let before = was
                .get(kind)
                .map_or_else(|| none.clone(), |node| fields(node));
            let now = is.get(kind).map_or(none, |node| fields(node));
            for name in changed(&before, &now) {
                let label = format!("`{kind}.{name}` of the project `{project}`");
                let (Some(old), Some(new)) = (before.get(name), now.get(name)) else {
                    differences.unclear(format!("{label} is new or gone"));
                    continue;
                };
                let field = |node: &Node<'_>, field: &str| {
                    node.get(field)
                        .and_then(Node::text)
                        .unwrap_or_default()
                        .to_owned()
                };
                let (from, to) = (field(old, "version"), field(new, "version"));
                if leads_to(name, &from) != leads_to(name, &to) {
                    differences.certain(format!("{label} leads to another package"));
                }
                let specifier = field(new, "specifier");
                let is_overridden =
                    overrides.get(name).and_then(|value| value.text()) == Some(&specifier);
                if field(old, "specifier") == specifier || is_overridden {
                    continue;
                }
                let asked = manifest.as_ref().map(|manifest| {
                    let asked = manifest.get(kind).and_then(|kind| kind.get(name));
                    asked.and_then(Json::as_str) == Some(&specifier)
                });
                match asked {
                    Some(true) => {}
                    Some(false) => differences
                        .certain(format!("{label} differs, and does not equal the manifest")),
                    None => differences
                        .unclear(format!("{label} differs, and its manifest does not change")),
                }
            }
        }
    }
}

/// The manifest of a project, when the change touches it.
fn manifest(head: State<'_>, project: &str) -> Option<Json> {
    let directory = match head.lockfile.path.rsplit_once('/') {
        Some((directory, _)) => format!("{directory}/"),
        None => String::new(),
    };
    let path = match project {
        "." => format!("{directory}package.json"),
        project => format!("{directory}{project}/package.json"),
    };
    let bytes = head.siblings.get(&path)?;
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    serde_json::from_slice(bytes).ok()
}

/// The versions in catalogs follow those of the projects; their requirements are a person's words.
fn catalogs(before: &Node<'_>, now: &Node<'_>, differences: &mut Differences) {
    let requirements = |node: &Node<'_>| -> BTreeMap<(String, String), String> {
        let mut found = BTreeMap::new();
        for (catalog, listed) in section(node, "catalogs") {
            for (name, entry) in fields(listed) {
                let specifier = entry.get("specifier").map(leaf).unwrap_or_default();
                found.insert((catalog.to_owned(), name.to_owned()), specifier);
            }
        }
        found
    };
    if requirements(before) != requirements(now) {
        differences.unclear("the requirements of catalogs differ");
    }
}
