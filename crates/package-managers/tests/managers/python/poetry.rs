//! Poetry on `poetry.lock`.

use std::path::Path;
use std::process::Command;

use patchgate_testkit::{PyIndex, Tools};

use super::{Project, format, index};

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
    let index = index(
        &[
            "old ; python_version < '3.8'",
            "older>=1 ; python_version < '3.11'",
            "windows ; sys_platform == 'win32'",
            "m!=1.5,>=1 ; extra == 'fast' and platform_system == 'Windows'",
            "d ; extra == 'all'",
            "c ; extra == 'all'",
        ],
        &[],
    );
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
    };
    let run = |arguments: &[&str]| poetry(&program, directory, arguments);
    project.assert_raised(lock, run, [&["check", "--lock"], &["lock"]]);
}
