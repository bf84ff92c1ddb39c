//! Tests of the writer of lockfiles.

use patchgate_model::DependencyKind;

use super::LockWriter;
use crate::maven::release_pom::own_needs;
use crate::{
    Downloads, Input, LockfileWriter, Release, ReleaseFile, Requirement, Siblings, TargetGraph,
    TargetNode,
};

const LOCK: &str = "# This is a Gradle generated file for dependency locking.\n\
    # Manual edits can break the build and are not advised.\n\
    # This file is expected to be part of source control.\n\
    g:direct:1.0=compileClasspath,runtimeClasspath\n\
    g:other:1.0=runtimeClasspath\n\
    g:under:1.0=compileClasspath,runtimeClasspath,testRuntimeClasspath\n\
    empty=annotationProcessor\n";

const SCRIPT: &str =
    "plugins { id 'java' }\n\ndependencies {\n    implementation 'g:direct:1.0'\n}\n";

const REPOSITORY: &str = "https://r.invalid/m2/g";

/// A dependency in a POM: the artifact, its version and its scope.
type Need<'a> = (&'a str, &'a str, &'a str);

fn pom(artifact: &str, needs: &[Need<'_>]) -> Vec<u8> {
    let needs: String = needs
        .iter()
        .map(|(name, version, scope)| {
            format!(
                "<dependency><groupId>g</groupId><artifactId>{name}</artifactId>\
                 <version>{version}</version><scope>{scope}</scope></dependency>"
            )
        })
        .collect();
    let text = format!(
        "<project><groupId>g</groupId><artifactId>{artifact}</artifactId><version>1</version>\
         <dependencies>{needs}</dependencies></project>"
    );
    text.into_bytes()
}

/// A build with what its repository has.
struct Build {
    files: Siblings,
    poms: Downloads,
}

impl Build {
    fn new(files: &[(&str, &str)]) -> Self {
        let files = files
            .iter()
            .map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()));
        Self {
            files: files.collect(),
            poms: Downloads::new(),
        }
    }

    fn with(mut self, artifact: &str, version: &str, needs: &[Need<'_>]) -> Self {
        let url = format!("{REPOSITORY}/{artifact}/{version}/{artifact}-{version}.pom");
        self.poms.insert(url, pom(artifact, needs));
        self
    }

    fn release(&self, artifact: &str, version: &str) -> Release {
        let file = |extension: &str| {
            let name = format!("{artifact}-{version}.{extension}");
            let url = format!("{REPOSITORY}/{artifact}/{version}/{name}");
            ReleaseFile {
                name,
                url,
                ..ReleaseFile::default()
            }
        };
        let files = vec![file("jar"), file("pom")];
        let own = self.poms.get(&file("pom").url).expect(artifact);
        let needs = own_needs(std::str::from_utf8(own).unwrap()).unwrap();
        Release {
            version: version.to_owned(),
            requirements: needs
                .into_iter()
                .map(|need| Requirement {
                    name: need.name,
                    requirement: need.requirement,
                    kind: DependencyKind::Runtime,
                    ..Requirement::default()
                })
                .collect(),
            files,
            ..Release::default()
        }
    }

    /// The files that a plan changes, without those that stay.
    fn write(&self, path: &str, plan: &[(&str, &str)]) -> Result<Vec<(String, String)>, String> {
        let input = Input {
            path,
            bytes: &self.files[path],
            siblings: &self.files,
        };
        let lockfile = crate::maven::gradle_lockfile::parse(&input).unwrap();
        let mut target = TargetGraph::unchanged(&lockfile);
        for (artifact, version) in plan {
            let name = format!("g:{artifact}");
            let release = Some(self.release(artifact, version));
            match target.nodes.iter_mut().find(|node| node.name == name) {
                Some(node) => node.release = release,
                None => target.nodes.push(TargetNode {
                    was: None,
                    name,
                    release,
                    edges: Vec::new(),
                }),
            }
        }
        for node in &target.nodes {
            if let Some(release) = &node.release {
                for wanted in LockWriter.downloads_for(&lockfile, &node.name, release) {
                    assert!(self.poms.contains_key(&wanted.url), "{}", wanted.url);
                }
            }
        }
        let written = LockWriter.write(&input, &lockfile, &target, &self.poms);
        let written = written.map_err(|error| error.reason)?;
        let changed = written
            .into_iter()
            .filter(|(path, bytes)| self.files.get(path) != Some(bytes));
        Ok(changed
            .map(|(path, bytes)| (path, String::from_utf8(bytes).unwrap()))
            .collect())
    }

    fn refusal(&self, plan: &[(&str, &str)]) -> String {
        self.write("gradle.lockfile", plan).unwrap_err()
    }
}

fn small() -> Build {
    Build::new(&[("gradle.lockfile", LOCK), ("build.gradle", SCRIPT)])
        .with("direct", "1.0", &[("under", "1.0", "compile")])
        .with("under", "1.0", &[])
        .with("other", "1.0", &[])
}

fn owned(files: &[(&str, &str)]) -> Vec<(String, String)> {
    let files = files.iter();
    files
        .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
        .collect()
}

#[test]
fn a_version_changes_in_the_lockfile_and_where_it_is_stated() {
    let build = small().with("direct", "1.2", &[("under", "1.0", "compile")]);
    let expected = [
        ("build.gradle", SCRIPT.replace("1.0", "1.2")),
        ("gradle.lockfile", LOCK.replace("direct:1.0", "direct:1.2")),
    ];
    let expected = expected.each_ref().map(|(path, text)| (*path, &**text));
    let plan = [("direct", "1.2")];
    assert_eq!(build.write("gradle.lockfile", &plan), Ok(owned(&expected)));
    assert_eq!(build.write("gradle.lockfile", &[]), Ok(Vec::new()));
}

#[test]
fn a_version_that_no_script_states_gets_a_constraint() {
    let build = small().with("under", "1.2", &[]);
    let written = build.write("gradle.lockfile", &[("under", "1.2")]).unwrap();
    let script = SCRIPT.replace(
        "'\n}\n",
        "'\n    constraints {\n        implementation 'g:under:1.2'\n    }\n}\n",
    );
    let lock = LOCK.replace("under:1.0", "under:1.2");
    assert_eq!(
        written,
        owned(&[("build.gradle", &script), ("gradle.lockfile", &lock)])
    );

    // A release that asks for the version itself makes it unnecessary.
    let build = build.with("direct", "1.2", &[("under", "1.2", "compile")]);
    let plan = [("direct", "1.2"), ("under", "1.2")];
    let written = build.write("gradle.lockfile", &plan).unwrap();
    let lock = lock.replace("direct:1.0", "direct:1.2");
    assert_eq!(
        written,
        owned(&[
            ("build.gradle", &SCRIPT.replace("1.0", "1.2")),
            ("gradle.lockfile", &lock)
        ])
    );
}

#[test]
fn what_a_release_brings_is_locked_where_it_is_resolved() {
    let build = small()
        .with(
            "direct",
            "1.2",
            &[
                ("under", "1.0", "compile"),
                ("new", "3", "runtime"),
                ("other", "1.0", "compile"),
            ],
        )
        .with("new", "3", &[("leaf", "4", "compile")])
        .with("leaf", "4", &[]);
    let plan = [("direct", "1.2"), ("new", "3"), ("leaf", "4")];
    let written = build.write("gradle.lockfile", &plan);
    let reason = "`g:direct` 1.2 needs `g:other`, which the lockfile does not have";
    assert_eq!(written, Err(reason.to_owned()));

    let build = build.with(
        "direct",
        "1.2",
        &[("under", "1.0", "compile"), ("new", "3", "runtime")],
    );
    let written = build.write("gradle.lockfile", &plan).unwrap();
    let lock = LOCK.replace("direct:1.0", "direct:1.2").replace(
        "g:other",
        "g:leaf:4=runtimeClasspath\ng:new:3=runtimeClasspath\ng:other",
    );
    assert_eq!(written[1].1, lock);
}

#[test]
fn what_gradle_would_resolve_otherwise_is_refused() {
    let kept: Need<'_> = ("under", "1.0", "compile");
    for (needs, reason) in [
        (&[][..], "no longer needs `g:under`"),
        (&[("under", "1.0", "runtime")], "no longer needs `g:under`"),
        (&[("under", "1.1", "compile")], "and 1.0 is locked"),
        (&[("under", "${of.parent}", "compile")], "is not known"),
        (
            &[kept, ("new", "1", "compile")],
            "which the lockfile does not have",
        ),
    ] {
        let build = small().with("direct", "1.2", needs);
        let refused = build.refusal(&[("direct", "1.2")]);
        assert!(refused.contains(reason), "{refused}");
    }
}

#[test]
fn a_version_that_cannot_be_stated_is_refused() {
    for (script, reason) in [
        (
            "dependencies {\n    api \"g:under:$v\"\n}\n",
            "not a literal",
        ),
        (
            "configurations.all { resolutionStrategy { } }\ndependencies {\n}\n",
            "resolutionStrategy",
        ),
        ("apply plugin: 'java'\n", "has no block `dependencies`"),
    ] {
        let mut build = small().with("under", "1.2", &[]);
        let path = "build.gradle".to_owned();
        build.files.insert(path, script.as_bytes().to_vec());
        let refused = build.refusal(&[("under", "1.2")]);
        assert!(refused.contains(reason), "{refused}");
    }

    let mut build = small().with("under", "1.2", &[]);
    build.files.insert("more.gradle".to_owned(), vec![0xff]);
    assert_eq!(
        build.refusal(&[("under", "1.2")]),
        "`more.gradle` is not UTF-8"
    );

    let mut build = small().with("under", "1.2", &[]);
    let lock = LOCK.replace("testRuntime", "debugRuntime");
    build
        .files
        .insert("gradle.lockfile".to_owned(), lock.into_bytes());
    assert!(
        build
            .refusal(&[("under", "1.2")])
            .contains("`debugRuntimeClasspath`")
    );

    let mut build = small().with("under", "1.2", &[]);
    let lock = LOCK.replace("g:under", "a:under");
    build
        .files
        .insert("gradle.lockfile".to_owned(), lock.into_bytes());
    let build = build.with("direct", "1.2", &[]);
    assert!(
        build
            .refusal(&[("direct", "1.2")])
            .contains("order of Gradle")
    );
}

#[test]
fn lockfiles_with_a_catalog_in_common_change_together() {
    let catalog = "[libraries]\ndirect = \"g:direct:1.0\"\n";
    let script = "dependencies {\n    implementation(libs.direct)\n}\n";
    let build = Build::new(&[
        ("a/gradle.lockfile", LOCK),
        ("a/build.gradle.kts", script),
        ("b/gradle.lockfile", LOCK),
        ("b/build.gradle.kts", script),
        ("gradle/libs.versions.toml", catalog),
    ])
    .with("direct", "1.0", &[("under", "1.0", "compile")])
    .with("direct", "1.2", &[("under", "1.0", "compile")]);
    let lock = LOCK.replace("direct:1.0", "direct:1.2");
    assert_eq!(
        build.write("a/gradle.lockfile", &[("direct", "1.2")]),
        Ok(owned(&[
            ("a/gradle.lockfile", &lock),
            ("b/gradle.lockfile", &lock),
            ("gradle/libs.versions.toml", &catalog.replace("1.0", "1.2")),
        ]))
    );
}

#[test]
fn the_metadata_of_gradle_counts_instead_of_the_pom() {
    let variant = |dependencies: &str, constraints: &str| {
        format!(
            r#"{{"variants": [{{"name": "api", "attributes": {{"org.gradle.usage": "java-api"}},
               "dependencies": [{dependencies}], "dependencyConstraints": [{constraints}]}},
               {{"name": "run", "attributes": {{"org.gradle.usage": "java-runtime"}},
               "dependencies": [{dependencies}]}}]}}"#
        )
    };
    let one = |name: &str, version: &str| {
        format!(r#"{{"group": "g", "module": "{name}", "version": {{"requires": "{version}"}}}}"#)
    };
    let under = one("under", "1.0");
    let with_other = |version: &str| format!("{under}, {}", one("other", version));
    for (dependencies, constraints, expected) in [
        (under.clone(), String::new(), None),
        (
            String::new(),
            String::new(),
            Some("no longer needs `g:under`"),
        ),
        (
            format!("{under}, {}", one("list", "1")),
            String::new(),
            Some("needs `g:list`, which the lockfile does not have"),
        ),
        // It is locked where the project runs, but not where it compiles.
        (
            with_other("1.0"),
            String::new(),
            Some("needs `g:other`, which the lockfile"),
        ),
        (with_other("1.1"), String::new(), Some("needs `g:other`")),
        (
            under.clone(),
            one("under", "1.1"),
            Some("and 1.0 is locked"),
        ),
        (under.clone(), one("other", "1.0"), None),
        (under.clone(), one("unknown", "1.0"), None),
        ("{}".to_owned(), String::new(), Some("is not of the format")),
    ] {
        let mut build = small();
        let url = format!("{REPOSITORY}/direct/1.2/direct-1.2.module");
        let text = variant(&dependencies, &constraints);
        build.poms.insert(url.clone(), text.into_bytes());
        let pom = url.replace(".module", ".pom");
        let marked = "<project><!-- published-with-gradle-metadata --><artifactId>direct\
                      </artifactId></project>";
        build.poms.insert(pom, marked.as_bytes().to_vec());
        let written = build.write("gradle.lockfile", &[("direct", "1.2")]);
        match expected {
            None => assert_eq!(written.map(|files| files.len()), Ok(2)),
            Some(reason) => {
                let refused = written.unwrap_err();
                assert!(refused.contains(reason), "{refused}");
            }
        }

        build.poms.remove(&url);
        let refused = build.refusal(&[("direct", "1.2")]);
        assert!(
            refused.contains("lacks the metadata of Gradle"),
            "{refused}"
        );
    }
}

#[test]
fn the_hashes_of_what_comes_are_added() {
    let path = "gradle/verification-metadata.xml";
    let metadata = "<verification-metadata>\n   <components>\n      \
        <component group=\"g\" name=\"under\" version=\"1.0\">\n         \
        <artifact name=\"under-1.0.jar\">\n            <sha256 value=\"00\"/>\n         \
        </artifact>\n      </component>\n   </components>\n</verification-metadata>\n";
    let mut build = small().with("under", "1.2", &[]);
    build
        .files
        .insert(path.to_owned(), metadata.as_bytes().to_vec());
    let refused = build.refusal(&[("under", "1.2")]);
    assert_eq!(
        refused,
        format!("`{path}`: `under-1.2.jar` was not fetched")
    );

    let url = format!("{REPOSITORY}/under/1.2/under-1.2.jar");
    build.poms.insert(url, b"jar".to_vec());
    let written = build.write("gradle.lockfile", &[("under", "1.2")]).unwrap();
    let paths: Vec<&str> = written.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(paths, ["build.gradle", "gradle.lockfile", path]);
    assert!(written[2].1.contains("<artifact name=\"under-1.2.jar\">"));

    build.files.insert(path.to_owned(), Vec::new());
    assert!(build.refusal(&[("under", "1.2")]).contains(path));
}
