//! Tests of the requirements that only the writer finds.

use super::tests::{GO_MOD, GO_SUM, Project, Proxy};
use crate::TargetGraph;
use crate::test_graph::{add, set};

const OLD: &str = "v1.2.0";
const NEW: &str = "v1.3.0";

/// The change of a module to its new release.
fn raised(proxy: &Proxy) -> impl Fn(&mut TargetGraph) {
    let release = proxy.release("a.invalid/a", NEW);
    move |target| set(target, "a.invalid/a", release.clone())
}

#[test]
fn a_bound_below_an_old_module_is_found() {
    // From before Go 1.17, so everything that it requires counts.
    let proxy = Proxy::default()
        .with(
            "a.invalid/a",
            NEW,
            "require n.invalid/n v0.1.0\n",
            "package a\n",
        )
        .with(
            "n.invalid/n",
            "v0.1.0",
            "go 1.20\nrequire n.invalid/o v0.1.0\n",
            "package n\n",
        )
        .with(
            "n.invalid/o",
            "v0.1.0",
            "require (\n\tc.invalid/c v1.1.0\n\te.invalid/e v1.0.0\n)\n",
            "package o\n",
        );
    let project = Project::new(GO_MOD, GO_SUM);
    let found = project.found(&proxy, raised(&proxy));
    assert_eq!(found, ["a.invalid/a v1.3.0 bounds c.invalid/c v1.1.0"]);

    // The archives are not needed to know it.
    let mut without = proxy;
    without
        .files
        .retain(|address, _| !address.ends_with(".zip"));
    assert_eq!(project.found(&without, raised(&without)), found);

    // A release from Go 1.17 or later has all bounds that count itself.
    let pruned = without.with(
        "a.invalid/a",
        NEW,
        "go 1.17\nrequire n.invalid/n v0.1.0\n",
        "package a\n",
    );
    assert!(project.write(&pruned, raised(&pruned)).is_ok());

    // The project excludes the version, and Go takes a later one that it knows.
    let excluding = GO_MOD.replace("a.invalid/a v1.2.4\n", "c.invalid/c v1.1.0\n");
    let proxy = Proxy::default().with(
        "a.invalid/a",
        NEW,
        "go 1.17\nrequire c.invalid/c v1.1.0\n",
        "package a\n",
    );
    let excluded = Project::new(&excluding, GO_SUM).write(&proxy, raised(&proxy));
    assert!(excluded.is_ok(), "{excluded:?}");
}

#[test]
fn a_module_that_is_imported_and_missing_is_found() {
    let go_mod = "go 1.20\nrequire (\n\td.invalid/d v1.0.0\n\td.invalid/d/sub v0.2.0\n\tt.invalid/t v1.0.0\n)\n";
    let proxy = Proxy::default()
        .with(
            "a.invalid/a",
            NEW,
            go_mod,
            "package a\nimport \"d.invalid/d/sub/x\"\n",
        )
        .with(
            "d.invalid/d/sub",
            "v0.2.0",
            "go 1.20\nrequire x.invalid/x v1.0.0\n",
            "package sub\n",
        );
    let project = Project::new(GO_MOD, GO_SUM);
    let found = project.found(&proxy, raised(&proxy));
    assert_eq!(found, ["a.invalid/a v1.3.0 needs d.invalid/d/sub v0.2.0"]);

    // The new module's package is looked at in turn.
    let proxy = proxy.with_files(
        "d.invalid/d/sub",
        "v0.2.0",
        "go 1.20\nrequire (\n\tx.invalid/x v1.0.0\n\ty.invalid/y v1.0.0\n)\n",
        &[
            ("x/x.go", "package x\nimport \"x.invalid/x\"\n"),
            ("y/y.go", "package y\nimport \"y.invalid/y\"\n"),
        ],
    );
    let sub = proxy.release("d.invalid/d/sub", "v0.2.0");
    let found = project.found(&proxy, |target| {
        raised(&proxy)(target);
        add(target, "d.invalid/d/sub", sub);
    });
    assert_eq!(found, ["d.invalid/d/sub v0.2.0 needs x.invalid/x v1.0.0"]);
}

/// A module of which one package imports a module that the project does not have.
fn partly_used(old: &[(&str, &str)], new: &[(&str, &str)]) -> Proxy {
    let go_mod = "go 1.20\nrequire d.invalid/d v1.0.0\n";
    Proxy::default()
        .with_files("a.invalid/a", OLD, go_mod, old)
        .with_files("a.invalid/a", NEW, go_mod, new)
}

#[test]
fn a_package_that_the_build_cannot_have_brings_nothing_in() {
    let imports = "package q\nimport \"d.invalid/d\"\n";
    let bare = "package a\nimport \"c.invalid/c\"\n";
    let through = "package r\nimport \"a.invalid/a/q\"\n";
    let project = Project::new(GO_MOD, GO_SUM);
    for (old, new) in [
        // It imports the module already, and so does what imports it.
        (
            vec![("a.go", bare), ("q/q.go", imports), ("r/r.go", through)],
            vec![("a.go", bare), ("q/q.go", imports), ("r/r.go", imports)],
        ),
        // It is new, and nothing of the module imports it.
        (
            vec![("a.go", bare)],
            vec![("a.go", bare), ("q/q.go", imports)],
        ),
    ] {
        let proxy = partly_used(&old, &new);
        let files = project.write(&proxy, raised(&proxy)).unwrap();
        assert!(!files["go.mod"].contains("d.invalid"), "{old:?}");
    }

    let needs = ["a.invalid/a v1.3.0 needs d.invalid/d v1.0.0"];
    for (old, new) in [
        // A package that may be in the build imports it now.
        (
            vec![("a.go", bare), ("q/q.go", bare)],
            vec![("a.go", bare), ("q/q.go", imports)],
        ),
        // Through a new package.
        (
            vec![("a.go", bare)],
            vec![
                ("a.go", "package a\nimport \"a.invalid/a/q\"\n"),
                ("q/q.go", imports),
            ],
        ),
        // The import of one system does not say that the package is not in the build.
        (
            vec![
                ("a.go", bare),
                ("q/q_windows.go", imports),
                ("q/q.go", bare),
            ],
            vec![("q/q.go", imports)],
        ),
    ] {
        let proxy = partly_used(&old, &new);
        assert_eq!(project.found(&proxy, raised(&proxy)), needs, "{old:?}");
    }

    // Without the present archive, every package may be in the build.
    let mut proxy = partly_used(
        &[("a.go", bare), ("q/q.go", imports)],
        &[("q/q.go", imports)],
    );
    proxy
        .files
        .retain(|address, _| !address.ends_with("v1.2.0.zip"));
    assert_eq!(project.found(&proxy, raised(&proxy)), needs);
}

#[test]
fn the_requirement_of_a_replaced_module_follows_its_bound() {
    let go_mod = format!("{GO_MOD}\nreplace c.invalid/c => f.invalid/fork v1.0.5\n");
    let proxy = Proxy::default().with(
        "a.invalid/a",
        NEW,
        "go 1.17\nrequire c.invalid/c v1.1.0\n",
        "package a\n",
    );
    let files = Project::new(&go_mod, GO_SUM)
        .write(&proxy, raised(&proxy))
        .unwrap();
    let expected = go_mod
        .replace("a.invalid/a v1.2.0", "a.invalid/a v1.3.0")
        .replace("c.invalid/c v1.0.0 //", "c.invalid/c v1.1.0 //");
    assert_eq!(files["go.mod"], expected);
    assert!(!files["go.sum"].contains("c.invalid/c v1.1.0"));

    let only = go_mod.replace("c.invalid/c =>", "c.invalid/c v1.0.0 =>");
    let reason = Project::new(&only, GO_SUM).write(&proxy, raised(&proxy));
    let reason = reason.unwrap_err();
    assert!(reason.contains("replaces v1.0.0 only"), "{reason}");
}

#[test]
fn what_a_listed_module_requires_counts_below_an_old_one() {
    // Go 1.17 and later: the project did not read what `c` requires, and does now.
    let proxy = Proxy::default()
        .with(
            "a.invalid/a",
            NEW,
            "require c.invalid/c v1.0.0\n",
            "package a\n",
        )
        .with(
            "c.invalid/c",
            "v1.0.0",
            "go 1.20\nrequire (\n\tn.invalid/n v0.1.0\n\te.invalid/e v1.0.1\n)\n",
            "package c\n",
        )
        .with("n.invalid/n", "v0.1.0", "", "package n\n");
    let hash = super::super::archive::go_mod_hash(
        &proxy.files[&format!("{}/c.invalid/c/@v/v1.0.0.mod", super::tests::PROXY)],
    );
    let sums = GO_SUM.replace("h1:CCCD=", &hash);
    let project = Project::new(GO_MOD, &sums);
    let found = project.found(&proxy, raised(&proxy));
    assert_eq!(found, ["a.invalid/a v1.3.0 bounds e.invalid/e v1.0.1"]);

    let proxy = proxy.with(
        "c.invalid/c",
        "v1.0.0",
        "go 1.20\nrequire n.invalid/n v0.1.0\n",
        "package c\n",
    );
    let hash = super::super::archive::go_mod_hash(
        &proxy.files[&format!("{}/c.invalid/c/@v/v1.0.0.mod", super::tests::PROXY)],
    );
    let sums = GO_SUM.replace("h1:CCCD=", &hash);
    let files = Project::new(GO_MOD, &sums)
        .write(&proxy, raised(&proxy))
        .unwrap();
    assert!(files["go.sum"].contains("n.invalid/n v0.1.0/go.mod h1:"));
}
