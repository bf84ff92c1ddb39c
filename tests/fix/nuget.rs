//! `patchgate fix` of NuGet's projects, with a fake of the feed that the user's configuration names.
//! The files before and after each change are fixtures of the writer; NuGet wrote their lockfiles.

use std::path::{Path, PathBuf};

use patchgate_testkit::{HttpServer, OsvServer, Request, Response};
use serde_json::{Value, json};

use crate::support::sandbox::{Run, Sandbox};

/// A package, its version and its dependencies.
type FeedEntry = (
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
);

/// Packages with their versions, and the dependencies for .NET Standard 2.0.
const PACKAGES: [FeedEntry; 9] = [
    (
        "Acme.Web",
        "1.0.0",
        &[("Acme.Core", "[1.0.0, )"), ("acme_util", "[1.0.0, 2.0.0)")],
    ),
    (
        "Acme.Web",
        "1.1.0",
        &[("Acme.Core", "[1.1.0, )"), ("Acme.New", "[2.0.0, )")],
    ),
    ("Acme.Core", "1.0.0", &[]),
    ("Acme.Core", "1.1.0", &[]),
    ("Acme.Core", "1.2.0", &[("AcmeZ", "[1.0.0, 1.0.0]")]),
    ("acme_util", "1.0.0", &[]),
    ("acme_util", "1.5.0", &[]),
    ("AcmeZ", "1.0.0", &[]),
    ("Acme.New", "2.0.0", &[("AcmeZ", "[1.0.0, )")]),
];

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../ecosystems/src/nuget/fixtures/written")
}

/// The versions of a package, as a feed describes them.
fn registration(host: &str, package: &str) -> Value {
    let leaf = |(name, version, dependencies): &(&str, &str, &[(&str, &str)])| {
        let dependencies: Vec<Value> = dependencies
            .iter()
            .map(|(id, range)| json!({"id": id, "range": range}))
            .collect();
        json!({
            "packageContent": format!("http://{host}/files/{name}.{version}.nupkg"),
            "catalogEntry": {"id": name, "version": version, "dependencyGroups": [
                {"targetFramework": ".NETStandard2.0", "dependencies": dependencies}]},
        })
    };
    let own = PACKAGES
        .iter()
        .filter(|(name, ..)| name.eq_ignore_ascii_case(package));
    json!({"items": [{"items": own.map(leaf).collect::<Vec<Value>>()}]})
}

fn feed() -> HttpServer {
    HttpServer::start(|request: &Request| {
        let host = request.header("host").unwrap_or_default().to_owned();
        let json = |value: Value| Response::bytes(200, "application/json", value.to_string());
        let parts: Vec<&str> = request.path.split('/').skip(1).collect();
        match parts.as_slice() {
            ["index.json"] => json(json!({"version": "3.0.0", "resources": [
                {"@id": format!("http://{host}/packages/"), "@type": "RegistrationsBaseUrl/3.6.0"}]})),
            ["packages", name, "index.json"] => json(registration(&host, name)),
            ["files", name] => match std::fs::read(fixtures().join("feed").join(name)) {
                Ok(bytes) => Response::bytes(200, "application/octet-stream", bytes),
                Err(_) => Response::status(404),
            },
            _ => Response::status(404),
        }
    })
}

/// The files of a directory, by path.
fn files(root: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut waiting = vec![root.to_owned()];
    while let Some(directory) = waiting.pop() {
        for entry in std::fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
            } else {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap();
                found.push((name.to_owned(), std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

/// A sandbox with a fixture, whose home names a feed.
fn sandbox(server: &HttpServer, case: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    std::fs::create_dir_all(sandbox.path("home/.nuget/NuGet")).unwrap();
    let settings = format!(
        "<configuration><packageSources><add key=\"feed\" value=\"{}/index.json\" /></packageSources></configuration>",
        server.url()
    );
    std::fs::write(sandbox.path("home/.nuget/NuGet/NuGet.Config"), settings).unwrap();
    for (path, text) in files(&fixtures().join(case).join("before")) {
        sandbox.write(&path, &text);
    }
    sandbox
}

/// Runs a command with an OSV that knows of something in a package before a version.
fn run(sandbox: &mut Sandbox, (name, fixed): (&str, &str), arguments: &[&str]) -> Run {
    let advisories = sandbox.path("advisories");
    std::fs::create_dir_all(&advisories).unwrap();
    let advisory = json!({"id": "GHSA-2222-2222-2222", "modified": "2026-01-01T00:00:00Z", "affected": [
        {"package": {"ecosystem": "NuGet", "name": name}, "ranges": [{"type": "ECOSYSTEM",
         "events": [{"introduced": "0"}, {"fixed": fixed}]}]}]});
    std::fs::write(advisories.join("1.json"), advisory.to_string()).unwrap();
    let osv = OsvServer::start(&[&advisories]);
    sandbox.set("PATCHGATE_OSV_URL", osv.url());
    sandbox.set("PATCHGATE_KEV_URL", "none".to_owned());
    sandbox.set("PATCHGATE_EPSS_URL", "none".to_owned());
    sandbox.run(arguments)
}

/// Fixes a fixture, and compares all files with those that NuGet wrote.
fn assert_fixed(case: &str, package: (&str, &str)) {
    let server = feed();
    let mut sandbox = sandbox(&server, case);
    let fixed = run(&mut sandbox, package, &["fix", "--apply", "repo"]).expect(0);
    for (path, expected) in files(&fixtures().join(case).join("after")) {
        let written = std::fs::read_to_string(sandbox.path(&format!("repo/{path}"))).unwrap();
        assert_eq!(written, expected, "{case}: {path}: {fixed:?}");
    }

    let scan = run(&mut sandbox, package, &["scan", "--format", "json", "repo"]);
    assert_eq!(scan.expect(0).json()["findings"], json!([]), "{case}");
}

#[test]
fn all_lockfiles_of_a_solution_change_with_the_project() {
    assert_fixed("project", ("Acme.Core", "1.2.0"));
}

#[test]
fn a_direct_dependency_is_raised_in_its_project() {
    assert_fixed("direct", ("Acme.Web", "1.1.0"));
}

#[test]
fn central_versions_are_raised_in_their_list() {
    assert_fixed("central", ("Acme.Core", "1.2.0"));
}

#[test]
fn a_package_that_others_require_is_pinned_in_the_central_list() {
    assert_fixed("central-pin", ("acme_util", "1.5.0"));
}

#[test]
fn projects_without_a_lockfile_are_changed() {
    let server = feed();
    let mut sandbox = sandbox(&server, "central");
    for name in ["App", "Lib.One"] {
        std::fs::remove_file(sandbox.path(&format!("repo/{name}/packages.lock.json"))).unwrap();
    }
    let fixed = run(
        &mut sandbox,
        ("Acme.Core", "1.2.0"),
        &["fix", "--apply", "repo"],
    )
    .expect(0);
    let written = std::fs::read_to_string(sandbox.path("repo/Directory.Packages.props")).unwrap();
    let expected = fixtures().join("central/after/Directory.Packages.props");
    assert_eq!(
        written,
        std::fs::read_to_string(expected).unwrap(),
        "{fixed:?}"
    );
}

#[test]
fn without_a_source_nothing_changes() {
    let server = feed();
    let mut sandbox = sandbox(&server, "project");
    std::fs::remove_file(sandbox.path("home/.nuget/NuGet/NuGet.Config")).unwrap();
    let run = run(
        &mut sandbox,
        ("Acme.Core", "1.2.0"),
        &["fix", "--apply", "repo"],
    )
    .expect(3);
    assert!(format!("{run:?}").contains("nuget.config"), "{run:?}");
    assert_eq!(server.requests().len(), 0);
    for (path, expected) in files(&fixtures().join("project/before")) {
        let left = std::fs::read_to_string(sandbox.path(&format!("repo/{path}"))).unwrap();
        assert_eq!(left, expected, "{path}");
    }
}
