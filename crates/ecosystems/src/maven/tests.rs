use insta::assert_snapshot;

use super::*;
use crate::snapshot_text::snapshot_text;
use crate::{Input, Siblings};

/// The files of a fixture as a repository.
macro_rules! repository {
    ($name:literal: $($path:literal),+ $(,)?) => {
        Siblings::from([$((
            $path.to_owned(),
            include_bytes!(concat!("fixtures/read/", $name, "/", $path)).to_vec(),
        )),+])
    };
}

/// The result of reading one file of a repository.
fn read(siblings: &Siblings, path: &str) -> String {
    let input = Input {
        path,
        bytes: &siblings[path],
        siblings,
    };
    snapshot_text(&crate::parse(&input).unwrap())
}

/// The result or the error of reading a text without siblings.
fn alone(path: &str, text: &str) -> Result<String, String> {
    let siblings = Siblings::new();
    let input = Input {
        path,
        bytes: text.as_bytes(),
        siblings: &siblings,
    };

    match crate::parse(&input) {
        Ok(lockfile) => Ok(snapshot_text(&lockfile)),
        Err(error) => Err(format!("{:?}: {}", error.line, error.reason)),
    }
}

#[test]
fn names_and_versions() {
    assert_eq!(
        Maven.purl("org.acme:lib", "1.0+x"),
        "pkg:maven/org.acme/lib@1.0%2Bx"
    );
    assert_eq!(Maven.normalize_name("Org:A"), "Org:A");
    assert_eq!(Maven.compare_versions("1.0-rc1", "1.0"), Ok(Ordering::Less));
}

#[test]
fn gradle() {
    let files = repository!(
        "gradle": "gradle.lockfile", "buildscript-gradle.lockfile",
        "gradle/libs.versions.toml", "gradle/verification-metadata.xml",
    );
    assert_snapshot!(read(&files, "gradle.lockfile"));
    assert_snapshot!(read(&files, "buildscript-gradle.lockfile"));
    assert_snapshot!(read(&files, "gradle/libs.versions.toml"));
    assert_snapshot!(read(&files, "gradle/verification-metadata.xml"));
}

/// The packages of Gradle's own resolution result.
#[test]
fn what_gradle_locked() {
    let files = repository!(
        "locked": "gradle.lockfile", "buildscript-gradle.lockfile",
        "gradle/verification-metadata.xml",
    );
    assert_snapshot!(read(&files, "gradle.lockfile"));
    assert_snapshot!(read(&files, "buildscript-gradle.lockfile"));
    assert_snapshot!(read(&files, "gradle/verification-metadata.xml"));
}

#[test]
fn gradle_before_version_7() {
    let files = repository!(
        "gradle-legacy": "gradle/dependency-locks/testRuntimeClasspath.lockfile",
        "gradle/dependency-locks/buildscript-classpath.lockfile",
    );
    let all: Vec<String> = files.keys().map(|path| read(&files, path)).collect();
    assert_snapshot!(all.join(""));
}

#[test]
fn a_catalog_alone() {
    let files = repository!("catalog": "gradle/libs.versions.toml");
    assert_snapshot!(read(&files, "gradle/libs.versions.toml"));
}

#[test]
fn sbt() {
    let files = repository!("sbt": "build.sbt.lock");
    assert_snapshot!(read(&files, "build.sbt.lock"));
}

#[test]
fn bazel() {
    let files = repository!("bazel-v1": "maven_install.json");
    assert_snapshot!(read(&files, "maven_install.json"));
    let files = repository!("bazel-v2": "maven_install.json");
    assert_snapshot!(read(&files, "maven_install.json"));
}

#[test]
fn configurations_give_the_strongest_reason() {
    let text = alone(
        "app/gradle.lockfile",
        "a:a:1=debugUnitTestRuntimeClasspath\n\
         a:b:1=annotationProcessor,testCompileClasspath\n\
         a:c:1=kaptDebug\n\
         a:d:1=releaseRuntimeClasspath,testRuntimeClasspath\n\
         a:e:1=somethingOfOurOwn\n\
         empty=\n",
    );
    assert_snapshot!(text.unwrap());
}

#[test]
fn refusals_name_the_line_and_the_reason() {
    let refusals: Vec<String> = [
        ("gradle.lockfile", "a:b:1=x"),
        ("gradle.lockfile", "a:b:1=x\n<<<<<<< ours\nempty=\n"),
        ("gradle.lockfile", "a:b:1.+=x\nempty=\n"),
        ("gradle.lockfile", "a/b:c:1=x\nempty=\n"),
        ("gradle.lockfile", "a:b=x\nempty=\n"),
        ("gradle/dependency-locks/x.lockfile", "a:b:1"),
        ("gradle/libs.versions.toml", "[libraries]\nx = \"y\"\n"),
        (
            "gradle/libs.versions.toml",
            "[libraries]\nx = { module = \"a:b\", version.ref = \"c\" }\n",
        ),
        ("gradle/libs.versions.toml", "libraries = 1\n"),
        ("gradle/verification-metadata.xml", "<a/>"),
        ("build.sbt.lock", "{\"lockVersion\": 1}"),
        (
            "build.sbt.lock",
            "{\"lockVersion\": 7, \"dependencies\": []}",
        ),
        ("maven_install.json", "{}"),
        ("maven_install.json", "{\"artifacts\": {\"a\": {}}}"),
        (
            "maven_install.json",
            "{\"dependency_tree\": {\"dependencies\": [{\"coord\": \"a:b:[1,2)\"}]}}",
        ),
    ]
    .into_iter()
    .map(|(path, text)| format!("{path}: {}\n", alone(path, text).unwrap_err()))
    .collect();

    assert_snapshot!(refusals.concat());
}
