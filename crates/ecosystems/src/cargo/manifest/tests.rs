use super::*;
use crate::Siblings;

fn workspace(files: &[(&str, &str)]) -> Option<Workspace> {
    let siblings: Siblings = files
        .iter()
        .map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()))
        .collect();
    Workspace::read(&Input {
        path: "Cargo.lock",
        bytes: b"",
        siblings: &siblings,
    })
}

fn manifests(files: &[(&str, &str)]) -> Vec<String> {
    workspace(files)
        .map(|workspace| {
            let projects = workspace.projects.into_iter();
            projects.map(|project| project.manifest).collect()
        })
        .unwrap_or_default()
}

const MEMBER: &str = "[package]\nname = \"m\"\nversion = \"1.0.0\"\n";

#[test]
fn members_follow_patterns_and_exclusions() {
    let found = |root: &str| {
        manifests(&[
            ("Cargo.toml", root),
            ("a/Cargo.toml", MEMBER),
            ("a/b/Cargo.toml", MEMBER),
            ("a/c/Cargo.toml", MEMBER),
            ("ab/Cargo.toml", MEMBER),
        ])
        .join(" ")
    };

    for (root, expected) in [
        ("[workspace]\nmembers = [\"a\"]", "a/Cargo.toml"),
        ("[workspace]\nmembers = [\"./a/\"]", "a/Cargo.toml"),
        (
            "[workspace]\nmembers = [\"a/*\"]",
            "a/b/Cargo.toml a/c/Cargo.toml",
        ),
        (
            "[workspace]\nmembers = [\"a/**\"]",
            "a/b/Cargo.toml a/c/Cargo.toml",
        ),
        (
            "[workspace]\nmembers = [\"*\"]",
            "a/Cargo.toml ab/Cargo.toml",
        ),
        ("[workspace]\nmembers = [\"a?\"]", "ab/Cargo.toml"),
        (
            "[workspace]\nmembers = [\"a/*\"]\nexclude = [\"a/b\"]",
            "a/c/Cargo.toml",
        ),
        (
            "[workspace]\nmembers = [\"a/b\"]\nexclude = [\"a\"]",
            "a/b/Cargo.toml",
        ),
        (
            "[workspace]\nmembers = [\"../x\", \"/a\", \"a/b\"]",
            "a/b/Cargo.toml",
        ),
        ("[workspace]\nmembers = 1", ""),
        ("[workspace]", ""),
    ] {
        assert_eq!(found(root), expected, "{root}");
    }
}

#[test]
fn path_dependencies_are_followed() {
    let found = manifests(&[
        (
            "Cargo.toml",
            "[package]\nname = \"root\"\n[dependencies]\na = { path = \"a\" }\nfar = { path = \"../../far\" }\n\
             [workspace]\n[workspace.dependencies]\nc = { path = \"./deep/c\" }\n\
             [patch.crates-io]\np = { path = \"p\" }\n",
        ),
        (
            "a/Cargo.toml",
            "[package]\nname = \"a\"\n[dev-dependencies]\nb = { path = \"../b\" }\nc.workspace = true\n",
        ),
        (
            "b/Cargo.toml",
            "[package]\nname = \"b\"\n[dependencies]\na = { path = \"../a\" }\n",
        ),
        ("deep/c/Cargo.toml", "[package]\nname = \"c\"\n"),
        ("p/Cargo.toml", "[package]\nname = \"p\"\n"),
        ("stranger/Cargo.toml", MEMBER),
    ]);

    assert_eq!(
        found,
        [
            "Cargo.toml",
            "p/Cargo.toml",
            "a/Cargo.toml",
            "b/Cargo.toml",
            "deep/c/Cargo.toml"
        ]
    );
}

#[test]
fn what_is_asked_for_is_read_in_every_form() {
    let workspace = workspace(&[(
        "Cargo.toml",
        r#"
[package]
name = "root"
version.workspace = true
[workspace.package]
version = "2.0.0"
[workspace.dependencies]
shared = { package = "real", version = "3" }
[dependencies]
plain = "1"
table = { version = "1.1", optional = true }
renamed = { package = "real-name", version = "1.2" }
shared = { workspace = true, optional = true }
missing.workspace = true
git = { git = "https://git.invalid/x" }
[dev-dependencies]
plain = "1"
[build_dependencies]
old = "0.1"
[target.'cfg(unix)'.build-dependencies]
unix = "0.2"
"#,
    )])
    .expect("it is read");
    let [project] = workspace.projects.as_slice() else {
        panic!("one project");
    };

    assert_eq!(project.version.as_deref(), Some("2.0.0"));

    let mut lines: Vec<String> = project
        .dependencies
        .iter()
        .map(|d| format!("{} {} {:?} {:?}", d.name, d.package, d.requirement, d.kind))
        .collect();
    lines.sort();

    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn an_unreadable_root_is_an_absent_one() {
    assert!(workspace(&[("Cargo.toml", "[package")]).is_none());
    assert!(workspace(&[("other/Cargo.toml", MEMBER)]).is_none());
}

#[test]
fn recognizes_keys_of_requirements() {
    let is_requirement = |path: &str| is_requirement_key(&path.split(' ').collect::<Vec<_>>());
    for path in [
        "dependencies serde",
        "build-dependencies cc version",
        "workspace dependencies serde version",
        "target cfg(unix) dev-dependencies libc",
    ] {
        assert!(is_requirement(path), "{path}");
    }

    for path in [
        "dependencies",
        "dependencies serde path",
        "dev_dependencies serde",
        "package version",
        "patch crates-io serde version",
        "workspace workspace dependencies serde",
        "workspace",
        "target dependencies",
    ] {
        assert!(!is_requirement(path), "{path}");
    }
}
