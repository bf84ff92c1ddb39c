//! Composer itself on lockfiles that Patchgate wrote, in a project of the test's own.
#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

use std::path::Path;
use std::process::Command;

use patchgate_ecosystems::{
    Downloads, Ecosystem as _, Format, Input, Release, RequirementEdit, Siblings, TargetGraph,
    TargetNode, Upgradable as _, composer::Composer,
};
use patchgate_model::Lockfile;
use patchgate_package_managers::{
    ConfigurationFile, LockedProject, PackageManager, PinnedVersion, RunOptions, locator_of,
    manager_of,
};
use patchgate_testkit::{HttpServer, Requirement, Response, system_tool};
use serde_json::{Value, json};

/// The versions of each package, the newest first, shortened as repositories do.
fn packages() -> Value {
    json!({
        "acme/a": [
            {"name": "acme/a", "description": "Ä/B", "keywords": ["z", "B", "a b"], "homepage": "", "version": "v1.1.0", "version_normalized": "1.1.0.0",
             "license": ["MIT"], "authors": [{"name": "Zoë", "email": "z@code.invalid"}],
             "source": {"url": "https://code.invalid/a.git", "type": "git", "reference": "0b5088d9"},
             "dist": {"url": "https://code.invalid/a.zip", "type": "zip", "shasum": "", "reference": "0b5088d9"},
             "type": "library", "support": {"source": "https://code.invalid/a"}, "funding": [{"url": "https://code.invalid", "type": "other"}],
             "time": "2024-02-01T00:00:00+00:00", "autoload": {"psr-4": {"Acme\\A\\": "src/"}, "files": ["a.php"]},
             "extra": {"branch-alias": {"dev-main": "1.x-dev"}, "empty": {}, "n": 1},
             "require": {"php": ">=7.2", "acme/new": "^2.0", "acme/c": "^1.0"}, "require-dev": {"x/test": "*"},
             "suggest": {"x/z": "for z", "ext-a": "for a"}, "bin": ["bin/a"], "conflict": {"acme/q": "<1.0"}},
            {"version": "v1.0.0", "version_normalized": "1.0.0.0", "require": {"acme/gone": "^1.0"}, "time": "2024-01-01T00:00:00+00:00",
             "extra": "__unset", "bin": "__unset", "keywords": ["one"], "conflict": "__unset", "funding": "__unset"}
        ],
        "acme/c": plain("acme/c", &["1.1.0", "1.0.0"]),
        "acme/gone": plain("acme/gone", &["1.0.0"]),
        "acme/new": plain("acme/new", &["v2.0.0"]),
        "acme/q": plain("acme/q", &["2.0.0", "1.0.0"]),
        "acme/test": [
            {"name": "acme/test", "version": "1.0.0", "version_normalized": "1.0.0.0", "type": "library", "require": {"acme/c": "^1.0"},
             "dist": {"type": "zip", "url": "https://code.invalid/test.zip", "reference": "r", "shasum": "ab"}}
        ],
    })
}

fn plain(name: &str, versions: &[&str]) -> Value {
    let version = |version: &&str| {
        let normalized = format!("{}.0", version.trim_start_matches('v'));
        json!({"name": name, "version": version, "version_normalized": normalized, "type": "library",
               "dist": {"type": "zip", "url": format!("https://code.invalid/{name}/{version}.zip"), "reference": version, "shasum": ""}})
    };
    versions.iter().map(version).collect()
}

fn metadata(name: &str) -> Vec<u8> {
    let packages = packages();
    json!({"minified": "composer/2.0", "packages": {name: packages[name]}})
        .to_string()
        .into_bytes()
}

fn serve() -> HttpServer {
    HttpServer::start(|request| {
        let path = request.path.trim_start_matches('/');
        if path == "packages.json" {
            return Response::json(
                200,
                &json!({"packages": [], "metadata-url": "/p2/%package%.json", "notify-batch": "/downloads/"}),
            );
        }
        let name = path
            .strip_prefix("p2/")
            .and_then(|file| file.strip_suffix(".json"));
        match name.filter(|name| packages().get(name).is_some()) {
            Some(name) => Response::bytes(200, "application/json", metadata(name)),
            None => Response::status(404),
        }
    })
}

fn composer(program: &Path, directory: &Path, arguments: &[&str]) {
    let home = tempfile::tempdir().unwrap();
    let output = Command::new(program)
        .args(arguments)
        .args(["--no-install", "--no-interaction", "--no-plugins"])
        .env("COMPOSER_HOME", home.path())
        .env("COMPOSER_ALLOW_SUPERUSER", "1")
        .env("COMPOSER_NO_AUDIT", "1")
        .current_dir(directory)
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}\n{stderr}");
}

fn format() -> &'static Format {
    &Composer.files().unwrap().formats()[0]
}

fn release(name: &str, version: &str) -> Release {
    let releases = Composer.parse_metadata(name, &metadata(name)).unwrap();
    let is_meant = |release: &Release| release.version == version;
    releases.into_iter().find(is_meant).unwrap()
}

fn read(bytes: &[u8], manifest: &str) -> (Lockfile, Siblings) {
    let siblings = Siblings::from([("composer.json".to_owned(), manifest.as_bytes().to_vec())]);
    let input = Input {
        path: "composer.lock",
        bytes,
        siblings: &siblings,
    };
    ((format().parse)(&input).unwrap(), siblings)
}

/// The lockfile with newer versions of everything.
fn write(before: &[u8], manifest: &str, edited: &str, raised: &str) -> String {
    let (lockfile, _) = read(before, manifest);
    let (_, siblings) = read(before, edited);
    let mut target = TargetGraph::unchanged(&lockfile);
    target.nodes.retain(|node| node.name != "acme/gone");
    for (name, version) in [
        ("acme/a", "v1.1.0"),
        ("acme/c", "1.1.0"),
        ("acme/q", "2.0.0"),
    ] {
        let mut nodes = target.nodes.iter_mut();
        nodes.find(|node| node.name == name).unwrap().release = Some(release(name, version));
    }
    target.nodes.push(TargetNode {
        was: None,
        name: "acme/new".to_owned(),
        release: Some(release("acme/new", "v2.0.0")),
        edges: Vec::new(),
    });
    for edge in target.roots[0]
        .iter_mut()
        .filter(|edge| edge.name == "acme/q")
    {
        edge.requirement = Some(raised.to_owned());
    }

    let input = Input {
        path: "composer.lock",
        bytes: before,
        siblings: &siblings,
    };
    let writer = format().writer.unwrap();
    let files = writer.write(&input, &lockfile, &target, &Downloads::new());
    String::from_utf8(files.unwrap().remove("composer.lock").unwrap()).unwrap()
}

/// What the manager says about a lockfile, and what it locks towards some versions.
async fn managed(
    manager: &dyn PackageManager,
    root: &Path,
    bytes: &[u8],
    manifest: &str,
    pins: &[PinnedVersion],
) -> (Result<(), String>, Option<Vec<u8>>) {
    let (lockfile, manifests) = read(bytes, manifest);
    let configuration = [ConfigurationFile {
        path: "composer.json".to_owned(),
        content: manifest.as_bytes().to_vec(),
    }];
    let project = LockedProject {
        root,
        lockfile: &lockfile,
        bytes,
        manifests: &manifests,
        configuration: &configuration,
    };
    let options = RunOptions::default();
    let checked = manager.check(project, options).await;
    let relocked = match pins {
        [] => None,
        pins => Some(
            manager
                .relock(project, pins, options)
                .await
                .unwrap()
                .lockfile,
        ),
    };
    (checked.map_err(|error| error.to_string()), relocked)
}

#[tokio::test]
async fn composer_accepts_what_is_written_and_leaves_it_as_it_is() {
    let Some(program) = system_tool(Requirement::Composer, "composer") else {
        return;
    };
    let server = serve();
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    let manifest = format!(
        "{{\n    \"name\": \"acme/app\",\n    \"repositories\": [\n        {{\"type\": \"composer\", \"url\": \"{}\"}},\n        \
         {{\"packagist\": false}}\n    ],\n    \"config\": {{\"secure-http\": false}},\n    \"scripts\": {{\"pre-update-cmd\": \"touch {}\"}},\n    \
         \"require\": {{\"acme/a\": \"^1.0\", \"acme/q\": \"^1.0\"}},\n    \"require-dev\": {{\"acme/test\": \"^1.0\"}}\n}}\n",
        server.url(),
        root.join("ran").display()
    );
    std::fs::write(root.join("composer.json"), &manifest).unwrap();
    composer(
        &program,
        root,
        &[
            "update",
            "--no-scripts",
            "--with",
            "acme/a:v1.0.0",
            "--with",
            "acme/c:1.0.0",
        ],
    );
    let before = std::fs::read(root.join("composer.lock")).unwrap();

    // Where packages come from.
    let locator = locator_of("composer-lock").unwrap();
    let configuration = locator.configuration(root, "composer.lock");
    let key = locator.registry_key(&read(&before, &manifest).0, "acme/a");
    let registry = locator.registry(&key, &configuration, RunOptions::default());
    assert_eq!(registry.await.unwrap(), Some(server.url()));

    // Written directly.
    let edit = RequirementEdit {
        name: "acme/q".to_owned(),
        from: "^1.0".to_owned(),
        to: Composer.raise_requirement("^1.0", "2.0.0").unwrap(),
    };
    let raised = Composer
        .edit_manifest("composer.json", &manifest, &edit)
        .unwrap();
    let written = write(&before, &manifest, &raised, &edit.to);
    std::fs::write(root.join("composer.json"), &raised).unwrap();
    for arguments in [
        &["update", "--lock", "--no-scripts"][..],
        &["update", "--no-scripts"],
    ] {
        std::fs::write(root.join("composer.lock"), &written).unwrap();
        composer(&program, root, arguments);
        let now = std::fs::read_to_string(root.join("composer.lock")).unwrap();
        assert_eq!(now, written, "{arguments:?}");
    }

    // Checked, and locked again by Composer.
    let manager = manager_of("composer-lock").unwrap();
    let (checked, _) = managed(manager, root, written.as_bytes(), &raised, &[]).await;
    assert_eq!(checked, Ok(()));
    let pin = |name: &str, from: &str, to: &str| PinnedVersion {
        install_path: None,
        name: name.to_owned(),
        from: from.to_owned(),
        to: to.to_owned(),
    };
    let pins = [
        pin("acme/a", "v1.0.0", "v1.1.0"),
        pin("acme/c", "1.0.0", "1.1.0"),
        pin("acme/q", "1.0.0", "2.0.0"),
        pin("acme/new", "", "v2.0.0"),
    ];
    let (outdated, relocked) = managed(manager, root, &before, &raised, &pins).await;
    assert_eq!(String::from_utf8(relocked.unwrap()).unwrap(), written);
    let reason = outdated.unwrap_err();
    assert!(
        reason.contains("does not satisfy your constraint") || reason.contains("not up to date"),
        "{reason}"
    );
    assert!(!root.join("ran").exists(), "a script ran");
}
