//! Documents with changes at random positions: read, or refused with a reason, and never taken for a
//! shorter document.

use std::collections::BTreeMap;

use patchgate_model::{Inventory, Lockfile, Loss};
use patchgate_sbom::{Format, OutputFormat, ParseError, detect, read, write};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::Value;

use crate::fixtures::{NAMES, fixture};
use crate::round_trip::options;

/// A document in every format that is read, with its name.
pub(crate) fn documents() -> Vec<(&'static str, Vec<u8>)> {
    let mut all: Vec<_> = NAMES.iter().map(|name| (*name, fixture(name))).collect();
    // No tool has written the one project's document as SPDX 3 yet, so the writer does.
    let lockfile = read("a", &fixture("npm-sbom.spdx.json")).unwrap();
    let inventory = Inventory {
        lockfiles: vec![lockfile],
        ..Inventory::default()
    };
    let text = write(&inventory, &options(false), OutputFormat::Spdx3Json);
    all.push(("patchgate.spdx3.json", text.into_bytes()));
    let formats: Vec<_> = all.iter().map(|(_, bytes)| detect(bytes)).collect();
    for format in [
        Format::CycloneDxJson,
        Format::CycloneDxXml,
        Format::SpdxJson,
        Format::SpdxYaml,
        Format::SpdxTagValue,
        Format::SpdxRdf,
        Format::Spdx3Json,
    ] {
        assert!(formats.contains(&Some(format)), "{format:?}");
    }

    all
}

/// Properties of every document that is read, and of every refusal.
fn check(name: &str, bytes: &[u8], result: &Result<Lockfile, ParseError>) {
    let lines = bytes.iter().filter(|byte| **byte == b'\n').count() + 1;
    let lockfile = match result {
        Ok(lockfile) => lockfile,
        Err(error) => {
            assert!(!error.reason.is_empty(), "{name}");
            assert!(!error.reason.contains('\n'), "{name}: {}", error.reason);
            assert!(!error.reason.ends_with('.'), "{name}: {}", error.reason);
            let line = error.line.unwrap_or(1) as usize;
            assert!(line >= 1 && line <= lines, "{name}: {error:?}");
            return;
        }
    };
    let packages = lockfile.packages.iter().map(|package| &package.edges);
    for edge in packages
        .chain(lockfile.roots.iter().map(|root| &root.edges))
        .flatten()
    {
        assert!(
            lockfile.package(edge.to).is_some(),
            "{name}: an edge into nothing"
        );
    }

    for package in &lockfile.packages {
        assert!(!package.name.is_empty(), "{name}: a package without a name");
        assert!(
            package.line >= 1 && package.line as usize <= lines,
            "{name}"
        );
    }

    for wanted in &lockfile.unresolved {
        assert!(
            !wanted.name.is_empty(),
            "{name}: a requirement without a name"
        );
    }
}

/// How often each package is there, with or without a version.
pub(crate) fn counts(lockfile: &Lockfile) -> BTreeMap<(&str, &str), usize> {
    let mut counts = BTreeMap::new();
    let packages = lockfile
        .packages
        .iter()
        .map(|p| (p.name.as_str(), p.version.as_str()));
    let wanted = lockfile.unresolved.iter().map(|w| (w.name.as_str(), ""));
    for package in packages.chain(wanted) {
        *counts.entry(package).or_default() += 1;
    }

    counts
}

/// How many packages of `whole` are not in `changed`.
pub(crate) fn lost(whole: &Lockfile, changed: &Lockfile) -> usize {
    let found = counts(changed);
    let missing = counts(whole).into_iter().map(|(package, count)| {
        count.saturating_sub(found.get(&package).copied().unwrap_or_default())
    });
    missing.sum()
}

fn mutate(bytes: &mut Vec<u8>, at: &Index, to: &Index, kind: u8, byte: u8) {
    if bytes.is_empty() {
        return;
    }

    let (a, b) = (at.index(bytes.len()), to.index(bytes.len()));
    let (from, until) = (a.min(b), a.max(b));

    match kind % 5 {
        0 => bytes[a] = byte,
        1 => bytes.insert(a, byte),
        2 => drop(bytes.drain(from..until)),
        3 => {
            let copied = bytes[from..until].to_vec();
            drop(bytes.splice(b..b, copied));
        }
        _ => bytes[from..until].reverse(),
    }
}

fn any_byte() -> impl Strategy<Value = u8> {
    prop_oneof![
        any::<u8>(),
        prop::sample::select(b"\"'[]{}<>/=:,.\n\r\\#&*!-| \t".to_vec()),
    ]
}

/// Whether a position is within the key of the list of components of a document without relations.
/// With another key, which may be anything, it is a whole document that has no components.
fn is_key_of_a_list(name: &str, bytes: &[u8], at: usize) -> bool {
    let key = b"\"components\":";
    let near = at.saturating_sub(key.len())..(at + key.len()).min(bytes.len());
    name == "syft.cdx.json" && bytes[near].windows(key.len()).any(|window| window == key)
}

/// The paths to the values of a JSON tree, as steps from its top.
fn places(value: &Value, path: &mut Vec<usize>, into: &mut Vec<Vec<usize>>) {
    into.push(path.clone());
    let children: Vec<&Value> = match value {
        Value::Array(items) => items.iter().collect(),
        Value::Object(entries) => entries.values().collect(),
        _ => Vec::new(),
    };

    for (index, child) in children.into_iter().enumerate() {
        path.push(index);
        places(child, path, into);
        path.pop();
    }
}

fn at<'v>(value: &'v mut Value, path: &[usize]) -> &'v mut Value {
    match (path.split_first(), value) {
        (None, value) => value,
        (Some((index, rest)), Value::Array(items)) => at(&mut items[*index], rest),
        (Some((index, rest)), Value::Object(entries)) => {
            at(entries.values_mut().nth(*index).unwrap(), rest)
        }
        (Some(_), _) => unreachable!("a path leads through lists and maps"),
    }
}

/// A value of another kind than the one that it replaces.
fn other_kind(value: &Value, choice: u8) -> Value {
    let kinds = [
        Value::Bool(true),
        Value::from(7),
        Value::from("text"),
        Value::Array(vec![Value::from("text")]),
        Value::Array(vec![value.clone()]),
        Value::Object([("key".to_owned(), value.clone())].into_iter().collect()),
    ];
    kinds[usize::from(choice) % kinds.len()].clone()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn changed_documents_are_read_or_refused(
        which in any::<Index>(),
        changes in prop::collection::vec((any::<Index>(), any::<Index>(), any::<u8>(), any_byte()), 1..4),
    ) {
        let mut all = documents();
        let (name, mut bytes) = all.swap_remove(which.index(all.len()));
        for (at, to, kind, byte) in &changes {
            mutate(&mut bytes, at, to, *kind, *byte);
        }
        let _ = detect(&bytes);
        check(name, &bytes, &read(name, &bytes));
    }

    /// One letter changes one package, or the document is refused: it never hides others.
    #[test]
    fn one_changed_byte_loses_one_package_at_most(
        which in any::<Index>(),
        at in any::<Index>(),
        byte in any_byte(),
        insert in any::<bool>(),
    ) {
        let mut all = documents();
        let (name, mut bytes) = all.swap_remove(which.index(all.len()));
        let whole = read(name, &bytes).unwrap();
        let at = at.index(bytes.len());
        prop_assume!(!is_key_of_a_list(name, &bytes, at));

        if insert {
            bytes.insert(at, byte);
        } else {
            bytes[at] = byte;
        }

        if let Ok(changed) = read(name, &bytes) {
            let lost = lost(&whole, &changed);
            prop_assert!(lost <= 1, "{} loses {} with {:?} at {}", name, lost, byte as char, at);
        }
    }

    /// A value of another kind is refused, or loses nothing but itself. A list in the place of a list is
    /// a shorter document, whose only entry is named as lost.
    #[test]
    fn values_of_another_kind_lose_one_package_at_most(
        which in any::<Index>(),
        place in any::<Index>(),
        choice in any::<u8>(),
    ) {
        let mut all = documents();
        all.retain(|(name, _)| name.ends_with(".json"));
        let (name, bytes) = all.swap_remove(which.index(all.len()));
        let whole = read(name, &bytes).unwrap();
        let mut document: Value = serde_json::from_slice(&bytes).unwrap();
        let mut all_places = Vec::new();
        places(&document, &mut Vec::new(), &mut all_places);
        let path = &all_places[place.index(all_places.len())];
        let value = at(&mut document, path);
        let was_list = value.is_array();
        *value = other_kind(value, choice);
        let is_shorter = was_list && value.is_array();
        let text = document.to_string();
        let result = read(name, text.as_bytes());
        check(name, text.as_bytes(), &result);

        if let Ok(changed) = result {
            let lost = lost(&whole, &changed);
            let is_named = changed.skipped.iter().any(|entry| entry.loss == Loss::Package);
            prop_assert!(
                lost <= 1 || (is_shorter && is_named),
                "{} loses {} with {} at {:?}", name, lost, at(&mut document, path), path
            );
        }
    }
}
