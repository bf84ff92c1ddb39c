use std::io::Write as _;

use super::*;
use crate::test_graph::Case;
use crate::{ReleaseFile, TargetNode};

const CONFIG: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n<packages>\r\n  \
    <!-- <package id=\"Acme.Json\" version=\"1.0.0\" /> -->\r\n  \
    <package id=\"Acme.Json\" version=\"1.0.0\" targetFramework=\"net45\" />\r\n  \
    <package id=\"Other\" version=\"1.0.0\" targetFramework=\"net45\" />\r\n</packages>\r\n";

const PROJECT: &str = "<Project>\r\n  <Import Project=\"..\\packages\\Acme.Json.1.0.0\\build\\Acme.Json.props\" \
    Condition=\"Exists('..\\packages\\Acme.Json.1.0.0\\build\\Acme.Json.props')\" />\r\n  <ItemGroup>\r\n    \
    <Reference Include=\"Acme.Json, Version=1.0.0.0, Culture=neutral\">\r\n      \
    <HintPath>..\\packages\\acme.json.1.0.0\\lib\\net45\\Acme.Json.dll</HintPath>\r\n    </Reference>\r\n    \
    <Reference Include=\"Acme.Json.1.0.0\" />\r\n    \
    <HintPath>..\\packages\\Other.1.0.0\\lib\\Other.dll</HintPath>\r\n  </ItemGroup>\r\n</Project>\r\n";

fn assembly(version: &str) -> Vec<u8> {
    let text = format!("x\0Assembly Version\0\0{version}\0\0");
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn archive(version: &str, assembly_version: &str, dependencies: &str) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    let nuspec = format!(
        "<package><metadata><id>Acme.Json</id><version>{version}</version><dependencies>\
         {dependencies}</dependencies></metadata></package>"
    );
    for (name, content) in [
        ("Acme.Json.nuspec", nuspec.into_bytes()),
        ("lib/net45/Acme.Json.dll", assembly(assembly_version)),
        ("build/Acme.Json.props", Vec::new()),
    ] {
        writer.start_file(name, options).unwrap();
        writer.write_all(&content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn url(version: &str) -> String {
    format!("https://feed.invalid/acme.json/{version}/acme.json.{version}.nupkg")
}

fn release(version: &str) -> Release {
    Release {
        version: version.to_owned(),
        files: vec![ReleaseFile {
            url: url(version),
            ..ReleaseFile::default()
        }],
        ..Release::default()
    }
}

/// The files that change.
fn write(config: &str, project: &str, new: Vec<u8>) -> Result<Siblings, String> {
    let case = Case::new("a/packages.config", config, &[("a/App.csproj", project)]);
    let target = case.moved("Acme.Json", release("1.0.3"));
    let downloads = Downloads::from([
        (url("1.0.0"), archive("1.0.0", "1.0.0.0", "")),
        (url("1.0.3"), new),
    ]);
    let wanted = PackagesConfigWriter.downloads_for(&case.lockfile, "Acme.Json", &release("1.0.3"));
    let wanted: BTreeSet<String> = wanted.into_iter().map(|one| one.url).collect();
    assert_eq!(wanted, downloads.keys().cloned().collect());
    let input = Input {
        path: "a/packages.config",
        bytes: case.text.as_bytes(),
        siblings: &case.siblings,
    };
    let written = PackagesConfigWriter.write(&input, &case.lockfile, &target, &downloads);
    written.map_err(|error| error.reason)
}

#[test]
fn the_list_and_all_paths_of_the_project_change() {
    let written = write(CONFIG, PROJECT, archive("1.0.3", "1.0.0.0", "")).unwrap();
    let text = |path: &str| String::from_utf8(written[path].clone()).unwrap();
    assert_eq!(
        text("a/packages.config"),
        CONFIG.replace(
            "version=\"1.0.0\" targetFramework=\"net45\" />\r\n  <package id=\"Other",
            "version=\"1.0.3\" targetFramework=\"net45\" />\r\n  <package id=\"Other"
        )
    );
    assert_eq!(
        text("a/App.csproj"),
        PROJECT
            .replace("\\Acme.Json.1.0.0", "\\Acme.Json.1.0.3")
            .replace("acme.json.1.0.0", "Acme.Json.1.0.3")
    );
    // A project that names none of the files stays.
    let written = write(CONFIG, "<Project />", archive("1.0.3", "1.0.0.0", "")).unwrap();
    assert_eq!(written.len(), 1);
}

#[test]
fn a_release_that_the_project_cannot_use_is_refused() {
    let needs = "<group targetFramework=\"net45\"><dependency id=\"Gone\" version=\"1\" /></group>";
    for (new, project, reason) in [
        (
            archive("1.0.3", "2.0.0.0", ""),
            PROJECT.to_owned(),
            "the assembly version 2.0.0.0, and the project refers to 1.0.0.0",
        ),
        (archive("1.0.3", "", ""), PROJECT.to_owned(), "is not known"),
        (
            archive("1.0.3", "1.0.0.0", ""),
            PROJECT.replace("net45\\Acme", "net20\\Acme"),
            "does not exist",
        ),
        (
            archive("1.0.3", "1.0.0.0", ""),
            PROJECT.replace("net45\\Acme", "$(Framework)\\Acme"),
            "is not a plain path",
        ),
        (
            archive("1.0.3", "1.0.0.0", needs),
            PROJECT.to_owned(),
            "may need `Gone`, which is not listed",
        ),
        (
            archive(
                "1.0.3",
                "1.0.0.0",
                &needs.replace("Gone", "Other").replace("\"1\"", "\"2\""),
            ),
            PROJECT.to_owned(),
            "needs `Other` in 2",
        ),
        (archive("9", "1.0.0.0", ""), PROJECT.to_owned(), "is one of"),
        (Vec::new(), PROJECT.to_owned(), "the archive of"),
    ] {
        let refused = write(CONFIG, &project, new).unwrap_err();
        assert!(refused.contains(reason), "{refused}");
    }

    let case = Case::new("packages.config", CONFIG, &[]);
    let mut target = case.target();
    target.nodes.push(TargetNode {
        was: None,
        name: "New".to_owned(),
        release: Some(release("1")),
        edges: Vec::new(),
    });
    let refused = case.write(&target).unwrap_err();
    assert!(
        refused.contains("`New` would have to be installed"),
        "{refused}"
    );
}
