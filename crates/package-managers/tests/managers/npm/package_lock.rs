//! npm itself on lockfiles that Patchgate wrote.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;

use patchgate_ecosystems::{
    Downloads, Ecosystem as _, Format, Input, Release, Siblings, TargetEdge, TargetGraph,
    TargetNode, Upgradable as _, npm::Npm,
};
use patchgate_model::{Edge, Lockfile, Package};
use patchgate_testkit::{NpmRegistry, files_below, shared_dir};
use serde_json::{Value, json};

fn format() -> &'static Format {
    let formats = Npm.files().unwrap().formats();
    formats
        .iter()
        .find(|format| format.id == "npm-lock")
        .unwrap()
}

/// A project in a directory, with its manifests by path.
struct Project<'a> {
    directory: &'a Path,
    manifests: Siblings,
    /// Settings of npm.
    settings: Vec<String>,
}

impl Project<'_> {
    fn npm(&self, arguments: &[&str], registry: &str) -> Result<(), String> {
        let output = Command::new("npm")
            .args(arguments)
            .args([
                "--ignore-scripts",
                "--no-audit",
                "--no-fund",
                "--loglevel=error",
            ])
            .args(&self.settings)
            .args(["--registry", registry])
            .arg("--cache")
            .arg(self.directory.join("cache"))
            .env("HOME", self.directory)
            .current_dir(self.directory)
            .output()
            .unwrap();
        match output.status.success() {
            true => Ok(()),
            false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
        }
    }

    fn lock(&self, arguments: &[&str], registry: &str) -> String {
        let mut all = arguments.to_vec();
        all.push("--package-lock-only");
        self.npm(&all, registry).unwrap();
        self.text()
    }

    fn text(&self) -> String {
        std::fs::read_to_string(self.directory.join("package-lock.json")).unwrap()
    }

    fn set(&self, lockfile: &str) {
        std::fs::write(self.directory.join("package-lock.json"), lockfile).unwrap();
    }

    fn set_manifest(&mut self, path: &str, manifest: &Value) {
        let file = self.directory.join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, manifest.to_string()).unwrap();
        self.manifests
            .insert(path.to_owned(), manifest.to_string().into_bytes());
    }

    fn parse(&self, text: &str) -> Lockfile {
        (format().parse)(&self.input(text)).unwrap()
    }

    fn input<'t>(&'t self, text: &'t str) -> Input<'t> {
        Input {
            path: "package-lock.json",
            bytes: text.as_bytes(),
            siblings: &self.manifests,
        }
    }

    fn write(&self, text: &str, before: &Lockfile, target: &TargetGraph) -> Result<String, String> {
        let written =
            format()
                .writer
                .unwrap()
                .write(&self.input(text), before, target, &Downloads::new());
        written
            .map(|mut files| String::from_utf8(files.remove("package-lock.json").unwrap()).unwrap())
            .map_err(|error| error.reason)
    }

    /// Checks that npm accepts a lockfile and leaves it as it is.
    fn holds(&self, lockfile: &str, registry: &str) {
        self.set(lockfile);
        self.npm(&["ci", "--dry-run"], registry).unwrap();
        assert_eq!(self.lock(&["install"], registry), lockfile);
    }
}

/// The releases of a package, as the registry describes them.
fn releases(registry: &str, name: &str) -> Vec<Release> {
    let request = Npm.metadata_request(registry, name);
    let address = request.url.strip_prefix("http://").unwrap();
    let (host, path) = address.split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    write!(
        stream,
        "GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    Npm.parse_metadata(name, body.as_bytes()).unwrap()
}

/// The graph of one lockfile as a change of another one: copies at the same path are the same copy,
/// and further copies of one version are one package.
fn toward(before: &Lockfile, after: &Lockfile, registry: &str) -> TargetGraph {
    let mut owners: Vec<(Option<usize>, &Package)> = Vec::new();
    let mut nodes: BTreeMap<&str, usize> = BTreeMap::new();
    let path = |package: &'_ Package| package.install_path.clone().unwrap();
    for (index, old) in before.packages.iter().enumerate() {
        let same = |new: &&Package| path(new) == path(old) && new.name == old.name;
        if let Some(new) = after.packages.iter().find(same) {
            nodes.insert(new.install_path.as_deref().unwrap(), owners.len());
            owners.push((Some(index), new));
        }
    }
    for new in &after.packages {
        let same = |(_, other): &(Option<usize>, &Package)| {
            (&other.name, &other.version) == (&new.name, &new.version)
        };
        let at = new.install_path.as_deref().unwrap();
        if nodes.contains_key(at) {
            continue;
        }
        let node = owners.iter().position(same).unwrap_or_else(|| {
            owners.push((None, new));
            owners.len() - 1
        });
        nodes.insert(at, node);
    }

    let edges = |edges: &[Edge]| {
        let edge = |edge: &Edge| TargetEdge {
            name: edge.name.to_string(),
            requirement: edge.requirement.as_deref().map(str::to_owned),
            kind: edge.kind,
            to: nodes[after
                .package(edge.to)
                .unwrap()
                .install_path
                .as_deref()
                .unwrap()],
        };
        edges.iter().map(edge).collect()
    };
    let node = |(was, new): &(Option<usize>, &Package)| {
        let is_same = was.is_some_and(|was| before.packages[was].version == new.version);
        let of_version = |release: &Release| release.version == new.version;
        let release = || releases(registry, &new.name).into_iter().find(of_version);
        TargetNode {
            was: was.map(|was| patchgate_model::PackageIndex(u32::try_from(was).unwrap())),
            name: new.name.clone(),
            release: if is_same {
                None
            } else {
                Some(release().unwrap())
            },
            edges: edges(&new.edges),
        }
    };
    TargetGraph {
        nodes: owners.iter().map(node).collect(),
        roots: after.roots.iter().map(|root| edges(&root.edges)).collect(),
    }
}

fn old_releases() -> Vec<patchgate_testkit::Release> {
    let made = patchgate_testkit::Release::new;
    vec![
        made("a", "1.0.0", &[("b", "^1.0.0")]).with_fields(json!({"license": "MIT"})),
        made("b", "1.0.0", &[]).with_fields(json!({"bin": "./b.js", "engines": {"node": ">=4"}})),
        made("b", "2.0.0", &[("leaf", "^1.0.0")]),
        made("box", "1.0.0", &[("leaf", "^1.0.0"), ("inner", "1.0.0")])
            .bundling(&[("inner", "1.0.0")]),
        made("inner", "1.0.0", &[]),
        made("host", "1.0.0", &[]),
        made("leaf", "1.0.0", &[]),
        made("@own/plug", "1.0.0", &[]).with_fields(json!({
            "peerDependencies": {"host": "1", "extra": "*"},
            "peerDependenciesMeta": {"extra": {"optional": true}},
        })),
        made("tool", "1.0.0", &[("b", "^2.0.0"), ("c", "^1.0.0")]),
        made("c", "1.0.0", &[("gone", "*")]),
        made("gone", "1.0.0", &[]),
    ]
}

/// What the packages of [`old_releases`] are updated to.
fn new_releases() -> Vec<patchgate_testkit::Release> {
    let made = patchgate_testkit::Release::new;
    let mut all = old_releases();
    all.extend([
        made("a", "1.2.0", &[("b", "^2.1.0"), ("d", "*")]).with_fields(json!({
            "license": {"type": "ISC"},
            "funding": "https://fund.invalid",
            "optionalDependencies": {"win": "1"},
            "scripts": {"postinstall": "true"},
        })),
        made("b", "2.1.0", &[("leaf", "^2.0.0")]).with_fields(json!({"deprecated": "old"})),
        made("c", "1.1.0", &[("leaf", "^2.0.0")]),
        made("d", "1.0.0", &[("b", "^1.0.0")]),
        made("leaf", "2.0.0", &[]).with_fields(json!({"cpu": ["x64", "arm64"], "license": "MIT"})),
        made("host", "1.1.0", &[("leaf", "^1.0.0")]),
        made("@own/plug", "1.1.0", &[]).with_fields(json!({
            "peerDependencies": {"host": "^1.1.0", "side": "1"},
        })),
        made("side", "1.0.0", &[]).with_fields(json!({"peerDependencies": {"host": ">=1"}})),
        made("win", "1.0.0", &[]).with_fields(json!({"os": ["win32"]})),
    ]);
    all
}

fn has_npm() -> bool {
    let found = Command::new("npm").arg("--version").output().is_ok();
    assert!(found || std::env::var_os("CI").is_none(), "npm is missing");
    found
}

/// What `npm update` writes for each of these packages, from the same graph.
fn updates(version: u8, settings: &[&str], members: bool, sets: &[&[&str]]) {
    if !has_npm() {
        return;
    }
    let (old, new) = (
        NpmRegistry::start(old_releases()),
        NpmRegistry::start(new_releases()),
    );
    let directory = tempfile::tempdir().unwrap();
    let mut project = Project {
        directory: directory.path(),
        manifests: Siblings::new(),
        settings: vec![format!("--lockfile-version={version}")],
    };
    project
        .settings
        .extend(settings.iter().map(|text| (*text).to_owned()));
    let mut manifest = json!({
        "name": "app",
        "version": "1.0.0",
        "dependencies": {"a": "^1.0.0", "box": "1", "host": "^1.0.0", "x": "npm:leaf@^1.0.0 || ^2.0.0"},
        "devDependencies": {"tool": "1", "@own/plug": "^1.0.0"},
    });
    if members {
        manifest["workspaces"] = json!(["packages/*"]);
        let member = json!({"name": "w", "version": "1.0.0", "dependencies": {"b": "^2.0.0"}, "devDependencies": {"c": "1"}});
        project.set_manifest("packages/w/package.json", &member);
    }
    project.set_manifest("package.json", &manifest);
    project.lock(&["install"], &old.url());
    let fresh = project.text().replace(&old.url(), &new.url());
    let before = project.parse(&fresh);

    for names in sets {
        project.set(&fresh);
        let mut arguments = vec!["update"];
        arguments.extend(*names);
        let own = project.lock(&arguments, &new.url());
        assert_ne!(own, fresh, "{names:?}");
        let target = toward(&before, &project.parse(&own), &new.url());
        let written = project.write(&fresh, &before, &target);
        assert_eq!(written.as_deref(), Ok(&*own), "{names:?}");
    }
    project.holds(&project.text(), &new.url());
}

#[test]
fn version_3_is_written_as_npm_does() {
    let sets: [&[&str]; 4] = [
        &["a"],
        &["c"],
        &["@own/plug"],
        &["a", "b", "c", "host", "@own/plug", "x"],
    ];
    updates(
        3,
        &["--omit-lockfile-registry-resolved=false"],
        false,
        &sets,
    );
}

#[test]
fn version_2_is_written_as_npm_does() {
    let sets: [&[&str]; 2] = [&["c"], &["a", "b", "c", "host", "@own/plug"]];
    updates(2, &["--omit-lockfile-registry-resolved=true"], true, &sets);
}

/// Version 1 does not say what a package is a peer of.
#[test]
fn version_1_is_written_as_npm_does() {
    let sets: [&[&str]; 2] = [&["c"], &["a", "b"]];
    updates(
        1,
        &["--omit-lockfile-registry-resolved=false"],
        false,
        &sets,
    );
}

#[test]
fn npm_accepts_an_override_and_leaves_it() {
    if !has_npm() {
        return;
    }
    let made = patchgate_testkit::Release::new;
    let registry = NpmRegistry::start(vec![
        made("a", "1.0.0", &[]),
        made("a", "2.0.0", &[("b", "*")]),
        made("b", "1.0.0", &[]),
        made("p", "1.0.0", &[("a", "1.0.0")]),
    ]);
    let directory = tempfile::tempdir().unwrap();
    let mut project = Project {
        directory: directory.path(),
        manifests: Siblings::new(),
        settings: vec!["--lockfile-version=2".to_owned()],
    };
    let manifest = "{\n  \"name\": \"app\",\n  \"dependencies\": {\n    \"p\": \"1.0.0\"\n  }\n}\n";
    project.set_manifest("package.json", &serde_json::from_str(manifest).unwrap());
    let fresh = project.lock(&["install"], &registry.url());
    let before = project.parse(&fresh);

    let manifests = Siblings::from([("package.json".to_owned(), manifest.as_bytes().to_vec())]);
    let writer = format().writer.unwrap();
    let edit = writer.write_override("package-lock.json", &manifests, "a", "2.0.0");
    let (path, edited) = edit.unwrap().unwrap();
    project.set_manifest(&path, &serde_json::from_str(&edited).unwrap());

    let mut target = TargetGraph::unchanged(&before);
    let found = |name: &str, version: &str| {
        let of_version = |release: &Release| release.version == version;
        releases(&registry.url(), name)
            .into_iter()
            .find(of_version)
            .unwrap()
    };
    let at = target
        .nodes
        .iter()
        .position(|node| node.name == "a")
        .unwrap();
    target.nodes[at].release = Some(found("a", "2.0.0"));
    let to = target.nodes.len();
    target.nodes[at].edges.push(TargetEdge {
        name: "b".to_owned(),
        requirement: Some("*".to_owned()),
        kind: patchgate_model::DependencyKind::Runtime,
        to,
    });
    target.nodes.push(TargetNode {
        was: None,
        name: "b".to_owned(),
        release: Some(found("b", "1.0.0")),
        edges: Vec::new(),
    });
    let written = project.write(&fresh, &before, &target).unwrap();
    project.holds(&written, &registry.url());
    std::fs::remove_file(directory.path().join("package-lock.json")).unwrap();
    assert_eq!(project.lock(&["install"], &registry.url()), written);
}

/// Every file of the corpus with an unchanged graph.
#[test]
fn real_files_keep_their_bytes() {
    let Some(shared) = shared_dir() else {
        return;
    };
    let mut count = 0;
    for path in files_below(&shared.join("corpus")) {
        let name = path.file_name().unwrap_or_default();
        if name != "package-lock.json" && name != "npm-shrinkwrap.json" {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let directory = path.parent().unwrap();
        let mut project = Project {
            directory,
            manifests: Siblings::new(),
            settings: Vec::new(),
        };
        if let Ok(manifest) = std::fs::read(directory.join("package.json")) {
            project
                .manifests
                .insert("package.json".to_owned(), manifest);
        }
        let before = project.parse(&text);
        let target = TargetGraph::unchanged(&before);
        assert_eq!(project.write(&text, &before, &target).unwrap(), text);
        count += 1;
    }
    assert!(count > 3, "{count}");
}
