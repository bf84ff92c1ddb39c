//! `patchgate fix` of locked Gradle projects, with a fake of Maven's repository. Gradle is not run.

use std::collections::BTreeMap;

use patchgate_testkit::{HttpServer, OsvServer, Request, Response};

use crate::support::sandbox::{Run, Sandbox};

const LOCK: &str = "# This is a Gradle generated file for dependency locking.
# Manual edits can break the build and are not advised.
# This file is expected to be part of source control.
g:api:1.0=compileClasspath,runtimeClasspath
g:core:1.0=compileClasspath,runtimeClasspath
g:leaf:1.0=runtimeClasspath
empty=annotationProcessor
";

const SCRIPT: &str = "plugins {
    id 'java'
}

repositories {
    mavenCentral()
}

dependencies {
    implementation 'g:core:1.0' // the log
}
";

/// A repository with two releases of each package. The version that `core` needs of `api` is in its
/// parent.
fn repository() -> HttpServer {
    HttpServer::start(|request: &Request| {
        let list = |artifact: &str| {
            format!(
                "<metadata><groupId>g</groupId><artifactId>{artifact}</artifactId><versioning>\
                 <versions><version>1.0</version><version>1.2</version></versions></versioning>\
                 </metadata>"
            )
        };
        let pom = |artifact: &str, version: &str, rest: &str| {
            format!(
                "<project><parent><groupId>g</groupId><artifactId>parent</artifactId>\
                 <version>{version}</version></parent><artifactId>{artifact}</artifactId>\
                 <dependencies>{rest}</dependencies></project>"
            )
        };
        let need = |artifact: &str, scope: &str| {
            format!(
                "<dependency><groupId>g</groupId><artifactId>{artifact}</artifactId>\
                 <scope>{scope}</scope></dependency>"
            )
        };
        let parent = |version: &str| {
            let managed = |artifact: &str, version: &str| {
                format!(
                    "<dependency><groupId>g</groupId><artifactId>{artifact}</artifactId>\
                     <version>{version}</version></dependency>"
                )
            };
            format!(
                "<project><groupId>g</groupId><artifactId>parent</artifactId>\
                 <version>{version}</version><dependencyManagement><dependencies>{}{}\
                 </dependencies></dependencyManagement></project>",
                managed("api", "${project.version}"),
                managed("leaf", "1.0"),
            )
        };
        let mut files = BTreeMap::new();
        for name in ["core", "api", "leaf"] {
            files.insert(format!("/g/{name}/maven-metadata.xml"), list(name));
            for version in ["1.0", "1.2"] {
                let needs = match name {
                    "core" => need("api", "compile") + &need("leaf", "runtime"),
                    _ => String::new(),
                };
                let text = pom(name, version, &needs);
                files.insert(format!("/g/{name}/{version}/{name}-{version}.pom"), text);
                files.insert(
                    format!("/g/parent/{version}/parent-{version}.pom"),
                    parent(version),
                );
            }
        }
        match files.get(request.path.as_str()) {
            Some(text) => Response::bytes(200, "text/xml", text.as_str()),
            None => Response::status(404),
        }
    })
}

fn sandbox(server: &HttpServer) -> Sandbox {
    let sandbox = Sandbox::new();
    std::fs::create_dir_all(sandbox.path("home/.m2")).unwrap();
    let settings = format!(
        "<settings><mirrors><mirror><id>corp</id><mirrorOf>*</mirrorOf><url>{}</url></mirror>\
         </mirrors></settings>",
        server.url()
    );
    std::fs::write(sandbox.path("home/.m2/settings.xml"), settings).unwrap();
    sandbox.write("build.gradle", SCRIPT);
    sandbox.write("gradle.lockfile", LOCK);
    sandbox
}

/// Runs a command with an OSV that knows of something in these packages before 1.2.
fn run(sandbox: &mut Sandbox, names: &[&str], arguments: &[&str]) -> Run {
    let advisories = sandbox.path("advisories");
    std::fs::create_dir_all(&advisories).unwrap();
    for name in names {
        let advisory = format!(
            r#"{{"id": "GHSA-2222-2222-{name}", "modified": "2026-01-01T00:00:00Z", "affected": [
                {{"package": {{"ecosystem": "Maven", "name": "g:{name}"}}, "ranges": [{{
                 "type": "ECOSYSTEM", "events": [{{"introduced": "0"}}, {{"fixed": "1.2"}}]}}]}}]}}"#
        );
        std::fs::write(advisories.join(format!("{name}.json")), advisory).unwrap();
    }
    let osv = OsvServer::start(&[&advisories]);
    sandbox.set("PATCHGATE_OSV_URL", osv.url());
    sandbox.set("PATCHGATE_KEV_URL", "none".to_owned());
    sandbox.set("PATCHGATE_EPSS_URL", "none".to_owned());
    sandbox.run(arguments)
}

#[test]
fn a_locked_version_changes_with_what_it_needs_and_where_it_is_stated() {
    let server = repository();
    let mut sandbox = sandbox(&server);
    let fixed = run(&mut sandbox, &["core"], &["fix", "--apply", "repo"]).expect(0);

    let read = |name: &str| std::fs::read_to_string(sandbox.path(name)).unwrap();
    let lock = LOCK
        .replace("api:1.0", "api:1.2")
        .replace("core:1.0", "core:1.2");
    assert_eq!(read("repo/gradle.lockfile"), lock, "{fixed:?}");
    assert_eq!(read("repo/build.gradle"), SCRIPT.replace("1.0", "1.2"));

    let again = run(
        &mut sandbox,
        &["core"],
        &["scan", "--format", "json", "repo"],
    );
    assert_eq!(again.expect(0).json()["findings"], serde_json::json!([]));
}

#[test]
fn an_indirect_version_is_kept_by_a_constraint() {
    let server = repository();
    let mut sandbox = sandbox(&server);
    let fixed = run(&mut sandbox, &["leaf"], &["fix", "--apply", "repo"]).expect(0);

    let read = |name: &str| std::fs::read_to_string(sandbox.path(name)).unwrap();
    let lock = LOCK.replace("leaf:1.0", "leaf:1.2");
    assert_eq!(read("repo/gradle.lockfile"), lock, "{fixed:?}");
    let script = SCRIPT.replace(
        "the log\n",
        "the log\n    constraints {\n        implementation 'g:leaf:1.2'\n    }\n",
    );
    assert_eq!(read("repo/build.gradle"), script);
}
