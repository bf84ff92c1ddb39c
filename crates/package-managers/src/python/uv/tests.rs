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
