//! `patchgate fix` of Maven projects, with a fake of the repository that Maven's settings name.

use std::collections::BTreeMap;

use patchgate_testkit::{HttpServer, OsvServer, Request, Response};

use crate::support::sandbox::{Run, Sandbox};

const LINK: &str = "<parent><groupId>out</groupId><artifactId>parent</artifactId>\
                    <version>1</version><relativePath/></parent>";

const PROJECT: &str = "<project>
  <parent>
    <groupId>out</groupId>
    <artifactId>parent</artifactId>
    <version>1</version>
    <relativePath/>
  </parent>
  <groupId>org.acme</groupId>
  <artifactId>root</artifactId>
  <version>1</version>
  <properties>
    <own.version>1.0</own.version> <!-- shared by the modules -->
  </properties>
</project>
";

const MODULE: &str = "<project>
  <parent>
    <groupId>org.acme</groupId>
    <artifactId>root</artifactId>
    <version>1</version>
  </parent>
  <artifactId>module</artifactId>
  <dependencies>
    <dependency>
      <groupId>g</groupId>
      <artifactId>listed</artifactId>
    </dependency>
    <dependency>
      <groupId>g</groupId>
      <artifactId>own</artifactId>
      <version>${own.version}</version>
    </dependency>
  </dependencies>
</project>
";

/// A repository with two releases of each package, and a parent that manages one of them.
fn repository() -> HttpServer {
    HttpServer::start(|request: &Request| {
        let list = |artifact: &str| {
            format!(
                "<metadata><groupId>g</groupId><artifactId>{artifact}</artifactId><versioning>\
                 <versions><version>1.0</version><version>1.2</version></versions></versioning>\
                 </metadata>"
            )
        };
        let release = |artifact: &str| {
            format!(
                "<project>{LINK}<groupId>g</groupId><artifactId>{artifact}</artifactId>\
                 <version>1.2</version></project>"
            )
        };
        let parent = "<project><groupId>out</groupId><artifactId>parent</artifactId>\
                      <version>1</version><dependencyManagement><dependencies><dependency>\
                      <groupId>g</groupId><artifactId>listed</artifactId><version>1.0</version>\
                      </dependency></dependencies></dependencyManagement></project>";
        let files = BTreeMap::from([
            ("/out/parent/1/parent-1.pom", parent.to_owned()),
            ("/g/own/maven-metadata.xml", list("own")),
            ("/g/listed/maven-metadata.xml", list("listed")),
            ("/g/own/1.2/own-1.2.pom", release("own")),
            ("/g/listed/1.2/listed-1.2.pom", release("listed")),
        ]);
        match files.get(request.path.as_str()) {
            Some(text) => Response::bytes(200, "text/xml", text.as_str()),
            None => Response::status(404),
        }
    })
}

/// A sandbox with the projects, whose home names a server as the mirror of every repository.
fn sandbox(server: &HttpServer) -> Sandbox {
    let sandbox = Sandbox::new();
    std::fs::create_dir_all(sandbox.path("home/.m2")).unwrap();
    let settings = format!(
        "<settings><mirrors><mirror><id>corp</id><mirrorOf>*</mirrorOf><url>{}</url></mirror>\
         </mirrors></settings>",
        server.url()
    );
    std::fs::write(sandbox.path("home/.m2/settings.xml"), settings).unwrap();
    sandbox.write("pom.xml", PROJECT);
    sandbox.write("module/pom.xml", MODULE);
    sandbox
}

/// Runs a command with an OSV that knows of something in both packages before 1.2.
fn run(sandbox: &mut Sandbox, arguments: &[&str]) -> Run {
    let advisories = sandbox.path("advisories");
    std::fs::create_dir_all(&advisories).unwrap();
    for (id, name) in [("2222", "g:own"), ("3333", "g:listed")] {
        let advisory = format!(
            r#"{{"id": "GHSA-{id}-{id}-{id}", "modified": "2026-01-01T00:00:00Z", "affected": [
                {{"package": {{"ecosystem": "Maven", "name": "{name}"}}, "ranges": [{{
                 "type": "ECOSYSTEM", "events": [{{"introduced": "0"}}, {{"fixed": "1.2"}}]}}]}}]}}"#
        );
        std::fs::write(advisories.join(format!("{id}.json")), advisory).unwrap();
    }
    let osv = OsvServer::start(&[&advisories]);
    sandbox.set("PATCHGATE_OSV_URL", osv.url());
    sandbox.set("PATCHGATE_KEV_URL", "none".to_owned());
    sandbox.set("PATCHGATE_EPSS_URL", "none".to_owned());
    sandbox.run(arguments)
}

#[test]
fn versions_change_where_the_projects_state_them() {
    let server = repository();
    let mut sandbox = sandbox(&server);
    let fixed = run(&mut sandbox, &["fix", "--apply", "repo"]).expect(0);

    let read = |name: &str| std::fs::read_to_string(sandbox.path(name)).unwrap();
    let entry = "  <dependencyManagement>\n    <dependencies>\n      <dependency>\n        \
                 <groupId>g</groupId>\n        <artifactId>listed</artifactId>\n        \
                 <version>1.2</version>\n      </dependency>\n    </dependencies>\n  \
                 </dependencyManagement>\n</project>";
    let expected = PROJECT
        .replace("<own.version>1.0", "<own.version>1.2")
        .replace("</project>", entry);
    assert_eq!(read("repo/pom.xml"), expected, "{fixed:?}");
    assert_eq!(read("repo/module/pom.xml"), MODULE);

    let scan = run(&mut sandbox, &["scan", "--format", "json", "repo"]);
    assert_eq!(scan.expect(0).json()["findings"], serde_json::json!([]));
}

#[test]
fn without_a_repository_nothing_changes_and_the_run_is_incomplete() {
    let server = repository();
    let mut sandbox = sandbox(&server);
    let broken = "<settings><mirrors></settings>";
    std::fs::write(sandbox.path("home/.m2/settings.xml"), broken).unwrap();
    let run = run(&mut sandbox, &["fix", "--apply", "repo"]).expect(3);
    assert!(format!("{run:?}").contains("settings.xml"), "{run:?}");
    let read = |name: &str| std::fs::read_to_string(sandbox.path(name)).unwrap();
    assert_eq!(read("repo/pom.xml"), PROJECT);
    assert_eq!(read("repo/module/pom.xml"), MODULE);
    assert_eq!(server.requests().len(), 0);
}
