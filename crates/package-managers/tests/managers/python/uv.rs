//! uv on `uv.lock`.

use std::path::Path;
use std::process::Command;

use patchgate_testkit::{PyIndex, PyRelease, Tools};

use super::{Project, format};

fn uv(program: &Path, directory: &Path, arguments: &[&str]) {
    let output = Command::new(program)
        .args(["lock", "--no-build", "--no-python-downloads"])
        .args(arguments)
        .env("HOME", directory)
        .env("UV_CACHE_DIR", directory.join("cache"))
        .current_dir(directory)
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {stderr}");
}

fn manifest(index: &PyIndex) -> String {
    format!(
        "[project]\nname = \"app\"\nversion = \"0.1.0\"\nrequires-python = \">=3.9\"\n\
         dependencies = [\"a>=1\", \"q[x]\", \"w ; sys_platform == 'win32'\"]\n\n\
         [dependency-groups]\ndev = [\"d\"]\n\n\
         [[tool.uv.index]]\nurl = \"{}\"\ndefault = true\n",
        index.url()
    )
}

fn releases() -> Vec<PyRelease> {
    let made = PyRelease::new;
    vec![
        made("a", "1.0", &["b>=1"]),
        made(
            "a",
            "1.1",
            &[
                "b>=1",
                "c[y]>=1 ; python_version < '3.12' and platform_system == 'Windows'",
                "old ; python_version < '3.8'",
                "older>=1 ; python_version < '3.11'",
                "windows ; sys_platform == 'win32'",
                "z>=2",
                "unused ; extra == 'never'",
            ],
        )
        .with_wheels(&[
            "cp38-cp38-manylinux_2_17_x86_64",
            "cp313-cp313t-win_amd64",
            "cp39-abi3-macosx_11_0_arm64",
            "cp310-cp310-manylinux_2_17_x86_64",
            "pp38-pypy38_pp73-win_amd64",
            "py2-none-any",
            "py3-none-any",
        ]),
        made("b", "1.0", &[]),
        made("c", "1.0", &["d", "e ; extra == 'y'", "f ; extra == 'n'"]),
        made("d", "1.0", &[]),
        made("e", "1.0", &[]),
        made("f", "1.0", &[]),
        made("q", "1.0", &["b", "b2 ; extra == 'x'"]),
        made(
            "q",
            "1.1",
            &["b", "d ; extra == 'x' and python_version >= '3.10'"],
        ),
        made("b2", "1.0", &[]),
        made("w", "1.0", &["b"]).with_wheels(&["cp39-cp39-win_amd64", "cp39-cp39-win32"]),
        made("w", "1.1", &["b"]).with_wheels(&["cp39-cp39-win_amd64", "cp39-cp39-linux_x86_64"]),
        made("z", "2.0", &[]),
        made("older", "1.0", &[]),
        made("windows", "1.0", &[]),
    ]
}

#[test]
fn uv_would_have_written_the_same() {
    let Some(program) = Tools::installed().and_then(|tools| tools.newer_python_program("uv"))
    else {
        return;
    };
    let index = PyIndex::start(releases());
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    std::fs::write(directory.join("pyproject.toml"), manifest(&index)).unwrap();
    let project = Project {
        directory,
        index: &index,
        format: format("uv-lock"),
        lockfile: "uv.lock",
    };
    uv(&program, directory, &[]);
    let fresh = project.read();
    assert_eq!(project.written(&fresh, &fresh).as_deref(), Ok(&*fresh));

    for (pin, is_exact) in [("a==1.0", true), ("q==1.0", true), ("w==1.0", false)] {
        project.save(&fresh);
        uv(&program, directory, &["--upgrade-package", pin]);
        let other = project.read();
        assert_ne!(other, fresh, "{pin}");

        for (before, after) in [(&fresh, &other), (&other, &fresh)] {
            let written = project.written(before, after);
            if !is_exact {
                let reason = written.unwrap_err();
                assert!(reason.contains("not for all platforms"), "{reason}");
                continue;
            }
            assert_eq!(&written.unwrap(), after, "{pin}");
        }
        for arguments in [&["--check"][..], &[]] {
            uv(&program, directory, arguments);
            assert_eq!(project.read(), other, "{pin}");
        }
    }
}

/// A raised requirement is repeated in the lockfile.
#[test]
fn uv_accepts_a_raised_requirement() {
    let Some(program) = Tools::installed().and_then(|tools| tools.newer_python_program("uv"))
    else {
        return;
    };
    let index = PyIndex::start(releases());
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let manifest = manifest(&index);
    let path = directory.join("pyproject.toml");
    std::fs::write(&path, manifest.replace("a>=1", "a>=1,<1.1")).unwrap();
    let project = Project {
        directory,
        index: &index,
        format: format("uv-lock"),
        lockfile: "uv.lock",
    };
    uv(&program, directory, &[]);
    let before = project.read();
    std::fs::write(&path, manifest.replace("a>=1", "a >= 1.1 , < 2")).unwrap();
    uv(&program, directory, &[]);
    let after = project.read();

    assert_eq!(project.written(&before, &after).as_deref(), Ok(&*after));
}

/// A package with a version for each of two ranges of Python keeps them apart.
#[test]
fn uv_accepts_other_versions_for_ranges_of_python() {
    let Some(program) = Tools::installed().and_then(|tools| tools.newer_python_program("uv"))
    else {
        return;
    };
    let made = PyRelease::new;
    let newer = |version: &str| PyRelease {
        python: ">=3.10".to_owned(),
        ..made("s", version, &["b", "c ; python_version < '3.12'"])
    };
    let tags = [
        "cp39-cp39-win_amd64",
        "cp311-cp311-win_amd64",
        "py3-none-any",
    ];
    let index = PyIndex::start(vec![
        made("s", "1.0", &["b"]),
        made(
            "s",
            "1.1",
            &[
                "b",
                "c ; python_version < '3.11'",
                "older ; python_version >= '3.10'",
                "windows ; sys_platform == 'win32'",
            ],
        )
        .with_wheels(&tags),
        newer("2.0"),
        newer("2.1").with_wheels(&tags),
        made("b", "1.0", &[]),
        made("c", "1.0", &[]),
        made("windows", "1.0", &[]),
        made("d", "1.0", &["s", "c"]),
    ]);
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let path = directory.join("pyproject.toml");
    let manifest = format!(
        "[project]\nname = \"app\"\nversion = \"0.1.0\"\nrequires-python = \">=3.9\"\n\
         dependencies = [\"d\", \"s\"]\n\n\
         [[tool.uv.index]]\nurl = \"{}\"\ndefault = true\n",
        index.url()
    );
    let bounds = "\n[tool.uv]\nconstraint-dependencies = [\"s<1.1 ; python_version < '3.10'\", \
                  \"s<2.1 ; python_version >= '3.10'\"]\n";
    let project = Project {
        directory,
        index: &index,
        format: format("uv-lock"),
        lockfile: "uv.lock",
    };
    std::fs::write(&path, format!("{manifest}{bounds}")).unwrap();
    uv(&program, directory, &[]);
    std::fs::write(&path, manifest).unwrap();
    uv(&program, directory, &[]);
    let before = project.read();
    for version in ["1.0", "2.0"] {
        assert!(before.contains(&format!("name = \"s\"\nversion = \"{version}\"\n")));
    }

    uv(&program, directory, &["--upgrade-package", "s"]);
    let after = project.read();
    assert_eq!(project.written(&before, &after).as_deref(), Ok(&*after));
    assert_eq!(project.written(&after, &before).as_deref(), Ok(&*before));
}
