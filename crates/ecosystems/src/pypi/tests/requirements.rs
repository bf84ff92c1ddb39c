//! Requirements files and manifests.

use patchgate_model::{DependencyKind, Origin, Unresolved};

use super::{fixture, names, open, read, unresolved};
use crate::snapshot_text::snapshot_text;

fn requirements(text: &str) -> Result<patchgate_model::Lockfile, crate::ParseError> {
    read(&[("requirements.txt", text.to_owned())])
}

#[test]
fn comments_of_pip_tools_are_edges() {
    let files = [
        fixture!("compiled/requirements.txt"),
        fixture!("compiled/requirements.in"),
        fixture!("compiled/constraints.txt"),
    ];
    insta::assert_snapshot!(snapshot_text(&read(&files).unwrap()));
}

#[test]
fn comments_of_uv_and_comments_on_one_line_are_edges() {
    let files = [
        fixture!("compiled/requirements-dev.txt"),
        fixture!("compiled/requirements.in"),
        fixture!("compiled/requirements-dev.in"),
    ];
    insta::assert_snapshot!(snapshot_text(&read(&files).unwrap()));
    insta::assert_snapshot!(snapshot_text(
        &read(&[fixture!("compiled/requirements-line.txt")]).unwrap()
    ));
}

#[test]
fn a_lower_bound_is_not_a_version() {
    let lockfile = requirements(
        "a>=1.0\nb==1.*\nc\nd ~= 2.0 ; python_version < '4'\ne==1.0  # why\nf === odd\ng[x]==2.0,>=1 \n-- \n",
    )
    .unwrap();
    assert_eq!(names(&lockfile), ["e 1.0", "f odd", "g 2.0"]);
    assert_eq!(
        open(&lockfile.unresolved),
        ["1: a >=1.0", "2: b ==1.*", "3: c", "4: d ~= 2.0"]
    );
}

#[test]
fn lines_continue_until_a_comment() {
    let hash = "0".repeat(64);
    let lockfile = requirements(&format!(
        "\n# a note\na==1.0 \\\n    --hash=sha256:{hash} \\\n    --hash sha256:{hash}\nb==2.0#not-a-comment\n"
    ));

    assert_eq!(lockfile.unwrap_err().line, Some(6));

    let lockfile = requirements(&format!(
        "a==\\\n1.0 --hash=sha256:{hash}\nb==2.0 # c==3.0 \\\nd==4.0\n"
    ))
    .unwrap();
    assert_eq!(names(&lockfile), ["a 1.0", "b 2.0", "d 4.0"]);
    assert_eq!(lockfile.packages[2].line, 4);

    // Without its line break the line may be cut.
    let error = requirements("a==1.0 --hash=sha256:00").unwrap_err();
    assert_eq!(error.reason, "has an invalid hash");
}

#[test]
fn credentials_are_removed_from_addresses() {
    let lockfile = requirements(
        "--index-url https://user:secret@h.invalid/simple\na==1.0\nb @ git+https://secret@h.invalid/b.git@v1\nc @ https://secret@h.invalid/c-1.0.zip\n-e git+ssh://git@h.invalid/d.git#egg=d\n",
    )
    .unwrap();
    assert!(!format!("{lockfile:?}").contains("secret"));
    assert_eq!(names(&lockfile), ["a 1.0", "c 1.0"]);
    assert_eq!(
        lockfile.packages[0].origin,
        Origin::Registry(Some("https://h.invalid/simple".to_owned()))
    );
    assert_eq!(
        open(&lockfile.unresolved),
        [
            "3: b git+https://h.invalid/b.git@v1",
            "5: d git+ssh://git@h.invalid/d.git#egg=d"
        ]
    );

    let error = requirements("https://u:secret@h.invalid/x y z\n").unwrap_err();
    assert!(!error.reason.contains("secret"), "{error}");
}

#[test]
fn with_two_indexes_the_origin_is_unknown() {
    let text = "-i https://a.invalid/\n--extra-index-url=https://b.invalid/\na==1.0\n";
    let lockfile = requirements(text).unwrap();
    assert_eq!(lockfile.packages[0].origin, Origin::Registry(None));
}

#[test]
fn included_files_count_once_and_in_circles() {
    let files = [
        (
            "deploy/requirements.txt",
            "a==1.0\n-r requirements/base.txt\n-r../../out.txt\n-r https://h.invalid/x.txt\n-c c.txt\n".to_owned(),
        ),
        (
            "deploy/requirements/base.txt",
            "# twice\nb>=2\n-r ../requirements.txt\n--requirement=../requirements/base.txt\n-c ../constraints.txt\n".to_owned(),
        ),
        ("deploy/constraints.txt", "b==2.5\nz<3\n".to_owned()),
    ];
    let lockfile = read(&files).unwrap();

    assert_eq!(names(&lockfile), ["a 1.0", "b 2.5"]);
    assert_eq!(lockfile.packages[1].line, 2);
    assert_eq!(
        open(&lockfile.unresolved),
        [
            "3: ../../out.txt file:../../out.txt",
            "4: https://h.invalid/x.txt https://h.invalid/x.txt"
        ]
    );
}

#[test]
fn constraints_require_nothing() {
    let text = "a==1.0\nb<2\nc\n".to_owned();
    let lockfile = read(&[("constraints.txt", text)]).unwrap();
    assert_eq!(names(&lockfile), ["a 1.0"]);
    assert!(lockfile.unresolved.is_empty());
}

#[test]
fn one_project_for_two_environments_is_two_packages() {
    let text = "a==1.0 ; python_version < '3'\nA==2.0 ; python_version >= '3'\nb==1 # via a\n";
    let lockfile = requirements(text).unwrap();
    assert_eq!(names(&lockfile), ["a 1.0", "A 2.0", "b 1"]);
    assert_eq!(lockfile.packages[0].edges.len(), 1);
    assert_eq!(lockfile.packages[1].edges.len(), 1);
}

#[test]
fn the_project_of_a_compiled_file_is_its_root() {
    let files = [
        (
            "requirements.txt",
            "a==1\n    # via shop\nb==1\n    # via shop (pyproject.toml)\nc==1\n    # via -r other.in\n"
                .to_owned(),
        ),
        (
            "pyproject.toml",
            "[project]\nname = \"Shop\"\n".to_owned(),
        ),
    ];
    let lockfile = read(&files).unwrap();
    let roots: Vec<_> = lockfile
        .roots
        .iter()
        .map(|root| {
            (
                root.name.as_str(),
                root.manifest.as_deref(),
                root.edges.len(),
            )
        })
        .collect();

    assert_eq!(roots, [("", None, 1), ("shop", Some("pyproject.toml"), 2),]);
}

#[test]
fn directories_of_the_repository_are_not_unresolved() {
    let lockfile = requirements("-e .\n./lib\n-e ./x#egg=x\na==1\n").unwrap();
    assert_eq!(names(&lockfile), ["x ", "a 1"]);
    assert!(lockfile.unresolved.is_empty());
}

#[test]
fn prose_is_refused() {
    let error = requirements("a==1\nThe system shall be secure.\n").unwrap_err();
    assert_eq!(error.line, Some(2));
    assert!(error.hint.is_some());
}

#[test]
fn pyproject_toml_states_requirements() {
    let pyproject = r#"[build-system]
requires = ["setuptools"]
[project]
name = "shop"
dependencies = ["a>=1", "core"]
[project.optional-dependencies]
fast = ["b~=2.0"]
all = ["shop[fast]"]
[dependency-groups]
dev = ["c", {include-group = "Test"}]
test = ["d @ https://u:p@h.invalid/d.zip"]
[tool.uv.sources]
core = { workspace = true }
[tool.poetry.dependencies]
python = "^3.9"
e = "^1.0"
core = { path = "../core" }
f = { git = "https://h.invalid/f.git", optional = true }
[tool.poetry.group.lint.dependencies]
g = "*"
"#;
    let open_ones = unresolved(&[("pyproject.toml", pyproject.to_owned())]).unwrap();

    assert_eq!(
        open(&open_ones),
        [
            "5: a >=1",
            "7: b ~=2.0",
            "10: c",
            "11: d @ https://h.invalid/d.zip",
            "11: d @ https://h.invalid/d.zip",
            "16: e ^1.0",
            "18: f https://h.invalid/f.git",
            "20: g *"
        ]
    );
    assert_eq!(open_ones[1].kind, DependencyKind::Optional);
    assert_eq!(open_ones[2].kind, DependencyKind::Development);
    assert_eq!(open_ones[6].kind, DependencyKind::Optional);
}

/// A repository has any version, so its requirement must not look like one of an index.
#[test]
fn a_requirement_from_an_address_names_no_versions() {
    let pyproject = r#"[project]
dependencies = ["a", "b>=1", "c>=1"]
[tool.uv.sources]
a = { git = "https://u:p@h.invalid/a.git" }
b = [{ index = "own" }, { url = "https://h.invalid/b.zip", marker = "os_name == 'nt'" }]
[tool.poetry.dependencies]
c = { git = "https://h.invalid/c.git" }
d = { git = "git@h.invalid:d.git", version = "^1.0" }
e = { file = "1.0" }
f = [{ version = "^1.0", python = "<3.9" }, { version = "^2.0", python = ">=3.9" }]
"#;
    let found = unresolved(&[("pyproject.toml", pyproject.to_owned())]).unwrap();
    assert_eq!(
        open(&found),
        [
            "2: a @ https://h.invalid/a.git",
            "2: b @ https://h.invalid/b.zip",
            "2: c https://h.invalid/c.git",
            "8: d git@h.invalid:d.git",
            "9: e ./1.0",
            "10: f ^1.0",
            "10: f ^2.0"
        ]
    );

    let names_versions = |open: &Unresolved| {
        crate::Ecosystem::admitted_versions(&crate::pypi::PyPi, &open.requirement).is_ok()
    };
    let with_versions: Vec<&str> = found
        .iter()
        .filter(|open| names_versions(open))
        .map(|open| open.name.as_str())
        .collect();
    assert_eq!(with_versions, ["f", "f"]);
}

#[test]
fn other_manifests_state_requirements() {
    let setup = "[metadata]\nname = shop\n[options]\ninstall_requires =\n    a>=1; python_version<'3'\n    # note\n    b\npackages = find:\n[options.extras_require]\nfast = c; d>=2\n[flake8]\nodd\n";
    assert_eq!(
        open(&unresolved(&[("setup.cfg", setup.to_owned())]).unwrap()),
        ["5: a >=1", "7: b", "10: c", "10: d >=2"]
    );

    let locked = [
        ("setup.cfg", setup.to_owned()),
        ("uv.lock", "version = 1\n".to_owned()),
    ];
    assert!(unresolved(&locked).unwrap().is_empty());

    let pipfile = "[packages]\na = \"*\"\nb = {path = \".\", editable = true}\n[dev-packages]\nc = {version = \">=1\", extras = [\"x\"]}\n";
    assert_eq!(
        open(&unresolved(&[("Pipfile", pipfile.to_owned())]).unwrap()),
        ["5: c >=1", "2: a *"]
    );

    let source = "# top\na>=1 # note\n-r base.in\n-c c.txt\n";
    assert_eq!(
        open(&unresolved(&[("requirements.in", source.to_owned())]).unwrap()),
        ["2: a >=1"]
    );
}

#[test]
fn groups_that_include_each_other_are_read_once() {
    let text = "[dependency-groups]\na = [\"x\", {include-group = \"b\"}]\nb = [\"y\", {include-group = \"A\"}]\n";
    let found = unresolved(&[("pyproject.toml", text.to_owned())]).unwrap();
    assert_eq!(open(&found), ["2: x", "3: y", "3: y", "2: x"]);
}

#[test]
fn a_wrong_manifest_is_an_error_with_a_line() {
    for (path, text, line) in [
        (
            "pyproject.toml",
            "[project]\ndependencies = [\"a ==\"]\n",
            2,
        ),
        ("pyproject.toml", "[project]\ndependencies = [1]\n", 2),
        ("setup.cfg", "[options]\ninstall_requires = a ==\n", 2),
        ("Pipfile", "[packages]\na = 1\n", 2),
    ] {
        let error = unresolved(&[(path, text.to_owned())]).unwrap_err();
        assert_eq!(error.line, Some(line), "{text}: {error}");
    }
}

#[test]
fn overrides_of_uv_are_requirements_too() {
    let text = "[project]\nname = \"x\"\ndependencies = [\"a>=2\"]\n\
                [tool.uv]\noverride-dependencies = [\"a==1.0\", \"b==1.0\"]\n";
    let found = unresolved(&[("pyproject.toml", text.to_owned())]).unwrap();
    assert_eq!(open(&found), ["3: a >=2", "5: a ==1.0", "5: b ==1.0"]);
}

/// pip replaces the variable first, so the line can require any package.
#[test]
fn a_variable_is_not_a_directory() {
    let lockfile = requirements("a==1\n${B}==1.3\n").unwrap();
    assert_eq!(open(&lockfile.unresolved), ["2: ${B}==1.3 ${B}==1.3"]);
}

#[test]
fn an_empty_requirements_file_requires_nothing() {
    for text in ["", "\n", " \r\n\n"] {
        let lockfile = requirements(text).unwrap();
        assert!(lockfile.packages.is_empty() && lockfile.unresolved.is_empty());
    }
}

#[test]
fn the_older_table_of_flit_states_requirements() {
    let text = "[tool.flit.metadata]\nmodule = \"a\"\nrequires = [\"django<3\"]\n\
                dev-requires = [\"pytest\"]\n[tool.flit.metadata.requires-extra]\n\
                web = [\"jinja2<3\"]\n";
    let siblings = crate::Siblings::new();
    let open = crate::unresolved(&crate::Input {
        path: "pyproject.toml",
        bytes: text.as_bytes(),
        siblings: &siblings,
    })
    .unwrap();
    let shown: Vec<_> = open
        .iter()
        .map(|one| {
            (
                one.name.as_str(),
                one.requirement.as_str(),
                one.kind,
                one.line,
            )
        })
        .collect();

    assert_eq!(
        shown,
        [
            ("django", "<3", DependencyKind::Runtime, 3),
            ("pytest", "", DependencyKind::Development, 4),
            ("jinja2", "<3", DependencyKind::Optional, 6),
        ]
    );
}
