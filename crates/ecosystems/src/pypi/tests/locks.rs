//! Lockfiles of Poetry, Pipenv, uv, PDM and PEP 751.

use patchgate_model::{Lockfile, Origin, Scope};

use super::{fixture, names, open, read};
use crate::snapshot_text::snapshot_text;

#[test]
fn poetry_1_needs_its_manifest_for_scopes() {
    let files = [
        fixture!("poetry1/poetry.lock"),
        fixture!("poetry1/pyproject.toml"),
    ];
    insta::assert_snapshot!(snapshot_text(&read(&files).unwrap()));

    let alone = read(&files[..1]).unwrap();
    assert!(alone.roots.is_empty());

    let scope = |name| {
        let found = alone.packages.iter().find(|package| package.name == name);
        found.map(|package| package.scope)
    };
    assert_eq!(scope("colorama"), Some(Scope::Optional));
    assert_eq!(
        scope("zipp"),
        Some(Scope::Runtime),
        "nothing says otherwise"
    );
}

#[test]
fn poetry_2_writes_groups() {
    let files = [
        fixture!("poetry2/poetry.lock"),
        fixture!("poetry2/pyproject.toml"),
    ];
    insta::assert_snapshot!(snapshot_text(&read(&files).unwrap()));
}

/// A `poetry.lock` with one package.
fn poetry(package: &str, metadata: &str) -> [(&'static str, String); 1] {
    [(
        "poetry.lock",
        format!("[[package]]\n{package}\n[metadata]\ncontent-hash = \"0\"\n{metadata}"),
    )]
}

#[test]
fn poetry_writes_origins() {
    let origin = |source: &str| {
        let text = format!("name = \"a\"\nversion = \"1\"\n[package.source]\n{source}");
        let lockfile = read(&poetry(&text, "")).unwrap();
        lockfile.packages[0].origin.clone()
    };
    let commit = "9d6d4ae0f4ac1d5a4a0a2d2a6b8a5c2d9c3a1b2e";

    assert_eq!(
        origin(&format!(
            "type = \"git\"\nurl = \"https://u:p@h.invalid/a.git\"\nreference = \"main\"\nresolved_reference = \"{commit}\"\n"
        )),
        Origin::Git {
            url: "https://h.invalid/a.git".to_owned(),
            commit: Some(commit.to_owned())
        }
    );
    assert_eq!(
        origin("type = \"directory\"\nurl = \"../lib\"\n"),
        Origin::Path(Some("../lib".to_owned()))
    );
    assert_eq!(
        origin("type = \"file\"\nurl = \"wheels/a-1-py3-none-any.whl\"\n"),
        Origin::Url("wheels/a-1-py3-none-any.whl".to_owned()),
        "an archive is not the user's own"
    );
    assert_eq!(
        origin("type = \"legacy\"\nurl = \"https://token@h.invalid/simple\"\n"),
        Origin::Registry(Some("https://h.invalid/simple".to_owned()))
    );
}

#[test]
fn old_lockfiles_of_poetry_keep_hashes_in_one_table() {
    let package = "category = \"dev\"\nname = \"A.b\"\nversion = \"1\"\noptional = false\n";
    let lockfile = read(&poetry(
        package,
        "[metadata.hashes]\na-b = [\"00\", \"11\"]\n",
    ))
    .unwrap();

    assert_eq!(lockfile.format, "poetry-lock-v0");
    assert_eq!(lockfile.packages[0].integrity.as_deref(), Some("00 11"));
    assert_eq!(lockfile.packages[0].scope, Scope::Development);
    assert_eq!(lockfile.packages[0].groups, ["dev"]);

    let metadata = "lock-version = \"1.1\"\n[metadata.files]\n\"A.b\" = [{file = \"a\", hash = \"sha256:22\"}]\n";
    let lockfile = read(&poetry(package, metadata)).unwrap();

    assert_eq!(lockfile.format, "poetry-lock-v1");
    assert_eq!(lockfile.packages[0].integrity.as_deref(), Some("sha256:22"));
}

#[test]
fn a_lockfile_of_a_later_poetry_is_read_in_part() {
    let package = "name = \"a\"\nversion = \"1\"\n";
    let lockfile = read(&poetry(package, "lock-version = \"3.0\"\n")).unwrap();
    assert_eq!(names(&lockfile), ["a 1"]);
    assert_eq!(
        skipped(&lockfile),
        ["7 Package: has the unknown format version 3.0: packages may be missing"]
    );
}

fn skipped(lockfile: &Lockfile) -> Vec<String> {
    lockfile
        .skipped
        .iter()
        .map(|entry| format!("{} {:?}: {}", entry.line, entry.loss, entry.reason))
        .collect()
}

/// One odd entry before a good one, in each format.
#[test]
fn one_odd_entry_does_not_lose_the_file() {
    let uv = |odd: &str| {
        format!(
            "version = 1\n[[package]]\nname = \"a\"\n{odd}\n[[package]]\nname = \"z\"\nversion = \"1\"\nsource = {{ registry = \"https://h.invalid/\" }}\n"
        )
    };
    let pdm = |odd: &str| {
        format!(
            "[metadata]\nlock_version = \"4.5.0\"\n[[package]]\n{odd}[[package]]\nname = \"z\"\nversion = \"1\"\n"
        )
    };
    let source = "version = \"1\"\nsource = { registry = \"https://h.invalid/\" }\n";

    for (path, text, expected) in [
        ("uv.lock", uv(""), "2 Package: has a package without a source"),
        (
            "uv.lock",
            uv(&format!("{source}dependencies = [{{ name = \"b\" }}]\n")),
            "6 Edge: has a dependency on `b`, which is not in the file",
        ),
        (
            "uv.lock",
            uv(source).replace("version = 1\n", "version = 9\n"),
            "1 Package: has the unknown format version 9: packages may be missing",
        ),
        ("pdm.lock", pdm("name = \"a\"\n"), "3 Package: lacks `version`"),
        (
            "pdm.lock",
            pdm("name = \"a\"\nversion = \"1\"\ndependencies = [\"!\"]\n"),
            "6 Edge: has a dependency with an invalid requirement",
        ),
        (
            "poetry.lock",
            poetry("version = \"1\"\n[[package]]\nname = \"z\"\nversion = \"1\"\n", "")[0].1.clone(),
            "1 Package: lacks `name`",
        ),
        (
            "Pipfile.lock",
            "{\"_meta\": {}, \"default\": {\n\"a\": 1, \"z\": {\"version\": \"==1\"}}}".to_owned(),
            "2 Package: has a number under `a` where a map belongs",
        ),
        (
            "Pipfile.lock",
            "{\"default\": {\"z\": {\"version\": \"==1\"}}}".to_owned(),
            "1 Detail: lacks `_meta`, which has the addresses of registries",
        ),
        (
            "Pipfile.lock",
            "{\"_meta\": {}, \"default\": {\n\"z\": {\"version\": \"==2\"},\n\"z\": {\"version\": \"==1\"}}}".to_owned(),
            "2 Package: has the key `z` again on line 3",
        ),
        (
            "pylock.toml",
            "lock-version = \"1.0\"\ncreated-by = \"x\"\n[[packages]]\nversion = \"1\"\n[[packages]]\nname = \"z\"\nversion = \"1\"\n".to_owned(),
            "3 Package: lacks `name`",
        ),
        (
            "requirements.txt",
            "!\nz==1 --hash=sha256:0\ny==1\n".to_owned(),
            "1 Package: has `!` instead of a requirement\n2 Detail: has an invalid hash",
        ),
    ] {
        let lockfile = read(&[(path, text.clone())]).unwrap_or_else(|error| panic!("{error}: {text}"));
        assert_eq!(skipped(&lockfile).join("\n"), expected, "{text}");
        assert!(names(&lockfile).contains(&"z 1".to_owned()), "{text}");
    }
}

#[test]
fn older_formats_and_packages_without_versions_are_read() {
    for (name, file) in [
        ("pipenv_spec_5", fixture!("pipenv-spec5/Pipfile.lock")),
        ("pdm_sections", fixture!("pdm-sections/pdm.lock")),
        ("pylock_versions", fixture!("pylock-versions/pylock.toml")),
    ] {
        insta::assert_snapshot!(name, snapshot_text(&read(&[file]).unwrap()));
    }
}

#[test]
fn pipenv_writes_categories() {
    let files = [fixture!("pipenv/Pipfile.lock"), fixture!("pipenv/Pipfile")];
    insta::assert_snapshot!(snapshot_text(&read(&files).unwrap()));
}

#[test]
fn pipenv_locks_requirements_without_versions() {
    let text = r#"{
      "_meta": {"pipfile-spec": 6, "sources": [{"name": "a", "url": "https://u:p@h.invalid/simple"}]},
      "default": {
        "own": {"path": ".", "editable": true},
        "repo": {"git": "https://t@h.invalid/r.git", "ref": "v1"},
        "floor": {"version": ">=2"},
        "any": {"version": "*"},
        "wheel": {"file": "https://h.invalid/wheel-1.5-py3-none-any.whl"},
        "both": {"version": "==1.0"}
      },
      "develop": {"both": {"version": "==1.0"}, "other": {"version": "===odd"}}
    }"#;
    let lockfile = read(&[("Pipfile.lock", text.to_owned())]).unwrap();

    assert_eq!(
        names(&lockfile),
        ["own ", "wheel 1.5", "both 1.0", "other odd"]
    );
    assert_eq!(
        open(&lockfile.unresolved),
        [
            "5: repo git+https://h.invalid/r.git@v1",
            "6: floor >=2",
            "7: any *"
        ]
    );

    let both = &lockfile.packages[2];
    assert_eq!(
        (both.scope, both.groups.join(" ")),
        (Scope::Runtime, "default develop".to_owned())
    );
    assert_eq!(
        both.origin,
        Origin::Registry(Some("https://h.invalid/simple".to_owned()))
    );
}

#[test]
fn uv_locks_a_workspace_with_its_members() {
    let files = [
        fixture!("uv/uv.lock"),
        fixture!("uv/pyproject.toml"),
        fixture!("uv/libs/core/pyproject.toml"),
    ];
    insta::assert_snapshot!(snapshot_text(&read(&files).unwrap()));
}

#[test]
fn uv_writes_origins() {
    let origin = |source: &str| {
        let text =
            format!("version = 1\n[[package]]\nname = \"a\"\nversion = \"1\"\nsource = {source}\n");
        let lockfile = read(&[("uv.lock", text)]).unwrap();
        lockfile.packages[0].origin.clone()
    };
    let commit = "9d6d4ae0f4ac1d5a4a0a2d2a6b8a5c2d9c3a1b2e";

    assert_eq!(
        origin(&format!(
            "{{ git = \"https://t@h.invalid/a.git?rev=main#{commit}\" }}"
        )),
        Origin::Git {
            url: "https://h.invalid/a.git".to_owned(),
            commit: Some(commit.to_owned())
        }
    );
    assert_eq!(
        origin("{ path = \"a-1.zip\" }"),
        Origin::Url("a-1.zip".to_owned())
    );
    assert_eq!(
        origin("{ directory = \"../a\" }"),
        Origin::Path(Some("../a".to_owned()))
    );
}

#[test]
fn an_incomplete_uv_lock_is_an_error() {
    let package = "[[package]]\nname = \"a\"\nversion = \"1\"\n";

    for (text, reason) in [
        (
            "[[package]]\n".to_owned(),
            "is not a lockfile of uv: it lacks `version`",
        ),
        (
            format!("version = 1\n{package}"),
            "has a package without a source",
        ),
        (
            format!(
                "version = 1\n{package}source = {{ editable = \".\" }}\ndependencies = [{{ name = \"b\" }}]\n"
            ),
            "has a dependency on `b`, which is not in the file",
        ),
        (
            "version = 1\n[manifest]\nmembers = [\"a\"]\n".to_owned(),
            "does not contain the workspace member `a`",
        ),
    ] {
        let error = read(&[("uv.lock", text)]).unwrap_err();
        assert_eq!(error.reason, reason);
    }
}

#[test]
fn a_script_has_a_lockfile_of_its_own() {
    let text = "version = 1\n[manifest]\nrequirements = [{ name = \"a\", specifier = \">=1\" }]\n[[package]]\nname = \"a\"\nversion = \"1\"\nsource = { registry = \"https://h.invalid/\" }\n";
    let lockfile = read(&[("tools/run.py.lock", text.to_owned())]).unwrap();
    assert_eq!(
        lockfile.roots[0].edges[0].requirement.as_deref(),
        Some(">=1")
    );
}

#[test]
fn pdm_writes_groups() {
    let files = [fixture!("pdm/pdm.lock"), fixture!("pdm/pyproject.toml")];
    insta::assert_snapshot!(snapshot_text(&read(&files).unwrap()));
}

#[test]
fn pdm_locks_a_package_with_extras_twice() {
    let text = "[metadata]\nlock_version = \"4.5.0\"\n[[package]]\nname = \"a\"\nversion = \"1\"\ngroups = [\"default\"]\nfiles = [{file = \"a\", hash = \"sha256:0\"}]\n[[package]]\nname = \"a\"\nversion = \"1\"\nextras = [\"x\"]\ngroups = [\"dev\"]\ndependencies = [\"a==1\", \"b>=2\"]\n[[package]]\nname = \"b\"\nversion = \"2\"\ngroups = [\"dev\"]\n";
    let lockfile = read(&[("pdm.lock", text.to_owned())]).unwrap();

    assert_eq!(names(&lockfile), ["a 1", "b 2"]);

    let a = &lockfile.packages[0];
    assert_eq!(
        (a.scope, a.groups.join(" ")),
        (Scope::Runtime, "default dev".to_owned())
    );
    assert_eq!(a.edges.len(), 1);
    assert_eq!(
        lockfile.packages[1].scope,
        Scope::Optional,
        "an extra or a group"
    );
}

#[test]
fn pylock_has_groups_in_its_markers() {
    let files = [
        fixture!("pylock/pylock.toml"),
        fixture!("pylock/pyproject.toml"),
    ];
    insta::assert_snapshot!(snapshot_text(&read(&files).unwrap()));

    let text = r#"lock-version = "1.0"
created-by = "somebody"
[[packages]]
name = "a"
version = "1"
marker = "python_version > '3' and ('dev' in dependency_groups or 'x' in extras)"
[[packages]]
name = "b"
vcs = { type = "git", url = "https://h.invalid/b.git", commit-id = "9d6d4ae0f4ac1d5a4a0a2d2a6b8a5c2d9c3a1b2e" }
[[packages]]
name = "c"
archive = { url = "https://h.invalid/c-2.0.tar.gz", hashes = { sha256 = "00" } }
"#;
    let lockfile = read(&[("pylock.dev.toml", text.to_owned())]).unwrap();

    assert_eq!(names(&lockfile), ["a 1", "c 2.0"]);
    assert_eq!(lockfile.packages[0].groups, ["dev", "x"]);
    assert_eq!(lockfile.packages[0].scope, Scope::Optional);
    assert_eq!(lockfile.packages[1].integrity.as_deref(), Some("sha256:00"));
    assert_eq!(
        open(&lockfile.unresolved),
        ["7: b git+https://h.invalid/b.git@9d6d4ae0f4ac1d5a4a0a2d2a6b8a5c2d9c3a1b2e"]
    );
}

#[test]
fn a_project_that_is_locked_by_its_directory_is_a_root() {
    let files = [
        (
            "app/Pipfile.lock",
            r#"{"_meta": {}, "default": {"lib": {"path": "./../lib"}, "a": {"version": "==1.0"}}}"#
                .to_owned(),
        ),
        (
            "lib/pyproject.toml",
            "[project]\nname = \"lib\"\ndependencies = [\"a>=1\"]\n".to_owned(),
        ),
    ];
    let lockfile = read(&files).unwrap();
    let root = &lockfile.roots[0];

    assert_eq!(root.manifest.as_deref(), Some("lib/pyproject.toml"));
    assert_eq!(root.edges[0].requirement.as_deref(), Some(">=1"));
}

#[test]
fn the_first_notation_of_uv_is_refused() {
    let text = "version = 1\n\n[[distribution]]\nname = \"a\"\nversion = \"1\"\n\
                source = \"registry+https://h.invalid/simple\"\n";
    let error = read(&[("uv.lock", text.to_owned())]).unwrap_err();
    assert_eq!(error.line, Some(3));
    assert!(error.to_string().contains("[[distribution]]"));
}
