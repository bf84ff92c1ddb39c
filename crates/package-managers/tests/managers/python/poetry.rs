//! Poetry on `poetry.lock`.

use std::path::Path;
use std::process::Command;

use patchgate_testkit::{PyIndex, PyRelease, Tools};

use super::{Project, format};

fn poetry(program: &Path, directory: &Path, arguments: &[&str]) {
    let output = Command::new(program)
        .args(arguments)
        .arg("--no-interaction")
        .env("HOME", directory)
        .env("POETRY_CACHE_DIR", directory.join("cache"))
        .env("POETRY_VIRTUALENVS_CREATE", "false")
        .current_dir(directory)
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {stderr}");
}

fn manifest(index: &PyIndex, a: &str) -> String {
    format!(
        "[project]\nname = \"app\"\nversion = \"0.1.0\"\nrequires-python = \">=3.9,<4.0\"\n\
         dependencies = [\"a ({a})\", \"q[x]\", \"c\"]\n\n\
         [tool.poetry]\npackage-mode = false\n\n\
         [[tool.poetry.source]]\nname = \"own\"\nurl = \"{}/\"\npriority = \"primary\"\n",
        index.url()
    )
}

#[test]
fn poetry_would_have_written_the_same() {
    let Some(program) = Tools::installed().and_then(|tools| tools.newer_python_program("poetry"))
    else {
        return;
    };
    let made = PyRelease::new;
    let index = PyIndex::start(vec![
        made("a", "1.0", &["b>=1"]),
        made(
            "a",
            "1.1",
            &[
                "b<2,>=1",
                "c~=1.0",
                "n",
                "old ; python_version < '3.8'",
                "m!=1.5,>=1 ; extra == 'fast' and platform_system == 'Windows'",
                "d ; extra == 'all'",
                "c ; extra == 'all'",
            ],
        ),
        made("b", "1.0", &[]),
        made("c", "1.0", &[]),
        made("n", "2.0", &[]),
        made("q", "1.0", &["b", "c ; extra == 'x'"]),
    ]);
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let path = directory.join("pyproject.toml");
    let project = Project {
        directory,
        index: &index,
        format: format("poetry-lock"),
        lockfile: "poetry.lock",
    };
    let lock = |requirement: &str| {
        std::fs::write(&path, manifest(&index, requirement)).unwrap();
        poetry(&program, directory, &["lock"]);
        project.read()
    };
    let old = lock(">=1,<1.1");
    let lockfile = project.parse(&old);
    let new = lock(">=1.1");
    let written = project.changed(&lockfile, &old, &new).unwrap();
    assert_eq!(written, new);
    assert_eq!(project.written(&new, &new).as_deref(), Ok(&*new));

    project.save(&written);
    for arguments in [&["check", "--lock"][..], &["lock"]] {
        poetry(&program, directory, arguments);
        assert_eq!(project.read(), written, "{arguments:?}");
    }
}
