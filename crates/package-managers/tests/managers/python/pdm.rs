//! PDM on `pdm.lock`.

use std::path::Path;
use std::process::Command;

use patchgate_testkit::{PyIndex, PyRelease, Tools};

use super::{Project, format};

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
                "m!=1.5,>=1 ; extra == 'fast' and platform_system == 'Windows'",
            ],
        )
        .with_wheels(&[
            "py3-none-any",
            "cp27-cp27mu-manylinux1_x86_64",
            "cp310-cp310-win32",
        ]),
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
        project.read()
    };
    let old = lock(">=1,<1.1");
    let lockfile = project.parse(&old);
    let new = lock(">=1.1");
    let written = project.changed(&lockfile, &old, &new).unwrap();
    assert_eq!(written, new);
    assert_eq!(project.written(&new, &new).as_deref(), Ok(&*new));

    project.save(&written);
    for arguments in [&["lock", "--check"][..], &["lock", "--update-reuse"]] {
        pdm(&program, directory, arguments);
        assert_eq!(project.read(), written, "{arguments:?}");
    }
}
