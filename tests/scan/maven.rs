//! Maven projects whose parents and version lists are not in the repository: they come from the local
//! repository or from a fake of the configured one, or are reported as missing.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use patchgate_testkit::{HttpServer, OsvServer, Request, Response};
use serde_json::Value;

use crate::support::sandbox::{Run, Sandbox};

const PARENT: &str = "/org/acme/parent/1/parent-1.pom";
const LIST: &str = "/org/acme/list/2/list-2.pom";

const PROJECT: &str = "<project>
  <parent>
    <groupId>org.acme</groupId>
    <artifactId>parent</artifactId>
    <version>1</version>
    <relativePath/>
  </parent>
  <artifactId>app</artifactId>
  <dependencies>
    <dependency><groupId>g</groupId><artifactId>listed</artifactId></dependency>
    <dependency><groupId>g</groupId><artifactId>own</artifactId><version>1.0</version></dependency>
  </dependencies>
</project>
";

fn files() -> BTreeMap<&'static str, &'static str> {
    BTreeMap::from([
        (
            PARENT,
            "<project><groupId>org.acme</groupId><artifactId>parent</artifactId>
             <version>1</version><properties><list>2</list></properties>
             <dependencyManagement><dependencies><dependency><groupId>org.acme</groupId>
             <artifactId>list</artifactId><version>${list}</version><type>pom</type>
             <scope>import</scope></dependency></dependencies></dependencyManagement>
             <dependencies><dependency><groupId>g</groupId><artifactId>inherited</artifactId>
             <version>3</version></dependency></dependencies></project>",
        ),
        (
            LIST,
            "<project><groupId>org.acme</groupId><artifactId>list</artifactId>
             <version>2</version><dependencyManagement><dependencies><dependency>
             <groupId>g</groupId><artifactId>listed</artifactId><version>7.1</version>
             </dependency></dependencies></dependencyManagement></project>",
        ),
    ])
}

/// A fault of a server: it gets the correct file and answers with something else.
type Odd = fn(Vec<u8>) -> Response;

/// A repository in which one file may be anything.
fn repository(odd: Option<(&'static str, Odd)>) -> HttpServer {
    HttpServer::start(move |request: &Request| {
        let files = files();
        let Some(text) = files.get(request.path.as_str()) else {
            return Response::status(404);
        };
        match odd {
            Some((path, answer)) if path == request.path => answer(text.as_bytes().to_vec()),
            _ => Response::bytes(200, "text/xml", *text),
        }
    })
}

/// A home whose settings name a server as the mirror of every repository, with a login.
fn settings(sandbox: &Sandbox, mirror_of: &str, url: &str) {
    let directory = sandbox.path("home/.m2");
    std::fs::create_dir_all(&directory).unwrap();
    let text = format!(
        "<settings><mirrors><mirror><id>corp</id><mirrorOf>{mirror_of}</mirrorOf>
         <url>{url}</url></mirror></mirrors><servers><server><id>corp</id>
         <username>me</username><password>hunter2</password></server></servers></settings>"
    );
    std::fs::write(directory.join("settings.xml"), text).unwrap();
}

/// Scans with an OSV that knows of nothing in these packages but old versions of `g:listed`.
fn scan(sandbox: &mut Sandbox) -> Run {
    let advisories = sandbox.path("advisories");
    std::fs::create_dir_all(&advisories).unwrap();
    std::fs::write(
        advisories.join("GHSA-2222-3333-4444.json"),
        r#"{"id": "GHSA-2222-3333-4444", "modified": "2026-01-01T00:00:00Z", "affected": [
            {"package": {"ecosystem": "Maven", "name": "g:listed"}, "ranges": [{
             "type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "7"}]}]}]}"#,
    )
    .unwrap();
    let osv = OsvServer::start(&[&advisories]);
    sandbox.set("PATCHGATE_OSV_URL", osv.url());
    sandbox.set("PATCHGATE_KEV_URL", "none".to_owned());
    sandbox.set("PATCHGATE_EPSS_URL", "none".to_owned());
    sandbox.run(&["scan", "--format", "json", "repo"])
}

/// The printed reasons why the scan is incomplete, with their hints.
fn lacks(report: &Value) -> Vec<String> {
    report["incomplete"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["reason"].as_str().unwrap().starts_with("needs its"))
        .map(|one| format!("{} ({})", one["reason"], one["hint"]))
        .collect()
}

#[test]
fn parents_and_version_lists_are_fetched_from_the_configured_repository() {
    let server = repository(None);
    let mut sandbox = Sandbox::new();
    for module in ["pom.xml", "a/pom.xml", "b/pom.xml"] {
        sandbox.write(module, PROJECT);
    }

    settings(&sandbox, "*", &server.url());
    let run = scan(&mut sandbox);

    assert!(!format!("{run:?}").contains("hunter2"));

    let report = run.expect(0).json();
    for module in 0..3 {
        assert_eq!(report["lockfiles"][module]["packages"], 3, "{report:#}");
        assert_eq!(report["lockfiles"][module]["direct_only"], true);
    }

    let asked = server.requests();
    let paths: Vec<&str> = asked.iter().map(|request| request.path.as_str()).collect();

    assert_eq!(paths, [PARENT, LIST]);

    let authorised = |request: &Request| {
        request
            .header("authorization")
            .is_some_and(|value| value.starts_with("Basic "))
    };
    assert!(asked.iter().all(authorised));

    // A release never changes, so a file that was fetched once is not fetched again.
    server.clear_requests();
    scan(&mut sandbox).expect(0);

    assert!(server.requests().is_empty());
}

#[test]
fn a_parent_that_cannot_be_fetched_makes_the_scan_incomplete_with_its_reason() {
    let faults: [(&str, Odd, &str, &str); 5] = [
        (
            PARENT,
            |_| Response::status(404),
            "parent `org.acme:parent` 1, which is not in the one repository",
            "settings.xml",
        ),
        (
            PARENT,
            |_| Response::status(500),
            "parent `org.acme:parent` 1, which could not be fetched",
            "again later",
        ),
        (
            LIST,
            |body| Response::bytes(200, "text/xml", body).cut_in_half(),
            "imported list of versions `org.acme:list` 2, which could not be fetched",
            "network",
        ),
        (
            LIST,
            |_| Response::bytes(200, "text/html", "<html>sign in</html>"),
            "imported list of versions `org.acme:list` 2, which begins with `<html>`",
            "",
        ),
        (
            LIST,
            |body| Response::bytes(200, "text/xml", &body[..body.len() / 2]),
            "imported list of versions `org.acme:list` 2, which is truncated",
            "",
        ),
    ];

    for (path, odd, reason, hint) in faults {
        let server = repository(Some((path, odd)));
        let mut sandbox = Sandbox::new();
        sandbox.write("pom.xml", PROJECT);
        settings(&sandbox, "*", &server.url());
        let report = scan(&mut sandbox).expect(3).json();
        let lacks = lacks(&report);

        assert_eq!(lacks.len(), 1, "{report:#}");
        assert!(lacks[0].contains(reason), "{reason}: {lacks:?}");
        assert!(lacks[0].contains(hint), "{hint}: {lacks:?}");
        // The dependency without a version may be any version.
        assert_eq!(report["possible"][0]["package"]["name"], "g:listed");
    }
}

#[test]
fn a_missing_parent_is_one_reason_for_all_modules() {
    let server = repository(Some((PARENT, |_| Response::status(404))));
    let mut sandbox = Sandbox::new();
    for module in ["pom.xml", "a/pom.xml", "b/pom.xml"] {
        sandbox.write(module, PROJECT);
    }
    settings(&sandbox, "*", &server.url());
    let report = scan(&mut sandbox).expect(3).json();
    let lacks = lacks(&report);

    assert_eq!(lacks.len(), 1, "{report:#}");
    assert!(lacks[0].contains("and so do 2 other files"), "{lacks:?}");
}

/// A list states only versions, and no version of the package is affected.
#[test]
fn a_missing_list_does_not_matter_to_a_package_without_advisories() {
    let server = repository(Some((LIST, |_| Response::status(404))));
    let mut sandbox = Sandbox::new();
    sandbox.write("pom.xml", PROJECT.replace("listed", "unheard-of"));
    settings(&sandbox, "*", &server.url());
    scan(&mut sandbox).expect(0);
}

#[test]
fn a_repository_that_a_project_switches_off_is_not_asked() {
    let server = repository(None);
    let mut sandbox = Sandbox::new();
    let off = "<repositories><repository><id>central</id><url>https://corp.invalid</url>
        <releases><enabled>false</enabled></releases></repository></repositories></project>";
    sandbox.write("pom.xml", PROJECT.replace("</project>", off));
    settings(&sandbox, "central", &server.url());
    scan(&mut sandbox).expect(3);

    assert_eq!(server.requests().len(), 0);
}

/// A page that a server once sent instead of a file is not kept.
#[test]
fn a_wrong_answer_is_not_cached() {
    let is_well = Arc::new(AtomicBool::new(false));
    let server = HttpServer::start({
        let is_well = Arc::clone(&is_well);
        move |request: &Request| match files().get(request.path.as_str()) {
            Some(text) if is_well.load(Ordering::Relaxed) => {
                Response::bytes(200, "text/xml", *text)
            }
            _ => Response::bytes(200, "text/html", "<html>sign in</html>"),
        }
    });

    let mut sandbox = Sandbox::new();
    sandbox.write("pom.xml", PROJECT);
    settings(&sandbox, "*", &server.url());
    scan(&mut sandbox).expect(3);
    is_well.store(true, Ordering::Relaxed);
    scan(&mut sandbox).expect(0);
}

#[test]
fn offline_the_local_repository_is_enough() {
    let sandbox = Sandbox::new();
    sandbox.write("pom.xml", PROJECT);

    // The repository's own settings for Maven have no say.
    sandbox.write(".mvn/maven.config", "-Dmaven.repo.local=own\n");
    for (path, text) in files() {
        sandbox.write(&format!("own{path}"), text);
    }

    let inventory = ["inventory", "--offline", "--format", "json", "repo"];
    let run = sandbox.run(&inventory).expect(3);

    assert!(run.stdout.contains("no other is asked offline"), "{run:?}");
    for (path, text) in files() {
        let path = sandbox.path("home/.m2/repository").join(&path[1..]);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    let run = sandbox.run(&inventory).expect(0);
    for package in ["g/listed@7.1", "g/own@1.0", "g/inherited@3"] {
        assert!(run.stdout.contains(package), "{package} {run:?}");
    }
}

#[test]
fn an_address_of_the_project_is_not_asked_without_encryption() {
    let (mirror, own) = (
        repository(Some((PARENT, |_| Response::status(404)))),
        repository(None),
    );
    let mut sandbox = Sandbox::new();
    let repositories = format!(
        "<repositories><repository><id>corp</id><url>{}</url></repository></repositories></project>",
        own.url()
    );
    sandbox.write("pom.xml", PROJECT.replace("</project>", &repositories));
    settings(&sandbox, "central", &mirror.url());
    scan(&mut sandbox).expect(3);

    assert!(own.requests().is_empty());
}
