//! Cargo itself on lockfiles that Patchgate wrote.

use std::path::Path;
use std::process::Command;

use patchgate_ecosystems::{
    Downloads, Ecosystem as _, Format, Input, Release, Siblings, TargetGraph, TargetNode,
    Upgradable as _, cargo::Cargo, cargo::with_format_of,
};
use patchgate_model::Lockfile;
use patchgate_testkit::{CargoRegistry, rust_toolchain};
use serde_json::{Value, json};

const WORKSPACE: &str = r#"
[workspace]
members = ["crates/*"]
resolver = "2"

[package]
name = "app"
version = "0.1.0"
edition = "2018"
RUST

[dependencies]
outer = { path = "crates/outer", features = ["fast"] }
top = "1"

[dev-dependencies]
tester = "1"
"#;

const MEMBER: &str = r#"
[package]
name = "outer"
version = "0.1.0"
edition = "2018"

[features]
fast = ["middle/speed"]

[dependencies]
middle = { version = "1", default-features = false }
old = { package = "left", version = "0.9" }
"#;

fn need(name: &str, requirement: &str, other: Value) -> Value {
    let mut need = json!({
        "name": name, "req": requirement, "features": [], "optional": false,
        "default_features": true, "target": null, "kind": "normal",
    });
    for (key, value) in other.as_object().unwrap() {
        need[key] = value.clone();
    }
    need
}

fn line(name: &str, version: &str, needs: &[Value], features: Value) -> Value {
    let digits = version.replace(|c: char| !c.is_ascii_digit(), "");
    json!({
        "name": name, "vers": version, "deps": needs, "cksum": format!("{digits:0>64}"),
        "features": {}, "features2": features, "yanked": false, "v": 2,
    })
}

fn index() -> Vec<Value> {
    let plain = |name, requirement| need(name, requirement, json!({}));
    let optional = |name, requirement| need(name, requirement, json!({"optional": true}));
    vec![
        line(
            "top",
            "1.0.0",
            &[plain("left", "^1"), plain("gone", "^1")],
            json!({}),
        ),
        line(
            "top",
            "1.1.0",
            &[
                need("left", "^1.1", json!({"features": ["more"]})),
                need("gen", "^1", json!({"kind": "build"})),
                need("tester", "^9", json!({"kind": "dev"})),
                need("win", "^2", json!({"target": "cfg(windows)"})),
                need(
                    "win-old",
                    "^1",
                    json!({"target": "cfg(target_os = \"none\")", "package": "win"}),
                ),
                need("middle", "^1", json!({"default_features": false})),
                optional("implied", "^1"),
            ],
            json!({"default": ["implied"]}),
        ),
        line("left", "0.9.0", &[], json!({})),
        line("left", "1.0.0", &[], json!({})),
        line(
            "left",
            "1.1.0",
            &[optional("deep", "^1"), optional("weak", "^1")],
            json!({"more": ["dep:deep", "weak?/x"]}),
        ),
        line("gone", "1.0.0", &[], json!({})),
        line("gen", "1.0.0", &[], json!({})),
        line("win", "1.0.0", &[], json!({})),
        line("win", "2.0.0", &[], json!({})),
        line("deep", "1.0.0", &[], json!({})),
        line("weak", "1.0.0", &[], json!({"x": []})),
        line("implied", "1.0.0", &[], json!({})),
        line("tester", "1.0.0", &[], json!({})),
        line(
            "middle",
            "1.0.0",
            &[optional("fast", "^1"), optional("slow", "^1")],
            json!({"default": ["slow"], "speed": ["fast"]}),
        ),
        line("fast", "1.0.0", &[], json!({})),
        line("slow", "1.0.0", &[], json!({})),
    ]
}

fn releases(name: &str) -> Vec<Release> {
    let lines: Vec<String> = index()
        .iter()
        .filter(|line| line["name"] == name)
        .map(Value::to_string)
        .collect();
    Cargo
        .parse_metadata(name, lines.join("\n").as_bytes())
        .unwrap()
}

fn release(name: &str, version: &str) -> Release {
    let mut releases = releases(name).into_iter();
    releases.find(|one| one.version == version).unwrap()
}

fn format() -> &'static Format {
    &Cargo.files().unwrap().formats()[0]
}

/// A project of its own, with the settings for the registry.
struct Project {
    directory: tempfile::TempDir,
    siblings: Siblings,
}

impl Project {
    fn new(registry: &CargoRegistry, rust_version: &str) -> Self {
        let rust = match rust_version {
            "" => String::new(),
            version => format!("rust-version = \"{version}\""),
        };
        let root = WORKSPACE.replace("RUST", &rust);
        let siblings = Siblings::from([
            ("Cargo.toml".to_owned(), root.into_bytes()),
            (
                "crates/outer/Cargo.toml".to_owned(),
                MEMBER.as_bytes().to_vec(),
            ),
        ]);
        let directory = tempfile::tempdir().unwrap();
        let write = |path: &str, bytes: &[u8]| {
            let path = directory.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        };
        for (path, bytes) in &siblings {
            write(path, bytes);
        }
        write("src/lib.rs", b"");
        write("crates/outer/src/lib.rs", b"");
        write(".cargo/config.toml", registry.config().as_bytes());
        Self {
            directory,
            siblings,
        }
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Runs Cargo with a home of its own. The error is what it says.
    fn cargo(&self, arguments: &[&str]) -> Result<(), String> {
        let output = Command::new("cargo")
            .args(arguments)
            .current_dir(self.path())
            .env("CARGO_HOME", self.path().join("home"))
            .env("RUSTUP_TOOLCHAIN", rust_toolchain())
            .output()
            .unwrap();
        match output.status.success() {
            true => Ok(()),
            false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
        }
    }

    fn lockfile(&self) -> String {
        std::fs::read_to_string(self.path().join("Cargo.lock")).unwrap()
    }

    fn parse(&self, text: &str) -> Lockfile {
        (format().parse)(&Input {
            path: "Cargo.lock",
            bytes: text.as_bytes(),
            siblings: &self.siblings,
        })
        .unwrap()
    }

    /// Locks the versions before the fix.
    fn lock(&self) -> String {
        self.cargo(&["generate-lockfile"]).unwrap();
        for (name, version) in [("top", "1.0.0"), ("left@1.1.0", "1.0.0")] {
            self.cargo(&["update", name, "--precise", version]).unwrap();
        }
        self.lockfile()
    }

    /// Checks that Cargo accepts a lockfile, and leaves it as it is when it may change it.
    fn holds(&self, text: &str) {
        std::fs::write(self.path().join("Cargo.lock"), text).unwrap();
        for arguments in [
            &["update", "--workspace", "--locked"][..],
            &["update", "--workspace"],
        ] {
            self.cargo(arguments).unwrap();
            assert_eq!(self.lockfile(), text, "{arguments:?}");
        }
    }
}

/// The lockfile with `top` 1.1.0, written without Cargo.
fn with_top(project: &Project, text: &str) -> Result<String, String> {
    let lockfile = project.parse(text);
    let mut target = TargetGraph::unchanged(&lockfile);
    for (node, package) in target.nodes.iter_mut().zip(&lockfile.packages) {
        let version = match node.name.as_str() {
            "top" => "1.1.0",
            "left" if package.version == "1.0.0" => "1.1.0",
            _ => &package.version,
        };
        let is_known = index().iter().any(|line| line["name"] == *node.name);
        node.release = is_known.then(|| release(&node.name, version));
    }
    for (name, version) in [
        ("gen", "1.0.0"),
        ("win", "1.0.0"),
        ("win", "2.0.0"),
        ("deep", "1.0.0"),
        ("weak", "1.0.0"),
        ("implied", "1.0.0"),
    ] {
        target.nodes.push(TargetNode {
            was: None,
            name: name.to_owned(),
            release: Some(release(name, version)),
            edges: Vec::new(),
        });
    }

    let input = Input {
        path: "Cargo.lock",
        bytes: text.as_bytes(),
        siblings: &project.siblings,
    };
    let written = format()
        .writer
        .unwrap()
        .write(&input, &lockfile, &target, &Downloads::new());
    let mut files = written.map_err(|error| error.reason)?;
    Ok(String::from_utf8(files.remove("Cargo.lock").unwrap()).unwrap())
}

#[test]
fn cargo_leaves_written_lockfiles_of_every_version_as_they_are() {
    let registry = CargoRegistry::start_index(index());
    let project = Project::new(&registry, "");
    let newest = project.lock();

    let written = with_top(&project, &newest).unwrap();
    assert!(written.contains("name = \"weak\""), "{written}");
    assert!(!written.contains("name = \"slow\""), "{written}");
    project.holds(&written);

    // Cargo chooses the same.
    std::fs::write(project.path().join("Cargo.lock"), &newest).unwrap();
    project.cargo(&["update", "top", "left@1.0.0"]).unwrap();
    assert_eq!(project.lockfile(), written);

    for rust_version in ["1.70", "1.50", "1.40"] {
        let project = Project::new(&registry, rust_version);
        let before = project.lock();
        assert_ne!(before, newest);
        assert_eq!(
            with_format_of(&before, &newest).as_deref(),
            Some(before.as_str())
        );

        // Cargo keeps an old version only while nothing else changes.
        let project = Project::new(&registry, "");
        project.holds(&before);
        let written = with_top(&project, &before).unwrap();
        project.holds(&written);
    }
}
