use super::*;
use crate::test_graph::{Case, add, assert_kept, requirements};
use crate::{Release, ReleaseFile};

const LOCK: &str = r#"version = 1
revision = 3
requires-python = ">=3.9"

[[package]]
name = "app"
version = "0.1.0"
source = { virtual = "." }
dependencies = [
    { name = "parent" },
]

[package.metadata]
requires-dist = [{ name = "parent", specifier = ">=1.0" }]

[[package]]
name = "leaf"
version = "1.0"
source = { registry = "https://index.invalid/simple" }
wheels = [
    { url = "https://files.invalid/leaf-1.0-py3-none-any.whl", hash = "sha256:0000000000000000000000000000000000000000000000000000000000000000", size = 1, upload-time = "2024-01-01T00:00:00Z" },
]

[[package]]
name = "parent"
version = "1.0"
source = { registry = "https://index.invalid/simple" }
dependencies = [
    { name = "leaf" },
]
sdist = { url = "https://files.invalid/parent-1.0.tar.gz", hash = "sha256:0000000000000000000000000000000000000000000000000000000000000000", size = 1, upload-time = "2024-01-01T00:00:00Z" }
"#;

fn locked(text: &str) -> Case {
    Case::new("uv.lock", text, &[])
}

fn write(text: &str, target: &TargetGraph) -> Result<String, String> {
    locked(text).write(target)
}

fn release(name: &str, version: &str, needs: &[(&str, &str)]) -> Release {
    let file = format!("{name}-{version}-py3-none-any.whl");
    Release {
        version: version.to_owned(),
        runtime: Some(">=3.8".to_owned()),
        requirements: needs
            .iter()
            .flat_map(|(name, condition)| requirements(&[(name, "", condition)]))
            .collect(),
        files: vec![ReleaseFile {
            url: format!("https://files.invalid/{file}"),
            name: file,
            hashes: vec![("sha256".to_owned(), "A".repeat(64))],
            size: Some(7),
            published: Some("2024-02-03T04:05:06.700000Z".to_owned()),
        }],
        ..Release::default()
    }
}

fn moved(text: &str, name: &str, release: Release) -> TargetGraph {
    locked(text).moved(name, release)
}

#[test]
fn one_entry_changes() {
    let target = moved(LOCK, "leaf", release("leaf", "1.1", &[]));
    let written = write(LOCK, &target).unwrap();
    let expected = LOCK
        .replace("version = \"1.0\"\nsource = { registry = \"https://index.invalid/simple\" }\nwheels", "version = \"1.1\"\nsource = { registry = \"https://index.invalid/simple\" }\nwheels")
        .replace("leaf-1.0-py3-none-any.whl\", hash = \"sha256:0000000000000000000000000000000000000000000000000000000000000000\", size = 1, upload-time = \"2024-01-01T00:00:00Z\"",
            &format!("leaf-1.1-py3-none-any.whl\", hash = \"sha256:{}\", size = 7, upload-time = \"2024-02-03T04:05:06.7Z\"", "a".repeat(64)));
    assert_eq!(written, expected);
    assert_ne!(written, LOCK);

    // Older files have no times.
    let old = LOCK.replace("revision = 3", "revision = 1");
    let written = write(&old, &moved(&old, "leaf", release("leaf", "1.1", &[]))).unwrap();
    assert!(written.contains("size = 7 },"), "{written}");
}

#[test]
fn dependencies_come_and_go() {
    let mut target = moved(
        LOCK,
        "parent",
        release("parent", "2.0", &[("new", "os_name == 'nt'")]),
    );
    target.nodes.remove(1);
    for edge in target.roots.iter_mut().flatten() {
        edge.to = 1;
    }
    for node in &mut target.nodes {
        node.edges.retain(|edge| edge.name == "parent");
        for edge in &mut node.edges {
            edge.to = 1;
        }
    }
    add(&mut target, "New", release("new", "3.0", &[]));

    let written = write(LOCK, &target).unwrap();
    let names: Vec<&str> = written
        .lines()
        .filter(|line| line.starts_with("name"))
        .collect();
    assert_eq!(
        names,
        ["name = \"app\"", "name = \"new\"", "name = \"parent\""]
    );
    assert!(written.contains("    { name = \"new\", marker = \"os_name == 'nt'\" },\n"));
    assert!(written.ends_with("},\n]\n"), "{written}");
    assert!(!written.contains("leaf"), "{written}");
}

#[test]
fn line_ends_and_marks_stay() {
    for text in [
        LOCK.replace('\n', "\r\n"),
        format!("\u{feff}{LOCK}"),
        LOCK.trim_end().to_owned(),
        LOCK.replace(
            "\n\n[[package]]\nname = \"leaf\"",
            "\n\n\n[[package]]\nname = \"leaf\"",
        ),
    ] {
        let target = moved(&text, "leaf", release("leaf", "1.1", &[]));
        let written = write(&text, &target).unwrap();
        let plain = write(LOCK, &moved(LOCK, "leaf", release("leaf", "1.1", &[]))).unwrap();
        assert_eq!(written.contains('\r'), text.contains('\r'));
        assert_eq!(
            written.matches("\r\n").count(),
            written.matches('\r').count()
        );
        assert_eq!(
            written.starts_with('\u{feff}'),
            text.starts_with('\u{feff}')
        );
        assert_eq!(written.ends_with('\n'), text.ends_with('\n'));
        let lines = |text: &str| -> Vec<String> {
            let text = text.trim_start_matches('\u{feff}').replace('\r', "");
            text.lines()
                .filter(|line| !line.is_empty())
                .map(str::to_owned)
                .collect()
        };
        assert_eq!(lines(&written), lines(&plain));
    }
    let mixed = LOCK.replacen('\n', "\r\n", 3);
    let target = moved(&mixed, "leaf", release("leaf", "1.1", &[]));
    assert!(write(&mixed, &target).unwrap_err().contains("line ends"));
}

#[test]
fn requirements_of_the_project_follow() {
    let mut target = moved(LOCK, "parent", release("parent", "2.0", &[("leaf", "")]));
    target.roots[0][0].requirement = Some("<3, >=2.0".to_owned());
    let written = write(LOCK, &target).unwrap();
    assert!(
        written.contains("requires-dist = [{ name = \"parent\", specifier = \">=2.0,<3\" }]"),
        "{written}"
    );
}

#[test]
fn what_is_not_exact_is_refused() {
    let with = |change: fn(&mut Release)| {
        let mut release = release("parent", "2.0", &[("leaf", "")]);
        change(&mut release);
        release
    };
    for (release, expected) in [
        (
            with(|one| one.requirements[0].condition = "'x' in os_name".to_owned()),
            "not certain",
        ),
        (
            with(|one| one.requirements[0].name = "other".to_owned()),
            "nothing needed before",
        ),
        (
            with(|one| one.requirements[0].name = "parent".to_owned()),
            "depends on itself",
        ),
        (
            with(|one| one.requirements[0].requirement = ">=9".to_owned()),
            "which 1.0 is not",
        ),
        (
            with(|one| one.requirements[0].requirement = "@ https://h.invalid/".to_owned()),
            "not from an index",
        ),
        (
            with(|one| one.requirements[0].condition = "python_version < '3'".to_owned()),
            "nothing would depend on `leaf`",
        ),
        (
            with(|one| one.runtime = Some(">=3.10".to_owned())),
            "needs Python",
        ),
        (with(|one| one.files[0].hashes.clear()), "has no SHA-256"),
        (
            with(|one| one.files[0].url.push('"')),
            "has no plain address",
        ),
        (with(|one| one.files.clear()), "has no files"),
        (
            with(|one| one.version = "2.0\"".to_owned()),
            "is not a release",
        ),
    ] {
        let reason = write(LOCK, &moved(LOCK, "parent", release)).unwrap_err();
        assert!(reason.contains(expected), "{reason}");
    }

    for (from, to, expected) in [
        ("requires-python = \">=3.9\"\n", "", "versions of Python"),
        (
            "requires-python",
            "conflicts = [[{ package = \"a\", extra = \"b\" }]]\nrequires-python",
            "`conflicts`",
        ),
        (
            "requires-python",
            "supported-markers = [\"os_name == 'nt'\"]\nrequires-python",
            "`supported-markers`",
        ),
        (
            "\n[[package]]",
            "\n[options]\nexclude-newer = \"2024-01-01T00:00:00Z\"\n\n[[package]]",
            "exclude-newer",
        ),
        (
            "source = { registry = \"https://index.invalid/simple\" }\nwheels",
            "source = { registry = \"https://index.invalid/simple\" }\nodd = 1\nwheels",
            "cannot be written",
        ),
        (
            "{ name = \"leaf\" }",
            "{ name = \"leaf\", extra = [\"x\"] }",
            "no extra `x`",
        ),
    ] {
        let text = LOCK.replacen(from, to, 1);
        assert_ne!(text, LOCK);
        let target = moved(&text, "leaf", release("leaf", "1.1", &[]));
        let reason = write(&text, &target).unwrap_err();
        assert!(reason.contains(expected), "{reason}");
    }
}

/// The fixture has two versions of `packaging`.
#[test]
fn versions_for_several_environments_stay() {
    let text = include_str!("../../fixtures/read/uv/uv.lock");
    let target = moved(text, "packaging", release("packaging", "24.0", &[]));
    let reason = write(text, &target).unwrap_err();
    assert!(reason.contains("several environments"), "{reason}");

    // Another package can change, and need both.
    let target = moved(text, "zipp", release("zipp", "9.9", &[("packaging", "")]));
    let written = write(text, &target).unwrap();
    assert!(
        written.contains("    { name = \"packaging\", version = \"22.0\", source = { registry = \"https://index.invalid/simple\" }, marker = \"sys_platform == 'win32'\" },\n"),
        "{written}"
    );
}

#[test]
fn an_unchanged_graph_gives_the_same_bytes() {
    assert_kept("uv.lock", "src/pypi/fixtures", |text, lockfile| {
        // The entries are cut and joined without a loss.
        if let Ok(document) = Document::read(text, lockfile) {
            let all = (0..document.entries.len()).map(document::Written::Kept);
            assert_eq!(document.assemble(all.collect()), text);
        }
    });
}
