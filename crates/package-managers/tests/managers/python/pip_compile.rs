//! pip-tools on requirements files.

use std::path::Path;
use std::process::Command;

use patchgate_testkit::{PyIndex, PyRelease, Tools};

use super::{Project, format};

fn compile(program: &Path, directory: &Path, index: &PyIndex, arguments: &[&str]) {
    let output = Command::new(program)
        .args([
            "--quiet",
            "--no-config",
            "--no-emit-index-url",
            "--strip-extras",
        ])
        .args(["--generate-hashes", "--cache-dir", "cache"])
        .args(arguments)
        .arg("requirements.in")
        .env("HOME", directory)
        .env("PIP_INDEX_URL", index.url())
        .env_remove("PIP_FIND_LINKS")
        .current_dir(directory)
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {stderr}");
}

#[test]
fn pip_compile_leaves_what_is_written() {
    let Some(program) =
        Tools::installed().and_then(|tools| tools.newer_python_program("pip-compile"))
    else {
        return;
    };
    let made = PyRelease::new;
    let index = PyIndex::start(vec![
        made("a", "1.0", &["b>=1"]),
        made("a", "1.1", &["b>=1", "c>=1"]).with_wheels(&["py3-none-any", "cp39-abi3-win32"]),
        made("b", "1.0", &[]),
        made("c", "1.0", &["b"]),
        made("q", "1.0", &["b"]),
    ]);
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    std::fs::write(directory.join("requirements.in"), "a>=1\nq\n").unwrap();
    let project = Project {
        directory,
        index: &index,
        format: format("pip-requirements"),
        lockfile: "requirements.txt",
    };
    compile(&program, directory, &index, &[]);
    let fresh = project.read();
    assert_eq!(project.written(&fresh, &fresh).as_deref(), Ok(&*fresh));
    compile(
        &program,
        directory,
        &index,
        &["--upgrade-package", "a==1.0"],
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
}
