use patchgate_model::DependencyKind;

use super::*;
use crate::test_graph::{Case, add, node, set};
use crate::{ReleaseFile, TargetEdge};

const LOCK: &str = include_str!("../../fixtures/read/pipenv/Pipfile.lock");
const MANIFEST: &str = include_str!("../../fixtures/read/pipenv/Pipfile");

/// The hash of the manifest with `<13.9`.
const RAISED: &str = "d3ebb7c32d100b951a3099d178d9d08411759e7cc6ba783f2737f0c496f0ca18";

fn release(version: &str, runtime: Option<&str>) -> Release {
    let file = |digit: &str| ReleaseFile {
        name: digit.to_owned(),
        hashes: vec![(ALGORITHM.to_owned(), digit.repeat(64))],
        ..ReleaseFile::default()
    };
    Release {
        version: version.to_owned(),
        runtime: runtime.map(str::to_owned),
        files: vec![file("b"), file("a"), file("c")],
        ..Release::default()
    }
}

fn write_one(
    text: &str,
    manifest: &str,
    change: impl Fn(&mut TargetGraph),
) -> Result<String, String> {
    // Requirements are read from the manifest before, and written with the one after.
    let case = Case::new("Pipfile.lock", text, &[("Pipfile", MANIFEST)]);
    case.edited("Pipfile", manifest).changed(change)
}

fn hashes() -> String {
    ["a", "b", "c"]
        .map(|digit| format!("                \"sha256:{}\"", digit.repeat(64)))
        .join(",\n")
}

/// The text with another entry in the place of the one that begins with a key.
fn with_entry(text: &str, key: &str, new: &str) -> String {
    let start = text.find(key).unwrap();
    let end = start + text[start..].find("\n        }").unwrap();
    format!("{}{new}{}", &text[..start], &text[end..])
}

#[test]
fn an_unchanged_graph_gives_the_same_bytes() {
    let crlf = LOCK.replace('\n', "\r\n");
    let mark = format!("\u{feff}{LOCK}");
    for text in [LOCK, &crlf, &mark, LOCK.trim_end()] {
        assert_eq!(write_one(text, MANIFEST, |_| ()).as_deref(), Ok(text));
    }
}

#[test]
fn version_hashes_and_markers_change_in_place() {
    let new = format!(
        "\"mdurl\": {{\n            \"hashes\": [\n{}\n            ],\n            \"markers\": \
         \"python_version >= '3.8' and python_version < '4'\",\n            \"version\": \
         \"==0.1.3\"",
        hashes()
    );
    for eol in ["\n", "\r\n"] {
        let text = LOCK.replace('\n', eol);
        let written = write_one(&text, MANIFEST, |target| {
            set(target, "mdurl", release("0.1.3", Some("<4,>=3.8")));
        });
        let expected = with_entry(LOCK, "\"mdurl\": {", &new).replace('\n', eol);
        assert_eq!(written, Ok(expected));
    }
}

#[test]
fn markers_are_added_where_others_have_them() {
    let markers = "            \"markers\": \"python_version >= '3.7'\",\n            \
                   \"version\": \"==0.1.2\"";
    assert_eq!(LOCK.matches(markers).count(), 1);
    let without = LOCK.replace(markers, "            \"version\": \"==0.1.2\"");
    let written = write_one(&without, MANIFEST, |target| {
        set(target, "mdurl", release("0.1.2", Some(">=3.7")));
    });
    assert!(written.unwrap().contains(markers));
}

#[test]
fn a_new_package_is_in_the_categories_of_its_dependents() {
    let added = |name: &'static str| {
        write_one(LOCK, MANIFEST, move |target| {
            let to = target.nodes.len();
            add(target, name, release("1.0", Some(">=3.9")));
            let from = node(target, "mdurl");
            target.nodes[from].edges.push(TargetEdge {
                name: name.to_owned(),
                requirement: None,
                kind: DependencyKind::Runtime,
                to,
            });
        })
        .unwrap()
    };
    let entry = |name: &str| {
        format!(
            "        \"{name}\": {{\n            \"hashes\": [\n{}\n            ],\n            \
             \"markers\": \"python_version >= '3.9'\",\n            \"version\": \"==1.0\"\n        }}",
            hashes()
        )
    };

    let first = LOCK.replacen(
        "    \"default\": {\n",
        &format!("    \"default\": {{\n{},\n", entry("a-a")),
        1,
    );
    assert_eq!(added("A_a"), first);

    let at = LOCK.find("\n    },\n    \"develop\"").unwrap();
    let last = format!("{},\n{}{}", &LOCK[..at], entry("zz"), &LOCK[at..]);
    assert_eq!(added("zz"), last);
}

#[test]
fn a_package_that_leaves_takes_its_comma() {
    for (name, next) in [("colorama", "markdown-it-py"), ("mdurl", "pygments")] {
        let written = write_one(LOCK, MANIFEST, |target| {
            let gone = node(target, name);
            target.nodes.remove(gone);
            for edges in &mut target.roots {
                edges.retain(|edge| edge.to != gone);
                for edge in edges {
                    edge.to -= usize::from(edge.to > gone);
                }
            }
        })
        .unwrap();
        let start = LOCK.find(&format!("\"{name}\": {{")).unwrap();
        let end = LOCK.find(&format!("\"{next}\": {{")).unwrap();
        let expected = format!("{}{}", &LOCK[..start], &LOCK[end..]);
        assert_eq!(written, expected);
    }
}

#[test]
fn the_hash_follows_the_requirements_of_the_manifest() {
    let (from, to) = ("<13.8", "<13.9");
    assert_eq!(MANIFEST.matches(from).count(), 1);
    let raised = MANIFEST.replace(from, to);
    let raise = |target: &mut TargetGraph| {
        set(target, "rich", release("13.8.0", Some(">=3.7.0")));
        let edges = target.roots.iter_mut().flatten();
        for edge in edges.filter(|edge| edge.name == "rich") {
            edge.requirement = Some(to.to_owned());
        }
    };
    let digest = |text: &str| text.split("\"sha256\": \"").nth(1).unwrap()[..64].to_owned();
    let written = write_one(LOCK, &raised, raise).unwrap();
    let old = digest(LOCK);
    // Printed by Pipenv 2026.10.3 for the raised manifest.
    assert_eq!(digest(&written), RAISED);
    assert!(written.contains("\"version\": \"==13.8.0\""));

    // A lockfile that was out of date before does not become up to date.
    let stale = LOCK.replace(&old, &"0".repeat(64));
    let error = write_one(&stale, &raised, raise).unwrap_err();
    assert_eq!(error, "it was out of date with `Pipfile` before");

    // Without a change of the manifest the hash stays, whatever it is.
    let written = write_one(&stale, MANIFEST, |target| {
        set(target, "mdurl", release("0.1.3", Some(">=3.8")));
    });
    assert_eq!(digest(&written.unwrap()), "0".repeat(64));
}

#[test]
fn what_is_not_certain_is_refused() {
    let refused = |new: Release| {
        write_one(LOCK, MANIFEST, |target| set(target, "mdurl", new.clone())).unwrap_err()
    };
    assert_eq!(
        refused(release("0.1.3", Some("~=3.8"))),
        "the markers of `mdurl` are not certain for `~=3.8`"
    );
    let mut new = release("0.1.3", Some(">=3.8"));
    new.files[1].hashes.clear();
    assert!(refused(new).contains("sha256 hash of each file"));
    assert!(refused(release("1\", \"x\": \"", None)).contains("is not a release"));
}
