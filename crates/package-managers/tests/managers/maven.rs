//! Maven's own model builder on projects that Patchgate changed.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use patchgate_ecosystems::{
    Downloads, Format, Input, Release, Siblings, TargetGraph, format_by_id, maven,
};
use patchgate_testkit::{Requirement, skip};

/// Names and versions of the dependencies of a project, and of those that it manages.
#[derive(Debug, Default, PartialEq, Eq)]
struct Effective {
    uses: BTreeSet<(String, String)>,
    manages: BTreeSet<(String, String)>,
}

/// The installation of the `mvn` on the search path, if there is a compiler of Java as well.
fn installation() -> Option<PathBuf> {
    let program = |name: &str| {
        let path = std::env::var_os("PATH")?;
        let mut found = std::env::split_paths(&path).map(|folder| folder.join(name));
        found.find(|path| path.is_file())?.canonicalize().ok()
    };
    let found = program("javac").and_then(|_| program("mvn"));
    if found.is_none() {
        skip(
            Requirement::Tools,
            "Maven or a compiler of Java is missing: install Debian's `maven` and `default-jdk`",
        );
    }
    Some(found?.parent()?.parent()?.to_owned())
}

/// Writes a repository into a directory: its own files, and those from outside.
fn lay_out(directory: &Path, files: &Siblings) {
    for (path, bytes) in files {
        let path = match path.strip_prefix(maven::EXTERNAL) {
            Some(path) => directory.join("repository").join(path),
            None => directory.join("projects").join(path),
        };
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
}

/// What Maven computes for the project `a` of each directory.
fn effective(maven: &Path, directories: &[PathBuf]) -> Vec<Effective> {
    let source =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/managers/EffectiveVersions.java");
    let output = Command::new("java")
        .arg("-cp")
        .arg(maven.join("lib/*"))
        .arg(source)
        .args(directories)
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");

    let mut found = Vec::new();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            ["directory", _] => found.push(Effective::default()),
            [word, name, version] => {
                let one = found.last_mut().unwrap();
                // A range of one version.
                let version = version.trim_matches(['[', ']']);
                let entry = ((*name).to_owned(), version.to_owned());
                match *word {
                    "uses" => one.uses.insert(entry),
                    _ => one.manages.insert(entry),
                };
            }
            _ => unreachable!("{line}"),
        }
    }
    assert_eq!(found.len(), directories.len());
    found
}

fn format() -> &'static Format {
    format_by_id("maven-pom").unwrap()
}

/// The packages that Patchgate reads of a project.
fn read(files: &Siblings, path: &str) -> BTreeSet<(String, String)> {
    let input = Input {
        path,
        bytes: &files[path],
        siblings: files,
    };
    let lockfile = (format().parse)(&input).unwrap();
    assert_eq!(lockfile.missing, []);
    assert_eq!(lockfile.unresolved, []);
    let packages = lockfile.packages.into_iter();
    packages.map(|one| (one.name, one.version)).collect()
}

/// The repository after some packages of a project got other versions.
fn changed(files: &Siblings, path: &str, moves: &[(&str, &str)]) -> Siblings {
    let input = Input {
        path,
        bytes: &files[path],
        siblings: files,
    };
    let lockfile = (format().parse)(&input).unwrap();
    let mut target = TargetGraph::unchanged(&lockfile);
    for (name, version) in moves {
        let node = target.nodes.iter_mut().find(|node| node.name == *name);
        node.expect(name).release = Some(Release {
            version: (*version).to_owned(),
            ..Release::default()
        });
    }
    let writer = format().writer.unwrap();
    let written = writer.write(&input, &lockfile, &target, &Downloads::new());
    let mut files = files.clone();
    files.extend(written.unwrap());
    files
}

fn dependency(name: &str, rest: &str) -> String {
    let (group, artifact) = name.split_once(':').unwrap();
    format!(
        "      <dependency>\n        <groupId>{group}</groupId>\n        \
         <artifactId>{artifact}</artifactId>{rest}\n      </dependency>\n"
    )
}

fn project(parent: &str, artifact: &str, rest: &str) -> Vec<u8> {
    let own = match parent {
        "" => "  <groupId>org.acme</groupId>\n  <version>1</version>\n".to_owned(),
        parent => {
            let (group, artifact) = parent.split_once(':').unwrap();
            format!(
                "  <parent>\n    <groupId>{group}</groupId>\n    \
                 <artifactId>{artifact}</artifactId>\n    <version>1</version>\n  </parent>\n"
            )
        }
    };
    format!(
        "<project xmlns=\"http://maven.apache.org/POM/4.0.0\">\n  \
         <modelVersion>4.0.0</modelVersion>\n{own}  <artifactId>{artifact}</artifactId>\n  \
         <packaging>pom</packaging>\n{rest}</project>\n"
    )
    .into_bytes()
}

fn list(name: &str, entries: &str) -> String {
    let list = format!("    <dependencies>\n{entries}    </dependencies>\n");
    match name {
        "" => list,
        name => format!("  <{name}>\n{list}  </{name}>\n"),
    }
}

/// A repository with everything that can decide a version.
fn repository() -> Siblings {
    let version = |version: &str| format!("\n        <version>{version}</version>");
    let import = format!(
        "{}\n        <type>pom</type>\n        <scope>import</scope>",
        version("1")
    );
    let managed = [
        dependency("org.acme:bom", &import),
        dependency("out:bom", &import),
        dependency("m:literal", &version("1.0")),
        dependency("m:property", &version("${managed.version}")),
    ];
    let root = [
        "  <modules>\n    <module>a</module>\n    <module>bom</module>\n  </modules>\n".to_owned(),
        "  <properties>\n    <managed.version>1.0</managed.version>\n    \
         <shared.version>1.0.0</shared.version>\n  </properties>\n"
            .to_owned(),
        list("dependencyManagement", &managed.concat()),
        list(
            "",
            &dependency("m:inherited", &version("${shared.version}")),
        ),
    ];
    let uses = [
        dependency("a:own", &version("[1.0]")),
        dependency("a:shared", &version("${shared.version}")),
        dependency("m:literal", ""),
        dependency("m:property", ""),
        dependency("b:own", ""),
        dependency("b:outside", ""),
        dependency("p:above", ""),
    ];
    let profile = format!(
        "  <profiles>\n    <profile>\n      <id>p</id>\n      <activation>\n        \
         <activeByDefault>true</activeByDefault>\n      </activation>\n{}    </profile>\n  \
         </profiles>\n",
        list("", &dependency("a:profile", &version("1.0")))
    );
    let module = format!("{}{profile}", list("", &uses.concat()));
    let bom = |entry: String| list("dependencyManagement", &entry);

    let external = |group: &str, artifact: &str| {
        format!("{}{group}/{artifact}/1/{artifact}-1.pom", maven::EXTERNAL)
    };
    let out_of = |group: &str, bytes: Vec<u8>| {
        let text = String::from_utf8(bytes).unwrap();
        text.replace("<groupId>org.acme<", &format!("<groupId>{group}<"))
            .into_bytes()
    };
    Siblings::from([
        (
            "pom.xml".to_owned(),
            project(
                "out:parent",
                "root",
                &format!("  <groupId>org.acme</groupId>\n{}", root.concat()),
            ),
        ),
        (
            "a/pom.xml".to_owned(),
            project("org.acme:root", "a", &module),
        ),
        (
            "bom/pom.xml".to_owned(),
            project("", "bom", &bom(dependency("b:own", &version("1.0")))),
        ),
        (
            external("out", "bom"),
            out_of(
                "out",
                project("", "bom", &bom(dependency("b:outside", &version("1.0")))),
            ),
        ),
        (
            external("out", "parent"),
            out_of(
                "out",
                project("", "parent", &bom(dependency("p:above", &version("1.0")))),
            ),
        ),
    ])
}

#[test]
fn maven_computes_the_versions_that_were_written() {
    let Some(maven) = installation() else {
        return;
    };

    let before = repository();
    let all: Vec<(&str, &str)> = [
        "a:own",
        "m:inherited",
        "m:literal",
        "m:property",
        "b:own",
        "b:outside",
        "p:above",
        "a:profile",
    ]
    .into_iter()
    .map(|name| (name, "2.5"))
    .collect();
    let shared = [("a:shared", "1.0.1"), ("m:inherited", "1.0.1")];
    let mut states = vec![before.clone(), changed(&before, "a/pom.xml", &shared)];
    states.push(changed(&states[1], "a/pom.xml", &all));
    for name in ["a:own", "m:property", "b:own", "b:outside", "p:above"] {
        states.push(changed(&before, "a/pom.xml", &[(name, "3.0")]));
    }

    let directory = tempfile::tempdir().unwrap();
    let mut directories = Vec::new();
    for (index, state) in states.iter().enumerate() {
        directories.push(directory.path().join(index.to_string()));
        lay_out(&directories[index], state);
    }
    let found = effective(&maven, &directories);
    for (index, (state, found)) in states.iter().zip(found).enumerate() {
        assert_eq!(found.uses, read(state, "a/pom.xml"), "{index}");
    }

    // All at once, each in the file that decides it.
    let [_, _, last, ..] = states.as_slice() else {
        panic!("too few states");
    };
    let differing: Vec<&str> = before
        .iter()
        .filter(|(path, bytes)| last.get(*path) != Some(bytes))
        .map(|(path, _)| path.as_str())
        .collect();
    assert_eq!(differing, ["a/pom.xml", "bom/pom.xml", "pom.xml"]);
}

#[test]
fn maven_manages_an_overridden_package() {
    let Some(maven) = installation() else {
        return;
    };

    let mut files = repository();
    let writer = format().writer.unwrap();
    for version in ["4.0", "4.1"] {
        let written = writer.write_override("a/pom.xml", &files, "deep:down", version);
        let (path, text) = written.unwrap().unwrap();
        assert_eq!(path, "pom.xml");
        files.insert(path, text.into_bytes());
    }
    let directory = tempfile::tempdir().unwrap();
    lay_out(directory.path(), &files);
    let found = effective(&maven, &[directory.path().to_owned()]);
    let managed: Vec<&str> = found[0]
        .manages
        .iter()
        .filter(|(name, _)| name == "deep:down")
        .map(|(_, version)| version.as_str())
        .collect();
    assert_eq!(managed, ["4.1"]);

    // `mvn` itself takes the project as it is, without a plugin or a server.
    let local = directory.path().join("repository");
    let output = Command::new(maven.join("bin/mvn"))
        .args(["--offline", "--batch-mode", "--quiet", "validate"])
        .arg(format!("-Dmaven.repo.local={}", local.display()))
        .current_dir(directory.path().join("projects"))
        .output()
        .unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{stdout}");
}
