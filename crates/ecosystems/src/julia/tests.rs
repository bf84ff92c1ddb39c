//! Whole files: the contents of the fixtures, and the traps of the format.

use patchgate_model::{Lockfile, Loss};

use crate::snapshot_text::snapshot_text;
use crate::{Input, ParseError, Siblings, parse};

fn read(text: &str, manifests: &[(&str, &str)]) -> Result<Lockfile, ParseError> {
    let siblings: Siblings = manifests
        .iter()
        .map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()))
        .collect();
    parse(&Input {
        path: "Manifest.toml",
        bytes: text.as_bytes(),
        siblings: &siblings,
    })
}

#[test]
fn a_project_with_its_workspace_is_read() {
    let manifests = [
        (
            "Project.toml",
            include_str!("fixtures/read/app-v2/Project.toml"),
        ),
        (
            "docs/Project.toml",
            include_str!("fixtures/read/app-v2/docs/Project.toml"),
        ),
    ];

    let text = include_str!("fixtures/read/app-v2/Manifest.toml");
    insta::assert_snapshot!(snapshot_text(&read(text, &manifests).unwrap()));
}

#[test]
fn the_first_version_does_not_state_julia_s() {
    let text = include_str!("fixtures/read/app-v1/Manifest.toml");
    insta::assert_snapshot!(snapshot_text(&read(text, &[]).unwrap()));
}

#[test]
fn two_packages_of_one_name_are_told_apart_by_uuid() {
    let text = r#"
manifest_format = "2.0"
[[deps.A]]
uuid = "aa"
version = "1.0.0"
[[deps.A]]
uuid = "ab"
version = "2.0.0"
[[deps.B]]
uuid = "bb"
version = "1.0.0"
[deps.B.deps]
A = "ab"
"#;
    let lockfile = read(text, &[]).unwrap();
    let to = lockfile.packages[2].edges[0].to;

    assert_eq!(lockfile.package(to).unwrap().version, "2.0.0");

    let by_name = text.replace("[deps.B.deps]\nA = \"ab\"", "deps = [\"A\"]");
    let lockfile = read(&by_name, &[]).unwrap();
    assert_eq!(lockfile.skipped[0].loss, Loss::Edge);

    let twice = text.replace("\"ab\"", "\"aa\"");
    let lockfile = read(&twice, &[]).unwrap();
    assert_eq!(lockfile.packages.len(), 3);
    assert_eq!(lockfile.skipped[0].loss, Loss::Edge);
}

#[test]
fn a_package_that_lost_its_version_is_no_part_of_julia() {
    let text = "julia_version = \"1.9.4\"\nmanifest_format = \"2.0\"\n[[deps.A]]\n\
                git-tree-sha1 = \"00\"\nuuid = \"aa\"\n";
    let error = read(text, &[]).unwrap_err();
    assert_eq!(error.reason, "lacks `version` of `A`");
}

#[test]
fn names_are_told_from_those_of_other_ecosystems_by_their_capital() {
    let julia =
        |path| crate::formats_of(path).any(|(ecosystem, _)| ecosystem.name() == super::NAME);
    assert!(julia("a/Manifest.toml") && julia("Manifest-v1.11.toml"));
    assert!(!julia("a/manifest.toml"));
}

#[test]
fn a_project_alone_asks_for_all_but_the_standard_library() {
    let siblings = Siblings::new();
    let asked = crate::unresolved(&Input {
        path: "Project.toml",
        bytes: include_bytes!("fixtures/read/app-v2/Project.toml"),
        siblings: &siblings,
    })
    .unwrap();
    let asked: Vec<String> = asked
        .iter()
        .map(|one| {
            format!(
                "{} {} `{}` {:?}",
                one.line, one.name, one.requirement, one.kind
            )
        })
        .collect();

    assert_eq!(
        asked,
        [
            "7 Gadget `1.2` Runtime",
            "8 Widget `^0.3, 1` Runtime",
            "20 Checker `` Test"
        ]
    );
}

/// A repository or a directory has any version, whatever `[compat]` says.
#[test]
fn a_package_from_a_source_names_no_versions() {
    let asked = crate::unresolved(&Input {
        path: "Project.toml",
        bytes: b"[deps]\nA = \"1\"\nB = \"2\"\n[sources]\nA = {url = \"https://u:p@h.invalid/A.jl\", rev = \"main\"}\n[compat]\nA = \"1\"\nB = \"2\"\n",
        siblings: &Siblings::new(),
    })
    .unwrap();
    let asked: Vec<_> = asked
        .iter()
        .map(|one| (one.name.as_str(), one.requirement.as_str()))
        .collect();
    assert_eq!(asked, [("A", "url:https://h.invalid/A.jl"), ("B", "2")]);
}

#[test]
fn a_last_line_that_does_not_end_is_truncated() {
    let text = "manifest_format = \"2.0\"\n\n[deps]";
    let error = read(text, &[]).unwrap_err();
    assert!(error.reason.starts_with("is truncated"), "{error}");
    assert_eq!(read(&format!("{text}\n"), &[]).unwrap().packages, []);
}

/// The output of `Pkg.status(mode = PKGMODE_MANIFEST)`.
#[test]
fn what_pkg_added_is_read() {
    let manifest = [(
        "Project.toml",
        include_str!("fixtures/read/added-v1/Project.toml"),
    )];
    let text = include_str!("fixtures/read/added-v1/Manifest.toml");
    insta::assert_snapshot!(snapshot_text(&read(text, &manifest).unwrap()));
}

/// The file that Pkg 1.5.3 writes after the last package is removed. Remaining requirements of a
/// project are reported.
#[test]
fn a_manifest_without_packages_is_read_when_pkg_wrote_it() {
    let text = "# This file is machine-generated - editing it directly is not advised\n\n";
    let lockfile = read(text, &[]).unwrap();

    assert_eq!((lockfile.packages.len(), lockfile.unresolved.len()), (0, 0));

    let asks = "[deps]\nJSON = \"682c06a0-de6a-54ab-a142-c8b1cf79cde6\"\n";
    let asked = read(text, &[("Project.toml", asks)]).unwrap();

    assert_eq!(asked.unresolved[0].name, "JSON");
    for other in [&text[..text.len() - 1], "# nothing\n\n"] {
        let error = read(other, &[]).unwrap_err();
        assert_eq!(
            error.reason,
            "is not a Julia manifest: it contains no package"
        );
    }
}
