//! uv on `pylock.toml`.

use std::path::Path;
use std::process::Command;

use patchgate_testkit::{PyIndex, PyRelease, Tools};

use super::{Project, format};

fn compile(program: &Path, directory: &Path, index: &PyIndex, arguments: &[&str]) {
    let output = Command::new(program)
        .args(["pip", "compile", "requirements.in", "--universal"])
        .args(["--python-version", "3.9", "--no-python-downloads"])
        .args(["--format", "pylock.toml", "-o", "pylock.toml"])
        .args([
            "--custom-compile-command",
            "uv pip compile requirements.in --universal",
        ])
        .args(arguments)
        .env("HOME", directory)
        .env("UV_CACHE_DIR", directory.join("cache"))
        .env("UV_DEFAULT_INDEX", index.url())
        .current_dir(directory)
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {stderr}");
}

#[test]
fn uv_leaves_what_is_written() {
    let Some(program) = Tools::installed().and_then(|tools| tools.newer_python_program("uv"))
    else {
        return;
    };
    let made = PyRelease::new;
    let index = PyIndex::start(vec![
        made("a", "1.0", &["b>=1", "old"]),
        made(
            "a",
            "1.1",
            &[
                "b>=1",
                "c>=1",
                "older ; python_version < '3.8'",
                "newer ; python_version < '3.11'",
                "windows>=1 ; sys_platform == 'win32'",
            ],
        )
        .with_wheels(&["py3-none-any", "cp39-abi3-win32", "cp38-cp38-win32"]),
        made("b", "1.0", &[]),
        made("c", "1.0", &["b"]),
        made("old", "1.0", &[]),
        made("newer", "1.0", &[]),
        made("windows", "1.0", &[]),
        made("q", "1.0", &["b"]),
        made("w", "1.0", &[]),
        made("w", "1.1", &["b"]),
    ]);
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let text = "a>=1\nq\nw ; sys_platform == 'win32'\n";
    std::fs::write(directory.join("requirements.in"), text).unwrap();
    let project = Project {
        directory,
        index: &index,
        format: format("pylock"),
        lockfile: "pylock.toml",
    };
    compile(&program, directory, &index, &[]);
    let fresh = project.read();
    assert_eq!(project.written(&fresh, &fresh).as_deref(), Ok(&*fresh));
    compile(
        &program,
        directory,
        &index,
        &["--upgrade-package", "a==1.0", "--upgrade-package", "w==1.0"],
    );
    let old = project.read();
    assert_ne!(old, fresh);

    for (before, after) in [(&fresh, &old), (&old, &fresh)] {
        let written = project.written(before, after).unwrap();
        assert_eq!(&written, after);
        project.save(&written);
        compile(&program, directory, &index, &[]);
        assert_eq!(project.read(), written);
    }

    let exported = fresh.replace("uv pip compile", "uv export");
    let reason = project.written(&exported, &old.replace("uv pip compile", "uv export"));
    assert_eq!(reason.unwrap_err(), "it is exported from another lockfile");
}
