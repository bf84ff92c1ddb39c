//! PDM on `pdm.lock`.

use std::path::Path;
use std::process::Command;

use patchgate_testkit::Tools;

use super::{Project, format, index};

fn pdm(program: &Path, directory: &Path, arguments: &[&str]) {
    let output = Command::new(program)
        .args(arguments)
        .env("HOME", directory)
        .env("PDM_CACHE_DIR", directory.join("cache"))
        .env("PDM_CHECK_UPDATE", "false")
        .env("PDM_USE_VENV", "false")
        .env("PDM_IGNORE_SAVED_PYTHON", "1")
        .current_dir(directory)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {text}");
}

#[test]
fn pdm_would_have_written_the_same() {
    let Some(program) = Tools::installed().and_then(|tools| tools.newer_python_program("pdm"))
    else {
        return;
    };
    let index = index(
        &[
            "m!=1.5,>=1 ; extra == 'fast' and platform_system == 'Windows'",
            "older>=1 ; python_version < '3.11'",
            "windows ; sys_platform == 'win32'",
        ],
        &[
            "py3-none-any",
            "cp27-cp27mu-manylinux1_x86_64",
            "cp310-cp310-win32",
        ],
    );
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let path = directory.join("pyproject.toml");
    let project = Project {
        directory,
        index: &index,
        format: format("pdm-lock"),
        lockfile: "pdm.lock",
    };
    let lock = |requirement: &str| {
        let manifest = format!(
            "[project]\nname = \"app\"\nversion = \"0.1.0\"\nrequires-python = \">=3.9,<4.0\"\n\
             dependencies = [\"a{requirement}\", \"q[x]\", \"c\"]\n\n\
             [[tool.pdm.source]]\nname = \"pypi\"\nurl = \"{}/\"\n",
            index.url()
        );
        std::fs::write(&path, manifest).unwrap();
        pdm(&program, directory, &["lock"]);
    };
    let run = |arguments: &[&str]| pdm(&program, directory, arguments);
    project.assert_raised(
        lock,
        run,
        [&["lock", "--check"], &["lock", "--update-reuse"]],
    );
}
