//! Whole repositories: before a change and after it, as NuGet 5.8 writes their lockfiles.

use std::path::{Path, PathBuf};

use super::*;
use crate::{Downloads, Format, Input, Release, ReleaseFile, Siblings, TargetGraph, TargetNode};
use patchgate_model::Lockfile;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/nuget/fixtures/written")
}

/// The files of a directory, by path.
#[expect(clippy::disallowed_methods, reason = "a test reads its fixtures")]
fn files(root: &Path) -> Siblings {
    let read = |path: PathBuf| {
        let name = path
            .strip_prefix(root)
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        (name, std::fs::read(path).unwrap())
    };
    let files = patchgate_testkit::files_below(root);
    files.into_iter().map(read).collect()
}

fn format(path: &str) -> &'static Format {
    let (_, format) = crate::fixable_format(path).unwrap();
    format
}

fn release(name: &str, version: &str) -> Release {
    Release {
        version: version.to_owned(),
        files: vec![ReleaseFile {
            url: format!("https://feed.invalid/{name}.{version}.nupkg"),
            ..ReleaseFile::default()
        }],
        ..Release::default()
    }
}

fn downloads() -> Downloads {
    let archives = files(&fixtures().join("feed")).into_iter();
    archives
        .map(|(name, bytes)| (format!("https://feed.invalid/{name}"), bytes))
        .collect()
}

/// The graph with packages at other versions. A package that is not in the lockfile is new.
fn target(lockfile: &Lockfile, moves: &[(&str, &str)]) -> TargetGraph {
    let mut target = TargetGraph::unchanged(lockfile);
    for (name, version) in moves {
        let own = target.nodes.iter_mut().filter(|node| node.name == *name);
        let mut is_known = false;
        for node in own {
            node.release = Some(release(name, version));
            is_known = true;
        }
        if !is_known {
            target.nodes.push(TargetNode {
                was: None,
                name: (*name).to_owned(),
                release: Some(release(name, version)),
                edges: Vec::new(),
            });
        }
    }
    target
}

fn write(path: &str, siblings: &Siblings, moves: &[(&str, &str)]) -> Result<Siblings, String> {
    let input = Input {
        path,
        bytes: &siblings[path],
        siblings,
    };
    let format = format(path);
    let lockfile = (format.parse)(&input).unwrap();
    let written =
        format
            .writer
            .unwrap()
            .write(&input, &lockfile, &target(&lockfile, moves), &downloads());
    written.map_err(|error| error.reason)
}

/// Changes a lockfile of a fixture, and compares all files with those after it.
fn assert_written(case: &str, path: &str, moves: &[(&str, &str)]) {
    let root = fixtures().join(case);
    let mut found = files(&root.join("before"));
    found.extend(write(path, &found, moves).unwrap());
    let expected = files(&root.join("after"));
    for (path, bytes) in &expected {
        let found = String::from_utf8_lossy(&found[path]);
        assert_eq!(found, String::from_utf8_lossy(bytes), "{case}: {path}");
    }
    assert_eq!(found.len(), expected.len(), "{case}");
}

#[test]
fn a_direct_dependency_brings_and_drops_others() {
    let new = [("AcmeZ", "1.0.0"), ("Acme.New", "2.0.0")];
    let moves = [
        ("Acme.Web", "1.1.0"),
        ("Acme.Core", "1.1.0"),
        new[0],
        new[1],
    ];
    assert_written("direct", "App/packages.lock.json", &moves);
}

#[test]
fn all_lockfiles_that_repeat_a_requirement_change() {
    let moves = [("Acme.Core", "1.2.0"), ("AcmeZ", "1.0.0")];
    for lockfile in ["Lib.One/packages.lock.json", "App/packages.lock.json"] {
        assert_written("project", lockfile, &moves);
        assert_written("central", lockfile, &moves);
    }
}

#[test]
fn a_version_that_nothing_states_gets_a_reference_or_an_entry_of_the_central_list() {
    let moves = [("acme_util", "1.5.0")];
    assert_written("pin", "Lib.One/packages.lock.json", &moves);
    assert_written("central-pin", "App/packages.lock.json", &moves);
}

#[test]
fn an_unchanged_graph_is_the_same_file() {
    let read = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/nuget/fixtures/read");
    let roots = ["direct/before", "central/after", "pin/after"].map(|case| fixtures().join(case));
    for root in roots.into_iter().chain([read]) {
        let siblings = files(&root);
        for (path, bytes) in &siblings {
            let Some((_, format)) = crate::fixable_format(path) else {
                continue;
            };
            let written = write(path, &siblings, &[]).unwrap();
            assert_eq!(written, Siblings::from([(path.clone(), bytes.clone())]));
            // What NuGet wrote is printed to the byte, and has the versions that it would choose.
            let is_made = root.ends_with("read") && !path.starts_with("restored/");
            if format.id == "nuget-lock" && !is_made {
                let text = std::str::from_utf8(bytes).unwrap();
                for text in [
                    text.to_owned(),
                    format!("\u{feff}{}\r\n", text.replace('\n', "\r\n")),
                ] {
                    let document = document::Document::parse(&text).unwrap();
                    assert_eq!(document.print_like(&text), text);
                    let change = relock::Change::default();
                    let after = relock::relock(&document, &change, &relock::Packages::new());
                    assert_eq!(after.unwrap(), document, "{path}");
                }
            }
        }
    }
}

#[test]
fn line_ends_stay() {
    let mut siblings = files(&fixtures().join("project/before"));
    for bytes in siblings.values_mut() {
        let text = String::from_utf8(bytes.clone()).unwrap();
        *bytes = text.replace('\n', "\r\n").into_bytes();
    }
    let moves = [("Acme.Core", "1.2.0"), ("AcmeZ", "1.0.0")];
    let written = write("App/packages.lock.json", &siblings, &moves).unwrap();
    let expected = files(&fixtures().join("project/after"));
    assert_eq!(written.len(), 3);
    for (path, bytes) in written {
        let expected = String::from_utf8_lossy(&expected[&path]).replace('\n', "\r\n");
        assert_eq!(String::from_utf8(bytes).unwrap(), expected, "{path}");
    }
}

#[test]
fn what_is_not_exact_is_refused() {
    let project = files(&fixtures().join("project/before"));
    let app = "App/packages.lock.json";
    let core = [("Acme.Core", "1.2.0"), ("AcmeZ", "1.0.0")];
    let edited = |path: &str, from: &str, to: &str| {
        let mut siblings = project.clone();
        let text = String::from_utf8(siblings[path].clone()).unwrap();
        assert!(text.contains(from), "{text}");
        siblings.insert(path.to_owned(), text.replace(from, to).into_bytes());
        siblings
    };
    let mut alone = project.clone();
    alone.remove("Lib.One/Lib.One.csproj");
    let mut shared = project.clone();
    shared.insert("App/Other.csproj".to_owned(), b"<Project/>".to_vec());

    let cases = [
        write(app, &project, &[("Acme.Core", "1.2.0")]),
        write(app, &project, &[("acme_util", "2.0.0")]),
        write(app, &alone, &core),
        write(app, &shared, &core),
        write(
            app,
            &edited("Lib.One/Lib.One.csproj", "1.0.0", "$(V)"),
            &core,
        ),
        write(
            app,
            &edited("Lib.One/Lib.One.csproj", "1.0.0", "1.*"),
            &core,
        ),
        write(app, &edited(app, "  \"version\"", "\"version\""), &core),
        write(
            app,
            &edited(app, ".NETCoreApp,Version=v3.1", "Tizen,Version=v4.0"),
            &core,
        ),
        write(
            app,
            &edited(
                app,
                ".NETCoreApp,Version=v3.1",
                ".NETStandard,Version=v2.0/win-x64",
            ),
            &core,
        ),
    ];
    let reasons: Vec<String> = cases
        .into_iter()
        .map(|case| case.map_or_else(|reason| reason, |_| "written".to_owned()))
        .collect();
    insta::assert_snapshot!(reasons.join("\n"));
}

#[test]
fn projects_without_a_lockfile_change_where_the_version_is_stated() {
    let mut siblings = files(&fixtures().join("project/before"));
    siblings.retain(|path, _| !path.ends_with(".json"));
    let written = write("Lib.One/Lib.One.csproj", &siblings, &[("Acme.Core", "1.2")]).unwrap();
    let expected = &files(&fixtures().join("project/after"))["Lib.One/Lib.One.csproj"];
    assert_eq!(&written["Lib.One/Lib.One.csproj"], expected);

    // A requirement of exactly one version keeps its style.
    let file = "<Project><ItemGroup><PackageReference Include=\"A\" Version=\"[1.0]\" /></ItemGroup></Project>";
    let exact = Siblings::from([("a.csproj".to_owned(), file.as_bytes().to_vec())]);
    let written = write("a.csproj", &exact, &[("A", "1.5.0")]).unwrap();
    let expected = file.replace("[1.0]", "[1.5.0]");
    assert_eq!(String::from_utf8_lossy(&written["a.csproj"]), expected);

    let mut siblings = files(&fixtures().join("central/before"));
    siblings.retain(|path, _| !path.ends_with(".json"));
    let expected = &files(&fixtures().join("central/after"))["Directory.Packages.props"];
    for path in ["Lib.One/Lib.One.csproj", "Directory.Packages.props"] {
        let written = write(path, &siblings, &[("Acme.Core", "1.2.0")]).unwrap();
        assert_eq!(&written["Directory.Packages.props"], expected, "{path}");
    }

    let locked = files(&fixtures().join("project/before"));
    let refused = write("Lib.One/Lib.One.csproj", &locked, &[("Acme.Core", "1.2.0")]);
    assert_eq!(
        refused.unwrap_err(),
        "`App/packages.lock.json` locks `acme.core`, and changes with it"
    );

    // A lockfile of a project that has nothing to do with it.
    let mut apart = locked;
    for path in ["App/App.csproj", "Lib.One/packages.lock.json"] {
        apart.remove(path);
    }
    let text = String::from_utf8(apart["App/packages.lock.json"].clone()).unwrap();
    let other = text.replace("lib.one", "lib.two").into_bytes();
    apart.insert("App/packages.lock.json".to_owned(), other);
    assert!(write("Lib.One/Lib.One.csproj", &apart, &[("Acme.Core", "1.2.0")]).is_ok());
}

#[test]
fn an_override_is_stated_for_all_dependents() {
    let over = |case: &str, name: &str| {
        let siblings = files(&fixtures().join(case));
        let path = "App/packages.lock.json";
        format(path)
            .writer
            .unwrap()
            .write_override(path, &siblings, name, "1.5.0")
    };
    let (path, text) = over("central-pin/before", "acme_util").unwrap().unwrap();
    let expected = &files(&fixtures().join("central-pin/after"))[&path];
    assert_eq!(text.as_bytes(), expected);

    let (path, text) = over("direct/before", "acme_util").unwrap().unwrap();
    assert_eq!(path, "App/App.csproj");
    assert!(text.contains("<PackageReference Include=\"acme_util\" Version=\"1.5.0\" />\n"));
    assert_eq!(
        over("direct/after", "Acme.Web").unwrap().unwrap().0,
        "App/App.csproj"
    );
}
