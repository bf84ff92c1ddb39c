use super::*;

fn file(path: &str, content: &str) -> ConfigurationFile {
    ConfigurationFile {
        path: path.to_owned(),
        content: content.as_bytes().to_vec(),
    }
}

const LOCK: &str = "version = 1\n\n[[package]]\nname = \"a\"\nversion = \"1\"\nsource = { registry = \"https://main.invalid/simple\" }\n\n\
    [[package]]\nname = \"b\"\nversion = \"1\"\nsource = { registry = \"https://own.invalid/simple/\" }\n";

#[tokio::test]
async fn the_lockfile_names_the_indexes() {
    let manifest = "[[tool.uv.index]]\nname = \"own\"\nurl = \"https://own.invalid/simple\"\nexplicit = true\n";
    let files = [file("uv.lock", LOCK), file("pyproject.toml", manifest)];
    let options = RunOptions::default();
    let index = Uv.registry("", &files, options).await.unwrap();
    assert_eq!(index.as_deref(), Some("https://main.invalid/simple"));
    let index = Uv.registry("https://own.invalid/simple/", &files, options);
    assert_eq!(
        index.await.unwrap().as_deref(),
        Some("https://own.invalid/simple/")
    );

    let error = Uv.registry("", &files[..1], options).await.unwrap_err();
    assert!(error.to_string().contains("several indexes"), "{error}");
    assert!(Uv.registry("../wheels", &files, options).await.is_err());
}

#[test]
fn uv_sees_no_settings_that_run_programs() {
    let text = "[project]\nname = \"a\"\n\n[tool.uv]\nkeyring-provider = \"subprocess\"\ncache-dir = \"/etc\"\n\
                index-url = \"https://i.invalid/\"\npython-install-mirror = \"https://evil.invalid\"\n\n\
                [tool.uv.pip]\nno-build = false\n\n[tool.other]\nx = 1\n\n[other]\ny = 1\n";
    let kept = settings::manifest("pyproject.toml", text.as_bytes()).unwrap();
    assert_eq!(
        kept,
        "[project]\nname = \"a\"\n\n[tool.uv]\nindex-url = \"https://i.invalid/\"\n"
    );
    let kept = settings::file(
        "uv.toml",
        b"cache-dir = \"/etc\"\nresolution = \"lowest\"\n",
    );
    assert_eq!(kept.unwrap(), "resolution = \"lowest\"\n");
}

#[test]
fn directories_outside_of_the_repository_are_refused() {
    for (path, text) in [
        (
            "pyproject.toml",
            "[tool.uv.sources]\na = { path = \"../a\" }\n",
        ),
        (
            "b/pyproject.toml",
            "[tool.uv.sources]\na = { path = \"/etc\" }\n",
        ),
        (
            "pyproject.toml",
            "[tool.uv.workspace]\nmembers = [\"x/../../*\"]\n",
        ),
        (
            "pyproject.toml",
            "[tool.uv.sources]\na = [{ path = \"~/a\" }]\n",
        ),
        (
            "pyproject.toml",
            "[[tool.uv.index]]\nurl = \"file:///etc\"\n",
        ),
        (
            "pyproject.toml",
            "[tool.uv.sources]\na = { git = \"file:///etc\" }\n",
        ),
        ("pyproject.toml", "[tool"),
    ] {
        assert!(settings::manifest(path, text.as_bytes()).is_err(), "{text}");
    }
    let inside = "[tool.uv.sources]\na = { path = \"../a\" }\nb = { git = \"https://g.invalid/b\", marker = \"x > '/'\" }\n";
    assert!(settings::manifest("b/pyproject.toml", inside.as_bytes()).is_ok());
}

#[test]
fn a_failure_has_a_reason() {
    let output = |stderr: &str| Output {
        success: false,
        stdout: String::new(),
        stderr: stderr.to_owned(),
    };
    let error = failure(
        &["lock"],
        &output(
            "Using CPython 3.11\n  × No solution found when resolving dependencies:\n  ╰─▶ Because a==2 needs b\n",
        ),
    );
    assert_eq!(
        error.to_string(),
        "`uv lock` failed: No solution found when resolving dependencies: Because a==2 needs b"
    );
    let error = failure(
        &["lock"],
        &output("error: No interpreter found for Python >=3.99"),
    );
    assert!(matches!(
        error,
        RelockError::NotInstalled { program: "python" }
    ));
    let error = failure(
        &["lock"],
        &output("error: Failed to fetch: `http://x.invalid/`"),
    );
    assert!(matches!(error, RelockError::Unreachable { .. }));
}

/// uv itself locks one package to a version, and accepts the result as it is.
#[tokio::test]
async fn uv_locks_and_checks() {
    let tools = patchgate_testkit::Tools::installed();
    let Some(program) = tools.and_then(|tools| tools.newer_python_program("uv")) else {
        return;
    };
    let run = Run {
        options: RunOptions::default(),
        program: Box::leak(program.display().to_string().into_boxed_str()),
    };
    let made = patchgate_testkit::PyRelease::new;
    let index = patchgate_testkit::PyIndex::start(vec![
        made("a", "1.0", &[]),
        made("a", "1.1", &["b"]),
        made("b", "1.0", &[]),
    ]);
    let manifest = format!(
        "[project]\nname = \"app\"\nversion = \"1\"\nrequires-python = \">=3.9\"\ndependencies = [\"a>=1\"]\n\n\
         [build-system]\nrequires = [\"evil\"]\nbuild-backend = \"evil\"\nbackend-path = [\".\"]\n\n\
         [[tool.uv.index]]\nurl = \"{}\"\ndefault = true\n",
        index.url()
    );
    let manifests = patchgate_ecosystems::Siblings::from([(
        "sub/pyproject.toml".to_owned(),
        manifest.into_bytes(),
    )]);
    let root = tempfile::tempdir().unwrap();
    let lock = |bytes: Vec<u8>, version: &'static str| {
        let (manifests, root) = (&manifests, root.path());
        async move {
            let lockfile = Lockfile {
                path: "sub/uv.lock".to_owned(),
                ..Lockfile::default()
            };
            let project = LockedProject {
                root,
                lockfile: &lockfile,
                bytes: &bytes,
                manifests,
                configuration: &[],
            };
            let pin = PinnedVersion {
                install_path: None,
                name: "a".to_owned(),
                from: String::new(),
                to: version.to_owned(),
            };
            let relocked = relock(project, &[pin], run).await;
            (relocked, check(project, run).await)
        }
    };

    let empty = b"version = 1\nrequires-python = \">=3.9\"\n".to_vec();
    let (locked, checked) = lock(empty, "1.0").await;
    assert!(checked.is_err(), "the lockfile lacks the project");
    let old = locked.unwrap().lockfile;
    let text = String::from_utf8(old.clone()).unwrap();
    assert!(text.contains("name = \"a\"\nversion = \"1.0\""), "{text}");

    let (locked, checked) = lock(old, "1.1").await;
    checked.unwrap();
    let text = String::from_utf8(locked.unwrap().lockfile).unwrap();
    assert!(text.contains("name = \"b\""), "{text}");
}
