//! Whole files: the contents of the fixtures, and the traps of the format.

use patchgate_model::{Lockfile, Origin, Scope};

use crate::snapshot_text::snapshot_text;
use crate::{Input, ParseError, Siblings, parse};

fn read(text: &str, manifest: Option<&str>) -> Result<Lockfile, ParseError> {
    let siblings: Siblings = manifest
        .map(|text| ("conanfile.txt".to_owned(), text.as_bytes().to_vec()))
        .into_iter()
        .collect();
    parse(&Input {
        path: "conan.lock",
        bytes: text.as_bytes(),
        siblings: &siblings,
    })
}

#[test]
fn the_lists_of_conan_2_are_read() {
    let lock = include_str!("fixtures/read/lists-v2/conan.lock");
    let manifest = include_str!("fixtures/read/lists-v2/conanfile.txt");
    insta::assert_snapshot!(snapshot_text(&read(lock, Some(manifest)).unwrap()));
    assert_eq!(read(lock, None).unwrap().roots, []);
}

#[test]
fn the_graph_of_conan_1_is_read() {
    let lock = include_str!("fixtures/read/graph-v1/conan.lock");
    let manifest = include_str!("fixtures/read/graph-v1/conanfile.txt");
    insta::assert_snapshot!(snapshot_text(&read(lock, Some(manifest)).unwrap()));
}

#[test]
fn one_reference_in_two_lists_is_one_package() {
    let text = r#"{"version": "0.5", "requires": ["zlib/1.3#aa%1.5"],
        "build_requires": ["zlib/1.3#aa%1.5", "zlib/1.2#bb"]}"#;
    let lockfile = read(text, None).unwrap();
    assert_eq!(lockfile.packages.len(), 2);
    assert_eq!(lockfile.packages[0].groups, ["build_requires", "requires"]);
    assert_eq!(lockfile.packages[0].scope, Scope::Runtime);
    assert_eq!(lockfile.packages[1].scope, Scope::Build);
}

#[test]
fn what_the_lockfile_does_not_pin_is_unresolved() {
    let text = r#"{"version": "0.5", "requires": ["zlib/1.3", "fmt/[>=9]"]}"#;
    let lockfile = read(text, Some("[requires]\nzlib/1.2\n")).unwrap();
    let open: Vec<&str> = lockfile
        .unresolved
        .iter()
        .map(|open| open.requirement.as_str())
        .collect();

    assert_eq!(open, ["[>=9]", "1.2"]);
    assert_eq!(lockfile.packages.len(), 1);
}

#[test]
fn nodes_of_one_reference_are_one_package() {
    let text = r#"{"version": "0.4", "graph_lock": {"nodes": {
        "0": {"ref": "app/1.0", "path": "conanfile.py", "requires": ["1", "3"]},
        "1": {"ref": "a/1#x", "build_requires": ["2"], "python_requires": ["base/0.2#y"]},
        "2": {"ref": "cmake/3", "context": "build"},
        "3": {"ref": "b/1", "path": "../b/conanfile.py", "build_requires": ["4"]},
        "4": {"ref": "cmake/3", "context": "build"}}}}"#;
    let lockfile = read(text, None).unwrap();
    let names: Vec<(&str, Scope)> = lockfile
        .packages
        .iter()
        .map(|package| (package.name.as_str(), package.scope))
        .collect();

    assert_eq!(
        names,
        [
            ("a", Scope::Runtime),
            ("cmake", Scope::Build),
            ("b", Scope::Runtime),
            ("base", Scope::Build)
        ]
    );
    assert!(matches!(lockfile.packages[2].origin, Origin::Path(_)));
    assert_eq!(lockfile.roots[0].name, "app");
}

#[test]
fn the_oldest_graphs_name_packages() {
    let text = r#"{"version": "0.1", "graph_lock": {"nodes": {
        "0": {"pref": null, "requires": ["1"]},
        "1": {"pref": "a/1@u/c#r:p#q"}}}}"#;
    let lockfile = read(text, None).unwrap();
    assert_eq!(
        lockfile.packages[0].purl.as_deref(),
        Some("pkg:conan/a@1?channel=c&user=u")
    );
}
