use patchgate_model::DependencyKind;

use super::super::parse;
use super::*;
use crate::test_files::siblings;
use crate::test_graph::{add, node, set, without};
use crate::{ReleaseFile, TargetEdge};

const COMPILED: &str = include_str!("../../fixtures/read/compiled/requirements.txt");
const LINE: &str = include_str!("../../fixtures/read/compiled/requirements-line.txt");
const UV: &str = include_str!("../../fixtures/read/compiled/requirements-dev.txt");
const SOURCE: &str = include_str!("../../fixtures/read/compiled/requirements.in");
const CONSTRAINTS: &str = include_str!("../../fixtures/read/compiled/constraints.txt");

fn release(version: &str, digits: &str) -> Release {
    let file = |name: &str, digit: &str| ReleaseFile {
        name: name.to_owned(),
        hashes: vec![("sha256".to_owned(), digit.repeat(64))],
        ..ReleaseFile::default()
    };
    Release {
        version: version.to_owned(),
        files: digits
            .chars()
            .map(|digit| file("a", &digit.to_string()))
            .collect(),
        ..Release::default()
    }
}

/// Writes a changed graph, and returns all files.
fn write_all(
    text: &str,
    others: &[(&str, &str)],
    change: impl Fn(&Lockfile, &mut TargetGraph),
) -> Result<Siblings, String> {
    let siblings = siblings(others);
    let input = Input {
        path: "requirements.txt",
        bytes: text.as_bytes(),
        siblings: &siblings,
    };
    let lockfile = parse(&input).unwrap();
    let mut target = TargetGraph::unchanged(&lockfile);
    change(&lockfile, &mut target);
    RequirementsWriter
        .write(&input, &lockfile, &target, &Downloads::new())
        .map_err(|error| error.reason)
}

fn write_one(
    text: &str,
    others: &[(&str, &str)],
    change: impl Fn(&Lockfile, &mut TargetGraph),
) -> Result<String, String> {
    let mut all = write_all(text, others, change)?;
    let own = all.remove("requirements.txt").unwrap();
    assert_eq!(all.len(), 0, "{all:?}");
    Ok(String::from_utf8(own).unwrap())
}

/// Adds a package on which another one depends.
fn add_needed(target: &mut TargetGraph, dependent: &str, name: &str, new: Release) {
    let to = target.nodes.len();
    add(target, name, new);
    let from = node(target, dependent);
    target.nodes[from].edges.push(TargetEdge {
        name: name.to_owned(),
        requirement: None,
        kind: DependencyKind::Runtime,
        to,
    });
}

fn remove(target: &mut TargetGraph, name: &str) {
    let gone = node(target, name);
    without(target, gone);
}

#[test]
fn an_unchanged_graph_gives_the_same_bytes() {
    let crlf = COMPILED.replace('\n', "\r\n");
    let mark = format!("\u{feff}{COMPILED}");
    for text in [
        COMPILED,
        LINE,
        UV,
        &crlf,
        &mark,
        COMPILED.trim_end(),
        "b==1\na==2 # ours\n-r other.txt\n--no-binary :all:\nc>=1\n./lib\n",
    ] {
        assert_eq!(write_one(text, &[], |_, _| ()).as_deref(), Ok(text));
    }
}

#[test]
fn every_file_of_the_corpus_is_unchanged() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
    let mut queue = vec![root];
    let mut count = 0;
    while let Some(directory) = queue.pop() {
        let Ok(entries) = std::fs::read_dir(directory) else {
            continue;
        };
        for entry in entries.flatten() {
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            if path.is_dir() {
                queue.push(path);
                continue;
            }
            if !name.ends_with(".txt") || !name.contains("requirements") {
                continue;
            }
            #[expect(clippy::disallowed_methods, reason = "a test reads its fixtures")]
            let bytes = std::fs::read(&path).unwrap();
            let siblings = Siblings::new();
            let input = Input {
                path: &name,
                bytes: &bytes,
                siblings: &siblings,
            };
            let Ok(lockfile) = parse(&input) else {
                continue;
            };
            let target = TargetGraph::unchanged(&lockfile);
            let written = RequirementsWriter
                .write(&input, &lockfile, &target, &Downloads::new())
                .unwrap();
            assert_eq!(written[&name], bytes, "{}", path.display());
            count += 1;
        }
    }
    println!("{count} files");
}

#[test]
fn a_plain_pin_changes_and_nothing_else() {
    let text = "# ours\r\nB.b [x] == 1.0 ; python_version > '3'  # why\r\nc===1\r\nd>=1,==1.0";
    let written = write_one(text, &[], |_, target| {
        set(target, "B.b", release("2.0", ""));
        set(target, "c", release("3", ""));
        set(target, "d", release("1.1", ""));
    });
    let expected = "# ours\r\nB.b [x] == 2.0 ; python_version > '3'  # why\r\nc===3\r\nd>=1,==1.1";
    assert_eq!(written.as_deref(), Ok(expected));
}

#[test]
fn hashes_follow_the_release() {
    for eol in ["\n", "\r\n"] {
        let text = COMPILED.replace('\n', eol);
        let written = write_one(&text, &[("requirements.in", SOURCE)], |_, target| {
            set(target, "mdurl", release("0.1.3", "ba"));
        })
        .unwrap();
        let new = format!(
            "mdurl==0.1.3 \\\n    --hash=sha256:{} \\\n    --hash=sha256:{}\n    # via markdown-it-py\n",
            "a".repeat(64),
            "b".repeat(64)
        );
        let (before, rest) = COMPILED.split_once("mdurl==0.1.2").unwrap();
        let after = rest.find("pygments==").unwrap();
        let expected = format!("{before}{new}{}", &rest[after..]);
        assert_eq!(written, expected.replace('\n', eol));
    }

    // A release without hashes cannot be written.
    let error = write_one(COMPILED, &[], |_, target| {
        let mut new = release("0.1.3", "a");
        new.files[0].hashes.clear();
        set(target, "mdurl", new);
    })
    .unwrap_err();
    assert!(error.contains("sha256 hash of each file"), "{error}");
}

#[test]
fn comments_follow_the_graph() {
    // `rich` no longer needs `markdown-it-py`, and needs `aa`, as does `pygments`.
    let written = write_one(UV, &[("constraints.txt", CONSTRAINTS)], |_, target| {
        let (rich, gone) = (node(target, "rich"), node(target, "markdown-it-py"));
        target.nodes[rich].edges.retain(|edge| edge.to != gone);
        target.nodes[rich].release = Some(release("13.8.0", ""));
        remove(target, "markdown-it-py");
        remove(target, "mdurl");
        add_needed(target, "rich", "aa", release("1.0", ""));
        let to = target.nodes.len() - 1;
        let pygments = node(target, "pygments");
        target.nodes[pygments].edges.push(TargetEdge {
            name: "aa".to_owned(),
            requirement: None,
            kind: DependencyKind::Runtime,
            to,
        });
    });
    let expected = "\
# This file was autogenerated by uv via the following command:
#    uv pip compile requirements-dev.in -o requirements-dev.txt
aa==1.0
    # via
    #   pygments
    #   rich
build==1.6.1
    # via -r requirements-dev.in
packaging==26.3
    # via build
pygments==2.17.2
    # via
    #   -c constraints.txt
    #   rich
pyproject-hooks==1.3.3
    # via build
rich==13.8.0
    # via -r requirements.in
";
    assert_eq!(written.as_deref(), Ok(expected));
}

#[test]
fn a_new_dependent_is_added_in_the_style_of_the_file() {
    let link = |target: &mut TargetGraph| {
        let (from, to) = (node(target, "pygments"), node(target, "mdurl"));
        target.nodes[from].edges.push(TargetEdge {
            name: "mdurl".to_owned(),
            requirement: None,
            kind: DependencyKind::Runtime,
            to,
        });
    };
    let written = write_one(LINE, &[], |_, target| link(target)).unwrap();
    assert!(
        written.contains("\nmdurl==0.1.2              # via markdown-it-py, pygments\n"),
        "{written}"
    );

    let written = write_one(COMPILED, &[], |_, target| link(target)).unwrap();
    let expected = "\n    # via\n    #   markdown-it-py\n    #   pygments\npygments==";
    assert!(written.contains(expected), "{written}");
}

#[test]
fn a_comment_stays_in_its_column() {
    let written = write_one(LINE, &[], |_, target| {
        set(target, "mdurl", release("0.1.2.post100", ""));
    })
    .unwrap();
    assert!(
        written.contains("\nmdurl==0.1.2.post100      # via markdown-it-py\n"),
        "{written}"
    );
}

#[test]
fn a_new_package_is_only_listed_where_all_are() {
    let written = write_one("a==1\nz==1\n", &[], |_, target| {
        add_needed(target, "a", "m", release("1", "a"));
    });
    assert_eq!(written.as_deref(), Ok("a==1\nz==1\n"));

    let hash = "1".repeat(64);
    let text = format!("a==1 --hash=sha256:{hash}\nz==1 --hash=sha256:{hash}");
    let hashed = |name: &'static str| {
        write_one(&text, &[], move |_, target| {
            add_needed(target, "a", name, release("1", "a"));
        })
    };
    let new = "a".repeat(64);
    let expected =
        format!("a==1 --hash=sha256:{hash}\nm==1 --hash=sha256:{new}\nz==1 --hash=sha256:{hash}");
    assert_eq!(hashed("m"), Ok(expected));
    assert_eq!(
        hashed("zz"),
        Ok(format!("{text}\nzz==1 --hash=sha256:{new}"))
    );
    assert!(hashed("pip").unwrap_err().contains("listed apart"));
}

#[test]
fn packages_apart_stay_apart() {
    let text = "a==1\n    # via -r requirements.in\n\n# The following packages are considered to be unsafe in a requirements file:\nsetuptools==70\n    # via a\n";
    let written = write_one(text, &[], |_, target| {
        add_needed(target, "a", "b", release("1", ""));
        set(target, "setuptools", release("71", ""));
    });
    let expected = text
        .replace("==70", "==71")
        .replace("\n\n# The", "\nb==1\n    # via a\n\n# The");
    assert_eq!(written, Ok(expected));
}

#[test]
fn included_and_constraints_files_are_changed_too() {
    let files = [
        ("base.txt", "a==1\r\nb>=1\r\n"),
        ("c.txt", "b==1  # ours\na==1\nz<2\n"),
    ];
    let text = "-r base.txt\n-c c.txt\nz==1\n";
    let written = write_all(text, &files, |_, target| {
        set(target, "a", release("2", ""));
        set(target, "b", release("3", ""));
    })
    .unwrap();
    let expected = siblings(&[
        ("requirements.txt", text),
        ("base.txt", "a==2\r\nb>=1\r\n"),
        ("c.txt", "b==3  # ours\na==2\nz<2\n"),
    ]);
    assert_eq!(written, expected);

    let error = write_all(text, &files, |_, target| {
        set(target, "z", release("2", ""));
    })
    .unwrap_err();
    assert_eq!(error, "`c.txt` limits `z` to `<2`, not 2");
}

#[test]
fn sources_must_admit_a_version() {
    let moved = |sources: &[(&str, &str)]| {
        write_one(COMPILED, sources, |_, target| {
            set(target, "pygments", release("2.18.0", "a"));
        })
        .unwrap_err()
    };
    assert_eq!(
        moved(&[("constraints.txt", CONSTRAINTS)]),
        "`constraints.txt` limits `pygments` to `==2.17.2`, not 2.18.0"
    );
    assert_eq!(
        moved(&[]),
        "its constraints file `constraints.txt` was not read"
    );

    let error = write_one(
        COMPILED,
        &[("requirements.in", "rich<13.8\n")],
        |_, target| {
            set(target, "rich", release("13.8.0", "a"));
        },
    );
    assert_eq!(
        error.unwrap_err(),
        "`requirements.in` limits `rich` to `<13.8`, not 13.8.0"
    );
}

#[test]
fn copies_for_several_environments_move_apart() {
    let text = "a==1 ; python_version < '3'\na==2 ; python_version >= '3'\n";
    let written = write_one(text, &[], |_, target| {
        target.nodes[1].release = Some(release("2.1", ""));
    });
    assert_eq!(written, Ok(text.replace("==2", "==2.1")));
}

#[test]
fn what_a_hostile_registry_states_is_not_written() {
    for version in ["1\n--index-url=x", "1 -r x", "1;x", "", "x"] {
        let written = write_one("a==1\n", &[], |_, target| {
            set(target, "a", release(version, ""));
        });
        assert!(written.is_err(), "{version}");
    }
    let mut odd = release("0.1.3", "a");
    odd.files[0].hashes[0].1 = "aa --global-option=x".to_owned();
    let written = write_one(COMPILED, &[], |_, target| {
        set(target, "mdurl", odd.clone());
    });
    assert!(written.is_err());
}

#[test]
fn sources_state_the_requirements_of_their_packages() {
    let files = siblings(&[("requirements.in", "rich<14\nrich>=13\naa\n")]);
    let requirement = |text: &str| {
        let lockfile = parse(&Input {
            path: "requirements.txt",
            bytes: text.as_bytes(),
            siblings: &files,
        })
        .unwrap();
        lockfile.roots[0].edges[0].requirement.clone()
    };
    let text = "aa==1\n    # via -r requirements.in\n";
    assert_eq!(requirement(text).as_deref(), Some(""));
    assert_eq!(requirement(&text.replace("aa", "rich")), None);
    assert_eq!(requirement("aa==1\n"), None);
}
